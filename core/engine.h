/* engine.h - which program made a decision: one hash of all that, beside the bundle, can change a finding.
 *
 * Two engines with the same hash give byte-identical findings for the same bytes and bundle; with different
 * hashes they may not, and a comparison says `engine differs` instead of judging (DESIGN.md section 6).
 */
#ifndef CORE_ENGINE_H
#define CORE_ENGINE_H

/* What goes in, one "name version" a line: this program, gmime, libxml2, GLib (Unicode tables), the C
 * library's character set tables, and `classifier` (analyser_engine(), or NULL). Free with g_free. */
char *engine_describe(const char *classifier);

/* SHA-256 of engine_describe(), 64 hex digits. Free with g_free. */
char *engine_hash(const char *classifier);

#endif
