/* What a compiled model tells about itself, and how a program calls a model that it does not know.
 *
 * A model compiled by tfc exports one symbol beside its own functions: `tfc_artifact`, a constant `tfc_artifact_table`.
 * docs/abi.md describes the table and the calling rules. */
#ifndef TFC_RUNTIME_H
#define TFC_RUNTIME_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of everything in this header. A table of another version must not be read further. */
#define TFC_ABI_VERSION 1u

/* What a call returns. A run-time check of the model returns TFC_CHECK_FAILED + its number in `check_sentences`. */
enum tfc_status {
  TFC_OK = 0,
  TFC_INVALID_ARGUMENT = 1,
  TFC_OUT_OF_MEMORY = 2,
  TFC_BUSY = 3,
  TFC_DEVICE_FAILED = 4,
  TFC_CHECK_FAILED = 100
};

/* Element types. A type narrower than a byte takes a byte an element; i1 is 0 or 1; complex is (real, imaginary). */
enum tfc_type {
  TFC_I1 = 1,
  TFC_I2 = 2,
  TFC_I4 = 3,
  TFC_I8 = 4,
  TFC_I16 = 5,
  TFC_I32 = 6,
  TFC_I64 = 7,
  TFC_UI2 = 8,
  TFC_UI4 = 9,
  TFC_UI8 = 10,
  TFC_UI16 = 11,
  TFC_UI32 = 12,
  TFC_UI64 = 13,
  TFC_F16 = 14,
  TFC_BF16 = 15,
  TFC_F32 = 16,
  TFC_F64 = 17,
  TFC_COMPLEX64 = 18,
  TFC_COMPLEX128 = 19,
  TFC_F8E3M4 = 20,
  TFC_F8E4M3 = 21,
  TFC_F8E4M3FN = 22,
  TFC_F8E4M3FNUZ = 23,
  TFC_F8E4M3B11FNUZ = 24,
  TFC_F8E5M2 = 25,
  TFC_F8E5M2FNUZ = 26,
  TFC_F8E8M0FNU = 27,
  TFC_F4E2M1FN = 28,
  TFC_F6E2M3FN = 29,
  TFC_F6E3M2FN = 30
};

/* The type's name as StableHLO writes it ("f32"), or "unknown". */
const char *tfc_type_name(int32_t type);

/* The bytes of one element, or 0 for a number that is no type. */
int64_t tfc_type_byte_count(int32_t type);

/* CPU features that compiled code may use. The names (`tfc_cpu_feature_name`) are LLVM's. */
enum tfc_cpu_feature {
  TFC_CPU_SSE3 = 1,
  TFC_CPU_SSSE3 = 2,
  TFC_CPU_SSE4_1 = 3,
  TFC_CPU_SSE4_2 = 4,
  TFC_CPU_POPCNT = 5,
  TFC_CPU_CX16 = 6,
  TFC_CPU_LAHF = 7,
  TFC_CPU_MOVBE = 8,
  TFC_CPU_LZCNT = 9,
  TFC_CPU_BMI = 10,
  TFC_CPU_BMI2 = 11,
  TFC_CPU_ADX = 12,
  TFC_CPU_F16C = 13,
  TFC_CPU_FMA = 14,
  TFC_CPU_AVX = 15,
  TFC_CPU_AVX2 = 16,
  TFC_CPU_AVX512F = 17,
  TFC_CPU_AVX512CD = 18,
  TFC_CPU_AVX512BW = 19,
  TFC_CPU_AVX512DQ = 20,
  TFC_CPU_AVX512VL = 21,
  TFC_CPU_AVX512IFMA = 22,
  TFC_CPU_AVX512VBMI = 23,
  TFC_CPU_AVX512VBMI2 = 24,
  TFC_CPU_AVX512VNNI = 25,
  TFC_CPU_AVX512BITALG = 26,
  TFC_CPU_AVX512VPOPCNTDQ = 27,
  TFC_CPU_AVX512BF16 = 28,
  TFC_CPU_AVX512FP16 = 29,
  TFC_CPU_AVXVNNI = 30,
  TFC_CPU_GFNI = 31,
  TFC_CPU_AMX_TILE = 32,
  TFC_CPU_AMX_BF16 = 33,
  TFC_CPU_AMX_INT8 = 34,
  TFC_CPU_AMX_FP16 = 35,
  TFC_CPU_BF16 = 36, /* of AArch64 */
  TFC_CPU_FEATURE_COUNT = 37
};

/* LLVM's name of the feature ("avx512f", "amx-tile"), or null for a number that is no feature. */
const char *tfc_cpu_feature_name(int32_t feature);

