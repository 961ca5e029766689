/*
 * libarchive behind slices and enum rc. The library converts names to the locale's character set: a locale object of our
 * own (C.UTF-8) is set around each call for this thread alone, so that no converter is ever loaded: UTF-16 and UTF-8 names
 * it converts by itself. Formats whose names may be in anything (lha, xar) are checked by their openers first.
 */
#include "archive/libarchive.h"

#include "base/memory.h"
#include "base/must.h"

#include <errno.h> /* the library reads it, see enter() */
#include <locale.h>
#include <stdlib.h> /* setenv: the time zone */

#include <archive.h>
#include <archive_entry.h>

#define CALL_STEPS 256u /* each time the library asks for bytes or seeks */
#define READ_SHARE 16u  /* bytes handed to the library for one step */
#define PASSWORD_ROOM 256u

struct libarchive {
	struct archive *handle;
	struct slice    bytes;
	size_t          at;     /* where the library reads next */
	bool            single; /* one compressed file: the library makes a name up */
	struct budget  *budget;
	bool            spent; /* the budget ended a read */
	uint8_t         name[LIBARCHIVE_NAME_MAX], target[LIBARCHIVE_NAME_MAX];
};

/* Set once by libarchive_ready(), before there are threads. */
static locale_t utf8_locale;

/* clang-format off: a table */
static const struct {
	enum kind kind;
	int       format; /* ARCHIVE_FORMAT_x; 0: a compressed file */
	int       filter; /* ARCHIVE_FILTER_x */
	uint64_t  steps;
} formats[] = {
	{ KIND_ZIP, ARCHIVE_FORMAT_ZIP, 0, 8 },
	{ KIND_SEVENZIP, ARCHIVE_FORMAT_7ZIP, 0, 8 },
	{ KIND_RAR, ARCHIVE_FORMAT_RAR, 0, 16 },
	{ KIND_RAR5, ARCHIVE_FORMAT_RAR_V5, 0, 8 },
	{ KIND_TAR, ARCHIVE_FORMAT_TAR, 0, 1 },
	{ KIND_CAB, ARCHIVE_FORMAT_CAB, 0, 8 },
	{ KIND_ISO, ARCHIVE_FORMAT_ISO9660, 0, 2 },
	{ KIND_LHA, ARCHIVE_FORMAT_LHA, 0, 16 },
	{ KIND_CPIO, ARCHIVE_FORMAT_CPIO, 0, 1 },
	{ KIND_AR, ARCHIVE_FORMAT_AR, 0, 1 },
	{ KIND_XAR, ARCHIVE_FORMAT_XAR, 0, 8 },
	{ KIND_GZIP, 0, ARCHIVE_FILTER_GZIP, 2 },
	{ KIND_BZIP2, 0, ARCHIVE_FILTER_BZIP2, 32 },
	{ KIND_XZ, 0, ARCHIVE_FILTER_XZ, 8 },
	{ KIND_LZMA, 0, ARCHIVE_FILTER_LZMA, 8 },
	{ KIND_LZIP, 0, ARCHIVE_FILTER_LZIP, 8 },
	{ KIND_ZSTD, 0, ARCHIVE_FILTER_ZSTD, 2 },
	{ KIND_LZ4, 0, ARCHIVE_FILTER_LZ4, 2 },
	{ KIND_COMPRESS, 0, ARCHIVE_FILTER_COMPRESS, 4 },
	{ KIND_RPM, ARCHIVE_FORMAT_CPIO, ARCHIVE_FILTER_RPM, 8 },
};
/* clang-format on */

#define FORMATS (sizeof formats / sizeof formats[0])

/*
 * Before each call. A name that is no UTF-8 and an ENOMEM that some call long before has left in errno are "no memory" to the
 * library, and that ends the process.
 */
static locale_t enter(void)
{
	errno = 0;
	return uselocale(utf8_locale);
}

