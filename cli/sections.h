/* sections.h - all option tables of the deployment file in one list, for manual, sample and their test. */
#ifndef CLI_SECTIONS_H
#define CLI_SECTIONS_H

#include "config/option.h"

struct section {
	char *path;          /* where it stands: "", "limits", "sources.NAME" … */
	const char *type;    /* value of `type:` of a family member, or NULL */
	const char *summary; /* one line, or NULL */
	const struct option *options;
};

/* In the order of the manual. GPtrArray of struct section. */
GPtrArray *sections_list(void);

#endif
