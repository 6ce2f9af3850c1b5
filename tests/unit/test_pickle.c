/* pickle: hand-written programs do what they should, everything outside the subset is
 * refused. */
#include "support/unit.h"

#include <json-c/json_object.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/pickle.h"

/* A program without its PROTO, from a block of exactly its size. */
static int parse(vox_tree *t, const char *program, size_t n, unsigned flags)
{
    char *bytes = malloc(n + 2);
    int rc;

    memcpy(bytes, "\x80\x02", 2);
    memcpy(bytes + 2, program, n);
    rc = vox_pickle_parse(t, bytes, n + 2, "test", flags);
    free(bytes);
    return rc;
}

#define PARSE(t, program) parse(t, program, sizeof(program) - 1, 0)

#define STORAGE                                        \
    "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" \
    "0X\3\0\0\0cpuK\6tQ"
#define TENSOR(offset, size, stride)                                             \
    "ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE "K" offset size stride "\x89" \
    "ccollections\nOrderedDict\n)RtR."

static void values_are_read(void **state)
{
    vox_tree t;
    const vox_obj *l;

    (void)state;
    assert_int_equal(
        PARSE(&t, "](N\x88\x89K\xffM\xff\xffJ\xff\xff\xff\xff\x8a\0"
                  "\x8a\1\x80\x8a\6\0\0\0\0\0\1\x8a\11\xff\0\0\0\0\0\0\0\0"
                  "G\x3f\xf8\0\0\0\0\0\0X\2\0\0\0\xc3\xa4)K\1\x85K\1K\2\x86K\1K\2K\3"
                  "\x87(K\1te."),
        VOX_OK);
    l = t.root;
    assert_int_equal(l->kind, VOX_OBJ_LIST);
    assert_int_equal(l->list.count, 17);
    assert_int_equal(l->list.item[0]->kind, VOX_OBJ_NONE);
    assert_int_equal(l->list.item[1]->i, 1);
    assert_int_equal(l->list.item[2]->kind, VOX_OBJ_BOOL);
    assert_int_equal(l->list.item[3]->i, 255);
    assert_int_equal(l->list.item[4]->i, 65535);
    assert_int_equal(l->list.item[5]->i, -1);
    assert_int_equal(l->list.item[6]->i, 0);
    assert_int_equal(l->list.item[7]->i, -128);
    assert_int_equal(l->list.item[8]->i, (int64_t)1 << 40);
    assert_int_equal(l->list.item[9]->i, 255);
    assert_true(l->list.item[10]->f == 1.5);
    assert_int_equal(l->list.item[11]->str.len, 2);
    for (int i = 0; i < 4; i++)
        assert_int_equal(l->list.item[12 + i]->list.count, i);
    assert_int_equal(l->list.item[16]->kind, VOX_OBJ_TUPLE);
    vox_tree_release(&t);
}

static void dicts_in_any_form(void **state)
{
    vox_tree t;

    (void)state;
    /* one at a time, in groups, through the memo; the later of two equal keys counts */
    assert_int_equal(PARSE(&t, "}q\0X\1\0\0\0aK\1s(X\1\0\0\0bK\2u(uX\1\0\0\0aK\3s0."),
                     VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "POP"));
    assert_int_equal(PARSE(&t, "}q\0X\1\0\0\0aK\1s(X\1\0\0\0bK\2u(uX\1\0\0\0aK\3s."),
                     VOX_OK);
    assert_int_equal(vox_obj_get(t.root, "a")->i, 3);
    assert_int_equal(vox_obj_get(t.root, "b")->i, 2);
    assert_null(vox_obj_get(t.root, "c"));
    vox_tree_release(&t);
    assert_int_equal(PARSE(&t, "ccollections\nOrderedDict\n](X\1\0\0\0aK\1\x86"
                               "e\x85R"
                               "}X\11\0\0\0_metadataNsb."),
                     VOX_OK);
    assert_int_equal(t.root->kind, VOX_OBJ_DICT);
    assert_int_equal(vox_obj_get(t.root, "a")->i, 1);
    vox_tree_release(&t);
}

