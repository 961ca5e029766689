/* The parts of settings_check(); between the files of this room only. */
#ifndef SETTINGS_CHECK_H
#define SETTINGS_CHECK_H

#include "settings/bundle.h"
#include "settings/place.h"

struct settings_check {
	struct settings_parts parts;
	struct setting_values values;
	struct settings       settings;
	struct arena         *arena;
	struct buf           *errors;
	struct buf           *notes;
	int64_t               now_s;
	size_t                error_count;
	enum rc               rc; /* sticks: RC_NOMEM */
};

/* A line "path:12:9: [listener internet] key: text" and, when `found` is not empty, ": found" behind it. `key` may be NULL. */
void settings_check_error(struct settings_check *check, enum settings_kind kind, size_t index, const char *key, const char *text,
                          struct slice found);
/* The same for what is no error. */
void settings_check_note(struct settings_check *check, enum settings_kind kind, size_t index, const char *key, const char *text,
                         struct slice found);

/* Index of the [certificate] of that name, or certificate_count. */
size_t settings_check_certificate(const struct settings_check *check, struct slice name);

/* Listeners, the organisation's networks, metrics: addresses, networks, TLS, and that nothing here makes an open relay. */
void settings_check_listeners(struct settings_check *check);
/* Certificates: key and certificate belong together, and how long they last. */
void settings_check_certificates(struct settings_check *check);
/* Domains and routes: each hosted domain has a way, and no way leads back to us. */
void settings_check_ways(struct settings_check *check);
/* What does not fit together in numbers: budgets against each other and against the machine. */
void settings_check_budgets(struct settings_check *check);

#endif
