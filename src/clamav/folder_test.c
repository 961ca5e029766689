/* Tests of the folders for temporary files: made empty, removed with all that is in them, and nothing else with them. */
#include <stdarg.h>
#include <stddef.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "clamav/folder.h"
#include "sys/file.h"

static char top[64];

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof top, "/tmp/hangu-folder-XXXXXX");
	return mkdtemp(top) == NULL;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
	(void)about;
	(void)kind;
	(void)where;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *name)
{
	char path[200];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", top, name);
	file = fopen(path, "w");
	assert_non_null(file);
	(void)fputs("x", file);
	assert_int_equal(fclose(file), 0);
}

static void make(const char *name)
{
	char path[200];

	(void)snprintf(path, sizeof path, "%s/%s", top, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static bool there(const char *name)
{
	char path[200];

	(void)snprintf(path, sizeof path, "%s/%s", top, name);
	return access(path, F_OK) == 0;
}

static void it_is_made_empty(void **state)
{
	struct folder folder;

	(void)state;
	assert_int_equal(folder_make(top, 12, 3, &folder), RC_OK);
	folder_close(&folder);
	assert_true(there("12-3"));
	make("12-3/clamav-a.tmp");
	put("12-3/clamav-a.tmp/member");
	put("12-3/left");
	put("beside");
	assert_int_equal(folder_make(top, 12, 3, &folder), RC_OK);
	assert_true(there("12-3") && !there("12-3/left") && !there("12-3/clamav-a.tmp"));
	assert_true(folder.handle >= 0);
	folder_close(&folder);
	assert_int_equal(folder.handle, -1);
	folder_remove(top, 12, 3);
	assert_true(!there("12-3") && there("beside"));
	folder_remove(top, 12, 3);
}

static void a_link_is_removed_and_not_followed(void **state)
{
	struct folder folder;
	char          link[200], target[200];

	(void)state;
	make("precious");
	put("precious/file");
	assert_int_equal(folder_make(top, 1, 0, &folder), RC_OK);
	folder_close(&folder);
	(void)snprintf(link, sizeof link, "%s/1-0/link", top);
	(void)snprintf(target, sizeof target, "%s/precious", top);
	assert_int_equal(symlink(target, link), 0);
	folder_remove(top, 1, 0);
	assert_true(!there("1-0") && there("precious/file"));
}

static void all_of_ours_go_and_nothing_else(void **state)
{
	static const char *const kept[] = { "precious", "12", "12-", "-3", "12-3x", "a-1" };

	(void)state;
	make("12-3");
	make("9-64");
	for (size_t i = 1; i < sizeof kept / sizeof kept[0]; i++)
		make(kept[i]);
	folder_remove_all(top);
	assert_true(!there("12-3") && !there("9-64"));
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		assert_true(there(kept[i]));
	folder_remove_all("/nowhere/at/all");
}

static void a_path_that_is_too_long_is_refused(void **state)
{
	static char   path[PATH_MAX];
	struct folder folder;

	(void)state;
	memset(path, 'x', sizeof path - 1);
	assert_int_equal(folder_make(path, 1, 0, &folder), RC_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_made_empty),
		cmocka_unit_test(a_link_is_removed_and_not_followed),
		cmocka_unit_test(all_of_ours_go_and_nothing_else),
		cmocka_unit_test(a_path_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
