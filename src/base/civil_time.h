/*
 * Seconds since 1970 in UTC as people and RFCs write them, and back. Pure: no clock, no time-zone database; the offset from
 * UTC is an argument.
 */
#ifndef BASE_CIVIL_TIME_H
#define BASE_CIVIL_TIME_H

#include "base/buf.h"

struct civil_time {
	int32_t  year;          /* 1970 to 9999 */
	uint32_t month;         /* 1 to 12 */
	uint32_t day;           /* 1 to 31 */
	uint32_t hour;          /* 0 to 23 */
	uint32_t minute;        /* 0 to 59 */
	uint32_t second;        /* 0 to 60, a leap second counts as the next */
	uint32_t weekday;       /* 0 = Sunday */
	int32_t  offset_minutes; /* east of UTC, -1439 to 1439 */
};

/* `unix_s` seconds, seen at that offset. Values outside 1970..9999 are clamped to that range. */
struct civil_time civil_time_of(int64_t unix_s, int32_t offset_minutes);
/* Seconds since 1970. RC_SYNTAX when a field is out of its range (weekday is not looked at). */
MUST_CHECK enum rc civil_time_unix(const struct civil_time *civil, int64_t *out);

/* "Sun, 22 Nov 2026 14:37:19 +0800" (RFC 5322 section 3.3). */
void civil_time_put_mail(struct buf *out, int64_t unix_s, int32_t offset_minutes);
/* "2026-11-22T14:37:19.123Z" (RFC 3339), from milliseconds. */
void civil_time_put_iso(struct buf *out, int64_t unix_ms);
/* Reads what civil_time_put_iso writes; also without milliseconds, with an offset instead of Z, and a bare date. RC_SYNTAX. */
MUST_CHECK enum rc civil_time_read_iso(struct slice text, int64_t *out_ms);

#endif
