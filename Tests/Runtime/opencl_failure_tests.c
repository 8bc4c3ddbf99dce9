/* Machines without OpenCL, and an OpenCL whose calls fail: see fake/opencl.c. */
#include <unistd.h>

#include "opencl_model.h"

static void the_machine_has_no_platform(void) {
  variant v;
  begin_variant(&v);
  expect_text(refusal(&v, NULL), "there is no OpenCL device: no platform is found");
  expect_text(refusal(&v, "x"), "no OpenCL device is named 'x': no platform is found");
  expect_cpu(NULL, "there is no OpenCL device: no platform is found");
  expect_cpu("x", "no OpenCL device is named 'x': no platform is found");
  dlclose(v.handle);
}

static void the_machine_has_no_opencl(void) {
  variant v;
  begin_variant(&v);
  expect_prefix(refusal(&v, NULL), "OpenCL cannot be loaded: ");
  expect(strstr(refusal(&v, NULL), "libOpenCL.so.1") != NULL);
  expect_cpu(NULL, "OpenCL cannot be loaded: ");
  expect_cpu("x", "OpenCL cannot be loaded: ");
  dlclose(v.handle);
}

void test_no_opencl_platform(void) { RUN(the_machine_has_no_platform); }

void test_no_opencl(void) { RUN(the_machine_has_no_opencl); }

/* One of the counters of fake/opencl.c. */
static atomic_int *counter(const char *name) {
  void *library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
  atomic_int *found = library != NULL ? dlsym(library, name) : NULL;
  if (found == NULL) abort();
  return found;
}

static void the_best_device_is_taken(void) {
  variant v;
  begin_variant(&v);
  const char *found = "found platform 0 'Empty' with no device, platform 1 'Fake' with devices 1:0 'Plain CPU' (cpu), "
                      "1:1 'Plain GPU' (gpu), 1:2 'Absent GPU' (gpu)";
  expect(strstr(refusal(&v, "empty"), found) != NULL);
  expect_text(refusal(&v, "absent"), "device 'Absent GPU' has no compiler, or is not available");
  expect_text(refusal(&v, "1:2"), "device 'Absent GPU' has no compiler, or is not available");
  v.code.needs = TFC_OPENCL_F64;
  expect_text(refusal(&v, NULL), "device 'Plain GPU' has no double precision (cl_khr_fp64), which the model needs");
  expect_text(
      refusal(&v, "CPU"), "device 'Plain CPU' has no double precision (cl_khr_fp64), which the model needs");
  v.code.needs = TFC_OPENCL_ATOMICS_64;
  expect_text(
      refusal(&v, "fake"), "device 'Plain GPU' has no 64-bit atomics (cl_khr_int64_base_atomics and "
                           "cl_khr_int64_extended_atomics), which the model needs");
  v.code.needs = 0;
  setenv("FAKE_OPENCL_LOCAL", "1", 1);
  expect_text(
      refusal(&v, NULL), "kernel 'check' needs 2048 bytes of local memory, device 'Plain GPU' has 1024");
  unsetenv("FAKE_OPENCL_LOCAL");
  expect(*counter("fake_opencl_objects") == 0);
  dlclose(v.handle);
}

/* NVIDIA's driver says of every kernel that its groups have at most 256 items, and runs those of 1024 that are compiled so. */
static void kernels_run_with_as_many_items_as_they_are_compiled_for(void) {
  variant v;
  begin_variant(&v);
  v.kernels[3].item_count = 128;
  setenv("FAKE_OPENCL_COMPILED", "128", 1);
  tfc_context *context = v.table.functions->create(&v.table, NULL);
  call c = begin(100000, 0); /* flat kernels have groups as large as may be */
  expect(context != NULL && run_variant(&v, context, &c) == TFC_OK);
  v.table.functions->destroy(context);
  free(c.memory);
  setenv("FAKE_OPENCL_COMPILED", "100", 1);
  expect_text(
      refusal(&v, NULL), "kernel 'sums' needs groups of 128 items, device 'Plain GPU' runs it with at most 64");
  v.kernels[3].item_count = 512;
  setenv("FAKE_OPENCL_COMPILED", "512", 1);
  expect_text(
      refusal(&v, NULL), "kernel 'sums' needs groups of 512 items, device 'Plain GPU' runs it with at most 64");
  unsetenv("FAKE_OPENCL_COMPILED");
  expect(*counter("fake_opencl_objects") == 0);
  dlclose(v.handle);
}

static void expect_best(const tfc_opencl_machine *machine, const char *given, const char *variable, const char *name) {
  setenv("TFC_OPENCL_DEVICE", variable, 1);
  const tfc_opencl_device *found = tfc_opencl_best_device(machine, given);
  expect_text(found != NULL ? found->name : "none", name);
  unsetenv("TFC_OPENCL_DEVICE");
}

