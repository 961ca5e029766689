/*
 * The gate's side of the scanners: hands messages out, takes findings back, and keeps the promise that a message that kills,
 * crashes or delays its scanner twice ends as "unscannable" and nothing else does.
 *
 * `struct scan_link` is shared by all event loops; `struct scan_port` is one loop's end of it, with a channel to every scanner.
 * A message goes to the scanner with the least work. The second try of a message runs alone: it waits for a scanner that has
 * nothing else to do, so that what happens then is its own doing. If none is free, the one with the least work is kept free for it: the
 * others take nothing more there, however busy they are.
 */
#ifndef GATE_SCAN_LINK_H
#define GATE_SCAN_LINK_H

#include "config/config.h"
#include "gate/scan_channel.h"
#include "net/loop.h"
#include "scan/wire.h"
#include "sys/slab.h"

#define SCANNERS_MAX 64u
#define SCAN_PIPELINE 3u       /* requests on their way to one scanner: it never waits for the next one */
#define SCAN_FAILURES_MAX 2u   /* scanners that a message may take down */

struct scan_link; /* opaque */
struct scan_port; /* opaque */

/* How a scan ended for the one who asked. */
enum scan_result {
	SCAN_RESULT_FINDINGS,
	SCAN_RESULT_UNSCANNABLE, /* two scanners failed at it */
	SCAN_RESULT_UNAVAILABLE, /* no scanner came free in time, or too many wait */
};

/* One message to be scanned. It lies with the asker, who sets the first five and keeps all of it until done(); there is no taking back. */
struct scan_job {
	uint64_t                   id;      /* the message's, not 0 */
	struct slab               *slab;    /* sealed */
	const struct scan_options *options;
	const struct digest       *engine;  /* of those options */
	/* `findings` and `frame`, their wire form, are good until the return; NULL and empty without findings. */
	void (*done)(struct scan_job *job, enum scan_result result, const struct findings *findings, struct slice frame);
	/* internal */
	struct list       link;    /* in the port's line of those that wait, or in that of those that fail */
	struct timer      timer;
	struct scan_port *port;
	uint64_t          sent_us;
	uint32_t          deadline_ms;
	uint8_t           failures;
	uint8_t           losses;  /* scanners that went while it was there, by another one's doing */
	uint8_t           late;    /* deadlines that passed at the present scanner */
	uint8_t           scanner; /* that has it */
	bool              sent;
	bool              fails;   /* never waits for a scanner: ends in the next turn */
	bool              wants;   /* `wanted` is kept free for it */
	uint8_t           wanted;
};

/*
 * So long after a channel's end, the process behind it should have been replaced: more than the longest time that the supervisor waits before it
 * starts one again.
 */
#define SCAN_LOST_MS 15000u

struct scan_link_options {
	size_t   scanner_count;
	uint64_t waiting_max;
	uint64_t lost_ms; /* SCAN_LOST_MS */
	void    *context;
	/* "Scanner `index` overran, lied, or has closed a channel and lives on: kill and replace it." Any loop's thread. */
	void (*replace)(void *context, size_t index);
};

MUST_CHECK enum rc scan_link_open(const struct scan_link_options *options, struct scan_link **out);
/* After all ports are closed. */
void scan_link_close(struct scan_link **link);

/* A loop's port. On that loop's thread, or before it runs; at most SCAN_CHANNELS_MAX. RC_NOMEM, RC_LIMIT. */
MUST_CHECK enum rc scan_port_open(struct scan_link *link, struct loop *loop, struct scan_port **out);
/* Jobs under way are answered SCAN_RESULT_UNAVAILABLE from in here. On the loop's thread, or after it has ended. */
void scan_port_close(struct scan_port **port);

/*
 * A scanner process (the first one or a replacement) holds the other end of `main_channel`, which becomes the link's. Makes the
 * channels and hands them out, to the scanner and to every port. Any thread, after every port was opened. RC_CLOSED: the scanner has ended
 * already. RC_IO, RC_NOMEM: it cannot be used.
 */
MUST_CHECK enum rc scan_link_attach(struct scan_link *link, size_t index, int main_channel);

/* New bound on waiting messages. Any thread. */
void scan_link_waiting_max(struct scan_link *link, uint64_t waiting_max);

/* Scan it: done() is called once, from the loop, never from in here. On the port's thread. */
void scan_submit(struct scan_port *port, struct scan_job *job, uint32_t deadline_ms);

/* End a job that cannot even be submitted, as SCAN_RESULT_UNAVAILABLE, from the loop. */
void scan_fail(struct scan_port *port, struct scan_job *job);

/* Scanners that are attached and alive. Any thread. */
size_t scan_link_alive(const struct scan_link *link);

#endif
