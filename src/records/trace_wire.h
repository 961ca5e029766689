/*
 * Questions to records and their answers, as frames of an ipc channel (records.sock). One question, then any number of item frames,
 * then one end frame. Versioned, little-endian, bounded; both sides read with distrust.
 *
 *     question   u8 version, u8 what, u64 message, u64 session, block address, block message_id, u64 from_ms, u64 until_ms,
 *                u64 before, u32 limit
 *     trace      u8 version, u8 1, the message's fields, u32 recipients shown, u32 steps shown, then each of them
 *     refusal    u8 version, u8 2, u64 seq, block: an EVENT_REFUSED payload
 *     end        u8 version, u8 3, u8 rc, block text
 */
#ifndef RECORDS_TRACE_WIRE_H
#define RECORDS_TRACE_WIRE_H

#include "records/store.h"

#define TRACE_WIRE_VERSION 1u
#define TRACE_FRAME_MAX    65536u
#define TRACE_ARENA_BYTES  ((size_t)8 << 20) /* for one message with all its rows */

enum trace_question { TRACE_ASK_MESSAGES = 1, TRACE_ASK_REFUSALS = 2 };
enum trace_frame { TRACE_FRAME_MESSAGE = 1, TRACE_FRAME_REFUSAL = 2, TRACE_FRAME_END = 3 };

void trace_question_put(struct buf *out, enum trace_question what, const struct store_filter *filter);
/* Texts borrow from `frame`. RC_SYNTAX, RC_UNSUPPORTED, RC_LIMIT (a limit of 0 or above STORE_LIMIT_MAX). */
MUST_CHECK enum rc trace_question_read(struct slice frame, enum trace_question *ret_what, struct store_filter *ret_filter);

/* As many recipients and steps as fit into TRACE_FRAME_MAX; the reader sees by the counts when some are missing. */
void trace_message_put(struct buf *out, const struct store_trace *trace);
void trace_refusal_put(struct buf *out, const struct store_refusal *refusal);
void trace_end_put(struct buf *out, enum rc rc, struct slice text);

/* What an answer frame holds. */
struct trace_answer {
	enum trace_frame     frame;
	struct store_trace   trace;
	struct store_refusal refusal;
	enum rc              rc;   /* of the end */
	struct slice         text; /* of the end */
};
/* Texts borrow from `bytes`, arrays lie in `arena`. RC_SYNTAX, RC_UNSUPPORTED, RC_NOMEM. */
MUST_CHECK enum rc trace_answer_read(struct slice bytes, struct arena *arena, struct trace_answer *out);

#endif
