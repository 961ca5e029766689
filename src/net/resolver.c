/*
 * Questions and answers through libunbound. A question is one node from the moment it is first asked: it flies
 * (libunbound has it), then it is known (cached) until its time is over or its place is needed.
 *
 * Threads: libunbound's own thread asks the network; its answers are taken on the home loop (core_ready), packed
 * there and posted to the loop that asked. The core's lock guards whether a flying question still has a resolver to
 * go back to.
 */
#include "net/resolver.h"

#include "base/map.h"
#include "base/memory.h"
#include "base/must.h"
#include "net/resolver_answer.h"
#include "sys/random.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unbound.h>

#define CLASS_IN 1

#define CACHE_BYTES_MIN (1u << 20)
#define CACHE_BYTES_MAX (1u << 30)
#define ENTRIES_MIN     16u
#define ENTRIES_MAX     65536u

struct resolver_core {
	struct ub_ctx    *unbound;
	struct loop      *home;
	struct loop_watch watch;
	atomic_uint       under_way;
	atomic_uint       resolvers;
	pthread_mutex_t   lock;
	struct list       orphans; /* questions that fly for a resolver that is gone; the lock guards it */
};

struct question {
	struct loop_task        task; /* brings the answer home */
	struct list             bucket;
	struct list             age;     /* known ones, the oldest use first; flying ones: in `flying` */
	struct list             queries; /* who waits */
	struct resolver_core   *core;
	struct resolver        *resolver; /* NULL: nobody wants it any more */
	struct resolver_packed *packed;   /* NULL while it flies for the first time, or when memory ran out */
	struct resolver_packed *arrived;  /* on its way home */
	uint64_t                until_ms; /* of the loop's clock: not known any more */
	enum resolver_type      type;
	bool                    flies;
	bool                    held; /* its answer is being handed out: stay */
	uint8_t                 size;
	char name[]; /* lower case, with a final dot and a NUL for libunbound; `size` counts neither */
};

struct resolver {
	struct resolver_core  *core;
	struct loop           *loop;
	uint64_t               seed;
	size_t                 under_way_max;
	size_t                 entries_max;
	size_t                 mask; /* buckets - 1 */
	struct list           *buckets;
	struct list            known; /* by age */
	struct list            flying;
	bool                   closing; /* the core's lock guards it */
	struct resolver_counts counts;
};

/* ---- the core ---- */

struct option {
	const char *name, *value;
};

static enum rc unbound_rc(int error)
{
	return error == UB_NOMEM ? RC_NOMEM : error == UB_SYNTAX || error == UB_INITFAIL ? RC_SYNTAX : RC_IO;
}

static int set_options(struct ub_ctx *unbound, const struct resolver_settings *settings)
{
	struct buf number = buf_make(32);
	int        error = 0;
	char       message_bytes[32], record_bytes[32], source[NET_ADDRESS_TEXT_MAX];

	buf_put_u64(&number, settings->cache_bytes / 3);
	(void)slice_to_cstr(buf_slice(&number), message_bytes, sizeof message_bytes);
	buf_clear(&number);
	buf_put_u64(&number, settings->cache_bytes / 3 * 2);
	(void)slice_to_cstr(buf_slice(&number), record_bytes, sizeof record_bytes);
	const bool failed = number.failed;
	buf_done(&number);
	if (failed)
		return UB_NOMEM;

	const struct option options[] = {
		{ "use-syslog:", "no" },
		{ "do-not-query-localhost:", "no" },
		{ "module-config:", settings->trust_anchor.len != 0 ? "validator iterator" : "iterator" },
		{ "msg-cache-size:", message_bytes },
		{ "rrset-cache-size:", record_bytes },
		{ "key-cache-size:", "256k" },
		{ "neg-cache-size:", "64k" },
		{ "msg-cache-slabs:", "1" },
		{ "rrset-cache-slabs:", "1" },
		{ "infra-cache-numhosts:", "2000" },
		/* A server that was dead is asked again soon: mail waits for it. */
		{ "infra-host-ttl:", "60" },
		{ "infra-keep-probing:", "yes" },
		{ "infra-cache-max-rtt:", "3000" },
		{ "num-queries-per-thread:", "1024" },
		{ "outgoing-range:", "1024" },
		{ "outgoing-num-tcp:", "20" },
		{ "edns-buffer-size:", "1232" }, /* no fragments: DNS flag day 2020 */
		{ "cache-max-negative-ttl:", "900" },
		{ "do-ip6:", settings->ipv6 ? "yes" : "no" },
		{ "unblock-lan-zones:", settings->private_names ? "yes" : "no" },
	};
	for (size_t index = 0; index < sizeof options / sizeof *options && error == 0; index++)
		error = ub_ctx_set_option(unbound, options[index].name, options[index].value);
	if (error == 0 && settings->source.family != NET_FAMILY_NONE)
		error = ub_ctx_set_option(unbound, "outgoing-interface:", net_address_text(&settings->source, source));
	return error;
}

