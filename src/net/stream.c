/*
 * Streams: what comes goes from the kernel through the loop's scratch to the owner; sending is stream_send.c's.
 *
 * Sockets are watched by edge: readiness is remembered in flags until the kernel says that there is no more.
 */
#include "net/stream_inner.h"

#include "base/must.h"
#include "net/acceptor.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define WATCHED (LOOP_IN | LOOP_RDHUP | LOOP_EDGE)

/* ---- failing ---- */

/* Remember the first failure; it is told by the next turn, never from inside a call of the owner. */
void stream_fail(struct stream *stream, enum rc rc, int error, const char *text)
{
	if (stream->failure == RC_OK) {
		stream->failure = (uint8_t)rc;
		stream->error = error;
		stream->failure_text = text;
	}
	later(stream);
}

static void tell_closed(struct stream *stream)
{
	const struct stream_handlers *handlers = stream->handlers;
	const struct fault            fault = { (enum rc)stream->failure, stream->failure_text, stream->error, 0 };

	stream_close(stream);
	handlers->on_closed(stream, &fault);
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
		stream_fail(stream, RC_NOMEM, 0, "taking memory for input that has to wait");
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
	(void)stream_send_gathered(stream, &call);
	stream->call = NULL;
	const struct slice rest = slice_drop(data, taken);
	if (has(stream, FLAG_FINISHING)) {
		buf_done(&stream->in);
		return true;
	}
	keep(stream, rest);
	if (stream->state == STATE_SHAKING && rest.len != 0)
		stream_fail(stream, RC_CONFLICT, 0, "plain bytes came behind the command that starts TLS");
	else if (taken == 0 && rest.len >= stream->window && !has(stream, FLAG_PAUSED))
		stream_fail(stream, RC_LIMIT, 0, "the owner takes nothing of a full window");
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
			stream_fail(stream, RC_CLOSED, 0, "the peer closed the connection");
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
		stream_fail(stream, errno_rc(errno), errno,
		            errno == ECONNRESET ? "the peer reset the connection" : "reading from a connection");
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
			stream_block(stream);
		else if (rc != RC_AGAIN)
			stream_fail(stream, rc, 0, "the peer broke TLS");
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

bool stream_peer_ended(const struct stream *stream)
{
	return has(stream, FLAG_ENDED);
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
		stream_flush(stream);
		if (stream->out.len != 0 || failed(stream))
			return true;
		clear(stream, FLAG_PLAIN_FIRST);
	}
	if (has(stream, FLAG_READABLE))
		tls_session_readable(stream->tls, has(stream, FLAG_ENDING));
	const enum rc rc = tls_session_handshake(stream->tls, &fault);
	if (rc == RC_AGAIN) {
		if (tls_session_want(stream->tls) == TLS_WANT_WRITE)
			stream_block(stream);
		return true;
	}
	if (rc != RC_OK) {
		stream_fail(stream, rc, fault.error, fault.text);
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

	return stream->state == STATE_OPEN && stream->tls == NULL && stream->pieces == NULL &&
	       !has(stream, FLAG_SHUT_WANTED | FLAG_SEND_FAILED) && !failed(stream) && (in_data || stream->in.len == 0);
}

static enum rc start_tls(struct stream *stream, enum rc rc, struct tls_session *session)
{
	if (rc != RC_OK)
		return rc;
	if (stream->call != NULL)
		(void)stream_send_gathered(stream, stream->call);
	stream->tls = session;
	stream->state = STATE_SHAKING;
	set(stream, FLAG_PLAIN_FIRST);
	later(stream);
	return RC_OK;
}

enum rc stream_start_tls_server(struct stream *stream, struct tls_context *context)
{
	struct tls_session *session = NULL;

	if (!may_start_tls(stream))
		return RC_CONFLICT;
	const enum rc rc = tls_session_server(context, stream->watch.fd, &session);
	return start_tls(stream, rc, session);
}

enum rc stream_start_tls_client(struct stream *stream, struct tls_context *context,
                                const struct tls_client_names *names)
{
	struct tls_session *session = NULL;

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
		stream_flush(stream);
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
		stream_fail(stream, RC_CLOSED, 0, "closed in order");
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
		stream_fail(stream, RC_IO, error, "connecting");
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
                     const struct net_address *peer, const struct stream_limits *limits,
                     const struct stream_handlers *handlers)
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
		(void)stream_send_gathered(stream, stream->call);
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
		stream_fail(stream, RC_CLOSED, 0, "closed before it was open");
	later(stream);
}

void stream_leave(struct stream *stream)
{
	if (stream->tls == NULL)
		set(stream, FLAG_LEAVING);
	stream_finish(stream);
}

static void end(struct stream *stream, bool reset)
{
	struct stream_pieces *pieces = stream->pieces;
	const enum rc         pieces_rc = has(stream, FLAG_PIECES_DONE) ? RC_OK : RC_CLOSED;

	if (stream->state == STATE_CLOSED)
		return;
	if (stream->call != NULL) {
		if (!reset)
			(void)stream_send_gathered(stream, stream->call);
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
