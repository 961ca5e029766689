/* Packages, objects of OLE 1, monikers, classes. */
#include "document/ole_object.h"

#include "base/buf.h"
#include "document/ole.h"
#include "document/ole_bytes.h"
#include "document/ole_text.h"

#define ADDRESS_MAX 4096u
#define CLASS_MAX   255u

/* Bytes up to a NUL; moves *rest behind it. False: there is none within `max`. */
static bool string_take(struct slice *rest, size_t max, struct slice *out)
{
	const size_t size = slice_find(*rest, 0);

	if (size >= rest->len || size > max)
		return false;
	*out = slice_take(*rest, size);
	*rest = slice_drop(*rest, size + 1);
	return true;
}

static struct slice last_name(struct slice path)
{
	const size_t at = slice_find_last(path, '\\');

	return at < path.len ? slice_drop(path, at + 1) : path;
}

/* Behind the data stand the three names once more, in UTF-16 with their counts: the file's name as its maker wrote it. */
static struct slice wide_label(struct slice behind, struct buf *out)
{
	const size_t command = bytes_u32(behind, 0);
	const size_t at = 4 + command * 2;
	const size_t label = command < 4096 ? bytes_u32(behind, at) : 0;

	if (label == 0 || label > 512 || at + 4 + label * 2 > behind.len)
		return (struct slice){ NULL, 0 };
	ole_put_utf16(slice_cut(behind, at + 4, label * 2), out);
	return buf_slice(out);
}

enum rc ole_package_read(struct slice native, struct budget *budget, const struct content_sink *sink)
{
	struct slice rest = slice_drop(native, 2), label, path, command = { NULL, 0 };
	struct buf   name = buf_make(2048);

	if (native.len < 8 || !string_take(&rest, 1024, &label) || !string_take(&rest, 4096, &path))
		return RC_SYNTAX;
	const unsigned kind = bytes_u16(rest, 2);
	rest = slice_drop(rest, 4);
	const size_t command_size = bytes_u32(rest, 0);
	if (command_size > 8192 || rest.len < 4)
		return RC_SYNTAX;
	command = slice_take(slice_cut(rest, 4, command_size), slice_find(slice_cut(rest, 4, command_size), 0));
	rest = slice_drop(rest, 4 + command_size);
	if (kind == 1) { /* linked: the file is fetched from where the path says */
		const enum rc rc = sink_fact(sink, CONTENT_FACT_OFFICE_EXTERNAL, path);
		return rc == RC_OK ? sink_link(sink, CONTENT_PLACE_REFERENCE, path, label) : rc;
	}
	const size_t size = bytes_u32(rest, 0);
	if (rest.len < 4)
		return RC_SYNTAX;
	struct content_member member = { .bytes = slice_cut(rest, 4, size),
		                         .claimed = size,
		                         .flags = rest.len - 4 < size ? CONTENT_MEMBER_CUT : 0 };
	/* Readers show the label, and open the file under the name of the command's path. */
	member.name = wide_label(slice_drop(rest, 4 + size), &name);
	if (member.name.len == 0) {
		ole_put_codepage(1252, label.len != 0 ? label : last_name(command.len != 0 ? command : path), &name);
		member.name = buf_slice(&name);
	}
	enum rc            rc = sink_fact(sink, CONTENT_FACT_OFFICE_PACKAGE, member.name);
	const struct slice opened = last_name(command);
	if (rc == RC_OK && opened.len != 0 && label.len != 0 &&
	    !slice_eq_nocase(slice_drop(opened, slice_find_last(opened, '.')),
	                     slice_drop(label, slice_find_last(label, '.'))))
		rc = sink_text(sink, CONTENT_PLACE_NAME, opened);
	if (rc == RC_OK)
		rc = sink_member(sink, budget, &member);
	buf_done(&name);
	return rc;
}

/* A string with its size in front, the NUL counted; false when it is no such thing. */
static bool counted_take(struct slice *rest, struct slice *out)
{
	const size_t size = bytes_u32(*rest, 0);

	if (rest->len < 4 || size > rest->len - 4 || size > ADDRESS_MAX)
		return false;
	*out = slice_cut(*rest, 4, size);
	*out = slice_take(*out, slice_find(*out, 0));
	*rest = slice_drop(*rest, 4 + size);
	return true;
}

/* No header, or one that means nothing to us: whatever compound file stands there. */
static enum rc hidden_read(struct slice object, struct budget *budget, const struct content_sink *sink)
{
	const size_t at = slice_search(object, SLICE("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"));

