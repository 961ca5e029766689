/* [MS-SHLLINK] section 2, and lines of "key=value". */
#include "document/shortcut.h"

#include "base/cursor.h"
#include "document/ole_bytes.h"
#include "document/ole_text.h"

#define LNK_HEAD 0x4cu
/* Section 2.1.1. */
#define HAS_ID_LIST   0x01u
#define HAS_LINK_INFO 0x02u
#define HAS_NAME      0x04u
#define HAS_RELATIVE  0x08u
#define HAS_FOLDER    0x10u
#define HAS_ARGUMENTS 0x20u
#define HAS_ICON      0x40u
#define IS_UNICODE    0x80u

#define BLOCKS_MAX     64u
#define ENVIRONMENT    0xa0000001u /* section 2.5.4 */
#define ICON_BLOCK     0xa0000007u
#define PATH_BYTES_MAX ((size_t)65536 * 3)

struct lnk {
	const struct content_sink *sink;
	bool                       target; /* something to start was told */
};

bool shortcut_lnk_is(struct slice bytes)
{
	return slice_starts(bytes, SLICE("\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"));
}

/* Is it on a server, or an address? */
static bool is_remote(struct slice path)
{
	return (slice_starts(path, SLICE("\\\\")) && path.len > 3) || (slice_starts(path, SLICE("//")) && path.len > 3) ||
	       slice_search(path, SLICE("://")) < path.len;
}

static enum rc tell_line(const struct content_sink *sink, const char *word, struct slice text)
{
	enum rc rc = sink_text(sink, CONTENT_PLACE_SCRIPT, slice_str(word));

	if (rc == RC_OK)
		rc = sink_text(sink, CONTENT_PLACE_SCRIPT, text);
	return rc == RC_OK ? sink_text(sink, CONTENT_PLACE_SCRIPT, SLICE("\n")) : rc;
}

static enum rc tell_remote(const struct content_sink *sink, struct slice path)
{
	if (!is_remote(path))
		return RC_OK;
	const enum rc rc = sink_fact(sink, CONTENT_FACT_SHORTCUT_REMOTE, path);
	return rc == RC_OK ? sink_link(sink, CONTENT_PLACE_REFERENCE, path, slice_of(NULL, 0)) : rc;
}

static enum rc tell_target(struct lnk *lnk, struct slice path)
{
	enum rc rc = RC_OK;

	if (path.len == 0)
		return RC_OK;
	if (!lnk->target)
		rc = sink_fact(lnk->sink, CONTENT_FACT_SHORTCUT_TARGET, path);
	lnk->target = true;
	if (rc == RC_OK)
		rc = tell_line(lnk->sink, "target: ", path);
	return rc == RC_OK ? tell_remote(lnk->sink, path) : rc;
}

/* Is there a run of blanks that long? Line ends and tabs count, too: they are what such shortcuts are filled with. */
static bool has_gap(struct slice text)
{
	unsigned run = 0;

	for (size_t i = 0; i < text.len; i++) {
		run = text.ptr[i] <= ' ' ? run + 1 : 0;
		if (run >= SHORTCUT_BLANKS_MAX)
			return true;
	}
	return false;
}

/* Words in a text that are addresses: "http://..." up to a blank or a quote. */
static enum rc tell_addresses(const struct content_sink *sink, struct slice text)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK) {
		const size_t at = slice_search(text, SLICE("://"));
		size_t       start = at, end = at;
		if (at == text.len)
			return RC_OK;
		while (start > 0 && byte_is_alnum(text.ptr[start - 1]))
			start--;
		while (end < text.len && text.ptr[end] > ' ' && text.ptr[end] != '"' && text.ptr[end] != '\'' && text.ptr[end] != ')' &&
		       text.ptr[end] != '<' && text.ptr[end] != '>' && text.ptr[end] != ';')
			end++;
		if (start < at)
			rc = sink_link(sink, CONTENT_PLACE_SCRIPT, slice_cut(text, start, end - start), slice_of(NULL, 0));
		text = slice_drop(text, end);
	}
	return rc;
}

static enum rc tell_arguments(const struct lnk *lnk, struct slice text)
{
	enum rc rc = RC_OK;

	if (text.len > SHORTCUT_ARGUMENTS_SHOWN || has_gap(text))
		rc = sink_fact(lnk->sink, CONTENT_FACT_SHORTCUT_HIDDEN, text);
	if (rc == RC_OK)
		rc = tell_line(lnk->sink, "arguments: ", text);
	return rc == RC_OK ? tell_addresses(lnk->sink, text) : rc;
}

static enum rc tell_icon(const struct lnk *lnk, struct slice text)
{
	enum rc rc = text.len == 0 ? RC_OK : sink_fact(lnk->sink, CONTENT_FACT_SHORTCUT_ICON, text);

	if (rc == RC_OK)
		rc = tell_line(lnk->sink, "icon: ", text);
	return rc == RC_OK ? tell_remote(lnk->sink, text) : rc;
}

