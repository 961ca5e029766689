/* From kinds to openers, and the loop over libarchive's members. */
#include "archive/open.h"

#include "archive/iso.h"
#include "archive/lha.h"
#include "archive/libarchive.h"
#include "archive/rar.h"
#include "archive/zip.h"
#include "base/cursor.h"
#include "content/inflate.h"

#define XAR_TABLE_MAX ((size_t)8 << 20)

enum rc archive_ready(void)
{
	return libarchive_ready();
}

bool archive_is(enum kind kind)
{
	return kind_class(kind) == KIND_CLASS_ARCHIVE;
}

/* Members of gzip one after the other are one file (RFC 1952 section 2.2). */
static enum rc gzip_open(const struct archive_job *job)
{
	struct content_member member = { .flags = 0 };
	struct meter          meter = meter_make(job->budget, job->bytes.len, 1);
	struct buf            out = buf_make(ARCHIVE_MEMBER_MAX);
	struct slice          rest = job->bytes;
	size_t                used = 0;
	enum rc               rc = RC_OK;

	/* without an extra field, which nobody writes, the name stands at 10 */
	if ((slice_at(rest, 3) & 0x0c) == 0x08)
		member.name = slice_take(slice_drop(rest, 10), slice_find(slice_drop(rest, 10), 0));
	member.name = slice_take(member.name, LIBARCHIVE_NAME_MAX);
	while (rc == RC_OK && slice_starts(rest, SLICE("\x1f\x8b"))) {
		rc = inflate_take(INFLATE_GZIP, rest, &meter, &out, &used);
		rest = slice_drop(rest, used);
	}
	if (rc == RC_NOMEM) {
		buf_done(&out);
		return rc;
	}
	if (rc == RC_CORRUPT)
		member.flags |= CONTENT_MEMBER_DAMAGED;
	if (rc == RC_LIMIT)
		member.flags |= CONTENT_MEMBER_CUT;
	member.bytes = buf_slice(&out);
	enum rc answer = meter.bomb ? archive_fact(job, CONTENT_FACT_BOMB, member.name) : RC_OK;
	if (answer == RC_OK && rc == RC_OK && rest.len != 0 && rest.ptr[0] != 0)
		answer = archive_fact(job, CONTENT_FACT_TRAILING, SLICE(""));
	if (answer == RC_OK)
		answer = archive_member(job, &member);
	buf_done(&out);
	return answer == RC_OK && rc == RC_LIMIT && !meter.bomb ? RC_LIMIT : answer;
}

/* The table of a xar is XML, whose reader would load converters for foreign character sets: only UTF-8 goes to it. */
static bool xar_is_plain(const struct archive_job *job)
{
	struct meter meter = meter_make(job->budget, job->bytes.len, 1);
	struct buf   table = buf_make(XAR_TABLE_MAX);
	const size_t header = (size_t)(slice_at(job->bytes, 4) & 0xff) << 8 | (size_t)(slice_at(job->bytes, 5) & 0xff);
	const enum rc rc = inflate_take(INFLATE_ZLIB, slice_drop(job->bytes, header), &meter, &table, NULL);
	const struct slice text = buf_slice(&table), head = slice_take(text, 256);
	const size_t       coding = slice_search_nocase(head, SLICE("encoding="));
	const bool         plain = rc == RC_OK && (slice_starts(text, SLICE("<?xml")) || slice_starts(text, SLICE("<xar"))) &&
	                   slice_search(text, SLICE("<!DOCTYPE")) == text.len && slice_search(text, SLICE("<!ENTITY")) == text.len &&
	                   (coding == head.len || slice_starts_nocase(slice_drop(head, coding + 10), SLICE("utf-8")));

	buf_done(&table);
	return plain;
}

/* One member of libarchive's to the sink; `rar` is what RAR's own headers say about it. */
static enum rc library_member(const struct archive_job *job, struct libarchive *library, const struct libarchive_member *found,
                              const struct rar_file *rar, uint64_t steps, struct buf *out)
{
	struct content_member member = { .name = found->name, .claimed = found->claimed };
	struct meter          meter = meter_make(job->budget, job->bytes.len, steps);
	const bool            locked = found->encrypted || rar->encrypted;
	enum rc               rc = RC_OK;

	buf_clear(out);
	if (!locked)
		rc = libarchive_take(library, &meter, out);
	if (rc == RC_NOMEM)
		return rc;
	if (locked || rc == RC_DENIED)
		member.flags |= CONTENT_MEMBER_ENCRYPTED;
	else if (rc == RC_UNSUPPORTED)
		member.flags |= out->len == 0 ? CONTENT_MEMBER_UNREAD : CONTENT_MEMBER_DAMAGED;
	else if (rc == RC_LIMIT)
		member.flags |= CONTENT_MEMBER_CUT;
	else if (rc != RC_OK)
		member.flags |= CONTENT_MEMBER_DAMAGED;
	if (rar->split && !locked)
		member.flags |= CONTENT_MEMBER_CUT;
	member.bytes = member.flags & CONTENT_MEMBER_ENCRYPTED ? slice_of(NULL, 0) : buf_slice(out);
	if (member.bytes.len == 0 && found->target.len != 0) {
		member.bytes = found->target;
		member.flags |= CONTENT_MEMBER_LINK;
	}
	enum rc answer = meter.bomb ? archive_fact(job, CONTENT_FACT_BOMB, member.name) : RC_OK;
	if (answer == RC_OK && (!found->folder || member.bytes.len != 0))
		answer = archive_member(job, &member);
	else if (answer == RC_OK && archive_name_is_bad(member.name))
		answer = archive_fact(job, CONTENT_FACT_ARCHIVE_NAME, member.name);
	if (answer == RC_OK && rc == RC_LIMIT)
		answer = meter.bomb ? libarchive_skip(library, &meter) : RC_LIMIT;
	return answer == RC_CORRUPT || answer == RC_UNSUPPORTED ? RC_OK : answer;
}

