/* The ring of keys with which session tickets are sealed. A lock is held for the copy of one key. */
#include "net/tls_inner.h"

#include "base/memory.h"
#include "base/must.h"
#include "sys/random.h"

#include <pthread.h>

#define ROTATE_MIN_S 60u
#define ROTATE_MAX_S 604800u

struct tls_tickets {
	pthread_mutex_t       lock;    /* guards what follows */
	struct tls_ticket_key keys[2]; /* the newest first */
	uint32_t              rotate_s;
};

static void make_key(struct tls_ticket_key *key, uint64_t now_s)
{
	random_bytes(key->name, sizeof key->name);
	random_bytes(key->cipher, sizeof key->cipher);
	random_bytes(key->mac, sizeof key->mac);
	key->born_s = now_s;
}

enum rc tls_tickets_open(uint32_t rotate_s, struct tls_tickets **out)
{
	must(rotate_s >= ROTATE_MIN_S);
	must(rotate_s <= ROTATE_MAX_S);
	struct tls_tickets *tickets = memory_take(1, sizeof *tickets);
	if (tickets == NULL)
		return RC_NOMEM;
	tickets->rotate_s = rotate_s;
	must(pthread_mutex_init(&tickets->lock, NULL) == 0);
	/* Both are random from the start: a name of zero bytes must not open anything. They were born long ago. */
	make_key(&tickets->keys[0], 0);
	make_key(&tickets->keys[1], 0);
	*out = tickets;
	return RC_OK;
}

void tls_tickets_close(struct tls_tickets **tickets)
{
	if (*tickets == NULL)
		return;
	(void)pthread_mutex_destroy(&(*tickets)->lock);
	memory_wipe(*tickets, sizeof **tickets);
	memory_give(*tickets);
	*tickets = NULL;
}

/* The lock is held. */
static void rotate(struct tls_tickets *tickets, uint64_t now_s)
{
	if (tickets->keys[0].born_s != 0 && now_s - tickets->keys[0].born_s < tickets->rotate_s)
		return;
	tickets->keys[1] = tickets->keys[0];
	make_key(&tickets->keys[0], now_s);
}

void tls_tickets_newest(struct tls_tickets *tickets, uint64_t now_s, struct tls_ticket_key *out)
{
	must(pthread_mutex_lock(&tickets->lock) == 0);
	rotate(tickets, now_s);
	*out = tickets->keys[0];
	must(pthread_mutex_unlock(&tickets->lock) == 0);
}

bool tls_tickets_find(struct tls_tickets *tickets, uint64_t now_s, const uint8_t name[TLS_TICKET_NAME_SIZE],
                      struct tls_ticket_key *out, bool *renew)
{
	bool found = false;

	must(pthread_mutex_lock(&tickets->lock) == 0);
	rotate(tickets, now_s);
	for (unsigned index = 0; index < 2 && !found; index++) {
		const struct tls_ticket_key *key = &tickets->keys[index];
		if (memcmp(key->name, name, sizeof key->name) != 0)
			continue;
		/* Not even once used keys of long ago may open a ticket: a quiet gateway rotates late. */
		found = key->born_s != 0 && now_s - key->born_s < 2ull * tickets->rotate_s;
		*out = *key;
		*renew = index != 0;
	}
	must(pthread_mutex_unlock(&tickets->lock) == 0);
	return found;
}
