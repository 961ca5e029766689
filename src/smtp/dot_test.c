/*
 * Dots and line ends. Rows are fed whole and split at each byte, and with 0 to 130 bytes of text in front, so that each
 * row meets every place of a block. A plain byte-by-byte reader, written another way, is asked the same about random
 * bytes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "smtp/dot.h"

struct row {
	const char         *name;
	enum smtp_line_ends line_ends;
	struct slice        input;
	struct slice        expected;
	enum rc             rc;
	size_t              left;
};

#define IN(text)                                              \
	{                                                     \
		(const uint8_t *)"" text "", sizeof(text) - 1 \
	}
#define STRICT  SMTP_LINE_ENDS_REFUSE
#define LENIENT SMTP_LINE_ENDS_NORMALISE

static const struct row decoded[] = {
	{ "a line", STRICT, IN("Hi\r\n.\r\nQUIT"), IN("Hi\r\n"), RC_CLOSED, 4 },
	{ "nothing", STRICT, IN(".\r\n"), IN(""), RC_CLOSED, 0 },
	{ "an empty line", STRICT, IN("\r\n.\r\n"), IN("\r\n"), RC_CLOSED, 0 },
	{ "a doubled dot", STRICT, IN("..\r\n.\r\n"), IN(".\r\n"), RC_CLOSED, 0 },
	{ "a dot taken out", STRICT, IN(".x\r\n.\r\n"), IN("x\r\n"), RC_CLOSED, 0 },
	{ "dots inside a line", STRICT, IN("a.b\r\n.\r\n"), IN("a.b\r\n"), RC_CLOSED, 0 },
	{ "not whole", STRICT, IN("a\r\n."), IN("a\r\n"), RC_AGAIN, 0 },
	{ "not whole either", STRICT, IN("a\r\n.\r"), IN("a\r\n"), RC_AGAIN, 0 },
	{ "bare LF", STRICT, IN("a\nb\r\n.\r\n"), IN("a"), RC_SYNTAX, 7 },
	{ "bare CR", STRICT, IN("a\rb\r\n.\r\n"), IN("a"), RC_SYNTAX, 0 },
	{ "NUL", STRICT, IN("a\0b\r\n.\r\n"), IN("a"), RC_SYNTAX, 0 },
	{ "LF . LF", STRICT, IN("a\n.\nb\r\n.\r\n"), IN("a"), RC_SYNTAX, 0 },
	{ "CRLF . LF", STRICT, IN("a\r\n.\nb\r\n.\r\n"), IN("a\r\n"), RC_SYNTAX, 0 },
	{ "CRLF . CR", STRICT, IN("a\r\n.\rb\r\n.\r\n"), IN("a\r\n"), RC_SYNTAX, 0 },
	{ "CRLF . CR CRLF", STRICT, IN("a\r\n.\r\r\n.\r\n"), IN("a\r\n"), RC_SYNTAX, 0 },
	{ "CRLF NUL . CRLF", STRICT, IN("a\r\n\0.\r\n.\r\n"), IN("a\r\n"), RC_SYNTAX, 0 },
	{ "CR CR LF", STRICT, IN("a\r\r\n.\r\n"), IN("a"), RC_SYNTAX, 0 },
	{ "bare LF borne with", LENIENT, IN("a\nb\r\n.\r\n"), IN("a\r\nb\r\n"), RC_CLOSED, 0 },
	{ "LF . LF is text", LENIENT, IN("a\n.\nb\r\n.\r\n"), IN("a\r\n.\r\nb\r\n"), RC_CLOSED, 0 },
	{ "LF . CRLF is text", LENIENT, IN("a\n.\r\nb\r\n.\r\n"), IN("a\r\n.\r\nb\r\n"), RC_CLOSED, 0 },
	{ "CRLF . LF is text", LENIENT, IN("a\r\n.\nb\r\n.\r\n"), IN("a\r\n.\r\nb\r\n"), RC_CLOSED, 0 },
	{ "LF .. is a dot", LENIENT, IN("a\n..b\n\r\n.\r\n"), IN("a\r\n.b\r\n\r\n"), RC_CLOSED, 0 },
	{ "LF LF", LENIENT, IN("a\n\n\r\n.\r\n"), IN("a\r\n\r\n\r\n"), RC_CLOSED, 0 },
	{ "bare CR is still refused", LENIENT, IN("a\rb\r\n.\r\n"), IN("a"), RC_SYNTAX, 0 },
	{ "LF . CR is still refused", LENIENT, IN("a\n.\rb\r\n.\r\n"), IN("a\r\n"), RC_SYNTAX, 0 },
	{ "NUL is still refused", LENIENT, IN("a\0\r\n.\r\n"), IN("a"), RC_SYNTAX, 0 },
};

static enum rc decode_all(struct smtp_dot_decoder *decoder, struct slice *input, struct buf *out)
{
	struct slice run;
	enum rc      rc;

	while ((rc = smtp_dot_decode(decoder, input, &run)) == RC_OK) {
		assert_true(run.len != 0);
		buf_put(out, run);
	}
	return rc;
}

/* What was taken in unchanged goes out, unlooked at, as the bytes that came. */
static void check_unchanged(const struct smtp_dot_decoder *decoder, struct slice taken, struct slice out)
{
	const bool              same = taken.len == out.len + 3 && slice_eq(slice_take(taken, out.len), out);
	struct smtp_dot_encoder encoder;
	struct slice            run, end;

	assert_int_equal(smtp_dot_unchanged(decoder), same);
	if (!same)
		return;
	smtp_dot_encoder_init(&encoder, STRICT);
	smtp_dot_encode_unchanged(&encoder, &out, &run);
	assert_int_equal(out.len, 0);
	assert_true(slice_eq(run, slice_take(taken, taken.len - 3)));
	assert_int_equal(smtp_dot_encode_end(&encoder, &end), RC_OK);
	assert_true(slice_eq(end, slice_drop(taken, taken.len - 3)));
}

