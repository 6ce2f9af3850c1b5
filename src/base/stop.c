/*
 * stop: one flag, set by the handler.
 *
 * `timeout` and some batch systems send the same signal to the process and to its group:
 * the same signal twice within a tenth of a second counts once.
 */
#include "base/stop.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "base/compiler.h"

static const int signals[] = {SIGINT, SIGTERM, SIGUSR1};

static atomic_int asked;     /* lock-free, so a handler may set it and any thread read it */
static struct timespec when; /* written before `asked` is set, read only after */

/* Milliseconds since the first signal. Only calls that a handler may make. */
static long since_first(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)(now.tv_sec - when.tv_sec) * 1000 + (now.tv_nsec - when.tv_nsec) / 1000000;
}

static void handle(int sig)
{
    if (asked == 0) {
        clock_gettime(CLOCK_MONOTONIC, &when);
        asked = sig;
    } else if (asked != sig || since_first() > 100) {
        _exit(sig == SIGUSR1 ? 0 : 128 + sig);
    }
}

void vox_stop_install(void)
{
    struct sigaction act = {.sa_handler = handle};

    sigemptyset(&act.sa_mask);
    for (int i = 0; i < VOX_COUNT(signals); i++)
        sigaddset(&act.sa_mask, signals[i]);
    act.sa_flags = SA_RESTART;
    asked = 0;
    for (int i = 0; i < VOX_COUNT(signals); i++)
        sigaction(signals[i], &act, NULL);
}

int vox_stop_asked(void)
{
    return asked;
}

int vox_stop_status(void)
{
    return asked == 0 || asked == SIGUSR1 ? 0 : 128 + asked;
}

const char *vox_stop_name(void)
{
    switch (atomic_load(&asked)) {
    case SIGINT:
        return "SIGINT";
    case SIGTERM:
        return "SIGTERM";
    case SIGUSR1:
        return "SIGUSR1";
    default:
        return "";
    }
}

void vox_stop_remove(void)
{
    for (int i = 0; i < VOX_COUNT(signals); i++)
        signal(signals[i], SIG_DFL);
    asked = 0;
}
