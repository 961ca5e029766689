/*
 * What stands inside a data: URL: the bytes that a browser would show or run, and the type it would take them for.
 *
 * Source: WHATWG Fetch, "data: URL processor"; Infra, "forgiving-base64 decode"; MIME Sniffing, section 4.4 and 4.5.
 */
#ifndef LINK_DATA_H
#define LINK_DATA_H

#include "base/arena.h"
#include "base/rc.h"
#include "base/slice.h"

/* Bytes of a type that is read. */
#define DATA_TYPE_MAX       8192u
/* Bytes of a data: URL between its scheme and its comma. */
#define DATA_HEAD_MAX       800u
/* Parameters of a type that are kept. */
#define DATA_PARAMETERS_MAX 32u

struct data_url {
	struct slice type;   /* "text/html;charset=utf-8", serialised */
	struct slice bytes;  /* decoded */
	bool         base64; /* it was */
};

/*
 * Read `text`, an attribute's value as it stands; the length of URLs (URL_BYTES_MAX) does not count here unless a "/"
 * follows the scheme. Linear; takes at most 4 * text + 64 KiB of `arena`. A fragment is not part of the content.
 *
 * RC_UNSUPPORTED  not a data: URL.
 * RC_SYNTAX       a browser shows nothing: no comma, broken base64, or no URL.
 * RC_LIMIT        the type is longer than DATA_HEAD_MAX.
 * RC_NOMEM.
 */
MUST_CHECK enum rc data_url_read(struct slice text, struct arena *arena, struct data_url *out);

/*
 * Parse a MIME type as browsers do and serialise it again: lower case, each parameter once, quoted where need be.
 * RC_SYNTAX: none; RC_LIMIT: longer than DATA_TYPE_MAX; RC_NOMEM.
 */
MUST_CHECK enum rc data_type_read(struct slice text, struct arena *arena, struct slice *out);

#endif
