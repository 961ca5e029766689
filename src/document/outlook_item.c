/* The table of properties that matter, and the order in which a message is told. */
#include "document/outlook_item.h"

#include "document/ole_text.h"
#include "document/outlook_rtf.h"

#define NAME_BYTES_MAX ((size_t)4096)
#define TEXT_BYTES_MAX ((size_t)32 << 20)
#define CODEPAGE_UTF8  65001u

/* [MS-OXPROPS], by number. */
enum property {
	SUBJECT = 0x0037,
	SENT_NAME = 0x0042,
	SENT_ADDRESS = 0x0065,
	HEADERS = 0x007d,
	SENDER_NAME = 0x0c1a,
	SENDER_ADDRESS = 0x0c1f,
	DISPLAY_BCC = 0x0e02,
	DISPLAY_CC = 0x0e03,
	DISPLAY_TO = 0x0e04,
	BODY = 0x1000,
	RTF = 0x1009,
	HTML = 0x1013,
	DISPLAY_NAME = 0x3001,
	ADDRESS = 0x3003,
	ATTACH_DATA = 0x3701,
	ATTACH_SHORT = 0x3704,
	ATTACH_METHOD = 0x3705,
	ATTACH_LONG = 0x3707,
	ATTACH_PATH = 0x3708,
	ATTACH_LONG_PATH = 0x370d,
	ATTACH_KIND = 0x370e,
	SMTP_ADDRESS = 0x39fe,
	INTERNET_CODEPAGE = 0x3fde,
	MESSAGE_CODEPAGE = 0x3ffd,
	REMINDER_SOUND = 0x851f, /* PidLidReminderFileParameter */
};

static uint32_t number_of(struct slice value)
{
	uint32_t number = 0;

	for (size_t i = 0; i < value.len && i < 4; i++)
		number |= (uint32_t)value.ptr[i] << (8 * i);
	return number;
}

void outlook_put_text(struct slice text, bool wide, uint32_t codepage, struct buf *out)
{
	if (wide) {
		while (text.len >= 2 && text.ptr[text.len - 1] == 0 && text.ptr[text.len - 2] == 0)
			text.len -= 2;
		ole_put_utf16(text, out);
		return;
	}
	text = slice_take(text, slice_find(text, 0));
	if (codepage == 0 || codepage == CODEPAGE_UTF8)
		buf_put(out, text);
	else
		ole_put_codepage(codepage, text, out);
}

static enum rc tell_text(const struct content_sink *sink, enum content_place place, struct slice text, bool wide, uint32_t codepage)
{
	struct buf out = buf_make(TEXT_BYTES_MAX);

	if (text.len == 0)
		return RC_OK;
	outlook_put_text(text, wide, codepage, &out);
	if (out.len != 0)
		buf_put_byte(&out, '\n');
	const enum rc rc = sink_text(sink, place, buf_slice(&out));
	buf_done(&out);
	return rc;
}

/* A reminder's sound on a server is fetched when it is due: CVE-2023-23397. */
static enum rc look_at_reminder(const struct outlook_property *property, const struct content_sink *sink)
{
	struct buf path = buf_make(NAME_BYTES_MAX);
	enum rc    rc = RC_OK;

	outlook_put_text(property->value, property->type == OUTLOOK_UNICODE, 0, &path);
	const struct slice text = buf_slice(&path);
	if (slice_starts(text, SLICE("\\\\")) || slice_starts(text, SLICE("//")) || slice_search(text, SLICE("://")) < text.len) {
		rc = sink_fact(sink, CONTENT_FACT_OUTLOOK_REMINDER, text);
		if (rc == RC_OK)
			rc = sink_link(sink, CONTENT_PLACE_REFERENCE, text, slice_of(NULL, 0));
	}
	buf_done(&path);
	return rc;
}

enum rc outlook_message_take(struct outlook_message *message, const struct outlook_property *property, const struct content_sink *sink)
{
	const bool wide = property->type == OUTLOOK_UNICODE;

	if (property->named == REMINDER_SOUND && (wide || property->type == OUTLOOK_STRING8))
		return look_at_reminder(property, sink);
	switch (property->id) {
	case SUBJECT:
		message->subject = property->value;
		message->subject_wide = wide;
		break;
	case BODY:
		message->body = property->value;
		message->body_wide = wide;
		break;
	case HTML:
		message->html = property->value;
		message->html_wide = wide;
		break;
	case RTF:
		message->rtf = property->value;
		break;
	case INTERNET_CODEPAGE:
		message->codepage = number_of(property->value);
		break;
	case MESSAGE_CODEPAGE:
		if (message->codepage == 0)
			message->codepage = number_of(property->value);
		break;
	case SENT_NAME:
	case SENT_ADDRESS:
	case SENDER_NAME:
	case SENDER_ADDRESS:
	case DISPLAY_TO:
	case DISPLAY_CC:
	case DISPLAY_BCC:
	case HEADERS:
	case DISPLAY_NAME:
	case ADDRESS:
	case SMTP_ADDRESS:
		if (wide || property->type == OUTLOOK_STRING8)
			return tell_text(sink, CONTENT_PLACE_METADATA, property->value, wide, message->codepage);
		break;
	default:
		break;
	}
	return RC_OK;
}

