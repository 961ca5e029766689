/* Messages in memfds. See slab.h. */
#include "sys/slab.h"

#include "base/memory.h"
#include "base/must.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3: the memory can never be made executable as a file */
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

#define SMALL_FIRST (8u << 10)  /* bytes of plain memory that a message begins with */
#define DIRECT_MIN  (16u << 10) /* so many bytes at once go into the memfd without a stop in plain memory */

struct slab {
	uint8_t *plain;    /* the message, or its end that is not yet in the memfd; NULL: none */
	size_t   room;     /* of plain memory */
	size_t   held;     /* bytes there */
	int      fd;       /* -1: in plain memory, or taken */
	uint64_t written;  /* bytes in the memfd */
	uint8_t *mapped;   /* once sealed or taken */
	size_t   size_max;
	uint64_t charged;  /* to the account */
	bool     sealed;
};

/* The process's account, shared by its threads. */
static struct {
	_Atomic uint64_t limit;
	_Atomic uint64_t held;
	_Atomic uint64_t count;
} account = { .limit = UINT64_MAX };

void slab_limit_set(uint64_t bytes)
{
	atomic_store(&account.limit, bytes);
}

uint64_t slab_bytes_held(void)
{
	return atomic_load_explicit(&account.held, memory_order_relaxed);
}

uint64_t slab_count(void)
{
	return atomic_load_explicit(&account.count, memory_order_relaxed);
}

static uint64_t steps_of(uint64_t bytes)
{
	return (bytes + SLAB_STEP - 1) / SLAB_STEP * SLAB_STEP;
}

static bool account_charge(uint64_t bytes)
{
	uint64_t held = atomic_load(&account.held);

	do {
		const uint64_t limit = atomic_load(&account.limit);
		if (held > limit || bytes > limit - held)
			return false;
	} while (!atomic_compare_exchange_weak(&account.held, &held, held + bytes));
	return true;
}

/* A kernel before 6.3 does not know the seal against execution; there the box alone refuses it. */
static int memory_file(const char *name)
{
	const int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd >= 0 || errno != EINVAL)
		return fd;
	return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

enum rc slab_open(size_t size_max, struct slab **out)
{
	must(size_max != 0);
	must(size_max <= SLAB_SIZE_MAX);
	if (slab_bytes_held() >= atomic_load(&account.limit))
		return RC_NOMEM;
	struct slab *slab = memory_take(1, sizeof *slab);
	if (slab == NULL)
		return RC_NOMEM;
	*slab = (struct slab){ .size_max = size_max, .fd = -1 };
	atomic_fetch_add_explicit(&account.count, 1, memory_order_relaxed);
	*out = slab;
	return RC_OK;
}

void slab_close(struct slab **slab)
{
	struct slab *s = *slab;

	if (s == NULL)
		return;
	if (s->mapped != NULL)
		must(munmap(s->mapped, (size_t)s->written) == 0);
	memory_give(s->plain);
	file_close(&s->fd);
	atomic_fetch_sub(&account.held, s->charged);
	atomic_fetch_sub_explicit(&account.count, 1, memory_order_relaxed);
	memory_give(s);
	*slab = NULL;
}

static enum rc grow_plain(struct slab *slab, size_t need)
{
	size_t room = slab->room != 0 ? slab->room : SMALL_FIRST;

	if (need <= slab->room)
		return RC_OK;
	while (room < need)
		room *= 2;
	uint8_t *plain = memory_resize(slab->plain, room);
	if (plain == NULL)
		return RC_NOMEM;
	slab->plain = plain;
	slab->room = room;
	return RC_OK;
}

/* What plain memory holds and `bytes` behind it into the memfd, which is made when there is none. On any error the slab is as it was. */
static enum rc write_out(struct slab *slab, struct slice bytes)
{
	const struct slice parts[] = { slice_of(slab->plain, slab->held), bytes };

	if (slab->fd < 0)
		slab->fd = memory_file("hangu-message");
	if (slab->fd < 0)
		return file_rc(errno);
	const enum rc rc = file_write_parts(slab->fd, parts, sizeof parts / sizeof parts[0], slab->written);
	if (rc != RC_OK)
		return rc;
	slab->written += slab->held + bytes.len;
	slab->held = 0;
	return RC_OK;
}

enum rc slab_append(struct slab *slab, struct slice bytes)
{
	const uint64_t size = slab->written + slab->held;

