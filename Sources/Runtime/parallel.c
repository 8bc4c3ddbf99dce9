/* Splits the tasks of a kernel, and lists of steps, over threads. */
#include "context.h"
#include "float_environment.h"

/* Calls body(state, 0) here and body(state, 1), ... on other threads, `wanted` calls in all or fewer; *count says how many
 * before the first begins. */
static void run_on_threads(
    tfc_context *context, int32_t wanted, void (*body)(void *state, int32_t index), void *state, int32_t *count) {
  *count = wanted;
  if (context->parallel_for != NULL) {
    context->parallel_for(context->user, wanted, body, state);
    return;
  }
  tfc_worker *workers = tfc_pool_claim(context->pool, wanted - 1, count);
  ++*count;
  tfc_pool_start(workers, body, state);
  body(state, 0);
  tfc_pool_finish(workers);
}

static int32_t has_threads(const tfc_context *context) {
  return context->parallel_for != NULL || context->pool != NULL;
}

typedef struct job {
  tfc_task task;
  void *const *buffers;
  const int64_t *extents;
  int64_t task_count;
  int32_t chunk_count;
} job;

/* Chunks differ by at most one task. */
static void run_chunk(void *state, int32_t index) {
  const job *j = state;
  int64_t smallest = j->task_count / j->chunk_count;
  int64_t larger = j->task_count % j->chunk_count;
  int64_t begin = index * smallest + (index < larger ? index : larger);
  int64_t end = begin + smallest + (index < larger);
  uint64_t mode = tfc_enter_default_float_mode();
  j->task(j->buffers, j->extents, begin, end);
  tfc_leave_default_float_mode(mode);
}

void tfc_parallel(
    const tfc_team *team, tfc_task task, void *const *buffers, const int64_t *extents, int64_t task_count,
    int64_t grain) {
  if (task_count <= 0) return;
  int64_t chunks = grain > 1 ? task_count / grain : task_count;
  if (chunks > team->threads) chunks = team->threads;
  if (chunks <= 1 || !has_threads(team->context)) {
    task(buffers, extents, 0, task_count);
    return;
  }
  job j = {task, buffers, extents, task_count, 1};
  run_on_threads(team->context, (int32_t)chunks, run_chunk, &j, &j.chunk_count);
}

typedef struct list_job {
  const tfc_team *team;
  const tfc_list *lists;
  int32_t count;
  const void *const *inputs;
  void *const *outputs;
  uint8_t *arena;
  const uint8_t *constants;
  const int64_t *symbols;
  int32_t share_count; /* that the team is cut into */
  _Atomic int32_t next;
} list_job;

/* Takes one list after the other. */
static void run_share(void *state, int32_t index) {
  list_job *j = state;
  int32_t threads = j->team->threads;
  tfc_team share = {j->team->context, threads / j->share_count + (index < threads % j->share_count)};
  /* The host's function need not be one that it calls itself. */
  if (j->team->context->parallel_for != NULL && j->share_count > 1) share.threads = 1;
  uint64_t mode = tfc_enter_default_float_mode();
  for (;;) {
    int32_t list = atomic_fetch_add(&j->next, 1);
    if (list >= j->count) break;
    j->lists[list](&share, j->inputs, j->outputs, j->arena, j->constants, j->symbols);
  }
  tfc_leave_default_float_mode(mode);
}

void tfc_concurrent(
    const tfc_team *team, const tfc_list *lists, int32_t count, const void *const *inputs, void *const *outputs,
    uint8_t *arena, const uint8_t *constants, const int64_t *symbols) {
  list_job j = {team, lists, count, inputs, outputs, arena, constants, symbols, 1, 0};
  int32_t wanted = count < team->threads ? count : team->threads;
  if (wanted > 1 && has_threads(team->context)) {
    run_on_threads(team->context, wanted, run_share, &j, &j.share_count);
  } else {
    run_share(&j, 0);
  }
}
