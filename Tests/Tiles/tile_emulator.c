/*
 * The instructions are those of the instruction set reference, in 64-bit mode, with palette 1: LDTILECFG, STTILECFG,
 * TILERELEASE, TILEZERO, TILELOADD, TILELOADDT1, TILESTORED, TDPBF16PS, TDPFP16PS, TDPBSSD, TDPBSUD, TDPBUSD, TDPBUUD.
 * An instruction that faults there faults here: what is undefined goes to the handler that SIGILL had before.
 * Prefixes before VEX (segment, address size) are not known; no compiler writes them.
 */
#include "tile_emulator.h"

#include <cpuid.h>
#include <immintrin.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { TILE_COUNT = 8, ROW_COUNT = 16, ROW_BYTE_COUNT = 64, COLUMN_COUNT = ROW_BYTE_COUNT / 4 };

/* What LDTILECFG loads and STTILECFG stores. */
typedef struct {
  uint8_t palette;
  uint8_t start_row;
  uint8_t reserved_before[14];
  uint16_t column_byte_counts[TILE_COUNT];
  uint8_t reserved_between[16];
  uint8_t row_counts[TILE_COUNT];
  uint8_t reserved_after[8];
} configuration;

_Static_assert(sizeof(configuration) == 64, "the layout is the instruction's");

typedef union {
  uint8_t bytes[ROW_COUNT][ROW_BYTE_COUNT];
  uint32_t words[ROW_COUNT][COLUMN_COUNT];
} tile;

/* The tile registers of a thread; palette 0 says that there is no configuration. */
static _Thread_local struct {
  configuration configuration;
  tile tiles[TILE_COUNT];
} state;

static _Thread_local volatile int emulated_count;

typedef enum {
  EXECUTED,
  UNDEFINED, /* #UD */
  PROTECTED, /* #GP */
} outcome;

/* The mandatory prefix, as VEX encodes it. */
enum { NO_PREFIX, PREFIX_66, PREFIX_F3, PREFIX_F2 };

/* A VEX instruction of the map 0F38 with L = 0 and W = 0, whose third byte and operands are taken apart. */
typedef struct {
  int opcode;
  int prefix;
  int modifier;     /* ModRM.mod; 3: registers */
  int reg;          /* ModRM.reg with VEX.R */
  int rm;           /* ModRM.rm with VEX.B */
  int third;        /* VEX.vvvv */
  int has_sib;
  int64_t address;  /* base and displacement */
  int64_t stride;   /* the index register, scaled; 0 without one */
  int byte_count;
} instruction;

/* The number of each general register in a signal's context. */
static const int register_places[16] = {
    REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
    REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

static int64_t signed_word(const uint8_t *bytes) {
  int32_t word;
  memcpy(&word, bytes, sizeof word);
  return word;
}

/* Reads SIB and displacement after the ModRM byte at `code[4]`. */
static void decode_memory(const uint8_t *code, const greg_t *registers, int extends_index, int extends_base,
                          instruction *i) {
  int position = 5, base = i->rm;
  i->has_sib = (code[4] & 7) == 4;
  if (i->has_sib) {
    int sib = code[position++];
    int index = (sib >> 3 & 7) | extends_index << 3;
    base = (sib & 7) | extends_base << 3;
    i->stride = index == 4 ? 0 : (int64_t)((uint64_t)registers[register_places[index]] << (sib >> 6));
  }
  int has_no_base = i->modifier == 0 && (base & 7) == 5;
  int displacement_byte_count = i->modifier == 1 ? 1 : i->modifier == 2 || has_no_base ? 4 : 0;
  int64_t displacement = 0;
  if (displacement_byte_count == 1) displacement = (int8_t)code[position];
  if (displacement_byte_count == 4) displacement = signed_word(code + position);
  i->byte_count = position + displacement_byte_count;
  if (!has_no_base) {
    i->address = registers[register_places[base]] + displacement;
  } else {
    int64_t next = (int64_t)(intptr_t)(code + i->byte_count);
    i->address = i->has_sib ? displacement : next + displacement;
  }
}

/* Takes apart what stands at `code`; 0 for what is no tile instruction. */
static int decode(const uint8_t *code, const greg_t *registers, instruction *i) {
  if (code[0] != 0xC4 || (code[1] & 0x1F) != 2 || (code[2] & 0x84) != 0) return 0;
  int extends_reg = !(code[1] & 0x80), extends_index = !(code[1] & 0x40), extends_base = !(code[1] & 0x20);
  *i = (instruction){
      .opcode = code[3],
      .prefix = code[2] & 3,
      .third = (code[2] >> 3 & 15) ^ 15,
      .modifier = code[4] >> 6,
      .reg = (code[4] >> 3 & 7) | extends_reg << 3,
      .rm = (code[4] & 7) | extends_base << 3,
      .byte_count = 5,
  };
  if (i->opcode != 0x49 && i->opcode != 0x4B && i->opcode != 0x5C && i->opcode != 0x5E) return 0;
  if (i->modifier != 3) decode_memory(code, registers, extends_index, extends_base, i);
  return 1;
}

static int is_zero(const uint8_t *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (bytes[i] != 0) return 0;
  }
  return 1;
}

