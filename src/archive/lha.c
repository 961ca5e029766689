/* Header layouts as the LHA for UNIX sources and the "LHA format" notes of its authors describe them. */
#include "archive/lha.h"

#include "archive/libarchive.h"
#include "base/cursor.h"

#define NAME_MAX_BYTES  1024u
#define EXTENSIONS_MAX  64u
#define TYPE_NAME       0x01u
#define TYPE_FOLDER     0x02u
#define TYPE_NAME_UTF16 0x44u

struct lha_member {
	struct slice method; /* "-lh5-" */
	struct slice data;
	uint64_t     claimed;
	uint16_t     crc;
	size_t       size; /* of header and data together */
	bool         cut;  /* the data end behind the file */
	struct buf   name;
};

static void put_utf16(struct buf *out, struct slice text)
{
	struct cursor c = cursor_on(text);

	while (c.rest.len >= 2) {
		uint32_t point = cursor_u16(&c);
		if (point >= 0xd800 && point < 0xdc00 && c.rest.len >= 2)
			point = 0x10000 + ((point & 0x3ff) << 10) + (cursor_u16(&c) & 0x3ffu);
		if (point < 0x80) {
			buf_put_byte(out, (uint8_t)point);
		} else if (point < 0x800) {
			buf_put_byte(out, (uint8_t)(0xc0 | point >> 6));
			buf_put_byte(out, (uint8_t)(0x80 | (point & 0x3f)));
		} else if (point < 0x10000) {
			buf_put_byte(out, (uint8_t)(0xe0 | point >> 12));
			buf_put_byte(out, (uint8_t)(0x80 | (point >> 6 & 0x3f)));
			buf_put_byte(out, (uint8_t)(0x80 | (point & 0x3f)));
		} else {
			buf_put_byte(out, (uint8_t)(0xf0 | point >> 18));
			buf_put_byte(out, (uint8_t)(0x80 | (point >> 12 & 0x3f)));
			buf_put_byte(out, (uint8_t)(0x80 | (point >> 6 & 0x3f)));
			buf_put_byte(out, (uint8_t)(0x80 | (point & 0x3f)));
		}
	}
}

/* The chain of extensions; each ends with the size of the next one. Returns the bytes they take. */
static size_t extensions_read(struct cursor *c, size_t next, bool wide, struct lha_member *out)
{
	const size_t size_bytes = wide ? 4 : 2;
	struct slice folder = { NULL, 0 }, name = { NULL, 0 }, unicode = { NULL, 0 };
	size_t       total = 0;

	for (unsigned i = 0; i < EXTENSIONS_MAX && next > size_bytes && !c->failed; i++) {
		struct cursor      one = cursor_on(cursor_bytes(c, next - size_bytes));
		const uint8_t      type = cursor_u8(&one);
		const struct slice body = one.rest;
		total += next;
		if (type == TYPE_NAME)
			name = body;
		else if (type == TYPE_FOLDER)
			folder = body;
		else if (type == TYPE_NAME_UTF16)
			unicode = body;
		next = wide ? cursor_u32(c) : cursor_u16(c);
	}
	if (name.len != 0 || unicode.len != 0)
		buf_clear(&out->name);
	for (size_t i = 0; i < folder.len; i++)
		buf_put_byte(&out->name, folder.ptr[i] == 0xff ? '/' : folder.ptr[i]);
	if (unicode.len != 0)
		put_utf16(&out->name, unicode);
	else
		buf_put(&out->name, name);
	return total;
}

static bool header_read(struct slice bytes, struct lha_member *out)
{
	struct cursor c = cursor_on(bytes);
	const size_t  small = cursor_u16(&c) & 0xffu, whole = (size_t)slice_at(bytes, 0) | (size_t)(slice_at(bytes, 1) & 0xff) << 8;

	out->method = cursor_bytes(&c, 5);
	uint64_t packed = cursor_u32(&c);
	out->claimed = cursor_u32(&c);
	(void)cursor_bytes(&c, 5);
	const uint8_t level = cursor_u8(&c);
	size_t        header = small + 2;
	buf_clear(&out->name);
	if (level <= 1) {
		buf_put(&out->name, cursor_bytes(&c, cursor_u8(&c)));
		out->crc = cursor_u16(&c);
		if (level == 1) {
			(void)cursor_u8(&c);
			c.rest = slice_drop(bytes, header - 2);
			const size_t extra = extensions_read(&c, cursor_u16(&c), false, out);
			header += extra;
			packed = packed > extra ? packed - extra : 0;
		}
	} else if (level == 2) {
		header = whole;
		out->crc = cursor_u16(&c);
		(void)cursor_u8(&c);
		(void)extensions_read(&c, cursor_u16(&c), false, out);
	} else if (level == 3) {
		out->crc = cursor_u16(&c);
		(void)cursor_u8(&c);
		header = cursor_u32(&c);
		(void)extensions_read(&c, cursor_u32(&c), true, out);
	}
	if (level > 3 || header < 22 || slice_at(out->method, 0) != '-' || slice_at(out->method, 4) != '-' || bytes.len < 22)
		return false;
	const struct slice rest = slice_drop(bytes, header);
	out->cut = packed > rest.len;
	out->data = slice_take(rest, packed > rest.len ? rest.len : (size_t)packed);
	out->size = header + out->data.len;
	return true;
}

