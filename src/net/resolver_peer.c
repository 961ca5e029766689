/* The name of a peer, confirmed by its address; and the name servers of a resolv.conf. */
#include "net/resolver.h"

#include "base/must.h"

/* Ask the address (or the first question: the names) of the peer. */
static enum rc ask(struct resolver_peer *peer, struct resolver_answer *answer)
{
	struct resolver *resolver = peer->query.resolver;
	const uint64_t   now_ms = loop_now_ms(peer->loop);
	const uint64_t   left_ms = peer->due_ms > now_ms ? peer->due_ms - now_ms : 0;

	if (peer->index == 0) {
		struct buf name = buf_make(NET_ADDRESS_REVERSE_MAX);
		net_address_put_reverse(&name, &peer->address);
		const enum rc rc = name.failed ? RC_NOMEM
		                               : resolver_ask(resolver, &peer->query, RESOLVER_PTR, buf_slice(&name),
		                                              left_ms, answer);
		buf_done(&name);
		return rc;
	}
	const enum resolver_type type = peer->address.family == NET_FAMILY_V4 ? RESOLVER_A : RESOLVER_AAAA;
	return resolver_ask(resolver, &peer->query, type, peer->names[peer->index - 1], left_ms, answer);
}

static bool knows_nothing(const struct resolver_answer *answer)
{
	return answer->status == RESOLVER_FAILED || answer->status == RESOLVER_BOGUS ||
	       answer->status == RESOLVER_TIMEOUT;
}

/* Take one answer in. True: there is a verdict. */
static bool take(struct resolver_peer *peer, const struct resolver_answer *answer, enum resolver_peer_status *status,
                 struct slice *name)
{
	*name = (struct slice){ NULL, 0 };
	if (peer->index == 0) {
		for (; answer->status == RESOLVER_OK && peer->count < answer->count &&
		       peer->count < RESOLVER_CONFIRM_NAMES;
		     peer->count++)
			peer->names[peer->count] = answer->names[peer->count];
		*status = knows_nothing(answer) ? RESOLVER_PEER_UNKNOWN : RESOLVER_PEER_UNNAMED;
		peer->index = 1;
		return peer->count == 0;
	}
	peer->doubt = peer->doubt || knows_nothing(answer);
	for (size_t index = 0; answer->status == RESOLVER_OK && index < answer->count; index++) {
		if (net_address_eq(&answer->addresses[index], &peer->address)) {
			*status = RESOLVER_PEER_CONFIRMED;
			*name = peer->names[peer->index - 1];
			return true;
		}
	}
	if (peer->index++ < peer->count)
		return false;
	*status = peer->doubt ? RESOLVER_PEER_UNKNOWN : RESOLVER_PEER_UNCONFIRMED;
	*name = peer->names[0];
	return true;
}

static void answered(struct resolver_query *query, const struct resolver_answer *answer);

/* Go on until an answer has to be waited for. RC_OK: a verdict. */
static enum rc go_on(struct resolver_peer *peer, enum resolver_peer_status *status, struct slice *name)
{
	for (;;) {
		struct resolver_answer answer;
		enum rc                rc = ask(peer, &answer);
		if (rc == RC_AGAIN || (rc != RC_OK && peer->index == 0))
			return rc;
		if (rc != RC_OK)
			answer = (struct resolver_answer){ .status = rc == RC_SYNTAX ? RESOLVER_NXDOMAIN
				                                                     : RESOLVER_FAILED };
		if (take(peer, &answer, status, name))
			return RC_OK;
	}
}

static void answered(struct resolver_query *query, const struct resolver_answer *answer)
{
	struct resolver_peer *peer =
		(struct resolver_peer *)(void *)((char *)query - offsetof(struct resolver_peer, query));
	enum resolver_peer_status status;
	struct slice              name;

	if (!take(peer, answer, &status, &name) && go_on(peer, &status, &name) == RC_AGAIN)
		return;
	peer->done(peer, status, name);
}

enum rc resolver_ask_peer(struct resolver *resolver, struct resolver_peer *peer, const struct net_address *address,
                          uint64_t timeout_ms, enum resolver_peer_status *status, struct slice *name)
{
	must(peer->done != NULL);
	must(peer->arena != NULL);
	must(address->family != NET_FAMILY_NONE);
	peer->query = (struct resolver_query){ .done = answered, .arena = peer->arena, .resolver = resolver };
	peer->address = *address;
	peer->count = 0;
	peer->index = 0;
	peer->doubt = false;
	peer->loop = resolver_loop(resolver);
	peer->due_ms = loop_now_ms(peer->loop) + timeout_ms;
	return go_on(peer, status, name);
}

size_t resolver_servers_parse(struct slice resolv_conf, struct net_address *out, size_t max)
{
	size_t count = 0;

	while (resolv_conf.len != 0 && count < max) {
		struct slice line = slice_trim(slice_until(&resolv_conf, '\n'));
		if (!slice_starts(line, SLICE("nameserver")))
			continue;
		line = slice_drop(line, 10);
		if (!byte_is_wsp((uint8_t)slice_at(line, 0)))
			continue;
		line = slice_trim(line);
		/* Only the first word; what stands behind it is a comment to most readers. */
		size_t end = 0;
		while (end < line.len && !byte_is_wsp(line.ptr[end]))
			end++;
		if (net_address_parse(slice_take(line, end), &out[count]) == RC_OK)
			count++;
	}
	return count;
}
