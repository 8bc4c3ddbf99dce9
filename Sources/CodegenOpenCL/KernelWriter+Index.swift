import Codegen
import IR

/// What is known of an integer's value; both ends are included, nil is unknown.
struct IndexRange: Hashable {
  var lower: Int?
  var upper: Int?
  /// Whether the integer is kept in 64 bits all the same.
  var isWide = false

  init(_ lower: Int?, _ upper: Int?) {
    self.lower = lower
    self.upper = upper
  }

  init(_ value: Int) { self.init(value, value) }

  static let unknown = IndexRange(nil, nil)

  private static func combined(_ a: Int?, _ b: Int?, _ operation: (Int, Int) -> (Int, Bool)) -> Int? {
    guard let a, let b else { return nil }
    let (value, overflows) = operation(a, b)
    return overflows ? nil : value
  }

  static func + (a: IndexRange, b: IndexRange) -> IndexRange {
    IndexRange(
      combined(a.lower, b.lower) { $0.addingReportingOverflow($1) },
      combined(a.upper, b.upper) { $0.addingReportingOverflow($1) })
  }

  static func * (a: IndexRange, b: IndexRange) -> IndexRange {
    if let l = a.lower, let m = b.lower, l >= 0, m >= 0 {
      return IndexRange(
        combined(l, m) { $0.multipliedReportingOverflow(by: $1) },
        combined(a.upper, b.upper) { $0.multipliedReportingOverflow(by: $1) })
    }
    guard let al = a.lower, let au = a.upper, let bl = b.lower, let bu = b.upper else { return .unknown }
    var products: [Int] = []
    for (x, y) in [(al, bl), (al, bu), (au, bl), (au, bu)] {
      let (product, overflows) = x.multipliedReportingOverflow(by: y)
      if overflows { return .unknown }
      products.append(product)
    }
    return IndexRange(products.min(), products.max())
  }

  var isNonNegative: Bool { lower.map { $0 >= 0 } ?? false }
}

/// An index expression as text, with what it is.
private struct IndexText {
  var text: String
  /// How tightly the text's last operator binds.
  var level: Level
  var isWide: Bool

  enum Level: Int, Comparable {
    case sum, product, atom
    static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
  }

  func at(_ least: Level) -> String { level >= least ? text : "(\(text))" }
}

// MARK: - Ranges

extension KernelWriter {
  /// Whether the value fits into 32 bits.
  func isNarrow(_ range: IndexRange?) -> Bool {
    guard let range, !range.isWide, let lower = range.lower, let upper = range.upper else { return false }
    return lower > Int(Int32.min) && upper < Int(Int32.max) - 64
  }

  func range(of expression: IntegerExpression) -> IndexRange {
    var sum = IndexRange(expression.constant)
    for term in expression.terms { sum = sum + range(of: term) }
    return sum
  }

  private func range(of term: IntegerExpression.Term) -> IndexRange {
    term.factors.reduce(IndexRange(term.coefficient)) { $0 * range(of: $1) }
  }

  private func range(of atom: IntegerExpression.Atom) -> IndexRange {
    switch atom {
    case .symbol: return IndexRange(0, nil)
    case .variable(let variable):
      if let known = ranges[variable] { return known }
      guard let register = kernel.registerVariables[variable] else { return .unknown }
      return registerRanges[register.index] ?? .unknown
    case .floorDivide(let a, let b):
      let (x, y) = (range(of: a), range(of: b))
      guard x.isNonNegative, let least = y.lower, least >= 1 else { return .unknown }
      return IndexRange(0, x.upper.map { $0 / least })
    case .modulo(_, let b):
      let divisor = range(of: b)
      guard divisor.isNonNegative else { return .unknown }
      return IndexRange(0, divisor.upper.map { max(0, $0 - 1) })
    case .minimum(let a, let b):
      let (x, y) = (range(of: a), range(of: b))
      let lower = x.lower.flatMap { l in y.lower.map { min(l, $0) } }
      return IndexRange(lower, [x.upper, y.upper].compactMap { $0 }.min())
    case .maximum(let a, let b):
      let (x, y) = (range(of: a), range(of: b))
      let upper = x.upper.flatMap { u in y.upper.map { max(u, $0) } }
      return IndexRange([x.lower, y.lower].compactMap { $0 }.max(), upper)
    case .element: preconditionFailure("index expressions of kernels have no elements of operands")
    }
  }
}

// MARK: - Text

extension KernelWriter {
  /// The integer that a scalar expression has, in as few bits as it needs, or in 64.
  mutating func index(_ expression: IntegerExpression, isWide: Bool = false) -> String {
    let text = self.text(expression)
    if text.isWide || !isWide || expression.isFixed { return text.text }
    return "(long)\(text.at(.atom))"
  }

