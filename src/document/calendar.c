/* Unfolded lines: name, parameters, value. */
#include "document/calendar.h"

#include "base/buf.h"

/* Of a line's beginning in which its encoding is looked for. */
#define PARAMETERS_BYTES 512u

struct line {
	struct slice name;       /* without its group ("item1.URL") */
	struct slice parameters; /* between the name and the colon */
	struct slice value;
};

struct calendar {
	struct budget             *budget;
	const struct content_sink *sink;
	struct buf                 text; /* a value without its escapes, or its bytes */
	bool                       alarm; /* between BEGIN:VALARM and its end */
};

bool calendar_is(struct slice bytes)
{
	if (slice_starts(bytes, SLICE("\xef\xbb\xbf")))
		bytes = slice_drop(bytes, 3);
	while (bytes.len != 0 && bytes.ptr[0] <= ' ')
		bytes = slice_drop(bytes, 1);
	return slice_starts_nocase(bytes, SLICE("BEGIN:VCALENDAR")) || slice_starts_nocase(bytes, SLICE("BEGIN:VCARD"));
}

static bool has_parameter(const struct line *line, struct slice word)
{
	return slice_search_nocase(line->parameters, word) < line->parameters.len;
}

/* The value of a parameter, without quotes; empty when it is not there. */
static struct slice parameter(const struct line *line, const char *name)
{
	struct slice rest = line->parameters;

	while (rest.len != 0) {
		const struct slice part = slice_until(&rest, ';');
		const size_t       equals = slice_find(part, '=');
		if (slice_eq_nocase(slice_take(part, equals), slice_str(name))) {
			struct slice value = slice_drop(part, equals + 1);
			if (slice_at(value, 0) == '"' && slice_last(value) == '"' && value.len >= 2)
				value = slice_cut(value, 1, value.len - 2);
			return value;
		}
	}
	return slice_of(NULL, 0);
}

/* "NAME;A=B;C=\"x:y\":value". */
static struct line split(struct slice whole)
{
	bool   quoted = false;
	size_t colon = 0;

	for (; colon < whole.len && (quoted || whole.ptr[colon] != ':'); colon++)
		quoted ^= whole.ptr[colon] == '"';
	struct slice       head = slice_take(whole, colon);
	const struct slice value = slice_drop(whole, colon + 1);
	struct slice       name = slice_until(&head, ';');
	if (slice_find(name, '.') < name.len)
		name = slice_drop(name, slice_find(name, '.') + 1);
	return (struct line){ .name = name, .parameters = head, .value = value };
}

static int hex_digit(int byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte |= 0x20;
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static int base64_digit(uint8_t byte)
{
	if (byte_is_digit(byte))
		return byte - '0' + 52;
	if (byte_is_alpha(byte))
		return byte >= 'a' ? byte - 'a' + 26 : byte - 'A';
	return byte == '+' || byte == '-' ? 62 : byte == '/' || byte == '_' ? 63 : -1;
}

/* Lenient: what is no digit is passed over. */
static void put_base64(struct slice text, struct buf *out)
{
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < text.len && text.ptr[i] != '='; i++) {
		const int digit = base64_digit(text.ptr[i]);
		if (digit < 0)
			continue;
		bits = (bits << 6 | (uint32_t)digit) & 0xffffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_put_byte(out, (uint8_t)(bits >> have));
		}
	}
}

/* A text without the escapes of RFC 5545 section 3.3.11, or out of quoted-printable. */
static void put_text(const struct line *line, struct buf *out)
{
	const bool quoted = has_parameter(line, SLICE("QUOTED-PRINTABLE"));

	for (size_t i = 0; i < line->value.len; i++) {
		const uint8_t byte = line->value.ptr[i];
		const int     next = slice_at(line->value, i + 1), last = slice_at(line->value, i + 2);
		if (quoted && byte == '=' && next >= 0 && last >= 0 && hex_digit(next) >= 0 && hex_digit(last) >= 0) {
			buf_put_byte(out, (uint8_t)(hex_digit(next) << 4 | hex_digit(last)));
			i += 2;
		} else if (!quoted && byte == '\\' && next >= 0) {
			buf_put_byte(out, next == 'n' || next == 'N' ? '\n' : (uint8_t)next);
			i++;
		} else {
			buf_put_byte(out, byte);
		}
	}
}

