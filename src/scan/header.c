/*
 * Part 0's header: duplicates, Date, Message-ID, Received, encoded words, and the facts that trace, queue and bounces
 * need.
 */
#include "mail/date.h"
#include "mail/encoded_word.h"
#include "scan/firewall.h"
#include "scan/work.h"

#define DISPLAY_MAX 1024u

struct slice scan_unfold(struct scan_work *work, const struct header_field *field)
{
	struct slice value;

	if (header_unfold(field, work->arena, &value) == RC_OK)
		return value;
	collect_limit(&work->collector, FINDING_LIMIT_MEMORY, 0, work->arena->size);
	return slice_trim(field->value);
}

struct slice scan_display(struct scan_work *work, struct slice text, size_t max)
{
	uint8_t            bytes[DISPLAY_MAX];
	struct slice       copy;
	struct word_result result = encoded_word_decode(text, bytes, max < sizeof bytes ? max : sizeof bytes);

	for (size_t i = 0; i < result.size; i++) {
		if (bytes[i] < 0x20 || bytes[i] == 0x7f)
			bytes[i] = ' ';
	}
	if (arena_copy(work->arena, slice_of(bytes, result.size), &copy) != RC_OK)
		return (struct slice){ NULL, 0 };
	return copy;
}

static void collect_field(struct scan_work *work, enum finding_kind kind, const struct header_field *field,
                          int64_t value)
{
	const bool name = finding_about(kind)->evidence == EVIDENCE_FIELD;

	collect(&work->collector, kind, 0, field->offset, field->size, value,
	        name ? field->name : slice_trim(field->value));
}

static void collect_missing(struct scan_work *work, enum finding_kind kind)
{
	collect(&work->collector, kind, 0, 0, work->facts.header_bytes, 0, (struct slice){ NULL, 0 });
}

/* RFC 5322 section 3.6: these stand at most once. From has findings of its own. */
static void duplicates_look(struct scan_work *work, const struct header_section *header)
{
	static const enum header_id once[] = { HEADER_SENDER,      HEADER_REPLY_TO,  HEADER_TO,   HEADER_CC,
		                               HEADER_BCC,         HEADER_SUBJECT,   HEADER_DATE, HEADER_MESSAGE_ID,
		                               HEADER_IN_REPLY_TO, HEADER_REFERENCES };

	for (size_t i = 0; i < sizeof once / sizeof once[0]; i++) {
		const struct header_field *first = header_first(header, once[i]);
		const struct header_field *second = first == NULL ? NULL : header_next(header, first);
		if (second != NULL)
			collect_field(work, FINDING_HEADER_DUPLICATE, second, (int64_t)header_count(header, once[i]));
	}
}

static void date_look(struct scan_work *work, const struct header_section *header)
{
	const struct header_field *field = header_first(header, HEADER_DATE);
	uint32_t                   flags;

	if (field == NULL)
		collect_missing(work, FINDING_HEADER_DATE_MISSING);
	else if (date_read(field->value, &work->facts.date_s, &flags) == RC_OK)
		work->facts.flags |= FACT_DATE;
	else
		collect_field(work, FINDING_HEADER_DATE_MALFORMED, field, 0);
}

/* From "<" to ">", as far as that is there and not empty (RFC 5322 section 3.6.4). */
static void message_id_look(struct scan_work *work, const struct header_section *header)
{
	const struct header_field *field = header_first(header, HEADER_MESSAGE_ID);

	if (field == NULL) {
		collect_missing(work, FINDING_HEADER_MESSAGE_ID_MISSING);
		return;
	}
	const struct slice value = scan_unfold(work, field);
	struct slice       id = slice_drop(value, slice_find(value, '<'));
	const size_t       end = slice_find(id, '>');
	const bool         whole = end < id.len && end > 1;
	if (!whole)
		collect_field(work, FINDING_HEADER_MESSAGE_ID_MALFORMED, field, 0);
	id = whole ? slice_take(id, end + 1) : value;
	for (size_t i = 0; i < id.len && whole; i++) {
		if (!byte_is_print(id.ptr[i]) && id.ptr[i] < 0x80) {
			collect_field(work, FINDING_HEADER_MESSAGE_ID_MALFORMED, field, 0);
			break;
		}
	}
	work->facts.message_id = scan_display(work, slice_take(id, FACT_MESSAGE_ID_MAX), FACT_MESSAGE_ID_MAX);
}

