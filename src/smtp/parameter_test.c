/* Arguments of MAIL and RCPT. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "smtp/parameter.h"

#define ALL (SMTP_EXT_SIZE | SMTP_EXT_8BITMIME | SMTP_EXT_DSN | SMTP_EXT_SMTPUTF8 | SMTP_EXT_AUTH)

static struct smtp_mail mail_of(const char *args)
{
	struct smtp_mail mail;

	assert_int_equal(smtp_mail_read(slice_str(args), ALL, 0, &mail), SMTP_FAULT_NONE);
	return mail;
}

static void test_mail(void **state)
{
	(void)state;
	struct smtp_mail mail = mail_of("FROM:<a@b> SIZE=123 BODY=8BITMIME RET=FULL ENVID=QQ+2B1 AUTH=x+40y SMTPUTF8");
	assert_int_equal(mail.size, 123);
	assert_int_equal(mail.body, SMTP_BODY_8BITMIME);
	assert_int_equal(mail.ret, SMTP_RET_FULL);
	assert_true(slice_eq(mail.envid, SLICE("QQ+2B1")));
	assert_true(slice_eq(mail.auth, SLICE("x+40y")));
	assert_true(mail.smtputf8);
	mail = mail_of("from:<> body=7bit ret=hdrs");
	assert_int_equal(mail.sender.kind, ADDRESS_IS_NULL);
	assert_int_equal(mail.body, SMTP_BODY_7BIT);
	assert_int_equal(mail.ret, SMTP_RET_HDRS);
	assert_int_equal(mail.size, 0);
	assert_int_equal(mail.envid.len, 0);
	/* What printers and scripts write. */
	mail = mail_of("FROM:  a@b  SIZE=1 ");
	assert_true(slice_eq(mail.sender.local, SLICE("a")));
	assert_int_equal(mail.size, 1);
	mail = mail_of("FROM:<\"x y\"@b>\tSIZE=1");
	assert_true(mail.sender.quoted);
}

static void test_rcpt(void **state)
{
	struct smtp_rcpt rcpt;

	(void)state;
	assert_int_equal(
		smtp_rcpt_read(SLICE("TO:<a@b> NOTIFY=SUCCESS,failure,Delay ORCPT=rfc822;x+2By@z"), ALL, 0, &rcpt),
		SMTP_FAULT_NONE);
	assert_int_equal(rcpt.notify, SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_FAILURE | SMTP_NOTIFY_DELAY);
	assert_true(slice_eq(rcpt.orcpt, SLICE("rfc822;x+2By@z")));
	assert_int_equal(smtp_rcpt_read(SLICE("TO:<POSTMASTER> NOTIFY=NEVER"), ALL, 0, &rcpt), SMTP_FAULT_NONE);
	assert_int_equal(rcpt.recipient.kind, ADDRESS_IS_LOCAL);
	assert_int_equal(rcpt.notify, SMTP_NOTIFY_NEVER);
	assert_int_equal(smtp_rcpt_read(SLICE("TO:<\xc3\xa4@b> ORCPT=utf-8;\xc3\xa4@b"), ALL, ADDRESS_UTF8, &rcpt),
	                 SMTP_FAULT_NONE);
	assert_int_equal(smtp_rcpt_read(SLICE("TO:<\xc3\xa4@b>"), ALL, 0, &rcpt), SMTP_FAULT_UTF8);
}

struct row {
	const char     *name;
	const char     *args;
	bool            rcpt;
	unsigned        extensions;
	enum smtp_fault fault;
};

