/* The stack and its rules. Searches go down from the top and stop at the scope's barrier. */
#include "html/tree.h"

#include "base/must.h"

#define NOWHERE SIZE_MAX

void html_tree_init(struct html_tree *tree, void (*closed)(void *context, const struct html_open *item), void *context)
{
	tree->depth = tree->formatting_count = tree->formatting_closed = 0;
	tree->serial = 0;
	memset(tree->open, 0, sizeof tree->open);
	for (size_t i = 0; i < HTML_FORMATTING_MAX; i++)
		tree->order[i] = (uint8_t)i;
	tree->root = html_look_start();
	tree->closed = closed;
	tree->context = context;
}

const struct html_open *html_tree_top(const struct html_tree *tree)
{
	return tree->depth != 0 ? &tree->items[tree->depth - 1] : NULL;
}

static enum html_element top_element(const struct html_tree *tree)
{
	return tree->depth != 0 ? tree->items[tree->depth - 1].element : HTML_ELEMENT_OTHER;
}

/* HTML 13.2.6 "integration points": HTML again inside SVG and MathML. */
static bool is_integration(const struct html_open *item)
{
	const enum html_element element = item->element;

	if (item->foreign == HTML_SVG)
		return element == HTML_ELEMENT_FOREIGNOBJECT || element == HTML_ELEMENT_DESC || element == HTML_ELEMENT_TITLE;
	return element == HTML_ELEMENT_MI || element == HTML_ELEMENT_MO || element == HTML_ELEMENT_MN ||
	       element == HTML_ELEMENT_MS || element == HTML_ELEMENT_MTEXT;
}

bool html_tree_foreign(const struct html_tree *tree)
{
	const struct html_open *top = html_tree_top(tree);

	return top != NULL && top->foreign != 0 && !is_integration(top);
}

/* The formatting element at `place` in the list. */
static struct html_formatting *formatting_at(struct html_tree *tree, size_t place)
{
	return &tree->formatting[tree->order[place]];
}

static void formatting_closed(struct html_tree *tree, uint32_t serial)
{
	for (size_t i = tree->formatting_count; i-- != 0;) {
		struct html_formatting *entry = formatting_at(tree, i);
		if (!entry->marker && entry->item.serial == serial && entry->open) {
			entry->open = false;
			tree->formatting_closed++;
			return;
		}
	}
}

static void formatting_remove(struct html_tree *tree, size_t place)
{
	const uint8_t slot = tree->order[place];

	if (!tree->formatting[slot].marker && !tree->formatting[slot].open)
		tree->formatting_closed--;
	memmove(&tree->order[place], &tree->order[place + 1], tree->formatting_count - place - 1);
	tree->order[--tree->formatting_count] = slot;
}

static void formatting_clear_to_marker(struct html_tree *tree)
{
	while (tree->formatting_count != 0) {
		const bool marker = formatting_at(tree, tree->formatting_count - 1)->marker;
		formatting_remove(tree, tree->formatting_count - 1);
		if (marker)
			return;
	}
}

static bool sets_marker(enum html_element element)
{
	return element == HTML_ELEMENT_TD || element == HTML_ELEMENT_TH || element == HTML_ELEMENT_CAPTION ||
	       element == HTML_ELEMENT_APPLET || element == HTML_ELEMENT_MARQUEE || element == HTML_ELEMENT_OBJECT ||
	       element == HTML_ELEMENT_TEMPLATE;
}

static void pop(struct html_tree *tree)
{
	must(tree->depth != 0);
	const struct html_open *item = &tree->items[tree->depth - 1];
	tree->open[item->element]--;
	tree->closed(tree->context, item);
	tree->depth--;
	if (item->foreign == 0 && (html_element_flags(item->element) & HTML_FORMAT) != 0)
		formatting_closed(tree, item->serial);
	if (item->foreign == 0 && sets_marker(item->element))
		formatting_clear_to_marker(tree);
}

static void pop_to(struct html_tree *tree, size_t depth)
{
	while (tree->depth > depth)
		pop(tree);
}

void html_tree_close(struct html_tree *tree)
{
	pop_to(tree, 0);
}

enum scope { SCOPE_ANY, SCOPE_BUTTON, SCOPE_LIST, SCOPE_TABLE };

