/*
 * What bytes are, told by the bytes themselves: magic numbers, the members of containers, and the words of scripts and
 * markup. A file can be several things at once (a picture with an archive behind it, a program that is a zip); all of
 * them are told, in the order in which they begin. Then how that agrees with the file's name and its label.
 *
 * No byte is trusted: a magic number makes a file of that kind only for those who would open it as such. What costs more
 * than a look at fixed places is bounded by the SNIFF_x_MAX below; the worst case is one pass over the file for each of
 * a fixed number of words.
 */
#ifndef CONTENT_SNIFF_H
#define CONTENT_SNIFF_H

#include <stdbool.h>

#include "content/kind.h"

#define SNIFF_HITS_MAX   8u
#define SNIFF_TEXT_MAX   32768u   /* bytes of a text that are looked at for the words of scripts */
#define SNIFF_SEARCH_MAX 67108864u /* bytes of a file that are searched for archives behind something else */
#define SNIFF_ZIP_NAMES  4096u    /* names of a zip that are looked at for what the zip is */

struct sniff_hit {
	enum kind kind;
	size_t    at; /* where it begins */
};

/* How content, name and label disagree. */
#define SNIFF_ODD_NAME       1u   /* the content is of another class than the name says */
#define SNIFF_ODD_LABEL      2u   /* the content is of another class than the label says */
#define SNIFF_ODD_PROGRAM    4u   /* it is a program or script, and the name says it is not */
#define SNIFF_ODD_DOUBLE     8u   /* "invoice.pdf.exe": an extension that runs behind one that does not */
#define SNIFF_ODD_BIDI       16u  /* characters in the name turn its direction: "cod.exe" shown as "exe.doc" */
#define SNIFF_ODD_BLANKS     32u  /* blanks push the extension out of sight */
#define SNIFF_ODD_TRAILING   64u  /* dots or blanks at the end of the name, which Windows drops */
#define SNIFF_ODD_RUNS       128u /* the name makes it run when it is opened */
#define SNIFF_ODD_BLOCKED    256u /* the name is on Outlook's list of blocked ones */
#define SNIFF_ODD_POLYGLOT   512u /* several kinds at once, of different classes */
#define SNIFF_ODD_CONTROL    1024u /* the name holds control or zero-width characters */
#define SNIFF_ODD_NAME_LABEL 2048u /* the name and the label say different classes */

struct sniff {
	struct sniff_hit hits[SNIFF_HITS_MAX]; /* at least one; the first is what most readers take it for */
	size_t           count;
	enum kind        by_name;  /* KIND_UNKNOWN: the name says nothing */
	enum kind        by_label; /* KIND_UNKNOWN: the label says nothing ("application/octet-stream" says nothing) */
	unsigned         runs;     /* KIND_NAME_x of the name */
	uint32_t         odd;      /* SNIFF_ODD_x */
};

/* Sets hits and count only; the rest as if there were neither name nor label. Never fails. */
void sniff_content(struct slice bytes, struct sniff *out);

/* sniff_content(), and what `name` (UTF-8 or any bytes) and `label` (a media type without parameters) say; both may be empty. */
void sniff(struct slice bytes, struct slice name, struct slice label, struct sniff *out);

bool sniff_is(const struct sniff *s, enum kind kind);
/* Where that kind begins; 0 when it is not there. */
size_t sniff_where(const struct sniff *s, enum kind kind);

/* "odd_name" for one of SNIFF_ODD_x; NULL for other numbers. */
const char *sniff_odd_word(uint32_t odd);

/* The kind of a text: markup, mail, scripts by shebang and by their words, else KIND_TEXT; KIND_UNKNOWN when it is no text. */
enum kind sniff_text(struct slice bytes);

#endif
