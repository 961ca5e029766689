/* The worker that checks passwords; the only file of the room that knows libsodium. */
#include "gate/accounts.h"

#include "base/memory.h"
#include "sys/threads.h"

#include <sodium.h>

#define BATCH 16u

struct accounts {
	struct thread_queue *line;
	struct thread       *thread;
	char                 nobody[crypto_pwhash_STRBYTES]; /* a hash nobody knows the password of */
};

enum rc accounts_ready(void)
{
	return sodium_init() < 0 ? RC_UNSUPPORTED : RC_OK;
}

static void check(struct accounts *accounts, struct account_query *query)
{
	const char *hash = query->account != NULL ? query->account->hash : accounts->nobody;
	const bool  fits = crypto_pwhash_str_verify(hash, (const char *)query->password, query->password_size) == 0;

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
	enum rc          rc = RC_NOMEM;

	if (accounts == NULL)
		return RC_NOMEM;
	randombytes_buf(secret, sizeof secret);
	if (crypto_pwhash_str(accounts->nobody, (const char *)secret, sizeof secret, crypto_pwhash_OPSLIMIT_INTERACTIVE,
	                      crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0)
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
