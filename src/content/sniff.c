/*
 * Magic numbers and what stands behind them. The table tells what begins at a fixed place; the functions below it look
 * further where a number is too short to believe, or where one number stands for several kinds (zip, OLE, RIFF, MZ).
 * Numbers are those of the formats' own specifications.
 */
#include "content/sniff.h"

#define TAR_MAGIC_AT    257u
#define ISO_MAGIC_AT    32769u /* "CD001" in sector 16 */
#define SECTOR          2048u
#define VOLUME_SECTORS  8u     /* descriptors of a volume that are looked at for UDF */
#define ZIP_END_SIZE    22u
#define ZIP_COMMENT_MAX 65535u
#define PDF_HEADER_MAX  1024u /* readers accept "%PDF-" anywhere in here (PDF 1.7, appendix H, note 13) */
#define MARKUP_MAX      65536u /* of something that is no text, looked at for tags */

static const struct magic {
	enum kind    kind;
	uint16_t     at;
	struct slice bytes;
} magics[] = {
	/* clang-format off: a table */
	{ KIND_SEVENZIP, 0, SLICE_INIT("7z\xbc\xaf\x27\x1c") },
	{ KIND_RAR5, 0, SLICE_INIT("Rar!\x1a\x07\x01\x00") },
	{ KIND_RAR, 0, SLICE_INIT("Rar!\x1a\x07\x00") },
	{ KIND_RAR, 0, SLICE_INIT("RE~^") },
	{ KIND_BZIP2, 0, SLICE_INIT("BZh") },
	{ KIND_XZ, 0, SLICE_INIT("\xfd" "7zXZ\x00") },
	{ KIND_ZSTD, 0, SLICE_INIT("\x28\xb5\x2f\xfd") },
	{ KIND_LZIP, 0, SLICE_INIT("LZIP") },
	{ KIND_LZ4, 0, SLICE_INIT("\x04\x22\x4d\x18") },
	{ KIND_LZ4, 0, SLICE_INIT("\x02\x21\x4c\x18") },
	{ KIND_COMPRESS, 0, SLICE_INIT("\x1f\x9d") },
	{ KIND_GZIP, 0, SLICE_INIT("\x1f\x8b") },
	{ KIND_CAB, 0, SLICE_INIT("MSCF\0\0\0\0") },
	{ KIND_CPIO, 0, SLICE_INIT("070701") },
	{ KIND_CPIO, 0, SLICE_INIT("070702") },
	{ KIND_CPIO, 0, SLICE_INIT("070707") },
	{ KIND_CPIO, 0, SLICE_INIT("\xc7\x71") },
	{ KIND_CPIO, 0, SLICE_INIT("\x71\xc7") },
	{ KIND_AR, 0, SLICE_INIT("!<arch>\n") },
	{ KIND_RPM, 0, SLICE_INIT("\xed\xab\xee\xdb") },
	{ KIND_XAR, 0, SLICE_INIT("xar!") },
	{ KIND_ARJ, 0, SLICE_INIT("\x60\xea") },
	{ KIND_ACE, 7, SLICE_INIT("**ACE**") },
	{ KIND_SZDD, 0, SLICE_INIT("SZDD\x88\xf0\x27\x33") },
	{ KIND_KWAJ, 0, SLICE_INIT("KWAJ\x88\xf0\x27\xd1") },
	{ KIND_STUFFIT, 0, SLICE_INIT("StuffIt (c)") },
	{ KIND_STUFFIT, 0, SLICE_INIT("SIT!") },
	{ KIND_WIM, 0, SLICE_INIT("MSWIM\0\0\0") },
	{ KIND_LRZIP, 0, SLICE_INIT("LRZI") },
	{ KIND_LZOP, 0, SLICE_INIT("\x89LZO\0\r\n\x1a\n") },
	{ KIND_ALZ, 0, SLICE_INIT("ALZ\x01") },
	{ KIND_EGG, 0, SLICE_INIT("EGGA") },
	{ KIND_ZOO, 20, SLICE_INIT("\xdc\xa7\xc4\xfd") },
	{ KIND_VHD, 0, SLICE_INIT("conectix") },
	{ KIND_VHDX, 0, SLICE_INIT("vhdxfile") },
	{ KIND_VMDK, 0, SLICE_INIT("KDMV") },
	{ KIND_VMDK, 0, SLICE_INIT("# Disk DescriptorFile") },
	{ KIND_QCOW, 0, SLICE_INIT("QFI\xfb") },
	{ KIND_TAR, TAR_MAGIC_AT, SLICE_INIT("ustar") },
	{ KIND_OLE, 0, SLICE_INIT("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") },
	{ KIND_OLE, 0, SLICE_INIT("\x0e\x11\xfc\x0d\xd0\xcf\x11\x0e") },
	{ KIND_ONENOTE, 0, SLICE_INIT("\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3") },
	{ KIND_ONENOTE, 0, SLICE_INIT("\xa1\x2f\xff\x43\xd9\xef\x76\x4c\x9e\xe2\x10\xea\x57\x22\x76\x5f") },
	{ KIND_POSTSCRIPT, 0, SLICE_INIT("\xc5\xd0\xd3\xc6") },
	{ KIND_DJVU, 0, SLICE_INIT("AT&TFORM") },
	{ KIND_PNG, 0, SLICE_INIT("\x89PNG\r\n\x1a\n") },
	{ KIND_JPEG, 0, SLICE_INIT("\xff\xd8\xff") },
	{ KIND_GIF, 0, SLICE_INIT("GIF87a") },
	{ KIND_GIF, 0, SLICE_INIT("GIF89a") },
	{ KIND_TIFF, 0, SLICE_INIT("II*\0") },
	{ KIND_TIFF, 0, SLICE_INIT("MM\0*") },
	{ KIND_TIFF, 0, SLICE_INIT("II+\0") },
	{ KIND_TIFF, 0, SLICE_INIT("MM\0+") },
	{ KIND_PSD, 0, SLICE_INIT("8BPS\0") },
	{ KIND_JP2, 0, SLICE_INIT("\0\0\0\x0cjP  \r\n\x87\n") },
	{ KIND_JP2, 0, SLICE_INIT("\xff\x4f\xff\x51") },
	{ KIND_JXL, 0, SLICE_INIT("\0\0\0\x0cJXL \r\n\x87\n") },
	{ KIND_WMF, 0, SLICE_INIT("\xd7\xcd\xc6\x9a") },
	{ KIND_EMF, 40, SLICE_INIT(" EMF") },
	{ KIND_MP3, 0, SLICE_INIT("ID3") },
	{ KIND_OGG, 0, SLICE_INIT("OggS") },
	{ KIND_FLAC, 0, SLICE_INIT("fLaC") },
	{ KIND_MIDI, 0, SLICE_INIT("MThd") },
	{ KIND_AMR, 0, SLICE_INIT("#!AMR") },
	{ KIND_MATROSKA, 0, SLICE_INIT("\x1a\x45\xdf\xa3") },
	{ KIND_MPEG, 0, SLICE_INIT("\0\0\x01\xba") },
	{ KIND_MPEG, 0, SLICE_INIT("\0\0\x01\xb3") },
	{ KIND_ASF, 0, SLICE_INIT("\x30\x26\xb2\x75\x8e\x66\xcf\x11") },
	{ KIND_FLV, 0, SLICE_INIT("FLV\x01") },
	{ KIND_SWF, 0, SLICE_INIT("FWS") },
	{ KIND_SWF, 0, SLICE_INIT("CWS") },
	{ KIND_SWF, 0, SLICE_INIT("ZWS") },
	{ KIND_FONT, 0, SLICE_INIT("\0\x01\0\0\0") },
	{ KIND_FONT, 0, SLICE_INIT("OTTO\0") },
	{ KIND_FONT, 0, SLICE_INIT("ttcf\0") },
	{ KIND_WOFF, 0, SLICE_INIT("wOFF") },
	{ KIND_WOFF, 0, SLICE_INIT("wOF2") },
	{ KIND_ELF, 0, SLICE_INIT("\x7f" "ELF") },
	{ KIND_MACHO, 0, SLICE_INIT("\xfe\xed\xfa\xce") },
	{ KIND_MACHO, 0, SLICE_INIT("\xfe\xed\xfa\xcf") },
	{ KIND_MACHO, 0, SLICE_INIT("\xce\xfa\xed\xfe") },
	{ KIND_MACHO, 0, SLICE_INIT("\xcf\xfa\xed\xfe") },
	{ KIND_MACHO, 0, SLICE_INIT("\xca\xfe\xba\xbf") },
	{ KIND_DEX, 0, SLICE_INIT("dex\n03") },
	{ KIND_DEX, 0, SLICE_INIT("dey\n03") },
	{ KIND_WASM, 0, SLICE_INIT("\0asm\x01\0\0\0") },
	{ KIND_LNK, 0, SLICE_INIT("\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46") },
	{ KIND_CHM, 0, SLICE_INIT("ITSF\x03\0\0\0") },
	{ KIND_CHM, 0, SLICE_INIT("ITOLITLS") },
	{ KIND_HLP, 0, SLICE_INIT("\x3f\x5f\x03\0") },
	{ KIND_SIS, 4, SLICE_INIT("\x12\x3a\0\x10") },
	{ KIND_SIS, 8, SLICE_INIT("\x19\x04\0\x10") },
	{ KIND_APPLESCRIPT, 0, SLICE_INIT("FasdUAS ") },
	{ KIND_REG, 0, SLICE_INIT("regf") },
	{ KIND_TNEF, 0, SLICE_INIT("\x78\x9f\x3e\x22") },
	{ KIND_PST, 0, SLICE_INIT("!BDN") },
	{ KIND_RIGHTS, 0, SLICE_INIT("\x76\xe8\x04\x60\xc4\x11\xe3\x86") },
	{ KIND_SQLITE, 0, SLICE_INIT("SQLite format 3\0") },
	{ KIND_ACCESS, 0, SLICE_INIT("\0\x01\0\0Standard Jet DB\0") },
	{ KIND_ACCESS, 0, SLICE_INIT("\0\x01\0\0Standard ACE DB\0") },
	{ KIND_PCAP, 0, SLICE_INIT("\xd4\xc3\xb2\xa1") },
	{ KIND_PCAP, 0, SLICE_INIT("\xa1\xb2\xc3\xd4") },
	{ KIND_PCAP, 0, SLICE_INIT("\x0a\x0d\x0d\x0a") },
	/* clang-format on */
};

