/* Words of scripts, and how much of a text they are. */
#include "document/script.h"

#include "document/ole_text.h"
#include "document/script_encoded.h"

/* Escapes of characters ("\x41", "%41", "Chr(65)") in a text above which nobody wrote it by hand. */
#define ESCAPES_MAX 200u
/* A run of letters, digits, "+", "/" and "=" that long is data. */
#define RUN_MAX 1000u
/* Carets, backticks and the like between the letters of a command. */
#define BREAKS_MAX 40u

static const struct {
	const char      *end;
	enum script_kind kind;
} ends[] = {
	{ ".js", SCRIPT_JSCRIPT },      { ".jse", SCRIPT_JSCRIPT },      { ".mjs", SCRIPT_JSCRIPT },       { ".vbs", SCRIPT_VBSCRIPT },
	{ ".vbe", SCRIPT_VBSCRIPT },    { ".vb", SCRIPT_VBSCRIPT },      { ".wsf", SCRIPT_HOST },          { ".wsh", SCRIPT_HOST },
	{ ".wsc", SCRIPT_HOST },        { ".sct", SCRIPT_HOST },         { ".hta", SCRIPT_HTA },           { ".ps1", SCRIPT_POWERSHELL },
	{ ".psm1", SCRIPT_POWERSHELL }, { ".psd1", SCRIPT_POWERSHELL },  { ".ps1xml", SCRIPT_POWERSHELL }, { ".bat", SCRIPT_BATCH },
	{ ".cmd", SCRIPT_BATCH },       { ".sh", SCRIPT_SHELL },         { ".command", SCRIPT_SHELL },     { ".py", SCRIPT_PYTHON },
	{ ".pyw", SCRIPT_PYTHON },      { ".scpt", SCRIPT_APPLE },       { ".applescript", SCRIPT_APPLE }, { ".reg", SCRIPT_REGISTRY },
	{ ".inf", SCRIPT_REGISTRY },
};

static const char *const kinds[SCRIPT_KINDS] = {
	[SCRIPT_NONE] = "",
	[SCRIPT_JSCRIPT] = "JScript",
	[SCRIPT_VBSCRIPT] = "VBScript",
	[SCRIPT_HOST] = "Windows Script Host",
	[SCRIPT_HTA] = "HTML application",
	[SCRIPT_POWERSHELL] = "PowerShell",
	[SCRIPT_BATCH] = "batch file",
	[SCRIPT_SHELL] = "shell",
	[SCRIPT_PYTHON] = "Python",
	[SCRIPT_APPLE] = "AppleScript",
	[SCRIPT_REGISTRY] = "registry",
};

/* What downloaders and droppers call, in any letters' case. A word and what it is for. */
static const char *const calls[] = {
	/* starting programs */
	"WScript.Shell", "Shell.Application", "ShellExecute", "Win32_Process", "cmd.exe", "cmd /c", "powershell", "pwsh", "mshta",
	"rundll32", "regsvr32", "msiexec", "wmic ", "schtasks", "certutil", "bitsadmin", "installutil", "regasm", "cscript", "wscript.exe",
	"forfiles", "osascript", "Start-Process", "Invoke-Expression", "IEX(", "IEX (", "| iex", "|iex", "os.system", "subprocess.",
	/* fetching */
	"MSXML2.XMLHTTP", "MSXML2.ServerXMLHTTP", "Microsoft.XMLHTTP", "WinHttp.WinHttpRequest", "Net.WebClient", "DownloadString",
	"DownloadFile", "DownloadData", "Invoke-WebRequest", "Invoke-RestMethod", "Start-BitsTransfer", "URLDownloadToFile", "curl ",
	"wget ", "urllib.request",
	/* writing and loading */
	"ADODB.Stream", "Scripting.FileSystemObject", "SaveToFile", "FromBase64String", "Reflection.Assembly", "VirtualAlloc",
	"CreateThread", "Add-Type", "-EncodedCommand", "-enc ", "ExecutionPolicy", "-WindowStyle Hidden", "-w hidden",
	"AmsiUtils", "amsiInitFailed", "Set-MpPreference", "Add-MpPreference", "RegWrite", "CurrentVersion\\Run", "vssadmin", "bcdedit",
	"/dev/tcp/", "base64 -d", "base64 --decode", "new ActiveXObject", "GetObject(\"winmgmts", "eval(", "ExecuteGlobal", "unescape(",
	"String.fromCharCode",
};

#define CALLS (sizeof calls / sizeof calls[0])

enum script_kind script_kind_of(struct slice name, struct slice bytes)
{
	/* Windows drops dots and blanks at the end of a name. */
	while (slice_last(name) == ' ' || slice_last(name) == '.')
		name.len--;
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		if (slice_ends_nocase(name, slice_str(ends[i].end)))
			return ends[i].kind;
	}
	if (slice_starts(bytes, SLICE("#!")))
		return slice_search(slice_take(bytes, 64), SLICE("python")) < slice_take(bytes, 64).len ? SCRIPT_PYTHON : SCRIPT_SHELL;
	if (slice_starts(bytes, SLICE("#@~^")))
		return SCRIPT_VBSCRIPT;
	if (slice_search_nocase(slice_take(bytes, 4096), SLICE("<hta:application")) < slice_take(bytes, 4096).len)
		return SCRIPT_HTA;
	return SCRIPT_NONE;
}

static bool ends_address(uint8_t byte)
{
	return byte <= ' ' || byte == '"' || byte == '\'' || byte == '`' || byte == '<' || byte == '>' || byte == ')' || byte == ';' ||
	       byte == ',' || byte == '|';
}

