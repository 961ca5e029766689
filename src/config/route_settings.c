/* The keys of the way out: routes, queue, call-ahead. See route_settings.h. */
#include "config/route_settings.h"

#define KIB 1024u
#define MIB (1024u * KIB)
#define GIB (1024ull * MIB)
#define SECOND 1000u
#define MINUTE (60u * SECOND)
#define HOUR (60u * MINUTE)
#define DAY (24ull * HOUR)
#define NAME_MAX_BYTES 255u

#define FIELD(type, member) .offset = offsetof(struct type, member)

static const char *const protocol_words[] = { "smtp", "lmtp", NULL };
static const char *const tls_words[] = { "none", "opportunistic", "require", "verify", NULL };
static const char *const mode_words[] = { "store", "through", NULL };
static const char *const eightbit_words[] = { "send_anyway", "bounce", NULL };
static const char *const spam_header_words[] = { "standard", "no", "yes", NULL };
static const char *const family_words[] = { "any", "ipv4", "ipv6", NULL };

#define R(member) FIELD(gate_route_settings, member)
/* clang-format off */
const struct setting gate_route_settings[] = {
	{ .key = "domains", .kind = SETTING_LIST, R(domains), .min = 1, .max = 10000, .unit = "domains",
	  .help = "Whose mail goes this way: example.cn, .example.cn for every domain below it, * for all the rest." },
	{ .key = "hosts", .kind = SETTING_LIST, R(hosts), .max = ROUTE_HOSTS_MAX, .standard = "", .unit = "hosts",
	  .help = "Next hops as host[:port] [priority=N] [weight=N], lowest priority first; mx:NAME asks for NAME's MX; nothing: the "
	          "domain's own MX." },
	{ .key = "port", .kind = SETTING_NUMBER, R(port), .min = 1, .max = 65535, .standard = "25", .unit = "port",
	  .help = "The port of hosts written without one." },
	{ .key = "protocol", .kind = SETTING_WORD, R(protocol), .words = protocol_words, .standard = "smtp", .unit = "",
	  .help = "What the next hop speaks." },
	{ .key = "source", .kind = SETTING_LIST, R(source), .max = 2, .standard = "", .unit = "addresses",
	  .help = "Our addresses to connect from, at most one IPv4 and one IPv6; nothing: the system chooses." },
	{ .key = "families", .kind = SETTING_WORD, R(families), .words = family_words, .standard = "any", .unit = "",
	  .help = "Which addresses of a host are tried." },
	{ .key = "helo", .kind = SETTING_TEXT, R(helo), .max = NAME_MAX_BYTES, .standard = "", .unit = "",
	  .help = "Our name in EHLO on this route; nothing: the gateway's hostname." },
	{ .key = "tls", .kind = SETTING_WORD, R(tls), .words = tls_words, .standard = "opportunistic", .unit = "",
	  .help = "Never, when offered, always with any certificate, or always with a verified one." },
	{ .key = "tls_names", .kind = SETTING_LIST, R(tls_names), .max = 16, .standard = "", .unit = "names",
	  .help = "For tls = verify: names of which the certificate must carry one; nothing: the host's name." },
	{ .key = "certificate", .kind = SETTING_TEXT, R(certificate), .max = NAME_MAX_BYTES, .standard = "", .unit = "",
	  .help = "Name of the [certificate] section shown to the next hop as a client certificate; nothing: none." },
	{ .key = "user", .kind = SETTING_TEXT, R(user), .max = NAME_MAX_BYTES, .standard = "", .unit = "",
	  .help = "The account for AUTH at the next hop, sent over TLS only; nothing: no AUTH." },
	{ .key = "password", .kind = SETTING_TEXT, R(password), .max = NAME_MAX_BYTES, .standard = "", .unit = "", .secret = true,
	  .help = "The account's password." },
	{ .key = "mode", .kind = SETTING_WORD, R(mode), .words = mode_words, .standard = "store", .unit = "",
	  .help = "store: answer the client once the message is on disk; through: after that, try the next hop while the client waits." },
	{ .key = "through_wait", .kind = SETTING_DURATION, R(through_wait), .min = SECOND, .max = 2 * MINUTE, .standard = "30s",
	  .unit = "milliseconds", .help = "How long the client of a through route waits for the next hop's answer, at most 30s: a longer time counts as 30s." },
	{ .key = "chunking", .kind = SETTING_BOOL, R(chunking), .standard = "no", .unit = "",
	  .help = "Send with BDAT where the next hop offers CHUNKING." },
	{ .key = "dsn", .kind = SETTING_BOOL, R(dsn), .standard = "yes", .unit = "",
	  .help = "Pass requests for delivery status on where the next hop offers DSN; else they are honoured here." },
	{ .key = "spam_headers", .kind = SETTING_WORD, R(spam_headers), .words = spam_header_words, .standard = "standard", .unit = "",
	  .help = "Write X-Spam-Flag, X-Spam-Status and X-Spam-Level as SpamAssassin does, for a mail system that sorts by them; "
	          "standard: as [scan] spam_headers says. X-Spam-* that came with such a message are cut." },
	{ .key = "scl", .kind = SETTING_BOOL, R(scl), .standard = "no", .unit = "",
	  .help = "Write X-MS-Exchange-Organization-SCL into inbound mail; the Exchange behind must grant "
	          "ms-Exch-Accept-Headers-Organization to us, or it takes the field away." },
	{ .key = "eightbit", .kind = SETTING_WORD, R(eightbit), .words = eightbit_words, .standard = "send_anyway", .unit = "",
	  .help = "An 8-bit message for a next hop without 8BITMIME is sent as it is, or bounced; it is never transcoded." },
	{ .key = "connections_max", .kind = SETTING_NUMBER, R(connections_max), .min = 1, .max = 1000, .standard = "20",
	  .unit = "connections", .help = "At once to one destination; it starts with 5 and adapts." },
	{ .key = "messages_per_connection", .kind = SETTING_NUMBER, R(messages_per_connection), .min = 1, .max = 1000000,
	  .standard = "1000", .unit = "messages", .help = "After so many a connection is closed." },
	{ .key = "recipients_max", .kind = SETTING_NUMBER, R(recipients_max), .min = 1, .max = 1000, .standard = "100",
	  .unit = "recipients", .help = "In one transaction." },
	{ .key = "connection_lifetime", .kind = SETTING_DURATION, R(connection_lifetime), .min = SECOND, .max = HOUR,
	  .standard = "9m", .unit = "milliseconds", .help = "An older connection takes no further message; Exchange closes at 10 minutes." },
	{ .key = "connection_idle", .kind = SETTING_DURATION, R(connection_idle), .min = 0, .max = HOUR, .standard = "5s",
	  .unit = "milliseconds", .help = "An unused connection is kept so long for the next message." },
	{ .key = "timeout_connect", .kind = SETTING_DURATION, R(timeout_connect), .min = 100, .max = 5 * MINUTE, .standard = "30s",
	  .unit = "milliseconds", .help = "For TCP to one address." },
	{ .key = "timeout_greeting", .kind = SETTING_DURATION, R(timeout_greeting), .min = 100, .max = HOUR, .standard = "5m",
	  .unit = "milliseconds", .help = "For the greeting (RFC 5321 section 4.5.3.2.1)." },
	{ .key = "timeout_command", .kind = SETTING_DURATION, R(timeout_command), .min = 100, .max = HOUR, .standard = "5m",
	  .unit = "milliseconds", .help = "For the reply to EHLO, MAIL, RCPT (RFC 5321 sections 4.5.3.2.2 and 3)." },
	{ .key = "timeout_data", .kind = SETTING_DURATION, R(timeout_data), .min = 100, .max = HOUR, .standard = "2m",
	  .unit = "milliseconds", .help = "For the reply to DATA (RFC 5321 section 4.5.3.2.4)." },
	{ .key = "timeout_block", .kind = SETTING_DURATION, R(timeout_block), .min = 100, .max = HOUR, .standard = "3m",
	  .unit = "milliseconds", .help = "For the next hop to take a block of the message (RFC 5321 section 4.5.3.2.5)." },
	{ .key = "timeout_end", .kind = SETTING_DURATION, R(timeout_end), .min = 100, .max = HOUR, .standard = "10m",
	  .unit = "milliseconds", .help = "For the reply to the final dot (RFC 5321 section 4.5.3.2.6)." },
	{ .key = "retry", .kind = SETTING_LIST, R(retry), .min = 1, .max = 16, .standard = "1m, 5m, 10m, 20m, 30m",
	  .unit = "durations", .help = "Waits after the first, second ... failed attempt; the last one holds on." },
	{ .key = "retry_slow_after", .kind = SETTING_DURATION, R(retry_slow_after), .min = 0, .max = 30 * DAY, .standard = "4h",
	  .unit = "milliseconds", .help = "A message older than this waits retry_slow instead; 0: never." },
	{ .key = "retry_slow", .kind = SETTING_DURATION, R(retry_slow), .min = SECOND, .max = DAY, .standard = "1h",
	  .unit = "milliseconds", .help = "The wait of old messages." },
	{ .key = "retry_jitter", .kind = SETTING_NUMBER, R(retry_jitter), .min = 0, .max = 50, .standard = "20", .unit = "percent",
	  .help = "Each wait is spread by so much to both sides." },
	{ .key = "expire", .kind = SETTING_DURATION, R(expire), .min = SECOND, .max = 60 * DAY, .standard = "5d",
	  .unit = "milliseconds", .help = "A message that cannot be delivered for so long is given up and its sender told." },
	{ .key = "delay_notice", .kind = SETTING_DURATION, R(delay_notice), .min = 0, .max = 60 * DAY, .standard = "4h",
	  .unit = "milliseconds", .help = "The sender is told once that a message is late; 0: not told." },
	{ .key = "probe", .kind = SETTING_DURATION, R(probe), .min = 0, .max = HOUR, .standard = "30s", .unit = "milliseconds",
	  .help = "How often a next hop that failed is asked EHLO and QUIT while mail waits for it; when it is back, the mail goes at once. 0: mail asks when it is due." },
	{ .key = NULL },
};
/* clang-format on */

