// Measures what some threads of this processor can do at most:
//
//   probe THREADS BYTES...
//
// prints {"fma_gflops": F, "read_gb_per_s": [R, ...]}: fused multiply-adds in f32, two operations each, and the speed at
// which each thread reads its own BYTES over and over. Each figure is the best of several trials.

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
typedef float vector __attribute__((vector_size(VECTOR_BYTES)));

enum { CHAINS = 12, TRIALS = 15 };
static const double TRIAL_SECONDS = 0.02;

static pthread_barrier_t barrier;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

// The twelve chains are variables, and after each step the compiler must believe that somebody else changed it: so they
// stay in registers, and nothing is computed ahead.
#define EACH(DO) DO(a) DO(b) DO(c) DO(d) DO(e) DO(f) DO(g) DO(h) DO(i) DO(j) DO(k) DO(l)
#define KEEP(v) __asm__ volatile("" : "+x"(v));

static void multiply_add(long count) {
  vector factor = {0}, addend = {0};
  factor += 0.5f;
  addend += 0.5f;
#define DECLARE(v) vector v = factor;
  EACH(DECLARE)
  for (long n = 0; n < count; n++) {
#define STEP(v) v = v * factor + addend; KEEP(v)
    EACH(STEP)
  }
}

static void read_all(const vector *data, long vectors) {
#define CLEAR(v) vector v = {0};
  EACH(CLEAR)
  for (long n = 0; n + CHAINS <= vectors; n += CHAINS) {
    const vector *next = data + n;
#define ADD(v) v += *next++; KEEP(v)
    EACH(ADD)
  }
}

typedef struct {
  const vector *data;  // NULL: multiply and add
  long vectors, repeats;
} work;

static void perform(const work *w) {
  if (!w->data) multiply_add(w->repeats);
  else
    for (long n = 0; n < w->repeats; n++) read_all(w->data, w->vectors);
}

static void *helper(void *argument) {
  for (int trial = 0; trial < TRIALS; trial++) {
    pthread_barrier_wait(&barrier);
    perform(argument);
    pthread_barrier_wait(&barrier);
  }
  return NULL;
}

// Seconds of the fastest trial in which every thread does its work.
static double best_seconds(work *works, int threads) {
  pthread_t ids[threads];
  pthread_barrier_init(&barrier, NULL, threads);
  for (int i = 1; i < threads; i++) pthread_create(&ids[i], NULL, helper, &works[i]);
  double best = 1e9;
  for (int trial = 0; trial < TRIALS; trial++) {
    pthread_barrier_wait(&barrier);
    double start = now();
    perform(&works[0]);
    pthread_barrier_wait(&barrier);
    double seconds = now() - start;
    if (seconds < best) best = seconds;
  }
  for (int i = 1; i < threads; i++) pthread_join(ids[i], NULL);
  pthread_barrier_destroy(&barrier);
  return best;
}

// Repetitions of one thread's work that take about TRIAL_SECONDS.
static long calibrate(work w) {
  for (w.repeats = 1;; w.repeats *= 2) {
    double start = now();
    perform(&w);
    if (now() - start >= TRIAL_SECONDS) return w.repeats;
  }
}

// Units a second of all threads, where one repetition of one thread is `units`.
static double rate(const vector **data, long vectors, int threads, double units) {
  work works[threads];
  for (int i = 0; i < threads; i++) works[i] = (work){data ? data[i] : NULL, vectors, 1};
  long repeats = calibrate(works[0]);
  for (int i = 0; i < threads; i++) works[i].repeats = repeats;
  return units * repeats * threads / best_seconds(works, threads);
}

static double read_rate(long bytes, int threads) {
  const vector *data[threads];
  long vectors = bytes / (CHAINS * VECTOR_BYTES) * CHAINS;
  for (int i = 0; i < threads; i++) {
    void *memory = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    if (!memory) exit(1);
    memset(memory, 0, bytes);
    data[i] = memory;
  }
  double result = rate(data, vectors, threads, (double)vectors * VECTOR_BYTES);
  for (int i = 0; i < threads; i++) free((void *)data[i]);
  return result;
}

int main(int count, char **arguments) {
  int threads = count > 1 ? atoi(arguments[1]) : 0;
  if (threads < 1) return 2;
  double lanes = VECTOR_BYTES / sizeof(float);
  printf("{\"fma_gflops\": %.1f, \"read_gb_per_s\": [", rate(NULL, 0, threads, 2 * lanes * CHAINS) / 1e9);
  for (int i = 2; i < count; i++) printf("%s%.1f", i > 2 ? ", " : "", read_rate(atol(arguments[i]), threads) / 1e9);
  printf("]}\n");
  return 0;
}