static int set_servers(struct ub_ctx *unbound, const struct resolver_settings *settings)
{
	int error = 0;

	for (size_t index = 0; index < settings->servers_count && error == 0; index++) {
		const struct net_address *server = &settings->servers[index];
		struct buf                text = buf_make(80);
		net_address_put(&text, server);
		buf_put_byte(&text, '@');
		buf_put_u64(&text, server->port != 0 ? server->port : 53);
		buf_put_byte(&text, '\0');
		error = text.failed ? UB_NOMEM : ub_ctx_set_fwd(unbound, (const char *)text.ptr);
		buf_done(&text);
	}
	return error;
}

static int set_anchors(struct ub_ctx *unbound, struct slice anchors)
{
	int error = 0;

	while (anchors.len != 0 && error == 0) {
		const struct slice line = slice_trim(slice_until(&anchors, '\n'));
		char               text[2048];
		if (line.len == 0 || slice_at(line, 0) == ';' || slice_at(line, 0) == '#')
			continue;
		if (line.len >= sizeof text || slice_find(line, 0) != line.len)
			return UB_SYNTAX;
		(void)slice_to_cstr(line, text, sizeof text);
		error = ub_ctx_add_ta(unbound, text);
	}
	return error;
}

/* The first of these calls ends the configuration: everything said before is checked then. */
static int lift_zones(struct ub_ctx *unbound, bool private_names)
{
	static const char *const zones[] = {
		"test.",
		"127.in-addr.arpa.",
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.",
		"home.arpa.",
	};
	/* A name that stands for nothing: only to end the configuration. */
	int error = ub_ctx_zone_remove(unbound, "no-such-zone.invalid.");

	for (size_t index = 0; private_names && index < sizeof zones / sizeof *zones && error == 0; index++)
		error = ub_ctx_zone_remove(unbound, zones[index]);
	return error;
}

static void core_ready(struct loop_watch *watch, uint32_t events)
{
	struct resolver_core *core = LIST_OF(watch, struct resolver_core, watch);

	(void)events;
	const int error = ub_process(core->unbound);
	(void)error; /* a broken pipe to its thread: the askers' own deadlines answer them */
}

static enum rc configure(struct resolver_core *core, const struct resolver_settings *settings, struct fault *fault)
{
	const char *step = "making a resolver";
	int         error = UB_NOMEM;

