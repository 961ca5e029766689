/* See fake_next_hop.h. */
#include "harness/fake_next_hop.h"

#include "base/must.h"
#include "base/num.h"

#include <unistd.h>

enum { STATE_COMMANDS, STATE_DATA, STATE_CHUNK, STATE_DEAF };

static const struct stream_limits limits = { .window = 64u << 10, .out_max = 64u << 10 };

/* ---- talking ---- */

static void say(struct fake_session *session, const char *text)
{
	struct slice rest = slice_str(text);

	while (rest.len != 0) {
		struct slice line = slice_until(&rest, '\n');
		struct buf bytes = buf_make(4096);
		struct slice code = slice_take(line, 3), words = slice_drop(line, 4);

		buf_put(&bytes, code);
		buf_put_str(&bytes, rest.len != 0 ? "-" : " ");
		buf_put(&bytes, words);
		buf_put_str(&bytes, "\r\n");
		if (stream_send(&session->stream, buf_slice(&bytes)) != RC_OK)
			rest.len = 0;
		buf_done(&bytes);
	}
}

static void session_end(struct fake_session *session)
{
	stream_close(&session->stream);
	buf_done(&session->held);
	session->used = false;
}

/* The rule for what just came, or NULL. */
static const struct fake_rule *rule_for(struct fake_next_hop *hop, struct slice line)
{
	for (size_t i = 0; i < hop->rule_count; i++) {
		const struct fake_rule *rule = &hop->rules[i];
		bool fits = rule->on[0] == '\0' ? line.len == 0 : slice_starts_nocase(line, slice_str(rule->on));

		if (!fits || (rule->times != 0 && hop->taken[i] >= rule->times))
			continue;
		hop->taken[i]++;
		return rule;
	}
	return NULL;
}

/* Carry out the rule for `line`. False: there is none, answer as usual. `*ret_code` is what was said; 0 for silence. */
static bool follow(struct fake_session *session, struct slice line, unsigned *ret_code, bool *ret_gone)
{
	const struct fake_rule *rule = rule_for(session->hop, line);
	uint64_t code = 0;

	*ret_gone = false;
	*ret_code = 0;
	if (rule == NULL)
		return false;
	if (rule->say != NULL && rule->act != FAKE_RESET) {
		say(session, rule->say);
		(void)!num_u64(slice_take(slice_str(rule->say), 3), 999, &code);
		*ret_code = (unsigned)code;
	}
	switch (rule->act) {
	case FAKE_SAY:
		break;
	case FAKE_CLOSE:
		session_end(session);
		*ret_gone = true;
		break;
	case FAKE_RESET:
		stream_reset(&session->stream);
		session_end(session);
		*ret_gone = true;
		break;
	case FAKE_STALL:
		session->state = STATE_DEAF;
		break;
	}
	return true;
}

/* ---- commands ---- */

static struct fake_message *message_begin(struct fake_session *session)
{
	struct fake_next_hop *hop = session->hop;

	must(hop->message_count < FAKE_MESSAGES_MAX);
	session->message = &hop->messages[hop->message_count++];
	session->message->envelope = buf_make(64u << 10);
	session->message->bytes = buf_make(FAKE_MESSAGE_BYTES);
	session->accepted = 0;
	return session->message;
}

/* The end of the data: one answer, or in LMTP one for each recipient. False: the session is gone. */
static bool data_ended(struct fake_session *session, const char *on)
{
	struct fake_next_hop *hop = session->hop;
	unsigned answers = hop->lmtp ? session->accepted : 1, code;
	bool gone;

	session->state = STATE_COMMANDS;
	for (unsigned i = 0; i < answers; i++) {
		if (!follow(session, slice_str(on), &code, &gone)) {
			say(session, "250 2.0.0 taken");
			code = 250;
		}
		if (code / 100 == 2 && session->message != NULL && !session->message->answered) {
			session->message->answered = true;
			hop->delivered++;
		}
		if (gone)
			return false;
	}
	session->message = NULL;
	return true;
}

