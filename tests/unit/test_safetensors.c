/* safetensors: what is written is read back; every broken rule of the format is an error.
 */
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "io/safetensors.h"

/* Parse a header and `data` bytes of data, from a block of exactly that size. */
static int parse_text(const char *header, size_t data)
{
    const size_t n = strlen(header), len = 8 + n + data;
    unsigned char *bytes = calloc(1, len);
    vox_tensors ts;
    int rc;

    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)n >> 8 * i);
    memcpy(bytes + 8, header, n);
    rc = vox_safetensors_parse(&ts, bytes, len, "test");
    if (rc == VOX_OK)
        vox_tensors_release(&ts);
    free(bytes);
    return rc;
}

#define F32(name, shape, begin, end)                                                       \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" begin "," end \
    "]}"

static void right_headers_pass(void **state)
{
    (void)state;
    assert_int_equal(parse_text("{}", 0), VOX_OK);
    assert_int_equal(parse_text("{}      ", 0), VOX_OK);
    assert_int_equal(parse_text("{" F32("a", "[2]", "0", "8") "}", 8), VOX_OK);
    assert_int_equal(parse_text("{" F32("a", "[]", "0", "4") "}", 4), VOX_OK);
    assert_int_equal(parse_text("{" F32("a", "[0,7]", "0", "0") "}", 0), VOX_OK);
    assert_int_equal(
        parse_text("{" F32("b", "[1]", "4", "8") " , " F32("a", "[1]", "0", "4") "}", 8),
        VOX_OK);
    assert_int_equal(
        parse_text(
            "{\"__metadata__\":{},\n" F32("\\u00e4\\ud83d\\ude00", "[1]", "0", "4") "}", 4),
        VOX_OK);
}

static void broken_rules_are_errors(void **state)
{
    /* clang-format off */
    static const struct {
        const char *header;
        size_t data;
    } bad[] = {
        {"", 0},
        {" {}", 0},
        {"[]", 0},
        {"{}x", 0},
        {"{", 0},
        {"{}", 1},                                                          /* data of nobody */
        {"{" F32("a", "[2]", "0", "8") "}", 7},                             /* cut */
        {"{" F32("a", "[2]", "0", "8") "}", 9},                             /* too long */
        {"{" F32("a", "[2]", "0", "4") "}", 4},                             /* size */
        {"{" F32("a", "[2]", "8", "0") "}", 8},                             /* backwards */
        {"{" F32("a", "[1]", "4", "8") "}", 8},                             /* hole in front */
        {"{" F32("a", "[1]", "0", "4") "," F32("b", "[1]", "8", "12") "}", 12}, /* hole */
        {"{" F32("a", "[1]", "0", "4") "," F32("b", "[1]", "0", "4") "}", 4},   /* overlap */
        {"{" F32("a", "[2]", "0", "8") "," F32("b", "[1]", "4", "8") "}", 8},
        {"{" F32("a", "[1]", "0", "4") "," F32("a", "[1]", "4", "8") "}", 8}, /* name twice */
        {"{" F32("a", "[1]", "0", "4") ",}", 4},
        {"{" F32("a", "[-1]", "0", "4") "}", 4},
        {"{" F32("a", "[1.0]", "0", "4") "}", 4},
        {"{" F32("a", "[01]", "0", "4") "}", 4},
        {"{" F32("a", "[4611686018427387904,4]", "0", "0") "}", 0},
        {"{" F32("a", "[99999999999999999999]", "0", "4") "}", 4},
        {"{" F32("a", "[1,1,1,1,1,1,1]", "0", "4") "}", 4},
        {"{\"a\":{\"dtype\":\"C64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 0},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0],\"x\":1}}", 0},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0]}}", 0},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0,0]}}", 0},
        {"{\"__metadata__\":{\"k\":1}}", 0},
        {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0},
        {"{" F32("\\u0000", "[0]", "0", "0") "}", 0},
        {"{" F32("\\ud800", "[0]", "0", "0") "}", 0},
        {"{" F32("\xff", "[0]", "0", "0") "}", 0},
        {"{" F32("\\q", "[0]", "0", "0") "}", 0},
    };
    /* clang-format on */

    (void)state;
    for (int i = 0; i < VOX_COUNT(bad); i++) {
        vox_error_clear();
        if (parse_text(bad[i].header, bad[i].data) != VOX_E_FORMAT)
            fail_msg("accepted: %s", bad[i].header);
        assert_non_null(strstr(vox_error_text(), "test"));
    }
}

