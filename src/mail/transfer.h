/*
 * Content transfer encodings undone (RFC 2045 section 6, and uuencode): pulled from a body in pieces of the caller's
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
	TRANSFER_UNKNOWN,
	TRANSFER_ENCODINGS
};

/*
 * The encoding of that name (any case, blanks around it dropped); empty is 7bit; TRANSFER_UNKNOWN for any other word.
 */
enum transfer_encoding transfer_encoding_of(struct slice name);
/* True for base64, quoted-printable and uuencode: the body is not its own content. */
bool transfer_is_coded(enum transfer_encoding encoding);

/* What "=" means inside base64 when more follows. Readers do each of these. */
enum transfer_padding {
	TRANSFER_PADDING_RESTARTS, /* it ends a group; decoding goes on with a fresh one: what most do */
	TRANSFER_PADDING_IGNORED,  /* it is dropped like any other foreign byte; the group goes on */
	TRANSFER_PADDING_ENDS      /* nothing behind it is decoded */
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
	uint32_t               bits;    /* base64: the open group; uuencode: the open line */
	uint32_t               have;    /* base64: characters in it */
	uint32_t               blanks;  /* quoted-printable: white space held back, from the front of `rest` */
	bool                   padded;  /* base64: "=" was seen */
	bool                   ended;
};

/* Decode `body`, which must outlive the decoder. TRANSFER_UNKNOWN is read like 8bit. */
struct transfer transfer_begin(enum transfer_encoding encoding, enum transfer_padding padding, struct slice body);

/* Smallest piece: a line of uuencode. */
#define TRANSFER_ROOM_MIN 45u

/* The next decoded bytes, at most `room` (>= TRANSFER_ROOM_MIN) of them; 0 only at the end of the body. */
size_t transfer_read(struct transfer *transfer, uint8_t *out, size_t room);

#endif
