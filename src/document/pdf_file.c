/* The index of objects, references, and the bytes of streams. */
#include "document/pdf_file.h"

#include "base/memory.h"
#include "document/pdf_filter.h"

/* How far behind "obj" an object's text is read at most; streams are not part of it. */
#define OBJECT_BYTES_MAX ((size_t)16 << 20)

struct index {
	struct pdf_file *file;
	size_t           room;
	size_t           stream_end; /* objects before it stand inside of a stream */
};

static enum rc add_object(struct index *index, struct pdf_object object)
{
	struct pdf_file *file = index->file;

	if (file->count == PDF_OBJECTS_MAX) {
		file->cut = true;
		return RC_OK;
	}
	if (file->count == index->room) {
		const size_t       room = index->room == 0 ? 256 : index->room * 2;
		struct pdf_object *grown = memory_resize(file->objects, room * sizeof *grown);
		if (grown == NULL)
			return RC_NOMEM;
		file->objects = grown;
		index->room = room;
	}
	object.order = (uint32_t)file->count;
	file->objects[file->count++] = object;
	return RC_OK;
}

/* Where "obj" stands at `at`: the number in front of it ("12 0 obj"), or false. */
static bool number_before(struct slice bytes, size_t at, uint32_t *id)
{
	uint64_t value = 0, unit = 1;
	size_t   digits = 0;

	while (at > 0 && pdf_is_blank(bytes.ptr[at - 1]))
		at--;
	while (at > 0 && byte_is_digit(bytes.ptr[at - 1]) && digits < 10) {
		at--;
		digits++;
	}
	if (digits == 0)
		return false;
	const size_t generation = at;
	while (at > 0 && pdf_is_blank(bytes.ptr[at - 1]) && generation - at < 16)
		at--;
	if (at == generation)
		return false;
	for (digits = 0; at > 0 && byte_is_digit(bytes.ptr[at - 1]) && digits < 10; digits++) {
		value += (uint64_t)(bytes.ptr[--at] - '0') * unit;
		unit *= 10;
	}
	*id = (uint32_t)value;
	return digits != 0 && value <= INT32_MAX;
}

/* The value behind an object's head, and its stream. */
static enum rc read_text(struct pdf_file *file, struct slice text, bool packed, struct pdf_value *out, struct slice *stream)
{
	struct pdf_parser parser = { .text = slice_take(text, OBJECT_BYTES_MAX), .arena = &file->arena, .stack = file->stack };
	const enum rc     rc = pdf_parse(&parser, out);

	*stream = slice_of(NULL, 0);
	file->cut = file->cut || parser.cut;
	if (!budget_take(file->budget, BUDGET_STEPS, parser.at + 16))
		return RC_LIMIT;
	if (rc != RC_OK)
		return rc == RC_NOTFOUND ? RC_SYNTAX : rc;
	if (out->kind != PDF_DICTIONARY || packed)
		return RC_OK;
	while (parser.at < text.len && pdf_is_blank(text.ptr[parser.at]))
		parser.at++;
	struct slice rest = slice_drop(text, parser.at);
	if (!slice_starts(rest, SLICE("stream")))
		return RC_OK;
	rest = slice_drop(rest, 6);
	if (slice_starts(rest, SLICE("\r\n")))
		rest = slice_drop(rest, 2);
	else if (slice_starts(rest, SLICE("\n")) || slice_starts(rest, SLICE("\r")))
		rest = slice_drop(rest, 1);
	*stream = rest;
	return RC_OK;
}

/* Does "endstream" stand at the end of `size` bytes, behind blanks? */
static bool ends_at(struct slice stream, size_t size)
{
	struct slice rest = slice_drop(stream, size);

	for (size_t i = 0; i < 4 && rest.len != 0 && pdf_is_blank(rest.ptr[0]); i++)
		rest = slice_drop(rest, 1);
	return size < stream.len && slice_starts(rest, SLICE("endstream"));
}

