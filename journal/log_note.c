/* log_note.c - signed notes over GnuTLS's Ed25519. */
#include "journal/log_note.h"
#include "core/error.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

enum { KEY_SIZE = 32, SIGNATURE_SIZE = 64, ID_SIZE = 4, ED25519 = 1 };

#define DASH "\xe2\x80\x94 " /* em dash and blank begin a signature line */

struct log_verifier {
	char *name;
	uint8_t key[KEY_SIZE];
	uint8_t id[ID_SIZE];
};

struct log_signer {
	struct log_verifier public;
	uint8_t seed[KEY_SIZE];
	gnutls_privkey_t key;
};

static void key_id(const char *name, const uint8_t key[KEY_SIZE], uint8_t out[ID_SIZE])
{
	g_autoptr(GByteArray) input = g_byte_array_new();
	uint8_t hash[HASH_SIZE];
	g_byte_array_append(input, (const guint8 *)name, (guint)strlen(name));
	g_byte_array_append(input, (const guint8 *)"\n\x01", 2);
	g_byte_array_append(input, key, KEY_SIZE);
	hash_bytes(input->data, input->len, hash);
	memcpy(out, hash, ID_SIZE);
}

static bool name_is_valid(const char *name)
{
	return *name && !strpbrk(name, " +\t\r\n") && g_utf8_validate(name, -1, NULL);
}

static char *key_text(const struct log_verifier *public, const uint8_t key[KEY_SIZE])
{
	uint8_t typed[1 + KEY_SIZE] = {ED25519};
	memcpy(typed + 1, key, KEY_SIZE);
	g_autofree char *base64 = g_base64_encode(typed, sizeof typed);
	explicit_bzero(typed, sizeof typed);
	return g_strdup_printf("%s+%02x%02x%02x%02x+%s", public->name, public->id[0], public->id[1],
	        public->id[2], public->id[3], base64);
}

/* Fills public key and id from the private key. */
static bool derive_public(struct log_signer *signer, GError **error)
{
	gnutls_datum_t x = {0};
	gnutls_ecc_curve_t curve;
	int status = gnutls_privkey_export_ecc_raw2(signer->key, &curve, &x, NULL, NULL, 0);
	bool ok = status >= 0 && x.size == KEY_SIZE;
	if (ok) {
		memcpy(signer->public.key, x.data, KEY_SIZE);
		key_id(signer->public.name, signer->public.key, signer->public.id);
	} else {
		fail(error, ERROR_INTERNAL, "Ed25519 public key: %s", gnutls_strerror(status));
	}
	gnutls_free(x.data);
	return ok;
}

/* RFC 8032: the public key follows from the seed; GnuTLS wants both, so it is made by an import without x. */
static bool import_seed(struct log_signer *signer, GError **error)
{
	/* PKCS #8 of RFC 8410: a fixed frame around the 32 bytes of the seed. */
	static const uint8_t frame[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65,
	        0x70, 0x04, 0x22, 0x04, 0x20};
	uint8_t der[sizeof frame + KEY_SIZE];
	memcpy(der, frame, sizeof frame);
	memcpy(der + sizeof frame, signer->seed, KEY_SIZE);
	gnutls_datum_t datum = {der, sizeof der};
	gnutls_privkey_init(&signer->key);
	int status = gnutls_privkey_import_x509_raw(signer->key, &datum, GNUTLS_X509_FMT_DER, NULL, 0);
	explicit_bzero(der, sizeof der);
	if (status < 0)
		fail(error, ERROR_INPUT, "signing key: %s", gnutls_strerror(status));
	return status >= 0 && derive_public(signer, error);
}

struct log_signer *log_signer_generate(const char *name, GError **error)
{
	if (!name_is_valid(name)) {
		fail(error, ERROR_INPUT, "\"%s\": a key's name has no blank and no plus sign", name);
		return NULL;
	}
	AUTO(log_signer) signer = g_new0(struct log_signer, 1);
	signer->public.name = g_strdup(name);
	random_bytes(signer->seed, KEY_SIZE);
	return import_seed(signer, error) ? g_steal_pointer(&signer) : NULL;
}

char *log_signer_export(const struct log_signer *signer)
{
	g_autofree char *text = key_text(&signer->public, signer->seed);
	return g_strconcat("PRIVATE+KEY+", text, NULL);
}

char *log_signer_verifier(const struct log_signer *signer)
{
	return key_text(&signer->public, signer->public.key);
}

const char *log_signer_name(const struct log_signer *signer)
{
	return signer->public.name;
}

void log_signer_free(struct log_signer *signer)
{
	if (!signer)
		return;
	if (signer->key)
		gnutls_privkey_deinit(signer->key);
	explicit_bzero(signer->seed, KEY_SIZE);
	g_free(signer->public.name);
	g_free(signer);
}

