/*
 * What a macro's source does, as far as its words say: names that run by themselves, calls that start, fetch or write
 * something, strings that are put together or coded. Words come from one table, vba_marks.c. Text is read once, in
 * linear time; strings that are joined or decoded are read again, one level deep.
 *
 * It serves Visual Basic of Office, VBScript, and the Basic of OpenDocument files alike.
 */
#ifndef DOCUMENT_VBA_MARKS_H
#define DOCUMENT_VBA_MARKS_H

#include "content/sink.h"

#define VBA_STRING_MAX 65536u /* bytes of one string put together; the rest of a longer one is not looked at */

/*
 * Read `source` (UTF-8) and tell the sink: facts macro.* with the word as evidence, each word once; strings that were
 * joined or decoded as text, and addresses in strings as links, both with CONTENT_PLACE_SCRIPT.
 *
 * RC_LIMIT   BUDGET_STEPS or BUDGET_BYTES is used up.
 * RC_NOMEM, or what the sink returned.
 */
MUST_CHECK enum rc vba_marks(struct slice source, struct budget *budget, const struct content_sink *sink);

/*
 * Words in compiled macros that `source` does not have, though they stand in the table as ones that run by themselves or
 * start something: the source is not what runs. Gives the first of them, or the empty slice.
 */
struct slice vba_marks_missing(struct slice compiled, struct slice source);

#endif