/* What describes a device chooses as contexts do. */
static void the_environment_names_the_device_that_is_described(void) {
  tfc_opencl_machine machine;
  char sentence[256];
  expect(tfc_opencl_find_machine(&machine, sentence, sizeof sentence) == TFC_OK);
  expect_best(&machine, NULL, "", "Plain GPU");
  expect_best(&machine, NULL, "cpu", "Plain CPU");
  expect_best(&machine, "", "1:0", "Plain CPU");
  expect_best(&machine, "plain", "1:0", "Plain GPU");
  expect_best(&machine, NULL, "another", "none");
  tfc_opencl_release_machine(&machine);
}

static void shuffles_are_found(void) {
  static const struct {
    const char *extensions, *capability;
    int32_t shuffle;
    int64_t item_count;
  } devices[] = {
      {"cl_nv_device_attribute_query", "50", TFC_OPENCL_SHUFFLE_PTX, 32},
      {"cl_nv_device_attribute_query", "37", TFC_OPENCL_NO_SHUFFLE, 32},
      {"cl_khr_subgroups cl_khr_subgroup_shuffle", "0", TFC_OPENCL_SHUFFLE_KHR, 32},
      {"cl_khr_subgroups cl_khr_subgroup_shuffle_relative", "0", TFC_OPENCL_NO_SHUFFLE, 32},
      {"cl_intel_subgroups cl_intel_required_subgroup_size", "0", TFC_OPENCL_SHUFFLE_INTEL, 16},
      {"cl_intel_subgroups", "0", TFC_OPENCL_NO_SHUFFLE, 32},
  };
  for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) {
    tfc_opencl_machine machine;
    char sentence[256];
    setenv("FAKE_OPENCL_EXTENSIONS", devices[d].extensions, 1);
    setenv("FAKE_OPENCL_CAPABILITY", devices[d].capability, 1);
    expect(tfc_opencl_find_machine(&machine, sentence, sizeof sentence) == TFC_OK && machine.device_count == 3);
    expect(machine.devices[1].shuffle == devices[d].shuffle);
    expect(machine.devices[1].subgroup_item_count == devices[d].item_count);
    tfc_opencl_release_machine(&machine);
  }
  unsetenv("FAKE_OPENCL_EXTENSIONS");
  unsetenv("FAKE_OPENCL_CAPABILITY");
}

/* Makes a call with the variant, of so many elements; a call of OpenCL fails in create or in run. */
static void expect_failure_of(int64_t n, const char *fails, int32_t status, const char *sentence) {
  variant v;
  begin_variant(&v);
  *counter("fake_opencl_calls") = 0;
  setenv("FAKE_OPENCL_FAILS", fails, 1);
  tfc_context *context = v.table.functions->create(&v.table, NULL);
  if (context == NULL) {
    expect_text(v.table.functions->last_error(NULL), sentence);
  } else {
    call c = begin(n, 0);
    expect(run_variant(&v, context, &c) == status);
    expect_text(v.table.functions->last_error(context), sentence);
    expect(run_variant(&v, context, &c) == TFC_OK);
    free(c.memory);
  }
  unsetenv("FAKE_OPENCL_FAILS");
  v.table.functions->destroy(context);
  expect(*counter("fake_opencl_objects") == 0);
  dlclose(v.handle);
}

static void expect_failure(const char *fails, int32_t status, const char *sentence) {
  expect_failure_of(9, fails, status, sentence);
}

