/*
 * Kinds of files, as far as a mail gateway acts on them: one table with the name of each, its class and the media type
 * that is registered or in use for it. content/sniff.h tells which of them given bytes are.
 */
#ifndef CONTENT_KIND_H
#define CONTENT_KIND_H

#include "base/slice.h"

/* What a file is for; a disagreement between classes is a finding, one inside a class is not. */
enum kind_class {
	KIND_CLASS_NONE, /* nothing is known */
	KIND_CLASS_TEXT,
	KIND_CLASS_ARCHIVE, /* members that a reader unpacks: archives, compressed files, disk images */
	KIND_CLASS_DOCUMENT,
	KIND_CLASS_IMAGE,
	KIND_CLASS_SOUND, /* audio and video */
	KIND_CLASS_FONT,
	KIND_CLASS_PROGRAM, /* machine code, byte code, installers, shortcuts: runs when opened */
	KIND_CLASS_SCRIPT,  /* source text that runs when opened */
	KIND_CLASS_MARKUP,  /* HTML, XML */
	KIND_CLASS_MAIL,    /* messages, calendars, address cards */
	KIND_CLASS_CRYPTO,  /* signed or encrypted wrappers, keys, certificates */
	KIND_CLASS_DATA,    /* databases, traces and the like */
	KIND_CLASSES
};

