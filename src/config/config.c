/* From what was written to tables that a session can ask. Read config/config.h first. */
#include "config/config.h"

#include "base/codec.h"
#include "base/memory.h"
#include "base/must.h"

#define CONFIG_ARENA_BYTES ((size_t)64 << 20) /* address space; pages appear as they are used */
#define RECIPIENTS_PER_DOMAIN_MAX 1000000u
#define ACCOUNTS_MAX 100000u
#define ACCOUNT_ADDRESSES_MAX 64u
#define DATA_LINE_MAX (1u << 20)

struct maker {
	struct config                    *config;
	struct arena                     *arena;
	const struct config_surroundings *surroundings;
	struct tls_authorities           *authorities; /* who may sign certificates of next hops and of clients; or NULL */
	struct buf                       *why;
	struct slice                      bundle; /* our copy, in which all that was read lies */
	struct config_place              *place;
};

/* What cannot be used: its section, the key or NULL, the value or an empty slice; all borrow from the bundle. */
struct wrong {
	const char  *section;
	struct slice name;
	const char  *key;
	struct slice found;
};

static void set_place(const struct maker *maker, const struct wrong *wrong)
{
	*maker->place = (struct config_place){
		.section = wrong->section,
		.key = wrong->key,
		.name = slice_offset(maker->bundle, wrong->name),
		.value = slice_offset(maker->bundle, wrong->found),
	};
}

/* "[listener internet] peers: expected ..., found ..." and the code, so that a function can end with `return complain(...)`. */
static enum rc complain(const struct maker *maker, enum rc rc, const struct wrong *wrong, const char *text)
{
	buf_put_str(maker->why, "[");
	buf_put_str(maker->why, wrong->section);
	if (wrong->name.len != 0)
		buf_put_byte(maker->why, ' ');
	codec_quote(wrong->name, 100, maker->why);
	buf_put_str(maker->why, "] ");
	if (wrong->key != NULL)
		buf_printf(maker->why, "%s: ", wrong->key);
	buf_put_str(maker->why, text);
	if (wrong->found.len != 0) {
		buf_put_str(maker->why, ", found ");
		codec_quote(wrong->found, 100, maker->why);
	}
	set_place(maker, wrong);
	return rc;
}

struct slice gate_settings_file(const struct gate_settings *settings, struct slice path)
{
	for (size_t i = 0; i < settings->file_count; i++) {
		if (slice_eq(settings->files[i].path, path))
			return settings->files[i].bytes;
	}
	return (struct slice){ NULL, 0 };
}

static enum rc match_of(const struct maker *maker, const struct setting_list *list, struct wrong wrong, struct net_match *out)
{
	size_t        bad = 0;
	const enum rc rc = net_match_parse(list->items, list->count, maker->arena, out, &bad);

	if (rc == RC_OK)
		return RC_OK;
	if (rc != RC_NOMEM && bad < list->count)
		wrong.found = list->items[bad];
	return complain(maker, rc, &wrong, "expected an address or a network such as 192.0.2.0/24 or 2001:db8::/32");
}

static enum rc lower_copy(const struct maker *maker, struct slice text, struct slice *out)
{
	uint8_t *bytes = arena_bytes(maker->arena, text.len);

	if (bytes == NULL)
		return RC_NOMEM;
	for (size_t i = 0; i < text.len; i++)
		bytes[i] = byte_lower(text.ptr[i]);
	*out = slice_of(bytes, text.len);
	return RC_OK;
}

/* ---- domains ---- */

/* One local part or address into the list; an address of another domain is a mistake worth telling. */
static enum rc add_recipient(const struct maker *maker, struct config_domain *domain, const char *key_name, struct slice text)
{
	struct slice        key;
	const size_t        at = slice_find_last(text, '@');
	const struct slice  host = slice_drop(text, at + 1);

