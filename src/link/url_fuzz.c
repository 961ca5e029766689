/*
 * The URL parser over any bytes, with and without a base. What it writes it reads again unchanged, and all parts lie
 * where they should.
 */
#include "base/must.h"
#include "link/ready.h"
#include "link/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct url *url, struct arena *arena)
{
	struct url again;

	must(url->href.len >= url->scheme.len + 1);
	must(url->host.len + url->path.len + url->query.len + url->fragment.len < url->href.len);
	if (url->href.len > URL_BYTES_MAX)
		return;
	must(url_parse(url->href, NULL, arena, &again) == RC_OK);
	must(slice_eq(again.href, url->href));
	must(slice_eq(again.host, url->host) && again.port == url->port && again.host_kind == url->host_kind);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t             memory[1 << 20];
	static struct suffix_list *list;
	struct arena               arena = arena_on(memory, sizeof memory);
	struct url                 base, url;
	struct slice               text = slice_of(data, size);
	const struct slice         first = slice_until(&text, '\n');

	if (list == NULL)
		must(link_ready((struct slice){ NULL, 0 }, &list) == RC_OK);
	if (size > 4096)
		return 0;
	if (url_parse(first, NULL, &arena, &base) == RC_OK) {
		check(&base, &arena);
		if (url_parse(text, &base, &arena, &url) == RC_OK)
			check(&url, &arena);
	}
	return 0;
}
