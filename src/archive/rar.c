/* Block after block; a block whose size makes no sense ends the walk. */
#include "archive/rar.h"

#include "base/cursor.h"

#define FOUR_MAIN     0x73u
#define FOUR_FILE     0x74u
#define FOUR_END      0x7bu
#define FOUR_LONG     0x8000u /* a size of data follows */
#define FIVE_MAIN     1u
#define FIVE_FILE     2u
#define FIVE_LOCK     4u
#define FIVE_END      5u
#define FIVE_EXTRA    1u
#define FIVE_DATA     2u
#define EXTRA_ENCRYPT 1u

bool rar_walk_start(struct slice bytes, struct rar_walk *out)
{
	*out = (struct rar_walk){ .five = slice_starts(bytes, SLICE("Rar!\x1a\x07\x01\x00")) };
	if (!out->five && !slice_starts(bytes, SLICE("Rar!\x1a\x07\x00")))
		return false;
	out->rest = slice_drop(bytes, out->five ? 8 : 7);
	return true;
}

/* Seven bits a byte, the lowest first; the high bit says that more follow. */
static uint64_t vint(struct cursor *c)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < 10; i++) {
		const uint8_t byte = cursor_u8(c);
		value |= (uint64_t)(byte & 0x7f) << (i * 7 < 64 ? i * 7 : 63);
		if (!(byte & 0x80))
			return value;
	}
	c->failed = true;
	return 0;
}

/* One block of version 4. Returns 1: a file; 0: go on; -1: the end. */
static int four_next(struct rar_walk *walk, struct rar_file *out)
{
	struct cursor c = cursor_on(walk->rest);

	(void)cursor_u16(&c);
	const uint8_t  type = cursor_u8(&c);
	const uint16_t flags = cursor_u16(&c), size = cursor_u16(&c);
	uint64_t       data = 0;
	if (c.failed || size < 7 || size > walk->rest.len || type == FOUR_END)
		return -1;
	if (flags & FOUR_LONG || type == FOUR_FILE)
		data = cursor_u32(&c);
	if (type == FOUR_MAIN) {
		walk->volume |= (flags & 1u) != 0;
		walk->locked = (flags & 0x80u) != 0;
	}
	const bool file = type == FOUR_FILE;
	if (file) {
		out->claimed = cursor_u32(&c);
		(void)cursor_bytes(&c, 11); /* system, checksum, time, version, method */
		const uint16_t names = cursor_u16(&c);
		(void)cursor_u32(&c);
		if (flags & 0x100u) {
			data |= (uint64_t)cursor_u32(&c) << 32;
			out->claimed |= (uint64_t)cursor_u32(&c) << 32;
		}
		const struct slice name = cursor_bytes(&c, names);
		out->name = slice_take(name, slice_find(name, 0));
		out->encrypted = (flags & 4u) != 0;
		out->folder = (flags & 0xe0u) == 0xe0u;
		out->split = (flags & 3u) != 0;
	}
	walk->rest = slice_drop(slice_drop(walk->rest, size), data > SIZE_MAX / 2 ? SIZE_MAX / 2 : (size_t)data);
	if (c.failed || walk->locked)
		return -1;
	return file;
}

static bool extra_encrypts(struct slice extra)
{
	struct cursor c = cursor_on(extra);

	while (c.rest.len != 0 && !c.failed) {
		const uint64_t size = vint(&c);
		if (c.failed || size == 0 || size > c.rest.len)
			break;
		struct cursor record = cursor_on(cursor_bytes(&c, (size_t)size));
		if (vint(&record) == EXTRA_ENCRYPT && !record.failed)
			return true;
	}
	return false;
}

static int five_next(struct rar_walk *walk, struct rar_file *out)
{
	struct cursor c = cursor_on(walk->rest);

	(void)cursor_u32(&c);
	const uint64_t size = vint(&c);
	if (c.failed || size == 0 || size > c.rest.len)
		return -1;
	struct cursor      h = cursor_on(cursor_bytes(&c, (size_t)size));
	const struct slice whole = h.rest;
	const uint64_t     type = vint(&h), flags = vint(&h);
	const uint64_t     extra = flags & FIVE_EXTRA ? vint(&h) : 0, data = flags & FIVE_DATA ? vint(&h) : 0;
	if (h.failed || type == FIVE_END)
		return -1;
	if (type == FIVE_LOCK) {
		walk->locked = true;
		return -1;
	}
	if (type == FIVE_MAIN)
		walk->volume |= (vint(&h) & 1u) != 0;
	if (type == FIVE_FILE) {
		const uint64_t file_flags = vint(&h);
		out->claimed = vint(&h);
		(void)vint(&h);
		if (file_flags & 2u)
			(void)cursor_u32(&h);
		if (file_flags & 4u)
			(void)cursor_u32(&h);
		(void)vint(&h);
		(void)vint(&h);
		const uint64_t names = vint(&h);
		out->name = cursor_bytes(&h, names > h.rest.len ? h.rest.len : (size_t)names);
		out->folder = (file_flags & 1u) != 0;
		out->split = (flags & 0x18u) != 0;
		out->encrypted = extra <= whole.len && extra_encrypts(slice_drop(whole, whole.len - (size_t)extra));
	}
	walk->rest = slice_drop(c.rest, data > SIZE_MAX / 2 ? SIZE_MAX / 2 : (size_t)data);
	if (h.failed)
		return -1;
	return type == FIVE_FILE;
}

bool rar_walk_next(struct rar_walk *walk, struct rar_file *out)
{
	int answer = 0;

	while (answer == 0 && !walk->locked) {
		*out = (struct rar_file){ .claimed = 0 };
		answer = walk->five ? five_next(walk, out) : four_next(walk, out);
	}
	return answer == 1;
}
