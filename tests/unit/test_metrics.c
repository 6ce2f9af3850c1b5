/* metrics: lines read back, cutting keeps exactly a checkpoint's past, a full disk loses
 * nothing. */
#include "support/unit.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "train/metrics.h"

static void put_step(vox_metrics *m, int64_t step, int64_t epoch, double loss)
{
    assert_int_equal(vox_metrics_begin(m), VOX_OK);
    assert_int_equal(vox_metrics_int(m, "step", step), VOX_OK);
    assert_int_equal(vox_metrics_int(m, "epoch", epoch), VOX_OK);
    assert_int_equal(vox_metrics_num(m, "loss", loss), VOX_OK);
    assert_int_equal(vox_metrics_end(m), VOX_OK);
}

static void put_epoch(vox_metrics *m, int64_t epoch)
{
    assert_int_equal(vox_metrics_begin(m), VOX_OK);
    assert_int_equal(vox_metrics_int(m, "epoch_done", epoch), VOX_OK);
    assert_int_equal(vox_metrics_end(m), VOX_OK);
}

static void assert_text(const char *path, const char *want)
{
    vox_buf text = VOX_BUF_INIT;

    assert_int_equal(vox_file_read(&text, path), VOX_OK);
    assert_string_equal(vox_buf_text(&text), want);
    vox_buf_release(&text);
}

static const char two_epochs[] = "{\"step\": 1, \"epoch\": 0, \"loss\": 0.1}\n"
                                 "{\"step\": 2, \"epoch\": 0, \"loss\": null}\n"
                                 "{\"epoch_done\": 0}\n"
                                 "{\"step\": 3, \"epoch\": 1, \"loss\": 1e-05}\n"
                                 "{\"step\": 4, \"epoch\": 1, \"loss\": 3.0}\n"
                                 "{\"epoch_done\": 1}\n";

static void write_two_epochs(const char *path)
{
    vox_metrics m;

    unlink(path);
    assert_int_equal(vox_metrics_open(&m, path, 0, 0, NULL), VOX_OK);
    put_step(&m, 1, 0, 0.1);
    put_step(&m, 2, 0, (double)NAN);
    put_epoch(&m, 0);
    put_step(&m, 3, 1, 1e-5);
    put_step(&m, 4, 1, 3);
    put_epoch(&m, 1);
    vox_metrics_close(&m);
    assert_text(path, two_epochs);
}

/* Reopen at a step and an epoch: what is left is the first `lines` lines. */
static void check_cut(int64_t steps, int64_t epochs, int lines)
{
    char want[sizeof two_epochs];
    vox_metrics m;
    int64_t last = -1;
    size_t n = 0;

    write_two_epochs("cut.jsonl");
    for (int i = 0; i < lines; i++)
        n += strcspn(two_epochs + n, "\n") + 1;
    memcpy(want, two_epochs, n);
    want[n] = '\0';
    assert_int_equal(vox_metrics_open(&m, "cut.jsonl", steps, epochs, &last), VOX_OK);
    assert_int_equal(last, 4);
    vox_metrics_close(&m);
    assert_text("cut.jsonl", want);
}

static void test_cut_to_checkpoint(void **state)
{
    (void)state;
    check_cut(4, 2, 6);
    check_cut(4, 1, 5); /* saved after the last step, before its validation */
    check_cut(3, 1, 4);
    check_cut(2, 1, 3);
    check_cut(2, 0, 2);
    check_cut(0, 0, 0);
}

static void test_torn_line_goes(void **state)
{
    static const char torn[] = "{\"step\": 1}\n{\"ste";
    static const char foreign[] = "hello\n{\"step\": 1}\n";
    vox_metrics m;

    (void)state;
    assert_int_equal(vox_file_write("torn.jsonl", torn, sizeof torn - 1), VOX_OK);
    assert_int_equal(vox_metrics_open(&m, "torn.jsonl", 9, 9, NULL), VOX_OK);
    vox_metrics_close(&m);
    assert_text("torn.jsonl", "{\"step\": 1}\n");
    assert_int_equal(vox_file_write("torn.jsonl", foreign, sizeof foreign - 1), VOX_OK);
    assert_int_equal(vox_metrics_open(&m, "torn.jsonl", 9, 9, NULL), VOX_OK);
    vox_metrics_close(&m);
    assert_text("torn.jsonl", "{\"step\": 1}\n");
}

static void test_full_disk_loses_nothing(void **state)
{
    const char *path = "full.jsonl";
    struct rlimit old, small;
    vox_metrics m;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    unlink(path);
    assert_int_equal(vox_metrics_open(&m, path, 0, 0, NULL), VOX_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 50;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    put_step(&m, 1, 0, 0.1);
    put_step(&m, 2, 0, (double)NAN);
    put_epoch(&m, 0);
    assert_int_equal(vox_file_size(path), 50);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    put_step(&m, 3, 1, 1e-5);
    put_step(&m, 4, 1, 3);
    put_epoch(&m, 1);
    vox_metrics_close(&m);
    assert_text(path, two_epochs);
}

static void test_unwritable(void **state)
{
    vox_metrics m;

    (void)state;
    assert_int_equal(vox_metrics_open(&m, "no/such/dir.jsonl", 0, 0, NULL), VOX_E_IO);
    assert_non_null(strstr(vox_error_text(), "no/such/dir.jsonl"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_to_checkpoint),
        cmocka_unit_test(test_torn_line_goes),
        cmocka_unit_test(test_full_disk_loses_nothing),
        cmocka_unit_test(test_unwritable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
