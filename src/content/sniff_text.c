/*
 * Texts: told by their first words, or by how many words of a language stand in them. UTF-16 is looked at through its
 * ASCII bytes. The words are few and typical; a script that avoids all of them is text to us, and its name tells.
 */
#include "content/sniff.h"

#define CONTROL_SHARE 32u /* one control byte in so many is still a text */
#define HEAD_MAX      2048u

/* ASCII letters in lower case, everything else as it stands; NULs of UTF-16 left out. */
struct view {
	uint8_t      bytes[SNIFF_TEXT_MAX];
	struct slice text; /* of `bytes` */
	struct slice head; /* its first bytes, without leading blanks */
};

static bool is_blank(int byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' || byte == '\f' || byte == '\v';
}

/* -1: no UTF-16. 0 or 1: the index of the byte that holds ASCII in each pair. */
static int utf16_side(struct slice s)
{
	size_t nul[2] = { 0, 0 };

	if (s.len >= 2 && s.ptr[0] == 0xff && s.ptr[1] == 0xfe)
		return 0;
	if (s.len >= 2 && s.ptr[0] == 0xfe && s.ptr[1] == 0xff)
		return 1;
	const size_t count = s.len < 512 ? s.len & ~(size_t)1 : 512;
	for (size_t i = 0; i < count; i++)
		nul[i & 1] += s.ptr[i] == 0;
	if (count < 8)
		return -1;
	if (nul[1] >= count / 2 - count / 16 && nul[0] == 0)
		return 0;
	return nul[0] >= count / 2 - count / 16 && nul[1] == 0 ? 1 : -1;
}

static bool view_make(struct slice s, struct view *out)
{
	const int side = utf16_side(s);
	size_t    size = 0, control = 0, start = 0;

	if (slice_starts(s, SLICE("\xef\xbb\xbf")))
		s = slice_drop(s, 3);
	for (size_t i = side > 0 ? 1 : 0; i < s.len && size < sizeof out->bytes; i += side >= 0 ? 2 : 1) {
		const uint8_t byte = s.ptr[i];
		control += (byte < 0x20 && !is_blank(byte) && byte != 0x1b) || byte == 0x7f;
		out->bytes[size++] = byte_lower(byte);
	}
	if (control * CONTROL_SHARE > size)
		return false;
	out->text = slice_of(out->bytes, size);
	if (side >= 0 && size != 0 && out->bytes[0] >= 0x80)
		start++;
	while (is_blank(slice_at(out->text, start)))
		start++;
	out->head = slice_take(slice_drop(out->text, start), HEAD_MAX);
	return true;
}

static const struct {
	struct slice start;
	enum kind    kind;
} starts[] = {
	{ SLICE_INIT("begin:vcalendar"), KIND_ICS },
	{ SLICE_INIT("begin:vcard"), KIND_VCF },
	{ SLICE_INIT("-----begin pgp message"), KIND_PGP },
	{ SLICE_INIT("-----begin pgp signed"), KIND_PGP },
	{ SLICE_INIT("-----begin pgp signature"), KIND_PGP_SIGNATURE },
	{ SLICE_INIT("-----begin pgp public"), KIND_PGP_KEYS },
	{ SLICE_INIT("-----begin pgp private"), KIND_PGP_KEYS },
	{ SLICE_INIT("-----begin pkcs7"), KIND_PKCS7 },
	{ SLICE_INIT("-----begin cms"), KIND_PKCS7 },
	{ SLICE_INIT("-----begin "), KIND_CERTIFICATE },
	{ SLICE_INIT("(this file must be converted with binhex"), KIND_BINHEX },
	{ SLICE_INIT("{\\rt"), KIND_RTF },
	{ SLICE_INIT("%!ps"), KIND_POSTSCRIPT },
	{ SLICE_INIT("<?php"), KIND_PHP },
	{ SLICE_INIT("<?="), KIND_PHP },
	{ SLICE_INIT("windows registry editor"), KIND_REG },
	{ SLICE_INIT("regedit4"), KIND_REG },
	{ SLICE_INIT("[internetshortcut]"), KIND_URL },
	{ SLICE_INIT("[{000214a0"), KIND_URL },
	{ SLICE_INIT("[desktop entry]"), KIND_URL },
	{ SLICE_INIT("web\r\n1\r\nhttp"), KIND_URL },
	{ SLICE_INIT("web\n1\nhttp"), KIND_URL },
	{ SLICE_INIT("[version]"), KIND_INF },
	{ SLICE_INIT("[autorun]"), KIND_INF },
	{ SLICE_INIT("[shell]"), KIND_INF },
	{ SLICE_INIT("[scriptfile]"), KIND_INF },
	{ SLICE_INIT("#@~^"), KIND_ENCODED_SCRIPT },
	{ SLICE_INIT("#!/usr/bin/osascript"), KIND_APPLESCRIPT },
	{ SLICE_INIT("id;p"), KIND_CSV },
};

