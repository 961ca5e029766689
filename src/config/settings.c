/* The gate's keys: what the file reader, `hangu check`, the manual and the console's form all read. */
#include "config/settings.h"

#include "scan/scan.h"

#define KIB 1024u
#define MIB (1024u * KIB)
#define GIB (1024ull * MIB)
#define SECOND 1000u
#define MINUTE (60u * SECOND)
#define HOUR (60u * MINUTE)
#define NAME_MAX_BYTES 255u
#define PATH_MAX_BYTES 1024u
#define NETWORKS_MAX 4096u

#define FIELD(type, member) .offset = offsetof(struct type, member)

#define G(member) FIELD(gate_gateway_settings, member)
/* clang-format off */
const struct setting gate_gateway_settings[] = {
	{ .key = "hostname", .kind = SETTING_TEXT, G(hostname), .min = 1, .max = NAME_MAX_BYTES, .unit = "",
	  .help = "The name in our greeting, in Received fields and in loop detection; it should resolve to our address." },
	{ .key = "user", .kind = SETTING_TEXT, G(user), .max = 32, .standard = "hangu", .unit = "",
	  .help = "The account the roles run as when the gateway is started by root." },
	{ .key = "state", .kind = SETTING_TEXT, G(state), .min = 1, .max = NAME_MAX_BYTES, .standard = "/var/lib/hangu",
	  .unit = "directory", .help = "Where the journal and the records are kept." },
	{ .key = "run", .kind = SETTING_TEXT, G(run), .min = 1, .max = 80, .standard = "/run/hangu", .unit = "directory",
	  .help = "Where the control sockets are made; only root and the gateway's user may enter." },
	{ .key = "loops", .kind = SETTING_NUMBER, G(loops), .max = 64, .standard = "0", .unit = "threads",
	  .help = "Threads that hold sessions; 0 means one for each processor, at most 8." },
	{ .key = "message_bytes_max", .kind = SETTING_SIZE, G(message_bytes_max), .min = MIB, .max = 1024 * GIB,
	  .standard = "512M", .unit = "bytes",
	  .help = "Memory for all messages that are being received, scanned or sent; above it clients are asked to come back." },
	{ .key = "drain", .kind = SETTING_DURATION, G(drain), .min = 0, .max = HOUR, .standard = "30s", .unit = "milliseconds",
	  .help = "How long open sessions may go on when the gateway ends or is replaced." },
	{ .key = NULL },
};
/* clang-format on */

static const char *const listener_roles[] = { "internet", "submission", "internal", "journal", NULL };
static const char *const listener_tls_words[] = { "none", "starttls", "required", "implicit", NULL };

