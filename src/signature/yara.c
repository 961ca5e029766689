/* The adapter of libyara. Its own limits are set below; it is never given a file, a process or an include. */
#include "signature/yara.h"

#include "base/buf.h"
#include "base/memory.h"
#include "base/must.h"

#include <string.h>
#include <yara.h>

#define CANARY_RULE      "hangu_canary"
#define CANARY_NAMESPACE "hangu"
#define CANARY_TEXT      "rule " CANARY_RULE " { strings: $a = \"hangu:canary:7f1c9b52\" condition: $a at 0 }"
#define CANARY_BYTES     "hangu:canary:7f1c9b52"

#define STRINGS_PER_RULE_MAX 10000u
#define MATCH_DATA_MAX       64u
#define NAME_SEEN_MAX        255u /* of a member's name, by a rule */
#define TAGS_MAX             255u
#define SEVERITY_STANDARD    50

struct yara_rules {
	YR_RULES *inner;
	size_t    count;
};

struct yara_scanner {
	YR_SCANNER *inner;
	void (*told)(void *context, const struct yara_match *match);
	void  *context;
	size_t count;
	bool   canary;   /* it was found */
	bool   too_many; /* strings of a rule matched without end */
};

/* ---- making ---- */

struct making {
	struct yara_error *error;
	const char        *source;
};

static void say(struct yara_error *error, const char *source, uint32_t line, const char *text)
{
	*error = (struct yara_error){ .line = line };
	(void)slice_to_cstr(slice_str(source), error->source, sizeof error->source);
	(void)slice_to_cstr(slice_str(text), error->text, sizeof error->text);
}

static void on_complaint(int level, const char *file, int line, const YR_RULE *rule, const char *message, void *context)
{
	const struct making *making = context;

	(void)file;
	(void)rule;
	if (level == YARA_ERROR_LEVEL_ERROR && making->error->text[0] == '\0')
		say(making->error, making->source, line < 0 ? 0 : (uint32_t)line, message);
}

/* An `include`: there is nothing to be had. The compiler then says so itself. */
static const char *on_include(const char *name, const char *file, const char *space, void *context)
{
	(void)name;
	(void)file;
	(void)space;
	(void)context;
	return NULL;
}

static void on_include_free(const char *text, void *context)
{
	(void)text;
	(void)context;
}

static char *text_of(struct slice s)
{
	char *text = memory_take(s.len + 1, 1);

	if (text != NULL && s.len != 0)
		memcpy(text, s.ptr, s.len);
	return text;
}

static enum rc add_source(YR_COMPILER *compiler, const struct yara_source *source, struct making *making)
{
	char  name[YARA_NAME_MAX + 1];
	char *text;
	int   errors;

	if (source->name.len == 0 || source->name.len > YARA_NAME_MAX || source->text.len > YARA_SOURCE_BYTES) {
		say(making->error, "", 0, "a source's name or text is too long, or its name is empty");
		return RC_LIMIT;
	}
	if (slice_to_cstr(source->name, name, sizeof name) != source->name.len || slice_find(source->text, '\0') != source->text.len) {
		say(making->error, "", 0, "a source's name or text holds a NUL");
		return RC_SYNTAX;
	}
	text = text_of(source->text);
	if (text == NULL)
		return RC_NOMEM;
	making->source = name;
	errors = yr_compiler_add_string(compiler, text, name);
	memory_give(text);
	if (errors == 0)
		return RC_OK;
	if (making->error->text[0] == '\0')
		say(making->error, name, 0, "cannot be compiled");
	return RC_SYNTAX;
}

/* The library wants to be begun once in a process, and counts; it is never ended, for rules may be made anew. */
static bool library_ready(void)
{
	static bool ready; /* before there are threads */

	if (!ready)
		ready = yr_initialize() == ERROR_SUCCESS && yr_set_configuration_uint32(YR_CONFIG_MAX_STRINGS_PER_RULE, STRINGS_PER_RULE_MAX) == ERROR_SUCCESS &&
		        yr_set_configuration_uint32(YR_CONFIG_MAX_MATCH_DATA, MATCH_DATA_MAX) == ERROR_SUCCESS;
	return ready;
}

static enum rc compile(YR_COMPILER *compiler, const struct yara_source *sources, size_t count, struct yara_error *error, YR_RULES **out)
{
	struct making making = { .error = error, .source = CANARY_NAMESPACE };
	enum rc       rc = RC_OK;

	yr_compiler_set_callback(compiler, on_complaint, &making);
	yr_compiler_set_include_callback(compiler, on_include, on_include_free, NULL);
	if (yr_compiler_define_string_variable(compiler, "filename", "") != ERROR_SUCCESS ||
	    yr_compiler_add_string(compiler, CANARY_TEXT, CANARY_NAMESPACE) != 0)
		return RC_NOMEM;
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = add_source(compiler, &sources[i], &making);
	if (rc == RC_OK && yr_compiler_get_rules(compiler, out) != ERROR_SUCCESS)
		rc = RC_NOMEM;
	return rc;
}

enum rc yara_rules_make(const struct yara_source *sources, size_t count, struct yara_error *error, struct yara_rules **out)
{
	struct yara_rules *rules;
	YR_COMPILER       *compiler;
	YR_RULE           *rule;
	enum rc            rc;

