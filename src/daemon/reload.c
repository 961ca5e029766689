/*
 * Two-phase reload. A process of its own reads and checks the settings; new listeners are bound; gate and records prepare; when both
 * have, both switch. Any "no" before that leaves everything as it was. After the word to switch was sent there is no way back, and
 * none is needed: a role that dies then starts with the new settings.
 */
#include "daemon/inside.h"

#include "base/must.h"
#include "daemon/notify.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/log.h"

#include <signal.h>

static void forget(struct reload *reload)
{
	bundle_close(&reload->bundle);
	listeners_close(&reload->listeners);
	file_close(&reload->reading.channel);
	file_close(&reload->metrics);
	*reload = (struct reload){ .stage = RELOAD_NONE, .bundle = BUNDLE_NONE, .reading = { .channel = -1 }, .metrics = -1 };
}

/* Over: well or not. */
static void end(struct supervisor *s, enum rc rc, struct slice why)
{
	forget(&s->reload);
	counter_up(rc == RC_OK ? COUNT_RELOADS_OK : COUNT_RELOADS_REFUSED);
	if (rc == RC_OK)
		log_notice(LOG_EVENT("reload.done"), LOG_NUMBER("generation", s->generation));
	else
		log_error(LOG_EVENT("reload.refused"), LOG_TEXT("why", why), LOG_STR("rc", rc_word(rc)),
		          LOG_STR("text", "the settings in force stay"));
	notify_send("READY=1");
	asks_reload_ended(s, rc, why);
	if (s->reload_again && s->drain == DRAIN_NONE) {
		s->reload_again = false;
		reload_begin(s);
	}
}

static void abort_prepared(struct supervisor *s)
{
	const enum rc gate = s->gate.control < 0 ? RC_OK : role_wire_say(s->gate.control, ROLE_SAYS_ABORT, s->reload.generation);
	const enum rc records = s->records.control < 0 ? RC_OK : role_wire_say(s->records.control, ROLE_SAYS_ABORT, s->reload.generation);

	if (gate != RC_OK || records != RC_OK)
		log_warning(LOG_EVENT("control.unheard"), LOG_NUMBER("word", ROLE_SAYS_ABORT));
}

void reload_begin(struct supervisor *s)
{
	if (s->drain != DRAIN_NONE) {
		asks_reload_ended(s, RC_DENIED, SLICE("the gateway is about to end"));
		return;
	}
	if (s->reload.stage != RELOAD_NONE) {
		s->reload_again = true; /* the file may have changed since it was read */
		return;
	}
	forget(&s->reload);
	s->reload.stage = RELOAD_WAITING;
	s->reload.deadline_ms = clock_mono_ms() + RELOAD_TIME_MS;
	notify_reloading();
	log_notice(LOG_EVENT("reload.begin"), LOG_STR("file", s->settings_path));
	reload_go_on(s);
}

void reload_go_on(struct supervisor *s)
{
	if (s->reload.stage != RELOAD_WAITING || !children_ready(s))
		return;
	if (setup_begin(s->settings_path, &s->reload.reading) != RC_OK) {
		end(s, RC_IO, SLICE("no process could be made to read the settings"));
		return;
	}
	s->reload.stage = RELOAD_READING;
	s->reload.generation = s->generation + 1;
	s->reload.deadline_ms = clock_mono_ms() + RELOAD_TIME_MS;
}

/* What only a new start can change is said, not done: by the words of the settings file, in the log and in the answer. */
static void tell_fixed(struct supervisor *s, const struct setup *new)
{
	const struct setup *old = &s->setup;
	const struct {
		const char *words;
		bool        differs;
	} fixed[] = {
		{ "[gateway] user", strcmp(new->user, old->user) != 0 },
		{ "[gateway] state", strcmp(new->state, old->state) != 0 },
		{ "[gateway] run", strcmp(new->run, old->run) != 0 },
		{ "[gateway] loops", new->loops != old->loops },
		{ "[scanner] count", new->scanner_count != old->scanner_count },
		{ "[journal]", new->journal != old->journal },
		{ "[dns] server and cache_size", new->dns != old->dns },
		{ "[log]", new->log_form != old->log_form || new->log_least != old->log_least },
	};
	struct buf words = buf_make(RELOAD_LATER_MAX - 1);

	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
		if (fixed[i].differs)
			buf_printf(&words, "%s%s", words.len == 0 ? "not before the next start: " : ", ", fixed[i].words);
	}
	must(!words.failed);
	s->later[words.len] = '\0';
	if (words.len != 0) {
		memcpy(s->later, words.ptr, words.len);
		log_warning(LOG_EVENT("reload.later"), LOG_STR("text", s->later));
	}
	buf_done(&words);
}

/* The new metrics address, if there is one, before anything changes. */
static enum rc open_metrics(struct supervisor *s, struct buf *why)
{
	struct reload *reload = &s->reload;

	reload->metrics_moves = strcmp(reload->setup.metrics, s->setup.metrics) != 0;
	if (!reload->metrics_moves || reload->setup.metrics[0] == '\0')
		return RC_OK;
	return listeners_bind(reload->setup.metrics, true, &reload->metrics, why);
}

static enum rc send_prepare(const struct supervisor *s, const struct child *child)
{
	struct role_message message = { .word = ROLE_SAYS_PREPARE, .generation = s->reload.generation,
		                        .fd = child->role == ROLE_GATE ? s->reload.bundle.whole : s->reload.bundle.public_part };

	if (child->role == ROLE_GATE) {
		message.listener_count = s->reload.listeners.count;
		memcpy(message.listeners, s->reload.listeners.items, sizeof message.listeners);
	}
	return role_wire_send(child->control, &message);
}

