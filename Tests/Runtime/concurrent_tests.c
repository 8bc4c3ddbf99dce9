/* Lists of steps side by side. */
#include <stdatomic.h>
#include <unistd.h>

#include "context.h"
#include "test.h"

static const tfc_artifact_table table = {.name = "m", .functions = &tfc_runtime_functions};

static tfc_context *context_with(int32_t threads) { return tfc_create(&table, &(tfc_options){.threads = threads}); }

/* What lists note, which get it as their arena. */
typedef struct record {
  atomic_int runs[12];
  atomic_int arrived;
  atomic_int most_threads; /* of a list's team */
  atomic_int team_threads; /* of the teams at work now */
  atomic_int most_team_threads;
  atomic_int wrong;
} record;

static void raise_to(atomic_int *most, int value) {
  int known = atomic_load(most);
  while (known < value && !atomic_compare_exchange_weak(most, &known, value)) {
  }
}

#define PARAMETERS                                                                                              \
  const tfc_team *team, const void *const *inputs, void *const *outputs, uint8_t *arena, const uint8_t *constants, \
      const int64_t *symbols

static const void *const some_inputs[1] = {&table};
static void *const some_outputs[1] = {NULL};
static const uint8_t some_constants[1];
static const int64_t some_symbols[] = {5};

static void note(int number, PARAMETERS) {
  record *r = (record *)arena;
  if (inputs != some_inputs || outputs != some_outputs || constants != some_constants || symbols != some_symbols) {
    atomic_store(&r->wrong, 1);
  }
  atomic_fetch_add(&r->runs[number], 1);
  raise_to(&r->most_threads, team->threads);
  raise_to(&r->most_team_threads, atomic_fetch_add(&r->team_threads, team->threads) + team->threads);
  usleep(50);
  atomic_fetch_sub(&r->team_threads, team->threads);
}

#define LIST(number) \
  static void list_##number(PARAMETERS) { note(number, team, inputs, outputs, arena, constants, symbols); }
LIST(0)
LIST(1)
LIST(2)
LIST(3)
LIST(4)
LIST(5)
LIST(6)
LIST(7)
LIST(8)
static const tfc_list lists[] = {list_0, list_1, list_2, list_3, list_4, list_5, list_6, list_7, list_8};

static void run(tfc_context *context, const tfc_list *some, int32_t count, record *r) {
  tfc_concurrent(
      &context->team, some, count, some_inputs, some_outputs, (uint8_t *)r, some_constants, some_symbols);
}

static void every_list_runs_once(void) {
  for (int32_t threads = 1; threads <= 7; threads++) {
    tfc_context *context = context_with(threads);
    for (int32_t count = 1; count <= 9; count++) {
      record r = {0};
      run(context, lists, count, &r);
      for (int i = 0; i < 12; i++) expect(atomic_load(&r.runs[i]) == (i < count));
      expect(atomic_load(&r.wrong) == 0);
    }
    tfc_destroy(context);
  }
}

static void the_team_is_shared(void) {
  for (int32_t threads = 2; threads <= 7; threads++) {
    tfc_context *context = context_with(threads);
    for (int32_t count = 1; count <= 4; count++) {
      record r = {0};
      run(context, lists, count, &r);
      int32_t shares = count < threads ? count : threads;
      expect(atomic_load(&r.most_team_threads) <= threads);
      expect(atomic_load(&r.most_threads) >= threads / shares);
    }
    tfc_destroy(context);
  }
}

/* Ends only where another list runs at the same time. */
static void wait_for_another(PARAMETERS) {
  record *r = (record *)arena;
  (void)team, (void)inputs, (void)outputs, (void)constants, (void)symbols;
  atomic_fetch_add(&r->arrived, 1);
  while (atomic_load(&r->arrived) % 2 != 0) usleep(10);
}

static void lists_run_side_by_side(void) {
  tfc_context *context = context_with(2);
  for (int n = 0; n < 30; n++) {
    record r = {0};
    run(context, (const tfc_list[]){wait_for_another, wait_for_another}, 2, &r);
    expect(atomic_load(&r.arrived) == 2);
    usleep(n % 2 == 0 ? 500 : 0);
  }
  tfc_destroy(context);
}

/* A kernel within a list: the tasks of all its chunks. */
static void count_tasks(void *const *buffers, const int64_t *extents, int64_t begin, int64_t end) {
  record *r = buffers[0];
  (void)extents;
  atomic_fetch_add(&r->arrived, (int)(end - begin));
}

static void launch(PARAMETERS) {
  (void)inputs, (void)outputs, (void)constants;
  for (int n = 0; n < 20; n++) tfc_parallel(team, count_tasks, (void *const[]){arena}, symbols, 9, 1);
}

/* A list may hold such a step of its own. */
static void nest(PARAMETERS) {
  tfc_concurrent(
      team, (const tfc_list[]){launch, launch, launch}, 3, inputs, outputs, arena, constants, symbols);
}

static void lists_launch_kernels_and_lists(void) {
  for (int32_t threads = 1; threads <= 7; threads++) {
    tfc_context *context = context_with(threads);
    record r = {0};
    run(context, (const tfc_list[]){nest, launch}, 2, &r);
    expect(atomic_load(&r.arrived) == 4 * 20 * 9);
    tfc_destroy(context);
  }
}

typedef struct host {
  int calls;
  int depth;
  int32_t last_count;
} host;

static void parallel_for(void *user, int32_t count, void (*body)(void *state, int32_t index), void *state) {
  host *h = user;
  expect(h->depth == 0);
  h->depth++;
  h->calls++;
  h->last_count = count;
  for (int32_t i = count - 1; i >= 0; i--) body(state, i);
  h->depth--;
}

/* Its function is not called within itself. */
static void the_host_runs_lists(void) {
  host h = {0, 0, 0};
  int before = thread_count();
  tfc_context *context = tfc_create(&table, &(tfc_options){.threads = 4, .parallel_for = parallel_for, .user = &h});
  record r = {0};
  run(context, (const tfc_list[]){nest, launch}, 2, &r);
  expect(atomic_load(&r.arrived) == 4 * 20 * 9);
  expect(h.calls == 1 && h.last_count == 2);
  run(context, (const tfc_list[]){launch}, 1, &r);
  expect(atomic_load(&r.arrived) == 5 * 20 * 9);
  expect(h.calls == 21 && h.last_count == 4);
  expect(thread_count() == before);
  tfc_destroy(context);
}

void test_concurrent(void) {
  RUN(every_list_runs_once);
  RUN(the_team_is_shared);
  RUN(lists_run_side_by_side);
  RUN(lists_launch_kernels_and_lists);
  RUN(the_host_runs_lists);
}
