/*
 * Delivery status notifications: a human part in Chinese and English, the machine part of RFC 3464 (RFC 6533 for
 * SMTPUTF8), and what is returned of the message. The boundary is a digest over what is returned, so that no message
 * can hold its own.
 */
#include "mail/compose.h"

#include "base/codec.h"
#include "base/digest.h"
#include "text/utf8.h"

#define BOUNDARY_BYTES  16u
#define HUMAN_MAX       100u /* recipients named in the human part */
#define LINE_TEXT_MAX   512u /* bytes of a reply that are shown */
#define ADDRESS_MAX     640u
#define BASE64_LINE     57u /* bytes that make 76 characters */
#define HUMAN_BYTES_MAX (256u << 10)

struct boundary {
	struct digest digest;
};

static void boundary_put(const struct boundary *boundary, struct buf *out)
{
	buf_put_str(out, "=_hangu_");
	buf_put_hex(out, slice_of(boundary->digest.bytes, BOUNDARY_BYTES));
}

static void delimiter_put(const struct boundary *boundary, bool last, struct buf *out)
{
	buf_put_str(out, "\r\n--");
	boundary_put(boundary, out);
	buf_put_str(out, last ? "--\r\n" : "\r\n");
}

/*
 * Text of a peer on one line: control characters become blanks, what is neither ASCII nor (with `utf8`) UTF-8 becomes
 * "?".
 */
static void line_put(struct slice text, size_t max, bool utf8, struct buf *out)
{
	text = slice_trim(slice_take(text, max));
	while (text.len != 0) {
		size_t         bytes;
		const uint32_t character = utf8_decode(text, &bytes);
		if (character < 0x20 || character == 0x7f || (character >= 0x80 && character < 0xa0))
			buf_put_byte(out, ' ');
		else if (character == UINT32_MAX || (character >= 0x80 && !utf8))
			buf_put_byte(out, '?');
		else
			buf_put(out, slice_take(text, bytes));
		text = slice_drop(text, bytes);
	}
}

static bool is_ascii(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] >= 0x80)
			return false;
	}
	return true;
}

/* "5.1.1": RFC 3463 section 2. */
static bool is_status(struct slice status)
{
	size_t digits = 0, dots = 0;

	if (status.len < 5 || status.len > 9 || (status.ptr[0] != '2' && status.ptr[0] != '4' && status.ptr[0] != '5'))
		return false;
	for (size_t i = 0; i < status.len; i++) {
		if (status.ptr[i] == '.') {
			if (digits == 0 || (dots == 0 && digits != 1))
				return false;
			dots++;
			digits = 0;
		} else if (!byte_is_digit(status.ptr[i]) || ++digits > 3) {
			return false;
		}
	}
	return dots == 2 && digits != 0;
}

static const struct {
	const char *word;
	const char *status;
	const char *subject;
	const char *chinese;
	const char *english;
} actions[DSN_ACTIONS] = {
	[DSN_FAILED] = { "failed", "5.0.0", "退信通知 Undelivered mail", "您的邮件未能送达以下收件人：",
	                 "Your message could not be delivered to the following recipients:" },
	[DSN_DELAYED] = { "delayed", "4.0.0", "投递延迟通知 Delayed mail",
	                  "您的邮件尚未送达以下收件人。系统会继续尝试投递，您无需重新发送：",
	                  "Your message has not reached the following recipients yet. We keep trying; there is no need to send it again:" },
	[DSN_DELIVERED] = { "delivered", "2.0.0", "送达通知 Delivered mail", "您的邮件已送达以下收件人：",
	                    "Your message has been delivered to the following recipients:" },
	[DSN_RELAYED] = { "relayed", "2.0.0", "转交通知 Relayed mail",
	                  "您的邮件已转交以下收件人的邮件系统，该系统可能不会再发送送达通知：",
	                  "Your message has been handed to the mail system of the following recipients, which may send no notice of its own:" },
	[DSN_EXPANDED] = { "expanded", "2.0.0", "转发通知 Expanded mail", "您的邮件已发送到以下邮件列表：",
	                   "Your message has been sent on to the members of the following lists:" },
};

