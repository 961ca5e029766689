/*
 * What a connection costs: proportional memory of an idle one, plain and TLS; processor time of accept + greeting +
 * echo + close; of a TLS handshake; of a post to a loop; of a DNS answer that is known already.
 *
 *     net_bench [connections]     (10,000 by default; descriptors are the limit)
 *
 * The server is a child of its own, so that only its memory and time are counted. Prints lines "bench NAME VALUE UNIT".
 */
#include "base/must.h"
#include "harness/certificate.h"
#include "harness/fake_dns.h"
#include "net/acceptor.h"
#include "net/resolver.h"
#include "net/stream.h"
#include "sys/clock.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct stream_limits limits = { 16384, 65536 };
static struct loop               *loop;
static struct tls_context        *server_context, *client_context;

/* ---- the server ---- */

struct session {
	struct stream stream;
};

static bool with_tls;

static size_t session_data(struct stream *stream, struct slice data)
{
	(void)!stream_send(stream, data);
	return data.len;
}

static void session_closed(struct stream *stream, const struct fault *fault)
{
	(void)fault;
	free(LIST_OF(stream, struct session, stream));
}

static const struct stream_handlers session_handlers = { .on_data = session_data, .on_closed = session_closed };

static void accepted(struct acceptor *acceptor, int fd, const struct net_address *peer)
{
	struct session *session = calloc(1, sizeof *session);

	must(session != NULL);
	must(stream_adopt(&session->stream, acceptor->loop, fd, peer, &limits, &session_handlers) == RC_OK);
	if (with_tls)
		must(stream_start_tls_server(&session->stream, server_context) == RC_OK);
	else
		must(stream_send(&session->stream, SLICE("220 mx.example.test ESMTP\r\n")) == RC_OK);
}

static pid_t serve(int listener, bool tls)
{
	const pid_t child = fork();

	must(child >= 0);
	if (child != 0)
		return child;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	with_tls = tls;
	struct loop    *own = NULL;
	struct acceptor acceptor = { .on_accept = accepted };
	must(loop_open(0, &own, NULL) == RC_OK);
	must(acceptor_start(&acceptor, own, listener) == RC_OK);
	(void)!loop_run(own);
	_exit(0);
}

static void end(pid_t child)
{
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
}

/* ---- looking at it ---- */

static uint64_t pss_kib(pid_t pid)
{
	char  path[64], line[256];
	FILE *file;

	(void)snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
	file = fopen(path, "r");
	must(file != NULL);
	uint64_t kib = 0;
	while (fgets(line, sizeof line, file) != NULL) {
		if (strncmp(line, "Pss:", 4) == 0)
			kib = strtoull(line + 4, NULL, 10);
	}
	(void)fclose(file);
	return kib;
}

static double cpu_us(pid_t pid)
{
	char               path[64];
	unsigned long      user = 0, system = 0;
	unsigned long long ran_ns = 0;

	/* schedstat counts in nanoseconds, where stat counts in ticks. */
	(void)user;
	(void)system;
	(void)snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
	FILE *file = fopen(path, "r");
	must(file != NULL);
	must(fscanf(file, "%llu", &ran_ns) == 1);
	(void)fclose(file);
	return (double)ran_ns / 1000;
}

/* ---- the clients ---- */

struct client {
	struct stream stream;
	bool          up, gone;
	size_t        got;
};

static unsigned clients_up, clients_gone;

static size_t client_data(struct stream *stream, struct slice data)
{
	LIST_OF(stream, struct client, stream)->got += data.len;
	return data.len;
}

static void client_open(struct stream *stream)
{
	if (client_context != NULL) {
		const struct tls_client_names names = { .sni = SLICE("mx.example.test") };
		must(stream_start_tls_client(stream, client_context, &names) == RC_OK);
		return;
	}
	LIST_OF(stream, struct client, stream)->up = true;
	clients_up++;
}

static void client_secure(struct stream *stream)
{
	LIST_OF(stream, struct client, stream)->up = true;
	clients_up++;
}

static void client_closed(struct stream *stream, const struct fault *fault)
{
	fprintf(stderr, "lost: %s (%d)\n", fault->text, fault->error);
	LIST_OF(stream, struct client, stream)->gone = true;
	clients_gone++;
}

static const struct stream_handlers client_handlers = {
	.on_data = client_data,
	.on_open = client_open,
	.on_secure = client_secure,
	.on_closed = client_closed,
};