static void check_decoded(const struct row *row, size_t padding, size_t cut)
{
	struct buf              text = buf_make(1000), out = buf_make(1000), wanted = buf_make(1000);
	struct smtp_dot_decoder decoder;

	for (size_t i = 0; i < padding; i++)
		buf_put_byte(&text, 'p');
	buf_put_str(&text, "\r\n");
	buf_put(&wanted, buf_slice(&text));
	buf_put(&wanted, row->expected);
	buf_put(&text, row->input);
	smtp_dot_decoder_init(&decoder, row->line_ends, 0);
	struct slice first = slice_take(buf_slice(&text), cut), second = slice_drop(buf_slice(&text), cut);
	struct slice input = first;
	enum rc      rc = decode_all(&decoder, &input, &out);
	if (rc == RC_AGAIN) {
		assert_int_equal(input.len, 0);
		input = second;
		rc = decode_all(&decoder, &input, &out);
	}
	if (rc != row->rc || !slice_eq(buf_slice(&out), buf_slice(&wanted)))
		fail_msg("%s, %zu in front, cut at %zu: %d %.*s", row->name, padding, cut, rc, (int)out.len,
		         (char *)out.ptr);
	if (rc == RC_CLOSED && cut == text.len) {
		assert_int_equal(input.len, row->left);
		check_unchanged(&decoder, slice_take(buf_slice(&text), text.len - row->left), buf_slice(&out));
	}
	if (rc != RC_CLOSED)
		assert_false(smtp_dot_unchanged(&decoder));
	/* A refused body is swallowed up to its genuine end, and no further. */
	if (rc == RC_SYNTAX && cut == text.len) {
		assert_int_equal(smtp_dot_swallow(&decoder, &input), RC_CLOSED);
		assert_int_equal(input.len, 0);
	}
	buf_done(&text);
	buf_done(&out);
	buf_done(&wanted);
}

