/* Replies written and read. */
#include "smtp/reply.h"

#include "base/must.h"

#define ENHANCED_NUMBER_MAX 999u
/* What a peer's words may take in a text of ours: I-25 of the mail contract, printable ASCII of at most 400 octets. */
#define MAPPED_TEXT_MAX     400u

static void put_safe(struct slice text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++)
		buf_put_byte(out, byte_is_print(text.ptr[i]) ? text.ptr[i] : '?');
}

static void put_enhanced(const struct smtp_enhanced *enhanced, struct buf *out)
{
	buf_put_u64(out, enhanced->class);
	buf_put_byte(out, '.');
	buf_put_u64(out, enhanced->subject);
	buf_put_byte(out, '.');
	buf_put_u64(out, enhanced->detail);
	buf_put_byte(out, ' ');
}

/* The part of `*rest` that goes on one line: up to a LF, or to the last blank that fits. Moves `*rest` past it. */
static struct slice take_line(struct slice *rest, size_t room)
{
	struct slice line = slice_take(*rest, slice_find(*rest, '\n'));
	size_t       skip = line.len + 1;

	if (line.len > room) {
		const size_t blank = slice_find_last(slice_take(line, room), ' ');
		const size_t cut = blank == room || blank == 0 ? room : blank;
		skip = cut == room ? cut : cut + 1;
		line = slice_take(line, cut);
	}
	*rest = slice_drop(*rest, skip);
	if (slice_last(line) == '\r')
		line = slice_take(line, line.len - 1);
	return line;
}

void smtp_reply_write(const struct smtp_reply *reply, bool enhanced, struct buf *out)
{
	struct slice rest = slice_take(reply->text, SMTP_REPLY_TEXT_MAX);

	must(reply->code >= 200 && reply->code <= 599);
	/* "250-5.999.999 " and CRLF stand beside the text. */
	for (unsigned lines = 1; lines == 1 || rest.len != 0; lines++) {
		const struct slice line = take_line(&rest, SMTP_REPLY_LINE_MAX - 16);
		if (lines == SMTP_REPLY_TEXT_LINES_MAX)
			rest = (struct slice){ NULL, 0 };
		buf_put_u64(out, reply->code);
		buf_put_byte(out, rest.len != 0 ? '-' : ' ');
		if (enhanced && reply->enhanced.class != 0)
			put_enhanced(&reply->enhanced, out);
		put_safe(line, out);
		buf_put(out, SLICE("\r\n"));
	}
}

/*
 * "5.1.1" and a blank or the end, at the front of `*text`; moves past both. Class 0 and `*text` as it was when there is
 * none.
 */
static struct smtp_enhanced take_enhanced(struct slice *text, uint16_t code)
{
	struct smtp_enhanced enhanced = { 0 };
	struct slice         rest = *text;
	unsigned             numbers[3];

	for (unsigned i = 0; i < 3; i++) {
		size_t   digits = 0;
		unsigned number = 0;
		while (digits < rest.len && digits < 3 && byte_is_digit(rest.ptr[digits]))
			number = number * 10 + rest.ptr[digits++] - '0';
		const int next = slice_at(rest, digits);
		if (digits == 0 || number > ENHANCED_NUMBER_MAX)
			return enhanced;
		if (i < 2 ? next != '.' : next != ' ' && next != -1)
			return enhanced;
		numbers[i] = number;
		rest = slice_drop(rest, digits + 1);
	}
	if (numbers[0] != code / 100u)
		return enhanced;
	*text = rest;
	enhanced.class = (uint8_t)numbers[0];
	enhanced.subject = (uint16_t)numbers[1];
	enhanced.detail = (uint16_t)numbers[2];
	return enhanced;
}

static bool is_code(struct slice line)
{
	return line.len >= 3 && line.ptr[0] >= '2' && line.ptr[0] <= '5' && byte_is_digit(line.ptr[1]) &&
	       byte_is_digit(line.ptr[2]);
}

