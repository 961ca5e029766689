/*
 * The box of a role: which system calls, which files, which network, how much memory. A box is closed once, before threads,
 * and can only be tightened afterwards. Inside: no new privileges, no capabilities, no core dump, no other program
 * (execve and execveat kill), no page that is both writable and executable and none that becomes executable. A call outside
 * the allow-list kills the whole process at once (SIGSYS), and the supervisor logs it.
 *
 * The supervisor's box is what all roles may do together; every role tightens it as soon as it has opened what it needs.
 * docs/boxes.md shows the table role by role; a test keeps it true.
 *
 * The sanitizers of test builds need more (their shadow memory, their reports): such a build allows it, leaves out the limit
 * on address space, and sandbox_word() says so.
 */
#ifndef SYS_SANDBOX_H
#define SYS_SANDBOX_H

#include "base/buf.h"
#include "base/fault.h"
#include "base/rc.h"

#include <stdbool.h>
#include <stdint.h>

/* Families of calls, to be joined with |. SANDBOX_CALLS_COMPUTE is what every box has. */
#define SANDBOX_CALLS_COMPUTE   0u        /* one thread: memory, time, and talk on descriptors that are open already */
#define SANDBOX_CALLS_THREADS   (1u << 0) /* start and join threads of this process */
#define SANDBOX_CALLS_FILES     (1u << 1) /* open, make, rename, remove, sync; only below the paths of the box */
#define SANDBOX_CALLS_SLABS     (1u << 2) /* memfd_create, sealing */
#define SANDBOX_CALLS_LOOPS     (1u << 3) /* epoll, timerfd, eventfd, signalfd */
#define SANDBOX_CALLS_UNPACK    (1u << 5) /* what a library wants that unpacks into temporary files, besides SANDBOX_CALLS_FILES */
#define SANDBOX_CALLS_SUPERVISE (1u << 4) /* fork, wait, signal children, give up privileges, close boxes */

enum sandbox_network {
	SANDBOX_NET_NONE,    /* no socket can be made, bound, connected or accepted */
	SANDBOX_NET_ACCEPT,  /* accept on listeners that were handed over */
	SANDBOX_NET_CONNECT, /* that, and connect out by TCP and UDP (SMTP, DNS); no TCP port can be bound by number */
	SANDBOX_NET_BIND,    /* all of it: the supervisor, which binds for the others */
};

/* One directory (or file) by an open handle, and what may be done below it. */
struct sandbox_path {
	int  handle;
	bool write; /* make, change, rename, remove as well as read */
};

#define SANDBOX_PATHS_MAX 16u
#define SANDBOX_NO_PATHS  NULL, .path_count = 0

struct sandbox {
	const char                *role;       /* "scan" */
	unsigned                   calls;      /* SANDBOX_CALLS_... */
	enum sandbox_network       network;
	const struct sandbox_path *paths;      /* SANDBOX_NO_PATHS, or path_count of them */
	size_t                     path_count;
	uint64_t                   memory_max; /* bytes of address space (RLIMIT_AS); 0: no limit of its own */
	uint64_t                   files_max;  /* descriptors (RLIMIT_NOFILE), lowered to the hard limit; 0: as it is */
	bool                       core_dump;  /* always false outside of tests */
};

/* The user that roles become when the supervisor was started as root. */
struct sandbox_user {
	bool     change; /* false: stay who we are */
	uint32_t uid;
	uint32_t gid;
};

/* How well the kernel could keep its part of the box. */
struct sandbox_report {
	int         landlock_abi; /* 0: none */
	bool        degraded;     /* something below is missing on this kernel */
	const char *missing;      /* static sentence: what, or "" */
};

/* Look up a user by name; before any box closes, since it may read files and load libraries. RC_NOTFOUND. */
MUST_CHECK enum rc sandbox_user_find(const char *name, struct sandbox_user *out);

/* What this kernel offers, without closing anything. */
void sandbox_look(struct sandbox_report *out);

/*
 * Become that user for good (groups, group, user), where we are root and `user` asks for it; otherwise nothing. What a role opens
 * before its box closes is then opened as that user. RC_DENIED: the kernel refused; the process must end.
 */
MUST_CHECK enum rc sandbox_become(const struct sandbox_user *user, struct fault *fault);

/*
 * Close the box for good: privileges and capabilities given up (`user` may be NULL: stay), limits set, Landlock, seccomp.
 * RC_OK: the process is inside, *report (may be NULL) says what the kernel could not give. RC_UNSUPPORTED: no seccomp; RC_DENIED,
 * RC_IO: the kernel refused a step, which `fault` (may be NULL) names; the process may be half inside and must end.
 */
MUST_CHECK enum rc sandbox_enter(const struct sandbox *box, const struct sandbox_user *user, struct sandbox_report *report,
                                 struct fault *fault);

/* "" in a product build; in a sanitizer build what is wider than in the product. Static; logged at each start. */
const char *sandbox_word(void);

/* The allow-list of a box as text, one "call" or "call: condition" a line: for docs/boxes.md, tests and `hangu prove`. */
void sandbox_describe(const struct sandbox *box, struct buf *out);

/*
 * For finding out what a box lacks, never in service: from now on a breach names its call on standard error before the process
 * ends (by a handler, which a taken-over process could replace; the call is refused all the same). Builds with a sanitizer always do, but for
 * the thread sanitizer.
 */
void sandbox_name_breaches(void);

/* Did a child whose wait status is `status` end because it broke its box? */
bool sandbox_is_breach(int status);

#endif