#define L(member) FIELD(gate_listener_settings, member)
/* clang-format off */
const struct setting gate_listener_settings[] = {
	{ .key = "address", .kind = SETTING_LIST, L(addresses), .min = 1, .max = 16, .unit = "address:port",
	  .help = "Where it listens: 0.0.0.0:25, [::]:25, 192.0.2.1:587." },
	{ .key = "role", .kind = SETTING_WORD, L(role), .words = listener_roles, .standard = "internet", .unit = "",
	  .help = "Who speaks here: strangers, people with accounts, our own mail systems, or a mail system's journal reports." },
	{ .key = "tls", .kind = SETTING_WORD, L(tls), .words = listener_tls_words, .standard = "none", .unit = "",
	  .help = "No TLS, STARTTLS offered, STARTTLS demanded before MAIL, or TLS from the first byte." },
	{ .key = "tls_required_from", .kind = SETTING_LIST, L(tls_required_from), .max = NETWORKS_MAX, .standard = "", .unit = "networks",
	  .help = "Peers from whom mail is taken over TLS only, where it is offered to everybody." },
	{ .key = "certificate", .kind = SETTING_LIST, L(certificates), .max = GATE_CERTIFICATES_MAX, .standard = "", .unit = "",
	  .help = "Names of [certificate] sections, chosen by the server name a client asks for; the first one is the default." },
	{ .key = "ask_certificate", .kind = SETTING_BOOL, L(ask_certificate), .standard = "no", .unit = "",
	  .help = "Ask clients for a certificate; it is recorded (log, trace), and never demanded." },
	{ .key = "peers", .kind = SETTING_LIST, L(peers), .max = NETWORKS_MAX, .standard = "", .unit = "networks",
	  .help = "Who may connect, as addresses or networks; nothing means everybody, which internal and journal listeners refuse." },
	{ .key = "peer_certificates", .kind = SETTING_LIST, L(peer_certificates), .max = 256, .standard = "", .unit = "SHA-256",
	  .help = "Fingerprints of client certificates whose holders count as our own mail systems." },
	{ .key = "proxies", .kind = SETTING_LIST, L(proxies), .max = 256, .standard = "", .unit = "networks",
	  .help = "Load balancers whose PROXY header (v1 or v2) is required and believed." },
	{ .key = "xclient", .kind = SETTING_LIST, L(xclient), .max = 256, .standard = "", .unit = "networks",
	  .help = "Peers that may tell us the real client with XCLIENT." },
	{ .key = "bare_newline_from", .kind = SETTING_LIST, L(bare_newline_from), .max = 256, .standard = "", .unit = "networks",
	  .help = "Broken clients whose bare CR and LF are mended; from everybody else they are refused." },
	{ .key = "relay_from", .kind = SETTING_LIST, L(relay_from), .max = 256, .standard = "", .unit = "networks",
	  .help = "Peers that may send to any domain; a network larger than /8 (IPv4) or /16 (IPv6) is refused as an open relay." },
	{ .key = "dsn", .kind = SETTING_BOOL, L(dsn), .standard = "yes", .unit = "", .help = "Offer DSN (RFC 3461)." },
	{ .key = "chunking", .kind = SETTING_BOOL, L(chunking), .standard = "yes", .unit = "", .help = "Offer CHUNKING (RFC 3030)." },
	{ .key = "smtputf8", .kind = SETTING_BOOL, L(smtputf8), .standard = "yes", .unit = "", .help = "Offer SMTPUTF8 (RFC 6531)." },
	{ .key = "message_size_max", .kind = SETTING_SIZE, L(message_size_max), .min = 64 * KIB, .max = SCAN_MESSAGE_MAX,
	  .standard = "50M", .unit = "bytes", .help = "The largest message; told in EHLO and enforced while the bytes come." },
	{ .key = "recipients_max", .kind = SETTING_NUMBER, L(recipients_max), .min = 1, .max = 10000, .standard = "1000",
	  .unit = "recipients", .help = "Recipients of one message; more are asked to come in another transaction (RFC 5321 wants 100 at least)." },
	{ .key = "connections_max", .kind = SETTING_NUMBER, L(connections_max), .min = 1, .max = 1000000, .standard = "12000",
	  .unit = "sessions", .help = "Open sessions of this listener." },
	{ .key = "connections_per_peer", .kind = SETTING_NUMBER, L(connections_per_peer), .min = 1, .max = 1000000, .standard = "50",
	  .unit = "sessions", .help = "Open sessions of one address (IPv6: one /64); our own networks have no such limit." },
	{ .key = "connection_rate", .kind = SETTING_NUMBER, L(connection_rate), .min = 1, .max = 10000000, .standard = "600",
	  .unit = "a minute", .help = "New connections of one address in a minute; our own networks have no such limit." },
	{ .key = "message_rate", .kind = SETTING_NUMBER, L(message_rate), .min = 1, .max = 10000000, .standard = "6000",
	  .unit = "a minute", .help = "Messages of one address in a minute; our own networks have no such limit." },
	{ .key = "sender_domain_rate", .kind = SETTING_NUMBER, L(sender_domain_rate), .min = 1, .max = 10000000, .standard = "60000",
	  .unit = "a minute", .help = "Messages of strangers in a minute with senders of one domain, from however many addresses." },
	{ .key = "messages_per_session", .kind = SETTING_NUMBER, L(messages_per_session), .min = 1, .max = 10000000,
	  .standard = "10000", .unit = "messages", .help = "Messages in one session, then 421." },
	{ .key = "errors_max", .kind = SETTING_NUMBER, L(errors_max), .min = 1, .max = 10000, .standard = "20", .unit = "errors",
	  .help = "Protocol errors in one session, then 421." },
	{ .key = "unknown_recipients_max", .kind = SETTING_NUMBER, L(unknown_recipients_max), .min = 1, .max = 100000,
	  .standard = "20", .unit = "recipients", .help = "Unknown recipients in one session, then 421: nobody shall read our directory." },
	{ .key = "tarpit", .kind = SETTING_DURATION, L(tarpit), .max = 2 * MINUTE, .standard = "1s", .unit = "milliseconds",
	  .help = "Delay of each refusal after the third in a session." },
	{ .key = "greeting_delay", .kind = SETTING_DURATION, L(greeting_delay), .max = MINUTE, .standard = "0s",
	  .unit = "milliseconds", .help = "How long we wait with our greeting; who speaks before it is turned away." },
	{ .key = "timeout_command", .kind = SETTING_DURATION, L(timeout_command), .min = SECOND, .max = HOUR, .standard = "5m",
	  .unit = "milliseconds", .help = "Wait for the next command (RFC 5321 section 4.5.3.2.7 wants 5 minutes)." },
	{ .key = "timeout_data", .kind = SETTING_DURATION, L(timeout_data), .min = SECOND, .max = HOUR, .standard = "3m",
	  .unit = "milliseconds", .help = "Wait for the next block of a message." },
	{ .key = "timeout_message", .kind = SETTING_DURATION, L(timeout_message), .min = SECOND, .max = 24 * HOUR, .standard = "30m",
	  .unit = "milliseconds", .help = "Time for a whole message, however slowly its blocks come." },
	{ .key = "timeout_session", .kind = SETTING_DURATION, L(timeout_session), .min = SECOND, .max = 24 * HOUR, .standard = "2h",
	  .unit = "milliseconds", .help = "Time for a whole session." },
	{ .key = NULL },
};
/* clang-format on */

