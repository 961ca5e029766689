/* The built-in table and what the settings make of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/dispose.h"

static struct disposition dispose(const struct policy_settings *settings, enum policy_direction direction,
                                  bool postmaster, const enum finding_kind *kinds, size_t count)
{
	struct finding             list[8] = { { .value = 0 } };
	const struct findings      findings = { .list = list, .count = count };
	const struct dispose_query query = { .direction = direction, .postmaster = postmaster };
	struct disposition         out;

	for (size_t i = 0; i < count; i++)
		list[i] = (struct finding){ .kind = kinds[i], .value = 5 };
	policy_dispose(settings, &query, &findings, &out);
	return out;
}

#define NONE FINDING_KINDS

struct row {
	const char           *name;
	enum policy_direction direction;
	bool                  postmaster;
	enum finding_kind     kinds[3];
	size_t                count;
	enum policy_action    action;
	enum mail_class       mail_class;
	enum finding_kind     reason;
	uint32_t              code;
};

static const struct row rows[] = {
	{ "nothing found", POLICY_INBOUND, false, { NONE }, 0, POLICY_DELIVER, MAIL_CLASS_CLEAN, NONE, 0 },
	{ "something harmless",
	  POLICY_INBOUND,
	  false,
	  { FINDING_HEADER_DATE_MISSING },
	  1,
	  POLICY_DELIVER,
	  MAIL_CLASS_CLEAN,
	  NONE,
	  0 },
	{ "EICAR",
	  POLICY_INBOUND,
	  false,
	  { FINDING_CONTENT_EICAR },
	  1,
	  POLICY_HOLD,
	  MAIL_CLASS_MALWARE,
	  FINDING_CONTENT_EICAR,
	  0 },
	{ "EICAR going out",
	  POLICY_OUTBOUND,
	  false,
	  { FINDING_CONTENT_EICAR },
	  1,
	  POLICY_HOLD,
	  MAIL_CLASS_MALWARE,
	  FINDING_CONTENT_EICAR,
	  0 },
	{ "EICAR to postmaster",
	  POLICY_INBOUND,
	  true,
	  { FINDING_CONTENT_EICAR },
	  1,
	  POLICY_HOLD,
	  MAIL_CLASS_MALWARE,
	  FINDING_CONTENT_EICAR,
	  0 },
	{ "GTUBE",
	  POLICY_INBOUND,
	  false,
	  { FINDING_CONTENT_GTUBE },
	  1,
	  POLICY_REJECT,
	  MAIL_CLASS_SPAM,
	  FINDING_CONTENT_GTUBE,
	  554 },
	{ "GTUBE to postmaster",
	  POLICY_INBOUND,
	  true,
	  { FINDING_CONTENT_GTUBE },
	  1,
	  POLICY_DELIVER,
	  MAIL_CLASS_CLEAN,
	  NONE,
	  0 },
	{ "a program",
	  POLICY_INTERNAL,
	  false,
	  { FINDING_NAME_EXECUTABLE },
	  1,
	  POLICY_HOLD,
	  MAIL_CLASS_MALWARE,
	  FINDING_NAME_EXECUTABLE,
	  0 },
	{ "a double ending decides over the program",
	  POLICY_INBOUND,
	  false,
	  { FINDING_NAME_EXECUTABLE, FINDING_NAME_DOUBLE },
	  2,
	  POLICY_HOLD,
	  MAIL_CLASS_MALWARE,
	  FINDING_NAME_DOUBLE,
	  0 },
	{ "an unclear author",
	  POLICY_INBOUND,
	  false,
	  { FINDING_HEADER_FROM_AMBIGUOUS },
	  1,
	  POLICY_HOLD,
	  MAIL_CLASS_SPOOF,
	  FINDING_HEADER_FROM_AMBIGUOUS,
	  0 },
	{ "an unclear author of our own",
	  POLICY_OUTBOUND,
	  false,
	  { FINDING_HEADER_FROM_AMBIGUOUS },
	  1,
	  POLICY_TAG,
	  MAIL_CLASS_SPOOF,
	  FINDING_HEADER_FROM_AMBIGUOUS,
	  0 },
	{ "a loop",
	  POLICY_INBOUND,
	  false,
	  { FINDING_HEADER_RECEIVED_MANY },
	  1,
	  POLICY_REJECT,
	  MAIL_CLASS_POLICY,
	  FINDING_HEADER_RECEIVED_MANY,
	  554 },
	{ "a loop to postmaster",
	  POLICY_INBOUND,
	  true,
	  { FINDING_HEADER_RECEIVED_MANY },
	  1,
	  POLICY_REJECT,
	  MAIL_CLASS_POLICY,
	  FINDING_HEADER_RECEIVED_MANY,
	  554 },
	{ "the strongest of three",
	  POLICY_INBOUND,
	  false,
	  { FINDING_MIME_FIELD_DUPLICATE, FINDING_CONTENT_GTUBE, FINDING_CONTENT_EICAR },
	  3,
	  POLICY_REJECT,
	  MAIL_CLASS_SPAM,
	  FINDING_CONTENT_GTUBE,
	  554 },
	{ "a header not read to its end",
	  POLICY_RELAY,
	  false,
	  { FINDING_LIMIT_HEADER_FIELDS },
	  1,
	  POLICY_REJECT,
	  MAIL_CLASS_POLICY,
	  FINDING_LIMIT_HEADER_FIELDS,
	  552 },
	{ "the same to postmaster",
	  POLICY_INBOUND,
	  true,
	  { FINDING_LIMIT_HEADER_FIELDS },
	  1,
	  POLICY_REJECT,
	  MAIL_CLASS_POLICY,
	  FINDING_LIMIT_HEADER_FIELDS,
	  552 },
};

static void test_rows(void **state)
{
	const struct policy_settings settings = policy_settings_standard();

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row        *row = &rows[i];
		const struct disposition out =
			dispose(&settings, row->direction, row->postmaster, row->kinds, row->count);
		if (out.action != row->action || out.mail_class != row->mail_class || out.reason != row->reason ||
		    out.code != row->code)
			fail_msg("%s: %s %s %u", row->name, policy_action_word(out.action),
			         mail_class_word(out.mail_class), out.code);
		assert_int_equal(out.cause, row->reason == NONE ? POLICY_CAUSE_NONE : POLICY_CAUSE_FINDING);
		assert_int_equal(out.text.len != 0, out.action == POLICY_REJECT);
		assert_int_equal(disposition_reason(&out).len != 0, row->reason != NONE);
	}
}

/* Our own name counts from the third time on. */
static void test_own_received(void **state)
{
	const struct policy_settings settings = policy_settings_standard();
	const struct dispose_query   query = { .direction = POLICY_INBOUND };

	(void)state;
	for (int64_t count = 1; count <= 4; count++) {
		const struct finding  finding = { .kind = FINDING_HEADER_RECEIVED_OWN, .value = count };
		const struct findings findings = { .list = &finding, .count = 1 };
		struct disposition    out;
		policy_dispose(&settings, &query, &findings, &out);
		assert_int_equal(out.action, count < 3 ? POLICY_DELIVER : POLICY_REJECT);
		assert_true(count < 3 || slice_eq(out.enhanced, SLICE("5.4.6")));
	}
}

