/*
 * The loop of the records role: the journal's news, questions, the supervisor. One thread: a batch of the journal is bounded, so that a
 * question never waits for more than one.
 */
#include "records/records.h"

#include "base/memory.h"
#include "journal/reader.h"
#include "records/metrics.h"
#include "records/project.h"
#include "records/trace_wire.h"
#include "records/wire.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/ipc.h"
#include "sys/log.h"
#include "sys/role_wire.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define STORE_PATH "records.db"
#define BAD_STORES_MAX 100u
#define CLIENTS_MAX 16u
#define BATCH_GROUPS 2000u
#define PROJECT_ARENA_BYTES ((size_t)4 << 20)
#define RETRY_MS 1000
#define SEND_WAIT_MS 5000u

struct records {
	const struct role_start *start;
	struct journal_disk     *disk;
	struct journal_reader   *reader;
	struct store            *store;
	struct metrics          *metrics;
	struct journal_mark      durable;  /* what gate said last; zero: nothing yet */
	bool                     behind;   /* there is more to read before `durable` */
	bool                     rebuilt;  /* because the journal did not fit the store: once a life */
	uint64_t                 generation;
	uint64_t                 skipped;
	int                      peer;     /* gate's news; -1: none */
	int                      clients[CLIENTS_MAX];
	struct arena             arena;
	struct buf               frame;
	uint8_t                  room[IPC_FRAME_MAX];
};

/* ---- open ---- */

/* Out of the way under the first free name; what was in it comes back from the journal. */
static enum rc set_aside(void)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	char                     from[64], to[64];

	for (unsigned number = 1; number <= BAD_STORES_MAX; number++) {
		(void)snprintf(to, sizeof to, STORE_PATH ".bad-%u", number);
		if (access(to, F_OK) == 0)
			continue;
		for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
			(void)snprintf(from, sizeof from, STORE_PATH "%s", parts[i]);
			(void)snprintf(to, sizeof to, STORE_PATH ".bad-%u%s", number, parts[i]);
			if (rename(from, to) != 0 && i == 0)
				return RC_IO;
		}
		return RC_OK;
	}
	return RC_LIMIT;
}

static enum rc open_store(struct records *records, struct journal_mark *mark, struct buf *why)
{
	struct fault fault = { .rc = RC_OK };
	enum rc      rc = store_sqlite_open(STORE_PATH, &fault, &records->store);

	if (rc == RC_OK)
		rc = records->store->calls->mark(records->store, mark);
	if (rc == RC_CORRUPT) {
		store_close(&records->store);
		rc = set_aside();
		if (rc == RC_OK)
			rc = store_sqlite_open(STORE_PATH, &fault, &records->store);
		if (rc == RC_OK)
			rc = records->store->calls->mark(records->store, mark);
	}
	if (rc != RC_OK) {
		buf_put_str(why, "the store cannot be opened (");
		buf_put_str(why, rc_word(rc));
		buf_printf(why, ", sqlite %lld)", (long long)fault.number);
	}
	return rc;
}

/* From the store's mark on; a journal that is not the one the mark was made from makes the store worthless. */
static enum rc open_reader(struct records *records, const struct journal_mark *mark)
{
	const bool empty = mark->position.seq == 0;

	return journal_reader_open(records->disk, empty ? NULL : mark, JOURNAL_CHECK_NO_BODIES, NULL, &records->reader);
}

enum rc records_open(const struct role_start *start, struct buf *why, struct records **out)
{
	struct records     *records = memory_take(1, sizeof *records);
	struct journal_mark mark;

