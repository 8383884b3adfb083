/* reply_line.c - phrases of mail clients, as tables. Words are folded: lower case, single blanks. */
#include "core/reply_line.h"
#include "core/fold.h"

#include <string.h>

struct word {
	const char *text;
	enum header_word kind;
};

static const struct word header_words[] = {
        {"von", HEADER_FROM},
        {"from", HEADER_FROM},
        {"absender", HEADER_FROM},
        {"de", HEADER_FROM},
        {"da", HEADER_FROM},
        {"van", HEADER_FROM},
        {"od", HEADER_FROM},
        {"fra", HEADER_FROM},
        {"från", HEADER_FROM},
        {"de la", HEADER_FROM},
        {"expeditorul", HEADER_FROM},
        {"feladó", HEADER_FROM},
        {"gönderen", HEADER_FROM},
        {"kimden", HEADER_FROM},
        {"lähettäjä", HEADER_FROM},
        {"mittente", HEADER_FROM},
        {"nadawca", HEADER_FROM},
        {"remitente", HEADER_FROM},
        {"expéditeur", HEADER_FROM},
        {"saatja", HEADER_FROM},
        {"šalje", HEADER_FROM},
        {"від", HEADER_FROM},
        {"від кого", HEADER_FROM},
        {"от", HEADER_FROM},
        {"от кого", HEADER_FROM},
        {"отправитель", HEADER_FROM},
        {"送信元", HEADER_FROM},
        {"差出人", HEADER_FROM},
        {"发件人", HEADER_FROM},
        {"寄件者", HEADER_FROM},
        {"보낸 사람", HEADER_FROM},
        {"gesendet", HEADER_DATE},
        {"gesendet am", HEADER_DATE},
        {"datum", HEADER_DATE},
        {"date", HEADER_DATE},
        {"sent", HEADER_DATE},
        {"sent at", HEADER_DATE},
        {"data", HEADER_DATE},
        {"dato", HEADER_DATE},
        {"dată", HEADER_DATE},
        {"dátum", HEADER_DATE},
        {"fecha", HEADER_DATE},
        {"päivämäärä", HEADER_DATE},
        {"päiväys", HEADER_DATE},
        {"lähetetty", HEADER_DATE},
        {"tarih", HEADER_DATE},
        {"gönderilen", HEADER_DATE},
        {"gönderildi", HEADER_DATE},
        {"дата", HEADER_DATE},
        {"отправлено", HEADER_DATE},
        {"відправлено", HEADER_DATE},
        {"日付", HEADER_DATE},
        {"送信日時", HEADER_DATE},
        {"发送时间", HEADER_DATE},
        {"寄件日期", HEADER_DATE},
        {"보낸 날짜", HEADER_DATE},
        {"envoyé", HEADER_DATE},
        {"envoyé le", HEADER_DATE},
        {"message du", HEADER_DATE},
        {"enviado", HEADER_DATE},
        {"enviado el", HEADER_DATE},
        {"enviada em", HEADER_DATE},
        {"enviada", HEADER_DATE},
        {"inviato", HEADER_DATE},
        {"verzonden", HEADER_DATE},
        {"skickat", HEADER_DATE},
        {"sendt", HEADER_DATE},
        {"wysłano", HEADER_DATE},
        {"wysłane", HEADER_DATE},
        {"odesláno", HEADER_DATE},
        {"odoslané", HEADER_DATE},
        {"elküldve", HEADER_DATE},
        {"trimis", HEADER_DATE},
        {"poslano", HEADER_DATE},
        {"zeit", HEADER_DATE},
        {"an", HEADER_TO},
        {"to", HEADER_TO},
        {"empfänger", HEADER_TO},
        {"à", HEADER_TO},
        {"a", HEADER_TO},
        {"aan", HEADER_TO},
        {"adresat", HEADER_TO},
        {"címzett", HEADER_TO},
        {"către", HEADER_TO},
        {"destinatarul", HEADER_TO},
        {"do", HEADER_TO},
        {"kime", HEADER_TO},
        {"komu", HEADER_TO},
        {"para", HEADER_TO},
        {"pour", HEADER_TO},
        {"pre", HEADER_TO},
        {"prima", HEADER_TO},
        {"til", HEADER_TO},
        {"till", HEADER_TO},
        {"vastaanottaja", HEADER_TO},
        {"кому", HEADER_TO},
        {"送信先", HEADER_TO},
        {"宛先", HEADER_TO},
        {"收件人", HEADER_TO},
        {"받는 사람", HEADER_TO},
        {"betreff", HEADER_SUBJECT},
        {"betr", HEADER_SUBJECT},
        {"thema", HEADER_SUBJECT},
        {"subject", HEADER_SUBJECT},
        {"aihe", HEADER_SUBJECT},
        {"assunto", HEADER_SUBJECT},
        {"asunto", HEADER_SUBJECT},
        {"emne", HEADER_SUBJECT},
        {"konu", HEADER_SUBJECT},
        {"naslov", HEADER_SUBJECT},
        {"objet", HEADER_SUBJECT},
        {"oggetto", HEADER_SUBJECT},
        {"onderwerp", HEADER_SUBJECT},
        {"predmet", HEADER_SUBJECT},
        {"předmět", HEADER_SUBJECT},
        {"subiect", HEADER_SUBJECT},
        {"subiectul", HEADER_SUBJECT},
        {"sujet", HEADER_SUBJECT},
        {"temat", HEADER_SUBJECT},
        {"tárgy", HEADER_SUBJECT},
        {"ämne", HEADER_SUBJECT},
        {"тема", HEADER_SUBJECT},
        {"件名", HEADER_SUBJECT},
        {"主题", HEADER_SUBJECT},
        {"主旨", HEADER_SUBJECT},
        {"제목", HEADER_SUBJECT},
        {"cc", HEADER_OTHER},
        {"kopie", HEADER_OTHER},
        {"kopie (cc)", HEADER_OTHER},
        {"bcc", HEADER_OTHER},
        {"antwort an", HEADER_OTHER},
        {"reply-to", HEADER_OTHER},
        {"replyto", HEADER_OTHER},
        {"wichtigkeit", HEADER_OTHER},
        {"priorität", HEADER_OTHER},
        {"importance", HEADER_OTHER},
        {"priority", HEADER_OTHER},
        {"anlagen", HEADER_OTHER},
        {"attachments", HEADER_OTHER},
        {"bilgi", HEADER_OTHER},
        {"copie à", HEADER_OTHER},
        {"dw", HEADER_OTHER},
        {"kopi", HEADER_OTHER},
        {"kopia", HEADER_OTHER},
        {"kopio", HEADER_OTHER},
        {"kópia", HEADER_OTHER},
        {"másolat", HEADER_OTHER},
        {"másolatot kap", HEADER_OTHER},
        {"копия", HEADER_OTHER},
        {"копія", HEADER_OTHER},
        {"organisation", HEADER_OTHER},
        {"message-id", HEADER_OTHER},
        {"organization", HEADER_OTHER},
};

