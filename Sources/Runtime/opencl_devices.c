/* The platforms and devices of the machine. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "opencl.h"

/* Questions of OpenCL 3.0 and of extensions, asked only of devices that have them. */
enum {
  ALL_LANGUAGES = 0x1066,
  PREFERRED_GROUP_MULTIPLE = 0x1067,
  BYTE_PRODUCTS = 0x1073,         /* cl_khr_integer_dot_product */
  CAPABILITY_MAJOR = 0x4000,      /* cl_nv_device_attribute_query */
  CAPABILITY_MINOR = 0x4001,      /* the same */
  WARP_ITEM_COUNT = 0x4003,       /* the same */
  WAVEFRONT_ITEM_COUNT = 0x4043,  /* cl_amd_device_attribute_query */
  SUBGROUP_ITEM_COUNTS = 0x4108   /* cl_intel_required_subgroup_size */
};

/* From this compute capability on NVIDIA's devices have `shfl.sync` in every driver that is in use. */
#define SHUFFLING_CAPABILITY 50

typedef struct language {
  uint32_t version; /* ten bits major, ten bits minor */
  char name[64];
} language;

/* The answer as a text without spaces around it. */
static void text_of_device(cl_device_id device, cl_device_info question, char *text, size_t byte_count) {
  char answer[1024];
  size_t length = 0;
  text[0] = 0;
  if (tfc_cl.clGetDeviceInfo(device, question, sizeof answer - 1, answer, &length) != CL_SUCCESS) return;
  answer[length < sizeof answer ? length : sizeof answer - 1] = 0;
  const char *begin = answer;
  while (*begin == ' ') begin++;
  snprintf(text, byte_count, "%.*s", (int)byte_count - 1, begin);
  for (size_t end = strlen(text); end > 0 && text[end - 1] == ' '; end--) text[end - 1] = 0;
}

static void text_of_platform(cl_platform_id platform, cl_platform_info question, char *text, size_t byte_count) {
  size_t length = 0;
  if (tfc_cl.clGetPlatformInfo(platform, question, byte_count - 1, text, &length) != CL_SUCCESS) length = 0;
  text[length < byte_count ? length : byte_count - 1] = 0;
}

/* The answer as a number, whatever its width; 0 where there is none. */
static int64_t number_of(cl_device_id device, cl_device_info question) {
  uint64_t answer = 0;
  size_t length = 0;
  if (tfc_cl.clGetDeviceInfo(device, question, sizeof answer, &answer, &length) != CL_SUCCESS) return 0;
  if (length == 4) {
    uint32_t narrow;
    memcpy(&narrow, &answer, sizeof narrow);
    return (int64_t)narrow;
  }
  return length == 8 && answer <= INT64_MAX ? (int64_t)answer : 0;
}

/* Whether the list of names, with spaces between, has this one. */
static int32_t has_name(const char *list, const char *name) {
  size_t length = strlen(name);
  for (const char *at = strstr(list, name); at != NULL; at = strstr(at + 1, name)) {
    int32_t begins = at == list || at[-1] == ' ';
    if (begins && (at[length] == ' ' || at[length] == 0)) return 1;
  }
  return 0;
}

/* The device's extensions, to be freed, or null. */
static char *extensions_of(cl_device_id device) {
  size_t length = 0;
  if (tfc_cl.clGetDeviceInfo(device, CL_DEVICE_EXTENSIONS, 0, NULL, &length) != CL_SUCCESS) return NULL;
  char *list = calloc(1, length + 1);
  if (list == NULL) return NULL;
  if (tfc_cl.clGetDeviceInfo(device, CL_DEVICE_EXTENSIONS, length, list, NULL) == CL_SUCCESS) return list;
  free(list);
  return NULL;
}

/* 120 for the text "OpenCL C 1.2 ..." and the format "OpenCL C %d.%d"; 0 for another text. */
static int32_t version_in(const char *text, const char *format) {
  int major, minor;
  if (sscanf(text, format, &major, &minor) != 2) return 0;
  return major > 0 && major < 100 && minor >= 0 && minor < 10 ? major * 100 + minor * 10 : 0;
}

