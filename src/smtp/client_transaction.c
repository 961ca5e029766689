/*
 * One message: [RSET] MAIL RCPT... [DATA] in a pipeline of bounded depth, the body, the final replies. RFC 5321 section
 * 3.3, RFC 2920 section 3.1, RFC 3030 section 2, RFC 2033 section 4.2.
 */
#include "smtp/client_part.h"

#include "base/must.h"

enum command {
	COMMAND_RSET,
	COMMAND_MAIL,
	COMMAND_RCPT,
	COMMAND_DATA,
	COMMAND_NONE,
};

/* Which command is the `index`-th of the transaction? */
static enum command command_at(const struct smtp_client *client, uint32_t index)
{
	const uint32_t first = client->with_reset;
	const size_t   count = client->envelope->count;

	if (index < first)
		return COMMAND_RSET;
	if (index == first)
		return COMMAND_MAIL;
	if (index <= first + count)
		return COMMAND_RCPT;
	if (index == first + count + 1 && !client->envelope->no_data && !client->chunked)
		return COMMAND_DATA;
	return COMMAND_NONE;
}

static size_t recipient_at(const struct smtp_client *client, uint32_t index)
{
	return index - (uint32_t)client->with_reset - 1;
}

static void put_mail(const struct smtp_client *client, struct buf *out)
{
	const struct smtp_client_envelope *e = client->envelope;
	const unsigned                     offered = client->extensions;

	buf_put_str(out, "MAIL FROM:<");
	buf_put(out, e->sender);
	buf_put_byte(out, '>');
	if (offered & SMTP_EXT_SIZE && e->size != 0) {
		buf_put_str(out, " SIZE=");
		buf_put_u64(out, e->size);
	}
	if (offered & SMTP_EXT_8BITMIME && e->eightbit)
		buf_put_str(out, " BODY=8BITMIME");
	if (e->smtputf8)
		buf_put_str(out, " SMTPUTF8");
	if (offered & SMTP_EXT_DSN && e->ret != SMTP_RET_UNSAID)
		buf_put_str(out, e->ret == SMTP_RET_FULL ? " RET=FULL" : " RET=HDRS");
	if (offered & SMTP_EXT_DSN && e->envid.len != 0) {
		buf_put_str(out, " ENVID=");
		buf_put(out, e->envid);
	}
	buf_put_str(out, "\r\n");
}

static void put_notify(unsigned notify, struct buf *out)
{
	const char *between = " NOTIFY=";

	if (notify & SMTP_NOTIFY_NEVER) {
		buf_put_str(out, " NOTIFY=NEVER");
		return;
	}
	if (notify & SMTP_NOTIFY_SUCCESS) {
		buf_put_str(out, between);
		buf_put_str(out, "SUCCESS");
		between = ",";
	}
	if (notify & SMTP_NOTIFY_FAILURE) {
		buf_put_str(out, between);
		buf_put_str(out, "FAILURE");
		between = ",";
	}
	if (notify & SMTP_NOTIFY_DELAY) {
		buf_put_str(out, between);
		buf_put_str(out, "DELAY");
	}
}

static void put_rcpt(const struct smtp_client *client, const struct smtp_client_recipient *recipient, struct buf *out)
{
	buf_put_str(out, "RCPT TO:<");
	buf_put(out, recipient->address);
	buf_put_byte(out, '>');
	if (client->extensions & SMTP_EXT_DSN) {
		put_notify(recipient->notify, out);
		if (recipient->orcpt.len != 0) {
			buf_put_str(out, " ORCPT=");
			buf_put(out, recipient->orcpt);
		}
	}
	buf_put_str(out, "\r\n");
}

/*
 * Write what may be written now. Ahead of replies only where PIPELINING is offered; DATA blindly behind RCPTs whose
 * replies are to come, but not when all of them are known and none was accepted.
 */
static void pump(struct smtp_client *client, struct buf *out)
{
	const bool     ahead = client->config->pipelining && client->extensions & SMTP_EXT_PIPELINING;
	const uint32_t window = ahead ? SMTP_CLIENT_WINDOW : 1;

	while (!client->sender_refused && client->sent - client->answered < window) {
		switch (command_at(client, client->sent)) {
		case COMMAND_RSET:
			buf_put_str(out, "RSET\r\n");
			break;
		case COMMAND_MAIL:
			put_mail(client, out);
			break;
		case COMMAND_RCPT:
			put_rcpt(client, &client->envelope->recipients[recipient_at(client, client->sent)], out);
			break;
		case COMMAND_DATA:
			if (client->sent == client->answered && client->accepted == 0)
				return;
			buf_put_str(out, "DATA\r\n");
			break;
		case COMMAND_NONE:
			return;
		}
		client->sent++;
	}
}

