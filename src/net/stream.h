/*
 * A connected byte stream on an event loop, plain or TLS, bounded both ways.
 *
 * A stream lies in its owner and belongs to its loop's thread. While nothing is under way it holds no buffer: input
 * is read into the loop's scratch area and handed to the owner where it lies; output goes to the kernel at once. Only
 * what the owner did not take, or the kernel did not, is kept, up to the bounds `window` and `out_max`. Deadlines are
 * the owner's timers.
 *
 * Calls back: on_open, on_data, on_end, on_writable, on_secure, on_closed, each from the loop and never from inside a
 * call of the owner into the stream. Any of them may close the stream and free the owner.
 *
 * System calls: accept4, recvfrom, sendto, sendmsg, shutdown, close, socket, bind, connect, setsockopt, getsockopt,
 * getsockname, epoll_ctl. Writing is done with MSG_NOSIGNAL.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "base/buf.h"
#include "base/fault.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/tls.h"

struct stream;
struct stream_call; /* internal */

/* What the owner does. on_data and on_closed must be there; the others may be NULL. */
struct stream_handlers {
	/*
	 * Bytes came. `data` holds everything not taken yet, in order, at most `window` bytes; it is borrowed until
	 * the return. Returns how many of the first bytes were taken (0 to data.len). The rest is kept and handed
	 * over again, together with what comes: when more has come, or after stream_resume(). What is sent during
	 * this call leaves in one write. Taking nothing of a full window without pausing ends the stream with
	 * RC_LIMIT.
	 */
	size_t (*on_data)(struct stream *stream, struct slice data);
	/*
	 * The peer has ended its side, and everything it sent was taken (or will never be: what is kept stays in
	 * stream_kept()).
	 */
	void (*on_end)(struct stream *stream);
	/* Everything given to stream_send() has gone to the kernel; only called when some of it had to wait. */
	void (*on_writable)(struct stream *stream);
	/* A stream of stream_connect() is connected. */
	void (*on_open)(struct stream *stream);
	/* The TLS handshake has ended well; from now on on_data brings what came through it. */
	void (*on_secure)(struct stream *stream);
	/*
	 * The stream is gone, its descriptor closed and its buffers freed: the last call of all. fault->rc is
	 * RC_CLOSED (the peer ended or reset it, or stream_finish() is through), RC_DENIED or RC_SYNTAX (TLS
	 * handshake, see tls_session_handshake()), RC_CONFLICT (plain bytes came behind the command that started
	 * TLS), RC_LIMIT (see on_data), RC_IO (fault->error is the errno, e.g. of connect), RC_NOMEM.
	 */
	void (*on_closed)(struct stream *stream, const struct fault *fault);
};

/*
 * Bytes that are borrowed while they are sent: for bodies. It lies with the caller and may not be touched until
 * done().
 */
struct stream_pieces {
	const struct slice *items;
	size_t              count;
	/*
	 * All have gone to the kernel (RC_OK), or never will (RC_CLOSED: then on_closed follows, or stream_close()
	 * was called).
	 */
	void (*done)(struct stream *stream, struct stream_pieces *pieces, enum rc rc);
	size_t index;  /* internal: the first one not wholly sent */
	size_t offset; /* internal: bytes of it sent */
};

/* Open fields are to be read, not written. */
struct stream {
	struct loop_watch             watch;
	struct loop_defer             again; /* work for the next turn */
	struct loop                  *loop;
	const struct stream_handlers *handlers;
	struct tls_session           *tls; /* NULL: plain */
	struct stream_pieces         *pieces;
	struct stream_call           *call;       /* internal: the call to the owner that is on the stack */
	struct buf                    in;         /* came, not taken */
	struct buf                    out;        /* to be sent */
	uint32_t                      out_before; /* bytes of `out` that go before `pieces`; the rest goes after them */
	uint32_t                      window;     /* most bytes handed over at once, and kept */
	uint64_t                      received;   /* bytes of the peer taken in (inside TLS when there is TLS) */
	uint64_t                      sent;       /* bytes given to the kernel (the same) */
	struct net_address            peer;
	int32_t                       error;   /* errno of the failure to be told */
	uint16_t                      flags;   /* internal */
	uint8_t                       state;   /* internal */
	uint8_t                       failure; /* enum rc of the failure to be told, RC_OK: none */
	const char                   *failure_text;
};
_Static_assert(sizeof(struct stream) <= 300, "ten thousand idle ones must be cheap");

#define STREAM_WINDOW_MIN 512u
#define STREAM_OUT_MAX    (1u << 20)

/* Bounds of one stream. */
struct stream_limits {
	uint32_t window;  /* STREAM_WINDOW_MIN up to the loop's scratch size */
	uint32_t out_max; /* most bytes that wait to be sent, up to STREAM_OUT_MAX; pieces do not count */
};