	if (records == NULL)
		return RC_NOMEM;
	records->start = start;
	records->peer = start->peer;
	records->generation = start->generation;
	records->frame = buf_make(TRACE_FRAME_MAX);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		records->clients[i] = -1;
	enum rc rc = arena_init(&records->arena, TRACE_ARENA_BYTES);
	if (rc == RC_OK)
		rc = journal_disk_open_at(start->journal_dir, &records->disk);
	if (rc == RC_OK)
		rc = open_store(records, &mark, why);
	/* The gate may be making the journal's first segment at this moment: the reader is opened with the first news then. */
	if (rc == RC_OK)
		(void)!open_reader(records, &mark);
	if (rc != RC_OK) {
		memory_give(records);
		return rc;
	}
	*out = records;
	return RC_OK;
}

/* ---- following the journal ---- */

static enum rc rebuild(struct records *records)
{
	struct buf          why = buf_make(256);
	struct journal_mark mark;

	journal_reader_close(&records->reader);
	store_close(&records->store);
	enum rc rc = set_aside();
	if (rc == RC_OK)
		rc = open_store(records, &mark, &why);
	buf_done(&why);
	return rc == RC_OK ? open_reader(records, &mark) : rc;
}

/*
 * One bounded batch as one transaction. *ret_more: the durable position was not reached. *ret_read: how reading the journal ended, apart
 * from what the store says.
 */
static enum rc project_batch(struct records *records, bool *ret_more, enum rc *ret_read)
{
	const struct journal_record *group;
	size_t                       count;
	uint64_t                     projected = 0;
	enum rc                      rc = records->store->calls->begin(records->store);
	enum rc                      read = RC_OK;

	*ret_more = false;
	if (rc != RC_OK)
		return rc;
	for (unsigned groups = 0; rc == RC_OK && groups < BATCH_GROUPS; groups++) {
		read = journal_reader_next(records->reader, &records->durable.position, &group, &count, NULL);
		if (read != RC_OK)
			break;
		for (size_t i = 0; rc == RC_OK && i < count; i++) {
			if (group[i].type < JOURNAL_TYPE_OWN && !journal_record_is_body(&group[i]))
				rc = project_record(records->store, &group[i], &records->arena, &records->skipped);
			projected++;
		}
	}
	if (rc == RC_OK) {
		const struct journal_mark mark = journal_reader_mark(records->reader);
		rc = records->store->calls->commit(records->store, &mark);
	}
	if (rc != RC_OK)
		records->store->calls->abort(records->store);
	counter_add(COUNT_PROJECTED, projected);
	*ret_more = rc == RC_OK && read == RC_OK;
	*ret_read = read;
	return rc;
}

/* Where the store ended is where reading goes on. RC_OK with no reader: the journal cannot be read there; it is not the store's fault. */
static enum rc begin_reading(struct records *records)
{
	struct journal_mark mark;
	enum rc             rc = records->store->calls->mark(records->store, &mark);

	if (rc == RC_OK)
		rc = open_reader(records, &mark);
	/* The mark's segment is gone, or says something else: another journal. */
	if ((rc == RC_NOTFOUND || rc == RC_CORRUPT) && mark.position.seq != 0)
		rc = rebuild(records);
	return rc;
}

static enum rc catch_up(struct records *records)
{
	enum rc read = RC_OK;
	enum rc rc = RC_OK;

	if (records->durable.position.seq == 0)
		return RC_OK;
	if (records->reader == NULL)
		rc = begin_reading(records);
	if (rc != RC_OK)
		return rc;
	const uint64_t before = journal_reader_mark(records->reader).position.seq;
	rc = project_batch(records, &records->behind, &read);
	if (rc == RC_CORRUPT)
		return rebuild(records);
	/* What was read of a batch that the store did not take is to be read again: from the store's own mark. */
	if (rc != RC_OK) {
		journal_reader_close(&records->reader);
		records->behind = true;
		return rc;
	}
	const uint64_t reached = journal_reader_mark(records->reader).position.seq;
	gauge_set(GAUGE_PROJECTION_LAG, (int64_t)(records->durable.position.seq - reached));
	if (read == RC_OK || read == RC_AGAIN)
		return RC_OK;
	/*
	 * Reading stopped before the durable position. A store that was never read from this journal finds out at its first step; anything
	 * later is damage of the journal, which no new store would mend: begin again at the mark, and say how it stands.
	 */
	journal_reader_close(&records->reader);
	records->behind = true;
	return read == RC_CORRUPT && reached == before && !records->rebuilt ? (records->rebuilt = true, rebuild(records)) : read;
}

