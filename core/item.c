/* item.c - construction, destruction and the names of the small enumerations. */
#include "core/item.h"
#include "core/date.h"
#include "core/finding.h"

#include <string.h>

static bool name_find(const char *const *names, int n, const char *name, int *out)
{
	for (int i = 0; i < n; i++) {
		if (name && strcmp(names[i], name) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

static const char *const channel_names[] = {"email", "postbox", "eservice"};
static const char *const automatic_names[] = {
        "no", "list", "auto-generated", "auto-replied", "report", "bounce"};
static const char *const rechtskreis_names[] = {"sgb3", "sgb2", "familienkasse"};
static const char *const relevance_names[] = {"no", "unknown", "yes"};

const char *channel_name(enum channel channel)
{
	return channel_names[channel];
}

bool channel_parse(const char *name, enum channel *out)
{
	int i;
	if (!name_find(channel_names, G_N_ELEMENTS(channel_names), name, &i))
		return false;
	*out = (enum channel)i;
	return true;
}

const char *automatic_name(enum automatic automatic)
{
	return automatic_names[automatic];
}

bool automatic_parse(const char *name, enum automatic *out)
{
	int i;
	if (!name_find(automatic_names, G_N_ELEMENTS(automatic_names), name, &i))
		return false;
	*out = (enum automatic)i;
	return true;
}

const char *rechtskreis_name(enum rechtskreis rechtskreis)
{
	return rechtskreis_names[rechtskreis];
}

bool rechtskreis_parse(const char *name, enum rechtskreis *out)
{
	int i;
	if (!name_find(rechtskreis_names, G_N_ELEMENTS(rechtskreis_names), name, &i))
		return false;
	*out = (enum rechtskreis)i;
	return true;
}

const char *relevance_name(enum relevance relevance)
{
	return relevance_names[relevance];
}

bool relevance_parse(const char *name, enum relevance *out)
{
	int i;
	if (!name_find(relevance_names, G_N_ELEMENTS(relevance_names), name, &i))
		return false;
	*out = (enum relevance)i;
	return true;
}

struct item *item_new(void)
{
	return g_new0(struct item, 1);
}

void item_free(struct item *item)
{
	if (!item)
		return;
	g_free(item->source);
	g_free(item->mailbox);
	g_free(item->key);
	if (item->raw)
		g_bytes_unref(item->raw);
	json_decref(item->fields);
	g_free(item);
}

static void cv_entry_free(void *data)
{
	struct cv_entry *entry = data;
	g_free(entry->name);
	g_free(entry);
}

struct form *form_new(void)
{
	struct form *form = g_new0(struct form, 1);
	form->cv = g_ptr_array_new_with_free_func(cv_entry_free);
	form->from = form->to = DAY_NONE;
	return form;
}

void form_free(struct form *form)
{
	if (!form)
		return;
	g_free(form->type_name);
	g_free(form->kind);
	g_free(form->text);
	g_ptr_array_unref(form->cv);
	g_free(form);
}

void bounce_free(struct bounce *bounce)
{
	if (!bounce)
		return;
	g_free(bounce->recipient);
	g_free(bounce->status);
	g_free(bounce->action);
	g_free(bounce->original_message_id);
	g_free(bounce->envelope_to);
	g_free(bounce);
}

struct attachment *attachment_new(void)
{
	return g_new0(struct attachment, 1);
}

void attachment_free(struct attachment *attachment)
{
	if (!attachment)
		return;
	g_free(attachment->name);
	g_free(attachment->type);
	g_free(attachment);
}

struct message *message_new(void)
{
	struct message *message = g_new0(struct message, 1);
	message->to = g_ptr_array_new_with_free_func(g_free);
	message->attachments = g_ptr_array_new_with_free_func((GDestroyNotify)attachment_free);
	message->defects = g_ptr_array_new_with_free_func(g_free);
	return message;
}

void message_free(struct message *message)
{
	if (!message)
		return;
	char *const strings[] = {message->mailbox, message->message_id, message->date, message->in_reply_to,
	        message->from_name, message->from_email, message->envelope_from, message->reply_to,
	        message->subject, message->text, message->html, message->reply_text};
	for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
		g_free(strings[i]);
	g_ptr_array_unref(message->to);
	g_ptr_array_unref(message->attachments);
	g_ptr_array_unref(message->defects);
	bounce_free(message->bounce);
	form_free(message->form);
	g_free(message);
}
