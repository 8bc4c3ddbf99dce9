#include "context.h"
#include "test.h"

static void names_and_numbers_are_stable(void) {
  expect_text(tfc_cpu_feature_name(TFC_CPU_SSE4_2), "sse4.2");
  expect_text(tfc_cpu_feature_name(17), "avx512f");
  expect_text(tfc_cpu_feature_name(35), "amx-fp16");
  expect_text(tfc_cpu_feature_name(36), "bf16");
  expect(tfc_cpu_feature_name(0) == NULL);
  expect(tfc_cpu_feature_name(TFC_CPU_FEATURE_COUNT) == NULL);
  for (int32_t f = 1; f < TFC_CPU_FEATURE_COUNT; f++) expect(tfc_cpu_feature_name(f) != NULL);
  expect(!tfc_cpu_has(-1));
  expect(!tfc_cpu_has(0));
  expect(!tfc_cpu_has(TFC_CPU_FEATURE_COUNT));
  expect_text(tfc_type_name(TFC_COMPLEX64), "complex<f32>");
  expect_text(tfc_type_name(0), "unknown");
  expect_text(tfc_type_name(31), "unknown");
  expect(tfc_type_byte_count(TFC_COMPLEX128) == 16);
  expect(tfc_type_byte_count(TFC_I1) == 1);
  expect(tfc_type_byte_count(-1) == 0);
}

#if defined(__x86_64__)
static void features_agree_with_the_compiler(void) {
  expect(!tfc_cpu_has(TFC_CPU_AVX) == !__builtin_cpu_supports("avx"));
  expect(!tfc_cpu_has(TFC_CPU_AVX2) == !__builtin_cpu_supports("avx2"));
  expect(!tfc_cpu_has(TFC_CPU_FMA) == !__builtin_cpu_supports("fma"));
  expect(!tfc_cpu_has(TFC_CPU_BMI) == !__builtin_cpu_supports("bmi"));
  expect(!tfc_cpu_has(TFC_CPU_BMI2) == !__builtin_cpu_supports("bmi2"));
  expect(!tfc_cpu_has(TFC_CPU_POPCNT) == !__builtin_cpu_supports("popcnt"));
  expect(!tfc_cpu_has(TFC_CPU_SSE4_2) == !__builtin_cpu_supports("sse4.2"));
  expect(!tfc_cpu_has(TFC_CPU_GFNI) == !__builtin_cpu_supports("gfni"));
  expect(!tfc_cpu_has(TFC_CPU_AVX512F) == !__builtin_cpu_supports("avx512f"));
  expect(!tfc_cpu_has(TFC_CPU_AVX512BW) == !__builtin_cpu_supports("avx512bw"));
  expect(!tfc_cpu_has(TFC_CPU_AVX512CD) == !__builtin_cpu_supports("avx512cd"));
  expect(!tfc_cpu_has(TFC_CPU_AVX512DQ) == !__builtin_cpu_supports("avx512dq"));
  expect(!tfc_cpu_has(TFC_CPU_AVX512VL) == !__builtin_cpu_supports("avx512vl"));
  expect(!tfc_cpu_has(TFC_CPU_AVX512VNNI) == !__builtin_cpu_supports("avx512vnni"));
  expect(!tfc_cpu_has(TFC_CPU_AVX512VBMI2) == !__builtin_cpu_supports("avx512vbmi2"));
  expect(!tfc_cpu_has(TFC_CPU_AVX512BITALG) == !__builtin_cpu_supports("avx512bitalg"));
  expect(!tfc_cpu_has(TFC_CPU_AVX512BF16) == !__builtin_cpu_supports("avx512bf16"));
  expect(!tfc_cpu_has(TFC_CPU_BF16));
  expect(!tfc_has_bf16_tiles() == !(tfc_cpu_has(TFC_CPU_AMX_TILE) && tfc_cpu_has(TFC_CPU_AMX_BF16)));
  expect(!tfc_has_f16_tiles() == !(tfc_cpu_has(TFC_CPU_AMX_TILE) && tfc_cpu_has(TFC_CPU_AMX_FP16)));
}
#endif

static void a_cpu_without_a_feature_is_refused(void) {
  static tfc_artifact_table tables[TFC_CPU_FEATURE_COUNT];
  char sentence[TFC_ERROR_BYTE_COUNT];
  for (int32_t f = 1; f < TFC_CPU_FEATURE_COUNT; f++) {
    tables[f] = (tfc_artifact_table){.name = "m", .build = "cpu=x", .cpu_feature_count = 1, .cpu_features = &f};
    tfc_context *context = tfc_create(&tables[f], NULL);
    expect(!tfc_cpu_has(f) == (context == NULL));
    tfc_destroy(context);
    if (context != NULL) continue;
    snprintf(
        sentence, sizeof sentence, "this CPU has no %s, for which 'm' was compiled (cpu=x)", tfc_cpu_feature_name(f));
    expect_text(tfc_last_error(NULL), sentence);
  }
}

static void an_unknown_feature_is_refused(void) {
  static const int32_t features[] = {TFC_CPU_FEATURE_COUNT, -3};
  static const tfc_artifact_table table = {
      .name = "m", .build = "cpu=x", .cpu_feature_count = 2, .cpu_features = features};
  expect(tfc_create(&table, NULL) == NULL);
  expect_text(
      tfc_last_error(NULL), "this CPU has no (newer feature), (newer feature), for which 'm' was compiled (cpu=x)");
}

static void there_is_a_cpu(void) { expect(tfc_cpu_count() >= 1); }

void test_cpu(void) {
  RUN(names_and_numbers_are_stable);
#if defined(__x86_64__)
  RUN(features_agree_with_the_compiler);
#endif
  RUN(a_cpu_without_a_feature_is_refused);
  RUN(an_unknown_feature_is_refused);
  RUN(there_is_a_cpu);
}
