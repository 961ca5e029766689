/* Streams over socket pairs and loopback: order, bounds, backpressure, ends; plain and TLS by the same tests. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "harness/certificate.h"
#include "net/acceptor.h"
#include "net/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS_MAX 200000

static struct loop               *loop;
static struct certificate         authority, host;
static struct tls_context        *server_context, *client_context;
static unsigned                   secure_joins;
static const struct stream_limits limits = { 8192, 16384 };

/* ---- an owner that does what a test asks for ---- */

struct owner {
	struct stream stream;
	struct buf    got;
	struct fault  fault;
	unsigned      opens, ends, writables, secures, closes, pieces_done;
	enum rc       pieces_rc;
	size_t        take_max; /* bytes taken a call; 0: all */
	bool          lines;    /* take whole lines only */
	bool          echo;
	bool          pause; /* pause in each call */
	bool          close_on_data;
	bool          finish_on_data;
	bool          leave_on_data;
	bool          start_tls; /* at the first bytes, as a server */
	size_t        leave;     /* bytes not taken when TLS starts */
};

static size_t on_data(struct stream *stream, struct slice data)
{
	struct owner *owner = LIST_OF(stream, struct owner, stream);
	size_t        take = data.len;

	assert_true(data.len != 0);
	assert_true(data.len <= stream->window);
	if (owner->take_max != 0 && owner->take_max < take)
		take = owner->take_max;
	if (owner->lines) {
		const size_t end = slice_find_last(data, '\n');
		take = end == data.len ? 0 : end + 1;
	}
	buf_put(&owner->got, slice_take(data, take));
	if (owner->start_tls) {
		owner->start_tls = false;
		assert_int_equal(stream_send(stream, SLICE("220 go ahead\r\n")), RC_OK);
		assert_int_equal(stream_start_tls_server(stream, server_context), RC_OK);
		return data.len - owner->leave;
	}
	if (owner->echo)
		assert_int_equal(stream_send(stream, slice_take(data, take)), RC_OK);
	if (owner->pause)
		stream_pause(stream);
	if (owner->finish_on_data)
		stream_finish(stream);
	if (owner->leave_on_data)
		stream_leave(stream);
	if (owner->close_on_data)
		stream_close(stream);
	return take;
}

static void on_open(struct stream *stream)
{
	LIST_OF(stream, struct owner, stream)->opens++;
}

static void on_end(struct stream *stream)
{
	LIST_OF(stream, struct owner, stream)->ends++;
}

static void on_writable(struct stream *stream)
{
	LIST_OF(stream, struct owner, stream)->writables++;
}

static void on_secure(struct stream *stream)
{
	LIST_OF(stream, struct owner, stream)->secures++;
}

static void on_closed(struct stream *stream, const struct fault *fault)
{
	struct owner *owner = LIST_OF(stream, struct owner, stream);

	assert_false(stream_is_open(stream));
	owner->fault = *fault;
	owner->closes++;
}

static const struct stream_handlers handlers = {
	.on_data = on_data,
	.on_end = on_end,
	.on_writable = on_writable,
	.on_open = on_open,
	.on_secure = on_secure,
	.on_closed = on_closed,
};

static void on_pieces_done(struct stream *stream, struct stream_pieces *pieces, enum rc rc)
{
	struct owner *owner = LIST_OF(stream, struct owner, stream);

	(void)pieces;
	owner->pieces_done++;
	owner->pieces_rc = rc;
}

static void turns(unsigned count)
{
	for (unsigned turn = 0; turn < count; turn++)
		assert_int_equal(loop_turn(loop, 0), RC_OK);
}

