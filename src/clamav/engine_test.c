/* Tests of libclamav's adapter: what own signatures find, what loading refuses, limits, and a canary that falls silent. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "clamav/engine.h"
#include "sys/file.h"

/* A folder for each test: signatures, and temporary files. */
struct place {
	char top[64], signatures[96], temporary[96];
	int  dir; /* of the signatures */
};

static void place_make(struct place *place)
{
	int top = -1;

	(void)snprintf(place->top, sizeof place->top, "/tmp/hangu-av-XXXXXX");
	assert_non_null(mkdtemp(place->top));
	(void)snprintf(place->signatures, sizeof place->signatures, "%s/signatures", place->top);
	(void)snprintf(place->temporary, sizeof place->temporary, "%s/temporary", place->top);
	assert_int_equal(file_dir_open(place->top, &top), RC_OK);
	assert_int_equal(file_dir_make(top, "signatures"), RC_OK);
	assert_int_equal(file_dir_make(top, "temporary"), RC_OK);
	file_close(&top);
	assert_int_equal(file_dir_open(place->signatures, &place->dir), RC_OK);
}

static enum rc remove_one(void *context, const char *name)
{
	return file_remove(*(int *)context, name);
}

static void folder_remove(const char *path)
{
	int dir = -1;

	if (file_dir_open(path, &dir) != RC_OK)
		return;
	assert_int_equal(file_list(dir, 100, remove_one, &dir), RC_OK);
	file_close(&dir);
	assert_int_equal(rmdir(path), 0);
}

static void place_remove(struct place *place)
{
	file_close(&place->dir);
	folder_remove(place->signatures);
	folder_remove(place->temporary);
	assert_int_equal(rmdir(place->top), 0);
}

static struct engine *load(const struct place *place, size_t folders, enum rc wanted)
{
	const struct engine_options options = { .folders = { place->signatures }, .folder_count = folders, .temporary = place->temporary,
		                                .limits = ENGINE_LIMITS_STANDARD };
	struct engine              *engine = NULL;
	struct buf                  why = buf_make(1000);
	const enum rc               rc = engine_load(&options, &why, &engine);

	if (rc != wanted)
		fail_msg("%s: %.*s", rc_word(rc), (int)why.len, (char *)why.ptr);
	assert_true(rc == RC_OK || why.len != 0);
	buf_done(&why);
	return engine;
}

static void own_signatures_are_found(void **state)
{
	static const struct {
		const char    *name;
		struct slice   bytes;
		enum av_result result;
		const char    *signature;
	} rows[] = {
		{ "plain", SLICE_INIT("a text with a needle-4711 in it"), AV_FOUND, "Own.Needle.UNOFFICIAL" },
		{ "yara", SLICE_INIT("a text with a THREAD-4711 in it"), AV_FOUND, "YARA.Thread.UNOFFICIAL" },
		{ "nothing", SLICE_INIT("a text with nothing in it"), AV_CLEAN, "" },
		{ "empty", SLICE_INIT(""), AV_CLEAN, "" },
		/* printf 'a needle-4711\n' in a tar would be long; base64 in a message is unpacked, too */
		{ "in a message", SLICE_INIT("From: a@b\r\nTo: c@d\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=a\r\n"
		                             "Content-Transfer-Encoding: base64\r\n\r\nYSB0ZXh0IHdpdGggYSBuZWVkbGUtNDcxMSBpbiBpdA==\r\n"),
		  AV_FOUND, "Own.Needle.UNOFFICIAL" },
	};
	struct place   place;
	struct engine *engine;

	(void)state;
	place_make(&place);
	assert_int_equal(file_replace(place.dir, "own.ndb", SLICE("Own.Needle:0:*:6e6565646c652d34373131\n")), RC_OK);
	assert_int_equal(file_replace(place.dir, "own.yara", SLICE("rule Thread { strings: $a = \"THREAD-4711\" condition: $a }\n")), RC_OK);
	engine = load(&place, 1, RC_OK);
	assert_true(engine_check(engine));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct av_answer answer = { .id = 3 };

		engine_scan(engine, rows[i].bytes, slice_str(rows[i].name), &answer);
		if (answer.result != rows[i].result || !slice_eq(answer.signature, slice_str(rows[i].signature)))
			fail_msg("%s: %s %.*s", rows[i].name, av_result_word(answer.result), (int)answer.signature.len, (const char *)answer.signature.ptr);
		assert_int_equal(answer.id, 3);
		assert_int_equal(answer.signature_count, 2);
		assert_true(answer.database_s > 1700000000);
		assert_true(slice_starts(answer.engine, SLICE("ClamAV ")));
	}
	engine_drop(&engine);
	engine_drop(&engine);
	place_remove(&place);
}

