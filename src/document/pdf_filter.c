/* Each filter from a slice to a buf; then the predictor over what came out. */
#include "document/pdf_filter.h"

#include "base/memory.h"
#include "document/inflate.h"

#define LZW_CODES 4096u

static int hex_digit(int byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

static void from_hex(struct slice bytes, struct buf *out)
{
	int high = -1;

	for (size_t i = 0; i < bytes.len && bytes.ptr[i] != '>'; i++) {
		const int digit = hex_digit(bytes.ptr[i]);
		if (digit < 0)
			continue;
		if (high >= 0)
			buf_put_byte(out, (uint8_t)(high << 4 | digit));
		high = high >= 0 ? -1 : digit;
	}
	if (high >= 0)
		buf_put_byte(out, (uint8_t)(high << 4));
}

static void from_base85(struct slice bytes, struct buf *out)
{
	uint32_t word = 0;
	unsigned count = 0;

	for (size_t i = 0; i < bytes.len && bytes.ptr[i] != '~'; i++) {
		const uint8_t byte = bytes.ptr[i];
		if (byte == 'z' && count == 0) {
			buf_put(out, SLICE("\0\0\0\0"));
		} else if (byte >= '!' && byte <= 'u') {
			word = word * 85 + (byte - (uint32_t)'!');
			if (++count == 5) {
				for (unsigned k = 0; k < 4; k++)
					buf_put_byte(out, (uint8_t)(word >> (24 - 8 * k)));
				word = 0;
				count = 0;
			}
		}
	}
	if (count < 2)
		return;
	for (unsigned k = count; k < 5; k++)
		word = word * 85 + 84;
	for (unsigned k = 0; k + 1 < count; k++)
		buf_put_byte(out, (uint8_t)(word >> (24 - 8 * k)));
}

static void from_runs(struct slice bytes, struct buf *out)
{
	for (size_t i = 0; i < bytes.len && bytes.ptr[i] != 128 && !out->failed;) {
		const uint8_t length = bytes.ptr[i];
		if (length < 128) {
			buf_put(out, slice_cut(bytes, i + 1, (size_t)length + 1));
			i += (size_t)length + 2;
		} else {
			for (unsigned k = 0; k < 257u - length && i + 1 < bytes.len; k++)
				buf_put_byte(out, bytes.ptr[i + 1]);
			i += 2;
		}
	}
}

/* Each code is a code before it and one byte more. */
struct lzw {
	uint16_t before[LZW_CODES];
	uint8_t  last[LZW_CODES];
	uint16_t size[LZW_CODES];
};

/* Write the text of a code at the end of `out`; returns its first byte. */
static uint8_t put_code(const struct lzw *lzw, unsigned code, struct buf *out)
{
	const unsigned size = code < 256 ? 1 : lzw->size[code];
	uint8_t       *room = buf_reserve(out, size);
	unsigned       at = size;

	if (room == NULL)
		return 0;
	while (code >= 256 && at > 1) {
		room[--at] = lzw->last[code];
		code = lzw->before[code];
	}
	room[0] = (uint8_t)code;
	buf_grew(out, size);
	return room[0];
}

static enum rc from_lzw(struct slice bytes, bool early, struct budget *budget, struct buf *out, bool *damaged)
{
	struct lzw *lzw = memory_take(1, sizeof *lzw);
	uint32_t    bits = 0, have = 0, width = 9, next = 258, before = LZW_CODES;
	size_t      at = 0;

	if (lzw == NULL)
		return RC_NOMEM;
	while (!out->failed) {
		while (have < width && at < bytes.len) {
			bits = bits << 8 | bytes.ptr[at++];
			have += 8;
		}
		if (have < width)
			break;
		const uint32_t code = bits >> (have - width) & ((1u << width) - 1);
		have -= width;
		bits &= (1u << have) - 1;
		if (code == 257)
			break;
		if (code == 256) {
			width = 9;
			next = 258;
			before = LZW_CODES;
			continue;
		}
		if (code > next || (code == next && before == LZW_CODES) || (code >= 256 && code < 258)) {
			*damaged = true;
			break;
		}
		if (before != LZW_CODES && next < LZW_CODES) {
			lzw->before[next] = (uint16_t)before;
			lzw->size[next] = (uint16_t)((before < 256 ? 1 : lzw->size[before]) + 1);
			uint32_t first = code == next ? before : code;
			while (first >= 256)
				first = lzw->before[first];
			lzw->last[next++] = (uint8_t)first;
		}
		const size_t length = out->len;
		(void)put_code(lzw, code, out);
		if (!budget_take(budget, BUDGET_BYTES, out->len - length) || !budget_take(budget, BUDGET_STEPS, out->len - length + 1)) {
			memory_give(lzw);
			return RC_LIMIT;
		}
		before = code;
		while (width < 12 && next + early >= 1u << width)
			width++;
	}
	memory_give(lzw);
	return out->failed ? RC_LIMIT : RC_OK;
}

static uint8_t paeth(int left, int up, int corner)
{
	const int guess = left + up - corner;
	const int a = guess > left ? guess - left : left - guess, b = guess > up ? guess - up : up - guess;
	const int c = guess > corner ? guess - corner : corner - guess;

	return (uint8_t)(a <= b && a <= c ? left : b <= c ? up : corner);
}

/* PNG rows, each behind its kind, in place; returns the size. */
static size_t undo_png(uint8_t *bytes, size_t size, size_t row_bytes, size_t pixel_bytes)
{
	size_t written = 0;

	for (size_t at = 0; at < size; at += row_bytes + 1) {
		const uint8_t kind = bytes[at];
		const size_t  left = size - at - 1, count = left < row_bytes ? left : row_bytes;
		uint8_t      *row = bytes + written;
		const uint8_t *above = written >= row_bytes ? row - row_bytes : NULL;
		for (size_t i = 0; i < count; i++) {
			const int value = bytes[at + 1 + i];
			const int a = i >= pixel_bytes ? row[i - pixel_bytes] : 0, b = above != NULL ? above[i] : 0;
			const int c = i >= pixel_bytes && above != NULL ? above[i - pixel_bytes] : 0;
			const int guess = kind == 1 ? a : kind == 2 ? b : kind == 3 ? (a + b) / 2 : kind == 4 ? paeth(a, b, c) : 0;
			row[i] = (uint8_t)(value + guess);
		}
		written += count;
	}
	return written;
}

static void undo_tiff(uint8_t *bytes, size_t size, size_t row_bytes, size_t pixel_bytes)
{
	for (size_t at = 0; at < size; at += row_bytes) {
		for (size_t i = pixel_bytes; i < row_bytes && at + i < size; i++)
			bytes[at + i] = (uint8_t)(bytes[at + i] + bytes[at + i - pixel_bytes]);
	}
}

/* Section 7.4.4.4, over what `out` holds from `start`. */
static void undo_predictor(const struct pdf_predictor *p, size_t start, struct buf *out)
{
	if (p->predictor < 2 || p->colors < 1 || p->colors > 32 || p->bits < 1 || p->bits > 16 || p->columns < 1 ||
	    p->columns > 1 << 24 || out->len == start)
		return;
	const size_t row_bytes = ((size_t)p->columns * (size_t)p->colors * (size_t)p->bits + 7) / 8;
	const size_t pixel_bytes = ((size_t)p->colors * (size_t)p->bits + 7) / 8;
	if (p->predictor >= 10)
		buf_truncate(out, start + undo_png(out->ptr + start, out->len - start, row_bytes, pixel_bytes));
	else if (p->bits == 8)
		undo_tiff(out->ptr + start, out->len - start, row_bytes, pixel_bytes);
}

static bool named(struct slice name, const char *text, const char *letters)
{
	return slice_eq(name, slice_str(text)) || slice_eq(name, slice_str(letters));
}

enum rc pdf_filter(struct slice name, const struct pdf_predictor *predictor, struct slice bytes, struct budget *budget,
                   struct buf *out, bool *damaged)
{
	const size_t start = out->len;
	bool         broken = false;
	enum rc      rc = RC_OK;

	if (named(name, "FlateDecode", "Fl")) {
		rc = inflate_all(bytes, budget, out, &broken);
		undo_predictor(predictor, start, out);
	} else if (named(name, "LZWDecode", "LZW")) {
		rc = from_lzw(bytes, predictor->early != 0, budget, out, &broken);
		undo_predictor(predictor, start, out);
	} else if (named(name, "ASCIIHexDecode", "AHx")) {
		from_hex(bytes, out);
	} else if (named(name, "ASCII85Decode", "A85")) {
		from_base85(slice_starts(bytes, SLICE("<~")) ? slice_drop(bytes, 2) : bytes, out);
	} else if (named(name, "RunLengthDecode", "RL")) {
		from_runs(bytes, out);
	} else if (slice_eq(name, SLICE("Crypt"))) {
		buf_put(out, bytes);
	} else {
		return RC_UNSUPPORTED;
	}
	*damaged = *damaged || broken;
	if (rc == RC_OK && out->failed)
		rc = RC_LIMIT;
	return rc == RC_OK && !budget_take(budget, BUDGET_STEPS, bytes.len) ? RC_LIMIT : rc;
}
