/* The one page over HTTP: what it answers, to whom it says no, and that nobody's bad request keeps it from the next. */
#include "records/metrics.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define COUNT(table) (sizeof (table) / sizeof *(table))
#define WAIT_S 30
#define LONG 20000u /* more than a connection's memory */

static struct counters_page *pages, *before;
static struct metrics       *server;
static struct sockaddr_in    place;

/* The page's server, on a port of its own, with one number to be recognised by. */
static int start(void **state)
{
	socklen_t size = sizeof place;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	place = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (struct sockaddr *)&place, sizeof place), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&place, &size), 0);
	before = counters_mine;
	assert_int_equal(counters_make(2, &pages), RC_OK);
	counters_use(&pages[1]);
	counter_add(COUNT_SESSIONS, 42);
	assert_int_equal(metrics_open(fd, pages, 2, &server), RC_OK);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	metrics_close(&server);
	assert_null(server);
	counters_use(before);
	return 0;
}

static int dial(void)
{
	const struct timeval wait = { .tv_sec = WAIT_S };
	const int            fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&place, sizeof place), 0);
	return fd;
}

/* Say it, and read to the end of the connection; some servers are gone before all was said. `whole`: and that this was all. */
static void converse(struct slice request, bool whole, struct buf *out)
{
	const int fd = dial();

	buf_clear(out);
	for (struct slice rest = request; rest.len != 0;) {
		const ssize_t sent = send(fd, rest.ptr, rest.len, MSG_NOSIGNAL);
		if (sent <= 0)
			break;
		rest = slice_drop(rest, (size_t)sent);
	}
	if (whole)
		(void)shutdown(fd, SHUT_WR);
	for (;;) {
		uint8_t       room[4096];
		const ssize_t got = recv(fd, room, sizeof room, 0);
		if (got <= 0)
			break;
		buf_put(out, slice_of(room, (size_t)got));
	}
	assert_false(out->failed);
	(void)close(fd);
}

static void ask(struct slice request, struct buf *out)
{
	converse(request, true, out);
}

/* 0: the connection was ended without a word. */
static unsigned code_of(const struct buf *answer)
{
	unsigned code = 0;

	if (!slice_starts(buf_slice(answer), SLICE("HTTP/1.")))
		return 0;
	for (size_t i = 9; i < 12; i++)
		code = code * 10 + (unsigned)(slice_at(buf_slice(answer), i) - '0');
	return code;
}

static bool says(const struct buf *answer, const char *text)
{
	return slice_search(buf_slice(answer), slice_str(text)) < answer->len;
}

#define GOOD "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

static void assert_serves(void)
{
	struct buf answer = buf_make(METRICS_BYTES_MAX);

	ask(SLICE(GOOD), &answer);
	assert_int_equal(code_of(&answer), 200);
	assert_true(says(&answer, "Content-Type: text/plain; version=0.0.4"));
	assert_true(says(&answer, "\nhangu_sessions_total 42\n"));
	buf_done(&answer);
}

struct row {
	const char  *name;
	struct slice request;
	unsigned     code; /* 0: any refusal, and be it the end of the connection */
};

#define ROW(name, text, code) { name, SLICE_INIT(text), code }
#define TAIL " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

