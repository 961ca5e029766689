/*
 * Which encoding a page says it is in: a byte order mark, or a <meta> found by the prescan of HTML 13.2.3.2.
 */
#ifndef HTML_SNIFF_H
#define HTML_SNIFF_H

#include "base/slice.h"

/* As far as browsers look. Readers of mail look further, so that the caller chooses. */
#define HTML_SNIFF_BYTES 1024u

/*
 * The label in the first `bytes_max` bytes of `s`: borrowed from there, or a constant ("utf-8", where a mark says so or
 * where a <meta> says UTF-16, which its own readability disproves; "utf-16le", "utf-16be" by their marks;
 * "windows-1252" for x-user-defined). Empty: there is none, or only one that `is_label` refuses (NULL: refuses none).
 * Linear.
 */
struct slice html_sniff(struct slice s, size_t bytes_max, bool (*is_label)(struct slice label));

#endif
