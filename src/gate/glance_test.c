/* What is read without a scanner: plain headers, and that everything else is unclear. */
#include "gate/glance.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

struct row {
	const char        *name;
	struct slice       message;
	enum glance_author author;
	const char        *address;
	const char        *message_id;
};

#define ROW(name, text, author, address, id) { name, SLICE_INIT(text), author, address, id }
#define ONE(name, text, address) ROW(name, text, GLANCE_AUTHOR_ONE, address, "")
#define UNCLEAR(name, text) ROW(name, text, GLANCE_AUTHOR_UNCLEAR, "", "")
#define IDENTIFIED(name, text, id) ROW(name, "Subject: x\r\n" text "\r\n\r\n", GLANCE_AUTHOR_NONE, "", id)
#define END "\r\n\r\nFrom: body@b.example\r\n"

static const struct row rows[] = {
	ROW("nothing", "", GLANCE_AUTHOR_NONE, "", ""),
	ROW("no From", "Subject: x" END, GLANCE_AUTHOR_NONE, "", ""),
	ROW("no header at all", "\r\nFrom: a@b.example\r\n", GLANCE_AUTHOR_NONE, "", ""),
	ONE("bare", "From: a@b.example" END, "a@b.example"),
	ONE("in brackets", "From: <a@b.example>" END, "a@b.example"),
	ONE("other letters", "fROM:A@B.example" END, "A@B.example"),
	ONE("with a name", "From: Ann Other <a@b.example>" END, "a@b.example"),
	ONE("with a quoted name", "From: \"Other, Ann; [x]: y\" <a@b.example>" END, "a@b.example"),
	ONE("an encoded name, folded", "Subject: y\r\nFrom: =?utf-8?B?5byg5LiJ?=\r\n <a@b.example>\r\nTo: x@y" END, "a@b.example"),
	ONE("a name in UTF-8", "From: \xe5\xbc\xa0 <a@b.example>" END, "a@b.example"),
	ONE("bare LF line ends", "From: a@b.example\nTo: x@y\n\nText\n", "a@b.example"),
	ONE("no body", "From: a@b.example\r\n", "a@b.example"),
	ONE("no line end", "From: a@b.example", "a@b.example"),
	UNCLEAR("two fields", "From: a@b.example\r\nFrom: a@b.example" END),
	UNCLEAR("two addresses", "From: a@b.example, c@d.example" END),
	UNCLEAR("two in brackets", "From: <a@b.example>, <c@d.example>" END),
	UNCLEAR("two brackets", "From: <c@d.example> <a@b.example>" END),
	UNCLEAR("an address for a name", "From: c@d.example <a@b.example>" END),
	UNCLEAR("the same quoted", "From: \"c@d.example\" <a@b.example>" END),
	UNCLEAR("a quote within a quote", "From: \"a\\\" <c@d.example>\" <a@b.example>" END),
	UNCLEAR("a comment", "From: a@b.example (Ann)" END),
	UNCLEAR("a group", "From: us: a@b.example;" END),
	UNCLEAR("text behind it", "From: <a@b.example> x" END),
	UNCLEAR("no domain", "From: Ann" END),
	UNCLEAR("empty", "From:" END),
	UNCLEAR("a quoted local part", "From: <\"a b\"@b.example>" END),
	UNCLEAR("an address literal", "From: <a@[192.0.2.1]>" END),
	UNCLEAR("a source route", "From: <@c.example:a@b.example>" END),
	UNCLEAR("UTF-8 in the address", "From: \xe5\xbc\xa0@b.example" END),
	UNCLEAR("folded within", "From: <a@\r\n b.example>" END),
	UNCLEAR("a blank before the colon", "From : a@b.example" END),
	UNCLEAR("a line that is no field", "From c@d.example Sun Nov 22\r\nFrom: a@b.example" END),
	UNCLEAR("a line of text", "Subject: x\r\nnonsense\r\nFrom: a@b.example" END),
	UNCLEAR("a continuation in front", " x\r\nFrom: a@b.example" END),
	UNCLEAR("a bare CR in another field", "Subject: x\rFrom: c@d.example\r\nFrom: a@b.example" END),
	UNCLEAR("a bare CR in a folded line", "Subject: x\r\n y\rFrom: c@d.example\r\nFrom: a@b.example" END),
	UNCLEAR("a form feed", "Subject: x\fFrom: c@d.example\r\nFrom: a@b.example" END),
	UNCLEAR("a vertical tab in a folded line", "Subject: x\r\n y\vFrom: c@d.example\r\nFrom: a@b.example" END),
	UNCLEAR("a record separator", "Subject: x\x1e" "From: c@d.example\r\nFrom: a@b.example" END),
	ONE("a tab", "Subject:\tx\r\n\ty\r\nFrom:\ta@b.example" END, "a@b.example"),
	UNCLEAR("a NUL", "Subject: \0\r\nFrom: a@b.example" END),
	UNCLEAR("a name that is none", "Fr\xc3\xb6m: c@d.example\r\nFrom: a@b.example" END),
	IDENTIFIED("a Message-ID", "Message-ID: <1@x>", "<1@x>"),
	IDENTIFIED("folded", "message-id:\r\n <1@x>", "<1@x>"),
	IDENTIFIED("the first of two", "Message-Id: <1@x>\r\nMessage-Id: <2@x>", "<1@x>"),
	IDENTIFIED("without brackets", "Message-ID: 1@x", ""),
	IDENTIFIED("two in one", "Message-ID: <1@x> <2@x>", ""),
	IDENTIFIED("empty brackets", "Message-ID: <>", ""),
	IDENTIFIED("a blank", "Message-ID: <1 @x>", ""),
	UNCLEAR("a control byte in a Message-ID", "Message-ID: <1\x1b[2J@x>" END),
	IDENTIFIED("a byte above ASCII", "Message-ID: <\xe5@x>", ""),
	IDENTIFIED("none", "X-Message-ID: <1@x>", ""),
};

