#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "context.h"
#include "test.h"

static const tfc_artifact_table table = {.name = "m", .functions = &tfc_runtime_functions};

static tfc_context *context_with(int32_t threads) { return tfc_create(&table, &(tfc_options){.threads = threads}); }

/* What a kernel is told: how often each task ran, and how small chunks were. */
typedef struct record {
  atomic_int runs[1000];
  _Atomic int64_t smallest;
  atomic_int chunks;
} record;

static void note(void *const *buffers, const int64_t *extents, int64_t begin, int64_t end) {
  record *r = buffers[0];
  (void)extents;
  for (int64_t i = begin; i < end; i++) atomic_fetch_add(&r->runs[i], 1);
  int64_t smallest = atomic_load(&r->smallest);
  while (end - begin < smallest && !atomic_compare_exchange_weak(&r->smallest, &smallest, end - begin)) {
  }
  atomic_fetch_add(&r->chunks, 1);
}

static void run_tasks(tfc_context *context, int64_t count, int64_t grain, int most_chunks) {
  record *r = calloc(1, sizeof *r);
  atomic_store(&r->smallest, INT64_MAX);
  tfc_parallel(&context->team, note, (void *const[]){r}, NULL, count, grain);
  int right = 0;
  for (int i = 0; i < 1000; i++) right += atomic_load(&r->runs[i]) == (i < count);
  expect(right == 1000);
  expect(atomic_load(&r->chunks) <= most_chunks);
  if (count >= grain) expect(atomic_load(&r->smallest) >= grain);
  if (count <= 0) expect(atomic_load(&r->chunks) == 0);
  free(r);
}

static void every_task_runs_once(void) {
  const int32_t threads[] = {1, 2, 3, 7};
  const int64_t counts[] = {0, 1, 2, 3, 5, 6, 7, 8, 64, 999, 1000};
  const int64_t grains[] = {0, 1, 2, 5, 300};
  for (size_t t = 0; t < 4; t++) {
    tfc_context *context = context_with(threads[t]);
    for (size_t c = 0; c < 11; c++) {
      for (size_t g = 0; g < 5; g++) run_tasks(context, counts[c], grains[g], threads[t]);
    }
    tfc_destroy(context);
  }
}

static void negative_counts_do_nothing(void) {
  tfc_context *context = context_with(3);
  run_tasks(context, -5, 1, 0);
  tfc_destroy(context);
}

/* A float recurrence: its result shows every difference in what a task computes. */
static void recur(void *const *buffers, const int64_t *extents, int64_t begin, int64_t end) {
  float *results = buffers[0];
  for (int64_t i = begin; i < end; i++) {
    float x = 1.0f / (float)(i + 3);
    for (int64_t n = 0; n < extents[0]; n++) x = x * 1.0001f + 1e-39f;
    results[i] = x;
  }
}

static void results_do_not_depend_on_threads(void) {
  static float expected[997], actual[997];
  const int32_t threads[] = {2, 3, 7, 0};
  const int64_t extents[] = {50};
  tfc_context *one = context_with(1);
  tfc_parallel(&one->team, recur, (void *const[]){expected}, extents, 997, 1);
  tfc_destroy(one);
  for (size_t t = 0; t < 4; t++) {
    tfc_context *context = context_with(threads[t]);
    for (int n = 0; n < 20; n++) {
      memset(actual, 0, sizeof actual);
      tfc_parallel(&context->team, recur, (void *const[]){actual}, extents, 997, 1);
      expect(memcmp(expected, actual, sizeof actual) == 0);
    }
    tfc_destroy(context);
  }
}

typedef struct host {
  int calls;
  int32_t last_count;
} host;

static void parallel_for(void *user, int32_t count, void (*body)(void *state, int32_t index), void *state) {
  host *h = user;
  h->calls++;
  h->last_count = count;
  for (int32_t i = count - 1; i >= 0; i--) body(state, i);
}

