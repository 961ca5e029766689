/* The table's words. */
#include "content/facts.h"

#include "base/must.h"

static const struct {
	const char *name;
	const char *meaning;
} facts[CONTENT_FACTS] = {
#define CONTENT_FACT_ROW(name, text, meaning) { text, meaning },
	CONTENT_FACT_TABLE(CONTENT_FACT_ROW)
#undef CONTENT_FACT_ROW
};

const char *content_fact_name(enum content_fact fact)
{
	must(fact < CONTENT_FACTS);
	return facts[fact].name;
}

const char *content_fact_meaning(enum content_fact fact)
{
	must(fact < CONTENT_FACTS);
	return facts[fact].meaning;
}
