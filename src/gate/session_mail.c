/* What a session decides about a message: may it come, from whom, to whom, how large. */
#include "gate/session.h"

#include "gate/transaction.h"
#include "mail/address.h"
#include "sys/log.h"

#define ADDRESS_TEXT_MAX 1024u

static void on_mail(struct session *session, const struct smtp_event *event)
{
	static const struct smtp_reply closing = { 421, { 4, 3, 2 }, SLICE_INIT("The service is closing, come back in a moment") };
	static const struct smtp_reply enough = { 421, { 4, 7, 0 }, SLICE_INIT("Enough messages in one session, connect again") };
	static const struct smtp_reply full = { 452, { 4, 3, 1 }, SLICE_INIT("No room for more messages just now, come back later") };
	static const struct smtp_reply fast = { 450, { 4, 7, 1 }, SLICE_INIT("Messages come too fast from your address, come back later") };
	static const struct smtp_reply stranger = { 550, { 5, 7, 1 }, SLICE_INIT("Only this organisation's own mail systems may send here") };
	static const struct smtp_reply other = { 553, { 5, 7, 1 }, SLICE_INIT("This account may not send with that sender address") };
	static const struct smtp_reply domain_fast = { 450, { 4, 7, 1 }, SLICE_INIT("Messages of your domain come too fast, come back later") };
	static const struct smtp_reply plain = { 530, { 5, 7, 0 }, SLICE_INIT("Mail from your address is taken over TLS only: STARTTLS first") };
	struct gate_loop                    *home = session->home;
	const struct gate_listener_settings *limits = session->listener->settings;
	uint8_t      room[ADDRESS_TEXT_MAX];
	struct arena arena = arena_on(room, sizeof room);
	struct buf   sender = buf_make(ADDRESS_TEXT_MAX);
	struct slice text = { NULL, 0 };

	address_write(&event->mail.sender, &sender);
	if (!sender.failed && arena_copy(&arena, buf_slice(&sender), &text) != RC_OK)
		text = (struct slice){ NULL, 0 };
	buf_done(&sender);
	if (home->draining || home->shedding) {
		session_refuse(session, &closing, STAGE_MAIL, SLICE(""), "closing");
	} else if (session->messages >= limits->messages_per_session) {
		session_refuse(session, &enough, STAGE_MAIL, SLICE(""), "session_messages");
	} else if (gate_listener_is_own(limits) && !session_is_ours(session)) {
		session_refuse(session, &stranger, STAGE_MAIL, SLICE(""), "not_ours");
	} else if (session->stream.tls == NULL && net_match_has(&session->listener->tls_required, &session->peer)) {
		session_refuse(session, &plain, STAGE_MAIL, SLICE(""), "tls_required");
	} else if (session->account != NULL && session->config->settings.organisation->sender_must_match &&
	           !account_may_send(session->account, text)) {
		session_refuse(session, &other, STAGE_MAIL, SLICE(""), "sender_not_allowed");
	} else if (!journal_writer_has_room(home->gate->journal)) {
		counter_up(COUNT_JOURNAL_FULL);
		session_refuse(session, &full, STAGE_MAIL, SLICE(""), "journal_full");
	} else if (!outbound_has_room(home->gate->outbound)) {
		session_refuse(session, &full, STAGE_MAIL, SLICE(""), "queue_full");
	} else if (!session_is_ours(session) && peers_message(home->gate->peers, &session->peer, limits->message_rate,
	                                                      loop_now_ms(home->loop)) != RC_OK) {
		counter_up(COUNT_PEER_LIMITED);
		session_refuse(session, &fast, STAGE_MAIL, SLICE(""), "peer_messages");
	} else if (!session_is_ours(session) && peers_domain_message(home->gate->peers, slice_drop(text, slice_find_last(text, '@') + 1),
	                                                             limits->sender_domain_rate, loop_now_ms(home->loop)) != RC_OK) {
		counter_up(COUNT_PEER_LIMITED);
		session_refuse(session, &domain_fast, STAGE_MAIL, SLICE(""), "sender_domain_messages");
	} else if (transaction_open(session, &event->mail, &session->transaction) != RC_OK) {
		session_refuse(session, &full, STAGE_MAIL, SLICE(""), "memory");
	} else {
		smtp_server_accept(&session->smtp, &home->out);
	}
}

void session_take_recipient(struct session *session, const struct recipient_decision *decision, struct slice orcpt, uint32_t notify)
{
	static const struct smtp_reply memory = { 452, { 4, 3, 1 }, SLICE_INIT("No memory for this recipient just now") };

	if (transaction_add(session->transaction, decision, orcpt, notify) != RC_OK) {
		session_refuse(session, &memory, STAGE_RCPT, decision->address, "memory");
		return;
	}
	const uint64_t domain_max = transaction_size_max(session->transaction);
	if (domain_max != 0 && domain_max < session->listener->settings->message_size_max)
		smtp_server_limit(&session->smtp, domain_max);
	counter_up(COUNT_RECIPIENTS_ACCEPTED);
	smtp_server_accept(&session->smtp, &session->home->out);
}

void session_refuse_unknown(struct session *session, struct slice address)
{
	static const struct smtp_reply unknown = { 550, { 5, 1, 1 }, SLICE_INIT("There is no such recipient here") };
	static const struct smtp_reply often = { 421, { 4, 7, 0 }, SLICE_INIT("Too many unknown recipients") };

	counter_up(COUNT_RECIPIENTS_UNKNOWN);
	session->unknown++;
	const bool last = session->unknown > session->listener->settings->unknown_recipients_max && !session_is_ours(session);
	session_refuse(session, last ? &often : &unknown, STAGE_RCPT, address, "unknown_recipient");
}

