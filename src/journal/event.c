/* Event payloads to bytes and back. Field order here is the format; docs/formats/journal.md names each field in this order. */
#include "journal/event.h"

#include "base/cursor.h"

/* Crockford's alphabet: no I, L, O, U. */
static const char id_alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void event_id_put(struct buf *out, uint64_t id)
{
	for (unsigned at = EVENT_ID_TEXT; at != 0; at--)
		buf_put_byte(out, (uint8_t)id_alphabet[id >> (5 * (at - 1)) & 31]);
}

enum rc event_id_read(struct slice text, uint64_t *out)
{
	uint64_t id = 0;

	if (text.len != EVENT_ID_TEXT)
		return RC_SYNTAX;
	for (size_t i = 0; i < text.len; i++) {
		uint64_t digit = 0;
		while (digit < 32 && byte_lower((uint8_t)id_alphabet[digit]) != byte_lower(text.ptr[i]))
			digit++;
		if (digit == 32 || id >> 59 != 0)
			return RC_SYNTAX;
		id = id << 5 | digit;
	}
	*out = id;
	return RC_OK;
}

/* A short text; more than EVENT_TEXT_MAX is our own mistake upstream and is cut rather than refused. */
static void put_text(struct buf *out, struct slice text)
{
	cursor_put_block(out, slice_take(text, EVENT_TEXT_MAX));
}

static struct slice read_text(struct cursor *c)
{
	return cursor_block(c, EVENT_TEXT_MAX);
}

static void put_digest(struct buf *out, const struct digest *digest)
{
	buf_put(out, slice_of(digest->bytes, DIGEST_SIZE));
}

static void read_digest(struct cursor *c, struct digest *out)
{
	const struct slice bytes = cursor_bytes(c, DIGEST_SIZE);

	if (bytes.len == DIGEST_SIZE)
		memcpy(out->bytes, bytes.ptr, DIGEST_SIZE);
}

/* A byte that must be below `count`. */
static uint32_t read_word(struct cursor *c, uint32_t count)
{
	const uint32_t word = cursor_u8(c);

	if (word >= count)
		c->failed = true;
	return c->failed ? 0 : word;
}

static uint32_t read_count(struct cursor *c, uint32_t least, uint32_t most)
{
	const uint32_t count = cursor_u32(c);

	if (count < least || count > most)
		c->failed = true;
	return c->failed ? 0 : count;
}

/* RC_OK and a cursor behind the version byte. */
static enum rc open_payload(struct slice payload, struct cursor *c)
{
	*c = cursor_on(payload);
	const uint8_t version = cursor_u8(c);
	if (c->failed)
		return RC_SYNTAX;
	return version == EVENT_VERSION ? RC_OK : RC_UNSUPPORTED;
}

static enum rc close_payload(const struct cursor *c)
{
	return cursor_ended(c) ? RC_OK : RC_SYNTAX;
}

static void put_session_facts(struct buf *out, const struct event_message *message)
{
	put_text(out, message->listener);
	put_text(out, message->peer);
	cursor_put_u16(out, message->peer_port);
	put_text(out, message->peer_name);
	put_text(out, message->helo);
	put_text(out, message->tls);
	put_text(out, message->account);
}

static void put_judgement(struct buf *out, const struct event_message *message)
{
	put_text(out, message->subject);
	put_text(out, message->author);
	put_text(out, message->message_id);
	cursor_put_u32(out, message->verdict_class);
	cursor_put_u32(out, (uint32_t)message->score);
	put_text(out, message->verdict);
	put_text(out, message->verdict_reason);
	put_digest(out, &message->engine);
	put_digest(out, &message->settings);
	cursor_put_block(out, message->findings);
	cursor_put_block(out, message->prefix);
}

