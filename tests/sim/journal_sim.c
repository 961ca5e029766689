/*
 * The journal under a disk that stops, fails and forgets (tests/harness/sim_disk.h). A scripted run of messages,
 * outcomes, dropped bodies, snapshots, segment changes and compaction is repeated with the power going at each of its
 * operations, and with each of its operations failing. After each: what was acknowledged is there once, bodies that
 * are still owed read as they were, the chain verifies from end to end, and writing goes on.
 *
 *   journal_sim [stops | failures | all] [seeds]
 */
#include "base/cursor.h"
#include "base/memory.h"
#include "base/must.h"
#include "harness/sim_disk.h"
#include "journal/body.h"
#include "journal/verify.h"
#include "journal/writer.h"

#include <stdio.h>
#include <stdlib.h>

#define MESSAGES_MAX 4096u
#define GROUPS_MAX   16u
#define TYPE_BODY    1u
#define TYPE_MESSAGE 2u
#define TYPE_DONE    3u
#define BODY_MAX     3000u
#define SEGMENT      (12u << 10)

/* What the outside world was told. */
struct world {
	bool     accepted[MESSAGES_MAX]; /* RC_OK was answered for the message */
	bool     done[MESSAGES_MAX];     /* RC_OK was answered for its outcome */
	uint64_t tried;                  /* messages submitted so far */
	uint64_t acknowledged;
};

/* The fold over the journal: what a queue would know. */
struct fold {
	uint8_t              seen[MESSAGES_MAX];
	bool                 done[MESSAGES_MAX];
	struct journal_place place[MESSAGES_MAX];
	uint64_t             bad; /* groups that make no sense */
};

struct message {
	struct journal_group group;
	struct journal_item  items[2];
	struct slice         pieces[3];
	uint8_t              number[8];
	uint8_t              body[BODY_MAX];
	uint64_t             id;
	bool                 outcome;
	struct run          *run;
};

struct run {
	struct sim_disk                 *sim;
	struct world                    *world;
	struct fold                     *fold;
	struct journal_writer           *writer;
	struct journal_mark              applied;
	struct message                   messages[GROUPS_MAX];
	uint64_t                         random;
	struct journal_writer_statistics statistics; /* of the last writer */
};

static const char *where = "";
static uint64_t    where_number, where_seed;

