/* The walk of `hangu verify`: the reader with every check on, and the snapshots. */
#include "journal/verify.h"

#include "journal/reader.h"
#include "journal/segment.h"
#include "journal/snapshot.h"

static void count_group(struct journal_verdict *verdict, const struct journal_record *records, size_t count)
{
	verdict->groups++;
	verdict->records += count;
	for (size_t i = 0; i < count; i++) {
		if (!journal_record_is_body(&records[i]))
			continue;
		if ((records[i].flags & JOURNAL_FLAG_DROPPED) != 0) {
			verdict->bodies_dropped++;
		} else {
			verdict->bodies++;
			verdict->body_bytes += records[i].place.bytes;
		}
	}
}

/* Every snapshot there is; bad ones are counted, for a start passes them over. Only an unreadable disk is an error. */
static enum rc check_snapshots(struct journal_disk *disk, struct journal_verdict *verdict)
{
	struct journal_numbers numbers;
	enum rc                rc = journal_numbers_list(disk, JOURNAL_NAME_SNAPSHOT, &numbers);
	uint32_t               bad = 0;
	uint64_t               before = 0;
	const uint64_t         there = numbers.count;

	journal_numbers_done(&numbers);
	while (rc == RC_OK) {
		struct buf          file;
		struct journal_mark mark;
		struct slice        blob;
		rc = journal_snapshot_load(disk, NULL, before, &file, &mark, &blob, &bad);
		if (rc == RC_OK) {
			buf_done(&file);
			verdict->snapshots++;
			before = mark.position.seq;
		}
	}
	verdict->snapshots_bad = there >= verdict->snapshots ? there - verdict->snapshots : 0;
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

static enum rc look_at_segment(struct journal_disk *disk, uint64_t number, struct journal_verdict *verdict)
{
	struct journal_segment_head head;
	struct journal_file        *file;

	const enum rc rc = journal_segment_open(disk, number, JOURNAL_OPEN_READ, &file, &head);
	if (rc != RC_OK)
		return rc;
	disk->calls->close(disk, file);
	verdict->segments++;
	verdict->compacted += (head.flags & JOURNAL_SEGMENT_FLAG_COMPACTED) != 0;
	return RC_OK;
}

enum rc journal_verify(struct journal_disk *disk, void (*progress)(void *context, uint64_t segment), void *context,
                       struct journal_verdict *out, struct fault *fault)
{
	struct journal_reader       *reader;
	const struct journal_record *records;
	size_t                       count;
	uint64_t                     segment = 0;

	*out = (struct journal_verdict){ .segments = 0 };
	enum rc rc = journal_reader_open(disk, NULL, JOURNAL_CHECK_ALL, fault, &reader);
	if (rc != RC_OK)
		return rc;
	out->first = journal_reader_mark(reader);
	while ((rc = journal_reader_next(reader, NULL, &records, &count, fault)) == RC_OK) {
		count_group(out, records, count);
		if (records[0].place.position.segment == segment)
			continue;
		if (segment != 0 && progress != NULL)
			progress(context, segment);
		segment = records[0].place.position.segment;
		rc = look_at_segment(disk, segment, out);
		if (rc != RC_OK)
			break;
	}
	out->end = journal_reader_mark(reader);
	if (rc == RC_CLOSED)
		out->cut_bytes = journal_reader_end(reader).cut_bytes;
	else if (rc == RC_CORRUPT)
		out->bad = journal_reader_end(reader).bad;
	if (progress != NULL && segment != 0)
		progress(context, segment);
	journal_reader_close(&reader);
	return rc == RC_CLOSED ? check_snapshots(disk, out) : rc;
}
