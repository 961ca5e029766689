/*
 * GET (and HEAD) of /metrics on a loopback listener, in Prometheus' text format (version 0.0.4): the counters of all roles. Any other path
 * is 404, any other method 405. METRICS_CONNECTIONS_MAX clients are heard at once, others wait, and who is silent for 10 seconds has to
 * go. The HTTP library runs on a thread of its own and sees nothing but the counters' pages.
 */
#ifndef RECORDS_METRICS_H
#define RECORDS_METRICS_H

#include "base/rc.h"
#include "sys/counters.h"

struct metrics; /* opaque */

#define METRICS_CONNECTIONS_MAX 16u
#define METRICS_BYTES_MAX (256u << 10)

/* `socket` is bound and listening; it becomes the library's. RC_IO, RC_NOMEM. */
MUST_CHECK enum rc metrics_open(int socket, const struct counters_page *pages, size_t count, struct metrics **out);
void metrics_close(struct metrics **metrics);

#endif
