/*
 * A session from its greeting to its end: TLS, commands that are not about a message, deadlines, the tarpit. How it begins stands in
 * gate/session_begin.c; what is about a message is decided in gate/session_mail.c.
 */
#include "gate/session.h"

#include "base/memory.h"
#include "base/must.h"
#include "gate/transaction.h"
#include "sys/clock.h"
#include "sys/log.h"

#include <unistd.h>

#define CLOSE_WAIT_MS 10000u
#define DECISION_WAIT_MS 900000u /* longer than any client waits: RFC 5321 section 4.5.3.2.6 asks for 10 minutes */
#define TARPIT_AFTER 3u         /* refusals that are answered at once */
#define NAMED_MAX 255u
#define LINE_SHOWN_MAX 200u     /* of a refused command */

static const struct smtp_reply closing_reply = { 421, { 4, 3, 2 }, SLICE_INIT("The service is closing, come back in a moment") };
static void session_pump(struct session *session, struct slice *input);

/* ---- texts ---- */

void session_text_drop(struct slice *slot)
{
	/* The bytes were taken by session_text_set() and belong to the session. */
	memory_give((void *)(uintptr_t)slot->ptr);
	*slot = (struct slice){ NULL, 0 };
}

void session_text_set(struct slice *slot, struct slice text)
{
	const struct slice part = slice_take(text, NAMED_MAX);
	uint8_t           *copy = part.len == 0 ? NULL : memory_take(1, part.len);

	session_text_drop(slot);
	if (copy == NULL)
		return;
	memcpy(copy, part.ptr, part.len);
	*slot = slice_of(copy, part.len);
}

/* ---- deadlines ---- */

void session_set_deadline(struct session *session)
{
	const struct gate_listener_settings *limits = session->listener->settings;
	const bool     body = session->state == SESSION_TALK && smtp_server_in_body(&session->smtp);
	const uint64_t now = loop_now_ms(session->home->loop);
	uint64_t       due = now + (body ? limits->timeout_data : limits->timeout_command);

	if (due > session->session_until_ms)
		due = session->session_until_ms;
	if (body && due > session->message_until_ms)
		due = session->message_until_ms;
	loop_timer_set_at(session->home->loop, &session->timer, due);
}

/* ---- the end ---- */

static void write_session(struct session *session)
{
	struct gate_loop *home = session->home;
	char              peer[NET_ADDRESS_TEXT_MAX];

	const struct event_session event = {
		.session = session->id,
		.opened_ms = session->opened_ms,
		.closed_ms = (int64_t)clock_wall_ms(),
		.listener = session->listener->settings->name,
		.peer = slice_str(net_address_text(&session->peer, peer)),
		.peer_port = session->peer.port,
		.peer_name = session->peer_name,
		.helo = session->helo,
		.tls = session->tls,
		.account = session->account == NULL ? (struct slice){ NULL, 0 } : session->account->name,
		.messages = session->messages,
		.refused = session->refused,
		.bytes = session->stream.received,
		.end = slice_str(session->end),
	};
	log_info(LOG_EVENT("session.end"), LOG_NUMBER("session", event.session), LOG_TEXT("listener", event.listener),
	         LOG_TEXT("peer", event.peer), LOG_TEXT("name", event.peer_name), LOG_TEXT("helo", event.helo),
	         LOG_TEXT("tls", event.tls), LOG_NUMBER("messages", event.messages), LOG_NUMBER("refused", event.refused),
	         LOG_NUMBER("bytes", event.bytes), LOG_TEXT("end", event.end));
	event_session_put(&home->payload, &event);
	gate_note(home->gate, EVENT_SESSION, &home->payload);
}

/* Whoever is still deciding something for this session decides it for nobody. */
static void forget_decisions(struct session *session)
{
	if (session->transaction != NULL)
		transaction_abandon(session->transaction);
	/* The worker still has it: it comes back to the loop and is freed there. */
	if (session->query != NULL)
		session->query->home_session = NULL;
	session->query = NULL;
	session_forget_verification(session);
}

