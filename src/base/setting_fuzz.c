/* Settings files: any bytes end in an answer, and what was read lies within the bounds of the tables. */
#include "base/must.h"
#include "base/setting.h"

struct thing {
	struct slice        name;
	bool                flag;
	uint64_t            number, size, wait;
	uint32_t            word;
	struct slice        text;
	struct setting_list list;
};

static const char *const words[] = { "one", "two", NULL };

#define FIELD(member) .offset = offsetof(struct thing, member)

/* clang-format off */
static const struct setting settings[] = {
	{ .key = "flag", .kind = SETTING_BOOL, FIELD(flag), .standard = "no", .help = "" },
	{ .key = "number", .kind = SETTING_NUMBER, FIELD(number), .min = 3, .max = 99, .standard = "3", .help = "" },
	{ .key = "size", .kind = SETTING_SIZE, FIELD(size), .min = 1, .max = 1u << 30, .standard = "1", .help = "" },
	{ .key = "wait", .kind = SETTING_DURATION, FIELD(wait), .min = 0, .max = 86400000, .standard = "0", .help = "" },
	{ .key = "word", .kind = SETTING_WORD, FIELD(word), .words = words, .standard = "two", .help = "" },
	{ .key = "text", .kind = SETTING_TEXT, FIELD(text), .min = 0, .max = 9, .standard = "", .help = "" },
	{ .key = "list", .kind = SETTING_LIST, FIELD(list), .min = 1, .max = 5, .standard = "x", .help = "" },
	{ .key = NULL },
};
/* clang-format on */

static const struct setting_section sections[] = {
	{ .name = "one", .settings = settings, .size = sizeof(struct thing), .max = 1, .help = "" },
	{ .name = "many", .named = true, .settings = settings, .size = sizeof(struct thing), .max = 3, .help = "" },
};

static void check(const struct thing *thing)
{
	must(thing->number >= 3 && thing->number <= 99);
	must(thing->size >= 1 && thing->size <= 1u << 30);
	must(thing->wait <= 86400000);
	must(thing->word < 2);
	must(thing->text.len <= 9);
	must(thing->list.count >= 1 && thing->list.count <= 5);
	for (size_t i = 0; i < thing->list.count; i++)
		must(thing->list.items[i].len != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t        memory[64u << 10] __attribute__((aligned(16)));
	struct arena          arena = arena_on(memory, sizeof memory);
	struct setting_values values;
	struct setting_error  errors[SETTING_ERRORS_MAX];
	size_t                error_count = 0;
	const enum rc         rc = setting_read(slice_of(data, size), sections, 2, &arena, &values, errors, SETTING_ERRORS_MAX, &error_count);

	must(rc == RC_OK || rc == RC_SYNTAX || rc == RC_NOMEM || rc == RC_LIMIT);
	must((rc == RC_SYNTAX) == (error_count != 0) || rc == RC_NOMEM);
	for (size_t i = 0; i < error_count; i++)
		must(errors[i].text != NULL && errors[i].column >= 1 && errors[i].column <= size + 1);
	if (rc != RC_OK)
		return 0;
	must(values.sections[0].count == 1 && values.sections[1].count <= 3);
	for (size_t kind = 0; kind < 2; kind++) {
		const struct thing *things = values.sections[kind].items;
		for (size_t i = 0; i < values.sections[kind].count; i++)
			check(&things[i]);
	}
	return 0;
}
