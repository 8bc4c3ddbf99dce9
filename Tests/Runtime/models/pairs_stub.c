#include "tfc_generated.h"

#pragma GCC visibility push(default)
#include "libpairs.h"
extern const tfc_artifact_table tfc_artifact;
#pragma GCC visibility pop

static int64_t tfc_expression_3(const int64_t *s) { return tfc_maximum(s[0], s[1]); }
static int64_t tfc_expression_4(const int64_t *s) { return tfc_multiply(4, tfc_multiply(s[0], s[1])); }

static const tfc_symbol tfc_symbols[] = {
    {"batch", 1, 64},
    {"seq", 0, TFC_SYMBOL_MAX},
};

static const tfc_expression tfc_expressions[] = {
    {"batch", 0, 1, 0, NULL},
    {"seq", 1, 1, 0, NULL},
    {"2*seq + 1", 1, 2, 1, NULL},
    {"max(batch, seq)", -1, 0, 0, tfc_expression_3},
    {"arena", -1, 0, 0, tfc_expression_4},
};

static const int64_t tfc_tensor_extents[] = {
    TFC_EXPRESSION(0), TFC_EXPRESSION(1), TFC_EXPRESSION(0), 1, TFC_EXPRESSION(1), TFC_EXPRESSION(2),
    TFC_EXPRESSION(3),
};

static const tfc_tensor_info tfc_inputs[] = {
    {"ids", TFC_I32, 2, tfc_tensor_extents + 0, -1},
    {"mask", TFC_F32, 3, tfc_tensor_extents + 2, -1},
    {"odd", TFC_F32, 1, tfc_tensor_extents + 5, -1},
};

static const tfc_tensor_info tfc_outputs[] = {
    {"scaled", TFC_F32, 2, tfc_tensor_extents + 0, -1},
    {"longer", TFC_I64, 1, tfc_tensor_extents + 6, -1},
};

static const tfc_entry tfc_entries[] = {
    {
        .name = "main",
        .symbol_count = 2,
        .expression_count = 5,
        .input_count = 3,
        .output_count = 2,
        .symbols = tfc_symbols,
        .expressions = tfc_expressions,
        .inputs = tfc_inputs,
        .outputs = tfc_outputs,
        .arena_byte_count = TFC_EXPRESSION(4),
        .program = tfc_program_run,
    },
};

const tfc_artifact_table tfc_artifact = {
    .version = TFC_ABI_VERSION,
    .byte_count = sizeof(tfc_artifact_table),
    .name = "pairs",
    .compiler = "tfc 0.1.0",
    .build = "cpu=x86-64 precision=f32 fusion=on",
    .entry_count = 1,
    .entries = tfc_entries,
    .functions = &tfc_runtime_functions,
    .functions_byte_count = sizeof(tfc_functions),
    .entry_byte_count = sizeof(tfc_entry),
};

TFC_MODEL(pairs)

int32_t pairs_run(
    pairs *model, pairs_dims dims, const int32_t *ids, const float *mask, const float *odd, float *scaled,
    int64_t *longer) {
  return tfc_run(
      (tfc_context *)model, 0, (const void *const[]){ids, mask, odd}, (void *const[]){scaled, longer},
      (int64_t[]){dims.batch, dims.seq});
}

int64_t pairs_output_extents(int32_t output, pairs_dims dims, int64_t *extents) {
  return tfc_output_extents(&tfc_entries[0], output, (int64_t[]){dims.batch, dims.seq}, extents);
}
