/* Where links begin: schemes with "//" and without. Bare names and mail addresses: find_name.c. */
#include "link/find_start.h"

#define SCHEME_CHARACTERS 24u
#define USERINFO_MAX      256u

enum scheme_form {
	FORM_HOST,   /* "//" and a host */
	FORM_FREE,   /* "//" and anything */
	FORM_MAIL,   /* an address */
	FORM_NUMBER, /* a telephone number */
	FORM_OPAQUE, /* anything */
};

struct scheme {
	struct slice     name;
	enum scheme_form form;
	struct slice     means; /* the scheme it is a disguise of, or empty */
};

#define S(name, form)        { SLICE_INIT(name), form, { NULL, 0 } }
#define FAKE(name, means)    { SLICE_INIT(name), FORM_HOST, SLICE_INIT(means) }

/* Schemes that some client makes clickable, or that start a program on a reader's device. */
static const struct scheme schemes[] = {
	S("https", FORM_HOST),      S("http", FORM_HOST),      S("ftp", FORM_HOST),       S("ftps", FORM_HOST),
	S("sftp", FORM_HOST),       S("wss", FORM_HOST),       S("ws", FORM_HOST),        S("rtsp", FORM_HOST),
	S("rtmp", FORM_HOST),       S("ssh", FORM_HOST),       S("telnet", FORM_HOST),    S("ldap", FORM_HOST),
	S("ldaps", FORM_HOST),      S("git", FORM_HOST),       S("svn", FORM_HOST),       S("irc", FORM_HOST),
	S("rdp", FORM_HOST),        S("vnc", FORM_HOST),       S("webcal", FORM_HOST),    S("davs", FORM_HOST),
	S("dav", FORM_HOST),        S("file", FORM_FREE),      S("smb", FORM_FREE),       S("weixin", FORM_FREE),
	S("wechat", FORM_FREE),     S("alipay", FORM_FREE),    S("alipays", FORM_FREE),   S("alipayqr", FORM_FREE),
	S("dingtalk", FORM_FREE),   S("taobao", FORM_FREE),    S("tbopen", FORM_FREE),    S("openapp.jdmobile", FORM_FREE),
	S("mqq", FORM_FREE),        S("mqqapi", FORM_FREE),    S("mqqwpa", FORM_FREE),    S("tencent", FORM_FREE),
	S("wxwork", FORM_FREE),     S("lark", FORM_FREE),      S("feishu", FORM_FREE),    S("snssdk1128", FORM_FREE),
	S("sinaweibo", FORM_FREE),  S("baiduboxapp", FORM_FREE), S("bilibili", FORM_FREE), S("tg", FORM_FREE),
	S("whatsapp", FORM_FREE),   S("line", FORM_FREE),      S("viber", FORM_FREE),     S("zoommtg", FORM_FREE),
	S("zoomus", FORM_FREE),     S("msteams", FORM_FREE),   S("slack", FORM_FREE),     S("intent", FORM_FREE),
	S("market", FORM_FREE),     S("itms", FORM_FREE),      S("itms-apps", FORM_FREE), S("itms-services", FORM_FREE),
	S("ed2k", FORM_FREE),       S("thunder", FORM_FREE),   S("flashget", FORM_FREE),  S("onenote", FORM_FREE),
	S("mailto", FORM_MAIL),     S("tel", FORM_NUMBER),     S("sms", FORM_NUMBER),     S("smsto", FORM_NUMBER),
	S("callto", FORM_NUMBER),   S("facetime", FORM_NUMBER), S("skype", FORM_OPAQUE),  S("sip", FORM_OPAQUE),
	S("sips", FORM_OPAQUE),     S("xmpp", FORM_OPAQUE),    S("magnet", FORM_OPAQUE),  S("bitcoin", FORM_OPAQUE),
	S("ethereum", FORM_OPAQUE), S("news", FORM_OPAQUE),    S("search-ms", FORM_OPAQUE), S("ms-appinstaller", FORM_OPAQUE),
	S("ms-word", FORM_OPAQUE),  S("ms-excel", FORM_OPAQUE), S("ms-powerpoint", FORM_OPAQUE), S("ms-msdt", FORM_OPAQUE),
	S("ms-officecmd", FORM_OPAQUE), S("ms-settings", FORM_OPAQUE), S("vscode", FORM_OPAQUE),
	FAKE("hxxp", "http"),       FAKE("hxxps", "https"),    FAKE("hxtp", "http"),      FAKE("htxp", "http"),
	FAKE("hxtps", "https"),     FAKE("htxps", "https"),    FAKE("h**p", "http"),      FAKE("h**ps", "https"),
	FAKE("h++p", "http"),       FAKE("h++ps", "https"),    FAKE("h__p", "http"),      FAKE("h__ps", "https"),
	FAKE("h##p", "http"),       FAKE("h##ps", "https"),    FAKE("htp", "http"),       FAKE("htps", "https"),
	FAKE("httpx", "http"),      FAKE("httpss", "https"),   FAKE("htttp", "http"),     FAKE("htttps", "https"),
	FAKE("hppt", "http"),       FAKE("hppts", "https"),    FAKE("meow", "http"),      FAKE("fxp", "ftp"),
	FAKE("f*p", "ftp"),         FAKE("fxps", "ftps"),      FAKE("ttp", "http"),       FAKE("ttps", "https"),
};

