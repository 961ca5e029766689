/* The whole settings file: what is read beside it, what is refused, and that a bundle says the same in every process. */
#include "settings/settings.h"

#include "base/memory.h"
#include "harness/certificate.h"
#include "sys/file.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

/* A folder of its own with certificates, keys, recipients and accounts in it. */
static char               folder[] = "/tmp/hangu-settings-XXXXXX";
static struct certificate first, second;

static void write_file(const char *name, struct slice bytes)
{
	char path[128];
	int  file;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(file >= 0);
	assert_int_equal(write(file, bytes.ptr, bytes.len), (ssize_t)bytes.len);
	assert_int_equal(close(file), 0);
}

static int set_up(void **state)
{
	const struct certificate_wish a = { .common_name = "mx.example.org", .names = "DNS:mx.example.org", .not_after_s = 90 * 86400 };
	const struct certificate_wish b = { .common_name = "old.example.org", .not_after_s = 5 * 86400 };
	struct fault                  fault;

	(void)state;
	/* Meson has the C library fill all memory it gives; here that is gigabytes of address space that nobody touches. */
	(void)mallopt(M_PERTURB, 0);
	if (digest_ready() != RC_OK || net_tls_ready(&fault) != RC_OK || mkdtemp(folder) == NULL)
		return -1;
	certificate_make(&first, &a, NULL);
	certificate_make(&second, &b, NULL);
	write_file("first.pem", first.pair.certificates);
	write_file("first.key", first.pair.key);
	write_file("second.pem", second.pair.certificates);
	write_file("second.key", second.pair.key);
	write_file("locked.key", first.encrypted_key);
	write_file("people", SLICE("alice\nbob@example.org # the other one\n"));
	write_file("strangers", SLICE("eve@elsewhere.example\n"));
	write_file("accounts", SLICE("# nobody yet\n"));
	write_file("twice", SLICE("ann:$argon2id$v=19$m=8,t=1,p=1$a$b:ann@example.org\n\nann:$argon2id$v=19$m=8,t=1,p=1$a$b:\n"));
	write_file("empty", SLICE(""));
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "first.pem", "first.key", "second.pem", "second.key", "locked.key", "people", "strangers",
		                             "accounts", "twice", "empty", "hangu.conf" };
	char                     path[128];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	certificate_done(&first);
	certificate_done(&second);
	return rmdir(folder);
}

/* Make a bundle of a file with that text; *why gets what was said, *notes what was noted. */
static enum rc make_noted(const char *text, struct buf *bundle, struct buf *why, struct buf *notes)
{
	char path[128];

	write_file("hangu.conf", slice_str(text));
	(void)snprintf(path, sizeof path, "%s/hangu.conf", folder);
	buf_clear(bundle);
	buf_clear(why);
	buf_clear(notes);
	return settings_bundle_make(path, bundle, why, notes);
}

static enum rc make(const char *text, struct buf *bundle, struct buf *why)
{
	struct buf    notes = buf_make(1u << 20);
	const enum rc rc = make_noted(text, bundle, why, &notes);

	buf_done(&notes);
	return rc;
}

#define GATEWAY "[gateway]\nhostname = mx.example.org\n"
#define LISTENER "[listener internet]\naddress = 192.0.2.1:25\n"
#define ROUTE "[route inside]\ndomains = example.org\nhosts = 192.0.2.9:25\n"
#define DOMAIN "[domain example.org]\nrecipients = list\nrecipient = alice\n"
#define WAIT "[route r]\ndomains = *\nhosts = 192.0.2.9\nmode = through\nthrough_wait = "
#define FIRST "[certificate first]\nfile = first.pem\nkey = first.key\n"
#define LEAST GATEWAY LISTENER
#define USUAL GATEWAY LISTENER DOMAIN ROUTE

static const char full[] =
	GATEWAY
	"[listener internet]\naddress = 0.0.0.0:25, [::]:25\ntls = starttls\ncertificate = first\n"
	"[listener submission]\naddress = 0.0.0.0:587\nrole = submission\ntls = required\ncertificate = first\n"
	"[listener internal]\naddress = 0.0.0.0:2525\nrole = internal\npeers = 10.0.0.0/8, 2001:db8::/32\nxclient = 10.1.0.0/16\n"
	FIRST
	"[domain example.org]\naliases = example.net\nrecipients = list\nrecipient_file = people\npostmaster = alice@example.org\n"
	"[domain example.com]\nrecipients = callahead\n"
	"[route inside]\ndomains = example.org, .example.com\nhosts = 192.0.2.9 priority=1, mail.example.com:2525\nuser = me\npassword = secret-word\n"
	"[route rest]\ndomains = *\n"
	"[accounts]\nfile = accounts\n"
	"[policy]\non_executable = reject\n[policy_for outbound]\non_executable = tag\n"
	"[scan]\ndeadline = 7s\n"
	"[metrics]\naddress = 127.0.0.1:9125\n";

