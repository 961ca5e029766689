/*
 * Between reading a URL and writing it: what comes from the text and what from the base. For url*.c alone.
 */
#ifndef LINK_URL_PLAN_H
#define LINK_URL_PLAN_H

#include "link/url.h"
#include "link/writer.h"

/* Where the parts of the result come from. */
enum url_authority {
	AUTHORITY_NONE,
	AUTHORITY_EMPTY,     /* an empty host */
	AUTHORITY_BASE,      /* user name, password, host and port of the base */
	AUTHORITY_TEXT,      /* user:password@host:port */
	AUTHORITY_FILE_HOST, /* a host and nothing else */
};

struct url_plan {
	const struct url  *base;
	struct slice       scheme;
	enum url_special   special;
	enum url_authority authority;
	struct slice       authority_text;
	struct slice       path_base; /* goes in front, serialised already; "" or "/..." */
	bool               path_shorten;
	bool               path_walk; /* walk over `path`, segment by segment */
	struct slice       path;      /* without its first slash */
	bool               opaque;
	struct slice       query;
	bool               has_query;
	bool               query_coded; /* it is the base's */
	struct slice       fragment;
	bool               has_fragment;
	uint32_t           flags;
};

/* The plan for `text`, which has been cleaned; plan->base is set. False: failure. */
bool url_plan_make(struct url_plan *plan, struct slice text);

/* A "/" to this scheme. Says so when it is the other one. */
bool url_is_slash(struct url_plan *plan, int byte);

/* Two code points: a letter and ":" or "|" (section 4.2, Windows drive letter). */
bool url_is_drive(struct slice s);

/* A serialised path that begins with a drive ("/C:", "/C:/x"): that segment, or nothing. */
struct slice url_drive_of(struct slice path);

/*
 * Write the whole into `out`, which has the room, and set all of *url. RC_SYNTAX: the authority is a failure; RC_LIMIT:
 * its host is too long; RC_NOMEM: no room.
 */
MUST_CHECK enum rc url_build(struct url_plan *plan, struct writer *out, struct url *url);

#endif
