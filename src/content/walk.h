/*
 * Through a thing in a thing in a thing: sniff what is there, show it to the visitor, let every opener that knows its kind
 * open it, and do the same with each member that comes out. Depth is the budget's. A file that contains itself is told as a
 * bomb and not entered again, and so is a member that is larger, against the file at the root, than one stream may be against its
 * input (content/meter.h): layers that expand a little each add up.
 */
#ifndef CONTENT_WALK_H
#define CONTENT_WALK_H

#include "content/sink.h"
#include "content/sniff.h"

/*
 * Opens `bytes` if one of `kinds` is its own; else RC_UNSUPPORTED. RC_LIMIT: its budget ended it; other answers end
 * the walk.
 */
struct content_opener {
	void *context;
	enum rc (*open)(void *context, struct slice bytes, const struct sniff *kinds, struct budget *budget,
	                const struct content_sink *sink);
};

struct walk_plan {
	const struct content_opener *openers;
	size_t                       opener_count;
	struct budget               *budget;
	/*
	 * Told of every member before it is opened, the one at the root first (depth 0). RC_OK: open it; RC_DENIED: do not;
	 * anything else ends the walk (RC_LIMIT and RC_UNSUPPORTED are not for it to answer). May be NULL.
	 */
	enum rc (*visit)(void *context, const struct content_member *member, const struct sniff *kinds, unsigned depth);
	void                        *context;
	const struct content_sink   *sink; /* hears texts, links and facts of all levels; its member() is not called */
};

/*
 * Walk from `root`, whose name, kind and bytes count. RC_OK, also when a limit cut it (the budget tells); RC_NOMEM; or
 * what a visitor or the sink answered. Recursion is as deep as the budget's depth, at most 64.
 */
MUST_CHECK enum rc content_walk(const struct walk_plan *plan, const struct content_member *root);

#endif
