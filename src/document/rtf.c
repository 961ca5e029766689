/*
 * One pass over the file: groups, control words, text. A group inherits from its parent where its text goes; a control
 * word that names a destination changes that.
 */
#include "document/rtf.h"

#include "base/buf.h"
#include "document/ole_field.h"
#include "document/ole_object.h"
#include "document/ole_text.h"

#define WORD_MAX   250u
/* Pieces of text that are told together. */
#define TEXT_PIECE 32768u
#define SHORT_MAX  8192u

enum target {
	TARGET_TEXT,
	TARGET_SKIP,
	TARGET_META,
	TARGET_OBJECT, /* hexadecimal of an object */
	TARGET_PICTURE,
	TARGET_CLASS,
	TARGET_TEMPLATE,
	TARGET_LINK,  /* the address of a shape */
	TARGET_FIELD, /* an instruction */
};

struct group {
	uint8_t target;
	uint8_t unicode_skip; /* \uc */
	bool    hidden;
	bool    field; /* a \field group ends here */
	bool    owner; /* the target was set in this group: what it gathered is whole at its end */
};

struct rtf {
	struct budget             *budget;
	const struct content_sink *sink;
	struct slice               rest;
	struct group               groups[RTF_DEPTH_MAX];
	size_t                     depth; /* may pass RTF_DEPTH_MAX */
	struct group               now;
	unsigned                   codepage;
	unsigned                   skip;    /* characters that stand for the last \u */
	bool                       starred; /* \* came, the next word names a destination */
	struct buf                 text, meta, hex, alternative, small, instruction, shown;
	int                        nibble;
	int                        raw_nibble;
	bool                       in_result;
	bool                       junk; /* something stood among the digits that no writer puts there */
	const char                *picture;
	uint8_t                    lead; /* first byte of a character of two in the code page; 0: none */
	bool                       told_update, told_junk;
};

bool rtf_is(struct slice file)
{
	file = slice_take(file, 64);
	while (file.len != 0 &&
	       (file.ptr[0] <= ' ' || file.ptr[0] == 0xef || file.ptr[0] == 0xbb || file.ptr[0] == 0xbf))
		file = slice_drop(file, 1);
	return slice_starts_nocase(file, SLICE("{\\rt"));
}