static struct slice comment_drop(struct slice s)
{
	unsigned depth = 0;
	size_t   i = 0;

	for (; i < s.len; i++) {
		if (s.ptr[i] == '\\')
			i++;
		else if (s.ptr[i] == '(')
			depth++;
		else if (s.ptr[i] == ')' && --depth == 0)
			break;
	}
	return slice_drop(s, i + 1);
}

/* The host behind "by" in a Received field, comments left out (RFC 5321 section 4.4). */
static struct slice received_by(struct slice value)
{
	bool by = false;

	while (value.len != 0) {
		const uint8_t byte = value.ptr[0];
		if (byte == '(') {
			value = comment_drop(value);
			continue;
		}
		if (byte <= ' ' || byte == ';') {
			value = slice_drop(value, 1);
			continue;
		}
		size_t size = 1;
		while (size < value.len && value.ptr[size] > ' ' && value.ptr[size] != '(' && value.ptr[size] != ';')
			size++;
		const struct slice word = slice_take(value, size);
		if (by)
			return word;
		by = slice_eq_nocase(word, SLICE("by"));
		value = slice_drop(value, size);
	}
	return (struct slice){ NULL, 0 };
}

static void received_look(struct scan_work *work, const struct header_section *header)
{
	const struct slice         own = work->options->own_name;
	const struct header_field *field = header_first(header, HEADER_RECEIVED);
	const struct header_field *ours = NULL;

	for (; field != NULL; field = header_next(header, field)) {
		work->facts.received_count++;
		if (own.len == 0 || !slice_eq_nocase(received_by(field->value), own))
			continue;
		work->facts.received_own++;
		ours = field;
	}
	if (work->facts.received_count > work->options->limits.received)
		collect(&work->collector, FINDING_HEADER_RECEIVED_MANY, 0, 0, work->facts.header_bytes,
		        work->facts.received_count, (struct slice){ NULL, 0 });
	if (ours != NULL)
		collect(&work->collector, FINDING_HEADER_RECEIVED_OWN, 0, ours->offset, ours->size,
		        work->facts.received_own, (struct slice){ NULL, 0 });
}

/* Fields whose encoded words people see. */
static bool shows_words(enum header_id id)
{
	return id == HEADER_FROM || id == HEADER_SENDER || id == HEADER_REPLY_TO || id == HEADER_TO ||
	       id == HEADER_CC || id == HEADER_SUBJECT || id == HEADER_CONTENT_DESCRIPTION;
}

static void words_look(struct scan_work *work, const struct header_section *header)
{
	uint8_t bytes[DISPLAY_MAX];

	for (size_t i = 0; i < header->count; i++) {
		const struct header_field *field = &header->fields[i];
		if (!shows_words(field->id) || slice_search(field->value, SLICE("=?")) == field->value.len)
			continue;
		const struct slice       value = slice_take(scan_unfold(work, field), 4 * sizeof bytes);
		const struct word_result result = encoded_word_decode(value, bytes, sizeof bytes);
		if (!scan_step(work, value.len))
			return;
		if ((result.flags & WORD_BROKEN) != 0)
			collect_field(work, FINDING_HEADER_ENCODED_WORD, field, 0);
		if ((result.flags & WORD_FOUND) != 0 && (result.flags & WORD_CONTROL) != 0 &&
		    (field->flags & HEADER_FIELD_ODD) == 0)
			collect_field(work, FINDING_HEADER_HIDDEN_CONTROL, field, result.control);
	}
}

static bool value_starts(const struct header_field *field, struct slice word)
{
	return field != NULL && slice_starts_nocase(slice_trim(field->value), word);
}

