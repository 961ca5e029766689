/*
 * The reader of settings files. It goes over the text twice: once to count the headings, so that the structs of a kind can
 * stand in one array, and once to fill them. It goes on after an error, so that one run of a check names all of them.
 */
#include "base/setting.h"

#include "base/map.h"
#include "base/must.h"
#include "base/setting_value.h"

#define ERROR_TEXT_MAX   512u
#define KIND_NONE        SIZE_MAX
#define GUESS_DISTANCE   2u  /* letters by which a misspelt word may differ from the one suggested */
#define GUESS_BYTES_MAX  40u

struct reader {
	const struct setting_section *sections;
	size_t                        count;
	struct arena                 *arena;
	struct setting_values        *out;
	struct setting_error         *errors;
	size_t                        errors_max;
	size_t                        errors_count;
	struct map                   *names;        /* "kind name" of each named section met */
	enum rc                       rc;           /* sticks: RC_NOMEM */
	size_t                        room[SETTING_SECTION_KINDS_MAX];
	size_t                       *lines[SETTING_SECTION_KINDS_MAX];

	/* the line being read */
	struct slice line;
	size_t       line_number;

	/* the section being read; KIND_NONE before the first heading and below one that is wrong */
	size_t                   kind;
	bool                     skipping;
	void                    *item;
	struct slice             heading;
	size_t                   heading_line;
	size_t                   given[SETTING_KEYS_MAX]; /* line of each key, 0: not given */
	struct setting_list_room lists[SETTING_KEYS_MAX];
};

struct heading {
	struct slice word;
	struct slice name;
};

/* Note an error at `found`, which lies in the current line; an empty one stands for the line as a whole. */
static void report(struct reader *r, size_t line, struct slice found, bool secret, const char *text)
{
	if (r->errors_count == r->errors_max)
		return;
	size_t column = 1;
	if (found.len != 0 && line == r->line_number && found.ptr >= r->line.ptr)
		column = (size_t)(found.ptr - r->line.ptr) + 1;
	r->errors[r->errors_count++] = (struct setting_error){
		.line = line,
		.column = column,
		.text = text,
		.found = secret ? slice_of(NULL, 0) : found,
	};
}

/* The same with a text that was put together; takes the buf. */
static void report_buf(struct reader *r, size_t line, struct slice found, bool secret, struct buf *text)
{
	const char *copy = NULL;

	if (text->failed || arena_cstr(r->arena, buf_slice(text), &copy) != RC_OK)
		r->rc = RC_NOMEM;
	else
		report(r, line, found, secret, copy);
	buf_done(text);
}

/* Levenshtein's distance, for words short enough to be keys; a long one is far from everything. */
static size_t distance(struct slice a, struct slice b)
{
	size_t row[GUESS_BYTES_MAX + 1];

	if (a.len > GUESS_BYTES_MAX || b.len > GUESS_BYTES_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t best = diagonal + (byte_lower(a.ptr[i - 1]) != byte_lower(b.ptr[j - 1]));
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b.len];
}

static void put_heading(struct buf *text, const struct setting_section *section)
{
	buf_put_byte(text, '[');
	buf_put_str(text, section->name);
	buf_put_str(text, section->named ? " NAME]" : "]");
}

static void report_unknown_section(struct reader *r, struct slice word)
{
	struct buf text = buf_make(ERROR_TEXT_MAX);
	size_t     best = GUESS_DISTANCE + 1, guess = KIND_NONE;

	for (size_t i = 0; i < r->count; i++) {
		const size_t far = distance(word, slice_str(r->sections[i].name));
		if (far < best) {
			best = far;
			guess = i;
		}
	}
	buf_put_str(&text, "expected ");
	if (guess != KIND_NONE) {
		buf_put_str(&text, "perhaps ");
		put_heading(&text, &r->sections[guess]);
	} else {
		for (size_t i = 0; i < r->count; i++) {
			buf_put_str(&text, i == 0 ? "one of " : ", ");
			put_heading(&text, &r->sections[i]);
		}
	}
	report_buf(r, r->line_number, word, false, &text);
}

