/* charset_guess.h - the charset of a text that names none, or that is not what it names. */
#ifndef CORE_CHARSET_GUESS_H
#define CORE_CHARSET_GUESS_H

#include <stddef.h>

/* A name for iconv, or NULL: then it is Western, or too little to tell. `strays`: bytes of it that are not
 * UTF-8. */
const char *charset_guess(const unsigned char *bytes, size_t size, size_t strays);

#endif