	if (host.len != 0 && !slice_eq_nocase(host, domain->name))
		return complain(maker, RC_SYNTAX, &(struct wrong){ "domain", domain->settings->name, key_name, text }, "expected a recipient of this domain");
	const enum rc rc = lower_copy(maker, slice_take(text, at), &key);
	if (rc != RC_OK)
		return rc;
	return map_put(domain->recipients, key, domain, NULL);
}

static enum rc make_recipients(const struct maker *maker, struct config_domain *domain)
{
	const struct gate_domain_settings *settings = domain->settings;
	struct slice                       file = gate_settings_file(&maker->config->settings, settings->recipient_file);
	enum rc rc = map_open(RECIPIENTS_PER_DOMAIN_MAX, maker->surroundings->seed, &domain->recipients);

	for (size_t i = 0; rc == RC_OK && i < settings->recipient_list.count; i++)
		rc = add_recipient(maker, domain, "recipient", settings->recipient_list.items[i]);
	while (rc == RC_OK && file.len != 0) {
		struct slice       line = slice_until(&file, '\n');
		const struct slice text = slice_trim(slice_take(line, slice_find(line, '#')));
		if (text.len != 0)
			rc = add_recipient(maker, domain, "recipient_file", text);
	}
	return rc;
}

static enum rc make_domain(const struct maker *maker, const struct gate_domain_settings *settings)
{
	struct config_domain *domain = arena_take(maker->arena, 1, sizeof *domain);
	struct map           *domains = maker->config->domains;

	if (domain == NULL)
		return RC_NOMEM;
	domain->settings = settings;
	struct wrong twice = { "domain", settings->name, NULL, settings->name };
	enum rc      rc = lower_copy(maker, settings->name, &domain->name);
	if (rc == RC_OK)
		rc = map_add(domains, domain->name, domain);
	for (size_t i = 0; rc == RC_OK && i < settings->aliases.count; i++) {
		struct slice alias;
		twice.key = "aliases";
		twice.found = settings->aliases.items[i];
		rc = lower_copy(maker, settings->aliases.items[i], &alias);
		if (rc == RC_OK)
			rc = map_add(domains, alias, domain);
	}
	if (rc == RC_EXISTS)
		return complain(maker, RC_CONFLICT, &twice, "expected a domain that is not named twice, neither as a section nor as an alias");
	if (rc == RC_OK && settings->recipients == RECIPIENTS_LIST)
		rc = make_recipients(maker, domain);
	return rc;
}

static enum rc make_domains(const struct maker *maker)
{
	const struct gate_settings *settings = &maker->config->settings;
	size_t                      names = 1;
	enum rc                     rc;

	for (size_t i = 0; i < settings->domain_count; i++)
		names += 1 + settings->domains[i].aliases.count;
	rc = map_open(names, maker->surroundings->seed, &maker->config->domains);
	for (size_t i = 0; rc == RC_OK && i < settings->domain_count; i++)
		rc = make_domain(maker, &settings->domains[i]);
	return rc;
}

/* ---- accounts ---- */

/* name:hash:address[,address...]; the hash itself holds "$" and "," but no ":". */
static enum rc make_account(const struct maker *maker, const struct slice whole)
{
	struct slice           line = whole;
	struct config_account *account = arena_take(maker->arena, 1, sizeof *account);
	struct slice          *addresses = arena_take(maker->arena, ACCOUNT_ADDRESSES_MAX, sizeof *addresses);
	const struct slice     name = slice_until(&line, ':');
	const struct slice     hash = slice_until(&line, ':');
	const struct wrong     wrong = { "accounts", SLICE(""), "file", name };