static size_t row_of(enum kind kind)
{
	size_t row = 0;

	while (row < FORMATS && formats[row].kind != kind)
		row++;
	return row;
}

bool libarchive_reads(enum kind kind)
{
	return row_of(kind) < FORMATS;
}

uint64_t libarchive_steps(enum kind kind)
{
	const size_t row = row_of(kind);

	return row < FORMATS ? formats[row].steps : 1;
}

static ssize_t on_read(struct archive *handle, void *context, const void **out)
{
	struct libarchive *library = context;
	const struct slice rest = slice_drop(library->bytes, library->at);

	if (!budget_take(library->budget, BUDGET_STEPS, CALL_STEPS + rest.len / READ_SHARE)) {
		library->spent = true;
		archive_set_error(handle, ENOSPC, "budget");
		return -1;
	}
	library->at = library->bytes.len;
	*out = rest.ptr;
	return (ssize_t)rest.len;
}

static la_int64_t on_seek(struct archive *handle, void *context, la_int64_t offset, int whence)
{
	struct libarchive *library = context;
	const la_int64_t   size = (la_int64_t)library->bytes.len;
	const la_int64_t   base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (la_int64_t)library->at : size;

	if (!budget_take(library->budget, BUDGET_STEPS, CALL_STEPS)) {
		library->spent = true;
		archive_set_error(handle, ENOSPC, "budget");
		return ARCHIVE_FATAL;
	}
	if (offset < -base || offset > size - base)
		return ARCHIVE_FAILED;
	library->at = (size_t)(base + offset);
	return (la_int64_t)library->at;
}

static la_int64_t on_skip(struct archive *handle, void *context, la_int64_t count)
{
	struct libarchive *library = context;
	const size_t       left = library->bytes.len - library->at;
	const size_t       step = count <= 0 ? 0 : (uint64_t)count < left ? (size_t)count : left;

	(void)handle;
	library->at += step;
	return (la_int64_t)step;
}

static int formats_add(struct archive *handle, size_t row)
{
	int answer = ARCHIVE_OK;

	switch (formats[row].filter) {
	case ARCHIVE_FILTER_GZIP:
		answer = archive_read_support_filter_gzip(handle);
		break;
	case ARCHIVE_FILTER_BZIP2:
		answer = archive_read_support_filter_bzip2(handle);
		break;
	case ARCHIVE_FILTER_XZ:
		answer = archive_read_support_filter_xz(handle);
		break;
	case ARCHIVE_FILTER_LZMA:
		answer = archive_read_support_filter_lzma(handle);
		break;
	case ARCHIVE_FILTER_LZIP:
		answer = archive_read_support_filter_lzip(handle);
		break;
	case ARCHIVE_FILTER_ZSTD:
		answer = archive_read_support_filter_zstd(handle);
		break;
	case ARCHIVE_FILTER_LZ4:
		answer = archive_read_support_filter_lz4(handle);
		break;
	case ARCHIVE_FILTER_COMPRESS:
		answer = archive_read_support_filter_compress(handle);
		break;
	case ARCHIVE_FILTER_RPM: /* a header, then a compressed cpio */
		(void)archive_read_support_filter_gzip(handle);
		(void)archive_read_support_filter_xz(handle);
		(void)archive_read_support_filter_zstd(handle);
		(void)archive_read_support_filter_bzip2(handle);
		(void)archive_read_support_filter_lzma(handle);
		answer = archive_read_support_filter_rpm(handle);
		break;
	default:
		break;
	}
	if (answer != ARCHIVE_OK) /* also when the library would start a program for it */
		return ARCHIVE_FATAL;
	return formats[row].format == 0 ? archive_read_support_format_raw(handle) :
	                                  archive_read_support_format_by_code(handle, formats[row].format);
}

