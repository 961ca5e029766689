/* Links in text: what is found where and how it reads, what is none, how sure it is, two readings, and the bounds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "link/find.h"
#include "link/ready.h"

static uint8_t             memory[16 << 20];
static struct suffix_list *list;

struct row {
	const char *name;
	const char *text;
	const char *found; /* "text>written", joined with "|"; the first part left out where both are equal */
	enum link_certainty certainty; /* of the first */
	uint32_t            flags;     /* of the first */
};

#define NS LINK_NO_SCHEME

static const struct row rows[] = {
	{ "a link in a sentence", "see http://example.com/a.", "http://example.com/a", LINK_SURE, 0 },
	{ "in brackets", "(http://example.com/a_(b))", "http://example.com/a_(b)", LINK_SURE, 0 },
	{ "in quotes", "\"http://example.com/a\"", "http://example.com/a", LINK_SURE, 0 },
	{ "between angle brackets", "<http://example.com/a;b.>", "http://example.com/a;b.", LINK_SURE, 0 },
	{ "over lines in angle brackets", "<http://example.com/a\r\nb/c>", "http://example.com/a\r\nb/c>http://example.com/ab/c",
	  LINK_SURE, LINK_FOLDED },
	{ "www", "go to www.example.com now", "www.example.com>http://www.example.com", LINK_SURE, NS },
	{ "a bare domain", "go to example.com, now", "example.com>http://example.com", LINK_SURE, NS },
	{ "a bare domain with a path", "example.co.uk/a?b", "example.co.uk/a?b>http://example.co.uk/a?b", LINK_SURE, NS },
	{ "an address", "mail joe.b+c@example.org.", "joe.b+c@example.org>mailto:joe.b+c@example.org", LINK_SURE, NS },
	{ "mailto", "mailto:a@b.de?subject=x", "mailto:a@b.de?subject=x", LINK_SURE, 0 },
	{ "a number", "tel:+86-10-6552-9988.", "tel:+86-10-6552-9988", LINK_SURE, 0 },
	{ "a scheme of a messenger", "weixin://dl/business/?t=abc", "weixin://dl/business/?t=abc", LINK_SURE, 0 },
	{ "a file server", "file://host/share/x.exe", "file://host/share/x.exe", LINK_SURE, 0 },
	{ "Chinese around", "\xe8\xaf\xb7\xe8\xae\xbf\xe9\x97\xaewww.baidu.com\xe6\x9f\xa5\xe7\x9c\x8b",
	  "www.baidu.com>http://www.baidu.com", LINK_SURE, NS | LINK_ADJACENT },
	{ "Chinese and a bare domain", "\xe8\xae\xbf\xe9\x97\xae" "baidu.com\xe3\x80\x82\xe7\xbb\x93\xe6\x9d\x9f", "baidu.com>http://baidu.com",
	  LINK_SURE, NS | LINK_ADJACENT },
	{ "a Chinese top domain", "\xe4\xbe\x8b\xe5\xad\x90.\xe4\xb8\xad\xe5\x9b\xbd\xe8\xaf\xb7",
	  "\xe4\xbe\x8b\xe5\xad\x90.\xe4\xb8\xad\xe5\x9b\xbd>http://\xe4\xbe\x8b\xe5\xad\x90.\xe4\xb8\xad\xe5\x9b\xbd", LINK_SURE,
	  NS | LINK_ADJACENT },
	{ "Chinese behind a path", "http://a.cn/b1\xe8\xaf\xb7",
	  "http://a.cn/b1|http://a.cn/b1\xe8\xaf\xb7", LINK_SURE, LINK_ADJACENT },
	{ "full-width", "\xef\xbd\x97\xef\xbd\x97\xef\xbd\x97\xef\xbc\x8e\xef\xbd\x81\xef\xbc\x8e\xef\xbd\x83\xef\xbd\x8e",
	  "\xef\xbd\x97\xef\xbd\x97\xef\xbd\x97\xef\xbc\x8e\xef\xbd\x81\xef\xbc\x8e\xef\xbd\x83\xef\xbd\x8e>http://www.a.cn", LINK_GUESS,
	  NS | LINK_WIDE },
	{ "ideographic stops for dots", "www\xe3\x80\x82" "baidu\xe3\x80\x82" "com",
	  "www\xe3\x80\x82" "baidu\xe3\x80\x82" "com>http://www.baidu.com", LINK_GUESS, NS | LINK_WIDE },
	{ "brackets around dots", "evil[.]example[.]com", "evil[.]example[.]com>http://evil.example.com", LINK_GUESS, NS | LINK_DOT_WORD },
	{ "dots as words", "evil dot example dot com!", "evil dot example dot com>http://evil.example.com", LINK_GUESS,
	  NS | LINK_DOT_WORD | LINK_SPACED },
	{ "dots as words in brackets", "evil (dot) com", "evil (dot) com>http://evil.com", LINK_GUESS, NS | LINK_DOT_WORD | LINK_SPACED },
	{ "a Chinese word for dot", "baidu\xe7\x82\xb9" "com", "baidu\xe7\x82\xb9" "com>http://baidu.com", LINK_GUESS, NS | LINK_DOT_WORD },
	{ "spaces around dots", "www . example . com . Then", "www . example . com>http://www.example.com", LINK_GUESS, NS | LINK_SPACED },
	{ "a country behind com", "www . example . com . cn", "www . example . com . cn>http://www.example.com.cn", LINK_GUESS, NS | LINK_SPACED },
	{ "spaces between letters", "w w w . b a i d u . c o m", "w w w . b a i d u . c o m>http://www.baidu.com", LINK_GUESS, NS | LINK_SPACED },
	{ "hxxp", "hxxps://evil.com/x", "hxxps://evil.com/x>https://evil.com/x", LINK_GUESS, LINK_FAKE_SCHEME },
	{ "hxxp and brackets", "hxxp[:]//evil[.]com/x", "hxxp[:]//evil[.]com/x>http://evil.com/x", LINK_GUESS, LINK_FAKE_SCHEME | LINK_DOT_WORD },
	{ "stars in the scheme", "h**p://evil.com", "h**p://evil.com>http://evil.com", LINK_GUESS, LINK_FAKE_SCHEME },
	{ "a slash in brackets", "hxxp://evil.com[/]x", "hxxp://evil.com[/]x>http://evil.com/x", LINK_GUESS, LINK_FAKE_SCHEME | LINK_DOT_WORD },
	{ "no colon", "http//evil.com/x", "http//evil.com/x>http://evil.com/x", LINK_GUESS, LINK_FAKE_SCHEME },
	{ "a Chinese name before the at sign", "\xe5\xbc\xa0\xe4\xb8\x89@a.cn", "\xe5\xbc\xa0\xe4\xb8\x89@a.cn>mailto:\xe5\xbc\xa0\xe4\xb8\x89@a.cn",
	  LINK_SURE, NS },
	{ "letters of mathematics", "\xf0\x9d\x90\x9a\xf0\x9d\x90\x9b.cn", "\xf0\x9d\x90\x9a\xf0\x9d\x90\x9b.cn>http://ab.cn", LINK_GUESS,
	  NS | LINK_WIDE },
	{ "an address in words", "joe [at] example [dot] com", "joe [at] example [dot] com>mailto:joe@example.com", LINK_GUESS,
	  NS | LINK_AT_WORD | LINK_DOT_WORD | LINK_SPACED },
	{ "invisible characters", "www.exa\xe2\x80\x8bmple.com", "www.exa\xe2\x80\x8bmple.com>http://www.example.com", LINK_SURE,
	  NS | LINK_INVISIBLE },
	{ "a bare number", "at 192.0.2.7 now", "192.0.2.7>http://192.0.2.7", LINK_LIKELY, NS },
	{ "a number with a scheme", "http://0x7f.1/", "http://0x7f.1/", LINK_SURE, 0 },
	{ "IPv6", "http://[2001:db8::1]:8080/x", "http://[2001:db8::1]:8080/x", LINK_SURE, 0 },
	{ "a user name", "http://paypal.com@evil.com:80/", "http://paypal.com@evil.com:80/", LINK_SURE, 0 },
	{ "backslashes", "http:\\\\evil.com\\x", "http:\\\\evil.com\\x", LINK_SURE, 0 },
	{ "a port", "example.com:8080/x", "example.com:8080/x>http://example.com:8080/x", LINK_SURE, NS },
	{ "a colon and no port", "example.com: yes", "example.com>http://example.com", LINK_SURE, NS },
	{ "two sentences", "it is done.It was", "done.It>http://done.It", LINK_GUESS, NS | LINK_SENTENCE },
	{ "perhaps a file", "read README.md", "README.md>http://README.md", LINK_LIKELY, NS | LINK_FILE_NAME },
	{ "without a scheme but slashes", "//example.com/x", "//example.com/x>http://example.com/x", LINK_SURE, NS },
	{ "the word at", "meet at example.com", "example.com>http://example.com", LINK_SURE, NS },
	{ "a space behind www", "www. example.com", "www. example.com>http://www.example.com", LINK_GUESS, NS | LINK_SPACED },
	{ "two links", "http://a.cn,http://b.cn", "http://a.cn|http://b.cn", LINK_SURE, 0 },
	{ "letters before the scheme", "xhttp://a.cn", "http://a.cn", LINK_SURE, LINK_IN_WORD },
	{ "ftp", "ftp.example.com", "ftp.example.com>ftp://ftp.example.com", LINK_SURE, NS },
	/* none */
	{ "no text", "", "", 0, 0 },
	{ "no registry", "foo.bar1 a.php index.html", "", 0, 0 },
	{ "a version", "1.2.3 and 1.2.3.4.5", "", 0, 0 },
	{ "a number too large", "1.2.3.400", "", 0, 0 },
	{ "two dots", "xyz..example.com", "", 0, 0 },
	{ "a hyphen at the end of a label", "foo-.example.com", "", 0, 0 },
	{ "an underscore where one registers", "www.ex_ample.com", "", 0, 0 },
	{ "an address without a top domain", "joe@localhost", "", 0, 0 },
	{ "a scheme alone", "http:// and http://.", "", 0, 0 },
	{ "a path", "/usr/lib/x.pl", "", 0, 0 },
	{ "a dot with spaces before a name", "the end . www.example.com", "www.example.com>http://www.example.com", LINK_SURE, NS },
	{ "the word dot", "the dot product", "", 0, 0 },
	{ "a dot and a space", "it is done. In the end.\xc2\xa0 It", "", 0, 0 },
	{ "Chinese sentences", "\xe5\xa5\xbd\xe3\x80\x82\xe8\xaf\xb7", "", 0, 0 },
	{ "no UTF-8", "\xff.\xff@\xe3\x80.com", "", 0, 0 },
};

