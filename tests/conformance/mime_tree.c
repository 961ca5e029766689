/*
 * Prints how mail/ reads each file named on standard input: the tree of each reading with decoded bodies and names,
 * and whatever else whoever scans content is given. tests/conformance/mime.py compares.
 *
 *     F path
 *     R rules                             a reading of the message; 0: the primary one
 *     P depth kind type charset encoding body names     a part: kind M, R (message inside), L; names joined by ","
 *     O how name body                     one more decoding of the leaf above, or of the message (before the first R)
 *
 * All but numbers and kinds are hexadecimal, "-" when empty.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "mail/body.h"
#include "mail/part_name.h"
#include "mail/reading.h"
#include "text/charset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX  ((size_t)64 << 20)
#define ARENA_MAX ((size_t)64 << 20)

static const struct message_limits limits = {
	.header = { .bytes = 256u << 10, .fields = 1000 },
	.parts = 1000,
	.depth = 32,
	.parameters = 64,
	.steps = UINT64_C(1) << 30,
};

static struct arena arena;
static struct buf   decoded;

static void hex_put(struct slice s)
{
	static const char digits[] = "0123456789abcdef";

	if (s.len == 0)
		putchar('-');
	for (size_t i = 0; i < s.len; i++) {
		putchar(digits[s.ptr[i] >> 4]);
		putchar(digits[s.ptr[i] & 15]);
	}
}

/* Decode into `decoded`; returns the flaws. */
static uint32_t decode(const struct body_reading *reading)
{
	struct transfer transfer = body_open(reading);
	uint8_t         piece[4096];
	size_t          made;

	buf_clear(&decoded);
	while ((made = transfer_read(&transfer, piece, sizeof piece)) != 0)
		buf_put(&decoded, slice_of(piece, made));
	if (decoded.failed)
		abort();
	return transfer.flaws;
}

static void readings_put(struct body_walk *walk, bool skip_first)
{
	struct body_reading reading;

	for (bool first = skip_first; body_next(walk, &reading); first = false) {
		body_told(walk, decode(&reading));
		if (first)
			continue;
		printf("O %u ", reading.how);
		hex_put(reading.name);
		putchar(' ');
		hex_put(buf_slice(&decoded));
		putchar('\n');
	}
}

static void names_put(const struct mime_readings *readings, bool *comma)
{
	for (size_t i = 0; i < readings->count; i++) {
		if (*comma)
			putchar(',');
		*comma = true;
		hex_put(readings->items[i].text);
	}
}

static void tree_put(const struct message *message, unsigned depth, unsigned nested);

static void part_put(const struct message_part *part, unsigned depth, unsigned nested)
{
	const bool        text = part->type.word.len == 0 || slice_starts(part->type.word, SLICE("text/"));
	struct body_walk  walk = body_begin(part->body, part->encoding,
	                                    (text ? BODY_OF_TEXT : 0) | (part->file_offset != 0 ? BODY_MAY_HOLD_FILES : 0));
	const bool        inside = reading_is_inside(part) && nested < READING_DEPTH_MAX;
	struct part_names names;
	bool              comma = false, cut;

	printf("P %u %c ", depth + part->depth, part->kind == PART_MULTIPART ? 'M' : part->kind == PART_MESSAGE || inside ? 'R' : 'L');
	hex_put(part->type.word);
	putchar(' ');
	hex_put(mime_parameter_plain(&part->type, SLICE("charset")));
	printf(" %u ", (unsigned)part->encoding);
	if (part->kind == PART_LEAF) {
		const struct body_reading reading = { .encoding = part->encoding, .bytes = part->body };
		(void)decode(&reading);
		hex_put(buf_slice(&decoded));
	} else {
		putchar('-');
	}
	putchar(' ');
	if (part_names_read(part, limits.parameters, &arena, &names) != RC_OK)
		abort();
	names_put(&names.disposition, &comma);
	names_put(&names.type, &comma);
	names_put(&names.description, &comma);
	printf(comma ? "\n" : "-\n");
	if (part->kind != PART_LEAF)
		return;
	if (inside) {
		struct message message;
		if (reading_open(part, &limits, NULL, &arena, &message, &cut) != RC_OK)
			abort();
		tree_put(&message, depth + part->depth + 1, nested + 1);
	}
	readings_put(&walk, true);
}

static void tree_put(const struct message *message, unsigned depth, unsigned nested)
{
	/* A multipart inside stands for its part. */
	for (size_t i = 0; i < message->count; i++)
		part_put(message->parts[i], depth, nested);
}

static void file_put(const char *path, struct slice bytes)
{
	struct message message, other;

	arena_reset(&arena);
	printf("F %s\n", path);
	if (message_read(bytes, &limits, NULL, &arena, &message) != RC_OK)
		abort();
	const struct readings readings = readings_of(&message);
	if (readings.doubtful) {
		struct body_walk walk = body_begin_doubtful(bytes);
		readings_put(&walk, false);
	}
	printf("R 0\n");
	tree_put(&message, 0, 0);
	for (size_t i = 0; i < readings.count; i++) {
		if (message_read_as(bytes, readings.rules[i], &limits, NULL, &arena, &other) != RC_OK)
			abort();
		printf("R %u\n", readings.rules[i]);
		tree_put(&other, 0, 0);
	}
}

int main(void)
{
	static char path[4096];

	if (charset_ready() != RC_OK || arena_init(&arena, ARENA_MAX) != RC_OK)
		return 1;
	decoded = buf_make(FILE_MAX);
	while (fgets(path, sizeof path, stdin) != NULL) {
		path[strcspn(path, "\n")] = '\0';
		FILE *file = fopen(path, "rb");
		if (file == NULL)
			return 1;
		struct buf bytes = buf_make(FILE_MAX);
		uint8_t    piece[65536];
		size_t     count;
		while ((count = fread(piece, 1, sizeof piece, file)) != 0)
			buf_put(&bytes, slice_of(piece, count));
		fclose(file);
		if (bytes.failed)
			return 1;
		file_put(path, buf_slice(&bytes));
		buf_done(&bytes);
	}
	buf_done(&decoded);
	arena_done(&arena);
	return 0;
}
