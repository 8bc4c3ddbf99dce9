/* Rounding and subnormals: a call computes in the default mode, whatever mode the host's thread is in. */
#ifndef TFC_FLOAT_ENVIRONMENT_H
#define TFC_FLOAT_ENVIRONMENT_H

#include <stdint.h>

/* Sets the default mode (round to nearest, subnormals kept, no traps); returns what to restore. */
static inline uint64_t tfc_enter_default_float_mode(void) {
#if defined(__x86_64__)
  uint32_t old;
  const uint32_t mode = 0x1F80;
  __asm__ volatile("stmxcsr %0" : "=m"(old));
  if (old != mode) __asm__ volatile("ldmxcsr %0" : : "m"(mode));
  return old;
#elif defined(__aarch64__)
  uint64_t old;
  __asm__ volatile("mrs %0, fpcr" : "=r"(old));
  if (old != 0) __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
  return old;
#else
  return 0;
#endif
}

static inline void tfc_leave_default_float_mode(uint64_t old) {
#if defined(__x86_64__)
  const uint32_t mode = (uint32_t)old;
  if (mode != 0x1F80) __asm__ volatile("ldmxcsr %0" : : "m"(mode));
#elif defined(__aarch64__)
  if (old != 0) __asm__ volatile("msr fpcr, %0" : : "r"(old));
#else
  (void)old;
#endif
}

#endif
