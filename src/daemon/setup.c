/* Reading the settings at arm's length, and what the supervisor takes from them. */
#include "daemon/setup.h"

#include "base/digest.h"
#include "base/memory.h"
#include "base/must.h"
#include "net/tls.h"
#include "settings/settings.h"
#include "sys/file.h"
#include "sys/ipc.h"
#include "sys/slab.h"
#include "sys/threads.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define READING_TIME_MS 60000u
#define SCANNERS_STANDARD_MAX 8u
#define NOTES_MAX       (1u << 20)

/* The one frame of the reading process: a byte that says how it went, then text: what is wrong, or what is noted. */
#define READ_WELL  'y'
#define READ_WRONG 'n'

void bundle_close(struct bundle *bundle)
{
	file_close(&bundle->whole);
	file_close(&bundle->public_part);
}

/* ---- in the reading process ---- */

/* Whole lines of the notes, as many as fit a frame. */
static void put_notes(struct slice notes, struct buf *frame)
{
	static const struct slice more = SLICE_INIT("there are more notes: hangu check tells them\n");
	const struct slice        fitting = slice_take(notes, SETUP_WHY_MAX - more.len);

	if (notes.len <= SETUP_WHY_MAX) {
		buf_put(frame, notes);
		return;
	}
	buf_put(frame, slice_take(fitting, slice_find_last(fitting, '\n') + 1));
	buf_put(frame, more);
}

static void answer_well(int channel, struct slice notes, const int fds[2])
{
	struct buf frame = buf_make(SETUP_WHY_MAX + 1);

	buf_put_byte(&frame, READ_WELL);
	put_notes(notes, &frame);
	if (frame.failed || ipc_send(channel, buf_slice(&frame), fds, 2) != RC_OK)
		_exit(1);
	_exit(0);
}

static void answer_wrong(int channel, struct buf *why)
{
	struct buf frame = buf_make(SETUP_WHY_MAX + 1);

	buf_put_byte(&frame, READ_WRONG);
	buf_put(&frame, buf_slice(why));
	if (frame.failed || ipc_send(channel, buf_slice(&frame), NULL, 0) != RC_OK)
		_exit(1);
	_exit(0);
}

/* Ends with _exit: nothing of the supervisor runs on in here, and the memory that held secrets goes with the process. */
static void read_and_end(const char *path, int channel)
{
	struct buf    whole = buf_make(SETTINGS_BUNDLE_MAX), part = buf_make(SETTINGS_BUNDLE_MAX), why = buf_make(SETUP_WHY_MAX),
	              notes = buf_make(NOTES_MAX);
	const int     keep[] = { channel };
	int           fds[2] = { -1, -1 };
	enum rc       rc;

	file_keep_only(keep, 1);
	rc = digest_ready();
	if (rc == RC_OK)
		rc = net_tls_ready(NULL);
	if (rc == RC_OK)
		rc = settings_bundle_make(path, &whole, &why, &notes);
	if (rc == RC_OK)
		rc = settings_bundle_public(buf_slice(&whole), &part);
	if (rc == RC_OK)
		rc = slab_publish("hangu-settings", buf_slice(&whole), &fds[0]);
	if (rc == RC_OK)
		rc = slab_publish("hangu-settings", buf_slice(&part), &fds[1]);
	if (rc != RC_OK) {
		if (why.len == 0)
			buf_printf(&why, "%s: cannot be read (%s)", path, rc_word(rc));
		answer_wrong(channel, &why);
	}
	answer_well(channel, buf_slice(&notes), fds);
}

enum rc setup_begin(const char *path, struct setup_reading *out)
{
	int     ours = -1, theirs = -1;
	enum rc rc = ipc_pair(&ours, &theirs);

	if (rc != RC_OK)
		return rc;
	const pid_t child = fork();
	if (child == 0)
		read_and_end(path, theirs);
	file_close(&theirs);
	if (child < 0) {
		file_close(&ours);
		return RC_LIMIT;
	}
	*out = (struct setup_reading){ .pid = child, .channel = ours };
	return RC_OK;
}

/* ---- in the supervisor ---- */

enum rc setup_map(int sealed, struct slab **out)
{
	uint64_t      size = 0;
	const enum rc rc = slab_published_size(sealed, &size);

	if (rc != RC_OK)
		return rc;
	const int own = fcntl(sealed, F_DUPFD_CLOEXEC, 3);
	return own < 0 ? RC_LIMIT : slab_take(own, size, SETTINGS_BUNDLE_MAX, out);
}

/* A setting as a C string; settings are bounded below our rooms, and hold no control bytes. */
static bool copy_text(struct slice text, char *out, size_t room)
{
	return text.len < room && slice_find(text, 0) == text.len && slice_to_cstr(text, out, room) == text.len;
}

static enum rc copy_listeners(const struct gate_settings *settings, struct setup *out, struct buf *why)
{
	for (size_t i = 0; i < settings->listener_count; i++) {
		const struct gate_listener_settings *listener = &settings->listeners[i];
		for (size_t j = 0; j < listener->addresses.count; j++) {
			if (out->listener_count == ROLE_LISTENERS_MAX) {
				buf_printf(why, "more than %u addresses to listen on", ROLE_LISTENERS_MAX);
				return RC_SYNTAX;
			}
			struct role_listener *to = &out->listeners[out->listener_count++];
			to->fd = -1;
			if (!copy_text(listener->name, to->name, sizeof to->name) ||
			    !copy_text(listener->addresses.items[j], to->address, sizeof to->address)) {
				buf_put_str(why, "a listener's name or address is longer than 63 octets");
				return RC_SYNTAX;
			}
		}
	}
	return RC_OK;
}