static void hello(struct fake_session *session, struct slice line)
{
	struct buf text = buf_make(4096);

	(void)line;
	buf_put_str(&text, "250 fake.example");
	buf_put_str(&text, "\n250 ");
	const char *more = session->hop->extensions != NULL ? session->hop->extensions
	                                                    : "PIPELINING\nENHANCEDSTATUSCODES\n8BITMIME\nSIZE 1000000\nDSN\nSMTPUTF8\nCHUNKING";
	for (const char *at = more; *at != '\0'; at++) {
		buf_put_byte(&text, (uint8_t)*at);
		if (*at == '\n')
			buf_put_str(&text, "250 ");
	}
	buf_put_byte(&text, 0);
	say(session, (const char *)text.ptr);
	buf_done(&text);
}

static void keep_line(struct fake_session *session, struct slice line)
{
	buf_put(&session->message->envelope, line);
	buf_put_str(&session->message->envelope, "\n");
}

static void chunk_begin(struct fake_session *session, struct slice line)
{
	struct slice rest = slice_drop(line, 5);
	uint64_t size = 0;

	must(num_take(&rest, FAKE_MESSAGE_BYTES, &size) == RC_OK);
	session->chunk_left = size;
	session->chunk_last = slice_search_nocase(rest, SLICE("LAST")) != rest.len;
	session->state = STATE_CHUNK;
	if (session->message != NULL)
		session->message->chunked = true;
}

/* False: the session is gone. */
static bool command(struct fake_session *session, struct slice line)
{
	struct fake_next_hop *hop = session->hop;
	unsigned code;
	bool gone, bdat = slice_starts_nocase(line, SLICE("BDAT "));

	buf_put(&hop->log, line);
	buf_put_str(&hop->log, "\n");
	if (bdat) {
		chunk_begin(session, line);
		return true;
	}
	if (slice_starts_nocase(line, SLICE("MAIL")))
		(void)message_begin(session);
	if (!follow(session, line, &code, &gone)) {
		code = 250;
		if (slice_starts_nocase(line, SLICE("EHLO")) || slice_starts_nocase(line, SLICE("LHLO")))
			hello(session, line);
		else if (slice_starts_nocase(line, SLICE("DATA")))
			say(session, session->accepted != 0 ? "354 go on" : "554 5.5.1 no recipients");
		else if (slice_starts_nocase(line, SLICE("QUIT"))) {
			say(session, "221 2.0.0 bye");
			session_end(session);
			return false;
		} else if (slice_starts_nocase(line, SLICE("STARTTLS"))) {
			say(session, hop->tls != NULL ? "220 2.0.0 go on" : "454 4.7.0 not now");
			must(hop->tls == NULL || stream_start_tls_server(&session->stream, hop->tls) == RC_OK);
		} else
			say(session, "250 2.1.0 fine");
		if (slice_starts_nocase(line, SLICE("DATA")))
			code = session->accepted != 0 ? 354 : 554;
	}
	if (gone)
		return false;
	if (slice_starts_nocase(line, SLICE("DATA")) && code == 354) {
		session->state = STATE_DATA;
		session->line_start = true;
	}
	if (code / 100 == 2 && session->message != NULL &&
	    (slice_starts_nocase(line, SLICE("MAIL")) || slice_starts_nocase(line, SLICE("RCPT"))))
		keep_line(session, line);
	if (code / 100 == 2 && slice_starts_nocase(line, SLICE("RCPT")))
		session->accepted++;
	return true;
}

/* ---- bytes ---- */

/* Take a line of data; false: not whole yet. */
static bool take_data(struct fake_session *session, struct slice *input, bool *ret_gone)
{
	size_t end = slice_search(*input, SLICE("\r\n"));
	struct slice line = slice_take(*input, end);

	*ret_gone = false;
	if (end == input->len)
		return false;
	*input = slice_drop(*input, end + 2);
	if (slice_eq(line, SLICE("."))) {
		*ret_gone = !data_ended(session, ".");
		return true;
	}
	if (slice_at(line, 0) == '.')
		line = slice_drop(line, 1);
	buf_put(&session->message->bytes, line);
	buf_put_str(&session->message->bytes, "\r\n");
	return true;
}