void event_message_put(struct buf *out, const struct event_message *message)
{
	cursor_put_u8(out, EVENT_VERSION);
	cursor_put_u64(out, message->id);
	cursor_put_u64(out, message->session);
	cursor_put_u64(out, message->parent);
	cursor_put_u64(out, (uint64_t)message->received_ms);
	cursor_put_u8(out, (uint8_t)message->origin);
	cursor_put_u8(out, (uint8_t)message->direction);
	cursor_put_u32(out, message->flags);
	put_session_facts(out, message);
	put_text(out, message->sender);
	put_text(out, message->envelope_id);
	cursor_put_u64(out, message->body_size);
	cursor_put_u32(out, message->header_size);
	put_digest(out, &message->body_digest);
	put_judgement(out, message);
	cursor_put_u32(out, (uint32_t)message->cut_count);
	for (size_t i = 0; i < message->cut_count; i++) {
		cursor_put_u32(out, message->cuts[i].offset);
		cursor_put_u32(out, message->cuts[i].size);
	}
	cursor_put_u32(out, (uint32_t)message->recipient_count);
	for (size_t i = 0; i < message->recipient_count; i++) {
		const struct event_recipient *recipient = &message->recipients[i];
		put_text(out, recipient->address);
		put_text(out, recipient->original);
		cursor_put_u8(out, (uint8_t)recipient->notify);
		cursor_put_u8(out, (uint8_t)recipient->disposition);
		put_text(out, recipient->reason);
	}
}

static void read_session_facts(struct cursor *c, struct event_message *message)
{
	message->listener = read_text(c);
	message->peer = read_text(c);
	message->peer_port = cursor_u16(c);
	message->peer_name = read_text(c);
	message->helo = read_text(c);
	message->tls = read_text(c);
	message->account = read_text(c);
}

static void read_judgement(struct cursor *c, struct event_message *message)
{
	message->subject = read_text(c);
	message->author = read_text(c);
	message->message_id = read_text(c);
	message->verdict_class = cursor_u32(c);
	message->score = (int32_t)cursor_u32(c);
	message->verdict = read_text(c);
	message->verdict_reason = read_text(c);
	read_digest(c, &message->engine);
	read_digest(c, &message->settings);
	message->findings = cursor_block(c, EVENT_FINDINGS_MAX);
	message->prefix = cursor_block(c, EVENT_PREFIX_MAX);
}

/* Cuts rise, do not touch the body and do not overlap: who sends the message on relies on it. */
static enum rc read_cuts(struct cursor *c, struct arena *arena, struct event_message *message)
{
	const uint32_t    count = read_count(c, 0, EVENT_CUTS_MAX);
	struct event_cut *cuts = count == 0 ? NULL : arena_take(arena, count, sizeof *cuts);
	uint64_t          end = 0;

	if (count != 0 && cuts == NULL)
		return RC_NOMEM;
	for (uint32_t i = 0; i < count; i++) {
		cuts[i].offset = cursor_u32(c);
		cuts[i].size = cursor_u32(c);
		if (cuts[i].offset < end || (uint64_t)cuts[i].offset + cuts[i].size > message->header_size)
			c->failed = true;
		end = (uint64_t)cuts[i].offset + cuts[i].size;
	}
	message->cuts = cuts;
	message->cut_count = count;
	return RC_OK;
}

static enum rc read_recipients(struct cursor *c, struct arena *arena, struct event_message *message)
{
	const uint32_t          count = read_count(c, 1, EVENT_RECIPIENTS_MAX);
	struct event_recipient *recipients = count == 0 ? NULL : arena_take(arena, count, sizeof *recipients);

	if (count != 0 && recipients == NULL)
		return RC_NOMEM;
	for (uint32_t i = 0; i < count && !c->failed; i++) {
		recipients[i].address = read_text(c);
		recipients[i].original = read_text(c);
		recipients[i].notify = cursor_u8(c);
		recipients[i].disposition = (enum event_disposition)read_word(c, DISPOSITION_COUNT);
		recipients[i].reason = read_text(c);
	}
	message->recipients = recipients;
	message->recipient_count = count;
	return RC_OK;
}

enum rc event_message_read(struct slice payload, struct arena *arena, struct event_message *out)
{
	struct event_message message = { .id = 0 };
	struct cursor        c;
	enum rc              rc = open_payload(payload, &c);