static void test_decode(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof decoded / sizeof decoded[0]; i++) {
		for (size_t padding = 0; padding < 131; padding++) {
			const size_t size = padding + 2 + decoded[i].input.len;
			check_decoded(&decoded[i], padding, size);
			for (size_t cut = padding < 3 ? 0 : padding; cut < size; cut++)
				check_decoded(&decoded[i], padding, cut);
		}
	}
}

static void test_line_bound(void **state)
{
	(void)state;
	for (size_t max = 1; max < 200; max++) {
		for (size_t size = max - 1; size <= max + 1; size++) {
			for (size_t cut = 0; cut <= size + 2; cut++) {
				struct buf              text = buf_make(1000), out = buf_make(1000);
				struct smtp_dot_decoder decoder;
				for (size_t i = 0; i < size; i++)
					buf_put_byte(&text, 'x');
				buf_put_str(&text, "\r\n.\r\n");
				smtp_dot_decoder_init(&decoder, STRICT, max);
				struct slice input = slice_take(buf_slice(&text), cut);
				enum rc      rc = decode_all(&decoder, &input, &out);
				if (rc == RC_AGAIN) {
					input = slice_drop(buf_slice(&text), cut);
					rc = decode_all(&decoder, &input, &out);
				}
				if (rc != (size <= max ? RC_CLOSED : RC_LIMIT))
					fail_msg("line of %zu, bound %zu, cut at %zu: %d", size, max, cut, rc);
				buf_done(&text);
				buf_done(&out);
			}
		}
	}
}

/* The same where the long line is not the first of its block. */
static void test_second_line_bound(void **state)
{
	(void)state;
	for (size_t size = 38; size <= 42; size++) {
		struct buf              text = buf_make(1000), out = buf_make(1000);
		struct smtp_dot_decoder decoder;
		buf_put_str(&text, "1\r\n");
		for (size_t i = 0; i < size; i++)
			buf_put_byte(&text, 'x');
		buf_put_str(&text, "\r\n3\r\nand more of it, for a whole block\r\n.\r\n");
		smtp_dot_decoder_init(&decoder, STRICT, 40);
		struct slice input = buf_slice(&text);
		assert_int_equal(decode_all(&decoder, &input, &out), size <= 40 ? RC_CLOSED : RC_LIMIT);
		smtp_dot_decoder_init(&decoder, STRICT, 50);
		input = buf_slice(&text);
		assert_int_equal(decode_all(&decoder, &input, &out), RC_CLOSED);
		buf_done(&text);
		buf_done(&out);
	}
}

/* The genuine end found byte by byte, with a different idea: the last five bytes. */
static void test_swallow(void **state)
{
	static const uint8_t letters[] = "\r\n..\r\nx";
	uint64_t             seed = 1;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		uint8_t bytes[24];
		for (size_t i = 0; i < sizeof bytes; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			bytes[i] = letters[(seed >> 33) % (sizeof letters - 1)];
		}
		size_t expected = sizeof bytes + 1;
		if (slice_starts((struct slice){ bytes, sizeof bytes }, SLICE(".\r\n")))
			expected = 3;
		for (size_t i = 5; i <= sizeof bytes && i < expected; i++) {
			if (memcmp(bytes + i - 5, "\r\n.\r\n", 5) == 0)
				expected = i;
		}
		struct smtp_dot_decoder decoder;
		smtp_dot_decoder_init(&decoder, STRICT, 0);
		const size_t cut = (size_t)(seed >> 40) % sizeof bytes;
		struct slice input = { bytes, cut };
		size_t       taken = 0;
		enum rc      rc = smtp_dot_swallow(&decoder, &input);
		taken = cut - input.len;
		if (rc == RC_AGAIN) {
			input = (struct slice){ bytes + cut, sizeof bytes - cut };
			rc = smtp_dot_swallow(&decoder, &input);
			taken = sizeof bytes - input.len;
		}
		assert_int_equal(rc, expected <= sizeof bytes ? RC_CLOSED : RC_AGAIN);
		if (rc == RC_CLOSED)
			assert_int_equal(taken, expected);
	}
}

