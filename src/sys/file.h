/*
 * Files, always below a directory handle: O_CLOEXEC, no link is followed, everything that was asked for is read or written
 * or the answer says so. A name is one path component of our own ("000017.seg"), never one that a peer chose.
 *
 * EINTR is dealt with inside. On a refusal of the operating system errno stays set for the one who logs.
 *
 * The answers of every function here, unless it says otherwise:
 * RC_NOTFOUND (ENOENT), RC_EXISTS (EEXIST), RC_DENIED (EACCES, EPERM, EROFS, ELOOP: a link stands there), RC_NOMEM (the
 * disk or quota is full: ENOSPC, EDQUOT), RC_LIMIT (too many descriptors), RC_BUSY (EWOULDBLOCK, EBUSY), RC_IO (the rest).
 */
#ifndef SYS_FILE_H
#define SYS_FILE_H

#include "base/buf.h"
#include "base/rc.h"
#include "base/slice.h"

/* Longest name of a file that we make or list, without its NUL. */
#define FILE_NAME_MAX 128u

enum file_mode {
	FILE_READ,         /* must exist */
	FILE_READ_WRITE,   /* must exist */
	FILE_CREATE,       /* read and write; must not exist; made with mode 0600 */
	FILE_OPEN_OR_MAKE, /* read and write; made with mode 0600 when it is not there */
};

/* The answer that the table above gives for `error` (an errno). */
enum rc file_rc(int error);

/*
 * The directory at `path`, which an administrator wrote: links on the way there are his business and are followed. Close
 * the handle with file_close().
 */
MUST_CHECK enum rc file_dir_open(const char *path, int *out);
/* The directory `name` below `dir`; no link is followed. */
MUST_CHECK enum rc file_dir_open_below(int dir, const char *name, int *out);
/* Make directory `name` below `dir` with mode 0700, and sync `dir`. RC_EXISTS: something stands there already. */
MUST_CHECK enum rc file_dir_make(int dir, const char *name);

MUST_CHECK enum rc file_open(int dir, const char *name, enum file_mode mode, int *out);
/* Legal on -1; sets *file to -1. Nothing written is lost silently: writers sync first, whose answer counts. */
void file_close(int *file);

/* `size` bytes from `offset` into `to`. RC_CLOSED: the file ends before (what was there lies in `to`). */
MUST_CHECK enum rc file_read_at(int file, void *to, size_t size, uint64_t offset);
/* As many bytes as there are, at most `size`; *out says how many. */
MUST_CHECK enum rc file_read_some(int file, void *to, size_t size, uint64_t offset, size_t *out);
/* All of `bytes` at `offset`. On anything but RC_OK any part of them may have been written. */
MUST_CHECK enum rc file_write_at(int file, struct slice bytes, uint64_t offset);
/* `parts`, one behind the other, from `offset`, in as few calls as the kernel takes. At most FILE_PARTS_MAX a call of ours. */
#define FILE_PARTS_MAX 1024u
MUST_CHECK enum rc file_write_parts(int file, const struct slice *parts, size_t count, uint64_t offset);

/* fdatasync. A failed sync is final (STYLE section 13): the caller stops promising and does not call again. */
MUST_CHECK enum rc file_sync(int file);
/* fsync, also for a directory handle: names made, renamed or removed below it are durable after RC_OK. */
MUST_CHECK enum rc file_sync_all(int file);

/* Size in bytes, of a regular file only (RC_DENIED for anything else). */
MUST_CHECK enum rc file_size(int file, uint64_t *out);
MUST_CHECK enum rc file_truncate(int file, uint64_t size);
/* Reserve blocks for the bytes from `offset` on and extend the file to hold them (fallocate, mode 0). RC_UNSUPPORTED: not here. */
MUST_CHECK enum rc file_reserve(int file, uint64_t offset, uint64_t size);
/* Give the blocks of these bytes back; they read as zeros, the size stays. RC_UNSUPPORTED: the file system cannot. */
MUST_CHECK enum rc file_punch(int file, uint64_t offset, uint64_t size);

/* Within one directory, or from one to another of the same file system. The caller syncs the directories. Replaces `to`. */
MUST_CHECK enum rc file_rename(int from_dir, const char *from, int to_dir, const char *to);
MUST_CHECK enum rc file_remove(int dir, const char *name);

/*
 * Replace `name` by a file that holds `bytes`: written aside under "name.new", synced, renamed, directory synced. After
 * RC_OK the new bytes are durable; otherwise the old file stands (an error of the last step leaves open which of both
 * stands after a power cut: RC_UNCERTAIN).
 */
MUST_CHECK enum rc file_replace(int dir, const char *name, struct slice bytes);

/* All of a regular file, appended to `out`. RC_LIMIT: larger than out->max allows; RC_NOMEM: no memory. `out` is then unchanged. */
MUST_CHECK enum rc file_read_whole(int dir, const char *name, struct buf *out);
/* The same for a path an administrator wrote (certificates, lists); links are followed. */
MUST_CHECK enum rc file_read_path(const char *path, struct buf *out);

/*
 * Call `each` for every name below `dir` except "." and "..", in no order; a name longer than FILE_NAME_MAX is skipped. It
 * stops at the first answer that is not RC_OK and returns that. More than `names_max` names: RC_LIMIT.
 */
MUST_CHECK enum rc file_list(int dir, size_t names_max, enum rc (*each)(void *context, const char *name), void *context);

/* Free bytes for us and all bytes of the file system on which `dir` lies. Either out may be NULL. */
MUST_CHECK enum rc file_space(int dir, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes);

/*
 * For a process that was just forked: close every descriptor from 3 on except those of `keep` (-1 is skipped; at most FILE_KEEP_MAX).
 * A role holds nothing that it was not handed.
 */
#define FILE_KEEP_MAX 192u
void file_keep_only(const int *keep, size_t count);

/* An exclusive lock on an open file, held until it is closed by everyone who shares the descriptor. RC_BUSY: someone else has it. */
MUST_CHECK enum rc file_lock(int file);

#endif
