/* What this CPU can do, how many of them there are, and what a model needs. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#if defined(__linux__)
#include <sched.h>
#include <sys/syscall.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

#include "context.h"

/* A feature of x86-64 is one bit of CPUID, and needs the registers in `state` (bits of XCR0) to be saved by the system. */
static const struct {
  const char *name;
  uint32_t leaf, subleaf;
  enum { EAX, EBX, ECX, EDX } word;
  uint32_t bit;
  uint32_t state;
} features[TFC_CPU_FEATURE_COUNT] = {
#define YMM 0x6u
#define ZMM 0xE6u
#define TILE 0x60000u
    [TFC_CPU_SSE3] = {"sse3", 1, 0, ECX, 0, 0},
    [TFC_CPU_SSSE3] = {"ssse3", 1, 0, ECX, 9, 0},
    [TFC_CPU_SSE4_1] = {"sse4.1", 1, 0, ECX, 19, 0},
    [TFC_CPU_SSE4_2] = {"sse4.2", 1, 0, ECX, 20, 0},
    [TFC_CPU_POPCNT] = {"popcnt", 1, 0, ECX, 23, 0},
    [TFC_CPU_CX16] = {"cx16", 1, 0, ECX, 13, 0},
    [TFC_CPU_LAHF] = {"sahf", 0x80000001u, 0, ECX, 0, 0},
    [TFC_CPU_MOVBE] = {"movbe", 1, 0, ECX, 22, 0},
    [TFC_CPU_LZCNT] = {"lzcnt", 0x80000001u, 0, ECX, 5, 0},
    [TFC_CPU_BMI] = {"bmi", 7, 0, EBX, 3, 0},
    [TFC_CPU_BMI2] = {"bmi2", 7, 0, EBX, 8, 0},
    [TFC_CPU_ADX] = {"adx", 7, 0, EBX, 19, 0},
    [TFC_CPU_F16C] = {"f16c", 1, 0, ECX, 29, YMM},
    [TFC_CPU_FMA] = {"fma", 1, 0, ECX, 12, YMM},
    [TFC_CPU_AVX] = {"avx", 1, 0, ECX, 28, YMM},
    [TFC_CPU_AVX2] = {"avx2", 7, 0, EBX, 5, YMM},
    [TFC_CPU_AVX512F] = {"avx512f", 7, 0, EBX, 16, ZMM},
    [TFC_CPU_AVX512CD] = {"avx512cd", 7, 0, EBX, 28, ZMM},
    [TFC_CPU_AVX512BW] = {"avx512bw", 7, 0, EBX, 30, ZMM},
    [TFC_CPU_AVX512DQ] = {"avx512dq", 7, 0, EBX, 17, ZMM},
    [TFC_CPU_AVX512VL] = {"avx512vl", 7, 0, EBX, 31, ZMM},
    [TFC_CPU_AVX512IFMA] = {"avx512ifma", 7, 0, EBX, 21, ZMM},
    [TFC_CPU_AVX512VBMI] = {"avx512vbmi", 7, 0, ECX, 1, ZMM},
    [TFC_CPU_AVX512VBMI2] = {"avx512vbmi2", 7, 0, ECX, 6, ZMM},
    [TFC_CPU_AVX512VNNI] = {"avx512vnni", 7, 0, ECX, 11, ZMM},
    [TFC_CPU_AVX512BITALG] = {"avx512bitalg", 7, 0, ECX, 12, ZMM},
    [TFC_CPU_AVX512VPOPCNTDQ] = {"avx512vpopcntdq", 7, 0, ECX, 14, ZMM},
    [TFC_CPU_AVX512BF16] = {"avx512bf16", 7, 1, EAX, 5, ZMM},
    [TFC_CPU_AVX512FP16] = {"avx512fp16", 7, 0, EDX, 23, ZMM},
    [TFC_CPU_AVXVNNI] = {"avxvnni", 7, 1, EAX, 4, YMM},
    [TFC_CPU_GFNI] = {"gfni", 7, 0, ECX, 8, 0},
    [TFC_CPU_AMX_TILE] = {"amx-tile", 7, 0, EDX, 24, TILE},
    [TFC_CPU_AMX_BF16] = {"amx-bf16", 7, 0, EDX, 22, TILE},
    [TFC_CPU_AMX_INT8] = {"amx-int8", 7, 0, EDX, 25, TILE},
    [TFC_CPU_AMX_FP16] = {"amx-fp16", 7, 1, EAX, 21, TILE},
    [TFC_CPU_BF16] = {.name = "bf16"},
};

const char *tfc_cpu_feature_name(int32_t feature) {
  return feature > 0 && feature < TFC_CPU_FEATURE_COUNT ? features[feature].name : NULL;
}

#if defined(__x86_64__)
/* The register states that the system saves, or 0. */
static uint64_t saved_states(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 27))) return 0;
  __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
  return ((uint64_t)d << 32) | a;
}

