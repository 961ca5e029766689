/*
 * Packing and unpacking answers. What a name server says is hostile: every record is checked here once, when it is
 * packed.
 */
#include "net/resolver_answer.h"

#include "base/cursor.h"
#include "base/memory.h"
#include "base/must.h"

#define LABEL_MAX 63u

static bool is_name_byte(uint8_t byte)
{
	return byte_is_alnum(byte) || byte == '-' || byte == '_';
}

enum rc resolver_name_key(struct slice name, uint8_t out[RESOLVER_NAME_MAX], size_t *out_size)
{
	size_t label = 0;

	if (slice_last(name) == '.')
		name = slice_take(name, name.len - 1);
	if (name.len == 0 || name.len > RESOLVER_NAME_MAX)
		return RC_SYNTAX;
	for (size_t index = 0; index < name.len; index++) {
		const uint8_t byte = name.ptr[index];
		if (byte == '.' ? label == 0 : !is_name_byte(byte) || label == LABEL_MAX)
			return RC_SYNTAX;
		label = byte == '.' ? 0 : label + 1;
	}
	if (label == 0)
		return RC_SYNTAX;
	for (size_t index = 0; index < name.len; index++)
		out[index] = byte_lower(name.ptr[index]);
	*out_size = name.len;
	return RC_OK;
}

/*
 * A name of the wire (RFC 1035 section 3.1), which must be all of `wire`, as lower-case text without the final dot.
 * The root is "". RC_SYNTAX: malformed, or bytes that no host name has.
 */
static enum rc read_name(struct slice wire, uint8_t out[RESOLVER_NAME_MAX], size_t *out_size)
{
	size_t size = 0;

	for (;;) {
		const int label = slice_at(wire, 0);
		if (label < 0 || label > (int)LABEL_MAX || (size_t)label >= wire.len)
			return RC_SYNTAX;
		if (label == 0)
			break;
		if (size + (size != 0) + (size_t)label > RESOLVER_NAME_MAX)
			return RC_SYNTAX;
		if (size != 0)
			out[size++] = '.';
		for (size_t index = 1; index <= (size_t)label; index++) {
			if (!is_name_byte(wire.ptr[index]))
				return RC_SYNTAX;
			out[size++] = byte_lower(wire.ptr[index]);
		}
		wire = slice_drop(wire, (size_t)label + 1);
	}
	if (wire.len != 1)
		return RC_SYNTAX;
	*out_size = size;
	return RC_OK;
}

/*
 * ---- packing: addresses as they are; names with a size byte; texts with a size of two bytes; MX with the preference
 * before ----
 */

static enum rc pack_address(struct slice record, size_t size, struct buf *out)
{
	if (record.len != size)
		return RC_SYNTAX;
	buf_put(out, record);
	return RC_OK;
}

static enum rc pack_name(struct slice record, struct buf *out)
{
	uint8_t name[RESOLVER_NAME_MAX];
	size_t  size;

	if (read_name(record, name, &size) != RC_OK || size == 0)
		return RC_SYNTAX;
	buf_put_byte(out, (uint8_t)size);
	buf_put(out, slice_of(name, size));
	return RC_OK;
}

static enum rc pack_text(struct slice record, struct buf *out)
{
	const size_t start = out->len;
	size_t       size = 0;

	/* RFC 1035 section 3.3.14: one or more strings; RFC 7208 section 3.3 joins them without anything between. */
	for (struct slice rest = record; rest.len != 0;) {
		const size_t part = rest.ptr[0];
		if (part + 1 > rest.len || size + part > RESOLVER_TEXT_MAX)
			return RC_SYNTAX;
		size += part;
		rest = slice_drop(rest, part + 1);
	}
	if (record.len == 0)
		return RC_SYNTAX;
	cursor_put_u16(out, (uint16_t)size);
	for (struct slice rest = record; rest.len != 0; rest = slice_drop(rest, (size_t)rest.ptr[0] + 1))
		buf_put(out, slice_cut(rest, 1, rest.ptr[0]));
	must(out->failed || out->len == start + 2 + size);
	return RC_OK;
}

