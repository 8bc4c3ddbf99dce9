/* The runtime's C source, as bytes: the compiler writes it out and compiles it for the target of a model. */
#ifndef TFC_RUNTIME_SOURCE_H
#define TFC_RUNTIME_SOURCE_H

typedef struct tfc_embedded_file {
  const char *name; /* all files go in one folder, a few in its folder CL */
  const unsigned char *bytes;
  long length;
} tfc_embedded_file;

/* All files of the runtime, headers included. */
const tfc_embedded_file *tfc_runtime_files(int *count);

#endif
