/*
 * Candidates. The words that announce a password are looked for without their case; what stands behind one is taken
 * apart at blanks and punctuation in a few ways, since nobody knows where the password ends.
 */
#include "archive/password.h"

#define NEAR_WORDS   6u /* words behind an announcement that are taken */
#define QUOTED_MAX   64u /* of one text */
#define ANNOUNCE_MAX 32u /* of one text */

/* clang-format off: a table */
static const struct slice announcements[] = {
	SLICE_INIT("password"), SLICE_INIT("passwort"), SLICE_INIT("passcode"), SLICE_INIT("passphrase"), SLICE_INIT("passwd"),
	SLICE_INIT("pwd"), SLICE_INIT("pass:"), SLICE_INIT("pass is"), SLICE_INIT("pin:"), SLICE_INIT("pw:"),
	SLICE_INIT("kennwort"), SLICE_INIT("mot de passe"), SLICE_INIT("contrase\xc3\xb1""a"), SLICE_INIT("clave"),
	SLICE_INIT("senha"), SLICE_INIT("has\xc5\x82o"), SLICE_INIT("wachtwoord"),
	SLICE_INIT("\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c"), /* пароль */
	SLICE_INIT("\xd0\x9f\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c"), /* Пароль */
	SLICE_INIT("\xe5\xaf\x86\xe7\xa0\x81"), /* 密码 (and 解压密码, 打开密码) */
	SLICE_INIT("\xe5\xaf\x86\xe7\xa2\xbc"), /* 密碼 */
	SLICE_INIT("\xe5\x8f\xa3\xe4\xbb\xa4"), /* 口令 */
	SLICE_INIT("\xe6\x8f\x90\xe5\x8f\x96\xe7\xa0\x81"), /* 提取码 */
	SLICE_INIT("\xe8\xa7\xa3\xe5\x8e\x8b\xe7\xa0\x81"), /* 解压码 */
	SLICE_INIT("\xe8\xa7\xa3\xe9\x94\x81\xe7\xa0\x81"), /* 解锁码 */
	SLICE_INIT("\xe6\x9a\x97\xe8\xaf\x81\xe5\xad\x97\xe5\x8f\xb7"), /* 暗证字号 */
	SLICE_INIT("\xe3\x83\x91\xe3\x82\xb9\xe3\x83\xaf\xe3\x83\xbc\xe3\x83\x89"), /* パスワード */
	SLICE_INIT("\xeb\xb9\x84\xeb\xb0\x80\xeb\xb2\x88\xed\x98\xb8"), /* 비밀번호 */
};

/* What many use, and what those who exchange samples agreed on. */
static const struct slice common[] = {
	SLICE_INIT("infected"), SLICE_INIT("123456"), SLICE_INIT("1234"), SLICE_INIT("123"), SLICE_INIT("password"),
	SLICE_INIT("12345"), SLICE_INIT("12345678"), SLICE_INIT("123456789"), SLICE_INIT("virus"), SLICE_INIT("malware"),
	SLICE_INIT("111111"), SLICE_INIT("888888"), SLICE_INIT("666666"), SLICE_INIT("000000"), SLICE_INIT("0000"),
	SLICE_INIT("1111"), SLICE_INIT("8888"), SLICE_INIT("abc123"), SLICE_INIT("qwerty"), SLICE_INIT("admin"),
	SLICE_INIT("test"), SLICE_INIT("secret"), SLICE_INIT("Password"), SLICE_INIT("invoice"), SLICE_INIT("a123456"),
};

/* Quotes and brackets of all kinds, with what closes them. */
static const struct {
	struct slice open, close;
} quotes[] = {
	{ SLICE_INIT("\""), SLICE_INIT("\"") }, { SLICE_INIT("'"), SLICE_INIT("'") }, { SLICE_INIT("`"), SLICE_INIT("`") },
	{ SLICE_INIT("["), SLICE_INIT("]") }, { SLICE_INIT("("), SLICE_INIT(")") }, { SLICE_INIT("<"), SLICE_INIT(">") },
	{ SLICE_INIT("{"), SLICE_INIT("}") },
	{ SLICE_INIT("\xe2\x80\x9c"), SLICE_INIT("\xe2\x80\x9d") }, /* “ ” */
	{ SLICE_INIT("\xe2\x80\x9e"), SLICE_INIT("\xe2\x80\x9c") }, /* „ “ */
	{ SLICE_INIT("\xe2\x80\x98"), SLICE_INIT("\xe2\x80\x99") }, /* ‘ ’ */
	{ SLICE_INIT("\xc2\xab"), SLICE_INIT("\xc2\xbb") }, /* « » */
	{ SLICE_INIT("\xe3\x80\x8c"), SLICE_INIT("\xe3\x80\x8d") }, /* 「 」 */
	{ SLICE_INIT("\xe3\x80\x90"), SLICE_INIT("\xe3\x80\x91") }, /* 【 】 */
	{ SLICE_INIT("\xef\xbc\x88"), SLICE_INIT("\xef\xbc\x89") }, /* （ ） */
	{ SLICE_INIT("\xe3\x80\x8a"), SLICE_INIT("\xe3\x80\x8b") }, /* 《 》 */
};

