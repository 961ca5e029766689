/* Making and emptying folders; links are removed, never followed. */
#include "clamav/folder.h"

#include "base/num.h"
#include "base/slice.h"
#include "sys/file.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#define NAMES_MAX   1000000u
#define HANDLES_MAX 16

static bool path_of(const char *top, int pid, unsigned place, char path[PATH_MAX])
{
	return (size_t)snprintf(path, PATH_MAX, "%s/%d-%u", top, pid, place) < PATH_MAX;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
	(void)about;
	(void)kind;
	(void)where;
	(void)remove(path);
	return 0;
}

static void remove_tree(const char *path)
{
	(void)nftw(path, remove_one, HANDLES_MAX, FTW_DEPTH | FTW_PHYS);
}

enum rc folder_make(const char *top, int pid, unsigned place, struct folder *out)
{
	out->handle = -1;
	if (!path_of(top, pid, place, out->path))
		return RC_LIMIT;
	remove_tree(out->path);
	if (mkdir(out->path, 0700) != 0)
		return file_rc(errno);
	return file_dir_open(out->path, &out->handle);
}

void folder_close(struct folder *folder)
{
	file_close(&folder->handle);
}

void folder_remove(const char *top, int pid, unsigned place)
{
	char path[PATH_MAX];

	if (path_of(top, pid, place, path))
		remove_tree(path);
}

/* "1234-0" and nothing else. */
static bool is_ours(struct slice name)
{
	const struct slice pid = slice_until(&name, '-');
	uint64_t           number;

	return num_u64(pid, INT_MAX, &number) == RC_OK && num_u64(name, UINT_MAX, &number) == RC_OK;
}

static enum rc remove_ours(void *context, const char *name)
{
	char path[PATH_MAX];

	if (is_ours(slice_str(name)) && (size_t)snprintf(path, sizeof path, "%s/%s", (const char *)context, name) < sizeof path)
		remove_tree(path);
	return RC_OK;
}

void folder_remove_all(const char *top)
{
	char context[PATH_MAX];
	int  dir = -1;

	if (slice_to_cstr(slice_str(top), context, sizeof context) == 0 || file_dir_open(top, &dir) != RC_OK)
		return;
	(void)(file_list(dir, NAMES_MAX, remove_ours, context) == RC_OK);
	file_close(&dir);
}
