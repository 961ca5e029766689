/*
 * Reading directories and local headers. Every number is from a peer: offsets are added only where the sum cannot
 * overflow, and slices cut what lies outside the file. Time: each reading walks its records once and they do not
 * overlap within a reading; sorting is n log n; ZIP_ENTRIES_MAX and the budget's steps bound n.
 */
#include "archive/zip_index.h"

#include "base/memory.h"
#include "base/must.h"
#include "base/cursor.h"

#include <stdlib.h> /* qsort */

#define END_SIZE    22u
#define COMMENT_MAX 65535u
#define LOCATOR     20u
#define END64_SIZE  56u
#define DESCRIPTOR_TRIES 256u /* looks for a descriptor, each of which can cost a pass over the file */

struct directory {
	size_t at;    /* of its first record */
	size_t end;   /* of its end record */
	size_t shift; /* what to add to its offsets */
};

struct directories {
	struct directory items[ZIP_DIRECTORIES_MAX];
	size_t           count;
};

static bool is_at(struct slice s, size_t at, const char *mark)
{
	return slice_starts(slice_drop(s, at), slice_of(mark, 4));
}

static size_t seek(struct slice s, size_t from, const char *mark)
{
	const struct slice rest = slice_drop(s, from);
	const uint8_t     *found = rest.len == 0 ? NULL : memmem(rest.ptr, rest.len, mark, 4);

	return found == NULL ? s.len : (size_t)(found - s.ptr);
}

static struct zip_entry *entry_new(struct zip_index *index, struct budget *budget, enum rc *rc)
{
	if (index->count == ZIP_ENTRIES_MAX || !budget_take(budget, BUDGET_STEPS, ZIP_ENTRY_STEPS)) {
		index->cut = true;
		return NULL;
	}
	if (index->count == index->room) {
		const size_t      room = index->room == 0 ? 16 : index->room * 2;
		struct zip_entry *entries = memory_resize(index->entries, room * sizeof *entries);
		if (entries == NULL) {
			*rc = RC_NOMEM;
			return NULL;
		}
		index->entries = entries;
		index->room = room;
	}
	struct zip_entry *entry = &index->entries[index->count++];
	*entry = (struct zip_entry){ .at = 0 };
	return entry;
}

/* The field of an extra block with that tag. */
static struct slice extra_find(struct slice extra, uint16_t tag)
{
	struct cursor c = cursor_on(extra);

	while (c.rest.len >= 4) {
		const uint16_t     which = cursor_u16(&c);
		const struct slice field = cursor_bytes(&c, cursor_u16(&c));
		if (c.failed)
			break;
		if (which == tag)
			return field;
	}
	return (struct slice){ NULL, 0 };
}

/* APPNOTE section 4.6.9: the name in UTF-8, if it is still about the name in the header (a checksum tells; readers differ in checking it). */
static struct slice name_of(struct slice name, struct slice extra)
{
	const struct slice unicode = extra_find(extra, 0x7075);

	return unicode.len > 5 && unicode.ptr[0] == 1 ? slice_drop(unicode, 5) : name;
}

/* Sizes of 64 bits stand in an extra field, in this order, each only where the small one is all ones (section 4.5.3). */
static void sizes64(struct zip_entry *entry, uint64_t *packed, uint64_t *offset)
{
	struct cursor c = cursor_on(extra_find(entry->extra, 0x0001));

	if (entry->claimed == UINT32_MAX && c.rest.len >= 8)
		entry->claimed = cursor_u64(&c);
	if (*packed == UINT32_MAX && c.rest.len >= 8)
		*packed = cursor_u64(&c);
	if (offset != NULL && *offset == UINT32_MAX && c.rest.len >= 8)
		*offset = cursor_u64(&c);
}

/* Where the data of an entry lie: behind the local header at entry->at. */
static void place(struct slice bytes, struct zip_entry *entry, uint64_t packed)
{
	struct cursor c = cursor_on(slice_drop(bytes, entry->at));
	const bool    marked = cursor_u32(&c) == 0x04034b50u;

	(void)cursor_bytes(&c, 22);
	const size_t names = cursor_u16(&c), extras = cursor_u16(&c);
	entry->local = marked && !c.failed;
	entry->data_at = c.failed ? bytes.len : entry->at + ZIP_LOCAL_SIZE + names + extras;
	if (entry->data_at > bytes.len)
		entry->data_at = bytes.len;
	entry->short_of = packed > bytes.len - entry->data_at;
	entry->packed = entry->short_of ? bytes.len - entry->data_at : (size_t)packed;
}

