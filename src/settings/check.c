/* The checks that go beyond one line: each in its own function, all of them run, so that one check names all that is wrong. */
#include "settings/check.h"

#include "mail/domain.h"
#include "sys/file.h"

#include <string.h>
#include <unistd.h>

static void put_line(const struct settings_check *check, struct buf *out, const struct settings_spot *spot)
{
	/* Full: nothing of it would be seen, and to look for its place takes a pass over the text. */
	if (out->failed)
		return;
	settings_put_place(check->parts.path, settings_place_of_spot(check->parts.text, &check->values, spot), out);
	settings_put_spot(&check->values, spot, out);
}

void settings_check_error(struct settings_check *check, enum settings_kind kind, size_t index, const char *key, const char *text,
                          struct slice found)
{
	check->error_count++;
	put_line(check, check->errors, &(struct settings_spot){ kind, index, key, text, found });
}

void settings_check_note(struct settings_check *check, enum settings_kind kind, size_t index, const char *key, const char *text,
                         struct slice found)
{
	put_line(check, check->notes, &(struct settings_spot){ kind, index, key, text, found });
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
			settings_check_note(check, SETTINGS_CERTIFICATE, i, "file", "the certificate is not valid now", SLICE(""));
		} else if (rc == RC_CONFLICT) {
			settings_check_error(check, SETTINGS_CERTIFICATE, i, "key", "expected the certificate's own key: the key does not belong to the certificate", SLICE(""));
		} else if (rc == RC_DENIED) {
			settings_check_error(check, SETTINGS_CERTIFICATE, i, "key", "expected a key without a password: the key needs a password", SLICE(""));
		} else if (rc == RC_NOMEM) {
			check->rc = RC_NOMEM;
		} else if (rc != RC_OK) {
			settings_check_error(check, SETTINGS_CERTIFICATE, i, "file", fault.text != NULL ? fault.text : "cannot be used for TLS", SLICE(""));
		} else if (facts.not_after_s - check->now_s < 30 * 86400) {
			settings_check_note(check, SETTINGS_CERTIFICATE, i, "file", "the certificate ends within 30 days", SLICE(""));
		}
	}
}

static void check_places(struct settings_check *check)
{
	const struct gate_gateway_settings *gateway = check->settings.gate.gateway;

	if (domain_check(gateway->hostname, false) != RC_OK)
		settings_check_error(check, SETTINGS_GATEWAY, 0, "hostname", "expected a host name such as mx.example.cn", gateway->hostname);
	else if (slice_find(gateway->hostname, '.') == gateway->hostname.len)
		settings_check_note(check, SETTINGS_GATEWAY, 0, "hostname", "a name with a dot is what other mail systems expect", gateway->hostname);
	const struct setting_list *servers = &check->settings.gate.dns->servers;
	for (size_t i = 0; i < servers->count; i++) {
		struct net_address address;
		if (net_address_parse_port(servers->items[i], 53, &address) != RC_OK)
			settings_check_error(check, SETTINGS_DNS, 0, "server", "expected an address such as 192.0.2.53 or [2001:db8::53]:53", servers->items[i]);
	}
	if (slice_at(gateway->state, 0) != '/')
		settings_check_error(check, SETTINGS_GATEWAY, 0, "state", "expected a path that begins with a slash", gateway->state);
	if (slice_at(gateway->run, 0) != '/')
		settings_check_error(check, SETTINGS_GATEWAY, 0, "run", "expected a path that begins with a slash", gateway->run);
	const struct slice folder = check->settings.gate.journal->folder;
	if (folder.len != 0 && slice_at(folder, 0) != '/')
		settings_check_error(check, SETTINGS_JOURNAL, 0, "folder", "expected a path that begins with a slash", folder);
}

/* A number that is too small for a listener's message_size_max. When it is not written, the listener's line is the one to mend. */
static void check_pair(struct settings_check *check, enum settings_kind kind, const char *key, const char *text, size_t listener,
                       const char *listener_text)
{
	if (settings_place_of_key(check->parts.text, check->values.sections[kind].lines[0], key).line != 0)
		settings_check_error(check, kind, 0, key, text, SLICE(""));
	else
		settings_check_error(check, SETTINGS_LISTENER, listener, "message_size_max", listener_text, SLICE(""));
}