enum header_word header_word(const char *folded)
{
	const char *colon = memchr(folded, ':', MIN(strlen(folded), 34));
	if (!colon || colon == folded)
		return HEADER_NONE;
	size_t size = (size_t)(colon - folded);
	while (size && folded[size - 1] == ' ')
		size--;
	for (size_t i = 0; i < G_N_ELEMENTS(header_words); i++)
		if (strlen(header_words[i].text) == size && memcmp(header_words[i].text, folded, size) == 0)
			return header_words[i].kind;
	return HEADER_NONE;
}

static bool ends_any(const char *text, size_t size, const char *const *words)
{
	for (; *words; words++) {
		size_t length = strlen(*words);
		if (size >= length && memcmp(text + size - length, *words, length) == 0)
			return true;
	}
	return false;
}

/* Stands between dashes: "----- weitergeleitete nachricht -----". */
static const char *const original_words[] = {"ursprüngliche", "urspruengliche", "originalnachricht",
        "original-nachricht", "original nachricht", "originalkopf", "original message", "original-message",
        "original appointment", "originaltermin", "message d'origine", "message d’origine",
        "message original", "mensaje original", "mensagem original", "messaggio originale",
        "oorspronkelijk bericht", "origineel bericht", "original besked", "oprindelig", "opprinnelig",
        "ursprungligt", "alkuperäinen", "wiadomość oryginalna", "oryginalna wiadomość", "původní zpráva",
        "pôvodná správa", "eredeti üzenet", "özgün ileti", "orijinal mesaj", "mesaj original",
        "исходное сообщение", "original mail", "original subject", "below this line is a copy",
        "antwort zitiert", "reply message", "izvorna poruka", "ihre nachricht -", "ihre ursprüngliche", NULL};
