/* Which device a context takes. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "opencl.h"

/* Whether `text` has `part` in it, in capitals or not. */
static int32_t contains(const char *text, const char *part) {
  for (; *text != 0; text++) {
    size_t n = 0;
    while (part[n] != 0 && tolower((unsigned char)text[n]) == tolower((unsigned char)part[n])) n++;
    if (part[n] == 0) return 1;
  }
  return 0;
}

/* Reads "PLATFORM:DEVICE". */
static int32_t reads_numbers(const char *text, int32_t *platform, int32_t *device) {
  int length = 0;
  if (!isdigit((unsigned char)text[0])) return 0;
  if (sscanf(text, "%9d:%n", platform, &length) != 1 || length == 0) return 0;
  const char *rest = text + length;
  if (!isdigit((unsigned char)rest[0])) return 0;
  return sscanf(rest, "%9d%n", device, &length) == 1 && rest[length] == 0;
}

static int32_t matches(const tfc_opencl_machine *machine, const tfc_opencl_device *device, const char *wanted) {
  int32_t platform, number;
  if (wanted == NULL) return device->is_usable;
  if (reads_numbers(wanted, &platform, &number)) return device->platform == platform && device->number == number;
  return contains(device->name, wanted) || contains(machine->platforms[device->platform].name, wanted);
}

/* GPUs before accelerators, these before all others. */
static int32_t rank(const tfc_opencl_device *device) {
  return device->type == TFC_OPENCL_OTHER ? TFC_OPENCL_CPU : device->type;
}

const char *tfc_opencl_wanted(const char *given) {
  if (given == NULL || given[0] == 0) given = getenv("TFC_OPENCL_DEVICE");
  return given != NULL && given[0] != 0 ? given : NULL;
}

const tfc_opencl_device *tfc_opencl_best_device(const tfc_opencl_machine *machine, const char *given) {
  const char *wanted = tfc_opencl_wanted(given);
  const tfc_opencl_device *found = NULL;
  for (int32_t d = 0; d < machine->device_count; d++) {
    const tfc_opencl_device *device = &machine->devices[d];
    if (matches(machine, device, wanted) && (found == NULL || rank(device) > rank(found))) found = device;
  }
  return found;
}

/* Appends to a text in a room that may be too small for it; returns the new length. */
__attribute__((format(printf, 4, 5))) static size_t append(
    char *text, size_t length, size_t room, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int added = length < room ? vsnprintf(text + length, room - length, format, arguments) : 0;
  va_end(arguments);
  return length + (size_t)(added > 0 ? added : 0);
}

/* "platform 0 'Portable Computing Language' with device 0:0 'pthread' (cpu)" */
static void list(const tfc_opencl_machine *machine, char *text, size_t room) {
  size_t length = append(text, 0, room, "%s", machine->platform_count == 0 ? "no platform is found" : "found");
  const tfc_opencl_device *device = machine->devices;
  for (int32_t p = 0; p < machine->platform_count; p++) {
    const tfc_opencl_platform *platform = &machine->platforms[p];
    length = append(text, length, room, "%s platform %d '%s' with ", p > 0 ? "," : "", p, platform->name);
    if (platform->device_count == 0) length = append(text, length, room, "no device");
    for (int32_t d = 0; d < platform->device_count; d++, device++) {
      length = append(
          text, length, room, "%s%d:%d '%s' (%s)", d > 0 ? ", " : platform->device_count > 1 ? "devices " : "device ",
          p, d, device->name, tfc_opencl_device_type_name(device->type));
    }
  }
}

static int32_t refuse_choice(tfc_context *context, const tfc_opencl_machine *machine, const char *given) {
  const char *wanted = tfc_opencl_wanted(given);
  char found[1536];
  list(machine, found, sizeof found);
  if (wanted == NULL) return tfc_opencl_refuse(context, TFC_DEVICE_FAILED, "there is no OpenCL device: %s", found);
  /* Where there are devices, the name is wrong. */
  int32_t status = machine->device_count > 0 ? TFC_INVALID_ARGUMENT : TFC_DEVICE_FAILED;
  return tfc_opencl_refuse(context, status, "no OpenCL device is named '%.100s': %s", wanted, found);
}

static int32_t check(tfc_context *context, const tfc_opencl_device *device, int32_t needs) {
  const char *lack = NULL;
  if ((needs & TFC_OPENCL_F64) && !device->has_f64) lack = "double precision (cl_khr_fp64), which the model needs";
  if ((needs & TFC_OPENCL_ATOMICS_64) && !device->has_atomics_64) {
    lack = "64-bit atomics (cl_khr_int64_base_atomics and cl_khr_int64_extended_atomics), which the model needs";
  }
  if (!device->is_usable) lack = "compiler, or is not available";
  if (lack == NULL) return TFC_OK;
  return tfc_opencl_refuse(context, TFC_DEVICE_FAILED, "device '%s' has no %s", device->name, lack);
}

int32_t tfc_opencl_choose(
    tfc_context *context, const tfc_options *options, const tfc_opencl_code *code, tfc_opencl_device *device) {
  char sentence[TFC_ERROR_BYTE_COUNT];
  tfc_opencl_machine machine;
  const char *given = options != NULL ? options->device : NULL;
  int32_t status = tfc_opencl_find_machine(&machine, sentence, sizeof sentence);
  if (status != TFC_OK) return tfc_opencl_refuse(context, status, "%s", sentence);
  const tfc_opencl_device *found = tfc_opencl_best_device(&machine, given);
  status = found == NULL ? refuse_choice(context, &machine, given) : check(context, found, code->needs);
  if (status == TFC_OK) *device = *found;
  tfc_opencl_release_machine(&machine);
  return status;
}
