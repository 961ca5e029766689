/*
 * The table of docs/boxes.md is made from the boxes themselves: a call added to one of them makes this test fail until the page says so.
 * `BOXES_WRITE=1 build/gcc/daemon_boxes_test` writes the page's table anew.
 */
#include "daemon/roles.h"

#include "sys/file.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#define PAGE     "boxes.md"
#define BEGIN    SLICE("<!-- calls: begin -->\n")
#define END      SLICE("<!-- calls: end -->\n")
#define PAGE_MAX (1u << 20)

static const struct sandbox *const boxes[] = { &supervisor_box, &gate_box, &records_box, &scan_box };
#define BOX_COUNT (sizeof boxes / sizeof boxes[0])

static bool has_line(const struct buf *text, struct slice line)
{
	struct slice rest = buf_slice(text);

	while (rest.len != 0) {
		if (slice_eq(slice_until(&rest, '\n'), line))
			return true;
	}
	return false;
}

static void put_row(struct buf *out, struct slice line, const struct buf texts[BOX_COUNT])
{
	struct slice       condition = line;
	const struct slice name = slice_until(&condition, ':');

	buf_put_str(out, "| `");
	buf_put(out, name);
	buf_put_str(out, "` | ");
	buf_put(out, slice_trim(condition));
	for (size_t i = 0; i < BOX_COUNT; i++)
		buf_put_str(out, has_line(&texts[i], line) ? " | x" : " |  ");
	buf_put_str(out, " |\n");
}

/* One row for each call and condition, in the order of the supervisor's list, which has them all. */
static void compose(struct buf *out)
{
	struct buf texts[BOX_COUNT];

	for (size_t i = 0; i < BOX_COUNT; i++) {
		texts[i] = buf_make(PAGE_MAX);
		sandbox_describe(boxes[i], &texts[i]);
		assert_false(texts[i].failed);
	}
	buf_put_str(out, "| call | only | supervisor | gate | records | scan |\n| --- | --- | :-: | :-: | :-: | :-: |\n");
	struct slice rest = buf_slice(&texts[0]);
	while (rest.len != 0)
		put_row(out, slice_until(&rest, '\n'), texts);
	for (size_t i = 0; i < BOX_COUNT; i++) {
		struct slice own = buf_slice(&texts[i]);
		/* No role has a call that the supervisor's box, which it inherits, would kill it for. */
		while (own.len != 0)
			assert_true(has_line(&texts[0], slice_until(&own, '\n')));
	}
	for (size_t i = 0; i < BOX_COUNT; i++)
		buf_done(&texts[i]);
}

static void test_page_says_what_the_boxes_are(void **state)
{
	struct buf page = buf_make(PAGE_MAX), table = buf_make(PAGE_MAX);
	int        docs = -1;

	(void)state;
	assert_int_equal(file_dir_open("docs", &docs), RC_OK);
	assert_int_equal(file_read_whole(docs, PAGE, &page), RC_OK);
	compose(&table);
	const struct slice text = buf_slice(&page);
	const size_t       begin = slice_search(text, BEGIN);
	const size_t       end = slice_search(text, END);
	assert_true(begin < end && end < text.len);
	const struct slice written = slice_cut(text, begin + BEGIN.len, end - begin - BEGIN.len);
	if (!slice_eq(written, buf_slice(&table)) && getenv("BOXES_WRITE") != NULL) {
		struct buf anew = buf_make(2 * PAGE_MAX);
		buf_put(&anew, slice_take(text, begin + BEGIN.len));
		buf_put(&anew, buf_slice(&table));
		buf_put(&anew, slice_drop(text, end));
		assert_int_equal(file_replace(docs, PAGE, buf_slice(&anew)), RC_OK);
		buf_done(&anew);
	} else if (!slice_eq(written, buf_slice(&table))) {
		fail_msg("docs/boxes.md is behind the boxes: look at the change, then run this with BOXES_WRITE=1");
	}
	buf_done(&page);
	buf_done(&table);
	file_close(&docs);
}

/* What nobody may ever have, whatever is added to the table. */
static void test_what_no_box_has(void **state)
{
	static const char *const never[] = {
		"execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev", "bpf", "io_uring_setup", "io_uring_enter", "userfaultfd",
		"pidfd_getfd", "pidfd_open", "unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "init_module", "finit_module",
		"kexec_load", "keyctl", "add_key", "request_key", "personality", "perf_event_open", "open_by_handle_at", "name_to_handle_at",
		"modify_ldt", "pkey_mprotect", "shmat", "shmget", "syslog", "swapon", "reboot", "settimeofday", "clock_settime", "iopl", "ioperm",
		"fork", "vfork", "mknod", "mknodat", "symlink", "symlinkat", "link", "linkat", "chown", "chmod",
	};
	static const char *const not_in_scan[] = {
		"openat", "open", "socket", "connect", "bind", "accept4", "listen", "socketpair", "clone", "clone3", "kill", "memfd_create", "unlinkat",
		"rename", "setsockopt", "statx", "newfstatat", "getdents64", "setuid", "seccomp",
	};

	(void)state;
	for (size_t i = 0; i < BOX_COUNT; i++) {
		struct buf text = buf_make(PAGE_MAX);
		sandbox_describe(boxes[i], &text);
		struct slice rest = buf_slice(&text);
		while (rest.len != 0) {
			struct slice       line = slice_until(&rest, '\n');
			const struct slice name = slice_until(&line, ':');
			for (size_t j = 0; j < sizeof never / sizeof never[0]; j++)
				assert_false(slice_eq(name, slice_str(never[j])));
			for (size_t j = 0; boxes[i] == &scan_box && j < sizeof not_in_scan / sizeof not_in_scan[0]; j++)
				assert_false(slice_eq(name, slice_str(not_in_scan[j])));
		}
		assert_false(boxes[i]->core_dump);
		buf_done(&text);
	}
}

static void test_paths_and_limits(void **state)
{
	struct role_start   start = { .journal_dir = 7, .records_dir = 8, .memory_max = 1u << 29 };
	struct sandbox_path paths[ROLE_PATHS_MAX];

	(void)state;
	start.role = ROLE_GATE;
	struct sandbox box = role_box(&start, paths);
	assert_int_equal(box.path_count, 1);
	assert_true(box.paths[0].handle == 7 && box.paths[0].write);
	start.role = ROLE_RECORDS;
	box = role_box(&start, paths);
	assert_int_equal(box.path_count, 2);
	assert_true(box.paths[0].handle == 7 && !box.paths[0].write && box.paths[1].handle == 8 && box.paths[1].write);
	start.role = ROLE_SCAN;
	box = role_box(&start, paths);
	assert_int_equal(box.path_count, 0);
	assert_int_equal(box.memory_max, 1u << 29);
	assert_int_equal(box.network, SANDBOX_NET_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_says_what_the_boxes_are),
		cmocka_unit_test(test_what_no_box_has),
		cmocka_unit_test(test_paths_and_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
