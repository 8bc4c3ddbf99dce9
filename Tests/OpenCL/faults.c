/* Runs kernels with faults, so that a test knows that they are reported: `faults race | uninitialized | bounds | call`. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define COUNT 8
#define BYTE_COUNT (COUNT * sizeof(cl_int))

static const char *source =
    "__kernel void race(__global const int *x, __global int *y) {\n"
    "  __local int shared[8];\n"
    "  const int i = (int)get_local_id(0);\n"
    "  shared[i] = x[i];\n"
    "  y[i] = shared[7 - i];\n"
    "}\n"
    "__kernel void uninitialized(__global const int *x, __global int *y) {\n"
    "  const int i = (int)get_local_id(0);\n"
    "  y[i] = y[i] > 0 ? x[i] : 1;\n"
    "}\n"
    "__kernel void bounds(__global const int *x, __global int *y) {\n"
    "  const int i = (int)get_local_id(0);\n"
    "  y[i] = x[i + 1];\n"
    "}\n";

#define FUNCTION(name) __typeof__(&name) name##_ = (__typeof__(&name))dlsym(library, #name)

int main(int argument_count, char **arguments) {
  void *library = dlopen("libOpenCL.so.1", RTLD_NOW);
  if (argument_count != 2 || library == NULL) return 2;
  const char *fault = arguments[1];
  FUNCTION(clGetPlatformIDs);
  FUNCTION(clGetDeviceIDs);
  FUNCTION(clCreateContext);
  FUNCTION(clCreateCommandQueue);
  FUNCTION(clCreateProgramWithSource);
  FUNCTION(clBuildProgram);
  FUNCTION(clCreateKernel);
  FUNCTION(clCreateBuffer);
  FUNCTION(clSetKernelArg);
  FUNCTION(clEnqueueWriteBuffer);
  FUNCTION(clEnqueueNDRangeKernel);
  FUNCTION(clFinish);
  cl_platform_id platform;
  cl_device_id device;
  if (clGetPlatformIDs_(1, &platform, NULL) != CL_SUCCESS) return 2;
  if (clGetDeviceIDs_(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL) != CL_SUCCESS) return 2;
  cl_context context = clCreateContext_(NULL, 1, &device, NULL, NULL, NULL);
  cl_command_queue queue = clCreateCommandQueue_(context, device, 0, NULL);
  cl_program program = clCreateProgramWithSource_(context, 1, &source, NULL, NULL);
  if (clBuildProgram_(program, 1, &device, "-cl-std=CL1.2", NULL, NULL) != CL_SUCCESS) return 2;
  cl_kernel kernel = clCreateKernel_(program, strcmp(fault, "call") == 0 ? "race" : fault, NULL);
  cl_mem x = clCreateBuffer_(context, CL_MEM_READ_ONLY, BYTE_COUNT, NULL, NULL);
  cl_mem y = clCreateBuffer_(context, CL_MEM_READ_WRITE, BYTE_COUNT, NULL, NULL);
  const cl_int numbers[COUNT] = {1, 2, 3, 4, 5, 6, 7, 8};
  const size_t count = COUNT;
  clEnqueueWriteBuffer_(queue, x, CL_TRUE, 0, BYTE_COUNT, numbers, 0, NULL, NULL);
  clSetKernelArg_(kernel, 0, sizeof x, &x);
  if (strcmp(fault, "call") == 0) return clSetKernelArg_(kernel, 2, sizeof y, &y) == CL_SUCCESS;
  clSetKernelArg_(kernel, 1, sizeof y, &y);
  clEnqueueNDRangeKernel_(queue, kernel, 1, NULL, &count, &count, 0, NULL, NULL);
  return clFinish_(queue) != CL_SUCCESS;
}
