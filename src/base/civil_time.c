/*
 * The proleptic Gregorian calendar by arithmetic: years are counted from March, so that the leap day is the last of its
 * year and the lengths of the months follow one formula.
 */
#include "base/civil_time.h"

#include "base/num.h"

#define SECONDS_A_DAY   86400
#define UNIX_LAST       INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define DAYS_TO_1970    719468                /* from 0000-03-01 */
#define DAYS_400_YEARS  146097
#define OFFSET_MAX      1439

static const char *const month_names[12] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
static const char *const day_names[7] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

static int64_t clamp(int64_t number, int64_t min, int64_t max)
{
	if (number < min)
		return min;
	return number > max ? max : number;
}

struct civil_time civil_time_of(int64_t unix_s, int32_t offset_minutes)
{
	const int32_t offset = (int32_t)clamp(offset_minutes, -OFFSET_MAX, OFFSET_MAX);
	const int64_t seen = clamp(clamp(unix_s, 0, UNIX_LAST) + offset * 60, 0, UNIX_LAST);
	const int64_t days = seen / SECONDS_A_DAY;
	const int64_t rest = seen % SECONDS_A_DAY;

	const int64_t shifted = days + DAYS_TO_1970;
	const int64_t era = shifted / DAYS_400_YEARS;
	const int64_t era_day = shifted % DAYS_400_YEARS;
	const int64_t era_year = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
	const int64_t year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
	const int64_t march_month = (5 * year_day + 2) / 153;
	const int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;

	return (struct civil_time){
		.year = (int32_t)(era * 400 + era_year + (month <= 2)),
		.month = (uint32_t)month,
		.day = (uint32_t)(year_day - (153 * march_month + 2) / 5 + 1),
		.hour = (uint32_t)(rest / 3600),
		.minute = (uint32_t)(rest / 60 % 60),
		.second = (uint32_t)(rest % 60),
		.weekday = (uint32_t)((days + 4) % 7), /* the first of January 1970 was a Thursday */
		.offset_minutes = offset,
	};
}

