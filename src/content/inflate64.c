/*
 * A canonical Huffman decoder in the manner of RFC 1951 section 3.2, bit by bit over the counts of each length: slow
 * beside tables (about 20 MB/s), and short. The window is what has come out already. Time: one step for each bit in and each
 * byte out, all of which the meter bounds.
 */
#include "content/inflate64.h"

#define LENGTH_BITS  15u
#define LITERALS_MAX 288u
#define DISTANCES    32u
#define ORDER_COUNT  19u
#define BLOCK_STEPS  512u /* what making the codes of a block costs, whatever comes out of it */

struct bits {
	struct slice bytes;
	size_t       at; /* in bits */
	bool         failed;
};

struct tree {
	uint16_t counts[LENGTH_BITS + 1];
	uint16_t symbols[LITERALS_MAX];
};

struct codes {
	struct tree literals, distances;
};

static uint32_t bits_take(struct bits *b, unsigned count)
{
	uint32_t value = 0;

	if (count > b->bytes.len * 8 - b->at) {
		b->failed = true;
		return 0;
	}
	for (unsigned i = 0; i < count; i++, b->at++)
		value |= ((uint32_t)b->bytes.ptr[b->at / 8] >> (b->at % 8) & 1u) << i;
	return value;
}

/* False: more codes than the lengths leave room for. Incomplete sets are let through; an unused code then fails on its own. */
static bool tree_make(const uint8_t *lengths, size_t count, struct tree *out)
{
	uint16_t starts[LENGTH_BITS + 1];
	int      left = 1;

	*out = (struct tree){ .counts = { 0 } };
	for (size_t i = 0; i < count; i++)
		out->counts[lengths[i]]++;
	for (unsigned i = 1; i <= LENGTH_BITS; i++) {
		left = left * 2 - out->counts[i];
		if (left < 0)
			return false;
	}
	starts[1] = 0;
	for (unsigned i = 1; i < LENGTH_BITS; i++)
		starts[i + 1] = (uint16_t)(starts[i] + out->counts[i]);
	for (size_t i = 0; i < count; i++) {
		if (lengths[i] != 0)
			out->symbols[starts[lengths[i]]++] = (uint16_t)i;
	}
	return true;
}

static uint32_t symbol_take(struct bits *b, const struct tree *tree)
{
	uint32_t code = 0, first = 0, index = 0;

	for (unsigned length = 1; length <= LENGTH_BITS; length++) {
		code |= bits_take(b, 1);
		const uint32_t count = tree->counts[length];
		if (b->failed)
			return 0;
		if (code < first + count)
			return tree->symbols[index + (code - first)];
		index += count;
		first = (first + count) << 1;
		code <<= 1;
	}
	b->failed = true;
	return 0;
}

static void codes_fixed(struct codes *out)
{
	uint8_t lengths[LITERALS_MAX];

	for (size_t i = 0; i < LITERALS_MAX; i++)
		lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
	(void)tree_make(lengths, LITERALS_MAX, &out->literals);
	memset(lengths, 5, DISTANCES);
	(void)tree_make(lengths, DISTANCES, &out->distances);
}

/* RFC 1951 section 3.2.7. */
static bool codes_read(struct bits *b, struct codes *out)
{
	static const uint8_t order[ORDER_COUNT] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
	uint8_t              lengths[LITERALS_MAX + DISTANCES] = { 0 };
	const uint32_t       literals = bits_take(b, 5) + 257, distances = bits_take(b, 5) + 1, count = bits_take(b, 4) + 4;

	if (literals > LITERALS_MAX)
		return false;
	for (uint32_t i = 0; i < count; i++)
		lengths[order[i]] = (uint8_t)bits_take(b, 3);
	if (b->failed || !tree_make(lengths, ORDER_COUNT, &out->literals))
		return false;
	memset(lengths, 0, ORDER_COUNT);
	for (uint32_t i = 0; i < literals + distances;) {
		const uint32_t symbol = symbol_take(b, &out->literals);
		if (b->failed || (symbol == 16 && i == 0))
			return false;
		const uint8_t  value = symbol < 16 ? (uint8_t)symbol : symbol == 16 ? lengths[i - 1] : 0;
		const uint32_t times = symbol < 16    ? 1
		                       : symbol == 16 ? 3 + bits_take(b, 2)
		                       : symbol == 17 ? 3 + bits_take(b, 3)
		                                      : 11 + bits_take(b, 7);
		if (b->failed || times > literals + distances - i)
			return false;
		memset(lengths + i, value, times);
		i += times;
	}
	return tree_make(lengths, literals, &out->literals) && tree_make(lengths + literals, distances, &out->distances);
}

