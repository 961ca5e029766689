/*
 * Test strings in what can be decoded, and how bodies keep to their encoding.
 *
 * EICAR is defined by the anti-virus industry as a file that begins with the 68 bytes and is at most 128 long. Here
 * it counts when the whole string stands anywhere in a decoded text part, or within the first EICAR_WINDOW decoded
 * bytes of any other part, whatever follows: broader than the definition, and the rest of a large attachment need not
 * be decoded.
 *
 * Where the encoding is broken or missing, the other ways in which readers decode are tried too, on the window only.
 */
#include "mail/encoded_word.h"
#include "scan/work.h"

#define EICAR_WINDOW     16384u
#define TEST_SIZE        68u
#define CHUNK            16384u
#define PARAGRAPHS_MAX   64u /* places in one body where hidden base64 is looked for */
#define PARAGRAPH_WINDOW 4096u
#define SNIFF_MIN        20u /* characters of base64 that make it worth decoding */

/* Written in two halves so that this program's own file is no test virus. */
static const struct slice eicar_head = SLICE_INIT("X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-");
static const struct slice eicar_tail = SLICE_INIT("STANDARD-ANTIVIRUS-TEST-FILE!$H+H*");
static const struct slice gtube_head = SLICE_INIT("XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-");
static const struct slice gtube_tail = SLICE_INIT("STANDARD-ANTI-UBE-TEST-EMAIL*C.34X");

struct tests {
	bool eicar;
	bool gtube;
};

static bool stands_at(struct slice s, struct slice head, struct slice tail)
{
	return s.len >= TEST_SIZE && slice_starts(s, head) && slice_starts(slice_drop(s, head.len), tail);
}

/* Both strings begin with "X". */
static void strings_find(struct slice s, struct tests *found)
{
	while (s.len >= TEST_SIZE) {
		s = slice_drop(s, slice_find(s, 'X'));
		found->eicar |= slice_at(s, 1) == '5' && stands_at(s, eicar_head, eicar_tail);
		found->gtube |= slice_at(s, 1) == 'J' && stands_at(s, gtube_head, gtube_tail);
		s = slice_drop(s, 1);
	}
}

/* One way of reading one body. */
struct reading {
	struct slice           body;
	enum transfer_encoding encoding;
	enum transfer_padding  padding;
	uint64_t               window; /* decoded bytes that are looked at */
	struct tests           found;
	uint32_t               flaws;
	uint64_t               foreign;
	struct slice           undecoded;
};

static bool decoded_take(struct scan_work *work, size_t size)
{
	work->decoded_bytes += size;
	if (work->decoded_bytes <= work->options->limits.decoded_bytes)
		return true;
	collect_limit(&work->collector, FINDING_LIMIT_DECODED_BYTES, 0, work->options->limits.decoded_bytes);
	return false;
}

/* Nothing to decode: the bytes as they stand. */
static void plain_read(struct scan_work *work, struct reading *reading)
{
	const struct slice look = slice_take(reading->body, reading->window);

	if (!scan_step(work, look.len))
		return;
	strings_find(look, &reading->found);
	reading->undecoded = slice_drop(reading->body, look.len);
}

static void coded_read(struct scan_work *work, struct reading *reading)
{
	uint8_t         chunk[TEST_SIZE + CHUNK];
	struct transfer transfer = transfer_begin(reading->encoding, reading->padding, reading->body);
	size_t          kept = 0;
	uint64_t        looked = 0;

	while (looked < reading->window) {
		const size_t made = transfer_read(&transfer, &chunk[kept], CHUNK);
		if (made == 0 || !scan_step(work, made + 1) || !decoded_take(work, made))
			break;
		strings_find(slice_of(chunk, kept + made), &reading->found);
		looked += made;
		/* The end of this piece may be the beginning of a string. */
		const size_t size = kept + made;
		kept = size < TEST_SIZE - 1 ? size : TEST_SIZE - 1;
		memmove(chunk, &chunk[size - kept], kept);
	}
	reading->flaws = transfer.flaws;
	reading->foreign = transfer.foreign;
	reading->undecoded = transfer.rest;
}

static void reading_run(struct scan_work *work, struct reading *reading)
{
	if (reading->window != 0 && transfer_is_coded(reading->encoding))
		coded_read(work, reading);
	else
		plain_read(work, reading);
}

