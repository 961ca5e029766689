/* The tables of names and labels. Extensions are sorted, for a binary search. */
#include "content/kind.h"

#include "base/must.h"

#define EXTENSION_MAX 17u /* bytes of the longest in the table */

static const struct {
	const char     *word;
	enum kind_class class;
	const char     *media;
} kinds[KINDS] = {
#define KIND_ROW(name, word, class, media) { word, KIND_CLASS_##class, media },
	KIND_TABLE(KIND_ROW)
#undef KIND_ROW
};

#define R KIND_NAME_RUNS
#define B KIND_NAME_BLOCKED
#define M KIND_NAME_MACRO

/*
 * Source of the flags: Microsoft's page "Blocked attachments in Outlook" (level 1), and what Windows, macOS and Linux
 * desktops start on a double click.
 */
static const struct extension {
	const char   *text;
	enum kind     kind;
	unsigned      flags;
} extensions[] = {
	/* clang-format off: a table */
	{ "001", KIND_UNKNOWN, 0 },
	{ "3gp", KIND_MP4, 0 },
	{ "7z", KIND_SEVENZIP, 0 },
	{ "a", KIND_AR, 0 },
	{ "aac", KIND_MP3, 0 },
	{ "accdb", KIND_ACCESS, M },
	{ "accde", KIND_ACCESS, R | M },
	{ "ace", KIND_ACE, 0 },
	{ "ade", KIND_ACCESS, R | B },
	{ "adp", KIND_ACCESS, R | B },
	{ "ai", KIND_PDF, 0 },
	{ "alz", KIND_ALZ, 0 },
	{ "amr", KIND_AMR, 0 },
	{ "apk", KIND_APK, R },
	{ "app", KIND_PE, R | B },
	{ "appcontent-ms", KIND_XML, R | B },
	{ "appimage", KIND_ELF, R },
	{ "application", KIND_XML, R | B },
	{ "appref-ms", KIND_XML, R | B },
	{ "appx", KIND_MSIX, R },
	{ "appxbundle", KIND_MSIX, R },
	{ "ar", KIND_AR, 0 },
	{ "arj", KIND_ARJ, 0 },
	{ "asc", KIND_PGP, 0 },
	{ "asf", KIND_ASF, 0 },
	{ "asp", KIND_HTML, R | B },
	{ "aspx", KIND_HTML, R | B },
	{ "asx", KIND_XML, R | B },
	{ "avi", KIND_AVI, 0 },
	{ "avif", KIND_HEIF, 0 },
	{ "bas", KIND_VBS, R | B },
	{ "bash", KIND_SHELL, R },
	{ "bat", KIND_BAT, R | B },
	{ "bgi", KIND_DOS, R | B },
	{ "bin", KIND_UNKNOWN, 0 },
	{ "bmp", KIND_BMP, 0 },
	{ "bz", KIND_BZIP2, 0 },
	{ "bz2", KIND_BZIP2, 0 },
	{ "cab", KIND_CAB, B },
	{ "cer", KIND_CERTIFICATE, B },
	{ "chm", KIND_CHM, R | B },
	{ "class", KIND_CLASS, R },
	{ "cmd", KIND_BAT, R | B },
	{ "cnt", KIND_HLP, B },
	{ "com", KIND_COM, R | B },
	{ "command", KIND_SHELL, R },
	{ "cpio", KIND_CPIO, 0 },
	{ "cpl", KIND_PE, R | B },
	{ "crt", KIND_CERTIFICATE, B },
	{ "csh", KIND_SHELL, R | B },
	{ "css", KIND_TEXT, 0 },
	{ "csv", KIND_CSV, 0 },
	{ "dat", KIND_UNKNOWN, 0 },
	{ "db", KIND_SQLITE, 0 },
	{ "deb", KIND_AR, R },
	{ "der", KIND_CERTIFICATE, B },
	{ "desktop", KIND_URL, R },
	{ "dex", KIND_DEX, R },
	{ "diagcab", KIND_CAB, R | B },
	{ "djvu", KIND_DJVU, 0 },
	{ "dll", KIND_PE, R },
	{ "dmg", KIND_DMG, R },
	{ "doc", KIND_DOC, M },
	{ "docb", KIND_DOC, M },
	{ "docm", KIND_DOCX, M },
	{ "docx", KIND_DOCX, 0 },
	{ "dot", KIND_DOC, M },
	{ "dotm", KIND_DOCX, M },
	{ "dotx", KIND_DOCX, 0 },
	{ "drv", KIND_PE, R },
	{ "ear", KIND_JAR, R },
	{ "egg", KIND_EGG, 0 },
	{ "emf", KIND_EMF, 0 },
	{ "eml", KIND_EML, 0 },
	{ "eot", KIND_WOFF, 0 },
	{ "eps", KIND_POSTSCRIPT, 0 },
	{ "epub", KIND_EPUB, 0 },
	{ "exe", KIND_PE, R | B },
	{ "flac", KIND_FLAC, 0 },
	{ "flv", KIND_FLV, 0 },
	{ "fxp", KIND_PE, R | B },
	{ "gadget", KIND_ZIP, R | B },
	{ "gif", KIND_GIF, 0 },
	{ "gpg", KIND_PGP, 0 },
	{ "grp", KIND_UNKNOWN, B },
	{ "gz", KIND_GZIP, 0 },
	{ "heic", KIND_HEIF, 0 },
	{ "heif", KIND_HEIF, 0 },
	{ "hlp", KIND_HLP, R | B },
	{ "hpj", KIND_HLP, R | B },
	{ "hqx", KIND_BINHEX, 0 },
	{ "hta", KIND_HTA, R | B },
	{ "htc", KIND_SCT, R | B },
	{ "htm", KIND_HTML, 0 },
	{ "html", KIND_HTML, 0 },
	{ "ico", KIND_ICO, 0 },
	{ "ics", KIND_ICS, 0 },
	{ "img", KIND_DISK, 0 },
	{ "inf", KIND_INF, R | B },
	{ "ins", KIND_INF, R | B },
	{ "ipa", KIND_IPA, R },
	{ "iqy", KIND_URL, R },
	{ "iso", KIND_ISO, 0 },
	{ "isp", KIND_INF, R | B },
	{ "its", KIND_CHM, R | B },
	{ "jar", KIND_JAR, R | B },
	{ "jfif", KIND_JPEG, 0 },
	{ "jnlp", KIND_XML, R | B },
	{ "job", KIND_UNKNOWN, R },
	{ "jp2", KIND_JP2, 0 },
	{ "jpeg", KIND_JPEG, 0 },
	{ "jpg", KIND_JPEG, 0 },
	{ "js", KIND_JS, R | B },
	{ "jse", KIND_ENCODED_SCRIPT, R | B },
	{ "json", KIND_JSON, 0 },
	{ "jxl", KIND_JXL, 0 },
	{ "key", KIND_ZIP, 0 },
	{ "ksh", KIND_SHELL, R | B },
	{ "lha", KIND_LHA, 0 },
	{ "library-ms", KIND_XML, R | B },
	{ "lnk", KIND_LNK, R | B },
	{ "log", KIND_TEXT, 0 },
	{ "lz", KIND_LZIP, 0 },
	{ "lz4", KIND_LZ4, 0 },
	{ "lzh", KIND_LHA, 0 },
	{ "lzma", KIND_LZMA, 0 },
	{ "m4a", KIND_MP4, 0 },
	{ "mad", KIND_ACCESS, R | B },
	{ "maf", KIND_ACCESS, R | B },
	{ "mag", KIND_ACCESS, R | B },
	{ "mam", KIND_ACCESS, R | B },
	{ "maq", KIND_ACCESS, R | B },
	{ "mar", KIND_ACCESS, R | B },
	{ "mas", KIND_ACCESS, R | B },
	{ "mat", KIND_ACCESS, R | B },
	{ "mau", KIND_UNKNOWN, R | B },
	{ "mav", KIND_ACCESS, R | B },
	{ "maw", KIND_ACCESS, R | B },
	{ "mbox", KIND_MBOX, 0 },
	{ "mcf", KIND_XML, R | B },
	{ "md", KIND_TEXT, 0 },
	{ "mda", KIND_ACCESS, R | B },
	{ "mdb", KIND_ACCESS, R | B },
	{ "mde", KIND_ACCESS, R | B },
	{ "mdt", KIND_ACCESS, R | B },
	{ "mdw", KIND_ACCESS, R | B },
	{ "mdz", KIND_ACCESS, R | B },
	{ "mht", KIND_MHTML, 0 },
	{ "mhtml", KIND_MHTML, 0 },
	{ "mid", KIND_MIDI, 0 },
	{ "mkv", KIND_MATROSKA, 0 },
	{ "mov", KIND_MP4, 0 },
	{ "mp3", KIND_MP3, 0 },
	{ "mp4", KIND_MP4, 0 },
	{ "mpeg", KIND_MPEG, 0 },
	{ "mpg", KIND_MPEG, 0 },
	{ "mpkg", KIND_XAR, R },
	{ "msc", KIND_XML, R | B },
	{ "msg", KIND_MSG, 0 },
	{ "msh", KIND_PS1, R | B },
	{ "msh1", KIND_PS1, R | B },
	{ "msh1xml", KIND_PS1, R | B },
	{ "msh2", KIND_PS1, R | B },
	{ "msh2xml", KIND_PS1, R | B },
	{ "mshxml", KIND_PS1, R | B },
	{ "msi", KIND_MSI, R | B },
	{ "msix", KIND_MSIX, R },
	{ "msixbundle", KIND_MSIX, R },
	{ "msp", KIND_MSI, R | B },
	{ "mst", KIND_MSI, R | B },
	{ "msu", KIND_CAB, R | B },
	{ "numbers", KIND_ZIP, 0 },
	{ "ocx", KIND_PE, R },
	{ "odp", KIND_ODF, 0 },
	{ "ods", KIND_ODF, 0 },
	{ "odt", KIND_ODF, 0 },
	{ "ogg", KIND_OGG, 0 },
	{ "one", KIND_ONENOTE, 0 },
	{ "onepkg", KIND_CAB, 0 },
	{ "ops", KIND_INF, R | B },
	{ "osd", KIND_XML, R | B },
	{ "otf", KIND_FONT, 0 },
	{ "p12", KIND_CERTIFICATE, 0 },
	{ "p7b", KIND_PKCS7, 0 },
	{ "p7m", KIND_PKCS7, 0 },
	{ "p7s", KIND_PKCS7_SIGNATURE, 0 },
	{ "pages", KIND_ZIP, 0 },
	{ "pcap", KIND_PCAP, 0 },
	{ "pcd", KIND_UNKNOWN, R | B },
	{ "pdf", KIND_PDF, 0 },
	{ "pem", KIND_CERTIFICATE, 0 },
	{ "pfx", KIND_CERTIFICATE, 0 },
	{ "pgp", KIND_PGP, 0 },
	{ "php", KIND_PHP, R },
	{ "pif", KIND_DOS, R | B },
	{ "pkg", KIND_XAR, R | B },
	{ "pl", KIND_PERL, R | B },
	{ "plg", KIND_HTML, R | B },
	{ "png", KIND_PNG, 0 },
	{ "pot", KIND_PPT, M },
	{ "potm", KIND_PPTX, M },
	{ "potx", KIND_PPTX, 0 },
	{ "ppam", KIND_PPTX, R | M },
	{ "pps", KIND_PPT, M },
	{ "ppsm", KIND_PPTX, M },
	{ "ppsx", KIND_PPTX, 0 },
	{ "ppt", KIND_PPT, M },
	{ "pptm", KIND_PPTX, M },
	{ "pptx", KIND_PPTX, 0 },
	{ "prf", KIND_INF, R | B },
	{ "prg", KIND_PE, R | B },
	{ "printerexport", KIND_CAB, R | B },
	{ "ps", KIND_POSTSCRIPT, 0 },
	{ "ps1", KIND_PS1, R | B },
	{ "ps1xml", KIND_PS1, R | B },
	{ "ps2", KIND_PS1, R | B },
	{ "ps2xml", KIND_PS1, R | B },
	{ "psc1", KIND_XML, R | B },
	{ "psc2", KIND_XML, R | B },
	{ "psd", KIND_PSD, 0 },
	{ "psd1", KIND_PS1, R | B },
	{ "psdm1", KIND_PS1, R | B },
	{ "psm1", KIND_PS1, R },
	{ "pst", KIND_PST, B },
	{ "pub", KIND_OLE, M },
	{ "py", KIND_PYTHON, R | B },
	{ "pyc", KIND_PYC, R | B },
	{ "pyo", KIND_PYC, R | B },
	{ "pyw", KIND_PYTHON, R | B },
	{ "pyz", KIND_ZIP, R | B },
	{ "pyzw", KIND_ZIP, R | B },
	{ "qcow2", KIND_QCOW, 0 },
	{ "r00", KIND_RAR, 0 },
	{ "rar", KIND_RAR, 0 },
	{ "rb", KIND_RUBY, R },
	{ "rdp", KIND_TEXT, R },
	{ "reg", KIND_REG, R | B },
	{ "rpm", KIND_RPM, R },
	{ "rpmsg", KIND_RIGHTS, 0 },
	{ "rtf", KIND_RTF, 0 },
	{ "run", KIND_SHELL, R },
	{ "scf", KIND_INF, R | B },
	{ "scpt", KIND_APPLESCRIPT, R },
	{ "scr", KIND_PE, R | B },
	{ "sct", KIND_SCT, R | B },
	{ "search-ms", KIND_XML, R | B },
	{ "settingcontent-ms", KIND_XML, R | B },
	{ "sh", KIND_SHELL, R },
	{ "shb", KIND_LNK, R | B },
	{ "shs", KIND_OLE, R | B },
	{ "sig", KIND_PGP_SIGNATURE, 0 },
	{ "sis", KIND_SIS, R },
	{ "sisx", KIND_SIS, R },
	{ "sit", KIND_STUFFIT, 0 },
	{ "slk", KIND_CSV, M },
	{ "sqlite", KIND_SQLITE, 0 },
	{ "svg", KIND_SVG, 0 },
	{ "swf", KIND_SWF, R },
	{ "sys", KIND_PE, R },
	{ "tar", KIND_TAR, 0 },
	{ "taz", KIND_COMPRESS, 0 },
	{ "tbz", KIND_BZIP2, 0 },
	{ "tbz2", KIND_BZIP2, 0 },
	{ "tgz", KIND_GZIP, 0 },
	{ "theme", KIND_INF, R | B },
	{ "themepack", KIND_CAB, R },
	{ "tif", KIND_TIFF, 0 },
	{ "tiff", KIND_TIFF, 0 },
	{ "tlz", KIND_LZMA, 0 },
	{ "tmp", KIND_UNKNOWN, B },
	{ "ttc", KIND_FONT, 0 },
	{ "ttf", KIND_FONT, 0 },
	{ "txt", KIND_TEXT, 0 },
	{ "txz", KIND_XZ, 0 },
	{ "tzst", KIND_ZSTD, 0 },
	{ "udf", KIND_UDF, 0 },
	{ "udl", KIND_INF, R | B },
	{ "url", KIND_URL, R | B },
	{ "vb", KIND_VBS, R | B },
	{ "vbe", KIND_ENCODED_SCRIPT, R | B },
	{ "vbp", KIND_TEXT, R | B },
	{ "vbs", KIND_VBS, R | B },
	{ "vcf", KIND_VCF, 0 },
	{ "vhd", KIND_VHD, B },
	{ "vhdx", KIND_VHDX, B },
	{ "vmdk", KIND_VMDK, 0 },
	{ "vsmacros", KIND_OLE, R | B },
	{ "vsw", KIND_OLE, R | B },
	{ "war", KIND_JAR, R },
	{ "wasm", KIND_WASM, R },
	{ "wav", KIND_WAV, 0 },
	{ "wbk", KIND_DOC, M },
	{ "webloc", KIND_URL, R },
	{ "webm", KIND_MATROSKA, 0 },
	{ "webp", KIND_WEBP, 0 },
	{ "webpnp", KIND_CAB, R | B },
	{ "website", KIND_URL, R | B },
	{ "wim", KIND_WIM, 0 },
	{ "wll", KIND_PE, R },
	{ "wma", KIND_ASF, 0 },
	{ "wmf", KIND_WMF, 0 },
	{ "wmv", KIND_ASF, 0 },
	{ "woff", KIND_WOFF, 0 },
	{ "woff2", KIND_WOFF, 0 },
	{ "ws", KIND_WSF, R | B },
	{ "wsb", KIND_XML, R | B },
	{ "wsc", KIND_SCT, R | B },
	{ "wsf", KIND_WSF, R | B },
	{ "wsh", KIND_INF, R | B },
	{ "xar", KIND_XAR, 0 },
	{ "xbap", KIND_PE, R | B },
	{ "xhtml", KIND_HTML, 0 },
	{ "xla", KIND_XLS, R | M },
	{ "xlam", KIND_XLSX, R | M },
	{ "xll", KIND_XLL, R | B },
	{ "xlm", KIND_XLS, R | M },
	{ "xls", KIND_XLS, M },
	{ "xlsb", KIND_XLSX, M },
	{ "xlsm", KIND_XLSX, M },
	{ "xlsx", KIND_XLSX, 0 },
	{ "xlt", KIND_XLS, M },
	{ "xltm", KIND_XLSX, M },
	{ "xltx", KIND_XLSX, 0 },
	{ "xlw", KIND_XLS, M },
	{ "xml", KIND_XML, 0 },
	{ "xnk", KIND_LNK, R | B },
	{ "xpi", KIND_ZIP, R },
	{ "xps", KIND_XPS, 0 },
	{ "xz", KIND_XZ, 0 },
	{ "z", KIND_COMPRESS, 0 },
	{ "zip", KIND_ZIP, 0 },
	{ "zipx", KIND_ZIP, 0 },
	{ "zoo", KIND_ZOO, 0 },
	{ "zst", KIND_ZSTD, 0 },
	/* clang-format on */
};

