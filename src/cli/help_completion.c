/* help_completion: a bash script that knows commands, options, and the values of some. */
#include <string.h>

#include "cli/cmd.h"
#include "cli/help_texts.h"
#include "methods/method.h"
#include "train/recipe.h"

/* ---- values of options, by the name of their row ---- */

static const char *trainer(int i)
{
    return vox_recipe_name(i);
}

static const char *net(int i)
{
    int nets = 0;

    while (vox_net_at(nets))
        nets++;
    if (i < nets)
        return vox_net_at(i)->name;
    return vox_preset_at(i - nets) ? vox_preset_at(i - nets)->name : NULL;
}

static const char *method(int i)
{
    return vox_method_at(i) ? vox_method_at(i)->name : NULL;
}

static const char *configuration(int i)
{
    static const char *const names[] = {"onemmiso", "median", "noresample"};

    return i < VOX_COUNT(names) ? names[i] : NULL;
}

static const char *device(int i)
{
    static const char *const names[] = {"cpu", "fake"};

    return i < VOX_COUNT(names) ? names[i] : NULL;
}

static const struct {
    const char *row;
    const char *(*at)(int i);
} values[] = {
    {"trainer", trainer      },
    {"net",     net          },
    {"method",  method       },
    {"c",       configuration},
    {"device",  device       },
};

/* ---- the script ---- */

/* "        -tr|--trainer) words='...' ;;" for a row whose values are known. */
static int add_values(vox_buf *out, const vox_opt *o)
{
    char flag[64];

    for (int k = 0; k < VOX_COUNT(values); k++) {
        if (strcmp(values[k].row, o->name))
            continue;
        VOX_TRY(vox_buf_printf(out, "        "));
        for (int n = 0; vox_opt_spelling(flag, o, n); n++)
            VOX_TRY(vox_buf_printf(out, "%s%s", n ? "|" : "", flag));
        VOX_TRY(vox_buf_printf(out, ") words='"));
        for (int i = 0; values[k].at(i); i++)
            VOX_TRY(vox_buf_printf(out, "%s%s", i ? " " : "", values[k].at(i)));
        VOX_TRY(vox_buf_printf(out, "' ;;\n"));
    }
    return VOX_OK;
}

static int add_flags(vox_buf *out, const vox_opt *opts)
{
    char flag[64];

    for (const vox_opt *o = opts; o && o->name; o++) {
        for (int n = 0; vox_opt_spelling(flag, o, n); n++)
            VOX_TRY(vox_buf_printf(out, " %s", flag));
    }
    return VOX_OK;
}

static int add_command(vox_buf *out, const vox_cmd *c)
{
    VOX_TRY(vox_buf_printf(out,
                           "    %s)\n        words='%s'\n        opts='-h -q -v "
                           "--threads --json",
                           c->name, c->words ? c->words : ""));
    VOX_TRY(add_flags(out, c->opts));
    VOX_TRY(add_flags(out, c->shared));
    VOX_TRY(vox_buf_printf(out, "'\n        case $prev in\n"));
    for (const vox_opt *o = c->opts; o && o->name; o++)
        VOX_TRY(add_values(out, o));
    for (const vox_opt *o = c->shared; o && o->name; o++)
        VOX_TRY(add_values(out, o));
    return vox_buf_printf(out, "        esac ;;\n");
}

/* The peer's names: as branches that say which command they are, or as words. */
static int add_peers(vox_buf *out, int branches)
{
    for (int i = 0; vox_cmd_at(i); i++) {
        const vox_cmd *c = vox_cmd_at(i);

        if (c->peer && branches)
            VOX_TRY(vox_buf_printf(out, "    %s) cmd=%s ;;\n", c->peer, c->name));
        else if (c->peer)
            VOX_TRY(vox_buf_printf(out, " %s", c->peer));
    }
    return VOX_OK;
}

int vox_help_completion(vox_buf *out)
{
    VOX_TRY(vox_buf_printf(
        out, "# bash completion of voxmind, made by `voxmind help completion`\n"
             "_voxmind()\n{\n"
             "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
             "    local cmd=${COMP_WORDS[1]} words= opts=\n\n"
             "    case ${COMP_WORDS[0]##*/} in\n"));
    VOX_TRY(add_peers(out, 1));
    VOX_TRY(vox_buf_printf(out, "    *)\n        if [ \"$COMP_CWORD\" = 1 ]; then\n"
                                "            words='"));
    for (int i = 0; vox_cmd_at(i); i++)
        VOX_TRY(vox_buf_printf(out, "%s%s", i ? " " : "", vox_cmd_at(i)->name));
    VOX_TRY(vox_buf_printf(
        out,
        "'\n            COMPREPLY=($(compgen -W \"$words -h --version\" -- \"$cur\"))\n"
        "            return\n        fi ;;\n    esac\n    case $cmd in\n"));
    for (int i = 0; vox_cmd_at(i); i++)
        VOX_TRY(add_command(out, vox_cmd_at(i)));
    VOX_TRY(vox_buf_printf(out,
                           "    esac\n    case $cur in\n    -*) words=$opts ;;\n    esac\n"
                           "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
                           "complete -o default -F _voxmind voxmind"));
    VOX_TRY(add_peers(out, 0));
    return vox_buf_printf(out, "\n");
}
