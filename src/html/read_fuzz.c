/* Whole pages: bounded steps, evidence and text within their bounds, the same answer twice. */
#include "base/must.h"
#include "html/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t sum;

static void add(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		sum = sum * 31 + s.ptr[i];
}

static enum rc on_text(void *context, const struct html_text *text)
{
	(void)context;
	must(text->place < HTML_PLACES && text->text.len != 0);
	add(text->text);
	return RC_OK;
}

static enum rc on_link(void *context, const struct html_link *link)
{
	(void)context;
	must(link->role < HTML_ROLES && link->shown.len <= HTML_LINK_TEXT_MAX);
	add(link->address);
	add(link->shown);
	add(link->title);
	add(link->base);
	return RC_OK;
}

static enum rc on_script(void *context, enum html_script_place place, struct slice source)
{
	(void)context;
	(void)place;
	add(source);
	return RC_OK;
}

static enum rc on_form(void *context, const struct html_form *form)
{
	(void)context;
	add(form->action);
	add(form->method);
	return RC_OK;
}

static enum rc on_embedded(void *context, const struct html_embedded *embedded)
{
	(void)context;
	add(embedded->media);
	add(embedded->bytes);
	return RC_OK;
}

static enum rc on_picture(void *context, const struct html_cells *cells)
{
	(void)context;
	must(cells->width <= HTML_CELLS_MAX && cells->height <= HTML_CELLS_MAX);
	add(slice_of(cells->bits, (size_t)cells->height * HTML_CELLS_STRIDE));
	return RC_OK;
}

static enum rc on_fact(void *context, enum html_fact fact, struct slice evidence)
{
	(void)context;
	must(fact < HTML_FACTS && evidence.len <= HTML_EVIDENCE_MAX);
	add(evidence);
	return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t             place[HTML_READER_MAX], memory[1 << 18];
	static struct html_reader *reader;
	struct html_summary        summary;
	uint64_t                   sums[2];

	if (size < 1 || size > 1 << 16)
		return 0;
	if (reader == NULL) {
		struct arena arena = arena_on(place, sizeof place);
		reader = html_reader_make(&arena);
		must(reader != NULL);
	}
	const struct html_options options = { .scripting = (data[0] & 1) != 0 };
	const struct html_sink    sink = { .context = NULL,
		                           .text = on_text,
		                           .link = on_link,
		                           .script = on_script,
		                           .form = on_form,
		                           .embedded = on_embedded,
		                           .picture = on_picture,
		                           .fact = on_fact };
	for (int i = 0; i < 2; i++) {
		struct arena arena = arena_on(memory, (data[0] & 2) != 0 ? 1024 : sizeof memory);
		uint64_t     steps = (data[0] & 4) != 0 ? 500 : 1 << 24;
		sum = 0;
		must(html_read(reader, slice_of(data + 1, size - 1), &options, &arena, &sink, &steps, &summary) == RC_OK);
		sums[i] = sum ^ steps ^ summary.fingerprint.exact;
	}
	must(sums[0] == sums[1]);
	return 0;
}
