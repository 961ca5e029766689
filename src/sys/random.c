/* getrandom(2), complete or not at all. */
#include "sys/random.h"

#include "base/must.h"

#include <errno.h>
#include <sys/random.h>

void random_bytes(void *to, size_t size)
{
	size_t done = 0;

	while (done < size) {
		const ssize_t got = getrandom((char *)to + done, size - done, 0);
		if (got < 0 && errno == EINTR)
			continue;
		must(got > 0);
		done += (size_t)got;
	}
}

uint64_t random_u64(void)
{
	uint64_t number;

	random_bytes(&number, sizeof number);
	return number;
}

uint64_t random_below(uint64_t bound)
{
	must(bound != 0);
	/* Numbers below 2^64 mod bound would make small results likelier: draw again. */
	const uint64_t unfair = (0 - bound) % bound;

	for (;;) {
		const uint64_t number = random_u64();
		if (number >= unfair)
			return number % bound;
	}
}
