/*
 * What a scan found in one message: a bounded list of typed findings, and facts that others need (trace, header
 * firewall, loop detection, line rules of the next hop). This is the only thing that leaves the scanner's box;
 * scan/wire.h is its form on the wire. Later work adds kinds to the table below and facts behind the present ones;
 * nothing else about the list changes.
 *
 * Everything here is a function of the message's bytes and the options alone: no clock, no network, no randomness.
 */
#ifndef SCAN_FINDINGS_H
#define SCAN_FINDINGS_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/rc.h"
#include "base/slice.h"

/* What a finding's `evidence` holds. It is always a copy of at most FINDING_EVIDENCE_MAX bytes and always hostile. */
enum finding_evidence {
	EVIDENCE_NONE,  /* empty */
	EVIDENCE_FIELD, /* the name of a header field, as written */
	EVIDENCE_BYTES, /* bytes of the message where the finding stands */
	EVIDENCE_NAME,  /* an attachment's name, decoded to UTF-8 (bytes of an unknown charset as they are) */
	EVIDENCE_COUNT
};

/* What a finding's `value` is. */
enum finding_value {
	VALUE_NONE,     /* 0 */
	VALUE_COUNT_OF, /* how many there are */
	VALUE_BYTES,    /* a size in bytes */
	VALUE_BYTE,     /* one byte or Unicode code point */
	VALUE_LIMIT,    /* the limit that was met */
	VALUE_KINDS
};

/*
 * THE table: enumerator, name, evidence, value, meaning. The order is the number on the wire, so kinds are only ever
 * added at the end of this list, never moved or removed. docs/findings.md is written from it and a test compares the
 * two.
 */