static int32_t is_version_3(const tfc_opencl_device *device) {
  return version_in(device->version, "OpenCL %d.%d") >= 300;
}

/* A device of version 3.0 may say 1.2 here, and has a list of all its languages. */
static int32_t language_of(cl_device_id id, const tfc_opencl_device *device) {
  char text[128];
  text_of_device(id, CL_DEVICE_OPENCL_C_VERSION, text, sizeof text);
  int32_t newest = version_in(text, "OpenCL C %d.%d");
  language languages[32];
  size_t length = 0;
  if (!is_version_3(device)) return newest;
  if (tfc_cl.clGetDeviceInfo(id, ALL_LANGUAGES, sizeof languages, languages, &length) != CL_SUCCESS) return newest;
  for (size_t l = 0; l < length / sizeof(language); l++) {
    int32_t version = (int32_t)(languages[l].version >> 22) * 100 + (int32_t)(languages[l].version >> 12 & 1023) * 10;
    if (version > newest) newest = version;
  }
  return newest;
}

static int32_t type_of(int64_t bits) {
  if (bits & CL_DEVICE_TYPE_GPU) return TFC_OPENCL_GPU;
  if (bits & CL_DEVICE_TYPE_ACCELERATOR) return TFC_OPENCL_ACCELERATOR;
  return bits & CL_DEVICE_TYPE_CPU ? TFC_OPENCL_CPU : TFC_OPENCL_OTHER;
}

const char *tfc_opencl_device_type_name(int32_t type) {
  switch (type) {
    case TFC_OPENCL_GPU: return "gpu";
    case TFC_OPENCL_ACCELERATOR: return "accelerator";
    case TFC_OPENCL_CPU: return "cpu";
    default: return "other";
  }
}

/* 75 for compute capability 7.5. */
static int32_t nvidia_capability_of(cl_device_id id, const char *extensions) {
  if (!has_name(extensions, "cl_nv_device_attribute_query")) return 0;
  int64_t major = number_of(id, CAPABILITY_MAJOR), minor = number_of(id, CAPABILITY_MINOR);
  return major > 0 && major < 100 && minor >= 0 && minor < 10 ? (int32_t)(10 * major + minor) : 0;
}

static int32_t shuffle_of(const tfc_opencl_device *device, const char *extensions) {
  if (has_name(extensions, "cl_nv_device_attribute_query")) {
    return device->nvidia_capability >= SHUFFLING_CAPABILITY ? TFC_OPENCL_SHUFFLE_PTX : TFC_OPENCL_NO_SHUFFLE;
  }
  if (has_name(extensions, "cl_intel_subgroups") && has_name(extensions, "cl_intel_required_subgroup_size")) {
    return TFC_OPENCL_SHUFFLE_INTEL;
  }
  int32_t has_khr = has_name(extensions, "cl_khr_subgroups") && has_name(extensions, "cl_khr_subgroup_shuffle");
  return has_khr && device->language >= 200 ? TFC_OPENCL_SHUFFLE_KHR : TFC_OPENCL_NO_SHUFFLE;
}

/* Of the sizes that Intel's compiler offers, 16, for which it has most registers; else the largest. */
static int64_t offered_item_count(cl_device_id id) {
  size_t counts[16], length = 0;
  int64_t best = 1;
  if (tfc_cl.clGetDeviceInfo(id, SUBGROUP_ITEM_COUNTS, sizeof counts, counts, &length) != CL_SUCCESS) return 1;
  for (size_t c = 0; c < length / sizeof *counts; c++) {
    if (counts[c] == 16) return 16;
    if (counts[c] <= 32 && (int64_t)counts[c] > best) best = (int64_t)counts[c];
  }
  return best;
}