static bool is_barrier(const struct html_open *item, enum scope scope)
{
	const enum html_element element = item->element;

	if (scope == SCOPE_TABLE)
		return element == HTML_ELEMENT_TABLE || element == HTML_ELEMENT_TEMPLATE || element == HTML_ELEMENT_HTML;
	if ((html_element_flags(element) & HTML_SCOPE) != 0)
		return true;
	if (scope == SCOPE_BUTTON)
		return element == HTML_ELEMENT_BUTTON;
	return scope == SCOPE_LIST && (element == HTML_ELEMENT_OL || element == HTML_ELEMENT_UL);
}

/* The index of the innermost open `element` within a scope, or NOWHERE. */
static size_t scope_find(const struct html_tree *tree, enum html_element element, enum scope scope)
{
	if (tree->open[element] == 0)
		return NOWHERE;
	for (size_t i = tree->depth; i-- != 0;) {
		if (tree->items[i].element == element)
			return i;
		if (is_barrier(&tree->items[i], scope))
			return NOWHERE;
	}
	return NOWHERE;
}

static void close_in_scope(struct html_tree *tree, enum html_element element, enum scope scope)
{
	const size_t index = scope_find(tree, element, scope);

	if (index != NOWHERE)
		pop_to(tree, index);
}

static bool is_heading(enum html_element element)
{
	return element >= HTML_ELEMENT_H1 && element <= HTML_ELEMENT_H6;
}

/* <li> ends the li before it, <dt> and <dd> each other (13.2.6.4.7): up to a special element other than div, p, address. */
static void close_item(struct html_tree *tree, enum html_element one, enum html_element two)
{
	if (tree->open[one] == 0 && tree->open[two] == 0)
		return;
	for (size_t i = tree->depth; i-- != 0;) {
		const enum html_element element = tree->items[i].element;
		if (element == one || element == two) {
			pop_to(tree, i);
			return;
		}
		if ((html_element_flags(element) & HTML_SPECIAL) != 0 && element != HTML_ELEMENT_ADDRESS &&
		    element != HTML_ELEMENT_DIV && element != HTML_ELEMENT_P)
			return;
	}
}

static bool is_table_part(enum html_element element)
{
	return element == HTML_ELEMENT_TABLE || element == HTML_ELEMENT_TBODY || element == HTML_ELEMENT_THEAD ||
	       element == HTML_ELEMENT_TFOOT || element == HTML_ELEMENT_TR;
}

/* Rows and cells: close up to what may hold them. False: no table is open. */
static bool table_before(struct html_tree *tree, enum html_element element)
{
	if (tree->open[HTML_ELEMENT_TABLE] == 0)
		return false;
	const bool is_cell = element == HTML_ELEMENT_TD || element == HTML_ELEMENT_TH;
	const bool is_row = element == HTML_ELEMENT_TR;
	while (tree->depth != 0) {
		const enum html_element top = top_element(tree);
		if (top == HTML_ELEMENT_TABLE || top == HTML_ELEMENT_TEMPLATE || ((is_cell || is_row) && is_table_part(top) &&
		                                                                  (is_cell || top != HTML_ELEMENT_TR)))
			break;
		pop(tree);
	}
	return true;
}

static bool is_head_content(enum html_element element)
{
	switch ((unsigned)element) {
	case HTML_ELEMENT_BASE:
	case HTML_ELEMENT_BASEFONT:
	case HTML_ELEMENT_BGSOUND:
	case HTML_ELEMENT_LINK:
	case HTML_ELEMENT_META:
	case HTML_ELEMENT_TITLE:
	case HTML_ELEMENT_STYLE:
	case HTML_ELEMENT_SCRIPT:
	case HTML_ELEMENT_NOSCRIPT:
	case HTML_ELEMENT_NOFRAMES:
	case HTML_ELEMENT_TEMPLATE:
	case HTML_ELEMENT_XML:
		return true;
	default:
		return false;
	}
}

void html_tree_text(struct html_tree *tree)
{
	if (tree->depth != 0 && top_element(tree) == HTML_ELEMENT_HEAD)
		pop(tree);
}

/* An end tag of a formatting element, or <a> in <a> (13.2.6.4.7, "adoption agency"), without its copies. */
static bool formatting_end(struct html_tree *tree, enum html_element element);

