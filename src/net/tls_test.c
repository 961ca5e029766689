/*
 * TLS: what is refused at start and why, names, levels, client certificates, tickets, reload. Over socket pairs, in
 * memory.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "harness/certificate.h"
#include "net/tls_inner.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct certificate      authority, stranger, first, twin, second, wild, rsa, client, late, early, weak, below;
static struct tls_authorities *authorities, *strangers;

static struct tls_context *serve(const struct tls_server_settings *settings)
{
	struct tls_context *context = NULL;
	struct fault        fault = { 0 };

	if (tls_server_open(settings, &context, &fault) != RC_OK)
		fail_msg("%s", fault.text);
	return context;
}

static struct tls_context *dial(const struct tls_client_settings *settings)
{
	struct tls_context *context = NULL;
	struct fault        fault = { 0 };

	if (tls_client_open(settings, &context, &fault) != RC_OK)
		fail_msg("%s", fault.text);
	return context;
}

/* Two sessions joined by a socket pair. */
struct pair {
	int                 fds[2];
	struct tls_session *server, *client;
	bool                capped; /* to TLS 1.2, where the suite names the kind of key */
	enum rc             server_rc, client_rc;
	struct fault        server_fault, client_fault;
	struct tls_facts    server_facts, client_facts;
	uint8_t             memory[16384];
};

static void shake(struct pair *pair, struct tls_context *server, struct tls_context *client_context,
                  const struct tls_client_names *names)
{
	struct arena arena = arena_on(pair->memory, sizeof pair->memory);

	pair->server_rc = RC_AGAIN;
	pair->client_rc = RC_AGAIN;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair->fds), 0);
	assert_int_equal(tls_session_server(server, pair->fds[0], &pair->server), RC_OK);
	assert_int_equal(tls_session_client(client_context, pair->fds[1], names, &pair->client), RC_OK);
	if (pair->capped)
		tls_session_cap(pair->client);
	for (unsigned step = 0; step < 20; step++) {
		tls_session_readable(pair->client, false);
		if (pair->client_rc == RC_AGAIN)
			pair->client_rc = tls_session_handshake(pair->client, &pair->client_fault);
		if (pair->client_rc != RC_OK && pair->client_rc != RC_AGAIN)
			(void)shutdown(pair->fds[1], SHUT_WR);
		tls_session_readable(pair->server, false);
		if (pair->server_rc == RC_AGAIN)
			pair->server_rc = tls_session_handshake(pair->server, &pair->server_fault);
		if (pair->server_rc != RC_OK && pair->server_rc != RC_AGAIN)
			(void)shutdown(pair->fds[0], SHUT_WR);
	}
	if (pair->server_rc == RC_OK)
		assert_int_equal(tls_session_facts(pair->server, &arena, &pair->server_facts), RC_OK);
	if (pair->client_rc == RC_OK)
		assert_int_equal(tls_session_facts(pair->client, &arena, &pair->client_facts), RC_OK);
}

static void part(struct pair *pair)
{
	tls_session_close(&pair->server);
	tls_session_close(&pair->client);
	(void)close(pair->fds[0]);
	(void)close(pair->fds[1]);
}

/* ---- pairs ---- */

