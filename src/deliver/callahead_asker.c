/* A connection of call-ahead: finds a host of the route, says EHLO, and asks MAIL and RCPT for one address after the other. Never DATA. */
#include "deliver/callahead_inside.h"

#include "base/memory.h"
#include "base/must.h"
#include "net/acceptor.h"
#include "sys/log.h"

#define ARENA_BYTES (8u << 10)
#define LINE_MAX    (8u << 10)
#define LOOKUP_MS   10000u

static const struct stream_limits limits = { .window = SMTP_REPLY_BYTES_MAX, .out_max = 16u << 10 };

static void try_next(struct asker *asker);

static void asker_free(struct asker *asker)
{
	struct verifier *verifier = asker->verifier;

	stream_close(&asker->stream);
	timer_stop(&asker->timer);
	resolver_cancel(&asker->query);
	list_remove(&asker->link);
	verifier->asker_count--;
	arena_done(&asker->arena);
	buf_done(&asker->line);
	memory_give(asker);
}

void asker_close(struct asker *asker)
{
	struct question *question = asker->question;

	if (question != NULL)
		question_answer(question, CALLAHEAD_UNKNOWN);
	asker_free(asker);
}

/* The connection is over; whoever waits is asked for by another one, or the mail system is away. */
static void asker_ended(struct asker *asker)
{
	struct verifier *verifier = asker->verifier;
	struct question *question = asker->question;
	bool was_ready = asker->ready;

	asker->question = NULL;
	if (!was_ready && !asker->quitting) {
		stream_close(&asker->stream);
		try_next(asker);
		return;
	}
	if (question != NULL) {
		question->asker = NULL;
		question_answer(question, CALLAHEAD_UNKNOWN);
	}
	asker_free(asker);
	verifier_work(verifier);
}

static void send_line(struct asker *asker)
{
	if (asker->line.failed || (asker->line.len != 0 && stream_send(&asker->stream, buf_slice(&asker->line)) != RC_OK))
		log_debug(LOG_EVENT("callahead.unsent"));
	buf_clear(&asker->line);
}

static void set_timer(struct asker *asker)
{
	bool idle = asker->ready && asker->question == NULL;

	loop_timer_set(asker->verifier->owner->loop, &asker->timer,
	               idle ? CALLAHEAD_IDLE_MS : asker->verifier->config->settings.callahead->timeout);
}

static void timed_out(struct timer *timer)
{
	struct asker *asker = LIST_OF(timer, struct asker, timer);

	if (asker->ready && asker->question == NULL && !asker->quitting) {
		asker->quitting = true;
		smtp_client_quit(&asker->client, &asker->line);
		send_line(asker);
		set_timer(asker);
		return;
	}
	stream_close(&asker->stream);
	asker_ended(asker);
}

void asker_next(struct asker *asker)
{
	struct verifier *verifier = asker->verifier;
	struct question *question;

	while ((question = verifier_next(verifier)) != NULL) {
		asker->recipient = (struct smtp_client_recipient){ .address = slice_of(question->address, question->address_size) };
		asker->envelope = (struct smtp_client_envelope){ .sender = verifier->config->settings.callahead->sender,
			                                         .recipients = &asker->recipient, .count = 1, .no_data = true };
		asker->result = CALLAHEAD_UNKNOWN;
		if (smtp_client_start(&asker->client, &asker->envelope, &asker->line) == RC_OK) {
			asker->question = question;
			question->asker = asker;
			break;
		}
		question_answer(question, CALLAHEAD_UNKNOWN);
	}
	send_line(asker);
	set_timer(asker);
}

/* Only a 5xx to RCPT says no (I-23). */
static void take_answer(struct asker *asker, const struct smtp_client_event *event)
{
	if (event->accepted)
		asker->result = CALLAHEAD_YES;
	else if (event->reply.lines != 0 && event->reply.code >= 500 && event->reply.code < 560)
		asker->result = CALLAHEAD_NO;
}

static bool take_event(struct asker *asker, const struct smtp_client_event *event)
{
	struct question *question = asker->question;

	switch (event->kind) {
	case SMTP_CLIENT_READY:
		asker->ready = true;
		asker_next(asker);
		return true;
	case SMTP_CLIENT_RECIPIENT:
		take_answer(asker, event);
		return true;
	case SMTP_CLIENT_DONE:
		asker->question = NULL;
		if (question != NULL) {
			question->asker = NULL;
			question_answer(question, asker->result);
			verifier_work(asker->verifier); /* after a probe there may be work for more connections */
		}
		if (asker->question == NULL)
			asker_next(asker);
		return true;
	case SMTP_CLIENT_STARTTLS: {
		const struct route *route = asker->verifier->route;
		struct tls_client_names names = { .names = route->tls_names, .names_count = route->tls_name_count };

		return route->tls != NULL && stream_start_tls_client(&asker->stream, route->tls, &names) == RC_OK;
	}
	case SMTP_CLIENT_SENDER:
	case SMTP_CLIENT_RESULT:
	case SMTP_CLIENT_REFUSED:
		return true;
	case SMTP_CLIENT_CLOSING:
	case SMTP_CLIENT_BROKEN:
	case SMTP_CLIENT_BODY:
	case SMTP_CLIENT_NONE:
	case SMTP_CLIENT_COUNT:
		break;
	}
	return false;
}

