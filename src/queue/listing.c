/* See listing.h. */
#include "queue/listing.h"

#include "base/buf.h"
#include "base/num.h"
#include "queue/schedule.h"

static bool destination_matches(struct slice wanted, const struct queue_recipient *recipient)
{
	struct slice key;

	if (recipient->destination == NULL)
		return false;
	key = queue_destination_key(recipient->destination);
	if (slice_eq_nocase(key, wanted))
		return true;

	size_t slash = slice_find_last(key, '/');

	return slash != key.len && slice_eq_nocase(slice_drop(key, slash + 1), wanted);
}

static bool sender_matches(struct slice wanted, struct slice sender)
{
	if (slice_eq(wanted, SLICE("<>")))
		return sender.len == 0;
	if (slice_at(wanted, 0) == '@')
		return slice_eq_nocase(queue_domain(sender), slice_drop(wanted, 1));
	return slice_eq_nocase(sender, wanted);
}

static bool cause_matches(struct slice wanted, const struct queue_recipient *recipient)
{
	struct slice text = queue_memo_text(recipient);
	uint16_t code = queue_memo_code(recipient);
	uint64_t number;

	if (slice_eq(queue_memo_enhanced(recipient), wanted))
		return true;
	if (wanted.len <= 3 && code != 0 && num_u64(wanted, 999, &number) == RC_OK) {
		uint16_t start = wanted.len == 1 ? code / 100 : wanted.len == 2 ? code / 10 : code;

		if (number == start)
			return true;
	}
	return slice_search_nocase(text, wanted) != text.len || wanted.len == 0;
}

bool queue_filter_match(const struct queue_filter *filter, const struct queue_recipient *recipient, int64_t now_ms)
{
	const struct queue_entry *entry = queue_entry_of(recipient);
	int64_t age_ms = now_ms - entry->received_ms;
	enum queue_state state = queue_recipient_state(recipient);

	if (filter->id != 0 && filter->id != entry->id)
		return false;
	if (filter->states == 0 ? queue_state_ends(state) : (filter->states & 1u << state) == 0)
		return false;
	if (filter->quarantined && !(recipient->quarantined && state == QUEUE_HELD))
		return false;
	if ((filter->older_ms > 0 && age_ms < filter->older_ms) || (filter->younger_ms > 0 && age_ms > filter->younger_ms))
		return false;
	if (filter->destination.len != 0 && !destination_matches(filter->destination, recipient))
		return false;
	if (filter->domain.len != 0 && !slice_eq_nocase(queue_domain(queue_address(recipient)), filter->domain))
		return false;
	if (filter->recipient.len != 0 && !slice_eq_nocase(queue_address(recipient), filter->recipient))
		return false;
	if (filter->sender.len != 0 && !sender_matches(filter->sender, queue_sender(entry)))
		return false;
	return filter->cause.len == 0 || cause_matches(filter->cause, recipient);
}

/* Call `each` for the matching recipients of one message. */
static size_t list_one(const struct queue_entry *entry, const struct queue_filter *filter, int64_t now_ms,
                       void (*each)(void *context, const struct queue_recipient *recipient), void *context)
{
	size_t count = 0;

	for (uint32_t i = 0; i < entry->recipient_count; i++)
		if (queue_filter_match(filter, &entry->recipients[i], now_ms)) {
			each(context, &entry->recipients[i]);
			count++;
		}
	return count;
}

size_t queue_list(const struct queue *queue, const struct queue_filter *filter, int64_t now_ms, uint64_t after, size_t max,
                  void (*each)(void *context, const struct queue_recipient *recipient), void *context, uint64_t *ret_after)
{
	const struct queue_entry *entry = queue_first(queue);
	size_t count = 0;

	*ret_after = 0;
	if (filter->id != 0) {
		entry = queue_find(queue, filter->id);
		return entry == NULL || entry->place.message.position.seq <= after
		               ? 0
		               : list_one(entry, filter, now_ms, each, context);
	}
	for (; entry != NULL; entry = queue_after(queue, entry)) {
		if (entry->place.message.position.seq <= after)
			continue;
		if (count >= max)
			return count;
		count += list_one(entry, filter, now_ms, each, context);
		*ret_after = entry->place.message.position.seq;
	}
	*ret_after = 0;
	return count;
}
