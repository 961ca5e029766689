/*
 * Reads documents and prints what was found, for office.py beside it:
 *
 *     office_answers [--password WORD]... FILE...      a line for each fact, link and member, under "file<TAB>PATH"
 *     office_answers --cut FILE...                     each file cut at every byte up to 4 KiB and at 64 places beyond: must end
 *
 * A member is read in its turn, as the scanner does. Packages are unpacked here with zlib, so that this program tests the
 * readers of documents and nothing else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/codec.h"
#include "document/ole.h"
#include "document/ole_bytes.h"
#include "document/ole_office.h"
#include "document/onenote.h"
#include "document/ooxml.h"
#include "document/rtf.h"
#include "document/xlm_sylk.h"
#include "text/charset.h"

#define FILE_MAX   (64u << 20)
#define PASSWORDS  16u
#if defined(__SANITIZE_ADDRESS__)
#define CUT_ALL 256u /* such a build takes ten times as long for each */
#else
#define CUT_ALL 4096u
#endif
#define CUT_MORE   64u
#define PART_MAX   (32u << 20)
#define LEVELS_MAX 8u

static struct slice         password_items[PASSWORDS];
static struct ole_passwords passwords = { password_items, 0 };
static bool                 quiet;
static uint64_t             heard; /* so that nothing is optimised away, and two runs can be compared */

struct level {
	struct budget *budget;
	unsigned       depth;
};

static void quoted(struct slice bytes)
{
	struct buf text = buf_make(4096);

	codec_quote(bytes, 300, &text);
	printf("%.*s", (int)text.len, (const char *)text.ptr);
	buf_done(&text);
}

static void hear(struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		heard = heard * 31 + bytes.ptr[i];
}

static enum rc on_fact(void *context, enum content_fact fact, struct slice evidence)
{
	(void)context;
	hear(evidence);
	if (quiet)
		return RC_OK;
	printf("fact\t%s\t", content_fact_name(fact));
	quoted(evidence);
	printf("\n");
	return RC_OK;
}

static enum rc on_link(void *context, enum content_place place, struct slice address, struct slice shown)
{
	(void)context;
	hear(address);
	hear(shown);
	if (quiet)
		return RC_OK;
	printf("link\t%d\t", (int)place);
	quoted(address);
	printf("\t");
	quoted(shown);
	printf("\n");
	return RC_OK;
}

static enum rc on_text(void *context, enum content_place place, struct slice text)
{
	(void)context;
	hear(text);
	if (quiet)
		return RC_OK;
	printf("text\t%d\t%zu\t", (int)place, text.len);
	quoted(text);
	printf("\n");
	return RC_OK;
}

static enum rc read_any(struct slice name, struct slice bytes, struct budget *budget, unsigned depth);

static enum rc on_member(void *context, const struct content_member *member)
{
	const struct level *level = context;

	hear(member->bytes);
	if (!quiet) {
		printf("member\t%s\t", (member->flags & CONTENT_MEMBER_SCRIPT) != 0 ? "script" : "file");
		quoted(member->name);
		printf("\t%zu\t", member->bytes.len);
		quoted(slice_take(member->bytes, (member->flags & CONTENT_MEMBER_SCRIPT) != 0 ? 300 : 16));
		printf("\n");
	}
	if ((member->flags & CONTENT_MEMBER_SCRIPT) != 0)
		return RC_OK;
	const enum rc rc = read_any(member->name, member->bytes, level->budget, level->depth + 1);
	return rc == RC_LIMIT || rc == RC_SYNTAX ? RC_OK : rc;
}

static struct content_sink sink_of(struct level *level)
{
	return (struct content_sink){ level, on_member, on_text, on_link, on_fact };
}

/* The data of one member; an empty slice when it cannot be unpacked. The caller frees it. */
static uint8_t *part_unpack(struct slice file, size_t central, size_t *size)
{
	const size_t   local = bytes_u32(file, central + 42);
	const size_t   packed = bytes_u32(file, central + 20);
	const unsigned method = bytes_u16(file, central + 10);
	const size_t   at = local + 30 + bytes_u16(file, local + 26) + bytes_u16(file, local + 28);
	struct slice   data = slice_cut(file, at, packed);
	size_t         room = bytes_u32(file, central + 24);
	uint8_t       *out;

	room = room > PART_MAX ? PART_MAX : room;
	out = malloc(room + 1);
	*size = 0;
	if (out == NULL || data.len == 0)
		return out;
	if (method == 0) {
		*size = data.len < room ? data.len : room;
		memcpy(out, data.ptr, *size);
		return out;
	}
	z_stream z = { .next_out = out, .avail_out = (unsigned)room };
	union {
		const uint8_t *from;
		uint8_t       *to;
	} in = { data.ptr };
	z.next_in = in.to;
	z.avail_in = (unsigned)data.len;
	if (method == 8 && inflateInit2(&z, -15) == Z_OK) {
		(void)inflate(&z, Z_FINISH);
		*size = room - z.avail_out;
		(void)inflateEnd(&z);
	}
	return out;
}

