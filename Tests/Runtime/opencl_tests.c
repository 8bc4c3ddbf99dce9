#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "opencl_model.h"

static void sizes_grow_and_shrink(void) {
  static const int64_t sizes[] = {1, 0, 5, 8, 300, 7, 5000, 100003, 64, 120000, 0, 3};
  mix *model = mix_create(NULL);
  expect(model != NULL && mix_device_handle(model, TFC_DEVICE_CONTEXT) != NULL);
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
    for (int64_t shift = 0; shift < 8; shift += 4) {
      call c = begin(sizes[s], shift);
      expect(run(model, &c) == TFC_OK);
      expect_text(mix_last_error(model), "");
      expect(is_right(&c));
      free(c.memory);
    }
  }
  mix_destroy(model);
}

/* Pointers that are aligned for no element are not refused: nothing here loads through them. */
static void pointers_may_be_misaligned(void) {
  mix *model = mix_create(NULL);
  call c = begin(10, 0);
  uint8_t moved[41], y[41];
  memcpy(moved + 1, c.x, 40);
  expect(mix_run(model, (mix_dims){10}, (float *)(void *)(moved + 1), &c.bias, (float *)(void *)(y + 1), c.sums,
             c.scaled) == TFC_OK);
  memcpy(c.y, y + 1, 40);
  expect(is_right(&c));
  free(c.memory);
  mix_destroy(model);
}

static void an_output_may_share_its_input(void) {
  mix *model = mix_create(NULL);
  for (int64_t shift = 0; shift < 8; shift += 4) {
    call c = begin(1000, shift);
    c.y = c.x;
    expect(run(model, &c) == TFC_OK);
    expect(is_right(&c));
    free(c.memory);
  }
  mix_destroy(model);
}

static void inputs_may_overlap(void) {
  mix *model = mix_create(NULL);
  call c = begin(1000, 0);
  c.bias = c.x[64];
  expect(mix_run(model, (mix_dims){1000}, c.x, &c.x[64], c.y, c.sums, c.scaled) == TFC_OK);
  expect(is_right(&c));
  free(c.memory);
  mix_destroy(model);
}

static void checks_of_calls_stay(void) {
  mix *model = mix_create(NULL);
  call c = begin(10, 0);
  expect(mix_run(model, (mix_dims){10}, NULL, &c.bias, c.y, c.sums, c.scaled) == TFC_INVALID_ARGUMENT);
  expect_text(mix_last_error(model), "input 0 'x': data is null");
  expect(mix_run(model, (mix_dims){10}, c.x, &c.bias, c.y, c.y, c.scaled) == TFC_INVALID_ARGUMENT);
  expect_text(mix_last_error(model), "output 1 'sums' overlaps output 0 'y'");
  expect(mix_run(model, (mix_dims){-1}, c.x, &c.bias, c.y, c.sums, c.scaled) == TFC_INVALID_ARGUMENT);
  c.x[0] = -3;
  expect(run(model, &c) == TFC_CHECK_FAILED);
  expect_text(mix_last_error(model), "the first element of x is negative");
  c.x[0] = 0;
  expect(run(model, &c) == TFC_OK);
  expect(is_right(&c));
  free(c.memory);
  mix_destroy(model);
}

static void *run_for_long(void *sizes) {
  const int64_t *size = sizes;
  mix *model = mix_create(NULL);
  int right = model != NULL;
  for (int n = 0; n < 30 && right; n++) {
    call c = begin(size[n % 2], 4 * (n % 3));
    right = run(model, &c) == TFC_OK && is_right(&c);
    free(c.memory);
  }
  mix_destroy(model);
  return right ? sizes : NULL;
}

static void two_contexts_run_at_once(void) {
  static int64_t sizes[2][2] = {{1000, 777}, {50, 40000}};
  pthread_t hosts[2];
  for (int h = 0; h < 2; h++) pthread_create(&hosts[h], NULL, run_for_long, sizes[h]);
  for (int h = 0; h < 2; h++) {
    void *result = NULL;
    pthread_join(hosts[h], &result);
    expect(result == sizes[h]);
  }
}

