/* Any bytes as a text and as a name. */
#include "archive/password.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t              memory[1 << 14];
	static struct password_list list;
	struct arena                arena = arena_on(memory, sizeof memory);
	enum rc                     rc;

	password_init(&list, &arena);
	rc = password_text(&list, slice_of(data, size));
	must(rc == RC_OK || rc == RC_NOMEM);
	rc = password_words(&list, slice_of(data, size));
	must(rc == RC_OK || rc == RC_NOMEM);
	must(list.count <= PASSWORDS_MAX);
	for (size_t i = 0; i < list.count; i++) {
		must(list.items[i].text.len != 0 && list.items[i].text.len <= PASSWORD_BYTES_MAX);
		must(i == 0 || list.items[i - 1].rank <= list.items[i].rank);
	}
	return 0;
}
