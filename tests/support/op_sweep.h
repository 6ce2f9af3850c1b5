/*
 * op_sweep: every kernel of every path of this machine against the reference.
 *
 * Each kernel that supports a problem is run on it, whether a plan would pick it or
 * another. A path whose device has switches (`ways` in the .c) counts once per setting.
 *
 *     VOX_OPS_RANDOM=n             random problems per op
 *     VOX_OPS_SEED=n               what problems and data are drawn from
 *     VOX_OPS_PROBLEM="op problem" this one only, all data: a failure names both
 */
#ifndef VOX_TESTS_SUPPORT_OP_SWEEP_H
#define VOX_TESTS_SUPPORT_OP_SWEEP_H

#include "graph/op.h"

/** Open the devices, and close them. cmocka's group functions. */
int op_sweep_open(void **state);
int op_sweep_close(void **state);

/** The problems of every op, or VOX_OPS_PROBLEM: all data, amid a net and on an input,
 * gradients put in every way. */
void op_sweep_problems(void);

/** Random problems of every op that has a kernel, of at most `most` elements, until n were
 * such that each path had a kernel for them; data, threads and puts are drawn too. Nothing
 * when VOX_OPS_PROBLEM is set. */
void op_sweep_random(int n, int64_t most);

/** Convolutions by Winograd's form with every padding that it has, from widths that part of
 * a tile fills to those with tiles on no border; data, threads and puts are drawn. Nothing
 * when VOX_OPS_PROBLEM is set. */
void op_sweep_borders(void);

/** Print, by path and kernel, how often it ran and how near its results came to what they
 * may be off by. Fails for a kernel that no problem reached, or that was never the one
 * picked: it would be code that nobody has run. */
void op_sweep_report(void);

#endif
