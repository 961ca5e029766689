/* SMTP paths, and the domains and addresses in them. */
#include "base/must.h"
#include "mail/address.h"
#include "mail/domain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(const struct address *address, unsigned flags)
{
	struct buf     written = buf_make(4096), key = buf_make(8192), again_key = buf_make(8192);
	struct address again;

	if (address->kind == ADDRESS_IS_NULL)
		return;
	address_write(address, &written);
	must(address_mailbox_read(buf_slice(&written), flags, &again) == RC_OK);
	must(slice_eq(again.local, address->local) && slice_eq(again.domain, address->domain));
	/* The key names a mailbox, and its own key is itself. */
	if (address_key(address, &key) == RC_OK && address->kind != ADDRESS_IS_LOCAL) {
		must(address_mailbox_read(buf_slice(&key), flags | ADDRESS_LONG | ADDRESS_UTF8, &again) == RC_OK);
		must(address_key(&again, &again_key) == RC_OK);
		must(slice_eq(buf_slice(&key), buf_slice(&again_key)));
	}
	buf_done(&written);
	buf_done(&key);
	buf_done(&again_key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice bytes = { data, size };
	struct buf         ascii = buf_make(1024);
	struct ip          ip;

	for (unsigned flags = 0; flags < ADDRESS_BARE * 2; flags++) {
		struct slice   input = bytes;
		struct address address;
		if (address_path_take(&input, flags, &address) == RC_OK) {
			must(input.len < size);
			check_address(&address, flags);
		}
	}
	if (domain_ascii(bytes, &ascii) == RC_OK)
		must(domain_check(buf_slice(&ascii), false) != RC_SYNTAX);
	else
		must(ascii.len == 0);
	if (ip_read(bytes, &ip) == RC_OK) {
		struct ip again;
		buf_clear(&ascii);
		ip_write(&ip, &ascii);
		must(ascii.len <= IP_TEXT_MAX && ip_read(buf_slice(&ascii), &again) == RC_OK && ip_eq(&ip, &again));
	}
	buf_done(&ascii);
	return 0;
}
