/*
 * Tile instructions against loops in C: on a CPU with tiles the CPU's, else the emulator's. Both must pass alike.
 * The last line is `N passed, N failed`.
 */
#include <immintrin.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tile_emulator.h"

static int passed, failed, failures_of_test;

#define expect(condition) expect_at((condition) != 0, __LINE__, #condition)

static void expect_at(int holds, int line, const char *text) {
  if (holds) return;
  failures_of_test++;
  fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, line, text);
}

static void run_test(const char *name, void (*function)(void)) {
  failures_of_test = 0;
  function();
  if (failures_of_test == 0) {
    passed++;
  } else {
    failed++;
    fprintf(stderr, "failed: %s\n", name);
  }
}

#define RUN(function) run_test(#function, function)

/* What LDTILECFG reads. */
typedef struct {
  uint8_t palette, start_row, reserved_before[14];
  uint16_t column_byte_counts[8];
  uint8_t reserved_between[16], row_counts[8], reserved_after[8];
} configuration;

/* Tile 0: `m` rows of `n` sums; tile 1: `m` rows of `k` groups; tile 2: `k` rows of `n` groups. */
static configuration for_product(int m, int k, int n) {
  configuration c = {.palette = 1};
  c.row_counts[0] = (uint8_t)m, c.column_byte_counts[0] = (uint16_t)(4 * n);
  c.row_counts[1] = (uint8_t)m, c.column_byte_counts[1] = (uint16_t)(4 * k);
  c.row_counts[2] = (uint8_t)k, c.column_byte_counts[2] = (uint16_t)(4 * n);
  return c;
}

static configuration all_alike(int row_count, int column_byte_count) {
  configuration c = {.palette = 1};
  for (int t = 0; t < 8; t++) {
    c.row_counts[t] = (uint8_t)row_count;
    c.column_byte_counts[t] = (uint16_t)column_byte_count;
  }
  return c;
}

static uint64_t random_state = 1;

static uint32_t random_bits(void) {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(random_state >> 32);
}

static void fill(void *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) ((uint8_t *)bytes)[i] = (uint8_t)random_bits();
}

/* The signal that ends a process that runs the function, or 0. */
static int signal_of(void (*function)(void)) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    function();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* Configurations. */

static void a_configuration_is_stored_as_it_was_loaded(void) {
  static const configuration nothing;
  configuration c = for_product(5, 3, 7), stored;
  _tile_loadconfig(&c);
  fill(&stored, sizeof stored);
  _tile_storeconfig(&stored);
  expect(memcmp(&c, &stored, sizeof c) == 0);
  _tile_release();
  fill(&stored, sizeof stored);
  _tile_storeconfig(&stored);
  expect(memcmp(&nothing, &stored, sizeof nothing) == 0);
}

static void palette_zero_releases(void) {
  configuration c = for_product(5, 3, 7), stored;
  static const configuration nothing;
  _tile_loadconfig(&c);
  memset(&c, 0, sizeof c);
  c.row_counts[0] = 200;
  _tile_loadconfig(&c);
  _tile_storeconfig(&stored);
  expect(memcmp(&nothing, &stored, sizeof nothing) == 0);
}

static configuration bad;
static void load_bad(void) { _tile_loadconfig(&bad); }

static void bad_configurations_are_refused(void) {
  bad = for_product(5, 3, 7);
  expect(signal_of(load_bad) == 0);
  bad.palette = 2;
  expect(signal_of(load_bad) == SIGSEGV);
  bad = for_product(17, 3, 7);
  expect(signal_of(load_bad) == SIGSEGV);
  bad = for_product(5, 3, 17);
  expect(signal_of(load_bad) == SIGSEGV);
  bad = for_product(5, 3, 7), bad.row_counts[4] = 1;
  expect(signal_of(load_bad) == SIGSEGV);
  bad = for_product(5, 3, 7), bad.column_byte_counts[7] = 4;
  expect(signal_of(load_bad) == SIGSEGV);
  bad = for_product(5, 3, 7), bad.reserved_before[0] = 1;
  expect(signal_of(load_bad) == SIGSEGV);
  bad = for_product(5, 3, 7), bad.reserved_between[15] = 1;
  expect(signal_of(load_bad) == SIGSEGV);
  bad = for_product(5, 3, 7), bad.reserved_after[7] = 1;
  expect(signal_of(load_bad) == SIGSEGV);
}

