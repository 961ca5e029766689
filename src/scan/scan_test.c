/*
 * Scans: each kind of finding is shown by at least one row (the last test counts them), and every row is also cut at
 * each byte and scanned in arenas of every size.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/memory.h"
#include "mail/body.h"
#include "scan/scan.h"
#include "text/charset.h"

#define ARENA_BYTES SCAN_ARENA_BYTES

/* The fields that a message needs to be without findings. */
#define FIELDS \
	"From: a@b.example\r\nDate: Sun, 22 Nov 2026 14:37:19 +0000\r\nMessage-ID: <x@b.example>\r\nMIME-Version: 1.0\r\n"
#define MIXED FIELDS "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define END   "\r\n--b--\r\n"
/* In pieces, so that this file is neither a virus nor spam to other programs. */
#define EICAR                                 \
	"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" \
	"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
#define EICAR64                                            \
	"WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNU" \
	"QU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo="
#define GTUBE                                \
	"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-" \
	"STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

#define KINDS_MAX 4

struct row {
	const char  *name;
	struct slice message;
	int          expected[KINDS_MAX]; /* finding kind + 1; 0 ends the list */
	bool         only;                /* nothing else is found */
};

#define IS(kind) (FINDING_##kind + 1)
#define ROW(name, message, ...)                                   \
	{                                                         \
		name, SLICE_INIT(message), { __VA_ARGS__ }, false \
	}
#define ONLY(name, message, ...)                                 \
	{                                                        \
		name, SLICE_INIT(message), { __VA_ARGS__ }, true \
	}

