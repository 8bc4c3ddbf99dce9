/* The calls of the generated program: launches, copies, numbers read back. */
#include <stdlib.h>

#include "opencl.h"

/* Groups of items that run a task each have at most so many. */
#define FLAT_ITEM_COUNT 256
/* Launches whose times are not yet known are waited for when there are so many: a long repetition never waits. */
#define EVENT_LIMIT 4096
/* So many groups for each compute unit keep it busy. */
#define GROUPS_PER_UNIT 4

/* Whether the kernel runs in groups of so many items. NVIDIA's driver says 256 of every kernel, and runs it with the number
 * that it is compiled for. */
static int32_t has_items(const tfc_opencl_device *device, const tfc_opencl_function *function, int32_t item_count) {
  size_t compiled[3] = {0, 0, 0};
  if (function->item_count >= (size_t)item_count) return 1;
  if (item_count > device->group_item_count) return 0;
  cl_int error = tfc_cl.clGetKernelWorkGroupInfo(
      function->kernel, device->device_id, CL_KERNEL_COMPILE_WORK_GROUP_SIZE, sizeof compiled, compiled, NULL);
  return error == CL_SUCCESS && compiled[0] == (size_t)item_count;
}

static int32_t make_function(tfc_context *context, const tfc_opencl_kernel *kernel, tfc_opencl_function *function) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  const tfc_opencl_device *device = &state->shared->device;
  cl_device_id id = device->device_id;
  cl_int error;
  cl_ulong local = 0;
  function->kernel = tfc_cl.clCreateKernel(state->shared->program, kernel->name, &error);
  if (error != CL_SUCCESS) {
    function->kernel = NULL;
    return tfc_opencl_fail(context, "clCreateKernel", error, kernel->name);
  }
  error = tfc_cl.clGetKernelWorkGroupInfo(
      function->kernel, id, CL_KERNEL_WORK_GROUP_SIZE, sizeof(size_t), &function->item_count, NULL);
  if (error == CL_SUCCESS) {
    error = tfc_cl.clGetKernelWorkGroupInfo(
        function->kernel, id, CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE, sizeof(size_t), &function->multiple, NULL);
  }
  if (error == CL_SUCCESS) {
    error = tfc_cl.clGetKernelWorkGroupInfo(
        function->kernel, id, CL_KERNEL_LOCAL_MEM_SIZE, sizeof local, &local, NULL);
  }
  if (error != CL_SUCCESS) return tfc_opencl_fail(context, "clGetKernelWorkGroupInfo", error, kernel->name);
  if (!has_items(device, function, kernel->item_count)) {
    return tfc_opencl_refuse(
        context, TFC_DEVICE_FAILED, "kernel '%s' needs groups of %d items, device '%s' runs it with at most %lld",
        kernel->name, kernel->item_count, device->name, (long long)function->item_count);
  }
  if (local <= (cl_ulong)device->local_byte_count) return TFC_OK;
  return tfc_opencl_refuse(
      context, TFC_DEVICE_FAILED, "kernel '%s' needs %lld bytes of local memory, device '%s' has %lld", kernel->name,
      (long long)local, device->name, (long long)device->local_byte_count);
}

int32_t tfc_opencl_make_functions(tfc_context *context) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  int32_t status = TFC_OK;
  for (int32_t k = 0; k < state->code->kernel_count && status == TFC_OK; k++) {
    status = make_function(context, &state->code->kernels[k], &state->functions[k]);
  }
  return status;
}

/* The items of a group that run a task each: many, unless compute units would have no group. Few sizes are used, since
 * some drivers compile a kernel anew for each. */
static int64_t flat_item_count(
    const tfc_opencl_device *device, const tfc_opencl_function *function, int64_t task_count) {
  int64_t most = function->item_count < FLAT_ITEM_COUNT ? (int64_t)function->item_count : FLAT_ITEM_COUNT;
  int64_t multiple = function->multiple > 0 ? (int64_t)function->multiple : 1;
  int64_t wanted_groups = GROUPS_PER_UNIT * device->compute_unit_count;
  int64_t item_count = most;
  while (item_count / 4 >= multiple && task_count / item_count < wanted_groups) item_count /= 4;
  if (device->type == TFC_OPENCL_CPU && task_count / item_count < wanted_groups) item_count = 1;
  return item_count;
}

static cl_int set_arguments(
    tfc_opencl_state *state, int32_t kernel, const int64_t *arguments, int64_t task_count) {
  const tfc_opencl_kernel *facts = &state->code->kernels[kernel];
  cl_kernel function = state->functions[kernel].kernel;
  cl_uint index = 0;
  cl_int error = CL_SUCCESS;
  for (int32_t b = 0; b < facts->buffer_count && error == CL_SUCCESS; b++, arguments += 2) {
    cl_ulong offset = (cl_ulong)arguments[1];
    error = tfc_cl.clSetKernelArg(function, index++, sizeof(cl_mem), &state->memory[arguments[0]]);
    if (error == CL_SUCCESS) error = tfc_cl.clSetKernelArg(function, index++, sizeof offset, &offset);
  }
  for (int32_t s = 0; s < facts->symbol_count && error == CL_SUCCESS; s++, arguments++) {
    error = tfc_cl.clSetKernelArg(function, index++, sizeof(cl_long), arguments);
  }
  if (error == CL_SUCCESS) error = tfc_cl.clSetKernelArg(function, index, sizeof(cl_long), &task_count);
  return error;
}

