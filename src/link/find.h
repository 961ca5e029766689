/*
 * Links and mail addresses in plain text, as mail clients make them clickable and as people type them: with a scheme,
 * with "www.", as a bare domain of a known registry, and disguised ("hxxp", "[.]", "dot", full-width letters, spaces
 * between letters, split over lines).
 *
 * What a client and a person would take differs; each find says how sure it is. Where text has two readings (Chinese
 * letters directly behind a path, a line end inside a link), the shorter comes first and the longer follows as a find
 * of its own with LINK_LONGER. Source of the clickable part: RFC 3986 appendix C and what common linkifiers share.
 */
#ifndef LINK_FIND_H
#define LINK_FIND_H

#include "base/arena.h"
#include "link/suffix.h"
#include "link/url.h"

/* Characters of one link; a longer one is cut there and has LINK_CUT. */
#define LINK_CHARACTERS_MAX 4096u

enum link_kind {
	LINK_URL,   /* with a host */
	LINK_EMAIL, /* "mailto:" in `written` even when the text has none */
	LINK_OTHER, /* tel:, sms:, weixin: and the like */
};

enum link_certainty {
	LINK_GUESS,  /* only a person makes a link of it */
	LINK_LIKELY, /* some clients do: a bare address of four numbers, a name that may be a file's */
	LINK_SURE,   /* most clients make it clickable */
};

/* How it was written. */
#define LINK_NO_SCHEME   (1u << 0)  /* the scheme in `written` is ours */
#define LINK_FAKE_SCHEME (1u << 1)  /* hxxp, h**p, "[:]//", an unknown one */
#define LINK_DOT_WORD    (1u << 2)  /* "dot", "[.]", "(dot)" and the like stand for a dot */
#define LINK_AT_WORD     (1u << 3)  /* "at", "[at]", "(@)" stand for an at sign */
#define LINK_WIDE        (1u << 4)  /* full-width letters or dots, letters of mathematics */
#define LINK_INVISIBLE   (1u << 5)  /* characters without width inside */
#define LINK_SPACED      (1u << 6)  /* spaces inside the host */
#define LINK_FOLDED      (1u << 7)  /* goes over a line end */
#define LINK_LONGER      (1u << 8)  /* another reading of the find before it, with the same start */
#define LINK_CUT         (1u << 9)  /* longer than LINK_CHARACTERS_MAX */
#define LINK_ADJACENT    (1u << 10) /* letters of another script stand directly before or behind */
#define LINK_IN_WORD     (1u << 11) /* letters stand directly before the scheme */
#define LINK_FILE_NAME   (1u << 12) /* may as well be the name of a file */
#define LINK_SENTENCE    (1u << 13) /* may as well be two sentences without a space between */

struct link_found {
	size_t              offset;  /* in the text */
	size_t              size;    /* bytes there */
	struct slice        written; /* as one would type it: disguises undone, scheme added, case kept */
	struct url          url;     /* of `written` */
	enum link_kind      kind;
	enum link_certainty certainty;
	uint32_t            flags; /* LINK_x */
};

struct link_finder; /* opaque; in the arena */

/*
 * Begin with `text` (UTF-8; other bytes end a link). `text` and `list` are borrowed until the last link_find_next().
 * RC_NOMEM: takes about 80 KiB of `arena`.
 */
MUST_CHECK enum rc link_find_open(struct slice text, const struct suffix_list *list, struct arena *arena,
                                  struct link_finder **out);

/*
 * The next find in order of offset, its slices in `arena`. RC_CLOSED: there are no more. RC_NOMEM.
 *
 * Time: linear in the text for all calls together; a character is looked at a bounded number of times.
 */
MUST_CHECK enum rc link_find_next(struct link_finder *finder, struct arena *arena, struct link_found *out);

#endif