static const struct row rows[] = {
	ONLY("a plain message", FIELDS "Subject: hi\r\n\r\nhello\r\n", 0),
	ONLY("LF line ends", "From: a@b.example\nDate: Sun, 22 Nov 2026 14:37:19 +0000\nMessage-ID: <x@b>\n\nhello\n",
	     0),
	ONLY("an attachment", MIXED "--b\r\nContent-Type: text/plain; name=\"notes.txt\"\r\n\r\nhi" END, 0),
	ONLY("a named author",
	     "From: \"A. B.\" <a@b.example>\r\nDate: Sun, 22 Nov 2026 14:37:19 +0000\r\nMessage-ID: <x@b>\r\n\r\n", 0),
	ONLY("an address as its own name",
	     "From: A@b.example <a@b.example>\r\nDate: Sun, 22 Nov 2026 14:37:19 +0000\r\nMessage-ID: <x@b>\r\n\r\n",
	     0),
	ONLY("a time in a name", MIXED "--b\r\nContent-Disposition: attachment; filename=\"12:30.txt\"\r\n\r\nhi" END,
	     0),
	ONLY("full stops side by side",
	     "From: f..smith.@b.example\r\nDate: Sun, 22 Nov 2026 14:37:19 +0000\r\nMessage-ID: <x@b>\r\n\r\n", 0),
	ROW("a name in GBK",
	    "From: \xd5\xc5\xc8\xfd <a@b.example>\r\nDate: Sun, 22 Nov 2026 14:37:19 +0000\r\nMessage-ID: <x@b>\r\n\r\n",
	    IS(HEADER_8BIT)),
	ONLY("a name with dots",
	     MIXED "--b\r\nContent-Disposition: attachment; filename=\"report.v1.2.pdf\"\r\n\r\nhi" END, 0),
	ONLY("text about a test virus", FIELDS "\r\nX5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD\r\n", 0),

	/* authors */
	ROW("no From", "Date: x\r\n\r\n", IS(HEADER_FROM_MISSING), IS(HEADER_DATE_MALFORMED)),
	ROW("two From", "From: a@b.example\r\nFrom: c@d.example\r\n\r\n", IS(HEADER_FROM_DUPLICATE),
	    IS(HEADER_FROM_SEVERAL)),
	ROW("an empty From", "From: \r\n\r\n", IS(HEADER_FROM_MALFORMED)),
	ROW("a From without a domain", "From: root\r\n\r\n", IS(HEADER_FROM_NO_DOMAIN)),
	ROW("a bounce's From", "From: MAILER-DAEMON <>\r\n\r\n", IS(HEADER_FROM_NO_DOMAIN)),
	ROW("an address as another's name", "From: a@b.example <c@d.example>\r\n\r\n", IS(HEADER_FROM_AMBIGUOUS)),
	ROW("a full stop of another script",
	    "From: a@b\xe3\x80\x82"
	    "example\r\n\r\n",
	    IS(HEADER_FROM_AMBIGUOUS)),
	ROW("two authors", "From: a@b.example, c@d.example\r\n\r\n", IS(HEADER_FROM_SEVERAL),
	    IS(HEADER_SENDER_MISSING)),
	ROW("two angles", "From: <a@b.example><c@d.example>\r\n\r\n", IS(HEADER_FROM_AMBIGUOUS)),
	ROW("a route", "From: <@x.example,@y.example:a@b.example>\r\n\r\n", IS(HEADER_FROM_AMBIGUOUS)),
	ROW("a NUL in the author", "From: a@b.example\0@c.example\r\n\r\n", IS(HEADER_FROM_AMBIGUOUS), IS(HEADER_NUL)),
	ROW("an indented From first", " From: a@b.example\r\nFrom: c@d.example\r\n\r\n", IS(HEADER_FROM_AMBIGUOUS),
	    IS(HEADER_CONTINUATION_FIRST)),
	ROW("From with a byte behind it", "From\xff: a@b.example\r\nFrom: c@d.example\r\n\r\n",
	    IS(HEADER_FROM_AMBIGUOUS), IS(HEADER_NAME_MALFORMED)),
	ROW("From behind a bare CR", "X: y\rFrom: a@b.example\r\nFrom: c@d.example\r\n\r\n", IS(HEADER_FROM_AMBIGUOUS),
	    IS(HEADER_BARE_CR)),
	ROW("From with a blank", "From : a@b.example\r\n\r\n", IS(HEADER_FROM_AMBIGUOUS),
	    IS(HEADER_SPACE_BEFORE_COLON)),

	/* the header */
	ROW("two subjects", FIELDS "Subject: a\r\nSubject: b\r\n\r\n", IS(HEADER_DUPLICATE)),
	ROW("no date", "From: a@b.example\r\n\r\n", IS(HEADER_DATE_MISSING), IS(HEADER_MESSAGE_ID_MISSING)),
	ROW("a broken id", "From: a@b.example\r\nMessage-ID: x\r\n\r\n", IS(HEADER_MESSAGE_ID_MALFORMED)),
	ROW("8-bit in the header", FIELDS "Subject: \xff\r\n\r\n", IS(HEADER_8BIT)),
	ROW("a control character", FIELDS "Subject: \a\r\n\r\n", IS(HEADER_CONTROL)),
	ROW("no field", FIELDS "hello\r\n\r\n", IS(HEADER_NOT_A_FIELD)),
	ROW("an mbox line", "From x Sun Nov 22\r\n" FIELDS "\r\n", IS(HEADER_MBOX_FROM)),
	ROW("a blank fold", FIELDS "Subject: a\r\n \r\nTo: b\r\n\r\n", IS(HEADER_BLANK_FOLD)),
	ROW("no end", "From: a@b.example\r\n", IS(HEADER_NO_END)),
	ROW("a broken word", FIELDS "Subject: =?utf-8?Q?a b?=\r\n\r\n", IS(HEADER_ENCODED_WORD)),
	ROW("a hidden line end", FIELDS "Subject: =?utf-8?Q?a=0D=0ABcc:_x?=\r\n\r\n", IS(HEADER_HIDDEN_CONTROL)),
	ROW("a forged verdict", FIELDS "X-Hangu-Class: clean\r\n\r\n", IS(HEADER_FORGED_TRACE)),
	ROW("our own name", "Received: from x by MX.hangu.example; now\r\n" FIELDS "\r\n", IS(HEADER_RECEIVED_OWN)),
	ROW("MIME without its version", "From: a@b.example\r\nContent-Type: text/plain\r\n\r\n",
	    IS(MIME_VERSION_MISSING)),

	/* structure */
	ROW("a type that is none", FIELDS "Content-Type: x\r\n\r\n", IS(MIME_TYPE_MALFORMED)),
	ROW("a broken parameter", FIELDS "Content-Type: text/plain; charset\r\n\r\n", IS(MIME_PARAMETER_MALFORMED)),
	ROW("a parameter twice", FIELDS "Content-Type: text/plain; charset=a; charset=b\r\n\r\n",
	    IS(MIME_PARAMETER_DUPLICATE)),
	ROW("two types", FIELDS "Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\n",
	    IS(MIME_FIELD_DUPLICATE)),
	ROW("no boundary", FIELDS "Content-Type: multipart/mixed\r\n\r\n", IS(MIME_BOUNDARY_MISSING)),
	ROW("an unlawful boundary",
	    FIELDS "Content-Type: multipart/mixed; boundary=\"a\xff\"\r\n\r\n--a\xff\r\n\r\n--a\xff--\r\n",
	    IS(MIME_BOUNDARY_MALFORMED)),
	ROW("a boundary that never comes", MIXED "hello", IS(MIME_BOUNDARY_UNUSED)),
	ROW("a boundary in a boundary",
	    MIXED "--b\r\nContent-Type: multipart/mixed; boundary=bb\r\n\r\n--bb\r\n\r\n--bb--" END,
	    IS(MIME_BOUNDARY_CLASH)),
	ROW("text behind a delimiter", MIXED "--bx\r\n\r\nhi\r\n--b--\r\n", IS(MIME_BOUNDARY_LOOSE)),
	ROW("no final delimiter", MIXED "--b\r\n\r\nhi\r\n", IS(MIME_END_MISSING)),
	ROW("a part's header that breaks", MIXED "--b\r\nhello there\r\n\r\nhi" END, IS(MIME_PART_HEADER)),
	ROW("a part behind the end", MIXED "--b\r\n\r\nhi" END "Content-Type: text/html\r\n\r\nx",
	    IS(MIME_CONTENT_OUTSIDE)),
	ROW("an unknown encoding", FIELDS "Content-Transfer-Encoding: x\r\n\r\n", IS(MIME_ENCODING_UNKNOWN)),
	ROW("an encoded message",
	    FIELDS "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQTogYg==",
	    IS(MIME_ENCODING_COMPOSITE)),
	ROW("broken base64", FIELDS "Content-Transfer-Encoding: base64\r\n\r\nQT!og", IS(MIME_ENCODING_BROKEN)),
	ROW("broken quoted-printable", FIELDS "Content-Transfer-Encoding: quoted-printable\r\n\r\na=xb",
	    IS(MIME_ENCODING_LOOSE)),
	ROW("a fragment", FIELDS "Content-Type: message/partial; id=a; number=1\r\n\r\n", IS(MIME_FRAGMENT)),
	ROW("an external body", FIELDS "Content-Type: message/external-body; access-type=url\r\n\r\n",
	    IS(MIME_EXTERNAL)),
	ROW("an encoding that few know", FIELDS "Content-Transfer-Encoding: x-yencode\r\n\r\n", IS(MIME_ENCODING_RARE)),
	ROW("an encrypted message",
	    FIELDS "Content-Type: multipart/encrypted; protocol=x; boundary=b\r\n\r\n--b\r\n\r\nhi" END,
	    IS(MIME_ENCRYPTED)),
	ROW("two encodings of which the last hides a program",
	    FIELDS "Content-Type: a/b\r\nContent-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	    EICAR64,
	    IS(CONTENT_EICAR), IS(MIME_READINGS), IS(MIME_FIELD_DUPLICATE)),
	ROW("a NUL in the body", FIELDS "\r\na\0b", IS(MIME_NUL)),

	/* names */
	ROW("a program", MIXED "--b\r\nContent-Disposition: attachment; filename=setup.EXE\r\n\r\nhi" END,
	    IS(NAME_EXECUTABLE)),
	ROW("a double ending",
	    MIXED "--b\r\nContent-Disposition: attachment; filename=\"invoice.pdf.js\"\r\n\r\nhi" END,
	    IS(NAME_EXECUTABLE), IS(NAME_DOUBLE)),
	ROW("blanks before the ending",
	    MIXED "--b\r\nContent-Disposition: attachment; filename=\"invoice                    .exe\"\r\n\r\nhi" END,
	    IS(NAME_DOUBLE)),
	ROW("trailing dots", MIXED "--b\r\nContent-Disposition: attachment; filename=\"setup.exe. .\"\r\n\r\nhi" END,
	    IS(NAME_TRAILING), IS(NAME_EXECUTABLE)),
	ROW("a turned name",
	    MIXED "--b\r\nContent-Disposition: attachment; filename*=utf-8''invoice%E2%80%AEfdp.exe\r\n\r\nhi" END,
	    IS(NAME_BIDI), IS(NAME_EXECUTABLE)),
	ROW("a zero-width ending",
	    MIXED "--b\r\nContent-Disposition: attachment; filename*=utf-8''a.e%E2%80%8Bxe\r\n\r\nhi" END,
	    IS(NAME_CONTROL), IS(NAME_EXECUTABLE)),
	ROW("a stream behind the name",
	    MIXED "--b\r\nContent-Disposition: attachment; filename=\"a.exe:x.txt\"\r\n\r\nhi" END, IS(NAME_CONTROL),
	    IS(NAME_EXECUTABLE)),
	ROW("a NUL in the name",
	    MIXED "--b\r\nContent-Disposition: attachment; filename*=utf-8''a.exe%00.txt\r\n\r\nhi" END,
	    IS(NAME_CONTROL), IS(NAME_EXECUTABLE)),
	ROW("two names",
	    MIXED
	    "--b\r\nContent-Type: a/b; name=a.txt\r\nContent-Disposition: attachment; filename=b.txt\r\n\r\nhi" END,
	    IS(NAME_DISAGREE)),
	ROW("a program in the type only", MIXED "--b\r\nContent-Type: a/b; name=a.scr\r\n\r\nhi" END,
	    IS(NAME_EXECUTABLE)),
	ROW("a name in pieces out of order",
	    MIXED "--b\r\nContent-Disposition: attachment; filename*1=exe; filename*0=a.\r\n\r\nhi" END,
	    IS(NAME_ENCODING), IS(NAME_EXECUTABLE)),
	ROW("a name as an encoded word", MIXED "--b\r\nContent-Type: a/b; name=\"=?utf-8?B?YS5leGU=?=\"\r\n\r\nhi" END,
	    IS(NAME_EXECUTABLE)),
	ROW("a harmless name in front",
	    MIXED "--b\r\nContent-Disposition: attachment; filename=a.png; filename*=''a.exe\r\n\r\nhi" END,
	    IS(NAME_ENCODING), IS(NAME_EXECUTABLE)),
	ROW("a second disposition",
	    MIXED
	    "--b\r\nContent-Disposition: inline; filename=a.txt\r\nContent-Disposition: attachment; filename=a.exe\r\n\r\nhi" END,
	    IS(MIME_FIELD_DUPLICATE), IS(NAME_EXECUTABLE)),

	/* test strings */
	ROW("EICAR as text", FIELDS "\r\n" EICAR "\r\n", IS(CONTENT_EICAR)),
	ROW("EICAR in base64",
	    MIXED "--b\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\n" EICAR64 END,
	    IS(CONTENT_EICAR)),
	ROW("EICAR in quoted-printable",
	    FIELDS "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	           "=58=\r\n5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST=\r\n-FILE!$H+H*",
	    IS(CONTENT_EICAR)),
	ROW("EICAR in base64 with foreign bytes",
	    FIELDS "Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\n*" EICAR64, IS(CONTENT_EICAR),
	    IS(MIME_ENCODING_BROKEN)),
	ROW("EICAR in base64 with padding inside",
	    FIELDS "Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	           "WDV=PIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNU"
	           "QU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=",
	    IS(CONTENT_EICAR), IS(MIME_ENCODING_BROKEN)),
	ROW("EICAR in base64 that nobody announced", FIELDS "Content-Type: a/b\r\n\r\n" EICAR64, IS(CONTENT_EICAR),
	    IS(MIME_ENCODING_HIDDEN)),
	ROW("EICAR in uuencode",
	    FIELDS "\r\nbegin 644 e.com\r\n"
	           "M6#5/(5`E0$%06S1<4%I8-30H4%XI-T-#*3=])$5)0T%2+5-404Y$05)$+4%.\r\n"
	           "75$E625)54RU415-4+49)3$4A)$@K2\"H`\r\n`\r\nend\r\n",
	    IS(CONTENT_EICAR), IS(NAME_EXECUTABLE)),
	ROW("EICAR behind the last delimiter",
	    MIXED "--b\r\n\r\nhi" END "Content-Transfer-Encoding: base64\r\n\r\n" EICAR64, IS(CONTENT_EICAR),
	    IS(MIME_CONTENT_OUTSIDE)),
	ROW("EICAR in a message in a message",
	    FIELDS
	    "Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n" EICAR
	    "\r\n--c--\r\n",
	    IS(CONTENT_EICAR)),
	ROW("EICAR in base64 in an encoded message",
	    FIELDS "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	           "Q29udGVudC1UeXBlOiBhL2INCkNvbnRlbnQtVHJhbnNmZXItRW5jb2Rpbmc6IGJhc2U2NA0KDQpXRFZQSVZBbFFFRl"
	           "FXelJjVUZwWU5UUW9VRjRwTjBOREtUZDlKRVZKUTBGU0xWTlVRVTVFUVZKRUxVRk9WRWxXU1ZKVlV5MVVSVk5VTFVa"
	           "SlRFVWhKRWdyU0NvPQ0K",
	    IS(CONTENT_EICAR), IS(MIME_ENCODING_COMPOSITE)),
	ROW("GTUBE", FIELDS "\r\n" GTUBE "\r\n", IS(CONTENT_GTUBE)),
	ROW("GTUBE in base64",
	    FIELDS "Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	           "WEpTKkM0SkRCUUFETjEuTlNCTjMqMklETkVOKkdUVUJFLVNU"
	           "QU5EQVJELUFOVEktVUJFLVRFU1QtRU1BSUwqQy4zNFg=",
	    IS(CONTENT_GTUBE)),
};