/* Every member of the central directory: to the package's reader, and as a file of its own when that does not read it. */
static enum rc zip_read(struct slice file, struct budget *budget, unsigned depth)
{
	struct level        level = { budget, depth };
	struct content_sink sink = sink_of(&level);
	struct ooxml       *package = NULL;
	size_t              end = file.len;
	enum rc             rc = ooxml_open(budget, &sink, &package);

	while (end >= 22 && bytes_u32(file, end - 22) != 0x06054b50)
		end--;
	size_t at = end < 22 ? file.len : bytes_u32(file, end - 22 + 16);
	while (rc == RC_OK && at + 46 <= file.len && bytes_u32(file, at) == 0x02014b50) {
		const struct slice name = slice_cut(file, at + 46, bytes_u16(file, at + 28));
		size_t             size;
		uint8_t           *bytes = part_unpack(file, at, &size);
		if (ooxml_reads(name))
			rc = ooxml_part(package, name, slice_of(bytes, size));
		if (rc == RC_OK && !ooxml_reads(name))
			rc = on_member(&level,
			               &(struct content_member){ .name = name, .bytes = slice_of(bytes, size) });
		else if (rc == RC_OK && ooxml_flat_is(slice_of(bytes, size)) && slice_find(name, '/') == name.len)
			rc = ooxml_flat(slice_of(bytes, size), budget, &sink);
		free(bytes);
		at += 46u + bytes_u16(file, at + 28) + bytes_u16(file, at + 30) + bytes_u16(file, at + 32);
	}
	if (rc == RC_OK)
		rc = ooxml_end(package);
	ooxml_close(&package);
	return rc;
}

static enum rc read_any(struct slice name, struct slice bytes, struct budget *budget, unsigned depth)
{
	struct level        level = { budget, depth };
	struct content_sink sink = sink_of(&level);

	if (depth > LEVELS_MAX)
		return RC_LIMIT;
	if (ole_is(bytes))
		return ole_office_open(bytes, &passwords, budget, &sink);
	if (rtf_is(bytes))
		return rtf_open(bytes, budget, &sink);
	if (onenote_is(bytes))
		return onenote_open(bytes, budget, &sink);
	if (slice_starts(bytes, SLICE("PK\3\4")))
		return zip_read(bytes, budget, depth);
	if (xlm_sylk_is(bytes))
		return xlm_sylk_open(bytes, budget, &sink);
	if (ooxml_flat_is(bytes))
		return ooxml_flat(bytes, budget, &sink);
	if (slice_ends_nocase(name, SLICE(".csv")))
		return xlm_table_open(bytes, budget, &sink);
	return RC_SYNTAX;
}

static struct slice load(const char *path)
{
	FILE    *file = fopen(path, "rb");
	uint8_t *bytes = malloc(FILE_MAX);
	size_t   size = 0;

	if (file != NULL && bytes != NULL)
		size = fread(bytes, 1, FILE_MAX, file);
	if (file != NULL)
		(void)fclose(file);
	return (struct slice){ bytes, size };
}

static void unload(struct slice bytes)
{
	union {
		const uint8_t *from;
		uint8_t       *to;
	} ptr = { bytes.ptr };
	free(ptr.to);
}

static enum rc read_one(const char *path, struct slice bytes)
{
	struct budget budget = budget_make(&BUDGET_LIMITS_STANDARD);

	return read_any(slice_str(path), bytes, &budget, 0);
}

/* In memory of its own size, so that a sanitizer sees a byte too far. */
static void read_cut(const char *path, struct slice bytes, size_t cut)
{
	uint8_t *copy = malloc(cut == 0 ? 1 : cut);

	if (copy == NULL)
		abort();
	memcpy(copy, bytes.ptr, cut);
	(void)read_one(path, slice_of(copy, cut));
	free(copy);
}

static uint64_t cut_all(const char *path, struct slice bytes)
{
	uint64_t count = 0, seed = 0x9e3779b97f4a7c15u;

	for (size_t cut = 0; cut < bytes.len && cut < CUT_ALL; cut++, count++)
		read_cut(path, bytes, cut);
	for (unsigned i = 0; i < CUT_MORE && bytes.len > CUT_ALL; i++, count++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		read_cut(path, bytes, CUT_ALL + (size_t)((seed >> 33) % (bytes.len - CUT_ALL)));
	}
	return count;
}

int main(int argc, char **argv)
{
	bool     cut = false;
	uint64_t cuts = 0;

	if (ole_cipher_ready() != RC_OK || charset_ready() != RC_OK)
		return 2;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--cut") == 0) {
			cut = quiet = true;
			continue;
		}
		if (strcmp(argv[i], "--password") == 0 && i + 1 < argc && passwords.count < PASSWORDS) {
			password_items[passwords.count++] = slice_str(argv[++i]);
			continue;
		}
		const struct slice bytes = load(argv[i]);
		if (cut) {
			cuts += cut_all(argv[i], bytes);
		} else {
			printf("file\t%s\n", argv[i]);
			printf("end\t%s\n", rc_word(read_one(argv[i], bytes)));
		}
		unload(bytes);
	}
	if (cut)
		printf("cuts\t%llu\t%llx\n", (unsigned long long)cuts, (unsigned long long)heard);
	return 0;
}
