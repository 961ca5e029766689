/* Storages and streams by their names; [MS-OXMSG] sections 2.1 to 2.4. */
#include "document/outlook_msg.h"

#include "base/num.h"
#include "document/ole_bytes.h"
#include "document/outlook_item.h"

#define PROPERTIES "__properties_version1.0"
#define STREAM     "__substg1.0_"
#define ATTACHMENT "__attach_version1.0_#"
#define RECIPIENT  "__recip_version1.0_#"


struct msg {
	const struct ole          *ole;
	struct budget             *budget;
	struct arena              *arena;
	const struct content_sink *sink;
	struct slice               names; /* entries of named properties, 8 bytes each */
	unsigned                   depth;
};

/* What stands in a storage goes to one of the two. */
struct target {
	struct outlook_message    *message;
	struct outlook_attachment *attachment;
};

bool outlook_msg_is(const struct ole *ole)
{
	return ole->count != 0 && ole_child(ole, 0, SLICE(PROPERTIES)) != OLE_NONE;
}

/* The number that names property `id` from 0x8000 on, or 0. Section 2.2.3.1.2. */
static uint32_t name_of(const struct msg *msg, uint16_t id)
{
	if (id < 0x8000)
		return 0;
	for (size_t at = 0; at + 8 <= msg->names.len; at += 8) {
		const uint32_t kind = bytes_u32(msg->names, at + 4);
		if (kind >> 16 == id - 0x8000u)
			return (kind & 1) == 0 ? bytes_u32(msg->names, at) : 0;
	}
	return 0;
}

static enum rc take(const struct msg *msg, const struct target *target, uint16_t id, uint16_t type, struct slice value)
{
	const struct outlook_property property = { .id = id, .type = type, .named = name_of(msg, id), .value = value };

	if (!budget_take(msg->budget, BUDGET_STEPS, id >= 0x8000 ? msg->names.len / 8 + 1 : 1))
		return RC_LIMIT;
	if (target->attachment != NULL) {
		outlook_attachment_take(target->attachment, &property);
		return RC_OK;
	}
	return outlook_message_take(target->message, &property, msg->sink);
}

/* Properties of fixed size: 16 bytes each behind a head, whose size depends on what the storage is. */
static enum rc take_fixed(const struct msg *msg, const struct target *target, struct slice stream, size_t head)
{
	enum rc rc = RC_OK;

	for (size_t at = head; at + 16 <= stream.len && rc == RC_OK; at += 16) {
		const uint16_t type = bytes_u16(stream, at);
		if (type == OUTLOOK_LONG)
			rc = take(msg, target, bytes_u16(stream, at + 2), type, slice_cut(stream, at + 8, 4));
	}
	return rc;
}

/* "__substg1.0_0037001F": property 0x0037 of type 0x001f. */
static bool read_stream_name(struct slice name, uint16_t *id, uint16_t *type)
{
	const struct slice digits = slice_take(slice_drop(name, sizeof STREAM - 1), 8);
	uint64_t           number;

	if (!slice_starts_nocase(name, SLICE(STREAM)) || digits.len != 8 || num_hex(digits, UINT32_MAX, &number) != RC_OK)
		return false;
	*id = (uint16_t)(number >> 16);
	*type = (uint16_t)number;
	return true;
}

