/* Who a URL addresses, and what is odd about how it says so. */
#include "link/facts_host.h"

#include "link/idna.h"
#include "link/idna_icu.h"

#define BIT(name) LINK_FACT_BIT(LINK_FACT_##name)

#define LABELS_MANY 5u

/* Letters of other scripts that are drawn as Latin ones: a name of these alone is read as Latin. */
static const uint32_t latin_like[] = {
	0x430, 0x435, 0x43e, 0x440, 0x441, 0x443, 0x445, 0x455, 0x456, 0x458, 0x432, 0x43a, 0x43c,  0x43d,
	0x442, 0x501, 0x51b, 0x51d, 0x4bb, 0x4cf, 0x475, 0x433, 0x44c, 0x3bf, 0x3b1, 0x3bd, 0x3c1,  0x3c5,
	0x3b9, 0x3ba, 0x3c9, 0x3c4, 0x3b3, 0x570, 0x585, 0x578, 0x57d, 0x581, 0x566, 0x561, 0x10d5, 0x10e7,
};

static bool is_latin_like(uint32_t code_point)
{
	for (size_t i = 0; i < sizeof latin_like / sizeof latin_like[0]; i++) {
		if (latin_like[i] == code_point)
			return true;
	}
	return false;
}

/* Scripts that one writing system uses together (UTS 39 section 5.2, "highly restrictive"). */
static bool scripts_agree(uint32_t scripts)
{
	static const uint32_t together[] = {
		IDNA_SCRIPT_LATIN | IDNA_SCRIPT_HAN | IDNA_SCRIPT_KANA,
		IDNA_SCRIPT_LATIN | IDNA_SCRIPT_HAN | IDNA_SCRIPT_BOPOMOFO,
		IDNA_SCRIPT_LATIN | IDNA_SCRIPT_HAN | IDNA_SCRIPT_HANGUL,
	};

	if ((scripts & (scripts - 1)) == 0)
		return true;
	for (size_t i = 0; i < sizeof together / sizeof together[0]; i++) {
		if ((scripts & ~together[i]) == 0)
			return true;
	}
	return false;
}

static uint64_t a_label_facts(struct slice label)
{
	uint32_t points[IDNA_POINTS_MAX];
	size_t   count = 0;
	uint32_t scripts = 0;
	bool     like = true;

	if (punycode_decode(slice_drop(label, 4), points, IDNA_POINTS_MAX, &count) != RC_OK)
		return 0;
	for (size_t i = 0; i < count; i++) {
		const uint32_t script = idna_icu_script(points[i]);
		scripts |= script;
		like &= script == 0 || is_latin_like(points[i]);
	}
	uint64_t found = scripts_agree(scripts) ? 0 : BIT(MIXED_SCRIPT);
	if (like && scripts != 0 && (scripts & IDNA_SCRIPT_LATIN) == 0)
		found |= BIT(WHOLE_SCRIPT);
	return found;
}

/* "paypa1", "g00gle", "micr0soft": one or two digits behind a letter and before one, or a 0 or 1 at the end. */
static bool has_digit_letter(struct slice label)
{
	for (size_t i = 1; i < label.len; i++) {
		size_t run = 0;
		if (!byte_is_alpha(label.ptr[i - 1]))
			continue;
		while (i + run < label.len && byte_is_digit(label.ptr[i + run]))
			run++;
		if (run == 0 || run > 2)
			continue;
		const uint8_t digit = label.ptr[i];
		const bool    end = i + run == label.len;
		if (digit != '0' && digit != '1' && digit != '3' && digit != '5')
			continue;
		if (!end && byte_is_alpha(label.ptr[i + run]) && label.len - run >= 4)
			return true;
		if (end && run == 1 && digit <= '1' && label.len >= 5 && byte_is_alpha(label.ptr[i - 1]))
			return true;
	}
	return false;
}

static bool is_common_top(struct slice label)
{
	static const struct slice tops[] = { SLICE_INIT("com"), SLICE_INIT("net"), SLICE_INIT("org"), SLICE_INIT("gov"),
		                             SLICE_INIT("edu"), SLICE_INIT("cn"),  SLICE_INIT("info") };

	for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++) {
		if (slice_eq_nocase(label, tops[i]))
			return true;
	}
	return false;
}

