/*
 * The methods. What comes out is believed to be right when its checksum is; a wrong one is told and the bytes are given
 * all the same, since a reader may show them.
 */
#include "archive/zip_member.h"

#include "archive/libarchive.h"
#include "base/cursor.h"
#include "base/memory.h"
#include "content/inflate.h"

#define CLASSIC_HEADER 12u
#define AES_EXTRA      0x9901u
#define AES_EXTRA_SIZE 7u
#define AES_CODE       10u /* of authentication, behind the data */
#define ONE_NAME       "m"
#define DICTIONARY_MAX 0x10000000u /* of LZMA: as much as may come out of a message; a larger one is as good */
#define CHECK_STEPS    4096u /* what one try costs: AES derives its keys by 1,000 rounds */

/* How well it went. */
enum outcome {
	WENT_WELL, /* to the end, and the checksum is right, or nothing says what it should be */
	WENT_BADLY,
	WENT_SHORT, /* the meter stopped it */
	WENT_BOMB,
	NOT_OPENED, /* the password is wrong */
	NOT_KNOWN,  /* no such method */
	NO_MEMORY,
};

static bool has_checksum(const struct zip_entry *entry)
{
	return entry->crc != 0 || !(entry->flags & ZIP_FLAG_DESCRIPTOR);
}

static enum outcome outcome_of(enum rc rc, const struct meter *meter)
{
	switch (rc) {
	case RC_OK:
		return WENT_WELL;
	case RC_LIMIT:
		return meter->bomb ? WENT_BOMB : WENT_SHORT;
	case RC_NOMEM:
		return NO_MEMORY;
	case RC_DENIED:
		return NOT_OPENED;
	case RC_UNSUPPORTED:
		return NOT_KNOWN;
	case RC_AGAIN:
	case RC_SYNTAX:
	case RC_NOTFOUND:
	case RC_EXISTS:
	case RC_CONFLICT:
	case RC_BUSY:
	case RC_TIMEOUT:
	case RC_CLOSED:
	case RC_IO:
	case RC_CORRUPT:
	case RC_UNCERTAIN:
	case RC_COUNT:
		break;
	}
	return WENT_BADLY;
}

/* A header of a zip of one member. `strength`: of AES, 0 for none. */
static void put_header(struct buf *out, const struct zip_entry *entry, size_t packed, uint8_t strength, bool central)
{
	cursor_put_u32(out, central ? 0x02014b50u : 0x04034b50u);
	if (central)
		cursor_put_u16(out, 63);
	cursor_put_u16(out, 63);
	cursor_put_u16(out, (uint16_t)(entry->flags & ~(ZIP_FLAG_DESCRIPTOR | ZIP_FLAG_MASKED)));
	cursor_put_u16(out, entry->method == ZIP_ZSTD_OLD ? ZIP_ZSTD : entry->method);
	cursor_put_u16(out, entry->time);
	cursor_put_u16(out, 0x21);
	cursor_put_u32(out, entry->crc);
	cursor_put_u32(out, (uint32_t)packed);
	cursor_put_u32(out, entry->claimed > UINT32_MAX ? UINT32_MAX : (uint32_t)entry->claimed);
	cursor_put_u16(out, sizeof ONE_NAME - 1);
	cursor_put_u16(out, strength == 0 ? 0 : AES_EXTRA_SIZE + 4);
	for (unsigned i = 0; central && i < 7; i++)
		cursor_put_u16(out, 0); /* comment, disk, attributes, the offset of the header: 0 */
	buf_put_str(out, ONE_NAME);
	if (strength == 0)
		return;
	cursor_put_u16(out, AES_EXTRA);
	cursor_put_u16(out, AES_EXTRA_SIZE);
	cursor_put_u16(out, 2); /* AE-2: no other checksum than its own */
	buf_put_str(out, "AE");
	cursor_put_u8(out, strength);
	cursor_put_u16(out, ZIP_STORED);
}

