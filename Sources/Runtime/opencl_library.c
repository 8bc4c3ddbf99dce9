/* The library libOpenCL, loaded when the first context or question needs it; never unloaded: drivers keep threads. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include "opencl.h"

tfc_opencl_library tfc_cl;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char refusal[512];

#if defined(__APPLE__)
#define LIBRARY "/System/Library/Frameworks/OpenCL.framework/OpenCL"
#else
#define LIBRARY "libOpenCL.so.1"
#endif

/* dlsym gives a pointer to data; POSIX says that it may be one to a function. */
static void find(void *library, const char *name, void *function) {
  *(void **)function = dlsym(library, name);
  if (*(void **)function == NULL && refusal[0] == 0) {
    snprintf(refusal, sizeof refusal, "%s lacks %s, which OpenCL 1.2 has", LIBRARY, name);
  }
}

static void load(void) {
  void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    const char *reason = dlerror();
    snprintf(refusal, sizeof refusal, "OpenCL cannot be loaded: %s", reason != NULL ? reason : LIBRARY);
    return;
  }
#define TFC_OPENCL_FIND(name) find(library, #name, &tfc_cl.name);
  TFC_OPENCL_FUNCTIONS(TFC_OPENCL_FIND)
#undef TFC_OPENCL_FIND
}

const char *tfc_opencl_load(void) {
  pthread_once(&once, load);
  return refusal[0] != 0 ? refusal : NULL;
}
