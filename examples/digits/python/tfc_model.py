"""Runs any library that tfc made, through the table that it exports (`tfc_artifact`, docs/abi.md).

    model = Model("libdigits.so")
    model.inputs                      # [Tensor(name='images', type='u1', extents=('batch', 8, 8))]
    probabilities, = model.run(images)

Inputs are anything that has a buffer: NumPy arrays, `array.array`, `memoryview`. Outputs are memoryviews;
`numpy.asarray` makes an array of one without a copy.
"""
import ast
import collections
import ctypes
import pathlib
from ctypes import POINTER, c_char_p, c_int32, c_int64, c_uint32, c_void_p

ABI_VERSION = 1

# The types that Python's buffers know: the number in the table, NumPy's name, the format of `memoryview`.
TYPES = {
    1: ("b1", "?"), 4: ("i1", "b"), 5: ("i2", "h"), 6: ("i4", "i"), 7: ("i8", "q"), 10: ("u1", "B"), 11: ("u2", "H"),
    12: ("u4", "I"), 13: ("u8", "Q"), 16: ("f4", "f"), 17: ("f8", "d"),
}
FORMATS = {name: code for name, code in TYPES.values()}
ALIASES = {"l": "q", "L": "Q"}

Tensor = collections.namedtuple("Tensor", "name type extents")


def structure(name, fields):
    """A C struct from "field type, field type ..."."""
    return type(name, (ctypes.Structure,), {"_fields_": fields})


CTensor = structure("tfc_tensor", [
    ("data", c_void_p), ("byte_count", c_int64), ("extents", POINTER(c_int64)), ("rank", c_int32), ("type", c_int32)])
CTensorInfo = structure("tfc_tensor_info", [
    ("name", c_char_p), ("type", c_int32), ("rank", c_int32), ("extents", POINTER(c_int64)), ("alias", c_int32)])
CExpression = structure("tfc_expression", [
    ("text", c_char_p), ("symbol", c_int32), ("scale", c_int64), ("offset", c_int64), ("value", c_void_p)])
CEntry = structure("tfc_entry", [
    ("name", c_char_p), ("symbol_count", c_int32), ("expression_count", c_int32), ("input_count", c_int32),
    ("output_count", c_int32), ("launch_count", c_int32), ("check_count", c_int32), ("symbols", c_void_p),
    ("expressions", POINTER(CExpression)), ("inputs", POINTER(CTensorInfo)), ("outputs", POINTER(CTensorInfo)),
    ("arena_byte_count", c_int64), ("launch_names", c_void_p), ("check_sentences", c_void_p), ("program", c_void_p)])
CFunctions = structure("tfc_functions", [
    ("create", ctypes.CFUNCTYPE(c_void_p, c_void_p, c_void_p)),
    ("destroy", ctypes.CFUNCTYPE(None, c_void_p)),
    ("last_error", ctypes.CFUNCTYPE(c_char_p, c_void_p)),
    ("solve", ctypes.CFUNCTYPE(c_int32, c_void_p, c_int32, POINTER(CTensor), c_int32, POINTER(c_int64))),
    ("extents", ctypes.CFUNCTYPE(c_int64, POINTER(CEntry), POINTER(CTensorInfo), POINTER(c_int64), POINTER(c_int64))),
    ("arena_byte_count", ctypes.CFUNCTYPE(c_int64, POINTER(CEntry), POINTER(c_int64))),
    ("run", ctypes.CFUNCTYPE(
        c_int32, c_void_p, c_int32, POINTER(CTensor), c_int32, POINTER(CTensor), c_int32))])
CTable = structure("tfc_artifact_table", [
    ("version", c_uint32), ("byte_count", c_uint32), ("name", c_char_p), ("compiler", c_char_p), ("build", c_char_p),
    ("cpu_feature_count", c_int32), ("entry_count", c_int32), ("cpu_features", c_void_p), ("entries", POINTER(CEntry)),
    ("weights", c_void_p), ("weight_byte_count", c_int64), ("functions", POINTER(CFunctions))])