/* Whether this CPU and its operating system offer the feature. For AMX this asks the system for permission, once. */
int32_t tfc_cpu_has(int32_t feature);

/* The CPUs that this process may use: its affinity and the quota of its control group; at least 1. */
int32_t tfc_cpu_count(void);

/* A model that is ready to run: options, arena, last error, counters. One thread at a time may use it. */
typedef struct tfc_context tfc_context;

/* Calls body(state, i) once for each i from 0 to count - 1, on any threads, and returns when all calls have. */
typedef void (*tfc_parallel_for)(void *user, int32_t count, void (*body)(void *state, int32_t index), void *state);

/* How a context runs; all zero is the default. */
typedef struct tfc_options {
  int32_t threads;               /* at most so many threads work on one call; 0: one for each CPU */
  tfc_parallel_for parallel_for; /* the program's own threads instead of the model's pool, or null */
  void *user;                    /* first argument of parallel_for */
  const char *device;            /* read by models for devices: see docs/abi.md; null: the first GPU */
} tfc_options;

/* Where a context runs. */
enum tfc_target { TFC_TARGET_CPU = 0, TFC_TARGET_OPENCL = 1 };

/* What a program needs to share memory and commands with a model on an OpenCL device. */
enum tfc_device_handle {
  TFC_DEVICE_CONTEXT = 0, /* cl_context */
  TFC_DEVICE_ID = 1,      /* cl_device_id */
  TFC_DEVICE_QUEUE = 2    /* cl_command_queue, in order */
};

/* A tensor that a caller hands over: row-major, without gaps. */
typedef struct tfc_tensor {
  void *data;             /* may be null when the tensor has no elements */
  int64_t byte_count;     /* the bytes at `data`; an output's may be more than the output takes */
  const int64_t *extents; /* `rank` numbers; not read for outputs */
  int32_t rank;           /* not read for outputs */
  int32_t type;           /* tfc_type */
} tfc_tensor;

/* A named integer that the extents of the inputs determine, or that data does: see tfc_data_symbol. */
typedef struct tfc_symbol {
  const char *name;
  int64_t lower, upper; /* both included */
} tfc_symbol;

/* The upper bound of a symbol that has none of its own. */
#define TFC_SYMBOL_MAX 2147483647

/* An integer computed from the symbols. */
typedef struct tfc_expression {
  const char *text;                         /* "seq", "2*seq + 1" */
  int32_t symbol;                           /* the only symbol, where the value is scale * symbol + offset, else -1 */
  int64_t scale, offset;                    /* scale is not 0 where symbol is not -1 */
  int64_t (*value)(const int64_t *symbols); /* the value, where symbol is -1 */
} tfc_expression;

/* An extent is a number from 0 on, or stands for the entry's expression `index`. */
#define TFC_EXPRESSION(index) (-1 - (int64_t)(index))

/* What an entry says of one input or output. */
typedef struct tfc_tensor_info {
  const char *name;
  int32_t type; /* tfc_type */
  int32_t rank;
  const int64_t *extents; /* numbers, or TFC_EXPRESSION(index) */
  int32_t alias;          /* of an output: the input whose buffer it may share, or -1 */
} tfc_tensor_info;

/* A symbol that gets its value while the model runs. Before, it stands for the most that it can be. */
typedef struct tfc_data_symbol {
  int32_t symbol; /* an index */
  int64_t most;   /* a number, or TFC_EXPRESSION(index) over symbols that inputs determine */
} tfc_data_symbol;

/* The threads that work on a call, or on a part of it. */
typedef struct tfc_team tfc_team;

/* The compiled function itself. Programs do not call it; `tfc_functions.run` does. */
typedef int32_t (*tfc_program)(
    const tfc_team *team, const void *const *inputs, void *const *outputs, uint8_t *arena, const uint8_t *constants,
    int64_t *symbols);

/* A function of the model. */
typedef struct tfc_entry {
  const char *name;
  int32_t symbol_count, expression_count, input_count, output_count, launch_count, check_count;
  const tfc_symbol *symbols;
  const tfc_expression *expressions;
  const tfc_tensor_info *inputs;
  const tfc_tensor_info *outputs;
  int64_t arena_byte_count;           /* a number, or TFC_EXPRESSION(index) */
  const char *const *launch_names;    /* kernels that are counted; none unless compiled with profiling */
  const char *const *check_sentences; /* what a failed run-time check says */
  tfc_program program;
  const tfc_data_symbol *data_symbols; /* only where the table has an `entry_byte_count` */
  int32_t data_symbol_count;
} tfc_entry;

