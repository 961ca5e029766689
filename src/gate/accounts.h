/*
 * Checking passwords away from the event loops: Argon2id takes tens of milliseconds by design. One worker thread, a bounded
 * line in front of it; an account that does not exist costs as much as one that does, so that nobody learns which there are.
 */
#ifndef GATE_ACCOUNTS_H
#define GATE_ACCOUNTS_H

#include "config/config.h"
#include "net/loop.h"

struct accounts; /* opaque */
struct session;

#define ACCOUNTS_WAITING_MAX 256u
#define ACCOUNT_PASSWORD_MAX 512u

/* Loads the library, before the box closes. RC_UNSUPPORTED. */
MUST_CHECK enum rc accounts_ready(void);

/* Starts the worker's thread. RC_NOMEM, RC_LIMIT. */
MUST_CHECK enum rc accounts_open(struct accounts **out);
/* Questions still in line are answered with `right` false. */
void accounts_close(struct accounts **accounts);

/* A question; lies with the asker until its task has run. The password is wiped by the worker. */
struct account_query {
	struct loop                 *home;     /* where the answer is wanted */
	struct session              *home_session; /* whose it is; NULL once that has gone */
	struct loop_task             task;     /* its run() is set by the asker and called with the answer in place */
	struct config               *config;   /* held, so that the account stays; the asker drops it */
	const struct config_account *account;  /* NULL: no such account */
	uint8_t                      password[ACCOUNT_PASSWORD_MAX];
	size_t                       password_size;
	bool                         right;    /* out */
};

/* RC_OK: the task will run. RC_BUSY: too many wait (answer 454 4.7.0). Any thread. */
MUST_CHECK enum rc accounts_ask(struct accounts *accounts, struct account_query *query);

#endif
