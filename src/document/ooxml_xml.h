/*
 * Reading XML: the adapter to libexpat. Names come without their prefix, entities are never expanded, nothing is
 * fetched, depth and memory are bounded.
 */
#ifndef DOCUMENT_OOXML_XML_H
#define DOCUMENT_OOXML_XML_H

#include "content/budget.h"
#include "base/rc.h"
#include "base/slice.h"

#define OOXML_XML_DEPTH_MAX  1024u
#define OOXML_XML_MEMORY_MAX (32u << 20) /* what the parser itself may hold */

struct ooxml_attributes {
	const char **pairs; /* name, value, ..., NULL; as the parser has them */
};

/* The value of the attribute with this name, whatever its prefix; empty when there is none. */
struct slice ooxml_attribute(const struct ooxml_attributes *attributes, struct slice name);

struct ooxml_events {
	void *context;
	/* RC_OK: go on; else reading stops and returns it. `name` without its prefix. */
	enum rc (*begin)(void *context, struct slice name, const struct ooxml_attributes *attributes);
	enum rc (*end)(void *context, struct slice name);
	enum rc (*text)(void *context, struct slice text);
	/* A document type or an entity is declared; at most once. */
	enum rc (*declared)(void *context);
};

/*
 * RC_OK       read to the end.
 * RC_SYNTAX   it is not well formed: what came before has been told.
 * RC_LIMIT    depth, memory or BUDGET_STEPS: likewise.
 * RC_NOMEM, or what an event returned.
 */
MUST_CHECK enum rc ooxml_xml_read(struct slice xml, struct budget *budget, const struct ooxml_events *events);

#endif
