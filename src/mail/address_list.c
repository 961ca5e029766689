/*
 * Address lists of header fields, read as leniently as the mail that is about,
    with every oddity told. Nothing is stored while reading: the field is cut into
 * items, an item into its parts,
    and each part is looked at again by the same small lexer; every pass moves forward only. The list is walked twice,
    to count
 * and then to fill an array of exactly that size.
 */
#include "mail/address.h"

#include "base/must.h"
#include "mail/domain.h"

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,    /* what specials and white space leave between them, dots included */
	TOKEN_QUOTED,  /* with its quotes */
	TOKEN_LITERAL, /* "[...]" behind an "@" */
	TOKEN_SPECIAL, /* one of <>@,;: */
};

struct token {
	enum token_kind kind;
	struct slice    raw;
	bool            spaced; /* white space or a comment stood in front */
};

struct lexer {
	struct slice rest;
	struct slice comment;  /* the last one seen, without its parentheses */
	uint32_t     oddities; /* of what was passed */
	bool         after_at;
};

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool is_special(uint8_t byte)
{
	switch (byte) {
	case '<':
	case '>':
	case '@':
	case ',':
	case ';':
	case ':':
		return true;
	default:
		return false;
	}
}

/* Bytes up to and with the end of the quoted string or literal at the front; all of them, and told,
    when it has no end. */
static size_t closed_bytes(struct lexer *lexer, uint8_t close)
{
	const struct slice s = lexer->rest;

	for (size_t i = 1; i < s.len; i++) {
		if (s.ptr[i] == '\\')
			i++;
		else if (s.ptr[i] == close)
			return i + 1;
		else if (s.ptr[i] < 0x20 && !is_blank(s.ptr[i]))
			lexer->oddities |= ADDRESS_ODD_CONTROL;
	}
	lexer->oddities |= ADDRESS_ODD_UNCLOSED;
	return s.len;
}

/* Pass the comment at the front, nested ones with it. */
static void skip_comment(struct lexer *lexer)
{
	const struct slice s = lexer->rest;
	size_t             depth = 0, end = s.len;

	lexer->oddities |= ADDRESS_ODD_COMMENT;
	for (size_t i = 0; i < s.len && end == s.len; i++) {
		if (s.ptr[i] == '\\') {
			i++;
		} else if (s.ptr[i] == '(') {
			if (++depth > ADDRESS_COMMENT_DEPTH_MAX)
				lexer->oddities |= ADDRESS_ODD_LIMIT;
		} else if (s.ptr[i] == ')' && --depth == 0) {
			end = i;
		}
	}
	if (end == s.len)
		lexer->oddities |= ADDRESS_ODD_UNCLOSED;
	lexer->comment = slice_cut(s, 1, end - 1);
	lexer->rest = slice_drop(s, end + 1);
}

/* White space and comments; true if there were any. */
static bool skip_blanks(struct lexer *lexer)
{
	const size_t before = lexer->rest.len;

	while (lexer->rest.len != 0) {
		if (lexer->rest.ptr[0] == '(')
			skip_comment(lexer);
		else if (is_blank(lexer->rest.ptr[0]))
			lexer->rest = slice_drop(lexer->rest, 1);
		else
			break;
	}
	return lexer->rest.len != before;
}

static size_t word_bytes(struct lexer *lexer)
{
	const struct slice s = lexer->rest;
	size_t             end = 0;

	for (; end < s.len; end++) {
		const uint8_t byte = s.ptr[end];
		if (is_blank(byte) || is_special(byte) || byte == '"' || byte == '(')
			break;
		if (byte == '[' || byte == ']' || byte == '\\' || byte == ')' || byte < 0x20 || byte == 0x7f)
			lexer->oddities |= byte == '\0' ? ADDRESS_ODD_NUL : ADDRESS_ODD_BROKEN;
	}
	return end;
}

static struct token next_token(struct lexer *lexer)
{
	struct token token = { .kind = TOKEN_END };
	size_t       bytes = 1;