static bool shown[FINDING_KINDS];

static struct scan_options options_make(void)
{
	return (struct scan_options){ .cut = SCAN_CUT_ALL,
		                      .limits = SCAN_LIMITS_STANDARD,
		                      .own_name = SLICE("mx.hangu.example") };
}

static void check(const struct findings *findings, struct slice message)
{
	uint16_t part = 0;

	assert_true(findings->count <= FINDINGS_MAX);
	assert_int_equal(findings->facts.message_bytes, message.len);
	assert_true(findings->facts.header_bytes <= message.len);
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->list[i];
		assert_true((unsigned)finding->kind < FINDING_KINDS);
		assert_true(finding->part >= part);
		assert_true((size_t)finding->offset + finding->size <= message.len);
		assert_true(finding->evidence.len <= FINDING_EVIDENCE_MAX);
		part = finding->part;
		shown[finding->kind] = true;
	}
}

static void scan_with(struct slice message, const struct scan_options *options, struct arena *arena,
                      struct findings *out)
{
	struct digest engine;

	scan_engine_digest(options, &engine);
	arena_reset(arena);
	assert_int_equal(scan_message(message, options, &engine, arena, out), RC_OK);
	check(out, message);
}

static void run(const struct row *row, struct arena *arena)
{
	const struct scan_options options = options_make();
	struct findings           findings;
	size_t                    expected = 0;

	scan_with(row->message, &options, arena, &findings);
	for (; expected < KINDS_MAX && row->expected[expected] != 0; expected++) {
		const enum finding_kind kind = (enum finding_kind)(row->expected[expected] - 1);
		if (findings_first(&findings, kind) == NULL)
			fail_msg("%s: no %s", row->name, finding_about(kind)->name);
	}
	if (row->only && findings.count != expected)
		fail_msg("%s: also %s", row->name, finding_about(findings.list[0].kind)->name);
	/* Cut at every byte. */
	struct digest engine;
	scan_engine_digest(&options, &engine);
	for (size_t cut = 0; cut < row->message.len; cut++) {
		uint8_t *exact = memory_take(cut == 0 ? 1 : cut, 1);
		assert_non_null(exact);
		memcpy(exact, row->message.ptr, cut);
		arena_reset(arena);
		assert_int_equal(scan_message(slice_of(exact, cut), &options, &engine, arena, &findings), RC_OK);
		check(&findings, slice_of(exact, cut));
		memory_give(exact);
	}
}

