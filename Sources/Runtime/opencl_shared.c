/* What the contexts of an artifact on one device share: context, program, constants. */
#include <pthread.h>
#include <stdlib.h>

#include "opencl.h"

/* Guards the list and the counts. Held while a program is built: a second context needs that program anyway. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static tfc_opencl_shared *first;

/* Of the memory that stands for tensors without elements. */
#define EMPTY_BYTE_COUNT 256

/* Sends the constants to a device with memory of its own. */
static int32_t send(tfc_context *context, tfc_opencl_shared *shared, const void *constants, size_t byte_count) {
  cl_int error;
  cl_command_queue queue = tfc_cl.clCreateCommandQueue(shared->context, shared->device.device_id, 0, &error);
  if (error != CL_SUCCESS) return tfc_opencl_fail(context, "clCreateCommandQueue", error, NULL);
  tfc_opencl_stage stage = {.shared = shared, .queue = queue};
  int32_t status = tfc_opencl_send(context, &stage, shared->constants, constants, byte_count);
  error = tfc_cl.clFinish(queue);
  if (error != CL_SUCCESS) status = tfc_opencl_fail(context, "clFinish", error, NULL);
  if (status != TFC_OK) tfc_opencl_explain(context, " while the constants were sent");
  tfc_opencl_close_stage(&stage);
  tfc_cl.clReleaseCommandQueue(queue);
  return status;
}

/* The artifact's constants on the device. For a CPU they stay where they are in the library; a mapped file's are
 * copied, since it is this context that mapped it. */
static int32_t upload(tfc_context *context, tfc_opencl_shared *shared) {
  const tfc_opencl_code *code = tfc_opencl_state_of(context)->code;
  size_t byte_count = (size_t)code->constants_byte_count;
  if (byte_count == 0) return TFC_OK;
  void *constants = (void *)(context->weights + code->constants_offset);
  int32_t stays = shared->device.has_host_memory && context->mapped_weights == NULL &&
                  tfc_opencl_can_wrap(&shared->device, constants, code->constants_byte_count);
  int32_t is_sent = shared->device.has_own_memory;
  cl_mem_flags flags = is_sent ? 0 : stays ? CL_MEM_USE_HOST_PTR : CL_MEM_COPY_HOST_PTR;
  cl_int error;
  shared->constants = tfc_cl.clCreateBuffer(
      shared->context, CL_MEM_READ_ONLY | flags, byte_count, is_sent ? NULL : constants, &error);
  if (error == CL_SUCCESS) return is_sent ? send(context, shared, constants, byte_count) : TFC_OK;
  shared->constants = NULL;
  return tfc_opencl_fail(context, "clCreateBuffer of the constants", error, NULL);
}

static int32_t fill(tfc_context *context, tfc_opencl_shared *shared) {
  const cl_context_properties properties[] = {
      CL_CONTEXT_PLATFORM, (cl_context_properties)shared->device.platform_id, 0};
  cl_int error;
  cl_device_id device = shared->device.device_id;
  shared->context = tfc_cl.clCreateContext(properties, 1, &device, NULL, NULL, &error);
  if (error != CL_SUCCESS) {
    shared->context = NULL;
    return tfc_opencl_fail(context, "clCreateContext", error, NULL);
  }
  shared->empty = tfc_cl.clCreateBuffer(shared->context, CL_MEM_READ_WRITE, EMPTY_BYTE_COUNT, NULL, &error);
  if (error != CL_SUCCESS) {
    shared->empty = NULL;
    return tfc_opencl_fail(context, "clCreateBuffer", error, NULL);
  }
  int32_t status = tfc_opencl_build(context, shared);
  return status == TFC_OK ? upload(context, shared) : status;
}

static void release(tfc_opencl_shared *shared) {
  if (shared->constants != NULL) tfc_cl.clReleaseMemObject(shared->constants);
  if (shared->empty != NULL) tfc_cl.clReleaseMemObject(shared->empty);
  if (shared->program != NULL) tfc_cl.clReleaseProgram(shared->program);
  if (shared->context != NULL) tfc_cl.clReleaseContext(shared->context);
  free(shared);
}

static int32_t share(tfc_context *context, const tfc_opencl_device *device) {
  tfc_opencl_state *state = tfc_opencl_state_of(context);
  for (tfc_opencl_shared *s = first; s != NULL; s = s->next) {
    if (s->artifact != context->artifact || s->device.device_id != device->device_id) continue;
    s->user_count++;
    state->shared = s;
    return TFC_OK;
  }
  tfc_opencl_shared *shared = calloc(1, sizeof *shared);
  if (shared == NULL) return tfc_opencl_refuse(context, TFC_OUT_OF_MEMORY, "no memory for a context");
  shared->artifact = context->artifact;
  shared->device = *device;
  shared->user_count = 1;
  int32_t status = fill(context, shared);
  if (status != TFC_OK) {
    release(shared);
    return status;
  }
  shared->next = first;
  first = shared;
  state->shared = shared;
  return TFC_OK;
}

int32_t tfc_opencl_share(tfc_context *context, const tfc_opencl_device *device) {
  pthread_mutex_lock(&lock);
  int32_t status = share(context, device);
  pthread_mutex_unlock(&lock);
  return status;
}

void tfc_opencl_unshare(tfc_opencl_shared *shared) {
  pthread_mutex_lock(&lock);
  if (--shared->user_count == 0) {
    tfc_opencl_shared **link = &first;
    while (*link != shared) link = &(*link)->next;
    *link = shared->next;
    release(shared);
  }
  pthread_mutex_unlock(&lock);
}
