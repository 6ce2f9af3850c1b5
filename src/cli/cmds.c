/* cmds: the table of commands, looking one up, and their help. */
#include <string.h>

#include "cli/cmd.h"

#define VOX_CMD(name) extern const vox_cmd vox_cmd_##name;
#include "cli/cmds.def"
#undef VOX_CMD

static const vox_cmd *const table[] = {
#define VOX_CMD(name) &vox_cmd_##name,
#include "cli/cmds.def"
#undef VOX_CMD
};

const vox_cmd *vox_cmd_at(int i)
{
    return i >= 0 && i < VOX_COUNT(table) ? table[i] : NULL;
}

static const char *name_at(int i, void *arg)
{
    (void)arg;
    return vox_cmd_at(i) ? vox_cmd_at(i)->name : NULL;
}

const vox_cmd *vox_cmd_find(const char *name)
{
    const char *near;

    for (int i = 0; i < VOX_COUNT(table); i++) {
        if (strcmp(table[i]->name, name) == 0 ||
            (table[i]->peer && strcmp(table[i]->peer, name) == 0))
            return table[i];
    }
    near = vox_suggest(name, name_at, NULL);
    if (near)
        vox_fail(VOX_E_USAGE, "unknown command \"%s\", did you mean \"%s\"?", name, near);
    else
        vox_fail(VOX_E_USAGE, "unknown command \"%s\"; voxmind -h lists them", name);
    return NULL;
}

int vox_cmd_explain(const vox_cmd *cmd, vox_buf *out)
{
    VOX_TRY(vox_buf_printf(out, "usage: %s\n\n%s\n", cmd->usage, cmd->summary));
    if (cmd->peer)
        VOX_TRY(vox_buf_printf(out, "Also answers to %s.\n", cmd->peer));
    if ((cmd->opts && cmd->opts->name) || cmd->shared)
        VOX_TRY(vox_buf_printf(out, "\noptions\n"));
    if (cmd->opts)
        VOX_TRY(vox_opts_help(cmd->opts, 1, "", out));
    if (cmd->shared)
        VOX_TRY(vox_opts_help(cmd->shared, 1, "", out));
    if (cmd->help)
        VOX_TRY(cmd->help(out));
    return vox_buf_printf(out, "\nevery command: -h, -q, -v, --threads N, --json\n");
}

static int add_group(vox_buf *out, const char *group)
{
    VOX_TRY(vox_buf_printf(out, "\n%s\n", group));
    for (int i = 0; i < VOX_COUNT(table); i++) {
        if (strcmp(table[i]->group, group) == 0)
            VOX_TRY(vox_buf_printf(out, "  %-20s %s\n", table[i]->name, table[i]->summary));
    }
    return VOX_OK;
}

int vox_cmd_overview(vox_buf *out)
{
    VOX_TRY(vox_buf_printf(out, "usage: voxmind <command> [options] <files>\n"
                                "       voxmind <command> -h, voxmind help <topic>\n"));
    for (int i = 0; i < VOX_COUNT(table); i++) {
        int seen = 0;

        for (int k = 0; k < i; k++)
            seen |= strcmp(table[k]->group, table[i]->group) == 0;
        if (!seen)
            VOX_TRY(add_group(out, table[i]->group));
    }
    return VOX_OK;
}
