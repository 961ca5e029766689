/* Tools that ask the supervisor: status, reload, prove, drain. It answers in lines for people and a code. */
#include "tools/tool.h"

#include "sys/file.h"
#include "sys/ipc.h"
#include "sys/supervisor_wire.h"

#include <stdio.h>
#include <unistd.h>

#define WAIT_MS 120000u /* a reload loads everything twice; a proof starts a process for each box */

/* Send `word`, print the lines. */
static int ask(const struct tool_options *options, enum supervisor_word word)
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
		if (message.word == SUPERVISOR_SAYS_LINE) {
			(void)fwrite(message.text.ptr, 1, message.text.len, stdout);
			(void)putchar('\n');
		}
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
	const int code = ask(options, SUPERVISOR_ASK_STATUS);
	return code == TOOL_DONE ? tool_queue(options, 2, summary) : code;
}

int tool_reload(const struct tool_options *options, int argc, char **argv)
{
	(void)argv;
	return argc == 1 ? ask(options, SUPERVISOR_ASK_RELOAD) : tool_usage("reload");
}

int tool_prove(const struct tool_options *options, int argc, char **argv)
{
	(void)argv;
	return argc == 1 ? ask(options, SUPERVISOR_ASK_PROVE) : tool_usage("prove");
}

int tool_drain(const struct tool_options *options, int argc, char **argv)
{
	(void)argv;
	return argc == 1 ? ask(options, SUPERVISOR_ASK_DRAIN) : tool_usage("drain");
}
