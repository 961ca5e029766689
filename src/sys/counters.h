/*
 * Counters, gauges and histograms of all roles, in shared pages that the supervisor makes before it forks: one page a
 * process. A process adds to its own page without locks (relaxed atomics); records reads all pages and writes them as
 * Prometheus text. A page outlives its process, so counters never go back when a role is replaced.
 *
 * What exists is one table below; to add a number, add a row.
 */
#ifndef SYS_COUNTERS_H
#define SYS_COUNTERS_H

#include "base/buf.h"
#include "base/rc.h"

#include <stdatomic.h>
#include <stdint.h>

/*
 * COUNTER(word, family, labels, help): only ever grows. Rows of one family stand together and share the first row's help.
 * Family names follow Prometheus: hangu_..._total, base units.
 */
#define COUNTER_TABLE(COUNTER)                                                                                         \
	COUNTER(SESSIONS, "hangu_sessions_total", "", "Inbound SMTP connections accepted.")                            \
	COUNTER(SESSIONS_REFUSED, "hangu_sessions_refused_total", "", "Inbound SMTP connections refused at connect.")  \
	COUNTER(REFUSED_CONNECT, "hangu_refusals_total", "stage=\"connect\"", "Refusals of inbound peers, by where they stood.") \
	COUNTER(REFUSED_HELO, "hangu_refusals_total", "stage=\"helo\"", "")                                           \
	COUNTER(REFUSED_TLS, "hangu_refusals_total", "stage=\"tls\"", "")                                             \
	COUNTER(REFUSED_AUTH, "hangu_refusals_total", "stage=\"auth\"", "")                                           \
	COUNTER(REFUSED_MAIL, "hangu_refusals_total", "stage=\"mail\"", "")                                           \
	COUNTER(REFUSED_RCPT, "hangu_refusals_total", "stage=\"rcpt\"", "")                                           \
	COUNTER(REFUSED_DATA, "hangu_refusals_total", "stage=\"data\"", "")                                           \
	COUNTER(REFUSED_MESSAGE, "hangu_refusals_total", "stage=\"message\"", "")                                     \
	COUNTER(TLS_OK, "hangu_tls_handshakes_total", "result=\"ok\"", "Inbound TLS handshakes.")                      \
	COUNTER(TLS_FAILED, "hangu_tls_handshakes_total", "result=\"failed\"", "")                                     \
	COUNTER(AUTH_OK, "hangu_auth_total", "result=\"ok\"", "Authentication attempts.")                              \
	COUNTER(AUTH_FAILED, "hangu_auth_total", "result=\"failed\"", "")                                              \
	COUNTER(SMTP_ERRORS, "hangu_smtp_errors_total", "", "SMTP commands answered with 5xx for their form or order.") \
	COUNTER(SMTP_SMUGGLING, "hangu_smtp_bare_newline_total", "", "Sessions ended for a bare CR, bare LF or NUL.")  \
	COUNTER(STARTTLS_INJECTION, "hangu_starttls_injection_total", "", "Sessions ended for plaintext behind STARTTLS.") \
	COUNTER(EARLY_TALKERS, "hangu_early_talkers_total", "", "Peers that spoke before the greeting.")               \
	COUNTER(SESSION_TIMEOUTS, "hangu_session_timeouts_total", "", "Sessions ended because the peer was idle too long.") \
	COUNTER(PEER_LIMITED, "hangu_peer_limited_total", "", "Connections or commands refused by a limit per peer.")  \
	COUNTER(RECIPIENTS_ACCEPTED, "hangu_recipients_total", "result=\"accepted\"", "Recipients named by inbound peers.") \
	COUNTER(RECIPIENTS_UNKNOWN, "hangu_recipients_total", "result=\"unknown\"", "")                                \
	COUNTER(RECIPIENTS_RELAY, "hangu_recipients_total", "result=\"relay_denied\"", "")                             \
	COUNTER(RECIPIENTS_DEFERRED, "hangu_recipients_total", "result=\"deferred\"", "")                              \
	COUNTER(MESSAGES_ACCEPTED, "hangu_messages_total", "result=\"accepted\"", "Messages that reached their final dot.") \
	COUNTER(MESSAGES_REJECTED, "hangu_messages_total", "result=\"rejected\"", "")                                  \
	COUNTER(MESSAGES_DEFERRED, "hangu_messages_total", "result=\"deferred\"", "")                                  \
	COUNTER(MESSAGES_HELD, "hangu_messages_held_total", "", "Messages held in quarantine when they were accepted.") \
	COUNTER(MESSAGES_TOO_LARGE, "hangu_messages_too_large_total", "", "Messages over the size limit.")             \
	COUNTER(MESSAGE_BYTES, "hangu_message_bytes_total", "", "Bytes of the messages accepted.")                     \
	COUNTER(SLAB_FULL, "hangu_slab_full_total", "", "Messages deferred because the memory for messages was full.") \
	COUNTER(SCANS, "hangu_scans_total", "", "Messages scanned.")                                                   \
	COUNTER(SCAN_TIMEOUTS, "hangu_scan_failures_total", "cause=\"deadline\"", "Scans that did not answer well.")   \
	COUNTER(SCAN_CRASHES, "hangu_scan_failures_total", "cause=\"crash\"", "")                                      \
	COUNTER(SCAN_BAD_ANSWERS, "hangu_scan_failures_total", "cause=\"bad_answer\"", "")                             \
	COUNTER(SCAN_UNSCANNABLE, "hangu_scan_unscannable_total", "", "Messages held because two scans of them failed.") \
	COUNTER(JOURNAL_GROUPS, "hangu_journal_groups_total", "", "Group commits written.")                            \
	COUNTER(JOURNAL_SYNCS, "hangu_journal_syncs_total", "", "fdatasync calls of the journal.")                     \
	COUNTER(JOURNAL_RECORDS, "hangu_journal_records_total", "", "Records appended to the journal.")                \
	COUNTER(JOURNAL_BYTES, "hangu_journal_bytes_total", "", "Bytes appended to the journal.")                      \
	COUNTER(JOURNAL_FULL, "hangu_journal_full_total", "", "MAIL commands refused because the disk was full.")      \
	COUNTER(JOURNAL_FAILED, "hangu_journal_failures_total", "", "Writes or syncs of the journal that failed.")     \
	COUNTER(DELIVERED, "hangu_deliveries_total", "result=\"delivered\"", "Delivery attempts, per recipient.")      \
	COUNTER(DELIVERY_DEFERRED, "hangu_deliveries_total", "result=\"deferred\"", "")                                \
	COUNTER(DELIVERY_FAILED, "hangu_deliveries_total", "result=\"failed\"", "")                                    \
	COUNTER(DELIVERY_UNCERTAIN, "hangu_deliveries_total", "result=\"uncertain\"", "")                              \
	COUNTER(DELIVERY_EXPIRED, "hangu_deliveries_total", "result=\"expired\"", "")                                  \
	COUNTER(DELIVERY_CONNECTIONS, "hangu_delivery_connections_total", "", "Outbound connections opened.")          \
	COUNTER(DELIVERY_REUSED, "hangu_delivery_reused_total", "", "Messages sent on a connection that was already open.") \
	COUNTER(BOUNCES, "hangu_bounces_total", "", "Delivery status notifications made.")                             \
	COUNTER(LOOPS, "hangu_loops_total", "", "Messages refused because they went in circles.")                      \
	COUNTER(DNS_QUESTIONS, "hangu_dns_questions_total", "", "Questions asked of the resolver.")                    \
	COUNTER(DNS_FAILED, "hangu_dns_failures_total", "", "Questions that the resolver could not answer.")           \
	COUNTER(RELOADS_OK, "hangu_reloads_total", "result=\"ok\"", "Reloads of the settings.")                        \
	COUNTER(RELOADS_REFUSED, "hangu_reloads_total", "result=\"refused\"", "")                                      \
	COUNTER(ROLE_RESTARTS, "hangu_role_restarts_total", "", "Processes started again after they ended by themselves.") \
	COUNTER(BOX_BREACHES, "hangu_box_breaches_total", "", "Processes killed by the kernel for leaving their box.") \
	COUNTER(PROJECTED, "hangu_records_projected_total", "", "Journal records projected into the store.")           \
	COUNTER(LOG_DROPPED, "hangu_log_dropped_total", "", "Log lines that could not be written.")