static void test_rows(void **state)
{
	struct arena arena;

	(void)state;
	assert_int_equal(digest_ready(), RC_OK);
	assert_int_equal(charset_ready(), RC_OK);
	assert_int_equal(arena_init(&arena, ARENA_BYTES), RC_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		run(&rows[i], &arena);
	arena_done(&arena);
}

/* In an arena that is too small a scan says so, by its answer or by a finding. */
static void test_small_arenas(void **state)
{
	const struct scan_options options = options_make();
	struct digest             engine;
	static uint8_t            memory[64 << 10];

	(void)state;
	scan_engine_digest(&options, &engine);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bool whole = false;
		for (size_t size = 0; size <= sizeof memory; size += 517) {
			struct arena    arena = arena_on(memory, size);
			struct findings findings;
			const enum rc   rc = scan_message(rows[i].message, &options, &engine, &arena, &findings);
			assert_true(rc == RC_OK || rc == RC_NOMEM);
			if (rc != RC_OK)
				continue;
			check(&findings, rows[i].message);
			whole = findings_first(&findings, FINDING_LIMIT_MEMORY) == NULL &&
			        findings_first(&findings, FINDING_LIMIT_CUTS) == NULL;
		}
		if (!whole)
			fail_msg("%s does not fit", rows[i].name);
	}
}

