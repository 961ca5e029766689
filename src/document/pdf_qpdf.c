/*
 * qpdf through its C interface, which turns its exceptions (also those for want of memory) into error codes. It is
 * given the bytes in memory, writes nothing to standard error, and does no more than to write the file anew without
 * encryption: streams stay as they are packed, so that a bomb in one stays packed, too. Only object streams are
 * unpacked by it; the caller has looked at their size.
 */
#include "document/pdf_qpdf.h"

#include <qpdf/qpdf-c.h>

#define PASSWORD_MAX 128u /* bytes; ISO 32000-2 section 7.6.4.3.3 uses 127 */

static enum rc write_plain(qpdf_data file, struct buf *out)
{
	if ((qpdf_init_write_memory(file) & QPDF_ERRORS) != 0)
		return RC_SYNTAX;
	qpdf_set_preserve_encryption(file, QPDF_FALSE);
	qpdf_set_object_stream_mode(file, qpdf_o_disable);
	qpdf_set_stream_data_mode(file, qpdf_s_preserve);
	qpdf_set_compress_streams(file, QPDF_FALSE);
	qpdf_set_decode_level(file, qpdf_dl_none);
	qpdf_set_preserve_unreferenced_objects(file, QPDF_TRUE);
	qpdf_set_deterministic_ID(file, QPDF_TRUE);
	if ((qpdf_write(file) & QPDF_ERRORS) != 0)
		return RC_SYNTAX;
	buf_put(out, slice_of(qpdf_get_buffer(file), qpdf_get_buffer_length(file)));
	return out->failed ? RC_LIMIT : RC_OK;
}

enum rc pdf_qpdf_open(struct slice bytes, struct slice password, struct buf *out)
{
	char text[PASSWORD_MAX];

	if (bytes.len > PDF_QPDF_BYTES_MAX)
		return RC_LIMIT;
	(void)slice_to_cstr(password, text, sizeof text);
	qpdf_data file = qpdf_init();
	if (file == NULL)
		return RC_NOMEM;
	qpdf_silence_errors(file);
	qpdf_set_suppress_warnings(file, QPDF_TRUE);
	enum rc rc = RC_OK;
	if ((qpdf_read_memory(file, "", (const char *)bytes.ptr, bytes.len, text) & QPDF_ERRORS) != 0) {
		qpdf_error error = qpdf_get_error(file);
		rc = qpdf_get_error_code(file, error) == qpdf_e_password ? RC_DENIED : RC_SYNTAX;
	}
	if (rc == RC_OK)
		rc = write_plain(file, out);
	qpdf_cleanup(&file);
	return rc;
}
