/* What the files of the OpenCL backend share. */
#ifndef TFC_OPENCL_RUNTIME_H
#define TFC_OPENCL_RUNTIME_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include "context.h"
#include "tfc_opencl.h"
#include "tfc_opencl_devices.h"

/* The functions of the library, found when it is loaded: nothing links to it. */
#define TFC_OPENCL_FUNCTIONS(DO)                                                                           \
  DO(clGetPlatformIDs)                                                                                     \
  DO(clGetPlatformInfo)                                                                                    \
  DO(clGetDeviceIDs)                                                                                       \
  DO(clGetDeviceInfo)                                                                                      \
  DO(clCreateContext)                                                                                      \
  DO(clReleaseContext)                                                                                     \
  DO(clCreateCommandQueue)                                                                                 \
  DO(clReleaseCommandQueue)                                                                                \
  DO(clCreateBuffer)                                                                                       \
  DO(clReleaseMemObject)                                                                                   \
  DO(clGetMemObjectInfo)                                                                                   \
  DO(clCreateProgramWithSource)                                                                            \
  DO(clCreateProgramWithBinary)                                                                            \
  DO(clBuildProgram)                                                                                       \
  DO(clGetProgramInfo)                                                                                     \
  DO(clGetProgramBuildInfo)                                                                                \
  DO(clReleaseProgram)                                                                                     \
  DO(clCreateKernel)                                                                                       \
  DO(clReleaseKernel)                                                                                      \
  DO(clSetKernelArg)                                                                                       \
  DO(clGetKernelWorkGroupInfo)                                                                             \
  DO(clEnqueueNDRangeKernel)                                                                               \
  DO(clEnqueueReadBuffer)                                                                                  \
  DO(clEnqueueWriteBuffer)                                                                                 \
  DO(clEnqueueCopyBuffer)                                                                                  \
  DO(clEnqueueMapBuffer)                                                                                   \
  DO(clEnqueueUnmapMemObject)                                                                              \
  DO(clFlush)                                                                                              \
  DO(clFinish)                                                                                             \
  DO(clWaitForEvents)                                                                                      \
  DO(clGetEventProfilingInfo)                                                                              \
  DO(clReleaseEvent)

typedef struct tfc_opencl_library {
#define TFC_OPENCL_FIELD(name) __typeof__(&name) name;
  TFC_OPENCL_FUNCTIONS(TFC_OPENCL_FIELD)
#undef TFC_OPENCL_FIELD
} tfc_opencl_library;

/* Has the functions after tfc_opencl_load, which says why it has not, or null. */
extern tfc_opencl_library tfc_cl;
const char *tfc_opencl_load(void);

/* "CL_OUT_OF_RESOURCES", or null for a code that no version of OpenCL has. */
const char *tfc_opencl_error_name(cl_int code);

/* Writes the sentence for a call that returned `code`, unless an earlier one stands; returns the status that stands.
 * `kernel` may be null. */
int32_t tfc_opencl_fail(tfc_context *context, const char *call, cl_int code, const char *kernel);

/* The same for another sentence. */
__attribute__((format(printf, 3, 4))) int32_t tfc_opencl_refuse(
    tfc_context *context, int32_t status, const char *format, ...);

/* Adds to the sentence what was being done. */
__attribute__((format(printf, 2, 3))) void tfc_opencl_explain(tfc_context *context, const char *format, ...);

/* What a memory object is to the model, as the program numbers it: "input 0 'x'", "the arena". */
#define TFC_OPENCL_NAME_BYTE_COUNT 256
void tfc_opencl_name(const tfc_context *context, int64_t memory, char *name);

/* What the contexts of an artifact on a device have together. */
typedef struct tfc_opencl_shared {
  struct tfc_opencl_shared *next;
  const tfc_artifact_table *artifact;
  int32_t user_count;
  tfc_opencl_device device;
  cl_context context;
  cl_program program;
  int32_t features; /* of the code's, those that were tried and are right */
  cl_mem constants;
  cl_mem empty; /* stands for a tensor without elements */
} tfc_opencl_shared;

typedef struct tfc_opencl_buffer {
  cl_mem memory;
  int64_t byte_count;
} tfc_opencl_buffer;

typedef struct tfc_opencl_function {
  cl_kernel kernel;
  size_t item_count; /* the most items of a group */
  size_t multiple;   /* that groups should be of */
} tfc_opencl_function;

/* A launch whose time is not yet known. */
typedef struct tfc_opencl_event {
  cl_event event;
  int32_t launch;
} tfc_opencl_event;

/* Pinned memory of the host for transfers in a queue, two pieces that take turns. */
typedef struct tfc_opencl_stage {
  const tfc_opencl_shared *shared;
  cl_command_queue queue;
  cl_mem memory;
  uint8_t *pieces;
  cl_event events[2]; /* of the transfer that each piece is in, or null */
  int32_t turn;       /* the piece that is written next */
  int32_t is_refused; /* whether it was asked for and is not there */
} tfc_opencl_stage;

