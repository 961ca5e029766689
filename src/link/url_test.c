/* URLs as browsers read them: what they write back, what they refuse, what had to be put right, and the bounds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "link/idna.h"
#include "link/url.h"

static uint8_t memory[12 << 20];

struct row {
	const char  *name;
	struct slice text;
	const char  *base;
	const char  *href; /* NULL: refused */
	uint32_t     flags;
};

#define ROW(name, text, href, flags)        { name, SLICE_INIT(text), NULL, href, flags }
#define ON(name, base, text, href)          { name, SLICE_INIT(text), base, href, UINT32_MAX }
#define REFUSED(name, text)                 { name, SLICE_INIT(text), NULL, NULL, 0 }

static const struct row rows[] = {
	ROW("plain", "http://example.com/a?b#c", "http://example.com/a?b#c", 0),
	ROW("letters in any case", "HTTP://EXAMPLE.com/A", "http://example.com/A", 0),
	ROW("the usual port", "https://example.com:443/", "https://example.com/", URL_PORT_GIVEN),
	ROW("another port", "https://example.com:0444", "https://example.com:444/", URL_PORT_GIVEN),
	ROW("an empty port", "http://a.b:/x", "http://a.b/x", URL_PORT_GIVEN),
	ROW("user and password", "http://u:p@a.b/", "http://u:p@a.b/", URL_USERINFO),
	ROW("an empty user", "http://@a.b/", "http://a.b/", URL_USERINFO),
	ROW("a host as user", "http://good.com@evil.com/", "http://good.com@evil.com/", URL_USERINFO),
	ROW("two at signs", "http://a@b@c.d/", "http://a%40b@c.d/", URL_USERINFO | URL_USERINFO_AT),
	ROW("a backslash ends the host", "http://good.com\\@evil.com/", "http://good.com/@evil.com/", URL_BACKSLASH),
	ROW("backslashes all over", "http:\\\\a.b\\c\\d", "http://a.b/c/d", URL_BACKSLASH),
	ROW("no slashes", "https:evil.com", "https://evil.com/", URL_SLASHES),
	ROW("five slashes", "http://///evil.com", "http://evil.com/", URL_SLASHES),
	ROW("tabs and line ends", "ht\ttp://ex\r\nample.com/\n", "http://example.com/", URL_LINE_BREAKS | URL_TRIMMED),
	ROW("blanks around", " \x01http://a.b/ \x1f", "http://a.b/", URL_TRIMMED),
	ROW("dots in the path", "http://a.b/c/../d/./e/..", "http://a.b/d/", 0),
	ROW("encoded dots", "http://a.b/c/%2e%2E/d/%2e", "http://a.b/d/", 0),
	ROW("above the root", "http://a.b/../../c", "http://a.b/c", 0),
	ROW("what is encoded", "http://a.b/ \"<>`{}^?'\"#`", "http://a.b/%20%22%3C%3E%60%7B%7D%5E?%27%22#%60", 0),
	ROW("no UTF-8", "http://a.b/\xff\xe4\xb8", "http://a.b/%EF%BF%BD%EF%BF%BD", URL_INVALID_UTF8),
	ROW("an encoded host", "http://%65xample.com/", "http://example.com/", URL_HOST_ENCODED),
	ROW("a full-width host", "http://\xef\xbd\x85xample\xe3\x80\x82" "com/", "http://example.com/", URL_HOST_MAPPED),
	ROW("letters outside ASCII", "http://b\xc3\xbc" "cher.de/", "http://xn--bcher-kva.de/", URL_HOST_IDN),
	ROW("a number for a host", "http://2130706433/", "http://127.0.0.1/", URL_IPV4_NUMBER),
	ROW("hexadecimal", "http://0x7F.1/", "http://127.0.0.1/", URL_IPV4_NUMBER | URL_IPV4_HEX),
	ROW("octal", "http://0177.0.0.01/", "http://127.0.0.1/", URL_IPV4_NUMBER | URL_IPV4_OCTAL),
	ROW("four numbers", "http://192.0.2.1/", "http://192.0.2.1/", 0),
	ROW("IPv6", "http://[2001:DB8:0:0:0:0:0:1]:8/", "http://[2001:db8::1]:8/", URL_PORT_GIVEN),
	ROW("IPv6 with a tail", "http://[::ffff:1.2.3.4]/", "http://[::ffff:102:304]/", 0),
	ROW("a file", "file:///C|/x", "file:///C:/x", URL_DRIVE_LETTER),
	ROW("a file server", "file://host/share", "file://host/share", 0),
	ROW("this machine", "file://LOCALHOST/x", "file:///x", 0),
	ROW("an address", "mailto:a@b.c?subject=x y", "mailto:a@b.c?subject=x%20y", 0),
	ROW("data", "data:text/html,<b>\xc3\xa9", "data:text/html,<b>%C3%A9", 0),
	ROW("a script", "JAVASCRIPT:alert(1)", "javascript:alert(1)", 0),
	ROW("an ordinary scheme with a host", "git://H/%zz/../y", "git://H/y", 0),
	ROW("no host must not become one", "web+demo:/.//x/", "web+demo:/.//x/", 0),
	ROW("spaces before a query", "x:a  ?b", "x:a %20?b", 0),
	ON("relative", "http://a.b/c/d?e#f", "g", "http://a.b/c/g"),
	ON("a query alone", "http://a.b/c/d?e#f", "?x", "http://a.b/c/d?x"),
	ON("a fragment alone", "mailto:x", "#f", "mailto:x#f"),
	ON("nothing", "http://a.b/c?d#e", "", "http://a.b/c?d"),
	ON("from the root", "http://u:p@a.b:8/c/d", "/x", "http://u:p@a.b:8/x"),
	ON("another host", "https://a.b/c", "//d.e/f", "https://d.e/f"),
	ON("backslashes to another host", "https://a.b/c", "\\\\d.e", "https://d.e/"),
	ON("the same scheme, relative", "http://a.b/c/d", "http:e", "http://a.b/c/e"),
	ON("a file's drive stays", "file:///C:/a", "/x", "file:///C:/x"),
	REFUSED("nothing at all", ""),
	REFUSED("no scheme", "example.com/x"),
	REFUSED("a scheme that begins with a digit", "1http://a.b"),
	REFUSED("no host", "http://"),
	REFUSED("no host before a path", "https:///"),
	REFUSED("a port and no host", "http://:80/"),
	REFUSED("a port above 65,535", "http://a.b:65536/"),
	REFUSED("a port of letters", "http://a.b:8o/"),
	REFUSED("a space in the host", "http://a b/"),
	REFUSED("an encoded slash in the host", "http://a%2fb/"),
	REFUSED("an encoded NUL in the host", "http://a%00b/"),
	REFUSED("a percent sign in the host", "http://a%b/"),
	REFUSED("five numbers", "http://1.2.3.4.5/"),
	REFUSED("a number too large", "http://1.2.3.256/"),
	REFUSED("an octal nine", "http://1.2.3.09/"),
	REFUSED("an IPv6 address without its end", "http://[::1/"),
	REFUSED("an IPv6 address with nine parts", "http://[1:2:3:4:5:6:7:8:9]/"),
	REFUSED("an IPv6 address with two gaps", "http://[1::2::3]/"),
	REFUSED("an IPv6 tail of three", "http://[::1.2.3]/"),
	REFUSED("an IPv6 zone", "http://[fe80::1%25eth0]/"),
	REFUSED("a bad A-label", "http://xn--a/"),
	REFUSED("a soft hyphen for a host", "http://\xc2\xad/"),
	REFUSED("a user and no host", "http://u@/x"),
};

