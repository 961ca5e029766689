/* The bytes of a bundle and the values in it; between the files of this room only. settings/settings.h is for everyone. */
#ifndef SETTINGS_BUNDLE_H
#define SETTINGS_BUNDLE_H

#include "settings/sections.h"
#include "settings/settings.h"

/* A bundle taken apart; everything borrowed from its bytes, the array of files from the arena. */
struct settings_parts {
	struct slice            path;
	struct slice            text;
	const struct gate_file *files;
	size_t                  file_count;
};

/* Write a bundle. Check out->failed. */
void settings_parts_put(const struct settings_parts *parts, struct buf *out);
/* RC_SYNTAX: not such a bundle; RC_UNSUPPORTED: of another version; RC_LIMIT: too many files; RC_NOMEM. */
MUST_CHECK enum rc settings_parts_read(struct slice bundle, struct arena *arena, struct settings_parts *out);

/*
 * What the reader made of the text, named. RC_SYNTAX: [policy_for X] is for no direction, or for one twice; *ret_bad is its
 * index. digest_ready() was called; `digest` is that of the bundle.
 */
MUST_CHECK enum rc settings_join(const struct settings_parts *parts, const struct setting_values *values, struct settings *out,
                                 size_t *ret_bad);

#endif