static int is_valid(const configuration *c) {
  if (c->palette > 1 || !is_zero(c->reserved_before, sizeof c->reserved_before) ||
      !is_zero(c->reserved_between, sizeof c->reserved_between) ||
      !is_zero(c->reserved_after, sizeof c->reserved_after)) {
    return 0;
  }
  for (int t = 0; t < TILE_COUNT; t++) {
    if (c->row_counts[t] > ROW_COUNT || c->column_byte_counts[t] > ROW_BYTE_COUNT) return 0;
    if ((c->row_counts[t] == 0) != (c->column_byte_counts[t] == 0)) return 0;
  }
  return 1;
}

static outcome load_configuration(const void *address) {
  configuration loaded;
  memcpy(&loaded, address, sizeof loaded);
  if (loaded.palette != 0 && !is_valid(&loaded)) return PROTECTED;
  memset(&state, 0, sizeof state);
  if (loaded.palette != 0) state.configuration = loaded;
  return EXECUTED;
}

static int is_usable(int t) {
  return t < TILE_COUNT && state.configuration.row_counts[t] > 0 && state.configuration.column_byte_counts[t] % 4 == 0;
}

/* Opcode 49: configurations and zeroed tiles. */
static outcome execute_configuring(const instruction *i) {
  if (i->third != 0) return UNDEFINED;
  void *address = (void *)(intptr_t)(i->address + i->stride);
  if (i->modifier != 3) {
    if (i->reg != 0) return UNDEFINED;
    if (i->prefix == NO_PREFIX) return load_configuration(address);
    if (i->prefix != PREFIX_66) return UNDEFINED;
    memcpy(address, &state.configuration, sizeof state.configuration);
    return EXECUTED;
  }
  if (i->prefix == NO_PREFIX && i->reg == 0 && i->rm == 0) {
    memset(&state, 0, sizeof state);
    return EXECUTED;
  }
  if (i->prefix != PREFIX_F2 || i->rm != 0) return UNDEFINED;
  if (i->reg >= TILE_COUNT || state.configuration.row_counts[i->reg] == 0) return UNDEFINED;
  memset(&state.tiles[i->reg], 0, sizeof(tile));
  state.configuration.start_row = 0;
  return EXECUTED;
}

/* Opcode 4B: tiles to and from memory, a row each stride. */
static outcome execute_moving(const instruction *i) {
  if (i->modifier == 3 || !i->has_sib || i->third != 0 || i->prefix == NO_PREFIX || !is_usable(i->reg)) {
    return UNDEFINED;
  }
  int row_count = state.configuration.row_counts[i->reg];
  size_t byte_count = state.configuration.column_byte_counts[i->reg];
  int start = state.configuration.start_row;
  tile *t = &state.tiles[i->reg];
  if (start >= row_count) return UNDEFINED;
  if (i->prefix != PREFIX_F3 && start == 0) memset(t, 0, sizeof *t);
  for (int row = start; row < row_count; row++) {
    void *address = (void *)(intptr_t)((uint64_t)i->address + (uint64_t)row * (uint64_t)i->stride);
    if (i->prefix == PREFIX_F3) {
      memcpy(address, t->bytes[row], byte_count);
    } else {
      memcpy(t->bytes[row], address, byte_count);
    }
  }
  state.configuration.start_row = 0;
  return EXECUTED;
}