static void tensors_must_lie_in_their_storage(void **state)
{
    vox_tree t;
    const vox_obj_view *v;

    (void)state;
    assert_int_equal(PARSE(&t, TENSOR("\0", "K\2K\3\x86", "K\3K\1\x86")), VOX_OK);
    v = t.root->tensor;
    assert_true(vox_shape_equal(v->view.shape, VOX_SHAPE(2, 3)));
    assert_int_equal(v->storage->count, 6);
    assert_int_equal(v->storage->key, 0);
    assert_null(v->view.data);
    vox_tree_release(&t);
    assert_int_equal(PARSE(&t, TENSOR("\5", ")", ")")), VOX_OK);
    vox_tree_release(&t);
    assert_int_equal(PARSE(&t, TENSOR("\6", "K\0\x85", "K\1\x85")), VOX_OK); /* empty */
    vox_tree_release(&t);
    assert_int_equal(PARSE(&t, TENSOR("\6", ")", ")")), VOX_E_FORMAT);
    assert_int_equal(PARSE(&t, TENSOR("\1", "K\2K\3\x86", "K\3K\1\x86")), VOX_E_FORMAT);
    assert_int_equal(PARSE(&t, TENSOR("\0", "K\2\x85", "K\6\x85")), VOX_E_FORMAT);
    assert_int_equal(PARSE(&t, TENSOR("\0", "K\7\x85", "K\0\x85")), VOX_E_FORMAT);
    assert_int_equal(PARSE(&t, TENSOR("\0", "K\2\x85", "J\xff\xff\xff\xff\x85")),
                     VOX_E_FORMAT);
    assert_int_equal(PARSE(&t, TENSOR("\0", "K\2\x85", "K\1K\1\x86")), VOX_E_FORMAT);
    assert_int_equal(
        PARSE(&t, TENSOR("\0", "K\2\x85", "\x8a\10\xff\xff\xff\xff\xff\xff\xff\x7f\x85")),
        VOX_E_FORMAT);
}

static void what_is_not_data_is_refused(void **state)
{
    /* clang-format off */
    static const struct {
        const char *program;
        size_t n;
        const char *says;
    } bad[] = {
#define ROW(program, says) {program, sizeof(program) - 1, says}
        ROW("cos\nsystem\nX\2\0\0\0ls\x85R.", "global 'os.system'"),
        ROW("c__builtin__\neval\n.", "offset 2: uses global '__builtin__.eval'"),
        ROW("\x8c\2os\x8c\6system\x93.", "global 'os.system'"),
        ROW("\x8c\2os\x8c\7sys\x1b" "tem\x93.", "not a word"),
        ROW("K\1K\2\x93.", "not a word"),
        ROW("\x8d\377\377\377\377\377\377\377\377.", "within an opcode"),
        ROW("\x95\0\0\0.", "within an opcode"),
        ROW("\x94.", "stack is empty"),
        ROW("\x8f.", "EMPTY_SET"),
        ROW("\x97.", "NEXT_BUFFER"),
        ROW("I1\n.", "INT"),
        ROW("\xee.", "unknown opcode (0xee)"),
        ROW("\x80\2N.", "protocol"),
        ROW(".", "stack is empty"),
        ROW("K\1", "without STOP"),
        ROW("K", "within an opcode"),
        ROW("X\377\377\377\377a.", "within an opcode"),
        ROW("X\1\0\0\0\377.", "not UTF-8"),
        ROW("(K\1t", "without STOP"),
        ROW("K\1t.", "no mark"),
        ROW("K\1(\x85.", "stack is empty"), /* nothing below a mark can be reached */
        ROW("K\1K\2s.", "stack is empty"),
        ROW("]K\1K\2s.", "put into a list"),
        ROW("}(K\1u.", "1 items"),
        ROW("}K\1a.", "appended to a dict"),
        ROW("h\0.", "memo entry 0"),
        ROW("q\0.", "stack is empty"),
        ROW("Nr\xff\xff\xff\xff.", "memo index"),
        ROW("N)R.", "called"),
        ROW("NNR.", "wanted a tuple"),
        ROW("]Nb.", "state"),
        ROW("NQ.", "persistent id"),
        ROW("ccollections\nOrderedDict\n.", "class"),
        ROW("](ccollections\nOrderedDict\ne.", "class"),
        ROW("ctorch\nFloatStorage\n)R.", "called"),
        ROW("]q\0h\0a.", "contains itself"),
        ROW("]q\0(h\0ta.", "contains itself"),
        ROW("\x8a\x0a\0\0\0\0\0\0\0\0\0\1.", "10 bytes"),
        ROW("c\nx\n.", "global"),
        ROW("ca\x1b[2J\nx\n.", "not a word"),
        ROW("(X\7\0\0\0storagectorch\nFloatStorage\nX\4\0\0\0../aX\3\0\0\0cpuK\6tQ.", "key"),
        ROW("(X\7\0\0\0storagectorch\nFloatStorage\nX\2\0\0\0" "01X\3\0\0\0cpuK\6tQ.", "key"),
        ROW("](" STORAGE "e.", "bare storage"),
    };
    /* clang-format on */
    vox_tree t;

    (void)state;
    for (int i = 0; i < VOX_COUNT(bad); i++) {
        vox_error_clear();
        if (parse(&t, bad[i].program, bad[i].n, 0) != VOX_E_FORMAT)
            fail_msg("accepted: row %d, wanted \"%s\"", i, bad[i].says);
        if (!strstr(vox_error_text(), bad[i].says))
            fail_msg("row %d says \"%s\", wanted \"%s\"", i, vox_error_text(), bad[i].says);
    }
}