static void contexts_of_a_device_share_it(void) {
  mix *a = mix_create(NULL), *b = mix_create(&(mix_options){.device = "0:0"});
  expect(mix_device_handle(a, TFC_DEVICE_CONTEXT) == mix_device_handle(b, TFC_DEVICE_CONTEXT));
  expect(mix_device_handle(a, TFC_DEVICE_ID) == mix_device_handle(b, TFC_DEVICE_ID));
  expect(mix_device_handle(a, TFC_DEVICE_QUEUE) != mix_device_handle(b, TFC_DEVICE_QUEUE));
  expect(mix_device_handle(a, 3) == NULL && mix_device_handle(NULL, TFC_DEVICE_QUEUE) == NULL);
  mix_destroy(a);
  call c = begin(100, 0);
  expect(run(b, &c) == TFC_OK && is_right(&c));
  free(c.memory);
  mix_destroy(b);
}

static void a_device_is_chosen_by_name_or_number(void) {
  variant v;
  begin_variant(&v);
  const char *sentence = refusal(&v, "no such device");
  expect_prefix(sentence, "no OpenCL device is named 'no such device': found platform 0 '");
  expect(strstr(sentence, "0:0 '") != NULL);
  expect(refusal(&v, "no such device") == sentence);
  expect_prefix(refusal(&v, "0:99"), "no OpenCL device is named '0:99': found platform 0 '");
  expect_prefix(refusal(&v, "99:0"), "no OpenCL device is named '99:0': found platform 0 '");
  expect_prefix(refusal(&v, "0:"), "no OpenCL device is named '0:': found");
  setenv("TFC_OPENCL_DEVICE", "nor this one", 1);
  expect_prefix(refusal(&v, NULL), "no OpenCL device is named 'nor this one': found");
  mix *model = mix_create(&(mix_options){.device = "0:0"});
  expect(mix_device_handle(model, TFC_DEVICE_ID) != NULL);
  mix_destroy(model);
  unsetenv("TFC_OPENCL_DEVICE");
  /* A device that somebody named is not replaced by the CPU. */
  expect(mix_create(&(mix_options){.device = "no such device"}) == NULL);
  expect_text(mix_last_error(NULL), sentence);
  tfc_opencl_machine machine;
  char error[256], capitals[128];
  expect(tfc_opencl_find_machine(&machine, error, sizeof error) == TFC_OK && machine.device_count > 0);
  snprintf(capitals, sizeof capitals, "%s", machine.platforms[0].name);
  for (char *c = capitals; *c != 0; c++) *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
  model = mix_create(&(mix_options){.device = capitals});
  expect(mix_device_handle(model, TFC_DEVICE_ID) != NULL);
  mix_destroy(model);
  tfc_opencl_release_machine(&machine);
  dlclose(v.handle);
}

static void a_failed_build_shows_its_log(void) {
  variant v;
  begin_variant(&v);
  v.code.source = "kernel void check(global float *x) {\n  x[0] = missing;\n}\n";
  v.code.source_byte_count = (int64_t)strlen(v.code.source);
  const char *sentence = refusal(&v, NULL);
  expect_prefix(sentence, "clBuildProgram returned CL_BUILD_PROGRAM_FAILURE for device '");
  const char *path = strstr(sentence, "; the whole log is in /");
  expect(path != NULL && strstr(sentence, "missing") != NULL);
  char log[4096] = "";
  FILE *file = path != NULL ? fopen(path + strlen("; the whole log is in "), "r") : NULL;
  expect(file != NULL && fread(log, 1, sizeof log - 1, file) > 0 && strstr(log, "missing") != NULL);
  if (file != NULL) fclose(file);
  setenv("XDG_CACHE_HOME", "/dev/null", 1);
  expect(strstr(refusal(&v, NULL), "the whole log") == NULL);
  dlclose(v.handle);
}

