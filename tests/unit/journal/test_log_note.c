/* Checkpoints are signed notes: what was signed verifies, anything else does not. */
#include "core/error.h"
#include "journal/log_note.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct checkpoint sample = {
        .origin = (char *)"log.example/1", .size = 42, .root = {{1, 2, 3}}, .time = 7};

static struct log_verifier *verifier_of(const struct log_signer *signer)
{
	g_autofree char *text = log_signer_verifier(signer);
	return log_verifier_parse(text, NULL);
}

Test(log_note, a_signed_checkpoint_verifies_and_reads_back)
{
	AUTO(log_signer) signer = log_signer_generate("log.example/1", NULL);
	AUTO(log_verifier) verifier = verifier_of(signer);
	g_autofree char *note = checkpoint_sign(signer, &sample, NULL);
	cr_assert(checkpoint_verify(note, &verifier, 1, NULL));
	struct checkpoint back;
	cr_assert(checkpoint_parse(note, &back, NULL));
	cr_assert_str_eq(back.origin, "log.example/1");
	cr_assert_eq(back.size, 42);
	cr_assert_eq(back.time, 7);
	cr_assert(log_hash_equal(&back.root, &sample.root));
	checkpoint_clear(&back);
}

Test(log_note, every_changed_byte_is_found)
{
	AUTO(log_signer) signer = log_signer_generate("log.example/1", NULL);
	AUTO(log_verifier) verifier = verifier_of(signer);
	g_autofree char *note = checkpoint_sign(signer, &sample, NULL);
	size_t length = strlen(note) - 1; /* the last newline carries nothing */
	for (size_t i = 0; i < length; i++) {
		g_autofree char *bent = g_strdup(note);
		bent[i] = bent[i] == 'x' ? 'y' : 'x';
		cr_assert_not(checkpoint_verify(bent, &verifier, 1, NULL), "byte %zu", i);
	}
}

Test(log_note, another_key_of_the_same_name_is_an_unknown_key)
{
	AUTO(log_signer) signer = log_signer_generate("log.example/1", NULL);
	AUTO(log_signer) other = log_signer_generate("log.example/1", NULL);
	AUTO(log_verifier) verifier = verifier_of(other);
	g_autofree char *note = checkpoint_sign(signer, &sample, NULL);
	g_autoptr(GError) error = NULL;
	cr_assert_not(checkpoint_verify(note, &verifier, 1, &error));
	cr_assert(strstr(error->message, "unknown key"));
}

Test(log_note, an_exported_key_signs_as_before)
{
	AUTO(log_signer) signer = log_signer_generate("log.example/1", NULL);
	g_autofree char *text = log_signer_export(signer);
	AUTO(log_signer) again = log_signer_parse(text, NULL);
	cr_assert_not_null(again);
	AUTO(log_verifier) verifier = verifier_of(signer);
	g_autofree char *note = checkpoint_sign(again, &sample, NULL);
	cr_assert(checkpoint_verify(note, &verifier, 1, NULL));
}

Test(log_note, the_vector_of_the_signed_note_specification_verifies)
{
	/* The example key and note of golang.org/x/mod/sumdb/note, which the C2SP specification follows. */
	static const char key[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
	static const char note[] =
	        "If you think cryptography is the answer to your problem,\n"
	        "then you don't know what your problem is.\n"
	        "\n"
	        "\xe2\x80\x94 PeterNeumann "
	        "x08go/ZJkuBS9UG/"
	        "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
	AUTO(log_verifier) verifier = log_verifier_parse(key, NULL);
	cr_assert_not_null(verifier);
	cr_assert(checkpoint_verify(note, &verifier, 1, NULL));
}
