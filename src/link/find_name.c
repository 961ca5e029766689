/* Names without a scheme: bare domains, addresses of four numbers, mail addresses. */
#include "link/find_start.h"

#define LOCAL_MAX 128u /* characters of a mail address before the "@"; RFC 5321 allows 64 octets */

/* Top domains that are better known as the ends of files. */
static const char *const file_ends[] = { "md", "py", "sh", "pl", "rs", "pm", "zip", "mov" };

static enum rc pass(struct link_finder *f, size_t index)
{
	const size_t place = place_of(f, index);

	if (place > f->at)
		f->at = place;
	return RC_NOTFOUND;
}

static bool label_at_is(const struct host *host, size_t start, const char *word)
{
	size_t i = 0;

	for (; word[i] != '\0'; i++) {
		if (start + i >= host->count || (host->text[start + i] | 0x20) != (uint8_t)word[i])
			return false;
	}
	return start + i == host->count || host->text[start + i] == '.';
}

/* "www." or "www2." */
static bool is_www(const struct host *host)
{
	size_t i = 3;

	if (host->labels < 2 || host->count < 4 || (host->text[0] | 0x20) != 'w' || (host->text[1] | 0x20) != 'w' ||
	    (host->text[2] | 0x20) != 'w')
		return false;
	while (i < host->count && is_digit(host->text[i]))
		i++;
	return i < host->count && host->text[i] == '.';
}

static bool is_local_character(uint32_t c)
{
	return is_alnum(c) || c == '.' || c == '_' || c == '%' || c == '+' || c == '-' || c == '=' || c == '&' ||
	       c == '$' || c == '~' || c == '#' || c == '!' || c == '*' || c == '\'' || c == '/' || c == '^' ||
	       (c >= 0xc0 && !is_terminator(c) && !is_cjk(c));
}

/* Where the part before the "@" begins; a quoted piece in the middle belongs to it. A name in Chinese is all Chinese. */
static size_t local_start(const struct link_finder *f, size_t end)
{
	size_t start = end;

	if (end > 0 && is_cjk(at(f, end - 1))) {
		while (start > 0 && end - start < LOCAL_MAX && place_of(f, start - 1) >= f->floor &&
		       is_cjk(at(f, start - 1)))
			start--;
		return start;
	}

	while (start > 0 && end - start < LOCAL_MAX && place_of(f, start - 1) >= f->floor) {
		const uint32_t c = at(f, start - 1);
		if (c == '"' && start > 1) {
			size_t open = start - 1;
			while (open > 0 && start - open < 64 && is_local_character(at(f, open - 1)))
				open--;
			if (open < 2 || at(f, open - 1) != '"' || !is_local_character(at(f, open - 2)))
				break;
			start = open - 1;
			continue;
		}
		if (!is_local_character(c) || (f->character[start - 1] & WAS_STOP) != 0)
			break;
		start--;
	}
	while (start < end && !is_alnum(at(f, start)) && at(f, start) != '_' && at(f, start) < 0x80)
		start++;
	return start;
}

/* local@host, or user@host:80/ behind "www." */
static enum rc mail_read(struct link_finder *f, size_t start, size_t sign, size_t sign_size, uint32_t flags,
                         struct arena *arena, struct link_found *out)
{
	struct host  host;
	struct draft draft = { .start = start,
		               .head_start = start,
		               .head_end = sign,
		               .prefix = SLICE("mailto:"),
		               .kind = LINK_EMAIL,
		               .certainty = LINK_SURE,
		               .flags = flags | LINK_NO_SCHEME };
	size_t       longer;

	host_read(f, sign + sign_size, false, &host);
	const bool number = host.number && host.labels == 4;
	if (start == sign || host.broken || host.labels < 2 || number || !host_is_sound(&host) ||
	    !host_is_listed(f, &host))
		return RC_NOTFOUND;
	/* An "@" for the reader's eye becomes one. */
	uint32_t text[HOST_CHARACTERS];
	if (host.count + 1 > HOST_CHARACTERS)
		return RC_NOTFOUND;
	memcpy(text, host.text, host.count * sizeof text[0]);
	memcpy(host.text + 1, text, host.count * sizeof text[0]);
	host.text[0] = '@';
	host.count++;
	if ((flags & LINK_AT_WORD) != 0 || (host.flags & (LINK_DOT_WORD | LINK_WIDE)) != 0)
		draft.certainty = LINK_GUESS;
	draft.host = &host;
	draft.end = longer = host.end;
	const bool www =
		(at(f, start) | 0x20) == 'w' && (at(f, start + 1) | 0x20) == 'w' && (at(f, start + 2) | 0x20) == 'w';
	if (www && at(f, start + 3) == '.' && (at(f, host.end) == ':' || at(f, host.end) == '/')) {
		draft.prefix = SLICE("http://");
		draft.kind = LINK_URL;
		draft_tail(f, &draft, host.end, &longer);
	}
	return draft_emit(f, &draft, longer, arena, out);
}

