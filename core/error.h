/* error.h - what went wrong, how far it reaches, and when to try again.
 *
 * Every function that can fail takes `GError **error` last and returns false, NULL or a negative value.
 * Outputs are written only on success. A function either reports an error or logs it, never both: the
 * outermost layer (cli/) words the message and maps the class to an exit code (sysexits(3)).
 */
#ifndef CORE_ERROR_H
#define CORE_ERROR_H

#include <glib.h>
#include <stdbool.h>

#define POSTEINGANG_ERROR (posteingang_error_quark())

enum error_class {
	ERROR_INTERNAL,    /* a broken promise of our own; exit 70 */
	ERROR_USAGE,       /* wrong command line; exit 64 */
	ERROR_INPUT,       /* bad input data; exit 65 */
	ERROR_UNAVAILABLE, /* a source, sink or journal does not answer; exit 69 */
	ERROR_AGAIN,       /* busy, leased by another, disk full: try again later; exit 75 */
	ERROR_CONFIG,      /* bad configuration; exit 78 */
	ERROR_LOST_LEASE,  /* a late worker: its fencing token is no longer the current one */
	ERROR_UNCERTAIN,   /* sent, but not known whether it took effect */
	ERROR_DENIED,      /* the other side refuses this one thing for good */
};

/* How far a failure reaches: only this item, its mailbox, or the whole source, sink or journal. */
enum error_scope { SCOPE_ITEM, SCOPE_MAILBOX, SCOPE_SOURCE };

/* When trying again makes sense. */
enum error_when { WHEN_NOW, WHEN_LATER, WHEN_NEVER };

GQuark posteingang_error_quark(void);

/* Sets *error (which may be NULL) with scope and time coded into its `code`. */
void fail_as(GError **error, enum error_class class, enum error_scope scope, enum error_when when,
        const char *format, ...) G_GNUC_PRINTF(5, 6);

/* Short forms: scope source; when: later for UNAVAILABLE and AGAIN, never otherwise. */
void fail(GError **error, enum error_class class, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Read back. Errors of other domains (GLib's own) count as INTERNAL, SOURCE, LATER. */
enum error_class error_class(const GError *error);
enum error_scope error_scope(const GError *error);
enum error_when error_when(const GError *error);

/* The process exit code for an error, as DESIGN.md section 5 lists them. */
int error_exit_code(const GError *error);

#endif
