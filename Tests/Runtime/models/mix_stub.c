#include "tfc_opencl.h"

#pragma GCC visibility push(default)
#include "libmix.h"
extern const tfc_artifact_table tfc_artifact;
#pragma GCC visibility pop

TFC_WEIGHTS("affine.weights");

static int64_t tfc_expression_1(const int64_t *symbols) { return tfc_floor_divide(tfc_add(symbols[0], 7), 8); }

static const tfc_symbol tfc_symbols[] = {{"n", 0, TFC_SYMBOL_MAX}};

static const tfc_expression tfc_expressions[] = {
    {.text = "n", .symbol = 0, .scale = 1},
    {.text = "ceil(n/8)", .symbol = -1, .value = tfc_expression_1},
    {.text = "arena", .symbol = 0, .scale = 4, .offset = 64},
};

static const int64_t tfc_tensor_extents[] = {TFC_EXPRESSION(0), TFC_EXPRESSION(1)};

static const tfc_tensor_info tfc_inputs[] = {
    {"x", TFC_F32, 1, tfc_tensor_extents + 0, -1},
    {"bias", TFC_F32, 0, tfc_tensor_extents + 0, -1},
};

static const tfc_tensor_info tfc_outputs[] = {
    {"y", TFC_F32, 1, tfc_tensor_extents + 0, 0},
    {"sums", TFC_F32, 1, tfc_tensor_extents + 1, -1},
    {"scaled", TFC_F32, 1, tfc_tensor_extents + 0, -1},
};

static const char *const tfc_launch_names[] = {"check", "scale", "add", "sums"};

static const char *const tfc_check_sentences[] = {"the first element of x is negative"};

/* `check` writes a number that the program reads; the two flat kernels are one task an element; `sums` runs four items
 * for each eight elements. */
static const char tfc_opencl_source[] =
    "kernel void check(global uint *flag, ulong flag_at, global const float *x, ulong x_at, long n, long tasks) {\n"
    "  flag = (global uint *)((global char *)flag + flag_at);\n"
    "  x = (global const float *)((global const char *)x + x_at);\n"
    "  if (get_global_id(0) < tasks) flag[0] = n > 0 && x[0] < 0;\n"
    "}\n"
    "kernel void scale(global const float *x, ulong x_at, global const float *w, ulong w_at, global float *r,\n"
    "                  ulong r_at, long tasks) {\n"
    "  x = (global const float *)((global const char *)x + x_at);\n"
    "  w = (global const float *)((global const char *)w + w_at);\n"
    "  r = (global float *)((global char *)r + r_at);\n"
    "  long i = get_global_id(0);\n"
    "  if (i < tasks) r[i] = x[i] * w[i % 3];\n"
    "}\n"
    "kernel void add(global const float *x, ulong x_at, global const float *b, ulong b_at, global float *r,\n"
    "                ulong r_at, long tasks) {\n"
    "  x = (global const float *)((global const char *)x + x_at);\n"
    "  b = (global const float *)((global const char *)b + b_at);\n"
    "  r = (global float *)((global char *)r + r_at);\n"
    "  long i = get_global_id(0);\n"
    "  if (i < tasks) r[i] = x[i] + b[0];\n"
    "}\n"
    "kernel __attribute__((reqd_work_group_size(4, 1, 1)))\n"
    "void sums(global const float *x, ulong x_at, global float *r, ulong r_at, long n, long tasks) {\n"
    "  local float parts[4];\n"
    "  x = (global const float *)((global const char *)x + x_at);\n"
    "  r = (global float *)((global char *)r + r_at);\n"
    "  long group = get_group_id(0), item = get_local_id(0);\n"
    "  float sum = 0;\n"
    "  for (long i = group * 8 + item; i < group * 8 + 8 && i < n; i += 4) sum += x[i];\n"
    "  parts[item] = sum;\n"
    "  barrier(CLK_LOCAL_MEM_FENCE);\n"
    "  if (item == 0) r[group] = parts[0] + parts[1] + parts[2] + parts[3];\n"
    "}\n";

static const tfc_opencl_kernel tfc_opencl_kernels[] = {
    {"check", 2, 1, 1},
    {"scale", 3, 0, 1},
    {"add", 3, 0, 1},
    {"sums", 2, 1, 4},
};

static const tfc_opencl_code tfc_device_code = {
    .source = tfc_opencl_source,
    .source_byte_count = sizeof tfc_opencl_source - 1,
    .kernel_count = 4,
    .kernels = tfc_opencl_kernels,
    .constants_byte_count = 12,
    .arena_byte_count = TFC_EXPRESSION(2),
    .program = tfc_opencl_program,
};

static const tfc_entry tfc_entries[] = {
    {
        .name = "main",
        .symbol_count = 1,
        .expression_count = 3,
        .input_count = 2,
        .output_count = 3,
        .launch_count = 4,
        .check_count = 1,
        .symbols = tfc_symbols,
        .expressions = tfc_expressions,
        .inputs = tfc_inputs,
        .outputs = tfc_outputs,
        .arena_byte_count = TFC_EXPRESSION(2),
        .launch_names = tfc_launch_names,
        .check_sentences = tfc_check_sentences,
        .program = tfc_program_run,
    },
};

const tfc_artifact_table tfc_artifact = {
    .version = TFC_ABI_VERSION,
    .byte_count = sizeof(tfc_artifact_table),
    .name = "mix",
    .compiler = "tfc 0.1.0",
    .build = "target=opencl,cpu precision=f32 fusion=on",
    .entry_count = 1,
    .entries = tfc_entries,
    .weights = tfc_weights,
    .weight_byte_count = 12,
    .functions = &tfc_runtime_functions,
    .backend = &tfc_opencl_backend,
    .device_code = &tfc_device_code,
    .functions_byte_count = sizeof(tfc_functions),
    .entry_byte_count = sizeof(tfc_entry),
};

TFC_DEVICE_MODEL(mix)

int32_t mix_run(
    mix *model, mix_dims dims, const float *x, const float *bias, float *y, float *sums, float *scaled) {
  return tfc_run(
      (tfc_context *)model, 0, (const void *const[]){x, bias}, (void *const[]){y, sums, scaled},
      (int64_t[]){dims.n});
}

int32_t mix_run_on_device(mix *model, mix_dims dims, void *x, void *bias, void *y, void *sums, void *scaled) {
  return tfc_run_on_device(
      (tfc_context *)model, 0, (void *const[]){x, bias}, (void *const[]){y, sums, scaled}, (int64_t[]){dims.n});
}
