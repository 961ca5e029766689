/*
 * Arguments of MAIL and RCPT: path and ESMTP parameters. RFC 5321 section 4.1.2, RFC 1870 (SIZE), RFC 6152 (BODY), RFC
 * 6531 (SMTPUTF8), RFC 3461 (RET ENVID NOTIFY ORCPT), RFC 4954 (AUTH=).
 */
#ifndef SMTP_PARAMETER_H
#define SMTP_PARAMETER_H

#include "mail/address.h"

#define SMTP_ENVID_MAX 100u /* RFC 3461 section 5.4, encoded */
#define SMTP_ORCPT_MAX 500u /* RFC 3461 section 4.2, encoded, type included */

enum smtp_body {
	SMTP_BODY_UNSAID,
	SMTP_BODY_7BIT,
	SMTP_BODY_8BITMIME,
};

enum smtp_ret {
	SMTP_RET_UNSAID,
	SMTP_RET_FULL,
	SMTP_RET_HDRS,
};

enum smtp_notify {
	SMTP_NOTIFY_UNSAID = 0,
	SMTP_NOTIFY_NEVER = 1 << 0,
	SMTP_NOTIFY_SUCCESS = 1 << 1,
	SMTP_NOTIFY_FAILURE = 1 << 2,
	SMTP_NOTIFY_DELAY = 1 << 3,
};

/* What is offered decides what may be asked for: a parameter of an extension that was not offered is unknown (555). */
enum smtp_extension {
	SMTP_EXT_PIPELINING = 1 << 0,
	SMTP_EXT_SIZE = 1 << 1,
	SMTP_EXT_8BITMIME = 1 << 2,
	SMTP_EXT_CHUNKING = 1 << 3,
	SMTP_EXT_ENHANCED = 1 << 4, /* ENHANCEDSTATUSCODES */
	SMTP_EXT_DSN = 1 << 5,
	SMTP_EXT_SMTPUTF8 = 1 << 6,
	SMTP_EXT_STARTTLS = 1 << 7,
	SMTP_EXT_AUTH = 1 << 8,
	SMTP_EXT_XCLIENT = 1 << 9,
};

/* MAIL FROM: borrowed from the line. */
struct smtp_mail {
	struct address sender; /* ADDRESS_IS_NULL for "<>" */
	uint64_t       size;   /* as declared; 0: not said */
	enum smtp_body body;
	enum smtp_ret  ret;
	struct slice   envid; /* xtext, checked, still encoded; empty: none */
	struct slice   auth;  /* AUTH=, xtext, checked, still encoded; "<>" when unknown; empty: none */
	bool           smtputf8;
};

/* RCPT TO: borrowed from the line. */
struct smtp_rcpt {
	struct address recipient;
	unsigned       notify; /* enum smtp_notify joined */
	struct slice   orcpt;  /* "rfc822;xtext" or "utf-8;...", checked, still encoded; empty: none */
};

/* Why arguments were refused; each has one reply in smtp/server_reply.c. */
enum smtp_fault {
	SMTP_FAULT_NONE,
	SMTP_FAULT_FORM,    /* not "FROM:<...>" or "TO:<...>": 501 5.5.4 */
	SMTP_FAULT_ADDRESS, /* the path breaks its grammar: 501 5.1.7 / 5.1.3 */
	SMTP_FAULT_LONG,    /* a part of the path is too long: 501 5.1.7 / 5.1.3 */
	SMTP_FAULT_UTF8,    /* UTF-8 without SMTPUTF8: 553 5.6.7 */
	SMTP_FAULT_UNKNOWN, /* a parameter we did not offer: 555 5.5.4 */
	SMTP_FAULT_VALUE,   /* a parameter's value is wrong: 501 5.5.4 */
	SMTP_FAULT_TWICE,   /* a parameter stands twice: 501 5.5.4 */
	SMTP_FAULT_COUNT
};

/*
 * Read the arguments of MAIL / RCPT (all that follows the verb). Anything but SMTP_FAULT_NONE leaves *out untouched.
 * `extensions`: enum smtp_extension joined. `address_flags`: of enum address_flag, ADDRESS_LONG and ADDRESS_UTF8 count;
 * for MAIL, UTF-8 is judged by the command's own SMTPUTF8.
 */
MUST_CHECK enum smtp_fault smtp_mail_read(struct slice args, unsigned extensions, unsigned address_flags,
                                          struct smtp_mail *out);
MUST_CHECK enum smtp_fault smtp_rcpt_read(struct slice args, unsigned extensions, unsigned address_flags,
                                          struct smtp_rcpt *out);

#endif
