/* The adapter of libclamav. */
#include "clamav/engine.h"

#include "base/buf.h"
#include "base/memory.h"
#include "sys/file.h"

#include <clamav.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define CANARY_FILE "hangu-canary.ndb"
#define CANARY_NAME "Hangu.Canary"
/* "hangu:canary:7f1c9b52" anywhere in a file of any type. */
#define CANARY_SIGNATURE CANARY_NAME ":0:*:68616e67753a63616e6172793a3766316339623532\n"

/* That text, twenty times, packed by gzip: it has to be unpacked to be found. */
static const uint8_t canary[] = {
	0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0xcb, 0x48, 0xcc, 0x4b, 0x2f, 0xb5, 0x4a, 0x4e, 0xcc, 0x4b,
	0x2c, 0xaa, 0xb4, 0x32, 0x4f, 0x33, 0x4c, 0xb6, 0x4c, 0x32, 0x35, 0xe2, 0xca, 0x18, 0x15, 0x1d, 0xe4, 0xa2, 0x00, 0xab,
	0x79, 0x2f, 0x00, 0xb8, 0x01, 0x00, 0x00,
};

struct engine {
	struct cl_engine *inner;
	char              words[AV_ENGINE_MAX + 1];
	char              found[AV_NAME_MAX + 1];
	uint32_t          database;
	uint64_t          database_s;
	uint32_t          signatures;
	uint64_t          file_bytes_max;
};

/* What the library complains of while loading; it has one place for all. */
static struct buf *complaints;

static void on_message(enum cl_msg severity, const char *full, const char *text, void *context)
{
	(void)full;
	(void)context;
	if (severity != CL_MSG_ERROR || complaints == NULL || complaints->len != 0)
		return;
	buf_put(complaints, slice_trim(slice_str(text)));
}

static enum rc rc_of(cl_error_t error)
{
	switch ((int)error) {
	case CL_SUCCESS:
		return RC_OK;
	case CL_EMALFDB:
		return RC_SYNTAX;
	case CL_ECVD:
	case CL_EVERIFY:
		return RC_CORRUPT;
	case CL_EMEM:
		return RC_NOMEM;
	case CL_EOPEN:
	case CL_ESTAT:
		return RC_NOTFOUND;
	default:
		return RC_IO;
	}
}

static bool limits_set(struct cl_engine *inner, const struct engine_options *options)
{
	const struct engine_limits *limits = &options->limits;
	const struct {
		enum cl_engine_field field;
		long long            value;
	} numbers[] = {
		{ CL_ENGINE_MAX_SCANSIZE, (long long)limits->bytes },
		{ CL_ENGINE_MAX_FILESIZE, (long long)limits->file_bytes },
		{ CL_ENGINE_MAX_FILES, limits->files },
		{ CL_ENGINE_MAX_RECURSION, limits->depth },
		{ CL_ENGINE_MAX_SCANTIME, limits->time_ms },
		{ CL_ENGINE_BYTECODE_MODE, CL_BYTECODE_MODE_INTERPRETER },
		{ CL_ENGINE_BYTECODE_SECURITY, CL_BYTECODE_TRUST_SIGNED },
		{ CL_ENGINE_DISABLE_CACHE, 1 }, /* the same bytes are looked at each time: an answer depends on nothing before it */
	};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (cl_engine_set_num(inner, numbers[i].field, numbers[i].value) != CL_SUCCESS)
			return false;
	return cl_engine_set_str(inner, CL_ENGINE_TMPDIR, options->temporary) == CL_SUCCESS;
}

static enum rc load_canary(struct cl_engine *inner, const char *temporary, unsigned *count)
{
	char    path[PATH_MAX];
	int     dir = -1;
	enum rc rc = file_dir_open(temporary, &dir);