/* What one part was found to hold, over all readings. */
struct view {
	const struct message_part *part;
	struct slice               body;
	uint32_t                   offset; /* of body in the message */
	struct tests               found;
	bool                       hidden; /* only in a reading that the header does not announce */
};

static void view_take(struct view *view, struct tests found, bool hidden)
{
	const bool fresh = (found.eicar && !view->found.eicar) || (found.gtube && !view->found.gtube);

	view->hidden |= hidden && fresh;
	view->found.eicar |= found.eicar;
	view->found.gtube |= found.gtube;
}

static struct reading try_reading(struct scan_work *work, struct view *view, struct slice body,
                                  enum transfer_encoding encoding, enum transfer_padding padding, bool hidden)
{
	struct reading reading = { .body = body, .encoding = encoding, .padding = padding, .window = EICAR_WINDOW };

	reading_run(work, &reading);
	view_take(view, reading.found, hidden);
	return reading;
}

/* Does the text begin with a run that looks like base64? Line ends, and one foreign byte in eight, are let pass. */
static bool looks_base64(struct slice s)
{
	size_t good = 0, bad = 0;

	for (size_t i = 0; i < s.len && i < 128; i++) {
		const uint8_t byte = s.ptr[i];
		if (byte == '\n' && (slice_at(s, i + 1) == '\n' || slice_at(s, i + 1) == '\r'))
			break;
		if (byte_is_alnum(byte) || byte == '+' || byte == '/' || byte == '=')
			good++;
		else if (byte != '\r' && byte != '\n')
			bad++;
	}
	return good >= SNIFF_MIN && bad * 8 <= good;
}

/* Each paragraph of a body that looks like base64, decoded; and "begin 644 name", which old readers open anywhere. */
static void paragraphs_try(struct scan_work *work, struct view *view, struct slice body)
{
	struct slice rest = body;

	for (unsigned count = 0; count < PARAGRAPHS_MAX && rest.len >= SNIFF_MIN; count++) {
		if (looks_base64(rest)) {
			const struct slice near = slice_take(rest, PARAGRAPH_WINDOW);
			(void)try_reading(work, view, near, TRANSFER_BASE64, TRANSFER_PADDING_RESTARTS, true);
			(void)try_reading(work, view, near, TRANSFER_BASE64, TRANSFER_PADDING_IGNORED, true);
		}
		/* On to behind the next empty line. */
		for (;;) {
			const struct slice line = slice_until(&rest, '\n');
			if (rest.len == 0 || line.len == 0 || (line.len == 1 && line.ptr[0] == '\r'))
				break;
		}
	}
	if (!scan_step(work, body.len))
		return;
}

/* The name behind "begin 644 "; empty: this is no such line. */
static struct slice begin_name(struct slice line)
{
	size_t digits = 6;

	while (digits < line.len && byte_is_digit(line.ptr[digits]))
		digits++;
	if (!slice_starts(line, SLICE("begin ")) || digits < 9 || digits > 10 || slice_at(line, digits) != ' ')
		return (struct slice){ NULL, 0 };
	return slice_trim(slice_drop(line, digits + 1));
}

/* uuencoded files inside a body that is not encoded otherwise: readers show them as attachments. */
static void uuencoded_try(struct scan_work *work, struct view *view)
{
	struct slice rest = view->body;

	for (unsigned count = 0; count < PARAGRAPHS_MAX; count++) {
		const size_t at = slice_search(rest, SLICE("begin "));
		if (!scan_step(work, at + 1) || at == rest.len)
			return;
		const size_t offset = view->body.len - rest.len + at;
		struct slice line = slice_drop(view->body, offset);
		rest = slice_drop(rest, at + 6);
		if (offset != 0 && view->body.ptr[offset - 1] != '\n')
			continue;
		const struct slice file = line;
		const struct slice name = begin_name(slice_until(&line, '\n'));
		if (name.len == 0)
			continue;
		(void)try_reading(work, view, file, TRANSFER_UUENCODE, TRANSFER_PADDING_RESTARTS, false);
		scan_name(work, view->part->index, view->offset + (uint32_t)offset, (uint32_t)(file.len - line.len),
		          slice_take(name, 1024));
	}
}

static bool is_text(const struct message_part *part)
{
	return part->type.word.len == 0 || slice_starts(part->type.word, SLICE("text/"));
}