/* What stands between an announcement and the password. */
static const struct slice between[] = {
	SLICE_INIT(" "), SLICE_INIT("\t"), SLICE_INIT("\r"), SLICE_INIT("\n"), SLICE_INIT(":"), SLICE_INIT("="), SLICE_INIT("-"),
	SLICE_INIT("*"), SLICE_INIT(">"), SLICE_INIT("\xc2\xa0"), SLICE_INIT("\xef\xbc\x9a"), /* ： */
	SLICE_INIT("\xe3\x80\x80"), SLICE_INIT("\xe6\x98\xaf"), /* 是 */ SLICE_INIT("\xe4\xb8\xba"), /* 为 */
	SLICE_INIT("\xe7\x82\xba"), /* 為 */ SLICE_INIT("\xe2\x80\x93"), SLICE_INIT("\xe2\x80\x94"), SLICE_INIT("\xe2\x86\x92"),
};
/* clang-format on */

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void insert(struct password_list *list, struct slice text, enum password_rank rank)
{
	size_t at = list->count;

	if (list->count == PASSWORDS_MAX) {
		if (list->items[PASSWORDS_MAX - 1].rank <= rank)
			return;
		list->count--;
		at--;
	}
	while (at > 0 && list->items[at - 1].rank > rank) {
		list->items[at] = list->items[at - 1];
		at--;
	}
	list->items[at] = (struct password){ text, rank };
	list->count++;
}

enum rc password_add(struct password_list *list, struct slice text, enum password_rank rank)
{
	struct slice copy;

	if (text.len == 0 || text.len > PASSWORD_BYTES_MAX || slice_find(text, 0) < text.len)
		return RC_OK;
	for (size_t i = 0; i < list->count; i++) {
		if (!slice_eq(list->items[i].text, text))
			continue;
		if (list->items[i].rank <= rank)
			return RC_OK;
		copy = list->items[i].text;
		list->count--;
		memmove(list->items + i, list->items + i + 1, (list->count - i) * sizeof list->items[0]);
		insert(list, copy, rank);
		return RC_OK;
	}
	if (list->count == PASSWORDS_MAX && list->items[PASSWORDS_MAX - 1].rank <= rank)
		return RC_OK;
	const enum rc rc = arena_copy(list->arena, text, &copy);
	if (rc == RC_OK)
		insert(list, copy, rank);
	return rc;
}

void password_init(struct password_list *list, struct arena *arena)
{
	list->count = 0;
	list->arena = arena;
	for (size_t i = 0; i < COUNT(common); i++)
		insert(list, common[i], PASSWORD_COMMON);
}

void password_was_right(struct password_list *list, size_t index)
{
	if (index == 0 || index >= list->count)
		return;
	const struct password right = { list->items[index].text, list->items[0].rank };
	memmove(list->items + 1, list->items, index * sizeof list->items[0]);
	list->items[0] = right;
}

/* Bytes of the row of `table` that `s` begins with, or 0. */
static size_t begins(struct slice s, const struct slice *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_starts(s, table[i]))
			return table[i].len;
	}
	return 0;
}