static void a_full_file_becomes_a_bundle(void **state)
{
	struct buf      bundle = buf_make(SETTINGS_BUNDLE_MAX), why = buf_make(1u << 20);
	struct arena    arena;
	struct settings settings;

	(void)state;
	const enum rc rc = make(full, &bundle, &why);
	if (why.len != 0)
		print_message("%.*s", (int)why.len, (const char *)why.ptr);
	assert_int_equal(rc, RC_OK);
	assert_int_equal(why.len, 0);
	assert_int_equal(arena_init(&arena, SETTINGS_ARENA_BYTES), RC_OK);
	assert_int_equal(settings_read(buf_slice(&bundle), &arena, &settings), RC_OK);
	assert_int_equal(settings.gate.listener_count, 3);
	assert_true(slice_eq(settings.gate.listeners[2].name, SLICE("internal")));
	assert_int_equal(settings.gate.listeners[2].peers.count, 2);
	assert_int_equal(settings.gate.route_count, 2);
	assert_int_equal(settings.gate.domain_count, 2);
	assert_int_equal(settings.gate.file_count, 4);
	assert_true(slice_eq(gate_settings_file(&settings.gate, SLICE("first.key")), first.pair.key));
	assert_int_equal(gate_settings_file(&settings.gate, SLICE("people")).len, 38);
	assert_int_equal(settings.gate.policy.deadline_ms, 7000);
	assert_int_equal(settings.gate.policy.choices[POLICY_OUTBOUND][POLICY_GROUP_EXECUTABLE], POLICY_CHOICE_TAG);
	assert_int_equal(settings.gate.policy.choices[POLICY_INBOUND][POLICY_GROUP_EXECUTABLE], POLICY_CHOICE_REJECT);
	assert_true(slice_eq(settings.metrics->address, SLICE("127.0.0.1:9125")));
	assert_int_equal(settings.log->level, 3);
	arena_done(&arena);
	buf_done(&bundle);
	buf_done(&why);
}

static void a_public_bundle_has_no_secrets(void **state)
{
	struct buf      bundle = buf_make(SETTINGS_BUNDLE_MAX), why = buf_make(1u << 20), bare = buf_make(SETTINGS_BUNDLE_MAX);
	struct arena    arena;
	struct settings settings;

	(void)state;
	assert_int_equal(make(full, &bundle, &why), RC_OK);
	assert_int_equal(settings_bundle_public(buf_slice(&bundle), &bare), RC_OK);
	assert_true(slice_search(buf_slice(&bundle), SLICE("secret-word")) < bundle.len);
	assert_true(slice_search(buf_slice(&bundle), SLICE("PRIVATE KEY")) < bundle.len);
	assert_int_equal(slice_search(buf_slice(&bare), SLICE("secret-word")), bare.len);
	assert_int_equal(slice_search(buf_slice(&bare), SLICE("PRIVATE KEY")), bare.len);
	assert_int_equal(arena_init(&arena, SETTINGS_ARENA_BYTES), RC_OK);
	assert_int_equal(settings_read(buf_slice(&bare), &arena, &settings), RC_OK);
	assert_int_equal(settings.gate.route_count, 2);
	assert_int_equal(settings.gate.routes[0].password.len, 0);
	assert_int_equal(settings.gate.file_count, 0);
	arena_done(&arena);
	buf_done(&bundle);
	buf_done(&bare);
	buf_done(&why);
}

struct row {
	const char *name;
	const char *text;
	const char *said; /* a part of what must be said, with its line */
};

