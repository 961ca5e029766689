/* The table of live bodies, and reading one. */
#include "journal/bodies.h"

#include "base/memory.h"
#include "base/must.h"
#include "journal/compress.h"
#include "sys/threads.h"

#define FILES_MAX           128u        /* segment files open for reading bodies */
#define INPUT_SIZE          (64u << 10) /* stored bytes unpacked at a time */
#define CHECK_SIZE          (64u << 10)
#define PLACES_FIRST_ROOM   32u
#define SEGMENTS_FIRST_ROOM 64u
#define DROPPED             1u /* offsets are multiples of 8, so that the lowest bit is free */

struct body_segment {
	uint64_t number;
	uint64_t *places; /* owned; offsets of bodies, ascending, DROPPED marked; NULL: sealed and none live */
	uint32_t count;
	uint32_t room;
	uint32_t live;
	uint64_t live_bytes;
	uint64_t dropped_bytes; /* since the last punching */
	bool     sealed;
	bool     compacted;
	bool     holes;
};

struct open_file {
	struct journal_file *file; /* NULL: free */
	uint64_t             segment;
	uint32_t             seed;
	uint32_t             users;
	uint64_t             used; /* rises with each use */
};

struct journal_bodies {
	struct mutex         lock; /* guards all below */
	struct journal_disk *disk;
	uint8_t              id[JOURNAL_ID_SIZE];
	struct body_segment *segments; /* ascending by number */
	size_t               count;
	size_t               room;
	struct open_file     files[FILES_MAX];
	uint64_t             uses;
	bool                 closed; /* the last body to be closed frees the table */
};

struct journal_body {
	struct journal_bodies *bodies;
	struct open_file      *file;
	struct journal_head    head;
	uint64_t               payload_at;
	/* Of a compressed body, else NULL. */
	struct journal_unpacker *unpacker;
	uint8_t                 *input;
	struct slice             rest;     /* of `input`, not yet unpacked */
	uint64_t                 taken;    /* stored bytes read into `input` */
	uint64_t                 position; /* of the next unpacked byte */
};

static struct body_segment *find(struct journal_bodies *bodies, uint64_t number)
{
	size_t low = 0, high = bodies->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (bodies->segments[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < bodies->count && bodies->segments[low].number == number ? &bodies->segments[low] : NULL;
}

/* Index of the first place not below `offset`. */
static uint32_t find_place(const struct body_segment *segment, uint64_t offset)
{
	uint32_t low = 0, high = segment->count;

	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;
		if ((segment->places[middle] & ~(uint64_t)DROPPED) < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static enum rc add_segment(struct journal_bodies *bodies, uint64_t number, bool sealed)
{
	must(bodies->count == 0 || bodies->segments[bodies->count - 1].number < number);
	if (bodies->count == bodies->room) {
		const size_t         room = bodies->room == 0 ? SEGMENTS_FIRST_ROOM : bodies->room * 2;
		struct body_segment *segments = memory_resize(bodies->segments, room * sizeof *segments);
		if (segments == NULL)
			return RC_NOMEM;
		bodies->segments = segments;
		bodies->room = room;
	}
	bodies->segments[bodies->count++] = (struct body_segment){ .number = number, .sealed = sealed };
	return RC_OK;
}

enum rc journal_bodies_open(struct journal_disk *disk, const uint8_t id[JOURNAL_ID_SIZE],
                            const struct journal_numbers *segments, struct journal_bodies **out)
{
	struct journal_bodies *bodies = memory_take(1, sizeof *bodies);

	if (bodies == NULL)
		return RC_NOMEM;
	mutex_init(&bodies->lock);
	bodies->disk = disk;
	memcpy(bodies->id, id, JOURNAL_ID_SIZE);
	for (size_t i = 0; i < segments->count; i++) {
		if (add_segment(bodies, segments->items[i], true) != RC_OK) {
			journal_bodies_close(&bodies);
			return RC_NOMEM;
		}
	}
	*out = bodies;
	return RC_OK;
}

static void free_table(struct journal_bodies *bodies)
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		if (bodies->files[i].file != NULL)
			bodies->disk->calls->close(bodies->disk, bodies->files[i].file);
	}
	for (size_t i = 0; i < bodies->count; i++)
		memory_give(bodies->segments[i].places);
	memory_give(bodies->segments);
	mutex_done(&bodies->lock);
	memory_give(bodies);
}

/* Is a body open? Called with the lock held. */
static bool in_use(const struct journal_bodies *bodies)
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		if (bodies->files[i].users != 0)
			return true;
	}
	return false;
}

