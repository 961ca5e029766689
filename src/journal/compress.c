/* The adapter to zstd. */
#include "journal/compress.h"

#include "base/memory.h"
#include "base/must.h"

#include <zstd.h>

/* Largest window that a frame of ours may ask for: 8 MiB. */
#define WINDOW_LOG_MAX 23

struct journal_compressor {
	ZSTD_CCtx *context;
};

struct journal_unpacker {
	ZSTD_DCtx *context;
};

enum rc journal_compressor_open(unsigned level, struct journal_compressor **out)
{
	must(level >= 1 && level <= JOURNAL_COMPRESS_LEVEL_MAX);

	struct journal_compressor *compressor = memory_take(1, sizeof *compressor);
	if (compressor == NULL)
		return RC_NOMEM;
	compressor->context = ZSTD_createCCtx();
	if (compressor->context == NULL ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_compressionLevel, (int)level)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_windowLog, WINDOW_LOG_MAX - 3))) {
		journal_compressor_close(&compressor);
		return RC_NOMEM;
	}
	*out = compressor;
	return RC_OK;
}

void journal_compressor_close(struct journal_compressor **compressor)
{
	if (*compressor == NULL)
		return;
	(void)ZSTD_freeCCtx((*compressor)->context);
	memory_give(*compressor);
	*compressor = NULL;
}

enum rc journal_compress(struct journal_compressor *compressor, const struct slice *pieces, size_t count, uint8_t *to,
                         size_t room, size_t *out)
{
	ZSTD_outBuffer output = { .dst = to, .size = room };
	uint64_t       total = 0;

	for (size_t i = 0; i < count; i++)
		total += pieces[i].len;
	if (ZSTD_isError(ZSTD_CCtx_reset(compressor->context, ZSTD_reset_session_only)) ||
	    ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(compressor->context, total)))
		return RC_NOMEM;
	for (size_t i = 0; i < count; i++) {
		ZSTD_inBuffer input = { .src = pieces[i].ptr, .size = pieces[i].len };
		while (input.pos < input.size) {
			if (ZSTD_isError(ZSTD_compressStream2(compressor->context, &output, &input, ZSTD_e_continue)))
				return RC_NOMEM;
			if (output.pos == output.size)
				return RC_LIMIT;
		}
	}
	ZSTD_inBuffer none = { .src = NULL };
	const size_t  left = ZSTD_compressStream2(compressor->context, &output, &none, ZSTD_e_end);
	if (ZSTD_isError(left))
		return RC_NOMEM;
	if (left != 0)
		return RC_LIMIT;
	*out = output.pos;
	return RC_OK;
}

enum rc journal_unpacker_open(struct journal_unpacker **out)
{
	struct journal_unpacker *unpacker = memory_take(1, sizeof *unpacker);

	if (unpacker == NULL)
		return RC_NOMEM;
	unpacker->context = ZSTD_createDCtx();
	if (unpacker->context == NULL ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(unpacker->context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
		journal_unpacker_close(&unpacker);
		return RC_NOMEM;
	}
	*out = unpacker;
	return RC_OK;
}

void journal_unpacker_close(struct journal_unpacker **unpacker)
{
	if (*unpacker == NULL)
		return;
	(void)ZSTD_freeDCtx((*unpacker)->context);
	memory_give(*unpacker);
	*unpacker = NULL;
}

void journal_unpacker_reset(struct journal_unpacker *unpacker)
{
	(void)ZSTD_DCtx_reset(unpacker->context, ZSTD_reset_session_only);
}

enum rc journal_unpack(struct journal_unpacker *unpacker, struct slice *input, uint8_t *to, size_t room, size_t *out)
{
	ZSTD_outBuffer output = { .dst = to, .size = room };
	ZSTD_inBuffer  source = { .src = input->ptr, .size = input->len };

	if (ZSTD_isError(ZSTD_decompressStream(unpacker->context, &output, &source)))
		return RC_CORRUPT;
	*input = slice_drop(*input, source.pos);
	*out = output.pos;
	return RC_OK;
}
