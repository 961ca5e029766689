/* Dates out of any bytes: a date is between 1970 and 9999. */
#include "base/must.h"
#include "mail/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t  seconds = 0;
	uint32_t flags = 0;

	if (date_read(slice_of(data, size), &seconds, &flags) == RC_OK)
		must(seconds >= -86400 && seconds <= INT64_C(253402387199) && (flags & ~DATE_LOOSE) == 0);
	return 0;
}
