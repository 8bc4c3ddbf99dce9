/* A call: checks, then the generated program. */
#include <string.h>

#include "context.h"
#include "float_environment.h"

/* Takes the context for this thread and returns its entry, or null with `status` set. */
static const tfc_entry *begin_call(tfc_context *context, int32_t entry, int32_t *status) {
  *status = TFC_INVALID_ARGUMENT;
  if (context == NULL) return NULL;
  if (atomic_exchange(&context->running, 1)) {
    *status = TFC_BUSY;
    return NULL;
  }
  context->error[0] = 0;
  if (entry >= 0 && entry < context->artifact->entry_count) return &context->artifact->entries[entry];
  tfc_fail(
      context, TFC_INVALID_ARGUMENT, "entry is %d, expected 0...%d", entry, context->artifact->entry_count - 1);
  atomic_store(&context->running, 0);
  return NULL;
}

static int32_t end_call(tfc_context *context, int32_t status) {
  atomic_store(&context->running, 0);
  return status;
}

/* Ends a call that may have computed outputs. */
static int32_t end_run(tfc_context *context, const tfc_entry *entry, int32_t status) {
  context->symbols_entry = status == TFC_OK ? entry : NULL;
  return end_call(context, status);
}

/* Copies the symbols' values into the context and checks them. */
static int32_t take_symbols(tfc_context *context, const tfc_entry *entry, const int64_t *symbols) {
  for (int32_t s = 0; s < entry->symbol_count; s++) context->symbols[s] = symbols[s];
  if (entry->data_symbol_count > 0) tfc_set_most(entry, context->symbols);
  return tfc_check_symbols(context, entry, context->symbols);
}

const int64_t *tfc_symbols_of(const tfc_context *context, int32_t entry) {
  if (context == NULL || entry < 0 || entry >= context->artifact->entry_count) return NULL;
  return context->symbols_entry == &context->artifact->entries[entry] ? context->symbols : NULL;
}

static int32_t explain(tfc_context *context, const tfc_entry *entry, int32_t status) {
  int32_t check = status - TFC_CHECK_FAILED;
  if (check >= 0 && check < entry->check_count) {
    return tfc_fail(context, status, "%s", entry->check_sentences[check]);
  }
  return tfc_fail(context, status, "the program stopped with status %d", status);
}

static void begin_profile(tfc_context *context, const tfc_entry *entry) {
  int32_t index = (int32_t)(entry - context->artifact->entries);
  context->running_profile = (tfc_profile *)tfc_profile_of_entry(context, index);
}

static int32_t run_on_cpu(
    tfc_context *context, const tfc_entry *entry, const void *const *inputs, void *const *outputs, int64_t *symbols) {
  int32_t status = tfc_reserve_arena(context, tfc_arena_byte_count(entry, symbols));
  if (status != TFC_OK) return status;
  if (context->pool != NULL && !tfc_pool_is_alive(context->pool)) {
    context->pool = tfc_pool_retain(context->team.threads);
  }
  tfc_pool *pool = context->pool;
  uint64_t mode = tfc_enter_default_float_mode();
  if (pool != NULL) tfc_pool_enter(pool);
  status = entry->program(&context->team, inputs, outputs, context->arena, context->weights, symbols);
  if (pool != NULL) tfc_pool_leave(pool);
  tfc_leave_default_float_mode(mode);
  return status == TFC_OK ? TFC_OK : explain(context, entry, status);
}

/* What a backend returns, with a sentence: it has none for the program's own checks. */
static int32_t explain_device(tfc_context *context, const tfc_entry *entry, int32_t status) {
  return status == TFC_OK || context->error[0] != 0 ? status : explain(context, entry, status);
}

static int32_t run_program(
    tfc_context *context, const tfc_entry *entry, const void *const *inputs, void *const *outputs, int64_t *symbols) {
  int32_t status = tfc_check_buffers(context, entry, inputs, outputs, symbols);
  if (status != TFC_OK) return status;
  begin_profile(context, entry);
  if (context->device == NULL) return run_on_cpu(context, entry, inputs, outputs, symbols);
  status = context->artifact->backend->run(context, entry, inputs, outputs, symbols);
  return explain_device(context, entry, status);
}

static int32_t run_program_on_device(
    tfc_context *context, const tfc_entry *entry, void *const *inputs, void *const *outputs, int64_t *symbols) {
  if (context->device == NULL) {
    return tfc_fail(
        context, TFC_INVALID_ARGUMENT, "the model runs on the CPU in this context, so it takes no memory of a device");
  }
  begin_profile(context, entry);
  int32_t status = context->artifact->backend->run_on_device(context, entry, inputs, outputs, symbols);
  return explain_device(context, entry, status);
}

int32_t tfc_run(
    tfc_context *context, int32_t entry_index, const void *const *inputs, void *const *outputs,
    const int64_t *symbols) {
  int32_t status;
  const tfc_entry *entry = begin_call(context, entry_index, &status);
  if (entry == NULL) return status;
  status = take_symbols(context, entry, symbols);
  if (status == TFC_OK) status = run_program(context, entry, inputs, outputs, context->symbols);
  return end_run(context, entry, status);
}

