/*
 * Listening sockets: bound by the supervisor, kept through reloads and crashes of the gate, handed to a successor. An address that is
 * open already is never bound twice.
 */
#ifndef DAEMON_LISTENERS_H
#define DAEMON_LISTENERS_H

#include "base/buf.h"
#include "sys/role.h"

struct listeners {
	struct role_listener items[ROLE_LISTENERS_MAX];
	size_t               count;
};

/*
 * Make *out hold a socket for each of `wanted`, in that order: one of `have` with the same address (a duplicate of its
 * descriptor), or a new one. RC_SYNTAX (not an address), RC_EXISTS (in use), RC_DENIED (a port below 1024 without the right), RC_NOTFOUND (not an
 * address of this machine), RC_LIMIT, RC_IO: `why` says which address; nothing stays open.
 */
MUST_CHECK enum rc listeners_open(const struct role_listener *wanted, size_t count, const struct listeners *have,
                                  struct listeners *out, struct buf *why);

/* Bind one TCP address; loopback only when `loopback`. */
MUST_CHECK enum rc listeners_bind(const char *address, bool loopback, int *out, struct buf *why);

void listeners_close(struct listeners *listeners);

#endif
