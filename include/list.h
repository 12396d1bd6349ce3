/* list.h: an intrusive doubly linked circular list. The link is a field named in_<list>; a head is
 * a link of its own. No allocation, removal in O(1). */
#ifndef GOSSAMER_LIST_H
#define GOSSAMER_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev; /* both self when empty or not linked */
};

/* list_init makes an empty head, or a link that is in no list. */
static inline void list_init(struct list *list)
{
    list->next = list->prev = list;
}
/* list_is_empty tells whether a head has no elements, or a link is in no list. */
static inline bool list_is_empty(const struct list *list)
{
    return list->next == list;
}
/* list_push_back and list_push_front insert a link that is in no list. */
static inline void list_push_back(struct list *head, struct list *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}
static inline void list_push_front(struct list *head, struct list *link)
{
    list_push_back(head->next, link);
}
/* list_remove takes a link out of whatever list it is in; harmless if it is in none. */
static inline void list_remove(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}
/* list_pop_front removes and returns the first link, NULL when empty. */
static inline struct list *list_pop_front(struct list *head)
{
    struct list *link = head->next;

    if (link == head)
        return NULL;
    list_remove(link);
    return link;
}

/* list_entry gives the struct that holds `link` as its field `member`. */
#define list_entry(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))
/* list_for_each visits links; the visited one must not be removed. The _safe form allows it. */
#define list_for_each(head, link)                                                                  \
    for (struct list *link = (head)->next; link != (head); link = link->next)
#define list_for_each_safe(head, link)                                                             \
    for (struct list *link = (head)->next, *link##_next = link->next; link != (head);              \
         link = link##_next, link##_next = link->next)

#endif
