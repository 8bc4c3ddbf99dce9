/*
 * Intel AMX without AMX: on x86-64 Linux a handler of SIGILL executes the tile instructions that the CPU refuses.
 *
 * Link tile_emulator.c into a test and install it, or build it with -DTFC_TILE_EMULATOR_PRELOADED as a shared library
 * and name that in LD_PRELOAD, so that whole programs have tiles (see toolchain.sh).
 */
#ifndef TILE_EMULATOR_H
#define TILE_EMULATOR_H

/* Whether this CPU has no tiles, so that they are emulated once the emulator is installed. */
int tfc_tiles_are_emulated(void);

/* Whether products of f16 can be executed: by the emulator, or by this CPU. */
int tfc_tiles_have_f16(void);

/*
 * Executes tile instructions from now on, in all threads; where the CPU has tiles, asks the kernel for them. 0 if it
 * refuses.
 */
int tfc_install_tile_emulator(void);

/* The tile instructions emulated so far for this thread; 0 where the CPU executes them itself. */
int tfc_tile_instruction_count(void);

#endif