/* The last act: the stream is closed already. */
void session_free(struct session *session)
{
	struct gate_loop *home = session->home;

	/* A session that only brought its mail and left is told by its messages. */
	if (session->refused != 0 || session->messages == 0)
		write_session(session);
	session_forget_naming(session);
	forget_decisions(session);
	timer_stop(&session->timer);
	list_remove(&session->link);
	home->session_count--;
	gate_session_leave(home->gate, session->listener_index);
	if (session->counted.family != NET_FAMILY_NONE)
		peers_leave(home->gate->peers, &session->counted);
	smtp_server_done(&session->smtp);
	buf_done(&session->held);
	session_text_drop(&session->helo);
	session_text_drop(&session->peer_name);
	session_text_drop(&session->tls);
	config_drop(&session->config);
	memory_give(session);
	gate_loop_settle(home);
}

void session_close(struct session *session, const char *end)
{
	const int front = session->front.fd;

	if (session->end == NULL)
		session->end = end;
	loop_unwatch(session->home->loop, &session->front);
	if (front >= 0)
		(void)close(front);
	stream_close(&session->stream);
	session_free(session);
}

static void handshake_failed(struct session *session, const char *text)
{
	counter_up(COUNT_TLS_FAILED);
	session_note_refusal(session, STAGE_TLS, &(struct smtp_reply){ .text = slice_str(text) }, SLICE(""), "tls_handshake");
}

static void on_closed(struct stream *stream, const struct fault *fault)
{
	struct session *session = LIST_OF(stream, struct session, stream);

	if (session->state == SESSION_STARTTLS && fault->rc == RC_CONFLICT) {
		static const struct smtp_reply behind = { .text = SLICE_INIT("plain text came behind STARTTLS") };
		counter_up(COUNT_STARTTLS_INJECTION);
		session_note_refusal(session, STAGE_TLS, &behind, SLICE(""), "starttls_injection");
	} else if (session->state == SESSION_STARTTLS || session->state == SESSION_HANDSHAKE) {
		handshake_failed(session, fault->text);
	}
	if (session->end == NULL)
		session->end = fault->rc == RC_CLOSED ? "lost" : rc_word(fault->rc);
	session_free(session);
}

/* Everything composed goes out; then the stream is ended in order. */
static void finish(struct session *session)
{
	session->state = SESSION_CLOSING;
	loop_timer_set(session->home->loop, &session->timer, CLOSE_WAIT_MS);
	if (session->quit)
		stream_leave(&session->stream);
	else
		stream_finish(&session->stream);
}

static void send_out(struct session *session)
{
	struct buf *out = &session->home->out;

	if (out->len != 0 && stream_send(&session->stream, buf_slice(out)) != RC_OK && session->end == NULL)
		session->end = "slow_reader";
	buf_clear(out);
}

/* In which of the trace's stages a session stands that is being ended. */
static enum event_stage stage_of(const struct session *session)
{
	switch ((enum smtp_event_kind)session->smtp.pending) {
	case SMTP_EVENT_AUTH:
		return STAGE_AUTH;
	case SMTP_EVENT_RCPT:
		return STAGE_RCPT;
	case SMTP_EVENT_BODY_END:
		return STAGE_MESSAGE;
	case SMTP_EVENT_NONE:
	case SMTP_EVENT_HELLO:
	case SMTP_EVENT_STARTTLS:
	case SMTP_EVENT_XCLIENT:
	case SMTP_EVENT_MAIL:
	case SMTP_EVENT_DATA:
	case SMTP_EVENT_BODY:
	case SMTP_EVENT_BODY_DEAD:
	case SMTP_EVENT_RESET:
	case SMTP_EVENT_VRFY:
	case SMTP_EVENT_REFUSED:
	case SMTP_EVENT_QUIT:
	case SMTP_EVENT_CLOSE:
	case SMTP_EVENT_COUNT:
		break;
	}
	if (smtp_server_in_body(&session->smtp))
		return STAGE_DATA;
	return session->transaction == NULL ? STAGE_HELO : session->smtp.recipients == 0 ? STAGE_MAIL : STAGE_RCPT;
}

/* Nobody will decide what is pending: `reply` (421 ...) is its answer, and the last one. */
static void refuse_waiting(struct session *session, const struct smtp_reply *reply, const char *end)
{
	session_note_refusal(session, stage_of(session), reply, SLICE(""), end);
	if (session->smtp.pending == SMTP_EVENT_BODY_END)
		counter_up(COUNT_MESSAGES_DEFERRED);
	forget_decisions(session);
	while (smtp_server_waits(&session->smtp))
		smtp_server_reply(&session->smtp, reply, &session->home->out);
	send_out(session);
	finish(session);
}

