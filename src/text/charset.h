/*
 * Character sets: bytes and a label become UTF-8, whatever the bytes are. Every set of the WHATWG Encoding Standard,
 * decoded as it says, and those that mail still uses beside them (UTF-7, HZ, ISO-2022-KR and -CN, EUC-TW, UTF-32, DOS
 * and EBCDIC code pages). A label means what browsers take it for.
 *
 * charset_ready() fills the tables, once per process, before its threads start and before its sandbox closes. After
 * it nothing is loaded or written: all functions may be called from any number of threads, each with its own run. No
 * function fails on content: bytes that mean nothing become U+FFFD and are counted.
 */
#ifndef TEXT_CHARSET_H
#define TEXT_CHARSET_H

#include "base/arena.h"
#include "base/rc.h"
#include "base/slice.h"

enum charset {
	CHARSET_NONE,  /* no label, or one that nobody knows; decoded like CHARSET_ASCII */
	CHARSET_ASCII, /* US-ASCII: a byte above 127 is U+FFFD in charset_read(), a reason to guess in charset_text() */
	CHARSET_UTF8,
	CHARSET_UTF16LE,
	CHARSET_UTF16BE,
	CHARSET_UTF16, /* without an order in its label: by its mark, else by where the zeros stand, else little-endian */
	CHARSET_UTF32LE,
	CHARSET_UTF32BE,
	CHARSET_UTF32, /* the same */
	CHARSET_UTF7,
	CHARSET_GB18030, /* GB2312 and GBK, too */
	CHARSET_BIG5,    /* with HKSCS */
	CHARSET_SHIFT_JIS,
	CHARSET_EUC_JP,
	CHARSET_EUC_KR, /* windows-949 */
	CHARSET_EUC_TW,
	CHARSET_ISO_2022_JP,
	CHARSET_ISO_2022_JP_2, /* with JIS X 0212, GB2312, KS X 1001 and 8-bit katakana: -1, -2, -3 and code pages 50220 to 50222 */
	CHARSET_ISO_2022_KR,
	CHARSET_ISO_2022_CN,
	CHARSET_HZ,
	CHARSET_USER_DEFINED,
	CHARSET_WINDOWS_1252, /* ISO-8859-1, too; from here on one byte is one character */
	CHARSET_WINDOWS_1250,
	CHARSET_WINDOWS_1251,
	CHARSET_WINDOWS_1253,
	CHARSET_WINDOWS_1254, /* ISO-8859-9, too */
	CHARSET_WINDOWS_1255,
	CHARSET_WINDOWS_1256,
	CHARSET_WINDOWS_1257,
	CHARSET_WINDOWS_1258,
	CHARSET_WINDOWS_874, /* TIS-620, ISO-8859-11, too */
	CHARSET_ISO_8859_2,
	CHARSET_ISO_8859_3,
	CHARSET_ISO_8859_4,
	CHARSET_ISO_8859_5,
	CHARSET_ISO_8859_6,
	CHARSET_ISO_8859_7,
	CHARSET_ISO_8859_8,
	CHARSET_ISO_8859_10,
	CHARSET_ISO_8859_13,
	CHARSET_ISO_8859_14,
	CHARSET_ISO_8859_15,
	CHARSET_ISO_8859_16,
	CHARSET_KOI8_R,
	CHARSET_KOI8_U,
	CHARSET_MACINTOSH,
	CHARSET_MAC_CYRILLIC,
	CHARSET_MAC_GREEK,
	CHARSET_MAC_TURKISH,
	CHARSET_MAC_CENTRAL,
	CHARSET_IBM_437,
	CHARSET_IBM_720,
	CHARSET_IBM_737,
	CHARSET_IBM_775,
	CHARSET_IBM_850,
	CHARSET_IBM_852,
	CHARSET_IBM_855,
	CHARSET_IBM_857,
	CHARSET_IBM_858,
	CHARSET_IBM_860,
	CHARSET_IBM_861,
	CHARSET_IBM_862,
	CHARSET_IBM_863,
	CHARSET_IBM_864,
	CHARSET_IBM_865,
	CHARSET_IBM_866,
	CHARSET_IBM_869,
	CHARSET_IBM_037, /* EBCDIC */
	CHARSET_IBM_500,
	CHARSET_IBM_1047,
	CHARSET_IBM_1140,
	CHARSET_HP_ROMAN8,
	CHARSET_COUNT
};

