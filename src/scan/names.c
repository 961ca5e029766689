/*
 * Names of attachments, in every reading that some reader takes: what they would do on the recipient's machine, and
 * what they pretend.
 */
#include "mail/part_name.h"
#include "scan/work.h"
#include "text/utf8.h"

#define NAME_BYTES_MAX 1024u
#define BLANKS_HIDING  8u /* so many blanks before the ending push it out of sight */

/* Endings that Windows, macOS or Linux desktops run, as the large mail providers refuse them. In order, for people. */
/* clang-format off: lists of words */
static const char *const programs[] = {
	"ade",       "adp",    "apk",        "appimage",   "application",
	"appref-ms", "appx",   "appxbundle", "arx",        "asd",
	"bas",       "bat",    "bgi",        "cdxml",      "chm",
	"cmd",       "cnt",    "com",        "command",    "cpl",
	"diagcab",   "dll",    "dmg",        "drv",        "elf",
	"ex",        "ex_",    "exe",        "fon",        "gadget",
	"grp",       "hlp",    "hpj",        "hta",        "inf",
	"ins",       "isp",    "jar",        "jnlp",       "js",
	"jse",       "lnk",    "mad",        "maf",        "mag",
	"mam",       "maq",    "mar",        "mas",        "mat",
	"mau",       "mav",    "maw",        "mcf",        "mda",
	"mde",       "mdt",    "mdw",        "mdz",        "msc",
	"msh",       "msh1",   "msh1xml",    "msh2",       "msh2xml",
	"mshxml",    "msi",    "msix",       "msixbundle", "msp",
	"mst",       "msu",    "nsh",        "ocx",        "ops",
	"osd",       "paf",    "pcd",        "pif",        "pkg",
	"plg",       "prf",    "prg",        "ps1",        "ps1xml",
	"ps2",       "ps2xml", "psc1",       "psc2",       "psd1",
	"psdm1",     "psm1",   "reg",        "rgs",        "scf",
	"scpt",      "scr",    "sct",        "search-ms",  "settingcontent-ms",
	"shb",       "shs",    "sys",        "theme",      "u3p",
	"udl",       "vb",     "vba",        "vbe",        "vbp",
	"vbs",       "vhd",    "vhdx",       "vsmacros",   "vxd",
	"website",   "wsc",    "wsf",        "wsh",        "xbap",
	"xll",       "xnk",
};

/* Endings that people take for harmless, with which a second one hides. */
static const char *const documents[] = {
	"7z",  "avi", "bmp",  "csv", "doc", "docm", "docx", "eml", "gif",  "htm",  "html", "jpeg", "jpg",
	"mp3", "mp4", "msg",  "odp", "ods", "odt",  "pdf",  "png", "ppt",  "pptm", "pptx", "rar",  "rtf",
	"svg", "tif", "tiff", "txt", "wav", "webp", "wps",  "xls", "xlsm", "xlsx", "xml",  "zip",
};
/* clang-format on */

static bool listed(struct slice ending, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_eq_nocase(ending, slice_str(list[i])))
			return true;
	}
	return false;
}

static bool turns_direction(uint32_t character)
{
	return (character >= 0x202a && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069);
}

static bool is_invisible(uint32_t character)
{
	return character == 0xad || character == 0x61c || character == 0x180e ||
	       (character >= 0x200b && character <= 0x200f) || (character >= 0x2060 && character <= 0x2064) ||
	       character == 0xfeff || (character >= 0xe0000 && character <= 0xe007f);
}

static bool is_control(uint32_t character)
{
	return character < 0x20 || character == 0x7f || is_invisible(character);
}

/* Where a name ends for Windows (a stream behind ":"), for C programs (NUL), or for those that take it for a path. */
static bool is_stop(uint32_t character)
{
	return character == '\0' || character == '/' || character == '\\' || character == ':';
}

struct name_view {
	uint8_t  bytes[NAME_BYTES_MAX]; /* without what nobody sees */
	size_t   size;
	size_t   first;   /* how many of them stand before the first stop; `size` when there is none */
	uint32_t bidi;    /* the first such character, or 0 */
	uint32_t control; /* the first such character */
	bool     has_control;
};

