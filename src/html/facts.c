/* The table's words. */
#include "html/facts.h"

#include "base/must.h"

static const struct {
	const char *name;
	const char *meaning;
} facts[HTML_FACTS] = {
#define HTML_FACT_ROW(name, text, meaning) { text, meaning },
	HTML_FACT_TABLE(HTML_FACT_ROW)
#undef HTML_FACT_ROW
};

const char *html_fact_name(enum html_fact fact)
{
	must(fact < HTML_FACTS);
	return facts[fact].name;
}

const char *html_fact_meaning(enum html_fact fact)
{
	must(fact < HTML_FACTS);
	return facts[fact].meaning;
}
