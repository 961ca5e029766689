/*
 * What the reader's files share: read.c (the walk), read_text.c (streams of text), read_element.c (styles of an
 * element, its tables), read_link.c (addresses), read_inner.c (scripts, data:, pages in the page), read_form.c.
 */
#ifndef HTML_READ_PART_H
#define HTML_READ_PART_H

#include "html/read.h"
#include "html/script.h"
#include "html/sheet.h"
#include "html/tree.h"

#define STREAM_BYTES   4096u
#define TOKEN_BYTES    (256u << 10) /* names and values of one tag with references or line ends */
#define DRAWING_BYTES  (48u << 10)
#define TABLES_MAX     4u /* in each other whose cells are looked at */
#define FACT_EACH_MAX  32u   /* of one kind; further ones are not told */
#define ADDRESS_MAX    4096u /* bytes of an address that are kept while its link is open */

/* Text on its way out: blanks collapsed, one place at a time. */
struct stream {
	enum html_place place;
	uint32_t        hidden, some, flags;
	bool            space, any;
	uint8_t         mark;  /* '\n' or '\t' that stands before the next text, or 0 */
	size_t          size;
	uint8_t         text[STREAM_BYTES];
};

struct open_link {
	uint32_t         serial; /* 0: none is open */
	struct html_link link;
	bool             space;
	size_t           text_size, address_size, title_size;
	uint8_t          text[HTML_LINK_TEXT_MAX], address[ADDRESS_MAX], title[256];
};

struct open_table {
	struct html_cells cells;
	unsigned          x;         /* the next column */
	unsigned          count;     /* cells */
	unsigned          with_text; /* cells with text in them */
	unsigned          cell_x, cell_width;
	bool              in_row, in_cell, cell_text;
};

struct inner {
	struct slice page;
	unsigned     depth;
	uint32_t     hidden, some;
};

struct html_reader {
	const struct html_sink *sink;
	struct html_options     options;
	struct arena           *arena;
	uint64_t               *steps;
	struct html_summary    *summary;
	enum rc                 rc; /* what a sink said */
	uint8_t                 told[HTML_FACTS]; /* how often, up to FACT_EACH_MAX */

	struct inner      inner[HTML_INNER_MAX];
	size_t            inner_count;
	unsigned          depth; /* of the page being read */
	struct slice      page, base;
	uint32_t          link_colour;
	bool              link_coloured;
	size_t            raw_start;   /* where the text of the open raw element begins */
	enum html_element raw_element; /* HTML_ELEMENT_OTHER: none is open */

	struct html_form  form;
	bool              form_open;
	uint8_t           form_text[ADDRESS_MAX];
	struct open_link  link;
	struct stream     seen, unseen;
	struct open_table tables[TABLES_MAX];
	size_t            table_depth; /* may be more than TABLES_MAX */
	bool              drawing;
	size_t            drawing_size;
	uint8_t           drawing_text[DRAWING_BYTES];

	struct html_sheet     sheet;
	struct html_tree      tree;
	struct html_tokenizer tokenizer;
	struct arena          token_arena;
	uint8_t               token_bytes[TOKEN_BYTES];
};

/* read.c: what the sink is told. Each sets r->rc when the sink wants no more. */
void reader_fact(struct html_reader *r, enum html_fact fact, struct slice evidence);
void reader_fact_once(struct html_reader *r, enum html_fact fact, struct slice evidence);
void reader_cut(struct html_reader *r, struct slice which);
void reader_link(struct html_reader *r, const struct html_link *link);
/* A copy that lives as long as the page; the empty slice when the arena is full, which is told. */
struct slice reader_keep(struct html_reader *r, struct slice s);

/* read_text.c */
void reader_text(struct html_reader *r, const struct html_look *look, uint32_t link, struct slice text);
void reader_mark(struct html_reader *r, const struct html_look *look, uint8_t mark);
void reader_label(struct html_reader *r, enum html_place place, struct slice text);
void reader_streams_flush(struct html_reader *r);
void reader_drawing_end(struct html_reader *r);

/* read_element.c: styles of a start tag into `item`; tables. */
void reader_style(struct html_reader *r, const struct html_token *token, struct html_open *item);
void reader_table_start(struct html_reader *r);
void reader_table_end(struct html_reader *r);
void reader_row(struct html_reader *r);
void reader_cell(struct html_reader *r, const struct html_token *token, const struct html_look *look);
void reader_cell_end(struct html_reader *r);
void reader_cell_inside(struct html_reader *r, const struct html_look *look);

/* read_link.c */
void reader_attributes(struct html_reader *r, const struct html_token *token, struct html_open *item);
void reader_link_flush(struct html_reader *r);
void reader_style_url(void *context, struct slice address);
void reader_style_script(void *context, struct slice text);

/* read_form.c */
void reader_form_start(struct html_reader *r, const struct html_token *token);
void reader_form_input(struct html_reader *r, const struct html_token *token);
void reader_form_end(struct html_reader *r);

/* read_inner.c */
void reader_script(struct html_reader *r, enum html_script_place place, struct slice source);
void reader_comment(struct html_reader *r, const struct html_token *token);
void reader_data_url(struct html_reader *r, struct slice address, const struct html_link *link);
/* Text that may hold tags with scripts: read as a hidden page where it does. */
void reader_markup(struct html_reader *r, struct slice text);
void reader_inner_add(struct html_reader *r, struct slice page, uint32_t hidden, uint32_t some);

enum scheme { SCHEME_NONE, SCHEME_SCRIPT, SCHEME_DATA, SCHEME_BLOB, SCHEME_REMOTE, SCHEME_OTHER };

/* What an address begins with, as browsers read it: blanks and controls in front and tabs and line ends inside do not count. */
enum scheme reader_scheme(struct slice address);

#endif
