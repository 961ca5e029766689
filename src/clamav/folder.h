/*
 * The folders for temporary files: one below the common folder for each process that scans, named after the loader and
 * the place, "1234-0". What a killed one left in it goes before the next one begins.
 */
#ifndef CLAMAV_FOLDER_H
#define CLAMAV_FOLDER_H

#include "base/rc.h"

#include <limits.h>

struct folder {
	char path[PATH_MAX];
	int  handle; /* -1: not open */
};

/* Make it (empty, if it is there already) and open it. RC_LIMIT: its path is too long. Close with folder_close(). */
MUST_CHECK enum rc folder_make(const char *top, int pid, unsigned place, struct folder *out);
void               folder_close(struct folder *folder);
/* Remove it with all that is in it; one that is not there is gone. */
void folder_remove(const char *top, int pid, unsigned place);
/* Remove all such folders below `top`: those of loaders that are no more. */
void folder_remove_all(const char *top);

#endif
