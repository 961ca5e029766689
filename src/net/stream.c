/*
 * Streams: what comes goes from the kernel through the loop's scratch to the owner, what is sent goes to the kernel
 * at once or waits in order: `out` up to out_before, the pieces, the rest of `out`.
 *
 * Sockets are watched by edge: readiness is remembered in flags until the kernel says that there is no more.
 */
#include "net/stream.h"

#include "base/must.h"
#include "net/acceptor.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/uio.h>
#include <unistd.h>

enum state {
	STATE_CLOSED = 0,
	STATE_CONNECTING,
	STATE_OPEN,    /* plain, or TLS that is established */
	STATE_SHAKING, /* TLS begins; FLAG_PLAIN_FIRST while plain bytes are still to go out */
};

enum flag {
	FLAG_READABLE = 1u << 0,    /* the kernel may hold input */
	FLAG_ENDING = 1u << 1,      /* the end of input stands behind it: no further edge will tell */
	FLAG_ENDED = 1u << 2,       /* the end of input was met */
	FLAG_END_TOLD = 1u << 3,
	FLAG_PAUSED = 1u << 4,
	FLAG_RESUMED = 1u << 5,     /* kept bytes are to be handed over again */
	FLAG_BLOCKED = 1u << 6,     /* the kernel takes no more output; an edge will tell */
	FLAG_WAITED = 1u << 7,      /* some output had to wait: on_writable is owed */
	FLAG_PLAIN_FIRST = 1u << 8,
	FLAG_SHUT_WANTED = 1u << 9, /* our side ends when everything is sent */
	FLAG_SHUT = 1u << 10,       /* our side has ended */
	FLAG_FINISHING = 1u << 11,  /* throw away what comes */
	FLAG_PIECES_DONE = 1u << 12, /* done() is owed */
	FLAG_SEND_FAILED = 1u << 13, /* nothing can be sent any more; what came is still handed over */
};

/* A call to the owner under way. Sending within on_data gathers in the loop's scratch. */
struct stream_call {
	bool   gone;
	bool   gathers;
	size_t gathered;
};

#define WATCHED       (LOOP_IN | LOOP_RDHUP | LOOP_EDGE)
#define VECTORS       64      /* pieces of one sendmsg */
#define FLUSH_MAX     (1u << 20) /* bytes sent in one turn of one stream */
#define TLS_GATHER    (16u << 10) /* what fits one TLS record */

static bool has(const struct stream *stream, unsigned flag)
{
	return (stream->flags & flag) != 0;
}

static void set(struct stream *stream, unsigned flag)
{
	stream->flags = (uint16_t)(stream->flags | flag);
}

static void clear(struct stream *stream, unsigned flag)
{
	stream->flags = (uint16_t)(stream->flags & ~flag);
}

static void later(struct stream *stream)
{
	loop_defer(stream->loop, &stream->again);
}

/* ---- failing ---- */

/* Remember the first failure; it is told by the next turn, never from inside a call of the owner. */
static void fail(struct stream *stream, enum rc rc, int error, const char *text)
{
	if (stream->failure == RC_OK) {
		stream->failure = (uint8_t)rc;
		stream->error = error;
		stream->failure_text = text;
	}
	later(stream);
}

static bool failed(const struct stream *stream)
{
	return stream->failure != RC_OK;
}

static enum rc errno_rc(int error)
{
	return error == ECONNRESET || error == EPIPE ? RC_CLOSED : RC_IO;
}

static void tell_closed(struct stream *stream)
{
	const struct stream_handlers *handlers = stream->handlers;
	const struct fault            fault = { (enum rc)stream->failure, stream->failure_text, stream->error, 0 };

	stream_close(stream);
	handlers->on_closed(stream, &fault);
}

/* ---- sending ---- */

/* Watch for the edge that says that output goes on. */
static void block(struct stream *stream)
{
	set(stream, FLAG_BLOCKED | FLAG_WAITED);
	if ((stream->watch.events & LOOP_OUT) == 0 &&
	    loop_rewatch(stream->loop, &stream->watch, stream->watch.events | LOOP_OUT) != RC_OK)
		fail(stream, RC_IO, errno, "watching a connection for output");
}

/* Sending is over; what came before the failure may still be read. */
static void fail_send(struct stream *stream, enum rc rc, int error)
{
	set(stream, FLAG_SEND_FAILED);
	buf_done(&stream->out);
	stream->out_before = 0;
	fail(stream, rc, error, rc == RC_CLOSED ? "the peer closed the connection" : "sending on a connection");
}

