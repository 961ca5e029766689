/*
 * From answers to events: for each recipient the result, the moment of the next try, and who is told. The judgements are pure (queue/retry.h, queue/notice.h); here they meet the message, the clock and
 * the journal. A notice and the result it is about are one group of records: both are there after a crash, or neither.
 */
#include "deliver/outbound_inside.h"

#include "base/memory.h"
#include "base/must.h"
#include "sys/counters.h"
#include "sys/log.h"

#define ENHANCED_MAX 16u

/* One recipient's result with what hangs on it. */
struct line {
	struct event_recipient_result result;
	struct queue_recipient       *recipient;
	enum notice_answer            notice;
	enum notice_kind              kind;
	struct retry_reply            status; /* of which `enhanced` is the text */
	uint8_t                       enhanced_size;
	char                          enhanced[ENHANCED_MAX];
};

struct account {
	struct outbound      *outbound;
	const struct attempt *attempt;
	int64_t               now_ms;
	bool                  looked; /* `nature` is known */
	enum bounce_nature    nature;
	struct line          *lines;
	size_t                count;
};

static enum bounce_nature nature_of(struct account *account)
{
	if (!account->looked)
		account->nature = bounce_nature(account->outbound, account->attempt->entry);
	account->looked = true;
	return account->nature;
}

static enum notice_answer ask_notice(struct account *account, enum notice_kind kind, const struct queue_recipient *recipient)
{
	const struct queue_entry *entry = account->attempt->entry;
	const struct gate_queue_settings *settings = account->outbound->config->settings.queue;
	struct notice_question question = {
		.kind = kind,
		.notify = recipient->notify,
		.trusted = (entry->flags & EVENT_FLAG_TRUSTED) != 0,
		.null_sender = entry->sender_size == 0,
		.own_notice = entry->origin == ORIGIN_NOTICE && settings->postmaster.len != 0 &&
		              slice_eq_nocase(queue_address(recipient), settings->postmaster),
		.postmaster = settings->postmaster.len != 0,
		.enabled = settings->notices,
	};

	/* The header is read only where it can change the answer. */
	if (notice_judge(&question) == NOTICE_SEND) {
		question.automatic = nature_of(account) != BOUNCE_ORDINARY;
		question.report = nature_of(account) == BOUNCE_REPORT;
	}
	return notice_judge(&question);
}

static void line_enhanced(struct line *line, struct retry_reply status)
{
	struct buf text = buf_make(ENHANCED_MAX);

	buf_printf(&text, "%u.%u.%u", status.class, status.subject, status.detail);
	line->status = status;
	line->enhanced_size = (uint8_t)slice_to_cstr(buf_slice(&text), line->enhanced, sizeof(line->enhanced));
	line->result.enhanced = slice_of(line->enhanced, line->enhanced_size);
	buf_done(&text);
}

/* It is not to be tried again, and the sender may not be told: keep it for a person (I-27). */
static void line_fail(struct account *account, struct line *line, enum event_result result)
{
	line->result.result = result;
	line->result.next_ms = 0;
	line->kind = NOTICE_FAILED;
	line->notice = account->attempt->waiter != NULL ? NOTICE_NOBODY : ask_notice(account, NOTICE_FAILED, line->recipient);
	if (line->notice == NOTICE_HOLD)
		line->result.result = RESULT_HELD;
}

static void line_later(struct account *account, struct line *line, enum event_result result)
{
	const struct queue_entry *entry = account->attempt->entry;
	const struct retry_plan *plan = account->attempt->route != NULL ? &account->attempt->route->plan : &retry_plan_standard;

	if (retry_expired(plan, entry->received_ms, account->now_ms)) {
		line_fail(account, line, RESULT_EXPIRED);
		return;
	}
	line->result.result = result;
	line->result.next_ms = retry_next_ms(plan, line->recipient->attempts + (account->attempt->counted ? 1u : 0u), entry->received_ms,
	                                     account->now_ms, (uint32_t)outbound_chance(account->outbound));
	if (line->recipient->noticed || !retry_notice_due(plan, entry->received_ms, account->now_ms))
		return;
	line->kind = NOTICE_DELAYED;
	line->notice = ask_notice(account, NOTICE_DELAYED, line->recipient);
}

static void line_delivered(struct account *account, struct line *line)
{
	line->result.result = RESULT_DELIVERED;
	if (account->attempt->dsn || (line->recipient->notify & EVENT_NOTIFY_SUCCESS) == 0)
		return;
	line->result.result = RESULT_RELAYED;
	line->kind = NOTICE_RELAYED;
	line->notice = ask_notice(account, NOTICE_RELAYED, line->recipient);
}