static enum rc encode_all(struct smtp_dot_encoder *encoder, struct slice input, struct buf *out)
{
	struct slice run;
	enum rc      rc;

	while ((rc = smtp_dot_encode(encoder, &input, &run)) == RC_OK)
		buf_put(out, run);
	return rc;
}

static const struct row encoded[] = {
	{ "a line", STRICT, IN("Hi\r\n"), IN("Hi\r\n.\r\n"), RC_OK, 0 },
	{ "nothing", STRICT, IN(""), IN(".\r\n"), RC_OK, 0 },
	{ "no last line end", STRICT, IN("Hi"), IN("Hi\r\n.\r\n"), RC_OK, 0 },
	{ "a dot", STRICT, IN("."), IN("..\r\n.\r\n"), RC_OK, 0 },
	{ "dots", STRICT, IN(".\r\n..x\r\na.\r\n"), IN("..\r\n...x\r\na.\r\n.\r\n"), RC_OK, 0 },
	{ "bare LF", STRICT, IN("a\n.\r\n"), IN(""), RC_SYNTAX, 0 },
	{ "bare CR", STRICT, IN("a\r.\r\n"), IN(""), RC_SYNTAX, 0 },
	{ "CR at the end", STRICT, IN("a\r"), IN(""), RC_SYNTAX, 0 },
	{ "NUL", STRICT, IN("a\0\r\n"), IN(""), RC_SYNTAX, 0 },
	{ "bare LF made whole", LENIENT, IN("a\n.\nb\n"), IN("a\r\n..\r\nb\r\n.\r\n"), RC_OK, 0 },
	{ "bare CR made whole", LENIENT, IN("a\r.\rb\r"), IN("a\r\n..\r\nb\r\n.\r\n"), RC_OK, 0 },
	{ "CR CR LF", LENIENT, IN("a\r\r\n.\r\n"), IN("a\r\n\r\n..\r\n.\r\n"), RC_OK, 0 },
	{ "NUL left out, the dot behind it doubled", LENIENT, IN("a\r\n\0.\r\n"), IN("a\r\n..\r\n.\r\n"), RC_OK, 0 },
	{ "NULs only", LENIENT, IN("\0\0"), IN(".\r\n"), RC_OK, 0 },
};

static void test_encode(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof encoded / sizeof encoded[0]; i++) {
		const struct row *row = &encoded[i];
		for (size_t cut = 0; cut <= row->input.len; cut++) {
			struct buf              out = buf_make(1000);
			struct smtp_dot_encoder encoder;
			struct slice            end = { NULL, 0 };
			smtp_dot_encoder_init(&encoder, row->line_ends);
			enum rc rc = encode_all(&encoder, slice_take(row->input, cut), &out);
			if (rc == RC_AGAIN)
				rc = encode_all(&encoder, slice_drop(row->input, cut), &out);
			if (rc == RC_AGAIN)
				rc = smtp_dot_encode_end(&encoder, &end);
			buf_put(&out, end);
			if (rc != row->rc || (rc == RC_OK && !slice_eq(buf_slice(&out), row->expected)))
				fail_msg("%s, cut at %zu: %d %.*s", row->name, cut, rc, (int)out.len, (char *)out.ptr);
			buf_done(&out);
		}
	}
}

/*
 * Random bytes: what the encoder sends holds no stray CR, LF or NUL and ends once; what the strict decoder makes of it
 * is the message, normalised. The slow reader beside it knows no blocks.
 */
