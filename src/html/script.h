/*
 * What a script's text shows without running it: the calls that smuggle files, hide code, send data or lead elsewhere.
 * Words are found as identifiers, also as a["word"]; nothing is evaluated.
 */
#ifndef HTML_SCRIPT_H
#define HTML_SCRIPT_H

#include "base/slice.h"

#define HTML_SCRIPT_DECODES   1u   /* atob, unescape, fromCharCode, decodeURIComponent, TextDecoder */
#define HTML_SCRIPT_EVALUATES 2u   /* eval, Function, document.write, innerHTML, setTimeout with text is not told apart */
#define HTML_SCRIPT_MEMORY    4u   /* Blob, File, Uint8Array */
#define HTML_SCRIPT_SAVES     8u   /* createObjectURL, msSaveBlob, msSaveOrOpenBlob, saveAs, .download */
#define HTML_SCRIPT_LITERAL   16u  /* a text of HTML_LITERAL_MIN or more base64 or hexadecimal bytes */
#define HTML_SCRIPT_NAVIGATES 32u  /* location, window.open */
#define HTML_SCRIPT_SENDS     64u  /* XMLHttpRequest, fetch, sendBeacon, WebSocket, $.ajax and $.post */
#define HTML_SCRIPT_SMUGGLES  128u /* contents that are made here, and saved */

#define HTML_LITERAL_MIN 512u

struct html_script_signs {
	uint32_t     signs;   /* HTML_SCRIPT_x */
	struct slice literal; /* the longest encoded text, without its quotes; borrowed */
};

/* Read `source` once. Linear. Adds to *out. */
void html_script_read(struct slice source, struct html_script_signs *out);

#endif
