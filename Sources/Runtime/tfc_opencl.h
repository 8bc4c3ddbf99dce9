/* What the generated code of an OpenCL artifact uses of the runtime: its tables, and the calls of its program. */
#ifndef TFC_OPENCL_H
#define TFC_OPENCL_H

#include "tfc_generated.h"

/* What kernels may rely on: memory objects begin at a multiple of so many bytes. */
#define TFC_OPENCL_ALIGNMENT 64

/* A function of the source. Its arguments are, for each buffer, the memory object and the offset of the first element
 * in bytes (ulong); then the values of the symbols it uses (long each), then the number of tasks (long). */
typedef struct tfc_opencl_kernel {
  const char *name;
  int32_t buffer_count, symbol_count;
  int32_t item_count; /* work-items that run one task together, a group; 1: each item runs a task of its own */
} tfc_opencl_kernel;

/* What a device must have. */
enum tfc_opencl_need { TFC_OPENCL_F64 = 1, TFC_OPENCL_ATOMICS_64 = 2 };

/* Instructions beyond OpenCL C 1.2 that the source makes use of where the device has them and they are right. */
enum tfc_opencl_feature { TFC_OPENCL_BYTE_PRODUCTS = 1, TFC_OPENCL_FRAGMENTS = 2 };

/* The OpenCL side of an artifact with one entry. */
typedef struct tfc_opencl_code {
  const char *source; /* OpenCL C */
  int64_t source_byte_count;
  int32_t needs; /* tfc_opencl_need, or'ed */
  int32_t features; /* tfc_opencl_feature, or'ed: with any of them there is a kernel that tries them */
  int32_t kernel_count;
  const tfc_opencl_kernel *kernels;
  int64_t constants_offset, constants_byte_count; /* the program's constants, in the artifact's weights */
  int64_t arena_byte_count;                       /* a number, or TFC_EXPRESSION(index) */
  int32_t (*program)(tfc_context *context, int64_t *symbols);
} tfc_opencl_code;

/* Memory objects as the program numbers them: inputs follow the constants, outputs the inputs. */
enum tfc_opencl_memory { TFC_OPENCL_ARENA = 0, TFC_OPENCL_CONSTANTS = 1, TFC_OPENCL_INPUTS = 2 };

/* What the program calls. After the first error all of them do nothing, so that the program comes to its end; the run
 * returns that error.
 *
 * `arguments` are, for each buffer of the kernel, the number of a memory object and an offset in bytes, then the values
 * of the kernel's symbols. `launch` numbers the launch for profiles. */
void tfc_opencl_launch(
    tfc_context *context, int32_t launch, int32_t kernel, const int64_t *arguments, int64_t task_count);
void tfc_opencl_copy(
    tfc_context *context, int64_t from, int64_t from_offset, int64_t to, int64_t to_offset, int64_t byte_count);
/* Waits for what came before and returns an unsigned integer of 1, 2, 4 or 8 bytes; 0 after an error. */
int64_t tfc_opencl_read(tfc_context *context, int64_t memory, int64_t offset, int32_t byte_count);

/* Whether kernels that multiply fragments may be launched. */
int32_t tfc_opencl_has_fragments(tfc_context *context);

/* The generated program, in the generated object. */
int32_t tfc_opencl_program(tfc_context *context, int64_t *symbols);

/* What the table of an OpenCL artifact points to. */
extern const tfc_backend tfc_opencl_backend;

#endif
