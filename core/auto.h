/* auto.h - g_autoptr for `struct x`: `AUTO(diag) d = diag_new();` frees with diag_free() at the end of the
 * scope.
 *
 * House rule: structs have no typedefs, so GLib's macro, which wants one, gets a thin sibling here.
 * A header declares AUTO_FREE(x) once, next to x_free().
 */
#ifndef CORE_AUTO_H
#define CORE_AUTO_H

#define AUTO_FREE(name)                                                                                      \
	static inline void name##_auto_free(struct name **p)                                                 \
	{                                                                                                    \
		if (*p)                                                                                      \
			name##_free(*p);                                                                     \
	}                                                                                                    \
	struct name

#define AUTO(name) __attribute__((cleanup(name##_auto_free), unused)) struct name *

#endif