/* What the extra field of AES says (WinZip's "AES Encryption Information"): the strength, 1 to 3, and the method inside. */
struct aes {
	uint8_t  strength;
	uint16_t method;
};

static bool aes_read(struct slice extra, struct aes *out)
{
	struct cursor c = cursor_on(extra);

	while (c.rest.len >= 4) {
		const uint16_t     tag = cursor_u16(&c);
		const struct slice field = cursor_bytes(&c, cursor_u16(&c));
		struct cursor      f = cursor_on(field);
		if (c.failed)
			break;
		if (tag != AES_EXTRA)
			continue;
		(void)cursor_u32(&f);
		out->strength = cursor_u8(&f);
		out->method = cursor_u16(&f);
		return !f.failed && out->strength >= 1 && out->strength <= 3;
	}
	return false;
}

/* A zip of this member alone, read by libarchive. `password` is for a `strength` of AES that is not 0. */
static enum rc library_take(const struct archive_job *job, const struct zip_entry *entry, struct slice data, uint8_t strength,
                            struct slice password, struct meter *meter, struct buf *out)
{
	struct libarchive       *library = NULL;
	struct libarchive_member member;
	struct buf               one = buf_make(data.len + 1024);
	enum rc                  rc = RC_NOMEM;

	put_header(&one, entry, data.len, strength, false);
	const size_t start = one.len;
	buf_put(&one, data);
	/* APPNOTE section 5.8.8: behind two bytes of version, two of size and one of properties, the size of the dictionary */
	if (entry->method == ZIP_LZMA && strength == 0 && !one.failed && data.len > 9 && one.ptr[start + 8] >= DICTIONARY_MAX >> 24)
		memcpy(one.ptr + start + 5, (const uint8_t[]){ 0, 0, 0, DICTIONARY_MAX >> 24 }, 4);
	const size_t directory = one.len;
	put_header(&one, entry, data.len, strength, true);
	const size_t end = one.len;
	cursor_put_u32(&one, 0x06054b50u);
	cursor_put_u32(&one, 0);
	cursor_put_u16(&one, 1);
	cursor_put_u16(&one, 1);
	cursor_put_u32(&one, (uint32_t)(end - directory));
	cursor_put_u32(&one, (uint32_t)directory);
	cursor_put_u16(&one, 0);
	if (!one.failed)
		rc = libarchive_open(buf_slice(&one), KIND_ZIP, password, job->budget, &library);
	if (rc == RC_OK)
		rc = libarchive_next(library, &member);
	if (rc == RC_OK)
		rc = libarchive_take(library, meter, out);
	libarchive_close(&library);
	buf_done(&one);
	return rc;
}

static enum rc stored_take(struct slice data, struct meter *meter, struct buf *out)
{
	while (data.len != 0) {
		const size_t room = out->len == out->max ? 0 : meter_room(meter, data.len);
		if (room == 0)
			return RC_LIMIT;
		buf_put(out, slice_take(data, room));
		if (out->failed)
			return RC_NOMEM;
		meter_came(meter, room);
		data = slice_drop(data, room);
	}
	return RC_OK;
}

/* `data` are not encrypted. */
static enum outcome unpack(const struct archive_job *job, const struct zip_entry *entry, struct slice data, struct buf *out)
{
	const uint64_t steps = entry->method <= ZIP_DEFLATED ? 1 : entry->method == ZIP_DEFLATED64 ? 16 : 12;
	struct meter   meter = meter_make(job->budget, data.len, steps);
	enum rc        rc;

