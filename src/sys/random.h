/*
 * Random bytes from the kernel (getrandom). There is no answer but success: without randomness no id, no seed and no key
 * may be made, so a refusal ends the process.
 */
#ifndef SYS_RANDOM_H
#define SYS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *to, size_t size);
uint64_t random_u64(void);
/* 0 to bound - 1, each equally likely; `bound` is not 0. */
uint64_t random_below(uint64_t bound);

#endif
