/*
 * What a name server may say: any records of any type; and the other texts of the resolver. Packed, unpacked, and
 * names are names.
 */
#include "base/memory.h"
#include "base/must.h"
#include "net/resolver_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t draw(uint64_t bound)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (state >> 33) % bound;
}

static void check_name(struct slice name)
{
	uint8_t key[RESOLVER_NAME_MAX];
	size_t  key_size = 0;

	must(resolver_name_key(name, key, &key_size) == RC_OK);
	must(slice_eq(slice_of(key, key_size), name));
}

static void check(const struct resolver_answer *answer)
{
	must(answer->count <= RESOLVER_RECORDS_MAX);
	must(answer->status == RESOLVER_OK || answer->count == 0);
	must(answer->status != RESOLVER_OK || answer->count != 0 || answer->null_mx);
	for (size_t index = 0; index < answer->count; index++) {
		if (answer->type == RESOLVER_MX) {
			check_name(answer->mx[index].host);
			must(index == 0 || answer->mx[index - 1].preference <= answer->mx[index].preference);
		} else if (answer->type == RESOLVER_PTR) {
			check_name(answer->names[index]);
		} else if (answer->type == RESOLVER_TXT) {
			must(answer->names[index].len <= RESOLVER_TEXT_MAX);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum resolver_type types[] = { RESOLVER_A, RESOLVER_PTR, RESOLVER_MX, RESOLVER_TXT,
		                                    RESOLVER_AAAA };
	static uint8_t                  memory[1u << 17];
	struct slice                    rest = slice_of(data, size), records[RESOLVER_RECORDS_MAX + 1];
	struct resolver_found           found = { RESOLVER_OK, false, 60, records, 0 };
	struct resolver_packed         *packed = NULL;
	struct resolver_answer          answer;
	struct net_address              servers[4];

	must(resolver_servers_parse(rest, servers, 4) <= 4);
	if (size < 1)
		return 0;
	const enum resolver_type type = types[rest.ptr[0] % 5];
	/* A size of two bytes before each record. */
	for (rest = slice_drop(rest, 1); rest.len >= 2 && found.count <= RESOLVER_RECORDS_MAX; found.count++) {
		const size_t count = (size_t)rest.ptr[0] << 8 | rest.ptr[1];
		records[found.count] = slice_cut(rest, 2, count);
		rest = slice_drop(rest, 2 + records[found.count].len);
	}
	struct arena arena = arena_on(memory, sizeof memory);
	must(resolver_pack(type, &found, &packed) == RC_OK);
	must(resolver_unpack(packed, &arena, draw, &answer) == RC_OK);
	check(&answer);
	memory_give(packed);
	return 0;
}
