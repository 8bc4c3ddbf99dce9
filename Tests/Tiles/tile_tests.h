/* What the tests of tile instructions share: a test is a function, `expect` records what does not hold and goes on. */
#ifndef TILE_TESTS_H
#define TILE_TESTS_H

#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tile_emulator.h"

/* Runs the function as one test and counts it. */
#define RUN(function) run_test(#function, function)
void run_test(const char *name, void (*function)(void));

#define expect(condition) expect_at((condition) != 0, __FILE__, __LINE__, #condition)
void expect_at(int holds, const char *file, int line, const char *text);

/* What LDTILECFG reads. */
typedef struct {
  uint8_t palette, start_row, reserved_before[14];
  uint16_t column_byte_counts[8];
  uint8_t reserved_between[16], row_counts[8], reserved_after[8];
} configuration;

/* Tile 0: `m` rows of `n` sums; tile 1: `m` rows of `k` groups; tile 2: `k` rows of `n` groups. */
configuration for_product(int m, int k, int n);
configuration all_alike(int row_count, int column_byte_count);

uint32_t random_bits(void);
void fill(void *bytes, size_t count);

/* The signal that ends a process that runs the function, or 0. */
int signal_of(void (*function)(void));

/* What loads read and stores write, and what the latter should. */
enum { FIELD = 1 << 15, MIDDLE = FIELD / 2 };
extern uint8_t source[FIELD], target[FIELD], expected[FIELD];

/* Loads the configuration, with new bytes in all fields. */
void prepare(const configuration *c);

/* What a load from `from` and a store to `to` by these strides does to the target. */
void expect_moved(int rows, int bytes, long from, long from_stride, long to, long to_stride);

/* Runs `text`, whose base register is set to `base` and whose index register to `index`. */
#define MOVE(text, base_register, base, index_register, index)                                      \
  __asm__ volatile("mov %0, %%" base_register "\n\tmov %1, %%" index_register "\n\t" text           \
                   :                                                                                \
                   : "rm"((uint64_t)(intptr_t)(base)), "rm"((uint64_t)(long)(index))                \
                   : base_register, index_register, "memory")

/* The tests of each file. */
void test_moves(void);
void test_products(void);
void test_faults(void);

/* The handler that SIGILL has before the emulator is installed. */
void leave_fault(int number);

#endif
