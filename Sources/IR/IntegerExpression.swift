/// A named run-time integer: an extent that is known only when the compiled graph is called.
public struct Symbol: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let name: String
  public init(_ name: String) { self.name = name }
  public var description: String { name }
  public static func < (a: Symbol, b: Symbol) -> Bool { a.name < b.name }
}

/// A polynomial with integer coefficients over symbols, numbered variables and quotients; always in normal form.
///
/// Extents of tensors, and positions in buffers, are such expressions: `8`, `batch`, `2*seq+1`, `i*128 + j`.
/// The normal form (sorted terms, no zero coefficient) makes `==` decide equality of polynomials.
public struct IntegerExpression: Hashable, Sendable {
  /// What a polynomial is made of, beside integers.
  public indirect enum Atom: Hashable, Sendable {
    /// A named run-time integer.
    case symbol(Symbol)
    /// A numbered integer whose meaning the user of the expression defines (a dimension's index, a loop variable).
    case variable(Int)
    /// The quotient, rounded towards negative infinity.
    case floorDivide(IntegerExpression, IntegerExpression)
    /// `a - floorDivide(a, b) * b`.
    case modulo(IntegerExpression, IntegerExpression)
    case minimum(IntegerExpression, IntegerExpression)
    case maximum(IntegerExpression, IntegerExpression)
    /// The integer element of operand `operand` at `index`; only in the index maps of data movement.
    case element(operand: Int, index: [IntegerExpression])
  }

  /// `coefficient` times the product of `factors`.
  public struct Term: Hashable, Sendable {
    public var coefficient: Int
    public var factors: [Atom]
  }

  public private(set) var constant: Int
  public private(set) var terms: [Term]

  public init(_ constant: Int) {
    self.constant = constant
    self.terms = []
  }

  public init(_ atom: Atom) {
    constant = 0
    terms = [Term(coefficient: 1, factors: [atom])]
  }

  private init(constant: Int, terms: [Term]) {
    self.constant = constant
    self.terms = terms
  }

  public static func symbol(_ name: String) -> Self { Self(.symbol(Symbol(name))) }
  public static func variable(_ index: Int) -> Self { Self(.variable(index)) }
  public static let zero = IntegerExpression(0)
  public static let one = IntegerExpression(1)

  /// The value, if it is the same for all values of the atoms.
  public var fixed: Int? { terms.isEmpty ? constant : nil }
  public var isFixed: Bool { terms.isEmpty }

  /// The atom, if the expression is exactly one.
  public var atom: Atom? {
    guard constant == 0, terms.count == 1, terms[0].coefficient == 1, terms[0].factors.count == 1 else { return nil }
    return terms[0].factors[0]
  }
}

// MARK: - Arithmetic

extension IntegerExpression {
  public static func + (a: Self, b: Self) -> Self {
    if b.terms.isEmpty { return Self(constant: a.constant &+ b.constant, terms: a.terms) }
    if a.terms.isEmpty { return Self(constant: a.constant &+ b.constant, terms: b.terms) }
    return Self(constant: a.constant &+ b.constant, terms: merged(a.terms + b.terms))
  }

  public static func - (a: Self, b: Self) -> Self { a + b * Self(-1) }
  public static prefix func - (a: Self) -> Self { a * Self(-1) }

  public static func * (a: Self, b: Self) -> Self {
    if let k = a.fixed { return b.scaled(by: k) }
    if let k = b.fixed { return a.scaled(by: k) }
    var products: [Term] = a.scaled(by: b.constant).terms + b.scaled(by: a.constant).terms
    for x in a.terms {
      for y in b.terms {
        let factors = (x.factors + y.factors).sorted(by: Atom.precedes)
        products.append(Term(coefficient: x.coefficient &* y.coefficient, factors: factors))
      }
    }
    return Self(constant: a.constant &* b.constant, terms: merged(products))
  }

  public static func + (a: Self, b: Int) -> Self { a + Self(b) }
  public static func - (a: Self, b: Int) -> Self { a + Self(-b) }
  public static func * (a: Self, b: Int) -> Self { a.scaled(by: b) }
  public static func += (a: inout Self, b: Self) { a = a + b }
  public static func *= (a: inout Self, b: Self) { a = a * b }

  private func scaled(by k: Int) -> Self {
    if k == 0 { return .zero }
    if k == 1 { return self }
    let scaledTerms = terms.map { Term(coefficient: $0.coefficient &* k, factors: $0.factors) }
    return Self(constant: constant &* k, terms: scaledTerms)
  }

  private static func merged(_ terms: [Term]) -> [Term] {
    var coefficients: [[Atom]: Int] = [:]
    var order: [[Atom]] = []
    for term in terms {
      if coefficients[term.factors] == nil { order.append(term.factors) }
      coefficients[term.factors, default: 0] &+= term.coefficient
    }
    let kept: [Term] = order.compactMap { factors in
      let coefficient = coefficients[factors] ?? 0
      return coefficient == 0 ? nil : Term(coefficient: coefficient, factors: factors)
    }
    return kept.sorted { a, b in a.factors.lexicographicallyPrecedes(b.factors, by: Atom.precedes) }
  }

