/*
 * The order of commands: RFC 5321 section 4.1.4, with RFC 3030 section 2 (BDAT), RFC 3207 section 4 (STARTTLS), RFC
 * 4954 section 4 (AUTH) and XCLIENT.
 */
#ifndef SMTP_ORDER_H
#define SMTP_ORDER_H

#include "smtp/server.h"

/* What happens: a command that is accepted, or the end of a message. The columns of the table. */
enum smtp_on {
	ON_HELLO, /* EHLO, HELO, LHLO */
	ON_STARTTLS,
	ON_AUTH,
	ON_XCLIENT,
	ON_MAIL,
	ON_RCPT,
	ON_DATA,
	ON_BDAT,
	ON_END, /* the message's last byte was answered, or it was refused */
	ON_RSET,
	ON_COUNT
};

/* Is it legal at this place? If so *out is where the session stands once it is accepted. */
MUST_CHECK bool smtp_order(enum smtp_at at, enum smtp_on on, enum smtp_at *out);

#endif
