/*
 * See callahead.h: the answers that are known, the questions that are open, and whether a mail system's answers can be believed. The conversation is callahead_asker.c's.
 */
#include "deliver/callahead_inside.h"

#include "base/memory.h"
#include "base/must.h"
#include "mail/domain.h"
#include "queue/entry.h"
#include "sys/clock.h"
#include "sys/log.h"

/* A known address. Positive ones outlive their time: while the mail system is away, an old yes is better than none (I-20). */
struct known {
	struct list link;       /* in callahead.order */
	bool        yes;
	bool        refreshing;
	uint64_t    until_ms;   /* monotonic */
	uint64_t    good_until_ms; /* for yes: serves as the last good answer until then */
	uint16_t    address_size;
	uint8_t     address[];
};

static const struct gate_callahead_settings *settings_of(const struct callahead *callahead)
{
	return callahead->config->settings.callahead;
}

/* ---- the cache; the lock is held ---- */

static void known_free(struct callahead *callahead, struct known *known)
{
	(void)map_remove(callahead->cache, slice_of(known->address, known->address_size));
	list_remove(&known->link);
	callahead->known_count--;
	memory_give(known);
}

static void known_put(struct callahead *callahead, struct slice address, bool yes)
{
	const struct gate_callahead_settings *settings = settings_of(callahead);
	struct known *known = map_get(callahead->cache, address);
	uint64_t now_ms = clock_mono_ms();

	if (known == NULL) {
		while (callahead->known_count >= settings->entries_max && !list_empty(&callahead->order))
			known_free(callahead, LIST_OF(callahead->order.next, struct known, link));
		known = memory_take(1, sizeof(*known) + address.len);
		if (known == NULL)
			return;
		known->address_size = (uint16_t)address.len;
		memcpy(known->address, address.ptr, address.len);
		if (map_add(callahead->cache, address, known) != RC_OK) {
			memory_give(known);
			return;
		}
		callahead->known_count++;
	}
	list_remove(&known->link);
	list_append(&callahead->order, &known->link);
	known->yes = yes;
	known->refreshing = false;
	known->until_ms = now_ms + (yes ? settings->keep_positive : settings->keep_negative);
	known->good_until_ms = yes ? now_ms + settings->keep_last_good : 0;
}

/* An old yes that may still serve. */
static bool last_good(struct callahead *callahead, struct slice address)
{
	const struct known *known;
	bool good;

	mutex_lock(&callahead->lock);
	known = map_get(callahead->cache, address);
	good = known != NULL && known->yes && known->good_until_ms > clock_mono_ms();
	mutex_unlock(&callahead->lock);
	return good;
}

/* Domain and local part in lower case: no mail system we ask tells them apart, and one that did would only be asked once more. */
static bool key_of(struct slice address, uint8_t key[CALLAHEAD_ADDRESS_MAX], struct slice *out)
{
	if (address.len == 0 || address.len > CALLAHEAD_ADDRESS_MAX)
		return false;
	for (size_t i = 0; i < address.len; i++)
		key[i] = byte_lower(address.ptr[i]);
	*out = slice_of(key, address.len);
	return true;
}

/* ---- answers to queries ---- */

static void query_answer(struct callahead_query *query, enum callahead_result result)
{
	list_remove(&query->link);
	query->result = result;
	loop_post(query->home, &query->task);
}

static void question_free(struct question *question)
{
	struct callahead *callahead = question->verifier->owner;

	timer_stop(&question->timer);
	list_remove(&question->link);
	if (!question->probe && map_get(callahead->questions, slice_of(question->address, question->address_size)) == question)
		(void)map_remove(callahead->questions, slice_of(question->address, question->address_size));
	callahead->question_count--;
	memory_give(question);
}

static void probe_answered(struct verifier *verifier, enum callahead_result result)
{
	const struct gate_callahead_settings *settings = settings_of(verifier->owner);
	struct slice domain = slice_of(verifier->domain, verifier->domain_size);
	uint64_t now_ms = loop_now_ms(verifier->owner->loop);

	switch (result) {
	case CALLAHEAD_NO:
		verifier->honesty = HONESTY_SAYS_NO;
		verifier->honesty_until_ms = now_ms + settings->keep_positive;
		break;
	case CALLAHEAD_YES:
		verifier->honesty = HONESTY_SAYS_YES;
		verifier->honesty_until_ms = now_ms + settings->keep_negative;
		log_warning(LOG_EVENT("callahead.catch_all"), LOG_TEXT("domain", domain),
		            LOG_STR("text", "this mail system accepts recipients that nobody has: call-ahead is of no use for it"));
		break;
	case CALLAHEAD_UNKNOWN:
		verifier->honesty = HONESTY_NOT_ASKED;
		break;
	}
}

