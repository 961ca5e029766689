/* Marks of embedded files, then runs of UTF-16 between them. */
#include "document/onenote.h"

#include "base/buf.h"
#include "document/ole_bytes.h"
#include "document/ole_text.h"

#define GUID_BYTES  16u
#define OBJECT_HEAD 36u /* mark, size, 12 bytes unused */
#define RUN_MIN     4u  /* characters: shorter ones are chance */
#define NAME_MAX    255u
#define TEXT_MAX    (16u << 20)

/* [MS-ONESTORE] sections 2.3.1 and 2.6.13. */
static const struct slice section = SLICE_INIT("\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3");
static const struct slice contents = SLICE_INIT("\xa1\x2f\xff\x43\xd9\xef\x76\x4c\x9e\xe2\x10\xea\x57\x22\x76\x5f");
static const struct slice object = SLICE_INIT("\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac");

/* [MS-ONESTORE] section 2.8.1: guidFileFormat of the other packing. */
static const struct slice packaged = SLICE_INIT("\x2f\xe9\x8d\x63\xd4\xa6\xc1\x4b\x9a\x36\xb3\xfc\x25\x11\xa5\xb7");

bool onenote_is(struct slice file)
{
	return slice_starts(file, section) || slice_starts(file, contents);
}

struct notes {
	struct budget             *budget;
	const struct content_sink *sink;
	struct buf                 text, names;
	size_t                     name_start[ONENOTE_NAMES_MAX + 1];
	size_t                     name_count, name_used;
};

/* "report.hta": one dot near the end, no character that names may not have, letters and digits behind it. */
static bool is_name(struct slice text)
{
	const size_t dot = slice_find_last(text, '.');

	if (dot == 0 || text.len > NAME_MAX || dot + 2 > text.len || text.len - dot > 9)
		return false;
	for (size_t i = dot + 1; i < text.len; i++)
		if (!byte_is_alnum(text.ptr[i]))
			return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < ' ' || text.ptr[i] == '\\' || text.ptr[i] == '/' || text.ptr[i] == '<' ||
		    text.ptr[i] == ':')
			return false;
	return true;
}

static bool name_known(const struct notes *n, struct slice name)
{
	for (size_t i = 0; i < n->name_count; i++)
		if (slice_eq(name, slice_cut(buf_slice(&n->names), n->name_start[i],
		                             n->name_start[i + 1] - n->name_start[i])))
			return true;
	return false;
}

static void name_keep(struct notes *n, struct slice name)
{
	if (n->name_count >= ONENOTE_NAMES_MAX || name_known(n, name))
		return;
	n->name_start[n->name_count++] = n->names.len;
	buf_put(&n->names, name);
	n->name_start[n->name_count] = n->names.len;
}

static bool is_character(unsigned code)
{
	return (code >= 0x20 && code < 0xd800 && code != 0x7f && !(code >= 0x80 && code < 0xa0)) || code == 9 ||
	       code == 10 || code == 13;
}

/* Chance makes runs of rare characters: text is mostly ASCII, or its size stands in front of it ([MS-ONESTORE] section 2.6.6). */
static bool is_text(struct slice bytes, size_t begin, struct slice wide)
{
	const size_t size = begin >= 4 ? bytes_u32(bytes, begin - 4) : 0;
	size_t       plain = 0;

	if (size >= wide.len && size <= wide.len + 2)
		return true;
	for (size_t i = 0; i + 2 <= wide.len; i += 2)
		plain += bytes_u16(wide, i) < 0x80;
	return plain * 4 >= wide.len / 2 * 3;
}

/* Runs that begin at an even distance from `bytes`' start; UTF-16 in these files is aligned. */
static enum rc runs_read(struct notes *n, struct slice bytes)
{
	struct buf run = buf_make(TEXT_MAX);
	size_t     start = 0;

	for (size_t at = 0; at <= bytes.len; at += 2) {
		const bool good = at + 2 <= bytes.len && is_character(bytes_u16(bytes, at));
		if (good)
			continue;
		const struct slice wide = slice_cut(bytes, start, at - start);
		const size_t       begin = start;
		start = at + 2;
		if (wide.len < RUN_MIN * 2 || !is_text(bytes, begin, wide))
			continue;
		buf_clear(&run);
		ole_put_utf16(wide, &run);
		if (is_name(buf_slice(&run)))
			name_keep(n, buf_slice(&run));
		buf_put(&n->text, buf_slice(&run));
		buf_put_byte(&n->text, '\n');
	}
	buf_done(&run);
	return n->text.failed ? RC_LIMIT : RC_OK;
}

/* Text in plain bytes: its size stands in front of it ([MS-ONE] section 2.3.55). */
static void plain_read(struct notes *n, struct slice bytes)
{
	for (size_t at = 4; at < bytes.len;) {
		size_t size = 0;
		while (at + size < bytes.len && (byte_is_print(bytes.ptr[at + size]) || bytes.ptr[at + size] == '\n' ||
		                                 bytes.ptr[at + size] == '\r' || bytes.ptr[at + size] == '\t'))
			size++;
		if (size >= RUN_MIN && bytes_u32(bytes, at - 4) >= size && bytes_u32(bytes, at - 4) <= size + 2) {
			buf_put(&n->text, slice_cut(bytes, at, size));
			buf_put_byte(&n->text, '\n');
		}
		at += size + 1;
	}
}

/* Where the next embedded file begins in `rest`, or its end. */
static size_t object_find(struct slice rest)
{
	return slice_search(rest, object);
}

