/* Tests of the list of digests: each line's form, doubles, order, names at their bound. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "signature/hashes.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "BBbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void lines_are_read_or_refused(void **state)
{
	static const struct {
		const char *name, *text;
		enum rc     rc;
		size_t      line, count;
	} rows[] = {
		{ "nothing", "", RC_OK, 0, 0 },
		{ "a comment and blanks", "# one\n\n   \n\t\r\n", RC_OK, 0, 0 },
		{ "one", A "\n", RC_OK, 0, 1 },
		{ "without a last line end", A, RC_OK, 0, 1 },
		{ "CRLF, and a name", A "  known bad.exe\r\n" B "\tother\r\n", RC_OK, 0, 2 },
		{ "the same twice", A " first\n" A " second\n", RC_OK, 0, 1 },
		{ "63 digits", "\n" "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", RC_SYNTAX, 2, 0 },
		{ "65 digits", A "a\n", RC_SYNTAX, 1, 0 },
		{ "no digit", A "\n# x\nzaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", RC_SYNTAX, 3, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct hashes *hashes = NULL;
		size_t         line = 99;
		const enum rc  rc = hashes_read(slice_str(rows[i].text), &hashes, &line);

		if (rc != rows[i].rc || line != rows[i].line || (rc == RC_OK && hashes_count(hashes) != rows[i].count))
			fail_msg("%s: %s, line %zu", rows[i].name, rc_word(rc), line);
		hashes_drop(&hashes);
	}
}

static void what_stands_in_it_is_found(void **state)
{
	struct buf     text = buf_make(1u << 20);
	struct hashes *hashes = NULL;
	struct slice   name;
	size_t         line;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct digest digest;

		digest_of(&(struct slice){ (const uint8_t *)&i, sizeof i }, 1, &digest);
		buf_put_hex(&text, slice_of(digest.bytes, DIGEST_SIZE));
		buf_printf(&text, " number %u\n", i);
	}
	assert_int_equal(hashes_read(buf_slice(&text), &hashes, &line), RC_OK);
	assert_int_equal(hashes_count(hashes), 1000);
	for (unsigned i = 0; i < 2000; i++) {
		struct digest digest;
		struct buf    wanted = buf_make(100);

		digest_of(&(struct slice){ (const uint8_t *)&i, sizeof i }, 1, &digest);
		buf_printf(&wanted, "number %u", i);
		assert_int_equal(hashes_find(hashes, &digest, &name), i < 1000);
		assert_true(i >= 1000 || slice_eq(name, buf_slice(&wanted)));
		buf_done(&wanted);
	}
	hashes_drop(&hashes);
	buf_done(&text);
}

static void names_are_cut_between_characters(void **state)
{
	(void)state;
	for (size_t size = HASHES_NAME_MAX - 4; size <= HASHES_NAME_MAX + 2; size++) {
		struct buf     text = buf_make(1000);
		struct hashes *hashes = NULL;
		struct digest  digest;
		struct slice   name;
		size_t         line;

		memset(digest.bytes, 0xaa, DIGEST_SIZE);
		buf_put_str(&text, A " ");
		for (size_t i = 0; i < size; i++)
			buf_put_byte(&text, 'n');
		buf_put_str(&text, "\xe9\x93\xb6"); /* three bytes */
		assert_int_equal(hashes_read(buf_slice(&text), &hashes, &line), RC_OK);
		assert_true(hashes_find(hashes, &digest, &name));
		assert_int_equal(name.len, size + 3 <= HASHES_NAME_MAX ? size + 3 : size <= HASHES_NAME_MAX ? size : HASHES_NAME_MAX);
		hashes_drop(&hashes);
		buf_done(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read_or_refused),
		cmocka_unit_test(what_stands_in_it_is_found),
		cmocka_unit_test(names_are_cut_between_characters),
	};

	return digest_ready() == RC_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