/* One record of a directory. Returns its size, or 0: there is none. */
static size_t central_read(struct slice bytes, size_t at, const struct directory *directory, struct zip_entry *entry)
{
	struct cursor c = cursor_on(slice_drop(bytes, at));

	if (cursor_u32(&c) != 0x02014b50u)
		return 0;
	entry->made_by = cursor_u16(&c);
	(void)cursor_u16(&c);
	entry->flags = cursor_u16(&c);
	entry->method = cursor_u16(&c);
	entry->time = cursor_u16(&c);
	(void)cursor_u16(&c);
	entry->crc = cursor_u32(&c);
	uint64_t packed = cursor_u32(&c);
	entry->claimed = cursor_u32(&c);
	const size_t names = cursor_u16(&c), extras = cursor_u16(&c), comments = cursor_u16(&c);
	(void)cursor_u32(&c);
	entry->attributes = cursor_u32(&c);
	uint64_t offset = cursor_u32(&c);
	if (c.failed)
		return 0;
	const struct slice name = slice_take(c.rest, names);
	entry->extra = slice_cut(c.rest, names, extras);
	entry->name = name_of(name, entry->extra);
	sizes64(entry, &packed, &offset);
	const uint64_t shifted = offset > SIZE_MAX / 4 ? bytes.len : offset + directory->shift;
	entry->at = shifted < bytes.len ? (size_t)shifted : bytes.len;
	/* an offset that does not reckon with what stands before the archive, or one that does in spite of it */
	if (!is_at(bytes, entry->at, "PK\3\4") && offset < bytes.len && is_at(bytes, (size_t)offset, "PK\3\4"))
		entry->at = (size_t)offset;
	place(bytes, entry, packed);
	return ZIP_CENTRAL_SIZE + names + extras + comments;
}

/* The local header at `at`. Its sizes may be unknown: then *told is false and `packed` is 0. */
static bool local_read(struct slice bytes, size_t at, struct zip_entry *entry, bool *told)
{
	struct cursor c = cursor_on(slice_drop(bytes, at));

	if (cursor_u32(&c) != 0x04034b50u)
		return false;
	(void)cursor_u16(&c);
	entry->at = at;
	entry->flags = cursor_u16(&c);
	entry->method = cursor_u16(&c);
	entry->time = cursor_u16(&c);
	(void)cursor_u16(&c);
	entry->crc = cursor_u32(&c);
	uint64_t packed = cursor_u32(&c);
	entry->claimed = cursor_u32(&c);
	const size_t names = cursor_u16(&c), extras = cursor_u16(&c);
	if (c.failed)
		return false;
	entry->extra = slice_cut(c.rest, names, extras);
	entry->name = name_of(slice_take(c.rest, names), entry->extra);
	sizes64(entry, &packed, NULL);
	*told = !(entry->flags & ZIP_FLAG_DESCRIPTOR) || packed != 0;
	place(bytes, entry, packed);
	entry->directory = ZIP_STREAM;
	return true;
}

static void directory_add(struct directories *all, struct slice bytes, size_t at, size_t end, uint64_t where)
{
	if (at > bytes.len || all->count == ZIP_DIRECTORIES_MAX || !is_at(bytes, at, "PK\1\2"))
		return;
	for (size_t i = 0; i < all->count; i++) {
		if (all->items[i].at == at)
			return;
	}
	all->items[all->count++] = (struct directory){ at, end, at > where ? at - (size_t)where : 0 };
}