/* Labels in use beside the one that each kind has of its own. */
static const struct {
	const char *media;
	enum kind   kind;
} labels[] = {
	{ "application/x-zip-compressed", KIND_ZIP },
	{ "application/x-zip", KIND_ZIP },
	{ "application/x-compressed", KIND_ZIP },
	{ "application/x-rar", KIND_RAR },
	{ "application/x-7z", KIND_SEVENZIP },
	{ "application/x-gzip", KIND_GZIP },
	{ "application/x-gtar", KIND_TAR },
	{ "application/x-lha", KIND_LHA },
	{ "application/x-lzh", KIND_LHA },
	{ "application/x-bzip", KIND_BZIP2 },
	{ "application/x-cd-image", KIND_ISO },
	{ "application/x-msdownload", KIND_PE },
	{ "application/x-ms-dos-executable", KIND_PE },
	{ "application/x-msdos-program", KIND_PE },
	{ "application/exe", KIND_PE },
	{ "application/x-executable", KIND_ELF },
	{ "application/x-sharedlib", KIND_ELF },
	{ "application/x-java-archive", KIND_JAR },
	{ "application/javascript", KIND_JS },
	{ "application/x-javascript", KIND_JS },
	{ "application/x-sh", KIND_SHELL },
	{ "application/x-php", KIND_PHP },
	{ "application/xml", KIND_XML },
	{ "application/xhtml+xml", KIND_HTML },
	{ "application/x-pdf", KIND_PDF },
	{ "application/excel", KIND_XLS },
	{ "application/vnd.ms-excel.sheet.macroenabled.12", KIND_XLSX },
	{ "application/vnd.ms-excel.sheet.binary.macroenabled.12", KIND_XLSX },
	{ "application/vnd.ms-word.document.macroenabled.12", KIND_DOCX },
	{ "application/vnd.ms-powerpoint.presentation.macroenabled.12", KIND_PPTX },
	{ "application/vnd.oasis.opendocument.spreadsheet", KIND_ODF },
	{ "application/vnd.oasis.opendocument.presentation", KIND_ODF },
	{ "application/msonenote", KIND_ONENOTE },
	{ "application/x-pkcs7-mime", KIND_PKCS7 },
	{ "application/x-pkcs7-signature", KIND_PKCS7_SIGNATURE },
	{ "application/vnd.ms-tnef", KIND_TNEF },
	{ "application/x-iso-image", KIND_ISO },
	{ "application/x-ole-storage", KIND_OLE },
	{ "application/x-bzip-compressed-tar", KIND_BZIP2 },
	{ "image/jpg", KIND_JPEG },
	{ "image/pjpeg", KIND_JPEG },
	{ "image/x-png", KIND_PNG },
	{ "image/x-ms-bmp", KIND_BMP },
	{ "image/x-icon", KIND_ICO },
	{ "image/heif", KIND_HEIF },
	{ "image/avif", KIND_HEIF },
	{ "image/x-emf", KIND_EMF },
	{ "image/x-wmf", KIND_WMF },
	{ "text/rtf", KIND_RTF },
	{ "text/x-vcard", KIND_VCF },
	{ "text/directory", KIND_VCF },
	{ "text/x-python", KIND_PYTHON },
	{ "audio/mp3", KIND_MP3 },
	{ "audio/mp4", KIND_MP4 },
	{ "audio/wav", KIND_WAV },
	{ "video/quicktime", KIND_MP4 },
	{ "video/webm", KIND_MATROSKA },
	{ "video/x-ms-wmv", KIND_ASF },
	{ "font/ttf", KIND_FONT },
	{ "font/otf", KIND_FONT },
	{ "font/woff2", KIND_WOFF },
};