/* clang-format off: a table */
#define FINDING_TABLE(X)                                                                                              \
	X(HEADER_FROM_MISSING, "header.from_missing", NONE, NONE, "The message has no From field.")                   \
	X(HEADER_FROM_DUPLICATE, "header.from_duplicate", FIELD, COUNT_OF,                                            \
	  "There is more than one From field; readers show different ones.")                                          \
	X(HEADER_FROM_MALFORMED, "header.from_malformed", BYTES, NONE,                                                \
	  "No author address can be read from the From field.")                                                       \
	X(HEADER_FROM_AMBIGUOUS, "header.from_ambiguous", BYTES, NONE,                                                \
	  "Common readers take different author addresses from the From field.")                                      \
	X(HEADER_FROM_SEVERAL, "header.from_several", BYTES, COUNT_OF,                                                \
	  "The From field names more than one author address.")                                                       \
	X(HEADER_SENDER_MISSING, "header.sender_missing", NONE, NONE,                                                 \
	  "Several authors, but no Sender field (RFC 5322 section 3.6.2).")                                           \
	X(HEADER_DUPLICATE, "header.duplicate", FIELD, COUNT_OF,                                                      \
	  "A field that may stand once stands several times (RFC 5322 section 3.6).")                                 \
	X(HEADER_DATE_MISSING, "header.date_missing", NONE, NONE, "The message has no Date field.")                   \
	X(HEADER_DATE_MALFORMED, "header.date_malformed", BYTES, NONE, "The Date field holds no date.")               \
	X(HEADER_MESSAGE_ID_MISSING, "header.message_id_missing", NONE, NONE, "The message has no Message-ID field.") \
	X(HEADER_MESSAGE_ID_MALFORMED, "header.message_id_malformed", BYTES, NONE,                                    \
	  "The Message-ID field holds no message identifier.")                                                        \
	X(HEADER_NUL, "header.nul", FIELD, NONE, "A header field holds a NUL byte.")                                  \
	X(HEADER_8BIT, "header.8bit", FIELD, NONE, "A header field holds 8-bit bytes that are not UTF-8.")            \
	X(HEADER_CONTROL, "header.control", FIELD, BYTE, "A header field holds a control character.")                 \
	X(HEADER_BARE_CR, "header.bare_cr", FIELD, NONE,                                                              \
	  "A CR without LF stands inside a header field; some readers end the line there.")                           \
	X(HEADER_LINE_LONG, "header.line_long", FIELD, BYTES,                                                         \
	  "A header line is longer than 998 bytes (RFC 5322 section 2.1.1).")                                         \
	X(HEADER_SPACE_BEFORE_COLON, "header.space_before_colon", FIELD, NONE,                                        \
	  "White space between a field's name and its colon: some readers skip such a field.")                        \
	X(HEADER_NAME_MALFORMED, "header.name_malformed", BYTES, NONE,                                                \
	  "A field's name holds bytes that no name may hold.")                                                        \
	X(HEADER_NOT_A_FIELD, "header.not_a_field", BYTES, NONE,                                                      \
	  "A line among the header fields is no field: some readers end the header there, others skip it.")           \
	X(HEADER_MBOX_FROM, "header.mbox_from", BYTES, NONE,                                                          \
	  "A line of an mbox file (\"From ...\") stands among the header fields.")                                    \
	X(HEADER_CONTINUATION_FIRST, "header.continuation_first", BYTES, NONE,                                        \
	  "The header begins with a continuation line; some readers take it for a field.")                            \
	X(HEADER_BLANK_FOLD, "header.blank_fold", FIELD, NONE,                                                        \
	  "A continuation line holds white space only; some readers end the header there.")                           \
	X(HEADER_NO_END, "header.no_end", NONE, NONE, "The header is not ended by an empty line.")                    \
	X(HEADER_ENCODED_WORD, "header.encoded_word", FIELD, NONE,                                                    \
	  "An encoded word (RFC 2047) is broken; readers decode it differently.")                                     \
	X(HEADER_HIDDEN_CONTROL, "header.hidden_control", FIELD, BYTE,                                                \
	  "An encoded word hides a NUL, a line end or another control character.")                                    \
	X(HEADER_FORGED_TRACE, "header.forged_trace", FIELD, COUNT_OF,                                                \
	  "Fields that only the receiving side may write were sent along; they are cut.")                             \
	X(HEADER_RECEIVED_MANY, "header.received_many", NONE, COUNT_OF,                                               \
	  "So many Received fields that the message is in a loop.")                                                   \
	X(HEADER_RECEIVED_OWN, "header.received_own", NONE, COUNT_OF,                                                 \
	  "Received fields that carry our own host name: the message has been here.")                                 \
	X(MIME_VERSION_MISSING, "mime.version_missing", NONE, NONE,                                                   \
	  "MIME fields without a MIME-Version field: some readers ignore them.")                                      \
	X(MIME_TYPE_MALFORMED, "mime.type_malformed", BYTES, NONE, "A Content-Type holds no media type.")             \
	X(MIME_PARAMETER_MALFORMED, "mime.parameter_malformed", BYTES, NONE,                                          \
	  "Parameters of a MIME field break their grammar; readers take different values from them.")                 \
	X(MIME_PARAMETER_DUPLICATE, "mime.parameter_duplicate", BYTES, NONE,                                          \
	  "A parameter of a MIME field is given several times with different values.")                                \
	X(MIME_FIELD_DUPLICATE, "mime.field_duplicate", FIELD, COUNT_OF,                                              \
	  "A Content-* field stands several times in one part.")                                                      \
	X(MIME_BOUNDARY_MISSING, "mime.boundary_missing", NONE, NONE, "A multipart names no boundary.")               \
	X(MIME_BOUNDARY_MALFORMED, "mime.boundary_malformed", BYTES, BYTES,                                           \
	  "A boundary is empty, longer than 70 bytes, or holds bytes that no boundary may hold (RFC 2046 "            \
	  "section 5.1.1).")                                                                                          \
	X(MIME_BOUNDARY_UNUSED, "mime.boundary_unused", BYTES, NONE,                                                  \
	  "A multipart's boundary never occurs in its body.")                                                         \
	X(MIME_BOUNDARY_CLASH, "mime.boundary_clash", BYTES, NONE,                                                    \
	  "A boundary equals an outer one, or one is the beginning of the other.")                                    \
	X(MIME_BOUNDARY_LOOSE, "mime.boundary_loose", BYTES, NONE,                                                    \
	  "A line begins like a delimiter but does not end like one; readers differ on whether it counts.")           \
	X(MIME_END_MISSING, "mime.end_missing", NONE, NONE, "A multipart is not closed by its final delimiter.")      \
	X(MIME_PART_HEADER, "mime.part_header", BYTES, NONE,                                                          \
	  "A part's header breaks its grammar; readers disagree where its body begins.")                              \
	X(MIME_CONTENT_OUTSIDE, "mime.content_outside", BYTES, BYTES,                                                 \
	  "The text before the first or after the last delimiter of a multipart looks like a part.")                  \
	X(MIME_ENCODING_UNKNOWN, "mime.encoding_unknown", BYTES, NONE,                                                \
	  "A Content-Transfer-Encoding that is none of the known ones.")                                              \
	X(MIME_ENCODING_COMPOSITE, "mime.encoding_composite", BYTES, NONE,                                            \
	  "A multipart or message part is itself encoded, which RFC 2045 section 6.4 forbids; readers differ.")       \
	X(MIME_ENCODING_BROKEN, "mime.encoding_broken", BYTES, COUNT_OF,                                              \
	  "The body does not keep to its transfer encoding; readers decode it differently.")                          \
	X(MIME_ENCODING_HIDDEN, "mime.encoding_hidden", BYTES, NONE,                                                  \
	  "The body is encoded although the header does not say so.")                                                 \
	X(MIME_FRAGMENT, "mime.fragment", NONE, NONE,                                                                 \
	  "A piece of a message (message/partial), to be joined behind the gateway's back.")                          \
	X(MIME_EXTERNAL, "mime.external", NONE, NONE, "A message/external-body part: its content lies elsewhere.")    \
	X(MIME_NUL, "mime.nul", NONE, COUNT_OF, "The body holds NUL bytes.")                                          \
	X(NAME_EXECUTABLE, "name.executable", NAME, NONE,                                                             \
	  "An attachment's name ends like that of a program or script.")                                              \
	X(NAME_DOUBLE, "name.double_extension", NAME, NONE,                                                           \
	  "The ending of a program stands behind the ending of a document.")                                          \
	X(NAME_TRAILING, "name.trailing", NAME, NONE,                                                                 \
	  "An attachment's name ends in dots or blanks, which Windows drops.")                                        \
	X(NAME_BIDI, "name.bidi", NAME, BYTE,                                                                         \
	  "An attachment's name holds a character that turns the writing direction, so that it reads otherwise.")     \
	X(NAME_CONTROL, "name.control", NAME, BYTE,                                                                   \
	  "An attachment's name holds a control, zero-width or path character.")                                      \
	X(NAME_DISAGREE, "name.disagree", NAME, NONE,                                                                 \
	  "Content-Type and Content-Disposition give a part different names.")                                        \
	X(NAME_ENCODING, "name.encoding", NAME, NONE,                                                                 \
	  "An attachment's name is encoded in a way that readers decode differently (RFC 2231, RFC 2047).")           \
	X(CONTENT_EICAR, "content.eicar", NONE, BYTES, "The EICAR anti-virus test file.")                             \
	X(CONTENT_GTUBE, "content.gtube", NONE, NONE, "The GTUBE test string for unwanted mail.")                     \
	X(LIMIT_HEADER_BYTES, "limit.header_bytes", NONE, LIMIT, "The header is longer than is read.")                \
	X(LIMIT_HEADER_FIELDS, "limit.header_fields", NONE, LIMIT, "There are more header fields than are read.")     \
	X(LIMIT_PARAMETERS, "limit.parameters", NONE, LIMIT, "A MIME field has more parameters than are read.")       \
	X(LIMIT_PARTS, "limit.parts", NONE, LIMIT, "There are more parts than are read.")                             \
	X(LIMIT_DEPTH, "limit.depth", NONE, LIMIT, "Parts are nested deeper than is read.")                           \
	X(LIMIT_STEPS, "limit.steps", NONE, LIMIT, "Reading took more steps than are allowed.")                       \
	X(LIMIT_DECODED_BYTES, "limit.decoded_bytes", NONE, LIMIT,                                                    \
	  "More bytes came out of decoding than are looked at.")                                                      \
	X(LIMIT_MEMORY, "limit.memory", NONE, LIMIT, "The memory for one message was used up.")                       \
	X(LIMIT_CUTS, "limit.cuts", NONE, LIMIT, "There are more forged trace fields than can be cut.")               \
	X(LIMIT_FINDINGS, "limit.findings", NONE, LIMIT, "There were more findings than are kept.")                   \
	X(HEADER_FROM_NO_DOMAIN, "header.from_no_domain", BYTES, NONE,                                                \
	  "The From field names a mailbox without a domain, or \"<>\".")                                              \
	X(MIME_ENCODING_LOOSE, "mime.encoding_loose", BYTES, COUNT_OF,                                                \
	  "The body departs from its transfer encoding in a way that nearly all readers take alike.")                 \
	X(MIME_READINGS, "mime.readings", NONE, COUNT_OF,                                                             \
	  "Some readers find other parts in the message than most do; all that they find was looked at.")             \
	X(MIME_ENCRYPTED, "mime.encrypted", NONE, NONE,                                                               \
	  "A part is encrypted (S/MIME or PGP): only its recipient can read it.")                                     \
	X(MIME_ENCODING_RARE, "mime.encoding_rare", BYTES, NONE,                                                      \
	  "A Content-Transfer-Encoding that few mail programs know (BinHex, yEnc): others show something else.")      \
	X(LIMIT_READINGS, "limit.readings", NONE, LIMIT,                                                              \
	  "The message can be read in more ways, or with more work for them, than are looked at.")
