/* The adapter of vectorscan. Two databases, since words are compiled as they stand and expressions are not. */
#include "signature/words.h"

#include "base/memory.h"
#include "base/must.h"

#include <hs/hs.h>
#include <limits.h>

#define CANARY_TEXT "hangu:canary:7f1c9b52"
#define CANARY_ID   UINT32_MAX

enum {
	LITERAL,
	EXPRESSION,
	HALVES
};

struct words {
	hs_database_t *half[HALVES]; /* NULL: no word of that kind */
};

struct words_scratch {
	hs_scratch_t *inner;
};

/* What the library's calls want: an array for each property. */
struct columns {
	char     **text; /* owned, NUL-terminated */
	size_t    *size;
	unsigned  *flags;
	unsigned  *ids;
	size_t    *index; /* in the caller's list */
	size_t     count;
};

static void columns_done(struct columns *columns)
{
	for (size_t i = 0; columns->text != NULL && i < columns->count; i++)
		memory_give(columns->text[i]);
	memory_give(columns->text);
	memory_give(columns->size);
	memory_give(columns->flags);
	memory_give(columns->ids);
	memory_give(columns->index);
}

static bool columns_init(struct columns *columns, size_t room)
{
	*columns = (struct columns){
		.text = memory_take(room, sizeof *columns->text), .size = memory_take(room, sizeof *columns->size),
		.flags = memory_take(room, sizeof *columns->flags), .ids = memory_take(room, sizeof *columns->ids),
		.index = memory_take(room, sizeof *columns->index),
	};
	return columns->text != NULL && columns->size != NULL && columns->flags != NULL && columns->ids != NULL && columns->index != NULL;
}

static unsigned flags_of(const struct word *word)
{
	const unsigned any_case = (word->flags & WORD_ANY_CASE) != 0 ? HS_FLAG_CASELESS : 0;

	if ((word->flags & WORD_EXPRESSION) == 0)
		return any_case | HS_FLAG_SINGLEMATCH;
	return any_case | HS_FLAG_SINGLEMATCH | HS_FLAG_UTF8;
}

static bool columns_add(struct columns *columns, const struct word *word, size_t index)
{
	char *text = memory_take(word->text.len + 1, 1);

	if (text == NULL)
		return false;
	memcpy(text, word->text.ptr, word->text.len);
	columns->text[columns->count] = text;
	columns->size[columns->count] = word->text.len;
	columns->flags[columns->count] = flags_of(word);
	columns->ids[columns->count] = word->id;
	columns->index[columns->count] = index;
	columns->count++;
	return true;
}

static void say(struct words_error *error, size_t index, const char *text)
{
	error->index = index;
	(void)slice_to_cstr(slice_str(text), error->text, sizeof error->text);
}

static enum rc compile(const struct columns *columns, int half, struct words_error *error, hs_database_t **out)
{
	hs_compile_error_t *complaint = NULL;
	const char *const  *texts = (const char *const *)columns->text;
	const unsigned      count = (unsigned)columns->count;
	hs_error_t          answer;

	if (count == 0)
		return RC_OK;
	if (half == LITERAL)
		answer = hs_compile_lit_multi(texts, columns->flags, columns->ids, columns->size, count, HS_MODE_BLOCK, NULL, out, &complaint);
	else
		answer = hs_compile_multi(texts, columns->flags, columns->ids, count, HS_MODE_BLOCK, NULL, out, &complaint);
	if (answer == HS_SUCCESS)
		return RC_OK;
	if (complaint == NULL)
		return RC_NOMEM;

	const bool one = complaint->expression >= 0 && (size_t)complaint->expression < columns->count;

	say(error, one ? columns->index[complaint->expression] : SIZE_MAX, complaint->message);
	(void)hs_free_compile_error(complaint);
	return one ? RC_SYNTAX : RC_LIMIT;
}

/* Sort them into halves. */
static enum rc divide(const struct word *items, size_t count, struct words_error *error, struct columns *halves)
{
	const struct word canary = { .text = SLICE(CANARY_TEXT), .id = CANARY_ID };

