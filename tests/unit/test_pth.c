/* pth: checkpoints are read back with their aliases; a failed write leaves the old file;
 * damage is an error. */
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "io/pth.h"

enum { BIG = 3000000 };

/* Element i is i; counts the pieces; the piece behind `fail_at` fails. */
typedef struct source {
    int pieces;
    int64_t next, fail_at;
} source;

static int fetch(void *arg, int64_t first, int64_t count, void *dst)
{
    source *s = arg;
    float *d = dst;

    assert_int_equal(first, s->next);
    if (s->fail_at && first + count > s->fail_at)
        return vox_fail(VOX_E_NUMERIC, "the device is gone");
    for (int64_t i = 0; i < count; i++)
        d[i] = (float)(first + i);
    s->next += count;
    s->pieces++;
    return VOX_OK;
}

static const float small[6] = {1, 2, 3, 4, 5, 6};

/* Two aliases, a view into the same storage, a fetched tensor when there is a source. */
static void build(vox_tree *t, source *src)
{
    vox_obj *w = vox_obj_dict(t);
    vox_storage *s = vox_storage_new(t, VOX_F32, 6, small);

    vox_obj_set(t, w, "conv.weight", vox_obj_tensor(t, s, 0, VOX_SHAPE(2, 3)));
    vox_obj_set(t, w, "all_modules.0.weight", vox_obj_get(w, "conv.weight"));
    vox_obj_set(t, w, "bias", vox_obj_tensor(t, s, 2, VOX_SHAPE(4)));
    vox_obj_set(t, w, "empty", vox_obj_tensor(t, s, 6, VOX_SHAPE(0, 5)));
    if (src) {
        s = vox_storage_fetched(t, VOX_F32, BIG, fetch, src);
        vox_obj_set(t, w, "big", vox_obj_tensor(t, s, 0, VOX_SHAPE(3, 1000, 1000)));
    }
    t->root = vox_obj_dict(t);
    vox_obj_set(t, t->root, "network_weights", w);
    vox_obj_set(t, t->root, "current_epoch", vox_obj_int(t, 5));
    assert_int_equal(vox_tree_status(t), VOX_OK);
}

static void what_is_written_is_read_back(void **state)
{
    source src = {0};
    vox_tree t = VOX_TREE_INIT;
    vox_obj *w;
    const vox_view *v;
    vox_tensors ts;
    vox_pth p;
    int64_t epoch;
    float got[6];

    (void)state;
    build(&t, &src);
    assert_int_equal(vox_pth_write("round.pth", &t), VOX_OK);
    assert_true(src.pieces > 1);
    assert_int_equal(src.next, BIG);
    vox_tree_release(&t);
    assert_int_equal(vox_pth_read(&p, "round.pth", 0), VOX_OK);
    assert_string_equal(p.zip.entry[0].name, "round/data.pkl");
    assert_int_equal(p.zip.count, 5); /* three tensors over one storage are written once */
    assert_int_equal(vox_obj_need_int(&epoch, p.tree.root, "current_epoch", "x"), VOX_OK);
    assert_int_equal(epoch, 5);
    assert_int_equal(vox_obj_need_dict(&w, p.tree.root, "network_weights", "x"), VOX_OK);
    assert_int_equal(vox_obj_tensors(&ts, w, "weights"), VOX_OK);
    assert_int_equal(ts.count, 5);
    assert_int_equal(ts.item[0].alias, -1);
    assert_int_equal(ts.item[1].alias, 0);
    assert_int_equal(ts.item[2].alias, -1);
    assert_ptr_equal(ts.item[0].data, ts.item[1].data);
    assert_int_equal((uintptr_t)ts.item[0].data % 64, 0);
    assert_memory_equal(ts.item[0].data, small, sizeof small);
    vox_view_f32(got, &ts.item[2]);
    assert_memory_equal(got, small + 2, 4 * sizeof *got);
    assert_int_equal(vox_obj_need_tensor(&v, w, "big", "x"), VOX_OK);
    for (int64_t i = 0; i < BIG; i++)
        assert_true(((const float *)v->data)[i] == (float)i);
    vox_tensors_release(&ts);
    vox_pth_release(&p);
}

static void a_failed_write_leaves_the_old_file(void **state)
{
    source src = {.fail_at = 2000000};
    vox_tree t = VOX_TREE_INIT;
    vox_buf old = VOX_BUF_INIT, now = VOX_BUF_INIT;
    vox_strs names = {0};

    (void)state;
    assert_int_equal(vox_mkdirs("run"), VOX_OK);
    assert_int_equal(vox_file_write("run/keep.pth", "the old one", 11), VOX_OK);
    assert_int_equal(vox_file_read(&old, "run/keep.pth"), VOX_OK);
    build(&t, &src);
    assert_int_equal(vox_pth_write("run/keep.pth", &t), VOX_E_NUMERIC);
    assert_string_equal(vox_error_text(), "the device is gone");
    assert_int_equal(vox_file_read(&now, "run/keep.pth"), VOX_OK);
    assert_int_equal(now.len, old.len);
    assert_memory_equal(now.data, old.data, old.len);
    assert_int_equal(vox_dir_list(&names, "run"), VOX_OK);
    assert_int_equal(names.count, 1);
    assert_int_equal(vox_pth_write("no/such/folder.pth", &t), VOX_E_IO);
    vox_strs_release(&names);
    vox_buf_release(&old);
    vox_buf_release(&now);
    vox_tree_release(&t);
}

