/* Members and facts, the same way for every format. */
#include "archive/job.h"

enum rc archive_fact(const struct archive_job *job, enum content_fact fact, struct slice evidence)
{
	return sink_fact(job->sink, fact, evidence);
}

static bool is_separator(uint8_t byte)
{
	return byte == '/' || byte == '\\';
}

/* CON, NUL, COM1 and so on, with or without an extension (Microsoft, "Naming Files, Paths, and Namespaces"). */
static bool is_device(struct slice part)
{
	static const struct slice names[] = { SLICE_INIT("con"), SLICE_INIT("prn"), SLICE_INIT("aux"), SLICE_INIT("nul") };
	const struct slice        stem = slice_take(part, slice_find(part, '.'));

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (slice_eq_nocase(stem, names[i]))
			return true;
	}
	return stem.len == 4 && byte_is_digit(stem.ptr[3]) &&
	       (slice_starts_nocase(stem, SLICE("com")) || slice_starts_nocase(stem, SLICE("lpt")));
}

bool archive_name_is_bad(struct slice name)
{
	size_t start = 0;

	if (name.len != 0 && is_separator(name.ptr[0]))
		return true;
	if (name.len >= 2 && name.ptr[1] == ':' && byte_is_alpha(name.ptr[0]))
		return true;
	for (size_t i = 0; i <= name.len; i++) {
		if (i < name.len && (name.ptr[i] < 0x20 || name.ptr[i] == 0x7f))
			return true;
		if (i < name.len && !is_separator(name.ptr[i]))
			continue;
		const struct slice part = slice_cut(name, start, i - start);
		if (slice_eq(part, SLICE("..")) || is_device(part))
			return true;
		start = i + 1;
	}
	return false;
}

enum rc archive_member(const struct archive_job *job, const struct content_member *member)
{
	static const struct {
		uint32_t          flag;
		enum content_fact fact;
	} rows[] = {
		{ CONTENT_MEMBER_ENCRYPTED, CONTENT_FACT_ENCRYPTED },
		{ CONTENT_MEMBER_PASSWORD, CONTENT_FACT_PASSWORD },
		{ CONTENT_MEMBER_DAMAGED, CONTENT_FACT_DAMAGED },
		{ CONTENT_MEMBER_UNREAD, CONTENT_FACT_UNREADABLE },
	};
	enum rc rc = RC_OK;

	if (archive_name_is_bad(member->name) ||
	    ((member->flags & CONTENT_MEMBER_LINK) && archive_name_is_bad(member->bytes)))
		rc = archive_fact(job, CONTENT_FACT_ARCHIVE_NAME, member->name);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0] && rc == RC_OK; i++) {
		if (member->flags & rows[i].flag)
			rc = archive_fact(job, rows[i].fact, member->name);
	}
	return rc == RC_OK ? sink_member(job->sink, job->budget, member) : rc;
}
