/* Contexts: creation, release, the last error. */
#include "context.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A create that fails has no context to keep its sentence. What this points to is never written again, so that it can
 * be read at any time; a thread-local buffer would make every model depend on the dynamic loader. */
static _Atomic(const char *) create_error = "";

/* A sentence about this machine, made when a create failed or took the CPU. It stays as long as the library, since
 * somebody may have asked for it; the same reason takes it again, so that their number is bounded. */
typedef struct sentence {
  const struct sentence *next;
  char text[];
} sentence;

static _Atomic(const sentence *) sentences;

static const char *keep(const char *text) {
  const sentence *first = atomic_load(&sentences);
  for (const sentence *s = first; s != NULL; s = s->next) {
    if (strcmp(s->text, text) == 0) return s->text;
  }
  sentence *new = malloc(sizeof *new + strlen(text) + 1);
  if (new == NULL) return "no memory for a sentence that says why there is no context";
  strcpy(new->text, text);
  do new->next = first;
  while (!atomic_compare_exchange_weak(&sentences, &first, new));
  return new->text;
}

int32_t tfc_fail(tfc_context *context, int32_t status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(context->error, sizeof context->error, format, arguments);
  va_end(arguments);
  return status;
}

const char *tfc_last_error(const tfc_context *context) {
  return context != NULL ? context->error : atomic_load(&create_error);
}

/* Where the parts of a context are in its allocation. */
typedef struct layout {
  size_t profile, symbols, inputs, outputs, spans, byte_count;
} layout;

static size_t place(size_t *end, size_t count, size_t size) {
  size_t offset = (*end + 15) & ~(size_t)15;
  *end = offset + count * size;
  return offset;
}

static layout layout_of(const tfc_artifact_table *artifact) {
  size_t launches = 0, symbols = 0, inputs = 0, outputs = 0;
  for (int32_t e = 0; e < artifact->entry_count; e++) {
    const tfc_entry *entry = &artifact->entries[e];
    launches += (size_t)entry->launch_count;
    if ((size_t)entry->symbol_count > symbols) symbols = (size_t)entry->symbol_count;
    if ((size_t)entry->input_count > inputs) inputs = (size_t)entry->input_count;
    if ((size_t)entry->output_count > outputs) outputs = (size_t)entry->output_count;
  }
  layout l;
  l.byte_count = sizeof(tfc_context);
  l.profile = place(&l.byte_count, launches, sizeof(tfc_profile));
  l.symbols = place(&l.byte_count, symbols, sizeof(int64_t));
  l.inputs = place(&l.byte_count, inputs, sizeof(void *));
  l.outputs = place(&l.byte_count, outputs, sizeof(void *));
  l.spans = place(&l.byte_count, inputs + outputs, sizeof(tfc_span));
  return l;
}

static tfc_context *allocate(const tfc_artifact_table *artifact) {
  layout l = layout_of(artifact);
  uint8_t *memory = calloc(1, l.byte_count);
  if (memory == NULL) return NULL;
  tfc_context *context = (tfc_context *)memory;
  context->artifact = artifact;
  context->team.context = context;
  context->profile = (tfc_profile *)(memory + l.profile);
  context->symbols = (int64_t *)(memory + l.symbols);
  context->inputs = (const void **)(memory + l.inputs);
  context->outputs = (void **)(memory + l.outputs);
  context->spans = (tfc_span *)(memory + l.spans);
  return context;
}

/* Entries whose arena does not depend on symbols get theirs now, so that their calls never allocate. */
static int32_t reserve_fixed_arena(tfc_context *context) {
  int64_t byte_count = 0;
  for (int32_t e = 0; e < context->artifact->entry_count; e++) {
    int64_t needed = context->artifact->entries[e].arena_byte_count;
    if (needed > byte_count) byte_count = needed;
  }
  return tfc_reserve_arena(context, byte_count);
}

/* Why the context cannot have the options, or null. */
static const char *set_options(tfc_context *context, const tfc_options *options) {
  int32_t threads = options != NULL ? options->threads : 0;
  if (threads < 0) return "threads is negative, expected 0 or more";
  if (threads == 0) threads = context->artifact->threads;
  if (threads == 0) threads = tfc_cpu_count();
  context->team.threads = threads < TFC_THREADS_MAX ? threads : TFC_THREADS_MAX;
  if (options != NULL) {
    context->parallel_for = options->parallel_for;
    context->user = options->user;
  }
  if (context->parallel_for != NULL || context->team.threads == 1) return NULL;
  context->pool = tfc_pool_retain(context->team.threads);
  return context->pool != NULL ? NULL : "no memory for a thread pool";
}

/* Makes the context ready to run on the CPU; why it cannot, or null. */
static const char *prepare_cpu(tfc_context *context, const tfc_options *options) {
  const char *refusal = tfc_cpu_refusal(context->artifact);
  if (refusal == NULL) refusal = set_options(context, options);
  if (refusal == NULL && reserve_fixed_arena(context) != TFC_OK) refusal = "no memory for the arena";
  return refusal;
}

static int32_t has_cpu_program(const tfc_artifact_table *artifact) {
  for (int32_t e = 0; e < artifact->entry_count; e++) {
    if (artifact->entries[e].program == NULL) return 0;
  }
  return 1;
}

/* The same on the artifact's device, or where that cannot be and there is code for it, on the CPU; but not instead of a
 * device that somebody named and that is not there. */
static const char *prepare(tfc_context *context, const tfc_options *options) {
  const tfc_artifact_table *artifact = context->artifact;
  if (artifact->backend == NULL) return prepare_cpu(context, options);
  int32_t is_wrong_choice = 0;
  const char *refusal = artifact->backend->open(context, options, &is_wrong_choice);
  if (refusal == NULL || is_wrong_choice || !has_cpu_program(artifact)) return refusal;
  context->device_refusal = keep(refusal);
  context->error[0] = 0;
  return prepare_cpu(context, options);
}

tfc_context *tfc_create(const tfc_artifact_table *artifact, const tfc_options *options) {
  tfc_context *context = allocate(artifact);
  const char *refusal = context == NULL ? "no memory for a context" : tfc_find_weights(context);
  if (refusal == NULL) refusal = prepare(context, options);
  if (refusal == NULL) return context;
  if (context != NULL && refusal == context->error) refusal = keep(refusal);
  tfc_destroy(context);
  atomic_store(&create_error, refusal);
  return NULL;
}

void tfc_destroy(tfc_context *context) {
  if (context == NULL) return;
  if (context->device != NULL) context->artifact->backend->close(context);
  tfc_pool_release(context->pool);
  tfc_free_arena(context);
  tfc_release_weights(context);
  free(context);
}
