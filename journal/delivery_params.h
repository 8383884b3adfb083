/* delivery_params.h - what the route phase writes into a delivery and the deliver phase reads from it.
 *
 * The two do not know each other; this is where they meet. Params are JSON objects, may hold personal data
 * and are never logged. Keys that are not listed are kept and ignored; absent and null are the same.
 *
 *   handler  suffix      at_most_once  key            value
 *   eakte    -           no            reason         "payment_relevant", "filed", … (goes into the metadata)
 *                                      concerns       [id, …]
 *                                      payment_relevant  "yes" | "unknown" | "no"
 *                                      rechtskreis, contact_code, cites  as in the decision
 *   reply    concern     yes           channel        "email" | "postbox"
 *                                      template       name in templates/ ("ortsabwesenheit", "umzug")
 *                                      concern        id
 *                                      block          text block to add, or absent
 *                                      to             email: the envelope sender (eService: from_email);
 * absent: a person writes (task reply_draft) mode           "send" (default) | "draft" cites archive  - no
 * mode           "assert" | "write" concerns, cites ticket   queue       no            queue          name
 *                                      dated          YYYY-MM-DD
 *                                      not_before     RFC 3339; also new_delivery.not_before
 *                                      ask            fact asked again when due ("application_processed"):
 *                                                     yes cancels; absent: nothing is asked
 *                                      keys           whom to ask about: {"kundennummer":[…],"email":…}
 *                                      concern, cites, text
 *   post     (by the journal, for new_task.post: the task is delivery.task)
 *
 * For an item whose channel is email the journal's item.fields hold {"envelope_from":…}; a reply goes nowhere
 * else.
 */
#ifndef JOURNAL_DELIVERY_PARAMS_H
#define JOURNAL_DELIVERY_PARAMS_H

#define DELIVERY_EAKTE   "eakte"
#define DELIVERY_REPLY   "reply"
#define DELIVERY_ARCHIVE "archive"
#define DELIVERY_TICKET  "ticket"
#define DELIVERY_POST    "post"

#endif