static uint32_t float_bits_of_half(uint32_t half) {
  uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 0x1F, fraction = half & 0x3FF;
  if (exponent == 0x1F) return sign | 0x7F800000u | fraction << 13;
  if (exponent != 0) return sign | (exponent + 112) << 23 | fraction << 13;
  if (fraction == 0) return sign;
  int shift = __builtin_clz(fraction) - 21;
  return sign | (uint32_t)(113 - shift) << 23 | (fraction << shift & 0x3FF) << 13;
}

/* One half of each pair in a tile, as f32: the even ones or the odd ones. */
static void widen(const tile *t, int is_odd, int is_half_float, float values[ROW_COUNT][COLUMN_COUNT]) {
  for (int row = 0; row < ROW_COUNT; row++) {
    for (int column = 0; column < COLUMN_COUNT; column++) {
      uint32_t narrow = t->words[row][column] >> 16 * is_odd & 0xFFFF;
      uint32_t bits = is_half_float ? float_bits_of_half(narrow) : narrow << 16;
      memcpy(&values[row][column], &bits, sizeof bits);
    }
  }
}

/*
 * Adds products of pairs. A row's even and odd products are summed apart, each by fused multiply-adds in order, and
 * then added to each other and to what was there. The caller has set denormals to count as zero.
 */
__attribute__((noinline, target("avx2,fma"))) static void multiply_pairs(
    const tile *a, const tile *b, int is_half_float, int row_count, int pair_count, int column_count, tile *sum) {
  static _Thread_local float left[2][ROW_COUNT][COLUMN_COUNT], right[2][ROW_COUNT][COLUMN_COUNT];
  for (int odd = 0; odd < 2; odd++) {
    widen(a, odd, is_half_float, left[odd]);
    widen(b, odd, is_half_float, right[odd]);
  }
  for (int row = 0; row < row_count; row++) {
    float sums[2][COLUMN_COUNT] = {{0}};
    for (int k = 0; k < pair_count; k++) {
      for (int odd = 0; odd < 2; odd++) {
        for (int column = 0; column < COLUMN_COUNT; column++) {
          sums[odd][column] = __builtin_fmaf(left[odd][row][k], right[odd][k][column], sums[odd][column]);
        }
      }
    }
    for (int column = 0; column < column_count; column++) {
      float previous, both = sums[0][column] + sums[1][column];
      memcpy(&previous, &sum->words[row][column], sizeof previous);
      previous += both;
      memcpy(&sum->words[row][column], &previous, sizeof previous);
    }
  }
}

/* The byte `position` of a word, with or without its sign. */
static int32_t byte_of(uint32_t word, int position, int is_signed) {
  uint8_t byte = (uint8_t)(word >> 8 * position);
  return is_signed ? (int8_t)byte : byte;
}

/* Adds products of four bytes each; sums wrap. */
static void multiply_bytes(const tile *a, int a_is_signed, const tile *b, int b_is_signed, int row_count,
                           int quad_count, int column_count, tile *sum) {
  for (int row = 0; row < row_count; row++) {
    for (int k = 0; k < quad_count; k++) {
      for (int column = 0; column < column_count; column++) {
        uint32_t left = a->words[row][k], right = b->words[k][column];
        for (int p = 0; p < 4; p++) {
          sum->words[row][column] +=
              (uint32_t)(byte_of(left, p, a_is_signed) * byte_of(right, p, b_is_signed));
        }
      }
    }
  }
}

