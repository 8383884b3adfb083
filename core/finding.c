/* finding.c - building and freeing findings. */
#include "core/finding.h"

#include <string.h>

static void evidence_free(void *data)
{
	struct evidence *evidence = data;
	g_free(evidence->field);
	g_free(evidence->by);
	g_free(evidence);
}

static void finding_free(void *data)
{
	struct finding *finding = data;
	g_free(finding->concern);
	g_ptr_array_unref(finding->evidence);
	g_free(finding);
}

struct findings *findings_new(void)
{
	struct findings *findings = g_new0(struct findings, 1);
	findings->concerns = g_ptr_array_new_with_free_func(finding_free);
	findings->kundennummern = g_ptr_array_new_with_free_func(g_free);
	findings->absence_days = -1;
	return findings;
}

void findings_free(struct findings *findings)
{
	if (!findings)
		return;
	g_ptr_array_unref(findings->concerns);
	g_ptr_array_unref(findings->kundennummern);
	g_free(findings->doubt_reason);
	g_free(findings);
}

const struct finding *findings_find(const struct findings *findings, const char *concern)
{
	for (guint i = 0; i < findings->concerns->len; i++) {
		const struct finding *finding = g_ptr_array_index(findings->concerns, i);
		if (strcmp(finding->concern, concern) == 0)
			return finding;
	}
	return NULL;
}

struct finding *findings_add(struct findings *findings, const char *concern, int score)
{
	struct finding *finding = (struct finding *)findings_find(findings, concern);
	if (finding)
		return finding;
	finding = g_new0(struct finding, 1);
	finding->concern = g_strdup(concern);
	finding->score = score;
	finding->evidence = g_ptr_array_new_with_free_func(evidence_free);
	g_ptr_array_add(findings->concerns, finding);
	return finding;
}

void finding_add_evidence(
        struct finding *finding, const char *field, uint32_t offset, uint32_t length, const char *by)
{
	struct evidence *evidence = g_new0(struct evidence, 1);
	*evidence = (struct evidence){g_strdup(field), offset, length, g_strdup(by)};
	g_ptr_array_add(finding->evidence, evidence);
}
