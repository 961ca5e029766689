/* `hangu verify`: the journal's chain, offline. */
#include "tools/tool.h"

#include "journal/verify.h"

#include <stdio.h>
#include <unistd.h>

static void progress(void *context, uint64_t segment)
{
	(void)context;
	if (isatty(STDERR_FILENO) == 1)
		(void)fprintf(stderr, "\rsegment %llu ", (unsigned long long)segment);
}

static void print_verdict(const struct journal_verdict *verdict)
{
	(void)printf("%llu segments (%llu compacted), %llu groups, %llu records\n", (unsigned long long)verdict->segments,
	             (unsigned long long)verdict->compacted, (unsigned long long)verdict->groups, (unsigned long long)verdict->records);
	(void)printf("%llu bodies match their digest (%llu bytes), %llu have been dropped\n", (unsigned long long)verdict->bodies,
	             (unsigned long long)verdict->body_bytes, (unsigned long long)verdict->bodies_dropped);
	(void)printf("%llu snapshots good, %llu bad\n", (unsigned long long)verdict->snapshots, (unsigned long long)verdict->snapshots_bad);
	if (verdict->cut_bytes != 0)
		(void)printf("%llu bytes behind the last whole record belong to no promise\n", (unsigned long long)verdict->cut_bytes);
	struct buf chain = buf_make(2 * DIGEST_SIZE);
	buf_put_hex(&chain, slice_of(verdict->end.chain.bytes, DIGEST_SIZE));
	(void)printf("chain %.*s at record %llu\n", (int)chain.len, (const char *)chain.ptr,
	             (unsigned long long)verdict->end.position.seq);
	buf_done(&chain);
}

int tool_verify(const struct tool_options *options, int argc, char **argv)
{
	struct journal_disk   *disk;
	struct journal_verdict verdict;
	struct fault           fault = { .rc = RC_OK };
	(void)options;

	if (argc != 2)
		return tool_usage("verify");
	enum rc rc = digest_ready();
	if (rc == RC_OK)
		rc = journal_disk_open(argv[1], &disk);
	if (rc != RC_OK)
		return tool_complain(TOOL_REFUSED, "%s: %s", argv[1], tool_why(rc));
	rc = journal_verify(disk, progress, NULL, &verdict, &fault);
	journal_disk_close(&disk);
	if (isatty(STDERR_FILENO) == 1)
		(void)fputs("\r                             \r", stderr);
	if (rc == RC_NOTFOUND && verdict.segments == 0)
		return tool_complain(TOOL_REFUSED, "%s holds no journal; it lies in the folder `journal` of the state folder", argv[1]);
	print_verdict(&verdict);
	if (rc == RC_OK) {
		(void)puts("whole");
		return TOOL_DONE;
	}
	return tool_complain(TOOL_REFUSED, "BAD at segment %llu, offset %llu, record %llu: %s (%s)",
	                     (unsigned long long)verdict.bad.segment, (unsigned long long)verdict.bad.offset,
	                     (unsigned long long)verdict.bad.seq, fault.text == NULL ? "unreadable" : fault.text, rc_word(rc));
}
