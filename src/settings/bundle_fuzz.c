/* Bundles: roles parse them with the same distrust as mail. What can be read once is read again the same way. */
#include "base/must.h"
#include "settings/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t     memory[1u << 20] __attribute__((aligned(16)));
	struct arena       arena = arena_on(memory, sizeof memory);
	struct settings    settings;
	struct buf         bare = buf_make(1u << 20);
	const struct slice bundle = slice_of(data, size);

	must(digest_ready() == RC_OK);
	if (settings_read(bundle, &arena, &settings) == RC_OK) {
		must(settings.gate.gateway != NULL && settings.log != NULL && settings.metrics != NULL);
		arena_reset(&arena);
		must(settings_bundle_public(bundle, &bare) == RC_OK);
		must(settings_read(buf_slice(&bare), &arena, &settings) == RC_OK);
		must(settings.gate.file_count == 0);
	}
	buf_done(&bare);
	return 0;
}
