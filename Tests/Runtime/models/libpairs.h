/* pairs, compiled by tfc 0.1.0: cpu=x86-64 precision=f32 fusion=on */
#ifndef LIBPAIRS_H
#define LIBPAIRS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A model that is ready to run. One thread at a time may use it; threads that run at once create one each. */
typedef struct pairs pairs;

/* How a model runs; all zero is the default. */
typedef struct pairs_options {
  /* At most so many threads work on one call; 0: one for each CPU. */
  int32_t threads;
  /* The program's own threads instead of the model's, or null: calls body(state, i) once for each i from 0 to
   * count - 1, on any threads, and returns when all calls have. */
  void (*parallel_for)(void *user, int32_t count, void (*body)(void *state, int32_t index), void *state);
  void *user;
} pairs_options;

/* A new model, or null: then pairs_last_error(NULL) says why. `options` may be null. */
pairs *pairs_create(const pairs_options *options);

/* The extents that the caller chooses. */
typedef struct pairs_dims {
  int64_t batch; /* 1 to 64 */
  int64_t seq;   /* from 0 */
} pairs_dims;

/* Computes the outputs. Returns 0, or else pairs_last_error says what is wrong. Tensors are row-major. */
int32_t pairs_run(
    pairs *model, pairs_dims dims,
    const int32_t *ids, /* batch x seq */
    const float *mask,  /* batch x 1 x seq */
    const float *odd,   /* 2*seq + 1 */
    float *scaled,      /* batch x seq */
    int64_t *longer     /* max(batch, seq) */
);

/* The byte count of output 0 'scaled' or 1 'longer', -1 where `dims` are out of their bounds. Writes the output's
 * extents to `extents` unless it is null. */
int64_t pairs_output_extents(int32_t output, pairs_dims dims, int64_t *extents);

/* Releases the model; null is allowed. */
void pairs_destroy(pairs *model);

/* What is wrong with the model's last call, "" when nothing; of null: with the last create that failed. */
const char *pairs_last_error(const pairs *model);

#ifdef __cplusplus
}
#endif

#endif
