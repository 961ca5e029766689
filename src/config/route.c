/* See route.h: reading routes, looking them up, ordering their hosts. */
#include "config/route.h"

#include "base/arena.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/must.h"
#include "base/num.h"
#include "mail/domain.h"
#include "queue/entry.h"

struct route_table {
	struct arena              arena;
	struct route             *routes;
	size_t                    count;
	const struct net_address *own;
	size_t                    own_count;
	struct map               *domains;  /* "example.cn" */
	struct map               *suffixes; /* ".example.cn" */
	struct map               *names;
	const struct route       *standard; /* "*", or NULL */
};

/* ---- reading ---- */

struct reading {
	const struct route_source *source;
	struct route_table        *table;
	struct route              *route;
	struct buf                *why;
};

/* "[route NAME] KEY: TEXT, found FOUND" */
static enum rc wrong(const struct reading *reading, enum rc rc, const char *key, const char *text, struct slice found)
{
	buf_put_str(reading->why, "[route ");
	buf_put(reading->why, reading->route->name);
	buf_put_str(reading->why, "] ");
	buf_put_str(reading->why, key);
	buf_put_str(reading->why, ": ");
	buf_put_str(reading->why, text);
	if (found.len != 0) {
		buf_put_str(reading->why, ", found ");
		buf_put(reading->why, found);
	}
	if (reading->source->ret_wrong != NULL)
		*reading->source->ret_wrong = (struct route_wrong){ reading->route->name, key, found };
	return rc;
}

static enum rc lower(struct arena *arena, struct slice text, struct slice *out)
{
	uint8_t *bytes = arena_bytes(arena, text.len);

	if (bytes == NULL)
		return RC_NOMEM;
	for (size_t i = 0; i < text.len; i++)
		bytes[i] = byte_lower(text.ptr[i]);
	*out = slice_of(bytes, text.len);
	return RC_OK;
}