	if (account == NULL || addresses == NULL)
		return RC_NOMEM;
	if (name.len == 0 || !slice_starts(hash, SLICE("$argon2id$")))
		return complain(maker, RC_SYNTAX, &(struct wrong){ "accounts", SLICE(""), "file", name.len != 0 ? name : whole },
		                "expected a line name:$argon2id$...:address,address");
	enum rc rc = arena_copy(maker->arena, name, &account->name);
	if (rc == RC_OK)
		rc = arena_cstr(maker->arena, hash, &account->hash);
	while (rc == RC_OK && line.len != 0) {
		const struct slice address = slice_trim(slice_until(&line, ','));
		if (address.len == 0)
			continue;
		if (account->address_count == ACCOUNT_ADDRESSES_MAX)
			return complain(maker, RC_LIMIT, &wrong, "expected at most 64 addresses of an account");
		rc = lower_copy(maker, address, &addresses[account->address_count++]);
	}
	account->addresses = addresses;
	if (rc == RC_OK)
		rc = map_add(maker->config->accounts, account->name, account);
	if (rc == RC_EXISTS)
		return complain(maker, RC_CONFLICT, &wrong, "expected an account that is not named twice");
	return rc;
}

static enum rc make_accounts(const struct maker *maker)
{
	const struct gate_settings *settings = &maker->config->settings;

	if (settings->accounts->file.len == 0)
		return RC_OK;
	struct slice file = gate_settings_file(settings, settings->accounts->file);
	enum rc      rc = map_open(ACCOUNTS_MAX, maker->surroundings->seed, &maker->config->accounts);
	while (rc == RC_OK && file.len != 0) {
		const struct slice line = slice_trim(slice_until(&file, '\n'));
		if (line.len != 0 && line.ptr[0] != '#')
			rc = make_account(maker, line);
	}
	return rc;
}

/* ---- listeners ---- */

static enum rc make_tls(const struct maker *maker, struct config_listener *listener)
{
	const struct gate_listener_settings *settings = listener->settings;
	const struct gate_settings          *all = &maker->config->settings;
	const size_t                         count = settings->certificates.count;
	struct tls_pair                     *pairs = arena_take(maker->arena, count == 0 ? 1 : count, sizeof *pairs);
	struct fault                         fault = { .rc = RC_OK };

	if (pairs == NULL)
		return RC_NOMEM;
	if (count == 0)
		return complain(maker, RC_CONFLICT, &(struct wrong){ "listener", settings->name, "tls", SLICE("") }, "TLS needs a certificate");
	for (size_t i = 0; i < count; i++) {
		size_t j = 0;
		while (j < all->certificate_count && !slice_eq(all->certificates[j].name, settings->certificates.items[i]))
			j++;
		if (j == all->certificate_count)
			return complain(maker, RC_NOTFOUND, &(struct wrong){ "listener", settings->name, "certificate", settings->certificates.items[i] },
			                "expected the name of a [certificate NAME] section");
		pairs[i].certificates = gate_settings_file(all, all->certificates[j].file);
		pairs[i].key = gate_settings_file(all, all->certificates[j].key);
	}
	const struct tls_server_settings server = {
		.pairs = pairs, .pairs_count = count, .minimum = (enum tls_version)all->tls->minimum,
		.ask_client = settings->ask_certificate || settings->peer_certificates.count != 0,
		.client_authorities = maker->authorities,
		.tickets = all->tls->tickets ? maker->surroundings->tickets : NULL,
	};
	const enum rc rc = tls_server_open(&server, &listener->tls, &fault);
	if (rc != RC_OK)
		(void)complain(maker, rc, &(struct wrong){ "listener", settings->name, "tls", SLICE("") },
		               fault.text == NULL ? "TLS cannot be set up" : fault.text);
	return rc;
}

static enum rc make_fingerprints(const struct maker *maker, struct config_listener *listener)
{
	const struct setting_list *list = &listener->settings->peer_certificates;
	struct digest             *digests = arena_take(maker->arena, list->count == 0 ? 1 : list->count, sizeof *digests);
	struct buf                 bytes = buf_make(DIGEST_SIZE);

	if (digests == NULL)
		return RC_NOMEM;
	enum rc rc = RC_OK;
	for (size_t i = 0; rc == RC_OK && i < list->count; i++) {
		buf_clear(&bytes);
		rc = codec_hex_decode(list->items[i], &bytes);
		if (rc == RC_OK && bytes.len == DIGEST_SIZE)
			memcpy(digests[i].bytes, bytes.ptr, DIGEST_SIZE);
		else
			rc = complain(maker, RC_SYNTAX, &(struct wrong){ "listener", listener->settings->name, "peer_certificates", list->items[i] },
			              "expected 64 hexadecimal digits");
	}
	buf_done(&bytes);
	listener->certificates = digests;
	listener->certificate_count = list->count;
	return rc;
}