	token.spaced = skip_blanks(lexer);
	if (lexer->rest.len == 0)
		return token;
	const uint8_t first = lexer->rest.ptr[0];
	if (first == '"') {
		token.kind = TOKEN_QUOTED;
		bytes = closed_bytes(lexer, '"');
	} else if (first == '[' && lexer->after_at) {
		token.kind = TOKEN_LITERAL;
		bytes = closed_bytes(lexer, ']');
	} else if (is_special(first)) {
		token.kind = TOKEN_SPECIAL;
	} else {
		token.kind = TOKEN_WORD;
		bytes = word_bytes(lexer);
	}
	token.raw = slice_take(lexer->rest, bytes);
	lexer->rest = slice_drop(lexer->rest, bytes);
	lexer->after_at = first == '@';
	return token;
}

static bool token_is(const struct token *token, uint8_t special)
{
	return token->kind == TOKEN_SPECIAL && token->raw.ptr[0] == special;
}

/* --- Texts. Counting only, nothing is built: `arena` is NULL then. --- */

struct reader {
	struct arena        *arena; /* NULL in the first pass */
	struct address_item *items; /* filled in the second pass */
	size_t               count;
	size_t               groups;
	uint32_t             oddities;
	struct slice         group;
	bool                 full; /* the arena is */
};

struct text {
	uint8_t *ptr;
	size_t   len, room;
};

static struct text text_begin(struct reader *reader, size_t room)
{
	struct text text = { .room = room };

	if (reader->arena == NULL || room == 0)
		return (struct text){ .room = 0 };
	text.ptr = arena_bytes(reader->arena, room);
	if (text.ptr == NULL) {
		reader->full = true;
		text.room = 0;
	}
	return text;
}

static void text_byte(struct text *text, uint8_t byte)
{
	if (text->len < text->room)
		text->ptr[text->len++] = byte;
}

/* The inside of a quoted string or comment: without backslashes, line ends and NULs. */
static void text_unquoted(struct text *text, struct slice inside)
{
	for (size_t i = 0; i < inside.len; i++) {
		const uint8_t byte = inside.ptr[i];
		if (byte == '\\' && i + 1 < inside.len)
			text_byte(text, inside.ptr[++i]);
		else if (byte != '\r' && byte != '\n' && byte != '\0')
			text_byte(text, byte);
	}
}

static struct slice inside_of(struct slice quoted)
{
	const bool closed = quoted.len > 1 && slice_last(quoted) == '"';

	return slice_cut(quoted, 1, quoted.len - 1 - closed);
}

static void text_token(struct text *text, const struct token *token)
{
	if (token->kind == TOKEN_QUOTED) {
		text_unquoted(text, inside_of(token->raw));
		return;
	}
	for (size_t i = 0; i < token->raw.len; i++) {
		if (token->raw.ptr[i] != '\0')
			text_byte(text, token->raw.ptr[i]);
	}
}

static struct slice text_end(const struct text *text)
{
	return (struct slice){ text->len == 0 ? NULL : text->ptr, text->len };
}

static struct slice build_comment(struct reader *reader, struct slice comment)
{
	struct text text = text_begin(reader, comment.len);

	text_unquoted(&text, comment);
	return slice_trim(text_end(&text));
}

/* A display name or the name of a group: its words, one space apart. */
static struct slice build_phrase(struct reader *reader, struct slice raw, uint32_t *oddities)
{
	struct lexer lexer = { .rest = raw };
	struct text  text = text_begin(reader, raw.len + 1);

	for (struct token token = next_token(&lexer); token.kind != TOKEN_END; token = next_token(&lexer)) {
		if (token.spaced && text.len != 0)
			text_byte(&text, ' ');
		text_token(&text, &token);
		if (token.kind == TOKEN_WORD && slice_find(token.raw, '.') != token.raw.len)
			*oddities |= ADDRESS_ODD_PHRASE_DOT;
		if (token.kind == TOKEN_SPECIAL)
			*oddities |= token.raw.ptr[0] == '@' ? ADDRESS_ODD_NAME_AT : ADDRESS_ODD_BROKEN;
	}
	*oddities |= lexer.oddities;
	return text_end(&text);
}

