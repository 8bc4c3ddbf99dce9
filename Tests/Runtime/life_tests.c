#include <dlfcn.h>
#include <unistd.h>

#include "test.h"

static const float x[12] = {1, 2, 3};
static const int32_t k = 1;

/* One call of `affine` through its table. */
static int32_t call(const tfc_artifact_table *artifact, tfc_context *context, float *y) {
  static const int64_t extents[] = {4, 3};
  const tfc_tensor inputs[] = {
      {(void *)x, sizeof x, extents, 2, TFC_F32}, {(void *)&k, sizeof k, NULL, 0, TFC_I32}};
  const tfc_tensor output = {.data = y, .byte_count = 48, .type = TFC_F32};
  return artifact->functions->run(context, 0, inputs, 2, &output, 1);
}

static void contexts_come_and_go(void) {
  const tfc_artifact_table *artifact;
  void *library = open_model("affine", &artifact);
  float y[12];
  for (int n = 0; n < 1000; n++) {
    tfc_context *context = artifact->functions->create(artifact, &(tfc_options){.threads = 1 + n % 3});
    expect(call(artifact, context, y) == TFC_OK);
    artifact->functions->destroy(context);
  }
  expect(y[0] == 1.5f && y[1] == -1 && y[2] == 7);
  dlclose(library);
}

static void libraries_come_and_go(void) {
  int before = thread_count();
  for (int n = 0; n < 200; n++) {
    const tfc_artifact_table *artifact;
    float y[12] = {0};
    void *library = open_model(n % 2 == 0 ? "affine_copy" : "affine", &artifact);
    tfc_context *context = artifact->functions->create(artifact, &(tfc_options){.threads = 3});
    expect(call(artifact, context, y) == TFC_OK && y[2] == 7);
    artifact->functions->destroy(context);
    dlclose(library);
  }
  for (int n = 0; n < 1000 && thread_count() != before; n++) usleep(1000); /* joined threads leave /proc later */
  expect(thread_count() == before);
}

void test_life(void) {
  RUN(contexts_come_and_go);
  RUN(libraries_come_and_go);
}
