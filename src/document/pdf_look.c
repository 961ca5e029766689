/* What each dictionary of a file means, by its keys. */
#include "document/pdf_look.h"

#include "base/memory.h"

/* Names and strings of one piece, as UTF-8. */
#define TEXT_BYTES_MAX ((size_t)1 << 20)
#define NAMES_BYTES    ((size_t)1 << 20)

static enum rc tell(struct pdf_look *look, enum content_fact fact, struct slice evidence)
{
	if (look->told[fact])
		return RC_OK;
	look->told[fact] = true;
	return sink_fact(look->sink, fact, evidence);
}

/* `string` as UTF-8 in look->text. */
static struct slice decoded(struct pdf_look *look, struct slice string)
{
	buf_clear(&look->text);
	pdf_put_text(string, &look->text);
	return buf_slice(&look->text);
}

/* True the first time it is asked for the object that `value` refers to. */
static bool first_time(struct pdf_look *look, const struct pdf_value *value)
{
	if (value == NULL || value->kind != PDF_REFERENCE)
		return true;
	const struct pdf_object *object = pdf_file_find(look->file, value->number);
	if (object == NULL)
		return true;
	const size_t at = (size_t)(object - look->file->objects);
	const bool   first = (look->seen[at / 8] & 1u << at % 8) == 0;
	look->seen[at / 8] = (uint8_t)(look->seen[at / 8] | 1u << at % 8);
	return first;
}

/* The string that names a file: a specification is one, or a dictionary of several (section 7.11). Empty: none. */
static enum rc file_name(struct pdf_look *look, const struct pdf_value *specification, struct slice *out)
{
	static const char *const keys[] = { "UF", "F", "Unix", "DOS", "Mac" };
	struct pdf_value         value, name;
	struct slice             none;
	enum rc                  rc = pdf_file_follow(look->file, specification, &value, &none);

	*out = slice_of(NULL, 0);
	if (rc == RC_OK && value.kind == PDF_STRING)
		*out = value.text;
	for (size_t i = 0; rc == RC_OK && value.kind == PDF_DICTIONARY && out->len == 0 && i < sizeof keys / sizeof keys[0]; i++) {
		rc = pdf_file_get(look->file, &value, keys[i], &name);
		if (rc == RC_OK && name.kind == PDF_STRING)
			*out = name.text;
	}
	return rc;
}

static enum rc tell_address(struct pdf_look *look, enum content_place place, struct slice string)
{
	return look->sealed ? RC_OK : sink_link(look->sink, place, decoded(look, string), slice_of(NULL, 0));
}

/* A script in a string or a stream. */
static enum rc tell_script(struct pdf_look *look, const struct pdf_value *script)
{
	struct pdf_value value;
	struct slice     stream, rest;
	enum rc          rc = tell(look, CONTENT_FACT_PDF_SCRIPT, slice_of(NULL, 0));

	if (rc != RC_OK || look->sealed || !first_time(look, script))
		return rc;
	rc = pdf_file_follow(look->file, script, &value, &stream);
	if (rc != RC_OK)
		return rc;
	struct buf source = buf_make(PDF_SCRIPT_BYTES_MAX);
	if (value.kind == PDF_STRING)
		buf_put(&source, value.text);
	else if (stream.len != 0)
		rc = pdf_file_decode(look->file, &value, stream, &source, &rest);
	struct buf text = buf_make(PDF_SCRIPT_BYTES_MAX);
	pdf_put_text(buf_slice(&source), &text);
	if (rc == RC_OK && text.len != 0)
		rc = sink_member(look->sink, look->file->budget,
		                 &(struct content_member){ .bytes = buf_slice(&text),
		                                           .kind = SLICE("text/javascript"),
		                                           .flags = CONTENT_MEMBER_SCRIPT });
	buf_done(&source);
	buf_done(&text);
	return rc;
}

/* /F of an action: the file that it jumps to, starts or sends to. */
static enum rc tell_file(struct pdf_look *look, const struct pdf_value *action, enum content_fact fact, enum content_place place)
{
	struct slice name;
	enum rc      rc = file_name(look, pdf_get(action, "F"), &name);