static void pairs_are_checked(void **state)
{
	const int64_t now = (int64_t)time(NULL);
	static char   garbled[8192];

	(void)state;
	assert_true(first.pair.certificates.len < sizeof garbled);
	memcpy(garbled, first.pair.certificates.ptr, first.pair.certificates.len);
	/* The first bytes of its DER: a sequence no more. */
	memset(garbled + slice_find(first.pair.certificates, '\n') + 1, 'A', 4);
	static char joined[16384];
	size_t      used = 0;
	for (unsigned index = 0; index <= TLS_CHAIN_MAX; index++) {
		memcpy(joined + used, below.pair.certificates.ptr, below.pair.certificates.len);
		used += below.pair.certificates.len;
		assert_true(used < sizeof joined - 2000);
	}
	const struct {
		const char     *name;
		struct tls_pair pair;
		enum rc         rc;
	} rows[] = {
		{ "a P-256 pair", first.pair, RC_OK },
		{ "an RSA pair", rsa.pair, RC_OK },
		{ "certificate and key in one file", { first.pair.certificates, first.pair.key }, RC_OK },
		{ "expired", late.pair, RC_TIMEOUT },
		{ "not valid yet", early.pair, RC_TIMEOUT },
		{ "another certificate's key", { first.pair.certificates, second.pair.key }, RC_CONFLICT },
		{ "another kind of key", { first.pair.certificates, rsa.pair.key }, RC_CONFLICT },
		{ "an encrypted key", { first.pair.certificates, first.encrypted_key }, RC_DENIED },
		{ "no key", { first.pair.certificates, { NULL, 0 } }, RC_SYNTAX },
		{ "no certificate", { { NULL, 0 }, first.pair.key }, RC_SYNTAX },
		{ "exchanged", { first.pair.key, first.pair.certificates }, RC_SYNTAX },
		{ "not PEM", { SLICE("hello"), first.pair.key }, RC_SYNTAX },
		{ "half a certificate", { slice_take(first.pair.certificates, 300), first.pair.key }, RC_SYNTAX },
		{ "half a key", { first.pair.certificates, slice_take(first.pair.key, 60) }, RC_SYNTAX },
		{ "a garbled certificate",
		  { slice_of(garbled, first.pair.certificates.len), first.pair.key },
		  RC_SYNTAX },
		{ "too many certificates", { slice_of(joined, used), below.pair.key }, RC_LIMIT },
		{ "as many as are read",
		  { slice_of(joined, used - below.pair.certificates.len), below.pair.key },
		  RC_OK },
		{ "a key of 512 bits", weak.pair, RC_UNSUPPORTED },
	};
	for (size_t row = 0; row < COUNT(rows); row++) {
		uint8_t               memory[16384];
		struct arena          arena = arena_on(memory, sizeof memory);
		struct tls_pair_facts facts;
		struct fault          fault = { 0 };
		const enum rc         rc = tls_pair_check(&rows[row].pair, now, &arena, &facts, &fault);
		if (rc != rows[row].rc)
			fail_msg("%s: %s (%s)", rows[row].name, rc_word(rc), fault.text != NULL ? fault.text : "");
		if (rc != RC_OK) {
			assert_int_equal(fault.rc, rc);
			assert_non_null(fault.text);
		}
	}
}

static void a_pair_says_what_it_is(void **state)
{
	uint8_t               memory[16384];
	struct arena          arena = arena_on(memory, sizeof memory);
	struct tls_pair_facts facts;
	const int64_t         now = (int64_t)time(NULL);

	(void)state;
	assert_int_equal(tls_pair_check(&second.pair, now, &arena, &facts, NULL), RC_OK);
	assert_true(slice_eq(facts.subject, SLICE("CN=two")));
	assert_int_equal(facts.names_count, 2);
	assert_true(slice_eq(facts.names[0], SLICE("two.example.test")));
	assert_true(slice_eq(facts.names[1], SLICE("deux.example.test")));
	assert_true(facts.not_after_s > now + 86000 && facts.not_after_s <= now + 86400);
	assert_true(facts.not_before_s <= now);
	/* Without any names the common name stands for them. */
	assert_int_equal(tls_pair_check(&rsa.pair, now, &arena, &facts, NULL), RC_OK);
	assert_int_equal(facts.names_count, 1);
	assert_true(slice_eq(facts.names[0], SLICE("rsa.example.test")));
	struct arena small = arena_on(memory, 64);
	assert_int_equal(tls_pair_check(&second.pair, now, &small, &facts, NULL), RC_NOMEM);
	/* A chain ends when its first certificate to end does. */
	struct buf chain = buf_make(65536);
	buf_put(&chain, first.pair.certificates);
	buf_put(&chain, late.pair.certificates);
	const struct tls_pair pair = { buf_slice(&chain), first.pair.key };
	struct tls_context   *context = serve(&(struct tls_server_settings){ .pairs = &pair, .pairs_count = 1 });
	assert_true(tls_context_not_after_s(context) < now);
	tls_context_close(&context);
	tls_context_close(&context);
	buf_done(&chain);
}

