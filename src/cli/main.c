/*
 * voxmind: the program. Finds the command (by its word, or by the nnssl_* name the program
 * was called by), turns its options into a config, runs it, turns its code into an exit
 * status.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/version.h"
#include "cli/cmd.h"
#include "graph/device.h"

static const vox_opt common_opts[] = {
    VOX_OPT_AS("-h", vox_common, help, BOOL, 0, 0, 1, NULL, "show this help"),
    VOX_OPT_AS("-q", vox_common, quiet, BOOL, 0, 0, 1, NULL, "only warnings and errors"),
    VOX_OPT_AS("-v --verbose", vox_common, verbose, BOOL, 0, 0, 1, NULL, "say more"),
    VOX_OPT_BOOL(vox_common, json, 0, "results as JSON where a script may read them"),
    VOX_OPT_INT(vox_common, threads, 0, 0, 4096, "threads; 0: all allowed cores"),
    VOX_OPT_END,
};

static int print(int (*text)(vox_buf *out))
{
    vox_buf out = VOX_BUF_INIT;
    int rc = text(&out);

    fputs(vox_buf_text(&out), stdout);
    vox_buf_release(&out);
    return rc;
}

static int version(vox_buf *out)
{
    static const char *const paths[] = {"reference", "plain", "avx2", "avx512"};
    const vox_cpu_path *path;

    VOX_TRY(
        vox_buf_printf(out, "voxmind %s (%s)\nkernel paths:", vox_version(), vox_commit()));
    for (int i = 0; i < VOX_COUNT(paths); i++) {
        if (vox_cpu_path_find(&path, paths[i]) == VOX_OK)
            VOX_TRY(vox_buf_printf(out, " %s", paths[i]));
    }
    vox_error_clear();
    return vox_buf_printf(out, "\ndevices: cpu fake\n");
}

static int print_help(const vox_cmd *cmd)
{
    vox_buf out = VOX_BUF_INIT;
    int rc = vox_cmd_explain(cmd, &out);

    fputs(vox_buf_text(&out), stdout);
    vox_buf_release(&out);
    return rc;
}

static int run(const vox_cmd *cmd, void *cfg, vox_common *common, unsigned char *given,
               int argc, char **argv)
{
    const vox_opt_set sets[] = {
        {cmd->opts,   cfg,    given},
        {cmd->shared, cfg,    NULL },
        {common_opts, common, NULL }
    };

    VOX_TRY(vox_opts_args(sets, VOX_COUNT(sets), &argc, argv));
    if (common->help)
        return print_help(cmd);
    if (common->quiet)
        vox_log_set_level(VOX_WARN);
    if (common->verbose)
        vox_log_set_level(VOX_DEBUG);
    return cmd->run(cfg, common, argc, argv);
}

/* Room for the config and the command's rows, then run. */
static int prepare_and_run(const vox_cmd *cmd, int argc, char **argv)
{
    static const vox_opt none[] = {VOX_OPT_END};
    vox_cmd with = *cmd;
    vox_common common;
    unsigned char *given;
    void *cfg;
    int rows = 0, rc;

    with.opts = cmd->opts ? cmd->opts : none;
    with.shared = cmd->shared ? cmd->shared : none;
    while (with.opts[rows].name)
        rows++;
    cfg = vox_zalloc(1, cmd->cfg_size + 1);
    given = vox_zalloc((size_t)rows + 1, 1);
    rc = cfg && given ? vox_opts_defaults(common_opts, &common) : VOX_E_NOMEM;
    if (rc == VOX_OK)
        rc = vox_opts_defaults(with.opts, cfg);
    if (rc == VOX_OK)
        rc = vox_opts_defaults(with.shared, cfg);
    common.given = given;
    common.called = argv[0];
    if (rc == VOX_OK)
        rc = run(&with, cfg, &common, given, argc - 1, argv + 1);
    if (cfg) {
        vox_opts_release(with.opts, cfg);
        vox_opts_release(with.shared, cfg);
    }
    vox_free(given);
    vox_free(cfg);
    return rc;
}

static int dispatch(int argc, char **argv)
{
    const vox_cmd *cmd;

    if (argc < 2 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)
        return print(vox_cmd_overview);
    if (strcmp(argv[1], "--version") == 0)
        return print(version);
    cmd = vox_cmd_find(argv[1]);
    return cmd ? prepare_and_run(cmd, argc - 1, argv + 1) : VOX_E_USAGE;
}

int main(int argc, char **argv)
{
    const char *called = vox_path_base(argc ? argv[0] : "voxmind");
    int rc;

    vox_mem_tidy();
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a failed write, with a message, */
    signal(SIGXFSZ, SIG_IGN); /* and so is a file at its limit */
    if (strncmp(called, "nnssl_", 6) == 0) {
        const vox_cmd *cmd = vox_cmd_find(called);

        rc = cmd ? prepare_and_run(cmd, argc, argv) : VOX_E_USAGE;
    } else {
        rc = dispatch(argc, argv);
    }
    if (rc == VOX_OK && fflush(stdout) != 0)
        rc = vox_fail_errno(VOX_E_IO, "cannot write the output");
    if (rc == VOX_E_STOP)
        return vox_stop_status();
    if (rc != VOX_OK)
        fprintf(stderr, "voxmind: %s\n", vox_error_text());
    return rc == VOX_OK ? 0 : rc == VOX_E_USAGE ? 2 : 1;
}
