/*
 * Boxes are closed for ever, so each attempt runs in a child of its own: it enters a box and tries one thing. What it must
 * come to (die of the kernel's hand, be refused, succeed) stands in the table.
 */
#include "sys/sandbox.h"

#include "sys/file.h"
#include "sys/ipc.h"
#include "sys/slab.h"
#include "sys/threads.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_DONE    0  /* the attempt succeeded */
#define STATUS_REFUSED 10 /* the kernel said no and the process goes on */
#define STATUS_NO_BOX  11

/* A directory to work in and one outside; made once for the whole program. */
static char inside[64], outside[64];
static int  inside_dir = -1;
static pid_t parent;

static const struct sandbox compute_box = {
	.role = "compute", .calls = SANDBOX_CALLS_COMPUTE, .network = SANDBOX_NET_NONE, .paths = SANDBOX_NO_PATHS,
};
static const struct sandbox loops_box = {
	.role = "loops", .calls = SANDBOX_CALLS_LOOPS, .network = SANDBOX_NET_NONE, .paths = SANDBOX_NO_PATHS,
};
static const struct sandbox supervisor_box = {
	.role = "supervisor", .calls = SANDBOX_CALLS_SUPERVISE | SANDBOX_CALLS_FILES | SANDBOX_CALLS_SLABS | SANDBOX_CALLS_LOOPS |
	SANDBOX_CALLS_THREADS, .network = SANDBOX_NET_BIND, .paths = SANDBOX_NO_PATHS,
};

static int answer(long result)
{
	return result >= 0 ? STATUS_DONE : STATUS_REFUSED;
}

static int try_execve(void)
{
	char *const nothing[] = { NULL };
	return answer(execve("/bin/true", nothing, nothing));
}

static int try_execveat(void)
{
	char *const nothing[] = { NULL };
	return answer(syscall(SYS_execveat, AT_FDCWD, "/bin/true", nothing, nothing, 0));
}

static int try_fork(void)
{
	const pid_t child = fork();
	if (child == 0)
		_exit(0);
	return answer(child);
}

static int try_ptrace(void)
{
	return answer(ptrace(PTRACE_ATTACH, parent, NULL, NULL));
}

static int try_process_vm(void)
{
	return answer(syscall(SYS_process_vm_readv, parent, NULL, 0, NULL, 0, 0));
}

static int try_kill_parent(void)
{
	return answer(kill(parent, 0));
}

static int try_tgkill_parent(void)
{
	return answer(syscall(SYS_tgkill, parent, parent, 0));
}

