/* Stands for the generated object: scaled = ids * mask + odd[2 * column], longer = 0, 1, 2, ... */
#include "tfc_generated.h"

static void multiply(void *const *buffers, const int64_t *extents, int64_t begin, int64_t end) {
  const int32_t *ids = buffers[0];
  const float *mask = buffers[1];
  float *product = buffers[2];
  (void)extents;
  for (int64_t i = begin; i < end; i++) product[i] = (float)ids[i] * mask[i];
}

static void add(void *const *buffers, const int64_t *extents, int64_t begin, int64_t end) {
  const float *product = buffers[0], *odd = buffers[1];
  float *scaled = buffers[2];
  for (int64_t i = begin; i < end; i++) scaled[i] = product[i] + odd[2 * (i % extents[1])];
}

static void count(void *const *buffers, const int64_t *extents, int64_t begin, int64_t end) {
  int64_t *longer = buffers[0];
  (void)extents;
  for (int64_t i = begin; i < end; i++) longer[i] = i;
}

int32_t tfc_program_run(
    const tfc_team *team, const void *const *inputs, void *const *outputs, uint8_t *arena, const uint8_t *constants,
    int64_t *symbols) {
  (void)constants;
  int64_t batch = symbols[0], seq = symbols[1];
  void *const first[] = {(void *)inputs[0], (void *)inputs[1], arena};
  void *const second[] = {arena, (void *)inputs[2], outputs[0]};
  tfc_parallel(team, multiply, first, symbols, batch * seq, 4);
  tfc_parallel(team, add, second, symbols, batch * seq, 1);
  tfc_parallel(team, count, &outputs[1], symbols, batch > seq ? batch : seq, 2);
  return TFC_OK;
}
