/* The attempts. They use system calls directly: a taken-over process would not ask the C library. */
#include "daemon/prove_attempts.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int answer(long result)
{
	return result >= 0 ? ATTEMPT_DONE : ATTEMPT_REFUSED;
}

static int run_program(const struct attempt_target *target)
{
	char *const nothing[] = { NULL };

	(void)target;
	return answer(syscall(SYS_execve, "/bin/true", nothing, nothing));
}

static int run_program_at(const struct attempt_target *target)
{
	char *const nothing[] = { NULL };

	(void)target;
	return answer(syscall(SYS_execveat, AT_FDCWD, "/bin/true", nothing, nothing, 0));
}

static int make_process(const struct attempt_target *target)
{
	(void)target;
	const long child = syscall(SYS_clone, (unsigned long)SIGCHLD, NULL, NULL, NULL, NULL);
	if (child == 0)
		_exit(0);
	return answer(child);
}

static int trace_supervisor(const struct attempt_target *target)
{
	return answer(syscall(SYS_ptrace, 16 /* PTRACE_ATTACH */, target->supervisor, NULL, NULL));
}

static int read_supervisor(const struct attempt_target *target)
{
	char         byte;
	struct iovec to = { &byte, 1 }, from = { &byte, 1 };

	return answer(syscall(SYS_process_vm_readv, target->supervisor, &to, 1, &from, 1, 0));
}

static int write_sibling(const struct attempt_target *target)
{
	char         byte = 0;
	struct iovec to = { &byte, 1 }, from = { &byte, 1 };

	return answer(syscall(SYS_process_vm_writev, target->sibling, &from, 1, &to, 1, 0));
}

/* Signal 0 asks for the right to signal and changes nothing: if the box had a hole, nobody would die of this proof. */
static int kill_supervisor(const struct attempt_target *target)
{
	return answer(syscall(SYS_kill, target->supervisor, 0));
}

static int kill_sibling(const struct attempt_target *target)
{
	return answer(syscall(SYS_kill, target->sibling, 0));
}

static int kill_thread_of_sibling(const struct attempt_target *target)
{
	return answer(syscall(SYS_tgkill, target->sibling, target->sibling, 0));
}

static int open_by_pid(const struct attempt_target *target)
{
	return answer(syscall(SYS_pidfd_open, target->supervisor, 0));
}

