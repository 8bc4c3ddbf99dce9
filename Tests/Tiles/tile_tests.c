/*
 * Tile instructions against loops in C: on a CPU with tiles the CPU's, else the emulator's. Both must pass alike.
 * The last line is `N passed, N failed`.
 */
#include "tile_tests.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int passed, failed, failures_of_test;

void expect_at(int holds, const char *file, int line, const char *text) {
  if (holds) return;
  failures_of_test++;
  fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, text);
}

void run_test(const char *name, void (*function)(void)) {
  failures_of_test = 0;
  function();
  if (failures_of_test == 0) {
    passed++;
  } else {
    failed++;
    fprintf(stderr, "failed: %s\n", name);
  }
}

configuration for_product(int m, int k, int n) {
  configuration c = {.palette = 1};
  c.row_counts[0] = (uint8_t)m, c.column_byte_counts[0] = (uint16_t)(4 * n);
  c.row_counts[1] = (uint8_t)m, c.column_byte_counts[1] = (uint16_t)(4 * k);
  c.row_counts[2] = (uint8_t)k, c.column_byte_counts[2] = (uint16_t)(4 * n);
  return c;
}

configuration all_alike(int row_count, int column_byte_count) {
  configuration c = {.palette = 1};
  for (int t = 0; t < 8; t++) {
    c.row_counts[t] = (uint8_t)row_count;
    c.column_byte_counts[t] = (uint16_t)column_byte_count;
  }
  return c;
}

static uint64_t random_state = 1;

uint32_t random_bits(void) {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(random_state >> 32);
}

void fill(void *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) ((uint8_t *)bytes)[i] = (uint8_t)random_bits();
}

int signal_of(void (*function)(void)) {
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

uint8_t source[FIELD], target[FIELD], expected[FIELD];

void prepare(const configuration *c) {
  fill(source, FIELD);
  fill(target, FIELD);
  memcpy(expected, target, FIELD);
  _tile_loadconfig(c);
}

void expect_moved(int rows, int bytes, long from, long from_stride, long to, long to_stride) {
  for (int r = 0; r < rows; r++) memcpy(expected + to + r * to_stride, source + from + r * from_stride, (size_t)bytes);
  expect(memcmp(target, expected, FIELD) == 0);
}

int main(void) {
  signal(SIGILL, leave_fault);
  if (!tfc_install_tile_emulator()) {
    printf("tiles are not permitted\n0 passed, 1 failed\n");
    return 1;
  }
  test_moves();
  test_products();
  test_faults();
  printf("%d passed, %d failed\n", passed, failed);
  return failed > 0;
}
