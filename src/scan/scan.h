/*
 * The scan as a pure function: message bytes and options in, findings out. It never fails on account of what a
 * message says: a broken message is read as its readers would read it, with findings; a bound that was met is a
 * finding `limit.<which>`.
 *
 * Work is counted in steps, never in time, so that a repeat is cut at the same place. The wall clock belongs to the
 * one who waits for the answer. Read scan/findings.h next, then scan/wire.h.
 */
#ifndef SCAN_SCAN_H
#define SCAN_SCAN_H

#include "base/arena.h"
#include "scan/findings.h"

/* How much is read. The number is the one on the wire; deeper ones are added behind. */
enum scan_depth {
	SCAN_DEPTH_STRUCTURE, /* headers, MIME structure, names, test strings: no attachment is opened */
	SCAN_DEPTHS
};

/* Each bound with its lowest and highest lawful value in scan_limits_check(). */
struct scan_limits {
	uint32_t header_bytes;  /* of one header section: standard 256 KiB (I-10), 1 KiB to 4 MiB */
	uint32_t header_fields; /* in one header section: standard 1,000, 16 to 100,000 */
	uint32_t parts;         /* standard 1,000, 1 to 10,000 */
	uint32_t depth;         /* nesting of multiparts and messages: standard 32, 1 to 100 */
	uint32_t parameters;    /* of one MIME field: standard 64, 4 to 1,000 */
	uint64_t steps;         /* standard 1 << 30; one step is about one byte looked at: 1 << 16 to 1 << 40 */
	uint64_t decoded_bytes; /* out of all transfer decoding: standard 512 MiB, 64 KiB to 64 GiB */
	uint32_t received;      /* more Received fields than this are a loop: standard 100 (I-19 a), 10 to 1,000 */
};

#define SCAN_LIMITS_STANDARD                                         \
	((struct scan_limits){ .header_bytes = 256u << 10,           \
	                       .header_fields = 1000,                \
	                       .parts = 1000,                        \
	                       .depth = 32,                          \
	                       .parameters = 64,                     \
	                       .steps = UINT64_C(1) << 30,           \
	                       .decoded_bytes = UINT64_C(512) << 20, \
	                       .received = 100 })

#define SCAN_NAME_MAX 255u /* bytes of own_name and of authserv_id */

/* Which fields of the sender are cut (I-12). Internal routes pass the Exchange ones through untouched. */
#define SCAN_CUT_HANGU          (1u << 0)
#define SCAN_CUT_EXCHANGE       (1u << 1)
#define SCAN_CUT_AUTHENTICATION (1u << 2)
#define SCAN_CUT_SPAM           (1u << 3) /* where we write our own (I-15) */
#define SCAN_CUT_ALL            15u

struct scan_options {
	enum scan_depth    depth;
	uint32_t           cut; /* SCAN_CUT_x */
	struct scan_limits limits;
	struct slice       own_name;    /* our host name, as our Received fields write it behind "by"; may be empty */
	struct slice       authserv_id; /* of our Authentication-Results; empty: own_name counts */
};

/* Raised whenever the same message could now give other findings; part of the engine's digest. */
#define SCAN_ENGINE_REVISION 2u

/* Largest message: offsets are 32 bits wide, one bit is left for sums. */
#define SCAN_MESSAGE_MAX (UINT32_C(1) << 30)

/* Memory that a scan of any message within the standard limits gets by with; what does not fit is `limit.memory`. */
#define SCAN_ARENA_BYTES ((size_t)6 << 20)

/* RC_LIMIT: a limit or name length out of its range, an unknown depth or bit. */
MUST_CHECK enum rc scan_options_check(const struct scan_options *options);

/*
 * The digest of version, table of findings, depth and limits: what `findings.engine` will be. Neither names nor cut
 * bits count.
 */
void scan_engine_digest(const struct scan_options *options, struct digest *out);

/*
 * Scan `message` (as received: after dot-unstuffing, without our own trace header). Everything in *out lives in
 * `arena`, nothing borrows from the message. `engine` is scan_engine_digest(options), computed once by the caller.
 *
 * RC_LIMIT   the message is larger than SCAN_MESSAGE_MAX, or the options fail scan_options_check().
 * RC_NOMEM   the arena cannot even hold the list of findings (less than about 64 KiB).
 *
 * In both cases *out is untouched. No message makes it fail in any other way.
 */
MUST_CHECK enum rc scan_message(struct slice message, const struct scan_options *options, const struct digest *engine,
                                struct arena *arena, struct findings *out);

#endif