/* The bytes of a stream out of all that stands behind its head: as long as it says, where that is true. */
static enum rc stream_extent(struct pdf_file *file, const struct pdf_value *dictionary, struct slice *stream)
{
	const struct pdf_value *length = pdf_get(dictionary, "Length");
	struct pdf_value        direct = { .kind = PDF_NULL };

	if (length != NULL && length->kind == PDF_REFERENCE) {
		const struct pdf_object *object = pdf_file_find(file, length->number);
		struct slice             none;
		if (object != NULL) {
			const enum rc rc = read_text(file, object->text, object->packed, &direct, &none);
			if (rc == RC_LIMIT || rc == RC_NOMEM)
				return rc;
		}
	} else if (length != NULL) {
		direct = *length;
	}
	if (direct.kind == PDF_NUMBER && direct.number >= 0 && ends_at(*stream, (size_t)direct.number)) {
		stream->len = (size_t)direct.number;
		return RC_OK;
	}
	const size_t end = slice_search(*stream, SLICE("endstream"));
	if (!budget_take(file->budget, BUDGET_STEPS, end))
		return RC_LIMIT;
	stream->len = end;
	return RC_OK;
}

/* Note "N G obj" wherever it stands. */
static enum rc index_bytes(struct index *index)
{
	struct pdf_file   *file = index->file;
	const struct slice bytes = file->bytes;

	for (size_t at = 0; at + 3 <= bytes.len; at++) {
		uint32_t id;
		if (bytes.ptr[at] != 'o' || bytes.ptr[at + 1] != 'b' || bytes.ptr[at + 2] != 'j' || !number_before(bytes, at, &id))
			continue;
		const bool  inside = at < index->stream_end;
		const enum rc rc = add_object(index, (struct pdf_object){ .id = id, .text = slice_drop(bytes, at + 3), .inside = inside });
		if (rc != RC_OK)
			return rc;
		at += 2;
		if (inside)
			continue;
		/* Streams with a length of their own that is true are known to end there. */
		const size_t     used = file->arena.used;
		struct pdf_value value;
		struct slice     stream;
		const enum rc    read = read_text(file, slice_drop(bytes, at + 1), false, &value, &stream);
		if (read == RC_LIMIT)
			return read;
		if (read == RC_OK && stream.len != 0) {
			const struct pdf_value *length = pdf_get(&value, "Length");
			if (length != NULL && length->kind == PDF_NUMBER && length->number > 0 && ends_at(stream, (size_t)length->number))
				index->stream_end = (size_t)(stream.ptr - bytes.ptr) + (size_t)length->number;
		}
		file->arena.used = used;
	}
	return RC_OK;
}

static bool object_before(const struct pdf_object *a, const struct pdf_object *b)
{
	if (a->id != b->id)
		return a->id < b->id;
	/* Those inside of streams come first: the last one is the one that counts. */
	if (a->inside != b->inside)
		return a->inside;
	return a->order < b->order;
}

/* Let the object at `at` sink to its place in the heap of `count`, whose largest is on top. */
static void sink_down(struct pdf_object *objects, size_t at, size_t count)
{
	for (size_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
		if (child + 1 < count && object_before(&objects[child], &objects[child + 1]))
			child++;
		if (!object_before(&objects[at], &objects[child]))
			return;
		const struct pdf_object moved = objects[at];
		objects[at] = objects[child];
		objects[child] = moved;
		at = child;
	}
}

/* By a heap: qsort() may ask the system how much memory there is, which a box forbids. */
static void sort_objects(struct pdf_file *file)
{
	for (size_t i = file->count / 2; i-- > 0;)
		sink_down(file->objects, i, file->count);
	for (size_t last = file->count; last-- > 1;) {
		const struct pdf_object moved = file->objects[0];
		file->objects[0] = file->objects[last];
		file->objects[last] = moved;
		sink_down(file->objects, 0, last);
	}
	file->sorted = file->count;
}