/* SVG and MathML end where HTML begins that cannot be in them (13.2.6.5). */
static void foreign_leave(struct html_tree *tree, const struct html_token *token)
{
	const bool font = token->element == HTML_ELEMENT_FONT &&
	                  (html_token_attribute(token, HTML_ATTRIBUTE_COLOR) != NULL ||
	                   html_token_attribute(token, HTML_ATTRIBUTE_FACE) != NULL ||
	                   html_token_attribute(token, HTML_ATTRIBUTE_SIZE) != NULL);

	if (font || (html_element_flags(token->element) & HTML_BREAKS) != 0) {
		while (html_tree_foreign(tree))
			pop(tree);
	}
}

static bool html_before(struct html_tree *tree, enum html_element element)
{
	const unsigned flags = html_element_flags(element);

	if (top_element(tree) == HTML_ELEMENT_HEAD && !is_head_content(element))
		pop(tree);
	if ((flags & HTML_CLOSE_P) != 0)
		close_in_scope(tree, HTML_ELEMENT_P, SCOPE_BUTTON);
	if (is_heading(element) && is_heading(top_element(tree)))
		pop(tree);
	switch ((unsigned)element) {
	case HTML_ELEMENT_LI:
		close_item(tree, HTML_ELEMENT_LI, HTML_ELEMENT_LI);
		return true;
	case HTML_ELEMENT_DD:
	case HTML_ELEMENT_DT:
		close_item(tree, HTML_ELEMENT_DD, HTML_ELEMENT_DT);
		return true;
	case HTML_ELEMENT_OPTGROUP:
	case HTML_ELEMENT_OPTION:
		if (top_element(tree) == HTML_ELEMENT_OPTION)
			pop(tree);
		return true;
	case HTML_ELEMENT_CAPTION:
	case HTML_ELEMENT_COLGROUP:
	case HTML_ELEMENT_COL:
	case HTML_ELEMENT_TBODY:
	case HTML_ELEMENT_THEAD:
	case HTML_ELEMENT_TFOOT:
	case HTML_ELEMENT_TR:
	case HTML_ELEMENT_TD:
	case HTML_ELEMENT_TH:
		return table_before(tree, element);
	case HTML_ELEMENT_TABLE:
		/* A table right in a table ends it (13.2.6.4.9). */
		if (is_table_part(top_element(tree)))
			close_in_scope(tree, HTML_ELEMENT_TABLE, SCOPE_TABLE);
		return true;
	case HTML_ELEMENT_BUTTON:
		close_in_scope(tree, HTML_ELEMENT_BUTTON, SCOPE_ANY);
		return true;
	case HTML_ELEMENT_A:
	case HTML_ELEMENT_NOBR:
		(void)formatting_end(tree, element);
		return true;
	case HTML_ELEMENT_FORM:
		return tree->open[HTML_ELEMENT_FORM] == 0;
	case HTML_ELEMENT_HTML:
	case HTML_ELEMENT_BODY:
	case HTML_ELEMENT_HEAD:
		return tree->open[element] == 0;
	default:
		return true;
	}
}

bool html_tree_before(struct html_tree *tree, const struct html_token *token)
{
	if (html_tree_foreign(tree))
		foreign_leave(tree, token);
	if (html_tree_foreign(tree))
		return true;
	return html_before(tree, token->element);
}

/* Below which open table content of it is shown that is no row: the index of the parent, HTML_DEPTH_MAX for none. */
static uint16_t foster_parent(const struct html_tree *tree)
{
	size_t index = tree->depth;

	while (index-- != 0) {
		if (tree->items[index].element == HTML_ELEMENT_TABLE)
			return tree->items[index].parent;
	}
	return (uint16_t)HTML_DEPTH_MAX;
}

static bool is_fostered(const struct html_tree *tree, enum html_element element)
{
	if (!is_table_part(top_element(tree)))
		return false;
	switch ((unsigned)element) {
	case HTML_ELEMENT_TBODY:
	case HTML_ELEMENT_THEAD:
	case HTML_ELEMENT_TFOOT:
	case HTML_ELEMENT_TR:
	case HTML_ELEMENT_TD:
	case HTML_ELEMENT_TH:
	case HTML_ELEMENT_CAPTION:
	case HTML_ELEMENT_COL:
	case HTML_ELEMENT_COLGROUP:
	case HTML_ELEMENT_SCRIPT:
	case HTML_ELEMENT_STYLE:
	case HTML_ELEMENT_TEMPLATE:
	case HTML_ELEMENT_FORM:
		return false;
	default:
		return true;
	}
}

