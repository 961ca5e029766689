/* Closing a box. The order matters: what a step needs is given up by a later one. */
#include "sys/sandbox.h"

#include "base/must.h"
#include "sys/file.h"
#include "sys/landlock.h"
#include "sys/sandbox_calls.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE              65 /* Linux 6.3 */
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

/* gcc says so by a macro, clang by a feature. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(HANGU_SANITIZED)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Exit status of a process that named its breach before it ended: 128 + SIGSYS. */
#define BREACH_STATUS 159

/*
 * Chosen before the first box; see sandbox_name_breaches(). Not under the thread sanitizer, which holds locks of its own around a fork that the
 * handler would wait for.
 */
#ifdef __SANITIZE_THREAD__
static bool name_breaches;
#else
static bool name_breaches = SANITIZED;
#endif

const char *sandbox_word(void)
{
	return SANITIZED ? "sanitizer build: boxes also allow opening below their paths, pipes and prctl, and have no memory limit" : "";
}

void sandbox_name_breaches(void)
{
	name_breaches = true;
}

enum rc sandbox_user_find(const char *name, struct sandbox_user *out)
{
	const struct passwd *found = getpwnam(name);

	if (found == NULL)
		return RC_NOTFOUND;
	*out = (struct sandbox_user){ .change = true, .uid = found->pw_uid, .gid = found->pw_gid };
	return RC_OK;
}

void sandbox_look(struct sandbox_report *out)
{
	const int level = landlock_level();

	*out = (struct sandbox_report){ .landlock_abi = level, .missing = landlock_missing(level) };
	out->degraded = out->missing[0] != '\0';
}

static enum rc limit(int which, uint64_t value, struct fault *fault)
{
	struct rlimit now;

	if (getrlimit((__rlimit_resource_t)which, &now) != 0)
		return fault_set(fault, RC_IO, "reading a resource limit", errno, which);
	const rlim_t hard = now.rlim_max == RLIM_INFINITY || value < now.rlim_max ? value : now.rlim_max;
	now = (struct rlimit){ .rlim_cur = hard, .rlim_max = hard };
	if (setrlimit((__rlimit_resource_t)which, &now) != 0)
		return fault_set(fault, RC_IO, "setting a resource limit", errno, which);
	return RC_OK;
}

static enum rc set_limits(const struct sandbox *box, struct fault *fault)
{
	enum rc rc = RC_OK;

	if (!box->core_dump)
		rc = limit(RLIMIT_CORE, 0, fault);
	if (rc == RC_OK && box->files_max != 0)
		rc = limit(RLIMIT_NOFILE, box->files_max, fault);
	/* The address sanitizer's shadow alone is larger than any limit that would mean something. */
	if (rc == RC_OK && box->memory_max != 0 && !SANITIZED)
		rc = limit(RLIMIT_AS, box->memory_max, fault);
	return rc;
}

#define CAPABILITY_LAST 63

/*
 * What the supervisor keeps of root: ports below 1024, becoming the roles' user, ending children of that user, owning and
 * reading the directories and certificates it prepares for them.
 */
static const uint64_t supervisor_capabilities =
	1ull << CAP_NET_BIND_SERVICE | 1ull << CAP_SETUID | 1ull << CAP_SETGID | 1ull << CAP_SETPCAP | 1ull << CAP_KILL |
	1ull << CAP_CHOWN | 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_FOWNER;

static enum rc keep_capabilities(uint64_t kept, struct fault *fault)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct   data[2] = { { 0 }, { 0 } };

	/* Only who may set capabilities can drop them from the bounding set; anybody else has nothing there to win. */
	for (unsigned long which = 0; which <= CAPABILITY_LAST; which++) {
		if ((kept >> which & 1) == 0 && prctl(PR_CAPBSET_DROP, which, 0, 0, 0) != 0 && errno != EINVAL && errno != EPERM)
			return fault_set(fault, RC_IO, "dropping a capability", errno, (int64_t)which);
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL)
		return fault_set(fault, RC_IO, "clearing the ambient capabilities", errno, 0);
	if (syscall(SYS_capget, &header, data) != 0)
		return fault_set(fault, RC_IO, "reading the capabilities", errno, 0);
	for (unsigned half = 0; half < 2; half++) {
		const uint32_t mask = (uint32_t)(kept >> (32 * half));
		data[half].effective &= mask;
		data[half].permitted &= mask;
		data[half].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) != 0)
		return fault_set(fault, RC_IO, "giving up capabilities", errno, 0);
	return RC_OK;
}

enum rc sandbox_become(const struct sandbox_user *user, struct fault *fault)
{
	if (!user->change || geteuid() != 0)
		return RC_OK;
	const gid_t group = user->gid;

	if (setgroups(1, &group) != 0)
		return fault_set(fault, RC_DENIED, "setting the groups", errno, user->gid);
	if (setresgid(group, group, group) != 0)
		return fault_set(fault, RC_DENIED, "setting the group", errno, user->gid);
	if (setresuid(user->uid, user->uid, user->uid) != 0)
		return fault_set(fault, RC_DENIED, "setting the user", errno, user->uid);
	/* Belt and braces: there must be no way back. */
	if (user->uid != 0 && setresuid(0, 0, 0) == 0)
		return fault_set(fault, RC_DENIED, "the user could be changed back to root", 0, user->uid);
	return RC_OK;
}

