/*
 * What can be said of one URL from its text alone. One table: enumerator, name, meaning; each becomes the finding of
 * the same name (scan/findings.h); facts are added at the end of their group. They state, they do not judge.
 */
#ifndef LINK_FACTS_H
#define LINK_FACTS_H

#include "link/suffix.h"
#include "link/unwrap.h"
#include "link/url.h"

/* clang-format off: a table */
#define LINK_FACT_TABLE(X)                                                                                          \
	/* who is addressed */                                                                                      \
	X(USERINFO, "link.userinfo", "A user name or password stands before the host.")                            \
	X(USERINFO_HOST, "link.userinfo_host", "What stands before the host looks like a host itself.")            \
	X(PORT, "link.port", "The port is not the usual one of the scheme.")                                       \
	X(IP, "link.ip", "The host is an IPv4 or IPv6 address.")                                                   \
	X(IP_DISGUISED, "link.ip_disguised", "The host is an IPv4 address in another form than four decimal numbers.") \
	X(IP_LOCAL, "link.ip_local", "The host is an address that is not routed on the internet.")                 \
	X(IDN, "link.idn", "The host has letters outside ASCII (an A-label).")                                     \
	X(MIXED_SCRIPT, "link.mixed_script", "A label of the host mixes scripts that do not belong together.")     \
	X(WHOLE_SCRIPT, "link.whole_script", "A label of the host can be read as Latin and is not.")               \
	X(DIGIT_LETTER, "link.digit_letter", "A digit stands where a letter would in a label of the host.")        \
	X(HOST_ENCODED, "link.host_encoded", "The host was written with percent signs.")                           \
	X(HOST_MAPPED, "link.host_mapped", "The host was written with letters that only look like ASCII.")         \
	X(DOMAIN_INSIDE, "link.domain_inside", "A label sequence before the registrable domain is a domain of its own form.") \
	X(BRAND_HYPHEN, "link.tld_hyphen", "A label of the host has a registry's name behind a hyphen, as in name-com.") \
	X(MANY_LABELS, "link.many_labels", "The host has more than five labels before the registrable domain.")    \
	X(UNLISTED, "link.unlisted", "The host is in no registry of the public suffix list.")                      \
	X(HOSTING, "link.hosting", "The host is a customer's below a domain that hosts for everybody.")            \
	/* how it is written */                                                                                     \
	X(BACKSLASH, "link.backslash", "A backslash stands for a slash.")                                          \
	X(LINE_BREAK, "link.line_break", "Tabs or line ends stand inside.")                                        \
	X(SLASHES, "link.slashes", "Not exactly two slashes follow the scheme.")                                   \
	X(LONG, "link.long", "It is longer than 1,000 characters.")                                                \
	/* what it would do */                                                                                      \
	X(SCHEME_DATA, "link.data", "The content stands in the link (data:).")                                     \
	X(SCHEME_SCRIPT, "link.script", "It runs a script (javascript:, vbscript:).")                              \
	X(SCHEME_BLOB, "link.blob", "It leads to something made by a script (blob:, filesystem:).")                \
	X(SCHEME_FILE, "link.file", "It leads to a file or a file server (file:, smb:).")                          \
	X(SCHEME_PROGRAM, "link.program", "It starts a program on the reader's machine (ms-*:, search-ms: and the like).") \
	X(CREDENTIAL_WORD, "link.credential_word", "A word of signing in, verifying or paying stands in host or path.") \
	X(EXECUTABLE, "link.executable", "The path ends like a program or script.")                                \
	X(ARCHIVE, "link.archive", "The path ends like an archive or disk image.")                                 \
	X(DOUBLE_EXTENSION, "link.double_extension", "The path ends like a document and then like a program or page.") \
	/* where it leads on to */                                                                                  \
	X(WRAPPER, "link.wrapper", "A mail security product has rewritten it.")                                    \
	X(REDIRECTOR, "link.redirector", "A known service leads on to another site.")                              \
	X(REDIRECT, "link.redirect", "Another URL stands in a parameter or the fragment.")                         \
	X(EMBEDDED, "link.embedded", "Another URL stands in the path.")                                            \
	X(SHORTENER, "link.shortener", "A shortener hides where it leads.")                                        \
	X(OPAQUE, "link.opaque", "A wrapper or redirector hides where it leads.")                                  \
	X(NESTED, "link.nested", "It leads on three times or more, or more often than is looked for.")
/* clang-format on */

enum link_fact {
#define LINK_FACT_ENUMERATOR(name, text, meaning) LINK_FACT_##name,
	LINK_FACT_TABLE(LINK_FACT_ENUMERATOR)
#undef LINK_FACT_ENUMERATOR
	LINK_FACTS
};

/* "link.userinfo"; and one sentence about it. */
const char *link_fact_name(enum link_fact fact);
const char *link_fact_meaning(enum link_fact fact);

#define LINK_FACT_BIT(fact) (UINT64_C(1) << (fact))

/*
 * The facts of `url`, as bits. `unwrap` is what unwrap_url() said of it, or NULL: then none of "where it leads on to".
 * Linear in the URL.
 */
uint64_t link_facts(const struct url *url, const struct suffix_list *list, const struct unwrap *unwrap);

#endif
