/*
 * linear: y[n, t, o] = residual[n, t, o] + keep[n] scale[o] (b[o] + sum over k of
 * x[n, t, k] w[o, k]).
 *
 *   in    x  [N, T, K]
 *         w  [O, K]
 *         b  [O], optional
 *         scale     [O], optional: 1
 *         residual  [N, T, O], optional: 0
 *         keep      [N], optional, an input: 1
 *   out   y  [N, T, O]
 *
 * So the end of a transformer's branch (projection, LayerScale, drop path, sum) is one pass
 * over y. Backward needs neither y nor the sums: with G = sum over t of keep dy x the
 * gradient of scale[o] is the sum over k of w[o, k] G[o, k], and b[o] times that of keep dy.
 *
 * Source: networks.md 6.3. Reference behaviour: torch.nn.functional.linear.
 */
#include "ops/linear.h"

#include "graph/problem.h"

static const vox_opt opts[] = {
    VOX_OPT_INT(vox_linear_attr, out, 8, 1, 1 << 20, "output channels"),
    VOX_OPT_END,
};

/* A call in short. */
typedef struct geom {
    int64_t samples, tokens, k, o; /* tokens per sample */
    const float *x, *w, *b, *scale, *residual, *keep;
} geom;

static geom geom_of(const vox_call *c)
{
    const vox_shape x = c->in[VOX_LINEAR_X].shape;
    const vox_linear_attr *attr = c->attr;

    return (geom){.samples = x.n[0],
                  .tokens = x.n[1],
                  .k = x.n[2],
                  .o = attr->out,
                  .x = vox_call_in(c, VOX_LINEAR_X),
                  .w = vox_call_in(c, VOX_LINEAR_W),
                  .b = vox_call_in(c, VOX_LINEAR_B),
                  .scale = vox_call_in(c, VOX_LINEAR_SCALE),
                  .residual = vox_call_in(c, VOX_LINEAR_RESIDUAL),
                  .keep = vox_call_in(c, VOX_LINEAR_KEEP)};
}

static double or_one(const float *v, int64_t i)
{
    return v ? (double)v[i] : 1.0;
}

/* b[o] + sum over k, of token t of all. */
static double sum_of(const geom *g, int64_t t, int64_t o)
{
    double sum = g->b ? (double)g->b[o] : 0.0;

    for (int64_t k = 0; k < g->k; k++)
        sum += (double)g->x[t * g->k + k] * (double)g->w[o * g->k + k];
    return sum;
}

static void forward(const vox_call *c)
{
    const geom g = geom_of(c);
    float *y = vox_call_out(c, 0);

    VOX_SHARE(t, g.samples * g.tokens) {
        for (int64_t o = 0; o < g.o; o++) {
            const double factor = or_one(g.keep, t / g.tokens) * or_one(g.scale, o);
            const double add = g.residual ? (double)g.residual[t * g.o + o] : 0.0;

            y[t * g.o + o] = (float)(add + factor * sum_of(&g, t, o));
        }
    }
}

static void backward_data(const geom *g, const float *dy, vox_grad dx)
{
    if (dx.put == VOX_SKIP)
        return;
    VOX_SHARE(t, g->samples * g->tokens) {
        const double keep = or_one(g->keep, t / g->tokens);

        for (int64_t k = 0; k < g->k; k++) {
            double sum = 0.0;

            for (int64_t o = 0; o < g->o; o++)
                sum += (double)dy[t * g->o + o] * or_one(g->scale, o) *
                       (double)g->w[o * g->k + k];
            vox_grad_put(dx, t * g->k + k, (float)(keep * sum));
        }
    }
}

/* Sum over the tokens of keep dy[o] times x[k], or times 1 for k < 0. */
static double sum_tokens(const geom *g, const float *dy, int64_t o, int64_t k)
{
    double sum = 0.0;

    for (int64_t t = 0; t < g->samples * g->tokens; t++)
        sum += or_one(g->keep, t / g->tokens) * (double)dy[t * g->o + o] *
               (k < 0 ? 1.0 : (double)g->x[t * g->k + k]);
    return sum;
}

static void backward_params(const geom *g, const float *dy, vox_grad dw, vox_grad db,
                            vox_grad dscale)
{
    VOX_SHARE(o, g->o) {
        const double scale = or_one(g->scale, o), all = sum_tokens(g, dy, o, -1);
        double product = g->b ? (double)g->b[o] * all : 0.0;

        for (int64_t k = 0; k < g->k; k++) {
            const double sum = sum_tokens(g, dy, o, k);

            product += (double)g->w[o * g->k + k] * sum;
            if (dw.put != VOX_SKIP)
                vox_grad_put(dw, o * g->k + k, (float)(scale * sum));
        }
        if (db.put != VOX_SKIP)
            vox_grad_put(db, o, (float)(scale * all));
        if (dscale.put != VOX_SKIP)
            vox_grad_put(dscale, o, (float)product);
    }
}