static void what_cannot_be_loaded_is_refused(void **state)
{
	struct place place;

	(void)state;
	place_make(&place);
	(void)load(&place, 1, RC_NOTFOUND); /* nothing there */
	assert_int_equal(file_replace(place.dir, "own.ndb", SLICE("this is no signature\n")), RC_OK);
	(void)load(&place, 1, RC_SYNTAX);
	assert_int_equal(file_remove(place.dir, "own.ndb"), RC_OK);
	assert_int_equal(file_replace(place.dir, "main.cvd", SLICE("ClamAV-VDB:no such thing\n")), RC_OK);
	(void)load(&place, 1, RC_CORRUPT);
	place_remove(&place);
	(void)load(&place, 1, RC_NOTFOUND); /* no folder for anything */
}

static void without_signatures_only_the_canary_is_known(void **state)
{
	struct place     place;
	struct engine   *engine;
	struct av_answer answer = { 0 };

	(void)state;
	place_make(&place);
	engine = load(&place, 0, RC_OK);
	assert_true(engine_check(engine));
	engine_describe(engine, &answer);
	assert_int_equal(answer.signature_count, 0);
	assert_true(answer.database_s == 0);
	engine_drop(&engine);
	place_remove(&place);
}

/* The folder for temporary files goes away under a running engine: it would call everything clean, and must be seen not to. */
static void a_silent_canary_is_noticed(void **state)
{
	struct place   place;
	struct engine *engine;

	(void)state;
	place_make(&place);
	engine = load(&place, 0, RC_OK);
	assert_true(engine_check(engine));
	folder_remove(place.temporary);
	assert_false(engine_check(engine));
	engine_drop(&engine);
	place_remove(&place);
}

static void limits_cut_and_say_so(void **state)
{
	struct place   place;
	struct engine *engine = NULL;
	struct buf     why = buf_make(1000), bytes = buf_make(1u << 20);

	(void)state;
	place_make(&place);
	assert_int_equal(file_replace(place.dir, "own.ndb", SLICE("Own.Needle:0:*:6e6565646c652d34373131\n")), RC_OK);

	struct engine_options options = { .folders = { place.signatures }, .folder_count = 1, .temporary = place.temporary, .limits = ENGINE_LIMITS_STANDARD };

	options.limits.file_bytes = 100000;
	assert_int_equal(engine_load(&options, &why, &engine), RC_OK);
	for (size_t i = 0; i < 200000; i++)
		buf_put_byte(&bytes, (uint8_t)('a' + i % 23));
	for (size_t size = 99999; size <= 100001; size++) {
		struct av_answer answer = { 0 };

		engine_scan(engine, slice_take(buf_slice(&bytes), size), SLICE("x"), &answer);
		if (answer.result != (size <= 100000 ? AV_CLEAN : AV_CUT))
			fail_msg("%zu bytes: %s %.*s", size, av_result_word(answer.result), (int)answer.signature.len, (const char *)answer.signature.ptr);
	}
	engine_drop(&engine);
	buf_done(&bytes);
	buf_done(&why);
	place_remove(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_signatures_are_found),
		cmocka_unit_test(what_cannot_be_loaded_is_refused),
		cmocka_unit_test(without_signatures_only_the_canary_is_known),
		cmocka_unit_test(a_silent_canary_is_noticed),
		cmocka_unit_test(limits_cut_and_say_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
