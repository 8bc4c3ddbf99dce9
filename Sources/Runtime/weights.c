/* Weights: in the library, or in a file in its folder that is mapped. Contexts share the file's pages. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "context.h"

#define PATH_BYTE_COUNT 4096

/* The path of the file, in the folder of the library that the table is in. */
static int32_t find_path(const tfc_artifact_table *artifact, char *path) {
  Dl_info library;
  if (dladdr(artifact, &library) == 0 || library.dli_fname == NULL) return 0;
  const char *slash = strrchr(library.dli_fname, '/');
  int folder = slash != NULL ? (int)(slash - library.dli_fname) + 1 : 0;
  int length = snprintf(path, PATH_BYTE_COUNT, "%.*s%s", folder, library.dli_fname, artifact->weight_file);
  return length > 0 && length < PATH_BYTE_COUNT;
}

/* The weights, padded to eight bytes, with the key behind them. */
static int64_t file_byte_count(const tfc_artifact_table *artifact) {
  return (artifact->weight_byte_count + 7) / 8 * 8 + 8;
}

static const char *map(tfc_context *context, int file) {
  struct stat facts;
  int64_t byte_count = file_byte_count(context->artifact);
  if (fstat(file, &facts) != 0 || (int64_t)facts.st_size != byte_count) {
    return "the weights file beside the library has another length than the library expects";
  }
  void *mapped = mmap(NULL, (size_t)byte_count, PROT_READ, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) return "the weights file beside the library cannot be mapped";
  context->mapped_weights = mapped;
  context->mapped_byte_count = (size_t)byte_count;
  context->weights = mapped;
  uint64_t key = 0;
  for (int i = 0; i < 8; i++) key |= (uint64_t)context->weights[byte_count - 8 + i] << (8 * i);
  return key == context->artifact->weight_key ? NULL : "the weights file beside the library belongs to another library";
}

const char *tfc_find_weights(tfc_context *context) {
  const tfc_artifact_table *artifact = context->artifact;
  context->weights = artifact->weights;
  if (artifact->weights != NULL || artifact->weight_file == NULL) return NULL;
  char path[PATH_BYTE_COUNT];
  if (!find_path(artifact, path)) return "the folder of the library is not known, so its weights file is not found";
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return "the weights file beside the library cannot be opened";
  const char *refusal = map(context, file);
  close(file);
  return refusal;
}

void tfc_release_weights(tfc_context *context) {
  if (context->mapped_weights != NULL) munmap(context->mapped_weights, context->mapped_byte_count);
}
