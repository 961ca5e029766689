/* `hangu`: finds the tool and runs it. What the tools share is at the end. */
#include "tools/tool.h"

#include "base/civil_time.h"
#include "base/codec.h"
#include "base/digest.h"
#include "base/num.h"
#include "journal/event.h"
#include "settings/settings.h"
#include "sys/clock.h"
#include "sys/ipc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME_HELP "A TIME is 2026-11-22, 2026-11-22T14:00:00Z (UTC), or 90s, 5m, 2h, 3d: so long ago.\n"

/* clang-format off */
static const struct tool tools[] = {
	{ "status", "", "What is running, since when, and how the queue stands.", NULL, tool_status },
	{ "queue", "[list|summary|destinations|retry|hold|release|drop|bounce|reroute ROUTE] [FILTER...]",
	  "Look at the queue and the quarantine, and act on what is there.",
	  "A FILTER picks recipients; several must all fit. An act needs at least one.\n"
	  "  ID, --id ID             of this message\n"
	  "  --to ADDRESS            --domain DOMAIN          of the recipient\n"
	  "  --from ADDRESS          of the sender\n"
	  "  --destination NAME      as `queue destinations` names it\n"
	  "  --cause WORDS           what the next hop, or we, last said about it\n"
	  "  --state STATE           due, sending, deferred, uncertain or held; may be given several times\n"
	  "  --older AGE             --younger AGE            90s, 5m, 2h, 3d\n"
	  "  --quarantined           held because of what was found in it\n"
	  "  --reason WORDS          with an act: why, for the journal\n"
	  "retry tries now; hold keeps; release lets go what is held; drop ends without a notice; bounce ends with one.\n",
	  tool_queue },
	{ "trace", "[ID|ADDRESS|MESSAGE-ID] [--from TIME] [--until TIME] [--session N] [--limit N] [--refused]",
	  "Where a message is and why; with --refused, what was refused instead.", TIME_HELP, tool_trace },
	{ "scan", "FILE...", "What the scanner finds in a message, without sending it anywhere.", NULL, tool_scan },
	{ "send", "FILE --to ADDRESS... [--from ADDRESS] [--host ADDRESS:PORT]", "Hand a message to a gateway by SMTP.",
	  "The host is 127.0.0.1:2525 (that of `make run`) unless said otherwise, and the sender sender@sender.example.\n", tool_send },
	{ "verify", "JOURNAL-FOLDER", "Walk the journal's chain offline and name the first bad record.", NULL, tool_verify },
	{ "salvage", "JOURNAL-FOLDER [--extract FOLDER]", "Make a damaged journal one that opens again, offline, and name what is lost.",
	  "For a gateway that does not start because of its journal, and only then; make a copy of the folder first. A damaged header is made\n"
	  "again where the records behind it prove it. Else the journal is cut before the first damaged record; the rest is set aside as\n"
	  "*.damaged, each message in it that can still be read is named, and with --extract its bytes are written into FOLDER as ID.eml.\n",
	  tool_salvage },
	{ "prove", "", "Let a hostile double try to leave every box; all of it must fail.", NULL, tool_prove },
	{ "reload", "", "Check the settings and change over to them without dropping a session.",
	  "Settings that are wrong change nothing. What only the next start can change is named.\n", tool_reload },
	{ "drain", "", "Take no more mail, finish what is under way, and end.", NULL, tool_drain },
	{ "check", "[FILE]", "Read a settings file as the gateway would, and say what is wrong with it and where.",
	  "Without FILE: /etc/hangu/hangu.conf.\n", tool_check },
	{ "manual", "", "Every key of the settings, with type, unit, range, default and meaning.", NULL, tool_manual },
	{ "account", "NAME ADDRESS[,ADDRESS...]",
	  "Write a line for the file of accounts; the password is read from standard input.",
	  "The addresses are those the account may send as; @example.net stands for the whole domain.\n", tool_account },
	{ "sink", "MAILDIR ADDRESS:PORT", "A demonstration mailbox: takes mail by LMTP and puts it into a Maildir. Not for real use.", NULL,
	  tool_sink },
};
/* clang-format on */

#define WHY_MAX 4096u
#define NOTES_MAX (1u << 20)
#define TOOL_COUNT (sizeof tools / sizeof *tools)

static int show_help(FILE *to, int code)
{
	(void)fprintf(to, "Hangu %s, an email security gateway.\n\nhangu [--run DIRECTORY | --settings FILE] [--json] COMMAND ...\n\n", HANGU_VERSION);
	for (size_t i = 0; i < TOOL_COUNT; i++)
		(void)fprintf(to, "  %-9s %s\n%s%s%s%s%s", tools[i].name, tools[i].help, *tools[i].usage != '\0' ? "            " : "",
		              *tools[i].usage != '\0' ? tools[i].name : "", *tools[i].usage != '\0' ? " " : "", tools[i].usage,
		              *tools[i].usage != '\0' ? "\n" : "");
	(void)fputs("\n--run names the folder of the gateway's sockets (else $HANGU_RUN, else /run/hangu); --settings finds it in a settings file.\n"
	            "hangu help COMMAND says more about one. Status 0 done, 1 refused or not found, 2 wrong usage, 3 no gateway answers.\n"
	            "The gateway itself is hangud.\n",
	            to);
	return code;
}

