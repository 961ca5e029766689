#include "base/map.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static struct slice key_of(unsigned number)
{
	static char text[16];

	return slice_of(text, (size_t)snprintf(text, sizeof text, "key %u", number));
}

/* Values are numbers made into pointers: the map never looks behind them. */
static void *value_of(unsigned number)
{
	return (void *)(uintptr_t)(number + 1);
}

static void adds_and_removes(void **state)
{
	struct map *map = NULL;
	void       *old = value_of(99);

	(void)state;
	assert_int_equal(map_open(10, 1, &map), RC_OK);
	assert_null(map_get(map, SLICE("a")));
	assert_null(map_remove(map, SLICE("a")));
	assert_int_equal(map_add(map, SLICE("a"), value_of(1)), RC_OK);
	assert_int_equal(map_add(map, SLICE("a"), value_of(2)), RC_EXISTS);
	assert_ptr_equal(map_get(map, SLICE("a")), value_of(1));
	assert_int_equal(map_put(map, SLICE("a"), value_of(3), &old), RC_OK);
	assert_ptr_equal(old, value_of(1));
	assert_int_equal(map_put(map, SLICE("b"), value_of(4), &old), RC_OK);
	assert_null(old);
	assert_int_equal(map_put(map, SLICE("b"), value_of(5), NULL), RC_OK);
	assert_int_equal(map_add(map, slice_of(NULL, 0), value_of(6)), RC_OK);
	assert_int_equal(map_add(map, SLICE("\0"), value_of(7)), RC_OK);
	assert_int_equal(map_count(map), 4);
	assert_ptr_equal(map_get(map, slice_of(NULL, 0)), value_of(6));
	assert_ptr_equal(map_get(map, SLICE("\0")), value_of(7));
	assert_ptr_equal(map_remove(map, SLICE("a")), value_of(3));
	assert_null(map_remove(map, SLICE("a")));
	assert_ptr_equal(map_get(map, SLICE("b")), value_of(5));
	assert_int_equal(map_count(map), 3);
	map_close(&map);
	assert_null(map);
	map_close(&map);
}

static void copies_its_keys(void **state)
{
	struct map *map = NULL;
	char        key[] = "changes";

	(void)state;
	assert_int_equal(map_open(10, 1, &map), RC_OK);
	assert_int_equal(map_add(map, slice_str(key), value_of(1)), RC_OK);
	key[0] = 'X';
	assert_ptr_equal(map_get(map, SLICE("changes")), value_of(1));
	map_close(&map);
}

static void is_full_at_its_bound(void **state)
{
	(void)state;
	for (unsigned max = 1; max < 40; max++) {
		struct map *map = NULL;
		assert_int_equal(map_open(max, max, &map), RC_OK);
		for (unsigned i = 0; i < max; i++)
			assert_int_equal(map_add(map, key_of(i), value_of(i)), RC_OK);
		assert_int_equal(map_add(map, key_of(max), value_of(max)), RC_NOMEM);
		assert_int_equal(map_put(map, key_of(max), value_of(max), NULL), RC_NOMEM);
		assert_int_equal(map_put(map, key_of(0), value_of(7), NULL), RC_OK);
		assert_ptr_equal(map_remove(map, key_of(max / 2)), max == 1 ? value_of(7) : value_of(max / 2));
		assert_int_equal(map_add(map, key_of(max), value_of(max)), RC_OK);
		map_close(&map);
	}
}

static void takes_the_longest_key(void **state)
{
	static uint8_t long_key[65535];
	struct map    *map = NULL;

	(void)state;
	assert_int_equal(map_open(2, 1, &map), RC_OK);
	assert_int_equal(map_add(map, slice_of(long_key, sizeof long_key), value_of(1)), RC_OK);
	assert_int_equal(map_add(map, slice_of(long_key, sizeof long_key - 1), value_of(2)), RC_OK);
	assert_ptr_equal(map_get(map, slice_of(long_key, sizeof long_key)), value_of(1));
	map_close(&map);
}

#define MODEL_KEYS 200u