/* The action that the notice as a whole is about: the gravest. */
static enum dsn_action gravest(const struct compose_dsn *dsn)
{
	enum dsn_action action = dsn->recipients[0].action;

	for (size_t i = 1; i < dsn->recipient_count; i++) {
		if (dsn->recipients[i].action < action)
			action = dsn->recipients[i].action;
	}
	return action;
}

static void top_put(const struct compose_dsn *dsn, const struct boundary *boundary, struct buf *out)
{
	buf_put_str(out, "From: Mail Delivery System <");
	line_put(dsn->from, ADDRESS_MAX, false, out);
	buf_put_str(out, ">\r\nTo: <");
	line_put(dsn->to, ADDRESS_MAX, dsn->smtputf8, out);
	buf_put_str(out, ">\r\nSubject: ");
	compose_put_text(slice_str(actions[gravest(dsn)].subject), 512, out);
	buf_put_str(out, "\r\nDate: ");
	compose_put_date(dsn->unix_s, dsn->offset_minutes, out);
	buf_put_str(out, "\r\nMessage-ID: <");
	line_put(dsn->message_id, ADDRESS_MAX, false, out);
	buf_put_str(out, ">\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
	                 "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"");
	boundary_put(boundary, out);
	buf_put_str(out, "\"\r\n\r\nThis is a MIME-encapsulated message.\r\n");
}

static void base64_lines_put(struct slice bytes, struct buf *out)
{
	while (bytes.len != 0) {
		codec_base64_encode(slice_take(bytes, BASE64_LINE), out);
		buf_put_str(out, "\r\n");
		bytes = slice_drop(bytes, BASE64_LINE);
	}
}

static void human_recipient_put(const struct dsn_recipient *recipient, struct buf *text)
{
	buf_put_str(text, "  <");
	line_put(recipient->address, ADDRESS_MAX, true, text);
	buf_put_str(text, ">\n");
	if (recipient->text.len == 0)
		return;
	buf_put_str(text, "    ");
	if (recipient->code != 0 && recipient->remote_name.len != 0) {
		line_put(recipient->remote_name, ADDRESS_MAX, true, text);
		buf_put_str(text, ": ");
	}
	if (recipient->code != 0) {
		buf_put_u64(text, recipient->code);
		buf_put_byte(text, ' ');
	}
	line_put(recipient->text, LINE_TEXT_MAX, true, text);
	buf_put_byte(text, '\n');
}

static void human_action_put(const struct compose_dsn *dsn, enum dsn_action action, struct buf *text)
{
	size_t shown = 0, left = 0;

	for (size_t i = 0; i < dsn->recipient_count; i++) {
		if (dsn->recipients[i].action != action)
			continue;
		if (shown == 0) {
			buf_put_str(text, actions[action].chinese);
			buf_put_byte(text, '\n');
			buf_put_str(text, actions[action].english);
			buf_put_str(text, "\n\n");
		}
		if (shown < HUMAN_MAX)
			human_recipient_put(&dsn->recipients[i], text);
		else
			left++;
		shown++;
	}
	if (left != 0) {
		buf_put_str(text, "  ... +");
		buf_put_u64(text, left);
		buf_put_byte(text, '\n');
	}
	if (shown != 0)
		buf_put_byte(text, '\n');
}

static void human_put(const struct compose_dsn *dsn, struct buf *out)
{
	struct buf text = buf_make(HUMAN_BYTES_MAX);

	buf_put_str(&text, "这是邮件系统 ");
	line_put(dsn->own_name, ADDRESS_MAX, true, &text);
	buf_put_str(&text, " 自动发出的通知，请勿回复。\nThis is an automatic notice of the mail system ");
	line_put(dsn->own_name, ADDRESS_MAX, true, &text);
	buf_put_str(&text, ". Please do not reply to it.\n\n");
	if (dsn->subject.len != 0) {
		buf_put_str(&text, "主题 Subject: ");
		line_put(dsn->subject, LINE_TEXT_MAX, true, &text);
		buf_put_str(&text, "\n");
	}
	buf_put_str(&text, "编号 Id: ");
	line_put(dsn->id, ADDRESS_MAX, false, &text);
	buf_put_str(&text, "\n\n");
	for (unsigned action = 0; action < DSN_ACTIONS; action++)
		human_action_put(dsn, (enum dsn_action)action, &text);
	buf_put_str(out, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	base64_lines_put(buf_slice(&text), out);
	if (text.failed)
		out->failed = true;
	buf_done(&text);
}

/* xtext undone, then on one line; what is no xtext is shown as it stands (RFC 3461 section 6.3). */
static void xtext_put(struct slice text, bool utf8, struct buf *out)
{
	struct buf plain = buf_make(ADDRESS_MAX);

	if (codec_xtext_decode(slice_take(text, ADDRESS_MAX), &plain) == RC_OK)
		line_put(buf_slice(&plain), ADDRESS_MAX, utf8, out);
	else
		line_put(text, ADDRESS_MAX, utf8, out);
	buf_done(&plain);
}

/*
 * An address in its type (RFC 3464 section 2.3.2, RFC 6533 section 3): UTF-8 is written \x{...} where only ASCII may
 * stand.
 */
static void recipient_put(struct slice address, bool utf8, struct buf *out)
{
	if (is_ascii(address) || utf8) {
		buf_put_str(out, is_ascii(address) ? "rfc822; " : "utf-8; ");
		line_put(address, ADDRESS_MAX, utf8, out);
		return;
	}
	buf_put_str(out, "utf-8; ");
	address = slice_take(address, ADDRESS_MAX);
	while (address.len != 0) {
		size_t         bytes;
		const uint32_t character = utf8_decode(address, &bytes);
		if (character == UINT32_MAX || character < 0x21 || character == 0x7f)
			buf_put_byte(out, '?');
		else if (character < 0x80 && character != '\\')
			buf_put_byte(out, (uint8_t)character);
		else
			buf_printf(out, "\\x{%X}", (unsigned)character);
		address = slice_drop(address, bytes);
	}
}

/* ORCPT as given: "type;xtext". Without a type it is no ORCPT and is left out. */
static void original_put(struct slice original, bool utf8, struct buf *out)
{
	const size_t semicolon = slice_find(original, ';');

	if (semicolon == 0 || semicolon >= original.len)
		return;
	buf_put_str(out, "Original-Recipient: ");
	line_put(slice_take(original, semicolon), 32, false, out);
	buf_put_str(out, "; ");
	xtext_put(slice_drop(original, semicolon + 1), utf8, out);
	buf_put_str(out, "\r\n");
}

static void date_field_put(const char *name, int64_t unix_s, const struct compose_dsn *dsn, struct buf *out)
{
	if (unix_s == 0)
		return;
	buf_put_str(out, name);
	compose_put_date(unix_s, dsn->offset_minutes, out);
	buf_put_str(out, "\r\n");
}

static void machine_recipient_put(const struct compose_dsn *dsn, const struct dsn_recipient *recipient, struct buf *out)
{
	buf_put_str(out, "\r\n");
	original_put(recipient->original, dsn->smtputf8, out);
	buf_put_str(out, "Final-Recipient: ");
	recipient_put(recipient->address, dsn->smtputf8, out);
	buf_put_str(out, "\r\nAction: ");
	buf_put_str(out, actions[recipient->action].word);
	buf_put_str(out, "\r\nStatus: ");
	buf_put(out, is_status(recipient->status) ? recipient->status : slice_str(actions[recipient->action].status));
	buf_put_str(out, "\r\n");
	if (recipient->remote_name.len != 0) {
		buf_put_str(out, "Remote-MTA: dns; ");
		compose_put_host(recipient->remote_name, 255, out);
		buf_put_str(out, "\r\n");
	}
	if (recipient->text.len != 0 || recipient->code != 0) {
		buf_put_str(out, recipient->code != 0 ? "Diagnostic-Code: smtp; " : "Diagnostic-Code: X-Hangu; ");
		if (recipient->code != 0) {
			buf_put_u64(out, recipient->code);
			buf_put_byte(out, ' ');
		}
		line_put(recipient->text, LINE_TEXT_MAX, dsn->smtputf8, out);
		buf_put_str(out, "\r\n");
	}
	date_field_put("Last-Attempt-Date: ", recipient->last_attempt_s, dsn, out);
	if (recipient->action == DSN_DELAYED)
		date_field_put("Will-Retry-Until: ", recipient->retry_until_s, dsn, out);
}

static void machine_put(const struct compose_dsn *dsn, struct buf *out)
{
	buf_put_str(out,
	            dsn->smtputf8
	                    ? "Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
	                    : "Content-Type: message/delivery-status\r\n\r\n");
	buf_put_str(out, "Reporting-MTA: dns; ");
	compose_put_host(dsn->own_name, 255, out);
	buf_put_str(out, "\r\n");
	if (dsn->envelope_id.len != 0) {
		buf_put_str(out, "Original-Envelope-Id: ");
		xtext_put(dsn->envelope_id, dsn->smtputf8, out);
		buf_put_str(out, "\r\n");
	}
	buf_put_str(out, "X-Hangu-Id: ");
	line_put(dsn->id, ADDRESS_MAX, false, out);
	buf_put_str(out, "\r\n");
	date_field_put("Arrival-Date: ", dsn->arrival_s, dsn, out);
	for (size_t i = 0; i < dsn->recipient_count; i++)
		machine_recipient_put(dsn, &dsn->recipients[i], out);
}

/* The header section with its fields whole, at most DSN_HEADERS_MAX bytes of it. */
static struct slice headers_of(struct slice message)
{
	size_t end = 0, line = 0;

	while (line < message.len) {
		const size_t feed = slice_find(slice_drop(message, line), '\n');
		const size_t next = line + feed + (line + feed < message.len ? 1 : 0);
		if (message.ptr[line] == '\n' || (message.ptr[line] == '\r' && slice_at(message, line + 1) == '\n'))
			return slice_take(message, line);
		if (!byte_is_wsp(message.ptr[line]))
			end = line; /* a field begins: all before it is whole */
		if (next > DSN_HEADERS_MAX)
			return slice_take(message, end);
		line = next;
	}
	return message;
}

static void returned_put(const struct compose_dsn *dsn, struct slice what, struct buf *out)
{
	const bool plain = is_ascii(what);

	if (dsn->returned == DSN_RETURN_FULL) {
		buf_put_str(out, dsn->smtputf8 && !plain ? "Content-Type: message/global\r\n"
		                                         : "Content-Type: message/rfc822\r\n");
		buf_put_str(out, plain ? "\r\n" : "Content-Transfer-Encoding: 8bit\r\n\r\n");
		buf_put(out, what);
		return;
	}
	if (dsn->smtputf8 && !plain) {
		buf_put_str(out, "Content-Type: message/global-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
		buf_put(out, what);
		return;
	}
	buf_put_str(out, "Content-Type: text/rfc822-headers\r\n");
	if (plain) {
		buf_put_str(out, "\r\n");
		buf_put(out, what);
		return;
	}
	buf_put_str(out, "Content-Transfer-Encoding: base64\r\n\r\n");
	base64_lines_put(what, out);
}

enum rc compose_dsn(const struct compose_dsn *dsn, struct buf *out)
{
	if (dsn->recipient_count == 0 || dsn->recipient_count > DSN_RECIPIENTS_MAX || dsn->to.len == 0 ||
	    dsn->own_name.len == 0)
		return RC_SYNTAX;
	const struct slice what = dsn->returned == DSN_RETURN_FULL      ? dsn->original
	                          : dsn->returned == DSN_RETURN_HEADERS ? headers_of(dsn->original)
	                                                                : (struct slice){ NULL, 0 };
	const struct slice pieces[] = { dsn->boundary_seed, dsn->id, what };
	struct boundary    boundary;

	digest_of(pieces, sizeof pieces / sizeof pieces[0], &boundary.digest);
	top_put(dsn, &boundary, out);
	delimiter_put(&boundary, false, out);
	human_put(dsn, out);
	delimiter_put(&boundary, false, out);
	machine_put(dsn, out);
	if (dsn->returned != DSN_RETURN_NOTHING) {
		delimiter_put(&boundary, false, out);
		returned_put(dsn, what, out);
	}
	delimiter_put(&boundary, true, out);
	return out->failed ? RC_NOMEM : RC_OK;
}