static void make_machine(const struct config *config, struct config_listener *listener)
{
	const struct gate_listener_settings *settings = listener->settings;
	unsigned extensions = SMTP_EXT_PIPELINING | SMTP_EXT_SIZE | SMTP_EXT_8BITMIME | SMTP_EXT_ENHANCED | SMTP_EXT_XCLIENT;

	extensions |= settings->chunking ? SMTP_EXT_CHUNKING : 0;
	extensions |= settings->dsn ? SMTP_EXT_DSN : 0;
	extensions |= settings->smtputf8 ? SMTP_EXT_SMTPUTF8 : 0;
	extensions |= settings->tls == LISTENER_TLS_STARTTLS || settings->tls == LISTENER_TLS_REQUIRED ? SMTP_EXT_STARTTLS : 0;
	/* Only where TLS can be on, and only for people: strangers on port 25 have nothing to authenticate for. */
	if (settings->role == LISTENER_SUBMISSION && listener->tls != NULL && config->accounts != NULL)
		extensions |= SMTP_EXT_AUTH;
	listener->strict = (struct smtp_server_config){
		.host = config->settings.gateway->hostname,
		.extensions = extensions,
		.message_bytes_max = settings->message_size_max,
		.data_line_bytes_max = DATA_LINE_MAX,
		.recipients_max = (uint32_t)settings->recipients_max,
		.errors_max = (uint32_t)settings->errors_max,
		.line_ends = SMTP_LINE_ENDS_REFUSE,
		.tls_required = settings->tls == LISTENER_TLS_REQUIRED || settings->role == LISTENER_SUBMISSION,
		.auth_required = settings->role == LISTENER_SUBMISSION,
	};
	listener->lenient = listener->strict;
	listener->lenient.line_ends = SMTP_LINE_ENDS_NORMALISE;
}

static enum rc make_listener(const struct maker *maker, const struct gate_listener_settings *settings,
                             struct config_listener *listener)
{
	const struct {
		const struct setting_list *list;
		const char                *key;
		struct net_match          *out;
	} lists[] = {
		{ &settings->peers, "peers", &listener->peers },
		{ &settings->proxies, "proxies", &listener->proxies },
		{ &settings->xclient, "xclient", &listener->xclient },
		{ &settings->bare_newline_from, "bare_newline_from", &listener->bare_newline },
		{ &settings->tls_required_from, "tls_required_from", &listener->tls_required },
		{ &settings->relay_from, "relay_from", &listener->relay },
	};
	enum rc rc = RC_OK;

	listener->settings = settings;
	for (size_t i = 0; rc == RC_OK && i < sizeof lists / sizeof *lists; i++)
		rc = match_of(maker, lists[i].list, (struct wrong){ "listener", settings->name, lists[i].key, SLICE("") }, lists[i].out);
	if (rc == RC_OK)
		rc = make_fingerprints(maker, listener);
	if (rc == RC_OK && settings->tls != LISTENER_TLS_NONE)
		rc = make_tls(maker, listener);
	if (rc == RC_OK)
		make_machine(maker->config, listener);
	return rc;
}

/* ---- routes ---- */

static bool certificate_of(void *context, struct slice name, struct tls_pair *out)
{
	const struct gate_settings *settings = context;

	for (size_t i = 0; i < settings->certificate_count; i++) {
		if (!slice_eq(settings->certificates[i].name, name))
			continue;
		out->certificates = gate_settings_file(settings, settings->certificates[i].file);
		out->key = gate_settings_file(settings, settings->certificates[i].key);
		return true;
	}
	return false;
}

