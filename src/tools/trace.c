/* `hangu trace`: where a message is and why. */
#include "tools/tool.h"

#include "base/arena.h"
#include "base/num.h"
#include "records/trace_wire.h"
#include "sys/ipc.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 60000u
#define LIMIT_STANDARD 20u

/* ---- a message for people ---- */

static void line(const char *label, struct slice text)
{
	if (text.len == 0)
		return;
	(void)printf("  %-10s ", label);
	tool_print_text(text, 300);
	(void)putchar('\n');
}

static void print_head(const struct event_message *message)
{
	tool_print_id(message->id);
	(void)fputs("  ", stdout);
	tool_print_time(message->received_ms);
	(void)printf("  %s  %llu bytes  <", direction_word(message->direction), (unsigned long long)message->body_size);
	tool_print_text(message->sender, 200);
	(void)fputs(">\n", stdout);
	line("subject", message->subject);
	line("author", message->author);
	line("message-id", message->message_id);
	line("peer", message->peer);
	line("name", message->peer_name);
	line("helo", message->helo);
	line("tls", message->tls);
	line("account", message->account);
	line("listener", message->listener);
	(void)printf("  %-10s ", "verdict");
	tool_print_text(message->verdict, 100);
	(void)printf(" (%d.%d)", message->score / 1000, (message->score < 0 ? -message->score : message->score) % 1000 / 100);
	if (message->verdict_reason.len != 0) {
		(void)fputs(" because of ", stdout);
		tool_print_text(message->verdict_reason, 200);
	}
	(void)putchar('\n');
	if (message->parent != 0) {
		(void)fputs("  notice about ", stdout);
		tool_print_id(message->parent);
		(void)putchar('\n');
	}
}

static void print_recipient(const struct store_recipient *recipient)
{
	(void)fputs("  -> <", stdout);
	tool_print_text(recipient->address, 200);
	(void)fputs("> ", stdout);
	tool_print_text(recipient->state, 100);
	if (recipient->reason.len != 0) {
		(void)fputs(" (", stdout);
		tool_print_text(recipient->reason, 200);
		(void)putchar(')');
	}
	if (recipient->next_ms != 0) {
		(void)fputs(", next try ", stdout);
		tool_print_time(recipient->next_ms);
	}
	(void)putchar('\n');
}

static void print_step(const struct store_step *step)
{
	(void)fputs("     ", stdout);
	tool_print_time(step->at_ms);
	(void)fputs("  ", stdout);
	tool_print_text(step->what, 40);
	if (step->who.len != 0) {
		(void)fputs("  ", stdout);
		tool_print_text(step->who, 200);
	}
	if (step->code != 0)
		(void)printf("  %u", step->code);
	if (step->text.len != 0) {
		(void)fputs("  ", stdout);
		tool_print_text(step->text, 300);
	}
	(void)putchar('\n');
}

static void print_trace(const struct store_trace *trace)
{
	print_head(&trace->message);
	for (size_t i = 0; i < trace->recipient_count; i++)
		print_recipient(&trace->recipients[i]);
	if (trace->recipient_count < trace->message.recipient_count)
		(void)printf("  -> and %zu more\n", trace->message.recipient_count - trace->recipient_count);
	for (size_t i = 0; i < trace->step_count; i++)
		print_step(&trace->steps[i]);
	(void)putchar('\n');
}

static void print_refusal(const struct store_refusal *refusal)
{
	const struct event_refused *refused = &refusal->refused;

	tool_print_time(refused->at_ms);
	(void)printf("  refused at %s  ", event_stage_word(refused->stage));
	tool_print_text(refused->peer, 60);
	(void)fputs("  <", stdout);
	tool_print_text(refused->sender, 200);
	(void)fputs("> -> <", stdout);
	tool_print_text(refused->recipient, 200);
	(void)printf(">  %u ", refused->code);
	tool_print_text(refused->enhanced, 20);
	(void)putchar(' ');
	tool_print_text(refused->text, 300);
	(void)fputs(" [", stdout);
	tool_print_text(refused->reason, 60);
	(void)fputs("]\n", stdout);
}

/* ---- and for programs ---- */

