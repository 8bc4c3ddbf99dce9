import IR

// What is done with the bits of floats narrower than f32.

extension KernelBuilder {
  /// The neighbour of `x` in the direction of `y`, of floats of at most a byte. Exact.
  mutating func neighbour(of x: Register, toward y: Register) -> Register {
    let element = type(of: x).element
    let wide = element.arithmeticType
    let operands = [convert(x, to: wide), convert(y, to: wide), pattern(x), pattern(y)]
    let hasNegativeZero = FloatFormat(element)?.specials != .finiteNaNNegativeZero
    let sign = element.signPattern
    let results = formula(operands) { v -> [Register] in
      let (a, b, bits, others) = (v[0], v[1], v[2], v[3])
      let zero = a.constant(0.0)
      let goesAway = (a .< b) .== (a .> zero)
      let size = (bits .& (sign == 0 ? 0xFF : sign - 1)) + select(goesAway, bits.constant(1), bits.constant(-1))
      let moved = size .| (bits .& sign)
      let neighbour = hasNegativeZero ? moved : select(size .!= 0, moved, size)
      let least = (others .& sign) .| 1
      let result = select(a .== b, others, select(a .== zero, least, neighbour))
      return [result.register, (a.isNumber .& b.isNumber).register]
    }
    let lanes = lanes(of: results[0])
    return apply(.select, [results[1], float(element, of: results[0]), constant(.nan, element, lanes: lanes)])
  }

  /// A float narrower than f32 rounded to a format with these widths, as `reduce_precision` says: ties to the even
  /// pattern of its own bits.
  mutating func reduced(_ x: Register, exponentBits: Int, mantissaBits: Int) -> Register {
    let (element, lanes) = (type(of: x).element, lanes(of: x))
    let (wide, format) = (element.arithmeticType, FloatFormat(element))
    let value = convert(x, to: wide)
    var result = value
    if let format, mantissaBits < format.mantissaBits {
      let dropped = format.mantissaBits - mantissaBits
      let sign = element.signPattern
      let sizes = formula([pattern(x)]) { v -> [Register] in
        let size = v[0] .& (sign - 1)
        let isOdd = size.shiftedRightLogically(dropped) .& 1
        let rounded = (size + ((1 << (dropped - 1)) - 1) + isOdd) .& (-1 << dropped)
        return [rounded.register, (rounded .> Int(format.largestFinite)).register]
      }
      let rounded = convert(float(element, of: sizes[0]), to: wide)
      let size = apply(.select, [sizes[1], constant(.infinity, wide, lanes: lanes), rounded])
      result = formula([value, size]) { v in select(v[0].isNumber, v[1].signed(like: v[0]), v[0]) }
    }
    if exponentBits < format?.exponentBits ?? element.bitWidth {
      let mantissa = FloatFormat(wide)?.mantissaBits ?? 52
      result = apply(.reducePrecision(exponentBits: exponentBits, mantissaBits: mantissa), [result])
    }
    return result == value ? x : convert(result, to: element)
  }

  /// The negative or the absolute value of a float of two bytes: its bits but for the sign. Exact.
  mutating func signChanged(_ function: ScalarFunction, _ x: Register) -> Register? {
    let (element, lanes) = (type(of: x).element, lanes(of: x))
    guard element == .f16 || element == .bf16 else { return nil }
    let (operation, mask): (ScalarFunction, Int)
    switch function {
    case .negate: (operation, mask) = (.xor, element.signPattern)
    case .abs: (operation, mask) = (.and, element.signPattern - 1)
    default: return nil
    }
    let bits = define(RegisterType(.ui16, lanes: lanes), .apply(.bitcast(.ui16), [x]))
    let changed = apply(operation, [bits, constant(.integer(Int64(mask)), .ui16, lanes: lanes)])
    return define(RegisterType(element, lanes: lanes), .apply(.bitcast(element), [changed]))
  }

  /// The bits of a float narrower than f32, as i32.
  private mutating func pattern(_ x: Register) -> Register {
    let bits = type(of: x).element.patternType
    return convert(define(RegisterType(bits, lanes: lanes(of: x)), .apply(.bitcast(bits), [x])), to: .i32)
  }

  /// The float narrower than f32 that has the low bits of an i32.
  private mutating func float(_ element: ElementType, of pattern: Register) -> Register {
    let bits = convert(pattern, to: element.patternType)
    return define(RegisterType(element, lanes: lanes(of: pattern)), .apply(.bitcast(element), [bits]))
  }
}

extension ElementType {
  /// The integers that have the bits of floats narrower than f32; those of fewer bits than a byte are its low bits.
  fileprivate var patternType: ElementType { bitWidth == 16 ? .ui16 : .ui8 }

  /// The bit of a pattern that is its sign; 0 in a type without signs.
  fileprivate var signPattern: Int { FloatFormat(self).map { 1 << ($0.exponentBits + $0.mantissaBits) } ?? 0 }
}