static void test_settings(void **state)
{
	static const enum finding_kind eicar[] = { FINDING_CONTENT_EICAR }, program[] = { FINDING_NAME_EXECUTABLE },
				       header[] = { FINDING_LIMIT_HEADER_BYTES };
	struct policy_section plain = { .choices = { 0 } },
			      directions[2] = { { .name = SLICE("outbound") }, { .name = SLICE("x") } };
	struct scan_section    scan = { .on_scan_failure = SCAN_FAILURE_HOLD,
		                        .header_bytes = 1 << 18,
		                        .header_fields = 1000,
		                        .parts = 500,
		                        .nesting = 20,
		                        .received = 50,
		                        .deadline_ms = 1000 };
	struct policy_settings settings;
	struct disposition     out;
	size_t                 bad = 99;

	(void)state;
	plain.choices[POLICY_GROUP_MALWARE] = POLICY_CHOICE_REJECT;
	plain.choices[POLICY_GROUP_EXECUTABLE] = POLICY_CHOICE_NONE;
	plain.choices[POLICY_GROUP_LIMIT] = POLICY_CHOICE_NONE;
	directions[0].choices[POLICY_GROUP_EXECUTABLE] = POLICY_CHOICE_DISCARD;
	assert_int_equal(policy_settings_join(&plain, directions, 1, &scan, &settings, &bad), RC_OK);
	assert_int_equal(settings.limits.parts, 500);
	assert_int_equal(settings.limits.depth, 20);
	out = dispose(&settings, POLICY_INBOUND, false, eicar, 1);
	assert_int_equal(out.action, POLICY_REJECT);
	assert_int_equal(out.code, 554);
	assert_int_equal(dispose(&settings, POLICY_INBOUND, false, program, 1).action, POLICY_DELIVER);
	assert_int_equal(dispose(&settings, POLICY_OUTBOUND, false, program, 1).action, POLICY_DISCARD);
	/* What may hold fields that nobody cut is never delivered, whatever the settings say. */
	assert_int_equal(dispose(&settings, POLICY_INBOUND, false, header, 1).action, POLICY_REJECT);
	policy_dispose_unscanned(&settings, &out);
	assert_int_equal(out.action, POLICY_HOLD);
	assert_int_equal(policy_settings_join(&plain, directions, 2, &scan, &settings, &bad), RC_SYNTAX);
	assert_int_equal(bad, 1);
	directions[1].name = SLICE("outbound");
	assert_int_equal(policy_settings_join(&plain, directions, 2, &scan, &settings, &bad), RC_SYNTAX);
}

