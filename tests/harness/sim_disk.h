/*
 * A disk that keeps its promises and no more: what was not synced may be lost, sector by sector and in any order;
 * names made or changed since the last sync of the folder are lost from some moment on; a failed sync leaves the new
 * bytes in the page cache, marked clean, and the old ones on the disk. It can stop at any operation, or let any
 * operation fail.
 *
 * Everything is decided by the seed, so that a run can be repeated. One thread at a time.
 */
#ifndef HARNESS_SIM_DISK_H
#define HARNESS_SIM_DISK_H

#include "journal/disk.h"

#define SIM_SECTOR 512u

/* What a power cut does to sectors and names that were written and not synced. */
enum sim_loss {
	SIM_LOSE_ALL,
	SIM_LOSE_NONE,
	SIM_LOSE_SOME, /* each by the seed's word */
	SIM_LOSS_COUNT
};

struct sim_disk;

/* NULL only without memory. Close with journal_disk_close(sim_disk_calls(...)). */
struct sim_disk     *sim_disk_open(uint64_t seed);
struct journal_disk *sim_disk_calls(struct sim_disk *sim);

/* Operations so far; every call through the table counts, reading too. */
uint64_t sim_disk_operations(const struct sim_disk *sim);
/*
 * The power goes during operation `number` (from 1; 0: never); a write is then done in part. All later ones answer
 * RC_IO.
 */
void sim_disk_stop_at(struct sim_disk *sim, uint64_t number);
/* Operation `number` and the `count - 1` after it answer `rc`; a write is done in part. */
void sim_disk_fail_at(struct sim_disk *sim, uint64_t number, uint64_t count, enum rc rc);
bool sim_disk_stopped(const struct sim_disk *sim);

/*
 * Power is back: unsynced things are lost as told, no stop or failure is planned. Files must be
 * closed.
 */
void sim_disk_power_cut(struct sim_disk *sim, enum sim_loss loss);
/* The process ended and another starts: the page cache stays as it is. Files must be closed. */
void sim_disk_new_process(struct sim_disk *sim);

/* While it is full, files cannot be made or allocated (RC_NOMEM); what is allocated can be written. */
void sim_disk_full(struct sim_disk *sim, bool full);
/* Free space that is reported; allocations and writes are not bounded by it. */
void sim_disk_free_bytes(struct sim_disk *sim, uint64_t bytes);

/* Change bytes on the disk and in the cache: a disk that rots. False: no such file, or shorter. */
bool sim_disk_flip(struct sim_disk *sim, const char *name, uint64_t offset, uint8_t mask);
/* Put a file there, durable, in place of one with that name. */
void sim_disk_put(struct sim_disk *sim, const char *name, struct slice bytes);
/* Size of a file as it is now, 0 if there is none; and its bytes. */
uint64_t       sim_disk_size(struct sim_disk *sim, const char *name);
const uint8_t *sim_disk_bytes(struct sim_disk *sim, const char *name);

#endif
