/* net: the tables of architectures and presets, and what all nets share. */
#include "nets/net.h"

#include <json-c/json_object.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

#define VOX_NET(name) extern const vox_net vox_net_##name;
#include "nets/nets.def"
#undef VOX_NET

static const vox_net *const nets[] = {
#define VOX_NET(name) &vox_net_##name,
#include "nets/nets.def"
#undef VOX_NET
};

static const vox_preset presets[] = {
#define VOX_PRESET(name, net, class, options, summary) \
    {#name, #net, class, options, summary},
#include "nets/presets.def"
#undef VOX_PRESET
};

const vox_net *vox_net_at(int i)
{
    return i >= 0 && i < VOX_COUNT(nets) ? nets[i] : NULL;
}

const vox_preset *vox_preset_at(int i)
{
    return i >= 0 && i < VOX_COUNT(presets) ? &presets[i] : NULL;
}

static const vox_preset *find_preset(const char *name)
{
    for (int i = 0; i < VOX_COUNT(presets); i++) {
        if (strcmp(presets[i].name, name) == 0)
            return &presets[i];
    }
    return NULL;
}

static const vox_net *find_net(const char *name)
{
    for (int i = 0; i < VOX_COUNT(nets); i++) {
        if (strcmp(nets[i]->name, name) == 0)
            return nets[i];
    }
    return NULL;
}

/* Presets, then families: the words a user may mean. */
static const char *candidate(int i, void *arg)
{
    const vox_net *net = vox_net_at(i - VOX_COUNT(presets));

    (void)arg;
    if (i < VOX_COUNT(presets))
        return presets[i].name;
    return net ? net->name : NULL;
}

static int set_options(vox_model *m, const char *options)
{
    json_object *object = NULL;
    int rc;

    VOX_TRY(vox_json_parse(&object, options, strlen(options), m->preset));
    rc = vox_opts_set_object(m->net->opts, m->cfg, object);
    json_object_put(object);
    return rc;
}

int vox_model_init(vox_model *m, const char *name)
{
    const vox_preset *preset = find_preset(name);
    const vox_net *net = find_net(preset ? preset->net : name);
    int rc;

    *m = (vox_model)VOX_MODEL_INIT;
    if (!net) {
        const char *guess = vox_suggest(name, candidate, NULL);

        return vox_fail(VOX_E_USAGE, "there is no net \"%s\"%s%s%s", name,
                        guess ? "; did you mean \"" : "", guess ? guess : "",
                        guess ? "\"?" : "");
    }
    m->net = net;
    m->preset = preset ? preset->name : net->name;
    m->arch_class_name = preset ? preset->arch_class_name : net->arch_class_name;
    m->in_channels = m->out_channels = 1;
    m->cfg = vox_zalloc(1, net->cfg_size);
    if (!m->cfg)
        return VOX_E_NOMEM;
    rc = vox_opts_defaults(net->opts, m->cfg);
    if (rc == VOX_OK && preset)
        rc = set_options(m, preset->options);
    if (rc != VOX_OK)
        vox_model_release(m);
    return rc;
}

void vox_model_release(vox_model *m)
{
    if (m->cfg)
        vox_opts_release(m->net->opts, m->cfg);
    vox_free(m->cfg);
    *m = (vox_model)VOX_MODEL_INIT;
}

vox_node *vox_net_run(const vox_model *m, vox_graph *g, vox_params *p, vox_node *x)
{
    vox_features feats = {0}, outs = {0};

    m->net->encode(m, g, p, x, &feats);
    m->net->decode(m, g, p, &feats, &outs);
    if (vox_graph_status(g) != VOX_OK)
        return &g->bad;
    return vox_features_find(&outs, "y");
}

void vox_features_add(vox_features *f, vox_graph *g, vox_node *node, const char *fmt, ...)
{
    va_list ap;

    if (f->count == VOX_FEATURES_MAX) {
        vox_graph_fail(g, VOX_E_ARG, "a net has more than %d features", VOX_FEATURES_MAX);
        return;
    }
    va_start(ap, fmt);
    vsnprintf(f->item[f->count].name, VOX_NAME, fmt, ap);
    va_end(ap);
    f->item[f->count].node = node;
    if (g->status == VOX_OK && !node->name && !vox_graph_find(g, f->item[f->count].name))
        vox_graph_name(g, node, f->item[f->count].name);
    f->count++;
}

vox_node *vox_features_find(const vox_features *f, const char *name)
{
    for (int i = 0; i < f->count; i++) {
        if (strcmp(f->item[i].name, name) == 0)
            return f->item[i].node;
    }
    return NULL;
}