	for (size_t i = 0; i < count; i++) {
		const int half = (items[i].flags & WORD_EXPRESSION) != 0 ? EXPRESSION : LITERAL;

		if (items[i].text.len == 0 || items[i].text.len > WORDS_PATTERN_MAX || items[i].id == CANARY_ID) {
			say(error, i, "empty, or too long");
			return RC_LIMIT;
		}
		if (slice_find(items[i].text, '\0') != items[i].text.len) {
			say(error, i, "holds a NUL");
			return RC_SYNTAX;
		}
		if (!columns_add(&halves[half], &items[i], i))
			return RC_NOMEM;
	}
	return columns_add(&halves[LITERAL], &canary, SIZE_MAX) ? RC_OK : RC_NOMEM;
}

enum rc words_make(const struct word *items, size_t count, struct words_error *error, struct words **out)
{
	struct columns halves[HALVES] = { 0 };
	struct words  *words;
	enum rc        rc;

	*error = (struct words_error){ .index = SIZE_MAX };
	if (count > WORDS_MAX) {
		say(error, SIZE_MAX, "too many words");
		return RC_LIMIT;
	}
	words = memory_take(1, sizeof *words);
	rc = words != NULL && columns_init(&halves[LITERAL], count + 1) && columns_init(&halves[EXPRESSION], count + 1) ?
	             divide(items, count, error, halves) :
	             RC_NOMEM;
	for (int half = 0; half < HALVES && rc == RC_OK; half++)
		rc = compile(&halves[half], half, error, &words->half[half]);
	for (int half = 0; half < HALVES; half++)
		columns_done(&halves[half]);
	if (rc == RC_OK)
		*out = words;
	else
		words_drop(&words);
	return rc;
}

void words_drop(struct words **words)
{
	if (*words == NULL)
		return;
	for (int half = 0; half < HALVES; half++)
		(void)hs_free_database((*words)->half[half]);
	memory_give(*words);
	*words = NULL;
}

enum rc words_scratch_make(const struct words *words, struct words_scratch **out)
{
	struct words_scratch *scratch = memory_take(1, sizeof *scratch);
	hs_error_t            answer = scratch == NULL ? HS_NOMEM : HS_SUCCESS;

	for (int half = 0; half < HALVES && answer == HS_SUCCESS; half++)
		if (words->half[half] != NULL)
			answer = hs_alloc_scratch(words->half[half], &scratch->inner);
	if (answer == HS_SUCCESS) {
		*out = scratch;
		return RC_OK;
	}
	words_scratch_drop(&scratch);
	return RC_NOMEM;
}

void words_scratch_drop(struct words_scratch **scratch)
{
	if (*scratch == NULL)
		return;
	(void)hs_free_scratch((*scratch)->inner);
	memory_give(*scratch);
	*scratch = NULL;
}

struct hearing {
	bool (*found)(void *context, uint32_t id, uint64_t end);
	void *context;
	bool  canary;
	bool  enough;
};

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	struct hearing *hearing = context;

	(void)from;
	(void)flags;
	if (id == CANARY_ID)
		hearing->canary = true;
	else if (hearing->found != NULL)
		hearing->enough = !hearing->found(hearing->context, id, to);
	return hearing->enough;
}

static enum rc find(const struct words *words, struct words_scratch *scratch, struct slice text, struct hearing *hearing)
{
	if (text.len > UINT_MAX)
		return RC_LIMIT;
	for (int half = 0; half < HALVES && !hearing->enough && text.len != 0; half++) {
		if (words->half[half] == NULL)
			continue;

		const hs_error_t answer = hs_scan(words->half[half], (const char *)text.ptr, (unsigned)text.len, 0, scratch->inner, on_match, hearing);

		must(answer == HS_SUCCESS || answer == HS_SCAN_TERMINATED);
	}
	return RC_OK;
}

enum rc words_find(const struct words *words, struct words_scratch *scratch, struct slice text,
                   bool (*found)(void *context, uint32_t id, uint64_t end), void *context)
{
	struct hearing hearing = { .found = found, .context = context };

	return find(words, scratch, text, &hearing);
}

bool words_check(const struct words *words, struct words_scratch *scratch)
{
	struct hearing hearing = { 0 };

	return find(words, scratch, SLICE(CANARY_TEXT), &hearing) == RC_OK && hearing.canary;
}

const char *words_version(void)
{
	return hs_version();
}
