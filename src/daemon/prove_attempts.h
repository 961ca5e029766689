/* What a hostile double tries. Each attempt runs inside a role's closed box, in a process of its own, and returns an exit status. */
#ifndef DAEMON_PROVE_ATTEMPTS_H
#define DAEMON_PROVE_ATTEMPTS_H

#include "scan/wire.h"
#include "sys/role.h"

#define ATTEMPT_DONE    0  /* it succeeded: the box has a hole (or, for a lie, it was sent) */
#define ATTEMPT_REFUSED 10
#define ATTEMPT_NO_BOX  11

#define ATTEMPT_OF(role) (1u << (role))
#define ATTEMPT_ALL      (ATTEMPT_OF(ROLE_GATE) | ATTEMPT_OF(ROLE_RECORDS) | ATTEMPT_OF(ROLE_SCAN))

/* What there is to attack; made before the box closed. */
struct attempt_target {
	int32_t             supervisor;   /* process ids */
	int32_t             sibling;
	int                 own_slab;     /* the message it was given */
	int                 foreign_slab; /* number of a descriptor that another process holds */
	int                 channel;      /* its end towards the gate */
	int                 journal_dir;  /* -1: it has none */
	struct scan_request request;
	struct slice        message;
};

struct attempt {
	const char *name;
	unsigned    roles; /* ATTEMPT_OF(...) */
	bool        lies;  /* lawful calls, unlawful content: judged by the gate's decoder */
	int (*run)(const struct attempt_target *target);
};

/* The first one is to run a program: the probe of every start. */
extern const struct attempt attempts[];
extern const size_t         attempt_count;

#endif
