/* utf8: RFC 3629: shortest forms up to U+10FFFF. */
#include "base/utf8.h"

int vox_utf8_char(const char *p, size_t len, int surrogates)
{
    const unsigned char *s = (const unsigned char *)p;
    int n;

    if (len == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;
    n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || (size_t)n > len)
        return 0;
    for (int i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f) || (s[0] == 0xed && s[1] > 0x9f && !surrogates))
        return 0;
    return n;
}

int vox_utf8_valid(const char *p, size_t len, int surrogates)
{
    while (len) {
        const int n = vox_utf8_char(p, len, surrogates);

        if (n == 0)
            return 0;
        p += n;
        len -= (size_t)n;
    }
    return 1;
}
