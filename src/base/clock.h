/* clock: time that only goes forward, and the calendar's. */
#ifndef VOX_BASE_CLOCK_H
#define VOX_BASE_CLOCK_H

/** Seconds since some fixed moment; never goes back. */
double vox_clock(void);

/** Seconds of CPU time the calling thread has used. */
double vox_clock_thread(void);

/** Unix time in seconds. */
double vox_clock_wall(void);

#endif
