/* The operating system's files, with every partial answer finished and every errno made into one of ours. */
#include "sys/file.h"

#include "base/must.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum rc file_rc(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return RC_NOTFOUND;
	case EEXIST:
		return RC_EXISTS;
	case EACCES:
	case EPERM:
	case EROFS:
	case ELOOP:
		return RC_DENIED;
	case ENOSPC:
	case EDQUOT:
		return RC_NOMEM;
	case EMFILE:
	case ENFILE:
		return RC_LIMIT;
	case EWOULDBLOCK:
	case EBUSY:
		return RC_BUSY;
	case EOPNOTSUPP:
	case ENOSYS:
		return RC_UNSUPPORTED;
	default:
		return RC_IO;
	}
}

/* A name of ours is one component: a slash or a step upward would be our own mistake. */
static void check_name(const char *name)
{
	must(name != NULL && name[0] != '\0');
	must(strlen(name) <= FILE_NAME_MAX);
	must(strchr(name, '/') == NULL);
	must(strcmp(name, "..") != 0);
}

static enum rc open_at(int dir, const char *name, int flags, int *out)
{
	int fd;

	do {
		fd = openat(dir, name, flags | O_CLOEXEC, 0600);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return file_rc(errno);
	*out = fd;
	return RC_OK;
}

enum rc file_dir_open(const char *path, int *out)
{
	return open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, out);
}

enum rc file_dir_open_below(int dir, const char *name, int *out)
{
	check_name(name);
	return open_at(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, out);
}

enum rc file_dir_make(int dir, const char *name)
{
	check_name(name);
	if (mkdirat(dir, name, 0700) != 0)
		return file_rc(errno);
	return file_sync_all(dir);
}

enum rc file_open(int dir, const char *name, enum file_mode mode, int *out)
{
	/* Non-blocking, so that a fifo that stands in the way cannot hold us; it means nothing for a regular file. */
	static const int flags[] = {
		[FILE_READ] = O_RDONLY | O_NONBLOCK,
		[FILE_READ_WRITE] = O_RDWR | O_NONBLOCK,
		[FILE_CREATE] = O_RDWR | O_CREAT | O_EXCL,
		[FILE_OPEN_OR_MAKE] = O_RDWR | O_CREAT | O_NONBLOCK,
	};

	check_name(name);
	return open_at(dir, name, flags[mode] | O_NOFOLLOW | O_NOCTTY, out);
}

void file_close(int *file)
{
	/* On Linux the descriptor is gone whatever close() answers; trying again could close somebody else's. */
	if (*file >= 0)
		(void)close(*file);
	*file = -1;
}

enum rc file_read_some(int file, void *to, size_t size, uint64_t offset, size_t *out)
{
	size_t done = 0;