/* The directories that the end record at `end` leads to: where it says, and right before it. */
static void end_read(struct slice bytes, size_t end, struct directories *all)
{
	struct cursor c = cursor_on(slice_drop(bytes, end + 12));
	uint64_t      size = cursor_u32(&c), where = cursor_u32(&c);
	size_t        before = end;

	/* section 4.3.15: a locator before the end record leads to an end record with numbers of 64 bits */
	if (end >= LOCATOR && is_at(bytes, end - LOCATOR, "PK\6\7")) {
		struct cursor locator = cursor_on(slice_drop(bytes, end - LOCATOR + 8));
		uint64_t      record = cursor_u64(&locator);
		if (record >= bytes.len || !is_at(bytes, (size_t)record, "PK\6\6"))
			record = end >= LOCATOR + END64_SIZE ? end - LOCATOR - END64_SIZE : bytes.len;
		if (record < bytes.len && is_at(bytes, (size_t)record, "PK\6\6")) {
			c = cursor_on(slice_drop(bytes, (size_t)record + 40));
			const uint64_t size64 = cursor_u64(&c), where64 = cursor_u64(&c);
			if (!c.failed) {
				if (size64 <= record)
					directory_add(all, bytes, (size_t)(record - size64), end, where64);
				if (where64 < bytes.len)
					directory_add(all, bytes, (size_t)where64, end, where64);
				before = (size_t)record;
			}
		}
	}
	if (size <= before)
		directory_add(all, bytes, before - (size_t)size, end, where);
	if (where < bytes.len)
		directory_add(all, bytes, (size_t)where, end, where);
}

/*
 * The end records that readers come to: the last one whose comment ends with the file; any that stands in that comment, which is
 * where those who look for the last mark of all end up; and where nothing fits, the last that leads to a directory.
 */
static void ends_find(struct slice bytes, struct directories *all, struct zip_index *index)
{
	const size_t low = bytes.len > END_SIZE + COMMENT_MAX ? bytes.len - END_SIZE - COMMENT_MAX : 0;
	const size_t high = bytes.len < END_SIZE ? 0 : bytes.len - END_SIZE + 1;
	size_t       exact = SIZE_MAX;

	for (unsigned round = 0; round < 2; round++) {
		for (size_t at = high; at-- > low && (round == 0 || exact == SIZE_MAX || at > exact);) {
			if (bytes.ptr[at] != 'P' || !is_at(bytes, at, "PK\5\6"))
				continue;
			struct cursor c = cursor_on(slice_drop(bytes, at + 20));
			const size_t  comment = cursor_u16(&c);
			if (round == 0 && comment != c.rest.len)
				continue;
			end_read(bytes, at, all);
			if (index->end == 0) {
				index->comment = slice_take(c.rest, comment);
				index->end = at + END_SIZE + index->comment.len;
			}
			if (round == 0)
				exact = at;
			if (round == 0 || (exact == SIZE_MAX && all->count != 0))
				break;
		}
	}
}

static enum rc directory_read(struct slice bytes, const struct directory *directory, uint8_t number, struct budget *budget,
                              struct zip_index *index)
{
	size_t  at = directory->at;
	enum rc rc = RC_OK;

	while (rc == RC_OK && is_at(bytes, at, "PK\1\2")) {
		struct zip_entry *entry = entry_new(index, budget, &rc);
		if (entry == NULL)
			break;
		entry->directory = number;
		const size_t size = central_read(bytes, at, directory, entry);
		if (size == 0) {
			index->count--;
			break;
		}
		if (!entry->local)
			index->odd |= ZIP_ODD_DAMAGED;
		at += size;
	}
	return rc;
}

static int by_place(const void *left, const void *right)
{
	const struct zip_entry *a = left, *b = right;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->directory != b->directory)
		return a->directory < b->directory ? -1 : 1;
	/* one place in memory each: a stable order */
	return a->name.ptr == b->name.ptr ? 0 : a->name.ptr < b->name.ptr ? -1 : 1;
}