static size_t on_data(struct stream *stream, struct slice data)
{
	struct asker *asker = LIST_OF(stream, struct asker, stream);
	struct slice input = data;
	struct smtp_client_event event;

	while (smtp_client_feed(&asker->client, &input, &asker->line, &event) != SMTP_CLIENT_NONE) {
		send_line(asker);
		if (!take_event(asker, &event)) {
			stream_close(&asker->stream);
			asker_ended(asker);
			return data.len - input.len;
		}
		send_line(asker);
	}
	send_line(asker);
	set_timer(asker);
	return data.len - input.len;
}

static void on_end(struct stream *stream)
{
	struct asker *asker = LIST_OF(stream, struct asker, stream);

	stream_close(stream);
	asker_ended(asker);
}

static void on_secure(struct stream *stream)
{
	struct asker *asker = LIST_OF(stream, struct asker, stream);

	smtp_client_tls_started(&asker->client, &asker->line);
	send_line(asker);
	set_timer(asker);
}

static void on_closed(struct stream *stream, const struct fault *fault)
{
	(void)fault;
	asker_ended(LIST_OF(stream, struct asker, stream));
}

static const struct stream_handlers handlers = { .on_data = on_data, .on_end = on_end, .on_secure = on_secure, .on_closed = on_closed };

/* ---- finding a host ---- */

static void session_set(struct asker *asker)
{
	static const enum smtp_client_tls levels[ROUTE_TLS_COUNT] = {
		[ROUTE_TLS_NONE] = SMTP_CLIENT_TLS_NEVER,
		[ROUTE_TLS_OPPORTUNISTIC] = SMTP_CLIENT_TLS_NEVER, /* nothing secret is said, and no plain-text second try is needed */
		[ROUTE_TLS_REQUIRE] = SMTP_CLIENT_TLS_REQUIRED,
		[ROUTE_TLS_VERIFY] = SMTP_CLIENT_TLS_REQUIRED,
	};
	const struct route *route = asker->verifier->route;

	asker->session = (struct smtp_client_config){ .host = route->helo, .tls = levels[route->settings->tls],
		                                      .lmtp = route->settings->protocol == ROUTE_LMTP, .pipelining = false,
		                                      .user = route->settings->user, .password = route->settings->password };
	smtp_client_init(&asker->client, &asker->session);
}

static bool connect_one(struct asker *asker)
{
	const struct route *route = asker->verifier->route;

	while (asker->target_next < asker->target_count) {
		const struct net_address *address = &asker->targets[asker->target_next++];
		const struct net_address *source = address->family == NET_FAMILY_V4 ? &route->source_v4 : &route->source_v6;
		struct fault fault;

		session_set(asker);
		if (stream_connect(&asker->stream, asker->verifier->owner->loop, address, source->family == NET_FAMILY_NONE ? NULL : source, &limits,
		                   &handlers, &fault) == RC_OK) {
			set_timer(asker);
			return true;
		}
	}
	return false;
}

static void exchanger_add(struct asker *asker, struct slice name)
{
	if (asker->exchanger_count == CALLAHEAD_EXCHANGERS_MAX || name.len == 0 || name.len > RESOLVER_NAME_MAX)
		return;
	struct exchanger *one = &asker->exchangers[asker->exchanger_count++];
	memcpy(one->name, name.ptr, name.len);
	one->name_size = (uint8_t)name.len;
}

static struct slice exchanger_name(const struct asker *asker)
{
	const struct exchanger *one = &asker->exchangers[asker->exchanger_next];

	return slice_of(one->name, one->name_size);
}

/*
 * The addresses of a name. When we are among the hosts of an MX ourselves, those as far away as we are and farther are left out (RFC 5321
 * section 5.1): asking ourselves would go in a circle.
 */
static void take_addresses(struct asker *asker, const struct resolver_answer *answer)
{
	const struct route_table *table = asker->verifier->config->route_table;

	for (size_t i = 0; answer->status == RESOLVER_OK && i < answer->count && asker->target_count < CALLAHEAD_TARGETS_MAX; i++) {
		struct net_address *target = &asker->targets[asker->target_count];

		*target = answer->addresses[i];
		target->port = asker->port;
		if (asker->by_mx && (route_is_own(table, target) || (route_is_own_port(table, target) && net_is_here(target)))) {
			asker->exchanger_count = 0;
			asker->exchanger_next = 0;
			asker->target_count = 0;
			return;
		}
		if (!net_address_is_unusable(target))
			asker->target_count++;
	}
}

