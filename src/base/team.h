/*
 * team: threads that work through the loops of one function together.
 *
 *     static void blur(void *arg)             every member calls it
 *     {
 *         VOX_SHARE(i, rows)                  every i once, by some member
 *             blur_row(arg, i);
 *         vox_barrier();                      the next loop reads what this one wrote
 *         VOX_SHARE(i, columns)
 *             blur_column(arg, i);
 *     }
 *     vox_team_run(team, blur, image);        every call has returned
 *
 * Indices are handed out as members ask, so one whose core another process uses does less,
 * and the loop still ends for all at about the same time. Who gets an index differs from
 * run to run: results may depend on the index, never on the member. There is no barrier
 * behind a loop, and a member may be some loops ahead of another: put one where a loop
 * needs what a member wrote before. Every member meets the same loops and barriers.
 *
 * Members wait at a barrier by spinning for a while, then they sleep; soon where another
 * process takes one of their cores, or where there are more of them than cores: who is late
 * then needs the others' cores.
 *
 * Outside of a run a loop is whole and a barrier nothing, so functions made for a team can
 * be called alone.
 */
#ifndef VOX_BASE_TEAM_H
#define VOX_BASE_TEAM_H

#include <stdint.h>

typedef struct vox_team vox_team;

/**
 * Start threads - 1 threads, which sleep until there is something to run.
 *
 * @return VOX_OK; VOX_E_NOMEM, also when the system gives no more threads
 */
int vox_team_new(vox_team **out, int threads);

/** End the threads. Not during a run. NULL is legal. */
void vox_team_free(vox_team *t);

/** Call fn(arg) on every member, the calling thread being number 0. One run at a time; a
 * run inside another team's is legal. Ends with a barrier. */
void vox_team_run(vox_team *t, void (*fn)(void *arg), void *arg);

/** Number of the calling thread in its team, 0 outside of a run: for scratch memory, never
 * for results. */
int vox_team_member(void);

/** Wait for all members: what each wrote before, all see behind it. */
void vox_barrier(void);

/** Run the statement behind it for i = 0 .. count - 1, shared by the members. `break`
 * leaves less than the loop: do not use it. A loop of one index is for what one member
 * does. */
#define VOX_SHARE(i, count)                                                    \
    for (vox_share share_ = vox_share_first(count); share_.begin < share_.end; \
         vox_share_next(&share_))                                              \
        for (int64_t i = share_.begin; i < share_.end; i++)

/** A member's place in a loop: the run of indices it has in hand. For VOX_SHARE. */
typedef struct vox_share {
    int64_t begin, end, count;
} vox_share;
vox_share vox_share_first(int64_t count);
void vox_share_next(vox_share *s);

#endif
