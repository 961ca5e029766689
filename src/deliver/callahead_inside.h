/*
 * The inside of call-ahead, for callahead*.c only: callahead.c holds the answers and the questions, callahead_asker.c the connections that ask. All but the cache of answers
 * belongs to the delivery loop's thread.
 */
#ifndef DELIVER_CALLAHEAD_INSIDE_H
#define DELIVER_CALLAHEAD_INSIDE_H

#include "config/config.h"
#include "deliver/callahead.h"
#include "net/stream.h"
#include "smtp/client.h"
#include "sys/threads.h"

#define CALLAHEAD_ADDRESS_MAX   320u
#define CALLAHEAD_TARGETS_MAX   16u
#define CALLAHEAD_EXCHANGERS_MAX 8u /* of one name whose MX is asked for */
#define CALLAHEAD_IDLE_MS       10000u
#define CALLAHEAD_QUESTIONS_MAX 10000u /* under way, all verifiers together; more: unknown */

/* Does this mail system say no at all? */
enum honesty {
	HONESTY_NOT_ASKED,
	HONESTY_ASKING,
	HONESTY_SAYS_NO, /* it refused a name nobody has: its answers mean something */
	HONESTY_SAYS_YES, /* it takes every name: its answers mean nothing */
};

/* Where one domain's recipients are asked for. */
struct verifier {
	struct list          link;
	struct callahead    *owner;
	struct config       *config;      /* held */
	const struct route  *route;
	struct list          questions;   /* not yet being asked */
	struct list          askers;
	uint32_t             asker_count;
	uint64_t             dead_until_ms; /* loop's clock */
	enum honesty         honesty;
	uint64_t             honesty_until_ms;
	size_t               domain_size;
	uint8_t              domain[256];
};

/* One address being asked for, by any number of queries; none when it is only refreshed, or asks for a name nobody has. */
struct question {
	struct list      link;
	struct verifier *verifier;
	struct list      queries;
	struct timer     timer;
	struct asker    *asker;  /* that asks it, or NULL */
	bool             probe;
	uint16_t         address_size;
	uint8_t          address[CALLAHEAD_ADDRESS_MAX];
};

struct asker {
	struct list                  link;
	struct verifier             *verifier;
	struct stream                stream;
	struct smtp_client           client;
	struct smtp_client_config    session;
	struct smtp_client_recipient recipient;
	struct smtp_client_envelope  envelope;
	struct question             *question;
	enum callahead_result        result;
	struct timer                 timer;
	struct buf                   line;
	bool                         ready, quitting;
	uint16_t                     order[ROUTE_HOSTS_MAX];
	size_t                       order_next;
	struct resolver_query        query;
	struct arena                 arena;
	enum resolver_type           asking;
	struct exchanger {
		uint8_t name[RESOLVER_NAME_MAX];
		uint8_t name_size;
	} exchangers[CALLAHEAD_EXCHANGERS_MAX]; /* names still to be looked up: of a host, or by its MX */
	size_t                       exchanger_count;
	size_t                       exchanger_next;
	bool                         by_mx;
	uint16_t                     port;      /* of the targets */
	struct net_address           targets[CALLAHEAD_TARGETS_MAX]; /* of the name being tried */
	size_t                       target_count;
	size_t                       target_next;
};

struct callahead {
	struct callahead_options options;
	struct loop             *loop;
	struct mutex             lock;      /* guards cache, order, count, config */
	struct map              *cache;     /* lower-case address -> struct known */
	struct list              order;     /* least lately written first */
	size_t                   known_count;
	struct config           *config;    /* held */
	struct map              *questions; /* address -> struct question, not probes */
	size_t                   question_count;
	struct list              verifiers;
	uint64_t                 chance;
};

/* callahead.c */
struct question *verifier_next(struct verifier *verifier);
/* It has its answer; frees it. */
void question_answer(struct question *question, enum callahead_result result);
/* It could not be asked: nobody can be, for a while. */
void verifier_failed(struct verifier *verifier);
void verifier_work(struct verifier *verifier);

/* callahead_asker.c */
MUST_CHECK enum rc asker_open(struct verifier *verifier);
/* Ask the next question, or wait for one. */
void asker_next(struct asker *asker);
void asker_close(struct asker *asker);

#endif
