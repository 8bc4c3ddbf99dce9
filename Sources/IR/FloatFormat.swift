/// How a float type narrower than f64 lays out its bits.
public struct FloatFormat: Hashable, Sendable {
  /// What the bit patterns with the largest exponent mean.
  public enum Specials: Hashable, Sendable {
    /// Infinities and NaNs, as in IEEE 754.
    case ieee
    /// No infinity; NaN is all ones after the sign.
    case finiteNaNAllOnes
    /// No infinity, no negative zero; NaN is the pattern of negative zero.
    case finiteNaNNegativeZero
    /// Neither infinity nor NaN.
    case finite
  }

  public let exponentBits: Int
  public let mantissaBits: Int
  public let bias: Int
  public let specials: Specials

  /// The format of `type`; nil for types that are not such floats (f64, and f8E8M0FNU, which has neither sign nor zero).
  public init?(_ type: ElementType) {
    switch type {
    case .f4E2M1FN: self.init(2, 1, 1, .finite)
    case .f6E2M3FN: self.init(2, 3, 1, .finite)
    case .f6E3M2FN: self.init(3, 2, 3, .finite)
    case .f8E3M4: self.init(3, 4, 3, .ieee)
    case .f8E4M3: self.init(4, 3, 7, .ieee)
    case .f8E4M3FN: self.init(4, 3, 7, .finiteNaNAllOnes)
    case .f8E4M3FNUZ: self.init(4, 3, 8, .finiteNaNNegativeZero)
    case .f8E4M3B11FNUZ: self.init(4, 3, 11, .finiteNaNNegativeZero)
    case .f8E5M2: self.init(5, 2, 15, .ieee)
    case .f8E5M2FNUZ: self.init(5, 2, 16, .finiteNaNNegativeZero)
    case .f16: self.init(5, 10, 15, .ieee)
    case .bf16: self.init(8, 7, 127, .ieee)
    case .f32: self.init(8, 23, 127, .ieee)
    default: return nil
    }
  }

  private init(_ exponentBits: Int, _ mantissaBits: Int, _ bias: Int, _ specials: Specials) {
    self.exponentBits = exponentBits
    self.mantissaBits = mantissaBits
    self.bias = bias
    self.specials = specials
  }

  private var signMask: UInt32 { 1 << UInt32(exponentBits + mantissaBits) }
  private var exponentMask: UInt32 { (1 << UInt32(exponentBits)) - 1 }
  private var mantissaMask: UInt32 { (1 << UInt32(mantissaBits)) - 1 }

  private var nan: UInt32 {
    switch specials {
    case .ieee: (exponentMask << UInt32(mantissaBits)) | (1 << UInt32(mantissaBits - 1))
    case .finiteNaNAllOnes: signMask - 1
    case .finiteNaNNegativeZero: signMask
    case .finite: signMask
    }
  }

  /// The largest pattern, after the sign, that means a finite value.
  public var largestFinite: UInt32 {
    switch specials {
    case .ieee: (exponentMask << UInt32(mantissaBits)) - 1
    case .finiteNaNAllOnes: signMask - 2
    case .finiteNaNNegativeZero, .finite: signMask - 1
    }
  }

  /// The bits of the value nearest to `value`, ties to even. Overflow gives infinity where the format has one,
  /// NaN where it has only that, and the largest finite value otherwise. Where there is no NaN, it becomes a zero.
  public func encode(_ value: Double) -> UInt32 {
    let sign: UInt32 = value.sign == .minus ? signMask : 0
    if value.isNaN {
      switch specials {
      case .ieee, .finiteNaNAllOnes: return nan | sign
      case .finiteNaNNegativeZero: return nan
      case .finite: return nan ^ sign
      }
    }
    let magnitude = value.magnitude
    var pattern: UInt32
    if magnitude.isInfinite {
      pattern = largestFinite + 1
    } else {
      let smallestExponent = 1 - bias
      let exponent = magnitude == 0 ? smallestExponent : max(Int(magnitude.exponent), smallestExponent)
      // The unit in the last place is a power of two, so that the division and the product are exact.
      let unit = Double(sign: .plus, exponent: exponent - mantissaBits, significand: 1)
      let scaled = (magnitude / unit).rounded(.toNearestOrEven)
      let units = UInt64(min(scaled, 0x1p40))
      let biased = UInt64(max(exponent + bias - 1, 0)) << UInt64(mantissaBits)
      pattern = UInt32(min(biased + units, UInt64(largestFinite) + 1))
    }
    if pattern > largestFinite {
      switch specials {
      case .ieee: pattern = exponentMask << UInt32(mantissaBits)
      case .finiteNaNAllOnes, .finiteNaNNegativeZero: return nan | (specials == .finiteNaNAllOnes ? sign : 0)
      case .finite: pattern = largestFinite
      }
    }
    if specials == .finiteNaNNegativeZero && pattern == 0 { return 0 }
    return sign | pattern
  }

  /// The value of a bit pattern.
  public func decode(_ bits: UInt32) -> Double {
    let sign: FloatingPointSign = bits & signMask != 0 ? .minus : .plus
    let exponent = Int((bits >> UInt32(mantissaBits)) & exponentMask)
    let mantissa = bits & mantissaMask
    switch specials {
    case .ieee where exponent == Int(exponentMask):
      let special: Double = mantissa == 0 ? .infinity : .nan
      return sign == .minus ? -special : special
    case .finiteNaNAllOnes where bits & (signMask - 1) == signMask - 1: return sign == .minus ? -Double.nan : .nan
    case .finiteNaNNegativeZero where bits == signMask: return -Double.nan
    default: break
    }
    let scale = max(exponent, 1) - bias - mantissaBits
    let units = Double(exponent == 0 ? mantissa : mantissa | (1 << UInt32(mantissaBits)))
    let magnitude = units * Double(sign: .plus, exponent: scale, significand: 1)
    return sign == .minus ? -magnitude : magnitude
  }

  /// The largest value of `type`: infinity, where it has that.
  static func largest(of type: ElementType) -> Double {
    if type == .f8E8M0FNU { return decodeExponent(254) }
    guard let format = FloatFormat(type), format.specials != .ieee else { return .infinity }
    return format.decode(format.largestFinite)
  }

  /// `value` rounded to the nearest value of `type`, ties to even.
  public static func round(_ value: Double, to type: ElementType) -> Double {
    switch type {
    case .f64: return value
    case .f32: return Double(Float(value))
    case .f8E8M0FNU: return decodeExponent(encodeExponent(value))
    default:
      guard let format = FloatFormat(type) else { return value }
      return format.decode(format.encode(value))
    }
  }

  /// The bits of the power of two nearest to `value` in f8E8M0FNU, halfway up; NaN for zero, negative and not finite
  /// values and for those above the largest.
  static func encodeExponent(_ value: Double) -> UInt32 {
    guard value.isFinite, value > 0 else { return 0xFF }
    let exponent = Int(value.exponent) + (value.significand >= 1.5 ? 1 : 0)
    return UInt32(min(max(exponent + 127, 0), 255))
  }

  static func decodeExponent(_ bits: UInt32) -> Double {
    bits == 0xFF ? .nan : Double(sign: .plus, exponent: Int(bits) - 127, significand: 1)
  }
}
