/*
 * UTS 46 processing: map and normalise the whole, check each label, encode those outside ASCII. Hyphen, STD3 and
 * length rules only for IDNA_STRICT.
 */
#include "link/idna.h"

#include "link/idna_icu.h"
#include "link/idna_newer.h"
#include "link/writer.h"

#define ZWNJ 0x200cu
#define ZWJ  0x200du

/* Code points after mapping; one may be mapped to eighteen. */
#define MAPPED_MAX 2048u

struct label {
	const uint32_t *points;
	size_t          count;
};

/* The name after mapping; the labels of A-labels are decoded into `decoded`. */
struct name {
	uint32_t mapped[MAPPED_MAX];
	uint32_t decoded[IDNA_POINTS_MAX];
	size_t   count;
};

/* Steps 1 and 2 over `source`: idna_newer.h for characters that ICU does not know yet, ICU for the rest. */
static enum rc map(const uint32_t *source, size_t count, uint32_t *out, size_t room, size_t *out_count)
{
	size_t written = 0;

	for (size_t at = 0; at < count;) {
		struct idna_newer newer;
		size_t            run = 0;
		while (at + run < count && !idna_newer_find(source[at + run], &newer))
			run++;
		if (run != 0) {
			size_t        added = 0;
			const enum rc rc = idna_icu_map(source + at, run, out + written, room - written, &added);
			if (rc != RC_OK)
				return rc;
			written += added;
			at += run;
			continue;
		}
		if (written == room)
			return RC_LIMIT;
		if (newer.mapped != 0)
			out[written++] = newer.mapped;
		at++;
	}
	*out_count = written;
	return RC_OK;
}

static bool points_read(struct slice text, uint32_t *out, size_t room, size_t *count)
{
	size_t points = 0;

	while (text.len != 0) {
		bool valid;
		if (points == room)
			return false;
		text = slice_drop(text, utf8_take(text, &out[points], &valid));
		if (!valid)
			return false;
		points++;
	}
	*count = points;
	return true;
}

static enum idna_bidi bidi_of(uint32_t code_point)
{
	struct idna_newer newer;

	return idna_newer_find(code_point, &newer) ? newer.bidi : idna_icu_bidi(code_point);
}

static bool is_mark(uint32_t code_point)
{
	struct idna_newer newer;

	return idna_newer_find(code_point, &newer) ? newer.mark : idna_icu_is_mark(code_point);
}

static bool is_virama(uint32_t code_point)
{
	struct idna_newer newer;

	return idna_newer_find(code_point, &newer) ? newer.virama : idna_icu_is_virama(code_point);
}

static char joining_of(uint32_t code_point)
{
	struct idna_newer newer;

	return idna_newer_find(code_point, &newer) ? newer.joining : idna_icu_joining(code_point);
}

/* RFC 5893 section 2. */
static bool bidi_rule(struct label label)
{
	bool   arabic = false, european = false;
	size_t last = label.count;

	if (label.count == 0)
		return true;
	const enum idna_bidi first = bidi_of(label.points[0]);
	if (first != IDNA_BIDI_L && first != IDNA_BIDI_R)
		return false;
	for (size_t i = 0; i < label.count; i++) {
		const enum idna_bidi bidi = bidi_of(label.points[i]);
		arabic |= bidi == IDNA_BIDI_AN;
		european |= bidi == IDNA_BIDI_EN;
		if (bidi == IDNA_BIDI_OTHER || bidi == (first == IDNA_BIDI_L ? IDNA_BIDI_R : IDNA_BIDI_L) ||
		    (first == IDNA_BIDI_L && bidi == IDNA_BIDI_AN))
			return false;
	}
	while (last != 0 && bidi_of(label.points[last - 1]) == IDNA_BIDI_NSM)
		last--;
	const enum idna_bidi end = last == 0 ? IDNA_BIDI_OTHER : bidi_of(label.points[last - 1]);
	if (first == IDNA_BIDI_L)
		return end == IDNA_BIDI_L || end == IDNA_BIDI_EN;
	return (end == IDNA_BIDI_R || end == IDNA_BIDI_EN || end == IDNA_BIDI_AN) && !(arabic && european);
}

