/*
 * The two frames.
 *
 *   request  u8 version, u8 'Q', u64 id, u64 bytes, block name
 *   answer   u8 version, u8 'A', u64 id, u8 result, block signature, block engine, u32 database, u64 database_s,
 *            u32 signature_count
 */
#include "antivirus/wire.h"

#include "base/cursor.h"
#include "base/must.h"

#define REQUEST 'Q'
#define ANSWER  'A'

static bool is_printable(uint8_t byte)
{
	return byte >= 0x20 && byte < 0x7f;
}

static void put_name(struct buf *out, struct slice name, size_t max, bool printable)
{
	name = slice_take(name, max);
	cursor_put_u32(out, (uint32_t)name.len);
	for (size_t i = 0; i < name.len; i++)
		buf_put_byte(out, printable && !is_printable(name.ptr[i]) ? '?' : name.ptr[i]);
}

static bool all_printable(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_printable(s.ptr[i]))
			return false;
	return true;
}

static enum rc begin(struct cursor *c, uint8_t kind)
{
	const uint8_t version = cursor_u8(c);

	if (c->failed)
		return RC_SYNTAX;
	if (version != AV_WIRE_VERSION)
		return RC_UNSUPPORTED;
	return cursor_u8(c) == kind && !c->failed ? RC_OK : RC_SYNTAX;
}

void av_request_put(const struct av_request *request, struct buf *out)
{
	cursor_put_u8(out, AV_WIRE_VERSION);
	cursor_put_u8(out, REQUEST);
	cursor_put_u64(out, request->id);
	cursor_put_u64(out, request->bytes);
	put_name(out, request->name, AV_NAME_MAX, false);
}

enum rc av_request_read(struct slice frame, struct av_request *out)
{
	struct cursor     c = cursor_on(frame);
	struct av_request request = { 0 };
	const enum rc     rc = begin(&c, REQUEST);

	if (rc != RC_OK)
		return rc;
	request.id = cursor_u64(&c);
	request.bytes = cursor_u64(&c);
	request.name = cursor_block(&c, AV_NAME_MAX);
	if (!cursor_ended(&c))
		return RC_SYNTAX;
	if (request.bytes > AV_BYTES_MAX)
		return RC_LIMIT;
	*out = request;
	return RC_OK;
}

void av_answer_put(const struct av_answer *answer, struct buf *out)
{
	must(answer->result < AV_RESULTS);
	cursor_put_u8(out, AV_WIRE_VERSION);
	cursor_put_u8(out, ANSWER);
	cursor_put_u64(out, answer->id);
	cursor_put_u8(out, (uint8_t)answer->result);
	put_name(out, answer->result == AV_FOUND ? answer->signature : SLICE(""), AV_NAME_MAX, true);
	put_name(out, answer->engine, AV_ENGINE_MAX, true);
	cursor_put_u32(out, answer->database);
	cursor_put_u64(out, answer->database_s);
	cursor_put_u32(out, answer->signature_count);
}

enum rc av_answer_read(struct slice frame, struct av_answer *out)
{
	struct cursor    c = cursor_on(frame);
	struct av_answer answer = { 0 };
	const enum rc    rc = begin(&c, ANSWER);
	unsigned         result;

	if (rc != RC_OK)
		return rc;
	answer.id = cursor_u64(&c);
	result = cursor_u8(&c);
	answer.signature = cursor_block(&c, AV_NAME_MAX);
	answer.engine = cursor_block(&c, AV_ENGINE_MAX);
	answer.database = cursor_u32(&c);
	answer.database_s = cursor_u64(&c);
	answer.signature_count = cursor_u32(&c);
	if (!cursor_ended(&c) || result >= AV_RESULTS || (result == AV_FOUND) != (answer.signature.len != 0) ||
	    !all_printable(answer.signature) || !all_printable(answer.engine))
		return RC_SYNTAX;
	answer.result = (enum av_result)result;
	*out = answer;
	return RC_OK;
}

const char *av_result_word(enum av_result result)
{
	static const char *const words[AV_RESULTS] = { "clean", "found", "cut", "failed", "down" };

	must(result < AV_RESULTS);
	return words[result];
}