void journal_bodies_close(struct journal_bodies **bodies)
{
	struct journal_bodies *me = *bodies;

	if (me == NULL)
		return;
	*bodies = NULL;
	mutex_lock(&me->lock);
	me->closed = true;
	const bool last = !in_use(me);
	mutex_unlock(&me->lock);
	if (last)
		free_table(me);
}

enum rc journal_bodies_begin(struct journal_bodies *bodies, uint64_t segment)
{
	mutex_lock(&bodies->lock);
	const enum rc rc = find(bodies, segment) != NULL ? RC_OK : add_segment(bodies, segment, false);
	mutex_unlock(&bodies->lock);
	return rc;
}

static void forget_places(struct body_segment *segment)
{
	memory_give(segment->places);
	segment->places = NULL;
	segment->count = 0;
	segment->room = 0;
}

void journal_bodies_seal(struct journal_bodies *bodies, uint64_t number)
{
	mutex_lock(&bodies->lock);
	struct body_segment *segment = find(bodies, number);
	must(segment != NULL);
	segment->sealed = true;
	if (segment->live == 0)
		forget_places(segment);
	mutex_unlock(&bodies->lock);
}

void journal_bodies_unseal(struct journal_bodies *bodies, uint64_t number)
{
	mutex_lock(&bodies->lock);
	struct body_segment *segment = find(bodies, number);
	must(segment != NULL);
	segment->sealed = false;
	mutex_unlock(&bodies->lock);
}

static enum rc insert_place(struct body_segment *segment, uint32_t index, uint64_t offset)
{
	if (segment->count == segment->room) {
		const uint32_t room = segment->room == 0 ? PLACES_FIRST_ROOM : segment->room * 2;
		uint64_t      *places = memory_resize(segment->places, room * sizeof *places);
		if (places == NULL)
			return RC_NOMEM;
		segment->places = places;
		segment->room = room;
	}
	memmove(segment->places + index + 1, segment->places + index,
	        (segment->count - index) * sizeof *segment->places);
	segment->places[index] = offset;
	segment->count++;
	return RC_OK;
}

enum rc journal_bodies_claim(struct journal_bodies *bodies, const struct journal_place *place)
{
	const uint64_t offset = place->position.offset;
	enum rc        rc = RC_NOTFOUND;

	must(offset % JOURNAL_ALIGN == 0);
	mutex_lock(&bodies->lock);
	struct body_segment *segment = find(bodies, place->position.segment);
	if (segment != NULL) {
		const uint32_t index = find_place(segment, offset);
		rc = RC_OK;
		if (index == segment->count || segment->places[index] != offset) {
			if (index < segment->count && segment->places[index] == (offset | DROPPED))
				segment->places[index] = offset;
			else
				rc = insert_place(segment, index, offset);
			if (rc == RC_OK) {
				segment->live++;
				segment->live_bytes += place->stored_bytes;
			}
		}
	}
	mutex_unlock(&bodies->lock);
	return rc;
}

void journal_bodies_drop(struct journal_bodies *bodies, const struct journal_place *place)
{
	mutex_lock(&bodies->lock);
	struct body_segment *segment = find(bodies, place->position.segment);
	const uint32_t       index = segment == NULL ? 0 : find_place(segment, place->position.offset);
	if (segment != NULL && index < segment->count && segment->places[index] == place->position.offset) {
		segment->places[index] |= DROPPED;
		segment->live--;
		segment->live_bytes -=
			place->stored_bytes < segment->live_bytes ? place->stored_bytes : segment->live_bytes;
		segment->dropped_bytes += place->stored_bytes;
		if (segment->live == 0 && segment->sealed)
			forget_places(segment);
	}
	mutex_unlock(&bodies->lock);
}

bool journal_bodies_live(struct journal_bodies *bodies, uint64_t number, uint64_t offset)
{
	mutex_lock(&bodies->lock);
	const struct body_segment *segment = find(bodies, number);
	const uint32_t             index = segment == NULL ? 0 : find_place(segment, offset);
	const bool                 live = segment != NULL && index < segment->count && segment->places[index] == offset;
	mutex_unlock(&bodies->lock);
	return live;
}

