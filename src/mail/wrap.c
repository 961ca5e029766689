/* By type first, then by name, then by the first bytes. */
#include "mail/wrap.h"

#define FRONT_BYTES 64u

static const struct {
	struct slice type;
	enum wrap    wrap;
} types[] = {
	{ SLICE_INIT("application/ms-tnef"), WRAP_TNEF },
	{ SLICE_INIT("application/vnd.ms-tnef"), WRAP_TNEF },
	{ SLICE_INIT("application/vnd.ms-outlook"), WRAP_OUTLOOK },
	{ SLICE_INIT("multipart/signed"), WRAP_SIGNED },
	{ SLICE_INIT("multipart/encrypted"), WRAP_ENCRYPTED },
	{ SLICE_INIT("multipart/report"), WRAP_REPORT },
	{ SLICE_INIT("message/partial"), WRAP_FRAGMENT },
	{ SLICE_INIT("message/external-body"), WRAP_EXTERNAL },
};

static const struct {
	struct slice ending;
	enum wrap    wrap;
} endings[] = {
	{ SLICE_INIT("winmail.dat"), WRAP_TNEF },
	{ SLICE_INIT("win.dat"), WRAP_TNEF },
	{ SLICE_INIT(".msg"), WRAP_OUTLOOK },
	{ SLICE_INIT(".p7m"), WRAP_SMIME_ENCRYPTED },
};

/* The first bytes of the body, decoded. */
static struct slice front_of(const struct message_part *part, uint8_t bytes[FRONT_BYTES])
{
	struct transfer transfer = transfer_begin(part->encoding, TRANSFER_PADDING_RESTARTS, part->body);

	return slice_of(bytes, part->body.len == 0 ? 0 : transfer_read(&transfer, bytes, FRONT_BYTES));
}

static enum wrap wrap_of_smime(const struct message_part *part)
{
	const struct slice type = mime_parameter_plain(&part->type, SLICE("smime-type"));

	if (slice_eq_nocase(type, SLICE("signed-data")) || slice_eq_nocase(type, SLICE("certs-only")))
		return WRAP_SMIME_SIGNED;
	return WRAP_SMIME_ENCRYPTED;
}

static enum wrap wrap_of_type(const struct message_part *part)
{
	const struct slice word = part->type.word;

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if (slice_eq(word, types[i].type))
			return types[i].wrap;
	}
	if (slice_eq(word, SLICE("application/pkcs7-mime")) || slice_eq(word, SLICE("application/x-pkcs7-mime")))
		return wrap_of_smime(part);
	return WRAP_NONE;
}

static enum wrap wrap_of_name(struct slice name)
{
	name = slice_trim(name);
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		if (slice_ends_nocase(name, endings[i].ending))
			return endings[i].wrap;
	}
	return WRAP_NONE;
}

static enum wrap wrap_of_bytes(struct slice front)
{
	static const struct {
		struct slice bytes;
		enum wrap    wrap;
	} magic[] = {
		{ SLICE_INIT("\x78\x9f\x3e\x22"), WRAP_TNEF }, /* MS-OXTNEF section 2.1.3.1, little-endian 0x223e9f78 */
		{ SLICE_INIT("-----BEGIN PGP MESSAGE-----"), WRAP_PGP_TEXT },
	};

	while (front.len != 0 && (front.ptr[0] == '\r' || front.ptr[0] == '\n'))
		front = slice_drop(front, 1);
	for (size_t i = 0; i < sizeof magic / sizeof magic[0]; i++) {
		if (slice_starts(front, magic[i].bytes))
			return magic[i].wrap;
	}
	return WRAP_NONE;
}

/* Exchange marks its own with a field; others are known by the text part that names the envelope and what follows it. */
static bool is_journal(const struct message *message)
{
	const struct message_part *top = message->parts[0];

	if (header_first(&top->header, HEADER_JOURNAL_REPORT) != NULL)
		return true;
	if (message->count < 3 || top->kind != PART_MULTIPART || message->parts[2]->kind != PART_MESSAGE ||
	    message->parts[2]->parent != 0)
		return false;
	const struct slice text = message->parts[1]->body;
	return slice_starts_nocase(text, SLICE("Sender: ")) &&
	       slice_search_nocase(slice_take(text, 4096), SLICE("\nMessage-Id: ")) < slice_take(text, 4096).len &&
	       slice_search_nocase(slice_take(text, 4096), SLICE("\nRecipient: ")) < slice_take(text, 4096).len;
}

enum wrap wrap_of(const struct message *message, const struct message_part *part)
{
	uint8_t   bytes[FRONT_BYTES];
	enum wrap wrap = wrap_of_type(part);

	if (wrap == WRAP_NONE && part->index == 0 && is_journal(message))
		return WRAP_JOURNAL;
	if (wrap == WRAP_NONE && part->kind == PART_LEAF)
		wrap = wrap_of_bytes(front_of(part, bytes));
	if (wrap == WRAP_NONE && part->kind == PART_LEAF)
		wrap = wrap_of_name(mime_parameter_plain(&part->disposition, SLICE("filename")));
	if (wrap == WRAP_NONE && part->kind == PART_LEAF)
		wrap = wrap_of_name(mime_parameter_plain(&part->type, SLICE("name")));
	return wrap;
}

bool wrap_hides(enum wrap wrap)
{
	return wrap == WRAP_SMIME_ENCRYPTED || wrap == WRAP_ENCRYPTED || wrap == WRAP_PGP_TEXT;
}
