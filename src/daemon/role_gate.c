/* The gate: SMTP both ways, queue, journal, verdicts. It has the network, the keys and the journal's folder, and parses no body. */
#include "daemon/roles.h"

#include "gate/gate.h"
#include "settings/settings.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/log.h"

#define RESOLV_CONF     "/etc/resolv.conf"
#define RESOLV_CONF_MAX (64u << 10)
#define AUTHORITIES     "/etc/ssl/certs/ca-certificates.crt"
#define AUTHORITIES_MAX (8u << 20)
#define WHY_MAX         4096u
#define PREDECESSOR_MS  5000u

const struct sandbox gate_box = {
	.role = "gate", .calls = SANDBOX_CALLS_THREADS | SANDBOX_CALLS_FILES | SANDBOX_CALLS_SLABS | SANDBOX_CALLS_LOOPS,
	.network = SANDBOX_NET_CONNECT, .paths = SANDBOX_NO_PATHS, /* the journal, by role_box() */
	.files_max = 1u << 20, .core_dump = false,
};

/* What is not there is empty; the gate says so when it needs it. */
static void read_if_there(const char *path, struct buf *out)
{
	const enum rc rc = file_read_path(path, out);

	if (rc != RC_OK)
		log_notice(LOG_EVENT("gate.without"), LOG_STR("file", path), LOG_STR("rc", rc_word(rc)));
}

int role_gate(const struct role_start *start)
{
	struct buf   resolv_conf = buf_make(RESOLV_CONF_MAX), authorities = buf_make(AUTHORITIES_MAX), why = buf_make(WHY_MAX);
	struct gate *gate = NULL;

	read_if_there(RESOLV_CONF, &resolv_conf);
	read_if_there(AUTHORITIES, &authorities);
	const struct gate_options options = {
		.start = start, .reader = settings_read_gate,
		.resolv_conf = buf_slice(&resolv_conf), .authorities = buf_slice(&authorities),
	};
	/* A predecessor that was killed a moment ago may still hold the journal's lock. */
	const uint64_t until_ms = clock_mono_ms() + PREDECESSOR_MS;
	enum rc        rc = gate_open(&options, &why, &gate);
	while (rc == RC_BUSY && clock_mono_ms() < until_ms) {
		clock_sleep_ms(50);
		buf_clear(&why);
		rc = gate_open(&options, &why, &gate);
	}
	buf_done(&resolv_conf);
	buf_done(&authorities);
	if (rc != RC_OK) {
		log_error(LOG_EVENT("gate.failed"), LOG_TEXT("why", buf_slice(&why)), LOG_STR("rc", rc_word(rc)));
		return 1;
	}
	buf_done(&why);
	if (!role_close_box(start))
		return 1;
	return gate_run(gate);
}