void html_tree_item(struct html_tree *tree, const struct html_token *token, struct html_open *out)
{
	const bool foreign = html_tree_foreign(tree);

	memset(out, 0, sizeof *out);
	out->element = token->element;
	out->serial = ++tree->serial;
	if (token->element == HTML_ELEMENT_SVG)
		out->foreign = HTML_SVG;
	else if (token->element == HTML_ELEMENT_MATH)
		out->foreign = HTML_MATH;
	else if (foreign)
		out->foreign = html_tree_top(tree)->foreign;
	out->parent = tree->depth == 0                                  ? (uint16_t)HTML_DEPTH_MAX
	              : !foreign && is_fostered(tree, token->element) ? foster_parent(tree)
	                                                              : (uint16_t)(tree->depth - 1);
	out->subject.hash = token->hash;
	out->link = out->parent < HTML_DEPTH_MAX ? tree->items[out->parent].link : 0;
}

void html_tree_look(const struct html_tree *tree, struct html_open *out)
{
	html_look_of(out->parent < HTML_DEPTH_MAX ? &tree->items[out->parent].look : &tree->root, &out->own, &out->look);
}

static void formatting_add(struct html_tree *tree, const struct html_open *item, bool marker)
{
	if (tree->formatting_count == HTML_FORMATTING_MAX)
		formatting_remove(tree, 0);
	struct html_formatting *entry = formatting_at(tree, tree->formatting_count++);
	entry->marker = marker;
	entry->open = true;
	if (!marker)
		entry->item = *item;
}

static void push_only(struct html_tree *tree, const struct html_open *item)
{
	if (tree->depth == HTML_DEPTH_MAX) {
		const uint32_t serial = tree->items[tree->depth - 1].serial;
		pop(tree);
		/* It made room: opening it again would push out the next one, and so on. */
		for (size_t i = tree->formatting_count; i-- != 0;) {
			if (!formatting_at(tree, i)->marker && formatting_at(tree, i)->item.serial == serial && serial != item->serial)
				formatting_remove(tree, i);
		}
	}
	tree->items[tree->depth] = *item;
	/* Where the top was popped to make room, the parent is the one below it. */
	if (item->parent < HTML_DEPTH_MAX && item->parent >= tree->depth)
		tree->items[tree->depth].parent = (uint16_t)(tree->depth - 1);
	tree->depth++;
	tree->open[item->element]++;
}

void html_tree_push(struct html_tree *tree, const struct html_open *item)
{
	push_only(tree, item);
	if (item->foreign != 0)
		return;
	if ((html_element_flags(item->element) & HTML_FORMAT) != 0)
		formatting_add(tree, item, false);
	else if (sets_marker(item->element))
		formatting_add(tree, item, true);
}

size_t html_tree_reopen(struct html_tree *tree)
{
	size_t first = tree->formatting_count, count = 0;

	if (tree->formatting_closed == 0 || html_tree_foreign(tree))
		return 0;
	while (first != 0 && !formatting_at(tree, first - 1)->marker)
		first--;
	for (size_t i = first; i < tree->formatting_count; i++) {
		struct html_formatting *entry = formatting_at(tree, i);
		if (entry->open)
			continue;
		entry->open = true;
		count++;
		tree->formatting_closed--;
		struct html_open *item = &entry->item;
		item->parent = tree->depth == 0                             ? (uint16_t)HTML_DEPTH_MAX
		               : is_fostered(tree, HTML_ELEMENT_OTHER) ? foster_parent(tree)
		                                                       : (uint16_t)(tree->depth - 1);
		html_tree_look(tree, item);
		push_only(tree, item);
	}
	return count;
}

/* Take items[index] out of the middle: those above it get their style anew. */
static void remove_at(struct html_tree *tree, size_t index)
{
	const uint16_t parent = tree->items[index].parent;
	const uint32_t link = tree->items[index].serial;

	tree->open[tree->items[index].element]--;
	memmove(&tree->items[index], &tree->items[index + 1], (tree->depth - index - 1) * sizeof tree->items[0]);
	tree->depth--;
	for (size_t i = index; i < tree->depth; i++) {
		struct html_open *item = &tree->items[i];
		if (item->parent < HTML_DEPTH_MAX) {
			if (item->parent == index)
				item->parent = parent;
			else if (item->parent > index)
				item->parent--;
		}
		if (item->link == link)
			item->link = 0;
		html_tree_look(tree, item);
	}
}

