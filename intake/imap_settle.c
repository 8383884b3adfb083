/* imap_settle.c - flag, keyword or move; nothing is ever expunged but the very UIDs that were moved. */
#include "intake/imap_private.h"

#include <stdlib.h>
#include <string.h>

static struct mailimap_flag *flag_of(const struct imap_settings *settings)
{
	switch ((enum imap_settle)settings->settle) {
	case IMAP_SETTLE_SEEN:
		return mailimap_flag_new_seen();
	case IMAP_SETTLE_FLAGGED:
		return mailimap_flag_new_flagged();
	default:
		return mailimap_flag_new_flag_keyword(strdup(settings->keyword)); /* libetpan frees it */
	}
}

static bool store(struct imap_session *session, const uint32_t *uids, unsigned n, struct mailimap_flag *flag,
        GError **error)
{
	struct mailimap_flag_list *flags = mailimap_flag_list_new_empty();
	mailimap_flag_list_add(flags, flag);
	struct mailimap_store_att_flags *change = mailimap_store_att_flags_new_add_flags_silent(flags);
	struct mailimap_set *set = imap_set_of(uids, n);
	imap_begin(session, session->settings->command_limit, IMAP_CHATTER);
	int result = mailimap_uid_store(session->imap, set, change);
	mailimap_set_free(set);
	mailimap_store_att_flags_free(change);
	return imap_result(session, result, "STORE", error);
}

static bool move_by_extension(
        struct imap_session *session, struct mailimap_set *set, const char *to, GError **error)
{
	imap_begin(session, session->settings->command_limit, IMAP_CHATTER);
	return imap_result(session, mailimap_uid_move(session->imap, set, to), "MOVE", error);
}

/* RFC 3501 without MOVE. A crash between COPY and STORE leaves a second copy in the target folder when it is
 * repeated, never a loss. Without UIDPLUS the originals stay, marked \Deleted: a plain EXPUNGE would take
 * others' messages with it. */
static bool move_by_copy(struct imap_session *session, struct mailimap_set *set, const uint32_t *uids,
        unsigned n, const char *to, GError **error)
{
	imap_begin(session, session->settings->command_limit, IMAP_CHATTER);
	if (!imap_result(session, mailimap_uid_copy(session->imap, set, to), "COPY", error))
		return false;
	if (!store(session, uids, n, mailimap_flag_new_deleted(), error))
		return false;
	if (!imap_has(session, "UIDPLUS"))
		return true;
	imap_begin(session, session->settings->command_limit, IMAP_CHATTER);
	return imap_result(session, mailimap_uid_expunge(session->imap, set), "EXPUNGE", error);
}

static bool move(struct imap_session *session, const uint32_t *uids, unsigned n, GError **error)
{
	g_autofree char *to = imap_encode_mailbox(session->settings->move_to);
	struct mailimap_set *set = imap_set_of(uids, n);
	bool ok = imap_has(session, "MOVE") ? move_by_extension(session, set, to, error)
	                                    : move_by_copy(session, set, uids, n, to, error);
	mailimap_set_free(set);
	return ok;
}

bool imap_settle(struct imap_session *session, const uint32_t *uids, unsigned n, GError **error)
{
	const struct imap_settings *settings = session->settings;
	if (settings->settle == IMAP_SETTLE_NONE)
		return true;
	if (settings->settle == IMAP_SETTLE_MOVE)
		return move(session, uids, n, error);
	if (settings->settle == IMAP_SETTLE_KEYWORD && !session->permits_keywords) {
		fail_as(error, ERROR_DENIED, SCOPE_MAILBOX, WHEN_LATER, "%s: the server keeps no keywords",
		        settings->host);
		return false;
	}
	return store(session, uids, n, flag_of(settings), error);
}