	core->unbound = ub_ctx_create();
	if (core->unbound == NULL)
		return fault_set(fault, RC_NOMEM, step, 0, 0);
	(void)ub_ctx_debugout(core->unbound, NULL); /* it has nothing to say that an answer does not say */
	step = "setting the resolver's options";
	error = set_options(core->unbound, settings);
	if (error == 0) {
		step = "setting the servers to ask";
		error = set_servers(core->unbound, settings);
	}
	if (error == 0) {
		step = "reading the trust anchors";
		error = set_anchors(core->unbound, settings->trust_anchor);
	}
	if (error == 0)
		error = ub_ctx_async(core->unbound, 1); /* a thread, never a fork */
	if (error == 0) {
		step = "starting the resolver with its servers and trust anchors";
		error = lift_zones(core->unbound, settings->private_names);
	}
	if (error != 0)
		return fault_set(fault, unbound_rc(error), step, 0, error);
	if (loop_watch(core->home, &core->watch, ub_fd(core->unbound), LOOP_IN, core_ready) != RC_OK)
		return fault_set(fault, RC_IO, "watching the resolver", 0, 0);
	return RC_OK;
}

enum rc resolver_core_open(const struct resolver_settings *settings, struct loop *home, struct resolver_core **out,
                           struct fault *fault)
{
	must(settings->cache_bytes >= CACHE_BYTES_MIN);
	must(settings->cache_bytes <= CACHE_BYTES_MAX);
	if (settings->servers_count > RESOLVER_SERVERS_MAX)
		return fault_set(fault, RC_LIMIT, "more name servers than are asked", 0,
		                 (int64_t)settings->servers_count);
	struct resolver_core *core = memory_take(1, sizeof *core);
	if (core == NULL)
		return fault_set(fault, RC_NOMEM, "taking memory for a resolver", 0, 0);
	core->home = home;
	core->watch.fd = -1;
	list_init(&core->orphans);
	must(pthread_mutex_init(&core->lock, NULL) == 0);
	const enum rc rc = configure(core, settings, fault);
	if (rc != RC_OK) {
		resolver_core_close(&core);
		return rc;
	}
	*out = core;
	return RC_OK;
}

void resolver_core_close(struct resolver_core **core_pointer)
{
	struct resolver_core *core = *core_pointer;

	*core_pointer = NULL;
	if (core == NULL)
		return;
	must(atomic_load(&core->resolvers) == 0);
	loop_unwatch(core->home, &core->watch);
	if (core->unbound != NULL)
		ub_ctx_delete(core->unbound); /* ends and joins its thread; nothing calls back after this */
	for (struct list *link = list_shift(&core->orphans); link != NULL; link = list_shift(&core->orphans))
		memory_give(LIST_OF(link, struct question, age));
	(void)pthread_mutex_destroy(&core->lock);
	memory_give(core);
}

static void note_ready(void *argument, int error, struct ub_result *result)
{
	bool *well = argument;

	*well = error == 0 && result != NULL && result->havedata;
	ub_resolve_free(result);
}

enum rc resolver_ready(struct fault *fault)
{
	struct ub_ctx *unbound = ub_ctx_create();
	bool           well = false;

	if (unbound == NULL)
		return fault_set(fault, RC_UNSUPPORTED, "starting the DNS library", 0, 0);
	/* Answered from what is built in, without a packet; its thread starts and ends once. */
	(void)ub_ctx_debugout(unbound, NULL);
	int error = ub_ctx_async(unbound, 1);
	if (error == 0)
		error = ub_resolve_async(unbound, "localhost.", RESOLVER_A, CLASS_IN, &well, note_ready, NULL);
	if (error == 0)
		error = ub_wait(unbound);
	ub_ctx_delete(unbound);
	return well ? RC_OK : fault_set(fault, RC_UNSUPPORTED, "the DNS library does not answer", 0, error);
}

/* ---- answers ---- */

static void free_question(struct question *question)
{
	list_remove(&question->bucket);
	list_remove(&question->age);
	memory_give(question->packed);
	memory_give(question->arrived);
	memory_give(question);
}

static struct resolver_found look(int error, const struct ub_result *result,
                                  struct slice records[RESOLVER_RECORDS_MAX + 1])
{
	struct resolver_found found = { .status = RESOLVER_FAILED, .ttl_s = RESOLVER_FAILURE_TTL_S };