/* GAUGE(word, family, labels, help): goes up and down; set to 0 when its process is replaced. */
#define GAUGE_TABLE(GAUGE)                                                                                             \
	GAUGE(SESSIONS_OPEN, "hangu_sessions_open", "", "Inbound SMTP connections open now.")                          \
	GAUGE(SLAB_BYTES, "hangu_slab_bytes", "", "Bytes of messages in memory now.")                                  \
	GAUGE(QUEUE_MESSAGES, "hangu_queue_messages", "", "Messages that still owe an outcome to a recipient.")        \
	GAUGE(QUEUE_RECIPIENTS, "hangu_queue_recipients", "", "Recipients that still wait for an outcome.")            \
	GAUGE(QUEUE_HELD, "hangu_queue_held", "", "Recipients whose message is held now.")                                  \
	GAUGE(QUEUE_OLDEST_S, "hangu_queue_oldest_seconds", "", "Age of the oldest message in the queue.")             \
	GAUGE(DELIVERIES_OPEN, "hangu_delivery_connections_open", "", "Outbound connections open now.")                \
	GAUGE(SCANNERS_UP, "hangu_scanners_up", "", "Scanners that take messages now.")                                \
	GAUGE(JOURNAL_FREE_BYTES, "hangu_journal_free_bytes", "", "Free bytes on the journal's disk.")                 \
	GAUGE(JOURNAL_SEGMENTS, "hangu_journal_segments", "", "Segment files of the journal.")                         \
	GAUGE(PROJECTION_LAG, "hangu_projection_lag_bytes", "", "Bytes of journal not yet projected.")                 \
	GAUGE(CERTIFICATE_DAYS, "hangu_certificate_days", "", "Days until the first of our certificates expires.")     \
	GAUGE(DEGRADED, "hangu_degraded", "", "1 while an announced degraded mode is in force.")                       \
	GAUGE(START_SECONDS, "hangu_start_time_seconds", "", "When the supervisor started, in seconds since 1970.")