static size_t join(struct link_finder *finder, struct arena *arena, char *out, struct link_found *first, struct slice text)
{
	struct link_found found;
	size_t            size = 0, count = 0;

	while (link_find_next(finder, arena, &found) == RC_OK) {
		const struct slice there = slice_cut(text, found.offset, found.size);
		if (count++ == 0)
			*first = found;
		else
			out[size++] = '|';
		if (!slice_eq(there, found.written)) {
			memcpy(out + size, there.ptr, there.len);
			size += there.len;
			out[size++] = '>';
		}
		memcpy(out + size, found.written.ptr, found.written.len);
		size += found.written.len;
	}
	out[size] = '\0';
	return count;
}

static void each_row(void **state)
{
	static char out[4096];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arena        arena = arena_on(memory, sizeof memory);
		struct link_finder *finder;
		struct link_found   first = { .certainty = LINK_GUESS };
		const struct slice  text = slice_str(rows[i].text);
		assert_int_equal(link_find_open(text, list, &arena, &finder), RC_OK);
		const size_t count = join(finder, &arena, out, &first, text);
		if (strcmp(out, rows[i].found) != 0)
			fail_msg("%s: %s", rows[i].name, out);
		if (count != 0 && (first.certainty != rows[i].certainty || first.flags != rows[i].flags))
			fail_msg("%s: certainty %d, flags %#x", rows[i].name, first.certainty, first.flags);
	}
}

