/*
 * A message from MAIL to the answer. The states and who holds the transaction in each:
 *
 *   OPEN        the session: envelope and body come in
 *   SCANNING    the scan port: done() will come
 *   COMMITTING  the journal: its answer will come, on the committer's thread, and from there a task on the loop; with a route of mode
 *               `through` it comes when the delivery loop has tried the next hop while the client waits
 *
 * In the last two the session may go away; then `session` is NULL and nobody is answered. A message whose client has gone before
 * it was submitted to the journal is dropped: the client will send it again.
 */
#include "gate/transaction.h"

#include "base/memory.h"
#include "base/must.h"
#include "gate/glance.h"
#include "gate/verdict.h"
#include "sys/clock.h"
#include "sys/log.h"

#define ENVELOPE_TEXT_MAX (8u << 20)
#define RECIPIENTS_FIRST 4u

enum transaction_state { TRANSACTION_OPEN, TRANSACTION_SCANNING, TRANSACTION_COMMITTING };

/* A run of the envelope's text: it may move while it grows. */
struct span {
	uint32_t offset;
	uint32_t size;
};

struct envelope_recipient {
	struct span                 address;
	struct span                 original;
	const struct config_domain *domain;
	uint32_t                    hash;
	uint16_t                    notify;
	uint8_t                     direction;
	bool                        postmaster;
};

/* What is told of a message once it is ours; its session may be gone by then. */
struct acceptance {
	uint64_t           session;
	struct net_address peer;
	struct span        message_id;
	uint64_t           bytes;
	struct slice       verdict; /* fixed words, both */
	struct slice       reason;
	bool               held;
};

struct transaction {
	struct session            *session; /* NULL: gone */
	struct gate_loop          *home;
	struct config             *config;  /* held */
	uint64_t                   id;
	int64_t                    received_ms;
	uint64_t                   ended_us; /* the loop's clock at the final dot */
	uint32_t                   flags;
	enum transaction_state     state;
	bool                       announced; /* to the journal's committer */
	bool                       exhausted; /* memory or descriptors ran out at the end of the body */
	struct span                sender;
	struct span                envelope_id;
	struct buf                 text;
	struct envelope_recipient *recipients;
	uint32_t                   recipient_count;
	uint32_t                   recipient_room;
	enum direction             direction;
	struct slab               *slab;
	struct digest              body_digest;
	struct scan_job            job;
	struct journal_group       group;
	struct journal_item        items[2];
	struct slice               pieces[2];
	struct outbound_message   *message;   /* what the delivery loop will get */
	struct outbound_through    through;
	struct loop_task           committed;
	enum rc                    commit_rc;
	struct acceptance          acceptance;
};

static struct slice span_text(const struct transaction *transaction, struct span span)
{
	return slice_cut(buf_slice(&transaction->text), span.offset, span.size);
}

static struct span put_span(struct transaction *transaction, struct slice text)
{
	const struct span span = { (uint32_t)transaction->text.len, (uint32_t)text.len };

	buf_put(&transaction->text, text);
	return span;
}

/* ---- envelope ---- */

enum rc transaction_open(struct session *session, const struct smtp_mail *mail, struct transaction **out)
{
	struct transaction *transaction = memory_take(1, sizeof *transaction);

	if (transaction == NULL)
		return RC_NOMEM;
	transaction->session = session;
	transaction->home = session->home;
	transaction->config = config_hold(session->config);
	transaction->id = gate_next_id(session->home->gate);
	transaction->text = buf_make(ENVELOPE_TEXT_MAX);
	transaction->flags = mail->smtputf8 ? EVENT_FLAG_SMTPUTF8 : 0;
	transaction->flags |= mail->body == SMTP_BODY_8BITMIME ? EVENT_FLAG_8BITMIME : 0;
	transaction->flags |= mail->ret == SMTP_RET_FULL ? EVENT_FLAG_RET_FULL : 0;
	transaction->flags |= mail->ret == SMTP_RET_HDRS ? EVENT_FLAG_RET_HDRS : 0;
	transaction->flags |= session->stream.tls != NULL ? EVENT_FLAG_TLS : 0;
	transaction->flags |= session_is_ours(session) ? EVENT_FLAG_TRUSTED : 0;
	transaction->sender.offset = 0;
	address_write(&mail->sender, &transaction->text);
	transaction->sender.size = (uint32_t)transaction->text.len;
	transaction->envelope_id = put_span(transaction, mail->envid);
	if (transaction->text.failed) {
		transaction->session = NULL;
		config_drop(&transaction->config);
		buf_done(&transaction->text);
		memory_give(transaction);
		return RC_NOMEM;
	}
	*out = transaction;
	return RC_OK;
}