struct journal_bodies_statistics journal_bodies_statistics(struct journal_bodies *bodies)
{
	struct journal_bodies_statistics sum = { .live = 0 };

	mutex_lock(&bodies->lock);
	sum.segments = bodies->count;
	for (size_t i = 0; i < bodies->count; i++) {
		sum.live += bodies->segments[i].live;
		sum.live_bytes += bodies->segments[i].live_bytes;
		sum.compacted += bodies->segments[i].compacted;
	}
	mutex_unlock(&bodies->lock);
	return sum;
}

uint64_t journal_bodies_to_compact(struct journal_bodies *bodies, uint64_t from)
{
	uint64_t found = 0;

	mutex_lock(&bodies->lock);
	for (size_t i = 0; found == 0 && i < bodies->count; i++) {
		const struct body_segment *segment = &bodies->segments[i];
		if (segment->number >= from && segment->sealed && segment->live == 0 && !segment->compacted)
			found = segment->number;
	}
	mutex_unlock(&bodies->lock);
	return found;
}

void journal_bodies_compacted(struct journal_bodies *bodies, uint64_t number)
{
	mutex_lock(&bodies->lock);
	struct body_segment *segment = find(bodies, number);
	if (segment != NULL)
		segment->compacted = true;
	for (size_t i = 0; i < FILES_MAX; i++) {
		struct open_file *file = &bodies->files[i];
		if (file->file != NULL && file->segment == number && file->users == 0) {
			bodies->disk->calls->close(bodies->disk, file->file);
			*file = (struct open_file){ .file = NULL };
		}
	}
	mutex_unlock(&bodies->lock);
}

uint64_t journal_bodies_to_punch(struct journal_bodies *bodies, uint64_t from, uint64_t below, uint64_t dropped_min)
{
	uint64_t found = 0;

	mutex_lock(&bodies->lock);
	for (size_t i = 0; found == 0 && i < bodies->count; i++) {
		const struct body_segment *segment = &bodies->segments[i];
		if (segment->number >= from && segment->number < below && segment->sealed && segment->live != 0 &&
		    segment->dropped_bytes >= dropped_min)
			found = segment->number;
	}
	mutex_unlock(&bodies->lock);
	return found;
}

void journal_bodies_punched(struct journal_bodies *bodies, uint64_t number)
{
	mutex_lock(&bodies->lock);
	struct body_segment *segment = find(bodies, number);
	if (segment != NULL) {
		segment->dropped_bytes = 0;
		segment->holes = true;
	}
	mutex_unlock(&bodies->lock);
}

bool journal_bodies_has_holes(struct journal_bodies *bodies, uint64_t number)
{
	mutex_lock(&bodies->lock);
	const struct body_segment *segment = find(bodies, number);
	const bool                 holes = segment != NULL && segment->holes;
	mutex_unlock(&bodies->lock);
	return holes;
}

/* A file of this segment, opened if it is not yet; counted as used. Called with the lock held. */
static enum rc use_file(struct journal_bodies *bodies, uint64_t number, struct open_file **out)
{
	struct open_file           *oldest = NULL;
	struct journal_segment_head head;

	for (size_t i = 0; i < FILES_MAX; i++) {
		struct open_file *file = &bodies->files[i];
		if (file->file != NULL && file->segment == number) {
			file->users++;
			file->used = ++bodies->uses;
			*out = file;
			return RC_OK;
		}
		if (file->users == 0 && (oldest == NULL || file->used < oldest->used))
			oldest = file;
	}
	if (oldest == NULL)
		return RC_NOMEM;
	struct journal_file *opened;
	const enum rc        rc = journal_segment_open(bodies->disk, number, JOURNAL_OPEN_READ, &opened, &head);
	if (rc != RC_OK)
		return rc;
	if (memcmp(head.id, bodies->id, JOURNAL_ID_SIZE) != 0) {
		bodies->disk->calls->close(bodies->disk, opened);
		return RC_CORRUPT;
	}
	if (oldest->file != NULL)
		bodies->disk->calls->close(bodies->disk, oldest->file);
	*oldest = (struct open_file){
		.file = opened,
		.segment = number,
		.seed = journal_seed(head.id, number),
		.users = 1,
		.used = ++bodies->uses,
	};
	*out = oldest;
	return RC_OK;
}

