/*
 * Mail addresses in their two places: the path of an SMTP command (strict, one), and the address list of a header field
 * (lenient, many, with every oddity told). Nothing here allocates but in the arena given; nothing looks anything up.
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include "base/arena.h"
#include "base/buf.h"
#include "mail/ip.h"

/* --- Paths: RFC 5321 section 4.1.2, RFC 6531 section 3.3 --- */

#define ADDRESS_LOCAL_MAX 64u  /* RFC 5321 section 4.5.3.1.1, as written, quotes included */
#define ADDRESS_PATH_MAX  256u /* RFC 5321 section 4.5.3.1.3: with "<" and ">"; a source route counts for itself */
#define ADDRESS_LONG_LOCAL_MAX \
	315u                    /* Exchange's encapsulated addresses (IMCEA): 571 octets in all, 255 of them
                                       domain, one "@" */
#define ADDRESS_ROUTE_MAX 1024u /* of an obsolete source route "@a,@b:"; it is read, checked and left out */

enum address_flag {
	ADDRESS_UTF8 = 1 << 0,       /* bytes above 0x7f may occur, as well-formed UTF-8 (SMTPUTF8 was asked for) */
	ADDRESS_LONG = 1 << 1,       /* a local part up to ADDRESS_LONG_LOCAL_MAX: peers that are Exchange servers */
	ADDRESS_NULL = 1 << 2,       /* "<>" is legal (reverse-path) */
	ADDRESS_POSTMASTER = 1 << 3, /* "<postmaster>" without a domain is legal, any case (forward-path) */
	ADDRESS_BARE = 1 << 4,       /* the angle brackets may be missing: many devices leave them out */
};

enum address_kind {
	ADDRESS_IS_NULL,    /* "<>": local and domain empty */
	ADDRESS_IS_HOSTED,  /* local@domain */
	ADDRESS_IS_LITERAL, /* local@[192.0.2.1] or local@[IPv6:...]; `ip` is set. Other tags are not registered:
	                       refused */
	ADDRESS_IS_LOCAL,   /* "postmaster" without a domain */
};

/* A mailbox, borrowed from the text it was read from. */
struct address {
	struct slice      local;  /* as written, quotes and backslashes included */
	struct slice      domain; /* as written; a literal with its brackets */
	struct ip         ip;     /* of an address literal */
	enum address_kind kind;
	bool              quoted; /* the local part is a quoted string */
	bool              utf8;   /* holds a byte above 0x7f */
	bool              routed; /* a source route stood in front and was left out (RFC 5321 appendix F.2) */
};

/*
 * Take a path from the front of `*input`: moves *input past it; what follows (a space and parameters, or nothing) is
 * the caller's.
 *
 * RC_SYNTAX       not a path. RC_LIMIT: a part is longer than its bound.
 * RC_UNSUPPORTED  it would be one if ADDRESS_UTF8 were among the flags (RFC 6531 section 3.5: answer 553 5.6.7).
 * Only RC_OK writes. `flags`: enum address_flag joined.
 */
MUST_CHECK enum rc address_path_take(struct slice *input, unsigned flags, struct address *out);

/* All of `text` is one path. */
MUST_CHECK enum rc address_path_read(struct slice text, unsigned flags, struct address *out);

/* All of `text` is one mailbox without angle brackets ("local@domain"): for settings, lists, ORCPT. */
MUST_CHECK enum rc address_mailbox_read(struct slice text, unsigned flags, struct address *out);

/* Append the path without brackets as it is sent on: "local@domain", "postmaster", or nothing for the null path. */
void address_write(const struct address *address, struct buf *out);

/* Append the local part as it is meant: without quotes and backslashes. */
void address_local_write(const struct address *address, struct buf *out);

/*
 * Append the form in which two spellings of one mailbox are equal: local part as meant, ASCII letters in lower case (no
 * mail system we stand before tells them apart), "@", and domain_ascii(). RC_LIMIT when `out` is full or the domain has
 * no ASCII form; `out` then keeps what it had. A local part that only quotes can hold stays quoted, so that the text
 * names one mailbox only.
 */
MUST_CHECK enum rc address_key(const struct address *address, struct buf *out);

/* --- Address lists of header fields: RFC 5322 sections 3.4 and 4.4, RFC 6532 --- */

#define ADDRESS_LIST_BYTES_MAX \
	(1u << 18)                       /* of one field body; longer ones are read up to here and marked
                                             ADDRESS_ODD_LIMIT */
