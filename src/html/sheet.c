/* Rules: read once, kept by the rightmost compound of their selector, asked for each element. */
#include "html/sheet.h"

#include "html/tokenizer.h"

#define WEIGHT_IMPORTANT 0x80000000u
#define DECLARATIONS_MAX 64u /* of one block */
#define SELECTOR_MAX     512u

struct compound {
	uint32_t element; /* html_name_hash() of its name; 0: any */
	uint32_t class_count;
	uint64_t id;
	uint64_t classes[4];
	bool     child; /* ">" stands before the next one to the left */
};

struct html_rule {
	struct html_rule              *next;
	const struct compound         *compounds; /* from right to left */
	const struct html_declaration *declarations;
	uint32_t                       compound_count, declaration_count;
	uint32_t                       weight;
	bool                           some;
};

struct selector {
	struct compound compounds[HTML_COMPOUNDS_MAX]; /* from left to right */
	size_t          count;
	unsigned        ids, classes, elements;
	bool            some, dead;
};

uint64_t html_style_hash(struct slice text)
{
	uint64_t hash = UINT64_C(0x9e3779b97f4a7c15) ^ text.len;

	for (size_t i = 0; i < text.len; i++) {
		hash = (hash ^ byte_lower(text.ptr[i])) * UINT64_C(0xd6e8feb86659fd93);
		hash ^= hash >> 29;
	}
	return hash != 0 ? hash : 1;
}

void html_sheet_init(struct html_sheet *sheet, struct arena *arena, const struct html_css_sink *told)
{
	*sheet = (struct html_sheet){ .arena = arena, .told = *told };
}

void html_cascade_put(struct html_cascade *cascade, const struct html_declaration *declaration, uint32_t weight)
{
	struct html_value *value = &cascade->values[declaration->property];

	if (declaration->important)
		weight |= WEIGHT_IMPORTANT;
	if (value->set != 0 && weight < value->weight)
		return;
	*value = (struct html_value){ .number = declaration->number, .unit = declaration->unit, .set = 1, .weight = weight };
}

static size_t ident_size(struct slice s)
{
	size_t size = 0;

	while (size < s.len && (byte_is_alnum(s.ptr[size]) || s.ptr[size] == '-' || s.ptr[size] == '_' ||
	                        s.ptr[size] >= 0x80 || s.ptr[size] == '\\'))
		size += s.ptr[size] == '\\' ? 2 : 1;
	return size < s.len ? size : s.len;
}

/* An identifier at the front, escapes undone, to `text`. */
static struct slice ident_take(struct slice *s, uint8_t *text, size_t room)
{
	const struct slice raw = slice_take(*s, ident_size(*s));

	*s = slice_drop(*s, raw.len);
	return slice_of(text, html_css_plain(raw, text, room));
}

static void class_add(struct compound *compound, struct selector *selector, uint64_t hash)
{
	selector->classes++;
	if (compound->class_count < sizeof compound->classes / sizeof compound->classes[0])
		compound->classes[compound->class_count++] = hash;
	else
		selector->some = true;
}

/* "[class=x]" and "[id=x]" are ".x" and "#x"; of others we do not know. */
static void attribute_take(struct slice *s, struct compound *compound, struct selector *selector)
{
	const size_t size = slice_find(*s, ']');
	struct slice inside = slice_cut(*s, 1, size - 1);
	uint8_t      text[64];

	*s = slice_drop(*s, size + 1);
	const size_t       equals = slice_find(inside, '=');
	const struct slice name = slice_trim(slice_take(inside, equals));
	struct slice       value = slice_trim(slice_drop(inside, equals + 1));
	if (value.len >= 2 && (value.ptr[0] == '"' || value.ptr[0] == '\''))
		value = slice_cut(value, 1, value.len - 2);
	value = slice_of(text, html_css_plain(value, text, sizeof text));
	selector->classes++;
	if (equals == inside.len || value.len == 0)
		selector->some = true;
	else if (slice_eq_nocase(name, SLICE("class")) || slice_eq_nocase(name, SLICE("class~")))
		class_add(compound, selector, html_style_hash(value));
	else if (slice_eq_nocase(name, SLICE("id")))
		compound->id = html_style_hash(value);
	else
		selector->some = true;
}

