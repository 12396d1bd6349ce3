/* list_test.c: insertion, removal and walking of the header-only list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "list.h"

struct item {
    int number;
    struct list in_items;
};

static int digits(struct list *head)
{
    int result = 0;

    list_for_each (head, link)
        result = result * 10 + list_entry(link, struct item, in_items)->number;
    return result;
}

static void test_order_and_removal(void **state)
{
    struct list head;
    struct item items[4] = {{.number = 1}, {.number = 2}, {.number = 3}, {.number = 4}};

    (void)state;
    list_init(&head);
    assert_true(list_is_empty(&head));
    assert_null(list_pop_front(&head));
    list_push_back(&head, &items[1].in_items);
    list_push_back(&head, &items[2].in_items);
    list_push_front(&head, &items[0].in_items);
    list_push_back(&head, &items[3].in_items);
    assert_int_equal(digits(&head), 1234);
    list_remove(&items[2].in_items);
    list_remove(&items[2].in_items);
    assert_true(list_is_empty(&items[2].in_items));
    assert_int_equal(digits(&head), 124);
    assert_ptr_equal(list_pop_front(&head), &items[0].in_items);
    assert_int_equal(digits(&head), 24);
}

static void test_safe_walk_may_remove(void **state)
{
    struct list head;
    struct item items[5];

    (void)state;
    list_init(&head);
    for (int i = 0; i < 5; i++) {
        items[i].number = i + 1;
        list_push_back(&head, &items[i].in_items);
    }
    list_for_each_safe (&head, link) {
        if (list_entry(link, struct item, in_items)->number % 2)
            list_remove(link);
    }
    assert_int_equal(digits(&head), 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_removal),
        cmocka_unit_test(test_safe_walk_may_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