/* clang-format off */
static const struct row unlawful[] = {
	{ "a line of no grammar", GATEWAY "loops = many\n", "hangu.conf:3:9: expected a number from 0 to 64, found \"many\"" },
	{ "nothing at all", "", "expected the key hostname in [gateway]" },
	{ "no listener", GATEWAY, "hangu.conf:1:1: [gateway] expected a section [listener NAME], or no mail could come in" },
	{ "a name that is none", "[gateway]\nhostname = mx_.example..org\n" LISTENER, "hangu.conf:2:12: [gateway] hostname: expected a host name such as mx.example.cn: mx_.example..org" },
	{ "state without slash", GATEWAY "state = lib\n" LISTENER, "hangu.conf:3:9: [gateway] state: expected a path that begins with a slash: lib" },

	{ "open relay: everybody is ours", LEAST "[organisation]\nnetworks = 10.0.0.0/8, 0.0.0.0/0\n", "hangu.conf:6:24: [organisation] networks: would make an open relay" },
	{ "a verdict above the hard limit (I-24)", LEAST "[scan]\ndeadline = 120001ms\n", "from 100ms to 2m, found \"120001ms\"" },
	{ "a client that waits longer than it may", LEAST WAIT "120001ms\n",
	  "from 1s to 2m, found \"120001ms\"" },
	{ "open relay: half of the world", LEAST "relay_from = 128.0.0.0/1\n", "hangu.conf:5:14: [listener internet] relay_from: would make an open relay: a network larger than /8" },
	{ "open relay: all of IPv6", LEAST "relay_from = ::/0\n", "relay_from: would make an open relay" },
	{ "open relay: a slash 15 of IPv6", LEAST "relay_from = 2000::/15\n", "relay_from: would make an open relay" },
	{ "open relay: by a range", LEAST "relay_from = 1.0.0.0-223.255.255.255\n", "relay_from: would make an open relay" },
	{ "open relay: piece by piece", LEAST "relay_from = 10.0.0.0/8, 11.0.0.0/8, 12.0.0.0/8, 13.0.0.0/8, 14.0.0.0/8\n",
	  "relay_from: would make an open relay: together these are more than four /8: 14.0.0.0/8" },
	{ "open relay: strangers may say who they are", LEAST "xclient = 0.0.0.0/0\n", "xclient: would make an open relay" },
	{ "open relay: every load balancer is believed", LEAST "proxies = 0.0.0.0/0, ::/0\n", "proxies: would make an open relay" },
	{ "open relay: an internal listener for everybody", LEAST "role = internal\n", "hangu.conf:5:8: [listener internet] role: would make an open relay: say who our own mail systems are" },
	{ "open relay: an internal listener with all peers", LEAST "role = internal\npeers = 0.0.0.0/0\n", "peers: would make an open relay" },
	{ "a journal listener for everybody", LEAST "role = journal\n", "role: would make an open relay" },

	{ "a network that is none", LEAST "peers = 10.0.0.1/8\n", "peers: expected an address or a network such as 192.0.2.0/24 or 2001:db8::/32: 10.0.0.1/8" },
	{ "a host name for a network", LEAST "peers = mail.example.org\n", "peers: expected an address or a network" },
	{ "an address that is none", GATEWAY "[listener x]\naddress = localhost:25\n", "hangu.conf:4:11: [listener x] address: expected an address and port such as 0.0.0.0:25 or [::]:25: localhost:25" },
	{ "a port that is none", GATEWAY "[listener x]\naddress = 127.0.0.1:70000\n", "address: expected an address and port" },
	{ "the same address twice", LEAST "[listener b]\naddress = 192.0.2.1:25\n", "hangu.conf:6:11: [listener b] address: expected another address or port: this one is taken by another section or stands here twice: 192.0.2.1:25" },
	{ "an address below any", LEAST "[listener b]\naddress = 0.0.0.0:25\n", "hangu.conf:6:11: [listener b] address: expected another address" },
	{ "metrics for the world", LEAST "[metrics]\naddress = 192.0.2.1:9100\n", "hangu.conf:6:11: [metrics] address: expected a loopback address such as 127.0.0.1:9100" },
	{ "metrics without port", LEAST "[metrics]\naddress = 127.0.0.1\n", "hangu.conf:6:11: [metrics] address: expected an address and port" },

	{ "TLS without certificate", LEAST "tls = starttls\n", "hangu.conf:5:7: [listener internet] tls: expected the key certificate, too" },
	{ "a certificate nobody knows", LEAST "tls = starttls\ncertificate = x\n", "hangu.conf:6:15: [listener internet] certificate: expected the name of a [certificate NAME] section: x" },
	{ "client certificates without TLS", LEAST "ask_certificate = yes\n", "hangu.conf:5:19: [listener internet] ask_certificate: expected tls = starttls, required or implicit: clients show certificates over TLS only" },
	{ "a fingerprint that is none", LEAST FIRST "[listener b]\naddress = 192.0.2.1:26\ntls = starttls\ncertificate = first\npeer_certificates = abc\n",
	  "hangu.conf:12:21: [listener b] peer_certificates: expected 64 hexadecimal digits: abc" },
	{ "passwords without TLS", LEAST "role = submission\n[accounts]\nfile = accounts\n", "hangu.conf:5:8: [listener internet] role: expected tls = starttls, required or implicit" },
	{ "people without accounts", LEAST "role = submission\ntls = required\ncertificate = first\n" FIRST, "hangu.conf:5:8: [listener internet] role: expected [accounts] file" },

	{ "no such file", LEAST "[certificate a]\nfile = gone.pem\nkey = first.key\n", "hangu.conf:6:8: [certificate a] file: there is no such file: gone.pem" },
	{ "a folder for a file", LEAST "[certificate a]\nfile = first.pem\nkey = /\n", "hangu.conf:7:7: [certificate a] key: may not be read, or is not a regular file: /" },
	{ "another one's key", LEAST "[certificate a]\nfile = first.pem\nkey = second.key\n", "hangu.conf:7:7: [certificate a] key: expected the certificate's own key" },
	{ "a key under a password", LEAST "[certificate a]\nfile = first.pem\nkey = locked.key\n", "hangu.conf:7:7: [certificate a] key: expected a key without a password" },
	{ "an empty certificate", LEAST "[certificate a]\nfile = empty\nkey = first.key\n", "hangu.conf:6:8: [certificate a] file: " },
	{ "key and certificate exchanged", LEAST "[certificate a]\nfile = first.key\nkey = first.pem\n", "hangu.conf:6:8: [certificate a] file: " },
	{ "accounts that are none", LEAST "[accounts]\nfile = people\n", "people:1:1: [accounts] file: expected a line name:$argon2id$...:address,address, found alice" },
	{ "authorities that are none", LEAST "[tls]\nca_file = people\n", "hangu.conf:6:11: [tls] ca_file: expected a file of certificates in PEM that can be read, found people" },

	{ "a domain that is none", USUAL "[domain exa mple]\n", "expected a heading" },
	{ "a domain with a dot at its end", GATEWAY LISTENER "[domain example.org.]\n[route r]\ndomains = *\n", "hangu.conf:5:9: [domain example.org.] expected a domain such as example.cn: example.org." },
	{ "a domain without a way", GATEWAY LISTENER DOMAIN, "hangu.conf:5:1: [domain example.org] expected a [route] that takes this domain" },
	{ "a list of nobody", GATEWAY LISTENER ROUTE "[domain example.org]\nrecipients = list\n", "hangu.conf:9:14: [domain example.org] recipients: list: expected recipient or recipient_file, too" },
	{ "a recipient of another domain", GATEWAY LISTENER ROUTE "[domain example.org]\nrecipients = list\nrecipient_file = strangers\n",
	  "strangers:1:1: [domain example.org] recipient_file: expected a recipient of this domain, found eve@elsewhere.example" },
	{ "a domain named twice", USUAL "[domain other.example]\naliases = example.org\n[route x]\ndomains=other.example\nhosts=192.0.2.7\n",
	  "hangu.conf:12:11: [domain other.example] aliases: expected a domain that is not named twice, neither as a section nor as an alias, found example.org" },
	{ "an alias named twice", USUAL "[domain other.example]\naliases = a.example, B.example\n[domain third.example]\naliases = b.example\n[route x]\ndomains=*\n",
	  "hangu.conf:14:11: [domain third.example] aliases: expected a domain that is not named twice" },
	{ "a domain that differs in case only", USUAL "[domain Example.ORG]\n", "hangu.conf:11:9: [domain Example.ORG] expected a domain that is not named twice" },
	{ "an alias that is no domain", USUAL "[domain other.example]\naliases = a.example,  b..example\n[route x]\ndomains=*\n",
	  "hangu.conf:12:23: [domain other.example] aliases: expected a domain such as example.cn: b..example" },
	{ "a recipient of another domain on the spot", GATEWAY LISTENER ROUTE "[domain example.org]\nrecipients = list\nrecipient = a, b@elsewhere.example\n",
	  "hangu.conf:10:16: [domain example.org] recipient: expected a recipient of this domain, found b@elsewhere.example" },
	{ "an account that is named twice", LEAST "[accounts]\nfile = twice\n", "twice:3:1: [accounts] file: expected an account that is not named twice, found ann" },
	{ "an archive that is no address", GATEWAY LISTENER ROUTE DOMAIN "archive = nobody\n", "hangu.conf:11:11: [domain example.org] archive: expected an address such as user@example.cn: nobody" },
	{ "a postmaster that is no address", USUAL "[queue]\npostmaster = @example.org\n", "hangu.conf:12:14: [queue] postmaster: expected an address such as user@example.cn: @example.org" },

	{ "a route into our own listener", GATEWAY LISTENER DOMAIN "[route r]\ndomains = *\nhosts = 192.0.2.1:25\n",
	  "hangu.conf:10:9: [route r] hosts: expected another host: this is one of our own listeners, so the mail would go round: 192.0.2.1:25" },
	{ "the same by its standard port", GATEWAY LISTENER DOMAIN "[route r]\ndomains = *\nhosts = 192.0.2.1 priority=3\n", "this is one of our own listeners" },
	{ "the same by the loopback address", GATEWAY "[listener a]\naddress = 0.0.0.0:25\n[route r]\ndomains = *\nhosts = 127.0.0.1\n", "this is one of our own listeners" },
	{ "the same by our name", LEAST "[route r]\ndomains = *\nhosts = MX.example.org:2525\n", "hangu.conf:7:9: [route r] hosts: expected another host: this is our own name" },
	{ "two routes of one domain", USUAL "[route again]\ndomains = a.example, example.org\nhosts = 192.0.2.8\n",
	  "hangu.conf:12:22: [route again] domains: expected a domain that stands in no other route, nor here twice, found example.org" },
	{ "a route's certificate nobody knows", LEAST "[route r]\ndomains = *\ncertificate = x\n", "hangu.conf:7:15: [route r] certificate: expected the name of a [certificate NAME] section: x" },
	{ "a password in clear text", LEAST "[route r]\ndomains = *\nuser = a\npassword = b\ntls = none\n", "hangu.conf:7:8: [route r] user: expected another tls than none: a password is sent over TLS only" },
	{ "a user without password", LEAST "[route r]\ndomains = *\nuser = a\n", "hangu.conf:7:8: [route r] user: expected the key password, too" },
	{ "a wait that is none", LEAST "[route r]\ndomains = *\nretry = 1m, soon\n", "hangu.conf:7:13: [route r] retry: expected a duration such as 5m, found soon" },
	{ "a port above the highest", LEAST "[route r]\ndomains = *\nhosts = 192.0.2.9, mail.example:65536\n", "hangu.conf:7:20: [route r] hosts: expected a port from 1 to 65535 behind the colon, found mail.example:65536" },
	{ "the same of an address", LEAST "[route r]\ndomains = *\nhosts = 192.0.2.9:99999\n", "hangu.conf:7:9: [route r] hosts: expected a port from 1 to 65535 behind the colon, found 192.0.2.9:99999" },
	{ "the same of an IPv6 address", LEAST "[route r]\ndomains = *\nhosts = [2001:db8::1]:99999\n", "hangu.conf:7:9: [route r] hosts: expected a port from 1 to 65535" },
	{ "port 0", LEAST "[route r]\ndomains = *\nhosts = mail.example:0 priority=1\n", "hangu.conf:7:9: [route r] hosts: expected a port from 1 to 65535" },
	{ "a port for an MX", LEAST "[route r]\ndomains = *\nhosts = mx:mail.example:25\n", "hangu.conf:7:9: [route r] hosts: expected mx:name without a port, found mx:mail.example:25" },
	{ "a host that is none", LEAST "[route r]\ndomains = *\nhosts = mail..example\n", "hangu.conf:7:9: [route r] hosts: expected host, host:port, mx:name or an address, found mail..example" },
	{ "a priority above the highest", LEAST "[route r]\ndomains = *\nhosts = mail.example priority=65536\n", "hangu.conf:7:22: [route r] hosts: expected a number from 0 to 65535 behind the equals sign, found priority=65536" },
	{ "a weight that is none", LEAST "[route r]\ndomains = *\nhosts = mail.example weight=\n", "hangu.conf:7:22: [route r] hosts: expected a number from 0 to 65535" },
	{ "a blank for a comma", LEAST "[route r]\ndomains = *\nhosts = a.example b.example\n", "hangu.conf:7:19: [route r] hosts: expected priority=N or weight=N, and a comma before another host, found b.example" },
	{ "the address of nobody", LEAST "[route r]\ndomains = *\nhosts = 0.0.0.0\n", "hangu.conf:7:9: [route r] hosts: expected an address one can connect to, found 0.0.0.0" },
	{ "a source that is none", LEAST "[route r]\ndomains = *\nsource = eth0\n", "hangu.conf:7:10: [route r] source: expected an address, found eth0" },
	{ "two sources", LEAST "[route r]\ndomains = *\nsource = 192.0.2.7, 192.0.2.8\n", "hangu.conf:7:21: [route r] source: expected at most one IPv4 and one IPv6 address, found 192.0.2.8" },
	{ "verify of an address without a name", LEAST "[route r]\ndomains = *\nhosts = 192.0.2.9\ntls = verify\n", "hangu.conf:7:9: [route r] tls_names: expected names" },
	{ "a name server that is none", LEAST "[dns]\nserver = dns.example\n", "hangu.conf:6:10: [dns] server: expected an address" },
	{ "policy for no direction", LEAST "[policy_for sideways]\n", "hangu.conf:5:13: [policy_for sideways] expected inbound, outbound, internal or relay, each once: sideways" },
	{ "a message that a scanner has no memory for", LEAST "message_size_max = 4194305\n[scanner]\nmemory_max = 100M\n",
	  "hangu.conf:7:14: [scanner] memory_max: expected a listener's message_size_max and 96M" },
	{ "the same by the standard size", LEAST "[scanner]\nmemory_max = 145M\n", "could not be scanned" },
	{ "a scanner without memory", LEAST "[scanner]\nmemory_max = 63M\n", "hangu.conf:6:14: expected a size such as 50M, from 64M to 64G" },
	{ "a message larger than any that is scanned", LEAST "message_size_max = 1073741825\n", "from 64K to 1G" },
	{ "the same for a domain", USUAL "[domain more.example]\nmessage_size_max = 1073741825\n", "from 0 to 1G" },
	{ "messages that never fit", LEAST "message_size_max = 1G\n", "hangu.conf:5:20: [listener internet] message_size_max: expected no more than [gateway] message_bytes_max" },
};
/* clang-format on */