/* A context's part of a device. */
typedef struct tfc_opencl_state {
  tfc_opencl_shared *shared;
  const tfc_opencl_code *code;
  cl_command_queue queue;
  int32_t status;                 /* of the call's first error */
  tfc_opencl_function *functions; /* of the code's kernels */
  tfc_opencl_buffer arena;
  tfc_opencl_buffer *tensors; /* the context's own, for inputs and outputs that are copied */
  cl_mem *memory;             /* of this call, as the program numbers it */
  tfc_opencl_stage stage;
  uint8_t *wraps_host;        /* whether the tensor's memory of this call is the caller's */
  tfc_opencl_event *events;
  int32_t event_count, event_room;
} tfc_opencl_state;

static inline tfc_opencl_state *tfc_opencl_state_of(const tfc_context *context) {
  return (tfc_opencl_state *)context->device;
}

/* The device that options and environment name, else the best one, with what the code needs. TFC_INVALID_ARGUMENT where
 * there are devices and none has the name. */
int32_t tfc_opencl_choose(
    tfc_context *context, const tfc_options *options, const tfc_opencl_code *code, tfc_opencl_device *device);

/* Joins the contexts of the artifact on the device, or is their first. */
int32_t tfc_opencl_share(tfc_context *context, const tfc_opencl_device *device);
void tfc_opencl_unshare(tfc_opencl_shared *shared);

/* Builds the code's program for the device, or takes it from the cache. */
int32_t tfc_opencl_build(tfc_context *context, tfc_opencl_shared *shared);

/* The features that the device says it has, of the code's. */
int32_t tfc_opencl_offered_features(const tfc_opencl_code *code, const tfc_opencl_device *device);
/* Those that give the right results in the program: its kernel `tfc_try` tells. */
int32_t tfc_opencl_try_features(const tfc_opencl_shared *shared);

/* Whether the device may use the host's memory as its own: a CPU, and memory that is aligned as kernels expect; or a GPU
 * in the host's memory, and whole pages. */
int32_t tfc_opencl_can_wrap(const tfc_opencl_device *device, const void *data, int64_t byte_count);

/* Begins to bring bytes to a memory object. The data must stay until the queue is finished. */
int32_t tfc_opencl_send(
    tfc_context *context, tfc_opencl_stage *stage, cl_mem memory, const void *data, size_t byte_count);
/* Brings bytes from a memory object; they are there when the queue is finished. */
int32_t tfc_opencl_receive(
    tfc_context *context, tfc_opencl_stage *stage, cl_mem memory, void *data, size_t byte_count);
/* Releases what transfers took. The queue must be empty. */
void tfc_opencl_close_stage(tfc_opencl_stage *stage);

/* Makes the buffer at least as large; what it held is lost. */
int32_t tfc_opencl_reserve(tfc_context *context, tfc_opencl_buffer *buffer, int64_t byte_count);
int32_t tfc_opencl_reserve_arena(tfc_context *context, const tfc_entry *entry, const int64_t *symbols);

/* Gives the call its memory: the caller's, or the context's with what the inputs hold. */
int32_t tfc_opencl_bind(
    tfc_context *context, const tfc_entry *entry, const void *const *inputs, void *const *outputs,
    const int64_t *symbols);
/* The caller's memory objects; refuses those that are too small, of another context, or shared wrongly. */
int32_t tfc_opencl_bind_on_device(
    tfc_context *context, const tfc_entry *entry, const void *const *inputs, void *const *outputs,
    const int64_t *symbols);
/* Begins to bring the outputs to the caller. */
int32_t tfc_opencl_return_outputs(
    tfc_context *context, const tfc_entry *entry, void *const *outputs, const int64_t *symbols);
/* Releases what the call wrapped. The queue must be empty. */
void tfc_opencl_unbind(tfc_context *context, const tfc_entry *entry);

/* Makes the functions of the context. */
int32_t tfc_opencl_make_functions(tfc_context *context);
/* Adds the times of finished launches to the profile. */
void tfc_opencl_count_events(tfc_context *context);

/* The cache folder's files; a key is 32 hexadecimal digits. */
#define TFC_OPENCL_KEY_BYTE_COUNT 33
#define TFC_OPENCL_PATH_BYTE_COUNT 4096
/* The bytes kept for the key, to be freed, or null. */
uint8_t *tfc_opencl_cache_read(const char *key, size_t *byte_count);
void tfc_opencl_cache_write(const char *key, const uint8_t *bytes, size_t byte_count);
/* Writes a log; its path, or 0 where it cannot be written. */
int32_t tfc_opencl_cache_log(const char *key, const char *log, char *path);

/* A hash of texts, for keys. */
typedef struct tfc_opencl_hash {
  uint64_t a, b;
} tfc_opencl_hash;
tfc_opencl_hash tfc_opencl_hash_begin(void);
void tfc_opencl_hash_add(tfc_opencl_hash *hash, const void *bytes, size_t byte_count);
void tfc_opencl_hash_key(const tfc_opencl_hash *hash, char *key);

#endif
