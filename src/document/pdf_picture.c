/*
 * Pictures in PDF: those in JPEG and JPEG 2000 as they are, bare samples of 1 and 8 bits as PNM (P4 to P6), which
 * image/decode.h reads. Colours that need a profile are taken for grey or RGB by their number.
 */
#include "document/pdf_look.h"

/* Sides and pixels above it are nothing that a camera could read a code from on a page; below it there is none. */
#define SIDE_MIN   16
#define SIDE_MAX   20000
#define PIXELS_MAX ((uint64_t)40 << 20)

/* How many colours a pixel has, and the palette if it has one. */
struct colours {
	unsigned     count; /* 1, 3, 4; 0: unknown */
	bool         indexed;
	unsigned     base; /* colours of an entry of the palette */
	struct slice palette;
	struct buf   palette_bytes;
};

static unsigned count_of(struct pdf_file *file, const struct pdf_value *space, enum rc *rc)
{
	struct pdf_value inner;
	struct slice     stream;

	if (space->kind == PDF_NAME) {
		if (pdf_is_name(space, "DeviceRGB") || pdf_is_name(space, "RGB") || pdf_is_name(space, "CalRGB"))
			return 3;
		if (pdf_is_name(space, "DeviceCMYK") || pdf_is_name(space, "CMYK"))
			return 4;
		return pdf_is_name(space, "DeviceGray") || pdf_is_name(space, "G") || pdf_is_name(space, "CalGray");
	}
	if (space->kind != PDF_ARRAY || space->count == 0)
		return 0;
	if (pdf_is_name(&space->items[0], "CalRGB") || pdf_is_name(&space->items[0], "Lab"))
		return 3;
	if (pdf_is_name(&space->items[0], "CalGray") || pdf_is_name(&space->items[0], "Separation"))
		return 1;
	if (!pdf_is_name(&space->items[0], "ICCBased") || space->count < 2)
		return space->count == 1 && space->items[0].kind == PDF_NAME ? count_of(file, &space->items[0], rc) : 0;
	*rc = pdf_file_follow(file, &space->items[1], &inner, &stream);
	const struct pdf_value *n = *rc == RC_OK ? pdf_get(&inner, "N") : NULL;
	return n != NULL && (n->number == 1 || n->number == 3 || n->number == 4) ? (unsigned)n->number : 0;
}

static enum rc read_colours(struct pdf_file *file, const struct pdf_value *dictionary, struct colours *out)
{
	struct pdf_value space, base, table;
	struct slice     stream, rest;
	enum rc          rc = pdf_file_get(file, dictionary, "ColorSpace", &space);
	const struct pdf_value *mask = pdf_get(dictionary, "ImageMask");

	*out = (struct colours){ .palette_bytes = buf_make(4096) };
	if (rc != RC_OK)
		return rc;
	if (mask != NULL && mask->kind == PDF_BOOL && mask->number == 1) {
		out->count = 1;
		return RC_OK;
	}
	if (space.kind != PDF_ARRAY || space.count < 4 || !(pdf_is_name(&space.items[0], "Indexed") || pdf_is_name(&space.items[0], "I"))) {
		out->count = count_of(file, &space, &rc);
		return rc;
	}
	rc = pdf_file_follow(file, &space.items[1], &base, &stream);
	if (rc == RC_OK)
		out->base = count_of(file, &base, &rc);
	if (rc == RC_OK)
		rc = pdf_file_follow(file, &space.items[3], &table, &stream);
	if (rc == RC_OK && table.kind == PDF_STRING)
		out->palette = table.text;
	else if (rc == RC_OK && stream.len != 0) {
		rc = pdf_file_decode(file, &table, stream, &out->palette_bytes, &rest);
		out->palette = buf_slice(&out->palette_bytes);
	}
	out->indexed = true;
	out->count = out->base == 1 || out->base == 3 ? 1 : 0;
	return rc;
}

/* One pixel's bytes from its samples. */
static void put_pixel(const struct colours *colours, const uint8_t *samples, bool inverted, struct buf *out)
{
	if (colours->indexed) {
		const struct slice entry = slice_cut(colours->palette, (size_t)samples[0] * colours->base, colours->base);
		for (unsigned i = 0; i < 3; i++)
			buf_put_byte(out, entry.len == colours->base ? entry.ptr[colours->base == 1 ? 0 : i] : 255);
	} else if (colours->count == 4) {
		for (unsigned i = 0; i < 3; i++)
			buf_put_byte(out, (uint8_t)((255 - samples[i]) * (255 - samples[3]) / 255));
	} else {
		for (unsigned i = 0; i < colours->count; i++)
			buf_put_byte(out, inverted ? (uint8_t)(255 - samples[i]) : samples[i]);
	}
}

