/* Arguments of MAIL and RCPT, by a table of parameters. */
#include "smtp/parameter.h"

#include "base/must.h"
#include "base/num.h"

enum key { KEY_SIZE, KEY_BODY, KEY_SMTPUTF8, KEY_RET, KEY_ENVID, KEY_AUTH, KEY_NOTIFY, KEY_ORCPT, KEY_COUNT };

struct known {
	const char *word;
	bool        of_mail;   /* of MAIL, or of RCPT */
	unsigned    extension; /* that has to be offered */
	bool        valued;    /* "=value" follows */
};

/* clang-format off */
static const struct known knowns[KEY_COUNT] = {
	/*                  word        MAIL   extension          value   Source */
	[KEY_SIZE] =     { "SIZE",     true,  SMTP_EXT_SIZE,     true  }, /* RFC 1870 section 3 */
	[KEY_BODY] =     { "BODY",     true,  SMTP_EXT_8BITMIME, true  }, /* RFC 6152 section 2 */
	[KEY_SMTPUTF8] = { "SMTPUTF8", true,  SMTP_EXT_SMTPUTF8, false }, /* RFC 6531 section 3.4 */
	[KEY_RET] =      { "RET",      true,  SMTP_EXT_DSN,      true  }, /* RFC 3461 section 4.3 */
	[KEY_ENVID] =    { "ENVID",    true,  SMTP_EXT_DSN,      true  }, /* RFC 3461 section 4.4 */
	[KEY_AUTH] =     { "AUTH",     true,  SMTP_EXT_AUTH,     true  }, /* RFC 4954 section 5 */
	[KEY_NOTIFY] =   { "NOTIFY",   false, SMTP_EXT_DSN,      true  }, /* RFC 3461 section 4.1 */
	[KEY_ORCPT] =    { "ORCPT",    false, SMTP_EXT_DSN,      true  }, /* RFC 3461 section 4.2 */
};
/* clang-format on */

/* Longest path and source route, and parameters; the command line's own bound is the sum of all. */
#define SIZE_PARAMETER_MAX ((uint64_t)1 << 62)

struct wanted {
	bool              mail;
	unsigned          extensions;
	unsigned          given; /* a bit for each key seen */
	struct smtp_mail *to_mail;
	struct smtp_rcpt *to_rcpt;
};

static bool is_hex(int byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'F') || (byte >= 'a' && byte <= 'f');
}

/*
 * RFC 3461 section 4: "!" to "~" without "+" and "=", and "+XX". Lower-case digits are borne with. `wide`: UTF-8 may
 * stand (RFC 6533 section 3).
 */
static bool is_xtext(struct slice s, bool wide)
{
	for (size_t i = 0; i < s.len; i++) {
		const uint8_t byte = s.ptr[i];
		if (byte == '+') {
			if (!is_hex(slice_at(s, i + 1)) || !is_hex(slice_at(s, i + 2)))
				return false;
			i += 2;
		} else if (byte >= 0x80 ? !wide : byte < '!' || byte > '~' || byte == '=') {
			return false;
		}
	}
	return true;
}

static bool set_body(struct slice value, struct smtp_mail *mail)
{
	if (slice_eq_nocase(value, SLICE("7BIT")))
		mail->body = SMTP_BODY_7BIT;
	else if (slice_eq_nocase(value, SLICE("8BITMIME")))
		mail->body = SMTP_BODY_8BITMIME;
	return mail->body != SMTP_BODY_UNSAID;
}

static bool set_ret(struct slice value, struct smtp_mail *mail)
{
	if (slice_eq_nocase(value, SLICE("FULL")))
		mail->ret = SMTP_RET_FULL;
	else if (slice_eq_nocase(value, SLICE("HDRS")))
		mail->ret = SMTP_RET_HDRS;
	return mail->ret != SMTP_RET_UNSAID;
}

/* "NEVER", or a list of the others. */
static bool set_notify(struct slice value, struct smtp_rcpt *rcpt)
{
	static const struct {
		const char *word;
		unsigned    bit;
	} words[] = {
		{ "NEVER", SMTP_NOTIFY_NEVER },
		{ "SUCCESS", SMTP_NOTIFY_SUCCESS },
		{ "FAILURE", SMTP_NOTIFY_FAILURE },
		{ "DELAY", SMTP_NOTIFY_DELAY },
	};
	unsigned notify = 0;

	for (bool more = true; more;) {
		more = slice_find(value, ',') != value.len;
		const struct slice word = slice_until(&value, ',');
		unsigned           bit = 0;
		for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
			if (slice_eq_nocase(word, slice_str(words[i].word)))
				bit = words[i].bit;
		}
		if (bit == 0)
			return false;
		notify |= bit;
	}
	if (notify & SMTP_NOTIFY_NEVER && notify != SMTP_NOTIFY_NEVER)
		return false;
	rcpt->notify = notify;
	return true;
}

/* "addr-type;xtext". */
static bool set_orcpt(struct slice value, struct smtp_rcpt *rcpt)
{
	const size_t at = slice_find(value, ';');
	const bool   utf8 = slice_eq_nocase(slice_take(value, at), SLICE("utf-8"));

	if (value.len > SMTP_ORCPT_MAX || at == 0 || at + 1 >= value.len)
		return false;
	for (size_t i = 0; i < at; i++) {
		if (!byte_is_alnum(value.ptr[i]) && value.ptr[i] != '-')
			return false;
	}
	/* RFC 6533 section 3 writes "\x{HEX}" and, with SMTPUTF8, plain UTF-8: both hold "=" nowhere. */
	if (!is_xtext(slice_drop(value, at + 1), utf8))
		return false;
	rcpt->orcpt = value;
	return true;
}