static const char *const forward_words[] = {"weitergeleitet", "forwarded", "transféré", "transmis",
        "réexpédié", "reenviado", "encaminhada", "reencaminhada", "inoltrato", "doorgestuurd", "videresendt",
        "vidarebefordrat", "edelleenlähetetty", "välitetty", "przekazan", "przesłana dalej", "přeposlan",
        "preposlan", "továbbított", "i̇letilmiş", "iletilmiş", "iletilen", "i̇letilen", "redirecționat",
        "proslijeđen", "пересылаемое", "перенаправленное", "переадресованного", "перенаправлене", "переслане",
        "メッセージを転送", "転送", NULL};
/* Lines of their own, without dashes. */
static const char *const forward_lines[] = {"anfang der weitergeleiteten nachricht",
        "begin forwarded message", "forwarded message:", "start på videresendt besked",
        "välitetty viesti alkaa", "début du message réexpédié", "začátek přeposílané zprávy",
        "započni proslijeđenu poruku", "továbbított levél kezdete", "inizio messaggio inoltrato",
        "begin doorgestuurd bericht", "videresendt melding:", "początek przekazywanej wiadomości",
        "início da mensagem", "inicio del mensaje reenviado", "începe mesajul redirecționat",
        "начало переадресованного сообщения", "začiatok preposlanej správy",
        "vidarebefordrat mejl:", "ileti başlangıcı", "i̇leti başlangıcı", "початок листа, що пересилається",
        "weitergeleitete nachricht:", "ursprüngliche nachricht:", "---- weitergeleitete", NULL};
static const char *const verbs[] = {" schrieb", " geschrieben", "schriebst du", "schrieben sie", " wrote",
        "wrote:", " sent:", " said:", "zitat von ", "quoting ", "a écrit", " écrit", "escribió", "escribio",
        "ha scritto", "scrisse", "escreveu", " schreef", "geschreven", " skrev", "kirjoitti", "napisał",
        "napsal", "napísal", "написал", "пишет", " писал", "написав", " пише", " a scris", " írta", "yazdı",
        "je napisao", "je napisala", "kirjutas", "rašė", "έγραψε", "写道", "寫道", "书写", "のメール",
        "書きました", "작성", "đã viết", NULL};

/* Dashes, underscores or equal signs at the start: how many. */
static size_t rule_length(const char *folded)
{
	return strspn(folded, "-_=~+");
}

static enum separator between_dashes(const char *folded)
{
	size_t lead = rule_length(folded), size = strlen(folded);
	const char *text = folded + lead;
	g_autofree char *head = g_strndup(text, MIN(size - lead, 90));
	bool closed = strchr(head, '-') || strchr(head, '_') || strchr(head, '=');
	if (!closed)
		return SEPARATOR_NONE;
	if (fold_has(head, forward_words))
		return SEPARATOR_FORWARD;
	if (fold_has(head, original_words))
		return SEPARATOR_ORIGINAL;
	bool ends = size > 2 && (folded[size - 1] == '-' || folded[size - 1] == ':');
	return ends && fold_has(folded, verbs) ? SEPARATOR_ORIGINAL : SEPARATOR_NONE;
}

