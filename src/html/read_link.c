/* Attributes that lead somewhere, run something, or hold text. */
#include "html/read_part.h"

#include "base/num.h"

#define PIXEL_MAX 2u /* pixels a side of a picture that is not meant to be seen */

/* The first bytes of an address as browsers read it (URL, "basic URL parser"), in lower case. */
static struct slice address_front(struct slice address, uint8_t *out, size_t room)
{
	size_t size = 0, at = 0;

	while (at < address.len && address.ptr[at] <= ' ')
		at++;
	for (; at < address.len && size < room; at++) {
		/* Browsers drop tabs and line ends, older readers all controls. */
		if (address.ptr[at] >= ' ')
			out[size++] = byte_lower(address.ptr[at]);
	}
	return slice_of(out, size);
}

enum scheme reader_scheme(struct slice address)
{
	uint8_t            text[24];
	const struct slice front = address_front(address, text, sizeof text);
	const size_t       colon = slice_find(front, ':');

	if (slice_starts(front, SLICE("//")) || slice_starts(front, SLICE("\\\\")) || slice_starts(front, SLICE("http:")) ||
	    slice_starts(front, SLICE("https:")) || slice_starts(front, SLICE("ftp:")) || slice_starts(front, SLICE("file:")))
		return SCHEME_REMOTE;
	if (slice_starts(front, SLICE("javascript:")) || slice_starts(front, SLICE("vbscript:")) ||
	    slice_starts(front, SLICE("livescript:")) || slice_starts(front, SLICE("mocha:")))
		return SCHEME_SCRIPT;
	if (slice_starts(front, SLICE("data:")))
		return SCHEME_DATA;
	if (slice_starts(front, SLICE("blob:")) || slice_starts(front, SLICE("filesystem:")))
		return SCHEME_BLOB;
	for (size_t i = 0; i < colon && colon < front.len; i++) {
		if (!byte_is_alnum(front.ptr[i]) && front.ptr[i] != '+' && front.ptr[i] != '-' && front.ptr[i] != '.')
			return SCHEME_NONE;
	}
	return colon != 0 && colon < front.len ? SCHEME_OTHER : SCHEME_NONE;
}

static bool is_vml(enum html_element element)
{
	return element == HTML_ELEMENT_V_RECT || element == HTML_ELEMENT_V_ROUNDRECT || element == HTML_ELEMENT_V_SHAPE;
}

static enum html_role href_role(const struct html_token *token)
{
	switch ((unsigned)token->element) {
	case HTML_ELEMENT_A:
	case HTML_ELEMENT_AREA:
		return HTML_ROLE_CLICK;
	case HTML_ELEMENT_BASE:
		return HTML_ROLE_BASE;
	case HTML_ELEMENT_SCRIPT:
		return HTML_ROLE_SCRIPT;
	case HTML_ELEMENT_IMAGE:
	case HTML_ELEMENT_FEIMAGE:
	case HTML_ELEMENT_USE:
		return HTML_ROLE_PICTURE;
	case HTML_ELEMENT_LINK: {
		const struct slice rel = html_token_value(token, HTML_ATTRIBUTE_REL);
		return slice_search_nocase(rel, SLICE("stylesheet")) < rel.len || slice_search_nocase(rel, SLICE("icon")) < rel.len ||
		                       slice_search_nocase(rel, SLICE("pre")) < rel.len || slice_search_nocase(rel, SLICE("import")) < rel.len
		               ? HTML_ROLE_FETCH
		               : HTML_ROLE_CITE;
	}
	default:
		return is_vml(token->element) ? HTML_ROLE_CLICK : HTML_ROLE_CITE;
	}
}

static enum html_role src_role(enum html_element element)
{
	switch ((unsigned)element) {
	case HTML_ELEMENT_IMG:
	case HTML_ELEMENT_IMAGE:
	case HTML_ELEMENT_INPUT:
	case HTML_ELEMENT_V_IMAGEDATA:
	case HTML_ELEMENT_V_FILL:
		return HTML_ROLE_PICTURE;
	case HTML_ELEMENT_SCRIPT:
		return HTML_ROLE_SCRIPT;
	case HTML_ELEMENT_IFRAME:
	case HTML_ELEMENT_FRAME:
	case HTML_ELEMENT_EMBED:
		return HTML_ROLE_FRAME;
	case HTML_ELEMENT_AUDIO:
	case HTML_ELEMENT_VIDEO:
	case HTML_ELEMENT_SOURCE:
	case HTML_ELEMENT_TRACK:
	case HTML_ELEMENT_BGSOUND:
		return HTML_ROLE_FETCH;
	default:
		return HTML_ROLE_CITE;
	}
}