void outlook_attachment_take(struct outlook_attachment *attachment, const struct outlook_property *property)
{
	const bool wide = property->type == OUTLOOK_UNICODE;

	switch (property->id) {
	case ATTACH_DATA:
		attachment->bytes = property->value;
		/* In TNEF the identifier of an interface stands in front of the object: [MS-OXTNEF] section 2.1.3.3.15. */
		if (property->type == OUTLOOK_OBJECT)
			attachment->bytes = slice_drop(property->value, 16);
		attachment->embedded = property->type == OUTLOOK_OBJECT && slice_starts(attachment->bytes, SLICE("\x78\x9f\x3e\x22"));
		break;
	case ATTACH_LONG:
		attachment->name = property->value;
		attachment->name_wide = wide;
		break;
	case ATTACH_SHORT:
		attachment->short_name = property->value;
		attachment->short_wide = wide;
		break;
	case DISPLAY_NAME:
		attachment->display = property->value;
		attachment->display_wide = wide;
		break;
	case ATTACH_PATH:
	case ATTACH_LONG_PATH:
		attachment->path = property->value;
		attachment->path_wide = wide;
		break;
	case ATTACH_KIND:
		attachment->kind = property->value;
		attachment->kind_wide = wide;
		break;
	case ATTACH_METHOD:
		attachment->method = number_of(property->value);
		break;
	default:
		break;
	}
}

static enum rc tell_member(const struct content_sink *sink, struct budget *budget, const char *name, const char *kind, struct slice bytes)
{
	return sink_member(sink, budget, &(struct content_member){ .name = slice_str(name), .bytes = bytes, .kind = slice_str(kind) });
}

static enum rc tell_html(const struct outlook_message *message, struct budget *budget, const struct content_sink *sink)
{
	struct buf text = buf_make(OUTLOOK_BODY_BYTES_MAX);

	if (message->html_wide)
		outlook_put_text(message->html, true, 0, &text);
	const enum rc rc = tell_member(sink, budget, "body.html", "text/html", message->html_wide ? buf_slice(&text) : message->html);
	buf_done(&text);
	return rc;
}

static enum rc tell_rtf(const struct outlook_message *message, struct budget *budget, const struct content_sink *sink)
{
	struct buf rtf = buf_make(OUTLOOK_BODY_BYTES_MAX), text = buf_make(OUTLOOK_BODY_BYTES_MAX);
	bool       html = false;
	enum rc    rc = outlook_rtf_unpack(message->rtf, budget, &rtf);

	if (rc == RC_SYNTAX) {
		buf_done(&rtf);
		return sink_fact(sink, CONTENT_FACT_DAMAGED, SLICE("body.rtf"));
	}
	const enum rc unwrapped = outlook_rtf_unwrap(buf_slice(&rtf), &text, &html);
	enum rc       told = RC_OK;
	if (unwrapped == RC_OK && html)
		told = tell_member(sink, budget, "body.html", "text/html", buf_slice(&text));
	else if (unwrapped == RC_OK)
		told = sink_text(sink, CONTENT_PLACE_BODY, buf_slice(&text));
	/* The RTF itself, too: it can hold objects that its HTML does not name. */
	if (told == RC_OK && rtf.len != 0)
		told = tell_member(sink, budget, "body.rtf", "application/rtf", buf_slice(&rtf));
	buf_done(&rtf);
	buf_done(&text);
	return told != RC_OK ? told : rc;
}

enum rc outlook_message_tell(const struct outlook_message *message, struct budget *budget, const struct content_sink *sink)
{
	enum rc rc = tell_text(sink, CONTENT_PLACE_BODY, message->subject, message->subject_wide, message->codepage);

	if (rc == RC_OK)
		rc = tell_text(sink, CONTENT_PLACE_BODY, message->body, message->body_wide, message->codepage);
	if (rc == RC_OK && message->html.len != 0)
		rc = tell_html(message, budget, sink);
	if (rc == RC_OK && message->rtf.len != 0)
		rc = tell_rtf(message, budget, sink);
	return rc;
}

/* The name it goes by. */
static void put_name(const struct outlook_attachment *attachment, uint32_t codepage, struct buf *out)
{
	if (attachment->name.len != 0)
		outlook_put_text(attachment->name, attachment->name_wide, codepage, out);
	else if (attachment->short_name.len != 0)
		outlook_put_text(attachment->short_name, attachment->short_wide, codepage, out);
	else
		outlook_put_text(attachment->display, attachment->display_wide, codepage, out);
}

enum rc outlook_attachment_tell(const struct outlook_attachment *attachment, const struct outlook_message *message,
                                struct budget *budget, const struct content_sink *sink)
{
	struct buf name = buf_make(NAME_BYTES_MAX), kind = buf_make(NAME_BYTES_MAX), path = buf_make(NAME_BYTES_MAX);
	enum rc    rc = RC_OK;

	put_name(attachment, message->codepage, &name);
	outlook_put_text(attachment->kind, attachment->kind_wide, 0, &kind);
	outlook_put_text(attachment->path, attachment->path_wide, message->codepage, &path);
	if (attachment->method >= 2 && attachment->method <= 4 && path.len != 0) {
		rc = sink_fact(sink, CONTENT_FACT_OUTLOOK_ATTACHMENT_LINKED, buf_slice(&path));
		if (rc == RC_OK)
			rc = sink_link(sink, CONTENT_PLACE_BODY, buf_slice(&path), buf_slice(&name));
	}
	if (rc == RC_OK && (attachment->bytes.len != 0 || name.len != 0))
		rc = sink_member(sink, budget,
		                 &(struct content_member){ .name = buf_slice(&name),
		                                           .bytes = attachment->bytes,
		                                           .kind = attachment->embedded ? SLICE("application/ms-tnef") : buf_slice(&kind) });
	buf_done(&name);
	buf_done(&kind);
	buf_done(&path);
	return rc;
}
