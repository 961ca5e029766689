/* A name server for tests; see the header. Simple on purpose: one thread, one poll loop, one message at a time. */
#include "harness/fake_dns.h"

#include "base/buf.h"
#include "base/must.h"
#include "net/acceptor.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX 65535
#define ASKED_MAX   4096
#define SLOW_MAX    256
#define TYPE_CNAME  5
#define TYPE_SOA    6

struct slow {
	struct sockaddr_storage peer;
	socklen_t               peer_size;
	struct buf              answer;
};

struct fake_dns {
	const struct fake_dns_record *records;
	const struct fake_dns_rule   *rules;
	struct net_address            address;
	int                           udp, tcp, stop[2];
	pthread_t                     thread;
	pthread_mutex_t               lock;
	char                          asked[ASKED_MAX][256];
	unsigned                      asked_count;
	struct slow                   slow[SLOW_MAX];
	unsigned                      slow_count;
};

static void put_u16(struct buf *out, unsigned number)
{
	buf_put_byte(out, (uint8_t)(number >> 8));
	buf_put_byte(out, (uint8_t)number);
}

static void put_u32(struct buf *out, uint32_t number)
{
	put_u16(out, number >> 16);
	put_u16(out, number & 0xffff);
}

static void put_name(struct buf *out, struct slice name)
{
	if (slice_last(name) == '.')
		name = slice_take(name, name.len - 1);
	while (name.len != 0) {
		const struct slice label = slice_until(&name, '.');
		buf_put_byte(out, (uint8_t)label.len);
		buf_put(out, label);
	}
	buf_put_byte(out, 0);
}

static void put_data(struct buf *out, const struct fake_dns_record *record)
{
	struct slice       data = slice_str(record->data);
	struct net_address address;

	switch (record->type) {
	case 1:
	case 28:
		must(net_address_parse(data, &address) == RC_OK);
		buf_put(out, slice_of(address.bytes, record->type == 1 ? 4 : 16));
		break;
	case 15:
		put_u16(out, (unsigned)strtoul(record->data, NULL, 10));
		(void)slice_until(&data, ' ');
		put_name(out, data);
		break;
	case 16:
		for (size_t at = 0; at == 0 || at < data.len; at += 255) {
			const struct slice part = slice_cut(data, at, 255);
			buf_put_byte(out, (uint8_t)part.len);
			buf_put(out, part);
		}
		break;
	default:
		put_name(out, data);
		break;
	}
}

static void put_record(struct buf *out, const struct fake_dns_record *record, struct slice owner)
{
	struct buf data = buf_make(MESSAGE_MAX);

	put_name(out, owner);
	put_u16(out, record->type);
	put_u16(out, 1);
	put_u32(out, record->ttl_s);
	put_data(&data, record);
	put_u16(out, (unsigned)data.len);
	buf_put(out, buf_slice(&data));
	buf_done(&data);
}

static bool is_below(struct slice name, struct slice zone)
{
	return slice_eq_nocase(name, zone) ||
	       (slice_ends_nocase(name, zone) && slice_at(name, name.len - zone.len - 1) == '.');
}

/* The answer records; returns how many, and whether the name exists at all. */
static unsigned put_answers(const struct fake_dns *server, struct buf *out, struct slice name, unsigned type,
                            bool *exists)
{
	unsigned count = 0;

	for (unsigned hop = 0; hop < 8; hop++) {
		const struct fake_dns_record *alias = NULL;
		for (const struct fake_dns_record *record = server->records; record->name != NULL; record++) {
			const struct slice owner = slice_str(record->name);
			*exists = *exists || is_below(owner, name);
			if (!slice_eq_nocase(owner, name))
				continue;
			if (record->type == type) {
				put_record(out, record, name);
				count++;
			} else if (record->type == TYPE_CNAME) {
				alias = record;
			}
		}
		if (alias == NULL)
			break;
		put_record(out, alias, name);
		count++;
		name = slice_str(alias->data);
	}
	return count;
}

