/* Replies over real SMTP: an Exim that is kind and a server that is not (tests/servers/smtp.sh starts both).
 *
 * What counts is what arrived there: exactly once, never in the clear, never to a server that is not ours. */
#include "core/error.h"
#include "support.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *environment(const char *name)
{
	const char *value = getenv(name);
	cr_assert_not_null(value, "%s is not set: run me by tests/servers/smtp.sh", name);
	return value;
}

static int port_of(const char *name, int offset)
{
	return atoi(environment(name)) + offset;
}

#define EXIM(offset)   port_of("TEST_SMTP_EXIM_PORT", offset)
#define FAULTS(offset) port_of("TEST_SMTP_FAULTS_PORT", offset)

struct place {
	char *folder;
	struct sinks *sinks;
	struct sink_session *session;
};

static char *filled(const char *yaml, const char *secret)
{
	g_auto(GStrv) parts = g_strsplit(yaml, "SECRET", -1);
	return g_strjoinv(secret, parts);
}

/* `extra`: further options in flow style, each with a comma in front. */
static struct place open_smtp(const char *host, int port, const char *extra, const volatile gint *stop)
{
	struct place place = {.folder = fresh_folder()};
	g_autofree char *secret = g_build_filename(place.folder, "secret", NULL);
	cr_assert(g_file_set_contents_full(secret, "geheim & gut\n", -1, 0, 0600, NULL));
	g_autofree char *yaml =
	        g_strdup_printf("eakte: {type: folder, path: a}\narchive: {type: jsonl, path: b}\n"
	                        "reply_email: {type: smtp, host: %s, port: %d, ca_file: %s,"
	                        " from: eingang@amt.example, from_name: 'Agentur für Arbeit',"
	                        " bounce: bounce@amt.example, timeout: 3s%s}\n",
	                host, port, environment("TEST_SMTP_CA"), extra);
	g_autofree char *with_secret = filled(yaml, secret);
	place.sinks = sinks_of(with_secret, NULL);
	place.session = session_of(place.sinks, SINK_REPLY_EMAIL, stop);
	return place;
}

#define PLAIN ", auth: plain, user: alice, password_file: SECRET"

static void close_place(struct place *place)
{
	place->sinks->outlets[SINK_REPLY_EMAIL].sink->close(place->session);
	sinks_free(place->sinks);
	remove_folder(place->folder);
	g_free(place->folder);
}

/* Sends one reply with that subject mark; the outcome stands in the job. */
static struct sink_job *send_to(struct place *place, const char *to, const char *mark)
{
	static struct reply reply;
	reply = (struct reply){.to = to,
	        .subject = mark,
	        .body = "Guten Tag,\n\nschöne Grüße\n",
	        .token = "r.1f3a2b4c-17.0123456789abcdef",
	        .in_reply_to = "<abc@example.org>"};
	struct sink_job *job = job_new(17, "reply", "x");
	job->reply = &reply;
	deliver_one(place->sinks, place->session, SINK_REPLY_EMAIL, job);
	return job;
}

