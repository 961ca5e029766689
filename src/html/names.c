/* Names by hash: the slots are in name_table.h, which tables.py makes. */
#include "html/names.h"

#include "base/must.h"
#include "html/name_table.h"

struct element_row {
	struct slice text;
	unsigned     flags;
};

static const struct element_row elements[HTML_ELEMENTS] = {
#define HTML_ELEMENT_ROW(name, text, flags) [HTML_ELEMENT_##name] = { SLICE_INIT(text), flags },
	HTML_ELEMENT_TABLE(HTML_ELEMENT_ROW)
#undef HTML_ELEMENT_ROW
};

static const struct slice attributes[HTML_ATTRIBUTES] = {
#define HTML_ATTRIBUTE_ROW(name, text) [HTML_ATTRIBUTE_##name] = SLICE_INIT(text),
	HTML_ATTRIBUTE_TABLE(HTML_ATTRIBUTE_ROW)
#undef HTML_ATTRIBUTE_ROW
};

_Static_assert(HTML_ELEMENTS <= 256 && HTML_ATTRIBUTES <= 256, "a number fits a slot");
_Static_assert(HTML_ELEMENTS == HTML_NAME_ELEMENTS && HTML_ATTRIBUTES == HTML_NAME_ATTRIBUTES, "run tables.py again");

enum html_element html_element_find(struct slice name, uint32_t hash)
{
	for (uint32_t at = hash % HTML_NAME_SLOTS; html_element_slots[at] != 0; at = (at + 1) % HTML_NAME_SLOTS) {
		if (slice_eq(elements[html_element_slots[at]].text, name))
			return (enum html_element)html_element_slots[at];
	}
	return HTML_ELEMENT_OTHER;
}

enum html_attribute_name html_attribute_find(struct slice name, uint32_t hash)
{
	for (uint32_t at = hash % HTML_NAME_SLOTS; html_attribute_slots[at] != 0; at = (at + 1) % HTML_NAME_SLOTS) {
		if (slice_eq(attributes[html_attribute_slots[at]], name))
			return (enum html_attribute_name)html_attribute_slots[at];
	}
	return HTML_ATTRIBUTE_OTHER;
}

unsigned html_element_flags(enum html_element element)
{
	must(element < HTML_ELEMENTS);
	return elements[element].flags;
}

struct slice html_element_text(enum html_element element)
{
	must(element < HTML_ELEMENTS);
	return elements[element].text;
}

struct slice html_attribute_text(enum html_attribute_name attribute)
{
	must(attribute < HTML_ATTRIBUTES);
	return attributes[attribute];
}