static void what_is_wrong_is_said(void **state)
{
	struct buf bundle = buf_make(SETTINGS_BUNDLE_MAX), why = buf_make(1u << 20);

	(void)state;
	for (size_t i = 0; i < COUNT(unlawful); i++) {
		print_message("%s\n", unlawful[i].name);
		const enum rc rc = make(unlawful[i].text, &bundle, &why);
		if (rc == RC_OK || slice_search(buf_slice(&why), slice_str(unlawful[i].said)) == why.len)
			print_message("%s: %.*s", rc_word(rc), (int)why.len, (const char *)why.ptr);
		assert_int_not_equal(rc, RC_OK);
		assert_true(slice_search(buf_slice(&why), slice_str(unlawful[i].said)) < why.len);
		assert_int_equal(slice_last(buf_slice(&why)), '\n');
		assert_int_equal(bundle.len, 0);
	}
	buf_done(&bundle);
	buf_done(&why);
}

/* clang-format off */
static const struct row lawful[] = {
	{ "the least", LEAST, "there is no [route NAME]" },
	{ "one way for a domain", USUAL, "" },
	{ "a /8 that may relay", LEAST "relay_from = 10.0.0.0/8\n", "" },
	{ "a /16 of IPv6 that may relay", LEAST "relay_from = 2001::/16\n", "" },
	{ "IPv4 and IPv6 on one port", GATEWAY "[listener a]\naddress = 0.0.0.0:25, [::]:25\n", "" },
	{ "a host name without a dot", "[gateway]\nhostname = mx\n" LISTENER, "hostname: a name with a dot" },
	{ "a certificate about to end", LEAST "[certificate a]\nfile = second.pem\nkey = second.key\n", "hangu.conf:6:8: [certificate a] file: the certificate ends within 30 days" },
	{ "every name is accepted", GATEWAY LISTENER ROUTE "[domain example.org]\n", "hangu.conf:8:1: [domain example.org] recipients: any: every" },
	{ "call-ahead", GATEWAY LISTENER ROUTE "[domain example.org]\nrecipients = callahead\n", "hangu.conf:9:14: [domain example.org] recipients: callahead: asked" },
	{ "a hosted domain by its MX", GATEWAY LISTENER DOMAIN "[route r]\ndomains = *\n", "its route asks for the domain's own MX" },
	{ "a route to another port of this machine", LEAST "[route r]\ndomains = *\nhosts = 192.0.2.1:2525\n", "" },
	{ "a message that just fits a scanner", LEAST "message_size_max = 4M\n[scanner]\nmemory_max = 100M\n", "" },
	{ "a byte less than that", LEAST "message_size_max = 4194303\n[scanner]\nmemory_max = 100M\n", "" },
	{ "the largest message that can be scanned", "[gateway]\nhostname = mx.example.org\nmessage_bytes_max = 2G\n" LISTENER
	  "message_size_max = 1G\n[scanner]\nmemory_max = 2G\n", "" },
	{ "a verdict at the hard limit (I-24)", LEAST "[scan]\ndeadline = 120s\n", "" },
	{ "a client that waits as long as it may", LEAST WAIT "30s\n", "" },
	{ "a client that waits longer (I-24)", LEAST WAIT "31s\n", "[route r] through_wait: no client waits longer than 30s, so this counts as 30s" },
	{ "a client that waits as long as v0.1.0 let it", LEAST WAIT "2m\n", "so this counts as 30s" },
	{ "more memory than there is", LEAST "[queue]\nmemory_max = 256G\n[journal]\nqueue_size = 64G\n", "" },
};
/* clang-format on */

