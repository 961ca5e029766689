/* Links that lead through somebody else: each service, nesting, what is only named, what is none, and the bounds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "link/unwrap.h"

static uint8_t memory[16 << 20];

#define X "https://evil.example/p?q=1"
#define E "https%3A%2F%2Fevil.example%2Fp%3Fq%3D1"

struct row {
	const char      *url;
	const char      *by;
	enum unwrap_kind kind;
	const char      *target; /* NULL: named only */
};

static const struct row rows[] = {
	{ "https://eur01.safelinks.protection.outlook.com/?url=" E "&data=05%7C01&reserved=0", "safelinks", UNWRAP_WRAPPER, X },
	{ "https://urldefense.proofpoint.com/v1/url?u=" E "&k=x", "proofpoint", UNWRAP_WRAPPER, X },
	{ "https://urldefense.proofpoint.com/v2/url?u=https-3A__evil.example_p-3Fq-3D1&d=Dw&c=x", "proofpoint", UNWRAP_WRAPPER, X },
	{ "https://urldefense.com/v3/__https://evil.example/p?q=1__;!!abc!def$", "proofpoint", UNWRAP_WRAPPER, X },
	{ "https://urldefense.com/v3/__https://evil.example/*p*b__;I0A!!abc!def$", "proofpoint", UNWRAP_WRAPPER,
	  "https://evil.example/#p@b" },
	{ "https://urldefense.com/v3/__https:/evil.example/**Aa__;w6TDtg!!x!y$", "proofpoint", UNWRAP_WRAPPER,
	  "https://evil.example/%C3%A4%C3%B6a" },
	{ "https://linkprotect.cudasvc.com/url?a=" E "&c=E", "barracuda", UNWRAP_WRAPPER, X },
	{ "https://secure-web.cisco.com/1abcDEF/https%3A%2F%2Fevil.example%2Fp%3Fq%3D1", "cisco", UNWRAP_WRAPPER, X },
	{ "https://protect-eu.mimecast.com/s/AbC?domain=evil.example", "mimecast", UNWRAP_WRAPPER, "http://evil.example/" },
	{ "https://protect-eu.mimecast.com/s/AbC", "mimecast", UNWRAP_OPAQUE, NULL },
	{ "https://us-west-2.protection.sophos.com/?d=evil.example&u=aHR0cHM6Ly9ldmlsLmV4YW1wbGUvcD9xPTE=&i=1", "sophos", UNWRAP_WRAPPER, X },
	{ "https://www.google.com/url?sa=t&url=" E "&usg=x", "google", UNWRAP_REDIRECTOR, X },
	{ "https://www.google.com.hk/url?q=" X, "google", UNWRAP_REDIRECTOR, X },
	{ "https://www.google.com/amp/s/evil.example/p", "google", UNWRAP_REDIRECTOR, "http://evil.example/p" },
	{ "https://evil-example.translate.goog/p", "google", UNWRAP_REDIRECTOR, "http://evil.example/p" },
	{ "https://www.bing.com/ck/a?!&&p=1&u=a1aHR0cHM6Ly9ldmlsLmV4YW1wbGUvcD9xPTE&ntb=1", "bing", UNWRAP_REDIRECTOR, X },
	{ "https://duckduckgo.com/l/?uddg=" E "&rut=1", "duckduckgo", UNWRAP_REDIRECTOR, X },
	{ "https://r.search.yahoo.com/_ylt=A/RV=2/RE=1/RO=10/RU=https%3a%2f%2fevil.example%2fp%3Fq%3D1/RK=2/RS=x", "yahoo", UNWRAP_REDIRECTOR, X },
	{ "https://l.facebook.com/l.php?u=" E "&h=x", "facebook", UNWRAP_REDIRECTOR, X },
	{ "https://www.linkedin.com/redir/redirect?url=" E, "linkedin", UNWRAP_REDIRECTOR, X },
	{ "https://www.youtube.com/redirect?event=x&q=" E, "youtube", UNWRAP_REDIRECTOR, X },
	{ "https://www.baidu.com/link?url=AbCdEf", "baidu", UNWRAP_OPAQUE, NULL },
	{ "https://weixin110.qq.com/cgi-bin/mmspamsupport-bin/newredirectconfirmcgi?main_type=2&url=" E, "weixin", UNWRAP_REDIRECTOR, X },
	{ "https://mp.weixin.qq.com/mp/redirect?url=" E, "weixin", UNWRAP_REDIRECTOR, X },
	{ "https://c.pc.qq.com/middlem.html?pfurl=" E, "qq", UNWRAP_REDIRECTOR, X },
	{ "https://mail.qq.com/cgi-bin/readtemplate?t=safety&check=false&gourl=" E, "qqmail", UNWRAP_REDIRECTOR, X },
	{ "https://qiye.163.com/go?url=" E, "netease", UNWRAP_REDIRECTOR, X },
	{ "https://page.dingtalk.com/go?url=" E, "dingtalk", UNWRAP_REDIRECTOR, X },
	{ "https://link.zhihu.com/?target=" E, "zhihu", UNWRAP_REDIRECTOR, X },
	{ "https://weibo.cn/sinaurl?u=evil.example%2Fp%3Fq%3D1", "weibo", UNWRAP_REDIRECTOR, "http://evil.example/p?q=1" },
	{ "https://t.cn/A6abc", "shortener", UNWRAP_SHORTENER, NULL },
	{ "https://bit.ly/3abc", "shortener", UNWRAP_SHORTENER, NULL },
	{ "https://shop.example/login?next=" E, "parameter", UNWRAP_CANDIDATE, X },
	{ "https://shop.example/?anything=https%253A%252F%252Fevil.example%252Fp%253Fq%253D1", "parameter", UNWRAP_CANDIDATE, X },
	{ "https://shop.example/?x=aHR0cHM6Ly9ldmlsLmV4YW1wbGUvcD9xPTE", "parameter", UNWRAP_CANDIDATE, X },
	{ "https://shop.example/?url=evil.example/p", "parameter", UNWRAP_CANDIDATE, "http://evil.example/p" },
	{ "https://shop.example/?//evil.example/p", "parameter", UNWRAP_CANDIDATE, "http://evil.example/p" },
	{ "https://shop.example/#url=" E, "fragment", UNWRAP_CANDIDATE, X },
	{ "https://shop.example/go/https://evil.example/p?q=1", "path", UNWRAP_CANDIDATE, X },
	{ "https://web.archive.org/web/2020/https:/evil.example/p", "path", UNWRAP_CANDIDATE, "https://evil.example/p" },
	{ "https://shop.example/r/aHR0cHM6Ly9ldmlsLmV4YW1wbGUvcD9xPTE/x", "path", UNWRAP_CANDIDATE, X },
	/* none */
	{ "https://example.com/", NULL, UNWRAP_CANDIDATE, NULL },
	{ "https://example.com/?url=/login", NULL, UNWRAP_CANDIDATE, NULL },
	{ "https://example.com/?url=index.html", NULL, UNWRAP_CANDIDATE, NULL },
	{ "https://example.com/http/https.html", NULL, UNWRAP_CANDIDATE, NULL },
	{ "https://bit.ly/", NULL, UNWRAP_CANDIDATE, NULL },
	{ "https://notbit.ly/x", NULL, UNWRAP_CANDIDATE, NULL },
	{ "https://www.google.com/search?q=weather", NULL, UNWRAP_CANDIDATE, NULL },
	{ "https://www.google.com.evil.example.net/url?q=index", NULL, UNWRAP_CANDIDATE, NULL },
	{ "mailto:a@b.c", NULL, UNWRAP_CANDIDATE, NULL },
	{ "https://eur01.safelinks.protection.outlook.com/?url=http%3A%2F%2F", NULL, UNWRAP_CANDIDATE, NULL },
};

