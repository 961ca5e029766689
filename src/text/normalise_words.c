/*
 * Words of the reader's text: borrowed letters, digits for letters, letters one by one. All is done in place behind
 * the writer.
 */
#include "text/normalise_inside.h"
#include "text/utf8.h"

#define LATIN_SHARE 3u /* a word all of posing letters is Latin where so many times more letters up to it are */

static bool is_alphabet(enum unicode_script script)
{
	return script == UNICODE_GREEK || script == UNICODE_CYRILLIC || script == UNICODE_ARMENIAN ||
	       script == UNICODE_CHEROKEE || script == UNICODE_OTHER;
}

void normalise_word_add(struct normalise_run *run, uint32_t character, size_t start)
{
	if (!run->in_word) {
		run->in_word = true;
		run->word_start = start;
		run->word_offset = run->offset;
		memset(run->alphabets, 0, sizeof run->alphabets);
		run->posing = run->numbers = 0;
	}
	if (character < 0x80) {
		if (byte_is_alpha((uint8_t)character))
			run->alphabets[UNICODE_LATIN]++;
		else
			run->numbers++;
		return;
	}
	run->alphabets[unicode_script(character)]++;
	run->posing += normalise_pose(character) != 0;
}

/* ---- letters of another script ---- */

static uint32_t foreign_count(const uint32_t letters[UNICODE_SCRIPTS])
{
	uint32_t count = 0;

	for (enum unicode_script script = UNICODE_COMMON; script < UNICODE_SCRIPTS; script++)
		count += is_alphabet(script) ? letters[script] : 0;
	return count;
}

static bool is_posing(const struct normalise_run *run)
{
	const uint32_t latin = run->alphabets[UNICODE_LATIN], foreign = foreign_count(run->alphabets);

	if (run->posing == 0)
		return false;
	/* "μm", "kΩ", "Δx": units and formulas. */
	if (latin != 0 && foreign != 0)
		return latin + foreign > 3 || run->alphabets[UNICODE_GREEK] == 0;
	if (latin != 0)
		return true;
	return foreign > 3 && run->posing == foreign &&
	       run->out->letters[UNICODE_LATIN] > LATIN_SHARE * foreign_count(run->out->letters);
}

/* Each letter that poses as a Latin one becomes it; the word only gets shorter. */
static void pose_undo(struct normalise_run *run)
{
	size_t size = run->word_start, width;

	for (size_t at = run->word_start; at < run->size; at += width) {
		const uint8_t pose = normalise_pose(utf8_decode(slice_of(&run->text[at], run->size - at), &width));
		if (pose != 0) {
			run->text[size++] = pose;
			continue;
		}
		memmove(&run->text[size], &run->text[at], width);
		size += width;
	}
	run->size = size;
	normalise_count(run, NORMALISE_CONFUSABLE, run->posing, run->word_offset);
}

/* ---- digits and signs for letters ---- */

/* The letter, 0 for a digit that is none. */
static uint8_t leet_letter(uint8_t byte)
{
	static const char from[] = "013457@$", to[] = "oleastas";

	for (size_t i = 0; i + 1 < sizeof from; i++) {
		if ((uint8_t)from[i] == byte)
			return (uint8_t)to[i];
	}
	return 0;
}

/* Lower case, upper case, or a capital and then lower case: not the jumble of base64 or a token. */
static bool is_one_case(struct slice word)
{
	size_t upper = 0, letters = 0;
	bool   first = false;

	for (size_t i = 0; i < word.len; i++) {
		if (!byte_is_alpha(word.ptr[i]))
			continue;
		const bool is_upper = (word.ptr[i] & 0x20) == 0;
		first = first || (letters == 0 && is_upper);
		upper += is_upper;
		letters++;
	}
	return upper == 0 || upper == letters || (upper == 1 && first);
}

/* Blanks, quotation marks, the end of a sentence: not the signs that hold identifiers and links together. */
static bool is_edge(int byte)
{
	static const char edges[] = " \t\r\n\f.,;!?\"'()";

	if (byte <= 0 || byte >= 0x80)
		return true;
	for (size_t i = 0; i + 1 < sizeof edges; i++) {
		if (edges[i] == byte)
			return true;
	}
	return false;
}

/* Could somebody speak it? No four consonants in a row once the numbers are letters. */
static bool is_speakable(struct slice word)
{
	const struct slice vowels = SLICE("aeiouy");
	size_t             row = 0;

	for (size_t i = 0; i < word.len; i++) {
		const uint8_t byte = byte_is_alpha(word.ptr[i]) ? byte_lower(word.ptr[i]) : leet_letter(word.ptr[i]);
		row = slice_find(vowels, byte) < vowels.len ? 0 : row + 1;
		if (row > 3)
			return false;
	}
	return true;
}

