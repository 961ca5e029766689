/* The checks that go beyond one line: each in its own function, all of them run, so that one check names all that is wrong. */
#include "settings/check.h"

#include "base/codec.h"
#include "mail/domain.h"
#include "sys/file.h"

#include <unistd.h>

#define FOUND_BYTES_MAX 200u

static void put_line(const struct settings_check *check, struct buf *out, enum settings_kind kind, size_t index, const char *text,
                     struct slice found)
{
	const struct setting_section *section = &settings_sections[kind];

	settings_put_place(check->parts.path, check->values.sections[kind].lines[index], 0, out);
	buf_put_byte(out, '[');
	buf_put_str(out, section->name);
	if (section->named) {
		struct slice name;
		memcpy(&name, (const uint8_t *)check->values.sections[kind].items + index * section->size, sizeof name);
		buf_put_byte(out, ' ');
		codec_quote(name, FOUND_BYTES_MAX, out);
	}
	buf_put_str(out, "] ");
	buf_put_str(out, text);
	if (found.len != 0) {
		buf_put_str(out, ": ");
		codec_quote(found, FOUND_BYTES_MAX, out);
	}
	buf_put_byte(out, '\n');
}

void settings_check_error(struct settings_check *check, enum settings_kind kind, size_t index, const char *text, struct slice found)
{
	check->error_count++;
	put_line(check, check->errors, kind, index, text, found);
}

void settings_check_note(struct settings_check *check, enum settings_kind kind, size_t index, const char *text, struct slice found)
{
	put_line(check, check->notes, kind, index, text, found);
}

size_t settings_check_certificate(const struct settings_check *check, struct slice name)
{
	const struct gate_settings *gate = &check->settings.gate;
	size_t                      i = 0;

	while (i < gate->certificate_count && !slice_eq(gate->certificates[i].name, name))
		i++;
	return i;
}

void settings_check_certificates(struct settings_check *check)
{
	const struct gate_settings *gate = &check->settings.gate;

	for (size_t i = 0; i < gate->certificate_count; i++) {
		const struct tls_pair pair = {
			.certificates = gate_settings_file(gate, gate->certificates[i].file),
			.key = gate_settings_file(gate, gate->certificates[i].key),
		};
		struct tls_pair_facts facts = { .not_after_s = 0 };
		struct fault          fault = { .rc = RC_OK };
		const enum rc         rc = tls_pair_check(&pair, check->now_s, check->arena, &facts, &fault);

		if (rc == RC_TIMEOUT) {
			settings_check_note(check, SETTINGS_CERTIFICATE, i, "the certificate is not valid now", SLICE(""));
		} else if (rc == RC_CONFLICT) {
			settings_check_error(check, SETTINGS_CERTIFICATE, i, "the key does not belong to the certificate", SLICE(""));
		} else if (rc == RC_DENIED) {
			settings_check_error(check, SETTINGS_CERTIFICATE, i, "the key needs a password; store it without one", SLICE(""));
		} else if (rc == RC_NOMEM) {
			check->rc = RC_NOMEM;
		} else if (rc != RC_OK) {
			settings_check_error(check, SETTINGS_CERTIFICATE, i, fault.text != NULL ? fault.text : "cannot be used for TLS", SLICE(""));
		} else if (facts.not_after_s - check->now_s < 30 * 86400) {
			settings_check_note(check, SETTINGS_CERTIFICATE, i, "the certificate ends within 30 days", SLICE(""));
		}
	}
}

static void check_places(struct settings_check *check)
{
	const struct gate_gateway_settings *gateway = check->settings.gate.gateway;

	if (domain_check(gateway->hostname, false) != RC_OK)
		settings_check_error(check, SETTINGS_GATEWAY, 0, "hostname: not a host name", gateway->hostname);
	else if (slice_find(gateway->hostname, '.') == gateway->hostname.len)
		settings_check_note(check, SETTINGS_GATEWAY, 0, "hostname: a name with a dot is what other mail systems expect", gateway->hostname);
	const struct setting_list *servers = &check->settings.gate.dns->servers;
	for (size_t i = 0; i < servers->count; i++) {
		struct net_address address;
		if (net_address_parse_port(servers->items[i], 53, &address) != RC_OK)
			settings_check_error(check, SETTINGS_DNS, 0, "server: expected an address such as 192.0.2.53 or [2001:db8::53]:53", servers->items[i]);
	}
	if (slice_at(gateway->state, 0) != '/')
		settings_check_error(check, SETTINGS_GATEWAY, 0, "state: expected a path that begins with a slash", gateway->state);
	if (slice_at(gateway->run, 0) != '/')
		settings_check_error(check, SETTINGS_GATEWAY, 0, "run: expected a path that begins with a slash", gateway->run);
	const struct slice folder = check->settings.gate.journal->folder;
	if (folder.len != 0 && slice_at(folder, 0) != '/')
		settings_check_error(check, SETTINGS_JOURNAL, 0, "folder: expected a path that begins with a slash", folder);
}

