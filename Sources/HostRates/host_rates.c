/* Rates of one core: short loops whose speed is known to be limited by one thing. */
#include "tfc_host_rates.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Independent multiply-adds in 12 registers, and one pass over memory, for each width of vectors. */
#define WIDTH(bits, features, vector, set, multiply_add, load, combine)                                \
  __attribute__((target(features), noinline)) static void multiply_add_##bits(int64_t count) {         \
    vector sums[12], factor = set(1.0f);                                                               \
    for (int i = 0; i < 12; i++) sums[i] = set(0.5f);                                                  \
    for (int64_t n = 0; n < count; n++) {                                                              \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < 12; i++) {                                \
        sums[i] = multiply_add(sums[i], factor, factor);                                               \
        __asm__ volatile("" : "+v"(sums[i]));                                                          \
      }                                                                                                \
    }                                                                                                  \
  }                                                                                                    \
  __attribute__((target(features), noinline)) static void read_##bits(const char *data, int64_t size) { \
    vector sums[8];                                                                                    \
    for (int i = 0; i < 8; i++) sums[i] = set(0.0f);                                                   \
    for (int64_t at = 0; at < size; at += 8 * (bits / 8)) {                                            \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < 8; i++) {                                 \
        sums[i] = combine(sums[i], load((const float *)(data + at + i * (bits / 8))));                 \
      }                                                                                                \
    }                                                                                                  \
    for (int i = 0; i < 8; i++) __asm__ volatile("" : : "v"(sums[i]));                                 \
  }

#define multiply_then_add(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)
WIDTH(512, "avx512f,avx512dq", __m512, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_max_ps)
WIDTH(256, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_max_ps)
WIDTH(128, "sse2", __m128, _mm_set1_ps, multiply_then_add, _mm_loadu_ps, _mm_max_ps)

static void multiply_add(int32_t vector_byte_count, int64_t count) {
  if (vector_byte_count == 64) return multiply_add_512(count);
  if (vector_byte_count == 32) return multiply_add_256(count);
  multiply_add_128(count);
}

static void read_all(int32_t vector_byte_count, const char *data, int64_t size) {
  if (vector_byte_count == 64) return read_512(data, size);
  if (vector_byte_count == 32) return read_256(data, size);
  read_128(data, size);
}

/* Three cycles each: every product needs the one before. */
static void multiply_in_a_chain(int64_t count) {
  int64_t product = 3;
  for (int64_t n = 0; n < count; n++) {
    __asm__ volatile("imul %0, %0\n\timul %0, %0\n\timul %0, %0\n\timul %0, %0" : "+r"(product));
  }
}

#if defined(__linux__)
static int permits_tiles(void) {
  const long request_permission = 0x1023, tile_data = 18;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}
#else
static int permits_tiles(void) { return 0; }
#endif

/* Four products of 16 x 32 by 32 x 16 a turn. */
__attribute__((target("amx-tile,amx-bf16"), noinline)) static void multiply_tiles(int64_t count) {
  struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_byte_counts[16];
    uint8_t rows[16];
  } shapes;
  memset(&shapes, 0, sizeof shapes);
  shapes.palette = 1;
  for (int i = 0; i < 8; i++) shapes.row_byte_counts[i] = 64, shapes.rows[i] = 16;
  _tile_loadconfig(&shapes);
  _tile_zero(0), _tile_zero(1), _tile_zero(2), _tile_zero(3);
  _tile_zero(4), _tile_zero(5), _tile_zero(6), _tile_zero(7);
  for (int64_t n = 0; n < count; n++) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
}

static const int rounds = 4;

/* The shortest of some rounds counts: what else the machine does makes rounds longer only. */
#define SHORTEST(nanoseconds, before, work)                     \
  for (int round = 0; round < rounds; round++) {                \
    before;                                                     \
    int64_t start = now();                                      \
    work;                                                       \
    double time = (double)(now() - start);                      \
    if (round == 0 || time < (nanoseconds)) nanoseconds = time; \
  }

static double bandwidth(int32_t vector_byte_count, const char *data, int64_t size, int64_t total) {
  double shortest = 0;
  int64_t passes = total / size > 0 ? total / size : 1;
  read_all(vector_byte_count, data, size);
  SHORTEST(shortest, , for (int64_t pass = 0; pass < passes; pass++) read_all(vector_byte_count, data, size));
  return (double)(passes * size) / shortest;
}

static void flush(const char *data, int64_t size) {
  for (int64_t at = 0; at < size; at += 64) _mm_clflush(data + at);
  _mm_mfence();
}

int32_t tfc_measure_host(
    int32_t vector_byte_count, const int64_t *cache_byte_counts, int32_t has_tiles, tfc_host_rates *rates) {
  const int64_t unit = 4096, size = (int64_t)8 << 20, megabyte = (int64_t)1 << 20;
  char *data = NULL;
  if (posix_memalign((void **)&data, (size_t)unit, (size_t)size) != 0) return -1;
  memset(data, 0, (size_t)size);
  memset(rates, 0, sizeof *rates);

  const int64_t turns = 100000;
  double shortest = 0;
  multiply_add(vector_byte_count, turns);
  SHORTEST(shortest, , multiply_add(vector_byte_count, turns));
  rates->gigaflops = (double)(turns * 12 * 2 * (vector_byte_count / 4)) / shortest;
  SHORTEST(shortest, , multiply_in_a_chain(turns));
  rates->gigahertz = (double)(turns * 4 * 3) / shortest;
  if (has_tiles && permits_tiles()) {
    SHORTEST(shortest, , multiply_tiles(turns / 8));
    rates->tile_gigaflops = (double)(turns / 8 * 4 * 16 * 16 * 32 * 2) / shortest;
  }

  /* Half of a cache is surely kept; a third level begins well behind the second. */
  int64_t sizes[3];
  for (int level = 0; level < 2; level++) sizes[level] = cache_byte_counts[level] / 2 / unit * unit;
  sizes[2] = 4 * cache_byte_counts[1] / unit * unit;
  const int64_t totals[3] = {256 * megabyte, 64 * megabyte, 32 * megabyte};
  for (int level = 0; level < 3; level++) {
    int64_t limit = sizes[level] < unit ? unit : sizes[level] > size ? size : sizes[level];
    rates->bandwidths[level] = bandwidth(vector_byte_count, data, limit, totals[level]);
  }
  /* Flushing is slow, so memory is measured with less. */
  const int64_t flushed = size / 2;
  SHORTEST(shortest, flush(data, flushed), read_all(vector_byte_count, data, flushed));
  rates->bandwidths[3] = (double)flushed / shortest;
  free(data);
  return 0;
}
#else
int32_t tfc_measure_host(
    int32_t vector_byte_count, const int64_t *cache_byte_counts, int32_t has_tiles, tfc_host_rates *rates) {
  (void)vector_byte_count, (void)cache_byte_counts, (void)has_tiles, (void)rates;
  return -1;
}
#endif
