/* The scratch memory of a context. */
#include <stdlib.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "context.h"

/* Large arenas begin at a large page, so that the system can back them with such pages. */
#define LARGE_PAGE ((size_t)2 << 20)
#define CACHE_LINE ((size_t)64)

int32_t tfc_reserve_arena(tfc_context *context, int64_t byte_count) {
  if (byte_count >= 0 && byte_count <= context->arena_byte_count) return TFC_OK;
  size_t alignment = byte_count >= (int64_t)(4 * LARGE_PAGE) ? LARGE_PAGE : CACHE_LINE;
  void *arena = NULL;
  tfc_free_arena(context);
  if (byte_count < 0 || (uint64_t)byte_count > SIZE_MAX - LARGE_PAGE ||
      posix_memalign(&arena, alignment, (size_t)byte_count) != 0) {
    return tfc_fail(context, TFC_OUT_OF_MEMORY, "no memory for an arena of %lld bytes", (long long)byte_count);
  }
#if defined(__linux__)
  if (alignment == LARGE_PAGE) madvise(arena, (size_t)byte_count, MADV_HUGEPAGE);
#endif
  context->arena = arena;
  context->arena_byte_count = byte_count;
  return TFC_OK;
}

void tfc_free_arena(tfc_context *context) {
  free(context->arena);
  context->arena = NULL;
  context->arena_byte_count = 0;
}
