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

#define SEALS_OF_A_MESSAGE (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)
#define SEALS_OF_A_COPY    (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

#define SMALL_FIRST (8u << 10) /* bytes of plain memory that a message begins with */

struct slab {
	uint8_t *ptr;      /* the bytes: a mapping or plain memory; NULL while there are none */
	size_t   mapped;   /* bytes of the mapping; 0: plain memory */
	size_t   room;     /* of plain memory */
	size_t   size;     /* bytes of the message so far */
	size_t   size_max;
	uint64_t charged;  /* to the account */
	int      fd;       /* -1: in plain memory, or taken */
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
	if (s->mapped != 0)
		must(munmap(s->ptr, s->mapped) == 0);
	else
		memory_give(s->ptr);
	file_close(&s->fd);
	atomic_fetch_sub(&account.held, s->charged);
	atomic_fetch_sub_explicit(&account.count, 1, memory_order_relaxed);
	memory_give(s);
	*slab = NULL;
}

/* From plain memory into a mapping of the largest size. On any error the slab is as it was. */
static enum rc move_to_mapping(struct slab *slab)
{
	int fd = memory_file("hangu-message");

	if (fd < 0 || ftruncate(fd, (off_t)slab->size_max) != 0) {
		const enum rc rc = file_rc(errno);
		file_close(&fd);
		return rc;
	}
	void *ptr = mmap(NULL, slab->size_max, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ptr == MAP_FAILED) {
		file_close(&fd);
		return RC_NOMEM;
	}
	if (slab->size != 0)
		memcpy(ptr, slab->ptr, slab->size);
	memory_give(slab->ptr);
	slab->ptr = ptr;
	slab->mapped = slab->size_max;
	slab->room = 0;
	slab->fd = fd;
	return RC_OK;
}

static enum rc make_room(struct slab *slab, size_t need)
{
	if (slab->mapped != 0 || need <= slab->room)
		return RC_OK;
	if (need > SLAB_SMALL_MAX)
		return move_to_mapping(slab);
	size_t room = slab->room != 0 ? slab->room : SMALL_FIRST;
	while (room < need)
		room *= 2;
	uint8_t *ptr = memory_resize(slab->ptr, room);
	if (ptr == NULL)
		return RC_NOMEM;
	slab->ptr = ptr;
	slab->room = room;
	return RC_OK;
}

enum rc slab_reserve(struct slab *slab, size_t count, uint8_t **out)
{
	must(!slab->sealed);
	if (count > slab->size_max - slab->size)
		return RC_LIMIT;
	const size_t need = slab->size + count;
	if (need > slab->charged) {
		const uint64_t more = (need - slab->charged + SLAB_STEP - 1) / SLAB_STEP * SLAB_STEP;
		if (!account_charge(more))
			return RC_NOMEM;
		slab->charged += more;
	}
	const enum rc rc = make_room(slab, need);
	if (rc == RC_OK)
		*out = slab->ptr + slab->size;
	return rc;
}

void slab_grew(struct slab *slab, size_t count)
{
	must(!slab->sealed);
	must(count <= slab->size_max - slab->size);
	must(slab->size + count <= slab->charged);
	slab->size += count;
}

enum rc slab_append(struct slab *slab, struct slice bytes)
{
	uint8_t *to = NULL;

	if (bytes.len == 0)
		return RC_OK;
	const enum rc rc = slab_reserve(slab, bytes.len, &to);
	if (rc != RC_OK)
		return rc;
	memcpy(to, bytes.ptr, bytes.len);
	slab_grew(slab, bytes.len);
	return RC_OK;
}

/* A memfd of exactly these bytes that nobody can change, this process included. */
static enum rc sealed_copy(const char *name, struct slice bytes, int *out)
{
	int fd = memory_file(name);

	if (fd < 0)
		return file_rc(errno);
	enum rc rc = file_write_at(fd, bytes, 0);
	if (rc == RC_OK && fcntl(fd, F_ADD_SEALS, SEALS_OF_A_COPY) != 0)
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
	must(!slab->sealed);
	if (slab->mapped != 0 &&
	    (ftruncate(slab->fd, (off_t)slab->size) != 0 || fcntl(slab->fd, F_ADD_SEALS, SEALS_OF_A_MESSAGE) != 0))
		return RC_IO;
	slab->sealed = true;
	return RC_OK;
}

enum rc slab_share(struct slab *slab)
{
	must(slab->sealed);
	return slab->fd >= 0 ? RC_OK : sealed_copy("hangu-message", slab_bytes(slab), &slab->fd);
}

struct slice slab_bytes(const struct slab *slab)
{
	return slice_of(slab->size != 0 ? slab->ptr : NULL, slab->size);
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
	const int asked = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	return (seals & asked) == asked && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) != 0;
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
	*slab = (struct slab){ .size = (size_t)size, .size_max = (size_t)size, .fd = -1, .sealed = true };
	if (size == 0)
		return RC_OK;
	void *ptr = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
	if (ptr == MAP_FAILED)
		return RC_NOMEM;
	slab->ptr = ptr;
	slab->mapped = (size_t)size;
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
