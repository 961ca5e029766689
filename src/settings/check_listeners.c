/*
 * Listeners: addresses that can be bound, networks that can be read, TLS that has its certificates, and no open relay.
 *
 * An open relay is a gateway that strangers can send through to anywhere. Three ways lead there: counting strangers as our
 * own mail systems, allowing them to relay, or letting them say who they are (PROXY, XCLIENT). Each list of those is
 * refused when one of its networks is larger than an organisation can own.
 */
#include "settings/check.h"

#include "base/codec.h"
#include "sys/role.h"

#define RELAY_BITS_V4   8u  /* the largest network in a trusted list: a /8 ... */
#define RELAY_BITS_V6  16u  /* ... and a /16 */
#define RELAY_SUM_V4   (UINT64_C(4) << 24) /* and all of a list together: four of the former */
#define SMTP_PORT      25u

/* How many addresses of its first 32 bits a range covers. IPv6 is counted in networks of 32 bits. */
static uint64_t breadth(const struct net_range *range)
{
	uint64_t first = 0, last = 0;

	for (unsigned i = 0; i < 4; i++) {
		first = first << 8 | range->first.bytes[i];
		last = last << 8 | range->last.bytes[i];
	}
	return last - first + 1;
}

static const char *const relay_text = "would make an open relay: a network larger than /8 (IPv4) or /16 (IPv6)";
static const char *const relay_sum_text = "would make an open relay: together these are more than four /8";

/*
 * Read a list of networks; `trusted` says that its members may do what strangers may not. Each error names the key.
 */
static void check_networks(struct settings_check *check, enum settings_kind kind, size_t index, const char *key,
                           const struct setting_list *list, bool trusted)
{
	uint64_t sum_v4 = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct net_range range;
		if (net_range_parse(list->items[i], &range) != RC_OK) {
			settings_check_error(check, kind, index, key, "expected an address or a network such as 192.0.2.0/24 or 2001:db8::/32", list->items[i]);
			continue;
		}
		const bool     v4 = range.first.family == NET_FAMILY_V4;
		const uint64_t size = breadth(&range);
		sum_v4 += v4 ? size : 0;
		if (trusted && (size > UINT64_C(1) << (32 - (v4 ? RELAY_BITS_V4 : RELAY_BITS_V6)) || sum_v4 > RELAY_SUM_V4)) {
			settings_check_error(check, kind, index, key, size > UINT64_C(1) << 24 || !v4 ? relay_text : relay_sum_text, list->items[i]);
			sum_v4 = 0;
		}
	}
}

static void check_fingerprints(struct settings_check *check, size_t index)
{
	const struct setting_list *list = &check->settings.gate.listeners[index].peer_certificates;

	for (size_t i = 0; i < list->count; i++) {
		struct buf    bytes = buf_make(DIGEST_SIZE);
		const enum rc rc = codec_hex_decode(list->items[i], &bytes);
		if (rc != RC_OK || bytes.len != DIGEST_SIZE)
			settings_check_error(check, SETTINGS_LISTENER, index, "peer_certificates", "expected 64 hexadecimal digits", list->items[i]);
		buf_done(&bytes);
	}
}

static void check_tls(struct settings_check *check, size_t index)
{
	const struct gate_listener_settings *listener = &check->settings.gate.listeners[index];

	for (size_t i = 0; i < listener->certificates.count; i++) {
		if (settings_check_certificate(check, listener->certificates.items[i]) == check->settings.gate.certificate_count)
			settings_check_error(check, SETTINGS_LISTENER, index, "certificate", "expected the name of a [certificate NAME] section", listener->certificates.items[i]);
	}
	if (listener->tls != LISTENER_TLS_NONE && listener->certificates.count == 0)
		settings_check_error(check, SETTINGS_LISTENER, index, "tls", "expected the key certificate, too: TLS needs a certificate", SLICE(""));
	if (listener->tls == LISTENER_TLS_NONE && listener->tls_required_from.count != 0)
		settings_check_error(check, SETTINGS_LISTENER, index, "tls_required_from", "expected tls = starttls, required or implicit: this listener offers no TLS", SLICE(""));
	if (listener->tls == LISTENER_TLS_NONE && (listener->peer_certificates.count != 0 || listener->ask_certificate))
		settings_check_error(check, SETTINGS_LISTENER, index, listener->ask_certificate ? "ask_certificate" : "peer_certificates",
		                     "expected tls = starttls, required or implicit: clients show certificates over TLS only", SLICE(""));
}