static enum log_form form_of(const struct gate_log_settings *log)
{
	if (log->target == 1)
		return LOG_FORM_JOURNALD;
	return log->format == 1 ? LOG_FORM_JSON : LOG_FORM_TEXT;
}

static uint32_t mark_of_journal(const struct journal_limits *limits)
{
	const uint64_t numbers[] = { limits->segment_bytes,    limits->spare_segments,   limits->delay_ms,
		                     limits->lazy_ms,          limits->queue_bytes_max,  limits->queue_groups_max,
		                     limits->free_floor_bytes, limits->snapshot_bytes,   limits->compress_level,
		                     limits->compress_from_bytes, limits->prewrite };

	return digest_crc32c(0, slice_of((const uint8_t *)numbers, sizeof numbers));
}

static uint32_t mark_of_dns(const struct gate_dns_settings *dns)
{
	uint32_t mark = digest_crc32c(0, slice_of((const uint8_t *)&dns->cache_bytes, sizeof dns->cache_bytes));

	for (size_t i = 0; i < dns->servers.count; i++)
		mark = digest_crc32c(digest_crc32c(mark, dns->servers.items[i]), SLICE(","));
	return mark;
}

static enum rc copy_setup(const struct settings *settings, struct setup *out, struct buf *why)
{
	const struct gate_gateway_settings *gateway = settings->gate.gateway;
	struct setup                        setup = { .drain_ms = gateway->drain };
	unsigned                            standard = thread_processors();

	if (!copy_text(gateway->user, setup.user, sizeof setup.user) || !copy_text(gateway->state, setup.state, sizeof setup.state) ||
	    !copy_text(gateway->run, setup.run, sizeof setup.run) ||
	    !copy_text(settings->metrics->address, setup.metrics, sizeof setup.metrics)) {
		buf_put_str(why, "a user, directory or address in [gateway] or [metrics] is too long");
		return RC_SYNTAX;
	}
	if (standard > SCANNERS_STANDARD_MAX)
		standard = SCANNERS_STANDARD_MAX;
	setup.scanner_count = settings->gate.scanner->count != 0 ? (size_t)settings->gate.scanner->count : standard;
	must(setup.scanner_count <= ROLE_SCANNERS_MAX);
	setup.scanner_memory_max = settings->gate.scanner->memory_max;
	setup.log_form = form_of(settings->log);
	setup.log_least = (enum log_level)settings->log->level;
	setup.loops = gateway->loops;
	setup.journal = mark_of_journal(settings->gate.journal);
	setup.dns = mark_of_dns(settings->gate.dns);
	const enum rc rc = copy_listeners(&settings->gate, &setup, why);
	if (rc == RC_OK)
		*out = setup;
	return rc;
}

static enum rc read_public(int sealed, struct setup *out, struct buf *why)
{
	struct settings settings;
	struct arena    arena = { 0 };
	struct slab    *slab = NULL;
	enum rc         rc = setup_map(sealed, &slab);

	if (rc == RC_OK)
		rc = arena_init(&arena, SETTINGS_ARENA_BYTES);
	if (rc == RC_OK)
		rc = settings_read(slab_bytes(slab), &arena, &settings);
	if (rc == RC_OK)
		rc = copy_setup(&settings, out, why);
	arena_done(&arena);
	slab_close(&slab);
	return rc;
}

enum rc setup_finish(struct setup_reading *reading, struct bundle *bundle, struct setup *out, struct buf *why)
{
	struct ipc_frame frame;
	uint8_t         *room = memory_take(1, SETUP_WHY_MAX + 1);
	enum rc          rc = RC_NOMEM;

	if (room != NULL)
		rc = ipc_receive(reading->channel, room, SETUP_WHY_MAX + 1, 2, &frame);
	if (rc == RC_AGAIN) {
		memory_give(room);
		return rc;
	}
	if (rc == RC_OK && frame.fd_count == 2 && slice_at(frame.bytes, 0) == READ_WELL) {
		rc = read_public(frame.fds[1], out, why);
		if (rc == RC_OK)
			buf_put(why, slice_drop(frame.bytes, 1));
		if (rc == RC_OK)
			*bundle = (struct bundle){ .whole = frame.fds[0], .public_part = frame.fds[1] };
		else
			ipc_frame_close(&frame);
	} else if (rc == RC_OK) {
		buf_put(why, slice_drop(frame.bytes, 1));
		ipc_frame_close(&frame);
		rc = RC_SYNTAX;
	}
	file_close(&reading->channel);
	memory_give(room);
	return rc;
}

enum rc setup_read(const char *path, struct bundle *bundle, struct setup *out, struct buf *why)
{
	struct setup_reading reading;
	int                  status = 0;
	enum rc              rc = setup_begin(path, &reading);

	if (rc != RC_OK)
		return rc;
	rc = ipc_wait(reading.channel, 0, READING_TIME_MS);
	if (rc == RC_OK)
		rc = setup_finish(&reading, bundle, out, why);
	else
		(void)kill(reading.pid, SIGKILL);
	file_close(&reading.channel);
	(void)waitpid(reading.pid, &status, 0);
	if (rc != RC_OK && why->len == 0)
		buf_printf(why, "%s: reading the settings ended without an answer (%s)", path, rc_word(rc));
	return rc;
}
