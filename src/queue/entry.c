/* See entry.h: reading an entry's parts. */
#include "queue/entry.h"

const char *queue_state_word(enum queue_state state)
{
	static const char *const words[QUEUE_STATE_COUNT] = {
		[QUEUE_DUE] = "due",             [QUEUE_SENDING] = "sending", [QUEUE_DEFERRED] = "deferred",
		[QUEUE_UNCERTAIN] = "uncertain", [QUEUE_HELD] = "held",       [QUEUE_DELIVERED] = "delivered",
		[QUEUE_BOUNCED] = "bounced",     [QUEUE_DROPPED] = "dropped",
	};

	return (unsigned)state < QUEUE_STATE_COUNT ? words[state] : "unknown";
}

struct slice queue_memo_enhanced(const struct queue_recipient *recipient)
{
	const struct queue_memo *memo = recipient->memo;

	return memo == NULL ? (struct slice){ NULL, 0 } : slice_of(memo->bytes, memo->enhanced_size);
}

struct slice queue_memo_route(const struct queue_recipient *recipient)
{
	const struct queue_memo *memo = recipient->memo;

	return memo == NULL ? (struct slice){ NULL, 0 } : slice_of(memo->bytes + memo->enhanced_size, memo->route_size);
}

struct slice queue_memo_host(const struct queue_recipient *recipient)
{
	const struct queue_memo *memo = recipient->memo;

	return memo == NULL ? (struct slice){ NULL, 0 }
	                    : slice_of(memo->bytes + memo->enhanced_size + memo->route_size, memo->host_size);
}

struct slice queue_memo_text(const struct queue_recipient *recipient)
{
	const struct queue_memo *memo = recipient->memo;

	return memo == NULL ? (struct slice){ NULL, 0 }
	                    : slice_of(memo->bytes + memo->enhanced_size + memo->route_size + memo->host_size, memo->text_size);
}

uint16_t queue_memo_code(const struct queue_recipient *recipient)
{
	return recipient->memo == NULL ? 0 : recipient->memo->code;
}

struct slice queue_domain(struct slice address)
{
	size_t at = slice_find_last(address, '@');

	return at == address.len ? (struct slice){ NULL, 0 } : slice_drop(address, at + 1);
}
