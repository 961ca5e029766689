/*
 * One SMTP command line: found, checked for what no line may hold, and split into verb and arguments. What the
 * arguments mean is smtp/path.h, smtp/parameter.h and each verb's file.
 */
#ifndef SMTP_COMMAND_H
#define SMTP_COMMAND_H

#include "base/rc.h"
#include "base/slice.h"

/*
 * RFC 5321 section 4.5.3.1.4 asks for 512 octets with CRLF; SIZE, DSN, AUTH= and SMTPUTF8 add to it, Exchange's long
 * addresses and an AUTH PLAIN initial response more.
 */
#define SMTP_COMMAND_LINE_MAX 2048u

enum smtp_verb {
	SMTP_VERB_UNKNOWN,
	SMTP_VERB_HELO,
	SMTP_VERB_EHLO,
	SMTP_VERB_LHLO, /* LMTP, RFC 2033 */
	SMTP_VERB_MAIL,
	SMTP_VERB_RCPT,
	SMTP_VERB_DATA,
	SMTP_VERB_BDAT,
	SMTP_VERB_RSET,
	SMTP_VERB_NOOP,
	SMTP_VERB_QUIT,
	SMTP_VERB_VRFY,
	SMTP_VERB_EXPN,
	SMTP_VERB_HELP,
	SMTP_VERB_STARTTLS,
	SMTP_VERB_AUTH,
	SMTP_VERB_XCLIENT,
	SMTP_VERB_FOREIGN, /* another protocol speaking: "GET / HTTP/1.1", "Host: ..." */
	SMTP_VERB_COUNT
};

struct smtp_command {
	enum smtp_verb verb;
	struct slice   word; /* the verb as written */
	struct slice   args; /* what follows it, without white space at both ends; borrowed from the input */
};

/*
 * Take one line from the front of `*input`, without its CRLF.
 *
 * RC_OK      moves *input past the line end and sets *out.
 * RC_AGAIN   no line end yet.
 * RC_SYNTAX  a bare CR or LF (RFC 5321 section 2.3.8), or a NUL. With `lf_ends` a LF alone ends a line, too.
 * RC_LIMIT   more than `max` octets, line end included.
 * Only RC_OK writes *input or *out.
 */
MUST_CHECK enum rc smtp_line_take(struct slice *input, size_t max, bool lf_ends, struct slice *out);

/* Split a line into verb and arguments. Any line has an answer; a verb is letters only and is read without its case. */
struct smtp_command smtp_command_read(struct slice line);

/*
 * Take one command line: smtp_line_take() with SMTP_COMMAND_LINE_MAX and strict line ends, then smtp_command_read().
 * Source: RFC 5321 sections 2.3.8, 4.1.1, 4.5.3.1.4.
 */
MUST_CHECK enum rc smtp_command_take(struct slice *input, struct smtp_command *out);

/* "MAIL", "RCPT" ...; "unknown" and "foreign" for those two; never NULL. */
const char *smtp_verb_word(enum smtp_verb verb);

#endif
