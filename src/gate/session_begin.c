/*
 * How a session begins: accepted, counted, told by a balancer who the client is, admitted or sent away, its name asked of DNS. From the
 * greeting on it is session.c's.
 */
#include "gate/session.h"

#include "base/memory.h"
#include "base/must.h"
#include "smtp/proxy.h"
#include "sys/clock.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROXY_WAIT_MS 10000u
#define NAMING_ARENA_BYTES 2048u

/* ---- the peer's name ---- */

struct naming {
	struct resolver_peer question;
	struct session      *session;
	struct arena         arena;
	uint8_t              memory[NAMING_ARENA_BYTES];
};

static void named(struct session *session, enum resolver_peer_status status, struct slice name)
{
	if (status == RESOLVER_PEER_CONFIRMED)
		session_text_set(&session->peer_name, name);
	memory_give(session->naming);
	session->naming = NULL;
}

static void naming_done(struct resolver_peer *question, enum resolver_peer_status status, struct slice name)
{
	named(LIST_OF(question, struct naming, question)->session, status, name);
}

/* Asked while the client talks; whatever is known when the message is whole goes into its Received field. */
static void ask_name(struct session *session)
{
	const struct gate_dns_settings *dns = session->config->settings.dns;
	enum resolver_peer_status       status;
	struct slice                    name;

	if (!dns->reverse || session->home->resolver == NULL)
		return;
	session->naming = memory_take(1, sizeof *session->naming);
	if (session->naming == NULL)
		return;
	session->naming->session = session;
	session->naming->arena = arena_on(session->naming->memory, sizeof session->naming->memory);
	session->naming->question.arena = &session->naming->arena;
	session->naming->question.done = naming_done;
	const enum rc rc = resolver_ask_peer(session->home->resolver, &session->naming->question, &session->peer, dns->timeout,
	                                     &status, &name);
	if (rc == RC_AGAIN)
		return;
	named(session, rc == RC_OK ? status : RESOLVER_PEER_UNKNOWN, name);
}

void session_forget_naming(struct session *session)
{
	if (session->naming != NULL)
		resolver_peer_cancel(&session->naming->question);
	memory_give(session->naming);
	session->naming = NULL;
}

/* ---- admission ---- */

/* What follows from the client's address; again after PROXY and XCLIENT. */
void session_know_peer(struct session *session)
{
	const struct config_listener *listener = session->listener;
	const bool                    own = gate_listener_is_own(listener->settings) && listener->peers.count != 0;

	session->ours = net_match_has(&session->config->own, &session->peer) ||
	                (own && net_match_has(&listener->peers, &session->peer));
	session->relay = net_match_has(&listener->relay, &session->peer);
}

/* `speaker` is who speaks: the client, or who passes it on with XCLIENT. */
static struct smtp_server_peer machine_peer(const struct session *session, const struct net_address *speaker)
{
	return (struct smtp_server_peer){
		.tls = session->stream.tls != NULL,
		.xclient = net_match_has(&session->listener->xclient, speaker),
		.long_addresses = session->ours,
	};
}

static const struct smtp_server_config *machine_config(const struct session *session)
{
	const struct config_listener *listener = session->listener;

	return net_match_has(&listener->bare_newline, &session->peer) ? &listener->lenient : &listener->strict;
}

void session_begin_machine(struct session *session)
{
	const struct smtp_server_peer peer = machine_peer(session, &session->peer);

	smtp_server_init(&session->smtp, machine_config(session), &peer);
}

/* May who speaks from this address do so to this listener at all? */
static bool may_connect(const struct session *session, const struct net_address *speaker)
{
	const struct config_listener *listener = session->listener;
	const bool by_certificate = gate_listener_is_own(listener->settings) && listener->certificate_count != 0;

	return listener->peers.count == 0 || net_match_has(&listener->peers, speaker) || session->ours || by_certificate;
}

/* Count the client and see whether it may come in. A reply, or NULL when it may. */
static const struct smtp_reply *admit(struct session *session, const char **reason)
{
	static const struct smtp_reply foreign = { 554, { 5, 7, 1 }, SLICE_INIT("Access denied: this host may not connect here") };
	static const struct smtp_reply many = { 421, { 4, 7, 0 }, SLICE_INIT("Too many connections from your address, come back later") };
	static const struct smtp_reply fast = { 421, { 4, 7, 0 }, SLICE_INIT("Connections come too fast from your address, come back later") };
	const struct gate_listener_settings *limits = session->listener->settings;

	session_know_peer(session);
	if (!may_connect(session, &session->peer)) {
		*reason = "peer_not_allowed";
		return &foreign;
	}
	if (session->ours)
		return NULL;
	bool          counted;
	const enum rc rc = peers_enter(session->home->gate->peers, &session->peer, limits->connections_per_peer,
	                               limits->connection_rate, loop_now_ms(session->home->loop), &counted);
	if (counted)
		session->counted = session->peer;
	if (rc == RC_OK)
		return NULL;
	counter_up(COUNT_PEER_LIMITED);
	*reason = rc == RC_LIMIT ? "peer_connections" : "peer_rate";
	return rc == RC_LIMIT ? &many : &fast;
}

