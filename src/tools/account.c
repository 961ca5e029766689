/* `hangu account`: a line for the file of accounts, with the password hashed as Argon2id. */
#include "tools/tool.h"

#include "base/memory.h"
#include "gate/password.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define PASSWORD_MAX 512

/* One line; a terminal is told what is asked for, and does not show it. */
static bool read_password(char *out, int size)
{
	struct termios now, quiet;
	const bool     person = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &now) == 0;

	if (person) {
		(void)fputs("password: ", stderr);
		quiet = now;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	const bool done = fgets(out, size, stdin) != NULL;
	if (person) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &now);
		(void)fputc('\n', stderr);
	}
	return done;
}

int tool_account(const struct tool_options *options, int argc, char **argv)
{
	char password[PASSWORD_MAX + 2];
	char hash[PASSWORD_HASH_ROOM];
	(void)options;

	if (argc != 3 || strpbrk(argv[1], ":\n,") != NULL || strchr(argv[2], '@') == NULL || strpbrk(argv[2], ":\n") != NULL)
		return tool_usage("account");
	if (!read_password(password, sizeof password))
		return tool_complain(TOOL_USAGE, "the password is read from standard input, one line");
	const size_t size = strcspn(password, "\r\n");
	if (size < 8 || size > PASSWORD_MAX)
		return tool_complain(TOOL_REFUSED, "a password has 8 to %d bytes", PASSWORD_MAX);
	const bool done = password_ready() == RC_OK && password_hash(slice_of(password, size), hash) == RC_OK;
	memory_wipe(password, sizeof password);
	if (!done)
		return tool_complain(TOOL_REFUSED, "the password could not be hashed: 64 MiB of memory are needed");
	return printf("%s:%s:%s\n", argv[1], hash, argv[2]) > 0 ? TOOL_DONE : TOOL_REFUSED;
}
