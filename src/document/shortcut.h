/*
 * Shortcuts: .lnk ([MS-SHLLINK]), .url and .website (Windows), .webloc (Apple), .desktop (freedesktop.org). What they start
 * or open, with what, and what they pretend to be.
 */
#ifndef DOCUMENT_SHORTCUT_H
#define DOCUMENT_SHORTCUT_H

#include "content/sink.h"

/* Characters of arguments that Windows shows of a shortcut. */
#define SHORTCUT_ARGUMENTS_SHOWN 260u
/* Blanks in a row that push what is behind them out of sight. */
#define SHORTCUT_BLANKS_MAX 16u
/* Bytes of a text shortcut that are read. */
#define SHORTCUT_TEXT_BYTES_MAX 65536u

bool shortcut_lnk_is(struct slice bytes);

/*
 * A .lnk: target, arguments, working folder, name and icon as text of CONTENT_PLACE_SCRIPT, addresses and servers as links, data
 * behind its end as a hidden member, facts shortcut.*. RC_SYNTAX: none; RC_LIMIT, RC_NOMEM, or what the sink returned.
 */
MUST_CHECK enum rc shortcut_lnk_open(struct slice bytes, struct budget *budget, const struct content_sink *sink);

/* One of the kinds in text: "[InternetShortcut]", "[Desktop Entry]", a property list with <key>URL</key>. */
bool shortcut_text_is(struct slice bytes);
MUST_CHECK enum rc shortcut_text_open(struct slice bytes, struct budget *budget, const struct content_sink *sink);

#endif
