/* The first contexts of a process, made on several threads at once: drivers begin with the first question. */
#include <pthread.h>

#include "opencl_model.h"

enum { HOSTS = 8 };

/* What a thread makes, with one of two libraries. */
typedef struct host {
  const tfc_artifact_table *artifact;
  tfc_context *context;
  char error[TFC_ERROR_BYTE_COUNT];
  pthread_t thread;
} host;

static pthread_barrier_t start;

static void *make(void *argument) {
  host *h = argument;
  const tfc_functions *functions = h->artifact->functions;
  pthread_barrier_wait(&start);
  h->context = functions->create(h->artifact, NULL);
  if (h->context == NULL) snprintf(h->error, sizeof h->error, "%s", functions->last_error(NULL));
  return NULL;
}

static void first_contexts_may_be_made_at_once(void) {
  void *libraries[2];
  const tfc_artifact_table *artifacts[2];
  host hosts[HOSTS] = {0};
  libraries[0] = open_model("mix", &artifacts[0]);
  libraries[1] = open_model("mix_copy", &artifacts[1]);
  pthread_barrier_init(&start, NULL, HOSTS);
  for (int h = 0; h < HOSTS; h++) {
    hosts[h].artifact = artifacts[h % 2];
    pthread_create(&hosts[h].thread, NULL, make, &hosts[h]);
  }
  for (int h = 0; h < HOSTS; h++) pthread_join(hosts[h].thread, NULL);
  /* A context of its own time tells where they should be. */
  mix *later = mix_create(NULL);
  const char *place = NULL;
  int32_t target = mix_target(later, &place);
  for (int h = 0; h < HOSTS; h++) {
    const char *why = "";
    expect_text(hosts[h].error, "");
    if (hosts[h].context == NULL) continue;
    expect(hosts[h].artifact->functions->target(hosts[h].context, &why) == target);
    expect_text(why, place);
    hosts[h].artifact->functions->destroy(hosts[h].context);
  }
  mix_destroy(later);
  pthread_barrier_destroy(&start);
  for (int l = 0; l < 2; l++) dlclose(libraries[l]);
}

void test_first_contexts(void) { RUN(first_contexts_may_be_made_at_once); }