void settings_check_budgets(struct settings_check *check)
{
	const struct gate_settings *gate = &check->settings.gate;
	uint64_t                    largest = 0, sessions = 0;

	for (size_t i = 0; i < gate->listener_count; i++) {
		if (gate->listeners[i].message_size_max > largest)
			largest = gate->listeners[i].message_size_max;
		sessions += gate->listeners[i].connections_max;
	}
	if (gate->gateway->message_bytes_max < largest)
		settings_check_error(check, SETTINGS_GATEWAY, 0, "message_bytes_max: less than a listener's message_size_max, so that message would never fit",
		                     SLICE(""));
	if (gate->scanner->memory_max < largest + GATE_SCANNER_OWN_BYTES)
		settings_check_error(check, SETTINGS_SCANNER, 0,
		                     "memory_max: a listener's message_size_max and 60M for the scanner itself do not fit, so the largest messages could not be scanned",
		                     SLICE(""));

	const long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
	if (pages <= 0 || page_bytes <= 0)
		return;
	const uint64_t machine = (uint64_t)pages * (uint64_t)page_bytes;
	const uint64_t wanted = gate->gateway->message_bytes_max + gate->queue->memory_max + gate->queue->hot_bytes_max +
	                        gate->journal->queue_bytes_max + gate->dns->cache_bytes + sessions * 4096;
	if (wanted > machine)
		settings_check_note(check, SETTINGS_GATEWAY, 0, "all bounds of memory together are more than this machine has", SLICE(""));
}

/* Where the system keeps who may sign; read only when a route wants to verify and [tls] ca_file names nobody. */
static void open_authorities(const struct settings_check *check, struct tls_authorities **out)
{
	const struct gate_settings *gate = &check->settings.gate;
	bool                        wanted = false;

	for (size_t i = 0; i < gate->route_count; i++)
		wanted = wanted || gate->routes[i].tls == ROUTE_TLS_VERIFY;
	if (!wanted || gate->tls->ca_file.len != 0)
		return;
	struct buf pem = buf_make(TLS_AUTHORITIES_MAX);
	/* Without them config_make() has the sentence that explains it. */
	if (file_read_path(SETTINGS_SYSTEM_AUTHORITIES, &pem) == RC_OK && tls_authorities_open(buf_slice(&pem), out, NULL) != RC_OK)
		*out = NULL;
	buf_done(&pem);
}

/* What the gate itself says when it makes its tables of this: everything that is not found above by line. */
static void check_gate_takes_it(struct settings_check *check, struct slice bundle)
{
	struct buf              why = buf_make(4096);
	struct config          *config = NULL;
	struct tls_authorities *authorities = NULL;

	open_authorities(check, &authorities);
	const struct config_surroundings surroundings = { .authorities = authorities };
	const enum rc                    rc = config_make(bundle, settings_read_gate, &surroundings, &why, &config);

	if (rc == RC_NOMEM) {
		check->rc = RC_NOMEM;
	} else if (rc != RC_OK) {
		check->error_count++;
		settings_put_place(check->parts.path, 0, 0, check->errors);
		buf_put(check->errors, buf_slice(&why));
		buf_put_byte(check->errors, '\n');
	}
	config_drop(&config);
	tls_authorities_close(&authorities);
	buf_done(&why);
}

static enum rc read_bundle(struct settings_check *check, struct slice bundle)
{
	struct setting_error errors[1];
	size_t               count = 0, bad = 0;
	enum rc              rc = settings_parts_read(bundle, check->arena, &check->parts);

	if (rc == RC_OK)
		rc = setting_read(check->parts.text, settings_sections, SETTINGS_KINDS, check->arena, &check->values, errors, 1, &count);
	if (rc != RC_OK)
		return rc;
	rc = settings_join(&check->parts, &check->values, &check->settings, &bad);
	if (rc == RC_SYNTAX) {
		settings_check_error(check, SETTINGS_POLICY_FOR, bad, "expected inbound, outbound, internal or relay, each once", SLICE(""));
		return RC_CONFLICT;
	}
	return rc;
}

enum rc settings_check(struct slice bundle, int64_t now_s, struct buf *errors, struct buf *notes)
{
	struct arena          arena;
	struct settings_check check = { .arena = &arena, .errors = errors, .notes = notes, .now_s = now_s };
	enum rc               rc = arena_init(&arena, SETTINGS_ARENA_BYTES);

	if (rc != RC_OK)
		return rc;
	rc = read_bundle(&check, bundle);
	if (rc == RC_OK) {
		check_places(&check);
		settings_check_certificates(&check);
		settings_check_listeners(&check);
		settings_check_ways(&check);
		settings_check_budgets(&check);
		if (check.error_count == 0 && check.rc == RC_OK)
			check_gate_takes_it(&check, bundle);
		rc = check.rc != RC_OK ? check.rc : check.error_count != 0 ? RC_CONFLICT : RC_OK;
	}
	arena_done(&arena);
	return rc;
}
