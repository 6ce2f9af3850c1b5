/* zip: archives are read back whatever their form; damage anywhere is an error. */
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "io/zip.h"

/* Write three entries; sizes and offsets from `limit` on become zip64. */
static void write_archive(const char *path, uint64_t limit)
{
    vox_writer file;
    vox_zip_writer w;

    assert_int_equal(vox_writer_open(&file, path), VOX_OK);
    vox_zip_begin(&w, file.f, path, "box/");
    w.limit = limit;
    assert_int_equal(vox_zip_add(&w, "a", "hello", 5), VOX_OK);
    assert_int_equal(vox_zip_add(&w, "empty", "", 0), VOX_OK);
    assert_int_equal(vox_zip_open(&w, "data/0", 300), VOX_OK);
    for (int i = 0; i < 3; i++) {
        char part[100];

        memset(part, i, sizeof part);
        assert_int_equal(vox_zip_put(&w, part, sizeof part), VOX_OK);
    }
    assert_int_equal(vox_zip_close(&w), VOX_OK);
    assert_int_equal(vox_zip_end(&w), VOX_OK);
    vox_zip_writer_release(&w);
    assert_int_equal(vox_writer_commit(&file), VOX_OK);
}

static void check_archive(const vox_buf *b)
{
    const vox_zip_entry *e;
    vox_zip z;

    assert_int_equal(vox_zip_parse(&z, b->data, b->len, "box"), VOX_OK);
    assert_int_equal(z.count, 3);
    assert_int_equal(vox_zip_verify(&z), VOX_OK);
    e = vox_zip_find(&z, "box/a");
    assert_non_null(e);
    assert_int_equal(e->size, 5);
    assert_memory_equal(e->data, "hello", 5);
    e = vox_zip_find(&z, "box/data/0");
    assert_non_null(e);
    assert_int_equal(e->size, 300);
    assert_int_equal((e->data - (const unsigned char *)b->data) % 64, 0);
    assert_int_equal(e->data[299], 2);
    assert_null(vox_zip_find(&z, "a"));
    vox_zip_release(&z);
}

static void what_is_written_is_read_back(void **state)
{
    static const uint64_t limits[] = {0xffffffff, 100, 0};
    vox_buf b = VOX_BUF_INIT;

    (void)state;
    for (int i = 0; i < 3; i++) {
        write_archive("box.zip", limits[i]);
        assert_int_equal(vox_file_read(&b, "box.zip"), VOX_OK);
        check_archive(&b);
    }
    vox_buf_release(&b);
}

static void a_cut_archive_is_an_error_at_every_byte(void **state)
{
    vox_buf b = VOX_BUF_INIT;
    vox_zip z;

    (void)state;
    for (int big = 0; big < 2; big++) {
        write_archive("cut.zip", big ? 0 : 0xffffffff);
        assert_int_equal(vox_file_read(&b, "cut.zip"), VOX_OK);
        for (size_t n = 0; n < b.len; n++) {
            char *part = malloc(n ? n : 1);

            memcpy(part, b.data, n);
            assert_int_equal(vox_zip_parse(&z, part, n, "cut"), VOX_E_FORMAT);
            free(part);
        }
    }
    vox_buf_release(&b);
}

/* Bytes that nothing depends on: version, time, attributes, padding. Everything else is
 * seen. */
static void a_changed_payload_fails_the_checksum(void **state)
{
    vox_buf b = VOX_BUF_INIT;
    vox_zip z;
    int caught = 0;

    (void)state;
    write_archive("flip.zip", 0xffffffff);
    assert_int_equal(vox_file_read(&b, "flip.zip"), VOX_OK);
    for (size_t i = 0; i < b.len; i++) {
        b.data[i] ^= 0x20;
        if (vox_zip_parse(&z, b.data, b.len, "flip") == VOX_OK) {
            caught += vox_zip_verify(&z) == VOX_E_FORMAT;
            vox_zip_release(&z);
        }
        b.data[i] ^= 0x20;
    }
    assert_true(caught >= 305 + 3 * 4); /* payloads and the checksums themselves */
    b.data[64] ^= 1;
    assert_int_equal(vox_zip_parse(&z, b.data, b.len, "flip.zip"), VOX_OK);
    assert_int_equal(vox_zip_verify(&z), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "flip.zip: entry box/a has checksum"));
    vox_zip_release(&z);
    vox_buf_release(&b);
}

