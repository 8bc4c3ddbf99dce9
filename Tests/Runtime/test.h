/* A test is a function; `expect` records what does not hold and goes on. */
#ifndef TEST_H
#define TEST_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tfc_runtime.h"

/* Runs the function as one test and counts it. */
#define RUN(function) run_test(#function, function)
void run_test(const char *name, void (*function)(void));

#define expect(condition) expect_at((condition) != 0, __FILE__, __LINE__, #condition)
#define expect_text(actual, expected) expect_text_at(actual, expected, __FILE__, __LINE__)
void expect_at(int holds, const char *file, int line, const char *text);
void expect_text_at(const char *actual, const char *expected, const char *file, int line);

/* The library of the model `name`, opened, and its table. */
void *open_model(const char *name, const tfc_artifact_table **artifact);

/* The threads of this process. */
int thread_count(void);

/* In a process without OpenCL drivers; without the library; with the one of fake/opencl.c. */
void test_no_opencl_platform(void);
void test_no_opencl(void);
void test_failing_opencl(void);

/* In a process that has not asked OpenCL yet. */
void test_first_contexts(void);

/* The tests of each file. */
void test_concurrent(void);
void test_cpu(void);
void test_extents(void);
void test_life(void);
void test_opencl(void);
void test_parallel(void);
void test_tables(void);
void test_typed(void);

#endif