static bool has_recipient(const struct transaction *transaction, struct slice address, uint32_t hash)
{
	for (uint32_t i = 0; i < transaction->recipient_count; i++) {
		if (transaction->recipients[i].hash == hash &&
		    slice_eq(span_text(transaction, transaction->recipients[i].address), address))
			return true;
	}
	return false;
}

static bool grow_recipients(struct transaction *transaction)
{
	const uint32_t room = transaction->recipient_room == 0 ? RECIPIENTS_FIRST : transaction->recipient_room * 2;
	void          *grown = transaction->recipient_room >= EVENT_RECIPIENTS_MAX
	                               ? NULL
	                               : memory_resize(transaction->recipients, room * sizeof *transaction->recipients);

	if (grown == NULL)
		return false;
	transaction->recipients = grown;
	transaction->recipient_room = room;
	return true;
}

enum rc transaction_add(struct transaction *transaction, const struct recipient_decision *decision, struct slice orcpt,
                        uint32_t notify)
{
	const uint32_t hash = (uint32_t)map_hash(transaction->home->gate->seed, decision->address);

	if (has_recipient(transaction, decision->address, hash))
		return RC_OK;
	if (transaction->recipient_count == EVENT_RECIPIENTS_MAX ||
	    (transaction->recipient_count == transaction->recipient_room && !grow_recipients(transaction)))
		return RC_NOMEM;
	struct envelope_recipient *recipient = &transaction->recipients[transaction->recipient_count];
	*recipient = (struct envelope_recipient){ .domain = decision->domain, .hash = hash, .notify = (uint16_t)notify,
		                                  .direction = (uint8_t)decision->direction, .postmaster = decision->postmaster };
	recipient->address = put_span(transaction, decision->address);
	recipient->original = put_span(transaction, orcpt);
	if (transaction->text.failed)
		return RC_NOMEM;
	/* A message that leaves the house is outbound, whoever else gets it. */
	if (transaction->recipient_count == 0 || decision->direction == DIRECTION_OUTBOUND)
		transaction->direction = decision->direction;
	transaction->recipient_count++;
	return RC_OK;
}

uint64_t transaction_size_max(const struct transaction *transaction)
{
	uint64_t least = 0;

	for (uint32_t i = 0; i < transaction->recipient_count; i++) {
		const struct config_domain *domain = transaction->recipients[i].domain;
		const uint64_t              max = domain == NULL ? 0 : domain->settings->message_size_max;
		if (max != 0 && (least == 0 || max < least))
			least = max;
	}
	return least;
}

struct slice transaction_sender(const struct transaction *transaction)
{
	return span_text(transaction, transaction->sender);
}

uint64_t transaction_id(const struct transaction *transaction)
{
	return transaction->id;
}

bool transaction_commits(const struct transaction *transaction)
{
	return transaction->state == TRANSACTION_COMMITTING;
}

/* Copies for the archives of the recipients' domains: recipients like any other, once each. */
static enum rc add_archives(struct transaction *transaction)
{
	enum rc rc = RC_OK;

	for (uint32_t i = 0, count = transaction->recipient_count; rc == RC_OK && i < count; i++) {
		const struct config_domain *domain = transaction->recipients[i].domain;
		if (domain == NULL || domain->settings->archive.len == 0)
			continue;
		const struct recipient_decision copy = { .answer = RECIPIENT_ACCEPT, .address = domain->settings->archive,
			                                 .direction = (enum direction)transaction->recipients[i].direction };
		rc = transaction_add(transaction, &copy, SLICE(""), EVENT_NOTIFY_NEVER);
	}
	return rc;
}

