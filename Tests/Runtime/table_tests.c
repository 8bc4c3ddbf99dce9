#include <dlfcn.h>
#include <pthread.h>

#include "test.h"

static void a_table_describes_its_model(void) {
  const tfc_artifact_table *artifact;
  void *library = open_model("pairs", &artifact);
  expect(artifact->version == TFC_ABI_VERSION && artifact->byte_count == sizeof *artifact);
  expect_text(artifact->name, "pairs");
  expect_text(artifact->compiler, "tfc 0.1.0");
  expect_text(artifact->build, "cpu=x86-64 precision=f32 fusion=on");
  expect(artifact->entry_count == 1 && artifact->weight_byte_count == 0);
  const tfc_entry *entry = &artifact->entries[0];
  expect_text(entry->name, "main");
  expect(entry->input_count == 3 && entry->output_count == 2 && entry->symbol_count == 2);
  expect_text(entry->symbols[0].name, "batch");
  expect(entry->symbols[0].lower == 1 && entry->symbols[0].upper == 64);
  expect_text(entry->inputs[1].name, "mask");
  expect(entry->inputs[1].extents[1] == 1 && entry->inputs[1].extents[2] == TFC_EXPRESSION(1));
  expect_text(entry->expressions[2].text, "2*seq + 1");
  const int64_t symbols[] = {3, 10};
  int64_t extents[3];
  expect(artifact->functions->extents(entry, &entry->inputs[1], symbols, extents) == 120);
  expect(extents[0] == 3 && extents[1] == 1 && extents[2] == 10);
  expect(artifact->functions->extents(entry, &entry->inputs[2], symbols, NULL) == 84);
  expect(artifact->functions->extents(entry, &entry->outputs[1], symbols, NULL) == 80);
  expect(artifact->functions->arena_byte_count(entry, symbols) == 120);
  dlclose(library);
  library = open_model("affine", &artifact);
  expect(artifact->weight_byte_count == 12 && (uintptr_t)artifact->weights % 64 == 0);
  expect(memcmp(artifact->weights, (const float[]){0.5f, -1, 2}, 12) == 0);
  expect(artifact->functions->arena_byte_count(&artifact->entries[0], NULL) == 48);
  dlclose(library);
}

/* A call of `pairs` with batch 2 and seq 3 that is right; each test spoils one thing. */
typedef struct call {
  const tfc_artifact_table *artifact;
  tfc_context *context;
  int32_t ids[6];
  float mask[6], odd[7], scaled[6];
  int64_t longer[3];
  int64_t ids_extents[2], mask_extents[3], odd_extents[1];
  tfc_tensor inputs[3], outputs[2];
  int32_t input_count, output_count;
} call;

static void *begin(call *c) {
  void *library = open_model("pairs", &c->artifact);
  c->context = c->artifact->functions->create(c->artifact, NULL);
  for (int i = 0; i < 6; i++) {
    c->ids[i] = i;
    c->mask[i] = 2;
    c->odd[i] = 1;
  }
  c->odd[6] = 1;
  memcpy(c->ids_extents, (int64_t[]){2, 3}, sizeof c->ids_extents);
  memcpy(c->mask_extents, (int64_t[]){2, 1, 3}, sizeof c->mask_extents);
  c->odd_extents[0] = 7;
  c->inputs[0] = (tfc_tensor){c->ids, sizeof c->ids, c->ids_extents, 2, TFC_I32};
  c->inputs[1] = (tfc_tensor){c->mask, sizeof c->mask, c->mask_extents, 3, TFC_F32};
  c->inputs[2] = (tfc_tensor){c->odd, sizeof c->odd, c->odd_extents, 1, TFC_F32};
  c->outputs[0] = (tfc_tensor){.data = c->scaled, .byte_count = sizeof c->scaled, .type = TFC_F32};
  c->outputs[1] = (tfc_tensor){.data = c->longer, .byte_count = sizeof c->longer, .type = TFC_I64};
  c->input_count = 3;
  c->output_count = 2;
  return library;
}

/* Runs a right call after `spoil`; expects the sentence, and outputs that are not written. */
static void refuse(void (*spoil)(call *c), const char *sentence) {
  call c;
  memset(&c, 0, sizeof c);
  void *library = begin(&c);
  spoil(&c);
  int32_t status = c.artifact->functions->run(
      c.context, 0, c.inputs, c.input_count, c.outputs, c.output_count);
  expect(status == (*sentence == 0 ? TFC_OK : TFC_INVALID_ARGUMENT));
  expect_text(c.artifact->functions->last_error(c.context), sentence);
  expect(c.scaled[5] == (status == TFC_OK ? 11 : 0));
  expect(c.longer[2] == (status == TFC_OK ? 2 : 0));
  c.artifact->functions->destroy(c.context);
  dlclose(library);
}

