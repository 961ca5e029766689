/* The manual of all settings, written as a settings file in which every line is a comment. */
#include "base/setting.h"
#include "base/setting_value.h"

#define WIDTH       100u
#define EXPECTED_MAX 1024u

/* Words of `text` in lines of at most WIDTH bytes, "# " in front of each. */
static void put_comment(struct buf *out, struct slice text)
{
	size_t column = 0;

	while (text.len != 0) {
		const struct slice word = slice_until(&text, ' ');
		if (column != 0 && column + 1 + word.len > WIDTH) {
			buf_put_byte(out, '\n');
			column = 0;
		}
		buf_put(out, column == 0 ? SLICE("# ") : SLICE(" "));
		column += word.len + (column == 0 ? 2 : 1);
		buf_put(out, word);
	}
	buf_put_byte(out, '\n');
}

static void put_key(struct buf *out, const struct setting *setting)
{
	struct buf text = buf_make(EXPECTED_MAX);

	buf_put_byte(out, '\n');
	put_comment(out, slice_str(setting->help));
	setting_value_expected(setting, &text);
	const bool kind_says_unit = setting->kind == SETTING_SIZE || setting->kind == SETTING_DURATION;
	if (setting->unit != NULL && setting->unit[0] != '\0' && !kind_says_unit) {
		buf_put_str(&text, " (");
		buf_put_str(&text, setting->unit);
		buf_put_byte(&text, ')');
	}
	buf_put_str(&text, setting->standard == NULL ? "; must be given." : ".");
	/* The expected text begins lower-case, as it stands behind "expected" in errors. */
	if (text.len != 0 && text.ptr[0] >= 'a' && text.ptr[0] <= 'z')
		text.ptr[0] = (uint8_t)(text.ptr[0] - 'a' + 'A');
	if (text.failed)
		out->failed = true;
	put_comment(out, buf_slice(&text));
	buf_put_byte(out, '#');
	buf_put_str(out, setting->key);
	buf_put_str(out, " =");
	if (setting->standard != NULL && setting->standard[0] != '\0') {
		buf_put_byte(out, ' ');
		buf_put_str(out, setting->standard);
	}
	buf_put_byte(out, '\n');
	buf_done(&text);
}

void setting_describe(const struct setting_section *sections, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		if (i != 0)
			buf_put_str(out, "\n\n");
		put_comment(out, slice_str(sections[i].help));
		if (sections[i].named) {
			struct buf text = buf_make(EXPECTED_MAX);
			buf_printf(&text, "There may be up to %zu such sections, each with its own name.", sections[i].max);
			put_comment(out, buf_slice(&text));
			buf_done(&text);
		}
		buf_put_str(out, "#[");
		buf_put_str(out, sections[i].name);
		buf_put_str(out, sections[i].named ? " NAME]\n" : "]\n");
		for (const struct setting *setting = sections[i].settings; setting->key != NULL; setting++)
			put_key(out, setting);
	}
}