/* A NUL-terminated text of a block, 8-bit or UTF-16, as UTF-8. */
static void put_block_text(struct slice text, bool wide, struct buf *out)
{
	if (!wide) {
		ole_put_codepage(1252, slice_take(text, slice_find(text, 0)), out);
		return;
	}
	size_t size = 0;
	while (size + 2 <= text.len && (text.ptr[size] != 0 || text.ptr[size + 1] != 0))
		size += 2;
	ole_put_utf16(slice_take(text, size), out);
}

/* LinkInfo, section 2.3: a path on a volume, or a share and what is behind it. */
static enum rc read_link_info(struct lnk *lnk, struct slice info)
{
	struct buf     path = buf_make(PATH_BYTES_MAX);
	const uint32_t flags = bytes_u32(info, 8), local = bytes_u32(info, 16), network = bytes_u32(info, 20), suffix = bytes_u32(info, 24);

	if ((flags & 1) != 0)
		put_block_text(slice_drop(info, local), false, &path);
	if ((flags & 2) != 0) {
		const struct slice share = slice_drop(info, network);
		put_block_text(slice_drop(share, bytes_u32(share, 8)), false, &path);
		if (path.len != 0)
			buf_put_byte(&path, '\\');
	}
	put_block_text(slice_drop(info, suffix), false, &path);
	const enum rc rc = tell_target(lnk, buf_slice(&path));
	buf_done(&path);
	return rc;
}

/* StringData, section 2.4: a count of characters, then those. */
static enum rc read_string(struct lnk *lnk, struct cursor *c, uint32_t which, bool wide)
{
	struct buf         text = buf_make(PATH_BYTES_MAX);
	const size_t       count = cursor_u16(c);
	const struct slice raw = slice_take(c->rest, wide ? count * 2 : count);
	enum rc            rc = RC_OK;

	(void)cursor_bytes(c, wide ? count * 2 : count);
	if (wide)
		ole_put_utf16(raw, &text);
	else
		ole_put_codepage(1252, raw, &text);
	if (which == HAS_ARGUMENTS)
		rc = tell_arguments(lnk, buf_slice(&text));
	else if (which == HAS_ICON)
		rc = tell_icon(lnk, buf_slice(&text));
	else if (which == HAS_RELATIVE)
		rc = tell_target(lnk, buf_slice(&text));
	else
		rc = tell_line(lnk->sink, which == HAS_NAME ? "name: " : "folder: ", buf_slice(&text));
	buf_done(&text);
	return rc;
}

/* Blocks behind the strings: the target and the icon may stand there once more, and differently. */
static enum rc read_blocks(struct lnk *lnk, struct cursor *c)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < BLOCKS_MAX && rc == RC_OK; i++) {
		const struct slice all = c->rest;
		const uint32_t     size = bytes_u32(all, 0);
		if (size < 4) { /* the terminal block, or none */
			c->rest = slice_drop(all, 4);
			return RC_OK;
		}
		const struct slice block = slice_take(all, size);
		c->rest = slice_drop(all, size);
		const uint32_t kind = bytes_u32(block, 4);
		if (kind != ENVIRONMENT && kind != ICON_BLOCK)
			continue;
		struct buf         text = buf_make(PATH_BYTES_MAX);
		const struct slice unicode = slice_cut(block, 8 + 260, 520);
		put_block_text(unicode, true, &text);
		if (text.len == 0)
			put_block_text(slice_cut(block, 8, 260), false, &text);
		rc = kind == ENVIRONMENT ? tell_target(lnk, buf_slice(&text)) : tell_icon(lnk, buf_slice(&text));
		buf_done(&text);
	}
	return rc;
}

/* The list of shell items: names in it are told as they stand, since only they are there when the rest is left out. */
static enum rc read_id_list(struct lnk *lnk, struct slice list)
{
	struct buf text = buf_make(PATH_BYTES_MAX);
	enum rc    rc = RC_OK;

	while (list.len >= 2 && bytes_u16(list, 0) > 2) {
		const struct slice item = slice_take(list, bytes_u16(list, 0));
		const uint8_t      kind = bytes_u8(item, 2);
		list = slice_drop(list, item.len);
		if (text.len != 0 && slice_last(buf_slice(&text)) != '\\')
			buf_put_byte(&text, '\\');
		if ((kind & 0x70) == 0x20) /* a drive: "C:\" */
			put_block_text(slice_drop(item, 3), false, &text);
		else if ((kind & 0x70) == 0x30) /* a file or folder */
			put_block_text(slice_drop(item, 14), (kind & 4) != 0, &text);
		else if ((kind & 0x70) == 0x40) /* a share */
			put_block_text(slice_drop(item, 5), false, &text);
		else if (kind == 0x61) /* an address */
			put_block_text(slice_drop(item, 6), (bytes_u8(item, 5) & 0x80) != 0, &text);
	}
	if (text.len != 0)
		rc = tell_target(lnk, buf_slice(&text));
	buf_done(&text);
	return rc;
}