static void what_is_seldom_meant_is_noted(void **state)
{
	struct buf bundle = buf_make(SETTINGS_BUNDLE_MAX), why = buf_make(1u << 20), notes = buf_make(1u << 20);

	(void)state;
	for (size_t i = 0; i < COUNT(lawful); i++) {
		print_message("%s\n", lawful[i].name);
		if (make_noted(lawful[i].text, &bundle, &why, &notes) != RC_OK)
			print_message("%.*s", (int)why.len, (const char *)why.ptr);
		assert_int_equal(why.len, 0);
		assert_true(slice_search(buf_slice(&notes), slice_str(lawful[i].said)) < notes.len || lawful[i].said[0] == '\0');
	}
	assert_int_equal(make_noted(LEAST ROUTE WAIT "29s\n", &bundle, &why, &notes), RC_OK);
	assert_int_equal(notes.len, 0);
	assert_int_equal(make_noted(LEAST ROUTE WAIT "30s\n", &bundle, &why, &notes), RC_OK);
	assert_int_equal(notes.len, 0);
	/* A year later the first certificate has ended: told, and no reason to refuse everything else. */
	assert_int_equal(make(LEAST FIRST, &bundle, &why), RC_OK);
	buf_clear(&notes);
	assert_int_equal(settings_check(buf_slice(&bundle), (int64_t)time(NULL) + 31536000, &why, &notes), RC_OK);
	assert_true(slice_search(buf_slice(&notes), SLICE("the certificate is not valid now")) < notes.len);
	buf_done(&bundle);
	buf_done(&why);
	buf_done(&notes);
}