void settings_check_budgets(struct settings_check *check)
{
	const struct gate_settings *gate = &check->settings.gate;
	uint64_t                    largest = 0, sessions = 0;
	size_t                      which = 0;

	for (size_t i = 0; i < gate->listener_count; i++) {
		if (gate->listeners[i].message_size_max > largest) {
			largest = gate->listeners[i].message_size_max;
			which = i;
		}
		sessions += gate->listeners[i].connections_max;
	}
	if (gate->gateway->message_bytes_max < largest)
		check_pair(check, SETTINGS_GATEWAY, "message_bytes_max",
		           "expected no less than a listener's message_size_max, or that message would never fit", which,
		           "expected no more than [gateway] message_bytes_max, or that message would never fit");
	if (gate->scanner->memory_max < largest + GATE_SCANNER_OWN_BYTES)
		check_pair(check, SETTINGS_SCANNER, "memory_max",
		           "expected a listener's message_size_max and 96M for the scanner itself, or the largest messages could not be scanned",
		           which, "expected 96M less than [scanner] memory_max, or the largest messages could not be scanned");

	const long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
	if (pages <= 0 || page_bytes <= 0)
		return;
	const uint64_t machine = (uint64_t)pages * (uint64_t)page_bytes;
	const uint64_t wanted = gate->gateway->message_bytes_max + gate->queue->memory_max + gate->queue->hot_bytes_max +
	                        gate->journal->queue_bytes_max + gate->dns->cache_bytes + sessions * 4096;
	if (wanted > machine)
		settings_check_note(check, SETTINGS_GATEWAY, 0, NULL, "all bounds of memory together are more than this machine has", SLICE(""));
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

/* In which file, and where in it, lies what config_make() could not use. */
static void put_config_place(struct settings_check *check, struct slice bundle, const struct config_place *place)
{
	const struct slice   part = slice_cut(bundle, place->value, 1);
	struct settings_spot spot = { .key = place->key, .found = part };

	for (size_t i = 0; i < check->parts.file_count; i++) {
		const struct settings_place at = settings_place_of(check->parts.files[i].bytes, part);
		struct buf                  path = buf_make(2 * SETTINGS_PATH_MAX);
		if (at.line != 0 && settings_put_path(check->parts.path, check->parts.files[i].path, &path) == RC_OK)
			settings_put_place(buf_slice(&path), at, check->errors);
		buf_done(&path);
		if (at.line != 0)
			return;
	}
	while (spot.kind < SETTINGS_KINDS && (place->section == NULL || strcmp(settings_sections[spot.kind].name, place->section) != 0))
		spot.kind++;
	if (spot.kind == SETTINGS_KINDS) {
		settings_put_place(check->parts.path, (struct settings_place){ .line = 0 }, check->errors);
		return;
	}
	const struct setting_section *section = &settings_sections[spot.kind];
	for (bool found = !section->named; !found && spot.index < check->values.sections[spot.kind].count; spot.index += !found) {
		struct slice name;
		memcpy(&name, (const uint8_t *)check->values.sections[spot.kind].items + spot.index * section->size, sizeof name);
		found = slice_offset(bundle, name) == place->name;
	}
	settings_put_place(check->parts.path, settings_place_of_spot(check->parts.text, &check->values, &spot), check->errors);
}

/* What the gate itself says when it makes its tables of this: everything that is not found above. It ends at the first. */
static void check_gate_takes_it(struct settings_check *check, struct slice bundle)
{
	struct buf              why = buf_make(4096);
	struct config          *config = NULL;
	struct tls_authorities *authorities = NULL;
	struct config_place     place;

	open_authorities(check, &authorities);
	const struct config_surroundings surroundings = { .authorities = authorities };
	const enum rc                    rc = config_make(bundle, settings_read_gate, &surroundings, &why, &place, &config);

	if (rc == RC_NOMEM) {
		check->rc = RC_NOMEM;
	} else if (rc != RC_OK) {
		check->error_count++;
		put_config_place(check, bundle, &place);
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
		const struct policy_section *sections = check->values.sections[SETTINGS_POLICY_FOR].items;
		settings_check_error(check, SETTINGS_POLICY_FOR, bad, NULL, "expected inbound, outbound, internal or relay, each once", sections[bad].name);
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