/* clang-format on */

enum finding_kind {
#define FINDING_ENUM(id, name, evidence, value, meaning) FINDING_##id,
	FINDING_TABLE(FINDING_ENUM)
#undef FINDING_ENUM
		FINDING_KINDS
};

struct finding_about {
	const char           *name; /* "mime.boundary_missing"; never changes its meaning */
	enum finding_evidence evidence;
	enum finding_value    value;
	const char           *meaning; /* one sentence for an administrator */
};

/* The row of the table. `kind` is below FINDING_KINDS. */
const struct finding_about *finding_about(enum finding_kind kind);
/* The kind of that name: RC_NOTFOUND. */
MUST_CHECK enum rc finding_kind_of(struct slice name, enum finding_kind *out);
/* docs/findings.md: the whole table as Markdown. */
void finding_table_put(struct buf *out);

#define FINDINGS_MAX          200u /* the last place is kept for limit.findings */
#define FINDINGS_PER_KIND_MAX 8u   /* further ones of a kind are counted, not kept: see findings.dropped */
#define FINDING_EVIDENCE_MAX  96u  /* bytes */
#define FINDING_NO_PART       0xffffu

struct finding {
	enum finding_kind kind;
	/* index in the order the parts begin, 0 = the message itself; FINDING_NO_PART: none */
	uint16_t     part;
	uint32_t     offset; /* where it stands in the message */
	uint32_t     size;   /* how many bytes of the message it concerns; offset + size <= message bytes */
	int64_t      value;
	struct slice evidence; /* borrowed from the arena of the scan or of the decode */
};

