/* `hangu queue`: list, count, and act on recipients that match a filter. */
#include "tools/tool.h"

#include "base/arena.h"
#include "deliver/queue_wire.h"
#include "sys/clock.h"
#include "sys/ipc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 60000u
#define ARENA_BYTES ((size_t)1 << 20)

struct session {
	const struct tool_options *options;
	int                        socket;
	uint8_t                    room[QUEUE_WIRE_ANSWER_MAX];
	struct arena               arena;
	size_t                     rows;
	uint64_t                   changed, busy, matched;
};

/* ---- words of the command line ---- */

static bool read_state(const char *word, uint32_t *states)
{
	for (unsigned state = 0; state < QUEUE_STATE_COUNT; state++) {
		if (strcmp(word, queue_state_word((enum queue_state)state)) == 0) {
			*states |= 1u << state;
			return true;
		}
	}
	return false;
}

/* A value that does not fit, told. Always false. */
static bool wrong(const char *option, const char *value, const char *expected)
{
	(void)tool_complain(0, "%s %s: expected %s", option, value, expected);
	return false;
}

/* One option and its value into the filter. False: told what is wrong. */
static bool read_option(const char *name, const char *value, struct queue_wire_request *request)
{
	struct queue_filter *filter = &request->filter;
	const struct {
		const char   *name;
		struct slice *to;
	} texts[] = {
		{ "--to", &filter->recipient },      { "--domain", &filter->domain },           { "--from", &filter->sender },
		{ "--cause", &filter->cause },       { "--destination", &filter->destination }, { "--reason", &request->reason },
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (strcmp(name, texts[i].name) == 0) {
			*texts[i].to = slice_str(value);
			return true;
		}
	}
	if (strcmp(name, "--id") == 0)
		return event_id_read(slice_str(value), &filter->id) == RC_OK || wrong(name, value, "an id of 13 characters");
	if (strcmp(name, "--state") == 0)
		return read_state(value, &filter->states) || wrong(name, value, "due, sending, deferred, uncertain or held");
	if (strcmp(name, "--older") == 0)
		return tool_read_age(value, &filter->older_ms) || wrong(name, value, "an age such as 90s, 5m, 2h or 3d");
	if (strcmp(name, "--younger") == 0)
		return tool_read_age(value, &filter->younger_ms) || wrong(name, value, "an age such as 90s, 5m, 2h or 3d");
	return wrong("queue", name, "list, summary, destinations, an act or a filter; `hangu help queue` lists them");
}

static bool read_filter(int argc, char **argv, int at, struct queue_wire_request *request)
{
	for (; at < argc; at++) {
		if (strcmp(argv[at], "--quarantined") == 0) {
			request->filter.quarantined = true;
		} else if (strncmp(argv[at], "--", 2) != 0) {
			if (event_id_read(slice_str(argv[at]), &request->filter.id) != RC_OK)
				return wrong("queue", argv[at], "an id of 13 characters, or an act or filter; `hangu help queue` lists them");
		} else if (at + 1 == argc) {
			return wrong(argv[at], "", "a value behind it, or another filter; `hangu help queue` lists them");
		} else if (!read_option(argv[at], argv[at + 1], request)) {
			return false;
		} else {
			at++;
		}
	}
	return true;
}

static bool any_filter(const struct queue_filter *filter)
{
	return filter->id != 0 || filter->states != 0 || filter->destination.len != 0 || filter->domain.len != 0 ||
	       filter->recipient.len != 0 || filter->sender.len != 0 || filter->cause.len != 0 || filter->older_ms != 0 ||
	       filter->younger_ms != 0 || filter->quarantined;
}

/* ---- printing ---- */

static void print_row_json(const struct queue_wire_row *row)
{
	(void)fputs("{\"id\":\"", stdout);
	tool_print_id(row->id);
	(void)printf("\",\"recipient\":%u,\"state\":\"%s\",\"quarantined\":%s,\"attempts\":%u,\"code\":%u,\"received_ms\":%lld,"
	             "\"due_ms\":%lld,\"bytes\":%llu,\"sender\":",
	             row->recipient, queue_state_word((enum queue_state)row->state), row->quarantined ? "true" : "false", row->attempts,
	             row->code, (long long)row->received_ms, (long long)row->due_ms, (unsigned long long)row->bytes);
	tool_print_json(row->sender);
	(void)fputs(",\"address\":", stdout);
	tool_print_json(row->address);
	(void)fputs(",\"destination\":", stdout);
	tool_print_json(row->destination);
	(void)fputs(",\"host\":", stdout);
	tool_print_json(row->host);
	(void)fputs(",\"text\":", stdout);
	tool_print_json(row->text);
	(void)fputs("}\n", stdout);
}

