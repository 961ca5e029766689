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

static const struct tool tools[] = {
	{ "status", "", "What is running, since when, and how the queue stands.", tool_status },
	{ "queue", "[list|summary|destinations|retry|hold|release|drop|bounce|reroute ROUTE] [FILTER]",
	  "Look at the queue and the quarantine, and act on what is there.", tool_queue },
	{ "trace", "ID|ADDRESS|MESSAGE-ID [--from TIME] [--until TIME] [--limit N] [--refused]",
	  "Where a message is and why; sessions and refusals too.", tool_trace },
	{ "scan", "FILE...", "What the scanner finds in a message, without sending it anywhere.", tool_scan },
	{ "send", "FILE --to ADDRESS... [--from ADDRESS] [--host ADDRESS:PORT]", "Hand a message to a gateway by SMTP.", tool_send },
	{ "verify", "JOURNAL-FOLDER", "Walk the journal's chain offline and name the first bad record.", tool_verify },
	{ "prove", "", "Let a hostile double try to leave every box; all of it must fail.", tool_prove },
	{ "reload", "", "Check the settings and change over to them without dropping a session.", tool_reload },
	{ "drain", "", "Take no more mail, finish what is under way, and end.", tool_drain },
	{ "check", "[FILE]", "Read a settings file as the gateway would, and say what is wrong with it and where.", tool_check },
	{ "manual", "", "Every key of the settings, with type, unit, range, default and meaning.", tool_manual },
	{ "account", "NAME ADDRESS[,ADDRESS...]", "Write a line for the file of accounts; the password is read from standard input.",
	  tool_account },
	{ "sink", "MAILDIR ADDRESS:PORT", "A demonstration mailbox: takes mail by LMTP and puts it into a Maildir. Not for real use.",
	  tool_sink },
};

#define WHY_MAX 4096u
#define TOOL_COUNT (sizeof tools / sizeof *tools)

static int show_help(FILE *to, int code)
{
	(void)fprintf(to, "Hangu %s, an email security gateway.\n\nhangu [--run DIRECTORY | --settings FILE] [--json] COMMAND ...\n\n", HANGU_VERSION);
	for (size_t i = 0; i < TOOL_COUNT; i++)
		(void)fprintf(to, "  %-9s %s\n            %s %s\n", tools[i].name, tools[i].help, tools[i].name, tools[i].usage);
	(void)fputs("\nThe gateway itself is hangud.\n", to);
	return code;
}

/* What the settings file says; NULL when it cannot be read, which has been told then. */
static const char *run_of_settings(const char *path)
{
	static char  run[256];
	struct buf   bundle = buf_make(SETTINGS_BUNDLE_MAX), why = buf_make(WHY_MAX);
	struct arena arena = { .ptr = NULL };
	struct settings settings;
	enum rc      rc = digest_ready(); /* a bundle is sealed with one */

	if (rc == RC_OK)
		rc = settings_bundle_make(path, &bundle, &why);
	if (rc == RC_OK)
		rc = arena_init(&arena, SETTINGS_ARENA_BYTES);
	if (rc == RC_OK)
		rc = settings_read(buf_slice(&bundle), &arena, &settings);
	if (rc == RC_OK)
		(void)slice_to_cstr(settings.gate.gateway->run, run, sizeof run);
	else
		(void)tool_complain(0, "%s: %.*s", path, (int)why.len, (const char *)why.ptr);
	arena_done(&arena);
	buf_done(&bundle);
	buf_done(&why);
	return rc == RC_OK ? run : NULL;
}

int main(int argc, char **argv)
{
	struct tool_options options = { .run = getenv("HANGU_RUN") };
	int                 at = 1;

	if (options.run == NULL || *options.run == '\0')
		options.run = "/run/hangu";
	for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
		if (strcmp(argv[at], "--run") == 0 && at + 1 < argc)
			options.run = argv[++at];
		else if (strcmp(argv[at], "--settings") == 0 && at + 1 < argc)
			options.run = run_of_settings(argv[++at]);
		else if (strcmp(argv[at], "--json") == 0)
			options.json = true;
		else if (strcmp(argv[at], "--version") == 0)
			return printf("hangu %s\n", HANGU_VERSION) < 0;
		else
			return show_help(strcmp(argv[at], "--help") == 0 ? stdout : stderr, strcmp(argv[at], "--help") == 0 ? 0 : TOOL_USAGE);
		if (options.run == NULL)
			return TOOL_REFUSED;
	}
	if (at == argc)
		return show_help(stderr, TOOL_USAGE);
	for (size_t i = 0; i < TOOL_COUNT; i++) {
		if (strcmp(argv[at], tools[i].name) == 0)
			return tools[i].run(&options, argc - at, argv + at);
	}
	return show_help(strcmp(argv[at], "help") == 0 ? stdout : stderr, strcmp(argv[at], "help") == 0 ? 0 : TOOL_USAGE);
}

/* ---- what the tools share ---- */

int tool_complain(int code, const char *format, ...)
{
	va_list args;

	(void)fputs("hangu: ", stderr);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	return code;
}

int tool_usage(const char *name)
{
	for (size_t i = 0; i < TOOL_COUNT; i++) {
		if (strcmp(tools[i].name, name) == 0)
			(void)fprintf(stderr, "usage: hangu %s %s\n%s\n", name, tools[i].usage, tools[i].help);
	}
	return TOOL_USAGE;
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

void tool_print_text(struct slice text, size_t max)
{
	struct buf quoted = buf_make(max + 16);

	codec_quote(text, max, &quoted);
	(void)fwrite(quoted.ptr, 1, quoted.len, stdout);
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
	(void)fwrite(text.ptr, 1, text.len, stdout);
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
	(void)fwrite(text.ptr, 1, text.len, stdout);
	buf_done(&text);
}

bool tool_read_age(const char *text, int64_t *out_ms)
{
	static const struct {
		char    unit;
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