/* Names the call on standard error and ends; the call itself has not happened. */
static void on_breach(int number, siginfo_t *info, void *context)
{
	char        line[96];
	char       *name = NULL;

	(void)number;
	(void)context;
	/* Not safe in general, but nothing safe is left to do: the process is ending, for somebody who asked to see why. */
	name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, info->si_syscall);
	const int size = snprintf(line, sizeof line, "box breach: %s (call %d)\n", name != NULL ? name : "?", info->si_syscall);
	if (size > 0) {
		const ssize_t written = write(STDERR_FILENO, line, (size_t)size < sizeof line ? (size_t)size : sizeof line - 1);
		(void)written;
	}
	_exit(BREACH_STATUS);
}

static int add_call(scmp_filter_ctx filter, const struct call *call)
{
	const int           number = seccomp_syscall_resolve_name(call->name);
	struct scmp_arg_cmp compare = { .arg = call->index, .op = SCMP_CMP_EQ, .datum_a = call->value };

	/* Not on this machine (open on arm64): nothing to allow. */
	if (number < 0)
		return 0;
	switch (call->rule) {
	case CALL_FREE:
		return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 0, NULL);
	case CALL_NO_SUCH:
		return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOSYS), number, 0, NULL);
	case CALL_IS:
		break;
	case CALL_OWN_PID:
		compare.datum_a = (scmp_datum_t)getpid();
		break;
	case CALL_BITS:
		compare.op = SCMP_CMP_MASKED_EQ;
		compare.datum_a = call->mask;
		compare.datum_b = call->value;
		break;
	}
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 1, &compare);
}

static enum rc close_calls(const struct sandbox *box, struct fault *fault)
{
	const unsigned  families = sandbox_families(box) | (SANITIZED ? CALL_TESTS : 0u);
	scmp_filter_ctx filter = seccomp_init(name_breaches ? SCMP_ACT_TRAP : SCMP_ACT_KILL_PROCESS);
	int             error;

	if (filter == NULL)
		return fault_set(fault, RC_UNSUPPORTED, "making the list of system calls", 0, 0);
	error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* A tree instead of a line of comparisons; the kernel remembers calls that are always allowed besides. */
	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; i < sandbox_call_count && error == 0; i++) {
		if ((sandbox_calls[i].families & families) != 0)
			error = add_call(filter, &sandbox_calls[i]);
		if (error != 0)
			(void)fault_set(fault, RC_IO, "adding a system call to the list", -error, (int64_t)i);
	}
	if (error == 0 && name_breaches) {
		struct sigaction action = { .sa_sigaction = on_breach, .sa_flags = SA_SIGINFO };
		must(sigaction(SIGSYS, &action, NULL) == 0);
	}
	if (error == 0) {
		error = seccomp_load(filter);
		if (error != 0)
			(void)fault_set(fault, RC_UNSUPPORTED, "loading the list of system calls (seccomp)", -error, 0);
	}
	seccomp_release(filter);
	return error == 0 ? RC_OK : RC_UNSUPPORTED;
}

enum rc sandbox_enter(const struct sandbox *box, const struct sandbox_user *user, struct sandbox_report *report,
                      struct fault *fault)
{
	const bool            supervises = (box->calls & SANDBOX_CALLS_SUPERVISE) != 0;
	struct sandbox_report seen;
	enum rc               rc;

	sandbox_look(&seen);
	rc = set_limits(box, fault);
	if (rc != RC_OK)
		return rc;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fault_set(fault, RC_UNSUPPORTED, "giving up new privileges", errno, 0);
	rc = landlock_close(box);
	if (rc != RC_OK && rc != RC_UNSUPPORTED)
		return fault_set(fault, rc, "closing Landlock", errno, seen.landlock_abi);
	rc = user != NULL ? sandbox_become(user, fault) : RC_OK;
	if (rc == RC_OK)
		rc = keep_capabilities(supervises ? supervisor_capabilities : 0, fault);
	if (rc != RC_OK)
		return rc;
	/* After the change of user, which sets it anew: nobody may look into this process, and it leaves no core. */
	if (!box->core_dump && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return fault_set(fault, RC_IO, "forbidding dumps", errno, 0);
	/* The kernel's own W^X, where it has it; seccomp refuses PROT_EXEC in any case. */
	(void)prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0);
	rc = close_calls(box, fault);
	if (rc == RC_OK && report != NULL)
		*report = seen;
	return rc;
}

void sandbox_describe(const struct sandbox *box, struct buf *out)
{
	const unsigned families = sandbox_families(box);

	for (size_t i = 0; i < sandbox_call_count; i++) {
		const struct call *call = &sandbox_calls[i];
		if ((call->families & families) == 0)
			continue;
		buf_put_str(out, call->name);
		if (call->condition != NULL) {
			buf_put_str(out, ": ");
			buf_put_str(out, call->condition);
		}
		buf_put_byte(out, '\n');
	}
}

bool sandbox_is_breach(int status)
{
	return (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) || (WIFEXITED(status) && WEXITSTATUS(status) == BREACH_STATUS);
}
