/* Each stage gives the readings of one sort and says false when it has no more; the walk goes from one to the next. */
#include "mail/body.h"

#include "base/must.h"

#define SNIFF_MIN  20u  /* characters of base64 that make a run worth decoding */
#define SNIFF_SIZE 128u /* so many bytes decide */
#define FILE_NAME_MAX  1024u

static bool is_six_bits(uint8_t byte)
{
	return byte_is_alnum(byte) || byte == '+' || byte == '/' || byte == '=';
}

static bool is_line_end(int byte)
{
	return byte == '\n' || byte == '\r';
}

/* Does it begin with a run that looks like base64? Line ends, and one foreign byte in eight, are let pass. */
static bool looks_base64(struct slice s)
{
	size_t good = 0, bad = 0;

	for (size_t i = 0; i < s.len && i < SNIFF_SIZE; i++) {
		const uint8_t byte = s.ptr[i];
		if (byte == '\n' && is_line_end(slice_at(s, i + 1)))
			break;
		if (is_six_bits(byte))
			good++;
		else if (!is_line_end(byte))
			bad++;
	}
	return good >= SNIFF_MIN && bad * 8 <= good;
}

static void reading_set(struct body_reading *out, struct slice bytes, enum transfer_encoding encoding,
                        enum transfer_padding padding, uint32_t how)
{
	*out = (struct body_reading){ .encoding = encoding, .padding = padding, .bytes = bytes, .how = how };
}

/* ---- stages of a body with a header ---- */

static bool announced_stage(struct body_walk *walk, struct body_reading *out)
{
	if (walk->count != 0)
		return false;
	reading_set(out, walk->body, walk->encoding, TRANSFER_PADDING_RESTARTS, BODY_ANNOUNCED);
	return true;
}

/* Is the first of several lines no whole number of groups? Some readers decode line by line. */
static bool has_odd_lines(struct slice body)
{
	struct slice       rest = slice_take(body, 4 * SNIFF_SIZE);
	const struct slice line = slice_until(&rest, '\n');

	return rest.len != 0 && slice_trim(line).len % 4 != 0;
}

#define FLAW_ODD_LINES 0x8000u /* besides those of mail/transfer.h */

static const struct {
	enum transfer_padding padding;
	uint32_t              when;
} loose_ways[] = {
	{ TRANSFER_PADDING_IGNORED,
	  TRANSFER_FLAW_PADDING_INSIDE | TRANSFER_FLAW_FOREIGN | TRANSFER_FLAW_CUT_SHORT },
	{ TRANSFER_PADDING_ZERO, TRANSFER_FLAW_PADDING_INSIDE },
	{ TRANSFER_PADDING_QUADS, TRANSFER_FLAW_PADDING_INSIDE },
	{ TRANSFER_PADDING_COMMENT, TRANSFER_FLAW_FOREIGN },
	{ TRANSFER_PADDING_WHOLE, TRANSFER_FLAW_CUT_SHORT },
	{ TRANSFER_PADDING_LINES,
	  TRANSFER_FLAW_PADDING_INSIDE | TRANSFER_FLAW_FOREIGN | TRANSFER_FLAW_CUT_SHORT | FLAW_ODD_LINES },
};
#define LOOSE_WAYS (sizeof loose_ways / sizeof loose_ways[0])

/* The next of the ways that such flaws ask for; false when there is none. */
static bool loose_next(struct body_walk *walk, struct slice bytes, uint32_t flaws, uint32_t how, unsigned *way,
                       struct body_reading *out)
{
	if (has_odd_lines(bytes))
		flaws |= FLAW_ODD_LINES;
	walk->steps += SNIFF_SIZE;
	while (*way < LOOSE_WAYS) {
		const unsigned at = (*way)++;
		if ((flaws & loose_ways[at].when) == 0)
			continue;
		reading_set(out, bytes, TRANSFER_BASE64, loose_ways[at].padding, how | BODY_LOOSE);
		return true;
	}
	return false;
}

static bool loose_stage(struct body_walk *walk, struct body_reading *out)
{
	if (walk->encoding != TRANSFER_BASE64)
		return false;
	return loose_next(walk, walk->body, walk->announced_flaws, 0, &walk->state, out);
}

/*
 * Text with a stray "=" is shown alike by nearly all; a file in quoted-printable is taken apart by its readers. When
 * nothing is known, the sound way comes first.
 */
static bool tight_stage(struct body_walk *walk, struct body_reading *out)
{
	static const enum transfer_encoding ways[] = { TRANSFER_QUOTED_PRINTABLE, TRANSFER_QUOTED_TIGHT,
		                                       TRANSFER_QUOTED_LINES, TRANSFER_QUOTED_SIGN,
		                                       TRANSFER_QUOTED_UPPER };
	const bool wanted = walk->encoding == TRANSFER_QUOTED_PRINTABLE &&
	                    ((walk->flags & BODY_OF_TEXT) == 0 || walk->announced_flaws != 0);

	if (!(wanted || walk->doubtful))
		return false;
	if (walk->state == 0 && !walk->doubtful)
		walk->state = 1;
	if (walk->state == sizeof ways / sizeof ways[0])
		return false;
	reading_set(out, walk->body, ways[walk->state++], TRANSFER_PADDING_RESTARTS, BODY_TIGHT);
	return true;
}

