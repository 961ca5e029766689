/*
 * zbar: the reader of codes. It converts texts with iconv, which loads its tables as files: one converter of each kind is
 * kept open as long as the scanner, so that they stay loaded when the box has closed. Its window, video and D-Bus parts
 * are never called.
 */
#include "image/scanner.h"

#include "base/memory.h"

#include <iconv.h>
#include <zbar.h>

/* The four that zbar opens for each QR code, from which it chooses by what decodes. */
static const char *const charsets[] = { "ISO8859-1", "SJIS", "UTF-8", "BIG-5" };
#define CHARSETS (sizeof charsets / sizeof charsets[0])

#define FORMAT_GREY 0x30303859ul /* "Y800", little-endian */

struct scanner {
	zbar_image_scanner_t *zbar;
	iconv_t               kept[CHARSETS];
};

static const zbar_symbol_type_t wanted[] = { ZBAR_QRCODE, ZBAR_EAN13, ZBAR_EAN8, ZBAR_CODE39, ZBAR_CODE93, ZBAR_CODE128 };

enum rc scanner_open(struct scanner **out)
{
	struct scanner *scanner = memory_take(1, sizeof *scanner);

	if (scanner == NULL)
		return RC_NOMEM;
	for (size_t i = 0; i < CHARSETS; i++)
		scanner->kept[i] = iconv_open("UTF-8", charsets[i]);
	scanner->zbar = zbar_image_scanner_create();
	if (scanner->zbar == NULL) {
		scanner_close(&scanner);
		return RC_NOMEM;
	}
	(void)zbar_image_scanner_request_dbus(scanner->zbar, 0);
	(void)zbar_image_scanner_set_config(scanner->zbar, ZBAR_NONE, ZBAR_CFG_ENABLE, 0);
	/* Bytes as they stand: its guess among the four is often wrong, and whoever asked can guess better. */
	(void)zbar_image_scanner_set_config(scanner->zbar, ZBAR_QRCODE, ZBAR_CFG_BINARY, 1);
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		(void)zbar_image_scanner_set_config(scanner->zbar, wanted[i], ZBAR_CFG_ENABLE, 1);
	*out = scanner;
	return RC_OK;
}

void scanner_close(struct scanner **scanner)
{
	if (*scanner == NULL)
		return;
	if ((*scanner)->zbar != NULL)
		zbar_image_scanner_destroy((*scanner)->zbar);
	for (size_t i = 0; i < CHARSETS; i++) {
		if ((*scanner)->kept[i] != (iconv_t)-1)
			(void)iconv_close((*scanner)->kept[i]);
	}
	memory_give(*scanner);
	*scanner = NULL;
}

static enum rc add(struct codes *codes, enum code_kind kind, bool inverted, struct slice text)
{
	for (size_t i = 0; i < codes->count; i++) {
		if (slice_eq(codes->items[i].text, text))
			return RC_OK;
	}
	if (codes->count == CODES_MAX || text.len == 0)
		return RC_OK;
	struct code  *code = &codes->items[codes->count];
	const enum rc rc = arena_copy(codes->arena, text, &code->text);
	if (rc != RC_OK)
		return rc;
	code->kind = kind;
	code->inverted = inverted;
	codes->count++;
	return RC_OK;
}

enum rc scanner_look(struct scanner *scanner, const struct picture *picture, bool inverted, struct codes *codes)
{
	zbar_image_t *image = zbar_image_create();
	enum rc       rc = RC_OK;

	if (image == NULL)
		return RC_NOMEM;
	zbar_image_set_format(image, FORMAT_GREY);
	zbar_image_set_size(image, picture->width, picture->height);
	zbar_image_set_data(image, picture->planes[PICTURE_GREY], (size_t)picture->width * picture->height, NULL);
	if (zbar_scan_image(scanner->zbar, image) > 0) {
		const zbar_symbol_t *symbol = zbar_image_first_symbol(image);
		for (; symbol != NULL && rc == RC_OK; symbol = zbar_symbol_next(symbol)) {
			const enum code_kind kind = zbar_symbol_get_type(symbol) == ZBAR_QRCODE ? CODE_QR : CODE_BARS;
			rc = add(codes, kind, inverted,
			         slice_of(zbar_symbol_get_data(symbol), zbar_symbol_get_data_length(symbol)));
		}
	}
	zbar_image_destroy(image);
	return rc;
}
