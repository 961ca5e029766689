/*
 * Visual Basic projects in compound files: source text of every module, and what is compiled without its source.
 * Source: [MS-OVBA].
 *
 * The project's directory says which streams hold modules and where in them the packed source begins. It is not
 * believed: where it is damaged, missing or points beside the source, every stream of the storage is searched for packed
 * source as it always begins. What is found is told as members with CONTENT_MEMBER_SCRIPT, and read by vba_marks().
 */
#ifndef DOCUMENT_VBA_H
#define DOCUMENT_VBA_H

#include "base/buf.h"
#include "content/sink.h"
#include "document/ole.h"

#define VBA_MODULES_MAX      1024u
#define VBA_SOURCE_BYTES_MAX (4u << 20) /* of one module, unpacked */

/*
 * Unpack a compressed container ([MS-OVBA] section 2.4.1) from the beginning of `packed` into `out`. Reading ends at the
 * first chunk that is none, which is what ends a container that stands before other bytes; *damaged is set when a chunk
 * did not make sense in itself. Charges BUDGET_STEPS and BUDGET_BYTES.
 *
 * RC_SYNTAX  no container begins here: `out` is as it was.
 * RC_LIMIT   the budget, or the bound of `out`: it holds what came until then.
 */
MUST_CHECK enum rc vba_unpack(struct slice packed, struct budget *budget, struct buf *out, bool *damaged);

/*
 * Read the project whose modules lie in `storage` (the one called "VBA"). RC_OK also when nothing made sense; RC_LIMIT,
 * RC_NOMEM; or what the sink returned.
 */
MUST_CHECK enum rc vba_project(const struct ole *ole, uint32_t storage, struct budget *budget, struct arena *arena,
                               const struct content_sink *sink);

#endif