/* Why a header field has to go before the message leaves this host (INTEGRATIONS I-12). */
enum cut_kind {
	CUT_HANGU,          /* X-Hangu-* */
	CUT_EXCHANGE,       /* X-MS-Exchange-Organization-*, -Forest-*, -CrossPremises-* */
	CUT_AUTHENTICATION, /* Authentication-Results with our authserv-id (RFC 8601 section 5) */
	CUT_LEADING,        /* continuation lines at the very front: they would be appended to our own last field */
	CUT_SPAM,           /* X-Spam-*: no forgery, but a mail system behind shall sort by ours alone */
	CUT_KINDS
};

#define FINDINGS_CUTS_MAX 256u

/*
 * One whole field: from the first byte of its name to behind the line end of its last folded line. Cuts stand in
 * rising order and do not overlap. When the field begins behind a CR without LF (which some readers take for a line
 * end), the cut begins with that CR and ends before the line end instead, so that what is left stays one line.
 */
struct header_cut {
	uint32_t      offset;
	uint32_t      size;
	enum cut_kind kind;
};

/* Bounds of the extracts, in bytes; longer ones are cut at a character. */
#define FACT_SUBJECT_MAX    512u
#define FACT_FROM_MAX       512u
#define FACT_MESSAGE_ID_MAX 512u
#define FACT_AUTHORS_MAX    16u
#define FACT_AUTHOR_MAX     512u

