/*
 * What src/link says about the cases that link.py hands over on standard input, a line each: a command and texts in
 * hexadecimal, with blanks between. A line goes back for each: "-" for a refusal, else results in hexadecimal.
 *
 *   url TEXT [BASE]   href
 *   ascii TEXT        ToASCII, strict
 *   encode TEXT       Punycode of UTF-8
 *   decode TEXT       UTF-8 of Punycode
 *   find TEXT         for each find: certainty, flags, its text, what is written, href, the same undecoded; "." at the end
 *   unwrap TEXT       every target's href, and the same undecoded
 *   data TEXT         a data: URL's type and bytes
 *   type TEXT         a MIME type, parsed and serialised
 *   speed TEXT N      nanoseconds to parse TEXT, on the average of N times
 *   scan TEXT N       MB/s of looking for links in TEXT, N times
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/codec.h"
#include "link/data.h"
#include "link/find.h"
#include "link/idna.h"
#include "link/ready.h"
#include "link/unwrap.h"
#include "link/writer.h"

static uint8_t             memory[32 << 20];
static struct arena        arena;
static struct suffix_list *list;

static void put(struct slice s)
{
	if (s.len == 0)
		fputs("''", stdout);
	for (size_t i = 0; i < s.len; i++)
		printf("%02x", s.ptr[i]);
	putchar(' ');
}

static void put_decoded(struct slice s)
{
	uint8_t      *room = arena_bytes(&arena, s.len + 1);
	struct writer writer = { .ptr = room, .room = s.len };

	writer_percent_decoded(&writer, s);
	put(writer_from(&writer, 0));
}

static void do_url(struct slice text, struct slice base_text, bool has_base)
{
	struct url base, url;

	if ((has_base && url_parse(base_text, NULL, &arena, &base) != RC_OK) ||
	    url_parse(text, has_base ? &base : NULL, &arena, &url) != RC_OK)
		putchar('-');
	else
		put(url.href);
}

static size_t points_of(struct slice text, uint32_t *points)
{
	size_t count = 0;

	while (text.len != 0) {
		bool valid;
		text = slice_drop(text, utf8_take(text, &points[count++], &valid));
	}
	return count;
}

static void do_punycode(bool encode, struct slice text)
{
	uint32_t     *points = arena_take(&arena, 1 << 16, sizeof *points);
	uint8_t      *out = arena_bytes(&arena, 1 << 18);
	struct writer writer = { .ptr = out, .room = 1 << 18 };
	size_t        count = 0;
	enum rc       rc;

	if (encode) {
		count = points_of(text, points);
		rc = punycode_encode(points, count, out, 1 << 18, &writer.len);
	} else {
		rc = punycode_decode(text, points, 1 << 16, &count);
		for (size_t i = 0; rc == RC_OK && i < count; i++)
			writer_utf8(&writer, points[i]);
	}
	if (rc != RC_OK)
		putchar('-');
	else
		put(writer_from(&writer, 0));
}

static void do_ascii(struct slice text)
{
	uint8_t out[IDNA_ASCII_MAX];
	size_t  size = 0;

	if (idna_ascii(text, IDNA_STRICT, out, sizeof out, &size) != RC_OK)
		putchar('-');
	else
		put(slice_of(out, size));
}

static void put_targets(const struct url *url)
{
	struct unwrap unwrap;

	if (unwrap_url(url, &arena, &unwrap) != RC_OK)
		return;
	for (size_t i = 0; i < unwrap.count; i++) {
		if (!unwrap.items[i].has_url)
			continue;
		put(unwrap.items[i].url.href);
		put_decoded(unwrap.items[i].url.href);
	}
}

static void do_find(struct slice text)
{
	struct link_finder *finder;
	struct link_found   found;

	if (link_find_open(text, list, &arena, &finder) != RC_OK)
		return;
	while (link_find_next(finder, &arena, &found) == RC_OK) {
		printf("%d %u ", (int)found.certainty, found.flags);
		put(slice_cut(text, found.offset, found.size));
		put(found.written);
		put(found.url.href);
		put_decoded(found.written);
	}
	putchar('.');
}

static void do_unwrap(struct slice text)
{
	struct url url;

	if (url_parse(text, NULL, &arena, &url) != RC_OK)
		putchar('-');
	else
		put_targets(&url);
}

static void do_data(bool url, struct slice text)
{
	struct data_url found;
	struct slice    type;

	if (url && data_url_read(text, &arena, &found) == RC_OK) {
		put(found.type);
		put(found.bytes);
	} else if (!url && data_type_read(text, &arena, &type) == RC_OK) {
		put(type);
	} else {
		putchar('-');
	}
}

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void do_speed(bool scan, struct slice text, unsigned long times)
{
	const double start = seconds();

	for (unsigned long i = 0; i < times; i++) {
		struct link_finder *finder;
		struct link_found   found;
		struct url          url;
		arena_reset(&arena);
		if (!scan)
			(void)!url_parse(text, NULL, &arena, &url);
		else if (link_find_open(text, list, &arena, &finder) == RC_OK)
			while (link_find_next(finder, &arena, &found) == RC_OK)
				continue;
	}
	const double each = (seconds() - start) / (double)times;
	printf("%.0f", scan ? (double)text.len / each / 1e6 : each * 1e9);
}

static void one(char *line)
{
	struct buf   texts[2] = { buf_make(1 << 23), buf_make(1 << 23) };
	char        *save = NULL;
	const char  *command = strtok_r(line, " \n", &save);
	unsigned     count = 0;
	const char  *words[2] = { "", "" };

	for (char *word; count < 2 && (word = strtok_r(NULL, " \n", &save)) != NULL; count++) {
		words[count] = word;
		if (strcmp(word, "''") != 0)
			(void)!codec_hex_decode(slice_str(word), &texts[count]);
	}
	const struct slice text = buf_slice(&texts[0]);
	arena_reset(&arena);
	if (command == NULL)
		return;
	if (strcmp(command, "url") == 0)
		do_url(text, buf_slice(&texts[1]), count == 2);
	else if (strcmp(command, "ascii") == 0)
		do_ascii(text);
	else if (strcmp(command, "encode") == 0 || strcmp(command, "decode") == 0)
		do_punycode(command[0] == 'e', text);
	else if (strcmp(command, "find") == 0)
		do_find(text);
	else if (strcmp(command, "unwrap") == 0)
		do_unwrap(text);
	else if (strcmp(command, "data") == 0 || strcmp(command, "type") == 0)
		do_data(command[0] == 'd', text);
	else if (strcmp(command, "speed") == 0 || strcmp(command, "scan") == 0)
		do_speed(command[1] == 'c', text, strtoul(words[1], NULL, 10));
	putchar('\n');
	buf_done(&texts[0]);
	buf_done(&texts[1]);
}

int main(void)
{
	char  *line = NULL;
	size_t room = 0;

	arena = arena_on(memory, sizeof memory);
	if (link_ready((struct slice){ NULL, 0 }, &list) != RC_OK)
		return 2;
	while (getline(&line, &room, stdin) >= 0)
		one(line);
	suffix_close(&list);
	free(line);
	return 0;
}
