/* Command lines, and the arguments of MAIL and RCPT in them. */
#include "base/must.h"
#include "smtp/command.h"
#include "smtp/parameter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_within(struct slice part, struct slice whole)
{
	return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void read_arguments(struct slice args)
{
	static const unsigned flags[] = { 0, ADDRESS_LONG, ADDRESS_UTF8, ADDRESS_LONG | ADDRESS_UTF8 };
	struct smtp_mail      mail;
	struct smtp_rcpt      rcpt;

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		if (smtp_mail_read(args, ~0u, flags[i], &mail) == SMTP_FAULT_NONE) {
			must(is_within(mail.sender.local, args) && is_within(mail.sender.domain, args));
			must(is_within(mail.envid, args) && is_within(mail.auth, args));
			must(!mail.sender.utf8 || mail.smtputf8);
		}
		if (smtp_rcpt_read(args, ~0u, flags[i], &rcpt) == SMTP_FAULT_NONE) {
			must(rcpt.recipient.local.len != 0 && is_within(rcpt.recipient.local, args));
			must(is_within(rcpt.orcpt, args));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice  whole = { data, size };
	struct slice        input = whole, line;
	struct smtp_command command;

	for (size_t left = size; smtp_command_take(&input, &command) == RC_OK; left = input.len) {
		must(input.len < left && is_within(command.word, whole) && is_within(command.args, whole));
		must(command.verb < SMTP_VERB_COUNT && smtp_verb_word(command.verb) != NULL);
		must(slice_find(command.args, '\r') == command.args.len &&
		     slice_find(command.args, '\n') == command.args.len);
		read_arguments(command.args);
	}
	input = whole;
	while (smtp_line_take(&input, SMTP_COMMAND_LINE_MAX, true, &line) == RC_OK)
		must(slice_find(line, '\0') == line.len && slice_find(line, '\r') == line.len);
	read_arguments(whole);
	return 0;
}