static void each_header_has_one_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct glance glance;
		glance_read(rows[i].message, 65536, &glance);
		if (glance.author != rows[i].author || !slice_eq(glance.address, slice_str(rows[i].address)) ||
		    !slice_eq(glance.message_id, slice_str(rows[i].message_id)))
			fail_msg("%s: %d <%.*s> %.*s", rows[i].name, (int)glance.author, (int)glance.address.len, (const char *)glance.address.ptr,
			         (int)glance.message_id.len, (const char *)glance.message_id.ptr);
	}
}

/* What lies behind the bound could be another From. */
static void a_header_longer_than_that_is_unclear(void **state)
{
	static const struct slice message = SLICE_INIT("From: a@b.example\r\nTo: x@y\r\n\r\nText\r\n");
	const size_t              header = message.len - 6;
	struct glance             glance;

	(void)state;
	for (size_t bytes = header - 2; bytes <= header + 1; bytes++) {
		glance_read(message, bytes, &glance);
		assert_int_equal(glance.author, bytes >= header - 1 ? GLANCE_AUTHOR_ONE : GLANCE_AUTHOR_UNCLEAR);
	}
}

/* At the bound, and one beyond. */
static void a_long_message_id_is_left_out(void **state)
{
	struct glance glance;

	(void)state;
	for (size_t size = GLANCE_MESSAGE_ID_MAX - 1; size <= GLANCE_MESSAGE_ID_MAX + 1; size++) {
		uint8_t     bytes[GLANCE_MESSAGE_ID_MAX + 32] = "Message-ID: ";
		const size_t start = 12;

		bytes[start] = '<';
		memset(bytes + start + 1, 'x', size - 2);
		bytes[start + size - 1] = '>';
		glance_read(slice_of(bytes, start + size), 65536, &glance);
		assert_int_equal(glance.message_id.len, size <= GLANCE_MESSAGE_ID_MAX ? size : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_header_has_one_answer),
		cmocka_unit_test(a_header_longer_than_that_is_unclear),
		cmocka_unit_test(a_long_message_id_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
