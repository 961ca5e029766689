/*
 * Between resolver.c, resolver_answer.c and resolver_peer.c only: names as keys, and answers in the packed form in
 * which they are cached and cross threads. Pure: no socket, no thread, no clock; records come as the bytes of the
 * wire.
 */
#ifndef NET_RESOLVER_ANSWER_H
#define NET_RESOLVER_ANSWER_H

#include "net/resolver.h"

/* Bytes of records in one packed answer; a DNS message has at most 64 KiB, useful ones have far less. */
#define RESOLVER_PACKED_MAX (16u << 10)

struct resolver_packed {
	enum resolver_status status;
	enum resolver_type   type;
	bool                 secure;
	bool                 null_mx;
	bool                 truncated;
	uint32_t             ttl_s;
	uint16_t             count;
	uint32_t             size; /* bytes of records */
	uint8_t              records[];
};

/* What libunbound found, without its types. */
struct resolver_found {
	enum resolver_status status; /* RESOLVER_OK: records are to be looked at */
	bool                 secure;
	uint32_t             ttl_s;
	const struct slice  *records; /* rdata of the wire, names not compressed */
	size_t               count;
};

/*
 * `name` in lower case without its final dot. RC_SYNTAX: not 1 to RESOLVER_NAME_MAX octets of letters, digits, "-",
 * "_" in labels of 1 to 63. Returns its size in *out_size.
 */
MUST_CHECK enum rc resolver_name_key(struct slice name, uint8_t out[RESOLVER_NAME_MAX], size_t *out_size);

/* Pack what was found. Records that are malformed are left out. RC_NOMEM. Give back with memory_give(). */
MUST_CHECK enum rc resolver_pack(enum resolver_type type, const struct resolver_found *found,
                                 struct resolver_packed **out);

/* Into plain data in `arena`. `draw` is asked for random numbers, to mix hosts of equal preference. RC_NOMEM. */
MUST_CHECK enum rc resolver_unpack(const struct resolver_packed *packed, struct arena       *arena,
                                   uint64_t (*draw)(uint64_t bound), struct resolver_answer *out);

#endif
