/*
 * `hangu salvage`: a damaged journal made one that opens again, offline. What is lost is named message by message, and written out where
 * it can still be read.
 */
#include "tools/tool.h"

#include "base/arena.h"
#include "journal/event.h"
#include "journal/salvage.h"
#include "sys/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARENA_BYTES ((size_t)16 << 20)

struct salvaging {
	struct arena  arena;
	uid_t         owner; /* of the journal's folder: as whom its files are made */
	gid_t         group;
	int           folder; /* of --extract; -1: none */
	uint64_t      body_seq;
	struct digest body;   /* of the last body that was written there */
	uint64_t      messages, outcomes, others, written, unwritten;
};

/*
 * What is made in the journal's folder belongs to whom the gateway runs as; what is written out, to whoever asked. A change that fails
 * is told by the file that cannot be made then.
 */
static void become(uid_t user, gid_t group)
{
	if (user == 0 && (seteuid(0) != 0 || setegid(group) != 0))
		return;
	if (user != 0 && (setegid(group) != 0 || seteuid(user) != 0))
		return;
}

static void body_name(uint64_t seq, char out[FILE_NAME_MAX])
{
	(void)snprintf(out, FILE_NAME_MAX, "record-%" PRIu64 ".eml", seq);
}

/* Under the name of its record, until the message that follows gives it a better one. */
static void write_body(struct salvaging *salvaging, const struct journal_record *record)
{
	char    name[FILE_NAME_MAX];
	int     file = -1;
	enum rc rc;

	salvaging->body_seq = 0;
	if (salvaging->folder < 0)
		return;
	body_name(record->place.position.seq, name);
	if (getuid() == 0)
		become(0, 0);
	rc = file_open(salvaging->folder, name, FILE_CREATE, &file);
	if (rc == RC_OK)
		rc = file_write_at(file, record->payload, 0);
	file_close(&file);
	if (getuid() == 0)
		become(salvaging->owner, salvaging->group);
	if (rc != RC_OK) {
		salvaging->unwritten++;
		(void)tool_complain(0, "%s cannot be written: %s", name, rc == RC_EXISTS ? "it is there already" : tool_why(rc));
		return;
	}
	salvaging->written++;
	salvaging->body_seq = record->place.position.seq;
	salvaging->body = record->digest;
}

static bool name_body(struct salvaging *salvaging, const struct journal_record *record, const struct event_message *message)
{
	char       from[FILE_NAME_MAX], to[FILE_NAME_MAX];
	struct buf text = buf_make(EVENT_ID_TEXT);

	if (salvaging->body_seq == 0 || salvaging->body_seq + 1 != record->place.position.seq ||
	    !digest_eq(&salvaging->body, &message->body_digest))
		return false;
	event_id_put(&text, message->id);
	body_name(salvaging->body_seq, from);
	(void)snprintf(to, sizeof to, "%.*s.eml", (int)text.len, (const char *)text.ptr);
	buf_done(&text);
	if (getuid() == 0)
		become(0, 0);
	const enum rc rc = file_rename(salvaging->folder, from, salvaging->folder, to);
	if (getuid() == 0)
		become(salvaging->owner, salvaging->group);
	return rc == RC_OK;
}

static void tell_message(struct salvaging *salvaging, const struct journal_record *record, const struct event_message *message)
{
	salvaging->messages++;
	(void)fputs("lost      ", stdout);
	tool_print_id(message->id);
	(void)fputs("  ", stdout);
	tool_print_time(message->received_ms);
	(void)printf("  %" PRIu64 " bytes  <", message->body_size);
	tool_print_text(message->sender, 200);
	for (size_t i = 0; i < message->recipient_count; i++) {
		(void)fputs(i == 0 ? "> -> <" : ">, <", stdout);
		tool_print_text(message->recipients[i].address, 200);
	}
	(void)printf(">%s\n", name_body(salvaging, record, message) ? "  written out" : "");
}

static void tell_outcome(struct salvaging *salvaging, const struct event_outcome *outcome)
{
	salvaging->outcomes++;
	for (size_t i = 0; i < outcome->result_count; i++) {
		(void)fputs("outcome   ", stdout);
		tool_print_id(outcome->message);
		(void)printf("  recipient %" PRIu32 " %s at ", outcome->results[i].recipient, event_result_word(outcome->results[i].result));
		tool_print_time(outcome->at_ms);
		(void)putchar('\n');
	}
}

static void on_mended(void *context, uint64_t segment)
{
	(void)context;
	(void)printf("mended    segment %" PRIu64 ": its header was damaged and could be made again; nothing is lost by that\n", segment);
}

