/*
 * The headers of RAR archives (4 and 5), read for what libarchive does not tell: which members are encrypted, and whether
 * the file is one part of several. Nothing is unpacked here. Source: RARLAB's technote.txt for both versions.
 */
#ifndef ARCHIVE_RAR_H
#define ARCHIVE_RAR_H

#include <stdbool.h>

#include "base/slice.h"

struct rar_walk {
	struct slice rest;
	bool         five;
	bool         locked; /* headers from here on are encrypted: no names can be read */
	bool         volume; /* one part of several */
};

struct rar_file {
	struct slice name; /* its bytes: UTF-8 in version 5, in version 4 mostly */
	uint64_t     claimed;
	bool         encrypted;
	bool         folder;
	bool         split; /* its data go on in another part */
};

/* `bytes` begin with the mark of either version; false: they do not. */
bool rar_walk_start(struct slice bytes, struct rar_walk *out);

/* The next file; false: no more can be read (see walk->locked). Each call moves on: at most one per 7 bytes of the file. */
bool rar_walk_next(struct rar_walk *walk, struct rar_file *out);

#endif
