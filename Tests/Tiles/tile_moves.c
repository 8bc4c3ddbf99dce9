/* Configurations, and rows between memory and tiles: a memory of its own for each test, so that a wrong address shows. */
#include "tile_tests.h"

#include <signal.h>

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

void test_moves(void) {
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
}
