/* Checks of the pointers that a call is given. */
#include "context.h"

typedef struct place {
  const char *side;
  int32_t index;
  const tfc_tensor_info *info;
} place;

static place place_of(const tfc_entry *entry, int32_t tensor) {
  if (tensor < entry->input_count) return (place){"input", tensor, &entry->inputs[tensor]};
  int32_t index = tensor - entry->input_count;
  return (place){"output", index, &entry->outputs[index]};
}

/* The alignment of the type's elements; complex numbers are aligned like their parts. */
static int64_t alignment_of(int32_t type) {
  int64_t byte_count = tfc_type_byte_count(type);
  return type == TFC_COMPLEX64 || type == TFC_COMPLEX128 ? byte_count / 2 : byte_count;
}

static int32_t fill_span(
    tfc_context *context, const tfc_entry *entry, const void *const *inputs, void *const *outputs,
    const int64_t *symbols, tfc_span *span) {
  place p = place_of(entry, span->tensor);
  int32_t is_input = span->tensor < entry->input_count;
  const void *data = is_input ? inputs[p.index] : outputs[p.index];
  int64_t byte_count = tfc_extents(entry, p.info, symbols, NULL);
  if (byte_count < 0) {
    return tfc_fail(
        context, TFC_INVALID_ARGUMENT, "%s %d '%s': an extent is negative or too large", p.side, p.index, p.info->name);
  }
  span->begin = span->end = UINTPTR_MAX;
  if (byte_count == 0) return TFC_OK;
  if (data == NULL) {
    return tfc_fail(context, TFC_INVALID_ARGUMENT, "%s %d '%s': data is null", p.side, p.index, p.info->name);
  }
  if (context->device == NULL && (uintptr_t)data % (uintptr_t)alignment_of(p.info->type) != 0) {
    return tfc_fail(
        context, TFC_INVALID_ARGUMENT, "%s %d '%s': data is not aligned to %lld bytes", p.side, p.index, p.info->name,
        (long long)alignment_of(p.info->type));
  }
  span->begin = (uintptr_t)data;
  if (__builtin_add_overflow(span->begin, (uintptr_t)byte_count, &span->end)) {
    return tfc_fail(
        context, TFC_INVALID_ARGUMENT, "%s %d '%s': data ends after the last address", p.side, p.index, p.info->name);
  }
  return TFC_OK;
}

/* Sorts by address. The spans keep their order from call to call, so this is O(count) when buffers are reused. */
static void sort_spans(tfc_span *spans, int32_t count) {
  for (int32_t i = 1; i < count; i++) {
    tfc_span span = spans[i];
    int32_t hole = i;
    for (; hole > 0 && spans[hole - 1].begin > span.begin; hole--) spans[hole] = spans[hole - 1];
    spans[hole] = span;
  }
}

/* Whether the span is an input in the buffer of the output that may share it; the output stands for both. With more
 * than these two at one address, the output overlaps another tensor, and is refused whatever this returns. */
static int32_t is_donated(const tfc_entry *entry, const tfc_span *spans, int32_t count, int32_t s) {
  if (spans[s].tensor >= entry->input_count) return 0;
  for (int32_t n = s - 1; n <= s + 1; n += 2) {
    if (n < 0 || n >= count || spans[n].begin != spans[s].begin || spans[n].tensor < entry->input_count) continue;
    if (place_of(entry, spans[n].tensor).info->alias == spans[s].tensor) return 1;
  }
  return 0;
}

static int32_t refuse_overlap(tfc_context *context, const tfc_entry *entry, int32_t a, int32_t b) {
  place output = place_of(entry, a > b ? a : b);
  place other = place_of(entry, a > b ? b : a);
  return tfc_fail(
      context, TFC_INVALID_ARGUMENT, "output %d '%s' overlaps %s %d '%s'", output.index, output.info->name, other.side,
      other.index, other.info->name);
}

int32_t tfc_check_buffers(
    tfc_context *context, const tfc_entry *entry, const void *const *inputs, void *const *outputs,
    const int64_t *symbols) {
  int32_t count = entry->input_count + entry->output_count;
  tfc_span *spans = context->spans;
  if (context->spans_entry != entry) {
    for (int32_t t = 0; t < count; t++) spans[t].tensor = t;
    context->spans_entry = entry;
  }
  for (int32_t s = 0; s < count; s++) {
    int32_t status = fill_span(context, entry, inputs, outputs, symbols, &spans[s]);
    if (status != TFC_OK) return status;
  }
  sort_spans(spans, count);
  /* The spans before this one that reach furthest: of all tensors, and of outputs. */
  tfc_span any = {0, 0, 0}, output = {0, 0, 0};
  for (int32_t s = 0; s < count && spans[s].begin != UINTPTR_MAX; s++) {
    if (is_donated(entry, spans, count, s)) continue;
    int32_t is_output = spans[s].tensor >= entry->input_count;
    const tfc_span *before = is_output ? &any : &output;
    if (spans[s].begin < before->end) return refuse_overlap(context, entry, before->tensor, spans[s].tensor);
    if (spans[s].end > any.end) any = spans[s];
    if (is_output && spans[s].end > output.end) output = spans[s];
  }
  return TFC_OK;
}
