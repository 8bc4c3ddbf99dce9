import IR
import Testing

@Suite struct ScalarFunctionTests {
  private func real(_ function: ScalarFunction, _ x: Double..., type: ElementType = .f64) throws -> Double {
    let types = x.map { _ in type }
    return try function.evaluate(x.map { Scalar.real($0) }, types, try function.resultType(types)).realValue
  }

  private func integer(_ function: ScalarFunction, _ x: Int64..., type: ElementType = .i32) throws -> Int64 {
    let types = x.map { _ in type }
    return try function.evaluate(x.map { Scalar.integer($0) }, types, try function.resultType(types)).integerValue
  }

  /// Within a few units in the last place of f64; below 1 in those of 1.
  private func expect(_ function: ScalarFunction, _ x: Double, _ expected: Double, ulps: Double = 8) throws {
    let found = try real(function, x)
    let tolerance = ulps * max(expected.ulp, Double.ulpOfOne)
    #expect((found - expected).magnitude <= tolerance, "\(function.mnemonic)(\(x)) = \(found), expected \(expected)")
  }

  /// Expected values are SciPy's.
  @Test func specialFunctions() throws {
    let digamma: [(Double, Double)] = [
      (0.1, -10.423754940411076), (0.5, -1.9635100260214235), (1, -0.5772156649015329), (2.5, 0.7031566406452432),
      (10, 2.251752589066721), (1_000_000, 13.81551005796419), (-0.5, 0.03648997397857651), (-3.7, -0.8450768588704185),
      (1e-5, -100000.57719921567), (1.4616321449683622, 0),
    ]
    for (x, y) in digamma { try expect(.digamma, x, y) }
    let inverse: [(Double, Double)] = [
      (0.1, 0.08885599049425769), (0.5, 0.4769362762044699), (-0.9, -1.1630871536766743),
      (0.999999, 3.458910737275499), (0.999999999999, 5.042031898572696), (-0.3, -0.2724627147267544),
    ]
    for (x, y) in inverse { try expect(.inverseErrorFunction, x, y) }
    #expect((try real(.inverseErrorFunction, 1e-10) / 8.862269254527581e-11 - 1).magnitude < 1e-15)
    let gamma: [(Double, Double)] = [
      (0.1, 2.252712651734206), (0.5, 0.5723649429247), (3, 0.6931471805599453), (10.5, 13.940625219403763),
      (1e5, 1051287.7089736569), (-0.5, 1.2655121234846454), (-2.3, 0.36956666345500805),
    ]
    for (x, y) in gamma { try expect(.logGamma, x, y) }
    for (x, y) in [(0.1, 0.1124629160182849), (1, 0.8427007929497148), (-0.5, -0.5204998778130465)] {
      try expect(.errorFunction, x, y)
      try expect(.complementaryErrorFunction, x, 1 - y)
    }
    #expect((try real(.complementaryErrorFunction, 10) / 2.0884875837625446e-45 - 1).magnitude < 1e-14)
  }