#undef R
#undef B
#undef M

const char *kind_word(enum kind kind)
{
	must(kind < KINDS);
	return kinds[kind].word;
}

enum kind_class kind_class(enum kind kind)
{
	must(kind < KINDS);
	return kinds[kind].class;
}

const char *kind_media(enum kind kind)
{
	must(kind < KINDS);
	return kinds[kind].media;
}

const char *kind_class_word(enum kind_class class)
{
	static const char *const words[KIND_CLASSES] = { "unknown", "text",    "archive", "document", "image",  "sound", "font",
		                                         "program", "script", "markup",  "mail",     "crypto", "data" };

	must(class < KIND_CLASSES);
	return words[class];
}

enum kind kind_of_extension(struct slice extension, unsigned *runs)
{
	uint8_t lower[EXTENSION_MAX];
	size_t  low = 0, high = sizeof extensions / sizeof extensions[0];

	if (runs != NULL)
		*runs = 0;
	if (extension.len == 0 || extension.len > EXTENSION_MAX)
		return KIND_UNKNOWN;
	for (size_t i = 0; i < extension.len; i++)
		lower[i] = byte_lower(extension.ptr[i]);
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int    order = slice_compare(slice_of(lower, extension.len), slice_str(extensions[middle].text));
		if (order == 0) {
			if (runs != NULL)
				*runs = extensions[middle].flags;
			return extensions[middle].kind;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return KIND_UNKNOWN;
}

enum kind kind_of_name(struct slice name, unsigned *runs)
{
	while (slice_last(name) == '.' || slice_last(name) == ' ')
		name.len--;

	const size_t dot = slice_find_last(name, '.');

	return kind_of_extension(slice_drop(name, dot == name.len ? name.len : dot + 1), runs);
}

enum kind kind_of_label(struct slice label)
{
	for (int kind = KIND_TEXT; kind < KINDS; kind++) {
		if (slice_eq_nocase(label, slice_str(kinds[kind].media)))
			return (enum kind)kind;
	}
	for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
		if (slice_eq_nocase(label, slice_str(labels[i].media)))
			return labels[i].kind;
	}
	return KIND_UNKNOWN;
}
