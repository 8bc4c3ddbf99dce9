#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libmix.h"
#include "opencl.h"
#include "test.h"

/* The model `mix` with tensors of so many elements. */
typedef struct call {
  int64_t n, sum_count;
  float *x, *y, *sums, *scaled;
  float bias;
  void *memory;
} call;

/* Tensors in one block, each `shift` bytes behind an address that a device may use as it is. */
static call begin(int64_t n, int64_t shift) {
  call c = {.n = n, .sum_count = (n + 7) / 8, .bias = 0.25f};
  size_t part = ((size_t)n * 4 + 512) & ~(size_t)255;
  if (posix_memalign(&c.memory, 256, 4 * part) != 0) abort();
  memset(c.memory, 0, 4 * part);
  uint8_t *at = (uint8_t *)c.memory + shift;
  c.x = (float *)(void *)at;
  c.y = (float *)(void *)(at + part);
  c.sums = (float *)(void *)(at + 2 * part);
  c.scaled = (float *)(void *)(at + 3 * part);
  for (int64_t i = 0; i < n; i++) c.x[i] = (float)(i % 11);
  return c;
}

static int is_right(const call *c) {
  const float w[] = {0.5f, -1, 2};
  for (int64_t i = 0; i < c->n; i++) {
    float x = (float)(i % 11);
    if (c->scaled[i] != x * w[i % 3] || c->y[i] != x * w[i % 3] + c->bias) return 0;
  }
  for (int64_t s = 0; s < c->sum_count; s++) {
    float sum = 0;
    for (int64_t i = 8 * s; i < 8 * s + 8 && i < c->n; i++) sum += (float)(i % 11);
    if (c->sums[s] != sum) return 0;
  }
  return 1;
}

static int32_t run(mix *model, call *c) {
  return mix_run(model, (mix_dims){c->n}, c->x, &c->bias, c->y, c->sums, c->scaled);
}

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

/* A model whose device cannot be had runs on the CPU, where it has code for it. */
static void expect_cpu(const char *device) {
  mix *model = mix_create(&(mix_options){.device = device});
  expect(model != NULL && mix_device_handle(model, TFC_DEVICE_CONTEXT) == NULL);
  call c = begin(20, 0);
  expect(run(model, &c) == TFC_OK && is_right(&c));
  expect(mix_run_on_device(model, (mix_dims){20}, c.x, &c.bias, c.y, c.sums, c.scaled) == TFC_INVALID_ARGUMENT);
  expect_text(
      mix_last_error(model), "the model runs on the CPU in this context, so it takes no memory of a device");
  free(c.memory);
  mix_destroy(model);
}

/* The table of `mix` without its CPU code, with another OpenCL side. */
typedef struct variant {
  void *library;
  tfc_artifact_table table;
  tfc_entry entry;
  tfc_opencl_code code;
  tfc_opencl_kernel kernels[4];
} variant;

static void begin_variant(variant *v) {
  const tfc_artifact_table *artifact;
  v->library = open_model("mix", &artifact);
  v->table = *artifact;
  v->entry = artifact->entries[0];
  v->entry.program = NULL;
  memcpy(&v->code, artifact->device_code, sizeof v->code);
  memcpy(v->kernels, v->code.kernels, sizeof v->kernels);
  v->code.kernels = v->kernels;
  v->table.entries = &v->entry;
  v->table.device_code = &v->code;
}

/* Why the variant cannot be created. */
static const char *refusal(const variant *v, const char *device) {
  tfc_context *context = v->table.functions->create(&v->table, &(tfc_options){.device = device});
  expect(context == NULL);
  v->table.functions->destroy(context);
  return v->table.functions->last_error(NULL);
}

static void expect_prefix(const char *text, const char *prefix) {
  char begin[256];
  snprintf(begin, sizeof begin, "%.*s", (int)strlen(prefix), text);
  expect_text(begin, prefix);
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
  expect_cpu("no such device");
  tfc_opencl_machine machine;
  char error[256], capitals[128];
  expect(tfc_opencl_find_machine(&machine, error, sizeof error) == TFC_OK && machine.device_count > 0);
  snprintf(capitals, sizeof capitals, "%s", machine.platforms[0].name);
  for (char *c = capitals; *c != 0; c++) *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
  model = mix_create(&(mix_options){.device = capitals});
  expect(mix_device_handle(model, TFC_DEVICE_ID) != NULL);
  mix_destroy(model);
  tfc_opencl_release_machine(&machine);
  dlclose(v.library);
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
  dlclose(v.library);
}

static void kernels_must_fit_the_device(void) {
  variant v;
  begin_variant(&v);
  v.kernels[2].name = "absent";
  expect_text(refusal(&v, NULL), "clCreateKernel returned CL_INVALID_KERNEL_NAME for kernel 'absent'");
  v.kernels[2].name = "add";
  v.kernels[2].item_count = 1 << 30;
  expect_prefix(refusal(&v, NULL), "kernel 'add' needs groups of 1073741824 items, device '");
  dlclose(v.library);
}