#define C(member) FIELD(gate_certificate_settings, member)
/* clang-format off */
const struct setting gate_certificate_settings[] = {
	{ .key = "file", .kind = SETTING_TEXT, C(file), .min = 1, .max = PATH_MAX_BYTES, .unit = "file",
	  .help = "The certificate with its chain, in PEM." },
	{ .key = "key", .kind = SETTING_TEXT, C(key), .min = 1, .max = PATH_MAX_BYTES, .unit = "file",
	  .help = "Its private key, in PEM, without a password." },
	{ .key = "names", .kind = SETTING_LIST, C(names), .max = 256, .standard = "", .unit = "names",
	  .help = "Server names it answers for; nothing means those in the certificate." },
	{ .key = NULL },
};
/* clang-format on */

static const char *const recipient_sources[] = { "any", "list", "callahead", NULL };
static const char *const unverified_words[] = { "accept", "defer", NULL };

#define D(member) FIELD(gate_domain_settings, member)
/* clang-format off */
const struct setting gate_domain_settings[] = {
	{ .key = "aliases", .kind = SETTING_LIST, D(aliases), .max = 1000, .standard = "", .unit = "domains",
	  .help = "Other domains whose addresses mean the same people; they are rewritten to this one." },
	{ .key = "recipients", .kind = SETTING_WORD, D(recipients), .words = recipient_sources, .standard = "any", .unit = "",
	  .help = "Accept any local part, those listed here or in a file, or those that the mail system behind accepts." },
	{ .key = "recipient", .kind = SETTING_LIST, D(recipient_list), .max = 100000, .standard = "", .unit = "addresses",
	  .help = "Recipients that exist: local parts or whole addresses." },
	{ .key = "recipient_file", .kind = SETTING_TEXT, D(recipient_file), .max = PATH_MAX_BYTES, .standard = "", .unit = "file",
	  .help = "A file of recipients, one a line; # starts a comment." },
	{ .key = "plus_separator", .kind = SETTING_TEXT, D(plus_separator), .max = 1, .standard = "", .unit = "",
	  .help = "The character behind which a local part is the recipient's own business; \"+\" for user+tag." },
	{ .key = "message_size_max", .kind = SETTING_SIZE, D(message_size_max), .max = SCAN_MESSAGE_MAX, .standard = "0",
	  .unit = "bytes", .help = "The largest message for this domain; 0 means the listener's." },
	{ .key = "archive", .kind = SETTING_TEXT, D(archive), .max = NAME_MAX_BYTES + 65, .standard = "", .unit = "address",
	  .help = "Gets a copy of every message to this domain." },
	{ .key = "postmaster", .kind = SETTING_TEXT, D(postmaster), .max = NAME_MAX_BYTES + 65, .standard = "", .unit = "address",
	  .help = "Where mail for postmaster, abuse, security, hostmaster and MAILER-DAEMON goes; always accepted." },
	{ .key = "unverified", .kind = SETTING_WORD, D(unverified), .words = unverified_words, .standard = "defer", .unit = "",
	  .help = "What to do with a recipient that call-ahead can neither confirm nor deny." },
	{ .key = NULL },
};
/* clang-format on */

#define O(member) FIELD(gate_organisation_settings, member)
/* clang-format off */
const struct setting gate_organisation_settings[] = {
	{ .key = "networks", .kind = SETTING_LIST, O(networks), .max = NETWORKS_MAX, .standard = "", .unit = "networks",
	  .help = "Addresses of our own mail systems; what they send is outbound or internal, on whichever listener." },
	{ .key = "sender_must_match", .kind = SETTING_BOOL, O(sender_must_match), .standard = "yes", .unit = "",
	  .help = "Who has authenticated may use only that account's addresses, in MAIL FROM and in From; what passes without a scanner is held when its From is not plain." },
	{ .key = NULL },
};
/* clang-format on */

