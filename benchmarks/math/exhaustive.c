// Compares a compiled elementary function with the C library in double, over all 2^32 arguments of type float.
//
//   exhaustive LIBRARY FUNCTION BOUND [STRIDE [ABSOLUTE]]
//
// LIBRARY is what `tfc compile` makes of a function of one tensor<65536xf32>; the file's name without "lib" and ".so"
// is FUNCTION. Prints the largest error in units in the last place and where it is; exits 1 if it exceeds BOUND, or
// where a NaN, an infinity or a zero's sign is wrong. Errors of at most ABSOLUTE are no errors.
#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { count = 65536 };

static double logistic(double x) {
  double t = exp(-fabs(x));
  return (x < 0 ? t : 1) / (1 + t);
}

static double rsqrt(double x) { return 1 / sqrt(x); }

static double log_gamma(double x) { return isinf(x) ? INFINITY : lgamma(x); }

static double digamma(double x) {
  const double pi = 3.14159265358979323846;
  if (isnan(x) || x == -INFINITY || (x <= 0 && floor(x) == x)) return NAN;
  if (isinf(x)) return x;
  if (x < 0) return digamma(1 - x) - pi / tan(pi * (x - rint(x)));
  long double z = x, sum = 0;
  for (; z < 20; z += 1) sum -= 1 / z;
  static const long double terms[] = {1 / 12.L,  -1 / 120.L,   1 / 252.L, -1 / 240.L,
                                      1 / 132.L, -691 / 32760.L, 1 / 12.L};
  long double inverse = 1 / (z * z), series = 0;
  for (int k = 6; k >= 0; k--) series = (series + terms[k]) * inverse;
  return (double)(sum + logl(z) - 0.5L / z - series);
}

static double erf_inv(double x) {
  if (isnan(x) || fabs(x) > 1) return NAN;
  if (fabs(x) == 1) return x * INFINITY;
  if (x == 0) return x;
  const double pi = 3.14159265358979323846;
  double a = fabs(x), tail = log1p(-a * a), t = 2 / (pi * 0.147) + tail / 2;
  double y = a < 1e-3 ? a * 0.886 : sqrt(sqrt(t * t - tail / 0.147) - t);
  for (int k = 0; k < 4; k++) {
    double error = a < 0.5 ? erf(y) - a : (1 - a) - erfc(y);
    double step = error / (2 / sqrt(pi) * exp(-y * y));
    y -= step / (1 + y * step);
  }
  return copysign(y, x);
}

static const struct {
  const char *name;
  double (*value)(double);
} references[] = {
    {"exponential", exp}, {"exponential_minus_one", expm1}, {"log", log}, {"log_plus_one", log1p},
    {"logistic", logistic}, {"tanh", tanh}, {"sine", sin}, {"cosine", cos}, {"tan", tan}, {"rsqrt", rsqrt},
    {"cbrt", cbrt}, {"atan", atan}, {"asin", asin}, {"acos", acos}, {"sinh", sinh}, {"cosh", cosh},
    {"asinh", asinh}, {"acosh", acosh}, {"atanh", atanh}, {"erf", erf}, {"erfc", erfc}, {"erf_inv", erf_inv},
    {"lgamma", log_gamma}, {"digamma", digamma},
};

typedef void *(*create_function)(const void *options);
typedef int32_t (*run_function)(void *model, const float *x, float *y);

static void *symbol(void *library, const char *name, const char *suffix) {
  char text[128];
  snprintf(text, sizeof text, "%s_%s", name, suffix);
  void *found = dlsym(library, text);
  if (!found) {
    fprintf(stderr, "exhaustive: the library has no %s\n", text);
    exit(2);
  }
  return found;
}

// How far `value` is from `expected` in units of float's last place; infinite if it is of the wrong kind.
static double error_in_ulps(float value, double expected) {
  float rounded = (float)expected;
  int same = memcmp(&value, &rounded, sizeof value) == 0;
  if (isnan(rounded)) return isnan(value) ? 0 : INFINITY;
  if (same && (rounded == 0 || isinf(rounded))) return 0;
  if (isnan(value) || isinf(value) || isinf(rounded) || (value == 0 && rounded == 0)) return INFINITY;
  int exponent;
  frexp(expected, &exponent);
  return fabs(value - expected) / ldexp(1, exponent < -125 ? -149 : exponent - 24);
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: exhaustive LIBRARY FUNCTION BOUND [STRIDE [ABSOLUTE]]\n");
    return 2;
  }
  const char *name = argv[2];
  double bound = atof(argv[3]);
  uint64_t stride = argc > 4 ? strtoull(argv[4], 0, 10) : 1;
  double absolute = argc > 5 ? atof(argv[5]) : 0;
  double (*reference)(double) = 0;
  for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
    if (strcmp(references[i].name, name) == 0) reference = references[i].value;
  }
  void *library = dlopen(argv[1], RTLD_NOW);
  if (!reference || !library || stride == 0) {
    fprintf(stderr, "exhaustive: %s\n", library ? "unknown function, or stride 0" : dlerror());
    return 2;
  }
  void *model = ((create_function)symbol(library, name, "create"))(0);
  run_function run = (run_function)symbol(library, name, "run");
  static float x[count], y[count];
  double worst = 0;
  float where = 0;
  uint64_t number = 0;
  for (uint64_t first = 0; first < 1ull << 32; first += count * stride) {
    for (uint64_t i = 0; i < count; i++) {
      // With a stride, a different place in each stretch.
      uint32_t bits = (uint32_t)(first + i * stride + (first / count * 7919 + i * 104729) % stride);
      memcpy(&x[i], &bits, sizeof bits);
    }
    if (run(model, x, y) != 0) {
      fprintf(stderr, "exhaustive: the function failed\n");
      return 2;
    }
    for (int i = 0; i < count; i++) {
      double expected = reference(x[i]);
      double error = error_in_ulps(y[i], expected);
      if (error > worst && !(fabs(y[i] - expected) <= absolute)) worst = error, where = x[i];
    }
    number += count;
  }
  printf("%-22s %10llu arguments, at most %.3f ulp, at %a\n", name, (unsigned long long)number, worst, where);
  return worst > bound;
}