/* The kernel took nothing. */
static enum rc refused(struct stream *stream, int error)
{
	if (error == EAGAIN) {
		block(stream);
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
			block(stream);
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
	if (stream->state == STATE_OPEN && stream->out.len == 0 && stream->pieces == NULL && !has(stream, FLAG_BLOCKED)) {
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
static enum rc send_gathered(struct stream *stream, struct stream_call *call)
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

	if (stream->state == STATE_CLOSED || has(stream, FLAG_SEND_FAILED | FLAG_SHUT_WANTED) || failed(stream))
		return RC_CLOSED;
	must(stream->state == STATE_OPEN);
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
		if (send_gathered(stream, call) != RC_OK)
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
static bool pieces_left(struct stream *stream)
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
	const bool                  left = pieces_left(stream);
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
		const struct slice piece = slice_drop(pieces->items[index], index == pieces->index ? pieces->offset : 0);
		union {
			const uint8_t *borrowed;
			void          *plain;
		} base = { .borrowed = piece.ptr }; /* the kernel only reads it */
		if (piece.len != 0)
			vectors[count++] = (struct iovec){ base.plain, piece.len };
		if (index + 1 == pieces->count && out.len > stream->out_before)
			vectors[count++] = (struct iovec){ stream->out.ptr + stream->out_before, out.len - stream->out_before };
	}
	return count;
}

static enum rc push_vectors(struct stream *stream, size_t *out_count)
{
	struct iovec  vectors[VECTORS];
	struct msghdr message = { .msg_iov = vectors };

	message.msg_iovlen = (size_t)next_vectors(stream, vectors);
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
		const struct slice part = slice_take(slice_of(vectors[index].iov_base, vectors[index].iov_len), TLS_GATHER - used);
		memcpy(gathered + used, part.ptr, part.len);
		used += part.len;
	}
	return push(stream, slice_of(gathered, used), out_count);
}

/* End our side, now that everything is sent. */
static void shut(struct stream *stream)
{
	if (stream->tls != NULL && tls_session_shutdown(stream->tls) == RC_AGAIN) {
		block(stream);
		return;
	}
	(void)shutdown(stream->watch.fd, SHUT_WR);
	set(stream, FLAG_SHUT);
	if (has(stream, FLAG_FINISHING))
		later(stream);
}

