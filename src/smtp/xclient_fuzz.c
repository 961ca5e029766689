/* XCLIENT arguments. */
#include "base/must.h"
#include "smtp/xclient.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf     texts = buf_make(2048);
	struct xclient x;
	const enum rc  rc = xclient_read((struct slice){ data, size }, &texts, &x);

	must(!texts.failed);
	must(rc == RC_OK || texts.len == 0);
	if (rc == RC_OK) {
		must((x.given & x.gone) == 0 && (x.given | x.gone) != 0);
		must(x.name.len <= XCLIENT_NAME_MAX && x.helo.len <= XCLIENT_NAME_MAX &&
		     x.login.len <= XCLIENT_NAME_MAX);
		must(((x.given & XCLIENT_ADDR) != 0) == (x.addr.family != IP_NONE));
	}
	buf_done(&texts);
	return 0;
}
