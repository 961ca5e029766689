/* Limits for each peer: a map in shards, each behind a lock that is held for a few lines. */
#include "gate/peers.h"

#include "base/map.h"
#include "base/memory.h"
#include "mail/domain.h"
#include "sys/threads.h"

#define SHARDS 16u
#define MINUTE_US 60000000u
#define SWEEP_STEPS 64u

/*
 * Rates by the generic cell rate algorithm (ITU-T I.371): each event moves the moment `due` on by a minute divided by the
 * rate; a moment more than a minute ahead of now means too fast. One number holds the whole state.
 */
struct peer {
	uint32_t open;
	uint64_t connection_due_us;
	uint64_t message_due_us;
};

struct shard {
	struct mutex lock;
	struct map  *map;
	size_t       sweep;
};

struct peers {
	uint64_t     seed;
	struct shard shards[SHARDS];
};

enum rc peers_open(uint64_t seed, struct peers **out)
{
	struct peers *peers = memory_take(1, sizeof *peers);
	enum rc       rc = peers == NULL ? RC_NOMEM : RC_OK;

	if (rc != RC_OK)
		return rc;
	peers->seed = seed;
	for (size_t i = 0; i < SHARDS; i++) {
		mutex_init(&peers->shards[i].lock);
		if (rc == RC_OK)
			rc = map_open(PEERS_MAX / SHARDS, seed, &peers->shards[i].map);
	}
	if (rc != RC_OK)
		peers_close(&peers);
	else
		*out = peers;
	return rc;
}

void peers_close(struct peers **peers)
{
	struct peers *gone = *peers;

	*peers = NULL;
	for (size_t i = 0; gone != NULL && i < SHARDS; i++) {
		size_t       position = 0;
		struct slice key;
		void        *value;
		while (gone->shards[i].map != NULL && map_next(gone->shards[i].map, &position, &key, &value))
			memory_give(value);
		map_close(&gone->shards[i].map);
		mutex_done(&gone->shards[i].lock);
	}
	memory_give(gone);
}

struct peer_key {
	struct net_address prefix;
	struct slice       bytes;
	struct shard      *shard;
};

static void key_of(struct peers *peers, const struct net_address *address, struct peer_key *key)
{
	key->prefix = net_address_prefix(address, 32, 64);
	key->bytes = slice_of(&key->prefix, sizeof key->prefix);
	key->shard = &peers->shards[map_hash(peers->seed + 1, key->bytes) % SHARDS];
}

static bool is_idle(const struct peer *peer, uint64_t now_us)
{
	return peer->open == 0 && peer->connection_due_us <= now_us && peer->message_due_us <= now_us;
}

/* Look at a few entries and forget those that say nothing any more. */
static void sweep(struct shard *shard, uint64_t now_us)
{
	struct slice key;
	void        *value;

	for (size_t step = 0; step < SWEEP_STEPS; step++) {
		if (!map_next(shard->map, &shard->sweep, &key, &value)) {
			shard->sweep = 0;
			return;
		}
		if (is_idle(value, now_us))
			memory_give(map_remove(shard->map, key));
	}
}

/* The peer's entry, made if there is room; NULL when there is none. */
static struct peer *find(const struct peer_key *key, uint64_t now_us)
{
	struct peer *peer = map_get(key->shard->map, key->bytes);

	if (peer != NULL)
		return peer;
	sweep(key->shard, now_us);
	peer = memory_take(1, sizeof *peer);
	if (peer != NULL && map_add(key->shard->map, key->bytes, peer) != RC_OK) {
		memory_give(peer);
		peer = NULL;
	}
	return peer;
}

static bool too_fast(uint64_t *due_us, uint64_t rate, uint64_t now_us)
{
	const uint64_t start = *due_us > now_us ? *due_us : now_us;

	if (start - now_us > MINUTE_US - MINUTE_US / rate)
		return true;
	*due_us = start + MINUTE_US / rate;
	return false;
}

enum rc peers_enter(struct peers *peers, const struct net_address *address, uint64_t open_max, uint64_t rate, uint64_t now_ms,
                    bool *ret_counted)
{
	const uint64_t  now_us = now_ms * 1000;
	struct peer_key key;
	enum rc         rc = RC_OK;

	key_of(peers, address, &key);
	mutex_lock(&key.shard->lock);
	struct peer *peer = find(&key, now_us);
	if (peer != NULL && peer->open >= open_max)
		rc = RC_LIMIT;
	else if (peer != NULL && too_fast(&peer->connection_due_us, rate, now_us))
		rc = RC_BUSY;
	else if (peer != NULL)
		peer->open++;
	*ret_counted = rc == RC_OK && peer != NULL;
	mutex_unlock(&key.shard->lock);
	return rc;
}

void peers_leave(struct peers *peers, const struct net_address *address)
{
	struct peer_key key;

	key_of(peers, address, &key);
	mutex_lock(&key.shard->lock);
	struct peer *peer = map_get(key.shard->map, key.bytes);
	if (peer != NULL && peer->open != 0)
		peer->open--;
	mutex_unlock(&key.shard->lock);
}

enum rc peers_message(struct peers *peers, const struct net_address *address, uint64_t rate, uint64_t now_ms)
{
	const uint64_t  now_us = now_ms * 1000;
	struct peer_key key;

	key_of(peers, address, &key);
	mutex_lock(&key.shard->lock);
	struct peer  *peer = find(&key, now_us);
	const enum rc rc = peer != NULL && too_fast(&peer->message_due_us, rate, now_us) ? RC_BUSY : RC_OK;
	mutex_unlock(&key.shard->lock);
	return rc;
}

enum rc peers_domain_message(struct peers *peers, struct slice domain, uint64_t rate, uint64_t now_ms)
{
	const uint64_t  now_us = now_ms * 1000;
	uint8_t         lowered[DOMAIN_BYTES_MAX];
	struct peer_key key;

	if (domain.len == 0 || domain.len > sizeof lowered)
		return RC_OK;
	for (size_t i = 0; i < domain.len; i++)
		lowered[i] = byte_lower(domain.ptr[i]);
	/* No domain looks like an address of this table: those begin with a small number. */
	key.bytes = slice_of(lowered, domain.len);
	key.shard = &peers->shards[map_hash(peers->seed + 1, key.bytes) % SHARDS];
	mutex_lock(&key.shard->lock);
	struct peer  *peer = find(&key, now_us);
	const enum rc rc = peer != NULL && too_fast(&peer->message_due_us, rate, now_us) ? RC_BUSY : RC_OK;
	mutex_unlock(&key.shard->lock);
	return rc;
}

size_t peers_count(struct peers *peers)
{
	size_t count = 0;

	for (size_t i = 0; i < SHARDS; i++) {
		mutex_lock(&peers->shards[i].lock);
		count += map_count(peers->shards[i].map);
		mutex_unlock(&peers->shards[i].lock);
	}
	return count;
}