/* A context tells where it runs; the CPU stands in for a device whose driver refuses the source. */
static void the_target_is_known(void) {
  const char *why = NULL;
  mix *model = mix_create(NULL);
  char name[256] = "";
  expect(tfc_cl.clGetDeviceInfo(mix_device_handle(model, TFC_DEVICE_ID), CL_DEVICE_NAME, sizeof name, name, NULL) == 0);
  expect(mix_target(model, &why) == TFC_TARGET_OPENCL && mix_target(model, NULL) == TFC_TARGET_OPENCL);
  expect_text(why, name);
  expect(mix_target(NULL, &why) == TFC_TARGET_CPU);
  expect_text(why, "");
  mix_destroy(model);
  variant v;
  begin_variant(&v);
  v.entry.program = ((const tfc_artifact_table *)dlsym(v.handle, "tfc_artifact"))->entries[0].program;
  v.code.source = "kernel void check(global float *x) { x[0] = missing; }\n";
  v.code.source_byte_count = (int64_t)strlen(v.code.source);
  expect(v.table.functions_byte_count == sizeof(tfc_functions));
  tfc_context *context = v.table.functions->create(&v.table, NULL);
  expect(context != NULL && v.table.functions->target(context, &why) == TFC_TARGET_CPU);
  expect_prefix(why, "clBuildProgram returned CL_BUILD_PROGRAM_FAILURE for device '");
  expect_text(v.table.functions->last_error(context), "");
  v.table.functions->destroy(context);
  dlclose(v.handle);
}

static void kernels_must_fit_the_device(void) {
  variant v;
  begin_variant(&v);
  v.kernels[2].name = "absent";
  expect_text(refusal(&v, NULL), "clCreateKernel returned CL_INVALID_KERNEL_NAME for kernel 'absent'");
  v.kernels[2].name = "add";
  v.kernels[2].item_count = 1 << 30;
  expect_prefix(refusal(&v, NULL), "kernel 'add' needs groups of 1073741824 items, device '");
  dlclose(v.handle);
}

static void errors_of_calls_are_sentences(void) {
  variant v;
  begin_variant(&v);
  v.kernels[3].item_count = 2; /* the source says 4 */
  tfc_context *context = v.table.functions->create(&v.table, NULL);
  call c = begin(9, 0);
  for (int n = 0; n < 2; n++) {
    expect(run_variant(&v, context, &c) == TFC_DEVICE_FAILED);
    expect_text(
        v.table.functions->last_error(context),
        "clEnqueueNDRangeKernel returned CL_INVALID_WORK_GROUP_SIZE for kernel 'sums'");
  }
  v.table.functions->destroy(context);
  free(c.memory);
  dlclose(v.handle);
}

/* How many files are in the cache folder, and the path of one. */
static int cached_file(char *path, size_t room) {
  int count = 0;
  char folder[512];
  snprintf(folder, sizeof folder, "%s/tfc/opencl", getenv("XDG_CACHE_HOME"));
  DIR *files = opendir(folder);
  for (struct dirent *f = files != NULL ? readdir(files) : NULL; f != NULL; f = readdir(files)) {
    if (f->d_name[0] == '.') continue;
    snprintf(path, room, "%s/%.64s", folder, f->d_name);
    count++;
  }
  if (files != NULL) closedir(files);
  return count;
}

static int64_t byte_count_of(const char *path) {
  FILE *file = fopen(path, "r");
  if (file == NULL) return -1;
  fseek(file, 0, SEEK_END);
  int64_t byte_count = ftell(file);
  fclose(file);
  return byte_count;
}

static void expect_to_run(void) {
  mix *model = mix_create(NULL);
  call c = begin(30, 0);
  expect(run(model, &c) == TFC_OK && is_right(&c));
  free(c.memory);
  mix_destroy(model);
}

/* A file of 100 MB that has no bytes on the disk, last used so many seconds after 1970. */
static void keep_large(const char *name, time_t seconds) {
  char path[1024];
  snprintf(path, sizeof path, "%s/tfc/opencl/%s", getenv("XDG_CACHE_HOME"), name);
  FILE *file = fopen(path, "w");
  expect(file != NULL && ftruncate(fileno(file), 100 << 20) == 0);
  if (file != NULL) fclose(file);
  const struct timespec times[2] = {{seconds, 0}, {seconds, 0}};
  expect(utimensat(AT_FDCWD, path, times, 0) == 0);
}

