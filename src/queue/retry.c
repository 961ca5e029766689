/* See retry.h. The judgement is a table by stage; what the table cannot say stands below it. */
#include "queue/retry.h"

#include "base/must.h"

const char *retry_stage_word(enum retry_stage stage)
{
	static const char *const words[RETRY_STAGE_COUNT] = {
		[RETRY_STAGE_ROUTE] = "route",       [RETRY_STAGE_CONNECT] = "connect", [RETRY_STAGE_GREETING] = "greeting",
		[RETRY_STAGE_HELLO] = "hello",       [RETRY_STAGE_TLS] = "tls",         [RETRY_STAGE_AUTH] = "auth",
		[RETRY_STAGE_MAIL] = "mail",         [RETRY_STAGE_RCPT] = "rcpt",       [RETRY_STAGE_DATA] = "data",
		[RETRY_STAGE_BODY] = "message body", [RETRY_STAGE_END] = "end of data",
	};

	return stage < RETRY_STAGE_COUNT ? words[stage] : "unknown";
}

const char *retry_answer_word(enum retry_answer answer)
{
	static const char *const words[RETRY_ANSWER_COUNT] = {
		[RETRY_DELIVERED] = "delivered", [RETRY_NEXT_HOST] = "next host", [RETRY_AGAIN_NOW] = "again now",
		[RETRY_DEFER] = "deferred",      [RETRY_BOUNCE] = "bounced",      [RETRY_UNCERTAIN] = "uncertain",
	};

	return answer < RETRY_ANSWER_COUNT ? words[answer] : "unknown";
}

/*
 * One row a stage: what no reply, 2xx, 4xx and 5xx mean there. Before MAIL a refusal speaks about the host, not about the message, even
 * when it is a 5xx: another host of the same destination may take it, and a gateway must not bounce mail for a misconfigured peer.
 */
static const struct {
	uint8_t lost;
	uint8_t success;
	uint8_t transient;
	uint8_t permanent;
} meaning[RETRY_STAGE_COUNT] = {
	/*                         lost             2xx              4xx              5xx              */
	[RETRY_STAGE_ROUTE]    = { RETRY_DEFER,     RETRY_DEFER,     RETRY_DEFER,     RETRY_BOUNCE    },
	[RETRY_STAGE_CONNECT]  = { RETRY_NEXT_HOST, RETRY_NEXT_HOST, RETRY_NEXT_HOST, RETRY_NEXT_HOST },
	[RETRY_STAGE_GREETING] = { RETRY_NEXT_HOST, RETRY_NEXT_HOST, RETRY_NEXT_HOST, RETRY_NEXT_HOST },
	[RETRY_STAGE_HELLO]    = { RETRY_NEXT_HOST, RETRY_NEXT_HOST, RETRY_NEXT_HOST, RETRY_NEXT_HOST },
	[RETRY_STAGE_TLS]      = { RETRY_NEXT_HOST, RETRY_NEXT_HOST, RETRY_NEXT_HOST, RETRY_NEXT_HOST },
	[RETRY_STAGE_AUTH]     = { RETRY_NEXT_HOST, RETRY_NEXT_HOST, RETRY_NEXT_HOST, RETRY_NEXT_HOST },
	[RETRY_STAGE_MAIL]     = { RETRY_NEXT_HOST, RETRY_DEFER,     RETRY_DEFER,     RETRY_BOUNCE    },
	[RETRY_STAGE_RCPT]     = { RETRY_NEXT_HOST, RETRY_DEFER,     RETRY_DEFER,     RETRY_BOUNCE    },
	[RETRY_STAGE_DATA]     = { RETRY_NEXT_HOST, RETRY_DEFER,     RETRY_DEFER,     RETRY_BOUNCE    },
	[RETRY_STAGE_BODY]     = { RETRY_DEFER,     RETRY_DEFER,     RETRY_DEFER,     RETRY_BOUNCE    },
	[RETRY_STAGE_END]      = { RETRY_UNCERTAIN, RETRY_DELIVERED, RETRY_DEFER,     RETRY_BOUNCE    },
};