static void every_error_is_a_sentence(void) {
  setenv("XDG_CACHE_HOME", "/dev/null", 1);
  expect_failure("clCreateContext -2 0", 0, "clCreateContext returned CL_DEVICE_NOT_AVAILABLE");
  expect_failure("clCreateBuffer -4 0", 0, "clCreateBuffer returned CL_MEM_OBJECT_ALLOCATION_FAILURE");
  expect_failure("clCreateProgramWithSource -6 0", 0, "clCreateProgramWithSource returned CL_OUT_OF_HOST_MEMORY");
  expect_failure("clBuildProgram -11 0", 0, "clBuildProgram returned CL_BUILD_PROGRAM_FAILURE");
  expect_failure(
      "clCreateBuffer -4 1", 0, "clCreateBuffer of the constants returned CL_MEM_OBJECT_ALLOCATION_FAILURE");
  expect_failure("clCreateCommandQueue -9999 0", 0, "clCreateCommandQueue returned the error -9999");
  expect_failure("clCreateKernel -6 2", 0, "clCreateKernel returned CL_OUT_OF_HOST_MEMORY for kernel 'add'");
  expect_failure(
      "clGetKernelWorkGroupInfo -5 1", 0, "clGetKernelWorkGroupInfo returned CL_OUT_OF_RESOURCES for kernel 'check'");
  expect_failure(
      "clCreateBuffer -4 2", TFC_OUT_OF_MEMORY,
      "clCreateBuffer of 100 bytes returned CL_MEM_OBJECT_ALLOCATION_FAILURE");
  expect_failure(
      "clCreateBuffer -61 5", TFC_OUT_OF_MEMORY, "clCreateBuffer of 36 bytes returned CL_INVALID_BUFFER_SIZE");
  expect_failure(
      "clEnqueueWriteBuffer -5 0", 0, "clEnqueueWriteBuffer returned CL_OUT_OF_RESOURCES while the constants were sent");
  expect_failure(
      "clEnqueueWriteBuffer -5 1", TFC_DEVICE_FAILED,
      "clEnqueueWriteBuffer returned CL_OUT_OF_RESOURCES while input 0 'x' was sent");
  expect_failure(
      "clSetKernelArg -51 3", TFC_DEVICE_FAILED, "clSetKernelArg returned CL_INVALID_ARG_SIZE for kernel 'check'");
  expect_failure(
      "clEnqueueNDRangeKernel -5 2", TFC_DEVICE_FAILED,
      "clEnqueueNDRangeKernel returned CL_OUT_OF_RESOURCES for kernel 'scale'");
  expect_failure(
      "clEnqueueCopyBuffer -8 0", TFC_DEVICE_FAILED,
      "clEnqueueCopyBuffer returned CL_MEM_COPY_OVERLAP while the arena was copied to output 2 'scaled'");
  expect_failure(
      "clEnqueueReadBuffer -36 0", TFC_DEVICE_FAILED,
      "clEnqueueReadBuffer returned CL_INVALID_COMMAND_QUEUE while a value was read that decides what runs next");
  expect_failure(
      "clEnqueueReadBuffer -5 2", TFC_DEVICE_FAILED,
      "clEnqueueReadBuffer returned CL_OUT_OF_RESOURCES while output 1 'sums' was received");
  expect_failure(
      "clFinish -14 0", 0,
      "clFinish returned CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST while the constants were sent");
  expect_failure(
      "clFinish -14 1", TFC_DEVICE_FAILED, "clFinish returned CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST");
}

static void a_refused_binary_is_built_from_source(void) {
  begin_cache();
  for (int n = 0; n < 2; n++) mix_destroy(mix_create(NULL));
  setenv("FAKE_OPENCL_FAILS", "clCreateProgramWithBinary -42 0", 1);
  *counter("fake_opencl_calls") = 0;
  mix *model = mix_create(NULL);
  expect(mix_device_handle(model, TFC_DEVICE_QUEUE) != NULL && *counter("fake_opencl_calls") == 1);
  mix_destroy(model);
  unsetenv("FAKE_OPENCL_FAILS");
  expect(*counter("fake_opencl_objects") == 0);
}

/* What the last program was built with, on a device of a compute capability, whose trial finds so much right. */
static void expect_options(const char *capability, const char *found, const char *present, const char *absent) {
  void *library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
  const char *options = library != NULL ? dlsym(library, "fake_opencl_options") : NULL;
  if (options == NULL) abort();
  variant v;
  begin_variant(&v);
  setenv("XDG_CACHE_HOME", "/dev/null", 1);
  setenv("FAKE_OPENCL_EXTENSIONS", "cl_nv_device_attribute_query", 1);
  setenv("FAKE_OPENCL_CAPABILITY", capability, 1);
  setenv("FAKE_OPENCL_FOUND", found, 1);
  v.code.features = TFC_OPENCL_BYTE_PRODUCTS | TFC_OPENCL_FRAGMENTS;
  tfc_context *context = v.table.functions->create(&v.table, NULL);
  expect(context != NULL);
  expect(strstr(options, present) != NULL && strstr(options, absent) == NULL);
  v.table.functions->destroy(context);
  unsetenv("FAKE_OPENCL_EXTENSIONS");
  unsetenv("FAKE_OPENCL_CAPABILITY");
  unsetenv("FAKE_OPENCL_FOUND");
  expect(*counter("fake_opencl_objects") == 0);
  dlclose(v.handle);
}

static void instructions_are_used_where_they_are_right(void) {
  expect_options("60", "3", "-cl-std", "PTX");
  expect_options("61", "1", "-DTFC_DOT_PTX", "TENSOR");
  expect_options("90", "3", "-DTFC_DOT_PTX -DTFC_TENSOR_PTX", "CL3.0");
  expect_options("90", "1", "-cl-std", "PTX");
  expect_options("90", "0", "-cl-std", "PTX");
  /* The build with instructions fails, the next one does not. */
  *counter("fake_opencl_calls") = 0;
  setenv("FAKE_OPENCL_FAILS", "clBuildProgram -11 0", 1);
  expect_options("90", "3", "-cl-std", "PTX");
  unsetenv("FAKE_OPENCL_FAILS");
}

