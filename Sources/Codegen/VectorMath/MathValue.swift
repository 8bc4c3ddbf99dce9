import IR

/// The kernel that the values of a formula write into.
///
/// A class because all values of a formula write into the one kernel: the operators have no other way to it.
final class MathWriter {
  var builder: KernelBuilder

  init(_ builder: KernelBuilder) { self.builder = builder }

  /// The kernel, which is no longer here: its one owner may change it without a copy.
  func takeBuilder() -> KernelBuilder {
    var taken = KernelBuilder(target: builder.target)
    swap(&taken, &builder)
    return taken
  }
}

/// A register on which operators append operations: how the formulas of this folder are written.
///
/// Formulas use only operations that are one instruction on the target, lane by lane: no calls, no tables in memory, and
/// no branches but for `replacing(_:whereAny:_:)`.
/// A comparison with NaN is false, and `select` then decides which operand's NaN survives.
struct MathValue {
  let register: Register
  let writer: MathWriter

  var element: ElementType { writer.builder.type(of: register).element }
  private var lanes: Int { writer.builder.type(of: register).lanes }

  /// A number of this value's type, in as many lanes.
  func constant(_ value: Double) -> MathValue {
    MathValue(register: writer.builder.constant(value, element, lanes: lanes), writer: writer)
  }

  func constant(_ value: Int) -> MathValue {
    guard !element.isFloat else { return constant(Double(value)) }
    return MathValue(
      register: writer.builder.constant(.integer(Int64(value)), element, lanes: lanes), writer: writer)
  }

  func apply(_ function: ScalarFunction, _ others: MathValue...) -> MathValue {
    let operands = [register] + others.map(\.register)
    return MathValue(register: writer.builder.apply(function, operands), writer: writer)
  }

  /// The same bits as an integer.
  var bits: MathValue { apply(.bitcast(element.signedInteger)) }

  /// An integer's bits as a float.
  var float: MathValue {
    let type: ElementType = element == .i64 ? .f64 : .f32
    return apply(.bitcast(type))
  }

  /// The bits as another float type of this width.
  func float(as type: ElementType) -> MathValue { apply(.bitcast(type)) }

  func converted(to type: ElementType) -> MathValue { apply(.convert(type)) }

  var magnitude: MathValue { apply(.abs) }
  func squareRoot() -> MathValue { apply(.squareRoot) }
  func rounded() -> MathValue { apply(.roundNearestEven) }
  func roundedDown() -> MathValue { apply(.floor) }

  /// This value, which is not negative, with the sign of another.
  func signed(like other: MathValue) -> MathValue {
    let sign = other.bits .& other.element.signBit
    return (bits .| sign).float(as: element)
  }

  /// This value, negated where the other's sign bit is set.
  func signFlipped(by other: MathValue) -> MathValue {
    let sign = other.bits .& other.element.signBit
    return (bits .^ sign).float(as: element)
  }

  static prefix func - (a: MathValue) -> MathValue { a.apply(.negate) }
  static func + (a: MathValue, b: MathValue) -> MathValue { a.apply(.add, b) }
  static func - (a: MathValue, b: MathValue) -> MathValue { a.apply(.subtract, b) }
  static func * (a: MathValue, b: MathValue) -> MathValue { a.apply(.multiply, b) }
  static func / (a: MathValue, b: MathValue) -> MathValue { a.apply(.divide, b) }
  static func + (a: MathValue, b: Double) -> MathValue { a + a.constant(b) }
  static func - (a: MathValue, b: Double) -> MathValue { a - a.constant(b) }
  static func * (a: MathValue, b: Double) -> MathValue { a * a.constant(b) }
  static func - (a: Double, b: MathValue) -> MathValue { b.constant(a) - b }
  static func / (a: Double, b: MathValue) -> MathValue { b.constant(a) / b }
  static func + (a: MathValue, b: Int) -> MathValue { a + a.constant(b) }
  static func - (a: MathValue, b: Int) -> MathValue { a - a.constant(b) }
  static func - (a: Int, b: MathValue) -> MathValue { b.constant(a) - b }

