/*
 * The sending side of a stream. What the kernel does not take waits in order: `out` up to out_before, the pieces, the
 * rest of `out`.
 */
#include "net/stream_inner.h"

#include "base/must.h"

#include <sys/uio.h>

#define VECTORS    64          /* pieces of one sendmsg */
#define FLUSH_MAX  (1u << 20)  /* bytes sent in one turn of one stream */
#define TLS_GATHER (16u << 10) /* what fits one TLS record */

/* Watch for the edge that says that output goes on. */
void stream_block(struct stream *stream)
{
	set(stream, FLAG_BLOCKED | FLAG_WAITED);
	if ((stream->watch.events & LOOP_OUT) == 0 &&
	    loop_rewatch(stream->loop, &stream->watch, stream->watch.events | LOOP_OUT) != RC_OK)
		stream_fail(stream, RC_IO, errno, "watching a connection for output");
}

/* Sending is over; what came before the failure may still be read. */
static void fail_send(struct stream *stream, enum rc rc, int error)
{
	set(stream, FLAG_SEND_FAILED);
	buf_done(&stream->out);
	stream->out_before = 0;
	stream_fail(stream, rc, error, rc == RC_CLOSED ? "the peer closed the connection" : "sending on a connection");
}

/* The kernel took nothing. */
static enum rc refused(struct stream *stream, int error)
{
	if (error == EAGAIN) {
		stream_block(stream);
		return RC_AGAIN;
	}
	if (error == EINTR || error == ENOBUFS) { /* no edge will tell when these end */
		set(stream, FLAG_WAITED);
		later(stream);
		return RC_AGAIN;
	}
	fail_send(stream, errno_rc(error), error);
	return RC_CLOSED;
}

/* Give bytes to the kernel or to TLS. *out_count says how many went; RC_AGAIN when it takes no more for now. */
static enum rc push(struct stream *stream, struct slice bytes, size_t *out_count)
{
	*out_count = 0;
	if (stream->tls != NULL && !has(stream, FLAG_PLAIN_FIRST)) {
		const enum rc rc = tls_session_write(stream->tls, bytes, out_count);
		if (rc == RC_AGAIN)
			stream_block(stream);
		else if (rc != RC_OK)
			fail_send(stream, rc, 0);
		else
			stream->sent += *out_count;
		return rc;
	}
	const ssize_t count = send(stream->watch.fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
	if (count < 0)
		return refused(stream, errno);
	*out_count = (size_t)count;
	stream->sent += *out_count;
	return RC_OK;
}

/* Send now what the kernel takes and keep the rest, which is known to fit. RC_OK or RC_CLOSED. */
static enum rc send_or_keep(struct stream *stream, struct slice data)
{
	if (stream->state == STATE_OPEN && stream->out.len == 0 && stream->pieces == NULL &&
	    !has(stream, FLAG_BLOCKED)) {
		while (data.len != 0) {
			size_t        count;
			const enum rc rc = push(stream, data, &count);
			data = slice_drop(data, count);
			if (rc == RC_AGAIN)
				break;
			if (rc != RC_OK)
				return RC_CLOSED;
		}
	}
	if (data.len == 0)
		return RC_OK;
	buf_put(&stream->out, data);
	if (stream->out.failed) {
		fail_send(stream, RC_NOMEM, 0);
		return RC_CLOSED;
	}
	if (!has(stream, FLAG_BLOCKED)) {
		set(stream, FLAG_WAITED);
		later(stream);
	}
	return RC_OK;
}

/* Everything gathered during on_data leaves in one write. */
enum rc stream_send_gathered(struct stream *stream, struct stream_call *call)
{
	const size_t count = call->gathered;

	call->gathered = 0;
	if (count == 0 || has(stream, FLAG_SEND_FAILED))
		return RC_OK;
	return send_or_keep(stream, slice_of(loop_scratch_out(stream->loop), count));
}

enum rc stream_send(struct stream *stream, struct slice data)
{
	struct stream_call *call = stream->call;