	if (rc == RC_OK && name.len == 0)
		rc = file_name(look, pdf_get(action, "Win"), &name); /* section 12.6.4.5 */
	if (rc == RC_OK)
		rc = tell(look, fact, look->sealed ? slice_of(NULL, 0) : decoded(look, name));
	return rc == RC_OK ? tell_address(look, place, name) : rc;
}

/* A dictionary with /S: an action of section 12.6.4. */
static enum rc look_at_action(struct pdf_look *look, const struct pdf_value *dictionary, const struct pdf_value *kind)
{
	struct pdf_value win, parameters;

	if (pdf_is_name(kind, "Launch")) {
		enum rc rc = tell_file(look, dictionary, CONTENT_FACT_PDF_LAUNCH, CONTENT_PLACE_BODY);
		if (rc == RC_OK)
			rc = pdf_file_get(look->file, dictionary, "Win", &win);
		if (rc == RC_OK)
			rc = pdf_file_get(look->file, &win, "P", &parameters);
		if (rc == RC_OK && parameters.kind == PDF_STRING && !look->sealed)
			rc = sink_text(look->sink, CONTENT_PLACE_SCRIPT, decoded(look, parameters.text));
		return rc;
	}
	if (pdf_is_name(kind, "GoToR") || pdf_is_name(kind, "GoToE") || pdf_is_name(kind, "Thread") || pdf_is_name(kind, "ImportData")) {
		if (pdf_get(dictionary, "F") == NULL)
			return RC_OK;
		return tell_file(look, dictionary, CONTENT_FACT_PDF_REMOTE, CONTENT_PLACE_BODY);
	}
	if (pdf_is_name(kind, "SubmitForm"))
		return tell_file(look, dictionary, CONTENT_FACT_PDF_SUBMIT, CONTENT_PLACE_BODY);
	if (pdf_is_name(kind, "Rendition") || pdf_is_name(kind, "Movie") || pdf_is_name(kind, "Sound") ||
	    pdf_is_name(kind, "RichMediaExecute") || pdf_is_name(kind, "GoTo3DView"))
		return tell(look, CONTENT_FACT_PDF_RICH_MEDIA, kind->text);
	return RC_OK;
}

/* /OpenAction: a destination or a jump within the document is harmless. */
static enum rc look_at_opening(struct pdf_look *look, const struct pdf_value *value)
{
	struct pdf_value action;
	struct slice     none;
	const enum rc    rc = pdf_file_follow(look->file, value, &action, &none);

	if (rc != RC_OK || action.kind != PDF_DICTIONARY)
		return rc;
	const struct pdf_value *kind = pdf_get(&action, "S");
	if (kind == NULL || (pdf_is_name(kind, "GoTo") && pdf_get(&action, "Next") == NULL) || pdf_is_name(kind, "Named"))
		return RC_OK;
	return tell(look, CONTENT_FACT_PDF_OPEN_ACTION, kind->text);
}

/* Note which streams are embedded files, and what they are called. */
static enum rc note_embedded(struct pdf_look *look, const struct pdf_value *specification)
{
	struct pdf_value files;
	struct slice     name;
	enum rc          rc = pdf_file_get(look->file, specification, "EF", &files);

	if (rc == RC_OK)
		rc = file_name(look, specification, &name);
	for (size_t i = 0; rc == RC_OK && files.kind == PDF_DICTIONARY && i + 1 < files.count; i += 2) {
		const struct pdf_value *stream = &files.items[i + 1];
		if (stream->kind != PDF_REFERENCE || look->embedded_count == PDF_EMBEDDED_MAX)
			continue;
		struct pdf_embedded *embedded = &look->embedded[look->embedded_count];
		*embedded = (struct pdf_embedded){ .id = stream->number };
		if (arena_copy(&look->names, slice_take(name, 1024), &embedded->name) == RC_OK)
			look->embedded_count++;
	}
	return rc == RC_OK ? tell(look, CONTENT_FACT_PDF_EMBEDDED, look->sealed ? slice_of(NULL, 0) : decoded(look, name)) : rc;
}