/* One tensor of every type, names that need escapes, metadata that is JSON. */
static void fill(vox_tensors *ts)
{
    static const vox_dtype types[] = {VOX_U8,  VOX_F32, VOX_I64, VOX_F64,  VOX_F16,
                                      VOX_I32, VOX_I16, VOX_I8,  VOX_BOOL, VOX_BF16};
    char name[32];

    for (int i = 0; i < VOX_COUNT(types); i++) {
        unsigned char *p;

        snprintf(name, sizeof name, "t\"\\\n\xc3\xa4%d", i);
        p = vox_tensors_new(ts, name, types[i], VOX_SHAPE(i % 3, 5, 3));
        assert_non_null(p);
        for (size_t k = 0; k < (size_t)(i % 3) * 15 * vox_dtype_size(types[i]); k++)
            p[k] = (unsigned char)(k * 7 + i);
    }
    assert_non_null(vox_tensors_new(ts, "scalar", VOX_F32, (vox_shape){0}));
    assert_int_equal(vox_tensors_set_meta(ts, "format", "pt"), VOX_OK);
    assert_int_equal(vox_tensors_set_meta(ts, "plan", "{\"a\": [1, \"x\\n\"]}"), VOX_OK);
}

static void what_is_written_is_read_back(void **state)
{
    vox_tensors ts = VOX_TENSORS_INIT, back;

    (void)state;
    fill(&ts);
    assert_int_equal(vox_safetensors_write("round.safetensors", &ts), VOX_OK);
    assert_int_equal(vox_safetensors_read(&back, "round.safetensors"), VOX_OK);
    assert_int_equal(back.count, ts.count);
    for (int64_t i = 0; i < ts.count; i++) {
        const vox_view *a = &ts.item[i], *b;
        const size_t size = vox_dtype_size(a->dtype);

        assert_int_equal(vox_tensors_need(&b, &back, a->name, a->dtype, a->shape), VOX_OK);
        assert_int_equal((uintptr_t)b->data % size, 0); /* our files are aligned */
        assert_memory_equal(a->data, b->data, (size_t)vox_shape_count(a->shape) * size);
    }
    assert_int_equal(back.n_meta, 2);
    assert_string_equal(vox_tensors_meta(&back, "plan"), "{\"a\": [1, \"x\\n\"]}");
    vox_tensors_release(&back);
    vox_tensors_release(&ts);
}

static void views_are_written_packed(void **state)
{
    const uint8_t block[6] = {0, 1, 2, 3, 4, 5}, want[6] = {0, 3, 1, 4, 2, 5};
    vox_tensors ts = VOX_TENSORS_INIT, back;

    (void)state;
    assert_int_equal(vox_tensors_add(&ts, "t", VOX_U8, VOX_SHAPE(3, 2), block), VOX_OK);
    ts.item[0].stride[0] = 1;
    ts.item[0].stride[1] = 3;
    assert_int_equal(vox_safetensors_write("view.safetensors", &ts), VOX_OK);
    assert_int_equal(vox_safetensors_read(&back, "view.safetensors"), VOX_OK);
    assert_memory_equal(back.item[0].data, want, 6);
    vox_tensors_release(&back);
    vox_tensors_release(&ts);
}

static void a_cut_file_is_an_error_at_every_byte(void **state)
{
    vox_tensors ts = VOX_TENSORS_INIT, back;
    vox_buf file = VOX_BUF_INIT;

    (void)state;
    fill(&ts);
    assert_int_equal(vox_safetensors_write("cut.safetensors", &ts), VOX_OK);
    vox_tensors_release(&ts);
    assert_int_equal(vox_file_read(&file, "cut.safetensors"), VOX_OK);
    for (size_t n = 0; n < file.len; n++) {
        char *part = malloc(n ? n : 1);

        memcpy(part, file.data, n);
        assert_int_equal(vox_safetensors_parse(&back, part, n, "cut"), VOX_E_FORMAT);
        free(part);
    }
    vox_buf_release(&file);
}

static void writing_refuses_what_cannot_be_read(void **state)
{
    vox_tensors ts = VOX_TENSORS_INIT;

    (void)state;
    assert_non_null(vox_tensors_new(&ts, "\xff", VOX_F32, VOX_SHAPE(1)));
    assert_int_equal(vox_safetensors_write("bad.safetensors", &ts), VOX_E_ARG);
    vox_tensors_release(&ts);
    assert_non_null(vox_tensors_new(&ts, "__metadata__", VOX_F32, VOX_SHAPE(1)));
    assert_int_equal(vox_safetensors_write("bad.safetensors", &ts), VOX_E_ARG);
    vox_tensors_release(&ts);
    assert_false(vox_file_exists("bad.safetensors"));
    assert_int_equal(vox_safetensors_write("no/such/folder.safetensors", &ts), VOX_E_IO);
    assert_int_equal(vox_safetensors_read(&ts, "missing.safetensors"), VOX_E_MISSING);
    assert_int_equal(vox_mem_blocks(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_headers_pass),
        cmocka_unit_test(broken_rules_are_errors),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(views_are_written_packed),
        cmocka_unit_test(a_cut_file_is_an_error_at_every_byte),
        cmocka_unit_test(writing_refuses_what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