static void view_make(struct slice name, struct name_view *view)
{
	view->size = 0;
	view->first = SIZE_MAX;
	view->bidi = 0;
	view->control = 0;
	view->has_control = false;
	name = slice_take(name, NAME_BYTES_MAX);
	while (name.len != 0) {
		size_t         bytes;
		const uint32_t character = utf8_decode(name, &bytes);
		const bool     bidi = turns_direction(character), control = is_control(character);
		if (bidi && view->bidi == 0)
			view->bidi = character;
		if (control && !view->has_control) {
			view->control = character;
			view->has_control = true;
		}
		if (is_stop(character) && view->first == SIZE_MAX)
			view->first = view->size;
		if (!bidi && !control) {
			memcpy(&view->bytes[view->size], name.ptr, bytes);
			view->size += bytes;
		}
		name = slice_drop(name, bytes);
	}
	if (view->first == SIZE_MAX)
		view->first = view->size;
}

/* The ending behind the last full stop, which is cut from *name; empty when there is none. */
static struct slice ending_take(struct slice *name)
{
	const size_t dot = slice_find_last(*name, '.');

	if (dot == name->len)
		return (struct slice){ NULL, 0 };
	const struct slice ending = slice_drop(*name, dot + 1);
	*name = slice_take(*name, dot);
	return slice_trim(ending);
}

static struct slice tail_drop(struct slice name)
{
	while (name.len != 0 &&
	       (name.ptr[name.len - 1] == '.' || name.ptr[name.len - 1] == ' ' || name.ptr[name.len - 1] == '\t'))
		name.len--;
	return name;
}

static size_t blanks_at_end(struct slice name)
{
	size_t count = 0;

	while (count < name.len && (name.ptr[name.len - 1 - count] == ' ' || name.ptr[name.len - 1 - count] == '_'))
		count++;
	return count;
}

static bool known_already(const struct scan_work *work, enum finding_kind kind, uint16_t part)
{
	for (size_t i = 0; i < work->collector.count; i++) {
		if (work->collector.list[i].kind == kind && work->collector.list[i].part == part)
			return true;
	}
	return false;
}

static void collect_name(struct scan_work *work, enum finding_kind kind, uint16_t part, uint32_t offset, uint32_t size,
                         int64_t value, struct slice name)
{
	if (work->collector.per_kind[kind] == 0 || !known_already(work, kind, part))
		collect(&work->collector, kind, part, offset, size, value, name);
}

struct name_place {
	uint16_t part;
	uint32_t offset, size;
};

/* Is `plain` the name of a program? `name` is what is shown as evidence. */
static bool program_look(struct scan_work *work, const struct name_place *place, struct slice plain, struct slice name)
{
	struct slice       rest = tail_drop(plain);
	const struct slice ending = ending_take(&rest);

	if (!listed(ending, programs, sizeof programs / sizeof programs[0]))
		return false;
	collect_name(work, FINDING_NAME_EXECUTABLE, place->part, place->offset, place->size, 0, name);
	const bool hidden = blanks_at_end(rest) >= BLANKS_HIDING;
	rest = tail_drop(rest);
	if (hidden || listed(ending_take(&rest), documents, sizeof documents / sizeof documents[0]))
		collect_name(work, FINDING_NAME_DOUBLE, place->part, place->offset, place->size, 0, name);
	return true;
}