static void old_programs_go(void) {
  char path[1024] = "";
  size_t byte_count = 0;
  begin_cache();
  tfc_opencl_cache_write("first", (const uint8_t *)"1", 1);
  keep_large("middle", 2000);
  keep_large("oldest", 1000);
  keep_large("newest", 3000);
  tfc_opencl_cache_write("second", (const uint8_t *)"22", 2);
  expect(cached_file(path, sizeof path) == 3);
  uint8_t *first = tfc_opencl_cache_read("first", &byte_count);
  expect(first != NULL && byte_count == 1 && first[0] == '1');
  free(first);
  uint8_t *second = tfc_opencl_cache_read("second", &byte_count);
  expect(second != NULL && byte_count == 2 && memcmp(second, "22", 2) == 0);
  free(second);
  snprintf(path, sizeof path, "%s/tfc/opencl/newest", getenv("XDG_CACHE_HOME"));
  expect(byte_count_of(path) == 100 << 20);
}

static void programs_are_kept(void) {
  char path[1024] = "";
  begin_cache();
  expect_to_run();
  expect(cached_file(path, sizeof path) == 1);
  int64_t byte_count = byte_count_of(path);
  expect(byte_count > 32);
  /* A file of another program in its place: nothing of it is taken. */
  expect(truncate(path, byte_count / 2) == 0);
  expect_to_run();
  expect(byte_count_of(path) == byte_count);
  expect(truncate(path, 0) == 0);
  expect_to_run();
  expect(byte_count_of(path) == byte_count);
  /* A sound file with what is no program: the driver refuses it. */
  tfc_opencl_cache_write(strrchr(path, '/') + 1, (const uint8_t *)"nonsense", 8);
  expect(byte_count_of(path) == 40);
  expect_to_run();
  expect(byte_count_of(path) == byte_count);
}

static void launches_are_counted_and_timed(void) {
  const tfc_artifact_table *artifact;
  void *library = open_model("mix", &artifact);
  mix *model = mix_create(NULL);
  call c = begin(100000, 0), empty = begin(0, 0);
  for (int n = 0; n < 3; n++) expect(run(model, &c) == TFC_OK);
  expect(run(model, &empty) == TFC_OK);
  const tfc_profile *profile = artifact->functions->profile((tfc_context *)model, 0);
  expect(profile[0].count == 4 && profile[1].count == 3 && profile[2].count == 3 && profile[3].count == 3);
  expect(profile[1].nanoseconds > 0 && profile[2].nanoseconds > 0 && profile[3].nanoseconds > 0);
  artifact->functions->reset_profile((tfc_context *)model);
  expect(profile[1].count == 0 && profile[1].nanoseconds == 0);
  free(c.memory);
  free(empty.memory);
  mix_destroy(model);
  dlclose(library);
}

static cl_mem device_memory(mix *model, size_t byte_count, void *host) {
  cl_int error;
  cl_mem memory = tfc_cl.clCreateBuffer(
      mix_device_handle(model, TFC_DEVICE_CONTEXT), host != NULL ? CL_MEM_COPY_HOST_PTR : CL_MEM_READ_WRITE,
      byte_count, host, &error);
  expect(error == CL_SUCCESS);
  return memory;
}

static void read_memory(mix *model, cl_mem memory, size_t byte_count, void *host) {
  expect(tfc_cl.clEnqueueReadBuffer(mix_device_handle(model, TFC_DEVICE_QUEUE), memory, CL_TRUE, 0, byte_count, host,
             0, NULL, NULL) == CL_SUCCESS);
}