enum rc shortcut_lnk_open(struct slice bytes, struct budget *budget, const struct content_sink *sink)
{
	static const uint32_t strings[] = { HAS_NAME, HAS_RELATIVE, HAS_FOLDER, HAS_ARGUMENTS, HAS_ICON };
	struct lnk            lnk = { .sink = sink };
	struct cursor         c = cursor_on(slice_drop(bytes, LNK_HEAD));
	const uint32_t        flags = bytes_u32(bytes, 0x14);
	enum rc               rc = RC_OK;

	if (!shortcut_lnk_is(bytes))
		return RC_SYNTAX;
	if (!budget_take(budget, BUDGET_STEPS, bytes.len))
		return RC_LIMIT;
	if ((flags & HAS_ID_LIST) != 0) {
		const size_t size = cursor_u16(&c);
		rc = read_id_list(&lnk, slice_take(c.rest, size));
		(void)cursor_bytes(&c, size);
	}
	if ((flags & HAS_LINK_INFO) != 0 && rc == RC_OK) {
		const uint32_t size = bytes_u32(c.rest, 0);
		rc = read_link_info(&lnk, slice_take(c.rest, size));
		(void)cursor_bytes(&c, size);
	}
	for (size_t i = 0; i < sizeof strings / sizeof strings[0] && rc == RC_OK && !c.failed; i++) {
		if ((flags & strings[i]) != 0)
			rc = read_string(&lnk, &c, strings[i], (flags & IS_UNICODE) != 0);
	}
	if (rc == RC_OK && !c.failed)
		rc = read_blocks(&lnk, &c);
	if (rc == RC_OK && c.failed)
		rc = sink_fact(sink, CONTENT_FACT_DAMAGED, slice_of(NULL, 0));
	else if (rc == RC_OK && c.rest.len != 0) {
		rc = sink_fact(sink, CONTENT_FACT_SHORTCUT_TRAILING, c.rest);
		if (rc == RC_OK)
			rc = sink_member(sink, budget, &(struct content_member){ .bytes = c.rest, .flags = CONTENT_MEMBER_HIDDEN });
	}
	return rc;
}

bool shortcut_text_is(struct slice bytes)
{
	const struct slice head = slice_take(bytes, SHORTCUT_TEXT_BYTES_MAX);

	return slice_search_nocase(head, SLICE("[InternetShortcut")) < head.len || slice_search(head, SLICE("[Desktop Entry]")) < head.len ||
	       (slice_search(head, SLICE("<plist")) < head.len && slice_search(head, SLICE("<key>URL</key>")) < head.len);
}

/* One line of "key=value". */
static enum rc read_line(struct lnk *lnk, struct slice line)
{
	const struct slice key = slice_trim(slice_take(line, slice_find(line, '=')));
	const struct slice value = slice_trim(slice_drop(line, slice_find(line, '=') + 1));

	if (value.len == 0)
		return RC_OK;
	if (slice_eq_nocase(key, SLICE("URL")) || slice_eq_nocase(key, SLICE("BASEURL"))) {
		const enum rc rc = sink_link(lnk->sink, CONTENT_PLACE_BODY, value, slice_of(NULL, 0));
		if (rc != RC_OK || !(slice_starts_nocase(value, SLICE("file:")) || slice_starts(value, SLICE("\\\\"))))
			return rc;
		return sink_fact(lnk->sink, CONTENT_FACT_SHORTCUT_REMOTE, value);
	}
	if (slice_eq_nocase(key, SLICE("IconFile")) || slice_eq_nocase(key, SLICE("Icon")))
		return tell_icon(lnk, value);
	if (slice_eq_nocase(key, SLICE("Exec")) || slice_eq_nocase(key, SLICE("TryExec")))
		return tell_target(lnk, value);
	if (slice_eq_nocase(key, SLICE("WorkingDirectory")) || slice_eq_nocase(key, SLICE("Path"))) {
		const enum rc rc = tell_line(lnk->sink, "folder: ", value);
		return rc == RC_OK ? tell_remote(lnk->sink, value) : rc;
	}
	return RC_OK;
}

enum rc shortcut_text_open(struct slice bytes, struct budget *budget, const struct content_sink *sink)
{
	struct lnk   lnk = { .sink = sink };
	struct slice rest = slice_take(bytes, SHORTCUT_TEXT_BYTES_MAX);
	enum rc      rc = RC_OK;

	if (!shortcut_text_is(bytes))
		return RC_SYNTAX;
	if (!budget_take(budget, BUDGET_STEPS, rest.len))
		return RC_LIMIT;
	const size_t key = slice_search(rest, SLICE("<key>URL</key>"));
	if (key < rest.len) {
		rest = slice_drop(rest, slice_search(rest, SLICE("<string>")));
		const struct slice value = slice_drop(rest, 8);
		return sink_link(sink, CONTENT_PLACE_BODY, slice_take(value, slice_find(value, '<')), slice_of(NULL, 0));
	}
	while (rest.len != 0 && rc == RC_OK)
		rc = read_line(&lnk, slice_until(&rest, '\n'));
	return rc;
}