/* --- One address --- */

static bool is_dot_atom(struct slice s)
{
	if (s.len == 0 || s.ptr[0] == '.' || slice_last(s) == '.' || slice_search(s, SLICE("..")) != s.len)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		switch (s.ptr[i]) {
		case '(':
		case ')':
		case '<':
		case '>':
		case '[':
		case ']':
		case ':':
		case ';':
		case '@':
		case '\\':
		case ',':
		case '"':
		case 0x7f:
			return false;
		default:
			if (s.ptr[i] <= ' ')
				return false;
		}
	}
	return true;
}

/* A local part or a domain, its tokens joined. */
struct joined {
	struct slice text;
	bool         quoted; /* a quoted string is among them */
	bool         spaced; /* white space or a comment stood between them */
	bool         bad;    /* two of them without a dot between */
};

/* Words have a dot between them: "a.b", "a . "b"", never a"b" or a b; those keep what is between them,
    so that they are no name. */
static struct joined build_joined(struct reader *reader, struct slice raw, bool domain)
{
	struct lexer  lexer = { .rest = raw, .after_at = domain };
	struct token  token = next_token(&lexer), next = next_token(&lexer);
	struct joined joined = { .quoted = token.kind == TOKEN_QUOTED };
	bool          joint = true;

	const bool nul = slice_find(token.raw, '\0') != token.raw.len;
	if (next.kind == TOKEN_END && token.kind != TOKEN_QUOTED && !nul) {
		joined.text = token.raw;
		return joined;
	}
	struct text text = text_begin(reader, raw.len);
	for (; token.kind != TOKEN_END; token = next, next = next_token(&lexer)) {
		if (!joint && slice_at(token.raw, 0) != '.') {
			joined.bad = true;
			if (token.spaced)
				text_byte(&text, ' ');
		}
		joint = token.kind == TOKEN_WORD && slice_last(token.raw) == '.';
		joined.quoted = joined.quoted || token.kind == TOKEN_QUOTED;
		joined.spaced = joined.spaced || (next.kind != TOKEN_END && next.spaced);
		text_token(&text, &token);
	}
	joined.text = text_end(&text);
	return joined;
}

static void judge_lengths(struct address_item *item)
{
	if (item->local.len > ADDRESS_LOCAL_MAX || item->domain.len > DOMAIN_BYTES_MAX ||
	    item->local.len + item->domain.len + 1 > ADDRESS_PATH_MAX - 2)
		item->oddities |= ADDRESS_ODD_LONG;
}

static void judge_local(struct address_item *item, const struct joined *local)
{
	item->local = local->text;
	if (local->quoted)
		item->oddities |= ADDRESS_ODD_QUOTED;
	else if (local->text.len == 0)
		item->oddities |= ADDRESS_ODD_NO_LOCAL;
	else if (!is_dot_atom(local->text))
		item->oddities |= ADDRESS_ODD_LOCAL;
	if (local->bad)
		item->oddities |= ADDRESS_ODD_LOCAL;
}

static void judge_domain(struct address_item *item, const struct joined *domain)
{
	item->domain = domain->text;
	if (domain->text.len == 0)
		item->oddities |= ADDRESS_ODD_NO_DOMAIN;
	else if (slice_at(domain->text, 0) == '[')
		item->oddities |= ADDRESS_ODD_LITERAL;
	else if (domain_check(domain->text, true) != RC_OK)
		item->oddities |= ADDRESS_ODD_DOMAIN;
	if (domain->bad || domain->quoted)
		item->oddities |= ADDRESS_ODD_DOMAIN;
}