enum separator line_separator(const char *folded)
{
	if (rule_length(folded) >= 2) {
		enum separator found = between_dashes(folded);
		if (found != SEPARATOR_NONE)
			return found;
	}
	return strlen(folded) < 70 && fold_starts(folded, forward_lines) ? SEPARATOR_FORWARD : SEPARATOR_NONE;
}

bool has_address(const char *folded)
{
	for (const char *at = strchr(folded, '@'); at; at = strchr(at + 1, '@'))
		if (at > folded && g_ascii_isgraph(at[-1]) && (g_ascii_isalnum(at[1]) || at[1] == '['))
			return true;
	return false;
}

static bool digits_at(const char *p, int count)
{
	for (int i = 0; i < count; i++)
		if (!g_ascii_isdigit(p[i]))
			return false;
	return true;
}

bool has_time(const char *folded)
{
	for (const char *p = folded; *p; p++)
		if (g_ascii_isdigit(*p) && (p[1] == ':' || p[1] == '.') && digits_at(p + 2, 2) &&
		        !g_ascii_isdigit(p[4]) && p[4] != '.' &&
		        (p[1] == ':' || g_str_has_prefix(p + 4, " uhr")))
			return true;
	return false;
}

bool has_year(const char *folded)
{
	for (const char *p = folded; *p; p++) {
		if (!g_ascii_isdigit(*p) || (p > folded && g_ascii_isdigit(p[-1])))
			continue;
		if ((p[0] == '2' && p[1] == '0' && digits_at(p + 2, 2) && !g_ascii_isdigit(p[4])) ||
		        (p[0] == '1' && p[1] == '9' && digits_at(p + 2, 2) && !g_ascii_isdigit(p[4])))
			return true;
		const char *q = p + strspn(p, "0123456789");
		if (q - p <= 2 && strchr("./-", *q) && *q && g_ascii_isdigit(q[1])) {
			const char *r = q + 1 + strspn(q + 1, "0123456789");
			if (*r == *q && digits_at(r + 1, 2))
				return true;
		}
	}
	return false;
}

/* Words that make "Am … schrieb mir …:" a sentence of the writer. */
static bool is_own_sentence(const char *folded)
{
	static const char *const own[] = {
	        " ich ", " mir ", " mich ", " uns ", " wir ", " ich:", " i ", " me ", " us ", NULL};
	return fold_has(folded, own);
}

static const char *const attribution_ends[] = {
        ":", "wrote", "wrote ----", "schrieb", ">", "yazdı", "följande", "geschrieben", NULL};

enum attribution line_attribution(const char *folded)
{
	size_t size = strlen(folded);
	if (size < 5 || size > FOLD_MAX - 2 || !ends_any(folded, size, attribution_ends))
		return ATTRIBUTION_NONE;
	bool address = has_address(folded), verb = fold_has(folded, verbs);
	bool year = has_year(folded), time = has_time(folded);
	if (folded[size - 1] == '>' && !verb)
		return address && year && g_ascii_isdigit(folded[0]) ? ATTRIBUTION_WEAK : ATTRIBUTION_NONE;
	if (!verb) {
		bool closed = g_str_has_suffix(folded, ">:") && !is_own_sentence(folded);
		bool dated = address && year && time;
		return !dated ? ATTRIBUTION_NONE : closed ? ATTRIBUTION_STRONG : ATTRIBUTION_WEAK;
	}
	if (is_own_sentence(folded))
		return ATTRIBUTION_WEAK;
	return address || (year && time) ? ATTRIBUTION_STRONG : ATTRIBUTION_WEAK;
}

