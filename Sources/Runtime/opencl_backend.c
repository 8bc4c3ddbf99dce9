/* Contexts on an OpenCL device: creation, calls, release. */
#include <stdlib.h>

#include "opencl.h"

static tfc_opencl_state *allocate(const tfc_artifact_table *artifact) {
  const tfc_entry *entry = &artifact->entries[0];
  const tfc_opencl_code *code = artifact->device_code;
  size_t tensor_count = (size_t)entry->input_count + (size_t)entry->output_count;
  tfc_opencl_state *state = calloc(1, sizeof *state);
  if (state == NULL) return NULL;
  state->code = code;
  state->functions = calloc((size_t)code->kernel_count + 1, sizeof *state->functions);
  state->tensors = calloc(tensor_count + 1, sizeof *state->tensors);
  state->memory = calloc(TFC_OPENCL_INPUTS + tensor_count, sizeof *state->memory);
  state->wraps_host = calloc(tensor_count + 1, 1);
  if (state->functions != NULL && state->tensors != NULL && state->memory != NULL && state->wraps_host != NULL) {
    return state;
  }
  free(state->functions);
  free(state->tensors);
  free(state->memory);
  free(state->wraps_host);
  free(state);
  return NULL;
}

static int32_t make_queue(tfc_context *context) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  cl_command_queue_properties properties =
      context->artifact->entries[0].launch_count > 0 ? CL_QUEUE_PROFILING_ENABLE : 0;
  cl_int error;
  state->queue = tfc_cl.clCreateCommandQueue(
      state->shared->context, state->shared->device.device_id, properties, &error);
  state->stage = (tfc_opencl_stage){.shared = state->shared, .queue = state->queue};
  if (error == CL_SUCCESS) return TFC_OK;
  state->queue = NULL;
  return tfc_opencl_fail(context, "clCreateCommandQueue", error, NULL);
}

static void close_context(tfc_context *context) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  const tfc_entry *entry = &context->artifact->entries[0];
  if (state->queue != NULL) tfc_cl.clFinish(state->queue);
  for (int32_t k = 0; k < state->code->kernel_count; k++) {
    if (state->functions[k].kernel != NULL) tfc_cl.clReleaseKernel(state->functions[k].kernel);
  }
  if (state->arena.memory != NULL) tfc_cl.clReleaseMemObject(state->arena.memory);
  for (int32_t t = 0; t < entry->input_count + entry->output_count; t++) {
    if (state->tensors[t].memory != NULL) tfc_cl.clReleaseMemObject(state->tensors[t].memory);
  }
  tfc_opencl_close_stage(&state->stage);
  if (state->queue != NULL) tfc_cl.clReleaseCommandQueue(state->queue);
  if (state->shared != NULL) tfc_opencl_unshare(state->shared);
  free(state->events);
  free(state->functions);
  free(state->tensors);
  free(state->memory);
  free(state->wraps_host);
  free(state);
  context->device = NULL;
}

static const char *open_context(tfc_context *context, const tfc_options *options, int32_t *is_wrong_choice) {
  tfc_opencl_state *state = allocate(context->artifact);
  if (state == NULL) return "no memory for a context";
  context->device = state;
  tfc_opencl_device device;
  int32_t status = tfc_opencl_choose(context, options, state->code, &device);
  *is_wrong_choice = status == TFC_INVALID_ARGUMENT;
  if (status == TFC_OK) status = tfc_opencl_share(context, &device);
  if (status == TFC_OK) status = make_queue(context);
  if (status == TFC_OK) status = tfc_opencl_make_functions(context);
  /* An arena that does not depend on symbols is made now, so that calls do not fail for want of it. */
  if (status == TFC_OK && state->code->arena_byte_count > 0) {
    status = tfc_opencl_reserve_arena(context, &context->artifact->entries[0], NULL);
  }
  if (status == TFC_OK) return NULL;
  close_context(context);
  return context->error;
}

/* The status of a call: of its first error on the device, else the program's own. */
static int32_t status_of(const tfc_opencl_state *state, int32_t program_status) {
  return state->status != TFC_OK ? state->status : program_status;
}

/* Waits for everything before. Nothing of the caller's is in use afterwards, whatever went wrong. */
static void finish(tfc_context *context) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  cl_int error = tfc_cl.clFinish(state->queue);
  if (error != CL_SUCCESS) tfc_opencl_fail(context, "clFinish", error, NULL);
  tfc_opencl_count_events(context);
}

static int32_t run(
    tfc_context *context, const tfc_entry *entry, const void *const *inputs, void *const *outputs, int64_t *symbols) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  int32_t program_status = TFC_OK;
  state->status = TFC_OK;
  tfc_opencl_reserve_arena(context, entry, symbols);
  if (state->status == TFC_OK) tfc_opencl_bind(context, entry, inputs, outputs, symbols);
  if (state->status == TFC_OK) program_status = state->code->program(context, symbols);
  if (status_of(state, program_status) == TFC_OK) tfc_opencl_return_outputs(context, entry, outputs, symbols);
  finish(context);
  tfc_opencl_unbind(context, entry);
  return status_of(state, program_status);
}

static int32_t run_on_device(
    tfc_context *context, const tfc_entry *entry, void *const *inputs, void *const *outputs, int64_t *symbols) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  int32_t program_status = TFC_OK;
  state->status = TFC_OK;
  tfc_opencl_reserve_arena(context, entry, symbols);
  if (state->status == TFC_OK) {
    tfc_opencl_bind_on_device(context, entry, (const void *const *)inputs, outputs, symbols);
  }
  if (state->status == TFC_OK) program_status = state->code->program(context, symbols);
  /* Times are known only when launches are done. */
  if (state->event_count > 0) finish(context);
  cl_int error = tfc_cl.clFlush(state->queue);
  if (error != CL_SUCCESS) tfc_opencl_fail(context, "clFlush", error, NULL);
  return status_of(state, program_status);
}

static void *handle(const tfc_context *context, int32_t kind) {
  const tfc_opencl_state *state = tfc_opencl_state_of(context);
  switch (kind) {
    case TFC_DEVICE_CONTEXT: return state->shared->context;
    case TFC_DEVICE_ID: return state->shared->device.device_id;
    case TFC_DEVICE_QUEUE: return state->queue;
    default: return NULL;
  }
}

static const char *device_name(const tfc_context *context) {
  return tfc_opencl_state_of(context)->shared->device.name;
}

const tfc_backend tfc_opencl_backend = {
    .open = open_context,
    .close = close_context,
    .run = run,
    .run_on_device = run_on_device,
    .handle = handle,
    .device_name = device_name,
};