/* "1m", "90s", "500ms" */
static bool duration(struct slice text, int64_t *out)
{
	static const struct {
		const char *suffix;
		uint64_t    ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
	uint64_t number;

	if (num_take(&text, 1000000, &number) != RC_OK)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (slice_eq(text, slice_str(units[i].suffix))) {
			*out = (int64_t)(number * units[i].ms);
			return *out > 0;
		}
	return false;
}

static enum rc read_plan(const struct reading *reading)
{
	const struct gate_route_settings *settings = reading->route->settings;
	struct retry_plan plan = {
		.slow_after_ms = (int64_t)settings->retry_slow_after,
		.slow_ms = (int64_t)settings->retry_slow,
		.delay_notice_ms = (int64_t)settings->delay_notice,
		.expire_ms = (int64_t)settings->expire,
		.jitter_percent = (uint32_t)settings->retry_jitter,
	};

	for (size_t i = 0; i < settings->retry.count && i < RETRY_STEPS_MAX; i++)
		if (!duration(slice_trim(settings->retry.items[i]), &plan.steps_ms[plan.step_count++]))
			return wrong(reading, RC_SYNTAX, "retry", "expected a duration such as 5m", settings->retry.items[i]);
	if (plan.step_count == 0 || plan.expire_ms <= 0)
		return wrong(reading, RC_SYNTAX, "retry", "expected at least one duration", (struct slice){ NULL, 0 });
	reading->route->plan = plan;
	return RC_OK;
}

static struct slice next_word(struct slice *rest)
{
	struct slice text = slice_trim(*rest);
	struct slice word = slice_until(&text, ' ');

	*rest = text;
	return word;
}

static enum rc read_host_name(const struct reading *reading, struct slice word, struct route_host *host)
{
	const struct slice whole = word;
	uint16_t port_standard = (uint16_t)reading->route->settings->port;

	host->port = port_standard;
	if (net_address_parse_port(word, port_standard, &host->address) == RC_OK) {
		host->port = host->address.port;
		if (net_address_is_unusable(&host->address))
			return wrong(reading, RC_SYNTAX, "hosts", "expected an address one can connect to", word);
		if (route_is_own(reading->table, &host->address))
			return wrong(reading, RC_CONFLICT, "hosts", "expected another host: this is one of our own listeners, so the mail would go round", word);
		return arena_copy(&reading->table->arena, word, &host->name);
	}
	host->address = (struct net_address){ .family = NET_FAMILY_NONE };
	if (slice_starts_nocase(word, SLICE("mx:"))) {
		host->mx = true;
		word = slice_drop(word, 3);
	}

	struct slice name = word;
	size_t colon = slice_find_last(word, ':');
	uint64_t port;

	if (colon != word.len) {
		name = slice_take(word, colon);
		if (host->mx)
			return wrong(reading, RC_SYNTAX, "hosts", "expected mx:name without a port", whole);
		if (num_u64(slice_drop(word, colon + 1), 65535, &port) != RC_OK || port == 0)
			return wrong(reading, RC_SYNTAX, "hosts", "expected a port from 1 to 65535 behind the colon", word);
		host->port = (uint16_t)port;
	}
	if (domain_check(name, false) != RC_OK)
		return wrong(reading, RC_SYNTAX, "hosts", "expected host, host:port, mx:name or an address", word);
	return lower(&reading->table->arena, name, &host->name);
}

static enum rc read_host(const struct reading *reading, struct slice item, struct route_host *host)
{
	struct slice rest = item;
	enum rc rc;

	*host = (struct route_host){ .priority = 10, .weight = 1 };
	rc = read_host_name(reading, next_word(&rest), host);
	while (rc == RC_OK && rest.len != 0) {
		const struct slice word = next_word(&rest);
		struct slice value = word;
		const struct slice key = slice_until(&value, '=');
		uint16_t *number = slice_eq(key, SLICE("priority")) ? &host->priority : slice_eq(key, SLICE("weight")) ? &host->weight : NULL;
		uint64_t read;

		if (number == NULL)
			rc = wrong(reading, RC_SYNTAX, "hosts", "expected priority=N or weight=N, and a comma before another host", word);
		else if (num_u64(value, 65535, &read) != RC_OK)
			rc = wrong(reading, RC_SYNTAX, "hosts", "expected a number from 0 to 65535 behind the equals sign", word);
		else
			*number = (uint16_t)read;
	}
	return rc;
}

static enum rc read_hosts(const struct reading *reading)
{
	const struct setting_list *list = &reading->route->settings->hosts;
	struct route_host *hosts = NULL;

	if (list->count != 0) {
		hosts = arena_take(&reading->table->arena, list->count, sizeof(*hosts));
		if (hosts == NULL)
			return RC_NOMEM;
	}
	for (size_t i = 0; i < list->count; i++) {
		enum rc rc = read_host(reading, list->items[i], &hosts[i]);

		if (rc != RC_OK)
			return rc;
	}
	reading->route->hosts = hosts;
	reading->route->host_count = list->count;
	return RC_OK;
}

static enum rc read_sources(const struct reading *reading)
{
	const struct setting_list *list = &reading->route->settings->source;

	for (size_t i = 0; i < list->count; i++) {
		struct net_address address;

		if (net_address_parse(slice_trim(list->items[i]), &address) != RC_OK)
			return wrong(reading, RC_SYNTAX, "source", "expected an address", list->items[i]);

		struct net_address *to = address.family == NET_FAMILY_V4 ? &reading->route->source_v4 : &reading->route->source_v6;

		if (to->family != NET_FAMILY_NONE)
			return wrong(reading, RC_SYNTAX, "source", "expected at most one IPv4 and one IPv6 address", list->items[i]);
		*to = address;
	}
	return RC_OK;
}

static enum rc read_tls(const struct reading *reading)
{
	static const enum tls_level levels[ROUTE_TLS_COUNT] = {
		[ROUTE_TLS_NONE] = TLS_LEVEL_OPPORTUNISTIC,
		[ROUTE_TLS_OPPORTUNISTIC] = TLS_LEVEL_OPPORTUNISTIC,
		[ROUTE_TLS_REQUIRE] = TLS_LEVEL_REQUIRE,
		[ROUTE_TLS_VERIFY] = TLS_LEVEL_VERIFY,
	};
	const struct route_source *source = reading->source;
	const struct gate_route_settings *settings = reading->route->settings;
	struct slice none = { NULL, 0 };
	struct tls_client_settings client = { .level = levels[settings->tls], .authorities = source->authorities, .minimum = source->tls_minimum };
	struct tls_pair pair;
	struct fault fault = { 0 };
	enum rc rc;

	if (settings->tls == ROUTE_TLS_NONE)
		return settings->user.len != 0 ? wrong(reading, RC_CONFLICT, "user", "expected another tls than none: a password is sent over TLS only", none)
		                               : RC_OK;
	if (settings->tls == ROUTE_TLS_VERIFY && source->authorities == NULL)
		return wrong(reading, RC_CONFLICT, "tls", "expected [tls] ca_file: verify needs to know who may sign", none);
	for (size_t i = 0; i < reading->route->host_count; i++)
		if (settings->tls == ROUTE_TLS_VERIFY && settings->tls_names.count == 0 && reading->route->hosts[i].address.family != NET_FAMILY_NONE)
			return wrong(reading, RC_CONFLICT, "tls_names", "expected names: verify needs them when a host is written as an address",
			             settings->hosts.items[i]);
	if (settings->tls_names.count > TLS_CLIENT_NAMES_MAX)
		return wrong(reading, RC_SYNTAX, "tls_names", "expected fewer names", none);
	reading->route->tls_names = settings->tls_names.items;
	reading->route->tls_name_count = settings->tls_names.count;
	if (settings->certificate.len != 0) {
		if (source->certificate == NULL || !source->certificate(source->context, settings->certificate, &pair))
			return wrong(reading, RC_SYNTAX, "certificate", "expected the name of a [certificate] section", settings->certificate);
		client.pair = &pair;
	}
	rc = tls_client_open(&client, &reading->route->tls, &fault);
	return rc == RC_OK ? RC_OK : wrong(reading, rc, "tls", fault.text == NULL ? "the TLS library refused" : fault.text, none);
}

static enum rc read_domain(const struct reading *reading, struct slice text)
{
	struct route_table *table = reading->table;
	struct buf name = buf_make(DOMAIN_BYTES_MAX + 1);
	struct slice rest = slice_trim(text);
	bool suffix = slice_at(rest, 0) == '.';
	enum rc rc;

	if (slice_eq(rest, SLICE("*"))) {
		if (table->standard != NULL)
			return wrong(reading, RC_CONFLICT, "domains", "expected a domain that stands in no other route, nor here twice", text);
		table->standard = reading->route;
		return RC_OK;
	}
	if (suffix) {
		buf_put_byte(&name, '.');
		rest = slice_drop(rest, 1);
	}
	if (domain_ascii(rest, &name) != RC_OK) {
		buf_done(&name);
		return wrong(reading, RC_SYNTAX, "domains", "expected a domain, .domain or *", text);
	}
	rc = map_add(suffix ? table->suffixes : table->domains, buf_slice(&name), reading->route);
	buf_done(&name);
	return rc == RC_EXISTS ? wrong(reading, RC_CONFLICT, "domains", "expected a domain that stands in no other route, nor here twice", text) : rc;
}

static enum rc read_route(const struct reading *reading)
{
	const struct gate_route_settings *settings = reading->route->settings;
	enum rc rc = map_add(reading->table->names, settings->name, reading->route);

	if (rc == RC_EXISTS)
		return wrong(reading, RC_CONFLICT, "name", "expected another name: there is such a section already", settings->name);
	if (settings->name.len == 0 || slice_find(settings->name, '/') != settings->name.len)
		return wrong(reading, RC_SYNTAX, "name", "expected a name without a slash", settings->name);
	reading->route->through_wait_ms = settings->through_wait < ROUTE_THROUGH_WAIT_MAX_MS ? settings->through_wait : ROUTE_THROUGH_WAIT_MAX_MS;
	reading->route->helo = settings->helo.len != 0 ? settings->helo : reading->source->hostname;
	for (size_t i = 0; i < settings->domains.count && rc == RC_OK; i++)
		rc = read_domain(reading, settings->domains.items[i]);
	if (rc == RC_OK)
		rc = read_hosts(reading);
	if (rc == RC_OK)
		rc = read_sources(reading);
	if (rc == RC_OK)
		rc = read_plan(reading);
	return rc == RC_OK ? read_tls(reading) : rc;
}

/* A host takes its struct, its name twice, and alignment. */
#define ARENA_PER_HOST (sizeof(struct route_host) + 2 * DOMAIN_BYTES_MAX + 64)

static enum rc table_open(const struct route_source *source, struct route_table **out)
{
	struct route_table *table = memory_take(1, sizeof(*table));
	size_t hosts = 0, domains = 1;

	if (table == NULL)
		return RC_NOMEM;
	for (size_t i = 0; i < source->count; i++) {
		hosts += source->routes[i].hosts.count;
		domains += source->routes[i].domains.count;
	}
	*out = table;
	table->own = source->own;
	table->own_count = source->own_count;
	table->count = source->count;
	if (arena_init(&table->arena, source->count * (sizeof(struct route) + 64) + hosts * ARENA_PER_HOST + 1024) != RC_OK ||
	    map_open(domains, source->seed, &table->domains) != RC_OK || map_open(domains, source->seed, &table->suffixes) != RC_OK ||
	    map_open(source->count + 1, source->seed, &table->names) != RC_OK)
		return RC_NOMEM;
	table->routes = arena_take(&table->arena, source->count + 1, sizeof(struct route));
	return table->routes == NULL ? RC_NOMEM : RC_OK;
}

enum rc route_table_make(const struct route_source *source, struct buf *why, struct route_table **out)
{
	struct route_table *table = NULL;
	enum rc rc = table_open(source, &table);

	for (size_t i = 0; i < source->count && rc == RC_OK; i++) {
		struct reading reading = { source, table, &table->routes[i], why };

		table->routes[i] = (struct route){ .settings = &source->routes[i], .name = source->routes[i].name, .index = (uint32_t)i };
		rc = read_route(&reading);
	}
	if (rc != RC_OK) {
		route_table_close(&table);
		return rc;
	}
	*out = table;
	return RC_OK;
}

void route_table_close(struct route_table **table)
{
	struct route_table *gone = *table;

	*table = NULL;
	if (gone == NULL)
		return;
	for (size_t i = 0; gone->routes != NULL && i < gone->count; i++)
		tls_context_close(&gone->routes[i].tls);
	map_close(&gone->domains);
	map_close(&gone->suffixes);
	map_close(&gone->names);
	arena_done(&gone->arena);
	memory_give(gone);
}

/* ---- looking up ---- */

const struct route *route_for_domain(const struct route_table *table, struct slice domain)
{
	uint8_t bytes[DOMAIN_BYTES_MAX + 1];
	struct buf ascii = buf_make(DOMAIN_BYTES_MAX);
	struct slice name;
	const struct route *route = NULL;
	bool plain = domain.len <= DOMAIN_BYTES_MAX;

	for (size_t i = 0; plain && i < domain.len; i++) {
		bytes[i + 1] = byte_lower(domain.ptr[i]);
		plain = domain.ptr[i] < 0x80;
	}
	if (plain) {
		name = slice_of(bytes + 1, domain.len);
	} else if (domain_ascii(domain, &ascii) == RC_OK) {
		memcpy(bytes + 1, ascii.ptr, ascii.len);
		name = slice_of(bytes + 1, ascii.len);
	} else {
		name = (struct slice){ NULL, 0 };
	}
	buf_done(&ascii);
	if (name.len != 0 && bytes[1] != '[') {
		route = map_get(table->domains, name);
		/* Each parent with its dot: ".b.c" then ".c" for "a.b.c". At most 127 labels. */
		while (route == NULL && map_count(table->suffixes) != 0 && name.len != 0) {
			size_t dot = slice_find(name, '.');

			name = slice_drop(name, dot);
			if (name.len == 0)
				break;
			route = map_get(table->suffixes, name);
			name = slice_drop(name, 1);
		}
	}
	return route != NULL ? route : table->standard;
}

const struct route *route_by_name(const struct route_table *table, struct slice name)
{
	return name.len == 0 ? NULL : map_get(table->names, name);
}

size_t route_count(const struct route_table *table)
{
	return table->count;
}

const struct route *route_at(const struct route_table *table, size_t index)
{
	must(index < table->count);
	return &table->routes[index];
}

const struct route *route_of(const struct route_table *table, struct slice address, struct slice moved)
{
	const struct route *route = route_by_name(table, moved);

	return route != NULL ? route : route_for_domain(table, queue_domain(address));
}

static void put_domain(struct slice domain, struct buf *out)
{
	size_t start = out->len;

	if (domain_ascii(domain, out) == RC_OK)
		return;
	buf_truncate(out, start);
	domain = slice_take(domain, DOMAIN_BYTES_MAX);
	for (size_t i = 0; i < domain.len; i++)
		buf_put_byte(out, byte_lower(domain.ptr[i]));
}

void route_key(const struct route_table *table, struct slice address, struct slice moved, struct buf *out)
{
	const struct route *route = route_of(table, address, moved);

	if (route != NULL)
		buf_put(out, slice_take(route->name, 200));
	else
		buf_put_byte(out, '-');
	buf_put_byte(out, '/');
	if (route == NULL || route->host_count == 0)
		put_domain(queue_domain(address), out);
}

bool route_is_own(const struct route_table *table, const struct net_address *address)
{
	for (size_t i = 0; i < table->own_count; i++) {
		const struct net_address *own = &table->own[i];

		if (own->port != address->port)
			continue;
		if (net_address_eq(own, address))
			return true;
		if (own->family == address->family && net_address_is_any(own) && net_address_is_loopback(address))
			return true;
	}
	return false;
}

bool route_is_own_port(const struct route_table *table, const struct net_address *address)
{
	for (size_t i = 0; i < table->own_count; i++)
		if (table->own[i].port == address->port && table->own[i].family == address->family && net_address_is_any(&table->own[i]))
			return true;
	return false;
}

/* ---- order ---- */

/* Xorshift: a stream of numbers from one chance, for shuffling only. */
static uint64_t shuffle_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* One of the `left` indexes in `order`, by weight. */
static size_t pick(const uint16_t *weights, const uint16_t *order, size_t left, uint64_t chance)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < left; i++)
		sum += weights[order[i]];
	if (sum == 0)
		return (size_t)(chance % left);
	chance %= sum;
	for (size_t i = 0; i < left; i++) {
		if (chance < weights[order[i]])
			return i;
		chance -= weights[order[i]];
	}
	return 0;
}

void route_order(const uint16_t *priorities, const uint16_t *weights, size_t count, uint64_t chance, uint16_t *order)
{
	uint64_t state = chance | 1;

	must(count <= ROUTE_ORDER_MAX);
	for (size_t i = 0; i < count; i++) { /* by priority, in the order given: insertion, the lists are short */
		size_t at = i;

		while (at != 0 && priorities[order[at - 1]] > priorities[i]) {
			order[at] = order[at - 1];
			at--;
		}
		order[at] = (uint16_t)i;
	}
	for (size_t start = 0; start < count;) {
		size_t end = start + 1;

		while (end < count && priorities[order[end]] == priorities[order[start]])
			end++;
		for (; start < end; start++) {
			size_t chosen = start + pick(weights, order + start, end - start, shuffle_next(&state));
			uint16_t kept = order[chosen];

			order[chosen] = order[start];
			order[start] = kept;
		}
	}
}
