import argparse
import json
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest

import run
from runner import contest, machine, processes, residence
from zoo import models


class ProcessTests(unittest.TestCase):
    def test_result_is_the_last_line_that_is_an_object(self):
        done = processes.Finished(0, 'loading\n{"a": 1}\n{"a": 2}\ndone\n', "", 0, 0)
        self.assertEqual(done.json, {"a": 2})
        self.assertEqual(processes.Finished(0, '{\n "a": [\n  {}\n ]\n}\n', "", 0, 0).json, {"a": [{}]})

    def test_reason_is_the_last_line_of_errors(self):
        self.assertEqual(processes.Finished(2, "", "one\ntwo\n\n", 0, 0).why, "two")
        self.assertEqual(processes.Finished(-11, "", "", 0, 0).why, "exit code -11")

    @unittest.skipUnless(shutil.which("taskset"), "there is no taskset")
    def test_process_is_pinned_and_measured(self):
        done = processes.run(["sh", "-c", "taskset -cp $$ && exit 3"], threads=1)
        self.assertEqual(done.code, 3)
        self.assertTrue(done.output.strip().endswith(f": {processes.cores()[0]}"))
        self.assertGreater(done.rss_mb, 0)


class ContestTests(unittest.TestCase):
    def test_shapes_are_read_from_numpy_files(self):
        header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 1, 5), }"
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(60))
            file.flush()
            self.assertEqual(contest.array_shape(file.name), (3, 1, 5))

    def test_symbols_get_the_extents_of_the_inputs(self):
        shapes = {"x": (3, 7, 2), "y": (7,)}
        inspection = {"symbols": [{"name": "batch"}, {"name": "sequence"}, {"name": "unknown"}],
                      "inputs": [{"name": "x", "type": "tensor<[batch]x[sequence]x2xf32>"},
                                 {"name": "y", "type": "tensor<[2*batch + 1]xi64>"}]}
        self.assertEqual(contest.symbol_values(inspection, shapes), {"batch": 3, "sequence": 7})


class ResidenceTests(unittest.TestCase):
    TABLE = """
        #include "tfc_runtime.h"
        static int64_t extents[] = {TFC_EXPRESSION(0), 2};
        static tfc_tensor_info input = {"x", TFC_F32, 2, extents, -1};
        static tfc_expression rows = {"n", 0, 1, 0, 0};
        static tfc_entry entry = {"main", 1, 1, 1, 0, 0, 0, 0, &rows, &input, 0, 64, 0, 0, 0};
        static tfc_context *create(const tfc_artifact_table *t, const tfc_options *o) { return (tfc_context *)&entry; }
        static void destroy(tfc_context *c) {}
        static const char *last_error(const tfc_context *c) { return "three rows are wanted"; }
        static int32_t solve(tfc_context *c, int32_t e, const tfc_tensor *in, int32_t count, int64_t *symbols) {
          return in->extents[0] == 3 && in->byte_count == 24 ? TFC_OK : TFC_INVALID_ARGUMENT;
        }
        static int64_t size(const tfc_entry *e, const tfc_tensor_info *t, const int64_t *s, int64_t *x) { return 4; }
        static int64_t arena(const tfc_entry *e, const int64_t *symbols) { return 1000000; }
        static int32_t run(tfc_context *c, int32_t e, const tfc_tensor *in, int32_t n, const tfc_tensor *o, int32_t m) {
          return TFC_OK;
        }
        static const tfc_functions functions = {create, destroy, last_error, solve, size, arena, run};
        const tfc_artifact_table tfc_artifact = {
          .entries = &entry, .entry_count = 1, .weight_byte_count = 2000000, .functions = &functions};
        """

    def test_program_runs_a_library_for_given_extents(self):
        with tempfile.TemporaryDirectory() as folder:
            program, library = folder + "/residence", folder + "/library.so"
            residence.build(program)
            compile_ = [machine.compiler(), "-shared", "-fPIC", "-x", "c", f"-I{residence.HEADERS}", "-", "-o", library]
            subprocess.run(compile_, input=self.TABLE, text=True, check=True)
            found = residence.measure(program, library, {"x": (3, 2)})
            self.assertEqual(found["planned_mb"], 3.0)
            self.assertTrue(0.1 < found["resident_mb"] < 16)
            self.assertEqual(residence.measure(program, library, {"x": (4, 2)}),
                             {"ok": False, "message": "error: three rows are wanted"})


class ModelTests(unittest.TestCase):
    def chosen(self, *patterns):
        return [name for _, names in models.choose(patterns) for name in names]

    def test_patterns(self):
        self.assertEqual(self.chosen("minilm", "keras_mnist_*"), ["keras_mnist_mlp", "keras_mnist_cnn", "minilm"])
        self.assertEqual(self.chosen("minilm-*"), ["minilm-1x7", "minilm-3x33", "minilm-16x512"])
        self.assertEqual(len(self.chosen()), len(models.MODELS))

    def test_unknown_names_are_refused(self):
        with self.assertRaisesRegex(SystemExit, "no model is called resnet51"):
            models.choose(["resnet51"])


class MachineTests(unittest.TestCase):
    INFO = "processor\t: 0\nmodel name\t: A Processor\nflags\t\t: fpu sse4_2 avx avx2 fma avx512f hypervisor\n"

    def test_features(self):
        self.assertEqual(machine.field(self.INFO, "model name"), "A Processor")
        self.assertEqual(machine.features(self.INFO), ["sse4_2", "avx", "fma", "avx2", "avx512f"])

    def test_slug(self):
        self.assertEqual(machine.slug(["avx", "avx2", "avx512f", "amx_tile"], 1), "amx-1-core")
        self.assertEqual(machine.slug(["avx", "avx2"], 8), "avx2-8-cores")
        self.assertEqual(machine.slug([], 2), "sse-2-cores")

    def test_what_is_read_is_smaller_than_its_cache_and_fits_in_memory(self):
        sizes = {"L1": 48 << 10, "L2": 2 << 20, "L3": 64 << 20}
        self.assertEqual(machine.read_sizes(sizes, 64 << 30, 2), {"L2": 1 << 20, "L3": 16 << 20, "memory": 128 << 20})
        self.assertEqual(machine.read_sizes({}, 512 << 20, 1), {"memory": 128 << 20})


class RunTests(unittest.TestCase):
    def test_command_names_what_differs_from_the_defaults(self):
        parser = argparse.ArgumentParser()
        for name in run.VARIABLES:
            parser.add_argument("--" + name, default=False if name == "strict" else "")
        options = parser.parse_args(["--models", "minilm,micro_*", "--rounds", "3"])
        options.strict = True
        self.assertEqual(run.command_of(options, parser), "make bench MODELS='minilm,micro_*' ROUNDS=3 STRICT=1")

    def test_figures_are_shortened(self):
        self.assertEqual(run.shortened({"a": 1.23456789, "b": {"c": 123456.789}, "d": 7, "e": "x"}),
                         {"a": 1.2346, "b": {"c": 123460.0}, "d": 7, "e": "x"})

    def test_results_are_read_back(self):
        with tempfile.TemporaryDirectory() as folder:
            fields = {"date": "2026-01-02", "measurements": [{"a": 1}, {"a": 2}]}
            run.write_results(pathlib.Path(folder), fields)
            text = pathlib.Path(folder, "results.json").read_text()
            self.assertEqual(json.loads(text), fields)
            self.assertEqual(len(text.splitlines()), 6)