/* The stage is that of the reply awaited. */
static void set_stage(struct smtp_client *client)
{
	switch (command_at(client, client->answered)) {
	case COMMAND_RSET:
		client->stage = SMTP_STAGE_RSET;
		break;
	case COMMAND_MAIL:
		client->stage = SMTP_STAGE_MAIL;
		break;
	case COMMAND_RCPT:
		client->stage = SMTP_STAGE_RCPT;
		break;
	case COMMAND_DATA:
	case COMMAND_NONE:
		client->stage = SMTP_STAGE_DATA;
		break;
	}
}

/* May these bytes stand in a command line? What we were given by others must never become a command of its own. */
static bool is_safe(struct slice s, bool utf8, bool blanks)
{
	for (size_t i = 0; i < s.len; i++) {
		const uint8_t byte = s.ptr[i];
		if (byte < 0x20 || byte == 0x7f || (byte == ' ' && !blanks) || (byte >= 0x80 && !utf8))
			return false;
	}
	return true;
}

static bool is_safe_envelope(const struct smtp_client_envelope *envelope)
{
	const bool utf8 = envelope->smtputf8;

	if (!is_safe(envelope->sender, utf8, true) || !is_safe(envelope->envid, false, false))
		return false;
	for (size_t i = 0; i < envelope->count; i++) {
		const struct smtp_client_recipient *recipient = &envelope->recipients[i];
		if (recipient->address.len == 0 || !is_safe(recipient->address, utf8, true) ||
		    !is_safe(recipient->orcpt, utf8, false))
			return false;
	}
	return true;
}

enum rc smtp_client_start(struct smtp_client *client, const struct smtp_client_envelope *envelope, struct buf *out)
{
	must(envelope->count != 0 && envelope->count <= SMTP_CLIENT_RECIPIENTS_MAX);
	if (!smtp_client_ready(client))
		return RC_CONFLICT;
	if (envelope->smtputf8 && !(client->extensions & SMTP_EXT_SMTPUTF8))
		return RC_UNSUPPORTED;
	if (client->size_max != 0 && envelope->size > client->size_max)
		return RC_LIMIT;
	if (!is_safe_envelope(envelope))
		return RC_SYNTAX;
	client->envelope = envelope;
	client->sent = 0;
	client->answered = 0;
	client->accepted = 0;
	client->result_next = 0;
	client->sender_refused = false;
	client->with_reset = client->reset_needed;
	client->reset_needed = false;
	client->chunked = client->config->chunking && client->extensions & SMTP_EXT_CHUNKING && !envelope->no_data;
	memset(client->is_accepted, 0, sizeof client->is_accepted);
	pump(client, out);
	set_stage(client);
	return RC_OK;
}

static bool is_accepted(const struct smtp_client *client, size_t index)
{
	return client->is_accepted[index / 64] >> (index % 64) & 1;
}

/* "452 4.5.3", or 452 and 552 that say so in words (RFC 5321 section 4.5.3.1.10). */
static bool is_too_many(const struct smtp_reply_read *reply)
{
	if (reply->code != 452 && reply->code != 552)
		return false;
	if (reply->enhanced.class != 0)
		return reply->enhanced.subject == 5 && reply->enhanced.detail == 3;
	return slice_search_nocase(reply->raw, SLICE("too many recipients")) != reply->raw.len;
}

static void on_recipient(struct smtp_answer *answer, size_t index)
{
	struct smtp_client *client = answer->client;
	const bool          accepted = answer->reply->code < 300;

	if (client->sender_refused)
		return;
	if (accepted) {
		client->is_accepted[index / 64] |= (uint64_t)1 << (index % 64);
		client->accepted++;
	}
	smtp_client_tell(answer, SMTP_CLIENT_RECIPIENT);
	answer->event->index = index;
	answer->event->accepted = accepted;
	answer->event->too_many = is_too_many(answer->reply);
}