/* All properties of a storage. */
static enum rc take_storage(const struct msg *msg, uint32_t storage, size_t head, const struct target *target)
{
	if (!budget_take(msg->budget, BUDGET_STEPS, msg->ole->count))
		return RC_LIMIT;
	for (uint32_t i = 0; i < msg->ole->count; i++) {
		const struct ole_entry *entry = &msg->ole->entries[i];
		const bool              fixed = slice_eq_nocase(entry->name, SLICE(PROPERTIES));
		uint16_t                id = 0, type = 0;
		struct slice            bytes;
		bool                    whole;
		if (entry->parent != storage || entry->kind != OLE_STREAM || (!fixed && !read_stream_name(entry->name, &id, &type)))
			continue;
		enum rc rc = ole_stream(msg->ole, i, msg->budget, msg->arena, &bytes, &whole);
		if (rc == RC_OK)
			rc = fixed ? take_fixed(msg, target, bytes, head) : take(msg, target, id, type, bytes);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc read_message(struct msg *msg, uint32_t storage);

/* An object that is no message: its streams as members. */
static enum rc tell_object(const struct msg *msg, uint32_t storage)
{
	for (uint32_t i = 0; i < msg->ole->count; i++) {
		const struct ole_entry *entry = &msg->ole->entries[i];
		struct slice            bytes;
		bool                    whole;
		if (entry->parent != storage || entry->kind != OLE_STREAM)
			continue;
		enum rc rc = ole_stream(msg->ole, i, msg->budget, msg->arena, &bytes, &whole);
		if (rc == RC_OK)
			rc = sink_member(msg->sink, msg->budget,
			                 &(struct content_member){ .name = entry->name,
			                                           .bytes = bytes,
			                                           .claimed = entry->claimed,
			                                           .flags = whole ? 0 : CONTENT_MEMBER_CUT });
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc read_attachment(struct msg *msg, uint32_t storage, const struct outlook_message *message)
{
	struct outlook_attachment attachment = { .method = 0 };
	const struct target       target = { .attachment = &attachment };
	enum rc                   rc = take_storage(msg, storage, 8, &target);
	const uint32_t            inner = ole_child(msg->ole, storage, SLICE(STREAM "3701000D"));

	if (rc == RC_OK)
		rc = outlook_attachment_tell(&attachment, message, msg->budget, msg->sink);
	if (rc != RC_OK || inner == OLE_NONE || msg->ole->entries[inner].kind != OLE_STORAGE)
		return rc;
	if (ole_child(msg->ole, inner, SLICE(PROPERTIES)) == OLE_NONE)
		return tell_object(msg, inner);
	if (msg->depth >= OUTLOOK_DEPTH_MAX || !budget_enter(msg->budget))
		return RC_LIMIT;
	msg->depth++;
	rc = read_message(msg, inner);
	msg->depth--;
	budget_leave(msg->budget);
	return rc;
}

/* Recipients are properties of people, which are told at once. */
static enum rc read_recipients(struct msg *msg, uint32_t storage, struct outlook_message *message)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < msg->ole->count && count < OUTLOOK_RECIPIENTS_MAX; i++) {
		const struct ole_entry *entry = &msg->ole->entries[i];
		if (entry->parent != storage || entry->kind != OLE_STORAGE || !slice_starts_nocase(entry->name, SLICE(RECIPIENT)))
			continue;
		count++;
		struct outlook_message person = { .codepage = message->codepage };
		const struct target    target = { .message = &person };
		const enum rc          rc = take_storage(msg, i, 8, &target);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc read_message(struct msg *msg, uint32_t storage)
{
	struct outlook_message message = { .codepage = 0 };
	const struct target    target = { .message = &message };
	uint32_t               count = 0;
	enum rc                rc = take_storage(msg, storage, msg->depth == 0 ? 32 : 24, &target);

	if (rc == RC_OK)
		rc = read_recipients(msg, storage, &message);
	if (rc == RC_OK)
		rc = outlook_message_tell(&message, msg->budget, msg->sink);
	for (uint32_t i = 0; i < msg->ole->count && count < OUTLOOK_ATTACHMENTS_MAX && rc == RC_OK; i++) {
		const struct ole_entry *entry = &msg->ole->entries[i];
		if (entry->parent != storage || entry->kind != OLE_STORAGE || !slice_starts_nocase(entry->name, SLICE(ATTACHMENT)))
			continue;
		count++;
		rc = read_attachment(msg, i, &message);
	}
	return rc;
}

enum rc outlook_msg_open(const struct ole *ole, struct budget *budget, struct arena *arena, const struct content_sink *sink)
{
	struct msg     msg = { .ole = ole, .budget = budget, .arena = arena, .sink = sink };
	bool           whole;
	const uint32_t names = ole->count == 0 ? OLE_NONE : ole_path(ole, 0, SLICE("__nameid_version1.0/" STREAM "00030102"));

	if (!outlook_msg_is(ole))
		return RC_SYNTAX;
	if (names != OLE_NONE) {
		const enum rc rc = ole_stream(ole, names, budget, arena, &msg.names, &whole);
		if (rc != RC_OK)
			return rc;
	}
	const enum rc rc = read_message(&msg, 0);
	return rc == RC_OK && ole->damaged ? sink_fact(sink, CONTENT_FACT_DAMAGED, slice_of(NULL, 0)) : rc;
}
