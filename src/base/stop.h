/*
 * stop: asked to leave by a signal, while work that must not be torn is under way.
 *
 * Long loops install the handlers, ask vox_stop_asked() where they can leave, save, and
 * return VOX_E_STOP; main turns that into vox_stop_status(). A second signal leaves the
 * process at once.
 */
#ifndef VOX_BASE_STOP_H
#define VOX_BASE_STOP_H

/** Catch SIGINT, SIGTERM and SIGUSR1 from now on. */
void vox_stop_install(void);

/** The signal that asked, or 0. Any thread. */
int vox_stop_asked(void);

/** Exit status for it: 130 (SIGINT), 143 (SIGTERM), 0 (SIGUSR1: SLURM's warning). */
int vox_stop_status(void);

/** Its name, "SIGINT"; "" when none. */
const char *vox_stop_name(void);

/** Forget the request and give the signals back to the system. */
void vox_stop_remove(void);

#endif