#define Q(member) FIELD(gate_queue_settings, member)
/* clang-format off */
const struct setting gate_queue_settings[] = {
	{ .key = "messages_max", .kind = SETTING_NUMBER, Q(messages_max), .min = 1, .max = 100000000, .standard = "1000000",
	  .unit = "messages", .help = "With so many waiting, clients are asked to come back." },
	{ .key = "memory_max", .kind = SETTING_SIZE, Q(memory_max), .min = MIB, .max = 256 * GIB, .standard = "512M", .unit = "bytes",
	  .help = "Memory of the queue's own records (about 500 bytes a message); above it clients are asked to come back." },
	{ .key = "hot_bytes_max", .kind = SETTING_SIZE, Q(hot_bytes_max), .min = 0, .max = 256 * GIB, .standard = "64M",
	  .unit = "bytes", .help = "Accepted messages kept in memory for their first attempt; others are read back from the journal." },
	{ .key = "connections_max", .kind = SETTING_NUMBER, Q(connections_max), .min = 1, .max = 100000, .standard = "500",
	  .unit = "connections", .help = "Outgoing connections, all destinations together." },
	{ .key = "hold_expire", .kind = SETTING_DURATION, Q(hold_expire), .min = 0, .max = 3650 * DAY, .standard = "30d",
	  .unit = "milliseconds", .help = "Held and quarantined messages are dropped after so long; 0: never." },
	{ .key = "postmaster", .kind = SETTING_TEXT, Q(postmaster), .max = 320, .standard = "", .unit = "address",
	  .help = "Who gets notices that cannot be delivered themselves; nothing: they are held." },
	{ .key = "notices", .kind = SETTING_BOOL, Q(notices), .standard = "yes", .unit = "",
	  .help = "Tell senders about failed and late mail; no stranger is ever told about mail that only claims to be theirs." },
	{ .key = NULL },
};
/* clang-format on */