static enum rc tell_text(struct calendar *calendar, const struct line *line, enum content_place place)
{
	buf_clear(&calendar->text);
	put_text(line, &calendar->text);
	buf_put_byte(&calendar->text, '\n');
	return sink_text(calendar->sink, place, buf_slice(&calendar->text));
}

static enum rc tell_link(struct calendar *calendar, const struct line *line, enum content_place place)
{
	buf_clear(&calendar->text);
	put_text(line, &calendar->text);
	return sink_link(calendar->sink, place, slice_trim(buf_slice(&calendar->text)), parameter(line, "CN"));
}

/* ATTACH, PHOTO, LOGO, SOUND, KEY: bytes in base64, "data:...", or an address. */
static enum rc tell_file(struct calendar *calendar, const struct line *line, bool attachment)
{
	struct slice value = line->value, kind = parameter(line, "FMTTYPE");
	const bool   data = slice_starts_nocase(value, SLICE("data:")) && slice_find(value, ',') < value.len;
	const bool   coded = data || has_parameter(line, SLICE("BASE64")) || has_parameter(line, SLICE("ENCODING=B"));
	enum rc      rc = RC_OK;

	if (attachment)
		rc = sink_fact(calendar->sink, CONTENT_FACT_CALENDAR_ATTACHMENT, slice_take(value, CONTENT_EVIDENCE_MAX));
	if (rc != RC_OK || !coded)
		return rc != RC_OK ? rc : tell_link(calendar, line, attachment ? CONTENT_PLACE_BODY : CONTENT_PLACE_REFERENCE);
	if (data) {
		const struct slice head = slice_cut(value, 5, slice_find(value, ',') - 5);
		kind = slice_take(head, slice_find(head, ';'));
		value = slice_drop(value, slice_find(value, ',') + 1);
	}
	buf_clear(&calendar->text);
	put_base64(value, &calendar->text);
	if (!budget_take(calendar->budget, BUDGET_BYTES, calendar->text.len))
		return RC_LIMIT;
	struct slice name = parameter(line, "FILENAME");
	if (name.len == 0)
		name = parameter(line, "X-FILENAME");
	return sink_member(calendar->sink, calendar->budget,
	                   &(struct content_member){ .name = name, .bytes = buf_slice(&calendar->text), .kind = kind });
}

/* Which names hold what. Source: RFC 5545 section 3.8, RFC 6350 section 6, and Outlook's X-ALT-DESC. */
enum meaning {
	SHOWN,   /* text that readers show */
	HIDDEN,  /* text that they do not */
	ADDRESS, /* a link that is shown */
	PERSON,  /* an address of a person */
	FILE_OF, /* carries or names a file */
	PICTURE,
	MARKUP,  /* HTML */
};

static const struct {
	const char  *name;
	enum meaning meaning;
} meanings[] = {
	{ "SUMMARY", SHOWN },     { "DESCRIPTION", SHOWN }, { "LOCATION", SHOWN },   { "COMMENT", SHOWN },      { "CONTACT", SHOWN },
	{ "CATEGORIES", HIDDEN }, { "FN", SHOWN },          { "N", SHOWN },          { "NICKNAME", SHOWN },     { "ORG", SHOWN },
	{ "TITLE", SHOWN },       { "ROLE", SHOWN },        { "NOTE", SHOWN },       { "ADR", SHOWN },          { "TEL", SHOWN },
	{ "LABEL", SHOWN },       { "EMAIL", PERSON },      { "URL", ADDRESS },      { "CONFERENCE", ADDRESS }, { "SOURCE", ADDRESS },
	{ "FBURL", ADDRESS },     { "CALURI", ADDRESS },    { "IMPP", ADDRESS },     { "ORGANIZER", PERSON },   { "ATTENDEE", PERSON },
	{ "ATTACH", FILE_OF },    { "PHOTO", PICTURE },     { "LOGO", PICTURE },     { "SOUND", PICTURE },      { "KEY", PICTURE },
	{ "IMAGE", PICTURE },     { "X-ALT-DESC", MARKUP }, { "X-MICROSOFT-SKYPETEAMSMEETINGURL", ADDRESS },
	{ "X-GOOGLE-CONFERENCE", ADDRESS },
};