static void leave_file(struct journal_bodies *bodies, struct open_file *file)
{
	mutex_lock(&bodies->lock);
	must(file->users != 0);
	file->users--;
	const bool last = bodies->closed && !in_use(bodies);
	mutex_unlock(&bodies->lock);
	if (last)
		free_table(bodies);
}

/* The header at its place, and that it is the right one. */
static enum rc read_head(struct journal_body *body, const struct journal_place *place)
{
	struct journal_disk *disk = body->bodies->disk;
	uint8_t              bytes[JOURNAL_RECORD_HEAD_SIZE];
	size_t               got;

	enum rc rc = disk->calls->read(disk, body->file->file, place->position.offset, bytes, sizeof bytes, &got);
	if (rc != RC_OK)
		return rc;
	if (journal_head_decode(slice_of(bytes, got), body->file->seed, &body->head) != RC_OK ||
	    body->head.seq != place->position.seq || (body->head.flags & JOURNAL_FLAG_BODY) == 0 ||
	    body->head.bytes != place->bytes)
		return RC_CORRUPT;
	return (body->head.flags & JOURNAL_FLAG_DROPPED) != 0 ? RC_NOTFOUND : RC_OK;
}

/* Read the payload of `head` behind `at` and check it; appended to `out`. */
static enum rc load_payload(struct journal_disk *disk, const struct open_file *file, uint64_t at,
                            const struct journal_head *head, struct buf *out)
{
	uint8_t *to = buf_reserve(out, head->stored_bytes == 0 ? 1 : head->stored_bytes);
	size_t   got = 0;

	if (to == NULL)
		return RC_NOMEM;
	if (head->stored_bytes != 0) {
		const enum rc rc = disk->calls->read(disk, file->file, at, to, head->stored_bytes, &got);
		if (rc != RC_OK)
			return rc;
	}
	if (got != head->stored_bytes || digest_crc32c(0, slice_of(to, got)) != head->checksum)
		return RC_CORRUPT;
	buf_grew(out, got);
	return RC_OK;
}

enum rc journal_event_load(struct journal_bodies *bodies, const struct journal_place *place, struct buf *out)
{
	struct journal_disk *disk = bodies->disk;
	struct open_file    *file;
	struct journal_head  head;
	uint8_t              bytes[JOURNAL_RECORD_HEAD_SIZE];
	size_t               got = 0;

	mutex_lock(&bodies->lock);
	enum rc rc = find(bodies, place->position.segment) == NULL ? RC_NOTFOUND
	                                                           : use_file(bodies, place->position.segment, &file);
	mutex_unlock(&bodies->lock);
	if (rc != RC_OK)
		return rc;
	rc = disk->calls->read(disk, file->file, place->position.offset, bytes, sizeof bytes, &got);
	if (rc == RC_OK &&
	    (journal_head_decode(slice_of(bytes, got), file->seed, &head) != RC_OK || head.seq != place->position.seq ||
	     (head.flags & JOURNAL_FLAG_BODY) != 0 || head.bytes != place->bytes))
		rc = RC_CORRUPT;
	if (rc == RC_OK)
		rc = load_payload(disk, file, place->position.offset + JOURNAL_RECORD_HEAD_SIZE, &head, out);
	leave_file(bodies, file);
	return rc;
}

enum rc journal_body_open(struct journal_bodies *bodies, const struct journal_place *place, struct journal_body **out)
{
	struct journal_body *body = memory_take(1, sizeof *body);

	if (body == NULL)
		return RC_NOMEM;
	body->bodies = bodies;
	body->payload_at = place->position.offset + JOURNAL_RECORD_HEAD_SIZE;

	mutex_lock(&bodies->lock);
	const struct body_segment *segment = find(bodies, place->position.segment);
	const uint32_t             index = segment == NULL ? 0 : find_place(segment, place->position.offset);
	const bool live = segment != NULL && index < segment->count && segment->places[index] == place->position.offset;
	enum rc    rc = live ? use_file(bodies, place->position.segment, &body->file) : RC_NOTFOUND;
	mutex_unlock(&bodies->lock);