enum opener line_opener(const char *folded)
{
	static const char *const words[] = {"am ", "on ", "le ", "il ", "el ", "em ", "op ", "den ", "d. ",
	        "dne ", "dňa ", "dnia ", "w dniu ", "pe ", "în ", "ve ", "----", "zitat von", "quoting ",
	        "vào ", "στις ", "kl. ", "sent from ", NULL};
	static const char *const names[] = {"<", "@", " schrieb", " hat am ", "(", NULL};
	if (fold_starts(folded, words) || (g_ascii_isdigit(folded[0]) && has_year(folded)))
		return OPENER_WORD;
	return fold_has(folded, names) ? OPENER_NAME : OPENER_NONE;
}

/* "Von Proton Mail für iOS gesendet": a program and a device between the two words. */
static bool is_sent_by_app(const char *folded, size_t size)
{
	static const char *const devices[] = {
	        " für ios", " für iphone", " für ipad", " für android", " für mac", " auf android", NULL};
	return size < 70 && g_str_has_prefix(folded, "von ") && g_str_has_suffix(folded, " gesendet") &&
	       (fold_has(folded, devices) || strstr(folded, "mail gesendet") ||
	               strstr(folded, "app gesendet"));
}

bool line_is_mobile_signature(const char *folded)
{
	static const char *const starts[] = {"von meinem ", "gesendet von", "gesendet mit", "gesendet über",
	        "gesendet aus", "gesendet per", "von unterwegs gesendet", "von meinem/", "von outlook",
	        "sent from", "sent via", "sent with", "sent by", "sent using", "get outlook for",
	        "diese nachricht wurde von meinem", "diese mail wurde von meinem",
	        "diese e-mail wurde von meinem", "holen sie sich outlook", "outlook für ", "outlook for ",
	        "beziehen sie outlook", "laden sie outlook", "envoyé de mon", "envoyé depuis",
	        "enviado desde mi", "enviado do meu", "enviado de mi", "inviato da", "télécharger outlook",
	        "obtenir outlook", "obtener outlook", "verstuurd vanaf mijn", "verzonden vanaf",
	        "skickat från min", "sendt fra min", "lähetetty ", "wysłane z ", "odesláno z ", "odoslané z ",
	        "отправлено с ", "отправлено из ", "i̇phone'umdan gönderildi",
	        "gönderen: ", "yahoo mail: ", "von yahoo mail", "mit der web.de",
	        "mit freundlichen grüßen von meinem ", "gesandt von", "mobil gesendet", "versendet mit",
	        "versandt mit", "sendt frå", "iphone'umdan", "bald haben wir", "via mobile", NULL};
	static const char *const tails[] = {
	        "gesendet", "gesendet.", "sent", "gesandt", "versendet", "verschickt", "geschickt", NULL};
	size_t size = strlen(folded);
	if (folded[0] == '-') {
		folded += strspn(folded, "- ");
		size = strlen(folded);
	}
	if (size < 8 || size > 140)
		return false;
	if (is_sent_by_app(folded, size))
		return true;
	if (!fold_starts(folded, starts))
		return false;
	/* "Von meinem Vermieter habe ich …" is a sentence */
	if (g_str_has_prefix(folded, "von meinem ") || g_str_has_prefix(folded, "von unterwegs"))
		return size < 80 && ends_any(folded, size, tails);
	static const char *const sentences[] = {" ich ", " habe ", " wurde am ", " ihnen ", " i ", " you",
	        " my request", " he ", " sie ", "gesendet von ihnen", " noch ", " bereits ", NULL};
	bool bare = size < 60 || (size < 100 && strstr(folded, "app")) ||
	            g_str_has_prefix(folded, "diese ") || strstr(folded, "http");
	return bare && (g_str_has_prefix(folded, "diese ") || !fold_has(folded, sentences));
}