/* Turn until the condition holds. */
#define UNTIL(condition)                                              \
	do {                                                          \
		unsigned turn_ = 0;                                   \
		while (!(condition)) {                                \
			if (++turn_ > TURNS_MAX)                      \
				fail_msg("never: %s", #condition);    \
			assert_int_equal(loop_turn(loop, 10), RC_OK); \
		}                                                     \
	} while (0)

static void prepare(struct owner *owner)
{
	*owner = (struct owner){ .got = buf_make(64u << 20) };
}

/* Two owners that talk to each other; with TLS when `secure`. */
static void join(struct owner *left, struct owner *right, bool secure)
{
	const struct net_address nobody = { 0 };
	const struct slice       name = SLICE("mx.example.test");
	int                      pair[2];

	prepare(left);
	prepare(right);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(stream_adopt(&left->stream, loop, pair[0], &nobody, &limits, &handlers), RC_OK);
	assert_int_equal(stream_adopt(&right->stream, loop, pair[1], &nobody, &limits, &handlers), RC_OK);
	if (!secure)
		return;
	const struct tls_client_names names = { .sni = name, .names = &name, .names_count = 1 };
	assert_int_equal(stream_start_tls_client(&left->stream, client_context, &names), RC_OK);
	assert_int_equal(stream_start_tls_server(&right->stream, server_context), RC_OK);
	UNTIL(left->secures + left->closes != 0 && right->secures + right->closes != 0);
	assert_int_equal(left->secures, 1);
	assert_int_equal(right->secures, 1);
	secure_joins++;
}

static void part(struct owner *left, struct owner *right)
{
	stream_close(&left->stream);
	stream_close(&right->stream);
	stream_close(&right->stream);
	buf_done(&left->got);
	buf_done(&right->got);
}

static bool is_secure(void **state)
{
	return *state != NULL;
}

/* ---- tests of both kinds ---- */

static void bytes_come_back_and_nothing_is_held(void **state)
{
	struct owner left, right;

	join(&left, &right, is_secure(state));
	right.echo = true;
	for (unsigned round = 0; round < 5; round++) {
		assert_int_equal(stream_send(&left.stream, SLICE("EHLO client.example\r\n")), RC_OK);
		UNTIL(left.got.len == (round + 1) * 21);
		assert_int_equal(
			left.stream.in.room + left.stream.out.room + right.stream.in.room + right.stream.out.room, 0);
	}
	assert_true(slice_starts(buf_slice(&left.got), SLICE("EHLO client.example\r\nEHLO")));
	assert_int_equal(left.stream.sent, 105);
	assert_int_equal(left.stream.received, 105);
	assert_int_equal(stream_send(&left.stream, (struct slice){ NULL, 0 }), RC_OK);
	part(&left, &right);
	assert_int_equal(stream_send(&left.stream, SLICE("x")), RC_CLOSED);
}

static void lines_split_anywhere_come_whole(void **state)
{
	static const struct slice text =
		SLICE_INIT("MAIL FROM:<a@example.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n");
	struct owner left, right;

	for (size_t cut = 1; cut < text.len; cut++) {
		join(&left, &right, is_secure(state) && cut % 7 == 0);
		right.lines = true;
		assert_int_equal(stream_send(&left.stream, slice_take(text, cut)), RC_OK);
		turns(4);
		assert_int_equal(right.got.len + stream_kept(&right.stream).len, cut);
		assert_int_equal(stream_send(&left.stream, slice_drop(text, cut)), RC_OK);
		UNTIL(right.got.len == text.len);
		assert_true(slice_eq(buf_slice(&right.got), text));
		assert_int_equal(right.stream.in.room, 0);
		part(&left, &right);
	}
}

static void send_count(struct owner *owner, size_t count)
{
	static const uint8_t bytes[4096];

	while (count != 0) {
		const size_t part_count = count < sizeof bytes ? count : sizeof bytes;
		assert_int_equal(stream_send(&owner->stream, slice_of(bytes, part_count)), RC_OK);
		count -= part_count;
	}
}

static void a_full_window_must_be_taken(void **state)
{
	struct owner left, right;

	for (size_t count = limits.window - 1; count <= limits.window + 1; count++) {
		join(&left, &right, is_secure(state));
		right.lines = true; /* and no line ends */
		send_count(&left, count);
		if (count < limits.window) {
			UNTIL(stream_kept(&right.stream).len == count);
			turns(5);
			assert_int_equal(right.closes, 0);
		} else {
			UNTIL(right.closes == 1);
			assert_int_equal(right.fault.rc, RC_LIMIT);
		}
		part(&left, &right);
	}
}

static void pausing_holds_the_peer_back(void **state)
{
	struct owner   left, right;
	static uint8_t bytes[8192];
	size_t         sent = 0;

	join(&left, &right, is_secure(state));
	right.pause = true;
	right.take_max = 10;
	for (unsigned index = 0; index < sizeof bytes; index++)
		bytes[index] = (uint8_t)(index % 251);
	/* Send until nothing goes any more. */
	for (unsigned idle = 0; idle < 20;) {
		if (stream_waiting(&left.stream) == 0) {
			assert_int_equal(stream_send(&left.stream, slice_of(bytes, sizeof bytes)), RC_OK);
			sent += sizeof bytes;
			idle = 0;
		}
		turns(1);
		idle++;
		assert_true(sent < (8u << 20));
	}
	assert_true(stream_paused(&right.stream));
	assert_int_equal(right.got.len, 10);
	assert_true(stream_kept(&right.stream).len < limits.window);
	stream_resume(&right.stream); /* kept bytes come again, without new ones */
	UNTIL(right.got.len == 20);
	right.pause = false;
	right.take_max = 0;
	stream_resume(&right.stream);
	UNTIL(right.got.len == sent);
	for (size_t index = 0; index < sent; index++)
		assert_int_equal(right.got.ptr[index], index % sizeof bytes % 251);
	assert_true(left.writables != 0);
	part(&left, &right);
}

static void output_is_bounded(void **state)
{
	struct owner         left, right;
	static const uint8_t bytes[16384];

	join(&left, &right, is_secure(state));
	stream_pause(&right.stream);
	turns(2);
	assert_int_equal(stream_send(&left.stream, slice_of(bytes, limits.out_max)), RC_OK);
	while (stream_waiting(&left.stream) == 0)
		assert_int_equal(stream_send(&left.stream, slice_of(bytes, 1000)), RC_OK);
	const size_t room = limits.out_max - stream_waiting(&left.stream);
	assert_int_equal(stream_send(&left.stream, slice_of(bytes, room + 1)), RC_LIMIT);
	assert_int_equal(stream_send(&left.stream, slice_of(bytes, room)), RC_OK);
	assert_int_equal(stream_send(&left.stream, slice_of(bytes, 1)), RC_LIMIT);
	assert_int_equal(stream_waiting(&left.stream), limits.out_max);
	turns(5);
	assert_int_equal(left.writables, 0);
	stream_resume(&right.stream);
	UNTIL(left.writables == 1);
	assert_int_equal(stream_waiting(&left.stream), 0);
	assert_int_equal(left.stream.out.room, 0);
	part(&left, &right);
}

static void pieces_go_between_what_is_sent(void **state)
{
	enum { COUNT = 3000, BIG = 2000000 };
	struct owner        left, right;
	static struct slice items[COUNT];
	uint8_t            *body = malloc(BIG);
	struct buf          expected = buf_make(64u << 20);

	assert_non_null(body);
	for (size_t index = 0; index < BIG; index++)
		body[index] = (uint8_t)(index * 7 % 253);
	for (size_t index = 0; index < COUNT; index++)
		items[index] = slice_cut(slice_of(body, BIG), index * 601,
		                         index % 5 == 4     ? 0
		                         : index % 900 == 7 ? 400000
		                                            : index % 1200);
	items[COUNT - 1] = (struct slice){ NULL, 0 };
	for (size_t index = 0; index < COUNT; index++)
		buf_put(&expected, items[index]);
	struct stream_pieces pieces = { .items = items, .count = COUNT, .done = on_pieces_done };
	struct stream_pieces none = { .items = items, .count = 0, .done = on_pieces_done };

	join(&left, &right, is_secure(state));
	assert_int_equal(stream_send(&left.stream, SLICE("before")), RC_OK);
	assert_int_equal(stream_send_pieces(&left.stream, &pieces), RC_OK);
	assert_int_equal(left.pieces_done, 0);
	assert_int_equal(stream_send_pieces(&left.stream, &none), RC_BUSY);
	assert_int_equal(stream_send(&left.stream, SLICE("after")), RC_OK);
	UNTIL(right.got.len == expected.len + 11);
	UNTIL(left.pieces_done == 1);
	assert_int_equal(left.pieces_rc, RC_OK);
	assert_true(slice_starts(buf_slice(&right.got), SLICE("before")));
	assert_true(slice_eq(slice_cut(buf_slice(&right.got), 6, expected.len), buf_slice(&expected)));
	assert_true(slice_ends(buf_slice(&right.got), SLICE("after")));

	/* No bytes at all are done as well; and a second time around. */
	assert_int_equal(stream_send_pieces(&left.stream, &none), RC_OK);
	UNTIL(left.pieces_done == 2);
	buf_clear(&right.got);
	assert_int_equal(stream_send_pieces(&left.stream, &pieces), RC_OK);
	UNTIL(left.pieces_done == 3 && right.got.len == expected.len);
	assert_true(slice_eq(buf_slice(&right.got), buf_slice(&expected)));

	/* Closed under way: done once, with the reason. */
	stream_pause(&right.stream);
	assert_int_equal(stream_send_pieces(&left.stream, &pieces), RC_OK);
	turns(10);
	assert_int_equal(left.pieces_done, 3);
	stream_close(&left.stream);
	assert_int_equal(left.pieces_done, 4);
	assert_int_equal(left.pieces_rc, RC_CLOSED);
	part(&left, &right);
	buf_done(&expected);
	free(body);
}

static void the_owner_may_close_in_a_call(void **state)
{
	struct owner left, right;

	join(&left, &right, is_secure(state));
	right.echo = true;
	right.close_on_data = true;
	assert_int_equal(stream_send(&left.stream, SLICE("QUIT\r\n")), RC_OK);
	UNTIL(left.ends == 1);
	assert_true(slice_eq(buf_slice(&left.got), SLICE("QUIT\r\n"))); /* what was sent in the call still went out */
	assert_int_equal(right.closes, 0);
	part(&left, &right);
}

static void a_half_closed_peer_still_hears(void **state)
{
	struct owner left, right;

	join(&left, &right, is_secure(state));
	assert_int_equal(stream_send(&left.stream, SLICE("last words")), RC_OK);
	stream_shutdown(&left.stream);
	stream_shutdown(&left.stream);
	assert_int_equal(stream_send(&left.stream, SLICE("more")), RC_CLOSED);
	assert_false(stream_peer_ended(&right.stream));
	UNTIL(right.ends == 1);
	assert_true(stream_peer_ended(&right.stream));
	assert_int_equal(right.got.len, 10);
	assert_int_equal(stream_send(&right.stream, SLICE("an answer")), RC_OK);
	UNTIL(left.got.len == 9);
	assert_int_equal(left.ends, 0);
	turns(5);
	assert_int_equal(right.ends, 1);
	part(&left, &right);
}

static void the_end_comes_after_what_was_kept(void **state)
{
	struct owner left, right;

	join(&left, &right, is_secure(state));
	right.take_max = 3;
	right.pause = true;
	assert_int_equal(stream_send(&left.stream, SLICE("abcdefg")), RC_OK);
	stream_shutdown(&left.stream);
	UNTIL(right.got.len == 3);
	turns(5);
	assert_int_equal(right.ends, 0);
	stream_resume(&right.stream);
	UNTIL(right.got.len == 6);
	right.pause = false;
	stream_resume(&right.stream);
	UNTIL(right.ends == 1);
	assert_int_equal(right.got.len, 7);
	part(&left, &right);
}

static void finishing_waits_for_the_peer(void **state)
{
	struct owner left, right;

	join(&left, &right, is_secure(state));
	right.echo = true;
	right.finish_on_data = true;
	right.take_max = 1;
	assert_int_equal(stream_send(&left.stream, SLICE("421 nobody listens to the rest")), RC_OK);
	UNTIL(left.got.len == 1 && left.ends == 1);
	send_count(&left, 8192); /* thrown away, and no reset follows from it */
	turns(10);
	assert_int_equal(right.closes, 0);
	assert_int_equal(left.closes, 0);
	stream_close(&left.stream);
	UNTIL(right.closes == 1);
	assert_int_equal(right.fault.rc, RC_CLOSED);
	assert_int_equal(right.got.len, 1);
	part(&left, &right);
}

static void leaving_waits_for_nobody_but_tls(void **state)
{
	struct owner left, right;

	join(&left, &right, is_secure(state));
	right.echo = true;
	right.leave_on_data = true;
	assert_int_equal(stream_send(&left.stream, SLICE("QUIT")), RC_OK);
	UNTIL(left.got.len == 4 && left.ends == 1);
	turns(10);
	assert_int_equal(right.closes, is_secure(state) ? 0 : 1);
	stream_close(&left.stream);
	UNTIL(right.closes == 1);
	assert_int_equal(right.fault.rc, RC_CLOSED);
	part(&left, &right);
}

/* What does not fit the kernel's buffer goes before it is over. */
static void leaving_sends_everything_first(void **state)
{
	struct owner left, right;

	join(&left, &right, is_secure(state));
	stream_pause(&left.stream);
	send_count(&right, 8192);
	size_t sent = 8192;
	while (stream_send(&right.stream, SLICE("0123456789abcdef")) == RC_OK)
		sent += 16;
	stream_leave(&right.stream);
	turns(10);
	assert_int_equal(right.closes, 0);
	stream_resume(&left.stream);
	UNTIL(left.got.len == sent && left.ends == 1);
	stream_close(&left.stream);
	UNTIL(right.closes == 1);
	part(&left, &right);
}

static void a_peer_that_vanishes_is_told_once(void **state)
{
	struct owner left, right;

	join(&left, &right, is_secure(state));
	stream_close(&right.stream);
	UNTIL(left.ends == 1);
	for (unsigned round = 0; round < 3 && left.closes == 0; round++) {
		(void)!stream_send(&left.stream, SLICE("anyone?"));
		turns(2);
	}
	UNTIL(left.closes == 1);
	assert_int_equal(left.fault.rc, RC_CLOSED);
	turns(3);
	assert_int_equal(left.closes, 1);
	part(&left, &right);
}

static void no_memory_ends_one_stream(void **state)
{
	struct owner left, right;

	join(&left, &right, is_secure(state));
	right.take_max = 1;
	assert_int_equal(stream_send(&left.stream, SLICE("hello")), RC_OK);
	buf_put(&right.got, SLICE("0")); /* its memory is there before */
	memory_fail_after(0);
	while (right.closes == 0)
		(void)!loop_turn(loop, 0);
	memory_fail_after(-1);
	assert_int_equal(right.fault.rc, RC_NOMEM);
	part(&left, &right);
}

/* ---- TLS itself ---- */

static void nothing_is_read_behind_starttls(void **state)
{
	const struct net_address nobody = { 0 };
	struct owner             owner;
	int                      pair[2];
	char                     reply[64];

	(void)state;
	for (size_t leave = 0; leave < 2; leave++) {
		prepare(&owner);
		owner.start_tls = true;
		owner.leave = leave * 6;
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
		assert_int_equal(stream_adopt(&owner.stream, loop, pair[0], &nobody, &limits, &handlers), RC_OK);
		assert_int_equal(write(pair[1], "STARTTLS\r\nNOOP\r\n", leave == 0 ? 10 : 16), leave == 0 ? 10 : 16);
		turns(4);
		assert_int_equal(read(pair[1], reply, sizeof reply), 14);
		if (leave == 0) {
			/* Plain bytes that come later are no handshake either. */
			assert_int_equal(owner.closes, 0);
			assert_int_equal(write(pair[1], "NOOP\r\nNOOP\r\n", 12), 12);
		}
		UNTIL(owner.closes == 1);
		assert_int_equal(owner.fault.rc, leave == 0 ? RC_SYNTAX : RC_CONFLICT);
		assert_int_equal(owner.secures, 0);
		(void)close(pair[1]);
		buf_done(&owner.got);
	}
}

static void tls_starts_once_and_only_on_an_empty_stream(void **state)
{
	struct owner left, right;

	(void)state;
	join(&left, &right, true);
	assert_int_equal(stream_start_tls_server(&right.stream, server_context), RC_CONFLICT);
	part(&left, &right);
	join(&left, &right, false);
	right.take_max = 1;
	assert_int_equal(stream_send(&left.stream, SLICE("ab")), RC_OK);
	UNTIL(right.got.len == 1);
	assert_int_equal(stream_start_tls_server(&right.stream, server_context), RC_CONFLICT);
	part(&left, &right);
}

static void a_wrong_name_is_refused(void **state)
{
	const struct slice            name = SLICE("other.example.test");
	const struct tls_client_names names = { .sni = name, .names = &name, .names_count = 1 };
	struct owner                  left, right;

	(void)state;
	join(&left, &right, false);
	assert_int_equal(stream_start_tls_client(&left.stream, client_context, &names), RC_OK);
	assert_int_equal(stream_start_tls_server(&right.stream, server_context), RC_OK);
	assert_int_equal(stream_send(&right.stream, SLICE("421 not yet")), RC_CLOSED);
	UNTIL(left.closes == 1 && right.closes == 1);
	assert_int_equal(left.fault.rc, RC_DENIED);
	assert_non_null(left.fault.text);
	assert_int_equal(left.secures + right.secures, 0);
	part(&left, &right);
}

/* ---- loopback ---- */

struct listener {
	struct acceptor acceptor;
	struct owner    owners[64];
	unsigned        count, troubles;
	int             error;
};

static void on_accept(struct acceptor *acceptor, int fd, const struct net_address *peer)
{
	struct listener *listener = LIST_OF(acceptor, struct listener, acceptor);

	assert_true(listener->count < 64);
	struct owner *owner = &listener->owners[listener->count++];
	prepare(owner);
	assert_int_equal(stream_adopt(&owner->stream, loop, fd, peer, &limits, &handlers), RC_OK);
}

static void on_trouble(struct acceptor *acceptor, int error)
{
	struct listener *listener = LIST_OF(acceptor, struct listener, acceptor);

	listener->troubles++;
	listener->error = error;
}

static int listen_on(const char *text, struct listener *listener, struct net_address *out)
{
	struct net_address address;
	int                fd = -1;

	memset(listener, 0, sizeof *listener);
	assert_int_equal(net_address_parse(slice_str(text), &address), RC_OK);
	if (net_listen(&address, 64, &fd, NULL) != RC_OK)
		return -1;
	assert_int_equal(net_socket_local(fd, out), RC_OK);
	listener->acceptor.on_accept = on_accept;
	listener->acceptor.on_trouble = on_trouble;
	assert_int_equal(acceptor_start(&listener->acceptor, loop, fd), RC_OK);
	return fd;
}

static void forget(struct listener *listener, int fd)
{
	acceptor_stop(&listener->acceptor);
	acceptor_stop(&listener->acceptor);
	for (unsigned index = 0; index < listener->count; index++) {
		stream_close(&listener->owners[index].stream);
		buf_done(&listener->owners[index].got);
	}
	(void)close(fd);
}

static void connections_are_made_and_taken(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "::1" };
	static struct listener   listener;
	static struct owner      clients[40];

	(void)state;
	for (size_t host_index = 0; host_index < 2; host_index++) {
		struct net_address where, source, local;
		const int          fd = listen_on(hosts[host_index], &listener, &where);
		if (fd < 0 && host_index == 1)
			continue; /* a machine without IPv6 */
		assert_true(fd >= 0);
		assert_int_equal(net_address_parse(slice_str(host_index == 0 ? "127.0.0.2" : "::1"), &source), RC_OK);
		for (unsigned index = 0; index < 40; index++) {
			prepare(&clients[index]);
			assert_int_equal(stream_connect(&clients[index].stream, loop, &where,
			                                index % 2 ? &source : NULL, &limits, &handlers, NULL),
			                 RC_OK);
		}
		for (unsigned index = 0; index < 40; index++)
			UNTIL(clients[index].opens == 1);
		UNTIL(listener.count == 40);
		assert_int_equal(stream_local(&clients[1].stream, &local), RC_OK);
		assert_true(net_address_eq(&local, &source));
		unsigned from_source = 0;
		for (unsigned index = 0; index < 40; index++)
			from_source += net_address_eq(&listener.owners[index].stream.peer, &source);
		assert_int_equal(from_source, host_index == 0 ? 20 : 40);
		for (unsigned index = 0; index < 40; index++) {
			stream_reset(&clients[index].stream);
			buf_done(&clients[index].got);
		}
		for (unsigned index = 0; index < 40; index++) {
			UNTIL(listener.owners[index].closes == 1);
			assert_int_equal(listener.owners[index].fault.rc, RC_CLOSED);
		}
		forget(&listener, fd);
	}
}

