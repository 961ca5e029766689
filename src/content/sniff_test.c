/* Content by its bytes, polyglots, and how name and label agree with it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "content/sniff.h"

#define ROW(kind, bytes) { #kind, KIND_##kind, SLICE_INIT(bytes) }

static const struct {
	const char  *name;
	enum kind    kind;
	struct slice bytes;
} rows[] = {
	ROW(EMPTY, ""),
	ROW(TEXT, "Dear all,\r\nplease find the minutes below.\r\n"),
	ROW(TEXT, "MZ is how every program for DOS begins; this line is not one of them, though it is long enough."),
	ROW(TEXT, "BZh and other marks begin words, too"),
	ROW(TEXT, "if you let me return the variable function call, I will"),
	ROW(ZIP, "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	ROW(ZIP, "PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0ax"),
	ROW(SEVENZIP, "7z\xbc\xaf\x27\x1c\0\4"),
	ROW(RAR, "Rar!\x1a\x07\x00\xcf"),
	ROW(RAR5, "Rar!\x1a\x07\x01\x00"),
	ROW(GZIP, "\x1f\x8b\x08\0\0\0\0\0\0\3"),
	ROW(BZIP2, "BZh91AY&SY\0\1\2\3\4\5\6\7"),
	ROW(XZ, "\xfd" "7zXZ\0\0\4"),
	ROW(ZSTD, "\x28\xb5\x2f\xfd\x04\x58"),
	ROW(LZMA, "\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0\x34\x19"),
	ROW(CAB, "MSCF\0\0\0\0\0\1\0\0"),
	ROW(LHA, "\x19\x5e-lh5-\0\0\0\0\0\0\0\0\0\0\0\0\x20\0\0\0"),
	ROW(CPIO, "070701000000010000"),
	ROW(AR, "!<arch>\ndebian-binary   "),
	ROW(ARJ, "\x60\xea\x2c\0\x22\x0b\1\2"),
	ROW(ACE, "\x6d\x05\x31\0\0\0\x90**ACE**"),
	ROW(SZDD, "SZDD\x88\xf0\x27\x33\x41\0"),
	ROW(VHDX, "vhdxfile\0\0"),
	ROW(OLE, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0"),
	ROW(DOC, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0"),
	ROW(MSI, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"),
	ROW(PDF, "%PDF-1.7\n"),
	ROW(PDF, "\n\n%PDF-1.7\n"),
	ROW(RTF, "{\\rtf1\\ansi"),
	ROW(RTF, "{\\rt\\bin"),
	ROW(ONENOTE, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"),
	ROW(PNG, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
	ROW(JPEG, "\xff\xd8\xff\xe0\0\x10JFIF"),
	ROW(GIF, "GIF89a\1\0\1\0"),
	ROW(WEBP, "RIFF\x10\0\0\0WEBPVP8 "),
	ROW(WAV, "RIFF\x10\0\0\0WAVEfmt "),
	ROW(BMP, "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0"),
	ROW(HEIF, "\0\0\0\x18" "ftypheic\0\0\0\0"),
	ROW(MP4, "\0\0\0\x18" "ftypisom\0\0\0\0"),
	ROW(ELF, "\x7f" "ELF\2\1\1"),
	ROW(MACHO, "\xcf\xfa\xed\xfe\7\0\0\1"),
	ROW(MACHO, "\xca\xfe\xba\xbe\0\0\0\2\1\0\0\7"),
	ROW(CLASS, "\xca\xfe\xba\xbe\0\0\0\x34\0\x10"),
	ROW(DEX, "dex\n035\0"),
	ROW(LNK, "\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46\x9b"),
	ROW(CHM, "ITSF\3\0\0\0\x60\0\0\0"),
	ROW(TNEF, "\x78\x9f\x3e\x22\1\0\1"),
	ROW(PKCS7, "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30"),
	ROW(PGP, "-----BEGIN PGP MESSAGE-----\n"),
	ROW(PKCS7, "-----BEGIN PKCS7-----\n"),
	ROW(CERTIFICATE, "-----BEGIN CERTIFICATE-----\n"),
	ROW(SHELL, "#!/bin/sh\necho\n"),
	ROW(PYTHON, "#!/usr/bin/env python3\n"),
	ROW(HTML, "<!DOCTYPE html><p>x"),
	ROW(HTML, "\xef\xbb\xbf\r\n <!-- x --><HTML><body>"),
	ROW(HTML, "<\0h\0t\0m\0l\0>\0<\0b\0o\0d\0y\0>\0"),
	ROW(XML, "<?xml version=\"1.0\"?><a/>"),
	ROW(SVG, "<?xml version=\"1.0\"?>\n<svg xmlns=\"x\"/>"),
	ROW(SVG, "<svg onload=\"x\">"),
	ROW(HTA, "<html><head><HTA:APPLICATION id=x></head>"),
	ROW(WSF, "<job id=\"a\"><script language=\"VBScript\">x</script></job>"),
	ROW(BAT, "@echo off\r\nstart /b x\r\n"),
	ROW(VBS, "Dim s\r\nSet s = CreateObject(\"WScript.Shell\")\r\ns.Run \"x\"\r\n"),
	ROW(JS, "var s = new ActiveXObject(\"WScript.Shell\");\ns.Run('x');\n"),
	ROW(PS1, "$c = New-Object Net.WebClient\n$c.DownloadString('http://x') | IEX\n"),
	ROW(PS1, "\xff\xfei\0e\0x\0 \0(\0N\0e\0w\0-\0O\0b\0j\0e\0c\0t\0 \0N\0e\0t\0)\0"),
	ROW(URL, "[InternetShortcut]\r\nURL=http://x/\r\n"),
	ROW(EML, "From: a@b\r\nTo: c@d\r\nSubject: x\r\n\r\nhi\r\n"),
	ROW(ICS, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"),
	ROW(VCF, "BEGIN:VCARD\r\nVERSION:3.0\r\n"),
	ROW(JSON, "{ \"a\": 1 }"),
	ROW(UNKNOWN, "\1\2\3\4\5\6\7\x0e\x0f\x10\x11"),
};

static void bytes_tell_the_kind(void **state)
{
	struct sniff s;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		sniff_content(rows[i].bytes, &s);
		if (s.hits[0].kind != rows[i].kind)
			fail_msg("%s: %s", rows[i].name, kind_word(s.hits[0].kind));
		assert_int_equal(s.odd, 0);
		/* at every byte: whatever it is, it is something */
		for (size_t cut = 0; cut <= rows[i].bytes.len; cut++) {
			sniff_content(slice_take(rows[i].bytes, cut), &s);
			assert_in_range(s.count, 1, SNIFF_HITS_MAX);
		}
	}
}

