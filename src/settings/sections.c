/* Every kind of section, with the table that its room publishes. */
#include "settings/sections.h"

#include "config/route_settings.h"
#include "config/settings.h"
#include "journal/limits.h"
#include "policy/settings.h"
#include "records/settings.h"

#define ONE(word, table, type, text) { .name = word, .settings = table, .size = sizeof(struct type), .max = 1, .help = text }
#define MANY(word, table, type, count, text) \
	{ .name = word, .named = true, .settings = table, .size = sizeof(struct type), .max = count, .help = text }

/* clang-format off */
const struct setting_section settings_sections[SETTINGS_KINDS] = {
	[SETTINGS_GATEWAY] = ONE("gateway", gate_gateway_settings, gate_gateway_settings, "The gateway as a whole."),
	[SETTINGS_LISTENER] = MANY("listener", gate_listener_settings, gate_listener_settings, GATE_LISTENERS_MAX,
	                           "A place where mail comes in: addresses, who speaks there, and within which limits."),
	[SETTINGS_CERTIFICATE] = MANY("certificate", gate_certificate_settings, gate_certificate_settings, GATE_CERTIFICATES_MAX,
	                              "A TLS certificate and its key, to be named by listeners and routes."),
	[SETTINGS_DOMAIN] = MANY("domain", gate_domain_settings, gate_domain_settings, GATE_DOMAINS_MAX,
	                         "A domain whose mail is accepted from strangers; the name of the section is the domain."),
	[SETTINGS_ORGANISATION] = ONE("organisation", gate_organisation_settings, gate_organisation_settings,
	                              "What counts as ours beside the hosted domains."),
	[SETTINGS_ACCOUNTS] = ONE("accounts", gate_accounts_settings, gate_accounts_settings, "People who may submit mail with a password."),
	[SETTINGS_ROUTE] = MANY("route", gate_route_settings, gate_route_settings, ROUTES_MAX, "A way out: for which domains, to which hosts, and how."),
	[SETTINGS_QUEUE] = ONE("queue", gate_queue_settings, gate_queue_settings, "Mail that waits to be delivered."),
	[SETTINGS_CALLAHEAD] = ONE("callahead", gate_callahead_settings, gate_callahead_settings,
	                           "Asking the mail system behind a domain whether a recipient exists."),
	[SETTINGS_TLS] = ONE("tls", gate_tls_settings, gate_tls_settings, "TLS in both directions."),
	[SETTINGS_DNS] = ONE("dns", gate_dns_settings, gate_dns_settings, "Asking the domain name system."),
	[SETTINGS_SCANNER] = ONE("scanner", gate_scanner_settings, gate_scanner_settings, "The processes that look into messages."),
	[SETTINGS_SCAN] = ONE("scan", policy_scan_settings, scan_section, "How deep is looked into a message."),
	[SETTINGS_POLICY] = ONE("policy", policy_rule_settings, policy_section, "What happens to a message in which something was found."),
	[SETTINGS_POLICY_FOR] = MANY("policy_for", policy_rule_settings, policy_section, POLICY_DIRECTIONS,
	                             "The same for one direction, and before [policy]: inbound, outbound, internal or relay."),
	[SETTINGS_JOURNAL] = ONE("journal", journal_settings, journal_limits, "The journal, which is where a message is once it was accepted."),
	[SETTINGS_RECORDS] = ONE("records", records_settings, records_settings, "The projections of the journal that are searched."),
	[SETTINGS_METRICS] = ONE("metrics", gate_metrics_settings, gate_metrics_settings, "Numbers for Prometheus."),
	[SETTINGS_LOG] = ONE("log", gate_log_settings, gate_log_settings, "One line for each event."),
};
/* clang-format on */
