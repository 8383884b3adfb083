/* connector.c - batches, and the table of all connectors. */
#include "intake/connector.h"
#include "intake/members.h"

#include <string.h>

const struct connector *const connectors[] = {
        &connector_eservice,
        &connector_imap,

        &connector_maildir,
        &connector_postbox,
        NULL,
};

const struct connector *connector_find(const char *name)
{
	for (const struct connector *const *c = connectors; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

void fetched_free(struct fetched *fetched)
{
	if (!fetched)
		return;
	item_free(fetched->item);
	g_free(fetched->generation);
	g_free(fetched);
}

static void free_entry(gpointer entry)
{
	fetched_free(entry);
}

void batch_init(struct batch *batch)
{
	*batch = (struct batch){.entries = g_ptr_array_new_with_free_func(free_entry)};
}

void batch_clear(struct batch *batch)
{
	if (batch->entries)
		g_ptr_array_unref(batch->entries);
	json_decref(batch->state);
	*batch = (struct batch){0};
}

struct fetched *batch_add(struct batch *batch, enum fetched_kind kind, struct item *item)
{
	struct fetched *fetched = g_new0(struct fetched, 1);
	fetched->kind = kind;
	fetched->item = item;
	fetched->unsettled = kind == FETCHED_ITEM || kind == FETCHED_LARGE;
	g_ptr_array_add(batch->entries, fetched);
	return fetched;
}
