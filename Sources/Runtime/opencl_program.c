/* The program of an artifact, built for a device: from the cache, else from its source. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "opencl.h"

/* How the source is compiled. Its macros say what the device has beyond OpenCL C 1.2. */
static void write_options(const tfc_opencl_device *device, int32_t features, char *options, size_t byte_count) {
  const char *language = "CL1.2";
  const char *products = "";
  if (device->shuffle == TFC_OPENCL_SHUFFLE_KHR) language = device->language >= 300 ? "CL3.0" : "CL2.0";
  if (features & TFC_OPENCL_BYTE_PRODUCTS) {
    products = device->nvidia_capability > 0 ? " -DTFC_DOT_PTX" : " -DTFC_DOT";
    if (device->nvidia_capability == 0) language = "CL3.0";
  }
  int length = snprintf(
      options, byte_count, "-cl-std=%s%s%s%s%s%s%s", language, products,
      features & TFC_OPENCL_FRAGMENTS ? " -DTFC_TENSOR_PTX" : "",
      device->has_exact_division ? " -cl-fp32-correctly-rounded-divide-sqrt" : "",
      device->has_f64 ? " -DTFC_FP64" : "", device->has_f16 ? " -DTFC_FP16" : "",
      device->has_atomics_64 ? " -DTFC_ATOMICS_64" : "");
  if (device->shuffle == TFC_OPENCL_NO_SHUFFLE) return;
  snprintf(
      options + length, byte_count - (size_t)length, " -DTFC_SHUFFLE=%d -DTFC_SUBGROUP_ITEMS=%lld", device->shuffle,
      (long long)device->subgroup_item_count);
}

static void add_text(tfc_opencl_hash *hash, const char *text) { tfc_opencl_hash_add(hash, text, strlen(text) + 1); }

/* What the binary depends on. */
static void write_key(tfc_context *context, const tfc_opencl_device *device, const char *options, char *key) {
  const tfc_opencl_code *code = tfc_opencl_state_of(context)->code;
  char platform[1024] = "";
  tfc_opencl_hash hash = tfc_opencl_hash_begin();
  tfc_cl.clGetPlatformInfo(device->platform_id, CL_PLATFORM_NAME, sizeof platform / 2, platform, NULL);
  add_text(&hash, platform);
  tfc_cl.clGetPlatformInfo(device->platform_id, CL_PLATFORM_VERSION, sizeof platform - 1, platform, NULL);
  add_text(&hash, platform);
  add_text(&hash, device->name);
  add_text(&hash, device->version);
  add_text(&hash, device->driver);
  add_text(&hash, options);
  tfc_opencl_hash_add(&hash, code->source, (size_t)code->source_byte_count);
  tfc_opencl_hash_key(&hash, key);
}

/* The program from the cache, or null. */
static cl_program load(tfc_opencl_shared *shared, const char *key, const char *options) {
  size_t byte_count = 0;
  cl_int code, of_binary;
  uint8_t *binary = tfc_opencl_cache_read(key, &byte_count);
  if (binary == NULL) return NULL;
  cl_device_id device = shared->device.device_id;
  const unsigned char *bytes = binary;
  cl_program program =
      tfc_cl.clCreateProgramWithBinary(shared->context, 1, &device, &byte_count, &bytes, &of_binary, &code);
  free(binary);
  if (program == NULL) return NULL;
  if (code == CL_SUCCESS && of_binary == CL_SUCCESS &&
      tfc_cl.clBuildProgram(program, 1, &device, options, NULL, NULL) == CL_SUCCESS) {
    return program;
  }
  tfc_cl.clReleaseProgram(program);
  return NULL;
}

static void keep(cl_program program, const char *key) {
  size_t byte_count = 0;
  if (tfc_cl.clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof byte_count, &byte_count, NULL) != CL_SUCCESS ||
      byte_count == 0) {
    return;
  }
  unsigned char *binary = malloc(byte_count);
  if (binary == NULL) return;
  if (tfc_cl.clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL) == CL_SUCCESS) {
    tfc_opencl_cache_write(key, binary, byte_count);
  }
  free(binary);
}