/* HISTOGRAM(word, family, help): durations in microseconds, written as seconds; bounds are powers of two from 64 us to 34 s. */
#define HISTOGRAM_TABLE(HISTOGRAM)                                                                                     \
	HISTOGRAM(ACCEPT, "hangu_accept_seconds", "From the final dot to its answer.")                                 \
	HISTOGRAM(SCAN, "hangu_scan_seconds", "From the request to the findings.")

#define COUNTERS_WORD_3(word, family, labels, help) COUNT_##word,
#define COUNTERS_GAUGE_3(word, family, labels, help) GAUGE_##word,
#define COUNTERS_HISTOGRAM_2(word, family, help) HISTOGRAM_##word,

enum counter {
	COUNTER_TABLE(COUNTERS_WORD_3)
	COUNT_COUNT
};

enum gauge {
	GAUGE_TABLE(COUNTERS_GAUGE_3)
	GAUGE_COUNT
};

enum histogram {
	HISTOGRAM_TABLE(COUNTERS_HISTOGRAM_2)
	HISTOGRAM_COUNT
};

#define HISTOGRAM_FIRST_US    64u
#define HISTOGRAM_BUCKETS     21u /* the last one has no upper bound */
#define COUNTERS_PAGES_MAX    72u

/* One process's numbers. Fields are written through the functions below only. */
struct counters_page {
	_Atomic uint64_t counters[COUNT_COUNT];
	_Atomic int64_t  gauges[GAUGE_COUNT];
	struct {
		_Atomic uint64_t buckets[HISTOGRAM_BUCKETS];
		_Atomic uint64_t sum_us;
	} histograms[HISTOGRAM_COUNT];
};

/* The page this process adds to; a private one until counters_use() is called. Never NULL. */
extern struct counters_page *counters_mine;

/*
 * `count` pages (1 to COUNTERS_PAGES_MAX) in memory that forked children share. RC_NOMEM, RC_LIMIT. Never given back: they
 * live as long as the supervisor.
 */
MUST_CHECK enum rc counters_make(size_t count, struct counters_page **out);
/* From now on this process adds to `page`. Called by a role at its start, before threads. */
void counters_use(struct counters_page *page);
/* Set the gauges of a page to 0: its process is gone. */
void counters_forget_gauges(struct counters_page *page);

static inline void counter_add(enum counter which, uint64_t number)
{
	atomic_fetch_add_explicit(&counters_mine->counters[which], number, memory_order_relaxed);
}

static inline void counter_up(enum counter which)
{
	counter_add(which, 1);
}

static inline void gauge_add(enum gauge which, int64_t number)
{
	atomic_fetch_add_explicit(&counters_mine->gauges[which], number, memory_order_relaxed);
}

static inline void gauge_set(enum gauge which, int64_t number)
{
	atomic_store_explicit(&counters_mine->gauges[which], number, memory_order_relaxed);
}

void histogram_add(enum histogram which, uint64_t us);

/* The sum over `count` pages. */
uint64_t counters_sum(const struct counters_page *pages, size_t count, enum counter which);
int64_t  counters_gauge_sum(const struct counters_page *pages, size_t count, enum gauge which);

/* All numbers of all pages as Prometheus text (version 0.0.4), roles summed. Check out->failed. */
void counters_write(const struct counters_page *pages, size_t count, struct buf *out);

#endif
