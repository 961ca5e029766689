/*
 * What the journal costs by itself: sessions that each hand over a message, wait until it is durable, and hand over
 * the next.
 *
 *   journal_bench FOLDER [bytes [sessions [messages [think_us]]]]
 *
 * FOLDER must be empty. Printed: messages a second, fdatasyncs a message, latency from submit to answer, processor
 * time of this process a message (user and system apart), and the time of a bare write + fdatasync of the same size
 * on the same file system.
 */
#include "base/memory.h"
#include "base/must.h"
#include "journal/body.h"
#include "journal/writer.h"
#include "sys/clock.h"
#include "sys/random.h"
#include "sys/threads.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define SESSIONS_MAX 1024u
#define EVENT_BYTES  600u
#define PROBES       200u

struct session {
	struct journal_writer *writer;
	struct journal_group   group;
	struct journal_item    items[2];
	struct slice           pieces[2];
	struct journal_group   outcome;
	struct journal_item    outcome_item;
	struct slice           outcome_piece;
	bool                   outcome_free;
	struct mutex          *lock;
	struct condition       answered;
	bool                   waiting;
	uint64_t               messages;
	uint64_t               think_us;
	uint32_t              *latency_us;
	pthread_t              thread;
};

static uint8_t event[EVENT_BYTES];

static void on_answer(struct journal_group *group, enum rc rc)
{
	struct session *session = LIST_OF(group, struct session, group);

	must(rc == RC_OK);
	mutex_lock(session->lock);
	session->waiting = false;
	condition_signal(&session->answered);
	mutex_unlock(session->lock);
}

static void on_outcome(struct journal_group *group, enum rc rc)
{
	struct session *session = LIST_OF(group, struct session, outcome);

	must(rc == RC_OK);
	mutex_lock(session->lock);
	session->outcome_free = true;
	condition_signal(&session->answered);
	mutex_unlock(session->lock);
}

static void *run_session(void *argument)
{
	struct session *session = argument;

	for (uint64_t i = 0; i < session->messages; i++) {
		if (session->think_us != 0)
			(void)usleep((unsigned)session->think_us);
		journal_writer_expect(session->writer, 1);
		const uint64_t start = clock_mono_us();
		session->waiting = true;
		session->group = (struct journal_group){
			.items = session->items,
			.item_count = 2,
			.announced = true,
			.answer = on_answer,
		};
		must(journal_writer_submit(session->writer, &session->group) == RC_OK);
		mutex_lock(session->lock);
		while (session->waiting)
			condition_wait(&session->answered, session->lock);
		session->latency_us[i] = (uint32_t)(clock_mono_us() - start);
		/* The outcome of this message, when the one before is through. */
		while (!session->outcome_free)
			condition_wait(&session->answered, session->lock);
		session->outcome_free = false;
		mutex_unlock(session->lock);
		journal_bodies_drop(journal_writer_bodies(session->writer), &session->items[0].place);
		session->outcome = (struct journal_group){
			.items = &session->outcome_item,
			.item_count = 1,
			.urgency = JOURNAL_LAZY,
			.answer = on_outcome,
		};
		must(journal_writer_submit(session->writer, &session->outcome) == RC_OK);
	}
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	const uint32_t *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

static void print_latency(const char *name, uint32_t *values, size_t count)
{
	qsort(values, count, sizeof *values, by_size);
	printf("%-28s p50 %6u us   p99 %6u us   max %6u us\n", name, values[count / 2], values[count * 99 / 100],
	       values[count - 1]);
}

/* A bare append of `bytes` and its fdatasync, in a file written before. */
static void probe(const char *folder, size_t bytes, const uint8_t *body)
{
	char     path[4096];
	uint32_t took[PROBES];

	must(snprintf(path, sizeof path, "%s/probe", folder) < (int)sizeof path);
	const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	must(file >= 0);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < PROBES; i++) {
			const uint64_t start = clock_mono_us();
			must(pwrite(file, body, bytes, (off_t)(i * bytes)) == (ssize_t)bytes);
			must(fdatasync(file) == 0);
			took[i] = (uint32_t)(clock_mono_us() - start);
		}
		print_latency(round == 0 ? "bare append, new blocks" : "bare append, used blocks", took, PROBES);
	}
	must(close(file) == 0);
	must(unlink(path) == 0);
}

static uint64_t timeval_us(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_usec;
}