	if (error != 0 || result == NULL)
		return found;
	const uint32_t ttl_s = result->ttl < 0                         ? 0
	                       : result->ttl > (int)RESOLVER_TTL_MAX_S ? RESOLVER_TTL_MAX_S
	                                                               : (uint32_t)result->ttl;
	if (result->bogus) {
		found.status = RESOLVER_BOGUS;
	} else if (result->havedata) {
		while (found.count <= RESOLVER_RECORDS_MAX && result->data[found.count] != NULL) {
			records[found.count] = slice_of(result->data[found.count], (size_t)result->len[found.count]);
			found.count++;
		}
		found = (struct resolver_found){ RESOLVER_OK, result->secure != 0, ttl_s, records, found.count };
	} else if (result->nxdomain || result->rcode == 0) {
		found.status = result->nxdomain ? RESOLVER_NXDOMAIN : RESOLVER_NODATA;
		found.secure = result->secure != 0;
		found.ttl_s = ttl_s;
	}
	return found;
}

static void come_home(struct loop_task *task);

/* libunbound's answer, on the home loop's thread. */
static void answered(void *argument, int error, struct ub_result *result)
{
	struct question      *question = argument;
	struct resolver_core *core = question->core;
	struct slice          records[RESOLVER_RECORDS_MAX + 1];

	const struct resolver_found found = look(error, result, records);
	struct resolver_packed     *packed = NULL;
	if (resolver_pack(question->type, &found, &packed) != RC_OK)
		packed = NULL; /* told as a failure */
	ub_resolve_free(result);
	(void)atomic_fetch_sub(&core->under_way, 1);

	must(pthread_mutex_lock(&core->lock) == 0);
	const bool wanted = question->resolver != NULL && !question->resolver->closing;
	question->arrived = packed;
	if (wanted) {
		question->task.run = come_home;
		loop_post(question->resolver->loop, &question->task);
	} else if (question->resolver == NULL) {
		free_question(question);
	} else {
		/* Its resolver is just being closed and will find that it flies no more. */
		question->flies = false;
	}
	must(pthread_mutex_unlock(&core->lock) == 0);
}

static uint64_t draw(uint64_t bound)
{
	return random_below(bound);
}

static void tell(struct resolver_query *query, const struct resolver_packed *packed)
{
	struct resolver_answer answer = { .status = RESOLVER_FAILED };

	if (packed != NULL && resolver_unpack(packed, query->arena, draw, &answer) != RC_OK)
		answer = (struct resolver_answer){ .status = RESOLVER_FAILED, .type = packed->type };
	timer_stop(&query->timer);
	query->flight = NULL;
	if (answer.status == RESOLVER_FAILED)
		query->resolver->counts.failed++;
	query->done(query, &answer);
}

/* Keep the number of known answers within its bound. */
static void make_room(struct resolver *resolver)
{
	struct list *link = resolver->known.next;

	while (resolver->counts.entries > resolver->entries_max && link != &resolver->known) {
		struct question *question = LIST_OF(link, struct question, age);
		link = link->next;
		if (question->held)
			continue;
		free_question(question);
		resolver->counts.entries--;
	}
}

/* The answer has arrived on the loop that asked. */
static void come_home(struct loop_task *task)
{
	struct question *question = (struct question *)(void *)((char *)task - offsetof(struct question, task));
	struct resolver *resolver = question->resolver;
	struct list      waiting;

	memory_give(question->packed);
	question->packed = question->arrived;
	question->arrived = NULL;
	question->flies = false;
	resolver->counts.under_way--;
	list_remove(&question->age);
	list_append(&resolver->known, &question->age);
	resolver->counts.entries++;
	const uint64_t ttl_ms = question->packed != NULL ? (uint64_t)question->packed->ttl_s * 1000 : 0;
	question->until_ms = loop_now_ms(resolver->loop) + ttl_ms;

	/* Whoever asks again while being told, asks anew or is answered at once; this list is closed. */
	list_init(&waiting);
	while (!list_empty(&question->queries))
		list_append(&waiting, list_shift(&question->queries));
	question->held = true;
	for (struct list *link = list_shift(&waiting); link != NULL; link = list_shift(&waiting))
		tell(LIST_OF(link, struct resolver_query, link), question->packed);
	question->held = false;
	if (question->flies)
		return; /* asked anew meanwhile */
	if (ttl_ms == 0) {
		free_question(question);
		resolver->counts.entries--;
	}
	make_room(resolver);
}

