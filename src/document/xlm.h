/*
 * Excel 4 macros: formulas as stored in workbooks of Excel 5, 97 and 2007 (binary), as text; and what such formulas do.
 * Source: [MS-XLS] section 2.5.198 (parsed expressions), [MS-XLSB] section 2.2.2.
 */
#ifndef DOCUMENT_XLM_H
#define DOCUMENT_XLM_H

#include "base/buf.h"
#include "content/sink.h"

enum xlm_form { XLM_EXCEL5, XLM_EXCEL97, XLM_EXCEL2007 };

#define XLM_FORMULA_MAX 8192u      /* bytes of one formula as text; the rest is left out */
#define XLM_DEPTH_MAX   256u       /* operands that wait for their operator */
#define XLM_SHEET_MAX   (4u << 20) /* bytes of all formulas of a workbook */

/*
 * One parsed expression as text, appended to `out` in the way that Excel shows it, as far as it can be told without the
 * rest of the workbook: names and sheets are numbers. What cannot be read ends the formula. Steps are charged for what
 * is moved: RC_LIMIT when there are none left.
 */
MUST_CHECK enum rc xlm_formula(struct slice tokens, enum xlm_form form, struct budget *budget, struct buf *out);

/*
 * All formulas of a macro sheet, one a line, UTF-8: told as a member with CONTENT_MEMBER_SCRIPT, and what they call as
 * facts macro.*. RC_LIMIT, RC_NOMEM, or what the sink returned.
 */
MUST_CHECK enum rc xlm_sheet(struct slice formulas, struct budget *budget, const struct content_sink *sink);

/* Whether a defined name is one that runs by itself: "Auto_Open" and all that begins with it, in any case. */
bool xlm_name_runs(struct slice name);

#endif