/* ---- limits: one below, at, and one above ---- */

static struct slice parts_make(struct buf *text, unsigned parts)
{
	buf_clear(text);
	buf_put_str(text, MIXED);
	for (unsigned i = 0; i < parts; i++)
		buf_put_str(text, "--b\r\n\r\nhi\r\n");
	buf_put_str(text, "--b--\r\n");
	return buf_slice(text);
}

static void limit_check(struct slice message, const struct scan_options *options, struct arena *arena,
                        enum finding_kind kind, bool met)
{
	struct findings findings;

	scan_with(message, options, arena, &findings);
	if ((findings_first(&findings, kind) != NULL) != met)
		fail_msg("%s: %d", finding_about(kind)->name, met);
}

static void test_limits(void **state)
{
	struct buf          text = buf_make(1 << 20);
	struct scan_options options = options_make();
	struct arena        arena;
	struct findings     findings;

	(void)state;
	assert_int_equal(arena_init(&arena, ARENA_BYTES), RC_OK);
	options.limits.parts = 10;
	limit_check(parts_make(&text, 8), &options, &arena, FINDING_LIMIT_PARTS, false);
	limit_check(parts_make(&text, 9), &options, &arena, FINDING_LIMIT_PARTS, false);
	limit_check(parts_make(&text, 10), &options, &arena, FINDING_LIMIT_PARTS, true);
	options = options_make();
	scan_with(parts_make(&text, 20), &options, &arena, &findings);
	/* Received fields. */
	for (unsigned count = 9; count <= 11; count++) {
		buf_clear(&text);
		for (unsigned i = 0; i < count; i++)
			buf_put_str(&text, "Received: x\r\n");
		buf_put_str(&text, "\r\n");
		options.limits.received = 10;
		limit_check(buf_slice(&text), &options, &arena, FINDING_HEADER_RECEIVED_MANY, count > 10);
	}
	/* Header fields and bytes. */
	for (unsigned count = 15; count <= 17; count++) {
		buf_clear(&text);
		for (unsigned i = 0; i < count; i++)
			buf_put_str(&text, "X: y\r\n");
		buf_put_str(&text, "\r\n");
		options = options_make();
		options.limits.header_fields = 16;
		limit_check(buf_slice(&text), &options, &arena, FINDING_LIMIT_HEADER_FIELDS, count > 16);
	}
	for (size_t size = 1023; size <= 1025; size++) {
		buf_clear(&text);
		buf_put_str(&text, "X: ");
		while (text.len < size - 4)
			buf_put_byte(&text, 'y');
		buf_put_str(&text, "\r\n\r\n");
		options = options_make();
		options.limits.header_bytes = 1024;
		limit_check(buf_slice(&text), &options, &arena, FINDING_LIMIT_HEADER_BYTES, size > 1024);
		limit_check(buf_slice(&text), &options, &arena, FINDING_HEADER_LINE_LONG, size - 4 > 998);
	}
	/* Parameters. */
	options = options_make();
	options.limits.parameters = 4;
	limit_check(SLICE("Content-Type: a/b; a=1; b=2; c=3; d=4\r\n\r\n"), &options, &arena, FINDING_LIMIT_PARAMETERS,
	            false);
	limit_check(SLICE("Content-Type: a/b; a=1; b=2; c=3; d=4; e=5\r\n\r\n"), &options, &arena,
	            FINDING_LIMIT_PARAMETERS, true);
	/* Depth. */
	for (unsigned depth = 2; depth <= 4; depth++) {
		buf_clear(&text);
		for (unsigned i = 0; i < depth; i++)
			buf_put_str(&text, "Content-Type: message/rfc822\r\n\r\n");
		buf_put_str(&text, "A: b\r\n\r\n");
		options = options_make();
		options.limits.depth = 3;
		limit_check(buf_slice(&text), &options, &arena, FINDING_LIMIT_DEPTH, depth > 3);
	}
	arena_done(&arena);
	buf_done(&text);
}