/* `count` bytes of room at the end of `out`, or NULL with *rc set. */
static uint8_t *room_take(struct meter *meter, struct buf *out, size_t count, enum rc *rc)
{
	if (count > out->max - out->len || meter_room(meter, count) < count) {
		*rc = RC_LIMIT;
		return NULL;
	}
	uint8_t *place = buf_reserve(out, count);
	if (place == NULL) {
		*rc = RC_NOMEM;
		return NULL;
	}
	buf_grew(out, count);
	meter_came(meter, count);
	return place;
}

static enum rc copy_back(struct bits *b, uint32_t symbol, const struct codes *codes, struct meter *meter, struct buf *out, size_t start)
{
	static const uint16_t lengths[] = { 3,  4,  5,  6,  7,  8,  9,  10, 11, 13, 15,  17,  19,  23, 27,
		                            31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 3 };
	static const uint8_t  extras[] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 16 };
	enum rc               rc = RC_OK;

	if (symbol - 257 >= sizeof extras)
		return RC_CORRUPT;
	const size_t   length = lengths[symbol - 257] + bits_take(b, extras[symbol - 257]);
	const uint32_t code = symbol_take(b, &codes->distances);
	if (b->failed || code >= DISTANCES)
		return RC_CORRUPT;
	/* distances double every two codes, for two codes more than in deflate */
	const unsigned extra = code < 4 ? 0 : code / 2 - 1;
	const size_t   base = code < 4 ? code + 1 : ((size_t)(2 + (code & 1)) << extra) + 1;
	const size_t   distance = base + bits_take(b, extra);
	if (b->failed || distance > out->len - start)
		return RC_CORRUPT;
	uint8_t *place = room_take(meter, out, length, &rc);
	for (size_t i = 0; place != NULL && i < length; i++)
		place[i] = out->ptr[out->len - length + i - distance];
	return rc;
}

static enum rc block_coded(struct bits *b, const struct codes *codes, struct meter *meter, struct buf *out, size_t start)
{
	for (;;) {
		const uint32_t symbol = symbol_take(b, &codes->literals);
		enum rc        rc = RC_OK;
		if (b->failed)
			return RC_CORRUPT;
		if (symbol == 256)
			return RC_OK;
		if (symbol < 256) {
			uint8_t *place = room_take(meter, out, 1, &rc);
			if (place != NULL)
				*place = (uint8_t)symbol;
		} else {
			rc = copy_back(b, symbol, codes, meter, out, start);
		}
		if (rc != RC_OK)
			return rc;
	}
}

static enum rc block_stored(struct bits *b, struct meter *meter, struct buf *out)
{
	enum rc rc = RC_OK;

	b->at = (b->at + 7) & ~(size_t)7;
	const size_t count = bits_take(b, 16);
	if ((bits_take(b, 16) ^ 0xffffu) != count || b->failed)
		return RC_CORRUPT;
	const struct slice bytes = slice_cut(b->bytes, b->at / 8, count);
	b->at += bytes.len * 8;
	uint8_t *place = bytes.len == 0 ? NULL : room_take(meter, out, bytes.len, &rc);
	if (place != NULL)
		memcpy(place, bytes.ptr, bytes.len);
	return rc == RC_OK && bytes.len != count ? RC_CORRUPT : rc;
}

enum rc inflate64_take(struct slice bytes, struct meter *meter, struct buf *out, size_t *used)
{
	struct bits  b = { .bytes = slice_take(bytes, SIZE_MAX / 16) };
	const size_t start = out->len;
	struct codes codes;
	enum rc      rc = RC_OK;
	bool         last = false;

	while (rc == RC_OK && !last) {
		last = bits_take(&b, 1) != 0;
		const uint32_t type = bits_take(&b, 2);
		if (b.failed || type == 3) {
			rc = RC_CORRUPT;
		} else if (!budget_take(meter->budget, BUDGET_STEPS, BLOCK_STEPS)) {
			rc = RC_LIMIT;
		} else if (type == 0) {
			rc = block_stored(&b, meter, out);
		} else if (type == 1) {
			codes_fixed(&codes);
			rc = block_coded(&b, &codes, meter, out, start);
		} else {
			rc = codes_read(&b, &codes) ? block_coded(&b, &codes, meter, out, start) : RC_CORRUPT;
		}
	}
	if (used != NULL)
		*used = (b.at + 7) / 8;
	return rc;
}
