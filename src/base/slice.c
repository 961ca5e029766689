/* Searching and comparing borrowed bytes. */
#include "base/slice.h"

size_t slice_offset(struct slice whole, struct slice part)
{
	const uintptr_t first = (uintptr_t)whole.ptr, at = (uintptr_t)part.ptr;

	return part.len != 0 && at >= first && at - first < whole.len ? (size_t)(at - first) : SIZE_MAX;
}

bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (byte_lower(a.ptr[i]) != byte_lower(b.ptr[i]))
			return false;
	}
	return true;
}

int slice_compare(struct slice a, struct slice b)
{
	const size_t shorter = a.len < b.len ? a.len : b.len;
	const int    order = shorter == 0 ? 0 : memcmp(a.ptr, b.ptr, shorter);

	if (order != 0)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

bool slice_starts(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && slice_eq(slice_take(s, prefix.len), prefix);
}

bool slice_starts_nocase(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && slice_eq_nocase(slice_take(s, prefix.len), prefix);
}

bool slice_ends(struct slice s, struct slice suffix)
{
	return s.len >= suffix.len && slice_eq(slice_drop(s, s.len - suffix.len), suffix);
}

bool slice_ends_nocase(struct slice s, struct slice suffix)
{
	return s.len >= suffix.len && slice_eq_nocase(slice_drop(s, s.len - suffix.len), suffix);
}

size_t slice_find(struct slice s, uint8_t byte)
{
	const uint8_t *found = s.len == 0 ? NULL : memchr(s.ptr, byte, s.len);

	return found == NULL ? s.len : (size_t)(found - s.ptr);
}

size_t slice_find_last(struct slice s, uint8_t byte)
{
	for (size_t i = s.len; i != 0; i--) {
		if (s.ptr[i - 1] == byte)
			return i - 1;
	}
	return s.len;
}

size_t slice_search(struct slice s, struct slice needle)
{
	if (needle.len == 0)
		return 0;
	size_t at = 0;
	while (s.len - at >= needle.len) {
		at += slice_find(slice_take(slice_drop(s, at), s.len - at - needle.len + 1), needle.ptr[0]);
		if (s.len - at < needle.len)
			break;
		if (memcmp(s.ptr + at, needle.ptr, needle.len) == 0)
			return at;
		at++;
	}
	return s.len;
}

size_t slice_search_nocase(struct slice s, struct slice needle)
{
	for (size_t at = 0; at + needle.len <= s.len; at++) {
		if (slice_eq_nocase(slice_cut(s, at, needle.len), needle))
			return at;
	}
	return s.len;
}

struct slice slice_until(struct slice *rest, uint8_t byte)
{
	const size_t       at = slice_find(*rest, byte);
	const struct slice head = slice_take(*rest, at);

	*rest = slice_drop(*rest, at == rest->len ? at : at + 1);
	return head;
}

static bool is_blank(uint8_t byte)
{
	return byte_is_wsp(byte) || byte == '\r' || byte == '\n';
}

struct slice slice_trim(struct slice s)
{
	while (s.len != 0 && is_blank(s.ptr[0]))
		s = slice_drop(s, 1);
	while (s.len != 0 && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

size_t slice_to_cstr(struct slice s, char *out, size_t room)
{
	if (room == 0)
		return 0;
	struct slice part = slice_take(s, room - 1);
	part = slice_take(part, slice_find(part, '\0'));
	if (part.len != 0)
		memcpy(out, part.ptr, part.len);
	out[part.len] = '\0';
	return part.len;
}
