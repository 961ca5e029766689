/* The rig: see the header. */
#include "harness/journal_rig.h"

#include "base/must.h"
#include "journal/segment.h"

struct one {
	struct journal_group group;
	struct rig          *rig;
	enum rc              rc;
};

static int64_t still_clock(void *context)
{
	(void)context;
	return 1700000000000;
}

static void on_durable(void *context, const struct journal_mark *reached)
{
	(void)reached;
	((struct rig *)context)->durable++;
}

static void on_failed(void *context, const struct fault *fault)
{
	(void)fault;
	((struct rig *)context)->failed++;
}

static void on_snapshot_due(void *context)
{
	((struct rig *)context)->snapshots_due++;
}

static void on_upkeep_failed(void *context, const struct fault *fault)
{
	(void)fault;
	((struct rig *)context)->upkeep_failed++;
}

static enum rc on_restore(void *context, struct slice blob, const struct journal_mark *mark)
{
	struct rig *rig = context;

	(void)mark;
	rig->count = 0;
	(void)slice_to_cstr(blob, rig->restored, sizeof rig->restored);
	return blob.len == 0 ? RC_OK : rig->restore_rc;
}

static enum rc on_apply(void *context, const struct journal_record *records, size_t count)
{
	struct rig *rig = context;

	for (size_t i = 0; i < count; i++) {
		must(rig->count < RIG_TEXTS_MAX);
		if (records[i].type == RIG_TYPE_TEXT)
			(void)slice_to_cstr(records[i].payload, rig->texts[rig->count++], RIG_TEXT_MAX);
	}
	return RC_OK;
}

void rig_open(struct rig *rig, uint64_t seed)
{
	*rig = (struct rig){ .sim = sim_disk_open(seed), .limits = journal_limits_standard() };
	must(rig->sim != NULL);
	must(digest_ready() == RC_OK);
	rig->disk = sim_disk_calls(rig->sim);
	rig->limits.segment_bytes = 64u << 10;
	rig->limits.free_floor_bytes = 0;
	rig->limits.prewrite = false;
}

void rig_stop(struct rig *rig)
{
	journal_writer_close(&rig->writer);
	if (!sim_disk_stopped(rig->sim))
		sim_disk_new_process(rig->sim);
}

void rig_close(struct rig *rig)
{
	journal_writer_close(&rig->writer);
	journal_disk_close(&rig->disk);
}

enum rc rig_start(struct rig *rig)
{
	const struct journal_writer_options options = {
		.disk = rig->disk,
		.limits = &rig->limits,
		.events = { .context = rig,
		            .durable = on_durable,
		            .failed = on_failed,
		            .snapshot_due = on_snapshot_due,
		            .upkeep_failed = on_upkeep_failed },
		.replay = { .context = rig, .restore = on_restore, .apply = on_apply },
		.now_ms = still_clock,
		.salvage = rig->salvage,
	};

	rig_stop(rig);
	rig->fault = (struct fault){ .text = "" };
	return journal_writer_open(&options, &rig->recovery, &rig->fault, &rig->writer);
}

static void on_answer(struct journal_group *group, enum rc rc)
{
	struct one *one = LIST_OF(group, struct one, group);

	one->rc = rc;
	if (rc == RC_OK)
		one->rig->after = group->after;
}

static enum rc write_items(struct rig *rig, struct journal_item *items, size_t count)
{
	struct one one = {
		.group = { .items = items, .item_count = count, .answer = on_answer },
		.rig = rig,
		.rc = RC_UNCERTAIN,
	};

	const enum rc rc = journal_writer_submit(rig->writer, &one.group);
	if (rc != RC_OK)
		return rc;
	journal_writer_step(rig->writer);
	return one.rc;
}

enum rc rig_write(struct rig *rig, const char *text)
{
	const struct slice  piece = slice_str(text);
	struct journal_item item = { .type = RIG_TYPE_TEXT, .pieces = &piece, .piece_count = 1 };

	return write_items(rig, &item, 1);
}

enum rc rig_write_body(struct rig *rig, struct slice body, const char *text, struct journal_place *out)
{
	const struct slice  piece = slice_str(text);
	struct journal_item items[] = {
		{ .type = RIG_TYPE_BODY, .body = true, .pieces = &body, .piece_count = 1 },
		{ .type = RIG_TYPE_TEXT, .pieces = &piece, .piece_count = 1 },
	};

	const enum rc rc = write_items(rig, items, 2);
	if (rc == RC_OK && out != NULL)
		*out = items[0].place;
	return rc;
}

const char *rig_segment(uint64_t number)
{
	static struct journal_file_name name;

	name = journal_name(JOURNAL_NAME_SEGMENT, number);
	return name.text;
}
