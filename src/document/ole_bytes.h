/*
 * Little-endian fields at a place of untrusted bytes, for formats that jump about (base/cursor.h reads in order). What
 * lies outside the bytes is 0.
 */
#ifndef DOCUMENT_OLE_BYTES_H
#define DOCUMENT_OLE_BYTES_H

#include "base/slice.h"

static inline uint8_t bytes_u8(struct slice s, size_t at)
{
	return at < s.len ? s.ptr[at] : 0;
}

static inline uint16_t bytes_u16(struct slice s, size_t at)
{
	if (s.len < 2 || at > s.len - 2)
		return 0;
	return (uint16_t)(s.ptr[at] | s.ptr[at + 1] << 8);
}

static inline uint32_t bytes_u32(struct slice s, size_t at)
{
	if (s.len < 4 || at > s.len - 4)
		return 0;
	return (uint32_t)bytes_u16(s, at) | (uint32_t)bytes_u16(s, at + 2) << 16;
}

static inline uint64_t bytes_u64(struct slice s, size_t at)
{
	if (s.len < 8 || at > s.len - 8)
		return 0;
	return (uint64_t)bytes_u32(s, at) | (uint64_t)bytes_u32(s, at + 4) << 32;
}

#endif