static void small_file(vox_buf *out)
{
    vox_tree t = VOX_TREE_INIT;

    build(&t, NULL);
    assert_int_equal(vox_pth_write("small.pth", &t), VOX_OK);
    vox_tree_release(&t);
    assert_int_equal(vox_file_read(out, "small.pth"), VOX_OK);
}

static void a_cut_or_changed_file_is_an_error(void **state)
{
    vox_buf b = VOX_BUF_INIT;
    vox_pth p;
    size_t harmless = 0;

    (void)state;
    small_file(&b);
    for (size_t n = 0; n < b.len; n++) {
        char *part = malloc(n ? n : 1);

        memcpy(part, b.data, n);
        assert_int_equal(vox_pth_parse(&p, part, n, "cut", 0), VOX_E_FORMAT);
        free(part);
    }
    for (size_t i = 0; i < b.len; i++) {
        b.data[i] ^= 0x01;
        if (vox_pth_parse(&p, b.data, b.len, "flip", 0) == VOX_OK) {
            vox_pth_release(&p);
            harmless++;
        }
        b.data[i] ^= 0x01;
    }
    /* padding, times, versions: about 64 + 40 bytes for each of the four entries */
    assert_true(harmless < 4 * 110);
    vox_buf_release(&b);
}

static void storages_must_be_as_long_as_declared(void **state)
{
    vox_buf b = VOX_BUF_INIT;
    vox_pth p;
    char *count;

    (void)state;
    small_file(&b);
    /* "K" 6 "tQ" is the storage's count: the entry then has 24 bytes for 5 floats */
    count = memchr(b.data, 'Q', b.len);
    while (memcmp(count - 3, "K\6tQ", 4) != 0)
        count = memchr(count + 1, 'Q', b.len - (size_t)(count + 1 - b.data));
    count[-2] = 7;
    assert_int_equal(vox_pth_parse(&p, b.data, b.len, "small.pth", 0), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "checksum"));
    assert_int_equal(vox_pth_parse(&p, b.data, b.len, "small.pth", VOX_PTH_NO_CHECKSUMS),
                     VOX_E_FORMAT);
    vox_buf_release(&b);
}

static void other_files_are_refused_by_name(void **state)
{
    static const struct {
        const char *data;
        size_t n;
        const char *says;
    } rows[] = {
        {"",                                                          0,  "not a zip"  },
        {"hello, world",                                              12, "not a zip"  },
        {"\x80\x02}q\0.",                                             6,  "bare pickle"},
        {"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15, "before 1.6" },
    };
    char tar[512] = {0};
    vox_pth p;

    (void)state;
    for (int i = 0; i < VOX_COUNT(rows); i++) {
        assert_int_equal(vox_pth_parse(&p, rows[i].data, rows[i].n, "f.pth", 0),
                         VOX_E_FORMAT);
        assert_non_null(strstr(vox_error_text(), rows[i].says));
        assert_non_null(strstr(vox_error_text(), "f.pth"));
    }
    memcpy(tar + 257, "ustar", 5);
    assert_int_equal(vox_pth_parse(&p, tar, sizeof tar, "f.pth", 0), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "tar"));
    assert_int_equal(vox_pth_read(&p, "missing.pth", 0), VOX_E_MISSING);
    assert_int_equal(vox_pth_read(&p, ".", 0), VOX_E_IO);
}

static void every_allocation_may_fail(void **state)
{
    vox_buf b = VOX_BUF_INIT;
    int64_t n = 1, before;
    int rc;

    (void)state;
    small_file(&b);
    before = vox_mem_blocks();
    do {
        vox_pth p;

        vox_mem_fail_at(n++);
        rc = vox_pth_parse(&p, b.data, b.len, "small.pth", 0);
        vox_mem_fail_at(0);
        if (rc == VOX_OK)
            vox_pth_release(&p);
        else
            assert_int_equal(rc, VOX_E_NOMEM);
        assert_int_equal(vox_mem_blocks(), before);
    } while (rc != VOX_OK);
    vox_buf_release(&b);
    remove("fault.pth"); /* of an earlier run */
    n = 1;
    do {
        vox_tree t = VOX_TREE_INIT;

        build(&t, NULL);
        vox_mem_fail_at(n++);
        rc = vox_pth_write("fault.pth", &t);
        vox_mem_fail_at(0);
        vox_tree_release(&t);
        assert_true(rc == VOX_OK || rc == VOX_E_NOMEM);
        assert_int_equal(vox_mem_blocks(), 0);
        assert_int_equal(vox_file_exists("fault.pth"), rc == VOX_OK);
    } while (rc != VOX_OK);
    assert_true(n > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_failed_write_leaves_the_old_file),
        cmocka_unit_test(a_cut_or_changed_file_is_an_error),
        cmocka_unit_test(storages_must_be_as_long_as_declared),
        cmocka_unit_test(other_files_are_refused_by_name),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
