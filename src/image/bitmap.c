/* BMP (Windows bitmaps of every age) and PNM (P1 to P6), read here: both are rows of numbers. */
#include "image/decoder.h"

#include "base/cursor.h"
#include "base/memory.h"

#define BMP_NONE      0u
#define BMP_RLE8      1u
#define BMP_BITFIELDS 3u
#define BMP_ALPHA     6u

struct bmp {
	uint32_t     width, height;
	bool         down; /* rows begin at the top */
	uint16_t     bits;
	uint32_t     compression;
	uint32_t     masks[3]; /* red, green, blue; for 16 and 32 bits */
	struct slice colours;  /* of 3 or 4 bytes, blue first */
	size_t       colour_bytes;
	struct slice rows;
};

bool bmp_is(struct slice bytes)
{
	const struct slice size = slice_cut(bytes, 14, 4);

	if (!slice_starts(bytes, SLICE("BM")) || size.len < 4)
		return false;
	return (size.ptr[0] == 12 || (size.ptr[0] >= 40 && size.ptr[0] <= 124)) && size.ptr[1] == 0 && size.ptr[2] == 0 &&
	       size.ptr[3] == 0;
}

/* The sign of a height is its direction: negative ones begin at the top. */
static uint32_t height_of(uint32_t raw, bool *down)
{
	*down = (raw & UINT32_C(0x80000000)) != 0;
	return *down ? 0 - raw : raw;
}

static enum rc bmp_read(struct slice bytes, struct bmp *out)
{
	struct cursor c = cursor_on(slice_drop(bytes, 10));
	struct bmp    bmp = { .masks = { 0xff0000, 0xff00, 0xff }, .colour_bytes = 4 };

	const uint32_t offset = cursor_u32(&c), header = cursor_u32(&c);
	if (header == 12) {
		bmp.width = cursor_u16(&c);
		bmp.height = cursor_u16(&c);
		(void)cursor_u16(&c);
		bmp.bits = cursor_u16(&c);
		bmp.colour_bytes = 3;
	} else {
		bmp.width = cursor_u32(&c);
		bmp.height = height_of(cursor_u32(&c), &bmp.down);
		(void)cursor_u16(&c);
		bmp.bits = cursor_u16(&c);
		bmp.compression = cursor_u32(&c);
		(void)cursor_bytes(&c, 20);
		if (bmp.compression == BMP_BITFIELDS || bmp.compression == BMP_ALPHA)
			for (size_t i = 0; i < 3; i++)
				bmp.masks[i] = cursor_u32(&c);
		else if (bmp.bits == 16)
			memcpy(bmp.masks, ((const uint32_t[]){ 0x7c00, 0x3e0, 0x1f }), sizeof bmp.masks);
	}
	if (c.failed)
		return RC_SYNTAX;
	bmp.colours = slice_cut(bytes, 14 + (size_t)header, 256 * bmp.colour_bytes);
	bmp.rows = slice_drop(bytes, offset);
	const bool plain = bmp.bits == 1 || bmp.bits == 4 || bmp.bits == 8 || bmp.bits == 16 || bmp.bits == 24 || bmp.bits == 32;
	const bool packed = bmp.compression == BMP_RLE8 && bmp.bits == 8;
	const bool masked = (bmp.compression == BMP_BITFIELDS || bmp.compression == BMP_ALPHA) && (bmp.bits == 16 || bmp.bits == 32);
	if (!plain || (bmp.compression != BMP_NONE && !packed && !masked))
		return RC_UNSUPPORTED;
	*out = bmp;
	return RC_OK;
}

/* The bits of a mask as 0 to 255. */
static uint8_t masked(uint32_t pixel, uint32_t mask)
{
	if (mask == 0)
		return 0;
	const int      shift = __builtin_ctz(mask);
	const uint32_t top = mask >> shift;
	return (uint8_t)((uint64_t)((pixel & mask) >> shift) * 255 / top);
}

static void put_colour(const struct bmp *bmp, size_t index, uint8_t *out)
{
	const struct slice colour = slice_cut(bmp->colours, index * bmp->colour_bytes, 3);

	for (size_t i = 0; i < 3; i++)
		out[i] = colour.len == 3 ? colour.ptr[2 - i] : 0;
}

static void bmp_row(const struct bmp *bmp, const uint8_t *row, uint8_t *out)
{
	for (size_t x = 0; x < bmp->width; x++, out += 3) {
		if (bmp->bits <= 8) {
			const size_t per = 8u / bmp->bits;
			const size_t shift = 8 - bmp->bits * (x % per + 1);
			put_colour(bmp, (size_t)(row[x / per] >> shift) & ((1u << bmp->bits) - 1), out);
		} else if (bmp->bits == 24) {
			out[0] = row[3 * x + 2];
			out[1] = row[3 * x + 1];
			out[2] = row[3 * x];
		} else {
			const size_t size = bmp->bits / 8u;
			uint32_t     pixel = 0;
			for (size_t i = 0; i < size; i++)
				pixel |= (uint32_t)row[size * x + i] << (8 * i);
			for (size_t i = 0; i < 3; i++)
				out[i] = masked(pixel, bmp->masks[i]);
		}
	}
}