static int hex_digit(uint8_t byte)
{
	if (byte_is_digit(byte))
		return byte - '0';
	const uint8_t lower = byte_lower(byte);
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static enum rc text_flush(struct rtf *r)
{
	const enum rc rc =
		sink_text(r->sink, r->now.hidden ? CONTENT_PLACE_HIDDEN : CONTENT_PLACE_BODY, buf_slice(&r->text));

	buf_clear(&r->text);
	return rc;
}

static struct buf *buffer_of(struct rtf *r)
{
	switch ((enum target)r->now.target) {
	case TARGET_TEXT:
		return &r->text;
	case TARGET_META:
		return &r->meta;
	case TARGET_CLASS:
	case TARGET_TEMPLATE:
	case TARGET_LINK:
		return &r->small;
	case TARGET_FIELD:
		return &r->instruction;
	case TARGET_SKIP:
	case TARGET_OBJECT:
	case TARGET_PICTURE:
		return NULL;
	}
	return NULL;
}

static enum rc code_put(struct rtf *r, uint32_t code)
{
	struct buf *out = buffer_of(r);

	r->lead = 0;
	if (out == NULL)
		return RC_OK;
	if (out == &r->instruction || out == &r->small) {
		if (out->len < SHORT_MAX)
			ole_put_code(out, code);
		return RC_OK;
	}
	ole_put_code(out, code);
	if (out == &r->text && r->in_result && r->shown.len < SHORT_MAX)
		ole_put_code(&r->shown, code);
	return out == &r->text && out->len >= TEXT_PIECE ? text_flush(r) : RC_OK;
}

/* Whether characters of two bytes are in the code page, and this begins one. */
static bool is_lead(const struct rtf *r, uint8_t byte)
{
	return (r->codepage == 932 || r->codepage == 936 || r->codepage == 949 || r->codepage == 950) && byte > 0x80 &&
	       !(r->codepage == 932 && byte >= 0xa0 && byte < 0xe0);
}

static enum rc byte_put(struct rtf *r, uint8_t byte)
{
	struct buf    one = buf_make(8);
	const uint8_t pair[2] = { r->lead, byte };
	enum rc       rc = RC_OK;

	if (r->lead == 0 && byte < 0x80)
		return code_put(r, byte);
	if (r->lead == 0 && is_lead(r, byte)) {
		r->lead = byte;
		return RC_OK;
	}
	ole_put_codepage(r->codepage, r->lead != 0 ? slice_of(pair, 2) : slice_of(&byte, 1), &one);
	r->lead = 0;
	struct buf *out = buffer_of(r);
	if (out != NULL && (out->len < SHORT_MAX || out == &r->text || out == &r->meta))
		buf_put(out, buf_slice(&one));
	if (out == &r->text && out->len >= TEXT_PIECE)
		rc = text_flush(r);
	buf_done(&one);
	return rc;
}

static void nibble_put(struct buf *out, int *pending, int digit)
{
	if (*pending < 0) {
		*pending = digit;
		return;
	}
	buf_put_byte(out, (uint8_t)(*pending << 4 | digit));
	*pending = -1;
}

static bool takes_hex(const struct rtf *r)
{
	return r->now.target == TARGET_OBJECT || r->now.target == TARGET_PICTURE;
}

static enum rc char_take(struct rtf *r, uint8_t byte)
{
	const int digit = hex_digit(byte);

	if (r->skip != 0) {
		r->skip--;
		return RC_OK;
	}
	if (!takes_hex(r)) {
		if (byte == '\r' || byte == '\n' || byte == 0)
			return RC_OK;
		return byte_put(r, byte);
	}
	if (digit >= 0)
		nibble_put(&r->hex, &r->nibble, digit);
	else if (byte > ' ')
		r->junk = true;
	return RC_OK;
}

static enum rc object_end(struct rtf *r)
{
	enum rc rc = RC_OK;

	if (r->hex.len == 0)
		return RC_OK;
	if (r->junk && !r->told_junk) {
		r->told_junk = true;
		rc = sink_fact(r->sink, CONTENT_FACT_OFFICE_OBFUSCATED, SLICE("words among the digits of an object"));
	}
	if (rc == RC_OK && !budget_take(r->budget, BUDGET_BYTES, r->hex.len))
		return RC_LIMIT;
	if (rc == RC_OK)
		rc = ole_object_read(buf_slice(&r->hex), r->budget, r->sink);
	/* Readers differ in what of the groups inside belongs to the object. */
	if (rc == RC_SYNTAX && r->alternative.len != 0)
		rc = ole_object_read(buf_slice(&r->alternative), r->budget, r->sink);
	if (rc == RC_SYNTAX) {
		const struct content_member member = { .bytes = buf_slice(&r->hex), .flags = CONTENT_MEMBER_DAMAGED };
		rc = sink_fact(r->sink, CONTENT_FACT_OFFICE_OBJECT, (struct slice){ NULL, 0 });
		if (rc == RC_OK)
			rc = sink_member(r->sink, r->budget, &member);
	}
	return rc;
}

static enum rc picture_end(struct rtf *r)
{
	const struct content_member member = { .bytes = buf_slice(&r->hex), .kind = slice_str(r->picture) };

	if (r->hex.len == 0)
		return RC_OK;
	if (!budget_take(r->budget, BUDGET_BYTES, r->hex.len))
		return RC_LIMIT;
	return sink_member(r->sink, r->budget, &member);
}

static enum rc small_end(struct rtf *r, enum target target)
{
	const struct slice text = slice_trim(buf_slice(&r->small));
	enum rc            rc = RC_OK;

	if (target == TARGET_CLASS)
		rc = ole_class_name_tell(text, r->sink);
	else if (target == TARGET_LINK)
		rc = sink_link(r->sink, CONTENT_PLACE_BODY, text, (struct slice){ NULL, 0 });
	else if (slice_search(text, SLICE("//")) < text.len || slice_starts(text, SLICE("\\\\"))) {
		rc = sink_fact(r->sink, CONTENT_FACT_OFFICE_TEMPLATE, text);
		if (rc == RC_OK)
			rc = sink_link(r->sink, CONTENT_PLACE_REFERENCE, text, (struct slice){ NULL, 0 });
	}
	buf_clear(&r->small);
	return rc;
}

static enum rc field_end(struct rtf *r)
{
	struct buf quoted = buf_make(OLE_FIELD_MAX);
	enum rc    rc = RC_OK;

	if (ole_field_quote(buf_slice(&r->instruction), &quoted)) {
		/* Stays for the field around it. */
		buf_clear(&r->instruction);
		buf_put(&r->instruction, buf_slice(&quoted));
	} else {
		rc = ole_field_tell(buf_slice(&r->instruction), slice_trim(buf_slice(&r->shown)), r->sink);
		buf_clear(&r->instruction);
	}
	buf_clear(&r->shown);
	buf_done(&quoted);
	return rc;
}

/* What a group gathered is whole. */
static enum rc target_end(struct rtf *r, enum target target)
{
	enum rc rc = RC_OK;

	switch (target) {
	case TARGET_OBJECT:
		rc = object_end(r);
		break;
	case TARGET_PICTURE:
		rc = picture_end(r);
		break;
	case TARGET_CLASS:
	case TARGET_TEMPLATE:
	case TARGET_LINK:
		return small_end(r, target);
	case TARGET_META:
		buf_put_byte(&r->meta, '\n');
		return RC_OK;
	case TARGET_TEXT:
	case TARGET_SKIP:
	case TARGET_FIELD:
		return RC_OK;
	}
	buf_clear(&r->hex);
	buf_clear(&r->alternative);
	r->nibble = r->raw_nibble = -1;
	r->junk = false;
	return rc;
}

static void group_begin(struct rtf *r)
{
	if (r->depth < RTF_DEPTH_MAX)
		r->groups[r->depth] = r->now;
	r->depth++;
	r->now.owner = r->now.field = false;
	r->starred = false;
	r->skip = 0;
}

static enum rc group_end(struct rtf *r)
{
	const struct group ended = r->now;
	enum rc            rc = RC_OK;

	r->starred = false;
	r->skip = 0;
	if (r->depth == 0)
		return RC_OK;
	if (ended.owner)
		rc = target_end(r, (enum target)ended.target);
	if (rc == RC_OK && ended.field) {
		r->in_result = false;
		rc = field_end(r);
	}
	r->depth--;
	if (r->depth < RTF_DEPTH_MAX) {
		if (rc == RC_OK && r->groups[r->depth].hidden != ended.hidden)
			rc = text_flush(r);
		r->now = r->groups[r->depth];
	}
	return rc;
}

enum action {
	DO_TARGET,
	DO_CHAR,
	DO_FIELD,
	DO_RESULT,
	DO_UPDATE,
	DO_LINKED,
	DO_ACTIVEX,
	DO_PICTURE,
	DO_CODEPAGE,
	DO_UC,
	DO_UNICODE,
	DO_BIN,
	DO_HIDDEN,
	DO_PLAIN,
	DO_SHAPE,
};

struct word {
	struct slice name;
	enum action  action;
	uint32_t     value; /* a target or a character */
};

/* clang-format off: a table */
static const struct word words[] = {
	{ SLICE_INIT("objdata"), DO_TARGET, TARGET_OBJECT },
	{ SLICE_INIT("pict"), DO_TARGET, TARGET_PICTURE },
	{ SLICE_INIT("objclass"), DO_TARGET, TARGET_CLASS },
	{ SLICE_INIT("template"), DO_TARGET, TARGET_TEMPLATE },
	{ SLICE_INIT("hlsrc"), DO_TARGET, TARGET_LINK },
	{ SLICE_INIT("hlfr"), DO_TARGET, TARGET_SKIP },
	{ SLICE_INIT("hlloc"), DO_TARGET, TARGET_SKIP },
	{ SLICE_INIT("fldinst"), DO_TARGET, TARGET_FIELD },
	{ SLICE_INIT("fonttbl"), DO_TARGET, TARGET_SKIP },
	{ SLICE_INIT("colortbl"), DO_TARGET, TARGET_SKIP },
	{ SLICE_INIT("stylesheet"), DO_TARGET, TARGET_SKIP },
	{ SLICE_INIT("objname"), DO_TARGET, TARGET_SKIP },
	{ SLICE_INIT("listtable"), DO_TARGET, TARGET_SKIP },
	{ SLICE_INIT("info"), DO_TARGET, TARGET_META },
	{ SLICE_INIT("nonshppict"), DO_TARGET, TARGET_SKIP },
	{ SLICE_INIT("result"), DO_TARGET, TARGET_TEXT },
	{ SLICE_INIT("shptxt"), DO_TARGET, TARGET_TEXT },
	{ SLICE_INIT("fldrslt"), DO_RESULT, 0 },
	{ SLICE_INIT("field"), DO_FIELD, 0 },
	{ SLICE_INIT("objupdate"), DO_UPDATE, 0 },
	{ SLICE_INIT("objautlink"), DO_LINKED, 0 },
	{ SLICE_INIT("objlink"), DO_LINKED, 0 },
	{ SLICE_INIT("objocx"), DO_ACTIVEX, 0 },
	{ SLICE_INIT("pngblip"), DO_PICTURE, 0 },
	{ SLICE_INIT("jpegblip"), DO_PICTURE, 1 },
	{ SLICE_INIT("emfblip"), DO_PICTURE, 2 },
	{ SLICE_INIT("wmetafile"), DO_PICTURE, 3 },
	{ SLICE_INIT("dibitmap"), DO_PICTURE, 4 },
	{ SLICE_INIT("ansicpg"), DO_CODEPAGE, 0 },
	{ SLICE_INIT("uc"), DO_UC, 0 },
	{ SLICE_INIT("u"), DO_UNICODE, 0 },
	{ SLICE_INIT("bin"), DO_BIN, 0 },
	{ SLICE_INIT("v"), DO_HIDDEN, 0 },
	{ SLICE_INIT("plain"), DO_PLAIN, 0 },
	{ SLICE_INIT("pFragments"), DO_SHAPE, 0 },
	{ SLICE_INIT("par"), DO_CHAR, '\n' },
	{ SLICE_INIT("line"), DO_CHAR, '\n' },
	{ SLICE_INIT("sect"), DO_CHAR, '\n' },
	{ SLICE_INIT("page"), DO_CHAR, '\n' },
	{ SLICE_INIT("row"), DO_CHAR, '\n' },
	{ SLICE_INIT("cell"), DO_CHAR, '\t' },
	{ SLICE_INIT("tab"), DO_CHAR, '\t' },
	{ SLICE_INIT("emdash"), DO_CHAR, 0x2014 },
	{ SLICE_INIT("endash"), DO_CHAR, 0x2013 },
	{ SLICE_INIT("lquote"), DO_CHAR, 0x2018 },
	{ SLICE_INIT("rquote"), DO_CHAR, 0x2019 },
	{ SLICE_INIT("ldblquote"), DO_CHAR, 0x201c },
	{ SLICE_INIT("rdblquote"), DO_CHAR, 0x201d },
	{ SLICE_INIT("bullet"), DO_CHAR, 0x2022 },
};
/* clang-format on */

static enum rc target_set(struct rtf *r, enum target target)
{
	/* The same destination again in a group of its own only goes on. */
	const bool nested =
		r->now.target == target && !r->now.owner && (target == TARGET_OBJECT || target == TARGET_PICTURE);

	r->now.target = (uint8_t)target;
	if (!nested)
		r->now.owner = true;
	if (target == TARGET_OBJECT || target == TARGET_PICTURE) {
		if (!nested) {
			buf_clear(&r->hex);
			buf_clear(&r->alternative);
			r->picture = NULL;
		}
		r->nibble = r->raw_nibble = -1;
	}
	return RC_OK;
}

static enum rc update_tell(struct rtf *r, struct slice word)
{
	if (r->told_update)
		return RC_OK;
	r->told_update = true;
	return sink_fact(r->sink, CONTENT_FACT_OFFICE_AUTO_OBJECT, word);
}

static void binary_take(struct rtf *r, size_t count)
{
	const struct slice bytes = slice_take(r->rest, count);

	if (takes_hex(r))
		buf_put(&r->hex, bytes);
	r->rest = slice_drop(r->rest, count);
}

static enum rc word_do(struct rtf *r, const struct word *word, bool has_number, int32_t number)
{
	static const char *const pictures[] = { "image/png", "image/jpeg", "image/x-emf", "image/x-wmf", "image/bmp" };
	enum rc                  rc = RC_OK;

	switch (word->action) {
	case DO_TARGET:
		return target_set(r, (enum target)word->value);
	case DO_CHAR:
		return takes_hex(r) ? RC_OK : code_put(r, word->value);
	case DO_FIELD:
		r->now.field = true;
		return RC_OK;
	case DO_RESULT:
		r->now.target = TARGET_TEXT;
		r->in_result = true;
		buf_clear(&r->shown);
		return RC_OK;
	case DO_UPDATE:
	case DO_LINKED:
		return update_tell(r, word->name);
	case DO_ACTIVEX:
		return sink_fact(r->sink, CONTENT_FACT_OFFICE_ACTIVEX, word->name);
	case DO_PICTURE:
		r->picture = pictures[word->value];
		return RC_OK;
	case DO_CODEPAGE:
		r->codepage = (unsigned)number;
		return RC_OK;
	case DO_UC:
		r->now.unicode_skip = number < 0 || number > 200 ? 0 : (uint8_t)number;
		return RC_OK;
	case DO_UNICODE:
		r->skip = r->now.unicode_skip;
		return has_number ? code_put(r, number < 0 ? (uint32_t)(number + 65536) : (uint32_t)number) : RC_OK;
	case DO_BIN:
		if (number > 0)
			binary_take(r, (size_t)number);
		return RC_OK;
	case DO_HIDDEN:
		rc = text_flush(r);
		r->now.hidden = !has_number || number != 0;
		return rc;
	case DO_PLAIN:
		rc = text_flush(r);
		r->now.hidden = false;
		return rc;
	case DO_SHAPE:
		return sink_fact(r->sink, CONTENT_FACT_OFFICE_CLASS, word->name);
	}
	return rc;
}

/* Letters, an optional number, an optional blank. */
static enum rc word_take(struct rtf *r)
{
	size_t  size = 0;
	int32_t number = 0;
	bool    has_number = false, negative = false;

	while (size < r->rest.len && size < WORD_MAX && byte_is_alpha(r->rest.ptr[size]))
		size++;
	const struct slice name = slice_take(r->rest, size);
	r->rest = slice_drop(r->rest, size);
	if (slice_at(r->rest, 0) == '-' && slice_at(r->rest, 1) >= '0' && slice_at(r->rest, 1) <= '9') {
		negative = true;
		r->rest = slice_drop(r->rest, 1);
	}
	while (r->rest.len != 0 && byte_is_digit(r->rest.ptr[0])) {
		has_number = true;
		number = number > 100000000 ? number : number * 10 + (r->rest.ptr[0] - '0');
		r->rest = slice_drop(r->rest, 1);
	}
	if (slice_at(r->rest, 0) == ' ')
		r->rest = slice_drop(r->rest, 1);
	const bool starred = r->starred;
	r->starred = false;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (slice_eq(name, words[i].name))
			return word_do(r, &words[i], has_number, negative ? -number : number);
	if (takes_hex(r) && r->now.target == TARGET_OBJECT)
		r->junk = true;
	/* An unknown destination that says it may be left out: its contents are no text, and no part of an object. */
	if (starred && !slice_eq(name, SLICE("shppict")) && !slice_eq(name, SLICE("shpinst")) &&
	    !slice_eq(name, SLICE("hl")) && !slice_eq(name, SLICE("background")) && !slice_eq(name, SLICE("objalias")))
		r->now.target = TARGET_SKIP, r->now.owner = false;
	return RC_OK;
}

/* \'hh, \{ and the like. */
static enum rc symbol_take(struct rtf *r)
{
	const uint8_t byte = r->rest.ptr[0];

	r->rest = slice_drop(r->rest, 1);
	if (byte == '\'') {
		const int high = r->rest.len >= 2 ? hex_digit(r->rest.ptr[0]) : -1;
		const int low = r->rest.len >= 2 ? hex_digit(r->rest.ptr[1]) : -1;
		if (high < 0 || low < 0)
			return RC_OK;
		r->rest = slice_drop(r->rest, 2);
		if (r->skip != 0) {
			r->skip--;
			return RC_OK;
		}
		if (takes_hex(r)) {
			/* Word takes the byte for itself and forgets half a one before it. */
			r->nibble = -1;
			r->junk = true;
			return RC_OK;
		}
		return byte_put(r, (uint8_t)(high << 4 | low));
	}
	if (byte == '*') {
		r->starred = true;
		return RC_OK;
	}
	if (byte == '\n' || byte == '\r')
		return takes_hex(r) ? RC_OK : code_put(r, '\n');
	if (byte == '~' || byte == '_')
		return takes_hex(r) ? RC_OK : code_put(r, byte == '~' ? ' ' : '-');
	if (byte == '\\' || byte == '{' || byte == '}')
		return takes_hex(r) ? RC_OK : code_put(r, byte);
	return RC_OK;
}

/* The other reading of an object: every digit up to the end of its group, whatever groups and words stand there. */
static void alternative_take(struct rtf *r)
{
	const uint8_t byte = r->rest.ptr[0];
	const int     digit = hex_digit(byte);

	if (digit >= 0 && r->hex.len < RTF_OBJECT_MAX)
		nibble_put(&r->alternative, &r->raw_nibble, digit);
}

static bool inside_object(const struct rtf *r)
{
	if (r->now.target == TARGET_OBJECT)
		return true;
	for (size_t i = r->depth < RTF_DEPTH_MAX ? r->depth : RTF_DEPTH_MAX; i != 0 && i + 2 > r->depth; i--)
		if (r->groups[i - 1].target == TARGET_OBJECT)
			return true;
	return false;
}

static enum rc token_take(struct rtf *r)
{
	const uint8_t byte = r->rest.ptr[0];

	if (inside_object(r))
		alternative_take(r);
	r->rest = slice_drop(r->rest, 1);
	if (byte == '{') {
		group_begin(r);
		return RC_OK;
	}
	if (byte == '}')
		return group_end(r);
	if (byte != '\\')
		return char_take(r, byte);
	if (r->rest.len == 0)
		return RC_OK;
	return byte_is_alpha(r->rest.ptr[0]) ? word_take(r) : symbol_take(r);
}

enum rc rtf_open(struct slice file, struct budget *budget, const struct content_sink *sink)
{
	struct rtf r = { .budget = budget,
		         .sink = sink,
		         .rest = file,
		         .now = { .target = TARGET_TEXT, .unicode_skip = 1 },
		         .codepage = 1252,
		         .text = buf_make(RTF_TEXT_MAX),
		         .meta = buf_make(RTF_TEXT_MAX),
		         .hex = buf_make(RTF_OBJECT_MAX),
		         .alternative = buf_make(RTF_OBJECT_MAX),
		         .small = buf_make(SHORT_MAX * 2),
		         .instruction = buf_make(SHORT_MAX * 2),
		         .shown = buf_make(SHORT_MAX * 2),
		         .nibble = -1,
		         .raw_nibble = -1 };

	if (!rtf_is(file))
		return RC_SYNTAX;
	if (!budget_take(budget, BUDGET_STEPS, file.len))
		return RC_LIMIT;
	enum rc rc = RC_OK;
	while (rc == RC_OK && r.rest.len != 0)
		rc = token_take(&r);
	/* A file that ends within an object still has that object. */
	if (rc == RC_OK && takes_hex(&r))
		rc = target_end(&r, (enum target)r.now.target);
	if (rc == RC_OK)
		rc = field_end(&r);
	if (rc == RC_OK)
		rc = text_flush(&r);
	if (rc == RC_OK)
		rc = sink_text(sink, CONTENT_PLACE_METADATA, buf_slice(&r.meta));
	buf_done(&r.text);
	buf_done(&r.meta);
	buf_done(&r.hex);
	buf_done(&r.alternative);
	buf_done(&r.small);
	buf_done(&r.instruction);
	buf_done(&r.shown);
	return rc;
}
