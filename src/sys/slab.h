/*
 * One message in memory. The gate opens a slab at DATA, appends the message to it, and seals it. It holds one message and is never
 * used again: no reader can ever see bytes of another message.
 *
 * Up to SLAB_SMALL_MAX bytes a message lies in plain memory, and who is to read it gets a copy through its channel: for a few KiB
 * that costs a fraction of making, mapping and unmapping shared memory. A larger one goes into a memfd as it grows; who is to read it
 * gets the sealed descriptor, maps it read-only and can do nothing else with it. (Writing costs less than half of a mapping that
 * grows, where each page is cleared and comes by a fault.) What all slabs of this process hold is counted in steps of SLAB_STEP and
 * bounded by slab_limit_set(). Not thread-safe per slab (a message has one owner at a time); the account is.
 */
#ifndef SYS_SLAB_H
#define SYS_SLAB_H

#include "base/rc.h"
#include "base/slice.h"

#define SLAB_SIZE_MAX  (1ull << 31)
#define SLAB_STEP      (16u << 10)
#define SLAB_SMALL_MAX (128u << 10)

struct slab; /* opaque */

/* The bound on the bytes of all slabs made by this process; SIZE_MAX-like (UINT64_MAX) until set. Lowering it frees nothing. */
void slab_limit_set(uint64_t bytes);
/* Bytes held now, and slabs open now (made here or taken). */
uint64_t slab_bytes_held(void);
uint64_t slab_count(void);

/*
 * A slab that can hold up to `size_max` bytes (1 to SLAB_SIZE_MAX). RC_NOMEM: the account is full (452, or 421 on connect).
 * Close with slab_close().
 */
MUST_CHECK enum rc slab_open(size_t size_max, struct slab **out);
/* Unmap, close the descriptor, give the account back. NULL inside is legal; clears the caller's pointer. */
void slab_close(struct slab **slab);

/*
 * Append. RC_LIMIT: more than size_max, or no descriptor left; RC_NOMEM: the account is full, or there is no memory; RC_IO. Each
 * leaves the slab as it was. Not after sealing.
 */
MUST_CHECK enum rc slab_append(struct slab *slab, struct slice bytes);
/*
 * The message is whole: nothing can be appended any more. A memfd is sealed against shrinking, growing, writing and a change of seals,
 * by this process, too, and mapped. RC_LIMIT, RC_NOMEM, RC_IO: the kernel refused; the slab is good for slab_close() only.
 */
MUST_CHECK enum rc slab_seal(struct slab *slab);

/* The bytes of a sealed slab, borrowed until slab_close(); before, of one that has at most SLAB_SMALL_MAX, until the next append. */
struct slice slab_bytes(const struct slab *slab);
/* The descriptor of a sealed slab, to be sent with ipc_send(); still owned by the slab. -1: the message lies in plain memory. */
int slab_fd(const struct slab *slab);
/*
 * Afterwards slab_fd() of this sealed slab is a descriptor, for a small message that of a copy sealed against every change. RC_LIMIT: no
 * descriptor left; RC_NOMEM, RC_IO: the kernel refused.
 */
MUST_CHECK enum rc slab_share(struct slab *slab);

/*
 * The receiving side: `fd` came with a message that promised `size` bytes. Checks that it is a memfd of exactly that size
 * with every seal of slab_seal(), maps it read-only, closes the descriptor (always, whatever the answer). RC_DENIED: not a
 * sealed memfd; RC_CORRUPT: another size; RC_LIMIT: `size` above `size_max`; RC_NOMEM.
 */
MUST_CHECK enum rc slab_take(int fd, uint64_t size, uint64_t size_max, struct slab **out);

/*
 * A copy of `bytes` in a memfd sealed against every change: for settings handed to roles. `name` shows in /proc only.
 * Readers use slab_take(). Not counted in the account.
 */
MUST_CHECK enum rc slab_publish(const char *name, struct slice bytes, int *ret_fd);
/* The size of a published memfd, for readers that were not told it. */
MUST_CHECK enum rc slab_published_size(int fd, uint64_t *out);

#endif
