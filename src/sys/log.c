/* Composing and writing log lines. The quoting here is the one place through which a peer's bytes reach a log. */
#include "sys/log.h"

#include "base/civil_time.h"
#include "base/must.h"
#include "sys/clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define JOURNALD_SOCKET "/run/systemd/journal/socket"
#define ROOM_MAX        (LOG_LINE_MAX * 2) /* of the buf a line is composed in: quoting ends it long before */

/* Chosen once at the start of the program, before threads; read by all. */
static struct {
	enum log_form  form;
	enum log_level least;
	const char    *role;
	int            journald; /* connected datagram socket, or -1 */
} state = { .form = LOG_FORM_TEXT, .least = LOG_LEVEL_INFO, .role = "hangu", .journald = -1 };

static _Atomic uint64_t dropped;

static const char *const level_words[] = {
	[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_INFO] = "info",   [LOG_LEVEL_DEBUG] = "debug",
};

/* syslog's numbers (RFC 5424 section 6.2.1), which journald takes as PRIORITY. */
static const unsigned level_priorities[] = {
	[LOG_LEVEL_ERROR] = 3, [LOG_LEVEL_WARNING] = 4, [LOG_LEVEL_NOTICE] = 5,
	[LOG_LEVEL_INFO] = 6,  [LOG_LEVEL_DEBUG] = 7,
};

static int journald_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNALD_SOCKET };
	const int          fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

void log_open(enum log_form form, enum log_level least)
{
	if (state.journald >= 0)
		(void)close(state.journald);
	state.journald = form == LOG_FORM_JOURNALD ? journald_connect() : -1;
	state.form = form == LOG_FORM_JOURNALD && state.journald < 0 ? LOG_FORM_TEXT : form;
	state.least = least;
}

void log_role(const char *role)
{
	state.role = role;
}

int log_wanted(enum log_level level)
{
	return level <= state.least;
}

int log_descriptor(void)
{
	return state.journald;
}

uint64_t log_dropped(void)
{
	return atomic_load_explicit(&dropped, memory_order_relaxed);
}

static void put_escaped(struct buf *out, uint8_t byte, bool json)
{
	static const char digits[] = "0123456789abcdef";

	buf_put_str(out, json ? "\\u00" : "\\x");
	buf_put_byte(out, (uint8_t)digits[byte >> 4]);
	buf_put_byte(out, (uint8_t)digits[byte & 15]);
}

/*
 * The bytes between a pair of quotes. Printable ASCII stands as it is; quote, backslash, every control byte and every byte
 * above 0x7e is escaped, so that neither terminals nor readers of lines see anything but letters. JSON gets the bytes above
 * 0x7f as \u0080 to \u00ff: not their meaning, but exact and harmless.
 */
static void put_quoted(struct buf *out, struct slice text, bool json)
{
	const size_t start = out->len;

	buf_put_byte(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		const uint8_t byte = text.ptr[i];
		if (out->len - start > LOG_VALUE_MAX) {
			buf_put_str(out, "...");
			break;
		}
		if (byte_is_print(byte) && byte != '"' && byte != '\\')
			buf_put_byte(out, byte);
		else
			put_escaped(out, byte, json);
	}
	buf_put_byte(out, '"');
}

static void put_key(struct buf *out, const char *key, bool json)
{
	if (json) {
		buf_put_str(out, ",\"");
		buf_put_str(out, key);
		buf_put_str(out, "\":");
	} else {
		buf_put_byte(out, ' ');
		buf_put_str(out, key);
		buf_put_byte(out, '=');
	}
}

/* strerror_r as glibc has it returns the words; they are the C library's, and quoted all the same. */
static void put_fault(struct buf *out, const struct fault *fault, bool json)
{
	char words[128];

	put_key(out, "fault", json);
	put_quoted(out, slice_str(fault->text), json);
	put_key(out, "rc", json);
	put_quoted(out, slice_str(rc_word(fault->rc)), json);
	if (fault->error != 0) {
		put_key(out, "errno", json);
		put_quoted(out, slice_str(strerror_r(fault->error, words, sizeof words)), json);
	}
	if (fault->number != 0) {
		put_key(out, "number", json);
		buf_put_i64(out, fault->number);
	}
}

static void put_field(struct buf *out, const struct log_field *field, bool json)
{
	switch (field->kind) {
	case LOG_IS_EVENT:
		break;
	case LOG_IS_TEXT:
		put_key(out, field->key, json);
		put_quoted(out, field->text, json);
		break;
	case LOG_IS_NUMBER:
		put_key(out, field->key, json);
		buf_put_u64(out, field->number);
		break;
	case LOG_IS_SIGNED:
		put_key(out, field->key, json);
		buf_put_i64(out, (int64_t)field->number);
		break;
	case LOG_IS_FAULT:
		put_fault(out, field->fault, json);
		break;
	}
}

