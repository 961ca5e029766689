/*
 * See fold.h. Each record is applied in two steps: everything that can fail (reading, memory, names of destinations) first, then
 * the change, which cannot. So a record is applied whole or not at all.
 */
#include "queue/state.h"

#include "base/memory.h"
#include "base/must.h"

/* ---- open, close, counts ---- */

static void settings_check(const struct queue_settings *settings)
{
	must(settings->messages_max >= 1);
	must(settings->key != NULL);
	must(settings->hold_expire_ms >= 0);
}

enum rc queue_open(const struct queue_settings *settings, struct queue **out)
{
	struct queue *queue;

	settings_check(settings);
	queue = memory_take(1, sizeof(*queue));
	if (queue == NULL)
		return RC_NOMEM;
	if (arena_init(&queue->scratch, QUEUE_SCRATCH_BYTES) != RC_OK) {
		memory_give(queue);
		return RC_NOMEM;
	}
	queue->settings = *settings;
	queue->key = buf_make(QUEUE_KEY_MAX);
	list_init(&queue->entries);
	list_init(&queue->turn);
	list_init(&queue->expired);
	*out = queue;
	return RC_OK;
}

static void entry_give(struct queue_entry *entry)
{
	for (size_t i = 0; i < entry->recipient_count; i++)
		memory_give(entry->recipients[i].memo);
	memory_give(entry);
}

void queue_close(struct queue **queue)
{
	struct queue *gone = *queue;
	struct list *link;

	*queue = NULL;
	if (gone == NULL)
		return;
	while ((link = list_shift(&gone->entries)) != NULL)
		entry_give(LIST_OF(link, struct queue_entry, link));
	for (size_t i = 0; i < gone->destination_bucket_count; i++)
		while (gone->destination_buckets[i] != NULL) {
			struct queue_destination *destination = gone->destination_buckets[i];

			gone->destination_buckets[i] = destination->next;
			memory_give(destination);
		}
	memory_give(gone->destination_buckets);
	memory_give(gone->buckets);
	queue_heap_done(&gone->heap);
	arena_done(&gone->scratch);
	buf_done(&gone->key);
	memory_give(gone);
}

static uint64_t own_bytes(const struct queue *queue)
{
	return queue->memory_bytes + queue->bucket_count * sizeof(void *) + queue->destination_bucket_count * sizeof(void *) +
	       queue->heap.room * sizeof(void *);
}

/* What a message with so many recipients takes, addresses of a usual size counted in. */
#define ROOM_PER_RECIPIENT (sizeof(struct queue_recipient) + 64 + 8)

bool queue_room(const struct queue *queue, size_t recipient_count)
{
	uint64_t bytes = sizeof(struct queue_entry) + 96 + recipient_count * ROOM_PER_RECIPIENT;

	return queue->entry_count < queue->settings.messages_max && own_bytes(queue) + bytes <= queue->settings.memory_max;
}

void queue_count(const struct queue *queue, struct queue_counts *out)
{
	struct queue_counts counts = { .messages = queue->entry_count };

	for (size_t i = 0; i < QUEUE_STATE_COUNT; i++)
		counts.recipients[i] = queue->state_count[i];
	counts.ready = queue->ready_count;
	counts.destinations = queue->destination_count;
	counts.body_bytes = queue->body_bytes;
	counts.memory_bytes = own_bytes(queue);
	if (!list_empty(&queue->entries))
		counts.oldest_ms = (uint64_t)LIST_OF(queue->entries.next, struct queue_entry, link)->received_ms;
	*out = counts;
}

/* ---- the index by id ---- */

