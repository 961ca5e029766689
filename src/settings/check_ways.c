/* Domains and routes: names that are names, a way for each hosted domain, and no way that leads back to us (I-19d). */
#include "settings/check.h"

#include "mail/domain.h"

static void check_domain_name(struct settings_check *check, size_t index, const char *key, struct slice name)
{
	if (domain_check(name, true) != RC_OK)
		settings_check_error(check, SETTINGS_DOMAIN, index, key, "expected a domain such as example.cn", name);
}

static void check_mailbox(struct settings_check *check, enum settings_kind kind, size_t index, const char *key, struct slice address)
{
	const size_t at = slice_find_last(address, '@');

	if (address.len == 0)
		return;
	if (at == 0 || at == address.len || domain_check(slice_drop(address, at + 1), true) != RC_OK)
		settings_check_error(check, kind, index, key, "expected an address such as user@example.cn", address);
}

/* Does an entry of [route] domains take this domain? */
static bool takes(struct slice pattern, struct slice domain)
{
	if (slice_eq(pattern, SLICE("*")))
		return true;
	if (slice_at(pattern, 0) == '.')
		return domain.len > pattern.len && slice_ends_nocase(domain, pattern);
	return slice_eq_nocase(pattern, domain);
}

/* The route of a domain as the gate chooses it: exact, then the longest suffix, then "*". Index, or route_count. */
static size_t route_of_domain(const struct gate_settings *gate, struct slice domain)
{
	size_t best = gate->route_count, best_bytes = 0;

	for (size_t i = 0; i < gate->route_count; i++) {
		for (size_t j = 0; j < gate->routes[i].domains.count; j++) {
			const struct slice pattern = gate->routes[i].domains.items[j];
			const size_t       bytes = slice_at(pattern, 0) == '.' || pattern.len == 1 ? pattern.len : pattern.len + 1;
			if (takes(pattern, domain) && bytes > best_bytes) {
				best = i;
				best_bytes = bytes;
			}
		}
	}
	return best;
}

static void check_domain(struct settings_check *check, size_t index)
{
	const struct gate_settings        *gate = &check->settings.gate;
	const struct gate_domain_settings *domain = &gate->domains[index];
	const size_t                       route = route_of_domain(gate, domain->name);

	check_domain_name(check, index, NULL, domain->name);
	for (size_t i = 0; i < domain->aliases.count; i++)
		check_domain_name(check, index, "aliases", domain->aliases.items[i]);
	check_mailbox(check, SETTINGS_DOMAIN, index, "archive", domain->archive);
	check_mailbox(check, SETTINGS_DOMAIN, index, "postmaster", domain->postmaster);
	switch ((enum recipient_source)domain->recipients) {
	case RECIPIENTS_ANY:
		settings_check_note(check, SETTINGS_DOMAIN, index, "recipients", "any: every local part is accepted, and what nobody has bounces later", SLICE(""));
		break;
	case RECIPIENTS_LIST:
		if (domain->recipient_list.count == 0 && domain->recipient_file.len == 0)
			settings_check_error(check, SETTINGS_DOMAIN, index, "recipients", "list: expected recipient or recipient_file, too, or nobody would exist", SLICE(""));
		break;
	case RECIPIENTS_CALLAHEAD:
		settings_check_note(check, SETTINGS_DOMAIN, index,
		                    "recipients", "callahead: asked are names nobody has, too; of a mail system that accepts those nothing is believed, and the log says callahead.catch_all", SLICE(""));
		break;
	case RECIPIENT_SOURCE_COUNT:
		break;
	}
	if (route == gate->route_count)
		settings_check_error(check, SETTINGS_DOMAIN, index, NULL, "expected a [route] that takes this domain, or its mail could not be delivered", SLICE(""));
	else if (gate->routes[route].hosts.count == 0)
		settings_check_note(check, SETTINGS_DOMAIN, index, NULL, "its route asks for the domain's own MX, which may well be this gateway: name the hosts",
		                    gate->routes[route].name);
}

/* Would connecting to `host` reach a listener at `own`? */
static bool reaches(const struct net_address *host, const struct net_address *own)
{
	if (host->port != own->port)
		return false;
	if (net_address_eq(host, own))
		return true;
	return net_address_is_any(own) && (net_address_is_loopback(host) || net_address_is_any(host));
}

static bool is_own(const struct gate_settings *gate, const struct net_address *host)
{
	for (size_t i = 0; i < gate->listener_count; i++) {
		for (size_t j = 0; j < gate->listeners[i].addresses.count; j++) {
			struct net_address own;
			if (net_address_parse_port(gate->listeners[i].addresses.items[j], 25, &own) == RC_OK && reaches(host, &own))
				return true;
		}
	}
	return false;
}

static void check_route(struct settings_check *check, size_t index)
{
	const struct gate_settings       *gate = &check->settings.gate;
	const struct gate_route_settings *route = &gate->routes[index];

	for (size_t i = 0; i < route->hosts.count; i++) {
		struct slice       rest = route->hosts.items[i];
		const struct slice host = slice_until(&rest, ' ');
		struct net_address address;
		struct slice       before_port = slice_take(host, slice_find_last(host, ':'));
		if (net_address_parse_port(host, (uint16_t)route->port, &address) == RC_OK && is_own(gate, &address))
			settings_check_error(check, SETTINGS_ROUTE, index, "hosts", "expected another host: this is one of our own listeners, so the mail would go round", host);
		else if (slice_eq_nocase(before_port, gate->gateway->hostname))
			settings_check_error(check, SETTINGS_ROUTE, index, "hosts", "expected another host: this is our own name, so the mail would go round", host);
	}
	if (route->certificate.len != 0 && settings_check_certificate(check, route->certificate) == gate->certificate_count)
		settings_check_error(check, SETTINGS_ROUTE, index, "certificate", "expected the name of a [certificate NAME] section", route->certificate);
	if (route->user.len != 0 && route->tls == ROUTE_TLS_NONE)
		settings_check_error(check, SETTINGS_ROUTE, index, "user", "expected another tls than none: a password is sent over TLS only", SLICE(""));
	if (route->user.len != 0 && route->password.len == 0)
		settings_check_error(check, SETTINGS_ROUTE, index, "user", "expected the key password, too", SLICE(""));
	if (route->through_wait > ROUTE_THROUGH_WAIT_MAX_MS)
		settings_check_note(check, SETTINGS_ROUTE, index, "through_wait", "no client waits longer than 30s, so this counts as 30s", SLICE(""));
	if (route->mode == ROUTE_THROUGH && route->hosts.count == 0)
		settings_check_note(check, SETTINGS_ROUTE, index, "mode", "through: the client waits for hosts that only DNS knows", SLICE(""));
}

void settings_check_ways(struct settings_check *check)
{
	const struct gate_settings *gate = &check->settings.gate;

	for (size_t i = 0; i < gate->domain_count; i++)
		check_domain(check, i);
	for (size_t i = 0; i < gate->route_count; i++)
		check_route(check, i);
	check_mailbox(check, SETTINGS_QUEUE, 0, "postmaster", gate->queue->postmaster);
	check_mailbox(check, SETTINGS_CALLAHEAD, 0, "sender", gate->callahead->sender);
	if (gate->route_count == 0)
		settings_check_note(check, SETTINGS_QUEUE, 0, NULL, "there is no [route NAME], so nothing could be delivered", SLICE(""));
}