void question_answer(struct question *question, enum callahead_result result)
{
	struct verifier *verifier = question->verifier;
	struct callahead *callahead = verifier->owner;
	struct slice address = slice_of(question->address, question->address_size);

	if (question->asker != NULL)
		question->asker->question = NULL;
	if (question->probe) {
		probe_answered(verifier, result);
		question_free(question);
		if (result == CALLAHEAD_UNKNOWN) /* nothing it says can be weighed: not now, for anybody */
			verifier_failed(verifier);
		return;
	}
	/* Without a refusal seen, a yes means nothing; a no always does. */
	if (result == CALLAHEAD_YES && verifier->honesty != HONESTY_SAYS_NO)
		result = CALLAHEAD_UNKNOWN;
	if (result != CALLAHEAD_UNKNOWN) {
		mutex_lock(&callahead->lock);
		known_put(callahead, address, result == CALLAHEAD_YES);
		mutex_unlock(&callahead->lock);
	} else if (verifier->honesty != HONESTY_SAYS_YES && last_good(callahead, address)) {
		result = CALLAHEAD_YES;
	}
	while (!list_empty(&question->queries))
		query_answer(LIST_OF(question->queries.next, struct callahead_query, link), result);
	question_free(question);
}

/* Its time is up: whoever asked hears that nothing is known; an answer that comes later still goes into the cache. */
static void question_late(struct timer *timer)
{
	struct question *question = LIST_OF(timer, struct question, timer);
	struct callahead *callahead = question->verifier->owner;
	struct slice address = slice_of(question->address, question->address_size);
	enum callahead_result result = last_good(callahead, address) ? CALLAHEAD_YES : CALLAHEAD_UNKNOWN;

	if (question->asker == NULL) {
		question_answer(question, CALLAHEAD_UNKNOWN);
		return;
	}
	while (!list_empty(&question->queries))
		query_answer(LIST_OF(question->queries.next, struct callahead_query, link), result);
}

/* ---- verifiers ---- */

static struct verifier *verifier_of(struct callahead *callahead, struct slice address)
{
	struct slice domain = slice_take(queue_domain(address), 255);
	const struct route *route = route_of(callahead->config->route_table, address, (struct slice){ NULL, 0 });
	struct verifier *verifier;

	if (route == NULL || route->host_count == 0) /* the recipient's own MX is us: there is nobody to ask */
		return NULL;
	for (struct list *at = callahead->verifiers.next; at != &callahead->verifiers; at = at->next) {
		verifier = LIST_OF(at, struct verifier, link);
		if (slice_eq_nocase(slice_of(verifier->domain, verifier->domain_size), domain))
			return verifier;
	}
	verifier = memory_take(1, sizeof(*verifier));
	if (verifier == NULL)
		return NULL;
	verifier->owner = callahead;
	verifier->config = config_hold(callahead->config);
	verifier->route = route;
	verifier->domain_size = domain.len;
	if (domain.len != 0)
		memcpy(verifier->domain, domain.ptr, domain.len);
	list_init(&verifier->questions);
	list_init(&verifier->askers);
	list_append(&callahead->verifiers, &verifier->link);
	return verifier;
}

struct question *verifier_next(struct verifier *verifier)
{
	struct list *link = list_shift(&verifier->questions);

	return link == NULL ? NULL : LIST_OF(link, struct question, link);
}

void verifier_failed(struct verifier *verifier)
{
	struct question *question;

	verifier->dead_until_ms = loop_now_ms(verifier->owner->loop) + settings_of(verifier->owner)->keep_dead;
	log_warning(LOG_EVENT("callahead.away"), LOG_TEXT("domain", slice_of(verifier->domain, verifier->domain_size)));
	while ((question = verifier_next(verifier)) != NULL)
		question_answer(question, CALLAHEAD_UNKNOWN);
}

static struct question *question_make(struct verifier *verifier, struct slice address, bool probe)
{
	struct callahead *callahead = verifier->owner;
	struct question *question;

