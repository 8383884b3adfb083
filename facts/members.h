/* members.h - the members of the family; each in the file of its name. */
#ifndef FACTS_MEMBERS_H
#define FACTS_MEMBERS_H

#include "facts/provider.h"

extern const struct facts_provider facts_provider_http;
extern const struct facts_provider facts_provider_table;

#endif
