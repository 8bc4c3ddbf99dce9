/* Writes the embedded files of the runtime into a folder. */
#include <stdio.h>
#include <sys/stat.h>

#include "tfc_runtime_source.h"

int main(int argc, char **argv) {
  int count;
  const tfc_embedded_file *files = tfc_runtime_files(&count);
  char folder[1024];
  if (argc < 2) return 1;
  snprintf(folder, sizeof folder, "%s/CL", argv[1]);
  if (mkdir(folder, 0777) != 0) return 1;
  for (int i = 0; i < count; i++) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", argv[1], files[i].name);
    FILE *file = fopen(path, "wb");
    if (file == NULL) return 1;
    size_t written = fwrite(files[i].bytes, 1, (size_t)files[i].length, file);
    if (fclose(file) != 0 || written != (size_t)files[i].length) return 1;
  }
  return 0;
}
