/* Lines and verbs. */
#include "smtp/command.h"

static const char *const words[SMTP_VERB_COUNT] = {
	[SMTP_VERB_UNKNOWN] = "unknown", [SMTP_VERB_HELO] = "HELO",       [SMTP_VERB_EHLO] = "EHLO",
	[SMTP_VERB_LHLO] = "LHLO",       [SMTP_VERB_MAIL] = "MAIL",       [SMTP_VERB_RCPT] = "RCPT",
	[SMTP_VERB_DATA] = "DATA",       [SMTP_VERB_BDAT] = "BDAT",       [SMTP_VERB_RSET] = "RSET",
	[SMTP_VERB_NOOP] = "NOOP",       [SMTP_VERB_QUIT] = "QUIT",       [SMTP_VERB_VRFY] = "VRFY",
	[SMTP_VERB_EXPN] = "EXPN",       [SMTP_VERB_HELP] = "HELP",       [SMTP_VERB_STARTTLS] = "STARTTLS",
	[SMTP_VERB_AUTH] = "AUTH",       [SMTP_VERB_XCLIENT] = "XCLIENT", [SMTP_VERB_FOREIGN] = "foreign",
};

/* Verbs of HTTP: a browser or a server-side request made to speak to us. */
static const char *const foreign[] = { "GET",     "HEAD",    "POST",  "PUT",   "DELETE",
	                               "CONNECT", "OPTIONS", "PATCH", "TRACE", "PRI" };

/*
 * The bytes in front of the LF are searched even when it has not come yet, so that a wrong line is refused at its wrong
 * byte.
 */
enum rc smtp_line_take(struct slice *input, size_t max, bool lf_ends, struct slice *out)
{
	const struct slice window = slice_take(*input, max);
	const size_t       lf = slice_find(window, '\n');
	struct slice       line = slice_take(window, lf);
	const bool         ended = lf != window.len;
	bool               cr = slice_last(line) == '\r';

	if (cr)
		line = slice_take(line, line.len - 1);
	if (slice_find(line, '\r') != line.len || slice_find(line, '\0') != line.len)
		return RC_SYNTAX;
	if (!ended)
		return input->len >= max ? RC_LIMIT : RC_AGAIN;
	if (!cr && !lf_ends)
		return RC_SYNTAX;
	*input = slice_drop(*input, lf + 1);
	*out = line;
	return RC_OK;
}

static bool is_foreign(struct slice word)
{
	/* A header field of HTTP is a name with a colon; no SMTP verb has one. */
	if (word.len > 1 && slice_last(word) == ':')
		return true;
	for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
		if (slice_eq(word, slice_str(foreign[i])))
			return true;
	}
	return false;
}

struct smtp_command smtp_command_read(struct slice line)
{
	struct smtp_command command = { .verb = SMTP_VERB_UNKNOWN };
	size_t              end = 0;

	while (end < line.len && !byte_is_wsp(line.ptr[end]))
		end++;
	command.word = slice_take(line, end);
	command.args = slice_trim(slice_drop(line, end));
	for (unsigned verb = SMTP_VERB_UNKNOWN + 1; verb < SMTP_VERB_FOREIGN; verb++) {
		if (slice_eq_nocase(command.word, slice_str(words[verb]))) {
			command.verb = (enum smtp_verb)verb;
			return command;
		}
	}
	if (is_foreign(command.word))
		command.verb = SMTP_VERB_FOREIGN;
	return command;
}

enum rc smtp_command_take(struct slice *input, struct smtp_command *out)
{
	struct slice  line;
	const enum rc rc = smtp_line_take(input, SMTP_COMMAND_LINE_MAX, false, &line);

	if (rc == RC_OK)
		*out = smtp_command_read(line);
	return rc;
}

const char *smtp_verb_word(enum smtp_verb verb)
{
	return verb < SMTP_VERB_COUNT ? words[verb] : words[SMTP_VERB_UNKNOWN];
}
