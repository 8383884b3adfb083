/* replay_report.h - adding up comparisons. Private to replay. */
#ifndef CLASSIFIERS_REPLAY_REPORT_H
#define CLASSIFIERS_REPLAY_REPORT_H

#include "classifiers/replay.h"

/* One item, compared. */
struct replay_comparison {
	int64_t item;
	enum replay_outcome outcome;
	bool engine_differs, leaves_eakte;
	GPtrArray *kinds; /* of char *, or NULL */
};

/* In order of item numbers: samples are the first ones. */
void replay_report_add(struct replay_report *report, const struct replay_comparison *comparison);

#endif