static bool password_put(struct archive *handle, struct slice password)
{
	char text[PASSWORD_ROOM];

	if (password.len == 0)
		return true;
	if (password.len >= sizeof text)
		return false;
	(void)slice_to_cstr(password, text, sizeof text);
	const int answer = archive_read_add_passphrase(handle, text);
	memory_wipe(text, sizeof text);
	return answer == ARCHIVE_OK;
}

enum rc libarchive_open(struct slice bytes, enum kind kind, struct slice password, struct budget *budget,
                        struct libarchive **out)
{
	const size_t       row = row_of(kind);
	struct libarchive *library = memory_take(1, sizeof *library);

	if (library == NULL)
		return RC_NOMEM;
	library->bytes = bytes;
	library->budget = budget;
	library->single = row < FORMATS && formats[row].format == 0;
	library->handle = row == FORMATS ? NULL : archive_read_new();
	if (row == FORMATS || library->handle == NULL || formats_add(library->handle, row) != ARCHIVE_OK ||
	    !password_put(library->handle, password) ||
	    archive_read_set_read_callback(library->handle, on_read) != ARCHIVE_OK ||
	    archive_read_set_seek_callback(library->handle, on_seek) != ARCHIVE_OK ||
	    archive_read_set_skip_callback(library->handle, on_skip) != ARCHIVE_OK ||
	    archive_read_set_callback_data(library->handle, library) != ARCHIVE_OK) {
		libarchive_close(&library);
		return row == FORMATS ? RC_UNSUPPORTED : RC_NOMEM;
	}
	const locale_t before = enter();
	const int      answer = archive_read_open1(library->handle);
	(void)uselocale(before);
	if (answer != ARCHIVE_OK) {
		libarchive_close(&library);
		return RC_UNSUPPORTED;
	}
	*out = library;
	return RC_OK;
}

static struct slice name_copy(const char *text, uint8_t *room)
{
	struct slice name = slice_take(slice_str(text), LIBARCHIVE_NAME_MAX);

	if (name.len != 0)
		memcpy(room, name.ptr, name.len);
	return slice_of(room, name.len);
}

/* The library says why in words only. */
static bool says(struct archive *handle, const char *word)
{
	const struct slice text = slice_str(archive_error_string(handle));

	return slice_search_nocase(text, slice_str(word)) < text.len;
}

static enum rc failure(struct libarchive *library)
{
	if (library->spent)
		return RC_LIMIT;
	if (says(library->handle, "encrypt") || says(library->handle, "passphrase"))
		return RC_DENIED;
	if (says(library->handle, "unsupported") || says(library->handle, "not supported") || says(library->handle, "codec"))
		return RC_UNSUPPORTED;
	return RC_CORRUPT;
}

static void describe(struct libarchive *library, struct archive_entry *entry, struct libarchive_member *out)
{
	const char *target = archive_entry_symlink(entry);
	const char *name = archive_entry_pathname(entry);

	if (target == NULL)
		target = archive_entry_hardlink(entry);
	if (name == NULL)
		name = archive_entry_pathname_utf8(entry);
	*out = (struct libarchive_member){
		.name = library->single ? slice_of(NULL, 0) : name_copy(name, library->name),
		.target = name_copy(target, library->target),
		.claimed = archive_entry_size_is_set(entry) && archive_entry_size(entry) > 0 ? (uint64_t)archive_entry_size(entry) : 0,
		.folder = archive_entry_filetype(entry) == AE_IFDIR,
		.encrypted = archive_entry_is_encrypted(entry) != 0,
	};
}

enum rc libarchive_next(struct libarchive *library, struct libarchive_member *out)
{
	struct archive_entry *entry = NULL;

	if (!budget_take(library->budget, BUDGET_STEPS, CALL_STEPS))
		return RC_LIMIT;
	const locale_t before = enter();
	const int      answer = archive_read_next_header(library->handle, &entry);
	if (answer == ARCHIVE_OK || answer == ARCHIVE_WARN)
		describe(library, entry, out);
	(void)uselocale(before);
	if (answer == ARCHIVE_OK || answer == ARCHIVE_WARN)
		return RC_OK;
	return answer == ARCHIVE_EOF ? RC_CLOSED : failure(library);
}