	if (rc != RC_OK)
		return rc;
	message.id = cursor_u64(&c);
	message.session = cursor_u64(&c);
	message.parent = cursor_u64(&c);
	message.received_ms = (int64_t)cursor_u64(&c);
	message.origin = (enum event_origin)read_word(&c, ORIGIN_COUNT);
	message.direction = (enum direction)read_word(&c, DIRECTION_COUNT);
	message.flags = cursor_u32(&c);
	read_session_facts(&c, &message);
	message.sender = read_text(&c);
	message.envelope_id = read_text(&c);
	message.body_size = cursor_u64(&c);
	message.header_size = cursor_u32(&c);
	if (message.header_size > message.body_size)
		c.failed = true;
	read_digest(&c, &message.body_digest);
	read_judgement(&c, &message);
	rc = read_cuts(&c, arena, &message);
	if (rc == RC_OK)
		rc = read_recipients(&c, arena, &message);
	if (rc == RC_OK)
		rc = close_payload(&c);
	if (rc == RC_OK)
		*out = message;
	return rc;
}

void event_outcome_put(struct buf *out, const struct event_outcome *outcome)
{
	cursor_put_u8(out, EVENT_VERSION);
	cursor_put_u64(out, outcome->message);
	cursor_put_u64(out, (uint64_t)outcome->at_ms);
	cursor_put_u32(out, outcome->attempt);
	put_text(out, outcome->destination);
	put_text(out, outcome->host);
	put_text(out, outcome->address);
	put_text(out, outcome->tls);
	cursor_put_u64(out, outcome->notice);
	cursor_put_u32(out, (uint32_t)outcome->result_count);
	for (size_t i = 0; i < outcome->result_count; i++) {
		const struct event_recipient_result *result = &outcome->results[i];
		cursor_put_u32(out, result->recipient);
		cursor_put_u8(out, (uint8_t)result->result);
		cursor_put_u16(out, (uint16_t)result->code);
		put_text(out, result->enhanced);
		put_text(out, result->text);
		cursor_put_u64(out, (uint64_t)result->next_ms);
	}
}

enum rc event_outcome_read(struct slice payload, struct arena *arena, struct event_outcome *out)
{
	struct event_outcome outcome = { .message = 0 };
	struct cursor        c;
	const enum rc        rc = open_payload(payload, &c);

	if (rc != RC_OK)
		return rc;
	outcome.message = cursor_u64(&c);
	outcome.at_ms = (int64_t)cursor_u64(&c);
	outcome.attempt = cursor_u32(&c);
	outcome.destination = read_text(&c);
	outcome.host = read_text(&c);
	outcome.address = read_text(&c);
	outcome.tls = read_text(&c);
	outcome.notice = cursor_u64(&c);
	const uint32_t                 count = read_count(&c, 1, EVENT_RECIPIENTS_MAX);
	struct event_recipient_result *results = count == 0 ? NULL : arena_take(arena, count, sizeof *results);
	if (count != 0 && results == NULL)
		return RC_NOMEM;
	for (uint32_t i = 0; i < count && !c.failed; i++) {
		results[i].recipient = cursor_u32(&c);
		results[i].result = (enum event_result)read_word(&c, RESULT_COUNT);
		results[i].code = cursor_u16(&c);
		results[i].enhanced = read_text(&c);
		results[i].text = read_text(&c);
		results[i].next_ms = (int64_t)cursor_u64(&c);
		if (results[i].recipient >= EVENT_RECIPIENTS_MAX)
			c.failed = true;
	}
	outcome.results = results;
	outcome.result_count = count;
	if (close_payload(&c) != RC_OK)
		return RC_SYNTAX;
	*out = outcome;
	return RC_OK;
}

void event_refused_put(struct buf *out, const struct event_refused *refused)
{
	cursor_put_u8(out, EVENT_VERSION);
	cursor_put_u64(out, refused->session);
	cursor_put_u64(out, (uint64_t)refused->at_ms);
	cursor_put_u8(out, (uint8_t)refused->stage);
	put_text(out, refused->listener);
	put_text(out, refused->peer);
	put_text(out, refused->helo);
	put_text(out, refused->sender);
	put_text(out, refused->recipient);
	cursor_put_u16(out, (uint16_t)refused->code);
	put_text(out, refused->enhanced);
	put_text(out, refused->text);
	put_text(out, refused->reason);
	cursor_put_u64(out, refused->message);
	cursor_put_u64(out, refused->size);
}