	*error = (struct yara_error){ 0 };
	if (count > YARA_SOURCES_MAX) {
		say(error, "", 0, "too many sources");
		return RC_LIMIT;
	}
	rules = memory_take(1, sizeof *rules);
	if (rules == NULL)
		return RC_NOMEM;
	if (!library_ready() || yr_compiler_create(&compiler) != ERROR_SUCCESS) {
		memory_give(rules);
		return RC_NOMEM;
	}
	rc = compile(compiler, sources, count, error, &rules->inner);
	yr_compiler_destroy(compiler);
	if (rc != RC_OK) {
		memory_give(rules);
		return rc;
	}
	yr_rules_foreach(rules->inner, rule) rules->count++;
	must(rules->count != 0);
	rules->count--;
	*out = rules;
	return RC_OK;
}

void yara_rules_drop(struct yara_rules **rules)
{
	if (*rules == NULL)
		return;
	yr_rules_destroy((*rules)->inner);
	memory_give(*rules);
	*rules = NULL;
}

size_t yara_rules_count(const struct yara_rules *rules)
{
	return rules->count;
}

/* ---- scanning ---- */

static void tags_of(YR_RULE *rule, struct buf *out)
{
	const char *tag;

	yr_rule_tags_foreach(rule, tag)
	{
		if (out->len + strlen(tag) + 1 > TAGS_MAX)
			break;
		if (out->len != 0)
			buf_put_byte(out, ' ');
		buf_put_str(out, tag);
	}
}

static int64_t severity_of(YR_RULE *rule)
{
	YR_META *meta;

	yr_rule_metas_foreach(rule, meta)
	{
		if (meta->type == META_TYPE_INTEGER && strcmp(meta->identifier, "severity") == 0 && meta->integer >= 0 && meta->integer <= 100)
			return meta->integer;
	}
	return SEVERITY_STANDARD;
}

static void rule_matched(struct yara_scanner *scanner, YR_RULE *rule)
{
	struct buf tags = buf_make(TAGS_MAX);

	if (strcmp(rule->ns->name, CANARY_NAMESPACE) == 0 && strcmp(rule->identifier, CANARY_RULE) == 0) {
		scanner->canary = true;
		return;
	}
	if (scanner->count++ >= YARA_MATCHES_MAX || scanner->told == NULL)
		return;
	tags_of(rule, &tags);

	const struct yara_match match = { .rule = slice_str(rule->identifier), .source = slice_str(rule->ns->name),
		                          .tags = buf_slice(&tags), .severity = severity_of(rule) };

	scanner->told(scanner->context, &match);
	buf_done(&tags);
}

static int on_message(YR_SCAN_CONTEXT *context, int message, void *data, void *user)
{
	struct yara_scanner *scanner = user;

	(void)context;
	if (message == CALLBACK_MSG_RULE_MATCHING)
		rule_matched(scanner, data);
	if (message != CALLBACK_MSG_TOO_MANY_MATCHES)
		return CALLBACK_CONTINUE;
	scanner->too_many = true; /* go on without that string */
	return CALLBACK_CONTINUE;
}

enum rc yara_scanner_make(const struct yara_rules *rules, struct yara_scanner **out)
{
	struct yara_scanner *scanner = memory_take(1, sizeof *scanner);

	if (scanner == NULL)
		return RC_NOMEM;
	if (yr_scanner_create(rules->inner, &scanner->inner) != ERROR_SUCCESS) {
		memory_give(scanner);
		return RC_NOMEM;
	}
	yr_scanner_set_callback(scanner->inner, on_message, scanner);
	yr_scanner_set_timeout(scanner->inner, YARA_SECONDS_MAX);
	/* No signal handlers of its own: the bytes lie in memory that cannot go away. A string that has matched need not match again. */
	yr_scanner_set_flags(scanner->inner, SCAN_FLAGS_FAST_MODE | SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING);
	*out = scanner;
	return RC_OK;
}

void yara_scanner_drop(struct yara_scanner **scanner)
{
	if (*scanner == NULL)
		return;
	yr_scanner_destroy((*scanner)->inner);
	memory_give(*scanner);
	*scanner = NULL;
}

static enum rc answer_of(int error)
{
	switch (error) {
	case ERROR_SUCCESS:
		return RC_OK;
	case ERROR_SCAN_TIMEOUT:
		return RC_TIMEOUT;
	case ERROR_TOO_MANY_MATCHES:
	case ERROR_TOO_MANY_RE_FIBERS:
	case ERROR_EXEC_STACK_OVERFLOW:
		return RC_LIMIT;
	case ERROR_INSUFFICIENT_MEMORY:
		return RC_NOMEM;
	default:
		return RC_IO;
	}
}

enum rc yara_scan(struct yara_scanner *scanner, struct slice name, struct slice bytes,
                  void (*told)(void *context, const struct yara_match *match), void *context, size_t *ret_count)
{
	char    filename[NAME_SEEN_MAX + 1];
	enum rc rc;

	(void)slice_to_cstr(name, filename, sizeof filename);
	if (yr_scanner_define_string_variable(scanner->inner, "filename", filename) != ERROR_SUCCESS)
		return RC_NOMEM;
	scanner->told = told;
	scanner->context = context;
	scanner->count = 0;
	scanner->canary = false;
	scanner->too_many = false;
	/* An empty file has an address, too. */
	rc = answer_of(yr_scanner_scan_mem(scanner->inner, bytes.len == 0 ? (const uint8_t *)"" : bytes.ptr, bytes.len));
	*ret_count = scanner->count;
	return rc == RC_OK && scanner->too_many ? RC_LIMIT : rc;
}

bool yara_scanner_check(struct yara_scanner *scanner)
{
	size_t count;

	return yara_scan(scanner, SLICE("canary"), SLICE(CANARY_BYTES), NULL, NULL, &count) == RC_OK && scanner->canary;
}

const char *yara_version(void)
{
	return YR_VERSION;
}