/* The body is base64 as a whole, and was announced as something else. */
static bool hidden_stage(struct body_walk *walk, struct body_reading *out)
{
	const bool other = !transfer_is_coded(walk->encoding) || walk->encoding == TRANSFER_QUOTED_PRINTABLE;

	if (walk->state != 0 || !other || !looks_base64(walk->body))
		return false;
	walk->state = 1;
	walk->steps += SNIFF_SIZE;
	reading_set(out, walk->body, TRANSFER_BASE64, TRANSFER_PADDING_RESTARTS, BODY_HIDDEN);
	return true;
}

/* As it stands: to readers that do not know the encoding, or that give up on base64 which is none. */
static bool plain_stage(struct body_walk *walk, struct body_reading *out)
{
	const bool rare = walk->encoding == TRANSFER_UUENCODE || walk->encoding == TRANSFER_YENC ||
	                  walk->encoding == TRANSFER_BINHEX;
	const bool broken = walk->encoding == TRANSFER_BASE64 && (walk->announced_flaws & TRANSFER_FLAW_FOREIGN) != 0;

	if (!(walk->doubtful || rare || broken) || walk->state != 0)
		return false;
	walk->state = 1;
	reading_set(out, walk->body, TRANSFER_8BIT, TRANSFER_PADDING_RESTARTS, BODY_PLAIN);
	return true;
}

/* ---- files in text ---- */

/* The line at the front with its end, which is LF, CR or CRLF. */
static size_t line_size(struct slice s)
{
	size_t i = 0;

	while (i < s.len && !is_line_end(s.ptr[i]))
		i++;
	i += slice_at(s, i) == '\r';
	return i + (slice_at(s, i) == '\n');
}

/* The name behind "begin 644 "; empty: this is no such line. */
static struct slice begin_name(struct slice line, struct slice word)
{
	size_t digits = word.len;

	while (digits < line.len && byte_is_digit(line.ptr[digits]))
		digits++;
	if (!slice_starts(line, word) || digits < word.len + 3 || digits > word.len + 4 || slice_at(line, digits) != ' ')
		return (struct slice){ NULL, 0 };
	return slice_take(slice_trim(slice_drop(line, digits + 1)), FILE_NAME_MAX);
}

static struct slice yenc_name(struct slice line)
{
	const struct slice word = SLICE("name=");

	return slice_take(slice_trim(slice_drop(line, slice_search(line, word) + word.len)), FILE_NAME_MAX);
}

/* Is this line the beginning of a file? */
static bool file_begins(struct slice line, struct body_reading *out)
{
	const struct slice file = out->bytes;

	out->name = begin_name(line, SLICE("begin "));
	out->encoding = TRANSFER_UUENCODE;
	if (out->name.len != 0)
		return true;
	out->encoding = TRANSFER_YENC;
	out->name = yenc_name(line);
	if (slice_starts(line, SLICE("=ybegin ")))
		return true;
	out->encoding = TRANSFER_BASE64; /* "uuencode -m" of POSIX */
	out->bytes = slice_drop(out->bytes, line.len);
	out->name = begin_name(line, SLICE("begin-base64 "));
	if (out->name.len != 0)
		return true;
	out->bytes = file;
	out->encoding = TRANSFER_BINHEX;
	out->name = (struct slice){ NULL, 0 };
	return slice_starts(line, SLICE("(This file must be converted with BinHex"));
}

static bool file_stage(struct body_walk *walk, struct body_reading *out)
{
	if (!walk->doubtful && ((walk->flags & BODY_MAY_HOLD_FILES) == 0 || transfer_is_coded(walk->encoding)))
		return false;
	while (walk->rest.len != 0) {
		const struct slice file = walk->rest;
		const struct slice line = slice_take(file, line_size(file));
		walk->steps += line.len;
		walk->rest = slice_drop(file, line.len);
		*out = (struct body_reading){ .bytes = file, .how = BODY_FILE };
		if (body_file_begins(line) && file_begins(slice_take(line, 2 * FILE_NAME_MAX), out))
			return true;
	}
	return false;
}

/* ---- runs of base64 ---- */

/* walk->state: 0 seek; then 1 + a way of loose_ways; then these. */
enum { RUN_SEEK = 0, RUN_LOOSE = 1, RUN_BEYOND = RUN_LOOSE + LOOSE_WAYS, RUN_LATER };

static bool is_whole_line(struct slice line)
{
	size_t good = 0;

	for (size_t i = 0; i < line.len; i++) {
		if (is_six_bits(line.ptr[i]))
			good++;
		else if (!is_line_end(line.ptr[i]) && !byte_is_wsp(line.ptr[i]))
			return false;
	}
	return good != 0;
}

