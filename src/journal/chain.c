/* One link of the hash chain. */
#include "journal/chain.h"

#include "base/must.h"

#define CHAINED_HEAD 80u
#define FLAGS_AT     7u
#define PIECES_MAX   66u

void journal_chain_next(const struct digest *before, const uint8_t head[JOURNAL_RECORD_HEAD_SIZE],
                        const struct slice *payload, size_t payload_count, struct digest *out)
{
	uint8_t      front[DIGEST_SIZE + CHAINED_HEAD];
	struct slice pieces[PIECES_MAX];
	size_t       count = 0;

	memcpy(front, before->bytes, DIGEST_SIZE);
	memcpy(front + DIGEST_SIZE, head, CHAINED_HEAD);
	front[DIGEST_SIZE + FLAGS_AT] = (uint8_t)(head[FLAGS_AT] & ~JOURNAL_FLAG_DROPPED);
	pieces[count++] = slice_of(front, sizeof front);
	if ((head[FLAGS_AT] & JOURNAL_FLAG_BODY) == 0) {
		must(payload_count < PIECES_MAX);
		for (size_t i = 0; i < payload_count; i++)
			pieces[count++] = payload[i];
	}
	digest_of(pieces, count, out);
}
