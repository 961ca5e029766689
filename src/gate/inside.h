/*
 * What the files of this room share: the gate itself, and each event loop's own corner of it. Not for other rooms.
 *
 * Who may touch what: `struct gate_loop` and all sessions in it belong to the thread of its loop. `struct gate` is read-only
 * after gate_run() began, except for its atomics and for things that say themselves that any thread may call them.
 */
#ifndef GATE_INSIDE_H
#define GATE_INSIDE_H

#include "config/config.h"
#include "deliver/callahead.h"
#include "deliver/outbound.h"
#include "gate/accounts.h"
#include "gate/gate.h"
#include "gate/peers.h"
#include "gate/scan_link.h"
#include "journal/writer.h"
#include "net/acceptor.h"
#include "net/resolver.h"
#include "net/stream.h"
#include "sys/role.h"
#include "sys/threads.h"

#define GATE_LOOPS_MAX SCAN_CHANNELS_MAX
#define GATE_OUT_MAX (64u << 10) /* replies of one session that wait to be sent */

#define GATE_ARENA_BYTES ((size_t)4 << 20) /* address space; pages appear as they are used */
#define GATE_RESOLVER_ENTRIES 4096u
#define GATE_RESOLVER_UNDER_WAY 1024u

/* The listening sockets of one version of the settings; counted, closed by the last holder. */
struct gate_sockets {
	atomic_uint          holders;
	size_t               count;
	struct role_listener items[ROLE_LISTENERS_MAX];
};

struct gate_sockets *gate_sockets_hold(struct gate_sockets *sockets);
/* Any thread; clears the caller's pointer. */
void gate_sockets_drop(struct gate_sockets **sockets);

/* One listening socket on one event loop. */
struct gate_acceptor {
	struct acceptor   acceptor;
	struct gate_loop *home;
	uint32_t          listener; /* index into the configuration's listeners */
};

/* One thread with its sessions. */
struct gate_loop {
	struct gate         *gate;
	struct loop         *loop;
	struct thread       *thread;
	struct config       *config;    /* in force for what begins now; held */
	struct scan_port    *scan;
	struct resolver     *resolver;
	struct gate_acceptor acceptors[ROLE_LISTENERS_MAX];
	size_t               acceptor_count;
	struct list          sessions;
	size_t               session_count;
	struct buf           out;       /* replies being composed; empty between calls */
	struct buf           payload;   /* an event being composed */
	struct arena         arena;     /* for one decision; reset before each */
	struct gate_sockets *sockets;     /* held */
	struct mutex         next_lock;   /* guards the next three and whether the task is on its way */
	struct config       *next;        /* new settings, held; or NULL */
	struct gate_sockets *next_sockets;
	bool                 switching;
	struct loop_task     switch_task;
	struct loop_task     drain_task;
	struct timer         drain_timer;
	struct timer         count_timer;
	struct resolver_counts counted;   /* already in the metrics */
	bool                 draining;
	bool                 drained;
	bool                 shedding;  /* sessions that are idle are told to go */
};

struct gate {
	struct gate_options    options;
	struct config         *config;       /* the newest; of the delivery loop's thread */
	struct loop           *delivery;     /* queue, outgoing mail, control */
	struct resolver_core  *resolver_core;
	struct resolver       *resolver;     /* the delivery loop's */
	struct journal_disk   *disk;
	struct journal_writer *journal;
	struct outbound       *outbound;
	struct callahead      *callahead;
	struct scan_link      *scan;
	struct peers          *peers;
	_Atomic(struct accounts *) accounts; /* NULL until settings name some: a reload sets it while loops look */
	struct tls_tickets    *tickets;
	struct tls_authorities *authorities; /* the system's; or NULL */
	struct gate_loop       loops[GATE_LOOPS_MAX];
	size_t                 loop_count;
	atomic_size_t          listener_sessions[GATE_LISTENERS_MAX]; /* open sessions of each listener */
	_Atomic uint64_t       last_id;
	atomic_size_t          loops_draining;
	_Atomic uint64_t       drain_ms;     /* how long sessions may go on */
	struct loop_task       drained_task; /* to the delivery loop: every event loop is empty */
	uint64_t               seed;
	int                    exit_code;
	struct watch          *watch;
	struct control        *control;      /* the supervisor's channel and the administrators' socket */
};

/* What configurations are made with. */
struct config_surroundings gate_surroundings(const struct gate *gate);

/* A new id for a session or message: rises, never repeats, also when the clock jumps back. Any thread. */
uint64_t gate_next_id(struct gate *gate);

/* The worker that checks passwords, once settings name accounts; later calls change nothing. On the delivery loop. */
MUST_CHECK enum rc gate_accounts_open(struct gate *gate);

/* Sessions of a listener that may be open (all loops); false when `max` are. gate_session_leave() later. */
bool gate_session_enter(struct gate *gate, uint32_t listener, uint64_t max);
void gate_session_leave(struct gate *gate, uint32_t listener);

/*
 * Write one small event to the journal when it suits (JOURNAL_LAZY). The payload is taken out of `payload`, which is empty
 * afterwards. What the journal does not take is counted and lost: these are not promises. Any thread.
 */
void gate_note(struct gate *gate, enum event_type type, struct buf *payload);
/* The same for an event of the gate itself. `what` and `text` are ours. On the delivery loop. */
void gate_note_node(struct gate *gate, const char *what, const char *text);

/*
 * The life of a loop: made before the box closes, its thread started after. Stopped and closed by the delivery loop's thread; between
 * the two the journal is closed, whose last answers still come to the loop.
 */
MUST_CHECK enum rc gate_loop_open(struct gate *gate, struct gate_loop *home, struct config *config, struct gate_sockets *sockets);
MUST_CHECK enum rc gate_loop_start(struct gate_loop *home);
void gate_loop_stop(struct gate_loop *home);
void gate_loop_close(struct gate_loop *home);

/* New settings for what begins from now on; the newest ones count. Takes holds of its own. On the delivery loop. */
void gate_loop_switch(struct gate_loop *home, struct config *config, struct gate_sockets *sockets);

/* Start accepting on every socket, and stop. On the loop's thread. */
void gate_loop_listen(struct gate_loop *home);
void gate_loop_unlisten(struct gate_loop *home);

/* Sessions that are between two messages are ended; all of them when `now`. On the loop's thread. */
void gate_loop_shed(struct gate_loop *home, bool now);

/* Something ended: the loop looks whether its drain is over. */
void gate_loop_settle(struct gate_loop *home);

#endif
