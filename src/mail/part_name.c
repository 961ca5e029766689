/* Both "name" and "filename" are looked for in both fields, and in every field of that name: some reader takes each. */
#include "mail/part_name.h"

#include "mail/encoded_word.h"

/* The first field was parsed by mail/message.c; its readings stand first. */
static enum rc field_read(const struct message_part *part, enum header_id id, const struct mime_field *parsed,
                          size_t parameters_max, struct arena *arena, struct mime_readings *out)
{
	const bool                 type = id == HEADER_CONTENT_TYPE;
	const struct header_field *field = header_first(&part->header, id);
	enum rc                    rc = RC_OK;

	for (; field != NULL && rc == RC_OK; field = header_next(&part->header, field)) {
		struct mime_field more = *parsed;
		if (field != header_first(&part->header, id)) {
			struct slice value;
			rc = header_unfold(field, arena, &value);
			if (rc == RC_OK)
				rc = mime_field_read(value, parameters_max, arena, &more);
		}
		if (rc == RC_OK)
			rc = mime_readings_add(&more, type ? SLICE("name") : SLICE("filename"), arena, out);
		if (rc == RC_OK)
			rc = mime_readings_add(&more, type ? SLICE("filename") : SLICE("name"), arena, out);
	}
	return rc;
}

static bool has_sections(const struct mime_field *field)
{
	for (size_t i = 0; i < field->count; i++) {
		if (field->parameters[i].section != MIME_SECTION_NONE)
			return true;
	}
	return false;
}

/* A name in pieces (RFC 2231 section 3) of which some stand in one field and some in the other. */
static enum rc joined_read(const struct message_part *part, struct arena *arena, struct mime_readings *out)
{
	const struct mime_field *a = &part->disposition, *b = &part->type;

	if (!has_sections(a) || !has_sections(b))
		return RC_OK;
	struct mime_parameter *both = arena_take(arena, a->count + b->count, sizeof *both);
	if (both == NULL)
		return RC_NOMEM;
	memcpy(both, a->parameters, a->count * sizeof *both);
	memcpy(&both[a->count], b->parameters, b->count * sizeof *both);
	const struct mime_field joined = { .parameters = both, .count = a->count + b->count };
	const enum rc           rc = mime_readings_add(&joined, SLICE("filename"), arena, out);
	return rc == RC_OK ? mime_readings_add(&joined, SLICE("name"), arena, out) : rc;
}

/* Few readers go by it, and people write sentences into it: it counts for what is a file and nothing else. */
static enum rc description_read(const struct message_part *part, struct arena *arena, struct mime_readings *out)
{
	const bool                 file = part->kind == PART_LEAF && part->type.word.len != 0 &&
	                                  !slice_starts(part->type.word, SLICE("text/"));
	const struct header_field *field = file ? header_first(&part->header, HEADER_CONTENT_DESCRIPTION) : NULL;
	struct slice               value;

	if (field == NULL)
		return RC_OK;
	uint8_t *text = arena_bytes(arena, MIME_READING_BYTES_MAX);
	if (text == NULL || header_unfold(field, arena, &value) != RC_OK)
		return RC_NOMEM;
	const struct word_result result = encoded_word_decode(value, text, MIME_READING_BYTES_MAX);
	if (result.size != 0)
		out->items[out->count++] = (struct mime_reading){ .text = slice_of(text, result.size) };
	return RC_OK;
}

/* No field has parameters: the usual case, and no name. */
static bool is_nameless(const struct message_part *part)
{
	return part->type.count == 0 && part->disposition.count == 0 &&
	       header_count(&part->header, HEADER_CONTENT_TYPE) < 2 &&
	       header_count(&part->header, HEADER_CONTENT_DISPOSITION) < 2;
}

enum rc part_names_read(const struct message_part *part, size_t parameters_max, struct arena *arena,
                        struct part_names *out)
{
	enum rc rc = RC_OK;

	out->type.count = out->disposition.count = out->description.count = 0;
	if (!is_nameless(part)) {
		rc = field_read(part, HEADER_CONTENT_TYPE, &part->type, parameters_max, arena, &out->type);
		if (rc == RC_OK)
			rc = field_read(part, HEADER_CONTENT_DISPOSITION, &part->disposition, parameters_max, arena,
			                &out->disposition);
		if (rc == RC_OK)
			rc = joined_read(part, arena, &out->disposition);
	}
	if (rc == RC_OK && out->type.count + out->disposition.count == 0)
		rc = description_read(part, arena, &out->description);
	return rc;
}
