/* Uses that are undefined, threads, and the count of instructions. */
#include "tile_tests.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

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

void leave_fault(int number) {
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

void test_faults(void) {
  RUN(undefined_uses_end_the_process);
  RUN(other_instructions_reach_the_previous_handler);
  RUN(a_thread_has_its_own_tiles);
  RUN(instructions_are_counted);
}
