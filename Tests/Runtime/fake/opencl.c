/* An OpenCL library with three devices that compute nothing, for what no driver here does: lack features, and fail.
 *
 * FAKE_OPENCL_FAILS names a function, an error and how many calls go well before: "clCreateBuffer -4 1".
 * FAKE_OPENCL_EXTENSIONS lists the extensions of devices for OpenCL C 2.0; FAKE_OPENCL_CAPABILITY is NVIDIA's compute
 * capability: "80". FAKE_OPENCL_FOUND is what each item of the kernel that tries features finds. FAKE_OPENCL_COMPILED is
 * how many items kernels are said to be compiled for; groups of other sizes have at most 64 then. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The objects that are not released. */
atomic_int fake_opencl_objects;

/* Calls of the function that is to fail. */
atomic_int fake_opencl_calls;

/* The options of the last program that was built. */
char fake_opencl_options[256];

static unsigned number_in(const char *variable) {
  const char *text = getenv(variable);
  return text != NULL ? (unsigned)atoi(text) : 0;
}

static cl_int result_of(const char *function) {
  char name[64];
  int error, before;
  const char *fails = getenv("FAKE_OPENCL_FAILS");
  if (fails == NULL || sscanf(fails, "%63s %d %d", name, &error, &before) != 3) return CL_SUCCESS;
  if (strcmp(name, function) != 0) return CL_SUCCESS;
  return atomic_fetch_add(&fake_opencl_calls, 1) == before ? error : CL_SUCCESS;
}

typedef struct object {
  void *owner;
  size_t byte_count;
  uint8_t bytes[];
} object;

static void *create(const char *function, void *owner, size_t byte_count, const void *bytes, cl_int *error) {
  *error = result_of(function);
  if (*error != CL_SUCCESS) return NULL;
  object *o = calloc(1, sizeof *o + byte_count);
  o->owner = owner;
  o->byte_count = byte_count;
  if (bytes != NULL) memcpy(o->bytes, bytes, byte_count);
  atomic_fetch_add(&fake_opencl_objects, 1);
  return o;
}

static cl_int release(void *o) {
  free(o);
  atomic_fetch_sub(&fake_opencl_objects, 1);
  return CL_SUCCESS;
}

static cl_int answer(const void *bytes, size_t byte_count, size_t room, void *value, size_t *size) {
  if (size != NULL) *size = byte_count;
  if (value != NULL && room < byte_count) return CL_INVALID_VALUE;
  if (value != NULL) memcpy(value, bytes, byte_count);
  return CL_SUCCESS;
}

static cl_int answer_text(const char *text, size_t room, void *value, size_t *size) {
  return answer(text, strlen(text) + 1, room, value, size);
}

static cl_int answer_word(cl_uint word, size_t room, void *value, size_t *size) {
  return answer(&word, sizeof word, room, value, size);
}

static cl_int answer_long(cl_ulong number, size_t room, void *value, size_t *size) {
  return answer(&number, sizeof number, room, value, size);
}

/* Questions of extensions. */
enum {
  CAPABILITY_MAJOR = 0x4000,
  CAPABILITY_MINOR = 0x4001,
  WARP_ITEM_COUNT = 0x4003,
  SUBGROUP_ITEM_COUNTS = 0x4108
};

/* Ids are addresses in these. */
static char platforms[2], devices[3];

cl_int clGetPlatformIDs(cl_uint room, cl_platform_id *ids, cl_uint *count) {
  if (count != NULL) *count = 2;
  for (cl_uint p = 0; p < room && p < 2; p++) ids[p] = (cl_platform_id)(void *)&platforms[p];
  return result_of("clGetPlatformIDs");
}

cl_int clGetPlatformInfo(cl_platform_id id, cl_platform_info question, size_t room, void *value, size_t *size) {
  int first = (char *)id == platforms;
  if (question == CL_PLATFORM_NAME) return answer_text(first ? "Empty" : "Fake", room, value, size);
  return answer_text("OpenCL 1.2 Fake", room, value, size);
}

