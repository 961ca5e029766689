/* `hangu scan`: the findings of message files, by the scanner's own code. */
#include "tools/tool.h"

#include "base/arena.h"
#include "policy/dispose.h"
#include "sys/file.h"
#include "text/charset.h"
#include "text/normalise.h"

#include <stdio.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)1 << 30)

static void print_findings(const char *name, const struct findings *findings, const struct disposition *disposition)
{
	const struct facts *facts = &findings->facts;

	(void)printf("%s: %s, %s", name, policy_action_word(disposition->action), mail_class_word(disposition->mail_class));
	const struct slice reason = disposition_reason(disposition);
	(void)printf("%s%.*s\n", reason.len != 0 ? " because of " : "", (int)reason.len, (const char *)reason.ptr);
	(void)printf("  %u bytes, header %u, %u parts, from ", facts->message_bytes, facts->header_bytes, facts->part_count);
	tool_print_text(facts->from, 200);
	(void)fputs("\n  subject ", stdout);
	tool_print_text(facts->subject, 200);
	(void)putchar('\n');
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->list[i];
		(void)printf("  %-28s part %u, at %u+%u, %lld  ", finding_about(finding->kind)->name, finding->part, finding->offset,
		             finding->size, (long long)finding->value);
		tool_print_text(finding->evidence, 120);
		(void)putchar('\n');
	}
}

static void print_json(const char *name, const struct findings *findings, const struct disposition *disposition)
{
	(void)fputs("{\"file\":", stdout);
	tool_print_json(slice_str(name));
	(void)printf(",\"action\":\"%s\",\"class\":\"%s\",\"score\":%d,\"bytes\":%u,\"parts\":%u,\"subject\":",
	             policy_action_word(disposition->action), mail_class_word(disposition->mail_class), disposition->score,
	             findings->facts.message_bytes, findings->facts.part_count);
	tool_print_json(findings->facts.subject);
	(void)fputs(",\"findings\":[", stdout);
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->list[i];
		(void)printf("%s{\"name\":\"%s\",\"part\":%u,\"offset\":%u,\"size\":%u,\"value\":%lld,\"evidence\":", i == 0 ? "" : ",",
		             finding_about(finding->kind)->name, finding->part, finding->offset, finding->size, (long long)finding->value);
		tool_print_json(finding->evidence);
		(void)putchar('}');
	}
	(void)fputs("]}\n", stdout);
}

int tool_scan(const struct tool_options *options, int argc, char **argv)
{
	const struct scan_options    scan = { .limits = SCAN_LIMITS_STANDARD, .cut = SCAN_CUT_ALL };
	const struct policy_settings settings = policy_settings_standard();
	const struct dispose_query   query = { .direction = POLICY_INBOUND };
	struct digest                engine;
	struct arena                 arena;
	int                          code = TOOL_DONE;

	if (argc < 2)
		return tool_usage("scan");
	if (digest_ready() != RC_OK || charset_ready() != RC_OK || normalise_ready() != RC_OK || arena_init(&arena, SCAN_ARENA_BYTES) != RC_OK)
		return tool_complain(TOOL_REFUSED, "no memory");
	scan_engine_digest(&scan, &engine);
	for (int at = 1; at < argc; at++) {
		struct buf         bytes = buf_make(FILE_BYTES_MAX);
		struct findings    findings;
		struct disposition disposition;
		arena_reset(&arena);
		enum rc rc = file_read_path(argv[at], &bytes);
		if (rc == RC_OK)
			rc = scan_message(buf_slice(&bytes), &scan, &engine, &arena, &findings);
		if (rc == RC_OK) {
			policy_dispose(&settings, &query, &findings, &disposition);
			if (options->json)
				print_json(argv[at], &findings, &disposition);
			else
				print_findings(argv[at], &findings, &disposition);
		} else {
			code = tool_complain(TOOL_REFUSED, "%s: %s", argv[at], tool_why(rc));
		}
		buf_done(&bytes);
	}
	arena_done(&arena);
	return code;
}