static void take_news(struct records *records)
{
	struct ipc_frame    frame;
	struct journal_mark mark;
	enum rc             rc;

	while ((rc = ipc_receive(records->peer, records->room, sizeof records->room, 0, &frame)) == RC_OK) {
		if (records_durable_read(frame.bytes, &mark) == RC_OK) {
			records->durable = mark;
			records->behind = true;
		}
	}
	if (rc == RC_AGAIN)
		return;
	(void)close(records->peer);
	records->peer = -1;
}

/* ---- questions ---- */

struct asking {
	struct records *records;
	int             client;
	bool            broken;
};

static void send_frame(struct asking *asking)
{
	const struct slice bytes = buf_slice(&asking->records->frame);

	while (!asking->broken) {
		const enum rc rc = asking->records->frame.failed ? RC_NOMEM : ipc_send(asking->client, bytes, NULL, 0);
		if (rc == RC_OK)
			return;
		/* A reader that does not read is given up; nobody else shall wait for it longer. */
		asking->broken = rc != RC_AGAIN || ipc_wait(asking->client, 1, SEND_WAIT_MS) != RC_OK;
	}
}

static void send_trace(void *context, const struct store_trace *trace)
{
	struct asking *asking = context;

	trace_message_put(&asking->records->frame, trace);
	send_frame(asking);
}

static void send_refusal(void *context, const struct store_refusal *refusal)
{
	struct asking *asking = context;

	trace_refusal_put(&asking->records->frame, refusal);
	send_frame(asking);
}

static bool answer(struct records *records, int client, struct slice question)
{
	struct asking       asking = { .records = records, .client = client };
	struct store_filter filter;
	enum trace_question what;
	enum rc             rc = trace_question_read(question, &what, &filter);

	if (rc == RC_OK && what == TRACE_ASK_MESSAGES)
		rc = records->store->calls->trace(records->store, &filter, &records->arena, send_trace, &asking);
	else if (rc == RC_OK)
		rc = records->store->calls->refusals(records->store, &filter, &records->arena, send_refusal, &asking);
	trace_end_put(&records->frame, rc, rc == RC_OK ? SLICE("") : SLICE("the question could not be answered"));
	send_frame(&asking);
	return !asking.broken;
}

static void serve_client(struct records *records, size_t index)
{
	struct ipc_frame frame;
	const enum rc    rc = ipc_receive(records->clients[index], records->room, sizeof records->room, 0, &frame);

	if (rc == RC_AGAIN || (rc == RC_OK && answer(records, records->clients[index], frame.bytes)))
		return;
	(void)close(records->clients[index]);
	records->clients[index] = -1;
}

static void accept_client(struct records *records)
{
	struct ipc_peer peer;
	int             fd = -1;
	size_t          free_place = 0;

	const enum rc rc = ipc_accept_trusted(records->start->commands, &fd, &peer);
	if (rc != RC_OK && rc != RC_DENIED)
		return;
	while (free_place < CLIENTS_MAX && records->clients[free_place] >= 0)
		free_place++;
	if (free_place == CLIENTS_MAX || rc != RC_OK) {
		log_warning(LOG_EVENT("control.refused"), LOG_NUMBER("full", free_place == CLIENTS_MAX));
		file_close(&fd);
		return;
	}
	records->clients[free_place] = fd;
}

/* ---- the supervisor ---- */

