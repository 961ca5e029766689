/*
 * One structured line per event, to standard error or to journald's own socket. Only gate, console, daemon and tools log;
 * rooms below return a code and may fill a struct fault.
 *
 * An event has a static name ("listener.bound") and fields. Keys are ours: lower-case letters, digits, "_" and ".".
 * Values may hold a peer's bytes: every byte that could end a line, a value or a field is written as \xNN, so that nothing
 * a peer sent can forge a line or a field. A value is cut at LOG_VALUE_MAX bytes of output, a line at LOG_LINE_MAX.
 *
 *     log_info(LOG_EVENT("session.refused"), LOG_TEXT("peer", name), LOG_NUMBER("code", 550));
 *
 * As text:  2024-02-29T12:00:00.123Z info gate session.refused peer="mx.example" code=550
 * As JSON:  {"time":"...","level":"info","role":"gate","event":"session.refused","peer":"mx.example","code":550}
 *
 * Never blocks for long: what standard error or journald does not take at once is dropped and counted.
 */
#ifndef SYS_LOG_H
#define SYS_LOG_H

#include "base/buf.h"
#include "base/fault.h"
#include "base/slice.h"

#define LOG_LINE_MAX  4000u
#define LOG_VALUE_MAX 1000u

enum log_level {
	LOG_LEVEL_ERROR,   /* somebody should act now */
	LOG_LEVEL_WARNING, /* somebody should act some day */
	LOG_LEVEL_NOTICE,  /* a change of state: started, reloaded, drained */
	LOG_LEVEL_INFO,    /* what happened to one session or message */
	LOG_LEVEL_DEBUG,
};

enum log_form {
	LOG_FORM_TEXT,     /* key=value on standard error */
	LOG_FORM_JSON,     /* one object a line on standard error */
	LOG_FORM_JOURNALD, /* journald's socket; falls back to text when there is none */
};

struct log_field {
	const char         *key;  /* static; NULL for the event's name */
	enum { LOG_IS_EVENT, LOG_IS_TEXT, LOG_IS_NUMBER, LOG_IS_SIGNED, LOG_IS_FAULT } kind;
	struct slice        text;
	uint64_t            number;
	const struct fault *fault;
};

/* The first field of every event: its name. */
#define LOG_EVENT(name)         { .kind = LOG_IS_EVENT, .text = SLICE(name) }
/* A slice of any bytes. */
#define LOG_TEXT(name, slice_)  { .key = (name), .kind = LOG_IS_TEXT, .text = (slice_) }
/* A C string of our own; NULL is the empty text. */
#define LOG_STR(name, string)   { .key = (name), .kind = LOG_IS_TEXT, .text = slice_str(string) }
#define LOG_NUMBER(name, value) { .key = (name), .kind = LOG_IS_NUMBER, .number = (uint64_t)(value) }
#define LOG_SIGNED(name, value) { .key = (name), .kind = LOG_IS_SIGNED, .number = (uint64_t)(int64_t)(value) }
/* Written as the fields fault="text" rc=word errno="words" number=N. */
#define LOG_FAULT(pointer)      { .kind = LOG_IS_FAULT, .fault = (pointer) }

#define LOG_LINE(level, ...)                                                                                           \
	log_write((level), (const struct log_field[]){ __VA_ARGS__ },                                                  \
	          sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))

#define log_error(...)   LOG_LINE(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) LOG_LINE(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  LOG_LINE(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)    LOG_LINE(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   LOG_LINE(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * Choose form and the least important level that is still written; for a whole process and its children, before threads.
 * Opens journald's socket, so it is called before a box closes. Without this call: text, info.
 */
void log_open(enum log_form form, enum log_level least);
/* The word that stands behind the level; static ("supervisor", "gate"). */
void log_role(const char *role);
/* Would a line of this level be written? Spares the making of costly fields. */
int log_wanted(enum log_level level);

/* Write one event; thread-safe. The first of `fields` is LOG_EVENT. */
void log_write(enum log_level level, const struct log_field *fields, size_t count);

/* Only compose the line (with its LF) into `out`, for the time given: what log_write() does, for tests and tools. */
void log_compose(enum log_form form, enum log_level level, uint64_t wall_ms, const struct log_field *fields, size_t count,
                 struct buf *out);

/* journald's socket, which a role has to keep when it closes what it was not handed; -1: none. */
int log_descriptor(void);

/* Lines that could not be written since the start of the process. */
uint64_t log_dropped(void);

#endif