enum rc start_at_sign(struct link_finder *f, size_t index, struct arena *arena, struct link_found *out)
{
	const uint32_t flags = (f->character[index] & WAS_WIDE) != 0 ? LINK_WIDE : 0;

	return mail_read(f, local_start(f, index), index, 1, flags, arena, out);
}

/* " at ", "[at]", "(@)" before `index`: where it begins, or `index`. */
static size_t at_word_before(const struct link_finder *f, size_t index)
{
	size_t end = index;
	bool   bracket = false;

	while (end > 0 && index - end < 2 && is_blank(at(f, end - 1)))
		end--;
	if (end > 0 && (at(f, end - 1) == ']' || at(f, end - 1) == ')' || at(f, end - 1) == '}')) {
		bracket = true;
		end--;
	}
	while (bracket && end > 0 && is_blank(at(f, end - 1)))
		end--;
	size_t word = end;
	if (end > 0 && at(f, end - 1) == '@')
		word = end - 1;
	else if (end > 1 && (at(f, end - 2) | 0x20) == 'a' && (at(f, end - 1) | 0x20) == 't')
		word = end - 2;
	if (word == end || word == 0)
		return index;
	size_t start = word;
	while (bracket && start > 0 && is_blank(at(f, start - 1)))
		start--;
	const uint32_t opening = start == 0 ? 0 : at(f, start - 1);
	if (bracket && opening != '[' && opening != '(' && opening != '{')
		return index;
	start -= bracket;
	const size_t blanks_from = start;
	while (start > 0 && blanks_from - start < 2 && is_blank(at(f, start - 1)))
		start--;
	if (!bracket && (start == blanks_from || end == index))
		return index;
	return start != 0 && is_local_character(at(f, start - 1)) ? start : index;
}

/* The first separator of the name: where it begins, `index` being inside of it. */
static size_t separator_start(const struct link_finder *f, size_t index)
{
	size_t start = index;

	for (unsigned i = 0; i < 4 && start > 0; i++) {
		const uint32_t c = at(f, start - 1);
		if (!is_blank(c) && c != '[' && c != '(' && c != '{' && c != '<')
			break;
		start--;
	}
	return start;
}

/* "w w w" before `index`: where it begins, or `index`. */
static size_t letters_start(const struct link_finder *f, size_t index, size_t least)
{
	size_t start = index;

	if (index < least + 3 || !is_alnum(at(f, index - 1)) || is_alnum(at(f, index - 2)))
		return index;
	start = index - 1;
	while (start >= least + 2 && at(f, start - 1) == ' ' && is_alnum(at(f, start - 2)) &&
	       (start == least + 2 || !is_alnum(at(f, start - 3))))
		start -= 2;
	return index - start >= 3 ? start : index;
}

static size_t floor_index(const struct link_finder *f, size_t index)
{
	size_t least = index;

	while (least > 0 && index - least < LOCAL_MAX && place_of(f, least - 1) >= f->floor)
		least--;
	return least;
}

/* How sure a bare domain is, by itself and by what stands before it. False: it is none. */
static bool name_judge(const struct link_finder *f, const struct host *host, size_t start, bool trimmed,
                       struct draft *draft)
{
	const uint32_t before = start == 0 ? 0 : at(f, start - 1);
	const bool     www = is_www(host);
	const bool     dotted = before == '.' && (f->character[start - 1] & WAS_STOP) == 0;

	draft->certainty = LINK_SURE;
	if (before == '/' || before == '-' || before == '_' || trimmed || dotted || before == '@') {
		if (!www)
			return false;
	} else if (before == ':' && !www) {
		draft->certainty = LINK_GUESS;
	}
	if (is_cjk(before))
		draft->flags |= LINK_ADJACENT;
	if ((host->flags & (LINK_DOT_WORD | LINK_SPACED | LINK_WIDE)) != 0)
		draft->certainty = LINK_GUESS;
	const uint32_t *last = host->text + host->last;
	const size_t    size = host->count - host->last;
	const uint32_t  previous = host->last < 2 ? 0 : host->text[host->last - 2];
	if (!www && last[0] >= 'A' && last[0] <= 'Z' && size > 1 && last[1] >= 'a' && last[1] <= 'z' &&
	    ((previous >= 'a' && previous <= 'z') || is_digit(previous))) {
		draft->flags |= LINK_SENTENCE;
		draft->certainty = LINK_GUESS;
	}
	for (size_t i = 0; !www && i < sizeof file_ends / sizeof file_ends[0]; i++) {
		if (label_at_is(host, host->last, file_ends[i])) {
			draft->flags |= LINK_FILE_NAME;
			draft->certainty = draft->certainty < LINK_LIKELY ? draft->certainty : LINK_LIKELY;
		}
	}
	return true;
}