/* An XFA form: one stream, or an array of names and streams (section 12.7.8). */
static enum rc tell_xfa(struct pdf_look *look, const struct pdf_value *xfa)
{
	struct pdf_value value;
	struct slice     stream, rest;
	enum rc          rc = tell(look, CONTENT_FACT_PDF_XFA, slice_of(NULL, 0));

	if (rc == RC_OK && !look->sealed)
		rc = pdf_file_follow(look->file, xfa, &value, &stream);
	if (rc != RC_OK || look->sealed)
		return rc;
	const bool         many = value.kind == PDF_ARRAY;
	struct buf         bytes = buf_make(PDF_STREAM_BYTES_MAX), part = buf_make(PDF_STREAM_BYTES_MAX);
	for (size_t i = 0; i < (many ? value.count : 1) && rc == RC_OK; i++) {
		struct pdf_value one = value;
		if (many && (value.items[i].kind != PDF_REFERENCE || !first_time(look, &value.items[i])))
			continue;
		if (many)
			rc = pdf_file_follow(look->file, &value.items[i], &one, &stream);
		if (rc == RC_OK && stream.len != 0)
			rc = pdf_file_decode(look->file, &one, stream, &part, &rest);
		buf_put(&bytes, buf_slice(&part));
		buf_clear(&part);
	}
	buf_done(&part);
	if (rc == RC_OK && bytes.len != 0)
		rc = sink_member(look->sink, look->file->budget,
		                 &(struct content_member){ .name = SLICE("xfa.xml"),
		                                           .bytes = buf_slice(&bytes),
		                                           .kind = SLICE("application/vnd.adobe.xfa+xml") });
	buf_done(&bytes);
	return rc;
}

static enum rc tell_string(struct pdf_look *look, enum content_place place, const struct pdf_value *value)
{
	struct pdf_value string;
	struct slice     none;
	enum rc          rc = pdf_file_follow(look->file, value, &string, &none);

	if (rc != RC_OK || string.kind != PDF_STRING || look->sealed || string.text.len == 0)
		return rc;
	rc = sink_text(look->sink, place, decoded(look, string.text));
	return rc == RC_OK ? sink_text(look->sink, place, SLICE("\n")) : rc;
}

/* Keys that hold texts, and where their readers see them. */
static const struct {
	const char        *key;
	enum content_place place;
} texts[] = {
	{ "Contents", CONTENT_PLACE_BODY },    { "RC", CONTENT_PLACE_BODY },      { "V", CONTENT_PLACE_BODY },
	{ "DV", CONTENT_PLACE_HIDDEN },        { "TU", CONTENT_PLACE_HIDDEN },    { "Alt", CONTENT_PLACE_HIDDEN },
	{ "ActualText", CONTENT_PLACE_HIDDEN }, { "Title", CONTENT_PLACE_METADATA }, { "Author", CONTENT_PLACE_METADATA },
	{ "Subject", CONTENT_PLACE_METADATA }, { "Keywords", CONTENT_PLACE_METADATA }, { "Creator", CONTENT_PLACE_METADATA },
	{ "Desc", CONTENT_PLACE_METADATA },    { "CA", CONTENT_PLACE_BODY },
};

static enum rc look_at_key(struct pdf_look *look, const struct pdf_value *dictionary, const struct pdf_value *key, const struct pdf_value *value)
{
	static const char *const acting[] = { "JS", "JavaScript", "Launch", "URI", "OpenAction", "AA", "EmbeddedFile", "SubmitForm" };
	struct pdf_value         inner;
	enum rc                  rc;

