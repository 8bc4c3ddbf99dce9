/* How fast one core of this machine is. Only tfc itself measures; no artifact has this. */
#ifndef TFC_HOST_RATES_H
#define TFC_HOST_RATES_H

#include <stdint.h>

typedef struct tfc_host_rates {
  double gigahertz;      /* while vectors are multiplied and added */
  double gigaflops;      /* f32 operations in a nanosecond, a multiply-add counted as two */
  double tile_gigaflops; /* the same for bf16 in tiles; 0 where they are not asked for or not permitted */
  double bandwidths[4];  /* bytes read in a nanosecond: L1, L2, L3, memory */
} tfc_host_rates;

/* Measures for some 50 ms on the calling thread. `vector_byte_count` is 64 (needs AVX-512), 32 (needs AVX2 and FMA) or
 * 16; `cache_byte_counts` are the sizes of L1, L2 and L3. Returns 0, or -1 where this kind of processor cannot be measured
 * or there is no memory. */
int32_t tfc_measure_host(
    int32_t vector_byte_count, const int64_t *cache_byte_counts, int32_t has_tiles, tfc_host_rates *rates);

#endif