static const struct row unlawful[] = {
	{ "nothing", "", false, ALL, SMTP_FAULT_FORM },
	{ "no keyword", "<a@b>", false, ALL, SMTP_FAULT_FORM },
	{ "the other keyword", "TO:<a@b>", false, ALL, SMTP_FAULT_FORM },
	{ "a blank before the colon", "FROM :<a@b>", false, ALL, SMTP_FAULT_FORM },
	{ "no path", "FROM:", false, ALL, SMTP_FAULT_FORM },
	{ "no path but parameters", "FROM: SIZE=1", false, ALL, SMTP_FAULT_ADDRESS },
	{ "an open bracket", "FROM:<a@b", false, ALL, SMTP_FAULT_ADDRESS },
	{ "text behind the bracket", "FROM:<a@b>SIZE=1", false, ALL, SMTP_FAULT_ADDRESS },
	{ "null recipient", "TO:<>", true, ALL, SMTP_FAULT_ADDRESS },
	{ "postmaster as sender", "FROM:<postmaster>", false, ALL, SMTP_FAULT_ADDRESS },
	{ "two addresses", "TO:<a@b>,<c@d>", true, ALL, SMTP_FAULT_ADDRESS },
	{ "UTF-8 without SMTPUTF8", "FROM:<\xc3\xa4@b>", false, ALL, SMTP_FAULT_UTF8 },
	{ "bytes that are no UTF-8", "FROM:<\xe4@b> SMTPUTF8", false, ALL, SMTP_FAULT_ADDRESS },
	{ "unknown", "FROM:<a@b> MT-PRIORITY=3", false, ALL, SMTP_FAULT_UNKNOWN },
	{ "one of RCPT at MAIL", "FROM:<a@b> NOTIFY=NEVER", false, ALL, SMTP_FAULT_UNKNOWN },
	{ "one of MAIL at RCPT", "TO:<a@b> SIZE=1", true, ALL, SMTP_FAULT_UNKNOWN },
	{ "one that is not offered", "FROM:<a@b> SIZE=1", false, 0, SMTP_FAULT_UNKNOWN },
	{ "SMTPUTF8 that is not offered", "FROM:<\xc3\xa4@b> SMTPUTF8", false, SMTP_EXT_SIZE, SMTP_FAULT_UNKNOWN },
	{ "no name", "FROM:<a@b> =1", false, ALL, SMTP_FAULT_UNKNOWN },
	{ "SIZE without a value", "FROM:<a@b> SIZE", false, ALL, SMTP_FAULT_VALUE },
	{ "SIZE with an empty value", "FROM:<a@b> SIZE=", false, ALL, SMTP_FAULT_VALUE },
	{ "negative SIZE", "FROM:<a@b> SIZE=-1", false, ALL, SMTP_FAULT_VALUE },
	{ "SIZE of 21 digits", "FROM:<a@b> SIZE=100000000000000000000", false, ALL, SMTP_FAULT_VALUE },
	{ "SMTPUTF8 with a value", "FROM:<a@b> SMTPUTF8=yes", false, ALL, SMTP_FAULT_VALUE },
	{ "BINARYMIME", "FROM:<a@b> BODY=BINARYMIME", false, ALL, SMTP_FAULT_VALUE },
	{ "RET=ALL", "FROM:<a@b> RET=ALL", false, ALL, SMTP_FAULT_VALUE },
	{ "ENVID that is no xtext", "FROM:<a@b> ENVID=a+zz", false, ALL, SMTP_FAULT_VALUE },
	{ "ENVID with half an escape", "FROM:<a@b> ENVID=a+2", false, ALL, SMTP_FAULT_VALUE },
	{ "ENVID with =", "FROM:<a@b> ENVID=a=b", false, ALL, SMTP_FAULT_VALUE },
	{ "empty AUTH", "FROM:<a@b> AUTH=", false, ALL, SMTP_FAULT_VALUE },
	{ "SIZE twice", "FROM:<a@b> SIZE=1 size=1", false, ALL, SMTP_FAULT_TWICE },
	{ "NEVER and SUCCESS", "TO:<a@b> NOTIFY=NEVER,SUCCESS", true, ALL, SMTP_FAULT_VALUE },
	{ "an empty word in NOTIFY", "TO:<a@b> NOTIFY=SUCCESS,", true, ALL, SMTP_FAULT_VALUE },
	{ "unknown word in NOTIFY", "TO:<a@b> NOTIFY=ALWAYS", true, ALL, SMTP_FAULT_VALUE },
	{ "ORCPT without a type", "TO:<a@b> ORCPT=;a@b", true, ALL, SMTP_FAULT_VALUE },
	{ "ORCPT without an address", "TO:<a@b> ORCPT=rfc822;", true, ALL, SMTP_FAULT_VALUE },
	{ "ORCPT without a semicolon", "TO:<a@b> ORCPT=a@b", true, ALL, SMTP_FAULT_VALUE },
	{ "UTF-8 in an rfc822 ORCPT", "TO:<a@b> ORCPT=rfc822;\xc3\xa4@b", true, ALL, SMTP_FAULT_VALUE },
};

static void test_unlawful(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof unlawful / sizeof unlawful[0]; i++) {
		const struct row *row = &unlawful[i];
		struct smtp_mail  mail;
		struct smtp_rcpt  rcpt;
		enum smtp_fault   fault;
		if (row->rcpt)
			fault = smtp_rcpt_read(slice_str(row->args), row->extensions, ADDRESS_UTF8, &rcpt);
		else
			fault = smtp_mail_read(slice_str(row->args), row->extensions, 0, &mail);
		if (fault != row->fault)
			fail_msg("%s: %d", row->name, fault);
	}
}

/* The longest ENVID and ORCPT, and one more. */
static void test_bounds(void **state)
{
	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		struct buf       args = buf_make(2000);
		struct smtp_mail mail;
		struct smtp_rcpt rcpt;
		buf_put_str(&args, "FROM:<a@b> ENVID=");
		for (size_t i = 0; i < SMTP_ENVID_MAX + extra; i++)
			buf_put_byte(&args, 'x');
		assert_int_equal(smtp_mail_read(buf_slice(&args), ALL, 0, &mail),
		                 extra ? SMTP_FAULT_VALUE : SMTP_FAULT_NONE);
		buf_clear(&args);
		buf_put_str(&args, "TO:<a@b> ORCPT=rfc822;");
		for (size_t i = 7; i < SMTP_ORCPT_MAX + extra; i++)
			buf_put_byte(&args, 'x');
		assert_int_equal(smtp_rcpt_read(buf_slice(&args), ALL, 0, &rcpt),
		                 extra ? SMTP_FAULT_VALUE : SMTP_FAULT_NONE);
		buf_done(&args);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_rcpt),
		cmocka_unit_test(test_unlawful),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
