/* Facts of URLs: each of the table at least once, and links of which nothing is to be said. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "link/facts.h"
#include "link/ready.h"

static uint8_t             memory[4 << 20];
static struct suffix_list *list;

#define B(name) LINK_FACT_BIT(LINK_FACT_##name)

struct row {
	const char *url;
	uint64_t    facts;
};

static const struct row rows[] = {
	{ "https://www.example.com/a/b.html?c=d", 0 },
	{ "https://mail.google.com/mail/u/0/#inbox", 0 },
	{ "https://www.sina.com.cn/news/2024-01-02/doc-x.shtml", 0 },
	{ "https://de.wikipedia.org/wiki/Zip", 0 },
	{ "https://microsoft365.com/", 0 },
	{ "mailto:a@b.c", 0 },
	{ "http://user@example.com/", B(USERINFO) },
	{ "http://paypal.com@example.com/", B(USERINFO) | B(USERINFO_HOST) },
	{ "http://example.com:8080/", B(PORT) },
	{ "http://8.8.8.8/", B(IP) },
	{ "http://[2001:db8::1]/", B(IP) },
	{ "http://0x8.0x8.0x8.0x8/", B(IP) | B(IP_DISGUISED) },
	{ "http://3232235777/", B(IP) | B(IP_DISGUISED) | B(IP_LOCAL) },
	{ "http://172.31.0.1/", B(IP) | B(IP_LOCAL) },
	{ "http://172.32.0.1/", B(IP) },
	{ "http://b\xc3\xbc" "cher.de/", B(IDN) },
	{ "http://p\xd0\xb0ypal.com/", B(IDN) | B(MIXED_SCRIPT) },
	{ "http://\xd0\xb0\xd1\x80\xd1\x80\xd3\x8f\xd0\xb5.com/", B(IDN) | B(WHOLE_SCRIPT) },
	{ "http://\xe4\xb8\xad\xe5\x9b\xbd" "abc.cn/", B(IDN) },
	{ "http://paypa1.com/", B(DIGIT_LETTER) },
	{ "http://g00gle.com/", B(DIGIT_LETTER) },
	{ "http://micr0soft.com/", B(DIGIT_LETTER) },
	{ "http://%65xample.com/", B(HOST_ENCODED) },
	{ "http://\xef\xbd\x85xample.com/", B(HOST_MAPPED) },
	{ "http://paypal.com.example.net/", B(DOMAIN_INSIDE) },
	{ "http://www.icbc.com.cn.example.net/", B(DOMAIN_INSIDE) },
	{ "http://paypal-com.example.net/", B(BRAND_HYPHEN) },
	{ "http://paypal-com.net/", B(BRAND_HYPHEN) },
	{ "http://a.b.c.d.e.f.example.net/", B(MANY_LABELS) },
	{ "http://intranet/", B(UNLISTED) },
	{ "http://someone.github.io/", B(HOSTING) },
	{ "http:\\\\example.com/", B(BACKSLASH) },
	{ "http://exam\nple.com/", B(LINE_BREAK) },
	{ "http:example.com/", B(SLASHES) },
	{ "data:text/html;base64,PGI+", B(SCHEME_DATA) },
	{ "javascript:alert(1)", B(SCHEME_SCRIPT) },
	{ "blob:https://example.com/1", B(SCHEME_BLOB) },
	{ "file://fileserver/x.lnk", B(SCHEME_FILE) | B(EXECUTABLE) | B(UNLISTED) },
	{ "search-ms:query=x", B(SCHEME_PROGRAM) },
	{ "ms-word:ofe|u|https://example.com/x", B(SCHEME_PROGRAM) },
	{ "http://example.com/login.php", B(CREDENTIAL_WORD) },
	{ "http://account-verify.example.com/", B(CREDENTIAL_WORD) },
	{ "http://example.com/x.exe", B(EXECUTABLE) },
	{ "http://example.com/x.7z", B(ARCHIVE) },
	{ "http://example.com/invoice.pdf.exe", B(EXECUTABLE) | B(DOUBLE_EXTENSION) | B(CREDENTIAL_WORD) },
	{ "http://example.com/x.pdf%20%20.html", B(DOUBLE_EXTENSION) },
	{ "https://a.safelinks.protection.outlook.com/?url=https%3A%2F%2Fexample.com%2F", B(WRAPPER) },
	{ "https://www.google.com/url?q=https://example.com/", B(REDIRECTOR) },
	{ "https://example.com/?to=https://example.net/", B(REDIRECT) },
	{ "https://example.com/https://example.net/", B(EMBEDDED) },
	{ "https://t.cn/abc", B(SHORTENER) },
	{ "https://www.baidu.com/link?url=abc", B(OPAQUE) },
	{ "https://example.com/http://a.com/http://b.com/http://c.com/", B(EMBEDDED) | B(NESTED) },
};

static void each_row(void **state)
{
	uint64_t seen = B(LONG);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arena  arena = arena_on(memory, sizeof memory);
		struct url    url;
		struct unwrap unwrap;
		assert_int_equal(url_parse(slice_str(rows[i].url), NULL, &arena, &url), RC_OK);
		assert_int_equal(unwrap_url(&url, &arena, &unwrap), RC_OK);
		const uint64_t facts = link_facts(&url, list, &unwrap);
		for (enum link_fact fact = 0; fact < LINK_FACTS; fact++) {
			if (((facts ^ rows[i].facts) >> fact & 1) != 0)
				fail_msg("%s: %s is %d", rows[i].url, link_fact_name(fact), (int)(facts >> fact & 1));
		}
		seen |= facts;
	}
	assert_true(seen == (UINT64_C(1) << LINK_FACTS) - 1);
}

static void length(void **state)
{
	static uint8_t text[1001];

	(void)state;
	memset(text, 'a', sizeof text);
	memcpy(text, "http://example.com/", 19);
	for (size_t size = 999; size <= 1001; size++) {
		struct arena arena = arena_on(memory, sizeof memory);
		struct url   url;
		assert_int_equal(url_parse(slice_of(text, size), NULL, &arena, &url), RC_OK);
		assert_int_equal(link_facts(&url, list, NULL) == B(LONG), size > 1000);
	}
}

static void words(void **state)
{
	(void)state;
	for (enum link_fact i = 0; i < LINK_FACTS; i++) {
		assert_true(slice_starts(slice_str(link_fact_name(i)), SLICE("link.")));
		assert_int_equal(slice_last(slice_str(link_fact_meaning(i))), '.');
		for (enum link_fact k = 0; k < i; k++)
			assert_string_not_equal(link_fact_name(i), link_fact_name(k));
	}
}

static int open_list(void **state)
{
	(void)state;
	return link_ready((struct slice){ NULL, 0 }, &list) != RC_OK;
}

static int close_list(void **state)
{
	(void)state;
	suffix_close(&list);
	return 0;
}

int main(void)
{
	const struct CMUnitTest all[] = { cmocka_unit_test(each_row), cmocka_unit_test(length), cmocka_unit_test(words) };

	return cmocka_run_group_tests(all, open_list, close_list);
}
