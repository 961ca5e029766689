/*
 * Every entry of the compound file, by its name. What an embedded object's storage holds is read here too, since its
 * streams have the same names as those of a file of its own.
 */
#include "document/ole_office.h"

#include "document/ole_bytes.h"
#include "document/ole_inside.h"
#include "document/ole_object.h"
#include "document/ole_text.h"
#include "document/vba.h"

/* Bytes of one property that are read. */
#define PROPERTY_MAX 65536u

enum rc ole_office_copy(const struct ole_office *o, uint32_t index, uint8_t **out, size_t *size)
{
	struct slice  bytes;
	bool          whole;
	const enum rc rc = ole_stream(o->ole, index, o->budget, o->arena, &bytes, &whole);

	if (rc != RC_OK)
		return rc;
	uint8_t *copy = arena_bytes(o->arena, bytes.len);
	if (copy == NULL)
		return RC_NOMEM;
	if (bytes.len != 0)
		memcpy(copy, bytes.ptr, bytes.len);
	*out = copy;
	*size = bytes.len;
	return RC_OK;
}

enum rc ole_office_unlock(const struct ole_office *o, struct ole_crypt *crypt, bool *open)
{
	bool          by_default = false;
	const enum rc rc = ole_crypt_unlock(crypt, o->passwords, o->budget, &by_default);

	*open = rc == RC_OK;
	if (rc == RC_OK)
		return ole_office_fact(o, by_default ? CONTENT_FACT_PASSWORD_DEFAULT : CONTENT_FACT_PASSWORD,
		                       (struct slice){ NULL, 0 });
	/* Tries that ran out end this document, not the message. */
	return ole_office_fact(o, CONTENT_FACT_ENCRYPTED, (struct slice){ NULL, 0 });
}

static enum rc stream_of(const struct ole_office *o, uint32_t index, struct slice *out, uint32_t *flags)
{
	bool          whole;
	const enum rc rc = ole_stream(o->ole, index, o->budget, o->arena, out, &whole);

	if (rc == RC_OK && flags != NULL && !whole)
		*flags |= CONTENT_MEMBER_CUT;
	return rc;
}

/* The stream as a member under its storage's or its own name. */
static enum rc member_read(const struct ole_office *o, uint32_t index, struct slice kind)
{
	const struct ole_entry *e = &o->ole->entries[index];
	struct content_member   member = {
		  .name = e->name, .kind = kind, .claimed = e->claimed, .flags = e->orphan ? CONTENT_MEMBER_HIDDEN : 0
	};
	enum rc rc = stream_of(o, index, &member.bytes, &member.flags);

	if (rc == RC_OK)
		rc = ole_office_fact(o, CONTENT_FACT_OFFICE_OBJECT, e->name);
	return rc == RC_OK ? sink_member(o->sink, o->budget, &member) : rc;
}

static enum rc native_read(const struct ole_office *o, uint32_t index)
{
	struct slice stream;
	enum rc      rc = stream_of(o, index, &stream, NULL);

	if (rc != RC_OK)
		return rc;
	const struct slice native = slice_cut(stream, 4, bytes_u32(stream, 0));
	rc = ole_package_read(native, o->budget, o->sink);
	/* The size in front may lie. */
	if (rc == RC_SYNTAX)
		rc = ole_package_read(slice_drop(stream, 4), o->budget, o->sink);
	return rc == RC_SYNTAX ? member_read(o, index, (struct slice){ NULL, 0 }) : rc;
}

static enum rc equation_read(const struct ole_office *o, uint32_t index)
{
	const enum rc rc = ole_office_fact(o, CONTENT_FACT_OFFICE_EQUATION, SLICE("Equation Native"));

	return rc == RC_OK ? member_read(o, index, (struct slice){ NULL, 0 }) : rc;
}

/* A linked object keeps where it comes from in its stream "\1Ole" ([MS-OLEDS] section 2.3.3). */
static enum rc link_read(const struct ole_office *o, uint32_t index)
{
	struct slice stream;
	size_t       count = 0;
	enum rc      rc = stream_of(o, index, &stream, NULL);

	return rc == RC_OK ? ole_monikers_tell(stream, CONTENT_PLACE_REFERENCE, o->sink, &count) : rc;
}

/* ECMA-376: what the package is encrypted with stands in a stream beside it. */
static enum rc package_read(const struct ole_office *o, uint32_t index)
{
	const uint32_t   beside = ole_child(o->ole, o->ole->entries[index].parent, SLICE("EncryptionInfo"));
	struct slice     info = { NULL, 0 }, package;
	struct ole_crypt crypt;
	bool             open = false;
	enum rc          rc = beside == OLE_NONE ? RC_OK : stream_of(o, beside, &info, NULL);

