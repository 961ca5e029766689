/* Records: follows the journal into the store, answers `hangu trace` and the metrics. It reads the journal and writes its own folder. */
#include "daemon/roles.h"

#include "records/records.h"
#include "sys/log.h"
#include "sys/threads.h"

#include <unistd.h>

#define WHY_MAX 4096u

const struct sandbox records_box = {
	.role = "records", .calls = SANDBOX_CALLS_THREADS | SANDBOX_CALLS_FILES | SANDBOX_CALLS_LOOPS,
	.network = SANDBOX_NET_ACCEPT, .paths = SANDBOX_NO_PATHS, /* journal and records, by role_box() */
	.files_max = 4096, .core_dump = false,
};

int role_records(const struct role_start *start)
{
	struct buf      why = buf_make(WHY_MAX);
	struct records *records = NULL;

	/* SQLite names its files by path; the shortest one that the box allows begins here. */
	const enum rc rc = fchdir(start->records_dir) != 0 ? RC_IO : records_open(start, &why, &records);
	if (rc != RC_OK) {
		log_error(LOG_EVENT("records.failed"), LOG_TEXT("why", buf_slice(&why)), LOG_STR("rc", rc_word(rc)));
		return 1;
	}
	buf_done(&why);
	thread_stand_back(); /* it follows; on a machine with few processors it must not stand in the way of those who answer */
	if (!role_close_box(start))
		return 1;
	return records_run(records);
}