void scan_name(struct scan_work *work, uint16_t part, uint32_t offset, uint32_t size, struct slice name)
{
	const struct name_place place = { part, offset, size };
	struct name_view        view;

	view_make(name, &view);
	const struct slice whole = slice_of(view.bytes, view.size), plain = tail_drop(whole);
	if (view.bidi != 0)
		collect_name(work, FINDING_NAME_BIDI, part, offset, size, view.bidi, name);
	if (view.has_control)
		collect_name(work, FINDING_NAME_CONTROL, part, offset, size, view.control, name);
	if (plain.len != whole.len && plain.len != 0)
		collect_name(work, FINDING_NAME_TRAILING, part, offset, size, 0, name);
	(void)program_look(work, &place, whole, name);
	/* "a.exe:x.txt" is a program to Windows; a colon in a time of day is nothing. */
	if (view.first != view.size && program_look(work, &place, slice_take(whole, view.first), name))
		collect_name(work, FINDING_NAME_CONTROL, part, offset, size, slice_at(whole, view.first), name);
}

/* Do readers take different names from one field? A word that is shown decoded by nearly all of them counts once. */
static bool readings_differ(const struct mime_readings *readings)
{
	size_t   different = 0;
	uint32_t flags = 0;

	for (size_t i = 0; i < readings->count; i++)
		flags |= readings->items[i].flags;
	for (size_t i = 0; i < readings->count; i++) {
		const struct slice text = readings->items[i].text;
		different += (flags & MIME_READING_WORD) == 0 || slice_search(text, SLICE("=?")) == text.len;
	}
	return different > 1 || (flags & MIME_READING_BROKEN) != 0;
}

static void field_names(struct scan_work *work, const struct name_place *place, const struct mime_readings *readings)
{
	if (readings->count == 0)
		return;
	if (readings_differ(readings))
		collect_name(work, FINDING_NAME_ENCODING, place->part, place->offset, place->size, 0,
		             readings->items[0].text);
	for (size_t i = 0; i < readings->count; i++)
		scan_name(work, place->part, place->offset, place->size, readings->items[i].text);
}

/* Where a field of `part` is shown to stand. */
static struct name_place place_of(const struct scan_work *work, const struct message *message,
                                  const struct message_part *part, const struct message_part *shown,
                                  enum header_id id)
{
	const struct header_field *field = header_first(&part->header, id);

	if (message->bytes.ptr != work->bytes.ptr || field == NULL)
		return (struct name_place){ shown->index, shown->body_offset, (uint32_t)shown->body.len };
	return (struct name_place){ message == &work->message ? part->index : shown->index, field->offset,
		                    field->size };
}

static void part_names_look(struct scan_work *work, const struct message *message, const struct message_part *part,
                            const struct message_part *shown)
{
	struct part_names names;

	if (part_names_read(part, work->options->limits.parameters, work->arena, &names) != RC_OK)
		collect_limit(&work->collector, FINDING_LIMIT_MEMORY, shown->index, work->arena->size);
	const size_t count = names.type.count + names.disposition.count + names.description.count;
	if (count == 0 || !scan_step(work, 1 + (uint64_t)part->header.size * count))
		return;
	const struct name_place type = place_of(work, message, part, shown, HEADER_CONTENT_TYPE);
	const struct name_place disposition = place_of(work, message, part, shown, HEADER_CONTENT_DISPOSITION);
	const struct name_place description = place_of(work, message, part, shown, HEADER_CONTENT_DESCRIPTION);
	field_names(work, &type, &names.type);
	field_names(work, &disposition, &names.disposition);
	for (size_t i = 0; i < names.description.count; i++)
		(void)program_look(work, &description, names.description.items[i].text, names.description.items[i].text);
	if (names.type.count != 0 && names.disposition.count != 0 &&
	    !slice_eq_nocase(slice_trim(names.type.items[0].text), slice_trim(names.disposition.items[0].text)))
		collect_name(work, FINDING_NAME_DISAGREE, disposition.part, disposition.offset, disposition.size, 0,
		             names.type.items[0].text);
}

void scan_names_of(struct scan_work *work, const struct message *message, const struct message_part *shown)
{
	for (size_t i = 0; i < message->count; i++) {
		const struct message_part *part = message->parts[i];
		const size_t               mark = work->arena->used;
		part_names_look(work, message, part, message == &work->message ? part : shown);
		arena_release(work->arena, mark);
	}
}

void scan_names(struct scan_work *work)
{
	scan_names_of(work, &work->message, work->message.parts[0]);
}
