/*
 * collection: build, join, write and flatten a description of scans, from C.
 *
 *     cc collection.c $(pkg-config --cflags --libs voxmind) -o collection
 *     ./collection out.json [other.json]
 *
 * Describes two scans of one subject, joins what other.json describes, writes out.json, and
 * prints the ids of the T1-weighted images, as nnssl's to_independent_images and its
 * modality filter give them.
 */
#include <stdio.h>
#include <vox/records.h>

/* Every function returns VOX_OK or a code; the thread's message says what went wrong. */
static int failed(void)
{
    fprintf(stderr, "collection: %s\n", vox_error_text());
    return 1;
}

/* Objects are added from the top down. What is passed is copied. */
static int describe(vox_collection *c)
{
    vox_coll_dataset *d = vox_collection_add_dataset(c, "ds000001");
    vox_coll_subject *s = d ? vox_collection_add_subject(c, d, "sub-01") : NULL;
    vox_coll_session *e = s ? vox_collection_add_session(c, s, "ses-1") : NULL;
    vox_coll_image *t1, *t2;

    if (!e ||
        vox_collection_set_info(c, &s->info, "{\"age\": 26, \"sex\": \"F\"}") != VOX_OK)
        return -1;
    t1 = vox_collection_add_image(c, e, "t1.nii.gz", "$nnssl_raw/scans/t1.nii.gz", "T1w");
    if (!t1 ||
        vox_collection_set_masks(c, t1, NULL, "$nnssl_raw/scans/t1_brain.nii.gz") != VOX_OK)
        return -1;
    t2 = vox_collection_add_image(c, e, "t2.nii.gz", "$nnssl_raw/scans/t2.nii.gz", "T2w");
    return t2 ? 0 : -1;
}

static int join(vox_collection *c, const char *path)
{
    vox_collection other = VOX_COLLECTION_INIT;
    vox_coll_merged done = {0};
    int rc = vox_collection_read(&other, path);

    if (rc == VOX_OK)
        rc = vox_collection_merge(c, &other, &done);
    if (rc == VOX_OK)
        printf("%lld images joined, %lld were there\n", (long long)done.added,
               (long long)done.known);
    vox_collection_release(&other); /* the joined ones are copies */
    return rc;
}

/* The flat list borrows from the collection, which must outlive it. */
static int list(const vox_collection *c)
{
    const vox_filter t1_only = {.modalities = "T1w"};
    vox_records r = VOX_RECORDS_INIT;
    int rc = vox_records_make(&r, c);

    if (rc == VOX_OK)
        rc = vox_records_filter(&r, &t1_only, NULL);
    for (int64_t i = 0; i < r.count && rc == VOX_OK; i++)
        printf("%s\n", r.v[i].id);
    vox_records_release(&r);
    return rc;
}

int main(int argc, char **argv)
{
    vox_collection c = VOX_COLLECTION_INIT;
    int bad;

    if (argc < 2) {
        fprintf(stderr, "usage: collection out.json [other.json]\n");
        return 2;
    }
    bad = vox_collection_init(&c, "Dataset001_Example", 1) != VOX_OK || describe(&c) != 0 ||
          (argc > 2 && join(&c, argv[2]) != VOX_OK) ||
          vox_collection_write(&c, argv[1]) != VOX_OK || list(&c) != VOX_OK;
    bad = bad ? failed() : 0;
    vox_collection_release(&c);
    return bad;
}