	buf_clear(out);
	switch (entry->method) {
	case ZIP_STORED:
		rc = stored_take(data, &meter, out);
		break;
	case ZIP_DEFLATED:
		rc = inflate_take(INFLATE_RAW, data, &meter, out, NULL);
		break;
	case ZIP_DEFLATED64:
		rc = inflate_take(INFLATE_64, data, &meter, out, NULL);
		break;
	case ZIP_BZIP2:
	case ZIP_LZMA:
	case ZIP_ZSTD_OLD:
	case ZIP_ZSTD:
	case ZIP_XZ:
	case ZIP_PPMD:
		rc = library_take(job, entry, data, 0, slice_of(NULL, 0), &meter, out);
		break;
	default:
		return NOT_KNOWN;
	}
	if (rc == RC_OK && has_checksum(entry) && inflate_crc32(0, buf_slice(out)) != entry->crc)
		rc = RC_CORRUPT;
	return outcome_of(rc, &meter);
}

/*
 * AES: the library undoes the encryption of a stored member, whatever the method inside is (it cannot do both at once), and tells
 * a wrong password by the code behind the data.
 */
static enum outcome aes_take(const struct archive_job *job, const struct zip_entry *entry, struct slice data, struct slice password,
                             struct buf *out)
{
	struct zip_entry inside = *entry, sealed = *entry;
	struct buf       packed = buf_make(data.len + 1);
	struct meter     meter = meter_make(job->budget, data.len, 8);
	struct aes       aes = { .strength = 0 };
	enum outcome     outcome = NOT_KNOWN;

	if (aes_read(entry->extra, &aes)) {
		const size_t around = 4 + 4u * aes.strength + 2 + AES_CODE; /* salt, verifier, code */
		sealed.claimed = data.len < around ? 0 : data.len - around;
		sealed.crc = 0;
		inside.method = aes.method;
		inside.flags = (uint16_t)(entry->flags & ~ZIP_FLAG_ENCRYPTED);
		if (inside.crc == 0) /* AE-2 leaves it out */
			inside.flags |= ZIP_FLAG_DESCRIPTOR;
		const enum rc rc = library_take(job, &sealed, data, aes.strength, password, &meter, &packed);
		outcome = rc == RC_CORRUPT || rc == RC_DENIED ? NOT_OPENED : outcome_of(rc, &meter);
		if (outcome == WENT_WELL)
			outcome = unpack(job, &inside, buf_slice(&packed), out);
	}
	buf_done(&packed);
	return outcome;
}

/* APPNOTE section 6.1.5 to 6.1.6. */
struct classic {
	uint32_t keys[3];
};

static void classic_add(struct classic *c, uint8_t byte)
{
	c->keys[0] = ~inflate_crc32(~c->keys[0], slice_of(&byte, 1));
	c->keys[1] = (c->keys[1] + (c->keys[0] & 0xff)) * 134775813u + 1;
	const uint8_t high = (uint8_t)(c->keys[1] >> 24);
	c->keys[2] = ~inflate_crc32(~c->keys[2], slice_of(&high, 1));
}

static uint8_t classic_next(struct classic *c, uint8_t byte)
{
	const uint32_t temp = (c->keys[2] & 0xffff) | 2;
	const uint8_t  plain = (uint8_t)(byte ^ (uint8_t)(temp * (temp ^ 1) >> 8));

	classic_add(c, plain);
	return plain;
}

/* Is the last byte of the header what it should be? One wrong password in 256 gets so far. */
static bool classic_start(const struct zip_entry *entry, struct slice data, struct slice password, struct classic *out)
{
	uint8_t last = 0;

	*out = (struct classic){ { 0x12345678u, 0x23456789u, 0x34567890u } };
	for (size_t i = 0; i < password.len; i++)
		classic_add(out, password.ptr[i]);
	for (size_t i = 0; i < CLASSIC_HEADER && i < data.len; i++)
		last = classic_next(out, data.ptr[i]);
	return data.len >= CLASSIC_HEADER && (last == entry->crc >> 24 || last == entry->time >> 8);
}

static enum outcome classic_take(const struct archive_job *job, const struct zip_entry *entry, struct slice data, struct slice password,
                                 struct buf *out)
{
	struct classic key;

