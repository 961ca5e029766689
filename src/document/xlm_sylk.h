/*
 * SYLK, a text format of tables that Excel opens, macros and all; and tables of plain text whose cells begin with "=",
 * which it computes.
 */
#ifndef DOCUMENT_XLM_SYLK_H
#define DOCUMENT_XLM_SYLK_H

#include "content/sink.h"

/* Begins with "ID;". */
bool xlm_sylk_is(struct slice file);

/* RC_SYNTAX: not SYLK; nothing was told. RC_LIMIT, RC_NOMEM, or what the sink returned. */
MUST_CHECK enum rc xlm_sylk_open(struct slice file, struct budget *budget, const struct content_sink *sink);

/* Comma-separated values and the like: cells with DDE. RC_LIMIT, or what the sink returned. */
MUST_CHECK enum rc xlm_table_open(struct slice file, struct budget *budget, const struct content_sink *sink);

#endif
