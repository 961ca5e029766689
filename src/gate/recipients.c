/* The decision at RCPT. Read gate/recipients.h first. */
#include "gate/recipients.h"

#define DOMAIN_BYTES_MAX 255u
#define LOCAL_BYTES_MAX 1024u

/* `s` with ASCII letters lowered, in `room`; an empty slice when it does not fit. */
static struct slice lowered(struct slice s, uint8_t *room, size_t size)
{
	if (s.len > size)
		return (struct slice){ NULL, 0 };
	for (size_t i = 0; i < s.len; i++)
		room[i] = byte_lower(s.ptr[i]);
	return slice_of(room, s.len);
}

const struct config_domain *recipient_domain(const struct config *config, struct slice name)
{
	uint8_t            room[DOMAIN_BYTES_MAX];
	const struct slice key = lowered(name, room, sizeof room);

	return key.len == 0 ? NULL : map_get(config->domains, key);
}

/* RFC 2142 sections 2 and 4 and RFC 5321 section 4.5.1: always there, whatever the list of recipients says. */
static bool is_postmaster(struct slice local)
{
	static const struct slice names[] = { SLICE_INIT("postmaster"), SLICE_INIT("abuse"), SLICE_INIT("security"),
		                              SLICE_INIT("hostmaster"), SLICE_INIT("mailer-daemon") };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (slice_eq_nocase(local, names[i]))
			return true;
	}
	return false;
}

/* What the list knows the recipient by: without the tag behind the plus sign, lowered. */
static bool is_listed(const struct config_domain *domain, struct slice local)
{
	uint8_t            room[LOCAL_BYTES_MAX];
	const struct slice whole = lowered(local, room, sizeof room);
	const struct slice separator = domain->settings->plus_separator;

	if (whole.len == 0)
		return false;
	if (map_get(domain->recipients, whole) != NULL)
		return true;
	if (separator.len == 0)
		return false;
	const size_t at = slice_find(whole, separator.ptr[0]);
	return at != 0 && at != whole.len && map_get(domain->recipients, slice_take(whole, at)) != NULL;
}

static enum rc join_address(struct slice local, struct slice domain, struct arena *arena, struct slice *out)
{
	uint8_t *bytes = arena_bytes(arena, local.len + 1 + domain.len);

	if (bytes == NULL)
		return RC_NOMEM;
	memcpy(bytes, local.ptr, local.len);
	bytes[local.len] = '@';
	memcpy(bytes + local.len + 1, domain.ptr, domain.len);
	*out = slice_of(bytes, local.len + 1 + domain.len);
	return RC_OK;
}

static enum rc decide_hosted(const struct config_domain *domain, struct slice local, struct slice written, struct arena *arena,
                             struct recipient_decision *decision)
{
	const struct gate_domain_settings *settings = domain->settings;

	decision->domain = domain;
	decision->postmaster = is_postmaster(local);
	if (decision->postmaster && settings->postmaster.len != 0) {
		decision->address = settings->postmaster;
		return RC_OK;
	}
	if (!decision->postmaster) {
		switch ((enum recipient_source)settings->recipients) {
		case RECIPIENTS_ANY:
			break;
		case RECIPIENTS_LIST:
			if (!is_listed(domain, local))
				decision->answer = RECIPIENT_UNKNOWN;
			break;
		case RECIPIENTS_CALLAHEAD:
			decision->answer = RECIPIENT_VERIFY;
			break;
		case RECIPIENT_SOURCE_COUNT:
			break;
		}
	}
	if (slice_eq_nocase(written, domain->name))
		return RC_OK;
	return join_address(local, domain->name, arena, &decision->address);
}

enum rc recipient_decide(const struct config *config, const struct recipient_client *client, struct slice address,
                         struct arena *arena, struct recipient_decision *out)
{
	struct recipient_decision decision = { .answer = RECIPIENT_ACCEPT, .address = address };
	const size_t              at = slice_find_last(address, '@');
	struct slice              local = slice_take(address, at);
	struct slice              written = slice_drop(address, at + 1);
	const bool                bare_postmaster = at == address.len && slice_eq_nocase(address, SLICE("postmaster"));

	if (bare_postmaster && config->settings.domain_count != 0)
		written = config->settings.domains[0].name;
	if (local.len == 0 || written.len == 0) {
		decision.answer = RECIPIENT_MALFORMED;
		*out = decision;
		return RC_OK;
	}
	const struct config_domain *domain = recipient_domain(config, written);
	enum rc                     rc = RC_OK;
	if (domain != NULL) {
		decision.direction = client->ours ? DIRECTION_INTERNAL : DIRECTION_INBOUND;
		rc = decide_hosted(domain, local, bare_postmaster ? (struct slice){ NULL, 0 } : written, arena, &decision);
	} else if (client->ours) {
		decision.direction = DIRECTION_OUTBOUND;
	} else if (client->relay) {
		decision.direction = DIRECTION_RELAY;
	} else {
		decision.answer = RECIPIENT_RELAY_DENIED;
	}
	if (rc == RC_OK)
		*out = decision;
	return rc;
}

/* Does it leave open whose message this is, or name authors that were not kept? */
static bool hides_author(const struct finding *finding, size_t kept)
{
	return finding->kind == FINDING_HEADER_FROM_DUPLICATE || finding->kind == FINDING_HEADER_FROM_MALFORMED ||
	       finding->kind == FINDING_HEADER_FROM_AMBIGUOUS || finding->kind == FINDING_HEADER_FROM_NO_DOMAIN ||
	       (finding->kind == FINDING_HEADER_FROM_SEVERAL && finding->value > (int64_t)kept);
}

bool account_may_author(const struct config_account *account, const struct findings *findings)
{
	bool none = false;

	for (size_t i = 0; i < findings->count; i++) {
		if (hides_author(&findings->list[i], findings->facts.author_count))
			return false;
		none |= findings->list[i].kind == FINDING_HEADER_FROM_MISSING;
	}
	/* An address that is too long to be kept, or not clean, or that no steps or memory were left for, stands in From all the same. */
	if (findings->facts.author_count == 0 && !none)
		return false;
	for (size_t i = 0; i < findings->facts.author_count; i++) {
		if (!account_may_send(account, findings->facts.authors[i]))
			return false;
	}
	return true;
}

bool account_may_send(const struct config_account *account, struct slice sender)
{
	if (sender.len == 0)
		return true;
	for (size_t i = 0; i < account->address_count; i++) {
		const struct slice own = account->addresses[i];
		if (slice_at(own, 0) == '@' ? slice_ends_nocase(sender, own) : slice_eq_nocase(sender, own))
			return true;
	}
	return false;
}