static void print_row(const struct queue_wire_row *row, int64_t now_ms)
{
	tool_print_id(row->id);
	(void)printf("  %-9s ", row->quarantined ? "quarantine" : queue_state_word((enum queue_state)row->state));
	tool_print_age(now_ms - row->received_ms);
	(void)printf("  %llu bytes  <", (unsigned long long)row->bytes);
	tool_print_text(row->sender, 100);
	(void)fputs("> -> <", stdout);
	tool_print_text(row->address, 100);
	(void)fputs(">\n", stdout);
	if (row->text.len == 0 && row->due_ms == 0)
		return;
	(void)fputs("               ", stdout);
	/* What is held is not tried: its time is that of its end. */
	if (row->due_ms != 0) {
		(void)printf("tried %u times, %s in ", row->attempts, row->state == QUEUE_HELD ? "given up" : "next");
		tool_print_age(row->due_ms > now_ms ? row->due_ms - now_ms : 0);
		(void)fputs("  ", stdout);
	}
	tool_print_text(row->host, 100);
	(void)printf("%s%.0u%s", row->host.len != 0 ? ": " : "", row->code, row->code != 0 ? " " : "");
	tool_print_text(row->text, 200);
	(void)putchar('\n');
}

static void print_destination(const struct queue_wire_destination *destination, int64_t now_ms)
{
	tool_print_text(destination->key, 100);
	(void)printf("  %llu waiting, %llu ready, %u of %u connections", (unsigned long long)destination->recipients,
	             (unsigned long long)destination->ready, destination->connections, destination->window);
	if (destination->paused) {
		(void)fputs(", left alone for ", stdout);
		tool_print_age(destination->paused_until_ms - now_ms);
	}
	if (destination->trouble.len != 0) {
		(void)fputs(": ", stdout);
		tool_print_text(destination->trouble, 200);
	}
	(void)putchar('\n');
}

static void print_counts(const struct tool_options *options, const struct queue_counts *counts)
{
	if (options->json) {
		(void)printf("{\"messages\":%llu,\"bytes\":%llu", (unsigned long long)counts->messages, (unsigned long long)counts->body_bytes);
		for (unsigned state = 0; state < QUEUE_DELIVERED; state++)
			(void)printf(",\"%s\":%llu", queue_state_word((enum queue_state)state), (unsigned long long)counts->recipients[state]);
		(void)fputs("}\n", stdout);
		return;
	}
	(void)printf("queue     %llu messages, %llu bytes\n", (unsigned long long)counts->messages, (unsigned long long)counts->body_bytes);
	for (unsigned state = 0; state < QUEUE_DELIVERED; state++)
		(void)printf("          %llu recipients %s\n", (unsigned long long)counts->recipients[state],
		             queue_state_word((enum queue_state)state));
}

/* ---- asking ---- */

static enum rc ask(struct session *session, const struct queue_wire_request *request, struct queue_wire_answer *out)
{
	struct buf       frame = buf_make(QUEUE_WIRE_REQUEST_MAX);
	struct ipc_frame answer;

	queue_wire_request_put(&frame, request);
	enum rc rc = frame.failed ? RC_LIMIT : ipc_send(session->socket, buf_slice(&frame), NULL, 0);
	buf_done(&frame);
	if (rc == RC_OK)
		rc = ipc_wait(session->socket, 0, WAIT_MS);
	if (rc == RC_OK)
		rc = ipc_receive(session->socket, session->room, sizeof session->room, 0, &answer);
	arena_reset(&session->arena);
	if (rc == RC_OK)
		rc = queue_wire_answer_read(answer.bytes, &session->arena, out);
	return rc == RC_OK ? out->rc : rc;
}

