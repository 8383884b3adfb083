/* analyse.h - from a decoded message to findings: what the customer wants, how sure we are, and why.
 *
 * The analyser holds everything that is the same for all messages (terms, cues, model, combination,
 * catalogue); it is read-only after loading and shared by all threads. Each thread has its own scratch.
 * Analysing is a pure function of message, bundle and engine: integers only, no clock, no locale, no
 * allocation that depends on anything but the message; the same input gives the same findings on every
 * machine.
 *
 * Free text and form are both read: form type and kind through the catalogue's aliases (an unknown kind is
 * doubt), the text inside a form like any other; an empty or absent text, subject or body adds neither
 * finding nor doubt. `received_in_future` is left alone: intake sets it.
 */
#ifndef CLASSIFIERS_ANALYSE_H
#define CLASSIFIERS_ANALYSE_H

#include "config/bundle.h"
#include "core/auto.h"
#include "core/diag.h"
#include "core/finding.h"
#include "core/item.h"

/* Bytes of a field that are read; what stands behind is not looked at (and said in docs/classification.md).
 */
#define ANALYSE_MAX_TEXT (32 * 1024)

struct analyser;
struct analyser_scratch;

/* Everything the bundle says about classification. Errors and warnings go to `diag`; NULL if there was any
 * error. The compiled patterns are kept in the folder $POSTEINGANG_CACHE if it is set (named by hash, library
 * version and platform; a missing or damaged file is compiled anew). */
struct analyser *analyser_load(const struct bundle *bundle, struct diag *diag);
void analyser_free(struct analyser *analyser);
AUTO_FREE(analyser);

/* What, beside the bundle, can change a finding: feature code and matcher version. Borrowed. */
const char *analyser_engine(const struct analyser *analyser);

/* Bytes of the compiled patterns, which all threads share. */
size_t analyser_patterns_size(const struct analyser *analyser);

/* One per thread; freed before its analyser. */
struct analyser_scratch *analyser_scratch_new(const struct analyser *analyser);
void analyser_scratch_free(struct analyser_scratch *scratch);
AUTO_FREE(analyser_scratch);

/* Never fails: what cannot be read is doubt. The caller frees the findings. */
struct findings *analyse(
        const struct analyser *analyser, struct analyser_scratch *scratch, const struct message *message);

#endif
