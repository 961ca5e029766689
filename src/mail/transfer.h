/*
 * Content transfer encodings undone (RFC 2045 section 6; uuencode, yEnc, BinHex): pulled from a body in pieces of the caller's
 * size, as lenient as readers are, with the ways in which the body broke its encoding noted.
 */
#ifndef MAIL_TRANSFER_H
#define MAIL_TRANSFER_H

#include "base/slice.h"

enum transfer_encoding {
	TRANSFER_7BIT, /* also when no field says anything */
	TRANSFER_8BIT,
	TRANSFER_BINARY,
	TRANSFER_BASE64,
	TRANSFER_QUOTED_PRINTABLE,
	TRANSFER_UUENCODE,
	TRANSFER_YENC,
	TRANSFER_BINHEX,
	/* Never announced: quoted-printable as those readers take it that drop what breaks its rules. */
	TRANSFER_QUOTED_TIGHT, /* white space and line ends beside escapes, too, and escapes cut by them are joined */
	TRANSFER_QUOTED_LINES, /* line ends stand */
	TRANSFER_QUOTED_SIGN,  /* only the "=" of a broken escape is dropped */
	TRANSFER_QUOTED_UPPER, /* as LINES; digits in lower case are none */
	TRANSFER_UNKNOWN,
	TRANSFER_ENCODINGS
};

/*
 * The encoding of that name (any case, blanks around it dropped); empty is 7bit; TRANSFER_UNKNOWN for any other word.
 */
enum transfer_encoding transfer_encoding_of(struct slice name);
/* True for all but 7bit, 8bit, binary and unknown: the body is not its own content. */
bool transfer_is_coded(enum transfer_encoding encoding);

/* What becomes of base64 that breaks its rules, above all of "=" when more follows. Readers do each of these. */
enum transfer_padding {
	TRANSFER_PADDING_RESTARTS, /* it ends a group; decoding goes on with a fresh one: what most do */
	TRANSFER_PADDING_IGNORED,  /* it is dropped like any other foreign byte; the group goes on */
	TRANSFER_PADDING_ENDS,     /* nothing behind it is decoded */
	TRANSFER_PADDING_ZERO,     /* it counts as "A" */
	TRANSFER_PADDING_QUADS,    /* four characters, "=" among them at any place, are one group */
	TRANSFER_PADDING_LINES,    /* a line is decoded by itself; what is over at its end is dropped */
	TRANSFER_PADDING_COMMENT,  /* a foreign byte hides the rest of its line */
	TRANSFER_PADDING_WHOLE,    /* a group that is not whole is dropped */
	TRANSFER_PADDINGS
};

/* Flaws: bits of transfer.flaws, complete once the body has been read to its end. */
#define TRANSFER_FLAW_FOREIGN        1u  /* bytes that the encoding's alphabet does not have */
#define TRANSFER_FLAW_PADDING_INSIDE 2u  /* base64 goes on behind "=" */
#define TRANSFER_FLAW_CUT_SHORT      4u  /* the last group is not whole; uuencode without its end */
#define TRANSFER_FLAW_ESCAPE         8u  /* quoted-printable: "=" without two hexadecimal digits behind it */
#define TRANSFER_FLAW_8BIT           16u /* bytes above 127 inside a coded body */
#define TRANSFER_FLAW_LINE           32u /* uuencode: a line's length does not match its count */

struct transfer {
	enum transfer_encoding encoding;
	enum transfer_padding  padding;
	struct slice           rest; /* what is still to be decoded; borrowed */
	uint32_t               flaws;
	uint64_t               foreign; /* how many foreign bytes */
	uint32_t               bits;    /* base64, BinHex: the open group */
	uint32_t               have;    /* base64: characters in it; others: 1 behind the line where the file begins */
	uint32_t               blanks;  /* quoted-printable: white space held back, from the front of `rest` */
	bool                   padded;  /* base64: "=" was seen; tight: an escape stands before; BinHex: a count follows */
	bool                   named;   /* BinHex: the length of the name was read */
	uint8_t                last;    /* BinHex: what is repeated */
	uint32_t               repeat;  /* BinHex: so many more times */
	uint32_t               skip;    /* BinHex: bytes of its header still to come */
	bool                   ended;
};

/* Decode `body`, which must outlive the decoder. TRANSFER_UNKNOWN is read like 8bit. */
struct transfer transfer_begin(enum transfer_encoding encoding, enum transfer_padding padding, struct slice body);

/* Smallest piece: a line of uuencode. */
#define TRANSFER_ROOM_MIN 45u

/* The next decoded bytes, at most `room` (>= TRANSFER_ROOM_MIN) of them; 0 only at the end of the body. */
size_t transfer_read(struct transfer *transfer, uint8_t *out, size_t room);

#endif
