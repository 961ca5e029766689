/* Slabs: what they hold, what they refuse, the account, and what a receiver believes. */
#include "sys/slab.h"

#include "base/memory.h"
#include "sys/file.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct slab *make(size_t size_max)
{
	struct slab *slab = NULL;

	assert_int_equal(slab_open(size_max, &slab), RC_OK);
	return slab;
}

static void test_a_message(void **state)
{
	struct slab *slab = make(1u << 20);

	(void)state;
	assert_int_equal(slab_bytes(slab).len, 0);
	assert_int_equal(slab_append(slab, SLICE("")), RC_OK);
	assert_int_equal(slab_append(slab, SLICE("Subject: x\r\n")), RC_OK);
	assert_int_equal(slab_append(slab, SLICE("\r\nbody")), RC_OK);
	assert_int_equal(slab_seal(slab), RC_OK);
	assert_true(slice_eq(slab_bytes(slab), SLICE("Subject: x\r\n\r\nbody")));

	/* Shared on request, and once. A receiver has the same bytes, and no way to change them. */
	assert_int_equal(slab_fd(slab), -1);
	assert_int_equal(slab_share(slab), RC_OK);
	const int shared = slab_fd(slab);
	assert_int_equal(slab_share(slab), RC_OK);
	assert_int_equal(slab_fd(slab), shared);
	struct slab *taken = NULL;
	assert_int_equal(slab_take(dup(slab_fd(slab)), 18, 1u << 20, &taken), RC_OK);
	assert_true(slice_eq(slab_bytes(taken), SLICE("Subject: x\r\n\r\nbody")));
	assert_int_equal(mmap(NULL, 18, PROT_READ | PROT_WRITE, MAP_SHARED, slab_fd(slab), 0), MAP_FAILED);
	assert_int_equal(write(slab_fd(slab), "x", 1), -1);
	assert_int_equal(ftruncate(slab_fd(slab), 5), -1);
	assert_int_equal(ftruncate(slab_fd(slab), 500), -1);
	assert_int_equal(fcntl(slab_fd(slab), F_ADD_SEALS, F_SEAL_WRITE), -1);
	/* The sender lets go first; the receiver still reads. */
	slab_close(&slab);
	assert_null(slab);
	assert_int_equal(slab_count(), 1);
	assert_true(slice_eq(slab_bytes(taken), SLICE("Subject: x\r\n\r\nbody")));
	slab_close(&taken);
	slab_close(&taken);
	assert_int_equal(slab_count(), 0);
	assert_int_equal(slab_bytes_held(), 0);
}

static void test_size_bound(void **state)
{
	static const uint8_t bytes[1001] = { 0 };

	(void)state;
	for (size_t size = 999; size <= 1001; size++) {
		struct slab *slab = make(1000);
		assert_int_equal(slab_append(slab, slice_of(bytes, size)), size <= 1000 ? RC_OK : RC_LIMIT);
		assert_int_equal(slab_bytes(slab).len, size <= 1000 ? size : 0);
		slab_close(&slab);
	}
	struct slab *slab = make(1);
	assert_int_equal(slab_append(slab, SLICE("a")), RC_OK);
	assert_int_equal(slab_append(slab, SLICE("b")), RC_LIMIT);
	slab_close(&slab);
}

static void test_account(void **state)
{
	static const uint8_t step[SLAB_STEP] = { 0 };
	struct slab         *one = make(1u << 20), *two = make(1u << 20), *three = NULL;

	(void)state;
	slab_limit_set(3 * SLAB_STEP);
	assert_int_equal(slab_append(one, SLICE("x")), RC_OK);
	assert_int_equal(slab_bytes_held(), SLAB_STEP);
	assert_int_equal(slab_append(one, slice_of(step, SLAB_STEP - 1)), RC_OK);
	assert_int_equal(slab_bytes_held(), SLAB_STEP);
	assert_int_equal(slab_append(one, SLICE("x")), RC_OK);
	assert_int_equal(slab_append(two, slice_of(step, SLAB_STEP)), RC_OK);
	assert_int_equal(slab_bytes_held(), 3 * SLAB_STEP);
	/* Full: what is there stays, what comes is refused, a new slab too. */
	assert_int_equal(slab_append(two, SLICE("x")), RC_NOMEM);
	assert_int_equal(slab_bytes(two).len, SLAB_STEP);
	assert_int_equal(slab_open(1000, &three), RC_NOMEM);
	assert_null(three);
	slab_close(&one);
	assert_int_equal(slab_append(two, SLICE("x")), RC_OK);
	slab_limit_set(0);
	assert_int_equal(slab_append(two, slice_of(step, SLAB_STEP)), RC_NOMEM);
	slab_limit_set(UINT64_MAX);
	slab_close(&two);
	assert_int_equal(slab_bytes_held(), 0);
}