static void depth_is_bounded(void **state)
{
    char program[2048];
    vox_tree t;

    (void)state;
    for (int depth = VOX_PICKLE_DEPTH - 1; depth <= VOX_PICKLE_DEPTH; depth++) {
        size_t n = 0;

        program[n++] = 'N';
        for (int i = 0; i < depth; i++)
            program[n++] = '\x85';
        program[n++] = '.';
        assert_int_equal(parse(&t, program, n, 0),
                         depth < VOX_PICKLE_DEPTH ? VOX_OK : VOX_E_FORMAT);
        if (depth < VOX_PICKLE_DEPTH)
            vox_tree_release(&t);
    }
    { /* a tower of shared pairs: 2^150 leaves, 151 objects */
        size_t n = 0;

        program[n++] = ')';
        for (int i = 0; i < 150; i++) {
            memcpy(program + n, "q\0h\0\x86", 5);
            n += 5;
        }
        program[n++] = '.';
        assert_int_equal(parse(&t, program, n, 0), VOX_OK);
        vox_tree_release(&t);
    }
}

static void unknown_objects_can_be_skipped(void **state)
{
    static const char program[] =
        "}X\1\0\0\0acmy\nTrainer\n)\x81}X\1\0\0\0xK\1sbsX\1\0\0\0bK\2s.";
    vox_tree t;

    (void)state;
    assert_int_equal(parse(&t, program, sizeof program - 1, 0), VOX_E_FORMAT);
    assert_int_equal(parse(&t, program, sizeof program - 1, VOX_PICKLE_SKIP_UNKNOWN),
                     VOX_OK);
    assert_int_equal(vox_obj_get(t.root, "a")->kind, VOX_OBJ_OPAQUE);
    assert_string_equal(vox_obj_get(t.root, "a")->str.text, "my.Trainer");
    assert_int_equal(vox_obj_get(t.root, "b")->i, 2);
    vox_tree_release(&t);
}

static void a_cut_program_is_an_error(void **state)
{
    static const char program[] = "}(X\1\0\0\0a" TENSOR("\0", "K\2K\3\x86", "K\3K\1\x86");
    vox_tree t;

    (void)state;
    for (size_t n = 0; n + 2 < sizeof program; n++)
        assert_int_equal(parse(&t, program, n, 0), VOX_E_FORMAT);
}

static void values_are_written_and_read(void **state)
{
    static const int64_t ints[] = {
        0,         255,       256,          65535,         65536,
        -1,        -128,      -129,         INT32_MAX,     INT32_MIN,
        INT64_MAX, INT64_MIN, 2147483648LL, -2147483649LL, 1LL << 55};
    vox_tree t = VOX_TREE_INIT, back;
    vox_buf b = VOX_BUF_INIT;
    vox_storages s = VOX_STORAGES_INIT;
    const vox_obj *l;
    vox_obj *d;

    (void)state;
    t.root = vox_obj_dict(&t);
    d = vox_obj_list(&t);
    for (int i = 0; i < VOX_COUNT(ints); i++)
        vox_obj_append(&t, d, vox_obj_int(&t, ints[i]));
    vox_obj_set(&t, t.root, "ints", d);
    vox_obj_set(&t, t.root, "bytes", vox_obj_text(&t, VOX_OBJ_BYTES, "\0\x7f\x80\xff", 4));
    vox_obj_set(&t, t.root, "device", vox_obj_device(&t, "cuda:0"));
    vox_obj_set(&t, t.root, "dtype", vox_obj_text(&t, VOX_OBJ_DTYPE, "torch.float16", 13));
    vox_obj_set_obj(&t, t.root, vox_obj_int(&t, 7), vox_obj_float(&t, -0.1));
    assert_int_equal(vox_pickle_write(&b, &s, &t), VOX_OK);
    assert_int_equal(vox_pickle_parse(&back, b.data, b.len, "back", 0), VOX_OK);
    l = vox_obj_get(back.root, "ints");
    for (int i = 0; i < VOX_COUNT(ints); i++)
        assert_int_equal(l->list.item[i]->i, ints[i]);
    assert_int_equal(vox_obj_get(back.root, "bytes")->str.len, 4);
    assert_memory_equal(vox_obj_get(back.root, "bytes")->str.text, "\0\x7f\x80\xff", 4);
    assert_string_equal(vox_obj_get(back.root, "device")->str.text, "cuda:0");
    assert_int_equal(vox_obj_get(back.root, "dtype")->kind, VOX_OBJ_DTYPE);
    assert_true(vox_obj_get_int(back.root, 7)->f == -0.1);
    vox_tree_release(&back);
    vox_buf_release(&b);
    vox_obj_set(&t, t.root, "bad", vox_obj_str(&t, "\xff"));
    assert_int_equal(vox_pickle_write(&b, &s, &t), VOX_E_ARG);
    vox_buf_release(&b);
    vox_storages_release(&s);
    vox_tree_release(&t);
}