#define A(member) FIELD(gate_accounts_settings, member)
/* clang-format off */
const struct setting gate_accounts_settings[] = {
	{ .key = "file", .kind = SETTING_TEXT, A(file), .max = PATH_MAX_BYTES, .standard = "", .unit = "file",
	  .help = "Accounts, one a line: name:Argon2id hash:address[,address]; `hangu account` writes such lines." },
	{ .key = "failures_max", .kind = SETTING_NUMBER, A(failures_max), .min = 1, .max = 100, .standard = "3", .unit = "failures",
	  .help = "Failed AUTH in one session, then 421." },
	{ .key = "failure_delay", .kind = SETTING_DURATION, A(failure_delay), .max = MINUTE, .standard = "2s",
	  .unit = "milliseconds", .help = "Delay of the answer to a failed AUTH." },
	{ .key = NULL },
};
/* clang-format on */

static const char *const tls_minimum_words[] = { "1.2", "1.3", NULL };

#define T(member) FIELD(gate_tls_settings, member)
/* clang-format off */
const struct setting gate_tls_settings[] = {
	{ .key = "minimum", .kind = SETTING_WORD, T(minimum), .words = tls_minimum_words, .standard = "1.2", .unit = "version",
	  .help = "The oldest TLS we speak." },
	{ .key = "tickets", .kind = SETTING_BOOL, T(tickets), .standard = "no", .unit = "",
	  .help = "Let clients resume sessions with tickets; keys are made at start and rotated." },
	{ .key = "ca_file", .kind = SETTING_TEXT, T(ca_file), .max = PATH_MAX_BYTES, .standard = "", .unit = "file",
	  .help = "Who may sign the certificates of next hops and of clients; nothing means the system's list." },
	{ .key = NULL },
};
/* clang-format on */

#define N(member) FIELD(gate_dns_settings, member)
/* clang-format off */
const struct setting gate_dns_settings[] = {
	{ .key = "server", .kind = SETTING_LIST, N(servers), .max = 8, .standard = "", .unit = "address[:port]",
	  .help = "Name servers to ask; nothing means those of the system when the gateway starts." },
	{ .key = "reverse", .kind = SETTING_BOOL, N(reverse), .standard = "yes", .unit = "",
	  .help = "Ask for the name of each peer, and confirm it." },
	{ .key = "timeout", .kind = SETTING_DURATION, N(timeout), .min = 100, .max = MINUTE, .standard = "5s",
	  .unit = "milliseconds", .help = "How long one question may take." },
	{ .key = "cache_size", .kind = SETTING_SIZE, N(cache_bytes), .min = 64 * KIB, .max = GIB, .standard = "4M", .unit = "bytes",
	  .help = "Memory for answers." },
	{ .key = NULL },
};
/* clang-format on */

#define S(member) FIELD(gate_scanner_settings, member)
/* clang-format off */
const struct setting gate_scanner_settings[] = {
	{ .key = "count", .kind = SETTING_NUMBER, S(count), .max = 64, .standard = "0", .unit = "processes",
	  .help = "Scanner processes; 0 means one for each processor, at most 8." },
	{ .key = "memory_max", .kind = SETTING_SIZE, S(memory_max), .min = 64 * MIB, .max = 64 * GIB, .standard = "512M",
	  .unit = "bytes", .help = "Memory of one scanner process; one that asks for more is ended and replaced." },
	{ .key = "waiting_max", .kind = SETTING_NUMBER, S(waiting_max), .min = 1, .max = 100000, .standard = "2000",
	  .unit = "messages", .help = "Messages that may wait for a scanner; above it clients are asked to come back." },
	{ .key = NULL },
};
/* clang-format on */

#define M(member) FIELD(gate_metrics_settings, member)
const struct setting gate_metrics_settings[] = {
	{ .key = "address", .kind = SETTING_TEXT, M(address), .max = 64, .standard = "", .unit = "address:port",
	  .help = "Loopback address that answers GET /metrics in Prometheus' text format; nothing means off." },
	{ .key = NULL },
};

static const char *const log_formats[] = { "text", "json", NULL };
static const char *const log_targets[] = { "stderr", "journald", NULL };
static const char *const log_levels[] = { "error", "warning", "notice", "info", "debug", NULL };

#define K(member) FIELD(gate_log_settings, member)
/* clang-format off */
const struct setting gate_log_settings[] = {
	{ .key = "format", .kind = SETTING_WORD, K(format), .words = log_formats, .standard = "text", .unit = "",
	  .help = "One line of key=value, or one JSON object, for each event." },
	{ .key = "target", .kind = SETTING_WORD, K(target), .words = log_targets, .standard = "stderr", .unit = "",
	  .help = "Where lines go." },
	{ .key = "level", .kind = SETTING_WORD, K(level), .words = log_levels, .standard = "info", .unit = "",
	  .help = "The least important line that is written." },
	{ .key = NULL },
};
/* clang-format on */
