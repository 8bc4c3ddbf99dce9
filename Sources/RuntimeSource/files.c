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
FILE_BYTES tfc_opencl_h[] = {
#embed "../Runtime/tfc_opencl.h"
};
FILE_BYTES tfc_opencl_devices_h[] = {
#embed "../Runtime/include/tfc_opencl_devices.h"
};
FILE_BYTES opencl_h[] = {
#embed "../Runtime/opencl.h"
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
FILE_BYTES opencl_backend_c[] = {
#embed "../Runtime/opencl_backend.c"
};
FILE_BYTES opencl_cache_c[] = {
#embed "../Runtime/opencl_cache.c"
};
FILE_BYTES opencl_choice_c[] = {
#embed "../Runtime/opencl_choice.c"
};
FILE_BYTES opencl_devices_c[] = {
#embed "../Runtime/opencl_devices.c"
};
FILE_BYTES opencl_errors_c[] = {
#embed "../Runtime/opencl_errors.c"
};
FILE_BYTES opencl_features_c[] = {
#embed "../Runtime/opencl_features.c"
};
FILE_BYTES opencl_launch_c[] = {
#embed "../Runtime/opencl_launch.c"
};
FILE_BYTES opencl_library_c[] = {
#embed "../Runtime/opencl_library.c"
};
FILE_BYTES opencl_memory_c[] = {
#embed "../Runtime/opencl_memory.c"
};
FILE_BYTES opencl_program_c[] = {
#embed "../Runtime/opencl_program.c"
};
FILE_BYTES opencl_shared_c[] = {
#embed "../Runtime/opencl_shared.c"
};
FILE_BYTES opencl_transfer_c[] = {
#embed "../Runtime/opencl_transfer.c"
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
/* OpenCL's own headers, which users' machines need not have. */
FILE_BYTES cl_h[] = {
#embed <CL/cl.h>
};
FILE_BYTES cl_platform_h[] = {
#embed <CL/cl_platform.h>
};
FILE_BYTES cl_version_h[] = {
#embed <CL/cl_version.h>
};

static const tfc_embedded_file files[] = {
    {"tfc_runtime.h", tfc_runtime_h, sizeof tfc_runtime_h},
    {"tfc_generated.h", tfc_generated_h, sizeof tfc_generated_h},
    {"context.h", context_h, sizeof context_h},
    {"float_environment.h", float_environment_h, sizeof float_environment_h},
    {"pool.h", pool_h, sizeof pool_h},
    {"tfc_opencl.h", tfc_opencl_h, sizeof tfc_opencl_h},
    {"tfc_opencl_devices.h", tfc_opencl_devices_h, sizeof tfc_opencl_devices_h},
    {"opencl.h", opencl_h, sizeof opencl_h},
    {"arena.c", arena_c, sizeof arena_c},
    {"buffers.c", buffers_c, sizeof buffers_c},
    {"context.c", context_c, sizeof context_c},
    {"cpu.c", cpu_c, sizeof cpu_c},
    {"extents.c", extents_c, sizeof extents_c},
    {"opencl_backend.c", opencl_backend_c, sizeof opencl_backend_c},
    {"opencl_cache.c", opencl_cache_c, sizeof opencl_cache_c},
    {"opencl_choice.c", opencl_choice_c, sizeof opencl_choice_c},
    {"opencl_devices.c", opencl_devices_c, sizeof opencl_devices_c},
    {"opencl_errors.c", opencl_errors_c, sizeof opencl_errors_c},
    {"opencl_features.c", opencl_features_c, sizeof opencl_features_c},
    {"opencl_launch.c", opencl_launch_c, sizeof opencl_launch_c},
    {"opencl_library.c", opencl_library_c, sizeof opencl_library_c},
    {"opencl_memory.c", opencl_memory_c, sizeof opencl_memory_c},
    {"opencl_program.c", opencl_program_c, sizeof opencl_program_c},
    {"opencl_shared.c", opencl_shared_c, sizeof opencl_shared_c},
    {"opencl_transfer.c", opencl_transfer_c, sizeof opencl_transfer_c},
    {"parallel.c", parallel_c, sizeof parallel_c},
    {"pool.c", pool_c, sizeof pool_c},
    {"profile.c", profile_c, sizeof profile_c},
    {"run.c", run_c, sizeof run_c},
    {"types.c", types_c, sizeof types_c},
    {"weights.c", weights_c, sizeof weights_c},
    {"CL/cl.h", cl_h, sizeof cl_h},
    {"CL/cl_platform.h", cl_platform_h, sizeof cl_platform_h},
    {"CL/cl_version.h", cl_version_h, sizeof cl_version_h},
};

const tfc_embedded_file *tfc_runtime_files(int *count) {
  *count = (int)(sizeof files / sizeof files[0]);
  return files;
}
