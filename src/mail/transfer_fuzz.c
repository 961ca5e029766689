/* The decoders: the first byte chooses one and the size of the pieces; pieces of another size must give the same. */
#include "base/must.h"
#include "mail/transfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t decode(const uint8_t *data, size_t size, uint8_t choice, size_t room, size_t *ret_size)
{
	uint8_t         piece[512];
	struct transfer transfer = transfer_begin((enum transfer_encoding)(choice % TRANSFER_ENCODINGS),
	                                          (enum transfer_padding)(choice / TRANSFER_ENCODINGS % 3), slice_of(data, size));
	uint64_t        sum = 0;
	size_t          count;

	*ret_size = 0;
	while ((count = transfer_read(&transfer, piece, room)) != 0) {
		must(count <= room);
		for (size_t i = 0; i < count; i++)
			sum = sum * 31 + piece[i];
		*ret_size += count;
	}
	/* A line of uuencode may have lost all its blanks; BinHex repeats a byte 255 times for three characters. */
	must(*ret_size <= size * 100);
	return sum * 64 + transfer.flaws;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t whole, parts;

	if (size == 0 || size > 1 << 16)
		return 0;
	const uint64_t a = decode(data + 1, size - 1, data[0], 512, &whole);
	const uint64_t b = decode(data + 1, size - 1, data[0], TRANSFER_ROOM_MIN + data[0] % 16, &parts);
	must(a == b && whole == parts);
	return 0;
}
