/* html.h - readable text of HTML, with history marked as mail clients mark it (see also core/mail.h). */
#ifndef CORE_HTML_H
#define CORE_HTML_H

#include <stdbool.h>
#include <stddef.h>

#define HTML_MAX_SIZE (16u * 1024 * 1024) /* bytes of markup looked at */

/* `html` is UTF-8. Lines of quoted history (blockquote, what Gmail, Outlook, Yahoo, Thunderbird, GMX put
 * around it) begin with "> "; *quoted (may be NULL) says whether there are any. Free with g_free. */
char *html_text(const char *html, size_t size, bool *quoted);

#endif
