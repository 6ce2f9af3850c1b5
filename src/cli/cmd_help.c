/* voxmind help: commands and what they work with, from the tables; manual page and
 * completion. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/cmd.h"
#include "cli/help_texts.h"
#include "graph/op.h"
#include "methods/method.h"
#include "train/recipe.h"

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

static int op_help(const char *name, vox_buf *out)
{
    const vox_op *op = vox_op_find(name);

    if (!op)
        return VOX_E_USAGE;
    VOX_TRY(vox_buf_printf(out, "%s: %s\n", op->name, op->summary));
    if (op->opts)
        VOX_TRY(vox_buf_printf(out, "\nattributes\n"));
    if (op->opts)
        VOX_TRY(vox_opts_help(op->opts, 0, op->name, out));
    VOX_TRY(vox_buf_printf(out, "\nproblems it is tested on\n"));
    for (int i = 0; op->problems && op->problems[i]; i++)
        VOX_TRY(vox_buf_printf(out, "  %s\n", op->problems[i]));
    return VOX_OK;
}

static int trainer_help(const char *name, vox_buf *out)
{
    vox_recipe r = VOX_RECIPE_INIT;
    json_object *o;
    int rc;

    VOX_TRY(vox_recipe_find(&r, name));
    o = vox_opts_json(vox_recipe_opts, &r);
    rc = o ? vox_json_text(out, o, 0) : VOX_E_NOMEM;
    json_object_put(o);
    vox_recipe_release(&r);
    return rc == VOX_OK ? vox_buf_printf(out, "\n") : rc;
}

static int man_help(const char *name, vox_buf *out)
{
    (void)name;
    return vox_help_man(out);
}

static int completion_help(const char *name, vox_buf *out)
{
    (void)name;
    return vox_help_completion(out);
}

static const struct {
    const char *topic;
    int words; /* that follow */
    int (*help)(const char *name, vox_buf *out);
} topics[] = {
    {"method",     1, method_help    },
    {"net",        1, net_help       },
    {"trainer",    1, trainer_help   },
    {"op",         1, op_help        },
    {"man",        0, man_help       },
    {"completion", 0, completion_help},
};

static int explain(int argc, char **argv, vox_buf *out)
{
    const vox_cmd *cmd;

    for (int i = 0; i < VOX_COUNT(topics); i++) {
        if (strcmp(topics[i].topic, argv[0]))
            continue;
        if (argc != 1 + topics[i].words)
            return vox_fail(VOX_E_USAGE, "help %s takes %s", argv[0],
                            topics[i].words ? "one name" : "no further word");
        return topics[i].help(argv[1], out);
    }
    cmd = vox_cmd_find(argv[0]);
    return cmd ? vox_cmd_explain(cmd, out) : VOX_E_USAGE;
}

static int run(const void *cfg, const vox_common *common, int argc, char **argv)
{
    vox_buf out = VOX_BUF_INIT;
    int rc;

    (void)cfg;
    (void)common;
    rc = argc ? explain(argc, argv, &out) : vox_cmd_overview(&out);
    fputs(vox_buf_text(&out), stdout);
    vox_buf_release(&out);
    return rc;
}

const vox_cmd vox_cmd_help = {
    .name = "help",
    .group = "look",
    .summary = "explain a command, a method, a net, a trainer, an op",
    .usage = "voxmind help [<command> | method|net|trainer|op <name> | man | completion]",
    .run = run,
    .words = "method net trainer op man completion",
};