static void end_talk(struct session *session, const struct smtp_reply *reply)
{
	if (!smtp_server_waits(&session->smtp))
		smtp_server_end(&session->smtp, reply, &session->home->out);
	send_out(session);
	finish(session);
}

void session_end(struct session *session, const struct smtp_reply *reply, const char *end)
{
	if (session->end == NULL)
		session->end = end;
	switch ((enum session_state)session->state) {
	case SESSION_TALK:
	case SESSION_TARPIT:
	case SESSION_HUSH:
		/* In the middle of a message, too: a client that is told nothing cannot know what became of it. */
		if (session->transaction != NULL)
			session_note_refusal(session, stage_of(session), reply, SLICE(""), end);
		end_talk(session, reply);
		break;
	case SESSION_WAIT:
		/* What is being committed gets its answer, and the session ends behind that: it must not be left to be sent again. */
		if (session->transaction == NULL || !transaction_commits(session->transaction))
			refuse_waiting(session, reply, end);
		break;
	case SESSION_PROXY:
	case SESSION_HANDSHAKE:
	case SESSION_STARTTLS:
	case SESSION_CLOSING:
		session_close(session, end);
		break;
	}
}

bool session_idle(const struct session *session)
{
	return session->state == SESSION_TALK && session->transaction == NULL && !smtp_server_waits(&session->smtp);
}

/* ---- refusals ---- */

_Static_assert(STAGE_CONNECT == 0 && COUNT_REFUSED_MESSAGE - COUNT_REFUSED_CONNECT == STAGE_COUNT - 1, "a counter for each stage");

void session_tell_refusal(struct gate_loop *home, struct event_refused *event, const struct smtp_reply *reply, struct slice line)
{
	struct buf status = buf_make(16);

	if (reply->enhanced.class != 0)
		buf_printf(&status, "%u.%u.%u", reply->enhanced.class, reply->enhanced.subject, reply->enhanced.detail);
	event->at_ms = (int64_t)clock_wall_ms();
	event->code = reply->code;
	event->enhanced = buf_slice(&status);
	event->text = reply->text;
	counter_up((enum counter)(COUNT_REFUSED_CONNECT + event->stage));
	log_info(LOG_EVENT("session.refused"), LOG_NUMBER("session", event->session), LOG_STR("stage", event_stage_word(event->stage)),
	         LOG_TEXT("peer", event->peer), LOG_TEXT("sender", event->sender), LOG_TEXT("recipient", event->recipient),
	         LOG_NUMBER("code", event->code), LOG_TEXT("status", event->enhanced), LOG_TEXT("text", event->text),
	         LOG_TEXT("reason", event->reason), LOG_TEXT("line", line));
	event_refused_put(&home->payload, event);
	gate_note(home->gate, EVENT_REFUSED, &home->payload);
	buf_done(&status);
}

static void note_refusal(struct session *session, enum event_stage stage, const struct smtp_reply *reply, struct slice recipient,
                         const char *reason, struct slice line)
{
	char                 peer[NET_ADDRESS_TEXT_MAX];
	struct event_refused event = {
		.session = session->id,
		.stage = stage,
		.listener = session->listener->settings->name,
		.peer = slice_str(net_address_text(&session->peer, peer)),
		.helo = session->helo,
		.sender = session->transaction == NULL ? (struct slice){ NULL, 0 } : transaction_sender(session->transaction),
		.recipient = recipient,
		.reason = slice_str(reason),
		.message = session->transaction == NULL ? 0 : transaction_id(session->transaction),
		.size = session->smtp.body_bytes,
	};

	session->refused++;
	session_tell_refusal(session->home, &event, reply, line);
}

void session_note_refusal(struct session *session, enum event_stage stage, const struct smtp_reply *reply, struct slice recipient,
                          const char *reason)
{
	note_refusal(session, stage, reply, recipient, reason, SLICE(""));
}

void session_refuse(struct session *session, const struct smtp_reply *reply, enum event_stage stage, struct slice recipient,
                    const char *reason)
{
	session_note_refusal(session, stage, reply, recipient, reason);
	if (session->refused > TARPIT_AFTER && !session_is_ours(session))
		session->tarpit_ms = (uint32_t)session->listener->settings->tarpit;
	smtp_server_reply(&session->smtp, reply, &session->home->out);
}

/* ---- the greeting ---- */

