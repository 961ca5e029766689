/* `hangu check` and `hangu manual`: the settings file, by the very code that the gateway reads it with. */
#include "tools/tool.h"

#include "net/tls.h"
#include "settings/settings.h"

#include <stdio.h>

#define FILE_STANDARD "/etc/hangu/hangu.conf"
#define REPORT_MAX (256u << 10)

static void print(FILE *to, const struct buf *lines)
{
	tool_write(to, buf_slice(lines));
	if (lines->len != 0 && lines->ptr[lines->len - 1] != '\n')
		(void)fputc('\n', to);
}

int tool_check(const struct tool_options *options, int argc, char **argv)
{
	const char  *path = argc == 2 ? argv[1] : FILE_STANDARD;
	struct buf   bundle = buf_make(SETTINGS_BUNDLE_MAX), errors = buf_make(REPORT_MAX), notes = buf_make(REPORT_MAX);
	struct fault fault = { .rc = RC_OK };
	(void)options;

	if (argc > 2)
		return tool_usage("check");
	if (digest_ready() != RC_OK || net_tls_ready(&fault) != RC_OK)
		return tool_complain(TOOL_REFUSED, "the TLS library cannot be used");
	const enum rc rc = settings_bundle_make(path, &bundle, &errors, &notes);
	print(stderr, &errors);
	print(stdout, &notes);
	if (rc == RC_OK)
		(void)printf("%s: good\n", path);
	buf_done(&bundle);
	buf_done(&errors);
	buf_done(&notes);
	return rc == RC_OK ? TOOL_DONE : TOOL_REFUSED;
}

int tool_manual(const struct tool_options *options, int argc, char **argv)
{
	struct buf text = buf_make(REPORT_MAX);
	(void)options;
	(void)argv;

	if (argc != 1)
		return tool_usage("manual");
	settings_manual(&text);
	print(stdout, &text);
	buf_done(&text);
	return TOOL_DONE;
}
