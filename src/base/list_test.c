#include "base/list.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

struct thing {
	int         number;
	struct list link;
};

static struct thing *thing_of(struct list *link)
{
	return LIST_OF(link, struct thing, link);
}

/* The numbers in order, read both ways, as one decimal number. */
static int read_list(struct list *head)
{
	int forward = 0, scale = 1, backward = 0;

	for (struct list *at = head->next; at != head; at = at->next)
		forward = forward * 10 + thing_of(at)->number;
	for (struct list *at = head->prev; at != head; at = at->prev, scale *= 10)
		backward += scale * thing_of(at)->number;
	assert_int_equal(forward, backward);
	return forward;
}

static void keeps_order(void **state)
{
	struct list  head;
	struct thing one = { .number = 1 }, two = { .number = 2 }, three = { .number = 3 }, four = { .number = 4 };

	(void)state;
	list_init(&head);
	assert_true(list_empty(&head));
	assert_null(list_shift(&head));
	assert_false(list_linked(&one.link));
	list_append(&head, &two.link);
	list_append(&head, &three.link);
	list_prepend(&head, &one.link);
	assert_int_equal(read_list(&head), 123);
	list_insert(&two.link, &four.link);
	assert_int_equal(read_list(&head), 1423);
	assert_true(list_linked(&four.link));
	list_remove(&four.link);
	list_remove(&four.link);
	assert_false(list_linked(&four.link));
	assert_int_equal(read_list(&head), 123);
	assert_ptr_equal(list_shift(&head), &one.link);
	assert_false(list_linked(&one.link));
	list_remove(&three.link);
	assert_int_equal(read_list(&head), 2);
	list_append(&head, &one.link);
	assert_int_equal(read_list(&head), 21);
	assert_ptr_equal(list_shift(&head), &two.link);
	assert_ptr_equal(list_shift(&head), &one.link);
	assert_true(list_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(keeps_order) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
