/*
 * Names outside ASCII as the network knows them: UTS 46 processing (non-transitional) and Punycode.
 *
 * Source: Unicode Technical Standard 46, revision 35, sections 4 to 4.3; RFC 3492; RFC 5893 section 2 (Bidi rule); RFC
 * 5892 appendix A.1 and A.2 (joiners). What characters are comes from ICU through link/idna_icu.h; where ICU's Unicode
 * is older than ours, a table in idna_newer.c adds to it.
 */
#ifndef LINK_IDNA_H
#define LINK_IDNA_H

#include "base/rc.h"
#include "base/slice.h"

/* Bytes of a name that is not plain ASCII; no name that works has more than 253 characters. */
#define IDNA_BYTES_MAX   1024u
/* A result is no longer than what can be read again. */
#define IDNA_ASCII_MAX   IDNA_BYTES_MAX
/* Room for idna_display(). */
#define IDNA_DISPLAY_MAX 4096u

/*
 * UseSTD3ASCIIRules, CheckHyphens and VerifyDnsLength: what registries ask for. Without it the name is read as
 * browsers do ("beStrict" false in the URL Standard, section 3.3): CheckBidi and CheckJoiners alone.
 */
#define IDNA_STRICT 1u

/*
 * ToASCII of `name` (UTF-8, any case). Only RC_OK writes `out` and *size.
 *
 * RC_SYNTAX  not a name by these rules.
 * RC_LIMIT   longer than IDNA_BYTES_MAX, or the result than IDNA_ASCII_MAX or `room`.
 *
 * Time: quadratic in the longest label (RFC 3492), hence the bound; at the bound under a millisecond.
 */
MUST_CHECK enum rc idna_ascii(struct slice name, unsigned flags, uint8_t *out, size_t room, size_t *size);

/*
 * The name as a person reads it: each A-label that is a good one in UTF-8, everything else as it is. Errors as above;
 * `name` is what url_parse() gave as host. A display form may be made to deceive: link/facts.h says when it looks so.
 */
MUST_CHECK enum rc idna_display(struct slice name, uint8_t *out, size_t room, size_t *size);

/* RFC 3492 section 6.3: basic code points as they are, no case. RC_LIMIT: no room, or overflow. */
MUST_CHECK enum rc punycode_encode(const uint32_t *code_points, size_t count, uint8_t *out, size_t room, size_t *size);

/* RFC 3492 section 6.2. RC_SYNTAX: not Punycode, or not Unicode; RC_LIMIT: no room. */
MUST_CHECK enum rc punycode_decode(struct slice text, uint32_t *out, size_t room, size_t *count);

#endif
