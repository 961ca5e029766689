/* Kinds of wrapped parts: the last part of each message, or the message itself. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/wrap.h"

static const struct {
	const char  *name;
	struct slice bytes;
	enum wrap    wrap;
	bool         top;
} rows[] = {
	{ "text", SLICE_INIT("A: b\n\nhello"), WRAP_NONE, false },
	{ "no body", SLICE_INIT("A: b\n\n"), WRAP_NONE, false },
	{ "TNEF by type", SLICE_INIT("Content-Type: application/ms-tnef\n\nx"), WRAP_TNEF, false },
	{ "TNEF by name", SLICE_INIT("Content-Disposition: attachment; filename=WINMAIL.DAT\n\nx"), WRAP_TNEF, false },
	{ "TNEF by its bytes",
	  SLICE_INIT("Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\neJ8+IgAA"), WRAP_TNEF,
	  false },
	{ "Outlook", SLICE_INIT("Content-Type: application/octet-stream; name=\"a.msg\"\n\nx"), WRAP_OUTLOOK, false },
	{ "S/MIME encrypted", SLICE_INIT("Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nx"),
	  WRAP_SMIME_ENCRYPTED, false },
	{ "S/MIME signed", SLICE_INIT("Content-Type: application/x-pkcs7-mime; smime-type=signed-data\n\nx"),
	  WRAP_SMIME_SIGNED, false },
	{ "S/MIME by name", SLICE_INIT("Content-Type: application/octet-stream; name=smime.p7m\n\nx"),
	  WRAP_SMIME_ENCRYPTED, false },
	{ "signed", SLICE_INIT("Content-Type: multipart/signed; boundary=b\n\n--b\n\nx\n--b--\n"), WRAP_SIGNED, true },
	{ "encrypted", SLICE_INIT("Content-Type: multipart/encrypted; boundary=b\n\n--b\n\nx\n--b--\n"), WRAP_ENCRYPTED,
	  true },
	{ "PGP in text", SLICE_INIT("A: b\n\n\n-----BEGIN PGP MESSAGE-----\n\nx"), WRAP_PGP_TEXT, false },
	{ "a PGP signature hides nothing", SLICE_INIT("A: b\n\n-----BEGIN PGP SIGNED MESSAGE-----\n\nx"), WRAP_NONE, false },
	{ "a fragment", SLICE_INIT("Content-Type: message/partial; id=a; number=1\n\nx"), WRAP_FRAGMENT, false },
	{ "external", SLICE_INIT("Content-Type: message/external-body; access-type=url\n\nx"), WRAP_EXTERNAL, false },
	{ "a report", SLICE_INIT("Content-Type: multipart/report; boundary=b\n\n--b\n\nx\n--b--\n"), WRAP_REPORT, true },
	{ "a journal report by its field",
	  SLICE_INIT("X-MS-Journal-Report:\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n"),
	  WRAP_JOURNAL, true },
	{ "a journal report by its shape",
	  SLICE_INIT("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSender: a@b\nSubject: x\nMessage-Id: <x@y>\n"
	             "Recipient: c@d\n\n--b\nContent-Type: message/rfc822\n\nA: b\n\nx\n--b--\n"),
	  WRAP_JOURNAL, true },
	{ "a forwarded message",
	  SLICE_INIT("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSender: a@b, see below\n\n--b\n"
	             "Content-Type: message/rfc822\n\nA: b\n\nx\n--b--\n"),
	  WRAP_NONE, true },
};

static void test_rows(void **state)
{
	static uint8_t              memory[1 << 16];
	const struct message_limits limits = {
		.header = { .bytes = 8192, .fields = 50 }, .parts = 20, .depth = 6, .parameters = 16, .steps = 1 << 20
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arena   arena = arena_on(memory, sizeof memory);
		struct message message;
		assert_int_equal(message_read(rows[i].bytes, &limits, NULL, &arena, &message), RC_OK);
		const struct message_part *part = message.parts[rows[i].top ? 0 : message.count - 1];
		if (wrap_of(&message, part) != rows[i].wrap)
			fail_msg("%s: %d", rows[i].name, (int)wrap_of(&message, part));
	}
	assert_true(wrap_hides(WRAP_ENCRYPTED));
	assert_false(wrap_hides(WRAP_SIGNED));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