  /// A `long` of several lanes.
  mutating func vectorIndex(_ expression: IntegerExpression, lanes: Int) -> String {
    vectorText(expression, lanes).text
  }

  private mutating func text(_ expression: IntegerExpression) -> IndexText {
    if let fixed = expression.fixed {
      let isWide = !isNarrow(IndexRange(fixed))
      return IndexText(text: CType.signed(fixed, isWide ? 64 : 32), level: .atom, isWide: isWide)
    }
    // Partial sums come in the order of the terms; each must fit.
    var partial = IndexRange(0)
    var isWide = false
    for term in expression.terms {
      partial = partial + range(of: term)
      if !isNarrow(partial) || !isNarrow(range(of: term)) { isWide = true }
    }
    if !isNarrow(partial + IndexRange(expression.constant)) { isWide = true }
    var parts: [IndexText] = []
    for term in expression.terms { parts.append(text(term, isWide: isWide)) }
    isWide = isWide || parts.contains(where: \.isWide)
    if parts.count == 1, expression.constant == 0 { return parts[0] }
    var sum = parts.map { $0.at(.product) }.joined(separator: " + ")
    if expression.constant != 0 {
      let size = CType.signed(abs(expression.constant), isWide ? 64 : 32)
      sum += expression.constant < 0 ? " - \(size)" : " + \(size)"
    }
    return IndexText(text: sum, level: .sum, isWide: isWide)
  }

  private mutating func text(_ term: IntegerExpression.Term, isWide: Bool) -> IndexText {
    var factors: [IndexText] = []
    for factor in term.factors { factors.append(text(factor)) }
    let wide = isWide || factors.contains(where: \.isWide)
    // One wide factor makes the product wide.
    if wide, !factors.contains(where: \.isWide) {
      factors[0] = IndexText(text: "(long)\(factors[0].at(.atom))", level: .product, isWide: true)
    }
    if let position = factors.firstIndex(where: \.isWide), position > 0 { factors.swapAt(0, position) }
    if term.coefficient == 1, factors.count == 1 { return factors[0] }
    var parts = factors.map { $0.at(.atom) }
    if factors[0].level == .product { parts[0] = factors[0].text }
    if term.coefficient != 1 { parts.append(CType.signed(term.coefficient, wide ? 64 : 32)) }
    return IndexText(text: parts.joined(separator: " * "), level: .product, isWide: wide)
  }

  private mutating func text(_ atom: IntegerExpression.Atom) -> IndexText {
    switch atom {
    case .symbol(let symbol): return IndexText(text: name(symbol), level: .atom, isWide: true)
    case .variable(Kernel.itemVariable) where kernel.itemCount == 1:
      return IndexText(text: "0", level: .atom, isWide: false)
    case .variable(let variable):
      if let register = kernel.registerVariables[variable] {
        let name = value(register).part
        let isNarrow = isNarrow(registerRanges[register.index])
        return IndexText(text: isNarrow ? "(int)\(name)" : name, level: isNarrow ? .product : .atom, isWide: !isNarrow)
      }
      let isNarrow = isNarrow(ranges[variable])
      return IndexText(text: Self.name(ofVariable: variable), level: .atom, isWide: !isNarrow)
    case .floorDivide(let a, let b): return quotient(a, b, isRemainder: false)
    case .modulo(let a, let b): return quotient(a, b, isRemainder: true)
    case .minimum(let a, let b): return choice("min", a, b)
    case .maximum(let a, let b): return choice("max", a, b)
    case .element: preconditionFailure("index expressions of kernels have no elements of operands")
    }
  }

  private mutating func both(_ a: IntegerExpression, _ b: IntegerExpression) -> (IndexText, IndexText) {
    let (x, y) = (text(a), text(b))
    if x.isWide == y.isWide { return (x, y) }
    func widened(_ x: IndexText, _ expression: IntegerExpression) -> IndexText {
      if x.isWide { return x }
      if let fixed = expression.fixed { return IndexText(text: CType.signed(fixed, 64), level: .atom, isWide: true) }
      return IndexText(text: "(long)\(x.at(.atom))", level: .product, isWide: true)
    }
    return (widened(x, a), widened(y, b))
  }

  private mutating func choice(_ name: String, _ a: IntegerExpression, _ b: IntegerExpression) -> IndexText {
    let (x, y) = both(a, b)
    return IndexText(text: "\(name)(\(x.text), \(y.text))", level: .atom, isWide: x.isWide)
  }

