/*
 * The whole settings file: the tables of all rooms joined, the files it names read beside it, both checked against each
 * other, and handed to the roles as one bundle of bytes that each of them parses for itself.
 *
 * settings_bundle_make() and settings_check() are for the supervisor and `hangu check`; settings_read() does no I/O and is
 * for every role. A bundle is immutable: a reload makes another one, and a wrong configuration makes none.
 *
 * Bundle, version 1 (base/cursor.h): u32 magic "HGS1", block path of the settings file, block its text, u32 count of files,
 * and for each: block path as written, block bytes.
 */
#ifndef SETTINGS_SETTINGS_H
#define SETTINGS_SETTINGS_H

#include "base/arena.h"
#include "config/config.h"
#include "records/settings.h"

#define SETTINGS_BUNDLE_MAX  ((size_t)128 << 20) /* bytes of a bundle: the text and all files */
#define SETTINGS_FILES_MAX   4096u               /* files one settings file may name */
#define SETTINGS_PATH_MAX    4096u               /* bytes of a path, with the folder of the settings file in front */
#define SETTINGS_ARENA_BYTES ((size_t)32 << 20)  /* enough for the structs of the largest file that can be read */

/* Who may sign certificates of next hops, when [tls] ca_file names nobody: read once, before the box closes. */
#define SETTINGS_SYSTEM_AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"

/* Everything that was written. All slices and arrays live in the bundle or in the arena it was read into. */
struct settings {
	struct gate_settings                gate;
	const struct records_settings      *records;
	const struct gate_metrics_settings *metrics;
	const struct gate_log_settings     *log;
};

/*
 * Read the settings file `path` and every file it names (relative names are looked for beside it), check all of it, and
 * append the bundle to `bundle` and what settings_check() noted to `notes`.
 *
 * RC_OK      *bundle holds it.
 * otherwise  *why holds lines for people, "hangu.conf:12:9: expected a size such as 50M, found 50MB", LF between, and bundle
 *            is as it was: RC_SYNTAX (the file), RC_CONFLICT (what contradicts itself), RC_IO or RC_DENIED or RC_NOTFOUND
 *            (a file that cannot be read), RC_LIMIT (too large), RC_NOMEM.
 * Does I/O.
 */
MUST_CHECK enum rc settings_bundle_make(const char *path, struct buf *bundle, struct buf *why, struct buf *notes);

/*
 * Check a bundle as settings_bundle_make() did: every error as a line of `errors`, and of `notes` what works but is seldom
 * meant (a certificate about to end, a hosted domain that accepts every name). RC_OK when there are no errors, RC_CONFLICT
 * when there are, RC_SYNTAX when the text itself cannot be read, RC_NOMEM. Ends with a trial of config/config.h's
 * config_make(), so what passes here is what the gate will take; reads SETTINGS_SYSTEM_AUTHORITIES for that. Needs digest_ready() and net_tls_ready().
 */
MUST_CHECK enum rc settings_check(struct slice bundle, int64_t now_s, struct buf *errors, struct buf *notes);

/*
 * Parse a bundle; no I/O. `out` borrows from `bundle`, which outlives it. RC_SYNTAX (not a bundle of ours, or text that
 * settings_check() would refuse line by line), RC_LIMIT, RC_NOMEM (the arena is full).
 */
MUST_CHECK enum rc settings_read(struct slice bundle, struct arena *arena, struct settings *out);

/* The same, only the gate's part: what config/config.h asks for. */
gate_settings_reader settings_read_gate;

/*
 * The bundle for those who need no secrets (supervisor, records): the same text with the lines of secret keys left out, and no
 * files. settings_read() takes it as any other. RC_SYNTAX, RC_LIMIT.
 */
MUST_CHECK enum rc settings_bundle_public(struct slice bundle, struct buf *out);

/* The manual of every key, in the form of a settings file: conf/hangu.conf is this text. */
void settings_manual(struct buf *out);

#endif