static bool is_scheme_character(uint32_t c)
{
	return is_alnum(c) || c == '+' || c == '-' || c == '.' || c == '*' || c == '_' || c == '#';
}

static bool ends_with(const struct link_finder *f, size_t start, size_t end, struct slice name)
{
	if (name.len > end - start)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		const uint32_t c = at(f, end - name.len + i);
		if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != name.ptr[i])
			return false;
	}
	return true;
}

/* The longest scheme we know that ends at `end`, or NULL; a disguise only as a word of its own. */
static const struct scheme *scheme_before(const struct link_finder *f, size_t end, size_t *start)
{
	size_t               word = end;
	const struct scheme *found = NULL;

	while (word > 0 && end - word < SCHEME_CHARACTERS && place_of(f, word - 1) >= f->floor &&
	       is_scheme_character(at(f, word - 1)))
		word--;
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		const struct scheme *scheme = &schemes[i];
		if (!ends_with(f, word, end, scheme->name) || (found != NULL && found->name.len >= scheme->name.len))
			continue;
		if ((scheme->means.len != 0 || scheme->name.len < 4) && word + scheme->name.len != end &&
		    is_alnum(at(f, end - scheme->name.len - 1)))
			continue;
		found = scheme;
	}
	if (found != NULL)
		*start = end - found->name.len;
	return found;
}

/* ":", "[:]", and what slashes follow, "]" of "[://]" among them. */
struct colon {
	size_t scheme_end;
	size_t end;
	size_t slashes;
	bool   bracketed;
};

static struct colon colon_read(const struct link_finder *f, size_t index)
{
	struct colon colon = { .scheme_end = index, .end = index + 1 };

	if (index != 0 && (at(f, index - 1) == '[' || at(f, index - 1) == '(')) {
		colon.bracketed = true;
		colon.scheme_end--;
	}
	for (unsigned i = 0; i < 6; i++) {
		const uint32_t c = at(f, colon.end);
		if (c == '/' || c == '\\')
			colon.slashes++;
		else if (!colon.bracketed || (c != ']' && c != ')'))
			break;
		colon.end++;
	}
	return colon;
}

/* Behind the last "@" of the authority that begins at `index`, or `index`. */
static size_t userinfo_end(const struct link_finder *f, size_t index)
{
	size_t   end = index;
	unsigned open = 0;

	for (size_t i = index; i - index < USERINFO_MAX; i++) {
		const uint32_t c = at(f, i);
		if (is_terminator(c) || c == '/' || c == '\\' || c == '?' || c == '#' || c == '"')
			break;
		/* A bracket closes what was opened before the link: the sentence goes on there. */
		if ((c == ')' || c == ']' || c == '}') && open-- == 0)
			break;
		open += c == '(' || c == '[' || c == '{';
		if (c == '@' && (is_host_character(at(f, i + 1)) || at(f, i + 1) == '['))
			end = i + 1;
	}
	return end;
}

/* "[2001:db8::1]" as a host. */
static void address_read(const struct link_finder *f, size_t index, struct host *host)
{
	*host = (struct host){ .end = index };
	for (size_t i = index; i - index < 50; i++) {
		const uint32_t c = at(f, i);
		if (i != index && c != ']' && c != ':' && c != '.' && !is_alnum(c))
			break;
		host->text[host->count++] = c;
		if (c == ']') {
			host->end = i + 1;
			host->labels = 1;
			return;
		}
	}
	host->count = 0;
}

static enum rc nothing(struct link_finder *f, size_t index)
{
	const size_t place = place_of(f, index);

	if (place > f->at)
		f->at = place;
	return RC_NOTFOUND;
}