bool line_is_gateway_warning(const char *folded)
{
	static const char *const starts[] = {"achtung", "vorsicht", "warnung", "caution", "warning",
	        "external", "[extern", "extern", "hinweis", "diese e-mail", "diese mail", "diese nachricht",
	        "this email", "this e-mail", "this message", "***", "!", "you don't often get email",
	        "sie erhalten nicht häufig", "sie erhalten nicht oft",
	        "einige personen, die diese nachricht erhalten haben", NULL};
	static const char *const outside[] = {"externen absender", "external sender", "externe e-mail",
	        "externe mail", "external email", "external e-mail", "außerhalb der organisation",
	        "außerhalb des unternehmens", "ausserhalb ", "außerhalb unserer organisation",
	        "von außerhalb", "von extern", "externer absender", "outside of the organization",
	        "outside the organization", "outside of your organization", "outside your organization",
	        "from outside", "don't often get email from", "nicht häufig e-mails von",
	        "nicht oft e-mails von", "erhalten nicht häufig", NULL};
	return fold_starts(folded, starts) && fold_has(folded, outside) && !is_own_sentence(folded);
}

bool line_goes_on_warning(const char *folded)
{
	static const char *const words[] = {"klicken sie", "öffnen sie", "links", "anhänge", "anlagen",
	        "absender", "click", "attachments", "sender", "learn why", "erfahren sie, warum", NULL};
	return fold_has(folded, words) && !is_own_sentence(folded);
}

bool line_is_bare_separator(const char *folded)
{
	static const char *const lines[] = {"originalnachricht", "original-nachricht", "original nachricht",
	        "ursprüngliche nachricht", "original message", "original-message", "ursprüngliche mitteilung",
	        NULL};
	for (const char *const *line = lines; *line; line++)
		if (strcmp(folded, *line) == 0)
			return true;
	return false;
}

bool line_is_groupwise(const char *folded)
{
	return g_str_has_prefix(folded, ">>>") && g_str_has_suffix(folded, ">>>") && has_year(folded);
}

unsigned line_company_words(const char *folded)
{
	static const char *const words[] = {"geschäftsführer:", "geschäftsführer/in:", "geschäftsführerin:",
	        "geschäftsführung:", "geschäftsleitung:", "vorstand:", "aufsichtsrat:", "aufsichtsrats:",
	        "hrb ", "hrb:", "hra ", "hra:", "amtsgericht ", "registergericht", "handelsregister",
	        "ust-id", "ust.-id", "ustid", "umsatzsteuer-id", "sitz der gesellschaft",
	        "firmensitz:", "gerichtsstand", "steuernummer:", "steuer-nr", "st.-nr",
	        "managing director:", "registered office", "commercial register", "vat id", NULL};
	bool may = strchr(folded, ':') || strpbrk(folded, "0123456789"); /* most lines have neither */
	return !may || is_own_sentence(folded) ? 0 : fold_count(folded, words);
}

bool line_is_disclaimer(const char *folded)
{
	static const char *const advertisements[] = {"virenfrei.", "diese e-mail wurde von avast",
	        "this email has been checked for viruses", "diese e-mail wurde auf viren",
	        "this email was scanned", "bitte denken sie an die umwelt", "denken sie an die umwelt",
	        "please consider the environment", "p please consider", "bitte prüfen sie der umwelt zuliebe",
	        "der umwelt zuliebe", "confidentiality notice", "disclaimer:", "virus-free.", NULL};
	if (fold_starts(folded, advertisements))
		return true;
	static const char *const starts[] = {"diese e-mail", "diese email", "diese mail", "diese nachricht",
	        "der inhalt dieser", "die in dieser e-mail", "die information", "this e-mail", "this email",
	        "this message", "the information contained", "the information in this",
	        "the contents of this", "ce message", "ce courriel", "le informazioni contenute",
	        "die vorstehende e-mail", "hinweis: diese e-mail", "important:", "wichtiger hinweis: diese",
	        NULL};
	static const char *const legal[] = {"vertraulich", "rechtlich geschützt", "confidential",
	        "privileged", "intended recipient", "solely for", "unbefugte", "nicht der richtige adressat",
	        "nicht der beabsichtigte", "nicht gestattet", "confidentiel", "riservate",
	        "intended only for", NULL};
	return strlen(folded) > 60 && fold_starts(folded, starts) && fold_has(folded, legal) &&
	       !is_own_sentence(folded);
}
