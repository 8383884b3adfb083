/* stop.c - the one flag that signals raise. */
#include "cli/stop.h"

#include <signal.h>
#include <string.h>

static volatile gint raised;

static void on_signal(int number)
{
	if (g_atomic_int_get(&raised)) {
		signal(number, SIG_DFL);
		raise(number); /* takes effect when the handler returns */
	}
	g_atomic_int_set(&raised, 1);
}

const volatile gint *stop_flag(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	sigemptyset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	return &raised;
}
