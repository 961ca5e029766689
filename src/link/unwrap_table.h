/* The services unwrap.c knows. For unwrap.c alone. */
#ifndef LINK_UNWRAP_TABLE_H
#define LINK_UNWRAP_TABLE_H

#include "link/unwrap.h"

/* Where the target stands. */
enum unwrap_how {
	HOW_PARAMETER,    /* a parameter's value; `names` has its names, "|" between them */
	HOW_BASE64,       /* ... in base64, perhaps behind two letters ("a1") */
	HOW_PROOFPOINT_2, /* ... with "-" for "%" and "_" for "/" */
	HOW_PROOFPOINT_3, /* in the path, between "__", letters put aside in base64 */
	HOW_PATH,         /* the path from its first "http" on, percent-encoded or not */
	HOW_AMP,          /* the path is "s/host/path" or "host/path" behind the prefix */
	HOW_YAHOO,        /* "/RU=.../" in the path */
	HOW_TRANSLATE,    /* the host's first label has "-" for "." and "--" for "-" */
	HOW_DOMAIN,       /* a parameter has the host only */
	HOW_NOT,          /* nowhere */
};

struct unwrap_service {
	const char      *name;
	struct slice     host; /* this one and all below; with "*" at its end, before it any top domain */
	struct slice     path; /* how the path begins */
	enum unwrap_how  how;
	struct slice     names;
	enum unwrap_kind kind;
};

extern const struct unwrap_service unwrap_services[];
extern const size_t                unwrap_services_count;

/* Hosts of shorteners. */
extern const struct slice unwrap_shorteners[];
extern const size_t       unwrap_shorteners_count;

/* Names of parameters that lead to another site on many sites; in lower case. */
extern const struct slice unwrap_parameters[];
extern const size_t       unwrap_parameters_count;

#endif