	if (at >= object.len)
		return RC_SYNTAX;
	const struct content_member member = { .bytes = slice_drop(object, at) };
	const enum rc rc = sink_fact(sink, CONTENT_FACT_OFFICE_OBFUSCATED, SLICE("an object without its header"));
	return rc == RC_OK ? sink_member(sink, budget, &member) : rc;
}

enum rc ole_object_read(struct slice object, struct budget *budget, const struct content_sink *sink)
{
	const uint32_t format = bytes_u32(object, 4);
	struct slice   rest = slice_drop(object, 8), name, topic, item;

	/* [MS-OLEDS] section 2.2.4: 1 linked, 2 embedded. The version in front is not looked at by readers. */
	if ((format != 1 && format != 2) || !counted_take(&rest, &name) || !counted_take(&rest, &topic) ||
	    !counted_take(&rest, &item) || name.len > CLASS_MAX)
		return hidden_read(object, budget, sink);
	enum rc rc = ole_class_name_tell(name, sink);
	if (rc == RC_OK && format == 1) {
		rc = sink_fact(sink, CONTENT_FACT_OFFICE_EXTERNAL, topic);
		return rc == RC_OK ? sink_link(sink, CONTENT_PLACE_REFERENCE, topic, item) : rc;
	}
	if (rc != RC_OK)
		return rc;
	const size_t       size = bytes_u32(rest, 0);
	const struct slice data = slice_cut(rest, 4, size);
	if (slice_eq_nocase(name, SLICE("Package"))) {
		rc = ole_package_read(data, budget, sink);
		if (rc != RC_SYNTAX)
			return rc;
	}
	/* Equation Editor finds its data whatever the sizes say. */
	const struct content_member member = { .bytes = data.len == 0 ? slice_drop(rest, 4) : data,
		                               .claimed = size,
		                               .flags = data.len < size ? CONTENT_MEMBER_CUT : 0 };
	rc = sink_fact(sink, CONTENT_FACT_OFFICE_OBJECT, name);
	return rc == RC_OK ? sink_member(sink, budget, &member) : rc;
}

/* The address of a URL moniker is UTF-16, of a file moniker bytes; behind the class stands its size. */
static enum rc moniker_tell(struct slice behind, bool wide, enum content_place place, const struct content_sink *sink)
{
	const size_t size = wide ? bytes_u32(behind, 0) : bytes_u32(behind, 2);
	struct slice text = slice_take(slice_cut(behind, wide ? 4 : 6, size), ADDRESS_MAX);
	struct buf   address = buf_make(ADDRESS_MAX * 3u);

	if (wide) {
		size_t end = 0;
		while (end + 2 <= text.len && bytes_u16(text, end) != 0)
			end += 2;
		ole_put_utf16(slice_take(text, end), &address);
	} else {
		ole_put_codepage(1252, slice_take(text, slice_find(text, 0)), &address);
	}
	enum rc rc = RC_OK;
	if (address.len != 0 && place == CONTENT_PLACE_REFERENCE)
		rc = sink_fact(sink, CONTENT_FACT_OFFICE_EXTERNAL, buf_slice(&address));
	if (rc == RC_OK)
		rc = sink_link(sink, place, buf_slice(&address), (struct slice){ NULL, 0 });
	buf_done(&address);
	return rc;
}

enum rc ole_monikers_tell(struct slice bytes, enum content_place place, const struct content_sink *sink, size_t *count)
{
	static const struct slice url = SLICE_INIT("\xe0\xc9\xea\x79\xf9\xba\xce\x11\x8c\x82\x00\xaa\x00\x4b\xa9\x0b");
	static const struct slice file = SLICE_INIT("\x03\x03\x00\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46");
	struct slice              rest = bytes;
	enum rc                   rc = RC_OK;

	while (rc == RC_OK && rest.len >= 20) {
		const bool wide = rest.ptr[0] == 0xe0 && slice_starts(rest, url);
		if (wide || (rest.ptr[0] == 3 && slice_starts(rest, file))) {
			rc = moniker_tell(slice_drop(rest, 16), wide, place, sink);
			++*count;
			rest = slice_drop(rest, 16);
			continue;
		}
		rest = slice_drop(rest, 1);
	}
	return rc;
}

struct class
{
	struct slice      clsid; /* as it stands in files */
	struct slice      name;
	enum content_fact fact;
};