  /// The quotient rounded towards negative infinity, simplified where the terms divide or `bound` shows it.
  ///
  /// `bound` gives an exclusive upper bound of an atom that is known not to be negative: with `j < 4`,
  /// `(4*i + j) / 4` is `i`.
  public func floorDivided(by divisor: Self, bound: (Atom) -> Self? = { _ in nil }) -> Self {
    if divisor == .one { return self }
    if let a = fixed, let b = divisor.fixed, b != 0 { return Self(a.flooredQuotient(b)) }
    let (multiple, rest) = split(by: divisor)
    if rest.isWithin(divisor, bound: bound) { return multiple }
    return multiple + Self(.floorDivide(rest, divisor))
  }

  /// What the rounded quotient leaves, simplified like `floorDivided`.
  public func modulo(_ divisor: Self, bound: (Atom) -> Self? = { _ in nil }) -> Self {
    if divisor == .one { return .zero }
    if let a = fixed, let b = divisor.fixed, b != 0 { return Self(a - a.flooredQuotient(b) * b) }
    let (_, rest) = split(by: divisor)
    if rest.isWithin(divisor, bound: bound) { return rest }
    return Self(.modulo(rest, divisor))
  }

  /// `self == multiple * divisor + rest`, with as many whole terms as possible in `multiple`.
  private func split(by divisor: Self) -> (multiple: Self, rest: Self) {
    if let k = divisor.fixed, k > 0 {
      var multiple = Self(constant.flooredQuotient(k))
      var rest = Self(constant - constant.flooredQuotient(k) * k)
      for term in terms {
        let one = Self(constant: 0, terms: [Term(coefficient: 1, factors: term.factors)])
        let quotient = term.coefficient.flooredQuotient(k)
        multiple += one.scaled(by: quotient)
        rest += one.scaled(by: term.coefficient - quotient * k)
      }
      return (multiple, rest)
    }
    guard divisor.constant == 0, divisor.terms.count == 1 else {
      return self == divisor ? (.one, .zero) : (.zero, self)
    }
    let by = divisor.terms[0]
    var multiple = Self.zero
    var rest = Self(constant)
    for term in terms {
      let whole = Self(constant: 0, terms: [term])
      if term.coefficient % by.coefficient == 0, let factors = term.factors.removing(by.factors) {
        let coefficient = Self(term.coefficient / by.coefficient)
        multiple += factors.reduce(coefficient) { $0 * Self($1) }
      } else {
        rest += whole
      }
    }
    return (multiple, rest)
  }

  /// Whether the value is shown to be at least zero and less than `limit`.
  public func isWithin(_ limit: Self, bound: (Atom) -> Self?) -> Bool {
    if let value = fixed, let limit = limit.fixed { return value >= 0 && value < limit }
    guard constant >= 0 else { return false }
    var largest = Self(constant)
    for term in terms {
      guard term.coefficient > 0 else { return false }
      var product = Self(term.coefficient)
      for factor in term.factors {
        if case .symbol = factor {
          product *= Self(factor)
        } else if let upper = factor.upperBound(bound) {
          product *= upper - 1
        } else {
          return false
        }
      }
      largest += product
    }
    if let a = largest.fixed, let b = limit.fixed { return a < b }
    return (limit - largest - 1).isSurelyNonNegative
  }

  /// Whether every term is non-negative for all values of symbols from 0 on, so that the whole is.
  public var isSurelyNonNegative: Bool {
    constant >= 0
      && terms.allSatisfy { term in
        term.coefficient > 0
          && term.factors.allSatisfy {
            if case .symbol = $0 { return true }
            return false
          }
      }
  }

  /// Whether the value is less than zero for all values of symbols from 0 on.
  public var isSurelyNegative: Bool { (Self(-1) - self).isSurelyNonNegative }

  /// Whether the value is more than `other`'s for all values of symbols from 0 on.
  public func isSurelyGreater(than other: Self) -> Bool { (self - other - 1).isSurelyNonNegative }

  public static func minimum(_ a: Self, _ b: Self) -> Self {
    if let x = a.fixed, let y = b.fixed { return Self(min(x, y)) }
    return a == b ? a : Self(.minimum(a, b))
  }

  public static func maximum(_ a: Self, _ b: Self) -> Self {
    if let x = a.fixed, let y = b.fixed { return Self(max(x, y)) }
    return a == b ? a : Self(.maximum(a, b))
  }
}

extension IntegerExpression.Atom {
  fileprivate func upperBound(_ bound: (Self) -> IntegerExpression?) -> IntegerExpression? {
    if let known = bound(self) { return known }
    if case .modulo(_, let divisor) = self { return divisor }
    return nil
  }

