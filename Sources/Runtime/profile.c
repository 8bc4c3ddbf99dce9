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

void tfc_profile_add(int64_t *time, int64_t begin) {
  __atomic_fetch_add(time, tfc_now() - begin, __ATOMIC_RELAXED);
}

void tfc_profile_bands(const tfc_team *team, int32_t launch, int32_t count, const int64_t *times, int64_t begin) {
  double elapsed = (double)(tfc_now() - begin);
  double sum = 0;
  for (int32_t i = 0; i < count; i++) sum += (double)times[i];
  for (int32_t i = 0; i < count; i++) {
    tfc_profile *profile = &team->context->running_profile[launch + i];
    if (sum > 0) profile->nanoseconds += (int64_t)(elapsed * ((double)times[i] / sum));
    profile->count++;
  }
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