/* scheme://user@host:port/path */
static enum rc start_with_host(struct link_finder *f, const struct scheme *scheme, struct draft *draft,
                               const struct colon *colon, struct arena *arena, struct link_found *out)
{
	struct host  host;
	size_t       longer;
	const size_t begin = userinfo_end(f, colon->end);

	if (at(f, begin) == '[' && dot_at(f, begin, false, &(uint32_t){ 0 }) == 0)
		address_read(f, begin, &host);
	else
		host_read(f, begin, false, &host);
	if (host.count == 0 || host.broken || (at(f, begin) != '[' && !host_is_sound(&host)))
		return nothing(f, host.count == 0 ? colon->end : host.end);
	const bool disguised = (host.flags & LINK_DOT_WORD) != 0;
	if ((disguised || colon->slashes < 2 || (draft->flags & LINK_FAKE_SCHEME) != 0 || scheme->form == FORM_MAIL) &&
	    !host.number && !host_is_listed(f, &host))
		return nothing(f, colon->end);
	if (disguised || colon->slashes < 2)
		draft->certainty = LINK_GUESS;
	if (scheme->means.len != 0 || colon->bracketed) {
		draft->head_start = colon->end;
		draft->prefix = SLICE("http://");
		if (slice_eq(scheme->means, SLICE("https")) || slice_eq_nocase(scheme->name, SLICE("https")))
			draft->prefix = SLICE("https://");
		else if (slice_starts(scheme->means, SLICE("ftp")) || slice_starts_nocase(scheme->name, SLICE("ftp")))
			draft->prefix = SLICE("ftp://");
	}
	draft->head_end = begin;
	draft->host = &host;
	draft_tail(f, draft, host.end, &longer);
	const enum rc rc = draft_emit(f, draft, longer, arena, out);
	return rc == RC_NOTFOUND ? nothing(f, host.end) : rc;
}

/* scheme:anything, as far as a link goes. */
static enum rc start_free(struct link_finder *f, struct draft *draft, size_t from, struct arena *arena,
                          struct link_found *out)
{
	size_t longer;

	draft->head_end = from;
	draft->end = tail_end(f, from, false, &longer);
	if (draft->end < from + 2)
		return nothing(f, from);
	draft->span[0][0] = from;
	draft->span[0][1] = draft->end;
	draft->spans = 1;
	draft->kind = LINK_OTHER;
	const enum rc rc = draft_emit(f, draft, longer, arena, out);
	return rc == RC_NOTFOUND ? nothing(f, from) : rc;
}

static enum rc start_number(struct link_finder *f, struct draft *draft, size_t from, struct arena *arena,
                            struct link_found *out)
{
	size_t end = from, digits = 0;

	for (; end - from < 40; end++) {
		const uint32_t c = at(f, end);
		if (is_digit(c))
			digits++;
		else if (c != '+' && c != '-' && c != '(' && c != ')' && c != '.' && c != '*' && c != '#' && c != ',')
			break;
	}
	while (end > from && !is_digit(at(f, end - 1)))
		end--;
	if (digits < 3)
		return nothing(f, from);
	draft->head_end = from;
	draft->end = end;
	draft->span[0][0] = from;
	draft->span[0][1] = end;
	draft->spans = 1;
	draft->kind = LINK_OTHER;
	const enum rc rc = draft_emit(f, draft, end, arena, out);
	return rc == RC_NOTFOUND ? nothing(f, from) : rc;
}

static bool is_mail_character(uint32_t c)
{
	return is_alnum(c) || c == '.' || c == '_' || c == '%' || c == '+' || c == '-' || c == '=' || c == '&' || c == '~' ||
	       (c >= 0xc0 && !is_terminator(c));
}

/* mailto:local@host?fields; any host will do, for the scheme says what it is. */
static enum rc start_mailto(struct link_finder *f, struct draft *draft, size_t from, struct arena *arena,
                            struct link_found *out)
{
	struct host host;
	size_t      sign = from, longer;

	while (sign - from < USERINFO_MAX && (is_mail_character(at(f, sign)) || at(f, sign) == '\''))
		sign++;
	if (sign == from || at(f, sign) != '@')
		return nothing(f, from);
	host_read(f, sign + 1, false, &host);
	if (host.count == 0 || host.broken || !host_is_sound(&host))
		return nothing(f, sign);
	draft->head_end = sign + 1;
	draft->host = &host;
	draft->kind = LINK_EMAIL;
	draft->end = longer = host.end;
	if (at(f, host.end) == '?')
		draft->end = tail_end(f, host.end, false, &longer);
	draft->span[0][0] = host.end;
	draft->span[0][1] = draft->end;
	draft->spans = 1;
	return draft_emit(f, draft, longer, arena, out);
}

