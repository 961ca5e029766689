/*
 * A destination: the hosts that take its mail, found by the settings and DNS, how each of them fares, and what becomes of the mail when none answers.
 *
 * Health is shared by all messages (I-30): an address that failed rests; when every one has failed, the destination as a whole is left alone for a while and what was ready is put off.
 * Mail is bound to a connection only once that connection is ready for it, so a new connection after such a rest is at the same time the probe that asks whether the host is back.
 * While no mail is due, one is made for its own sake every [route] probe: EHLO, and QUIT when it has been idle. When it comes up, what was put off meanwhile is due at once.
 *
 * Sources: RFC 5321 section 5.1, RFC 7505, RFC 2782 (weights), I-9, I-19d, I-30, I-33.
 */
#include "deliver/outbound_inside.h"

#include "base/memory.h"
#include "base/must.h"
#include "net/acceptor.h"
#include "sys/log.h"

#define LINGER_MS          60000u
#define LOOKUP_ARENA_BYTES (24u << 10)
#define LOOKUP_KEEP_MIN_S  5u
#define REPROBE_MS         30000u
#define WANTS_STEPS_MAX    4096u

void trouble_set(struct trouble *trouble, enum retry_stage stage, struct retry_reply reply, struct slice host, struct slice text)
{
	*trouble = (struct trouble){ .stage = stage, .reply = reply };
	(void)slice_to_cstr(host, trouble->host, sizeof(trouble->host));
	(void)slice_to_cstr(text, trouble->text, sizeof(trouble->text));
}

/* ---- life ---- */

static void destination_free(struct destination *destination)
{
	list_remove(&destination->link);
	timer_stop(&destination->linger);
	timer_stop(&destination->probe);
	resolver_cancel(&destination->query);
	if (destination->queue != NULL) {
		destination->queue->owner = NULL;
		queue_destination_release(destination->outbound->queue, &destination->queue);
	}
	config_drop(&destination->config);
	arena_done(&destination->answer);
	memory_give(destination->known);
	memory_give(destination);
}

static bool is_needless(const struct destination *destination)
{
	if (destination->connection_count != 0 || !list_empty(&destination->through))
		return false;
	return destination->queue == NULL || (destination->queue->recipient_count == 0 && destination->failures == 0);
}

static void lingered(struct timer *timer)
{
	struct destination *destination = LIST_OF(timer, struct destination, linger);

	if (is_needless(destination))
		destination_free(destination);
	else if (destination->queue != NULL && destination->connection_count == 0 && destination->queue->recipient_count == 0)
		destination_free(destination); /* it failed, and nobody wants it any more */
	else
		loop_timer_set(destination->outbound->loop, timer, LINGER_MS);
}

void destination_settle(struct destination *destination)
{
	if (destination->queue == NULL && is_needless(destination)) {
		destination_free(destination);
		return;
	}
	if (!timer_is_set(&destination->linger))
		loop_timer_set(destination->outbound->loop, &destination->linger, LINGER_MS);
	if (destination->queue != NULL)
		destination_consider(destination);
}

static void looked_up(struct resolver_query *query, const struct resolver_answer *answer);
static void lookup_begin(struct destination *destination);
static bool has_room(const struct destination *destination);

/* A failed destination for which mail waits: is it back? What comes of it is told by destination_failed() or destination_target_good(). */
static void probe_fired(struct timer *timer)
{
	struct destination *destination = LIST_OF(timer, struct destination, probe);
	struct outbound *outbound = destination->outbound;

	if (destination->queue == NULL || destination->failures == 0 || destination->queue->recipient_count == 0 || outbound->draining)
		return;
	loop_timer_set(outbound->loop, timer, destination->route->settings->probe); /* whatever becomes of this one */
	if (destination->connection_count != 0 || destination->looking || !has_room(destination))
		return;
	if (loop_now_ms(outbound->loop) >= destination->known_until_ms)
		lookup_begin(destination);
	else
		connection_open(destination);
}