/* Classes that documents have no good reason to embed. Names as registered; ids from the registry. */
static const struct class classes[] = {
	{ SLICE_INIT("\x02\xce\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"), SLICE_INIT("Equation.3"),
	  CONTENT_FACT_OFFICE_EQUATION },
	{ SLICE_INIT("\x21\x07\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"), SLICE_INIT("Equation.2"),
	  CONTENT_FACT_OFFICE_EQUATION },
	{ SLICE_INIT("\x0c\x00\x03\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"), SLICE_INIT("Package"),
	  CONTENT_FACT_OFFICE_OBJECT },
	{ SLICE_INIT("\x0c\xda\xf2\xf2\xd0\x65\xce\x11\xa6\x5d\x00\xaa\x00\x3f\x0f\x07"), SLICE_INIT("Package"),
	  CONTENT_FACT_OFFICE_OBJECT },
	{ SLICE_INIT("\x00\x03\x00\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"), SLICE_INIT("OLE2Link"),
	  CONTENT_FACT_OFFICE_CLASS },
	{ SLICE_INIT("\xe0\xc9\xea\x79\xf9\xba\xce\x11\x8c\x82\x00\xaa\x00\x4b\xa9\x0b"), SLICE_INIT("URL moniker"),
	  CONTENT_FACT_OFFICE_CLASS },
	{ SLICE_INIT("\x92\xa0\x90\x06\x91\x42\xcf\x11\x87\x77\x00\xa0\xc9\x03\x6d\x11"), SLICE_INIT("Script moniker"),
	  CONTENT_FACT_OFFICE_CLASS },
	{ SLICE_INIT("\x4b\xf0\xd1\xbd\x8b\x85\xd1\x11\xb1\x6a\x00\xc0\xf0\x28\x36\x28"),
	  SLICE_INIT("MSComctlLib.ListViewCtrl"), CONTENT_FACT_OFFICE_CLASS },
	{ SLICE_INIT("\x66\x6d\xd5\x9e\xf3\xda\xd0\x11\xb4\x76\x00\x00\xf8\x75\x36\x8d"),
	  SLICE_INIT("MSComctlLib.TreeCtrl"), CONTENT_FACT_OFFICE_CLASS },
	{ SLICE_INIT("\x6e\xdb\x7c\xd2\x6d\xae\xcf\x11\x96\xb8\x44\x45\x53\x54\x00\x00"),
	  SLICE_INIT("ShockwaveFlash.ShockwaveFlash"), CONTENT_FACT_OFFICE_CLASS },
	{ SLICE_INIT("\x61\xf9\x56\x88\x0a\x34\xd0\x11\xa9\x6b\x00\xc0\x4f\xd7\x05\xa2"), SLICE_INIT("Shell.Explorer"),
	  CONTENT_FACT_OFFICE_CLASS },
	{ SLICE_INIT("\xd8\xf4\x50\x30\xb5\x98\xcf\x11\xbb\x82\x00\xaa\x00\xbd\xce\x0b"), SLICE_INIT("htmlfile"),
	  CONTENT_FACT_OFFICE_CLASS },
	{ SLICE_INIT("\x4a\x04\x24\x1d\xe6\x8a\xd0\x11\xb8\x6c\x00\xa0\xc9\x03\x6d\x11"),
	  SLICE_INIT("otkloadr.WRAssembly"), CONTENT_FACT_OFFICE_CLASS },
};

/* The number behind the last dot is the version. */
static struct slice without_version(struct slice name)
{
	const size_t at = slice_find_last(name, '.');
	uint8_t      digit = at < name.len && at + 2 == name.len ? name.ptr[at + 1] : 0;

	return byte_is_digit(digit) ? slice_take(name, at) : name;
}

enum rc ole_class_tell(struct slice clsid, const struct content_sink *sink)
{
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
		if (slice_eq(clsid, classes[i].clsid))
			return sink_fact(sink, classes[i].fact, classes[i].name);
	return RC_OK;
}

enum rc ole_class_name_tell(struct slice name, const struct content_sink *sink)
{
	if (slice_starts_nocase(name, SLICE("Equation.")) && name.len <= 12)
		return sink_fact(sink, CONTENT_FACT_OFFICE_EQUATION, name);
	for (size_t i = 3; i < sizeof classes / sizeof classes[0]; i++)
		if (slice_eq_nocase(name, classes[i].name) || slice_eq_nocase(without_version(name), classes[i].name))
			return sink_fact(sink, classes[i].fact, name);
	return RC_OK;
}