/* ---- new settings ---- */

static bool same_certificates(const struct config_listener *a, const struct config_listener *b)
{
	bool same = a->certificate_count == b->certificate_count;

	for (size_t i = 0; same && i < a->certificate_count; i++)
		same = digest_eq(&a->certificates[i], &b->certificates[i]);
	return same;
}

/* Who has authenticated is still somebody, with the same password. */
static bool find_account(const struct config *config, const struct config_account **account)
{
	if (*account == NULL)
		return true;
	const struct config_account *now = config->accounts == NULL ? NULL : map_get(config->accounts, (*account)->name);
	if (now == NULL || !slice_eq(slice_str(now->hash), slice_str((*account)->hash)))
		return false;
	*account = now;
	return true;
}

/* The listener of that name, if a session that began on the old one could have come to be what it is on this one. */
static const struct config_listener *find_listener(const struct config *config, const struct session *session, uint32_t *ret_index)
{
	const struct config_listener *old = session->listener;
	size_t                        i = 0;

	while (i < config->settings.listener_count && !slice_eq(config->settings.listeners[i].name, old->settings->name))
		i++;
	if (i == config->settings.listener_count)
		return NULL;
	const struct config_listener *now = &config->listeners[i];
	const bool plain = session->stream.tls == NULL;
	if ((plain && now->settings->tls == LISTENER_TLS_IMPLICIT) || (plain && old->tls != NULL && now->tls == NULL) ||
	    (session->certificate && !same_certificates(old, now)))
		return NULL;
	*ret_index = (uint32_t)i;
	return now;
}

bool session_take_settings(struct session *session)
{
	struct gate_loop             *home = session->home;
	const struct config_account  *account = session->account;
	uint32_t                      index = 0;
	const struct config_listener *listener = find_listener(home->config, session, &index);

	must(session->transaction == NULL);
	must(session->query == NULL);
	must(session->verification == NULL);
	if (listener == NULL || !find_account(home->config, &account))
		return false;
	struct config *old = session->config;
	session->config = config_hold(home->config);
	session->listener = listener;
	session->account = account;
	gate_session_leave(home->gate, session->listener_index);
	(void)gate_session_enter(home->gate, index, UINT64_MAX);
	session->listener_index = index;
	session_know_peer(session);
	/* The stream knows the address that was looked at when the session began. */
	const struct smtp_server_peer peer = machine_peer(session, &session->stream.peer);
	smtp_server_change(&session->smtp, machine_config(session), &peer);
	config_drop(&old);
	return may_connect(session, &session->stream.peer);
}

/* The client is known now: let it in, or send it away with a sentence. */
static void enter(struct session *session)
{
	const char              *reason = NULL;
	const struct smtp_reply *no = admit(session, &reason);

	session_begin_machine(session);
	if (no != NULL) {
		counter_up(COUNT_SESSIONS_REFUSED);
		session_note_refusal(session, STAGE_CONNECT, no, SLICE(""), reason);
		session->state = SESSION_TALK;
		session_end(session, no, reason);
		return;
	}
	ask_name(session);
	if (session->listener->settings->tls != LISTENER_TLS_IMPLICIT) {
		session_begin_talk(session);
		return;
	}
	session->state = SESSION_HANDSHAKE;
	session_set_deadline(session);
	if (stream_start_tls_server(&session->stream, session->listener->tls) != RC_OK)
		session_close(session, "tls");
}

/* Somebody we believe told us who the client is. */
void session_set_peer(struct session *session, struct ip told)
{
	const struct ip ip = ip_unmapped(told);

	session->peer.family = ip.family;
	memcpy(session->peer.bytes, ip.bytes, sizeof session->peer.bytes);
}