/* Ids are our own and rise: a multiplication spreads them well enough. */
static size_t bucket_of(const struct queue *queue, uint64_t id)
{
	return (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (queue->bucket_count - 1);
}

struct queue_entry *queue_find(const struct queue *queue, uint64_t id)
{
	struct queue_entry *entry;

	if (queue->bucket_count == 0)
		return NULL;
	entry = queue->buckets[bucket_of(queue, id)];
	while (entry != NULL && entry->id != id)
		entry = entry->next;
	return entry;
}

struct queue_entry *queue_first(const struct queue *queue)
{
	return list_empty(&queue->entries) ? NULL : LIST_OF(queue->entries.next, struct queue_entry, link);
}

struct queue_entry *queue_after(const struct queue *queue, const struct queue_entry *entry)
{
	return entry->link.next == &queue->entries ? NULL : LIST_OF(entry->link.next, struct queue_entry, link);
}

static enum rc buckets_grow(struct queue *queue)
{
	struct queue_entry **old = queue->buckets;
	size_t old_count = queue->bucket_count;
	size_t count = old_count == 0 ? 256 : old_count * 2;

	if (queue->entry_count < old_count)
		return RC_OK;

	struct queue_entry **buckets = memory_take(count, sizeof(struct queue_entry *));

	if (buckets == NULL)
		return old_count == 0 ? RC_NOMEM : RC_OK; /* longer chains for now */
	queue->buckets = buckets;
	queue->bucket_count = count;
	for (size_t i = 0; i < old_count; i++)
		for (struct queue_entry *entry = old[i], *next; entry != NULL; entry = next) {
			size_t bucket = bucket_of(queue, entry->id);

			next = entry->next;
			entry->next = buckets[bucket];
			buckets[bucket] = entry;
		}
	memory_give(old);
	return RC_OK;
}

/* ---- memos ---- */

static size_t memo_bytes(const struct queue_memo *memo)
{
	return sizeof(*memo) + memo->enhanced_size + memo->route_size + memo->host_size + memo->text_size;
}

void queue_memo_give(struct queue *queue, struct queue_memo **memo)
{
	if (*memo == NULL)
		return;
	queue->memory_bytes -= memo_bytes(*memo);
	memory_give(*memo);
	*memo = NULL;
}

struct queue_memo *queue_memo_make(struct queue *queue, uint32_t code, struct slice enhanced, struct slice route, struct slice host,
                                   struct slice text)
{
	const struct slice parts[] = { slice_take(enhanced, 15), slice_take(route, UINT8_MAX), slice_take(host, UINT8_MAX),
		                       slice_take(text, QUEUE_REASON_MAX) };
	size_t size = 0;
	struct queue_memo *memo;

	for (size_t i = 0; i < 4; i++)
		size += parts[i].len;
	memo = memory_take(1, sizeof(*memo) + size);
	if (memo == NULL)
		return NULL;
	memo->code = code <= 999 ? (uint16_t)code : 0;
	memo->enhanced_size = (uint8_t)parts[0].len;
	memo->route_size = (uint8_t)parts[1].len;
	memo->host_size = (uint8_t)parts[2].len;
	memo->text_size = (uint16_t)parts[3].len;
	size = 0;
	for (size_t i = 0; i < 4; i++) {
		if (parts[i].len != 0)
			memcpy(memo->bytes + size, parts[i].ptr, parts[i].len);
		size += parts[i].len;
	}
	queue->memory_bytes += memo_bytes(memo);
	return memo;
}

/* ---- entries ---- */

static size_t entry_bytes(const struct queue_entry *entry)
{
	const struct queue_recipient *last = &entry->recipients[entry->recipient_count - 1];

	return (size_t)(entry->text - (const uint8_t *)entry) + last->text + last->address_size + last->original_size;
}

void queue_set_sending(struct queue *queue, struct queue_recipient *recipient, bool sending)
{
	bool counted = !queue_entry_of(recipient)->ended;

	if (counted)
		queue->state_count[queue_recipient_state(recipient)]--;
	recipient->sending = sending;
	if (counted)
		queue->state_count[queue_recipient_state(recipient)]++;
}

void queue_set_state(struct queue *queue, struct queue_recipient *recipient, enum queue_state state)
{
	struct queue_entry *entry = queue_entry_of(recipient);

	must(state != QUEUE_SENDING && !queue_state_ends((enum queue_state)recipient->state));
	must(!entry->ended);
	queue->state_count[queue_recipient_state(recipient)]--;
	recipient->state = (uint8_t)state;
	queue->state_count[queue_recipient_state(recipient)]++;
	if (!queue_state_ends(state))
		return;

	struct queue_destination *destination = recipient->destination;

	recipient->destination = NULL;
	recipient->timer.at_ms = 0;
	queue_memo_give(queue, &recipient->memo);
	entry->open_count--;
	if (destination != NULL) {
		destination->recipient_count--;
		queue_destination_settle(queue, destination);
	}
}

void queue_entry_end(struct queue *queue, struct queue_entry *entry)
{
	struct queue_entry **at = &queue->buckets[bucket_of(queue, entry->id)];

	must(entry->open_count == 0);
	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	list_remove(&entry->link);
	queue->entry_count--;
	queue->body_bytes -= entry->body_size;
	queue->memory_bytes -= entry_bytes(entry);
	for (size_t i = 0; i < entry->recipient_count; i++)
		queue->state_count[queue_recipient_state(&entry->recipients[i])]--;
	queue_heap_release(&queue->heap, entry->recipient_count);
	entry->ended = true;
	entry->hot = NULL;
	if (entry->pin_count == 0)
		memory_give(entry);
}

static enum queue_state first_state(enum event_disposition disposition)
{
	switch (disposition) {
	case DISPOSITION_DELIVER:
		return QUEUE_DUE;
	case DISPOSITION_HOLD:
		return QUEUE_HELD;
	case DISPOSITION_DISCARD:
	case DISPOSITION_COUNT:
		break;
	}
	return QUEUE_DROPPED;
}

static bool message_fits(const struct event_message *message)
{
	if (message->recipient_count == 0 || message->recipient_count > EVENT_RECIPIENTS_MAX)
		return false;
	if (message->sender.len > EVENT_TEXT_MAX || message->envelope_id.len > EVENT_TEXT_MAX)
		return false;
	for (size_t i = 0; i < message->recipient_count; i++) {
		const struct event_recipient *recipient = &message->recipients[i];

		if (recipient->address.len == 0 || recipient->address.len > EVENT_TEXT_MAX ||
		    recipient->original.len > EVENT_TEXT_MAX || recipient->disposition >= DISPOSITION_COUNT)
			return false;
	}
	return true;
}

static struct queue_entry *entry_allocate(const struct event_message *message)
{
	size_t head = sizeof(struct queue_entry) + message->recipient_count * sizeof(struct queue_recipient);
	size_t text = message->sender.len + message->envelope_id.len;
	struct queue_entry *entry;

	for (size_t i = 0; i < message->recipient_count; i++)
		text += message->recipients[i].address.len + message->recipients[i].original.len;
	entry = memory_take(1, head + text);
	if (entry != NULL)
		entry->text = (uint8_t *)entry + head;
	return entry;
}

static void text_put(struct queue_entry *entry, size_t *at, struct slice text)
{
	if (text.len != 0)
		memcpy(entry->text + *at, text.ptr, text.len);
	*at += text.len;
}

static void entry_fill(struct queue_entry *entry, const struct event_message *message, const struct queue_place *place)
{
	size_t at = 0;

	entry->id = message->id;
	entry->place = *place;
	entry->received_ms = message->received_ms;
	entry->body_size = message->body_size;
	entry->parent = message->parent;
	entry->header_size = message->header_size;
	entry->flags = message->flags;
	entry->recipient_count = (uint32_t)message->recipient_count;
	entry->sender_size = (uint16_t)message->sender.len;
	entry->envelope_size = (uint16_t)message->envelope_id.len;
	entry->origin = (uint8_t)message->origin;
	entry->direction = (uint8_t)message->direction;
	text_put(entry, &at, message->sender);
	text_put(entry, &at, message->envelope_id);
	for (uint32_t i = 0; i < entry->recipient_count; i++) {
		const struct event_recipient *from = &message->recipients[i];
		struct queue_recipient *recipient = &entry->recipients[i];

		recipient->index = i;
		recipient->text = (uint32_t)at;
		recipient->address_size = (uint16_t)from->address.len;
		recipient->original_size = (uint16_t)from->original.len;
		recipient->notify = (uint8_t)from->notify;
		recipient->state = (uint8_t)first_state(from->disposition);
		recipient->quarantined = from->disposition == DISPOSITION_HOLD;
		recipient->timer.kind = QUEUE_TIMER_RECIPIENT;
		text_put(entry, &at, from->address);
		text_put(entry, &at, from->original);
	}
}

/* Destinations and memos of an entry that is not in the queue yet; on failure all are given back. */
static enum rc entry_bind(struct queue *queue, struct queue_entry *entry, const struct event_message *message)
{
	const struct slice none = { NULL, 0 };
	enum rc rc = RC_OK;
	uint32_t bound = 0;

	for (; bound < entry->recipient_count && rc == RC_OK; bound++) {
		struct queue_recipient *recipient = &entry->recipients[bound];

		if (queue_state_ends((enum queue_state)recipient->state))
			continue;
		rc = queue_destination_for(queue, queue_address(recipient), none, &recipient->destination);
		if (rc != RC_OK)
			break;
		recipient->destination->recipient_count++;
		if (message->recipients[bound].reason.len == 0)
			continue;
		recipient->memo = queue_memo_make(queue, 0, none, none, none, message->recipients[bound].reason);
		if (recipient->memo == NULL)
			rc = RC_NOMEM;
	}
	if (rc == RC_OK)
		return RC_OK;
	for (uint32_t i = 0; i < entry->recipient_count; i++) {
		struct queue_recipient *recipient = &entry->recipients[i];

		queue_memo_give(queue, &recipient->memo);
		if (recipient->destination == NULL)
			continue;
		recipient->destination->recipient_count--;
		queue_destination_settle(queue, recipient->destination);
	}
	return RC_NOMEM;
}

enum rc queue_entry_make(struct queue *queue, const struct event_message *message, const struct queue_place *place,
                         struct queue_entry **out)
{
	struct queue_entry *entry;

	if (!message_fits(message))
		return RC_SYNTAX;
	if (queue_find(queue, message->id) != NULL)
		return RC_EXISTS;
	if (buckets_grow(queue) != RC_OK)
		return RC_NOMEM;
	if (queue_heap_reserve(&queue->heap, message->recipient_count) != RC_OK)
		return RC_NOMEM;
	entry = entry_allocate(message);
	if (entry != NULL) {
		entry_fill(entry, message, place);
		if (entry_bind(queue, entry, message) != RC_OK) {
			memory_give(entry);
			entry = NULL;
		}
	}
	if (entry == NULL) {
		queue_heap_release(&queue->heap, message->recipient_count);
		return RC_NOMEM;
	}

	size_t bucket = bucket_of(queue, entry->id);

	entry->next = queue->buckets[bucket];
	queue->buckets[bucket] = entry;
	list_append(&queue->entries, &entry->link);
	queue->entry_count++;
	queue->body_bytes += entry->body_size;
	queue->memory_bytes += entry_bytes(entry);
	queue->last_id = entry->id > queue->last_id ? entry->id : queue->last_id;
	for (uint32_t i = 0; i < entry->recipient_count; i++) {
		queue->state_count[entry->recipients[i].state]++;
		if (!queue_state_ends((enum queue_state)entry->recipients[i].state))
			entry->open_count++;
	}
	*out = entry;
	return RC_OK;
}

/* ---- applying ---- */

/* Tell what came of it; takes the entry out when its last recipient has ended. */
static void change_end(struct queue *queue, struct queue_entry *entry, struct queue_change *change)
{
	*change = (struct queue_change){ .entry = entry, .message = entry->id, .place = entry->place };
	if (entry->open_count != 0)
		return;
	change->entry = NULL;
	change->ended = true;
	change->hot = entry->hot;
	queue_entry_end(queue, entry);
}

static void change_tell(struct queue_change *out, const struct queue_change *change)
{
	if (out != NULL)
		*out = *change;
}

enum rc queue_apply_message(struct queue *queue, const struct event_message *message, const struct queue_place *place,
                            struct queue_change *out)
{
	struct queue_entry *entry;
	struct queue_change change;
	enum rc rc = queue_entry_make(queue, message, place, &entry);

	if (rc != RC_OK)
		return rc;
	for (uint32_t i = 0; i < entry->recipient_count; i++)
		queue_place_recipient(queue, &entry->recipients[i], false);
	change_end(queue, entry, &change);
	change_tell(out, &change);
	return RC_OK;
}

/* The state that a result leads to, for a recipient in `now`. */
static enum queue_state result_state(enum event_result result, enum queue_state now)
{
	switch (result) {
	case RESULT_DELIVERED:
	case RESULT_RELAYED:
		return QUEUE_DELIVERED;
	case RESULT_FAILED:
	case RESULT_EXPIRED:
		return QUEUE_BOUNCED;
	case RESULT_DEFERRED:
		return now == QUEUE_HELD ? QUEUE_HELD : QUEUE_DEFERRED;
	case RESULT_UNCERTAIN:
		return now == QUEUE_HELD ? QUEUE_HELD : QUEUE_UNCERTAIN;
	case RESULT_HELD:
	case RESULT_COUNT:
		break;
	}
	return QUEUE_HELD;
}

static void outcome_one(struct queue *queue, struct queue_recipient *recipient, const struct event_outcome *outcome,
                        const struct event_recipient_result *result, struct queue_memo **memo)
{
	bool was_sending = recipient->sending;

	queue_unplace_recipient(queue, recipient);
	queue_set_sending(queue, recipient, false);
	if (!queue_state_ends((enum queue_state)recipient->state)) {
		enum queue_state state = result_state(result->result, (enum queue_state)recipient->state);

		recipient->tried_ms = outcome->attempt != 0 ? outcome->at_ms : recipient->tried_ms;
		if (outcome->attempt != 0 && recipient->attempts < UINT16_MAX)
			recipient->attempts++;
		if (outcome->notice != 0 && !event_result_ends(result->result))
			recipient->noticed = true;
		queue_memo_give(queue, &recipient->memo);
		recipient->memo = *memo;
		*memo = NULL;
		queue_set_state(queue, recipient, state);
		if (!queue_state_ends(state)) {
			recipient->timer.at_ms = result->next_ms;
			queue_place_recipient(queue, recipient, false);
		}
	}
	queue_memo_give(queue, memo);
	if (was_sending)
		queue_unpin(queue_entry_of(recipient));
}

/* The memos that the results will leave behind; NULL where a recipient ends. */
static enum rc outcome_memos(struct queue *queue, struct queue_entry *entry, const struct event_outcome *outcome, struct queue_memo **memos)
{
	for (size_t i = 0; i < outcome->result_count; i++) {
		const struct event_recipient_result *result = &outcome->results[i];
		const struct queue_recipient *recipient = &entry->recipients[result->recipient];

		memos[i] = NULL;
		if (event_result_ends(result->result))
			continue;
		memos[i] = queue_memo_make(queue, result->code, result->enhanced, queue_memo_route(recipient), outcome->host, result->text);
		if (memos[i] != NULL)
			continue;
		while (i-- != 0)
			queue_memo_give(queue, &memos[i]);
		return RC_NOMEM;
	}
	return RC_OK;
}

static enum rc outcome_apply(struct queue *queue, const struct event_outcome *outcome, struct queue_change *out)
{
	struct queue_entry *entry = queue_find(queue, outcome->message);
	struct queue_memo **memos;
	struct queue_change change;

	if (entry == NULL)
		return RC_NOTFOUND;
	for (size_t i = 0; i < outcome->result_count; i++)
		if (outcome->results[i].recipient >= entry->recipient_count || outcome->results[i].result >= RESULT_COUNT)
			return RC_SYNTAX;
	memos = arena_take(&queue->scratch, outcome->result_count + 1, sizeof(*memos));
	if (memos == NULL || outcome_memos(queue, entry, outcome, memos) != RC_OK)
		return RC_NOMEM;
	entry->pin_count++; /* so that it outlives its last recipient until change_end() */
	for (size_t i = 0; i < outcome->result_count; i++)
		outcome_one(queue, &entry->recipients[outcome->results[i].recipient], outcome, &outcome->results[i], &memos[i]);
	change_end(queue, entry, &change);
	queue_unpin(entry);
	change_tell(out, &change);
	return RC_OK;
}

enum rc queue_apply_outcome(struct queue *queue, const struct event_outcome *outcome, struct queue_change *out)
{
	arena_reset(&queue->scratch);
	return outcome_apply(queue, outcome, out);
}

/* What an act does to a recipient that has not ended; false: nothing. */
static bool act_state(enum event_verb verb, enum queue_state now, enum queue_state *out)
{
	switch (verb) {
	case VERB_RETRY:
	case VERB_REROUTE:
		*out = QUEUE_DUE;
		return now != QUEUE_HELD;
	case VERB_HOLD:
		*out = QUEUE_HELD;
		return now != QUEUE_HELD;
	case VERB_RELEASE:
		*out = QUEUE_DUE;
		return now == QUEUE_HELD;
	case VERB_DROP:
		*out = QUEUE_DROPPED;
		return true;
	case VERB_BOUNCE:
		*out = QUEUE_BOUNCED;
		return true;
	case VERB_COUNT:
		break;
	}
	return false;
}

/* What an act needs that may fail to come, for one recipient. */
struct act_need {
	struct queue_destination *destination;
	struct queue_memo        *memo;
};

static void need_give(struct queue *queue, struct act_need *need)
{
	queue_memo_give(queue, &need->memo);
	if (need->destination != NULL) {
		need->destination->recipient_count--;
		queue_destination_settle(queue, need->destination);
		need->destination = NULL;
	}
}

static enum rc need_take(struct queue *queue, const struct queue_recipient *recipient, const struct event_act *act, struct act_need *need)
{
	struct slice none = { NULL, 0 };

	if (queue_state_ends((enum queue_state)recipient->state))
		return RC_OK;
	if (act->verb == VERB_HOLD) {
		need->memo = queue_memo_make(queue, 0, none, queue_memo_route(recipient), none, act->reason);
		return need->memo == NULL ? RC_NOMEM : RC_OK;
	}
	if (act->verb != VERB_REROUTE)
		return RC_OK;
	need->memo = queue_memo_make(queue, queue_memo_code(recipient), queue_memo_enhanced(recipient), act->argument,
	                             queue_memo_host(recipient), queue_memo_text(recipient));
	if (need->memo == NULL)
		return RC_NOMEM;
	if (queue_destination_for(queue, queue_address(recipient), act->argument, &need->destination) != RC_OK)
		return RC_NOMEM;
	need->destination->recipient_count++;
	return RC_OK;
}

static void act_one(struct queue *queue, struct queue_recipient *recipient, const struct event_act *act, struct act_need *need)
{
	enum queue_state state;
	enum queue_state now = (enum queue_state)recipient->state;

	if (queue_state_ends(now))
		return;

	bool changes = act_state(act->verb, now, &state);

	if (!changes && act->verb != VERB_REROUTE)
		return;
	queue_unplace_recipient(queue, recipient);
	if (need->memo != NULL) {
		queue_memo_give(queue, &recipient->memo);
		recipient->memo = need->memo;
		need->memo = NULL;
	}
	if (need->destination != NULL) {
		struct queue_destination *old = recipient->destination;

		recipient->destination = need->destination;
		need->destination = NULL;
		old->recipient_count--;
		queue_destination_settle(queue, old);
	}
	if (changes)
		queue_set_state(queue, recipient, state);
	queue_place_recipient(queue, recipient, false);
}

static enum rc act_apply(struct queue *queue, const struct event_act *act, struct queue_change *out)
{
	struct queue_entry *entry = queue_find(queue, act->message);
	struct act_need *needs;
	struct queue_change change;
	uint32_t first = 0, last;
	enum rc rc = RC_OK;

	if (entry == NULL)
		return RC_NOTFOUND;
	last = entry->recipient_count;
	if (act->recipient != EVENT_ALL_RECIPIENTS) {
		if (act->recipient >= entry->recipient_count)
			return RC_SYNTAX;
		first = act->recipient;
		last = first + 1;
	}
	if (act->verb >= VERB_COUNT || act->argument.len > UINT8_MAX)
		return RC_SYNTAX;
	needs = arena_take(&queue->scratch, last - first, sizeof(*needs));
	if (needs == NULL)
		return RC_NOMEM;
	for (uint32_t i = first; i < last && rc == RC_OK; i++)
		rc = need_take(queue, &entry->recipients[i], act, &needs[i - first]);
	for (uint32_t i = first; i < last; i++) {
		if (rc == RC_OK)
			act_one(queue, &entry->recipients[i], act, &needs[i - first]);
		need_give(queue, &needs[i - first]);
	}
	if (rc != RC_OK)
		return rc;
	change_end(queue, entry, &change);
	change_tell(out, &change);
	return RC_OK;
}

enum rc queue_apply_act(struct queue *queue, const struct event_act *act, struct queue_change *out)
{
	arena_reset(&queue->scratch);
	return act_apply(queue, act, out);
}

static enum rc apply_message_record(struct queue *queue, const struct journal_record *record, struct queue_change *out)
{
	struct event_message message;
	struct queue_place place = { .body = queue->body, .message = record->place };
	enum rc rc = event_message_read(record->payload, &queue->scratch, &message);

	if (rc != RC_OK)
		return rc;
	if (place.body.position.seq == 0 || place.body.position.seq + 1 != record->place.position.seq)
		return RC_SYNTAX; /* a message without its body */
	return queue_apply_message(queue, &message, &place, out);
}

enum rc queue_apply(struct queue *queue, const struct journal_record *record, struct queue_change *out)
{
	struct event_outcome outcome;
	struct event_act act;
	enum rc rc;

	arena_reset(&queue->scratch);
	change_tell(out, &(struct queue_change){ .message = 0 });
	switch (record->type) {
	case EVENT_BODY:
		queue->body = record->place;
		return RC_OK;
	case EVENT_MESSAGE:
		return apply_message_record(queue, record, out);
	case EVENT_OUTCOME:
		rc = event_outcome_read(record->payload, &queue->scratch, &outcome);
		return rc != RC_OK ? rc : outcome_apply(queue, &outcome, out);
	case EVENT_ACT:
		rc = event_act_read(record->payload, &act);
		return rc != RC_OK ? rc : act_apply(queue, &act, out);
	default:
		return RC_OK;
	}
}

/* ---- new settings ---- */

enum rc queue_rekey(struct queue *queue, const struct queue_settings *settings)
{
	struct queue_settings old = queue->settings;
	size_t count = 0, bound = 0;
	struct queue_destination **fresh;
	enum rc rc = RC_OK;

	settings_check(settings);
	for (struct queue_entry *entry = queue_first(queue); entry != NULL; entry = queue_after(queue, entry))
		count += entry->recipient_count;
	fresh = memory_take(count + 1, sizeof(struct queue_destination *));
	if (fresh == NULL)
		return RC_NOMEM;
	queue->settings = *settings;
	queue->settings.seed = old.seed; /* the indexes are keyed already */
	for (struct queue_entry *entry = queue_first(queue); entry != NULL && rc == RC_OK; entry = queue_after(queue, entry))
		for (uint32_t i = 0; i < entry->recipient_count && rc == RC_OK; i++, bound++) {
			struct queue_recipient *recipient = &entry->recipients[i];

			if (recipient->destination == NULL)
				continue;
			rc = queue_destination_for(queue, queue_address(recipient), queue_memo_route(recipient), &fresh[bound]);
			if (rc == RC_OK)
				fresh[bound]->recipient_count++;
		}
	if (rc != RC_OK)
		queue->settings = old;
	bound = 0;
	for (struct queue_entry *entry = queue_first(queue); entry != NULL; entry = queue_after(queue, entry))
		for (uint32_t i = 0; i < entry->recipient_count && bound < count; i++, bound++) {
			struct queue_recipient *recipient = &entry->recipients[i];
			struct queue_destination *gone = rc == RC_OK ? recipient->destination : fresh[bound];
			bool ready = recipient->destination != NULL && list_linked(&recipient->link) && recipient->state != QUEUE_HELD;
			int64_t at_ms = recipient->timer.at_ms;

			if (gone == NULL)
				continue;
			if (rc == RC_OK) {
				queue_unplace_recipient(queue, recipient);
				recipient->destination = fresh[bound];
				if (ready && recipient->state != QUEUE_DUE)
					at_ms = at_ms == 0 ? 1 : at_ms; /* its moment has come: the next tick makes it ready */
				recipient->timer.at_ms = at_ms;
				queue_place_recipient(queue, recipient, false);
			}
			gone->recipient_count--;
			queue_destination_settle(queue, gone);
		}
	memory_give(fresh);
	return rc;
}
