/*
 * Which system calls are in which box. What is not here kills. Kept as small as the C library and our foreign libraries
 * allow; a call is added with its reason.
 */
#include "sys/sandbox_calls.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <asm/ioctls.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif

#define THREADS   SANDBOX_CALLS_THREADS
#define FILES     SANDBOX_CALLS_FILES
#define SLABS     SANDBOX_CALLS_SLABS
#define LOOPS     SANDBOX_CALLS_LOOPS
#define SUPERVISE SANDBOX_CALLS_SUPERVISE
#define UNPACK    SANDBOX_CALLS_UNPACK

/* Flags of clone that make new namespaces: nobody here has use for them, and they are where kernels break. */
#define NAMESPACES ((uint64_t)(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP))

#define ITSELF 0 /* as the "who" of setpriority */

#define FREE(name_, families_)       { .name = name_, .families = families_, .rule = CALL_FREE }
#define GONE(name_, families_)       { .name = name_, .families = families_, .rule = CALL_NO_SUCH, .condition = "answered with ENOSYS" }
#define IS(name_, families_, index_, value_) \
	{ .name = name_, .families = families_, .rule = CALL_IS, .index = index_, .value = (uint64_t)(value_), .condition = #value_ }
#define BITS(name_, families_, index_, mask_, value_, words) \
	{ .name = name_, .families = families_, .rule = CALL_BITS, .index = index_, .mask = (uint64_t)(mask_), \
	  .value = (uint64_t)(value_), .condition = words }

/* clang-format off */
const struct call sandbox_calls[] = {
	/* What is open already may be used. */
	FREE("read", CALL_ALWAYS), FREE("readv", CALL_ALWAYS), FREE("pread64", CALL_ALWAYS), FREE("preadv", CALL_ALWAYS),
	FREE("write", CALL_ALWAYS), FREE("writev", CALL_ALWAYS), FREE("pwrite64", CALL_ALWAYS), FREE("pwritev", CALL_ALWAYS),
	FREE("lseek", CALL_ALWAYS), FREE("close", CALL_ALWAYS), FREE("fstat", CALL_ALWAYS),
	FREE("recvmsg", CALL_ALWAYS), FREE("sendmsg", CALL_ALWAYS),
	FREE("poll", CALL_ALWAYS), FREE("ppoll", CALL_ALWAYS),
	IS("fcntl", CALL_ALWAYS, 1, F_GETFD), IS("fcntl", CALL_ALWAYS, 1, F_SETFD), IS("fcntl", CALL_ALWAYS, 1, F_GETFL),
	IS("fcntl", CALL_ALWAYS, 1, F_SETFL), IS("fcntl", CALL_ALWAYS, 1, F_GET_SEALS), IS("fcntl", CALL_ALWAYS, 1, F_DUPFD_CLOEXEC),
	IS("ioctl", CALL_ALWAYS, 1, FIONREAD), IS("ioctl", CALL_ALWAYS, 1, FIONBIO),
	IS("ioctl", CALL_ALWAYS, 1, TCGETS), /* the C library asks whether a stream is a terminal */

	/* Memory, never executable. */
	BITS("mmap", CALL_ALWAYS, 2, PROT_EXEC, 0, "without PROT_EXEC"),
	BITS("mprotect", CALL_ALWAYS, 2, PROT_EXEC, 0, "without PROT_EXEC"),
	FREE("munmap", CALL_ALWAYS), FREE("mremap", CALL_ALWAYS), FREE("madvise", CALL_ALWAYS), FREE("brk", CALL_ALWAYS),

	/* Time, randomness, waiting, the end. */
	FREE("clock_gettime", CALL_ALWAYS), FREE("clock_getres", CALL_ALWAYS), FREE("gettimeofday", CALL_ALWAYS),
	FREE("time", CALL_ALWAYS), FREE("nanosleep", CALL_ALWAYS), FREE("clock_nanosleep", CALL_ALWAYS),
	FREE("getrandom", CALL_ALWAYS), FREE("futex", CALL_ALWAYS), FREE("sched_yield", CALL_ALWAYS),
	FREE("restart_syscall", CALL_ALWAYS), FREE("exit", CALL_ALWAYS), FREE("exit_group", CALL_ALWAYS),

	/* The process about itself. */
	FREE("getpid", CALL_ALWAYS), FREE("gettid", CALL_ALWAYS), FREE("getppid", CALL_ALWAYS), FREE("getuid", CALL_ALWAYS),
	FREE("geteuid", CALL_ALWAYS), FREE("getgid", CALL_ALWAYS), FREE("getegid", CALL_ALWAYS), FREE("uname", CALL_ALWAYS),
	FREE("getrusage", CALL_ALWAYS), FREE("sysinfo", CALL_ALWAYS), FREE("sched_getaffinity", CALL_ALWAYS), FREE("getcpu", CALL_ALWAYS),
	FREE("rt_sigaction", CALL_ALWAYS), FREE("rt_sigprocmask", CALL_ALWAYS), FREE("rt_sigreturn", CALL_ALWAYS),
	FREE("sigaltstack", CALL_ALWAYS), FREE("rseq", CALL_ALWAYS), FREE("set_robust_list", CALL_ALWAYS), FREE("membarrier", CALL_ALWAYS),
	IS("prctl", CALL_ALWAYS, 0, PR_SET_NAME),
	{ .name = "tgkill", .families = CALL_ALWAYS, .rule = CALL_OWN_PID, .index = 0, .condition = "own process only, for abort()" },
	BITS("prlimit64", CALL_ALWAYS, 2, UINT64_MAX, 0, "asking only"),

	/* Threads. clone3 keeps its flags in memory, where a filter cannot look: the C library falls back to clone. */
	BITS("clone", THREADS, 0, CLONE_THREAD | NAMESPACES, CLONE_THREAD, "a thread of this process"),
	GONE("clone3", THREADS | SUPERVISE),
	FREE("set_tid_address", THREADS),

	/* Loops. */
	FREE("epoll_create1", LOOPS), FREE("epoll_ctl", LOOPS), FREE("epoll_wait", LOOPS), FREE("epoll_pwait", LOOPS),
	FREE("epoll_pwait2", LOOPS), FREE("eventfd2", LOOPS), FREE("timerfd_create", LOOPS), FREE("timerfd_settime", LOOPS),
	FREE("signalfd4", LOOPS), FREE("pipe2", LOOPS), FREE("select", LOOPS), FREE("pselect6", LOOPS),

	/* Slabs. */
	FREE("memfd_create", SLABS), FREE("ftruncate", SLABS | FILES), IS("fcntl", SLABS, 1, F_ADD_SEALS),

	/* Files: Landlock says which. Some are how SQLite asks and locks. */
	FREE("openat", FILES), FREE("open", FILES), FREE("mkdirat", FILES), FREE("mkdir", FILES), FREE("unlinkat", FILES), FREE("unlink", FILES),
	FREE("renameat", FILES), FREE("renameat2", FILES), FREE("rename", FILES), FREE("fallocate", FILES), FREE("fsync", FILES),
	FREE("fdatasync", FILES), FREE("sync_file_range", FILES), FREE("newfstatat", FILES), FREE("stat", FILES), FREE("lstat", FILES),
	FREE("statx", FILES), FREE("access", FILES), FREE("faccessat", FILES), FREE("faccessat2", FILES), FREE("getdents64", FILES),
	FREE("statfs", FILES), FREE("fstatfs", FILES), FREE("flock", FILES), FREE("fchmod", FILES), FREE("fchown", FILES),
	FREE("readlink", FILES), FREE("readlinkat", FILES), FREE("getcwd", FILES), FREE("fadvise64", FILES), FREE("dup", FILES),
	FREE("copy_file_range", FILES),
	IS("fcntl", FILES, 1, F_GETLK), IS("fcntl", FILES, 1, F_SETLK), IS("fcntl", FILES, 1, F_SETLKW),
	IS("fcntl", FILES, 1, F_OFD_GETLK), IS("fcntl", FILES, 1, F_OFD_SETLK), IS("fcntl", FILES, 1, F_OFD_SETLKW),

	/* Temporary files of libraries. Landlock knows no modes, so that one is not given. */
	GONE("chmod", UNPACK), FREE("rmdir", UNPACK),

	/* Sockets that somebody else made. */
	FREE("accept4", CALL_ACCEPT), FREE("accept", CALL_ACCEPT), FREE("getsockname", CALL_ACCEPT), FREE("getpeername", CALL_ACCEPT),
	FREE("getsockopt", CALL_ACCEPT), FREE("setsockopt", CALL_ACCEPT), FREE("shutdown", CALL_ACCEPT), FREE("recvfrom", CALL_ACCEPT),
	FREE("sendto", CALL_ACCEPT), FREE("recvmmsg", CALL_ACCEPT), FREE("sendmmsg", CALL_ACCEPT),
	IS("socketpair", CALL_ACCEPT, 0, AF_UNIX), /* the gate's channels to its scanners */

	/* Sockets of our own: SMTP and DNS. */
	IS("socket", CALL_CONNECT, 0, AF_INET), IS("socket", CALL_CONNECT, 0, AF_INET6),
	FREE("connect", CALL_CONNECT), FREE("bind", CALL_CONNECT),

	/* The supervisor binds for the others, and makes the sockets of `hangu`. */
	IS("socket", CALL_BIND, 0, AF_UNIX), FREE("listen", CALL_BIND), FREE("fchmodat", CALL_BIND),

	/* Children and privileges. */
	BITS("clone", SUPERVISE, 0, NAMESPACES, 0, "no new namespaces"),
	FREE("wait4", SUPERVISE), FREE("waitid", SUPERVISE), FREE("kill", SUPERVISE), FREE("tgkill", SUPERVISE),
	FREE("setuid", SUPERVISE), FREE("setgid", SUPERVISE), FREE("setgroups", SUPERVISE), FREE("setresuid", SUPERVISE),
	FREE("setresgid", SUPERVISE), FREE("getgroups", SUPERVISE), FREE("capget", SUPERVISE), FREE("capset", SUPERVISE),
	FREE("setrlimit", SUPERVISE), FREE("prlimit64", SUPERVISE), FREE("seccomp", SUPERVISE), FREE("umask", SUPERVISE),
	FREE("landlock_create_ruleset", SUPERVISE), FREE("landlock_add_rule", SUPERVISE), FREE("landlock_restrict_self", SUPERVISE),
	FREE("fchownat", SUPERVISE), FREE("setsid", SUPERVISE), FREE("dup2", SUPERVISE), FREE("dup3", SUPERVISE), FREE("close_range", SUPERVISE), FREE("fchdir", SUPERVISE),
	IS("setpriority", SUPERVISE, 1, ITSELF), /* before a role closes its own box */
	IS("prctl", SUPERVISE, 0, PR_SET_NO_NEW_PRIVS), IS("prctl", SUPERVISE, 0, PR_GET_NO_NEW_PRIVS),
	IS("prctl", SUPERVISE, 0, PR_SET_DUMPABLE), IS("prctl", SUPERVISE, 0, PR_SET_PDEATHSIG), IS("prctl", SUPERVISE, 0, PR_CAPBSET_DROP),
	IS("prctl", SUPERVISE, 0, PR_CAPBSET_READ), IS("prctl", SUPERVISE, 0, PR_CAP_AMBIENT), IS("prctl", SUPERVISE, 0, PR_SET_MDWE),
	IS("prctl", SUPERVISE, 0, PR_SET_SECCOMP), IS("prctl", SUPERVISE, 0, PR_GET_SECCOMP),

	/* The sanitizers: reports read their own maps and probe memory through a pipe. Landlock still guards the files. */
	FREE("openat", CALL_TESTS), FREE("open", CALL_TESTS), FREE("readlink", CALL_TESTS), FREE("readlinkat", CALL_TESTS),
	FREE("newfstatat", CALL_TESTS), FREE("stat", CALL_TESTS), FREE("pipe", CALL_TESTS), FREE("pipe2", CALL_TESTS),
	FREE("mincore", CALL_TESTS), FREE("msync", CALL_TESTS), FREE("prctl", CALL_TESTS), FREE("tgkill", CALL_TESTS),
	FREE("getdents64", CALL_TESTS), FREE("set_tid_address", CALL_TESTS),
};
/* clang-format on */

const size_t sandbox_call_count = sizeof sandbox_calls / sizeof sandbox_calls[0];

unsigned sandbox_families(const struct sandbox *box)
{
	unsigned families = CALL_ALWAYS | box->calls;

	switch (box->network) {
	case SANDBOX_NET_BIND:
		families |= CALL_BIND | CALL_CONNECT | CALL_ACCEPT;
		break;
	case SANDBOX_NET_CONNECT:
		families |= CALL_CONNECT | CALL_ACCEPT;
		break;
	case SANDBOX_NET_ACCEPT:
		families |= CALL_ACCEPT;
		break;
	case SANDBOX_NET_NONE:
		break;
	}
	return families;
}