  /// Divisors count as 1 where they are not positive, which only happens where no element is computed.
  private mutating func quotient(_ a: IntegerExpression, _ b: IntegerExpression, isRemainder: Bool) -> IndexText {
    var (x, y) = both(a, b)
    if (range(of: b).lower ?? 0) < 1 {
      y = IndexText(text: "max(\(y.text), \(y.isWide ? "1L" : "1"))", level: .atom, isWide: y.isWide)
    }
    if range(of: a).isNonNegative {
      let text = "\(x.at(.product)) \(isRemainder ? "%" : "/") \(y.at(.atom))"
      return IndexText(text: "(\(text))", level: .atom, isWide: x.isWide)
    }
    let name = isRemainder ? "tfc_modulo" : "tfc_floor_divide"
    helpers.need("tfc_floor_divide", Self.floorDivision)
    return IndexText(text: "\(name)(\(x.text), \(y.text))", level: .atom, isWide: true)
  }

  private static let floorDivision = """
    /* The quotient rounded towards negative infinity, and what it leaves. */
    static inline long tfc_floor_divide(long a, long b) { long q = a / b; return q - (a % b < 0 ? 1 : 0); }
    static inline long tfc_modulo(long a, long b) { long r = a % b; return r < 0 ? r + b : r; }

    """

  // MARK: Vectors

  private func variesByLane(_ expression: IntegerExpression) -> Bool {
    var varies = false
    expression.visitAtoms { atom in
      guard case .variable(let variable) = atom else { return }
      if variable == -1 { varies = true }
      if let register = kernel.registerVariables[variable], kernel.type(of: register).lanes > 1 { varies = true }
    }
    return varies
  }

  private mutating func vectorText(_ expression: IntegerExpression, _ lanes: Int) -> IndexText {
    guard variesByLane(expression) else {
      return IndexText(text: "(long\(lanes))(\(index(expression)))", level: .atom, isWide: true)
    }
    var parts: [String] = []
    for term in expression.terms {
      var factors: [String] = []
      for factor in term.factors { factors.append(vectorText(factor, lanes).at(.atom)) }
      if term.coefficient != 1 || factors.isEmpty { factors.append(CType.signed(term.coefficient, 64)) }
      parts.append(factors.joined(separator: " * "))
    }
    if expression.constant != 0 { parts.append(CType.signed(expression.constant, 64)) }
    return IndexText(text: parts.joined(separator: " + "), level: .sum, isWide: true)
  }

  private mutating func vectorText(_ atom: IntegerExpression.Atom, _ lanes: Int) -> IndexText {
    let type = "long\(lanes)"
    switch atom {
    case .variable(-1):
      let list = (0..<lanes).map(String.init).joined(separator: ", ")
      return IndexText(text: "(\(type))(\(list))", level: .atom, isWide: true)
    case .variable(let variable):
      if let register = kernel.registerVariables[variable], kernel.type(of: register).lanes > 1 {
        return IndexText(text: value(register).part, level: .atom, isWide: true)
      }
      return IndexText(text: "(\(type))(\(text(atom).text))", level: .atom, isWide: true)
    case .symbol: return IndexText(text: "(\(type))(\(text(atom).text))", level: .atom, isWide: true)
    case .minimum(let a, let b): return vectorCall("min", a, b, lanes)
    case .maximum(let a, let b): return vectorCall("max", a, b, lanes)
    case .floorDivide(let a, let b), .modulo(let a, let b):
      let isRemainder = if case .modulo = atom { true } else { false }
      var divisor = vectorText(b, lanes).text
      if (range(of: b).lower ?? 0) < 1 { divisor = "max(\(divisor), (\(type))(1))" }
      let dividend = vectorText(a, lanes).at(.atom)
      if range(of: a).isNonNegative {
        return IndexText(
          text: "(\(dividend) \(isRemainder ? "%" : "/") (\(divisor)))", level: .atom, isWide: true)
      }
      helpers.need("tfc_floor_divide_\(lanes)", Self.floorDivision(lanes))
      let name = isRemainder ? "tfc_modulo_\(lanes)" : "tfc_floor_divide_\(lanes)"
      return IndexText(text: "\(name)(\(dividend), \(divisor))", level: .atom, isWide: true)
    case .element: preconditionFailure("index expressions of kernels have no elements of operands")
    }
  }

  private mutating func vectorCall(
    _ name: String, _ a: IntegerExpression, _ b: IntegerExpression, _ lanes: Int
  ) -> IndexText {
    let (x, y) = (vectorText(a, lanes).text, vectorText(b, lanes).text)
    return IndexText(text: "\(name)(\(x), \(y))", level: .atom, isWide: true)
  }

  private static func floorDivision(_ lanes: Int) -> String {
    let type = "long\(lanes)"
    return """
      static inline \(type) tfc_floor_divide_\(lanes)(\(type) a, \(type) b) { return a / b + (a % b < (\(type))(0)); }
      static inline \(type) tfc_modulo_\(lanes)(\(type) a, \(type) b) { \(type) r = a % b; return r + (b & (r < (\(type))(0))); }

      """
  }
}