enum rc event_refused_read(struct slice payload, struct event_refused *out)
{
	struct event_refused refused = { .session = 0 };
	struct cursor        c;
	const enum rc        rc = open_payload(payload, &c);

	if (rc != RC_OK)
		return rc;
	refused.session = cursor_u64(&c);
	refused.at_ms = (int64_t)cursor_u64(&c);
	refused.stage = (enum event_stage)read_word(&c, STAGE_COUNT);
	refused.listener = read_text(&c);
	refused.peer = read_text(&c);
	refused.helo = read_text(&c);
	refused.sender = read_text(&c);
	refused.recipient = read_text(&c);
	refused.code = cursor_u16(&c);
	refused.enhanced = read_text(&c);
	refused.text = read_text(&c);
	refused.reason = read_text(&c);
	refused.message = cursor_u64(&c);
	refused.size = cursor_u64(&c);
	if (close_payload(&c) != RC_OK)
		return RC_SYNTAX;
	*out = refused;
	return RC_OK;
}

void event_act_put(struct buf *out, const struct event_act *act)
{
	cursor_put_u8(out, EVENT_VERSION);
	cursor_put_u64(out, act->message);
	cursor_put_u64(out, (uint64_t)act->at_ms);
	cursor_put_u8(out, (uint8_t)act->verb);
	cursor_put_u32(out, act->recipient);
	put_text(out, act->who);
	put_text(out, act->reason);
	put_text(out, act->argument);
	cursor_put_u64(out, act->notice);
}

enum rc event_act_read(struct slice payload, struct event_act *out)
{
	struct event_act act = { .message = 0 };
	struct cursor    c;
	const enum rc    rc = open_payload(payload, &c);

	if (rc != RC_OK)
		return rc;
	act.message = cursor_u64(&c);
	act.at_ms = (int64_t)cursor_u64(&c);
	act.verb = (enum event_verb)read_word(&c, VERB_COUNT);
	act.recipient = cursor_u32(&c);
	act.who = read_text(&c);
	act.reason = read_text(&c);
	act.argument = read_text(&c);
	act.notice = cursor_u64(&c);
	if (close_payload(&c) != RC_OK)
		return RC_SYNTAX;
	*out = act;
	return RC_OK;
}

void event_session_put(struct buf *out, const struct event_session *session)
{
	cursor_put_u8(out, EVENT_VERSION);
	cursor_put_u64(out, session->session);
	cursor_put_u64(out, (uint64_t)session->opened_ms);
	cursor_put_u64(out, (uint64_t)session->closed_ms);
	put_text(out, session->listener);
	put_text(out, session->peer);
	cursor_put_u16(out, session->peer_port);
	put_text(out, session->peer_name);
	put_text(out, session->helo);
	put_text(out, session->tls);
	put_text(out, session->account);
	cursor_put_u32(out, session->messages);
	cursor_put_u32(out, session->refused);
	cursor_put_u64(out, session->bytes);
	put_text(out, session->end);
}

enum rc event_session_read(struct slice payload, struct event_session *out)
{
	struct event_session session = { .session = 0 };
	struct cursor        c;
	const enum rc        rc = open_payload(payload, &c);

	if (rc != RC_OK)
		return rc;
	session.session = cursor_u64(&c);
	session.opened_ms = (int64_t)cursor_u64(&c);
	session.closed_ms = (int64_t)cursor_u64(&c);
	session.listener = read_text(&c);
	session.peer = read_text(&c);
	session.peer_port = cursor_u16(&c);
	session.peer_name = read_text(&c);
	session.helo = read_text(&c);
	session.tls = read_text(&c);
	session.account = read_text(&c);
	session.messages = cursor_u32(&c);
	session.refused = cursor_u32(&c);
	session.bytes = cursor_u64(&c);
	session.end = read_text(&c);
	if (close_payload(&c) != RC_OK)
		return RC_SYNTAX;
	*out = session;
	return RC_OK;
}

