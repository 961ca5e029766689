/*
 * TNEF, the "winmail.dat" of Outlook and Exchange: [MS-OXTNEF]. Subject, sender and recipients, bodies (plain, HTML,
 * compressed RTF and the HTML in it), attachments with their names, messages in messages as members of their own. Attributes
 * are read whatever order they stand in and whatever their checksums say, as its readers do.
 */
#ifndef DOCUMENT_TNEF_H
#define DOCUMENT_TNEF_H

#include "content/sink.h"

#define TNEF_ATTRIBUTES_MAX 65536u
#define TNEF_PROPERTIES_MAX 65536u /* of one message or attachment */

bool tnef_is(struct slice bytes);

/*
 * Read `bytes`. RC_SYNTAX: no signature. RC_LIMIT, RC_NOMEM, or what the sink returned: told until then. A broken end is the
 * fact content.damaged, and a wrong checksum does not matter. Linear.
 */
MUST_CHECK enum rc tnef_open(struct slice bytes, struct budget *budget, const struct content_sink *sink);

#endif