	for (size_t i = 0; i < sizeof acting / sizeof acting[0]; i++) {
		const struct pdf_value *name = key->escaped ? key : value;
		if (name->escaped && pdf_is_name(name, acting[i])) {
			rc = tell(look, CONTENT_FACT_PDF_NAME_ESCAPED, name->text);
			if (rc != RC_OK)
				return rc;
		}
	}
	if (pdf_is_name(key, "JS"))
		return tell_script(look, value);
	if (pdf_is_name(key, "URI") || (pdf_is_name(key, "Base") && value->kind == PDF_STRING)) {
		struct slice none;
		rc = pdf_file_follow(look->file, value, &inner, &none);
		return rc == RC_OK && inner.kind == PDF_STRING ? tell_address(look, CONTENT_PLACE_BODY, inner.text) : rc;
	}
	if (pdf_is_name(key, "OpenAction"))
		return look_at_opening(look, value);
	if (pdf_is_name(key, "AA"))
		return tell(look, CONTENT_FACT_PDF_OPEN_ACTION, key->text);
	if (pdf_is_name(key, "EF"))
		return note_embedded(look, dictionary);
	if (pdf_is_name(key, "XFA"))
		return tell_xfa(look, value);
	if (pdf_is_name(key, "AcroForm")) {
		struct pdf_value fields;
		struct slice     none;
		rc = pdf_file_follow(look->file, value, &inner, &none);
		if (rc == RC_OK)
			rc = pdf_file_get(look->file, &inner, "Fields", &fields);
		return rc == RC_OK && fields.kind == PDF_ARRAY && fields.count != 0 ? tell(look, CONTENT_FACT_PDF_FORM, slice_of(NULL, 0)) : rc;
	}
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		if (pdf_is_name(key, texts[i].key) && (value->kind == PDF_STRING || value->kind == PDF_REFERENCE))
			return tell_string(look, texts[i].place, value);
	}
	return RC_OK;
}

static enum rc look_at_dictionary(struct pdf_look *look, const struct pdf_value *dictionary)
{
	const struct pdf_value *kind = pdf_get(dictionary, "S"), *subtype = pdf_get(dictionary, "Subtype");
	enum rc                 rc = RC_OK;

	if (kind != NULL && kind->kind == PDF_NAME)
		rc = look_at_action(look, dictionary, kind);
	if (rc == RC_OK && (pdf_is_name(subtype, "RichMedia") || pdf_is_name(subtype, "Screen") || pdf_is_name(subtype, "Movie") ||
	                    pdf_is_name(subtype, "Sound") || pdf_is_name(subtype, "3D")))
		rc = tell(look, CONTENT_FACT_PDF_RICH_MEDIA, subtype->text);
	if (rc == RC_OK && pdf_is_name(pdf_get(dictionary, "FS"), "URL")) {
		struct slice name;
		rc = file_name(look, dictionary, &name);
		if (rc == RC_OK)
			rc = tell(look, CONTENT_FACT_PDF_REMOTE, look->sealed ? slice_of(NULL, 0) : decoded(look, name));
		if (rc == RC_OK)
			rc = tell_address(look, CONTENT_PLACE_REFERENCE, name);
	}
	for (size_t i = 0; i + 1 < dictionary->count && rc == RC_OK; i += 2)
		rc = look_at_key(look, dictionary, &dictionary->items[i], &dictionary->items[i + 1]);
	return rc;
}

/* All dictionaries of a value; as deep as the parser lets them be. */
static enum rc look_at_value(struct pdf_look *look, const struct pdf_value *value, unsigned depth)
{
	enum rc rc = RC_OK;

	if ((value->kind != PDF_DICTIONARY && value->kind != PDF_ARRAY) || depth > PDF_DEPTH_MAX)
		return RC_OK;
	if (value->kind == PDF_DICTIONARY)
		rc = look_at_dictionary(look, value);
	for (size_t i = 0; i < value->count && rc == RC_OK; i++)
		rc = look_at_value(look, &value->items[i], depth + 1);
	return rc;
}

static enum rc tell_embedded(struct pdf_look *look, const struct pdf_object *object, const struct pdf_value *dictionary, struct slice stream)
{
	struct slice   name = slice_of(NULL, 0), rest;
	struct buf     bytes = buf_make(PDF_STREAM_BYTES_MAX), label = buf_make(TEXT_BYTES_MAX);
	uint32_t       flags = CONTENT_MEMBER_HIDDEN;
	struct pdf_value parameters, size = { .kind = PDF_NULL };