/* Which route and domain a queue's destination stands for: its key says it (route_key()). */
static void identify(struct destination *destination)
{
	struct slice key = queue_destination_key(destination->queue);
	struct slice domain = key;
	struct slice name = slice_until(&domain, '/');

	destination->route = route_by_name(destination->config->route_table, name);
	destination->domain_size = domain.len < sizeof(destination->domain) ? domain.len : 0;
	if (destination->domain_size != 0)
		memcpy(destination->domain, domain.ptr, destination->domain_size);
}

struct destination *destination_of(struct outbound *outbound, struct queue_destination *from)
{
	struct destination *destination = from->owner;

	if (destination != NULL)
		return destination;
	destination = memory_take(1, sizeof(*destination));
	if (destination == NULL)
		return NULL;
	if (queue_destination_use(outbound->queue, queue_destination_key(from), &destination->queue) != RC_OK) {
		memory_give(destination);
		return NULL;
	}
	from->owner = destination;
	destination->outbound = outbound;
	destination->config = config_hold(outbound->config);
	list_init(&destination->idle);
	list_init(&destination->busy);
	list_init(&destination->through);
	timer_init(&destination->linger, lingered);
	timer_init(&destination->probe, probe_fired);
	loop_timer_set(outbound->loop, &destination->linger, LINGER_MS);
	identify(destination);
	destination->window = retry_window_make(destination->route == NULL ? 1 : (uint32_t)destination->route->settings->connections_max);
	destination->query.done = looked_up;
	list_append(&outbound->destinations, &destination->link);
	return destination;
}

void destination_retire(struct destination *destination)
{
	struct list *next;

	while (!list_empty(&destination->through))
		waiter_answer(LIST_OF(destination->through.next, struct waiter, link), THROUGH_QUEUED);
	timer_stop(&destination->probe);
	resolver_cancel(&destination->query);
	destination->looking = false;
	if (destination->queue != NULL) {
		destination->queue->owner = NULL;
		destination->queue->shut = false;
		queue_destination_pause(destination->outbound->queue, destination->queue, 0);
		queue_destination_release(destination->outbound->queue, &destination->queue);
	}
	destination->connection_count++; /* so that its last connection does not take it along */
	for (struct list *at = destination->idle.next; at != &destination->idle; at = next) {
		next = at->next;
		connection_quit(LIST_OF(at, struct connection, link));
	}
	for (struct list *at = destination->busy.next; at != &destination->busy; at = next) {
		struct connection *connection = LIST_OF(at, struct connection, link);

		next = at->next;
		if (!connection->ready)
			connection_close(connection);
	}
	destination->connection_count--;
	destination_settle(destination);
}

/* ---- failing ---- */

static void put_off(struct destination *destination, struct queue_recipient **recipients, size_t count, const struct trouble *trouble)
{
	struct outbound *outbound = destination->outbound;
	struct attempt attempt = { .route = destination->route, .destination = queue_destination_key(destination->queue),
		                   .host = slice_str(trouble->host), .counted = true };
	struct settled one[64];
	enum retry_answer answer = retry_judge(trouble->stage, trouble->reply, false);

	if (answer == RETRY_NEXT_HOST || answer == RETRY_AGAIN_NOW)
		answer = RETRY_DEFER;
	for (size_t start = 0; start < count;) {
		size_t size = 0;

		attempt.entry = queue_entry_of(recipients[start]);
		while (start + size < count && size < 64 && queue_entry_of(recipients[start + size]) == attempt.entry) {
			queue_strand(recipients[start + size]);
			one[size] = (struct settled){ .recipient = recipients[start + size], .stage = trouble->stage, .answer = answer,
				                      .reply = trouble->reply, .text = slice_str(trouble->text) };
			size++;
		}
		outbound_results(outbound, &attempt, one, size);
		start += size;
	}
}

/*
 * Hosts that a route names are few, and ours to look after. The domains of everybody else whose mail systems are away may be thousands: they
 * are asked less and less often. 0: never.
 */
