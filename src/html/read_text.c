/* Streams of text: what everybody sees in one, all else in the other, each with its blanks collapsed. */
#include "html/read_part.h"

/* Block characters, squares, or a row of number signs. */
static bool may_draw(struct slice text)
{
	return slice_search(text, SLICE("\xe2\x96")) < text.len || slice_search(text, SLICE("\xe2\xac")) < text.len ||
	       slice_search(text, SLICE("######")) < text.len;
}

static void stream_flush(struct html_reader *r, struct stream *s)
{
	const struct html_text text = {
		.place = s->place, .text = slice_of(s->text, s->size), .hidden = s->hidden, .some = s->some, .flags = s->flags
	};

	if (s->size == 0)
		return;
	if (s == &r->seen && (r->drawing || may_draw(text.text))) {
		r->drawing = true;
		const size_t room = DRAWING_BYTES - r->drawing_size;
		const size_t size = s->size < room ? s->size : room;
		memcpy(&r->drawing_text[r->drawing_size], s->text, size);
		r->drawing_size += size;
	}
	if (s->place == HTML_PLACE_SHOWN)
		r->summary->shown += s->size;
	else if (s->place == HTML_PLACE_SOME)
		r->summary->some += s->size;
	else if (s->place == HTML_PLACE_HIDDEN)
		r->summary->hidden += s->size;
	s->size = 0;
	if (r->rc == RC_OK && r->sink->text != NULL)
		r->rc = r->sink->text(r->sink->context, &text);
}

void reader_streams_flush(struct html_reader *r)
{
	stream_flush(r, &r->seen);
	stream_flush(r, &r->unseen);
}

void reader_drawing_end(struct html_reader *r)
{
	struct html_cells *cells = &r->tables[0].cells;

	if (!r->drawing)
		return;
	if (html_cells_text(slice_of(r->drawing_text, r->drawing_size), cells)) {
		reader_fact(r, HTML_FACT_CELLS, SLICE("characters"));
		if (r->rc == RC_OK && r->sink->picture != NULL)
			r->rc = r->sink->picture(r->sink->context, cells);
	}
	r->drawing = false;
	r->drawing_size = 0;
}

static void stream_put(struct html_reader *r, struct stream *s, struct slice text)
{
	while (text.len != 0) {
		if (s->size == STREAM_BYTES)
			stream_flush(r, s);
		const size_t       room = STREAM_BYTES - s->size;
		const struct slice piece = slice_take(text, room);
		memcpy(&s->text[s->size], piece.ptr, piece.len);
		s->size += piece.len;
		text = slice_drop(text, piece.len);
	}
}

static size_t word_size(struct slice s)
{
	size_t size = 0;

	while (size < s.len && (s.ptr[size] > ' ' || !html_is_space(s.ptr[size])))
		size++;
	return size;
}

/* What stands before the next word: the end of a line, a cell, a blank. */
static void stream_gap(struct html_reader *r, struct stream *s)
{
	if (s->mark != 0 && s->any)
		stream_put(r, s, slice_of(&s->mark, 1));
	else if (s->space && s->any && s->mark == 0)
		stream_put(r, s, SLICE(" "));
	s->mark = 0;
	s->space = false;
	s->any = true;
}

static void stream_text(struct html_reader *r, struct stream *s, struct slice text, bool pre)
{
	if (pre) {
		stream_gap(r, s);
		stream_put(r, s, text);
		return;
	}
	while (text.len != 0) {
		const size_t size = word_size(text);
		if (size == 0) {
			s->space = true;
			text = slice_drop(text, 1);
			continue;
		}
		stream_gap(r, s);
		stream_put(r, s, slice_take(text, size));
		text = slice_drop(text, size);
	}
}

/* The text that the open link carries, collapsed in the same way. */
static void link_text(struct open_link *open, struct slice text)
{
	while (text.len != 0) {
		const size_t size = word_size(text);
		if (size == 0) {
			open->space = open->text_size != 0;
			text = slice_drop(text, 1);
			continue;
		}
		if (open->space && open->text_size < HTML_LINK_TEXT_MAX)
			open->text[open->text_size++] = ' ';
		open->space = false;
		open->link.seen = true;
		const struct slice piece = slice_take(slice_take(text, size), HTML_LINK_TEXT_MAX - open->text_size);
		if (piece.len != 0)
			memcpy(&open->text[open->text_size], piece.ptr, piece.len);
		open->text_size += piece.len;
		text = slice_drop(text, size);
	}
}

void reader_text(struct html_reader *r, const struct html_look *look, uint32_t link, struct slice text)
{
	const bool     shown = look->hidden == 0 && look->some == 0;
	struct stream *s = shown ? &r->seen : &r->unseen;
	const uint32_t flags = look->override && look->rtl ? HTML_TEXT_REVERSED : 0;

	if (s->hidden != look->hidden || s->some != look->some || s->flags != flags) {
		stream_flush(r, s);
		s->hidden = look->hidden;
		s->some = look->some;
		s->flags = flags;
		s->place = shown ? HTML_PLACE_SHOWN : look->hidden != 0 ? HTML_PLACE_HIDDEN : HTML_PLACE_SOME;
	}
	const uint64_t before = s->any;
	stream_text(r, s, text, look->pre);
	if (s->size != 0 || before != s->any) {
		r->summary->hidden_reasons |= look->hidden;
		r->summary->some_reasons |= look->some;
	}
	if (link != 0 && link == r->link.serial && look->hidden == 0)
		link_text(&r->link, text);
	if (shown && r->table_depth != 0 && r->table_depth <= TABLES_MAX && word_size(text) != 0 &&
	    !slice_eq(text, SLICE("\xc2\xa0")) && r->tables[r->table_depth - 1].in_cell)
		r->tables[r->table_depth - 1].cell_text = true;
}

void reader_mark(struct html_reader *r, const struct html_look *look, uint8_t mark)
{
	/* The edge of a box that nobody sees parts nothing that is seen. */
	if (look->sticky_hidden == 0 && look->sticky_some == 0 && r->seen.mark != '\n')
		r->seen.mark = mark;
	if (r->unseen.mark != '\n')
		r->unseen.mark = mark;
	if (r->link.serial != 0 && r->link.text_size != 0)
		r->link.space = true;
}

void reader_label(struct html_reader *r, enum html_place place, struct slice text)
{
	const struct html_text label = { .place = place, .text = slice_trim(text) };

	if (label.text.len != 0 && r->rc == RC_OK && r->sink->text != NULL)
		r->rc = r->sink->text(r->sink->context, &label);
}