static enum rc tell_addresses(struct slice text, const struct content_sink *sink)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK) {
		const size_t at = slice_search(text, SLICE("://"));
		size_t       start = at, end = at;
		if (at == text.len)
			return RC_OK;
		while (start > 0 && at - start < 16 && byte_is_alpha(text.ptr[start - 1]))
			start--;
		while (end < text.len && !ends_address(text.ptr[end]))
			end++;
		if (start < at && end > at + 3)
			rc = sink_link(sink, CONTENT_PLACE_SCRIPT, slice_cut(text, start, end - start), slice_of(NULL, 0));
		text = slice_drop(text, end > at ? end : at + 1);
	}
	return rc;
}

/* Signs that a program wrote it, or that it was made unreadable. */
static bool is_obfuscated(struct slice text)
{
	size_t escapes = 0, run = 0, breaks = 0;

	for (size_t i = 0; i < text.len; i++) {
		const uint8_t byte = text.ptr[i];
		const int     next = slice_at(text, i + 1), before = i == 0 ? -1 : text.ptr[i - 1];
		escapes += (byte == '\\' && (next == 'x' || next == 'u')) || (byte == '%' && next >= 0 && byte_is_digit((uint8_t)next)) ||
		           (byte_lower(byte) == 'c' && slice_starts_nocase(slice_drop(text, i), SLICE("chr("))) ||
		           (byte_lower(byte) == 'c' && slice_starts_nocase(slice_drop(text, i), SLICE("chrw(")));
		breaks += (byte == '^' || byte == '`') && before >= 0 && next >= 0 && byte_is_alpha((uint8_t)before) && byte_is_alpha((uint8_t)next);
		run = byte_is_alnum(byte) || byte == '+' || byte == '/' || byte == '=' ? run + 1 : 0;
		if (run >= RUN_MAX || escapes >= ESCAPES_MAX || breaks >= BREAKS_MAX)
			return true;
	}
	return false;
}

/* Each call once, in the order in which they stand. One pass: at each place only words of that first letter are compared. */
static enum rc tell_calls(struct slice text, const struct content_sink *sink)
{
	bool    told[CALLS] = { false }, first[256] = { false };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < CALLS; i++)
		first[byte_lower((uint8_t)calls[i][0])] = true;
	for (size_t at = 0; at < text.len && rc == RC_OK; at++) {
		const uint8_t byte = byte_lower(text.ptr[at]);
		for (size_t i = 0; first[byte] && i < CALLS && rc == RC_OK; i++) {
			if (told[i] || byte_lower((uint8_t)calls[i][0]) != byte ||
			    !slice_starts_nocase(slice_drop(text, at), slice_str(calls[i])))
				continue;
			told[i] = true;
			rc = sink_fact(sink, CONTENT_FACT_SCRIPT_SUSPICIOUS, slice_str(calls[i]));
		}
	}
	return rc;
}

enum rc script_look(struct slice text, struct budget *budget, const struct content_sink *sink)
{
	text = slice_take(text, SCRIPT_BYTES_MAX);
	if (!budget_take(budget, BUDGET_STEPS, text.len * 8))
		return RC_LIMIT;
	enum rc rc = tell_calls(text, sink);
	if (rc == RC_OK && is_obfuscated(text))
		rc = sink_fact(sink, CONTENT_FACT_SCRIPT_OBFUSCATED, slice_of(NULL, 0));
	return rc == RC_OK ? tell_addresses(text, sink) : rc;
}

/* UTF-16 with its mark, or without one where every second byte of the beginning is 0. */
static bool is_wide(struct slice bytes)
{
	if (slice_starts(bytes, SLICE("\xff\xfe")))
		return true;
	return bytes.len >= 8 && bytes.ptr[0] != 0 && bytes.ptr[1] == 0 && bytes.ptr[2] != 0 && bytes.ptr[3] == 0 && bytes.ptr[5] == 0;
}

enum rc script_open(enum script_kind kind, struct slice bytes, struct budget *budget, const struct content_sink *sink)
{
	struct buf   wide = buf_make(SCRIPT_BYTES_MAX * 2), plain = buf_make(SCRIPT_BYTES_MAX * 2);
	struct slice text = slice_take(bytes, SCRIPT_BYTES_MAX);
	enum rc      rc = sink_fact(sink, CONTENT_FACT_SCRIPT_KIND, slice_str(kinds[kind]));
	bool         changed = false;

	if (rc == RC_OK && is_wide(text)) {
		ole_put_utf16(slice_starts(text, SLICE("\xff\xfe")) ? slice_drop(text, 2) : text, &wide);
		text = buf_slice(&wide);
		changed = true;
	}
	if (rc == RC_OK && script_encoded_is(text)) {
		rc = sink_fact(sink, CONTENT_FACT_SCRIPT_ENCODED, slice_of(NULL, 0));
		if (rc == RC_OK)
			rc = script_encoded_decode(text, &plain);
		text = buf_slice(&plain);
		changed = true;
	}
	if (rc == RC_OK && changed && !budget_take(budget, BUDGET_BYTES, text.len))
		rc = RC_LIMIT;
	if (rc == RC_OK && changed)
		rc = sink_member(sink, budget, &(struct content_member){ .bytes = text, .flags = CONTENT_MEMBER_SCRIPT });
	if (rc == RC_OK)
		rc = script_look(text, budget, sink);
	buf_done(&wide);
	buf_done(&plain);
	return rc;
}
