/*
 * What each peer does to us at this moment, over all event loops: open connections, and how fast connections and messages
 * come. A peer is one IPv4 address or one IPv6 /64. Messages are counted by the domain of their sender, too (I-9). Counted in memory only; a restart forgets.
 *
 * Rates are leaky: a peer that was quiet may send a minute's worth at once. When the table is full, new peers are let
 * through uncounted: the bound on all connections still holds.
 */
#ifndef GATE_PEERS_H
#define GATE_PEERS_H

#include "net/address.h"

struct peers; /* opaque; any thread */

#define PEERS_MAX 262144u

MUST_CHECK enum rc peers_open(uint64_t seed, struct peers **out);
void peers_close(struct peers **peers);

/*
 * A new connection. RC_OK: it may come; *ret_counted says whether it is counted as open, which takes a peers_leave() later, or was let
 * through for want of room in the table, which takes none. RC_LIMIT: `open_max` are open already; RC_BUSY: more than `rate` in a minute.
 * Then nothing is counted as open.
 */
MUST_CHECK enum rc peers_enter(struct peers *peers, const struct net_address *address, uint64_t open_max, uint64_t rate,
                               uint64_t now_ms, bool *ret_counted);
void peers_leave(struct peers *peers, const struct net_address *address);

/* A message: RC_BUSY when more than `rate` came in a minute. */
MUST_CHECK enum rc peers_message(struct peers *peers, const struct net_address *address, uint64_t rate, uint64_t now_ms);

/*
 * A message with a sender of `domain` (any case), from whichever address: RC_BUSY when more than `rate` came in a minute. The empty domain,
 * and one longer than any domain is, are let through.
 */
MUST_CHECK enum rc peers_domain_message(struct peers *peers, struct slice domain, uint64_t rate, uint64_t now_ms);

/* Peers and sender domains known now. */
size_t peers_count(struct peers *peers);

#endif