static void tensors_may_stay_on_the_device(void) {
  expect(tfc_opencl_load() == NULL);
  mix *model = mix_create(NULL);
  call c = begin(1000, 0);
  cl_mem x = device_memory(model, 4000, c.x), bias = device_memory(model, 4, &c.bias);
  cl_mem y = device_memory(model, 5000, NULL), sums = device_memory(model, 500, NULL);
  cl_mem scaled = device_memory(model, 4000, NULL), longer = device_memory(model, 8000, NULL);
  expect(mix_run_on_device(model, (mix_dims){1000}, x, bias, y, sums, scaled) == TFC_OK);
  read_memory(model, y, 4000, c.y);
  read_memory(model, sums, 500, c.sums);
  read_memory(model, scaled, 4000, c.scaled);
  expect(is_right(&c));
  /* Calls one after the other, without the host: the second begins where the first ended, with a larger arena. */
  expect(mix_run_on_device(model, (mix_dims){1000}, x, bias, x, sums, scaled) == TFC_OK);
  expect(mix_run_on_device(model, (mix_dims){1000}, x, bias, longer, sums, scaled) == TFC_OK);
  read_memory(model, longer, 4000, c.x);
  const float w[] = {0.5f, -1, 2};
  for (int64_t i = 0; i < 1000; i++) expect(c.x[i] == (c.y[i] * w[i % 3]) + 0.25f);
  expect(mix_run_on_device(model, (mix_dims){0}, NULL, bias, NULL, NULL, NULL) == TFC_OK);
  expect(run(model, &c) != TFC_OK || mix_last_error(model)[0] == 0);
  cl_mem all[] = {x, bias, y, sums, scaled, longer};
  for (size_t m = 0; m < sizeof all / sizeof all[0]; m++) tfc_cl.clReleaseMemObject(all[m]);
  free(c.memory);
  mix_destroy(model);
}

static void wrong_memory_is_refused(void) {
  mix *model = mix_create(NULL);
  cl_mem x = device_memory(model, 4000, NULL), y = device_memory(model, 4000, NULL);
  cl_mem sums = device_memory(model, 500, NULL), bias = device_memory(model, 4, NULL);
  cl_int error;
  cl_device_id id = mix_device_handle(model, TFC_DEVICE_ID);
  cl_context other = tfc_cl.clCreateContext(NULL, 1, &id, NULL, NULL, &error);
  cl_mem foreign = tfc_cl.clCreateBuffer(other, CL_MEM_READ_WRITE, 4000, NULL, &error);
  const struct {
    cl_mem x, bias, y, sums, scaled;
    const char *sentence;
  } calls[] = {
      {NULL, bias, y, sums, x, "input 0 'x': data is null"},
      {x, bias, y, bias, y, "output 1 'sums': the memory object has 4 bytes, expected 500"},
      {x, bias, y, sums, y, "output 2 'scaled' overlaps output 0 'y'"},
      {x, bias, y, sums, x, "output 2 'scaled' overlaps input 0 'x'"},
      {foreign, bias, y, sums, x, "input 0 'x': data is no memory object of the model's OpenCL context"},
  };
  for (size_t n = 0; n < sizeof calls / sizeof calls[0]; n++) {
    expect(
        mix_run_on_device(
            model, (mix_dims){1000}, calls[n].x, calls[n].bias, calls[n].y, calls[n].sums, calls[n].scaled) ==
        TFC_INVALID_ARGUMENT);
    expect_text(mix_last_error(model), calls[n].sentence);
  }
  cl_mem all[] = {x, y, sums, bias, foreign};
  for (size_t m = 0; m < sizeof all / sizeof all[0]; m++) tfc_cl.clReleaseMemObject(all[m]);
  tfc_cl.clReleaseContext(other);
  mix_destroy(model);
}

/* A function that only callers use. */
static void *function_named(const char *name) {
  void *library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
  void *found = library != NULL ? dlsym(library, name) : NULL;
  if (found == NULL) abort();
  return found;
}

/* The caller's memory as it is, so many bytes long. */
static cl_mem host_memory(mix *model, void *data, size_t byte_count) {
  cl_int error;
  cl_mem memory = tfc_cl.clCreateBuffer(
      mix_device_handle(model, TFC_DEVICE_CONTEXT), CL_MEM_USE_HOST_PTR, byte_count, data, &error);
  expect(error == CL_SUCCESS);
  return memory;
}

/* So many bytes of another memory object. */
static cl_mem part_of(cl_mem whole, size_t offset, size_t byte_count) {
  __typeof__(&clCreateSubBuffer) create;
  *(void **)&create = function_named("clCreateSubBuffer");
  cl_int error;
  const cl_buffer_region region = {offset, byte_count};
  cl_mem part = create(whole, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &error);
  expect(error == CL_SUCCESS);
  return part;
}

