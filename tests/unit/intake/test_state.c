/* The state of a mailbox: what is remembered, and when it is tried again. */
#include "intake/imap_state.h"

#include <criterion/criterion.h>
#include <string.h>

#define SECOND INT64_C(1000000)

static void round_trip(struct imap_state *state)
{
	JSON_AUTO json = imap_state_json(state);
	imap_state_clear(state);
	imap_state_init(state, json);
}

Test(imap_state, what_is_written_is_read_again)
{
	struct imap_state state;
	imap_state_init(&state, NULL);
	state.validity = 4294967295u;
	state.last = 77;
	imap_state_failed(&state, 4294967294u, 5 * SECOND);
	imap_state_add(&state, 3);
	round_trip(&state);
	cr_assert(state.validity == 4294967295u && state.last == 77 && state.pending->len == 2);
	cr_assert_eq(imap_state_find(&state, 4294967294u)->tries, 1);
	cr_assert_eq(imap_state_find(&state, 4294967294u)->last_try, 5);
	imap_state_remove(&state, 3);
	cr_assert_null(imap_state_find(&state, 3));
	imap_state_clear(&state);
}

Test(imap_state, tries_become_rarer_and_the_fourth_counts_as_refused_once)
{
	static const int64_t waits[] = {0, 600, 3600, 86400};
	struct imap_state state;
	int64_t now = 1000000 * SECOND;
	imap_state_init(&state, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(waits); i++) {
		bool refused = imap_state_failed(&state, 5, now);
		cr_assert_eq(refused, i == 3);
		const struct imap_pending *pending = imap_state_find(&state, 5);
		cr_assert_eq(imap_pending_is_due(pending, now + waits[i] * SECOND), true);
		if (waits[i])
			cr_assert_not(imap_pending_is_due(pending, now + (waits[i] - 1) * SECOND));
	}
	cr_assert_not(imap_state_failed(&state, 5, now));
	imap_state_clear(&state);
}

Test(imap_state, nonsense_counts_as_absent)
{
	static const char text[] =
	        "{\"validity\":\"x\",\"last\":-4,\"pending\":[[0,1,1],[1],7,[99999999999,1,1],[1,2,3]]}";
	JSON_AUTO json = json_read(text, sizeof text - 1, NULL);
	struct imap_state state;
	imap_state_init(&state, json);
	cr_assert(state.validity == 0 && state.last == 0);
	cr_assert_eq(state.pending->len, 1);
	imap_state_clear(&state);
}