static size_t formatting_find(struct html_tree *tree, enum html_element element)
{
	for (size_t i = tree->formatting_count; i-- != 0 && !formatting_at(tree, i)->marker;) {
		if (formatting_at(tree, i)->item.element == element)
			return i;
	}
	return NOWHERE;
}

static bool formatting_end(struct html_tree *tree, enum html_element element)
{
	const size_t entry = formatting_find(tree, element);
	bool         block_above = false;

	if (entry == NOWHERE)
		return false;
	const uint32_t serial = formatting_at(tree, entry)->item.serial;
	size_t         index = tree->depth;
	while (index-- != 0 && tree->items[index].serial != serial)
		block_above |= (html_element_flags(tree->items[index].element) & HTML_SPECIAL) != 0;
	if (index == NOWHERE) {
		formatting_remove(tree, entry);
		return true;
	}
	if (!block_above) {
		pop_to(tree, index);
	} else {
		tree->closed(tree->context, &tree->items[index]);
		remove_at(tree, index);
	}
	formatting_remove(tree, entry);
	return true;
}

static bool is_table_scoped(enum html_element element)
{
	return is_table_part(element) || element == HTML_ELEMENT_TD || element == HTML_ELEMENT_TH || element == HTML_ELEMENT_CAPTION;
}

/* Any end tag for an element whose own rules are not special: up to a special element (13.2.6.4.7, last entry). */
static void other_end(struct html_tree *tree, const struct html_token *token)
{
	if (tree->open[token->element] == 0)
		return;
	for (size_t i = tree->depth; i-- != 0;) {
		if (tree->items[i].element == token->element && tree->items[i].subject.hash == token->hash) {
			pop_to(tree, i);
			return;
		}
		if ((html_element_flags(tree->items[i].element) & HTML_SPECIAL) != 0)
			return;
	}
}

static void heading_end(struct html_tree *tree)
{
	for (size_t i = tree->depth; i-- != 0;) {
		if (is_heading(tree->items[i].element)) {
			pop_to(tree, i);
			return;
		}
		if (is_barrier(&tree->items[i], SCOPE_ANY))
			return;
	}
}

/* In SVG and MathML: the innermost one of that name, as long as all above it are foreign too. */
static bool foreign_end(struct html_tree *tree, const struct html_token *token)
{
	for (size_t i = tree->depth; i-- != 0 && tree->items[i].foreign != 0;) {
		if (tree->items[i].subject.hash == token->hash && tree->items[i].element == token->element) {
			pop_to(tree, i);
			return true;
		}
	}
	return false;
}

void html_tree_end(struct html_tree *tree, const struct html_token *token)
{
	const enum html_element element = token->element;
	const unsigned          flags = html_element_flags(element);

	/* 13.2.6.5: these two end what is no HTML. */
	while ((element == HTML_ELEMENT_P || element == HTML_ELEMENT_BR) && html_tree_foreign(tree))
		pop(tree);
	if (tree->depth != 0 && tree->items[tree->depth - 1].foreign != 0 && foreign_end(tree, token))
		return;
	if (element == HTML_ELEMENT_BODY || element == HTML_ELEMENT_HTML)
		return;
	if ((flags & HTML_FORMAT) != 0) {
		if (!formatting_end(tree, element))
			other_end(tree, token);
	} else if (is_heading(element)) {
		heading_end(tree);
	} else if (element == HTML_ELEMENT_P) {
		close_in_scope(tree, element, SCOPE_BUTTON);
	} else if (element == HTML_ELEMENT_LI) {
		close_in_scope(tree, element, SCOPE_LIST);
	} else if (is_table_scoped(element)) {
		close_in_scope(tree, element, SCOPE_TABLE);
	} else if ((flags & HTML_SPECIAL) != 0) {
		close_in_scope(tree, element, SCOPE_ANY);
	} else {
		other_end(tree, token);
	}
}

const struct html_look *html_tree_here(const struct html_tree *tree)
{
	if (tree->depth == 0)
		return &tree->root;
	if (!is_table_part(top_element(tree)))
		return &tree->items[tree->depth - 1].look;
	const uint16_t parent = foster_parent(tree);
	return parent < HTML_DEPTH_MAX ? &tree->items[parent].look : &tree->root;
}