/* Kernels read whole vectors, so memory begins where these may. */
static void memory_begins_where_kernels_expect_it(void) {
  mix *model = mix_create(NULL);
  call c = begin(1000, 0), moved = begin(1000, 4);
  cl_mem whole = device_memory(model, 16384, NULL), bias = device_memory(model, 4, &c.bias);
  cl_mem x = host_memory(model, c.x, 4000), y = part_of(whole, 0, 4000), sums = part_of(whole, 4096, 500);
  cl_mem scaled = host_memory(model, c.scaled, 4000);
  cl_mem odd = host_memory(model, moved.x, 4000), large = host_memory(model, moved.y, 5000), part = part_of(large, 0, 4000);
  const mix_dims dims = {1000};
  expect(mix_run_on_device(model, dims, x, bias, y, sums, scaled) == TFC_OK);
  read_memory(model, y, 4000, c.y);
  read_memory(model, sums, 500, c.sums);
  read_memory(model, scaled, 4000, c.scaled);
  expect(is_right(&c));
  expect(mix_run_on_device(model, dims, odd, bias, y, sums, scaled) == TFC_INVALID_ARGUMENT);
  expect_text(mix_last_error(model), "input 0 'x': the memory object does not begin at a multiple of 64 bytes");
  expect(mix_run_on_device(model, dims, x, bias, part, sums, scaled) == TFC_INVALID_ARGUMENT);
  expect_text(mix_last_error(model), "output 0 'y': the memory object does not begin at a multiple of 64 bytes");
  cl_mem all[] = {y, sums, part, whole, bias, x, scaled, odd, large};
  for (size_t m = 0; m < sizeof all / sizeof all[0]; m++) tfc_cl.clReleaseMemObject(all[m]);
  mix_destroy(model);
  free(c.memory);
  free(moved.memory);
}

static void images_are_refused(void) {
  __typeof__(&clCreateImage) create;
  *(void **)&create = function_named("clCreateImage");
  mix *model = mix_create(NULL);
  const cl_image_format format = {CL_RGBA, CL_FLOAT};
  const cl_image_desc facts = {.image_type = CL_MEM_OBJECT_IMAGE2D, .image_width = 64, .image_height = 64};
  cl_int error;
  cl_mem image = create(mix_device_handle(model, TFC_DEVICE_CONTEXT), CL_MEM_READ_WRITE, &format, &facts, NULL, &error);
  cl_mem memory = device_memory(model, 4000, NULL);
  if (error == CL_SUCCESS) { /* else the device has none */
    expect(mix_run_on_device(model, (mix_dims){1000}, image, memory, memory, memory, memory) == TFC_INVALID_ARGUMENT);
    expect_text(mix_last_error(model), "input 0 'x': the memory object is no buffer");
    tfc_cl.clReleaseMemObject(image);
  }
  tfc_cl.clReleaseMemObject(memory);
  mix_destroy(model);
}

void test_opencl(void) {
  tfc_opencl_machine machine;
  char sentence[256];
  int32_t status = tfc_opencl_find_machine(&machine, sentence, sizeof sentence);
  int32_t has_device = status == TFC_OK && machine.device_count > 0;
  tfc_opencl_release_machine(&machine);
  if (!has_device) {
    fprintf(stderr, "no OpenCL device: its tests are left out\n");
    return;
  }
  RUN(sizes_grow_and_shrink);
  RUN(pointers_may_be_misaligned);
  RUN(an_output_may_share_its_input);
  RUN(inputs_may_overlap);
  RUN(checks_of_calls_stay);
  RUN(two_contexts_run_at_once);
  RUN(contexts_of_a_device_share_it);
  RUN(a_device_is_chosen_by_name_or_number);
  RUN(the_target_is_known);
  RUN(kernels_must_fit_the_device);
  RUN(errors_of_calls_are_sentences);
  RUN(launches_are_counted_and_timed);
  RUN(tensors_may_stay_on_the_device);
  RUN(wrong_memory_is_refused);
  RUN(memory_begins_where_kernels_expect_it);
  RUN(images_are_refused);
  RUN(programs_are_kept);
  RUN(old_programs_go);
  RUN(a_failed_build_shows_its_log);
}
