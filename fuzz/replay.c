/*
 * replay: run a fuzz target over stored inputs, without libFuzzer.
 *
 * Arguments are files or folders; every file is read whole and handed to the target. The
 * input is copied into a block of exactly its size, so that a sanitizer sees a read past
 * it.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path, size_t size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(size > 0 ? size : 1);
    size_t got = 0;

    if (f != NULL && data != NULL) {
        got = fread(data, 1, size, f);
    }
    if (f != NULL) {
        fclose(f);
    }
    if (f == NULL || data == NULL || got != size) {
        fprintf(stderr, "replay: cannot read %s\n", path);
        free(data);
        return -1;
    }
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

static int run_folder(const char *folder, long *count)
{
    DIR *dir = opendir(folder);
    int rc = 0;

    if (dir == NULL) {
        fprintf(stderr, "replay: cannot open %s\n", folder);
        return -1;
    }
    for (struct dirent *e = readdir(dir); e != NULL && rc == 0; e = readdir(dir)) {
        char path[4096];
        struct stat st;

        if (e->d_name[0] == '.' ||
            snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) >= (int)sizeof(path) ||
            stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
            continue;
        }
        rc = run_file(path, (size_t)st.st_size);
        ++*count;
    }
    closedir(dir);
    return rc;
}

int main(int argc, char **argv)
{
    long count = 0;

    for (int i = 1; i < argc; i++) {
        struct stat st;
        int rc = stat(argv[i], &st);

        if (rc != 0) {
            fprintf(stderr, "replay: no such file: %s\n", argv[i]);
            return 1;
        }
        if (S_ISDIR(st.st_mode)) {
            rc = run_folder(argv[i], &count);
        } else {
            rc = run_file(argv[i], (size_t)st.st_size);
            count++;
        }
        if (rc != 0) {
            return 1;
        }
    }
    printf("%ld inputs replayed\n", count);
    return count > 0 ? 0 : 1;
}
