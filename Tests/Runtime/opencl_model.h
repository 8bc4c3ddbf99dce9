/* The model `mix` and variants of it, for the tests of OpenCL's files. */
#ifndef OPENCL_MODEL_H
#define OPENCL_MODEL_H

#include <dlfcn.h>
#include <stdlib.h>

#include "libmix.h"
#include "opencl.h"
#include "test.h"

/* The model `mix` with tensors of so many elements. */
typedef struct call {
  int64_t n, sum_count;
  float *x, *y, *sums, *scaled;
  float bias;
  void *memory;
} call;

/* Tensors in one block, each `shift` bytes behind an address that a device may use as it is. */
static inline call begin(int64_t n, int64_t shift) {
  call c = {.n = n, .sum_count = (n + 7) / 8, .bias = 0.25f};
  size_t part = ((size_t)n * 4 + 512) & ~(size_t)255;
  if (posix_memalign(&c.memory, 256, 4 * part) != 0) abort();
  memset(c.memory, 0, 4 * part);
  uint8_t *at = (uint8_t *)c.memory + shift;
  c.x = (float *)(void *)at;
  c.y = (float *)(void *)(at + part);
  c.sums = (float *)(void *)(at + 2 * part);
  c.scaled = (float *)(void *)(at + 3 * part);
  for (int64_t i = 0; i < n; i++) c.x[i] = (float)(i % 11);
  return c;
}

static inline int is_right(const call *c) {
  const float w[] = {0.5f, -1, 2};
  for (int64_t i = 0; i < c->n; i++) {
    float x = (float)(i % 11);
    if (c->scaled[i] != x * w[i % 3] || c->y[i] != x * w[i % 3] + c->bias) return 0;
  }
  for (int64_t s = 0; s < c->sum_count; s++) {
    float sum = 0;
    for (int64_t i = 8 * s; i < 8 * s + 8 && i < c->n; i++) sum += (float)(i % 11);
    if (c->sums[s] != sum) return 0;
  }
  return 1;
}

static inline int32_t run(mix *model, call *c) {
  return mix_run(model, (mix_dims){c->n}, c->x, &c->bias, c->y, c->sums, c->scaled);
}

static inline void expect_prefix(const char *text, const char *prefix) {
  char begin[256];
  snprintf(begin, sizeof begin, "%.*s", (int)strlen(prefix), text);
  expect_text(begin, prefix);
}

/* A model whose device cannot be had runs on the CPU, where it has code for it, and says why. */
static inline void expect_cpu(const char *device, const char *why) {
  const char *reason = NULL;
  mix *model = mix_create(&(mix_options){.device = device});
  expect(model != NULL && mix_device_handle(model, TFC_DEVICE_CONTEXT) == NULL);
  expect(mix_target(model, &reason) == TFC_TARGET_CPU && mix_target(model, NULL) == TFC_TARGET_CPU);
  expect_prefix(reason, why);
  call c = begin(20, 0);
  expect(run(model, &c) == TFC_OK && is_right(&c));
  expect(mix_run_on_device(model, (mix_dims){20}, c.x, &c.bias, c.y, c.sums, c.scaled) == TFC_INVALID_ARGUMENT);
  expect_text(
      mix_last_error(model), "the model runs on the CPU in this context, so it takes no memory of a device");
  free(c.memory);
  mix_destroy(model);
}

/* The table of `mix` without its CPU code, with another OpenCL side. */
typedef struct variant {
  void *handle;
  tfc_artifact_table table;
  tfc_entry entry;
  tfc_opencl_code code;
  tfc_opencl_kernel kernels[4];
} variant;

static inline void begin_variant(variant *v) {
  const tfc_artifact_table *artifact;
  v->handle = open_model("mix", &artifact);
  v->table = *artifact;
  v->entry = artifact->entries[0];
  v->entry.program = NULL;
  memcpy(&v->code, artifact->device_code, sizeof v->code);
  memcpy(v->kernels, v->code.kernels, sizeof v->kernels);
  v->code.kernels = v->kernels;
  v->table.entries = &v->entry;
  v->table.device_code = &v->code;
}

/* A call of the variant's context through its table. */
static inline int32_t run_variant(const variant *v, tfc_context *context, call *c) {
  const int64_t byte_count = 4 * c->n;
  const tfc_tensor inputs[] = {{c->x, byte_count, &c->n, 1, TFC_F32}, {&c->bias, 4, NULL, 0, TFC_F32}};
  const tfc_tensor outputs[] = {
      {.data = c->y, .byte_count = byte_count, .type = TFC_F32},
      {.data = c->sums, .byte_count = 4 * c->sum_count, .type = TFC_F32},
      {.data = c->scaled, .byte_count = byte_count, .type = TFC_F32}};
  return v->table.functions->run(context, 0, inputs, 2, outputs, 3);
}

/* Why the variant cannot be created. */
static inline const char *refusal(const variant *v, const char *device) {
  tfc_context *context = v->table.functions->create(&v->table, &(tfc_options){.device = device});
  expect(context == NULL);
  v->table.functions->destroy(context);
  return v->table.functions->last_error(NULL);
}

/* A cache folder that is empty. */
static inline void begin_cache(void) {
  char folder[512];
  /* The six letters are those that mkdtemp replaces. */
  snprintf(folder, sizeof folder, "%s/kept-XXXXXX", getenv("XDG_CACHE_HOME"));
  expect(mkdtemp(folder) != NULL);
  setenv("XDG_CACHE_HOME", folder, 1);
}

#endif