/* Calls of one kernel since the context was created or its profile was reset. */
typedef struct tfc_profile {
  int64_t count;
  int64_t nanoseconds;
} tfc_profile;

typedef struct tfc_functions tfc_functions;
typedef struct tfc_backend tfc_backend;

/* What a compiled model exports as `tfc_artifact`. Later minor versions may append fields: see `byte_count`. */
typedef struct tfc_artifact_table {
  uint32_t version;     /* TFC_ABI_VERSION */
  uint32_t byte_count;  /* of this table */
  const char *name;     /* of the model */
  const char *compiler; /* "tfc 0.1.0" */
  const char *build;    /* facts of the build: "cpu=x86-64-v4 precision=f32 fusion=on" */
  int32_t cpu_feature_count, entry_count;
  const int32_t *cpu_features; /* tfc_cpu_feature: what the CPU must have */
  const tfc_entry *entries;
  const uint8_t *weights; /* 64-byte aligned, shared by all contexts */
  int64_t weight_byte_count;
  const tfc_functions *functions;
  int32_t threads;         /* of a context whose options say 0; 0: one for each CPU */
  const char *weight_file; /* where `weights` is null: the file in the library's folder that has them, or null */
  uint64_t weight_key;     /* the last eight bytes of that file */
  const tfc_backend *backend; /* a device that the model runs on, or null: the CPU */
  const void *device_code;    /* the backend's own table, or null */
  uint32_t functions_byte_count; /* of *functions */
  uint32_t entry_byte_count;     /* of each of the entries */
} tfc_artifact_table;

/* How a program calls a model through its table. Statuses are `enum tfc_status`. */
struct tfc_functions {
  /* A new context, or null: then last_error(NULL) says why. Options may be null. */
  tfc_context *(*create)(const tfc_artifact_table *artifact, const tfc_options *options);
  /* Releases the context; null is allowed. The last one to go ends the pool's threads. */
  void (*destroy)(tfc_context *context);
  /* The sentence of the context's last call, "" when it succeeded; of null: of the last create that failed. */
  const char *(*last_error)(const tfc_context *context);
  /* Checks types, ranks and extents of the inputs and writes the value of every symbol, of those that data decides the most
   * that they can be: so much room must the outputs have. Does not look at data. */
  int32_t (*solve)(
      tfc_context *context, int32_t entry, const tfc_tensor *inputs, int32_t input_count, int64_t *symbols);
  /* The tensor's byte count, or -1 where it does not fit or an extent is negative; writes its extents unless null. */
  int64_t (*extents)(
      const tfc_entry *entry, const tfc_tensor_info *tensor, const int64_t *symbols, int64_t *extents);
  /* The scratch memory of a call, in bytes, or -1. */
  int64_t (*arena_byte_count)(const tfc_entry *entry, const int64_t *symbols);
  /* Checks everything, then computes the outputs. */
  int32_t (*run)(
      tfc_context *context, int32_t entry, const tfc_tensor *inputs, int32_t input_count, const tfc_tensor *outputs,
      int32_t output_count);
  /* `launch_count` counters in the order of `launch_names`, or null when there are none. */
  const tfc_profile *(*profile)(const tfc_context *context, int32_t entry);
  void (*reset_profile)(tfc_context *context);
  /* `run` with memory of the device: `data` is a cl_mem of the context's cl_context, used from its first byte. Returns
   * when the commands are in the context's queue, not when they are done, except where the model reads a condition back
   * or is compiled with profiling. Memory objects must not overlap. */
  int32_t (*run_on_device)(
      tfc_context *context, int32_t entry, const tfc_tensor *inputs, int32_t input_count, const tfc_tensor *outputs,
      int32_t output_count);
  /* What the kind (`enum tfc_device_handle`) stands for, as long as the context lives; null in one on the CPU. */
  void *(*device_handle)(const tfc_context *context, int32_t kind);
  /* Where the context runs (`enum tfc_target`). Writes why, unless null: the device's name; on the CPU why not on the
   * device that the model has code for, "" where it has none. The text lives as long as the context. Only where the
   * table's `functions_byte_count` says that there is such a field. */
  int32_t (*target)(const tfc_context *context, const char **why);
  /* The values of the symbols in the context's last call, if that was of this entry and succeeded: with them `extents` says
   * what the outputs are. Where `functions_byte_count` says that there is such a field. */
  const int64_t *(*symbols)(const tfc_context *context, int32_t entry);
};

#ifdef __cplusplus
}
#endif

#endif