/* The objects of an inflated object stream: pairs of number and place in front of `first` (section 7.5.7). */
static enum rc index_pack(struct index *index, struct slice bytes, int32_t count, int32_t first)
{
	struct pdf_parser parser = { .text = slice_take(bytes, (size_t)first),
		                     .arena = &index->file->arena,
		                     .stack = index->file->stack,
		                     .content = true };

	for (int32_t i = 0; i < count; i++) {
		struct pdf_value id, place;
		if (pdf_parse(&parser, &id) != RC_OK || pdf_parse(&parser, &place) != RC_OK || id.kind != PDF_NUMBER ||
		    place.kind != PDF_NUMBER || id.number < 0 || place.number < 0)
			break;
		const struct slice text = slice_drop(slice_drop(bytes, (size_t)first), (size_t)place.number);
		const enum rc rc = add_object(index, (struct pdf_object){ .id = (uint32_t)id.number, .text = text, .packed = true });
		if (rc != RC_OK)
			return rc;
	}
	return budget_take(index->file->budget, BUDGET_STEPS, parser.at) ? RC_OK : RC_LIMIT;
}

/* If that is an object stream, inflate and index it. What has /N and /First is one, whatever its type says. */
static enum rc open_pack(struct index *index, const struct pdf_value *value, struct slice stream)
{
	struct pdf_file *file = index->file;
	struct slice     rest;
	struct pdf_value count, first;

	if (pdf_get(value, "N") == NULL || pdf_get(value, "First") == NULL)
		return RC_OK;
	enum rc rc = pdf_file_get(file, value, "N", &count);
	if (rc == RC_OK)
		rc = pdf_file_get(file, value, "First", &first);
	if (rc != RC_OK || count.kind != PDF_NUMBER || first.kind != PDF_NUMBER || first.number < 0)
		return rc;
	if (file->pack_count == PDF_PACKS_MAX || file->pack_bytes >= PDF_PACKS_BYTES_MAX) {
		file->cut = true;
		return RC_OK;
	}
	if (file->packs == NULL)
		file->packs = memory_take(PDF_PACKS_MAX, sizeof *file->packs);
	if (file->packs == NULL)
		return RC_NOMEM;
	struct buf *pack = &file->packs[file->pack_count++];
	*pack = buf_make(PDF_PACKS_BYTES_MAX - file->pack_bytes);
	rc = pdf_file_decode(file, value, stream, pack, &rest);
	if (rc != RC_OK)
		return rc;
	file->pack_bytes += pack->len;
	return index_pack(index, buf_slice(pack), count.number, first.number);
}

/* Is a security handler named in a trailer, or in a cross-reference stream? */
static bool names_encryption(const struct pdf_value *value)
{
	return pdf_get(value, "Encrypt") != NULL && (pdf_get(value, "Root") != NULL || pdf_get(value, "Size") != NULL);
}

static enum rc look_at_trailers(struct pdf_file *file)
{
	struct slice rest = file->bytes;

	for (size_t tries = 0; tries < 64; tries++) {
		struct pdf_value value;
		struct slice     none;
		rest = slice_drop(rest, slice_search(rest, SLICE("trailer")));
		if (rest.len == 0)
			return RC_OK;
		rest = slice_drop(rest, 7);
		const size_t  used = file->arena.used;
		const enum rc rc = read_text(file, rest, true, &value, &none);
		if (rc == RC_LIMIT)
			return rc;
		if (rc == RC_OK && names_encryption(&value))
			file->encrypted = true;
		file->arena.used = used;
	}
	return RC_OK;
}

enum rc pdf_file_open(struct slice bytes, struct budget *budget, struct pdf_file *out)
{
	*out = (struct pdf_file){ .bytes = bytes, .budget = budget };
	struct index index = { .file = out };
	enum rc      rc = arena_init(&out->arena, PDF_ARENA_BYTES);

