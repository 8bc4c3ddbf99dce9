/* The memory objects of a call. */
#include <stdarg.h>
#include <stdio.h>

#include "opencl.h"

/* Of a page of the host's memory, and of a cache line. */
#define PAGE_BYTE_COUNT 4096
#define LINE_BYTE_COUNT 64

static cl_mem create(tfc_context *context, cl_mem_flags flags, int64_t byte_count, void *host, int32_t *status) {
  cl_int error;
  cl_context in = tfc_opencl_state_of(context)->shared->context;
  cl_mem memory = tfc_cl.clCreateBuffer(in, flags, (size_t)byte_count, host, &error);
  if (error == CL_SUCCESS) return memory;
  const char *name = tfc_opencl_error_name(error);
  *status = tfc_opencl_refuse(
      context, TFC_OUT_OF_MEMORY, "clCreateBuffer of %lld bytes returned %s", (long long)byte_count,
      name != NULL ? name : "an error");
  return NULL;
}

int32_t tfc_opencl_reserve(tfc_context *context, tfc_opencl_buffer *buffer, int64_t byte_count) {
  if (byte_count >= 0 && byte_count <= buffer->byte_count) return TFC_OK;
  if (byte_count < 0 || byte_count > INT64_MAX / 2) {
    return tfc_opencl_refuse(context, TFC_OUT_OF_MEMORY, "no memory for %lld bytes", (long long)byte_count);
  }
  int32_t status = TFC_OK;
  if (buffer->byte_count > 0) byte_count += byte_count / 4; /* sizes that grow step by step take few steps here */
  if (buffer->memory != NULL) tfc_cl.clReleaseMemObject(buffer->memory);
  buffer->byte_count = 0;
  buffer->memory = create(context, CL_MEM_READ_WRITE, byte_count, NULL, &status);
  if (buffer->memory != NULL) buffer->byte_count = byte_count;
  return status;
}

/* The number, or the value of the expression. */
int32_t tfc_opencl_reserve_arena(tfc_context *context, const tfc_entry *entry, const int64_t *symbols) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  int64_t byte_count = tfc_evaluate(entry, state->code->arena_byte_count, symbols);
  int32_t status = tfc_opencl_reserve(context, &state->arena, byte_count);
  state->memory[TFC_OPENCL_ARENA] = byte_count > 0 ? state->arena.memory : state->shared->empty;
  return status;
}

static const tfc_tensor_info *info_of(const tfc_entry *entry, int32_t tensor) {
  return tensor < entry->input_count ? &entry->inputs[tensor] : &entry->outputs[tensor - entry->input_count];
}

/* "input 0 'x'" */
static void name_tensor(const tfc_entry *entry, int32_t tensor, char *name) {
  int32_t is_input = tensor < entry->input_count;
  snprintf(
      name, TFC_OPENCL_NAME_BYTE_COUNT, "%s %d '%.200s'", is_input ? "input" : "output",
      is_input ? tensor : tensor - entry->input_count, info_of(entry, tensor)->name);
}

void tfc_opencl_name(const tfc_context *context, int64_t memory, char *name) {
  if (memory >= TFC_OPENCL_INPUTS) {
    name_tensor(&context->artifact->entries[0], (int32_t)memory - TFC_OPENCL_INPUTS, name);
  } else {
    snprintf(name, TFC_OPENCL_NAME_BYTE_COUNT, "the %s", memory == TFC_OPENCL_ARENA ? "arena" : "constants");
  }
}

/* Adds to the sentence which tensor was "sent" or "received"; returns the status, which is not TFC_OK. */
static int32_t explain_transfer(
    tfc_context *context, const tfc_entry *entry, int32_t tensor, const char *what, int32_t status) {
  char name[TFC_OPENCL_NAME_BYTE_COUNT];
  name_tensor(entry, tensor, name);
  tfc_opencl_explain(context, " while %s was %s", name, what);
  return status;
}

static void bind_common(tfc_opencl_state *state) {
  tfc_opencl_shared *shared = state->shared;
  state->memory[TFC_OPENCL_CONSTANTS] = shared->constants != NULL ? shared->constants : shared->empty;
}

/* Whether the input's memory is another memory object's too, which OpenCL does not define: an output takes its place,
 * or an input before, whose memory is the caller's, has some of it. */
static int32_t is_shared(
    const tfc_context *context, const tfc_entry *entry, int32_t input, const void *const *inputs,
    void *const *outputs, const int64_t *symbols) {
  const uint8_t *data = inputs[input];
  const uint8_t *end = data + tfc_extents(entry, &entry->inputs[input], symbols, NULL);
  for (int32_t o = 0; o < entry->output_count; o++) {
    if (entry->outputs[o].alias == input && outputs[o] == data) return 1;
  }
  for (int32_t i = 0; i < input; i++) {
    const uint8_t *other = inputs[i];
    if (!tfc_opencl_state_of(context)->wraps_host[i] || other >= end) continue;
    if (data < other + tfc_extents(entry, &entry->inputs[i], symbols, NULL)) return 1;
  }
  return 0;
}