/* Exactly `wanted` bytes in canonical base64: no second spelling of the same bytes passes. */
static bool decode_exact(const char *text, uint8_t *out, gsize wanted)
{
	gsize size;
	g_autofree guchar *bytes = g_base64_decode(text, &size);
	g_autofree char *again = g_base64_encode(bytes, size);
	if (size != wanted || strcmp(again, text) != 0)
		return false;
	memcpy(out, bytes, wanted);
	return true;
}

/* "<name>+<id>+<base64(1 ‖ key)>" from its last two plus signs (base64 may hold plus signs, names may not).
 */
static bool parse_key_text(const char *text, char **name, uint8_t key[KEY_SIZE], uint8_t id[ID_SIZE])
{
	g_auto(GStrv) parts = g_strsplit(text, "+", 3);
	if (g_strv_length(parts) != 3 || !name_is_valid(parts[0]) || strlen(parts[1]) != 2 * ID_SIZE)
		return false;
	uint8_t typed[1 + KEY_SIZE];
	if (!decode_exact(parts[2], typed, sizeof typed) || typed[0] != ED25519)
		return false;
	for (int i = 0; i < ID_SIZE; i++) {
		int high = g_ascii_xdigit_value(parts[1][2 * i]),
		    low = g_ascii_xdigit_value(parts[1][2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		id[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(key, typed + 1, KEY_SIZE);
	*name = g_strdup(parts[0]);
	return true;
}

struct log_signer *log_signer_parse(const char *text, GError **error)
{
	static const char prefix[] = "PRIVATE+KEY+";
	AUTO(log_signer) signer = g_new0(struct log_signer, 1);
	uint8_t id[ID_SIZE];
	if (!g_str_has_prefix(text, prefix) ||
	        !parse_key_text(text + strlen(prefix), &signer->public.name, signer->seed, id)) {
		fail(error, ERROR_CONFIG, "no signing key: expected PRIVATE+KEY+name+id+base64");
		return NULL;
	}
	if (!import_seed(signer, error))
		return NULL;
	if (memcmp(id, signer->public.id, ID_SIZE) == 0)
		return g_steal_pointer(&signer);
	fail(error, ERROR_CONFIG, "signing key %s: its id does not fit its bytes", signer->public.name);
	return NULL;
}

struct log_verifier *log_verifier_parse(const char *text, GError **error)
{
	struct log_verifier *verifier = g_new0(struct log_verifier, 1);
	uint8_t id[ID_SIZE];
	if (parse_key_text(text, &verifier->name, verifier->key, verifier->id)) {
		key_id(verifier->name, verifier->key, id);
		if (memcmp(id, verifier->id, ID_SIZE) == 0)
			return verifier;
	}
	log_verifier_free(verifier);
	fail(error, ERROR_INPUT, "no verifier key: expected name+id+base64");
	return NULL;
}

const char *log_verifier_name(const struct log_verifier *verifier)
{
	return verifier->name;
}

void log_verifier_free(struct log_verifier *verifier)
{
	if (!verifier)
		return;
	g_free(verifier->name);
	g_free(verifier);
}

void checkpoint_clear(struct checkpoint *checkpoint)
{
	g_free(checkpoint->origin);
	*checkpoint = (struct checkpoint){0};
}

static char *signed_text(const struct checkpoint *checkpoint)
{
	g_autofree char *root = g_base64_encode(checkpoint->root.bytes, HASH_SIZE);
	return g_strdup_printf("%s\n%" G_GUINT64_FORMAT "\n%s\ntime %" G_GINT64_FORMAT "\n",
	        checkpoint->origin, (guint64)checkpoint->size, root, (gint64)checkpoint->time);
}

char *checkpoint_sign(const struct log_signer *signer, const struct checkpoint *checkpoint, GError **error)
{
	g_autofree char *text = signed_text(checkpoint);
	gnutls_datum_t data = {(unsigned char *)text, (unsigned)strlen(text)}, signature = {0};
	int status = gnutls_privkey_sign_data2(signer->key, GNUTLS_SIGN_EDDSA_ED25519, 0, &data, &signature);
	if (status < 0 || signature.size != SIGNATURE_SIZE) {
		fail(error, ERROR_INTERNAL, "signing a checkpoint: %s", gnutls_strerror(status));
		gnutls_free(signature.data);
		return NULL;
	}
	uint8_t blob[ID_SIZE + SIGNATURE_SIZE];
	memcpy(blob, signer->public.id, ID_SIZE);
	memcpy(blob + ID_SIZE, signature.data, SIGNATURE_SIZE);
	gnutls_free(signature.data);
	g_autofree char *base64 = g_base64_encode(blob, sizeof blob);
	return g_strdup_printf("%s\n" DASH "%s %s\n", text, signer->public.name, base64);
}

static bool bad_note(GError **error, const char *why)
{
	fail(error, ERROR_INPUT, "no checkpoint: %s", why);
	return false;
}

/* The signed text ends with the newline before the blank line; NULL if there is no blank line. */
static const char *note_end(const char *note)
{
	const char *blank = strstr(note, "\n\n");
	return blank ? blank + 1 : NULL;
}

/* Behind the blank line: one signature a line, at least one, each ended by a newline, nothing else. */
static bool signatures_are_well_formed(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	guint n = g_strv_length(lines);
	if (n < 2 || *lines[n - 1])
		return false;
	for (guint i = 0; i + 1 < n; i++) {
		g_auto(GStrv) parts = g_strsplit(lines[i], " ", -1);
		if (g_strv_length(parts) != 3 || strcmp(parts[0], "\xe2\x80\x94") != 0 || !*parts[1] ||
		        !*parts[2])
			return false;
	}
	return true;
}

bool checkpoint_parse(const char *note, struct checkpoint *out, GError **error)
{
	const char *end = note ? note_end(note) : NULL;
	if (!note)
		return bad_note(error, "it is not there");
	if (!end || !g_utf8_validate(note, -1, NULL))
		return bad_note(error, "no blank line before the signatures");
	if (!signatures_are_well_formed(end + 1))
		return bad_note(error, "what follows the blank line are no signatures");
	g_autofree char *text = g_strndup(note, (gsize)(end - note));
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	struct checkpoint checkpoint = {0};
	guint64 size;
	if (g_strv_length(lines) < 4 || !*lines[0])
		return bad_note(error, "it needs origin, size and root");
	if (!g_ascii_string_to_unsigned(lines[1], 10, 0, G_MAXINT64, &size, NULL))
		return bad_note(error, "the size is no number");
	if (!decode_exact(lines[2], checkpoint.root.bytes, HASH_SIZE))
		return bad_note(error, "the root is no base64 of 32 bytes");
	gint64 time = 0;
	if (g_str_has_prefix(lines[3], "time ") &&
	        !g_ascii_string_to_signed(lines[3] + 5, 10, 0, G_MAXINT64, &time, NULL))
		return bad_note(error, "the time is no number");
	checkpoint.origin = g_strdup(lines[0]);
	checkpoint.size = size;
	checkpoint.time = time;
	*out = checkpoint;
	return true;
}

static bool signature_is_valid(
        const struct log_verifier *verifier, const char *text, size_t length, const uint8_t *signature)
{
	gnutls_pubkey_t key;
	gnutls_datum_t x = {(unsigned char *)verifier->key, KEY_SIZE};
	gnutls_datum_t data = {(unsigned char *)text, (unsigned)length};
	gnutls_datum_t blob = {(unsigned char *)signature, SIGNATURE_SIZE};
	gnutls_pubkey_init(&key);
	bool ok = gnutls_pubkey_import_ecc_raw(key, GNUTLS_ECC_CURVE_ED25519, &x, NULL) >= 0 &&
	          gnutls_pubkey_verify_data2(key, GNUTLS_SIGN_EDDSA_ED25519, 0, &data, &blob) >= 0;
	gnutls_pubkey_deinit(key);
	return ok;
}

enum line_result { LINE_OTHER_KEY, LINE_BAD, LINE_GOOD };

/* One "— name base64" line against one key. */
static enum line_result check_line(
        const char *line, const struct log_verifier *verifier, const char *text, size_t length)
{
	if (!g_str_has_prefix(line, DASH))
		return LINE_OTHER_KEY;
	g_auto(GStrv) parts = g_strsplit(line + strlen(DASH), " ", 2);
	if (g_strv_length(parts) != 2 || strcmp(parts[0], verifier->name) != 0)
		return LINE_OTHER_KEY;
	uint8_t blob[ID_SIZE + SIGNATURE_SIZE];
	if (!decode_exact(parts[1], blob, sizeof blob) || memcmp(blob, verifier->id, ID_SIZE) != 0)
		return LINE_OTHER_KEY;
	return signature_is_valid(verifier, text, length, blob + ID_SIZE) ? LINE_GOOD : LINE_BAD;
}

bool checkpoint_verify(const char *note, struct log_verifier *const *verifiers, unsigned n, GError **error)
{
	const char *end = note_end(note);
	if (!end)
		return bad_note(error, "no blank line before the signatures");
	g_auto(GStrv) lines = g_strsplit(end + 1, "\n", -1);
	bool bad = false;
	for (char **line = lines; *line; line++) {
		for (unsigned i = 0; i < n; i++) {
			enum line_result result = check_line(*line, verifiers[i], note, (size_t)(end - note));
			if (result == LINE_GOOD)
				return true;
			bad |= result == LINE_BAD;
		}
	}
	fail(error, ERROR_INPUT,
	        bad ? "wrong signature on a checkpoint" : "a checkpoint signed by an unknown key");
	return false;
}