static void greet(struct session *session)
{
	session->state = SESSION_TALK;
	if (session->home->shedding) {
		session_note_refusal(session, STAGE_CONNECT, &closing_reply, SLICE(""), "closing");
		session_end(session, &closing_reply, "closing");
		return;
	}
	smtp_server_greet(&session->smtp, SLICE(""), &session->home->out);
	send_out(session);
	session_set_deadline(session);
}

void session_begin_talk(struct session *session)
{
	const uint64_t delay = session->listener->settings->greeting_delay;

	if (delay == 0 || session->ours) {
		greet(session);
		return;
	}
	session->state = SESSION_HUSH;
	loop_timer_set(session->home->loop, &session->timer, delay);
}

/* ---- commands that are not about a message ---- */

static void auth_answered(struct loop_task *task)
{
	struct account_query *query = LIST_OF(task, struct account_query, task);
	struct session       *session = query->home_session;
	const bool            right = query->right;
	const struct config_account *account = query->account;

	config_drop(&query->config);
	memory_give(query);
	if (session == NULL)
		return;
	session->query = NULL;
	if (right) {
		counter_up(COUNT_AUTH_OK);
		session->account = account;
		smtp_server_accept(&session->smtp, &session->home->out);
	} else {
		static const struct smtp_reply wrong = { 535, { 5, 7, 8 }, SLICE_INIT("Name or password is wrong") };
		static const struct smtp_reply often = { 421, { 4, 7, 0 }, SLICE_INIT("Too many failed attempts to authenticate") };
		counter_up(COUNT_AUTH_FAILED);
		session->auth_failures++;
		const bool last = session->auth_failures >= session->config->settings.accounts->failures_max;
		session_refuse(session, last ? &often : &wrong, STAGE_AUTH, SLICE(""), "auth_failed");
		session->tarpit_ms = (uint32_t)session->config->settings.accounts->failure_delay;
	}
	session_go_on(session);
}

static void ask_password(struct session *session, const struct smtp_credentials *credentials)
{
	static const struct smtp_reply busy = { 454, { 4, 7, 0 }, SLICE_INIT("Authentication is not possible just now") };
	struct accounts      *accounts = atomic_load(&session->home->gate->accounts);
	struct account_query *query = memory_take(1, sizeof *query);

	if (query == NULL || accounts == NULL || credentials->password.len > sizeof query->password ||
	    (credentials->authzid.len != 0 && !slice_eq(credentials->authzid, credentials->user))) {
		memory_give(query);
		session_refuse(session, &busy, STAGE_AUTH, SLICE(""), "auth_unavailable");
		return;
	}
	query->home = session->home->loop;
	query->home_session = session;
	query->task.run = auth_answered;
	query->account = session->config->accounts == NULL ? NULL : map_get(session->config->accounts, credentials->user);
	query->password_size = credentials->password.len;
	if (credentials->password.len != 0)
		memcpy(query->password, credentials->password.ptr, credentials->password.len);
	query->config = config_hold(session->config);
	if (accounts_ask(accounts, query) != RC_OK) {
		config_drop(&query->config);
		memory_give(query);
		session_refuse(session, &busy, STAGE_AUTH, SLICE(""), "auth_unavailable");
		return;
	}
	session->query = query;
}

static void take_xclient(struct session *session, const struct xclient *xclient)
{
	if ((xclient->given & XCLIENT_ADDR) != 0) {
		/* What is being asked is the name of who passes the client on. */
		session_forget_naming(session);
		session_set_peer(session, xclient->addr);
		session_text_drop(&session->peer_name);
		/* A certificate is that of who passes the client on, too. */
		session->certificate = false;
		session->passed_on = true;
	}
	if ((xclient->given & XCLIENT_PORT) != 0)
		session->peer.port = xclient->port;
	if ((xclient->given & XCLIENT_NAME) != 0)
		session_text_set(&session->peer_name, xclient->name);
	if ((xclient->given & XCLIENT_HELO) != 0)
		session_text_set(&session->helo, xclient->helo);
	session->account = NULL;
	session_know_peer(session);
	smtp_server_accept(&session->smtp, &session->home->out);
}

