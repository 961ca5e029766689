/* Dates out of mail: tokens first, then their meaning by place. */
#include "mail/date.h"

#include "base/civil_time.h"

#define TOKENS_MAX     12u
#define DATE_BYTES_MAX 256u

/* Runs of letters, of digits, and signed numbers; commas and comments fall away. */
struct token {
	struct slice text;
	uint8_t      mark; /* the byte before it: ':' in times, '+' or '-' in zones, '-' also in ISO dates; else 0 */
};

static struct slice comment_drop(struct slice rest)
{
	unsigned depth = 0;
	size_t   i = 0;

	for (; i < rest.len; i++) {
		if (rest.ptr[i] == '\\')
			i++;
		else if (rest.ptr[i] == '(')
			depth++;
		else if (rest.ptr[i] == ')' && --depth == 0)
			break;
	}
	return slice_drop(rest, i + 1);
}

static size_t tokens_cut(struct slice rest, struct token *tokens)
{
	size_t  count = 0;
	uint8_t mark = 0;

	while (rest.len != 0 && count < TOKENS_MAX) {
		const uint8_t byte = rest.ptr[0];
		if (byte == '(') {
			rest = comment_drop(rest);
			continue;
		}
		if (!byte_is_alnum(byte)) {
			mark = byte == ':' || byte == '+' || byte == '-' ? byte : 0;
			rest = slice_drop(rest, 1);
			continue;
		}
		size_t run = 1;
		while (run < rest.len &&
		       (byte_is_digit(byte) ? byte_is_digit(rest.ptr[run]) : byte_is_alpha(rest.ptr[run])))
			run++;
		tokens[count++] = (struct token){ .text = slice_take(rest, run), .mark = mark };
		rest = slice_drop(rest, run);
		mark = 0;
	}
	return count;
}

static bool number(struct slice text, uint32_t max, uint32_t *out)
{
	uint32_t value = 0;

	if (text.len == 0 || text.len > 6)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!byte_is_digit(text.ptr[i]))
			return false;
		value = value * 10 + (uint32_t)(text.ptr[i] - '0');
	}
	*out = value;
	return value <= max;
}

/* 1 to 12, or 0. Full names count by their first three letters. */
static uint32_t month_of(struct slice text)
{
	static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	for (uint32_t i = 0; i < 12 && text.len >= 3; i++) {
		if (slice_eq_nocase(slice_take(text, 3), slice_of(&months[i * 3], 3)))
			return i + 1;
	}
	return 0;
}

static bool is_weekday(struct slice text)
{
	static const char days[] = "sunmontuewedthufrisat";

	for (uint32_t i = 0; i < 7 && text.len >= 3; i++) {
		if (slice_eq_nocase(slice_take(text, 3), slice_of(&days[i * 3], 3)))
			return true;
	}
	return false;
}

/* RFC 5322 section 4.3: two digits are 2000 below 50 and 1900 from 50 on; three digits are 1900 and more. */
static bool year_of(struct slice text, int32_t *out)
{
	uint32_t year;

	if (!number(text, 9999, &year))
		return false;
	if (text.len <= 2)
		year += year < 50 ? 2000 : 1900;
	else if (text.len == 3)
		year += 1900;
	*out = (int32_t)year;
	return true;
}

static bool zone_of(const struct token *token, int32_t *out)
{
	static const struct {
		struct slice name;
		int32_t      minutes;
	} zones[] = {
		{ SLICE_INIT("ut"), 0 },     { SLICE_INIT("gmt"), 0 },    { SLICE_INIT("utc"), 0 },
		{ SLICE_INIT("z"), 0 },      { SLICE_INIT("est"), -300 }, { SLICE_INIT("edt"), -240 },
		{ SLICE_INIT("cst"), -360 }, { SLICE_INIT("cdt"), -300 }, { SLICE_INIT("mst"), -420 },
		{ SLICE_INIT("mdt"), -360 }, { SLICE_INIT("pst"), -480 }, { SLICE_INIT("pdt"), -420 },
	};
	uint32_t value;

	if ((token->mark == '+' || token->mark == '-') && token->text.len == 4 && number(token->text, 9959, &value)) {
		const int32_t minutes = (int32_t)(value / 100 * 60 + value % 100);
		*out = token->mark == '-' ? -minutes : minutes;
		return value % 100 < 60 && minutes < 1440;
	}
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
		if (slice_eq_nocase(token->text, zones[i].name)) {
			*out = zones[i].minutes;
			return true;
		}
	}
	return false;
}