static const struct row rows[] = {
	ROW("the page", "GET /metrics" TAIL, 200),
	ROW("an old client", "GET /metrics HTTP/1.0\r\n\r\n", 200),
	ROW("a question behind it", "GET /metrics?name=x" TAIL, 200),
	ROW("its head", "HEAD /metrics" TAIL, 200),
	ROW("no page", "GET /" TAIL, 404),
	ROW("a page below", "GET /metrics/" TAIL, 404),
	ROW("a longer name", "GET /metricsx" TAIL, 404),
	ROW("other letters", "GET /Metrics" TAIL, 404),
	ROW("a way out", "GET /metrics/../../etc/passwd" TAIL, 404),
	ROW("escaped letters", "GET /%6detrics" TAIL, 200),
	ROW("an escaped NUL, where the name ends", "GET /metrics%00/x" TAIL, 200),
	ROW("an escaped NUL within", "GET /met%00rics" TAIL, 404),
	ROW("a full address", "GET http://localhost/metrics" TAIL, 404),
	ROW("another method", "DELETE /metrics" TAIL, 405),
	ROW("a method nobody knows", "BREW /metrics" TAIL, 405),
	ROW("methods are words in capitals", "get /metrics" TAIL, 405),
	ROW("something is brought", "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", 405),
	ROW("nothing is brought", "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 405),
	ROW("chunks are brought",
	    "PUT /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 405),
	ROW("less is brought than was said", "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\nhello", 405),
	ROW("no HTTP", "nonsense\r\n\r\n", 0),
	ROW("another version", "GET /metrics HTTP/9.9\r\n\r\n", 0),
	ROW("no host", "GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n", 200),
	ROW("a length that is none", "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 0),
	ROW("a length beyond all", "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999\r\n\r\n", 0),
	ROW("a NUL", "GET /met\0rics HTTP/1.1\r\nHost: localhost\r\n\r\n", 0),
	ROW("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 0),
	ROW("SMTP", "EHLO x\r\nMAIL FROM:<a@example.org>\r\n", 0),
	ROW("nothing", "", 0),
};

static void every_request_has_its_answer(void **state)
{
	struct buf answer = buf_make(METRICS_BYTES_MAX);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		print_message("%s\n", rows[i].name);
		ask(rows[i].request, &answer);
		const unsigned code = code_of(&answer);
		if (rows[i].code != 0)
			assert_int_equal(code, rows[i].code);
		else
			assert_true(code == 0 || code >= 400);
		/* The numbers are for those alone who asked for the page. */
		const bool page = rows[i].code == 200 && slice_starts(rows[i].request, SLICE("GET"));
		assert_int_equal(says(&answer, "hangu_sessions_total"), page);
		assert_serves();
	}
	buf_done(&answer);
}

/* Several requests at once: the first is answered and the connection ended; what came behind it is read by nobody. */
static void requests_behind_each_other_get_one_answer(void **state)
{
	static const char *const behind[] = { GOOD, ("GET /other" TAIL), "nonsense\r\n\r\n", "POST /metrics HTTP/1.1\r\nContent-Length: 9\r\n\r\nGET /metr" };
	struct buf answer = buf_make(METRICS_BYTES_MAX), request = buf_make(4096);

	(void)state;
	for (size_t i = 0; i < COUNT(behind); i++) {
		buf_clear(&request);
		buf_put_str(&request, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
		buf_put_str(&request, behind[i]);
		converse(buf_slice(&request), false, &answer);
		assert_int_equal(code_of(&answer), 200);
		assert_true(says(&answer, "Connection: close"));
		assert_int_equal(slice_search(slice_drop(buf_slice(&answer), 1), SLICE("HTTP/1.1 ")), answer.len - 1);
		assert_serves();
	}
	buf_done(&answer);
	buf_done(&request);
}

/* Longer than the memory of a connection: the line, one field, many fields. */
static void what_is_too_long_is_refused(void **state)
{
	struct buf answer = buf_make(METRICS_BYTES_MAX), request = buf_make(2 * LONG);

	(void)state;
	for (unsigned kind = 0; kind < 3; kind++) {
		buf_clear(&request);
		buf_put_str(&request, kind == 0 ? "GET /metrics?" : "GET /metrics HTTP/1.1\r\nHost: localhost\r\n");
		buf_put_str(&request, kind == 1 ? "X-Long: " : "");
		while (request.len < LONG)
			buf_put_str(&request, kind == 2 ? "X: y\r\n" : "x");
		buf_put_str(&request, kind == 0 ? TAIL : "\r\n\r\n");
		assert_false(request.failed);
		ask(buf_slice(&request), &answer);
		const unsigned code = code_of(&answer);
		assert_true(code == 0 || (code >= 400 && code < 600));
		assert_false(says(&answer, "hangu_sessions_total"));
		assert_serves();
	}
	buf_done(&answer);
	buf_done(&request);
}

static void say(int fd, struct slice text)
{
	assert_int_equal(send(fd, text.ptr, text.len, MSG_NOSIGNAL), text.len);
}

/* N clients that are slow with their requests are all heard; the one behind them waits until the first has gone, and is served then. */
static void connections_are_counted(void **state)
{
	const struct slice request = SLICE(GOOD), half = slice_take(request, 20), rest = slice_drop(request, 20);
	int                fds[METRICS_CONNECTIONS_MAX];
	uint8_t            byte;

	(void)state;
	for (size_t i = 0; i < COUNT(fds); i++) {
		fds[i] = dial();
		say(fds[i], half);
	}
	const int more = dial();
	say(more, request);
	assert_int_equal(recv(more, &byte, 1, MSG_DONTWAIT), -1);
	for (size_t i = 0; i < COUNT(fds); i++) {
		say(fds[i], rest);
		assert_int_equal(recv(fds[i], &byte, 1, 0), 1);
		(void)close(fds[i]);
		if (i == 0)
			assert_int_equal(recv(more, &byte, 1, 0), 1);
	}
	(void)close(more);
	assert_serves();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_request_has_its_answer),
		cmocka_unit_test(requests_behind_each_other_get_one_answer),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(connections_are_counted),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
