/*
 * text.py's eyes: the readers of text/ on whole files.
 *
 *   text decode LABEL FILE     the file's bytes under that label, as UTF-8
 *   text skeleton FILE         each line's skeleton, as UTF-8
 */
#include <stdio.h>
#include <stdlib.h>

#include "text/charset.h"
#include "text/skeleton.h"
#include "text/unicode.h"

static uint8_t input[1 << 24];

static bool file_read(const char *path, struct slice *out)
{
	FILE *file = fopen(path, "rb");

	if (file == NULL)
		return false;
	const size_t size = fread(input, 1, sizeof input, file);
	fclose(file);
	*out = slice_of(input, size);
	return size < sizeof input;
}

static int decode(const char *label, struct slice bytes)
{
	struct charset_run run = charset_begin(charset_of(slice_str(label)));
	uint8_t            out[4096];
	size_t             count;

	if (run.charset == CHARSET_NONE)
		return 1;
	while ((count = charset_read(&run, &bytes, true, out, sizeof out)) != 0)
		fwrite(out, 1, count, stdout);
	return 0;
}

static int skeletons(struct slice bytes)
{
	uint8_t out[SKELETON_ROOM];
	size_t  size;

	while (bytes.len != 0) {
		if (skeleton_of(slice_until(&bytes, '\n'), out, sizeof out, &size) != RC_OK)
			return 1;
		fwrite(out, 1, size, stdout);
		putchar('\n');
	}
	return 0;
}

int main(int count, char **words)
{
	struct slice bytes;

	if (charset_ready() != RC_OK || unicode_ready() != RC_OK || count < 3 || !file_read(words[count - 1], &bytes))
		return 2;
	if (slice_eq(slice_str(words[1]), SLICE("decode")) && count == 4)
		return decode(words[2], bytes);
	if (slice_eq(slice_str(words[1]), SLICE("skeleton")))
		return skeletons(bytes);
	return 2;
}
