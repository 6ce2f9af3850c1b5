/* voxmind help: a command, a method, a net or a trainer, from the tables. */
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "methods/method.h"

static int method_help(const char *name, vox_buf *out)
{
    const vox_method *m = vox_method_find(name);

    if (!m)
        return VOX_E_USAGE;
    VOX_TRY(vox_buf_printf(out, "%s: %s\n\noptions (--set %s.<name>=value)\n", m->name,
                           m->summary, m->name));
    VOX_TRY(vox_opts_help(m->opts, 0, m->name, out));
    return vox_buf_printf(out, "\ninputs of the graph, a batch axis in front\n%s\n",
                          m->inputs ? m->inputs : "");
}

static int net_help(const char *name, vox_buf *out)
{
    vox_model model = VOX_MODEL_INIT;

    VOX_TRY(vox_model_init(&model, name));
    VOX_TRY(vox_buf_printf(out, "%s: %s\n\noptions (--set %s.<name>=value)\n",
                           model.net->name, model.net->summary, model.net->name));
    VOX_TRY(vox_opts_help(model.net->opts, 0, model.net->name, out));
    vox_model_release(&model);
    return VOX_OK;
}

static int run(const void *cfg, const vox_common *common, int argc, char **argv)
{
    vox_buf out = VOX_BUF_INIT;
    const vox_cmd *cmd = NULL;
    int rc;

    (void)cfg;
    (void)common;
    if (argc == 0)
        rc = vox_cmd_overview(&out);
    else if (argc == 2 && strcmp(argv[0], "method") == 0)
        rc = method_help(argv[1], &out);
    else if (argc == 2 && strcmp(argv[0], "net") == 0)
        rc = net_help(argv[1], &out);
    else if ((cmd = vox_cmd_find(argv[0])) != NULL)
        rc = vox_cmd_explain(cmd, &out);
    else
        rc = VOX_E_USAGE;
    fputs(vox_buf_text(&out), stdout);
    vox_buf_release(&out);
    return rc;
}

const vox_cmd vox_cmd_help = {
    .name = "help",
    .group = "look",
    .summary = "explain a command, a method or a net",
    .usage = "voxmind help [<command> | method <name> | net <name>]",
    .run = run,
};
