/*
 * The journal's files by name, and a window through which records are read without asking the disk for each.
 *
 *   00000000000000000007.segment    records; numbered from 1 without gaps but at the front
 *   00000000000000000005.spare      an emptied or prepared segment file, to be used again; its number means nothing
 *   00000000000000000003.holes      bodies punched out of that segment (journal/holes.h)
 *   00000000000000001234.snapshot   number: seq of its mark
 *   00000000000000000007.segment.damaged   set aside by a salvage
 *   anything.new                    unfinished; removed at the next start
 *   lock
 */
#ifndef JOURNAL_SEGMENT_H
#define JOURNAL_SEGMENT_H

#include "journal/disk.h"
#include "journal/record.h"

enum journal_name {
	JOURNAL_NAME_SEGMENT,
	JOURNAL_NAME_SPARE,
	JOURNAL_NAME_SNAPSHOT,
	JOURNAL_NAME_SEGMENT_NEW,
	JOURNAL_NAME_SPARE_NEW,
	JOURNAL_NAME_SNAPSHOT_NEW,
	JOURNAL_NAME_HOLES,
	JOURNAL_NAME_HOLES_NEW,
	JOURNAL_NAME_DAMAGED,
	JOURNAL_NAME_OTHER, /* reading only: no name of ours */
};

struct journal_file_name {
	char text[JOURNAL_NAME_MAX + 1];
};

struct journal_file_name journal_name(enum journal_name kind, uint64_t number);
/* What a name is; *number is set for all but JOURNAL_NAME_OTHER. */
enum journal_name journal_name_read(const char *name, uint64_t *number);

/* Numbers of all files of one kind, ascending. */
struct journal_numbers {
	uint64_t *items; /* owned */
	size_t    count;
	size_t    room;
};

#define JOURNAL_FILES_MAX (1u << 20)

/* RC_NOMEM; RC_LIMIT: it holds JOURNAL_FILES_MAX already. */
MUST_CHECK enum rc journal_numbers_add(struct journal_numbers *numbers, uint64_t number);
/* RC_NOMEM, RC_LIMIT (more than JOURNAL_FILES_MAX), RC_IO. Free with journal_numbers_done(), also after a failure. */
MUST_CHECK enum rc journal_numbers_list(struct journal_disk *disk, enum journal_name kind, struct journal_numbers *out);
void               journal_numbers_done(struct journal_numbers *numbers);

/*
 * Open segment `number` and read its header. RC_NOTFOUND, RC_CORRUPT (also: another number), RC_UNSUPPORTED,
 * RC_NOMEM, RC_IO.
 */
MUST_CHECK enum rc journal_segment_open(struct journal_disk *disk, uint64_t number, enum journal_open how,
                                        struct journal_file **file, struct journal_segment_head *head);

/* A window on one file. Bytes at and behind `limit` are not there. */
struct journal_window {
	struct journal_disk *disk;
	struct journal_file *file;  /* borrowed */
	uint8_t             *bytes; /* owned */
	uint64_t             start; /* of what is held */
	size_t               size;
	size_t               reach; /* bytes that the next read takes */
	uint64_t             limit;
};

#define JOURNAL_WINDOW_SIZE  (256u << 10)
#define JOURNAL_WINDOW_FIRST (8u << 10)  /* read after a jump: who passes over bodies does not read them */
#define JOURNAL_WINDOW_JUMP  (32u << 10) /* a step of so many bytes over what is held is a jump; shorter ones double the reads */

/* RC_NOMEM. */
MUST_CHECK enum rc journal_window_init(struct journal_window *window, struct journal_disk *disk);
void               journal_window_done(struct journal_window *window);
/* Look at `file` from now on, up to `limit`; what was held is forgotten. */
void journal_window_set(struct journal_window *window, struct journal_file *file, uint64_t limit);
/*
 * `size` (at most JOURNAL_WINDOW_SIZE) bytes at `offset`; fewer where the file or the limit ends. Borrowed until the
 * next call. RC_IO.
 */
MUST_CHECK enum rc journal_window_see(struct journal_window *window, uint64_t offset, size_t size, struct slice *out);
/* CRC-32C of a range, or RC_CORRUPT when it is not all there. */
MUST_CHECK enum rc journal_window_checksum(struct journal_window *window, uint64_t offset, uint64_t size,
                                           uint32_t *out);

#endif
