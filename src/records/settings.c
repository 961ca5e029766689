/* The keys of [records]. */
#include "records/settings.h"

/* clang-format off */
const struct setting records_settings[] = {
	{ .key = "batch", .kind = SETTING_NUMBER, .offset = offsetof(struct records_settings, batch), .min = 1, .max = 100000,
	  .standard = "2000", .unit = "groups", .help = "Journal groups that go into the store in one transaction." },
	{ .key = "keep_bad", .kind = SETTING_NUMBER, .offset = offsetof(struct records_settings, keep_bad), .max = 100, .standard = "2",
	  .unit = "files", .help = "Damaged stores that are kept aside for a look; the store itself is made anew from the journal." },
	{ .key = NULL },
};
/* clang-format on */
