/*
 * A PDF file as the sum of all objects that stand in it, however they are referred to: "N G obj" anywhere, and the
 * objects of object streams. Cross-reference tables are not believed, since readers rebuild them when they are wrong;
 * what a reader can reach is therefore always among what is found here. Of several objects with one number the last one
 * of the file is taken when something refers to it, as an incremental update means it.
 */
#ifndef DOCUMENT_PDF_FILE_H
#define DOCUMENT_PDF_FILE_H

#include "content/budget.h"
#include "document/pdf_value.h"

#define PDF_OBJECTS_MAX 200000u
/* Object streams, and what all of them inflate to. */
#define PDF_PACKS_MAX       4096u
#define PDF_PACKS_BYTES_MAX ((size_t)64 << 20)
/* One stream, decoded. */
#define PDF_STREAM_BYTES_MAX ((size_t)64 << 20)
/* For values of the objects that are looked at at one time. */
#define PDF_ARENA_BYTES ((size_t)16 << 20)
/* References that lead to references. */
#define PDF_CHAIN_MAX 8u
/* Filters of one stream. */
#define PDF_FILTERS_MAX 8u

struct pdf_object {
	uint32_t     id;
	uint32_t     order;  /* of its place in the file */
	struct slice text;   /* from behind "obj"; may go far beyond its end */
	bool         inside; /* stands within the bytes of a stream */
	bool         packed; /* of an object stream */
};

struct pdf_file {
	struct slice       bytes;
	struct budget     *budget;
	struct arena       arena;   /* values; a caller marks `used` and sets it back */
	struct pdf_value  *stack;   /* pdf_parser's */
	struct pdf_object *objects; /* in order of number, then of place */
	size_t             count;
	size_t             sorted; /* of them, those that are found by their number */
	struct buf        *packs; /* inflated object streams, which objects borrow from */
	size_t             pack_count;
	size_t             pack_bytes;
	bool               cut; /* a bound was reached */
	bool               encrypted; /* a trailer names a security handler */
	bool               damaged;   /* a stream could not be decoded to its end */
	bool               bomb;      /* a stream expands beyond all measure, or beyond its bound here */
};

/*
 * Find all objects. `bytes` and `budget` outlive *out. RC_SYNTAX: not one object. RC_LIMIT: the budget's steps; RC_NOMEM. End
 * with pdf_file_close() whatever it returned. Linear in the bytes.
 */
MUST_CHECK enum rc pdf_file_open(struct slice bytes, struct budget *budget, struct pdf_file *out);
void pdf_file_close(struct pdf_file *file);

/*
 * Read the values of an object, and where the bytes of its stream begin: `stream` is empty when it is none. Charges a
 * step a byte. RC_SYNTAX: there is no value; RC_LIMIT, RC_NOMEM.
 */
MUST_CHECK enum rc pdf_file_read(struct pdf_file *file, const struct pdf_object *object, struct pdf_value *out,
                                 struct slice *stream);

/* The object with that number, or NULL. */
const struct pdf_object *pdf_file_find(const struct pdf_file *file, int32_t id);

/*
 * What `value` is or refers to: *out is a value (PDF_NULL when nothing is there), `stream` its bytes, empty when it is
 * none. `value` may be NULL. RC_LIMIT, RC_NOMEM.
 */
MUST_CHECK enum rc pdf_file_follow(struct pdf_file *file, const struct pdf_value *value, struct pdf_value *out,
                                   struct slice *stream);
/* The same for a key of a dictionary. */
MUST_CHECK enum rc pdf_file_get(struct pdf_file *file, const struct pdf_value *dictionary, const char *key,
                                struct pdf_value *out);

/*
 * Undo the filters of a stream, into `out`, whose bytes it replaces. *rest is the name of a filter at which it stopped since it holds a picture
 * ("DCTDecode", "JPXDecode", "CCITTFaxDecode", "JBIG2Decode") or is unknown, or empty. RC_LIMIT: the budget; RC_NOMEM. `out` holds
 * what came until then. Damage is no error (file->damaged), and neither is a stream that is cut for itself alone (file->bomb): what
 * stands beside it is read all the same.
 */
MUST_CHECK enum rc pdf_file_decode(struct pdf_file *file, const struct pdf_value *dictionary, struct slice stream,
                                   struct buf *out, struct slice *rest);

#endif