/* True when the role shall end. Settings of records are read at its start only: it is told of new ones and agrees. */
static bool obey(struct records *records)
{
	struct role_message message;
	enum rc             rc;

	while ((rc = role_wire_receive(records->start->control, records->room, &message)) == RC_OK) {
		switch (message.word) {
		case ROLE_SAYS_PREPARE:
			(void)close(message.fd);
			for (size_t i = 0; i < message.listener_count; i++)
				(void)close(message.listeners[i].fd);
			(void)!role_wire_say(records->start->control, ROLE_SAYS_PREPARED, message.generation);
			break;
		case ROLE_SAYS_SWITCH:
			records->generation = message.generation;
			(void)!role_wire_say(records->start->control, ROLE_SAYS_SWITCHED, message.generation);
			break;
		case ROLE_SAYS_PEER:
			if (records->peer >= 0)
				(void)close(records->peer);
			records->peer = message.fd;
			break;
		case ROLE_SAYS_DRAIN:
			return true;
		case ROLE_SAYS_SCANNER:
			(void)close(message.fd);
			break;
		case ROLE_SAYS_ABORT:
		case ROLE_SAYS_READY:
		case ROLE_SAYS_PREPARED:
		case ROLE_SAYS_REFUSED:
		case ROLE_SAYS_SWITCHED:
		case ROLE_SAYS_DRAINED:
		case ROLE_SAYS_SICK:
		case ROLE_SAYS_KILL:
		case ROLE_SAYS_END:
			break;
		}
	}
	return rc != RC_AGAIN;
}

/* ---- run ---- */

enum { POLL_CONTROL, POLL_PEER, POLL_COMMANDS, POLL_CLIENTS, POLL_COUNT = POLL_CLIENTS + CLIENTS_MAX };

/* One turn: wait for something, or go on at once while behind. True when the role shall end. */
static bool turn(struct records *records, int wait_ms)
{
	struct pollfd fds[POLL_COUNT];

	fds[POLL_CONTROL] = (struct pollfd){ .fd = records->start->control, .events = POLLIN };
	fds[POLL_PEER] = (struct pollfd){ .fd = records->peer, .events = POLLIN };
	fds[POLL_COMMANDS] = (struct pollfd){ .fd = records->start->commands, .events = POLLIN };
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		fds[POLL_CLIENTS + i] = (struct pollfd){ .fd = records->clients[i], .events = POLLIN };
	if (poll(fds, POLL_COUNT, wait_ms) <= 0)
		return false;
	if (fds[POLL_CONTROL].revents != 0 && obey(records))
		return true;
	if (fds[POLL_PEER].revents != 0 && records->peer == fds[POLL_PEER].fd)
		take_news(records);
	if (fds[POLL_COMMANDS].revents != 0)
		accept_client(records);
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (fds[POLL_CLIENTS + i].revents != 0 && records->clients[i] == fds[POLL_CLIENTS + i].fd)
			serve_client(records, i);
	}
	return false;
}

int records_run(struct records *records)
{
	const struct role_start *start = records->start;
	enum rc                  rc = RC_OK;
	bool                     ended = false;

	if (start->metrics >= 0)
		rc = metrics_open(start->metrics, start->pages, start->page_count, &records->metrics);
	if (rc == RC_OK)
		rc = role_wire_say(start->control, ROLE_SAYS_READY, records->generation);
	while (rc == RC_OK && !ended) {
		ended = turn(records, records->behind ? 0 : -1);
		if (ended || !records->behind)
			continue;
		const enum rc caught = catch_up(records);
		/* Without a store there is nothing to answer from: begin anew. */
		if (records->store == NULL)
			break;
		/* A full disk or a busy store: mail flows on, and so do questions; try again in a moment. */
		if (caught != RC_OK)
			ended = turn(records, RETRY_MS);
	}
	metrics_close(&records->metrics);
	store_close(&records->store);
	if (ended)
		(void)!role_wire_say(start->control, ROLE_SAYS_DRAINED, records->generation);
	return ended ? 0 : 1;
}