/* The address in `raw`: what stands before its last "@", and behind it. */
static void read_address(struct reader *reader, struct slice raw, struct address_item *item)
{
	struct lexer lexer = { .rest = raw };
	size_t       ats = 0, at = raw.len;
	bool         spaced = false, behind_at = false;

	for (struct token token = next_token(&lexer); token.kind != TOKEN_END; token = next_token(&lexer)) {
		const bool is_at = token_is(&token, '@');
		if (token.spaced && (is_at || behind_at))
			spaced = true;
		if (token.kind == TOKEN_SPECIAL && !is_at)
			item->oddities |= ADDRESS_ODD_BROKEN;
		if (is_at) {
			ats++;
			at = raw.len - lexer.rest.len - 1;
		}
		behind_at = is_at;
	}
	item->oddities |= lexer.oddities;
	const struct joined local = build_joined(reader, slice_take(raw, at), false);
	judge_local(item, &local);
	if (ats == 0) {
		item->oddities |= ADDRESS_ODD_NO_DOMAIN;
		return;
	}
	const struct joined domain = build_joined(reader, slice_drop(raw, at + 1), true);
	judge_domain(item, &domain);
	item->oddities |= ats > 1 ? ADDRESS_ODD_MANY_AT : 0u;
	if (spaced || local.spaced || domain.spaced)
		item->oddities |= ADDRESS_ODD_SPACED;
	judge_lengths(item);
}

static void judge_bytes(struct address_item *item)
{
	const struct slice raw = item->raw;
	bool               wide = false;

	for (size_t i = 0; i < raw.len; i++) {
		wide = wide || raw.ptr[i] >= 0x80;
		if (raw.ptr[i] == '\0')
			item->oddities |= ADDRESS_ODD_NUL;
	}
	if (wide)
		item->oddities |= utf8_valid(raw) ? ADDRESS_ODD_UTF8 : ADDRESS_ODD_8BIT;
}

static void emit(struct reader *reader, struct address_item *item)
{
	if (reader->count >= ADDRESS_LIST_COUNT_MAX) {
		reader->oddities |= ADDRESS_ODD_LIMIT;
		return;
	}
	item->group = reader->group;
	reader->oddities |= item->oddities;
	if (reader->arena != NULL)
		reader->items[reader->count] = *item;
	reader->count++;
}

/* --- Items --- */

/* "@a,@b:" at the front of what stands in angle brackets: passed. */
static struct slice without_route(struct slice content, uint32_t *oddities)
{
	struct lexer lexer = { .rest = content };
	struct token token = next_token(&lexer);

	if (!token_is(&token, '@'))
		return content;
	for (; token.kind != TOKEN_END; token = next_token(&lexer)) {
		if (token_is(&token, ':')) {
			*oddities |= ADDRESS_ODD_ROUTE;
			return lexer.rest;
		}
	}
	return content;
}

/* Bytes of `s` before the next `special` outside quotes, comments and literals; s.len when there is none. */
static size_t find_special(struct slice s, uint8_t special, uint32_t *oddities, struct slice *comment)
{
	struct lexer lexer = { .rest = s };

	for (struct token token = next_token(&lexer); token.kind != TOKEN_END; token = next_token(&lexer)) {
		if (token_is(&token, special)) {
			if (lexer.comment.len != 0)
				*comment = lexer.comment;
			return s.len - lexer.rest.len - 1;
		}
	}
	*oddities |= lexer.oddities & (ADDRESS_ODD_UNCLOSED | ADDRESS_ODD_COMMENT | ADDRESS_ODD_LIMIT);
	if (lexer.comment.len != 0)
		*comment = lexer.comment;
	return s.len;
}

static bool holds_tokens(struct slice s)
{
	struct lexer lexer = { .rest = s };

	return next_token(&lexer).kind != TOKEN_END;
}

/* name <address>, perhaps with more behind it. Each pair of brackets gives an item,
    so that no reader's choice stays unseen. */
