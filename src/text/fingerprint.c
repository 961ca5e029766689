/* Masking, then hashing: the mask is the only part that looks at what the bytes mean. */
#include "text/fingerprint.h"

#define BIN_BITS    6u  /* FINGERPRINT_BINS is 2 to that */
#define ADDRESS_MAX 64u /* bytes in front of "@" (RFC 5321 section 4.5.3.1.1) */
#define EMPTY       UINT64_MAX
#define TRIES_MAX   512u /* a text of one shingle fills one bin of 64: half of the others find it in 44 tries */
#define HASH_FIRST  UINT64_C(0x9e3779b97f4a7c15)
#define HASH_SECOND UINT64_C(0xc2b2ae3d27d4eb4f)
#define HASH_LAST   UINT64_C(0x165667b19e3779f9)

_Static_assert(FINGERPRINT_BINS == 1u << BIN_BITS, "a bin is named by its bits");

/* ---- the mask ---- */

static bool is_blank(uint8_t byte)
{
	return byte <= ' ' || byte == 0x7f;
}

/* What may stand in a mail address, on either side. */
static bool is_address(uint8_t byte)
{
	return byte_is_alnum(byte) || byte == '.' || byte == '-' || byte == '_' || byte == '+' || byte == '%';
}

/* What ends a web address in running text. */
static bool is_link_end(uint8_t byte)
{
	return is_blank(byte) || byte >= 0x80 || byte == '<' || byte == '>' || byte == '"' || byte == '\'' ||
	       byte == ')';
}

static size_t address_size(struct slice s)
{
	size_t size = 0;

	while (size < s.len && is_address(s.ptr[size]))
		size++;
	return size;
}

static size_t link_size(struct slice s)
{
	size_t size = 0;

	if (!slice_starts_nocase(s, SLICE("http://")) && !slice_starts_nocase(s, SLICE("https://")) &&
	    !slice_starts_nocase(s, SLICE("www.")))
		return 0;
	while (size < s.len && !is_link_end(s.ptr[size]))
		size++;
	return size;
}

/* A number with the signs inside it: dates, times, amounts. */
static size_t number_size(struct slice s)
{
	size_t size = 0;

	while (size < s.len) {
		const uint8_t byte = s.ptr[size];
		const bool    inside = byte == '.' || byte == ',' || byte == ':' || byte == '-' || byte == '/';
		if (!byte_is_digit(byte) && !(inside && size + 1 < s.len && byte_is_digit(s.ptr[size + 1])))
			break;
		size++;
	}
	return size;
}

struct mask {
	uint8_t *text;
	size_t   size;
	size_t   word; /* where the bytes that an address may have in front of its "@" begin */
};

/* One thing at the front of `s` goes into the mask; returns how many bytes it was. */
static size_t mask_put(struct mask *mask, struct slice s)
{
	const uint8_t byte = s.ptr[0];
	size_t        size;

	if (is_blank(byte)) {
		if (mask->size != 0 && mask->text[mask->size - 1] != ' ')
			mask->text[mask->size++] = ' ';
		mask->word = mask->size;
		return 1;
	}
	if ((byte == 'h' || byte == 'H' || byte == 'w' || byte == 'W') && mask->word == mask->size &&
	    (size = link_size(s)) >= 3) {
		memcpy(&mask->text[mask->size], "://", 3);
		mask->size += 3;
		mask->word = mask->size;
		return size;
	}
	if (byte == '@' && mask->size - mask->word > 0 && mask->size - mask->word <= ADDRESS_MAX &&
	    (size = address_size(slice_drop(s, 1))) > 0) {
		mask->size = mask->word;
		mask->text[mask->size++] = '@';
		mask->word = mask->size;
		return 1 + size;
	}
	if (byte_is_digit(byte)) {
		mask->text[mask->size++] = '0';
		return number_size(s);
	}
	mask->text[mask->size++] = byte_lower(byte);
	if (!is_address(byte))
		mask->word = mask->size;
	return 1;
}