static void test_round_trip(void **state)
{
	static const uint8_t letters[] = "abcdefgh....\r\n\r\n\r\n\n\r\0";
	uint64_t             seed = 7;

	(void)state;
	for (unsigned round = 0; round < 4000; round++) {
		uint8_t      bytes[400];
		const size_t size = round % sizeof bytes;
		for (size_t i = 0; i < size; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			const uint64_t die = seed >> 33;
			bytes[i] = round % 3 == 0 || die % 8 == 0 ? letters[(die >> 8) % (sizeof letters - 1)] : 'x';
		}
		struct buf              sent = buf_make(4000), back = buf_make(4000), plain = buf_make(4000);
		struct smtp_dot_encoder encoder;
		struct slice            end;
		const size_t            cut = size == 0 ? 0 : (size_t)(seed >> 40) % size;
		smtp_dot_encoder_init(&encoder, LENIENT);
		assert_int_equal(encode_all(&encoder, (struct slice){ bytes, cut }, &sent), RC_AGAIN);
		assert_int_equal(encode_all(&encoder, (struct slice){ bytes + cut, size - cut }, &sent), RC_AGAIN);
		assert_int_equal(smtp_dot_encode_end(&encoder, &end), RC_OK);
		buf_put(&sent, end);
		for (size_t i = 0; i < sent.len; i++) {
			const bool lf_before = i != 0 && sent.ptr[i - 1] == '\r';
			assert_true(sent.ptr[i] != 0 && (sent.ptr[i] == '\n') == lf_before);
		}
		for (size_t i = 0; i < size; i++) {
			if (bytes[i] == '\r' || (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r')))
				buf_put_str(&plain, "\r\n");
			else if (bytes[i] != '\n' && bytes[i] != '\0')
				buf_put_byte(&plain, bytes[i]);
		}
		if (plain.len != 0 && plain.ptr[plain.len - 1] != '\n')
			buf_put_str(&plain, "\r\n");
		struct smtp_dot_decoder decoder;
		struct slice            input = buf_slice(&sent);
		smtp_dot_decoder_init(&decoder, STRICT, 0);
		assert_int_equal(decode_all(&decoder, &input, &back), RC_CLOSED);
		assert_int_equal(input.len, 0);
		assert_true(slice_eq(buf_slice(&back), buf_slice(&plain)));
		buf_done(&sent);
		buf_done(&back);
		buf_done(&plain);
	}
}

static bool slow_check(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == '\0' || (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r')) ||
		    (bytes[i] == '\r' && (i + 1 == size || bytes[i + 1] != '\n')))
			return false;
	}
	return true;
}

static void test_line_check(void **state)
{
	uint8_t bytes[300];

	(void)state;
	for (size_t at = 0; at + 1 < sizeof bytes; at++) {
		static const char *const changes[] = { "\r\n", "\rx", "x\n", "\0x", "xx", "\r\r", "\n\r" };
		for (size_t change = 0; change < sizeof changes / sizeof changes[0]; change++) {
			memset(bytes, 'x', sizeof bytes);
			memcpy(bytes + at, changes[change], 2);
			const size_t cuts[] = { 0, 1, at, at + 1, at + 2 < sizeof bytes ? at + 2 : 0, 64, 128 };
			for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
				struct smtp_line_check check = { .after_cr = false };
				enum rc                rc = smtp_line_check(&check, (struct slice){ bytes, cuts[i] });
				if (rc == RC_OK)
					rc = smtp_line_check(&check,
					                     (struct slice){ bytes + cuts[i], sizeof bytes - cuts[i] });
				if (rc == RC_OK)
					rc = smtp_line_check_end(&check);
				if ((rc == RC_OK) != slow_check(bytes, sizeof bytes))
					fail_msg("change %zu at %zu, cut %zu", change, at, cuts[i]);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_line_bound),
		cmocka_unit_test(test_second_line_bound),
		cmocka_unit_test(test_swallow),
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_line_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