#define ADDRESS_LIST_COUNT_MAX    10000u /* addresses in one list */
#define ADDRESS_COMMENT_DEPTH_MAX 64u    /* nested comments */

/*
 * What is odd about an address or a list. None of them stops the reader; a filter asks whether two readers could see
 * two senders. Those from ADDRESS_ODD_BROKEN on break the grammar, obsolete forms included; the others are lawful but
 * rare, or obsolete.
 */
enum address_oddity {
	ADDRESS_ODD_COMMENT = 1 << 0,    /* a comment stands somewhere */
	ADDRESS_ODD_ROUTE = 1 << 1,      /* obsolete source route inside the brackets */
	ADDRESS_ODD_SPACED = 1 << 2,     /* white space or a comment inside the address (obs-local-part, obs-domain) */
	ADDRESS_ODD_EMPTY_ITEM = 1 << 3, /* ", ," (obs-addr-list) */
	ADDRESS_ODD_QUOTED = 1 << 4,     /* the local part is quoted */
	ADDRESS_ODD_LITERAL = 1 << 5,    /* the domain is an address literal */
	ADDRESS_ODD_UTF8 = 1 << 6,       /* a byte above 0x7f, well-formed UTF-8 */
	ADDRESS_ODD_PHRASE_DOT = 1 << 7, /* a full stop in an unquoted display name (obs-phrase) */
	ADDRESS_ODD_GROUP = 1 << 8,      /* the list holds a group */
	ADDRESS_ODD_LONG = 1 << 9,       /* longer than SMTP could carry */
	ADDRESS_ODD_CONTROL = 1 << 10,   /* a control byte that obsolete syntax lets stand */

	ADDRESS_ODD_BROKEN = 1 << 16,     /* the first of those that break the grammar: something that fits no rule
	                                     below */
	ADDRESS_ODD_NUL = 1 << 17,        /* a NUL byte */
	ADDRESS_ODD_8BIT = 1 << 18,       /* a byte above 0x7f that is not UTF-8 */
	ADDRESS_ODD_UNCLOSED = 1 << 19,   /* a quote, comment, literal, angle bracket or group without its end */
	ADDRESS_ODD_NO_DOMAIN = 1 << 20,  /* a local part alone */
	ADDRESS_ODD_NO_LOCAL = 1 << 21,   /* "@domain" */
	ADDRESS_ODD_MANY_AT = 1 << 22,    /* more than one "@" in an address */
	ADDRESS_ODD_TWO_ANGLES = 1 << 23, /* more than one <...> in one item */
	ADDRESS_ODD_TRAILING = 1 << 24,   /* text after the closing bracket */
	ADDRESS_ODD_NO_COMMA = 1 << 25,   /* two addresses with only white space between */
	ADDRESS_ODD_NAME_AT = 1 << 26,    /* an unquoted "@" in the display name */
	ADDRESS_ODD_DOMAIN = 1 << 27,     /* the domain is no domain name */
	ADDRESS_ODD_LOCAL = 1 << 28,      /* the local part is neither a dot-atom nor quoted */
	ADDRESS_ODD_LIMIT = 1 << 29,      /* a bound above was passed; the rest was not read */
};

struct address_item {
	struct slice name;     /* display name with quotes, backslashes and folding taken out, words one space apart;
	                         RFC 2047 words as they stand. Without one, the text of the last comment
	                         ("jdoe@a.example (John Doe)") */
	struct slice local;    /* as meant, without quotes; empty when there is none */
	struct slice domain;   /* without white space and comments; a literal with its brackets; empty when there is
	                         none */
	struct slice group;    /* name of the group it stands in; empty outside */
	struct slice raw;      /* the bytes of this item in the field, trimmed; borrowed */
	uint32_t     oddities; /* enum address_oddity joined */
	bool         named;    /* `name` is a display name, not a comment */
};

struct address_list {
	const struct address_item *items; /* in the arena */
	size_t                     count;
	size_t                     groups;   /* groups seen, empty ones too */
	uint32_t                   oddities; /* of all items and of the list itself */
};

/*
 * Read a whole field body (folded or not, with or without its last CRLF). It always gives the best reading of every
 * item; only the arena can fail it: RC_NOMEM, *out untouched. An empty body gives a count of 0. Texts live in the arena
 * or borrow from `body`.
 */
MUST_CHECK enum rc address_list_read(struct slice body, struct arena *arena, struct address_list *out);

#endif
