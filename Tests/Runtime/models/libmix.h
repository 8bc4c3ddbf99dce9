/* mix, compiled by tfc 0.1.0: target=opencl,cpu precision=f32 fusion=on */
#ifndef LIBMIX_H
#define LIBMIX_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A model that is ready to run. One thread at a time may use it; threads that run at once create one each. */
typedef struct mix mix;

/* How a model runs; all zero is the default. */
typedef struct mix_options {
  /* At most so many threads work on one call; 0: one for each CPU. */
  int32_t threads;
  /* The program's own threads instead of the model's, or null: calls body(state, i) once for each i from 0 to
   * count - 1, on any threads, and returns when all calls have. */
  void (*parallel_for)(void *user, int32_t count, void (*body)(void *state, int32_t index), void *state);
  void *user;
  /* The OpenCL device: a part of its name or of its platform's, or "PLATFORM:DEVICE" in numbers, or null. */
  const char *device;
} mix_options;

/* A new model, or null: then mix_last_error(NULL) says why. `options` may be null. */
mix *mix_create(const mix_options *options);

/* The extents that the caller chooses. */
typedef struct mix_dims {
  int64_t n; /* from 0 */
} mix_dims;

/* Computes the outputs. Returns 0, or else mix_last_error says what is wrong. Tensors are row-major. */
int32_t mix_run(
    mix *model, mix_dims dims,
    const float *x,    /* n */
    const float *bias, /* scalar */
    float *y,          /* n, may be the buffer of `x` */
    float *sums,       /* ceil(n/8) */
    float *scaled      /* n */
);

/* The same with OpenCL memory objects. */
int32_t mix_run_on_device(mix *model, mix_dims dims, void *x, void *bias, void *y, void *sums, void *scaled);
void *mix_device_handle(const mix *model, int32_t kind);
int32_t mix_target(const mix *model, const char **why);

/* Releases the model; null is allowed. */
void mix_destroy(mix *model);

/* What is wrong with the model's last call, "" when nothing; of null: with the last create that failed. */
const char *mix_last_error(const mix *model);

#ifdef __cplusplus
}
#endif

#endif
