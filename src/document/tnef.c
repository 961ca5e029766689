/* Attributes, and the properties that some of them hold. */
#include "document/tnef.h"

#include "base/cursor.h"
#include "document/outlook_item.h"

/* [MS-OXTNEF] section 2.1.3.3, without the type in front. */
enum attribute {
	FROM = 0x8000,
	SUBJECT = 0x8004,
	BODY = 0x800c,
	ATTACH_DATA = 0x800f,
	ATTACH_TITLE = 0x8010,
	ATTACH_RENDER = 0x9002,
	PROPERTIES = 0x9003,
	RECIPIENTS = 0x9004,
	ATTACHMENT = 0x9005,
	CODEPAGE = 0x9007,
};

struct tnef {
	struct budget             *budget;
	const struct content_sink *sink;
	struct outlook_message     message;
	struct outlook_attachment  attachment;
	bool                       attached; /* `attachment` has begun */
	bool                       damaged;
};

bool tnef_is(struct slice bytes)
{
	return slice_starts(bytes, SLICE("\x78\x9f\x3e\x22"));
}

/* Bytes of one value of a type of fixed size, with its padding; 0: of variable size. [MS-OXCDATA] section 2.11.1. */
static size_t fixed_size(uint16_t type)
{
	switch (type) {
	case 0x0002: /* 16-bit integer */
	case 0x0003: /* 32-bit integer */
	case 0x0004: /* float */
	case 0x000a: /* error */
	case 0x000b: /* boolean */
		return 4;
	case 0x0005: /* double */
	case 0x0006: /* currency */
	case 0x0007: /* application time */
	case 0x0014: /* 64-bit integer */
	case 0x0040: /* time */
		return 8;
	case 0x0048: /* GUID */
		return 16;
	default:
		return 0;
	}
}

static bool is_variable(uint16_t type)
{
	return type == OUTLOOK_STRING8 || type == OUTLOOK_UNICODE || type == OUTLOOK_BINARY || type == OUTLOOK_OBJECT;
}

static void skip_padded(struct cursor *c, size_t size)
{
	(void)cursor_bytes(c, size + (4 - size % 4) % 4);
}

/* The name of a property from 0x8000 on; its number, or 0 for one named with text. */
static uint32_t read_name(struct cursor *c)
{
	(void)cursor_bytes(c, 16);
	if (cursor_u32(c) == 0)
		return cursor_u32(c);
	skip_padded(c, cursor_u32(c));
	return 0;
}

/* One property; of several values the first. Section 2.1.3.4. */
static bool read_property(struct cursor *c, struct outlook_property *out)
{
	const uint16_t raw = cursor_u16(c), type = raw & 0xefff;

	*out = (struct outlook_property){ .type = type, .id = cursor_u16(c) };
	if (out->id >= 0x8000)
		out->named = read_name(c);
	const bool     many = (raw & 0x1000) != 0, variable = is_variable(type);
	const size_t   size = fixed_size(type);
	const uint32_t count = many || variable ? cursor_u32(c) : 1;
	if (c->failed || (size == 0 && !variable))
		return false;
	for (uint32_t i = 0; i < count && !c->failed; i++) {
		const size_t       bytes = variable ? cursor_u32(c) : size;
		const struct slice value = slice_take(c->rest, bytes);
		skip_padded(c, bytes);
		if (i == 0)
			out->value = value;
	}
	return !c->failed;
}

static enum rc read_properties(struct tnef *tnef, struct cursor *c, bool attachment)
{
	const uint32_t count = cursor_u32(c);

	for (uint32_t i = 0; i < count && i < TNEF_PROPERTIES_MAX && c->rest.len != 0; i++) {
		struct outlook_property property;
		enum rc                 rc = RC_OK;
		if (!read_property(c, &property)) {
			tnef->damaged = true;
			break;
		}
		if (attachment)
			outlook_attachment_take(&tnef->attachment, &property);
		else
			rc = outlook_message_take(&tnef->message, &property, tnef->sink);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* A table of rows, each with properties of one recipient. */
static enum rc read_recipients(struct tnef *tnef, struct slice data)
{
	struct cursor  c = cursor_on(data);
	const uint32_t rows = cursor_u32(&c);
	enum rc        rc = RC_OK;

	for (uint32_t i = 0; i < rows && c.rest.len != 0 && !c.failed && rc == RC_OK; i++)
		rc = read_properties(tnef, &c, false);
	return rc;
}

static enum rc end_attachment(struct tnef *tnef)
{
	enum rc rc = RC_OK;

	if (tnef->attached)
		rc = outlook_attachment_tell(&tnef->attachment, &tnef->message, tnef->budget, tnef->sink);
	tnef->attachment = (struct outlook_attachment){ .method = 0 };
	tnef->attached = false;
	return rc;
}

static enum rc take_attribute(struct tnef *tnef, uint16_t id, struct slice data)
{
	struct cursor c = cursor_on(data);

	switch (id) {
	case FROM:
		return sink_text(tnef->sink, CONTENT_PLACE_METADATA, slice_take(data, slice_find(data, 0)));
	case SUBJECT:
		tnef->message.subject = data;
		return RC_OK;
	case BODY:
		tnef->message.body = data;
		return RC_OK;
	case CODEPAGE:
		tnef->message.codepage = cursor_u32(&c);
		return RC_OK;
	case PROPERTIES:
		return read_properties(tnef, &c, false);
	case RECIPIENTS:
		return read_recipients(tnef, data);
	case ATTACH_RENDER: {
		const enum rc rc = end_attachment(tnef);
		tnef->attached = true;
		return rc;
	}
	case ATTACH_TITLE:
		tnef->attachment.display = data;
		tnef->attachment.display_wide = false;
		tnef->attached = true;
		return RC_OK;
	case ATTACH_DATA:
		tnef->attachment.bytes = data;
		tnef->attached = true;
		return RC_OK;
	case ATTACHMENT:
		tnef->attached = true;
		return read_properties(tnef, &c, true);
	default:
		return RC_OK;
	}
}

enum rc tnef_open(struct slice bytes, struct budget *budget, const struct content_sink *sink)
{
	struct tnef   tnef = { .budget = budget, .sink = sink };
	struct cursor c = cursor_on(slice_drop(bytes, 6));
	enum rc       rc = RC_OK;

	if (!tnef_is(bytes))
		return RC_SYNTAX;
	if (!budget_take(budget, BUDGET_STEPS, bytes.len))
		return RC_LIMIT;
	for (size_t i = 0; i < TNEF_ATTRIBUTES_MAX && c.rest.len != 0 && rc == RC_OK; i++) {
		const uint8_t  level = cursor_u8(&c);
		const uint16_t id = cursor_u16(&c);
		(void)cursor_u16(&c);
		const uint32_t     size = cursor_u32(&c);
		const struct slice data = slice_take(c.rest, size);
		if (c.failed || (level != 1 && level != 2)) {
			/* Blanks and the like behind the end are no damage. */
			tnef.damaged = tnef.damaged || i == 0;
			break;
		}
		rc = take_attribute(&tnef, id, data);
		(void)cursor_bytes(&c, size);
		(void)cursor_u16(&c);
		if (c.failed) {
			tnef.damaged = true;
			break;
		}
	}
	if (rc == RC_OK)
		rc = end_attachment(&tnef);
	if (rc == RC_OK)
		rc = outlook_message_tell(&tnef.message, budget, sink);
	if (rc == RC_OK && tnef.damaged)
		rc = sink_fact(sink, CONTENT_FACT_DAMAGED, slice_of(NULL, 0));
	return rc;
}