  static func << (a: MathValue, b: Int) -> MathValue { a.apply(.shiftLeft, a.constant(b)) }
  /// The shift that repeats the sign.
  static func >> (a: MathValue, b: Int) -> MathValue { a.apply(.shiftRightArithmetic, a.constant(b)) }
  func shiftedRightLogically(_ amount: Int) -> MathValue { apply(.shiftRightLogical, constant(amount)) }

  static func .& (a: MathValue, b: MathValue) -> MathValue { a.apply(.and, b) }
  static func .| (a: MathValue, b: MathValue) -> MathValue { a.apply(.or, b) }
  static func .^ (a: MathValue, b: MathValue) -> MathValue { a.apply(.xor, b) }
  static func .& (a: MathValue, b: Int) -> MathValue { a .& a.constant(b) }
  static func .| (a: MathValue, b: Int) -> MathValue { a .| a.constant(b) }
  static prefix func .! (a: MathValue) -> MathValue { a.apply(.not) }

  private func compared(_ direction: ComparisonDirection, _ other: MathValue) -> MathValue {
    apply(.compare(direction, element.isFloat ? .float : element == .i1 ? .unsigned : .signed), other)
  }

  static func .< (a: MathValue, b: MathValue) -> MathValue { a.compared(.less, b) }
  static func .> (a: MathValue, b: MathValue) -> MathValue { a.compared(.greater, b) }
  static func .>= (a: MathValue, b: MathValue) -> MathValue { a.compared(.greaterOrEqual, b) }
  static func .== (a: MathValue, b: MathValue) -> MathValue { a.compared(.equal, b) }
  static func .!= (a: MathValue, b: MathValue) -> MathValue { a.compared(.notEqual, b) }
  static func .< (a: MathValue, b: Double) -> MathValue { a .< a.constant(b) }
  static func .> (a: MathValue, b: Double) -> MathValue { a .> a.constant(b) }
  static func .>= (a: MathValue, b: Double) -> MathValue { a .>= a.constant(b) }
  static func .== (a: MathValue, b: Double) -> MathValue { a .== a.constant(b) }
  static func .< (a: MathValue, b: Int) -> MathValue { a .< a.constant(b) }
  static func .> (a: MathValue, b: Int) -> MathValue { a .> a.constant(b) }
  static func .!= (a: MathValue, b: Int) -> MathValue { a .!= a.constant(b) }

  var isNumber: MathValue { self .== self }

  /// The values, or what `body` makes of them if the condition holds in any lane: a loop that runs at most once.
  ///
  /// For what is costly and rarely needed. The lanes in which the condition does not hold are replaced too.
  static func replacing(
    _ values: [MathValue], whereAny condition: MathValue, _ body: ([MathValue]) -> [MathValue]
  ) -> [MathValue] {
    let writer = condition.writer
    let any = writer.builder.fold(.or, condition.register)
    let count = writer.builder.index(of: any, bound: 2)
    var builder = writer.takeBuilder()
    let results = builder.loop(to: count, carrying: values.map(\.register)) { inner, _, carried -> [Register] in
      swap(&writer.builder, &inner)
      let next = body(carried.map { MathValue(register: $0, writer: writer) })
      swap(&writer.builder, &inner)
      return next.map(\.register)
    }
    writer.builder = builder
    return results.map { MathValue(register: $0, writer: writer) }
  }

  var hasPowersOfTwo: Bool { writer.builder.target.hasPowersOfTwo }

  /// This value times 2ⁿ, rounded once, where the target has an instruction for it.
  func scaled(byPowerOfTwo n: MathValue) -> MathValue {
    MathValue(register: writer.builder.timesPowerOfTwo(register, n.register), writer: writer)
  }

  /// The number of a table of 32 that an i32's low five bits say.
  func lookup(_ table: [Double]) -> MathValue {
    MathValue(register: writer.builder.lookup(table, at: register), writer: writer)
  }

  /// This value, at most `limit`; NaN stays.
  func atMost(_ limit: Double) -> MathValue {
    let bound = constant(limit)
    return select(self .> bound, bound, self)
  }