	if (rc == RC_OK)
		rc = read_head(body, place);
	if (rc == RC_OK && (body->head.flags & JOURNAL_FLAG_COMPRESSED) != 0) {
		rc = journal_unpacker_open(&body->unpacker);
		body->input = memory_take(1, INPUT_SIZE);
		if (rc == RC_OK && body->input == NULL)
			rc = RC_NOMEM;
	}
	if (rc != RC_OK) {
		journal_body_close(&body);
		return rc;
	}
	*out = body;
	return RC_OK;
}

void journal_body_close(struct journal_body **body)
{
	if (*body == NULL)
		return;
	if ((*body)->file != NULL)
		leave_file((*body)->bodies, (*body)->file);
	journal_unpacker_close(&(*body)->unpacker);
	memory_give((*body)->input);
	memory_give(*body);
	*body = NULL;
}

uint64_t journal_body_bytes(const struct journal_body *body)
{
	return body->head.bytes;
}

const struct digest *journal_body_digest(const struct journal_body *body)
{
	return &body->head.digest;
}

/* Stored bytes from `at`, no more than are there. */
static enum rc read_stored(struct journal_body *body, uint64_t at, void *to, size_t room, size_t *out)
{
	struct journal_disk *disk = body->bodies->disk;
	const uint64_t       rest = body->head.stored_bytes - at;
	const size_t         want = rest < room ? (size_t)rest : room;
	size_t               got = 0;

	const enum rc rc =
		want == 0 ? RC_OK : disk->calls->read(disk, body->file->file, body->payload_at + at, to, want, &got);
	if (rc == RC_OK && got != want)
		return RC_CORRUPT;
	if (rc == RC_OK)
		*out = got;
	return rc;
}

/* The next unpacked bytes, in order. */
static enum rc unpack_next(struct journal_body *body, uint8_t *to, size_t room, size_t *out)
{
	size_t got = 0;

	while (got == 0 && body->position < body->head.bytes) {
		if (body->rest.len == 0) {
			size_t        filled;
			const enum rc rc = read_stored(body, body->taken, body->input, INPUT_SIZE, &filled);
			if (rc != RC_OK)
				return rc;
			body->rest = slice_of(body->input, filled);
			body->taken += filled;
		}
		const size_t  before = body->rest.len;
		const enum rc rc = journal_unpack(body->unpacker, &body->rest, to, room, &got);
		if (rc != RC_OK || (got == 0 && before == 0) || got > body->head.bytes - body->position)
			return RC_CORRUPT;
		body->position += got;
	}
	*out = got;
	return RC_OK;
}

static enum rc read_packed(struct journal_body *body, uint64_t offset, uint8_t *to, size_t room, size_t *out)
{
	if (offset < body->position) {
		journal_unpacker_reset(body->unpacker);
		body->rest = (struct slice){ NULL, 0 };
		body->taken = 0;
		body->position = 0;
	}
	while (body->position < offset) {
		/* Skipped bytes go through the caller's room. */
		const uint64_t skip = offset - body->position;
		size_t         got;
		const enum rc  rc = unpack_next(body, to, skip < room ? (size_t)skip : room, &got);
		if (rc != RC_OK)
			return rc;
	}
	return unpack_next(body, to, room, out);
}

enum rc journal_body_read(struct journal_body *body, uint64_t offset, void *to, size_t room, size_t *out)
{
	if (offset >= body->head.bytes || room == 0) {
		*out = 0;
		return RC_OK;
	}
	return body->unpacker == NULL ? read_stored(body, offset, to, room, out)
	                              : read_packed(body, offset, to, room, out);
}

enum rc journal_body_check(struct journal_body *body)
{
	struct digest_run *run = NULL;
	struct digest      digest;
	uint8_t           *bytes = memory_take(1, CHECK_SIZE);
	size_t             got = 0;

	enum rc rc = bytes == NULL ? RC_NOMEM : digest_run_open(&run);
	for (uint64_t at = 0; rc == RC_OK && at < body->head.bytes; at += got) {
		rc = journal_body_read(body, at, bytes, CHECK_SIZE, &got);
		if (rc == RC_OK)
			digest_run_add(run, slice_of(bytes, got));
	}
	digest_run_end(&run, rc == RC_OK ? &digest : NULL);
	memory_give(bytes);
	if (rc != RC_OK)
		return rc;
	return digest_eq(&digest, &body->head.digest) ? RC_OK : RC_CORRUPT;
}