static enum kind by_start(struct slice head)
{
	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
		if (slice_starts(head, starts[i].start))
			return starts[i].kind;
	}
	if (slice_starts(head, SLICE("from ")) && slice_search(head, SLICE("\nreceived:")) < head.len)
		return KIND_MBOX;
	return KIND_UNKNOWN;
}

static bool has(struct slice text, struct slice word)
{
	return text.len != 0 && memmem(text.ptr, text.len, word.ptr, word.len) != NULL;
}

/* "#!": the first line names an interpreter. */
static enum kind by_shebang(struct slice head)
{
	static const struct {
		struct slice name;
		enum kind    kind;
	} interpreters[] = {
		{ SLICE_INIT("python"), KIND_PYTHON }, { SLICE_INIT("perl"), KIND_PERL }, { SLICE_INIT("ruby"), KIND_RUBY },
		{ SLICE_INIT("php"), KIND_PHP },       { SLICE_INIT("node"), KIND_JS },   { SLICE_INIT("pwsh"), KIND_PS1 },
		{ SLICE_INIT("powershell"), KIND_PS1 },
	};

	if (!slice_starts(head, SLICE("#!")) || !has(slice_take(head, 256), SLICE("/")))
		return KIND_UNKNOWN;
	const struct slice line = slice_take(head, slice_find(head, '\n'));
	for (size_t i = 0; i < sizeof interpreters / sizeof interpreters[0]; i++) {
		if (has(line, interpreters[i].name))
			return interpreters[i].kind;
	}
	return KIND_SHELL;
}

/* Skips what may stand before the first tag: comments, declarations, blanks. */
static struct slice before_tags_skip(struct slice head)
{
	for (unsigned rounds = 0; rounds < 8; rounds++) {
		size_t blanks = 0;
		while (is_blank(slice_at(head, blanks)))
			blanks++;
		head = slice_drop(head, blanks);
		if (slice_starts(head, SLICE("<!--")))
			head = slice_drop(head, slice_search(head, SLICE("-->")) + 3);
		else if (slice_starts(head, SLICE("<?xml")))
			head = slice_drop(head, slice_search(head, SLICE("?>")) + 2);
		else
			break;
	}
	return head;
}

static enum kind by_markup(const struct view *view)
{
	static const struct slice tags[] = {
		SLICE_INIT("<!doctype html"), SLICE_INIT("<html"),   SLICE_INIT("<head"),   SLICE_INIT("<body"),
		SLICE_INIT("<script"),        SLICE_INIT("<iframe"), SLICE_INIT("<table"),  SLICE_INIT("<meta"),
		SLICE_INIT("<title"),         SLICE_INIT("<style"),  SLICE_INIT("<div"),    SLICE_INIT("<a href"),
		SLICE_INIT("<img"),           SLICE_INIT("<form"),   SLICE_INIT("<center"), SLICE_INIT("<font"),
		SLICE_INIT("<p>"),            SLICE_INIT("<h1"),     SLICE_INIT("<br"),     SLICE_INIT("<object"),
		SLICE_INIT("<embed"),         SLICE_INIT("<base"),   SLICE_INIT("<link"),   SLICE_INIT("<span"),
	};
	const bool         xml = slice_starts(view->head, SLICE("<?xml"));
	const struct slice head = before_tags_skip(view->head);

	if (slice_at(head, 0) != '<' && !xml)
		return KIND_UNKNOWN;
	if (has(view->text, SLICE("<hta:application")))
		return KIND_HTA;
	if (slice_starts(head, SLICE("<scriptlet")) || slice_starts(head, SLICE("<component")) || has(head, SLICE("<?component")))
		return KIND_SCT;
	if (slice_starts(head, SLICE("<job")) || slice_starts(head, SLICE("<package")))
		return has(view->text, SLICE("<script")) ? KIND_WSF : KIND_XML;
	if (slice_starts(head, SLICE("<svg")) || (slice_starts(head, SLICE("<!doctype svg"))) ||
	    (xml && has(head, SLICE("<svg"))))
		return KIND_SVG;
	for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
		if (slice_starts(head, tags[i]))
			return KIND_HTML;
	}
	if (xml && has(head, SLICE("<html")))
		return KIND_HTML;
	return xml ? KIND_XML : KIND_UNKNOWN;
}

