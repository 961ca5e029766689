/*
 * Date fields (RFC 5322 section 3.3, obsolete forms of section 4.3), read as leniently as mail writes them: missing
 * weekday, two-digit years, named zones, comments, no seconds, ISO dates of careless senders.
 */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include "base/rc.h"
#include "base/slice.h"

#define DATE_LOOSE 1u /* not the form of RFC 5322 section 3.3 */

/*
 * Seconds since 1970 in *out_s, DATE_LOOSE or 0 in *ret_flags. `text` may be folded. RC_SYNTAX: no date can be read;
 * a year before 1970 or after 9999 counts as none.
 */
MUST_CHECK enum rc date_read(struct slice text, int64_t *out_s, uint32_t *ret_flags);

#endif