  @Test func edgesOfFunctions() throws {
    for x in [0, -0.0, -1, -7, -Double.infinity] { #expect(try real(.digamma, x).isNaN) }
    #expect(try real(.logGamma, -2) == .infinity)
    #expect(try real(.logGamma, -.infinity) == .infinity)
    #expect(try real(.inverseErrorFunction, 1) == .infinity)
    #expect(try real(.inverseErrorFunction, 2).isNaN)
    #expect(try real(.cbrt, -8) == -2)
    #expect(try real(.log, -1).isNaN)
    #expect(try real(.log, -0.0) == -.infinity)
    #expect(try real(.sign, -0.0).sign == .minus)
    #expect(try real(.roundNearestAwayFromZero, -0.5) == -1)
    #expect(try real(.roundNearestEven, 2.5) == 2)
    #expect(try real(.logistic, -1000) == 0)
    #expect(try real(.maximum, -0.0, 0).sign == .plus)
    #expect(try real(.minimum, 0, -0.0).sign == .minus)
    #expect(try real(.maximum, .nan, 1).isNaN)
    #expect(try real(.remainder, -0.0, .infinity).sign == .minus)
    #expect(try real(.remainder, 5, .infinity) == 5)
    #expect(try real(.remainder, -5, 3) == -2)
    #expect(try real(.remainder, .infinity, 2).isNaN)
    #expect(try real(.remainder, 3, 0).isNaN)
  }

  @Test func powersFollowC() throws {
    #expect(try real(.power, -0.0, -1) == -.infinity)
    #expect(try real(.power, 0, -2) == .infinity)
    #expect(try real(.power, -.infinity, -3).sign == .minus)
    #expect(try real(.power, -.infinity, 3) == -.infinity)
    #expect(try real(.power, -2, 0.5).isNaN)
    #expect(try real(.power, -2, 3) == -8)
    #expect(try real(.power, .nan, 0) == 1)
    #expect(try real(.power, 1, .nan) == 1)
    #expect(try real(.power, -1, .infinity) == 1)
    #expect(try real(.power, 0.5, -.infinity) == .infinity)
    #expect(try integer(.power, 3, 4) == 81)
    #expect(try integer(.power, -1, -3) == -1)
    #expect(try integer(.power, 2, -1) == 0)
    #expect(try integer(.power, 7, 30, type: .ui8) == 209)
  }

  @Test func integerDivisionIsTotal() throws {
    #expect(try integer(.divide, 5, 0) == -1)
    #expect(try integer(.divide, -7, 2) == -3)
    #expect(try integer(.divide, Int64(Int32.min), -1) == Int64(Int32.min))
    #expect(try integer(.divide, .min, -1, type: .i64) == .min)
    #expect(try integer(.divide, 200, 3, type: .ui8) == 66)
    #expect(try integer(.divide, 5, 0, type: .ui8) == 255)
    #expect(try integer(.remainder, 5, 0) == 5)
    #expect(try integer(.remainder, -5, 3) == -2)
    #expect(try integer(.remainder, .min, -1, type: .i64) == 0)
  }

  @Test func shiftsBeyondTheWidth() throws {
    #expect(try integer(.shiftLeft, 1, 31) == Int64(Int32.min))
    #expect(try integer(.shiftLeft, 1, 32) == 0)
    #expect(try integer(.shiftLeft, 1, -1) == 0)
    #expect(try integer(.shiftRightArithmetic, -8, 40) == -1)
    #expect(try integer(.shiftRightArithmetic, 8, 40) == 0)
    #expect(try integer(.shiftRightLogical, -1, 28) == 15)
    #expect(try integer(.shiftRightArithmetic, 0x80, 7, type: .ui8) == 255)
    #expect(try integer(.countLeadingZeros, 1, type: .i8) == 7)
    #expect(try integer(.countLeadingZeros, 0, type: .i64) == 64)
    #expect(try integer(.populationCount, -1, type: .i16) == 16)
    #expect(try integer(.not, 5, type: .ui8) == 250)
  }

  /// Expected values are XLA's.
  @Test func reducedPrecision() throws {
    func reduce(_ x: Double, _ exponent: Int, _ mantissa: Int) throws -> Double {
      let rounded = Double(Float(x))
      return try real(.reducePrecision(exponentBits: exponent, mantissaBits: mantissa), rounded, type: .f32)
    }
    #expect(try reduce(1e-40, 8, 3) == 0)
    #expect(try reduce(1e-39, 8, 3) == Double(Float(1.4693679e-39)))
    #expect(try reduce(7e4, 8, 3) == 73728)
    #expect(try reduce(6e-8, 5, 10) == 0)
    #expect(try reduce(-1e-5, 5, 10).sign == .minus)
    #expect(try reduce(65519, 5, 10) == 65504)
    #expect(try reduce(65520, 5, 10) == .infinity)
    #expect(try reduce(.nan, 5, 0).isNaN)
    #expect(try reduce(3, 5, 0) == 2)
    #expect(try reduce(1.5, 5, 0) == 2)
    #expect(try reduce(-.infinity, 5, 2) == -.infinity)
  }

  @Test func neighbours() throws {
    #expect(try real(.nextAfter, 0, 1, type: .f32) == Double(Float.leastNonzeroMagnitude))
    #expect(try real(.nextAfter, -0.0, -1, type: .f32) == -Double(Float.leastNonzeroMagnitude))
    #expect(try real(.nextAfter, 1, 2, type: .f32) == Double(Float(1).nextUp))
    #expect(try real(.nextAfter, -1, 0, type: .f32) == Double(Float(-1).nextUp))
    #expect(try real(.nextAfter, 1, 2, type: .bf16) == 1.0078125)
    #expect(try real(.nextAfter, 1, 2) == 1.0.nextUp)
    #expect(try real(.nextAfter, 65504, .infinity, type: .f16) == .infinity)
  }

  @Test func comparisons() throws {
    func compare(_ a: Double, _ d: ComparisonDirection, _ b: Double, _ order: ComparisonType = .float) throws -> Bool {
      try real(.compare(d, order), a, b) == 1
    }
    #expect(try !compare(.nan, .equal, .nan))
    #expect(try compare(.nan, .notEqual, .nan))
    #expect(try compare(-0.0, .equal, 0))
    #expect(try compare(-0.0, .less, 0, .totalOrder))
    #expect(try compare(.infinity, .less, .nan, .totalOrder))
    #expect(try compare(-.nan, .less, -.infinity, .totalOrder))
    #expect(try compare(.nan, .equal, .nan, .totalOrder))
    #expect(try integer(.compare(.less, .unsigned), 1, -1, type: .ui64) == 1)
    #expect(try integer(.compare(.less, .signed), 1, -1, type: .i64) == 0)
  }

  /// Sums and products in 16 bits are the exact result, rounded once.
  @Test func narrowArithmeticRoundsOnce() throws {
    var g = SeededGenerator(seed: 11)
    for _ in 0..<2000 {
      let x = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &g))
      let y = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &g))
      guard x.isFinite, y.isFinite else { continue }
      #expect(try real(.add, Double(x), Double(y), type: .f32) == Double(x + y))
      #expect(try real(.multiply, Double(x), Double(y), type: .f32) == Double(x * y))
      #expect(try real(.divide, Double(x), Double(y), type: .f32) == Double(x / y) || y == 0)
      #expect(try real(.squareRoot, Double(x.magnitude), type: .f32) == Double(x.magnitude.squareRoot()))
    }
  }
}
