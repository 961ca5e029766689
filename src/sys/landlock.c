/* Landlock rulesets. Numbers are those of the kernel's uapi; the build machine's headers may be older than the kernel. */
#include "sys/landlock.h"

#include "base/must.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH      1
#define RULE_NET_PORT          2

#define FS_EXECUTE     (1ull << 0)
#define FS_WRITE_FILE  (1ull << 1)
#define FS_READ_FILE   (1ull << 2)
#define FS_READ_DIR    (1ull << 3)
#define FS_REMOVE_DIR  (1ull << 4)
#define FS_REMOVE_FILE (1ull << 5)
#define FS_MAKE_CHAR   (1ull << 6)
#define FS_MAKE_DIR    (1ull << 7)
#define FS_MAKE_REG    (1ull << 8)
#define FS_MAKE_SOCK   (1ull << 9)
#define FS_MAKE_FIFO   (1ull << 10)
#define FS_MAKE_BLOCK  (1ull << 11)
#define FS_MAKE_SYM    (1ull << 12)
#define FS_REFER       (1ull << 13) /* level 2: rename and link across directories */
#define FS_TRUNCATE    (1ull << 14) /* level 3 */
#define FS_IOCTL_DEV   (1ull << 15) /* level 5 */
#define NET_BIND_TCP   (1ull << 0)  /* level 4 */
#define NET_CONNECT_TCP (1ull << 1)
#define SCOPE_ABSTRACT (1ull << 0)  /* level 6 */
#define SCOPE_SIGNAL   (1ull << 1)

#define FS_READ  (FS_READ_FILE | FS_READ_DIR)
#define FS_WRITE (FS_READ | FS_WRITE_FILE | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_REMOVE_DIR | FS_REFER | FS_TRUNCATE)
/* What makes sense for a single file; the kernel refuses the others on one. */
#define FS_OF_A_FILE (FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)

struct ruleset_attributes {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct path_attributes {
	uint64_t allowed;
	int32_t  parent;
} __attribute__((packed));

struct port_attributes {
	uint64_t allowed;
	uint64_t port;
};

static int create_ruleset(const struct ruleset_attributes *attributes, size_t size, unsigned flags)
{
	return (int)syscall(SYS_landlock_create_ruleset, attributes, size, flags);
}

static int add_rule(int ruleset, int type, const void *attributes)
{
	return (int)syscall(SYS_landlock_add_rule, ruleset, type, attributes, 0u);
}

int landlock_level(void)
{
	const int level = create_ruleset(NULL, 0, CREATE_RULESET_VERSION);

	return level < 0 ? 0 : level;
}

const char *landlock_missing(int level)
{
	if (level < 1)
		return "Landlock: files, TCP ports and signals are guarded by seccomp and the user alone";
	if (level < 3)
		return "Landlock level 3: truncating a file that may be read is not refused";
	if (level < 4)
		return "Landlock level 4: TCP ports are guarded by seccomp alone";
	if (level < 6)
		return "Landlock level 6: signals and abstract sockets are guarded by seccomp alone";
	return "";
}

static uint64_t fs_of_level(int level)
{
	uint64_t rights = (FS_MAKE_SYM << 1) - 1; /* bits 0 to 12: level 1 */

	if (level >= 2)
		rights |= FS_REFER;
	if (level >= 3)
		rights |= FS_TRUNCATE;
	if (level >= 5)
		rights |= FS_IOCTL_DEV;
	return rights;
}

static size_t size_of_level(int level)
{
	if (level >= 6)
		return sizeof(struct ruleset_attributes);
	return level >= 4 ? offsetof(struct ruleset_attributes, scoped) : offsetof(struct ruleset_attributes, net);
}

static struct ruleset_attributes asked(const struct sandbox *box, int level)
{
	struct ruleset_attributes all = { .fs = fs_of_level(level) };

	if ((box->calls & SANDBOX_CALLS_SUPERVISE) != 0) {
		all.fs &= FS_EXECUTE | FS_MAKE_CHAR | FS_MAKE_BLOCK | FS_MAKE_FIFO | FS_REFER;
		return all;
	}
	if (level >= 4)
		all.net = NET_BIND_TCP | (box->network == SANDBOX_NET_CONNECT ? 0 : NET_CONNECT_TCP);
	if (level >= 6)
		all.scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL;
	return all;
}

static enum rc allow_path(int ruleset, uint64_t handled, int handle, uint64_t rights)
{
	struct stat about;

	if (fstat(handle, &about) != 0)
		return RC_IO;
	if (!S_ISDIR(about.st_mode))
		rights &= FS_OF_A_FILE;
	const struct path_attributes path = { .allowed = rights & handled, .parent = handle };
	return add_rule(ruleset, RULE_PATH_BENEATH, &path) == 0 ? RC_OK : RC_IO;
}

/* The rules of a box. A path that is not open (-1) is nobody's and left out. */
static enum rc fill(int ruleset, const struct sandbox *box, const struct ruleset_attributes *handled)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < box->path_count && rc == RC_OK; i++) {
		if (box->paths[i].handle >= 0)
			rc = allow_path(ruleset, handled->fs, box->paths[i].handle, box->paths[i].write ? FS_WRITE : FS_READ);
	}
	/* Port 0 is "any free one": what a source address for an outbound connection needs. */
	const struct port_attributes any = { .allowed = NET_BIND_TCP, .port = 0 };
	if (rc == RC_OK && (handled->net & NET_BIND_TCP) != 0 && box->network == SANDBOX_NET_CONNECT)
		rc = add_rule(ruleset, RULE_NET_PORT, &any) == 0 ? RC_OK : RC_IO;
	/* Renames across directories are refused in every ruleset unless a rule allows them, and rulesets only add up. */
	if (rc == RC_OK && (box->calls & SANDBOX_CALLS_SUPERVISE) != 0 && (handled->fs & FS_REFER) != 0) {
		int root = -1;
		rc = file_dir_open("/", &root);
		if (rc == RC_OK)
			rc = allow_path(ruleset, handled->fs, root, FS_REFER);
		file_close(&root);
	}
	return rc;
}

enum rc landlock_close(const struct sandbox *box)
{
	const int level = landlock_level();

	must(box->path_count <= SANDBOX_PATHS_MAX);
	if (level == 0)
		return RC_UNSUPPORTED;
	const struct ruleset_attributes handled = asked(box, level);
	int ruleset = create_ruleset(&handled, size_of_level(level), 0);
	if (ruleset < 0)
		return RC_IO;
	enum rc rc = fill(ruleset, box, &handled);
	if (rc == RC_OK && syscall(SYS_landlock_restrict_self, ruleset, 0u) != 0)
		rc = RC_IO;
	file_close(&ruleset);
	return rc;
}
