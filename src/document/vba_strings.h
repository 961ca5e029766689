/*
 * Strings of scripts: constants that are computed, codings that are undone one level deep, addresses.
 */
#ifndef DOCUMENT_VBA_STRINGS_H
#define DOCUMENT_VBA_STRINGS_H

#include "content/sink.h"

/* A number at the front of *rest, decimal or &H...; moves *rest past it. False: none stands there. */
bool vba_strings_number(struct slice *rest, uint32_t *out);

/* Numbers with + - * Xor between them, from left to right; moves *rest past them. */
bool vba_strings_sum(struct slice *rest, uint32_t *out);

/* Nine bytes of ten are printable ASCII or blanks, none is NUL. */
bool vba_strings_printable(struct slice text);

/* Tell the sink every address in `text`: with a scheme that fetches, or a share on another machine. */
MUST_CHECK enum rc vba_strings_links(struct slice text, const struct content_sink *sink);

/*
 * What the words of `text` are a coding of: hexadecimal and base64 that give readable text (also UTF-16, as PowerShell
 * takes it) are handed to `decoded`, with how they were written; programs and containers become a member.
 * RC_LIMIT, RC_NOMEM, or what was returned by those called.
 */
MUST_CHECK enum rc vba_strings_decode(struct slice text, struct budget *budget, const struct content_sink *sink,
                                      enum rc (*decoded)(void *context, const char *how, struct slice text),
                                      void *context);

#endif