	if (rc != RC_OK)
		return rc;
	out->stack = memory_take(PDF_VALUES_MAX, sizeof *out->stack);
	if (out->stack == NULL)
		return RC_NOMEM;
	if (!budget_take(budget, BUDGET_STEPS, bytes.len))
		return RC_LIMIT;
	rc = index_bytes(&index);
	if (rc == RC_OK)
		rc = look_at_trailers(out);
	if (rc != RC_OK)
		return rc;
	if (out->count == 0)
		return RC_SYNTAX;
	sort_objects(out);
	for (size_t i = 0; i < out->sorted && rc == RC_OK; i++) {
		const size_t     used = out->arena.used;
		struct pdf_value value;
		struct slice     stream;
		rc = pdf_file_read(out, &out->objects[i], &value, &stream);
		if (rc == RC_OK && stream.len != 0) {
			out->encrypted = out->encrypted || names_encryption(&value);
			rc = open_pack(&index, &value, stream);
		}
		if (rc == RC_SYNTAX)
			rc = RC_OK;
		out->arena.used = used;
	}
	sort_objects(out);
	return rc;
}

void pdf_file_close(struct pdf_file *file)
{
	for (size_t i = 0; i < file->pack_count; i++)
		buf_done(&file->packs[i]);
	memory_give(file->packs);
	memory_give(file->objects);
	memory_give(file->stack);
	arena_done(&file->arena);
	*file = (struct pdf_file){ .count = 0 };
}

enum rc pdf_file_read(struct pdf_file *file, const struct pdf_object *object, struct pdf_value *out, struct slice *stream)
{
	const enum rc rc = read_text(file, object->text, object->packed, out, stream);

	if (rc != RC_OK || stream->ptr == NULL)
		return rc;
	return stream_extent(file, out, stream);
}

const struct pdf_object *pdf_file_find(const struct pdf_file *file, int32_t id)
{
	size_t low = 0, high = file->sorted;

	/* The first above; the one before it is the last of that number. */
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (id >= 0 && file->objects[middle].id <= (uint32_t)id)
			low = middle + 1;
		else
			high = middle;
	}
	return low != 0 && id >= 0 && file->objects[low - 1].id == (uint32_t)id ? &file->objects[low - 1] : NULL;
}

enum rc pdf_file_follow(struct pdf_file *file, const struct pdf_value *value, struct pdf_value *out, struct slice *stream)
{
	struct pdf_value now = value != NULL ? *value : (struct pdf_value){ .kind = PDF_NULL };

	*stream = slice_of(NULL, 0);
	for (size_t i = 0; i < PDF_CHAIN_MAX && now.kind == PDF_REFERENCE; i++) {
		const struct pdf_object *object = pdf_file_find(file, now.number);
		now = (struct pdf_value){ .kind = PDF_NULL };
		if (object == NULL)
			break;
		const enum rc rc = pdf_file_read(file, object, &now, stream);
		if (rc == RC_SYNTAX)
			now = (struct pdf_value){ .kind = PDF_NULL };
		else if (rc != RC_OK)
			return rc;
	}
	if (now.kind == PDF_REFERENCE)
		now = (struct pdf_value){ .kind = PDF_NULL };
	*out = now;
	return RC_OK;
}

enum rc pdf_file_get(struct pdf_file *file, const struct pdf_value *dictionary, const char *key, struct pdf_value *out)
{
	struct slice stream;
	return pdf_file_follow(file, pdf_get(dictionary, key), out, &stream);
}

static int32_t number_or(struct pdf_file *file, const struct pdf_value *dictionary, const char *key, int32_t standard, enum rc *rc)
{
	struct pdf_value value = { .kind = PDF_NULL };

	if (*rc == RC_OK && dictionary->kind == PDF_DICTIONARY)
		*rc = pdf_file_get(file, dictionary, key, &value);
	return value.kind == PDF_NUMBER ? value.number : standard;
}

