/* From the index to the sink: facts first, then members in the order of the file, then what belongs to none. */
#include "archive/zip.h"

#include "archive/zip_member.h"

#define UNIX          3u
#define ALIASES_MAX   4u  /* names under which the same data are given; under further ones only the name */
#define TYPE_MASK     0170000u
#define TYPE_LINK     0120000u
#define MADE_BY(made) ((made) >> 8)

static enum rc facts_tell(const struct archive_job *job, const struct zip_index *index)
{
	const struct {
		uint32_t          odd;
		enum content_fact fact;
		struct slice      evidence;
	} rows[] = {
		{ ZIP_ODD_DIRECTORY, CONTENT_FACT_ARCHIVE_DIRECTORY, SLICE("") },
		{ ZIP_ODD_NAME, CONTENT_FACT_ARCHIVE_NAME, index->odd_name },
		{ ZIP_ODD_OVERLAP, CONTENT_FACT_ARCHIVE_OVERLAP, SLICE("") },
		{ ZIP_ODD_HIDDEN, CONTENT_FACT_ARCHIVE_HIDDEN, SLICE("") },
		{ ZIP_ODD_DAMAGED, CONTENT_FACT_DAMAGED, SLICE("") },
		{ ZIP_ODD_DUPLICATE, CONTENT_FACT_ARCHIVE_DUPLICATE, index->duplicate },
		{ ZIP_ODD_TRAILING, CONTENT_FACT_TRAILING, SLICE("") },
	};
	enum rc rc = RC_OK;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0] && rc == RC_OK; i++) {
		if (index->odd & rows[i].odd)
			rc = archive_fact(job, rows[i].fact, rows[i].evidence);
	}
	return rc == RC_OK ? sink_text(job->sink, CONTENT_PLACE_METADATA, index->comment) : rc;
}

static bool is_folder(const struct zip_entry *entry)
{
	return entry->packed == 0 && (slice_last(entry->name) == '/' || slice_last(entry->name) == '\\');
}

static enum rc entry_tell(const struct archive_job *job, const struct zip_index *index, size_t at, struct slice bytes, uint32_t flags)
{
	const struct zip_entry *entry = &index->entries[at];
	struct content_member   member = { .name = entry->name, .bytes = bytes, .claimed = entry->claimed, .flags = flags };

	if (MADE_BY(entry->made_by) == UNIX && (entry->attributes >> 16 & TYPE_MASK) == TYPE_LINK)
		member.flags |= CONTENT_MEMBER_LINK;
	if (entry->directory == ZIP_STREAM && index->entries[0].directory != ZIP_STREAM &&
	    (at == 0 || index->entries[at - 1].at != entry->at))
		member.flags |= CONTENT_MEMBER_HIDDEN;
	return archive_member(job, &member);
}

static enum rc members_tell(const struct archive_job *job, const struct zip_index *index)
{
	struct zip_keys keys = { false };
	struct buf      out = buf_make(ARCHIVE_MEMBER_MAX);
	uint32_t        flags = 0;
	unsigned        aliases = 0;
	enum rc         rc = RC_OK, limit = RC_OK;

	for (size_t i = 0; i < index->count && rc == RC_OK && limit == RC_OK; i++) {
		const struct zip_entry *entry = &index->entries[i];
		if (is_folder(entry)) {
			if (archive_name_is_bad(entry->name))
				rc = archive_fact(job, CONTENT_FACT_ARCHIVE_NAME, entry->name);
			continue;
		}
		/* the same data under another name need not be unpacked again */
		if (i == 0 || index->entries[i - 1].at != entry->at || !zip_entry_same_data(entry - 1, entry)) {
			buf_clear(&out);
			aliases = 0;
			rc = zip_member_take(job, entry, &keys, &out, &flags);
			if (rc == RC_LIMIT) {
				limit = rc;
				rc = RC_OK;
			}
		}
		if (rc == RC_OK && aliases++ < ALIASES_MAX)
			rc = entry_tell(job, index, i, buf_slice(&out), flags);
		else if (rc == RC_OK)
			rc = entry_tell(job, index, i, slice_of(NULL, 0), flags | CONTENT_MEMBER_CUT);
	}
	buf_done(&out);
	return rc == RC_OK ? limit : rc;
}

enum rc zip_open(const struct archive_job *job)
{
	struct zip_index index;
	enum rc          rc = zip_index_read(job->bytes, job->budget, &index);

	if (rc != RC_OK)
		return rc == RC_NOTFOUND ? RC_UNSUPPORTED : rc;
	const bool cut = index.cut;
	rc = facts_tell(job, &index);
	if (rc == RC_OK)
		rc = members_tell(job, &index);
	for (size_t i = 0; i < index.gap_count && rc == RC_OK; i++) {
		const struct content_member member = { .bytes = index.gaps[i], .flags = CONTENT_MEMBER_HIDDEN };
		rc = archive_member(job, &member);
	}
	zip_index_done(&index);
	return rc == RC_OK && cut ? RC_LIMIT : rc;
}
