/* The seven kinds of values. Fields are written by memcpy, since the struct they stand in is known by offset only. */
#include "base/setting_value.h"

#include "base/num.h"

#define LIST_FIRST_ROOM 4u

struct unit {
	const char *suffix;
	uint64_t    factor;
};

/* Largest first: a number is shown in the first one that divides it. */
static const struct unit size_units[] = { { "G", UINT64_C(1) << 30 }, { "M", 1u << 20 }, { "K", 1u << 10 }, { "", 1 }, { NULL, 0 } };
static const struct unit time_units[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }, { NULL, 0 },
};

static void put_field(const struct setting *setting, void *item, const void *value, size_t size)
{
	memcpy((uint8_t *)item + setting->offset, value, size);
}

static enum rc in_range(const struct setting *setting, uint64_t number)
{
	return number < setting->min || number > setting->max ? RC_LIMIT : RC_OK;
}

/* Digits and one of the suffixes. A bare 0 needs none. */
static enum rc read_scaled(const struct setting *setting, const struct unit *units, struct slice text, uint64_t *out)
{
	struct slice  rest = text;
	uint64_t      number = 0;
	const enum rc rc = num_take(&rest, UINT64_MAX, &number);

	if (rc != RC_OK)
		return rc;
	for (; units->suffix != NULL; units++) {
		if (!slice_eq_nocase(rest, slice_str(units->suffix)) && !(number == 0 && rest.len == 0))
			continue;
		if (__builtin_mul_overflow(number, units->factor, &number))
			return RC_LIMIT;
		*out = number;
		return in_range(setting, number);
	}
	return RC_SYNTAX;
}

static enum rc read_number(const struct setting *setting, struct slice text, void *item)
{
	uint64_t number = 0;
	enum rc  rc;

	if (setting->kind == SETTING_SIZE)
		rc = read_scaled(setting, size_units, text, &number);
	else if (setting->kind == SETTING_DURATION)
		rc = read_scaled(setting, time_units, text, &number);
	else
		rc = num_u64(text, setting->max, &number);
	if (rc == RC_OK)
		rc = in_range(setting, number);
	if (rc == RC_OK)
		put_field(setting, item, &number, sizeof number);
	return rc;
}

static enum rc read_bool(const struct setting *setting, struct slice text, void *item)
{
	const bool yes = slice_eq(text, SLICE("yes"));

	if (!yes && !slice_eq(text, SLICE("no")))
		return RC_SYNTAX;
	put_field(setting, item, &yes, sizeof yes);
	return RC_OK;
}

static enum rc read_word(const struct setting *setting, struct slice text, void *item)
{
	for (uint32_t i = 0; setting->words[i] != NULL; i++) {
		if (slice_eq(text, slice_str(setting->words[i]))) {
			put_field(setting, item, &i, sizeof i);
			return RC_OK;
		}
	}
	return RC_SYNTAX;
}

static enum rc add_to_list(struct setting_list *list, struct setting_list_room *room, struct arena *arena, struct slice text)
{
	if (list->count == room->count) {
		const size_t  wanted = room->count == 0 ? LIST_FIRST_ROOM : room->count * 2;
		struct slice *items = arena_take(arena, wanted, sizeof *items);
		if (items == NULL)
			return RC_NOMEM;
		if (list->count != 0)
			memcpy(items, list->items, list->count * sizeof *items);
		*room = (struct setting_list_room){ .items = items, .count = wanted };
	}
	/* Set each time: after a line that was wrong the room is there, but not in the list. */
	list->items = room->items;
	room->items[list->count++] = text;
	return RC_OK;
}

static enum rc read_list(const struct setting *setting, struct slice text, struct arena *arena, void *item,
                         struct setting_list_room *room, struct slice *bad)
{
	struct setting_list list;

