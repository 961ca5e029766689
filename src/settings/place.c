/* Where something of the settings stands, for the person who has to mend it: file, line, column, section. */
#include "settings/place.h"

#include "base/codec.h"
#include "settings/settings.h"

#define FOUND_BYTES_MAX 200u

struct settings_place settings_place_of(struct slice text, struct slice part)
{
	const size_t          offset = slice_offset(text, part);
	struct slice          before = slice_take(text, offset);
	struct settings_place place = { .line = 1, .column = 1 };

	if (offset == SIZE_MAX)
		return (struct settings_place){ .line = 0 };
	while (slice_find(before, '\n') != before.len) {
		(void)slice_until(&before, '\n');
		place.line++;
	}
	place.column = before.len + 1;
	return place;
}

struct settings_place settings_place_of_key(struct slice text, size_t heading_line, const char *key)
{
	struct slice rest = text;
	size_t       line = 0;

	while (line < heading_line && rest.len != 0) {
		(void)slice_until(&rest, '\n');
		line++;
	}
	while (heading_line != 0 && rest.len != 0) {
		const struct slice whole = slice_until(&rest, '\n');
		const size_t       equals = slice_find(whole, '=');
		line++;
		if (slice_at(slice_trim(whole), 0) == '[')
			break;
		const struct slice word = slice_trim(slice_take(whole, equals)), value = slice_trim(slice_drop(whole, equals + 1));
		if (equals == whole.len || !slice_eq(word, slice_str(key)))
			continue;
		return (struct settings_place){ .line = line, .column = slice_offset(whole, value.len != 0 ? value : word) + 1 };
	}
	return (struct settings_place){ .line = 0 };
}

void settings_put_place(struct slice path, struct settings_place place, struct buf *out)
{
	codec_quote(path, SETTINGS_PATH_MAX, out);
	buf_put_byte(out, ':');
	if (place.line != 0) {
		buf_put_u64(out, place.line);
		buf_put_byte(out, ':');
	}
	if (place.line != 0 && place.column != 0) {
		buf_put_u64(out, place.column);
		buf_put_byte(out, ':');
	}
	buf_put_byte(out, ' ');
}

struct settings_place settings_place_of_spot(struct slice text, const struct setting_values *values, const struct settings_spot *spot)
{
	const size_t          heading = spot->index < values->sections[spot->kind].count ? values->sections[spot->kind].lines[spot->index] : 0;
	struct settings_place place = settings_place_of(text, spot->found);

	if (place.line == 0 && spot->key != NULL)
		place = settings_place_of_key(text, heading, spot->key);
	if (place.line == 0)
		place = (struct settings_place){ .line = heading, .column = 1 };
	return place;
}

void settings_put_spot(const struct setting_values *values, const struct settings_spot *spot, struct buf *out)
{
	const struct setting_section *section = &settings_sections[spot->kind];

	buf_put_byte(out, '[');
	buf_put_str(out, section->name);
	if (section->named) {
		struct slice name;
		memcpy(&name, (const uint8_t *)values->sections[spot->kind].items + spot->index * section->size, sizeof name);
		buf_put_byte(out, ' ');
		codec_quote(name, FOUND_BYTES_MAX, out);
	}
	buf_put_str(out, "] ");
	if (spot->key != NULL) {
		buf_put_str(out, spot->key);
		buf_put_str(out, ": ");
	}
	buf_put_str(out, spot->text);
	if (spot->found.len != 0) {
		buf_put_str(out, ": ");
		codec_quote(spot->found, FOUND_BYTES_MAX, out);
	}
	buf_put_byte(out, '\n');
}

enum rc settings_put_path(struct slice settings_path, struct slice name, struct buf *out)
{
	const size_t slash = slice_find_last(settings_path, '/');

	if (slice_at(name, 0) != '/' && slash != settings_path.len)
		buf_put(out, slice_take(settings_path, slash + 1));
	buf_put(out, name);
	return out->failed ? RC_LIMIT : RC_OK;
}