static void errors_of_calls_are_sentences(void) {
  variant v;
  begin_variant(&v);
  v.kernels[3].item_count = 2; /* the source says 4 */
  tfc_context *context = v.table.functions->create(&v.table, NULL);
  call c = begin(9, 0);
  const tfc_tensor inputs[] = {{c.x, 36, &c.n, 1, TFC_F32}, {&c.bias, 4, NULL, 0, TFC_F32}};
  const tfc_tensor outputs[] = {
      {.data = c.y, .byte_count = 36, .type = TFC_F32},
      {.data = c.sums, .byte_count = 8, .type = TFC_F32},
      {.data = c.scaled, .byte_count = 36, .type = TFC_F32}};
  for (int n = 0; n < 2; n++) {
    expect(v.table.functions->run(context, 0, inputs, 2, outputs, 3) == TFC_DEVICE_FAILED);
    expect_text(
        v.table.functions->last_error(context),
        "clEnqueueNDRangeKernel returned CL_INVALID_WORK_GROUP_SIZE for kernel 'sums'");
  }
  v.table.functions->destroy(context);
  free(c.memory);
  dlclose(v.library);
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

/* A cache folder that is empty. */
static void begin_cache(void) {
  char folder[512];
  snprintf(folder, sizeof folder, "%s/kept-XXXXXX", getenv("XDG_CACHE_HOME"));
  expect(mkdtemp(folder) != NULL);
  setenv("XDG_CACHE_HOME", folder, 1);
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
  RUN(kernels_must_fit_the_device);
  RUN(errors_of_calls_are_sentences);
  RUN(launches_are_counted_and_timed);
  RUN(tensors_may_stay_on_the_device);
  RUN(wrong_memory_is_refused);
  RUN(programs_are_kept);
  RUN(old_programs_go);
  RUN(a_failed_build_shows_its_log);
}

static void the_machine_has_no_platform(void) {
  variant v;
  begin_variant(&v);
  expect_text(refusal(&v, NULL), "there is no OpenCL device: no platform is found");
  expect_text(refusal(&v, "x"), "no OpenCL device is named 'x': no platform is found");
  expect_cpu(NULL);
  dlclose(v.library);
}

static void the_machine_has_no_opencl(void) {
  variant v;
  begin_variant(&v);
  expect_prefix(refusal(&v, NULL), "OpenCL cannot be loaded: ");
  expect(strstr(refusal(&v, NULL), "libOpenCL.so.1") != NULL);
  expect_cpu(NULL);
  dlclose(v.library);
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
  dlclose(v.library);
}

/* Makes a call with the variant; a call of OpenCL fails in create or in run. */
static void expect_failure(const char *fails, int32_t status, const char *sentence) {
  variant v;
  begin_variant(&v);
  *counter("fake_opencl_calls") = 0;
  setenv("FAKE_OPENCL_FAILS", fails, 1);
  tfc_context *context = v.table.functions->create(&v.table, NULL);
  if (context == NULL) {
    expect_text(v.table.functions->last_error(NULL), sentence);
  } else {
    call c = begin(9, 0);
    const tfc_tensor inputs[] = {{c.x, 36, &c.n, 1, TFC_F32}, {&c.bias, 4, NULL, 0, TFC_F32}};
    const tfc_tensor outputs[] = {
        {.data = c.y, .byte_count = 36, .type = TFC_F32},
        {.data = c.sums, .byte_count = 8, .type = TFC_F32},
        {.data = c.scaled, .byte_count = 36, .type = TFC_F32}};
    expect(v.table.functions->run(context, 0, inputs, 2, outputs, 3) == status);
    expect_text(v.table.functions->last_error(context), sentence);
    expect(v.table.functions->run(context, 0, inputs, 2, outputs, 3) == TFC_OK);
    free(c.memory);
  }
  unsetenv("FAKE_OPENCL_FAILS");
  v.table.functions->destroy(context);
  expect(*counter("fake_opencl_objects") == 0);
  dlclose(v.library);
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
  expect_failure("clEnqueueWriteBuffer -5 1", TFC_DEVICE_FAILED, "clEnqueueWriteBuffer returned CL_OUT_OF_RESOURCES");
  expect_failure(
      "clSetKernelArg -51 3", TFC_DEVICE_FAILED, "clSetKernelArg returned CL_INVALID_ARG_SIZE for kernel 'check'");
  expect_failure(
      "clEnqueueNDRangeKernel -5 2", TFC_DEVICE_FAILED,
      "clEnqueueNDRangeKernel returned CL_OUT_OF_RESOURCES for kernel 'scale'");
  expect_failure("clEnqueueCopyBuffer -8 0", TFC_DEVICE_FAILED, "clEnqueueCopyBuffer returned CL_MEM_COPY_OVERLAP");
  expect_failure(
      "clEnqueueReadBuffer -36 0", TFC_DEVICE_FAILED, "clEnqueueReadBuffer returned CL_INVALID_COMMAND_QUEUE");
  expect_failure("clEnqueueReadBuffer -5 2", TFC_DEVICE_FAILED, "clEnqueueReadBuffer returned CL_OUT_OF_RESOURCES");
  expect_failure("clFinish -14 0", TFC_DEVICE_FAILED,
      "clFinish returned CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST");
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

/* 2^33 tasks on a device that counts to 2^32. */
static int32_t many_tasks(tfc_context *context, const int64_t *symbols) {
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
  dlclose(v.library);
}

void test_failing_opencl(void) {
  RUN(a_refused_binary_is_built_from_source);
  RUN(the_best_device_is_taken);
  RUN(every_error_is_a_sentence);
  RUN(tasks_that_a_device_cannot_count_are_refused);
}
