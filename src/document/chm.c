/* The header, then directory chunks of entries: length of a name, name, section, offset, length. */
#include "document/chm.h"

#include "document/ole_bytes.h"

#define HEAD_DIRECTORY 0x48u /* offset of the directory's offset in the header */
#define CHUNK_HEAD     20u   /* of a listing chunk */

bool chm_is(struct slice bytes)
{
	return slice_starts(bytes, SLICE("ITSF"));
}

/* A number of seven bits a byte, most significant first; false at the end. */
static bool take_number(struct slice *rest, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < 9 && rest->len != 0; i++) {
		const uint8_t byte = rest->ptr[0];
		*rest = slice_drop(*rest, 1);
		*out = *out << 7 | (byte & 0x7f);
		if ((byte & 0x80) == 0)
			return true;
	}
	return false;
}

struct chm {
	struct slice               bytes;
	struct budget             *budget;
	const struct content_sink *sink;
	uint64_t                   data; /* where section 0 begins */
	size_t                     entries;
	bool                       packed; /* something is */
};

static enum rc read_chunk(struct chm *chm, struct slice chunk)
{
	const uint32_t free_bytes = bytes_u32(chunk, 4);
	struct slice   rest = slice_drop(slice_take(chunk, chunk.len - (free_bytes < chunk.len ? free_bytes : chunk.len)), CHUNK_HEAD);

	while (rest.len != 0 && chm->entries < CHM_ENTRIES_MAX) {
		uint64_t size, section, offset, length;
		if (!take_number(&rest, &size) || size > rest.len)
			return RC_OK;
		const struct slice name = slice_take(rest, (size_t)size);
		rest = slice_drop(rest, (size_t)size);
		if (!take_number(&rest, &section) || !take_number(&rest, &offset) || !take_number(&rest, &length))
			return RC_OK;
		chm->entries++;
		/* Folders, and what the format keeps for itself. */
		if (name.len == 0 || slice_last(name) == '/' || slice_starts(name, SLICE("::")) || slice_starts(name, SLICE("/#")) || slice_starts(name, SLICE("/$")))
			continue;
		struct content_member member = { .name = name, .claimed = length, .flags = CONTENT_MEMBER_UNREAD };
		if (section == 0 && chm->data + offset <= chm->bytes.len) {
			member.bytes = slice_cut(chm->bytes, (size_t)(chm->data + offset), (size_t)length);
			member.flags = member.bytes.len < length ? CONTENT_MEMBER_CUT : 0;
		}
		chm->packed = chm->packed || member.flags == CONTENT_MEMBER_UNREAD;
		const enum rc rc = sink_member(chm->sink, chm->budget, &member);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

enum rc chm_open(struct slice bytes, struct budget *budget, const struct content_sink *sink)
{
	struct chm         chm = { .bytes = bytes, .budget = budget, .sink = sink };
	const uint64_t     offset = bytes_u64(bytes, HEAD_DIRECTORY);
	const struct slice directory = slice_drop(bytes, offset > bytes.len ? bytes.len : (size_t)offset);
	const uint32_t     chunk_bytes = bytes_u32(directory, 0x10), chunks = bytes_u32(directory, 0x2c);
	struct slice       rest = slice_drop(directory, bytes_u32(directory, 8));
	enum rc            rc = RC_OK;

	if (!chm_is(bytes))
		return RC_SYNTAX;
	if (!budget_take(budget, BUDGET_STEPS, bytes.len))
		return RC_LIMIT;
	/* Version 3 says where the content begins; before, it follows the directory. */
	chm.data = bytes_u32(bytes, 4) >= 3 ? bytes_u64(bytes, 0x58) : offset + bytes_u64(bytes, 0x50);
	if (chm.data > bytes.len)
		chm.data = bytes.len;
	if (!slice_starts(directory, SLICE("ITSP")) || chunk_bytes < CHUNK_HEAD)
		return sink_fact(sink, CONTENT_FACT_DAMAGED, slice_of(NULL, 0));
	for (uint32_t i = 0; i < chunks && rest.len != 0 && rc == RC_OK; i++) {
		const struct slice chunk = slice_take(rest, chunk_bytes);
		if (slice_starts(chunk, SLICE("PMGL")))
			rc = read_chunk(&chm, chunk);
		rest = slice_drop(rest, chunk_bytes);
	}
	return rc == RC_OK && chm.packed ? sink_fact(sink, CONTENT_FACT_UNREADABLE, slice_of(NULL, 0)) : rc;
}
