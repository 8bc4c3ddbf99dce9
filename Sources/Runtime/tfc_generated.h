/* What generated code uses of the runtime: the object with the kernels, and the C file with the tables. */
#ifndef TFC_GENERATED_H
#define TFC_GENERATED_H

#include <stddef.h>
#include <stdint.h>

#include "tfc_runtime.h"

struct tfc_team {
  tfc_context *context;
  int32_t threads; /* at most so many, the one that calls among them */
};

/* A kernel: runs tasks begin ..< end of its parallel loop. */
typedef void (*tfc_task)(void *const *buffers, const int64_t *extents, int64_t begin, int64_t end);

/* Runs tasks 0 ..< task_count, split over the team into contiguous chunks of at least `grain` tasks. */
void tfc_parallel(
    const tfc_team *team, tfc_task task, void *const *buffers, const int64_t *extents, int64_t task_count,
    int64_t grain);

/* A part of the program: steps that do not depend on those of other lists beside it. */
typedef void (*tfc_list)(
    const tfc_team *team, const void *const *inputs, void *const *outputs, uint8_t *arena, const uint8_t *constants,
    const int64_t *symbols);

/* Runs all lists, side by side where the team has threads, which share it. The longest list comes first. */
void tfc_concurrent(
    const tfc_team *team, const tfc_list *lists, int32_t count, const void *const *inputs, void *const *outputs,
    uint8_t *arena, const uint8_t *constants, const int64_t *symbols);

/* Whether AMX tiles and their products of f16 or bf16 may be used: the CPU has them and the system permits them. */
int32_t tfc_has_f16_tiles(void);
int32_t tfc_has_bf16_tiles(void);

/* Nanoseconds of a clock that never goes back. */
int64_t tfc_now(void);

/* Around each launch of a program compiled with profiling. */
void tfc_profile_begin(const tfc_team *team, int32_t launch);
void tfc_profile_end(const tfc_team *team, int32_t launch);
/* Launches that run in bands, a little of each at a time and on several threads: a part that began at `begin` adds to its
 * launch's time; the time since the first of `count` launches began is then shared out as those times are. */
void tfc_profile_add(int64_t *time, int64_t begin);
void tfc_profile_bands(const tfc_team *team, int32_t launch, int32_t count, const int64_t *times, int64_t begin);

/* Another machine than the CPU, for artifacts that have code for it. */
struct tfc_backend {
  /* Makes the context ready and sets its `device`. Else returns why not: a constant, or the context's `error`; whether
   * that is because the options ask for what there is not, so that no other machine may stand in. */
  const char *(*open)(tfc_context *context, const tfc_options *options, int32_t *is_wrong_choice);
  /* Releases what `open` took, in contexts whose `device` it has set. */
  void (*close)(tfc_context *context);
  /* A checked call. */
  int32_t (*run)(
      tfc_context *context, const tfc_entry *entry, const void *const *inputs, void *const *outputs, int64_t *symbols);
  /* A call whose tensors are the device's memory objects, which are not yet checked. Does not wait for the outputs. */
  int32_t (*run_on_device)(
      tfc_context *context, const tfc_entry *entry, void *const *inputs, void *const *outputs, int64_t *symbols);
  /* What `kind` of `enum tfc_device_handle` stands for, or null. */
  void *(*handle)(const tfc_context *context, int32_t kind);
  /* The name of the context's device. */
  const char *(*device_name)(const tfc_context *context);
};

/* The generated program, in the generated object. It writes the symbols that data decides. */
int32_t tfc_program_run(
    const tfc_team *team, const void *const *inputs, void *const *outputs, uint8_t *arena, const uint8_t *constants,
    int64_t *symbols);

/* What the typed functions call. `symbols` are checked against their bounds, pointers for null, alignment, overlap; those that
 * data decides are not read. */
extern const tfc_functions tfc_runtime_functions;
tfc_context *tfc_create(const tfc_artifact_table *artifact, const tfc_options *options);
void tfc_destroy(tfc_context *context);
const char *tfc_last_error(const tfc_context *context);
int32_t tfc_run(
    tfc_context *context, int32_t entry, const void *const *inputs, void *const *outputs, const int64_t *symbols);
/* The same with the device's memory objects instead of pointers; see `run_on_device` of tfc_functions. */
int32_t tfc_run_on_device(
    tfc_context *context, int32_t entry, void *const *inputs, void *const *outputs, const int64_t *symbols);