/* The first entry of the directories (sorted) at or behind `at`. */
static size_t entry_from(const struct zip_index *index, size_t count, size_t at)
{
	size_t low = 0, high = count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (index->entries[middle].at < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * The end of data whose size is told only behind them: by the directory's entry for the same place, else by a descriptor whose
 * size fits, else at the next record.
 */
static size_t data_end(struct slice bytes, const struct zip_entry *entry, const struct zip_index *index, size_t count,
                       unsigned *tries)
{
	const size_t known = entry_from(index, count, entry->at);

	if (known < count && index->entries[known].at == entry->at)
		return entry->data_at + index->entries[known].packed;
	for (size_t from = entry->data_at; *tries != 0;) {
		--*tries;
		const size_t at = seek(bytes, from, "PK\7\x08");
		if (at == bytes.len)
			break;
		struct cursor c = cursor_on(slice_drop(bytes, at + 8));
		if (cursor_u32(&c) == at - entry->data_at)
			return at;
		from = at + 1;
	}
	const size_t next = seek(bytes, entry->data_at, "PK\3\4");
	return seek(slice_take(bytes, next), entry->data_at, "PK\1\2");
}

/* Behind a descriptor at `at`, if one is there. */
static size_t descriptor_skip(struct slice bytes, size_t at)
{
	static const uint8_t sizes[] = { 16, 24, 12, 20 };

	for (size_t i = is_at(bytes, at, "PK\7\x08") ? 0 : 2; i < sizeof sizes; i++) {
		if (is_at(bytes, at + sizes[i], "PK\3\4") || is_at(bytes, at + sizes[i], "PK\1\2") || is_at(bytes, at + sizes[i], "PK\5\6"))
			return at + sizes[i];
	}
	return at;
}

/* The third reading: as a stream. Entries of it are kept where no directory says exactly the same. */
static enum rc stream_read(struct slice bytes, struct budget *budget, struct zip_index *index)
{
	const size_t directories = index->count;
	unsigned     tries = DESCRIPTOR_TRIES;
	size_t       at = seek(bytes, 0, "PK\3\4");
	enum rc      rc = RC_OK;

	while (at < bytes.len && rc == RC_OK) {
		bool              told = false;
		struct zip_entry *entry = entry_new(index, budget, &rc);
		if (entry == NULL)
			break;
		if (!local_read(bytes, at, entry, &told)) {
			index->count--;
			break;
		}
		if (!told) {
			entry->packed = data_end(bytes, entry, index, directories, &tries) - entry->data_at;
			entry->claimed = 0;
		}
		const size_t behind = entry->data_at + entry->packed;
		const size_t next = entry->flags & ZIP_FLAG_DESCRIPTOR ? descriptor_skip(bytes, behind) : behind;
		at = seek(bytes, next, "PK\3\4");
	}
	return rc;
}

bool zip_entry_same_data(const struct zip_entry *a, const struct zip_entry *b)
{
	return a->data_at == b->data_at && a->packed == b->packed && a->method == b->method &&
	       ((a->flags ^ b->flags) & ZIP_FLAG_ENCRYPTED) == 0;
}

/* Does `entry` say what `first` says, but for what a stream tells behind the data only, or masks? */
static bool says_same(const struct zip_entry *first, const struct zip_entry *entry, bool untold)
{
	return slice_eq(first->name, entry->name) && zip_entry_same_data(first, entry) &&
	       (untold || ((first->crc == entry->crc || entry->crc == 0) &&
	                   (first->claimed == entry->claimed || first->directory != entry->directory)));
}

/* Notes what two readings of one place disagree about. */
static void disagree(struct zip_index *index, const struct zip_entry *first, const struct zip_entry *entry, bool untold)
{
	if (first->directory == entry->directory) {
		index->odd |= ZIP_ODD_OVERLAP;
		return;
	}
	if (!zip_entry_same_data(first, entry) || (!untold && first->crc != entry->crc && entry->crc != 0))
		index->odd |= ZIP_ODD_DIRECTORY;
	if (!slice_eq(first->name, entry->name) && !(index->odd & ZIP_ODD_NAME)) {
		index->odd |= ZIP_ODD_NAME;
		index->odd_name = first->name;
	}
}

/* Drops entries that say what one before them said about the same place. A stream has one entry for a place: linear. */
static void compare(struct zip_index *index)
{
	const bool directories = index->count != 0 && index->entries[0].directory != ZIP_STREAM;
	size_t     kept = 0, group = 0;

	for (size_t i = 0; i < index->count; i++) {
		const struct zip_entry entry = index->entries[i];
		const bool             stream = entry.directory == ZIP_STREAM;
		const bool             untold = stream && entry.claimed == 0 && (entry.flags & (ZIP_FLAG_DESCRIPTOR | ZIP_FLAG_MASKED));
		bool                   said = false;
		if (kept == 0 || index->entries[kept - 1].at != entry.at) {
			group = kept;
			if (stream && directories)
				index->odd |= ZIP_ODD_HIDDEN;
			index->entries[kept++] = entry;
			continue;
		}
		for (size_t j = stream ? group : kept - 1; j < kept && !said; j++)
			said = says_same(&index->entries[j], &entry, untold);
		if (said)
			continue;
		disagree(index, &index->entries[kept - 1], &entry, untold);
		index->entries[kept++] = entry;
	}
	index->count = kept;
}

static void gap_add(struct zip_index *index, struct slice gap)
{
	bool zeros = true;

	if (gap.len < ZIP_GAP_MIN || index->gap_count == ZIP_GAPS_MAX)
		return;
	for (size_t i = 0; i < gap.len && zeros; i++)
		zeros = gap.ptr[i] == 0;
	/* where Android keeps its signatures */
	if (!zeros && !slice_ends(gap, SLICE("APK Sig Block 42")))
		index->gaps[index->gap_count++] = gap;
}

/* What belongs to no member: before the first, between them, behind the end. And members that share bytes. */
static void cover(struct slice bytes, const struct directories *all, struct zip_index *index)
{
	size_t covered = 0;

	for (size_t i = 0; i < index->count; i++) {
		const struct zip_entry *entry = &index->entries[i];
		const size_t            before = index->gap_count;
		if (!entry->local)
			continue;
		if (entry->at > covered)
			gap_add(index, slice_cut(bytes, covered, entry->at - covered));
		else if (entry->at < covered && entry->directory != ZIP_STREAM && i != 0 && index->entries[i - 1].at != entry->at)
			index->odd |= ZIP_ODD_OVERLAP;
		if (covered == 0 && index->gap_count != before)
			index->odd |= ZIP_ODD_TRAILING;
		size_t end = entry->data_at + entry->packed;
		if (entry->flags & ZIP_FLAG_DESCRIPTOR)
			end = descriptor_skip(bytes, end);
		if (end > covered)
			covered = end;
	}
	const size_t directory = all->count != 0 ? all->items[0].at : covered;
	if (directory > covered)
		gap_add(index, slice_cut(bytes, covered, directory - covered));
	const size_t before = index->gap_count;
	gap_add(index, slice_drop(bytes, index->end > covered ? index->end : covered));
	if (index->end != 0 && index->gap_count != before)
		index->odd |= ZIP_ODD_TRAILING;
}

static int by_name(const void *left, const void *right)
{
	const struct slice *a = left, *b = right;

	return slice_compare(*a, *b);
}

/* The same name twice in the directory that most readers use. */
static enum rc duplicates_find(struct zip_index *index)
{
	struct slice *names = index->count < 2 ? NULL : memory_take(index->count, sizeof *names);
	size_t        count = 0;

	if (names == NULL)
		return index->count < 2 ? RC_OK : RC_NOMEM;
	for (size_t i = 0; i < index->count; i++) {
		if (index->entries[i].directory == index->entries[0].directory)
			names[count++] = index->entries[i].name;
	}
	qsort(names, count, sizeof *names, by_name);
	for (size_t i = 1; i < count && !(index->odd & ZIP_ODD_DUPLICATE); i++) {
		if (slice_eq(names[i - 1], names[i])) {
			index->odd |= ZIP_ODD_DUPLICATE;
			index->duplicate = names[i];
		}
	}
	memory_give(names);
	return RC_OK;
}

enum rc zip_index_read(struct slice bytes, struct budget *budget, struct zip_index *out)
{
	struct directories all = { .count = 0 };
	enum rc            rc = RC_OK;

	*out = (struct zip_index){ .count = 0 };
	ends_find(bytes, &all, out);
	if (all.count > 1)
		out->odd |= ZIP_ODD_DIRECTORY;
	for (size_t i = 0; i < all.count && rc == RC_OK; i++)
		rc = directory_read(bytes, &all.items[i], (uint8_t)i, budget, out);
	if (out->count == 0 && out->end == 0)
		out->odd |= ZIP_ODD_DAMAGED;
	if (out->count != 0)
		qsort(out->entries, out->count, sizeof *out->entries, by_place);
	if (rc == RC_OK)
		rc = stream_read(bytes, budget, out);
	if (out->count != 0)
		qsort(out->entries, out->count, sizeof *out->entries, by_place);
	compare(out);
	cover(bytes, &all, out);
	if (rc == RC_OK)
		rc = duplicates_find(out);
	if (rc == RC_OK && out->count == 0 && out->end == 0)
		rc = RC_NOTFOUND;
	if (rc != RC_OK)
		zip_index_done(out);
	return rc;
}

void zip_index_done(struct zip_index *index)
{
	memory_give(index->entries);
	*index = (struct zip_index){ .count = 0 };
}