/*
 * Take over the connected socket `fd` (non-blocking, close-on-exec; e.g. from an acceptor). RC_OK: the stream owns it
 * and reads. RC_IO: the loop cannot watch it; `fd` is closed.
 */
MUST_CHECK enum rc stream_adopt(struct stream *stream, struct loop *loop, int fd, const struct net_address *peer,
                                const struct stream_limits *limits, const struct stream_handlers *handlers);

/*
 * Connect to `peer`, from `source` (its port may be 0) unless that is NULL. RC_OK: under way; on_open or on_closed
 * will tell. RC_IO: refused at once (fault->error: no descriptor, the source address is not ours, no route). Nothing
 * to close then.
 */
MUST_CHECK enum rc stream_connect(struct stream *stream, struct loop *loop, const struct net_address *peer,
                                  const struct net_address *source, const struct stream_limits *limits,
                                  const struct stream_handlers *handlers, struct fault *fault);

/*
 * Begin TLS on a plain, open stream as its server or client side: what was sent so far goes out plain first. Called
 * within on_data, the owner must take everything it was handed: plain bytes behind the command that started TLS end
 * the stream with RC_CONFLICT and are never parsed. on_secure or on_closed will tell. `context` is shared (its caller
 * keeps its own hold). RC_CONFLICT: bytes are kept already, pieces are under way, or it is TLS already. RC_NOMEM,
 * RC_SYNTAX, RC_LIMIT as tls_session_client().
 */
MUST_CHECK enum rc stream_start_tls_server(struct stream *stream, struct tls_context *context);
MUST_CHECK enum rc stream_start_tls_client(struct stream *stream, struct tls_context *context,
                                           const struct tls_client_names *names);

/*
 * Send `data`; it may be reused after the return. RC_OK: gone or waiting. RC_LIMIT: more than `out_max` would wait:
 * nothing of it was taken, and the owner must wait for on_writable. RC_CLOSED: the stream has failed (on_closed
 * comes), its sending side is shut, or it is not open yet: while connecting, and between starting TLS and on_secure.
 */
MUST_CHECK enum rc stream_send(struct stream *stream, struct slice data);

/*
 * Send pieces without copying them; they are borrowed until done(), which is called from the loop, never from in
 * here. What stream_send() takes meanwhile goes after them. RC_BUSY: pieces are under way already. RC_CLOSED.
 */
MUST_CHECK enum rc stream_send_pieces(struct stream *stream, struct stream_pieces *pieces);

/* Bytes that wait to be sent, pieces not counted. */
static inline size_t stream_waiting(const struct stream *stream)
{
	return stream->out.len;
}

/* No more on_data until stream_resume(): the peer is held back by TCP. Within on_data: what it did not take is kept. */
void stream_pause(struct stream *stream);
/* Go on: kept bytes are handed over again in the next turn of the loop. */
void stream_resume(struct stream *stream);
bool stream_paused(const struct stream *stream);

/*
 * Has the end of the peer's side been met? What an owner that went on after on_end asks when it has nothing more to
 * say.
 */
bool stream_peer_ended(const struct stream *stream);

/* Another window: small while commands are read, large for bodies. Not below what is kept. */
void stream_set_window(struct stream *stream, uint32_t window);

/* Bytes that came and were not taken. Borrowed until the next call. */
static inline struct slice stream_kept(const struct stream *stream)
{
	return buf_slice(&stream->in);
}

/* End our side when everything sent has gone (TLS: close_notify first); reading goes on. */
void stream_shutdown(struct stream *stream);

/*
 * Close in order: send what waits, end our side, throw away what comes until the peer ends its side, then on_closed
 * with RC_CLOSED. This keeps a last reply (421, 221) from being lost to a reset. The owner's deadline ends it with
 * stream_close() when the peer does not.
 */
void stream_finish(struct stream *stream);
/*
 * The same for a peer that has said that it sends nothing more (QUIT): close as soon as everything has gone. If it has sent something after
 * all, the kernel resets the connection, which may cost it our last bytes. A stream with TLS, where the peer still has its close_notify
 * to send, is finished.
 */
void stream_leave(struct stream *stream);

/*
 * Close at once: no more calls but done(RC_CLOSED) for pieces, from in here. What waited is lost; over TLS
 * close_notify is tried once. Legal on a stream that is closed and on zero bytes.
 */
void stream_close(struct stream *stream);
/* The same with a reset (RFC 9293 section 3.10.4 ABORT), so that no state stays in the kernel. */
void stream_reset(struct stream *stream);

static inline bool stream_is_open(const struct stream *stream)
{
	return stream->loop != NULL;
}

/* Our own address of this connection. RC_IO. */
MUST_CHECK enum rc stream_local(const struct stream *stream, struct net_address *out);

#endif