static uint32_t le16(struct slice s, size_t at)
{
	return at + 2 > s.len ? 0 : (uint32_t)s.ptr[at] | (uint32_t)s.ptr[at + 1] << 8;
}

static uint32_t le32(struct slice s, size_t at)
{
	return at + 4 > s.len ? 0 : le16(s, at) | le16(s, at + 2) << 16;
}

static bool at_is(struct slice s, size_t at, struct slice what)
{
	return slice_starts(slice_drop(s, at), what);
}

/* Index of `what` in the first `max` bytes, or SIZE_MAX. */
static size_t find(struct slice s, size_t max, struct slice what)
{
	s = slice_take(s, max);
	const uint8_t *found = s.len == 0 ? NULL : memmem(s.ptr, s.len, what.ptr, what.len);
	return found == NULL ? SIZE_MAX : (size_t)(found - s.ptr);
}

static void hit(struct sniff *out, enum kind kind, size_t at)
{
	if (kind == KIND_UNKNOWN || out->count == SNIFF_HITS_MAX || sniff_is(out, kind))
		return;
	out->hits[out->count++] = (struct sniff_hit){ kind, at };
}

/* The sum over a tar header, blanks for the sum itself, in the signed and the unsigned way (POSIX.1-1988). */
static bool is_old_tar(struct slice s)
{
	uint32_t sum = 0, want = 0, digits = 0;
	int32_t  signed_sum = 0;

	if (s.len < 512 || s.ptr[0] == 0)
		return false;
	for (size_t i = 0; i < 512; i++) {
		const uint8_t byte = i >= 148 && i < 156 ? ' ' : s.ptr[i];
		sum += byte;
		signed_sum += byte < 128 ? byte : byte - 256;
	}
	for (size_t i = 148; i < 156; i++) {
		if (s.ptr[i] >= '0' && s.ptr[i] <= '7') {
			want = want * 8 + (uint32_t)(s.ptr[i] - '0');
			digits++;
		} else if (digits != 0) {
			break;
		}
	}
	return digits != 0 && (want == sum || (int64_t)want == signed_sum);
}