/* Room for one more event; 0 without memory. */
static int32_t reserve_event(tfc_context *context) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  if (state->event_count >= EVENT_LIMIT && tfc_cl.clFinish(state->queue) == CL_SUCCESS) tfc_opencl_count_events(context);
  if (state->event_count < state->event_room) return 1;
  int32_t room = 2 * state->event_room + 64;
  tfc_opencl_event *events = realloc(state->events, (size_t)room * sizeof *events);
  if (events == NULL) return 0;
  state->events = events;
  state->event_room = room;
  return 1;
}

static void enqueue(
    tfc_context *context, int32_t launch, int32_t kernel, size_t item_count, size_t group_item_count) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  int32_t is_timed = context->running_profile != NULL && reserve_event(context);
  cl_event event = NULL;
  cl_int error = tfc_cl.clEnqueueNDRangeKernel(
      state->queue, state->functions[kernel].kernel, 1, NULL, &item_count, &group_item_count, 0, NULL,
      is_timed ? &event : NULL);
  if (error != CL_SUCCESS) {
    tfc_opencl_fail(context, "clEnqueueNDRangeKernel", error, state->code->kernels[kernel].name);
  } else if (is_timed) {
    state->events[state->event_count++] = (tfc_opencl_event){event, launch};
  }
}

void tfc_opencl_launch(
    tfc_context *context, int32_t launch, int32_t kernel, const int64_t *arguments, int64_t task_count) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  if (state->status != TFC_OK || task_count <= 0) return;
  const tfc_opencl_kernel *facts = &state->code->kernels[kernel];
  const tfc_opencl_device *device = &state->shared->device;
  int32_t is_flat = facts->item_count <= 1;
  int64_t group = is_flat ? flat_item_count(device, &state->functions[kernel], task_count) : facts->item_count;
  int64_t groups = is_flat ? task_count / group + (task_count % group != 0) : task_count;
  int64_t limit = device->address_bit_count == 32 ? UINT32_MAX : INT64_MAX;
  if (groups > limit / group) {
    tfc_opencl_refuse(
        context, TFC_INVALID_ARGUMENT, "kernel '%s' has %lld tasks, more than device '%s' can count", facts->name,
        (long long)task_count, device->name);
    return;
  }
  cl_int error = set_arguments(state, kernel, arguments, task_count);
  if (error != CL_SUCCESS) {
    tfc_opencl_fail(context, "clSetKernelArg", error, facts->name);
    return;
  }
  enqueue(context, launch, kernel, (size_t)(groups * group), (size_t)group);
}

void tfc_opencl_copy(
    tfc_context *context, int64_t from, int64_t from_offset, int64_t to, int64_t to_offset, int64_t byte_count) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  if (state->status != TFC_OK || byte_count <= 0) return;
  cl_mem source = state->memory[from], destination = state->memory[to];
  if (source == destination && from_offset == to_offset) return;
  cl_int error = tfc_cl.clEnqueueCopyBuffer(
      state->queue, source, destination, (size_t)from_offset, (size_t)to_offset, (size_t)byte_count, 0, NULL, NULL);
  if (error == CL_SUCCESS) return;
  char source_name[TFC_OPENCL_NAME_BYTE_COUNT], destination_name[TFC_OPENCL_NAME_BYTE_COUNT];
  tfc_opencl_name(context, from, source_name);
  tfc_opencl_name(context, to, destination_name);
  tfc_opencl_fail(context, "clEnqueueCopyBuffer", error, NULL);
  tfc_opencl_explain(context, " while %s was copied to %s", source_name, destination_name);
}

int64_t tfc_opencl_read(tfc_context *context, int64_t memory, int64_t offset, int32_t byte_count) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  union {
    uint8_t byte;
    uint16_t half;
    uint32_t word;
    uint64_t pair;
  } number = {.pair = 0};
  if (state->status != TFC_OK) return 0;
  cl_int error = tfc_cl.clEnqueueReadBuffer(
      state->queue, state->memory[memory], CL_TRUE, (size_t)offset, (size_t)byte_count, &number, 0, NULL, NULL);
  if (error != CL_SUCCESS) {
    tfc_opencl_fail(context, "clEnqueueReadBuffer", error, NULL);
    tfc_opencl_explain(context, " while a value was read that decides what runs next");
    return 0;
  }
  tfc_opencl_count_events(context); /* those before the read are done: a long loop does not collect them */
  switch (byte_count) {
    case 1: return number.byte;
    case 2: return number.half;
    case 4: return number.word;
    default: return (int64_t)number.pair;
  }
}

void tfc_opencl_count_events(tfc_context *context) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  for (int32_t e = 0; e < state->event_count; e++) {
    cl_event event = state->events[e].event;
    cl_ulong begin = 0, end = 0;
    cl_int error =
        tfc_cl.clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof begin, &begin, NULL);
    if (error == CL_SUCCESS) {
      error = tfc_cl.clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL);
    }
    tfc_profile *profile = &context->running_profile[state->events[e].launch];
    if (error == CL_SUCCESS && end > begin) profile->nanoseconds += (int64_t)(end - begin);
    profile->count++;
    tfc_cl.clReleaseEvent(event);
  }
  state->event_count = 0;
}