enum rc start_colon(struct link_finder *f, size_t index, struct arena *arena, struct link_found *out)
{
	const struct colon   colon = colon_read(f, index);
	size_t               start = 0;
	static const struct scheme unknown = { SLICE_INIT(""), FORM_HOST, SLICE_INIT("http") };
	const struct scheme *scheme = scheme_before(f, colon.scheme_end, &start);
	struct draft         draft = { .kind = LINK_URL, .certainty = LINK_SURE };

	if (scheme == NULL) {
		/* A scheme nobody knows, and a host somebody may have: "hppt://bank.example". */
		if (colon.slashes < 2 || colon.scheme_end == 0 || !is_alnum(at(f, colon.scheme_end - 1)))
			return RC_NOTFOUND;
		scheme = &unknown;
		start = label_start(f, colon.scheme_end, 0);
		if (place_of(f, start) < f->floor)
			return RC_NOTFOUND;
	}
	draft.start = draft.head_start = start;
	if (scheme->means.len != 0 || colon.bracketed) {
		draft.flags |= LINK_FAKE_SCHEME;
		draft.certainty = LINK_GUESS;
	}
	const uint32_t before = start == 0 ? 0 : at(f, start - 1);
	if (is_host_character(before) && before != '-')
		draft.flags |= is_cjk(before) ? LINK_ADJACENT : LINK_IN_WORD;
	if (before == '_')
		draft.certainty = LINK_GUESS;
	for (size_t i = start; i < colon.end; i++)
		draft.flags |= (f->character[i] & WAS_WIDE) != 0 ? LINK_WIDE : 0;
	if ((draft.flags & LINK_WIDE) != 0)
		draft.certainty = LINK_GUESS;
	switch (scheme->form) {
	case FORM_HOST:
		return colon.slashes == 0 ? RC_NOTFOUND : start_with_host(f, scheme, &draft, &colon, arena, out);
	case FORM_FREE:
		return colon.slashes < 2 ? RC_NOTFOUND : start_free(f, &draft, colon.end, arena, out);
	case FORM_MAIL:
		draft.kind = LINK_EMAIL;
		if (colon.slashes != 0)
			return start_with_host(f, scheme, &draft, &colon, arena, out);
		return start_mailto(f, &draft, colon.end, arena, out);
	case FORM_NUMBER:
		return start_number(f, &draft, colon.end, arena, out);
	case FORM_OPAQUE:
		return start_free(f, &draft, colon.end, arena, out);
	}
	return RC_NOTFOUND;
}

enum rc start_slashes(struct link_finder *f, size_t index, struct arena *arena, struct link_found *out)
{
	const uint32_t before = index == 0 ? 0 : at(f, index - 1);
	struct draft   draft = { .start = index, .head_start = index, .head_end = index + 2, .prefix = SLICE("http:"),
		                 .kind = LINK_URL, .certainty = LINK_LIKELY, .flags = LINK_NO_SCHEME };
	struct host    host;
	size_t         longer;

	if (is_alnum(before)) {
		/* "http//evil.com": a scheme that lost its colon. */
		const struct scheme *scheme = scheme_before(f, index, &draft.start);
		if (scheme == NULL || scheme->form != FORM_HOST || scheme->name.len < 4)
			return RC_NOTFOUND;
		draft.head_start = index;
		draft.flags = LINK_FAKE_SCHEME;
		draft.certainty = LINK_GUESS;
	} else if (is_host_character(before) || before == '.') {
		return RC_NOTFOUND;
	}
	host_read(f, index + 2, false, &host);
	if (host.broken || !host_is_sound(&host))
		return nothing(f, host.end);
	if (host.labels < 2 && !(host.count == 9 && (host.text[0] | 0x20) == 'l' && (host.text[8] | 0x20) == 't'))
		return nothing(f, host.end);
	const bool listed = host_is_listed(f, &host);
	if (!listed && draft.start != index)
		return nothing(f, host.end);
	if (listed && draft.start == index)
		draft.certainty = LINK_SURE;
	if ((host.flags & LINK_DOT_WORD) != 0)
		draft.certainty = LINK_GUESS;
	draft.host = &host;
	draft_tail(f, &draft, host.end, &longer);
	const enum rc rc = draft_emit(f, &draft, longer, arena, out);
	return rc == RC_NOTFOUND ? nothing(f, host.end) : rc;
}
