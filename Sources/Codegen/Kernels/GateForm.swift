import IR

/// A polynomial of at most the third degree.
struct CubicPolynomial: Hashable {
  /// By power.
  var coefficients: [Double] = [0, 0, 0, 0]

  init(_ coefficients: [Double] = []) {
    self.coefficients.replaceSubrange(..<coefficients.count, with: coefficients)
  }

  var isZero: Bool { coefficients.allSatisfy { $0 == 0 } }
  var constant: Double? { coefficients.dropFirst().allSatisfy { $0 == 0 } ? coefficients[0] : nil }

  /// Whether each coefficient is the other's but for the rounding of two or three numbers of f32.
  func isNear(_ other: CubicPolynomial) -> Bool {
    zip(coefficients, other.coefficients).allSatisfy { ($0 - $1).magnitude <= 0x1p-22 * $1.magnitude }
  }

  /// The sum, if nothing cancels: the graph's own numbers would be rounded before.
  static func + (a: CubicPolynomial, b: CubicPolynomial) -> CubicPolynomial? {
    var sum = CubicPolynomial()
    for (i, (x, y)) in zip(a.coefficients, b.coefficients).enumerated() {
      guard (x + y).magnitude >= 0.25 * max(x.magnitude, y.magnitude) else { return nil }
      sum.coefficients[i] = x + y
    }
    return sum
  }

  static func * (a: CubicPolynomial, b: Double) -> CubicPolynomial {
    CubicPolynomial(a.coefficients.map { $0 * b })
  }

  /// The product, if its degree is not too high and nothing cancels.
  static func * (a: CubicPolynomial, b: CubicPolynomial) -> CubicPolynomial? {
    var product = CubicPolynomial()
    for (i, x) in a.coefficients.enumerated() where x != 0 {
      var part = CubicPolynomial()
      for (j, y) in b.coefficients.enumerated() where y != 0 {
        guard i + j < part.coefficients.count else { return nil }
        part.coefficients[i + j] = x * y
      }
      guard let sum = product + part else { return nil }
      product = sum
    }
    return product
  }

  /// Whether no coefficient is so large or small that f32 would overflow or round to zero on the way.
  var isModerate: Bool { coefficients.allSatisfy { $0 == 0 || (0x1p-20...0x1p20).contains($0.magnitude) } }
}

/// p(x) + q(x) g.
struct GateForm {
  var plain = CubicPolynomial()
  var gated = CubicPolynomial()

  /// Reads values as forms in a value x and a function's value g.
  struct Reader {
    let graph: Graph
    let operand: ValueID
    var function: ValueID?
    /// The values that are looked at: the longest way to spell a product with a gate has fewer.
    static let limit = 24
    private var known: [ValueID: GateForm?] = [:]

    init(graph: Graph, operand: ValueID, function: ValueID? = nil) {
      self.graph = graph
      self.operand = operand
      self.function = function
    }

    mutating func form(of value: ValueID) -> GateForm? {
      if value == operand { return GateForm(plain: CubicPolynomial([0, 1])) }
      if value == function { return GateForm(gated: CubicPolynomial([1])) }
      // What comes before x does not depend on it.
      if value < operand { return constant(value) }
      if let form = known[value] { return form }
      if known.count >= Self.limit { return nil }
      var form = computed(value)
      if let found = form, !found.plain.isModerate || !found.gated.isModerate { form = nil }
      known[value] = form
      return form
    }

    private func constant(_ value: ValueID) -> GateForm? {
      switch graph[value].op {
      case .constant(let constant):
        guard let number = constant.value.splatValue, constant.value.elementType == .f32 else { return nil }
        return GateForm(plain: CubicPolynomial([number.realValue]))
      case .broadcastInDim: return constant(graph[value].operands[0])
      default: return nil
      }
    }

    private mutating func computed(_ value: ValueID) -> GateForm? {
      guard case .pointwise(let pointwise) = graph[value].op else { return constant(value) }
      let operands = graph[value].operands
      guard operands.count <= 2, let a = form(of: operands[0]), let b = form(of: operands[operands.count - 1]) else {
        return nil
      }
      switch pointwise.function {
      case .add: return a + b
      case .subtract: return a + b * -1
      case .negate: return a * -1
      case .multiply: return a * b
      case .divide: return b.constant.map { a * (1 / $0) }
      case .power: return b.constant.flatMap { a.power($0) }
      default: return nil
      }
    }
  }

  var constant: Double? { gated.isZero ? plain.constant : nil }

  func power(_ exponent: Double) -> GateForm? {
    switch exponent {
    case 2: self * self
    case 3: (self * self).flatMap { $0 * self }
    default: nil
    }
  }

  /// The sum, if nothing cancels.
  static func + (a: GateForm, b: GateForm) -> GateForm? {
    guard let plain = a.plain + b.plain, let gated = a.gated + b.gated else { return nil }
    return GateForm(plain: plain, gated: gated)
  }

  static func * (a: GateForm, b: Double) -> GateForm { GateForm(plain: a.plain * b, gated: a.gated * b) }

  /// The product, if there is no power of g in it.
  static func * (a: GateForm, b: GateForm) -> GateForm? {
    guard a.gated.isZero || b.gated.isZero, let plain = a.plain * b.plain, let first = a.plain * b.gated,
      let second = a.gated * b.plain, let gated = first + second
    else { return nil }
    return GateForm(plain: plain, gated: gated)
  }
}