/* Send what waits, until the kernel takes no more or the turn's share is used up. */
static void flush(struct stream *stream)
{
	size_t sent = 0;

	while (!has(stream, FLAG_BLOCKED | FLAG_SEND_FAILED) && (stream->out.len != 0 || pieces_left(stream))) {
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
	if (stream->pieces != NULL && !has(stream, FLAG_PIECES_DONE) && !pieces_left(stream)) {
		stream->out_before = 0;
		set(stream, FLAG_PIECES_DONE);
		later(stream);
	}
	if (stream->out.len == 0 && !has(stream, FLAG_BLOCKED | FLAG_SHUT | FLAG_SEND_FAILED) && has(stream, FLAG_SHUT_WANTED) &&
	    !pieces_left(stream))
		shut(stream);
}

enum rc stream_send_pieces(struct stream *stream, struct stream_pieces *pieces)
{
	if (stream->state == STATE_CLOSED || has(stream, FLAG_SEND_FAILED | FLAG_SHUT_WANTED) || failed(stream))
		return RC_CLOSED;
	must(stream->state == STATE_OPEN);
	must(pieces->done != NULL);
	if (stream->pieces != NULL)
		return RC_BUSY;
	if (stream->call != NULL && send_gathered(stream, stream->call) != RC_OK)
		return RC_CLOSED;
	pieces->index = 0;
	pieces->offset = 0;
	stream->pieces = pieces;
	stream->out_before = (uint32_t)stream->out.len;
	/* Within on_data the rest of what the owner sends goes along; it leaves when that call returns. */
	if (stream->call != NULL && stream->call->gathers)
		later(stream);
	else
		flush(stream);
	return RC_OK;
}

/* ---- calling the owner; each returns false when the stream is gone ---- */

static bool call_owner(struct stream *stream, void (*handler)(struct stream *stream))
{
	struct stream_call  call = { 0 };
	struct stream_call *outer = stream->call;

	if (handler == NULL)
		return true;
	must(outer == NULL);
	stream->call = &call;
	handler(stream);
	if (call.gone)
		return false;
	stream->call = NULL;
	return true;
}

static bool tell_pieces_done(struct stream *stream, enum rc rc)
{
	struct stream_call    call = { 0 };
	struct stream_pieces *pieces = stream->pieces;

	clear(stream, FLAG_PIECES_DONE);
	stream->pieces = NULL;
	must(stream->call == NULL);
	stream->call = &call;
	pieces->done(stream, pieces, rc);
	if (call.gone)
		return false;
	stream->call = NULL;
	return true;
}

/* Keep what the owner did not take. `data` lies in the scratch. */
static void keep(struct stream *stream, struct slice data)
{
	if (data.len == 0) {
		if (stream->in.room != 0)
			buf_done(&stream->in);
		return;
	}
	buf_clear(&stream->in);
	buf_put(&stream->in, data);
	if (stream->in.failed)
		fail(stream, RC_NOMEM, 0, "taking memory for input that has to wait");
}

/* Hand over `data`, which lies in the scratch and begins with what was kept. */
static bool deliver(struct stream *stream, struct slice data)
{
	struct stream_call call = { .gathers = true };

	must(stream->call == NULL);
	stream->call = &call;
	const size_t taken = stream->handlers->on_data(stream, data);
	if (call.gone)
		return false;
	must(taken <= data.len);
	call.gathers = false;
	(void)send_gathered(stream, &call);
	stream->call = NULL;
	const struct slice rest = slice_drop(data, taken);
	if (has(stream, FLAG_FINISHING)) {
		buf_done(&stream->in);
		return true;
	}
	keep(stream, rest);
	if (stream->state == STATE_SHAKING && rest.len != 0)
		fail(stream, RC_CONFLICT, 0, "plain bytes came behind the command that starts TLS");
	else if (taken == 0 && rest.len >= stream->window && !has(stream, FLAG_PAUSED))
		fail(stream, RC_LIMIT, 0, "the owner takes nothing of a full window");
	return true;
}

/* ---- reading ---- */

/* The end of input was met, and all of it was handed over. */
static bool tell_end(struct stream *stream)
{
	if (!has(stream, FLAG_ENDED) || has(stream, FLAG_END_TOLD | FLAG_PAUSED) || failed(stream))
		return true;
	set(stream, FLAG_END_TOLD);
	if (has(stream, FLAG_FINISHING) || stream->handlers->on_end == NULL) {
		if (!has(stream, FLAG_FINISHING) || has(stream, FLAG_SHUT))
			fail(stream, RC_CLOSED, 0, "the peer closed the connection");
		return true;
	}
	return call_owner(stream, stream->handlers->on_end);
}

/* Read from the socket once. *out_count is 0 when nothing came. */
static void read_plain(struct stream *stream, uint8_t *to, size_t room, size_t *out_count)
{
	const ssize_t count = recv(stream->watch.fd, to, room, 0);

	if (count > 0) {
		*out_count = (size_t)count;
		stream->received += (uint64_t)count;
		/* Less than asked for: the socket is empty, and the next byte brings an edge. */
		if ((size_t)count < room && !has(stream, FLAG_ENDING))
			clear(stream, FLAG_READABLE);
		return;
	}
	if (count < 0 && errno == EINTR)
		return;
	clear(stream, FLAG_READABLE);
	if (count == 0)
		set(stream, FLAG_ENDED);
	else if (errno != EAGAIN)
		fail(stream, errno_rc(errno), errno, errno == ECONNRESET ? "the peer reset the connection" : "reading from a connection");
}

/* Read from TLS until the room is full or the socket empty. */
static void read_tls(struct stream *stream, uint8_t *to, size_t room, size_t *out_count)
{
	size_t filled = 0;

	while (filled < room) {
		size_t        count = 0;
		const enum rc rc = tls_session_read(stream->tls, to + filled, room - filled, &count);
		if (rc == RC_OK) {
			filled += count;
			continue;
		}
		clear(stream, FLAG_READABLE);
		if (rc == RC_CLOSED)
			set(stream, FLAG_ENDED);
		else if (rc == RC_AGAIN && tls_session_want(stream->tls) == TLS_WANT_WRITE)
			block(stream);
		else if (rc != RC_AGAIN)
			fail(stream, rc, 0, "the peer broke TLS");
		break;
	}
	stream->received += filled;
	*out_count = filled;
}

/* One window of input, or what was kept when it is to be handed over again. */
static bool read_input(struct stream *stream)
{
	uint8_t     *scratch = loop_scratch_in(stream->loop);
	const size_t kept = stream->in.len;
	const bool   again = kept != 0 && (has(stream, FLAG_RESUMED) || kept >= stream->window);
	size_t       count = 0;

	if (has(stream, FLAG_PAUSED))
		return true;
	clear(stream, FLAG_RESUMED);
	if (has(stream, FLAG_FINISHING)) {
		if (has(stream, FLAG_READABLE))
			read_plain(stream, scratch, loop_scratch_size(stream->loop), &count);
	} else if (has(stream, FLAG_READABLE) && kept < stream->window) {
		if (stream->tls != NULL)
			read_tls(stream, scratch + kept, stream->window - kept, &count);
		else
			read_plain(stream, scratch + kept, stream->window - kept, &count);
	}
	if (!has(stream, FLAG_FINISHING) && (count != 0 || again)) {
		if (kept != 0)
			memcpy(scratch, stream->in.ptr, kept);
		if (!deliver(stream, slice_of(scratch, kept + count)))
			return false;
	}
	if (!tell_end(stream))
		return false;
	if (has(stream, FLAG_READABLE) && !has(stream, FLAG_PAUSED))
		later(stream); /* others first */
	return true;
}

void stream_pause(struct stream *stream)
{
	set(stream, FLAG_PAUSED);
}

void stream_resume(struct stream *stream)
{
	if (stream->state == STATE_CLOSED || !has(stream, FLAG_PAUSED))
		return;
	clear(stream, FLAG_PAUSED);
	set(stream, FLAG_RESUMED);
	later(stream);
}

bool stream_paused(const struct stream *stream)
{
	return has(stream, FLAG_PAUSED);
}

void stream_set_window(struct stream *stream, uint32_t window)
{
	if (stream->state == STATE_CLOSED)
		return;
	must(window >= STREAM_WINDOW_MIN);
	must(window <= loop_scratch_size(stream->loop));
	stream->window = window;
}

/* ---- TLS ---- */

static bool shake(struct stream *stream)
{
	struct fault fault = { .text = "" };

	if (stream->state != STATE_SHAKING || failed(stream))
		return true;
	if (has(stream, FLAG_PLAIN_FIRST)) {
		flush(stream);
		if (stream->out.len != 0 || failed(stream))
			return true;
		clear(stream, FLAG_PLAIN_FIRST);
	}
	if (has(stream, FLAG_READABLE))
		tls_session_readable(stream->tls, has(stream, FLAG_ENDING));
	const enum rc rc = tls_session_handshake(stream->tls, &fault);
	if (rc == RC_AGAIN) {
		if (tls_session_want(stream->tls) == TLS_WANT_WRITE)
			block(stream);
		return true;
	}
	if (rc != RC_OK) {
		fail(stream, rc, fault.error, fault.text);
		return true;
	}
	stream->state = STATE_OPEN;
	clear(stream, FLAG_WAITED);
	set(stream, FLAG_READABLE); /* the last flight may have brought more */
	return call_owner(stream, stream->handlers->on_secure);
}

static bool may_start_tls(const struct stream *stream)
{
	/* Within on_data what was kept is part of what the owner is looking at; deliver() checks the rest. */
	const bool in_data = stream->call != NULL && stream->call->gathers;

	return stream->tls == NULL && stream->pieces == NULL && !has(stream, FLAG_SHUT_WANTED | FLAG_SEND_FAILED) &&
	       !failed(stream) && (in_data || stream->in.len == 0);
}

static enum rc start_tls(struct stream *stream, enum rc rc, struct tls_session *session)
{
	if (rc != RC_OK)
		return rc;
	if (stream->call != NULL)
		(void)send_gathered(stream, stream->call);
	stream->tls = session;
	stream->state = STATE_SHAKING;
	set(stream, FLAG_PLAIN_FIRST);
	later(stream);
	return RC_OK;
}

enum rc stream_start_tls_server(struct stream *stream, struct tls_context *context)
{
	struct tls_session *session = NULL;

	must(stream->state == STATE_OPEN);
	if (!may_start_tls(stream))
		return RC_CONFLICT;
	const enum rc rc = tls_session_server(context, stream->watch.fd, &session);
	return start_tls(stream, rc, session);
}

enum rc stream_start_tls_client(struct stream *stream, struct tls_context *context, const struct tls_client_names *names)
{
	struct tls_session *session = NULL;

	must(stream->state == STATE_OPEN);
	if (!may_start_tls(stream))
		return RC_CONFLICT;
	const enum rc rc = tls_session_client(context, stream->watch.fd, names, &session);
	return start_tls(stream, rc, session);
}

/* ---- turning ---- */

/* Everything that can be done now, in the order that keeps promises: sending, what is owed to the owner, reading. */
static void work(struct stream *stream)
{
	if (stream->state == STATE_SHAKING) {
		if (!shake(stream))
			return;
	}
	if (stream->state == STATE_OPEN) {
		flush(stream);
		if (has(stream, FLAG_PIECES_DONE) && !tell_pieces_done(stream, RC_OK))
			return;
		if (has(stream, FLAG_WAITED) && stream->out.len == 0 && !has(stream, FLAG_BLOCKED | FLAG_SEND_FAILED)) {
			clear(stream, FLAG_WAITED);
			if (!call_owner(stream, stream->handlers->on_writable))
				return;
		}
		/* When only sending has failed, what the peer said before it closed (a 421, say) is still heard. */
		if (has(stream, FLAG_SEND_FAILED))
			set(stream, FLAG_READABLE);
		if ((!failed(stream) || has(stream, FLAG_SEND_FAILED)) && !read_input(stream))
			return;
		if (stream->state == STATE_SHAKING && !failed(stream) && !shake(stream))
			return;
	}
	if (has(stream, FLAG_FINISHING) && has(stream, FLAG_SHUT) && has(stream, FLAG_ENDED))
		fail(stream, RC_CLOSED, 0, "closed in order");
	if (failed(stream))
		tell_closed(stream);
}

static void work_again(struct loop_defer *defer)
{
	struct stream *stream = LIST_OF(defer, struct stream, again);

	work(stream);
}

static void connected(struct stream *stream)
{
	int       error = 0;
	socklen_t size = sizeof error;

	if (getsockopt(stream->watch.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	if (error != 0) {
		fail(stream, RC_IO, error, "connecting");
		tell_closed(stream);
		return;
	}
	stream->state = STATE_OPEN;
	if (call_owner(stream, stream->handlers->on_open))
		work(stream);
}

static void ready(struct loop_watch *watch, uint32_t events)
{
	struct stream *stream = LIST_OF(watch, struct stream, watch);

	if ((events & (LOOP_IN | LOOP_RDHUP | LOOP_HUP | LOOP_ERR)) != 0) {
		set(stream, FLAG_READABLE);
		if ((events & (LOOP_RDHUP | LOOP_HUP | LOOP_ERR)) != 0)
			set(stream, FLAG_ENDING);
		if (stream->tls != NULL)
			tls_session_readable(stream->tls, has(stream, FLAG_ENDING));
	}
	if ((events & (LOOP_OUT | LOOP_HUP | LOOP_ERR)) != 0) {
		clear(stream, FLAG_BLOCKED);
		if (stream->state == STATE_CONNECTING) {
			connected(stream);
			return;
		}
	}
	if (stream->state != STATE_CONNECTING)
		work(stream);
}

/* ---- beginning ---- */

static enum rc begin(struct stream *stream, struct loop *loop, int fd, uint32_t events, enum state state,
                     const struct net_address *peer, const struct stream_limits *limits, const struct stream_handlers *handlers)
{
	must(limits->window >= STREAM_WINDOW_MIN);
	must(limits->window <= loop_scratch_size(loop));
	must(limits->out_max <= STREAM_OUT_MAX);
	must(handlers->on_data != NULL);
	must(handlers->on_closed != NULL);
	*stream = (struct stream){ .handlers = handlers, .window = limits->window, .peer = *peer };
	stream->in = buf_make(loop_scratch_size(loop));
	stream->out = buf_make(limits->out_max);
	loop_defer_init(&stream->again, work_again);
	if (loop_watch(loop, &stream->watch, fd, events, ready) != RC_OK) {
		const int error = errno;
		(void)close(fd);
		stream->watch.fd = -1;
		errno = error;
		return RC_IO;
	}
	stream->loop = loop;
	stream->state = (uint8_t)state;
	return RC_OK;
}

enum rc stream_adopt(struct stream *stream, struct loop *loop, int fd, const struct net_address *peer,
                     const struct stream_limits *limits, const struct stream_handlers *handlers)
{
	return begin(stream, loop, fd, WATCHED, STATE_OPEN, peer, limits, handlers);
}

/* A socket that is bound and on its way to the peer; -1 with *step when the kernel refused. */
static int dial(const struct net_address *peer, const struct net_address *source, const char **step)
{
	struct sockaddr_storage address;
	socklen_t               size;
	const int               on = 1;
	const int               family = peer->family == NET_FAMILY_V6 ? AF_INET6 : AF_INET;

	*step = "opening a socket";
	const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (source != NULL && source->family != NET_FAMILY_NONE) {
		/*
		 * The port is chosen at connect, when the peer is known: many more connections fit one source
		 * address.
		 */
		if (source->port == 0)
			(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
		size = net_address_sockaddr(source, &address);
		*step = "binding to the source address";
		if (bind(fd, (struct sockaddr *)&address, size) != 0)
			goto refused;
	}
	size = net_address_sockaddr(peer, &address);
	*step = "connecting";
	if (connect(fd, (struct sockaddr *)&address, size) == 0 || errno == EINPROGRESS)
		return fd;
refused:;
	const int error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

enum rc stream_connect(struct stream *stream, struct loop *loop, const struct net_address *peer,
                       const struct net_address *source, const struct stream_limits *limits,
                       const struct stream_handlers *handlers, struct fault *fault)
{
	const char *step;
	const int   fd = dial(peer, source, &step);

	if (fd < 0)
		return fault_set(fault, RC_IO, step, errno, 0);
	if (begin(stream, loop, fd, WATCHED | LOOP_OUT, STATE_CONNECTING, peer, limits, handlers) != RC_OK)
		return fault_set(fault, RC_IO, "watching a connection", errno, 0);
	return RC_OK;
}

/* ---- ending ---- */

void stream_shutdown(struct stream *stream)
{
	if (stream->state == STATE_CLOSED || has(stream, FLAG_SHUT_WANTED))
		return;
	if (stream->call != NULL)
		(void)send_gathered(stream, stream->call);
	set(stream, FLAG_SHUT_WANTED);
	later(stream);
}

void stream_finish(struct stream *stream)
{
	if (stream->state == STATE_CLOSED || has(stream, FLAG_FINISHING))
		return;
	stream_shutdown(stream);
	set(stream, FLAG_FINISHING);
	clear(stream, FLAG_PAUSED);
	/* Within on_data the scratch still holds what is looked at; deliver() drops it. */
	if (stream->call == NULL)
		buf_done(&stream->in);
	if (stream->state != STATE_OPEN)
		fail(stream, RC_CLOSED, 0, "closed before it was open");
	later(stream);
}

static void end(struct stream *stream, bool reset)
{
	struct stream_pieces *pieces = stream->pieces;
	const enum rc         pieces_rc = has(stream, FLAG_PIECES_DONE) ? RC_OK : RC_CLOSED;

	if (stream->state == STATE_CLOSED)
		return;
	if (stream->call != NULL) {
		if (!reset)
			(void)send_gathered(stream, stream->call);
		stream->call->gone = true;
	}
	if (reset) {
		const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
		(void)setsockopt(stream->watch.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	} else if (stream->tls != NULL && stream->state == STATE_OPEN && !has(stream, FLAG_SHUT | FLAG_SEND_FAILED)) {
		const enum rc rc = tls_session_shutdown(stream->tls);
		(void)rc; /* it was worth one try */
	}
	const int fd = stream->watch.fd;
	loop_unwatch_closing(stream->loop, &stream->watch);
	loop_defer_stop(&stream->again);
	tls_session_close(&stream->tls);
	(void)close(fd);
	buf_done(&stream->in);
	buf_done(&stream->out);
	stream->pieces = NULL;
	stream->call = NULL;
	stream->loop = NULL;
	stream->state = STATE_CLOSED;
	if (pieces != NULL)
		pieces->done(stream, pieces, pieces_rc);
}

void stream_close(struct stream *stream)
{
	end(stream, false);
}

void stream_reset(struct stream *stream)
{
	end(stream, true);
}

enum rc stream_local(const struct stream *stream, struct net_address *out)
{
	if (stream->state == STATE_CLOSED)
		return RC_IO;
	return net_socket_local(stream->watch.fd, out);
}
