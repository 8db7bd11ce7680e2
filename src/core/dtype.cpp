#include "core/dtype.h"

namespace corundum {
namespace {

// One row per Dtype, in its order.
constexpr DtypeInfo table[] = {
    // name, short, kernel type, compute type, bytes, floating, complex
    {"bool", "b8", "bool", "bool", 1, false, false},
    {"uint8", "u8", "unsigned char", "unsigned char", 1, false, false},
    {"int8", "i8", "signed char", "signed char", 1, false, false},
    {"int16", "i16", "short", "short", 2, false, false},
    {"int32", "i32", "int", "int", 4, false, false},
    {"int64", "i64", "long long", "long long", 8, false, false},
    {"uint16", "u16", "unsigned short", "unsigned short", 2, false, false},
    {"uint32", "u32", "unsigned", "unsigned", 4, false, false},
    {"uint64", "u64", "unsigned long long", "unsigned long long", 8, false, false},
    {"float16", "f16", "cor::f16", "float", 2, true, false},
    {"bfloat16", "bf16", "cor::bf16", "float", 2, true, false},
    {"float32", "f32", "float", "float", 4, true, false},
    {"float64", "f64", "double", "double", 8, true, false},
    {"complex64", "c64", "cor::c64", "cor::c64", 8, false, true},
    {"complex128", "c128", "cor::c128", "cor::c128", 16, false, true},
    {"float8_e4m3fn", "f8e4m3fn", "cor::f8e4m3", "float", 1, true, false},
    {"float8_e5m2", "f8e5m2", "cor::f8e5m2", "float", 1, true, false},
};
static_assert(sizeof table / sizeof table[0] == static_cast<size_t>(Dtype::count));

constexpr DtypeInfo unknown = {"invalid", "invalid", "void", "void", 0, false, false};

} // namespace

const DtypeInfo& info(Dtype dtype) { return dtype < Dtype::count ? table[static_cast<size_t>(dtype)] : unknown; }

} // namespace corundum
