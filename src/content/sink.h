/*
 * What those who open attachments tell about them. An opener is given bytes, the budget and a sink, and calls the
 * sink for everything that it finds; it decides nothing. The same sink serves archives, documents and pictures, so
 * that whoever asks (scan/) walks through a zip in a presentation in a message with one piece of code.
 *
 * All slices are valid during the call only. All of them are hostile.
 */
#ifndef CONTENT_SINK_H
#define CONTENT_SINK_H

#include "base/rc.h"
#include "base/slice.h"
#include "content/budget.h"
#include "content/facts.h"

/* Something with bytes of its own, to be looked at in its turn: member of an archive, embedded object, picture. */
struct content_member {
	struct slice name;   /* UTF-8 as far as its charset is known, else its bytes; path separators as they stand; may be empty */
	struct slice bytes;  /* opened; as far as the budget went */
	struct slice kind;   /* a media type that the container claims for it, or empty */
	uint64_t     claimed; /* size that the container claims; 0: none */
	uint32_t     flags;  /* CONTENT_MEMBER_x */
};

#define CONTENT_MEMBER_ENCRYPTED 1u  /* it is, and could not be opened: `bytes` is empty */
#define CONTENT_MEMBER_CUT       2u  /* `bytes` is not all of it: the budget, or the container is damaged */
#define CONTENT_MEMBER_DAMAGED   4u  /* its checksum is wrong, or its data ends early */
#define CONTENT_MEMBER_UNREAD    8u  /* it is in a way that is recognised and cannot be read: `bytes` is empty */
#define CONTENT_MEMBER_LINK      16u /* a symbolic or hard link: `bytes` is its target */
#define CONTENT_MEMBER_PASSWORD  32u /* it was opened with a password */
#define CONTENT_MEMBER_SCRIPT    64u /* source text of a macro or script, in UTF-8 */
#define CONTENT_MEMBER_HIDDEN    128u /* stands where no reader of the container shows it (behind its end, in a gap) */

/* Where a text or an address was found. */
enum content_place {
	CONTENT_PLACE_BODY,      /* what its reader shows */
	CONTENT_PLACE_HIDDEN,    /* in the document, but not shown */
	CONTENT_PLACE_METADATA,  /* title, author, comments */
	CONTENT_PLACE_SCRIPT,    /* a macro or script names it */
	CONTENT_PLACE_REFERENCE, /* fetched by the reader by itself: template, picture, linked object */
	CONTENT_PLACE_CODE,      /* a QR or other code */
	CONTENT_PLACE_NAME,
	CONTENT_PLACES
};

struct content_sink {
	void *context;
	/* RC_OK: go on. Anything else: stop, and return that. */
	enum rc (*member)(void *context, const struct content_member *member);
	/* UTF-8, in pieces of any size; two pieces of one place join unless one ends in a line end. */
	enum rc (*text)(void *context, enum content_place place, struct slice text);
	/* An address as it stands there, not yet parsed; `shown`: the text that carries it, or empty. */
	enum rc (*link)(void *context, enum content_place place, struct slice address, struct slice shown);
	/* Something worth a finding; `evidence` at most CONTENT_EVIDENCE_MAX bytes. */
	enum rc (*fact)(void *context, enum content_fact fact, struct slice evidence);
};

#define CONTENT_EVIDENCE_MAX 200u

/*
 * The ways to call it. Each returns RC_OK, or what the sink returned: then stop and return that. A sink may leave out
 * what it does not want to hear (NULL). sink_member() takes one of BUDGET_ITEMS first, and returns RC_LIMIT when
 * there is none left; sink_fact() cuts the evidence to its bound.
 */
MUST_CHECK enum rc sink_member(const struct content_sink *sink, struct budget *budget, const struct content_member *member);
MUST_CHECK enum rc sink_text(const struct content_sink *sink, enum content_place place, struct slice text);
MUST_CHECK enum rc sink_link(const struct content_sink *sink, enum content_place place, struct slice address, struct slice shown);
MUST_CHECK enum rc sink_fact(const struct content_sink *sink, enum content_fact fact, struct slice evidence);

#endif