#define C(member) FIELD(gate_callahead_settings, member)
/* clang-format off */
const struct setting gate_callahead_settings[] = {
	{ .key = "sender", .kind = SETTING_TEXT, C(sender), .max = 320, .standard = "", .unit = "address",
	  .help = "MAIL FROM of the question; nothing: the empty sender." },
	{ .key = "connections_max", .kind = SETTING_NUMBER, C(connections_max), .min = 1, .max = 100, .standard = "2",
	  .unit = "connections", .help = "At once to one destination, apart from those that carry mail." },
	{ .key = "timeout", .kind = SETTING_DURATION, C(timeout), .min = 100, .max = 5 * MINUTE, .standard = "20s",
	  .unit = "milliseconds", .help = "For one question, connecting included." },
	{ .key = "keep_positive", .kind = SETTING_DURATION, C(keep_positive), .min = SECOND, .max = 30 * DAY, .standard = "24h",
	  .unit = "milliseconds", .help = "How long a recipient stays known." },
	{ .key = "refresh_before", .kind = SETTING_DURATION, C(refresh_before), .min = 0, .max = DAY, .standard = "1h",
	  .unit = "milliseconds", .help = "A known recipient that is used so long before its end is asked for anew, without waiting." },
	{ .key = "keep_negative", .kind = SETTING_DURATION, C(keep_negative), .min = SECOND, .max = 30 * DAY, .standard = "2h",
	  .unit = "milliseconds", .help = "How long an unknown recipient stays unknown." },
	{ .key = "keep_dead", .kind = SETTING_DURATION, C(keep_dead), .min = SECOND, .max = DAY, .standard = "5m",
	  .unit = "milliseconds", .help = "How long a destination that could not be asked is left alone." },
	{ .key = "keep_last_good", .kind = SETTING_DURATION, C(keep_last_good), .min = 0, .max = 60 * DAY, .standard = "7d",
	  .unit = "milliseconds", .help = "How long an old positive answer serves while the destination cannot be asked." },
	{ .key = "entries_max", .kind = SETTING_NUMBER, C(entries_max), .min = 100, .max = 10000000, .standard = "200000",
	  .unit = "addresses", .help = "Answers kept." },
	{ .key = NULL },
};
/* clang-format on */
