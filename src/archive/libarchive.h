/*
 * The adapter to libarchive 3.6: one archive in memory, member by member. Formats are registered one by one, so that bytes
 * are only ever read as what content/sniff.h took them for; compressed files (gzip and the like) give their one member.
 * No program is ever started and no file opened; names come in UTF-8 where the format says what they are in.
 *
 * libarchive_ready() is called once before the sandbox closes. After it, reading makes no system call but for memory
 * (brk, mmap, munmap, mremap): a conformance test reads all suites inside a closed box.
 */
#ifndef ARCHIVE_LIBARCHIVE_H
#define ARCHIVE_LIBARCHIVE_H

#include "base/buf.h"
#include "content/kind.h"
#include "content/meter.h"

#include <stdbool.h>

/*
 * Fixes the time zone of the process to UTC if none is set (else the C library would look for its file again and again),
 * loads the character set tables and proves with a small archive that the library works. RC_UNSUPPORTED: it does not.
 */
MUST_CHECK enum rc libarchive_ready(void);

/* Does the library open files of that kind, by itself or as one compressed file? */
bool libarchive_reads(enum kind kind);

#define LIBARCHIVE_NAME_MAX 4096u /* bytes of a name; longer ones are cut */

struct libarchive_member {
	struct slice name;      /* valid until the next call; empty for compressed files */
	struct slice target;    /* of a symbolic or hard link */
	uint64_t     claimed;   /* 0: not told */
	bool         folder;
	bool         encrypted; /* its data cannot be read, or only with a password */
};

struct libarchive; /* opaque: one archive being read */

/*
 * Open `bytes`, which stay where they are until libarchive_close(). `password`, which may be empty, is for zip alone: the library
 * knows no other encryption. The budget pays for reading (BUDGET_STEPS). RC_UNSUPPORTED: not of that kind after all, or no
 * kind of the library's; RC_NOMEM.
 */
MUST_CHECK enum rc libarchive_open(struct slice bytes, enum kind kind, struct slice password, struct budget *budget,
                                   struct libarchive **out);

/*
 * RC_OK       *out is the next member.
 * RC_CLOSED   there are no more.
 * RC_CORRUPT  the archive is damaged here, or asks for more memory than there is, and cannot be read on.
 * RC_DENIED   the names are encrypted.
 * RC_UNSUPPORTED  a way of packing that the library does not know; it cannot be read on.
 * RC_LIMIT    the budget is used up.
 */
MUST_CHECK enum rc libarchive_next(struct libarchive *library, struct libarchive_member *out);

/*
 * The bytes of the member that libarchive_next() told, to the end of `out`; holes of sparse files are left out.
 * RC_OK; RC_CORRUPT: damaged or short, `out` has what came; RC_LIMIT: the meter or the bound of `out`; RC_DENIED: no password
 * opens it; RC_UNSUPPORTED: a method that the library does not know; RC_NOMEM: `out` could not grow.
 */
MUST_CHECK enum rc libarchive_take(struct libarchive *library, struct meter *meter, struct buf *out);

/* Pass over what is left of the member, paying steps for it. RC_OK, RC_CORRUPT, RC_LIMIT. */
MUST_CHECK enum rc libarchive_skip(struct libarchive *library, struct meter *meter);

/* NULL inside is legal; clears the caller's pointer. */
void libarchive_close(struct libarchive **library);

/* Of BUDGET_STEPS, what one byte out of a file of that kind costs: slow methods cost more. */
uint64_t libarchive_steps(enum kind kind);

#endif