/* Addresses. A memory of its own for each test, so that a wrong address shows. */

enum { FIELD = 1 << 15, MIDDLE = FIELD / 2 };
static uint8_t source[FIELD], target[FIELD], expected[FIELD];

static void prepare(const configuration *c) {
  fill(source, FIELD);
  fill(target, FIELD);
  memcpy(expected, target, FIELD);
  _tile_loadconfig(c);
}

/* What a load from `from` and a store to `to` by these strides does to the target. */
static void expect_moved(int rows, int bytes, long from, long from_stride, long to, long to_stride) {
  for (int r = 0; r < rows; r++) memcpy(expected + to + r * to_stride, source + from + r * from_stride, (size_t)bytes);
  expect(memcmp(target, expected, FIELD) == 0);
}

/* Runs `text`, whose base register is set to `base` and whose index register to `index`. */
#define MOVE(text, base_register, base, index_register, index)                                      \
  __asm__ volatile("mov %0, %%" base_register "\n\tmov %1, %%" index_register "\n\t" text           \
                   :                                                                                \
                   : "rm"((uint64_t)(intptr_t)(base)), "rm"((uint64_t)(long)(index))                \
                   : base_register, index_register, "memory")

static void rows_are_moved(void) {
  const int extents[][2] = {{16, 64}, {1, 4}, {1, 64}, {16, 4}, {7, 20}, {15, 60}};
  for (size_t e = 0; e < sizeof extents / sizeof *extents; e++) {
    int rows = extents[e][0], bytes = extents[e][1];
    configuration c = all_alike(rows, bytes);
    prepare(&c);
    MOVE("tileloadd (%%rsi,%%rdi), %%tmm5", "rsi", source + 3, "rdi", 100);
    MOVE("tilestored %%tmm5, (%%rsi,%%rdi)", "rsi", target + MIDDLE + 1, "rdi", 64);
    expect_moved(rows, bytes, 3, 100, MIDDLE + 1, 64);
  }
}

static void strides_are_scaled_and_signed(void) {
  configuration c = all_alike(9, 48);
  prepare(&c);
  MOVE("tileloaddt1 (%%rax,%%rcx,2), %%tmm0", "rax", source + MIDDLE, "rcx", -60);
  MOVE("tilestored %%tmm0, (%%rdx,%%rax,8)", "rdx", target + MIDDLE, "rax", -8);
  expect_moved(9, 48, MIDDLE, -120, MIDDLE, -64);
  prepare(&c);
  MOVE("tileloadd (%%rax,%%rcx,4), %%tmm1", "rax", source + MIDDLE, "rcx", 33);
  MOVE("tilestored %%tmm1, (%%rdx,%%rax)", "rdx", target + MIDDLE, "rax", 48);
  expect_moved(9, 48, MIDDLE, 132, MIDDLE, 48);
}

static void without_an_index_the_stride_is_zero(void) {
  configuration c = all_alike(4, 8);
  prepare(&c);
  MOVE("tileloadd (%%rax), %%tmm2", "rax", source + 40, "rcx", 1000);
  MOVE("tilestored %%tmm2, (%%rax,%%rcx)", "rax", target + 16, "rcx", 8);
  expect_moved(4, 8, 40, 0, 16, 8);
}

static void extended_registers_and_displacements(void) {
  configuration c = all_alike(6, 36);
  prepare(&c);
  MOVE("tileloadd 64(%%r8,%%r9), %%tmm3", "r8", source, "r9", 80);
  MOVE("tilestored %%tmm3, -128(%%r10,%%r11,4)", "r10", target + MIDDLE, "r11", 20);
  expect_moved(6, 36, 64, 80, MIDDLE - 128, 80);
  prepare(&c);
  MOVE("tileloadd 4096(%%r12,%%r13,2), %%tmm4", "r12", source, "r13", 80);
  MOVE("tilestored %%tmm4, -4096(%%r13,%%r12)", "r13", target + MIDDLE, "r12", 40);
  expect_moved(6, 36, 4096, 160, MIDDLE - 4096, 40);
  prepare(&c);
  MOVE("tileloadd 127(%%r14,%%r15), %%tmm6", "r14", source, "r15", 36);
  MOVE("tilestored %%tmm6, (%%r15,%%r14)", "r15", target + MIDDLE, "r14", 36);
  expect_moved(6, 36, 127, 36, MIDDLE, 36);
  prepare(&c);
  MOVE("tileloadd (%%r13,%%rbx), %%tmm7", "r13", source, "rbx", 36);
  MOVE("tilestored %%tmm7, 8(%%rbx,%%r12,8)", "rbx", target + MIDDLE, "r12", 16);
  expect_moved(6, 36, 0, 36, MIDDLE + 8, 128);
}

