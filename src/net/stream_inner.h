/*
 * Between stream.c (reading, TLS, beginning and ending) and stream_send.c only: the state of a stream and what both
 * files ask of it.
 */
#ifndef NET_STREAM_INNER_H
#define NET_STREAM_INNER_H

#include "net/stream.h"

#include <errno.h>

enum state {
	STATE_CLOSED = 0,
	STATE_CONNECTING,
	STATE_OPEN,    /* plain, or TLS that is established */
	STATE_SHAKING, /* TLS begins; FLAG_PLAIN_FIRST while plain bytes are still to go out */
};

enum flag {
	FLAG_READABLE = 1u << 0, /* the kernel may hold input */
	FLAG_ENDING = 1u << 1,   /* the end of input stands behind it: no further edge will tell */
	FLAG_ENDED = 1u << 2,    /* the end of input was met */
	FLAG_END_TOLD = 1u << 3,
	FLAG_PAUSED = 1u << 4,
	FLAG_RESUMED = 1u << 5, /* kept bytes are to be handed over again */
	FLAG_BLOCKED = 1u << 6, /* the kernel takes no more output; an edge will tell */
	FLAG_WAITED = 1u << 7,  /* some output had to wait: on_writable is owed */
	FLAG_PLAIN_FIRST = 1u << 8,
	FLAG_SHUT_WANTED = 1u << 9,  /* our side ends when everything is sent */
	FLAG_SHUT = 1u << 10,        /* our side has ended */
	FLAG_FINISHING = 1u << 11,   /* throw away what comes */
	FLAG_PIECES_DONE = 1u << 12, /* done() is owed */
	FLAG_LEAVING = 1u << 14,     /* do not wait for the peer's end */
	FLAG_SEND_FAILED = 1u << 13, /* nothing can be sent any more; what came is still handed over */
};

/* A call to the owner under way. Sending within on_data gathers in the loop's scratch. */
struct stream_call {
	bool   gone;
	bool   gathers;
	size_t gathered;
};

static inline bool has(const struct stream *stream, unsigned flag)
{
	return (stream->flags & flag) != 0;
}

static inline void set(struct stream *stream, unsigned flag)
{
	stream->flags = (uint16_t)(stream->flags | flag);
}

static inline void clear(struct stream *stream, unsigned flag)
{
	stream->flags = (uint16_t)(stream->flags & ~flag);
}

static inline void later(struct stream *stream)
{
	loop_defer(stream->loop, &stream->again);
}

static inline bool failed(const struct stream *stream)
{
	return stream->failure != RC_OK;
}

static inline enum rc errno_rc(int error)
{
	return error == ECONNRESET || error == EPIPE ? RC_CLOSED : RC_IO;
}

/* Remember the first failure; it is told by the next turn, never from inside a call of the owner. */
void stream_fail(struct stream *stream, enum rc rc, int error, const char *text);

/* Watch for the edge that says that output goes on. */
void stream_block(struct stream *stream);

/* Everything gathered during on_data leaves in one write. RC_OK or RC_CLOSED. */
enum rc stream_send_gathered(struct stream *stream, struct stream_call *call);

/* Send what waits, until the kernel takes no more or the turn's share is used up. */
void stream_flush(struct stream *stream);

/* Is there a piece that has not wholly gone? */
bool stream_pieces_left(struct stream *stream);

#endif