static void backward(const vox_call *c)
{
    const geom g = geom_of(c);
    const float *dy = vox_call_dout(c, 0);
    const vox_grad dr = vox_call_din(c, VOX_LINEAR_RESIDUAL);
    const vox_grad dw = vox_call_din(c, VOX_LINEAR_W), db = vox_call_din(c, VOX_LINEAR_B);
    const vox_grad dscale = vox_call_din(c, VOX_LINEAR_SCALE);

    backward_data(&g, dy, vox_call_din(c, VOX_LINEAR_X));
    if (dw.put != VOX_SKIP || db.put != VOX_SKIP || dscale.put != VOX_SKIP)
        backward_params(&g, dy, dw, db, dscale);
    if (dr.put == VOX_SKIP)
        return;
    vox_barrier(); /* x may be the residual, whose gradient is then added */
    VOX_SHARE(t, g.samples * g.tokens) {
        for (int64_t i = t * g.o; i < (t + 1) * g.o; i++)
            vox_grad_put(dr, i, dy[i]);
    }
}

static int want(const vox_infer *io, int i, vox_shape shape)
{
    char found[128], wanted[128];

    if (i >= io->n_in || !io->in[i])
        return VOX_OK;
    VOX_TRY(vox_infer_want(io, i, VOX_F32, shape.rank));
    return vox_shape_equal(io->in[i]->shape, shape)
               ? VOX_OK
               : vox_infer_fail(io, "operand %d is %s, wanted %s", i,
                                vox_shape_text(io->in[i]->shape, found),
                                vox_shape_text(shape, wanted));
}

static int infer(vox_infer *io)
{
    const vox_linear_attr *attr = io->attr;
    vox_shape *y = &io->out[0].shape;
    int64_t k;

    VOX_TRY(vox_infer_want(io, VOX_LINEAR_X, VOX_F32, 3));
    VOX_TRY(vox_infer_want(io, VOX_LINEAR_W, VOX_F32, 2));
    *y = io->in[VOX_LINEAR_X]->shape;
    k = y->n[2];
    y->n[2] = attr->out;
    VOX_TRY(want(io, VOX_LINEAR_W, VOX_SHAPE(attr->out, k)));
    VOX_TRY(want(io, VOX_LINEAR_B, VOX_SHAPE(attr->out)));
    VOX_TRY(want(io, VOX_LINEAR_SCALE, VOX_SHAPE(attr->out)));
    VOX_TRY(want(io, VOX_LINEAR_RESIDUAL, *y));
    return want(io, VOX_LINEAR_KEEP, VOX_SHAPE(y->n[0]));
}

static int operands(vox_value in[VOX_MAX_IN], int64_t limit[VOX_MAX_IN], const void *attr_)
{
    const vox_linear_attr *attr = attr_;
    const vox_shape x = in[VOX_LINEAR_X].shape;

    (void)limit;
    vox_operand_fill(&in[VOX_LINEAR_W], VOX_F32, VOX_ROLE_PARAM,
                     VOX_SHAPE(attr->out, x.n[2]));
    vox_operand_fill(&in[VOX_LINEAR_B], VOX_F32, VOX_ROLE_PARAM, VOX_SHAPE(attr->out));
    vox_operand_fill(&in[VOX_LINEAR_SCALE], VOX_F32, VOX_ROLE_PARAM, VOX_SHAPE(attr->out));
    vox_operand_fill(&in[VOX_LINEAR_RESIDUAL], VOX_F32, VOX_ROLE_ACTIVATION,
                     VOX_SHAPE(x.n[0], x.n[1], attr->out));
    vox_operand_fill(&in[VOX_LINEAR_KEEP], VOX_F32, VOX_ROLE_INPUT, VOX_SHAPE(x.n[0]));
    return VOX_OK;
}

static double flops(const vox_infer *io)
{
    return 2.0 * (double)vox_shape_count(io->out[0].shape) *
           (double)io->in[VOX_LINEAR_X]->shape.n[2];
}

static const char *const problems[] = {"1x13x17 out=33 in=0,1,2",
                                       "2x5x8 out=16",
                                       "2x7x24 out=9 in=0,1,2,3,4,5",
                                       "3x4x31 out=40 in=0,1,3,4",
                                       "2x9x12 out=12 in=0,1,2,4",
                                       "3x1x5 out=1 in=0,1,2,5",
                                       "1x1x1 out=1 in=0,1,2",
                                       "1x200x96 out=64 in=0,1,2,3,4",
                                       "1x12x1300 out=72 in=0,1,2",
                                       "1x40x30 out=600 in=0,1,2,3",
                                       NULL};

const vox_op vox_op_linear = {
    .name = "linear",
    .summary = "linear layer of tokens, with scale, residual and drop path",
    .n_in_min = 2,
    .n_in_max = VOX_LINEAR_N,
    .n_out = 1,
    .attr_size = sizeof(vox_linear_attr),
    .opts = opts,
    .backward_reads = VOX_IN(VOX_LINEAR_X) | VOX_IN(VOX_LINEAR_W) | VOX_IN(VOX_LINEAR_B) |
                      VOX_IN(VOX_LINEAR_SCALE) | VOX_IN(VOX_LINEAR_KEEP),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .operands = operands,
    .problems = problems,
    .flops = flops,
};

vox_node *vox_linear_branch(vox_graph *g, vox_node *x, vox_node *w, vox_node *b,
                            vox_node *scale, vox_node *residual, vox_node *keep)
{
    const vox_linear_attr attr = {(int)vox_node_shape(w).n[0]};

    return vox_graph_add(g, &vox_op_linear, &attr, VOX_LINEAR_N,
                         (vox_node *const[]){x, w, b, scale, residual, keep});
}

vox_node *vox_linear(vox_graph *g, vox_node *x, vox_node *w, vox_node *b)
{
    return vox_linear_branch(g, x, w, b, NULL, NULL, NULL);
}