/* "www.user:word@host": a user name and password in front of the host, without a scheme. */
static size_t password_end(const struct link_finder *f, const struct host *host)
{
	size_t end = host->end;

	if (!is_www(host) || at(f, end) != ':')
		return 0;
	while (end - host->end < 64 &&
	       (is_alnum(at(f, end)) || at(f, end) == ':' || at(f, end) == '.' || at(f, end) == '-'))
		end++;
	return at(f, end) == '@' ? end : 0;
}

static enum rc number_emit(struct link_finder *f, struct draft *draft, const struct host *host, struct arena *arena,
                           struct link_found *out)
{
	const uint32_t before = draft->start == 0 ? 0 : at(f, draft->start - 1);
	size_t         longer;

	if (is_host_character(before) || before == '.' || before == '/' || before == '@' || before == ':')
		return pass(f, host->end);
	if (is_host_character(at(f, host->end)) && !is_cjk(at(f, host->end)))
		return pass(f, host->end);
	draft->certainty = (host->flags & LINK_DOT_WORD) != 0 ? LINK_GUESS : LINK_LIKELY;
	draft->host = host;
	draft_tail(f, draft, host->end, &longer);
	const enum rc rc = draft_emit(f, draft, longer, arena, out);
	return rc == RC_NOTFOUND ? pass(f, host->end) : rc;
}

static enum rc name_emit(struct link_finder *f, struct host *host, size_t start, bool trimmed, struct arena *arena,
                         struct link_found *out)
{
	struct draft draft = { .start = start,
		               .head_start = start,
		               .head_end = start,
		               .prefix = SLICE("http://"),
		               .kind = LINK_URL,
		               .flags = LINK_NO_SCHEME };
	size_t       longer;

	if (host->broken || host->labels < 2 || !host_is_sound(host))
		return pass(f, host->end);
	if (host->number)
		return number_emit(f, &draft, host, arena, out);
	if (!host_is_listed(f, host) || !name_judge(f, host, start, trimmed, &draft))
		return pass(f, host->end);
	if (label_at_is(host, 0, "ftp"))
		draft.prefix = SLICE("ftp://");
	draft.host = host;
	draft_tail(f, &draft, host->end, &longer);
	const enum rc rc = draft_emit(f, &draft, longer, arena, out);
	return rc == RC_NOTFOUND ? pass(f, host->end) : rc;
}

enum rc start_dot(struct link_finder *f, size_t index, struct arena *arena, struct link_found *out)
{
	const size_t separator = separator_start(f, index);
	const size_t least = floor_index(f, separator);
	const bool   spaced = separator != index || is_blank(at(f, index + 1));
	const size_t letters = spaced ? letters_start(f, separator, least) : separator;
	size_t       start = letters != separator ? letters : label_start(f, separator, least);
	struct host  host;

	const size_t whole = start;
	while (start < separator && at(f, start) == '-')
		start++;
	if (start == separator)
		return RC_NOTFOUND;
	host_read(f, start, spaced, &host);
	/* A spaced name that no registry has may be a sentence: "see www.example.com . Then" ends earlier. */
	if (host.end <= index)
		return RC_NOTFOUND;
	const size_t word = at_word_before(f, start);
	/* "meet at example.com": the word alone is an "@" only where dots are disguised as well. */
	const bool bracketed = start > 0 && !is_blank(at(f, start - 1));
	if (word != start && (bracketed || (host.flags & (LINK_DOT_WORD | LINK_SPACED)) != 0)) {
		const enum rc rc = mail_read(f, local_start(f, word), word, start - word, LINK_AT_WORD, arena, out);
		if (rc != RC_NOTFOUND)
			return rc;
	}
	const size_t password = password_end(f, &host);
	const size_t sign = password != 0 ? password : host.end;
	if (at(f, sign) == '@' && start < sign) {
		const size_t  local = password != 0 ? start : local_start(f, sign);
		const enum rc rc = mail_read(f, local, sign, 1, 0, arena, out);
		return rc == RC_NOTFOUND ? pass(f, sign) : rc;
	}
	return name_emit(f, &host, start, start != whole, arena, out);
}