static enum event_stage stage_of_verb(const struct session *session, enum smtp_verb verb)
{
	switch (verb) {
	case SMTP_VERB_STARTTLS:
		return STAGE_TLS;
	case SMTP_VERB_AUTH:
		return STAGE_AUTH;
	case SMTP_VERB_MAIL:
		return STAGE_MAIL;
	case SMTP_VERB_RCPT:
		return STAGE_RCPT;
	case SMTP_VERB_DATA:
	case SMTP_VERB_BDAT:
		return STAGE_DATA;
	case SMTP_VERB_UNKNOWN:
	case SMTP_VERB_HELO:
	case SMTP_VERB_EHLO:
	case SMTP_VERB_LHLO:
	case SMTP_VERB_RSET:
	case SMTP_VERB_NOOP:
	case SMTP_VERB_QUIT:
	case SMTP_VERB_VRFY:
	case SMTP_VERB_EXPN:
	case SMTP_VERB_HELP:
	case SMTP_VERB_XCLIENT:
	case SMTP_VERB_FOREIGN:
	case SMTP_VERB_COUNT:
		break;
	}
	return stage_of(session);
}

static void note_machine_refusal(struct session *session, const struct smtp_event *event)
{
	counter_up(COUNT_SMTP_ERRORS);
	if (event->refusal == SMTP_REFUSAL_LINE_ENDS)
		counter_up(COUNT_SMTP_SMUGGLING);
	if (event->refusal == SMTP_REFUSAL_INJECTION)
		counter_up(COUNT_STARTTLS_INJECTION);
	note_refusal(session, stage_of_verb(session, event->verb), &event->reply, SLICE(""), smtp_refusal_word(event->refusal),
	             slice_take(event->line, LINE_SHOWN_MAX));
}

static void session_event(struct session *session, const struct smtp_event *event)
{
	struct buf *out = &session->home->out;

	if (session_mail_event(session, event))
		return;
	switch (event->kind) {
	case SMTP_EVENT_HELLO:
		session_text_set(&session->helo, event->name);
		smtp_server_accept(&session->smtp, out);
		break;
	case SMTP_EVENT_STARTTLS:
		smtp_server_accept(&session->smtp, out);
		session->state = SESSION_STARTTLS;
		break;
	case SMTP_EVENT_AUTH:
		ask_password(session, &event->auth);
		break;
	case SMTP_EVENT_XCLIENT:
		take_xclient(session, &event->xclient);
		break;
	case SMTP_EVENT_REFUSED:
		note_machine_refusal(session, event);
		break;
	case SMTP_EVENT_QUIT:
		session->end = "quit";
		session->quit = true;
		break;
	case SMTP_EVENT_CLOSE:
		if (session->end == NULL)
			session->end = event->refusal == SMTP_REFUSAL_NONE ? "refused" : smtp_refusal_word(event->refusal);
		session->state = SESSION_CLOSING;
		break;
	case SMTP_EVENT_VRFY:
	case SMTP_EVENT_NONE:
	case SMTP_EVENT_MAIL:
	case SMTP_EVENT_RCPT:
	case SMTP_EVENT_DATA:
	case SMTP_EVENT_BODY:
	case SMTP_EVENT_BODY_END:
	case SMTP_EVENT_BODY_DEAD:
	case SMTP_EVENT_RESET:
	case SMTP_EVENT_COUNT:
		break;
	}
}

/* ---- the pump ---- */

/* What was composed leaves, or is held back for a while; then the state says how it goes on. */
static void session_settle(struct session *session)
{
	struct buf *out = &session->home->out;

	if (session->state == SESSION_TALK && smtp_server_waits(&session->smtp))
		session->state = SESSION_WAIT;
	if (session->tarpit_ms != 0 && out->len != 0 && (session->state == SESSION_TALK || session->state == SESSION_CLOSING)) {
		session->held.max = GATE_OUT_MAX;
		buf_put(&session->held, buf_slice(out));
		buf_clear(out);
		session->state = SESSION_TARPIT;
		stream_pause(&session->stream);
		loop_timer_set(session->home->loop, &session->timer, session->tarpit_ms);
		session->tarpit_ms = 0;
		return;
	}
	session->tarpit_ms = 0;
	send_out(session);
	stream_set_window(&session->stream, smtp_server_in_body(&session->smtp) ? SESSION_WINDOW_BODY : SESSION_WINDOW);
	switch ((enum session_state)session->state) {
	case SESSION_TALK:
		session_set_deadline(session);
		if (session->home->shedding && session_idle(session))
			session_end(session, &closing_reply, "closing");
		break;
	case SESSION_WAIT:
		/* Whoever decides has a deadline of its own; this one is for the day they all fail. */
		stream_pause(&session->stream);
		loop_timer_set(session->home->loop, &session->timer, DECISION_WAIT_MS);
		break;
	case SESSION_CLOSING:
		finish(session);
		break;
	case SESSION_STARTTLS:
		session_set_deadline(session);
		if (stream_start_tls_server(&session->stream, session->listener->tls) != RC_OK)
			finish(session);
		break;
	case SESSION_PROXY:
	case SESSION_HANDSHAKE:
	case SESSION_HUSH:
	case SESSION_TARPIT:
		break;
	}
}

