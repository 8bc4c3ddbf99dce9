/// One element's value, in the domain in which `evaluate` computes.
///
/// Every float type but f64 is exact in `real`; integers wrap to their type's width when they are stored.
public enum Scalar: Hashable, Sendable {
  /// Integers and booleans (0, 1); `ui64` as its bit pattern.
  case integer(Int64)
  case real(Double)
  case complex(Double, Double)

  public static let `true` = Scalar.integer(1)
  public static let `false` = Scalar.integer(0)

  /// The value as an integer; floats are truncated towards zero and saturate.
  public var integerValue: Int64 {
    switch self {
    case .integer(let value): value
    case .real(let value), .complex(let value, _):
      value.isNaN ? 0 : value >= 0x1p63 ? .max : value < -0x1p63 ? .min : Int64(value)
    }
  }

  public var realValue: Double {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value), .complex(let value, _): value
    }
  }

  public var imaginaryValue: Double {
    if case .complex(_, let imaginary) = self { return imaginary }
    return 0
  }

  public var isTrue: Bool { self != .integer(0) }

  /// Zero in the domain of `type`.
  public static func zero(_ type: ElementType) -> Scalar { .init(0, type) }

  /// `value` in the domain of `type`, rounded to it.
  public init(_ value: Double, _ type: ElementType) {
    switch type.kind {
    case .boolean: self = .integer(value != 0 ? 1 : 0)
    case .signed, .unsigned: self = Scalar.real(value).converted(from: .f64, to: type)
    case .float: self = .real(FloatFormat.round(value, to: type))
    case .complex: self = .complex(FloatFormat.round(value, to: type.realPart), 0)
    }
  }

  /// The value of `type` that is nearest, as StableHLO's `convert` defines it for values in range;
  /// floats out of an integer's range saturate, and NaN becomes 0.
  public func converted(from source: ElementType, to type: ElementType) -> Scalar {
    switch type.kind {
    case .boolean:
      switch self {
      case .integer(let value): return .integer(value != 0 ? 1 : 0)
      case .real(let value): return .integer(value != 0 ? 1 : 0)
      case .complex(let re, let im): return .integer(re != 0 || im != 0 ? 1 : 0)
      }
    case .signed, .unsigned:
      if case .integer(let value) = self { return .integer(type.wrapped(value)) }
      return .integer(type.saturated(realValue))
    case .float:
      return .real(FloatFormat.round(asReal(source, for: type), to: type))
    case .complex:
      let part = type.realPart
      return .complex(
        FloatFormat.round(asReal(source, for: part), to: part), FloatFormat.round(imaginaryValue, to: part))
    }
  }

  /// The value as a double; an integer that a double cannot hold is rounded to odd for types that round it again.
  private func asReal(_ source: ElementType, for type: ElementType) -> Double {
    guard case .integer(let value) = self else { return realValue }
    let isNegative = source != .ui64 && value < 0
    let magnitude: UInt64 = isNegative ? value.magnitude : UInt64(bitPattern: value)
    var rounded = Double(magnitude)
    let dropped = 11 - magnitude.leadingZeroBitCount
    if type != .f64 && dropped > 0 && magnitude.trailingZeroBitCount < dropped {
      rounded = Double((magnitude >> UInt64(dropped) | 1) << UInt64(dropped))
    }
    return isNegative ? -rounded : rounded
  }
}

extension ElementType {
  /// `value` reduced to the type's width, sign- or zero-extended to 64 bits.
  public func wrapped(_ value: Int64) -> Int64 {
    switch kind {
    case .boolean: return value != 0 ? 1 : 0
    case .signed:
      let unused = Int64(64 - bitWidth)
      return (value << unused) >> unused
    case .unsigned:
      let unused = UInt64(64 - bitWidth)
      return Int64(bitPattern: (UInt64(bitPattern: value) << unused) >> unused)
    default: return value
    }
  }

  /// `value` truncated towards zero and limited to the type's range; NaN gives 0.
  public func saturated(_ value: Double) -> Int64 {
    if value.isNaN { return 0 }
    if kind == .unsigned {
      let limit = bitWidth == 64 ? 0x1p64 : Double(UInt64(1) << UInt64(bitWidth))
      if value <= 0 { return 0 }
      if value >= limit { return Int64(bitPattern: UInt64.max >> UInt64(64 - bitWidth)) }
      return Int64(bitPattern: UInt64(value))
    }
    let limit = Double(sign: .plus, exponent: bitWidth - 1, significand: 1)
    if value >= limit { return Int64.max >> Int64(64 - bitWidth) }
    if value < -limit { return Int64.min >> Int64(64 - bitWidth) }
    return Int64(value)
  }

  /// The smallest value that the type holds: negative infinity for floats that have it.
  public var lowest: Scalar {
    switch kind {
    case .boolean, .unsigned: .integer(0)
    case .signed: .integer(Int64.min >> Int64(64 - bitWidth))
    case .float where self == .f8E8M0FNU: .real(FloatFormat.decodeExponent(0))
    case .float: .real(-FloatFormat.largest(of: self))
    case .complex: .complex(-.infinity, 0)
    }
  }

  /// The largest value that the type holds: infinity for floats that have it.
  public var highest: Scalar {
    switch kind {
    case .boolean: .integer(1)
    case .unsigned: .integer(Int64(bitPattern: UInt64.max >> UInt64(64 - bitWidth)))
    case .signed: .integer(Int64.max >> Int64(64 - bitWidth))
    case .float: .real(FloatFormat.largest(of: self))
    case .complex: .complex(.infinity, 0)
    }
  }
}