/* What decides whether a notice may be sent and whether the message may ever be touched. */
static void flags_look(struct scan_work *work, const struct header_section *header)
{
	const struct header_field *precedence = header_first(header, HEADER_PRECEDENCE);
	const struct header_field *automatic = header_first(header, HEADER_AUTO_SUBMITTED);
	const struct slice         type = work->message.parts[0]->type.word;
	static const struct slice  untouched[] = {
		 SLICE_INIT("multipart/signed"),       SLICE_INIT("multipart/encrypted"),
		 SLICE_INIT("application/pkcs7-mime"), SLICE_INIT("application/x-pkcs7-mime"),
		 SLICE_INIT("application/ms-tnef"),    SLICE_INIT("text/calendar"),
		 SLICE_INIT("multipart/report")
	};

	if ((automatic != NULL && !value_starts(automatic, SLICE("no"))) ||
	    value_starts(precedence, SLICE("auto_reply")))
		work->facts.flags |= FACT_AUTO_SUBMITTED;
	if (header_first(header, HEADER_LIST_ID) != NULL || header_first(header, HEADER_LIST_UNSUBSCRIBE) != NULL ||
	    value_starts(precedence, SLICE("list")) || value_starts(precedence, SLICE("bulk")) ||
	    value_starts(precedence, SLICE("junk")))
		work->facts.flags |= FACT_LIST;
	if (slice_eq(type, SLICE("multipart/report")) || header_first(header, HEADER_JOURNAL_REPORT) != NULL)
		work->facts.flags |= FACT_REPORT;
	for (size_t i = 0; i < sizeof untouched / sizeof untouched[0]; i++) {
		if (slice_eq(type, untouched[i]))
			work->facts.flags |= FACT_PROTECTED;
	}
	if (header_first(header, HEADER_JOURNAL_REPORT) != NULL)
		work->facts.flags |= FACT_PROTECTED;
}

void scan_header(struct scan_work *work)
{
	const struct header_section *header = &work->message.parts[0]->header;
	const struct header_field   *subject = header_first(header, HEADER_SUBJECT);

	work->facts.header_bytes = header->size;
	work->facts.header_fields = (uint32_t)header->count;
	duplicates_look(work, header);
	date_look(work, header);
	message_id_look(work, header);
	received_look(work, header);
	words_look(work, header);
	flags_look(work, header);
	if (subject != NULL)
		work->facts.subject = scan_display(work, scan_unfold(work, subject), FACT_SUBJECT_MAX);
	if (header_first(header, HEADER_MIME_VERSION) == NULL &&
	    (header_first(header, HEADER_CONTENT_TYPE) != NULL ||
	     header_first(header, HEADER_CONTENT_TRANSFER_ENCODING) != NULL))
		collect_missing(work, FINDING_MIME_VERSION_MISSING);
}

void scan_firewall(struct scan_work *work)
{
	struct header_cut *cuts = arena_take(work->arena, FINDINGS_CUTS_MAX, sizeof *cuts);
	size_t             count = 0;

	if (cuts == NULL) {
		collect_limit(&work->collector, FINDING_LIMIT_CUTS, 0, 0);
		return;
	}
	if (!firewall_find(work->bytes, work->facts.header_bytes, work->options, cuts, &count))
		collect_limit(&work->collector, FINDING_LIMIT_CUTS, 0, FINDINGS_CUTS_MAX);
	work->facts.cuts = cuts;
	work->facts.cut_count = count;
	for (size_t i = 0; i < count; i++) {
		if (cuts[i].kind == CUT_LEADING || cuts[i].kind == CUT_SPAM)
			continue;
		struct slice name = slice_cut(work->bytes, cuts[i].offset, cuts[i].size);
		name = slice_trim(slice_take(name, slice_find(name, ':')));
		collect(&work->collector, FINDING_HEADER_FORGED_TRACE, 0, cuts[i].offset, cuts[i].size, (int64_t)count,
		        name);
		break;
	}
}