/* One block of the member; RC_CLOSED at its end. */
static enum rc block_next(struct libarchive *library, struct slice *out)
{
	const void    *bytes = NULL;
	size_t         size = 0;
	la_int64_t     place = 0;
	const locale_t before = enter();
	const int      answer = archive_read_data_block(library->handle, &bytes, &size, &place);

	(void)uselocale(before);
	*out = slice_of(bytes, answer == ARCHIVE_OK || answer == ARCHIVE_WARN ? size : 0);
	if (answer == ARCHIVE_EOF)
		return RC_CLOSED;
	if (answer == ARCHIVE_OK || (answer == ARCHIVE_WARN && size != 0))
		return RC_OK;
	return failure(library);
}

enum rc libarchive_take(struct libarchive *library, struct meter *meter, struct buf *out)
{
	struct slice block;
	enum rc      rc;

	for (rc = block_next(library, &block); rc == RC_OK; rc = block_next(library, &block)) {
		if (!budget_take(library->budget, BUDGET_STEPS, 1))
			return RC_LIMIT;
		while (block.len != 0) {
			const size_t left = out->max - out->len;
			const size_t room = left == 0 ? 0 : meter_room(meter, block.len < left ? block.len : left);
			if (room == 0)
				return RC_LIMIT;
			buf_put(out, slice_take(block, room));
			if (out->failed)
				return RC_NOMEM;
			meter_came(meter, room);
			block = slice_drop(block, room);
		}
	}
	return rc == RC_CLOSED ? RC_OK : rc;
}

enum rc libarchive_skip(struct libarchive *library, struct meter *meter)
{
	struct slice block;
	enum rc      rc;

	for (rc = block_next(library, &block); rc == RC_OK; rc = block_next(library, &block)) {
		if (!budget_take(meter->budget, BUDGET_STEPS, 1 + block.len * meter->steps))
			return RC_LIMIT;
	}
	return rc == RC_CLOSED ? RC_OK : rc;
}

void libarchive_close(struct libarchive **library)
{
	if (*library == NULL)
		return;
	if ((*library)->handle != NULL)
		(void)archive_read_free((*library)->handle);
	memory_give(*library);
	*library = NULL;
}

/* "hangu" in a gzip file: if that does not come out, nothing can be believed. */
static enum rc canary(void)
{
	static const uint8_t packed[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb, 0x48, 0xcc,
		                          0x4b, 0x2f, 0x05, 0x00, 0x0e, 0xc5, 0x60, 0xa4, 0x05, 0x00, 0x00, 0x00 };
	struct budget            budget = budget_make(&BUDGET_LIMITS_STANDARD);
	struct meter             meter = meter_make(&budget, sizeof packed, 1);
	struct libarchive_member member;
	struct libarchive       *library = NULL;
	struct buf               out = buf_make(64);
	enum rc                  rc = libarchive_open(slice_of(packed, sizeof packed), KIND_GZIP, slice_of(NULL, 0), &budget, &library);

	if (rc == RC_OK)
		rc = libarchive_next(library, &member);
	if (rc == RC_OK)
		rc = libarchive_take(library, &meter, &out);
	if (rc != RC_OK || !slice_eq(buf_slice(&out), SLICE("hangu")))
		rc = RC_UNSUPPORTED;
	libarchive_close(&library);
	buf_done(&out);
	return rc;
}

enum rc libarchive_ready(void)
{
	if (setenv("TZ", "UTC0", 0) != 0)
		return RC_UNSUPPORTED;
	tzset();
	if (utf8_locale == (locale_t)0)
		utf8_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	return utf8_locale == (locale_t)0 ? RC_UNSUPPORTED : canary();
}