/* Elements of SVG that give another element's attribute a value: of an address? */
static bool animates_address(const struct html_token *token)
{
	const struct slice name = html_token_value(token, HTML_ATTRIBUTE_ATTRIBUTENAME);

	return (token->element == HTML_ELEMENT_ANIMATE || token->element == HTML_ELEMENT_SET) &&
	       slice_ends_nocase(name, SLICE("href"));
}

static bool is_address_param(const struct html_token *token)
{
	const struct slice name = html_token_value(token, HTML_ATTRIBUTE_NAME);

	return token->element == HTML_ELEMENT_PARAM &&
	       (slice_eq_nocase(name, SLICE("src")) || slice_eq_nocase(name, SLICE("movie")) ||
	        slice_eq_nocase(name, SLICE("url")) || slice_eq_nocase(name, SLICE("href")) ||
	        slice_eq_nocase(name, SLICE("filename")) || slice_eq_nocase(name, SLICE("code")));
}

/* What an attribute's address is for. HTML_ROLES: it holds none. */
static enum html_role role_of(const struct html_token *token, enum html_attribute_name attribute)
{
	const enum html_element element = token->element;

	switch ((unsigned)attribute) {
	case HTML_ATTRIBUTE_HREF:
	case HTML_ATTRIBUTE_XLINK_HREF:
		return href_role(token);
	case HTML_ATTRIBUTE_SRC:
		return src_role(element);
	case HTML_ATTRIBUTE_BACKGROUND:
	case HTML_ATTRIBUTE_POSTER:
	case HTML_ATTRIBUTE_LOWSRC:
	case HTML_ATTRIBUTE_DYNSRC:
	case HTML_ATTRIBUTE_ICON:
		return HTML_ROLE_PICTURE;
	case HTML_ATTRIBUTE_FORMACTION:
		return HTML_ROLE_SUBMIT;
	case HTML_ATTRIBUTE_ACTION:
		return element == HTML_ELEMENT_FORM || element == HTML_ELEMENT_ISINDEX ? HTML_ROLE_SUBMIT : HTML_ROLES;
	case HTML_ATTRIBUTE_DATA:
	case HTML_ATTRIBUTE_CODE:
	case HTML_ATTRIBUTE_ARCHIVE:
	case HTML_ATTRIBUTE_CODEBASE:
	case HTML_ATTRIBUTE_CLASSID:
		return element == HTML_ELEMENT_OBJECT || element == HTML_ELEMENT_APPLET ? HTML_ROLE_FRAME : HTML_ROLES;
	case HTML_ATTRIBUTE_MANIFEST:
		return HTML_ROLE_FETCH;
	case HTML_ATTRIBUTE_PING:
		return HTML_ROLE_PING;
	case HTML_ATTRIBUTE_CITE:
	case HTML_ATTRIBUTE_LONGDESC:
	case HTML_ATTRIBUTE_PROFILE:
		return HTML_ROLE_CITE;
	case HTML_ATTRIBUTE_FROM:
	case HTML_ATTRIBUTE_TO:
	case HTML_ATTRIBUTE_BY:
	case HTML_ATTRIBUTE_VALUES:
		return animates_address(token) ? HTML_ROLE_CLICK : HTML_ROLES;
	case HTML_ATTRIBUTE_VALUE:
		return is_address_param(token) ? HTML_ROLE_FRAME : HTML_ROLES;
	default:
		return HTML_ROLES;
	}
}