/* Move to the next line that begins a run, and behind the run's last whole line. */
static bool run_seek(struct body_walk *walk)
{
	while (walk->rest.len >= SNIFF_MIN) {
		const struct slice start = walk->rest;
		walk->steps += SNIFF_SIZE;
		walk->rest = slice_drop(start, line_size(start));
		walk->steps += start.len - walk->rest.len;
		if (!looks_base64(start))
			continue;
		for (;;) {
			const struct slice line = slice_take(walk->rest, line_size(walk->rest));
			walk->steps += line.len;
			if (!is_whole_line(line))
				break;
			walk->rest = slice_drop(walk->rest, line.len);
		}
		walk->run = slice_take(start, start.len - walk->rest.len);
		return true;
	}
	return false;
}

/* Lines that are no base64 stand in between for some readers and are skipped by others. */
static bool run_beyond(const struct body_walk *walk, struct body_reading *out)
{
	const size_t       at = (size_t)(walk->run.ptr - walk->body.ptr);
	const struct slice beyond = slice_cut(walk->body, at, walk->run.len + BODY_RUN_SLACK);

	if (beyond.len == walk->run.len)
		return false;
	reading_set(out, beyond, TRANSFER_BASE64, TRANSFER_PADDING_RESTARTS, BODY_HIDDEN);
	return true;
}

/* The first line may be a word that looks like base64 by chance. */
static bool run_later(struct body_walk *walk, struct body_reading *out)
{
	const size_t first = line_size(walk->run);

	if (slice_trim(slice_take(walk->run, first)).len % 4 == 0 || !looks_base64(slice_drop(walk->run, first)))
		return false;
	reading_set(out, slice_drop(walk->run, first), TRANSFER_BASE64, TRANSFER_PADDING_RESTARTS, BODY_HIDDEN);
	return true;
}

static bool run_stage(struct body_walk *walk, struct body_reading *out)
{
	if (walk->state == RUN_LOOSE)
		walk->announced_flaws = walk->flaws;
	if (walk->state >= RUN_LOOSE && walk->state < RUN_BEYOND) {
		unsigned   way = walk->state - RUN_LOOSE;
		const bool more = loose_next(walk, walk->run, walk->announced_flaws, BODY_HIDDEN, &way, out);
		walk->state = RUN_LOOSE + way;
		if (more)
			return true;
		walk->state = RUN_BEYOND;
	}
	if (walk->state == RUN_BEYOND) {
		walk->state = RUN_LATER;
		if (run_beyond(walk, out))
			return true;
	}
	if (walk->state == RUN_LATER) {
		walk->state = RUN_SEEK;
		if (run_later(walk, out))
			return true;
	}
	if (!run_seek(walk))
		return false;
	walk->state = RUN_LOOSE;
	reading_set(out, walk->run, TRANSFER_BASE64, TRANSFER_PADDING_RESTARTS, BODY_HIDDEN);
	return true;
}

/* ---- the walk ---- */

static bool (*const announced_stages[])(struct body_walk *, struct body_reading *) = {
	announced_stage, loose_stage, tight_stage, hidden_stage, plain_stage, file_stage,
};
static bool (*const doubtful_stages[])(struct body_walk *, struct body_reading *) = {
	plain_stage, tight_stage, file_stage, run_stage,
};

struct body_walk body_begin(struct slice body, enum transfer_encoding encoding, uint32_t flags)
{
	return (struct body_walk){ .body = body, .rest = body, .encoding = encoding, .flags = flags };
}

struct body_walk body_begin_doubtful(struct slice bytes)
{
	return (struct body_walk){ .body = bytes, .rest = bytes, .encoding = TRANSFER_8BIT, .doubtful = true };
}

bool body_next(struct body_walk *walk, struct body_reading *out)
{
	const size_t stages = walk->doubtful ? sizeof doubtful_stages / sizeof doubtful_stages[0]
	                                     : sizeof announced_stages / sizeof announced_stages[0];

	while (walk->stage < stages) {
		struct body_reading reading = { .name = { NULL, 0 } };
		const bool          given = walk->doubtful ? doubtful_stages[walk->stage](walk, &reading)
		                                           : announced_stages[walk->stage](walk, &reading);
		if (!given) {
			walk->stage++;
			walk->rest = walk->body;
			walk->state = 0;
			continue;
		}
		if (walk->count == BODY_READINGS_MAX) {
			walk->cut = true;
			return false;
		}
		walk->count++;
		walk->flaws = 0;
		reading.offset = reading.bytes.len == 0 ? 0 : (uint32_t)(reading.bytes.ptr - walk->body.ptr);
		*out = reading;
		return true;
	}
	return false;
}

struct transfer body_open(const struct body_reading *reading)
{
	return transfer_begin(reading->encoding, reading->padding, reading->bytes);
}

void body_told(struct body_walk *walk, uint32_t flaws)
{
	walk->flaws = flaws;
	if (walk->count == 1)
		walk->announced_flaws = flaws;
}