static void a_refused_connection_says_why(void **state)
{
	static struct listener listener;
	struct net_address     where, source;
	struct owner           client;
	struct fault           fault = { 0 };

	(void)state;
	const int fd = listen_on("127.0.0.1", &listener, &where);
	assert_true(fd >= 0);
	int second = -1;
	assert_int_equal(net_listen(&where, 1, &second, &fault), RC_IO);
	assert_int_equal(fault.error, EADDRINUSE);
	forget(&listener, fd);
	prepare(&client);
	assert_int_equal(stream_connect(&client.stream, loop, &where, NULL, &limits, &handlers, NULL), RC_OK);
	assert_int_equal(stream_send(&client.stream, SLICE("too early")), RC_CLOSED);
	assert_int_equal(stream_start_tls_server(&client.stream, server_context), RC_CONFLICT);
	UNTIL(client.closes == 1);
	assert_int_equal(client.opens, 0);
	assert_int_equal(client.fault.rc, RC_IO);
	assert_int_equal(client.fault.error, ECONNREFUSED);
	assert_int_equal(net_address_parse(SLICE("192.0.2.1"), &source), RC_OK);
	prepare(&client);
	assert_int_equal(stream_connect(&client.stream, loop, &where, &source, &limits, &handlers, &fault), RC_IO);
	assert_int_equal(fault.error, EADDRNOTAVAIL);
	assert_false(stream_is_open(&client.stream));
	stream_close(&client.stream);
}