/* Lines of "Name: value" from the front, with the fields that messages begin with. */
static enum kind by_header(struct slice head)
{
	static const struct slice fields[] = {
		SLICE_INIT("received:"),     SLICE_INIT("return-path:"), SLICE_INIT("from:"),         SLICE_INIT("to:"),
		SLICE_INIT("subject:"),      SLICE_INIT("date:"),        SLICE_INIT("message-id:"),   SLICE_INIT("mime-version:"),
		SLICE_INIT("content-type:"), SLICE_INIT("delivered-to:"), SLICE_INIT("x-"),           SLICE_INIT("dkim-signature:"),
		SLICE_INIT("reply-to:"),     SLICE_INIT("arc-"),         SLICE_INIT("authentication-results:"),
	};
	unsigned count = 0;
	bool     snapshot = false;

	for (unsigned lines = 0; lines < 40 && head.len != 0; lines++) {
		const struct slice line = slice_until(&head, '\n');
		if (is_blank(slice_at(line, 0)) && slice_trim(line).len != 0)
			continue; /* folded */
		if (slice_trim(line).len == 0 || slice_find(line, ':') == line.len)
			break;
		snapshot |= slice_starts(line, SLICE("snapshot-content-location:")) || has(line, SLICE("saved by "));
		for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
			if (slice_starts(line, fields[i])) {
				count++;
				break;
			}
		}
	}
	if (count < 2)
		return KIND_UNKNOWN;
	return snapshot ? KIND_MHTML : KIND_EML;
}

/* Words of a script language, with the weight each has; SCRIPT_ENOUGH of them together tell it. */
#define SCRIPT_ENOUGH 6u