/*
 * A session may last for hours: what the newest settings say of it counts from its next message on. False: it was told to connect again.
 */
static bool refresh(struct session *session)
{
	static const struct smtp_reply changed = { 421, { 4, 3, 2 }, SLICE_INIT("The settings have changed, connect again") };

	if (session->transaction != NULL || !smtp_server_between(&session->smtp) || session_take_settings(session))
		return true;
	session_note_refusal(session, stage_of(session), &changed, SLICE(""), "settings_changed");
	session->end = "settings_changed";
	smtp_server_end(&session->smtp, &changed, &session->home->out);
	session->state = SESSION_CLOSING;
	return false;
}

static void session_pump(struct session *session, struct slice *input)
{
	struct smtp_event event;

	while (session->state == SESSION_TALK && session->tarpit_ms == 0) {
		if (session->config != session->home->config && input->len != 0 && !refresh(session))
			break;
		if (smtp_server_feed(&session->smtp, input, &session->home->out, &event) == SMTP_EVENT_NONE)
			break;
		session_event(session, &event);
	}
	/* It sends faster than it reads. What is being decided for it is decided for nobody, but what is being committed. */
	if (session->home->out.failed) {
		if (session->transaction == NULL || !transaction_commits(session->transaction))
			forget_decisions(session);
		session->end = "slow_reader";
		session->state = SESSION_CLOSING;
	}
	session_settle(session);
}

void session_go_on(struct session *session)
{
	struct slice nothing = { NULL, 0 };

	/* Its last words have been said while somebody still decided: what was decided is heard by nobody. */
	if (session->state == SESSION_CLOSING) {
		buf_clear(&session->home->out);
		return;
	}
	session->state = SESSION_TALK;
	session_pump(session, &nothing);
	if (session->state != SESSION_TALK)
		return;
	if (session->peer_ended && stream_kept(&session->stream).len == 0)
		finish(session);
	else
		stream_resume(&session->stream);
}

static size_t on_data(struct stream *stream, struct slice data)
{
	static const struct smtp_reply early = { 554, { 5, 5, 1 }, SLICE_INIT("You spoke before our greeting") };
	struct session *session = LIST_OF(stream, struct session, stream);
	struct slice    rest = data;

	if (session->state == SESSION_HUSH) {
		counter_up(COUNT_EARLY_TALKERS);
		session_note_refusal(session, STAGE_CONNECT, &early, SLICE(""), "early_talker");
		session_end(session, &early, "early_talker");
		return data.len;
	}
	if (session->state == SESSION_CLOSING)
		return data.len;
	if (session->state != SESSION_TALK)
		return 0;
	session_pump(session, &rest);
	return data.len - rest.len;
}

static void on_end(struct stream *stream)
{
	struct session *session = LIST_OF(stream, struct session, stream);

	/* Half-closed: what it sent is answered still, then it is over. */
	session->peer_ended = true;
	if (session->end == NULL)
		session->end = "lost";
	if (session->state == SESSION_TALK)
		finish(session);
	else if (session->state != SESSION_WAIT && session->state != SESSION_TARPIT && session->state != SESSION_CLOSING)
		session_close(session, "lost");
}

/* Whose certificate the client showed: its fingerprint, and what it says of itself as far as that fits. */
static void put_certificate(const struct tls_facts *facts, struct buf *text)
{
	if (!facts->peer_certificate)
		return;
	buf_put_str(text, ", certificate ");
	buf_put_hex(text, slice_of(facts->peer_fingerprint.bytes, sizeof facts->peer_fingerprint.bytes));
	buf_put_byte(text, ' ');
	buf_put(text, slice_take(facts->peer_subject, NAMED_MAX - text->len));
}

