/* The simulated disk: two copies of every file, the one a process sees and the one that survives. */
#include "harness/sim_disk.h"

#include "base/must.h"

#include <stdlib.h>

#define FILES_MAX  4096u
#define NAMES_MAX  128u
#define STATES_MAX 64u

struct inode {
	uint8_t *now;   /* as a process reads it */
	uint8_t *disk;  /* what survives */
	uint8_t *dirty; /* one byte a sector */
	size_t   room;  /* of all three, in bytes; a multiple of SIM_SECTOR */
	size_t   now_size;
	size_t   disk_size;
};

struct entry {
	char          name[JOURNAL_NAME_MAX + 1];
	struct inode *inode;
};

struct folder {
	struct entry entries[NAMES_MAX];
	size_t       count;
};

struct journal_file {
	struct inode *inode;
};

struct sim_disk {
	struct journal_disk disk;
	struct inode       *inodes[FILES_MAX];
	size_t              inode_count;
	struct folder       now;
	struct folder       durable;
	struct folder      *states[STATES_MAX]; /* the folder after each change since its last sync */
	size_t              state_count;
	uint64_t            random;
	uint64_t            operations;
	uint64_t            stop_at;
	uint64_t            fail_at;
	uint64_t            fail_count;
	enum rc             fail_rc;
	uint64_t            free_bytes;
	size_t              open_files;
	bool                stopped;
	bool                full;
};

static struct sim_disk *sim_of(struct journal_disk *disk)
{
	return (struct sim_disk *)(void *)disk;
}

