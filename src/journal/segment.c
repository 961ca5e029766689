/* Names, lists and windows. */
#include "journal/segment.h"

#include "base/memory.h"
#include "base/must.h"
#include "base/num.h"

#include <stdlib.h>

#define NUMBER_DIGITS      20u
#define NUMBERS_FIRST_ROOM 64u

static const char *const suffixes[JOURNAL_NAME_OTHER] = {
	[JOURNAL_NAME_SEGMENT] = ".segment",
	[JOURNAL_NAME_SPARE] = ".spare",
	[JOURNAL_NAME_SNAPSHOT] = ".snapshot",
	[JOURNAL_NAME_SEGMENT_NEW] = ".segment.new",
	[JOURNAL_NAME_SPARE_NEW] = ".spare.new",
	[JOURNAL_NAME_SNAPSHOT_NEW] = ".snapshot.new",
	[JOURNAL_NAME_HOLES] = ".holes",
	[JOURNAL_NAME_HOLES_NEW] = ".holes.new",
	[JOURNAL_NAME_DAMAGED] = ".segment.damaged",
};

struct journal_file_name journal_name(enum journal_name kind, uint64_t number)
{
	struct journal_file_name name;
	size_t                   at = NUMBER_DIGITS;
	const struct slice       suffix = slice_str(suffixes[kind]);

	must(kind < JOURNAL_NAME_OTHER);
	for (; at != 0; number /= 10)
		name.text[--at] = (char)('0' + number % 10);
	memcpy(name.text + NUMBER_DIGITS, suffix.ptr, suffix.len);
	name.text[NUMBER_DIGITS + suffix.len] = '\0';
	return name;
}

enum journal_name journal_name_read(const char *name, uint64_t *number)
{
	const struct slice text = slice_str(name);

	if (text.len <= NUMBER_DIGITS)
		return JOURNAL_NAME_OTHER;
	for (unsigned kind = 0; kind < JOURNAL_NAME_OTHER; kind++) {
		if (slice_eq(slice_drop(text, NUMBER_DIGITS), slice_str(suffixes[kind])) &&
		    num_u64(slice_take(text, NUMBER_DIGITS), UINT64_MAX, number) == RC_OK)
			return (enum journal_name)kind;
	}
	return JOURNAL_NAME_OTHER;
}

struct listing {
	struct journal_numbers *numbers;
	enum journal_name       kind;
};

enum rc journal_numbers_add(struct journal_numbers *numbers, uint64_t number)
{
	if (numbers->count == JOURNAL_FILES_MAX)
		return RC_LIMIT;
	if (numbers->count == numbers->room) {
		const size_t room = numbers->room == 0 ? NUMBERS_FIRST_ROOM : numbers->room * 2;
		uint64_t    *items = memory_resize(numbers->items, room * sizeof *items);
		if (items == NULL)
			return RC_NOMEM;
		numbers->items = items;
		numbers->room = room;
	}
	numbers->items[numbers->count++] = number;
	return RC_OK;
}

static enum rc list_one(void *context, const char *name)
{
	struct listing *listing = context;
	uint64_t        number = 0;

	return journal_name_read(name, &number) == listing->kind ? journal_numbers_add(listing->numbers, number)
	                                                         : RC_OK;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

enum rc journal_numbers_list(struct journal_disk *disk, enum journal_name kind, struct journal_numbers *out)
{
	struct listing listing = { .numbers = out, .kind = kind };

	*out = (struct journal_numbers){ .items = NULL };
	const enum rc rc = disk->calls->list(disk, list_one, &listing);
	if (rc == RC_OK && out->count > 1)
		qsort(out->items, out->count, sizeof *out->items, by_number);
	return rc;
}

void journal_numbers_done(struct journal_numbers *numbers)
{
	memory_give(numbers->items);
	*numbers = (struct journal_numbers){ .items = NULL };
}

enum rc journal_segment_open(struct journal_disk *disk, uint64_t number, enum journal_open how,
                             struct journal_file **file, struct journal_segment_head *head)
{
	const struct journal_file_name name = journal_name(JOURNAL_NAME_SEGMENT, number);
	struct journal_file           *opened;
	uint8_t                        bytes[JOURNAL_SEGMENT_HEAD_USED];
	size_t                         got;