/* ---- body ---- */

enum rc transaction_begin(struct transaction *transaction, uint64_t size_max)
{
	return transaction->slab != NULL ? RC_OK : slab_open(size_max, &transaction->slab);
}

enum rc transaction_append(struct transaction *transaction, struct slice bytes)
{
	return slab_append(transaction->slab, bytes);
}

/* ---- the end of a transaction ---- */

static void unannounce(struct transaction *transaction)
{
	if (transaction->announced)
		journal_writer_expect(transaction->home->gate->journal, -1);
	transaction->announced = false;
}

static void transaction_free(struct transaction *transaction)
{
	unannounce(transaction);
	if (transaction->session != NULL)
		transaction->session->transaction = NULL;
	slab_close(&transaction->slab);
	outbound_message_drop(&transaction->message);
	memory_give(transaction->recipients);
	buf_done(&transaction->text);
	config_drop(&transaction->config);
	memory_give(transaction);
}

void transaction_abandon(struct transaction *transaction)
{
	if (transaction->state == TRANSACTION_OPEN) {
		transaction_free(transaction);
		return;
	}
	/* One that is being scanned will never be submitted; and by the time its scanner answers, the journal may be closed. */
	unannounce(transaction);
	transaction->session->transaction = NULL;
	transaction->session = NULL;
}

/* Answer the final dot and be gone. */
static void answer(struct transaction *transaction, const struct smtp_reply *reply)
{
	struct session *session = transaction->session;

	if (session == NULL) {
		transaction_free(transaction);
		return;
	}
	histogram_add(HISTOGRAM_ACCEPT, clock_mono_us() - transaction->ended_us);
	if (reply->code < 400) {
		session->messages++;
		smtp_server_reply(&session->smtp, reply, &session->home->out);
	}
	transaction_free(transaction);
	session_go_on(session);
}

static void refuse(struct transaction *transaction, const struct smtp_reply *reply, const char *reason)
{
	struct session *session = transaction->session;

	counter_up(reply->code < 500 ? COUNT_MESSAGES_DEFERRED : COUNT_MESSAGES_REJECTED);
	if (session == NULL) {
		transaction_free(transaction);
		return;
	}
	session_refuse(session, reply, STAGE_MESSAGE, SLICE(""), reason);
	transaction_free(transaction);
	session_go_on(session);
}

static void log_accepted(const struct transaction *transaction)
{
	const struct acceptance         *acceptance = &transaction->acceptance;
	const struct envelope_recipient *first = &transaction->recipients[0];
	char                             peer[NET_ADDRESS_TEXT_MAX];
	struct buf                       id = buf_make(EVENT_ID_TEXT);

	if (!log_wanted(LOG_LEVEL_INFO))
		return;
	event_id_put(&id, transaction->id);
	log_info(LOG_EVENT("message.accepted"), LOG_TEXT("message", buf_slice(&id)), LOG_NUMBER("session", acceptance->session),
	         LOG_STR("direction", direction_word(transaction->direction)),
	         LOG_STR("peer", net_address_text(&acceptance->peer, peer)), LOG_TEXT("sender", transaction_sender(transaction)),
	         LOG_TEXT("recipient", span_text(transaction, first->address)), LOG_NUMBER("recipients", transaction->recipient_count),
	         LOG_NUMBER("bytes", acceptance->bytes), LOG_TEXT("message_id", span_text(transaction, acceptance->message_id)),
	         LOG_TEXT("verdict", acceptance->verdict), LOG_TEXT("reason", acceptance->reason));
	buf_done(&id);
}

/* The journal has it, and nobody behind us refused it: only now is it told and counted as accepted. */
static void answer_accepted(struct transaction *transaction)
{
	struct buf text = buf_make(64);

	log_accepted(transaction);
	counter_up(COUNT_MESSAGES_ACCEPTED);
	counter_add(COUNT_MESSAGE_BYTES, transaction->acceptance.bytes);
	if (transaction->acceptance.held)
		counter_up(COUNT_MESSAGES_HELD);
	buf_put_str(&text, "Ok: kept as ");
	event_id_put(&text, transaction->id);
	const struct smtp_reply reply = { .code = 250, .enhanced = { 2, 0, 0 }, .text = buf_slice(&text) };
	answer(transaction, &reply);
	buf_done(&text);
}