	if (rc != RC_OK)
		return rc;
	rc = file_replace(dir, CANARY_FILE, SLICE(CANARY_SIGNATURE));
	if (rc == RC_OK && (size_t)snprintf(path, sizeof path, "%s/%s", temporary, CANARY_FILE) >= sizeof path)
		rc = RC_LIMIT;
	if (rc == RC_OK)
		rc = rc_of(cl_load(path, inner, count, CL_DB_STDOPT));
	(void)(file_remove(dir, CANARY_FILE) == RC_OK); /* the folder is ours, and emptied at each start */
	file_close(&dir);
	return rc;
}

/* The newest file of a folder: how fresh its signatures are. */
struct newest {
	int      dir;
	uint64_t seconds;
};

static enum rc look_newest(void *context, const char *name)
{
	struct newest *newest = context;
	struct stat    about;

	if (fstatat(newest->dir, name, &about, 0) == 0 && S_ISREG(about.st_mode) && about.st_mtim.tv_sec > 0 && (uint64_t)about.st_mtim.tv_sec > newest->seconds)
		newest->seconds = (uint64_t)about.st_mtim.tv_sec;
	return RC_OK;
}

static enum rc load_folder(struct engine *engine, const char *path, unsigned *count)
{
	struct newest  newest = { .seconds = engine->database_s };
	const unsigned before = *count;
	enum rc        rc = file_dir_open(path, &newest.dir);

	if (rc != RC_OK)
		return rc;
	rc = file_list(newest.dir, 100000, look_newest, &newest);
	file_close(&newest.dir);
	if (rc != RC_OK)
		return rc;
	rc = rc_of(cl_load(path, engine->inner, count, CL_DB_STDOPT));
	if (rc == RC_OK && *count == before)
		rc = RC_NOTFOUND;
	engine->database_s = newest.seconds;
	return rc;
}

static enum rc load_all(struct engine *engine, const struct engine_options *options, struct buf *why)
{
	unsigned count = 0;
	int      error = 0;
	enum rc  rc;

	if (!limits_set(engine->inner, options)) {
		buf_put_str(why, "the engine does not take its limits");
		return RC_LIMIT;
	}
	rc = load_canary(engine->inner, options->temporary, &count);
	if (rc != RC_OK) {
		buf_printf(why, "the folder for temporary files cannot be used: %s", options->temporary);
		return rc;
	}
	for (size_t i = 0; i < options->folder_count; i++) {
		rc = load_folder(engine, options->folders[i], &count);
		if (rc != RC_OK) {
			buf_printf(why, "%s%s: %s", why->len != 0 ? "; " : "", options->folders[i],
			           rc == RC_NOTFOUND ? "no signatures there" : "signatures cannot be loaded");
			return rc;
		}
	}
	rc = rc_of(cl_engine_compile(engine->inner));
	if (rc != RC_OK)
		return rc;
	engine->signatures = count - 1; /* without the canary */
	const long long version = cl_engine_get_num(engine->inner, CL_ENGINE_DB_VERSION, &error);
	engine->database = error == 0 && version > 0 ? (uint32_t)version : 0;
	return RC_OK;
}

enum rc engine_load(const struct engine_options *options, struct buf *why, struct engine **out)
{
	static bool    ready; /* before there are threads */
	struct engine *engine = memory_take(1, sizeof *engine);
	enum rc        rc = RC_NOMEM;

	if (engine == NULL)
		return RC_NOMEM;
	if (!ready)
		ready = cl_init(CL_INIT_DEFAULT) == CL_SUCCESS;
	cl_set_clcb_msg(on_message);
	(void)snprintf(engine->words, sizeof engine->words, "ClamAV %s", cl_retver());
	engine->file_bytes_max = options->limits.file_bytes;
	engine->inner = ready ? cl_engine_new() : NULL;
	complaints = why;
	if (engine->inner != NULL)
		rc = load_all(engine, options, why);
	complaints = NULL;
	if (rc == RC_OK)
		*out = engine;
	else
		engine_drop(&engine);
	return rc;
}

