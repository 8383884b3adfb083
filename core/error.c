/* error.c - class, scope and time packed into GError's integer code. */
#include "core/error.h"

G_DEFINE_QUARK(posteingang - error - quark, posteingang_error)

enum { SCOPE_SHIFT = 8, WHEN_SHIFT = 12 };

G_GNUC_PRINTF(5, 0)
static void fail_valist(GError **error, enum error_class class, enum error_scope scope, enum error_when when,
        const char *format, va_list args)
{
	if (!error)
		return;
	int code = (int)class | (int)scope << SCOPE_SHIFT | (int)when << WHEN_SHIFT;
	*error = g_error_new_valist(POSTEINGANG_ERROR, code, format, args);
}

void fail_as(GError **error, enum error_class class, enum error_scope scope, enum error_when when,
        const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fail_valist(error, class, scope, when, format, args);
	va_end(args);
}

void fail(GError **error, enum error_class class, const char *format, ...)
{
	bool passes = class == ERROR_UNAVAILABLE || class == ERROR_AGAIN;
	va_list args;
	va_start(args, format);
	fail_valist(error, class, SCOPE_SOURCE, passes ? WHEN_LATER : WHEN_NEVER, format, args);
	va_end(args);
}

static bool is_ours(const GError *error)
{
	return error->domain == POSTEINGANG_ERROR;
}

enum error_class error_class(const GError *error)
{
	return is_ours(error) ? (enum error_class)(error->code & 0xff) : ERROR_INTERNAL;
}

enum error_scope error_scope(const GError *error)
{
	return is_ours(error) ? (enum error_scope)(error->code >> SCOPE_SHIFT & 0xf) : SCOPE_SOURCE;
}

enum error_when error_when(const GError *error)
{
	return is_ours(error) ? (enum error_when)(error->code >> WHEN_SHIFT & 0xf) : WHEN_LATER;
}

int error_exit_code(const GError *error)
{
	switch (error_class(error)) {
	case ERROR_USAGE:
		return 64;
	case ERROR_INPUT:
	case ERROR_DENIED:
		return 65;
	case ERROR_UNAVAILABLE:
	case ERROR_UNCERTAIN:
		return 69;
	case ERROR_AGAIN:
	case ERROR_LOST_LEASE:
		return 75;
	case ERROR_CONFIG:
		return 78;
	case ERROR_INTERNAL:
		break;
	}
	return 70;
}