	if (stream->state != STATE_OPEN || has(stream, FLAG_SEND_FAILED | FLAG_SHUT_WANTED) || failed(stream))
		return RC_CLOSED;
	if (call == NULL || !call->gathers) {
		if (data.len > stream->out.max - stream->out.len && (stream->out.len != 0 || has(stream, FLAG_BLOCKED)))
			return RC_LIMIT;
		if (data.len > stream->out.max)
			return RC_LIMIT;
		return send_or_keep(stream, data);
	}
	size_t room = stream->out.max - stream->out.len;
	if (room > loop_scratch_size(stream->loop))
		room = loop_scratch_size(stream->loop);
	if (data.len > room - call->gathered) {
		if (stream_send_gathered(stream, call) != RC_OK)
			return RC_CLOSED;
		if (data.len > stream->out.max - stream->out.len)
			return RC_LIMIT;
		if (data.len > loop_scratch_size(stream->loop))
			return send_or_keep(stream, data);
	}
	memcpy(loop_scratch_out(stream->loop) + call->gathered, data.ptr, data.len);
	call->gathered += data.len;
	return RC_OK;
}

/* `count` bytes of what waits have gone. */
static void drop_sent(struct stream *stream, size_t count)
{
	struct stream_pieces *pieces = stream->pieces;
	size_t                part = pieces != NULL ? stream->out_before : stream->out.len;

	if (part > count)
		part = count;
	buf_drop(&stream->out, part);
	count -= part;
	if (pieces == NULL)
		return;
	stream->out_before -= (uint32_t)part;
	while (count != 0 && pieces->index < pieces->count) {
		const size_t rest = pieces->items[pieces->index].len - pieces->offset;
		if (count < rest) {
			pieces->offset += count;
			return;
		}
		count -= rest;
		pieces->index++;
		pieces->offset = 0;
	}
	buf_drop(&stream->out, count);
}

/* All pieces have gone when the index stands at their end (empty ones count as gone). */
bool stream_pieces_left(struct stream *stream)
{
	struct stream_pieces *pieces = stream->pieces;

	if (pieces == NULL || has(stream, FLAG_PIECES_DONE))
		return false;
	while (pieces->index < pieces->count && pieces->items[pieces->index].len == pieces->offset) {
		pieces->index++;
		pieces->offset = 0;
	}
	return pieces->index < pieces->count;
}

/* The next bytes to send as vectors, in order. Returns how many vectors. */
static int next_vectors(struct stream *stream, struct iovec vectors[VECTORS])
{
	const bool                  left = stream_pieces_left(stream);
	const struct stream_pieces *pieces = stream->pieces;
	const struct slice          out = buf_slice(&stream->out);
	int                         count = 0;

	if (!left) {
		vectors[0] = (struct iovec){ stream->out.ptr, out.len };
		return out.len != 0;
	}
	if (stream->out_before != 0)
		vectors[count++] = (struct iovec){ stream->out.ptr, stream->out_before };
	for (size_t index = pieces->index; index < pieces->count && count < VECTORS - 1; index++) {
		const struct slice piece =
			slice_drop(pieces->items[index], index == pieces->index ? pieces->offset : 0);
		union {
			const uint8_t *borrowed;
			void          *plain;
		} base = { .borrowed = piece.ptr }; /* the kernel only reads it */
		if (piece.len != 0)
			vectors[count++] = (struct iovec){ base.plain, piece.len };
		if (index + 1 == pieces->count && out.len > stream->out_before)
			vectors[count++] =
				(struct iovec){ stream->out.ptr + stream->out_before, out.len - stream->out_before };
	}
	return count;
}

static enum rc push_vectors(struct stream *stream, size_t *out_count)
{
	struct iovec  vectors[VECTORS];
	struct msghdr message = { .msg_iov = vectors };

