/*
 * Signature rules over bytes: YARA's language, through libyara. Rules are made once, before the box closes, and never
 * change; a reader that scans has a scanner of its own on them. New rules are a new process's.
 *
 * A rule that cannot be compiled makes the whole set be refused, with the place: half a set is a gap that nobody sees.
 * `include` is refused (a rule set is what was handed in, and no file is opened). Every set holds one more rule, the
 * canary: yara_scanner_check() must find it, or "nothing found" means nothing.
 *
 * Source: the documentation of YARA 4.2.
 */
#ifndef SIGNATURE_YARA_H
#define SIGNATURE_YARA_H

#include "base/rc.h"
#include "base/slice.h"

#define YARA_SOURCES_MAX    1000u
#define YARA_SOURCE_BYTES   (16u << 20)
#define YARA_NAME_MAX       128u /* of a source, which is also the namespace of its rules */
#define YARA_MATCHES_MAX    256u /* rules told of one scan; further ones are counted only */
#define YARA_ERROR_TEXT_MAX 200u

struct yara_source {
	struct slice name; /* the file's name, for errors; 1 to YARA_NAME_MAX bytes, no NUL */
	struct slice text; /* no NUL */
};

/* What is wrong, and where. */
struct yara_error {
	char     source[YARA_NAME_MAX + 1];
	uint32_t line; /* 0: not of one line */
	char     text[YARA_ERROR_TEXT_MAX];
};

struct yara_rules;   /* opaque, read only once made */
struct yara_scanner; /* opaque, of one thread */

/*
 * Compile all sources into one set. The caller gives it back with yara_rules_drop(), after its scanners.
 *
 * RC_SYNTAX  a rule is not right, or a name or text holds a NUL; *error says what and where.
 * RC_LIMIT   too many sources, or one too large or with too long a name; *error says which.
 * RC_NOMEM
 */
MUST_CHECK enum rc yara_rules_make(const struct yara_source *sources, size_t count, struct yara_error *error, struct yara_rules **out);
void               yara_rules_drop(struct yara_rules **rules);
/* How many there are, without the canary. */
size_t yara_rules_count(const struct yara_rules *rules);

/* RC_NOMEM. */
MUST_CHECK enum rc yara_scanner_make(const struct yara_rules *rules, struct yara_scanner **out);
void               yara_scanner_drop(struct yara_scanner **scanner);

/* One rule that matched. Slices are valid during the call. */
struct yara_match {
	struct slice rule;
	struct slice source;   /* the name of the source that holds it */
	struct slice tags;     /* with blanks between, at most 255 bytes */
	int64_t      severity; /* its `severity` in meta, 0 to 100; 50 when it has none or another kind of one */
};

/*
 * Which matching rules there are in `bytes`; `name` is what rules see as the external variable `filename`. Private
 * rules are not told. A match stops being told, but not counted, at YARA_MATCHES_MAX.
 *
 * RC_OK        looked at whole; *ret_count rules matched.
 * RC_LIMIT     a rule's strings match beyond all measure: what was found so far has been told.
 * RC_TIMEOUT   YARA_SECONDS_MAX went by. A net below the one that counts: the caller's deadline.
 * RC_NOMEM, RC_IO (the library failed in another way)
 */
#define YARA_SECONDS_MAX 30
MUST_CHECK enum rc yara_scan(struct yara_scanner *scanner, struct slice name, struct slice bytes,
                             void (*told)(void *context, const struct yara_match *match), void *context, size_t *ret_count);

/* Is the canary found? */
bool yara_scanner_check(struct yara_scanner *scanner);

/* "4.2.3", for the engine's digest. */
const char *yara_version(void);

#endif
