/*
 * One answer to "who is the author", or the finding that there is none. Everything on which common readers are known
 * to disagree is ambiguous: DMARC, policy and the person in front of the screen must all mean the same address.
 */
#include "mail/address.h"
#include "scan/work.h"
#include "text/utf8.h"

/* Lawful by obsolete grammar, yet readers take different addresses from it; the broken kinds all count. */
#define READERS_DIFFER                                                                                    \
	((uint32_t)(ADDRESS_ODD_ROUTE | ADDRESS_ODD_SPACED | ADDRESS_ODD_EMPTY_ITEM | ADDRESS_ODD_GROUP | \
	            ADDRESS_ODD_CONTROL))
#define BROKEN ((uint32_t) ~((uint32_t)ADDRESS_ODD_BROKEN - 1u))

/* "From" when only its letters are looked at: what a careless reader takes for the field. */
static bool looks_like_from(struct slice line)
{
	const struct slice name = slice_take(line, slice_find(line, ':'));
	uint8_t            letters[5];
	size_t             count = 0;

	if (name.len == line.len || name.len > 64)
		return false;
	for (size_t i = 0; i < name.len && count < sizeof letters; i++) {
		if (byte_is_alpha(name.ptr[i]))
			letters[count++] = name.ptr[i];
	}
	return slice_eq_nocase(slice_of(letters, count), SLICE("from"));
}

static bool ambiguity_found(struct scan_work *work, const struct finding *finding)
{
	const enum finding_kind kind = finding->kind;

	if (kind == FINDING_HEADER_BARE_CR)
		return looks_like_from(slice_cut(work->bytes, (size_t)finding->offset + 1, 80));
	if (kind != FINDING_HEADER_CONTINUATION_FIRST && kind != FINDING_HEADER_NOT_A_FIELD &&
	    kind != FINDING_HEADER_NAME_MALFORMED && kind != FINDING_HEADER_SPACE_BEFORE_COLON &&
	    kind != FINDING_HEADER_MBOX_FROM)
		return false;
	return looks_like_from(slice_cut(work->bytes, finding->offset, finding->size));
}

/* A line that some reader takes for a From field, although the header has it otherwise. */
static void lookalikes_find(struct scan_work *work)
{
	const size_t count = work->collector.count;

	for (size_t i = 0; i < count; i++) {
		const struct finding finding = work->collector.list[i];
		if (finding.part != 0 || !ambiguity_found(work, &finding))
			continue;
		collect(&work->collector, FINDING_HEADER_FROM_AMBIGUOUS, 0, finding.offset, finding.size, 0,
		        slice_cut(work->bytes, finding.offset, finding.size));
		return;
	}
}

struct authors {
	struct slice items[FACT_AUTHORS_MAX];
	size_t       kept;
	size_t       count; /* with a domain */
};

/* The address goes into records and headers of ours: only clean UTF-8 does. What is not clean is a finding already. */
static bool is_clean(struct slice s)
{
	while (s.len != 0) {
		size_t         bytes;
		const uint32_t character = utf8_decode(s, &bytes);
		if (character == UINT32_MAX || character < 0x20 || character == 0x7f)
			return false;
		s = slice_drop(s, bytes);
	}
	return true;
}

static void author_keep(struct scan_work *work, const struct address_item *item, struct authors *authors)
{
	authors->count++;
	if (authors->kept == FACT_AUTHORS_MAX || item->local.len + item->domain.len + 1 > FACT_AUTHOR_MAX ||
	    !is_clean(item->local) || !is_clean(item->domain))
		return;
	uint8_t *text = arena_bytes(work->arena, item->local.len + 1 + item->domain.len);
	if (text == NULL)
		return;
	memcpy(text, item->local.ptr, item->local.len);
	text[item->local.len] = '@';
	memcpy(&text[item->local.len + 1], item->domain.ptr, item->domain.len);
	authors->items[authors->kept++] = slice_of(text, item->local.len + 1 + item->domain.len);
}

/*
 * Characters in a domain on which programs disagree: full stops of other scripts (RFC 3490 section 3.1 takes them for
 * ".", others do not), blanks, invisible ones, and what is no character at all.
 */
static bool domain_wavers(struct slice domain)
{
	while (domain.len != 0) {
		size_t         bytes;
		const uint32_t c = utf8_decode(domain, &bytes);
		if (c == UINT32_MAX || (c >= 0x80 && c <= 0xa0) || c == 0xad || (c >= 0x2000 && c <= 0x206f) ||
		    c == 0x3000 || c == 0x3002 || (c >= 0xfdd0 && c <= 0xfdef) || c == 0xfeff || c == 0xff0e ||
		    c == 0xff20 || c == 0xff61 || (c & 0xfffe) == 0xfffe)
			return true;
		domain = slice_drop(domain, bytes);
	}
	return false;
}