/* The second platform has a CPU, a GPU without features and a GPU that is not available. */
cl_int clGetDeviceIDs(cl_platform_id id, cl_device_type type, cl_uint room, cl_device_id *ids, cl_uint *count) {
  (void)type;
  if ((char *)id == platforms) return CL_DEVICE_NOT_FOUND;
  if (count != NULL) *count = 3;
  for (cl_uint d = 0; d < room && d < 3; d++) ids[d] = (cl_device_id)(void *)&devices[d];
  return CL_SUCCESS;
}

cl_int clGetDeviceInfo(cl_device_id id, cl_device_info question, size_t room, void *value, size_t *size) {
  static const char *const names[] = {"Plain CPU", "Plain GPU", "Absent GPU"};
  const char *extensions = getenv("FAKE_OPENCL_EXTENSIONS");
  long d = (char *)id - devices;
  switch (question) {
    case CL_DEVICE_NAME: return answer_text(names[d], room, value, size);
    case CL_DEVICE_VERSION: return answer_text("OpenCL 1.2 Fake", room, value, size);
    case CL_DRIVER_VERSION: return answer_text("1", room, value, size);
    case CL_DEVICE_OPENCL_C_VERSION:
      return answer_text(extensions != NULL ? "OpenCL C 2.0" : "OpenCL C 1.2", room, value, size);
    case CL_DEVICE_EXTENSIONS:
      return answer_text(extensions != NULL ? extensions : "cl_khr_icd cl_khr_fp64_not", room, value, size);
    case CAPABILITY_MAJOR: return answer_word(number_in("FAKE_OPENCL_CAPABILITY") / 10, room, value, size);
    case CAPABILITY_MINOR: return answer_word(number_in("FAKE_OPENCL_CAPABILITY") % 10, room, value, size);
    case WARP_ITEM_COUNT: return answer_word(32, room, value, size);
    case SUBGROUP_ITEM_COUNTS: return answer((size_t[]){8, 16, 32}, 3 * sizeof(size_t), room, value, size);
    case CL_DEVICE_TYPE: return answer_long(d == 0 ? CL_DEVICE_TYPE_CPU : CL_DEVICE_TYPE_GPU, room, value, size);
    case CL_DEVICE_ADDRESS_BITS: return answer_word(32, room, value, size);
    case CL_DEVICE_AVAILABLE: return answer_word(d != 2, room, value, size);
    case CL_DEVICE_COMPILER_AVAILABLE: return answer_word(1, room, value, size);
    case CL_DEVICE_MAX_COMPUTE_UNITS: return answer_word(4, room, value, size);
    case CL_DEVICE_MAX_WORK_GROUP_SIZE: return answer_long(256, room, value, size);
    case CL_DEVICE_LOCAL_MEM_SIZE: return answer_long(1024, room, value, size);
    default: return answer_long(0, room, value, size);
  }
}

cl_context clCreateContext(
    const cl_context_properties *properties, cl_uint count, const cl_device_id *ids,
    void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *user, cl_int *error) {
  (void)properties, (void)count, (void)ids, (void)notify, (void)user;
  return create("clCreateContext", NULL, 0, NULL, error);
}

cl_int clReleaseContext(cl_context context) { return release(context); }

cl_command_queue clCreateCommandQueue(
    cl_context context, cl_device_id device, cl_command_queue_properties properties, cl_int *error) {
  (void)device, (void)properties;
  return create("clCreateCommandQueue", context, 0, NULL, error);
}

cl_int clReleaseCommandQueue(cl_command_queue queue) { return release(queue); }

cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t byte_count, void *host, cl_int *error) {
  return create("clCreateBuffer", context, byte_count, flags & CL_MEM_COPY_HOST_PTR ? host : NULL, error);
}

cl_int clReleaseMemObject(cl_mem memory) { return release(memory); }

cl_int clGetMemObjectInfo(cl_mem memory, cl_mem_info question, size_t room, void *value, size_t *size) {
  const object *o = (const object *)(const void *)memory;
  if (question == CL_MEM_SIZE) return answer(&o->byte_count, sizeof o->byte_count, room, value, size);
  return answer(&o->owner, sizeof o->owner, room, value, size);
}