static uint16_t code_of(struct slice line)
{
	return (uint16_t)((line.ptr[0] - '0') * 100 + (line.ptr[1] - '0') * 10 + line.ptr[2] - '0');
}

static struct slice without_end(struct slice line)
{
	return slice_last(line) == '\r' ? slice_take(line, line.len - 1) : line;
}

enum rc smtp_reply_take(struct slice *input, struct smtp_reply_read *out)
{
	struct slice           rest = slice_take(*input, SMTP_REPLY_BYTES_MAX);
	const size_t           whole = rest.len;
	struct smtp_reply_read reply = { 0 };

	for (unsigned lines = 1; lines <= SMTP_REPLY_LINES_MAX; lines++) {
		const size_t end = slice_find(rest, '\n');
		if (slice_find(slice_take(rest, end), '\0') != end)
			return RC_SYNTAX;
		if (end == rest.len)
			return input->len >= SMTP_REPLY_BYTES_MAX ? RC_LIMIT : RC_AGAIN;
		const struct slice line = without_end(slice_take(rest, end));
		if (!is_code(line) || (line.len > 3 && line.ptr[3] != ' ' && line.ptr[3] != '-'))
			return RC_SYNTAX;
		const uint16_t code = code_of(line);
		if (lines > 1 && code != reply.code)
			return RC_SYNTAX;
		reply.code = code;
		rest = slice_drop(rest, end + 1);
		if (slice_at(line, 3) == '-')
			continue;
		struct slice text = slice_drop(line, 4);
		reply.enhanced = take_enhanced(&text, code);
		reply.lines = (uint16_t)lines;
		reply.raw = slice_take(*input, whole - rest.len);
		*input = slice_drop(*input, reply.raw.len);
		*out = reply;
		return RC_OK;
	}
	return RC_LIMIT;
}

bool smtp_reply_line(struct slice *raw, struct slice *out)
{
	if (raw->len == 0)
		return false;
	*out = slice_drop(without_end(slice_until(raw, '\n')), 4);
	return true;
}

void smtp_reply_text(const struct smtp_reply_read *reply, size_t max, struct buf *out)
{
	struct slice raw = reply->raw, text;
	size_t       left = max;

	while (left != 0 && smtp_reply_line(&raw, &text)) {
		(void)take_enhanced(&text, reply->code);
		text = slice_trim(text);
		if (text.len == 0)
			continue;
		if (left != max) {
			buf_put_byte(out, ' ');
			left--;
		}
		text = slice_take(text, left);
		put_safe(text, out);
		left -= text.len;
	}
}

struct smtp_reply smtp_reply_map(const struct smtp_reply_read *reply, struct buf *text)
{
	struct smtp_reply           mapped = { .code = reply->code, .enhanced = reply->enhanced };
	const struct smtp_enhanced *e = &reply->enhanced;

	must(reply->code >= 400);
	if (reply->code < 500) {
		mapped.code = 451;
		if (e->class == 0)
			mapped.enhanced = (struct smtp_enhanced){ 4, 4, 0 };
	} else if (e->class == 0) {
		mapped.enhanced = (struct smtp_enhanced){ 5, 0, 0 };
	}
	/*
	 * A next hop's 421 or 521 is about its connection with us, not about ours with the client: it must not end that
	 * one.
	 */
	if (reply->code == 521)
		mapped.code = 554;
	const bool size = (e->subject == 3 && e->detail == 4) || (e->subject == 2 && e->detail == 2);
	const bool ours = e->class == 5 && ((reply->code == 550 && e->subject == 1) || (reply->code == 552 && size));
	if (reply->code == 554 && e->class == 5 && e->subject == 7)
		mapped.enhanced = (struct smtp_enhanced){ 5, 7, 1 };
	if (!ours)
		buf_put_str(text, reply->code < 500 ? "deferred by next hop: " : "rejected by next hop: ");
	smtp_reply_text(reply, MAPPED_TEXT_MAX - text->len, text);
	if (text->len == 0)
		buf_put_str(text, "refused by next hop");
	mapped.text = buf_slice(text);
	return mapped;
}
