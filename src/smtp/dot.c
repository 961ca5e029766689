/*
 * Dots and line ends. Both directions walk the bytes in blocks of 64: four bit masks (CR, LF, NUL, dot) tell in a few
 * instructions whether anything in the block needs a look; ordinary text passes whole. The states of the slow path are
 * the bytes seen last.
 */
#include "smtp/dot.h"

#include "base/must.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define BLOCK 64u

/* What the bytes before the present one were. */
enum {
	IN_LINE,       /* inside a line */
	AT_LINE,       /* at the start of a line: the start of the message, or after CRLF */
	AT_LOOSE_LINE, /* at the start of a line that follows a bare LF, line ends being normalised */
	AFTER_CR,      /* a CR was taken and not given out yet */
	AFTER_DOT,     /* a line began with a dot, not given out yet */
	AFTER_DOT_CR,  /* "." CR at the start of a line, neither given out yet */
	AFTER_LOOSE_DOT,
	AFTER_LOOSE_DOT_CR,
	ENDED,
};

static const struct slice crlf = { (const uint8_t *)"\r\n", 2 };
static const struct slice dot = { (const uint8_t *)".", 1 };
static const struct slice dot_crlf = { (const uint8_t *)".\r\n", 3 };
static const struct slice crlf_dot_crlf = { (const uint8_t *)"\r\n.\r\n", 5 };

/* A bit for each of the 64 bytes. */
struct masks {
	uint64_t cr, lf, nul, dot;
};

#if defined(__SSE2__)
static uint64_t equal_bits(const __m128i part[4], char byte)
{
	const __m128i wanted = _mm_set1_epi8(byte);
	uint64_t      bits = 0;

	for (unsigned i = 0; i < 4; i++)
		bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(part[i], wanted)) << (16 * i);
	return bits;
}

static inline struct masks masks_of(const uint8_t *ptr)
{
	__m128i part[4];

	for (unsigned i = 0; i < 4; i++)
		part[i] = _mm_loadu_si128((const __m128i *)(const void *)(ptr + 16 * i));
	return (struct masks){
		.cr = equal_bits(part, '\r'),
		.lf = equal_bits(part, '\n'),
		.nul = equal_bits(part, '\0'),
		.dot = equal_bits(part, '.'),
	};
}
#else
/*
 * Eight bytes at a time: the high bit of each byte that is zero after the exclusive or, gathered by a multiplication.
 */