static void remote_fact(struct html_reader *r, const struct html_link *link)
{
	switch (link->role) {
	case HTML_ROLE_PICTURE:
		if (link->element == HTML_ELEMENT_STYLE)
			return;
		r->summary->pictures_remote += r->summary->pictures_remote != UINT32_MAX;
		reader_fact_once(r, HTML_FACT_PICTURE_REMOTE, link->address);
		return;
	case HTML_ROLE_SCRIPT:
		reader_fact(r, HTML_FACT_SCRIPT_REMOTE, link->address);
		return;
	case HTML_ROLE_FETCH:
		if (link->element == HTML_ELEMENT_LINK)
			reader_fact_once(r, HTML_FACT_STYLE_REMOTE, link->address);
		return;
	case HTML_ROLE_CLICK:
	case HTML_ROLE_SUBMIT:
	case HTML_ROLE_FRAME:
	case HTML_ROLE_REFRESH:
	case HTML_ROLE_BASE:
	case HTML_ROLE_PING:
	case HTML_ROLE_CITE:
	case HTML_ROLES:
		return;
	}
}

/* What an address itself says, before its link is told. */
static void address_facts(struct html_reader *r, const struct html_link *link)
{
	switch (reader_scheme(link->address)) {
	case SCHEME_SCRIPT: {
		const size_t colon = slice_find(link->address, ':');
		reader_script(r, HTML_SCRIPT_ADDRESS, slice_drop(link->address, colon + 1));
		return;
	}
	case SCHEME_DATA:
		reader_data_url(r, link->address, link);
		return;
	case SCHEME_BLOB:
		reader_fact(r, HTML_FACT_BLOB_URL, link->address);
		return;
	case SCHEME_REMOTE:
		remote_fact(r, link);
		return;
	case SCHEME_NONE:
	case SCHEME_OTHER:
		if (link->role == HTML_ROLE_SCRIPT)
			remote_fact(r, link);
		return;
	}
}

void reader_link_flush(struct html_reader *r)
{
	struct open_link *open = &r->link;

	if (open->serial == 0)
		return;
	open->link.address = slice_of(open->address, open->address_size);
	open->link.title = slice_of(open->title, open->title_size);
	open->link.shown = slice_of(open->text, open->text_size);
	open->link.base = r->base;
	open->serial = 0;
	reader_link(r, &open->link);
}

static size_t part_copy(uint8_t *out, size_t room, struct slice s)
{
	s = slice_take(s, room);
	if (s.len != 0)
		memcpy(out, s.ptr, s.len);
	return s.len;
}

/* A link whose text is still to come. An address that does not fit is told at once, without its text. */
static void link_open(struct html_reader *r, const struct html_link *link, struct html_open *item)
{
	struct open_link *open = &r->link;

	reader_link_flush(r);
	if (link->address.len > ADDRESS_MAX) {
		reader_link(r, link);
		return;
	}
	open->serial = item->link = item->serial;
	open->link = *link;
	open->space = false;
	open->text_size = 0;
	open->address_size = part_copy(open->address, ADDRESS_MAX, link->address);
	open->title_size = part_copy(open->title, sizeof open->title, link->title);
}

static void address_take(struct html_reader *r, const struct html_token *token, const struct html_attribute *attribute,
                         enum html_role role, struct slice address, struct html_open *item)
{
	const struct html_link link = { .role = role,
		                        .element = token->element,
		                        .attribute = attribute->name,
		                        .address = address,
		                        .base = r->base,
		                        .title = html_token_value(token, token->element == HTML_ELEMENT_A ? HTML_ATTRIBUTE_TITLE
		                                                                                          : HTML_ATTRIBUTE_ALT),
		                        .download = html_token_attribute(token, HTML_ATTRIBUTE_DOWNLOAD) != NULL,
		                        .seen = item->look.hidden == 0 };

	address_facts(r, &link);
	if (role == HTML_ROLE_BASE) {
		reader_fact(r, HTML_FACT_BASE, address);
		if (r->base.len == 0)
			r->base = reader_keep(r, slice_trim(address));
	}
	const bool carries = role == HTML_ROLE_CLICK && token->element != HTML_ELEMENT_AREA &&
	                     (attribute->name == HTML_ATTRIBUTE_HREF || attribute->name == HTML_ATTRIBUTE_XLINK_HREF);
	if (!carries) {
		reader_link(r, &link);
		return;
	}
	struct html_link carried = link;
	carried.seen = false;
	link_open(r, &carried, item);
}

/* "a.png 1x, b.png 2x" (HTML 4.8.4.2.1). */
static void srcset_take(struct html_reader *r, const struct html_token *token, const struct html_attribute *attribute,
                        struct html_open *item)
{
	struct slice rest = attribute->value;

