/* Files below a directory of the test's own: what is refused, what a half answer becomes, what a replacement leaves. */
#include "sys/file.h"

#include "base/memory.h"
#include "base/must.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[64];
static int  dir = -1;

static void test_errno_rows(void **state)
{
	static const struct {
		int     error;
		enum rc rc;
	} rows[] = {
		{ ENOENT, RC_NOTFOUND }, { EEXIST, RC_EXISTS }, { EACCES, RC_DENIED }, { EPERM, RC_DENIED }, { EROFS, RC_DENIED },
		{ ELOOP, RC_DENIED }, { ENOSPC, RC_NOMEM }, { EDQUOT, RC_NOMEM }, { EMFILE, RC_LIMIT }, { ENFILE, RC_LIMIT },
		{ EAGAIN, RC_BUSY }, { EBUSY, RC_BUSY }, { EOPNOTSUPP, RC_UNSUPPORTED }, { EIO, RC_IO }, { EINVAL, RC_IO }, { 0, RC_IO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(file_rc(rows[i].error), rows[i].rc);
}

static void test_opening(void **state)
{
	int file = -1;

	(void)state;
	assert_int_equal(file_open(dir, "absent", FILE_READ, &file), RC_NOTFOUND);
	assert_int_equal(file_open(dir, "absent", FILE_READ_WRITE, &file), RC_NOTFOUND);
	assert_int_equal(file, -1);
	assert_int_equal(file_open(dir, "opened", FILE_CREATE, &file), RC_OK);
	assert_int_equal(fcntl(file, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	struct stat about;
	assert_int_equal(fstat(file, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
	file_close(&file);
	assert_int_equal(file, -1);
	file_close(&file);
	assert_int_equal(file_open(dir, "opened", FILE_CREATE, &file), RC_EXISTS);
	assert_int_equal(file_open(dir, "opened", FILE_OPEN_OR_MAKE, &file), RC_OK);
	file_close(&file);

	/* A link is never followed, whatever it points to; a fifo does not hold us and is not a file. */
	assert_int_equal(symlinkat("opened", dir, "link"), 0);
	assert_int_equal(file_open(dir, "link", FILE_READ, &file), RC_DENIED);
	assert_int_equal(symlinkat("/etc", dir, "dirlink"), 0);
	assert_true(file_dir_open_below(dir, "dirlink", &file) != RC_OK);
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	struct buf text = buf_make(100);
	assert_int_equal(file_read_whole(dir, "fifo", &text), RC_DENIED);
	assert_int_equal(file_read_whole(dir, "link", &text), RC_DENIED);
	assert_int_equal(file_remove(dir, "link"), RC_OK);
	assert_int_equal(file_remove(dir, "dirlink"), RC_OK);
	assert_int_equal(file_remove(dir, "fifo"), RC_OK);
	assert_int_equal(file_remove(dir, "fifo"), RC_NOTFOUND);
	assert_int_equal(file_remove(dir, "opened"), RC_OK);
}

static void test_directories(void **state)
{
	int below = -1, file = -1;

	(void)state;
	assert_int_equal(file_dir_open("/nonexistent-path", &below), RC_NOTFOUND);
	assert_int_equal(file_dir_make(dir, "sub"), RC_OK);
	assert_int_equal(file_dir_make(dir, "sub"), RC_EXISTS);
	assert_int_equal(file_dir_open_below(dir, "sub", &below), RC_OK);
	assert_int_equal(file_open(below, "a", FILE_CREATE, &file), RC_OK);
	file_close(&file);
	assert_int_equal(file_rename(below, "a", dir, "moved"), RC_OK);
	assert_int_equal(file_remove(dir, "moved"), RC_OK);
	assert_int_equal(file_dir_open_below(dir, "moved", &file), RC_NOTFOUND);
	file_close(&below);
	assert_int_equal(unlinkat(dir, "sub", AT_REMOVEDIR), 0);
}

static void test_reading_and_writing(void **state)
{
	static uint8_t big[200000];
	uint8_t        back[64];
	size_t         got = 0;
	uint64_t       size = 0;
	int            file = -1;

	(void)state;
	assert_int_equal(file_open(dir, "data", FILE_CREATE, &file), RC_OK);
	assert_int_equal(file_write_at(file, SLICE("hello world"), 5), RC_OK);
	assert_int_equal(file_size(file, &size), RC_OK);
	assert_int_equal(size, 16);
	assert_int_equal(file_read_at(file, back, 16, 0), RC_OK);
	assert_memory_equal(back, "\0\0\0\0\0hello world", 16);
	assert_int_equal(file_read_at(file, back, 17, 0), RC_CLOSED);
	assert_int_equal(file_read_some(file, back, 64, 10, &got), RC_OK);
	assert_int_equal(got, 6);
	assert_int_equal(file_read_some(file, back, 64, 16, &got), RC_OK);
	assert_int_equal(got, 0);
	assert_int_equal(file_read_some(file, back, 64, INT64_MAX, &got), RC_LIMIT);
	assert_int_equal(file_write_at(file, SLICE("x"), INT64_MAX), RC_LIMIT);

	/* More parts than one call of the kernel takes, of every small size. */
	struct slice parts[200];
	size_t       sum = 0;
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (uint8_t)(i * 7 + i / 251);
	for (size_t i = 0; i < 200; i++) {
		parts[i] = slice_of(big + sum, i * 5);
		sum += i * 5;
	}
	assert_int_equal(file_write_parts(file, parts, 200, 3), RC_OK);
	uint8_t *all = malloc(sum);
	assert_non_null(all);
	assert_int_equal(file_read_at(file, all, sum, 3), RC_OK);
	assert_memory_equal(all, big, sum);
	free(all);
	assert_int_equal(file_write_parts(file, parts, 0, 0), RC_OK);

	assert_int_equal(file_truncate(file, 7), RC_OK);
	assert_int_equal(file_size(file, &size), RC_OK);
	assert_int_equal(size, 7);
	assert_int_equal(file_sync(file), RC_OK);
	assert_int_equal(file_size(dir, &size), RC_DENIED);
	file_close(&file);
	assert_int_equal(file_remove(dir, "data"), RC_OK);
}

static void test_partial_writes(void **state)
{
	/* The limit on file size makes the kernel write only a part; what is left is then refused, not forgotten. */
	struct rlimit      before, small;
	static uint8_t     bytes[10000];
	const struct slice parts[] = { { bytes, 3000 }, { bytes, 3000 }, { bytes, 4000 } };
	int                file = -1;

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 4096;
	assert_int_equal(file_open(dir, "partial", FILE_CREATE, &file), RC_OK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	const enum rc whole = file_write_at(file, slice_of(bytes, sizeof bytes), 0);
	const enum rc pieces = file_write_parts(file, parts, 3, 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(whole, RC_IO);
	assert_int_equal(pieces, RC_IO);
	file_close(&file);
	assert_int_equal(file_remove(dir, "partial"), RC_OK);
}

static void test_reserving(void **state)
{
	uint64_t size = 0, room = 0, total = 0;
	uint8_t  back[4096];
	int      file = -1;

	(void)state;
	assert_int_equal(file_open(dir, "reserved", FILE_CREATE, &file), RC_OK);
	const enum rc reserved = file_reserve(file, 0, 65536);
	if (reserved == RC_OK) {
		assert_int_equal(file_size(file, &size), RC_OK);
		assert_int_equal(size, 65536);
	} else {
		assert_int_equal(reserved, RC_UNSUPPORTED);
		assert_int_equal(file_truncate(file, 65536), RC_OK);
	}
	memset(back, 7, sizeof back);
	assert_int_equal(file_write_at(file, slice_of(back, sizeof back), 8192), RC_OK);
	if (file_punch(file, 8192, 4096) == RC_OK) {
		assert_int_equal(file_read_at(file, back, sizeof back, 8192), RC_OK);
		for (size_t i = 0; i < sizeof back; i++)
			assert_int_equal(back[i], 0);
	}
	assert_int_equal(file_size(file, &size), RC_OK);
	assert_int_equal(size, 65536);
	assert_int_equal(file_reserve(file, 0, 0), RC_LIMIT);
	assert_int_equal(file_punch(file, UINT64_MAX, 5), RC_LIMIT);
	assert_int_equal(file_space(dir, &room, &total), RC_OK);
	assert_true(room > 0 && total >= room);
	assert_int_equal(file_space(dir, NULL, NULL), RC_OK);
	file_close(&file);
	assert_int_equal(file_remove(dir, "reserved"), RC_OK);
}

static void test_replacing(void **state)
{
	struct buf text = buf_make(10);

	(void)state;
	assert_int_equal(file_replace(dir, "snapshot", SLICE("one")), RC_OK);
	assert_int_equal(file_replace(dir, "snapshot", SLICE("two!")), RC_OK);
	assert_int_equal(file_read_whole(dir, "snapshot", &text), RC_OK);
	assert_true(slice_eq(buf_slice(&text), SLICE("two!")));
	/* What an earlier crash left aside does not stop us, and is not left behind. */
	int file = -1;
	assert_int_equal(file_open(dir, "snapshot.new", FILE_CREATE, &file), RC_OK);
	file_close(&file);
	assert_int_equal(file_replace(dir, "snapshot", SLICE("three")), RC_OK);
	assert_int_equal(file_open(dir, "snapshot.new", FILE_READ, &file), RC_NOTFOUND);

	/* The bound holds, and a refusal leaves what was there. */
	assert_int_equal(file_read_whole(dir, "snapshot", &text), RC_OK);
	assert_true(slice_eq(buf_slice(&text), SLICE("two!three")));
	assert_int_equal(file_read_whole(dir, "snapshot", &text), RC_LIMIT);
	assert_true(slice_eq(buf_slice(&text), SLICE("two!three")));
	assert_false(text.failed);
	buf_done(&text);
	memory_fail_after(0);
	const enum rc rc = file_read_whole(dir, "snapshot", &text);
	memory_fail_after(-1);
	assert_int_equal(rc, RC_NOMEM);
	assert_false(text.failed);

	char path[128];
	(void)snprintf(path, sizeof path, "%s/snapshot", root);
	assert_int_equal(file_read_path(path, &text), RC_OK);
	assert_true(slice_eq(buf_slice(&text), SLICE("three")));
	assert_int_equal(file_read_path("/", &text), RC_DENIED);
	buf_done(&text);
	assert_int_equal(file_remove(dir, "snapshot"), RC_OK);
}

static enum rc count_names(void *context, const char *name)
{
	must(name[0] != '.');
	*(size_t *)context += 1;
	return RC_OK;
}

static enum rc stop_at_once(void *context, const char *name)
{
	(void)context;
	(void)name;
	return RC_BUSY;
}

static void test_listing(void **state)
{
	char   name[16];
	size_t count = 0;

	(void)state;
	assert_int_equal(file_list(dir, 0, count_names, &count), RC_OK);
	for (int i = 0; i < 5; i++) {
		(void)snprintf(name, sizeof name, "f%d", i);
		assert_int_equal(file_replace(dir, name, SLICE("")), RC_OK);
	}
	assert_int_equal(file_list(dir, 5, count_names, &count), RC_OK);
	assert_int_equal(count, 5);
	assert_int_equal(file_list(dir, 4, count_names, &count), RC_LIMIT);
	assert_int_equal(file_list(dir, 5, stop_at_once, NULL), RC_BUSY);
	for (int i = 0; i < 5; i++) {
		(void)snprintf(name, sizeof name, "f%d", i);
		assert_int_equal(file_remove(dir, name), RC_OK);
	}
}

static void test_locking(void **state)
{
	int one = -1, two = -1;

	(void)state;
	assert_int_equal(file_open(dir, "lock", FILE_OPEN_OR_MAKE, &one), RC_OK);
	assert_int_equal(file_open(dir, "lock", FILE_OPEN_OR_MAKE, &two), RC_OK);
	assert_int_equal(file_lock(one), RC_OK);
	assert_int_equal(file_lock(two), RC_BUSY);
	file_close(&one);
	assert_int_equal(file_lock(two), RC_OK);
	file_close(&two);
	assert_int_equal(file_remove(dir, "lock"), RC_OK);
}

static void test_keeping_only(void **state)
{
	(void)state;
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int fds[6];
		for (int i = 0; i < 6; i++)
			fds[i] = fcntl(dir, F_DUPFD, 40 + i * 7);
		const int keep[] = { fds[4], -1, fds[1], fds[1], 2, fds[2] };
		file_keep_only(keep, 6);
		bool good = fcntl(dir, F_GETFD) < 0 && fcntl(2, F_GETFD) >= 0;
		for (int i = 0; i < 6; i++)
			good = good && (fcntl(fds[i], F_GETFD) >= 0) == (i == 1 || i == 2 || i == 4);
		_exit(good ? 0 : 1);
	}
	int status = 1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(root, sizeof root, "/tmp/hangu-file-XXXXXX");
	return mkdtemp(root) != NULL && file_dir_open(root, &dir) == RC_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	file_close(&dir);
	/* Every test removes what it made: an empty directory is the last assertion. */
	return rmdir(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errno_rows),
		cmocka_unit_test(test_opening),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_reading_and_writing),
		cmocka_unit_test(test_partial_writes),
		cmocka_unit_test(test_reserving),
		cmocka_unit_test(test_replacing),
		cmocka_unit_test(test_listing),
		cmocka_unit_test(test_locking),
		cmocka_unit_test(test_keeping_only),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