static int read_password_file(const struct attempt_target *target)
{
	(void)target;
	return answer(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int write_file(const struct attempt_target *target)
{
	(void)target;
	return answer(syscall(SYS_openat, AT_FDCWD, "/tmp/hangu-double", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

static int write_journal(const struct attempt_target *target)
{
	return answer(syscall(SYS_openat, target->journal_dir, "double", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

static int climb_out(const struct attempt_target *target)
{
	return answer(syscall(SYS_openat, target->journal_dir, "../../../../../../etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int open_foreign_slab(const struct attempt_target *target)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%d/fd/%d", target->supervisor, target->foreign_slab);
	return answer(syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC));
}

static int steal_foreign_slab(const struct attempt_target *target)
{
	return answer(syscall(SYS_pidfd_getfd, target->channel, target->foreign_slab, 0));
}

/* Every number there could be: besides the three standard ones it holds its message and its channel. */
static int hold_foreign_slab(const struct attempt_target *target)
{
	for (int fd = 3; fd < 4096; fd++) {
		if (fd == target->own_slab || fd == target->channel)
			continue;
		if (fcntl(fd, F_GETFD) >= 0 && fcntl(fd, F_GET_SEALS) >= 0)
			return ATTEMPT_DONE;
	}
	return ATTEMPT_REFUSED;
}

static int write_own_slab(const struct attempt_target *target)
{
	const long page = syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, target->own_slab, 0);

	return page == -1 ? ATTEMPT_REFUSED : ATTEMPT_DONE;
}

static int grow_own_slab(const struct attempt_target *target)
{
	return answer(syscall(SYS_pwrite64, target->own_slab, "x", 1, 100000));
}

static int connect_out(const struct attempt_target *target)
{
	const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(25), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	(void)target;
	const long fd = syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	if (fd >= 0)
		(void)syscall(SYS_connect, fd, &address, sizeof address);
	return answer(fd);
}

static int send_datagram(const struct attempt_target *target)
{
	(void)target;
	return answer(syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0));
}

static int bind_port(const struct attempt_target *target)
{
	const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(24723), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	(void)target;
	const long fd = syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	return fd < 0 ? ATTEMPT_REFUSED : answer(syscall(SYS_bind, fd, &address, sizeof address));
}

static int talk_to_local_service(const struct attempt_target *target)
{
	(void)target;
	return answer(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
}

static int raw_socket(const struct attempt_target *target)
{
	(void)target;
	return answer(syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0));
}

static int map_writable_code(const struct attempt_target *target)
{
	(void)target;
	const long page = syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return page == -1 ? ATTEMPT_REFUSED : ATTEMPT_DONE;
}

static int make_code(const struct attempt_target *target)
{
	(void)target;
	const long page = syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return page == -1 ? ATTEMPT_NO_BOX : answer(syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC));
}

static int load_bpf(const struct attempt_target *target)
{
	(void)target;
	return answer(syscall(SYS_bpf, 0, NULL, 0));
}

static int make_io_uring(const struct attempt_target *target)
{
	(void)target;
	return answer(syscall(SYS_io_uring_setup, 1, NULL));
}

static int make_userfaultfd(const struct attempt_target *target)
{
	(void)target;
	return answer(syscall(SYS_userfaultfd, 0));
}

static int make_namespace(const struct attempt_target *target)
{
	(void)target;
	return answer(syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */));
}

static int become_root(const struct attempt_target *target)
{
	(void)target;
	return answer(syscall(SYS_setuid, 0));
}

/* ---- lies of a taken-over scanner ---- */

static int send_frame(const struct attempt_target *target, struct slice bytes)
{
	struct iovec  vector = { .iov_base = (void *)(uintptr_t)bytes.ptr, .iov_len = bytes.len };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };

	return sendmsg(target->channel, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? ATTEMPT_REFUSED : ATTEMPT_DONE;
}

/* The honest answer to the request, to be bent. */
static bool honest_answer(const struct attempt_target *target, uint64_t id, const struct digest *engine, struct buf *out)
{
	struct arena    arena;
	struct findings findings;

	if (arena_init(&arena, SCAN_ARENA_BYTES) != RC_OK)
		return false;
	const bool good = scan_message(target->message, &target->request.options, engine, &arena, &findings) == RC_OK;
	if (good)
		scan_answer_encode(id, SCAN_END_DONE, &findings, out);
	arena_done(&arena);
	return good && !out->failed;
}

static int lie(const struct attempt_target *target, uint64_t id, bool wrong_engine, int bytes_more)
{
	struct buf    frame = buf_make(SCAN_FRAME_MAX);
	struct digest engine;
	int           result = ATTEMPT_NO_BOX;

	scan_engine_digest(&target->request.options, &engine);
	if (wrong_engine)
		engine.bytes[0] ^= 1;
	if (honest_answer(target, id, &engine, &frame)) {
		if (bytes_more > 0)
			buf_put_byte(&frame, 0);
		if (bytes_more < 0)
			buf_truncate(&frame, frame.len - 1);
		result = send_frame(target, buf_slice(&frame));
	}
	buf_done(&frame);
	return result;
}

static int lie_other_id(const struct attempt_target *target)
{
	return lie(target, target->request.id + 1, false, 0);
}

static int lie_other_engine(const struct attempt_target *target)
{
	return lie(target, target->request.id, true, 0);
}

static int lie_cut_short(const struct attempt_target *target)
{
	return lie(target, target->request.id, false, -1);
}

static int lie_bytes_behind(const struct attempt_target *target)
{
	return lie(target, target->request.id, false, 1);
}

static int lie_noise(const struct attempt_target *target)
{
	uint8_t noise[512];

	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (uint8_t)(i * 197 + 13);
	return send_frame(target, slice_of(noise, sizeof noise));
}

/* Honest to the last byte, except that each counter in turn says more than anybody has. */
static int lie_counts(const struct attempt_target *target)
{
	struct buf    frame = buf_make(SCAN_FRAME_MAX);
	struct digest engine;
	int           result = ATTEMPT_NO_BOX;

	scan_engine_digest(&target->request.options, &engine);
	if (honest_answer(target, target->request.id, &engine, &frame)) {
		buf_truncate(&frame, frame.len - frame.len / 4);
		for (int i = 0; i < 64; i++)
			buf_put_byte(&frame, 0xff);
		result = send_frame(target, buf_slice(&frame));
	}
	buf_done(&frame);
	return result;
}

static int lie_oversized(const struct attempt_target *target)
{
	const size_t size = 2 * SCAN_FRAME_MAX;
	uint8_t     *bytes = memory_take(1, size);

	if (bytes == NULL)
		return ATTEMPT_NO_BOX;
	const int result = send_frame(target, slice_of(bytes, size));
	memory_give(bytes);
	return result;
}

#define GATE    ATTEMPT_OF(ROLE_GATE)
#define RECORDS ATTEMPT_OF(ROLE_RECORDS)
#define SCAN    ATTEMPT_OF(ROLE_SCAN)

const struct attempt attempts[] = {
	{ "run a program (execve)", ATTEMPT_ALL, false, run_program },
	{ "run a program by descriptor (execveat)", ATTEMPT_ALL, false, run_program_at },
	{ "make a process (clone)", ATTEMPT_ALL, false, make_process },
	{ "trace the supervisor (ptrace)", ATTEMPT_ALL, false, trace_supervisor },
	{ "read the supervisor's memory", ATTEMPT_ALL, false, read_supervisor },
	{ "write another role's memory", ATTEMPT_ALL, false, write_sibling },
	{ "kill the supervisor", ATTEMPT_ALL, false, kill_supervisor },
	{ "kill another role", ATTEMPT_ALL, false, kill_sibling },
	{ "kill a thread of another role", ATTEMPT_ALL, false, kill_thread_of_sibling },
	{ "take hold of a process (pidfd_open)", ATTEMPT_ALL, false, open_by_pid },
	{ "read a file of the system", ATTEMPT_ALL, false, read_password_file },
	{ "write a file", ATTEMPT_ALL, false, write_file },
	{ "write into the journal's folder", RECORDS | SCAN, false, write_journal },
	{ "climb out of the journal's folder", GATE | RECORDS, false, climb_out },
	{ "open another message's memory", ATTEMPT_ALL, false, open_foreign_slab },
	{ "steal another message's descriptor", ATTEMPT_ALL, false, steal_foreign_slab },
	{ "find another message among its descriptors", ATTEMPT_ALL, false, hold_foreign_slab },
	{ "map its own message writable", SCAN, false, write_own_slab },
	{ "write into its own message", SCAN, false, grow_own_slab },
	{ "connect to a server", RECORDS | SCAN, false, connect_out },
	{ "send a datagram", RECORDS | SCAN, false, send_datagram },
	{ "bind a port", ATTEMPT_ALL, false, bind_port },
	{ "talk to a local service", ATTEMPT_ALL, false, talk_to_local_service },
	{ "open a raw socket", ATTEMPT_ALL, false, raw_socket },
	{ "map memory writable and executable", ATTEMPT_ALL, false, map_writable_code },
	{ "make memory executable (mprotect)", ATTEMPT_ALL, false, make_code },
	{ "load a bpf program", ATTEMPT_ALL, false, load_bpf },
	{ "make an io_uring", ATTEMPT_ALL, false, make_io_uring },
	{ "handle page faults", ATTEMPT_ALL, false, make_userfaultfd },
	{ "make a namespace", ATTEMPT_ALL, false, make_namespace },
	{ "become root", ATTEMPT_ALL, false, become_root },
	{ "findings under another message's id", SCAN, true, lie_other_id },
	{ "findings of another engine", SCAN, true, lie_other_engine },
	{ "findings cut short", SCAN, true, lie_cut_short },
	{ "findings with bytes behind", SCAN, true, lie_bytes_behind },
	{ "findings with impossible counts", SCAN, true, lie_counts },
	{ "noise instead of findings", SCAN, true, lie_noise },
	{ "an oversized frame", SCAN, true, lie_oversized },
};

const size_t attempt_count = sizeof attempts / sizeof attempts[0];