/* base64 going on behind its padding, in the bytes that were not decoded. */
static bool padding_inside(struct slice rest)
{
	const size_t at = slice_find(rest, '=');

	for (size_t i = at; i < rest.len && i < at + 8; i++) {
		if (byte_is_alnum(rest.ptr[i]) || rest.ptr[i] == '+' || rest.ptr[i] == '/')
			return true;
	}
	return false;
}

#define FLAWS_THAT_DIFFER (TRANSFER_FLAW_FOREIGN | TRANSFER_FLAW_PADDING_INSIDE | TRANSFER_FLAW_LINE)

/* A "=" that stands for itself in quoted-printable is what careless senders write and nearly all readers show. */
static void flaws_collect(struct scan_work *work, const struct view *view, const struct reading *reading)
{
	const bool broken = (reading->flaws & FLAWS_THAT_DIFFER) != 0;

	if (broken || (reading->flaws & TRANSFER_FLAW_ESCAPE) != 0)
		collect(&work->collector, broken ? FINDING_MIME_ENCODING_BROKEN : FINDING_MIME_ENCODING_LOOSE,
		        view->part->index, view->offset, (uint32_t)view->body.len, (int64_t)reading->foreign,
		        slice_take(view->body, 32));
}

/*
 * A message or multipart that is itself encoded stays a leaf of the tree; some readers open it all the same. The beginning of
 * what comes out is looked through like any doubtful body.
 */
static void composite_read(struct scan_work *work, struct view *view)
{
	const struct slice type = view->part->type.word;
	uint8_t            decoded[EICAR_WINDOW];
	size_t             size = 0;

	if (!slice_starts(type, SLICE("message/")) && !slice_starts(type, SLICE("multipart/")))
		return;
	struct transfer transfer = transfer_begin(view->part->encoding, TRANSFER_PADDING_RESTARTS, view->body);
	while (sizeof decoded - size >= TRANSFER_ROOM_MIN) {
		const size_t made = transfer_read(&transfer, &decoded[size], sizeof decoded - size);
		if (made == 0 || !scan_step(work, made) || !decoded_take(work, made))
			break;
		size += made;
	}
	paragraphs_try(work, view, slice_of(decoded, size));
}

/* The part as its header announces it. */
static void announced_read(struct scan_work *work, struct view *view)
{
	const enum transfer_encoding encoding = view->part->encoding;
	struct reading               reading = {
			      .body = view->body,
			      .encoding = encoding,
			      .padding = TRANSFER_PADDING_RESTARTS,
			      .window = is_text(view->part) ? UINT64_MAX : EICAR_WINDOW,
	};

	reading_run(work, &reading);
	view_take(view, reading.found, false);
	if (encoding == TRANSFER_BASE64 && padding_inside(reading.undecoded))
		reading.flaws |= TRANSFER_FLAW_PADDING_INSIDE;
	flaws_collect(work, view, &reading);
	if (encoding == TRANSFER_BASE64 && reading.flaws != 0)
		(void)try_reading(work, view, view->body, TRANSFER_BASE64, TRANSFER_PADDING_IGNORED, false);
	if (transfer_is_coded(encoding)) {
		composite_read(work, view);
		return;
	}
	uuencoded_try(work, view);
	if (looks_base64(view->body))
		(void)try_reading(work, view, slice_take(view->body, 2 * EICAR_WINDOW), TRANSFER_BASE64,
		                  TRANSFER_PADDING_RESTARTS, true);
}

/* A body that begins like a header: the header ended too early for readers that go on past an empty line. */
static void early_body_look(struct scan_work *work, const struct message_part *part)
{
	struct slice body = slice_take(part->body, 512);

	while (body.len != 0 && (body.ptr[0] == '\r' || body.ptr[0] == '\n' || byte_is_wsp(body.ptr[0])))
		body = slice_drop(body, 1);
	const struct slice line = slice_take(body, slice_find(body, '\n'));
	if (slice_starts_nocase(line, SLICE("content-")) && slice_find(line, ':') < line.len)
		collect(&work->collector, FINDING_MIME_PART_HEADER, part->index, part->body_offset,
		        (uint32_t)part->body.len, 0, line);
}

/* Bodies about which readers may disagree are decoded in the other ways as well. */
static void doubtful_read(struct scan_work *work, struct view *view)
{
	const struct slice near = slice_take(view->body, 4 * EICAR_WINDOW);

	(void)try_reading(work, view, near, TRANSFER_8BIT, TRANSFER_PADDING_RESTARTS, true);
	(void)try_reading(work, view, near, TRANSFER_QUOTED_PRINTABLE, TRANSFER_PADDING_RESTARTS, true);
	paragraphs_try(work, view, near);
}