static void test_work_limits(void **state)
{
	struct buf          text = buf_make(4 << 20);
	struct scan_options options = options_make();
	struct arena        arena;
	struct findings     findings;

	(void)state;
	assert_int_equal(arena_init(&arena, ARENA_BYTES), RC_OK);
	/* Decoded bytes. */
	buf_put_str(&text, FIELDS "Content-Transfer-Encoding: base64\r\n\r\n");
	const size_t header = text.len;
	while (text.len - header < 120000)
		buf_put_str(&text, "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9w\r\n");
	options.limits.decoded_bytes = 64 << 10;
	limit_check(buf_slice(&text), &options, &arena, FINDING_LIMIT_DECODED_BYTES, true);
	options.limits.decoded_bytes = 128 << 10;
	limit_check(buf_slice(&text), &options, &arena, FINDING_LIMIT_DECODED_BYTES, false);
	/* Steps: the number that a whole scan takes, and one less. */
	scan_with(buf_slice(&text), &options, &arena, &findings);
	options.limits.steps = findings.facts.steps;
	limit_check(buf_slice(&text), &options, &arena, FINDING_LIMIT_STEPS, false);
	options.limits.steps--;
	limit_check(buf_slice(&text), &options, &arena, FINDING_LIMIT_STEPS, true);
	/* Cuts. */
	options = options_make();
	for (unsigned count = FINDINGS_CUTS_MAX - 1; count <= FINDINGS_CUTS_MAX + 1; count++) {
		buf_clear(&text);
		for (unsigned i = 0; i < count; i++)
			buf_put_str(&text, "X-Hangu-Id: a\r\n");
		buf_put_str(&text, "\r\n");
		limit_check(buf_slice(&text), &options, &arena, FINDING_LIMIT_CUTS, count > FINDINGS_CUTS_MAX);
		scan_with(buf_slice(&text), &options, &arena, &findings);
		assert_int_equal(findings.facts.cut_count, count < FINDINGS_CUTS_MAX ? count : FINDINGS_CUTS_MAX);
	}
	/* Readings of one body. */
	for (unsigned files = BODY_READINGS_MAX - 2; files <= BODY_READINGS_MAX; files++) {
		buf_clear(&text);
		buf_put_str(&text, FIELDS "\r\n");
		for (unsigned i = 0; i < files; i++)
			buf_put_str(&text, "begin 644 x\r\nend\r\n");
		limit_check(buf_slice(&text), &options, &arena, FINDING_LIMIT_READINGS, files + 1 > BODY_READINGS_MAX);
	}
	/* Findings: a flood of one kind leaves room for the others. */
	buf_clear(&text);
	for (unsigned i = 0; i < 900; i++)
		buf_put_str(&text, "no field\r\n");
	buf_put_str(&text, "Content-Transfer-Encoding: x\r\n\r\n" EICAR);
	limit_check(buf_slice(&text), &options, &arena, FINDING_LIMIT_FINDINGS, true);
	limit_check(buf_slice(&text), &options, &arena, FINDING_CONTENT_EICAR, true);
	arena_done(&arena);
	buf_done(&text);
}

