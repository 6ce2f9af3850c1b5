/* json_pull: a cursor over bytes; the grammar of RFC 8259 and Python's three tokens. */
#include "base/json_pull.h"

#include <string.h>

#include "base/compiler.h"
#include "base/error.h"

enum { DEPTH = 200 };

void vox_json_pull_init(vox_json_pull *p, const char *text, size_t len, const char *name)
{
    *p = (vox_json_pull){.begin = text, .at = text, .end = text + len, .name = name};
}

static int fail(const vox_json_pull *p, const char *what)
{
    return vox_fail(VOX_E_FORMAT, "%s: not JSON at byte %zu: %s", p->name,
                    (size_t)(p->at - p->begin), what);
}

static void skip_space(vox_json_pull *p)
{
    while (p->at < p->end &&
           (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t'))
        p->at++;
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

vox_json_kind vox_json_pull_kind(vox_json_pull *p)
{
    skip_space(p);
    if (p->at == p->end)
        return VOX_JSON_NONE;
    switch (*p->at) {
    case 'n':
        return VOX_JSON_NULL;
    case 't':
    case 'f':
        return VOX_JSON_BOOLEAN;
    case '"':
        return VOX_JSON_STRING;
    case '[':
        return VOX_JSON_ARRAY;
    case '{':
        return VOX_JSON_OBJECT;
    case 'N':
    case 'I':
    case '-':
        return VOX_JSON_NUMBER;
    default:
        return is_digit(*p->at) ? VOX_JSON_NUMBER : VOX_JSON_NONE;
    }
}

const char *vox_json_kind_name(vox_json_kind kind)
{
    static const char *const names[] = {"no value", "null",  "boolean", "number",
                                        "string",   "array", "object"};

    return names[kind];
}

int vox_json_pull_open(vox_json_pull *p, vox_json_kind kind)
{
    if (vox_json_pull_kind(p) != kind)
        return fail(p, kind == VOX_JSON_OBJECT ? "wanted {" : "wanted [");
    if (++p->depth > DEPTH)
        return fail(p, "nested too deeply");
    p->at++;
    p->first = 1;
    return VOX_OK;
}

/* In front of a member: 1, or 0 when `close` ends the container. */
static int next(vox_json_pull *p, char close)
{
    const int first = p->first;

    skip_space(p);
    p->first = 0;
    if (p->at == p->end)
        return fail(p, "the text ends inside an object or array");
    if (*p->at == close) {
        p->at++;
        p->depth--;
        return 0;
    }
    if (!first) {
        if (*p->at != ',')
            return fail(p, close == '}' ? "wanted , or }" : "wanted , or ]");
        p->at++;
    }
    return 1;
}

int vox_json_pull_key(vox_json_pull *p, vox_slice *key)
{
    const int more = next(p, '}');

    if (more != 1)
        return more;
    if (vox_json_pull_kind(p) != VOX_JSON_STRING)
        return fail(p, "wanted a key");
    VOX_TRY(vox_json_pull_string(p, key));
    skip_space(p);
    if (p->at == p->end || *p->at != ':')
        return fail(p, "wanted : behind a key");
    p->at++;
    return 1;
}

int vox_json_pull_item(vox_json_pull *p)
{
    return next(p, ']');
}

static int is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Over one escape; p->at is at its backslash. */
static int skip_escape(vox_json_pull *p)
{
    const char c = p->at + 1 < p->end ? p->at[1] : 0;

    if (c == 'u') {
        for (int i = 2; i < 6; i++) {
            if (p->at + i >= p->end || !is_hex(p->at[i]))
                return fail(p, "wanted four hexadecimal digits behind \\u");
        }
        p->at += 6;
        return VOX_OK;
    }
    if (!c || !strchr("\"\\/bfnrt", c))
        return fail(p, "no such escape");
    p->at += 2;
    return VOX_OK;
}

int vox_json_pull_string(vox_json_pull *p, vox_slice *inside)
{
    if (vox_json_pull_kind(p) != VOX_JSON_STRING)
        return fail(p, "wanted a string");
    inside->p = ++p->at;
    while (p->at < p->end && *p->at != '"') {
        if ((unsigned char)*p->at < 0x20)
            return fail(p, "a control character in a string");
        if (*p->at == '\\')
            VOX_TRY(skip_escape(p));
        else
            p->at++;
    }
    if (p->at == p->end)
        return fail(p, "the text ends inside a string");
    inside->n = (size_t)(p->at++ - inside->p);
    return VOX_OK;
}

static int take_word(vox_json_pull *p, const char *word)
{
    const size_t n = strlen(word);

    if ((size_t)(p->end - p->at) < n || memcmp(p->at, word, n) != 0)
        return 0;
    p->at += n;
    return 1;
}

static int take_digits(vox_json_pull *p)
{
    const char *from = p->at;

    while (p->at < p->end && is_digit(*p->at))
        p->at++;
    return p->at > from;
}

static int take_number(vox_json_pull *p)
{
    if (take_word(p, "NaN") || take_word(p, "Infinity") || take_word(p, "-Infinity"))
        return VOX_OK;
    (void)take_word(p, "-");
    if (!take_word(p, "0") && !take_digits(p))
        return fail(p, "wanted a digit");
    if (take_word(p, ".") && !take_digits(p))
        return fail(p, "wanted a digit behind the point");
    if (take_word(p, "e") || take_word(p, "E")) {
        if (!take_word(p, "+"))
            (void)take_word(p, "-");
        if (!take_digits(p))
            return fail(p, "wanted a digit in the exponent");
    }
    return VOX_OK;
}

static int take_value(vox_json_pull *p)
{
    vox_slice unused;
    int more;

    switch (vox_json_pull_kind(p)) {
    case VOX_JSON_STRING:
        return vox_json_pull_string(p, &unused);
    case VOX_JSON_NUMBER:
        return take_number(p);
    case VOX_JSON_NULL:
    case VOX_JSON_BOOLEAN:
        if (take_word(p, "null") || take_word(p, "true") || take_word(p, "false"))
            return VOX_OK;
        break;
    case VOX_JSON_ARRAY:
        VOX_TRY(vox_json_pull_open(p, VOX_JSON_ARRAY));
        while ((more = vox_json_pull_item(p)) > 0)
            VOX_TRY(take_value(p));
        return more;
    case VOX_JSON_OBJECT:
        VOX_TRY(vox_json_pull_open(p, VOX_JSON_OBJECT));
        while ((more = vox_json_pull_key(p, &unused)) > 0)
            VOX_TRY(take_value(p));
        return more;
    case VOX_JSON_NONE:
        break;
    }
    return fail(p, "wanted a value");
}

int vox_json_pull_value(vox_json_pull *p, vox_slice *raw)
{
    skip_space(p);
    raw->p = p->at;
    VOX_TRY(take_value(p));
    raw->n = (size_t)(p->at - raw->p);
    return VOX_OK;
}

int vox_json_pull_finish(vox_json_pull *p)
{
    skip_space(p);
    if (p->at < p->end)
        return fail(p, "text after the JSON value");
    return VOX_OK;
}

static unsigned hex4(const char *s)
{
    unsigned v = 0;

    for (int i = 0; i < 4; i++)
        v = 16 * v + (unsigned)(is_digit(s[i]) ? s[i] - '0' : (s[i] | 32) - 'a' + 10);
    return v;
}

/* UTF-8 of a code point; a byte that Python hid in a surrogate; U+FFFD for half a pair. */
static int put_code(char out[static 4], unsigned c)
{
    if (c >= 0xdc80 && c <= 0xdcff) {
        out[0] = (char)(c - 0xdc00);
        return 1;
    }
    if (c >= 0xd800 && c <= 0xdfff)
        c = 0xfffd;
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* One escape at s; *used bytes of it are taken. */
static int put_escape(char out[static 4], const char *s, size_t left, size_t *used)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    unsigned c, low;

    *used = 2;
    if (s[1] != 'u') {
        out[0] = to[strchr(from, s[1]) - from];
        return 1;
    }
    *used = 6;
    c = hex4(s + 2);
    if (c >= 0xd800 && c < 0xdc00 && left >= 12 && s[6] == '\\' && s[7] == 'u') {
        low = hex4(s + 8);
        if (low >= 0xdc00 && low < 0xe000) {
            *used = 12;
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return put_code(out, c);
}

int vox_json_unescape(vox_buf *out, vox_slice inside)
{
    const char *s = inside.p, *end = s + inside.n;

    while (s < end) {
        const char *stop = memchr(s, '\\', (size_t)(end - s));
        char code[4];
        size_t used;
        int n;

        VOX_TRY(vox_buf_add(out, s, (size_t)((stop ? stop : end) - s)));
        if (!stop)
            break;
        n = put_escape(code, stop, (size_t)(end - stop), &used);
        VOX_TRY(vox_buf_add(out, code, (size_t)n));
        s = stop + used;
    }
    return VOX_OK;
}

int vox_json_is(vox_slice inside, const char *text)
{
    const char *s = inside.p, *end = s + inside.n;

    while (s < end) {
        char code[4] = {*s};
        size_t used = 1;
        const int n = *s == '\\' ? put_escape(code, s, (size_t)(end - s), &used) : 1;

        if (!code[0] || strncmp(text, code, (size_t)n) != 0)
            return 0;
        text += n;
        s += used;
    }
    return *text == '\0';
}

int vox_json_compact(vox_buf *out, vox_slice raw)
{
    const char *from = raw.p, *end = raw.p + raw.n;
    int inside = 0;

    for (const char *s = raw.p; s < end; s++) {
        if (*s == '"')
            inside = !inside;
        else if (*s == '\\')
            s++; /* only in strings: never in front of white space */
        else if (!inside && (*s == ' ' || *s == '\n' || *s == '\r' || *s == '\t')) {
            VOX_TRY(vox_buf_add(out, from, (size_t)(s - from)));
            from = s + 1;
        }
    }
    return vox_buf_add(out, from, (size_t)(end - from));
}

int vox_json_find(vox_slice object, const char *key, vox_slice *value)
{
    vox_json_pull p;
    vox_slice k, v;
    int found = 0;

    vox_json_pull_init(&p, object.p, object.n, "");
    if (vox_json_pull_kind(&p) != VOX_JSON_OBJECT ||
        vox_json_pull_open(&p, VOX_JSON_OBJECT) != VOX_OK)
        return 0;
    while (vox_json_pull_key(&p, &k) > 0 && vox_json_pull_value(&p, &v) == VOX_OK) {
        if (vox_json_is(k, key)) {
            *value = v;
            found = 1;
        }
    }
    return found;
}