/* "paypal.com" in "paypal.com.evil.net", "name-com" in "name-com.evil.net". */
static uint64_t labels_facts(struct slice before, struct slice registrable)
{
	uint64_t found = 0;
	size_t   labels = 0;
	bool     name = false; /* a label of three letters and more stood before */

	while (before.len != 0) {
		const struct slice label = slice_until(&before, '.');
		labels++;
		if (name && is_common_top(label))
			found |= BIT(DOMAIN_INSIDE);
		name = label.len >= 3 && !slice_eq(label, SLICE("www"));
		const size_t hyphen = slice_find_last(label, '-');
		if (hyphen >= 3 && hyphen != label.len && is_common_top(slice_drop(label, hyphen + 1)))
			found |= BIT(BRAND_HYPHEN);
		found |= slice_starts(label, SLICE("xn--")) ? a_label_facts(label) : 0;
	}
	const struct slice own = slice_take(registrable, slice_find(registrable, '.'));
	const size_t       hyphen = slice_find_last(own, '-');
	if (hyphen >= 3 && hyphen != own.len && is_common_top(slice_drop(own, hyphen + 1)))
		found |= BIT(BRAND_HYPHEN);
	found |= slice_starts(own, SLICE("xn--")) ? a_label_facts(own) : 0;
	if (!slice_starts(own, SLICE("xn--")) && has_digit_letter(own))
		found |= BIT(DIGIT_LETTER);
	return found | (labels > LABELS_MANY ? BIT(MANY_LABELS) : 0);
}

static bool is_local(struct slice host)
{
	static const struct slice starts[] = { SLICE_INIT("10."),      SLICE_INIT("127."), SLICE_INIT("192.168."),
		                               SLICE_INIT("169.254."), SLICE_INIT("0."),   SLICE_INIT("[::1]"),
		                               SLICE_INIT("[fc"),      SLICE_INIT("[fd"),  SLICE_INIT("[fe80:") };

	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
		if (slice_starts(host, starts[i]))
			return true;
	}
	if (!slice_starts(host, SLICE("172.")))
		return false;
	const struct slice rest = slice_drop(host, 4);
	const size_t       dot = slice_find(rest, '.');
	return dot == 2 && ((rest.ptr[0] == '1' && rest.ptr[1] >= '6') || rest.ptr[0] == '2' ||
	                    (rest.ptr[0] == '3' && rest.ptr[1] <= '1'));
}

/* "paypal.com" or "www.bank" before an "@". */
static bool looks_like_host(struct slice name)
{
	const size_t dot = slice_find(name, '.');

	return dot != name.len && dot != 0 && byte_is_alpha((uint8_t)slice_last(name));
}

static uint64_t domain_facts(const struct url *url, const struct suffix_list *list)
{
	struct suffix suffix;
	struct slice  host = url->host;

	if (slice_last(host) == '.')
		host.len--;
	suffix_find(list, host, &suffix);
	const struct slice whole = suffix.registrable.len != 0 ? suffix.registrable : suffix.suffix;
	uint64_t           found = 0;
	if (host.len > whole.len)
		found |= labels_facts(slice_take(host, host.len - whole.len - 1), whole);
	else
		found |= labels_facts((struct slice){ NULL, 0 }, whole);
	if (!suffix.listed)
		found |= BIT(UNLISTED);
	if (suffix.private_part)
		found |= BIT(HOSTING);
	return found;
}

uint64_t host_facts(const struct url *url, const struct suffix_list *list)
{
	uint64_t found = 0;

	if ((url->flags & URL_USERINFO) != 0)
		found |= BIT(USERINFO);
	if (looks_like_host(url->username) || looks_like_host(url->password))
		found |= BIT(USERINFO_HOST);
	if (url->port >= 0)
		found |= BIT(PORT);
	if (url->host_kind == URL_HOST_IPV4 || url->host_kind == URL_HOST_IPV6)
		found |= BIT(IP) | (is_local(url->host) ? BIT(IP_LOCAL) : 0);
	if (url->host_kind == URL_HOST_IPV4 &&
	    (url->flags & (URL_IPV4_NUMBER | URL_HOST_ENCODED | URL_HOST_MAPPED)) != 0)
		found |= BIT(IP_DISGUISED);
	if ((url->flags & URL_HOST_IDN) != 0)
		found |= BIT(IDN);
	if ((url->flags & URL_HOST_ENCODED) != 0)
		found |= BIT(HOST_ENCODED);
	if ((url->flags & URL_HOST_MAPPED) != 0)
		found |= BIT(HOST_MAPPED);
	if (url->host_kind == URL_HOST_DOMAIN)
		found |= domain_facts(url, list);
	return found;
}
