/* The readings of one body: the first byte chooses the encoding and what is known; bounds hold, and it ends. */
#include "base/must.h"
#include "mail/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct body_reading reading;
	unsigned            count = 0;

	if (size == 0 || size > 1 << 16)
		return 0;
	const struct slice body = slice_of(data + 1, size - 1);
	struct body_walk   walk = data[0] >= 0x80
	                                  ? body_begin_doubtful(body)
	                                  : body_begin(body, (enum transfer_encoding)(data[0] % TRANSFER_ENCODINGS),
	                                               data[0] / TRANSFER_ENCODINGS % 4);
	while (body_next(&walk, &reading)) {
		struct transfer transfer = body_open(&reading);
		uint8_t         piece[1024];
		must(++count <= BODY_READINGS_MAX);
		must((size_t)reading.offset + reading.bytes.len <= body.len);
		must(reading.name.len <= 2048);
		while (transfer_read(&transfer, piece, sizeof piece) == sizeof piece)
			continue;
		body_told(&walk, transfer.flaws);
	}
	must(walk.steps <= 200 * (uint64_t)size + 1000);
	must(!body_next(&walk, &reading) || walk.cut);
	return 0;
}
