#include "base/digest.h"

#include "base/buf.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <threads.h>
#include <cmocka.h>

static int ready(void **state)
{
	(void)state;
	return digest_ready() == RC_OK && digest_ready() == RC_OK ? 0 : -1;
}

static void assert_digest(const struct digest *digest, const char *hex)
{
	struct buf text = buf_make(100);

	buf_put_hex(&text, slice_of(digest->bytes, DIGEST_SIZE));
	assert_true(slice_eq(buf_slice(&text), slice_str(hex)));
	buf_done(&text);
}

/* FIPS 180-4's own examples. */
static void is_sha256(void **state)
{
	const struct slice abc[] = { SLICE("a"), SLICE(""), SLICE("bc") };
	const struct slice longer = SLICE("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
	struct digest      digest;

	(void)state;
	digest_of(NULL, 0, &digest);
	assert_digest(&digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_of(abc, 3, &digest);
	assert_digest(&digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_of(&longer, 1, &digest);
	assert_digest(&digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void runs_piece_by_piece(void **state)
{
	uint8_t       bytes[1000];
	struct digest whole, pieces;

	(void)state;
	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7);
	const struct slice all = slice_of(bytes, sizeof bytes);
	digest_of(&all, 1, &whole);
	for (size_t step = 1; step < 200; step += 13) {
		struct digest_run *run = NULL;
		assert_int_equal(digest_run_open(&run), RC_OK);
		for (size_t at = 0; at < sizeof bytes; at += step)
			digest_run_add(run, slice_cut(all, at, step));
		digest_run_end(&run, &pieces);
		assert_null(run);
		assert_true(digest_eq(&whole, &pieces));
	}
	pieces.bytes[31] ^= 1;
	assert_false(digest_eq(&whole, &pieces));
}

static void run_is_dropped(void **state)
{
	struct digest_run *run = NULL;

	(void)state;
	digest_run_end(&run, NULL);
	assert_int_equal(digest_run_open(&run), RC_OK);
	digest_run_add(run, SLICE("x"));
	digest_run_end(&run, NULL);
	assert_null(run);
	memory_fail_after(0);
	assert_int_equal(digest_run_open(&run), RC_NOMEM);
	memory_fail_after(-1);
	assert_null(run);
}

static int many_digests(void *right)
{
	const struct slice abc = SLICE("abc");
	struct digest      digest;

	for (unsigned i = 0; i < 1000; i++) {
		digest_of(&abc, 1, &digest);
		if (!digest_eq(&digest, right))
			return 1;
	}
	return 0;
}

static void threads_do_not_meet(void **state)
{
	const struct slice abc = SLICE("abc");
	struct digest      right;
	thrd_t             threads[4];

	(void)state;
#ifdef __SANITIZE_THREAD__
	print_message("skipped: ThreadSanitizer does not know C11's threads\n");
	skip();
#endif
	digest_of(&abc, 1, &right);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(thrd_create(&threads[i], many_digests, &right), thrd_success);
	for (unsigned i = 0; i < 4; i++) {
		int wrong = 1;
		assert_int_equal(thrd_join(threads[i], &wrong), thrd_success);
		assert_int_equal(wrong, 0);
	}
}

/* RFC 3720 appendix B.4, and the common check value. */
static void is_crc32c(void **state)
{
	uint8_t bytes[32];

	(void)state;
	assert_int_equal(digest_crc32c(0, slice_of(NULL, 0)), 0);
	assert_int_equal(digest_crc32c(0, SLICE("123456789")), 0xe3069283);
	memset(bytes, 0, sizeof bytes);
	assert_int_equal(digest_crc32c(0, slice_of(bytes, 32)), 0x8a9136aa);
	memset(bytes, 0xff, sizeof bytes);
	assert_int_equal(digest_crc32c(0, slice_of(bytes, 32)), 0x62a8ab43);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (uint8_t)i;
	assert_int_equal(digest_crc32c(0, slice_of(bytes, 32)), 0x46dd794e);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (uint8_t)(31 - i);
	assert_int_equal(digest_crc32c(0, slice_of(bytes, 32)), 0x113fdb5c);
}

/* Both ways agree, from every start, in every length, and in two pieces. */
static void instruction_and_table_agree(void **state)
{
	uint8_t bytes[80];

	(void)state;
	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 151 + 3);
	for (size_t start = 0; start < 9; start++) {
		for (size_t size = 0; size + start <= sizeof bytes; size++) {
			const struct slice s = slice_of(bytes + start, size);
			const uint32_t     crc = digest_crc32c(0, s);
			assert_int_equal(crc, digest_crc32c_table(0, s));
			assert_int_equal(crc, digest_crc32c(digest_crc32c(0, slice_take(s, size / 3)), slice_drop(s, size / 3)));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_sha256),
		cmocka_unit_test(runs_piece_by_piece),
		cmocka_unit_test(run_is_dropped),
		cmocka_unit_test(threads_do_not_meet),
		cmocka_unit_test(is_crc32c),
		cmocka_unit_test(instruction_and_table_agree),
	};

	return cmocka_run_group_tests(tests, ready, NULL);
}