/* What the supervisor has room for, hangu check knows, too. */
static void what_the_supervisor_has_room_for(void **state)
{
	static const struct {
		const char *name;
		unsigned    addresses, name_bytes, path_bytes;
		const char *said; /* NULL: lawful */
	} rows[] = {
		{ "59 addresses", 59, 8, 20, NULL },
		{ "60 addresses", 60, 63, 255, NULL },
		{ "61 addresses", 61, 8, 20, "expected at most 60 addresses, those of all listeners together: 127.0.0.1:2561" },
		{ "a long name", 1, 64, 20, "expected a name of at most 63 bytes: l0nn" },
		{ "a long path", 1, 8, 256, "hangu.conf:3:9: expected text of 1 to 255 bytes" },
	};
	struct buf bundle = buf_make(SETTINGS_BUNDLE_MAX), why = buf_make(1u << 20), text = buf_make(1u << 20);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		print_message("%s\n", rows[i].name);
		buf_clear(&text);
		buf_put_str(&text, GATEWAY "state = /");
		for (unsigned byte = 1; byte < rows[i].path_bytes; byte++)
			buf_put_byte(&text, 'p');
		for (unsigned address = 0; address < rows[i].addresses; address++) {
			if (address % 16 == 0) {
				buf_printf(&text, "\n[listener l%u", address);
				for (unsigned byte = 2 + (address > 9); byte < rows[i].name_bytes; byte++)
					buf_put_byte(&text, 'n');
				buf_put_str(&text, "]\n");
			}
			buf_printf(&text, "address = 127.0.0.1:%u\n", 2501 + address);
		}
		buf_put_byte(&text, '\0');
		const enum rc rc = make((const char *)text.ptr, &bundle, &why);
		if (rows[i].said == NULL && rc != RC_OK)
			print_message("%.*s", (int)why.len, (const char *)why.ptr);
		assert_int_equal(rc == RC_OK, rows[i].said == NULL);
		assert_true(rows[i].said == NULL || slice_search(buf_slice(&why), slice_str(rows[i].said)) < why.len);
	}
	buf_done(&bundle);
	buf_done(&why);
	buf_done(&text);
}

