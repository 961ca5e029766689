/*
 * Whose address is this, and may this client send to it? The decision at RCPT, without sockets: the domains of the settings
 * and what is known of the client go in, one answer comes out. Rule of the house: a recipient that is not hosted here is
 * refused unless the client is one of ours or is allowed to relay; nothing in an address can turn that round.
 */
#ifndef GATE_RECIPIENTS_H
#define GATE_RECIPIENTS_H

#include "config/config.h"

/* What the session has proved so far. */
struct recipient_client {
	bool ours;  /* authenticated, or one of our own mail systems by address or certificate */
	bool relay; /* its network is in the listener's relay_from */
};

enum recipient_answer {
	RECIPIENT_ACCEPT,
	RECIPIENT_VERIFY,        /* ask the mail system behind (call-ahead) */
	RECIPIENT_UNKNOWN,       /* 550 5.1.1 */
	RECIPIENT_RELAY_DENIED,  /* 550 5.7.1 */
	RECIPIENT_MALFORMED,     /* 501 5.1.3 */
};

struct recipient_decision {
	enum recipient_answer       answer;
	enum direction              direction;
	struct slice                address;     /* as it is sent on: alias domains rewritten; in the arena, or the input itself */
	const struct config_domain *domain;      /* NULL when not hosted here */
	bool                        postmaster;  /* postmaster, abuse, security, hostmaster, mailer-daemon of a hosted domain */
};

/*
 * Decide about `address` ("local@domain", or "postmaster" alone as RFC 5321 section 4.1.1.3 demands). Case of the domain
 * never counts; case of the local part does not count for look-ups and is kept for sending. RC_NOMEM: the arena is full.
 */
MUST_CHECK enum rc recipient_decide(const struct config *config, const struct recipient_client *client, struct slice address,
                                    struct arena *arena, struct recipient_decision *out);

/* The hosted domain of that name, or NULL. Any case. */
const struct config_domain *recipient_domain(const struct config *config, struct slice name);

/* May `account` use `sender` ("" is always allowed: notices)? */
bool account_may_send(const struct config_account *account, struct slice sender);

/*
 * May `account` be the author of a message in which this was found? Every address in From has to be one of its own, and From has to say
 * clearly whose they are; a message without From names nobody else.
 */
bool account_may_author(const struct config_account *account, const struct findings *findings);

#endif