/* ":x", "::x", ":x(...)". What depends on what the reader does there never holds by itself. */
static void pseudo_take(struct slice *s, struct selector *selector)
{
	uint8_t text[32];

	while (slice_at(*s, 0) == ':')
		*s = slice_drop(*s, 1);
	const struct slice name = ident_take(s, text, sizeof text);
	if (slice_at(*s, 0) == '(')
		*s = slice_drop(*s, slice_find(*s, ')') + 1);
	selector->classes++;
	if (slice_eq(name, SLICE("link")) || slice_eq(name, SLICE("any-link")) || slice_eq(name, SLICE("root")))
		return;
	if (slice_starts(name, SLICE("first-child")) || slice_starts(name, SLICE("last-")) || slice_starts(name, SLICE("nth-")) ||
	    slice_starts(name, SLICE("only-")) || slice_starts(name, SLICE("first-of")) || slice_eq(name, SLICE("not")) ||
	    slice_eq(name, SLICE("is")) || slice_eq(name, SLICE("where")) || slice_eq(name, SLICE("has")) ||
	    slice_eq(name, SLICE("matches")) || slice_eq(name, SLICE("empty")) || slice_eq(name, SLICE("-webkit-any")))
		selector->some = true;
	else
		selector->dead = true;
}

static void compound_take(struct slice *s, struct selector *selector)
{
	uint8_t         text[64];
	struct compound compound = { .element = 0 };

	for (;;) {
		const int byte = slice_at(*s, 0);
		if (byte == '.' || byte == '#') {
			*s = slice_drop(*s, 1);
			const struct slice name = ident_take(s, text, sizeof text);
			if (name.len == 0)
				selector->dead = true;
			else if (byte == '.')
				class_add(&compound, selector, html_style_hash(name));
			else {
				compound.id = html_style_hash(name);
				selector->ids++;
			}
		} else if (byte == '*') {
			*s = slice_drop(*s, 1);
		} else if (byte == '[') {
			attribute_take(s, &compound, selector);
		} else if (byte == ':') {
			pseudo_take(s, selector);
		} else if (byte >= 0 && (byte_is_alnum((uint8_t)byte) || byte == '_' || byte == '-' || byte == '\\' || byte >= 0x80)) {
			compound.element = html_name_hash(ident_take(s, text, sizeof text));
			selector->elements++;
		} else {
			break;
		}
	}
	if (selector->count == HTML_COMPOUNDS_MAX)
		selector->dead = true;
	else
		selector->compounds[selector->count++] = compound;
}

/* One selector without commas. */
static void selector_read(struct slice s, struct selector *out)
{
	*out = (struct selector){ .count = 0 };
	while (!out->dead) {
		const size_t before = s.len;
		bool         child = false;
		while (s.len != 0 && (html_is_space(s.ptr[0]) || s.ptr[0] == '>' || s.ptr[0] == '+' || s.ptr[0] == '~')) {
			child |= s.ptr[0] == '>';
			if (s.ptr[0] == '+' || s.ptr[0] == '~') {
				/* A sibling: we keep no siblings, so that only what stands right of it is asked for. */
				out->some = true;
				out->count = 0;
			}
			s = slice_drop(s, 1);
		}
		if (s.len == 0)
			break;
		if (out->count != 0)
			out->compounds[out->count - 1].child = child;
		const size_t size = s.len;
		compound_take(&s, out);
		if (s.len == size || s.len == before)
			out->dead = true;
	}
	out->dead |= out->count == 0;
}

static struct html_rule **bucket_of(struct html_sheet *sheet, const struct compound *key)
{
	if (key->id != 0)
		return &sheet->buckets[key->id % 64];
	if (key->class_count != 0)
		return &sheet->buckets[key->classes[0] % 64];
	if (key->element != 0)
		return &sheet->buckets[key->element % 64];
	return &sheet->any;
}

