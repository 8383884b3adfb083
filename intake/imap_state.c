/* imap_state.c - the state of a mailbox as JSON and back. */
#include "intake/imap_state.h"

static bool read_pending(const json_t *json, struct imap_pending *out)
{
	json_int_t uid = json_integer_value(json_array_get(json, 0));
	json_int_t tries = json_integer_value(json_array_get(json, 1));
	if (uid <= 0 || uid > UINT32_MAX)
		return false;
	*out = (struct imap_pending){
	        (uint32_t)uid, (unsigned)CLAMP(tries, 0, 1000), json_integer_value(json_array_get(json, 2))};
	return true;
}

void imap_state_init(struct imap_state *state, const json_t *json)
{
	*state = (struct imap_state){
	        .validity = (uint32_t)CLAMP(json_get_int(json, "validity", 0), 0, UINT32_MAX),
	        .last = (uint32_t)CLAMP(json_get_int(json, "last", 0), 0, UINT32_MAX),
	        .pending = g_array_new(FALSE, FALSE, sizeof(struct imap_pending)),
	};
	size_t i;
	json_t *entry;
	json_array_foreach (json_object_get(json, "pending"), i, entry) {
		struct imap_pending pending;
		if (read_pending(entry, &pending) && !imap_state_find(state, pending.uid))
			*imap_state_add(state, pending.uid) = pending;
	}
}

void imap_state_clear(struct imap_state *state)
{
	if (state->pending)
		g_array_unref(state->pending);
	*state = (struct imap_state){0};
}

json_t *imap_state_json(const struct imap_state *state)
{
	json_t *json = json_object(), *list = json_array();
	json_set_int(json, "validity", state->validity);
	json_set_int(json, "last", state->last);
	for (unsigned i = 0; i < state->pending->len; i++) {
		const struct imap_pending *p = &g_array_index(state->pending, struct imap_pending, i);
		json_t *entry = json_array();
		json_array_append_new(entry, json_integer(p->uid));
		json_array_append_new(entry, json_integer(p->tries));
		json_array_append_new(entry, json_integer(p->last_try));
		json_array_append_new(list, entry);
	}
	json_object_set_new(json, "pending", list);
	return json;
}

/* Index of the first entry with a UID ≥ uid. */
static unsigned lower_bound(const struct imap_state *state, uint32_t uid)
{
	unsigned low = 0, high = state->pending->len;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		if (g_array_index(state->pending, struct imap_pending, middle).uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct imap_pending *imap_state_find(const struct imap_state *state, uint32_t uid)
{
	unsigned i = lower_bound(state, uid);
	if (i == state->pending->len)
		return NULL;
	struct imap_pending *pending = &g_array_index(state->pending, struct imap_pending, i);
	return pending->uid == uid ? pending : NULL;
}

struct imap_pending *imap_state_add(struct imap_state *state, uint32_t uid)
{
	struct imap_pending *known = imap_state_find(state, uid);
	if (known)
		return known;
	const struct imap_pending fresh = {.uid = uid};
	unsigned i = lower_bound(state, uid);
	g_array_insert_val(state->pending, i, fresh);
	return &g_array_index(state->pending, struct imap_pending, i);
}

void imap_state_remove(struct imap_state *state, uint32_t uid)
{
	if (imap_state_find(state, uid))
		g_array_remove_index(state->pending, lower_bound(state, uid));
}

bool imap_state_failed(struct imap_state *state, uint32_t uid, int64_t now)
{
	struct imap_pending *pending = imap_state_add(state, uid);
	pending->last_try = now / G_USEC_PER_SEC;
	return ++pending->tries == IMAP_TRIES_REFUSED;
}

void imap_state_refuse(struct imap_state *state, uint32_t uid, int64_t now)
{
	struct imap_pending *pending = imap_state_add(state, uid);
	pending->last_try = now / G_USEC_PER_SEC;
	pending->tries = MAX(pending->tries, IMAP_TRIES_REFUSED);
}

bool imap_pending_is_due(const struct imap_pending *pending, int64_t now)
{
	static const int64_t distance[] = {0, 0, 600, 3600, 86400};
	unsigned step = MIN(pending->tries, G_N_ELEMENTS(distance) - 1);
	int64_t passed = now / G_USEC_PER_SEC - pending->last_try;
	return passed < 0 || passed >= distance[step];
}
