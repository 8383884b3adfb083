/* stop.h - SIGTERM and SIGINT as a flag that long work looks at: what is in hand is finished. */
#ifndef CLI_STOP_H
#define CLI_STOP_H

#include <glib.h>

/* Installs the handlers (once); the flag is raised by the first signal. A second one ends at once. */
const volatile gint *stop_flag(void);

#endif