class Model:
    """A compiled model, ready to run. One thread at a time may use it."""

    def __init__(self, path):
        self._context = None
        self._library = ctypes.CDLL(str(pathlib.Path(path).resolve()))
        self._table = CTable.in_dll(self._library, "tfc_artifact")
        if self._table.version != ABI_VERSION:
            raise RuntimeError(f"{path} has version {self._table.version} of the table, expected {ABI_VERSION}")
        self._functions = self._table.functions.contents
        self._entry = self._table.entries[0]
        self.name = self._table.name.decode()
        self.inputs = [self._tensor(self._entry.inputs[i]) for i in range(self._entry.input_count)]
        self.outputs = [self._tensor(self._entry.outputs[i]) for i in range(self._entry.output_count)]
        self._context = self._functions.create(ctypes.addressof(self._table), None)
        if not self._context:
            raise RuntimeError(self._functions.last_error(None).decode())

    def __del__(self):
        if self._context:
            self._functions.destroy(self._context)

    def _tensor(self, info):
        extents = (info.extents[d] for d in range(info.rank))
        texts = (e if e >= 0 else self._entry.expressions[-1 - e].text.decode() for e in extents)
        return Tensor(info.name.decode(), TYPES[info.type][0], tuple(texts))

    def _check(self, status):
        if status != 0:
            raise ValueError(self._functions.last_error(self._context).decode())

    def run(self, *inputs):
        """The outputs for these inputs."""
        if len(inputs) != len(self.inputs):
            raise ValueError(f"{len(inputs)} inputs, expected {len(self.inputs)}")
        numbers = {code: number for number, (_, code) in TYPES.items()}
        buffers, tensors = [], (CTensor * len(inputs))()
        for tensor, value in zip(tensors, inputs):
            view = memoryview(value)
            code = ALIASES.get(view.format, view.format)
            if not view.c_contiguous or code not in numbers:
                raise ValueError(f"a buffer of format {view.format}, or with gaps, cannot be an input")
            # A buffer that must not be written has no address in ctypes: it is copied.
            data = bytearray(view.cast("B") if view.nbytes else b"") if view.readonly or not view.nbytes else view
            address = (ctypes.c_char * max(1, view.nbytes)).from_buffer(data if view.nbytes else bytearray(1))
            extents = (c_int64 * max(1, view.ndim))(*view.shape)
            tensor.data, tensor.byte_count = ctypes.addressof(address), view.nbytes
            tensor.extents, tensor.rank, tensor.type = extents, view.ndim, numbers[code]
            buffers += [data, address, extents]

        symbols = (c_int64 * max(1, self._entry.symbol_count))()
        self._check(self._functions.solve(self._context, 0, tensors, len(inputs), symbols))
        results, outputs = [], (CTensor * max(1, len(self.outputs)))()
        for position, output in enumerate(self.outputs):
            info = self._entry.outputs[position]
            extents = (c_int64 * max(1, info.rank))()
            byte_count = self._functions.extents(self._table.entries, ctypes.byref(info), symbols, extents)
            memory = bytearray(max(1, byte_count))
            address = (ctypes.c_char * len(memory)).from_buffer(memory)
            outputs[position].data, outputs[position].byte_count = ctypes.addressof(address), byte_count
            outputs[position].type = info.type
            buffers.append(address)
            view = memoryview(memory)[:byte_count]
            shape = list(extents[: info.rank])
            results.append(view.cast(FORMATS[output.type], shape) if byte_count else view.cast(FORMATS[output.type]))
        self._check(self._functions.run(self._context, 0, tensors, len(inputs), outputs, len(self.outputs)))
        return results


def load(path):
    """The array in a .npy file, as a memoryview with a shape; `numpy.load` without NumPy."""
    data = pathlib.Path(path).read_bytes()
    start = 10 + int.from_bytes(data[8:10], "little")
    header = ast.literal_eval(data[10:start].decode().strip())
    return memoryview(bytearray(data[start:])).cast(FORMATS[header["descr"].lstrip("<|=")], list(header["shape"]))
