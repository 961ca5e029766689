/* Opening, and the proof that it worked. */
#include "link/ready.h"

#include "link/idna_icu.h"
#include "link/url.h"

enum rc link_ready(struct slice list_text, struct suffix_list **out)
{
	uint8_t             memory[8192];
	struct arena        arena = arena_on(memory, sizeof memory);
	struct url          url;
	struct suffix       suffix;
	struct suffix_list *list = NULL;

	enum rc rc = idna_icu_ready();
	if (rc == RC_OK)
		rc = suffix_open(list_text, &list);
	if (rc != RC_OK)
		return rc;
	rc = url_parse(SLICE("http://a.b\xc3\xbc"
	                     "cher.co.uk/"),
	               NULL, &arena, &url);
	if (rc == RC_OK)
		suffix_find(list, url.host, &suffix);
	if (rc != RC_OK || !slice_eq(suffix.registrable, SLICE("xn--bcher-kva.co.uk"))) {
		suffix_close(&list);
		return RC_UNSUPPORTED;
	}
	*out = list;
	return RC_OK;
}
