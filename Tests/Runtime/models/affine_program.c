/* Stands for the generated object: y = x * w + k, the product by rows in the arena. */
#include "tfc_generated.h"

static void multiply(void *const *buffers, const int64_t *extents, int64_t begin, int64_t end) {
  const float *x = buffers[0], *w = buffers[1];
  float *product = buffers[2];
  for (int64_t row = begin; row < end; row++) {
    for (int64_t c = 0; c < extents[0]; c++) product[row * extents[0] + c] = x[row * extents[0] + c] * w[c];
  }
}

static void add(void *const *buffers, const int64_t *extents, int64_t begin, int64_t end) {
  const float *product = buffers[0];
  const int32_t *k = buffers[1];
  float *y = buffers[2];
  (void)extents;
  for (int64_t i = begin; i < end; i++) y[i] = product[i] + (float)k[0];
}

int32_t tfc_program_run(
    const tfc_team *team, const void *const *inputs, void *const *outputs, uint8_t *arena, const uint8_t *constants,
    int64_t *symbols) {
  (void)symbols;
  const int64_t extents[] = {3};
  tfc_parallel(team, multiply, (void *const[]){(void *)inputs[0], (void *)constants, arena}, extents, 4, 1);
  tfc_parallel(team, add, (void *const[]){arena, (void *)inputs[1], outputs[0]}, extents, 12, 5);
  return TFC_OK;
}
