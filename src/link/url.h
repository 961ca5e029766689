/*
 * A URL as a browser reads it: the basic URL parser and the serialiser of the WHATWG URL Standard, without state
 * override (nobody here changes a URL piece by piece) and with UTF-8 as the only encoding. Bytes that are no UTF-8
 * are read as U+FFFD, as every browser does before it parses.
 *
 * Source: https://url.spec.whatwg.org/ sections 3.5, 4.4 and 4.5. What a link was found in, and whether it is bad, is
 * said elsewhere: link/find.h and link/facts.h.
 */
#ifndef LINK_URL_H
#define LINK_URL_H

#include "base/arena.h"
#include "base/rc.h"
#include "base/slice.h"

/* Longer text is refused with RC_LIMIT. Browsers take 2 MiB and more, but no mail reader's link is that long. */
#define URL_BYTES_MAX (1u << 20)

/* Section 4.2, special schemes: those whose URLs have a host, a path, and "\" for "/". */
enum url_special {
	URL_ORDINARY, /* every other scheme */
	URL_FTP,
	URL_FILE,
	URL_HTTP,
	URL_HTTPS,
	URL_WS,
	URL_WSS,
};

enum url_host {
	URL_HOST_NONE,   /* "mailto:x" */
	URL_HOST_EMPTY,  /* "file:///x" */
	URL_HOST_DOMAIN, /* ASCII, lower case, A-labels */
	URL_HOST_IPV4,
	URL_HOST_IPV6,
	URL_HOST_OPAQUE, /* of an ordinary scheme: percent-encoded, otherwise as written */
};

/* What the parser had to put right. They say how it was written, not what it means. */
#define URL_TRIMMED      (1u << 0)  /* control characters or spaces stood around it */
#define URL_LINE_BREAKS  (1u << 1)  /* tabs, CR or LF stood inside and were dropped */
#define URL_BACKSLASH    (1u << 2)  /* a "\" was read as "/" */
#define URL_SLASHES      (1u << 3)  /* not exactly two slashes behind the scheme */
#define URL_USERINFO     (1u << 4)  /* has a user name or password, or an "@" for an empty one */
#define URL_USERINFO_AT  (1u << 5)  /* an "@" inside the user name or password */
#define URL_PORT_GIVEN   (1u << 6)  /* a port stood there, perhaps the usual one, perhaps empty */
#define URL_HOST_ENCODED (1u << 7)  /* percent-encoded bytes in a host that is a domain or an address */
#define URL_HOST_MAPPED  (1u << 8)  /* letters outside ASCII in the host that became ASCII: full-width and the like */
#define URL_HOST_IDN     (1u << 9)  /* the host has an A-label ("xn--") */
#define URL_IPV4_NUMBER  (1u << 10) /* an IPv4 address not written as four decimal numbers */
#define URL_IPV4_HEX     (1u << 11) /* ... with a hexadecimal one */
#define URL_IPV4_OCTAL   (1u << 12) /* ... with an octal one */
#define URL_INVALID_UTF8 (1u << 13) /* some bytes were no UTF-8 */
#define URL_DRIVE_LETTER (1u << 14) /* a file URL's path begins with a drive ("C:") */

struct url {
	struct slice     href;     /* the whole, serialised; the slices below lie in it */
	struct slice     scheme;   /* lower case, without ":" */
	struct slice     username; /* percent-encoded */
	struct slice     password; /* percent-encoded */
	struct slice     host;     /* with "[...]" for IPv6 */
	struct slice     path;     /* with its first "/" unless opaque; may be empty for ordinary schemes */
	struct slice     query;    /* without "?" */
	struct slice     fragment; /* without "#" */
	int32_t          port;     /* -1: none, or the scheme's usual one */
	enum url_special special;
	enum url_host    host_kind;
	bool             has_query; /* "?" stands there, perhaps with nothing behind it */
	bool             has_fragment;
	bool             opaque_path; /* "mailto:x", "data:x": no base for others */
	uint32_t         flags;       /* URL_x, of this text alone, not of its base */
};

/*
 * Read `text` against `base` (NULL: there is none). The result lies in `arena` wholly, nothing borrows from `text` or
 * `base`. Takes time and memory linear in both, at most 10 * text + base + 4 KiB bytes (4 * text
 * where that is ASCII), what is not used is given back.
 *
 * RC_SYNTAX  a browser would refuse it ("failure").
 * RC_LIMIT   longer than URL_BYTES_MAX, or a host outside ASCII longer than IDNA_BYTES_MAX (link/idna.h).
 * RC_NOMEM   the arena is full.
 */
MUST_CHECK enum rc url_parse(struct slice text, const struct url *base, struct arena *arena, struct url *out);

/* The special scheme of that name (any case), or URL_ORDINARY. */
enum url_special url_special_of(struct slice scheme);

/* The usual port of a special scheme, or -1. */
int32_t url_port_usual(enum url_special special);

#endif
