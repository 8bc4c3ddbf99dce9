/* The pool: claiming, waking and ending workers. See pool.h. */
#include "pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "context.h"

/* How long a waiting thread looks again and again before it sleeps: longer than the gap between two kernels. While a call
 * is running it waits up to the larger time, over kernels that one thread does alone: a sleeper takes 50 us to wake on a
 * virtual machine. Who waited in vain, because something else has the CPU, tries only the smaller time, and a little more
 * each time it does not. */
#define SPIN_NANOSECONDS 30000
#define LONGEST_SPIN_NANOSECONDS 1000000
#define PATIENCE_NANOSECONDS 4000
#define STACK_BYTE_COUNT ((size_t)8 << 20)
#define CACHE_LINE 128

/* A worker's state. A caller moves it from idle to claimed to working, the worker from working to done, the caller
 * back to idle. Powers of two, so that a wait can name several. */
enum { IDLE = 1, CLAIMED = 2, WORKING = 4, DONE = 8, ENDING = 16 };

struct tfc_worker {
  _Alignas(CACHE_LINE) _Atomic uint32_t state;
  _Atomic uint32_t sleepers;
  int32_t spins;
  tfc_pool *pool;
  int64_t patience; /* of the worker, in nanoseconds */
  /* Written by the caller that has claimed the worker. */
  int64_t caller_patience;
  tfc_worker *next;
  void (*body)(void *state, int32_t index);
  void *argument;
  int32_t index;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  pthread_t thread;
};

struct tfc_pool {
  pid_t process;
  _Atomic int32_t calls;      /* that are running */
  int32_t users;              /* under pool_lock */
  _Atomic int32_t limit;      /* most workers */
  _Atomic int32_t count;      /* workers there are */
  int32_t cpu_count;
  pthread_mutex_t growing;
  tfc_worker *workers[TFC_THREADS_MAX];
};

/* Guards `shared_pool` and every `users`. */
static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static tfc_pool *shared_pool;

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static int32_t spin_until(tfc_worker *worker, uint32_t states, int64_t *patience) {
  int64_t begin = 0;
  for (;;) {
    for (int32_t i = 0; i < 64; i++) {
      if (atomic_load_explicit(&worker->state, memory_order_acquire) & states) {
        if (*patience < LONGEST_SPIN_NANOSECONDS) *patience += PATIENCE_NANOSECONDS;
        return 1;
      }
      relax();
    }
    int64_t now = tfc_now();
    if (begin == 0) begin = now;
    if (now - begin < SPIN_NANOSECONDS) continue;
    if (atomic_load_explicit(&worker->pool->calls, memory_order_relaxed) == 0) return 0;
    if (now - begin < *patience) continue;
    *patience = SPIN_NANOSECONDS;
    return 0;
  }
}

/* Returns when the worker is in one of the states. */
static void wait_until(tfc_worker *worker, uint32_t states, int64_t *patience) {
  if (worker->spins && spin_until(worker, states, patience)) return;
  pthread_mutex_lock(&worker->mutex);
  atomic_fetch_add(&worker->sleepers, 1);
  while (!(atomic_load(&worker->state) & states)) pthread_cond_wait(&worker->changed, &worker->mutex);
  atomic_fetch_sub(&worker->sleepers, 1);
  pthread_mutex_unlock(&worker->mutex);
}

/* Either this sees the sleeper or the sleeper sees the new state: both sides write before they read. */
static void set_state(tfc_worker *worker, uint32_t state) {
  atomic_store(&worker->state, state);
  if (atomic_load(&worker->sleepers) == 0) return;
  pthread_mutex_lock(&worker->mutex);
  pthread_cond_broadcast(&worker->changed);
  pthread_mutex_unlock(&worker->mutex);
}

static void *work(void *argument) {
  tfc_worker *worker = argument;
  for (;;) {
    wait_until(worker, WORKING | ENDING, &worker->patience);
    if (atomic_load(&worker->state) == ENDING) return NULL;
    worker->body(worker->argument, worker->index);
    set_state(worker, DONE);
  }
}

/* Signals are for the host's threads, but for those that an instruction of the worker itself raises. */
static int start_thread(tfc_worker *worker) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return -1;
  pthread_attr_setstacksize(&attributes, STACK_BYTE_COUNT);
  sigset_t all, old;
  sigfillset(&all);
  const int own[] = {SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&all, own[i]);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  int failure = pthread_create(&worker->thread, &attributes, work, worker);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  pthread_attr_destroy(&attributes);
  return failure;
}

static void free_worker(tfc_worker *worker) {
  pthread_mutex_destroy(&worker->mutex);
  pthread_cond_destroy(&worker->changed);
  free(worker);
}

