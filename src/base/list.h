/*
 * Intrusive doubly-linked lists: the link lies in the thing, so that linking never fails and never allocates. A thing sits
 * in at most one list per link. A link of zero bytes is in no list.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *prev;
};

/* The thing of type `type` whose member `member` is `link`. */
#define LIST_OF(link, type, member) ((type *)(void *)((char *)(link) - offsetof(type, member)))

/* An empty head. Must be called before any other use of a head. */
static inline void list_init(struct list *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

/* Is this link in a list? */
static inline bool list_linked(const struct list *link)
{
	return link->next != NULL;
}

static inline void list_insert(struct list *before, struct list *link)
{
	link->next = before;
	link->prev = before->prev;
	before->prev->next = link; /* NOLINT(clang-analyzer-core.NullDereference): what is in a list, or a head, has both */
	before->prev = link;
}

static inline void list_append(struct list *head, struct list *link)
{
	list_insert(head, link);
}

static inline void list_prepend(struct list *head, struct list *link)
{
	list_insert(head->next, link);
}

/* Legal on a link that is in no list. */
static inline void list_remove(struct list *link)
{
	if (!list_linked(link))
		return;
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link->next = NULL;
	link->prev = NULL;
}

/* The first link, taken out; NULL when empty. */
static inline struct list *list_shift(struct list *head)
{
	struct list *first = head->next;

	if (first == head)
		return NULL;
	list_remove(first);
	return first;
}

#endif