	if (callahead->question_count >= CALLAHEAD_QUESTIONS_MAX)
		return NULL;
	question = memory_take(1, sizeof(*question));
	if (question == NULL)
		return NULL;
	question->verifier = verifier;
	question->probe = probe;
	question->address_size = (uint16_t)address.len;
	if (address.len != 0)
		memcpy(question->address, address.ptr, address.len);
	list_init(&question->queries);
	timer_init(&question->timer, question_late);
	if (!probe && map_add(callahead->questions, address, question) != RC_OK) {
		memory_give(question);
		return NULL;
	}
	callahead->question_count++;
	loop_timer_set(callahead->loop, &question->timer, settings_of(callahead)->timeout);
	return question;
}

/* Before anything else: a name nobody has. */
static void probe_begin(struct verifier *verifier)
{
	struct callahead *callahead = verifier->owner;
	struct buf address = buf_make(CALLAHEAD_ADDRESS_MAX);
	struct question *question = NULL;

	callahead->chance = callahead->chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	buf_printf(&address, "hangu-nobody-%llx@", (unsigned long long)(callahead->chance >> 16));
	buf_put(&address, slice_of(verifier->domain, verifier->domain_size));
	if (!address.failed)
		question = question_make(verifier, buf_slice(&address), true);
	if (question != NULL) {
		verifier->honesty = HONESTY_ASKING;
		list_prepend(&verifier->questions, &question->link);
	}
	buf_done(&address);
}

void verifier_work(struct verifier *verifier)
{
	uint64_t max = settings_of(verifier->owner)->connections_max;

	if (verifier->honesty >= HONESTY_SAYS_NO && loop_now_ms(verifier->owner->loop) >= verifier->honesty_until_ms)
		verifier->honesty = HONESTY_NOT_ASKED;
	if (list_empty(&verifier->questions))
		return;
	if (verifier->honesty == HONESTY_NOT_ASKED)
		probe_begin(verifier);
	for (struct list *at = verifier->askers.next, *next; at != &verifier->askers && !list_empty(&verifier->questions); at = next) {
		struct asker *asker = LIST_OF(at, struct asker, link);

		next = at->next;
		if (asker->ready && asker->question == NULL && !asker->quitting)
			asker_next(asker);
	}
	if (list_empty(&verifier->questions))
		return;
	/* One connection until it is known whether its answers are worth more of them. */
	if (verifier->asker_count < (verifier->honesty == HONESTY_SAYS_NO ? max : 1) && asker_open(verifier) != RC_OK &&
	    verifier->asker_count == 0)
		verifier_failed(verifier);
}

/* ---- questions from the loops ---- */

static void query_arrived(struct loop_task *task)
{
	struct callahead_query *query = LIST_OF(task, struct callahead_query, there);
	struct callahead *callahead = query->owner;
	uint8_t key[CALLAHEAD_ADDRESS_MAX];
	struct slice address = { NULL, 0 };
	struct question *question;
	struct verifier *verifier;

	query->link = (struct list){ NULL, NULL };
	if (!key_of(query->address, key, &address)) {
		query_answer(query, CALLAHEAD_UNKNOWN);
		return;
	}
	question = map_get(callahead->questions, address);
	if (question != NULL) {
		list_append(&question->queries, &query->link);
		return;
	}
	verifier = verifier_of(callahead, address);
	if (verifier == NULL || verifier->dead_until_ms > loop_now_ms(callahead->loop) ||
	    (verifier->honesty == HONESTY_SAYS_YES && verifier->honesty_until_ms > loop_now_ms(callahead->loop))) {
		query_answer(query, last_good(callahead, address) ? CALLAHEAD_YES : CALLAHEAD_UNKNOWN);
		return;
	}
	question = question_make(verifier, address, false);
	if (question == NULL) {
		query_answer(query, last_good(callahead, address) ? CALLAHEAD_YES : CALLAHEAD_UNKNOWN);
		return;
	}
	list_append(&question->queries, &query->link);
	list_append(&verifier->questions, &question->link);
	verifier_work(verifier);
}

/* A known address whose time is nearly up, asked for again while nobody waits. Its own small thing. */
struct refresh {
	struct loop_task  task;
	struct callahead *owner;
	size_t            size;
	uint8_t           address[CALLAHEAD_ADDRESS_MAX];
};