static enum rc prepare(struct supervisor *s, struct buf *why)
{
	struct reload *reload = &s->reload;
	enum rc        rc;

	tell_fixed(s, &reload->setup);
	rc = listeners_open(reload->setup.listeners, reload->setup.listener_count, &s->listeners, &reload->listeners, why);
	if (rc == RC_OK)
		rc = open_metrics(s, why);
	if (rc != RC_OK)
		return rc;
	rc = send_prepare(s, &s->gate);
	if (rc == RC_OK)
		rc = send_prepare(s, &s->records);
	if (rc != RC_OK)
		buf_put_str(why, "a role could not be told");
	reload->stage = RELOAD_PREPARING;
	return rc;
}

void reload_read(struct supervisor *s)
{
	struct buf why = buf_make(SETUP_WHY_MAX);
	enum rc    rc = setup_finish(&s->reload.reading, &s->reload.bundle, &s->reload.setup, &why);

	if (rc == RC_AGAIN)
		return;
	if (rc == RC_OK) {
		supervisor_tell_notes(s, buf_slice(&why));
		buf_clear(&why);
		rc = prepare(s, &why);
	}
	if (rc != RC_OK) {
		if (s->reload.stage == RELOAD_PREPARING)
			abort_prepared(s);
		end(s, rc, buf_slice(&why));
	}
	buf_done(&why);
}

static void switch_all(struct supervisor *s)
{
	struct reload *reload = &s->reload;
	const enum rc  gate = role_wire_say(s->gate.control, ROLE_SAYS_SWITCH, reload->generation);
	/* Its metrics socket comes with its start. */
	const enum rc  records = reload->metrics_moves ? RC_CLOSED : role_wire_say(s->records.control, ROLE_SAYS_SWITCH, reload->generation);

	/* From here on the new settings are the settings. A role that does not hear is replaced and starts with them. */
	if (gate != RC_OK)
		(void)kill(s->gate.pid, SIGKILL);
	if (records != RC_OK) {
		s->records.expected = reload->metrics_moves;
		(void)kill(s->records.pid, SIGKILL);
	}
	if (reload->metrics_moves) {
		file_close(&s->metrics);
		s->metrics = reload->metrics;
		reload->metrics = -1;
	}
	bundle_close(&s->bundle);
	listeners_close(&s->listeners);
	s->bundle = reload->bundle;
	s->listeners = reload->listeners;
	s->generation = reload->generation;
	/* What only a start can change stays as it is in force. */
	const struct setup old = s->setup;
	s->setup = reload->setup;
	memcpy(s->setup.user, old.user, sizeof old.user);
	memcpy(s->setup.state, old.state, sizeof old.state);
	memcpy(s->setup.run, old.run, sizeof old.run);
	s->setup.scanner_count = old.scanner_count;
	s->setup.loops = old.loops;
	s->setup.journal = old.journal;
	s->setup.dns = old.dns;
	s->setup.log_form = old.log_form;
	s->setup.log_least = old.log_least;
	reload->bundle = BUNDLE_NONE;
	reload->listeners.count = 0;
	reload->gate_answered = false;
	reload->records_answered = false;
	reload->stage = RELOAD_SWITCHING;
}

void reload_answer(struct supervisor *s, struct child *child, const struct role_message *message)
{
	struct reload *reload = &s->reload;
	const bool     preparing = reload->stage == RELOAD_PREPARING, switching = reload->stage == RELOAD_SWITCHING;

	/* An answer to an earlier question says nothing about this one. */
	if ((!preparing && !switching) || message->generation != reload->generation)
		return;
	if (message->word == ROLE_SAYS_REFUSED && preparing) {
		abort_prepared(s);
		end(s, RC_DENIED, message->text);
		return;
	}
	if (message->word != (preparing ? ROLE_SAYS_PREPARED : ROLE_SAYS_SWITCHED))
		return;
	if (child->role == ROLE_GATE)
		reload->gate_answered = true;
	else
		reload->records_answered = true;
	if (!reload->gate_answered || !reload->records_answered)
		return;
	if (preparing)
		switch_all(s);
	else
		end(s, RC_OK, slice_str(s->later));
}

void reload_lost(struct supervisor *s, const struct child *child)
{
	if (child->role == ROLE_SCAN)
		return;
	if (s->reload.stage == RELOAD_PREPARING) {
		abort_prepared(s);
		end(s, RC_CLOSED, SLICE("a role ended while it prepared the new settings"));
	} else if (s->reload.stage == RELOAD_SWITCHING) {
		/* It starts again with them: that is a switch too. */
		if (child->role == ROLE_GATE)
			s->reload.gate_answered = true;
		else
			s->reload.records_answered = true;
		if (s->reload.gate_answered && s->reload.records_answered)
			end(s, RC_OK, slice_str(s->later));
	}
}

void reload_time(struct supervisor *s, uint64_t now_ms)
{
	if (s->reload.stage == RELOAD_NONE || now_ms < s->reload.deadline_ms)
		return;
	if (s->reload.stage == RELOAD_SWITCHING) {
		/* They are in force for whoever starts from now on; a role that is silent for so long has other troubles. */
		log_error(LOG_EVENT("reload.silent"), LOG_NUMBER("gate", s->reload.gate_answered), LOG_NUMBER("records", s->reload.records_answered));
		end(s, RC_OK, slice_str(s->later));
		return;
	}
	if (s->reload.stage == RELOAD_READING)
		(void)kill(s->reload.reading.pid, SIGKILL);
	if (s->reload.stage == RELOAD_PREPARING)
		abort_prepared(s);
	end(s, RC_TIMEOUT, SLICE("it took too long"));
}
