/* The decoder, one behaviour a test, on small mails of our own. */
#include "core/charset.h"
#include "core/mail.h"
#include "core/mail_header.h"

#include <criterion/criterion.h>
#include <string.h>

static struct message *decode(const char *text)
{
	mail_setup();
	g_autoptr(GBytes) raw = g_bytes_new(text, strlen(text));
	return mail_decode(raw, NULL);
}

static bool has_defect(const struct message *message, const char *word)
{
	for (guint i = 0; i < message->defects->len; i++)
		if (strcmp(g_ptr_array_index(message->defects, i), word) == 0)
			return true;
	return false;
}

static const struct attachment *file(const struct message *message, guint i)
{
	cr_assert_lt(i, message->attachments->len);
	return g_ptr_array_index(message->attachments, i);
}

static void expect_text(const char *mail, const char *text)
{
	AUTO(message) m = decode(mail);
	g_autofree char *got = g_strstrip(g_strdup(m->text));
	cr_expect_str_eq(got, text, "got \"%s\"", got);
}

static void expect_header(const char *raw, const char *decoded)
{
	g_autofree char *got = header_decode(raw, NULL, NULL);
	cr_expect_str_eq(got, decoded, "\"%s\" gives \"%s\"", raw, got);
}

static void expect_author(const char *raw, const char *name, const char *email)
{
	g_autoptr(GPtrArray) all = addresses_parse(raw, NULL);
	cr_assert_geq(all->len, 1, "nothing in %s", raw);
	const struct address *first = g_ptr_array_index(all, 0);
	cr_expect_str_eq(first->name ? first->name : "", name, "%s: name \"%s\"", raw, first->name);
	cr_expect_str_eq(first->email ? first->email : "", email, "%s: email \"%s\"", raw, first->email);
}

#define HEAD "From: Max <max@example.org>\nTo: service@example.org\nSubject: S\n"

Test(mail, latin1_under_a_utf8_label_loses_no_umlaut)
{
	expect_text(HEAD "Content-Type: text/plain; charset=utf-8\n\nK\xfcndigung \x80 5\n", "Kündigung € 5");
	AUTO(message) m = decode(HEAD "Content-Type: text/plain; charset=utf-8\n\nK\xfcndigung\n");
	cr_expect(has_defect(m, "charset-repaired"));
}

Test(mail, utf8_under_a_latin1_label_and_without_label_is_utf8)
{
	expect_text(HEAD "Content-Type: text/plain; charset=iso-8859-1\n\nStra\xc3\x9f"
	                 "e\n",
	        "Straße");
	expect_text(HEAD "\nStra\xc3\x9f"
	                 "e\n",
	        "Straße");
	expect_text(HEAD "Content-Type: text/plain; charset=us-ascii\n\nStra\xdf"
	                 "e\n",
	        "Straße");
}

Test(mail, rare_and_misspelt_charsets_are_read)
{
	expect_text(HEAD "Content-Type: text/plain; charset=koi8_r\n\n\xf0\xd2\xc9\xd7\xc5\xd4\n", "Привет");
	expect_text(HEAD "Content-Type: text/plain; charset=\"gb2312\"\n\n\xd6\xd0\xce\xc4\n", "中文");
	expect_text(HEAD "Content-Type: text/plain; charset=no-such-thing\n\nGr\xfc\xdf"
	                 "e\n",
	        "Grüße");
}

static void expect_guessed(const char *charset, const char *text)
{
	gsize size;
	g_autofree char *bytes = g_convert(text, -1, charset, "UTF-8", NULL, &size, NULL);
	cr_assert_not_null(bytes, "%s", charset);
	bool repaired = false;
	g_autofree char *got = charset_to_utf8(bytes, size, NULL, NULL, &repaired);
	cr_expect_str_eq(got, text, "%s without a label gives \"%s\"", charset, got);
	cr_expect(repaired);
	g_autofree char *mislabelled = charset_to_utf8(bytes, size, "utf-8", NULL, NULL);
	cr_expect_str_eq(mislabelled, text);
}

