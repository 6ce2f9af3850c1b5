/* pickle_names: tables. Sources: checkpoints.md 3.2, 4, 5; Python's pickletools. */
#include "io/pickle_names.h"

#include <stddef.h>
#include <string.h>

#include "base/compiler.h"

/* clang-format off */
static const struct {
    const char *module, *name;
    vox_pickle_global global;
} globals[] = {
    {"collections", "OrderedDict", VOX_GLOBAL_ORDERED_DICT},
    {"torch._utils", "_rebuild_tensor", VOX_GLOBAL_TENSOR_V1},
    {"torch._utils", "_rebuild_tensor_v2", VOX_GLOBAL_TENSOR_V2},
    {"torch._utils", "_rebuild_tensor_v3", VOX_GLOBAL_TENSOR_V3},
    {"torch._utils", "_rebuild_parameter", VOX_GLOBAL_PARAMETER},
    {"torch._utils", "_rebuild_parameter_with_state", VOX_GLOBAL_PARAMETER},
    {"torch.nn.parameter", "Parameter", VOX_GLOBAL_PARAMETER_CLASS},
    {"torch.storage", "UntypedStorage", VOX_GLOBAL_UNTYPED_STORAGE},
    {"torch", "UntypedStorage", VOX_GLOBAL_UNTYPED_STORAGE},
    {"torch", "device", VOX_GLOBAL_DEVICE},
    {"torch", "Size", VOX_GLOBAL_SIZE},
    {"numpy.core.multiarray", "scalar", VOX_GLOBAL_NP_SCALAR},
    {"numpy._core.multiarray", "scalar", VOX_GLOBAL_NP_SCALAR},
    {"numpy.core.multiarray", "_reconstruct", VOX_GLOBAL_NP_RECONSTRUCT},
    {"numpy._core.multiarray", "_reconstruct", VOX_GLOBAL_NP_RECONSTRUCT},
    {"numpy", "ndarray", VOX_GLOBAL_NP_ARRAY},
    {"numpy", "dtype", VOX_GLOBAL_NP_DTYPE},
    {"_codecs", "encode", VOX_GLOBAL_ENCODE},
    {"builtins", "set", VOX_GLOBAL_SET},
    {"__builtin__", "set", VOX_GLOBAL_SET},
    {"builtins", "complex", VOX_GLOBAL_COMPLEX},
    {"__builtin__", "complex", VOX_GLOBAL_COMPLEX},
    {"builtins", "bytearray", VOX_GLOBAL_BYTEARRAY},
    {"__builtin__", "bytearray", VOX_GLOBAL_BYTEARRAY},
};

static const char *const storages[] = {
    [VOX_F32] = "FloatStorage",     [VOX_F64] = "DoubleStorage", [VOX_F16] = "HalfStorage",
    [VOX_BF16] = "BFloat16Storage", [VOX_I64] = "LongStorage",   [VOX_I32] = "IntStorage",
    [VOX_I16] = "ShortStorage",     [VOX_I8] = "CharStorage",    [VOX_U8] = "ByteStorage",
    [VOX_BOOL] = "BoolStorage",
};

/* Element types of torch; -1: we cannot hold such tensors, but the name may be a value. */
static const struct {
    const char *name;
    int dtype;
} dtypes[] = {
    {"float32", VOX_F32}, {"float64", VOX_F64}, {"float16", VOX_F16}, {"bfloat16", VOX_BF16},
    {"int64", VOX_I64}, {"int32", VOX_I32}, {"int16", VOX_I16}, {"int8", VOX_I8},
    {"uint8", VOX_U8}, {"bool", VOX_BOOL}, {"float", VOX_F32}, {"double", VOX_F64},
    {"half", VOX_F16}, {"long", VOX_I64}, {"int", VOX_I32}, {"short", VOX_I16},
    {"uint16", -1}, {"uint32", -1}, {"uint64", -1}, {"complex64", -1}, {"complex128", -1},
    {"float8_e4m3fn", -1}, {"float8_e5m2", -1},
};