/* RFC 5892 appendix A.1: (L or D) T* ZWNJ T* (R or D). */
static bool joins_around(struct label label, size_t at)
{
	size_t before = at, after = at + 1;
	char   joining = 0;

	while (before != 0 && (joining = joining_of(label.points[before - 1])) == 'T')
		before--;
	if (before == 0 || (joining != 'L' && joining != 'D'))
		return false;
	while (after < label.count && (joining = joining_of(label.points[after])) == 'T')
		after++;
	return after < label.count && (joining == 'R' || joining == 'D');
}

static bool joiners_right(struct label label)
{
	for (size_t i = 0; i < label.count; i++) {
		if (label.points[i] != ZWNJ && label.points[i] != ZWJ)
			continue;
		if (i != 0 && is_virama(label.points[i - 1]))
			continue;
		if (label.points[i] == ZWJ || !joins_around(label, i))
			return false;
	}
	return true;
}

static bool is_ascii(struct label label)
{
	for (size_t i = 0; i < label.count; i++) {
		if (label.points[i] >= 0x80)
			return false;
	}
	return true;
}

/* Mapping it again changes nothing: it is in NFC, and every character is valid. */
static bool is_stable(struct label label)
{
	uint32_t again[MAPPED_MAX];
	size_t   count = 0;

	return map(label.points, label.count, again, MAPPED_MAX, &count) == RC_OK && count == label.count &&
	       memcmp(again, label.points, count * sizeof *again) == 0;
}

static bool starts_as_a_label(struct label label)
{
	return label.count >= 4 && label.points[0] == 'x' && label.points[1] == 'n' && label.points[2] == '-' &&
	       label.points[3] == '-';
}

/* UTS 46 section 4.1, of a label after mapping; stability is the caller's. */
static bool label_valid(struct label label, unsigned flags)
{
	if (label.count == 0)
		return true;
	if (is_mark(label.points[0]))
		return false;
	if ((flags & IDNA_STRICT) != 0 && (label.points[0] == '-' || label.points[label.count - 1] == '-' ||
	                                   (label.count >= 4 && label.points[2] == '-' && label.points[3] == '-')))
		return false;
	if (starts_as_a_label(label))
		return false;
	for (size_t i = 0; i < label.count; i++) {
		const uint32_t point = label.points[i];
		if (point == 0xfffd || point == '.')
			return false;
		if ((flags & IDNA_STRICT) != 0 && point < 0x80 && point != '-' && !(point >= 'a' && point <= 'z') &&
		    !(point >= '0' && point <= '9'))
			return false;
	}
	return joiners_right(label);
}

/* Step 4 for one label: *out is it decoded and checked. */
static bool label_read(struct label label, unsigned flags, uint32_t *decoded, size_t room, struct label *out)
{
	uint8_t text[IDNA_ASCII_MAX];
	size_t  count = 0;

	*out = label;
	if (!starts_as_a_label(label))
		return label_valid(label, flags);
	for (size_t i = 4; i < label.count; i++) {
		if (label.points[i] >= 0x80 || i - 4 == sizeof text)
			return false;
		text[i - 4] = (uint8_t)label.points[i];
	}
	if (punycode_decode(slice_of(text, label.count - 4), decoded, room, &count) != RC_OK)
		return false;
	*out = (struct label){ decoded, count };
	return count != 0 && !is_ascii(*out) && is_stable(*out) && label_valid(*out, flags);
}

static bool has_right_to_left(struct label label)
{
	for (size_t i = 0; i < label.count; i++) {
		const enum idna_bidi bidi = bidi_of(label.points[i]);
		if (bidi == IDNA_BIDI_R || bidi == IDNA_BIDI_AN)
			return true;
	}
	return false;
}

static enum rc label_write(struct label label, struct writer *out)
{
	const size_t start = out->len;