static const struct tool *find_tool(const char *name)
{
	for (size_t i = 0; i < TOOL_COUNT; i++) {
		if (strcmp(tools[i].name, name) == 0)
			return &tools[i];
	}
	return NULL;
}

static int no_such(const char *name)
{
	struct buf quoted = buf_make(200);

	codec_quote(slice_str(name), 100, &quoted);
	(void)tool_complain(0, "there is no command %.*s; `hangu help` lists them", (int)quoted.len, (const char *)quoted.ptr);
	buf_done(&quoted);
	return TOOL_USAGE;
}

static void show_tool(FILE *to, const struct tool *tool)
{
	(void)fprintf(to, "usage: hangu %s%s%s\n%s\n", tool->name, *tool->usage != '\0' ? " " : "", tool->usage, tool->help);
	if (tool->more != NULL)
		(void)fputs(tool->more, to);
}

static bool asks_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* `hangu COMMAND ...`, argv[0] being the command. */
static int run_tool(const struct tool_options *options, int argc, char **argv)
{
	const bool         help = strcmp(argv[0], "help") == 0;
	const char        *name = help && argc > 1 ? argv[1] : argv[0];
	const struct tool *tool = find_tool(name);

	if (help && argc == 1)
		return show_help(stdout, 0);
	if (tool == NULL)
		return no_such(name);
	if (help || (argc > 1 && asks_help(argv[1]))) {
		show_tool(stdout, tool);
		return TOOL_DONE;
	}
	return tool->run(options, argc, argv);
}

/* What the settings file says; NULL when it cannot be read, which has been told then. */
static const char *run_of_settings(const char *path)
{
	static char  run[256];
	struct buf   bundle = buf_make(SETTINGS_BUNDLE_MAX), why = buf_make(WHY_MAX), notes = buf_make(NOTES_MAX);
	struct arena arena = { .ptr = NULL };
	struct settings settings;
	enum rc      rc = digest_ready(); /* a bundle is sealed with one */

	if (rc == RC_OK)
		rc = settings_bundle_make(path, &bundle, &why, &notes);
	if (rc == RC_OK)
		rc = arena_init(&arena, SETTINGS_ARENA_BYTES);
	if (rc == RC_OK)
		rc = settings_read(buf_slice(&bundle), &arena, &settings);
	if (rc == RC_OK)
		(void)slice_to_cstr(settings.gate.gateway->run, run, sizeof run);
	else
		(void)fprintf(stderr, "%.*s%s", (int)why.len, (const char *)why.ptr, why.len != 0 && why.ptr[why.len - 1] == '\n' ? "" : "\n");
	arena_done(&arena);
	buf_done(&bundle);
	buf_done(&why);
	buf_done(&notes); /* hangu check tells them */
	return rc == RC_OK ? run : NULL;
}

int main(int argc, char **argv)
{
	struct tool_options options = { .run = getenv("HANGU_RUN") };
	int                 at = 1;

	if (options.run == NULL || *options.run == '\0')
		options.run = "/run/hangu";
	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "--run") == 0 && at + 1 < argc)
			options.run = argv[++at];
		else if (strcmp(argv[at], "--settings") == 0 && at + 1 < argc)
			options.run = run_of_settings(argv[++at]);
		else if (strcmp(argv[at], "--json") == 0)
			options.json = true;
		else if (strcmp(argv[at], "--version") == 0)
			return printf("hangu %s\n", HANGU_VERSION) < 0;
		else if (asks_help(argv[at]))
			return show_help(stdout, 0);
		else if (strcmp(argv[at], "--run") == 0 || strcmp(argv[at], "--settings") == 0)
			return tool_complain(TOOL_USAGE, "%s needs a value; `hangu help` says more", argv[at]);
		else
			return tool_complain(TOOL_USAGE, "there is no option %s before the command; `hangu help` lists them", argv[at]);
		if (options.run == NULL)
			return TOOL_REFUSED;
	}
	if (at == argc)
		return show_help(stderr, TOOL_USAGE);
	return run_tool(&options, argc - at, argv + at);
}

/* ---- what the tools share ---- */

int tool_complain(int code, const char *format, ...)
{
	va_list args;

	/* What was said before stands before, also when both go into one file. */
	(void)fflush(stdout);
	(void)fputs("hangu: ", stderr);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	return code;
}

int tool_usage(const char *name)
{
	const struct tool *tool = find_tool(name);

	if (tool != NULL)
		show_tool(stderr, tool);
	return TOOL_USAGE;
}

