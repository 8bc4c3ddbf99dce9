/* Time and count of every launch, in programs compiled with profiling. */
#include <string.h>
#include <time.h>

#include "context.h"

int64_t tfc_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void tfc_profile_begin(const tfc_team *team, int32_t launch) {
  team->context->running_profile[launch].nanoseconds -= tfc_now();
}

void tfc_profile_end(const tfc_team *team, int32_t launch) {
  team->context->running_profile[launch].nanoseconds += tfc_now();
  team->context->running_profile[launch].count++;
}

const tfc_profile *tfc_profile_of_entry(const tfc_context *context, int32_t entry) {
  if (context == NULL || entry < 0 || entry >= context->artifact->entry_count) return NULL;
  if (context->artifact->entries[entry].launch_count == 0) return NULL;
  const tfc_profile *profile = context->profile;
  for (int32_t e = 0; e < entry; e++) profile += context->artifact->entries[e].launch_count;
  return profile;
}

void tfc_reset_profile(tfc_context *context) {
  if (context == NULL) return;
  for (int32_t e = 0; e < context->artifact->entry_count; e++) {
    int32_t count = context->artifact->entries[e].launch_count;
    if (count > 0) memset((tfc_profile *)tfc_profile_of_entry(context, e), 0, (size_t)count * sizeof(tfc_profile));
  }
}
