#include "tfc_runtime_source.h"

#define FILE_BYTES static const unsigned char

FILE_BYTES tfc_runtime_h[] = {
#embed "../Runtime/include/tfc_runtime.h"
};
FILE_BYTES tfc_generated_h[] = {
#embed "../Runtime/tfc_generated.h"
};
FILE_BYTES context_h[] = {
#embed "../Runtime/context.h"
};
FILE_BYTES float_environment_h[] = {
#embed "../Runtime/float_environment.h"
};
FILE_BYTES pool_h[] = {
#embed "../Runtime/pool.h"
};
FILE_BYTES arena_c[] = {
#embed "../Runtime/arena.c"
};
FILE_BYTES buffers_c[] = {
#embed "../Runtime/buffers.c"
};
FILE_BYTES context_c[] = {
#embed "../Runtime/context.c"
};
FILE_BYTES cpu_c[] = {
#embed "../Runtime/cpu.c"
};
FILE_BYTES extents_c[] = {
#embed "../Runtime/extents.c"
};
FILE_BYTES parallel_c[] = {
#embed "../Runtime/parallel.c"
};
FILE_BYTES pool_c[] = {
#embed "../Runtime/pool.c"
};
FILE_BYTES profile_c[] = {
#embed "../Runtime/profile.c"
};
FILE_BYTES run_c[] = {
#embed "../Runtime/run.c"
};
FILE_BYTES types_c[] = {
#embed "../Runtime/types.c"
};
FILE_BYTES weights_c[] = {
#embed "../Runtime/weights.c"
};

static const tfc_embedded_file files[] = {
    {"tfc_runtime.h", tfc_runtime_h, sizeof tfc_runtime_h},
    {"tfc_generated.h", tfc_generated_h, sizeof tfc_generated_h},
    {"context.h", context_h, sizeof context_h},
    {"float_environment.h", float_environment_h, sizeof float_environment_h},
    {"pool.h", pool_h, sizeof pool_h},
    {"arena.c", arena_c, sizeof arena_c},
    {"buffers.c", buffers_c, sizeof buffers_c},
    {"context.c", context_c, sizeof context_c},
    {"cpu.c", cpu_c, sizeof cpu_c},
    {"extents.c", extents_c, sizeof extents_c},
    {"parallel.c", parallel_c, sizeof parallel_c},
    {"pool.c", pool_c, sizeof pool_c},
    {"profile.c", profile_c, sizeof profile_c},
    {"run.c", run_c, sizeof run_c},
    {"types.c", types_c, sizeof types_c},
    {"weights.c", weights_c, sizeof weights_c},
};

const tfc_embedded_file *tfc_runtime_files(int *count) {
  *count = (int)(sizeof files / sizeof files[0]);
  return files;
}