static void read_angled(struct reader *reader, struct slice raw, size_t open)
{
	struct address_item base = { .raw = slice_trim(raw) };
	struct slice        rest = slice_drop(raw, open), comment = { NULL, 0 };
	struct slice        contents[2] = { { NULL, 0 }, { NULL, 0 } };
	size_t              count = 0;

	judge_bytes(&base);
	base.name = build_phrase(reader, slice_take(raw, open), &base.oddities);
	base.named = holds_tokens(slice_take(raw, open));
	while (rest.len != 0) {
		const size_t       close = find_special(rest, '>', &base.oddities, &comment);
		const struct slice content = slice_cut(rest, 1, close - 1);
		if (close == rest.len)
			base.oddities |= ADDRESS_ODD_UNCLOSED;
		/* The first and the last pair are told. */
		contents[count == 0 ? 0 : 1] = content;
		count++;
		rest = slice_drop(rest, close + 1);
		const size_t next = find_special(rest, '<', &base.oddities, &comment);
		if (holds_tokens(slice_take(rest, next)))
			base.oddities |= ADDRESS_ODD_TRAILING;
		rest = slice_drop(rest, next);
	}
	base.oddities |= count > 1 ? ADDRESS_ODD_TWO_ANGLES : 0;
	if (!base.named && comment.len != 0)
		base.name = build_comment(reader, comment);
	for (size_t i = 0; i < (count > 1 ? 2u : 1u); i++) {
		struct address_item item = base;
		read_address(reader, without_route(contents[i], &item.oddities), &item);
		emit(reader, &item);
	}
}

/* A run of tokens without a break: an address, or a stray word. */
struct segment {
	struct slice raw;
	bool         address; /* holds an "@" */
};

/* Two words break apart where only white space stands between them and neither has a dot there. */
static bool breaks(const struct token *before, const struct token *token)
{
	if (before->kind == TOKEN_END || !token->spaced || token_is(before, '@') || token_is(token, '@'))
		return false;
	return slice_last(before->raw) != '.' && slice_at(token->raw, 0) != '.';
}

static bool next_segment(struct lexer *lexer, struct segment *out)
{
	const struct slice whole = lexer->rest;
	struct token       before = { .kind = TOKEN_END };
	size_t             end = 0;

	*out = (struct segment){ .address = false };
	for (;;) {
		struct lexer       saved = *lexer;
		const struct token token = next_token(lexer);
		if (token.kind == TOKEN_END || breaks(&before, &token)) {
			/* A token behind a break is not taken: the next segment begins with it. */
			if (token.kind != TOKEN_END)
				*lexer = saved;
			break;
		}
		out->address = out->address || token_is(&token, '@');
		end = whole.len - lexer->rest.len;
		before = token;
	}
	out->raw = slice_trim(slice_take(whole, end));
	return end != 0;
}

/* An item without angle brackets. */
static void read_bare(struct reader *reader, struct slice raw)
{
	struct lexer   lexer = { .rest = raw };
	struct segment segment, first = { .address = false };
	size_t         addresses = 0, words = 0;

	while (next_segment(&lexer, &segment)) {
		if (segment.address)
			addresses++;
		else
			words++;
		if (addresses + words == 1)
			first = segment;
	}
	struct address_item base = { .raw = slice_trim(raw), .oddities = lexer.oddities };
	judge_bytes(&base);
	if (addresses == 0 && words > 1) {
		base.name = build_phrase(reader, raw, &base.oddities);
		base.named = true;
		base.oddities |= ADDRESS_ODD_NO_DOMAIN;
		emit(reader, &base);
		return;
	}
	if (lexer.comment.len != 0)
		base.name = build_comment(reader, lexer.comment);
	if (addresses == 0) {
		read_address(reader, first.raw, &base);
		emit(reader, &base);
		return;
	}
	base.oddities |= addresses > 1 ? ADDRESS_ODD_NO_COMMA : 0;
	base.oddities |= words != 0 ? ADDRESS_ODD_BROKEN : 0;
	lexer = (struct lexer){ .rest = raw };
	while (next_segment(&lexer, &segment)) {
		struct address_item item = base;
		if (!segment.address)
			continue;
		read_address(reader, segment.raw, &item);
		emit(reader, &item);
	}
}

static void read_item(struct reader *reader, struct slice raw)
{
	uint32_t     ignored = 0;
	struct slice comment = { NULL, 0 };
	const size_t open = find_special(raw, '<', &ignored, &comment);

	if (open != raw.len)
		read_angled(reader, raw, open);
	else
		read_bare(reader, raw);
}