static uint64_t probe_pause_ms(const struct destination *destination, int64_t host_pause_ms)
{
	const uint64_t probe = destination->route == NULL ? 0 : destination->route->settings->probe;

	if (probe == 0 || destination->route->host_count != 0 || (uint64_t)host_pause_ms < probe)
		return probe;
	return (uint64_t)host_pause_ms;
}

void destination_failed(struct destination *destination, const struct trouble *trouble)
{
	struct outbound *outbound = destination->outbound;
	struct queue_recipient **recipients;
	int64_t pause_ms;
	uint64_t probe_ms;
	size_t count = 0;

	outbound_look_at_clock(outbound);
	pause_ms = retry_host_pause_ms(++destination->failures, (uint32_t)outbound_chance(outbound));
	probe_ms = probe_pause_ms(destination, pause_ms);
	destination->trouble = *trouble;
	if (destination->queue == NULL)
		return;
	if (destination->route == NULL)
		pause_ms = OUTBOUND_NO_ROUTE_MS;
	else if (destination->route->settings->probe != 0 && pause_ms > (int64_t)destination->route->settings->probe)
		pause_ms = (int64_t)destination->route->settings->probe;
	while (!list_empty(&destination->through))
		waiter_answer(LIST_OF(destination->through.next, struct waiter, link), THROUGH_QUEUED);
	log_info(LOG_EVENT("delivery.destination_failed"), LOG_TEXT("destination", queue_destination_key(destination->queue)),
	         LOG_STR("stage", retry_stage_word(trouble->stage)), LOG_STR("host", trouble->host), LOG_NUMBER("code", trouble->reply.code),
	         LOG_STR("text", trouble->text), LOG_NUMBER("ready", destination->queue->ready_count), LOG_NUMBER("pause_ms", pause_ms));
	recipients = memory_take(OUTBOUND_FAIL_MAX, sizeof(*recipients));
	if (recipients != NULL)
		count = queue_take_old(outbound->queue, destination->queue, INT64_MAX, false, OUTBOUND_FAIL_MAX, recipients);
	if (count != 0)
		put_off(destination, recipients, count, trouble);
	memory_give(recipients);
	queue_destination_pause(outbound->queue, destination->queue, outbound_wall_ms() + pause_ms);
	queue_destination_open(outbound->queue, destination->queue);
	if (probe_ms != 0)
		loop_timer_set(outbound->loop, &destination->probe, probe_ms);
	outbound_pump_soon(outbound);
}

void destination_target_failed(struct destination *destination, size_t target, const struct trouble *trouble)
{
	struct target *one = &destination->targets[target];
	uint64_t probe = destination->route->settings->probe;

	one->failures++;
	one->rest_until_ms = loop_now_ms(destination->outbound->loop) +
	                     (probe != 0 ? probe : (uint64_t)retry_host_pause_ms(one->failures, (uint32_t)outbound_chance(destination->outbound)));
	/* Whatever it was: fewer at once, so that a host that refuses new connections while old ones live is not asked without end. */
	retry_window_strain(&destination->window);
	destination->trouble = *trouble;
}

void destination_target_good(struct destination *destination, size_t target)
{
	if (target < destination->target_count) {
		destination->targets[target].failures = 0;
		destination->targets[target].rest_until_ms = 0;
	}
	if (destination->failures == 0)
		return;
	destination->failures = 0;
	if (destination->queue != NULL) {
		log_info(LOG_EVENT("delivery.destination_back"), LOG_TEXT("destination", queue_destination_key(destination->queue)));
		queue_destination_pause(destination->outbound->queue, destination->queue, 0);
		queue_destination_hasten(destination->outbound->queue, destination->queue);
		outbound_pump_soon(destination->outbound);
	}
}

/* ---- work ---- */