/* `rcode` with the question; with `answers` also what the zone says. */
static void compose(const struct fake_dns *server, struct buf *out, struct slice question, struct slice name,
                    unsigned type, unsigned rcode, bool truncated, bool answers)
{
	struct buf records = buf_make(MESSAGE_MAX - 600);
	bool       exists = false;
	unsigned   count = 0;

	if (answers)
		count = put_answers(server, &records, name, type, &exists);
	if (answers && !exists)
		rcode = 3;
	buf_put(out, slice_take(question, 2));
	put_u16(out, 0x8580u | (truncated ? 0x0200u : 0) | rcode);
	put_u16(out, 1);
	put_u16(out, count);
	put_u16(out, answers && count == 0);
	put_u16(out, 0);
	put_name(out, name);
	put_u16(out, type);
	put_u16(out, 1);
	buf_put(out, buf_slice(&records));
	if (answers && count == 0) { /* RFC 2308: how long there is nothing */
		put_name(out, SLICE("test"));
		put_u16(out, TYPE_SOA);
		put_u16(out, 1);
		put_u32(out, 60);
		put_u16(out, 22);
		put_name(out, SLICE(""));
		put_name(out, SLICE(""));
		for (unsigned field = 0; field < 5; field++)
			put_u32(out, 60);
	}
	must(!out->failed);
	buf_done(&records);
}

static void note(struct fake_dns *server, struct slice name)
{
	must(pthread_mutex_lock(&server->lock) == 0);
	must(server->asked_count < ASKED_MAX);
	(void)slice_to_cstr(name, server->asked[server->asked_count++], 256);
	must(pthread_mutex_unlock(&server->lock) == 0);
}

static void release(struct fake_dns *server)
{
	for (unsigned index = 0; index < server->slow_count; index++) {
		struct slow *slow = &server->slow[index];
		(void)sendto(server->udp, slow->answer.ptr, slow->answer.len, 0, (struct sockaddr *)&slow->peer,
		             slow->peer_size);
		buf_done(&slow->answer);
	}
	server->slow_count = 0;
}