/* Whether the system lets this process use tiles; on Linux a process must ask. */
static int32_t permits_tiles(void) {
#if defined(__linux__)
  const long request_permission = 0x1023, tile_data = 18;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return 0;
#endif
}

static int32_t offers(int32_t feature, uint64_t states) {
  uint32_t words[4];
  if (features[feature].leaf == 0) return 0; /* of another architecture */
  if (!__get_cpuid_count(
          features[feature].leaf, features[feature].subleaf, &words[EAX], &words[EBX], &words[ECX], &words[EDX])) {
    return 0;
  }
  uint64_t state = features[feature].state;
  return (words[features[feature].word] >> features[feature].bit & 1) && (states & state) == state;
}

/* One bit for each feature, asked of the CPU once: CPUID is slow in a virtual machine. Bit 0 says that it is done. */
static uint64_t offered(void) {
  static _Atomic uint64_t known;
  uint64_t bits = atomic_load(&known);
  if (bits != 0) return bits;
  bits = 1;
  uint64_t states = saved_states();
  for (int32_t f = 1; f < TFC_CPU_FEATURE_COUNT; f++) bits |= (uint64_t)offers(f, states) << f;
  const uint64_t tiles = (uint64_t)1 << TFC_CPU_AMX_TILE | (uint64_t)1 << TFC_CPU_AMX_BF16 |
                         (uint64_t)1 << TFC_CPU_AMX_INT8 | (uint64_t)1 << TFC_CPU_AMX_FP16;
  if ((bits & tiles) != 0 && !permits_tiles()) bits &= ~tiles;
#if defined(TFC_TILES_ARE_EMULATED)  // Only tests define it, for CPUs without tiles: see Tests/Tiles.
  if ((bits & tiles) == 0) bits |= tiles;
#endif
  atomic_store(&known, bits);
  return bits;
}
#elif defined(__aarch64__) && defined(__linux__)
static uint64_t offered(void) {
  const unsigned long brief_floats = 1ul << 14; /* HWCAP2_BF16, which older headers lack */
  return (getauxval(AT_HWCAP2) & brief_floats) != 0 ? (uint64_t)1 << TFC_CPU_BF16 : 0;
}
#else
static uint64_t offered(void) { return 0; }
#endif

int32_t tfc_cpu_has(int32_t feature) {
  return feature > 0 && feature < TFC_CPU_FEATURE_COUNT && (offered() >> feature & 1);
}

int32_t tfc_has_f16_tiles(void) { return tfc_cpu_has(TFC_CPU_AMX_TILE) && tfc_cpu_has(TFC_CPU_AMX_FP16); }
int32_t tfc_has_bf16_tiles(void) { return tfc_cpu_has(TFC_CPU_AMX_TILE) && tfc_cpu_has(TFC_CPU_AMX_BF16); }

/* The names of the features that the artifact needs and the CPU lacks. */
static void list_missing(const tfc_artifact_table *artifact, char *list, size_t byte_count) {
  size_t used = 0;
  list[0] = 0;
  for (int32_t i = 0; i < artifact->cpu_feature_count; i++) {
    int32_t feature = artifact->cpu_features[i];
    if (tfc_cpu_has(feature)) continue;
    const char *name = tfc_cpu_feature_name(feature);
    int written = snprintf(
        list + used, byte_count - used, "%s%s", used > 0 ? ", " : "", name != NULL ? name : "(newer feature)");
    if (written > 0) used += (size_t)written;
    if (used >= byte_count) used = byte_count - 1;
  }
}

const char *tfc_cpu_refusal(const tfc_artifact_table *artifact) {
  /* A library has one table, so its sentence is written once and then only read. */
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static const tfc_artifact_table *refused;
  static char sentence[2 * TFC_ERROR_BYTE_COUNT];
  char missing[TFC_ERROR_BYTE_COUNT];
  list_missing(artifact, missing, sizeof missing);
  if (missing[0] == 0) return NULL;
  pthread_mutex_lock(&lock);
  if (refused != artifact) {
    snprintf(
        sentence, sizeof sentence, "this CPU has no %s, for which '%s' was compiled (%s)", missing, artifact->name,
        artifact->build);
    refused = artifact;
  }
  pthread_mutex_unlock(&lock);
  return sentence;
}

/* The CPUs' worth of time that the control group grants, or `count` when it sets no limit. */
static int32_t limited_by_quota(int32_t count) {
#if defined(__linux__)
  FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
  if (file == NULL) return count;
  long long quota, period;
  if (fscanf(file, "%lld %lld", &quota, &period) == 2 && quota > 0 && period > 0) {
    long long granted = (quota + period - 1) / period;
    if (granted < count) count = (int32_t)granted;
  }
  fclose(file);
#endif
  return count;
}

int32_t tfc_cpu_count(void) {
  int32_t count = 0;
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) count = CPU_COUNT(&set);
#endif
  if (count < 1) count = (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
  if (count < 1) count = 1;
  return limited_by_quota(count);
}
