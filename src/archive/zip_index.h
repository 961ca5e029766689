/*
 * The structure of a zip file (PKWARE APPNOTE 6.3.10), read in every way that readers do: by each end record and the
 * directory it leads to, and from local header to local header as a stream. The readings are kept side by side, in the order
 * of the file; what they disagree about is noted. Nothing is unpacked here.
 */
#ifndef ARCHIVE_ZIP_INDEX_H
#define ARCHIVE_ZIP_INDEX_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "content/budget.h"

#define ZIP_ENTRIES_MAX     65536u /* in all readings together */
#define ZIP_DIRECTORIES_MAX 4u
#define ZIP_GAPS_MAX        16u /* runs of bytes that belong to no member */
#define ZIP_GAP_MIN         64u /* shorter ones are padding */
#define ZIP_ENTRY_STEPS     64u

#define ZIP_LOCAL_SIZE   30u
#define ZIP_CENTRAL_SIZE 46u

#define ZIP_FLAG_ENCRYPTED  1u
#define ZIP_FLAG_DESCRIPTOR 8u
#define ZIP_FLAG_STRONG     64u
#define ZIP_FLAG_UTF8       2048u
#define ZIP_FLAG_MASKED     8192u

enum zip_method {
	ZIP_STORED = 0,
	ZIP_IMPLODED = 6,
	ZIP_DEFLATED = 8,
	ZIP_DEFLATED64 = 9,
	ZIP_BZIP2 = 12,
	ZIP_LZMA = 14,
	ZIP_ZSTD_OLD = 20,
	ZIP_ZSTD = 93,
	ZIP_XZ = 95,
	ZIP_PPMD = 98,
	ZIP_AES = 99,
};

/* One member as one reading has it. */
struct zip_entry {
	size_t       at;      /* of its local header */
	size_t       data_at; /* of its data; the file's size when there are none */
	size_t       packed;  /* bytes of data, cut at the file's end */
	uint64_t     claimed; /* size that it says it has */
	struct slice name;    /* UTF-8 if its flag or a Unicode extra field says so, else its bytes */
	struct slice extra;
	uint32_t     crc;
	uint32_t     attributes;
	uint16_t     method, flags, time, made_by;
	uint8_t      directory; /* 0: the one most readers use; ZIP_STREAM: local headers */
	bool         local;     /* there is a local header at `at` */
	bool         short_of;  /* its data end behind the file */
};

#define ZIP_STREAM UINT8_MAX

#define ZIP_ODD_DIRECTORY 1u  /* there are two directories, or sizes or methods differ between directory and local header */
#define ZIP_ODD_NAME      2u  /* a name differs between them */
#define ZIP_ODD_OVERLAP   4u  /* members share bytes */
#define ZIP_ODD_HIDDEN    8u  /* local headers that no directory knows */
#define ZIP_ODD_DAMAGED   16u /* no directory, or members where there are none */
#define ZIP_ODD_DUPLICATE 32u
#define ZIP_ODD_TRAILING  64u /* something before the first or behind the last record */

struct zip_index {
	struct zip_entry *entries; /* owned; by `at`, then as the readings come */
	size_t            count;
	size_t            room;
	struct slice      comment;
	struct slice      gaps[ZIP_GAPS_MAX];
	size_t            gap_count;
	uint32_t          odd;                /* ZIP_ODD_x */
	struct slice      odd_name;           /* the first member that ZIP_ODD_NAME is about */
	struct slice      duplicate;          /* the name that ZIP_ODD_DUPLICATE is about */
	size_t            end;                /* behind the last record that belongs to the file */
	bool              cut;                /* ZIP_ENTRIES_MAX or the budget ended it */
};

/* RC_OK, or RC_NOMEM. RC_NOTFOUND: there is neither a directory nor a local header. Give back with zip_index_done(). */
MUST_CHECK enum rc zip_index_read(struct slice bytes, struct budget *budget, struct zip_index *out);
void zip_index_done(struct zip_index *index);

/* Would the same bytes come out of both in the same way? */
bool zip_entry_same_data(const struct zip_entry *a, const struct zip_entry *b);

#endif