static void each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		struct arena      arena = arena_on(memory, sizeof memory);
		struct url        url;
		struct unwrap     found;
		assert_int_equal(url_parse(slice_str(row->url), NULL, &arena, &url), RC_OK);
		assert_int_equal(unwrap_url(&url, &arena, &found), RC_OK);
		if (found.count != (row->by != NULL))
			fail_msg("%s: %zu targets", row->url, found.count);
		if (row->by == NULL)
			continue;
		const struct unwrap_target *target = &found.items[0];
		if (strcmp(target->by, row->by) != 0 || target->kind != row->kind || target->has_url != (row->target != NULL))
			fail_msg("%s: %s", row->url, target->by);
		if (row->target != NULL && !slice_eq(target->url.href, slice_str(row->target)))
			fail_msg("%s: %.*s", row->url, (int)target->url.href.len, (const char *)target->url.href.ptr);
	}
}

static void nested(void **state)
{
	const struct slice text = SLICE("https://a.safelinks.protection.outlook.com/?url="
	                                "https%3A%2F%2Fwww.google.com%2Furl%3Fq%3Dhttps%253A%252F%252Ft.cn%252Fabc");
	struct arena       arena = arena_on(memory, sizeof memory);
	struct url         url;
	struct unwrap      found;

	(void)state;
	assert_int_equal(url_parse(text, NULL, &arena, &url), RC_OK);
	assert_int_equal(unwrap_url(&url, &arena, &found), RC_OK);
	assert_int_equal(found.count, 3);
	assert_string_equal(found.items[1].by, "google");
	assert_true(slice_eq(found.items[1].url.href, SLICE("https://t.cn/abc")));
	assert_int_equal(found.items[1].parent, 0);
	assert_int_equal(found.items[2].kind, UNWRAP_SHORTENER);
	assert_int_equal(found.items[2].depth, 3);
	assert_false(found.cut);
}