static void test_distrust(void **state)
{
	struct slab *slab = make(4096), *taken = NULL;

	(void)state;
	assert_int_equal(slab_append(slab, SLICE("12345")), RC_OK);
	assert_int_equal(slab_seal(slab), RC_OK);
	assert_int_equal(slab_share(slab), RC_OK);
	assert_int_equal(slab_take(dup(slab_fd(slab)), 4, 4096, &taken), RC_CORRUPT);
	assert_int_equal(slab_take(dup(slab_fd(slab)), 6, 4096, &taken), RC_CORRUPT);
	assert_int_equal(slab_take(dup(slab_fd(slab)), UINT64_MAX, UINT64_MAX, &taken), RC_LIMIT);
	assert_int_equal(slab_take(dup(slab_fd(slab)), 5, 4, &taken), RC_LIMIT);
	assert_int_equal(slab_take(dup(slab_fd(slab)), 5, 5, &taken), RC_OK);
	slab_close(&taken);
	slab_close(&slab);

	/* Not sealed, sealed in part, no memfd at all, no descriptor at all. */
	int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(fd, 5), 0);
	assert_int_equal(slab_take(dup(fd), 5, 100, &taken), RC_DENIED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL), 0);
	assert_int_equal(slab_take(fd, 5, 100, &taken), RC_DENIED);
	assert_int_equal(fcntl(fd, F_GETFD), -1); /* closed, whatever the answer */
	assert_int_equal(slab_take(open("/etc/passwd", O_RDONLY | O_CLOEXEC), 5, 100, &taken), RC_DENIED);
	assert_int_equal(slab_take(-1, 5, 100, &taken), RC_DENIED);
	assert_null(taken);
	assert_int_equal(slab_count(), 0);
}

/* Around the size from which a message is mapped, in one piece and in many: the bytes are the same for both sides. */
static void test_small_and_large(void **state)
{
	static uint8_t      bytes[200000];
	static const size_t sizes[] = { 1, 8191, 8192, 8193, 65536, SLAB_SMALL_MAX - 1, SLAB_SMALL_MAX, SLAB_SMALL_MAX + 1, 200000 };
	static const size_t pieces[] = { 1, 777, 16383, 16384, 65536, 200000 };

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 31 + i / 253);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		for (size_t j = 0; j < sizeof pieces / sizeof pieces[0]; j++) {
			struct slab       *slab = make(1u << 20), *taken = NULL;
			const struct slice all = slice_of(bytes, sizes[i]);
			struct slice       rest = all;
			while (rest.len != 0) {
				assert_int_equal(slab_append(slab, slice_take(rest, pieces[j])), RC_OK);
				rest = slice_drop(rest, pieces[j]);
			}
			assert_int_equal(slab_seal(slab), RC_OK);
			assert_true(slice_eq(slab_bytes(slab), all));
			assert_int_equal(slab_fd(slab) >= 0, sizes[i] > SLAB_SMALL_MAX);
			assert_int_equal(slab_share(slab), RC_OK);
			assert_int_equal(slab_take(dup(slab_fd(slab)), all.len, 1u << 20, &taken), RC_OK);
			assert_true(slice_eq(slab_bytes(taken), all));
			assert_int_equal(mmap(NULL, all.len, PROT_READ | PROT_WRITE, MAP_SHARED, slab_fd(slab), 0), MAP_FAILED);
			assert_int_equal(ftruncate(slab_fd(slab), 1 << 20), -1);
			slab_close(&taken);
			slab_close(&slab);
		}
	}
	assert_int_equal(slab_bytes_held(), 0);
}