/* "a@b <a@b>": the unquoted name is the address itself, so that every reader comes to the same. */
static bool names_itself(const struct address_item *item)
{
	const struct slice name = slice_trim(item->name);

	return name.len == item->local.len + 1 + item->domain.len && name.ptr[item->local.len] == '@' &&
	       slice_eq_nocase(slice_take(name, item->local.len), item->local) &&
	       slice_eq_nocase(slice_drop(name, item->local.len + 1), item->domain);
}

/* Full stops where the grammar has none ("f..smith", "taro."), as real mailboxes have them: every reader takes the same. */
static bool only_dots_astray(struct slice local)
{
	static const struct slice others = SLICE_INIT("!#$%&'*+-/=?^_`{|}~.");

	for (size_t i = 0; i < local.len; i++) {
		if (!byte_is_alnum(local.ptr[i]) && slice_find(others, local.ptr[i]) == others.len)
			return false;
	}
	return local.len != 0;
}

/* Could two readers take different addresses from this item? */
static bool readers_differ(const struct address_item *item)
{
	uint32_t oddities = item->oddities & (READERS_DIFFER | BROKEN);

	/* Bytes that are not UTF-8 only spoil the name. */
	oddities &= ~(uint32_t)ADDRESS_ODD_8BIT;
	if (names_itself(item))
		oddities &= ~(uint32_t)ADDRESS_ODD_NAME_AT;
	if (only_dots_astray(item->local))
		oddities &= ~(uint32_t)ADDRESS_ODD_LOCAL;
	return oddities != 0 || domain_wavers(item->domain) || !is_clean(item->local);
}

/* Of the list itself, not of one of its items. */
#define LIST_ODDITIES                                                                                     \
	((uint32_t)(ADDRESS_ODD_EMPTY_ITEM | ADDRESS_ODD_GROUP | ADDRESS_ODD_NUL | ADDRESS_ODD_UNCLOSED | \
	            ADDRESS_ODD_LIMIT))

static void field_look(struct scan_work *work, const struct header_field *field, struct authors *authors)
{
	struct address_list list;
	const size_t        before = authors->count;
	bool                differ = false, nameless = true;

	if (!scan_step(work, field->size))
		return;
	if (address_list_read(field->value, work->arena, &list) != RC_OK) {
		collect_limit(&work->collector, FINDING_LIMIT_MEMORY, 0, work->arena->size);
		return;
	}
	for (size_t i = 0; i < list.count; i++) {
		const struct address_item *item = &list.items[i];
		differ |= readers_differ(item);
		nameless &= item->domain.len == 0 && slice_find(item->raw, '@') == item->raw.len;
		if (item->domain.len != 0 && item->local.len != 0)
			author_keep(work, item, authors);
	}
	enum finding_kind kind = FINDING_HEADER_FROM_AMBIGUOUS;
	if (authors->count == before)
		kind = nameless && list.count == 1 ? FINDING_HEADER_FROM_NO_DOMAIN : FINDING_HEADER_FROM_MALFORMED;
	else if (!differ && (list.oddities & LIST_ODDITIES) == 0)
		return;
	collect(&work->collector, kind, 0, field->offset, field->size, 0, slice_trim(field->value));
}

void scan_author(struct scan_work *work)
{
	const struct header_section *header = &work->message.parts[0]->header;
	const struct header_field   *first = header_first(header, HEADER_FROM);
	struct authors               authors = { .count = 0 };

	lookalikes_find(work);
	if (first == NULL) {
		collect(&work->collector, FINDING_HEADER_FROM_MISSING, 0, 0, work->facts.header_bytes, 0,
		        (struct slice){ NULL, 0 });
		return;
	}
	const struct header_field *second = header_next(header, first);
	if (second != NULL)
		collect(&work->collector, FINDING_HEADER_FROM_DUPLICATE, 0, second->offset, second->size,
		        (int64_t)header_count(header, HEADER_FROM), second->name);
	for (const struct header_field *field = first; field != NULL; field = header_next(header, field))
		field_look(work, field, &authors);
	if (authors.count > 1) {
		collect(&work->collector, FINDING_HEADER_FROM_SEVERAL, 0, first->offset, first->size,
		        (int64_t)authors.count, slice_trim(first->value));
		if (header_first(header, HEADER_SENDER) == NULL)
			collect(&work->collector, FINDING_HEADER_SENDER_MISSING, 0, 0, work->facts.header_bytes, 0,
			        (struct slice){ NULL, 0 });
	}
	work->facts.from = scan_display(work, scan_unfold(work, first), FACT_FROM_MAX);
	struct slice *copy = authors.kept == 0 ? NULL : arena_take(work->arena, authors.kept, sizeof *copy);
	if (copy == NULL)
		return;
	memcpy(copy, authors.items, authors.kept * sizeof *copy);
	work->facts.authors = copy;
	work->facts.author_count = authors.kept;
}