Test(mail, a_charset_that_nobody_named_is_told_by_its_letters)
{
	expect_guessed("KOI8-R", "Добрый день, я хочу сообщить новый адрес.");
	expect_guessed("WINDOWS-1251", "Добрый день, я хочу сообщить новый адрес.");
	expect_guessed("ISO-8859-5", "Добрый день, я хочу сообщить новый адрес.");
	expect_guessed("SHIFT-JIS", "お世話になっております。住所が変わりました。");
	expect_guessed("EUC-JP", "お世話になっております。住所が変わりました。");
	expect_guessed("EUC-KR", "안녕하세요. 주소가 변경되었습니다.");
	expect_guessed("GBK", "您好，我的地址已经更改，请更新您的记录。");
	expect_guessed("BIG5", "您好，我的地址已經更改，請更新您的記錄。");
}

Test(mail, western_text_without_a_label_is_never_guessed_away)
{
	static const char *const texts[] = {"Grüße aus Köln, Straße ändern", "ÄÖÜ äöü ß", "Größe: 5 €",
	        "Überprüfung der Überführungsgebühr für Äpfel", "»Überläufer« – „Füße“", "Ööäüß ÄÖÜß äöüß"};
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		gsize size;
		g_autofree char *bytes = g_convert(texts[i], -1, "WINDOWS-1252", "UTF-8", NULL, &size, NULL);
		g_autofree char *got = charset_to_utf8(bytes, size, NULL, NULL, NULL);
		cr_expect_str_eq(got, texts[i], "\"%s\"", got);
	}
	g_autofree char *cut =
	        charset_to_utf8("\xe6\x82\xa8\xe5\xa5\xbd\xe6\x88\x91\xe7\x9a", 11, "utf-8", NULL, NULL);
	cr_expect(g_str_has_prefix(cut, "您好我"));
}

Test(mail, a_nul_byte_does_not_end_the_text)
{
	size_t size;
	g_autofree char *text = charset_to_utf8("a\0b", 3, "utf-8", &size, NULL);
	cr_expect_str_eq(text, "ab");
	cr_expect_eq(size, 2);
}

Test(mail, broken_encoded_words_are_decoded)
{
	expect_header("=?utf-8?Q?K=C3=BCndigung?=", "Kündigung");
	expect_header("=?utf-8?B?S8O8bmRpZ3VuZw?=", "Kündigung");           /* no padding */
	expect_header("=?utf-8?Q?Gr=C3?= =?utf-8?Q?=BC=C3=9Fe?=", "Grüße"); /* a character split in two */
	expect_header("=?iso-8859-1?Q?neue Anschrift =FC?=", "neue Anschrift ü"); /* blanks inside */
	expect_header("AW:=?utf-8?Q?_=C3=BC?=ber", "AW: über");                   /* glued to text */
	expect_header("=?utf-8?Q?abgeschnitten=C3=BC", "abgeschnittenü");         /* no end */
	expect_header("=?iso-8859-1?Q?=80_100?=", "€ 100");
	expect_header("Gr\xfc\xdf"
	              "e",
	        "Grüße");
	expect_header("eins\r\n zwei", "eins zwei");
	expect_header("=?utf-8*de?Q?=C3=BC?=", "ü");
	expect_header("=?no", "=?no");
}

Test(mail, authors_are_found_in_all_forms)
{
	expect_author("Max <max@example.org>", "Max", "max@example.org");
	expect_author("\"Muster, Max\" <max@example.org>", "Muster, Max", "max@example.org");
	expect_author("Muster, Max <max@example.org>", "Muster, Max", "max@example.org");
	expect_author("max@example.org (Max Muster)", "Max Muster", "max@example.org");
	expect_author("max@example.org", "", "max@example.org");
	expect_author("\"=?utf-8?Q?M=C3=BCller?=\" <m@example.org>", "Müller", "m@example.org");
	expect_author("=?utf-8?Q?M=C3=BCller,_Max?= <m@example.org>", "Müller, Max", "m@example.org");
	expect_author("Team: a@example.org, b@example.org;", "", "a@example.org");
	expect_author("<@relay.example.org:max@example.org>", "", "max@example.org");
	expect_author("Max <max@example.org", "Max", "max@example.org");
	expect_author("Max <m\xfcller@example.org>", "Max", "müller@example.org");
	expect_author("Max [mailto:max@example.org]", "Max", "max@example.org");
}

