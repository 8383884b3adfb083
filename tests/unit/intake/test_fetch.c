/* Fetching ahead: order, bounds, and who has the connection when. */
#include "core/error.h"
#include "intake/pull_fetch.h"

#include <criterion/criterion.h>
#include <string.h>

/* A source with `left` batches of `entries` each; `large` and `broken` count calls from 1. */
struct connection {
	int left, calls, large, broken;
	unsigned entries;
	size_t size;
	gint inside; /* calls running at this moment */
};

static bool next(struct connection *c, struct batch *batch, GError **error)
{
	cr_assert_eq(g_atomic_int_add(&c->inside, 1), 0);
	g_usleep(500);
	c->calls++;
	for (unsigned i = 0; i < c->entries; i++) {
		struct item *item = item_new();
		item->key = g_strdup_printf("%d:%u", c->calls, i);
		bool large = c->calls == c->large;
		if (!large)
			item->raw = g_bytes_new_take(g_malloc0(c->size), c->size);
		batch_add(batch, large ? FETCHED_LARGE : FETCHED_ITEM, item);
	}
	batch->state = json_integer(c->calls);
	batch->seen = c->entries;
	batch->more = --c->left > 0;
	g_atomic_int_add(&c->inside, -1);
	if (c->calls != c->broken)
		return true;
	fail(error, ERROR_UNAVAILABLE, "broken");
	return false;
}

static const struct connector source = {.name = "test", .next = next};

static struct connection connection_of(int batches, unsigned entries, size_t size)
{
	return (struct connection){.left = batches, .entries = entries, .size = size};
}

Test(fetch_ahead, everything_arrives_once_and_in_order)
{
	struct connection c = connection_of(40, 7, 100);
	AUTO(fetcher) fetcher = fetcher_new(&source, &c, NULL);
	unsigned n = 0;
	for (;;) {
		AUTO(fetch) fetch = fetcher_take(fetcher);
		if (!fetch)
			break;
		for (unsigned i = 0; i < fetch->batch.entries->len; i++, n++) {
			const struct fetched *fetched = fetch->batch.entries->pdata[i];
			g_autofree char *key = g_strdup_printf("%u:%u", n / 7 + 1, n % 7);
			cr_assert_str_eq(fetched->item->key, key);
			cr_assert_eq(strlen(fetched->item->sha256), 64);
		}
		cr_assert_eq(fetch->batch.seen, fetch->batch.entries->len);
		cr_assert_eq(json_integer_value(fetch->batch.state), n / 7);
		cr_assert_eq(fetch->batch.more, n < 280);
	}
	cr_assert_eq(n, 280);
	cr_assert_eq(c.calls, 40);
}

Test(fetch_ahead, a_slow_journal_does_not_fill_the_memory)
{
	struct connection c = connection_of(20, 1, INTAKE_BATCH_BYTES);
	AUTO(fetcher) fetcher = fetcher_new(&source, &c, NULL);
	g_usleep(50000);
	fetcher_hold(fetcher);
	cr_assert_leq(c.calls, 1);
	fetcher_release(fetcher);
	for (unsigned i = 0; i < 3; i++) {
		AUTO(fetch) fetch = fetcher_take(fetcher);
		cr_assert_eq(fetch->batch.entries->len, 1);
	}
	g_usleep(50000);
	fetcher_hold(fetcher);
	cr_assert_leq(c.calls, 4);
	fetcher_release(fetcher);
}

Test(fetch_ahead, a_commit_takes_no_more_entries_than_the_journal_allows)
{
	struct connection c = connection_of(30, 150, 10);
	AUTO(fetcher) fetcher = fetcher_new(&source, &c, NULL);
	unsigned n = 0;
	for (;;) {
		g_usleep(5000);
		AUTO(fetch) fetch = fetcher_take(fetcher);
		if (!fetch)
			break;
		cr_assert_leq(fetch->batch.entries->len, 500);
		n += fetch->batch.entries->len;
	}
	cr_assert_eq(n, 4500);
}

Test(fetch_ahead, the_connection_rests_while_it_is_held)
{
	struct connection c = connection_of(1000, 1, 10);
	AUTO(fetcher) fetcher = fetcher_new(&source, &c, NULL);
	for (unsigned i = 0; i < 20; i++) {
		AUTO(fetch) fetch = fetcher_take(fetcher);
		fetcher_hold(fetcher);
		int calls = c.calls;
		cr_assert_eq(g_atomic_int_get(&c.inside), 0);
		g_usleep(2000);
		cr_assert_eq(c.calls, calls);
		fetcher_release(fetcher);
	}
}

Test(fetch_ahead, nothing_is_fetched_past_what_is_to_be_streamed)
{
	struct connection c = connection_of(5, 1, 10);
	c.large = 2;
	AUTO(fetcher) fetcher = fetcher_new(&source, &c, NULL);
	g_usleep(20000);
	AUTO(fetch) first = fetcher_take(fetcher);
	cr_assert_eq(first->batch.entries->len, 1);
	AUTO(fetch) large = fetcher_take(fetcher);
	cr_assert(large->large && large->batch.more);
	g_usleep(20000);
	cr_assert_eq(c.calls, 2);
	cr_assert_null(fetcher_take(fetcher));
	fetcher_go_on(fetcher);
	AUTO(fetch) rest = fetcher_take(fetcher);
	cr_assert_not_null(rest);
}

Test(fetch_ahead, a_failure_stands_alone_and_ends_it)
{
	struct connection c = connection_of(9, 3, 10);
	c.broken = 3;
	AUTO(fetcher) fetcher = fetcher_new(&source, &c, NULL);
	unsigned n = 0;
	while (n < 6) {
		AUTO(fetch) good = fetcher_take(fetcher);
		cr_assert(good->ok && good->batch.more);
		n += good->batch.entries->len;
	}
	AUTO(fetch) bad = fetcher_take(fetcher);
	cr_assert(!bad->ok && bad->failure && json_integer_value(bad->batch.state) == 3);
	cr_assert_null(fetcher_take(fetcher));
	cr_assert_eq(c.calls, 3);
}

Test(fetch_ahead, after_the_stop_flag_only_what_was_fetched_is_handed_out)
{
	volatile gint stop = 0;
	struct connection c = connection_of(1000000, 1, 10);
	AUTO(fetcher) fetcher = fetcher_new(&source, &c, &stop);
	AUTO(fetch) first = fetcher_take(fetcher);
	cr_assert_not_null(first);
	g_atomic_int_set(&stop, 1);
	int n = (int)first->batch.entries->len;
	for (;;) {
		AUTO(fetch) fetch = fetcher_take(fetcher);
		if (!fetch)
			break;
		n += (int)fetch->batch.entries->len;
	}
	cr_assert_eq(n, c.calls);
}
