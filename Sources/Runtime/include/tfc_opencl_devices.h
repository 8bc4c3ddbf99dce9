/* The OpenCL platforms and devices of the machine. Devices are found once they are asked for; nothing is kept. */
#ifndef TFC_OPENCL_DEVICES_H
#define TFC_OPENCL_DEVICES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum tfc_opencl_device_type {
  TFC_OPENCL_OTHER = 0,
  TFC_OPENCL_CPU = 1,
  TFC_OPENCL_ACCELERATOR = 2,
  TFC_OPENCL_GPU = 3
};

/* From this compute capability on NVIDIA's devices multiply fragments of f16 and bf16 in 16 x 8 x 16 products. */
enum { TFC_OPENCL_FRAGMENTS_CAPABILITY = 80 };

/* The instructions by which items of a subgroup read each other's registers; the numbers are those of TFC_SHUFFLE in
 * kernels. */
enum tfc_opencl_shuffle {
  TFC_OPENCL_NO_SHUFFLE = 0,
  TFC_OPENCL_SHUFFLE_PTX = 1,   /* NVIDIA's, which no extension names */
  TFC_OPENCL_SHUFFLE_KHR = 2,   /* cl_khr_subgroup_shuffle */
  TFC_OPENCL_SHUFFLE_INTEL = 3  /* cl_intel_subgroups, whose subgroups have the size that a kernel asks for */
};

typedef struct tfc_opencl_platform {
  char name[128], version[128];
  int32_t device_count;
} tfc_opencl_platform;

typedef struct tfc_opencl_device {
  int32_t platform, number; /* both from 0 on: what the choice "PLATFORM:DEVICE" means */
  int32_t type;             /* tfc_opencl_device_type */
  char name[128], version[128], driver[128];
  int32_t language; /* the newest OpenCL C: 120 for 1.2 */
  int32_t address_bit_count;
  int32_t is_usable; /* available, with a compiler */
  int64_t compute_unit_count;
  int64_t memory_byte_count, local_byte_count;
  int64_t group_item_count;    /* the most work-items of a group */
  int64_t subgroup_item_count; /* items that run in step */
  int64_t vector_width;        /* floats in the vector that the device prefers */
  int32_t has_f64, has_f16, has_subgroups, has_atomics_64;
  int32_t shuffle;            /* tfc_opencl_shuffle */
  int32_t has_byte_products;  /* of four bytes in a word (cl_khr_integer_dot_product) */
  int32_t nvidia_capability;  /* 90 for an NVIDIA GPU of compute capability 9.0; 0 for other devices */
  int32_t has_exact_division; /* correctly rounded f32 divisions and roots, when they are asked for */
  int32_t has_host_memory;    /* runs on the host's processors, in the host's memory */
  int32_t shares_host_memory; /* a GPU whose memory is the host's */
  int32_t has_own_memory;     /* what it works on passes through a bus */
  void *platform_id, *device_id; /* cl_platform_id, cl_device_id */
} tfc_opencl_device;

typedef struct tfc_opencl_machine {
  int32_t platform_count, device_count;
  tfc_opencl_platform *platforms;
  tfc_opencl_device *devices; /* a platform's one after the other */
} tfc_opencl_machine;

/* Finds them, maybe none. Where OpenCL cannot be asked, the status is not TFC_OK, and `sentence` says why. */
int32_t tfc_opencl_find_machine(tfc_opencl_machine *machine, char *sentence, size_t sentence_byte_count);
void tfc_opencl_release_machine(tfc_opencl_machine *machine);

/* The name that a choice goes by: the given one, else what the environment variable TFC_OPENCL_DEVICE says, else null. A
 * name is "PLATFORM:DEVICE" in numbers or a part of the device's or the platform's name. */
const char *tfc_opencl_wanted(const char *given);

/* The device that this name stands for. Of several, and of all where there is no name: the first GPU, else the first
 * accelerator, else the first. Null: there is none. */
const tfc_opencl_device *tfc_opencl_best_device(const tfc_opencl_machine *machine, const char *given);

/* "gpu", "accelerator", "cpu" or "other" */
const char *tfc_opencl_device_type_name(int32_t type);

#ifdef __cplusplus
}
#endif

#endif
