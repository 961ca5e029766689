/*
 * The few file operations that the journal needs, all below one folder, as a table of functions: the real ones
 * (journal_disk_open) or the simulated disk of tests/harness, which forgets what was not synced.
 *
 * Names are plain file names, never paths. Every function may be called from any thread; a file is written by one
 * thread at a time. errno tells more after RC_IO.
 */
#ifndef JOURNAL_DISK_H
#define JOURNAL_DISK_H

#include "base/rc.h"
#include "base/slice.h"

struct journal_disk;
struct journal_file; /* opaque, one open file; its meaning is the table's own */

#define JOURNAL_NAME_MAX 63u

enum journal_open {
	JOURNAL_OPEN_READ,   /* must exist */
	JOURNAL_OPEN_WRITE,  /* must exist; read and write */
	JOURNAL_OPEN_CREATE, /* must not exist; read and write; RC_EXISTS */
};

/*
 * Answers everywhere: RC_OK; RC_NOTFOUND no such file; RC_EXISTS; RC_NOMEM no space left, or no memory;
 * RC_UNSUPPORTED the file system cannot; RC_IO anything else.
 */
struct journal_disk_calls {
	enum rc (*open)(struct journal_disk *disk, const char *name, enum journal_open how, struct journal_file **out);
	void (*close)(struct journal_disk *disk, struct journal_file *file);
	enum rc (*size)(struct journal_disk *disk, struct journal_file *file, uint64_t *out);
	/* Make the file at least `bytes` long with space for all of it; new bytes read as zero. */
	enum rc (*allocate)(struct journal_disk *disk, struct journal_file *file, uint64_t bytes);
	/* Cut the file to `bytes`. */
	enum rc (*truncate)(struct journal_disk *disk, struct journal_file *file, uint64_t bytes);
	/* *out bytes were read; fewer than `size` only at the end of the file. */
	enum rc (*read)(struct journal_disk *disk, struct journal_file *file, uint64_t offset, void *to, size_t size,
	                size_t *out);
	/* All pieces one after the other from `offset`, or an error that leaves any part of them written. */
	enum rc (*write)(struct journal_disk *disk, struct journal_file *file, uint64_t offset,
	                 const struct slice *pieces, size_t count);
	/* What was written before is durable. An error is final for the data: it must not be asked again. */
	enum rc (*sync)(struct journal_disk *disk, struct journal_file *file);
	/* Give the space of this range back; it reads as zeros afterwards. RC_UNSUPPORTED leaves it as it was. */
	enum rc (*punch)(struct journal_disk *disk, struct journal_file *file, uint64_t offset, uint64_t bytes);
	/* Replaces `to`. */
	enum rc (*rename)(struct journal_disk *disk, const char *from, const char *to);
	/* The two files change names in one step. RC_UNSUPPORTED leaves them as they were. */
	enum rc (*exchange)(struct journal_disk *disk, const char *name, const char *other);
	enum rc (*remove)(struct journal_disk *disk, const char *name);
	/* Creations, renames and removals before this are durable. */
	enum rc (*sync_folder)(struct journal_disk *disk);
	/*
	 * Calls `each` with every name in no particular order; stops at its first answer other than RC_OK and returns
	 * it.
	 */
	enum rc (*list)(struct journal_disk *disk, enum rc (*each)(void *context, const char *name), void *context);
	/* Bytes that can still be written in this file system by us. */
	enum rc (*free_bytes)(struct journal_disk *disk, uint64_t *out);
	/*
	 * Take the folder for the one writer, until the disk is closed; again is RC_OK. RC_BUSY: another process has
	 * it.
	 */
	enum rc (*lock)(struct journal_disk *disk);
	void (*done)(struct journal_disk *disk);
};

struct journal_disk {
	const struct journal_disk_calls *calls;
};

/*
 * The real file system below `folder`, which must exist and stays open. RC_NOTFOUND, RC_DENIED, RC_IO, RC_NOMEM.
 * Nothing else is opened by path afterwards, and no link is followed.
 */
MUST_CHECK enum rc journal_disk_open(const char *folder, struct journal_disk **out);

/* The same on a folder handle that the caller opened (and may close). RC_NOMEM, RC_IO. */
MUST_CHECK enum rc journal_disk_open_at(int folder, struct journal_disk **out);

/* Ends any disk, lock included. NULL inside is legal; clears the caller's pointer. */
void journal_disk_close(struct journal_disk **disk);

#endif
