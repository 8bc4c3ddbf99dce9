/* step, compiled by tfc 0.1.0: cpu=x86-64 precision=f32 fusion=on profile=on */
#ifndef LIBSTEP_H
#define LIBSTEP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A model that is ready to run. One thread at a time may use it; threads that run at once create one each. */
typedef struct step step;

/* How a model runs; all zero is the default. */
typedef struct step_options {
  /* At most so many threads work on one call; 0: one for each CPU. */
  int32_t threads;
  /* The program's own threads instead of the model's, or null: calls body(state, i) once for each i from 0 to
   * count - 1, on any threads, and returns when all calls have. */
  void (*parallel_for)(void *user, int32_t count, void (*body)(void *state, int32_t index), void *state);
  void *user;
} step_options;

/* A new model, or null: then step_last_error(NULL) says why. `options` may be null. */
step *step_create(const step_options *options);

/* Where the inputs are. */
typedef struct step_inputs {
  const float *weights; /* 5 */
  const float *rate;    /* scalar */
  const float *nothing; /* 0 x 7, may be null */
} step_inputs;

/* Where the outputs go. */
typedef struct step_outputs {
  float *new_weights; /* 5, may be the buffer of `weights` */
  double *loss;       /* scalar */
} step_outputs;

/* Computes the outputs. Returns 0, or else step_last_error says what is wrong. Tensors are row-major. */
int32_t step_run(step *model, const step_inputs *inputs, const step_outputs *outputs);

/* Releases the model; null is allowed. */
void step_destroy(step *model);

/* What is wrong with the model's last call, "" when nothing; of null: with the last create that failed. */
const char *step_last_error(const step *model);

#ifdef __cplusplus
}
#endif

#endif