Test(mail, file_names_are_read_by_rfc_2231_and_as_people_write_them)
{
	g_autofree char *a =
	        header_parameter("attachment; filename*=utf-8'de'L%C3%B6hne.pdf", "filename", NULL);
	cr_expect_str_eq(a, "Löhne.pdf");
	g_autofree char *b = header_parameter(
	        "attachment; filename*0*=utf-8''L%C3%B6; filename*1=\"hne\"; filename*2*=%2Epdf", "filename",
	        NULL);
	cr_expect_str_eq(b, "Löhne.pdf");
	g_autofree char *c =
	        header_parameter("attachment; filename=\"=?utf-8?Q?L=C3=B6hne.pdf?=\"", "filename", NULL);
	cr_expect_str_eq(c, "Löhne.pdf");
	g_autofree char *d = header_parameter("attachment; filename=mein Lebenslauf.pdf", "filename", NULL);
	cr_expect_str_eq(d, "mein Lebenslauf.pdf");
	cr_expect_null(header_parameter("attachment", "filename", NULL));
}

Test(mail, text_that_only_claims_to_be_base64_is_taken_as_it_is)
{
	expect_text(HEAD "Content-Transfer-Encoding: base64\n\nIch bin umgezogen, neue Anschrift folgt.\n",
	        "Ich bin umgezogen, neue Anschrift folgt.");
	expect_text(HEAD
	        "Content-Transfer-Encoding: base64\n\nSGFsbG8gV2VsdA==\n-- \nliste@example.org - Footer\n",
	        "Hallo Welt");
	expect_text(HEAD "Content-Transfer-Encoding: quoted-printable\n\n100 =ZZ Gr=FC=DFe=\n!\n",
	        "100 =ZZ Grüße!");
}

Test(mail, flowed_lines_are_joined)
{
	expect_text(HEAD
	        "Content-Type: text/plain; format=flowed\n\neine lange \nZeile\n> alt \n> neu\n-- \nName\n",
	        "eine lange Zeile\n> alt neu\n-- \nName");
}

Test(mail, plain_text_is_preferred_unless_it_is_empty_or_a_stub)
{
#define ALTERNATIVE(plain)                                                                                   \
	HEAD "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n" plain                              \
	     "\n--b\nContent-Type: text/html\n\n<p>Ich ziehe am ersten Mai um, meine neue Anschrift ist "    \
	     "Talstr. 1 in "                                                                                 \
	     "Ulm, bitte in den Unterlagen &auml;ndern. Der Einzug ist am dritten, die Schl&uuml;ssel habe " \
	     "ich schon.</p>\n--b--\n"
	expect_text(ALTERNATIVE("Umzug"), "Umzug");
	AUTO(message) empty = decode(ALTERNATIVE("  "));
	cr_expect(strstr(empty->text, "Talstr. 1 in Ulm, bitte in den Unterlagen ändern"));
	cr_expect(empty->html);
	AUTO(message) stub = decode(ALTERNATIVE("Please view this mail as HTML"));
	cr_expect(strstr(stub->text, "Talstr. 1"));
}

Test(mail, files_beside_a_text_that_is_not_read_are_listed)
{
	AUTO(message)
	m = decode(HEAD "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nIch ziehe um.\n--b\n"
	                "Content-Type: multipart/related; boundary=c\n\n--c\nContent-Type: text/html\n\n"
	                "<p>Etwas anderes</p>\n--c\nContent-Type: image/png; name=bild.png\n"
	                "Content-Transfer-Encoding: base64\n\nSGFsbG8=\n--c--\n--b--\n");
	cr_expect_str_eq(m->text, "Ich ziehe um.");
	cr_expect_null(m->html);
	cr_assert_eq(m->attachments->len, 1);
	cr_expect_str_eq(file(m, 0)->name, "bild.png");
}

Test(mail, files_are_listed_with_name_size_and_hash)
{
	AUTO(message)
	m = decode(HEAD "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nAnbei.\n--b\n"
	                "Content-Type: application/pdf; name=a.pdf\nContent-Disposition: attachment\n"
	                "Content-Transfer-Encoding: base64\n\nSGFsbG8=\n--b--\n");
	cr_expect_str_eq(file(m, 0)->name, "a.pdf");
	cr_expect_str_eq(file(m, 0)->type, "application/pdf");
	cr_expect_eq(file(m, 0)->bytes, 5);
	cr_expect_str_eq(
	        file(m, 0)->sha256, "753692ec36adb4c794c973945eb2a99c1649703ea6f76bf259abb4fb838e013e");
}

