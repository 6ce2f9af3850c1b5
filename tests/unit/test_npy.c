/* npy: headers in all spellings, both orders, and a refusal of everything else. */
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "io/npy.h"

/* An .npy of version `major` with this header and `data` zero bytes. */
static int parse_text(vox_view *out, int major, const char *header, size_t data)
{
    const size_t n = strlen(header), at = major == 1 ? 10 : 12, len = at + n + data;
    unsigned char *bytes = calloc(1, len);
    int rc;

    memcpy(bytes, "\x93NUMPY", 6);
    bytes[6] = (unsigned char)major;
    bytes[8] = (unsigned char)n;
    memcpy(bytes + at, header, n);
    rc = vox_npy_parse(out, bytes, len, "test");
    free(bytes);
    return rc;
}

static void headers_are_read(void **state)
{
    vox_view t;

    (void)state;
    assert_int_equal(
        parse_text(&t, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }  \n",
                   24),
        VOX_OK);
    assert_int_equal(t.dtype, VOX_F32);
    assert_true(vox_shape_equal(t.shape, VOX_SHAPE(2, 3)));
    assert_int_equal(t.stride[0], 3);
    assert_int_equal(
        parse_text(&t, 2, "{\"shape\": (2,3), \"descr\":\"|u1\",\"fortran_order\":True}",
                   6),
        VOX_OK);
    assert_int_equal(t.dtype, VOX_U8);
    assert_int_equal(t.stride[0], 1);
    assert_int_equal(t.stride[1], 2);
    assert_int_equal(
        parse_text(&t, 3, "{'descr': '<i8', 'fortran_order': False, 'shape': (), }\n", 8),
        VOX_OK);
    assert_int_equal(t.shape.rank, 0);
    assert_int_equal(
        parse_text(&t, 1, "{'descr': '<f8', 'fortran_order': True, 'shape': (5,), }\n", 40),
        VOX_OK);
    assert_int_equal(
        parse_text(&t, 1, "{'descr': '<f8', 'fortran_order': True, 'shape': (0, 4), }\n",
                   0),
        VOX_OK);
}

static void other_headers_are_refused(void **state)
{
    static const struct {
        int major;
        const char *header;
        size_t data;
    } bad[] = {
        {4, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",                     4},
        {1, "{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}",                     4},
        {1, "{'descr': '|f4', 'fortran_order': False, 'shape': (1,)}",                     4},
        {1, "{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}",                     8},
        {1, "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",                      8},
        {1, "{'descr': '', 'fortran_order': False, 'shape': (1,)}",                        8},
        {1, "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}",            4},
        {1, "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",                         4},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1)",                       4},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",                    4},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x",                   4},
        {1, "{'descr': '<f4', 'fortran_order': False}",                                    4},
        {1, "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",     4},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",                     4},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",                     5},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1)}",          4},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}",
         0                                                                                  },
        {1, "{'descr': '<f4', 'more': 1}",                                                 4},
        {1, "",                                                                            4},
    };
    vox_view t;

    (void)state;
    for (int i = 0; i < VOX_COUNT(bad); i++) {
        if (parse_text(&t, bad[i].major, bad[i].header, bad[i].data) != VOX_E_FORMAT)
            fail_msg("accepted: %s", bad[i].header);
    }
}

static void what_is_written_is_read_back(void **state)
{
    const int16_t v[6] = {-3, 2, 1, 0, 30000, 5}, want[6] = {-3, 0, 2, 30000, 1, 5};
    int16_t got[6];
    vox_view t = vox_view_of(VOX_I16, VOX_SHAPE(3, 2), v);
    vox_npy npy = VOX_NPY_INIT;
    vox_buf file = VOX_BUF_INIT;

    (void)state;
    t.stride[0] = 1;
    t.stride[1] = 3;
    assert_int_equal(vox_npy_write("a.npy", &t), VOX_OK);
    assert_int_equal(vox_npy_open(&npy, "a.npy"), VOX_OK);
    assert_true(vox_shape_equal(npy.tensor.shape, VOX_SHAPE(3, 2)));
    vox_view_pack(got, &npy.tensor);
    assert_memory_equal(got, want, sizeof want);
    vox_npy_close(&npy);

    assert_int_equal(vox_file_read(&file, "a.npy"), VOX_OK);
    assert_int_equal((file.len - sizeof v) % 64, 0);
    for (size_t n = 0; n < file.len; n++) {
        char *part = malloc(n ? n : 1);

        memcpy(part, file.data, n);
        assert_int_equal(vox_npy_parse(&t, part, n, "cut"), VOX_E_FORMAT);
        free(part);
    }
    vox_buf_release(&file);
    assert_int_equal(vox_npy_open(&npy, "missing.npy"), VOX_E_MISSING);
    t = vox_view_of(VOX_BF16, VOX_SHAPE(1), v);
    assert_int_equal(vox_npy_write("b.npy", &t), VOX_E_ARG);
    assert_false(vox_file_exists("b.npy"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_read),
        cmocka_unit_test(other_headers_are_refused),
        cmocka_unit_test(what_is_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
