/*
 * The project's directory, then its modules; and what is found without it.
 */
#include "document/vba.h"

#include "base/must.h"
#include "document/ole_bytes.h"
#include "document/ole_text.h"
#include "document/vba_marks.h"

#define DIRECTORY_BYTES_MAX (4u << 20)
#define NAME_BYTES_MAX      192u

/* Record numbers of the directory ([MS-OVBA] section 2.3.4.2). */
enum record {
	RECORD_CODEPAGE = 0x0003,
	RECORD_VERSION = 0x0009,
	RECORD_REFERENCE_REGISTERED = 0x000d,
	RECORD_REFERENCE_PROJECT = 0x000e,
	RECORD_END = 0x0010,
	RECORD_MODULE_NAME = 0x0019,
	RECORD_STREAM_NAME = 0x001a,
	RECORD_MODULE_END = 0x002b,
	RECORD_OFFSET = 0x0031,
	RECORD_STREAM_NAME_WIDE = 0x0032,
};

struct module {
	uint8_t name[NAME_BYTES_MAX]; /* of its stream, UTF-8 */
	size_t  name_size;
	size_t  offset; /* where the packed source begins in it */
	bool    named;
};

struct project {
	const struct ole          *ole;
	uint32_t                   storage;
	struct budget             *budget;
	struct arena              *arena;
	const struct content_sink *sink;
	unsigned                   codepage;
	struct buf                 sources; /* all of them, for vba_marks_missing() */
	bool                      *read;    /* an entry a flag: its source has been told */
	unsigned                   modules;
	bool                       damaged;
	bool                       stomped;
};

static enum rc stream_of(struct project *p, uint32_t index, struct slice *out)
{
	bool          whole;
	const enum rc rc = ole_stream(p->ole, index, p->budget, p->arena, out, &whole);

	if (rc == RC_OK && !whole)
		p->damaged = true;
	return rc;
}

/* Packed source begins with a container whose first words are "Attribut", a copy token behind them. */
static size_t source_find(struct slice stream)
{
	static const struct slice start = SLICE_INIT("\0Attribut");
	size_t                    from = 0;

	for (;;) {
		const struct slice rest = slice_drop(stream, from);
		const size_t       at = slice_search(rest, start);
		if (at >= rest.len)
			return stream.len;
		if (from + at >= 3 && stream.ptr[from + at - 3] == 1)
			return from + at - 3;
		from += at + 1;
	}
}

/* Nothing but "Attribute VB_..." lines and blanks: what an empty module has. */
static bool source_empty(struct slice source)
{
	while (source.len != 0) {
		const struct slice line = slice_trim(slice_until(&source, '\n'));
		if (line.len != 0 && !slice_starts_nocase(line, SLICE("Attribute ")) && slice_find(line, 0) == line.len)
			return false;
	}
	return true;
}

static enum rc source_tell(struct project *p, struct slice name, struct slice source, bool cut)
{
	struct buf text = buf_make(VBA_SOURCE_BYTES_MAX * 3u);
	enum rc    rc = RC_OK;

	ole_put_codepage(p->codepage, source, &text);
	if (p->sources.len + text.len <= p->sources.max)
		buf_put(&p->sources, buf_slice(&text));
	if (text.failed || p->sources.failed)
		rc = RC_NOMEM;
	if (rc == RC_OK) {
		const struct content_member member = { .name = name,
			                               .bytes = buf_slice(&text),
			                               .kind = SLICE("text/x-vba"),
			                               .flags =
			                                       CONTENT_MEMBER_SCRIPT | (cut ? CONTENT_MEMBER_CUT : 0) };
		rc = sink_member(p->sink, p->budget, &member);
	}
	if (rc == RC_OK)
		rc = vba_marks(buf_slice(&text), p->budget, p->sink);
	buf_done(&text);
	return rc;
}

/* Source of the stream `index` from `offset`, or from where it looks like one. */
static enum rc module_read(struct project *p, uint32_t index, size_t offset, bool trusted)
{
	struct buf   source = buf_make(VBA_SOURCE_BYTES_MAX);
	const size_t mark = p->arena->used;
	struct slice stream;
	bool         damaged = false;
	enum rc      rc = stream_of(p, index, &stream);