static void report_unknown_key(struct reader *r, struct slice key)
{
	const struct setting_section *section = &r->sections[r->kind];
	const struct setting         *guess = NULL;
	struct buf                    text = buf_make(ERROR_TEXT_MAX);
	size_t                        best = GUESS_DISTANCE + 1;

	for (const struct setting *s = section->settings; s->key != NULL; s++) {
		const size_t far = distance(key, slice_str(s->key));
		if (far < best) {
			best = far;
			guess = s;
		}
	}
	buf_put_str(&text, "expected a key of ");
	put_heading(&text, section);
	if (guess != NULL) {
		buf_put_str(&text, ", perhaps ");
		buf_put_str(&text, guess->key);
	}
	report_buf(r, r->line_number, key, false, &text);
}

/* The line without its comment, trimmed: "#" begins one at the front of the line or after white space. */
static struct slice without_comment(struct slice line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (line.ptr[i] == '#' && (i == 0 || byte_is_wsp(line.ptr[i - 1])))
			return slice_trim(slice_take(line, i));
	}
	return slice_trim(line);
}

/* Take the next line off *rest. False at the end of the text. */
static bool next_line(struct slice *rest, struct slice *line)
{
	if (rest->len == 0)
		return false;
	*line = slice_until(rest, '\n');
	if (slice_last(*line) == '\r')
		*line = slice_take(*line, line->len - 1);
	return true;
}

static bool is_heading(struct slice content)
{
	return slice_at(content, 0) == '[';
}

/* "[word]" or "[word name]". RC_SYNTAX: something else. */
static enum rc parse_heading(struct slice content, struct heading *out)
{
	struct heading heading;

	if (!slice_ends(content, SLICE("]")))
		return RC_SYNTAX;
	struct slice inside = slice_trim(slice_cut(content, 1, content.len - 2));
	size_t       at = 0;
	while (at < inside.len && !byte_is_wsp(inside.ptr[at]))
		at++;
	heading.word = slice_take(inside, at);
	heading.name = slice_trim(slice_drop(inside, at));
	if (heading.word.len == 0 || heading.name.len > SETTING_NAME_MAX)
		return RC_SYNTAX;
	for (size_t i = 0; i < heading.name.len; i++) {
		const uint8_t byte = heading.name.ptr[i];
		if (byte <= ' ' || byte > '~' || byte == '[' || byte == ']')
			return RC_SYNTAX;
	}
	*out = heading;
	return RC_OK;
}

static size_t kind_of(const struct reader *r, struct slice word)
{
	for (size_t i = 0; i < r->count; i++) {
		if (slice_eq(word, slice_str(r->sections[i].name)))
			return i;
	}
	return KIND_NONE;
}

/* The first pass: make the arrays, as long as there are headings of their kind and not longer than its bound. */
static enum rc make_room(struct reader *r, struct slice text)
{
	struct slice   line;
	struct heading heading;

	while (next_line(&text, &line)) {
		const struct slice content = without_comment(line);
		if (!is_heading(content) || parse_heading(content, &heading) != RC_OK)
			continue;
		const size_t kind = kind_of(r, heading.word);
		if (kind != KIND_NONE && r->room[kind] < r->sections[kind].max)
			r->room[kind]++;
	}
	for (size_t i = 0; i < r->count; i++) {
		const struct setting_section *section = &r->sections[i];
		if (!section->named)
			r->room[i] = 1;
		if (r->room[i] == 0)
			continue;
		r->out->sections[i].items = arena_take(r->arena, r->room[i], section->size);
		r->lines[i] = arena_take(r->arena, r->room[i], sizeof *r->lines[i]);
		if (r->out->sections[i].items == NULL || r->lines[i] == NULL)
			return RC_NOMEM;
		r->out->sections[i].lines = r->lines[i];
		r->out->sections[i].count = section->named ? 0 : 1;
	}
	return RC_OK;
}

/* A list may be repeated, so only the end of its section says whether it is long enough. */
static void finish_list(struct reader *r, const struct setting *setting, size_t index)
{
	struct setting_list list;

	if (setting->kind != SETTING_LIST)
		return;
	memcpy(&list, (const uint8_t *)r->item + setting->offset, sizeof list);
	if (list.count >= setting->min)
		return;
	struct buf text = buf_make(ERROR_TEXT_MAX);
	buf_put_str(&text, "expected ");
	setting_value_expected(setting, &text);
	report_buf(r, r->given[index], slice_of(NULL, 0), setting->secret, &text);
}

