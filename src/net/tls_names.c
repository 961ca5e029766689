/* Which of a server's certificates answers for which name. */
#include "net/tls_inner.h"

#include "base/memory.h"

/* Names are counted before they are kept, so that the scratch arena has one fixed size: 256 names of 255 bytes at most. */
#define NAMES_BYTES ((size_t)TLS_NAMES_MAX * (sizeof(struct slice) + 256) + 4096)

static const struct tls_name *find(const struct tls_names *names, struct slice wanted)
{
	size_t low = 0, high = names->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int    order = slice_compare(wanted, names->items[middle].name);
		if (order == 0)
			return &names->items[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool tls_names_find(const struct tls_names *names, struct slice asked, size_t *ret_pair)
{
	uint8_t text[256];

	if (asked.len == 0 || asked.len > 255)
		return false;
	for (size_t index = 0; index < asked.len; index++)
		text[index] = byte_lower(asked.ptr[index]);
	struct slice           name = slice_of(text, asked.len);
	const struct tls_name *found = find(names, name);
	const size_t           dot = slice_find(name, '.');
	if (found == NULL && dot != 0 && dot < name.len) {
		text[dot - 1] = '*';
		found = find(names, slice_drop(name, dot - 1));
	}
	if (found == NULL)
		return false;
	*ret_pair = found->pair;
	return true;
}

static enum rc add_one(struct tls_names *names, size_t pair, struct slice name)
{
	size_t where = 0;

	while (where < names->count && slice_compare(name, names->items[where].name) > 0)
		where++;
	if (where < names->count && slice_eq(name, names->items[where].name))
		return RC_OK; /* the first pair that carries a name shows it */
	uint8_t *bytes = memory_take(1, name.len);
	if (bytes == NULL)
		return RC_NOMEM;
	memcpy(bytes, name.ptr, name.len);
	memmove(names->items + where + 1, names->items + where, (names->count - where) * sizeof *names->items);
	names->items[where] = (struct tls_name){ slice_of(bytes, name.len), pair };
	names->count++;
	return RC_OK;
}

enum rc tls_names_add(struct tls_names *names, size_t pair, const struct x509_st *certificate)
{
	const struct slice *list;
	size_t              count;
	struct arena        scratch;

	if (arena_init(&scratch, NAMES_BYTES) != RC_OK)
		return RC_NOMEM;
	enum rc rc = tls_names_read(certificate, false, &scratch, &list, &count);
	if (rc == RC_OK) {
		struct tls_name *grown = memory_resize(names->items, (names->count + count + 1) * sizeof *grown);
		if (grown == NULL)
			rc = RC_NOMEM;
		else
			names->items = grown;
	}
	for (size_t index = 0; rc == RC_OK && index < count; index++)
		rc = add_one(names, pair, list[index]);
	arena_done(&scratch);
	return rc;
}

bool tls_names_covered(const struct tls_names *names, size_t pair, const struct tls_names *by)
{
	size_t count = 0, ignored;

	for (size_t index = 0; index < names->count; index++) {
		if (names->items[index].pair != pair)
			continue;
		if (!tls_names_find(by, names->items[index].name, &ignored))
			return false;
		count++;
	}
	return count != 0;
}

void tls_names_done(struct tls_names *names)
{
	for (size_t index = 0; index < names->count; index++) {
		union {
			const uint8_t *borrowed;
			uint8_t       *owned;
		} name = { .borrowed = names->items[index].name.ptr };
		memory_give(name.owned);
	}
	memory_give(names->items);
	*names = (struct tls_names){ .items = NULL };
}