Test(mail, files_inside_the_text_are_taken_out)
{
	AUTO(message) m = decode(HEAD "\nAnbei:\nbegin 644 a.txt\n#0V%T\n`\nend\nGruß\n");
	cr_expect_str_eq(file(m, 0)->name, "a.txt");
	cr_expect_eq(file(m, 0)->bytes, 3);
	cr_expect_str_eq(m->text, "Anbei:\nGruß\n");
	expect_text(HEAD "\nbegin 2024 zu arbeiten\n", "begin 2024 zu arbeiten");
}

Test(mail, unreadable_documents_are_named)
{
	AUTO(message)
	smime = decode(
	        HEAD "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n"
	             "Content-Transfer-Encoding: base64\n\nMIAGCSqGSIb3DQEHA6CAMIACAQAA\n");
	cr_expect_str_eq(smime->unsuitable, "smime");
	AUTO(message) pgp = decode(HEAD "\n-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----\n");
	cr_expect_str_eq(pgp->unsuitable, "pgp");
	AUTO(message)
	pdf = decode(HEAD "Content-Type: application/pdf\nContent-Disposition: attachment\n\n"
	                  "%PDF-1.4\ntrailer <</Root 1 0 R/Encrypt 5 0 R>>\n");
	cr_expect_str_eq(pdf->unsuitable, "encrypted");
	AUTO(message)
	open = decode(HEAD "Content-Type: application/pdf\nContent-Disposition: attachment\n\n"
	                   "%PDF-1.4\ntrailer <</Root 1 0 R/EncryptMetadata false>>\n");
	cr_expect_null(open->unsuitable);
}

Test(mail, a_clear_signature_leaves_the_text_readable)
{
	AUTO(message)
	m = decode(
	        HEAD "\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nIch bin umgezogen.\n- -- \nMax\n"
	             "-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n");
	cr_expect_null(m->unsuitable);
	cr_expect_str_eq(m->reply_text, "Ich bin umgezogen.\n");
}

Test(mail, malformed_mails_still_give_their_text)
{
	expect_text(
	        "Nur Text, keine Kopfzeilen.\nZweite Zeile\n", "Nur Text, keine Kopfzeilen.\nZweite Zeile");
	expect_text("From max Mon Jan  1 00:00:00 2024\n" HEAD "\nHallo\n", "Hallo");
	expect_text("\n  \n" HEAD "\nHallo\n", "Hallo");
	expect_text(HEAD " \nHallo\n", "Hallo"); /* the empty line holds a blank */
	expect_text(HEAD "Dies ist schon der Text.\nWeiter\n", "Dies ist schon der Text.\nWeiter");
	expect_text(
	        HEAD "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nabgeschnitten", "abgeschnitten");
	expect_text(HEAD "Content-Type: multipart/mixed\n\n--x1\nContent-Type: text/plain\n\nHallo\n--x1--\n",
	        "Hallo");
	expect_text(HEAD "Content-Type: multipart/mixed; boundary=y\n\n--x1\nContent-Type: "
	                 "text/plain\n\nHallo\n--x1--\n",
	        "Hallo");
	expect_text(HEAD "Content-Type: text\n\nHallo\n", "Hallo");
}

Test(mail, an_empty_mail_is_undecodable_and_a_mail_without_text_is_not)
{
	AUTO(message) empty = decode("");
	cr_expect(empty->undecodable);
	AUTO(message) blank = decode(HEAD "\n");
	cr_expect_not(blank->undecodable);
	cr_expect_str_eq(blank->text, "");
}

Test(mail, an_attached_mail_is_shown_as_history_where_nothing_else_is_said)
{
	AUTO(message)
	m = decode(HEAD
	        "Content-Type: message/rfc822\n\nFrom: chef@example.org\nSubject: Vertrag\n\nHallo Max\n");
	cr_expect(strstr(m->text, "> Hallo Max"));
	cr_expect_str_eq(m->reply_text, "");
	cr_expect(m->quoted);
	cr_expect_str_eq(file(m, 0)->type, "message/rfc822");
}