/* Every number stands between letters, alone or as a double, and there are at most half as many as letters. */
static bool is_leet(const struct normalise_run *run, struct slice word, uint32_t separator)
{
	if (run->numbers == 0 || run->alphabets[UNICODE_LATIN] < 3 ||
	    run->numbers * 2 > run->alphabets[UNICODE_LATIN] || !is_one_case(word) ||
	    run->alphabets[UNICODE_LATIN] + run->numbers != word.len || !is_speakable(word))
		return false;
	if (!is_edge(run->word_start == 0 ? 0 : run->text[run->word_start - 1]) ||
	    !is_edge(separator < 0x80 ? (int)separator : 0))
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (byte_is_alpha(word.ptr[i]))
			continue;
		const size_t twice = slice_at(word, i + 1) == word.ptr[i] ? 1 : 0;
		if (i == 0 || leet_letter(word.ptr[i]) == 0 || !byte_is_alpha(word.ptr[i - 1]) ||
		    slice_at(word, i + 1 + twice) < 0 || !byte_is_alpha(word.ptr[i + 1 + twice]))
			return false;
		/* An address, not a word. */
		if (word.ptr[i] == '@' && (twice != 0 || separator == '.' || separator == '-' || separator == '_' ||
		                           separator == '>' || i > 2))
			return false;
		i += twice;
	}
	return true;
}

static void leet_undo(struct normalise_run *run)
{
	for (size_t i = run->word_start; i < run->size; i++) {
		if (!byte_is_alpha(run->text[i]))
			run->text[i] = leet_letter(run->text[i]);
	}
	normalise_count(run, NORMALISE_LEET, 1, run->word_offset);
}

/* ---- letters one by one ---- */

void normalise_spaced_end(struct normalise_run *run)
{
	size_t size = run->spaced_start, width, at;

	if (run->spaced < NORMALISE_SPACED_MIN || run->override) {
		run->spaced = 0;
		return;
	}
	run->single_end = 0;
	/* Every second character is the separator. */
	bool keep = true;
	for (at = run->spaced_start; at < run->spaced_end; at += width, keep = !keep) {
		(void)utf8_decode(slice_of(&run->text[at], run->spaced_end - at), &width);
		if (!keep)
			continue;
		memmove(&run->text[size], &run->text[at], width);
		size += width;
	}
	memmove(&run->text[size], &run->text[run->spaced_end], run->size - run->spaced_end);
	run->size -= run->spaced_end - size;
	normalise_count(run, NORMALISE_SPACED, 1, run->spaced_offset);
	run->spaced = 0;
}

/* Is what stands between two letters one character, and no letter itself? It is in *out. */
static bool is_separator(struct slice between, uint32_t *out)
{
	size_t width = 0;

	if (between.len == 0)
		return false;
	*out = utf8_decode(between, &width);
	/* Commas and the like make a list. */
	if (*out == ',' || *out == ';' || *out == 0xff0c || *out == 0x3001 || *out == 0xff1b)
		return false;
	return width == between.len && !unicode_is_letter(*out) && !(*out < 0x80 && byte_is_digit((uint8_t)*out));
}

void normalise_word_single(struct normalise_run *run, size_t start, size_t offset)
{
	const size_t size = run->size;
	const bool   beside = run->single_end == start && start != 0;
	uint32_t     by = 0;

	if (run->spaced != 0 && !beside &&
	    is_separator(slice_of(&run->text[run->spaced_end], start - run->spaced_end), &by) &&
	    (run->spaced == 1 || by == run->spaced_by)) {
		run->spaced++;
		run->spaced_by = by;
		run->spaced_end = run->single_end = size;
		return;
	}
	normalise_spaced_end(run); /* may move what was just written */
	run->single_end = run->size;
	if (beside)
		return;
	run->spaced = 1;
	run->spaced_start = run->size - (size - start);
	run->spaced_end = run->size;
	run->spaced_offset = offset;
}

void normalise_word_end(struct normalise_run *run, uint32_t separator)
{
	if (!run->in_word)
		return;
	run->in_word = false;
	if (run->override || run->size - run->word_start > NORMALISE_WORD_MAX) {
		run->spaced = 0;
		return;
	}
	const uint32_t latin = run->alphabets[UNICODE_LATIN], foreign = foreign_count(run->alphabets);
	if (latin != 0 && foreign != 0 && (latin + foreign > 3 || run->alphabets[UNICODE_GREEK] == 0))
		run->out->mixed_words++;
	if (is_posing(run))
		pose_undo(run);
	const struct slice word = slice_of(&run->text[run->word_start], run->size - run->word_start);
	if (is_leet(run, word, separator))
		leet_undo(run);
	if (latin + foreign == 1 && run->numbers == 0)
		normalise_word_single(run, run->word_start, run->word_offset);
	else
		normalise_spaced_end(run);
}