static unsigned preference_of(struct slice record)
{
	return (unsigned)slice_at(record, 0) << 8 | (unsigned)slice_at(record, 1);
}

static enum rc pack_mx(struct slice record, struct buf *out)
{
	uint8_t name[RESOLVER_NAME_MAX];
	size_t  size;

	if (record.len < 3 || read_name(slice_drop(record, 2), name, &size) != RC_OK || size == 0)
		return RC_SYNTAX;
	cursor_put_u16(out, (uint16_t)preference_of(record));
	buf_put_byte(out, (uint8_t)size);
	buf_put(out, slice_of(name, size));
	return RC_OK;
}

static enum rc pack_record(enum resolver_type type, struct slice record, struct buf *out)
{
	switch (type) {
	case RESOLVER_A:
		return pack_address(record, 4, out);
	case RESOLVER_AAAA:
		return pack_address(record, 16, out);
	case RESOLVER_PTR:
		return pack_name(record, out);
	case RESOLVER_MX:
		return pack_mx(record, out);
	case RESOLVER_TXT:
		return pack_text(record, out);
	}
	return RC_UNSUPPORTED;
}

/* RFC 7505 section 3: one record, preference 0 (others are taken for it as well), the root as its host. */
static bool is_null_mx(const struct resolver_found *found)
{
	return found->count == 1 && found->records[0].len == 3 && slice_at(found->records[0], 2) == 0;
}

/* The order in which records are packed: as they came, MX by preference. At most RESOLVER_RECORDS_MAX. */
static size_t order(enum resolver_type type, const struct resolver_found *found, struct slice out[RESOLVER_RECORDS_MAX])
{
	const size_t count = found->count < RESOLVER_RECORDS_MAX ? found->count : RESOLVER_RECORDS_MAX;

	for (size_t index = 0; index < count; index++) {
		size_t where = index;
		while (type == RESOLVER_MX && where > 0 && found->records[index].len > 1 &&
		       (out[where - 1].len < 2 ||
		        preference_of(out[where - 1]) > preference_of(found->records[index]))) {
			out[where] = out[where - 1];
			where--;
		}
		out[where] = found->records[index];
	}
	return count;
}

enum rc resolver_pack(enum resolver_type type, const struct resolver_found *found, struct resolver_packed **out)
{
	struct resolver_packed head = {
		.status = found->status, .type = type, .secure = found->secure, .ttl_s = found->ttl_s
	};
	struct slice records[RESOLVER_RECORDS_MAX];
	struct buf   bytes = buf_make(RESOLVER_PACKED_MAX);

	if (found->status == RESOLVER_OK && type == RESOLVER_MX && is_null_mx(found)) {
		head.null_mx = true;
	} else if (found->status == RESOLVER_OK) {
		const size_t count = order(type, found, records);
		head.truncated = count < found->count;
		for (size_t index = 0; index < count; index++) {
			const size_t before = bytes.len;
			if (pack_record(type, records[index], &bytes) == RC_OK && !bytes.failed) {
				head.count++;
				continue;
			}
			head.truncated = true;
			if (bytes.failed && bytes.len + RESOLVER_TEXT_MAX < bytes.max) {
				buf_done(&bytes); /* no memory, as opposed to no room */
				return RC_NOMEM;
			}
			bytes.failed = false;
			buf_truncate(&bytes, before);
		}
		/* Records that nobody can read: a peer without a usable name, or a host of which nothing is known. */
		if (head.count == 0)
			head.status = type == RESOLVER_PTR ? RESOLVER_NODATA : RESOLVER_FAILED;
	}
	head.size = (uint32_t)bytes.len;
	struct resolver_packed *packed = memory_take(1, sizeof *packed + bytes.len);
	if (packed != NULL) {
		*packed = head;
		if (bytes.len != 0)
			memcpy(packed->records, bytes.ptr, bytes.len);
		*out = packed;
	}
	buf_done(&bytes);
	return packed != NULL ? RC_OK : RC_NOMEM;
}

