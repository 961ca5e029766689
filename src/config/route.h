/*
 * Routes: which way a recipient's mail goes, made from [route] sections into tables that never change, so that any thread may look things up.
 * A table belongs to one version of the settings (config/config.h) and lives as long. Nothing here asks DNS; gate/destination.h does.
 *
 * Sources: I-7, I-8, I-11, I-19d, I-24, I-30, I-33, I-34 of the integration page.
 */
#ifndef CONFIG_ROUTE_H
#define CONFIG_ROUTE_H

#include "base/buf.h"
#include "config/route_settings.h"
#include "net/address.h"
#include "net/tls.h"
#include "queue/retry.h"

/* The longest a client waits for the next hop (I-24). Files of version 0.1.0 may say up to 2m: that counts as this. */
#define ROUTE_THROUGH_WAIT_MAX_MS 30000u

/* One next hop as it was written. */
struct route_host {
	struct slice       name;     /* host name in lower case, or the address as text */
	struct net_address address;  /* with its port when `name` is an address; else family none */
	uint16_t           port;
	uint16_t           priority; /* lower first */
	uint16_t           weight;   /* within a priority; 0: only when nothing else is left */
	bool               mx;       /* ask for the MX of `name` */
};

struct route {
	const struct gate_route_settings *settings;
	struct slice              name;
	const struct route_host  *hosts;
	size_t                    host_count;  /* 0: MX of the recipient's domain */
	struct net_address        source_v4;   /* family none: the system chooses */
	struct net_address        source_v6;
	struct slice              helo;        /* never empty */
	const struct slice       *tls_names;   /* for verify; none: the host's own name */
	size_t                    tls_name_count;
	struct tls_context       *tls;         /* NULL with ROUTE_TLS_NONE */
	struct retry_plan         plan;
	uint64_t                  through_wait_ms; /* 1000 to ROUTE_THROUGH_WAIT_MAX_MS */
	uint32_t                  index;       /* in the table */
};

/* What a table could not be made of; borrowed from the settings. */
struct route_wrong {
	struct slice route; /* the section's name */
	const char  *key;
	struct slice found; /* may be empty */
};

struct route_table; /* opaque */

/* What a table is made from; borrowed for the table's life unless said otherwise. */
struct route_source {
	const struct gate_route_settings *routes;
	size_t                  count;
	struct slice            hostname;
	enum tls_version        tls_minimum;
	struct tls_authorities *authorities;   /* who may sign certificates of next hops; NULL: none, then tls = verify is refused. Held by the contexts made */
	/* The pair of a [certificate] section; false when there is none of that name. Called during route_table_make() only. */
	bool                  (*certificate)(void *context, struct slice name, struct tls_pair *out);
	void                   *context;
	const struct net_address *own;         /* addresses that we listen on, with ports (I-19d) */
	size_t                  own_count;
	uint64_t                seed;          /* of the maps */
	struct route_wrong     *ret_wrong;     /* set when it fails for what was written; NULL: nobody asks */
};

/*
 * RC_SYNTAX, RC_CONFLICT: `why` holds a sentence naming section and key: an unreadable host, domain or duration; a domain in two routes; a route to
 * one of our own listeners; verify without authorities; AUTH without TLS. RC_NOMEM, or what the TLS library says.
 */
MUST_CHECK enum rc route_table_make(const struct route_source *source, struct buf *why, struct route_table **out);
/* NULL inside is legal; clears the caller's pointer. */
void route_table_close(struct route_table **table);

/*
 * The route for a domain: exact first, then the longest ".suffix", then "*". NULL when there is none. The domain may be written in any case; an address literal
 * ("[192.0.2.1]") only matches "*".
 */
const struct route *route_for_domain(const struct route_table *table, struct slice domain);
/* By its name, or NULL. */
const struct route *route_by_name(const struct route_table *table, struct slice name);
size_t              route_count(const struct route_table *table);
const struct route *route_at(const struct route_table *table, size_t index);

/* The way of a recipient: `moved` is the route it was moved to by hand, or empty; one that no longer exists counts as empty. NULL: no route. */
const struct route *route_of(const struct route_table *table, struct slice address, struct slice moved);

/*
 * The name of a recipient's destination, as queue_settings.key() wants it: "route/" and, where the domain's own MX decides, the domain; "-/domain" when there is
 * no route.
 */
void route_key(const struct route_table *table, struct slice address, struct slice moved, struct buf *out);

/* Is this one of the addresses that we listen on? An address "any" with the same port stands for all addresses of `local` kind: loopback. */
bool route_is_own(const struct route_table *table, const struct net_address *address);
/* Does a listener take this port on every address of the machine? Then the address is ours if the machine has it (net_is_here()). */
bool route_is_own_port(const struct route_table *table, const struct net_address *address);

/*
 * An order in which to try hosts: by priority; hosts of one priority by chance according to their weights, as RFC 2782 asks. `order` gets `count` indexes
 * (count at most ROUTE_ORDER_MAX). `chance` is random.
 */
#define ROUTE_ORDER_MAX 256u
void route_order(const uint16_t *priorities, const uint16_t *weights, size_t count, uint64_t chance, uint16_t *order);

#endif