	if (rc == RC_OK)
		rc = stream_of(o, index, &package, NULL);
	if (rc != RC_OK)
		return rc;
	if (ole_crypt_read(info, &crypt) != RC_OK ||
	    (crypt.kind != OLE_CRYPT_STANDARD && crypt.kind != OLE_CRYPT_AGILE))
		return ole_office_fact(o, CONTENT_FACT_ENCRYPTED, SLICE("package"));
	rc = ole_office_unlock(o, &crypt, &open);
	if (rc != RC_OK || !open)
		return rc;
	struct buf plain = buf_make(package.len + 16);
	rc = ole_crypt_package(&crypt, package, o->budget, &plain);
	if (rc == RC_OK || rc == RC_SYNTAX) {
		const struct content_member member = { .name = SLICE("EncryptedPackage"),
			                               .bytes = buf_slice(&plain),
			                               .kind = SLICE("application/zip"),
			                               .flags = CONTENT_MEMBER_PASSWORD };
		rc = sink_member(o->sink, o->budget, &member);
	}
	buf_done(&plain);
	return rc;
}

static enum rc rights_read(const struct ole_office *o, uint32_t index)
{
	(void)index;
	const enum rc rc = ole_office_fact(o, CONTENT_FACT_OFFICE_RIGHTS, (struct slice){ NULL, 0 });
	return rc == RC_OK ? ole_office_fact(o, CONTENT_FACT_ENCRYPTED, SLICE("rights management")) : rc;
}

/* PowerPoint says in a stream of its own whether the slides are encrypted ([MS-PPT] section 2.3.2). */
static enum rc user_read(const struct ole_office *o, uint32_t index)
{
	struct slice  stream;
	const enum rc rc = stream_of(o, index, &stream, NULL);

	if (rc != RC_OK || bytes_u32(stream, 12) != 0xf3d1c4dfu)
		return rc;
	return ole_office_fact(o, CONTENT_FACT_ENCRYPTED, SLICE("presentation"));
}

static enum rc control_read(const struct ole_office *o, uint32_t index)
{
	return ole_office_fact(o, CONTENT_FACT_OFFICE_ACTIVEX, o->ole->entries[index].name);
}

/* Strings of a form's controls, in which macros keep what they do not want to be seen: runs of printable bytes. */
static enum rc form_read(const struct ole_office *o, uint32_t index)
{
	struct slice stream;
	struct buf   text = buf_make(OLE_TEXT_MAX);
	enum rc      rc = stream_of(o, index, &stream, NULL);

	while (rc == RC_OK && stream.len != 0) {
		size_t size = 0;
		while (size < stream.len && byte_is_print(stream.ptr[size]))
			size++;
		if (size >= 4) {
			buf_put(&text, slice_take(stream, size));
			buf_put_byte(&text, '\n');
		}
		stream = slice_drop(stream, size + 1);
	}
	if (rc == RC_OK)
		rc = sink_text(o->sink, CONTENT_PLACE_SCRIPT, buf_slice(&text));
	buf_done(&text);
	return rc;
}

/* Property sets ([MS-OLEPS]): the strings of title, subject, author, keywords, comments, template, last author. */
static enum rc summary_read(const struct ole_office *o, uint32_t index)
{
	struct slice stream;
	struct buf   text = buf_make(OLE_TEXT_MAX);
	enum rc      rc = stream_of(o, index, &stream, NULL);
	const size_t start = bytes_u32(stream, 44);
	struct slice set = rc == RC_OK ? slice_drop(stream, start) : (struct slice){ NULL, 0 };
	unsigned     codepage = 1252;

	const size_t count = bytes_u32(set, 4);
	for (size_t i = 0; i < count && i < 64; i++) {
		const uint32_t     id = bytes_u32(set, 8 + i * 8);
		const struct slice value = slice_drop(set, bytes_u32(set, 12 + i * 8));
		if (id == 1 && bytes_u16(value, 0) == 2)
			codepage = bytes_u16(value, 4);
		if (id < 2 || id > 8)
			continue;
		const struct slice bytes = slice_take(slice_cut(value, 8, bytes_u32(value, 4)), PROPERTY_MAX);
		if (bytes_u16(value, 0) == 0x1e)
			ole_put_codepage(codepage, codepage == 1200 ? bytes : slice_take(bytes, slice_find(bytes, 0)),
			                 &text);
		else if (bytes_u16(value, 0) == 0x1f)
			ole_put_utf16(slice_take(slice_cut(value, 8, (size_t)bytes_u32(value, 4) * 2), PROPERTY_MAX),
			              &text);
		buf_put_byte(&text, '\n');
	}
	if (rc == RC_OK)
		rc = sink_text(o->sink, CONTENT_PLACE_METADATA, buf_slice(&text));
	buf_done(&text);
	return rc;
}

static enum rc object_read(const struct ole_office *o, uint32_t index)
{
	return member_read(o, index, (struct slice){ NULL, 0 });
}