/* How a reader would see where the message comes from: for loops, bounces and lists. */
#define FACT_AUTO_SUBMITTED (1u << 0)  /* Auto-Submitted other than "no", or Precedence auto_reply (RFC 3834) */
#define FACT_LIST           (1u << 1)  /* List-Id, List-Unsubscribe, or Precedence list / bulk / junk */
#define FACT_8BIT_HEADER    (1u << 2)  /* bytes above 127 in the header: the next hop needs SMTPUTF8 (RFC 6532) */
#define FACT_8BIT_BODY      (1u << 3)  /* bytes above 127 in the body: the next hop needs 8BITMIME (RFC 6152) */
#define FACT_NUL            (1u << 4)  /* a NUL anywhere: needs BINARYMIME, which we do not offer */
#define FACT_BARE_CR        (1u << 5)  /* a CR without LF anywhere */
#define FACT_BARE_LF        (1u << 6)  /* an LF without CR anywhere */
#define FACT_REPORT         (1u << 7)  /* multipart/report or a journal report: never bounced */
#define FACT_PROTECTED      (1u << 8)  /* signed, encrypted, TNEF, calendar ...: never rewritten (I-18) */
#define FACT_NO_FINAL_EOL   (1u << 9)  /* the last line has no line end */
#define FACT_DATE           (1u << 10) /* date_s is set */
#define FACT_FLAGS_ALL      0x7ffu

struct facts {
	uint32_t message_bytes;
	uint32_t header_bytes; /* up to and with the empty line; the body begins here */
	uint32_t header_fields;
	uint32_t received_count;
	uint32_t received_own; /* Received fields whose "by" names our own host (I-19 b) */
	uint32_t part_count;   /* 1 for a message without MIME parts */
	uint32_t part_depth;   /* 0 = no nesting */
	uint32_t line_max;     /* longest line in bytes without its line end */
	uint32_t flags;        /* FACT_x */
	uint32_t steps;        /* work done, in the units of scan_limits.steps */
	int64_t  date_s;       /* the Date field in seconds since 1970, when FACT_DATE */

	/* For the trace; decoded to UTF-8, control characters replaced by a blank, cut to their bounds. */
	struct slice subject;
	struct slice from;       /* the display form of the From field(s) */
	struct slice message_id; /* with its angle brackets, comments left out */

	/* Author addresses of all From fields in their order, each local@domain as written without comments. */
	const struct slice *authors;
	size_t              author_count;

	const struct header_cut *cuts;
	size_t                   cut_count;
};

/*
 * The result. `list` has `count` findings, in rising order of part, then in the order found. `dropped` counts those
 * beyond FINDINGS_MAX or FINDINGS_PER_KIND_MAX. `engine` names what produced it: program version, this table, limits
 * and depth.
 */
struct findings {
	struct facts          facts;
	const struct finding *list;
	size_t                count;
	uint32_t              dropped;
	struct digest         engine;
};

/* The first finding of that kind, or NULL. */
const struct finding *findings_first(const struct findings *findings, enum finding_kind kind);

#endif
