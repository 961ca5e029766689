/*
 * The window of folded characters that the files find*.c share, and what they do with it.
 */
#ifndef LINK_FIND_INSIDE_H
#define LINK_FIND_INSIDE_H

#include "link/find.h"
#include "link/writer.h"

#define WINDOW_CHARACTERS 8192u
/* What stays in the window before a place of interest, for looking back. */
#define WINDOW_BACK       512u
/* Characters of a host with its disguises undone. */
#define HOST_CHARACTERS   300u

#define CHARACTER     0x1fffffu  /* the code point, folded: full-width forms to ASCII */
#define WAS_WIDE      (1u << 31) /* ... from a full-width form */
#define WAS_STOP      (1u << 30) /* a "." that was an ideographic full stop */
#define HAD_INVISIBLE (1u << 29) /* characters without width stood before it */

struct link_finder {
	struct slice              text;
	const struct suffix_list *list;
	size_t                    at;    /* bytes that are done with */
	size_t                    floor; /* where the last find ended: no later one begins before */
	size_t                    from;  /* the window: bytes [from, to) of text */
	size_t                    to;
	size_t                    count; /* characters in it */
	uint32_t                 *character;
	uint32_t                 *offset; /* of each in the window, and one behind the last */
	bool                      has_longer;
	struct link_found         longer; /* the second reading of what was found last */
};

/* The folded code point at `index`, or 0 outside the window; 0 is no character of a link. */
static inline uint32_t at(const struct link_finder *f, size_t index)
{
	return index < f->count ? f->character[index] & CHARACTER : 0;
}

static inline bool is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_letter(uint32_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 0x80;
}

static inline bool is_alnum(uint32_t c)
{
	return is_digit(c) || is_letter(c);
}

static inline bool is_blank(uint32_t c)
{
	return c == ' ' || c == '\t' || c == 0xa0 || c == 0x3000;
}

static inline bool is_line_end(uint32_t c)
{
	return c == '\r' || c == '\n';
}

/* Han, Kana, Hangul, Bopomofo: scripts written without spaces, or that glue particles to words. */
bool is_cjk(uint32_t c);
/* Ends any link: controls, spaces, quotes and brackets of typography, CJK punctuation. */
bool is_terminator(uint32_t c);
/* May stand in a label: letters, digits, "-", "_", and what is no terminator outside ASCII. */
bool is_host_character(uint32_t c);

/* The place in the text of the window's character. */
static inline size_t place_of(const struct link_finder *f, size_t index)
{
	return f->from + f->offset[index < f->count ? index : f->count];
}

/* A host as written, its disguises undone. */
struct host {
	uint32_t text[HOST_CHARACTERS];
	size_t   count;
	size_t   last; /* where the last label begins in `text` */
	size_t   labels;
	size_t   end;    /* index in the window behind it */
	uint32_t flags;  /* LINK_x */
	bool     broken; /* two dots in a row, or too long */
	bool     number; /* four decimal numbers up to 255 */
};

/*
 * How many characters a dot takes at `index`: 1 for a plain one, more for "[.]" and " dot ", 0: there is none. Adds
 * LINK_x. `spaced`: a dot with spaces around it counts too.
 */
size_t dot_at(const struct link_finder *f, size_t index, bool spaced, uint32_t *flags);

/* Read a host forward from `index`. */
void host_read(const struct link_finder *f, size_t index, bool spaced, struct host *out);

/* The last label is one that a registry has. */
bool host_is_listed(const struct link_finder *f, const struct host *host);

/* Labels have no hyphen at an end, and no underscore where one registers. */
bool host_is_sound(const struct host *host);

/* Where the label that ends before `index` begins, not before `least`. */
size_t label_start(const struct link_finder *f, size_t index, size_t least);

/* Where the path, query and fragment that begin at `index` end; *longer is the other end, or the same. */
size_t tail_end(const struct link_finder *f, size_t index, bool wide, size_t *longer);

/* From where a folded link goes on behind the line end at `index`, or 0. */
size_t fold_at(const struct link_finder *f, size_t index);

#endif
