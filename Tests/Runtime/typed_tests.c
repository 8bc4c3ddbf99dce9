#include <stdlib.h>

#include "libaffine.h"
#include "libpairs.h"
#include "libstep.h"
#include "test.h"

static const float x[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
static const int32_t k = 7;

/* The weights are 0.5, -1, 2. */
static void expect_affine(const float *y) {
  const float w[] = {0.5f, -1, 2};
  int right = 0;
  for (int i = 0; i < 12; i++) right += y[i] == x[i] * w[i % 3] + 7;
  expect(right == 12);
}

static void fixed_extents_run(void) {
  float y[12];
  affine *model = affine_create(NULL);
  expect(model != NULL);
  expect(affine_run(model, x, &k, y) == TFC_OK);
  expect_text(affine_last_error(model), "");
  expect_affine(y);
  affine_destroy(model);
  affine_destroy(NULL);
}

static void bad_pointers_are_refused(void) {
  float y[13], both[24];
  affine *model = affine_create(&(affine_options){.threads = 2});
  expect(affine_run(NULL, x, &k, y) == TFC_INVALID_ARGUMENT);
  expect(affine_run(model, NULL, &k, y) == TFC_INVALID_ARGUMENT);
  expect_text(affine_last_error(model), "input 0 'x': data is null");
  expect(affine_run(model, x, NULL, y) == TFC_INVALID_ARGUMENT);
  expect_text(affine_last_error(model), "input 1 'k': data is null");
  expect(affine_run(model, x, &k, NULL) == TFC_INVALID_ARGUMENT);
  expect_text(affine_last_error(model), "output 0 'y': data is null");
  expect(affine_run(model, x, &k, (float *)(void *)((char *)y + 2)) == TFC_INVALID_ARGUMENT);
  expect_text(affine_last_error(model), "output 0 'y': data is not aligned to 4 bytes");
  expect(affine_run(model, both, &k, both + 11) == TFC_INVALID_ARGUMENT);
  expect_text(affine_last_error(model), "output 0 'y' overlaps input 0 'x'");
  expect(affine_run(model, both + 11, &k, both) == TFC_INVALID_ARGUMENT);
  expect_text(affine_last_error(model), "output 0 'y' overlaps input 0 'x'");
  expect(affine_run(model, both, &k, both) == TFC_INVALID_ARGUMENT);
  expect_text(affine_last_error(model), "output 0 'y' overlaps input 0 'x'");
  memcpy(both, x, sizeof x);
  expect(affine_run(model, both, &k, both + 12) == TFC_OK);
  expect_text(affine_last_error(model), "");
  expect_affine(both + 12);
  affine_destroy(model);
}

static void negative_threads_are_refused(void) {
  expect(affine_create(&(affine_options){.threads = -1}) == NULL);
  expect_text(affine_last_error(NULL), "threads is negative, expected 0 or more");
  affine *model = affine_create(&(affine_options){.threads = 1000000});
  expect(model != NULL);
  affine_destroy(model);
}

/* Runs `pairs` on numbered inputs; expects what they give. */
static void run_pairs(pairs *model, int64_t batch, int64_t seq) {
  size_t count = (size_t)(batch * seq);
  pairs_dims dims = {.batch = batch, .seq = seq};
  int64_t longer_extent = -1, extents[2] = {-1, -1};
  expect(pairs_output_extents(0, dims, extents) == (int64_t)(count * sizeof(float)));
  expect(extents[0] == batch && extents[1] == seq);
  expect(pairs_output_extents(1, dims, &longer_extent) == 8 * (batch > seq ? batch : seq));
  int32_t *ids = malloc((count + 1) * sizeof *ids);
  float *mask = malloc((count + 1) * sizeof *mask), *scaled = malloc((count + 1) * sizeof *scaled);
  float *odd = malloc((size_t)(2 * seq + 1) * sizeof *odd);
  int64_t *longer = malloc((size_t)longer_extent * sizeof *longer);
  for (size_t i = 0; i < count; i++) {
    ids[i] = (int32_t)i;
    mask[i] = (float)(i % 3);
  }
  for (int64_t i = 0; i < 2 * seq + 1; i++) odd[i] = (float)i * 0.25f;
  expect(pairs_run(model, dims, ids, mask, odd, scaled, longer) == TFC_OK);
  size_t right = 0;
  for (size_t i = 0; i < count; i++) right += scaled[i] == (float)ids[i] * mask[i] + odd[2 * (i % (size_t)seq)];
  expect(right == count);
  for (int64_t i = 0; i < longer_extent; i++) expect(longer[i] == i);
  free(ids);
  free(mask);
  free(scaled);
  free(odd);
  free(longer);
}

static void symbols_run_and_the_arena_grows(void) {
  pairs *model = pairs_create(&(pairs_options){.threads = 3});
  run_pairs(model, 1, 1);
  run_pairs(model, 2, 5);
  run_pairs(model, 64, 129);
  run_pairs(model, 3, 2);
  run_pairs(model, 64, 100003);
  run_pairs(model, 5, 7);
  pairs_destroy(model);
}

static void empty_tensors_may_be_null(void) {
  pairs *model = pairs_create(NULL);
  float odd = 3;
  int64_t longer[4] = {9, 9, 9, 9};
  expect(pairs_run(model, (pairs_dims){4, 0}, NULL, NULL, &odd, NULL, longer) == TFC_OK);
  expect(longer[3] == 3);
  pairs_destroy(model);
}

static void dims_out_of_bounds_are_refused(void) {
  pairs *model = pairs_create(NULL);
  const int32_t ids[2] = {0, 0};
  const float floats[8] = {0};
  float scaled[2];
  int64_t longer[2];
  expect(pairs_run(model, (pairs_dims){0, 1}, ids, floats, floats, scaled, longer) == TFC_INVALID_ARGUMENT);
  expect_text(pairs_last_error(model), "batch = 0 is outside 1...64");
  expect(pairs_run(model, (pairs_dims){65, 1}, ids, floats, floats, scaled, longer) == TFC_INVALID_ARGUMENT);
  expect_text(pairs_last_error(model), "batch = 65 is outside 1...64");
  expect(pairs_run(model, (pairs_dims){1, -1}, ids, floats, floats, scaled, longer) == TFC_INVALID_ARGUMENT);
  expect_text(pairs_last_error(model), "seq = -1 is outside 0...2147483647");
  expect(pairs_run(model, (pairs_dims){1, INT64_MAX}, ids, floats, floats, scaled, longer) == TFC_INVALID_ARGUMENT);
  expect_text(pairs_last_error(model), "seq = 9223372036854775807 is outside 0...2147483647");
  expect(pairs_output_extents(0, (pairs_dims){65, 1}, NULL) == -1);
  expect(pairs_output_extents(2, (pairs_dims){1, 1}, NULL) == -1);
  expect(pairs_output_extents(-1, (pairs_dims){1, 1}, NULL) == -1);
  pairs_destroy(model);
}

static void an_aliased_output_may_share_its_inputs_buffer(void) {
  float weights[5] = {1, -2, 3, -4, 5}, moved[5], shared[16] = {0};
  const float rate = 0.25f;
  double loss = 0;
  step *model = step_create(NULL);
  step_inputs inputs = {weights, &rate, NULL};
  expect(step_run(model, &inputs, &(step_outputs){moved, &loss}) == TFC_OK);
  expect(loss == 55 && moved[0] == 0.5f && moved[4] == 2.5f && weights[4] == 5);
  expect(step_run(model, &inputs, &(step_outputs){weights, &loss}) == TFC_OK);
  expect(loss == 55 && memcmp(weights, moved, sizeof moved) == 0);
  inputs.weights = shared;
  expect(step_run(model, &inputs, &(step_outputs){shared + 1, &loss}) == TFC_INVALID_ARGUMENT);
  expect_text(step_last_error(model), "output 0 'new_weights' overlaps input 0 'weights'");
  inputs.rate = shared;
  expect(step_run(model, &inputs, &(step_outputs){shared, &loss}) == TFC_INVALID_ARGUMENT);
  expect_text(step_last_error(model), "output 0 'new_weights' overlaps input 1 'rate'");
  inputs.rate = shared + 4;
  expect(step_run(model, &inputs, &(step_outputs){shared, &loss}) == TFC_INVALID_ARGUMENT);
  expect_text(step_last_error(model), "output 0 'new_weights' overlaps input 1 'rate'");
  inputs.rate = shared + 2;
  expect(step_run(model, &inputs, &(step_outputs){moved, &loss}) == TFC_OK);
  expect(step_run(model, &inputs, &(step_outputs){(float *)(void *)&loss, &loss}) == TFC_INVALID_ARGUMENT);
  expect_text(step_last_error(model), "output 1 'loss' overlaps output 0 'new_weights'");
  step_destroy(model);
}

static void a_failed_check_says_its_sentence(void) {
  float weights[5] = {0}, moved[5];
  const float rate = -1;
  double loss;
  step *model = step_create(NULL);
  step_inputs inputs = {weights, &rate, NULL};
  expect(step_run(model, &inputs, &(step_outputs){moved, &loss}) == TFC_CHECK_FAILED);
  expect_text(step_last_error(model), "rate is negative");
  step_destroy(model);
}

void test_typed(void) {
  RUN(fixed_extents_run);
  RUN(bad_pointers_are_refused);
  RUN(negative_threads_are_refused);
  RUN(symbols_run_and_the_arena_grows);
  RUN(empty_tensors_may_be_null);
  RUN(dims_out_of_bounds_are_refused);
  RUN(an_aliased_output_may_share_its_inputs_buffer);
  RUN(a_failed_check_says_its_sentence);
}