static const struct word {
	enum kind    kind;
	unsigned     weight;
	struct slice text;
} words[] = {
	/* clang-format off: a table */
	{ KIND_BAT, 6, SLICE_INIT("@echo off") },
	{ KIND_BAT, 3, SLICE_INIT("%~dp0") },
	{ KIND_BAT, 3, SLICE_INIT("%~f0") },
	{ KIND_BAT, 3, SLICE_INIT("goto :") },
	{ KIND_BAT, 3, SLICE_INIT("setlocal") },
	{ KIND_BAT, 3, SLICE_INIT("cmd /c ") },
	{ KIND_BAT, 3, SLICE_INIT("cmd.exe /c") },
	{ KIND_BAT, 3, SLICE_INIT("%temp%") },
	{ KIND_BAT, 3, SLICE_INIT("%appdata%") },
	{ KIND_BAT, 2, SLICE_INIT("\nrem ") },
	{ KIND_BAT, 2, SLICE_INIT("start /") },
	{ KIND_BAT, 2, SLICE_INIT("\nset ") },
	{ KIND_BAT, 2, SLICE_INIT(" >nul") },
	{ KIND_BAT, 2, SLICE_INIT("if exist ") },
	{ KIND_VBS, 4, SLICE_INIT("wscript.shell") },
	{ KIND_VBS, 4, SLICE_INIT("on error resume next") },
	{ KIND_VBS, 3, SLICE_INIT("createobject(") },
	{ KIND_VBS, 3, SLICE_INIT("scripting.filesystemobject") },
	{ KIND_VBS, 3, SLICE_INIT("end sub") },
	{ KIND_VBS, 3, SLICE_INIT("end function") },
	{ KIND_VBS, 3, SLICE_INIT("executeglobal") },
	{ KIND_VBS, 2, SLICE_INIT("wscript.") },
	{ KIND_VBS, 2, SLICE_INIT("end if") },
	{ KIND_VBS, 2, SLICE_INIT("msgbox") },
	{ KIND_VBS, 2, SLICE_INIT("strreverse(") },
	{ KIND_VBS, 2, SLICE_INIT("chr(") },
	{ KIND_VBS, 2, SLICE_INIT("dim ") },
	{ KIND_JS, 4, SLICE_INIT("new activexobject") },
	{ KIND_JS, 3, SLICE_INIT("document.write") },
	{ KIND_JS, 3, SLICE_INIT("string.fromcharcode") },
	{ KIND_JS, 3, SLICE_INIT("addeventlistener(") },
	{ KIND_JS, 3, SLICE_INIT("use strict") },
	{ KIND_JS, 3, SLICE_INIT("function(") },
	{ KIND_JS, 2, SLICE_INIT("function (") },
	{ KIND_JS, 2, SLICE_INIT("unescape(") },
	{ KIND_JS, 2, SLICE_INIT("eval(") },
	{ KIND_JS, 2, SLICE_INIT("window.") },
	{ KIND_JS, 2, SLICE_INIT("document.") },
	{ KIND_JS, 2, SLICE_INIT("return ") },
	{ KIND_JS, 2, SLICE_INIT("var ") },
	{ KIND_JS, 2, SLICE_INIT("const ") },
	{ KIND_JS, 2, SLICE_INIT("let ") },
	{ KIND_JS, 2, SLICE_INIT("=>") },
	{ KIND_JS, 2, SLICE_INIT("require(") },
	{ KIND_JS, 2, SLICE_INIT("wscript.") },
	{ KIND_JS, 1, SLICE_INIT("};") },
	{ KIND_JS, 1, SLICE_INIT(");\n") },
	{ KIND_PS1, 4, SLICE_INIT("invoke-expression") },
	{ KIND_PS1, 4, SLICE_INIT("invoke-webrequest") },
	{ KIND_PS1, 4, SLICE_INIT("frombase64string") },
	{ KIND_PS1, 4, SLICE_INIT("new-object ") },
	{ KIND_PS1, 4, SLICE_INIT("downloadstring(") },
	{ KIND_PS1, 4, SLICE_INIT("start-process") },
	{ KIND_PS1, 3, SLICE_INIT("write-host") },
	{ KIND_PS1, 3, SLICE_INIT("$env:") },
	{ KIND_PS1, 3, SLICE_INIT("[system.") },
	{ KIND_PS1, 3, SLICE_INIT("set-executionpolicy") },
	{ KIND_PS1, 3, SLICE_INIT("add-type ") },
	{ KIND_PS1, 3, SLICE_INIT("get-childitem") },
	{ KIND_PS1, 2, SLICE_INIT("param(") },
	{ KIND_PS1, 2, SLICE_INIT("| iex") },
	{ KIND_PS1, 2, SLICE_INIT("iex ") },
	{ KIND_PS1, 2, SLICE_INIT("iex(") },
	{ KIND_PS1, 2, SLICE_INIT(" -eq ") },
	{ KIND_PYTHON, 3, SLICE_INIT("if __name__ ==") },
	{ KIND_PYTHON, 3, SLICE_INIT("\nimport os") },
	{ KIND_PYTHON, 3, SLICE_INIT("import sys") },
	{ KIND_PYTHON, 3, SLICE_INIT("import base64") },
	{ KIND_PYTHON, 3, SLICE_INIT("import subprocess") },
	{ KIND_PYTHON, 2, SLICE_INIT("\ndef ") },
	{ KIND_PYTHON, 2, SLICE_INIT("):\n") },
	{ KIND_PYTHON, 2, SLICE_INIT("exec(") },
	/* clang-format on */
};

static enum kind by_words(struct slice text)
{
	static const enum kind languages[] = { KIND_BAT, KIND_VBS, KIND_JS, KIND_PS1, KIND_PYTHON };
	unsigned               best = 0;
	enum kind              kind = KIND_UNKNOWN;
	unsigned               sums[KINDS] = { 0 };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (has(text, words[i].text))
			sums[words[i].kind] += words[i].weight;
	}
	for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++) {
		if (sums[languages[i]] > best) {
			best = sums[languages[i]];
			kind = languages[i];
		}
	}
	return best >= SCRIPT_ENOUGH ? kind : KIND_UNKNOWN;
}

enum kind sniff_text(struct slice bytes)
{
	struct view view;
	enum kind   kind;

	if (!view_make(bytes, &view))
		return KIND_UNKNOWN;
	kind = by_start(view.head);
	if (kind == KIND_UNKNOWN)
		kind = by_shebang(view.head);
	if (kind == KIND_UNKNOWN)
		kind = by_markup(&view);
	if (kind == KIND_UNKNOWN)
		kind = by_header(view.head);
	if (kind == KIND_UNKNOWN)
		kind = by_words(view.text);
	if (kind != KIND_UNKNOWN)
		return kind;
	if (slice_at(view.head, 0) == '{' && slice_last(slice_trim(view.text)) == '}' && has(view.head, SLICE("\":")))
		return KIND_JSON;
	return KIND_TEXT;
}