static void idle(const char *name, unsigned count, bool tls)
{
	struct net_address address = { .family = NET_FAMILY_V4, .bytes = { 127, 0, 0, 1 } };
	struct client     *clients = calloc(count, sizeof *clients);
	int                listener = -1;

	must(clients != NULL);
	must(net_listen(&address, 4096, &listener, NULL) == RC_OK);
	must(net_socket_local(listener, &address) == RC_OK);
	const pid_t         server = serve(listener, tls);
	struct tls_context *kept = client_context;
	if (!tls)
		client_context = NULL;
	clients_up = 0;
	usleep(100000);
	uint64_t       before = 0;
	double         cpu_before = 0;
	const unsigned first = count / 50 + 1; /* let it touch its own pages before it is counted */
	for (unsigned index = 0; index < count; index++) {
		if (index == first) {
			usleep(200000);
			before = pss_kib(server);
			cpu_before = cpu_us(server);
		}
		must(stream_connect(&clients[index].stream, loop, &address, NULL, &limits, &client_handlers, NULL) ==
		     RC_OK);
		while (clients_up + clients_gone + 200 < index || (index + 1 == first && clients_up < first))
			must(loop_turn(loop, 100) == RC_OK);
	}
	while (clients_up + clients_gone < count)
		must(loop_turn(loop, 1000) == RC_OK);
	for (unsigned index = 0; index < count; index++)
		must(stream_send(&clients[index].stream, SLICE("EHLO client.example.test\r\n")) == RC_OK);
	bool all = false;
	while (!all) {
		must(loop_turn(loop, 100) == RC_OK);
		all = true;
		for (unsigned index = 0; index < count; index++)
			all = all && clients[index].got >= (tls ? 26u : 53u);
	}
	usleep(200000);
	const unsigned counted = count - first;
	printf("bench net.idle.%s %.2f KiB\n", name, (double)(pss_kib(server) - before) / counted);
	printf("bench net.accept_echo.%s %.1f us\n", name, (cpu_us(server) - cpu_before) / counted);
	for (unsigned index = 0; index < count; index++)
		stream_reset(&clients[index].stream);
	client_context = kept;
	end(server);
	(void)close(listener);
	free(clients);
}

/* ---- accept, greet, echo, close; 50 at a time ---- */

static unsigned           churned;
static struct net_address churn_address;

static void churn_closed(struct stream *stream, const struct fault *fault);
static void churn_secure(struct stream *stream);

static size_t churn_data(struct stream *stream, struct slice data)
{
	struct client *client = LIST_OF(stream, struct client, stream);

	if (client->got == 0 && client_context == NULL)
		(void)!stream_send(stream, SLICE("NOOP\r\n"));
	client->got += data.len;
	if (client->got >= 6 + (client_context == NULL ? 27u : 0)) {
		stream_reset(stream);
		churned++;
		client->gone = true;
	}
	return data.len;
}

static const struct stream_handlers churn_handlers = {
	.on_data = churn_data,
	.on_open = client_open,
	.on_secure = churn_secure,
	.on_closed = churn_closed,
};

static void churn_secure(struct stream *stream)
{
	(void)!stream_send(stream, SLICE("NOOP\r\n"));
}

static void churn_closed(struct stream *stream, const struct fault *fault)
{
	client_closed(stream, fault);
}

static void churn(const char *name, unsigned count, bool tls)
{
	static struct client clients[50];
	int                  listener = -1;
	struct tls_context  *kept = client_context;

	if (!tls)
		client_context = NULL;
	churned = 0;
	churn_address = (struct net_address){ .family = NET_FAMILY_V4, .bytes = { 127, 0, 0, 1 } };
	must(net_listen(&churn_address, 4096, &listener, NULL) == RC_OK);
	must(net_socket_local(listener, &churn_address) == RC_OK);
	const pid_t server = serve(listener, tls);
	usleep(100000);
	for (unsigned index = 0; index < 50; index++)
		clients[index].gone = true;
	const double   cpu_before = cpu_us(server);
	const uint64_t began_us = clock_mono_us();
	unsigned       started = 0;
	while (churned < count) {
		for (unsigned index = 0; index < 50 && started < count; index++) {
			if (!clients[index].gone)
				continue;
			clients[index] = (struct client){ 0 };
			must(stream_connect(&clients[index].stream, loop, &churn_address, NULL, &limits,
			                    &churn_handlers, NULL) == RC_OK);
			started++;
		}
		must(loop_turn(loop, 100) == RC_OK);
	}
	printf("bench net.accept_greet_echo_close.%s %.1f us (%.0f/s)\n", name, (cpu_us(server) - cpu_before) / count,
	       count * 1e6 / (double)(clock_mono_us() - began_us));
	client_context = kept;
	end(server);
	(void)close(listener);
}