static const struct smtp_reply no_memory = { 452, { 4, 3, 1 }, SLICE_INIT("No memory for this message just now, come back later") };

/* ---- through: the next hop's own answer ---- */

static void through_done(struct loop_task *task)
{
	struct transaction      *transaction = LIST_OF(task, struct transaction, through.task);
	struct outbound_through *through = &transaction->through;

	if (through->result != THROUGH_REFUSED) {
		answer_accepted(transaction);
		return;
	}
	refuse(transaction, &through->reply, "next_hop");
}

/* ---- commit ---- */

/* On the loop again: the journal has answered. */
static void committed(struct loop_task *task)
{
	static const struct smtp_reply trouble = { 451, { 4, 3, 0 }, SLICE_INIT("The message could not be stored, send it again later") };
	static const struct smtp_reply full = { 452, { 4, 3, 1 }, SLICE_INIT("No room to store the message just now, come back later") };
	struct transaction *transaction = LIST_OF(task, struct transaction, committed);

	if (transaction->commit_rc == RC_NOMEM) {
		refuse(transaction, &full, "journal_full");
	} else if (transaction->commit_rc != RC_OK) {
		refuse(transaction, &trouble, "journal_failed");
	} else {
		answer_accepted(transaction);
	}
}

/* On the committer's thread: the message is ours, or it is not. */
static void journal_answered(struct journal_group *group, enum rc rc)
{
	struct transaction *transaction = LIST_OF(group, struct transaction, group);
	struct outbound    *outbound = transaction->home->gate->outbound;
	bool                through = false;

	transaction->commit_rc = rc;
	if (rc == RC_OK) {
		struct outbound_message *message = transaction->message;
		transaction->message = NULL;
		message->slab = transaction->slab;
		transaction->slab = NULL;
		message->body = group->items[0].place;
		message->message = group->items[1].place;
		message->after = group->after;
		through = message->through != NULL;
		outbound_accept(outbound, message); /* before the answer: who has it and asks finds the message in the queue */
	}
	/* Who waits wakes first; from then on the transaction is the loop's. */
	if (!through) /* else its own task answers the client */
		loop_post(transaction->home->loop, &transaction->committed);
	if (rc == RC_OK)
		outbound_wake(outbound);
}

/* The event has been composed into message->payload: write body and event as one group. */
static void commit(struct transaction *transaction)
{
	static const struct smtp_reply busy = { 452, { 4, 3, 1 }, SLICE_INIT("Too much is being stored just now, come back later") };

	transaction->pieces[0] = slab_bytes(transaction->slab);
	transaction->pieces[1] = buf_slice(&transaction->message->payload);
	transaction->items[0] = (struct journal_item){ .type = EVENT_BODY, .body = true, .digest = &transaction->body_digest,
		                                       .pieces = &transaction->pieces[0], .piece_count = 1 };
	transaction->items[1] = (struct journal_item){ .type = EVENT_MESSAGE, .pieces = &transaction->pieces[1], .piece_count = 1 };
	transaction->group = (struct journal_group){ .items = transaction->items, .item_count = 2, .urgency = JOURNAL_NOW,
		                                     .announced = transaction->announced, .answer = journal_answered };
	transaction->announced = false;
	transaction->committed.run = committed;
	transaction->state = TRANSACTION_COMMITTING;
	const enum rc rc = journal_writer_submit(transaction->home->gate->journal, &transaction->group);
	if (rc != RC_OK)
		refuse(transaction, &busy, "journal_busy");
}

/* ---- decide ---- */

static struct event_recipient *event_recipients(struct transaction *transaction, struct verdict *verdict, struct arena *arena)
{
	struct event_recipient *recipients = arena_take(arena, transaction->recipient_count, sizeof *recipients);

