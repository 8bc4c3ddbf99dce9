/* Large tensors on their way between the caller's memory and a device's own.
 *
 * Such a device reads and writes the host's memory fastest where the driver has pinned it. A tensor passes through two pinned
 * pieces in turn: while one is transferred the host copies the other. Without pinned memory, and for small tensors, which
 * drivers put into their commands, the transfer is the driver's alone. */
#include <string.h>

#include "opencl.h"

#define PIECE_BYTE_COUNT ((size_t)1 << 20)
#define STAGED_BYTE_COUNT ((size_t)256 << 10)

static uint8_t *piece(const tfc_opencl_stage *stage, int32_t turn) {
  return stage->pieces + (size_t)turn * PIECE_BYTE_COUNT;
}

static size_t piece_byte_count(size_t rest) { return rest < PIECE_BYTE_COUNT ? rest : PIECE_BYTE_COUNT; }

/* Whether there are pinned pieces; those that cannot be had are not asked for again. */
static int32_t has_pieces(tfc_opencl_stage *stage) {
  cl_int error;
  if (stage->pieces != NULL || stage->is_refused) return stage->pieces != NULL;
  stage->is_refused = 1;
  cl_mem memory = tfc_cl.clCreateBuffer(
      stage->shared->context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, 2 * PIECE_BYTE_COUNT, NULL, &error);
  if (error != CL_SUCCESS) return 0;
  void *pieces = tfc_cl.clEnqueueMapBuffer(
      stage->queue, memory, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0, 2 * PIECE_BYTE_COUNT, 0, NULL, NULL, &error);
  if (error != CL_SUCCESS) {
    tfc_cl.clReleaseMemObject(memory);
    return 0;
  }
  stage->memory = memory;
  stage->pieces = pieces;
  return 1;
}

static int32_t is_staged(tfc_opencl_stage *stage, size_t byte_count) {
  return stage->shared->device.has_own_memory && byte_count >= STAGED_BYTE_COUNT && has_pieces(stage);
}

/* Waits until the piece is in no transfer. */
static int32_t settle(tfc_context *context, tfc_opencl_stage *stage, int32_t turn) {
  cl_event event = stage->events[turn];
  if (event == NULL) return TFC_OK;
  cl_int error = tfc_cl.clWaitForEvents(1, &event);
  tfc_cl.clReleaseEvent(event);
  stage->events[turn] = NULL;
  return error == CL_SUCCESS ? TFC_OK : tfc_opencl_fail(context, "clWaitForEvents", error, NULL);
}

/* The status of an enqueued transfer, which begins at once. */
static int32_t begun(tfc_context *context, tfc_opencl_stage *stage, const char *call, cl_int error) {
  if (error != CL_SUCCESS) return tfc_opencl_fail(context, call, error, NULL);
  error = tfc_cl.clFlush(stage->queue);
  return error == CL_SUCCESS ? TFC_OK : tfc_opencl_fail(context, "clFlush", error, NULL);
}

static int32_t write_piece(
    tfc_context *context, tfc_opencl_stage *stage, cl_mem memory, size_t offset, const uint8_t *bytes,
    size_t byte_count) {
  int32_t turn = stage->turn;
  int32_t status = settle(context, stage, turn);
  if (status != TFC_OK) return status;
  memcpy(piece(stage, turn), bytes, byte_count);
  stage->turn = 1 - turn;
  cl_int error = tfc_cl.clEnqueueWriteBuffer(
      stage->queue, memory, CL_FALSE, offset, byte_count, piece(stage, turn), 0, NULL, &stage->events[turn]);
  if (error != CL_SUCCESS) stage->events[turn] = NULL;
  return begun(context, stage, "clEnqueueWriteBuffer", error);
}

int32_t tfc_opencl_send(
    tfc_context *context, tfc_opencl_stage *stage, cl_mem memory, const void *data, size_t byte_count) {
  if (!is_staged(stage, byte_count)) {
    cl_int error = tfc_cl.clEnqueueWriteBuffer(stage->queue, memory, CL_FALSE, 0, byte_count, data, 0, NULL, NULL);
    return error == CL_SUCCESS ? TFC_OK : tfc_opencl_fail(context, "clEnqueueWriteBuffer", error, NULL);
  }
  int32_t status = TFC_OK;
  for (size_t at = 0; at < byte_count && status == TFC_OK; at += PIECE_BYTE_COUNT) {
    status = write_piece(context, stage, memory, at, (const uint8_t *)data + at, piece_byte_count(byte_count - at));
  }
  return status;
}

static int32_t read_piece(
    tfc_context *context, tfc_opencl_stage *stage, cl_mem memory, size_t offset, size_t byte_count, int32_t turn) {
  int32_t status = settle(context, stage, turn);
  if (status != TFC_OK) return status;
  cl_int error = tfc_cl.clEnqueueReadBuffer(
      stage->queue, memory, CL_FALSE, offset, byte_count, piece(stage, turn), 0, NULL, &stage->events[turn]);
  if (error != CL_SUCCESS) stage->events[turn] = NULL;
  return begun(context, stage, "clEnqueueReadBuffer", error);
}

int32_t tfc_opencl_receive(
    tfc_context *context, tfc_opencl_stage *stage, cl_mem memory, void *data, size_t byte_count) {
  if (!is_staged(stage, byte_count)) {
    cl_int error = tfc_cl.clEnqueueReadBuffer(stage->queue, memory, CL_FALSE, 0, byte_count, data, 0, NULL, NULL);
    return error == CL_SUCCESS ? TFC_OK : tfc_opencl_fail(context, "clEnqueueReadBuffer", error, NULL);
  }
  int32_t status = read_piece(context, stage, memory, 0, piece_byte_count(byte_count), 0);
  int32_t turn = 0;
  for (size_t at = 0; at < byte_count && status == TFC_OK; at += PIECE_BYTE_COUNT, turn = 1 - turn) {
    size_t next = at + PIECE_BYTE_COUNT;
    if (next < byte_count) status = read_piece(context, stage, memory, next, piece_byte_count(byte_count - next), 1 - turn);
    if (status == TFC_OK) status = settle(context, stage, turn);
    if (status == TFC_OK) memcpy((uint8_t *)data + at, piece(stage, turn), piece_byte_count(byte_count - at));
  }
  return status;
}

void tfc_opencl_close_stage(tfc_opencl_stage *stage) {
  for (int32_t turn = 0; turn < 2; turn++) {
    if (stage->events[turn] != NULL) tfc_cl.clReleaseEvent(stage->events[turn]);
  }
  if (stage->memory == NULL) return;
  tfc_cl.clEnqueueUnmapMemObject(stage->queue, stage->memory, stage->pieces, 0, NULL, NULL);
  tfc_cl.clFinish(stage->queue);
  tfc_cl.clReleaseMemObject(stage->memory);
}