static size_t on_data(struct stream *stream, struct slice data)
{
	struct fake_session *session = LIST_OF(stream, struct fake_session, stream);
	struct slice input = data;
	bool gone = false;

	while (input.len != 0 && !gone) {
		if (session->state == STATE_DEAF) {
			input.len = 0;
		} else if (session->state == STATE_CHUNK) {
			struct slice part = slice_take(input, (size_t)session->chunk_left);

			buf_put(&session->message->bytes, part);
			input = slice_drop(input, part.len);
			session->chunk_left -= part.len;
			if (session->chunk_left == 0 && session->chunk_last)
				gone = !data_ended(session, "BDAT");
			else if (session->chunk_left == 0)
				say(session, "250 2.0.0 chunk");
			if (session->chunk_left == 0 && !gone)
				session->state = STATE_COMMANDS;
		} else if (session->state == STATE_DATA) {
			if (!take_data(session, &input, &gone))
				break;
		} else {
			size_t end = slice_search(input, SLICE("\r\n"));
			struct slice line = slice_take(input, end);

			if (end == input.len)
				break;
			input = slice_drop(input, end + 2);
			gone = !command(session, line);
		}
	}
	return data.len - input.len;
}

static void on_end(struct stream *stream)
{
	session_end(LIST_OF(stream, struct fake_session, stream));
}

static void on_closed(struct stream *stream, const struct fault *fault)
{
	(void)fault;
	LIST_OF(stream, struct fake_session, stream)->used = false;
}

static const struct stream_handlers handlers = { .on_data = on_data, .on_end = on_end, .on_closed = on_closed };

static void on_accept(struct acceptor *acceptor, int fd, const struct net_address *peer)
{
	struct fake_next_hop *hop = LIST_OF(acceptor, struct fake_next_hop, acceptor);
	struct fake_session *session = NULL;
	unsigned code;
	bool gone;

	for (size_t i = 0; i < FAKE_CONNECTIONS_MAX && session == NULL; i++)
		if (!hop->sessions[i].used)
			session = &hop->sessions[i];
	must(session != NULL);
	*session = (struct fake_session){ .hop = hop, .used = true, .held = buf_make(1024) };
	hop->connections++;
	must(stream_adopt(&session->stream, hop->loop, fd, peer, &limits, &handlers) == RC_OK);
	if (!follow(session, (struct slice){ NULL, 0 }, &code, &gone))
		say(session, "220 fake.example ESMTP");
}

/* ---- life ---- */

static void listen_on(struct fake_next_hop *hop)
{
	struct fault fault;

	must(net_listen(&hop->address, 64, &hop->fd, &fault) == RC_OK);
	must(net_socket_local(hop->fd, &hop->address) == RC_OK);
	hop->acceptor = (struct acceptor){ .on_accept = on_accept };
	must(acceptor_start(&hop->acceptor, hop->loop, hop->fd) == RC_OK);
	hop->stopped = false;
}

void fake_next_hop_open(struct fake_next_hop *hop, struct loop *loop, const struct fake_rule *rules, size_t count)
{
	must(count <= 64);
	*hop = (struct fake_next_hop){ .loop = loop, .rules = rules, .rule_count = count, .log = buf_make(1u << 20),
		                       .address = { .bytes = { 127, 0, 0, 1 }, .family = NET_FAMILY_V4 } };
	listen_on(hop);
}

void fake_next_hop_restart(struct fake_next_hop *hop)
{
	listen_on(hop);
}

void fake_next_hop_stop(struct fake_next_hop *hop)
{
	if (hop->stopped)
		return;
	acceptor_stop(&hop->acceptor);
	(void)close(hop->fd);
	for (size_t i = 0; i < FAKE_CONNECTIONS_MAX; i++)
		if (hop->sessions[i].used)
			session_end(&hop->sessions[i]);
	hop->stopped = true;
}

void fake_next_hop_close(struct fake_next_hop *hop)
{
	fake_next_hop_stop(hop);
	for (size_t i = 0; i < hop->message_count; i++) {
		buf_done(&hop->messages[i].envelope);
		buf_done(&hop->messages[i].bytes);
	}
	buf_done(&hop->log);
}

unsigned fake_next_hop_heard(const struct fake_next_hop *hop, const char *command)
{
	struct slice rest = buf_slice(&hop->log);
	unsigned count = 0;

	while (rest.len != 0)
		count += slice_starts_nocase(slice_until(&rest, '\n'), slice_str(command));
	return count;
}
