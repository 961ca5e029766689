/* The keys of [journal]. */
#include "journal/limits.h"

#define KIB 1024u
#define MIB (1024u * KIB)
#define GIB (1024ull * MIB)

/* The defaults stand twice, as text for the settings file and as numbers below; a test compares them. */
#define FIELD(member) .offset = offsetof(struct journal_limits, member)

const struct setting journal_settings[] = {
	{ .key = "folder", .kind = SETTING_TEXT, FIELD(folder), .max = 1024, .standard = "", .unit = "directory",
	  .help = "Where the journal lies; nothing means `journal` below the gateway's state directory." },
	{ .key = "segment_size", .kind = SETTING_SIZE, FIELD(segment_bytes), .min = 256 * KIB, .max = 4 * GIB,
	  .standard = "64M", .unit = "bytes", .help = "Size of a segment file; its space is taken when it is made." },
	{ .key = "spare_segments", .kind = SETTING_NUMBER, FIELD(spare_segments), .max = 64, .standard = "4",
	  .unit = "files", .help = "Emptied segment files kept to be used again, which makes syncs cheaper than new ones." },
	{ .key = "delay", .kind = SETTING_DURATION, FIELD(delay_ms), .max = 100, .standard = "2ms", .unit = "milliseconds",
	  .help = "How long a message may wait for others that are about to come, to share one sync with them." },
	{ .key = "lazy_delay", .kind = SETTING_DURATION, FIELD(lazy_ms), .max = 5000, .standard = "50ms",
	  .unit = "milliseconds", .help = "How long outcomes may wait for a sync that is made anyway." },
	{ .key = "queue_size", .kind = SETTING_SIZE, FIELD(queue_bytes_max), .min = MIB, .max = 64 * GIB, .standard = "512M",
	  .unit = "bytes", .help = "Bytes that may wait to be written; above it clients are asked to come back (452)." },
	{ .key = "queue_groups", .kind = SETTING_NUMBER, FIELD(queue_groups_max), .min = 16, .max = 1000000,
	  .standard = "65536", .unit = "groups", .help = "Messages and outcomes that may wait to be written." },
	{ .key = "free_floor", .kind = SETTING_SIZE, FIELD(free_floor_bytes), .max = 1024 * GIB, .standard = "512M",
	  .unit = "bytes", .help = "Free space below which no message is taken (452 at MAIL)." },
	{ .key = "snapshot_every", .kind = SETTING_SIZE, FIELD(snapshot_bytes), .min = 64 * KIB, .max = 64 * GIB,
	  .standard = "64M", .unit = "bytes", .help = "Bytes of records after which the queue's state is stored, so that a start reads little." },
	{ .key = "compress_level", .kind = SETTING_NUMBER, FIELD(compress_level), .max = 9, .standard = "0", .unit = "",
	  .help = "zstd level for message bodies; 0 stores them as they are." },
	{ .key = "compress_from", .kind = SETTING_SIZE, FIELD(compress_from_bytes), .min = 64, .max = GIB, .standard = "4K",
	  .unit = "bytes", .help = "Smaller bodies are stored as they are." },
	{ .key = "prewrite", .kind = SETTING_BOOL, FIELD(prewrite), .standard = "yes", .unit = "",
	  .help = "Write zeros over new segment files ahead of their use, which halves the time of a sync on many disks." },
	{ .key = NULL },
};

struct journal_limits journal_limits_standard(void)
{
	return (struct journal_limits){
		.segment_bytes = 64 * MIB,
		.spare_segments = 4,
		.delay_ms = 2,
		.lazy_ms = 50,
		.queue_bytes_max = 512 * MIB,
		.queue_groups_max = 65536,
		.free_floor_bytes = 512 * MIB,
		.snapshot_bytes = 64 * MIB,
		.compress_level = 0,
		.compress_from_bytes = 4 * KIB,
		.prewrite = true,
	};
}