/* Tensors of three pieces and a bit. Pinned memory that cannot be had is no error. */
static void errors_of_large_transfers_are_sentences(void) {
  const int64_t n = (3 << 18) + 7;
  expect_failure_of(n, "clEnqueueMapBuffer -12 0", TFC_OK, "");
  expect_failure_of(n, "clCreateBuffer -4 4", TFC_OK, "");
  expect_failure_of(
      n, "clEnqueueWriteBuffer -5 3", TFC_DEVICE_FAILED,
      "clEnqueueWriteBuffer returned CL_OUT_OF_RESOURCES while input 0 'x' was sent");
  expect_failure_of(
      n, "clFlush -6 2", TFC_OUT_OF_MEMORY, "clFlush returned CL_OUT_OF_HOST_MEMORY while input 0 'x' was sent");
  expect_failure_of(
      n, "clWaitForEvents -14 1", TFC_DEVICE_FAILED,
      "clWaitForEvents returned CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST while input 0 'x' was sent");
  expect_failure_of(
      n, "clEnqueueReadBuffer -5 3", TFC_DEVICE_FAILED,
      "clEnqueueReadBuffer returned CL_OUT_OF_RESOURCES while output 0 'y' was received");
  expect_failure_of(
      n, "clWaitForEvents -14 5", TFC_DEVICE_FAILED,
      "clWaitForEvents returned CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST while output 0 'y' was received");
}

/* y is x, scaled is what y becomes. */
static int32_t copy_all(tfc_context *context, int64_t *symbols) {
  tfc_opencl_copy(context, TFC_OPENCL_INPUTS, 0, TFC_OPENCL_INPUTS + 2, 0, 4 * symbols[0]);
  tfc_opencl_copy(context, TFC_OPENCL_INPUTS + 2, 0, TFC_OPENCL_INPUTS + 4, 0, 4 * symbols[0]);
  return TFC_OK;
}

static void large_tensors_pass_through_pinned_memory(void) {
  static const int64_t sizes[] = {65535, 65536, 1 << 18, (1 << 18) + 1, (5 << 18) - 3, 3};
  variant v;
  begin_variant(&v);
  v.code.program = copy_all;
  v.table.backend = &tfc_opencl_backend;
  v.table.functions = &tfc_runtime_functions;
  tfc_context *context = tfc_create(&v.table, NULL);
  expect(context != NULL);
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
    call c = begin(sizes[s], 4);
    for (int64_t i = 0; i < c.n; i++) c.x[i] = (float)i;
    expect(run_variant(&v, context, &c) == TFC_OK);
    int differs = 0;
    for (int64_t i = 0; i < c.n; i++) differs |= c.y[i] != (float)i || c.scaled[i] != (float)i;
    expect(!differs);
    free(c.memory);
  }
  tfc_destroy(context);
  expect(*counter("fake_opencl_objects") == 0);
  dlclose(v.handle);
}

/* 2^33 tasks on a device that counts to 2^32. */
static int32_t many_tasks(tfc_context *context, int64_t *symbols) {
  (void)symbols;
  tfc_opencl_launch(context, 1, 1, (const int64_t[]){2, 0, 1, 0, 0, 64}, (int64_t)1 << 33);
  return TFC_OK;
}

static void tasks_that_a_device_cannot_count_are_refused(void) {
  variant v;
  begin_variant(&v);
  v.code.program = many_tasks;
  v.table.backend = &tfc_opencl_backend;
  v.table.functions = &tfc_runtime_functions;
  tfc_context *context = tfc_create(&v.table, NULL);
  call c = begin(0, 0);
  expect(
      tfc_run(
          context, 0, (const void *const[]){NULL, &c.bias}, (void *const[]){NULL, NULL, NULL}, (const int64_t[]){0}) ==
      TFC_INVALID_ARGUMENT);
  expect_text(
      tfc_last_error(context), "kernel 'scale' has 8589934592 tasks, more than device 'Plain GPU' can count");
  free(c.memory);
  tfc_destroy(context);
  dlclose(v.handle);
}

void test_failing_opencl(void) {
  RUN(a_refused_binary_is_built_from_source);
  RUN(the_best_device_is_taken);
  RUN(kernels_run_with_as_many_items_as_they_are_compiled_for);
  RUN(the_environment_names_the_device_that_is_described);
  RUN(shuffles_are_found);
  RUN(every_error_is_a_sentence);
  RUN(instructions_are_used_where_they_are_right);
  RUN(errors_of_large_transfers_are_sentences);
  RUN(large_tensors_pass_through_pinned_memory);
  RUN(tasks_that_a_device_cannot_count_are_refused);
}
