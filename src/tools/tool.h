/*
 * The administrator's command `hangu NAME ...`: what its parts share. Each part is one file and one row of the table in main.c. Exit codes:
 * 0 done, 1 refused or not found, 2 wrong usage, 3 the gateway does not answer.
 */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include "base/buf.h"
#include "base/rc.h"

#include <stdbool.h>
#include <stdio.h>

enum { TOOL_DONE = 0, TOOL_REFUSED = 1, TOOL_USAGE = 2, TOOL_SILENT = 3 };

/* Where the gateway's control sockets are: --run, else HANGU_RUN, else /run/hangu. */
struct tool_options {
	const char *run;
	bool        json;
};

struct tool {
	const char *name;
	const char *usage; /* behind "hangu NAME " */
	const char *help;  /* one sentence */
	const char *more;  /* whole lines for `hangu help NAME`, or NULL */
	int       (*run)(const struct tool_options *options, int argc, char **argv); /* argv[0] is the tool's name */
};

int tool_status(const struct tool_options *options, int argc, char **argv);
int tool_reload(const struct tool_options *options, int argc, char **argv);
int tool_prove(const struct tool_options *options, int argc, char **argv);
int tool_drain(const struct tool_options *options, int argc, char **argv);
int tool_queue(const struct tool_options *options, int argc, char **argv);
int tool_trace(const struct tool_options *options, int argc, char **argv);
int tool_verify(const struct tool_options *options, int argc, char **argv);
int tool_salvage(const struct tool_options *options, int argc, char **argv);
int tool_send(const struct tool_options *options, int argc, char **argv);
int tool_scan(const struct tool_options *options, int argc, char **argv);
int tool_check(const struct tool_options *options, int argc, char **argv);
int tool_manual(const struct tool_options *options, int argc, char **argv);
int tool_account(const struct tool_options *options, int argc, char **argv);
int tool_sink(const struct tool_options *options, int argc, char **argv);

/* One line on standard error: "hangu: " and the text. Returns `code`, so that a tool can end with it. */
__attribute__((format(printf, 2, 3))) int tool_complain(int code, const char *format, ...);
/* How the tool is used, on standard error. Returns TOOL_USAGE. */
int tool_usage(const char *name);
/* Why a file or folder could not be had, for people. */
const char *tool_why(enum rc rc);

/* The socket `name` in the run directory; says on standard error why not. TOOL_DONE and *out, or TOOL_SILENT. */
int tool_connect(const struct tool_options *options, const char *name, int *out);

/* `text` as it is, which may be empty. */
void tool_write(FILE *to, struct slice text);
/* `text` on standard output with everything quoted that could play tricks on a terminal, at most `max` bytes. */
void tool_print_text(struct slice text, size_t max);
/* The same as a JSON string with its quotation marks; bytes that are not UTF-8 as U+FFFD. */
void tool_print_json(struct slice text);
/* "2026-11-22T14:37:19.123Z", or "-" for 0. */
void tool_print_time(int64_t unix_ms);
/* "3m12s": how long ago, or from now on. */
void tool_print_age(int64_t ms);
/* The 13 characters of an id. */
void tool_print_id(uint64_t id);

/* "90s", "5m", "2h", "3d" in milliseconds. False: none of these. */
bool tool_read_age(const char *text, int64_t *out_ms);
/* An ISO time or a date (UTC), or an age ("2h": that long ago). False: neither. */
bool tool_read_time(const char *text, int64_t *out_ms);

#endif
