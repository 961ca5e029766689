/*
 * What stands behind a link that leads through somebody else: rewriting gateways (Safe Links and its like),
 * redirectors of search engines and social networks, open redirects, URLs inside URLs. Undone from the text alone, by
 * one table; nothing is ever fetched. Shorteners and wrappers that keep their target to themselves are named.
 */
#ifndef LINK_UNWRAP_H
#define LINK_UNWRAP_H

#include "base/arena.h"
#include "link/url.h"

/* Targets for one link, those of targets included, and how deep they nest. */
#define UNWRAP_TARGETS_MAX 16u
#define UNWRAP_DEPTH_MAX   6u
/* Bytes of one value that is taken for a URL. */
#define UNWRAP_VALUE_MAX   16384u
/* Bytes of a URL that is looked into; in a longer one nothing is looked for, and `cut` is set. */
#define UNWRAP_URL_MAX     65536u

enum unwrap_kind {
	UNWRAP_WRAPPER,    /* of a mail security product: it checks, then leads on */
	UNWRAP_REDIRECTOR, /* a known service that leads on */
	UNWRAP_CANDIDATE,  /* any site, with a URL in a parameter or in its path: it may lead there */
	UNWRAP_SHORTENER,  /* leads somewhere else; where, is not in the text */
	UNWRAP_OPAQUE,     /* a wrapper or redirector whose target is not in the text */
};

struct unwrap_target {
	const char      *by; /* our name for the service ("safelinks"), or "parameter", "path", "fragment" */
	enum unwrap_kind kind;
	bool             has_url; /* false: only the kind is known */
	struct url       url;     /* in the arena */
	size_t           depth;   /* 1: of the link itself */
	size_t           parent;  /* index of the target it was found in, or UNWRAP_TARGETS_MAX for the link */
};

struct unwrap {
	struct unwrap_target items[UNWRAP_TARGETS_MAX];
	size_t               count;
	bool                 cut; /* there was more than the bounds allow */
};

/*
 * All targets of `url`, nearest first. RC_NOMEM leaves *out unset.
 *
 * Time: at most UNWRAP_TARGETS_MAX + 1 URLs are looked at, each linear in its length times three (values may be
 * percent-encoded again and again; three times are undone).
 */
MUST_CHECK enum rc unwrap_url(const struct url *url, struct arena *arena, struct unwrap *out);

#endif