static bool selector_add(struct html_sheet *sheet, const struct selector *selector,
                         const struct html_declaration *declarations, size_t declaration_count, bool some)
{
	struct html_rule *rule = arena_take(sheet->arena, 1, sizeof *rule);
	struct compound  *compounds = arena_take(sheet->arena, selector->count, sizeof *compounds);

	if (rule == NULL || compounds == NULL)
		return false;
	for (size_t i = 0; i < selector->count; i++)
		compounds[i] = selector->compounds[selector->count - 1 - i];
	const unsigned ids = selector->ids < 31 ? selector->ids : 31;
	const unsigned classes = selector->classes < 31 ? selector->classes : 31;
	const unsigned element_count = selector->elements < 31 ? selector->elements : 31;
	rule->compounds = compounds;
	rule->compound_count = (uint32_t)selector->count;
	rule->declarations = declarations;
	rule->declaration_count = (uint32_t)declaration_count;
	rule->some = some || selector->some;
	rule->weight = ids << 23 | classes << 18 | element_count << 13 | (uint32_t)(1 + sheet->count);
	struct html_rule **bucket = bucket_of(sheet, &compounds[0]);
	rule->next = *bucket;
	*bucket = rule;
	sheet->count++;
	return true;
}

_Static_assert(HTML_RULES_MAX < 1u << 13, "the order of a rule fits below its specificity");

struct block {
	struct html_declaration items[DECLARATIONS_MAX];
	size_t                  count;
	struct html_sheet      *sheet;
};

static void block_declaration(void *context, const struct html_declaration *declaration)
{
	struct block *block = context;

	if (block->count < DECLARATIONS_MAX)
		block->items[block->count++] = *declaration;
	else
		block->sheet->cut = true;
}

static void block_url(void *context, struct slice address)
{
	struct block *block = context;

	if (block->sheet->told.url != NULL)
		block->sheet->told.url(block->sheet->told.context, address);
}

static void block_script(void *context, struct slice text)
{
	struct block *block = context;

	if (block->sheet->told.script != NULL)
		block->sheet->told.script(block->sheet->told.context, text);
}

/* A rule: its selectors and what stands between its braces. */
static void rule_read(struct html_sheet *sheet, struct slice prelude, struct slice body, bool some, uint64_t *steps)
{
	struct block               block = { .count = 0, .sheet = sheet };
	const struct html_css_sink sink = {
		.context = &block, .declaration = block_declaration, .url = block_url, .script = block_script
	};
	struct selector            selector;

	html_css_read(body, &sink, steps);
	if (block.count == 0)
		return;
	struct html_declaration *items = arena_take(sheet->arena, block.count, sizeof items[0]);
	if (items == NULL) {
		sheet->cut = true;
		return;
	}
	memcpy(items, block.items, block.count * sizeof items[0]);
	while (prelude.len != 0) {
		const struct slice text = slice_trim(slice_until(&prelude, ','));
		if (text.len == 0 || text.len > SELECTOR_MAX)
			continue;
		if (sheet->count == HTML_RULES_MAX) {
			sheet->cut = true;
			return;
		}
		selector_read(text, &selector);
		if (!selector.dead && !selector_add(sheet, &selector, items, block.count, some))
			sheet->cut = true;
	}
}

/* Bytes of a block or a statement at the front, from its "{" to its "}" or to ";": *body is what lies between. */
static size_t block_size(struct slice s, struct slice *body)
{
	unsigned depth = 0;

	for (size_t at = 0; at < s.len;) {
		const uint8_t byte = s.ptr[at];
		const size_t  skip = html_css_skip(slice_drop(s, at));
		if (skip != 0) {
			at += skip;
			continue;
		}
		at++;
		if (byte == '{')
			depth++;
		else if (byte == '}' && --depth == 0) {
			*body = slice_cut(s, 1, at - 2);
			return at;
		}
	}
	*body = slice_drop(s, 1);
	return s.len;
}

