/* Style sheets, declarations and colours over any bytes: linear, in bounded memory, and matched in bounded steps. */
#include "base/must.h"
#include "html/colour.h"
#include "html/sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_declaration(void *context, const struct html_declaration *declaration)
{
	(void)context;
	must(declaration->property < HTML_PROPERTIES);
}

static void on_slice(void *context, struct slice s)
{
	const struct slice *all = context;

	must(s.len <= all->len);
}

static const struct html_subject *at(const void *context, size_t up)
{
	return up < 2 ? context : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t            memory[1 << 18];
	static struct html_cascade out, some;
	struct slice              all = slice_of(data, size);
	struct arena              arena = arena_on(memory, sizeof memory);
	const struct html_css_sink sink = { .context = &all, .declaration = on_declaration, .url = on_slice, .script = on_slice };
	struct html_sheet         sheet;
	struct html_subject       subject = { .hash = html_name_hash(SLICE("p")), .class_count = 1 };
	const struct html_family  family = { .at = at, .context = &subject };
	uint64_t                  steps = 1 << 20;
	uint32_t                  colour;
	bool                      some_set = false;

	if (size > 1 << 14)
		return 0;
	subject.classes[0] = html_style_hash(SLICE("a"));
	html_css_read(all, &sink, &steps);
	html_sheet_init(&sheet, &arena, &sink);
	html_sheet_add(&sheet, all, &steps);
	must(sheet.count <= HTML_RULES_MAX);
	html_sheet_match(&sheet, &family, &out, &some, &some_set, &steps);
	(void)html_colour_css(all, &colour);
	(void)html_colour_legacy(all, &colour);
	return 0;
}