	if (offset > INT64_MAX - size)
		return RC_LIMIT;
	while (done < size) {
		const ssize_t got = pread(file, (char *)to + done, size - done, (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return file_rc(errno);
		if (got == 0)
			break;
		done += (size_t)got;
	}
	*out = done;
	return RC_OK;
}

enum rc file_read_at(int file, void *to, size_t size, uint64_t offset)
{
	size_t        done = 0;
	const enum rc rc = file_read_some(file, to, size, offset, &done);

	if (rc != RC_OK)
		return rc;
	return done == size ? RC_OK : RC_CLOSED;
}

enum rc file_write_at(int file, struct slice bytes, uint64_t offset)
{
	if (offset > INT64_MAX - bytes.len)
		return RC_LIMIT;
	while (bytes.len != 0) {
		const ssize_t put = pwrite(file, bytes.ptr, bytes.len, (off_t)offset);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return file_rc(errno);
		if (put == 0)
			return RC_IO;
		offset += (uint64_t)put;
		bytes = slice_drop(bytes, (size_t)put);
	}
	return RC_OK;
}

/* One pwritev of up to 64 parts; the rest of a part that was written in half follows by file_write_at(). */
#define PARTS_A_CALL 64u

static enum rc write_some_parts(int file, const struct slice *parts, size_t count, uint64_t offset, uint64_t *ret_bytes)
{
	struct iovec vectors[PARTS_A_CALL];
	uint64_t     wanted = 0;
	ssize_t      put;

	for (size_t i = 0; i < count; i++) {
		/* pwritev only reads from there; its type has no const. */
		vectors[i].iov_base = (void *)(uintptr_t)parts[i].ptr;
		vectors[i].iov_len = parts[i].len;
		wanted += parts[i].len;
	}
	if (wanted > INT64_MAX || offset > INT64_MAX - wanted)
		return RC_LIMIT;
	do {
		put = pwritev(file, vectors, (int)count, (off_t)offset);
	} while (put < 0 && errno == EINTR);
	if (put < 0)
		return file_rc(errno);
	*ret_bytes = wanted;
	if ((uint64_t)put == wanted)
		return RC_OK;

	uint64_t done = (uint64_t)put;
	uint64_t start = offset;
	for (size_t i = 0; i < count; i++) {
		const uint64_t size = parts[i].len;
		const uint64_t skip = done < size ? done : size;
		const enum rc  rc = file_write_at(file, slice_drop(parts[i], (size_t)skip), start + skip);
		if (rc != RC_OK)
			return rc;
		done -= skip;
		start += size;
	}
	return RC_OK;
}

enum rc file_write_parts(int file, const struct slice *parts, size_t count, uint64_t offset)
{
	must(count <= FILE_PARTS_MAX);
	while (count != 0) {
		const size_t now = count < PARTS_A_CALL ? count : PARTS_A_CALL;
		uint64_t     bytes = 0;
		const enum rc rc = write_some_parts(file, parts, now, offset, &bytes);
		if (rc != RC_OK)
			return rc;
		offset += bytes;
		parts += now;
		count -= now;
	}
	return RC_OK;
}

/* Neither sync is tried again after an error: the kernel may have dropped the pages, and a second call would lie. */
enum rc file_sync(int file)
{
	return fdatasync(file) == 0 ? RC_OK : file_rc(errno);
}

enum rc file_sync_all(int file)
{
	return fsync(file) == 0 ? RC_OK : file_rc(errno);
}

enum rc file_size(int file, uint64_t *out)
{
	struct stat about;

	if (fstat(file, &about) != 0)
		return file_rc(errno);
	if (!S_ISREG(about.st_mode) || about.st_size < 0)
		return RC_DENIED;
	*out = (uint64_t)about.st_size;
	return RC_OK;
}

enum rc file_truncate(int file, uint64_t size)
{
	int answer;

	if (size > INT64_MAX)
		return RC_LIMIT;
	do {
		answer = ftruncate(file, (off_t)size);
	} while (answer != 0 && errno == EINTR);
	return answer == 0 ? RC_OK : file_rc(errno);
}

static enum rc allocate(int file, int mode, uint64_t offset, uint64_t size)
{
	int answer;

	if (size == 0 || size > INT64_MAX || offset > INT64_MAX - size)
		return RC_LIMIT;
	do {
		answer = fallocate(file, mode, (off_t)offset, (off_t)size);
	} while (answer != 0 && errno == EINTR);
	return answer == 0 ? RC_OK : file_rc(errno);
}

enum rc file_reserve(int file, uint64_t offset, uint64_t size)
{
	return allocate(file, 0, offset, size);
}

enum rc file_punch(int file, uint64_t offset, uint64_t size)
{
	return allocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, size);
}

enum rc file_rename(int from_dir, const char *from, int to_dir, const char *to)
{
	check_name(from);
	check_name(to);
	return renameat(from_dir, from, to_dir, to) == 0 ? RC_OK : file_rc(errno);
}

enum rc file_remove(int dir, const char *name)
{
	check_name(name);
	return unlinkat(dir, name, 0) == 0 ? RC_OK : file_rc(errno);
}

enum rc file_replace(int dir, const char *name, struct slice bytes)
{
	char    aside[FILE_NAME_MAX + 8];
	int     file = -1;
	enum rc rc;