static void test_without_scan(void **state)
{
	struct policy_settings settings = policy_settings_standard();
	struct disposition     out;

	(void)state;
	policy_dispose_unscanned(&settings, &out);
	assert_int_equal(out.action, POLICY_REJECT);
	assert_int_equal(out.code, 451);
	assert_true(slice_eq(disposition_reason(&out), SLICE("unscanned")));
	settings.on_scan_failure = SCAN_FAILURE_PASS;
	policy_dispose_unscanned(&settings, &out);
	assert_int_equal(out.action, POLICY_DELIVER);
	assert_int_equal(out.cause, POLICY_CAUSE_UNSCANNED);
	policy_dispose_unscannable(&out);
	assert_int_equal(out.action, POLICY_HOLD);
	assert_true(slice_eq(disposition_reason(&out), SLICE("unscannable")));
}

/* Every kind has words, every action of the table is lawful, and a refusal always has its reply. */
static void test_table(void **state)
{
	const struct policy_settings settings = policy_settings_standard();

	(void)state;
	for (unsigned kind = 0; kind < FINDING_KINDS; kind++) {
		for (unsigned direction = 0; direction < POLICY_DIRECTIONS; direction++) {
			const enum finding_kind  kinds[] = { (enum finding_kind)kind };
			const struct disposition out =
				dispose(&settings, (enum policy_direction)direction, false, kinds, 1);
			assert_int_equal(out.action, policy_action_of(kinds[0], (enum policy_direction)direction));
			assert_int_equal(out.action == POLICY_REJECT, out.code != 0);
			for (size_t i = 0; i < out.text.len; i++)
				assert_true(byte_is_print(out.text.ptr[i]));
		}
	}
	assert_string_equal(mail_class_word(MAIL_CLASSES), "unknown");
	assert_string_equal(policy_action_word(POLICY_ACTIONS), "unknown");
	assert_string_equal(mail_class_word(MAIL_CLASS_BEC), "bec");
}

/* The standard values of the table of keys are those of an empty file. */
static void test_keys(void **state)
{
	static const struct setting_section sections[] = {
		{ .name = "policy", .settings = policy_rule_settings, .size = sizeof(struct policy_section), .max = 1 },
		{ .name = "policy_for",
		  .named = true,
		  .settings = policy_rule_settings,
		  .size = sizeof(struct policy_section),
		  .max = 4 },
		{ .name = "scan", .settings = policy_scan_settings, .size = sizeof(struct scan_section), .max = 1 },
	};
	struct arena           arena;
	struct setting_values  values;
	struct setting_error   errors[4];
	size_t                 count = 0, bad;
	struct policy_settings joined, standard = policy_settings_standard();

	(void)state;
	assert_int_equal(arena_init(&arena, 1 << 16), RC_OK);
	assert_int_equal(setting_read(SLICE("[policy_for inbound]\non_malware = reject\n[scan]\nparts = 7\n"), sections,
	                              3, &arena, &values, errors, 4, &count),
	                 RC_OK);
	assert_int_equal(policy_settings_join(values.sections[0].items, values.sections[1].items,
	                                      values.sections[1].count, values.sections[2].items, &joined, &bad),
	                 RC_OK);
	assert_int_equal(joined.choices[POLICY_INBOUND][POLICY_GROUP_MALWARE], POLICY_CHOICE_REJECT);
	joined.choices[POLICY_INBOUND][POLICY_GROUP_MALWARE] = POLICY_CHOICE_STANDARD;
	assert_int_equal(joined.limits.parts, 7);
	assert_int_equal(joined.limits.header_bytes, standard.limits.header_bytes);
	assert_int_equal(joined.limits.header_fields, standard.limits.header_fields);
	assert_int_equal(joined.limits.depth, standard.limits.depth);
	assert_int_equal(joined.limits.parameters, standard.limits.parameters);
	assert_int_equal(joined.limits.steps, standard.limits.steps);
	assert_int_equal(joined.limits.decoded_bytes, standard.limits.decoded_bytes);
	assert_int_equal(joined.limits.received, standard.limits.received);
	for (unsigned direction = 0; direction < POLICY_DIRECTIONS; direction++) {
		for (unsigned group = 0; group < POLICY_GROUPS; group++)
			assert_int_equal(joined.choices[direction][group], standard.choices[direction][group]);
	}
	assert_int_equal(joined.deadline_ms, standard.deadline_ms);
	assert_int_equal(joined.on_scan_failure, standard.on_scan_failure);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),     cmocka_unit_test(test_own_received),
		cmocka_unit_test(test_settings), cmocka_unit_test(test_without_scan),
		cmocka_unit_test(test_table),    cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