static void show(struct session *session, const struct queue_wire_answer *answer)
{
	const int64_t now_ms = (int64_t)clock_wall_ms();

	for (size_t i = 0; i < answer->count; i++) {
		if (answer->kind == QUEUE_WIRE_DESTINATIONS)
			print_destination(&answer->destinations[i], now_ms);
		else if (session->options->json)
			print_row_json(&answer->rows[i]);
		else
			print_row(&answer->rows[i], now_ms);
	}
	if (answer->kind == QUEUE_WIRE_SUMMARY)
		print_counts(session->options, &answer->counts);
	session->rows += answer->count;
	session->matched += answer->matched;
	session->changed += answer->changed;
	session->busy += answer->busy;
}

static void print_act(const struct session *session, const char *verb)
{
	if (session->matched == 0)
		(void)printf("%s: nothing matches, or it has come to that already\n", verb);
	else
		(void)printf("%s: %llu of %llu recipients that match\n", verb, (unsigned long long)session->changed, (unsigned long long)session->matched);
	if (session->busy != 0)
		(void)printf("%llu are being sent just now: ask again\n", (unsigned long long)session->busy);
}

static int converse(struct session *session, struct queue_wire_request *request)
{
	struct queue_wire_answer answer;

	do {
		const enum rc rc = ask(session, request, &answer);
		if (rc == RC_NOTFOUND && request->route.len != 0)
			return tool_complain(TOOL_REFUSED, "there is no [route %.*s]", (int)request->route.len, (const char *)request->route.ptr);
		if (rc != RC_OK)
			return tool_complain(rc == RC_CLOSED || rc == RC_TIMEOUT ? TOOL_SILENT : TOOL_REFUSED, "the gate answers: %s", rc_word(rc));
		show(session, &answer);
		request->after = answer.after;
	} while (answer.after != 0);
	if (request->kind == QUEUE_WIRE_ACT)
		print_act(session, event_verb_word(request->verb));
	else if (request->kind == QUEUE_WIRE_LIST && session->rows == 0 && !session->options->json)
		(void)puts("nothing matches");
	/* On the other channel, so that rows stay rows for whoever reads them. */
	if (request->kind == QUEUE_WIRE_LIST && session->matched > session->rows)
		(void)fprintf(stderr, "%llu more recipients match: a message with so many is shown in part; --domain, --to or --state narrow it\n",
		              (unsigned long long)(session->matched - session->rows));
	return request->kind == QUEUE_WIRE_ACT && session->changed == 0 ? TOOL_REFUSED : TOOL_DONE;
}

static bool read_what(const char *word, struct queue_wire_request *request)
{
	static const struct {
		const char          *word;
		enum queue_wire_kind kind;
	} kinds[] = { { "list", QUEUE_WIRE_LIST }, { "summary", QUEUE_WIRE_SUMMARY }, { "destinations", QUEUE_WIRE_DESTINATIONS } };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(word, kinds[i].word) == 0) {
			request->kind = kinds[i].kind;
			return true;
		}
	}
	for (unsigned verb = 0; verb < VERB_COUNT; verb++) {
		if (strcmp(word, event_verb_word((enum event_verb)verb)) == 0) {
			request->kind = QUEUE_WIRE_ACT;
			request->verb = (enum event_verb)verb;
			return true;
		}
	}
	return false;
}

int tool_queue(const struct tool_options *options, int argc, char **argv)
{
	static struct session     session;
	struct queue_wire_request request = { .kind = QUEUE_WIRE_LIST, .max = QUEUE_WIRE_ROWS_MAX };
	int                       at = 1;

	session = (struct session){ .options = options };
	if (at < argc && read_what(argv[at], &request))
		at++;
	if (request.kind == QUEUE_WIRE_ACT && request.verb == VERB_REROUTE) {
		if (at == argc)
			return tool_usage("queue");
		request.route = slice_str(argv[at++]);
	}
	if (!read_filter(argc, argv, at, &request))
		return TOOL_USAGE;
	if (request.kind == QUEUE_WIRE_ACT && !any_filter(&request.filter))
		return tool_complain(TOOL_USAGE, "an act needs a filter: which messages?");
	const int code = tool_connect(options, "control.sock", &session.socket);
	if (code != TOOL_DONE)
		return code;
	if (arena_init(&session.arena, ARENA_BYTES) != RC_OK)
		return tool_complain(TOOL_REFUSED, "no memory");
	const int end = converse(&session, &request);
	arena_done(&session.arena);
	(void)close(session.socket);
	return end;
}
