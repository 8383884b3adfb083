/* train_labels.h - labelled messages: `classify` lines with concerns, optional, third_party, resolved.
 *
 * Further keys: id, difficulty (easy, medium, hard), why. One file is one writer: cross-validation leaves out
 * whole files. A file in which `arbeitslosmeldung` stands as a label tells it apart from
 * `arbeitsuchendmeldung`; elsewhere the two are one. */
#ifndef CLASSIFIERS_TRAIN_LABELS_H
#define CLASSIFIERS_TRAIN_LABELS_H

#include "config/catalogue.h"
#include "core/auto.h"
#include "core/item.h"

#define LABELS_MAX_FILE (64 * 1024 * 1024)

struct labelled {
	char *id, *difficulty, *why;
	unsigned file; /* index into labels->files */
	struct message *message;
	uint32_t concerns, optional; /* bits of catalogue indices, as written */
	bool third_party, resolved;
};

struct labels {
	GPtrArray *files;    /* of char *: base names */
	GPtrArray *messages; /* of struct labelled */
	GArray *apart;       /* bool per file: tells arbeitslosmeldung apart */
	char *hash;          /* SHA-256 over names and bytes of all files, hex */
};

/* A file, or all *.jsonl of a folder in the order of their names. ERROR_INPUT names file and line. */
struct labels *labels_read(const char *path, const struct catalogue *catalogue, GError **error);
void labels_free(struct labels *labels);
AUTO_FREE(labels);

#endif
