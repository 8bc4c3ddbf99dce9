/* Instructions beyond OpenCL C 1.2: a device has those that it names and that give the right results. */
#include "opencl.h"

/* Items of the kernel that tries them, a group. */
#define ITEM_COUNT 32
/* From here on there are products of bytes on NVIDIA's GPUs. */
#define BYTE_PRODUCTS_CAPABILITY 61

int32_t tfc_opencl_offered_features(const tfc_opencl_code *code, const tfc_opencl_device *device) {
  int32_t features = 0;
  if (device->nvidia_capability >= BYTE_PRODUCTS_CAPABILITY ||
      (device->nvidia_capability == 0 && device->has_byte_products)) {
    features |= TFC_OPENCL_BYTE_PRODUCTS;
  }
  if (device->nvidia_capability >= TFC_OPENCL_FRAGMENTS_CAPABILITY) features |= TFC_OPENCL_FRAGMENTS;
  return features & code->features;
}

int32_t tfc_opencl_has_fragments(tfc_context *context) {
  return (tfc_opencl_state_of(context)->shared->features & TFC_OPENCL_FRAGMENTS) != 0;
}

/* Runs the kernel; `found` gets what each item found right. */
static cl_int run(const tfc_opencl_shared *shared, cl_command_queue queue, cl_kernel kernel, cl_int *found) {
  cl_int error;
  size_t items = ITEM_COUNT;
  cl_mem memory = tfc_cl.clCreateBuffer(
      shared->context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, ITEM_COUNT * sizeof *found, found, &error);
  if (error != CL_SUCCESS) return error;
  error = tfc_cl.clSetKernelArg(kernel, 0, sizeof memory, &memory);
  if (error == CL_SUCCESS) {
    error = tfc_cl.clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &items, &items, 0, NULL, NULL);
  }
  if (error == CL_SUCCESS) {
    error = tfc_cl.clEnqueueReadBuffer(
        queue, memory, CL_TRUE, 0, ITEM_COUNT * sizeof *found, found, 0, NULL, NULL);
  }
  tfc_cl.clFinish(queue);
  tfc_cl.clReleaseMemObject(memory);
  return error;
}

int32_t tfc_opencl_try_features(const tfc_opencl_shared *shared) {
  cl_int error, found[ITEM_COUNT] = {0};
  int32_t features = 0;
  cl_command_queue queue = tfc_cl.clCreateCommandQueue(shared->context, shared->device.device_id, 0, &error);
  if (error != CL_SUCCESS) return 0;
  cl_kernel kernel = tfc_cl.clCreateKernel(shared->program, "tfc_try", &error);
  if (error == CL_SUCCESS) {
    if (run(shared, queue, kernel, found) == CL_SUCCESS) features = found[0];
    for (int32_t i = 1; i < ITEM_COUNT; i++) features &= found[i];
    tfc_cl.clReleaseKernel(kernel);
  }
  tfc_cl.clReleaseCommandQueue(queue);
  return features;
}
