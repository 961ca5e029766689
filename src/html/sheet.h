/*
 * Style sheets: the rules of <style> elements (CSS Syntax 3, Selectors 4) as far as mail uses them. Selectors of
 * elements, classes, ids, "*", descendants (" " and ">") and lists; attribute selectors, siblings and structural
 * pseudo-classes are not followed: a rule that has them is one that some readers may apply. Rules for a medium that is
 * not a screen are left out; rules for some screens only count as for some readers.
 */
#ifndef HTML_SHEET_H
#define HTML_SHEET_H

#include "base/arena.h"
#include "base/rc.h"
#include "html/css.h"
#include "html/names.h"

#define HTML_RULES_MAX     4096u /* selectors; further ones are left out, and the sheet says so */
#define HTML_COMPOUNDS_MAX 8u    /* of one selector; a longer one is left out */
#define HTML_CLASSES_MAX   16u   /* of one element that are compared */
#define HTML_SHEET_DEPTH   8u    /* @media in @media */

/* What selectors ask of an element. Hashes are html_style_hash() of the text. */
struct html_subject {
	uint32_t hash; /* html_name_hash() of the element's name */
	uint32_t class_count;
	uint64_t id; /* 0: none */
	uint64_t classes[HTML_CLASSES_MAX];
};

struct html_value {
	int32_t  number;
	uint8_t  unit;
	uint8_t  set;
	uint16_t unused;
	uint32_t weight;
};

/* The values that won so far for one element, by property. */
struct html_cascade {
	struct html_value values[HTML_PROPERTIES];
};

struct html_rule;

struct html_sheet {
	struct arena     *arena; /* where rules lie */
	struct html_rule *buckets[64], *any;
	size_t            count;
	bool              cut; /* something was left out: HTML_RULES_MAX, or the arena is full */
	struct html_css_sink told; /* whom url() and scripts are told to */
};

/* A hash of a class or id, its ASCII letters without case (as in quirks mode, in which readers show mail). Never 0. */
uint64_t html_style_hash(struct slice text);

/* An empty sheet whose rules will lie in `arena`; `told` hears of every url(), @import and script (declarations: not). */
void html_sheet_init(struct html_sheet *sheet, struct arena *arena, const struct html_css_sink *told);

/* Add the text of a <style>. Takes *steps a byte and stops where there are none left. Linear. */
void html_sheet_add(struct html_sheet *sheet, struct slice text, uint64_t *steps);

/* Element and its ancestors for matching: at(context, 0) is the element, 1 its parent ...; NULL behind the root. */
struct html_family {
	const struct html_subject *(*at)(const void *context, size_t up);
	const void                *context;
};

/*
 * Apply to *out all rules that match, and to *some those that only some readers apply. Takes *steps a rule and an
 * ancestor that are looked at.
 */
void html_sheet_match(const struct html_sheet *sheet, const struct html_family *family, struct html_cascade *out,
                      struct html_cascade *some, bool *some_set, uint64_t *steps);

/* Weights of what is not from a sheet: an attribute such as bgcolor; style="". Importance is added by html_cascade_put(). */
#define HTML_WEIGHT_HINT   0u
#define HTML_WEIGHT_INLINE 0x40000000u

/* Let `declaration` win where its weight is not lower than that of what was there. */
void html_cascade_put(struct html_cascade *cascade, const struct html_declaration *declaration, uint32_t weight);

#endif