#define CHECK(condition)                                                                                               \
	((condition) ? (void)0                                                                                         \
	             : (fprintf(stderr, "%s %llu, seed %llu: %s (line %d)\n", where, (unsigned long long)where_number, \
	                        (unsigned long long)where_seed, #condition, __LINE__),                                 \
	                exit(1)))

static uint64_t draw(struct run *run)
{
	uint64_t z = (run->random += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* A body can be told from its id alone; every fourth is easy to compress. */
static size_t body_of(uint64_t id, uint8_t *to)
{
	const size_t size = (size_t)(id * 7919 % BODY_MAX);

	for (size_t i = 0; i < size; i++)
		to[i] = id % 4 == 0 ? (uint8_t)('a' + i / 64 % 3) : (uint8_t)(id * 31 + i * i * 17 + i);
	return size;
}

static int64_t no_clock(void *context)
{
	(void)context;
	return 1700000000000;
}

static struct journal_limits limits(void)
{
	struct journal_limits l = journal_limits_standard();

	l.segment_bytes = SEGMENT;
	l.spare_segments = 2;
	l.snapshot_bytes = 8192;
	l.compress_level = 1;
	l.compress_from_bytes = 512;
	l.free_floor_bytes = 0;
	l.prewrite = false;
	return l;
}

/* The fold. */

static enum rc restore(void *context, struct slice blob, const struct journal_mark *mark)
{
	struct run   *run = context;
	struct cursor cursor = cursor_on(blob);

	memset(run->fold, 0, sizeof *run->fold);
	run->applied = *mark;
	while (cursor.rest.len != 0) {
		const uint64_t             id = cursor_u64(&cursor);
		const uint8_t              done = cursor_u8(&cursor);
		const struct journal_place place = journal_place_take(&cursor);
		if (cursor.failed || id >= MESSAGES_MAX)
			return RC_SYNTAX;
		run->fold->seen[id] = 1;
		run->fold->done[id] = done != 0;
		run->fold->place[id] = place;
	}
	return RC_OK;
}

static void store(const struct fold *fold, struct buf *out)
{
	for (uint64_t id = 0; id < MESSAGES_MAX; id++) {
		if (fold->seen[id] == 0)
			continue;
		cursor_put_u64(out, id);
		cursor_put_u8(out, fold->done[id]);
		journal_place_put(out, &fold->place[id]);
	}
}

static void fold_message(struct fold *fold, uint64_t id, const struct journal_place *place)
{
	if (fold->seen[id] != 255)
		fold->seen[id]++;
	fold->place[id] = *place;
}

static enum rc apply(void *context, const struct journal_record *records, size_t count)
{
	struct run   *run = context;
	struct cursor cursor = cursor_on(records[count - 1].payload);

	const uint64_t id = cursor_u64(&cursor);
	if (!cursor_ended(&cursor) || id >= MESSAGES_MAX)
		run->fold->bad++;
	else if (count == 2 && records[0].type == TYPE_BODY && records[1].type == TYPE_MESSAGE)
		fold_message(run->fold, id, &records[0].place);
	else if (count == 1 && records[0].type == TYPE_DONE)
		run->fold->done[id] = true;
	else
		run->fold->bad++;
	return RC_OK;
}

/* The writer at work. */

static void answer(struct journal_group *group, enum rc rc)
{
	struct message *message = LIST_OF(group, struct message, group);
	struct run     *run = message->run;

	if (rc != RC_OK)
		return;
	run->world->acknowledged++;
	run->applied = group->after;
	if (message->outcome) {
		run->world->done[message->id] = true;
		run->fold->done[message->id] = true;
		journal_bodies_drop(journal_writer_bodies(run->writer), &run->fold->place[message->id]);
	} else {
		run->world->accepted[message->id] = true;
		fold_message(run->fold, message->id, &message->items[0].place);
	}
}

static void submit_message(struct run *run, struct message *message, uint64_t id)
{
	const size_t size = body_of(id, message->body);
	struct buf   number = buf_make(8);

	cursor_put_u64(&number, id);
	memcpy(message->number, number.ptr, 8);
	buf_done(&number);
	message->id = id;
	message->run = run;
	message->outcome = false;
	/* The body in two pieces, to have both ways of giving it. */
	message->pieces[0] = slice_of(message->body, size / 3);
	message->pieces[1] = slice_of(message->body + size / 3, size - size / 3);
	message->pieces[2] = slice_of(message->number, 8);
	message->items[0] =
		(struct journal_item){ .type = TYPE_BODY, .body = true, .pieces = message->pieces, .piece_count = 2 };
	message->items[1] =
		(struct journal_item){ .type = TYPE_MESSAGE, .pieces = message->pieces + 2, .piece_count = 1 };
	message->group = (struct journal_group){ .items = message->items, .item_count = 2, .answer = answer };
	run->world->tried++;
	(void)(journal_writer_submit(run->writer, &message->group) == RC_OK);
}

static void submit_outcome(struct run *run, struct message *message, uint64_t id)
{
	struct buf number = buf_make(8);

	cursor_put_u64(&number, id);
	memcpy(message->number, number.ptr, 8);
	buf_done(&number);
	message->id = id;
	message->run = run;
	message->outcome = true;
	message->pieces[0] = slice_of(message->number, 8);
	message->items[0] = (struct journal_item){ .type = TYPE_DONE, .pieces = message->pieces, .piece_count = 1 };
	message->group = (struct journal_group){
		.items = message->items,
		.item_count = 1,
		.urgency = JOURNAL_LAZY,
		.answer = answer,
	};
	(void)(journal_writer_submit(run->writer, &message->group) == RC_OK);
}

/*
 * What a step leaves undelivered is picked up later; some wait long, so that holes are punched around them, few for
 * ever.
 */
static bool deliver_now(struct run *run, uint64_t id)
{
	if (run->fold->seen[id] != 1 || run->fold->done[id] || id % 50 == 49)
		return false;
	return id % 11 != 3 || run->world->tried > id + 80;
}

static void one_step(struct run *run)
{
	const uint64_t fresh = draw(run) % 4;
	size_t         used = 0;

	for (uint64_t i = 0; i < fresh; i++)
		submit_message(run, &run->messages[used++], run->world->tried);
	for (uint64_t id = 0; id < run->world->tried && used < GROUPS_MAX; id++) {
		if (deliver_now(run, id) && draw(run) % 2 == 0)
			submit_outcome(run, &run->messages[used++], id);
	}
	journal_writer_step(run->writer);
	if (journal_writer_snapshot_due(run->writer) && !journal_writer_failed(run->writer)) {
		struct buf blob = buf_make(JOURNAL_SNAPSHOT_BYTES_MAX);
		store(run->fold, &blob);
		if (journal_writer_snapshot(run->writer, &run->applied, &blob) != RC_OK)
			buf_done(&blob);
	}
}

/* Open, claim what is owed. */
static enum rc open_writer(struct run *run, struct fault *fault, struct journal_recovery *recovery)
{
	const struct journal_limits         l = limits();
	const struct journal_writer_options options = {
		.disk = sim_disk_calls(run->sim),
		.limits = &l,
		.replay = { .context = run, .restore = restore, .apply = apply },
		.now_ms = no_clock,
	};

	const enum rc rc = journal_writer_open(&options, recovery, fault, &run->writer);
	if (rc != RC_OK)
		return rc;
	for (uint64_t id = 0; id < MESSAGES_MAX; id++) {
		if (run->fold->seen[id] != 0 && !run->fold->done[id])
			CHECK(journal_bodies_claim(journal_writer_bodies(run->writer), &run->fold->place[id]) == RC_OK);
	}
	return RC_OK;
}

/* A run of `steps` from whatever is on the disk. False when the disk did not even let it open. */
static bool work(struct run *run, unsigned steps)
{
	struct fault fault;

	if (open_writer(run, &fault, NULL) != RC_OK)
		return false;
	for (unsigned i = 0; i < steps && !journal_writer_failed(run->writer); i++)
		one_step(run);
	run->statistics = journal_writer_statistics(run->writer);
	journal_writer_close(&run->writer);
	return true;
}

/* Truth and fold compared. */

static void check_body(struct run *run, uint64_t id)
{
	struct journal_body *body;
	uint8_t              want[BODY_MAX], got[BODY_MAX];
	const size_t         size = body_of(id, want);
	size_t               read = 0;

	CHECK(journal_body_open(journal_writer_bodies(run->writer), &run->fold->place[id], &body) == RC_OK);
	CHECK(journal_body_bytes(body) == size);
	for (size_t at = 0; at < size; at += read)
		CHECK(journal_body_read(body, at, got + at, 700, &read) == RC_OK && read != 0);
	CHECK(size == 0 || memcmp(want, got, size) == 0);
	journal_body_close(&body);
}

static void check_world(struct run *run)
{
	CHECK(run->fold->bad == 0);
	for (uint64_t id = 0; id < MESSAGES_MAX; id++) {
		CHECK(run->fold->seen[id] <= 1);
		CHECK(run->fold->seen[id] == 0 || id < run->world->tried);
		CHECK(!run->world->accepted[id] || run->fold->seen[id] == 1);
		CHECK(!run->world->done[id] || run->fold->done[id]);
		CHECK(!run->fold->done[id] || run->fold->seen[id] == 1);
		if (run->fold->seen[id] == 1 && !run->fold->done[id])
			check_body(run, id);
	}
}

static void check_chain(struct run *run)
{
	struct journal_verdict verdict;
	struct fault           fault = { .text = "" };

	const enum rc rc = journal_verify(sim_disk_calls(run->sim), NULL, NULL, &verdict, &fault);
	if (rc != RC_OK)
		fprintf(stderr, "verify: %s %s %lld\n", rc_word(rc), fault.text, (long long)fault.number);
	CHECK(rc == RC_OK);
	CHECK(verdict.bad.segment == 0);
}

/* After the disaster: open on a sound disk, compare, write on, open again, compare. */
static void aftermath(struct run *run)
{
	struct fault            fault = { .text = "" };
	struct journal_recovery recovery;

	const enum rc rc = open_writer(run, &fault, &recovery);
	if (rc != RC_OK)
		fprintf(stderr, "open: %s %s %lld\n", rc_word(rc), fault.text, (long long)fault.number);
	CHECK(rc == RC_OK);
	check_world(run);
	const uint64_t before = run->world->acknowledged;
	for (unsigned i = 0; i < 12; i++)
		one_step(run);
	CHECK(!journal_writer_failed(run->writer));
	CHECK(run->world->acknowledged > before);
	check_world(run);
	journal_writer_close(&run->writer);
	check_chain(run);

	sim_disk_power_cut(run->sim, SIM_LOSE_ALL);
	CHECK(open_writer(run, &fault, &recovery) == RC_OK);
	CHECK(recovery.cut_bytes == 0);
	check_world(run);
	journal_writer_close(&run->writer);
	check_chain(run);
}

static struct run *begin(uint64_t seed)
{
	struct run *run = memory_take(1, sizeof *run);

	must(run != NULL);
	run->sim = sim_disk_open(seed);
	run->world = memory_take(1, sizeof *run->world);
	run->fold = memory_take(1, sizeof *run->fold);
	must(run->sim != NULL && run->world != NULL && run->fold != NULL);
	run->random = seed;
	return run;
}

static void end(struct run **run)
{
	struct journal_disk *disk = sim_disk_calls((*run)->sim);

	journal_disk_close(&disk);
	memory_give((*run)->world);
	memory_give((*run)->fold);
	memory_give(*run);
	*run = NULL;
}

#define STEPS 130u

/* The run with nothing going wrong; how many operations it takes. */
static uint64_t undisturbed(uint64_t seed, bool print)
{
	struct run *run = begin(seed);

	CHECK(work(run, STEPS));
	const uint64_t operations = sim_disk_operations(run->sim);
	if (print)
		printf("  a run: %llu operations, %llu groups acknowledged, %llu segments begun (%llu in used files), %llu compacted, "
		       "%llu bytes punched, %llu snapshots\n",
		       (unsigned long long)operations, (unsigned long long)run->world->acknowledged,
		       (unsigned long long)run->statistics.segments, (unsigned long long)run->statistics.recycled,
		       (unsigned long long)run->statistics.compacted, (unsigned long long)run->statistics.punched_bytes,
		       (unsigned long long)run->statistics.snapshots);
	/* A script that does not come by everything proves nothing. */
	CHECK(run->statistics.recycled > 1 && run->statistics.compacted > 1 && run->statistics.snapshots > 1);
	CHECK(run->statistics.punched_bytes != 0 || seed != 1);
	sim_disk_new_process(run->sim);
	aftermath(run);
	end(&run);
	return operations;
}

static uint64_t stops(uint64_t seed)
{
	const uint64_t operations = undisturbed(seed, seed == 1);
	uint64_t       tried = 0;

	for (uint64_t number = 1; number <= operations; number++) {
		for (unsigned loss = 0; loss < SIM_LOSS_COUNT; loss++) {
			struct run *run = begin(seed);
			where = "power cut at operation";
			where_number = number;
			where_seed = seed * SIM_LOSS_COUNT + loss;
			sim_disk_stop_at(run->sim, number);
			(void)work(run, STEPS);
			CHECK(sim_disk_stopped(run->sim));
			sim_disk_power_cut(run->sim, (enum sim_loss)loss);
			/* Every third time the power goes again, during recovery. */
			if (number % 3 == 0) {
				sim_disk_stop_at(run->sim, sim_disk_operations(run->sim) + 1 + draw(run) % 60);
				(void)work(run, 2);
				sim_disk_power_cut(run->sim, (enum sim_loss)loss);
			}
			aftermath(run);
			end(&run);
			tried++;
		}
	}
	return tried;
}

static uint64_t failures(uint64_t seed)
{
	static const struct {
		const char *name;
		enum rc     rc;
		uint64_t    count;
	} kinds[] = {
		{ "EIO at operation", RC_IO, 1 },
		{ "ENOSPC at operation", RC_NOMEM, 1 },
		{ "EIO for a while from operation", RC_IO, 20 },
		{ "ENOSPC for a while from operation", RC_NOMEM, 20 },
	};
	const uint64_t operations = undisturbed(seed, false);
	uint64_t       tried = 0;

	for (uint64_t number = 1; number <= operations; number++) {
		for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
			struct run *run = begin(seed);
			where = kinds[kind].name;
			where_number = number;
			where_seed = seed;
			sim_disk_fail_at(run->sim, number, kinds[kind].count, kinds[kind].rc);
			(void)work(run, STEPS);
			/* The supervisor starts it again on the same page cache; then the power goes. */
			sim_disk_new_process(run->sim);
			(void)work(run, 6);
			sim_disk_power_cut(run->sim, (enum sim_loss)(number % SIM_LOSS_COUNT));
			aftermath(run);
			end(&run);
			tried++;
		}
	}
	return tried;
}

int main(int argc, char **argv)
{
	const char    *what = argc > 1 ? argv[1] : "all";
	const uint64_t seeds = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	uint64_t       tried = 0;

	must(digest_ready() == RC_OK);
	for (uint64_t seed = 1; seed <= seeds; seed++) {
		if (strcmp(what, "failures") != 0)
			tried += stops(seed);
		if (strcmp(what, "stops") != 0)
			tried += failures(seed);
	}
	printf("  %llu disasters survived\n", (unsigned long long)tried);
	return 0;
}
