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

/* Executes tile instructions from now on, in all threads. Does nothing where the CPU has tiles. */
void tfc_install_tile_emulator(void);

/* The tile instructions emulated so far, in all threads; 0 where the CPU executes them itself. */
int tfc_tile_instruction_count(void);

#endif
