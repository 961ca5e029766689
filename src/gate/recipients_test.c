/* Who may send where: the table of RCPT decisions. */
#include "gate/recipients.h"

#include "base/digest.h"
#include "base/must.h"
#include "scan/scan.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const struct gate_domain_settings listed = { .name = SLICE_INIT("listed.example"), .recipients = RECIPIENTS_LIST,
	                                            .plus_separator = SLICE_INIT("+"), .postmaster = SLICE_INIT("root@listed.example") };
static const struct gate_domain_settings open_settings = { .name = SLICE_INIT("any.example"), .recipients = RECIPIENTS_ANY };
static const struct gate_domain_settings asked = { .name = SLICE_INIT("asked.example"), .recipients = RECIPIENTS_CALLAHEAD };

static struct config_domain domains[] = {
	{ .settings = &listed, .name = SLICE_INIT("listed.example") },
	{ .settings = &open_settings, .name = SLICE_INIT("any.example") },
	{ .settings = &asked, .name = SLICE_INIT("asked.example") },
};
static struct config config;

static int set_up(void **state)
{
	(void)state;
	config.settings.domains = &listed;
	config.settings.domain_count = 3;
	must(map_open(10, 1, &config.domains) == RC_OK);
	for (size_t i = 0; i < 3; i++)
		must(map_add(config.domains, domains[i].name, &domains[i]) == RC_OK);
	must(map_add(config.domains, SLICE("alias.example"), &domains[1]) == RC_OK);
	must(map_open(10, 1, &domains[0].recipients) == RC_OK);
	must(map_add(domains[0].recipients, SLICE("alice"), &domains[0]) == RC_OK);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	map_close(&domains[0].recipients);
	map_close(&config.domains);
	return 0;
}

struct row {
	const char           *name;
	bool                  ours, relay;
	const char           *address;
	enum recipient_answer answer;
	enum direction        direction; /* of what is accepted */
	const char           *sent_to;
};

/* clang-format off */
static const struct row rows[] = {
	{ "a stranger to a listed recipient", false, false, "alice@listed.example", RECIPIENT_ACCEPT, DIRECTION_INBOUND, "alice@listed.example" },
	{ "the case of a domain", false, false, "alice@LISTED.Example", RECIPIENT_ACCEPT, DIRECTION_INBOUND, "alice@LISTED.Example" },
	{ "the case of a local part", false, false, "Alice@listed.example", RECIPIENT_ACCEPT, DIRECTION_INBOUND, "Alice@listed.example" },
	{ "a tag behind a plus", false, false, "alice+news@listed.example", RECIPIENT_ACCEPT, DIRECTION_INBOUND, "alice+news@listed.example" },
	{ "an unknown recipient", false, false, "mallory@listed.example", RECIPIENT_UNKNOWN, 0, NULL },
	{ "nothing in front of the plus", false, false, "+alice@listed.example", RECIPIENT_UNKNOWN, 0, NULL },
	{ "one of us to an unknown recipient", true, false, "mallory@listed.example", RECIPIENT_UNKNOWN, 0, NULL },
	{ "one of us to ourselves", true, false, "alice@listed.example", RECIPIENT_ACCEPT, DIRECTION_INTERNAL, "alice@listed.example" },
	{ "any recipient", false, false, "whoever@any.example", RECIPIENT_ACCEPT, DIRECTION_INBOUND, "whoever@any.example" },
	{ "an alias domain is rewritten", false, false, "bob@Alias.example", RECIPIENT_ACCEPT, DIRECTION_INBOUND, "bob@any.example" },
	{ "a domain that has to be asked", false, false, "bob@asked.example", RECIPIENT_VERIFY, DIRECTION_INBOUND, "bob@asked.example" },
	{ "postmaster is never asked about", false, false, "PostMaster@asked.example", RECIPIENT_ACCEPT, DIRECTION_INBOUND, "PostMaster@asked.example" },
	{ "postmaster goes where the settings say", false, false, "postmaster@listed.example", RECIPIENT_ACCEPT, DIRECTION_INBOUND, "root@listed.example" },
	{ "abuse too", false, false, "ABUSE@listed.example", RECIPIENT_ACCEPT, DIRECTION_INBOUND, "root@listed.example" },
	{ "postmaster without a domain", false, false, "Postmaster", RECIPIENT_ACCEPT, DIRECTION_INBOUND, "root@listed.example" },
	{ "a stranger to a foreign domain", false, false, "x@foreign.example", RECIPIENT_RELAY_DENIED, 0, NULL },
	{ "a foreign domain that ends like ours", false, false, "x@evil-listed.example", RECIPIENT_RELAY_DENIED, 0, NULL },
	{ "a subdomain of ours", false, false, "x@sub.listed.example", RECIPIENT_RELAY_DENIED, 0, NULL },
	{ "a quoted address of ours in a foreign one", false, false, "\"alice@listed.example\"@foreign.example", RECIPIENT_RELAY_DENIED, 0, NULL },
	{ "the percent trick", false, false, "x%foreign.example@listed.example", RECIPIENT_UNKNOWN, 0, NULL },
	{ "an address literal", false, false, "x@[127.0.0.1]", RECIPIENT_RELAY_DENIED, 0, NULL },
	{ "one of us to a foreign domain", true, false, "x@foreign.example", RECIPIENT_ACCEPT, DIRECTION_OUTBOUND, "x@foreign.example" },
	{ "a relay client to a foreign domain", false, true, "x@foreign.example", RECIPIENT_ACCEPT, DIRECTION_RELAY, "x@foreign.example" },
	{ "a relay client to ours", false, true, "alice@listed.example", RECIPIENT_ACCEPT, DIRECTION_INBOUND, "alice@listed.example" },
	{ "no domain", false, false, "alice", RECIPIENT_MALFORMED, 0, NULL },
	{ "no local part", false, false, "@listed.example", RECIPIENT_MALFORMED, 0, NULL },
	{ "no domain behind the at", false, false, "alice@", RECIPIENT_MALFORMED, 0, NULL },
	{ "nothing", false, false, "", RECIPIENT_MALFORMED, 0, NULL },
};
/* clang-format on */

