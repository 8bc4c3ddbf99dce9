/* Stands for the generated object: scaled = x * w, y = scaled + bias, sums = sums of eight elements of x; on the device,
 * and on the CPU. */
#include "tfc_opencl.h"

enum { ARENA, CONSTANTS, X, BIAS, Y, SUMS, SCALED };
enum { CHECK, SCALE, ADD, SUM };

/* The arena has a flag, then x * w. */
int32_t tfc_opencl_program(tfc_context *context, int64_t *symbols) {
  int64_t n = symbols[0];
  tfc_opencl_launch(context, CHECK, CHECK, (const int64_t[]){ARENA, 0, X, 0, n}, 1);
  if (tfc_opencl_read(context, ARENA, 0, 4)) return TFC_CHECK_FAILED;
  tfc_opencl_launch(context, SUM, SUM, (const int64_t[]){X, 0, SUMS, 0, n}, (n + 7) / 8);
  tfc_opencl_launch(context, SCALE, SCALE, (const int64_t[]){X, 0, CONSTANTS, 0, ARENA, 64}, n);
  tfc_opencl_copy(context, ARENA, 64, SCALED, 0, 4 * n);
  tfc_opencl_launch(context, ADD, ADD, (const int64_t[]){ARENA, 64, BIAS, 0, Y, 0}, n);
  return TFC_OK;
}

int32_t tfc_program_run(
    const tfc_team *team, const void *const *inputs, void *const *outputs, uint8_t *arena, const uint8_t *constants,
    int64_t *symbols) {
  const float *x = inputs[0], *bias = inputs[1], *w = (const float *)(const void *)constants;
  float *y = outputs[0], *sums = outputs[1], *scaled = outputs[2];
  (void)team;
  (void)arena;
  if (symbols[0] > 0 && x[0] < 0) return TFC_CHECK_FAILED;
  for (int64_t i = 0; i < symbols[0]; i++) {
    sums[i / 8] = i % 8 == 0 ? x[i] : sums[i / 8] + x[i];
    scaled[i] = x[i] * w[i % 3];
    y[i] = scaled[i] + bias[0];
  }
  return TFC_OK;
}