static void refresh_arrived(struct loop_task *task)
{
	struct refresh *refresh = LIST_OF(task, struct refresh, task);
	struct callahead *callahead = refresh->owner;
	struct slice address = slice_of(refresh->address, refresh->size);
	struct verifier *verifier = verifier_of(callahead, address);

	if (verifier != NULL && map_get(callahead->questions, address) == NULL && verifier->dead_until_ms <= loop_now_ms(callahead->loop)) {
		struct question *question = question_make(verifier, address, false);

		if (question != NULL) {
			list_append(&verifier->questions, &question->link);
			verifier_work(verifier);
		}
	}
	memory_give(refresh);
}

static void refresh_begin(struct callahead *callahead, struct slice address)
{
	struct refresh *refresh = memory_take(1, sizeof(*refresh));

	if (refresh == NULL)
		return;
	*refresh = (struct refresh){ .task.run = refresh_arrived, .owner = callahead, .size = address.len };
	memcpy(refresh->address, address.ptr, address.len);
	loop_post(callahead->loop, &refresh->task);
}

enum rc callahead_ask(struct callahead *callahead, struct callahead_query *query)
{
	uint8_t key[CALLAHEAD_ADDRESS_MAX];
	struct slice address;
	struct known *known;
	bool is_known = false, refresh = false;

	if (!key_of(query->address, key, &address)) {
		query->result = CALLAHEAD_UNKNOWN;
		return RC_OK;
	}
	mutex_lock(&callahead->lock);
	known = map_get(callahead->cache, address);
	if (known != NULL && known->until_ms > clock_mono_ms()) {
		is_known = true;
		query->result = known->yes ? CALLAHEAD_YES : CALLAHEAD_NO;
		refresh = known->yes && !known->refreshing && known->until_ms - clock_mono_ms() < settings_of(callahead)->refresh_before;
		known->refreshing = known->refreshing || refresh;
	}
	mutex_unlock(&callahead->lock);
	if (refresh)
		refresh_begin(callahead, address);
	if (is_known)
		return RC_OK;
	query->owner = callahead;
	query->there.run = query_arrived;
	loop_post(callahead->loop, &query->there);
	return RC_AGAIN;
}

/* ---- life ---- */

enum rc callahead_open(const struct callahead_options *options, struct callahead **out)
{
	struct callahead *callahead = memory_take(1, sizeof(*callahead));

	if (callahead == NULL)
		return RC_NOMEM;
	if (map_open(options->config->settings.callahead->entries_max, options->seed, &callahead->cache) != RC_OK ||
	    map_open(CALLAHEAD_QUESTIONS_MAX, options->seed, &callahead->questions) != RC_OK) {
		map_close(&callahead->cache);
		memory_give(callahead);
		return RC_NOMEM;
	}
	callahead->options = *options;
	callahead->loop = options->loop;
	callahead->config = config_hold(options->config);
	callahead->chance = options->seed;
	mutex_init(&callahead->lock);
	list_init(&callahead->order);
	list_init(&callahead->verifiers);
	*out = callahead;
	return RC_OK;
}

static void verifiers_close(struct callahead *callahead)
{
	struct list *link;
	struct question *question;

	while ((link = callahead->verifiers.next) != &callahead->verifiers) {
		struct verifier *verifier = LIST_OF(link, struct verifier, link);

		verifier->dead_until_ms = UINT64_MAX;
		while (!list_empty(&verifier->askers))
			asker_close(LIST_OF(verifier->askers.next, struct asker, link));
		while ((question = verifier_next(verifier)) != NULL)
			question_answer(question, CALLAHEAD_UNKNOWN);
		list_remove(&verifier->link);
		config_drop(&verifier->config);
		memory_give(verifier);
	}
}

void callahead_config(struct callahead *callahead, struct config *config)
{
	verifiers_close(callahead);
	mutex_lock(&callahead->lock);
	config_drop(&callahead->config);
	callahead->config = config_hold(config);
	mutex_unlock(&callahead->lock);
}

void callahead_close(struct callahead **callahead)
{
	struct callahead *gone = *callahead;

	*callahead = NULL;
	if (gone == NULL)
		return;
	verifiers_close(gone);
	while (!list_empty(&gone->order))
		known_free(gone, LIST_OF(gone->order.next, struct known, link));
	map_close(&gone->cache);
	map_close(&gone->questions);
	config_drop(&gone->config);
	mutex_done(&gone->lock);
	memory_give(gone);
}