/* "-lh5-" and its kin: method between dashes, a level below 4 at 20 (header levels 0 to 3). */
static bool is_lha(struct slice s)
{
	return s.len >= 21 && s.ptr[2] == '-' && s.ptr[3] == 'l' && (s.ptr[4] == 'h' || s.ptr[4] == 'z') && s.ptr[6] == '-' &&
	       s.ptr[20] <= 3;
}

/* LZMA alone has no magic: properties below 225, a dictionary of 2^n or 2^n + 2^(n-1), a sane or unknown size. */
static bool is_lzma(struct slice s)
{
	const uint32_t dictionary = le32(s, 1);

	if (s.len < 14 || s.ptr[0] >= 225 || s.ptr[13] != 0 || dictionary == 0)
		return false;
	const uint32_t low = dictionary & (~dictionary + 1), rest = dictionary & (dictionary - 1);
	if (dictionary != UINT32_MAX && (dictionary < 4096 || (rest != 0 && (rest & (rest - 1)) != 0) || (rest != 0 && rest != low * 2)))
		return false;
	return (le32(s, 5) == UINT32_MAX && le32(s, 9) == UINT32_MAX) || le32(s, 9) < 64;
}

/* Frames of MPEG audio: eleven bits of sync and fields that are not the forbidden ones, twice. */
static bool is_mp3(struct slice s)
{
	return s.len > 4 && s.ptr[0] == 0xff && (s.ptr[1] & 0xe0) == 0xe0 && (s.ptr[1] & 0x18) != 0x08 &&
	       (s.ptr[1] & 0x06) != 0 && (s.ptr[2] & 0xf0) != 0xf0 && (s.ptr[2] & 0x0c) != 0x0c && (s.ptr[2] & 0xf0) != 0;
}