	while (rest.len != 0) {
		size_t size = 0;
		while (rest.len != 0 && (html_is_space(rest.ptr[0]) || rest.ptr[0] == ','))
			rest = slice_drop(rest, 1);
		while (size < rest.len && !html_is_space(rest.ptr[size]))
			size++;
		struct slice address = slice_take(rest, size);
		rest = slice_drop(rest, size);
		const bool ends = slice_last(address) == ',';
		while (slice_last(address) == ',')
			address = slice_take(address, address.len - 1);
		if (address.len != 0)
			address_take(r, token, attribute, HTML_ROLE_PICTURE, address, item);
		if (!ends)
			(void)slice_until(&rest, ',');
	}
}

/* "5; url=http://x/" (HTML 4.2.5.3): the address, or the empty slice. */
static struct slice refresh_address(struct slice content)
{
	const size_t url = slice_search_nocase(content, SLICE("url"));
	size_t       at = slice_find(content, ';');

	if (at == content.len)
		at = slice_find(content, ',');
	struct slice rest = slice_trim(slice_drop(content, at + 1));
	if (url < content.len && slice_starts_nocase(rest, SLICE("url"))) {
		const struct slice behind = slice_trim(slice_drop(rest, 3));
		if (slice_at(behind, 0) == '=')
			rest = slice_trim(slice_drop(behind, 1));
	}
	const int quote = slice_at(rest, 0);
	if (quote == '"' || quote == '\'') {
		rest = slice_drop(rest, 1);
		rest = slice_take(rest, slice_find(rest, (uint8_t)quote));
	}
	return rest;
}

static void meta_take(struct html_reader *r, const struct html_token *token, struct html_open *item)
{
	const struct html_attribute *content = html_token_attribute(token, HTML_ATTRIBUTE_CONTENT);
	const struct slice           equiv = slice_trim(html_token_value(token, HTML_ATTRIBUTE_HTTP_EQUIV));

	if (content == NULL || !slice_eq_nocase(equiv, SLICE("refresh")))
		return;
	const struct slice address = refresh_address(content->value);
	if (address.len == 0)
		return;
	reader_fact(r, HTML_FACT_REFRESH, address);
	address_take(r, token, content, HTML_ROLE_REFRESH, address, item);
}

static bool is_small(const struct html_token *token, const struct html_open *item, enum html_attribute_name name,
                     enum html_property property)
{
	const struct html_value *value = &item->own.cascade.values[property];
	struct slice             text = slice_trim(html_token_value(token, name));
	uint64_t                 size;

	if (value->set != 0 && value->unit == HTML_UNIT_PX)
		return value->number <= (int32_t)PIXEL_MAX * 1000;
	return num_take(&text, UINT32_MAX, &size) == RC_OK && size <= PIXEL_MAX && slice_at(text, 0) != '%';
}

static void picture_take(struct html_reader *r, const struct html_token *token, const struct html_open *item)
{
	const struct slice src = html_token_value(token, HTML_ATTRIBUTE_SRC);
	const bool         small = is_small(token, item, HTML_ATTRIBUTE_WIDTH, HTML_PROPERTY_WIDTH) &&
	                   is_small(token, item, HTML_ATTRIBUTE_HEIGHT, HTML_PROPERTY_HEIGHT);
	/* Size and colour of letters hide no picture. */
	const uint32_t letters = HTML_HIDDEN_BIT(HTML_HIDDEN_FONT) | HTML_HIDDEN_BIT(HTML_HIDDEN_COLOUR);
	const bool     hidden = (item->look.hidden & ~letters) != 0;

	if ((small || hidden) && reader_scheme(src) == SCHEME_REMOTE)
		reader_fact(r, HTML_FACT_PIXEL, src);
	if (!small && !hidden && item->link != 0 && item->link == r->link.serial) {
		r->link.link.picture = r->link.link.seen = true;
		if (r->link.title_size == 0)
			r->link.title_size = part_copy(r->link.title, sizeof r->link.title, html_token_value(token, HTML_ATTRIBUTE_ALT));
	}
	reader_label(r, HTML_PLACE_ALT, html_token_value(token, HTML_ATTRIBUTE_ALT));
}

