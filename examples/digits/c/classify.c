/* Classifies the digits of the test set with the compiled model, and prints how many are right.
 *
 *     tfc compile digits.onnx -o libdigits.so
 *     cc classify.c -I. -L. -ldigits -Wl,-rpath,'$ORIGIN' -o classify
 *     ./classify test-images.npy test-labels.npy */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libdigits.h"

enum { PIXELS = 8 * 8, DIGITS = 10 };

/* The bytes of a .npy file's array, and their number; null where the file is none. The caller frees them. */
static uint8_t *read_npy(const char *path, long *count) {
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  uint8_t start[10] = {0};
  uint8_t *bytes = NULL;
  if (fread(start, 1, 10, file) == 10 && memcmp(start, "\x93NUMPY\1", 7) == 0) {
    long header = 10 + start[8] + 256 * start[9];
    fseek(file, 0, SEEK_END);
    *count = ftell(file) - header;
    bytes = *count > 0 ? malloc((size_t)*count) : NULL;
    if (bytes && (fseek(file, header, SEEK_SET) || fread(bytes, 1, (size_t)*count, file) != (size_t)*count)) {
      free(bytes);
      bytes = NULL;
    }
  }
  fclose(file);
  return bytes;
}

static int most_probable(const float *probabilities) {
  int best = 0;
  for (int digit = 1; digit < DIGITS; digit++)
    if (probabilities[digit] > probabilities[best]) best = digit;
  return best;
}

int main(int argc, char **argv) {
  long pixel_count = 0, count = 0;
  uint8_t *images = argc == 3 ? read_npy(argv[1], &pixel_count) : NULL;
  uint8_t *labels = argc == 3 ? read_npy(argv[2], &count) : NULL;
  float *probabilities = count > 0 ? malloc((size_t)count * DIGITS * sizeof(float)) : NULL;
  if (!images || !labels || !probabilities || pixel_count != count * PIXELS) {
    fprintf(stderr, "usage: classify test-images.npy test-labels.npy\n");
    return 2;
  }

  digits *model = digits_create(NULL);
  digits_dims dims = {.batch = count};
  if (!model || digits_run(model, dims, images, probabilities) != 0) {
    fprintf(stderr, "error: %s\n", digits_last_error(model));
    return 1;
  }
  digits_destroy(model);

  long right = 0;
  for (long i = 0; i < count; i++) right += most_probable(probabilities + i * DIGITS) == labels[i];
  printf("C: %ld of %ld digits are right, %.1f%%\n", right, count, 100.0 * (double)right / (double)count);
  free(images);
  free(labels);
  free(probabilities);
  return 0;
}
