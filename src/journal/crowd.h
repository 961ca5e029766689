/*
 * How many groups come together lately: what the committer goes by when it decides whether waiting for company pays.
 * A crowd that has dispersed is forgotten at once, or the first sessions after it would wait for nobody.
 */
#ifndef JOURNAL_CROWD_H
#define JOURNAL_CROWD_H

#include <stdint.h>

/* Longer than this without a group of urgency NOW: the crowd is gone. */
#define JOURNAL_CROWD_LASTS_US UINT64_C(10000)

struct journal_crowd {
	uint64_t eighths; /* of a group: a sliding mean that rises at once and falls by an eighth */
	uint64_t last_us; /* when the last batch with NOW groups was answered; UINT64_MAX: it is being written */
};

/* A batch of so many NOW groups was taken. */
void journal_crowd_took(struct journal_crowd *crowd, uint64_t groups);
/* The batch was answered at that moment, however long its sync took: who was in it may come again from now on. */
void journal_crowd_answered(struct journal_crowd *crowd, uint64_t now_us);
/* The first NOW group of a new batch came at that moment; also while the last one is still being written. */
void journal_crowd_came(struct journal_crowd *crowd, uint64_t now_us);
/* How many of them are worth waiting for: 1 to 8. */
uint64_t journal_crowd_goal(const struct journal_crowd *crowd);

#endif