/* May it open one more connection? */
static bool has_room(const struct destination *destination)
{
	const struct outbound *outbound = destination->outbound;
	uint32_t limit = destination->failures != 0 ? 1 : destination->window.limit;

	return destination->connection_count < limit && outbound->connection_count < outbound->config->settings.queue->connections_max;
}

/* Messages ready that no connection under way will take. Recipients of one message stand next to each other and share a connection. */
static bool wants_more(const struct destination *destination)
{
	const struct queue_entry *last = NULL;
	uint32_t messages = 0, steps = WANTS_STEPS_MAX;

	for (struct list *at = destination->queue->ready.next; at != &destination->queue->ready && steps-- != 0; at = at->next) {
		const struct queue_entry *entry = queue_entry_of(LIST_OF(at, struct queue_recipient, link));

		messages += entry != last;
		last = entry;
		if (messages > destination->opening_count)
			return true;
	}
	return false;
}

void destination_consider(struct destination *destination)
{
	if (destination->queue == NULL || !destination->queue->shut || destination->looking)
		return;
	/* With nothing ready it may stand open: it is in nobody's way, and what becomes ready later finds it. */
	if (!list_empty(&destination->idle) || (has_room(destination) && (destination->queue->ready_count == 0 || wants_more(destination)))) {
		queue_destination_open(destination->outbound->queue, destination->queue);
		outbound_pump_soon(destination->outbound);
	}
}


void destination_work(struct destination *destination)
{
	struct outbound *outbound = destination->outbound;

	if (destination->route == NULL) {
		struct trouble trouble;

		trouble_set(&trouble, RETRY_STAGE_ROUTE, (struct retry_reply){ 0 }, SLICE(""), SLICE("no route leads to this domain"));
		destination_failed(destination, &trouble);
		return;
	}
	while (!list_empty(&destination->idle) && destination->queue->ready_count != 0) {
		struct connection *connection = LIST_OF(destination->idle.next, struct connection, link);

		list_remove(&connection->link);
		list_append(&destination->busy, &connection->link);
		connection_next(connection);
	}
	if (!destination->looking && has_room(destination) && wants_more(destination)) {
		if (loop_now_ms(outbound->loop) >= destination->known_until_ms)
			lookup_begin(destination);
		else
			connection_open(destination);
		if (!destination->looking && destination->queue != NULL && !destination->queue->paused && has_room(destination) &&
		    wants_more(destination))
			return; /* still in turn: one more in the next round */
	}
	/* Out of turn until a connection is free; one that is paused or has nothing ready is out of turn already. */
	if (destination->queue != NULL && !destination->queue->paused && destination->queue->ready_count != 0)
		queue_destination_shut(outbound->queue, destination->queue);
}

/* ---- order of hosts ---- */

struct slice destination_host_name(const struct destination *destination, size_t target)
{
	const struct looked_up *host = &destination->hosts[destination->targets[target].host];

	return slice_of(host->name, host->name_size);
}

size_t destination_order(struct destination *destination, uint16_t *order)
{
	uint16_t priorities[OUTBOUND_HOSTS_MAX], weights[OUTBOUND_HOSTS_MAX], hosts[OUTBOUND_HOSTS_MAX];
	uint64_t now_ms = loop_now_ms(destination->outbound->loop);
	size_t count = 0;

	for (size_t i = 0; i < destination->host_count; i++) {
		priorities[i] = destination->hosts[i].priority;
		weights[i] = destination->hosts[i].weight;
	}
	route_order(priorities, weights, destination->host_count, outbound_chance(destination->outbound), hosts);
	for (int resting = 0; resting < 2 && count == 0; resting++)
		for (size_t i = 0; i < destination->host_count; i++)
			for (size_t at = 0; at < destination->target_count; at++) {
				struct target *target = &destination->targets[at];

				if (target->host != hosts[i] || (resting == 0 && target->rest_until_ms > now_ms))
					continue;
				/* One connection asks whether a host that rested is back; the others leave it alone meanwhile. */
				if (target->failures != 0)
					target->rest_until_ms = now_ms + REPROBE_MS;
				order[count++] = (uint16_t)at;
			}
	return count;
}