/* The transaction ends here, after the present event if there is one. */
static void end_transaction(struct smtp_answer *answer, bool reset_needed)
{
	answer->client->reset_needed = reset_needed;
	answer->client->owed = SMTP_CLIENT_DONE;
}

static void on_data(struct smtp_answer *answer)
{
	struct smtp_client *client = answer->client;
	const uint16_t      code = answer->reply->code;

	if (code >= 300 && code < 400) {
		if (client->accepted != 0 && !client->sender_refused) {
			client->stage = SMTP_STAGE_BODY;
			smtp_client_tell(answer, SMTP_CLIENT_BODY);
			return;
		}
		/* RFC 2920 section 3.1: nobody is there to receive it; the data phase is ended at once. */
		buf_put_str(answer->out, ".\r\n");
		client->stage = SMTP_STAGE_FINAL;
		return;
	}
	if (code < 300) {
		smtp_client_break(client, RC_SYNTAX, answer->event);
		return;
	}
	if (client->accepted != 0 && !client->sender_refused) {
		smtp_client_tell(answer, SMTP_CLIENT_RESULT);
		answer->event->index = SMTP_CLIENT_ALL;
	}
	end_transaction(answer, !client->sender_refused);
}

/* Every command sent so far is answered, and no other one follows but perhaps BDAT. */
static void on_commands_answered(struct smtp_answer *answer)
{
	struct smtp_client *client = answer->client;

	if (client->sender_refused || client->accepted == 0 || !client->chunked) {
		end_transaction(answer, !client->sender_refused);
		return;
	}
	buf_put_str(answer->out, "BDAT ");
	buf_put_u64(answer->out, client->envelope->size);
	buf_put_str(answer->out, " LAST\r\n");
	client->stage = SMTP_STAGE_BODY;
	client->owed = SMTP_CLIENT_BODY;
}

void smtp_client_on_transaction(struct smtp_answer *answer)
{
	struct smtp_client *client = answer->client;
	const uint32_t      index = client->answered;
	const enum command  command = command_at(client, index);
	const uint16_t      code = answer->reply->code;

	/* 3xx answers nothing but DATA. */
	if (code >= 300 && code < 400 && command != COMMAND_DATA) {
		smtp_client_break(client, RC_SYNTAX, answer->event);
		return;
	}
	must(client->answered < client->sent);
	client->answered++;
	if (command == COMMAND_DATA) {
		on_data(answer);
		return;
	}
	if (command == COMMAND_MAIL && code >= 400) {
		client->sender_refused = true;
		smtp_client_tell(answer, SMTP_CLIENT_SENDER);
	} else if (command == COMMAND_RCPT) {
		on_recipient(answer, recipient_at(client, index));
	}
	pump(client, answer->out);
	if (client->answered == client->sent)
		on_commands_answered(answer);
	else
		set_stage(client);
}

/* An answer before the body is whole: a refusal ends the session, because what is on its way cannot be called back. */
void smtp_client_on_body(struct smtp_answer *answer)
{
	struct smtp_client *client = answer->client;

	if (answer->reply->code < 400) {
		smtp_client_break(client, RC_SYNTAX, answer->event);
		return;
	}
	smtp_client_tell(answer, SMTP_CLIENT_RESULT);
	answer->event->index = SMTP_CLIENT_ALL;
	client->owed = SMTP_CLIENT_CLOSING;
}

/* LMTP: the reply is for the next accepted recipient. */
static size_t next_result(struct smtp_client *client)
{
	while (client->result_next < client->envelope->count && !is_accepted(client, client->result_next))
		client->result_next++;
	must(client->result_next < client->envelope->count);
	return client->result_next++;
}

void smtp_client_on_final(struct smtp_answer *answer)
{
	struct smtp_client *client = answer->client;
	const uint16_t      code = answer->reply->code;

	if (code >= 300 && code < 400) {
		smtp_client_break(client, RC_SYNTAX, answer->event);
		return;
	}
	/* The answer to a data phase that was opened for nobody. */
	if (client->accepted == 0 || client->sender_refused) {
		end_transaction(answer, false);
		return;
	}
	smtp_client_tell(answer, SMTP_CLIENT_RESULT);
	answer->event->accepted = code < 300;
	answer->event->index = client->config->lmtp ? next_result(client) : SMTP_CLIENT_ALL;
	if (!client->config->lmtp || --client->accepted == 0)
		end_transaction(answer, client->chunked && code >= 400);
}