	message.msg_iovlen = (size_t)next_vectors(stream, vectors);
	must(message.msg_iovlen != 0); /* it is only asked when something waits */
	if (stream->tls == NULL || has(stream, FLAG_PLAIN_FIRST)) {
		const ssize_t count = sendmsg(stream->watch.fd, &message, MSG_NOSIGNAL);
		const int     error = errno;
		*out_count = count > 0 ? (size_t)count : 0;
		stream->sent += *out_count;
		return count >= 0 ? RC_OK : refused(stream, error);
	}
	/* One vector of a record's size needs no copy; small ones are put together, so that a record is not a line. */
	if (vectors[0].iov_len >= TLS_GATHER || message.msg_iovlen == 1)
		return push(stream, slice_of(vectors[0].iov_base, vectors[0].iov_len), out_count);
	uint8_t *gathered = loop_scratch_out(stream->loop);
	size_t   used = 0;
	for (size_t index = 0; index < message.msg_iovlen && used < TLS_GATHER; index++) {
		const struct slice part =
			slice_take(slice_of(vectors[index].iov_base, vectors[index].iov_len), TLS_GATHER - used);
		if (part.len == 0)
			continue;
		memcpy(gathered + used, part.ptr, part.len);
		used += part.len;
	}
	return push(stream, slice_of(gathered, used), out_count);
}

/* End our side, now that everything is sent. */
static void shut(struct stream *stream)
{
	if (stream->tls != NULL && tls_session_shutdown(stream->tls) == RC_AGAIN) {
		stream_block(stream);
		return;
	}
	set(stream, FLAG_SHUT);
	if (has(stream, FLAG_LEAVING)) {
		stream_fail(stream, RC_CLOSED, 0, "closed in order");
		return;
	}
	(void)shutdown(stream->watch.fd, SHUT_WR);
	if (has(stream, FLAG_FINISHING))
		later(stream);
}

/* Send what waits, until the kernel takes no more or the turn's share is used up. */
void stream_flush(struct stream *stream)
{
	size_t sent = 0;

	while (!has(stream, FLAG_BLOCKED | FLAG_SEND_FAILED) && (stream->out.len != 0 || stream_pieces_left(stream))) {
		size_t count = 0;
		if (sent >= FLUSH_MAX) {
			later(stream);
			return;
		}
		if (push_vectors(stream, &count) != RC_OK)
			break;
		drop_sent(stream, count);
		sent += count;
	}
	if (stream->out.len == 0 && stream->out.room != 0)
		buf_done(&stream->out);
	if (stream->pieces != NULL && !has(stream, FLAG_PIECES_DONE) && !stream_pieces_left(stream)) {
		stream->out_before = 0;
		set(stream, FLAG_PIECES_DONE);
		later(stream);
	}
	if (stream->out.len == 0 && !has(stream, FLAG_BLOCKED | FLAG_SHUT | FLAG_SEND_FAILED) &&
	    has(stream, FLAG_SHUT_WANTED) && !stream_pieces_left(stream))
		shut(stream);
}

enum rc stream_send_pieces(struct stream *stream, struct stream_pieces *pieces)
{
	if (stream->state != STATE_OPEN || has(stream, FLAG_SEND_FAILED | FLAG_SHUT_WANTED) || failed(stream))
		return RC_CLOSED;
	must(pieces->done != NULL);
	if (stream->pieces != NULL)
		return RC_BUSY;
	if (stream->call != NULL && stream_send_gathered(stream, stream->call) != RC_OK)
		return RC_CLOSED;
	pieces->index = 0;
	pieces->offset = 0;
	stream->pieces = pieces;
	stream->out_before = (uint32_t)stream->out.len;
	/* Within on_data the rest of what the owner sends goes along; it leaves when that call returns. */
	if (stream->call != NULL && stream->call->gathers)
		later(stream);
	else
		stream_flush(stream);
	return RC_OK;
}