/* ---- looking hosts up ---- */

static void lookup_next(struct destination *destination);

/* The look-up is over: there are targets, or the destination has failed. */
static void lookup_end(struct destination *destination, const struct trouble *trouble)
{
	struct outbound *outbound = destination->outbound;
	uint32_t keep_s = destination->ttl_s < LOOKUP_KEEP_MIN_S ? LOOKUP_KEEP_MIN_S : destination->ttl_s;

	destination->looking = false;
	if (destination->queue == NULL)
		return;
	queue_destination_open(outbound->queue, destination->queue);
	if (trouble != NULL) {
		destination->known_until_ms = 0;
		destination_failed(destination, trouble);
		return;
	}
	if (keep_s > OUTBOUND_LOOKUP_KEEP_MAX_S)
		keep_s = OUTBOUND_LOOKUP_KEEP_MAX_S;
	destination->known_until_ms = loop_now_ms(outbound->loop) + (uint64_t)keep_s * 1000;
	if (destination->failures != 0 && destination->route->settings->probe != 0) /* it was a probe that had to ask first */
		loop_timer_set(outbound->loop, &destination->probe, 1);
	outbound_pump_soon(outbound);
}

static void lookup_failed(struct destination *destination, struct retry_reply reply, struct slice text)
{
	struct trouble trouble;

	trouble_set(&trouble, RETRY_STAGE_ROUTE, reply, slice_of(destination->domain, destination->domain_size), text);
	lookup_end(destination, &trouble);
}

static void target_add(struct destination *destination, const struct net_address *address, size_t host)
{
	const struct route *route = destination->route;
	struct target *target;
	struct net_address full = *address;

	if (destination->target_count >= OUTBOUND_TARGETS_MAX || net_address_is_unusable(address))
		return;
	if (full.port == 0)
		full.port = destination->hosts[host].port;
	if ((route->settings->families == ROUTE_FAMILIES_IPV4 && full.family != NET_FAMILY_V4) ||
	    (route->settings->families == ROUTE_FAMILIES_IPV6 && full.family != NET_FAMILY_V6))
		return;
	target = &destination->targets[destination->target_count++];
	*target = (struct target){ .address = full, .host = (uint16_t)host };
	for (size_t i = 0; i < destination->known_count; i++)
		if (net_address_eq_port(&full, &destination->known[i].address)) {
			target->failures = destination->known[i].failures;
			target->rest_until_ms = destination->known[i].rest_until_ms;
		}
}

/*
 * The health of an address outlives the look-up that brought it: what is found again goes on as it stood. A look-up that brought nothing
 * changes nothing of that. Without memory they start afresh.
 */
static void health_remember(struct destination *destination)
{
	if (destination->target_count == 0)
		return;
	if (destination->known == NULL)
		destination->known = memory_take(OUTBOUND_TARGETS_MAX, sizeof(*destination->known));
	destination->known_count = destination->known == NULL ? 0 : destination->target_count;
	if (destination->known_count != 0)
		memcpy(destination->known, destination->targets, destination->known_count * sizeof(*destination->known));
}

static bool host_add(struct destination *destination, struct slice name, uint16_t port, uint16_t priority, uint16_t weight)
{
	struct looked_up *host;

	if (destination->host_count >= OUTBOUND_HOSTS_MAX || name.len == 0 || name.len > RESOLVER_NAME_MAX)
		return false;
	host = &destination->hosts[destination->host_count++];
	*host = (struct looked_up){ .name_size = (uint8_t)name.len, .port = port, .priority = priority, .weight = weight };
	memcpy(host->name, name.ptr, name.len);
	return true;
}

/* One of our own listeners, also one that listens on all addresses of this machine. */
static bool is_ourselves(const struct destination *destination, const struct net_address *address)
{
	const struct route_table *table = destination->config->route_table;

	return route_is_own(table, address) || (route_is_own_port(table, address) && net_is_here(address));
}