/* A long line that was broken: the link to its end first, the longer reading as a guess behind it. */
static void broken_line(void **state)
{
	const struct slice  text = SLICE("See the report at https://example.com/a/very/long/path/that/was/broken/here-\r\nand-goes-on");
	struct arena        arena = arena_on(memory, sizeof memory);
	struct link_finder *finder;
	struct link_found   found;

	(void)state;
	assert_int_equal(link_find_open(text, list, &arena, &finder), RC_OK);
	assert_int_equal(link_find_next(finder, &arena, &found), RC_OK);
	assert_true(slice_ends(found.url.href, SLICE("/here-")));
	assert_int_equal(link_find_next(finder, &arena, &found), RC_OK);
	assert_true(slice_ends(found.url.href, SLICE("/here-and-goes-on")));
	assert_int_equal(found.flags, LINK_LONGER | LINK_FOLDED);
	assert_int_equal(found.certainty, LINK_GUESS);
	assert_int_equal(link_find_next(finder, &arena, &found), RC_CLOSED);
	assert_int_equal(link_find_next(finder, &arena, &found), RC_CLOSED);
}

/* Characters of a path at the limit, one below and one above. */
static void longest(void **state)
{
	static uint8_t text[2 * LINK_CHARACTERS_MAX];

	(void)state;
	for (size_t path = LINK_CHARACTERS_MAX - 1; path <= LINK_CHARACTERS_MAX + 1; path++) {
		struct arena        arena = arena_on(memory, sizeof memory);
		struct link_finder *finder;
		struct link_found   found;
		memset(text, 'a', sizeof text);
		memcpy(text, "http://example.com/", 19);
		assert_int_equal(link_find_open(slice_of(text, 18 + path), list, &arena, &finder), RC_OK);
		assert_int_equal(link_find_next(finder, &arena, &found), RC_OK);
		assert_int_equal(found.size, 18 + (path < LINK_CHARACTERS_MAX ? path : LINK_CHARACTERS_MAX));
		assert_int_equal((found.flags & LINK_CUT) != 0, path >= LINK_CHARACTERS_MAX);
	}
}

