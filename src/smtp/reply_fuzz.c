/* Replies of a peer, and what is told of them. */
#include "base/must.h"
#include "smtp/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_reply(const struct smtp_reply_read *reply)
{
	struct buf   text = buf_make(4096), out = buf_make(1u << 16);
	struct slice raw = reply->raw, line;
	unsigned     lines = 0;

	must(reply->code >= 200 && reply->code <= 599 && reply->lines >= 1 && reply->lines <= SMTP_REPLY_LINES_MAX);
	must(reply->enhanced.class == 0 || reply->enhanced.class == reply->code / 100);
	must(reply->enhanced.subject <= 999 && reply->enhanced.detail <= 999);
	while (smtp_reply_line(&raw, &line))
		lines++;
	must(lines == reply->lines);
	smtp_reply_text(reply, 100, &text);
	must(text.len <= 100);
	for (size_t i = 0; i < text.len; i++)
		must(byte_is_print(text.ptr[i]));
	if (reply->code >= 400) {
		buf_clear(&text);
		const struct smtp_reply mapped = smtp_reply_map(reply, &text);
		must(mapped.text.len <= 400 && mapped.code >= 450 && mapped.code != 521);
		smtp_reply_write(&mapped, true, &out);
		struct slice           input = buf_slice(&out);
		struct smtp_reply_read again;
		must(smtp_reply_take(&input, &again) == RC_OK && input.len == 0 && again.code == mapped.code);
	}
	buf_done(&text);
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice           input = { data, size };
	struct smtp_reply_read reply;
	struct buf             out = buf_make(1u << 16);

	/* Any bytes as the text of ours. */
	const struct smtp_reply ours = { .code = 550, .enhanced = { 5, 7, 1 }, .text = input };
	smtp_reply_write(&ours, size % 2 != 0, &out);
	struct slice written = buf_slice(&out);
	must(smtp_reply_take(&written, &reply) == RC_OK && written.len == 0);
	while (smtp_reply_take(&input, &reply) == RC_OK)
		check_reply(&reply);
	buf_done(&out);
	return 0;
}