void event_certificate_put(struct buf *out, const struct event_certificate *certificate)
{
	cursor_put_u8(out, EVENT_VERSION);
	cursor_put_u64(out, certificate->session);
	cursor_put_u64(out, (uint64_t)certificate->at_ms);
	put_text(out, certificate->listener);
	put_text(out, certificate->peer);
	put_text(out, certificate->subject);
	put_text(out, certificate->issuer);
	put_digest(out, &certificate->fingerprint);
	cursor_put_u8(out, certificate->verified);
	cursor_put_u8(out, certificate->ours);
	put_text(out, certificate->why);
}

enum rc event_certificate_read(struct slice payload, struct event_certificate *out)
{
	struct event_certificate certificate = { .session = 0 };
	struct cursor            c;
	const enum rc            rc = open_payload(payload, &c);

	if (rc != RC_OK)
		return rc;
	certificate.session = cursor_u64(&c);
	certificate.at_ms = (int64_t)cursor_u64(&c);
	certificate.listener = read_text(&c);
	certificate.peer = read_text(&c);
	certificate.subject = read_text(&c);
	certificate.issuer = read_text(&c);
	read_digest(&c, &certificate.fingerprint);
	certificate.verified = read_word(&c, 2) == 1;
	certificate.ours = read_word(&c, 2) == 1;
	certificate.why = read_text(&c);
	if (close_payload(&c) != RC_OK)
		return RC_SYNTAX;
	*out = certificate;
	return RC_OK;
}

void event_node_put(struct buf *out, const struct event_node *node)
{
	cursor_put_u8(out, EVENT_VERSION);
	cursor_put_u64(out, (uint64_t)node->at_ms);
	put_text(out, node->what);
	put_text(out, node->text);
	put_digest(out, &node->digest);
}

enum rc event_node_read(struct slice payload, struct event_node *out)
{
	struct event_node node = { .at_ms = 0 };
	struct cursor     c;
	const enum rc     rc = open_payload(payload, &c);

	if (rc != RC_OK)
		return rc;
	node.at_ms = (int64_t)cursor_u64(&c);
	node.what = read_text(&c);
	node.text = read_text(&c);
	read_digest(&c, &node.digest);
	if (close_payload(&c) != RC_OK)
		return RC_SYNTAX;
	*out = node;
	return RC_OK;
}

static const char *word_of(const char *const *words, size_t count, unsigned index)
{
	return index < count && words[index] != NULL ? words[index] : "unknown";
}

#define WORD_OF(words, index) word_of(words, sizeof(words) / sizeof *(words), (unsigned)(index))

const char *direction_word(enum direction direction)
{
	static const char *const words[] = { "inbound", "outbound", "internal", "relay" };

	_Static_assert(sizeof words / sizeof *words == DIRECTION_COUNT, "a word for each");
	return WORD_OF(words, direction);
}

const char *event_type_word(enum event_type type)
{
	static const char *const words[] = { NULL, "body", "message", "outcome", "refused", "act", "session", "node", "certificate" };

	return WORD_OF(words, type);
}

const char *event_disposition_word(enum event_disposition disposition)
{
	static const char *const words[] = { "deliver", "hold", "discard" };

	_Static_assert(sizeof words / sizeof *words == DISPOSITION_COUNT, "a word for each");
	return WORD_OF(words, disposition);
}

const char *event_result_word(enum event_result result)
{
	static const char *const words[] = { "delivered", "relayed", "deferred", "failed", "expired", "uncertain", "held" };

	_Static_assert(sizeof words / sizeof *words == RESULT_COUNT, "a word for each");
	return WORD_OF(words, result);
}

const char *event_stage_word(enum event_stage stage)
{
	static const char *const words[] = { "connect", "helo", "tls", "auth", "mail", "rcpt", "data", "message" };

	_Static_assert(sizeof words / sizeof *words == STAGE_COUNT, "a word for each");
	return WORD_OF(words, stage);
}

const char *event_verb_word(enum event_verb verb)
{
	static const char *const words[] = { "retry", "hold", "release", "drop", "bounce", "reroute" };

	_Static_assert(sizeof words / sizeof *words == VERB_COUNT, "a word for each");
	return WORD_OF(words, verb);
}