cl_program clCreateProgramWithSource(
    cl_context context, cl_uint count, const char **texts, const size_t *lengths, cl_int *error) {
  (void)count;
  return create("clCreateProgramWithSource", context, lengths[0], texts[0], error);
}

cl_program clCreateProgramWithBinary(
    cl_context context, cl_uint count, const cl_device_id *ids, const size_t *lengths, const unsigned char **binaries,
    cl_int *of_binary, cl_int *error) {
  (void)count, (void)ids;
  *of_binary = CL_SUCCESS;
  return create("clCreateProgramWithBinary", context, lengths[0], binaries[0], error);
}

cl_int clReleaseProgram(cl_program program) { return release(program); }

cl_int clBuildProgram(
    cl_program program, cl_uint count, const cl_device_id *ids, const char *options,
    void(CL_CALLBACK *notify)(cl_program, void *), void *user) {
  (void)program, (void)count, (void)ids, (void)notify, (void)user;
  snprintf(fake_opencl_options, sizeof fake_opencl_options, "%s", options);
  return result_of("clBuildProgram");
}

cl_int clGetProgramInfo(cl_program program, cl_program_info question, size_t room, void *value, size_t *size) {
  const object *o = (const object *)(const void *)program;
  if (question == CL_PROGRAM_BINARY_SIZES) return answer(&o->byte_count, sizeof o->byte_count, room, value, size);
  memcpy(*(void **)value, o->bytes, o->byte_count);
  return CL_SUCCESS;
}

cl_int clGetProgramBuildInfo(
    cl_program program, cl_device_id id, cl_program_build_info question, size_t room, void *value, size_t *size) {
  (void)program, (void)id, (void)question;
  return answer_text("", room, value, size);
}

cl_kernel clCreateKernel(cl_program program, const char *name, cl_int *error) {
  (void)name;
  return create("clCreateKernel", program, 0, NULL, error);
}

cl_int clReleaseKernel(cl_kernel kernel) { return release(kernel); }

cl_int clSetKernelArg(cl_kernel kernel, cl_uint index, size_t byte_count, const void *value) {
  (void)kernel, (void)index, (void)byte_count, (void)value;
  return result_of("clSetKernelArg");
}

/* Of a group of a kernel that is compiled for no number of items. */
static unsigned most_items(void) { return number_in("FAKE_OPENCL_COMPILED") > 0 ? 64 : 256; }

cl_int clGetKernelWorkGroupInfo(
    cl_kernel kernel, cl_device_id id, cl_kernel_work_group_info question, size_t room, void *value, size_t *size) {
  cl_int error = result_of("clGetKernelWorkGroupInfo");
  const char *local = getenv("FAKE_OPENCL_LOCAL");
  (void)kernel, (void)id;
  if (error != CL_SUCCESS) return error;
  if (question == CL_KERNEL_WORK_GROUP_SIZE) return answer_long(most_items(), room, value, size);
  if (question == CL_KERNEL_COMPILE_WORK_GROUP_SIZE) {
    return answer((size_t[]){number_in("FAKE_OPENCL_COMPILED"), 1, 1}, 3 * sizeof(size_t), room, value, size);
  }
  if (question == CL_KERNEL_LOCAL_MEM_SIZE) return answer_long(local != NULL ? 2048 : 16, room, value, size);
  return answer_long(32, room, value, size);
}

/* Events are not made: launches are not done, and take no time. */
cl_int clEnqueueNDRangeKernel(
    cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset, const size_t *items,
    const size_t *group, cl_uint count, const cl_event *before, cl_event *event) {
  cl_int error = CL_SUCCESS;
  (void)queue, (void)kernel, (void)dimensions, (void)offset, (void)count, (void)before;
  if (items[0] % group[0] != 0) return CL_INVALID_WORK_GROUP_SIZE;
  if (group[0] > most_items() && group[0] != number_in("FAKE_OPENCL_COMPILED")) return CL_INVALID_WORK_GROUP_SIZE;
  void *made = create("clEnqueueNDRangeKernel", NULL, 0, NULL, &error);
  if (event != NULL) *event = made;
  if (event == NULL && error == CL_SUCCESS) release(made);
  return error;
}

