/*
 * What one body holds, in every way that readers decode it (mail/body.h): test strings, how the encodings are kept,
 * and the names of files in text. scan/readings.c says which bodies there are. Engines that look into content are
 * called from bytes_look().
 *
 * EICAR is defined by the anti-virus industry as a file that begins with the 68 bytes and is at most 128 long. Here
 * it counts when the whole string stands anywhere in a decoded text part, or within the first EICAR_WINDOW decoded
 * bytes of any other reading (DOUBT_WINDOW of a whole message), whatever follows: broader than the definition, and the rest of a large attachment need
 * not be decoded.
 */
#include "scan/content.h"

#define EICAR_WINDOW 16384u
#define DOUBT_WINDOW (1u << 20) /* of a whole message of which nobody knows what stands where */
#define TEST_SIZE    68u
#define CHUNK        16384u

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

/* What is decoded of one reading: bytes, and whether they are to be looked at to their end. */
struct look {
	struct scan_work *work;
	struct scan_body *body;
	bool              other;  /* not what the header of a part of the primary reading announces */
	uint64_t          window; /* decoded bytes that are looked at */
	struct tests      found;
	struct slice      undecoded;
	struct transfer   transfer;
};

/* Steps of the primary reading are the message's; those of all others also have a bound of their own. */
static bool look_step(struct look *look, uint64_t steps)
{
	return look->other ? scan_reading_step(look->work, steps) : scan_step(look->work, steps);
}

static bool decoded_take(struct look *look, size_t size)
{
	struct scan_work *work = look->work;

	work->decoded_bytes += size;
	if (work->decoded_bytes <= work->options->limits.decoded_bytes)
		return true;
	collect_limit(&work->collector, FINDING_LIMIT_DECODED_BYTES, 0, work->options->limits.decoded_bytes);
	return false;
}

/* Nothing to decode: the bytes as they stand. */
static void plain_look(struct look *look, struct slice bytes)
{
	const struct slice seen = slice_take(bytes, look->window);

	if (!look_step(look, seen.len))
		return;
	strings_find(seen, &look->found);
	look->undecoded = slice_drop(bytes, seen.len);
}

static void coded_look(struct look *look, const struct body_reading *reading)
{
	uint8_t  chunk[TEST_SIZE + CHUNK];
	size_t   kept = 0;
	uint64_t looked = 0;

	look->transfer = body_open(reading);
	while (looked < look->window) {
		const size_t before = look->transfer.rest.len;
		const size_t made = transfer_read(&look->transfer, &chunk[kept], CHUNK);
		const size_t used = before - look->transfer.rest.len;
		/* What is skipped is work as well. */
		if (!look_step(look, 1 + (used > made ? used : made)) || made == 0 || !decoded_take(look, made))
			break;
		strings_find(slice_of(chunk, kept + made), &look->found);
		looked += made;
		/* The end of this piece may be the beginning of a string. */
		const size_t size = kept + made;
		kept = size < TEST_SIZE - 1 ? size : TEST_SIZE - 1;
		memmove(chunk, &chunk[size - kept], kept);
	}
	look->undecoded = look->transfer.rest;
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
static void flaws_collect(struct scan_work *work, const struct scan_body *body, uint32_t flaws, uint64_t foreign)
{
	const bool broken = (flaws & FLAWS_THAT_DIFFER) != 0;

	if (broken || (flaws & TRANSFER_FLAW_ESCAPE) != 0)
		collect(&work->collector, broken ? FINDING_MIME_ENCODING_BROKEN : FINDING_MIME_ENCODING_LOOSE,
		        body->part, body->offset, body->size, (int64_t)foreign,
		        slice_take(body->bytes, 32));
}

/* The reading that the header announces: also, does the body keep to it? */
static uint32_t announced_look(struct look *look, const struct body_reading *reading)
{
	uint32_t flaws = look->transfer.flaws;

	if (reading->encoding == TRANSFER_BASE64 && padding_inside(look->undecoded))
		flaws |= TRANSFER_FLAW_PADDING_INSIDE;
	if (!look->body->other)
		flaws_collect(look->work, look->body, flaws, look->transfer.foreign);
	return flaws;
}

static uint32_t reading_look(struct scan_work *work, struct scan_body *body, const struct body_reading *reading)
{
	const bool  announced = (reading->how & BODY_ANNOUNCED) != 0;
	const bool  whole = !body->other && announced && body->text;
	const bool  all = body->other && !announced && body->bytes.ptr == reading->bytes.ptr;
	struct look look = { .work = work,
		             .body = body,
		             .other = body->other || !announced,
		             .window = whole ? UINT64_MAX : all ? DOUBT_WINDOW : EICAR_WINDOW };

	if (transfer_is_coded(reading->encoding))
		coded_look(&look, reading);
	else
		plain_look(&look, reading->bytes);
	body->hidden |= (reading->how & (BODY_HIDDEN | BODY_PLAIN)) != 0 &&
	                ((look.found.eicar && !body->eicar) || (look.found.gtube && !body->gtube));
	body->eicar |= look.found.eicar;
	body->gtube |= look.found.gtube;
	return announced ? announced_look(&look, reading) : look.transfer.flaws;
}

/* A file in text: readers show it as an attachment with that name. */
static void file_look(struct scan_work *work, const struct scan_body *body, const struct body_reading *reading)
{
	const uint32_t at = body->inside ? 0 : reading->offset;
	const uint32_t line = (uint32_t)slice_find(slice_take(reading->bytes, 1024), '\n');

	if (reading->name.len != 0)
		scan_name(work, body->part, body->offset + at, body->inside ? body->size : line, reading->name);
}

static void body_end(struct scan_work *work, struct scan_body *body)
{
	const struct slice none = { NULL, 0 };

	/* Another reading does not tell again what was found before. */
	if (body->other) {
		body->eicar = body->eicar && work->collector.per_kind[FINDING_CONTENT_EICAR] == 0;
		body->gtube = body->gtube && work->collector.per_kind[FINDING_CONTENT_GTUBE] == 0;
		body->hidden = body->hidden && (body->eicar || body->gtube);
	}

	if (body->hidden)
		collect(&work->collector, FINDING_MIME_ENCODING_HIDDEN, body->part, body->offset, body->size, 0,
		        slice_take(body->bytes, 32));
	if (body->eicar)
		collect(&work->collector, FINDING_CONTENT_EICAR, body->part, body->offset, body->size,
		        (int64_t)body->size, none);
	if (body->gtube)
		collect(&work->collector, FINDING_CONTENT_GTUBE, body->part, body->offset, body->size, 0, none);
}

void scan_body_walk(struct scan_work *work, struct scan_body *body, struct body_walk *walk)
{
	struct body_reading reading;
	uint64_t            steps = 0;

	while (body_next(walk, &reading)) {
		if (!scan_step(work, walk->steps - steps) || (body->other && !scan_reading_step(work, 1)))
			break;
		steps = walk->steps;
		body_told(walk, reading_look(work, body, &reading));
		if ((reading.how & BODY_FILE) != 0)
			file_look(work, body, &reading);
	}
	(void)scan_step(work, walk->steps - steps);
	if (walk->cut)
		collect_limit(&work->collector, FINDING_LIMIT_READINGS, body->part, BODY_READINGS_MAX);
	body_end(work, body);
}
