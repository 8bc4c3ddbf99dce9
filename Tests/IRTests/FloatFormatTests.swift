import IR
import Testing

@Suite struct FloatFormatTests {
  static let narrow: [ElementType] = [
    .f4E2M1FN, .f6E2M3FN, .f6E3M2FN, .f8E3M4, .f8E4M3, .f8E4M3FN, .f8E4M3FNUZ, .f8E4M3B11FNUZ, .f8E5M2, .f8E5M2FNUZ,
    .f8E8M0FNU,
  ]

  /// The numbers that groups of `digits` hexadecimal digits make.
  private func numbers(_ text: String, digits: Int) -> [UInt32] {
    let all = Array(text.utf8.filter { $0 != 0x0A })
    return stride(from: 0, to: all.count, by: digits).map { start in
      all[start..<start + digits].reduce(0) { $0 << 4 | UInt32($1 < 0x3A ? $1 - 0x30 : $1 - 0x57) }
    }
  }

  private func decoded(_ type: ElementType) -> [Double] {
    let count = 1 << type.bitWidth
    return Literal(type, [count], bytes: (0..<count).map { UInt8($0) }).scalars.map(\.realValue)
  }

  @Test(arguments: narrow) func decodesEveryPattern(_ type: ElementType) throws {
    let table = try #require(floatFormatTables[type.rawValue])
    let expected = numbers(table.decoded, digits: 8).map { Float(bitPattern: $0) }
    let found = decoded(type)
    #expect(found.count == expected.count)
    for (bits, (value, expected)) in zip(found, expected).enumerated() {
      let agrees = value.isNaN ? expected.isNaN : value == Double(expected)
      #expect(agrees && (value.sign == expected.sign), "\(type) \(bits): \(value), expected \(expected)")
    }
  }

  @Test(arguments: narrow) func roundsToTheNearestPattern(_ type: ElementType) throws {
    let table = try #require(floatFormatTables[type.rawValue])
    let finite = Set(decoded(type).filter(\.isFinite).map(\.magnitude)).sorted()
    var points: [Double] = []
    for (low, high) in zip(finite, finite.dropFirst()) {
      let middle = Float((low + high) / 2)
      guard middle.isNormal else { continue }
      points += [middle.nextDown, middle, middle.nextUp].map { Double($0) }
    }
    points += FloatFormatTable.special.map { Double(Float(bitPattern: $0)) }
    let expected = numbers(table.encoded, digits: 2)
    #expect(points.count == expected.count)
    for (point, expected) in zip(points, expected) {
      let bits = UInt32(type.bytes(of: .real(point))[0])
      #expect(bits == expected, "\(type) of \(point): \(bits), expected \(expected)")
    }
  }

  @Test(arguments: narrow + [.f16, .bf16]) func patternsComeBack(_ type: ElementType) {
    for bits in 0..<1 << type.bitWidth {
      let bytes = (0..<type.byteCount).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
      let value = Literal(type, [], bytes: bytes)[0]
      if value.realValue.isNaN {
        #expect(Literal.scalar(value, type)[0].realValue.isNaN)
      } else {
        #expect(type.bytes(of: value) == bytes, "\(type) \(bits)")
      }
    }
  }

  #if !(os(macOS) && arch(x86_64))
    @Test func halfAgreesWithFloat16() {
      let format = FloatFormat(.f16)
      for bits in 0..<UInt32(1 << 16) {
        let expected = Float16(bitPattern: UInt16(bits))
        let value = format?.decode(bits) ?? 0
        #expect(expected.isNaN ? value.isNaN && value.sign == expected.sign : value == Double(expected), "\(bits)")
        guard expected.isFinite, expected.nextUp.isFinite else { continue }
        let middle = (value + Double(expected.nextUp)) / 2
        for point in [middle.nextDown, middle, middle.nextUp] {
          #expect(format?.encode(point) == UInt32(Float16(point).bitPattern), "\(point)")
        }
      }
    }
  #endif

  @Test func brainFloatIsTheUpperHalfOfAFloat() {
    let format = FloatFormat(.bf16)
    for bits in 0..<UInt32(1 << 16) {
      let expected = Float(bitPattern: bits << 16)
      let value = format?.decode(bits) ?? 0
      #expect(expected.isNaN ? value.isNaN && value.sign == expected.sign : value == Double(expected), "\(bits)")
      guard expected.isFinite, bits & 0x7FFF < 0x7F7F else { continue }
      // Halfway to the next pattern goes to the even one.
      let middle = Double(Float(bitPattern: bits << 16 | 0x8000))
      #expect(format?.encode(middle) == bits + (bits & 1), "\(middle)")
      let beyond = Double(Float(bitPattern: bits << 16 | 0x8001))
      #expect(format?.encode(beyond) == bits + 1, "\(beyond)")
    }
    #expect(format?.encode(3.4e38) == 0x7F80)
  }