static int64_t subgroup_item_count_of(cl_device_id id, const tfc_opencl_device *device, const char *extensions) {
  int64_t count = device->type == TFC_OPENCL_GPU ? 32 : 1;
  if (has_name(extensions, "cl_nv_device_attribute_query")) {
    count = number_of(id, WARP_ITEM_COUNT);
  } else if (device->shuffle == TFC_OPENCL_SHUFFLE_INTEL) {
    count = offered_item_count(id);
  } else if (has_name(extensions, "cl_amd_device_attribute_query")) {
    count = number_of(id, WAVEFRONT_ITEM_COUNT);
  } else if (is_version_3(device)) {
    count = number_of(id, PREFERRED_GROUP_MULTIPLE);
  }
  return count > 0 && count <= device->group_item_count ? count : 1;
}

static void find_extensions(cl_device_id id, tfc_opencl_device *device) {
  char *list = extensions_of(id);
  device->subgroup_item_count = 1;
  if (list == NULL) return;
  device->has_f64 = has_name(list, "cl_khr_fp64") && number_of(id, CL_DEVICE_DOUBLE_FP_CONFIG) != 0;
  device->has_f16 = has_name(list, "cl_khr_fp16");
  device->nvidia_capability = nvidia_capability_of(id, list);
  device->shuffle = shuffle_of(device, list);
  device->subgroup_item_count = subgroup_item_count_of(id, device, list);
  if (device->subgroup_item_count == 1) device->shuffle = TFC_OPENCL_NO_SHUFFLE;
  device->has_subgroups = has_name(list, "cl_khr_subgroups");
  /* The answer's lowest bit: of words. */
  device->has_byte_products = device->language >= 300 && has_name(list, "cl_khr_integer_dot_product") &&
                              (number_of(id, BYTE_PRODUCTS) & 1) != 0;
  device->has_atomics_64 =
      has_name(list, "cl_khr_int64_base_atomics") && has_name(list, "cl_khr_int64_extended_atomics");
  free(list);
}

static void describe(cl_device_id id, tfc_opencl_device *device) {
  text_of_device(id, CL_DEVICE_NAME, device->name, sizeof device->name);
  text_of_device(id, CL_DEVICE_VERSION, device->version, sizeof device->version);
  text_of_device(id, CL_DRIVER_VERSION, device->driver, sizeof device->driver);
  device->type = type_of(number_of(id, CL_DEVICE_TYPE));
  device->language = language_of(id, device);
  device->address_bit_count = (int32_t)number_of(id, CL_DEVICE_ADDRESS_BITS);
  device->is_usable = number_of(id, CL_DEVICE_AVAILABLE) && number_of(id, CL_DEVICE_COMPILER_AVAILABLE);
  device->compute_unit_count = number_of(id, CL_DEVICE_MAX_COMPUTE_UNITS);
  device->memory_byte_count = number_of(id, CL_DEVICE_GLOBAL_MEM_SIZE);
  device->local_byte_count = number_of(id, CL_DEVICE_LOCAL_MEM_SIZE);
  device->group_item_count = number_of(id, CL_DEVICE_MAX_WORK_GROUP_SIZE);
  device->vector_width = number_of(id, CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT);
  device->has_exact_division =
      (number_of(id, CL_DEVICE_SINGLE_FP_CONFIG) & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) != 0;
  int32_t is_unified = number_of(id, CL_DEVICE_HOST_UNIFIED_MEMORY) != 0;
  int32_t is_cpu = (number_of(id, CL_DEVICE_TYPE) & CL_DEVICE_TYPE_CPU) != 0;
  device->has_host_memory = is_cpu && is_unified;
  device->shares_host_memory = device->type == TFC_OPENCL_GPU && is_unified;
  device->has_own_memory = device->type == TFC_OPENCL_GPU && !is_unified;
  device->device_id = id;
  find_extensions(id, device);
}