/* Many random acts, each compared with an array that cannot be wrong. */
static void agrees_with_an_array(void **state)
{
	struct map *map = NULL;
	void       *model[MODEL_KEYS] = { NULL };
	uint64_t    random = 42;
	size_t      count = 0;

	(void)state;
	assert_int_equal(map_open(MODEL_KEYS, 7, &map), RC_OK);
	for (unsigned step = 0; step < 200000; step++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		const unsigned which = (unsigned)(random >> 33) % MODEL_KEYS;
		if ((random >> 60) < 8) {
			const enum rc rc = map_add(map, key_of(which), value_of(step));
			assert_int_equal(rc, model[which] == NULL ? RC_OK : RC_EXISTS);
			if (rc == RC_OK) {
				model[which] = value_of(step);
				count++;
			}
		} else {
			assert_ptr_equal(map_remove(map, key_of(which)), model[which]);
			count -= model[which] != NULL;
			model[which] = NULL;
		}
		assert_int_equal(map_count(map), count);
		if (step % 1000 == 0) {
			for (unsigned i = 0; i < MODEL_KEYS; i++)
				assert_ptr_equal(map_get(map, key_of(i)), model[i]);
		}
	}
	map_close(&map);
}

static void walk_meets_each_once(void **state)
{
	(void)state;
	for (unsigned every = 1; every <= 4; every++) {
		struct map  *map = NULL;
		bool         met[100] = { false };
		size_t       position = 0, kept = 0;
		struct slice key;
		void        *value;

		assert_int_equal(map_open(100, every, &map), RC_OK);
		assert_false(map_next(map, &position, &key, &value));
		for (unsigned i = 0; i < 100; i++)
			assert_int_equal(map_add(map, key_of(i), value_of(i)), RC_OK);
		for (position = 0; map_next(map, &position, &key, &value);) {
			const unsigned number = (unsigned)(uintptr_t)value - 1;
			assert_true(slice_eq(key, key_of(number)));
			assert_false(met[number]);
			met[number] = true;
			if (number % every == 0)
				assert_ptr_equal(map_remove(map, key), value);
			else
				kept++;
		}
		for (unsigned i = 0; i < 100; i++)
			assert_true(met[i]);
		assert_int_equal(map_count(map), kept);
		map_close(&map);
	}
}

static void survives_every_failed_allocation(void **state)
{
	(void)state;
	for (long allowed = 0, done = 0; !done; allowed++) {
		struct map *map = NULL;
		unsigned    added = 0;

		memory_fail_after(allowed);
		if (map_open(100, 1, &map) == RC_OK) {
			while (added < 40 && map_add(map, key_of(added), value_of(added)) == RC_OK)
				added++;
		}
		memory_fail_after(-1);
		done = added == 40;
		if (map != NULL) {
			/* What was added before is there, and the map goes on. */
			for (unsigned i = 0; i < added; i++)
				assert_ptr_equal(map_get(map, key_of(i)), value_of(i));
			assert_null(map_get(map, key_of(added)));
			assert_int_equal(map_add(map, key_of(added), value_of(added)), RC_OK);
		}
		map_close(&map);
	}
}

/* The values of the reference implementation for the key 00 01 .. 0f and the texts (), (0), (0 1). */
static void hash_is_siphash_1_3(void **state)
{
	const uint64_t low = 0x0706050403020100, high = 0x0f0e0d0c0b0a0908;

	(void)state;
	assert_true(map_siphash(low, high, slice_of(NULL, 0)) == 0xabac0158050fc4dc);
	assert_true(map_siphash(low, high, SLICE("\0")) == 0xc9f49bf37d57ca93);
	assert_true(map_siphash(low, high, SLICE("\0\1")) == 0x82cb9b024dc7d44d);
	/* And CPython's hash(b"abcdefghij") with PYTHONHASHSEED=0. */
	assert_true((int64_t)map_siphash(0, 0, SLICE("abcdefghij")) == -829746140550000655);
	assert_true(map_hash(1, SLICE("a")) != map_hash(2, SLICE("a")));
	assert_true(map_hash(1, SLICE("a")) != map_hash(1, SLICE("b")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_and_removes),
		cmocka_unit_test(copies_its_keys),
		cmocka_unit_test(is_full_at_its_bound),
		cmocka_unit_test(takes_the_longest_key),
		cmocka_unit_test(agrees_with_an_array),
		cmocka_unit_test(walk_meets_each_once),
		cmocka_unit_test(survives_every_failed_allocation),
		cmocka_unit_test(hash_is_siphash_1_3),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
