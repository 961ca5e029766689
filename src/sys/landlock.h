/*
 * Landlock by its system calls, since the C library has none. Internal to room sys: sandbox.c closes it as one part of a box.
 */
#ifndef SYS_LANDLOCK_H
#define SYS_LANDLOCK_H

#include "sys/sandbox.h"

/* The level the kernel offers: 0 none (not built in, or switched off at boot). */
int landlock_level(void);

/*
 * Confine this process: only the files below the paths of the box; TCP as its network says (from level 4), no signals and no
 * abstract sockets across the border (from level 6). A box that supervises only gives up executing and making devices.
 * What the level cannot give is left out. RC_UNSUPPORTED: level 0. RC_IO: the kernel refused; errno is set.
 */
MUST_CHECK enum rc landlock_close(const struct sandbox *box);

/* What level `level` lacks, as a static sentence; "" when it has all we ask for. */
const char *landlock_missing(int level);

#endif
