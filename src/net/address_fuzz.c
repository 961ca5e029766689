/* Texts of addresses and ranges: nothing may crash, and what was read must be read the same from its own text. */
#include "base/must.h"
#include "net/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice text = slice_of(data, size);
	struct net_address address, again;
	struct net_range   range;
	char               written[NET_ADDRESS_TEXT_MAX];

	if (net_address_parse(text, &address) == RC_OK) {
		must(net_address_parse(slice_str(net_address_text(&address, written)), &again) == RC_OK);
		must(net_address_eq_port(&address, &again));
	}
	if (net_address_parse_port(text, 25, &address) == RC_OK) {
		must(net_address_parse_port(slice_str(net_address_text_port(&address, written)), 1, &again) == RC_OK);
		must(net_address_eq_port(&address, &again));
	}
	if (net_range_parse(text, &range) == RC_OK) {
		uint8_t          memory[1024];
		struct arena     arena = arena_on(memory, sizeof memory);
		struct net_match match;
		must(net_match_make(&range, 1, &arena, &match) == RC_OK);
		must(net_match_has(&match, &range.first));
		must(net_match_has(&match, &range.last));
	}
	return 0;
}
