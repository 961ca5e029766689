/* LZ77 over a window of 4 KiB that begins with RTF's own words; then control words, of which few matter. */
#include "document/outlook_rtf.h"

#include "base/cursor.h"
#include "document/pdf_value.h"

#define WINDOW 4096u
#define PACKED 0x75465a4cu /* "LZFu" */
#define PLAIN  0x414c454du /* "MELA" */
/* Groups in groups. */
#define GROUPS_MAX 256u

/* [MS-OXRTFCP] section 2.1.2.1. */
static const char begins[] = "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
			     "\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
			     "\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

enum rc outlook_rtf_unpack(struct slice bytes, struct budget *budget, struct buf *out)
{
	struct cursor  c = cursor_on(bytes);
	uint8_t        window[WINDOW] = { 0 };
	const size_t   begin = sizeof begins - 1, start = out->len;
	const uint32_t packed_size = cursor_u32(&c), size = cursor_u32(&c), kind = cursor_u32(&c);

	(void)cursor_u32(&c); /* checksum: readers do not look at it */
	(void)packed_size;
	if (c.failed || (kind != PACKED && kind != PLAIN))
		return RC_SYNTAX;
	if (kind == PLAIN) {
		buf_put(out, slice_take(c.rest, size));
		return out->failed || !budget_take(budget, BUDGET_BYTES, out->len - start) ? RC_LIMIT : RC_OK;
	}
	memcpy(window, begins, begin);
	unsigned at = (unsigned)begin;
	while (!c.failed && c.rest.len != 0 && !out->failed) {
		const uint8_t flags = cursor_u8(&c);
		const size_t  before = out->len;
		for (unsigned bit = 0; bit < 8 && c.rest.len != 0; bit++) {
			if ((flags & 1u << bit) == 0) {
				window[at] = cursor_u8(&c);
				buf_put_byte(out, window[at]);
				at = (at + 1) % WINDOW;
				continue;
			}
			const unsigned high = cursor_u8(&c), low = cursor_u8(&c);
			unsigned       from = high << 4 | low >> 4;
			if (c.failed || from == at)
				return out->failed ? RC_LIMIT : RC_OK;
			for (unsigned count = (low & 15) + 2; count != 0; count--, from = (from + 1) % WINDOW, at = (at + 1) % WINDOW) {
				window[at] = window[from];
				buf_put_byte(out, window[at]);
			}
		}
		if (!budget_take(budget, BUDGET_BYTES, out->len - before) || !budget_take(budget, BUDGET_STEPS, out->len - before + 1))
			return RC_LIMIT;
	}
	return out->failed ? RC_LIMIT : RC_OK;
}

/* What a group hides. */
struct group {
	bool htmltag;  /* \*\htmltag: its text is HTML */
	bool ignored;  /* another \* destination, or a table of fonts and the like */
	bool rtf_only; /* between \htmlrtf and \htmlrtf0: for readers of RTF */
	unsigned skip; /* \ucN: so many characters behind \u are its stand-in */
};

struct unwrap {
	struct slice rest;
	struct group groups[GROUPS_MAX];
	size_t       depth;
	bool         from_html, from_text;
	bool         starred; /* \* stood right before */
	unsigned     skip;    /* stand-ins that still come */
	uint32_t     high;    /* the first half of a pair of surrogates */
	struct buf  *out;
};

static struct group *top(struct unwrap *u)
{
	return &u->groups[u->depth];
}

static void put(struct unwrap *u, struct slice text)
{
	const struct group *g = top(u);

	if (!g->ignored && !g->rtf_only)
		buf_put(u->out, text);
}

static void put_char(struct unwrap *u, uint32_t code)
{
	const struct group *g = top(u);

	if (g->ignored || g->rtf_only)
		return;
	if (code >= 0xd800 && code < 0xdc00) {
		u->high = code;
		return;
	}
	if (code >= 0xdc00 && code < 0xe000 && u->high != 0)
		code = 0x10000 + ((u->high - 0xd800) << 10) + (code - 0xdc00);
	u->high = 0;
	pdf_put_code(u->out, code);
}

static void open_group(struct unwrap *u)
{
	if (u->depth + 1 < GROUPS_MAX) {
		u->groups[u->depth + 1] = u->groups[u->depth];
		u->depth++;
	}
	u->starred = false;
}

/* A word's letters and number; moves behind them and the blank that ends them. */
static struct slice take_word(struct unwrap *u, bool *numbered, int32_t *number)
{
	size_t  size = 0;
	int64_t value = 0;