static void each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		struct arena      arena = arena_on(memory, sizeof memory);
		struct url        base, url;
		if (row->base != NULL)
			assert_int_equal(url_parse(slice_str(row->base), NULL, &arena, &base), RC_OK);
		const size_t  used = arena.used;
		const enum rc rc = url_parse(row->text, row->base == NULL ? NULL : &base, &arena, &url);
		if (rc != (row->href == NULL ? RC_SYNTAX : RC_OK))
			fail_msg("%s: %d", row->name, rc);
		if (row->href == NULL) {
			assert_int_equal(arena.used, used);
			continue;
		}
		if (!slice_eq(url.href, slice_str(row->href)))
			fail_msg("%s: %.*s", row->name, (int)url.href.len, (const char *)url.href.ptr);
		if (row->flags != UINT32_MAX && url.flags != row->flags)
			fail_msg("%s: flags %#x", row->name, url.flags);
	}
}

static void parts(void **state)
{
	struct arena arena = arena_on(memory, sizeof memory);
	struct url   url;

	(void)state;
	assert_int_equal(url_parse(SLICE("HTTPS://u:p@Example.com:8443/a/b?c=d#e"), NULL, &arena, &url), RC_OK);
	assert_true(slice_eq(url.scheme, SLICE("https")) && url.special == URL_HTTPS);
	assert_true(slice_eq(url.username, SLICE("u")) && slice_eq(url.password, SLICE("p")));
	assert_true(slice_eq(url.host, SLICE("example.com")) && url.host_kind == URL_HOST_DOMAIN);
	assert_int_equal(url.port, 8443);
	assert_true(slice_eq(url.path, SLICE("/a/b")) && slice_eq(url.query, SLICE("c=d")) && url.has_query);
	assert_true(slice_eq(url.fragment, SLICE("e")) && url.has_fragment && !url.opaque_path);
	assert_int_equal(url_parse(SLICE("mailto:x"), NULL, &arena, &url), RC_OK);
	assert_true(url.opaque_path && url.host_kind == URL_HOST_NONE && url.port == -1);
	assert_int_equal(url_port_usual(URL_WSS), 443);
	assert_int_equal(url_special_of(SLICE("FtP")), URL_FTP);
	assert_int_equal(url_special_of(SLICE("ftps")), URL_ORDINARY);
}