/*
 * "Too many recipients": 452 (RFC 5321 section 4.5.3.1.10), and 552, which old servers send and which that section asks to be read as 452;
 * unless the enhanced code says that something else is full (4.2.2, 5.2.2: the mailbox; 4.3.1: the disk; 5.3.4: the message is too big).
 */
static bool too_many_recipients(struct retry_reply reply)
{
	if (reply.code != 452 && reply.code != 552)
		return false;
	return reply.class == 0 || (reply.subject == 5 && reply.detail == 3);
}

enum retry_answer retry_judge(enum retry_stage stage, struct retry_reply reply, bool accepted_before)
{
	must(stage < RETRY_STAGE_COUNT);
	if (reply.code == 0)
		return (enum retry_answer)meaning[stage].lost;
	/* RFC 5321 section 3.8: 421 may answer any command; the channel closes. After the end of data it is still an answer: not taken. */
	if (reply.code == 421 && stage >= RETRY_STAGE_CONNECT && stage < RETRY_STAGE_BODY)
		return RETRY_NEXT_HOST;
	if (stage == RETRY_STAGE_RCPT && too_many_recipients(reply))
		return accepted_before ? RETRY_AGAIN_NOW : RETRY_DEFER;
	switch (reply.code / 100) {
	case 2:
		return (enum retry_answer)meaning[stage].success;
	case 5:
		return (enum retry_answer)meaning[stage].permanent;
	default:
		return (enum retry_answer)meaning[stage].transient; /* 4xx; and a 1xx or 3xx where none belongs */
	}
}

bool retry_is_strain(enum retry_stage stage, struct retry_reply reply)
{
	if (stage == RETRY_STAGE_ROUTE)
		return false;
	if (reply.code == 0 || reply.code == 421)
		return true;
	return stage < RETRY_STAGE_MAIL && reply.code >= 400 && reply.code < 500;
}

/* RFC 3463 sections 3.4 to 3.6: subject and detail for an attempt whose reply names none. */
static const struct {
	uint8_t lost_subject, lost_detail;
	uint8_t said_subject, said_detail;
} made_status[RETRY_STAGE_COUNT] = {
	[RETRY_STAGE_ROUTE] = { 4, 4, 4, 4 },    /* unable to route */
	[RETRY_STAGE_CONNECT] = { 4, 1, 4, 1 },  /* no answer from host */
	[RETRY_STAGE_GREETING] = { 4, 2, 3, 2 }, /* bad connection; system not accepting messages */
	[RETRY_STAGE_HELLO] = { 4, 2, 5, 0 },
	[RETRY_STAGE_TLS] = { 7, 5, 7, 5 },      /* cryptographic failure */
	[RETRY_STAGE_AUTH] = { 4, 2, 7, 0 },
	[RETRY_STAGE_MAIL] = { 4, 2, 0, 0 },     [RETRY_STAGE_RCPT] = { 4, 2, 1, 0 }, [RETRY_STAGE_DATA] = { 4, 2, 0, 0 },
	[RETRY_STAGE_BODY] = { 4, 2, 0, 0 },     [RETRY_STAGE_END] = { 4, 2, 0, 0 },
};

struct retry_reply retry_status(enum retry_stage stage, struct retry_reply reply, enum retry_answer answer)
{
	uint8_t class = answer == RETRY_DELIVERED ? 2 : answer == RETRY_BOUNCE ? 5 : 4;

	must(stage < RETRY_STAGE_COUNT);
	if (reply.class == class && (reply.code == 0 || reply.code / 100 == class))
		return reply;
	if (answer == RETRY_DELIVERED)
		return (struct retry_reply){ reply.code, 2, 0, 0 };
	if (reply.code == 0)
		return (struct retry_reply){ 0, class, made_status[stage].lost_subject, made_status[stage].lost_detail };
	if (reply.class != 0 && stage >= RETRY_STAGE_MAIL)
		return (struct retry_reply){ reply.code, class, reply.subject, reply.detail };
	return (struct retry_reply){ reply.code, class, made_status[stage].said_subject, made_status[stage].said_detail };
}

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

