/* From a path to a bundle: the settings file and every file it names, read once, so that no role ever opens them. */
#include "settings/bundle.h"
#include "settings/place.h"

#include "base/codec.h"
#include "base/memory.h"
#include "sys/clock.h"
#include "sys/file.h"

#define FOUND_BYTES_MAX  80u
#define FILE_BYTES_MAX   ((size_t)64 << 20)

struct maker {
	struct arena          arena;
	struct buf           *why;
	struct buf            text;
	struct buf            contents; /* of all files, one behind the other */
	size_t               *starts;   /* where each begins there */
	struct gate_file     *files;
	size_t                file_count;
	struct setting_values values;
	struct settings_parts parts;
	enum rc               rc;       /* of the first file that could not be read */
};

static const char *reading_failed(enum rc rc)
{
	if (rc == RC_NOTFOUND)
		return "there is no such file";
	if (rc == RC_DENIED)
		return "may not be read, or is not a regular file";
	if (rc == RC_LIMIT)
		return "is larger than we read";
	if (rc == RC_NOMEM)
		return "there is no memory for it";
	return "cannot be read";
}

static void put_setting_error(struct maker *m, const struct setting_error *error)
{
	settings_put_place(m->parts.path, (struct settings_place){ error->line, error->column }, m->why);
	buf_put_str(m->why, error->text);
	if (error->found.len != 0) {
		buf_put_str(m->why, ", found \"");
		codec_quote(error->found, FOUND_BYTES_MAX, m->why);
		buf_put_byte(m->why, '"');
	}
	buf_put_byte(m->why, '\n');
}

static enum rc read_main(struct maker *m, const char *path)
{
	struct setting_error errors[SETTING_ERRORS_MAX];
	size_t               count = 0;
	enum rc              rc = file_read_path(path, &m->text);

	if (rc != RC_OK) {
		settings_put_place(m->parts.path, (struct settings_place){ .line = 0 }, m->why);
		buf_put_str(m->why, reading_failed(rc));
		buf_put_byte(m->why, '\n');
		return rc;
	}
	m->parts.text = buf_slice(&m->text);
	rc = setting_read(m->parts.text, settings_sections, SETTINGS_KINDS, &m->arena, &m->values, errors, SETTING_ERRORS_MAX, &count);
	for (size_t i = 0; rc == RC_SYNTAX && i < count; i++)
		put_setting_error(m, &errors[i]);
	return rc;
}

/* `name` as it stands in the settings, as a path to open: relative ones are beside the settings file. */
static enum rc full_path(struct maker *m, struct slice name, const char **out)
{
	struct buf path = buf_make(SETTINGS_PATH_MAX);
	enum rc    rc = settings_put_path(m->parts.path, name, &path);

	if (rc == RC_OK)
		rc = arena_cstr(&m->arena, buf_slice(&path), out);
	buf_done(&path);
	return rc;
}

/* Read a file that section `index` of `kind` names under `key`; not twice. */
static void add_file(struct maker *m, enum settings_kind kind, size_t index, const char *key, struct slice name)
{
	const char *path = NULL;
	size_t      before = m->contents.len;

	if (name.len == 0 || m->rc == RC_NOMEM)
		return;
	for (size_t i = 0; i < m->file_count; i++) {
		if (slice_eq(m->files[i].path, name))
			return;
	}
	enum rc rc = m->file_count == SETTINGS_FILES_MAX ? RC_LIMIT : full_path(m, name, &path);
	if (rc == RC_OK)
		rc = file_read_path(path, &m->contents);
	if (rc == RC_OK && m->contents.len - before > FILE_BYTES_MAX)
		rc = RC_LIMIT;
	if (rc == RC_OK) {
		m->files[m->file_count].path = name;
		m->starts[m->file_count++] = before;
		return;
	}
	if (m->rc == RC_OK)
		m->rc = rc;
	const struct settings_spot spot = { kind, index, key, reading_failed(rc), name };
	settings_put_place(m->parts.path, settings_place_of_spot(m->parts.text, &m->values, &spot), m->why);
	settings_put_spot(&m->values, &spot, m->why);
}

