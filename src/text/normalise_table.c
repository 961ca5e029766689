/* What poses as what: letters as Latin ones (by UTS 39's table), small capitals, and Chinese characters in halves. */
#include "text/normalise_inside.h"
#include "text/utf8.h"

struct range {
	uint32_t first, last;
};

/* Where letters that pose as Latin ones stand. */
static const struct range ranges[] = {
	{ 0x250, 0x2af },   { 0x370, 0x3ff },   { 0x400, 0x52f },   { 0x530, 0x58f },
	{ 0x13a0, 0x13ff }, { 0x1d00, 0x1d2b }, { 0x2c60, 0x2c7f }, { 0x2c80, 0x2cff },
	{ 0xa4d0, 0xa4ff }, { 0xa720, 0xa7ff }, { 0xab30, 0xabbf },
};
#define RANGES (sizeof ranges / sizeof ranges[0])
#define POSES  0x580u /* characters in all ranges together, at most */
#define FILTER 65536u /* bits */

/* Written by normalise_ready() before any thread starts; only read after. */
static uint8_t poses[POSES];
static uint8_t halves_filter[FILTER / 8];

/* Pairs of a small capital and its letter. */
static const char small_capitals[] = "ᴀaʙbᴄcᴅdᴇeꜰfɢgʜhɪiᴊjᴋkʟlᴍmɴnᴏoᴘpʀrꜱsᴛtᴜuᴠvᴡwʏyᴢz";

/*
 * Left half, right half, whole. The first rows' left halves are no words, so any pair that makes a character is one;
 * the others are pairs that no sentence writes side by side.
 */
/* clang-format off */
static const char halves[] =
	"讠正证讠人认讠午许讠己记讠十计讠平评讠舌话讠寺诗讠青请讠果课讠周调讠炎谈讠身谢讠卖读讠亥该讠某谋讠兑说讠吾语讠只识讠川训讠丁订讠方访讠成诚讠殳设讠式试"
	"亻尔你亻门们亻也他亻言信亻介价亻弋代亻子仔亻专传亻木休亻本体亻主住亻故做亻建健亻呆保亻昔借亻责债亻介价亻共供亻更便亻直值"
	"氵去法氵又汉氵工江氵舌活氵青清氵争净氵肖消氵可河氵羊洋氵每海氵先洗氵气汽氵由油氵胡湖氵主注"
	"钅艮银钅失铁钅同铜钅戋钱钅肖销钅十针钅令铃钅昔错钅建键"
	"扌丁打扌支技扌殳投扌安按扌妾接扌是提扌舌括扌合拾扌召招扌巴把扌包抱扌非排扌由抽"
	"忄青情忄曼慢忄夬快忄白怕忄生性纟工红纟屯纯纟田细纟吉结纟充统纟及级纟合给纟者绪纟己纪饣反饭饣官馆饣欠饮"
	"礻申神礻畐福礻土社礻兄祝礻且祖衤刀初衤由袖犭句狗犭者猪疒丙病辶力边辶文这辶不还辶元远辶斤近辶关送辶寸过辶首道"
	"艹化花艹早草艹采菜冫水冰冫欠次宀女安宀子字宀元完彳艮很"
	"言永詠言午許言兌說言舌話言式試言忍認言己記言司詞"
	"弓虽强弓長張走召超走取趣走己起火韦炜禾火秋禾只积禾兑税禾兌稅禾中种禾呈程禾多移"
	"贝者赌贝兼赚貝者賭貝兼賺金艮銀金戔錢金肖銷女马妈女馬媽"
	"马佥验马尧骁車専転车俞输糸内納糸工紅"
	"目艮眼目垂睡足各路酉己配阝东陈阝日阳";

/* clang-format on */

static uint32_t triple_hash(uint32_t left, uint32_t right)
{
	return (left * 0x9e3779b1u ^ right * 0x85ebca6bu) >> 16; /* FILTER of them */
}

static bool triple_take(struct slice *rest, uint32_t *left, uint32_t *right, uint32_t *whole)
{
	uint32_t *const to[] = { left, right, whole };
	size_t          size;

	for (size_t i = 0; i < 3; i++) {
		if (rest->len == 0)
			return false;
		*to[i] = utf8_decode(*rest, &size);
		*rest = slice_drop(*rest, size);
	}
	return true;
}

uint32_t normalise_joined(uint32_t left, uint32_t right)
{
	const uint32_t hash = triple_hash(left, right);
	uint32_t       one, two, whole;

	if ((halves_filter[hash / 8] & 1u << hash % 8) == 0)
		return 0;
	for (struct slice rest = slice_of(halves, sizeof halves - 1); triple_take(&rest, &one, &two, &whole);) {
		if (one == left && two == right)
			return whole;
	}
	return 0;
}

/* Where a character's pose is kept; POSES: nowhere. */
static size_t pose_index(uint32_t character)
{
	size_t before = 0;

	for (size_t i = 0; i < RANGES; i++) {
		if (character >= ranges[i].first && character <= ranges[i].last)
			return before + character - ranges[i].first;
		before += ranges[i].last - ranges[i].first + 1;
	}
	return POSES;
}

uint8_t normalise_pose(uint32_t character)
{
	const size_t at = character < ranges[0].first ? POSES : pose_index(character);

	return at < POSES ? poses[at] : 0;
}

static void pose_fill(uint32_t character)
{
	uint8_t      bytes[4], bones[64];
	size_t       size = 0;
	const size_t at = pose_index(character);

	if (at >= POSES ||
	    unicode_skeleton(slice_of(bytes, utf8_encode(character, bytes)), bones, sizeof bones, &size) != RC_OK)
		return;
	if (size == 1 && byte_is_alpha(bones[0]))
		poses[at] = bones[0];
	/* A capital I is an l in the skeleton, and a small palochka, drawn like an l, an i. */
	if (character == 0x4cf)
		poses[at] = 'l';
	if (poses[at] == 'l' && (character == 0x399 || character == 0x406 || character == 0x4c0 ||
	                         character == 0x13c6 || character == 0xa4f2))
		poses[at] = 'I';
}

enum rc normalise_tables_ready(void)
{
	uint32_t left, right, whole;
	size_t   size;

	for (size_t i = 0; i < RANGES; i++) {
		for (uint32_t character = ranges[i].first; character <= ranges[i].last; character++)
			pose_fill(character);
	}
	for (struct slice rest = slice_of(small_capitals, sizeof small_capitals - 1); rest.len != 0;
	     rest = slice_drop(rest, size + 1)) {
		const size_t at = pose_index(utf8_decode(rest, &size));
		if (at < POSES)
			poses[at] = rest.ptr[size];
	}
	for (struct slice rest = slice_of(halves, sizeof halves - 1); triple_take(&rest, &left, &right, &whole);) {
		const uint32_t hash = triple_hash(left, right);
		halves_filter[hash / 8] |= (uint8_t)(1u << hash % 8);
	}
	return RC_OK;
}
