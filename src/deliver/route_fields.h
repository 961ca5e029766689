/* The words about a message that a route's mail system understands: X-Spam-* and Exchange's spam confidence level. */
#ifndef DELIVER_ROUTE_FIELDS_H
#define DELIVER_ROUTE_FIELDS_H

#include "config/config.h"

/*
 * What a route wants written below our trace header for the mail system behind it: X-Spam-* and, into inbound mail, the SCL. Appends to
 * `out`; nothing where the route asks for nothing, where the message is our own notice, or where no scanner has read it: then nothing is known.
 */
void route_fields_put(const struct event_message *event, const struct config *config, const struct gate_route_settings *route, struct buf *out);
/* Bound of what it appends. */
#define ROUTE_FIELDS_MAX 512u

#endif