static enum kind executable(struct slice s)
{
	const size_t header = le32(s, 60);

	if (!slice_starts(s, SLICE("MZ")) && !slice_starts(s, SLICE("ZM")))
		return KIND_UNKNOWN;
	if (header < s.len && (at_is(s, header, SLICE("PE\0\0")) || at_is(s, header, SLICE("NE")) || at_is(s, header, SLICE("LE"))))
		return KIND_PE;
	/* two letters alone begin many a text */
	return s.len >= 28 && sniff_text(slice_take(s, 512)) == KIND_UNKNOWN ? KIND_DOS : KIND_UNKNOWN;
}

/* CAFEBABE: a fat Mach-O has few architectures where Java has its version. */
static enum kind cafebabe(struct slice s)
{
	if (!slice_starts(s, SLICE("\xca\xfe\xba\xbe")) || s.len < 8)
		return KIND_UNKNOWN;
	return s.ptr[4] == 0 && s.ptr[5] == 0 && s.ptr[6] == 0 && s.ptr[7] < 43 ? KIND_MACHO : KIND_CLASS;
}

static enum kind riff(struct slice s)
{
	if (!slice_starts(s, SLICE("RIFF")) && !slice_starts(s, SLICE("RIFX")))
		return KIND_UNKNOWN;
	if (at_is(s, 8, SLICE("WEBP")))
		return KIND_WEBP;
	if (at_is(s, 8, SLICE("AVI ")))
		return KIND_AVI;
	if (at_is(s, 8, SLICE("RMID")))
		return KIND_MIDI;
	return at_is(s, 8, SLICE("WAVE")) ? KIND_WAV : KIND_UNKNOWN;
}

/* ISO base media: "ftyp" at 4, then the brand. */
static enum kind media(struct slice s)
{
	static const struct slice stills[] = { SLICE_INIT("heic"), SLICE_INIT("heix"), SLICE_INIT("hevc"), SLICE_INIT("mif1"),
		                               SLICE_INIT("msf1"), SLICE_INIT("avif"), SLICE_INIT("avis") };