static void each_client_and_address_has_one_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t                       memory[1024];
		struct arena                  arena = arena_on(memory, sizeof memory);
		const struct recipient_client client = { .ours = rows[i].ours, .relay = rows[i].relay };
		struct recipient_decision     decision;

		assert_int_equal(recipient_decide(&config, &client, slice_str(rows[i].address), &arena, &decision), RC_OK);
		if (decision.answer != rows[i].answer)
			fail_msg("%s: answer %d", rows[i].name, decision.answer);
		if (rows[i].sent_to == NULL)
			continue;
		if (decision.direction != rows[i].direction || !slice_eq(decision.address, slice_str(rows[i].sent_to)))
			fail_msg("%s: %s, %.*s", rows[i].name, direction_word(decision.direction), (int)decision.address.len,
			         (const char *)decision.address.ptr);
	}
}

static void a_full_arena_is_an_answer(void **state)
{
	(void)state;
	uint8_t                       memory[4];
	struct arena                  arena = arena_on(memory, sizeof memory);
	const struct recipient_client client = { .ours = false };
	struct recipient_decision     decision;

	assert_int_equal(recipient_decide(&config, &client, SLICE("bob@alias.example"), &arena, &decision), RC_NOMEM);
}

static void an_account_sends_as_itself(void **state)
{
	(void)state;
	static const struct slice          addresses[] = { SLICE_INIT("alice@any.example"), SLICE_INIT("@team.example") };
	static const struct config_account account = { .addresses = addresses, .address_count = 2 };

	assert_true(account_may_send(&account, SLICE("")));
	assert_true(account_may_send(&account, SLICE("Alice@Any.Example")));
	assert_true(account_may_send(&account, SLICE("anyone@team.example")));
	assert_false(account_may_send(&account, SLICE("bob@any.example")));
	assert_false(account_may_send(&account, SLICE("x@sub.team.example")));
	assert_false(account_may_send(&account, SLICE("xalice@any.example")));
}

