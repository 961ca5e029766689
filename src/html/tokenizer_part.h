/* What the tokenizer's files share: tokenizer.c (text, modes, comments), tokenizer_tag.c, tokenizer_doctype.c. */
#ifndef HTML_TOKENIZER_PART_H
#define HTML_TOKENIZER_PART_H

#include "html/tokenizer.h"

/*
 * A tag whose name begins at input[t->at]. False: the input ends inside it, and t->at means nothing. `out->kind`
 * is set by the caller.
 */
bool html_tag_take(struct html_tokenizer *t, struct html_token *out);

/* A doctype, t->at behind "<!doctype". */
void html_doctype_take(struct html_tokenizer *t, struct html_token *out);

/* What a token's text becomes: */
#define HTML_FOLD_LOWER     1u /* ASCII letters in lower case */
#define HTML_FOLD_LINES     2u /* CR and CRLF are LF */
#define HTML_FOLD_NUL       4u /* NUL is U+FFFD */
#define HTML_FOLD_REFERENCE 8u /* references are undone by the rules of attributes */

/* `s` changed so; in the arena, or as it stands with HTML_TOKEN_FULL set in *flags where that is full. */
struct slice html_fold(struct html_tokenizer *t, struct slice s, unsigned folds, uint32_t *flags);

#endif