	if (!at_is(s, 4, SLICE("ftyp")))
		return at_is(s, 4, SLICE("moov")) || at_is(s, 4, SLICE("mdat")) ? KIND_MP4 : KIND_UNKNOWN;
	for (size_t i = 0; i < sizeof stills / sizeof stills[0]; i++) {
		if (at_is(s, 8, stills[i]))
			return KIND_HEIF;
	}
	return KIND_MP4;
}

static enum kind picture(struct slice s)
{
	if (slice_starts(s, SLICE("BM")) && s.len >= 26 && le32(s, 6) == 0 && le32(s, 14) >= 12 && le32(s, 14) <= 256)
		return KIND_BMP;
	if ((slice_starts(s, SLICE("\0\0\x01\0")) || slice_starts(s, SLICE("\0\0\x02\0"))) && s.len >= 22 && le16(s, 4) != 0 &&
	    le16(s, 4) < 256 && slice_at(s, 9) == 0)
		return KIND_ICO;
	if ((slice_starts(s, SLICE("\x01\0\x09\0\0\x03")) || slice_starts(s, SLICE("\x02\0\x09\0\0\x03"))))
		return KIND_WMF;
	/* AMF: one descriptor of embedded OpenType carries its own magic at 34 */
	return s.len > 36 && le16(s, 34) == 0x504c && le32(s, 0) == s.len ? KIND_WOFF : KIND_UNKNOWN;
}

/* DER: a sequence that begins with the object identifier of PKCS #7 (1.2.840.113549.1.7.x). */
static enum kind signed_data(struct slice s)
{
	const size_t at = find(s, 20, SLICE("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"));

	if (slice_at(s, 0) != 0x30 || s.len < 16)
		return KIND_UNKNOWN;
	if (at != SIZE_MAX)
		return KIND_PKCS7;
	/* a certificate: a sequence of a sequence, each with a length of two bytes */
	return s.ptr[1] == 0x82 && s.ptr[4] == 0x30 && s.ptr[5] == 0x82 ? KIND_CERTIFICATE : KIND_UNKNOWN;
}

/* Binary OpenPGP (RFC 4880 section 4.2): an encrypted-session-key packet of version 3 first. */
static enum kind pgp(struct slice s)
{
	const int tag = slice_at(s, 0);

	if (s.len < 8)
		return KIND_UNKNOWN;
	if ((tag == 0x84 && s.ptr[2] == 3) || (tag == 0x85 && s.ptr[3] == 3) || (tag == 0xc1 && s.ptr[2] < 0xe0 && s.ptr[3] == 3) ||
	    (tag == 0x8c && s.ptr[2] == 4) || (tag == 0xc3 && s.ptr[2] == 4))
		return KIND_PGP;
	return (tag == 0x99 || tag == 0x95) && (s.ptr[3] == 4 || s.ptr[3] == 3) ? KIND_PGP_KEYS : KIND_UNKNOWN;
}

/* The names of directory entries stand in UTF-16 (MS-CFB section 2.6.1). */
static enum kind ole(struct slice s)
{
	static const struct {
		struct slice name;
		enum kind    kind;
	} streams[] = {
		{ SLICE_INIT("_\0_\0p\0r\0o\0p\0e\0r\0t\0i\0e\0s\0_\0v\0e\0r\0s\0i\0o\0n\0"), KIND_MSG },
		{ SLICE_INIT("W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0"), KIND_DOC },
		{ SLICE_INIT("P\0o\0w\0e\0r\0P\0o\0i\0n\0t\0 \0D\0o\0c\0"), KIND_PPT },
		{ SLICE_INIT("W\0o\0r\0k\0b\0o\0o\0k\0\0\0"), KIND_XLS },
		{ SLICE_INIT("B\0o\0o\0k\0\0\0"), KIND_XLS },
		/* the class of an installer, its patches and its transforms (000C1084, 86 and 82 -0000-0000-C000-...46) */
		{ SLICE_INIT("\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"), KIND_MSI },
		{ SLICE_INIT("\x86\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"), KIND_MSI },
		{ SLICE_INIT("\x82\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"), KIND_MSI },
	};

	for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
		if (find(s, SNIFF_SEARCH_MAX, streams[i].name) != SIZE_MAX)
			return streams[i].kind;
	}
	return KIND_OLE;
}

