/* The threads that help a call.
 *
 * One pool for each model library in a process, shared by its contexts: many contexts of a server then do not start
 * many times the threads of the machine. A call claims idle workers one by one, so that calls on several host threads
 * split the workers between them and never wait for each other; a call that gets none does its work alone. */
#ifndef TFC_POOL_H
#define TFC_POOL_H

#include <stdint.h>

/* More threads than this are not used. */
#define TFC_THREADS_MAX 512

typedef struct tfc_pool tfc_pool;
typedef struct tfc_worker tfc_worker;

/* The process's pool, ready for calls with `threads` threads, or null without memory. Starts no thread yet. */
tfc_pool *tfc_pool_retain(int32_t threads);

/* Ends and joins the threads when nobody else retains the pool. */
void tfc_pool_release(tfc_pool *pool);

/* Whether the pool's threads are in this process: a child of fork has none. */
int32_t tfc_pool_is_alive(const tfc_pool *pool);

/* Before and after a call: workers wait for its next kernel awake, for a while. */
void tfc_pool_enter(tfc_pool *pool);
void tfc_pool_leave(tfc_pool *pool);

/* A list of at most `wanted` idle workers, and how many they are. Starts threads while there are too few. */
tfc_worker *tfc_pool_claim(tfc_pool *pool, int32_t wanted, int32_t *count);

/* Calls body(state, 1), body(state, 2), ... on the claimed workers. */
void tfc_pool_start(tfc_worker *workers, void (*body)(void *state, int32_t index), void *state);

/* Returns when all have; the workers are idle again. */
void tfc_pool_finish(tfc_worker *workers);

#endif
