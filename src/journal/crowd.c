/* A sliding mean with a short memory. */
#include "journal/crowd.h"

/*
 * With fewer sessions at work than CROWD_MIN nobody waits for unannounced others; with CROWD_ENOUGH groups nobody
 * waits longer.
 */
#define CROWD_MIN    4u
#define CROWD_ENOUGH 8u

void journal_crowd_took(struct journal_crowd *crowd, uint64_t groups)
{
	if (groups == 0)
		return;
	if (groups * 8 >= crowd->eighths)
		crowd->eighths = groups * 8;
	else
		crowd->eighths -= (crowd->eighths - groups * 8 + 7) / 8;
	crowd->last_us = UINT64_MAX;
}

void journal_crowd_answered(struct journal_crowd *crowd, uint64_t now_us)
{
	if (crowd->last_us == UINT64_MAX)
		crowd->last_us = now_us;
}

void journal_crowd_came(struct journal_crowd *crowd, uint64_t now_us)
{
	if (now_us > crowd->last_us && now_us - crowd->last_us > JOURNAL_CROWD_LASTS_US)
		crowd->eighths = 0;
}

uint64_t journal_crowd_goal(const struct journal_crowd *crowd)
{
	const uint64_t groups = crowd->eighths / 8;

	if (groups < CROWD_MIN)
		return 1;
	return groups < CROWD_ENOUGH ? groups : CROWD_ENOUGH;
}