Test(mail, winmail_dat_is_named_with_its_files)
{
	static const char tnef[] = "\x78\x9f\x3e\x22\x01\x00"                             /* signature, key */
	                           "\x02\x02\x90\x06\x00\x02\x00\x00\x00\x00\x00\x00\x00" /* a file begins */
	                           "\x02\x10\x80\x01\x00\x06\x00\x00\x00"
	                           "a.pdf\0\x00\x00" /* its title */
	                           "\x02\x0f\x80\x06\x00\x03\x00\x00\x00"
	                           "abc\x00\x00"; /* its data */
	g_autofree char *base64 = g_base64_encode((const guchar *)tnef, sizeof tnef - 1);
	g_autofree char *mail = g_strconcat(HEAD "Content-Type: application/ms-tnef; name=winmail.dat\n"
	                                         "Content-Transfer-Encoding: base64\n\n",
	        base64, "\n", NULL);
	AUTO(message) m = decode(mail);
	cr_expect_str_eq(m->unsuitable, "winmail");
	cr_expect_eq(m->attachments->len, 2);
	cr_expect_str_eq(file(m, 0)->name, "a.pdf");
	cr_expect_eq(file(m, 0)->bytes, 3);
}

static void expect_html(const char *html, const char *text)
{
	g_autofree char *got = html_to_text(html, strlen(html));
	g_strchomp(got);
	cr_expect_str_eq(got, text, "of %s\n got \"%s\"", html, got);
}

Test(mail, a_byte_order_mark_before_the_headers_hides_none_of_them)
{
	AUTO(message)
	m = decode("\xef\xbb\xbf"
	           "From: a@b.de\r\nSubject: Umzug\r\n\r\nHallo\r\n");
	cr_expect_str_eq(m->from_email, "a@b.de");
	cr_expect_str_eq(m->subject, "Umzug");
	cr_expect_str_eq(m->text, "Hallo\n");
}

Test(mail, html_becomes_readable_lines)
{
	expect_html("<p>Gr&uuml;&szlig;e</p><p>zwei</p>", "Grüße\n\nzwei");
	expect_html("<div>a</div><div><br></div><div>b<br>c</div>", "a\n\nb\nc");
	expect_html("<ul><li>eins<li>zwei</ul><ol><li>drei</ol>", "- eins\n- zwei\n1. drei");
	expect_html("<table><tr><td>IBAN</td><td>DE02</td></tr><tr><td>ab</td><td>1.6.</td></tr></table>",
	        "IBAN DE02\nab 1.6.");
	expect_html("<a href=\"http://x\">hier</a> klicken &lt;3 < 4", "hier klicken <3 < 4");
	expect_html(
	        "<p class=MsoNormal>a</p><p class=MsoNormal>&nbsp;</p><p class=MsoNormal>b</p>", "a\n\nb");
	expect_html("<![if !vml]>a<![endif]><!--[if mso]>x<![endif]-->b", "ab");
}

Test(mail, hidden_text_does_not_count)
{
	expect_html("<style>p{}</style><script>x</script><!-- y --><p>da</p>", "da");
	expect_html("<div style=\"display: none\">weg</div>da", "da");
	expect_html("<div style='VISIBILITY:hidden'>weg</div>da", "da");
	expect_html("<span style=\"font-size:0px\">weg</span>da", "da");
	expect_html("<span style=\"font-size:0.9em\">da</span>", "da");
	expect_html("<p hidden>weg</p>da", "da");
	expect_html("<body bgcolor=\"#ffffff\"><font color=\"#FFFFFF\">weg</font>da", "da");
	expect_html("<font color=\"#ffffff\">da</font>", "da"); /* on a ground that is not known */
}

Test(mail, quotes_in_html_are_history)
{
	static const char *const quotes[] = {"<blockquote type=cite>alt</blockquote>",
	        "<div class=gmail_quote>alt</div>", "<div id=divRplyFwdMsg>Von: x</div><div>alt</div>",
	        "<div class=\"x_yahoo_quoted\">alt</div>", "<div name=\"quote\">alt</div>",
	        "<div class=moz-cite-prefix>Am schrieb</div>"};
	for (size_t i = 0; i < G_N_ELEMENTS(quotes); i++) {
		g_autofree char *mail =
		        g_strconcat(HEAD "Content-Type: text/html\n\n<div>neu</div>", quotes[i], "\n", NULL);
		AUTO(message) m = decode(mail);
		cr_expect_str_eq(m->reply_text, "neu\n", "%s: \"%s\"", quotes[i], m->reply_text);
		cr_expect(m->quoted);
	}
}

