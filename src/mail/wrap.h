/*
 * Parts that wrap other content in a way of their own, recognised by what they say and how they begin; opening them is
 * the business of other rooms.
 */
#ifndef MAIL_WRAP_H
#define MAIL_WRAP_H

#include "mail/message.h"

enum wrap {
	WRAP_NONE,
	WRAP_TNEF,            /* winmail.dat (MS-OXTNEF) */
	WRAP_OUTLOOK,         /* an Outlook item, .msg (MS-OXMSG) */
	WRAP_SMIME_ENCRYPTED, /* application/pkcs7-mime, enveloped or of unknown content (RFC 8551 section 3.5) */
	WRAP_SMIME_SIGNED,    /* opaque-signed: the content stands inside (RFC 8551 section 3.5.2) */
	WRAP_SIGNED,          /* multipart/signed: the content stands in the clear (RFC 1847, RFC 3156) */
	WRAP_ENCRYPTED,       /* multipart/encrypted (RFC 1847, RFC 3156) */
	WRAP_PGP_TEXT,        /* PGP armour in a text body, encrypted (RFC 9580 section 6.2) */
	WRAP_FRAGMENT,        /* message/partial (RFC 2046 section 5.2.2): never joined here */
	WRAP_EXTERNAL,        /* message/external-body (RFC 2046 section 5.2.3): never fetched */
	WRAP_REPORT,          /* multipart/report (RFC 6522) */
	WRAP_JOURNAL,         /* an Exchange journal report: the envelope as text, then the message */
	WRAPS
};

/* What part `part` of `message` is. Looks at its header and at the first bytes of its body, not decoding more. */
enum wrap wrap_of(const struct message *message, const struct message_part *part);

/* Nobody on the way can read it. */
bool wrap_hides(enum wrap wrap);

#endif
