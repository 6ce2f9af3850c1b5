/* table: what csv and tsv files say, and what is wrong with them. */
#include <string.h>

#include "base/error.h"
#include "data/table.h"
#include "support/unit.h"

static void parse(vox_table *t, const char *text, char separator)
{
    if (vox_table_parse(t, text, strlen(text), separator, "t.csv") != VOX_OK)
        fail_msg("%s", vox_error_text());
}

static void cells(void **state)
{
    vox_table t;

    (void)state;
    parse(&t,
          "\xef\xbb\xbf"
          "a;b;\"c;d\"\r\n1;\"x \"\"y\"\"\r\nz\";\r\n\r\n 2 ;\r\n",
          0);
    assert_int_equal(t.columns, 3);
    assert_int_equal(t.rows, 2);
    assert_int_equal(vox_table_find(&t, "c;d"), 2);
    assert_int_equal(vox_table_find(&t, "none"), -1);
    assert_string_equal(vox_table_cell(&t, 0, 1), "x \"y\"\r\nz");
    assert_string_equal(vox_table_cell(&t, 0, 2), "");
    assert_string_equal(vox_table_cell(&t, 1, 0), "2");
    assert_string_equal(vox_table_cell(&t, 1, 2), ""); /* the row is short */
    assert_string_equal(vox_table_cell(&t, 1, -1), "");
    vox_table_release(&t);
}

static void quotes_of_a_tsv_are_text(void **state)
{
    vox_table t;

    (void)state;
    parse(&t, "a\tb c\n\"x\ty, z", '\t');
    assert_int_equal(t.columns, 2);
    assert_int_equal(t.rows, 1);
    assert_string_equal(vox_table_cell(&t, 0, 0), "\"x");
    assert_string_equal(vox_table_cell(&t, 0, 1), "y, z");
    vox_table_release(&t);
}

static void faults_are_named(void **state)
{
    static const struct {
        const char *text, *message;
    } row[] = {
        {"",                  "is empty"                       },
        {"\r\n\n",            "is empty"                       },
        {"a,b\n1,2\n1,2,3\n", "row 3 has 3 cells, its header 2"},
        {"a,b\n1,\"2\n3,4\n", "the quote in row 2 does not end"},
        {"a,b,a\n",           "\"a\" stands twice"             },
        {"a\nb\n\xe9\n",      "line 3 holds the byte e9"       },
        {"\xff\xfe"
         "a",        "is UTF-16"                      },
    };

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        vox_table t;

        assert_int_equal(vox_table_parse(&t, row[i].text, strlen(row[i].text), 0, "t.csv"),
                         VOX_E_FORMAT);
        if (!strstr(vox_error_text(), row[i].message) || !strstr(vox_error_text(), "t.csv"))
            fail_msg("\"%s\" does not say \"%s\"", vox_error_text(), row[i].message);
        assert_int_equal(t.rows, 0);
    }
    {
        vox_table t;

        assert_int_equal(vox_table_parse(&t, "a\0b\n", 4, 0, "t.csv"), VOX_E_FORMAT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells),
        cmocka_unit_test(quotes_of_a_tsv_are_text),
        cmocka_unit_test(faults_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