#define ZIP_TYPES    1u /* [Content_Types].xml */
#define ZIP_WORD     2u
#define ZIP_EXCEL    4u
#define ZIP_POINT    8u
#define ZIP_MANIFEST 16u
#define ZIP_ANDROID  32u
#define ZIP_DEX      64u
#define ZIP_PAYLOAD  128u
#define ZIP_APPX     256u
#define ZIP_XPS      512u
#define ZIP_CLASS    1024u
#define ZIP_ODF      2048u

static unsigned zip_name(struct slice name)
{
	static const struct {
		struct slice start;
		unsigned     is;
	} rows[] = {
		{ SLICE_INIT("[content_types].xml"), ZIP_TYPES },
		{ SLICE_INIT("word/"), ZIP_WORD },
		{ SLICE_INIT("xl/"), ZIP_EXCEL },
		{ SLICE_INIT("ppt/"), ZIP_POINT },
		{ SLICE_INIT("meta-inf/manifest.mf"), ZIP_MANIFEST },
		{ SLICE_INIT("meta-inf/manifest.xml"), ZIP_ODF },
		{ SLICE_INIT("androidmanifest.xml"), ZIP_ANDROID },
		{ SLICE_INIT("classes.dex"), ZIP_DEX },
		{ SLICE_INIT("payload/"), ZIP_PAYLOAD },
		{ SLICE_INIT("appxmanifest.xml"), ZIP_APPX },
		{ SLICE_INIT("appxmetadata/"), ZIP_APPX },
		{ SLICE_INIT("fixeddocseq.fdseq"), ZIP_XPS },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (slice_starts_nocase(name, rows[i].start))
			return rows[i].is;
	}
	return slice_ends_nocase(name, SLICE(".class")) ? ZIP_CLASS : 0;
}

static enum kind zip_kind(struct slice s, size_t start, unsigned has)
{
	/* OpenDocument 1.2 part 3 section 3.3 and EPUB: the first member is "mimetype", stored */
	if (at_is(s, start + 30, SLICE("mimetypeapplication/vnd.oasis")) || at_is(s, start + 30, SLICE("mimetypeapplication/vnd.sun.xml")))
		return KIND_ODF;
	if (at_is(s, start + 30, SLICE("mimetypeapplication/epub")))
		return KIND_EPUB;
	if (has & (ZIP_ANDROID | ZIP_DEX))
		return KIND_APK;
	if (has & ZIP_APPX)
		return KIND_MSIX;
	if ((has & (ZIP_MANIFEST | ZIP_CLASS)) == (ZIP_MANIFEST | ZIP_CLASS))
		return KIND_JAR;
	if (has & ZIP_WORD)
		return KIND_DOCX;
	if (has & ZIP_EXCEL)
		return KIND_XLSX;
	if (has & ZIP_POINT)
		return KIND_PPTX;
	if (has & ZIP_XPS)
		return KIND_XPS;
	if (has & ZIP_TYPES)
		return KIND_OOXML;
	if (has & ZIP_MANIFEST)
		return KIND_JAR;
	if (has & ZIP_ODF)
		return KIND_ODF;
	return has & ZIP_PAYLOAD ? KIND_IPA : KIND_UNKNOWN;
}

/*
 * Index of the last end record whose directory lies where it says, or less `*shift` bytes before the front, or SIZE_MAX.
 */
static size_t zip_end(struct slice s, size_t *directory, size_t *shift)
{
	const size_t low = s.len > ZIP_END_SIZE + ZIP_COMMENT_MAX ? s.len - ZIP_END_SIZE - ZIP_COMMENT_MAX : 0;

	if (s.len < ZIP_END_SIZE)
		return SIZE_MAX;
	for (size_t at = s.len - ZIP_END_SIZE + 1; at-- > low;) {
		if (s.ptr[at] != 'P' || !at_is(s, at, SLICE("PK\5\6")))
			continue;
		const size_t size = le32(s, at + 12), where = le32(s, at + 16);
		if (size > at)
			continue;
		*shift = at - size >= where ? at - size - where : 0;
		*directory = at - size;
		if (at_is(s, at - size, SLICE("PK\1\2")) || size == 0)
			return at;
		if (at_is(s, where, SLICE("PK\1\2"))) {
			*directory = where;
			*shift = 0;
			return at;
		}
	}
	return SIZE_MAX;
}