/* Appends the platform's devices; 0 without memory. */
static int32_t add_devices(tfc_opencl_machine *machine, int32_t platform, cl_platform_id id) {
  cl_uint count = 0;
  if (tfc_cl.clGetDeviceIDs(id, CL_DEVICE_TYPE_ALL, 0, NULL, &count) != CL_SUCCESS || count == 0) return 1;
  size_t room = (size_t)machine->device_count + count;
  tfc_opencl_device *devices = realloc(machine->devices, room * sizeof *devices);
  if (devices != NULL) machine->devices = devices;
  cl_device_id *ids = calloc(count, sizeof *ids);
  if (devices == NULL || ids == NULL) {
    free(ids);
    return 0;
  }
  if (tfc_cl.clGetDeviceIDs(id, CL_DEVICE_TYPE_ALL, count, ids, NULL) != CL_SUCCESS) count = 0;
  for (cl_uint d = 0; d < count; d++) {
    tfc_opencl_device *device = &devices[machine->device_count++];
    memset(device, 0, sizeof *device);
    device->platform = platform;
    device->number = (int32_t)d;
    device->platform_id = id;
    describe(ids[d], device);
  }
  machine->platforms[platform].device_count = (int32_t)count;
  free(ids);
  return 1;
}

static int32_t add_platforms(tfc_opencl_machine *machine, cl_uint count) {
  cl_platform_id *ids = calloc(count, sizeof *ids);
  machine->platforms = calloc(count, sizeof *machine->platforms);
  int32_t fits = ids != NULL && machine->platforms != NULL;
  if (fits && tfc_cl.clGetPlatformIDs(count, ids, NULL) != CL_SUCCESS) count = 0;
  for (cl_uint p = 0; fits && p < count; p++) {
    tfc_opencl_platform *platform = &machine->platforms[p];
    text_of_platform(ids[p], CL_PLATFORM_NAME, platform->name, sizeof platform->name);
    text_of_platform(ids[p], CL_PLATFORM_VERSION, platform->version, sizeof platform->version);
    machine->platform_count++;
    fits = add_devices(machine, (int32_t)p, ids[p]);
  }
  free(ids);
  return fits;
}

/* One thread of a process asks at a time: drivers begin with the first question, and not all of them survive a second
 * one meanwhile. Threads in one library wait at the mutex. Those in several libraries share nothing but the process, so
 * they wait for a lock on its folder in /proc, where there is one: such a lock is that of one opening of the folder, and
 * ends with the process at the latest. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static int begin_turn(void) {
  pthread_mutex_lock(&turn);
  int folder = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  while (folder >= 0 && flock(folder, LOCK_EX) != 0 && errno == EINTR) continue;
  return folder;
}

static void end_turn(int folder) {
  if (folder >= 0) {
    flock(folder, LOCK_UN); /* a child of fork may have the folder open still */
    close(folder);
  }
  pthread_mutex_unlock(&turn);
}

/* A machine without platforms is no error here, though a loader returns one. */
static int32_t find(tfc_opencl_machine *machine) {
  cl_uint count = 0;
  if (tfc_cl.clGetPlatformIDs(0, NULL, &count) != CL_SUCCESS || count == 0) return 1;
  return add_platforms(machine, count);
}

int32_t tfc_opencl_find_machine(tfc_opencl_machine *machine, char *sentence, size_t sentence_byte_count) {
  memset(machine, 0, sizeof *machine);
  const char *refusal = tfc_opencl_load();
  if (refusal != NULL) {
    snprintf(sentence, sentence_byte_count, "%s", refusal);
    return TFC_DEVICE_FAILED;
  }
  int folder = begin_turn();
  int32_t fits = find(machine);
  end_turn(folder);
  if (fits) return TFC_OK;
  tfc_opencl_release_machine(machine);
  snprintf(sentence, sentence_byte_count, "no memory for the list of OpenCL devices");
  return TFC_OUT_OF_MEMORY;
}

void tfc_opencl_release_machine(tfc_opencl_machine *machine) {
  free(machine->platforms);
  free(machine->devices);
  memset(machine, 0, sizeof *machine);
}
