"""Writes Tests/IRTests/FloatFormatTables.swift: what ml_dtypes decodes and encodes in the float formats of one byte.

Encoded are, for each two neighbouring magnitudes that are finite, the point halfway, where it is a normal f32, and its
f32 neighbours; then a few special values.
"""
import sys
import ml_dtypes
import numpy as np

FORMATS = {
    "f4E2M1FN": ("float4_e2m1fn", 16), "f6E2M3FN": ("float6_e2m3fn", 64), "f6E3M2FN": ("float6_e3m2fn", 64),
    "f8E3M4": ("float8_e3m4", 256), "f8E4M3": ("float8_e4m3", 256), "f8E4M3FN": ("float8_e4m3fn", 256),
    "f8E4M3FNUZ": ("float8_e4m3fnuz", 256), "f8E4M3B11FNUZ": ("float8_e4m3b11fnuz", 256),
    "f8E5M2": ("float8_e5m2", 256), "f8E5M2FNUZ": ("float8_e5m2fnuz", 256), "f8E8M0FNU": ("float8_e8m0fnu", 256),
}
SPECIAL = np.array([np.nan, -np.nan, np.inf, -np.inf, 3e38, -3e38, 0.0, -0.0, 1e-45, -1e-45], dtype=np.float32)


def lines(text):
    return "\n".join("      " + text[i:i + 112] + "\\" for i in range(0, len(text), 112))


out = ["// Written by scripts/float-format-tables.py.", "", "/// What ml_dtypes makes of one format.",
       "struct FloatFormatTable: Sendable {", "  /// The value of each bit pattern, as the bits of an f32; eight digits each.",
       "  let decoded: String",
       "  /// For each two neighbouring finite magnitudes the bits of the halfway point's lower neighbour, of itself and of",
       "  /// its upper neighbour among f32, then the bits of `special`; two digits each.",
       "  let encoded: String", "", "  static let special: [UInt32] = [",
       "    " + ", ".join(f"0x{b >> 16:04x}_{b & 0xFFFF:04x}" for b in SPECIAL.view(np.uint32)[:5]) + ",",
       "    " + ", ".join(f"0x{b >> 16:04x}_{b & 0xFFFF:04x}" for b in SPECIAL.view(np.uint32)[5:]) + ",", "  ]", "}", "",
       "let floatFormatTables: [String: FloatFormatTable] = ["]
for name, (numpy_name, count) in FORMATS.items():
    t = getattr(ml_dtypes, numpy_name)
    values = np.arange(count, dtype=np.uint8).view(t).astype(np.float32)
    bits = values.view(np.uint32).copy()
    bits[np.isnan(values)] &= 0x80000000
    bits[np.isnan(values)] |= 0x7FC00000
    finite = np.unique(np.abs(values[np.isfinite(values)]).astype(np.float64))
    middle = ((finite[:-1] + finite[1:]) / 2).astype(np.float32)
    middle = middle[middle >= np.finfo(np.float32).tiny]
    points = np.stack([np.nextafter(middle, np.float32(0)), middle, np.nextafter(middle, np.float32(np.inf))], 1)
    points = np.concatenate([points.reshape(-1), SPECIAL])
    encoded = points.astype(t).view(np.uint8)
    out += [f'  "{name}": FloatFormatTable(', '    decoded: """', lines("".join(f"{b:08x}" for b in bits)), "", '      """,',
            '    encoded: """', lines("".join(f"{b:02x}" for b in encoded)), "", '      """),']
out.append("]")
print("\n".join(out), file=open(sys.argv[1], "w"))