static void the_host_may_replace_the_pool(void) {
  host h = {0, 0};
  int before = thread_count();
  tfc_context *context = tfc_create(&table, &(tfc_options){.threads = 3, .parallel_for = parallel_for, .user = &h});
  run_tasks(context, 10, 1, 3);
  expect(h.calls == 1 && h.last_count == 3);
  run_tasks(context, 10, 5, 2);
  expect(h.calls == 2 && h.last_count == 2);
  run_tasks(context, 10, 6, 1);
  expect(h.calls == 2);
  expect(thread_count() == before);
  tfc_destroy(context);
}

/* A kernel whose chunks all wait for each other: it ends only if as many threads are at work. */
static void meet(void *const *buffers, const int64_t *extents, int64_t begin, int64_t end) {
  atomic_int *arrived = buffers[0];
  (void)begin;
  (void)end;
  atomic_fetch_add(arrived, 1);
  while (atomic_load(arrived) < extents[0]) usleep(10);
}

static void threads_are_started_when_needed_and_end_with_the_last_context(void) {
  int before = thread_count();
  tfc_context *a = context_with(4);
  tfc_context *b = context_with(2);
  expect(thread_count() == before);
  atomic_int arrived = 0;
  tfc_parallel(&a->team, meet, (void *const[]){&arrived}, (const int64_t[]){4}, 4, 1);
  expect(thread_count() == before + 3);
  atomic_store(&arrived, 0);
  tfc_parallel(&b->team, meet, (void *const[]){&arrived}, (const int64_t[]){2}, 2, 1);
  expect(thread_count() == before + 3);
  tfc_destroy(a);
  expect(thread_count() == before + 3);
  tfc_destroy(b);
  for (int n = 0; n < 1000 && thread_count() != before; n++) usleep(1000); /* joined threads leave /proc later */
  expect(thread_count() == before);
}

static void workers_wake_from_sleep(void) {
  tfc_context *context = context_with(3);
  for (int n = 0; n < 30; n++) {
    atomic_int arrived = 0;
    tfc_parallel(&context->team, meet, (void *const[]){&arrived}, (const int64_t[]){3}, 3, 1);
    usleep(n % 2 == 0 ? 500 : 20);
  }
  tfc_destroy(context);
}

typedef struct nest {
  tfc_context *context;
  atomic_int tasks;
} nest;

static void inner(void *const *buffers, const int64_t *extents, int64_t begin, int64_t end) {
  nest *n = buffers[0];
  (void)extents;
  atomic_fetch_add(&n->tasks, (int)(end - begin));
}

static void outer(void *const *buffers, const int64_t *extents, int64_t begin, int64_t end) {
  nest *n = buffers[0];
  for (int64_t i = begin; i < end; i++) tfc_parallel(&n->context->team, inner, buffers, extents, 9, 1);
}

static void launches_may_nest(void) {
  nest n = {context_with(3), 0};
  for (int i = 0; i < 50; i++) tfc_parallel(&n.context->team, outer, (void *const[]){&n}, NULL, 7, 1);
  expect(atomic_load(&n.tasks) == 50 * 7 * 9);
  tfc_destroy(n.context);
}

static void *run_many(void *argument) {
  static const int64_t extents[] = {10};
  float results[101], first[101];
  int32_t threads = *(int32_t *)argument;
  for (int round = 0; round < 20; round++) {
    tfc_context *context = context_with(threads);
    tfc_parallel(&context->team, recur, (void *const[]){first}, extents, 101, 1);
    for (int n = 0; n < 50; n++) {
      tfc_parallel(&context->team, recur, (void *const[]){results}, extents, 101, 1);
      if (memcmp(first, results, sizeof results) != 0) argument = NULL;
    }
    tfc_destroy(context);
  }
  return argument;
}

static void host_threads_share_the_pool(void) {
  pthread_t hosts[4];
  int32_t threads[] = {2, 3, 7, 2};
  for (int h = 0; h < 4; h++) pthread_create(&hosts[h], NULL, run_many, &threads[h]);
  for (int h = 0; h < 4; h++) {
    void *result = NULL;
    pthread_join(hosts[h], &result);
    expect(result == &threads[h]);
  }
}