cl_int clReleaseEvent(cl_event event) { return release(event); }

cl_int clGetEventProfilingInfo(cl_event event, cl_profiling_info question, size_t room, void *value, size_t *size) {
  (void)event;
  return answer_long(question == CL_PROFILING_COMMAND_END ? 7 : 0, room, value, size);
}

/* The result of a transfer that is over, and its event. */
static cl_int done(const char *function, cl_event *event) {
  cl_int error = CL_SUCCESS;
  void *made = create(function, NULL, 0, NULL, &error);
  if (event != NULL) *event = made;
  if (event == NULL && error == CL_SUCCESS) release(made);
  return error;
}

cl_int clEnqueueReadBuffer(
    cl_command_queue queue, cl_mem memory, cl_bool waits, size_t offset, size_t byte_count, void *host, cl_uint count,
    const cl_event *before, cl_event *event) {
  const object *o = (const object *)(const void *)memory;
  (void)queue, (void)waits, (void)count, (void)before;
  if (offset + byte_count > o->byte_count) return CL_INVALID_VALUE;
  memcpy(host, o->bytes + offset, byte_count);
  if (getenv("FAKE_OPENCL_FOUND") != NULL) {
    for (size_t i = 0; i < byte_count / 4; i++) ((cl_uint *)host)[i] = number_in("FAKE_OPENCL_FOUND");
  }
  return done("clEnqueueReadBuffer", event);
}

cl_int clEnqueueWriteBuffer(
    cl_command_queue queue, cl_mem memory, cl_bool waits, size_t offset, size_t byte_count, const void *host,
    cl_uint count, const cl_event *before, cl_event *event) {
  object *o = (object *)(void *)memory;
  (void)queue, (void)waits, (void)count, (void)before;
  if (offset + byte_count > o->byte_count) return CL_INVALID_VALUE;
  memcpy(o->bytes + offset, host, byte_count);
  return done("clEnqueueWriteBuffer", event);
}

cl_int clEnqueueCopyBuffer(
    cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset, size_t byte_count,
    cl_uint count, const cl_event *before, cl_event *event) {
  const object *source = (const object *)(const void *)from;
  object *destination = (object *)(void *)to;
  (void)queue, (void)count, (void)before, (void)event;
  if (from_offset + byte_count > source->byte_count || to_offset + byte_count > destination->byte_count) {
    return CL_INVALID_VALUE;
  }
  memcpy(destination->bytes + to_offset, source->bytes + from_offset, byte_count);
  return result_of("clEnqueueCopyBuffer");
}

/* Pinned memory; no device here shares what is the caller's. */
void *clEnqueueMapBuffer(
    cl_command_queue queue, cl_mem memory, cl_bool waits, cl_map_flags flags, size_t offset, size_t byte_count,
    cl_uint count, const cl_event *before, cl_event *event, cl_int *error) {
  object *o = (object *)(void *)memory;
  (void)queue, (void)waits, (void)flags, (void)byte_count, (void)count, (void)before, (void)event;
  *error = result_of("clEnqueueMapBuffer");
  return *error == CL_SUCCESS ? o->bytes + offset : NULL;
}

cl_int clEnqueueUnmapMemObject(
    cl_command_queue queue, cl_mem memory, void *mapped, cl_uint count, const cl_event *before, cl_event *event) {
  (void)queue, (void)memory, (void)mapped, (void)count, (void)before, (void)event;
  return CL_SUCCESS;
}

cl_int clWaitForEvents(cl_uint count, const cl_event *events) {
  (void)count, (void)events;
  return result_of("clWaitForEvents");
}

cl_int clFlush(cl_command_queue queue) {
  (void)queue;
  return result_of("clFlush");
}

cl_int clFinish(cl_command_queue queue) {
  (void)queue;
  return result_of("clFinish");
}
