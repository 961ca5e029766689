/* Rules with the library's own readers of executables behind them, over any bytes: what it finds is bounded and the canary stays. */
#include "base/must.h"
#include "signature/yara.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] = "import \"pe\" import \"elf\" import \"math\" import \"dotnet\"\n"
			   "rule a { strings: $a = { 4d 5a [2-60] 50 45 } $b = /ab+c{2,9}/ nocase wide condition: any of them }\n"
			   "rule b { condition: pe.number_of_sections > 1 or elf.number_of_sections > 1 or dotnet.number_of_streams > 0 }\n"
			   "rule c { condition: math.entropy(0, filesize) > 7.0 and filename contains \"x\" }\n";

static void told(void *context, const struct yara_match *match)
{
	size_t *count = context;

	must(match->rule.len != 0 && match->severity >= 0 && match->severity <= 100);
	(*count)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct yara_rules   *rules; /* both are kept for all inputs */
	static struct yara_scanner *scanner;
	size_t                      heard = 0, count = 0;

	if (scanner == NULL) {
		const struct yara_source source = { SLICE("fuzz"), { (const uint8_t *)text, sizeof text - 1 } };
		struct yara_error        error;

		must(yara_rules_make(&source, 1, &error, &rules) == RC_OK && yara_scanner_make(rules, &scanner) == RC_OK);
	}

	const enum rc rc = yara_scan(scanner, slice_take((struct slice){ data, size }, 20), (struct slice){ data, size }, told, &heard, &count);

	must(rc == RC_OK || rc == RC_LIMIT || rc == RC_TIMEOUT || rc == RC_NOMEM);
	must(count == heard && count <= 3);
	must(yara_scanner_check(scanner));
	return 0;
}
