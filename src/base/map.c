/*
 * The map: entries lie dense in one array; beside it a table of slots, each holding the number of an entry (or 0), probed
 * in a line. Removing moves the last entry into the gap, so a walk that goes from the end to the front meets every key
 * once even when it removes the key it was just given.
 */
#include "base/map.h"

#include "base/memory.h"
#include "base/must.h"

#define MAP_KEY_MAX       65535u
#define MAP_COUNT_MAX     (UINT32_MAX / 4)
#define MAP_FIRST_ENTRIES 8u

struct entry {
	uint64_t hash;
	void    *value;
	uint8_t *key; /* owned; NULL for the empty key */
	size_t   key_size;
};

struct map {
	uint64_t      seed;
	size_t        count;
	size_t        count_max;
	struct entry *entries;
	size_t        room;       /* entries allocated */
	uint32_t     *slots;      /* entry number + 1, or 0 */
	size_t        slots_mask; /* slots are a power of two, at least twice `room` */
};

static uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static uint64_t little_endian(const uint8_t *bytes, size_t count)
{
	uint64_t word = 0;

	for (size_t i = count; i != 0; i--)
		word = word << 8 | bytes[i - 1];
	return word;
}

uint64_t map_siphash(uint64_t key_low, uint64_t key_high, struct slice s)
{
	uint64_t v[4] = { key_low ^ 0x736f6d6570736575u, key_high ^ 0x646f72616e646f6du, key_low ^ 0x6c7967656e657261u,
		          key_high ^ 0x7465646279746573u };
	size_t   at = 0;

	for (; s.len - at >= 8; at += 8) {
		const uint64_t word = little_endian(s.ptr + at, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	const uint64_t last = (uint64_t)(s.len & 0xff) << 56 | (s.len != at ? little_endian(s.ptr + at, s.len - at) : 0);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t map_hash(uint64_t seed, struct slice key)
{
	/* SipHash wants 128 bits of key; the second half is the seed put through one step of splitmix64. */
	uint64_t mixed = seed + 0x9e3779b97f4a7c15u;

	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
	return map_siphash(seed, mixed ^ mixed >> 31, key);
}

enum rc map_open(size_t count_max, uint64_t seed, struct map **out)
{
	must(count_max != 0);
	must(count_max <= MAP_COUNT_MAX);

	struct map *map = memory_take(1, sizeof *map);
	if (map == NULL)
		return RC_NOMEM;
	map->seed = seed;
	map->count_max = count_max;
	*out = map;
	return RC_OK;
}

void map_close(struct map **map)
{
	struct map *m = *map;

	if (m == NULL)
		return;
	for (size_t i = 0; i < m->count; i++)
		memory_give(m->entries[i].key);
	memory_give(m->entries);
	memory_give(m->slots);
	memory_give(m);
	*map = NULL;
}

size_t map_count(const struct map *map)
{
	return map->count;
}

/* The slot that holds the key, or the empty one where the search for it ends. The table is not empty. */
static size_t find_slot(const struct map *map, uint64_t hash, struct slice key)
{
	size_t at = (size_t)hash & map->slots_mask;

	for (; map->slots[at] != 0; at = (at + 1) & map->slots_mask) {
		const struct entry *entry = &map->entries[map->slots[at] - 1];
		if (entry->hash == hash && slice_eq(slice_of(entry->key, entry->key_size), key))
			break;
	}
	return at;
}

/* Twice the entries, and a fresh table of slots at most half full. On RC_NOMEM the map is as it was. */
static enum rc grow(struct map *map)
{
	size_t room = map->room == 0 ? MAP_FIRST_ENTRIES : map->room * 2;
	size_t slots_count = 2 * MAP_FIRST_ENTRIES;

	if (room > map->count_max)
		room = map->count_max;
	while (slots_count < 2 * room)
		slots_count *= 2;
	uint32_t *slots = memory_take(slots_count, sizeof *slots);
	if (slots == NULL)
		return RC_NOMEM;
	struct entry *entries = memory_resize(map->entries, room * sizeof *entries);
	if (entries == NULL) {
		memory_give(slots);
		return RC_NOMEM;
	}
	memory_give(map->slots);
	map->entries = entries;
	map->room = room;
	map->slots = slots;
	map->slots_mask = slots_count - 1;
	for (size_t i = 0; i < map->count; i++) {
		size_t at = (size_t)entries[i].hash & map->slots_mask;
		while (slots[at] != 0)
			at = (at + 1) & map->slots_mask;
		slots[at] = (uint32_t)(i + 1);
	}
	return RC_OK;
}

/* The key is not in the map. */
static enum rc insert(struct map *map, uint64_t hash, struct slice key, void *value)
{
	if (map->count == map->count_max)
		return RC_NOMEM;
	if (map->count == map->room) {
		const enum rc rc = grow(map);
		if (rc != RC_OK)
			return rc;
	}
	uint8_t *copy = NULL;
	if (key.len != 0) {
		copy = memory_take(1, key.len);
		if (copy == NULL)
			return RC_NOMEM;
		memcpy(copy, key.ptr, key.len);
	}
	const size_t slot = find_slot(map, hash, key);
	must(map->slots[slot] == 0);
	map->entries[map->count] = (struct entry){ .hash = hash, .value = value, .key = copy, .key_size = key.len };
	map->count++;
	map->slots[slot] = (uint32_t)map->count;
	return RC_OK;
}

static struct entry *find(const struct map *map, uint64_t hash, struct slice key)
{
	if (map->count == 0)
		return NULL;
	const size_t slot = find_slot(map, hash, key);
	return map->slots[slot] == 0 ? NULL : &map->entries[map->slots[slot] - 1];
}

enum rc map_add(struct map *map, struct slice key, void *value)
{
	must(key.len <= MAP_KEY_MAX);

	const uint64_t hash = map_hash(map->seed, key);
	if (find(map, hash, key) != NULL)
		return RC_EXISTS;
	return insert(map, hash, key, value);
}

enum rc map_put(struct map *map, struct slice key, void *value, void **old)
{
	must(key.len <= MAP_KEY_MAX);

	const uint64_t hash = map_hash(map->seed, key);
	struct entry  *entry = find(map, hash, key);
	if (entry == NULL) {
		const enum rc rc = insert(map, hash, key, value);
		if (rc == RC_OK && old != NULL)
			*old = NULL;
		return rc;
	}
	if (old != NULL)
		*old = entry->value;
	entry->value = value;
	return RC_OK;
}

void *map_get(const struct map *map, struct slice key)
{
	if (map->count == 0)
		return NULL;
	const struct entry *entry = find(map, map_hash(map->seed, key), key);
	return entry == NULL ? NULL : entry->value;
}

/* Empty a slot and move back those behind it whose search would now stop at the gap. */
static void clear_slot(struct map *map, size_t gap)
{
	const size_t mask = map->slots_mask;

	for (size_t at = (gap + 1) & mask; map->slots[at] != 0; at = (at + 1) & mask) {
		const size_t home = (size_t)map->entries[map->slots[at] - 1].hash & mask;
		/* Distances are counted forward and around: it may move when its home is not behind the gap. */
		if (((at - home) & mask) >= ((at - gap) & mask)) {
			map->slots[gap] = map->slots[at];
			gap = at;
		}
	}
	map->slots[gap] = 0;
}

void *map_remove(struct map *map, struct slice key)
{
	if (map->count == 0)
		return NULL;
	const size_t slot = find_slot(map, map_hash(map->seed, key), key);
	if (map->slots[slot] == 0)
		return NULL;
	const size_t index = map->slots[slot] - 1;
	const size_t last = map->count - 1;
	void        *value = map->entries[index].value;

	memory_give(map->entries[index].key);
	clear_slot(map, slot);
	if (index != last) {
		size_t at = (size_t)map->entries[last].hash & map->slots_mask;
		while (map->slots[at] != last + 1)
			at = (at + 1) & map->slots_mask;
		map->slots[at] = (uint32_t)(index + 1);
		map->entries[index] = map->entries[last];
	}
	map->count--;
	return value;
}

bool map_next(const struct map *map, size_t *position, struct slice *key, void **value)
{
	/* 0: not begun; otherwise one more than the index given last. */
	if (*position == 1 || map->count == 0)
		return false;
	const size_t        index = *position == 0 ? map->count - 1 : *position - 2;
	const struct entry *entry = &map->entries[index];

	must(index < map->count);
	*position = index + 1;
	*key = slice_of(entry->key, entry->key_size);
	*value = entry->value;
	return true;
}