struct reader {
	struct slice name;
	enum rc (*read)(const struct ole_office *o, uint32_t index);
};

/* Streams by name, whatever storage they are in. */
static const struct reader readers[] = {
	{ SLICE_INIT("WordDocument"), ole_word_read },
	{ SLICE_INIT("Workbook"), ole_excel_read },
	{ SLICE_INIT("Book"), ole_excel_read },
	{ SLICE_INIT("PowerPoint Document"), ole_powerpoint_read },
	{ SLICE_INIT("Current User"), user_read },
	{ SLICE_INIT("EncryptedPackage"), package_read },
	{ SLICE_INIT("\1Ole10Native"), native_read },
	{ SLICE_INIT("\1Ole"), link_read },
	{ SLICE_INIT("\3LinkInfo"), link_read },
	{ SLICE_INIT("Equation Native"), equation_read },
	{ SLICE_INIT("Package"), object_read },
	{ SLICE_INIT("CONTENTS"), object_read },
	{ SLICE_INIT("EmbeddedOdf"), object_read },
	{ SLICE_INIT("\3OCXNAME"), control_read },
	{ SLICE_INIT("Ctls"), control_read },
	{ SLICE_INIT("\11DRMContent"), rights_read },
	{ SLICE_INIT("\5SummaryInformation"), summary_read },
	{ SLICE_INIT("o"), form_read },
};

static enum rc stream_read(const struct ole_office *o, uint32_t index)
{
	const struct ole_entry *e = &o->ole->entries[index];
	const size_t            mark = o->arena->used;
	enum rc                 rc = RC_OK;

	for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++)
		if (slice_eq_nocase(e->name, readers[i].name)) {
			rc = readers[i].read(o, index);
			break;
		}
	o->arena->used = mark;
	return rc;
}

/* A storage: its class, and a macro project in the one that is called VBA. */
static enum rc storage_read(const struct ole_office *o, uint32_t index)
{
	const struct ole_entry *e = &o->ole->entries[index];
	const size_t            mark = o->arena->used;
	enum rc                 rc = ole_class_tell(e->clsid, o->sink);

	if (rc == RC_OK && slice_eq_nocase(e->name, SLICE("VBA")))
		rc = vba_project(o->ole, index, o->budget, o->arena, o->sink);
	else if (rc == RC_OK && slice_starts_nocase(e->name, SLICE("DRMEncrypted")))
		rc = rights_read(o, index);
	else if (rc == RC_OK && e->parent != OLE_NONE &&
	         (slice_starts(e->name, SLICE("MBD")) ||
	          slice_eq_nocase(o->ole->entries[e->parent].name, SLICE("ObjectPool"))))
		rc = ole_office_fact(o, CONTENT_FACT_OFFICE_OBJECT, e->name);
	o->arena->used = mark;
	return rc;
}

static enum rc entries_read(const struct ole_office *o)
{
	bool    orphan = false;
	enum rc rc = RC_OK;

	for (uint32_t i = 0; rc == RC_OK && i < o->ole->count; i++) {
		const struct ole_entry *e = &o->ole->entries[i];
		/* A reader looks for its neighbours by their names. */
		if (!budget_take(o->budget, BUDGET_STEPS, 64 + o->ole->count / 4))
			return RC_LIMIT;
		if (e->orphan && !orphan && e->kind == OLE_STREAM && e->claimed != 0) {
			orphan = true;
			rc = ole_office_fact(o, CONTENT_FACT_OFFICE_ORPHAN, e->name);
		}
		if (rc == RC_OK)
			rc = e->kind == OLE_STREAM ? stream_read(o, i) : storage_read(o, i);
		/* One stream that does not fit is left out; the others are still read. */
		if (rc == RC_NOMEM || rc == RC_UNSUPPORTED)
			rc = ole_office_fact(o, CONTENT_FACT_DAMAGED, e->name);
	}
	return rc;
}

enum rc ole_office_open(struct slice file, const struct ole_passwords *passwords, struct budget *budget,
                        const struct content_sink *sink)
{
	struct arena arena;
	struct ole   ole;

	if (!ole_is(file))
		return RC_SYNTAX;
	const size_t size = file.len > OLE_MEMORY_MAX / 4 ? OLE_MEMORY_MAX : OLE_ARENA(file.len);
	if (!budget_enter(budget))
		return RC_LIMIT;
	enum rc rc = arena_init(&arena, size);
	if (rc == RC_OK) {
		rc = ole_open(file, budget, &arena, &ole);
		if (rc == RC_OK) {
			const struct ole_office o = { &ole, passwords, budget, &arena, sink };
			rc = ole.damaged ? ole_office_fact(&o, CONTENT_FACT_DAMAGED, (struct slice){ NULL, 0 }) : RC_OK;
			if (rc == RC_OK)
				rc = entries_read(&o);
		}
		arena_done(&arena);
	}
	budget_leave(budget);
	return rc;
}