/* ---- resolvers ---- */

enum rc resolver_open(struct resolver_core *core, struct loop *loop, size_t cache_entries, size_t under_way_max,
                      struct resolver **out)
{
	size_t buckets = 64;

	must(cache_entries >= ENTRIES_MIN);
	must(cache_entries <= ENTRIES_MAX);
	must(under_way_max >= 1);
	must(under_way_max <= RESOLVER_UNDER_WAY_MAX);
	while (buckets < cache_entries)
		buckets *= 2;
	struct resolver *resolver = memory_take(1, sizeof *resolver);
	struct list     *heads = memory_take(buckets, sizeof *heads);
	if (resolver == NULL || heads == NULL) {
		memory_give(resolver);
		memory_give(heads);
		return RC_NOMEM;
	}
	for (size_t index = 0; index < buckets; index++)
		list_init(&heads[index]);
	*resolver = (struct resolver){ .core = core,
		                       .loop = loop,
		                       .seed = random_u64(),
		                       .under_way_max = under_way_max,
		                       .entries_max = cache_entries,
		                       .mask = buckets - 1,
		                       .buckets = heads };
	list_init(&resolver->known);
	list_init(&resolver->flying);
	(void)atomic_fetch_add(&core->resolvers, 1);
	*out = resolver;
	return RC_OK;
}

void resolver_close(struct resolver **resolver_pointer)
{
	struct resolver *resolver = *resolver_pointer;

	*resolver_pointer = NULL;
	if (resolver == NULL)
		return;
	struct resolver_core *core = resolver->core;
	must(pthread_mutex_lock(&core->lock) == 0);
	resolver->closing = true;
	must(pthread_mutex_unlock(&core->lock) == 0);
	/* Answers that were posted before that are taken home now; none comes after it. */
	(void)loop_drain(resolver->loop);
	must(pthread_mutex_lock(&core->lock) == 0);
	for (struct list *link = list_shift(&resolver->flying); link != NULL; link = list_shift(&resolver->flying)) {
		struct question *question = LIST_OF(link, struct question, age);
		must(list_empty(&question->queries));
		list_remove(&question->bucket);
		memory_give(question->packed);
		question->packed = NULL;
		question->resolver = NULL;
		if (question->flies)
			list_append(&core->orphans, &question->age);
		else
			free_question(question);
	}
	must(pthread_mutex_unlock(&core->lock) == 0);
	for (struct list *link = resolver->known.next; link != &resolver->known;) {
		struct question *question = LIST_OF(link, struct question, age);
		link = link->next;
		free_question(question);
	}
	(void)atomic_fetch_sub(&core->resolvers, 1);
	memory_give(resolver->buckets);
	memory_give(resolver);
}

struct loop *resolver_loop(const struct resolver *resolver)
{
	return resolver->loop;
}

const struct resolver_counts *resolver_counts(const struct resolver *resolver)
{
	return &resolver->counts;
}

/* ---- asking ---- */

static struct question *find(struct resolver *resolver, enum resolver_type type, struct slice key, struct list **bucket)
{
	const uint64_t hash = map_hash(resolver->seed ^ (uint64_t)type, key);

	*bucket = &resolver->buckets[hash & resolver->mask];
	for (struct list *link = (*bucket)->next; link != *bucket; link = link->next) {
		struct question *question = LIST_OF(link, struct question, bucket);
		if (question->type == type && slice_eq(slice_of(question->name, question->size), key))
			return question;
	}
	return NULL;
}

static struct question *add(struct resolver *resolver, enum resolver_type type, struct slice key, struct list *bucket)
{
	struct question *question = memory_take(1, sizeof *question + key.len + 2);

