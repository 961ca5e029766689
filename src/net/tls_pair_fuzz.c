/*
 * PEM as it comes from files that an administrator names: certificates, a NUL, a key, a NUL, a bundle of authorities. Nothing may crash or
 * leak, what is refused says why, and what is usable is found usable once more, with the same facts.
 */
#include "base/must.h"
#include "net/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_S 1800000000

static void check_pair(const struct tls_pair *pair)
{
	static uint8_t        memory[1u << 18] __attribute__((aligned(16)));
	struct arena          arena = arena_on(memory, sizeof memory);
	struct tls_pair_facts facts, again;
	struct fault          fault = { .text = NULL };

	const enum rc rc = tls_pair_check(pair, NOW_S, &arena, &facts, &fault);
	must(rc == RC_OK || fault.text != NULL);
	if (rc != RC_OK && rc != RC_TIMEOUT)
		return;
	must(facts.names_count <= TLS_NAMES_MAX);
	must(rc == RC_TIMEOUT || (facts.not_before_s <= NOW_S && facts.not_after_s >= NOW_S));
	if (tls_pair_check(pair, NOW_S, &arena, &again, &fault) != rc)
		must(arena.used > sizeof memory / 2); /* only for want of room */
	else
		must(digest_eq(&facts.fingerprint, &again.fingerprint) && facts.names_count == again.names_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice            rest = slice_of(data, size);
	struct tls_pair         pair;
	struct tls_authorities *authorities = NULL;
	struct fault            fault = { .text = NULL };

	/* It shakes hands with itself: once is enough. */
	static bool ready;
	if (!ready)
		must(net_tls_ready(&fault) == RC_OK);
	ready = true;
	pair.certificates = slice_until(&rest, '\0');
	pair.key = slice_until(&rest, '\0');
	check_pair(&pair);
	const enum rc rc = tls_authorities_open(rest.len != 0 ? rest : pair.certificates, &authorities, &fault);
	must(rc == RC_OK || fault.text != NULL);
	must((rc == RC_OK) == (authorities != NULL));
	tls_authorities_close(&authorities);
	return 0;
}
