/*
 * The open elements (HTML 13.2.4.2) and the formatting elements that are opened again (13.2.4.3): no tree is kept, only
 * the way from the root to where the reader stands, at most HTML_DEPTH_MAX deep.
 *
 * Of tree construction (13.2.6) it does what decides who is inside of whom: implied ends, scopes, tables, misnested
 * formatting, SVG and MathML. It opens no html, head and body by itself. Each step costs at most the depth.
 */
#ifndef HTML_TREE_H
#define HTML_TREE_H

#include "html/style.h"
#include "html/tokenizer.h"

#define HTML_DEPTH_MAX      512u /* deeper elements become siblings, as in the browsers */
#define HTML_FORMATTING_MAX 32u  /* the oldest one is forgotten */

#define HTML_SVG  1u
#define HTML_MATH 2u

struct html_open {
	enum html_element   element;
	uint32_t            serial;  /* counts start tags; a formatting element opened again keeps its own */
	uint16_t            parent;  /* whose style it inherits: an index, HTML_DEPTH_MAX for none */
	uint8_t             foreign; /* HTML_SVG, HTML_MATH, or 0 */
	uint32_t            link;    /* serial of the link it stands in, or 0 */
	struct html_subject subject;
	struct html_own     own;
	struct html_look    look;
};

struct html_formatting {
	bool             marker; /* HTML 13.2.4.3: nothing before it is opened again */
	bool             open;   /* is on the stack */
	struct html_open item;
};

struct html_tree {
	size_t                 depth;
	size_t                 formatting_count, formatting_closed;
	uint32_t               serial;
	uint16_t               open[HTML_ELEMENTS]; /* how many of each are open */
	struct html_look       root;
	void                  *context;
	void (*closed)(void *context, const struct html_open *item); /* told of each one that ends */
	struct html_open       items[HTML_DEPTH_MAX];
	struct html_formatting formatting[HTML_FORMATTING_MAX];
	uint8_t                order[HTML_FORMATTING_MAX]; /* indices of `formatting`, the oldest first; the rest are free */
};

/* An empty stack. The tree is large and lies in an arena; only its head is written here. */
void html_tree_init(struct html_tree *tree, void (*closed)(void *context, const struct html_open *item), void *context);

/* Whether the next token is read by the rules for SVG and MathML. */
bool html_tree_foreign(const struct html_tree *tree);

/* Close what the start of `element` ends. False: its tag means nothing here and is left out. */
bool html_tree_before(struct html_tree *tree, const struct html_token *token);

/*
 * The element of a start tag: an item with the style it would have from its parent still to be computed by
 * html_tree_look(); its own part is empty. `foreign` as html_tree_foreign() says behind html_tree_before().
 */
void html_tree_item(struct html_tree *tree, const struct html_token *token, struct html_open *out);

/* Compute out->look from its own part. */
void html_tree_look(const struct html_tree *tree, struct html_open *out);

/* Open it. */
void html_tree_push(struct html_tree *tree, const struct html_open *item);

/* An end tag. */
void html_tree_end(struct html_tree *tree, const struct html_token *token);

/* Open formatting elements again, as is done before text and inline elements. Returns how many. */
size_t html_tree_reopen(struct html_tree *tree);

/* To be called before text: ends a head that is still open. */
void html_tree_text(struct html_tree *tree);

/* The style of text that stands here; text in a table, but in no cell, is shown before the table. */
const struct html_look *html_tree_here(const struct html_tree *tree);

/* The innermost open element, or NULL. */
const struct html_open *html_tree_top(const struct html_tree *tree);

/* Close all that is open. */
void html_tree_close(struct html_tree *tree);

#endif