	if (question == NULL)
		return NULL;
	question->core = resolver->core;
	question->resolver = resolver;
	question->type = type;
	question->size = (uint8_t)key.len;
	memcpy(question->name, key.ptr, key.len);
	question->name[key.len] = '.';
	list_init(&question->queries);
	list_append(bucket, &question->bucket);
	return question;
}

static void run_out(struct timer *timer)
{
	struct resolver_query       *query = LIST_OF(timer, struct resolver_query, timer);
	struct question             *question = query->flight;
	const struct resolver_answer answer = { .status = RESOLVER_TIMEOUT, .type = question->type };

	/* The question flies on: its answer will be known to the next who asks. */
	list_remove(&query->link);
	query->flight = NULL;
	query->resolver->counts.timeouts++;
	query->done(query, &answer);
}

/* Give the question to libunbound. It is not in a list by age. */
static enum rc launch(struct resolver *resolver, struct question *question)
{
	struct resolver_core *core = resolver->core;

	if (resolver->counts.under_way >= resolver->under_way_max)
		return RC_BUSY;
	if (atomic_fetch_add(&core->under_way, 1) >= RESOLVER_UNDER_WAY_MAX ||
	    ub_resolve_async(core->unbound, question->name, (int)question->type, CLASS_IN, question, answered, NULL) !=
	            0) {
		(void)atomic_fetch_sub(&core->under_way, 1);
		return RC_BUSY;
	}
	question->flies = true;
	resolver->counts.under_way++;
	list_append(&resolver->flying, &question->age);
	return RC_OK;
}

/* Ask anew what was known once, or for the first time. RC_OK: it flies. */
static enum rc fly(struct resolver *resolver, struct question *question)
{
	const bool was_known = list_linked(&question->age);

	if (was_known) {
		list_remove(&question->age);
		resolver->counts.entries--;
	}
	const enum rc rc = launch(resolver, question);
	if (rc == RC_OK)
		return rc;
	resolver->counts.refused++;
	if (was_known && question->held) { /* it is being handed out just now */
		list_append(&resolver->known, &question->age);
		resolver->counts.entries++;
	} else {
		free_question(question);
	}
	return rc;
}

enum rc resolver_ask(struct resolver *resolver, struct resolver_query *query, enum resolver_type type,
                     struct slice name, uint64_t timeout_ms, struct resolver_answer *answer)
{
	uint8_t      key_bytes[RESOLVER_NAME_MAX];
	size_t       key_size;
	struct list *bucket;

	must(query->done != NULL);
	must(query->arena != NULL);
	must(query->flight == NULL);
	if (resolver_name_key(name, key_bytes, &key_size) != RC_OK)
		return RC_SYNTAX;
	const struct slice key = slice_of(key_bytes, key_size);
	resolver->counts.asked++;
	struct question *question = find(resolver, type, key, &bucket);
	if (question != NULL && !question->flies && loop_now_ms(resolver->loop) < question->until_ms) {
		list_remove(&question->age);
		list_append(&resolver->known, &question->age);
		resolver->counts.known++;
		return resolver_unpack(question->packed, query->arena, draw, answer);
	}
	if (question != NULL && question->flies) {
		resolver->counts.joined++;
	} else {
		if (question == NULL)
			question = add(resolver, type, key, bucket);
		if (question == NULL)
			return RC_NOMEM;
		if (fly(resolver, question) != RC_OK)
			return RC_BUSY;
	}
	query->resolver = resolver;
	query->flight = question;
	list_append(&question->queries, &query->link);
	timer_init(&query->timer, run_out);
	loop_timer_set(resolver->loop, &query->timer, timeout_ms);
	return RC_AGAIN;
}

void resolver_cancel(struct resolver_query *query)
{
	if (query->flight == NULL)
		return;
	list_remove(&query->link);
	timer_stop(&query->timer);
	query->flight = NULL;
}