/* Memory ends while a message grows: it stays as it was, and can go on later. */
static void test_growing_without_memory(void **state)
{
	static const uint8_t bytes[40000] = { 1 };
	struct slab         *slab = make(1u << 20);

	(void)state;
	assert_int_equal(slab_append(slab, slice_of(bytes, 5000)), RC_OK);
	memory_fail_after(0);
	const enum rc rc = slab_append(slab, slice_of(bytes, sizeof bytes));
	memory_fail_after(-1);
	assert_int_equal(rc, RC_NOMEM);
	assert_int_equal(slab_bytes(slab).len, 5000);
	assert_int_equal(slab_append(slab, slice_of(bytes, sizeof bytes)), RC_OK);
	assert_int_equal(slab_bytes(slab).len, 45000);
	slab_close(&slab);
	assert_int_equal(slab_bytes_held(), 0);
}

/* No descriptor for the memfd: the message stays as it was, and goes on when there is one. */
static void test_growing_without_a_descriptor(void **state)
{
	static const uint8_t bytes[SLAB_SMALL_MAX] = { 1 };
	struct slab         *slab = make(1u << 20);
	struct rlimit        before;

	(void)state;
	assert_int_equal(slab_append(slab, slice_of(bytes, sizeof bytes)), RC_OK);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	const struct rlimit none = { 0, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	const enum rc rc = slab_append(slab, slice_of(bytes, 1));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(rc, RC_LIMIT);
	assert_true(slice_eq(slab_bytes(slab), slice_of(bytes, sizeof bytes)));
	assert_int_equal(slab_append(slab, slice_of(bytes, 1)), RC_OK);
	assert_int_equal(slab_append(slab, SLICE("end")), RC_OK);
	assert_int_equal(slab_seal(slab), RC_OK);
	assert_int_equal(slab_bytes(slab).len, sizeof bytes + 4);
	assert_true(slice_eq(slice_drop(slab_bytes(slab), sizeof bytes + 1), SLICE("end")));
	slab_close(&slab);
	assert_int_equal(slab_bytes_held(), 0);
}

static void test_empty_message(void **state)
{
	struct slab *slab = make(4096), *taken = NULL;

	(void)state;
	assert_int_equal(slab_seal(slab), RC_OK);
	assert_int_equal(slab_share(slab), RC_OK);
	assert_int_equal(slab_take(dup(slab_fd(slab)), 0, 4096, &taken), RC_OK);
	assert_int_equal(slab_bytes(taken).len, 0);
	slab_close(&taken);
	slab_close(&slab);
}

static void test_published(void **state)
{
	int          fd = -1;
	uint64_t     size = 0;
	struct slab *taken = NULL;

	(void)state;
	assert_int_equal(slab_publish("settings", SLICE("[gateway]"), &fd), RC_OK);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(slab_published_size(fd, &size), RC_OK);
	assert_int_equal(size, 9);
	assert_int_equal(slab_take(fd, size, 100, &taken), RC_OK);
	assert_true(slice_eq(slab_bytes(taken), SLICE("[gateway]")));
	slab_close(&taken);
	int plain = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	assert_int_equal(slab_published_size(plain, &size), RC_DENIED);
	file_close(&plain);
}

static void test_no_memory(void **state)
{
	struct slab *slab = NULL;
	int          fd = -1;

	(void)state;
	memory_fail_after(0);
	const enum rc opened = slab_open(100, &slab);
	memory_fail_after(-1);
	assert_int_equal(opened, RC_NOMEM);
	assert_int_equal(slab_publish("x", SLICE("abc"), &fd), RC_OK);
	memory_fail_after(0);
	const enum rc took = slab_take(fd, 3, 100, &slab);
	memory_fail_after(-1);
	assert_int_equal(took, RC_NOMEM);
	assert_null(slab);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_message),
		cmocka_unit_test(test_size_bound),
		cmocka_unit_test(test_account),
		cmocka_unit_test(test_distrust),
		cmocka_unit_test(test_small_and_large),
		cmocka_unit_test(test_growing_without_memory),
		cmocka_unit_test(test_growing_without_a_descriptor),
		cmocka_unit_test(test_empty_message),
		cmocka_unit_test(test_published),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