static int try_open_outside(void)
{
	return answer(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int try_write_outside(void)
{
	char path[96];
	(void)snprintf(path, sizeof path, "%s/made", outside);
	return answer(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

static int try_open_upward(void)
{
	return answer(openat(inside_dir, "../../etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int try_write_inside(void)
{
	return answer(openat(inside_dir, "made", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

static int try_read_inside(void)
{
	return answer(openat(inside_dir, "there", O_RDONLY | O_CLOEXEC));
}

static int try_truncate_inside(void)
{
	const int file = openat(inside_dir, "there", O_RDONLY | O_TRUNC | O_CLOEXEC);
	return answer(file);
}

static int try_rename_inside(void)
{
	if (file_replace(inside_dir, "replaced", SLICE("new")) != RC_OK)
		return STATUS_REFUSED;
	return answer(renameat(inside_dir, "replaced", inside_dir, "below/replaced"));
}

static int try_socket(void)
{
	return answer(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int try_unix_socket(void)
{
	return answer(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int try_raw_socket(void)
{
	return answer(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int bind_to(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int          fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? STATUS_REFUSED : answer(bind(fd, (struct sockaddr *)&address, sizeof address));
}

static int try_bind_port(void)
{
	return bind_to(24711);
}

static int try_bind_any_port(void)
{
	return bind_to(0);
}

static int try_writable_executable(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? STATUS_REFUSED : 0;
}

static int try_newly_executable(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return page == MAP_FAILED ? STATUS_NO_BOX : answer(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int try_bpf(void)
{
	return answer(syscall(SYS_bpf, 0, NULL, 0));
}

static int try_io_uring(void)
{
	return answer(syscall(SYS_io_uring_setup, 1, NULL));
}

static int try_userfaultfd(void)
{
	return answer(syscall(SYS_userfaultfd, 0));
}

static int try_namespace(void)
{
	return answer(syscall(SYS_unshare, 0x10000000));
}

static int try_namespace_clone(void)
{
	const long child = syscall(SYS_clone, 0x10000000 | SIGCHLD, NULL, NULL, NULL, NULL);
	if (child == 0)
		_exit(0);
	return answer(child);
}

static int try_mount(void)
{
	return answer(syscall(SYS_mount, "none", "/mnt", "tmpfs", 0, NULL));
}

static int try_keyctl(void)
{
	return answer(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
}

static int try_signal_owner(void)
{
	/* SIGIO by ownership of a descriptor: another way to signal. */
	return answer(fcntl(0, F_SETOWN, parent));
}

static int try_memfd(void)
{
	return answer((long)syscall(SYS_memfd_create, "x", 0));
}

static int try_raise_limit(void)
{
	const struct rlimit more = { .rlim_cur = 1u << 20, .rlim_max = 1u << 20 };
	return answer(setrlimit(RLIMIT_NOFILE, &more));
}

static int try_more_privileges(void)
{
	return answer(setuid(0));
}

static int try_dumpable(void)
{
	return answer(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int try_clone3(void)
{
	char arguments[88] = { 0 };
	return answer(syscall(SYS_clone3, arguments, sizeof arguments));
}

static int try_work(void)
{
	/* What every box must be able to do. */
	uint8_t *bytes = malloc(1u << 20);
	if (bytes == NULL)
		return STATUS_REFUSED;
	memset(bytes, 1, 1u << 20);
	const int sum = bytes[5];
	free(bytes);
	int ends[2] = { 0, 1 };
	return sum == 1 && write(ends[1], "", 0) == 0 ? STATUS_DONE : STATUS_REFUSED;
}

static void add_one(void *argument)
{
	*(int *)argument += 1;
}

static int try_thread(void)
{
	struct thread *thread = NULL;
	int            number = 0;

	if (thread_start("worker", THREAD_STACK_WORK, add_one, &number, &thread) != RC_OK)
		return STATUS_REFUSED;
	thread_join(&thread);
	return number == 1 ? STATUS_DONE : STATUS_REFUSED;
}

static int try_slab(void)
{
	struct slab *slab = NULL;

	if (slab_open(1u << 20, &slab) != RC_OK || slab_append(slab, SLICE("message")) != RC_OK || slab_seal(slab) != RC_OK ||
	    slab_share(slab) != RC_OK)
		return STATUS_REFUSED;
	slab_close(&slab);
	return STATUS_DONE;
}

/* The slab arrives before the box closes, as a scanner's would arrive through a socket; taking it happens inside. */
static int slab_of_parent = -1;

static int try_take_slab(void)
{
	struct slab *slab = NULL;

	if (slab_take(slab_of_parent, 7, 1u << 20, &slab) != RC_OK)
		return STATUS_REFUSED;
	const bool same = slice_eq(slab_bytes(slab), SLICE("message"));
	slab_close(&slab);
	return same ? STATUS_DONE : STATUS_REFUSED;
}

static int try_write_slab(void)
{
	return mmap(NULL, 7, PROT_READ | PROT_WRITE, MAP_SHARED, slab_of_parent, 0) == MAP_FAILED ? STATUS_REFUSED : STATUS_DONE;
}

static int try_core(void)
{
	struct rlimit now;
	return getrlimit(RLIMIT_CORE, &now) == 0 && now.rlim_cur == 0 && now.rlim_max == 0 ? STATUS_DONE : STATUS_REFUSED;
}

static int try_abort(void)
{
	abort();
}

static const struct sandbox *const all_boxes[] = { &compute_box, &loops_box, NULL, &supervisor_box };

static int run_boxed(const struct sandbox *box, const struct sandbox_user *user, int (*attempt)(void))
{
	int         status = 0;
	const pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		/* The breach reports of sanitizer builds are expected here, and only noise. */
		const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
		(void)dup2(nowhere, 2);
		struct fault fault = { 0 };
		if (sandbox_enter(box, user, NULL, &fault) != RC_OK)
			_exit(STATUS_NO_BOX);
		_exit(attempt());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

enum outcome { DIES, REFUSED, WORKS, ABORTS };

struct row {
	const char *name;
	int (*attempt)(void);
	enum outcome outcome;
};

static void check_rows(const struct sandbox *box, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const int status = run_boxed(box, NULL, rows[i].attempt);
		bool      good = false;
		switch (rows[i].outcome) {
		case DIES:
			good = sandbox_is_breach(status);
			/* A sanitizer build may open, which Landlock then refuses. */
			if (sandbox_word()[0] != '\0')
				good = good || (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_REFUSED);
			break;
		case REFUSED:
			good = WIFEXITED(status) && WEXITSTATUS(status) == STATUS_REFUSED;
			break;
		case WORKS:
			good = WIFEXITED(status) && WEXITSTATUS(status) == STATUS_DONE;
			break;
		case ABORTS:
			good = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
			break;
		}
		if (!good)
			fail_msg("box %s, %s: wait status 0x%x", box->role, rows[i].name, (unsigned)status);
	}
}

#define ROWS(rows) rows, sizeof(rows) / sizeof((rows)[0])

static void test_no_box_gets_out(void **state)
{
	static const struct row rows[] = {
		{ "run a program", try_execve, DIES },
		{ "run a program by descriptor", try_execveat, DIES },
		{ "trace another process", try_ptrace, DIES },
		{ "read another process's memory", try_process_vm, DIES },
		{ "load a bpf program", try_bpf, DIES },
		{ "make an io_uring", try_io_uring, DIES },
		{ "handle page faults", try_userfaultfd, DIES },
		{ "make a namespace", try_namespace, DIES },
		{ "make a namespace by clone", try_namespace_clone, DIES },
		{ "mount", try_mount, DIES },
		{ "use kernel keys", try_keyctl, DIES },
		{ "map writable and executable memory", try_writable_executable, DIES },
		{ "make memory executable", try_newly_executable, DIES },
		{ "open a packet socket", try_raw_socket, DIES },
		{ "signal by ownership of a descriptor", try_signal_owner, DIES },
	};
	const struct sandbox_path path = { .handle = inside_dir, .write = true };
	const struct sandbox files_box = {
		.role = "files", .calls = SANDBOX_CALLS_FILES | SANDBOX_CALLS_THREADS | SANDBOX_CALLS_SLABS | SANDBOX_CALLS_LOOPS,
		.network = SANDBOX_NET_CONNECT, .paths = &path, .path_count = 1,
	};

	(void)state;
	for (size_t i = 0; i < sizeof all_boxes / sizeof all_boxes[0]; i++)
		check_rows(all_boxes[i] != NULL ? all_boxes[i] : &files_box, ROWS(rows));
}

static void test_computing_box(void **state)
{
	static const struct row rows[] = {
		{ "compute", try_work, WORKS },
		{ "leave no core", try_core, WORKS },
		{ "read the slab it was given", try_take_slab, WORKS },
		{ "abort with the right signal", try_abort, ABORTS },
		{ "write the slab it was given", try_write_slab, REFUSED },
		{ "fork", try_fork, DIES },
		{ "fork by clone3", try_clone3, DIES },
		{ "start a thread", try_thread, DIES },
		{ "kill the parent", try_kill_parent, DIES },
		{ "kill the parent by thread", try_tgkill_parent, DIES },
		{ "open a file", try_open_outside, DIES },
		{ "make a file", try_write_outside, DIES },
		{ "open a file below a handle", try_read_inside, DIES },
		{ "open a TCP socket", try_socket, DIES },
		{ "open a Unix socket", try_unix_socket, DIES },
		{ "make shared memory", try_memfd, DIES },
		{ "raise a limit", try_raise_limit, DIES },
		{ "become root", try_more_privileges, DIES },
	};

	(void)state;
	check_rows(&compute_box, ROWS(rows));
	/* A sanitizer build allows prctl; the product does not. */
	if (sandbox_word()[0] == '\0')
		assert_true(sandbox_is_breach(run_boxed(&compute_box, NULL, try_dumpable)));
}

static void test_box_with_files_and_network(void **state)
{
	static const struct row rows[] = {
		{ "read below its path", try_read_inside, WORKS },
		{ "write below its path", try_write_inside, WORKS },
		{ "rename across directories of its path", try_rename_inside, WORKS },
		{ "start a thread", try_thread, WORKS },
		{ "make a slab", try_slab, WORKS },
		{ "open a TCP socket", try_socket, WORKS },
		{ "bind any free port", try_bind_any_port, WORKS },
		{ "bind a port by number", try_bind_port, REFUSED },
		{ "open a file elsewhere", try_open_outside, REFUSED },
		{ "make a file elsewhere", try_write_outside, REFUSED },
		{ "climb out of its path", try_open_upward, REFUSED },
		{ "open a Unix socket", try_unix_socket, DIES },
		{ "fork", try_fork, DIES },
		{ "kill the parent", try_kill_parent, DIES },
	};
	const struct sandbox_path path = { .handle = inside_dir, .write = true };
	const struct sandbox box = {
		.role = "gate-like", .calls = SANDBOX_CALLS_FILES | SANDBOX_CALLS_THREADS | SANDBOX_CALLS_SLABS | SANDBOX_CALLS_LOOPS,
		.network = SANDBOX_NET_CONNECT, .paths = &path, .path_count = 1,
	};

	(void)state;
	check_rows(&box, ROWS(rows));
}

static void test_box_that_only_reads(void **state)
{
	static const struct row rows[] = {
		{ "read below its path", try_read_inside, WORKS },
		{ "write below its path", try_write_inside, REFUSED },
		{ "truncate below its path", try_truncate_inside, REFUSED },
		{ "open a TCP socket", try_socket, DIES },
		{ "open a file elsewhere", try_open_outside, REFUSED },
	};
	const struct sandbox_path path = { .handle = inside_dir };
	const struct sandbox box = {
		.role = "records-like", .calls = SANDBOX_CALLS_FILES, .network = SANDBOX_NET_ACCEPT, .paths = &path, .path_count = 1,
	};

	(void)state;
	check_rows(&box, ROWS(rows));
}

static int try_tight_child(void)
{
	/* What a role does: forked inside the supervisor's box, it opens, then closes its own, then must be inside both. */
	const pid_t child = fork();

	if (child == 0) {
		const int before = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
		if (before < 0 || sandbox_enter(&compute_box, NULL, NULL, NULL) != RC_OK)
			_exit(STATUS_NO_BOX);
		_exit(try_socket());
	}
	int status = 0;
	if (waitpid(child, &status, 0) != child)
		return STATUS_NO_BOX;
	return sandbox_is_breach(status) ? STATUS_DONE : STATUS_REFUSED;
}

static int try_rename_as_supervisor(void)
{
	const pid_t child = fork();

	if (child == 0) {
		const struct sandbox_path path = { .handle = inside_dir, .write = true };
		const struct sandbox box = { .role = "files", .calls = SANDBOX_CALLS_FILES, .network = SANDBOX_NET_NONE,
			                     .paths = &path, .path_count = 1 };
		if (sandbox_enter(&box, NULL, NULL, NULL) != RC_OK)
			_exit(STATUS_NO_BOX);
		_exit(try_rename_inside());
	}
	int status = 0;
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return STATUS_NO_BOX;
	return WEXITSTATUS(status);
}

static void test_supervisor(void **state)
{
	static const struct row rows[] = {
		{ "fork", try_fork, WORKS },
		{ "open a file", try_open_outside, WORKS },
		{ "open a Unix socket", try_unix_socket, WORKS },
		{ "bind a port", try_bind_port, WORKS },
		{ "see its child closed in tighter", try_tight_child, WORKS },
		{ "leave renames across directories to its children", try_rename_as_supervisor, WORKS },
	};

	(void)state;
	check_rows(&supervisor_box, ROWS(rows));
}

static int try_who_am_i(void)
{
	uint64_t      kept = 1;
	FILE         *about = fopen("/proc/self/status", "r");
	char          line[256];
	unsigned long number = 0;

	if (about == NULL)
		return STATUS_NO_BOX;
	while (fgets(line, sizeof line, about) != NULL) {
		if (sscanf(line, "CapEff: %lx", &number) == 1)
			kept = number;
	}
	(void)fclose(about);
	return getuid() == 65534 && getgid() == 65534 && kept == 0 ? STATUS_DONE : STATUS_REFUSED;
}

static int try_no_capabilities(void)
{
	/* Root without capabilities cannot give a file away. */
	return answer(fchown(slab_of_parent, 1, 1));
}

static void test_privileges(void **state)
{
	const struct sandbox_user nobody = { .change = true, .uid = 65534, .gid = 65534 };
	int                       proc = -1;

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: only root can give its privileges up\n");
		skip();
	}
	assert_int_equal(file_dir_open("/proc", &proc), RC_OK);
	const struct sandbox_path path = { .handle = proc };
	const struct sandbox box = { .role = "files", .calls = SANDBOX_CALLS_FILES, .network = SANDBOX_NET_NONE, .paths = &path, .path_count = 1 };
	assert_int_equal(run_boxed(&box, &nobody, try_who_am_i), 0);
	assert_int_equal(WEXITSTATUS(run_boxed(&box, NULL, try_no_capabilities)), STATUS_REFUSED);
	file_close(&proc);
}

static int try_much_memory(void)
{
	void *page = mmap(NULL, 64u << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return page == MAP_FAILED ? STATUS_REFUSED : STATUS_DONE;
}

static int try_many_files(void)
{
	for (int i = 0; i < 64; i++) {
		if (fcntl(0, F_DUPFD_CLOEXEC, 3) < 0)
			return STATUS_REFUSED;
	}
	return STATUS_DONE;
}

static void test_limits(void **state)
{
	const struct sandbox small = { .role = "small", .paths = SANDBOX_NO_PATHS, .memory_max = 48u << 20, .files_max = 32 };

	(void)state;
	assert_int_equal(WEXITSTATUS(run_boxed(&small, NULL, try_many_files)), STATUS_REFUSED);
	if (sandbox_word()[0] == '\0')
		assert_int_equal(WEXITSTATUS(run_boxed(&small, NULL, try_much_memory)), STATUS_REFUSED);
	assert_int_equal(run_boxed(&compute_box, NULL, try_much_memory), 0);
}

static void test_report(void **state)
{
	struct sandbox_report report;
	struct sandbox_user   user = { 0 };
	struct buf            text = buf_make(16u << 10);

	(void)state;
	sandbox_look(&report);
	assert_true(report.landlock_abi >= 0);
	assert_int_equal(report.degraded, report.missing[0] != '\0');
	assert_int_equal(sandbox_user_find("no-such-user-here", &user), RC_NOTFOUND);
	assert_int_equal(sandbox_user_find("root", &user), RC_OK);
	assert_int_equal(user.uid, 0);
	sandbox_describe(&compute_box, &text);
	assert_false(text.failed);
	assert_true(slice_search(buf_slice(&text), SLICE("mmap: without PROT_EXEC\n")) < text.len);
	assert_true(slice_search(buf_slice(&text), SLICE("exec")) == text.len);
	assert_true(slice_search(buf_slice(&text), SLICE("openat")) == text.len);
	buf_done(&text);
}

static int set_up(void **state)
{
	char path[96];

	(void)state;
	parent = getpid();
	(void)snprintf(inside, sizeof inside, "/tmp/hangu-sandbox-XXXXXX");
	(void)snprintf(outside, sizeof outside, "/tmp/hangu-outside-XXXXXX");
	if (mkdtemp(inside) == NULL || mkdtemp(outside) == NULL || file_dir_open(inside, &inside_dir) != RC_OK)
		return -1;
	(void)snprintf(path, sizeof path, "%s/below", inside);
	if (mkdir(path, 0700) != 0 || file_replace(inside_dir, "there", SLICE("text")) != RC_OK)
		return -1;
	return slab_publish("test", SLICE("message"), &slab_of_parent) == RC_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "there", "made", "replaced", "below/replaced" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		(void)unlinkat(inside_dir, names[i], 0);
	(void)unlinkat(inside_dir, "below", AT_REMOVEDIR);
	file_close(&inside_dir);
	(void)rmdir(inside);
	(void)rmdir(outside);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_box_gets_out),
		cmocka_unit_test(test_computing_box),
		cmocka_unit_test(test_box_with_files_and_network),
		cmocka_unit_test(test_box_that_only_reads),
		cmocka_unit_test(test_supervisor),
		cmocka_unit_test(test_privileges),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_report),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
