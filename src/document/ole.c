/*
 * Compound files. A sector's successor is looked up in the allocation table where it lies in the file; chains are
 * walked for at most as many steps as the file has sectors, so that a cycle ends by itself.
 */
#include "document/ole.h"

#include "base/must.h"
#include "document/ole_bytes.h"
#include "document/ole_text.h"

/* [MS-CFB] section 2.1: sector numbers from here on mean something else. */
#define SECTOR_MAX   0xfffffffau
#define HEADER_DIFAT 109u
#define ENTRY_BYTES  128u
#define MINI_SHIFT   6u
#define HEADER_BYTES 512u

static const struct slice magic = SLICE_INIT("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
/* What the format's beta wrote; some readers still take it. */
static const struct slice magic_beta = SLICE_INIT("\x0e\x11\xfc\x0d\xd0\xcf\x11\x0e");

bool ole_is(struct slice file)
{
	return slice_starts(file, magic) || slice_starts(file, magic_beta);
}

static struct slice sector(const struct ole *ole, uint32_t number)
{
	return slice_cut(ole->file, ((size_t)number + 1) << ole->shift, (size_t)1 << ole->shift);
}

/* The sector behind `number`, or something not below ole->sectors. */
static uint32_t sector_next(const struct ole *ole, uint32_t number)
{
	const uint32_t each = (uint32_t)1 << (ole->shift - 2);
	const uint32_t table = number / each;

	if (table >= ole->fat_count)
		return SECTOR_MAX;
	const struct slice entries = sector(ole, ole->fat[table]);
	const size_t       at = (size_t)(number % each) * 4;
	return at + 4 <= entries.len ? bytes_u32(entries, at) : SECTOR_MAX;
}

static uint32_t mini_next(const struct ole *ole, uint32_t number)
{
	const size_t at = (size_t)number * 4;

	return at + 4 <= ole->mini_fat.len ? bytes_u32(ole->mini_fat, at) : SECTOR_MAX;
}

/* A chain of sectors: of the file, or of the mini stream. */
struct chain {
	const struct ole *ole;
	bool              mini;
	unsigned          shift;
	uint32_t          sectors;
};

static struct slice chain_sector(const struct chain *chain, uint32_t number)
{
	if (!chain->mini)
		return sector(chain->ole, number);
	return slice_cut(chain->ole->mini, (size_t)number << MINI_SHIFT, (size_t)1 << MINI_SHIFT);
}

static uint32_t chain_next(const struct chain *chain, uint32_t number)
{
	return chain->mini ? mini_next(chain->ole, number) : sector_next(chain->ole, number);
}

/* How many sectors follow each other in the chain and in the file from *number; moves it to the first behind them. */
static uint32_t chain_run(const struct chain *chain, uint32_t *number, uint32_t count_max)
{
	uint32_t count = 0;

	while (count < count_max && *number < chain->sectors) {
		const uint32_t next = chain_next(chain, *number);
		count++;
		if (next != *number + 1) {
			*number = next;
			break;
		}
		*number = next;
	}
	return count;
}

/* What `count` sectors that lie together from `first` hold. */
static struct slice chain_bytes(const struct chain *chain, uint32_t first, uint32_t count)
{
	const size_t bytes = (size_t)count << chain->shift;

	if (chain->mini)
		return slice_cut(chain->ole->mini, (size_t)first << MINI_SHIFT, bytes);
	return slice_cut(chain->ole->file, ((size_t)first + 1) << chain->shift, bytes);
}

/* At most `bytes` of the chain that begins at `first`. */
static enum rc chain_gather(const struct chain *chain, uint32_t first, uint64_t bytes, struct budget *budget,
                            struct arena *arena, struct slice *out)
{
	const uint64_t in_file = (uint64_t)chain->sectors << chain->shift;
	if (bytes > in_file)
		bytes = in_file;
	const uint32_t left_max = (uint32_t)((bytes + ((uint64_t)1 << chain->shift) - 1) >> chain->shift);
	uint32_t       left = left_max;

	if (!budget_take(budget, BUDGET_STEPS, bytes))
		return RC_LIMIT;
	uint32_t       number = first;
	const uint32_t together = chain_run(chain, &number, left);
	struct slice   head = slice_take(chain_bytes(chain, first, together), bytes);
	if (together == 0)
		head = (struct slice){ NULL, 0 };
	left -= together;
	if (left == 0 || number >= chain->sectors || head.len == 0) {
		*out = head;
		return RC_OK;
	}
	uint8_t *to = arena_bytes(arena, (size_t)bytes);
	if (to == NULL)
		return RC_NOMEM;
	memcpy(to, head.ptr, head.len);
	size_t used = head.len;
	while (left != 0 && number < chain->sectors && used < bytes) {
		const struct slice piece = slice_take(chain_sector(chain, number), (size_t)bytes - used);
		if (piece.len != 0)
			memcpy(to + used, piece.ptr, piece.len);
		used += piece.len;
		left--;
		number = chain_next(chain, number);
	}
	*out = slice_of(to, used);
	return RC_OK;
}

/* Sectors of the allocation table: 109 in the header, then a chain of further lists ([MS-CFB] section 2.5). */
static enum rc fat_read(struct ole *ole, struct budget *budget, struct arena *arena)
{
	const uint32_t each = (uint32_t)1 << (ole->shift - 2);
	const uint32_t count_max = ole->sectors / each + 1;
	uint32_t      *fat = arena_take(arena, count_max, sizeof *fat);
	uint32_t       count = 0;

	if (fat == NULL)
		return RC_NOMEM;
	for (uint32_t i = 0; i < HEADER_DIFAT && count < count_max; i++) {
		const uint32_t number = bytes_u32(ole->file, 76 + (size_t)i * 4);
		if (number < ole->sectors)
			fat[count++] = number;
		else if (number < SECTOR_MAX)
			ole->damaged = true;
	}
	uint32_t list = bytes_u32(ole->file, 68);
	for (uint32_t steps = 0; list < ole->sectors && count < count_max && steps < count_max; steps++) {
		const struct slice numbers = sector(ole, list);
		if (!budget_take(budget, BUDGET_STEPS, numbers.len))
			return RC_LIMIT;
		for (uint32_t i = 0; i + 1 < each && count < count_max && ((size_t)i + 1) * 4 <= numbers.len; i++) {
			const uint32_t number = bytes_u32(numbers, (size_t)i * 4);
			if (number < ole->sectors)
				fat[count++] = number;
			else if (number < SECTOR_MAX)
				ole->damaged = true;
		}
		list = ((size_t)each) * 4 <= numbers.len ? bytes_u32(numbers, ((size_t)each - 1) * 4) : SECTOR_MAX;
	}
	ole->fat = fat;
	ole->fat_count = count;
	return RC_OK;
}

/* The name of a directory entry: at most 31 units and a NUL, its size in bytes behind it. */
static enum rc name_read(struct slice entry, struct arena *arena, struct slice *out)
{
	uint8_t  bytes[OLE_NAME_MAX + 4];
	size_t   used = 0;
	unsigned units = bytes_u16(entry, 64) / 2;

	/* The 32nd is the NUL; a name without one ends there all the same. */
	if (units == 0 || units > 31)
		units = 31;
	for (unsigned i = 0; i < units && used + 4 <= sizeof bytes; i++) {
		uint32_t code = bytes_u16(entry, (size_t)i * 2);
		if (code == 0)
			break;
		const uint32_t low = i + 1 < units ? bytes_u16(entry, (size_t)i * 2 + 2) : 0;
		if (code >= 0xd800 && code < 0xdc00 && low >= 0xdc00 && low <= 0xdfff) {
			code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
			i++;
		}
		used += ole_utf8(code, bytes + used);
	}
	return arena_copy(arena, slice_of(bytes, used), out);
}

/* Position in the directory as stored -> position in the array without unused entries, and the links of the tree. */
struct directory {
	struct slice      bytes;
	uint32_t          count; /* as stored */
	uint32_t         *place; /* OLE_NONE: unused */
	uint32_t         *stack; /* pairs: entry as stored, its parent */
	bool             *seen;
	struct ole_entry *entries;
};

static void push(const struct directory *d, uint32_t number, uint32_t parent, uint32_t *depth)
{
	if (number >= d->count || d->place[number] == OLE_NONE || d->seen[number])
		return;
	d->seen[number] = true;
	d->stack[*depth * 2] = number;
	d->stack[*depth * 2 + 1] = parent;
	*depth += 1;
}

/* Every entry is pushed at most once: the stack never holds more than there are. */
static void tree_walk(const struct directory *d)
{
	uint32_t depth = 0;

	push(d, 0, OLE_NONE, &depth);
	while (depth != 0) {
		depth--;
		const uint32_t     number = d->stack[depth * 2];
		const uint32_t     parent = d->stack[depth * 2 + 1];
		const struct slice entry = slice_cut(d->bytes, (size_t)number * ENTRY_BYTES, ENTRY_BYTES);
		struct ole_entry  *e = &d->entries[d->place[number]];
		e->parent = parent;
		e->orphan = false;
		if (parent != OLE_NONE) {
			push(d, bytes_u32(entry, 68), parent, &depth);
			push(d, bytes_u32(entry, 72), parent, &depth);
		}
		if (e->kind != OLE_STREAM)
			push(d, bytes_u32(entry, 76), d->place[number], &depth);
	}
}

static enum rc entry_read(const struct ole *ole, struct slice entry, struct arena *arena, struct ole_entry *out)
{
	const uint8_t type = bytes_u8(entry, 66);

	out->kind = type == 5 ? OLE_ROOT : type == 1 ? OLE_STORAGE : OLE_STREAM;
	out->parent = OLE_NONE;
	out->orphan = true;
	out->first = bytes_u32(entry, 116);
	/* [MS-CFB] section 2.6.1: version 3 files may have anything in the upper half. */
	out->claimed = ole->shift == 9 ? bytes_u32(entry, 120) : bytes_u64(entry, 120);
	out->clsid = slice_cut(entry, 80, 16);
	out->modified = bytes_u64(entry, 108);
	return name_read(entry, arena, &out->name);
}

static enum rc directory_read(struct ole *ole, struct budget *budget, struct arena *arena)
{
	const struct chain chain = { ole, false, ole->shift, ole->sectors };
	struct directory   d = { .count = 0 };
	enum rc rc = chain_gather(&chain, bytes_u32(ole->file, 48), (uint64_t)OLE_ENTRIES_MAX * ENTRY_BYTES, budget,
	                          arena, &d.bytes);

	if (rc != RC_OK)
		return rc;
	d.count = (uint32_t)(d.bytes.len / ENTRY_BYTES);
	if (d.count == 0)
		return RC_SYNTAX;
	d.place = arena_take(arena, d.count, sizeof *d.place);
	d.stack = arena_take(arena, (size_t)d.count * 2, sizeof *d.stack);
	d.seen = arena_take(arena, d.count, sizeof *d.seen);
	d.entries = arena_take(arena, d.count, sizeof *d.entries);
	if (d.place == NULL || d.stack == NULL || d.seen == NULL || d.entries == NULL)
		return RC_NOMEM;
	uint32_t used = 0;
	for (uint32_t i = 0; i < d.count; i++) {
		const struct slice entry = slice_cut(d.bytes, (size_t)i * ENTRY_BYTES, ENTRY_BYTES);
		const uint8_t      type = bytes_u8(entry, 66);
		d.place[i] = OLE_NONE;
		if (type != 1 && type != 2 && type != 5)
			continue;
		rc = entry_read(ole, entry, arena, &d.entries[used]);
		if (rc != RC_OK)
			return rc;
		d.place[i] = used++;
	}
	if (used == 0)
		return RC_SYNTAX;
	/* Entry 0 is the root, whatever it says it is. */
	if (d.place[0] == 0)
		d.entries[0].kind = OLE_ROOT;
	else
		ole->damaged = true;
	tree_walk(&d);
	ole->entries = d.entries;
	ole->count = used;
	return RC_OK;
}

/* The mini stream lies in the root's chain; its table in a chain of its own ([MS-CFB] section 2.4). */
static enum rc mini_read(struct ole *ole, struct budget *budget, struct arena *arena)
{
	const struct chain chain = { ole, false, ole->shift, ole->sectors };
	const uint32_t     first = bytes_u32(ole->file, 60);

	if (ole->entries[0].kind != OLE_ROOT || first >= ole->sectors)
		return RC_OK;
	const enum rc rc =
		chain_gather(&chain, ole->entries[0].first, ole->entries[0].claimed, budget, arena, &ole->mini);
	if (rc != RC_OK)
		return rc;
	return chain_gather(&chain, first, (ole->mini.len >> MINI_SHIFT) * 4 + 4, budget, arena, &ole->mini_fat);
}

enum rc ole_open(struct slice file, struct budget *budget, struct arena *arena, struct ole *out)
{
	struct ole ole = { .file = file, .shift = bytes_u16(file, 30), .cutoff = bytes_u32(file, 56) };

	if (!ole_is(file) || file.len < HEADER_BYTES)
		return RC_SYNTAX;
	if (ole.shift != 9 && ole.shift != 12) {
		ole.damaged = true;
		ole.shift = bytes_u16(file, 26) == 4 ? 12 : 9;
	}
	if (ole.cutoff != 4096)
		ole.damaged = true;
	const uint64_t size = (uint64_t)1 << ole.shift;
	const uint64_t sectors = file.len <= size ? 0 : (file.len - size + size - 1) >> ole.shift;
	ole.sectors = sectors > SECTOR_MAX ? SECTOR_MAX : (uint32_t)sectors;
	enum rc rc = fat_read(&ole, budget, arena);
	if (rc == RC_OK)
		rc = directory_read(&ole, budget, arena);
	if (rc == RC_OK)
		rc = mini_read(&ole, budget, arena);
	if (rc == RC_OK)
		*out = ole;
	return rc;
}

enum rc ole_stream(const struct ole *ole, uint32_t index, struct budget *budget, struct arena *arena, struct slice *out,
                   bool *whole)
{
	must(index < ole->count);
	const struct ole_entry *e = &ole->entries[index];
	const bool              mini = e->claimed < ole->cutoff && e->kind == OLE_STREAM;
	const struct chain      chain = {
		     ole,
		     mini,
                mini ? MINI_SHIFT : ole->shift,
                mini ? (uint32_t)((ole->mini.len + 63) >> MINI_SHIFT) : ole->sectors,
	};
	struct slice bytes = { NULL, 0 };

	if (e->kind == OLE_STREAM && e->claimed != 0) {
		const enum rc rc = chain_gather(&chain, e->first, e->claimed, budget, arena, &bytes);
		if (rc != RC_OK)
			return rc;
	}
	*out = bytes;
	*whole = e->kind != OLE_STREAM || bytes.len == e->claimed;
	return RC_OK;
}

uint32_t ole_child(const struct ole *ole, uint32_t parent, struct slice name)
{
	for (uint32_t i = 0; i < ole->count; i++)
		if (ole->entries[i].parent == parent && !ole->entries[i].orphan &&
		    slice_eq_nocase(ole->entries[i].name, name))
			return i;
	return OLE_NONE;
}

uint32_t ole_path(const struct ole *ole, uint32_t parent, struct slice path)
{
	uint32_t at = parent;

	while (path.len != 0 && at != OLE_NONE)
		at = ole_child(ole, at, slice_until(&path, '/'));
	return at;
}