/*
 * RFC 5321 section 5.1: when we are among the hosts ourselves, those as far away as we are and farther are left out; when nobody is left, mail would
 * go in a circle (I-19d). False: nobody is left.
 */
static bool leave_out_ourselves(struct destination *destination)
{
	uint32_t own = UINT32_MAX;
	size_t kept = 0;

	for (size_t i = 0; i < destination->target_count; i++)
		if (is_ourselves(destination, &destination->targets[i].address)) {
			uint32_t priority = destination->hosts[destination->targets[i].host].priority;

			own = priority < own ? priority : own;
		}
	for (size_t i = 0; i < destination->target_count; i++)
		if (destination->hosts[destination->targets[i].host].priority < own)
			destination->targets[kept++] = destination->targets[i];
	destination->target_count = kept;
	return own == UINT32_MAX || kept != 0;
}

/* Ask the next question, or end. */
static void lookup_ask(struct destination *destination, enum resolver_type type, struct slice name)
{
	struct resolver_answer answer;
	enum rc rc;

	destination->asking = type;
	arena_reset(&destination->answer);
	destination->query = (struct resolver_query){ .done = looked_up, .arena = &destination->answer };
	rc = resolver_ask(destination->outbound->options.resolver, &destination->query, type, name, OUTBOUND_LOOKUP_MS, &answer);
	if (rc == RC_AGAIN)
		return;
	if (rc != RC_OK)
		answer = (struct resolver_answer){ .status = rc == RC_SYNTAX ? RESOLVER_NXDOMAIN : RESOLVER_FAILED, .type = type, .ttl_s = LOOKUP_KEEP_MIN_S };
	looked_up(&destination->query, &answer);
}

static void took_ttl(struct destination *destination, const struct resolver_answer *answer)
{
	if (answer->ttl_s < destination->ttl_s)
		destination->ttl_s = answer->ttl_s;
}

static void mx_came(struct destination *destination, const struct resolver_answer *answer)
{
	uint16_t port = (uint16_t)destination->route->settings->port;

	if (answer->status == RESOLVER_NXDOMAIN || answer->null_mx) {
		if (destination->host_count == 1) {
			lookup_failed(destination, answer->null_mx ? (struct retry_reply){ 556, 5, 1, 10 } : (struct retry_reply){ 550, 5, 1, 2 },
			              answer->null_mx ? SLICE("this domain takes no mail (null MX)") : SLICE("there is no such domain"));
			return;
		}
		destination->host_index++;
		lookup_next(destination);
		return;
	}
	if (answer->status != RESOLVER_OK && answer->status != RESOLVER_NODATA) {
		lookup_failed(destination, (struct retry_reply){ 451, 4, 4, 3 }, SLICE("the name servers gave no answer about this domain's MX"));
		return;
	}
	/* What was to be asked for makes room for what came: the last host slot moves here. */
	destination->hosts[destination->host_index].mx = false;
	if (answer->status == RESOLVER_OK) {
		destination->hosts[destination->host_index] = destination->hosts[--destination->host_count];
		for (size_t i = 0; i < answer->count; i++)
			if (!host_add(destination, answer->mx[i].host, port, answer->mx[i].preference, 1))
				break;
	} else {
		destination->hosts[destination->host_index].port = port; /* no MX: the domain itself (RFC 5321 section 5.1) */
	}
	lookup_next(destination);
}

static void addresses_came(struct destination *destination, const struct resolver_answer *answer)
{
	const struct looked_up *host = &destination->hosts[destination->host_index];

	if (answer->status == RESOLVER_OK)
		for (size_t i = 0; i < answer->count; i++)
			target_add(destination, &answer->addresses[i], destination->host_index);
	if (answer->type == RESOLVER_A && destination->route->settings->families != ROUTE_FAMILIES_IPV4) {
		lookup_ask(destination, RESOLVER_AAAA, slice_of(host->name, host->name_size));
		return;
	}
	destination->host_index++;
	lookup_next(destination);
}