const struct retry_plan retry_plan_standard = {
	.steps_ms = { 1 * MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS, 20 * MINUTE_MS, 30 * MINUTE_MS },
	.step_count = 5,
	.slow_after_ms = 4 * HOUR_MS,
	.slow_ms = 1 * HOUR_MS,
	.delay_notice_ms = 4 * HOUR_MS,
	.expire_ms = 5 * DAY_MS,
	.jitter_percent = 20,
};

static int64_t age_ms(int64_t arrived_ms, int64_t now_ms)
{
	int64_t age;

	if (__builtin_sub_overflow(now_ms, arrived_ms, &age) || age < 0)
		return 0;
	return age;
}

/* `wait_ms` spread by `percent` to both sides. */
static int64_t spread(int64_t wait_ms, uint32_t percent, uint32_t chance)
{
	int64_t span = wait_ms / 100 * (int64_t)percent;
	int64_t shift = span == 0 ? 0 : (int64_t)((uint64_t)chance * (uint64_t)(2 * span / 1000 + 1) >> 32) * 1000;

	return wait_ms - span + shift;
}

int64_t retry_next_ms(const struct retry_plan *plan, uint32_t attempts, int64_t arrived_ms, int64_t now_ms, uint32_t chance)
{
	must(plan->step_count >= 1 && plan->step_count <= RETRY_STEPS_MAX);
	must(plan->jitter_percent <= 50);

	int64_t age = age_ms(arrived_ms, now_ms);
	uint32_t step = attempts == 0 ? 0 : attempts - 1;
	int64_t wait = plan->steps_ms[step < plan->step_count ? step : plan->step_count - 1];

	if (plan->slow_after_ms > 0 && age >= plan->slow_after_ms)
		wait = plan->slow_ms;
	wait = spread(wait, plan->jitter_percent, chance);
	if (age < plan->expire_ms && wait > plan->expire_ms - age)
		wait = plan->expire_ms - age; /* one last try when its time is up */
	return now_ms + (wait < 1 ? 1 : wait);
}

bool retry_expired(const struct retry_plan *plan, int64_t arrived_ms, int64_t now_ms)
{
	return age_ms(arrived_ms, now_ms) >= plan->expire_ms;
}

bool retry_notice_due(const struct retry_plan *plan, int64_t arrived_ms, int64_t now_ms)
{
	return plan->delay_notice_ms > 0 && age_ms(arrived_ms, now_ms) >= plan->delay_notice_ms;
}

int64_t retry_host_pause_ms(uint32_t failures, uint32_t chance)
{
	uint32_t doublings = failures == 0 ? 0 : failures - 1;
	int64_t pause = 5 * SECOND_MS << (doublings < 7 ? doublings : 7);

	if (pause > 10 * MINUTE_MS)
		pause = 10 * MINUTE_MS;
	return spread(pause, 20, chance);
}

struct retry_window retry_window_make(uint32_t max)
{
	must(max >= 1);
	return (struct retry_window){ .max = max, .limit = max < RETRY_WINDOW_START ? max : RETRY_WINDOW_START };
}

void retry_window_success(struct retry_window *window)
{
	if (window->limit >= window->max)
		return;
	if (++window->successes >= window->limit) {
		window->limit++;
		window->successes = 0;
	}
}

void retry_window_strain(struct retry_window *window)
{
	window->limit = window->limit > 1 ? window->limit / 2 : 1;
	window->successes = 0;
}

void retry_window_bound(struct retry_window *window, uint32_t max)
{
	must(max >= 1);
	window->max = max;
	if (window->limit > max)
		window->limit = max;
}
