/* giflib: GIF. Frames are laid over one another as a reader shows them; the canvas is one byte a colour. */
#include "image/decoder.h"

#include "base/memory.h"

#include <gif_lib.h>

/* Records between two frames (comments and the like): beyond them the file is taken for damaged. */
#define GIF_RECORDS_MAX 4096u

struct canvas {
	uint8_t *pixels; /* red, green, blue, opacity */
	uint32_t width, height;
};

bool gif_is(struct slice bytes)
{
	return slice_starts(bytes, SLICE("GIF8"));
}

static int read_some(GifFileType *file, GifByteType *out, int size)
{
	struct slice *rest = file->UserData;
	const size_t  count = size > 0 && (size_t)size < rest->len ? (size_t)size : size > 0 ? rest->len : 0;

	if (count != 0)
		memcpy(out, rest->ptr, count);
	*rest = slice_drop(*rest, count);
	return (int)count;
}

/* One row of a frame on the canvas. */
static void put_row(const struct canvas *canvas, const GifFileType *file, const ColorMapObject *colours, int clear,
                    const uint8_t *row, int64_t y)
{
	const GifImageDesc *frame = &file->Image;

	if (y < 0 || y >= canvas->height)
		return;
	for (int x = 0; x < frame->Width; x++) {
		const int64_t at = (int64_t)frame->Left + x;
		if (at < 0 || at >= canvas->width || row[x] == clear || row[x] >= colours->ColorCount)
			continue;
		uint8_t            *pixel = &canvas->pixels[4 * ((size_t)y * canvas->width + (size_t)at)];
		const GifColorType *colour = &colours->Colors[row[x]];
		pixel[0] = colour->Red;
		pixel[1] = colour->Green;
		pixel[2] = colour->Blue;
		pixel[3] = 255;
	}
}

/* The frame whose description was just read. */
static enum rc take_frame(GifFileType *file, int clear, struct budget *budget, const struct canvas *canvas)
{
	static const int      first[] = { 0, 4, 2, 1 }, step[] = { 8, 8, 4, 2 };
	const GifImageDesc   *frame = &file->Image;
	const ColorMapObject *colours = frame->ColorMap != NULL ? frame->ColorMap : file->SColorMap;

	if (frame->Width <= 0 || frame->Height <= 0 || colours == NULL)
		return RC_SYNTAX;
	const enum rc rc = decoder_charge(budget, (uint64_t)frame->Width, (uint64_t)frame->Height, PICTURE_WHOLE_PIXELS_MAX, 1);
	if (rc != RC_OK)
		return rc;
	uint8_t *row = memory_take((size_t)frame->Width, 1);
	if (row == NULL)
		return RC_NOMEM;
	bool whole = true;
	for (size_t pass = 0; pass < (frame->Interlace ? 4u : 1u) && whole; pass++) {
		for (int y = frame->Interlace ? first[pass] : 0; y < frame->Height && whole; y += frame->Interlace ? step[pass] : 1) {
			whole = DGifGetLine(file, row, frame->Width) == GIF_OK;
			if (whole)
				put_row(canvas, file, colours, clear, row, (int64_t)frame->Top + y);
		}
	}
	memory_give(row);
	return whole ? RC_OK : RC_CLOSED;
}

/* An extension; which index is transparent in the next frame, if it says so. RC_SYNTAX. */
static enum rc take_extension(GifFileType *file, int *clear)
{
	int          function;
	GifByteType *block;

	if (DGifGetExtension(file, &function, &block) != GIF_OK)
		return RC_SYNTAX;
	if (function == GRAPHICS_EXT_FUNC_CODE && block != NULL && block[0] >= 4)
		*clear = (block[1] & 1) != 0 ? block[4] : NO_TRANSPARENT_COLOR;
	for (size_t blocks = 0; block != NULL; blocks++) {
		if (blocks >= GIF_RECORDS_MAX * 16 || DGifGetExtensionNext(file, &block) != GIF_OK)
			return RC_SYNTAX;
	}
	return RC_OK;
}

/* Frames up to `wanted` on the canvas. RC_NOTFOUND: there are fewer. */
static enum rc take_frames(GifFileType *file, uint32_t wanted, struct budget *budget, const struct canvas *canvas)
{
	int      clear = NO_TRANSPARENT_COLOR;
	uint32_t frames = 0;

	for (size_t records = 0; records < GIF_RECORDS_MAX; records++) {
		GifRecordType kind;
		enum rc       rc = RC_OK;
		if (DGifGetRecordType(file, &kind) != GIF_OK || kind == TERMINATE_RECORD_TYPE)
			return frames == 0 ? RC_SYNTAX : RC_NOTFOUND;
		if (kind == EXTENSION_RECORD_TYPE) {
			rc = take_extension(file, &clear);
		} else if (kind == IMAGE_DESC_RECORD_TYPE) {
			if (DGifGetImageDesc(file) != GIF_OK)
				return frames == 0 ? RC_SYNTAX : RC_NOTFOUND;
			rc = take_frame(file, clear, budget, canvas);
			clear = NO_TRANSPARENT_COLOR;
			if ((rc == RC_OK || rc == RC_CLOSED) && frames++ == wanted)
				return RC_OK;
		}
		if (rc != RC_OK)
			return rc == RC_CLOSED || (rc == RC_SYNTAX && frames != 0) ? RC_NOTFOUND : rc;
	}
	return RC_NOTFOUND;
}

static enum rc decode_with(GifFileType *file, uint32_t frame, struct budget *budget, struct picture *out)
{
	struct canvas       canvas = { .width = (uint32_t)file->SWidth, .height = (uint32_t)file->SHeight };
	struct picture_feed feed;

	if (file->SWidth <= 0 || file->SHeight <= 0)
		return RC_SYNTAX;
	enum rc rc = decoder_charge(budget, canvas.width, canvas.height, PICTURE_WHOLE_PIXELS_MAX, 1);
	if (rc != RC_OK)
		return rc;
	canvas.pixels = memory_take((size_t)canvas.width * canvas.height, 4);
	if (canvas.pixels == NULL)
		return RC_NOMEM;
	rc = take_frames(file, frame, budget, &canvas);
	if (rc == RC_OK) {
		rc = picture_feed_begin(&feed, canvas.width, canvas.height);
		for (uint32_t y = 0; y < canvas.height && rc == RC_OK; y++)
			picture_feed_row(&feed, PICTURE_ROW_RGBA, canvas.pixels + (size_t)y * canvas.width * 4);
		const enum rc ended = picture_feed_end(&feed, out);
		rc = rc != RC_OK ? rc : ended;
	}
	memory_give(canvas.pixels);
	return rc;
}

enum rc gif_decode(struct slice bytes, uint32_t frame, struct budget *budget, struct picture *out)
{
	int          error;
	struct slice rest = bytes;
	GifFileType *file = DGifOpen(&rest, read_some, &error);

	if (file == NULL)
		return error == D_GIF_ERR_NOT_ENOUGH_MEM ? RC_NOMEM : RC_SYNTAX;
	const enum rc rc = decode_with(file, frame, budget, out);
	(void)DGifCloseFile(file, &error);
	return rc;
}