/* One target in the next, `depth` deep: each host another, so that none is met twice. */
static struct slice nest(size_t depth, uint8_t *room)
{
	size_t size = 0;

	for (size_t i = 0; i <= depth; i++) {
		memcpy(room + size, "http://a0.example/", 18);
		room[size + 8] = (uint8_t)('0' + i);
		size += 18;
	}
	return slice_of(room, size);
}

static void deepest(void **state)
{
	static uint8_t text[1024];

	(void)state;
	for (size_t depth = UNWRAP_DEPTH_MAX - 1; depth <= UNWRAP_DEPTH_MAX + 1; depth++) {
		struct arena  arena = arena_on(memory, sizeof memory);
		struct url    url;
		struct unwrap found;
		assert_int_equal(url_parse(nest(depth, text), NULL, &arena, &url), RC_OK);
		assert_int_equal(unwrap_url(&url, &arena, &found), RC_OK);
		assert_int_equal(found.cut, depth > UNWRAP_DEPTH_MAX);
		assert_int_equal(found.count, depth < UNWRAP_DEPTH_MAX ? depth : UNWRAP_DEPTH_MAX);
	}
}

static void most(void **state)
{
	static uint8_t text[2048];

	(void)state;
	for (size_t count = UNWRAP_TARGETS_MAX - 1; count <= UNWRAP_TARGETS_MAX + 1; count++) {
		struct arena  arena = arena_on(memory, sizeof memory);
		struct url    url;
		struct unwrap found;
		size_t        size = 0;
		memcpy(text, "http://a.example/?", 18);
		size = 18;
		for (size_t i = 0; i < count; i++) {
			memcpy(text + size, "&x=http://b0.example/", 21);
			text[size + 11] = (uint8_t)('a' + i);
			size += 21;
		}
		assert_int_equal(url_parse(slice_of(text, size), NULL, &arena, &url), RC_OK);
		assert_int_equal(unwrap_url(&url, &arena, &found), RC_OK);
		assert_int_equal(found.cut, count > UNWRAP_TARGETS_MAX);
		assert_int_equal(found.count, count < UNWRAP_TARGETS_MAX ? count : UNWRAP_TARGETS_MAX);
	}
}

/* A URL at the limit is looked into, a longer one is not. */
static void longest(void **state)
{
	static uint8_t text[UNWRAP_URL_MAX + 1];

	(void)state;
	for (size_t size = UNWRAP_URL_MAX - 1; size <= UNWRAP_URL_MAX + 1; size++) {
		struct arena  arena = arena_on(memory, sizeof memory);
		struct url    url;
		struct unwrap found;
		memset(text, 'a', sizeof text);
		memcpy(text, "http://a.example/?x=http://b.example/&", 38);
		assert_int_equal(url_parse(slice_of(text, size), NULL, &arena, &url), RC_OK);
		assert_int_equal(unwrap_url(&url, &arena, &found), RC_OK);
		assert_int_equal(found.count, size <= UNWRAP_URL_MAX);
		assert_int_equal(found.cut, size > UNWRAP_URL_MAX);
	}
}

static void small_arenas(void **state)
{
	static uint8_t     small[65536];
	const struct slice text = slice_str(rows[1].url);

	(void)state;
	for (size_t size = 5000;; size += 100) {
		struct arena  arena = arena_on(memory, sizeof memory), work = arena_on(small, size);
		struct url    url;
		struct unwrap found;
		assert_int_equal(url_parse(text, NULL, &arena, &url), RC_OK);
		const enum rc rc = unwrap_url(&url, &work, &found);
		if (rc == RC_OK) {
			assert_int_equal(found.count, 1);
			break;
		}
		assert_int_equal(rc, RC_NOMEM);
		assert_true(size < sizeof small);
	}
}

int main(void)
{
	const struct CMUnitTest all[] = { cmocka_unit_test(each_row), cmocka_unit_test(nested),  cmocka_unit_test(deepest),
		                          cmocka_unit_test(most),     cmocka_unit_test(longest), cmocka_unit_test(small_arenas) };

	return cmocka_run_group_tests(all, NULL, NULL);
}