	if (rc != RC_OK)
		return rc;
	p->read[index] = true;
	rc = trusted ? vba_unpack(slice_drop(stream, offset), p->budget, &source, &damaged) : RC_SYNTAX;
	if (rc == RC_SYNTAX || (rc == RC_OK && (damaged || source.len == 0))) {
		const size_t at = source_find(stream);
		if (at < stream.len && (at != offset || !trusted)) {
			buf_clear(&source);
			p->damaged = p->damaged || trusted;
			rc = vba_unpack(slice_drop(stream, at), p->budget, &source, &damaged);
		}
	}
	if (rc == RC_SYNTAX) {
		/* Compiled code stands there, and its source does not. */
		p->stomped = p->stomped || (trusted && stream.len > 64);
		rc = RC_OK;
	}
	p->damaged = p->damaged || damaged;
	if (rc == RC_OK || rc == RC_LIMIT) {
		const bool cut = rc == RC_LIMIT;
		if (source.len != 0 && source_empty(buf_slice(&source)) &&
		    slice_find(buf_slice(&source), 0) < source.len)
			p->stomped = true;
		if (source.len != 0)
			rc = source_tell(p, p->ole->entries[index].name, buf_slice(&source), cut || damaged);
		if (rc == RC_OK && cut)
			rc = RC_LIMIT;
	}
	buf_done(&source);
	p->arena->used = mark;
	return rc;
}

/* An UTF-8 name within the bounds of a module. */
static void name_take(struct module *m, struct slice text, bool wide, unsigned codepage)
{
	struct buf name = buf_make(NAME_BYTES_MAX);

	if (wide)
		ole_put_utf16(slice_take(text, NAME_BYTES_MAX), &name);
	else
		ole_put_codepage(codepage, slice_take(text, NAME_BYTES_MAX), &name);
	if (name.len != 0) {
		memcpy(m->name, name.ptr, name.len);
		m->name_size = name.len;
		m->named = true;
	}
	buf_done(&name);
}

/* A project refers to another one by its path: "*\A" or "*\C" and where it lies ([MS-OVBA] section 2.1.1.8). */
static enum rc reference_tell(struct project *p, struct slice data)
{
	const struct slice id = slice_cut(data, 4, bytes_u32(data, 0));
	const struct slice path = slice_drop(id, 3);
	const bool remote = slice_search_nocase(path, SLICE("://")) < path.len || slice_starts(path, SLICE("\\\\"));

	if (!remote)
		return RC_OK;
	const enum rc rc = sink_fact(p->sink, CONTENT_FACT_OFFICE_EXTERNAL, path);
	return rc == RC_OK ? sink_link(p->sink, CONTENT_PLACE_REFERENCE, path, (struct slice){ NULL, 0 }) : rc;
}

static enum rc module_end(struct project *p, struct module *m)
{
	const uint32_t index = m->named ? ole_child(p->ole, p->storage, slice_of(m->name, m->name_size)) : OLE_NONE;
	enum rc        rc = RC_OK;

	if (index == OLE_NONE)
		p->damaged = true;
	else if (!p->read[index] && ++p->modules <= VBA_MODULES_MAX)
		rc = module_read(p, index, m->offset, true);
	memset(m, 0, sizeof *m);
	return rc;
}

static enum rc record_take(struct project *p, struct module *m, unsigned id, struct slice data)
{
	switch (id) {
	case RECORD_CODEPAGE:
		p->codepage = bytes_u16(data, 0);
		return RC_OK;
	case RECORD_REFERENCE_PROJECT:
		return reference_tell(p, data);
	case RECORD_STREAM_NAME:
		name_take(m, data, false, p->codepage);
		return RC_OK;
	case RECORD_STREAM_NAME_WIDE:
		name_take(m, data, true, p->codepage);
		return RC_OK;
	case RECORD_OFFSET:
		m->offset = bytes_u32(data, 0);
		return RC_OK;
	case RECORD_MODULE_END:
		return module_end(p, m);
	default:
		return RC_OK;
	}
}

/* Records: number, size, data; the version's size says 4 and 6 bytes follow ([MS-OVBA] section 2.3.4.2.1.11). */
static enum rc directory_read(struct project *p, struct slice directory)
{
	struct slice  rest = directory;
	struct module module = { .named = false };
	enum rc       rc = RC_OK;

	while (rc == RC_OK && rest.len >= 6) {
		const unsigned id = bytes_u16(rest, 0);
		size_t         size = bytes_u32(rest, 2);
		if (id == RECORD_VERSION)
			size = 6;
		rest = slice_drop(rest, 6);
		if (id == RECORD_END)
			return RC_OK;
		if (size > rest.len) {
			p->damaged = true;
			return RC_OK;
		}
		rc = record_take(p, &module, id, slice_take(rest, size));
		rest = slice_drop(rest, size);
	}
	return rc;
}

static enum rc directory_open(struct project *p)
{
	const uint32_t index = ole_child(p->ole, p->storage, SLICE("dir"));
	const size_t   mark = p->arena->used;
	struct buf     plain = buf_make(DIRECTORY_BYTES_MAX);
	struct slice   packed;
	bool           damaged = false;

