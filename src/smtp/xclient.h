/*
 * XCLIENT (Postfix's XCLIENT_README): a listed proxy tells whom it speaks for. Attributes that are not given,
 * [UNAVAILABLE] or [TEMPUNAVAIL] stay unset.
 */
#ifndef SMTP_XCLIENT_H
#define SMTP_XCLIENT_H

#include "base/buf.h"
#include "mail/ip.h"

#define XCLIENT_NAME_MAX 255u /* bytes of NAME, HELO, LOGIN, REVERSE_NAME, decoded */

enum xclient_attribute {
	XCLIENT_NAME = 1 << 0,
	XCLIENT_ADDR = 1 << 1,
	XCLIENT_PORT = 1 << 2,
	XCLIENT_PROTO = 1 << 3,
	XCLIENT_HELO = 1 << 4,
	XCLIENT_LOGIN = 1 << 5,
	XCLIENT_DESTADDR = 1 << 6,
	XCLIENT_DESTPORT = 1 << 7,
	XCLIENT_REVERSE_NAME = 1 << 8,
};

struct xclient {
	unsigned     given;                           /* enum xclient_attribute joined: attributes with a value */
	unsigned     gone;                            /* attributes told to be unavailable: forget what was known */
	struct slice name, helo, login, reverse_name; /* decoded; in `texts` */
	struct ip    addr, destaddr;
	uint16_t     port, destport;
	bool         esmtp; /* PROTO=ESMTP */
};

/*
 * Read the arguments of XCLIENT. Decoded texts are appended to `texts` (borrowed by *out until it changes). RC_SYNTAX:
 * an attribute without value, a wrong value, control bytes; RC_UNSUPPORTED: an attribute we did not offer; RC_LIMIT:
 * too long, or `texts` is full. Only RC_OK writes *out.
 */
MUST_CHECK enum rc xclient_read(struct slice args, struct buf *texts, struct xclient *out);

#endif
