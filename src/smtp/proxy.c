/* PROXY protocol headers, version 1 (a line of text) and version 2 (binary, network order). */
#include "smtp/proxy.h"

#include "base/must.h"
#include "base/num.h"
#include "smtp/command.h"

#define V2_FIXED 16u

static const struct slice v2_signature = { (const uint8_t *)"\r\n\r\n\0\r\nQUIT\n", 12 };

/* `count` equals the bytes both have, so that a header is told from other bytes at the first wrong one. */
static bool may_be(struct slice input, struct slice wanted)
{
	return slice_eq(slice_take(input, wanted.len), slice_take(wanted, input.len));
}

static enum rc read_port(struct slice text, uint16_t *out)
{
	uint64_t port;

	if (text.len == 0 || text.len > 5 || (text.len > 1 && text.ptr[0] == '0') ||
	    num_u64(text, UINT16_MAX, &port) != RC_OK)
		return RC_SYNTAX;
	*out = (uint16_t)port;
	return RC_OK;
}

/* "TCP4 192.0.2.1 192.0.2.2 1234 25", behind "PROXY ". */
static enum rc read_v1(struct slice line, struct proxy_header *out)
{
	struct proxy_header header = { 0 };
	const struct slice  family = slice_until(&line, ' ');

	if (slice_eq(family, SLICE("UNKNOWN"))) {
		header.local = true;
		*out = header;
		return RC_OK;
	}
	const bool v6 = slice_eq(family, SLICE("TCP6"));
	if (!v6 && !slice_eq(family, SLICE("TCP4")))
		return RC_SYNTAX;
	const struct slice source = slice_until(&line, ' ');
	const struct slice target = slice_until(&line, ' ');
	const struct slice source_port = slice_until(&line, ' ');
	if ((v6 ? ip_v6_read(source, &header.source) : ip_v4_read(source, &header.source)) != RC_OK ||
	    (v6 ? ip_v6_read(target, &header.target) : ip_v4_read(target, &header.target)) != RC_OK ||
	    read_port(source_port, &header.source_port) != RC_OK || read_port(line, &header.target_port) != RC_OK)
		return RC_SYNTAX;
	*out = header;
	return RC_OK;
}

static enum rc take_v1(struct slice *input, struct proxy_header *out)
{
	struct slice rest = *input, line;
	enum rc      rc = smtp_line_take(&rest, PROXY_V1_MAX, false, &line);

	if (rc != RC_OK)
		return rc;
	rc = read_v1(slice_drop(line, 6), out);
	if (rc == RC_OK)
		*input = rest;
	return rc;
}

static uint16_t u16be(struct slice s, size_t at)
{
	must(at + 1 < s.len);
	return (uint16_t)(s.ptr[at] << 8 | s.ptr[at + 1]);
}

static struct ip ip_of(uint8_t family, struct slice bytes)
{
	struct ip ip = { .family = family };

	memcpy(ip.bytes, bytes.ptr, bytes.len);
	return ip;
}

/* The addresses of a PROXY command over TCP; TLVs behind them are left out. */
static enum rc read_v2(uint8_t family, struct slice body, struct proxy_header *out)
{
	const size_t size = family == IP_V4 ? 4 : 16;

	if (body.len < 2 * size + 4)
		return RC_SYNTAX;
	out->source = ip_of(family, slice_take(body, size));
	out->target = ip_of(family, slice_cut(body, size, size));
	out->source_port = u16be(body, 2 * size);
	out->target_port = u16be(body, 2 * size + 2);
	return RC_OK;
}

static enum rc take_v2(struct slice *input, struct proxy_header *out)
{
	struct proxy_header header = { 0 };
	enum rc             rc = RC_OK;

	if (input->len < V2_FIXED)
		return RC_AGAIN;
	const uint8_t command = input->ptr[12], family = input->ptr[13];
	const size_t  whole = V2_FIXED + u16be(*input, 14);
	if (command >> 4 != 2 || (command & 15) > 1)
		return RC_SYNTAX;
	if (whole > PROXY_V2_MAX)
		return RC_LIMIT;
	if (input->len < whole)
		return RC_AGAIN;
	const struct slice body = slice_cut(*input, V2_FIXED, whole - V2_FIXED);
	if ((command & 15) == 0 || family == 0x00)
		header.local = true;
	else if (family == 0x11)
		rc = read_v2(IP_V4, body, &header);
	else if (family == 0x21)
		rc = read_v2(IP_V6, body, &header);
	else
		rc = family >> 4 <= 3 && (family & 15) <= 2 ? RC_UNSUPPORTED : RC_SYNTAX;
	if (rc != RC_OK)
		return rc;
	*input = slice_drop(*input, whole);
	*out = header;
	return RC_OK;
}

enum rc proxy_take(struct slice *input, struct proxy_header *out)
{
	const struct slice v1 = SLICE("PROXY ");

	if (input->len == 0)
		return RC_AGAIN;
	if (may_be(*input, v2_signature))
		return input->len < v2_signature.len ? RC_AGAIN : take_v2(input, out);
	if (may_be(*input, v1))
		return input->len < v1.len ? RC_AGAIN : take_v1(input, out);
	return RC_SYNTAX;
}
