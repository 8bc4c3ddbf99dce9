/* Element types: names and sizes. */
#include "tfc_runtime.h"

static const struct {
  const char *name;
  int64_t byte_count;
} types[] = {
    [TFC_I1] = {"i1", 1},
    [TFC_I2] = {"i2", 1},
    [TFC_I4] = {"i4", 1},
    [TFC_I8] = {"i8", 1},
    [TFC_I16] = {"i16", 2},
    [TFC_I32] = {"i32", 4},
    [TFC_I64] = {"i64", 8},
    [TFC_UI2] = {"ui2", 1},
    [TFC_UI4] = {"ui4", 1},
    [TFC_UI8] = {"ui8", 1},
    [TFC_UI16] = {"ui16", 2},
    [TFC_UI32] = {"ui32", 4},
    [TFC_UI64] = {"ui64", 8},
    [TFC_F16] = {"f16", 2},
    [TFC_BF16] = {"bf16", 2},
    [TFC_F32] = {"f32", 4},
    [TFC_F64] = {"f64", 8},
    [TFC_COMPLEX64] = {"complex<f32>", 8},
    [TFC_COMPLEX128] = {"complex<f64>", 16},
    [TFC_F8E3M4] = {"f8E3M4", 1},
    [TFC_F8E4M3] = {"f8E4M3", 1},
    [TFC_F8E4M3FN] = {"f8E4M3FN", 1},
    [TFC_F8E4M3FNUZ] = {"f8E4M3FNUZ", 1},
    [TFC_F8E4M3B11FNUZ] = {"f8E4M3B11FNUZ", 1},
    [TFC_F8E5M2] = {"f8E5M2", 1},
    [TFC_F8E5M2FNUZ] = {"f8E5M2FNUZ", 1},
    [TFC_F8E8M0FNU] = {"f8E8M0FNU", 1},
    [TFC_F4E2M1FN] = {"f4E2M1FN", 1},
    [TFC_F6E2M3FN] = {"f6E2M3FN", 1},
    [TFC_F6E3M2FN] = {"f6E3M2FN", 1},
};

static int32_t is_type(int32_t type) {
  return type > 0 && type < (int32_t)(sizeof types / sizeof types[0]);
}

const char *tfc_type_name(int32_t type) { return is_type(type) ? types[type].name : "unknown"; }

int64_t tfc_type_byte_count(int32_t type) { return is_type(type) ? types[type].byte_count : 0; }