/* Opcodes 5C and 5E: `reg += rm * third`. */
static outcome execute_multiplying(const instruction *i) {
  const configuration *c = &state.configuration;
  int sum = i->reg, a = i->rm, b = i->third;
  int is_float = i->opcode == 0x5C;
  if (i->modifier != 3 || (is_float && i->prefix != PREFIX_F3 && i->prefix != PREFIX_F2)) return UNDEFINED;
  if (sum == a || sum == b || a == b || !is_usable(sum) || !is_usable(a) || !is_usable(b)) return UNDEFINED;
  int row_count = c->row_counts[a], k_count = c->row_counts[b], column_count = c->column_byte_counts[b] / 4;
  if (c->row_counts[sum] != row_count || c->column_byte_counts[a] != 4 * k_count ||
      c->column_byte_counts[sum] != 4 * column_count) {
    return UNDEFINED;
  }
  const tile *left = &state.tiles[a], *right = &state.tiles[b];
  if (is_float) {
    const unsigned flushing_to_nearest = 0x9FC0;
    unsigned before = _mm_getcsr();
    _mm_setcsr(flushing_to_nearest);
    multiply_pairs(left, right, i->prefix == PREFIX_F2, row_count, k_count, column_count, &state.tiles[sum]);
    _mm_setcsr(before);
  } else {
    int a_is_signed = i->prefix == PREFIX_F2 || i->prefix == PREFIX_F3;
    int b_is_signed = i->prefix == PREFIX_F2 || i->prefix == PREFIX_66;
    multiply_bytes(left, a_is_signed, right, b_is_signed, row_count, k_count, column_count, &state.tiles[sum]);
  }
  state.configuration.start_row = 0;
  return EXECUTED;
}

static outcome execute(const instruction *i) {
  switch (i->opcode) {
    case 0x49: return execute_configuring(i);
    case 0x4B: return execute_moving(i);
    default: return execute_multiplying(i);
  }
}

static struct sigaction previous_action;

/* What would have happened without the emulator. */
static void pass_on(int number, siginfo_t *information, void *context) {
  if (previous_action.sa_flags & SA_SIGINFO) {
    previous_action.sa_sigaction(number, information, context);
  } else if (previous_action.sa_handler == SIG_DFL || previous_action.sa_handler == SIG_IGN) {
    sigaction(SIGILL, &previous_action, NULL);  // The instruction faults again, and the process ends.
  } else {
    previous_action.sa_handler(number);
  }
}

static void handle(int number, siginfo_t *information, void *context) {
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  instruction i;
  if (!decode((const uint8_t *)(intptr_t)registers[REG_RIP], registers, &i)) {
    pass_on(number, information, context);
    return;
  }
  switch (execute(&i)) {
    case EXECUTED:
      registers[REG_RIP] += i.byte_count;
      emulated_count++;
      break;
    case UNDEFINED: pass_on(number, information, context); break;
    case PROTECTED: raise(SIGSEGV); break;
  }
}

int tfc_tiles_are_emulated(void) {
  unsigned a, b, c, d;
  return !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d >> 24 & 1);
}

int tfc_tiles_have_f16(void) {
  unsigned a, b, c, d;
  return tfc_tiles_are_emulated() || (__get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 21 & 1));
}

int tfc_tile_instruction_count(void) { return emulated_count; }

int tfc_install_tile_emulator(void) {
  const long request_permission = 0x1023, tile_data = 18;
  static atomic_flag is_installed = ATOMIC_FLAG_INIT;
  if (!tfc_tiles_are_emulated()) return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
  if (atomic_flag_test_and_set(&is_installed)) return 1;
  struct sigaction action = {.sa_flags = SA_SIGINFO | SA_NODEFER};
  action.sa_sigaction = handle;
  sigemptyset(&action.sa_mask);
  return sigaction(SIGILL, &action, &previous_action) == 0;
}

#if defined(TFC_TILE_EMULATOR_PRELOADED)
__attribute__((constructor)) static void install_at_start(void) { tfc_install_tile_emulator(); }
#endif