enum rc fingerprint_mask(struct slice text, struct arena *arena, struct slice *out)
{
	struct mask mask = { .text = arena_bytes(arena, text.len) };

	if (mask.text == NULL)
		return RC_NOMEM;
	while (text.len != 0)
		text = slice_drop(text, mask_put(&mask, text));
	if (mask.size != 0 && mask.text[mask.size - 1] == ' ')
		mask.size--;
	arena_keep(arena, mask.text, mask.size);
	*out = slice_of(mask.text, mask.size);
	return RC_OK;
}

/* ---- the hashes ---- */

static uint64_t shingle_hash(const uint8_t bytes[FINGERPRINT_SHINGLE])
{
	uint64_t first;
	uint32_t second;

	memcpy(&first, bytes, sizeof first);
	memcpy(&second, &bytes[sizeof first], sizeof second);
	uint64_t hash = first * HASH_FIRST ^ second * HASH_SECOND;
	hash ^= hash >> 32;
	hash *= HASH_LAST;
	return hash ^ hash >> 29;
}

/* The smallest hash of each bin; the upper bits name the bin. */
static void minima_find(struct slice masked, uint64_t minima[FINGERPRINT_BINS])
{
	uint8_t last[FINGERPRINT_SHINGLE] = { 0 };

	for (size_t i = 0; i < FINGERPRINT_BINS; i++)
		minima[i] = EMPTY;
	/* A text shorter than a shingle is one, with zeros behind it. */
	if (masked.len < FINGERPRINT_SHINGLE) {
		memcpy(last, masked.ptr, masked.len);
		masked = slice_of(last, sizeof last);
	}
	for (size_t i = 0; i + FINGERPRINT_SHINGLE <= masked.len; i++) {
		const uint64_t hash = shingle_hash(&masked.ptr[i]);
		const size_t   bin = hash >> (64 - BIN_BITS);
		minima[bin] = hash < minima[bin] ? hash : minima[bin];
	}
}

/* A full bin for `bin`: itself, or the first one in an order of its own, the same in every text. */
static size_t full_bin(const uint64_t minima[FINGERPRINT_BINS], size_t bin)
{
	uint64_t at = bin;

	for (unsigned i = 0; i < TRIES_MAX && minima[at % FINGERPRINT_BINS] == EMPTY; i++) {
		at = (at + i + 1) * HASH_FIRST + bin;
		at ^= at >> 32;
	}
	for (size_t i = 0; i < FINGERPRINT_BINS && minima[at % FINGERPRINT_BINS] == EMPTY; i++)
		at++;
	return at % FINGERPRINT_BINS;
}

static void bins_fill(const uint64_t minima[FINGERPRINT_BINS], uint16_t bins[FINGERPRINT_BINS])
{
	for (size_t i = 0; i < FINGERPRINT_BINS; i++)
		bins[i] = (uint16_t)(minima[full_bin(minima, i)] * HASH_FIRST >> 48);
}

enum rc fingerprint_of(struct slice text, struct arena *arena, struct fingerprint *out)
{
	struct fingerprint made = { .bytes = 0 };
	uint64_t           minima[FINGERPRINT_BINS];
	struct slice       masked;
	const enum rc      rc = fingerprint_mask(text, arena, &masked);

	if (rc != RC_OK)
		return rc;
	digest_of(&masked, 1, &made.exact);
	made.bytes = masked.len;
	if (masked.len != 0) {
		minima_find(masked, minima);
		bins_fill(minima, made.bins);
		arena_keep(arena, masked.ptr, 0);
	}
	*out = made;
	return RC_OK;
}

unsigned fingerprint_similarity(const struct fingerprint *a, const struct fingerprint *b)
{
	unsigned equal = 0;

	if (a->bytes == 0 || b->bytes == 0)
		return 0;
	if (digest_eq(&a->exact, &b->exact))
		return 100;
	for (size_t i = 0; i < FINGERPRINT_BINS; i++)
		equal += a->bins[i] == b->bins[i];
	return equal * 100 / FINGERPRINT_BINS;
}