void *tfc_device_handle(const tfc_context *context, int32_t kind);
int32_t tfc_target_of(const tfc_context *context, const char **why);
/* The values of the symbols in the last call; see `symbols` of tfc_functions. */
const int64_t *tfc_symbols_of(const tfc_context *context, int32_t entry);
/* The extents (unless null) and byte count of an output, -1 where the output or a symbol is out of bounds. A symbol that data
 * decides and that is negative becomes the most that it can be. */
int64_t tfc_output_extents(const tfc_entry *entry, int32_t output, int64_t *symbols, int64_t *extents);

/* Defines NAME_create, NAME_destroy and NAME_last_error. Names of models never begin with `tfc_`, so that what is called
 * so here hides none of them. */
#define TFC_MODEL(name)                                                                                    \
  name *name##_create(const name##_options *tfc_given) {                                                   \
    if (tfc_given == NULL) return (name *)tfc_create(&tfc_artifact, NULL);                                 \
    tfc_options tfc_taken = {                                                                              \
        .threads = tfc_given->threads, .parallel_for = tfc_given->parallel_for, .user = tfc_given->user};  \
    return (name *)tfc_create(&tfc_artifact, &tfc_taken);                                                  \
  }                                                                                                        \
  TFC_MODEL_LIFE(name)

/* The same for a model that may run on a device; also NAME_device_handle and NAME_target. */
#define TFC_DEVICE_MODEL(name)                                                                             \
  name *name##_create(const name##_options *tfc_given) {                                                   \
    if (tfc_given == NULL) return (name *)tfc_create(&tfc_artifact, NULL);                                 \
    tfc_options tfc_taken = {                                                                              \
        tfc_given->threads, tfc_given->parallel_for, tfc_given->user, tfc_given->device};                  \
    return (name *)tfc_create(&tfc_artifact, &tfc_taken);                                                  \
  }                                                                                                        \
  void *name##_device_handle(const name *model, int32_t kind) {                                            \
    return tfc_device_handle((const tfc_context *)model, kind);                                            \
  }                                                                                                        \
  int32_t name##_target(const name *model, const char **why) {                                             \
    return tfc_target_of((const tfc_context *)model, why);                                                 \
  }                                                                                                        \
  TFC_MODEL_LIFE(name)

#define TFC_MODEL_LIFE(name)                                                                               \
  void name##_destroy(name *model) { tfc_destroy((tfc_context *)model); }                                  \
  const char *name##_last_error(const name *model) { return tfc_last_error((const tfc_context *)model); }

/* Defines the array `name`: the bytes of the file `path`, read-only and 64-byte aligned. */
#if defined(__APPLE__)
#define TFC_EMBED(type, name, path)                                                                        \
  __asm__(".section __TEXT,__const\n.balign 64\n.private_extern _" #name "\n.globl _" #name "\n"           \
          "_" #name ":\n.incbin \"" path "\"\n.byte 0\n.text\n");                                          \
  extern const type name[]
#else
#define TFC_EMBED(type, name, path)                                                                        \
  __asm__(".pushsection .rodata." #name ",\"a\"\n.balign 64\n.hidden " #name "\n.globl " #name "\n"        \
          #name ":\n.incbin \"" path "\"\n.popsection\n");                                                 \
  extern const type name[]
#endif

/* Defines `tfc_weights`, the bytes of the file `path`. */
#define TFC_WEIGHTS(path) TFC_EMBED(uint8_t, tfc_weights, path)

/* Arithmetic of expression functions. A result that does not fit becomes the nearest number that does, so that an
 * extent or an arena that is too large is refused later and never wraps to a small one. */
static inline int64_t tfc_add(int64_t a, int64_t b) {
  int64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return a < 0 ? INT64_MIN : INT64_MAX;
  return sum;
}

static inline int64_t tfc_multiply(int64_t a, int64_t b) {
  int64_t product;
  if (__builtin_mul_overflow(a, b, &product)) return (a < 0) != (b < 0) ? INT64_MIN : INT64_MAX;
  return product;
}

/* The quotient rounded towards negative infinity; of a division by zero the largest integer. */
static inline int64_t tfc_floor_divide(int64_t a, int64_t b) {
  if (b == 0 || (a == INT64_MIN && b == -1)) return INT64_MAX;
  int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

/* a - floor_divide(a, b) * b; of a division by zero the largest integer. */
static inline int64_t tfc_modulo(int64_t a, int64_t b) {
  if (b == 0) return INT64_MAX;
  if (b == -1) return 0;
  int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

static inline int64_t tfc_minimum(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t tfc_maximum(int64_t a, int64_t b) { return a > b ? a : b; }

#endif
