/*
 * Answers the conformance driver (html.py): one request a line on standard input, one answer a line on standard output.
 * Bytes are in hexadecimal, nothing as "-". Items of an answer are separated by blanks, parts of an item by ":".
 *
 *   tokens MODE CDATA LAST BYTES -> T:TEXT | S:NAME:FLAGS[:NAME=VALUE]... | E:NAME | C:TEXT | D:NAME:PUBLIC:SYSTEM:FLAGS
 *                                   MODE is a number of enum html_mode; CDATA 1: sections are text; tree 2: as a reader does
 *   sniff BYTES                  -> LABEL
 *   read SCRIPTING BYTES         -> text:PLACE:TEXT:HIDDEN:SOME | link:ROLE:ADDRESS:SHOWN:SEEN | script:PLACE:SOURCE |
 *                                   fact:NAME:EVIDENCE | form:ACTION:INPUTS | embedded:KIND:BYTES | picture:WIDTHxHEIGHT:BITS |
 *                                   shape:EXACT
 */
#include "base/codec.h"
#include "base/num.h"
#include "html/read.h"
#include "html/sniff.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LINE_MAX_BYTES (64u << 20)
#define ARENA_BYTES    (16u << 20)
#define ROUNDS         20

struct program {
	struct buf          in, out;
	struct arena        arena, token_arena;
	struct html_reader *reader;
};

static void put(struct buf *out, struct slice bytes)
{
	buf_put_byte(out, ':');
	if (bytes.len == 0)
		buf_put_byte(out, '-');
	buf_put_hex(out, bytes);
}

static void put_number(struct buf *out, uint64_t number)
{
	buf_put_byte(out, ':');
	buf_put_u64(out, number);
}

static void put_token(struct buf *out, const struct html_token *token)
{
	switch (token->kind) {
	case HTML_TOKEN_TEXT:
		buf_put_str(out, " T");
		put(out, token->text);
		return;
	case HTML_TOKEN_START:
		buf_put_str(out, " S");
		put(out, token->name);
		put_number(out, token->flags);
		for (size_t i = 0; i < token->count; i++) {
			put(out, token->attributes[i].text);
			buf_put_byte(out, '=');
			buf_put_hex(out, token->attributes[i].value);
		}
		return;
	case HTML_TOKEN_END:
		buf_put_str(out, " E");
		put(out, token->name);
		return;
	case HTML_TOKEN_COMMENT:
		buf_put_str(out, " C");
		put(out, token->text);
		put_number(out, token->flags);
		return;
	case HTML_TOKEN_DOCTYPE:
		buf_put_str(out, " D");
		put(out, token->name);
		put(out, token->public_id);
		put(out, token->system_id);
		put_number(out, token->flags);
		return;
	}
}

static uint64_t number_of(struct slice word)
{
	uint64_t number = 0;

	if (num_u64(word, UINT32_MAX, &number) != RC_OK) {
		fprintf(stderr, "no number\n");
		exit(2);
	}
	return number;
}

static struct slice bytes_of(struct program *p, struct slice word)
{
	buf_clear(&p->in);
	if (!slice_eq(word, SLICE("-")) && codec_hex_decode(word, &p->in) != RC_OK) {
		fprintf(stderr, "no hexadecimal\n");
		exit(2);
	}
	return buf_slice(&p->in);
}

static void tokens(struct program *p, struct slice line)
{
	static struct html_tokenizer tokenizer;
	struct html_token            token;
	uint8_t                      last[64];
	const enum html_mode         mode = (enum html_mode)number_of(slice_until(&line, ' '));
	const uint64_t               cdata = number_of(slice_until(&line, ' '));
	struct slice                 bytes = bytes_of(p, slice_until(&line, ' '));
	const size_t                 last_size = bytes.len < sizeof last ? bytes.len : 0;

	if (last_size != 0)
		memcpy(last, bytes.ptr, last_size);
	bytes = bytes_of(p, line);
	arena_reset(&p->token_arena);
	html_tokenizer_init(&tokenizer, bytes, &p->token_arena);
	html_tokenizer_last(&tokenizer, slice_of(last, last_size));
	html_tokenizer_mode(&tokenizer, mode);
	tokenizer.cdata = cdata != 0;
	while (html_tokenizer_next(&tokenizer, &token) == RC_OK) {
		put_token(&p->out, &token);
		if (cdata == 2 && token.kind == HTML_TOKEN_START && html_element_mode(token.element, false) != HTML_MODE_DATA)
			html_tokenizer_mode(&tokenizer, html_element_mode(token.element, false));
	}
}

/* The labels of the shared cases; text/ has all of them. */
static bool is_label(struct slice label)
{
	static const char *const labels[] = { "utf-8", "utf-16", "utf-16le", "utf-16be", "iso-8859-1", "iso8859-1", "iso-8859-2",
		                              "iso8859-2", "windows-1252", "windows-1254", "iso-8859-9", "shift_jis", "euc-jp",
		                              "big5", "x-x-big5", "gb2312", "gbk", "gb18030", "us-ascii", "x-user-defined" };

	for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
		if (slice_eq_nocase(label, slice_str(labels[i])))
			return true;
	}
	return false;
}

static enum rc on_text(void *context, const struct html_text *text)
{
	struct buf *out = context;

	buf_put_str(out, " text");
	put_number(out, text->place);
	put(out, text->text);
	put_number(out, text->hidden);
	put_number(out, text->some);
	return RC_OK;
}

static enum rc on_link(void *context, const struct html_link *link)
{
	struct buf *out = context;

	buf_put_str(out, " link");
	put_number(out, link->role);
	put(out, link->address);
	put(out, link->shown);
	put_number(out, link->seen);
	return RC_OK;
}

static enum rc on_script(void *context, enum html_script_place place, struct slice source)
{
	struct buf *out = context;

