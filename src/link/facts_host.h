/* The facts of a URL that its user name, host and port give. For facts.c alone. */
#ifndef LINK_FACTS_HOST_H
#define LINK_FACTS_HOST_H

#include "link/facts.h"

uint64_t host_facts(const struct url *url, const struct suffix_list *list);

#endif