static bool set_value(enum key key, struct slice value, const struct wanted *wanted)
{
	struct smtp_mail *mail = wanted->to_mail;

	/* The key is one of this command. */
	must(mail != NULL || key == KEY_NOTIFY || key == KEY_ORCPT);
	must(wanted->to_rcpt != NULL || (key != KEY_NOTIFY && key != KEY_ORCPT));
	switch (key) {
	case KEY_SIZE:
		return value.len <= 20 && num_u64(value, SIZE_PARAMETER_MAX, &mail->size) == RC_OK;
	case KEY_BODY:
		return set_body(value, mail);
	case KEY_SMTPUTF8:
		mail->smtputf8 = true;
		return true;
	case KEY_RET:
		return set_ret(value, mail);
	case KEY_ENVID:
		mail->envid = value;
		return value.len != 0 && value.len <= SMTP_ENVID_MAX && is_xtext(value, false);
	case KEY_AUTH:
		mail->auth = value;
		return value.len != 0 && is_xtext(value, false);
	case KEY_NOTIFY:
		return set_notify(value, wanted->to_rcpt);
	case KEY_ORCPT:
		return set_orcpt(value, wanted->to_rcpt);
	case KEY_COUNT:
		break;
	}
	return false;
}

static enum smtp_fault read_one(struct slice word, struct wanted *wanted)
{
	const size_t       at = slice_find(word, '=');
	const struct slice name = slice_take(word, at);

	for (unsigned key = 0; key < KEY_COUNT; key++) {
		const struct known *known = &knowns[key];
		if (known->of_mail != wanted->mail || !(wanted->extensions & known->extension) ||
		    !slice_eq_nocase(name, slice_str(known->word)))
			continue;
		if (wanted->given & 1u << key)
			return SMTP_FAULT_TWICE;
		wanted->given |= 1u << key;
		if (known->valued != (at != word.len) || !set_value((enum key)key, slice_drop(word, at + 1), wanted))
			return SMTP_FAULT_VALUE;
		return SMTP_FAULT_NONE;
	}
	return SMTP_FAULT_UNKNOWN;
}

/* Parameters stand one blank apart; several blanks and blanks at the end are borne with. */
static enum smtp_fault read_parameters(struct slice rest, struct wanted *wanted)
{
	if (rest.len != 0 && !byte_is_wsp(rest.ptr[0]))
		return SMTP_FAULT_ADDRESS;
	while (rest.len != 0) {
		size_t end = 0;

		while (end < rest.len && !byte_is_wsp(rest.ptr[end]))
			end++;
		const struct slice word = slice_take(rest, end);
		rest = slice_drop(rest, end == 0 ? 1 : end);
		if (word.len == 0)
			continue;
		const enum smtp_fault fault = read_one(word, wanted);
		if (fault != SMTP_FAULT_NONE)
			return fault;
	}
	return SMTP_FAULT_NONE;
}

/*
 * "FROM:" or "TO:" and a path. Blanks behind the colon are no part of the grammar, but printers and scripts write them.
 * The path is read with UTF-8 allowed; whether it was is judged when the parameters are known.
 */
static enum smtp_fault take_path(struct slice *args, struct slice keyword, unsigned flags, struct address *out)
{
	if (!slice_starts_nocase(*args, keyword))
		return SMTP_FAULT_FORM;
	struct slice rest = slice_drop(*args, keyword.len);
	while (rest.len != 0 && byte_is_wsp(rest.ptr[0]))
		rest = slice_drop(rest, 1);
	if (rest.len == 0)
		return SMTP_FAULT_FORM;
	const enum rc rc = address_path_take(&rest, flags | ADDRESS_UTF8 | ADDRESS_BARE, out);
	if (rc != RC_OK)
		return rc == RC_LIMIT ? SMTP_FAULT_LONG : SMTP_FAULT_ADDRESS;
	*args = rest;
	return SMTP_FAULT_NONE;
}

enum smtp_fault smtp_mail_read(struct slice args, unsigned extensions, unsigned address_flags, struct smtp_mail *out)
{
	struct smtp_mail mail = { .size = 0 };
	struct wanted    wanted = { .mail = true, .extensions = extensions, .to_mail = &mail };
	const unsigned   flags = (address_flags & ADDRESS_LONG) | ADDRESS_NULL;
	enum smtp_fault  fault = take_path(&args, SLICE("FROM:"), flags, &mail.sender);

	if (fault == SMTP_FAULT_NONE)
		fault = read_parameters(args, &wanted);
	if (fault == SMTP_FAULT_NONE && mail.sender.utf8 && !mail.smtputf8)
		fault = SMTP_FAULT_UTF8;
	if (fault == SMTP_FAULT_NONE)
		*out = mail;
	return fault;
}

enum smtp_fault smtp_rcpt_read(struct slice args, unsigned extensions, unsigned address_flags, struct smtp_rcpt *out)
{
	struct smtp_rcpt rcpt = { .notify = SMTP_NOTIFY_UNSAID };
	struct wanted    wanted = { .extensions = extensions, .to_rcpt = &rcpt };
	const unsigned   flags = (address_flags & ADDRESS_LONG) | ADDRESS_POSTMASTER;
	enum smtp_fault  fault = take_path(&args, SLICE("TO:"), flags, &rcpt.recipient);

	if (fault == SMTP_FAULT_NONE)
		fault = read_parameters(args, &wanted);
	if (fault == SMTP_FAULT_NONE && rcpt.recipient.utf8 && !(address_flags & ADDRESS_UTF8))
		fault = SMTP_FAULT_UTF8;
	if (fault == SMTP_FAULT_NONE)
		*out = rcpt;
	return fault;
}