  /// A total order, so that factors and terms have one normal order.
  static func precedes(_ a: Self, _ b: Self) -> Bool {
    switch (a, b) {
    case (.symbol(let x), .symbol(let y)): return x < y
    case (.variable(let x), .variable(let y)): return x < y
    default:
      if a.rank != b.rank { return a.rank < b.rank }
      return String(describing: a) < String(describing: b)
    }
  }

  private var rank: Int {
    switch self {
    case .symbol: 0
    case .variable: 1
    case .floorDivide: 2
    case .modulo: 3
    case .minimum: 4
    case .maximum: 5
    case .element: 6
    }
  }
}

extension Int {
  /// The quotient rounded towards negative infinity.
  public func flooredQuotient(_ divisor: Int) -> Int {
    let quotient = self / divisor
    return (self % divisor != 0 && (self < 0) != (divisor < 0)) ? quotient - 1 : quotient
  }
}

extension [IntegerExpression.Atom] {
  /// The factors without `others`, or nil where one of them is not here.
  fileprivate func removing(_ others: [IntegerExpression.Atom]) -> [IntegerExpression.Atom]? {
    var rest = self
    for other in others {
      guard let position = rest.firstIndex(of: other) else { return nil }
      rest.remove(at: position)
    }
    return rest
  }
}

// MARK: - Substitution, evaluation

extension IntegerExpression {
  /// The expression with every atom replaced for which `replacement` gives an expression, also inside quotients.
  public func substituting(_ replacement: (Atom) -> IntegerExpression?) -> IntegerExpression {
    if isFixed { return self }
    var result = Self(constant)
    for term in terms {
      var product = Self(term.coefficient)
      for factor in term.factors { product *= factor.substituting(replacement) }
      result += product
    }
    return result
  }

  /// The value, where `value` knows every atom that is not an operation.
  public func evaluated(_ value: (Atom) -> Int?) -> Int? {
    substituting { atom in value(atom).map { Self($0) } }.fixed
  }

  /// All atoms, those inside quotients included.
  public func visitAtoms(_ visit: (Atom) -> Void) {
    for term in terms {
      for factor in term.factors {
        visit(factor)
        switch factor {
        case .symbol, .variable: break
        case .floorDivide(let a, let b), .modulo(let a, let b), .minimum(let a, let b), .maximum(let a, let b):
          a.visitAtoms(visit)
          b.visitAtoms(visit)
        case .element(_, let index): for e in index { e.visitAtoms(visit) }
        }
      }
    }
  }

  public var symbols: Set<Symbol> {
    var found: Set<Symbol> = []
    visitAtoms { if case .symbol(let s) = $0 { found.insert(s) } }
    return found
  }
}

extension IntegerExpression.Atom {
  fileprivate func substituting(_ replacement: (Self) -> IntegerExpression?) -> IntegerExpression {
    if let new = replacement(self) { return new }
    switch self {
    case .symbol, .variable: return IntegerExpression(self)
    case .floorDivide(let a, let b): return a.substituting(replacement).floorDivided(by: b.substituting(replacement))
    case .modulo(let a, let b): return a.substituting(replacement).modulo(b.substituting(replacement))
    case .minimum(let a, let b): return .minimum(a.substituting(replacement), b.substituting(replacement))
    case .maximum(let a, let b): return .maximum(a.substituting(replacement), b.substituting(replacement))
    case .element(let operand, let index):
      return IntegerExpression(.element(operand: operand, index: index.map { $0.substituting(replacement) }))
    }
  }
}

extension IntegerExpression: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int) { self.init(value) }
}

extension IntegerExpression: CustomStringConvertible {
  public var description: String {
    var text = ""
    for term in terms {
      let factors = term.factors.map(\.description).joined(separator: "*")
      let magnitude = term.coefficient.magnitude == 1 ? factors : "\(term.coefficient.magnitude)*\(factors)"
      if text.isEmpty {
        text = term.coefficient < 0 ? "-\(magnitude)" : magnitude
      } else {
        text += term.coefficient < 0 ? " - \(magnitude)" : " + \(magnitude)"
      }
    }
    if text.isEmpty { return "\(constant)" }
    if constant == 0 { return text }
    return text + (constant < 0 ? " - \(constant.magnitude)" : " + \(constant)")
  }
}

extension IntegerExpression.Atom: CustomStringConvertible {
  public var description: String {
    switch self {
    case .symbol(let s): s.name
    case .variable(let v): "d\(v)"
    case .floorDivide(let a, let b): "floordiv(\(a), \(b))"
    case .modulo(let a, let b): "mod(\(a), \(b))"
    case .minimum(let a, let b): "min(\(a), \(b))"
    case .maximum(let a, let b): "max(\(a), \(b))"
    case .element(let operand, let index):
      "operand\(operand)[\(index.map(\.description).joined(separator: ", "))]"
    }
  }
}