/* Give the keys that were not written their standard values, and miss those that have none. */
static void finish_section(struct reader *r)
{
	if (r->kind == KIND_NONE)
		return;
	const struct setting_section *section = &r->sections[r->kind];
	for (size_t i = 0; section->settings[i].key != NULL && r->rc == RC_OK; i++) {
		const struct setting *setting = &section->settings[i];
		if (r->given[i] != 0) {
			finish_list(r, setting, i);
			continue;
		}
		if (setting->standard == NULL) {
			struct buf text = buf_make(ERROR_TEXT_MAX);
			buf_put_str(&text, "expected the key ");
			buf_put_str(&text, setting->key);
			buf_put_str(&text, " in ");
			put_heading(&text, section);
			report_buf(r, r->heading_line, r->heading, false, &text);
			continue;
		}
		struct slice  bad;
		const enum rc rc = setting_value_read(setting, slice_str(setting->standard), r->arena, r->item, &r->lists[i], &bad);
		must(rc == RC_OK || rc == RC_NOMEM); /* a standard value that its own bounds refuse is our mistake */
		if (rc == RC_NOMEM)
			r->rc = RC_NOMEM;
	}
	r->kind = KIND_NONE;
}

static void begin_section(struct reader *r, size_t kind, size_t index, struct slice heading, size_t line)
{
	const struct setting_section *section = &r->sections[kind];
	size_t                        keys = 0;

	while (section->settings[keys].key != NULL)
		keys++;
	must(keys <= SETTING_KEYS_MAX);
	r->kind = kind;
	r->skipping = false;
	r->item = (uint8_t *)r->out->sections[kind].items + index * section->size;
	r->heading = heading;
	r->heading_line = line;
	r->lines[kind][index] = line;
	memset(r->given, 0, sizeof r->given);
	memset(r->lists, 0, sizeof r->lists);
}

/* RC_EXISTS when a section of this kind and name was there already. */
static enum rc note_name(struct reader *r, size_t kind, struct slice name)
{
	uint8_t key[1 + SETTING_NAME_MAX];

	key[0] = (uint8_t)kind;
	memcpy(key + 1, name.ptr, name.len);
	return map_add(r->names, slice_of(key, 1 + name.len), r->names);
}

static void read_named_heading(struct reader *r, size_t kind, const struct heading *heading)
{
	const size_t index = r->out->sections[kind].count;

	if (heading->name.len == 0) {
		report(r, r->line_number, heading->word, false, "expected a name behind the word, as in [listener internet]");
		return;
	}
	const enum rc rc = note_name(r, kind, heading->name);
	if (rc == RC_EXISTS) {
		report(r, r->line_number, heading->name, false, "expected another name: there is such a section already");
		return;
	}
	if (rc != RC_OK || index == r->room[kind]) {
		struct buf text = buf_make(ERROR_TEXT_MAX);
		buf_put_str(&text, "expected at most ");
		buf_put_u64(&text, r->sections[kind].max);
		buf_put_str(&text, " sections ");
		put_heading(&text, &r->sections[kind]);
		report_buf(r, r->line_number, heading->word, false, &text);
		return;
	}
	r->out->sections[kind].count++;
	begin_section(r, kind, index, heading->word, r->line_number);
	memcpy(r->item, &heading->name, sizeof heading->name);
}

static void read_heading(struct reader *r, struct slice content)
{
	struct heading heading;

	finish_section(r);
	r->skipping = true;
	if (parse_heading(content, &heading) != RC_OK) {
		report(r, r->line_number, content, false, "expected a heading such as [gateway] or [listener internet]");
		return;
	}
	const size_t kind = kind_of(r, heading.word);
	if (kind == KIND_NONE) {
		report_unknown_section(r, heading.word);
		return;
	}
	if (r->sections[kind].named) {
		read_named_heading(r, kind, &heading);
		return;
	}
	if (heading.name.len != 0) {
		report(r, r->line_number, heading.name, false, "expected no name in this heading");
		return;
	}
	if (r->lines[kind][0] != 0) {
		report(r, r->line_number, heading.word, false, "expected this section once");
		return;
	}
	begin_section(r, kind, 0, heading.word, r->line_number);
}

static void report_value(struct reader *r, const struct setting *setting, struct slice bad)
{
	struct buf text = buf_make(ERROR_TEXT_MAX);

	buf_put_str(&text, "expected ");
	setting_value_expected(setting, &text);
	report_buf(r, r->line_number, bad, setting->secret, &text);
}

