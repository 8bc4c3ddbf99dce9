#include "tfc_generated.h"

#pragma GCC visibility push(default)
#include "libaffine.h"
extern const tfc_artifact_table tfc_artifact;
#pragma GCC visibility pop

TFC_WEIGHTS("affine.weights");

static const int64_t tfc_tensor_extents[] = {4, 3};

static const tfc_tensor_info tfc_inputs[] = {
    {"x", TFC_F32, 2, tfc_tensor_extents + 0, -1},
    {"k", TFC_I32, 0, tfc_tensor_extents + 0, -1},
};

static const tfc_tensor_info tfc_outputs[] = {
    {"y", TFC_F32, 2, tfc_tensor_extents + 0, -1},
};

static const tfc_entry tfc_entries[] = {
    {
        .name = "main",
        .input_count = 2,
        .output_count = 1,
        .inputs = tfc_inputs,
        .outputs = tfc_outputs,
        .arena_byte_count = 48,
        .program = tfc_program_run,
    },
};

const tfc_artifact_table tfc_artifact = {
    .version = TFC_ABI_VERSION,
    .byte_count = sizeof(tfc_artifact_table),
    .name = "affine",
    .compiler = "tfc 0.1.0",
    .build = "cpu=x86-64 precision=f32 fusion=on",
    .entry_count = 1,
    .entries = tfc_entries,
    .weights = tfc_weights,
    .weight_byte_count = 12,
    .functions = &tfc_runtime_functions,
    .functions_byte_count = sizeof(tfc_functions),
    .entry_byte_count = sizeof(tfc_entry),
};

TFC_MODEL(affine)

int32_t affine_run(affine *model, const float *x, const int32_t *k, float *y) {
  return tfc_run((tfc_context *)model, 0, (const void *const[]){x, k}, (void *const[]){y}, NULL);
}
