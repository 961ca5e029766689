/*
 * The two clocks. Wall time is for people, records and headers and may jump; monotonic time is for every deadline and
 * duration. Pure rooms never call these: time comes to them as an argument.
 */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include <stdint.h>

/* Milliseconds since 1970-01-01T00:00:00Z. 0 when the machine's clock stands before that. */
uint64_t clock_wall_ms(void);
uint64_t clock_wall_us(void);

/* Microseconds / milliseconds since some moment before this process began; never goes back, the same in all processes. */
uint64_t clock_mono_us(void);
uint64_t clock_mono_ms(void);

/* Processor time that this process (all threads) or this thread has used, in microseconds. */
uint64_t clock_cpu_us(void);
uint64_t clock_thread_cpu_us(void);

/* Sleep; signals cut it short. For the supervisor and for tests, never on an event loop. */
void clock_sleep_ms(uint64_t ms);

#endif