static void field(const char *name, struct slice text, bool first)
{
	(void)printf("%s\"%s\":", first ? "" : ",", name);
	tool_print_json(text);
}

static void print_trace_json(const struct store_trace *trace)
{
	const struct event_message *message = &trace->message;

	(void)fputs("{\"id\":\"", stdout);
	tool_print_id(message->id);
	(void)printf("\",\"received_ms\":%lld,\"direction\":\"%s\",\"bytes\":%llu,\"score\":%d", (long long)message->received_ms,
	             direction_word(message->direction), (unsigned long long)message->body_size, message->score);
	field("sender", message->sender, false);
	field("subject", message->subject, false);
	field("author", message->author, false);
	field("message_id", message->message_id, false);
	field("peer", message->peer, false);
	field("peer_name", message->peer_name, false);
	field("helo", message->helo, false);
	field("tls", message->tls, false);
	field("account", message->account, false);
	field("listener", message->listener, false);
	field("verdict", message->verdict, false);
	field("reason", message->verdict_reason, false);
	(void)fputs(",\"recipients\":[", stdout);
	for (size_t i = 0; i < trace->recipient_count; i++) {
		(void)fputs(i == 0 ? "{" : ",{", stdout);
		field("address", trace->recipients[i].address, true);
		field("state", trace->recipients[i].state, false);
		field("reason", trace->recipients[i].reason, false);
		field("host", trace->recipients[i].host, false);
		field("text", trace->recipients[i].text, false);
		(void)printf(",\"code\":%u,\"next_ms\":%lld}", trace->recipients[i].code, (long long)trace->recipients[i].next_ms);
	}
	(void)fputs("],\"steps\":[", stdout);
	for (size_t i = 0; i < trace->step_count; i++) {
		(void)printf("%s{\"seq\":%llu,\"at_ms\":%lld,\"code\":%u", i == 0 ? "" : ",", (unsigned long long)trace->steps[i].seq,
		             (long long)trace->steps[i].at_ms, trace->steps[i].code);
		field("what", trace->steps[i].what, false);
		field("who", trace->steps[i].who, false);
		field("text", trace->steps[i].text, false);
		(void)putchar('}');
	}
	(void)fputs("]}\n", stdout);
}

static void print_refusal_json(const struct store_refusal *refusal)
{
	const struct event_refused *refused = &refusal->refused;

	(void)printf("{\"at_ms\":%lld,\"stage\":\"%s\",\"code\":%u", (long long)refused->at_ms, event_stage_word(refused->stage),
	             refused->code);
	field("peer", refused->peer, false);
	field("helo", refused->helo, false);
	field("sender", refused->sender, false);
	field("recipient", refused->recipient, false);
	field("text", refused->text, false);
	field("reason", refused->reason, false);
	(void)fputs("}\n", stdout);
}

/* ---- the question ---- */

/* A value that does not fit, told. Always false. */
static bool wrong(const char *option, const char *value, const char *expected)
{
	(void)tool_complain(0, "%s %s: expected %s", option, value, expected);
	return false;
}

static bool read_value(const char *option, const char *value, struct store_filter *filter)
{
	uint64_t number;

	if (strcmp(option, "--from") == 0)
		return tool_read_time(value, &filter->from_ms) || wrong(option, value, "2026-11-22, 2026-11-22T14:00:00Z, or 90s, 5m, 2h, 3d (so long ago)");
	if (strcmp(option, "--until") == 0)
		return tool_read_time(value, &filter->until_ms) || wrong(option, value, "2026-11-22, 2026-11-22T14:00:00Z, or 90s, 5m, 2h, 3d (so long ago)");
	if (strcmp(option, "--session") == 0)
		return num_u64(slice_str(value), INT64_MAX, &filter->session) == RC_OK || wrong(option, value, "a session's number, as the log names it");
	if (strcmp(option, "--limit") == 0) {
		if (num_u64(slice_str(value), STORE_LIMIT_MAX, &number) != RC_OK || number == 0)
			return wrong(option, value, "a number from 1 to 1000");
		filter->limit = (uint32_t)number;
		return true;
	}
	(void)tool_complain(0, "there is no option %s; `hangu help trace` lists them", option);
	return false;
}

