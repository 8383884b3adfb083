/* template.h - the texts that leave for customers or stand in tasks, from the bundle's templates/ folder.
 *
 * templates/NAME.txt: lines `key: value` (kind, subject), an empty line, the text. Kinds:
 *
 *     reply   has a subject; sent to customers
 *     block   a paragraph put in at {{block}} of a reply, or added to a task's text
 *     task    a text for clerks (call, pzzv_steps)
 *
 * A text may hold {{NAME}} of a closed list, none of them personal: what is not in the list cannot leave.
 *
 *     {{dienststelle}} {{telefon}} {{portal}}   from templates/values.yaml
 *     {{eingang}}                               day of receipt, "8. April 2024" (Berlin)
 *     {{vorgang}}                               public name of the item
 *     {{block}}                                 the block the decision asks for; alone on its line, the line
 *                                               goes with it when there is none
 *
 * Checked at load: names, kinds, subject one line without placeholders but {{vorgang}}, UTF-8 without control
 * characters, size ≤ TEMPLATE_MAX; findings as file:line:column.
 */
#ifndef CONFIG_TEMPLATE_H
#define CONFIG_TEMPLATE_H

#include "config/bundle.h"
#include "core/auto.h"
#include "core/diag.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define TEMPLATE_MAX (16 * 1024)

enum template_kind { TEMPLATE_REPLY, TEMPLATE_BLOCK, TEMPLATE_TASK };

struct templates;

/* All templates of the bundle; what is wrong goes to `diag`. Never NULL. Read-only afterwards, may be shared
 * by threads. */
struct templates *templates_load(const struct bundle *bundle, struct diag *diag);
void templates_free(struct templates *templates);
AUTO_FREE(templates);

bool templates_has(const struct templates *templates, const char *name, enum template_kind kind);

struct template_values {
	int64_t received;    /* time of receipt */
	const char *vorgang; /* public name of the item */
	const char *block;   /* name of a block, or NULL */
};

struct text {
	char *subject; /* NULL unless a reply */
	char *body;    /* UTF-8, LF */
};
void text_free(struct text *text);
AUTO_FREE(text);

/* ERROR_CONFIG if there is no such template or block. */
struct text *templates_fill(const struct templates *templates, const char *name,
        const struct template_values *values, GError **error);

#endif