	buf_put_str(out, " script");
	put_number(out, place);
	put(out, source);
	return RC_OK;
}

static enum rc on_form(void *context, const struct html_form *form)
{
	struct buf *out = context;

	buf_put_str(out, " form");
	put(out, form->action);
	put_number(out, form->inputs);
	return RC_OK;
}

static enum rc on_embedded(void *context, const struct html_embedded *embedded)
{
	struct buf *out = context;

	buf_put_str(out, " embedded");
	put_number(out, embedded->kind);
	put(out, embedded->bytes);
	return RC_OK;
}

static enum rc on_picture(void *context, const struct html_cells *cells)
{
	struct buf *out = context;

	buf_printf(out, " picture:%ux%u", cells->width, cells->height);
	put(out, slice_of(cells->bits, (size_t)cells->height * HTML_CELLS_STRIDE));
	return RC_OK;
}

static enum rc on_fact(void *context, enum html_fact fact, struct slice evidence)
{
	struct buf *out = context;

	buf_put_str(out, " fact:");
	buf_put_str(out, html_fact_name(fact));
	put(out, evidence);
	return RC_OK;
}

static enum rc read_page(struct program *p, const struct html_options *options, const struct html_sink *sink,
                         struct html_summary *summary)
{
	uint64_t steps = 1u << 30;

	arena_reset(&p->arena);
	return html_read(p->reader, buf_slice(&p->in), options, &p->arena, sink, &steps, summary);
}

static void answer_read(struct program *p, struct slice line)
{
	const struct html_options options = { .scripting = number_of(slice_until(&line, ' ')) != 0 };
	const struct html_sink    sink = { .context = &p->out,
		                           .text = on_text,
		                           .link = on_link,
		                           .script = on_script,
		                           .form = on_form,
		                           .embedded = on_embedded,
		                           .picture = on_picture,
		                           .fact = on_fact };
	struct html_summary       summary;

	(void)bytes_of(p, line);
	if (read_page(p, &options, &sink, &summary) != RC_OK)
		exit(2);
	buf_printf(&p->out, " shape:%016llx", (unsigned long long)summary.fingerprint.exact);
}

/* Speed, by hand: html_answers bench FILE... prints microseconds of processor time for one tokenising and one reading. */
static int bench(struct program *p, char **paths)
{
	static struct html_tokenizer tokenizer;
	const struct html_options    options = { .scripting = false };
	const struct html_sink       sink = { .context = NULL };
	struct html_token            token;
	struct html_summary          summary;

	for (; *paths != NULL; paths++) {
		FILE *file = fopen(*paths, "rb");
		if (file == NULL)
			return 2;
		buf_clear(&p->in);
		uint8_t *room = buf_reserve(&p->in, 8u << 20);
		buf_grew(&p->in, fread(room, 1, 8u << 20, file));
		(void)fclose(file);
		const clock_t start = clock();
		for (int i = 0; i < ROUNDS; i++) {
			html_tokenizer_init(&tokenizer, buf_slice(&p->in), &p->token_arena);
			while (html_tokenizer_next(&tokenizer, &token) == RC_OK) {
				if (token.kind == HTML_TOKEN_START && html_element_mode(token.element, false) != HTML_MODE_DATA)
					html_tokenizer_mode(&tokenizer, html_element_mode(token.element, false));
			}
		}
		const clock_t middle = clock();
		for (int i = 0; i < ROUNDS; i++) {
			if (read_page(p, &options, &sink, &summary) != RC_OK)
				return 2;
		}
		const double tokenize_us = (double)(middle - start) * 1e6 / CLOCKS_PER_SEC / ROUNDS;
		const double read_us = (double)(clock() - middle) * 1e6 / CLOCKS_PER_SEC / ROUNDS;
		printf("%s\t%zu bytes\ttokens %.1f us (%.0f MB/s)\tread %.1f us (%.0f MB/s)%s\n", *paths, p->in.len, tokenize_us,
		       (double)p->in.len / tokenize_us, read_us, (double)p->in.len / read_us, summary.cut ? "\tcut" : "");
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct program p = { .in = buf_make(LINE_MAX_BYTES), .out = buf_make(8 * LINE_MAX_BYTES) };
	struct arena   place;
	char          *text = NULL;
	size_t         room = 0;
	ssize_t        size;

	if (arena_init(&p.arena, ARENA_BYTES) != RC_OK || arena_init(&p.token_arena, ARENA_BYTES) != RC_OK ||
	    arena_init(&place, 2u << 20) != RC_OK || (p.reader = html_reader_make(&place)) == NULL)
		return 2;
	if (argc > 2 && slice_eq(slice_str(argv[1]), SLICE("bench")))
		return bench(&p, argv + 2);
	while ((size = getline(&text, &room, stdin)) > 0) {
		struct slice       line = slice_of(text, (size_t)size - (text[size - 1] == '\n'));
		const struct slice word = slice_until(&line, ' ');
		buf_clear(&p.out);
		if (slice_eq(word, SLICE("tokens"))) {
			tokens(&p, line);
		} else if (slice_eq(word, SLICE("sniff"))) {
			put(&p.out, html_sniff(bytes_of(&p, line), SIZE_MAX, is_label));
		} else if (slice_eq(word, SLICE("read"))) {
			answer_read(&p, line);
		} else {
			return 2;
		}
		buf_put_byte(&p.out, '\n');
		if (p.out.failed || fwrite(p.out.ptr, 1, p.out.len, stdout) != p.out.len || fflush(stdout) != 0)
			return 2;
	}
	free(text);
	buf_done(&p.in);
	buf_done(&p.out);
	arena_done(&p.arena);
	arena_done(&p.token_arena);
	arena_done(&place);
	return 0;
}