/* ---- unpacking ---- */

static enum rc unpack_addresses(const struct resolver_packed *packed, struct cursor *from, struct arena *arena,
                                struct resolver_answer *out)
{
	const bool          v4 = packed->type == RESOLVER_A;
	struct net_address *addresses = arena_take(arena, packed->count, sizeof *addresses);

	if (addresses == NULL)
		return RC_NOMEM;
	for (size_t index = 0; index < packed->count; index++) {
		const struct slice bytes = cursor_bytes(from, v4 ? 4 : 16);
		addresses[index].family = v4 ? NET_FAMILY_V4 : NET_FAMILY_V6;
		memcpy(addresses[index].bytes, bytes.ptr, bytes.len);
	}
	out->addresses = addresses;
	return RC_OK;
}

static enum rc unpack_names(const struct resolver_packed *packed, struct cursor *from, struct arena *arena,
                            struct resolver_answer *out)
{
	struct slice *names = arena_take(arena, packed->count, sizeof *names);

	if (names == NULL)
		return RC_NOMEM;
	for (size_t index = 0; index < packed->count; index++) {
		const size_t size = packed->type == RESOLVER_TXT ? cursor_u16(from) : cursor_u8(from);
		if (arena_copy(arena, cursor_bytes(from, size), &names[index]) != RC_OK)
			return RC_NOMEM;
	}
	out->names = names;
	return RC_OK;
}

/* Mix what has the same preference: RFC 5321 section 5.1, "the sender-SMTP MUST randomize them". */
static void mix(struct resolver_mx *mx, size_t count, uint64_t (*draw)(uint64_t bound))
{
	for (size_t start = 0; start < count;) {
		size_t end = start + 1;
		while (end < count && mx[end].preference == mx[start].preference)
			end++;
		for (size_t index = end - 1; index > start; index--) {
			const size_t             other = start + (size_t)draw(index - start + 1);
			const struct resolver_mx kept = mx[index];
			mx[index] = mx[other];
			mx[other] = kept;
		}
		start = end;
	}
}

static enum rc unpack_mx(const struct resolver_packed *packed, struct cursor *from, struct arena *arena,
                         uint64_t (*draw)(uint64_t bound), struct resolver_answer *out)
{
	struct resolver_mx *mx = arena_take(arena, packed->count, sizeof *mx);

	if (mx == NULL)
		return RC_NOMEM;
	for (size_t index = 0; index < packed->count; index++) {
		mx[index].preference = cursor_u16(from);
		if (arena_copy(arena, cursor_bytes(from, cursor_u8(from)), &mx[index].host) != RC_OK)
			return RC_NOMEM;
	}
	mix(mx, packed->count, draw);
	out->mx = mx;
	return RC_OK;
}

enum rc resolver_unpack(const struct resolver_packed *packed, struct arena *arena, uint64_t (*draw)(uint64_t bound),
                        struct resolver_answer *out)
{
	struct cursor          from = cursor_on(slice_of(packed->records, packed->size));
	struct resolver_answer answer = { .status = packed->status,
		                          .type = packed->type,
		                          .secure = packed->secure,
		                          .null_mx = packed->null_mx,
		                          .truncated = packed->truncated,
		                          .ttl_s = packed->ttl_s,
		                          .count = packed->count };
	enum rc                rc = RC_OK;

	if (packed->count != 0) {
		switch (packed->type) {
		case RESOLVER_A:
		case RESOLVER_AAAA:
			rc = unpack_addresses(packed, &from, arena, &answer);
			break;
		case RESOLVER_PTR:
		case RESOLVER_TXT:
			rc = unpack_names(packed, &from, arena, &answer);
			break;
		case RESOLVER_MX:
			rc = unpack_mx(packed, &from, arena, draw, &answer);
			break;
		}
	}
	must(rc != RC_OK || cursor_ended(&from));
	if (rc == RC_OK)
		*out = answer;
	return rc;
}
