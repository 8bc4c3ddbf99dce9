/* Stands for the generated object: one step of descent on the sum of squares, in place where the caller shares. */
#include "tfc_generated.h"

static void sum_of_squares(void *const *buffers, const int64_t *extents, int64_t begin, int64_t end) {
  const float *weights = buffers[0];
  double *loss = buffers[1];
  (void)begin;
  (void)end;
  *loss = 0;
  for (int64_t i = 0; i < extents[0]; i++) *loss += (double)weights[i] * (double)weights[i];
}

static void descend(void *const *buffers, const int64_t *extents, int64_t begin, int64_t end) {
  const float *weights = buffers[0], *rate = buffers[1];
  float *new_weights = buffers[2];
  (void)extents;
  for (int64_t i = begin; i < end; i++) new_weights[i] = weights[i] - 2 * rate[0] * weights[i];
}

int32_t tfc_program_run(
    const tfc_team *team, const void *const *inputs, void *const *outputs, uint8_t *arena, const uint8_t *constants,
    int64_t *symbols) {
  (void)arena;
  (void)constants;
  (void)symbols;
  const int64_t extents[] = {5};
  const float *rate = inputs[1];
  if (*rate < 0) return TFC_CHECK_FAILED + 0;
  tfc_profile_begin(team, 0);
  sum_of_squares((void *const[]){(void *)inputs[0], outputs[1]}, extents, 0, 1);
  tfc_profile_end(team, 0);
  tfc_profile_begin(team, 1);
  tfc_parallel(team, descend, (void *const[]){(void *)inputs[0], (void *)inputs[1], outputs[0]}, extents, 5, 1);
  tfc_profile_end(team, 1);
  return TFC_OK;
}
