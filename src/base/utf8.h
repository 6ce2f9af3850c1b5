/*
 * utf8: is a run of bytes text?
 */
#ifndef VOX_BASE_UTF8_H
#define VOX_BASE_UTF8_H

#include <stddef.h>

/** Bytes of the UTF-8 character at p (1..4), 0 when there is none.
 * @param surrogates  1: code points D800..DFFF are let pass, as Python's "surrogatepass" */
int vox_utf8_char(const char *p, size_t len, int surrogates);

/** 1 if all of it is UTF-8. */
int vox_utf8_valid(const char *p, size_t len, int surrogates);

#endif