static void read_value(struct reader *r, size_t index, struct slice key, struct slice value)
{
	const struct setting *setting = &r->sections[r->kind].settings[index];
	struct slice          bad;

	if (r->given[index] != 0 && setting->kind != SETTING_LIST) {
		struct buf text = buf_make(ERROR_TEXT_MAX);
		buf_put_str(&text, "expected this key once; it stands on line ");
		buf_put_u64(&text, r->given[index]);
		report_buf(r, r->line_number, key, false, &text);
		return;
	}
	r->given[index] = r->line_number;
	const enum rc rc = setting_value_read(setting, value, r->arena, r->item, &r->lists[index], &bad);
	if (rc == RC_NOMEM)
		r->rc = RC_NOMEM;
	else if (rc != RC_OK)
		report_value(r, setting, bad.len != 0 ? bad : value.len != 0 ? value : key);
}

static void read_key(struct reader *r, struct slice content)
{
	const size_t equals = slice_find(content, '=');

	if (r->kind == KIND_NONE) {
		if (!r->skipping)
			report(r, r->line_number, content, false, "expected a heading such as [gateway] before the first key");
		r->skipping = true;
		return;
	}
	if (equals == content.len) {
		report(r, r->line_number, content, true, "expected key = value");
		return;
	}
	const struct slice key = slice_trim(slice_take(content, equals));
	const struct slice value = slice_trim(slice_drop(content, equals + 1));
	for (size_t i = 0; r->sections[r->kind].settings[i].key != NULL; i++) {
		if (slice_eq(key, slice_str(r->sections[r->kind].settings[i].key))) {
			read_value(r, i, key, value);
			return;
		}
	}
	report_unknown_key(r, key.len != 0 ? key : content);
}

/* Unnamed sections that the file does not have get their standard values. */
static void finish_absent(struct reader *r)
{
	for (size_t i = 0; i < r->count; i++) {
		if (r->sections[i].named || r->lines[i][0] != 0)
			continue;
		begin_section(r, i, 0, slice_of(NULL, 0), 0);
		finish_section(r);
	}
}

static enum rc read_all(struct reader *r, struct slice text)
{
	while (r->rc == RC_OK && r->errors_count < r->errors_max && next_line(&text, &r->line)) {
		r->line_number++;
		if (r->line.len > SETTING_LINE_MAX) {
			report(r, r->line_number, slice_of(NULL, 0), false, "expected a shorter line: lists may go on by repeating the key");
			continue;
		}
		const struct slice content = without_comment(r->line);
		if (is_heading(content))
			read_heading(r, content);
		else if (content.len != 0)
			read_key(r, content);
	}
	finish_section(r);
	finish_absent(r);
	if (r->rc != RC_OK)
		return r->rc;
	return r->errors_count == 0 ? RC_OK : RC_SYNTAX;
}

static size_t names_max(const struct setting_section *sections, size_t count)
{
	size_t sum = 1;

	for (size_t i = 0; i < count; i++)
		sum += sections[i].named ? sections[i].max : 0;
	return sum;
}

enum rc setting_read(struct slice text, const struct setting_section *sections, size_t count, struct arena *arena,
                     struct setting_values *out, struct setting_error *errors, size_t errors_max, size_t *error_count)
{
	must(count <= SETTING_SECTION_KINDS_MAX);
	must(errors_max != 0);

	*error_count = 0;
	if (text.len > SETTING_FILE_MAX)
		return RC_LIMIT;
	/* Some editors put a byte order mark in front of UTF-8. */
	if (slice_starts(text, SLICE("\xef\xbb\xbf")))
		text = slice_drop(text, 3);

	struct setting_values values = { .sections = { { .items = NULL } } };
	struct reader        *r = arena_take(arena, 1, sizeof *r);
	if (r == NULL)
		return RC_NOMEM;
	*r = (struct reader){
		.sections = sections,
		.count = count,
		.arena = arena,
		.out = &values,
		.errors = errors,
		.errors_max = errors_max,
		.kind = KIND_NONE,
	};
	enum rc rc = make_room(r, text);
	if (rc == RC_OK)
		rc = map_open(names_max(sections, count), 0, &r->names); /* no stranger writes this file: any seed does */
	if (rc == RC_OK)
		rc = read_all(r, text);
	map_close(&r->names);
	*error_count = r->errors_count;
	if (rc == RC_OK)
		*out = values;
	return rc;
}