static enum rc to_pnm(const struct colours *colours, struct slice samples, uint32_t width, uint32_t height, unsigned bits,
                      bool inverted, struct buf *out)
{
	const unsigned per = colours->count;
	const size_t   row_bytes = ((size_t)width * per * bits + 7) / 8;
	const bool     grey = per == 1 && !colours->indexed;

	if (width < SIDE_MIN || height < SIDE_MIN || width > SIDE_MAX || height > SIDE_MAX || (uint64_t)width * height > PIXELS_MAX)
		return RC_UNSUPPORTED;
	buf_printf(out, "P%d %u %u 255\n", grey ? 5 : 6, width, height);
	for (uint32_t y = 0; y < height && samples.len >= row_bytes && !out->failed; y++) {
		for (size_t x = 0; x < width; x++) {
			uint8_t pixel[4];
			for (unsigned i = 0; i < per; i++) {
				const size_t   bit = (x * per + i) * bits;
				const unsigned raw = bits == 8 ? samples.ptr[bit / 8]
				                               : samples.ptr[bit / 8] >> (8 - bits - bit % 8) & ((1u << bits) - 1);
				pixel[i] = (uint8_t)(colours->indexed || bits == 8 ? raw : raw * 255 / ((1u << bits) - 1));
			}
			put_pixel(colours, pixel, inverted, out);
		}
		samples = slice_drop(samples, row_bytes);
	}
	return out->failed ? RC_LIMIT : RC_OK;
}

/* Does /Decode turn black into white? */
static bool is_inverted(const struct pdf_value *dictionary)
{
	const struct pdf_value *decode = pdf_get(dictionary, "Decode");
	return decode != NULL && decode->kind == PDF_ARRAY && decode->count >= 2 && decode->items[0].real > decode->items[1].real;
}

static enum rc tell_samples(struct pdf_file *file, const struct content_sink *sink, const struct pdf_value *dictionary, struct slice samples)
{
	struct pdf_value width, height, bits;
	struct colours   colours;
	enum rc          rc = pdf_file_get(file, dictionary, "Width", &width);

	if (rc == RC_OK)
		rc = pdf_file_get(file, dictionary, "Height", &height);
	if (rc == RC_OK)
		rc = pdf_file_get(file, dictionary, "BitsPerComponent", &bits);
	if (rc == RC_OK)
		rc = read_colours(file, dictionary, &colours);
	if (rc != RC_OK)
		return rc;
	const int32_t depth = bits.kind == PDF_NUMBER ? bits.number : 1;
	struct buf    out = buf_make(PDF_STREAM_BYTES_MAX * 2);
	rc = RC_UNSUPPORTED;
	if (colours.count != 0 && width.number > 0 && height.number > 0 && (depth == 1 || depth == 2 || depth == 4 || depth == 8))
		rc = to_pnm(&colours, samples, (uint32_t)width.number, (uint32_t)height.number, (unsigned)depth, is_inverted(dictionary), &out);
	if (rc == RC_OK && !budget_take(file->budget, BUDGET_BYTES, out.len))
		rc = RC_LIMIT;
	if (rc == RC_OK)
		rc = sink_member(sink, file->budget,
		                 &(struct content_member){ .bytes = buf_slice(&out), .kind = SLICE("image/x-portable-anymap") });
	buf_done(&out);
	buf_done(&colours.palette_bytes);
	return rc == RC_UNSUPPORTED ? RC_OK : rc;
}

enum rc pdf_picture_tell(struct pdf_file *file, const struct content_sink *sink, const struct pdf_value *dictionary, struct slice stream)
{
	struct buf   bytes = buf_make(PDF_STREAM_BYTES_MAX);
	struct slice rest;
	enum rc      rc = pdf_file_decode(file, dictionary, stream, &bytes, &rest);

	if (rc == RC_OK && rest.len == 0) {
		rc = tell_samples(file, sink, dictionary, buf_slice(&bytes));
	} else if (rc == RC_OK) {
		const bool jpeg = slice_eq(rest, SLICE("DCTDecode")) || slice_eq(rest, SLICE("DCT"));
		const bool jpx = slice_eq(rest, SLICE("JPXDecode"));
		const struct slice kind = jpeg ? SLICE("image/jpeg") : jpx ? SLICE("image/jp2") : slice_of(NULL, 0);
		/* Fax and JBIG2 have no head of their own: nothing reads them without the dictionary. */
		if (kind.len != 0)
			rc = sink_member(sink, file->budget, &(struct content_member){ .bytes = buf_slice(&bytes), .kind = kind });
	}
	buf_done(&bytes);
	return rc;
}