static void check_role(struct settings_check *check, size_t index)
{
	const struct gate_listener_settings *listener = &check->settings.gate.listeners[index];
	const bool                           nobody = listener->peers.count == 0 && listener->peer_certificates.count == 0 &&
	                    check->settings.gate.organisation->networks.count == 0;

	switch ((enum listener_role)listener->role) {
	case LISTENER_SUBMISSION:
		if (listener->tls == LISTENER_TLS_NONE)
			settings_check_error(check, SETTINGS_LISTENER, index, "role", "expected tls = starttls, required or implicit: people with accounts need tls, since passwords go over TLS only", SLICE(""));
		if (check->settings.gate.accounts->file.len == 0)
			settings_check_error(check, SETTINGS_LISTENER, index, "role", "expected [accounts] file: people with accounts need it", SLICE(""));
		break;
	case LISTENER_INTERNAL:
	case LISTENER_JOURNAL:
		if (nobody)
			settings_check_error(check, SETTINGS_LISTENER, index,
			                     "role", "would make an open relay: say who our own mail systems are (peers, peer_certificates or [organisation] networks)",
			                     SLICE(""));
		break;
	case LISTENER_INTERNET:
	case LISTENER_ROLE_COUNT:
		break;
	}
}

/* Would one of the two keep the other from being bound? */
static bool overlap(const struct net_address *a, const struct net_address *b)
{
	if (a->family != b->family || a->port != b->port)
		return false;
	return net_address_eq(a, b) || net_address_is_any(a) || net_address_is_any(b);
}

struct places {
	struct net_address *addresses;
	size_t              count;
};

static void add_place(struct settings_check *check, struct places *places, enum settings_kind kind, size_t index, struct slice text,
                      uint16_t port)
{
	struct net_address address;

	if (text.len >= ROLE_NAME_MAX) {
		settings_check_error(check, kind, index, "address", "expected at most 63 bytes", text);
		return;
	}
	if (net_address_parse_port(text, port, &address) != RC_OK || address.port == 0) {
		settings_check_error(check, kind, index, "address", "expected an address and port such as 0.0.0.0:25 or [::]:25", text);
		return;
	}
	for (size_t i = 0; i < places->count; i++) {
		if (overlap(&address, &places->addresses[i])) {
			settings_check_error(check, kind, index, "address", "expected another address or port: this one is taken by another section or stands here twice", text);
			return;
		}
	}
	if (kind == SETTINGS_LISTENER && places->count == ROLE_LISTENERS_MAX) {
		settings_check_error(check, kind, index, "address", "expected at most 60 addresses, those of all listeners together", text);
		return;
	}
	if (kind == SETTINGS_METRICS && !net_address_is_loopback(&address))
		settings_check_error(check, kind, index, "address", "expected a loopback address such as 127.0.0.1:9100: metrics are served to this machine only", text);
	places->addresses[places->count++] = address;
}

_Static_assert(ROLE_LISTENERS_MAX == 60 && ROLE_NAME_MAX == 64, "the sentences say so");

static void check_addresses(struct settings_check *check)
{
	const struct gate_settings *gate = &check->settings.gate;
	size_t                      room = 1;

	for (size_t i = 0; i < gate->listener_count; i++)
		room += gate->listeners[i].addresses.count;
	struct places places = { .addresses = arena_take(check->arena, room, sizeof *places.addresses) };
	if (places.addresses == NULL) {
		check->rc = RC_NOMEM;
		return;
	}
	for (size_t i = 0; i < gate->listener_count; i++) {
		if (gate->listeners[i].name.len >= ROLE_NAME_MAX)
			settings_check_error(check, SETTINGS_LISTENER, i, NULL, "expected a name of at most 63 bytes", gate->listeners[i].name);
		for (size_t j = 0; j < gate->listeners[i].addresses.count; j++)
			add_place(check, &places, SETTINGS_LISTENER, i, gate->listeners[i].addresses.items[j], SMTP_PORT);
	}
	if (check->settings.metrics->address.len != 0)
		add_place(check, &places, SETTINGS_METRICS, 0, check->settings.metrics->address, 0);
}

void settings_check_listeners(struct settings_check *check)
{
	const struct gate_settings *gate = &check->settings.gate;

	if (gate->listener_count == 0)
		settings_check_error(check, SETTINGS_GATEWAY, 0, NULL, "expected a section [listener NAME], or no mail could come in", SLICE(""));
	check_addresses(check);
	check_networks(check, SETTINGS_ORGANISATION, 0, "networks", &gate->organisation->networks, true);
	for (size_t i = 0; i < gate->listener_count; i++) {
		const struct gate_listener_settings *listener = &gate->listeners[i];
		const bool                           internal = gate_listener_is_own(listener);
		check_networks(check, SETTINGS_LISTENER, i, "peers", &listener->peers, internal);
		check_networks(check, SETTINGS_LISTENER, i, "proxies", &listener->proxies, true);
		check_networks(check, SETTINGS_LISTENER, i, "xclient", &listener->xclient, true);
		check_networks(check, SETTINGS_LISTENER, i, "bare_newline_from", &listener->bare_newline_from, false);
		check_networks(check, SETTINGS_LISTENER, i, "tls_required_from", &listener->tls_required_from, false);
		check_networks(check, SETTINGS_LISTENER, i, "relay_from", &listener->relay_from, true);
		check_fingerprints(check, i);
		check_tls(check, i);
		check_role(check, i);
	}
}
