#include <dirent.h>
#include <dlfcn.h>
#include <stdlib.h>

#include "test.h"

static const char *directory;
static int passed, failed, failures_of_test;

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

void expect_at(int holds, const char *file, int line, const char *text) {
  if (holds) return;
  failures_of_test++;
  fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, text);
}

void expect_text_at(const char *actual, const char *expected, const char *file, int line) {
  if (strcmp(actual, expected) == 0) return;
  failures_of_test++;
  fprintf(stderr, "%s:%d: is       %s\n%s:%d: expected %s\n", file, line, actual, file, line, expected);
}

void *open_model(const char *name, const tfc_artifact_table **artifact) {
  char path[1024];
  snprintf(path, sizeof path, "%s/lib%s.so", directory, name);
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  *artifact = library != NULL ? dlsym(library, "tfc_artifact") : NULL;
  if (*artifact != NULL) return library;
  fprintf(stderr, "%s\n", dlerror());
  exit(1);
}

int thread_count(void) {
  int count = 0;
  DIR *tasks = opendir("/proc/self/task");
  if (tasks == NULL) return 0;
  for (struct dirent *task = readdir(tasks); task != NULL; task = readdir(tasks)) count += task->d_name[0] != '.';
  closedir(tasks);
  return count;
}

int main(int argc, char **argv) {
  directory = argc > 1 ? argv[1] : ".";
  if (argc > 2) {
    if (strcmp(argv[2], "without-platform") == 0) test_no_opencl_platform();
    if (strcmp(argv[2], "without-opencl") == 0) test_no_opencl();
    if (strcmp(argv[2], "failing-opencl") == 0) test_failing_opencl();
    if (strcmp(argv[2], "first-contexts") == 0) test_first_contexts();
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
  }
  test_concurrent();
  test_cpu();
  test_extents();
  test_parallel();
  test_typed();
  test_tables();
  test_life();
  test_opencl();
  printf("%d passed, %d failed\n", passed, failed);
  return failed > 0;
}
