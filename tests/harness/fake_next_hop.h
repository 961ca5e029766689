/*
 * A next hop on loopback that does what a script says: refuses, defers, stalls, resets, loses the line after the dot, answers LMTP recipients one by one. It runs on the test's own
 * event loop, keeps what it was sent, and never decides anything by a clock.
 */
#ifndef HARNESS_FAKE_NEXT_HOP_H
#define HARNESS_FAKE_NEXT_HOP_H

#include "net/acceptor.h"
#include "net/stream.h"

#define FAKE_MESSAGES_MAX    64u
#define FAKE_CONNECTIONS_MAX 64u
#define FAKE_MESSAGE_BYTES   (1u << 20)

enum fake_act {
	FAKE_SAY,   /* the words, and go on */
	FAKE_CLOSE, /* the words, if any, then close */
	FAKE_RESET, /* a reset, without a word */
	FAKE_STALL, /* nothing, ever */
};

/*
 * One rule: what happens on a command that starts with `on` ("" is the greeting, "." the end of the data, "BDAT" its last chunk). The first rule that fits and has times left
 * is taken; without one the command is answered as a usual server would.
 */
struct fake_rule {
	const char   *on;
	unsigned      times; /* 0: always */
	enum fake_act act;
	const char   *say;   /* without CRLF; lines of one reply are parted by "\n" */
};

struct fake_message {
	struct buf envelope; /* the MAIL and RCPT lines that were accepted, each with LF */
	struct buf bytes;    /* as they came, dots undone */
	bool       answered; /* the end was answered 2xx */
	bool       chunked;
};

struct fake_next_hop;

struct fake_session {
	struct stream         stream;
	struct fake_next_hop *hop;
	bool                  used;
	unsigned              state;
	unsigned              accepted;  /* recipients */
	uint64_t              chunk_left;
	bool                  chunk_last;
	bool                  line_start;
	struct buf            held;
	struct fake_message  *message;
	char                  recipients[32][128];
};

struct fake_next_hop {
	struct loop            *loop;
	struct acceptor         acceptor;
	int                     fd;
	struct net_address      address;
	const struct fake_rule *rules;
	size_t                  rule_count;
	unsigned                taken[64];      /* how often each rule was */
	const char             *extensions;     /* EHLO lines, parted by "\n"; NULL: the usual ones */
	bool                    lmtp;
	struct tls_context     *tls;            /* for STARTTLS; NULL: refused */
	bool                    stopped;
	struct fake_session     sessions[FAKE_CONNECTIONS_MAX];
	unsigned                connections;    /* since the start */
	struct fake_message     messages[FAKE_MESSAGES_MAX];
	size_t                  message_count;
	unsigned                delivered;      /* messages answered 2xx */
	struct buf              log;            /* every command line, with LF */
};

/* Listen on a free port of 127.0.0.1. Ends the test when that fails. */
void fake_next_hop_open(struct fake_next_hop *hop, struct loop *loop, const struct fake_rule *rules, size_t count);
/* Close everything: from now on connections are refused. */
void fake_next_hop_stop(struct fake_next_hop *hop);
/* The same, and forget what came. */
void fake_next_hop_close(struct fake_next_hop *hop);
/* Listen again on the same port. */
void fake_next_hop_restart(struct fake_next_hop *hop);
/* How many commands that start so have come. */
unsigned fake_next_hop_heard(const struct fake_next_hop *hop, const char *command);

#endif