/* Every address that we listen on: a route to one of them would be a loop (I-19 d). */
static enum rc own_addresses(const struct maker *maker, struct net_address **ret_addresses, size_t *ret_count)
{
	const struct gate_settings *settings = &maker->config->settings;
	size_t                      count = 0, used = 0;

	for (size_t i = 0; i < settings->listener_count; i++)
		count += settings->listeners[i].addresses.count;
	struct net_address *addresses = arena_take(maker->arena, count + 1, sizeof *addresses);
	if (addresses == NULL)
		return RC_NOMEM;
	for (size_t i = 0; i < settings->listener_count; i++) {
		for (size_t j = 0; j < settings->listeners[i].addresses.count; j++) {
			const struct slice text = settings->listeners[i].addresses.items[j];
			if (net_address_parse_port(text, 25, &addresses[used++]) != RC_OK)
				return complain(maker, RC_SYNTAX, &(struct wrong){ "listener", settings->listeners[i].name, "address", text },
				                "expected an address and port such as 0.0.0.0:25 or [::]:25");
		}
	}
	*ret_addresses = addresses;
	*ret_count = used;
	return RC_OK;
}

static enum rc make_routes(const struct maker *maker)
{
	struct gate_settings *settings = &maker->config->settings;
	struct net_address   *own;
	size_t                own_count;
	enum rc               rc = own_addresses(maker, &own, &own_count);

	if (rc != RC_OK)
		return rc;
	struct route_wrong        unusable = { .key = NULL };
	const struct route_source source = {
		.routes = settings->routes, .count = settings->route_count, .hostname = settings->gateway->hostname,
		.tls_minimum = (enum tls_version)settings->tls->minimum,
		.authorities = maker->authorities,
		.certificate = certificate_of, .context = settings, .own = own, .own_count = own_count, .seed = maker->surroundings->seed,
		.ret_wrong = &unusable,
	};
	rc = route_table_make(&source, maker->why, &maker->config->route_table);
	if (rc != RC_OK && unusable.key != NULL)
		set_place(maker, &(struct wrong){ "route", unusable.route, unusable.key, unusable.found });
	return rc;
}

/* ---- the whole ---- */

bool config_writes_spam(const struct config *config, const struct gate_route_settings *route)
{
	return route->spam_headers == ROUTE_SPAM_HEADERS_YES ||
	       (route->spam_headers == ROUTE_SPAM_HEADERS_STANDARD && config->settings.policy.spam_headers);
}

static enum rc make_scan(const struct maker *maker)
{
	struct config *config = maker->config;

	for (unsigned i = 0; i < DIRECTION_COUNT; i++) {
		struct scan_options *options = &config->scan[i];
		options->depth = config->settings.policy.depth;
		options->limits = config->settings.policy.limits;
		options->own_name = config->settings.gateway->hostname;
		/* Our own Exchange servers' fields mean something between themselves; strangers' ones do not (I-12). */
		options->cut = SCAN_CUT_HANGU | SCAN_CUT_AUTHENTICATION;
		if (i != DIRECTION_INTERNAL)
			options->cut |= SCAN_CUT_EXCHANGE;
		const enum rc rc = scan_options_check(options);
		if (rc != RC_OK)
			return complain(maker, rc, &(struct wrong){ "scan", SLICE(""), NULL, SLICE("") }, "a limit is out of its range");
		config->scan_spam[i] = *options;
		config->scan_spam[i].cut |= SCAN_CUT_SPAM;
	}
	for (size_t i = 0; i < config->settings.route_count; i++)
		config->writes_spam |= config_writes_spam(config, &config->settings.routes[i]);
	scan_engine_digest(&config->scan[0], &config->engine);
	return RC_OK;
}

static enum rc read_all(struct maker *maker, struct slice bundle, gate_settings_reader *reader)
{
	enum rc rc = arena_copy(maker->arena, bundle, &maker->bundle);

	if (rc == RC_OK)
		rc = reader(maker->bundle, maker->arena, &maker->config->settings);
	if (rc != RC_OK)
		buf_put_str(maker->why, "the settings cannot be read");
	return rc;
}