static void looked_up(struct resolver_query *query, const struct resolver_answer *answer)
{
	struct destination *destination = LIST_OF(query, struct destination, query);

	took_ttl(destination, answer);
	if (destination->asking == RESOLVER_MX)
		mx_came(destination, answer);
	else
		addresses_came(destination, answer);
}

static void lookup_next(struct destination *destination)
{
	while (destination->host_index < destination->host_count && destination->hosts[destination->host_index].literal)
		destination->host_index++;
	if (destination->host_index < destination->host_count) {
		const struct looked_up *host = &destination->hosts[destination->host_index];
		struct slice name = slice_of(host->name, host->name_size);

		if (host->mx)
			lookup_ask(destination, RESOLVER_MX, name);
		else if (destination->route->settings->families == ROUTE_FAMILIES_IPV6)
			lookup_ask(destination, RESOLVER_AAAA, name);
		else
			lookup_ask(destination, RESOLVER_A, name);
		return;
	}
	if (!leave_out_ourselves(destination)) {
		log_error(LOG_EVENT("delivery.loop"), LOG_TEXT("domain", slice_of(destination->domain, destination->domain_size)),
		          LOG_STR("text", "the next hop is this gateway itself"));
		lookup_failed(destination, (struct retry_reply){ 554, 5, 4, 6 }, SLICE("mail for this domain would come back to this gateway"));
		return;
	}
	if (destination->target_count == 0) {
		lookup_failed(destination, (struct retry_reply){ 451, 4, 4, 4 }, SLICE("no address was found for any of the domain's hosts"));
		return;
	}
	lookup_end(destination, NULL);
}

/* "[192.0.2.1]" and "[IPv6:2001:db8::1]" (RFC 5321 section 4.1.3). */
static bool literal_read(struct slice domain, struct net_address *out)
{
	if (slice_at(domain, 0) != '[' || slice_last(domain) != ']')
		return false;
	domain = slice_take(slice_drop(domain, 1), domain.len - 2);
	if (slice_starts_nocase(domain, SLICE("IPv6:")))
		domain = slice_drop(domain, 5);
	return net_address_parse(domain, out) == RC_OK;
}

static void lookup_begin(struct destination *destination)
{
	const struct route *route = destination->route;
	struct slice domain = slice_of(destination->domain, destination->domain_size);
	struct net_address address;

	if (destination->answer.ptr == NULL && arena_init(&destination->answer, LOOKUP_ARENA_BYTES) != RC_OK) {
		lookup_failed(destination, (struct retry_reply){ 451, 4, 3, 0 }, SLICE("no memory just now"));
		return;
	}
	health_remember(destination);
	destination->looking = true;
	destination->host_count = 0;
	destination->host_index = 0;
	destination->target_count = 0;
	destination->ttl_s = OUTBOUND_LOOKUP_KEEP_MAX_S;
	for (size_t i = 0; i < route->host_count; i++) {
		const struct route_host *host = &route->hosts[i];

		if (!host_add(destination, host->name, host->port, host->priority, host->weight))
			continue;
		destination->hosts[destination->host_count - 1].mx = host->mx;
		if (host->address.family == NET_FAMILY_NONE)
			continue;
		destination->hosts[destination->host_count - 1].literal = true;
		target_add(destination, &host->address, destination->host_count - 1);
	}
	if (route->host_count == 0 && host_add(destination, domain, (uint16_t)route->settings->port, 0, 1)) {
		destination->hosts[0].mx = true;
		if (literal_read(domain, &address)) {
			destination->hosts[0].literal = true;
			target_add(destination, &address, 0);
		}
	}
	if (destination->host_count == 0) {
		lookup_failed(destination, (struct retry_reply){ 550, 5, 1, 2 }, SLICE("the recipient has no domain, and its route no host"));
		return;
	}
	lookup_next(destination);
}
