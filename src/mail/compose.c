/*
 * Our own fields: Received, the verdict, and the quoting that keeps a peer's bytes inside their place. Notices are in
 * compose_dsn.c.
 */
#include "mail/compose.h"

#include "base/must.h"

#include "base/civil_time.h"
#include "base/codec.h"
#include "text/utf8.h"

#define HOST_MAX      255u
#define ADDRESS_MAX   512u
#define TLS_MAX       120u
#define ID_MAX        64u
/* bytes of text in one encoded word: 60 characters of base64, below the 75 of RFC 2047 section 2 */
#define WORD_TEXT_MAX 45u

void compose_put_host(struct slice name, size_t max, struct buf *out)
{
	if (name.len == 0) {
		buf_put_str(out, "unknown");
		return;
	}
	name = slice_take(name, max);
	for (size_t i = 0; i < name.len; i++) {
		const uint8_t      byte = name.ptr[i];
		const struct slice others = SLICE(".-_:[]");
		const bool         fits = byte_is_alnum(byte) || slice_find(others, byte) < others.len;
		buf_put_byte(out, fits ? byte : '?');
	}
}

void compose_put_comment(struct slice text, size_t max, struct buf *out)
{
	text = slice_take(text, max);
	for (size_t i = 0; i < text.len; i++) {
		const uint8_t byte = text.ptr[i];
		const bool    fits = byte_is_print(byte) && byte != '(' && byte != ')' && byte != '\\';
		buf_put_byte(out, fits ? byte : '?');
	}
}

void compose_put_date(int64_t unix_s, int32_t offset_minutes, struct buf *out)
{
	civil_time_put_mail(out, unix_s, offset_minutes);
}

/* Printable ASCII that no reader would take for an encoded word. */
static bool is_plain(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!byte_is_print(text.ptr[i]))
			return false;
	}
	return slice_search(text, SLICE("=?")) == text.len;
}

/*
 * The characters at the front that fit into one encoded word, cleaned: what is not UTF-8 or is a control character
 * becomes "?".
 */
static size_t word_fill(struct slice *text, uint8_t *word)
{
	size_t size = 0;

	while (text->len != 0) {
		size_t         bytes;
		const uint32_t character = utf8_decode(*text, &bytes);
		const bool     bad = character == UINT32_MAX || character < 0x20 || character == 0x7f;
		if (size + (bad ? 1 : bytes) > WORD_TEXT_MAX)
			break;
		if (bad)
			word[size] = '?';
		else
			memcpy(&word[size], text->ptr, bytes);
		size += bad ? 1 : bytes;
		*text = slice_drop(*text, bytes);
	}
	return size;
}

void compose_put_text(struct slice text, size_t max, struct buf *out)
{
	text = slice_take(text, max);
	if (is_plain(text)) {
		buf_put(out, text);
		return;
	}
	for (bool first = true; text.len != 0; first = false) {
		uint8_t      word[WORD_TEXT_MAX];
		const size_t size = word_fill(&text, word);
		buf_put_str(out, first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
		codec_base64_encode(slice_of(word, size), out);
		buf_put_str(out, "?=");
	}
}

/*
 * Is the address such that it can stand in "for <...>" without quoting? Others are left out: the field is for people.
 */
static bool is_plain_address(struct slice address, bool utf8)
{
	const struct slice others = SLICE("!#$%&'*+-/=?^_`{|}~.@:[]");

	for (size_t i = 0; i < address.len; i++) {
		const uint8_t byte = address.ptr[i];
		if (byte_is_alnum(byte) || slice_find(others, byte) < others.len)
			continue;
		if (byte < 0x80 || !utf8)
			return false;
		size_t bytes;
		if (utf8_decode(slice_drop(address, i), &bytes) == UINT32_MAX)
			return false;
		i += bytes - 1;
	}
	return address.len != 0 && address.len <= ADDRESS_MAX;
}

static void word_put(struct slice word, size_t max, const char *otherwise, struct buf *out)
{
	size_t count = 0;

	for (size_t i = 0; i < word.len && count < max; i++) {
		if (byte_is_alnum(word.ptr[i]) || word.ptr[i] == '-' || word.ptr[i] == '.') {
			buf_put_byte(out, word.ptr[i]);
			count++;
		}
	}
	if (count == 0)
		buf_put_str(out, otherwise);
}

void compose_received(const struct compose_received *received, struct buf *out)
{
	const bool utf8 = slice_starts(received->protocol, SLICE("UTF8"));

	buf_put_str(out, "Received: from ");
	compose_put_host(received->helo, HOST_MAX, out);
	buf_put_str(out, " (");
	compose_put_host(received->reverse_name, HOST_MAX, out);
	buf_put_str(out, slice_find(received->address, ':') < received->address.len ? " [IPv6:" : " [");
	compose_put_host(received->address, HOST_MAX, out);
	buf_put_str(out, "])\r\n\tby ");
	compose_put_host(received->own_name, HOST_MAX, out);
	buf_put_str(out, " with ");
	word_put(received->protocol, ID_MAX, "SMTP", out);
	buf_put_str(out, " id ");
	word_put(received->id, ID_MAX, "unknown", out);
	if (received->tls.len != 0) {
		buf_put_str(out, "\r\n\t(");
		compose_put_comment(received->tls, TLS_MAX, out);
		buf_put_str(out, ")");
	}
	if (is_plain_address(received->recipient, utf8)) {
		buf_put_str(out, "\r\n\tfor <");
		buf_put(out, received->recipient);
		buf_put_str(out, ">");
	}
	buf_put_str(out, ";\r\n\t");
	compose_put_date(received->unix_s, received->offset_minutes, out);
	buf_put_str(out, "\r\n");
}

/* Thousandths with one decimal, cut towards zero. */
static void score_put(int32_t score, struct buf *out)
{
	const int64_t tenths = (score < 0 ? -(int64_t)score : score) / 100;

	if (score < 0 && tenths != 0)
		buf_put_byte(out, '-');
	buf_put_u64(out, (uint64_t)tenths / 10);
	buf_put_byte(out, '.');
	buf_put_u64(out, (uint64_t)tenths % 10);
}

#define LEVEL_STARS_MAX 50

void compose_verdict(const struct compose_verdict *verdict, struct buf *out)
{
	buf_put_str(out, "X-Hangu-Class: ");
	buf_put_str(out, verdict->class_word);
	buf_put_str(out, "\r\nX-Hangu-Score: ");
	score_put(verdict->score, out);
	buf_put_str(out, "\r\nX-Hangu-Id: ");
	word_put(verdict->id, ID_MAX, "unknown", out);
	buf_put_str(out, "\r\n");
	if (verdict->mark != NULL) {
		buf_put_str(out, "X-Hangu-Mark: ");
		buf_put_str(out, verdict->mark);
		buf_put_str(out, "\r\n");
	}
}

void compose_spam(const struct compose_spam *spam, struct buf *out)
{
	buf_put_str(out, spam->is_spam ? "X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score="
	                               : "X-Spam-Flag: NO\r\nX-Spam-Status: No, score=");
	score_put(spam->score, out);
	buf_put_str(out, " required=");
	score_put(spam->required, out);
	buf_put_str(out, "\r\nX-Spam-Level: ");
	for (int32_t star = 1; star <= LEVEL_STARS_MAX && star <= spam->score / 1000; star++)
		buf_put_byte(out, '*');
	buf_put_str(out, "\r\n");
}

void compose_scl(int level, struct buf *out)
{
	must(level >= -1 && level <= 9);
	buf_printf(out, "X-MS-Exchange-Organization-SCL: %d\r\n", level);
}