/* *own: those of [tls] ca_file, the caller's to close; NULL when it names nobody. */
static enum rc open_authorities(const struct maker *maker, struct tls_authorities **own)
{
	const struct gate_settings *settings = &maker->config->settings;
	struct fault                fault = { .rc = RC_OK };

	if (settings->tls->ca_file.len == 0)
		return RC_OK;
	const enum rc rc = tls_authorities_open(gate_settings_file(settings, settings->tls->ca_file), own, &fault);
	return rc == RC_OK ? RC_OK
	                   : complain(maker, rc, &(struct wrong){ "tls", SLICE(""), "ca_file", settings->tls->ca_file },
	                              "expected a file of certificates in PEM that can be read");
}

static enum rc make_all(const struct maker *maker)
{
	struct config *config = maker->config;

	enum rc rc = match_of(maker, &config->settings.organisation->networks,
	                      (struct wrong){ "organisation", SLICE(""), "networks", SLICE("") }, &config->own);
	if (rc == RC_OK)
		rc = make_domains(maker);
	if (rc == RC_OK)
		rc = make_accounts(maker);
	config->listeners = arena_take(maker->arena, config->settings.listener_count + 1, sizeof *config->listeners);
	if (rc == RC_OK && config->listeners == NULL)
		rc = RC_NOMEM;
	for (size_t i = 0; rc == RC_OK && i < config->settings.listener_count; i++)
		rc = make_listener(maker, &config->settings.listeners[i], &config->listeners[i]);
	if (rc == RC_OK)
		rc = make_scan(maker);
	if (rc == RC_OK)
		rc = make_routes(maker);
	return rc;
}

enum rc config_make(struct slice bundle, gate_settings_reader *reader, const struct config_surroundings *surroundings,
                    struct buf *why, struct config_place *ret_place, struct config **out)
{
	struct config       *config = memory_take(1, sizeof *config);
	struct config_place  unheard, *place = ret_place != NULL ? ret_place : &unheard;

	*place = (struct config_place){ .name = SIZE_MAX, .value = SIZE_MAX };
	if (config == NULL || arena_init(&config->arena, CONFIG_ARENA_BYTES + bundle.len) != RC_OK) {
		memory_give(config);
		buf_put_str(why, "no memory for the settings");
		return RC_NOMEM;
	}
	atomic_init(&config->holders, 1);
	struct maker            maker = { .config = config, .arena = &config->arena, .surroundings = surroundings, .why = why, .place = place };
	struct tls_authorities *authorities = NULL;
	enum rc                 rc = read_all(&maker, bundle, reader);
	if (rc == RC_OK)
		rc = open_authorities(&maker, &authorities);
	maker.authorities = authorities != NULL ? authorities : surroundings->authorities;
	if (rc == RC_OK)
		rc = make_all(&maker);
	tls_authorities_close(&authorities);
	if (rc != RC_OK) {
		if (why->len == 0)
			buf_put_str(why, "the settings take more memory than there is for them");
		config_drop(&config);
		return rc;
	}
	*out = config;
	return RC_OK;
}

struct config *config_hold(struct config *config)
{
	must(atomic_fetch_add(&config->holders, 1) != 0);
	return config;
}

static void free_domains(struct map **domains)
{
	size_t       position = 0;
	struct slice key;
	void        *value;

	while (*domains != NULL && map_next(*domains, &position, &key, &value)) {
		struct config_domain *domain = value;
		map_close(&domain->recipients);
	}
	map_close(domains);
}

void config_drop(struct config **config)
{
	struct config *gone = *config;

	*config = NULL;
	if (gone == NULL || atomic_fetch_sub(&gone->holders, 1) != 1)
		return;
	for (size_t i = 0; gone->listeners != NULL && i < gone->settings.listener_count; i++)
		tls_context_close(&gone->listeners[i].tls);
	route_table_close(&gone->route_table);
	free_domains(&gone->domains);
	map_close(&gone->accounts);
	arena_done(&gone->arena);
	memory_give(gone);
}
