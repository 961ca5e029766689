/* The tables of all rooms in the order of the manual. What a section means is said by the room that publishes its table. */
#ifndef SETTINGS_SECTIONS_H
#define SETTINGS_SECTIONS_H

#include "base/setting.h"

enum settings_kind {
	SETTINGS_GATEWAY,
	SETTINGS_LISTENER,
	SETTINGS_CERTIFICATE,
	SETTINGS_DOMAIN,
	SETTINGS_ORGANISATION,
	SETTINGS_ACCOUNTS,
	SETTINGS_ROUTE,
	SETTINGS_QUEUE,
	SETTINGS_CALLAHEAD,
	SETTINGS_TLS,
	SETTINGS_DNS,
	SETTINGS_SCANNER,
	SETTINGS_SCAN,
	SETTINGS_POLICY,
	SETTINGS_POLICY_FOR,
	SETTINGS_JOURNAL,
	SETTINGS_RECORDS,
	SETTINGS_METRICS,
	SETTINGS_LOG,
	SETTINGS_KINDS
};
_Static_assert(SETTINGS_KINDS <= SETTING_SECTION_KINDS_MAX, "the reader takes so many kinds");

extern const struct setting_section settings_sections[SETTINGS_KINDS];

#endif
