/* The dot: any bytes through the encoder and back, and any bytes into the decoder. */
#include "base/buf.h"
#include "base/must.h"
#include "smtp/dot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In pieces whose sizes the bytes give. */
static struct slice take_piece(struct slice *rest)
{
	const struct slice piece = slice_take(*rest, rest->len == 0 ? 0 : 1u + rest->ptr[0] * (size_t)3);

	*rest = slice_drop(*rest, piece.len);
	return piece;
}

static enum rc decode(struct slice bytes, enum smtp_line_ends line_ends, bool cut, struct buf *out, size_t *left, bool *changed)
{
	struct smtp_dot_decoder decoder;
	struct slice            run;
	enum rc                 rc = RC_AGAIN;

	smtp_dot_decoder_init(&decoder, line_ends, 0);
	while (bytes.len != 0 && rc == RC_AGAIN) {
		struct slice piece = bytes;
		if (cut)
			piece = take_piece(&bytes);
		else
			bytes = slice_drop(bytes, bytes.len);
		while ((rc = smtp_dot_decode(&decoder, &piece, &run)) == RC_OK) {
			must(run.len != 0);
			buf_put(out, run);
		}
		must(rc != RC_AGAIN || piece.len == 0);
		*left = piece.len + bytes.len;
	}
	*changed = rc == RC_CLOSED && !smtp_dot_unchanged(&decoder);
	return rc;
}

static void check_decoded(struct slice bytes, enum smtp_line_ends line_ends)
{
	struct buf             whole = buf_make(1u << 20), cut = buf_make(1u << 20);
	size_t                 whole_left = 0, cut_left = 0;
	struct smtp_line_check check = { .after_cr = false };
	bool                   changed = false, cut_changed = false;
	const enum rc          rc = decode(bytes, line_ends, false, &whole, &whole_left, &changed);

	must(decode(bytes, line_ends, true, &cut, &cut_left, &cut_changed) == rc);
	must(rc != RC_CLOSED || changed == cut_changed);
	/* What was not changed is what came in, and goes out again as it came. */
	if (rc == RC_CLOSED)
		must((whole.len + 3 + whole_left == bytes.len && slice_eq(slice_take(bytes, whole.len), buf_slice(&whole))) == !changed);
	must(slice_eq(buf_slice(&whole), buf_slice(&cut)));
	must(rc != RC_CLOSED || whole_left == cut_left);
	must(smtp_line_check(&check, buf_slice(&whole)) == RC_OK);
	must(rc != RC_CLOSED || smtp_line_check_end(&check) == RC_OK);
	buf_done(&whole);
	buf_done(&cut);
}

static void check_sent(struct slice bytes)
{
	struct buf              sent = buf_make(1u << 20), back = buf_make(1u << 20);
	struct smtp_dot_encoder encoder;
	struct slice            run, rest = bytes;
	size_t                  left = 0;
	bool                    changed;

	smtp_dot_encoder_init(&encoder, SMTP_LINE_ENDS_NORMALISE);
	while (rest.len != 0) {
		struct slice piece = take_piece(&rest);
		while (smtp_dot_encode(&encoder, &piece, &run) == RC_OK)
			buf_put(&sent, run);
		must(piece.len == 0);
	}
	must(smtp_dot_encode_end(&encoder, &run) == RC_OK);
	buf_put(&sent, run);
	must(decode(buf_slice(&sent), SMTP_LINE_ENDS_REFUSE, false, &back, &left, &changed) == RC_CLOSED);
	must(left == 0);
	struct smtp_line_check check = { .after_cr = false };
	if (smtp_line_check(&check, bytes) == RC_OK && smtp_line_check_end(&check) == RC_OK) {
		/* A message without stray bytes arrives as it left, but for a last line end. */
		must(slice_eq(slice_take(buf_slice(&back), bytes.len), bytes));
		must(back.len == bytes.len || back.len == bytes.len + 2);
	}
	buf_done(&sent);
	buf_done(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice bytes = { data, size };

	if (size > (1u << 16))
		return 0;
	check_decoded(bytes, SMTP_LINE_ENDS_REFUSE);
	check_decoded(bytes, SMTP_LINE_ENDS_NORMALISE);
	check_sent(bytes);
	return 0;
}