	must(!slab->sealed);
	if (bytes.len == 0)
		return RC_OK;
	if (bytes.len > slab->size_max - size)
		return RC_LIMIT;
	const uint64_t need = steps_of(size + bytes.len);
	if (need > slab->charged && !account_charge(need - slab->charged))
		return RC_NOMEM;
	slab->charged = need > slab->charged ? need : slab->charged;
	if (slab->held + bytes.len > SLAB_SMALL_MAX || (slab->fd >= 0 && bytes.len >= DIRECT_MIN))
		return write_out(slab, bytes);
	const enum rc rc = grow_plain(slab, slab->held + bytes.len);
	if (rc != RC_OK)
		return rc;
	memcpy(slab->plain + slab->held, bytes.ptr, bytes.len);
	slab->held += bytes.len;
	return RC_OK;
}

/* A memfd of exactly these bytes that nobody can change, this process included. */
static enum rc sealed_copy(const char *name, struct slice bytes, int *out)
{
	int fd = memory_file(name);

	if (fd < 0)
		return file_rc(errno);
	enum rc rc = file_write_at(fd, bytes, 0);
	if (rc == RC_OK && fcntl(fd, F_ADD_SEALS, SEALS) != 0)
		rc = RC_IO;
	if (rc != RC_OK) {
		file_close(&fd);
		return rc;
	}
	*out = fd;
	return RC_OK;
}

enum rc slab_seal(struct slab *slab)
{
	enum rc rc = RC_OK;

	must(!slab->sealed);
	if (slab->fd >= 0 && slab->held != 0)
		rc = write_out(slab, (struct slice){ NULL, 0 });
	if (rc == RC_OK && slab->fd >= 0) {
		if (fcntl(slab->fd, F_ADD_SEALS, SEALS) != 0)
			return RC_IO;
		void *mapped = mmap(NULL, (size_t)slab->written, PROT_READ, MAP_SHARED, slab->fd, 0);
		if (mapped == MAP_FAILED)
			return RC_NOMEM;
		slab->mapped = mapped;
		memory_give(slab->plain);
		slab->plain = NULL;
	}
	slab->sealed = rc == RC_OK;
	return rc;
}

enum rc slab_share(struct slab *slab)
{
	must(slab->sealed);
	return slab->fd >= 0 ? RC_OK : sealed_copy("hangu-message", slab_bytes(slab), &slab->fd);
}

struct slice slab_bytes(const struct slab *slab)
{
	must(slab->sealed || slab->fd < 0);
	return slab->mapped != NULL ? slice_of(slab->mapped, (size_t)slab->written) : slice_of(slab->held != 0 ? slab->plain : NULL, slab->held);
}

int slab_fd(const struct slab *slab)
{
	must(slab->sealed);
	return slab->fd;
}

static bool is_sealed(int fd)
{
	const int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0)
		return false;
	return (seals & SEALS) == SEALS;
}

static enum rc map_taken(int fd, uint64_t size, uint64_t size_max, struct slab *slab)
{
	if (size > size_max || size > SLAB_SIZE_MAX)
		return RC_LIMIT;
	if (!is_sealed(fd))
		return RC_DENIED;
	/* Not fstat(): the C library makes a call of it that takes paths, which the scanner's box does not have. */
	const off_t end = lseek(fd, 0, SEEK_END);
	if (end < 0 || (uint64_t)end != size)
		return RC_CORRUPT;
	*slab = (struct slab){ .size_max = (size_t)size, .fd = -1, .sealed = true };
	if (size == 0)
		return RC_OK;
	void *mapped = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		return RC_NOMEM;
	slab->mapped = mapped;
	slab->written = size;
	return RC_OK;
}

enum rc slab_take(int fd, uint64_t size, uint64_t size_max, struct slab **out)
{
	struct slab *slab = memory_take(1, sizeof *slab);
	enum rc      rc = RC_NOMEM;

	if (slab != NULL)
		rc = map_taken(fd, size, size_max, slab);
	file_close(&fd);
	if (rc != RC_OK) {
		memory_give(slab);
		return rc;
	}
	atomic_fetch_add_explicit(&account.count, 1, memory_order_relaxed);
	*out = slab;
	return RC_OK;
}

enum rc slab_publish(const char *name, struct slice bytes, int *ret_fd)
{
	return sealed_copy(name, bytes, ret_fd);
}

enum rc slab_published_size(int fd, uint64_t *out)
{
	const off_t end = is_sealed(fd) ? lseek(fd, 0, SEEK_END) : -1;

	if (end < 0)
		return RC_DENIED;
	*out = (uint64_t)end;
	return RC_OK;
}