void reader_style_url(void *context, struct slice address)
{
	struct html_reader    *r = context;
	const struct html_link link = { .role = HTML_ROLE_PICTURE,
		                        .element = HTML_ELEMENT_STYLE,
		                        .attribute = HTML_ATTRIBUTE_STYLE,
		                        .address = address,
		                        .base = r->base };

	if (address.len == 0)
		return;
	if (reader_scheme(address) == SCHEME_REMOTE)
		reader_fact_once(r, HTML_FACT_STYLE_REMOTE, address);
	address_facts(r, &link);
	reader_link(r, &link);
}

void reader_style_script(void *context, struct slice text)
{
	struct html_reader *r = context;

	reader_fact(r, HTML_FACT_STYLE_SCRIPT, text);
}

static bool is_handler_name(struct slice name)
{
	return name.len > 3 && slice_starts_nocase(name, SLICE("on")) && byte_is_alpha(name.ptr[2]);
}

/* An attribute that is a script, or that an animation makes one. */
static bool is_handler(const struct html_token *token, const struct html_attribute *attribute)
{
	if (attribute->value.len == 0)
		return false;
	if (attribute->name == HTML_ATTRIBUTE_OTHER)
		return is_handler_name(attribute->text);
	return (attribute->name == HTML_ATTRIBUTE_TO || attribute->name == HTML_ATTRIBUTE_FROM ||
	        attribute->name == HTML_ATTRIBUTE_VALUES) &&
	       (token->element == HTML_ELEMENT_SET || token->element == HTML_ELEMENT_ANIMATE) &&
	       is_handler_name(slice_trim(html_token_value(token, HTML_ATTRIBUTE_ATTRIBUTENAME)));
}

static void label_take(struct html_reader *r, const struct html_token *token, const struct html_attribute *attribute)
{
	const bool is_field = token->element == HTML_ELEMENT_INPUT || token->element == HTML_ELEMENT_BUTTON;

	switch ((unsigned)attribute->name) {
	case HTML_ATTRIBUTE_TITLE:
	case HTML_ATTRIBUTE_ARIA_LABEL:
	case HTML_ATTRIBUTE_PLACEHOLDER:
	case HTML_ATTRIBUTE_LABEL:
	case HTML_ATTRIBUTE_SUMMARY:
		reader_label(r, HTML_PLACE_LABEL, attribute->value);
		return;
	case HTML_ATTRIBUTE_VALUE:
		if (is_field && !slice_eq_nocase(html_token_value(token, HTML_ATTRIBUTE_TYPE), SLICE("hidden")))
			reader_label(r, HTML_PLACE_LABEL, attribute->value);
		return;
	default:
		return;
	}
}

void reader_attributes(struct html_reader *r, const struct html_token *token, struct html_open *item)
{
	for (size_t i = 0; i < token->count && r->rc == RC_OK; i++) {
		const struct html_attribute *attribute = &token->attributes[i];
		if (attribute->name == HTML_ATTRIBUTE_STYLE || attribute->name == HTML_ATTRIBUTE_CLASS)
			continue;
		if (attribute->name == HTML_ATTRIBUTE_SRCDOC && token->element == HTML_ELEMENT_IFRAME) {
			reader_fact(r, HTML_FACT_FRAME_TEXT, attribute->value);
			reader_inner_add(r, reader_keep(r, attribute->value), item->look.hidden, item->look.some);
			continue;
		}
		const enum html_role role = role_of(token, attribute->name);
		if (role != HTML_ROLES)
			address_take(r, token, attribute, role, attribute->value, item);
		else if (attribute->name == HTML_ATTRIBUTE_SRCSET || attribute->name == HTML_ATTRIBUTE_IMAGESRCSET)
			srcset_take(r, token, attribute, item);
		else if (is_handler(token, attribute))
			reader_script(r, HTML_SCRIPT_HANDLER, attribute->value);
		else if (attribute->name == HTML_ATTRIBUTE_DOWNLOAD)
			reader_fact(r, HTML_FACT_DOWNLOAD, attribute->value);
		else
			label_take(r, token, attribute);
		if (attribute->value.len != 0 && memchr(attribute->value.ptr, '<', attribute->value.len) != NULL)
			reader_markup(r, attribute->value);
	}
	if (token->element == HTML_ELEMENT_META)
		meta_take(r, token, item);
	else if (token->element == HTML_ELEMENT_IMG || (token->element == HTML_ELEMENT_IMAGE && item->foreign == 0))
		picture_take(r, token, item);
}