/* First the texts between, which have the names; then the files, in their order. */
static enum rc texts_read(struct notes *n, struct slice file)
{
	struct slice rest = file;
	enum rc      rc = RC_OK;

	while (rc == RC_OK && rest.len != 0) {
		const size_t       at = object_find(rest);
		const struct slice between = slice_take(rest, at);
		rc = runs_read(n, between);
		plain_read(n, between);
		const size_t size = bytes_u64(rest, at + GUID_BYTES) > rest.len
		                            ? rest.len
		                            : (size_t)bytes_u64(rest, at + GUID_BYTES);
		rest = slice_drop(rest, at + OBJECT_HEAD + size);
		/* The next one begins at an even place of the file, too. */
		if ((size & 1) != 0)
			rest = slice_drop(rest, 1);
	}
	return rc;
}

static bool is_picture(struct slice bytes)
{
	return slice_starts(bytes, SLICE("\x89PNG")) || slice_starts(bytes, SLICE("\xff\xd8\xff")) ||
	       slice_starts(bytes, SLICE("GIF8")) || slice_starts(bytes, SLICE("BM")) ||
	       slice_starts(bytes, SLICE("\x01\0\0\0")) || slice_starts(bytes, SLICE("II*")) ||
	       slice_starts(bytes, SLICE("\xd7\xcd\xc6\x9a"));
}

static enum rc objects_read(struct notes *n, struct slice file)
{
	struct slice rest = file;
	enum rc      rc = RC_OK;

	for (size_t at = object_find(rest); rc == RC_OK && at < rest.len; at = object_find(rest)) {
		const uint64_t        claimed = bytes_u64(rest, at + GUID_BYTES);
		const struct slice    data = slice_drop(rest, at + OBJECT_HEAD);
		struct content_member member = {
			.bytes = slice_take(data, claimed > data.len ? data.len : (size_t)claimed), .claimed = claimed
		};
		if (claimed > data.len)
			member.flags = CONTENT_MEMBER_CUT;
		/* Pictures have no names; of other files the names come in the same order, as OneNote writes them. */
		if (!is_picture(member.bytes) && n->name_used < n->name_count) {
			const size_t start = n->name_start[n->name_used], end = n->name_start[n->name_used + 1];
			member.name = slice_cut(buf_slice(&n->names), start, end - start);
			n->name_used++;
		}
		/* Files may lie on each other: all of them together are charged. */
		if (!budget_take(n->budget, BUDGET_BYTES, member.bytes.len))
			return RC_LIMIT;
		if (!is_picture(member.bytes) && member.bytes.len != 0)
			rc = sink_fact(n->sink, CONTENT_FACT_OFFICE_PACKAGE, member.name);
		if (rc == RC_OK && member.bytes.len != 0)
			rc = sink_member(n->sink, n->budget, &member);
		/* A size that lies hides nothing behind it: the next mark may stand anywhere. */
		rest = data;
	}
	return rc;
}

/* Sections that come from the cloud are packed in another way, without marks: files are known by how they begin ([MS-ONESTORE] section 2.8). */
static enum rc packaged_read(struct notes *n, struct slice file)
{
	static const struct slice starts[] = {
		SLICE_INIT("\x89PNG\r\n"), SLICE_INIT("\xff\xd8\xff\xe0"),
		SLICE_INIT("PK\3\4"),      SLICE_INIT("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
		SLICE_INIT("%PDF-"),       SLICE_INIT("{\\rtf"),
		SLICE_INIT("MZ\x90"),      SLICE_INIT("L\0\0\0\1\x14\2\0"),
	};
	size_t  begin = file.len;
	enum rc rc = RC_OK;

	for (size_t at = 0; rc == RC_OK && at <= file.len; at++) {
		bool found = at == file.len;
		for (size_t i = 0; !found && i < sizeof starts / sizeof starts[0]; i++)
			found = file.ptr[at] == starts[i].ptr[0] && slice_starts(slice_drop(file, at), starts[i]);
		if (!found)
			continue;
		/* It goes on to where the next one begins: its own format knows its end. */
		if (begin < at)
			rc = sink_member(n->sink, n->budget,
			                 &(struct content_member){ .bytes = slice_cut(file, begin, at - begin) });
		begin = at;
	}
	return rc;
}

enum rc onenote_open(struct slice file, struct budget *budget, const struct content_sink *sink)
{
	struct notes n = { .budget = budget,
		           .sink = sink,
		           .text = buf_make(TEXT_MAX),
		           .names = buf_make((NAME_MAX + 1) * ONENOTE_NAMES_MAX * 3u) };

	if (!onenote_is(file))
		return RC_SYNTAX;
	if (!budget_take(budget, BUDGET_STEPS, (uint64_t)file.len * 2))
		return RC_LIMIT;
	enum rc rc = texts_read(&n, file);
	if (rc == RC_OK || rc == RC_LIMIT)
		rc = sink_text(sink, CONTENT_PLACE_BODY, buf_slice(&n.text));
	for (size_t i = 0; rc == RC_OK && i < n.name_count; i++)
		rc = sink_text(sink, CONTENT_PLACE_NAME,
		               slice_cut(buf_slice(&n.names), n.name_start[i], n.name_start[i + 1] - n.name_start[i]));
	if (rc == RC_OK)
		rc = slice_eq(slice_cut(file, 48, GUID_BYTES), packaged) ? packaged_read(&n, file)
		                                                         : objects_read(&n, file);
	buf_done(&n.text);
	buf_done(&n.names);
	return rc;
}
