#include "base/arena.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define ALIGNMENT _Alignof(max_align_t)

static void gives_zeroed_aligned_parts(void **state)
{
	struct arena a;

	(void)state;
	assert_int_equal(arena_init(&a, 256), RC_OK);
	memset(a.ptr, 0xaa, a.size);
	assert_non_null(arena_bytes(&a, 3));
	uint8_t *part = arena_take(&a, 5, 4);
	assert_non_null(part);
	assert_int_equal((uintptr_t)part % ALIGNMENT, 0);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(part[i], 0);
	assert_int_equal(part[20], 0xaa);
	arena_done(&a);
	arena_done(&a);
}

static void full_is_an_answer(void **state)
{
	struct arena a;

	(void)state;
	assert_int_equal(arena_init(&a, 64), RC_OK);
	assert_null(arena_take(&a, 1, 65));
	assert_null(arena_take(&a, SIZE_MAX, 2));
	assert_null(arena_take(&a, 2, SIZE_MAX));
	assert_null(arena_bytes(&a, 65));
	assert_null(arena_bytes(&a, SIZE_MAX));
	assert_int_equal(a.used, 0);
	assert_non_null(arena_bytes(&a, 63));
	assert_null(arena_take(&a, 1, 1)); /* the alignment leaves nothing */
	assert_non_null(arena_bytes(&a, 1));
	assert_null(arena_bytes(&a, 1));
	assert_non_null(arena_bytes(&a, 0));
	arena_reset(&a);
	assert_non_null(arena_take(&a, 8, 8));
	arena_done(&a);
	assert_null(arena_bytes(&a, 0));
	assert_null(arena_take(&a, 0, 1));
}

static void stands_on_foreign_memory(void **state)
{
	_Alignas(max_align_t) uint8_t memory[32];
	struct arena                  a = arena_on(memory, sizeof memory);

	(void)state;
	assert_ptr_equal(arena_take(&a, 1, 32), memory);
	assert_null(arena_bytes(&a, 1));
	arena_done(&a);
}

static void copies(void **state)
{
	_Alignas(max_align_t) uint8_t memory[8];
	struct arena                  a = arena_on(memory, sizeof memory);
	struct slice                  copy = SLICE("before");
	const char                   *text = "before";

	(void)state;
	assert_int_equal(arena_copy(&a, SLICE("a\0b"), &copy), RC_OK);
	assert_true(slice_eq(copy, SLICE("a\0b")));
	assert_int_equal(arena_cstr(&a, SLICE("a\0b"), &text), RC_SYNTAX);
	assert_int_equal(arena_cstr(&a, SLICE("12345"), &text), RC_NOMEM);
	assert_int_equal(arena_copy(&a, SLICE("123456"), &copy), RC_NOMEM);
	assert_string_equal(text, "before");
	assert_true(slice_eq(copy, SLICE("a\0b")));
	assert_int_equal(arena_cstr(&a, SLICE("1234"), &text), RC_OK);
	assert_string_equal(text, "1234");
	assert_int_equal(arena_copy(&a, slice_of(NULL, 0), &copy), RC_OK);
	assert_int_equal(copy.len, 0);
}

static void keeps_the_front_of_a_piece(void **state)
{
	uint8_t      memory[16];
	struct arena a = arena_on(memory, sizeof memory);

	(void)state;
	assert_int_equal(arena_left(&a), 16);
	assert_int_equal(arena_left(&(struct arena){ .ptr = NULL }), 0);
	assert_non_null(arena_bytes(&a, 3));
	uint8_t *piece = arena_bytes(&a, 13);
	assert_int_equal(arena_left(&a), 0);
	arena_keep(&a, piece, 13);
	assert_int_equal(arena_left(&a), 0);
	arena_keep(&a, piece, 5);
	assert_int_equal(arena_left(&a), 8);
	arena_keep(&a, piece, 0);
	assert_ptr_equal(arena_bytes(&a, 1), piece);
}

static void no_memory_leaves_it_untouched(void **state)
{
	struct arena a = { .size = 77 };

	(void)state;
	memory_fail_after(0);
	assert_int_equal(arena_init(&a, 64), RC_NOMEM);
	memory_fail_after(-1);
	assert_int_equal(a.size, 77);
}

static void gives_back_what_came_behind_a_mark(void **state)
{
	uint8_t      memory[256];
	struct arena a = arena_on(memory, sizeof memory);

	(void)state;
	assert_non_null(arena_bytes(&a, 10));
	const size_t   mark = a.used;
	const uint8_t *first = arena_bytes(&a, 100);
	assert_null(arena_bytes(&a, 200));
	arena_release(&a, mark);
	assert_ptr_equal(arena_bytes(&a, 200), first);
}

static void memory_counts_its_failures(void **state)
{
	(void)state;
	assert_null(memory_take(0, 1));
	assert_null(memory_take(1, 0));
	assert_null(memory_resize(NULL, 0));
	memory_fail_after(1);
	void *first = memory_take(1, 1), *second = memory_take(1, 1);
	assert_null(memory_resize(first, 9));
	memory_fail_after(-1);
	assert_non_null(first);
	assert_null(second);
	memory_wipe(first, 1);
	memory_wipe(NULL, 0);
	memory_give(first);
	memory_give(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_zeroed_aligned_parts),
		cmocka_unit_test(full_is_an_answer),
		cmocka_unit_test(stands_on_foreign_memory),
		cmocka_unit_test(copies),
		cmocka_unit_test(keeps_the_front_of_a_piece),
		cmocka_unit_test(no_memory_leaves_it_untouched),
		cmocka_unit_test(gives_back_what_came_behind_a_mark),
		cmocka_unit_test(memory_counts_its_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
