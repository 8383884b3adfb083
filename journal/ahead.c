/* ahead.c - see ahead.h: verifying has two halves of equal cost, the database's and ours, and two cores. */
#include "journal/ahead.h"

#include <stdbool.h>

struct ahead {
	ahead_reader next;
	void *data;
	GDestroyNotify free_thing;
	unsigned depth;
	GThread *thread;
	GMutex lock;
	GCond changed;
	GQueue things;
	bool stop, ended;
	GError *error; /* why it ended; NULL: nothing is left */
};

/* False: nobody wants more. */
static bool wait_for_room(struct ahead *ahead)
{
	g_mutex_lock(&ahead->lock);
	while (!ahead->stop && ahead->things.length >= ahead->depth)
		g_cond_wait(&ahead->changed, &ahead->lock);
	bool wanted = !ahead->stop;
	g_mutex_unlock(&ahead->lock);
	return wanted;
}

static void hand_over(struct ahead *ahead, void *thing, GError *error)
{
	g_mutex_lock(&ahead->lock);
	if (thing)
		g_queue_push_tail(&ahead->things, thing);
	else
		ahead->ended = true;
	ahead->error = error;
	g_cond_broadcast(&ahead->changed);
	g_mutex_unlock(&ahead->lock);
}

static gpointer read_on(gpointer data)
{
	struct ahead *ahead = data;
	void *thing = NULL;
	do {
		GError *error = NULL;
		if (!wait_for_room(ahead))
			return NULL;
		thing = ahead->next(ahead->data, &error);
		hand_over(ahead, thing, error);
	} while (thing);
	return NULL;
}

struct ahead *ahead_start(ahead_reader next, void *data, GDestroyNotify free_thing, unsigned depth)
{
	struct ahead *ahead = g_new0(struct ahead, 1);
	ahead->next = next;
	ahead->data = data;
	ahead->free_thing = free_thing;
	ahead->depth = depth;
	g_mutex_init(&ahead->lock);
	g_cond_init(&ahead->changed);
	g_queue_init(&ahead->things);
	ahead->thread = g_thread_new("ahead", read_on, ahead);
	return ahead;
}

void *ahead_next(struct ahead *ahead, GError **error)
{
	g_mutex_lock(&ahead->lock);
	while (!ahead->things.length && !ahead->ended)
		g_cond_wait(&ahead->changed, &ahead->lock);
	void *thing = g_queue_pop_head(&ahead->things);
	if (!thing && ahead->error)
		g_propagate_error(error, g_steal_pointer(&ahead->error));
	g_cond_broadcast(&ahead->changed);
	g_mutex_unlock(&ahead->lock);
	return thing;
}

void ahead_free(struct ahead *ahead)
{
	if (!ahead)
		return;
	g_mutex_lock(&ahead->lock);
	ahead->stop = true;
	g_cond_broadcast(&ahead->changed);
	g_mutex_unlock(&ahead->lock);
	g_thread_join(ahead->thread);
	g_queue_clear_full(&ahead->things, ahead->free_thing);
	g_clear_error(&ahead->error);
	g_mutex_clear(&ahead->lock);
	g_cond_clear(&ahead->changed);
	g_free(ahead);
}