enum medium { MEDIUM_ALL, MEDIUM_SOME, MEDIUM_NONE };

static enum medium medium_of(struct slice prelude)
{
	uint8_t            text[128];
	const struct slice plain = slice_of(text, html_css_plain(prelude, text, sizeof text));

	if (slice_eq(plain, SLICE("screen")) || slice_eq(plain, SLICE("all")) || slice_eq(plain, SLICE("only screen")) || plain.len == 0)
		return MEDIUM_ALL;
	if (slice_starts(plain, SLICE("print")) || slice_starts(plain, SLICE("speech")) || slice_starts(plain, SLICE("not ")))
		return slice_search(plain, SLICE("screen")) < plain.len || slice_find(plain, ',') < plain.len ? MEDIUM_SOME
		                                                                                              : MEDIUM_NONE;
	return MEDIUM_SOME;
}

/* "@x prelude;" or "@x prelude { body }": what to read inside, and how. */
static enum medium at_rule(struct html_sheet *sheet, struct slice prelude)
{
	if (slice_starts_nocase(prelude, SLICE("@import")) && sheet->told.url != NULL) {
		struct slice rest = slice_trim(slice_drop(prelude, 7));
		if (slice_starts_nocase(rest, SLICE("url("))) {
			rest = slice_trim(slice_drop(rest, 4));
			rest = slice_trim(slice_take(rest, slice_find(rest, ')')));
		}
		if (rest.len != 0 && (rest.ptr[0] == '"' || rest.ptr[0] == '\'')) {
			const uint8_t quote = rest.ptr[0];
			rest = slice_drop(rest, 1);
			rest = slice_take(rest, slice_find(rest, quote));
		}
		if (rest.len != 0)
			sheet->told.url(sheet->told.context, rest);
	}
	if (slice_starts_nocase(prelude, SLICE("@media")))
		return medium_of(slice_drop(prelude, 6));
	if (slice_starts_nocase(prelude, SLICE("@supports")) || slice_starts_nocase(prelude, SLICE("@layer")) ||
	    slice_starts_nocase(prelude, SLICE("@container")) || slice_starts_nocase(prelude, SLICE("@-moz-document")))
		return MEDIUM_SOME;
	return MEDIUM_NONE;
}

/* White space, comments, and what closes or opens a comment of HTML. */
static size_t between_size(struct slice s)
{
	size_t at = 0;

	while (at < s.len) {
		const struct slice rest = slice_drop(s, at);
		if (html_is_space(rest.ptr[0]) || rest.ptr[0] == ';')
			at++;
		else if (slice_starts(rest, SLICE("/*")))
			at += html_css_skip(rest);
		else if (slice_starts(rest, SLICE("<!--")))
			at += 4;
		else if (slice_starts(rest, SLICE("-->")))
			at += 3;
		else
			break;
	}
	return at;
}

static size_t prelude_size(struct slice s, bool is_at_rule)
{
	size_t at = 0;

	while (at < s.len && s.ptr[at] != '{' && s.ptr[at] != '}' && !(is_at_rule && s.ptr[at] == ';')) {
		const size_t skip = html_css_skip(slice_drop(s, at));
		at += skip != 0 ? skip : 1;
	}
	return at;
}

/* url() of blocks that are not rules for elements: @font-face and the like. */
static void ignore_declaration(void *context, const struct html_declaration *declaration)
{
	(void)context;
	(void)declaration;
}

static void other_block(struct html_sheet *sheet, struct slice body, uint64_t *steps)
{
	struct block               block = { .count = 0, .sheet = sheet };
	const struct html_css_sink sink = {
		.context = &block, .declaration = ignore_declaration, .url = block_url, .script = block_script
	};

	html_css_read(body, &sink, steps);
}