	check_name(name);
	(void)snprintf(aside, sizeof aside, "%s.new", name);
	/* What a crash of an earlier attempt left is nobody's. */
	rc = file_remove(dir, aside);
	if (rc != RC_OK && rc != RC_NOTFOUND)
		return rc;
	rc = file_open(dir, aside, FILE_CREATE, &file);
	if (rc != RC_OK)
		return rc;
	rc = file_write_at(file, bytes, 0);
	if (rc == RC_OK)
		rc = file_sync_all(file);
	file_close(&file);
	if (rc == RC_OK)
		rc = file_rename(dir, aside, dir, name);
	if (rc != RC_OK) {
		const int error = errno;
		const enum rc removed = file_remove(dir, aside);
		(void)removed; /* the first error is the one to tell */
		errno = error;
		return rc;
	}
	return file_sync_all(dir) == RC_OK ? RC_OK : RC_UNCERTAIN;
}

/* All of `file`, appended to `out`, which stays as it was on any error. Closes `file`. */
static enum rc read_whole(int file, struct buf *out)
{
	const size_t before = out->len;
	uint64_t     size = 0;
	size_t       got = 0;
	enum rc      rc = file_size(file, &size);

	if (rc == RC_OK && size > out->max - before)
		rc = RC_LIMIT;
	if (rc == RC_OK && size != 0) {
		uint8_t *to = buf_reserve(out, (size_t)size);
		rc = to == NULL ? RC_NOMEM : file_read_some(file, to, (size_t)size, 0, &got);
		if (to == NULL)
			out->failed = false;
	}
	if (rc == RC_OK && got != 0)
		buf_grew(out, got);
	file_close(&file);
	return rc;
}

enum rc file_read_whole(int dir, const char *name, struct buf *out)
{
	int           file = -1;
	const enum rc rc = file_open(dir, name, FILE_READ, &file);

	must(!out->failed);
	return rc == RC_OK ? read_whole(file, out) : rc;
}

enum rc file_read_path(const char *path, struct buf *out)
{
	int           file = -1;
	const enum rc rc = open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &file);

	must(!out->failed);
	return rc == RC_OK ? read_whole(file, out) : rc;
}

enum rc file_list(int dir, size_t names_max, enum rc (*each)(void *context, const char *name), void *context)
{
	int     own = -1;
	size_t  count = 0;
	enum rc rc = open_at(dir, ".", O_RDONLY | O_DIRECTORY, &own);

	if (rc != RC_OK)
		return rc;
	DIR *listing = fdopendir(own);
	if (listing == NULL) {
		rc = file_rc(errno);
		file_close(&own);
		return rc;
	}
	while (rc == RC_OK) {
		errno = 0;
		const struct dirent *entry = readdir(listing);
		if (entry == NULL) {
			if (errno != 0)
				rc = file_rc(errno);
			break;
		}
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || strlen(entry->d_name) > FILE_NAME_MAX)
			continue;
		rc = count++ == names_max ? RC_LIMIT : each(context, entry->d_name);
	}
	(void)closedir(listing);
	return rc;
}

enum rc file_space(int dir, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes)
{
	struct statvfs about;

	if (fstatvfs(dir, &about) != 0)
		return file_rc(errno);
	if (ret_free_bytes != NULL)
		*ret_free_bytes = (uint64_t)about.f_bavail * about.f_frsize;
	if (ret_total_bytes != NULL)
		*ret_total_bytes = (uint64_t)about.f_blocks * about.f_frsize;
	return RC_OK;
}

enum rc file_lock(int file)
{
	int answer;

	do {
		answer = flock(file, LOCK_EX | LOCK_NB);
	} while (answer != 0 && errno == EINTR);
	return answer == 0 ? RC_OK : file_rc(errno);
}

static void close_from_to(unsigned first, unsigned last)
{
	if (first <= last)
		must(syscall(SYS_close_range, first, last, 0u) == 0);
}

void file_keep_only(const int *keep, size_t count)
{
	unsigned sorted[FILE_KEEP_MAX];
	size_t   kept = 0;

	must(count <= FILE_KEEP_MAX);
	for (size_t i = 0; i < count; i++) {
		if (keep[i] < 3)
			continue;
		/* Insertion keeps them in order; there are few. */
		size_t at = kept++;
		for (; at != 0 && sorted[at - 1] > (unsigned)keep[i]; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = (unsigned)keep[i];
	}
	unsigned first = 3;
	for (size_t i = 0; i < kept; i++) {
		if (sorted[i] < first)
			continue; /* named twice */
		close_from_to(first, sorted[i] - 1);
		first = sorted[i] + 1;
	}
	close_from_to(first, UINT32_MAX);
}