static uint32_t days_of_month(int32_t year, uint32_t month)
{
	static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const bool           leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

enum rc civil_time_unix(const struct civil_time *civil, int64_t *out)
{
	if (civil->year < 1970 || civil->year > 9999 || civil->month < 1 || civil->month > 12 || civil->day < 1 ||
	    civil->day > days_of_month(civil->year, civil->month) || civil->hour > 23 || civil->minute > 59 ||
	    civil->second > 60 || civil->offset_minutes < -OFFSET_MAX || civil->offset_minutes > OFFSET_MAX)
		return RC_SYNTAX;

	const int64_t year = civil->year - (civil->month <= 2);
	const int64_t march_month = civil->month > 2 ? civil->month - 3 : civil->month + 9;
	const int64_t year_day = (153 * march_month + 2) / 5 + civil->day - 1;
	const int64_t era_year = year % 400;
	const int64_t era_day = era_year * 365 + era_year / 4 - era_year / 100 + year_day;
	const int64_t days = year / 400 * DAYS_400_YEARS + era_day - DAYS_TO_1970;

	*out = days * SECONDS_A_DAY + civil->hour * 3600 + civil->minute * 60 + civil->second -
	       (int64_t)civil->offset_minutes * 60;
	return RC_OK;
}

void civil_time_put_mail(struct buf *out, int64_t unix_s, int32_t offset_minutes)
{
	const struct civil_time t = civil_time_of(unix_s, offset_minutes);
	const uint32_t          offset = (uint32_t)(t.offset_minutes < 0 ? -t.offset_minutes : t.offset_minutes);

	buf_put_str(out, day_names[t.weekday]);
	buf_put(out, SLICE(", "));
	buf_put_u64(out, t.day);
	buf_put_byte(out, ' ');
	buf_put_str(out, month_names[t.month - 1]);
	buf_put_byte(out, ' ');
	buf_put_padded(out, (uint64_t)t.year, 4);
	buf_put_byte(out, ' ');
	buf_put_padded(out, t.hour, 2);
	buf_put_byte(out, ':');
	buf_put_padded(out, t.minute, 2);
	buf_put_byte(out, ':');
	buf_put_padded(out, t.second, 2);
	buf_put_str(out, t.offset_minutes < 0 ? " -" : " +");
	buf_put_padded(out, offset / 60, 2);
	buf_put_padded(out, offset % 60, 2);
}

void civil_time_put_iso(struct buf *out, int64_t unix_ms)
{
	const int64_t           ms = clamp(unix_ms, 0, UNIX_LAST * 1000 + 999);
	const struct civil_time t = civil_time_of(ms / 1000, 0);

	buf_put_padded(out, (uint64_t)t.year, 4);
	buf_put_byte(out, '-');
	buf_put_padded(out, t.month, 2);
	buf_put_byte(out, '-');
	buf_put_padded(out, t.day, 2);
	buf_put_byte(out, 'T');
	buf_put_padded(out, t.hour, 2);
	buf_put_byte(out, ':');
	buf_put_padded(out, t.minute, 2);
	buf_put_byte(out, ':');
	buf_put_padded(out, t.second, 2);
	buf_put_byte(out, '.');
	buf_put_padded(out, (uint64_t)(ms % 1000), 3);
	buf_put_byte(out, 'Z');
}

/* Exactly `width` digits off the front of `*rest`; anything else clears *lawful. */
static uint32_t take_digits(struct slice *rest, size_t width, bool *lawful)
{
	uint64_t number = 0;

	if (rest->len < width || num_u64(slice_take(*rest, width), 9999, &number) != RC_OK)
		*lawful = false;
	*rest = slice_drop(*rest, width);
	return (uint32_t)number;
}

static void take_byte(struct slice *rest, uint8_t byte, bool *lawful)
{
	if (slice_at(*rest, 0) != byte)
		*lawful = false;
	*rest = slice_drop(*rest, 1);
}

/* ".123" or nothing; digits behind the third are read and dropped (RFC 3339 gives them no bound; we read nine). */
static uint32_t take_fraction(struct slice *rest, bool *lawful)
{
	uint32_t ms = 0;
	unsigned digits = 0;

	if (slice_at(*rest, 0) != '.')
		return 0;
	*rest = slice_drop(*rest, 1);
	for (; digits < 9 && rest->len != 0 && byte_is_digit(rest->ptr[0]); digits++) {
		if (digits < 3)
			ms = ms * 10 + (uint32_t)(rest->ptr[0] - '0');
		*rest = slice_drop(*rest, 1);
	}
	if (digits == 0)
		*lawful = false;
	for (; digits < 3; digits++)
		ms *= 10;
	return ms;
}

/* "Z" or "+08:00"; minutes east of UTC. */
static int32_t take_offset(struct slice *rest, bool *lawful)
{
	const int sign = slice_at(*rest, 0);

	*rest = slice_drop(*rest, 1);
	if (sign == 'Z' || sign == 'z')
		return 0;
	if (sign != '+' && sign != '-')
		*lawful = false;
	const uint32_t hours = take_digits(rest, 2, lawful);
	take_byte(rest, ':', lawful);
	const uint32_t minutes = take_digits(rest, 2, lawful);
	if (hours > 23 || minutes > 59)
		*lawful = false;
	const int32_t offset = (int32_t)(hours * 60 + minutes);
	return sign == '-' ? -offset : offset;
}

enum rc civil_time_read_iso(struct slice text, int64_t *out_ms)
{
	struct civil_time t = { .year = 0 };
	uint32_t          ms = 0;
	bool              lawful = true;
	int64_t           unix_s;

	t.year = (int32_t)take_digits(&text, 4, &lawful);
	take_byte(&text, '-', &lawful);
	t.month = take_digits(&text, 2, &lawful);
	take_byte(&text, '-', &lawful);
	t.day = take_digits(&text, 2, &lawful);
	if (text.len != 0) {
		const int between = slice_at(text, 0);
		if (between != 'T' && between != 't' && between != ' ')
			lawful = false;
		text = slice_drop(text, 1);
		t.hour = take_digits(&text, 2, &lawful);
		take_byte(&text, ':', &lawful);
		t.minute = take_digits(&text, 2, &lawful);
		take_byte(&text, ':', &lawful);
		t.second = take_digits(&text, 2, &lawful);
		ms = take_fraction(&text, &lawful);
		t.offset_minutes = take_offset(&text, &lawful);
	}
	if (!lawful || text.len != 0 || civil_time_unix(&t, &unix_s) != RC_OK || unix_s < 0)
		return RC_SYNTAX;
	*out_ms = unix_s * 1000 + ms;
	return RC_OK;
}