static uint64_t equal_bits(const uint8_t *ptr, uint8_t byte)
{
	const uint64_t ones = 0x0101010101010101u, low = 0x7f7f7f7f7f7f7f7fu;
	uint64_t       bits = 0;

	for (unsigned i = 0; i < 8; i++) {
		uint64_t word;
		memcpy(&word, ptr + 8 * i, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		word = __builtin_bswap64(word);
#endif
		word ^= ones * byte;
		const uint64_t zero = ~(((word & low) + low) | word | low);
		bits |= ((zero >> 7) * 0x0102040810204080u >> 56) << (8 * i);
	}
	return bits;
}

static inline struct masks masks_of(const uint8_t *ptr)
{
	return (struct masks){
		.cr = equal_bits(ptr, '\r'),
		.lf = equal_bits(ptr, '\n'),
		.nul = equal_bits(ptr, '\0'),
		.dot = equal_bits(ptr, '.'),
	};
}
#endif

/* Where a walk stands: was the last byte a CR, and does the next one begin a line? */
struct walk {
	bool   after_cr;
	bool   at_line;
	size_t last_line; /* index behind the last LF passed, or SIZE_MAX */
};

/* A line longer than the bound ends (or goes on) in this block: `open` bytes of it lie before the block. */
static bool passes(uint64_t open, const struct masks *m, uint64_t max)
{
	const uint64_t here = m->lf != 0 ? (uint64_t)__builtin_ctzll(m->lf) : BLOCK;

	/*
	 * The CR in front of the LF is counted here and forgiven by one. A line that begins and ends inside the block
	 * is shorter than it; bounds below that are left to the byte-by-byte path.
	 */
	return max != 0 && (max < BLOCK || open + here > max + 1);
}

/*
 * Pass whole blocks of `s` in which every CR and LF belong together, no NUL stands, and (if `dots`) no line begins with
 * a dot. Returns the bytes passed; *walk is brought up to date. `open` is the length of the line before `s`, `max` its
 * bound (0: none).
 */
static size_t pass_blocks(struct slice s, bool dots, uint64_t open, uint64_t max, struct walk *walk)
{
	uint64_t cr_before = walk->after_cr;
	uint64_t line_before = walk->at_line;
	size_t   at = 0;

	while (s.len - at >= BLOCK) {
		const struct masks m = masks_of(s.ptr + at);
		const uint64_t     stray = m.nul | (m.lf ^ (m.cr << 1 | cr_before));
		const uint64_t     leading = dots ? m.dot & (m.lf << 1 | line_before) : 0;

		if ((stray | leading) != 0 || passes(open, &m, max))
			break;
		cr_before = m.cr >> 63;
		line_before = m.lf >> 63;
		if (m.lf != 0) {
			const size_t behind = BLOCK - (size_t)__builtin_clzll(m.lf);
			walk->last_line = at + behind;
			open = BLOCK - behind;
		} else {
			open += BLOCK;
		}
		at += BLOCK;
	}
	walk->after_cr = cr_before != 0;
	walk->at_line = line_before != 0;
	return at;
}

enum rc smtp_line_check(struct smtp_line_check *check, struct slice bytes)
{
	struct walk walk = { .after_cr = check->after_cr };
	bool        after_cr;

	for (size_t at = pass_blocks(bytes, false, 0, 0, &walk), next = 0;; at = next) {
		/* One block, or what is left, byte by byte; then blocks again. */
		after_cr = walk.after_cr;
		next = bytes.len - at > BLOCK ? at + BLOCK : bytes.len;
		for (; at < next; at++) {
			const uint8_t byte = bytes.ptr[at];
			if (byte == '\0' || (byte == '\n') != after_cr)
				return RC_SYNTAX;
			after_cr = byte == '\r';
		}
		if (next == bytes.len)
			break;
		walk = (struct walk){ .after_cr = after_cr };
		next += pass_blocks(slice_drop(bytes, next), false, 0, 0, &walk);
	}
	check->after_cr = after_cr;
	return RC_OK;
}

enum rc smtp_line_check_end(const struct smtp_line_check *check)
{
	return check->after_cr ? RC_SYNTAX : RC_OK;
}

void smtp_dot_decoder_init(struct smtp_dot_decoder *decoder, enum smtp_line_ends line_ends, uint64_t line_bytes_max)
{
	*decoder =
		(struct smtp_dot_decoder){ .line_bytes_max = line_bytes_max, .line_ends = line_ends, .state = AT_LINE };
}

/* Why a run ends where it ends. */
enum stop {
	STOP_END,   /* the bytes are used up */
	STOP_CR,    /* the last byte is a CR: what follows decides */
	STOP_DOT,   /* a dot at the start of a line */
	STOP_STRAY, /* a bare CR, a bare LF or a NUL */
	STOP_LONG,  /* the line is too long */
};

struct run {
	size_t    count;
	bool      at_line; /* the next byte begins a line */
	uint64_t  open;    /* bytes of the current line */
	enum stop stop;
};

/* Look at bytes one by one, up to `end`. True when the run goes on there. */
static bool step_bytes(struct slice s, size_t end, uint64_t max, struct run *run)
{
	while (run->count < end) {
		const uint8_t byte = s.ptr[run->count];

		if (byte == '.' && run->at_line) {
			run->stop = STOP_DOT;
			return false;
		}
		if (byte == '\n' || byte == '\0') {
			run->stop = STOP_STRAY;
			return false;
		}
		if (max != 0 && run->open >= max + (byte == '\r')) {
			run->stop = STOP_LONG;
			return false;
		}
		if (byte != '\r') {
			run->count++;
			run->open++;
			run->at_line = false;
			continue;
		}
		const int next = slice_at(s, run->count + 1);
		if (next != '\n') {
			run->stop = next < 0 ? STOP_CR : STOP_STRAY;
			return false;
		}
		run->count += 2;
		run->open = 0;
		run->at_line = true;
	}
	return true;
}

/* The longest run at the front of `s` that needs no change. */
static struct run find_run(struct slice s, bool at_line, uint64_t open, uint64_t max)
{
	struct run run = { .at_line = at_line, .open = open, .stop = STOP_END };

	while (run.count < s.len) {
		struct walk  walk = { .at_line = run.at_line, .last_line = SIZE_MAX };
		const size_t passed = pass_blocks(slice_drop(s, run.count), true, run.open, max, &walk);

		run.count += passed;
		run.at_line = walk.at_line;
		run.open = walk.last_line == SIZE_MAX ? run.open + passed : passed - walk.last_line;
		if (walk.after_cr) {
			/* Given back: the byte behind it decides. */
			run.count--;
			run.open--;
		}
		const size_t end = s.len - run.count > BLOCK ? run.count + BLOCK : s.len;
		if (!step_bytes(s, end, max, &run))
			break;
	}
	return run;
}

/* The byte at the front of `*input` is a line end on its own. */
static enum rc decode_stray(struct smtp_dot_decoder *decoder, struct slice *input, struct slice *out)
{
	if (decoder->line_ends == SMTP_LINE_ENDS_REFUSE || input->ptr[0] != '\n')
		return RC_SYNTAX;
	*input = slice_drop(*input, 1);
	*out = crlf;
	decoder->line_bytes = 0;
	decoder->state = AT_LOOSE_LINE;
	decoder->changed = true;
	return RC_OK;
}

static enum rc decode_run(struct smtp_dot_decoder *decoder, struct slice *input, struct slice *out)
{
	const struct run run =
		find_run(*input, decoder->state == AT_LINE, decoder->line_bytes, decoder->line_bytes_max);

	if (run.count != 0) {
		*out = slice_take(*input, run.count);
		*input = slice_drop(*input, run.count);
		decoder->line_bytes = run.open;
		decoder->state = run.at_line ? AT_LINE : IN_LINE;
		return RC_OK;
	}
	switch (run.stop) {
	case STOP_CR:
		*input = slice_drop(*input, 1);
		decoder->state = AFTER_CR;
		return RC_AGAIN;
	case STOP_DOT:
		*input = slice_drop(*input, 1);
		decoder->state = AFTER_DOT;
		return RC_AGAIN;
	case STOP_STRAY:
		return decode_stray(decoder, input, out);
	case STOP_LONG:
		return RC_LIMIT;
	case STOP_END:
		break;
	}
	return RC_AGAIN;
}

/* A line began with a dot after a genuine line end. */
static enum rc decode_dot(struct smtp_dot_decoder *decoder, struct slice *input, struct slice *out)
{
	if (input->ptr[0] == '\r') {
		*input = slice_drop(*input, 1);
		decoder->state = AFTER_DOT_CR;
		return RC_AGAIN;
	}
	decoder->changed = true;
	switch (input->ptr[0]) {
	case '\n':
		/*
		 * A dot alone before a bare LF ends nothing; it is a line of the message where bare LFs are borne with.
		 */
		*out = dot;
		decoder->state = IN_LINE;
		return decoder->line_ends == SMTP_LINE_ENDS_REFUSE ? RC_SYNTAX : RC_OK;
	default:
		decoder->state = IN_LINE;
		return RC_AGAIN;
	}
}

/* A line began with a dot after a bare LF: whatever follows, it is no end of data. */
static enum rc decode_loose_dot(struct smtp_dot_decoder *decoder, struct slice *input, struct slice *out)
{
	if (input->ptr[0] == '\r') {
		*input = slice_drop(*input, 1);
		decoder->state = AFTER_LOOSE_DOT_CR;
		return RC_AGAIN;
	}
	decoder->state = IN_LINE;
	if (input->ptr[0] != '\n')
		return RC_AGAIN;
	*out = dot;
	return RC_OK;
}

/* One step; RC_AGAIN: nothing to give yet, the state or the input has moved. */
static enum rc decode_step(struct smtp_dot_decoder *decoder, struct slice *input, struct slice *out)
{
	const bool lf = input->ptr[0] == '\n';

	switch (decoder->state) {
	case AFTER_CR:
		if (!lf)
			return RC_SYNTAX;
		*input = slice_drop(*input, 1);
		*out = crlf;
		decoder->line_bytes = 0;
		decoder->state = AT_LINE;
		return RC_OK;
	case AFTER_DOT:
		return decode_dot(decoder, input, out);
	case AFTER_DOT_CR:
		if (!lf)
			return RC_SYNTAX;
		*input = slice_drop(*input, 1);
		decoder->state = ENDED;
		return RC_CLOSED;
	case AT_LOOSE_LINE:
		if (input->ptr[0] == '.') {
			*input = slice_drop(*input, 1);
			decoder->state = AFTER_LOOSE_DOT;
			return RC_AGAIN;
		}
		decoder->state = IN_LINE;
		return RC_AGAIN;
	case AFTER_LOOSE_DOT:
		return decode_loose_dot(decoder, input, out);
	case AFTER_LOOSE_DOT_CR:
		if (!lf)
			return RC_SYNTAX;
		*input = slice_drop(*input, 1);
		*out = dot_crlf;
		decoder->line_bytes = 0;
		decoder->state = AT_LINE;
		return RC_OK;
	case ENDED:
		return RC_CLOSED;
	default:
		must(decoder->state == IN_LINE || decoder->state == AT_LINE);
		return decode_run(decoder, input, out);
	}
}

enum rc smtp_dot_decode(struct smtp_dot_decoder *decoder, struct slice *input, struct slice *out)
{
	while (input->len != 0) {
		const enum rc rc = decode_step(decoder, input, out);
		if (rc != RC_AGAIN)
			return rc;
	}
	return RC_AGAIN;
}

bool smtp_dot_unchanged(const struct smtp_dot_decoder *decoder)
{
	return decoder->state == ENDED && !decoder->changed;
}

/* How much of CR LF . CR LF the bytes before have matched; swallowing states lie behind the others. */
enum {
	SWALLOW = ENDED + 1, /* nothing matched */
	SWALLOW_CR,
	SWALLOW_CRLF,
	SWALLOW_DOT,
	SWALLOW_DOT_CR,
};

static uint8_t swallow_from(uint8_t state)
{
	switch (state) {
	case AT_LINE:
		return SWALLOW_CRLF;
	case AFTER_CR:
	case AFTER_LOOSE_DOT_CR:
		return SWALLOW_CR;
	case AFTER_DOT:
		return SWALLOW_DOT;
	case AFTER_DOT_CR:
		return SWALLOW_DOT_CR;
	case IN_LINE:
	case AT_LOOSE_LINE:
	case AFTER_LOOSE_DOT:
		return SWALLOW;
	default:
		return state;
	}
}

enum rc smtp_dot_swallow(struct smtp_dot_decoder *decoder, struct slice *input)
{
	decoder->state = swallow_from(decoder->state);
	if (decoder->state == ENDED)
		return RC_CLOSED;
	while (input->len != 0) {
		if (decoder->state == SWALLOW)
			*input = slice_drop(*input, slice_find(*input, '\r'));
		const int byte = slice_at(*input, 0);
		*input = slice_drop(*input, 1);
		if (byte == '\n' && decoder->state == SWALLOW_DOT_CR) {
			decoder->state = ENDED;
			return RC_CLOSED;
		}
		if (byte == '\r')
			decoder->state = decoder->state == SWALLOW_DOT ? SWALLOW_DOT_CR : SWALLOW_CR;
		else if (byte == '\n' && decoder->state == SWALLOW_CR)
			decoder->state = SWALLOW_CRLF;
		else if (byte == '.' && decoder->state == SWALLOW_CRLF)
			decoder->state = SWALLOW_DOT;
		else
			decoder->state = SWALLOW;
	}
	return RC_AGAIN;
}

void smtp_dot_encoder_init(struct smtp_dot_encoder *encoder, enum smtp_line_ends line_ends)
{
	*encoder = (struct smtp_dot_encoder){ .line_ends = line_ends, .state = AT_LINE };
}

/* A run cannot begin here: RC_AGAIN when the input has moved without anything to send. */
static enum rc encode_stop(struct smtp_dot_encoder *encoder, enum stop stop, struct slice *input, struct slice *out)
{
	const uint8_t byte = input->ptr[0];

	if (stop == STOP_DOT) {
		/* The dot of the message is the first byte of the next run. */
		*out = dot;
		encoder->state = IN_LINE;
		return RC_OK;
	}
	if (stop == STOP_STRAY && encoder->line_ends == SMTP_LINE_ENDS_REFUSE)
		return RC_SYNTAX;
	*input = slice_drop(*input, 1);
	if (stop == STOP_CR) {
		encoder->state = AFTER_CR;
		return RC_AGAIN;
	}
	if (byte == '\0')
		return RC_AGAIN;
	*out = crlf;
	encoder->state = AT_LINE;
	return RC_OK;
}

enum rc smtp_dot_encode(struct smtp_dot_encoder *encoder, struct slice *input, struct slice *out)
{
	must(encoder->state != ENDED);
	while (input->len != 0) {
		if (encoder->state == AFTER_CR) {
			const bool lf = input->ptr[0] == '\n';
			if (!lf && encoder->line_ends == SMTP_LINE_ENDS_REFUSE)
				return RC_SYNTAX;
			if (lf)
				*input = slice_drop(*input, 1);
			*out = crlf;
			encoder->state = AT_LINE;
			return RC_OK;
		}
		const struct run run = find_run(*input, encoder->state == AT_LINE, 0, 0);
		if (run.count != 0) {
			*out = slice_take(*input, run.count);
			*input = slice_drop(*input, run.count);
			encoder->state = run.at_line ? AT_LINE : IN_LINE;
			return RC_OK;
		}
		const enum rc rc = encode_stop(encoder, run.stop, input, out);
		if (rc != RC_AGAIN)
			return rc;
	}
	return RC_AGAIN;
}

void smtp_dot_encode_unchanged(struct smtp_dot_encoder *encoder, struct slice *input, struct slice *out)
{
	must(encoder->state == AT_LINE);
	*out = *input;
	*input = slice_drop(*input, input->len);
}

enum rc smtp_dot_encode_end(struct smtp_dot_encoder *encoder, struct slice *out)
{
	const uint8_t state = encoder->state;

	must(state != ENDED);
	if (state == AFTER_CR && encoder->line_ends == SMTP_LINE_ENDS_REFUSE)
		return RC_SYNTAX;
	encoder->state = ENDED;
	*out = state == AT_LINE ? dot_crlf : crlf_dot_crlf;
	return RC_OK;
}
