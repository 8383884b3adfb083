/* scene.h - a journal with items, decisions, a confirmed delivery and a task, sealed in two steps. */
#ifndef TEST_JOURNAL_SCENE_H
#define TEST_JOURNAL_SCENE_H

#include "fixture.h"
#include "journal/log_seal.h"
#include "journal/log_verify.h"

struct scene {
	struct place *place;
	struct journal *journal;
	struct log_signer *signer;
	struct log_verifier *verifier;
	GPtrArray *kept; /* the auditor's copies of both checkpoints */
};

struct scene *scene_new(void);
void scene_free(struct scene *scene);
AUTO_FREE(scene);
/* Seals all there is; keeps the auditor's copy of the checkpoint. */
void seal_scene(struct scene *scene);
/* Confirms the oldest due delivery to the eAkte. */
void confirm_one(struct journal *journal);
struct verify_report *verify(struct scene *scene);
/* Fails the test with every finding there is. */
void assert_whole(struct scene *scene);
/* Changes the database behind everybody's back. */
void tamper(struct scene *scene, const char *sql);

#endif