static void on_lost(void *context, uint64_t segment, const struct journal_record *record)
{
	struct salvaging    *salvaging = context;
	struct event_message message;
	struct event_outcome outcome;
	(void)segment;

	arena_reset(&salvaging->arena);
	if (journal_record_is_body(record)) {
		if ((record->flags & JOURNAL_FLAG_DROPPED) == 0)
			write_body(salvaging, record);
	} else if (record->type == EVENT_MESSAGE && event_message_read(record->payload, &salvaging->arena, &message) == RC_OK) {
		tell_message(salvaging, record, &message);
	} else if (record->type == EVENT_OUTCOME && event_outcome_read(record->payload, &salvaging->arena, &outcome) == RC_OK) {
		tell_outcome(salvaging, &outcome);
	} else {
		salvaging->others++;
	}
}

static void print_report(const struct salvaging *salvaging, const struct journal_salvage_report *report)
{
	if (!report->cut) {
		(void)puts(report->mended == 0 ? "whole: there was nothing to salvage" : "whole again");
		return;
	}
	(void)printf("damage    segment %" PRIu64 ", offset %" PRIu64 ", record %" PRIu64 "\n", report->bad.segment, report->bad.offset, report->bad.seq);
	if (report->kept_seq == 0)
		(void)puts("kept      nothing: a new journal has been begun");
	else
		(void)printf("kept      up to record %" PRIu64 "\n", report->kept_seq);
	(void)printf("aside     %" PRIu64 " files NUMBER.segment.damaged; remove them when nobody needs them any more\n", report->aside);
	(void)printf("lost      %" PRIu64 " messages, %" PRIu64 " outcomes, %" PRIu64 " other events, %" PRIu64 " records that cannot be read\n",
	             salvaging->messages, salvaging->outcomes, salvaging->others, report->dark);
	if (salvaging->folder >= 0)
		(void)printf("written   %" PRIu64 " messages as they were received; `hangu send` hands one to the gateway again\n", salvaging->written);
	if (salvaging->outcomes != 0)
		(void)puts("An outcome that is lost was not heard of: what is kept and was delivered after the damage is delivered again.");
}

static int salvage(struct salvaging *salvaging, const char *path)
{
	const struct journal_salvage_calls calls = { .context = salvaging, .mended = on_mended, .lost = on_lost };
	const struct journal_limits        limits = journal_limits_standard();
	struct journal_salvage_report      report;
	struct fault                       fault = { .rc = RC_OK };
	struct journal_disk               *disk;

	enum rc rc = journal_disk_open(path, &disk);
	if (rc != RC_OK)
		return tool_complain(TOOL_REFUSED, "%s: %s", path, tool_why(rc));
	rc = journal_salvage(disk, &limits, &calls, &report, &fault);
	journal_disk_close(&disk);
	if (rc == RC_NOTFOUND)
		return tool_complain(TOOL_REFUSED, "%s holds no journal; it lies in the folder `journal` of the state folder", path);
	if (rc != RC_OK)
		return tool_complain(TOOL_REFUSED, "%s: %s (%s)", path, fault.text == NULL ? "it failed" : fault.text, tool_why(rc));
	print_report(salvaging, &report);
	return salvaging->unwritten == 0 ? TOOL_DONE : TOOL_REFUSED;
}

int tool_salvage(const struct tool_options *options, int argc, char **argv)
{
	struct salvaging salvaging = { .folder = -1 };
	struct stat      about;
	(void)options;

	if (argc != 2 && !(argc == 4 && strcmp(argv[2], "--extract") == 0))
		return tool_usage("salvage");
	if (stat(argv[1], &about) != 0)
		return tool_complain(TOOL_REFUSED, "%s: %s", argv[1], tool_why(RC_NOTFOUND));
	salvaging.owner = about.st_uid;
	salvaging.group = about.st_gid;
	enum rc rc = argc == 4 ? file_dir_open(argv[3], &salvaging.folder) : RC_OK;
	if (rc != RC_OK)
		return tool_complain(TOOL_REFUSED, "%s: %s", argv[3], tool_why(rc));
	if (digest_ready() != RC_OK || arena_init(&salvaging.arena, ARENA_BYTES) != RC_OK)
		return tool_complain(TOOL_REFUSED, "no memory");
	if (getuid() == 0)
		become(salvaging.owner, salvaging.group);
	const int code = salvage(&salvaging, argv[1]);
	if (getuid() == 0)
		become(0, 0);
	arena_done(&salvaging.arena);
	file_close(&salvaging.folder);
	return code;
}