	enum rc rc = disk->calls->open(disk, name.text, how, &opened);
	if (rc != RC_OK)
		return rc;
	struct journal_segment_head found;
	rc = disk->calls->read(disk, opened, 0, bytes, sizeof bytes, &got);
	if (rc == RC_OK)
		rc = journal_segment_head_decode(slice_of(bytes, got), &found);
	if (rc == RC_AGAIN || (rc == RC_OK && found.number != number))
		rc = RC_CORRUPT;
	if (rc != RC_OK) {
		disk->calls->close(disk, opened);
		return rc;
	}
	*file = opened;
	*head = found;
	return RC_OK;
}

enum rc journal_window_init(struct journal_window *window, struct journal_disk *disk)
{
	*window = (struct journal_window){ .disk = disk, .bytes = memory_take(1, JOURNAL_WINDOW_SIZE) };
	return window->bytes == NULL ? RC_NOMEM : RC_OK;
}

void journal_window_done(struct journal_window *window)
{
	memory_give(window->bytes);
	*window = (struct journal_window){ .disk = NULL };
}

void journal_window_set(struct journal_window *window, struct journal_file *file, uint64_t limit)
{
	window->file = file;
	window->start = 0;
	window->size = 0;
	window->reach = JOURNAL_WINDOW_FIRST;
	window->limit = limit;
}

/* Fill the window from `offset` on with at least `size` bytes, or what there is. */
static enum rc window_fill(struct journal_window *window, uint64_t offset, size_t size)
{
	const uint64_t rest = window->limit - offset;
	const bool     on = offset >= window->start && offset < window->start + window->size + JOURNAL_WINDOW_JUMP;
	size_t         got;

	window->reach = on ? window->reach * 2 : JOURNAL_WINDOW_FIRST;
	if (window->reach > JOURNAL_WINDOW_SIZE)
		window->reach = JOURNAL_WINDOW_SIZE;
	const size_t most = window->reach > size ? window->reach : size;
	window->start = offset;
	window->size = 0;
	const enum rc rc = window->disk->calls->read(window->disk, window->file, offset, window->bytes, rest < most ? (size_t)rest : most, &got);
	if (rc == RC_OK)
		window->size = got;
	return rc;
}

enum rc journal_window_see(struct journal_window *window, uint64_t offset, size_t size, struct slice *out)
{
	must(size <= JOURNAL_WINDOW_SIZE);
	must(window->file != NULL);

	if (offset >= window->limit) {
		*out = (struct slice){ NULL, 0 };
		return RC_OK;
	}
	if (size > window->limit - offset)
		size = (size_t)(window->limit - offset);
	if (offset < window->start || offset + size > window->start + window->size) {
		const enum rc rc = window_fill(window, offset, size);
		if (rc != RC_OK)
			return rc;
	}
	*out = slice_cut(slice_of(window->bytes, window->size), (size_t)(offset - window->start), size);
	return RC_OK;
}

enum rc journal_window_checksum(struct journal_window *window, uint64_t offset, uint64_t size, uint32_t *out)
{
	uint32_t crc = 0;

	while (size != 0) {
		struct slice  part;
		const size_t  want = size < JOURNAL_WINDOW_SIZE ? (size_t)size : JOURNAL_WINDOW_SIZE;
		const enum rc rc = journal_window_see(window, offset, want, &part);
		if (rc != RC_OK)
			return rc;
		if (part.len == 0)
			return RC_CORRUPT;
		crc = digest_crc32c(crc, part);
		offset += part.len;
		size -= part.len;
	}
	*out = crc;
	return RC_OK;
}