/* The parameters of filter `at`: one dictionary, or an array of them. */
static enum rc parameters(struct pdf_file *file, const struct pdf_value *dictionary, size_t at, struct pdf_predictor *out)
{
	const struct pdf_value *named = pdf_get(dictionary, "DecodeParms");
	struct pdf_value        value;
	struct slice            none;
	enum rc                 rc = pdf_file_follow(file, named != NULL ? named : pdf_get(dictionary, "DP"), &value, &none);

	if (rc == RC_OK && value.kind == PDF_ARRAY) {
		const struct pdf_value *item = at < value.count ? &value.items[at] : NULL;
		rc = pdf_file_follow(file, item, &value, &none);
	}
	out->predictor = number_or(file, &value, "Predictor", 1, &rc);
	out->colors = number_or(file, &value, "Colors", 1, &rc);
	out->bits = number_or(file, &value, "BitsPerComponent", 8, &rc);
	out->columns = number_or(file, &value, "Columns", 1, &rc);
	out->early = number_or(file, &value, "EarlyChange", 1, &rc);
	return rc;
}

/* The chain of filters, from `stream` through `a` and `b` in turn. */
static enum rc run_filters(struct pdf_file *file, const struct pdf_value *dictionary, const struct pdf_value *names,
                           size_t count, struct slice stream, struct buf halves[2], struct slice *rest)
{
	struct slice now = stream;
	enum rc      ended = RC_OK;

	for (size_t i = 0; i < count && i < PDF_FILTERS_MAX; i++) {
		struct pdf_predictor predictor;
		struct pdf_value     name;
		struct slice         none;
		struct buf          *to = &halves[i & 1];
		enum rc              rc = pdf_file_follow(file, &names[i], &name, &none);
		if (rc == RC_OK)
			rc = parameters(file, dictionary, i, &predictor);
		if (rc != RC_OK)
			return rc;
		buf_clear(to);
		rc = pdf_filter(name.kind == PDF_NAME ? name.text : slice_of(NULL, 0), &predictor, now, file->budget, to, &file->damaged);
		if (rc == RC_UNSUPPORTED) {
			*rest = name.text;
			break;
		}
		now = buf_slice(to);
		if (rc != RC_OK && i + 1 == count)
			ended = rc;
		else if (rc != RC_OK)
			return rc;
	}
	if (now.ptr != NULL && now.ptr == halves[1].ptr) {
		const struct buf swapped = halves[0];
		halves[0] = halves[1];
		halves[1] = swapped;
	} else if (now.ptr != halves[0].ptr) {
		buf_clear(&halves[0]);
		buf_put(&halves[0], now);
	}
	return ended == RC_OK && halves[0].failed ? RC_LIMIT : ended;
}

enum rc pdf_file_decode(struct pdf_file *file, const struct pdf_value *dictionary, struct slice stream, struct buf *out,
                        struct slice *rest)
{
	const size_t     used = file->arena.used;
	struct pdf_value filter;
	struct slice     none;
	struct buf       halves[2] = { *out, buf_make(out->max) };
	const struct pdf_value *named = pdf_get(dictionary, "Filter");
	enum rc                 rc = pdf_file_follow(file, named != NULL ? named : pdf_get(dictionary, "F"), &filter, &none);

	*rest = slice_of(NULL, 0);
	if (rc == RC_OK) {
		const bool many = filter.kind == PDF_ARRAY;
		rc = run_filters(file, dictionary, many ? filter.items : &filter, many ? filter.count : filter.kind == PDF_NAME, stream,
		                 halves, rest);
	}
	*out = halves[0];
	buf_done(&halves[1]);
	out->failed = false;
	if (rc == RC_LIMIT && !file->budget->cut[BUDGET_BYTES] && !file->budget->cut[BUDGET_STEPS]) {
		file->bomb = true;
		rc = RC_OK;
	}
	if (rest->len == 0)
		file->arena.used = used;
	return rc;
}
