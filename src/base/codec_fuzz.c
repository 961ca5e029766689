/* Text codings: what decodes must encode back to the same text where the coding is one to one, and never read outside. */
#include "base/codec.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice input = slice_of(data, size);
	struct buf         bytes = buf_make(1u << 20), text = buf_make(4u << 20);

	if (codec_base64_decode(input, &bytes) == RC_OK) {
		codec_base64_encode(buf_slice(&bytes), &text);
		must(slice_eq(buf_slice(&text), input));
	}
	buf_clear(&bytes);
	buf_clear(&text);
	if (codec_hex_decode(input, &bytes) == RC_OK) {
		buf_put_hex(&text, buf_slice(&bytes));
		must(slice_eq_nocase(buf_slice(&text), input));
	}
	buf_clear(&bytes);
	buf_clear(&text);
	if (codec_xtext_decode(input, &bytes) == RC_OK)
		must(bytes.len <= size);
	buf_clear(&bytes);
	codec_xtext_encode(input, &text);
	must(codec_xtext_decode(buf_slice(&text), &bytes) == RC_OK);
	must(slice_eq(buf_slice(&bytes), input));
	buf_clear(&text);
	codec_quote(input, size, &text);
	must(!text.failed && text.len <= size);
	for (size_t i = 0; i < text.len; i++)
		must(byte_is_print(text.ptr[i]) && text.ptr[i] != '"');
	buf_done(&bytes);
	buf_done(&text);
	return 0;
}