/* The same link at every place over two windows is found there. */
static void every_place(void **state)
{
	static uint8_t text[20000];

	(void)state;
	for (size_t place = 0; place < 18000; place += 97) {
		struct arena        arena = arena_on(memory, sizeof memory);
		struct link_finder *finder;
		struct link_found   found;
		for (size_t i = 0; i < sizeof text; i++)
			text[i] = i % 7 == 6 ? ' ' : i % 50 == 3 ? '.' : 'a';
		memcpy(text + place, " www.example.com/x ", 19);
		assert_int_equal(link_find_open(slice_of(text, sizeof text), list, &arena, &finder), RC_OK);
		bool seen = false;
		while (link_find_next(finder, &arena, &found) == RC_OK)
			seen |= found.offset == place + 1 && found.size == 17;
		if (!seen)
			fail_msg("not at %zu", place);
	}
}

static void small_arenas(void **state)
{
	const struct slice text = SLICE("http://example.com/a and www.example.org");

	(void)state;
	for (size_t size = 64, count = 0; count < 2; size += 1024) {
		struct arena        arena = arena_on(memory, size);
		struct link_finder *finder;
		struct link_found   found;
		count = 0;
		enum rc rc = link_find_open(text, list, &arena, &finder);
		while (rc == RC_OK && (rc = link_find_next(finder, &arena, &found)) == RC_OK)
			count++;
		assert_true(rc == RC_NOMEM || (rc == RC_CLOSED && count == 2));
		assert_true(size < 1 << 20);
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
	const struct CMUnitTest all[] = { cmocka_unit_test(each_row), cmocka_unit_test(broken_line), cmocka_unit_test(longest),
		                          cmocka_unit_test(every_place), cmocka_unit_test(small_arenas) };

	return cmocka_run_group_tests(all, open_list, close_list);
}
