/* Extents: their values for given symbols, and the symbols that given extents mean. */
#include <stdio.h>

#include "context.h"

static int64_t value_of(const tfc_expression *expression, const int64_t *symbols) {
  if (expression->symbol < 0) return expression->value(symbols);
  return tfc_add(tfc_multiply(expression->scale, symbols[expression->symbol]), expression->offset);
}

static const tfc_expression *expression_of(const tfc_entry *entry, int64_t extent) {
  return &entry->expressions[-1 - extent];
}

int64_t tfc_evaluate(const tfc_entry *entry, int64_t extent, const int64_t *symbols) {
  return extent >= 0 ? extent : value_of(expression_of(entry, extent), symbols);
}

int64_t tfc_arena_byte_count(const tfc_entry *entry, const int64_t *symbols) {
  int64_t byte_count = tfc_evaluate(entry, entry->arena_byte_count, symbols);
  return byte_count < 0 ? -1 : byte_count;
}

int64_t tfc_extents(
    const tfc_entry *entry, const tfc_tensor_info *tensor, const int64_t *symbols, int64_t *extents) {
  int64_t byte_count = tfc_type_byte_count(tensor->type);
  int64_t fits = 1;
  int64_t is_empty = 0;
  for (int32_t d = 0; d < tensor->rank; d++) {
    int64_t extent = tfc_evaluate(entry, tensor->extents[d], symbols);
    if (extents != NULL) extents[d] = extent;
    if (extent < 0) fits = 0;
    if (extent == 0) is_empty = 1;
    if (extent > 0 && __builtin_mul_overflow(byte_count, extent, &byte_count)) fits = 0;
  }
  if (!fits) return -1;
  return is_empty ? 0 : byte_count;
}

static int32_t is_in_bounds(const tfc_symbol *symbol, int64_t value) {
  return value >= symbol->lower && value <= symbol->upper;
}

static int64_t most_of(const tfc_entry *entry, const tfc_data_symbol *data, const int64_t *symbols) {
  int64_t most = tfc_evaluate(entry, data->most, symbols);
  return most < 0 ? 0 : most;
}

void tfc_set_most(const tfc_entry *entry, int64_t *symbols) {
  for (int32_t d = 0; d < entry->data_symbol_count; d++) {
    const tfc_data_symbol *data = &entry->data_symbols[d];
    symbols[data->symbol] = most_of(entry, data, symbols);
  }
}

int64_t tfc_output_extents(const tfc_entry *entry, int32_t output, int64_t *symbols, int64_t *extents) {
  if (output < 0 || output >= entry->output_count) return -1;
  for (int32_t d = 0; d < entry->data_symbol_count; d++) {
    const tfc_data_symbol *data = &entry->data_symbols[d];
    int64_t most = most_of(entry, data, symbols);
    if (symbols[data->symbol] > most) return -1;
    if (symbols[data->symbol] < 0) symbols[data->symbol] = most;
  }
  for (int32_t s = 0; s < entry->symbol_count; s++) {
    if (!is_in_bounds(&entry->symbols[s], symbols[s])) return -1;
  }
  return tfc_extents(entry, &entry->outputs[output], symbols, extents);
}

static int32_t refuse_symbol(tfc_context *context, const char *place, const tfc_symbol *symbol, int64_t value) {
  return tfc_fail(
      context, TFC_INVALID_ARGUMENT, "%s%s = %lld is outside %lld...%lld", place, symbol->name, (long long)value,
      (long long)symbol->lower, (long long)symbol->upper);
}

int32_t tfc_check_symbols(tfc_context *context, const tfc_entry *entry, const int64_t *symbols) {
  for (int32_t s = 0; s < entry->symbol_count; s++) {
    if (!is_in_bounds(&entry->symbols[s], symbols[s])) {
      return refuse_symbol(context, "", &entry->symbols[s], symbols[s]);
    }
  }
  return TFC_OK;
}

/* Type, rank and fixed extents of one input. */
static int32_t check_input(
    tfc_context *context, int32_t index, const tfc_tensor_info *expected, const tfc_tensor *input) {
  if (input->type != expected->type) {
    return tfc_fail(
        context, TFC_INVALID_ARGUMENT, "input %d '%s': type is %s, expected %s", index, expected->name,
        tfc_type_name(input->type), tfc_type_name(expected->type));
  }
  if (input->rank != expected->rank) {
    return tfc_fail(
        context, TFC_INVALID_ARGUMENT, "input %d '%s': rank is %d, expected %d", index, expected->name, input->rank,
        expected->rank);
  }
  if (input->rank > 0 && input->extents == NULL) {
    return tfc_fail(context, TFC_INVALID_ARGUMENT, "input %d '%s': extents are null", index, expected->name);
  }
  for (int32_t d = 0; d < input->rank; d++) {
    int64_t extent = input->extents[d];
    if (expected->extents[d] >= 0 && extent != expected->extents[d]) {
      return tfc_fail(
          context, TFC_INVALID_ARGUMENT, "input %d '%s': extent %d is %lld, expected %lld", index, expected->name, d,
          (long long)extent, (long long)expected->extents[d]);
    }
    if (extent < 0) {
      return tfc_fail(
          context, TFC_INVALID_ARGUMENT, "input %d '%s': extent %d is %lld, expected 0 or more", index,
          expected->name, d, (long long)extent);
    }
  }
  return TFC_OK;
}