enum rc engine_temporary(struct engine *engine, const char *path)
{
	return cl_engine_set_str(engine->inner, CL_ENGINE_TMPDIR, path) == CL_SUCCESS ? RC_OK : RC_NOMEM;
}

void engine_drop(struct engine **engine)
{
	if (*engine == NULL)
		return;
	if ((*engine)->inner != NULL)
		(void)cl_engine_free((*engine)->inner);
	memory_give(*engine);
	*engine = NULL;
}

void engine_describe(const struct engine *engine, struct av_answer *answer)
{
	answer->engine = slice_str(engine->words);
	answer->database = engine->database;
	answer->database_s = engine->database_s;
	answer->signature_count = engine->signatures;
}

/* "Name.UNOFFICIAL": what is not the vendor's carries that word. */
static void keep_name(struct engine *engine, const char *name)
{
	(void)slice_to_cstr(slice_str(name == NULL || name[0] == '\0' ? "unnamed" : name), engine->found, sizeof engine->found);
}

static enum av_result look(struct engine *engine, struct slice bytes, const char *name)
{
	struct cl_scan_options options = {
		.general = CL_SCAN_GENERAL_HEURISTICS,
		.parse = CL_SCAN_PARSE_ARCHIVE | CL_SCAN_PARSE_ELF | CL_SCAN_PARSE_PDF | CL_SCAN_PARSE_SWF | CL_SCAN_PARSE_HWP3 | CL_SCAN_PARSE_XMLDOCS |
		         CL_SCAN_PARSE_MAIL | CL_SCAN_PARSE_OLE2 | CL_SCAN_PARSE_HTML | CL_SCAN_PARSE_PE | CL_SCAN_PARSE_ONENOTE | CL_SCAN_PARSE_IMAGE,
		.heuristic = CL_SCAN_HEURISTIC_EXCEEDS_MAX,
	};
	const char   *found = NULL;
	unsigned long scanned = 0;
	cl_fmap_t    *map;
	cl_error_t    error;

	if (bytes.len == 0)
		return AV_CLEAN; /* the library does not take an empty map */
	if (bytes.len > engine->file_bytes_max)
		return AV_CUT; /* it would call that a find without a name */
	map = cl_fmap_open_memory(bytes.ptr, bytes.len);
	if (map == NULL)
		return AV_FAILED;
	error = cl_scanmap_callback(map, name, &found, &scanned, engine->inner, &options, NULL);
	cl_fmap_close(map);
	switch ((int)error) {
	case CL_VIRUS:
		keep_name(engine, found);
		return strncmp(engine->found, "Heuristics.Limits.", 18) == 0 ? AV_CUT : AV_FOUND;
	case CL_CLEAN:
	case CL_VERIFIED:
		return AV_CLEAN;
	case CL_ETIMEOUT:
	case CL_EMAXREC:
	case CL_EMAXSIZE:
	case CL_EMAXFILES:
		return AV_CUT;
	default:
		return AV_FAILED;
	}
}

void engine_scan(struct engine *engine, struct slice bytes, struct slice name, struct av_answer *answer)
{
	char text[AV_NAME_MAX + 1];

	(void)slice_to_cstr(name, text, sizeof text);
	answer->result = look(engine, bytes, text[0] == '\0' ? NULL : text);
	answer->signature = answer->result == AV_FOUND ? slice_str(engine->found) : SLICE("");
	engine_describe(engine, answer);
}

bool engine_check(struct engine *engine)
{
	static const uint8_t nothing[] = "nothing to be found here";

	return look(engine, slice_of(canary, sizeof canary), NULL) == AV_FOUND && strncmp(engine->found, CANARY_NAME, strlen(CANARY_NAME)) == 0 &&
	       look(engine, slice_of(nothing, sizeof nothing), NULL) == AV_CLEAN;
}
