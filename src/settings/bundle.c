/* A bundle's bytes: written by the supervisor, read by every role. */
#include "settings/bundle.h"

#include "base/cursor.h"
#include "base/memory.h"

#define MAGIC 0x31534748u /* "HGS1" */
#define MAGIC_OTHER_VERSION(number) (((number) & 0xffffffu) == (MAGIC & 0xffffffu))
#define ERRORS_MAX 8u

void settings_parts_put(const struct settings_parts *parts, struct buf *out)
{
	cursor_put_u32(out, MAGIC);
	cursor_put_block(out, parts->path);
	cursor_put_block(out, parts->text);
	cursor_put_u32(out, (uint32_t)parts->file_count);
	for (size_t i = 0; i < parts->file_count; i++) {
		cursor_put_block(out, parts->files[i].path);
		cursor_put_block(out, parts->files[i].bytes);
	}
}

enum rc settings_parts_read(struct slice bundle, struct arena *arena, struct settings_parts *out)
{
	struct cursor  c = cursor_on(bundle);
	const uint32_t magic = cursor_u32(&c);

	if (c.failed)
		return RC_SYNTAX;
	if (magic != MAGIC)
		return MAGIC_OTHER_VERSION(magic) ? RC_UNSUPPORTED : RC_SYNTAX;
	struct settings_parts parts = { .path = cursor_block(&c, SETTINGS_PATH_MAX) };
	parts.text = cursor_block(&c, SETTING_FILE_MAX);
	const uint32_t count = cursor_u32(&c);
	if (c.failed)
		return RC_SYNTAX;
	if (count > SETTINGS_FILES_MAX)
		return RC_LIMIT;
	struct gate_file *files = arena_take(arena, count == 0 ? 1 : count, sizeof *files);
	if (files == NULL)
		return RC_NOMEM;
	for (uint32_t i = 0; i < count; i++) {
		files[i].path = cursor_block(&c, SETTINGS_PATH_MAX);
		files[i].bytes = cursor_block(&c, SETTINGS_BUNDLE_MAX);
	}
	if (!cursor_ended(&c))
		return RC_SYNTAX;
	parts.files = files;
	parts.file_count = count;
	*out = parts;
	return RC_OK;
}

static const void *only(const struct setting_values *values, enum settings_kind kind)
{
	return values->sections[kind].items;
}

enum rc settings_join(const struct settings_parts *parts, const struct setting_values *values, struct settings *out, size_t *ret_bad)
{
	const struct policy_section *plain = only(values, SETTINGS_POLICY);
	struct settings              settings = {
		.gate = {
			.gateway = only(values, SETTINGS_GATEWAY),
			.listeners = values->sections[SETTINGS_LISTENER].items,
			.listener_count = values->sections[SETTINGS_LISTENER].count,
			.certificates = values->sections[SETTINGS_CERTIFICATE].items,
			.certificate_count = values->sections[SETTINGS_CERTIFICATE].count,
			.domains = values->sections[SETTINGS_DOMAIN].items,
			.domain_count = values->sections[SETTINGS_DOMAIN].count,
			.organisation = only(values, SETTINGS_ORGANISATION),
			.accounts = only(values, SETTINGS_ACCOUNTS),
			.tls = only(values, SETTINGS_TLS),
			.dns = only(values, SETTINGS_DNS),
			.scanner = only(values, SETTINGS_SCANNER),
			.journal = only(values, SETTINGS_JOURNAL),
			.queue = only(values, SETTINGS_QUEUE),
			.callahead = only(values, SETTINGS_CALLAHEAD),
			.routes = values->sections[SETTINGS_ROUTE].items,
			.route_count = values->sections[SETTINGS_ROUTE].count,
			.files = parts->files,
			.file_count = parts->file_count,
		},
		.records = only(values, SETTINGS_RECORDS),
		.metrics = only(values, SETTINGS_METRICS),
		.log = only(values, SETTINGS_LOG),
	};
	const enum rc rc = policy_settings_join(plain, values->sections[SETTINGS_POLICY_FOR].items, values->sections[SETTINGS_POLICY_FOR].count,
	                                        only(values, SETTINGS_SCAN), &settings.gate.policy, ret_bad);
	if (rc == RC_OK)
		*out = settings;
	return rc;
}

enum rc settings_read(struct slice bundle, struct arena *arena, struct settings *out)
{
	struct settings_parts parts;
	struct setting_values values;
	struct setting_error  errors[ERRORS_MAX];
	size_t                count = 0, bad = 0;
	struct settings       settings;
	enum rc               rc = settings_parts_read(bundle, arena, &parts);

	if (rc == RC_OK)
		rc = setting_read(parts.text, settings_sections, SETTINGS_KINDS, arena, &values, errors, ERRORS_MAX, &count);
	if (rc == RC_OK)
		rc = settings_join(&parts, &values, &settings, &bad);
	if (rc != RC_OK)
		return rc;
	digest_of(&bundle, 1, &settings.gate.digest);
	*out = settings;
	return RC_OK;
}

enum rc settings_read_gate(struct slice bundle, struct arena *arena, struct gate_settings *out)
{
	struct settings settings;
	const enum rc   rc = settings_read(bundle, arena, &settings);

	if (rc == RC_OK)
		*out = settings.gate;
	return rc;
}

static bool is_secret(struct slice key)
{
	for (size_t i = 0; i < SETTINGS_KINDS; i++) {
		for (const struct setting *s = settings_sections[i].settings; s->key != NULL; s++) {
			if (s->secret && slice_eq(key, slice_str(s->key)))
				return true;
		}
	}
	return false;
}

enum rc settings_bundle_public(struct slice bundle, struct buf *out)
{
	uint8_t               memory[SETTINGS_FILES_MAX * sizeof(struct gate_file) + 64] __attribute__((aligned(16)));
	struct arena          arena = arena_on(memory, sizeof memory);
	struct settings_parts parts;
	enum rc               rc = settings_parts_read(bundle, &arena, &parts);

	if (rc != RC_OK)
		return rc;
	/* A line whose key is secret in any section becomes empty; the others keep their place, so that messages keep their lines. */
	struct buf text = buf_make(SETTING_FILE_MAX + 1);
	while (parts.text.len != 0) {
		const struct slice line = slice_until(&parts.text, '\n');
		if (!is_secret(slice_trim(slice_take(line, slice_find(line, '=')))))
			buf_put(&text, line);
		buf_put_byte(&text, '\n');
	}
	parts.text = slice_take(buf_slice(&text), SETTING_FILE_MAX);
	parts.file_count = 0;
	if (!text.failed)
		settings_parts_put(&parts, out);
	rc = text.failed || out->failed ? RC_LIMIT : RC_OK;
	memory_wipe(text.ptr, text.len);
	buf_done(&text);
	return rc;
}

void settings_manual(struct buf *out)
{
	buf_put_str(out, "# The settings of Hangu, each with what it means, what it takes and what it is without a line of its own.\n"
	                 "# A line that begins with \"#\" is a comment; take the \"#\" away to change a setting.\n"
	                 "# `hangu check` reads this file without starting anything; `hangu reload` makes a running gateway take it.\n\n");
	setting_describe(settings_sections, SETTINGS_KINDS, out);
}