/* Makes the caller's memory a memory object of this call; 0 where the driver does not: it may have to write to the pages of
 * an input, which the caller may only read. */
static int32_t wrap(tfc_context *context, int32_t tensor, cl_mem_flags access, void *data, int64_t byte_count) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  cl_int error;
  cl_mem memory = tfc_cl.clCreateBuffer(
      state->shared->context, access | CL_MEM_USE_HOST_PTR, (size_t)byte_count, data, &error);
  if (error != CL_SUCCESS) return 0;
  state->memory[TFC_OPENCL_INPUTS + tensor] = memory;
  state->wraps_host[tensor] = 1;
  return 1;
}

int32_t tfc_opencl_can_wrap(const tfc_opencl_device *device, const void *data, int64_t byte_count) {
  if (device->has_host_memory) return (uintptr_t)data % TFC_OPENCL_ALIGNMENT == 0;
  /* Drivers of such GPUs copy what is not in whole pages and cache lines. */
  return device->shares_host_memory && (uintptr_t)data % PAGE_BYTE_COUNT == 0 && byte_count % LINE_BYTE_COUNT == 0;
}

static int32_t bind_tensor(
    tfc_context *context, const tfc_entry *entry, int32_t tensor, const void *const *inputs, void *const *outputs,
    const int64_t *symbols) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  int32_t is_input = tensor < entry->input_count;
  void *data = is_input ? (void *)inputs[tensor] : outputs[tensor - entry->input_count];
  cl_mem *memory = &state->memory[TFC_OPENCL_INPUTS + tensor];
  int64_t byte_count = tfc_extents(entry, info_of(entry, tensor), symbols, NULL);
  *memory = state->shared->empty;
  if (byte_count == 0) return TFC_OK;
  int32_t fits = tfc_opencl_can_wrap(&state->shared->device, data, byte_count);
  if (fits && is_input) fits = !is_shared(context, entry, tensor, inputs, outputs, symbols);
  cl_mem_flags access = is_input ? CL_MEM_READ_ONLY : CL_MEM_READ_WRITE;
  if (fits && wrap(context, tensor, access, data, byte_count)) return TFC_OK;
  int32_t status = tfc_opencl_reserve(context, &state->tensors[tensor], byte_count);
  if (status != TFC_OK) return status;
  *memory = state->tensors[tensor].memory;
  if (!is_input) return TFC_OK;
  status = tfc_opencl_send(context, &state->stage, *memory, data, (size_t)byte_count);
  return status == TFC_OK ? TFC_OK : explain_transfer(context, entry, tensor, "sent", status);
}

int32_t tfc_opencl_bind(
    tfc_context *context, const tfc_entry *entry, const void *const *inputs, void *const *outputs,
    const int64_t *symbols) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  int32_t status = TFC_OK;
  bind_common(state);
  for (int32_t t = 0; t < entry->input_count + entry->output_count && status == TFC_OK; t++) {
    status = bind_tensor(context, entry, t, inputs, outputs, symbols);
  }
  return status;
}

/* Begins to bring the tensor to the caller. */
static int32_t return_tensor(
    tfc_context *context, int32_t tensor, void *data, size_t byte_count) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  cl_mem memory = state->memory[TFC_OPENCL_INPUTS + tensor];
  cl_int error = CL_SUCCESS;
  if (!state->wraps_host[tensor]) return tfc_opencl_receive(context, &state->stage, memory, data, byte_count);
  /* A map brings the memory up to date. */
  void *mapped = tfc_cl.clEnqueueMapBuffer(
      state->queue, memory, CL_FALSE, CL_MAP_READ, 0, byte_count, 0, NULL, NULL, &error);
  if (error != CL_SUCCESS) return tfc_opencl_fail(context, "clEnqueueMapBuffer", error, NULL);
  error = tfc_cl.clEnqueueUnmapMemObject(state->queue, memory, mapped, 0, NULL, NULL);
  return error == CL_SUCCESS ? TFC_OK : tfc_opencl_fail(context, "clEnqueueUnmapMemObject", error, NULL);
}

int32_t tfc_opencl_return_outputs(
    tfc_context *context, const tfc_entry *entry, void *const *outputs, const int64_t *symbols) {
  for (int32_t o = 0; o < entry->output_count; o++) {
    int32_t tensor = entry->input_count + o;
    size_t byte_count = (size_t)tfc_extents(entry, &entry->outputs[o], symbols, NULL);
    if (byte_count == 0) continue;
    int32_t status = return_tensor(context, tensor, outputs[o], byte_count);
    if (status != TFC_OK) return explain_transfer(context, entry, tensor, "received", status);
  }
  return TFC_OK;
}

void tfc_opencl_unbind(tfc_context *context, const tfc_entry *entry) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  for (int32_t t = 0; t < entry->input_count + entry->output_count; t++) {
    if (!state->wraps_host[t]) continue;
    tfc_cl.clReleaseMemObject(state->memory[TFC_OPENCL_INPUTS + t]);
    state->wraps_host[t] = 0;
  }
}