/* How an item ended. */
enum end {
	END_BODY,
	END_COMMA,
	END_GROUP_OPEN,
	END_GROUP_CLOSE,
};

/* Cut the next item from the front of `*rest`. `in_group`: a ":" opens none. */
static enum end take_item(struct slice *rest, bool in_group, struct slice *out, uint32_t *oddities)
{
	const struct slice whole = *rest;
	struct lexer       lexer = { .rest = whole };
	bool               angle = false, route = false, at = false, opened = false;
	enum end           end = END_BODY;

	for (struct token token = next_token(&lexer); token.kind != TOKEN_END; token = next_token(&lexer)) {
		if (opened) {
			route = token_is(&token, '@');
			opened = false;
		}
		if (token.kind != TOKEN_SPECIAL)
			continue;
		const uint8_t special = token.raw.ptr[0];
		if (special == '<') {
			angle = true;
			opened = true;
		} else if (special == '>') {
			angle = false;
		} else if (special == '@') {
			at = true;
		} else if (special == ',' && !(angle && route)) {
			end = END_COMMA;
		} else if (special == ';' && !(angle && route)) {
			end = END_GROUP_CLOSE;
		} else if (special == ':' && !angle && !at && !in_group) {
			end = END_GROUP_OPEN;
		}
		/* The ":" that ends a route is passed; inside the brackets commas part items again. */
		if (special == ':' && angle)
			route = false;
		if (end != END_BODY)
			break;
	}
	const size_t bytes = whole.len - lexer.rest.len;
	*out = slice_take(whole, end == END_BODY ? whole.len : bytes - 1);
	*rest = end == END_BODY ? (struct slice){ NULL, 0 } : lexer.rest;
	*oddities |= lexer.oddities & (ADDRESS_ODD_UNCLOSED | ADDRESS_ODD_COMMENT | ADDRESS_ODD_LIMIT);
	return end;
}

static void read_list(struct reader *reader, struct slice body)
{
	bool     in_group = false, after_group = false, first = true;
	enum end end = END_COMMA;

	while (end != END_BODY) {
		struct slice item;
		end = take_item(&body, in_group, &item, &reader->oddities);
		const bool empty = !holds_tokens(item);
		if (end == END_GROUP_OPEN) {
			reader->groups++;
			reader->oddities |= ADDRESS_ODD_GROUP;
			reader->group = build_phrase(reader, item, &reader->oddities);
			in_group = true;
			first = true;
			continue;
		}
		if (!empty)
			read_item(reader, item);
		else if (!after_group && !(first && end != END_COMMA))
			reader->oddities |= ADDRESS_ODD_EMPTY_ITEM;
		if (!empty && after_group)
			reader->oddities |= ADDRESS_ODD_BROKEN;
		first = false;
		after_group = end == END_GROUP_CLOSE;
		if (end == END_GROUP_CLOSE) {
			reader->oddities |= in_group ? 0 : ADDRESS_ODD_BROKEN;
			in_group = false;
			reader->group = (struct slice){ NULL, 0 };
		}
	}
	if (in_group)
		reader->oddities |= ADDRESS_ODD_UNCLOSED;
}

enum rc address_list_read(struct slice body, struct arena *arena, struct address_list *out)
{
	const struct slice bounded = slice_take(body, ADDRESS_LIST_BYTES_MAX);
	struct reader      counter = { .arena = NULL };

	read_list(&counter, bounded);
	struct reader reader = { .arena = arena };
	if (counter.count != 0) {
		reader.items = arena_take(arena, counter.count, sizeof *reader.items);
		if (reader.items == NULL)
			return RC_NOMEM;
	}
	read_list(&reader, bounded);
	if (reader.full)
		return RC_NOMEM;
	must(reader.count == counter.count);
	if (bounded.len != body.len)
		reader.oddities |= ADDRESS_ODD_LIMIT;
	*out = (struct address_list){
		.items = reader.items,
		.count = reader.count,
		.groups = reader.groups,
		.oddities = reader.oddities,
	};
	return RC_OK;
}