	if (!classic_start(entry, data, password, &key))
		return NOT_OPENED;
	data = slice_drop(data, CLASSIC_HEADER);
	uint8_t *plain = memory_take(data.len + 1, 1);
	if (plain == NULL)
		return NO_MEMORY;
	enum outcome outcome = WENT_SHORT;
	if (budget_take(job->budget, BUDGET_STEPS, data.len * 8)) {
		for (size_t i = 0; i < data.len; i++)
			plain[i] = classic_next(&key, data.ptr[i]);
		outcome = unpack(job, entry, slice_of(plain, data.len), out);
	}
	memory_give(plain);
	/* damage is what a wrong password looks like */
	return outcome == WENT_BADLY ? NOT_OPENED : outcome;
}

/* Every candidate, as long as there are tries. */
static enum outcome keys_try(const struct archive_job *job, const struct zip_entry *entry, struct slice data, struct zip_keys *keys,
                             struct buf *out)
{
	size_t count = job->passwords == NULL ? 0 : job->passwords->count;

	if (keys->exhausted && count > 1)
		count = 1;

	for (size_t i = 0; i < count; i++) {
		if (!budget_take(job->budget, BUDGET_TRIES, 1) || !budget_take(job->budget, BUDGET_STEPS, CHECK_STEPS))
			break;
		const struct slice password = job->passwords->items[i].text;
		const enum outcome outcome = entry->method == ZIP_AES ? aes_take(job, entry, data, password, out) :
		                                                        classic_take(job, entry, data, password, out);
		if (outcome == NOT_OPENED)
			continue;
		if (outcome == NOT_KNOWN || outcome == NO_MEMORY)
			return outcome;
		password_was_right(job->passwords, i);
		/* the next member will have the same one: its try is free */
		job->budget->left[BUDGET_TRIES]++;
		return outcome;
	}
	keys->exhausted = true;
	return NOT_OPENED;
}

enum rc zip_member_take(const struct archive_job *job, const struct zip_entry *entry, struct zip_keys *keys, struct buf *out,
                        uint32_t *flags)
{
	const struct slice data = slice_cut(job->bytes, entry->data_at, entry->packed);
	const bool         locked = (entry->flags & (ZIP_FLAG_ENCRYPTED | ZIP_FLAG_STRONG)) != 0 || entry->method == ZIP_AES;
	enum outcome       outcome = NOT_OPENED;

	*flags = entry->short_of ? CONTENT_MEMBER_CUT | CONTENT_MEMBER_DAMAGED : 0;
	/* the flag may lie: if the data are what the checksum says without any key, they are that */
	if (!locked)
		outcome = unpack(job, entry, data, out);
	else if (entry->method != ZIP_AES && has_checksum(entry) && data.len != 0 && unpack(job, entry, data, out) == WENT_WELL)
		outcome = WENT_WELL;
	else if (!(entry->flags & ZIP_FLAG_STRONG)) {
		outcome = keys_try(job, entry, data, keys, out);
		if (outcome == WENT_WELL || outcome == WENT_SHORT || outcome == WENT_BOMB)
			*flags |= CONTENT_MEMBER_PASSWORD;
	}
	switch (outcome) {
	case WENT_WELL:
		break;
	case WENT_BADLY:
		*flags |= CONTENT_MEMBER_DAMAGED;
		break;
	case WENT_SHORT:
	case WENT_BOMB:
		*flags |= CONTENT_MEMBER_CUT;
		break;
	case NOT_OPENED:
		*flags |= CONTENT_MEMBER_ENCRYPTED;
		buf_clear(out);
		break;
	case NOT_KNOWN:
		*flags |= CONTENT_MEMBER_UNREAD;
		buf_clear(out);
		break;
	case NO_MEMORY:
		return RC_NOMEM;
	}
	if (outcome == WENT_BOMB)
		return archive_fact(job, CONTENT_FACT_BOMB, entry->name);
	return outcome == WENT_SHORT ? RC_LIMIT : RC_OK;
}
