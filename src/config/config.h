/*
 * One version of the settings as the gate uses it: immutable, counted, swapped whole. A message keeps the version it began with; a session
 * takes the current one between two messages.
 *
 * What was written in the file arrives as a `struct gate_settings`, filled by the room above (settings/), together with the
 * bytes of every file it names, since the gate itself can open none. gate_config_make() turns it into tables: networks,
 * domains, accounts, TLS contexts. It fails with a sentence instead of half a configuration.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/digest.h"
#include "base/fault.h"
#include "base/map.h"
#include "config/route.h"
#include "config/settings.h"
#include "journal/event.h"
#include "journal/limits.h"
#include "net/address.h"
#include "net/tls.h"
#include "policy/settings.h"
#include "scan/scan.h"
#include "smtp/server.h"

#include <stdatomic.h>

/* A file that the settings name, as it was when they were read. */
struct gate_file {
	struct slice path;
	struct slice bytes;
};

/* Everything that was written, and nothing derived. All slices and arrays live as long as the arena they were read into. */
struct gate_settings {
	const struct gate_gateway_settings      *gateway;
	const struct gate_listener_settings     *listeners;
	size_t                                   listener_count;
	const struct gate_certificate_settings  *certificates;
	size_t                                   certificate_count;
	const struct gate_domain_settings       *domains;
	size_t                                   domain_count;
	const struct gate_organisation_settings *organisation;
	const struct gate_accounts_settings     *accounts;
	const struct gate_tls_settings          *tls;
	const struct gate_dns_settings          *dns;
	const struct gate_scanner_settings      *scanner;
	const struct journal_limits             *journal;
	const struct gate_queue_settings        *queue;
	const struct gate_callahead_settings    *callahead;
	const struct gate_route_settings        *routes;
	size_t                                   route_count;
	struct policy_settings                   policy;
	const struct gate_file                  *files;
	size_t                                   file_count;
	struct digest                            digest; /* of the settings and all files */
};

/* The bytes of the file named `path`, or an empty slice when it is not among them. */
struct slice gate_settings_file(const struct gate_settings *settings, struct slice path);

/*
 * What makes a `struct gate_settings` out of a bundle; given to the gate at start, since the reader stands on a higher floor. The bundle
 * outlives *out.
 */
typedef enum rc gate_settings_reader(struct slice bundle, struct arena *arena, struct gate_settings *out);

/* A listener, ready to use. */
struct config_listener {
	const struct gate_listener_settings *settings;
	struct net_match                     peers;        /* empty: everybody */
	struct net_match                     proxies;      /* empty: nobody; so the next three */
	struct net_match                     xclient;
	struct net_match                     bare_newline;
	struct net_match                     relay;
	struct net_match                     tls_required; /* from these nothing is taken in plain text (I-35) */
	const struct digest                 *certificates; /* fingerprints of our own mail systems */
	size_t                               certificate_count;
	struct tls_context                  *tls;          /* NULL: no TLS */
	struct smtp_server_config            strict;       /* what the machine is told ... */
	struct smtp_server_config            lenient;      /* ... and of peers in bare_newline */
};

/* A hosted domain. */
struct config_domain {
	const struct gate_domain_settings *settings;
	struct slice                       name;       /* lower case: what its aliases are rewritten to */
	struct map                        *recipients; /* lower-case local parts; NULL unless RECIPIENTS_LIST */
};

/* Somebody who may authenticate. */
struct config_account {
	struct slice        name;
	const char         *hash;      /* Argon2id, as libsodium writes it */
	const struct slice *addresses; /* lower case; "@example.cn" means the whole domain */
	size_t              address_count;
};

struct config {
	atomic_uint             holders;
	struct arena            arena;     /* everything below lives in it, the bundle's copy too */
	struct gate_settings    settings;
	struct config_listener *listeners; /* in the order of settings.listeners */
	struct map             *domains;   /* lower-case name or alias -> struct config_domain */
	struct map             *accounts;  /* name -> struct config_account; NULL: nobody */
	struct net_match        own;       /* [organisation] networks */
	struct route_table     *route_table;
	struct scan_options     scan[DIRECTION_COUNT];
	struct scan_options     scan_spam[DIRECTION_COUNT]; /* of messages into which we write X-Spam-*: those of others are cut */
	bool                    writes_spam;                /* some route wants those fields */
	struct digest           engine;    /* of those options: they differ in what is cut only */
};

/*
 * What could not be used, for the one who finds lines: its section's word (NULL: none), the offsets in the bundle of that section's name
 * and of the value itself, in the settings' text or in a file that they name (SIZE_MAX: neither written nor known), and the key or NULL.
 */
struct config_place {
	const char *section;
	const char *key;
	size_t      name;
	size_t      value;
};

/* Are X-Spam-* written into what goes that way (I-15)? */
bool config_writes_spam(const struct config *config, const struct gate_route_settings *route);

/* What is not part of the settings and outlives them. */
struct config_surroundings {
	struct tls_tickets *tickets; /* or NULL */
	uint64_t            seed;    /* of the maps */
	struct tls_authorities *authorities; /* who may sign next hops' certificates when [tls] ca_file names nobody; NULL: nobody */
};

/*
 * Make a configuration with one holder from `bundle`, read by `reader`; the bundle is copied. RC_SYNTAX, RC_CONFLICT, RC_NOMEM,
 * RC_LIMIT or what the TLS library says; `why` then holds a sentence that names section and key, and *ret_place (which may be NULL)
 * says where it stands.
 */
MUST_CHECK enum rc config_make(struct slice bundle, gate_settings_reader *reader, const struct config_surroundings *surroundings,
                               struct buf *why, struct config_place *ret_place, struct config **out);

/* One more holder, and one less; the last one frees it. Any thread. A NULL inside is legal for config_drop; clears the caller's pointer. */
struct config *config_hold(struct config *config);
void           config_drop(struct config **config);

#endif