	memcpy(&list, (uint8_t *)item + setting->offset, sizeof list);
	while (text.len != 0) {
		const bool         more = slice_find(text, ',') != text.len;
		const struct slice entry = slice_trim(slice_until(&text, ','));
		if (entry.len == 0 || (more && slice_trim(text).len == 0))
			return RC_SYNTAX;
		if (list.count >= setting->max) {
			*bad = entry;
			return RC_LIMIT;
		}
		const enum rc rc = add_to_list(&list, room, arena, entry);
		if (rc != RC_OK)
			return rc;
	}
	put_field(setting, item, &list, sizeof list);
	return RC_OK;
}

enum rc setting_value_read(const struct setting *setting, struct slice text, struct arena *arena, void *item,
                           struct setting_list_room *list_room, struct slice *bad)
{
	*bad = text;
	for (size_t i = 0; i < text.len; i++) {
		if ((text.ptr[i] < ' ' && text.ptr[i] != '\t') || text.ptr[i] == 0x7f) {
			*bad = slice_cut(text, i, 1);
			return RC_SYNTAX;
		}
	}
	switch (setting->kind) {
	case SETTING_BOOL:
		return read_bool(setting, text, item);
	case SETTING_NUMBER:
	case SETTING_SIZE:
	case SETTING_DURATION:
		return read_number(setting, text, item);
	case SETTING_WORD:
		return read_word(setting, text, item);
	case SETTING_TEXT:
		if (in_range(setting, text.len) != RC_OK)
			return RC_LIMIT;
		put_field(setting, item, &text, sizeof text);
		return RC_OK;
	case SETTING_LIST:
		return read_list(setting, text, arena, item, list_room, bad);
	}
	return RC_UNSUPPORTED;
}

static void put_scaled(struct buf *out, const struct unit *units, uint64_t number)
{
	if (number == 0) {
		buf_put_byte(out, '0');
		return;
	}
	while (number % units->factor != 0)
		units++;
	buf_put_u64(out, number / units->factor);
	buf_put_str(out, units->suffix);
}

static void put_range(struct buf *out, const struct setting *setting, const struct unit *units)
{
	buf_put_str(out, "from ");
	put_scaled(out, units, setting->min);
	buf_put_str(out, " to ");
	put_scaled(out, units, setting->max);
}

static void put_count(struct buf *out, const struct setting *setting, const char *one, const char *many)
{
	if (setting->min == setting->max)
		buf_put_str(out, "exactly ");
	else if (setting->min == 0)
		buf_put_str(out, "at most ");
	else {
		buf_put_u64(out, setting->min);
		buf_put_str(out, " to ");
	}
	buf_put_u64(out, setting->max);
	buf_put_byte(out, ' ');
	buf_put_str(out, setting->max == 1 ? one : many);
}

void setting_value_expected(const struct setting *setting, struct buf *out)
{
	/* Plain numbers are shown whole. */
	static const struct unit plain[] = { { "", 1 }, { NULL, 0 } };

	switch (setting->kind) {
	case SETTING_BOOL:
		buf_put_str(out, "yes or no");
		return;
	case SETTING_NUMBER:
		buf_put_str(out, "a number ");
		put_range(out, setting, plain);
		return;
	case SETTING_SIZE:
		buf_put_str(out, "a size such as 50M, ");
		put_range(out, setting, size_units);
		return;
	case SETTING_DURATION:
		buf_put_str(out, "a duration such as 500ms, 30s, 5m, 4h or 5d, ");
		put_range(out, setting, time_units);
		return;
	case SETTING_WORD:
		buf_put_str(out, "one of the words ");
		for (size_t i = 0; setting->words[i] != NULL; i++) {
			buf_put_str(out, i == 0 ? "" : ", ");
			buf_put_str(out, setting->words[i]);
		}
		return;
	case SETTING_TEXT:
		buf_put_str(out, "text of ");
		put_count(out, setting, "byte", "bytes");
		return;
	case SETTING_LIST:
		buf_put_str(out, "a list of ");
		put_count(out, setting, "value", "values");
		buf_put_str(out, ", separated by commas");
		return;
	}
}