	for (uint32_t i = 0; recipients != NULL && i < transaction->recipient_count; i++) {
		const struct envelope_recipient *from = &transaction->recipients[i];
		recipients[i].address = span_text(transaction, from->address);
		recipients[i].original = span_text(transaction, from->original);
		recipients[i].notify = from->notify;
		verdict_recipient(verdict, (enum direction)from->direction, from->postmaster, &recipients[i]);
	}
	return recipients;
}

/* What verdict.c composes from: the transaction's side of an event. */
static void event_of(struct transaction *transaction, struct event_message *event, char peer[NET_ADDRESS_TEXT_MAX])
{
	const struct session *session = transaction->session;

	*event = (struct event_message){
		.id = transaction->id,
		.session = session->id,
		.received_ms = transaction->received_ms,
		.origin = ORIGIN_SMTP,
		.direction = transaction->direction,
		.flags = transaction->flags,
		.listener = session->listener->settings->name,
		.peer = slice_str(net_address_text(&session->peer, peer)),
		.peer_port = session->peer.port,
		.peer_name = session->peer_name,
		.helo = session->helo,
		.tls = session->tls,
		.account = session->account == NULL ? (struct slice){ NULL, 0 } : session->account->name,
		.sender = transaction_sender(transaction),
		.envelope_id = span_text(transaction, transaction->envelope_id),
		.body_size = slab_bytes(transaction->slab).len,
		.body_digest = transaction->body_digest,
		.settings = transaction->config->settings.digest,
	};
}

/* Who has authenticated writes in no other name (RFC 6409 section 6.1). */
static bool author_matters(const struct session *session)
{
	return session->account != NULL && session->config->settings.organisation->sender_must_match;
}

/*
 * The same for a message that is to pass without having been scanned. False: it is in another's name. In whose it is may be more than a
 * glance can tell: then it waits for a person like one that cannot be scanned.
 */
static bool author_at_a_glance(const struct transaction *transaction, const struct glance *glance, enum scan_state *state)
{
	const struct session *session = transaction->session;

	if (*state != SCAN_STATE_UNAVAILABLE || transaction->config->settings.policy.on_scan_failure != SCAN_FAILURE_PASS ||
	    !author_matters(session))
		return true;
	switch (glance->author) {
	case GLANCE_AUTHOR_NONE:
		return true;
	case GLANCE_AUTHOR_ONE:
		return account_may_send(session->account, glance->address);
	case GLANCE_AUTHOR_UNCLEAR:
		*state = SCAN_STATE_UNSCANNABLE;
		return true;
	}
	return false;
}