static bool is_blank(int byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool is_wide_stop(struct slice s)
{
	/* U+3000..U+303F punctuation (3001 、 3002 。) and U+FF0C ， U+FF1B ； U+FF01 ！ U+00A0 */
	return slice_starts(s, SLICE("\xe3\x80")) || slice_starts(s, SLICE("\xef\xbc\x8c")) ||
	       slice_starts(s, SLICE("\xef\xbc\x9b")) || slice_starts(s, SLICE("\xef\xbc\x81")) || slice_starts(s, SLICE("\xc2\xa0"));
}

/* Length of the word at the front: up to a blank or a wide stop. */
static size_t word_size(struct slice s)
{
	size_t size = 0;

	while (size < s.len && size <= PASSWORD_BYTES_MAX && !is_blank(s.ptr[size]) && !is_wide_stop(slice_drop(s, size)))
		size++;
	return size;
}

/* A word as it stands, without punctuation at its ends, and its ASCII front where another script follows ("abc123请"). */
static enum rc word_add(struct password_list *list, struct slice word, enum password_rank rank)
{
	struct slice bare = word;
	size_t       ascii = 0;
	enum rc      rc;

	while (bare.len != 0 && slice_find(SLICE(".,;:!?\"')]}>"), bare.ptr[bare.len - 1]) < 12)
		bare.len--;
	while (bare.len != 0 && slice_find(SLICE("\"'([{<"), bare.ptr[0]) < 6)
		bare = slice_drop(bare, 1);
	while (ascii < bare.len && byte_is_print(bare.ptr[ascii]))
		ascii++;
	rc = password_add(list, bare, rank);
	if (rc == RC_OK && ascii >= 3 && ascii < bare.len)
		rc = password_add(list, slice_take(bare, ascii), rank);
	return rc == RC_OK ? password_add(list, word, rank) : rc;
}

/* The text in quotes at the front of `s`, or nothing. */
static struct slice quoted(struct slice s, size_t *size)
{
	for (size_t i = 0; i < COUNT(quotes); i++) {
		if (!slice_starts(s, quotes[i].open))
			continue;
		const struct slice rest = slice_take(slice_drop(s, quotes[i].open.len), PASSWORD_BYTES_MAX + quotes[i].close.len);
		const size_t       end = slice_search(rest, quotes[i].close);
		if (end == rest.len || end == 0 || slice_find(slice_take(rest, end), '\n') < end)
			continue;
		*size = quotes[i].open.len + end + quotes[i].close.len;
		return slice_take(rest, end);
	}
	return (struct slice){ NULL, 0 };
}

/* What stands behind an announcement. */
static enum rc said(struct password_list *list, struct slice rest)
{
	enum password_rank rank = PASSWORD_SAID;
	enum rc            rc = RC_OK;
	size_t             size = 0;

	rest = slice_take(rest, 512);
	for (unsigned words = 0; words < NEAR_WORDS && rc == RC_OK; words++) {
		for (size_t skip = begins(rest, between, COUNT(between)); skip != 0; skip = begins(rest, between, COUNT(between)))
			rest = slice_drop(rest, skip);
		const struct slice inside = quoted(rest, &size);
		const size_t       word = inside.len != 0 ? size : word_size(rest);
		if (word == 0)
			break;
		/* "password is x", "the password for the file is: x": small words cost a try each and come later */
		const struct slice text = slice_take(rest, word);
		const bool         small = inside.len == 0 && (slice_eq_nocase(text, SLICE("is")) || slice_eq_nocase(text, SLICE("is:")) ||
                                                 slice_eq_nocase(text, SLICE("the")) || slice_eq_nocase(text, SLICE("for")));
		if (inside.len != 0)
			rc = password_add(list, inside, PASSWORD_SAID);
		if (rc == RC_OK && !small)
			rc = word_add(list, text, rank);
		if (!small)
			rank = PASSWORD_NEAR;
		rest = slice_drop(rest, word);
		if (is_wide_stop(rest))
			rest = slice_drop(rest, slice_at(rest, 0) == 0xc2 ? 2 : 3);
	}
	return rc;
}

static size_t announced(struct slice s)
{
	for (size_t i = 0; i < COUNT(announcements); i++) {
		if (slice_starts_nocase(s, announcements[i]))
			return announcements[i].len;
	}
	return 0;
}

enum rc password_text(struct password_list *list, struct slice text)
{
	unsigned announcements_left = ANNOUNCE_MAX, quoted_left = QUOTED_MAX;
	enum rc  rc = RC_OK;

	text = slice_take(text, PASSWORD_TEXT_MAX);
	while (text.len != 0 && rc == RC_OK) {
		size_t       size = announced(text);
		struct slice inside = { NULL, 0 };
		if (size != 0 && announcements_left != 0) {
			announcements_left--;
			rc = said(list, slice_drop(text, size));
		} else if (quoted_left != 0) {
			inside = quoted(text, &size);
			if (inside.len != 0) {
				quoted_left--;
				rc = password_add(list, inside, PASSWORD_QUOTED);
			}
		}
		text = slice_drop(text, size != 0 && inside.len == 0 ? size : 1);
	}
	return rc;
}

enum rc password_words(struct password_list *list, struct slice name)
{
	static const struct slice cuts = SLICE_INIT(" \t_-.,;:()[]{}#'\"");
	enum rc                   rc = password_add(list, slice_trim(name), PASSWORD_WORD);

	name = slice_take(name, PASSWORD_TEXT_MAX / 32);
	if (rc == RC_OK)
		rc = password_add(list, slice_take(name, slice_find_last(name, '.')), PASSWORD_WORD);
	while (name.len != 0 && rc == RC_OK) {
		size_t word = word_size(name), piece = 0;
		if (word == 0) {
			name = slice_drop(name, is_blank(name.ptr[0]) ? 1 : 3);
			continue;
		}
		struct slice rest = slice_take(name, word);
		rc = word_add(list, rest, PASSWORD_WORD);
		while (rest.len != 0 && rc == RC_OK) {
			while (piece < rest.len && slice_find(cuts, rest.ptr[piece]) == cuts.len)
				piece++;
			if (piece >= 3)
				rc = password_add(list, slice_take(rest, piece), PASSWORD_WORD);
			rest = slice_drop(rest, piece + 1);
			piece = 0;
		}
		name = slice_drop(name, word);
	}
	return rc;
}