static void on_rcpt(struct session *session, const struct smtp_event *event)
{
	static const struct smtp_reply relay = { 550, { 5, 7, 1 }, SLICE_INIT("This host does not relay to that domain for you") };
	static const struct smtp_reply malformed = { 501, { 5, 1, 3 }, SLICE_INIT("That recipient address cannot be understood") };
	static const struct smtp_reply memory = { 452, { 4, 3, 1 }, SLICE_INIT("No memory for this recipient just now") };
	const struct recipient_client client = { .ours = session_is_ours(session), .relay = session->relay };
	struct arena             *arena = &session->home->arena;
	struct buf               *text = &session->home->payload;
	struct recipient_decision decision;
	struct slice              address;

	arena_reset(arena);
	buf_clear(text);
	address_write(&event->rcpt.recipient, text);
	enum rc rc = text->failed ? RC_NOMEM : arena_copy(arena, buf_slice(text), &address);
	buf_clear(text);
	if (rc == RC_OK)
		rc = recipient_decide(session->config, &client, address, arena, &decision);
	if (rc != RC_OK) {
		session_refuse(session, &memory, STAGE_RCPT, SLICE(""), "memory");
		return;
	}
	switch (decision.answer) {
	case RECIPIENT_ACCEPT:
		session_take_recipient(session, &decision, event->rcpt.orcpt, event->rcpt.notify);
		break;
	case RECIPIENT_VERIFY:
		session_verify(session, &decision, event->rcpt.orcpt, event->rcpt.notify);
		break;
	case RECIPIENT_UNKNOWN:
		session_refuse_unknown(session, address);
		break;
	case RECIPIENT_RELAY_DENIED:
		counter_up(COUNT_RECIPIENTS_RELAY);
		session_refuse(session, &relay, STAGE_RCPT, address, "relay_denied");
		break;
	case RECIPIENT_MALFORMED:
		session_refuse(session, &malformed, STAGE_RCPT, address, "recipient_malformed");
		break;
	}
}

static void on_begin(struct session *session)
{
	static const struct smtp_reply full = { 452, { 4, 3, 1 }, SLICE_INIT("No memory for this message just now, come back later") };
	const struct gate_listener_settings *limits = session->listener->settings;
	const uint64_t domain_max = transaction_size_max(session->transaction);
	const uint64_t size_max = domain_max != 0 && domain_max < limits->message_size_max ? domain_max : limits->message_size_max;

	if (transaction_begin(session->transaction, size_max) != RC_OK) {
		counter_up(COUNT_SLAB_FULL);
		session_refuse(session, &full, STAGE_DATA, SLICE(""), "message_memory");
		return;
	}
	session->message_until_ms = loop_now_ms(session->home->loop) + limits->timeout_message;
	smtp_server_accept(&session->smtp, &session->home->out);
}

static void on_body(struct session *session, struct slice bytes)
{
	static const struct smtp_reply full = { 452, { 4, 3, 1 }, SLICE_INIT("No memory for this message just now, come back later") };

	if (transaction_append(session->transaction, bytes) == RC_OK)
		return;
	counter_up(COUNT_SLAB_FULL);
	session_note_refusal(session, STAGE_DATA, &full, SLICE(""), "message_memory");
	smtp_server_refuse_body(&session->smtp, &full);
	transaction_abandon(session->transaction);
}

static void on_dead(struct session *session, const struct smtp_event *event)
{
	if (event->refusal == SMTP_REFUSAL_LINE_ENDS)
		counter_up(COUNT_SMTP_SMUGGLING);
	if (event->refusal == SMTP_REFUSAL_SIZE)
		counter_up(COUNT_MESSAGES_TOO_LARGE);
	counter_up(COUNT_MESSAGES_REJECTED);
	session_note_refusal(session, STAGE_DATA, &event->reply, SLICE(""), smtp_refusal_word(event->refusal));
	if (session->transaction != NULL)
		transaction_abandon(session->transaction);
}

bool session_mail_event(struct session *session, const struct smtp_event *event)
{
	switch (event->kind) {
	case SMTP_EVENT_MAIL:
		on_mail(session, event);
		return true;
	case SMTP_EVENT_RCPT:
		on_rcpt(session, event);
		return true;
	case SMTP_EVENT_DATA:
		on_begin(session);
		return true;
	case SMTP_EVENT_BODY:
		if (session->transaction != NULL)
			on_body(session, event->body);
		return true;
	case SMTP_EVENT_BODY_END:
		transaction_finish(session->transaction);
		return true;
	case SMTP_EVENT_BODY_DEAD:
		on_dead(session, event);
		return true;
	case SMTP_EVENT_RESET:
	case SMTP_EVENT_QUIT:
	case SMTP_EVENT_HELLO:
	case SMTP_EVENT_STARTTLS:
	case SMTP_EVENT_XCLIENT:
	case SMTP_EVENT_CLOSE:
		/* Each of them ends a transaction, and then goes its own way. */
		if (session->transaction != NULL)
			transaction_abandon(session->transaction);
		return event->kind == SMTP_EVENT_RESET;
	case SMTP_EVENT_NONE:
	case SMTP_EVENT_AUTH:
	case SMTP_EVENT_VRFY:
	case SMTP_EVENT_REFUSED:
	case SMTP_EVENT_COUNT:
		return false;
	}
	return false;
}