static bool read_arguments(int argc, char **argv, enum trace_question *what, struct store_filter *filter)
{
	for (int at = 1; at < argc; at++) {
		const struct slice word = slice_str(argv[at]);
		if (strcmp(argv[at], "--refused") == 0) {
			*what = TRACE_ASK_REFUSALS;
		} else if (slice_starts(word, SLICE("--"))) {
			if (at + 1 == argc)
				return wrong(argv[at], "", "a value behind it");
			if (!read_value(argv[at], argv[at + 1], filter))
				return false;
			at++;
		} else if (event_id_read(word, &filter->message) == RC_OK) {
			continue;
		} else if (slice_starts(word, SLICE("<"))) {
			filter->message_id = word;
		} else if (slice_find(word, '@') != word.len) {
			filter->address = word;
		} else {
			return wrong("trace", argv[at], "an id of 13 characters, an address, or a Message-ID");
		}
	}
	return true;
}

static int converse(const struct tool_options *options, int socket, struct arena *arena, size_t *ret_count)
{
	static uint8_t      room[TRACE_FRAME_MAX];
	struct trace_answer answer = { .frame = TRACE_FRAME_MESSAGE };
	struct ipc_frame    frame;

	for (;;) {
		enum rc rc = ipc_wait(socket, 0, WAIT_MS);
		if (rc == RC_OK)
			rc = ipc_receive(socket, room, sizeof room, 0, &frame);
		if (rc == RC_AGAIN)
			continue;
		arena_reset(arena);
		if (rc == RC_OK)
			rc = trace_answer_read(frame.bytes, arena, &answer);
		if (rc != RC_OK)
			return tool_complain(TOOL_SILENT, "records does not answer (%s)", rc_word(rc));
		if (answer.frame == TRACE_FRAME_END)
			break;
		++*ret_count;
		if (answer.frame == TRACE_FRAME_MESSAGE)
			options->json ? print_trace_json(&answer.trace) : print_trace(&answer.trace);
		else
			options->json ? print_refusal_json(&answer.refusal) : print_refusal(&answer.refusal);
	}
	if (answer.rc != RC_OK)
		return tool_complain(TOOL_REFUSED, "records answers: %s", rc_word(answer.rc));
	return TOOL_DONE;
}

/* Ask once; *ret_count says how many answers came. */
static int ask(const struct tool_options *options, enum trace_question what, const struct store_filter *filter, struct arena *arena,
               size_t *ret_count)
{
	struct buf frame = buf_make(TRACE_FRAME_MAX);
	int        socket;
	int        code = tool_connect(options, "records.sock", &socket);

	*ret_count = 0;
	if (code != TOOL_DONE)
		return code;
	trace_question_put(&frame, what, filter);
	if (ipc_send(socket, buf_slice(&frame), NULL, 0) != RC_OK)
		code = tool_complain(TOOL_SILENT, "records does not listen");
	else
		code = converse(options, socket, arena, ret_count);
	buf_done(&frame);
	(void)close(socket);
	return code;
}

int tool_trace(const struct tool_options *options, int argc, char **argv)
{
	struct store_filter filter = { .limit = LIMIT_STANDARD };
	enum trace_question what = TRACE_ASK_MESSAGES;
	struct arena        arena;
	size_t              count;

	if (argc < 2)
		return tool_usage("trace");
	if (!read_arguments(argc, argv, &what, &filter))
		return TOOL_USAGE;
	if (arena_init(&arena, TRACE_ARENA_BYTES) != RC_OK)
		return tool_complain(TOOL_REFUSED, "no memory");
	int code = ask(options, what, &filter, &arena, &count);
	/* What looks like an address may be a Message-ID that lost its brackets. */
	if (code == TOOL_DONE && count == 0 && what == TRACE_ASK_MESSAGES && filter.address.len != 0) {
		filter.message_id = filter.address;
		filter.address = (struct slice){ NULL, 0 };
		code = ask(options, what, &filter, &arena, &count);
	}
	arena_done(&arena);
	if (code == TOOL_DONE && count == 0 && !options->json)
		(void)puts("nothing matches");
	return code == TOOL_DONE && count == 0 ? TOOL_REFUSED : code;
}