static void authorities_are_read_whole_or_not(void **state)
{
	struct tls_authorities *none = NULL;
	struct buf              pem = buf_make(65536);

	(void)state;
	assert_int_equal(tls_authorities_open(SLICE(""), &none, NULL), RC_SYNTAX);
	assert_int_equal(tls_authorities_open(SLICE("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
	                                      &none, NULL),
	                 RC_SYNTAX);
	buf_put(&pem, authority.pair.certificates);
	buf_put(&pem, SLICE("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
	assert_int_equal(tls_authorities_open(buf_slice(&pem), &none, NULL), RC_SYNTAX);
	assert_null(none);
	buf_clear(&pem);
	buf_put(&pem, authority.pair.certificates);
	buf_put(&pem, SLICE("# a comment\n"));
	buf_put(&pem, authority.pair.certificates);
	assert_int_equal(tls_authorities_open(buf_slice(&pem), &none, NULL), RC_OK);
	tls_authorities_close(&none);
	tls_authorities_close(&none);
	buf_done(&pem);
	struct tls_context *context = NULL;
	assert_int_equal(tls_client_open(&(struct tls_client_settings){ .level = TLS_LEVEL_VERIFY }, &context, NULL),
	                 RC_CONFLICT);
	assert_int_equal(tls_client_open(&(struct tls_client_settings){ .ciphers = SLICE("NOTHING") }, &context, NULL),
	                 RC_UNSUPPORTED);
	const struct tls_pair wrong = { first.pair.certificates, second.pair.key };
	const struct tls_pair pairs[] = { first.pair, wrong };
	struct fault          fault = { 0 };
	assert_int_equal(
		tls_server_open(&(struct tls_server_settings){ .pairs = pairs, .pairs_count = 2 }, &context, &fault),
		RC_CONFLICT);
	assert_int_equal(fault.number, 1); /* the second */
	assert_null(context);
}

/* ---- names ---- */

static void the_name_asked_for_is_shown(void **state)
{
	const struct tls_pair pairs[] = { first.pair, second.pair, wild.pair };
	static const struct {
		const char *asked, *subject;
	} rows[] = {
		{ "one.example.test", "CN=one" },
		{ "TWO.example.TEST", "CN=two" },
		{ "deux.example.test", "CN=two" },
		{ "a.wild.test", "CN=wild" },
		{ "A.WILD.test", "CN=wild" },
		{ "a.b.wild.test", "CN=one" },
		{ "wild.test", "CN=one" },
		{ "unknown.test", "CN=one" },
		{ "", "CN=one" },
		{ "x", "CN=one" },
	};
	struct tls_context *server = serve(&(struct tls_server_settings){ .pairs = pairs, .pairs_count = 3 });
	struct tls_context *opportunist = dial(&(struct tls_client_settings){ .authorities = authorities });

	(void)state;
	for (size_t row = 0; row < COUNT(rows); row++) {
		const struct tls_client_names names = { .sni = slice_str(rows[row].asked) };
		struct pair                   pair = { 0 };
		shake(&pair, server, opportunist, &names);
		assert_int_equal(pair.client_rc, RC_OK);
		assert_int_equal(pair.server_rc, RC_OK);
		if (!slice_eq(pair.client_facts.peer_subject, slice_str(rows[row].subject)))
			fail_msg("%s: another certificate", rows[row].asked);
		assert_true(slice_eq(pair.server_facts.sni, names.sni));
		assert_true(pair.client_facts.peer_verified);
		assert_string_equal(pair.client_facts.version, "TLSv1.3");
		part(&pair);
	}
	tls_context_close(&server);
	tls_context_close(&opportunist);
}

/* Keys of two kinds for the same names: a client that can check only one of them is served, and both are where they stand in either order. */
static void both_kinds_of_keys_are_shown(void **state)
{
	static const struct {
		const char *ciphers, *asked, *subject;
	} rows[] = {
		{ "ECDHE-ECDSA-AES128-GCM-SHA256", "one.example.test", "CN=one" },
		{ "ECDHE-RSA-AES128-GCM-SHA256", "one.example.test", "CN=one-rsa" },
		{ "ECDHE-ECDSA-AES128-GCM-SHA256", "", "CN=one" },
		{ "ECDHE-RSA-AES128-GCM-SHA256", "", "CN=one-rsa" },
		{ "ECDHE-ECDSA-AES128-GCM-SHA256", "deux.example.test", "CN=two" },
		{ "ECDHE-RSA-AES128-GCM-SHA256", "deux.example.test", NULL }, /* the RSA certificate does not carry that name */
	};
	const struct tls_pair orders[][3] = { { first.pair, twin.pair, second.pair }, { twin.pair, first.pair, second.pair } };

	(void)state;
	for (size_t order = 0; order < COUNT(orders); order++) {
		struct tls_context *server = serve(&(struct tls_server_settings){ .pairs = orders[order], .pairs_count = 3 });
		for (size_t row = 0; row < COUNT(rows); row++) {
			struct tls_context *seeker =
				dial(&(struct tls_client_settings){ .ciphers = slice_str(rows[row].ciphers) });
			const struct tls_client_names names = { .sni = slice_str(rows[row].asked) };
			struct pair                   pair = { .capped = true };
			shake(&pair, server, seeker, &names);
			assert_int_equal(pair.client_rc == RC_OK, rows[row].subject != NULL);
			if (rows[row].subject != NULL && !slice_eq(pair.client_facts.peer_subject, slice_str(rows[row].subject)))
				fail_msg("%zu %zu: another certificate", order, row);
			part(&pair);
			tls_context_close(&seeker);
		}
		tls_context_close(&server);
	}
}

/* ---- levels ---- */

static void levels_decide(void **state)
{
	static const struct {
		const char              *name;
		enum tls_level           level;
		struct certificate      *shown;
		struct tls_authorities **trusted;
		const char              *wanted;
		enum rc                  rc;
		bool                     verified;
	} rows[] = {
		{ "all is well", TLS_LEVEL_VERIFY, &first, &authorities, "one.example.test", RC_OK, true },
		{ "a wildcard", TLS_LEVEL_VERIFY, &wild, &authorities, "mx1.wild.test", RC_OK, true },
		{ "any host below", TLS_LEVEL_VERIFY, &first, &authorities, ".example.test", RC_OK, true },
		{ "another name", TLS_LEVEL_VERIFY, &first, &authorities, "two.example.test", RC_DENIED, false },
		{ "the name without its host", TLS_LEVEL_VERIFY, &first, &authorities, "example.test", RC_DENIED,
		  false },
		{ "a host two levels below", TLS_LEVEL_VERIFY, &first, &authorities, ".test", RC_DENIED, false },
		{ "a wildcard over two labels", TLS_LEVEL_VERIFY, &wild, &authorities, "a.b.wild.test", RC_DENIED,
		  false },
		{ "a common name that counts no more", TLS_LEVEL_VERIFY, &second, &authorities, "two", RC_DENIED,
		  false },
		{ "an authority unknown", TLS_LEVEL_VERIFY, &first, &strangers, "one.example.test", RC_DENIED, false },
		{ "expired", TLS_LEVEL_VERIFY, &late, &authorities, "late.example.test", RC_DENIED, false },
		{ "not valid yet", TLS_LEVEL_VERIFY, &early, &authorities, "early.example.test", RC_DENIED, false },
		{ "required, not verified: another name", TLS_LEVEL_REQUIRE, &first, &authorities, "two.example.test",
		  RC_OK, false },
		{ "required, and it happens to be right", TLS_LEVEL_REQUIRE, &first, &authorities, "one.example.test",
		  RC_OK, true },
		{ "opportunistic: expired", TLS_LEVEL_OPPORTUNISTIC, &late, &authorities, "late.example.test", RC_OK,
		  false },
		{ "opportunistic: unknown", TLS_LEVEL_OPPORTUNISTIC, &first, &strangers, "one.example.test", RC_OK,
		  false },
		{ "opportunistic without authorities", TLS_LEVEL_OPPORTUNISTIC, &first, NULL, "one.example.test", RC_OK,
		  false },
	};

	(void)state;
	for (size_t row = 0; row < COUNT(rows); row++) {
		struct tls_context *server =
			serve(&(struct tls_server_settings){ .pairs = &rows[row].shown->pair, .pairs_count = 1 });
		struct tls_context           *seeker = dial(&(struct tls_client_settings){
				  .level = rows[row].level,
				  .authorities = rows[row].trusted != NULL ? *rows[row].trusted : NULL });
		const struct slice            wanted = slice_str(rows[row].wanted);
		const struct tls_client_names names = { .sni = SLICE("mx.test"), .names = &wanted, .names_count = 1 };
		struct pair                   pair = { 0 };
		shake(&pair, server, seeker, &names);
		if (pair.client_rc != rows[row].rc)
			fail_msg("%s: %s", rows[row].name, rc_word(pair.client_rc));
		if (pair.client_rc == RC_OK && pair.client_facts.peer_verified != rows[row].verified)
			fail_msg("%s: verified is wrong", rows[row].name);
		if (pair.client_rc == RC_OK && !rows[row].verified)
			assert_true(pair.client_facts.peer_error[0] != '\0');
		if (pair.client_rc == RC_DENIED)
			assert_true(pair.client_fault.text[0] != '\0');
		part(&pair);
		tls_context_close(&server);
		tls_context_close(&seeker);
	}
}

static void names_that_no_host_has_are_refused(void **state)
{
	static const char *const names[] = { "",    ".",   "..",     "a b", "*.example.test",
		                             "a..", ".a.", "a\r\nb", "a/b", "\xc3\xa4.test" };
	struct tls_context      *seeker =
		dial(&(struct tls_client_settings){ .level = TLS_LEVEL_VERIFY, .authorities = authorities });
	struct tls_session *session = NULL;
	struct slice        many[TLS_CLIENT_NAMES_MAX + 1];

	(void)state;
	for (size_t row = 0; row < COUNT(names); row++) {
		const struct slice            name = slice_str(names[row]);
		const struct tls_client_names wish = { .names = &name, .names_count = 1 };
		if (tls_session_client(seeker, 0, &wish, &session) != RC_SYNTAX)
			fail_msg("row %zu: taken", row);
		assert_null(session);
	}
	for (size_t index = 0; index < COUNT(many); index++)
		many[index] = SLICE("mx.test");
	struct tls_client_names wish = { .names = many, .names_count = TLS_CLIENT_NAMES_MAX };
	assert_int_equal(tls_session_client(seeker, 0, &wish, &session), RC_OK);
	tls_session_close(&session);
	wish.names_count++;
	assert_int_equal(tls_session_client(seeker, 0, &wish, &session), RC_LIMIT);
	wish = (struct tls_client_names){ .sni = SLICE("mx.test") };
	assert_int_equal(tls_session_client(seeker, 0, &wish, &session), RC_CONFLICT);
	wish = (struct tls_client_names){ .sni = SLICE(".mx.test"), .names = many, .names_count = 1 };
	assert_int_equal(tls_session_client(seeker, 0, &wish, &session), RC_SYNTAX);
	tls_context_close(&seeker);
}

static void versions_and_ciphers_are_kept(void **state)
{
	struct tls_context *both = serve(&(struct tls_server_settings){ .pairs = &first.pair, .pairs_count = 1 });
	struct tls_context *newest = serve(
		&(struct tls_server_settings){ .pairs = &first.pair, .pairs_count = 1, .minimum = TLS_VERSION_1_3 });
	struct tls_context *seeker =
		dial(&(struct tls_client_settings){ .ciphers = SLICE("ECDHE-ECDSA-AES128-GCM-SHA256") });
	const struct tls_client_names names = { .sni = SLICE("one.example.test") };

	(void)state;
	for (unsigned row = 0; row < 2; row++) {
		struct pair  pair = { .server_rc = RC_AGAIN, .client_rc = RC_AGAIN };
		uint8_t      memory[8192];
		struct arena arena = arena_on(memory, sizeof memory);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.fds), 0);
		assert_int_equal(tls_session_server(row == 0 ? both : newest, pair.fds[0], &pair.server), RC_OK);
		assert_int_equal(tls_session_client(seeker, pair.fds[1], &names, &pair.client), RC_OK);
		tls_session_cap(pair.client); /* TLS 1.2 at most */
		for (unsigned step = 0; step < 10; step++) {
			tls_session_readable(pair.client, false);
			if (pair.client_rc == RC_AGAIN)
				pair.client_rc = tls_session_handshake(pair.client, &pair.client_fault);
			tls_session_readable(pair.server, false);
			if (pair.server_rc == RC_AGAIN)
				pair.server_rc = tls_session_handshake(pair.server, &pair.server_fault);
		}
		if (row == 0) {
			assert_int_equal(pair.client_rc, RC_OK);
			assert_int_equal(tls_session_facts(pair.client, &arena, &pair.client_facts), RC_OK);
			assert_string_equal(pair.client_facts.version, "TLSv1.2");
			assert_string_equal(pair.client_facts.cipher, "ECDHE-ECDSA-AES128-GCM-SHA256");
			assert_int_equal(pair.client_facts.bits, 128);
		} else {
			assert_int_equal(pair.client_rc, RC_SYNTAX);
			assert_int_equal(pair.server_rc, RC_SYNTAX);
			assert_string_equal(pair.server_fault.text, "no TLS version in common");
		}
		part(&pair);
	}
	tls_context_close(&both);
	tls_context_close(&newest);
	tls_context_close(&seeker);
}

static void what_is_no_tls_is_said_so(void **state)
{
	static const char *const greetings[] = { "220 mx.test ESMTP\r\n", "EHLO x\r\nEHLO y\r\n",
		                                 "GET / HTTP/1.0\r\n\r\n", "\x16\x03\x01\xff\xff..." };
	struct tls_context *server = serve(&(struct tls_server_settings){ .pairs = &first.pair, .pairs_count = 1 });
	struct tls_context *seeker = dial(&(struct tls_client_settings){ .level = TLS_LEVEL_REQUIRE });
	const struct tls_client_names names = { .sni = SLICE("one.example.test") };

	(void)state;
	for (size_t row = 0; row < 2 * COUNT(greetings); row++) {
		const struct slice  bytes = slice_str(greetings[row / 2]);
		struct tls_session *session = NULL;
		struct fault        fault = { .text = "" };
		int                 fds[2];
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
		assert_int_equal(row % 2 ? tls_session_server(server, fds[0], &session)
		                         : tls_session_client(seeker, fds[0], &names, &session),
		                 RC_OK);
		assert_int_equal(write(fds[1], bytes.ptr, bytes.len), (ssize_t)bytes.len);
		assert_int_equal(tls_session_handshake(session, &fault), RC_SYNTAX);
		assert_true(fault.text[0] != '\0');
		tls_session_close(&session);
		(void)close(fds[0]);
		(void)close(fds[1]);
	}
	/* A peer that goes away in the middle. */
	struct tls_session *session = NULL;
	struct fault        fault = { .text = "" };
	int                 fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(tls_session_client(seeker, fds[0], &names, &session), RC_OK);
	assert_int_equal(tls_session_handshake(session, &fault), RC_AGAIN);
	assert_int_equal(tls_session_want(session), TLS_WANT_READ);
	(void)close(fds[1]);
	tls_session_readable(session, true);
	assert_int_equal(tls_session_handshake(session, &fault), RC_CLOSED);
	assert_string_equal(fault.text, "the connection ended during the TLS handshake");
	tls_session_close(&session);
	(void)close(fds[0]);
	tls_context_close(&server);
	tls_context_close(&seeker);
}

/* ---- client certificates ---- */

static void client_certificates_are_recorded(void **state)
{
	static const struct {
		const char              *name;
		bool                     ask;
		struct tls_authorities **trusted;
		struct certificate      *shown;
		bool                     certificate, verified;
	} rows[] = {
		{ "asked, shown, known", true, &authorities, &client, true, true },
		{ "asked, shown, unknown", true, &strangers, &client, true, false },
		{ "asked, shown, nobody is known", true, NULL, &client, true, false },
		{ "asked, shown, expired", true, &authorities, &late, true, false },
		{ "asked, none shown", true, &authorities, NULL, false, false },
		{ "not asked", false, &authorities, &client, false, false },
	};
	const struct tls_client_names names = { .sni = SLICE("one.example.test") };

	(void)state;
	for (size_t row = 0; row < COUNT(rows); row++) {
		struct tls_context *server = serve(&(struct tls_server_settings){
			.pairs = &first.pair,
			.pairs_count = 1,
			.ask_client = rows[row].ask,
			.client_authorities = rows[row].trusted != NULL ? *rows[row].trusted : NULL });
		struct tls_context *seeker = dial(&(struct tls_client_settings){
			.pair = rows[row].shown != NULL ? &rows[row].shown->pair : NULL });
		struct pair         pair = { 0 };
		shake(&pair, server, seeker, &names);
		assert_int_equal(pair.server_rc, RC_OK);
		assert_int_equal(pair.client_rc, RC_OK);
		const struct tls_facts *facts = &pair.server_facts;
		if (facts->peer_certificate != rows[row].certificate || facts->peer_verified != rows[row].verified)
			fail_msg("%s: recorded wrongly", rows[row].name);
		if (rows[row].shown == &client && facts->peer_certificate) {
			assert_true(slice_eq(facts->peer_subject, SLICE("CN=Mail client")));
			assert_true(slice_starts(facts->peer_issuer, SLICE("CN=")));
			assert_false(slice_eq(facts->peer_issuer, facts->peer_subject));
			assert_int_equal(facts->peer_names_count, 2);
			assert_true(slice_eq(facts->peer_names[0], SLICE("sender.example.test")));
			assert_true(slice_eq(facts->peer_names[1], SLICE("postmaster@example.test")));
			const struct digest none = { { 0 } };
			assert_false(digest_eq(&facts->peer_fingerprint, &none));
		}
		part(&pair);
		tls_context_close(&server);
		tls_context_close(&seeker);
	}
}

/* ---- tickets ---- */

static void ticket_keys_change_and_end(void **state)
{
	struct tls_tickets   *tickets = NULL;
	struct tls_ticket_key keys[4], found;
	bool                  renew = true;
	const uint8_t         zero[TLS_TICKET_NAME_SIZE] = { 0 };

	(void)state;
	assert_int_equal(tls_tickets_open(3600, &tickets), RC_OK);
	assert_false(tls_tickets_find(tickets, 1000, zero, &found, &renew));
	tls_tickets_newest(tickets, 1000, &keys[0]);
	tls_tickets_newest(tickets, 4599, &keys[1]);
	assert_memory_equal(&keys[0], &keys[1], sizeof keys[0]);
	tls_tickets_newest(tickets, 4600, &keys[1]);
	assert_memory_not_equal(keys[0].name, keys[1].name, sizeof keys[0].name);
	assert_memory_not_equal(keys[0].cipher, keys[1].cipher, sizeof keys[0].cipher);
	assert_true(tls_tickets_find(tickets, 4601, keys[1].name, &found, &renew));
	assert_false(renew);
	assert_true(tls_tickets_find(tickets, 8199, keys[0].name, &found, &renew));
	assert_true(renew);
	assert_memory_equal(found.cipher, keys[0].cipher, sizeof found.cipher);
	assert_false(tls_tickets_find(tickets, 8200, keys[0].name, &found, &renew));
	/* A quiet time does not keep old keys alive. */
	assert_true(tls_tickets_find(tickets, 8201, keys[1].name, &found, &renew));
	assert_false(tls_tickets_find(tickets, 100000, keys[1].name, &found, &renew));
	tls_tickets_close(&tickets);
	tls_tickets_close(&tickets);
}

/* With plain OpenSSL as the client, since ours never resumes. */
static bool resume(struct tls_context *server, SSL_CTX *plain, SSL_SESSION **ticket, bool resumed_expected)
{
	struct tls_session *session = NULL;
	enum rc             rc = RC_AGAIN;
	int                 fds[2], shaken = 0;
	uint8_t             memory[8192], byte;
	struct arena        arena = arena_on(memory, sizeof memory);
	struct tls_facts    facts;
	size_t              count;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(tls_session_server(server, fds[0], &session), RC_OK);
	SSL *ssl = SSL_new(plain);
	assert_int_equal(SSL_set_fd(ssl, fds[1]), 1);
	if (*ticket != NULL)
		assert_int_equal(SSL_set_session(ssl, *ticket), 1);
	for (unsigned step = 0; step < 10; step++) {
		if (shaken != 1)
			shaken = SSL_connect(ssl);
		tls_session_readable(session, false);
		if (rc == RC_AGAIN)
			rc = tls_session_handshake(session, NULL);
	}
	assert_int_equal(shaken, 1);
	assert_int_equal(rc, RC_OK);
	assert_int_equal(tls_session_write(session, SLICE("x"), &count), RC_OK);
	assert_int_equal(SSL_read(ssl, &byte, 1), 1);
	assert_int_equal(tls_session_facts(session, &arena, &facts), RC_OK);
	assert_int_equal(facts.resumed, resumed_expected);
	SSL_SESSION_free(*ticket);
	*ticket = SSL_get1_session(ssl);
	const bool has_ticket = SSL_SESSION_has_ticket(*ticket) == 1;
	(void)SSL_shutdown(ssl);
	SSL_free(ssl);
	tls_session_close(&session);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return has_ticket;
}

static void sessions_resume_over_a_reload(void **state)
{
	SSL_CTX *plain = SSL_CTX_new(TLS_client_method());

	(void)state;
	for (unsigned row = 0; row < 2; row++) {
		struct tls_tickets *tickets = NULL;
		SSL_SESSION        *ticket = NULL;
		assert_int_equal(tls_tickets_open(3600, &tickets), RC_OK);
		assert_int_equal(SSL_CTX_set_max_proto_version(plain, row == 0 ? TLS1_3_VERSION : TLS1_2_VERSION), 1);
		const struct tls_server_settings settings = { .pairs = &first.pair,
			                                      .pairs_count = 1,
			                                      .tickets = tickets };
		struct tls_context              *old = serve(&settings);
		assert_true(resume(old, plain, &ticket, false));
		assert_true(resume(old, plain, &ticket, true));
		struct tls_context *newer = serve(&settings);
		tls_context_close(&old);
		(void)resume(newer, plain, &ticket, true);
		tls_context_close(&newer);
		/* Other keys, other gateway: a whole handshake, no failure. */
		struct tls_tickets *others = NULL;
		assert_int_equal(tls_tickets_open(3600, &others), RC_OK);
		newer = serve(
			&(struct tls_server_settings){ .pairs = &first.pair, .pairs_count = 1, .tickets = others });
		(void)resume(newer, plain, &ticket, false);
		tls_context_close(&newer);
		/* None at all. */
		SSL_SESSION_free(ticket);
		ticket = NULL;
		newer = serve(&(struct tls_server_settings){ .pairs = &first.pair, .pairs_count = 1 });
		assert_false(resume(newer, plain, &ticket, false));
		tls_context_close(&newer);
		SSL_SESSION_free(ticket);
		tls_tickets_close(&others);
		tls_tickets_close(&tickets);
	}
	SSL_CTX_free(plain);
}

static void an_old_context_lives_as_long_as_its_sessions(void **state)
{
	struct tls_context *server = serve(&(struct tls_server_settings){ .pairs = &first.pair, .pairs_count = 1 });
	struct tls_context *seeker = dial(&(struct tls_client_settings){ .level = TLS_LEVEL_OPPORTUNISTIC });
	const struct tls_client_names names = { .sni = SLICE("one.example.test") };
	struct pair                   pair = { 0 };
	uint8_t                       bytes[64];
	size_t                        count = 0;

	(void)state;
	shake(&pair, server, seeker, &names);
	tls_context_close(&server);
	tls_context_close(&seeker);
	assert_int_equal(tls_session_write(pair.server, SLICE("still here"), &count), RC_OK);
	tls_session_readable(pair.client, false);
	assert_int_equal(tls_session_read(pair.client, bytes, sizeof bytes, &count), RC_OK);
	assert_int_equal(count, 10);
	assert_int_equal(tls_session_read(pair.client, bytes, sizeof bytes, &count), RC_AGAIN);
	assert_int_equal(tls_session_shutdown(pair.server), RC_OK);
	assert_int_equal(tls_session_read(pair.client, bytes, sizeof bytes, &count),
	                 RC_AGAIN); /* not told that it is readable */
	tls_session_readable(pair.client, false);
	assert_int_equal(tls_session_read(pair.client, bytes, sizeof bytes, &count), RC_CLOSED);
	part(&pair);
}

/* ---- */

static void make(struct certificate *out, const char *common_name, const char *names, const struct certificate *issuer)
{
	certificate_make(out, &(struct certificate_wish){ .common_name = common_name, .names = names }, issuer);
}

static int set_up_all(void **state)
{
	(void)state;
	if (net_tls_ready(NULL) != RC_OK)
		return -1;
	certificate_make(&authority, &(struct certificate_wish){ .common_name = "Authority", .authority = true }, NULL);
	certificate_make(&stranger, &(struct certificate_wish){ .common_name = "Stranger", .authority = true }, NULL);
	make(&first, "one", "DNS:one.example.test", &authority);
	make(&second, "two", "DNS:TWO.example.test,IP:192.0.2.1,DNS:deux.example.test", &authority);
	make(&wild, "wild", "DNS:*.wild.test", &authority);
	make(&client, "Mail client", "DNS:sender.example.test,email:postmaster@example.test", &authority);
	make(&below, "short", NULL, &authority);
	certificate_make(&twin, &(struct certificate_wish){ .common_name = "one-rsa", .names = "DNS:one.example.test", .rsa_bits = 2048 },
	                 &authority);
	certificate_make(&rsa, &(struct certificate_wish){ .common_name = "RSA.example.test", .rsa_bits = 2048 },
	                 &authority);
	certificate_make(&weak, &(struct certificate_wish){ .common_name = "weak", .rsa_bits = 512 }, &authority);
	certificate_make(&late,
	                 &(struct certificate_wish){ .common_name = "late",
	                                             .names = "DNS:late.example.test",
	                                             .not_before_s = -7200,
	                                             .not_after_s = -3600 },
	                 &authority);
	certificate_make(&early,
	                 &(struct certificate_wish){ .common_name = "early",
	                                             .names = "DNS:early.example.test",
	                                             .not_before_s = 3600,
	                                             .not_after_s = 7200 },
	                 &authority);
	return tls_authorities_open(authority.pair.certificates, &authorities, NULL) != RC_OK ||
	       tls_authorities_open(stranger.pair.certificates, &strangers, NULL) != RC_OK;
}

static int tear_down_all(void **state)
{
	struct certificate *const all[] = { &authority, &stranger, &first, &twin, &second, &wild, &rsa,
		                            &client,    &late,     &early, &weak,   &below };

	(void)state;
	tls_authorities_close(&authorities);
	tls_authorities_close(&strangers);
	for (size_t index = 0; index < COUNT(all); index++)
		certificate_done(all[index]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_are_checked),
		cmocka_unit_test(a_pair_says_what_it_is),
		cmocka_unit_test(authorities_are_read_whole_or_not),
		cmocka_unit_test(the_name_asked_for_is_shown),
		cmocka_unit_test(both_kinds_of_keys_are_shown),
		cmocka_unit_test(levels_decide),
		cmocka_unit_test(names_that_no_host_has_are_refused),
		cmocka_unit_test(versions_and_ciphers_are_kept),
		cmocka_unit_test(what_is_no_tls_is_said_so),
		cmocka_unit_test(client_certificates_are_recorded),
		cmocka_unit_test(ticket_keys_change_and_end),
		cmocka_unit_test(sessions_resume_over_a_reload),
		cmocka_unit_test(an_old_context_lives_as_long_as_its_sessions),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