static void names_twice_are_an_error(void **state)
{
    vox_writer file;
    vox_zip_writer w;
    vox_buf b = VOX_BUF_INIT;
    vox_zip z;

    (void)state;
    assert_int_equal(vox_writer_open(&file, "twice.zip"), VOX_OK);
    vox_zip_begin(&w, file.f, "twice.zip", "");
    assert_int_equal(vox_zip_add(&w, "a", "1", 1), VOX_OK);
    assert_int_equal(vox_zip_add(&w, "a", "2", 1), VOX_OK);
    assert_int_equal(vox_zip_end(&w), VOX_OK);
    vox_zip_writer_release(&w);
    assert_int_equal(vox_writer_commit(&file), VOX_OK);
    assert_int_equal(vox_file_read(&b, "twice.zip"), VOX_OK);
    assert_int_equal(vox_zip_parse(&z, b.data, b.len, "twice.zip"), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "two entries are named a"));
    vox_buf_release(&b);
    assert_int_equal(vox_mem_blocks(), 0);
}

/* Local header or line of the central directory of an entry; returns where it ends. */
static size_t put_header(char *b, int central, const char *name, int method, int packed,
                         int size, int header)
{
    const int at = central ? 2 : 0, fixed = central ? 46 : 30;

    memset(b, 0, (size_t)fixed);
    memcpy(b, central ? "PK\1\2" : "PK\3\4", 4);
    b[8 + at] = (char)method;
    memcpy(b + 18 + at, &packed, 4);
    memcpy(b + 22 + at, &size, 4);
    b[26 + at] = (char)strlen(name);
    if (central)
        memcpy(b + 42, &header, 4);
    memcpy(b + fixed, name, strlen(name));
    return (size_t)fixed + strlen(name);
}

/* The payload of "a" holds the whole of "b", which would be inflated to `size` bytes. */
static size_t nested_archive(char b[256], int size)
{
    const size_t inner = put_header(b, 0, "a", 0, 33, 33, 0);
    const size_t central = inner + put_header(b + inner, 0, "b", 8, 2, size, 0) + 2;
    size_t n = central;
    int start = (int)central, len;

    memcpy(b + central - 2, "\3\0", 2);
    n += put_header(b + n, 1, "a", 0, 33, 33, 0);
    n += put_header(b + n, 1, "b", 8, 2, size, (int)inner);
    len = (int)(n - central);
    memset(b + n, 0, 22);
    memcpy(b + n, "PK\5\6", 4);
    b[n + 8] = b[n + 10] = 2;
    memcpy(b + n + 12, &len, 4);
    memcpy(b + n + 16, &start, 4);
    return n + 22;
}

/* Entries that lie in each other are how a small file claims to hold terabytes: they are
 * refused before anything is inflated. */
static void nested_entries_are_an_error(void **state)
{
    char b[256];
    const size_t n = nested_archive(b, 2000);
    const int64_t calls = vox_mem_calls();
    vox_zip z;

    (void)state;
    assert_int_equal(vox_zip_parse(&z, b, n, "nested"), VOX_E_FORMAT);
    assert_non_null(strstr(vox_error_text(), "entries overlap"));
    assert_true(vox_mem_calls() - calls < 8);
    assert_int_equal(vox_mem_blocks(), 0);
}

/* "aaaa..." deflated by Python's zipfile, behind a stored entry. */
static void deflated_entries_are_inflated(void **state)
{
    vox_buf b = VOX_BUF_INIT;
    const vox_zip_entry *e;
    vox_zip z;

    (void)state;
    assert_int_equal(
        vox_file_read(&b, VOX_SOURCE_DIR "/tests/golden/tensor_files/deflated.zip"),
        VOX_OK);
    assert_int_equal(vox_zip_parse(&z, b.data, b.len, "deflated.zip"), VOX_OK);
    assert_int_equal(vox_zip_verify(&z), VOX_OK);
    e = vox_zip_find(&z, "packed");
    assert_non_null(e);
    assert_int_equal(e->size, 1000);
    for (size_t i = 0; i < e->size; i++)
        assert_int_equal(e->data[i], 'a');
    vox_zip_release(&z);
    vox_buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_cut_archive_is_an_error_at_every_byte),
        cmocka_unit_test(a_changed_payload_fails_the_checksum),
        cmocka_unit_test(names_twice_are_an_error),
        cmocka_unit_test(nested_entries_are_an_error),
        cmocka_unit_test(deflated_entries_are_inflated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
