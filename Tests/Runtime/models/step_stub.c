#include "tfc_generated.h"

#pragma GCC visibility push(default)
#include "libstep.h"
extern const tfc_artifact_table tfc_artifact;
#pragma GCC visibility pop

static const int32_t tfc_cpu_features[] = {TFC_CPU_SSE3, TFC_CPU_SSE4_2};

static const int64_t tfc_tensor_extents[] = {5, 0, 7};

static const tfc_tensor_info tfc_inputs[] = {
    {"weights", TFC_F32, 1, tfc_tensor_extents + 0, -1},
    {"rate", TFC_F32, 0, tfc_tensor_extents + 0, -1},
    {"nothing", TFC_F32, 2, tfc_tensor_extents + 1, -1},
};

static const tfc_tensor_info tfc_outputs[] = {
    {"new_weights", TFC_F32, 1, tfc_tensor_extents + 0, 0},
    {"loss", TFC_F64, 0, tfc_tensor_extents + 0, -1},
};

static const char *const tfc_launch_names[] = {"sum of squares", "descend"};

static const char *const tfc_check_sentences[] = {"rate is negative"};

static const tfc_entry tfc_entries[] = {
    {
        .name = "main",
        .input_count = 3,
        .output_count = 2,
        .launch_count = 2,
        .check_count = 1,
        .inputs = tfc_inputs,
        .outputs = tfc_outputs,
        .launch_names = tfc_launch_names,
        .check_sentences = tfc_check_sentences,
        .program = tfc_program_run,
    },
};

const tfc_artifact_table tfc_artifact = {
    .version = TFC_ABI_VERSION,
    .byte_count = sizeof(tfc_artifact_table),
    .name = "step",
    .compiler = "tfc 0.1.0",
    .build = "cpu=x86-64 precision=f32 fusion=on profile=on",
    .cpu_feature_count = 2,
    .cpu_features = tfc_cpu_features,
    .entry_count = 1,
    .entries = tfc_entries,
    .functions = &tfc_runtime_functions,
    .functions_byte_count = sizeof(tfc_functions),
    .entry_byte_count = sizeof(tfc_entry),
};

TFC_MODEL(step)

int32_t step_run(step *model, const step_inputs *inputs, const step_outputs *outputs) {
  return tfc_run(
      (tfc_context *)model, 0, (const void *const[]){inputs->weights, inputs->rate, inputs->nothing},
      (void *const[]){outputs->new_weights, outputs->loss}, NULL);
}
