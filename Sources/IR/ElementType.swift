/// The type of a tensor's elements, named as in StableHLO ("Types" in its specification).
public enum ElementType: String, Hashable, Sendable, CaseIterable {
  case i1, i2, i4, i8, i16, i32, i64
  case ui2, ui4, ui8, ui16, ui32, ui64
  case f4E2M1FN, f6E2M3FN, f6E3M2FN
  case f8E3M4, f8E4M3, f8E4M3FN, f8E4M3FNUZ, f8E4M3B11FNUZ, f8E5M2, f8E5M2FNUZ, f8E8M0FNU
  case f16, bf16, f32, f64
  case complex64 = "complex<f32>"
  case complex128 = "complex<f64>"

  /// What arithmetic on the elements means.
  public enum Kind: Hashable, Sendable {
    case boolean, signed, unsigned, float, complex
  }

  public var kind: Kind {
    switch self {
    case .i1: .boolean
    case .i2, .i4, .i8, .i16, .i32, .i64: .signed
    case .ui2, .ui4, .ui8, .ui16, .ui32, .ui64: .unsigned
    case .complex64, .complex128: .complex
    default: .float
    }
  }

  public var isInteger: Bool { kind == .signed || kind == .unsigned }
  public var isFloat: Bool { kind == .float }
  public var isComplex: Bool { kind == .complex }
  public var isBoolean: Bool { self == .i1 }

  /// The number of bits that hold information; complex types count both parts.
  public var bitWidth: Int {
    switch self {
    case .i1: 1
    case .i2, .ui2: 2
    case .i4, .ui4, .f4E2M1FN: 4
    case .f6E2M3FN, .f6E3M2FN: 6
    case .i8, .ui8, .f8E3M4, .f8E4M3, .f8E4M3FN, .f8E4M3FNUZ, .f8E4M3B11FNUZ, .f8E5M2, .f8E5M2FNUZ, .f8E8M0FNU: 8
    case .i16, .ui16, .f16, .bf16: 16
    case .i32, .ui32, .f32: 32
    case .i64, .ui64, .f64, .complex64: 64
    case .complex128: 128
    }
  }

  /// The bytes one element takes in memory; types narrower than a byte take one.
  public var byteCount: Int { max(1, bitWidth / 8) }

  /// The type of a complex type's parts, and of its absolute value; `self` for the others.
  public var realPart: ElementType {
    switch self {
    case .complex64: .f32
    case .complex128: .f64
    default: self
    }
  }

  /// Whether schedules with tiles are made for the type, and `docs/ops.md` names it. Kernels compute with the others,
  /// floats of a byte and numbers narrower than one, element by element.
  public var isExecutable: Bool {
    switch self {
    case .i1, .i8, .i16, .i32, .i64, .ui8, .ui16, .ui32, .ui64, .f16, .bf16, .f32, .f64, .complex64, .complex128: true
    default: false
    }
  }
}

extension ElementType: CustomStringConvertible {
  public var description: String { rawValue }
}