/* What RAR's headers tell about members that the library did not come to. */
static enum rc rar_rest(const struct archive_job *job, struct rar_walk *walk)
{
	struct rar_file file;
	enum rc         rc = RC_OK;

	while (rc == RC_OK && rar_walk_next(walk, &file)) {
		if (!budget_take(job->budget, BUDGET_STEPS, 64))
			return RC_LIMIT;
		const struct content_member member = { .name = file.name,
			                               .claimed = file.claimed,
			                               .flags = file.encrypted ? CONTENT_MEMBER_ENCRYPTED :
			                                                         CONTENT_MEMBER_DAMAGED | CONTENT_MEMBER_CUT };
		if (!file.folder)
			rc = archive_member(job, &member);
	}
	if (rc == RC_OK && walk->locked)
		rc = archive_fact(job, CONTENT_FACT_ENCRYPTED, SLICE(""));
	if (rc == RC_OK && walk->volume)
		rc = archive_fact(job, CONTENT_FACT_ARCHIVE_VOLUME, SLICE(""));
	return rc;
}

static enum rc end_tell(const struct archive_job *job, enum rc end)
{
	if (end == RC_CORRUPT)
		return archive_fact(job, CONTENT_FACT_DAMAGED, SLICE(""));
	if (end == RC_DENIED)
		return archive_fact(job, CONTENT_FACT_ENCRYPTED, SLICE(""));
	if (end == RC_UNSUPPORTED)
		return archive_fact(job, CONTENT_FACT_UNREADABLE, SLICE(""));
	return end == RC_CLOSED ? RC_OK : end;
}

static enum rc library_open(const struct archive_job *job, enum kind kind)
{
	const bool               rar = kind == KIND_RAR || kind == KIND_RAR5;
	struct rar_walk          walk = { .volume = false };
	struct rar_file          file = { .encrypted = false };
	struct libarchive       *library = NULL;
	struct libarchive_member member;
	struct buf               out = buf_make(ARCHIVE_MEMBER_MAX);
	enum rc                  answer = RC_OK, rc = libarchive_open(job->bytes, kind, slice_of(NULL, 0), job->budget, &library);

	if (rar)
		(void)rar_walk_start(job->bytes, &walk);
	while (rc == RC_OK && answer == RC_OK) {
		rc = libarchive_next(library, &member);
		if (rc != RC_OK)
			break;
		if (!rar || !rar_walk_next(&walk, &file))
			file = (struct rar_file){ .encrypted = false };
		answer = library_member(job, library, &member, &file, libarchive_steps(kind), &out);
	}
	libarchive_close(&library);
	buf_done(&out);
	if (answer == RC_OK && rar)
		answer = rar_rest(job, &walk);
	if (answer == RC_OK && rc != RC_OK && !(rc == RC_DENIED && walk.locked))
		answer = end_tell(job, rc);
	return answer;
}

static enum rc one_open(const struct archive_job *job, enum kind kind)
{
	if (kind == KIND_ZIP)
		return zip_open(job);
	if (kind == KIND_GZIP)
		return gzip_open(job);
	if (kind == KIND_LHA)
		return lha_open(job);
	if (kind == KIND_ISO && !iso_is_sane(job->bytes, job->budget))
		return archive_fact(job, CONTENT_FACT_BOMB, slice_str(kind_word(kind)));
	if (libarchive_reads(kind) && (kind != KIND_XAR || xar_is_plain(job)))
		return library_open(job, kind);
	return archive_fact(job, CONTENT_FACT_UNREADABLE, slice_str(kind_word(kind)));
}

enum rc archive_open(void *passwords, struct slice bytes, const struct sniff *kinds, struct budget *budget,
                     const struct content_sink *sink)
{
	struct archive_job job = { .bytes = bytes, .passwords = passwords, .budget = budget, .sink = sink };
	enum rc            rc = RC_OK;
	bool               any = false;

	for (size_t i = 0; i < kinds->count && rc == RC_OK; i++) {
		const enum kind kind = kinds->hits[i].kind;
		if (!archive_is(kind))
			continue;
		if (!any && (kinds->odd & SNIFF_ODD_POLYGLOT))
			rc = archive_fact(&job, CONTENT_FACT_ARCHIVE_POLYGLOT, slice_str(kind_word(kinds->hits[0].kind)));
		any = true;
		/* a zip counts from the front by itself */
		job.bytes = kind == KIND_ZIP ? bytes : slice_drop(bytes, kinds->hits[i].at);
		if (rc == RC_OK)
			rc = one_open(&job, kind);
		if (rc == RC_UNSUPPORTED) /* it only looked like one */
			rc = archive_fact(&job, CONTENT_FACT_DAMAGED, slice_str(kind_word(kind)));
	}
	return any || rc != RC_OK ? rc : RC_UNSUPPORTED;
}