static void messages_name_key_found_and_wanted(void **state)
{
    vox_tree t = VOX_TREE_INIT;
    vox_obj *d;
    int64_t i;
    double f;
    const char *s;

    (void)state;
    t.root = vox_obj_dict(&t);
    vox_obj_set(&t, t.root, "epoch", vox_obj_int(&t, 3));
    vox_obj_set(&t, t.root, "name", vox_obj_str(&t, "x"));
    assert_int_equal(vox_obj_need_int(&i, t.root, "epoch", "f.pth"), VOX_OK);
    assert_int_equal(i, 3);
    assert_int_equal(vox_obj_need_float(&f, t.root, "epoch", "f.pth"), VOX_OK);
    assert_int_equal(vox_obj_need_str(&s, t.root, "name", "f.pth"), VOX_OK);
    assert_int_equal(vox_obj_need_dict(&d, t.root, "name", "f.pth"), VOX_E_FORMAT);
    assert_string_equal(vox_error_text(), "f.pth: \"name\" is a str, wanted a dict");
    assert_int_equal(vox_obj_need_dict(&d, t.root, "logging", "f.pth"), VOX_E_MISSING);
    assert_string_equal(vox_error_text(), "f.pth: no key \"logging\"");
    vox_tree_release(&t);
}

static void json_both_ways(void **state)
{
    static const char text[] =
        "{\"a\": [1, 1.5, null, true], \"b\": {\"c\": \"\xc3\xa4\"}}";
    json_object *in, *out;
    vox_tree t = VOX_TREE_INIT;

    (void)state;
    assert_int_equal(vox_json_parse(&in, text, strlen(text), "test"), VOX_OK);
    t.root = vox_obj_from_json(&t, in);
    assert_int_equal(vox_tree_status(&t), VOX_OK);
    assert_int_equal(vox_obj_get(t.root, "a")->list.item[0]->kind, VOX_OBJ_INT);
    assert_int_equal(vox_obj_get(t.root, "a")->list.item[1]->kind, VOX_OBJ_FLOAT);
    assert_int_equal(vox_obj_to_json(&out, t.root), VOX_OK);
    assert_true(json_object_equal(in, out));
    json_object_put(out);
    vox_obj_set(&t, t.root, "bytes", vox_obj_text(&t, VOX_OBJ_BYTES, "x", 1));
    assert_int_equal(vox_obj_to_json(&out, t.root), VOX_E_ARG);
    json_object_put(in);
    vox_tree_release(&t);
}

/* Lists that hold the one before twice: small in a file, 2^64 values as JSON. */
static void shared_parts_do_not_explode(void **state)
{
    static const char head[] = "\x80\x02]q\0", twice[] = "]q\1(h\0h\0e";
    char b[sizeof head + 64 * sizeof twice];
    size_t n = sizeof head - 1;
    json_object *out = NULL;
    vox_tree t;

    (void)state;
    memcpy(b, head, n);
    for (int i = 0; i < 64; i++) {
        memcpy(b + n, twice, sizeof twice - 1);
        b[n + 2] = (char)(i + 1);
        b[n + 5] = b[n + 7] = (char)i;
        n += sizeof twice - 1;
    }
    b[n++] = '.';
    assert_int_equal(vox_pickle_parse(&t, b, n, "bomb", 0), VOX_OK);
    assert_int_equal(vox_obj_to_json(&out, t.root), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "more than 1048576 values"));
    vox_tree_release(&t);
}

/* The n-th allocation fails, for every n: an error, never a crash or a leak. */
static void every_allocation_may_fail(void **state)
{
    int64_t n = 1;
    int rc;

    (void)state;
    do {
        vox_tree t;

        vox_mem_fail_at(n++);
        rc = PARSE(&t, TENSOR("\0", "K\2K\3\x86", "K\3K\1\x86"));
        vox_mem_fail_at(0);
        if (rc == VOX_OK)
            vox_tree_release(&t);
        else
            assert_int_equal(rc, VOX_E_NOMEM);
        assert_int_equal(vox_mem_blocks(), 0);
    } while (rc != VOX_OK);
    assert_true(n > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(dicts_in_any_form),
        cmocka_unit_test(tensors_must_lie_in_their_storage),
        cmocka_unit_test(what_is_not_data_is_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(unknown_objects_can_be_skipped),
        cmocka_unit_test(a_cut_program_is_an_error),
        cmocka_unit_test(values_are_written_and_read),
        cmocka_unit_test(messages_name_key_found_and_wanted),
        cmocka_unit_test(json_both_ways),
        cmocka_unit_test(shared_parts_do_not_explode),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