static const struct {
    unsigned char code;
    const char *name;
} opcodes[] = {
    {'(', "MARK"}, {')', "EMPTY_TUPLE"}, {'.', "STOP"}, {'0', "POP"}, {'1', "POP_MARK"},
    {'2', "DUP"}, {'B', "BINBYTES"}, {'C', "SHORT_BINBYTES"}, {'F', "FLOAT"},
    {'G', "BINFLOAT"}, {'I', "INT"}, {'J', "BININT"}, {'K', "BININT1"}, {'L', "LONG"},
    {'M', "BININT2"}, {'N', "NONE"}, {'P', "PERSID"}, {'Q', "BINPERSID"}, {'R', "REDUCE"},
    {'S', "STRING"}, {'T', "BINSTRING"}, {'U', "SHORT_BINSTRING"}, {'V', "UNICODE"},
    {'X', "BINUNICODE"}, {']', "EMPTY_LIST"}, {'a', "APPEND"}, {'b', "BUILD"},
    {'c', "GLOBAL"}, {'d', "DICT"}, {'e', "APPENDS"}, {'g', "GET"}, {'h', "BINGET"},
    {'i', "INST"}, {'j', "LONG_BINGET"}, {'l', "LIST"}, {'o', "OBJ"}, {'p', "PUT"},
    {'q', "BINPUT"}, {'r', "LONG_BINPUT"}, {'s', "SETITEM"}, {'t', "TUPLE"},
    {'u', "SETITEMS"}, {'}', "EMPTY_DICT"}, {0x80, "PROTO"}, {0x81, "NEWOBJ"},
    {0x82, "EXT1"}, {0x83, "EXT2"}, {0x84, "EXT4"}, {0x85, "TUPLE1"}, {0x86, "TUPLE2"},
    {0x87, "TUPLE3"}, {0x88, "NEWTRUE"}, {0x89, "NEWFALSE"}, {0x8a, "LONG1"},
    {0x8b, "LONG4"}, {0x8c, "SHORT_BINUNICODE"}, {0x8d, "BINUNICODE8"},
    {0x8e, "BINBYTES8"}, {0x8f, "EMPTY_SET"}, {0x90, "ADDITEMS"}, {0x91, "FROZENSET"},
    {0x92, "NEWOBJ_EX"}, {0x93, "STACK_GLOBAL"}, {0x94, "MEMOIZE"}, {0x95, "FRAME"},
    {0x96, "BYTEARRAY8"}, {0x97, "NEXT_BUFFER"}, {0x98, "READONLY_BUFFER"},
};
/* clang-format on */

static vox_pickle_global of_torch(const char *name, int *dtype)
{
    for (int t = VOX_F32; t <= VOX_BOOL; t++) {
        if (strcmp(name, storages[t]) == 0) {
            *dtype = t;
            return VOX_GLOBAL_STORAGE;
        }
    }
    for (int i = 0; i < VOX_COUNT(dtypes); i++) {
        if (strcmp(name, dtypes[i].name) == 0) {
            *dtype = dtypes[i].dtype;
            return VOX_GLOBAL_DTYPE;
        }
    }
    return VOX_GLOBAL_UNKNOWN;
}

vox_pickle_global vox_pickle_global_of(const char *module, const char *name, int *dtype)
{
    *dtype = -1;
    for (int i = 0; i < VOX_COUNT(globals); i++) {
        if (strcmp(module, globals[i].module) == 0 && strcmp(name, globals[i].name) == 0)
            return globals[i].global;
    }
    return strcmp(module, "torch") == 0 ? of_torch(name, dtype) : VOX_GLOBAL_UNKNOWN;
}

const char *vox_pickle_storage_name(vox_dtype dtype)
{
    return storages[dtype];
}

const char *vox_pickle_opcode_name(unsigned char code)
{
    for (int i = 0; i < VOX_COUNT(opcodes); i++) {
        if (opcodes[i].code == code)
            return opcodes[i].name;
    }
    return "unknown opcode";
}