static void test_window(void **state)
{
	struct buf                text = buf_make(1 << 20);
	const struct scan_options options = options_make();
	struct arena              arena;

	(void)state;
	assert_int_equal(arena_init(&arena, ARENA_BYTES), RC_OK);
	/* At every place around the edge of the decoder's pieces, in a text part of any length. */
	for (size_t before = 16384 - 70; before < 16384 + 3; before++) {
		buf_clear(&text);
		buf_put_str(&text, FIELDS "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
		for (size_t i = 0; i < before; i++)
			buf_put_byte(&text, 'x');
		buf_put_str(&text, EICAR);
		limit_check(buf_slice(&text), &options, &arena, FINDING_CONTENT_EICAR, true);
	}
	arena_done(&arena);
	buf_done(&text);
}

static void test_facts(void **state)
{
	static const struct slice message = SLICE_INIT(
		"Received: from a by b.example (by mx.hangu.example); now\r\nReceived: from a\r\n\tby mx.hangu.example with SMTP; now\r\n"
		"From: =?utf-8?B?5byg5LiJ?= <zhang@example.cn>\r\nSubject: =?utf-8?Q?a=0Ab?= c\r\n"
		"Date: Sun, 22 Nov 2026 14:37:19 +0000\r\nMessage-ID: <1@x>\r\nAuto-Submitted: auto-generated\r\nList-Id: <l>\r\n"
		"X-Hangu-Class: clean\r\n folded\r\nX-Y: z\r\nAuthentication-Results: MX.hangu.example; spf=pass\r\n"
		"Authentication-Results: other.example; spf=pass\r\nX-MS-Exchange-Organization-SCL: -1\r\n\r\nbody \xff");
	struct scan_options options = options_make();
	struct arena        arena;
	struct findings     findings;

	(void)state;
	assert_int_equal(arena_init(&arena, ARENA_BYTES), RC_OK);
	scan_with(message, &options, &arena, &findings);
	const struct facts *facts = &findings.facts;
	assert_int_equal(facts->received_count, 2);
	assert_int_equal(facts->received_own, 1);
	assert_int_equal(facts->header_bytes, message.len - 6);
	assert_int_equal(facts->part_count, 1);
	assert_int_equal(facts->date_s, 1795358239);
	assert_int_equal(facts->flags,
	                 FACT_AUTO_SUBMITTED | FACT_LIST | FACT_8BIT_BODY | FACT_NO_FINAL_EOL | FACT_DATE);
	assert_true(slice_eq(facts->subject, SLICE("a b c")));
	assert_true(slice_eq(facts->from, SLICE("张三 <zhang@example.cn>")));
	assert_true(slice_eq(facts->message_id, SLICE("<1@x>")));
	assert_int_equal(facts->author_count, 1);
	assert_true(slice_eq(facts->authors[0], SLICE("zhang@example.cn")));
	assert_int_equal(facts->cut_count, 3);
	assert_true(slice_eq(slice_cut(message, facts->cuts[0].offset, facts->cuts[0].size),
	                     SLICE("X-Hangu-Class: clean\r\n folded\r\n")));
	assert_true(slice_eq(slice_cut(message, facts->cuts[1].offset, facts->cuts[1].size),
	                     SLICE("Authentication-Results: MX.hangu.example; spf=pass\r\n")));
	assert_int_equal(facts->cuts[2].kind, CUT_EXCHANGE);
	options.cut = SCAN_CUT_HANGU;
	scan_with(message, &options, &arena, &findings);
	assert_int_equal(findings.facts.cut_count, 1);
	/* Others' X-Spam-* are cut where that is asked for, and are no forgery. */
	static const struct slice marked = SLICE_INIT("X-Spam-Flag: NO\r\nFrom: a@b.example\r\nx-spam-status: No,\r\n score=0\r\nX-Spammer: y\r\n\r\nX-Spam-Flag: NO\r\n");
	for (unsigned asked = 0; asked < 2; asked++) {
		options.cut = SCAN_CUT_HANGU | (asked ? SCAN_CUT_SPAM : 0);
		scan_with(marked, &options, &arena, &findings);
		assert_int_equal(findings.facts.cut_count, asked ? 2 : 0);
		for (size_t i = 0; i < findings.count; i++)
			assert_int_not_equal(findings.list[i].kind, FINDING_HEADER_FORGED_TRACE);
	}
	scan_with(marked, &options, &arena, &findings);
	assert_int_equal(findings.facts.cuts[1].kind, CUT_SPAM);
	assert_true(slice_eq(slice_cut(marked, findings.facts.cuts[1].offset, findings.facts.cuts[1].size), SLICE("x-spam-status: No,\r\n score=0\r\n")));
	arena_done(&arena);
}

/* The digest changes with each bound that can change a finding, and with nothing else. */
static void test_engine(void **state)
{
	struct scan_options options = options_make();
	struct digest       before, after;

	(void)state;
	scan_engine_digest(&options, &before);
	options.own_name = SLICE("other");
	options.cut = 0;
	scan_engine_digest(&options, &after);
	assert_true(digest_eq(&before, &after));
	options.limits.depth--;
	scan_engine_digest(&options, &after);
	assert_false(digest_eq(&before, &after));
}

static void test_options(void **state)
{
	const struct scan_options good = options_make();
	static uint8_t            name[SCAN_NAME_MAX + 1];
	struct scan_options       bad = good;

	(void)state;
	assert_int_equal(scan_options_check(&good), RC_OK);
	bad.limits.parts = 0;
	assert_int_equal(scan_options_check(&bad), RC_LIMIT);
	bad.limits.parts = 10001;
	assert_int_equal(scan_options_check(&bad), RC_LIMIT);
	bad = good;
	bad.limits.header_bytes = (4u << 20) + 1;
	assert_int_equal(scan_options_check(&bad), RC_LIMIT);
	bad = good;
	bad.limits.depth = 101;
	assert_int_equal(scan_options_check(&bad), RC_LIMIT);
	bad = good;
	bad.cut = SCAN_CUT_ALL + 1;
	assert_int_equal(scan_options_check(&bad), RC_LIMIT);
	bad = good;
	bad.own_name = slice_of(name, SCAN_NAME_MAX);
	assert_int_equal(scan_options_check(&bad), RC_OK);
	bad.own_name = slice_of(name, SCAN_NAME_MAX + 1);
	assert_int_equal(scan_options_check(&bad), RC_LIMIT);
}

/* docs/findings.md is what the table says. */
static void test_page(void **state)
{
	struct buf  page = buf_make(1 << 20);
	static char stored[1 << 18];

	(void)state;
	finding_table_put(&page);
	FILE *file = fopen("docs/findings.md", "rb");
	assert_non_null(file);
	const size_t size = fread(stored, 1, sizeof stored, file);
	fclose(file);
	if (!slice_eq(buf_slice(&page), slice_of(stored, size)))
		fail_msg(
			"docs/findings.md differs from the table: write it with build/gcc/tests/conformance/scan_files --findings-page");
	for (unsigned kind = 0; kind < FINDING_KINDS; kind++) {
		enum finding_kind found;
		assert_int_equal(finding_kind_of(slice_str(finding_about((enum finding_kind)kind)->name), &found),
		                 RC_OK);
		assert_int_equal(found, kind);
	}
	buf_done(&page);
}

/* Runs last: every kind of the table was found by some row above. */
static void test_all_shown(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < FINDING_KINDS; kind++) {
		if (!shown[kind])
			fail_msg("no row shows %s", finding_about((enum finding_kind)kind)->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),        cmocka_unit_test(test_small_arenas), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_work_limits), cmocka_unit_test(test_window),       cmocka_unit_test(test_facts),
		cmocka_unit_test(test_engine),      cmocka_unit_test(test_options),      cmocka_unit_test(test_page),
		cmocka_unit_test(test_all_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