#define STORED(name) "PK\3\4\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" name
#define RECORD       "PK\1\2\x14\0\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

/* A picture with a zip behind it, whose offsets do not reckon with the picture. */
static void two_kinds_are_told(void **state)
{
	static const struct slice both = SLICE_INIT("GIF89a\1\0\1\0;" STORED("\1\0\0\0" "a") RECORD
	                                            "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" "a"
	                                            "PK\5\6\0\0\0\0\1\0\1\0\x2f\0\0\0\x1f\0\0\0\0\0");
	struct sniff              s;

	(void)state;
	sniff(both, SLICE("a.gif"), SLICE("image/gif"), &s);
	assert_int_equal(s.hits[0].kind, KIND_GIF);
	assert_true(sniff_is(&s, KIND_ZIP));
	assert_int_equal(sniff_where(&s, KIND_ZIP), 11);
	assert_int_equal(s.odd, SNIFF_ODD_POLYGLOT);
	sniff_content(SLICE("\xff\xd8\xff\xe0zzzzRar!\x1a\x07\x01\x00"), &s);
	assert_int_equal(s.hits[0].kind, KIND_JPEG);
	assert_int_equal(sniff_where(&s, KIND_RAR5), 8);
	sniff_content(SLICE("GIF89a=1;<script>alert(1)</script>"), &s);
	assert_true(sniff_is(&s, KIND_HTML));
}

/* A document is a zip too: that is no second nature of it. */
static void documents_are_no_polyglots(void **state)
{
	static const struct slice docx =
		SLICE_INIT(STORED("\6\0\0\0" "word/x") RECORD "\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" "word/x"
		                                              "PK\5\6\0\0\0\0\1\0\1\0\x34\0\0\0\x24\0\0\0\0\0");
	struct sniff s;

	(void)state;
	sniff(docx, SLICE("a.docx"), SLICE(""), &s);
	assert_int_equal(s.hits[0].kind, KIND_DOCX);
	assert_true(sniff_is(&s, KIND_ZIP));
	assert_int_equal(s.odd, 0);
}