void html_sheet_add(struct html_sheet *sheet, struct slice text, uint64_t *steps)
{
	enum medium outer[HTML_SHEET_DEPTH]; /* of the levels around this one */
	size_t      depth = 0;
	enum medium medium = MEDIUM_ALL;

	while (*steps != 0) {
		text = slice_drop(text, between_size(text));
		if (text.len == 0)
			return;
		if (text.ptr[0] == '}') {
			if (depth != 0)
				medium = outer[--depth];
			text = slice_drop(text, 1);
			continue;
		}
		const bool         is_at_rule = text.ptr[0] == '@';
		const struct slice prelude = slice_take(text, prelude_size(text, is_at_rule));
		text = slice_drop(text, prelude.len);
		*steps -= *steps < prelude.len ? *steps : prelude.len;
		const enum medium inside = is_at_rule ? at_rule(sheet, prelude) : MEDIUM_ALL;
		if (slice_at(text, 0) != '{')
			continue;
		if (is_at_rule && inside != MEDIUM_NONE && depth < HTML_SHEET_DEPTH) {
			outer[depth++] = medium;
			if (medium == MEDIUM_ALL)
				medium = inside;
			text = slice_drop(text, 1);
			continue;
		}
		struct slice body;
		text = slice_drop(text, block_size(text, &body));
		if (is_at_rule)
			other_block(sheet, body, steps);
		else
			rule_read(sheet, prelude, body, medium == MEDIUM_SOME, steps);
	}
}

static bool compound_fits(const struct compound *compound, const struct html_subject *subject)
{
	if (compound->element != 0 && compound->element != subject->hash)
		return false;
	if (compound->id != 0 && compound->id != subject->id)
		return false;
	for (size_t i = 0; i < compound->class_count; i++) {
		size_t at = 0;
		while (at < subject->class_count && subject->classes[at] != compound->classes[i])
			at++;
		if (at == subject->class_count)
			return false;
	}
	return true;
}

static bool rule_fits(const struct html_rule *rule, const struct html_family *family, uint64_t *steps)
{
	size_t up = 0;

	if (!compound_fits(&rule->compounds[0], family->at(family->context, 0)))
		return false;
	for (size_t i = 1; i < rule->compound_count; i++) {
		const struct html_subject *subject;
		do {
			subject = family->at(family->context, ++up);
			if (subject == NULL || *steps == 0)
				return false;
			--*steps;
			if (compound_fits(&rule->compounds[i], subject))
				break;
		} while (!rule->compounds[i].child);
		if (!compound_fits(&rule->compounds[i], subject))
			return false;
	}
	return true;
}

struct match {
	const struct html_family *family;
	struct html_cascade      *out, *some;
	bool                     *some_set;
	uint64_t                 *steps;
};

static void bucket_match(const struct html_rule *rule, const struct match *match)
{
	for (; rule != NULL && *match->steps != 0; rule = rule->next) {
		--*match->steps;
		if (!rule_fits(rule, match->family, match->steps))
			continue;
		*match->some_set |= rule->some;
		for (size_t i = 0; i < rule->declaration_count; i++)
			html_cascade_put(rule->some ? match->some : match->out, &rule->declarations[i], rule->weight);
	}
}

void html_sheet_match(const struct html_sheet *sheet, const struct html_family *family, struct html_cascade *out,
                      struct html_cascade *some, bool *some_set, uint64_t *steps)
{
	const struct match         match = { .family = family, .out = out, .some = some, .some_set = some_set, .steps = steps };
	const struct html_subject *subject = family->at(family->context, 0);
	uint64_t                   seen;

	if (sheet->count == 0)
		return;
	bucket_match(sheet->any, &match);
	bucket_match(sheet->buckets[subject->hash % 64], &match);
	seen = UINT64_C(1) << subject->hash % 64;
	if (subject->id != 0 && (seen & UINT64_C(1) << subject->id % 64) == 0) {
		seen |= UINT64_C(1) << subject->id % 64;
		bucket_match(sheet->buckets[subject->id % 64], &match);
	}
	for (size_t i = 0; i < subject->class_count; i++) {
		const uint64_t bit = UINT64_C(1) << subject->classes[i] % 64;
		if ((seen & bit) == 0)
			bucket_match(sheet->buckets[subject->classes[i] % 64], &match);
		seen |= bit;
	}
}