/* A level-0 header: 22 bytes, a name of one letter, the checksum of the data. */
static void header_put(struct buf *out, const struct lha_member *member)
{
	struct buf body = buf_make(64);
	uint8_t    sum = 0;

	buf_put(&body, member->method);
	cursor_put_u32(&body, (uint32_t)member->data.len);
	cursor_put_u32(&body, (uint32_t)member->claimed);
	cursor_put_u32(&body, 0x00210000u);
	cursor_put_u8(&body, 0x20);
	cursor_put_u8(&body, 0);
	cursor_put_u8(&body, 1);
	cursor_put_u8(&body, 'm');
	cursor_put_u16(&body, member->crc);
	for (size_t i = 0; i < body.len; i++)
		sum = (uint8_t)(sum + body.ptr[i]);
	cursor_put_u8(out, (uint8_t)body.len);
	cursor_put_u8(out, sum);
	buf_put(out, buf_slice(&body));
	out->failed |= body.failed;
	buf_done(&body);
}

static enum rc data_take(const struct archive_job *job, const struct lha_member *member, struct buf *out)
{
	struct meter             meter = meter_make(job->budget, member->data.len, libarchive_steps(KIND_LHA));
	struct buf               one = buf_make(member->data.len + 256);
	struct libarchive       *library = NULL;
	struct libarchive_member ignored;
	enum rc                  rc = RC_NOMEM;

	header_put(&one, member);
	buf_put(&one, member->data);
	buf_put_byte(&one, 0);
	if (!one.failed)
		rc = libarchive_open(buf_slice(&one), KIND_LHA, slice_of(NULL, 0), job->budget, &library);
	if (rc == RC_OK)
		rc = libarchive_next(library, &ignored);
	if (rc == RC_OK)
		rc = libarchive_take(library, &meter, out);
	if (rc == RC_LIMIT && meter.bomb) {
		rc = archive_fact(job, CONTENT_FACT_BOMB, buf_slice(&member->name));
		rc = rc == RC_OK ? RC_AGAIN : rc;
	}
	libarchive_close(&library);
	buf_done(&one);
	return rc;
}

static enum rc member_tell(const struct archive_job *job, const struct lha_member *member, struct buf *out)
{
	struct content_member told = { .name = buf_slice(&member->name), .claimed = member->claimed };

	buf_clear(out);
	const enum rc rc = data_take(job, member, out);
	if (rc == RC_NOMEM)
		return rc;
	if (rc == RC_CORRUPT || member->cut)
		told.flags |= CONTENT_MEMBER_DAMAGED;
	if (rc == RC_LIMIT || rc == RC_AGAIN || member->cut)
		told.flags |= CONTENT_MEMBER_CUT;
	if (rc == RC_UNSUPPORTED || rc == RC_DENIED)
		told.flags |= CONTENT_MEMBER_UNREAD;
	told.bytes = buf_slice(out);
	const enum rc answer = archive_member(job, &told);
	return answer == RC_OK && rc == RC_LIMIT ? RC_LIMIT : answer;
}

enum rc lha_open(const struct archive_job *job)
{
	struct lha_member member = { .name = buf_make(NAME_MAX_BYTES) };
	struct buf        out = buf_make(ARCHIVE_MEMBER_MAX);
	struct slice      rest = job->bytes;
	enum rc           rc = RC_OK;
	size_t            count = 0;

	while (rc == RC_OK && rest.len != 0 && rest.ptr[0] != 0) {
		if (!budget_take(job->budget, BUDGET_STEPS, LHA_MEMBER_STEPS))
			rc = RC_LIMIT;
		else if (!header_read(rest, &member))
			rc = count == 0 ? RC_UNSUPPORTED : archive_fact(job, CONTENT_FACT_DAMAGED, SLICE(""));
		else if (!slice_eq(member.method, SLICE("-lhd-")))
			rc = member_tell(job, &member, &out);
		else if (archive_name_is_bad(buf_slice(&member.name)))
			rc = archive_fact(job, CONTENT_FACT_ARCHIVE_NAME, buf_slice(&member.name));
		if (rc == RC_OK && member.size == 0)
			break;
		count++;
		rest = slice_drop(rest, member.size);
		member.size = 0;
	}
	buf_done(&member.name);
	buf_done(&out);
	return rc;
}