static enum rc read_files(struct maker *m)
{
	const struct gate_certificate_settings *certificates = m->values.sections[SETTINGS_CERTIFICATE].items;
	const struct gate_domain_settings      *domains = m->values.sections[SETTINGS_DOMAIN].items;
	const struct gate_accounts_settings    *accounts = m->values.sections[SETTINGS_ACCOUNTS].items;
	const struct gate_tls_settings         *tls = m->values.sections[SETTINGS_TLS].items;

	m->files = arena_take(&m->arena, SETTINGS_FILES_MAX, sizeof *m->files);
	m->starts = arena_take(&m->arena, SETTINGS_FILES_MAX + 1, sizeof *m->starts);
	if (m->files == NULL || m->starts == NULL)
		return RC_NOMEM;
	for (size_t i = 0; i < m->values.sections[SETTINGS_CERTIFICATE].count; i++) {
		add_file(m, SETTINGS_CERTIFICATE, i, "file", certificates[i].file);
		add_file(m, SETTINGS_CERTIFICATE, i, "key", certificates[i].key);
	}
	for (size_t i = 0; i < m->values.sections[SETTINGS_DOMAIN].count; i++)
		add_file(m, SETTINGS_DOMAIN, i, "recipient_file", domains[i].recipient_file);
	add_file(m, SETTINGS_ACCOUNTS, 0, "file", accounts->file);
	add_file(m, SETTINGS_TLS, 0, "ca_file", tls->ca_file);
	if (m->rc != RC_OK)
		return m->rc;
	/* Only now do the contents stay where they are. */
	m->starts[m->file_count] = m->contents.len;
	for (size_t i = 0; i < m->file_count; i++)
		m->files[i].bytes = slice_cut(buf_slice(&m->contents), m->starts[i], m->starts[i + 1] - m->starts[i]);
	m->parts.files = m->files;
	m->parts.file_count = m->file_count;
	return RC_OK;
}

static enum rc make(struct maker *m, const char *path, struct buf *bundle, struct buf *notes)
{
	const size_t before = bundle->len;
	enum rc      rc = read_main(m, path);

	if (rc == RC_OK)
		rc = read_files(m);
	if (rc == RC_OK) {
		settings_parts_put(&m->parts, bundle);
		rc = bundle->failed ? RC_LIMIT : settings_check(slice_drop(buf_slice(bundle), before), (int64_t)(clock_wall_ms() / 1000), m->why, notes);
		if (rc != RC_OK) {
			buf_truncate(bundle, before);
			bundle->failed = false;
		}
	}
	return rc;
}

/* Private keys and passwords were in it. */
static void wipe(struct buf *b)
{
	memory_wipe(b->ptr, b->room);
	buf_done(b);
}

enum rc settings_bundle_make(const char *path, struct buf *bundle, struct buf *why, struct buf *notes)
{
	struct maker m = {
		.why = why,
		.text = buf_make(SETTING_FILE_MAX),
		.contents = buf_make(SETTINGS_BUNDLE_MAX),
		.parts = { .path = slice_str(path) },
	};
	enum rc rc = arena_init(&m.arena, SETTINGS_ARENA_BYTES);

	if (rc == RC_OK && m.parts.path.len > SETTINGS_PATH_MAX)
		rc = RC_LIMIT;
	if (rc == RC_OK)
		rc = make(&m, path, bundle, notes);
	if (rc != RC_OK && why->len == 0) {
		settings_put_place(m.parts.path, (struct settings_place){ .line = 0 }, why);
		buf_put_str(why, rc == RC_LIMIT ? "this and the files it names are larger than we read\n" : "there is no memory to read it\n");
	}
	wipe(&m.text);
	wipe(&m.contents);
	arena_done(&m.arena);
	return rc;
}
