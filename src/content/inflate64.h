/*
 * Deflate64, which zlib lacks and Windows unpacks by itself: deflate with 30 + 2 distance codes, a window of 64 KiB and
 * a longest length of 65,538. Called by content/inflate.c only; that header is the contract.
 */
#ifndef CONTENT_INFLATE64_H
#define CONTENT_INFLATE64_H

#include "base/buf.h"
#include "content/meter.h"

MUST_CHECK enum rc inflate64_take(struct slice bytes, struct meter *meter, struct buf *out, size_t *used);

#endif
