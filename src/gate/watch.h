/*
 * What the gate looks at once a second: its own numbers for the metrics, whether it runs degraded, and whether a certificate is
 * about to end. Changes are logged and journaled once, when they happen. On the delivery loop.
 */
#ifndef GATE_WATCH_H
#define GATE_WATCH_H

#include "gate/inside.h"

struct watch; /* opaque */

MUST_CHECK enum rc watch_open(struct gate *gate, struct watch **out);
/* NULL inside is legal; clears the caller's pointer. */
void watch_close(struct watch **watch);

/* The alarms before a certificate ends, in whole days that are left, and when it has ended: one at each. */
#define WATCH_CERTIFICATE_DAYS { 30, 14, 7, -1 }

/* Whole days from now to the end, rounded down: 0 on the last day, -1 as soon as it has ended. Pure. */
int64_t watch_certificate_days(int64_t end_s, int64_t now_s);

/* Which alarm is due with so many days left: an index into WATCH_CERTIFICATE_DAYS plus 1, or 0 for none. Pure. */
unsigned watch_certificate_alarm(int64_t days_left);

#endif
