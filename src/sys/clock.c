/* The kernel's clocks as numbers. */
#include "sys/clock.h"

#include "base/must.h"

#include <time.h>

static uint64_t read_us(clockid_t clock)
{
	struct timespec now;

	must(clock_gettime(clock, &now) == 0);
	return now.tv_sec < 0 ? 0 : (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t clock_wall_ms(void)
{
	return read_us(CLOCK_REALTIME) / 1000u;
}

uint64_t clock_wall_us(void)
{
	return read_us(CLOCK_REALTIME);
}

uint64_t clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

uint64_t clock_mono_ms(void)
{
	return read_us(CLOCK_MONOTONIC) / 1000u;
}

uint64_t clock_cpu_us(void)
{
	return read_us(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t clock_thread_cpu_us(void)
{
	return read_us(CLOCK_THREAD_CPUTIME_ID);
}

void clock_sleep_ms(uint64_t ms)
{
	const struct timespec wait = { .tv_sec = (time_t)(ms / 1000u), .tv_nsec = (long)(ms % 1000u) * 1000000L };

	(void)nanosleep(&wait, NULL);
}