	if (index == OLE_NONE) {
		p->damaged = true;
		return RC_OK;
	}
	p->read[index] = true;
	enum rc rc = stream_of(p, index, &packed);
	if (rc == RC_OK)
		rc = vba_unpack(packed, p->budget, &plain, &damaged);
	if (rc == RC_SYNTAX || damaged) {
		p->damaged = true;
		rc = RC_OK;
	}
	p->arena->used = mark;
	if (rc == RC_OK)
		rc = directory_read(p, buf_slice(&plain));
	buf_done(&plain);
	return rc;
}

/* Streams that the directory does not name, but that hold source all the same. */
static enum rc others_read(struct project *p)
{
	enum rc rc = RC_OK;

	for (uint32_t i = 0; rc == RC_OK && i < p->ole->count; i++) {
		const struct ole_entry *e = &p->ole->entries[i];
		if (p->read[i] || e->kind != OLE_STREAM || (e->parent != p->storage && !e->orphan))
			continue;
		const size_t mark = p->arena->used;
		struct slice stream;
		rc = stream_of(p, i, &stream);
		if (rc != RC_OK)
			break;
		const bool source = source_find(stream) < stream.len;
		p->arena->used = mark;
		if (source && ++p->modules <= VBA_MODULES_MAX) {
			p->damaged = true;
			rc = module_read(p, i, 0, false);
		}
	}
	return rc;
}

/* Compiled code: what every stream of the storage holds, names in plain bytes among it. */
static enum rc compiled_compare(struct project *p)
{
	enum rc      rc = RC_OK;
	struct slice missing = { NULL, 0 };

	for (uint32_t i = 0; rc == RC_OK && i < p->ole->count && missing.len == 0; i++) {
		const struct ole_entry *e = &p->ole->entries[i];
		const size_t            mark = p->arena->used;
		struct slice            stream;
		if (e->parent != p->storage || e->kind != OLE_STREAM || slice_starts_nocase(e->name, SLICE("__SRP_")) ||
		    slice_eq_nocase(e->name, SLICE("dir")))
			continue;
		rc = stream_of(p, i, &stream);
		if (rc != RC_OK)
			break;
		if (!budget_take(p->budget, BUDGET_STEPS, stream.len + p->sources.len))
			rc = RC_LIMIT;
		else
			missing = vba_marks_missing(slice_take(stream, source_find(stream)), buf_slice(&p->sources));
		p->arena->used = mark;
	}
	if (rc == RC_OK && (missing.len != 0 || p->stomped))
		rc = sink_fact(p->sink, CONTENT_FACT_MACRO_STOMPED, missing);
	return rc;
}

/* The project's settings: a password or a lock against viewing is more than the two of an unlocked one. */
static enum rc lock_read(struct project *p)
{
	const uint32_t above = p->ole->entries[p->storage].parent;
	const uint32_t index = above == OLE_NONE ? OLE_NONE : ole_child(p->ole, above, SLICE("PROJECT"));
	const size_t   mark = p->arena->used;
	struct slice   text;

	if (index == OLE_NONE)
		return RC_OK;
	enum rc rc = stream_of(p, index, &text);
	while (rc == RC_OK && text.len != 0) {
		const struct slice line = slice_trim(slice_until(&text, '\n'));
		/* [MS-OVBA] section 2.3.1.16: a password makes DPB long; the lock alone shows in CMG. */
		if (slice_starts_nocase(line, SLICE("DPB=\"")) && line.len > 5 + 40)
			rc = sink_fact(p->sink, CONTENT_FACT_MACRO_LOCKED, (struct slice){ NULL, 0 });
	}
	p->arena->used = mark;
	return rc;
}

enum rc vba_project(const struct ole *ole, uint32_t storage, struct budget *budget, struct arena *arena,
                    const struct content_sink *sink)
{
	must(storage < ole->count);
	struct project p = { .ole = ole,
		             .storage = storage,
		             .budget = budget,
		             .arena = arena,
		             .sink = sink,
		             .codepage = 1252,
		             .sources = buf_make(VBA_SOURCE_BYTES_MAX * 3u) };

	if (!budget_take(budget, BUDGET_STEPS, (uint64_t)ole->count * 4))
		return RC_LIMIT;
	p.read = arena_take(arena, ole->count, sizeof *p.read);
	if (p.read == NULL)
		return RC_NOMEM;
	enum rc rc = sink_fact(sink, CONTENT_FACT_MACRO_VBA, (struct slice){ NULL, 0 });
	if (rc == RC_OK)
		rc = directory_open(&p);
	if (rc == RC_OK)
		rc = others_read(&p);
	if (rc == RC_OK)
		rc = compiled_compare(&p);
	if (rc == RC_OK)
		rc = lock_read(&p);
	if (rc == RC_OK && p.damaged)
		rc = sink_fact(sink, CONTENT_FACT_MACRO_DAMAGED, (struct slice){ NULL, 0 });
	buf_done(&p.sources);
	return rc;
}