/* A zip, wherever it begins; and what its members make of it. */
static void zip_find(struct slice s, struct sniff *out)
{
	size_t     directory = 0, shift = 0, start = 0;
	unsigned   has = 0;
	const size_t end = zip_end(s, &directory, &shift);

	if (end == SIZE_MAX) {
		if (!slice_starts(s, SLICE("PK\3\4")) && !slice_starts(s, SLICE("PK00PK\3\4")) && !slice_starts(s, SLICE("PK\7\x8PK\3\4")))
			return;
		/* no directory: the members one after the other, as far as their sizes are told */
		for (size_t at = slice_at(s, 2) == 3 ? 0 : 4, i = 0; i < SNIFF_ZIP_NAMES && at_is(s, at, SLICE("PK\3\4")); i++) {
			has |= zip_name(slice_cut(s, at + 30, le16(s, at + 26)));
			at += 30 + (size_t)le16(s, at + 26) + le16(s, at + 28) + le32(s, at + 18);
		}
	} else {
		start = shift;
		for (size_t at = directory, i = 0; i < SNIFF_ZIP_NAMES && at_is(s, at, SLICE("PK\1\2")); i++) {
			has |= zip_name(slice_cut(s, at + 46, le16(s, at + 28)));
			at += 46 + (size_t)le16(s, at + 28) + le16(s, at + 30) + le16(s, at + 32);
		}
	}
	hit(out, zip_kind(s, start, has), start);
	hit(out, KIND_ZIP, start);
}

/* Disk images: volume descriptors of ISO 9660 and UDF (ECMA-167 part 2) from sector 16 on, footers, boot sectors. */
static void disk_find(struct slice s, struct sniff *out)
{
	if (at_is(s, ISO_MAGIC_AT, SLICE("CD001")))
		hit(out, KIND_ISO, 0);
	for (size_t i = 0; i < VOLUME_SECTORS; i++) {
		if (at_is(s, ISO_MAGIC_AT + i * SECTOR, SLICE("NSR02")) || at_is(s, ISO_MAGIC_AT + i * SECTOR, SLICE("NSR03")))
			hit(out, KIND_UDF, 0);
	}
	if (s.len >= 512 && at_is(s, s.len - 512, SLICE("conectix")))
		hit(out, KIND_VHD, 0);
	if (s.len >= 512 && at_is(s, s.len - 512, SLICE("koly\0\0\0\4")))
		hit(out, KIND_DMG, 0);
	if (s.len >= 1024 && s.ptr[510] == 0x55 && s.ptr[511] == 0xaa &&
	    (at_is(s, 3, SLICE("NTFS    ")) || at_is(s, 54, SLICE("FAT1")) || at_is(s, 82, SLICE("FAT32")) ||
	     at_is(s, 3, SLICE("EXFAT   ")) || at_is(s, 512, SLICE("EFI PART")) || (s.ptr[446] & 0x7f) == 0))
		hit(out, KIND_DISK, 0);
}