Test(mail, a_block_that_no_mail_client_marked_is_history_by_what_stands_around_it)
{
	static const struct {
		const char *html, *own;
	} cases[] = {
	        {"neu<blockquote>alt</blockquote>", "neu"},
	        {"neu<blockquote>eigen</blockquote><div>Am 03.05.2021 um 10:12 schrieb A "
	         "&lt;a@example.org&gt;:"
	         "</div><blockquote>alt<blockquote>älter</blockquote></blockquote>",
	                "neu\n\neigen"},
	        {"<div>Am 03.05.2021 um 10:12 schrieb A:</div><blockquote>eins</blockquote>ja"
	         "<blockquote>zwei</blockquote>nein",
	                "ja\n\n\nnein"},
	        {"neu<blockquote class=gmail_quote>eingerückt</blockquote>", "neu\n\neingerückt"},
	        {"neu<div>On May 2 2023, at 10:12 am, A &lt;a@example.org&gt; wrote:</div>"
	         "<blockquote class=gmail_quote>alt</blockquote>",
	                "neu"},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *mail = g_strconcat(
		        HEAD "Content-Type: text/html; charset=utf-8\n\n", cases[i].html, "\n", NULL);
		AUTO(message) m = decode(mail);
		g_autofree char *got = g_strstrip(g_strdup(m->reply_text));
		cr_expect_str_eq(got, cases[i].own, "%s: \"%s\"", cases[i].html, got);
	}
}

Test(mail, many_parts_deep_trees_and_huge_texts_are_cut_and_said)
{
	GString *mail = g_string_new(HEAD "Content-Type: multipart/mixed; boundary=b\n\n");
	for (int i = 0; i < 100000; i++)
		g_string_append(mail, "--b\n\nx\n");
	AUTO(message) parts = decode(mail->str);
	cr_expect(has_defect(parts, "too-many-parts"));
	g_string_assign(mail, HEAD);
	for (int i = 0; i < 3000; i++)
		g_string_append_printf(mail, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
	AUTO(message) deep = decode(mail->str);
	cr_expect(has_defect(deep, "too-deep"));
	g_string_assign(mail, HEAD "\n");
	for (int i = 0; i < 400000; i++)
		g_string_append(mail, "Zeile mit Wörtern\n");
	AUTO(message) large = decode(mail->str);
	cr_expect(has_defect(large, "text-cut"));
	cr_expect_leq(strlen(large->text), (size_t)MAIL_MAX_TEXT);
	cr_expect(g_utf8_validate(large->text, -1, NULL));
	g_string_free(mail, TRUE);
}

Test(mail, a_header_without_end_costs_no_quadratic_time)
{
	GString *mail = g_string_new("Content-Type: message/rfc822\n\nSubject: ");
	for (int i = 0; i < 200000; i++)
		g_string_append(mail, "=?utf-8?q?a");
	g_string_append(mail, "\n\ninnen\n");
	AUTO(message) m = decode(mail->str);
	cr_expect(has_defect(m, "header-cut"));
	cr_expect(strstr(m->text, "innen"));
	g_string_free(mail, TRUE);
}

Test(mail, inspect_prints_the_stable_keys)
{
	static const char *const keys[] = {"message_id", "date", "from", "reply_to", "to", "subject", "text",
	        "reply_text", "quoted", "attachments", "automatic", "bounce", "defects", "sha256"};
	static const char mail[] = HEAD "Date: Fri, 12 May 2023 08:00:00 +0200\nMessage-ID: <a@b>\n\nHallo\n";
	mail_setup();
	g_autoptr(GBytes) raw = g_bytes_new_static(mail, sizeof mail - 1);
	JSON_AUTO object = mail_inspect(raw);
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		cr_expect(json_object_get(object, keys[i]), "no %s", keys[i]);
	cr_expect_str_eq(json_get_string(object, "from"), "Max <max@example.org>");
	cr_expect_str_eq(json_get_string(object, "date"), "2023-05-12T08:00:00+02:00");
	cr_expect_str_eq(json_get_string(object, "message_id"), "a@b");
	cr_expect_str_eq(json_get_string(object, "automatic"), "no");
	cr_expect(json_is_null(json_object_get(object, "bounce")));
}