static void nothing(call *c) { (void)c; }
static void more_room(call *c) { c->outputs[0].byte_count += 100; }
static void few_inputs(call *c) { c->input_count = 2; }
static void many_outputs(call *c) { c->output_count = 3; }
static void wrong_type(call *c) { c->inputs[1].type = TFC_F64; }
static void no_type(call *c) { c->inputs[0].type = 77; }
static void wrong_rank(call *c) { c->inputs[1].rank = 2; }
static void null_extents(call *c) { c->inputs[1].extents = NULL; }
static void wrong_fixed_extent(call *c) { c->mask_extents[1] = 5; }
static void wrong_symbol(call *c) { c->mask_extents[2] = 7; }
static void wrong_expression(call *c) { c->odd_extents[0] = 9; }
static void negative_extent(call *c) { c->ids_extents[1] = -4; }
static void batch_above(call *c) { c->ids_extents[0] = 65; }
static void batch_below(call *c) { c->ids_extents[0] = 0; }
static void null_data(call *c) { c->inputs[2].data = NULL; }
static void null_output(call *c) { c->outputs[1].data = NULL; }
static void short_input(call *c) { c->inputs[0].byte_count = 23; }
static void short_output(call *c) { c->outputs[1].byte_count = 16; }
static void wrong_output_type(call *c) { c->outputs[1].type = TFC_F64; }
static void overlap(call *c) { c->outputs[0].data = c->mask; }

static void bad_calls_are_refused_with_a_sentence(void) {
  refuse(nothing, "");
  refuse(more_room, "");
  refuse(few_inputs, "2 inputs are given, expected 3");
  refuse(many_outputs, "3 outputs are given, expected 2");
  refuse(wrong_type, "input 1 'mask': type is f64, expected f32");
  refuse(no_type, "input 0 'ids': type is unknown, expected i32");
  refuse(wrong_rank, "input 1 'mask': rank is 2, expected 3");
  refuse(null_extents, "input 1 'mask': extents are null");
  refuse(wrong_fixed_extent, "input 1 'mask': extent 1 is 5, expected 1");
  refuse(wrong_symbol, "input 1 'mask': extent 2 is 7, expected seq = 3");
  refuse(wrong_expression, "input 2 'odd': extent 0 is 9, expected 2*seq + 1 = 7");
  refuse(negative_extent, "input 0 'ids': extent 1 is -4, expected 0 or more");
  refuse(batch_above, "input 0 'ids': extent 0 is 65, but batch = 65 is outside 1...64");
  refuse(batch_below, "input 0 'ids': extent 0 is 0, but batch = 0 is outside 1...64");
  refuse(null_data, "input 2 'odd': data is null");
  refuse(null_output, "output 1 'longer': data is null");
  refuse(short_input, "input 0 'ids': 23 bytes are given, expected 24");
  refuse(short_output, "output 1 'longer': room for 16 bytes, expected 24");
  refuse(wrong_output_type, "output 1 'longer': type is f64, expected i64");
  refuse(overlap, "output 0 'scaled' overlaps input 1 'mask'");
}

static void bad_entries_and_contexts_are_refused(void) {
  call c;
  memset(&c, 0, sizeof c);
  void *library = begin(&c);
  const tfc_functions *f = c.artifact->functions;
  expect(f->run(c.context, 1, c.inputs, 3, c.outputs, 2) == TFC_INVALID_ARGUMENT);
  expect_text(f->last_error(c.context), "entry is 1, expected 0...0");
  expect(f->run(c.context, -1, c.inputs, 3, c.outputs, 2) == TFC_INVALID_ARGUMENT);
  expect(f->run(NULL, 0, c.inputs, 3, c.outputs, 2) == TFC_INVALID_ARGUMENT);
  expect(f->run(c.context, 0, NULL, 0, c.outputs, 2) == TFC_INVALID_ARGUMENT);
  expect_text(f->last_error(c.context), "0 inputs are given, expected 3");
  expect(f->run(c.context, 0, c.inputs, 3, NULL, 2) == TFC_INVALID_ARGUMENT);
  expect_text(f->last_error(c.context), "0 outputs are given, expected 2");
  expect(f->profile(c.context, 0) == NULL && f->profile(c.context, 7) == NULL && f->profile(NULL, 0) == NULL);
  f->reset_profile(NULL);
  f->destroy(c.context);
  dlclose(library);
}