/* clang-format off: a table */
#define KIND_TABLE(X)                                                                                \
	X(UNKNOWN, "unknown", NONE, "application/octet-stream")                                     \
	X(EMPTY, "empty", NONE, "application/x-empty")                                              \
	X(TEXT, "text", TEXT, "text/plain")                                                         \
	X(ZIP, "zip", ARCHIVE, "application/zip")                                                   \
	X(SEVENZIP, "7z", ARCHIVE, "application/x-7z-compressed")                                   \
	X(RAR, "rar", ARCHIVE, "application/vnd.rar")                                               \
	X(RAR5, "rar5", ARCHIVE, "application/x-rar-compressed")                                    \
	X(TAR, "tar", ARCHIVE, "application/x-tar")                                                 \
	X(GZIP, "gzip", ARCHIVE, "application/gzip")                                                \
	X(BZIP2, "bzip2", ARCHIVE, "application/x-bzip2")                                           \
	X(XZ, "xz", ARCHIVE, "application/x-xz")                                                    \
	X(ZSTD, "zstd", ARCHIVE, "application/zstd")                                                \
	X(LZMA, "lzma", ARCHIVE, "application/x-lzma")                                              \
	X(LZIP, "lzip", ARCHIVE, "application/x-lzip")                                              \
	X(LZ4, "lz4", ARCHIVE, "application/x-lz4")                                                 \
	X(COMPRESS, "compress", ARCHIVE, "application/x-compress")                                  \
	X(CAB, "cab", ARCHIVE, "application/vnd.ms-cab-compressed")                                 \
	X(ISO, "iso", ARCHIVE, "application/x-iso9660-image")                                       \
	X(LHA, "lha", ARCHIVE, "application/x-lzh-compressed")                                      \
	X(CPIO, "cpio", ARCHIVE, "application/x-cpio")                                              \
	X(AR, "ar", ARCHIVE, "application/x-archive")                                               \
	X(RPM, "rpm", ARCHIVE, "application/x-rpm")                                                 \
	X(XAR, "xar", ARCHIVE, "application/x-xar")                                                 \
	X(ARJ, "arj", ARCHIVE, "application/x-arj")                                                 \
	X(ACE, "ace", ARCHIVE, "application/x-ace-compressed")                                      \
	X(SZDD, "szdd", ARCHIVE, "application/x-ms-compress-szdd")                                  \
	X(KWAJ, "kwaj", ARCHIVE, "application/x-ms-compress-kwaj")                                  \
	X(STUFFIT, "stuffit", ARCHIVE, "application/x-stuffit")                                     \
	X(BINHEX, "binhex", ARCHIVE, "application/mac-binhex40")                                    \
	X(WIM, "wim", ARCHIVE, "application/x-ms-wim")                                              \
	X(LRZIP, "lrzip", ARCHIVE, "application/x-lrzip")                                           \
	X(LZOP, "lzop", ARCHIVE, "application/x-lzop")                                              \
	X(ALZ, "alz", ARCHIVE, "application/x-alz")                                                 \
	X(EGG, "egg", ARCHIVE, "application/x-egg")                                                 \
	X(ZOO, "zoo", ARCHIVE, "application/x-zoo")                                                 \
	X(UDF, "udf", ARCHIVE, "application/x-udf-image")                                           \
	X(VHD, "vhd", ARCHIVE, "application/x-vhd")                                                 \
	X(VHDX, "vhdx", ARCHIVE, "application/x-vhdx")                                              \
	X(VMDK, "vmdk", ARCHIVE, "application/x-vmdk")                                              \
	X(QCOW, "qcow", ARCHIVE, "application/x-qemu-disk")                                         \
	X(DMG, "dmg", ARCHIVE, "application/x-apple-diskimage")                                     \
	X(DISK, "disk", ARCHIVE, "application/x-raw-disk-image")                                    \
	X(OLE, "ole", DOCUMENT, "application/x-ole-storage")                                        \
	X(DOC, "doc", DOCUMENT, "application/msword")                                               \
	X(XLS, "xls", DOCUMENT, "application/vnd.ms-excel")                                         \
	X(PPT, "ppt", DOCUMENT, "application/vnd.ms-powerpoint")                                    \
	X(OOXML, "ooxml", DOCUMENT, "application/vnd.openxmlformats-officedocument")                                     \
	X(DOCX, "docx", DOCUMENT, "application/vnd.openxmlformats-officedocument.wordprocessingml.document") \
	X(XLSX, "xlsx", DOCUMENT, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet") \
	X(PPTX, "pptx", DOCUMENT, "application/vnd.openxmlformats-officedocument.presentationml.presentation") \
	X(ODF, "odf", DOCUMENT, "application/vnd.oasis.opendocument.text")                          \
	X(EPUB, "epub", DOCUMENT, "application/epub+zip")                                           \
	X(XPS, "xps", DOCUMENT, "application/vnd.ms-xpsdocument")                                   \
	X(RTF, "rtf", DOCUMENT, "application/rtf")                                                  \
	X(ONENOTE, "onenote", DOCUMENT, "application/onenote")                                      \
	X(PDF, "pdf", DOCUMENT, "application/pdf")                                                  \
	X(POSTSCRIPT, "postscript", DOCUMENT, "application/postscript")                             \
	X(DJVU, "djvu", DOCUMENT, "image/vnd.djvu")                                                 \
	X(PNG, "png", IMAGE, "image/png")                                                           \
	X(JPEG, "jpeg", IMAGE, "image/jpeg")                                                        \
	X(GIF, "gif", IMAGE, "image/gif")                                                           \
	X(BMP, "bmp", IMAGE, "image/bmp")                                                           \
	X(WEBP, "webp", IMAGE, "image/webp")                                                        \
	X(TIFF, "tiff", IMAGE, "image/tiff")                                                        \
	X(ICO, "ico", IMAGE, "image/vnd.microsoft.icon")                                            \
	X(PSD, "psd", IMAGE, "image/vnd.adobe.photoshop")                                           \
	X(HEIF, "heif", IMAGE, "image/heic")                                                        \
	X(JP2, "jp2", IMAGE, "image/jp2")                                                           \
	X(JXL, "jxl", IMAGE, "image/jxl")                                                           \
	X(WMF, "wmf", IMAGE, "image/wmf")                                                           \
	X(EMF, "emf", IMAGE, "image/emf")                                                           \
	X(SVG, "svg", IMAGE, "image/svg+xml")                                                       \
	X(MP3, "mp3", SOUND, "audio/mpeg")                                                          \
	X(WAV, "wav", SOUND, "audio/x-wav")                                                         \
	X(OGG, "ogg", SOUND, "audio/ogg")                                                           \
	X(FLAC, "flac", SOUND, "audio/flac")                                                        \
	X(MIDI, "midi", SOUND, "audio/midi")                                                        \
	X(AMR, "amr", SOUND, "audio/amr")                                                           \
	X(MP4, "mp4", SOUND, "video/mp4")                                                           \
	X(AVI, "avi", SOUND, "video/x-msvideo")                                                     \
	X(MATROSKA, "matroska", SOUND, "video/x-matroska")                                          \
	X(MPEG, "mpeg", SOUND, "video/mpeg")                                                        \
	X(ASF, "asf", SOUND, "video/x-ms-asf")                                                      \
	X(FLV, "flv", SOUND, "video/x-flv")                                                         \
	X(SWF, "swf", PROGRAM, "application/x-shockwave-flash")                                     \
	X(FONT, "font", FONT, "font/sfnt")                                                          \
	X(WOFF, "woff", FONT, "font/woff")                                                          \
	X(PE, "pe", PROGRAM, "application/vnd.microsoft.portable-executable")                       \
	X(DOS, "dos", PROGRAM, "application/x-dosexec")                                             \
	X(ELF, "elf", PROGRAM, "application/x-elf")                                                 \
	X(MACHO, "macho", PROGRAM, "application/x-mach-binary")                                     \
	X(DEX, "dex", PROGRAM, "application/x-dex")                                                 \
	X(CLASS, "class", PROGRAM, "application/java-vm")                                           \
	X(WASM, "wasm", PROGRAM, "application/wasm")                                                \
	X(JAR, "jar", PROGRAM, "application/java-archive")                                          \
	X(APK, "apk", PROGRAM, "application/vnd.android.package-archive")                           \
	X(IPA, "ipa", PROGRAM, "application/x-ios-app")                                             \
	X(MSIX, "msix", PROGRAM, "application/msix")                                                \
	X(MSI, "msi", PROGRAM, "application/x-msi")                                                 \
	X(COM, "com", PROGRAM, "application/x-dos-com")                                             \
	X(LNK, "lnk", PROGRAM, "application/x-ms-shortcut")                                         \
	X(CHM, "chm", PROGRAM, "application/vnd.ms-htmlhelp")                                       \
	X(HLP, "hlp", PROGRAM, "application/winhlp")                                                \
	X(SIS, "sis", PROGRAM, "application/vnd.symbian.install")                                   \
	X(PYC, "pyc", PROGRAM, "application/x-python-code")                                         \
	X(XLL, "xll", PROGRAM, "application/vnd.ms-excel.addin")                                    \
	X(SHELL, "shell", SCRIPT, "text/x-shellscript")                                             \
	X(PYTHON, "python", SCRIPT, "text/x-python")                                                \
	X(PERL, "perl", SCRIPT, "text/x-perl")                                                      \
	X(RUBY, "ruby", SCRIPT, "text/x-ruby")                                                      \
	X(PHP, "php", SCRIPT, "text/x-php")                                                         \
	X(JS, "javascript", SCRIPT, "text/javascript")                                              \
	X(VBS, "vbscript", SCRIPT, "text/vbscript")                                                 \
	X(PS1, "powershell", SCRIPT, "text/x-powershell")                                           \
	X(BAT, "batch", SCRIPT, "application/x-bat")                                                \
	X(HTA, "hta", SCRIPT, "application/hta")                                                    \
	X(WSF, "wsf", SCRIPT, "application/x-wsf")                                                  \
	X(SCT, "scriptlet", SCRIPT, "text/scriptlet")                                               \
	X(REG, "reg", SCRIPT, "text/x-ms-regedit")                                                  \
	X(INF, "inf", SCRIPT, "application/x-setupscript")                                          \
	X(URL, "url", SCRIPT, "application/internet-shortcut")                                      \
	X(APPLESCRIPT, "applescript", SCRIPT, "application/x-applescript")                          \
	X(ENCODED_SCRIPT, "encoded-script", SCRIPT, "text/x-encoded-script")                        \
	X(HTML, "html", MARKUP, "text/html")                                                        \
	X(XML, "xml", MARKUP, "text/xml")                                                           \
	X(MHTML, "mhtml", MARKUP, "application/x-mimearchive")                                      \
	X(EML, "eml", MAIL, "message/rfc822")                                                       \
	X(MBOX, "mbox", MAIL, "application/mbox")                                                   \
	X(MSG, "msg", MAIL, "application/vnd.ms-outlook")                                           \
	X(TNEF, "tnef", MAIL, "application/ms-tnef")                                                \
	X(ICS, "ics", MAIL, "text/calendar")                                                        \
	X(VCF, "vcf", MAIL, "text/vcard")                                                           \
	X(PST, "pst", MAIL, "application/vnd.ms-outlook-pst")                                       \
	X(PGP, "pgp", CRYPTO, "application/pgp-encrypted")                                          \
	X(PGP_SIGNATURE, "pgp-signature", CRYPTO, "application/pgp-signature")                      \
	X(PGP_KEYS, "pgp-keys", CRYPTO, "application/pgp-keys")                                     \
	X(PKCS7, "pkcs7", CRYPTO, "application/pkcs7-mime")                                         \
	X(PKCS7_SIGNATURE, "pkcs7-signature", CRYPTO, "application/pkcs7-signature")                \
	X(CERTIFICATE, "certificate", CRYPTO, "application/x-x509-ca-cert")                         \
	X(RIGHTS, "rights", CRYPTO, "application/x-microsoft-rpmsg-message")                        \
	X(JSON, "json", DATA, "application/json")                                                   \
	X(CSV, "csv", DATA, "text/csv")                                                             \
	X(SQLITE, "sqlite", DATA, "application/vnd.sqlite3")                                        \
	X(ACCESS, "access", DATA, "application/vnd.ms-access")                                      \
	X(PCAP, "pcap", DATA, "application/vnd.tcpdump.pcap")
/* clang-format on */

enum kind {
#define KIND_ENUMERATOR(name, word, class, media) KIND_##name,
	KIND_TABLE(KIND_ENUMERATOR)
#undef KIND_ENUMERATOR
	KINDS
};

/* "zip"; its class; "application/zip". Static. */
const char     *kind_word(enum kind kind);
enum kind_class kind_class(enum kind kind);
const char     *kind_media(enum kind kind);
/* "archive". */
const char *kind_class_word(enum kind_class class);

/* What the system does with a file of that name when its reader opens it. */
#define KIND_NAME_RUNS    1u /* a program or script: it runs, after one question at most */
#define KIND_NAME_BLOCKED 2u /* on the list of attachments that Outlook does not let through */
#define KIND_NAME_MACRO   4u /* a document that may hold macros by its name */

/*
 * The kind that the last extension of a name stands for (KIND_UNKNOWN: none, or not in the table), and KIND_NAME_x.
 * Trailing dots and blanks are dropped first, as Windows does. `runs` may be NULL.
 */
enum kind kind_of_name(struct slice name, unsigned *runs);
/* The kind of one extension without its dot, in any case. */
enum kind kind_of_extension(struct slice extension, unsigned *runs);
/* The kind of a media type "a/b" without parameters, in any case; KIND_UNKNOWN for unknown ones. */
enum kind kind_of_label(struct slice label);

#endif
