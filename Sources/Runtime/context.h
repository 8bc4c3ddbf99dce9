/* A context and what the runtime's files share. */
#ifndef TFC_CONTEXT_H
#define TFC_CONTEXT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "pool.h"
#include "tfc_generated.h"

/* Room for a list of devices, or the first lines of a log. */
#define TFC_ERROR_BYTE_COUNT 2048

/* The addresses that a tensor takes in one call; see buffers.c. */
typedef struct tfc_span {
  uintptr_t begin, end;
  int32_t tensor; /* inputs first, then outputs */
} tfc_span;

struct tfc_context {
  const tfc_artifact_table *artifact;
  tfc_team team; /* of a call */
  tfc_parallel_for parallel_for;
  void *user;
  tfc_pool *pool; /* null: calls run on one thread, or on parallel_for */
  const uint8_t *weights; /* the artifact's, or the mapped file */
  void *mapped_weights;   /* null: no file */
  size_t mapped_byte_count;
  uint8_t *arena;
  int64_t arena_byte_count;
  void *device; /* what the backend has for this context; null: it runs on the CPU */
  const char *device_refusal; /* why it runs on the CPU and not on the artifact's device, or null */
  atomic_int running;
  /* Room for the largest entry, in the same allocation as the context. */
  tfc_profile *profile; /* of all entries, one after the other */
  tfc_profile *running_profile;
  int64_t *symbols;
  const void **inputs;
  void **outputs;
  tfc_span *spans;
  const tfc_entry *spans_entry; /* whose tensors the spans are */
  const tfc_entry *symbols_entry; /* whose symbols have the values of a call that succeeded, or null */
  char error[TFC_ERROR_BYTE_COUNT];
};

/* Writes the context's sentence and returns `status`. */
__attribute__((format(printf, 3, 4))) int32_t tfc_fail(
    tfc_context *context, int32_t status, const char *format, ...);

/* Makes the arena at least as large; what it held is lost. */
int32_t tfc_reserve_arena(tfc_context *context, int64_t byte_count);
void tfc_free_arena(tfc_context *context);

/* Finds the weights, in the library or in a file beside it; why there are none, or null. */
const char *tfc_find_weights(tfc_context *context);
void tfc_release_weights(tfc_context *context);

/* The value of an extent or byte count of the entry: a number, or an expression's. */
int64_t tfc_evaluate(const tfc_entry *entry, int64_t extent, const int64_t *symbols);
int64_t tfc_extents(
    const tfc_entry *entry, const tfc_tensor_info *tensor, const int64_t *symbols, int64_t *extents);
int64_t tfc_arena_byte_count(const tfc_entry *entry, const int64_t *symbols);
int32_t tfc_check_symbols(tfc_context *context, const tfc_entry *entry, const int64_t *symbols);
/* Gives the symbols that data decides the most that they can be. */
void tfc_set_most(const tfc_entry *entry, int64_t *symbols);
int32_t tfc_solve(
    tfc_context *context, int32_t entry, const tfc_tensor *inputs, int32_t input_count, int64_t *symbols);
int32_t tfc_solve_symbols(
    tfc_context *context, const tfc_entry *entry, const tfc_tensor *inputs, int32_t input_count, int64_t *symbols);

/* Refuses pointers that are null, misaligned (unless for a device) or overlap. */
int32_t tfc_check_buffers(
    tfc_context *context, const tfc_entry *entry, const void *const *inputs, void *const *outputs,
    const int64_t *symbols);

int32_t tfc_run_tensors(
    tfc_context *context, int32_t entry, const tfc_tensor *inputs, int32_t input_count, const tfc_tensor *outputs,
    int32_t output_count);

const tfc_profile *tfc_profile_of_entry(const tfc_context *context, int32_t entry);
void tfc_reset_profile(tfc_context *context);

/* What the CPU lacks that the artifact needs, as a sentence, or null. */
const char *tfc_cpu_refusal(const tfc_artifact_table *artifact);

#endif