static void no_file_is_an_answer(void **state)
{
	struct buf bundle = buf_make(SETTINGS_BUNDLE_MAX), why = buf_make(4096), notes = buf_make(4096);

	(void)state;
	assert_int_equal(settings_bundle_make("/nowhere/hangu.conf", &bundle, &why, &notes), RC_NOTFOUND);
	assert_true(slice_eq(buf_slice(&why), SLICE("/nowhere/hangu.conf: there is no such file\n")));
	buf_clear(&why);
	assert_int_equal(settings_bundle_make("/", &bundle, &why, &notes), RC_DENIED);
	assert_true(why.len != 0);
	assert_int_equal(notes.len, 0);
	buf_done(&bundle);
	buf_done(&why);
}

static void every_cut_bundle_is_refused(void **state)
{
	struct buf      bundle = buf_make(SETTINGS_BUNDLE_MAX), why = buf_make(4096), bare = buf_make(SETTINGS_BUNDLE_MAX);
	struct arena    arena;
	struct settings settings;

	(void)state;
	assert_int_equal(make(USUAL FIRST, &bundle, &why), RC_OK);
	assert_int_equal(arena_init(&arena, SETTINGS_ARENA_BYTES), RC_OK);
	for (size_t size = 0; size < bundle.len; size++) {
		arena_reset(&arena);
		assert_int_equal(settings_read(slice_take(buf_slice(&bundle), size), &arena, &settings), RC_SYNTAX);
		assert_int_equal(settings_bundle_public(slice_take(buf_slice(&bundle), size), &bare), RC_SYNTAX);
	}
	buf_put_byte(&bundle, 0);
	assert_int_equal(settings_read(buf_slice(&bundle), &arena, &settings), RC_SYNTAX);
	buf_truncate(&bundle, bundle.len - 1);
	bundle.ptr[3] = '2';
	assert_int_equal(settings_read(buf_slice(&bundle), &arena, &settings), RC_UNSUPPORTED);
	bundle.ptr[0] = 'X';
	assert_int_equal(settings_read(buf_slice(&bundle), &arena, &settings), RC_SYNTAX);
	arena_done(&arena);
	buf_done(&bundle);
	buf_done(&why);
	buf_done(&bare);
}

