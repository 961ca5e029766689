/*
 * The one set of answers of the whole house.
 *
 * A code tells the *caller* what it can do: go on, wait, refuse, retry later, give up. It does not tell where something
 * broke; a `struct fault` (base/fault.h) does that, for the one who logs. RC_OK is 0. On anything but RC_OK outputs are
 * untouched unless a header says otherwise.
 */
#ifndef BASE_RC_H
#define BASE_RC_H

enum rc {
	RC_OK = 0,
	RC_AGAIN,       /* not yet: more bytes, or a later moment, will decide */
	RC_SYNTAX,      /* the bytes break their grammar; more of them will not help */
	RC_LIMIT,       /* a named bound would be passed */
	RC_NOMEM,       /* a bounded store is full; refuse this one, keep serving */
	RC_NOTFOUND,    /* no such thing */
	RC_EXISTS,      /* it is there already */
	RC_DENIED,      /* not allowed */
	RC_UNSUPPORTED, /* well-formed, but nothing we do */
	RC_CONFLICT,    /* contradicts the present state */
	RC_BUSY,        /* someone else holds it; try later */
	RC_TIMEOUT,     /* its time ran out */
	RC_CLOSED,      /* the other side has gone, or end of input */
	RC_IO,          /* the operating system refused; errno tells the one who logs */
	RC_CORRUPT,     /* stored bytes do not match their checksum, digest or chain */
	RC_UNCERTAIN,   /* it may or may not have happened, and nobody can say which */
	RC_COUNT
};

/* The code as a fixed lower-case word ("ok", "again", ...); never NULL, "unknown" for a value out of range. */
const char *rc_word(enum rc rc);

/* For functions whose answer must not be dropped. */
#define MUST_CHECK __attribute__((warn_unused_result))

#endif
