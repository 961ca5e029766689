/* The tokenizer in every mode, with CDATA sections and without, with little memory and enough. */
#include "base/must.h"
#include "html/sniff.h"
#include "html/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct html_tokenizer tokenizer;
	static uint8_t               memory[1 << 16];
	struct html_token            token;

	if (size < 2 || size > 1 << 16)
		return 0;
	struct arena       arena = arena_on(memory, (data[0] & 64) != 0 ? 16 : sizeof memory);
	const struct slice page = slice_of(data + 1, size - 1);
	const struct slice label = html_sniff(page, HTML_SNIFF_BYTES, NULL);
	must(label.len <= page.len || label.len <= sizeof "windows-1252");
	html_tokenizer_init(&tokenizer, page, &arena);
	html_tokenizer_last(&tokenizer, SLICE("script"));
	html_tokenizer_mode(&tokenizer, (enum html_mode)(data[0] % 6));
	tokenizer.cdata = (data[0] & 128) != 0;
	size_t end = 0;
	while (html_tokenizer_next(&tokenizer, &token) == RC_OK) {
		must(token.start >= end && token.end > token.start && token.end <= page.len);
		must(token.count <= HTML_ATTRIBUTES_MAX);
		end = token.end;
		if (token.kind == HTML_TOKEN_START)
			html_tokenizer_mode(&tokenizer, html_element_mode(token.element, (data[0] & 32) != 0));
	}
	return 0;
}