static void line_make(struct account *account, const struct settled *settled)
{
	struct line *line = &account->lines[account->count++];

	*line = (struct line){ .recipient = settled->recipient, .notice = NOTICE_NOBODY };
	line->result.recipient = settled->recipient->index;
	line->result.code = settled->reply.code;
	line->result.text = settled->text;
	switch (settled->answer) {
	case RETRY_DELIVERED:
		line_delivered(account, line);
		break;
	case RETRY_BOUNCE:
		line_fail(account, line, RESULT_FAILED);
		break;
	case RETRY_UNCERTAIN:
		line_later(account, line, RESULT_UNCERTAIN);
		break;
	case RETRY_DEFER:
		line_later(account, line, RESULT_DEFERRED);
		break;
	case RETRY_NEXT_HOST:
	case RETRY_AGAIN_NOW:
	case RETRY_ANSWER_COUNT:
		must(false);
	}
	line_enhanced(line, retry_status(settled->stage, settled->reply,
	                                 event_result_ends(line->result.result) && line->kind == NOTICE_FAILED && settled->answer != RETRY_DELIVERED
	                                         ? RETRY_BOUNCE
	                                         : settled->answer));
}

/* ---- counting and telling ---- */

static void count_line(struct outbound *outbound, const struct line *line)
{
	switch (line->result.result) {
	case RESULT_DELIVERED:
	case RESULT_RELAYED:
		outbound->counts.delivered++;
		counter_up(COUNT_DELIVERED);
		break;
	case RESULT_DEFERRED:
		outbound->counts.deferred++;
		counter_up(COUNT_DELIVERY_DEFERRED);
		break;
	case RESULT_FAILED:
		outbound->counts.failed++;
		counter_up(COUNT_DELIVERY_FAILED);
		break;
	case RESULT_EXPIRED:
		outbound->counts.expired++;
		counter_up(COUNT_DELIVERY_EXPIRED);
		break;
	case RESULT_UNCERTAIN:
		outbound->counts.uncertain++;
		counter_up(COUNT_DELIVERY_UNCERTAIN);
		break;
	case RESULT_HELD: /* it failed like the others; only that nobody may be told */
		outbound->counts.held++;
		counter_up(COUNT_DELIVERY_FAILED);
		break;
	case RESULT_COUNT:
		break;
	}
}

static void log_line(const struct account *account, const struct line *line)
{
	struct buf id = buf_make(EVENT_ID_TEXT);

	if (!log_wanted(LOG_LEVEL_INFO))
		return;
	event_id_put(&id, account->attempt->entry->id);
	log_info(LOG_EVENT("delivery.result"), LOG_TEXT("message", buf_slice(&id)), LOG_TEXT("recipient", queue_address(line->recipient)),
	         LOG_STR("result", event_result_word(line->result.result)), LOG_TEXT("host", account->attempt->host),
	         LOG_TEXT("address", account->attempt->address), LOG_NUMBER("code", line->result.code),
	         LOG_TEXT("enhanced", line->result.enhanced), LOG_TEXT("text", line->result.text));
	buf_done(&id);
}

/* ---- writing ---- */

static void take_back(struct outbound *outbound, struct line *const *lines, size_t count)
{
	/* No memory for the record: as if it had not been tried. */
	for (size_t i = 0; i < count; i++)
		queue_untake(outbound->queue, lines[i]->recipient);
}

/* The notice that these lines ask for: its id, and its two records' payloads. */
static uint64_t make_notice(struct account *account, struct line *const *lines, size_t count, struct buf *body, struct buf *payload)
{
	struct bounce_recipient *about = memory_take(count, sizeof(*about));
	struct slice postmaster = { NULL, 0 };
	uint64_t id = 0;
	size_t told = 0;
	enum rc rc;

	if (about == NULL)
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (lines[i]->notice != NOTICE_SEND && lines[i]->notice != NOTICE_POSTMASTER)
			continue;
		if (lines[i]->notice == NOTICE_POSTMASTER)
			postmaster = account->outbound->config->settings.queue->postmaster;
		about[told++] = (struct bounce_recipient){ .recipient = lines[i]->recipient, .kind = lines[i]->kind,
			                                   .enhanced = lines[i]->result.enhanced, .code = lines[i]->result.code,
			                                   .text = lines[i]->result.text, .final = account->attempt->lmtp };
	}
	if (told != 0) {
		rc = bounce_make(account->outbound, account->attempt, about, told, postmaster, &id, body, payload);
		if (rc != RC_OK) {
			log_error(LOG_EVENT("delivery.notice"), LOG_NUMBER("message", account->attempt->entry->id), LOG_STR("rc", rc_word(rc)));
			id = 0;
		} else {
			account->outbound->counts.notices++;
			counter_up(COUNT_BOUNCES);
		}
	}
	memory_give(about);
	return id;
}

/* Told once it is durable. From here on its time cannot be up: a 250 now would be for a message that nobody has and no notice is about. */
static void batch_wait(struct batch *batch, struct waiter *waiter)
{
	timer_stop(&waiter->timer);
	list_append(&batch->waiters, &waiter->link);
}

/*
 * Is this the end of the message of somebody who waits? Then he is refused, and nobody else is told. The next hop's own words are there already
 * if it refused it; else it was decided here, or the last answer was "later" and its time is up.
 */
