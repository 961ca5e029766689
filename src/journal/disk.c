/* The journal's files on a real file system, over sys/file. */
#include "journal/disk.h"

#include "base/memory.h"
#include "base/must.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Names in the folder that we are ready to look at; a segment of 64 MiB each makes this 64 TiB of journal. */
#define NAMES_MAX (1u << 20)
#define LOCK_NAME "lock"

struct real_disk {
	struct journal_disk disk;
	int                 folder;
	int                 lock; /* -1: not taken */
};

struct journal_file {
	int handle;
};

static struct real_disk *real(struct journal_disk *disk)
{
	return (struct real_disk *)(void *)disk;
}

static enum rc real_open(struct journal_disk *disk, const char *name, enum journal_open how, struct journal_file **out)
{
	static const enum file_mode modes[] = {
		[JOURNAL_OPEN_READ] = FILE_READ,
		[JOURNAL_OPEN_WRITE] = FILE_READ_WRITE,
		[JOURNAL_OPEN_CREATE] = FILE_CREATE,
	};
	struct journal_file *file = memory_take(1, sizeof *file);

	if (file == NULL)
		return RC_NOMEM;
	const enum rc rc = file_open(real(disk)->folder, name, modes[how], &file->handle);
	if (rc != RC_OK) {
		memory_give(file);
		return rc;
	}
	*out = file;
	return RC_OK;
}

static void real_close(struct journal_disk *disk, struct journal_file *file)
{
	(void)disk;
	if (file == NULL)
		return;
	file_close(&file->handle);
	memory_give(file);
}

static enum rc real_size(struct journal_disk *disk, struct journal_file *file, uint64_t *out)
{
	(void)disk;
	return file_size(file->handle, out);
}

static enum rc real_allocate(struct journal_disk *disk, struct journal_file *file, uint64_t bytes)
{
	(void)disk;
	const enum rc rc = file_reserve(file->handle, 0, bytes);
	/* Where space cannot be reserved a longer file is still right, only that a full disk shows later. */
	return rc == RC_UNSUPPORTED ? file_truncate(file->handle, bytes) : rc;
}

static enum rc real_truncate(struct journal_disk *disk, struct journal_file *file, uint64_t bytes)
{
	(void)disk;
	return file_truncate(file->handle, bytes);
}

static enum rc real_read(struct journal_disk *disk, struct journal_file *file, uint64_t offset, void *to, size_t size,
                         size_t *out)
{
	(void)disk;
	return file_read_some(file->handle, to, size, offset, out);
}

static enum rc real_write(struct journal_disk *disk, struct journal_file *file, uint64_t offset,
                          const struct slice *pieces, size_t count)
{
	(void)disk;
	while (count != 0) {
		const size_t  part = count < FILE_PARTS_MAX ? count : FILE_PARTS_MAX;
		const enum rc rc = file_write_parts(file->handle, pieces, part, offset);
		if (rc != RC_OK)
			return rc;
		for (size_t i = 0; i < part; i++)
			offset += pieces[i].len;
		pieces += part;
		count -= part;
	}
	return RC_OK;
}

static enum rc real_sync(struct journal_disk *disk, struct journal_file *file)
{
	(void)disk;
	return file_sync(file->handle);
}

static enum rc real_punch(struct journal_disk *disk, struct journal_file *file, uint64_t offset, uint64_t bytes)
{
	(void)disk;
	return file_punch(file->handle, offset, bytes);
}

static enum rc real_rename(struct journal_disk *disk, const char *from, const char *to)
{
	return file_rename(real(disk)->folder, from, real(disk)->folder, to);
}

static enum rc real_exchange(struct journal_disk *disk, const char *name, const char *other)
{
	const int folder = real(disk)->folder;

	if (renameat2(folder, name, folder, other, RENAME_EXCHANGE) == 0)
		return RC_OK;
	return errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP ? RC_UNSUPPORTED : file_rc(errno);
}

static enum rc real_remove(struct journal_disk *disk, const char *name)
{
	return file_remove(real(disk)->folder, name);
}

static enum rc real_sync_folder(struct journal_disk *disk)
{
	return file_sync_all(real(disk)->folder);
}

static enum rc real_list(struct journal_disk *disk, enum rc (*each)(void *context, const char *name), void *context)
{
	return file_list(real(disk)->folder, NAMES_MAX, each, context);
}

static enum rc real_free_bytes(struct journal_disk *disk, uint64_t *out)
{
	return file_space(real(disk)->folder, out, NULL);
}

static enum rc real_lock(struct journal_disk *disk)
{
	struct real_disk *me = real(disk);
	int               lock;

	if (me->lock >= 0)
		return RC_OK;
	enum rc rc = file_open(me->folder, LOCK_NAME, FILE_OPEN_OR_MAKE, &lock);
	if (rc != RC_OK)
		return rc;
	rc = file_lock(lock);
	if (rc != RC_OK) {
		file_close(&lock);
		return rc;
	}
	me->lock = lock;
	return RC_OK;
}

static void real_done(struct journal_disk *disk)
{
	struct real_disk *me = real(disk);

	file_close(&me->lock);
	file_close(&me->folder);
	memory_give(me);
}

static const struct journal_disk_calls real_calls = {
	.open = real_open,
	.close = real_close,
	.size = real_size,
	.allocate = real_allocate,
	.truncate = real_truncate,
	.read = real_read,
	.write = real_write,
	.sync = real_sync,
	.punch = real_punch,
	.rename = real_rename,
	.exchange = real_exchange,
	.remove = real_remove,
	.sync_folder = real_sync_folder,
	.list = real_list,
	.free_bytes = real_free_bytes,
	.lock = real_lock,
	.done = real_done,
};

/* Takes `folder` over, also when it fails. */
static enum rc disk_on(int folder, struct journal_disk **out)
{
	struct real_disk *me = memory_take(1, sizeof *me);

	if (me == NULL) {
		file_close(&folder);
		return RC_NOMEM;
	}
	*me = (struct real_disk){ .disk = { .calls = &real_calls }, .folder = folder, .lock = -1 };
	*out = &me->disk;
	return RC_OK;
}

enum rc journal_disk_open(const char *folder, struct journal_disk **out)
{
	int           handle;
	const enum rc rc = file_dir_open(folder, &handle);

	return rc != RC_OK ? rc : disk_on(handle, out);
}

enum rc journal_disk_open_at(int folder, struct journal_disk **out)
{
	const int handle = fcntl(folder, F_DUPFD_CLOEXEC, 0);

	return handle < 0 ? file_rc(errno) : disk_on(handle, out);
}

void journal_disk_close(struct journal_disk **disk)
{
	if (*disk == NULL)
		return;
	(*disk)->calls->done(*disk);
	*disk = NULL;
}
