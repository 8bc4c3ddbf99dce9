/* Runs models between protected pages: guarded bounds LIBRARY, or guarded threads LIBRARY for contexts on threads.
 *
 * Kernels are not instrumented, so their buffers are: inputs, outputs and the arena end exactly at a page that may not
 * be touched, then begin at one. All calls must give the same bits.
 *
 * guarded call LIBRARY INPUTS OUTPUTS takes what the model computes on from a file, the extents (as int64_t) and bytes of
 * one input after the other, and writes the outputs' bytes. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tfc_generated.h"

enum { MOST = 512, SYMBOL = 3 };

typedef struct buffers {
  void *inputs[MOST], *outputs[MOST];
  tfc_tensor input_tensors[MOST], output_tensors[MOST];
  int64_t extents[MOST][16];
  uint8_t *arena;
  int64_t symbols[MOST];
} buffers;

static void check(int holds, const char *sentence) {
  if (holds) return;
  fprintf(stderr, "%s\n", sentence);
  exit(1);
}

/* `count` bytes between two pages that may not be touched, at the end of what lies between them or at its beginning. */
static void *guarded(int64_t count, int at_end) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t whole = ((size_t)count + page - 1) / page * page;
  uint8_t *all = mmap(NULL, whole + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(all != MAP_FAILED, "no memory");
  check(whole == 0 || mprotect(all + page, whole, PROT_READ | PROT_WRITE) == 0, "no pages");
  return at_end ? all + page + whole - count : all + page;
}

static void fill(tfc_tensor *tensor, uint64_t seed) {
  uint8_t *bytes = tensor->data;
  int64_t size = tfc_type_byte_count(tensor->type);
  for (int64_t i = 0; i < tensor->byte_count / size; i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    float value = (float)(seed >> 40) / (float)(1 << 24) * 4 - 2;
    double wide = value;
    int64_t whole = (int64_t)(seed >> 60);
    uint32_t bits;
    memcpy(&bits, &value, 4);
    uint16_t narrow = (uint16_t)(bits >> 16);
    const void *source = tensor->type == TFC_F32     ? (const void *)&value
                         : tensor->type == TFC_F64   ? (const void *)&wide
                         : tensor->type == TFC_BF16  ? (const void *)&narrow
                                                     : (const void *)&whole;
    if (tensor->type == TFC_I1) whole &= 1;
    if (tensor->type == TFC_F16) whole |= 0x3800;
    if (tensor->type == TFC_COMPLEX64) {
      memcpy(bytes + i * size, &value, 4);
      memcpy(bytes + i * size + 4, &value, 4);
      continue;
    }
    memcpy(bytes + i * size, source, (size_t)size);
  }
}

/* kind 0: from the heap, exactly as long as they are; 1: ending at a protected page; 2: beginning at one. The symbols are
 * set; inputs are filled by chance, or with those that are given. */
static void prepare(const tfc_artifact_table *table, buffers *all, int kind, uint8_t *const *given) {
  const tfc_entry *entry = table->entries;
  for (int i = 0; i < entry->input_count + entry->output_count; i++) {
    int is_input = i < entry->input_count;
    int k = is_input ? i : i - entry->input_count;
    const tfc_tensor_info *info = is_input ? entry->inputs + k : entry->outputs + k;
    tfc_tensor *tensor = is_input ? all->input_tensors + k : all->output_tensors + k;
    int64_t extents[16];
    int64_t count = table->functions->extents(entry, info, all->symbols, extents);
    check(count >= 0, "an extent is negative");
    void *data = kind == 0 ? malloc((size_t)count) : guarded(count, kind == 1);
    *tensor = (tfc_tensor){data, count, NULL, info->rank, info->type};
    if (is_input) {
      memcpy(all->extents[k], extents, sizeof extents);
      tensor->extents = all->extents[k];
      all->inputs[k] = data;
      if (given == NULL) fill(tensor, (uint64_t)k + 1);
      else if (count > 0) memcpy(data, given[k], (size_t)count);
    } else {
      all->outputs[k] = data;
      memset(data, 0xA5, (size_t)count);
    }
  }
  int64_t arena = table->functions->arena_byte_count(entry, all->symbols);
  check(arena >= 0, "no arena");
  /* The arena's beginning is aligned to a cache line; its length is rounded up to that where it must end at a page. */
  all->arena = kind == 0 ? NULL : guarded((arena + 63) / 64 * 64, kind == 1);
}

/* A table's new buffers, with every symbol's value. */
static buffers *allocate(const tfc_artifact_table *table) {
  const tfc_entry *entry = table->entries;
  check(entry->input_count <= MOST && entry->output_count <= MOST && entry->symbol_count <= MOST, "too many tensors");
  buffers *all = calloc(1, sizeof *all);
  check(all != NULL, "no memory");
  for (int i = 0; i < entry->symbol_count; i++) all->symbols[i] = SYMBOL;
  return all;
}

static void release(const tfc_artifact_table *table, buffers *all) {
  for (int i = 0; i < table->entries->input_count; i++) free(all->inputs[i]);
  for (int i = 0; i < table->entries->output_count; i++) free(all->outputs[i]);
}

static void run(const tfc_artifact_table *table, tfc_context *context, buffers *all) {
  const tfc_entry *entry = table->entries;
  int32_t status = table->functions->run(
      context, 0, all->input_tensors, entry->input_count, all->output_tensors, entry->output_count);
  check(status == TFC_OK, table->functions->last_error(context));
}