	while (size < u->rest.len && byte_is_alpha(u->rest.ptr[size]))
		size++;
	const struct slice word = slice_take(u->rest, size);
	const bool         minus = slice_at(u->rest, size) == '-';
	size += minus;
	*numbered = false;
	for (; size < u->rest.len && byte_is_digit(u->rest.ptr[size]); size++) {
		*numbered = true;
		if (value < INT32_MAX)
			value = value * 10 + (u->rest.ptr[size] - '0');
	}
	*number = (int32_t)(value > INT32_MAX ? INT32_MAX : value) * (minus ? -1 : 1);
	u->rest = slice_drop(u->rest, size + (slice_at(u->rest, size) == ' '));
	return word;
}

static bool is_table(struct slice word)
{
	static const char *const tables[] = { "fonttbl", "colortbl", "stylesheet", "info", "pict", "listtable", "themedata" };

	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		if (slice_eq(word, slice_str(tables[i])))
			return true;
	}
	return false;
}

static void control_word(struct unwrap *u)
{
	bool               numbered;
	int32_t            number;
	const struct slice word = take_word(u, &numbered, &number);

	if (slice_eq(word, SLICE("fromhtml")))
		u->from_html = true;
	else if (slice_eq(word, SLICE("fromtext")))
		u->from_text = true;
	else if (slice_eq(word, SLICE("htmlrtf")))
		top(u)->rtf_only = !numbered || number != 0;
	else if (slice_eq(word, SLICE("htmltag"))) {
		top(u)->htmltag = true;
		top(u)->ignored = false;
	} else if (u->starred || is_table(word))
		top(u)->ignored = true;
	else if (slice_eq(word, SLICE("uc")))
		top(u)->skip = number >= 0 && number < 16 ? (unsigned)number : 1;
	else if (slice_eq(word, SLICE("u"))) {
		put_char(u, (uint32_t)number & 0xffff);
		u->skip = top(u)->skip;
	} else if (slice_eq(word, SLICE("par")) || slice_eq(word, SLICE("line")))
		put(u, SLICE("\r\n"));
	else if (slice_eq(word, SLICE("tab")))
		put(u, SLICE("\t"));
	u->starred = false;
}

static int hex_digit(int byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte |= 0x20;
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* What stands behind a backslash. */
static void control(struct unwrap *u)
{
	const int next = slice_at(u->rest, 0);

	if (next >= 0 && byte_is_alpha((uint8_t)next)) {
		control_word(u);
		return;
	}
	u->rest = slice_drop(u->rest, 1);
	if (next == '*') {
		u->starred = true;
	} else if (next == '\'') {
		const int high = hex_digit(slice_at(u->rest, 0)), low = hex_digit(slice_at(u->rest, 1));
		u->rest = slice_drop(u->rest, 2);
		if (u->skip != 0)
			u->skip--;
		else if (high >= 0 && low >= 0)
			put(u, slice_of(&(uint8_t){ (uint8_t)(high << 4 | low) }, 1));
	} else if (next == '~') {
		put(u, SLICE("&nbsp;"));
	} else if (next == '\\' || next == '{' || next == '}') {
		put(u, slice_of(&(uint8_t){ (uint8_t)next }, 1));
	} else if (next == '\r' || next == '\n') {
		put(u, SLICE("\r\n"));
	}
}

enum rc outlook_rtf_unwrap(struct slice rtf, struct buf *out, bool *html)
{
	struct unwrap u = { .rest = rtf, .out = out };
	const size_t  start = out->len;
	/* The mark stands among the first words ([MS-OXRTFEX] section 2.1.3.1). */
	const struct slice head = slice_take(rtf, 1024);

	if (slice_search(head, SLICE("\\fromhtml")) == head.len && slice_search(head, SLICE("\\fromtext")) == head.len)
		return RC_NOTFOUND;
	u.groups[0].skip = 1;
	while (u.rest.len != 0 && !out->failed) {
		const uint8_t byte = u.rest.ptr[0];
		u.rest = slice_drop(u.rest, 1);
		if (byte == '{') {
			open_group(&u);
		} else if (byte == '}') {
			u.depth -= u.depth != 0;
		} else if (byte == '\\') {
			control(&u);
		} else if (byte != '\r' && byte != '\n') {
			if (u.skip != 0)
				u.skip--;
			else
				put(&u, slice_of(&byte, 1));
		}
	}
	*html = u.from_html;
	if (!u.from_html && !u.from_text) {
		buf_truncate(out, start);
		return RC_NOTFOUND;
	}
	return out->failed ? RC_LIMIT : RC_OK;
}
