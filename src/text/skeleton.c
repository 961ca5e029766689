/* UTS 39's skeleton of the text and of its caseless form, then our own table over it, from the front. */
#include "text/skeleton.h"

#include "text/unicode.h"
#include "text/utf8.h"

struct pair {
	struct slice seen;
	struct slice read;
};

/*
 * On skeletons, in which "1", "I" and "|" are "l" already, "0" is "o" and "m" is "rn". Characters are those of names of
 * banks, shops and payment: their traditional and simplified forms, and forms that differ by a stroke.
 */
static const struct pair pairs[] = {
#define PAIR(seen, read)                           \
	{                                          \
		SLICE_INIT(seen), SLICE_INIT(read) \
	}
	PAIR("vv", "w"),
	PAIR("cl", "d"),
	PAIR("cj", "g"),
	PAIR("l", "i"), /* lcbc for icbc */
	/*
	 * Letters with these marks are in UTS 39's table, which its own first step, decomposition, keeps from being
	 * met.
	 */
	PAIR("\xcc\x9b", "'"),
	PAIR("\xd2\x83", "\xd2\x86\xd2\x87"),
	PAIR("銀", "银"),
	PAIR("帳", "账"),
	PAIR("賬", "账"),
	PAIR("帐", "账"),
	PAIR("戶", "户"),
	PAIR("戸", "户"),
	PAIR("號", "号"),
	PAIR("碼", "码"),
	PAIR("證", "证"),
	PAIR("証", "证"),
	PAIR("認", "认"),
	PAIR("驗", "验"),
	PAIR("錢", "钱"),
	PAIR("發", "发"),
	PAIR("発", "发"),
	PAIR("稅", "税"),
	PAIR("貨", "货"),
	PAIR("費", "费"),
	PAIR("購", "购"),
	PAIR("買", "买"),
	PAIR("賣", "卖"),
	PAIR("寶", "宝"),
	PAIR("財", "财"),
	PAIR("務", "务"),
	PAIR("業", "业"),
	PAIR("農", "农"),
	PAIR("國", "国"),
	PAIR("際", "际"),
	PAIR("東", "东"),
	PAIR("設", "设"),
	PAIR("華", "华"),
	PAIR("廣", "广"),
	PAIR("訊", "讯"),
	PAIR("騰", "腾"),
	PAIR("豐", "丰"),
	PAIR("滙", "汇"),
	PAIR("匯", "汇"),
	PAIR("聯", "联"),
	PAIR("網", "网"),
	PAIR("郵", "邮"),
	PAIR("電", "电"),
	PAIR("當", "当"),
	PAIR("貸", "贷"),
	PAIR("資", "资"),
	PAIR("質", "质"),
	PAIR("訂", "订"),
	PAIR("單", "单"),
	PAIR("報", "报"),
	PAIR("導", "导"),
	PAIR("領", "领"),
	PAIR("長", "长"),
	PAIR("經", "经"),
	PAIR("書", "书"),
	PAIR("記", "记"),
	PAIR("總", "总"),
	PAIR("機", "机"),
	PAIR("構", "构"),
	PAIR("團", "团"),
	PAIR("壹", "一"),
	PAIR("贰", "二"),
	PAIR("貳", "二"),
	PAIR("叁", "三"),
	/* A stroke more or less. */
	PAIR("未", "末"),
	PAIR("己", "已"),
	PAIR("巳", "已"),
	PAIR("曰", "日"),
	PAIR("囗", "口"),
	PAIR("亍", "于"),
	PAIR("干", "于"),
	PAIR("土", "士"),
	PAIR("冶", "治"),
	PAIR("戍", "戌"),
	PAIR("戊", "戌"),
	PAIR("侯", "候"),
	PAIR("茶", "荼"),
	PAIR("晴", "睛"),
	PAIR("徽", "微"),
	PAIR("天", "夭"),
	PAIR("玉", "王"),
	PAIR("主", "王"),
#undef PAIR
};

static const struct pair *pair_at(struct slice s)
{
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		if (slice_starts(s, pairs[i].seen))
			return &pairs[i];
	}
	return NULL;
}

enum rc skeleton_of(struct slice s, uint8_t *out, size_t room, size_t *ret_size)
{
	uint8_t folded[SKELETON_ROOM], bones[SKELETON_ROOM];
	size_t  size = 0, made = 0, width = 1;

	if (s.len > SKELETON_TEXT_MAX)
		return RC_LIMIT;
	/* As it is written (a Greek capital looks like a Latin capital), and once more without its case. */
	enum rc rc = unicode_skeleton(s, bones, sizeof bones, &size);
	if (rc == RC_OK)
		rc = unicode_normalise(UNICODE_NFKC_FOLDED, slice_of(bones, size), folded, sizeof folded, &size);
	if (rc == RC_OK)
		rc = unicode_skeleton(slice_of(folded, size), bones, sizeof bones, &size);
	if (rc != RC_OK)
		return rc;
	for (struct slice rest = slice_of(bones, size); rest.len != 0; rest = slice_drop(rest, width)) {
		const struct pair *pair = pair_at(rest);
		struct slice       piece;
		(void)utf8_decode(rest, &width);
		piece = pair != NULL ? pair->read : slice_take(rest, width);
		width = pair != NULL ? pair->seen.len : width;
		if (room - made < piece.len)
			return RC_LIMIT;
		for (size_t i = 0; i < piece.len; i++)
			out[made++] = byte_lower(piece.ptr[i]);
	}
	*ret_size = made;
	return RC_OK;
}

bool skeleton_is_alike(struct slice a, struct slice b)
{
	uint8_t one[SKELETON_ROOM], other[SKELETON_ROOM];
	size_t  one_size, other_size;

	if (slice_eq_nocase(a, b) || skeleton_of(a, one, sizeof one, &one_size) != RC_OK ||
	    skeleton_of(b, other, sizeof other, &other_size) != RC_OK)
		return false;
	return slice_eq(slice_of(one, one_size), slice_of(other, other_size));
}
