/*
 * One budget for all that is opened of one message: bytes that come out, items, work and depth, however the message
 * spreads them over attachments. Everybody who opens something asks here first and stops when he is told so; nobody
 * has limits of his own beside it. What ran out is remembered and becomes a finding `limit.<which>`.
 *
 * Work is counted in steps, about one a byte looked at and never by a clock, so that a repeat is cut at the same
 * place.
 */
#ifndef CONTENT_BUDGET_H
#define CONTENT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

enum budget_part {
	BUDGET_BYTES, /* out of decompression, decryption and the like */
	BUDGET_ITEMS, /* members, streams, objects, pages, pictures */
	BUDGET_STEPS,
	BUDGET_DEPTH, /* a thing in a thing in a thing */
	BUDGET_TRIES, /* passwords */
	BUDGET_PARTS
};

/* Lowest and highest lawful values: budget_limits_check(). */
struct budget_limits {
	uint64_t bytes; /* standard 256 MiB; 64 KiB to 64 GiB */
	uint64_t items; /* standard 10,000; 16 to 1,000,000 */
	uint64_t steps; /* standard 1 << 30; 1 << 16 to 1 << 40 */
	uint64_t depth; /* standard 12; 1 to 64 */
	uint64_t tries; /* standard 64; 0 to 10,000 */
};

#define BUDGET_LIMITS_STANDARD                                 \
	((struct budget_limits){ .bytes = UINT64_C(256) << 20, \
	                         .items = 10000,               \
	                         .steps = UINT64_C(1) << 30,   \
	                         .depth = 12,                  \
	                         .tries = 64 })

struct budget {
	uint64_t left[BUDGET_PARTS]; /* of depth: how much deeper it may go from here */
	bool     cut[BUDGET_PARTS];  /* somebody was refused for the want of it */
};

bool          budget_limits_check(const struct budget_limits *limits);
struct budget budget_make(const struct budget_limits *limits);

/*
 * Take `amount`. False: less than that is left; nothing was taken, and it is remembered that somebody was refused.
 * He may go on with less, but asks again for it.
 */
bool budget_take(struct budget *budget, enum budget_part part, uint64_t amount);

/* One level deeper, and back. Every budget_enter() that was true has one budget_leave(). */
bool budget_enter(struct budget *budget);
void budget_leave(struct budget *budget);

#endif
