/* Products of floats and of bytes in tiles. */
#include "tile_tests.h"

#include <math.h>

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

void test_products(void) {
  RUN(products_of_bf16);
  RUN(products_of_f16);
  RUN(special_floats);
  RUN(the_rounding_mode_is_not_asked);
  RUN(products_of_bytes);
}
