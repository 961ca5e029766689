/*
 * Domain names as mail uses them: is it one, and in which spelling is it compared and looked up.
 *
 * Labels are letters, digits, hyphens (not at an end) and underscores: RFC 1123 has no underscore, real hosts do, and
 * no rule of ours depends on refusing it. With UTF-8 allowed, any byte above 0x7f of well-formed UTF-8 is a letter (RFC
 * 6531 section 3.3 leaves the rest of IDNA to registries). A trailing dot is not part of a domain in mail and is
 * refused (RFC 5321 section 2.3.5).
 */
#ifndef MAIL_DOMAIN_H
#define MAIL_DOMAIN_H

#include "base/buf.h"

#define DOMAIN_BYTES_MAX 255u /* RFC 5321 section 4.5.3.1.2 */
#define DOMAIN_LABEL_MAX \
	63u /* RFC 1035 section 2.3.4; of a UTF-8 label, counted in its A-label form by
                                 domain_ascii() */

/*
 * RC_SYNTAX: not a domain name; RC_LIMIT: a label or the whole is too long; RC_UNSUPPORTED: would be one if `utf8` were
 * true.
 */
MUST_CHECK enum rc domain_check(struct slice name, bool utf8);

/*
 * Append the form in which two spellings of a domain are equal: ASCII letters in lower case, labels with other letters
 * as A-labels (RFC 5890 section 2.3.2.1, RFC 3492). Letters outside ASCII are taken as they are: no case folding, no
 * normalisation, so that nothing is ever mapped onto another domain than the one written. Errors as domain_check(name,
 * true), and RC_LIMIT when an A-label is longer than DOMAIN_LABEL_MAX, the whole than
 * DOMAIN_BYTES_MAX, or `out` is full; then `out` keeps what it had.
 */
MUST_CHECK enum rc domain_ascii(struct slice name, struct buf *out);

/* Well-formed UTF-8 (RFC 3629 section 4): no overlong forms, no surrogates, nothing above U+10FFFF. */
bool utf8_valid(struct slice s);

#endif
