/* analyse_html.h - where a stretch of readable text stands in the HTML it was made from. */
#ifndef CLASSIFIERS_ANALYSE_HTML_H
#define CLASSIFIERS_ANALYSE_HTML_H

#include <stdbool.h>
#include <stdint.h>

/* Finds the `occurrence`-th (0 = first) place of text[0…size) among the visible words of `html`, blanks and
 * line ends alike, references decoded. False if it cannot be found. */
bool html_place(const char *html, const char *text, uint32_t size, unsigned occurrence, uint32_t *offset,
        uint32_t *length);

#endif
