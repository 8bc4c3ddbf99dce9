/* Splits the tasks of a kernel over threads. */
#include "context.h"
#include "float_environment.h"

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
    tfc_context *context, tfc_task task, void *const *buffers, const int64_t *extents, int64_t task_count,
    int64_t grain) {
  if (task_count <= 0) return;
  int64_t chunks = grain > 1 ? task_count / grain : task_count;
  if (chunks > context->threads) chunks = context->threads;
  job j = {task, buffers, extents, task_count, 1};
  if (chunks > 1 && context->parallel_for != NULL) {
    j.chunk_count = (int32_t)chunks;
    context->parallel_for(context->user, j.chunk_count, run_chunk, &j);
    return;
  }
  if (chunks > 1 && context->pool != NULL) {
    int32_t claimed;
    tfc_worker *workers = tfc_pool_claim(context->pool, (int32_t)chunks - 1, &claimed);
    j.chunk_count = claimed + 1;
    tfc_pool_start(workers, run_chunk, &j);
    run_chunk(&j, 0);
    tfc_pool_finish(workers);
    return;
  }
  task(buffers, extents, 0, task_count);
}
