/* What the files of ooxml share; nobody else includes this. */
#ifndef DOCUMENT_OOXML_INSIDE_H
#define DOCUMENT_OOXML_INSIDE_H

#include "base/arena.h"
#include "base/buf.h"
#include "content/sink.h"
#include "document/ooxml.h"
#include "document/ooxml_xml.h"

#define OOXML_FIELDS_MAX 16u

/* An address of a relationship, or a text that names one; joined at the end. */
struct ooxml_link {
	struct slice part; /* without folders and suffix of relationships */
	struct slice id;
	struct slice text; /* the address, or the text that carries it */
};

struct ooxml {
	struct budget             *budget;
	const struct content_sink *sink;
	struct arena               names;
	struct ooxml_link          targets[OOXML_LINKS_MAX], shown[OOXML_LINKS_MAX];
	size_t                     target_count, shown_count;
	struct buf                 formulas; /* of macro sheets */
	bool                       macros, told_entities, told_basic;
};

MUST_CHECK enum rc ooxml_read_xml(struct ooxml *o, struct slice name, struct slice bytes);
MUST_CHECK enum rc ooxml_read_binary(struct ooxml *o, struct slice name, struct slice bytes);

/* One relationship that leads out of the package. */
MUST_CHECK enum rc ooxml_relationship(struct ooxml *o, struct slice part, const struct ooxml_attributes *attributes);

/* A formula of any sheet as text: DDE in it. */
MUST_CHECK enum rc ooxml_formula(struct ooxml *o, struct slice formula);

/* DDE by service and topic. */
MUST_CHECK enum rc ooxml_dde(struct ooxml *o, struct slice service, struct slice topic);

/* Keep a link's end for ooxml_end(); RC_OK also when there is no room: *kept tells. */
void ooxml_keep(struct ooxml *o, struct ooxml_link *list, size_t *count, struct slice part, struct slice id,
                struct slice text, bool *kept);

#endif