	for (size_t i = 0; i < look->embedded_count; i++) {
		if (look->embedded[i].id == (int32_t)object->id) {
			name = look->embedded[i].name;
			flags = 0;
		}
	}
	pdf_put_text(name, &label);
	enum rc rc = pdf_file_get(look->file, dictionary, "Params", &parameters);
	if (rc == RC_OK)
		rc = pdf_file_get(look->file, &parameters, "Size", &size);
	const bool bomb = look->file->bomb;
	look->file->bomb = false;
	if (rc == RC_OK)
		rc = pdf_file_decode(look->file, dictionary, stream, &bytes, &rest);
	const bool cut = rc == RC_LIMIT || look->file->bomb;
	look->file->bomb = look->file->bomb || bomb;
	if (rc == RC_OK || cut) {
		const struct pdf_value *kind = pdf_get(dictionary, "Subtype");
		const enum rc           told = sink_member(
			look->sink, look->file->budget,
			&(struct content_member){ .name = buf_slice(&label),
			                          .bytes = buf_slice(&bytes),
			                          .kind = kind != NULL && kind->kind == PDF_NAME ? kind->text : slice_of(NULL, 0),
			                          .claimed = size.kind == PDF_NUMBER && size.number > 0 ? (uint64_t)size.number : 0,
			                          .flags = flags | (cut ? CONTENT_MEMBER_CUT : 0) });
		rc = told != RC_OK ? told : rc;
	}
	buf_done(&bytes);
	buf_done(&label);
	return rc;
}

static bool is_embedded(const struct pdf_look *look, const struct pdf_object *object, const struct pdf_value *dictionary)
{
	for (size_t i = 0; i < look->embedded_count; i++) {
		if (look->embedded[i].id == (int32_t)object->id)
			return true;
	}
	return pdf_is_name(pdf_get(dictionary, "Type"), "EmbeddedFile");
}

/* The stream of an object, once its dictionaries have been looked at. */
static enum rc look_at_stream(struct pdf_look *look, const struct pdf_object *object, const struct pdf_value *dictionary, struct slice stream)
{
	const struct pdf_value *external = pdf_get(dictionary, "F");

	if (look->sealed)
		return RC_OK;
	/* Section 7.3.8.2: its bytes come from elsewhere. */
	if (external != NULL && external->kind == PDF_STRING) {
		const enum rc rc = tell(look, CONTENT_FACT_PDF_REMOTE, decoded(look, external->text));
		if (rc != RC_OK)
			return rc;
		return tell_address(look, CONTENT_PLACE_REFERENCE, external->text);
	}
	if (is_embedded(look, object, dictionary))
		return tell_embedded(look, object, dictionary, stream);
	if (pdf_is_name(pdf_get(dictionary, "Subtype"), "Image"))
		return pdf_picture_tell(look->file, look->sink, dictionary, stream);
	return RC_OK;
}

/* Dictionaries of all objects, then streams of all objects: names of files are known by then. */
static enum rc pass(struct pdf_look *look, bool streams)
{
	struct pdf_file *file = look->file;

	for (size_t i = 0; i < file->count; i++) {
		const size_t     used = file->arena.used;
		struct pdf_value value;
		struct slice     stream;
		enum rc          rc = pdf_file_read(file, &file->objects[i], &value, &stream);
		if (rc == RC_OK && !streams)
			rc = look_at_value(look, &value, 0);
		else if (rc == RC_OK && stream.len != 0)
			rc = look_at_stream(look, &file->objects[i], &value, stream);
		file->arena.used = used;
		if (rc == RC_NOMEM)
			file->cut = true; /* larger than the arena: the next one may fit */
		else if (rc != RC_OK && rc != RC_SYNTAX)
			return rc;
	}
	return RC_OK;
}

enum rc pdf_look_all(struct pdf_file *file, const struct content_sink *sink, bool sealed)
{
	struct pdf_look look = { .file = file, .sink = sink, .sealed = sealed, .text = buf_make(TEXT_BYTES_MAX) };
	enum rc         rc = arena_init(&look.names, NAMES_BYTES);

	look.embedded = memory_take(PDF_EMBEDDED_MAX, sizeof *look.embedded);
	look.seen = memory_take(file->count / 8 + 1, 1);
	if (rc == RC_OK && (look.embedded == NULL || look.seen == NULL))
		rc = RC_NOMEM;
	if (rc == RC_OK)
		rc = pass(&look, false);
	if (rc == RC_OK)
		rc = pass(&look, true);
	memory_give(look.embedded);
	memory_give(look.seen);
	arena_done(&look.names);
	buf_done(&look.text);
	return rc;
}