/* RFC 5321 section 5.1, RFC 7505: what comes takes the name's place; without an MX it is the name itself. */
static void take_mx(struct asker *asker, const struct resolver_answer *answer)
{
	const bool itself = answer->status == RESOLVER_NODATA && !answer->null_mx;

	asker->by_mx = true;
	if (itself)
		return;
	asker->exchanger_count = 0;
	for (size_t i = 0; answer->status == RESOLVER_OK && !answer->null_mx && i < answer->count; i++)
		exchanger_add(asker, answer->mx[i].host);
}

static void ask(struct asker *asker, enum resolver_type type);

static void answer_came(struct resolver_query *query, const struct resolver_answer *answer)
{
	struct asker *asker = LIST_OF(query, struct asker, query);
	const uint32_t families = asker->verifier->route->settings->families;

	if (asker->asking == RESOLVER_MX) {
		take_mx(asker, answer);
		try_next(asker);
		return;
	}
	take_addresses(asker, answer);
	if (asker->asking == RESOLVER_A && families == ROUTE_FAMILIES_ANY && asker->exchanger_next < asker->exchanger_count) {
		ask(asker, RESOLVER_AAAA);
		return;
	}
	if (asker->exchanger_next < asker->exchanger_count)
		asker->exchanger_next++;
	try_next(asker);
}

/* About the name that is next. */
static void ask(struct asker *asker, enum resolver_type type)
{
	struct resolver_answer answer;
	enum rc rc;

	asker->asking = type;
	arena_reset(&asker->arena);
	asker->query = (struct resolver_query){ .done = answer_came, .arena = &asker->arena };
	rc = resolver_ask(asker->verifier->owner->options.resolver, &asker->query, type, exchanger_name(asker), LOOKUP_MS, &answer);
	if (rc == RC_AGAIN) {
		set_timer(asker);
		return;
	}
	if (rc != RC_OK)
		answer = (struct resolver_answer){ .status = RESOLVER_FAILED };
	answer_came(&asker->query, &answer);
}

/* The host whose turn it is: its address, its name, or the name whose MX is asked for. False: none is left. */
static bool next_host(struct asker *asker, bool *ret_mx)
{
	const struct route *route = asker->verifier->route;

	asker->target_count = 0;
	asker->target_next = 0;
	asker->exchanger_count = 0;
	asker->exchanger_next = 0;
	asker->by_mx = false;
	if (asker->order_next >= route->host_count)
		return false;
	const struct route_host *host = &route->hosts[asker->order[asker->order_next++]];
	*ret_mx = host->mx;
	asker->port = host->mx || host->port == 0 ? (uint16_t)route->settings->port : host->port;
	if (host->address.family != NET_FAMILY_NONE)
		asker->targets[asker->target_count++] = host->address;
	else
		exchanger_add(asker, host->name);
	return true;
}

/* The next address, the next name's addresses, or the next host; with none left the mail system is away. */
static void try_next(struct asker *asker)
{
	struct verifier *verifier = asker->verifier;
	const bool only_ipv6 = verifier->route->settings->families == ROUTE_FAMILIES_IPV6;
	bool mx = false;

	while (verifier->dead_until_ms != UINT64_MAX) {
		if (connect_one(asker))
			return;
		asker->target_count = 0;
		asker->target_next = 0;
		if (asker->exchanger_next < asker->exchanger_count) {
			ask(asker, only_ipv6 ? RESOLVER_AAAA : RESOLVER_A);
			return;
		}
		if (!next_host(asker, &mx))
			break;
		if (mx) {
			ask(asker, RESOLVER_MX);
			return;
		}
	}
	asker_free(asker);
	if (verifier->asker_count == 0)
		verifier_failed(verifier);
}

enum rc asker_open(struct verifier *verifier)
{
	const struct route *route = verifier->route;
	struct asker *asker = memory_take(1, sizeof(*asker));
	uint16_t priorities[ROUTE_HOSTS_MAX], weights[ROUTE_HOSTS_MAX];

	if (asker == NULL)
		return RC_NOMEM;
	if (arena_init(&asker->arena, ARENA_BYTES) != RC_OK) {
		memory_give(asker);
		return RC_NOMEM;
	}
	asker->verifier = verifier;
	asker->line = buf_make(LINE_MAX);
	timer_init(&asker->timer, timed_out);
	for (size_t i = 0; i < route->host_count; i++) {
		priorities[i] = route->hosts[i].priority;
		weights[i] = route->hosts[i].weight;
	}
	route_order(priorities, weights, route->host_count, verifier->owner->chance, asker->order);
	list_append(&verifier->askers, &asker->link);
	verifier->asker_count++;
	try_next(asker);
	return RC_OK;
}