/* Read a question and write its answer; false: no answer now. */
static bool handle(struct fake_dns *server, struct slice question, bool by_tcp, struct buf *out, bool *slow)
{
	char         text[256] = "";
	size_t       used = 0;
	struct slice rest = slice_drop(question, 12);

	while (rest.len > 1 && rest.ptr[0] != 0) {
		const struct slice label = slice_cut(rest, 1, rest.ptr[0]);
		must(used + label.len + 2 < sizeof text);
		if (used != 0)
			text[used++] = '.';
		memcpy(text + used, label.ptr, label.len);
		used += label.len;
		rest = slice_drop(rest, label.len + 1);
	}
	if (rest.len < 5)
		return false;
	const unsigned       type = (unsigned)rest.ptr[1] << 8 | rest.ptr[2];
	const struct slice   name = slice_of(text, used);
	enum fake_dns_manner manner = FAKE_DNS_ANSWERS;
	note(server, name);
	for (const struct fake_dns_rule *rule = server->rules; rule->name != NULL; rule++) {
		if (is_below(name, slice_str(rule->name)))
			manner = rule->manner;
	}
	if (slice_eq_nocase(name, SLICE(FAKE_DNS_RELEASE))) {
		release(server);
		manner = FAKE_DNS_SERVFAIL;
	}
	switch (manner) {
	case FAKE_DNS_SILENT:
		return false;
	case FAKE_DNS_SERVFAIL:
		compose(server, out, question, name, type, 2, false, false);
		return true;
	case FAKE_DNS_REFUSED:
		compose(server, out, question, name, type, 5, false, false);
		return true;
	case FAKE_DNS_TRUNCATES:
		compose(server, out, question, name, type, 0, !by_tcp, by_tcp);
		return true;
	case FAKE_DNS_OTHER_NAME:
		compose(server, out, question, SLICE("other.example.test"), type, 0, false, true);
		return true;
	case FAKE_DNS_GARBAGE:
		buf_put(out, slice_take(question, 2));
		buf_put(out, SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff rubbish"));
		return true;
	case FAKE_DNS_SLOW:
	case FAKE_DNS_ANSWERS:
		compose(server, out, question, name, type, 0, false, true);
		*slow = manner == FAKE_DNS_SLOW && !by_tcp;
		return true;
	}
	return false;
}

static void serve_udp(struct fake_dns *server)
{
	static _Thread_local uint8_t bytes[MESSAGE_MAX];
	struct sockaddr_storage      peer;
	socklen_t                    peer_size = sizeof peer;
	bool                         slow = false;
	struct buf                   out = buf_make(MESSAGE_MAX);

	const ssize_t count = recvfrom(server->udp, bytes, sizeof bytes, 0, (struct sockaddr *)&peer, &peer_size);
	if (count > 12 && handle(server, slice_of(bytes, (size_t)count), false, &out, &slow)) {
		if (slow && server->slow_count < SLOW_MAX) {
			server->slow[server->slow_count++] = (struct slow){ peer, peer_size, out };
			return;
		}
		(void)sendto(server->udp, out.ptr, out.len, 0, (struct sockaddr *)&peer, peer_size);
	}
	buf_done(&out);
}

/* One question of a connection, waited for: enough for tests. */
static void serve_tcp(struct fake_dns *server)
{
	static _Thread_local uint8_t bytes[MESSAGE_MAX + 2];
	struct timeval               patience = { .tv_sec = 2 };
	size_t                       have = 0;
	bool                         slow = false;
	struct buf                   out = buf_make(MESSAGE_MAX), framed = buf_make(MESSAGE_MAX + 2);

	const int fd = accept4(server->tcp, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	while (have < 2 || have < 2 + ((size_t)bytes[0] << 8 | bytes[1])) {
		const ssize_t count = recv(fd, bytes + have, sizeof bytes - have, 0);
		if (count <= 0)
			break;
		have += (size_t)count;
	}
	if (have > 14 && handle(server, slice_of(bytes + 2, have - 2), true, &out, &slow)) {
		put_u16(&framed, (unsigned)out.len);
		buf_put(&framed, buf_slice(&out));
		(void)send(fd, framed.ptr, framed.len, MSG_NOSIGNAL);
	}
	(void)close(fd);
	buf_done(&out);
	buf_done(&framed);
}

static void *serve(void *argument)
{
	struct fake_dns *server = argument;

	for (;;) {
		struct pollfd fds[3] = { { server->udp, POLLIN, 0 },
			                 { server->tcp, POLLIN, 0 },
			                 { server->stop[0], POLLIN, 0 } };
		if (poll(fds, 3, -1) < 0)
			continue;
		if (fds[2].revents != 0)
			return NULL;
		if (fds[0].revents != 0)
			serve_udp(server);
		if (fds[1].revents != 0)
			serve_tcp(server);
	}
}

struct fake_dns *fake_dns_start(const struct fake_dns_record *records, const struct fake_dns_rule *rules)
{
	struct fake_dns        *server = calloc(1, sizeof *server);
	struct net_address      any;
	struct sockaddr_storage address;

	must(server != NULL);
	server->records = records;
	server->rules = rules;
	must(pthread_mutex_init(&server->lock, NULL) == 0);
	must(net_address_parse(SLICE("127.0.0.1"), &any) == RC_OK);
	/* A port that is free for both. */
	for (unsigned attempt = 0;; attempt++) {
		must(attempt < 20);
		server->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		must(server->udp >= 0);
		socklen_t size = net_address_sockaddr(&any, &address);
		must(bind(server->udp, (struct sockaddr *)&address, size) == 0);
		must(net_socket_local(server->udp, &server->address) == RC_OK);
		if (net_listen(&server->address, 16, &server->tcp, NULL) == RC_OK)
			break;
		(void)close(server->udp);
	}
	must(pipe(server->stop) == 0);
	must(pthread_create(&server->thread, NULL, serve, server) == 0);
	return server;
}

void fake_dns_stop(struct fake_dns **pointer)
{
	struct fake_dns *server = *pointer;

	*pointer = NULL;
	if (server == NULL)
		return;
	must(write(server->stop[1], "x", 1) == 1);
	must(pthread_join(server->thread, NULL) == 0);
	release(server);
	(void)close(server->udp);
	(void)close(server->tcp);
	(void)close(server->stop[0]);
	(void)close(server->stop[1]);
	(void)pthread_mutex_destroy(&server->lock);
	free(server);
}

struct net_address fake_dns_address(const struct fake_dns *server)
{
	return server->address;
}

unsigned fake_dns_asked(struct fake_dns *server, const char *name)
{
	unsigned count = 0;

	must(pthread_mutex_lock(&server->lock) == 0);
	for (unsigned index = 0; index < server->asked_count; index++)
		count += slice_eq_nocase(slice_str(server->asked[index]), slice_str(name));
	must(pthread_mutex_unlock(&server->lock) == 0);
	return count;
}