  /// Literals of f32 are rounded in a loop of their own, as each element would be.
  @Test func literalsAreRoundedToBrainFloats() {
    var patterns: [UInt32] = []
    for high in stride(from: UInt32(0), to: 1 << 16, by: 7) {
      for low: UInt32 in [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF] { patterns.append(high << 16 | low) }
    }
    let values = patterns.map { Scalar.real(Double(Float(bitPattern: $0))) }
    let rounded = Literal(.f32, [patterns.count], values).converted(to: .bf16)
    #expect(rounded.elementType == .bf16 && rounded.dimensions == [patterns.count])
    for (position, value) in values.enumerated() {
      let (got, want) = (rounded[position].realValue, value.converted(from: .f32, to: .bf16).realValue)
      #expect(got.isNaN ? want.isNaN : got == want && got.sign == want.sign, "\(patterns[position])")
    }
    #expect(Literal(.f32, [2, 0], bytes: []).converted(to: .bf16).dimensions == [2, 0])
  }
}

@Suite struct ScalarTests {
  private func convert(_ value: Scalar, _ source: ElementType, _ target: ElementType) -> Scalar {
    value.converted(from: source, to: target)
  }

  @Test func integersWrap() {
    #expect(convert(.integer(300), .i32, .ui8) == .integer(44))
    #expect(convert(.integer(-1), .i32, .ui8) == .integer(255))
    #expect(convert(.integer(200), .ui8, .i8) == .integer(-56))
    #expect(convert(.integer(9), .i8, .i4) == .integer(-7))
    #expect(convert(.integer(-1), .i8, .ui64) == .integer(-1))
    #expect(convert(.integer(2), .i8, .i1) == .integer(1))
  }

  @Test func floatsTruncateAndSaturate() {
    #expect(convert(.real(-3.7), .f64, .i32) == .integer(-3))
    #expect(convert(.real(1e20), .f64, .i32) == .integer(2_147_483_647))
    #expect(convert(.real(-1e20), .f64, .i32) == .integer(-2_147_483_648))
    #expect(convert(.real(.nan), .f64, .i32) == .integer(0))
    #expect(convert(.real(-3.7), .f64, .ui8) == .integer(0))
    #expect(convert(.real(300), .f64, .ui8) == .integer(255))
    #expect(convert(.real(1.9e19), .f64, .ui64) == .integer(-1))
    #expect(convert(.real(0x1p63), .f64, .ui64) == .integer(.min))
    #expect(convert(.real(0x1p63), .f64, .i64) == .integer(.max))
    #expect(convert(.real(-0x1p63), .f64, .i64) == .integer(.min))
    #expect(convert(.real(0.5), .f64, .i1) == .integer(1))
    #expect(convert(.real(.nan), .f64, .i1) == .integer(1))
  }

  /// An integer that no double holds is rounded once, not twice.
  @Test func integersRoundOnce() {
    for type in [ElementType.f32, .bf16, .f16] {
      let digits = type == .f32 ? 24 : type == .bf16 ? 8 : 11
      for exponent in stride(from: 62, to: digits, by: -1) {
        let unit = Int64(1) << Int64(exponent - digits + 1)
        let half = (Int64(1) << Int64(exponent)) + unit / 2
        for value in [half - 1, half, half + 1] where value > 0 {
          let down = Double(Int64(1) << Int64(exponent))
          let expected = FloatFormat.round(value > half ? down + Double(unit) : down, to: type)
          #expect(convert(.integer(value), .i64, type) == .real(expected), "\(value) to \(type)")
          #expect(convert(.integer(-value), .i64, type) == .real(-expected), "-\(value) to \(type)")
        }
      }
    }
    #expect(convert(.integer(-1), .ui64, .f32) == .real(0x1p64))
    #expect(convert(.integer(-1), .ui64, .f64) == .real(0x1p64))
    #expect(convert(.integer(.min), .i64, .f32) == .real(-0x1p63))
  }

  @Test func complexKeepsItsRealPart() {
    #expect(convert(.complex(1.5, 2), .complex64, .f32) == .real(1.5))
    #expect(convert(.real(1.5), .f32, .complex128) == .complex(1.5, 0))
    #expect(convert(.complex(0, 2), .complex64, .i1) == .integer(1))
  }

  @Test func literalsKeepTheirElements() {
    for type in ElementType.allCases {
      var g = SeededGenerator(seed: 3)
      let literal = Literal.random(TensorType(type, fixed: [2, 3, 5]), using: &g)
      #expect(Literal(type, [2, 3, 5], literal.scalars).agrees(with: literal), "\(type)")
      #expect(literal.reshaped([30]).scalars.count == 30)
      let splat = Literal(type, [2, 3], splat: literal[0])
      #expect(splat.expanded.agrees(with: splat), "\(type)")
      #expect(splat.expanded.bytes.count == 6 * type.byteCount)
    }
  }
}
