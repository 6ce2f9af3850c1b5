/* help_man: the manual page. */
#include <string.h>

#include "base/version.h"
#include "cli/cmd.h"
#include "cli/help_texts.h"

/* Text as the man macros want it: hyphens that are minus signs, no accidental requests. */
static int add_text(vox_buf *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (p == text && (*p == '.' || *p == '\''))
            VOX_TRY(vox_buf_add(out, "\\&", 2));
        if (*p == '-' || *p == '\\')
            VOX_TRY(vox_buf_add(out, "\\", 1));
        VOX_TRY(vox_buf_add(out, *p == '\\' ? "e" : p, 1));
    }
    return VOX_OK;
}

static int add_row(vox_buf *out, const vox_opt *o)
{
    vox_buf help = VOX_BUF_INIT;
    char flag[64];
    int rc = vox_buf_printf(out, ".TP\n.B ");

    for (int n = 0; rc == VOX_OK && vox_opt_spelling(flag, o, n); n++) {
        if (n)
            rc = vox_buf_printf(out, ", ");
        if (rc == VOX_OK)
            rc = add_text(out, flag);
    }
    if (rc == VOX_OK)
        rc = vox_buf_printf(out, "%s\n", vox_opt_placeholder(o));
    if (rc == VOX_OK)
        rc = vox_opt_describe(&help, o);
    if (rc == VOX_OK)
        rc = add_text(out, vox_buf_text(&help));
    vox_buf_release(&help);
    return rc == VOX_OK ? vox_buf_printf(out, "\n") : rc;
}

static int add_command(vox_buf *out, const vox_cmd *c)
{
    VOX_TRY(vox_buf_printf(out, ".SS "));
    VOX_TRY(add_text(out, c->usage));
    VOX_TRY(vox_buf_printf(out, "\n"));
    VOX_TRY(add_text(out, c->summary));
    VOX_TRY(vox_buf_printf(out, ".\n"));
    if (c->peer)
        VOX_TRY(vox_buf_printf(out, "Also answers to\n.BR %s .\n", c->peer));
    for (const vox_opt *o = c->opts; o && o->name; o++)
        VOX_TRY(add_row(out, o));
    for (const vox_opt *o = c->shared; o && o->name; o++)
        VOX_TRY(add_row(out, o));
    return VOX_OK;
}

static const char description[] =
    ".SH NAME\n"
    "voxmind \\- self\\-supervised pre\\-training for 3D medical images\n"
    ".SH SYNOPSIS\n"
    ".B voxmind\n.I command\n[options] [files]\n.br\n"
    ".B voxmind\n.I command\n.B \\-h\n"
    ".SH DESCRIPTION\n"
    "Takes a folder of scans and leaves a checkpoint that segmentation and classification\n"
    "frameworks load. Results go to stdout, everything else to stderr.\n"
    ".SH COMMON OPTIONS\n"
    ".TP\n.B \\-h\nhelp of a command\n"
    ".TP\n.B \\-q\nonly warnings and errors\n"
    ".TP\n.B \\-v, \\-\\-verbose\nsay more\n"
    ".TP\n.B \\-\\-threads N\nthreads; without it all allowed cores\n"
    ".TP\n.B \\-\\-json\nresults as JSON where a script may read them\n"
    ".SH COMMANDS\n";

static const char closing[] =
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\ndone; also when SIGUSR1 made a run save and leave\n"
    ".TP\n.B 1\nfailed, with one message\n"
    ".TP\n.B 2\nmisused: an unknown option, a value out of range\n"
    ".TP\n.B 130, 143\nSIGINT, SIGTERM: the run saved and left\n"
    ".SH ENVIRONMENT\n"
    ".TP\n.B nnssl_raw, nnssl_preprocessed, nnssl_results\n"
    "folders of datasets, of preprocessed images, of runs\n"
    ".TP\n.B nnUNet_def_n_proc, nnUNet_n_proc_DA\n"
    "threads of fingerprint and preprocess; threads that load samples\n"
    ".TP\n.B VOX_CPU\nkernels: reference, plain, avx2 or avx512; else the best there are\n"
    ".TP\n.B VOX_LOG\nlevels of the log: debug, or by component, loader:debug,plan:warn\n"
    ".SH EXAMPLES\n"
    ".nf\nvoxmind synth \\-\\-out scans \\-\\-count 8\n"
    "voxmind pretrain scans \\-\\-net resenc_xs \\-\\-patch 64 \\-\\-out run\n"
    "voxmind inspect run/checkpoint_final.pth\n.fi\n";

int vox_help_man(vox_buf *out)
{
    VOX_TRY(vox_buf_printf(out, ".TH VOXMIND 1 \"\" \"voxmind %s\" \"User Commands\"\n",
                           vox_version()));
    VOX_TRY(vox_buf_printf(out, "%s", description));
    for (int i = 0; vox_cmd_at(i); i++)
        VOX_TRY(add_command(out, vox_cmd_at(i)));
    return vox_buf_printf(out, "%s", closing);
}