/* Length at the limit, one below and one above. */
static void longest(void **state)
{
	static uint8_t text[URL_BYTES_MAX + 1];

	(void)state;
	memset(text, 'a', sizeof text);
	memcpy(text, "x:", 2);
	for (size_t size = URL_BYTES_MAX - 1; size <= URL_BYTES_MAX + 1; size++) {
		struct arena arena = arena_on(memory, sizeof memory);
		struct url   url;
		assert_int_equal(url_parse(slice_of(text, size), NULL, &arena, &url), size > URL_BYTES_MAX ? RC_LIMIT : RC_OK);
	}
}

/* A host outside ASCII at its limit. */
static void longest_host(void **state)
{
	static uint8_t text[7 + IDNA_BYTES_MAX + 1];

	(void)state;
	memset(text, 'a', sizeof text);
	memcpy(text, "http://", 7);
	for (size_t i = 7; i + 3 <= 7 + IDNA_BYTES_MAX; i += 3)
		memcpy(text + i, "\xef\xbd\x81", 3);
	for (size_t size = IDNA_BYTES_MAX - 1; size <= IDNA_BYTES_MAX + 1; size++) {
		struct arena arena = arena_on(memory, sizeof memory);
		struct url   url;
		assert_int_equal(url_parse(slice_of(text, 7 + size), NULL, &arena, &url),
		                 size > IDNA_BYTES_MAX ? RC_LIMIT : RC_OK);
	}
}

/* An arena too small refuses and keeps what it had; the first that suffices gives the same answer. */
static void small_arenas(void **state)
{
	const struct slice text = SLICE("http://\xc3\xa9.example/\xff \t\xff");

	(void)state;
	for (size_t size = 1;; size += 7) {
		struct arena  arena = arena_on(memory, size);
		struct url    url;
		const enum rc rc = url_parse(text, NULL, &arena, &url);
		if (rc == RC_OK) {
			assert_true(slice_eq(url.href, SLICE("http://xn--9ca.example/%EF%BF%BD%20%EF%BF%BD")));
			break;
		}
		assert_int_equal(rc, RC_NOMEM);
		assert_int_equal(arena.used, 0);
		assert_true(size < 8192);
	}
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(each_row),    cmocka_unit_test(parts),        cmocka_unit_test(longest),
		cmocka_unit_test(longest_host), cmocka_unit_test(small_arenas),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
