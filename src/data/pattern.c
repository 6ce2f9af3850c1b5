/* pattern: places by a user's pattern. Matching backtracks over the length of each word. */
#include <string.h>

#include "base/error.h"
#include "data/gather.h"
#include "data/place.h"

enum { WORDS = 16, STEPS = 20000 };

/* What the words took so far. */
typedef struct match {
    vox_slice word[WORDS], text[WORDS];
    int count;
    int steps; /* left: a pattern of many stars is given up */
} match;

static int is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_';
}

/* The word at p, which is at its brace; n is 0 when it is none. */
static vox_slice word_at(const char *p)
{
    vox_slice w = {p + 1, 0};

    while (is_word_char(w.p[w.n]))
        w.n++;
    if (w.p[w.n] != '}')
        w.n = 0;
    return w;
}

static int is(vox_slice w, const char *text)
{
    return w.n == strlen(text) && memcmp(w.p, text, w.n) == 0;
}

int vox_place_check_pattern(const char *pattern)
{
    int subject = 0, words = 0;

    for (const char *p = pattern; *p; p++) {
        vox_slice w;

        if (*p == '}')
            return vox_fail(VOX_E_USAGE, "pattern \"%s\": a } without its {", pattern);
        if (*p != '{')
            continue;
        w = word_at(p);
        if (w.n == 0)
            return vox_fail(VOX_E_USAGE,
                            "pattern \"%s\": wanted a word such as {subject} at \"%.20s\"",
                            pattern, p);
        subject += is(w, "subject");
        words++;
        p += w.n + 1;
    }
    if (subject != 1 || words > WORDS)
        return vox_fail(
            VOX_E_USAGE,
            "pattern \"%s\": wanted {subject} once, and at most %d words such as "
            "{session}, {modality}, {dataset}",
            pattern, WORDS);
    return VOX_OK;
}

static int match_here(match *m, const char *p, const char *s);

/* Take `least` or more characters for a word or a star, longest first. */
static int match_run(match *m, const char *rest, const char *s, int least, vox_slice word)
{
    const int count = m->count;

    for (int n = (int)strcspn(s, "/"); n >= least && m->steps > 0; n--) {
        m->count = count;
        if (word.n) {
            m->word[count] = word;
            m->text[count] = (vox_slice){s, (size_t)n};
            m->count++;
        }
        if (match_here(m, rest, s + n))
            return 1;
    }
    return 0;
}

static int match_here(match *m, const char *p, const char *s)
{
    for (;; p++, s++) {
        if (m->steps-- <= 0)
            return 0;
        if (*p == '{') {
            const vox_slice w = word_at(p);

            return match_run(m, p + w.n + 2, s, 1, w);
        }
        if (*p == '*')
            return match_run(m, p + 1, s, 0, (vox_slice){p, 0});
        if (*p != *s)
            return 0;
        if (!*p)
            return 1;
    }
}

/* The last parts of the path, as many as the pattern has; NULL when there are fewer. */
static const char *tail_of(const char *path, const char *pattern)
{
    int want = 0, have = 0;

    for (const char *p = pattern; *p; p++)
        want += *p == '/';
    for (const char *p = path; *p; p++)
        have += *p == '/';
    for (; have > want; have--)
        path = strchr(path, '/') + 1;
    return have < want ? NULL : path;
}

static int take(vox_place *out, vox_arena *arena, vox_buf *info, vox_slice word,
                vox_slice text)
{
    char *copy = vox_arena_text(arena, text.p, text.n);
    char key[64];

    if (!copy)
        return VOX_E_NOMEM;
    if (is(word, "subject"))
        out->subject = copy;
    else if (is(word, "session"))
        out->session = copy;
    else if (is(word, "modality"))
        out->modality = copy;
    else if (is(word, "dataset"))
        out->dataset = copy;
    else if (word.n < sizeof key) {
        memcpy(key, word.p, word.n);
        key[word.n] = '\0';
        return vox_info_add(info, key, copy, 0);
    }
    return VOX_OK;
}

int vox_place_match(vox_place *out, vox_arena *arena, vox_buf *info, const char *pattern,
                    const char *path)
{
    const char *tail = tail_of(path, pattern);
    match m = {.steps = STEPS};

    if (!tail || !match_here(&m, pattern, tail))
        return 0;
    *out = (vox_place){"", "", "ses-DEFAULT", ""};
    for (int i = 0; i < m.count; i++)
        VOX_TRY(take(out, arena, info, m.word[i], m.text[i]));
    return 1;
}