const char *tool_why(enum rc rc)
{
	switch (rc) {
	case RC_NOTFOUND:
		return "there is no such file or folder";
	case RC_DENIED:
		return "permission is missing, or it is of another kind than asked for";
	case RC_LIMIT:
		return "it is too large";
	case RC_NOMEM:
		return "no memory or no space";
	case RC_BUSY:
		return "somebody else uses it just now: a gateway that runs?";
	case RC_IO:
		return "the operating system answers with an error";
	case RC_OK:
	case RC_AGAIN:
	case RC_SYNTAX:
	case RC_EXISTS:
	case RC_UNSUPPORTED:
	case RC_CONFLICT:
	case RC_TIMEOUT:
	case RC_CLOSED:
	case RC_CORRUPT:
	case RC_UNCERTAIN:
	case RC_COUNT:
		break;
	}
	return rc_word(rc);
}

int tool_connect(const struct tool_options *options, const char *name, int *out)
{
	char path[256];

	if (snprintf(path, sizeof path, "%s/%s", options->run, name) >= (int)sizeof path)
		return tool_complain(TOOL_USAGE, "the run directory's name is too long");
	const enum rc rc = ipc_connect(path, out);
	if (rc == RC_OK)
		return TOOL_DONE;
	if (rc == RC_NOTFOUND || rc == RC_CLOSED)
		return tool_complain(TOOL_SILENT, "no gateway listens at %s; is it running, and is --run right?", path);
	if (rc == RC_DENIED)
		return tool_complain(TOOL_SILENT, "%s: only root and the gateway's own user may ask", path);
	return tool_complain(TOOL_SILENT, "%s cannot be reached (%s)", path, rc_word(rc));
}

void tool_write(FILE *to, struct slice text)
{
	/* An empty slice may have no address, which fwrite must not be given. */
	if (text.len != 0)
		(void)fwrite(text.ptr, 1, text.len, to);
}

void tool_print_text(struct slice text, size_t max)
{
	struct buf quoted = buf_make(max + 16);

	codec_quote(text, max, &quoted);
	tool_write(stdout, buf_slice(&quoted));
	buf_done(&quoted);
}

/* Bytes of the UTF-8 sequence at the front, 0 when it is none. */
static size_t utf8_size(struct slice s)
{
	const int    first = slice_at(s, 0);
	const size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < size; i++) {
		if ((slice_at(s, i) & 0xc0) != 0x80 || slice_at(s, i) < 0)
			return 0;
	}
	if (size == 3 && ((first == 0xe0 && s.ptr[1] < 0xa0) || (first == 0xed && s.ptr[1] > 0x9f)))
		return 0;
	return size == 4 && ((first == 0xf0 && s.ptr[1] < 0x90) || (first == 0xf4 && s.ptr[1] > 0x8f)) ? 0 : size;
}

void tool_print_json(struct slice text)
{
	(void)putchar('"');
	while (text.len != 0) {
		const size_t size = utf8_size(text);
		if (size == 0)
			(void)fputs("\\ufffd", stdout);
		else if (text.ptr[0] == '"' || text.ptr[0] == '\\')
			(void)printf("\\%c", text.ptr[0]);
		else if (text.ptr[0] < 0x20 || text.ptr[0] == 0x7f)
			(void)printf("\\u%04x", text.ptr[0]);
		else
			(void)fwrite(text.ptr, 1, size, stdout);
		text = slice_drop(text, size == 0 ? 1 : size);
	}
	(void)putchar('"');
}

void tool_print_time(int64_t unix_ms)
{
	struct buf text = buf_make(64);

	if (unix_ms == 0)
		buf_put_byte(&text, '-');
	else
		civil_time_put_iso(&text, unix_ms);
	tool_write(stdout, buf_slice(&text));
	buf_done(&text);
}

void tool_print_age(int64_t ms)
{
	const int64_t s = (ms < 0 ? -ms : ms) / 1000;

	if (s < 60)
		(void)printf("%llds", (long long)s);
	else if (s < 3600)
		(void)printf("%lldm%02llds", (long long)(s / 60), (long long)(s % 60));
	else if (s < 86400)
		(void)printf("%lldh%02lldm", (long long)(s / 3600), (long long)(s % 3600 / 60));
	else
		(void)printf("%lldd%02lldh", (long long)(s / 86400), (long long)(s % 86400 / 3600));
}

void tool_print_id(uint64_t id)
{
	struct buf text = buf_make(EVENT_ID_TEXT);

	event_id_put(&text, id);
	tool_write(stdout, buf_slice(&text));
	buf_done(&text);
}

bool tool_read_age(const char *text, int64_t *out_ms)
{
	static const struct {
		uint8_t unit;
		int64_t ms;
	} units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 } };
	struct slice rest = slice_str(text);
	uint64_t     number;

	if (num_take(&rest, 1000000, &number) != RC_OK || rest.len != 1)
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (units[i].unit == rest.ptr[0]) {
			*out_ms = (int64_t)number * units[i].ms;
			return true;
		}
	}
	return false;
}

bool tool_read_time(const char *text, int64_t *out_ms)
{
	int64_t age;

	if (tool_read_age(text, &age)) {
		*out_ms = (int64_t)clock_wall_ms() - age;
		return true;
	}
	return civil_time_read_iso(slice_str(text), out_ms) == RC_OK;
}