/* A value that no symbol has: every lower bound is at least 0. */
#define UNKNOWN (-1)

/* Takes the symbol's value from an extent that equals `expression`, unless it is known already. */
static int32_t define_symbol(
    tfc_context *context, const tfc_entry *entry, int32_t index, int32_t dimension, const tfc_expression *expression,
    int64_t extent, int64_t *symbols) {
  int64_t *value = &symbols[expression->symbol];
  if (*value != UNKNOWN) return TFC_OK;
  const tfc_symbol *symbol = &entry->symbols[expression->symbol];
  const char *name = entry->inputs[index].name;
  int64_t scaled;
  if (__builtin_sub_overflow(extent, expression->offset, &scaled) || scaled % expression->scale != 0) {
    return tfc_fail(
        context, TFC_INVALID_ARGUMENT, "input %d '%s': extent %d is %lld, which is not %s for any %s", index, name,
        dimension, (long long)extent, expression->text, symbol->name);
  }
  int64_t solution = scaled / expression->scale;
  if (!is_in_bounds(symbol, solution)) {
    char place[TFC_ERROR_BYTE_COUNT];
    snprintf(
        place, sizeof place, "input %d '%s': extent %d is %lld, but ", index, name, dimension, (long long)extent);
    return refuse_symbol(context, place, symbol, solution);
  }
  *value = solution;
  return TFC_OK;
}

/* Defines symbols from bare occurrences, or from those that are scaled or shifted. */
static int32_t define_symbols(
    tfc_context *context, const tfc_entry *entry, const tfc_tensor *inputs, int32_t is_bare, int64_t *symbols) {
  for (int32_t i = 0; i < entry->input_count; i++) {
    const tfc_tensor_info *info = &entry->inputs[i];
    for (int32_t d = 0; d < info->rank; d++) {
      if (info->extents[d] >= 0) continue;
      const tfc_expression *expression = expression_of(entry, info->extents[d]);
      if (expression->symbol < 0 || (expression->scale == 1 && expression->offset == 0) != is_bare) continue;
      int32_t status = define_symbol(context, entry, i, d, expression, inputs[i].extents[d], symbols);
      if (status != TFC_OK) return status;
    }
  }
  return TFC_OK;
}

static int32_t check_expressions(
    tfc_context *context, const tfc_entry *entry, const tfc_tensor *inputs, const int64_t *symbols) {
  for (int32_t i = 0; i < entry->input_count; i++) {
    const tfc_tensor_info *info = &entry->inputs[i];
    for (int32_t d = 0; d < info->rank; d++) {
      int64_t expected = tfc_evaluate(entry, info->extents[d], symbols);
      if (inputs[i].extents[d] == expected) continue;
      return tfc_fail(
          context, TFC_INVALID_ARGUMENT, "input %d '%s': extent %d is %lld, expected %s = %lld", i, info->name, d,
          (long long)inputs[i].extents[d], expression_of(entry, info->extents[d])->text, (long long)expected);
    }
  }
  return TFC_OK;
}

int32_t tfc_solve_symbols(
    tfc_context *context, const tfc_entry *entry, const tfc_tensor *inputs, int32_t input_count, int64_t *symbols) {
  if (input_count != entry->input_count || (input_count > 0 && inputs == NULL)) {
    return tfc_fail(
        context, TFC_INVALID_ARGUMENT, "%d inputs are given, expected %d", inputs == NULL ? 0 : input_count,
        entry->input_count);
  }
  for (int32_t i = 0; i < input_count; i++) {
    int32_t status = check_input(context, i, &entry->inputs[i], &inputs[i]);
    if (status != TFC_OK) return status;
  }
  for (int32_t s = 0; s < entry->symbol_count; s++) symbols[s] = UNKNOWN;
  int32_t status = define_symbols(context, entry, inputs, 1, symbols);
  if (status == TFC_OK) status = define_symbols(context, entry, inputs, 0, symbols);
  if (status != TFC_OK) return status;
  for (int32_t s = 0; s < entry->symbol_count - entry->data_symbol_count; s++) {
    if (symbols[s] == UNKNOWN) {
      return tfc_fail(
          context, TFC_INVALID_ARGUMENT, "no extent of an input determines '%s'", entry->symbols[s].name);
    }
  }
  tfc_set_most(entry, symbols);
  return check_expressions(context, entry, inputs, symbols);
}
