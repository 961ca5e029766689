/*
 * Where in a host name the part begins that somebody can register: by the Public Suffix List (publicsuffix.org), the one
 * in libpsl or a newer one handed over at start.
 *
 * Opening happens before the box closes; asking takes no memory and no system call.
 */
#ifndef LINK_SUFFIX_H
#define LINK_SUFFIX_H

#include "base/rc.h"
#include "base/slice.h"

struct suffix_list; /* opaque */

/* The list's text; today's has 330 KB. */
#define SUFFIX_LIST_BYTES_MAX (8u << 20)

/*
 * Open the list that stands in `text` (the format of publicsuffix.org, or libpsl's DAFSA), or libpsl's own when `text`
 * is empty. A list that does not know "com" and "co.uk" is refused.
 *
 * RC_SYNTAX: no such list; RC_LIMIT: longer than SUFFIX_LIST_BYTES_MAX; RC_NOMEM.
 */
MUST_CHECK enum rc suffix_open(struct slice text, struct suffix_list **out);
/* NULL inside is legal; clears the caller's pointer. */
void suffix_close(struct suffix_list **list);

struct suffix {
	struct slice suffix;       /* "co.uk"; the last label of an unlisted name */
	struct slice registrable;  /* "example.co.uk"; empty when the name is itself a suffix */
	bool         listed;       /* a rule names it: the name can exist */
	bool         private_part; /* the rule is one of an owner ("github.io"), not of a registry */
};

/*
 * Cut `host`, a domain in ASCII as url_parse() writes it; one dot at the end does no harm and is in no result. Results
 * lie in `host`. Names longer than SUFFIX_HOST_MAX, empty ones and addresses are not listed and have empty parts.
 */
#define SUFFIX_HOST_MAX 1023u
void suffix_find(const struct suffix_list *list, struct slice host, struct suffix *out);

/* Whether some name can end in that label: "com", "cn", "za", "xn--p1ai". Any case; A-labels for other scripts. */
bool suffix_is_top(const struct suffix_list *list, struct slice label);

#endif