static bool is_refusal(const struct line *line, struct outbound_through *through)
{
	if (line->result.result != RESULT_FAILED && line->result.result != RESULT_EXPIRED)
		return false;
	if (through->reply.code >= 500)
		return true;
	/* A next hop's 521 is about its connection with us. */
	const bool         ours = line->result.code >= 550 && line->result.code <= 554;
	const struct slice text = slice_take(line->result.text, OUTBOUND_REPLY_TEXT_MAX);

	if (text.len != 0)
		memcpy(through->text, text.ptr, text.len);
	through->reply = (struct smtp_reply){ .code = ours ? (uint16_t)line->result.code : 554,
		                              .enhanced = { 5, line->status.subject, line->status.detail },
		                              .text = slice_of(through->text, text.len) };
	return true;
}

/* One EVENT_OUTCOME for `count` lines, with their notice before it. */
static void write_lines(struct account *account, struct line *const *lines, size_t count)
{
	struct outbound *outbound = account->outbound;
	const struct attempt *attempt = account->attempt;
	struct event_recipient_result *results = memory_take(count, sizeof(*results));
	struct buf outcome_bytes = buf_make(EVENT_PAYLOAD_MAX), body = buf_make(OUTBOUND_BATCH_BYTES), payload = buf_make(EVENT_PAYLOAD_MAX);
	struct record_item items[3];
	size_t item_count = 0;
	struct batch *batch = NULL;
	uint64_t notice = make_notice(account, lines, count, &body, &payload);
	struct event_outcome outcome = { .message = attempt->entry->id, .at_ms = account->now_ms,
		                         .attempt = attempt->counted ? lines[0]->recipient->attempts + 1u : 0, .destination = attempt->destination,
		                         .host = attempt->host, .address = attempt->address, .tls = attempt->tls, .notice = notice,
		                         .results = results, .result_count = count };
	bool urgent = attempt->waiter != NULL;

	for (size_t i = 0; results != NULL && i < count; i++)
		results[i] = lines[i]->result;
	if (results != NULL) {
		event_outcome_put(&outcome_bytes, &outcome);
		if (notice != 0) {
			items[item_count++] = (struct record_item){ EVENT_BODY, buf_slice(&body) };
			items[item_count++] = (struct record_item){ EVENT_MESSAGE, buf_slice(&payload) };
		}
		items[item_count++] = (struct record_item){ EVENT_OUTCOME, buf_slice(&outcome_bytes) };
		if (!outcome_bytes.failed)
			batch = outbound_record(outbound, items, item_count, urgent);
	}
	if (batch == NULL) {
		take_back(outbound, lines, count);
	} else {
		for (size_t i = 0; i < count; i++) {
			count_line(outbound, lines[i]);
			log_line(account, lines[i]);
		}
	}
	if (attempt->waiter != NULL) {
		if (batch != NULL && is_refusal(lines[0], attempt->waiter->through))
			batch_wait(batch, attempt->waiter);
		else
			waiter_answer(attempt->waiter,
			              lines[0]->result.result == RESULT_DELIVERED || lines[0]->result.result == RESULT_RELAYED ? THROUGH_DELIVERED
			                                                                                                 : THROUGH_QUEUED);
	}
	memory_give(results);
	buf_done(&outcome_bytes);
	buf_done(&body);
	buf_done(&payload);
}

void outbound_results(struct outbound *outbound, const struct attempt *attempt, const struct settled *settled, size_t count)
{
	outbound_look_at_clock(outbound);

	struct account account = { .outbound = outbound, .attempt = attempt, .now_ms = outbound_wall_ms() };
	struct line **chosen;
	size_t chosen_count = 0;

	account.lines = memory_take(count, sizeof(*account.lines));
	chosen = memory_take(count, sizeof(*chosen));
	for (size_t i = 0; i < count; i++) {
		if (outbound->closing || account.lines == NULL || chosen == NULL || settled[i].answer == RETRY_AGAIN_NOW || settled[i].answer == RETRY_NEXT_HOST) {
			queue_untake(outbound->queue, settled[i].recipient);
			continue;
		}
		line_make(&account, &settled[i]);
	}
	if (account.count == 0 && attempt->waiter != NULL)
		waiter_answer(attempt->waiter, THROUGH_QUEUED);
	/* Those whose sender hears of a delay stand in an event of their own: its notice speaks of all its recipients. */
	for (int delayed = 0; chosen != NULL && delayed < 2; delayed++) {
		chosen_count = 0;
		for (size_t i = 0; i < account.count; i++)
			if ((account.lines[i].kind == NOTICE_DELAYED && account.lines[i].notice == NOTICE_SEND) == (delayed == 1))
				chosen[chosen_count++] = &account.lines[i];
		if (chosen_count != 0)
			write_lines(&account, chosen, chosen_count);
	}
	memory_give(chosen);
	memory_give(account.lines);
	outbound_pump_soon(outbound);
}