/*
 * Fill the tables. RC_UNSUPPORTED: the library lacks a set, or the process must not go on with it. Legal twice.
 * Before it only the sets that need no table are read (ASCII, UTF-8, -16, -32, -7); of the others all but ASCII
 * becomes U+FFFD.
 */
MUST_CHECK enum rc charset_ready(void);

/*
 * What `label` names (any case, quotes, blanks and punctuation around and in it dropped); CHARSET_NONE when nobody
 * knows it.
 */
enum charset charset_of(struct slice label);

/* The usual name in lower case ("gb18030"), "" for CHARSET_NONE. Never NULL. */
const char *charset_name(enum charset charset);

/* Is text of bytes below 128 the same in that set as in ASCII? False for UTF-16, -32, -7, HZ, ISO-2022 and EBCDIC. */
bool charset_keeps_ascii(enum charset charset);

/* ---- bytes to UTF-8, in pieces ---- */

/* A text under way. Callers read `charset`, `replaced`; the rest is the decoder's own. */
struct charset_run {
	enum charset charset;
	uint64_t     replaced; /* U+FFFD written for bytes that mean nothing there */
	bool         begun;    /* something came before: a byte-order mark is a character now */
	uint8_t      mode;     /* escape sequences: the set that is switched on */
	uint8_t      shift;    /* ISO-2022-KR and -CN: shifted out; UTF-7: inside base64 */
	uint8_t      held;     /* bytes in `lead` that wait for more */
	uint8_t      escape;   /* ISO-2022: how many of them are an escape sequence */
	bool         output;   /* ISO-2022-JP: nothing came since the last escape sequence */
	uint8_t      lead[4];
	uint16_t     high; /* a high surrogate that waits for its low one */
	uint32_t     bits; /* UTF-7 */
	uint8_t      have;
};

#define CHARSET_ROOM_MIN 32u /* the smallest piece of output */

struct charset_run charset_begin(enum charset charset);

/*
 * Decode from the front of `*input`, which moves on, into `out` (`room` >= CHARSET_ROOM_MIN); returns the bytes
 * written, whole characters. Ends when less than CHARSET_ROOM_MIN bytes of room or nothing of the input are left:
 * call again until it returns 0. With `last` what is left half at the end of the input becomes U+FFFD. A byte-order
 * mark at the beginning of Unicode text is dropped.
 */
size_t charset_read(struct charset_run *run, struct slice *input, bool last, uint8_t *out, size_t room);

/* Bytes of output that `size` bytes of input never exceed, for charset_read() in one piece. */
size_t charset_room(size_t size);

/* ---- a whole text, whatever its label says ---- */

#define CHARSET_LABEL_UNKNOWN 1u  /* there is a label, and nobody knows it */
#define CHARSET_GUESSED       2u  /* no usable label, or the bytes contradict it: `used` was guessed from them */
#define CHARSET_WRONG         4u  /* the bytes are not of the set that the label names */
#define CHARSET_MIXED         8u  /* lines in more than one set */
#define CHARSET_MARKED        16u /* a byte-order mark decided */
#define CHARSET_UTF7_FOUND    32u /* the label names UTF-7, or the text holds some: always worth a finding */
#define CHARSET_ESCAPES       64u /* 7-bit text with the escapes of ISO-2022 or HZ under another label */

struct charset_text {
	struct slice
		text; /* UTF-8, valid; borrowed from the bytes when they are what they should be, else in the arena */
	enum charset label; /* what the label names */
	enum charset used;
	enum charset other; /* a second set that some readers may read it in, to be read as well; CHARSET_NONE */
	uint64_t     replaced;
	uint32_t     flags; /* CHARSET_x */
};

/*
 * `bytes` as its readers see them: in the set of its label where the bytes bear it out, else in the one that they
 * speak for. Without a label, or with ASCII's, UTF-8 if they are that, else a guess (charset_guess.h). RC_NOMEM: the
 * arena is full; at most 3 times the bytes and 64 are taken. Time is linear.
 */
MUST_CHECK enum rc charset_text(struct slice label, struct slice bytes, struct arena *arena, struct charset_text *out);

/* The same bytes read in a set of the caller's choice: for `other`. RC_NOMEM. */
MUST_CHECK enum rc charset_text_as(enum charset charset, struct slice bytes, struct arena *arena,
                                   struct charset_text *out);

#endif