static const struct {
	struct slice bytes, name, label;
	uint32_t     odd;
} agreements[] = {
	{ SLICE_INIT("%PDF-1.4"), SLICE_INIT("a.pdf"), SLICE_INIT("application/pdf"), 0 },
	{ SLICE_INIT("%PDF-1.4"), SLICE_INIT("a.pdf"), SLICE_INIT("application/octet-stream"), 0 },
	{ SLICE_INIT("%PDF-1.4"), SLICE_INIT("a.jpg"), SLICE_INIT(""), SNIFF_ODD_NAME },
	{ SLICE_INIT("%PDF-1.4"), SLICE_INIT(""), SLICE_INIT("image/png"), SNIFF_ODD_LABEL },
	{ SLICE_INIT("%PDF-1.4"), SLICE_INIT("a.pdf"), SLICE_INIT("image/png"), SNIFF_ODD_LABEL | SNIFF_ODD_NAME_LABEL },
	{ SLICE_INIT("\x7f" "ELF\2"), SLICE_INIT("a.jpg"), SLICE_INIT(""), SNIFF_ODD_NAME | SNIFF_ODD_PROGRAM },
	{ SLICE_INIT("\x7f" "ELF\2"), SLICE_INIT(""), SLICE_INIT("image/png"), SNIFF_ODD_LABEL | SNIFF_ODD_PROGRAM },
	{ SLICE_INIT("@echo off\r\n"), SLICE_INIT("a.txt"), SLICE_INIT(""), SNIFF_ODD_NAME | SNIFF_ODD_PROGRAM },
	{ SLICE_INIT("\x7f" "ELF\2"), SLICE_INIT("a.exe"), SLICE_INIT(""), SNIFF_ODD_RUNS | SNIFF_ODD_BLOCKED },
	{ SLICE_INIT("x"), SLICE_INIT("a.pdf.js"), SLICE_INIT(""), SNIFF_ODD_RUNS | SNIFF_ODD_BLOCKED | SNIFF_ODD_DOUBLE },
	{ SLICE_INIT("x"), SLICE_INIT("a.pdf .js. "), SLICE_INIT(""),
	  SNIFF_ODD_RUNS | SNIFF_ODD_BLOCKED | SNIFF_ODD_DOUBLE | SNIFF_ODD_TRAILING },
	{ SLICE_INIT("x"), SLICE_INIT("v1.2.js"), SLICE_INIT(""), SNIFF_ODD_RUNS | SNIFF_ODD_BLOCKED },
	{ SLICE_INIT("x"), SLICE_INIT("a\xe2\x80\xae" "fdp.txt"), SLICE_INIT(""), SNIFF_ODD_BIDI },
	{ SLICE_INIT("x"), SLICE_INIT("a       .txt"), SLICE_INIT(""), 0 },
	{ SLICE_INIT("x"), SLICE_INIT("a        .txt"), SLICE_INIT(""), SNIFF_ODD_BLANKS },
	{ SLICE_INIT("x"), SLICE_INIT("a\0.txt"), SLICE_INIT(""), SNIFF_ODD_CONTROL },
	{ SLICE_INIT("<html>"), SLICE_INIT("a.doc"), SLICE_INIT(""), 0 },
	{ SLICE_INIT("{\\rtf1"), SLICE_INIT("a.doc"), SLICE_INIT("application/msword"), 0 },
};

static void disagreement_is_told(void **state)
{
	struct sniff s;

	(void)state;
	for (size_t i = 0; i < sizeof agreements / sizeof agreements[0]; i++) {
		sniff(agreements[i].bytes, agreements[i].name, agreements[i].label, &s);
		if (s.odd != agreements[i].odd)
			fail_msg("row %zu: %x, not %x", i, s.odd, agreements[i].odd);
	}
	for (unsigned bit = 0; bit < 12; bit++)
		assert_non_null(sniff_odd_word(1u << bit));
	assert_null(sniff_odd_word(1u << 12));
	assert_null(sniff_odd_word(3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_tell_the_kind),
		cmocka_unit_test(two_kinds_are_told),
		cmocka_unit_test(documents_are_no_polyglots),
		cmocka_unit_test(disagreement_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
