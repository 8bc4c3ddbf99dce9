/*
 * residence LIBRARY THREADS [INPUT=EXTENTxEXTENT...]...: runs a compiled model as a program would that has nothing
 * else, and writes what of memory it holds, in bytes, as JSON. Inputs are zeros; where the model's extents are fixed,
 * they need not be given.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tfc_runtime.h"

enum { MAX_RANK = 32 };

static void expect(int holds, const char *sentence) {
  if (holds) return;
  fprintf(stderr, "error: %s\n", sentence);
  exit(3);
}

static int64_t resident_byte_count(void) {
  long long size, resident;
  FILE *file = fopen("/proc/self/statm", "r");
  expect(file != NULL && fscanf(file, "%lld %lld", &size, &resident) == 2, "/proc/self/statm cannot be read");
  fclose(file);
  return resident * sysconf(_SC_PAGESIZE);
}

/* The extents that the arguments give to an input, or the model's own. */
static void read_extents(const tfc_tensor_info *input, int count, char **arguments, int64_t *extents) {
  memcpy(extents, input->extents, (size_t)input->rank * sizeof *extents);
  size_t length = strlen(input->name);
  for (int i = 0; i < count; i++) {
    if (strncmp(arguments[i], input->name, length) != 0 || arguments[i][length] != '=') continue;
    char *text = arguments[i] + length + 1;
    for (int d = 0; d < input->rank; d++) extents[d] = strtoll(text, &text, 10), text += *text == 'x';
  }
}

static int64_t element_byte_count(const tfc_artifact_table *table, const tfc_tensor_info *tensor) {
  tfc_tensor_info scalar = *tensor;
  scalar.rank = 0;
  return table->functions->extents(table->entries, &scalar, NULL, NULL);
}

int main(int count, char **arguments) {
  expect(count >= 3, "usage: residence LIBRARY THREADS [INPUT=EXTENTS]...");
  void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  expect(library != NULL, "the library cannot be loaded");
  const tfc_artifact_table *table = dlsym(library, "tfc_artifact");
  expect(table != NULL, "the library has no table");
  const tfc_entry *entry = table->entries;
  tfc_options options = {.threads = atoi(arguments[2])};
  tfc_context *context = table->functions->create(table, &options);
  expect(context != NULL, "the model cannot be created");

  int64_t(*extents)[MAX_RANK] = calloc((size_t)entry->input_count + 1, sizeof *extents);
  int64_t *symbols = calloc((size_t)entry->symbol_count + 1, sizeof *symbols), tensor_byte_count = 0;
  tfc_tensor *inputs = calloc((size_t)entry->input_count + 1, sizeof *inputs);
  tfc_tensor *outputs = calloc((size_t)entry->output_count + 1, sizeof *outputs);
  for (int i = 0; i < entry->input_count; i++) {
    const tfc_tensor_info *input = entry->inputs + i;
    expect(input->rank <= MAX_RANK, "an input has too many dimensions");
    read_extents(input, count - 3, arguments + 3, extents[i]);
    int64_t bytes = element_byte_count(table, input);
    for (int d = 0; d < input->rank; d++) {
      expect(extents[i][d] >= 0, "an input's extents are not given");
      bytes *= extents[i][d];
    }
    inputs[i] = (tfc_tensor){calloc((size_t)bytes + 1, 1), bytes, extents[i], input->rank, input->type};
    tensor_byte_count += bytes;
  }
  int32_t status = table->functions->solve(context, 0, inputs, entry->input_count, symbols);
  expect(status == TFC_OK, table->functions->last_error(context));
  for (int i = 0; i < entry->output_count; i++) {
    int64_t bytes = table->functions->extents(entry, entry->outputs + i, symbols, NULL);
    outputs[i] = (tfc_tensor){calloc((size_t)bytes + 1, 1), bytes, NULL, 0, entry->outputs[i].type};
    tensor_byte_count += bytes;
  }
  for (int turn = 0; turn < 3; turn++) {
    status = table->functions->run(context, 0, inputs, entry->input_count, outputs, entry->output_count);
    expect(status == TFC_OK, table->functions->last_error(context));
  }
  printf(
      "{\"resident\": %lld, \"weights\": %lld, \"arena\": %lld, \"tensors\": %lld}\n",
      (long long)resident_byte_count(), (long long)table->weight_byte_count,
      (long long)table->functions->arena_byte_count(entry, symbols), (long long)tensor_byte_count);
  table->functions->destroy(context);
  return 0;
}