/* The compiler's output, to be freed, or null. */
static char *log_of(cl_program program, cl_device_id device) {
  size_t length = 0;
  if (tfc_cl.clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, 0, NULL, &length) != CL_SUCCESS) return NULL;
  char *log = calloc(1, length + 1);
  if (log != NULL) tfc_cl.clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, length, log, NULL);
  return log;
}

/* The first lines that are not empty, on one line. */
static void summarize(const char *log, char *text, size_t room) {
  size_t length = 0;
  int32_t lines = 0;
  for (const char *at = log; *at != 0 && lines < 3;) {
    size_t line = strcspn(at, "\r\n");
    if (line > 0 && length < room) {
      length += (size_t)snprintf(text + length, room - length, "%s%.*s", lines > 0 ? " / " : "", (int)line, at);
      lines++;
    }
    at += line;
    at += strspn(at, "\r\n");
  }
}

static int32_t refuse_build(
    tfc_context *context, tfc_opencl_shared *shared, cl_program program, cl_int code, const char *key) {
  char path[TFC_OPENCL_PATH_BYTE_COUNT], lines[600] = "";
  char *log = log_of(program, shared->device.device_id);
  const char *name = tfc_opencl_error_name(code);
  if (log == NULL || log[0] == 0) {
    free(log);
    return tfc_opencl_fail(context, "clBuildProgram", code, NULL);
  }
  summarize(log, lines, sizeof lines);
  int32_t is_written = tfc_opencl_cache_log(key, log, path);
  free(log);
  return tfc_opencl_refuse(
      context, TFC_DEVICE_FAILED, "clBuildProgram returned %s for device '%s': %s%s%.1000s",
      name != NULL ? name : "an error", shared->device.name, lines, is_written ? "; the whole log is in " : "",
      is_written ? path : "");
}

/* Builds the program with some features, whose failure is an error only without any. */
static int32_t build(tfc_context *context, tfc_opencl_shared *shared, int32_t features) {
  const tfc_opencl_code *source = tfc_opencl_state_of(context)->code;
  char options[256], key[TFC_OPENCL_KEY_BYTE_COUNT];
  write_options(&shared->device, features, options, sizeof options);
  write_key(context, &shared->device, options, key);
  shared->program = load(shared, key, options);
  if (shared->program != NULL) return TFC_OK;
  cl_int code;
  const size_t byte_count = (size_t)source->source_byte_count;
  cl_program program = tfc_cl.clCreateProgramWithSource(
      shared->context, 1, &(const char *){source->source}, &byte_count, &code);
  if (code != CL_SUCCESS) return tfc_opencl_fail(context, "clCreateProgramWithSource", code, NULL);
  cl_device_id device = shared->device.device_id;
  code = tfc_cl.clBuildProgram(program, 1, &device, options, NULL, NULL);
  if (code != CL_SUCCESS) {
    int32_t status = features == 0 ? refuse_build(context, shared, program, code, key) : TFC_DEVICE_FAILED;
    tfc_cl.clReleaseProgram(program);
    return status;
  }
  keep(program, key);
  shared->program = program;
  return TFC_OK;
}

int32_t tfc_opencl_build(tfc_context *context, tfc_opencl_shared *shared) {
  const tfc_opencl_code *code = tfc_opencl_state_of(context)->code;
  int32_t offered = tfc_opencl_offered_features(code, &shared->device);
  if (offered != 0 && build(context, shared, offered) == TFC_OK) {
    shared->features = tfc_opencl_try_features(shared);
    if ((shared->features & offered) == offered) return TFC_OK;
    tfc_cl.clReleaseProgram(shared->program);
    shared->program = NULL;
    shared->features = 0;
  }
  int32_t status = build(context, shared, 0);
  /* Drivers may be told to build with an emulation, for tests. */
  if (status == TFC_OK && (code->features & TFC_OPENCL_FRAGMENTS)) shared->features = tfc_opencl_try_features(shared);
  return status;
}