/* Who the client says it is, written down (I-35); what it wrote is quoted where it is shown. */
static void note_certificate(struct session *session, const struct tls_facts *facts)
{
	struct gate_loop *home = session->home;
	char              peer[NET_ADDRESS_TEXT_MAX];
	struct buf        fingerprint = buf_make(2 * DIGEST_SIZE);

	const struct event_certificate event = {
		.session = session->id,
		.at_ms = (int64_t)clock_wall_ms(),
		.listener = session->listener->settings->name,
		.peer = slice_str(net_address_text(&session->peer, peer)),
		.subject = facts->peer_subject,
		.issuer = facts->peer_issuer,
		.fingerprint = facts->peer_fingerprint,
		.verified = facts->peer_verified,
		.ours = session->certificate,
		.why = slice_str(facts->peer_error),
	};
	buf_put_hex(&fingerprint, slice_of(event.fingerprint.bytes, DIGEST_SIZE));
	log_info(LOG_EVENT("session.certificate"), LOG_NUMBER("session", event.session), LOG_TEXT("listener", event.listener),
	         LOG_TEXT("peer", event.peer), LOG_TEXT("subject", event.subject), LOG_TEXT("issuer", event.issuer),
	         LOG_TEXT("sha256", buf_slice(&fingerprint)), LOG_STR("verified", event.verified ? "yes" : "no"),
	         LOG_STR("ours", event.ours ? "yes" : "no"), LOG_TEXT("why", event.why));
	event_certificate_put(&home->payload, &event);
	gate_note(home->gate, EVENT_CERTIFICATE, &home->payload);
	buf_done(&fingerprint);
}

/* What TLS told about the client. */
static void on_secure(struct stream *stream)
{
	struct session  *session = LIST_OF(stream, struct session, stream);
	struct arena    *arena = &session->home->arena;
	struct tls_facts facts;
	struct buf       text = buf_make(NAMED_MAX);

	counter_up(COUNT_TLS_OK);
	arena_reset(arena);
	if (tls_session_facts(stream->tls, arena, &facts) == RC_OK) {
		buf_put_str(&text, facts.version);
		buf_put_byte(&text, ' ');
		buf_put_str(&text, facts.cipher);
		put_certificate(&facts, &text);
		session_text_set(&session->tls, buf_slice(&text));
		for (size_t i = 0; facts.peer_certificate && !session->passed_on && i < session->listener->certificate_count; i++)
			session->certificate |= digest_eq(&session->listener->certificates[i], &facts.peer_fingerprint);
		if (facts.peer_certificate)
			note_certificate(session, &facts);
	}
	buf_done(&text);
	if (session->state == SESSION_HANDSHAKE) {
		session_begin_machine(session);
		session_begin_talk(session);
		return;
	}
	smtp_server_tls_started(&session->smtp);
	session_text_drop(&session->helo);
	session->state = SESSION_TALK;
	session_set_deadline(session);
}

void session_timer(struct timer *timer)
{
	static const struct smtp_reply idle = { 421, { 4, 4, 2 }, SLICE_INIT("You were silent for too long, closing") };
	static const struct smtp_reply undecided = { 421, { 4, 3, 0 }, SLICE_INIT("This could not be decided in time, come back later") };
	struct session *session = LIST_OF(timer, struct session, timer);

	switch ((enum session_state)session->state) {
	case SESSION_HUSH:
		greet(session);
		break;
	case SESSION_TARPIT: {
		const bool closing = session->end != NULL && session->smtp.closing != SMTP_REFUSAL_NONE;
		buf_put(&session->home->out, buf_slice(&session->held));
		buf_done(&session->held);
		if (closing) {
			session->state = SESSION_CLOSING;
			session_settle(session);
			break;
		}
		session_go_on(session);
		break;
	}
	case SESSION_TALK:
		counter_up(COUNT_SESSION_TIMEOUTS);
		session_note_refusal(session, stage_of(session), &idle, SLICE(""), "timeout");
		session->end = session->end == NULL ? "timeout" : session->end;
		end_talk(session, &idle);
		break;
	case SESSION_PROXY:
		session_proxy_failed(session, "No PROXY header came in time");
		break;
	case SESSION_HANDSHAKE:
	case SESSION_STARTTLS:
		handshake_failed(session, "the handshake did not end in time");
		session_close(session, "timeout");
		break;
	case SESSION_WAIT:
		session->end = session->end == NULL ? "undecided" : session->end;
		refuse_waiting(session, &undecided, "undecided");
		break;
	case SESSION_CLOSING:
		session_close(session, "timeout");
		break;
	}
}

const struct stream_handlers session_handlers = {
	.on_data = on_data,
	.on_end = on_end,
	.on_secure = on_secure,
	.on_closed = on_closed,
};