/* Hour, minute and perhaps second, from `index` on; returns how many tokens they took, 0 when there is no time. */
static size_t time_of(const struct token *tokens, size_t count, size_t index, struct civil_time *civil)
{
	if (index + 1 >= count || tokens[index + 1].mark != ':' || !number(tokens[index].text, 23, &civil->hour) ||
	    !number(tokens[index + 1].text, 59, &civil->minute))
		return 0;
	civil->second = 0;
	if (index + 2 < count && tokens[index + 2].mark == ':' && number(tokens[index + 2].text, 60, &civil->second))
		return 3;
	return 2;
}

/* The three tokens of day, month and year in one of the orders that mail has. False: they are none. */
static bool day_of(const struct token *tokens, struct civil_time *civil, uint32_t *flags)
{
	struct slice day = tokens[0].text, month = tokens[1].text;

	if (month_of(day) != 0) { /* "Nov 22 2026" */
		day = tokens[1].text;
		month = tokens[0].text;
		*flags |= DATE_LOOSE;
	} else if (tokens[0].text.len == 4 && tokens[1].mark == '-') { /* 2026-11-22 */
		*flags |= DATE_LOOSE;
		return year_of(tokens[0].text, &civil->year) && number(tokens[1].text, 12, &civil->month) &&
		       number(tokens[2].text, 31, &civil->day);
	}
	civil->month = month_of(month);
	if (tokens[2].text.len != 4)
		*flags |= DATE_LOOSE;
	return civil->month != 0 && number(day, 31, &civil->day) && year_of(tokens[2].text, &civil->year);
}

enum rc date_read(struct slice text, int64_t *out_s, uint32_t *ret_flags)
{
	struct token      tokens[TOKENS_MAX];
	struct civil_time civil = { 0 };
	uint32_t          flags = text.len > DATE_BYTES_MAX ? DATE_LOOSE : 0;
	const size_t      count = tokens_cut(slice_take(text, DATE_BYTES_MAX), tokens);
	size_t            index = count != 0 && is_weekday(tokens[0].text) ? 1 : 0;

	if (count - index < 4)
		return RC_SYNTAX;
	/* "Sun Nov 22 14:37:19 2026", as asctime writes it: the time stands before the year. */
	size_t       time_tokens = time_of(tokens, count, index + 2, &civil);
	struct token day[3] = { tokens[index], tokens[index + 1], tokens[index + 2] };
	if (time_tokens != 0) {
		flags |= DATE_LOOSE;
		index += 2 + time_tokens;
		if (index < count && zone_of(&tokens[index], &civil.offset_minutes))
			index++;
		if (index >= count)
			return RC_SYNTAX;
		day[2] = tokens[index++];
	} else {
		index += 3;
		if (slice_eq_nocase(tokens[index].text, SLICE("t")))
			index++;
		time_tokens = time_of(tokens, count, index, &civil);
		if (time_tokens == 0)
			return RC_SYNTAX;
		index += time_tokens;
		if (index >= count || !zone_of(&tokens[index], &civil.offset_minutes))
			flags |= DATE_LOOSE;
		else if (tokens[index].mark == 0)
			flags |= DATE_LOOSE;
	}
	int64_t seconds;
	if (!day_of(day, &civil, &flags) || civil_time_unix(&civil, &seconds) != RC_OK)
		return RC_SYNTAX;
	*out_s = seconds;
	*ret_flags = flags;
	return RC_OK;
}