int32_t tfc_run_on_device(
    tfc_context *context, int32_t entry_index, void *const *inputs, void *const *outputs, const int64_t *symbols) {
  int32_t status;
  const tfc_entry *entry = begin_call(context, entry_index, &status);
  if (entry == NULL) return status;
  status = take_symbols(context, entry, symbols);
  if (status == TFC_OK) status = run_program_on_device(context, entry, inputs, outputs, context->symbols);
  return end_run(context, entry, status);
}

void *tfc_device_handle(const tfc_context *context, int32_t kind) {
  if (context == NULL || context->device == NULL) return NULL;
  return context->artifact->backend->handle(context, kind);
}

int32_t tfc_target_of(const tfc_context *context, const char **why) {
  int32_t is_on_device = context != NULL && context->device != NULL;
  const char *reason = NULL;
  if (is_on_device) reason = context->artifact->backend->device_name(context);
  if (context != NULL && !is_on_device) reason = context->device_refusal;
  if (why != NULL) *why = reason != NULL ? reason : "";
  return is_on_device ? TFC_TARGET_OPENCL : TFC_TARGET_CPU;
}

int32_t tfc_solve(
    tfc_context *context, int32_t entry_index, const tfc_tensor *inputs, int32_t input_count, int64_t *symbols) {
  int32_t status;
  const tfc_entry *entry = begin_call(context, entry_index, &status);
  if (entry == NULL) return status;
  return end_call(context, tfc_solve_symbols(context, entry, inputs, input_count, symbols));
}

static int32_t check_capacities(
    tfc_context *context, const tfc_entry *entry, const tfc_tensor *inputs, const tfc_tensor *outputs) {
  for (int32_t i = 0; i < entry->input_count; i++) {
    int64_t needed = tfc_extents(entry, &entry->inputs[i], context->symbols, NULL);
    if (inputs[i].byte_count >= needed) continue;
    return tfc_fail(
        context, TFC_INVALID_ARGUMENT, "input %d '%s': %lld bytes are given, expected %lld", i, entry->inputs[i].name,
        (long long)inputs[i].byte_count, (long long)needed);
  }
  for (int32_t o = 0; o < entry->output_count; o++) {
    const tfc_tensor_info *info = &entry->outputs[o];
    if (outputs[o].type != info->type) {
      return tfc_fail(
          context, TFC_INVALID_ARGUMENT, "output %d '%s': type is %s, expected %s", o, info->name,
          tfc_type_name(outputs[o].type), tfc_type_name(info->type));
    }
    int64_t needed = tfc_extents(entry, info, context->symbols, NULL);
    if (outputs[o].byte_count >= needed) continue;
    return tfc_fail(
        context, TFC_INVALID_ARGUMENT, "output %d '%s': room for %lld bytes, expected %lld", o, info->name,
        (long long)outputs[o].byte_count, (long long)needed);
  }
  return TFC_OK;
}

/* Checks what is known of tensors without their data, and lists the data in the context. */
static int32_t take_tensors(
    tfc_context *context, const tfc_entry *entry, const tfc_tensor *inputs, int32_t input_count,
    const tfc_tensor *outputs, int32_t output_count) {
  int32_t status = tfc_solve_symbols(context, entry, inputs, input_count, context->symbols);
  if (status != TFC_OK) return status;
  if (output_count != entry->output_count || (output_count > 0 && outputs == NULL)) {
    return tfc_fail(
        context, TFC_INVALID_ARGUMENT, "%d outputs are given, expected %d", outputs == NULL ? 0 : output_count,
        entry->output_count);
  }
  status = check_capacities(context, entry, inputs, outputs);
  if (status != TFC_OK) return status;
  for (int32_t i = 0; i < input_count; i++) context->inputs[i] = inputs[i].data;
  for (int32_t o = 0; o < output_count; o++) context->outputs[o] = outputs[o].data;
  return TFC_OK;
}

int32_t tfc_run_tensors(
    tfc_context *context, int32_t entry_index, const tfc_tensor *inputs, int32_t input_count,
    const tfc_tensor *outputs, int32_t output_count) {
  int32_t status;
  const tfc_entry *entry = begin_call(context, entry_index, &status);
  if (entry == NULL) return status;
  status = take_tensors(context, entry, inputs, input_count, outputs, output_count);
  if (status == TFC_OK) status = run_program(context, entry, context->inputs, context->outputs, context->symbols);
  return end_run(context, entry, status);
}

static int32_t run_tensors_on_device(
    tfc_context *context, int32_t entry_index, const tfc_tensor *inputs, int32_t input_count,
    const tfc_tensor *outputs, int32_t output_count) {
  int32_t status;
  const tfc_entry *entry = begin_call(context, entry_index, &status);
  if (entry == NULL) return status;
  status = take_tensors(context, entry, inputs, input_count, outputs, output_count);
  if (status == TFC_OK) {
    status = run_program_on_device(
        context, entry, (void *const *)context->inputs, context->outputs, context->symbols);
  }
  return end_run(context, entry, status);
}

const tfc_functions tfc_runtime_functions = {
    .create = tfc_create,
    .destroy = tfc_destroy,
    .last_error = tfc_last_error,
    .solve = tfc_solve,
    .extents = tfc_extents,
    .arena_byte_count = tfc_arena_byte_count,
    .run = tfc_run_tensors,
    .profile = tfc_profile_of_entry,
    .reset_profile = tfc_reset_profile,
    .run_on_device = run_tensors_on_device,
    .device_handle = tfc_device_handle,
    .target = tfc_target_of,
    .symbols = tfc_symbols_of,
};