/* splitmix64 */
static uint64_t draw(struct sim_disk *sim)
{
	uint64_t z = (sim->random += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

enum turn { TURN_GO, TURN_FAIL, TURN_STOP };

/* Every operation begins here. */
static enum turn turn(struct sim_disk *sim, enum rc *rc)
{
	*rc = RC_IO;
	if (sim->stopped)
		return TURN_FAIL;
	sim->operations++;
	if (sim->operations == sim->stop_at) {
		sim->stopped = true;
		return TURN_STOP;
	}
	if (sim->fail_at != 0 && sim->operations >= sim->fail_at && sim->operations - sim->fail_at < sim->fail_count) {
		*rc = sim->fail_rc;
		return TURN_FAIL;
	}
	return TURN_GO;
}

static struct entry *find(struct folder *folder, const char *name)
{
	for (size_t i = 0; i < folder->count; i++) {
		if (strcmp(folder->entries[i].name, name) == 0)
			return &folder->entries[i];
	}
	return NULL;
}

static void folder_changed(struct sim_disk *sim)
{
	if (sim->state_count == STATES_MAX) {
		/* A file system writes such changes out by itself after a while. */
		sim->durable = *sim->states[0];
		free(sim->states[0]);
		memmove(sim->states, sim->states + 1, (STATES_MAX - 1) * sizeof *sim->states);
		sim->state_count--;
	}
	struct folder *state = malloc(sizeof *state);
	must(state != NULL);
	*state = sim->now;
	sim->states[sim->state_count++] = state;
}

static void add_entry(struct folder *folder, const char *name, struct inode *inode)
{
	must(folder->count < NAMES_MAX);
	struct entry *entry = &folder->entries[folder->count++];
	must(slice_to_cstr(slice_str(name), entry->name, sizeof entry->name) == strlen(name));
	entry->inode = inode;
}

static void remove_entry(struct folder *folder, struct entry *entry)
{
	*entry = folder->entries[--folder->count];
}

static void grow(struct inode *inode, size_t size)
{
	if (size <= inode->room)
		return;
	size_t room = inode->room == 0 ? 16 * SIM_SECTOR : inode->room;
	while (room < size)
		room *= 2;
	inode->now = realloc(inode->now, room);
	inode->disk = realloc(inode->disk, room);
	inode->dirty = realloc(inode->dirty, room / SIM_SECTOR);
	must(inode->now != NULL && inode->disk != NULL && inode->dirty != NULL);
	memset(inode->now + inode->room, 0, room - inode->room);
	memset(inode->disk + inode->room, 0, room - inode->room);
	memset(inode->dirty + inode->room / SIM_SECTOR, 0, (room - inode->room) / SIM_SECTOR);
	inode->room = room;
}

static enum rc sim_open(struct journal_disk *disk, const char *name, enum journal_open how, struct journal_file **out)
{
	struct sim_disk *sim = sim_of(disk);
	struct entry    *entry = find(&sim->now, name);
	enum rc          rc;

	if (turn(sim, &rc) != TURN_GO)
		return rc;
	if (how == JOURNAL_OPEN_CREATE) {
		if (entry != NULL)
			return RC_EXISTS;
		if (sim->full)
			return RC_NOMEM;
		must(sim->inode_count < FILES_MAX);
		struct inode *inode = calloc(1, sizeof *inode);
		must(inode != NULL);
		sim->inodes[sim->inode_count++] = inode;
		add_entry(&sim->now, name, inode);
		folder_changed(sim);
		entry = find(&sim->now, name);
	}
	if (entry == NULL)
		return RC_NOTFOUND;
	struct journal_file *file = malloc(sizeof *file);
	must(file != NULL);
	file->inode = entry->inode;
	sim->open_files++;
	*out = file;
	return RC_OK;
}

static void sim_close(struct journal_disk *disk, struct journal_file *file)
{
	if (file == NULL)
		return;
	sim_of(disk)->open_files--;
	free(file);
}

static enum rc sim_size(struct journal_disk *disk, struct journal_file *file, uint64_t *out)
{
	enum rc rc;

	if (turn(sim_of(disk), &rc) != TURN_GO)
		return rc;
	*out = file->inode->now_size;
	return RC_OK;
}

static enum rc sim_allocate(struct journal_disk *disk, struct journal_file *file, uint64_t bytes)
{
	enum rc rc;

	if (turn(sim_of(disk), &rc) != TURN_GO)
		return rc;
	if (sim_of(disk)->full && bytes > file->inode->now_size)
		return RC_NOMEM;
	grow(file->inode, bytes);
	if (file->inode->now_size < bytes)
		file->inode->now_size = bytes;
	return RC_OK;
}

static enum rc sim_truncate(struct journal_disk *disk, struct journal_file *file, uint64_t bytes)
{
	enum rc rc;

	if (turn(sim_of(disk), &rc) != TURN_GO)
		return rc;
	grow(file->inode, bytes);
	file->inode->now_size = bytes;
	return RC_OK;
}

static enum rc sim_read(struct journal_disk *disk, struct journal_file *file, uint64_t offset, void *to, size_t size,
                        size_t *out)
{
	const struct inode *inode = file->inode;
	enum rc             rc;

	if (turn(sim_of(disk), &rc) != TURN_GO)
		return rc;
	const size_t there = offset < inode->now_size ? inode->now_size - offset : 0;
	*out = size < there ? size : there;
	if (*out != 0)
		memcpy(to, inode->now + offset, *out);
	return RC_OK;
}

/* The sectors that `bytes` at `offset` touch become dirty; with `part` only some of them get the bytes. */
static void put_bytes(struct sim_disk *sim, struct inode *inode, size_t offset, struct slice bytes, bool part)
{
	for (size_t at = 0; at < bytes.len;) {
		const size_t sector = (offset + at) / SIM_SECTOR;
		const size_t end = (sector + 1) * SIM_SECTOR - offset;
		const size_t size = (end < bytes.len ? end : bytes.len) - at;
		if (!part || draw(sim) % 2 == 0) {
			memcpy(inode->now + offset + at, bytes.ptr + at, size);
			inode->dirty[sector] = 1;
		}
		at += size;
	}
}

static enum rc sim_write(struct journal_disk *disk, struct journal_file *file, uint64_t offset,
                         const struct slice *pieces, size_t count)
{
	struct sim_disk *sim = sim_of(disk);
	struct inode    *inode = file->inode;
	const bool       alive = !sim->stopped;
	enum rc          rc;
	const enum turn  now = turn(sim, &rc);

	if (!alive)
		return rc;
	for (size_t i = 0; i < count; i++) {
		grow(inode, offset + pieces[i].len);
		put_bytes(sim, inode, offset, pieces[i], now != TURN_GO);
		offset += pieces[i].len;
		if (inode->now_size < offset)
			inode->now_size = offset;
	}
	return now == TURN_GO ? RC_OK : rc;
}

static enum rc sim_sync(struct journal_disk *disk, struct journal_file *file)
{
	struct sim_disk *sim = sim_of(disk);
	struct inode    *inode = file->inode;
	const bool       alive = !sim->stopped;
	enum rc          rc;
	const enum turn  now = turn(sim, &rc);

	if (!alive)
		return rc;
	/* Stopped in the middle: some sectors arrived. Failed: the same, and none of them is dirty any more. */
	for (size_t sector = 0; sector < inode->room / SIM_SECTOR; sector++) {
		if (inode->dirty[sector] == 0 || (now != TURN_GO && draw(sim) % 2 == 0)) {
			if (now == TURN_FAIL)
				inode->dirty[sector] = 0;
			continue;
		}
		memcpy(inode->disk + sector * SIM_SECTOR, inode->now + sector * SIM_SECTOR, SIM_SECTOR);
		inode->dirty[sector] = 0;
	}
	if (now == TURN_GO)
		inode->disk_size = inode->now_size;
	return now == TURN_GO ? RC_OK : rc;
}

static enum rc sim_punch(struct journal_disk *disk, struct journal_file *file, uint64_t offset, uint64_t bytes)
{
	struct inode *inode = file->inode;
	enum rc       rc;

	if (turn(sim_of(disk), &rc) != TURN_GO)
		return rc;
	must(offset + bytes <= inode->now_size);
	memset(inode->now + offset, 0, bytes);
	for (size_t sector = offset / SIM_SECTOR; sector <= (offset + bytes - 1) / SIM_SECTOR; sector++)
		inode->dirty[sector] = 1;
	return RC_OK;
}

static enum rc sim_rename(struct journal_disk *disk, const char *from, const char *to)
{
	struct sim_disk *sim = sim_of(disk);
	struct entry    *source = find(&sim->now, from);
	enum rc          rc;

	if (turn(sim, &rc) != TURN_GO)
		return rc;
	if (source == NULL)
		return RC_NOTFOUND;
	struct inode *inode = source->inode;
	remove_entry(&sim->now, source);
	struct entry *target = find(&sim->now, to);
	if (target != NULL)
		target->inode = inode;
	else
		add_entry(&sim->now, to, inode);
	folder_changed(sim);
	return RC_OK;
}

static enum rc sim_exchange(struct journal_disk *disk, const char *name, const char *other)
{
	struct sim_disk *sim = sim_of(disk);
	struct entry    *a = find(&sim->now, name), *b = find(&sim->now, other);
	enum rc          rc;

	if (turn(sim, &rc) != TURN_GO)
		return rc;
	if (a == NULL || b == NULL)
		return RC_NOTFOUND;
	struct inode *inode = a->inode;
	a->inode = b->inode;
	b->inode = inode;
	folder_changed(sim);
	return RC_OK;
}

static enum rc sim_remove(struct journal_disk *disk, const char *name)
{
	struct sim_disk *sim = sim_of(disk);
	struct entry    *entry = find(&sim->now, name);
	enum rc          rc;

	if (turn(sim, &rc) != TURN_GO)
		return rc;
	if (entry == NULL)
		return RC_NOTFOUND;
	remove_entry(&sim->now, entry);
	folder_changed(sim);
	return RC_OK;
}

static void forget_states(struct sim_disk *sim)
{
	while (sim->state_count != 0)
		free(sim->states[--sim->state_count]);
}

static enum rc sim_sync_folder(struct journal_disk *disk)
{
	struct sim_disk *sim = sim_of(disk);
	enum rc          rc;

	if (turn(sim, &rc) != TURN_GO)
		return rc;
	sim->durable = sim->now;
	forget_states(sim);
	return RC_OK;
}

static enum rc sim_list(struct journal_disk *disk, enum rc (*each)(void *context, const char *name), void *context)
{
	struct sim_disk *sim = sim_of(disk);
	enum rc          rc;

	if (turn(sim, &rc) != TURN_GO)
		return rc;
	const struct folder names = sim->now;
	for (size_t i = 0; i < names.count; i++) {
		rc = each(context, names.entries[i].name);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc sim_free_bytes(struct journal_disk *disk, uint64_t *out)
{
	enum rc rc;

	if (turn(sim_of(disk), &rc) != TURN_GO)
		return rc;
	*out = sim_of(disk)->free_bytes;
	return RC_OK;
}

static enum rc sim_lock(struct journal_disk *disk)
{
	enum rc rc;

	/* There is one process only, and its own lock is in nobody's way. */
	return turn(sim_of(disk), &rc) != TURN_GO ? rc : RC_OK;
}

static void sim_done(struct journal_disk *disk)
{
	struct sim_disk *sim = sim_of(disk);

	must(sim->open_files == 0);
	forget_states(sim);
	for (size_t i = 0; i < sim->inode_count; i++) {
		free(sim->inodes[i]->now);
		free(sim->inodes[i]->disk);
		free(sim->inodes[i]->dirty);
		free(sim->inodes[i]);
	}
	free(sim);
}

static const struct journal_disk_calls calls = {
	.open = sim_open,
	.close = sim_close,
	.size = sim_size,
	.allocate = sim_allocate,
	.truncate = sim_truncate,
	.read = sim_read,
	.write = sim_write,
	.sync = sim_sync,
	.punch = sim_punch,
	.rename = sim_rename,
	.exchange = sim_exchange,
	.remove = sim_remove,
	.sync_folder = sim_sync_folder,
	.list = sim_list,
	.free_bytes = sim_free_bytes,
	.lock = sim_lock,
	.done = sim_done,
};

struct sim_disk *sim_disk_open(uint64_t seed)
{
	struct sim_disk *sim = calloc(1, sizeof *sim);

	if (sim == NULL)
		return NULL;
	sim->disk.calls = &calls;
	sim->random = seed;
	sim->free_bytes = UINT64_MAX / 2;
	return sim;
}

struct journal_disk *sim_disk_calls(struct sim_disk *sim)
{
	return &sim->disk;
}

uint64_t sim_disk_operations(const struct sim_disk *sim)
{
	return sim->operations;
}

void sim_disk_stop_at(struct sim_disk *sim, uint64_t number)
{
	sim->stop_at = number;
}

void sim_disk_fail_at(struct sim_disk *sim, uint64_t number, uint64_t count, enum rc rc)
{
	sim->fail_at = number;
	sim->fail_count = count;
	sim->fail_rc = rc;
}

bool sim_disk_stopped(const struct sim_disk *sim)
{
	return sim->stopped;
}

/* Sectors and size of one file after the power came back. */
static void settle(struct sim_disk *sim, struct inode *inode, enum sim_loss loss)
{
	for (size_t sector = 0; sector < inode->room / SIM_SECTOR; sector++) {
		const bool kept = loss == SIM_LOSE_NONE || (loss == SIM_LOSE_SOME && draw(sim) % 2 == 0);
		if (inode->dirty[sector] != 0 && kept)
			memcpy(inode->disk + sector * SIM_SECTOR, inode->now + sector * SIM_SECTOR, SIM_SECTOR);
		inode->dirty[sector] = 0;
	}
	if (loss == SIM_LOSE_NONE || (loss == SIM_LOSE_SOME && draw(sim) % 2 == 0))
		inode->disk_size = inode->now_size;
	if (inode->room != 0) {
		memset(inode->disk + inode->disk_size, 0, inode->room - inode->disk_size);
		memcpy(inode->now, inode->disk, inode->room);
	}
	inode->now_size = inode->disk_size;
}

void sim_disk_power_cut(struct sim_disk *sim, enum sim_loss loss)
{
	must(sim->open_files == 0);
	for (size_t i = 0; i < sim->inode_count; i++)
		settle(sim, sim->inodes[i], loss);
	size_t states = 0;
	if (loss == SIM_LOSE_NONE)
		states = sim->state_count;
	else if (loss == SIM_LOSE_SOME)
		states = draw(sim) % (sim->state_count + 1);
	if (states != 0)
		sim->durable = *sim->states[states - 1];
	sim->now = sim->durable;
	forget_states(sim);
	sim_disk_new_process(sim);
}

void sim_disk_new_process(struct sim_disk *sim)
{
	must(sim->open_files == 0);
	sim->stopped = false;
	sim->stop_at = 0;
	sim->fail_at = 0;
}

void sim_disk_full(struct sim_disk *sim, bool full)
{
	sim->full = full;
}

void sim_disk_free_bytes(struct sim_disk *sim, uint64_t bytes)
{
	sim->free_bytes = bytes;
}

bool sim_disk_flip(struct sim_disk *sim, const char *name, uint64_t offset, uint8_t mask)
{
	struct entry *entry = find(&sim->now, name);

	if (entry == NULL || offset >= entry->inode->now_size)
		return false;
	entry->inode->now[offset] ^= mask;
	entry->inode->disk[offset] ^= mask;
	return true;
}

void sim_disk_put(struct sim_disk *sim, const char *name, struct slice bytes)
{
	struct inode *inode = calloc(1, sizeof *inode);
	struct entry *entry = find(&sim->now, name);

	must(inode != NULL && sim->inode_count < FILES_MAX);
	sim->inodes[sim->inode_count++] = inode;
	grow(inode, bytes.len + 1);
	if (bytes.len != 0)
		memcpy(inode->now, bytes.ptr, bytes.len);
	memcpy(inode->disk, inode->now, inode->room);
	inode->now_size = inode->disk_size = bytes.len;
	if (entry != NULL)
		entry->inode = inode;
	else
		add_entry(&sim->now, name, inode);
	sim->durable = sim->now;
}

uint64_t sim_disk_size(struct sim_disk *sim, const char *name)
{
	const struct entry *entry = find(&sim->now, name);

	return entry == NULL ? 0 : entry->inode->now_size;
}

const uint8_t *sim_disk_bytes(struct sim_disk *sim, const char *name)
{
	const struct entry *entry = find(&sim->now, name);

	return entry == NULL ? NULL : entry->inode->now;
}