	if (is_ascii(label)) {
		for (size_t i = 0; i < label.count; i++)
			writer_byte(out, (uint8_t)label.points[i]);
		return RC_OK;
	}
	writer_put(out, SLICE("xn--"));
	size_t size = 0;
	if (out->failed ||
	    punycode_encode(label.points, label.count, out->ptr + out->len, out->room - out->len, &size) != RC_OK) {
		out->len = start;
		return RC_LIMIT;
	}
	out->len += size;
	return RC_OK;
}

/* VerifyDnsLength: section 4.2 step 4. A root label at the end is not allowed either. */
static bool lengths_right(struct slice name)
{
	if (name.len == 0 || name.len > 253)
		return false;
	for (bool more = true; more;) {
		more = slice_find(name, '.') != name.len;
		const struct slice label = slice_until(&name, '.');
		if (label.len == 0 || label.len > 63)
			return false;
	}
	return true;
}

static struct label label_cut(const struct name *name, size_t start)
{
	size_t end = start;

	while (end < name->count && name->mapped[end] != '.')
		end++;
	return (struct label){ name->mapped + start, end - start };
}

/*
 * All labels: checked, written, and whether any is right-to-left. Decoded labels are not kept, so a Bidi name is
 * walked twice, the second time with `bidi`.
 */
static enum rc labels_walk(struct name *name, unsigned flags, bool bidi, struct writer *out, bool *has_rtl)
{
	for (size_t start = 0; start <= name->count;) {
		const struct label written = label_cut(name, start);
		struct label       label;
		if (!label_read(written, flags, name->decoded, IDNA_POINTS_MAX, &label) || (bidi && !bidi_rule(label)))
			return RC_SYNTAX;
		*has_rtl |= has_right_to_left(label);
		if (!bidi) {
			if (start != 0)
				writer_byte(out, '.');
			const enum rc rc = label_write(label, out);
			if (rc != RC_OK)
				return rc;
		}
		start += written.count + 1;
	}
	return RC_OK;
}

enum rc idna_ascii(struct slice text, unsigned flags, uint8_t *out, size_t room, size_t *size)
{
	struct name   name;
	uint32_t      points[IDNA_POINTS_MAX];
	size_t        count = 0;
	bool          rtl = false;
	struct writer writer = { .ptr = out, .room = room };

	if (text.len > IDNA_BYTES_MAX)
		return RC_LIMIT;
	if (!points_read(text, points, IDNA_POINTS_MAX, &count))
		return RC_SYNTAX;
	name.count = 0;
	enum rc rc = map(points, count, name.mapped, MAPPED_MAX, &name.count);
	if (rc == RC_OK)
		rc = labels_walk(&name, flags, false, &writer, &rtl);
	if (rc == RC_OK && rtl)
		rc = labels_walk(&name, flags, true, &writer, &rtl);
	if (rc != RC_OK)
		return rc;
	if (writer.failed || writer.len > IDNA_ASCII_MAX)
		return RC_LIMIT;
	if ((flags & IDNA_STRICT) != 0 && !lengths_right(writer_from(&writer, 0)))
		return RC_SYNTAX;
	*size = writer.len;
	return RC_OK;
}

static void display_label(struct slice text, uint32_t *decoded, struct writer *out)
{
	size_t count = 0;

	if (!slice_starts_nocase(text, SLICE("xn--")) ||
	    punycode_decode(slice_drop(text, 4), decoded, IDNA_POINTS_MAX, &count) != RC_OK || count == 0 ||
	    !is_stable((struct label){ decoded, count })) {
		writer_put(out, text);
		return;
	}
	for (size_t i = 0; i < count; i++)
		writer_utf8(out, decoded[i]);
}

enum rc idna_display(struct slice name, uint8_t *out, size_t room, size_t *size)
{
	uint32_t      decoded[IDNA_POINTS_MAX];
	struct writer writer = { .ptr = out, .room = room };

	if (name.len > IDNA_BYTES_MAX)
		return RC_LIMIT;
	for (bool more = true; more;) {
		more = slice_find(name, '.') != name.len;
		display_label(slice_until(&name, '.'), decoded, &writer);
		if (more)
			writer_byte(&writer, '.');
	}
	if (writer.failed)
		return RC_LIMIT;
	*size = writer.len;
	return RC_OK;
}