/* How many mails with that mark the misbehaving server took; the last one in *last. */
static unsigned taken(const char *mark, json_t **last)
{
	g_autofree char *text = NULL;
	cr_assert(g_file_get_contents(environment("TEST_SMTP_FAULTS_TAKEN"), &text, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	unsigned n = 0;
	for (char **line = lines; *line && **line; line++) {
		JSON_AUTO mail = json_read(*line, strlen(*line), NULL);
		if (!strstr(json_get_string(mail, "data"), mark))
			continue;
		n++;
		if (last)
			*last = json_incref(mail);
	}
	return n;
}

/* The text of the mail with that mark in Exim's Maildir, waiting for Exim to deliver it; NULL if none comes.
 */
static char *arrived(const char *mark, int tries)
{
	g_autofree char *folder = g_build_filename(environment("TEST_SMTP_EXIM_MAIL"), "new", NULL);
	for (int i = 0; i < tries; i++, g_usleep(50000)) {
		g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
		const char *name;
		while (dir && (name = g_dir_read_name(dir)) != NULL) {
			g_autofree char *path = g_build_filename(folder, name, NULL);
			char *text = NULL;
			if (g_file_get_contents(path, &text, NULL, NULL) && strstr(text, mark))
				return text;
			g_free(text);
		}
	}
	return NULL;
}

static void is_source(const struct sink_job *job)
{
	cr_assert_not(job->done);
	cr_assert_not_null(job->error);
	cr_assert_eq(error_scope(job->error), SCOPE_SOURCE, "%s", job->error->message);
	cr_assert_eq(error_when(job->error), WHEN_LATER, "%s", job->error->message);
}

static void is_item(const struct sink_job *job, enum error_class class, enum error_when when)
{
	cr_assert_not(job->done);
	cr_assert_eq(error_scope(job->error), SCOPE_ITEM, "%s", job->error->message);
	cr_assert_eq(error_class(job->error), class, "%s", job->error->message);
	cr_assert_eq(error_when(job->error), when, "%s", job->error->message);
	cr_assert_null(strstr(job->error->message, "@"), "an address in an error: %s", job->error->message);
}

Test(reply_smtp, exim_gets_the_reply_once_with_a_bounce_address_of_its_own, .timeout = 60)
{
	struct place place = open_smtp("localhost", EXIM(0), PLAIN, NULL);
	JOB job = send_to(&place, "kunde@example.org", "mark-exim-starttls");
	cr_assert(job->done, "%s", job->error ? job->error->message : "");
	cr_assert_str_eq(json_get_string(job->receipt, "id"), "<r.1f3a2b4c-17.0123456789abcdef@amt.example>");
	g_autofree char *mail = arrived("mark-exim-starttls", 200);
	cr_assert_not_null(mail);
	cr_assert(
	        strstr(mail, "Return-path: <bounce+r.1f3a2b4c-17.0123456789abcdef@amt.example>"), "%s", mail);
	cr_assert(strstr(mail, "Envelope-to: kunde@example.org"));
	cr_assert(strstr(mail, "Auto-Submitted: auto-replied"));
	cr_assert(strstr(mail, "TLS1.") || strstr(mail, "tls"), "over TLS");
	close_place(&place);
}

Test(reply_smtp, tls_from_the_first_byte_and_login_work_too, .timeout = 60)
{
	struct place place = open_smtp("localhost", EXIM(1),
	        ", tls: implicit, auth: login, user: alice, password_file: SECRET", NULL);
	JOB job = send_to(&place, "kunde@example.org", "mark-exim-implicit");
	cr_assert(job->done, "%s", job->error ? job->error->message : "");
	g_autofree char *mail = arrived("mark-exim-implicit", 200);
	cr_assert_not_null(mail);
	close_place(&place);
}

Test(reply_smtp, a_server_that_cannot_show_who_it_is_gets_nothing, .timeout = 60)
{
	static const char *const hosts[] = {"127.0.0.2", "127.0.0.3"}; /* wrong name; unknown authority */
	for (int tls = 0; tls < 2; tls++) {
		for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++) {
			g_autofree char *extra = g_strconcat(PLAIN, tls ? ", tls: implicit" : "", NULL);
			struct place place = open_smtp(hosts[i], EXIM(tls), extra, NULL);
			JOB job = send_to(&place, "kunde@example.org", "mark-exim-stranger");
			is_source(job);
			close_place(&place);
		}
	}
	cr_assert_null(arrived("mark-exim-stranger", 4));
}

Test(reply_smtp, a_wrong_password_is_no_fault_of_the_mail, .timeout = 60)
{
	struct place place =
	        open_smtp("localhost", EXIM(0), ", auth: plain, user: mallory, password_file: SECRET", NULL);
	JOB job = send_to(&place, "kunde@example.org", "mark-exim-password");
	is_source(job);
	cr_assert_null(strstr(job->error->message, "geheim"));
	close_place(&place);
}

Test(reply_smtp, an_unknown_recipient_is_final_and_a_deferred_one_comes_again, .timeout = 60)
{
	struct place place = open_smtp("localhost", EXIM(0), PLAIN, NULL);
	JOB unknown = send_to(&place, "unbekannt@example.org", "mark-exim-unknown");
	is_item(unknown, ERROR_DENIED, WHEN_NEVER);
	JOB later = send_to(&place, "spaeter@example.org", "mark-exim-later");
	is_item(later, ERROR_AGAIN, WHEN_LATER);
	JOB good = send_to(&place, "kunde@example.org", "mark-exim-after");
	cr_assert(good->done, "the same session goes on");
	close_place(&place);
}

Test(reply_smtp, many_mails_over_one_session_all_arrive, .timeout = 60)
{
	struct place place = open_smtp("localhost", FAULTS(0), PLAIN, NULL);
	for (int i = 0; i < 30; i++) {
		JOB job = send_to(&place, "kunde@example.org", "mark-many");
		cr_assert(job->done);
	}
	cr_assert_eq(taken("mark-many", NULL), 30);
	close_place(&place);
}

Test(reply_smtp, without_starttls_nothing_is_said, .timeout = 60)
{
	struct place place = open_smtp("localhost", FAULTS(1), PLAIN, NULL);
	JOB job = send_to(&place, "kunde@example.org", "mark-plain");
	is_source(job);
	cr_assert_eq(taken("mark-plain", NULL), 0);
	close_place(&place);
}

Test(reply_smtp, text_behind_the_starttls_answer_is_not_believed, .timeout = 60)
{
	struct place place = open_smtp("localhost", FAULTS(5), PLAIN, NULL);
	JOB job = send_to(&place, "kunde@example.org", "mark-injected");
	is_source(job);
	cr_assert_eq(taken("mark-injected", NULL), 0);
	close_place(&place);
}

Test(reply_smtp, a_busy_full_or_mute_server_is_left_for_this_round, .timeout = 60)
{
	for (int offset = 2; offset <= 4; offset++) {
		struct place place = open_smtp("localhost", FAULTS(offset), PLAIN, NULL);
		JOB job = send_to(&place, "kunde@example.org", "mark-busy");
		is_source(job);
		close_place(&place);
	}
	cr_assert_eq(taken("mark-busy", NULL), 0);
}

Test(reply_smtp, refusals_of_one_mail_are_told_apart, .timeout = 60)
{
	static const struct {
		const char *to;
		enum error_class class;
		enum error_when when;
	} cases[] = {
	        {"rcpt-450@example.org", ERROR_AGAIN, WHEN_LATER},
	        {"rcpt-550@example.org", ERROR_DENIED, WHEN_NEVER},
	        {"rcpt-close@example.org", ERROR_AGAIN, WHEN_LATER},
	        {"data-451@example.org", ERROR_AGAIN, WHEN_LATER},
	        {"data-554@example.org", ERROR_DENIED, WHEN_NEVER},
	};
	struct place place = open_smtp("localhost", FAULTS(0), PLAIN, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		JOB job = send_to(&place, cases[i].to, "mark-refused");
		is_item(job, cases[i].class, cases[i].when);
	}
	cr_assert_eq(taken("mark-refused", NULL), 0);
	close_place(&place);
}

Test(reply_smtp, no_answer_behind_the_mail_means_nobody_knows_and_it_is_sent_only_once, .timeout = 60)
{
	struct place place = open_smtp("localhost", FAULTS(0), PLAIN, NULL);
	JOB hang = send_to(&place, "hang@example.org", "mark-hang");
	is_item(hang, ERROR_UNCERTAIN, WHEN_NEVER);
	cr_assert_eq(taken("mark-hang", NULL), 1);
	JOB lost = send_to(&place, "lost@example.org", "mark-lost");
	is_item(lost, ERROR_UNCERTAIN, WHEN_NEVER);
	cr_assert_eq(taken("mark-lost", NULL), 1);
	JOB good = send_to(&place, "kunde@example.org", "mark-after-lost");
	cr_assert(good->done, "the next one takes a fresh connection");
	close_place(&place);
}

Test(reply_smtp, a_connection_that_ended_while_idle_is_made_anew, .timeout = 60)
{
	struct place place = open_smtp("localhost", FAULTS(0), PLAIN, NULL);
	for (int i = 0; i < 3; i++) {
		JOB job = send_to(&place, "ok-close@example.org", "mark-idle");
		cr_assert(job->done, "%d: %s", i, job->error ? job->error->message : "");
		g_usleep(50000);
	}
	cr_assert_eq(taken("mark-idle", NULL), 3);
	close_place(&place);
}

Test(reply_smtp, without_a_bounce_address_the_sender_is_empty, .timeout = 60)
{
	struct place place = open_smtp("localhost", FAULTS(0), PLAIN, NULL);
	struct place other = {.folder = fresh_folder()};
	g_autofree char *yaml =
	        g_strdup_printf("eakte: {type: folder, path: a}\narchive: {type: jsonl, path: b}\n"
	                        "reply_email: {type: smtp, host: localhost, port: %d, ca_file: %s,"
	                        " from: eingang@amt.example}\n",
	                FAULTS(0), environment("TEST_SMTP_CA"));
	other.sinks = sinks_of(yaml, NULL);
	other.session = session_of(other.sinks, SINK_REPLY_EMAIL, NULL);
	JOB job = send_to(&other, "kunde@example.org", "mark-null");
	cr_assert(job->done);
	JSON_AUTO mail = NULL;
	cr_assert_eq(taken("mark-null", &mail), 1);
	cr_assert_str_eq(json_get_string(mail, "from"), "");
	cr_assert(json_is_true(json_object_get(mail, "secure")));
	close_place(&other);
	close_place(&place);
}

Test(reply_smtp, a_token_logs_in_and_a_rotated_one_is_read_again, .timeout = 60)
{
	g_autofree char *folder = fresh_folder();
	g_autofree char *token = g_build_filename(folder, "token", NULL);
	cr_assert(g_file_set_contents_full(token, "token-alt", -1, 0, 0600, NULL));
	g_autofree char *extra = g_strdup_printf(", auth: xoauth2, user: alice, token_file: %s", token);
	struct place place = open_smtp("localhost", FAULTS(0), extra, NULL);
	JOB old = send_to(&place, "kunde@example.org", "mark-token");
	is_source(old);
	cr_assert_null(strstr(old->error->message, "token-alt"));
	cr_assert(g_file_set_contents_full(token, "token-gut", -1, 0, 0600, NULL));
	JOB good = send_to(&place, "kunde@example.org", "mark-token");
	cr_assert(good->done, "%s", good->error ? good->error->message : "");
	JSON_AUTO mail = NULL;
	cr_assert_eq(taken("mark-token", &mail), 1);
	cr_assert_str_eq(json_get_string(mail, "auth"), "XOAUTH2");
	close_place(&place);
	remove_folder(folder);
}

static gint stop_flag;

static gpointer raise_stop(gpointer unused)
{
	g_usleep(300000);
	g_atomic_int_set(&stop_flag, 1);
	return unused;
}

Test(reply_smtp, the_stop_flag_ends_a_mail_that_is_not_out_and_waits_a_little_for_one_that_is, .timeout = 60)
{
	g_atomic_int_set(&stop_flag, 1);
	struct place place = open_smtp("localhost", FAULTS(0), PLAIN, &stop_flag);
	JOB stopped = send_to(&place, "kunde@example.org", "mark-stopped");
	is_source(stopped);
	cr_assert_eq(taken("mark-stopped", NULL), 0);
	close_place(&place);
	g_atomic_int_set(&stop_flag, 0);
	struct place second =
	        open_smtp("localhost", FAULTS(0), PLAIN ", message_id_domain: amt.example", &stop_flag);
	g_autoptr(GThread) thread = g_thread_new("stop", raise_stop, NULL);
	JOB out = send_to(&second, "hang@example.org", "mark-stop-hang");
	is_item(out, ERROR_UNCERTAIN, WHEN_NEVER);
	g_thread_join(g_steal_pointer(&thread));
	close_place(&second);
}
