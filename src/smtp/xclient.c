/* XCLIENT attributes. Values are xtext; [UNAVAILABLE] and [TEMPUNAVAIL] say that the proxy does not know. */
#include "smtp/xclient.h"

#include "base/codec.h"
#include "base/num.h"

#define VALUE_MAX (3 * XCLIENT_NAME_MAX)

static const struct {
	const char            *word;
	enum xclient_attribute bit;
} attributes[] = {
	{ "NAME", XCLIENT_NAME },         { "ADDR", XCLIENT_ADDR },         { "PORT", XCLIENT_PORT },
	{ "PROTO", XCLIENT_PROTO },       { "HELO", XCLIENT_HELO },         { "LOGIN", XCLIENT_LOGIN },
	{ "DESTADDR", XCLIENT_DESTADDR }, { "DESTPORT", XCLIENT_DESTPORT }, { "REVERSE_NAME", XCLIENT_REVERSE_NAME },
};

static enum rc read_address(struct slice text, struct ip *out)
{
	if (slice_starts_nocase(text, SLICE("IPV6:")))
		return ip_v6_read(slice_drop(text, 5), out);
	return ip_read(text, out);
}

static enum rc read_port(struct slice text, uint16_t *out)
{
	uint64_t port;

	if (num_u64(text, UINT16_MAX, &port) != RC_OK)
		return RC_SYNTAX;
	*out = (uint16_t)port;
	return RC_OK;
}

static enum rc read_proto(struct slice text, bool *out)
{
	if (!slice_eq_nocase(text, SLICE("SMTP")) && !slice_eq_nocase(text, SLICE("ESMTP")))
		return RC_SYNTAX;
	*out = text.len == 5;
	return RC_OK;
}

static enum rc set_value(enum xclient_attribute bit, struct slice text, struct xclient *x)
{
	switch (bit) {
	case XCLIENT_NAME:
		x->name = text;
		return RC_OK;
	case XCLIENT_HELO:
		x->helo = text;
		return RC_OK;
	case XCLIENT_LOGIN:
		x->login = text;
		return RC_OK;
	case XCLIENT_REVERSE_NAME:
		x->reverse_name = text;
		return RC_OK;
	case XCLIENT_ADDR:
		return read_address(text, &x->addr);
	case XCLIENT_DESTADDR:
		return read_address(text, &x->destaddr);
	case XCLIENT_PORT:
		return read_port(text, &x->port);
	case XCLIENT_DESTPORT:
		return read_port(text, &x->destport);
	case XCLIENT_PROTO:
		return read_proto(text, &x->esmtp);
	}
	return RC_SYNTAX;
}

/* Decode `encoded` to the end of `texts`, whose memory does not move any more: room for all of it was made before. */
static enum rc decode(struct slice encoded, struct buf *texts, struct slice *out)
{
	const size_t  start = texts->len;
	const enum rc rc = codec_xtext_decode(encoded, texts);

	if (rc != RC_OK)
		return rc;
	*out = slice_drop(buf_slice(texts), start);
	if (out->len > XCLIENT_NAME_MAX)
		return RC_LIMIT;
	for (size_t i = 0; i < out->len; i++) {
		if (out->ptr[i] < 0x20 || out->ptr[i] == 0x7f)
			return RC_SYNTAX;
	}
	return RC_OK;
}

static enum rc read_one(struct slice word, struct buf *texts, struct xclient *x)
{
	const size_t       at = slice_find(word, '=');
	const struct slice name = slice_take(word, at), value = slice_drop(word, at + 1);
	unsigned           bit = 0;

	for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
		if (slice_eq_nocase(name, slice_str(attributes[i].word)))
			bit = attributes[i].bit;
	}
	if (at == word.len || value.len == 0)
		return RC_SYNTAX;
	if (bit == 0)
		return RC_UNSUPPORTED;
	if ((x->given | x->gone) & bit)
		return RC_SYNTAX;
	if (slice_eq_nocase(value, SLICE("[UNAVAILABLE]")) || slice_eq_nocase(value, SLICE("[TEMPUNAVAIL]"))) {
		x->gone |= bit;
		return RC_OK;
	}
	if (value.len > VALUE_MAX)
		return RC_LIMIT;
	struct slice text;
	enum rc      rc = decode(value, texts, &text);
	if (rc == RC_OK)
		rc = set_value((enum xclient_attribute)bit, text, x);
	if (rc == RC_OK)
		x->given |= bit;
	return rc;
}

enum rc xclient_read(struct slice args, struct buf *texts, struct xclient *out)
{
	struct xclient x = { 0 };
	const size_t   start = texts->len;
	enum rc        rc = args.len == 0 ? RC_SYNTAX : RC_OK;

	/* Decoded text is never longer than its code. */
	if (rc == RC_OK && buf_reserve(texts, args.len) == NULL) {
		texts->failed = false;
		return RC_LIMIT;
	}
	while (rc == RC_OK && args.len != 0) {
		const struct slice word = slice_until(&args, ' ');
		if (word.len != 0)
			rc = read_one(word, texts, &x);
	}
	/* Blanks alone are no attribute. */
	if (rc == RC_OK && (x.given | x.gone) == 0)
		rc = RC_SYNTAX;
	if (rc == RC_OK) {
		*out = x;
		return RC_OK;
	}
	texts->failed = false;
	buf_truncate(texts, start);
	return rc;
}
