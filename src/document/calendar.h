/*
 * Calendars (iCalendar, RFC 5545; vCalendar 1.0) and cards (vCard 2.1 to 4.0, RFC 6350): what their readers show, the addresses in
 * them, files that they carry or name, and alarms that do more than ring. Lines are unfolded as both RFCs and the old
 * quoted-printable of version 1.0 and 2.1 have it.
 */
#ifndef DOCUMENT_CALENDAR_H
#define DOCUMENT_CALENDAR_H

#include "content/sink.h"

#define CALENDAR_LINES_MAX      100000u
#define CALENDAR_LINE_BYTES_MAX ((size_t)32 << 20) /* one unfolded; a photograph is a line */

/* Does it begin with BEGIN:VCALENDAR or BEGIN:VCARD, behind a mark and blanks? */
bool calendar_is(struct slice bytes);

/*
 * Read `bytes` (UTF-8; bytes of another charset pass as they are). RC_SYNTAX: it is none; RC_LIMIT, RC_NOMEM, or what the
 * sink returned. Linear.
 */
MUST_CHECK enum rc calendar_open(struct slice bytes, struct budget *budget, const struct content_sink *sink);

#endif
