/* mail_reply.h - shared by the makers of a message: fills reply_text and quoted from text. */
#ifndef CORE_MAIL_REPLY_H
#define CORE_MAIL_REPLY_H

#include "core/item.h"

void message_finish_text(struct message *message);

#endif
