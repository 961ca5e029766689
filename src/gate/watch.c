/* The look around, once a second. */
#include "gate/watch.h"

#include "base/memory.h"
#include "journal/body.h"
#include "sys/clock.h"
#include "sys/log.h"

#define EVERY_MS 1000u
#define DAY_S 86400

struct watch {
	struct gate                     *gate;
	struct timer                     timer;
	struct journal_writer_statistics counted; /* already in the counters */
	uint64_t                         log_dropped;
	const char                      *degraded; /* why, or NULL */
	unsigned                         alarm;    /* certificate alarm that was given last */
	int64_t                          alarm_end_s; /* and for which end */
};

static const int64_t alarm_days[] = WATCH_CERTIFICATE_DAYS;

int64_t watch_certificate_days(int64_t end_s, int64_t now_s)
{
	const int64_t left_s = end_s - now_s;

	return left_s / DAY_S - (left_s % DAY_S < 0);
}

unsigned watch_certificate_alarm(int64_t days_left)
{
	unsigned alarm = 0;

	while (alarm < sizeof alarm_days / sizeof *alarm_days && days_left <= alarm_days[alarm])
		alarm++;
	return alarm;
}

/* The writer counts for itself; what has come since the last look goes to the page that records reads. */
static void count_journal(struct watch *watch)
{
	struct journal_writer                 *writer = watch->gate->journal;
	const struct journal_writer_statistics now = journal_writer_statistics(writer);

	counter_add(COUNT_JOURNAL_GROUPS, now.batches - watch->counted.batches);
	counter_add(COUNT_JOURNAL_SYNCS, now.syncs - watch->counted.syncs);
	counter_add(COUNT_JOURNAL_RECORDS, now.records - watch->counted.records);
	counter_add(COUNT_JOURNAL_BYTES, now.bytes - watch->counted.bytes);
	gauge_set(GAUGE_JOURNAL_SEGMENTS, (int64_t)journal_bodies_statistics(journal_writer_bodies(writer)).segments);
	gauge_set(GAUGE_JOURNAL_FREE_BYTES, (int64_t)journal_writer_free_bytes(writer));
	watch->counted = now;
}

static void count_queue(const struct gate *gate)
{
	struct outbound_counts counts;
	uint64_t               waiting = 0;

	outbound_count(gate->outbound, &counts);
	for (unsigned state = 0; state < QUEUE_HELD; state++) /* held ones have a number of their own */
		waiting += counts.queue.recipients[state];
	const uint64_t now_ms = clock_wall_ms();
	const uint64_t oldest_ms = counts.queue.oldest_ms;
	gauge_set(GAUGE_QUEUE_MESSAGES, (int64_t)counts.queue.messages);
	gauge_set(GAUGE_QUEUE_RECIPIENTS, (int64_t)waiting);
	gauge_set(GAUGE_QUEUE_HELD, (int64_t)counts.queue.recipients[QUEUE_HELD]);
	gauge_set(GAUGE_QUEUE_OLDEST_S, oldest_ms == 0 || oldest_ms > now_ms ? 0 : (int64_t)((now_ms - oldest_ms) / 1000));
	gauge_set(GAUGE_DELIVERIES_OPEN, (int64_t)counts.connections);
}

static void count_log(struct watch *watch)
{
	const uint64_t now = log_dropped();

	counter_add(COUNT_LOG_DROPPED, now - watch->log_dropped);
	watch->log_dropped = now;
}

/* Why the gate does less than it should, as a sentence; NULL when it does not. */
static const char *degradation(const struct gate *gate)
{
	if (!journal_writer_has_room(gate->journal))
		return "the journal's disk is below its floor: no new mail is taken";
	if (scan_link_alive(gate->scan) == 0)
		return "no scanner is there: on_scan_failure decides about new mail";
	return NULL;
}

static void look_at_degradation(struct watch *watch)
{
	const char *now = degradation(watch->gate);

	gauge_set(GAUGE_DEGRADED, now != NULL);
	if (now == watch->degraded)
		return;
	if (now != NULL)
		log_error(LOG_EVENT("gate.degraded"), LOG_STR("why", now));
	else
		log_notice(LOG_EVENT("gate.restored"));
	gate_note_node(watch->gate, now != NULL ? "degraded" : "restored", now != NULL ? now : "everything is done again");
	watch->degraded = now;
}

static void look_at_certificates(struct watch *watch)
{
	const struct config *config = watch->gate->config;
	const int64_t        now_s = (int64_t)clock_wall_ms() / 1000;
	int64_t              end_s = INT64_MAX;

	for (size_t i = 0; i < config->settings.listener_count; i++) {
		const struct tls_context *tls = config->listeners[i].tls;
		const int64_t             ends_s = tls == NULL ? INT64_MAX : tls_context_not_after_s(tls);
		end_s = ends_s < end_s ? ends_s : end_s;
	}
	if (end_s == INT64_MAX)
		return;
	const int64_t  days = watch_certificate_days(end_s, now_s);
	const unsigned alarm = watch_certificate_alarm(days);
	gauge_set(GAUGE_CERTIFICATE_DAYS, days);
	if (end_s != watch->alarm_end_s)
		watch->alarm = 0;
	watch->alarm_end_s = end_s;
	if (alarm <= watch->alarm)
		return;
	watch->alarm = alarm;
	log_warning(LOG_EVENT("certificate.ends"), LOG_SIGNED("days", days));
	gate_note_node(watch->gate, "alarm", days < 0 ? "a listener's certificate has ended" : "a listener's certificate is about to end");
}

static void look(struct timer *timer)
{
	struct watch *watch = LIST_OF(timer, struct watch, timer);
	struct gate  *gate = watch->gate;

	gauge_set(GAUGE_SLAB_BYTES, (int64_t)slab_bytes_held());
	gauge_set(GAUGE_SCANNERS_UP, (int64_t)scan_link_alive(gate->scan));
	count_journal(watch);
	count_queue(gate);
	count_log(watch);
	look_at_degradation(watch);
	look_at_certificates(watch);
	loop_timer_set(gate->delivery, &watch->timer, EVERY_MS);
}

enum rc watch_open(struct gate *gate, struct watch **out)
{
	struct watch *watch = memory_take(1, sizeof *watch);

	if (watch == NULL)
		return RC_NOMEM;
	watch->gate = gate;
	timer_init(&watch->timer, look);
	loop_timer_set(gate->delivery, &watch->timer, EVERY_MS);
	*out = watch;
	return RC_OK;
}

void watch_close(struct watch **watch)
{
	if (*watch != NULL)
		timer_stop(&(*watch)->timer);
	memory_give(*watch);
	*watch = NULL;
}