static void decide(struct transaction *transaction, enum scan_result result, const struct findings *findings, struct slice frame)
{
	static const struct smtp_reply other_author = { 550, { 5, 7, 1 }, SLICE_INIT("This account may not write with that From address") };
	struct gate_loop    *home = transaction->home;
	struct verdict       verdict;
	struct event_message event;
	struct smtp_reply    reply;
	char                 peer[NET_ADDRESS_TEXT_MAX];
	struct glance        glance = { .author = GLANCE_AUTHOR_NONE };
	enum scan_state      state = result == SCAN_RESULT_FINDINGS     ? SCAN_STATE_DONE
	                           : result == SCAN_RESULT_UNSCANNABLE ? SCAN_STATE_UNSCANNABLE
	                                                               : SCAN_STATE_UNAVAILABLE;

	arena_reset(&home->arena);
	event_of(transaction, &event, peer);
	if (findings == NULL)
		glance_read(slab_bytes(transaction->slab), transaction->job.options->limits.header_bytes, &glance);
	event.message_id = glance.message_id;
	if (findings == NULL ? !author_at_a_glance(transaction, &glance, &state)
	                     : author_matters(transaction->session) && !account_may_author(transaction->session->account, findings)) {
		refuse(transaction, &other_author, "author_not_allowed");
		return;
	}
	if (verdict_make(transaction->config, state, findings, transaction->job.options,
	                 slab_bytes(transaction->slab), &home->arena, &verdict) != RC_OK) {
		refuse(transaction, &no_memory, "memory");
		return;
	}
	event.findings = frame;
	struct event_recipient *recipients = event_recipients(transaction, &verdict, &home->arena);
	transaction->message = outbound_message_make();
	if (recipients == NULL || transaction->message == NULL) {
		refuse(transaction, &no_memory, "memory");
		return;
	}
	transaction->message->unchanged = smtp_server_unchanged(&transaction->session->smtp);
	event.recipients = recipients;
	event.recipient_count = transaction->recipient_count;
	if (verdict_refuses(&verdict, &reply)) {
		if (verdict_is_loop(&verdict))
			counter_up(COUNT_LOOPS);
		refuse(transaction, &reply, verdict_reason(&verdict));
		return;
	}
	if (verdict_compose(&verdict, &event, slab_bytes(transaction->slab), transaction->session->stream.tls != NULL,
	                    transaction->session->smtp.extended, &home->arena, &transaction->message->payload) != RC_OK) {
		refuse(transaction, &no_memory, "memory");
		return;
	}
	if (transaction->recipient_count == 1 && event.recipients[0].disposition == DISPOSITION_DELIVER &&
	    outbound_is_through(transaction->config->route_table, event.recipients[0].address)) {
		transaction->through = (struct outbound_through){ .home = home->loop, .task.run = through_done };
		transaction->message->through = &transaction->through;
	}
	/* Last, for the envelope's text moves when it grows. */
	transaction->acceptance = (struct acceptance){ .session = transaction->session->id, .peer = transaction->session->peer,
		                                       .message_id = put_span(transaction, event.message_id), .bytes = event.body_size,
		                                       .verdict = event.verdict, .reason = event.verdict_reason,
		                                       .held = verdict.worst.action == POLICY_HOLD || verdict.refused != 0 };
	commit(transaction);
}

static void scanned(struct scan_job *job, enum scan_result result, const struct findings *findings, struct slice frame)
{
	struct transaction *transaction = LIST_OF(job, struct transaction, job);

	if (transaction->session == NULL) {
		transaction_free(transaction);
		return;
	}
	if (transaction->exhausted) {
		refuse(transaction, &no_memory, "memory");
		return;
	}
	if (result == SCAN_RESULT_FINDINGS)
		counter_up(COUNT_SCANS);
	if (result == SCAN_RESULT_UNSCANNABLE)
		counter_up(COUNT_SCAN_UNSCANNABLE);
	decide(transaction, result, findings, frame);
}

/* What of a message is cut depends on where it goes: who gets our X-Spam-* shall see no others. Bounded by the recipients. */
static const struct scan_options *options_of(const struct transaction *transaction)
{
	const struct config *config = transaction->config;

	for (uint32_t i = 0; config->writes_spam && i < transaction->recipient_count; i++) {
		const struct slice  address = span_text(transaction, transaction->recipients[i].address);
		const struct route *route = route_of(config->route_table, address, SLICE(""));
		if (route != NULL && config_writes_spam(config, route->settings))
			return &config->scan_spam[transaction->direction];
	}
	return &config->scan[transaction->direction];
}

void transaction_finish(struct transaction *transaction)
{
	struct gate_loop *home = transaction->home;

	transaction->state = TRANSACTION_SCANNING;
	transaction->received_ms = (int64_t)clock_wall_ms();
	transaction->ended_us = clock_mono_us();
	journal_writer_expect(home->gate->journal, 1);
	transaction->announced = true;
	const enum rc archives = add_archives(transaction);
	transaction->job = (struct scan_job){ .id = transaction->id, .slab = transaction->slab, .options = options_of(transaction),
		                              .engine = &transaction->config->engine, .done = scanned };
	if (archives != RC_OK || slab_seal(transaction->slab) != RC_OK) {
		/* Both mean that something has run out. The answer may not come from in here, hence this way round. */
		transaction->exhausted = true;
		scan_fail(home->scan, &transaction->job);
		return;
	}
	scan_submit(home->scan, &transaction->job, transaction->config->settings.policy.deadline_ms);
	/* While the scanner reads: the digest that the journal's chain will cover. */
	const struct slice body = slab_bytes(transaction->slab);
	digest_of(&body, 1, &transaction->body_digest);
}
