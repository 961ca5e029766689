/* Transfer decoding: what comes out, which flaws are told, and that the size of the pieces changes nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/transfer.h"

struct row {
	const char            *name;
	enum transfer_encoding encoding;
	enum transfer_padding  padding;
	struct slice           body;
	struct slice           decoded;
	uint32_t               flaws;
};

#define B64(name, body, decoded, flaws)                                                                        \
	{                                                                                                      \
		name, TRANSFER_BASE64, TRANSFER_PADDING_RESTARTS, SLICE_INIT(body), SLICE_INIT(decoded), flaws \
	}
#define QP(name, body, decoded, flaws)                                                                             \
	{                                                                                                          \
		name, TRANSFER_QUOTED_PRINTABLE, TRANSFER_PADDING_RESTARTS, SLICE_INIT(body), SLICE_INIT(decoded), \
			flaws                                                                                      \
	}
#define UU(name, body, decoded, flaws)                                                                           \
	{                                                                                                        \
		name, TRANSFER_UUENCODE, TRANSFER_PADDING_RESTARTS, SLICE_INIT(body), SLICE_INIT(decoded), flaws \
	}

#define YENC(name, body, decoded, flaws)                                                                     \
	{                                                                                                    \
		name, TRANSFER_YENC, TRANSFER_PADDING_RESTARTS, SLICE_INIT(body), SLICE_INIT(decoded), flaws \
	}
#define HQX(name, body, decoded, flaws)                                                                        \
	{                                                                                                      \
		name, TRANSFER_BINHEX, TRANSFER_PADDING_RESTARTS, SLICE_INIT(body), SLICE_INIT(decoded), flaws \
	}
#define TIGHT(name, body, decoded, flaws)                                                                            \
	{                                                                                                            \
		name, TRANSFER_QUOTED_TIGHT, TRANSFER_PADDING_RESTARTS, SLICE_INIT(body), SLICE_INIT(decoded), flaws \
	}

#define FOREIGN TRANSFER_FLAW_FOREIGN
#define INSIDE  TRANSFER_FLAW_PADDING_INSIDE
#define SHORT   TRANSFER_FLAW_CUT_SHORT
#define ESCAPE  TRANSFER_FLAW_ESCAPE

static const struct row rows[] = {
	B64("nothing", "", "", 0),
	B64("three bytes", "Zm9v", "foo", 0),
	B64("two bytes", "Zm8=", "fo", 0),
	B64("one byte", "Zg==", "f", 0),
	B64("line ends", "Zm9v\r\nYmFy\r\n", "foobar", 0),
	B64("lines of five", "Zm9vY\r\nmFy\r\n", "foobar", 0),
	B64("all values", "////++++", "\xff\xff\xff\xfb\xef\xbe", 0),
	B64("zeros", "AAAA", "\0\0\0", 0),
	B64("a foreign byte", "Zm*9v", "foo", FOREIGN),
	B64("foreign bytes only", "****", "", FOREIGN),
	B64("an 8-bit byte",
	    "Zm9\xff"
	    "v",
	    "foo", FOREIGN | TRANSFER_FLAW_8BIT),
	B64("url letters are foreign", "-_Zm9v", "foo", FOREIGN),
	B64("padding missing", "Zm8", "fo", SHORT),
	B64("one character left over", "Zm9vY", "foo", SHORT),
	B64("padding inside", "Zg==Zm9v", "ffoo", INSIDE),
	B64("padding at each line", "Zg==\r\nbw==\r\n", "fo", INSIDE),
	B64("padding in the middle of a group", "Z=m9v", "\x9b\xdb", INSIDE | SHORT),
	{ "padding ignored", TRANSFER_BASE64, TRANSFER_PADDING_IGNORED, SLICE_INIT("Z=m9v"), SLICE_INIT("foo"),
	  INSIDE },
	{ "padding ends", TRANSFER_BASE64, TRANSFER_PADDING_ENDS, SLICE_INIT("Zg==Zm9v"), SLICE_INIT("f"), INSIDE },
	{ "padding ends, only foreign bytes behind", TRANSFER_BASE64, TRANSFER_PADDING_ENDS, SLICE_INIT("Zg==\r\n--"),
	  SLICE_INIT("f"), 0 },
	YENC("a file", "text\n=ybegin line=128 size=6 name=x\r\n\220\231\231\r\n\214\213\234\r\n=yend size=6\r\nmore", "foobar", 0),
	YENC("a piece of a file", "=ybegin part=1 line=128 size=6 name=x\n=ypart begin=1 end=3\n\220\231\231\n=yend\n", "foo", 0),
	YENC("bytes that are escaped", "=ybegin x\n=}=@=J=M*\n=yend", "\023\326\340\343\000", 0),
	YENC("no end", "=ybegin x\n\220\231\231", "foo", SHORT),
	YENC("no beginning", "foobar\n", "", 0),
	YENC("an escape at the end", "=ybegin x\n\220\231\231=", "foo", SHORT),
	HQX("a file", "x\n(This file must be converted with BinHex 4.0)\n\n:\042AJZG(Kd!&4&@&4dG(Kd!*!&(!#3\042\042)dCQp[N!\042L\nBA*kN\0423K:\n", "foo\220barzzzzzzzzzzzzzzzzzzzz!", 0),
	HQX("nothing", "", "", 0),
	HQX("no colon", "(This file must be converted with BinHex 4.0)\n\n", "", 0),
	HQX("only a colon", ":", "", 0),
	TIGHT("nothing", "", "", 0),
	TIGHT("plain text", "a b  c", "a b  c", 0),
	TIGHT("soft breaks", "a=\r\nb=  \nc", "abc", 0),
	TIGHT("hard breaks beside escapes", "=41\r\n=42\n\n=43", "ABC", 0),
	TIGHT("blanks beside escapes", "\t=41\t=42 =\n =43", "ABC", 0),
	TIGHT("blanks between words", "a =41 b c", "aAb c", 0),
	TIGHT("one digit", "=41=4=42", "AB", ESCAPE),
	TIGHT("no digit", "=41=@=42", "AB", ESCAPE),
	TIGHT("one digit and something else", "=41=0x=42", "AB", ESCAPE),
	TIGHT("two signs", "=41= ==42", "AB", ESCAPE),
	TIGHT("cut by a soft break", "=4=\r\n1=42", "AB", 0),
	TIGHT("cut by a line end", "=4\r\n1=42", "AB", 0),
	TIGHT("a bare CR", "=41=\r=42\r=43", "ABC", 0),
	TIGHT("a letter for a digit", "=4O", "@", 0),
	TIGHT("cut off", "=41=", "A", ESCAPE),
	{ "padding as a zero", TRANSFER_BASE64, TRANSFER_PADDING_ZERO, SLICE_INIT("Zm9vY=Fy"), SLICE_INIT("foo`\001r"), 0 },
	{ "padding anywhere in four", TRANSFER_BASE64, TRANSFER_PADDING_QUADS, SLICE_INIT("Z=m8b=w="), SLICE_INIT("foo"), 0 },
	{ "each line by itself", TRANSFER_BASE64, TRANSFER_PADDING_LINES, SLICE_INIT("Zm9vX\r\nYmFyXXX\nxx"),
	  SLICE_INIT("foobar"), 0 },
	{ "a comment", TRANSFER_BASE64, TRANSFER_PADDING_COMMENT, SLICE_INIT("Zm9#aaa\nvYmFy"), SLICE_INIT("foobar"),
	  FOREIGN },
	{ "whole groups only", TRANSFER_BASE64, TRANSFER_PADDING_WHOLE, SLICE_INIT("Zm9vYmF"), SLICE_INIT("foo"), 0 },
	{ "line ends stand", TRANSFER_QUOTED_LINES, TRANSFER_PADDING_RESTARTS, SLICE_INIT("=41 =42\n=43=@"),
	  SLICE_INIT("AB\nC"), ESCAPE },
	{ "only the sign is dropped", TRANSFER_QUOTED_SIGN, TRANSFER_PADDING_RESTARTS, SLICE_INIT("=P=K==03 x"),
	  SLICE_INIT("PK\003 x"), ESCAPE },
	{ "digits in lower case are none", TRANSFER_QUOTED_UPPER, TRANSFER_PADDING_RESTARTS, SLICE_INIT("=0a=4A"),
	  SLICE_INIT("J"), ESCAPE },
	QP("nothing", "", "", 0),
	QP("plain", "foo\r\nbar\r\n", "foo\r\nbar\r\n", 0),
	QP("escapes", "=66=6F=6f", "foo", 0),
	QP("soft breaks", "fo=\r\no=\nb", "foob", 0),
	QP("soft break with blanks", "fo= \t\r\no", "foo", 0),
	QP("soft break at the very end", "foo=", "foo", 0),
	QP("soft break by a bare CR", "fo=\ro", "foo", 0),
	QP("blanks at the end of a line", "foo  \r\nbar", "foo\r\nbar", 0),
	QP("blanks at the very end", "foo \t", "foo", 0),
	QP("blanks inside", "a  b\tc", "a  b\tc", 0),
	QP("an escaped blank at the end", "foo=20\r\n", "foo \r\n", 0),
	QP("= and no digits", "a=zz", "a=zz", ESCAPE),
	QP("= and one digit", "a=4", "a=4", ESCAPE),
	QP("= twice", "a==41", "a=A", ESCAPE),
	QP("NUL", "=00", "\0", 0),
	QP("8-bit bytes as they are", "\xe4\xb8\xad", "\xe4\xb8\xad", 0),
	UU("a file", "begin 644 a\r\n#9F]O\r\n`\r\nend\r\n", "foo", 0),
	UU("text before", "hello\nbegin 644 a\n#9F]O\n`\nend\n", "foo", 0),
	UU("blanks lost at the end of a line", "begin 644 a\n#\n`\nend\n", "\0\0\0", 0),
	UU("no end", "begin 644 a\n#9F]O\n", "foo", SHORT),
	UU("no beginning", "#9F]O\n`\nend\n", "foo", TRANSFER_FLAW_LINE),
	UU("a count that is too large", "begin 644 a\nN9F]O\nend\n", "", TRANSFER_FLAW_LINE),
	UU("a line that is too long", "begin 644 a\n#9F]O9F]O9F]O\nend\n", "foo", TRANSFER_FLAW_LINE),
	{ "7bit", TRANSFER_7BIT, TRANSFER_PADDING_RESTARTS, SLICE_INIT("a\r\nb"), SLICE_INIT("a\r\nb"), 0 },
	{ "binary", TRANSFER_BINARY, TRANSFER_PADDING_RESTARTS, SLICE_INIT("\0\xff"), SLICE_INIT("\0\xff"), 0 },
	{ "unknown", TRANSFER_UNKNOWN, TRANSFER_PADDING_RESTARTS, SLICE_INIT("=41"), SLICE_INIT("=41"), 0 },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t room = TRANSFER_ROOM_MIN; room < TRANSFER_ROOM_MIN + 8; room++) {
			struct transfer transfer = transfer_begin(rows[i].encoding, rows[i].padding, rows[i].body);
			uint8_t         out[256];
			size_t          size = 0, count;
			while ((count = transfer_read(&transfer, &out[size], room)) != 0)
				size += count;
			if (!slice_eq(slice_of(out, size), rows[i].decoded) || transfer.flaws != rows[i].flaws)
				fail_msg("%s, pieces of %zu: %zu bytes, flaws %u", rows[i].name, room, size,
				         transfer.flaws);
			assert_int_equal(transfer_read(&transfer, out, room), 0);
		}
	}
}

/* Long bodies in pieces of every size give what they give in one. */
static void test_pieces(void **state)
{
	static const struct {
		enum transfer_encoding encoding;
		const char            *unit;
		enum transfer_padding  padding;
	} kinds[] = {
		{ TRANSFER_BASE64, "QUJDREVGR0hJ=SktM#TU5PUFFSU1RV=VldY\nZ\r\n", TRANSFER_PADDING_ZERO },
		{ TRANSFER_BASE64, "QUJDREVGR0hJ=SktM#TU5PUFFSU1RV=VldY\nZ\r\n", TRANSFER_PADDING_QUADS },
		{ TRANSFER_BASE64, "QUJDREVGR0hJ=SktM#TU5PUFFSU1RV=VldY\nZ\r\n", TRANSFER_PADDING_LINES },
		{ TRANSFER_BASE64, "QUJDREVGR0hJ=SktM#TU5PUFFSU1RV=VldY\nZ\r\n", TRANSFER_PADDING_COMMENT },
		{ TRANSFER_BASE64, "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=\r\nYWJj\r\nZ", TRANSFER_PADDING_RESTARTS },
		{ TRANSFER_QUOTED_PRINTABLE, "a b  \r\nc=3D=\r\n   x\t y=  \nz = ", TRANSFER_PADDING_RESTARTS },
		{ TRANSFER_UUENCODE, "begin 644 x\n#9F]O\n&9F]O9F]O\n`\n", TRANSFER_PADDING_RESTARTS },
		{ TRANSFER_YENC, "=ybegin x\nabc=}def\r\n", TRANSFER_PADDING_RESTARTS },
		{ TRANSFER_BINHEX, ":#'GTG(!*-K,aP4k90)", TRANSFER_PADDING_RESTARTS },
		{ TRANSFER_QUOTED_TIGHT, "a b  \r\nc=3D=\r\n   x\t y=  \nz = =4\n1", TRANSFER_PADDING_RESTARTS },
	};

	(void)state;
	for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
		struct slice unit = slice_str(kinds[kind].unit);
		uint8_t      body[2048], whole[4096], parts[4096];
		size_t       body_size = 0;
		while (body_size + unit.len < sizeof body) {
			memcpy(&body[body_size], unit.ptr, unit.len);
			body_size += unit.len;
		}
		struct transfer transfer =
			transfer_begin(kinds[kind].encoding, kinds[kind].padding, slice_of(body, body_size));
		size_t whole_size = 0, count;
		while ((count = transfer_read(&transfer, &whole[whole_size], sizeof whole - whole_size)) != 0)
			whole_size += count;
		for (size_t room = TRANSFER_ROOM_MIN; room < 200; room++) {
			size_t size = 0;
			transfer = transfer_begin(kinds[kind].encoding, kinds[kind].padding,
			                          slice_of(body, body_size));
			while ((count = transfer_read(&transfer, &parts[size], room)) != 0) {
				assert_true(count <= room);
				size += count;
			}
			assert_int_equal(size, whole_size);
			assert_memory_equal(parts, whole, size);
		}
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(transfer_encoding_of(SLICE(" BASE64\r\n")), TRANSFER_BASE64);
	assert_int_equal(transfer_encoding_of(SLICE("Quoted-Printable")), TRANSFER_QUOTED_PRINTABLE);
	assert_int_equal(transfer_encoding_of(SLICE("")), TRANSFER_7BIT);
	assert_int_equal(transfer_encoding_of(SLICE("base 64")), TRANSFER_UNKNOWN);
	assert_int_equal(transfer_encoding_of(SLICE("base64\0")), TRANSFER_UNKNOWN);
	assert_int_equal(transfer_encoding_of(SLICE("x-uu")), TRANSFER_UUENCODE);
	assert_int_equal(transfer_encoding_of(SLICE("X-yEncode")), TRANSFER_YENC);
	assert_int_equal(transfer_encoding_of(SLICE("mac-binhex40")), TRANSFER_BINHEX);
	assert_true(transfer_is_coded(TRANSFER_UUENCODE));
	assert_true(transfer_is_coded(TRANSFER_QUOTED_TIGHT));
	assert_false(transfer_is_coded(TRANSFER_UNKNOWN));
	assert_false(transfer_is_coded(TRANSFER_BINARY));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_pieces),
		                            cmocka_unit_test(test_names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