int main(int argc, char **argv)
{
	const size_t   bytes = argc > 2 ? strtoul(argv[2], NULL, 10) : 4096;
	const unsigned sessions = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 20;
	const uint64_t messages = argc > 4 ? strtoull(argv[4], NULL, 10) : 20000;
	const uint64_t think_us = argc > 5 ? strtoull(argv[5], NULL, 10) : 0;

	if (argc < 2 || sessions == 0 || sessions > SESSIONS_MAX || bytes == 0) {
		fprintf(stderr, "usage: journal_bench FOLDER [bytes [sessions [messages [think_us]]]]\n");
		return 2;
	}
	must(digest_ready() == RC_OK);
	uint8_t *body = memory_take(1, bytes);
	must(body != NULL);
	random_bytes(body, bytes);
	probe(argv[1], bytes, body);

	struct journal_disk          *disk;
	struct journal_limits         limits = journal_limits_standard();
	struct journal_writer_options options = { .limits = &limits };
	struct journal_writer        *writer;
	struct fault                  fault = { .text = "" };
	must(journal_disk_open(argv[1], &disk) == RC_OK);
	options.disk = disk;
	if (getenv("JOURNAL_COMPRESS") != NULL)
		limits.compress_level = 1;
	if (journal_writer_open(&options, NULL, &fault, &writer) != RC_OK) {
		fprintf(stderr, "cannot open the journal: %s\n", fault.text);
		return 1;
	}
	must(journal_writer_start(writer) == RC_OK);

	struct mutex    lock;
	struct session *all = memory_take(sessions, sizeof *all);
	uint32_t       *latency = memory_take(messages + sessions, sizeof *latency);
	const uint64_t  each = messages / sessions;
	must(all != NULL && latency != NULL);
	mutex_init(&lock);
	(void)usleep(700000); /* the first spare segment is being made */
	struct rusage before, after;
	must(getrusage(RUSAGE_SELF, &before) == 0);
	const struct journal_writer_statistics first = journal_writer_statistics(writer);
	const uint64_t                         start = clock_mono_us();
	for (unsigned i = 0; i < sessions; i++) {
		struct session *session = &all[i];
		*session = (struct session){ .writer = writer,
			                     .lock = &lock,
			                     .messages = each,
			                     .think_us = think_us,
			                     .latency_us = latency + i * each,
			                     .outcome_free = true };
		condition_init(&session->answered);
		session->pieces[0] = slice_of(body, bytes);
		session->pieces[1] = slice_of(event, sizeof event);
		session->outcome_piece = slice_of(event, 120);
		session->items[0] =
			(struct journal_item){ .type = 1, .body = true, .pieces = session->pieces, .piece_count = 1 };
		session->items[1] = (struct journal_item){ .type = 2, .pieces = session->pieces + 1, .piece_count = 1 };
		session->outcome_item =
			(struct journal_item){ .type = 3, .pieces = &session->outcome_piece, .piece_count = 1 };
		must(pthread_create(&session->thread, NULL, run_session, session) == 0);
	}
	for (unsigned i = 0; i < sessions; i++)
		must(pthread_join(all[i].thread, NULL) == 0);
	const double seconds = (double)(clock_mono_us() - start) / 1e6;
	must(getrusage(RUSAGE_SELF, &after) == 0);
	const struct journal_writer_statistics sum = journal_writer_statistics(writer);
	journal_writer_close(&writer);
	journal_disk_close(&disk);

	const double count = (double)(each * sessions);
	print_latency("submit to answer", latency, each * sessions);
	printf("%zu bytes x %u sessions: %.0f messages/s, %.1f MB/s, %.3f syncs a message, %.0f us a sync\n", bytes,
	       sessions, count / seconds, count * (double)bytes / seconds / 1e6,
	       (double)(sum.syncs - first.syncs) / count,
	       (double)(sum.sync_us - first.sync_us) / (double)(sum.batches - first.batches));
	printf("processor time a message: user %.1f us, system %.1f us; segments %llu (%llu used before), compacted %llu\n",
	       (double)(timeval_us(after.ru_utime) - timeval_us(before.ru_utime)) / count,
	       (double)(timeval_us(after.ru_stime) - timeval_us(before.ru_stime)) / count,
	       (unsigned long long)sum.segments, (unsigned long long)sum.recycled, (unsigned long long)sum.compacted);
	memory_give(all);
	memory_give(latency);
	memory_give(body);
	return 0;
}