/* ---- posts, timers, DNS ---- */

enum { POSTS = 2000000 };
static struct loop_task *tasks;
static unsigned          tasks_run;

static void count_task(struct loop_task *task)
{
	(void)task;
	if (++tasks_run == POSTS)
		loop_stop(loop);
}

static void *post(void *argument)
{
	(void)argument;
	for (unsigned index = 0; index < POSTS; index++) {
		tasks[index].run = count_task;
		loop_post(loop, &tasks[index]);
	}
	return NULL;
}

static void posts(void)
{
	pthread_t      thread;
	const uint64_t began_us = clock_mono_us();
	const uint64_t wakes = loop_counts(loop)->wakes;

	tasks = calloc(POSTS, sizeof *tasks);
	must(tasks != NULL);
	must(pthread_create(&thread, NULL, post, NULL) == 0);
	must(loop_run(loop) == RC_OK);
	must(pthread_join(thread, NULL) == 0);
	printf("bench net.post %.3f us (%u wake-ups for %u)\n", (double)(clock_mono_us() - began_us) / POSTS,
	       (unsigned)(loop_counts(loop)->wakes - wakes), POSTS);
	free(tasks);
}

static void answered(struct resolver_query *query, const struct resolver_answer *answer)
{
	must(answer->status == RESOLVER_OK);
	query->resolver = NULL;
}

static void known(void)
{
	static const struct fake_dns_record zone[] = {
		{ "example.test", 15, "10 mx1.example.test", 300 },
		{ "example.test", 15, "10 mx2.example.test", 300 },
		{ NULL, 0, NULL, 0 },
	};
	static const struct fake_dns_rule rules[] = { { NULL, FAKE_DNS_ANSWERS } };
	struct fake_dns                  *server = fake_dns_start(zone, rules);
	const struct net_address          address = fake_dns_address(server);
	struct resolver_core             *core = NULL;
	struct resolver                  *resolver = NULL;
	uint8_t                           memory[4096];
	struct arena                      arena = arena_on(memory, sizeof memory);
	struct resolver_answer            answer;
	enum { ROUNDS = 500000 };

	must(resolver_core_open(
		     &(struct resolver_settings){
			     .servers = &address, .servers_count = 1, .cache_bytes = 4u << 20, .private_names = true },
		     loop, &core, NULL) == RC_OK);
	must(resolver_open(core, loop, 4096, 1024, &resolver) == RC_OK);
	struct resolver_query query = { .done = answered, .arena = &arena };
	const uint64_t        asked_us = clock_mono_us();
	must(resolver_ask(resolver, &query, RESOLVER_MX, SLICE("example.test"), 10000, &answer) == RC_AGAIN);
	while (query.flight != NULL)
		must(loop_turn(loop, 100) == RC_OK);
	printf("bench net.dns.first %.0f us\n", (double)(clock_mono_us() - asked_us));
	const uint64_t began_us = clock_mono_us();
	for (unsigned round = 0; round < ROUNDS; round++) {
		arena_reset(&arena);
		must(resolver_ask(resolver, &query, RESOLVER_MX, SLICE("example.test"), 10000, &answer) == RC_OK);
	}
	printf("bench net.dns.known %.3f us\n", (double)(clock_mono_us() - began_us) / ROUNDS);
	resolver_close(&resolver);
	resolver_core_close(&core);
	fake_dns_stop(&server);
}

int main(int argc, char **argv)
{
	const unsigned     count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10000;
	struct rlimit      files = { count + 500, count + 500 };
	struct certificate certificate;

	if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
		fprintf(stderr, "%u descriptors are not allowed here\n", count + 500);
		return 1;
	}
	must(net_tls_ready(NULL) == RC_OK);
	certificate_make(&certificate,
	                 &(struct certificate_wish){ .common_name = "mx", .names = "DNS:mx.example.test" }, NULL);
	must(tls_server_open(&(struct tls_server_settings){ .pairs = &certificate.pair, .pairs_count = 1 },
	                     &server_context, NULL) == RC_OK);
	must(tls_client_open(&(struct tls_client_settings){ .level = TLS_LEVEL_REQUIRE }, &client_context, NULL) ==
	     RC_OK);
	must(loop_open(0, &loop, NULL) == RC_OK);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	idle("plain", count, false);
	idle("tls", count, true);
	churn("plain", 20000, false);
	churn("tls", 2000, true);
	posts();
	known();
	loop_close(&loop);
	tls_context_close(&server_context);
	tls_context_close(&client_context);
	certificate_done(&certificate);
	return clients_gone != 0;
}
