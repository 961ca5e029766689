/*
 * Scripts that a double click runs: which kind a name says, what they call, what they hide. They are read as text, not
 * understood; words come from one table in script.c.
 */
#ifndef DOCUMENT_SCRIPT_H
#define DOCUMENT_SCRIPT_H

#include "content/sink.h"

enum script_kind {
	SCRIPT_NONE,
	SCRIPT_JSCRIPT,    /* .js .jse .mjs */
	SCRIPT_VBSCRIPT,   /* .vbs .vbe .vb */
	SCRIPT_HOST,       /* .wsf .wsh .wsc .sct */
	SCRIPT_HTA,        /* .hta */
	SCRIPT_POWERSHELL, /* .ps1 .psm1 .psd1 .ps1xml */
	SCRIPT_BATCH,      /* .bat .cmd */
	SCRIPT_SHELL,      /* .sh .command and "#!" */
	SCRIPT_PYTHON,     /* .py .pyw */
	SCRIPT_APPLE,      /* .scpt .applescript */
	SCRIPT_REGISTRY,   /* .reg .inf */
	SCRIPT_KINDS
};

/* Of one script that is read; the rest of a longer one is not looked at. */
#define SCRIPT_BYTES_MAX ((size_t)16 << 20)

/* The kind by the end of a name, or by the first bytes. */
enum script_kind script_kind_of(struct slice name, struct slice bytes);

/*
 * Read a script of that kind (not SCRIPT_NONE): the fact script.kind, encoded pieces decoded, the text as a member with
 * CONTENT_MEMBER_SCRIPT when it differs from the bytes (UTF-16, encoded), addresses as links of CONTENT_PLACE_SCRIPT, facts about what it calls
 * and how it is written. Linear. RC_LIMIT, RC_NOMEM, or what the sink returned.
 */
MUST_CHECK enum rc script_open(enum script_kind kind, struct slice bytes, struct budget *budget, const struct content_sink *sink);

/* Facts and links alone, of text in any script language. As above. */
MUST_CHECK enum rc script_look(struct slice text, struct budget *budget, const struct content_sink *sink);

#endif