/* One row is copied to the stack, past what the function itself keeps there. */
static void the_stack_pointer_is_a_base(void) {
  configuration c = all_alike(1, 8);
  prepare(&c);
  MOVE("lea -512(%%rsp), %%rsp\n\tmov (%%rax), %%rcx\n\tmov %%rcx, 16(%%rsp)\n\t"
       "tileloadd 16(%%rsp), %%tmm0\n\tlea 512(%%rsp), %%rsp",
       "rax", source + 24, "rcx", 0);
  MOVE("tilestored %%tmm0, (%%rax,%%rcx)", "rax", target, "rcx", 12);
  expect_moved(1, 8, 24, 0, 0, 0);
}

static void configurations_are_addressed_like_other_memory(void) {
  static configuration stored;
  configuration loaded = for_product(2, 3, 5);
  __asm__ volatile("ldtilecfg %1\n\tsttilecfg %0" : "=m"(stored) : "m"(loaded));
  expect(memcmp(&stored, &loaded, sizeof loaded) == 0);
  loaded = for_product(7, 5, 3);
  memcpy(source, &loaded, sizeof loaded);
  MOVE("ldtilecfg -4096(%%r8,%%r9,8)", "r8", source + 4096 + 72, "r9", -9);
  MOVE("sttilecfg 8(%%r12)", "r12", target, "r13", 0);
  expect(memcmp(target + 8, &loaded, sizeof loaded) == 0);
}

static void zeroed_tiles_are_zero(void) {
  configuration c = all_alike(16, 64);
  prepare(&c);
  MOVE("tileloadd (%%rax,%%rcx), %%tmm7\n\ttilezero %%tmm7", "rax", source, "rcx", 64);
  MOVE("tilestored %%tmm7, (%%rax,%%rcx)", "rax", target, "rcx", 64);
  memset(source, 0, FIELD);
  expect_moved(16, 64, 0, 64, 0, 64);
}

static void configuring_zeroes_tiles(void) {
  configuration c = all_alike(16, 64);
  prepare(&c);
  MOVE("tileloadd (%%rax,%%rcx), %%tmm3", "rax", source, "rcx", 64);
  _tile_loadconfig(&c);
  MOVE("tilestored %%tmm3, (%%rax,%%rcx)", "rax", target, "rcx", 64);
  memset(source, 0, FIELD);
  expect_moved(16, 64, 0, 64, 0, 64);
}

static void a_started_load_goes_on_at_its_row(void) {
  configuration c = all_alike(5, 16);
  prepare(&c);
  c.start_row = 2;
  _tile_loadconfig(&c);
  MOVE("tileloadd (%%rax,%%rcx), %%tmm3", "rax", source, "rcx", 16);
  MOVE("tilestored %%tmm3, (%%rax,%%rcx)", "rax", target, "rcx", 16);
  memset(source, 0, 32);
  expect_moved(5, 16, 0, 16, 0, 16);
}

/* Products. */

static uint32_t left[16][16], right[16][16], sums[16][16], wanted[16][16];

#define MULTIPLY(instruction, m, k, n)                                \
  do {                                                                \
    configuration c_ = for_product(m, k, n);                          \
    _tile_loadconfig(&c_);                                            \
    _tile_loadd(0, sums, 64);                                         \
    _tile_loadd(1, left, 64);                                         \
    _tile_loadd(2, right, 64);                                        \
    instruction(0, 1, 2);                                             \
    _tile_stored(0, sums, 64);                                        \
  } while (0)

static const int products[][3] = {{16, 16, 16}, {1, 1, 1}, {16, 1, 3}, {3, 16, 5}, {5, 7, 16}, {2, 15, 13}};
enum { PRODUCT_COUNT = sizeof products / sizeof *products };

