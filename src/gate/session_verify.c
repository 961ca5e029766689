/* RCPT for a domain that only the mail system behind knows: ask it, and decide when it has answered. */
#include "gate/session.h"

#include "base/memory.h"

#define VERIFICATION_TEXT_MAX 2048u

/* It outlives its session: call-ahead has no taking back. The configuration is held, so that the decision's domain stays. */
struct verification {
	struct callahead_query    query;
	struct session           *session; /* NULL: gone */
	struct config            *config;
	struct recipient_decision decision;
	struct slice              orcpt;
	uint32_t                  notify;
	struct arena              arena;
	uint8_t                   memory[VERIFICATION_TEXT_MAX];
};

static void conclude(struct session *session, struct verification *verification)
{
	static const struct smtp_reply unsure = { 451, { 4, 4, 3 }, SLICE_INIT("The recipient cannot be verified just now, come back later") };
	const struct recipient_decision *decision = &verification->decision;
	const bool accept_unsure = decision->domain->settings->unverified == 0;

	switch (verification->query.result) {
	case CALLAHEAD_NO:
		session_refuse_unknown(session, decision->address);
		return;
	case CALLAHEAD_UNKNOWN:
		if (!accept_unsure) {
			counter_up(COUNT_RECIPIENTS_DEFERRED);
			session_refuse(session, &unsure, STAGE_RCPT, decision->address, "recipient_unverified");
			return;
		}
		break;
	case CALLAHEAD_YES:
		break;
	}
	session_take_recipient(session, decision, verification->orcpt, verification->notify);
}

static void verification_free(struct verification *verification)
{
	config_drop(&verification->config);
	memory_give(verification);
}

static void answered(struct loop_task *task)
{
	struct verification *verification = LIST_OF(task, struct verification, query.task);
	struct session      *session = verification->session;

	if (session != NULL) {
		session->verification = NULL;
		conclude(session, verification);
	}
	verification_free(verification);
	if (session != NULL)
		session_go_on(session);
}

void session_verify(struct session *session, const struct recipient_decision *decision, struct slice orcpt, uint32_t notify)
{
	static const struct smtp_reply busy = { 451, { 4, 4, 3 }, SLICE_INIT("Too many recipients are being verified, come back later") };
	struct verification           *verification = memory_take(1, sizeof *verification);

	if (verification == NULL) {
		session_refuse(session, &busy, STAGE_RCPT, decision->address, "verify_busy");
		return;
	}
	verification->session = session;
	verification->config = config_hold(session->config);
	verification->decision = *decision;
	verification->notify = notify;
	verification->arena = arena_on(verification->memory, sizeof verification->memory);
	verification->query.home = session->home->loop;
	verification->query.task.run = answered;
	enum rc rc = arena_copy(&verification->arena, decision->address, &verification->decision.address);
	if (rc == RC_OK)
		rc = arena_copy(&verification->arena, orcpt, &verification->orcpt);
	verification->query.address = verification->decision.address;
	if (rc == RC_OK)
		rc = callahead_ask(session->home->gate->callahead, &verification->query);
	if (rc == RC_AGAIN) {
		session->verification = verification;
		return;
	}
	if (rc == RC_OK)
		conclude(session, verification);
	else
		session_refuse(session, &busy, STAGE_RCPT, decision->address, "verify_busy");
	verification_free(verification);
}

void session_forget_verification(struct session *session)
{
	if (session->verification != NULL)
		session->verification->session = NULL;
	session->verification = NULL;
}
