/* methods: the table of pretext tasks, and what all of them share. */
#include <string.h>

#include "base/error.h"
#include "methods/method.h"

#define VOX_METHOD(name) extern const vox_method vox_method_##name;
#include "methods/methods.def"
#undef VOX_METHOD

static const vox_method *const table[] = {
#define VOX_METHOD(name) &vox_method_##name,
#include "methods/methods.def"
#undef VOX_METHOD
};

const vox_method *vox_method_at(int i)
{
    return i >= 0 && i < VOX_COUNT(table) ? table[i] : NULL;
}

static const char *candidate(int i, void *arg)
{
    const vox_method *m = vox_method_at(i);

    (void)arg;
    return m ? m->name : NULL;
}

const vox_method *vox_method_find(const char *name)
{
    const char *guess;

    for (int i = 0; i < VOX_COUNT(table); i++) {
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    }
    guess = vox_suggest(name, candidate, NULL);
    vox_fail(VOX_E_USAGE, "there is no method \"%s\"%s%s%s", name,
             guess ? "; did you mean \"" : "", guess ? guess : "", guess ? "\"?" : "");
    return NULL;
}

vox_node *vox_pretext_input(const vox_pretext *p, const char *name, vox_dtype dtype,
                            vox_shape per_sample)
{
    vox_shape s = {.rank = per_sample.rank + 1};

    if (s.rank > VOX_MAX_RANK)
        return vox_graph_fail(p->g, VOX_E_ARG, "input \"%s\" has %d axes", name, s.rank);
    s.n[0] = p->batch;
    memcpy(s.n + 1, per_sample.n, (size_t)per_sample.rank * sizeof *s.n);
    return vox_input(p->g, name, dtype, s);
}

static const char *kind_name(vox_net_kind kind)
{
    return kind == VOX_NET_CONV ? "convolutional nets" : "nets of tokens";
}

int vox_pretext_check(const vox_pretext *p)
{
    const vox_net *net = p->net->net;
    char text[128];

    if (!(p->method->nets & 1u << net->kind))
        return vox_fail(VOX_E_USAGE, "method %s does not work on %s: %s is one of the %s",
                        p->method->name, kind_name(net->kind), p->net->preset,
                        kind_name(net->kind));
    if (p->patch.rank != 4 || p->patch.n[0] != p->net->in_channels)
        return vox_fail(VOX_E_ARG, "patch is %s, net %s wants %d channels and three axes",
                        vox_shape_text(p->patch, text), p->net->preset,
                        p->net->in_channels);
    VOX_TRY(net->check(p->net, p->patch.n + 1));
    return p->method->check ? p->method->check(p) : VOX_OK;
}