static void view_end(struct scan_work *work, const struct view *view)
{
	const struct slice none = { NULL, 0 };
	const uint32_t     size = (uint32_t)view->body.len;

	if (view->hidden)
		collect(&work->collector, FINDING_MIME_ENCODING_HIDDEN, view->part->index, view->offset, size, 0,
		        slice_take(view->body, 32));
	if (view->found.eicar)
		collect(&work->collector, FINDING_CONTENT_EICAR, view->part->index, view->offset, size, (int64_t)size,
		        none);
	if (view->found.gtube)
		collect(&work->collector, FINDING_CONTENT_GTUBE, view->part->index, view->offset, size, 0, none);
}

/* Something about the message's structure is open to more than one reading. */
static bool is_doubtful(const struct collector *collector)
{
	for (unsigned kind = FINDING_MIME_TYPE_MALFORMED; kind <= FINDING_MIME_ENCODING_HIDDEN; kind++) {
		if (collector->per_kind[kind] != 0)
			return true;
	}
	return collector->per_kind[FINDING_HEADER_NOT_A_FIELD] != 0 ||
	       collector->per_kind[FINDING_HEADER_BLANK_FOLD] != 0 ||
	       collector->per_kind[FINDING_HEADER_SPACE_BEFORE_COLON] != 0 ||
	       collector->per_kind[FINDING_HEADER_BARE_CR] != 0 || collector->per_kind[FINDING_HEADER_CONTROL] != 0 ||
	       collector->per_kind[FINDING_HEADER_NUL] != 0 || collector->per_kind[FINDING_HEADER_MBOX_FROM] != 0 ||
	       collector->per_kind[FINDING_HEADER_CONTINUATION_FIRST] != 0 ||
	       collector->per_kind[FINDING_HEADER_NAME_MALFORMED] != 0 ||
	       collector->per_kind[FINDING_LIMIT_DEPTH] != 0 || collector->per_kind[FINDING_MIME_ENCODING_LOOSE] != 0;
}

static struct view view_of(const struct scan_work *work, const struct message_part *part, uint32_t offset, uint32_t end)
{
	return (struct view){ .part = part,
		              .offset = offset,
		              .body = slice_cut(work->bytes, offset, end > offset ? end - offset : 0) };
}

/*
 * What of a part readers may take for its body: behind a header that ends early for some, before and behind its
 * delimiters.
 */
static void doubtful_part_read(struct scan_work *work, const struct message_part *part)
{
	const uint32_t end = part->body_offset + (uint32_t)part->body.len;
	struct view    views[3] = { { .part = NULL } };
	size_t         count = 0;

	if (part->header.junk_offset != 0)
		views[count++] = view_of(work, part, part->header.junk_offset, end);
	if (part->kind == PART_MULTIPART) {
		views[count++] = view_of(work, part, part->body_offset, part->body_offset + part->preamble_size);
		if (part->epilogue_offset != 0)
			views[count++] = view_of(work, part, part->epilogue_offset, end);
	}
	for (size_t i = 0; i < count; i++) {
		doubtful_read(work, &views[i]);
		view_end(work, &views[i]);
	}
}

static void type_look(struct scan_work *work, const struct message_part *part)
{
	const bool fragment = slice_eq(part->type.word, SLICE("message/partial"));

	if (fragment || slice_eq(part->type.word, SLICE("message/external-body")))
		collect(&work->collector, fragment ? FINDING_MIME_FRAGMENT : FINDING_MIME_EXTERNAL, part->index,
		        part->header.offset, part->header.size, 0, (struct slice){ NULL, 0 });
}

void scan_content(struct scan_work *work)
{
	for (size_t i = 0; i < work->message.count; i++) {
		const struct message_part *part = work->message.parts[i];
		type_look(work, part);
		if (part->kind == PART_LEAF) {
			struct view view = { .part = part, .body = part->body, .offset = part->body_offset };
			announced_read(work, &view);
			early_body_look(work, part);
			if (is_doubtful(&work->collector))
				doubtful_read(work, &view);
			view_end(work, &view);
		}
		if (is_doubtful(&work->collector))
			doubtful_part_read(work, part);
	}
}
