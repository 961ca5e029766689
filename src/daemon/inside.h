/*
 * What the files of the supervisor share. One process, one thread, one loop over poll(); it starts and replaces the roles, and
 * parses nothing but its children's control frames and what trusted users ask. Not for other rooms.
 *
 * supervisor.c  start, loop, end            children.c  fork, hand over, reap, back off
 * reload.c      two-phase reload            asks.c      supervisor.sock
 * takeover.c    the successor's side        prove.c     probe at the start, hostile doubles on demand
 */
#ifndef DAEMON_INSIDE_H
#define DAEMON_INSIDE_H

#include "daemon/listeners.h"
#include "daemon/setup.h"
#include "sys/counters.h"
#include "sys/role_wire.h"
#include "sys/supervisor_wire.h"

#define ASKERS_MAX 8u
/* One that has asked nothing for so long gives way to another when all places are taken. */
#define ASKER_PATIENCE_MS 1000u

/* Restarts: at once after a long life, later and later after short ones. */
#define RESTART_FIRST_MS 50u
#define RESTART_MAX_MS   10000u
#define LONG_LIFE_MS     60000u

/*
 * Forked roles share one address layout, so a peer who crashes one learns a little each time. After so many crashes (not: exits, not: kills
 * from outside) within the time, the supervisor drains and ends, and the service manager starts everything with a fresh layout.
 */
#define CRASHES_MAX     30u
#define CRASHES_TIME_MS 600000u

/* Beyond the drain time: what has not ended by then is killed. */
#define DRAIN_GRACE_MS    10000u
#define RECORDS_DRAIN_MS  5000u
#define RELOAD_TIME_MS    60000u
#define RELOAD_LATER_MAX  300u

enum child_state { CHILD_DOWN, CHILD_STARTING, CHILD_UP };

struct child {
	enum role        role;
	uint32_t         index;      /* which scanner */
	enum child_state state;
	int32_t          pid;
	int              control;    /* our end; -1 for scanners */
	uint64_t         started_ms;
	uint64_t         restart_ms; /* when to start again; 0: not waiting */
	unsigned         short_lives; /* in a row */
	uint64_t         restarts;
	bool             expected;   /* its end was asked for: no back-off */
	bool             let_go;     /* a scanner whose channel was closed */
};

struct asker {
	int  fd; /* -1: free */
	bool waits; /* for the end of the reload */
	uint64_t since_ms;
};

enum reload_stage { RELOAD_NONE, RELOAD_WAITING /* for a role that is just being replaced */, RELOAD_READING, RELOAD_PREPARING, RELOAD_SWITCHING };

struct reload {
	enum reload_stage    stage;
	struct setup_reading reading;
	struct bundle        bundle;
	struct setup         setup;
	struct listeners     listeners;
	int                  metrics;       /* the new socket, or -1 */
	bool                 metrics_moves; /* to another address, or away: records is replaced for it */
	uint64_t             generation;
	uint64_t             deadline_ms;
	bool                 gate_answered, records_answered;
};

enum drain_stage { DRAIN_NONE, DRAIN_GATE, DRAIN_RECORDS, DRAIN_DONE };

struct supervisor {
	const char          *settings_path;
	struct setup         setup;
	struct bundle        bundle;
	uint64_t             generation;
	struct sandbox_user  user;
	struct listeners     listeners;
	int                  metrics;
	int                  run_dir, journal_dir, records_dir;
	int                  asks, commands, questions; /* listening: supervisor.sock, control.sock, records.sock */
	int                  signals;
	struct counters_page *pages;
	size_t               page_count;
	struct child         gate, records, scanners[ROLE_SCANNERS_MAX];
	size_t               scanner_count;
	int                  scan_ends[ROLE_SCANNERS_MAX]; /* the gate's ends of channels it was not given yet */
	int                  gate_peer, records_peer;      /* ends of the gate <-> records channel not given yet */
	bool                 serving;    /* was ready once */
	struct asker         askers[ASKERS_MAX];
	struct reload        reload;
	bool                 reload_again; /* asked for while one was going on */
	char                 later[RELOAD_LATER_MAX]; /* what the reload could not change: a line for people, or "" */
	enum drain_stage     drain;
	uint64_t             drain_deadline_ms;
	int                  successor;  /* its connection, open until we have ended; -1 */
	int                  exit_status;
	uint64_t             crashes_ms[CRASHES_MAX]; /* a ring of the last moments */
	size_t               crash_next;
};

/* children.c */
struct counters_page *child_page(const struct supervisor *s, const struct child *child);
/* Start scanners, records, gate. False: a process could not be made. */
bool children_start(struct supervisor *s);
/* Start those whose time has come. Returns the milliseconds until the next one, or UINT64_MAX. */
uint64_t children_restart_due(struct supervisor *s);
/* Collect every child that has ended. */
void children_reap(struct supervisor *s);
/* A control channel is readable. */
void child_listen(struct supervisor *s, struct child *child);
void children_kill(struct supervisor *s);
/* Are gate and records up? */
bool children_ready(const struct supervisor *s);
/* What a role of that kind is handed; descriptors stay ours. */
struct role_start child_start_of(const struct supervisor *s, const struct child *child);

/* supervisor.c */
void supervisor_drain(struct supervisor *s, int exit_status);
/* One more role is up, or gone: go on with what waits for it. */
void supervisor_child_up(struct supervisor *s, struct child *child);
void supervisor_child_gone(struct supervisor *s, struct child *child);

/* reload.c */
/* What the reading of the settings noted, a line each; `notes` may be empty. */
void supervisor_tell_notes(const struct supervisor *s, struct slice notes);

void reload_begin(struct supervisor *s);
void reload_go_on(struct supervisor *s);         /* a role is up again */
void reload_read(struct supervisor *s);          /* the reading's channel is readable */
void reload_answer(struct supervisor *s, struct child *child, const struct role_message *message);
void reload_lost(struct supervisor *s, const struct child *child); /* it ended meanwhile */
void reload_time(struct supervisor *s, uint64_t now_ms);

/* asks.c */
void asks_accept(struct supervisor *s);
void asks_read(struct supervisor *s, struct asker *asker);
/* The reload has ended: tell everybody who waits. `why` may hold several lines. */
void asks_reload_ended(struct supervisor *s, enum rc rc, struct slice why);

/* takeover.c: ask the hangud that runs in `run_dir` for its sockets. *connection stays open until it has ended. RC_NOTFOUND, RC_CLOSED: there is none. */
MUST_CHECK enum rc takeover_ask(int run_dir, struct listeners *out, int *connection, struct fault *fault);
/* Wait for its end. RC_TIMEOUT. */
MUST_CHECK enum rc takeover_wait(int connection, uint64_t timeout_ms);
/* The other side: hand our sockets to the one who asks. */
MUST_CHECK enum rc takeover_give(const struct supervisor *s, int connection);

/* prove.c: a child in each role's box tries to run a program and must die of it. False: one did not; refuse to start. */
bool prove_at_start(const struct supervisor *s);
/* Every attempt of the hostile doubles; one line each through `tell`. True: all failed as they must. */
bool prove_all(const struct supervisor *s, void (*tell)(void *context, struct slice line), void *context);

#endif