/* Before there is a stream: one line, as far as the socket takes it at once, and the end. */
static void send_away(int fd, const struct smtp_reply *reply)
{
	struct buf line = buf_make(256);
	uint8_t    dropped[1024];

	counter_up(COUNT_SESSIONS_REFUSED);
	smtp_reply_write(reply, true, &line);
	if (!line.failed)
		(void)!send(fd, line.ptr, line.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	/* What it sent already, or closing would reset the connection before the line is read. */
	(void)!recv(fd, dropped, sizeof dropped, MSG_DONTWAIT);
	(void)close(fd);
	buf_done(&line);
}

/* Without a PROXY header there is nobody to talk to; who has sent something else is told so. */
void session_proxy_failed(struct session *session, const char *why)
{
	const struct smtp_reply reply = { 554, { 5, 7, 1 }, slice_str(why) };
	const int               fd = session->front.fd;

	session_note_refusal(session, STAGE_CONNECT, &reply, SLICE(""), "proxy_header");
	session->end = "proxy";
	loop_unwatch_closing(session->home->loop, &session->front);
	send_away(fd, &reply);
	session_free(session);
}

static void begin_stream(struct session *session, int fd)
{
	const struct stream_limits limits = { .window = SESSION_WINDOW, .out_max = GATE_OUT_MAX };

	if (stream_adopt(&session->stream, session->home->loop, fd, &session->peer, &limits, &session_handlers) != RC_OK) {
		session->end = "no_descriptor";
		session_free(session);
		return;
	}
	enter(session);
}

/*
 * The balancer's header stands in front of everything, also of TLS. It is looked at without taking it, and then taken to the byte, so
 * that the stream begins where the client's own bytes begin.
 */
static void proxy_ready(struct loop_watch *watch, uint32_t events)
{
	struct session     *session = LIST_OF(watch, struct session, front);
	const int           fd = watch->fd;
	uint8_t             room[PROXY_V2_MAX];
	struct proxy_header header;
	const ssize_t       count = recv(fd, room, sizeof room, MSG_PEEK | MSG_DONTWAIT);
	struct slice        rest = slice_of(room, count > 0 ? (size_t)count : 0);
	(void)events;

	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	const enum rc rc = proxy_take(&rest, &header);
	/* Readiness is told per change: a part of a header is looked at again when more of it has come. */
	if (rc == RC_AGAIN && count > 0)
		return;
	const ssize_t taken = count - (ssize_t)rest.len;
	if (rc != RC_OK || recv(fd, room, (size_t)taken, MSG_DONTWAIT) != taken) {
		session_proxy_failed(session, "A PROXY header is expected in front of the session");
		return;
	}
	loop_unwatch(session->home->loop, &session->front);
	if (!header.local) {
		session_set_peer(session, header.source);
		session->peer.port = header.source_port;
	}
	begin_stream(session, fd);
}

static void wait_for_proxy(struct session *session, int fd)
{
	session->state = SESSION_PROXY;
	loop_timer_set(session->home->loop, &session->timer, PROXY_WAIT_MS);
	if (loop_watch(session->home->loop, &session->front, fd, LOOP_IN | LOOP_RDHUP | LOOP_EDGE, proxy_ready) == RC_OK)
		return;
	(void)close(fd);
	session->end = "no_descriptor";
	session_free(session);
}

/* No session at all: too many are open, or there is no memory. */
static void turn_away(struct gate_loop *home, const struct config_listener *listener, int fd, const struct net_address *peer)
{
	static const struct smtp_reply full = { 421, { 4, 3, 2 }, SLICE_INIT("Too many connections, come back later") };
	char                           text[NET_ADDRESS_TEXT_MAX];
	struct event_refused           event = { .stage = STAGE_CONNECT, .listener = listener->settings->name,
		                                 .peer = slice_str(net_address_text(peer, text)), .reason = SLICE("listener_connections") };

	send_away(fd, &full);
	session_tell_refusal(home, &event, &full, SLICE(""));
}

void session_accept(struct gate_loop *home, uint32_t listener_index, int fd, const struct net_address *peer)
{
	static const struct smtp_reply no_balancer = { 554, { 5, 7, 1 }, SLICE_INIT("Only balancers may connect here") };
	const struct config_listener  *listener = &home->config->listeners[listener_index];

	if (!gate_session_enter(home->gate, listener_index, listener->settings->connections_max)) {
		turn_away(home, listener, fd, peer);
		return;
	}
	struct session *session = memory_take(1, sizeof *session);
	if (session == NULL) {
		gate_session_leave(home->gate, listener_index);
		turn_away(home, listener, fd, peer);
		return;
	}
	counter_up(COUNT_SESSIONS);
	session->home = home;
	session->config = config_hold(home->config);
	session->listener = listener;
	session->listener_index = listener_index;
	session->id = gate_next_id(home->gate);
	session->opened_ms = (int64_t)clock_wall_ms();
	session->session_until_ms = loop_now_ms(home->loop) + listener->settings->timeout_session;
	session->peer = *peer;
	timer_init(&session->timer, session_timer);
	list_append(&home->sessions, &session->link);
	home->session_count++;
	session->front.fd = -1;
	if (listener->proxies.count == 0) {
		begin_stream(session, fd);
	} else if (net_match_has(&listener->proxies, peer)) {
		wait_for_proxy(session, fd);
	} else {
		session_note_refusal(session, STAGE_CONNECT, &no_balancer, SLICE(""), "not_a_proxy");
		send_away(fd, &no_balancer);
		session->end = "not_a_proxy";
		session_free(session);
	}
}
