/*
 * The header firewall (INTEGRATIONS I-12): which fields of a sender only the receiving side may write. The scanner
 * finds them, and gate checks each claimed cut again with the same eyes. Inside this room; gate asks through
 * scan/wire.h.
 */
#ifndef SCAN_FIREWALL_H
#define SCAN_FIREWALL_H

#include "scan/scan.h"

/*
 * Does the text of a field, beginning at its name, have to go? `text` may reach to the end of the message; only the
 * first field of it is looked at. False: it may stay.
 */
bool firewall_forbids(struct slice text, const struct scan_options *options, enum cut_kind *ret_kind);

/* Where the header section ends: behind the first empty line, or the end of the message. */
size_t firewall_header_end(struct slice message);

/* Is `cut` what struct header_cut says, within the first `header_end` bytes? */
bool firewall_cut_valid(struct slice message, size_t header_end, const struct scan_options *options,
                        const struct header_cut *cut);

/*
 * All cuts of the header section in rising order. *ret_count of them stand in `cuts` (FINDINGS_CUTS_MAX places).
 * False: there are more.
 */
bool firewall_find(struct slice message, size_t header_end, const struct scan_options *options, struct header_cut *cuts,
                   size_t *ret_count);

#endif