/* Refuses an argument that is a memory object: "input 0 'x': " and what is wrong with it. */
__attribute__((format(printf, 4, 5))) static int32_t refuse(
    tfc_context *context, const tfc_entry *entry, int32_t tensor, const char *format, ...) {
  char name[TFC_OPENCL_NAME_BYTE_COUNT], what[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  name_tensor(entry, tensor, name);
  return tfc_opencl_refuse(context, TFC_INVALID_ARGUMENT, "%s: %s", name, what);
}

/* What OpenCL says of a memory object. */
typedef struct object {
  cl_context owner;
  cl_mem_object_type type;
  size_t byte_count;
  size_t offset; /* of a part of another object */
  void *host;    /* where the caller's memory is used */
} object;

static int32_t says(cl_mem memory, cl_mem_info question, void *answer, size_t byte_count) {
  return tfc_cl.clGetMemObjectInfo(memory, question, byte_count, answer, NULL) == CL_SUCCESS;
}

/* 0 where it is no memory object. */
static int32_t ask(cl_mem memory, object *o) {
  return says(memory, CL_MEM_CONTEXT, &o->owner, sizeof o->owner) && says(memory, CL_MEM_TYPE, &o->type, sizeof o->type) &&
         says(memory, CL_MEM_SIZE, &o->byte_count, sizeof o->byte_count) &&
         says(memory, CL_MEM_OFFSET, &o->offset, sizeof o->offset) &&
         says(memory, CL_MEM_HOST_PTR, &o->host, sizeof o->host);
}

/* Refuses what is no buffer of the context, or not large enough, or does not begin where kernels expect it to. */
static int32_t check_memory(
    tfc_context *context, const tfc_entry *entry, int32_t tensor, cl_mem memory, int64_t needed) {
  object o = {0};
  if (memory == NULL) return refuse(context, entry, tensor, "data is null");
  if (!ask(memory, &o) || o.owner != tfc_opencl_state_of(context)->shared->context) {
    return refuse(context, entry, tensor, "data is no memory object of the model's OpenCL context");
  }
  if (o.type != CL_MEM_OBJECT_BUFFER) return refuse(context, entry, tensor, "the memory object is no buffer");
  if (o.byte_count < (size_t)needed) {
    return refuse(
        context, entry, tensor, "the memory object has %lld bytes, expected %lld", (long long)o.byte_count,
        (long long)needed);
  }
  if (o.offset % TFC_OPENCL_ALIGNMENT == 0 && (uintptr_t)o.host % TFC_OPENCL_ALIGNMENT == 0) return TFC_OK;
  return refuse(
      context, entry, tensor, "the memory object does not begin at a multiple of %d bytes", TFC_OPENCL_ALIGNMENT);
}

/* A tensor of the caller on the device. */
static int32_t bind_memory(
    tfc_context *context, const tfc_entry *entry, int32_t tensor, cl_mem memory, const int64_t *symbols) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  int64_t needed = tfc_extents(entry, info_of(entry, tensor), symbols, NULL);
  if (needed < 0) return refuse(context, entry, tensor, "an extent is negative or too large");
  state->memory[TFC_OPENCL_INPUTS + tensor] = needed > 0 ? memory : state->shared->empty;
  return needed > 0 ? check_memory(context, entry, tensor, memory, needed) : TFC_OK;
}

/* Refuses an output that is another tensor's memory object, unless it may share that one. */
static int32_t check_distinct(tfc_context *context, const tfc_entry *entry, int32_t output) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  const cl_mem *tensors = &state->memory[TFC_OPENCL_INPUTS];
  int32_t tensor = entry->input_count + output;
  for (int32_t t = 0; t < tensor; t++) {
    if (tensors[t] != tensors[tensor] || tensors[t] == state->shared->empty) continue;
    if (t == entry->outputs[output].alias) continue;
    char name[TFC_OPENCL_NAME_BYTE_COUNT], other[TFC_OPENCL_NAME_BYTE_COUNT];
    name_tensor(entry, tensor, name);
    name_tensor(entry, t, other);
    return tfc_opencl_refuse(context, TFC_INVALID_ARGUMENT, "%s overlaps %s", name, other);
  }
  return TFC_OK;
}

int32_t tfc_opencl_bind_on_device(
    tfc_context *context, const tfc_entry *entry, const void *const *inputs, void *const *outputs,
    const int64_t *symbols) {
  int32_t status = TFC_OK;
  bind_common(tfc_opencl_state_of(context));
  for (int32_t t = 0; t < entry->input_count + entry->output_count && status == TFC_OK; t++) {
    const void *memory = t < entry->input_count ? inputs[t] : outputs[t - entry->input_count];
    status = bind_memory(context, entry, t, (cl_mem)memory, symbols);
  }
  for (int32_t o = 0; o < entry->output_count && status == TFC_OK; o++) status = check_distinct(context, entry, o);
  return status;
}
