/*
 * Hosts: WHATWG URL Standard section 3.5. For url.c alone.
 */
#ifndef LINK_URL_HOST_H
#define LINK_URL_HOST_H

#include "link/url.h"
#include "link/writer.h"

/* What a host may need of room beside 3 * its text: the longest that link/idna.h writes, and any address. */
#define URL_HOST_ROOM 4096u

/*
 * Append the serialised host to `out`. `opaque`: the scheme is an ordinary one. Adds URL_x to *flags. RC_SYNTAX:
 * failure; RC_LIMIT: too long outside ASCII. `text` is not empty.
 */
MUST_CHECK enum rc url_host_write(struct slice text, bool opaque, struct writer *out, enum url_host *kind,
                                  uint32_t *flags);

/* Percent-encode sets, section 1.3. Every byte above "~" is in all of them. */
enum url_set {
	URL_SET_C0,
	URL_SET_FRAGMENT,
	URL_SET_QUERY,
	URL_SET_SPECIAL_QUERY,
	URL_SET_PATH,
	URL_SET_USERINFO,
};

/* Append `text`, percent-encoding what is in `set`; what is no UTF-8 becomes U+FFFD and sets URL_INVALID_UTF8. */
void url_encode(struct slice text, enum url_set set, struct writer *out, uint32_t *flags);

#endif
