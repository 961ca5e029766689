/* The adapter to libexpat. */
#include "document/ooxml_xml.h"

#include "base/memory.h"

#include <expat.h>
#include <stdalign.h>

/* The parser is fed in pieces, so that an event can stop it soon. */
#define PIECE 65536u
#define HEAD  alignof(max_align_t)

struct reading {
	const struct ooxml_events *events;
	XML_Parser                 parser;
	unsigned                   depth;
	bool                       declared;
	enum rc                    rc;
};

/*
 * What the parser of this thread may still take: libexpat's memory functions have no context. Set for each document.
 */
static _Thread_local size_t memory_left;

/* In front of each piece stands its size. */
static void *take(size_t size)
{
	if (size > memory_left || size + HEAD < size)
		return NULL;
	uint8_t *piece = memory_take(1, size + HEAD);
	if (piece == NULL)
		return NULL;
	memcpy(piece, &size, sizeof size);
	memory_left -= size;
	return piece + HEAD;
}

static void give(void *ptr)
{
	size_t size;

	if (ptr == NULL)
		return;
	uint8_t *piece = (uint8_t *)ptr - HEAD;
	memcpy(&size, piece, sizeof size);
	memory_left += size;
	memory_give(piece);
}

static void *resize(void *ptr, size_t size)
{
	size_t old;

	if (ptr == NULL)
		return take(size);
	memcpy(&old, (uint8_t *)ptr - HEAD, sizeof old);
	if (size > old && (size - old > memory_left || size + HEAD < size))
		return NULL;
	uint8_t *piece = memory_resize((uint8_t *)ptr - HEAD, size + HEAD);
	if (piece == NULL)
		return NULL;
	memory_left = memory_left + old - size;
	memcpy(piece, &size, sizeof size);
	return piece + HEAD;
}

static struct slice without_prefix(const char *name)
{
	const struct slice whole = slice_str(name);
	const size_t       colon = slice_find_last(whole, ':');

	return colon < whole.len ? slice_drop(whole, colon + 1) : whole;
}

struct slice ooxml_attribute(const struct ooxml_attributes *attributes, struct slice name)
{
	for (const char **pair = attributes->pairs; pair[0] != NULL && pair[1] != NULL; pair += 2)
		if (slice_eq(without_prefix(pair[0]), name))
			return slice_str(pair[1]);
	return (struct slice){ NULL, 0 };
}

static void stop(struct reading *r, enum rc rc)
{
	if (rc == RC_OK || r->rc != RC_OK)
		return;
	r->rc = rc;
	(void)XML_StopParser(r->parser, XML_FALSE);
}

static void on_begin(void *context, const char *name, const char **pairs)
{
	struct reading               *r = context;
	const struct ooxml_attributes attributes = { pairs };

	if (r->rc != RC_OK)
		return;
	if (++r->depth > OOXML_XML_DEPTH_MAX)
		stop(r, RC_LIMIT);
	else
		stop(r, r->events->begin(r->events->context, without_prefix(name), &attributes));
}

static void on_end(void *context, const char *name)
{
	struct reading *r = context;

	if (r->rc != RC_OK)
		return;
	r->depth--;
	stop(r, r->events->end(r->events->context, without_prefix(name)));
}

static void on_text(void *context, const char *text, int size)
{
	struct reading *r = context;

	if (r->rc == RC_OK && size > 0)
		stop(r, r->events->text(r->events->context, slice_of(text, (size_t)size)));
}

static void on_declared(void *context, const char *name, const char *system, const char *public, int internal)
{
	struct reading *r = context;

	(void)name, (void)system, (void)public, (void)internal;
	if (r->rc == RC_OK && !r->declared) {
		r->declared = true;
		stop(r, r->events->declared(r->events->context));
	}
}

/* With a default handler set, the parser expands no entity of the document's own; there is nothing to do in it. */
static void on_other(void *context, const char *text, int size)
{
	(void)context, (void)text, (void)size;
}

/* An encoding that the parser does not know: ASCII stays, all else is one unknown character a byte. */
static int on_encoding(void *context, const char *name, XML_Encoding *info)
{
	(void)context, (void)name;
	for (int i = 0; i < 256; i++)
		info->map[i] = i < 0x80 ? i : 0xfffd;
	info->data = NULL;
	info->convert = NULL;
	info->release = NULL;
	return XML_STATUS_OK;
}

static enum rc feed(struct reading *r, struct slice xml)
{
	do {
		const struct slice piece = slice_take(xml, PIECE);
		xml = slice_drop(xml, PIECE);
		if (XML_Parse(r->parser, piece.len == 0 ? "" : (const char *)piece.ptr, (int)piece.len, xml.len == 0) ==
		    XML_STATUS_ERROR) {
			if (r->rc != RC_OK)
				return r->rc;
			return XML_GetErrorCode(r->parser) == XML_ERROR_NO_MEMORY ? RC_LIMIT : RC_SYNTAX;
		}
	} while (xml.len != 0);
	return r->rc;
}

enum rc ooxml_xml_read(struct slice xml, struct budget *budget, const struct ooxml_events *events)
{
	static const XML_Memory_Handling_Suite suite = { take, resize, give };
	struct reading                         r = { .events = events, .rc = RC_OK };

	if (!budget_take(budget, BUDGET_STEPS, xml.len))
		return RC_LIMIT;
	memory_left = OOXML_XML_MEMORY_MAX;
	r.parser = XML_ParserCreate_MM(NULL, &suite, NULL);
	if (r.parser == NULL)
		return RC_NOMEM;
	/* The key of its tables, which it would else ask the system for: where our stack lies, which no message knows. */
	(void)XML_SetHashSalt(r.parser, (unsigned long)((uintptr_t)&r * UINT64_C(0x9e3779b97f4a7c15) | 1));
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_begin, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_declared);
	XML_SetDefaultHandler(r.parser, on_other);
	XML_SetUnknownEncodingHandler(r.parser, on_encoding, NULL);
	const enum rc rc = feed(&r, xml);
	XML_ParserFree(r.parser);
	return rc;
}