static float f32(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static uint32_t flushed(float value) {
  return fpclassify(value) == FP_SUBNORMAL ? bits_of(value) & 1u << 31 : bits_of(value);
}


static float bf16(uint32_t bits) { return f32(flushed(f32(bits << 16))); }

static float f16(uint32_t bits) {
  int exponent = bits >> 10 & 31, fraction = bits & 1023;
  float size = exponent == 31 ? (fraction ? NAN : INFINITY) : exponent ? ldexpf((float)(1024 + fraction), exponent - 25)
                                                                     : ldexpf((float)fraction, -24);
  return bits & 1u << 15 ? -size : size;
}

/* The sum as the reference has it: even and odd products apart, each fused and flushed, then together. */
static void multiply_floats(float (*value)(uint32_t), int m, int k, int n) {
  for (int row = 0; row < m; row++) {
    for (int column = 0; column < n; column++) {
      float part[2] = {0, 0};
      for (int p = 0; p < k; p++) {
        for (int odd = 0; odd < 2; odd++) {
          float a = value(left[row][p] >> 16 * odd & 0xFFFF), b = value(right[p][column] >> 16 * odd & 0xFFFF);
          part[odd] = f32(flushed(fmaf(a, b, part[odd])));
        }
      }
      float before = f32(flushed(f32(sums[row][column])));
      wanted[row][column] = flushed(before + f32(flushed(part[0] + part[1])));
    }
  }
}

static void multiply_quads(int a_is_signed, int b_is_signed, int m, int k, int n) {
  for (int row = 0; row < m; row++) {
    for (int column = 0; column < n; column++) {
      int64_t sum = (int32_t)sums[row][column];
      for (int p = 0; p < 4 * k; p++) {
        uint8_t a = (uint8_t)(left[row][p / 4] >> p % 4 * 8), b = (uint8_t)(right[p / 4][column] >> p % 4 * 8);
        sum += (a_is_signed ? (int8_t)a : a) * (b_is_signed ? (int8_t)b : b);
      }
      wanted[row][column] = (uint32_t)sum;
    }
  }
}

static int is_nan(uint32_t bits) { return (bits & 0x7FFFFFFF) > 0x7F800000; }

/* Whether all sums of the product, and what stood beside it, are as wanted; any NaN is as good as another. */
static int all_as_wanted(void) {
  for (int row = 0; row < 16; row++) {
    for (int column = 0; column < 16; column++) {
      uint32_t is = sums[row][column], should = wanted[row][column];
      if (is != should && !(is_nan(is) && is_nan(should))) {
        fprintf(stderr, "[%d, %d] is %08x, expected %08x\n", row, column, is, should);
        return 0;
      }
    }
  }
  return 1;
}

/* Random pairs; exponents near the middle if `is_tame`, any bits if not. */
static void fill_pairs(int is_tame, uint32_t kept, uint32_t set) {
  fill(left, sizeof left);
  fill(right, sizeof right);
  fill(sums, sizeof sums);
  if (is_tame) {
    for (int i = 0; i < 256; i++) {
      left[0][i] = (left[0][i] & kept) | set;
      right[0][i] = (right[0][i] & kept) | set;
      sums[0][i] = (sums[0][i] & 0x80FFFFFF) | 0x3F000000;
    }
  }
  memcpy(wanted, sums, sizeof sums);
}

static void products_of_bf16(void) {
  for (int tame = 0; tame < 2; tame++) {
    for (int i = 0; i < PRODUCT_COUNT; i++) {
      int m = products[i][0], k = products[i][1], n = products[i][2];
      fill_pairs(tame, 0x81FF81FF, 0x3E003E00);
      multiply_floats(bf16, m, k, n);
      MULTIPLY(_tile_dpbf16ps, m, k, n);
      expect(all_as_wanted());
    }
  }
}

static void products_of_f16(void) {
  for (int tame = 0; tame < 2; tame++) {
    for (int i = 0; i < PRODUCT_COUNT; i++) {
      int m = products[i][0], k = products[i][1], n = products[i][2];
      fill_pairs(tame, 0x8FFF8FFF, 0x30003000);
      multiply_floats(f16, m, k, n);
      MULTIPLY(_tile_dpfp16ps, m, k, n);
      expect(all_as_wanted());
    }
  }
}

static void special_floats(void) {
  /* Normal, tiny, -0, infinite and no number, as bf16 and as f16. */
  static const uint16_t values[2][8] = {
      {0x3F80, 0x0001, 0x8001, 0x8000, 0x7F80, 0xFF80, 0x7FC0, 0x0080},
      {0x3C00, 0x0001, 0x8001, 0x8000, 0x7C00, 0xFC00, 0x7E00, 0x0400},
  };
  for (int type = 0; type < 2; type++) {
    for (int i = 0; i < 256; i++) {
      left[0][i] = values[type][i & 7] | (uint32_t)values[type][i >> 4 & 7] << 16;
      right[0][i] = values[type][i >> 3 & 7] | (uint32_t)values[type][i & 7] << 16;
      sums[0][i] = (uint32_t)values[0][i % 7] << 16;
    }
    for (int m = 1; m <= 8; m++) {
      memcpy(wanted, sums, sizeof sums);
      multiply_floats(type == 0 ? bf16 : f16, m, 1, 16);
      if (type == 0) {
        MULTIPLY(_tile_dpbf16ps, m, 1, 16);
      } else {
        MULTIPLY(_tile_dpfp16ps, m, 1, 16);
      }
      expect(all_as_wanted());
    }
  }
}

static void the_rounding_mode_is_not_asked(void) {
  const unsigned rounding_up = 0x5F80;
  fill_pairs(1, 0x81FF81FF, 0x3E003E00);
  multiply_floats(bf16, 16, 16, 16);
  unsigned before = _mm_getcsr();
  _mm_setcsr(rounding_up);
  MULTIPLY(_tile_dpbf16ps, 16, 16, 16);
  expect(_mm_getcsr() == rounding_up);
  _mm_setcsr(before);
  expect(all_as_wanted());
}

#define QUADS(instruction, a_is_signed, b_is_signed)                      \
  for (int i = 0; i < PRODUCT_COUNT; i++) {                               \
    int m = products[i][0], k = products[i][1], n = products[i][2];       \
    fill_pairs(0, 0, 0);                                                  \
    multiply_quads(a_is_signed, b_is_signed, m, k, n);                    \
    MULTIPLY(instruction, m, k, n);                                       \
    expect(all_as_wanted());                                              \
  }

static void products_of_bytes(void) {
  QUADS(_tile_dpbssd, 1, 1);
  QUADS(_tile_dpbsud, 1, 0);
  QUADS(_tile_dpbusd, 0, 1);
  QUADS(_tile_dpbuud, 0, 0);
}

/* Faults. */

static void use_unconfigured(void) {
  _tile_release();
  _tile_zero(0);
}
static void load_unconfigured(void) {
  _tile_release();
  _tile_loadd(0, source, 64);
}
static void load_unused(void) {
  configuration c = for_product(4, 4, 4);
  _tile_loadconfig(&c);
  _tile_loadd(3, source, 64);
}
static void load_three_bytes(void) {
  configuration c = all_alike(4, 3);
  _tile_loadconfig(&c);
  _tile_loadd(3, source, 64);
}
static void load_past_the_end(void) {
  configuration c = all_alike(4, 4);
  c.start_row = 4;
  _tile_loadconfig(&c);
  _tile_loadd(3, source, 64);
}
static void multiply_rows_that_differ(void) {
  configuration c = for_product(4, 5, 6);
  c.row_counts[0] = 3;
  _tile_loadconfig(&c);
  _tile_dpbf16ps(0, 1, 2);
}
static void multiply_columns_that_differ(void) {
  configuration c = for_product(4, 5, 6);
  c.column_byte_counts[0] = 20;
  _tile_loadconfig(&c);
  _tile_dpbssd(0, 1, 2);
}
static void multiply_inner_extents_that_differ(void) {
  configuration c = for_product(4, 5, 6);
  c.column_byte_counts[1] = 16;
  _tile_loadconfig(&c);
  _tile_dpfp16ps(0, 1, 2);
}
/* TDPBF16PS of tmm0, tmm1 and tmm1, which no assembler writes. */
static void multiply_one_by_itself(void) {
  configuration c = all_alike(4, 16);
  _tile_loadconfig(&c);
  __asm__ volatile(".byte 0xC4, 0xE2, 0x72, 0x5C, 0xC1");
}
static void multiply_into_a_factor(void) {
  configuration c = all_alike(4, 16);
  _tile_loadconfig(&c);
  __asm__ volatile(".byte 0xC4, 0xE2, 0x7A, 0x5C, 0xC1");
}
/* TILELOADD from (%rax), without SIB. */
static void load_without_sib(void) {
  configuration c = all_alike(4, 16);
  _tile_loadconfig(&c);
  __asm__ volatile("mov %0, %%rax\n\t.byte 0xC4, 0xE2, 0x7B, 0x4B, 0x00" : : "r"(source) : "rax");
}
static void load_from_nowhere(void) {
  configuration c = all_alike(4, 16);
  _tile_loadconfig(&c);
  MOVE("tileloadd (%%rax,%%rcx), %%tmm0", "rax", 8, "rcx", 16);
}

static void undefined_uses_end_the_process(void) {
  expect(signal_of(use_unconfigured) == SIGILL);
  expect(signal_of(load_unconfigured) == SIGILL);
  expect(signal_of(load_unused) == SIGILL);
  expect(signal_of(load_three_bytes) == SIGILL);
  expect(signal_of(load_past_the_end) == SIGILL);
  expect(signal_of(multiply_rows_that_differ) == SIGILL);
  expect(signal_of(multiply_columns_that_differ) == SIGILL);
  expect(signal_of(multiply_inner_extents_that_differ) == SIGILL);
  expect(signal_of(multiply_one_by_itself) == SIGILL);
  expect(signal_of(multiply_into_a_factor) == SIGILL);
  expect(signal_of(load_without_sib) == SIGILL);
  expect(signal_of(load_from_nowhere) == SIGSEGV);
}

static sigjmp_buf before_the_fault;
static volatile sig_atomic_t expects_a_fault;

/* The handler that SIGILL has before the emulator is installed. */
static void leave(int number) {
  if (expects_a_fault) siglongjmp(before_the_fault, number);
  signal(SIGILL, SIG_DFL);
}

static void other_instructions_reach_the_previous_handler(void) {
  expects_a_fault = 1;
  if (sigsetjmp(before_the_fault, 1) == 0) {
    __asm__ volatile("ud2");
    expect(0);
  }
  expects_a_fault = 0;
}

static void *multiply_elsewhere(void *result) {
  static const configuration nothing;
  configuration c = all_alike(16, 64), stored;
  _tile_storeconfig(&stored);
  *(int *)result = memcmp(&stored, &nothing, sizeof stored) == 0;
  _tile_loadconfig(&c);
  _tile_loadd(0, source, 32);
  _tile_release();
  return NULL;
}

static void a_thread_has_its_own_tiles(void) {
  configuration c = all_alike(16, 64);
  prepare(&c);
  MOVE("tileloadd (%%rax,%%rcx), %%tmm0", "rax", source, "rcx", 64);
  pthread_t thread;
  int was_unconfigured = 0;
  expect(pthread_create(&thread, NULL, multiply_elsewhere, &was_unconfigured) == 0);
  pthread_join(thread, NULL);
  expect(was_unconfigured);
  MOVE("tilestored %%tmm0, (%%rax,%%rcx)", "rax", target, "rcx", 64);
  expect_moved(16, 64, 0, 64, 0, 64);
}

static void instructions_are_counted(void) {
  int before = tfc_tile_instruction_count();
  configuration c = all_alike(2, 8);
  _tile_loadconfig(&c);
  _tile_zero(1);
  _tile_release();
  expect(tfc_tile_instruction_count() - before == (tfc_tiles_are_emulated() ? 3 : 0));
}

int main(void) {
  signal(SIGILL, leave);
  if (!tfc_install_tile_emulator()) {
    printf("tiles are not permitted\n0 passed, 1 failed\n");
    return 1;
  }
  RUN(a_configuration_is_stored_as_it_was_loaded);
  RUN(palette_zero_releases);
  RUN(bad_configurations_are_refused);
  RUN(rows_are_moved);
  RUN(strides_are_scaled_and_signed);
  RUN(without_an_index_the_stride_is_zero);
  RUN(extended_registers_and_displacements);
  RUN(the_stack_pointer_is_a_base);
  RUN(configurations_are_addressed_like_other_memory);
  RUN(zeroed_tiles_are_zero);
  RUN(configuring_zeroes_tiles);
  RUN(a_started_load_goes_on_at_its_row);
  RUN(products_of_bf16);
  RUN(products_of_f16);
  RUN(special_floats);
  RUN(the_rounding_mode_is_not_asked);
  RUN(products_of_bytes);
  RUN(undefined_uses_end_the_process);
  RUN(other_instructions_reach_the_previous_handler);
  RUN(a_thread_has_its_own_tiles);
  RUN(instructions_are_counted);
  printf("%d passed, %d failed\n", passed, failed);
  return failed > 0;
}