static void running_out_of_descriptors_is_survived(void **state)
{
	static struct listener listener;
	struct net_address     where;
	struct owner           client;
	struct rlimit          before, low;

	(void)state;
	const int fd = listen_on("127.0.0.1", &listener, &where);
	assert_true(fd >= 0);
	prepare(&client);
	assert_int_equal(stream_connect(&client.stream, loop, &where, NULL, &limits, &handlers, NULL), RC_OK);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	const int next = dup(fd);
	(void)close(next);
	low = before;
	low.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	UNTIL(listener.troubles == 1);
	assert_int_equal(listener.error, EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	UNTIL(listener.count == 1); /* after its pause, by itself */
	stream_close(&client.stream);
	forget(&listener, fd);
}

/* ---- */

static int set_up_all(void **state)
{
	(void)state;
	if (net_tls_ready(NULL) != RC_OK || loop_open(0, &loop, NULL) != RC_OK)
		return -1;
	certificate_make(&authority, &(struct certificate_wish){ .common_name = "Test authority", .authority = true },
	                 NULL);
	certificate_make(&host, &(struct certificate_wish){ .common_name = "mx", .names = "DNS:mx.example.test" },
	                 &authority);
	struct tls_authorities *authorities = NULL;
	if (tls_authorities_open(authority.pair.certificates, &authorities, NULL) != RC_OK ||
	    tls_server_open(&(struct tls_server_settings){ .pairs = &host.pair, .pairs_count = 1 }, &server_context,
	                    NULL) != RC_OK ||
	    tls_client_open(&(struct tls_client_settings){ .level = TLS_LEVEL_VERIFY, .authorities = authorities },
	                    &client_context, NULL) != RC_OK)
		return -1;
	tls_authorities_close(&authorities);
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	tls_context_close(&server_context);
	tls_context_close(&client_context);
	certificate_done(&authority);
	certificate_done(&host);
	loop_close(&loop);
	return secure_joins >= 12 ? 0 : -1; /* the tests over TLS were over TLS */
}

#define PLAIN(test)                                     \
	{                                               \
#test ", plain", test, NULL, NULL, NULL \
	}
#define SECURE(test)                                             \
	{                                                        \
#test ", TLS", test, NULL, NULL, &server_context \
	}
#define BOTH(test) PLAIN(test), SECURE(test)

/* Every address of every interface, and some that no machine has (RFC 5737, RFC 3849). */
static void the_machines_addresses_are_known(void **state)
{
	static const char *const foreign[] = { "192.0.2.77", "198.51.100.1", "2001:db8::77" };
	struct ifaddrs          *all = NULL;
	unsigned                 count = 0;

	(void)state;
	assert_int_equal(getifaddrs(&all), 0);
	for (struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
		struct net_address address;
		const int          family = one->ifa_addr == NULL ? 0 : one->ifa_addr->sa_family;
		const socklen_t    size = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

		if ((family != AF_INET && family != AF_INET6) || net_address_of_sockaddr(one->ifa_addr, size, &address) != RC_OK ||
		    (family == AF_INET6 && address.bytes[0] == 0xfe)) /* link-local: of no use without its interface */
			continue;
		count++;
		assert_true(net_is_here(&address));
	}
	freeifaddrs(all);
	assert_true(count != 0);
	for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
		struct net_address address;

		assert_int_equal(net_address_parse(slice_str(foreign[i]), &address), RC_OK);
		assert_false(net_is_here(&address));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(bytes_come_back_and_nothing_is_held),
		BOTH(lines_split_anywhere_come_whole),
		BOTH(a_full_window_must_be_taken),
		BOTH(pausing_holds_the_peer_back),
		BOTH(output_is_bounded),
		BOTH(pieces_go_between_what_is_sent),
		BOTH(the_owner_may_close_in_a_call),
		BOTH(a_half_closed_peer_still_hears),
		BOTH(the_end_comes_after_what_was_kept),
		BOTH(finishing_waits_for_the_peer),
		BOTH(leaving_waits_for_nobody_but_tls),
		BOTH(leaving_sends_everything_first),
		BOTH(a_peer_that_vanishes_is_told_once),
		BOTH(no_memory_ends_one_stream),
		cmocka_unit_test(nothing_is_read_behind_starttls),
		cmocka_unit_test(tls_starts_once_and_only_on_an_empty_stream),
		cmocka_unit_test(a_wrong_name_is_refused),
		cmocka_unit_test(connections_are_made_and_taken),
		cmocka_unit_test(a_refused_connection_says_why),
		cmocka_unit_test(the_machines_addresses_are_known),
		cmocka_unit_test(running_out_of_descriptors_is_survived),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
