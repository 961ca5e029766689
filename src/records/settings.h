/* The settings of records: [records] and [metrics]. */
#ifndef RECORDS_SETTINGS_H
#define RECORDS_SETTINGS_H

#include "base/setting.h"

/* [records] */
struct records_settings {
	uint64_t batch;    /* journal groups in one transaction of the store */
	uint64_t keep_bad; /* damaged stores that are kept aside */
};

extern const struct setting records_settings[];

#endif
