/* The worker that checks passwords; gate/password.c is what knows how. */
#include "gate/accounts.h"

#include "base/memory.h"
#include "gate/password.h"
#include "sys/random.h"
#include "sys/threads.h"

#define BATCH 16u

struct accounts {
	struct thread_queue *line;
	struct thread       *thread;
	char                 nobody[PASSWORD_HASH_ROOM]; /* a hash nobody knows the password of */
};

enum rc accounts_ready(void)
{
	return password_ready();
}

static void check(struct accounts *accounts, struct account_query *query)
{
	const char *hash = query->account != NULL ? query->account->hash : accounts->nobody;
	const bool  fits = password_fits(hash, slice_of(query->password, query->password_size));

	query->right = fits && query->account != NULL;
	memory_wipe(query->password, sizeof query->password);
	loop_post(query->home, &query->task);
}

static void work(void *argument)
{
	struct accounts *accounts = argument;
	void            *items[BATCH];
	bool             ended = false;

	while (!ended) {
		const size_t count = thread_queue_wait(accounts->line, items, BATCH, UINT64_MAX, &ended);
		for (size_t i = 0; i < count; i++)
			check(accounts, items[i]);
	}
}

enum rc accounts_open(struct accounts **out)
{
	struct accounts *accounts = memory_take(1, sizeof *accounts);
	uint8_t          secret[32];
	enum rc          rc;

	if (accounts == NULL)
		return RC_NOMEM;
	random_bytes(secret, sizeof secret);
	rc = password_hash(slice_of(secret, sizeof secret), accounts->nobody);
	if (rc == RC_OK)
		rc = thread_queue_open(ACCOUNTS_WAITING_MAX, &accounts->line);
	memory_wipe(secret, sizeof secret);
	if (rc == RC_OK)
		rc = thread_start("accounts", THREAD_STACK_WORK, work, accounts, &accounts->thread);
	if (rc != RC_OK)
		accounts_close(&accounts);
	else
		*out = accounts;
	return rc;
}

void accounts_close(struct accounts **accounts)
{
	struct accounts *gone = *accounts;

	*accounts = NULL;
	if (gone == NULL)
		return;
	if (gone->line != NULL)
		thread_queue_end(gone->line);
	thread_join(&gone->thread);
	thread_queue_close(&gone->line);
	memory_give(gone);
}

enum rc accounts_ask(struct accounts *accounts, struct account_query *query)
{
	query->right = false;
	const enum rc rc = thread_queue_put(accounts->line, query, NULL);
	if (rc == RC_OK)
		return RC_OK;
	memory_wipe(query->password, sizeof query->password);
	return RC_BUSY;
}
