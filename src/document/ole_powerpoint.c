/*
 * Presentations of PowerPoint 97 to 2003: records in records ([MS-PPT]), walked as one row, since a container's contents
 * follow its head. Text atoms, addresses, and the compound files of objects and macros, packed or not.
 */
#include "document/inflate.h"
#include "document/ole_bytes.h"
#include "document/ole_inside.h"
#include "document/ole_text.h"

#define HEAD_BYTES       8u
#define OBJECT_BYTES_MAX (64u << 20)

enum record {
	RECORD_TEXT_CHARS = 0x0fa0,
	RECORD_TEXT_BYTES = 0x0fa8,
	RECORD_CSTRING = 0x0fba,
	RECORD_HYPERLINK = 0x0fd7,
	RECORD_INTERACTIVE = 0x0ff3,
	RECORD_OBJECT = 0x1011,
};

struct slides {
	const struct ole_office *o;
	struct buf               text;
	size_t                   hyperlink_end; /* strings up to here belong to an address */
	bool                     found[3];      /* told already, by the action's number */
};

/* A compound file with its size in front when it is packed ([MS-PPT] section 2.10.34). */
static enum rc object_take(struct slides *s, unsigned instance, struct slice data)
{
	struct content_member member = { .bytes = data, .kind = SLICE("application/x-ole-storage") };
	struct buf            plain = buf_make(OBJECT_BYTES_MAX);
	enum rc               rc = RC_OK;

	if (instance == 1) {
		bool damaged = false;
		rc = inflate_all(slice_drop(data, 4), s->o->budget, &plain, &damaged);
		member.bytes = buf_slice(&plain);
		member.claimed = bytes_u32(data, 0);
		member.flags = (damaged ? CONTENT_MEMBER_DAMAGED : 0) | (rc == RC_LIMIT ? CONTENT_MEMBER_CUT : 0);
	}
	if (rc == RC_OK || rc == RC_LIMIT)
		rc = sink_member(s->o->sink, s->o->budget, &member);
	buf_done(&plain);
	return rc;
}

static enum rc string_take(struct slides *s, size_t at, unsigned instance, struct slice data)
{
	struct buf text = buf_make(OLE_TEXT_MAX);
	enum rc    rc = RC_OK;

	ole_put_utf16(data, &text);
	if (at < s->hyperlink_end) {
		if (instance == 1)
			rc = sink_link(s->o->sink, CONTENT_PLACE_BODY, buf_slice(&text), (struct slice){ NULL, 0 });
	} else {
		buf_put_byte(&text, '\n');
		rc = sink_text(s->o->sink, CONTENT_PLACE_METADATA, buf_slice(&text));
	}
	buf_done(&text);
	return rc;
}

/* What a click does: 1 a macro, 2 a program ([MS-PPT] section 2.6.7). */
static enum rc action_take(struct slides *s, struct slice data)
{
	const unsigned action = bytes_u8(data, 8);

	if ((action != 1 && action != 2) || s->found[action])
		return RC_OK;
	s->found[action] = true;
	return ole_office_fact(s->o, CONTENT_FACT_OFFICE_ACTION, action == 1 ? SLICE("macro") : SLICE("program"));
}

static enum rc record_read(struct slides *s, size_t at, struct slice head, struct slice data)
{
	const unsigned instance = bytes_u16(head, 0) >> 4;

	switch (bytes_u16(head, 2)) {
	case RECORD_TEXT_CHARS:
		ole_put_utf16(data, &s->text);
		buf_put_byte(&s->text, '\n');
		return RC_OK;
	case RECORD_TEXT_BYTES:
		ole_put_codepage(1252, data, &s->text);
		buf_put_byte(&s->text, '\n');
		return RC_OK;
	case RECORD_CSTRING:
		return string_take(s, at, instance, data);
	case RECORD_HYPERLINK:
		s->hyperlink_end = at + HEAD_BYTES + bytes_u32(head, 4);
		return RC_OK;
	case RECORD_INTERACTIVE:
		return action_take(s, data);
	case RECORD_OBJECT:
		return object_take(s, instance, data);
	default:
		return RC_OK;
	}
}

enum rc ole_powerpoint_read(const struct ole_office *o, uint32_t index)
{
	struct slides s = { .o = o, .text = buf_make(OLE_TEXT_MAX) };
	struct slice  stream;
	bool          whole;
	enum rc       rc = ole_stream(o->ole, index, o->budget, o->arena, &stream, &whole);

	for (size_t at = 0; rc == RC_OK && at + HEAD_BYTES <= stream.len;) {
		const struct slice head = slice_cut(stream, at, HEAD_BYTES);
		const bool         container = (head.ptr[0] & 0x0f) == 0x0f;
		const size_t       size = bytes_u32(head, 4);
		/* The interactive atom is all that is read of a container's first child; it is no container itself. */
		rc = record_read(&s, at, head,
		                 container ? (struct slice){ NULL, 0 } : slice_cut(stream, at + HEAD_BYTES, size));
		if (s.text.failed)
			rc = RC_LIMIT;
		at += HEAD_BYTES + (container ? 0 : size);
	}
	if (rc == RC_OK || rc == RC_LIMIT) {
		const enum rc told = sink_text(o->sink, CONTENT_PLACE_BODY, buf_slice(&s.text));
		rc = told == RC_OK ? rc : told;
	}
	buf_done(&s.text);
	return rc;
}