static void survives_every_failed_allocation(void **state)
{
	enum rc rc = RC_NOMEM;

	(void)state;
	for (long allowed = 0; rc != RC_OK; allowed++) {
		struct buf bundle = buf_make(SETTINGS_BUNDLE_MAX), why = buf_make(4096), notes = buf_make(4096);
		char       path[128];

		write_file("hangu.conf", SLICE(USUAL FIRST));
		(void)snprintf(path, sizeof path, "%s/hangu.conf", folder);
		memory_fail_after(allowed);
		rc = settings_bundle_make(path, &bundle, &why, &notes);
		memory_fail_after(-1);
		assert_int_equal(rc == RC_OK, bundle.len != 0);
		assert_true(allowed < 1000);
		buf_done(&bundle);
		buf_done(&why);
		buf_done(&notes);
	}
}

/* conf/hangu.conf is the manual. With HANGU_WRITE_MANUAL in the environment it is written anew instead. */
static void the_shipped_file_is_the_manual(void **state)
{
	struct buf manual = buf_make(1u << 20), shipped = buf_make(1u << 20);

	(void)state;
	settings_manual(&manual);
	assert_false(manual.failed);
	if (getenv("HANGU_WRITE_MANUAL") != NULL) {
		FILE *file = fopen("conf/hangu.conf", "w");
		assert_non_null(file);
		assert_int_equal(fwrite(manual.ptr, 1, manual.len, file), manual.len);
		assert_int_equal(fclose(file), 0);
	}
	assert_int_equal(file_read_path("conf/hangu.conf", &shipped), RC_OK);
	if (!slice_eq(buf_slice(&manual), buf_slice(&shipped)))
		fail_msg("conf/hangu.conf is not what the tables say: HANGU_WRITE_MANUAL=1 build/gcc/settings_settings_test writes it");
	buf_done(&manual);
	buf_done(&shipped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_file_becomes_a_bundle),
		cmocka_unit_test(a_public_bundle_has_no_secrets),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(what_is_seldom_meant_is_noted),
		cmocka_unit_test(what_the_supervisor_has_room_for),
		cmocka_unit_test(no_file_is_an_answer),
		cmocka_unit_test(every_cut_bundle_is_refused),
		cmocka_unit_test(survives_every_failed_allocation),
		cmocka_unit_test(the_shipped_file_is_the_manual),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
