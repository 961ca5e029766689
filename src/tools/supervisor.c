/* Tools that ask the supervisor: status, reload, prove, drain. It answers in lines for people and a code. */
#include "tools/tool.h"

#include "base/num.h"
#include "sys/file.h"
#include "sys/ipc.h"
#include "sys/supervisor_wire.h"

#include <stdio.h>
#include <unistd.h>

#define WAIT_MS 120000u /* a reload loads everything twice; a proof starts a process for each box */

/* A line as it is. */
static void print_line(const struct tool_options *options, struct slice line)
{
	(void)options;
	tool_write(stdout, line);
	(void)putchar('\n');
}

static bool is_number(struct slice word)
{
	uint64_t number;

	return num_u64(word, UINT64_MAX, &number) == RC_OK;
}

/*
 * "gate up pid 17 seconds 60 restarts 0": a process, for scanners its number, its state, then names and values. Another version may
 * say more of them, or something else, which is then shown as it came.
 */
static void print_status(const struct tool_options *options, struct slice line)
{
	struct slice rest = line, role = slice_until(&rest, ' '), state = slice_until(&rest, ' '), index = { NULL, 0 };

	if (is_number(state)) {
		index = state;
		state = slice_until(&rest, ' ');
	}
	if (!options->json) {
		(void)printf("%.*s%s%.*s%*s %-8.*s ", (int)role.len, (const char *)role.ptr, index.len != 0 ? " " : "", (int)index.len,
		             (const char *)index.ptr, role.len + index.len + 1 < 10 ? (int)(10 - role.len - index.len - (index.len != 0)) : 0, "",
		             (int)state.len, (const char *)state.ptr);
		print_line(options, rest);
		return;
	}
	(void)fputs("{\"process\":", stdout);
	tool_print_json(role);
	if (index.len != 0)
		(void)printf(",\"index\":%.*s", (int)index.len, (const char *)index.ptr);
	(void)fputs(",\"state\":", stdout);
	tool_print_json(state);
	while (rest.len != 0) {
		const struct slice name = slice_until(&rest, ' '), value = slice_until(&rest, ' ');
		(void)putchar(',');
		tool_print_json(name);
		(void)putchar(':');
		if (is_number(value))
			(void)printf("%.*s", (int)value.len, (const char *)value.ptr);
		else
			tool_print_json(value);
	}
	(void)fputs("}\n", stdout);
}

/* Send `word`, print the lines. */
static int ask(const struct tool_options *options, enum supervisor_word word, void (*print)(const struct tool_options *options, struct slice line))
{
	static uint8_t                  room[SUPERVISOR_WIRE_MAX];
	static struct supervisor_message message;
	int                              socket;
	const int                        code = tool_connect(options, "supervisor.sock", &socket);

	if (code != TOOL_DONE)
		return code;
	message = (struct supervisor_message){ .word = word };
	enum rc rc = supervisor_wire_send(socket, &message);
	while (rc == RC_OK) {
		rc = ipc_wait(socket, 0, WAIT_MS);
		if (rc == RC_OK)
			rc = supervisor_wire_receive(socket, room, &message);
		if (rc == RC_AGAIN) {
			rc = RC_OK;
			continue;
		}
		if (rc != RC_OK || message.word == SUPERVISOR_SAYS_DONE)
			break;
		if (message.word == SUPERVISOR_SAYS_LINE)
			print(options, message.text);
	}
	(void)close(socket);
	if (rc != RC_OK)
		return tool_complain(TOOL_SILENT, "the supervisor does not answer (%s)", rc_word(rc));
	return message.rc == RC_OK ? TOOL_DONE : tool_complain(TOOL_REFUSED, "the answer is: %s", rc_word(message.rc));
}

int tool_status(const struct tool_options *options, int argc, char **argv)
{
	char *summary[] = { argv[0], (char[]){ "summary" }, NULL };

	if (argc != 1)
		return tool_usage("status");
	const int code = ask(options, SUPERVISOR_ASK_STATUS, print_status);
	return code == TOOL_DONE ? tool_queue(options, 2, summary) : code;
}

int tool_reload(const struct tool_options *options, int argc, char **argv)
{
	(void)argv;
	return argc == 1 ? ask(options, SUPERVISOR_ASK_RELOAD, print_line) : tool_usage("reload");
}

int tool_prove(const struct tool_options *options, int argc, char **argv)
{
	(void)argv;
	return argc == 1 ? ask(options, SUPERVISOR_ASK_PROVE, print_line) : tool_usage("prove");
}

int tool_drain(const struct tool_options *options, int argc, char **argv)
{
	(void)argv;
	return argc == 1 ? ask(options, SUPERVISOR_ASK_DRAIN, print_line) : tool_usage("drain");
}