/* RLE8: pairs of count and index; 0 then 0 ends a row, 1 ends all, 2 moves, more is a run as it stands. */
static void unpack(const struct bmp *bmp, uint8_t *indices)
{
	struct cursor c = cursor_on(bmp->rows);
	uint64_t      x = 0, y = 0;

	while (!c.failed && c.rest.len != 0 && y < bmp->height) {
		const uint8_t count = cursor_u8(&c), value = cursor_u8(&c);
		if (count != 0) {
			for (unsigned i = 0; i < count && x < bmp->width; i++)
				indices[y * bmp->width + x++] = value;
		} else if (value == 0) {
			x = 0;
			y++;
		} else if (value == 1) {
			return;
		} else if (value == 2) {
			x += cursor_u8(&c);
			y += cursor_u8(&c);
		} else {
			const struct slice run = cursor_bytes(&c, value);
			if ((value & 1) != 0)
				(void)cursor_u8(&c);
			for (size_t i = 0; i < run.len && x < bmp->width; i++)
				indices[y * bmp->width + x++] = run.ptr[i];
		}
	}
}

static void feed_rows(const struct bmp *bmp, struct slice rows, size_t stride, uint8_t *row, struct picture_feed *feed)
{
	const size_t needed = ((size_t)bmp->width * bmp->bits + 7) / 8;

	for (uint32_t y = 0; y < bmp->height; y++) {
		const struct slice line = slice_cut(rows, (bmp->down ? y : bmp->height - 1 - y) * stride, needed);
		if (line.len == needed)
			bmp_row(bmp, line.ptr, row);
		else
			memset(row, 255, (size_t)bmp->width * 3);
		picture_feed_row(feed, PICTURE_ROW_RGB, row);
	}
}

enum rc bmp_decode(struct slice bytes, struct budget *budget, struct picture *out)
{
	struct bmp          bmp;
	struct picture_feed feed;
	uint8_t            *indices = NULL;
	enum rc             rc = bmp_read(bytes, &bmp);

	if (rc != RC_OK)
		return rc;
	const bool packed = bmp.compression == BMP_RLE8;
	rc = decoder_charge(budget, bmp.width, bmp.height, packed ? PICTURE_WHOLE_PIXELS_MAX : PICTURE_SOURCE_PIXELS_MAX, 1);
	if (rc != RC_OK)
		return rc;
	uint8_t *row = memory_take(bmp.width, 3);
	if (packed)
		indices = memory_take((size_t)bmp.width, bmp.height);
	const bool begun = row != NULL && (!packed || indices != NULL);
	rc = begun ? picture_feed_begin(&feed, bmp.width, bmp.height) : RC_NOMEM;
	if (rc == RC_OK) {
		if (packed)
			unpack(&bmp, indices);
		const size_t stride = packed ? bmp.width : ((size_t)bmp.width * bmp.bits + 31) / 32 * 4;
		feed_rows(&bmp, packed ? slice_of(indices, (size_t)bmp.width * bmp.height) : bmp.rows, stride, row, &feed);
	}
	if (begun) {
		const enum rc ended = picture_feed_end(&feed, out);
		if (rc != RC_OK && ended == RC_OK)
			picture_done(out);
		rc = rc != RC_OK ? rc : ended;
	}
	memory_give(row);
	memory_give(indices);
	return rc;
}

bool pnm_is(struct slice bytes)
{
	const int kind = slice_at(bytes, 1), next = slice_at(bytes, 2);

	return slice_at(bytes, 0) == 'P' && kind >= '4' && kind <= '6' && (next == ' ' || next == '\n' || next == '\r' || next == '\t');
}

/* A number of the head, with what stands before it. */
static uint32_t pnm_number(struct slice *rest)
{
	uint32_t number = 0;

	while (rest->len != 0 && !byte_is_digit(rest->ptr[0])) {
		if (rest->ptr[0] == '#')
			(void)slice_until(rest, '\n');
		else
			*rest = slice_drop(*rest, 1);
	}
	while (rest->len != 0 && byte_is_digit(rest->ptr[0]) && number <= PICTURE_SOURCE_SIDE_MAX) {
		number = number * 10 + (uint32_t)(rest->ptr[0] - '0');
		*rest = slice_drop(*rest, 1);
	}
	return number;
}

enum rc pnm_decode(struct slice bytes, struct budget *budget, struct picture *out)
{
	struct slice        rest = slice_drop(bytes, 2);
	struct picture_feed feed;
	const int           kind = slice_at(bytes, 1);
	const uint32_t      width = pnm_number(&rest), height = pnm_number(&rest), most = kind == '4' ? 255 : pnm_number(&rest);
	const size_t        row_bytes = kind == '4' ? ((size_t)width + 7) / 8 : (size_t)width * (kind == '6' ? 3 : 1);

	rest = slice_drop(rest, 1);
	enum rc rc = most != 255 ? RC_UNSUPPORTED : decoder_charge(budget, width, height, PICTURE_SOURCE_PIXELS_MAX, 1);
	if (rc != RC_OK)
		return rc;
	uint8_t *row = memory_take(width, 1);
	if (row == NULL)
		return RC_NOMEM;
	rc = picture_feed_begin(&feed, width, height);
	for (uint32_t y = 0; y < height && rc == RC_OK && rest.len >= row_bytes; y++) {
		if (kind == '4') {
			for (size_t x = 0; x < width; x++)
				row[x] = (rest.ptr[x / 8] >> (7 - x % 8) & 1) != 0 ? 0 : 255;
		}
		picture_feed_row(&feed, kind == '6' ? PICTURE_ROW_RGB : PICTURE_ROW_GREY, kind == '4' ? row : rest.ptr);
		rest = slice_drop(rest, row_bytes);
	}
	const enum rc ended = picture_feed_end(&feed, out);
	if (rc != RC_OK && ended == RC_OK)
		picture_done(out);
	memory_give(row);
	return rc != RC_OK ? rc : ended;
}