static void expect_same(const tfc_artifact_table *table, const buffers *a, const buffers *b) {
  for (int i = 0; i < table->entries->output_count; i++) {
    size_t count = (size_t)a->output_tensors[i].byte_count;
    check(count == 0 || memcmp(a->outputs[i], b->outputs[i], count) == 0, "an output depends on where buffers are");
  }
}

static tfc_context *create(const tfc_artifact_table *table) {
  tfc_options options = {.threads = 2};
  tfc_context *context = table->functions->create(table, &options);
  check(context != NULL, table->functions->last_error(NULL));
  return context;
}

static void check_bounds(const tfc_artifact_table *table) {
  const tfc_entry *entry = table->entries;
  buffers *heap = allocate(table), *placed = allocate(table);
  tfc_context *context = create(table);
  prepare(table, heap, 0, NULL);
  run(table, context, heap);
  for (int kind = 1; kind <= 2; kind++) {
    prepare(table, placed, kind, NULL);
    run(table, context, placed);
    expect_same(table, heap, placed);
    prepare(table, placed, kind, NULL);
    const void *const *inputs = (const void *const *)placed->inputs;
    const tfc_team team = {context, 2};
    int32_t status = entry->program(&team, inputs, placed->outputs, placed->arena, table->weights, placed->symbols);
    check(status == TFC_OK, "the program fails");
    expect_same(table, heap, placed);
  }
  table->functions->destroy(context);
  release(table, heap);
  free(heap);
  free(placed);
}

static void *run_often(void *argument) {
  const tfc_artifact_table *table = argument;
  buffers *first = allocate(table), *again = allocate(table);
  tfc_context *context = create(table);
  prepare(table, first, 0, NULL);
  prepare(table, again, 0, NULL);
  run(table, context, first);
  for (int turn = 0; turn < 20; turn++) {
    run(table, context, again);
    expect_same(table, first, again);
  }
  table->functions->destroy(context);
  release(table, first);
  release(table, again);
  free(first);
  free(again);
  return NULL;
}

/* Two contexts, each called from its own thread and working on two. */
static void check_threads(const tfc_artifact_table *table) {
  pthread_t callers[2];
  for (int i = 0; i < 2; i++) check(pthread_create(callers + i, NULL, run_often, (void *)table) == 0, "no thread");
  for (int i = 0; i < 2; i++) pthread_join(callers[i], NULL);
}

static void read_all(FILE *file, void *data, size_t count) {
  check(count == 0 || fread(data, 1, count, file) == count, "the inputs' file ends early");
}

/* Reads all inputs, and finds the values of symbols that belong to them. */
static void read_inputs(const tfc_artifact_table *table, tfc_context *context, buffers *all, FILE *file, uint8_t **data) {
  const tfc_entry *entry = table->entries;
  for (int i = 0; i < entry->input_count; i++) {
    const tfc_tensor_info *info = entry->inputs + i;
    int64_t byte_count = tfc_type_byte_count(info->type);
    read_all(file, all->extents[i], (size_t)info->rank * sizeof(int64_t));
    for (int d = 0; d < info->rank; d++) byte_count *= all->extents[i][d];
    data[i] = malloc((size_t)byte_count + 1);
    check(data[i] != NULL, "no memory");
    read_all(file, data[i], (size_t)byte_count);
    all->input_tensors[i] = (tfc_tensor){data[i], byte_count, all->extents[i], info->rank, info->type};
  }
  int32_t status = table->functions->solve(context, 0, all->input_tensors, entry->input_count, all->symbols);
  check(status == TFC_OK, table->functions->last_error(context));
}

static void call(const tfc_artifact_table *table, const char *inputs, const char *outputs) {
  uint8_t *data[MOST];
  buffers *first = allocate(table), *second = allocate(table);
  tfc_context *context = create(table);
  FILE *file = fopen(inputs, "rb");
  check(file != NULL, "there is no file with inputs");
  read_inputs(table, context, first, file, data);
  fclose(file);
  memcpy(second->symbols, first->symbols, sizeof first->symbols);
  prepare(table, first, 1, data);
  prepare(table, second, 2, data);
  run(table, context, first);
  run(table, context, second);
  expect_same(table, first, second);
  file = fopen(outputs, "wb");
  check(file != NULL, "no file for outputs");
  for (int i = 0; i < table->entries->output_count; i++) {
    size_t count = (size_t)first->output_tensors[i].byte_count;
    check(fwrite(first->outputs[i], 1, count, file) == count, "the outputs cannot be written");
  }
  check(fclose(file) == 0, "the outputs cannot be written");
  table->functions->destroy(context);
}

int main(int count, char **arguments) {
  int is_call = count == 5 && strcmp(arguments[1], "call") == 0;
  check(is_call || count == 3, "usage: guarded bounds|threads LIBRARY, guarded call LIBRARY INPUTS OUTPUTS");
  void *library = dlopen(arguments[2], RTLD_NOW | RTLD_LOCAL);
  check(library != NULL, "the library cannot be loaded");
  const tfc_artifact_table *table = dlsym(library, "tfc_artifact");
  check(table != NULL, "the library has no table");
  if (is_call) call(table, arguments[3], arguments[4]);
  else if (strcmp(arguments[1], "threads") == 0) check_threads(table);
  else check_bounds(table);
  return 0;
}