/* A new worker, claimed by the caller, or null when there are enough or the system refuses. */
static tfc_worker *grow(tfc_pool *pool) {
  tfc_worker *worker = NULL;
  if (atomic_load(&pool->count) >= atomic_load(&pool->limit)) return NULL;
  pthread_mutex_lock(&pool->growing);
  int32_t count = atomic_load(&pool->count);
  if (count < atomic_load(&pool->limit) && posix_memalign((void **)&worker, CACHE_LINE, sizeof *worker) == 0) {
    memset(worker, 0, sizeof *worker);
    worker->pool = pool;
    worker->patience = worker->caller_patience = LONGEST_SPIN_NANOSECONDS;
    atomic_init(&worker->state, CLAIMED);
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_cond_init(&worker->changed, NULL);
    worker->spins = count + 1 < pool->cpu_count;
    if (start_thread(worker) == 0) {
      pool->workers[count] = worker;
      atomic_store(&pool->count, count + 1);
    } else {
      free_worker(worker);
      worker = NULL;
    }
  }
  pthread_mutex_unlock(&pool->growing);
  return worker;
}

tfc_worker *tfc_pool_claim(tfc_pool *pool, int32_t wanted, int32_t *claimed) {
  tfc_worker *first = NULL;
  int32_t count = atomic_load(&pool->count);
  *claimed = 0;
  for (int32_t i = 0; i < count && *claimed < wanted; i++) {
    uint32_t idle = IDLE;
    tfc_worker *worker = pool->workers[i];
    if (!atomic_compare_exchange_strong(&worker->state, &idle, CLAIMED)) continue;
    worker->next = first;
    first = worker;
    worker->index = ++*claimed;
  }
  while (*claimed < wanted) {
    tfc_worker *worker = grow(pool);
    if (worker == NULL) break;
    worker->next = first;
    first = worker;
    worker->index = ++*claimed;
  }
  return first;
}

void tfc_pool_start(tfc_worker *workers, void (*body)(void *state, int32_t index), void *state) {
  for (tfc_worker *worker = workers; worker != NULL; worker = worker->next) {
    worker->body = body;
    worker->argument = state;
    set_state(worker, WORKING);
  }
}

void tfc_pool_finish(tfc_worker *workers) {
  while (workers != NULL) {
    tfc_worker *next = workers->next; /* idle workers may be claimed, and `next` written, at once */
    wait_until(workers, DONE, &workers->caller_patience);
    atomic_store(&workers->state, IDLE); /* nobody waits for this one */
    workers = next;
  }
}

void tfc_pool_enter(tfc_pool *pool) { atomic_fetch_add(&pool->calls, 1); }
void tfc_pool_leave(tfc_pool *pool) { atomic_fetch_sub(&pool->calls, 1); }

int32_t tfc_pool_is_alive(const tfc_pool *pool) { return pool->process == getpid(); }

static tfc_pool *create_pool(void) {
  tfc_pool *pool = calloc(1, sizeof *pool);
  if (pool == NULL) return NULL;
  pool->process = getpid();
  pool->cpu_count = tfc_cpu_count();
  atomic_init(&pool->limit, pool->cpu_count - 1 < TFC_THREADS_MAX ? pool->cpu_count - 1 : TFC_THREADS_MAX);
  pthread_mutex_init(&pool->growing, NULL);
  return pool;
}

tfc_pool *tfc_pool_retain(int32_t threads) {
  pthread_mutex_lock(&pool_lock);
  /* A pool from before a fork is left alone: its locks may be held by threads that are not here. */
  if (shared_pool != NULL && !tfc_pool_is_alive(shared_pool)) shared_pool = NULL;
  if (shared_pool == NULL) shared_pool = create_pool();
  tfc_pool *pool = shared_pool;
  if (pool != NULL) {
    pool->users++;
    if (threads - 1 > atomic_load(&pool->limit)) atomic_store(&pool->limit, threads - 1);
  }
  pthread_mutex_unlock(&pool_lock);
  return pool;
}

void tfc_pool_release(tfc_pool *pool) {
  if (pool == NULL || !tfc_pool_is_alive(pool)) return;
  pthread_mutex_lock(&pool_lock);
  int32_t is_last = --pool->users == 0;
  if (is_last) shared_pool = NULL;
  pthread_mutex_unlock(&pool_lock);
  if (!is_last) return;
  int32_t count = atomic_load(&pool->count);
  for (int32_t i = 0; i < count; i++) set_state(pool->workers[i], ENDING);
  for (int32_t i = 0; i < count; i++) {
    pthread_join(pool->workers[i]->thread, NULL);
    free_worker(pool->workers[i]);
  }
  pthread_mutex_destroy(&pool->growing);
  free(pool);
}
