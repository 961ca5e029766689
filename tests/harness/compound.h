/*
 * Compound files for tests: storages and streams given as paths, laid out as [MS-CFB] asks, small streams in the mini
 * stream. Only what tests need: sectors of 512 bytes, names of ASCII, one list of allocation sectors.
 */
#ifndef HARNESS_COMPOUND_H
#define HARNESS_COMPOUND_H

#include "base/buf.h"

struct compound_stream {
	const char  *path; /* "Macros/VBA/dir"; storages are made on the way; a path that ends in "/" is a storage */
	struct slice bytes;
};

/* The file in `out`, whose bound must be large enough. Version 3. */
void compound_make(const struct compound_stream *streams, size_t count, struct buf *out);

#endif