/* Fields up to LOG_LINE_MAX; one that would pass it is left out whole, so that a line is never cut inside a value. */
static void put_fields(struct buf *out, size_t start, const struct log_field *fields, size_t count, bool json)
{
	for (size_t i = 0; i < count; i++) {
		const size_t before = out->len;
		put_field(out, &fields[i], json);
		if (out->failed || out->len - start > LOG_LINE_MAX - 32) {
			out->failed = false;
			buf_truncate(out, before);
			put_key(out, "cut", json);
			buf_put_u64(out, count - i);
			return;
		}
	}
}

static struct slice event_name(const struct log_field *fields, size_t count)
{
	must(count != 0);
	must(fields[0].kind == LOG_IS_EVENT);
	return fields[0].text;
}

static void compose_json(enum log_level level, uint64_t wall_ms, const struct log_field *fields, size_t count, struct buf *out)
{
	const size_t start = out->len;

	buf_put_str(out, "{\"time\":\"");
	civil_time_put_iso(out, (int64_t)wall_ms);
	buf_put_str(out, "\",\"level\":\"");
	buf_put_str(out, level_words[level]);
	buf_put_str(out, "\",\"role\":\"");
	buf_put_str(out, state.role);
	buf_put_str(out, "\",\"event\":\"");
	buf_put(out, event_name(fields, count));
	buf_put_byte(out, '"');
	put_fields(out, start, fields, count, true);
	buf_put_str(out, "}\n");
}

static void compose_text(enum log_level level, const struct log_field *fields, size_t count, struct buf *out)
{
	const size_t start = out->len;

	buf_put_str(out, level_words[level]);
	buf_put_byte(out, ' ');
	buf_put_str(out, state.role);
	buf_put_byte(out, ' ');
	buf_put(out, event_name(fields, count));
	put_fields(out, start, fields, count, false);
	buf_put_byte(out, '\n');
}

/*
 * journald's native form: KEY=value lines. No value here holds a line feed (they are quoted), hence the simple form is
 * always right. Fields of ours get one variable each behind HANGU_, where journald wants upper case and "_" only.
 */
static void compose_journald(enum log_level level, const struct log_field *fields, size_t count, struct buf *out)
{
	buf_put_str(out, "SYSLOG_IDENTIFIER=hangu\nPRIORITY=");
	buf_put_u64(out, level_priorities[level]);
	buf_put_str(out, "\nHANGU_ROLE=");
	buf_put_str(out, state.role);
	buf_put_str(out, "\nHANGU_EVENT=");
	buf_put(out, event_name(fields, count));
	buf_put_str(out, "\nMESSAGE=");
	compose_text(level, fields, count, out);
	for (size_t i = 1; i < count; i++) {
		if (fields[i].kind == LOG_IS_FAULT || out->len > LOG_LINE_MAX)
			continue;
		buf_put_str(out, "HANGU_");
		for (const char *c = fields[i].key; *c != '\0'; c++)
			buf_put_byte(out, *c >= 'a' && *c <= 'z' ? (uint8_t)(*c - 'a' + 'A') : (uint8_t)(*c == '.' ? '_' : *c));
		buf_put_byte(out, '=');
		if (fields[i].kind == LOG_IS_TEXT)
			put_quoted(out, fields[i].text, false);
		else if (fields[i].kind == LOG_IS_SIGNED)
			buf_put_i64(out, (int64_t)fields[i].number);
		else
			buf_put_u64(out, fields[i].number);
		buf_put_byte(out, '\n');
	}
}

void log_compose(enum log_form form, enum log_level level, uint64_t wall_ms, const struct log_field *fields, size_t count,
                 struct buf *out)
{
	switch (form) {
	case LOG_FORM_TEXT:
		civil_time_put_iso(out, (int64_t)wall_ms);
		buf_put_byte(out, ' ');
		compose_text(level, fields, count, out);
		break;
	case LOG_FORM_JSON:
		compose_json(level, wall_ms, fields, count, out);
		break;
	case LOG_FORM_JOURNALD:
		compose_journald(level, fields, count, out);
		break;
	}
}

void log_write(enum log_level level, const struct log_field *fields, size_t count)
{
	struct buf line = buf_make(ROOM_MAX);
	ssize_t    written = -1;

	if (!log_wanted(level))
		return;
	log_compose(state.form, level, clock_wall_ms(), fields, count, &line);
	if (!line.failed) {
		/* One call a line: the kernel keeps lines of this size whole between processes and threads. */
		if (state.journald >= 0)
			written = send(state.journald, line.ptr, line.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		else
			written = write(STDERR_FILENO, line.ptr, line.len);
	}
	if (written < 0 || (size_t)written != line.len)
		atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
	buf_done(&line);
}
