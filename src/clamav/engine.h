/*
 * libclamav behind a narrow door: signatures from folders, then bytes from memory. Everything that is opened is opened
 * by engine_load(), before the box closes; what scans later is a child that was forked from the one that loaded.
 *
 * libclamav fails open: with an unusable folder for its temporary files it finds everything clean. So every engine holds
 * one signature of our own, the canary, whose test file is a gzip: engine_check() has to find it inside, which also proves that the
 * temporary folder can be written. Without it no answer counts.
 *
 * Signatures: the vendor's databases (.cvd, .cld, ...) as the customer's mirror keeps them, and the administrator's own
 * (.ndb, .hdb, .hsb, .yara ...). No bytecode is run that its vendor has not signed, and none is compiled to machine code.
 */
#ifndef CLAMAV_ENGINE_H
#define CLAMAV_ENGINE_H

#include "antivirus/wire.h"
#include "base/rc.h"
#include "base/slice.h"

#define ENGINE_FOLDERS_MAX 8u

struct engine_limits {
	uint64_t bytes;      /* looked at in one file, all that is unpacked of it together */
	uint64_t file_bytes; /* of one file, or member of it */
	uint32_t files;      /* members */
	uint32_t depth;
	uint32_t time_ms;    /* a net below the asker's own deadline */
};

#define ENGINE_LIMITS_STANDARD \
	((struct engine_limits){ .bytes = UINT64_C(400) << 20, .file_bytes = UINT64_C(100) << 20, .files = 10000, .depth = 17, .time_ms = 30000 })

struct engine_options {
	const char          *folders[ENGINE_FOLDERS_MAX]; /* of signatures; one that is not there or empty is an error */
	size_t               folder_count;                /* may be 0: then only the canary is known */
	const char          *temporary;                   /* an own, empty folder, best on a tmpfs */
	struct engine_limits limits;
};

struct engine; /* opaque */

/*
 * Load all signatures. `why` (bounded by the caller) gets a sentence when it fails.
 * RC_NOTFOUND: a folder is not there, or holds no signatures; RC_CORRUPT: a database is damaged, or not signed by whom it says;
 * RC_SYNTAX: a signature of the administrator's own is not right; RC_NOMEM; RC_IO.
 */
MUST_CHECK enum rc engine_load(const struct engine_options *options, struct buf *why, struct engine **out);
void               engine_drop(struct engine **engine);

/*
 * From now on temporary files go there. For each process that scans a folder of its own: processes forked from one another draw
 * the same names. RC_NOMEM.
 */
MUST_CHECK enum rc engine_temporary(struct engine *engine, const char *path);

/* Look at `bytes`: *answer's result, signature, engine and database. The slices live until the next call. Never fails but by saying so. */
void engine_scan(struct engine *engine, struct slice bytes, struct slice name, struct av_answer *answer);

/* Is the canary found in its file, and not in an empty one? */
bool engine_check(struct engine *engine);

/* What every answer says of the engine. */
void engine_describe(const struct engine *engine, struct av_answer *answer);

#endif