/* ThreadSanitizer does not follow threads that a child of fork starts. */
#if defined(__has_feature)
#define FORKS_WITH_THREADS (!__has_feature(thread_sanitizer))
#elif defined(__SANITIZE_THREAD__)
#define FORKS_WITH_THREADS 0
#else
#define FORKS_WITH_THREADS 1
#endif

#if FORKS_WITH_THREADS
static int32_t three_meet(
    const tfc_team *team, const void *const *inputs, void *const *outputs, uint8_t *arena, const uint8_t *constants,
    int64_t *symbols) {
  (void)inputs;
  (void)outputs;
  (void)arena;
  (void)constants;
  (void)symbols;
  atomic_int arrived = 0;
  tfc_parallel(team, meet, (void *const[]){&arrived}, (const int64_t[]){3}, 3, 1);
  return TFC_OK;
}

static void a_forked_child_gets_its_own_threads(void) {
  const tfc_entry entry = {.name = "main", .program = three_meet};
  const tfc_artifact_table with_entry = {.name = "m", .entry_count = 1, .entries = &entry};
  tfc_context *context = tfc_create(&with_entry, &(tfc_options){.threads = 3});
  expect(tfc_run(context, 0, NULL, NULL, NULL) == TFC_OK);
  pid_t child = fork();
  if (child == 0) {
    alarm(20);
    int32_t status = tfc_run(context, 0, NULL, NULL, NULL);
    tfc_destroy(context);
    _exit(status == TFC_OK ? 0 : 1);
  }
  int status = -1;
  expect(waitpid(child, &status, 0) == child);
  expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  expect(tfc_run(context, 0, NULL, NULL, NULL) == TFC_OK);
  tfc_destroy(context);
}

#endif

#if defined(__x86_64__)
static uint32_t float_mode(void) {
  uint32_t mode;
  __asm__ volatile("stmxcsr %0" : "=m"(mode));
  return mode & 0xFFC0; /* without the sticky flags */
}

static int32_t note_mode(
    const tfc_team *team, const void *const *inputs, void *const *outputs, uint8_t *arena, const uint8_t *constants,
    int64_t *symbols) {
  (void)inputs;
  (void)outputs;
  (void)arena;
  (void)constants;
  (void)symbols;
  (void)team;
  return float_mode() == 0x1F80 ? TFC_OK : TFC_CHECK_FAILED;
}

static void the_hosts_float_mode_does_not_matter(void) {
  const tfc_entry entry = {.name = "main", .program = note_mode};
  const tfc_artifact_table with_entry = {.name = "m", .entry_count = 1, .entries = &entry};
  tfc_context *context = tfc_create(&with_entry, &(tfc_options){.threads = 1});
  const uint32_t flush_to_zero = 0x9FC0, normal = 0x1F80;
  __asm__ volatile("ldmxcsr %0" : : "m"(flush_to_zero));
  int32_t status = tfc_run(context, 0, NULL, NULL, NULL);
  uint32_t after = float_mode();
  __asm__ volatile("ldmxcsr %0" : : "m"(normal));
  expect(status == TFC_OK);
  expect(after == flush_to_zero);
  tfc_destroy(context);
}
#endif

void test_parallel(void) {
  RUN(every_task_runs_once);
  RUN(negative_counts_do_nothing);
  RUN(results_do_not_depend_on_threads);
  RUN(the_host_may_replace_the_pool);
  RUN(threads_are_started_when_needed_and_end_with_the_last_context);
  RUN(workers_wake_from_sleep);
  RUN(launches_may_nest);
  RUN(host_threads_share_the_pool);
#if FORKS_WITH_THREADS
  RUN(a_forked_child_gets_its_own_threads);
#endif
#if defined(__x86_64__)
  RUN(the_hosts_float_mode_does_not_matter);
#endif
}