  /// This value, at least `limit`; NaN stays.
  func atLeast(_ limit: Double) -> MathValue {
    let bound = constant(limit)
    return select(self .< bound, bound, self)
  }
}

/// What a formula takes as an operand: a value, or a number that becomes one of its neighbours' type.
protocol MathOperand {
  var mathValue: MathValue? { get }
  func mathValue(like other: MathValue) -> MathValue
}

extension MathValue: MathOperand {
  var mathValue: MathValue? { self }
  func mathValue(like other: MathValue) -> MathValue { self }
}

extension Double: MathOperand {
  var mathValue: MathValue? { nil }
  func mathValue(like other: MathValue) -> MathValue { other.constant(self) }
}

/// `a * b + c`, rounded once.
func fma(_ a: MathValue, _ b: some MathOperand, _ c: some MathOperand) -> MathValue {
  let (y, z) = (b.mathValue(like: a), c.mathValue(like: a))
  let result = a.writer.builder.multiplyAdd(a.register, y.register, z.register)
  return MathValue(register: result, writer: a.writer)
}

/// `a` in the lanes where the condition holds, else `b`; one of them is a value, or both are numbers of `type`.
func select(_ condition: MathValue, _ a: some MathOperand, _ b: some MathOperand) -> MathValue {
  guard let like = a.mathValue ?? b.mathValue else {
    preconditionFailure("select between two numbers needs to know their type")
  }
  return condition.apply(.select, a.mathValue(like: like), b.mathValue(like: like))
}

/// The polynomial with these coefficients, lowest power first, by Horner's rule.
func polynomial(_ x: MathValue, _ coefficients: [Double]) -> MathValue {
  var sum = x.constant(coefficients[coefficients.count - 1])
  for coefficient in coefficients.dropLast().reversed() { sum = fma(sum, x, coefficient) }
  return sum
}

/// `a + b` as a rounded sum and what it lacks, for any two numbers.
func exactSum(_ a: MathValue, _ b: MathValue) -> (sum: MathValue, error: MathValue) {
  let sum = a + b
  let back = sum - a
  return (sum, (a - (sum - back)) + (b - back))
}

/// `a * b` as a rounded product and what it lacks.
func exactProduct(_ a: MathValue, _ b: some MathOperand) -> (product: MathValue, error: MathValue) {
  let b = b.mathValue(like: a)
  let product = a * b
  if a.writer.builder.target.hasMultiplyAdd { return (product, fma(a, b, -product)) }
  if a.isF32 && a.writer.builder.target.hasF64 {
    let wide = a.converted(to: .f64) * b.converted(to: .f64)
    return (product, (wide - product.converted(to: .f64)).converted(to: .f32))
  }
  // Halves of 26 or 12 bits, whose products are exact.
  let (x, y) = (a.halves, b.halves)
  let upper = (x.high * y.high - product) + x.high * y.low
  return (product, (upper + x.low * y.high) + x.low * y.low)
}

/// `a * b + c`, rounded once or nearly so; `fma` is that only on targets that have the instruction.
func exactFma(_ a: MathValue, _ b: MathValue, _ c: MathValue) -> MathValue {
  if a.writer.builder.target.hasMultiplyAdd { return fma(a, b, c) }
  let (product, productError) = exactProduct(a, b)
  let (sum, sumError) = exactSum(product, c)
  return sum + (sumError + productError)
}

extension MathValue {
  fileprivate var halves: (high: MathValue, low: MathValue) {
    let scaled = self * (isF32 ? 0x1.001p12 : 0x1.0000002p27)
    let high = scaled - (scaled - self)
    return (high, self - high)
  }
}

extension ElementType {
  /// The signed integer with this type's width.
  var signedInteger: ElementType {
    switch bitWidth {
    case 64: .i64
    case 16: .i16
    default: .i32
    }
  }

  /// The bit that holds a float's sign, as an integer of that width.
  var signBit: Int { bitWidth == 64 ? Int.min : -(1 << (bitWidth - 1)) }
}
