/* Domain names checked and brought to one spelling. The Punycode encoder follows RFC 3492 section 6.3. */
#include "mail/domain.h"

#define LABEL_POINTS_MAX DOMAIN_BYTES_MAX

/* The code point at the front of `*s`, moved past; -1: not UTF-8. */
static int32_t utf8_take(struct slice *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t         first = s->ptr[0];

	if (first < 0x80) {
		*s = slice_drop(*s, 1);
		return first;
	}
	const size_t count = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	uint32_t     point = first & (0x7fu >> count);

	if (first < 0xc2 || first > 0xf4 || s->len < count)
		return -1;
	for (size_t i = 1; i < count; i++) {
		if ((s->ptr[i] & 0xc0) != 0x80)
			return -1;
		point = point << 6 | (s->ptr[i] & 0x3fu);
	}
	if (point < least[count] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return -1;
	*s = slice_drop(*s, count);
	return (int32_t)point;
}

bool utf8_valid(struct slice s)
{
	while (s.len != 0) {
		if (utf8_take(&s) < 0)
			return false;
	}
	return true;
}

static enum rc check_label(struct slice label, bool utf8)
{
	bool wide = false;

	if (label.len == 0 || label.ptr[0] == '-' || slice_last(label) == '-')
		return RC_SYNTAX;
	for (size_t i = 0; i < label.len; i++) {
		const uint8_t byte = label.ptr[i];
		if (byte >= 0x80)
			wide = true;
		else if (!byte_is_alnum(byte) && byte != '-' && byte != '_')
			return RC_SYNTAX;
	}
	if (wide) {
		/* C1 controls are letters nowhere. */
		for (struct slice rest = label; rest.len != 0;) {
			const int32_t point = utf8_take(&rest);
			if (point < 0 || (point >= 0x80 && point < 0xa0))
				return RC_SYNTAX;
		}
		return utf8 ? RC_OK : RC_UNSUPPORTED;
	}
	return label.len <= DOMAIN_LABEL_MAX ? RC_OK : RC_LIMIT;
}

enum rc domain_check(struct slice name, bool utf8)
{
	enum rc worst = RC_OK;

	if (name.len == 0)
		return RC_SYNTAX;
	for (struct slice rest = name;;) {
		const struct slice label = slice_take(rest, slice_find(rest, '.'));
		const enum rc      rc = check_label(label, utf8);
		if (rc == RC_SYNTAX)
			return rc;
		if (rc != RC_OK && worst != RC_LIMIT)
			worst = rc;
		if (label.len == rest.len)
			break;
		rest = slice_drop(rest, label.len + 1);
		if (rest.len == 0)
			return RC_SYNTAX;
	}
	return name.len > DOMAIN_BYTES_MAX ? RC_LIMIT : worst;
}

/* RFC 3492 section 5: the parameters of Punycode. */
enum {
	PUNY_BASE = 36,
	PUNY_TMIN = 1,
	PUNY_TMAX = 26,
	PUNY_SKEW = 38,
	PUNY_DAMP = 700,
	PUNY_BIAS = 72,
	PUNY_FIRST = 0x80,
};

static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
	uint32_t k = 0;

	delta = first ? delta / PUNY_DAMP : delta / 2;
	delta += delta / points;
	for (; delta > ((PUNY_BASE - PUNY_TMIN) * PUNY_TMAX) / 2; k += PUNY_BASE)
		delta /= PUNY_BASE - PUNY_TMIN;
	return k + (PUNY_BASE - PUNY_TMIN + 1) * delta / (delta + PUNY_SKEW);
}

static void put_digit(uint32_t digit, struct buf *out)
{
	buf_put_byte(out, (uint8_t)(digit < 26 ? 'a' + digit : '0' + digit - 26));
}

static void put_delta(uint32_t delta, uint32_t bias, struct buf *out)
{
	for (uint32_t k = PUNY_BASE;; k += PUNY_BASE) {
		const uint32_t t = k <= bias ? PUNY_TMIN : k >= bias + PUNY_TMAX ? PUNY_TMAX : k - bias;
		if (delta < t)
			break;
		put_digit(t + (delta - t) % (PUNY_BASE - t), out);
		delta = (delta - t) / (PUNY_BASE - t);
	}
	put_digit(delta, out);
}

/* A label of at most 255 points below 0x110000: delta stays below 255 * 0x110000 * 2, so 32 bits hold it. */
static void put_punycode(const uint32_t *points, uint32_t count, struct buf *out)
{
	uint32_t next = PUNY_FIRST, delta = 0, bias = PUNY_BIAS, done = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (points[i] < PUNY_FIRST) {
			buf_put_byte(out, (uint8_t)points[i]);
			done++;
		}
	}
	const uint32_t basic = done;
	if (basic != 0)
		buf_put_byte(out, '-');
	while (done < count) {
		uint32_t least = UINT32_MAX;
		for (uint32_t i = 0; i < count; i++) {
			if (points[i] >= next && points[i] < least)
				least = points[i];
		}
		delta += (least - next) * (done + 1);
		next = least;
		for (uint32_t i = 0; i < count; i++) {
			if (points[i] < next)
				delta++;
			if (points[i] != next)
				continue;
			put_delta(delta, bias, out);
			bias = adapt(delta, done + 1, done == basic);
			delta = 0;
			done++;
		}
		delta++;
		next++;
	}
}

static enum rc put_label(struct slice label, struct buf *out)
{
	uint32_t     points[LABEL_POINTS_MAX];
	uint32_t     count = 0;
	const size_t start = out->len;
	bool         wide = false;

	while (label.len != 0 && count < LABEL_POINTS_MAX) {
		const int32_t point = utf8_take(&label);
		wide = wide || point >= 0x80;
		points[count++] = point < 0x80 ? byte_lower((uint8_t)point) : (uint32_t)point;
	}
	if (wide) {
		buf_put_str(out, "xn--");
		put_punycode(points, count, out);
	} else {
		for (uint32_t i = 0; i < count; i++)
			buf_put_byte(out, (uint8_t)points[i]);
	}
	return out->failed || out->len - start > DOMAIN_LABEL_MAX ? RC_LIMIT : RC_OK;
}

enum rc domain_ascii(struct slice name, struct buf *out)
{
	const size_t start = out->len;
	enum rc      rc = domain_check(name, true);

	if (out->failed)
		return RC_LIMIT;
	while (rc == RC_OK && name.len != 0) {
		const struct slice label = slice_until(&name, '.');
		rc = put_label(label, out);
		if (rc == RC_OK && name.len != 0)
			buf_put_byte(out, '.');
	}
	/* A-labels are longer than what they stand for. */
	if (rc == RC_OK && !out->failed && out->len - start <= DOMAIN_BYTES_MAX)
		return RC_OK;
	out->failed = false;
	buf_truncate(out, start);
	return rc != RC_OK ? rc : RC_LIMIT;
}
