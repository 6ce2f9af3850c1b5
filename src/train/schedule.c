/* schedule: learning rates by epoch. Source: methods.md 1.7. */
#include "train/schedule.h"

#include <math.h>
#include <string.h>

#include "base/compiler.h"
#include "base/error.h"

static const char *const names[] = {"constant", "poly", "warmup_poly"};

int vox_schedule_kind_find(vox_schedule_kind *out, const char *name)
{
    for (int i = 0; i < VOX_COUNT(names); i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (vox_schedule_kind)i;
            return VOX_OK;
        }
    }
    return vox_fail(VOX_E_USAGE, "schedule is \"%s\", wanted constant, poly or warmup_poly",
                    name);
}

/* lr (1 - at/of)^0.9, 0 from the end on. */
static double poly(double lr, int64_t at, int64_t of)
{
    return at < of ? lr * pow(1.0 - (double)at / (double)of, 0.9) : 0.0;
}

double vox_schedule_lr(const vox_schedule *s, int64_t epoch)
{
    switch (s->kind) {
    case VOX_SCHEDULE_POLY:
        return poly(s->lr, epoch, s->epochs);
    case VOX_SCHEDULE_WARMUP:
        if (epoch < s->warmup)
            return s->lr / (double)s->warmup * (double)(1 + epoch);
        return poly(s->lr, epoch - s->warmup, s->epochs - s->warmup);
    default:
        return s->lr;
    }
}