/* What may stand behind or inside something else. */
static void behind_find(struct slice s, struct sniff *out)
{
	static const struct {
		struct slice bytes;
		enum kind    kind;
	} archives[] = {
		{ SLICE_INIT("Rar!\x1a\x07\x01\x00"), KIND_RAR5 },
		{ SLICE_INIT("Rar!\x1a\x07\x00"), KIND_RAR },
		{ SLICE_INIT("7z\xbc\xaf\x27\x1c"), KIND_SEVENZIP },
		{ SLICE_INIT("MSCF\0\0\0\0"), KIND_CAB },
	};
	static const struct {
		struct slice tag;
		enum kind    kind;
	} tags[] = { { SLICE_INIT("<hta:application"), KIND_HTA }, { SLICE_INIT("<script"), KIND_HTML }, { SLICE_INIT("<html"), KIND_HTML },
		     { SLICE_INIT("<?php"), KIND_PHP } };
	const enum kind_class class = kind_class(out->hits[0].kind);

	if (class == KIND_CLASS_ARCHIVE || class == KIND_CLASS_TEXT || out->hits[0].at != 0)
		return;
	if (class != KIND_CLASS_SCRIPT && class != KIND_CLASS_MARKUP && class != KIND_CLASS_MAIL) {
		for (size_t i = 0; i < sizeof archives / sizeof archives[0]; i++) {
			const size_t at = find(s, SNIFF_SEARCH_MAX, archives[i].bytes);
			if (at != SIZE_MAX && at != 0)
				hit(out, archives[i].kind, at);
		}
	}
	/* pictures and programs are read as markup by those who do not look at magic numbers */
	for (size_t i = 0; i < sizeof tags / sizeof tags[0] && (class == KIND_CLASS_IMAGE || class == KIND_CLASS_PROGRAM); i++) {
		const struct slice head = slice_take(s, MARKUP_MAX);
		const size_t       at = out->hits[0].kind == KIND_SVG ? head.len : slice_search_nocase(head, tags[i].tag);
		if (at < head.len && (class == KIND_CLASS_IMAGE || tags[i].kind == KIND_HTA))
			hit(out, tags[i].kind, at);
	}
}

/* What the first bytes say. */
static enum kind front(struct slice s)
{
	static enum kind (*const looks[])(struct slice) = { executable, cafebabe, riff, media, picture, signed_data, pgp };

	for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
		if (at_is(s, magics[i].at, magics[i].bytes))
			return magics[i].kind == KIND_OLE ? ole(s) : magics[i].kind;
	}
	for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
		const enum kind kind = looks[i](s);
		if (kind != KIND_UNKNOWN)
			return kind;
	}
	if (is_lha(s))
		return KIND_LHA;
	if (is_old_tar(s))
		return KIND_TAR;
	return KIND_UNKNOWN;
}

/* Short and weak numbers that text begins with as well. */
static bool is_weak(enum kind kind)
{
	return kind == KIND_BZIP2 || kind == KIND_CPIO || kind == KIND_MP3 || kind == KIND_SWF || kind == KIND_LRZIP ||
	       kind == KIND_EGG || kind == KIND_STUFFIT || kind == KIND_PST || kind == KIND_REG || kind == KIND_LZIP || kind == KIND_ARJ;
}

void sniff_content(struct slice bytes, struct sniff *out)
{
	*out = (struct sniff){ .by_name = KIND_UNKNOWN, .by_label = KIND_UNKNOWN };
	if (bytes.len == 0) {
		hit(out, KIND_EMPTY, 0);
		return;
	}

	enum kind       kind = front(bytes);
	const enum kind text = kind == KIND_UNKNOWN || is_weak(kind) ? sniff_text(bytes) : KIND_UNKNOWN;

	if (kind == KIND_CPIO && text != KIND_UNKNOWN && find(bytes, 16, SLICE("07070")) == 0)
		hit(out, kind, 0); /* its headers are text by design */
	if (is_weak(kind) && text != KIND_UNKNOWN)
		kind = KIND_UNKNOWN;
	hit(out, kind, 0);
	if (out->count == 0 && slice_starts(bytes, SLICE("PK")))
		zip_find(bytes, out);
	const size_t pdf = find(bytes, PDF_HEADER_MAX, SLICE("%PDF-"));
	if (pdf != SIZE_MAX)
		hit(out, KIND_PDF, pdf);
	hit(out, text == KIND_TEXT && out->count != 0 ? KIND_UNKNOWN : text, 0);
	zip_find(bytes, out);
	disk_find(bytes, out);
	if (out->count == 0 && is_lzma(bytes))
		hit(out, KIND_LZMA, 0);
	if (out->count == 0 && is_mp3(bytes))
		hit(out, KIND_MP3, 0);
	if (out->count == 0)
		out->hits[out->count++] = (struct sniff_hit){ KIND_UNKNOWN, 0 };
	behind_find(bytes, out);
}

bool sniff_is(const struct sniff *s, enum kind kind)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->hits[i].kind == kind)
			return true;
	}
	return false;
}

size_t sniff_where(const struct sniff *s, enum kind kind)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->hits[i].kind == kind)
			return s->hits[i].at;
	}
	return 0;
}