static enum rc take_meaning(struct calendar *calendar, const struct line *line, enum meaning meaning)
{
	switch (meaning) {
	case SHOWN:
		return tell_text(calendar, line, CONTENT_PLACE_BODY);
	case HIDDEN:
		return tell_text(calendar, line, CONTENT_PLACE_HIDDEN);
	case ADDRESS:
		return tell_link(calendar, line, CONTENT_PLACE_BODY);
	case PERSON: {
		const enum rc rc = tell_text(calendar, &(struct line){ .value = parameter(line, "CN") }, CONTENT_PLACE_METADATA);
		return rc == RC_OK ? tell_text(calendar, line, CONTENT_PLACE_METADATA) : rc;
	}
	case FILE_OF:
		return tell_file(calendar, line, true);
	case PICTURE:
		return tell_file(calendar, line, false);
	case MARKUP:
		buf_clear(&calendar->text);
		put_text(line, &calendar->text);
		return sink_member(calendar->sink, calendar->budget,
		                   &(struct content_member){ .name = SLICE("description.html"),
		                                             .bytes = buf_slice(&calendar->text),
		                                             .kind = SLICE("text/html") });
	}
	return RC_OK;
}

static enum rc take_line(struct calendar *calendar, struct slice whole)
{
	const struct line  line = split(whole);
	const struct slice value = slice_trim(line.value);
	enum rc            rc = RC_OK;

	if (slice_eq_nocase(line.name, SLICE("BEGIN")) || slice_eq_nocase(line.name, SLICE("END"))) {
		if (slice_eq_nocase(value, SLICE("VALARM")))
			calendar->alarm = slice_eq_nocase(line.name, SLICE("BEGIN"));
		return RC_OK;
	}
	if (slice_eq_nocase(line.name, SLICE("METHOD")) && (slice_eq_nocase(value, SLICE("REQUEST")) || slice_eq_nocase(value, SLICE("PUBLISH"))))
		return sink_fact(calendar->sink, CONTENT_FACT_CALENDAR_INVITATION, value);
	/* RFC 2445 had PROCEDURE; EMAIL sends to whom the alarm names. */
	if (calendar->alarm && slice_eq_nocase(line.name, SLICE("ACTION")) &&
	    (slice_eq_nocase(value, SLICE("PROCEDURE")) || slice_eq_nocase(value, SLICE("EMAIL"))))
		rc = sink_fact(calendar->sink, CONTENT_FACT_CALENDAR_ALARM, value);
	const struct slice markup = parameter(&line, "ALTREP");
	if (rc == RC_OK && markup.len != 0)
		rc = sink_link(calendar->sink, CONTENT_PLACE_REFERENCE, markup, slice_of(NULL, 0));
	for (size_t i = 0; i < sizeof meanings / sizeof meanings[0] && rc == RC_OK; i++) {
		if (slice_eq_nocase(line.name, slice_str(meanings[i].name)))
			rc = take_meaning(calendar, &line, meanings[i].meaning);
	}
	return rc;
}

/* Append the next unfolded line to `out`; false at the end. A line that begins with a blank goes on the one before. */
static bool next_line(struct slice *rest, struct buf *out)
{
	if (rest->len == 0)
		return false;
	for (;;) {
		struct slice part = slice_until(rest, '\n');
		if (slice_last(part) == '\r')
			part.len--;
		/* Quoted-printable goes on behind "=" at the end; the word stands in front of the value. */
		const struct slice head = slice_take(out->len != 0 ? buf_slice(out) : part, PARAMETERS_BYTES);
		const bool         soft = slice_last(part) == '=' && slice_search_nocase(head, SLICE("QUOTED-PRINTABLE")) < head.len;
		if (soft)
			part.len--;
		buf_put(out, part);
		if (rest->len == 0 || out->failed)
			return true;
		if (byte_is_wsp(rest->ptr[0]))
			*rest = slice_drop(*rest, 1);
		else if (!soft)
			return true;
	}
}

enum rc calendar_open(struct slice bytes, struct budget *budget, const struct content_sink *sink)
{
	struct calendar calendar = { .budget = budget, .sink = sink, .text = buf_make(CALENDAR_LINE_BYTES_MAX) };
	struct buf      line = buf_make(CALENDAR_LINE_BYTES_MAX);
	enum rc         rc = RC_OK;

	if (!calendar_is(bytes))
		return RC_SYNTAX;
	if (!budget_take(budget, BUDGET_STEPS, bytes.len))
		return RC_LIMIT;
	for (size_t i = 0; i < CALENDAR_LINES_MAX && rc == RC_OK && next_line(&bytes, &line); i++) {
		rc = take_line(&calendar, buf_slice(&line));
		buf_clear(&line);
	}
	buf_done(&line);
	buf_done(&calendar.text);
	return rc;
}
