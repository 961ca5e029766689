/* The adapter to libpsl. A list from memory goes through a FILE of fmemopen, at start only: libpsl reads no other way. */
#include "link/suffix.h"

#include "base/memory.h"

#include <libpsl.h>
#include <stdio.h>

struct suffix_list {
	const psl_ctx_t *psl;
	psl_ctx_t       *owned; /* NULL: the built-in one */
};

/* Registries that have rules for names below their own label only, so that the list has no rule for that itself. */
static const struct slice tops_without_rule[] = { SLICE_INIT("za") };

static bool is_suffix(const psl_ctx_t *psl, const char *name, int kind)
{
	return psl_is_public_suffix2(psl, name, kind | PSL_TYPE_NO_STAR_RULE) != 0;
}

static enum rc list_load(struct slice text, psl_ctx_t **out)
{
	if (text.len > SUFFIX_LIST_BYTES_MAX)
		return RC_LIMIT;
	uint8_t *copy = memory_take(1, text.len);
	if (copy == NULL)
		return RC_NOMEM;
	memcpy(copy, text.ptr, text.len);
	FILE *file = fmemopen(copy, text.len, "r");
	*out = file == NULL ? NULL : psl_load_fp(file);
	if (file != NULL)
		(void)fclose(file);
	memory_give(copy);
	return *out == NULL ? RC_SYNTAX : RC_OK;
}

enum rc suffix_open(struct slice text, struct suffix_list **out)
{
	struct suffix_list *list = memory_take(1, sizeof *list);
	enum rc             rc = RC_OK;

	if (list == NULL)
		return RC_NOMEM;
	list->psl = psl_builtin();
	if (text.len != 0) {
		rc = list_load(text, &list->owned);
		list->psl = list->owned;
	}
	if (rc == RC_OK &&
	    (list->psl == NULL || !is_suffix(list->psl, "com", PSL_TYPE_ANY) ||
	     !is_suffix(list->psl, "co.uk", PSL_TYPE_ANY) || is_suffix(list->psl, "example.com", PSL_TYPE_ANY)))
		rc = RC_SYNTAX;
	if (rc != RC_OK) {
		suffix_close(&list);
		return rc;
	}
	*out = list;
	return RC_OK;
}

void suffix_close(struct suffix_list **list)
{
	if (*list == NULL)
		return;
	if ((*list)->owned != NULL)
		psl_free((*list)->owned);
	memory_give(*list);
	*list = NULL;
}

void suffix_find(const struct suffix_list *list, struct slice host, struct suffix *out)
{
	char name[SUFFIX_HOST_MAX + 1];

	*out = (struct suffix){ .listed = false };
	if (slice_last(host) == '.')
		host.len--;
	if (host.len == 0 || host.len > SUFFIX_HOST_MAX || slice_find(host, ':') != host.len)
		return;
	const size_t size = slice_to_cstr(host, name, sizeof name);
	if (size != host.len ||
	    byte_is_digit(host.ptr[slice_find_last(host, '.') == host.len ? 0 : slice_find_last(host, '.') + 1]))
		return;
	for (size_t i = 0; i < size; i++)
		name[i] = (char)byte_lower((uint8_t)name[i]);
	const char *registrable = psl_registrable_domain(list->psl, name);
	const char *suffix = registrable == NULL ? name : strchr(registrable, '.');
	suffix = suffix == NULL ? name : suffix + (registrable != NULL);
	out->suffix = slice_drop(host, (size_t)(suffix - name));
	if (registrable != NULL)
		out->registrable = slice_drop(host, (size_t)(registrable - name));
	out->listed = is_suffix(list->psl, suffix, PSL_TYPE_ANY) || suffix_is_top(list, out->suffix);
	out->private_part =
		is_suffix(list->psl, suffix, PSL_TYPE_PRIVATE) && !is_suffix(list->psl, suffix, PSL_TYPE_ICANN);
}

bool suffix_is_top(const struct suffix_list *list, struct slice label)
{
	char name[64];

	if (label.len == 0 || label.len >= sizeof name || slice_find(label, '.') != label.len)
		return false;
	if (slice_to_cstr(label, name, sizeof name) != label.len)
		return false;
	for (size_t i = 0; i < label.len; i++)
		name[i] = (char)byte_lower((uint8_t)name[i]);
	if (is_suffix(list->psl, name, PSL_TYPE_ICANN))
		return true;
	for (size_t i = 0; i < sizeof tops_without_rule / sizeof tops_without_rule[0]; i++) {
		if (slice_eq_nocase(label, tops_without_rule[i]))
			return true;
	}
	return false;
}