static void symbols_are_solved_before_there_is_data(void) {
  call c;
  memset(&c, 0, sizeof c);
  void *library = begin(&c);
  int64_t symbols[2];
  for (int i = 0; i < 3; i++) c.inputs[i].data = NULL;
  expect(c.artifact->functions->solve(c.context, 0, c.inputs, 3, symbols) == TFC_OK);
  expect(symbols[0] == 2 && symbols[1] == 3);
  c.artifact->functions->destroy(c.context);
  dlclose(library);
}

static void scalars_and_profiles(void) {
  const tfc_artifact_table *artifact;
  void *library = open_model("step", &artifact);
  const tfc_functions *f = artifact->functions;
  expect_text(artifact->entries[0].launch_names[1], "descend");
  expect(artifact->entries[0].outputs[0].alias == 0 && artifact->entries[0].outputs[1].alias == -1);
  tfc_context *context = f->create(artifact, NULL);
  float weights[5] = {1, 1, 1, 1, 1}, rate = 0.25f;
  double loss;
  const int64_t five = 5, none[] = {0, 7};
  const tfc_tensor inputs[] = {
      {weights, 20, &five, 1, TFC_F32}, {&rate, 4, NULL, 0, TFC_F32}, {NULL, 0, none, 2, TFC_F32}};
  const tfc_tensor outputs[] = {
      {.data = weights, .byte_count = 20, .type = TFC_F32}, {.data = &loss, .byte_count = 8, .type = TFC_F64}};
  for (int n = 0; n < 3; n++) expect(f->run(context, 0, inputs, 3, outputs, 2) == TFC_OK);
  expect(weights[3] == 0.125f && loss == 5 * 0.0625);
  const tfc_profile *profile = f->profile(context, 0);
  expect(profile != NULL && profile[0].count == 3 && profile[1].count == 3);
  expect(profile[0].nanoseconds >= 0 && profile[1].nanoseconds > 0);
  f->reset_profile(context);
  expect(profile[0].count == 0 && profile[1].nanoseconds == 0);
  f->destroy(context);
  dlclose(library);
}

/* Two contexts, two host threads, each on up to four threads of the pool. */
static void *run_for_long(void *argument) {
  call *c = argument;
  for (int n = 0; n < 300; n++) {
    memset(c->scaled, 0, sizeof c->scaled);
    if (c->artifact->functions->run(c->context, 0, c->inputs, 3, c->outputs, 2) != TFC_OK) return NULL;
    for (int i = 0; i < 6; i++) {
      if (c->scaled[i] != (float)(2 * i + 1)) return NULL;
    }
  }
  return c;
}

static void two_contexts_run_at_once(void) {
  static call calls[2];
  void *libraries[2];
  pthread_t hosts[2];
  for (int h = 0; h < 2; h++) {
    libraries[h] = begin(&calls[h]);
    calls[h].artifact->functions->destroy(calls[h].context);
    calls[h].context = calls[h].artifact->functions->create(calls[h].artifact, &(tfc_options){.threads = 4});
  }
  for (int h = 0; h < 2; h++) pthread_create(&hosts[h], NULL, run_for_long, &calls[h]);
  for (int h = 0; h < 2; h++) {
    void *result = NULL;
    pthread_join(hosts[h], &result);
    expect(result == &calls[h]);
    calls[h].artifact->functions->destroy(calls[h].context);
  }
  for (int h = 0; h < 2; h++) dlclose(libraries[h]);
}

/* A host's parallel_for that calls the busy model again. */
typedef struct again {
  call *c;
  int32_t status;
} again;

static void call_again(void *user, int32_t count, void (*body)(void *state, int32_t index), void *state) {
  again *a = user;
  a->status = a->c->artifact->functions->run(a->c->context, 0, a->c->inputs, 3, a->c->outputs, 2);
  for (int32_t i = 0; i < count; i++) body(state, i);
}

static void a_busy_context_refuses(void) {
  call c;
  memset(&c, 0, sizeof c);
  void *library = begin(&c);
  again a = {&c, TFC_OK};
  c.artifact->functions->destroy(c.context);
  const tfc_options options = {.threads = 2, .parallel_for = call_again, .user = &a};
  c.context = c.artifact->functions->create(c.artifact, &options);
  expect(c.artifact->functions->run(c.context, 0, c.inputs, 3, c.outputs, 2) == TFC_OK);
  expect(a.status == TFC_BUSY);
  expect(c.scaled[5] == 11);
  c.artifact->functions->destroy(c.context);
  dlclose(library);
}

void test_tables(void) {
  RUN(a_table_describes_its_model);
  RUN(bad_calls_are_refused_with_a_sentence);
  RUN(bad_entries_and_contexts_are_refused);
  RUN(symbols_are_solved_before_there_is_data);
  RUN(scalars_and_profiles);
  RUN(two_contexts_run_at_once);
  RUN(a_busy_context_refuses);
}