static void an_account_writes_in_its_own_name(void **state)
{
	struct slice own[] = { SLICE("alice@any.example"), SLICE("@team.example") };
	const struct config_account account = { .addresses = own, .address_count = 2 };
	const struct {
		const char       *name;
		struct slice      authors[2];
		size_t            count;
		enum finding_kind kind; /* FINDING_KINDS: nothing was found */
		int64_t           value;
		bool              may;
	} cases[] = {
		{ "its own address", { SLICE("alice@any.example") }, 1, FINDING_KINDS, 0, true },
		{ "one of its domain", { SLICE("x@TEAM.example") }, 1, FINDING_KINDS, 0, true },
		{ "two of its own", { SLICE("alice@any.example"), SLICE("x@team.example") }, 2, FINDING_HEADER_FROM_SEVERAL, 2, true },
		{ "no From at all", { SLICE("") }, 0, FINDING_HEADER_FROM_MISSING, 0, true },
		{ "something else is odd", { SLICE("alice@any.example") }, 1, FINDING_HEADER_DATE_MISSING, 0, true },
		{ "another's", { SLICE("admin@any.example") }, 1, FINDING_KINDS, 0, false },
		{ "its own, and another's", { SLICE("alice@any.example"), SLICE("admin@any.example") }, 2, FINDING_HEADER_FROM_SEVERAL, 2, false },
		{ "more than were kept", { SLICE("alice@any.example") }, 1, FINDING_HEADER_FROM_SEVERAL, 2, false },
		{ "two From fields", { SLICE("alice@any.example") }, 1, FINDING_HEADER_FROM_DUPLICATE, 2, false },
		{ "readers differ", { SLICE("alice@any.example") }, 1, FINDING_HEADER_FROM_AMBIGUOUS, 0, false },
		{ "nobody can read it", { SLICE("") }, 0, FINDING_HEADER_FROM_MALFORMED, 0, false },
		{ "no domain", { SLICE("") }, 0, FINDING_HEADER_FROM_NO_DOMAIN, 0, false },
		{ "one that was not kept", { SLICE("") }, 0, FINDING_KINDS, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct finding        finding = { .kind = cases[i].kind, .value = cases[i].value };
		const struct findings findings = { .list = &finding, .count = cases[i].kind == FINDING_KINDS ? 0 : 1,
			                           .facts = { .authors = cases[i].authors, .author_count = cases[i].count } };

		if (account_may_author(&account, &findings) != cases[i].may)
			fail_msg("%s", cases[i].name);
	}
}

/* What the scanner itself says of an address that it does not keep, or did not come to. */
static void an_author_that_is_not_kept_is_not_the_account(void **state)
{
	struct slice own[] = { SLICE("alice@any.example") };
	const struct config_account account = { .addresses = own, .address_count = 1 };
	const struct {
		const char *name, *local;
		size_t      pad;
		uint64_t    steps;
		bool        may;
	} cases[] = {
		{ "its own", "alice", 0, 1 << 30, true },
		{ "longer than is kept", "admin+", FACT_AUTHOR_MAX, 1 << 30, false },
		{ "with a byte that is no text", "admin\xff", 0, 1 << 30, false },
		{ "no steps were left for it", "admin", 70000, 1 << 16, false },
	};
	struct arena arena;

	(void)state;
	must(digest_ready() == RC_OK);
	must(arena_init(&arena, SCAN_ARENA_BYTES) == RC_OK);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct scan_options options = { .limits = SCAN_LIMITS_STANDARD };
		struct digest       engine;
		struct findings     findings;
		struct buf          message = buf_make(1 << 20);

		options.limits.steps = cases[i].steps;
		buf_printf(&message, "From: <%s", cases[i].local);
		for (size_t k = 0; k < cases[i].pad && cases[i].pad <= FACT_AUTHOR_MAX; k++)
			buf_put_byte(&message, 'x');
		buf_put_str(&message, "@any.example>\r\n\r\n");
		for (size_t k = 0; k < cases[i].pad; k += 10)
			buf_put_str(&message, "12345678\r\n");
		must(!message.failed);
		arena_reset(&arena);
		scan_engine_digest(&options, &engine);
		assert_int_equal(scan_message(buf_slice(&message), &options, &engine, &arena, &findings), RC_OK);
		if (account_may_author(&account, &findings) != cases[i].may)
			fail_msg("%s", cases[i].name);
		buf_done(&message);
	}
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_client_and_address_has_one_answer),
		cmocka_unit_test(a_full_arena_is_an_answer),
		cmocka_unit_test(an_account_writes_in_its_own_name),
		cmocka_unit_test(an_author_that_is_not_kept_is_not_the_account),
		cmocka_unit_test(an_account_sends_as_itself),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
