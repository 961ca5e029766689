/* A sorted array of digests, and behind it the names. */
#include "signature/hashes.h"

#include "base/buf.h"
#include "base/codec.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct row {
	struct digest digest;
	uint32_t      name;      /* offset among the names */
	uint32_t      name_size;
	size_t        line;
};

struct hashes {
	struct row *rows; /* owned, sorted by digest */
	uint8_t    *names; /* owned */
	size_t      names_size;
	size_t      count;
};

static int by_digest(const void *a, const void *b)
{
	const struct row *one = a, *other = b;
	const int         order = memcmp(one->digest.bytes, other->digest.bytes, DIGEST_SIZE);

	return order != 0 ? order : (one->line > other->line) - (one->line < other->line);
}

static bool is_blank(int byte)
{
	return byte == ' ' || byte == '\t';
}

/* Cut between characters. */
static struct slice cut_name(struct slice name)
{
	size_t size = name.len;

	if (size > HASHES_NAME_MAX)
		for (size = HASHES_NAME_MAX; size != 0 && (name.ptr[size] & 0xc0u) == 0x80u;)
			size--;
	return slice_take(name, size);
}

/* `digest` is room that all lines share. */
static enum rc read_row(struct slice line, struct buf *digest, struct row *row, struct slice *name)
{
	struct slice text = slice_take(line, (size_t)2 * DIGEST_SIZE);

	buf_clear(digest);
	if (text.len != (size_t)2 * DIGEST_SIZE || codec_hex_decode(text, digest) != RC_OK)
		return RC_SYNTAX;
	if (digest->failed)
		return RC_NOMEM;
	memcpy(row->digest.bytes, digest->ptr, DIGEST_SIZE);
	line = slice_drop(line, text.len);
	if (line.len != 0 && !is_blank(line.ptr[0]))
		return RC_SYNTAX;
	*name = cut_name(slice_trim(line));
	return RC_OK;
}

static enum rc read_lines(struct slice text, struct buf *digest, struct hashes *hashes, size_t *ret_line)
{
	for (size_t number = 1; text.len != 0; number++) {
		struct slice line = slice_trim(slice_until(&text, '\n'));
		struct slice name;
		struct row  *row = &hashes->rows[hashes->count];

		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		*ret_line = number;
		if (hashes->count == HASHES_MAX)
			return RC_LIMIT;

		const enum rc rc = read_row(line, digest, row, &name);

		if (rc != RC_OK)
			return rc;
		row->line = number;
		row->name = (uint32_t)hashes->names_size;
		row->name_size = (uint32_t)name.len;
		if (name.len != 0)
			memcpy(hashes->names + hashes->names_size, name.ptr, name.len);
		hashes->names_size += name.len;
		hashes->count++;
	}
	return RC_OK;
}

/* Neighbours with one digest: the first line's stays. */
static void drop_doubles(struct hashes *hashes)
{
	size_t kept = 0;

	for (size_t i = 0; i < hashes->count; i++)
		if (kept == 0 || memcmp(hashes->rows[kept - 1].digest.bytes, hashes->rows[i].digest.bytes, DIGEST_SIZE) != 0)
			hashes->rows[kept++] = hashes->rows[i];
	hashes->count = kept;
}

enum rc hashes_read(struct slice text, struct hashes **out, size_t *ret_line)
{
	struct hashes *hashes = memory_take(1, sizeof *hashes);
	/* A row takes 64 bytes at least, so that bounds both. */
	const size_t   rows_max = text.len / ((size_t)2 * DIGEST_SIZE) + 1;
	struct buf     digest = buf_make(DIGEST_SIZE);
	enum rc        rc = RC_NOMEM;

	*ret_line = 0;
	if (hashes == NULL)
		return RC_NOMEM;
	hashes->rows = memory_take(rows_max < HASHES_MAX ? rows_max : HASHES_MAX + 1, sizeof *hashes->rows);
	hashes->names = memory_take(text.len + 1, 1);
	if (hashes->rows != NULL && hashes->names != NULL)
		rc = text.len > UINT32_MAX ? RC_LIMIT : read_lines(text, &digest, hashes, ret_line);
	buf_done(&digest);
	if (rc != RC_OK) {
		hashes_drop(&hashes);
		return rc;
	}
	qsort(hashes->rows, hashes->count, sizeof *hashes->rows, by_digest);
	drop_doubles(hashes);
	*ret_line = 0;
	*out = hashes;
	return RC_OK;
}

void hashes_drop(struct hashes **hashes)
{
	if (*hashes == NULL)
		return;
	memory_give((*hashes)->rows);
	memory_give((*hashes)->names);
	memory_give(*hashes);
	*hashes = NULL;
}

size_t hashes_count(const struct hashes *hashes)
{
	return hashes->count;
}

bool hashes_find(const struct hashes *hashes, const struct digest *digest, struct slice *ret_name)
{
	size_t low = 0, high = hashes->count;

	while (low < high) {
		const size_t      middle = low + (high - low) / 2;
		const struct row *row = &hashes->rows[middle];
		const int         order = memcmp(digest->bytes, row->digest.bytes, DIGEST_SIZE);

		if (order == 0) {
			*ret_name = slice_of(hashes->names + row->name, row->name_size);
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}
