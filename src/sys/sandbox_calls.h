/*
 * The allow-lists as one table: a row is one system call, the families of boxes that have it, and what its arguments must
 * be. Internal to room sys: sandbox.c makes a filter of it, sandbox_describe() a page.
 */
#ifndef SYS_SANDBOX_CALLS_H
#define SYS_SANDBOX_CALLS_H

#include "sys/sandbox.h"

#define CALL_ALWAYS  (1u << 16) /* in every box */
#define CALL_ACCEPT  (1u << 17) /* from SANDBOX_NET_ACCEPT on */
#define CALL_CONNECT (1u << 18) /* from SANDBOX_NET_CONNECT on */
#define CALL_BIND    (1u << 19) /* SANDBOX_NET_BIND */
#define CALL_TESTS   (1u << 20) /* in sanitizer builds only, there in every box */

enum call_rule {
	CALL_FREE,       /* any arguments */
	CALL_IS,         /* argument `index` is `value` */
	CALL_BITS,       /* argument `index` & `mask` is `value` */
	CALL_OWN_PID,    /* argument `index` is the process itself */
	CALL_NO_SUCH,    /* answered with ENOSYS, so that the C library takes its older way */
};

struct call {
	const char    *name;
	unsigned       families; /* SANDBOX_CALLS_... and CALL_... */
	enum call_rule rule;
	unsigned       index;
	uint64_t       mask;
	uint64_t       value;
	const char    *condition; /* for people; NULL: none */
};

extern const struct call sandbox_calls[];
extern const size_t      sandbox_call_count;

/* All families that a box has, in the terms above. */
unsigned sandbox_families(const struct sandbox *box);

#endif
