/* affine, compiled by tfc 0.1.0: cpu=x86-64 precision=f32 fusion=on */
#ifndef LIBAFFINE_H
#define LIBAFFINE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A model that is ready to run. One thread at a time may use it; threads that run at once create one each. */
typedef struct affine affine;

/* How a model runs; all zero is the default. */
typedef struct affine_options {
  /* At most so many threads work on one call; 0: one for each CPU. */
  int32_t threads;
  /* The program's own threads instead of the model's, or null: calls body(state, i) once for each i from 0 to
   * count - 1, on any threads, and returns when all calls have. */
  void (*parallel_for)(void *user, int32_t count, void (*body)(void *state, int32_t index), void *state);
  void *user;
} affine_options;

/* A new model, or null: then affine_last_error(NULL) says why. `options` may be null. */
affine *affine_create(const affine_options *options);

/* Computes the outputs. Returns 0, or else affine_last_error says what is wrong. Tensors are row-major. */
int32_t affine_run(
    affine *model,
    const float *x,   /* 4 x 3 */
    const int32_t *k, /* scalar */
    float *y          /* 4 x 3 */
);

/* Releases the model; null is allowed. */
void affine_destroy(affine *model);

/* What is wrong with the model's last call, "" when nothing; of null: with the last create that failed. */
const char *affine_last_error(const affine *model);

#ifdef __cplusplus
}
#endif

#endif
