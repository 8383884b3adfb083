/* mail_part.h - the inside of the decoder: from a gmime tree to texts, attachments and defects.
 *
 * Only core/mail*.c include this.
 */
#ifndef CORE_MAIL_PART_H
#define CORE_MAIL_PART_H

#include "core/mail.h"

#include <gmime/gmime.h>

/* `OBJECT(GMimeStream) x = …` drops its reference at the end of the scope (gmime has no g_autoptr). */
static inline void object_auto_unref(void *pointer)
{
	GObject *object = *(GObject **)pointer;
	if (object)
		g_object_unref(object);
}
#define OBJECT(type) __attribute__((cleanup(object_auto_unref))) type *

/* Readable text gathered so far, of the whole mail or of one branch of a multipart/alternative. */
struct body {
	GString *text;
	char *html;     /* the first HTML that went into text, or NULL */
	bool has_plain; /* some of it is text/plain */
};

/* One mail on its way through the decoder. */
struct decoding {
	struct message *message;
	struct body *body;
	unsigned parts;      /* leaves and multiparts seen */
	bool settled;        /* of an alternative, a branch is chosen already: other texts are not read */
	GMimeObject *report; /* a multipart/report found on the way down, or NULL; borrowed */
};

struct body *body_new(void);
void body_free(struct body *body);

/* Adds a fixed word to `defects`, once. */
void defect_add(struct message *message, const char *word);

/* Walks the tree; texts go to decoding->body, files to message->attachments. */
void part_walk(struct decoding *decoding, GMimeObject *object, int depth);

/* Raw value of a header of `object`, first of its name, or NULL. */
const char *part_header(GMimeObject *object, const char *name);

/* Decoded content of a leaf. Never NULL. */
GByteArray *part_content(GMimePart *part, bool *broken);

/* Charset decoding, line ends, PGP armour, inline files and format=flowed of a text/plain part; appends to
 * the body. `type` is the raw Content-Type, may be NULL. */
void text_plain_append(struct decoding *decoding, const GByteArray *bytes, const char *type);
void text_html_append(struct decoding *decoding, const GByteArray *bytes, const char *type);

/* Appends `text` on lines of its own, up to MAIL_MAX_TEXT. */
void body_append(struct decoding *decoding, const char *text, size_t size);

/* Records a file; `name` and `type` are taken over. */
struct attachment *attachment_add(
        struct decoding *decoding, char *name, char *type, const void *bytes, size_t size);

/* Why nobody can read the bytes ("encrypted", "smime", "pgp", "winmail"), or NULL. */
const char *unsuitable_reason(const char *type, const char *name, const guint8 *bytes, size_t size);

/* Names of the files in a winmail.dat and its body, added to the mail. */
void tnef_open(struct decoding *decoding, const guint8 *bytes, size_t size);
bool is_tnef(const guint8 *bytes, size_t size);

#endif
