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
  public internal(set) var terms: [Term]

  public init(_ constant: Int) {
    self.constant = constant
    self.terms = []
  }

  public init(_ atom: Atom) {
    constant = 0
    terms = [Term(coefficient: 1, factors: [atom])]
  }

  /// `terms` are in normal form.
  init(constant: Int, terms: [Term]) {
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
  /// O(terms of both).
  public static func + (a: Self, b: Self) -> Self {
    if b.terms.isEmpty { return Self(constant: a.constant &+ b.constant, terms: a.terms) }
    if a.terms.isEmpty { return Self(constant: a.constant &+ b.constant, terms: b.terms) }
    return Self(constant: a.constant &+ b.constant, terms: merged(a.terms, b.terms))
  }

  public static func - (a: Self, b: Self) -> Self { a + b.scaled(by: -1) }
  public static prefix func - (a: Self) -> Self { a.scaled(by: -1) }

  public static func * (a: Self, b: Self) -> Self {
    if let k = a.fixed { return b.scaled(by: k) }
    if let k = b.fixed { return a.scaled(by: k) }
    var products: [Term] = a.scaled(by: b.constant).terms + b.scaled(by: a.constant).terms
    products.reserveCapacity(products.count + a.terms.count * b.terms.count)
    for x in a.terms {
      for y in b.terms {
        let factors = (x.factors + y.factors).sorted(by: Atom.precedes)
        products.append(Term(coefficient: x.coefficient &* y.coefficient, factors: factors))
      }
    }
    return Self(constant: a.constant &* b.constant, unordered: products)
  }

  public static func + (a: Self, b: Int) -> Self { a + Self(b) }
  public static func - (a: Self, b: Int) -> Self { a + Self(0 &- b) }
  public static func * (a: Self, b: Int) -> Self { a.scaled(by: b) }
  public static func += (a: inout Self, b: Self) { a = a + b }
  public static func *= (a: inout Self, b: Self) { a = a * b }

  /// The sum of all, in O(n log n) of their terms.
  public static func sum(_ parts: some Sequence<Self>) -> Self {
    var constant = 0
    var terms: [Term] = []
    for part in parts {
      constant &+= part.constant
      terms += part.terms
    }
    return Self(constant: constant, unordered: terms)
  }

  func scaled(by k: Int) -> Self {
    if k == 0 { return .zero }
    if k == 1 { return self }
    let scaledTerms: [Term] = terms.compactMap {
      let coefficient = $0.coefficient &* k
      return coefficient == 0 ? nil : Term(coefficient: coefficient, factors: $0.factors)
    }
    return Self(constant: constant &* k, terms: scaledTerms)
  }

  /// The normal form of terms in any order, each with its factors in order.
  init(constant: Int, unordered terms: [Term]) {
    var kept: [Term] = []
    kept.reserveCapacity(terms.count)
    for term in terms.sorted(by: Term.precedes) {
      if let last = kept.last, last.factors == term.factors {
        kept[kept.count - 1].coefficient &+= term.coefficient
      } else {
        kept.append(term)
      }
    }
    kept.removeAll { $0.coefficient == 0 }
    self.init(constant: constant, terms: kept)
  }

  /// Both lists are in order.
  private static func merged(_ a: [Term], _ b: [Term]) -> [Term] {
    var all: [Term] = []
    all.reserveCapacity(a.count + b.count)
    var (i, j) = (0, 0)
    while i < a.count && j < b.count {
      switch Atom.order(a[i].factors, b[j].factors) {
      case .before:
        all.append(a[i])
        i += 1
      case .after:
        all.append(b[j])
        j += 1
      case .same:
        let coefficient = a[i].coefficient &+ b[j].coefficient
        if coefficient != 0 { all.append(Term(coefficient: coefficient, factors: a[i].factors)) }
        i += 1
        j += 1
      }
    }
    return all + a[i...] + b[j...]
  }
}

// MARK: - Order

extension IntegerExpression {
  enum Order {
    case before, same, after
  }
}

extension IntegerExpression.Term {
  static func precedes(_ a: Self, _ b: Self) -> Bool {
    IntegerExpression.Atom.order(a.factors, b.factors) == .before
  }
}

extension IntegerExpression.Atom {
  typealias Order = IntegerExpression.Order

  /// A total order, so that factors and terms have one normal order.
  static func precedes(_ a: Self, _ b: Self) -> Bool { order(a, b) == .before }

  static func order(_ a: Self, _ b: Self) -> Order {
    switch (a, b) {
    case (.symbol(let x), .symbol(let y)): return order(x.name, y.name)
    case (.variable(let x), .variable(let y)): return order(x, y)
    case (.floorDivide(let x, let m), .floorDivide(let y, let n)), (.modulo(let x, let m), .modulo(let y, let n)),
      (.minimum(let x, let m), .minimum(let y, let n)), (.maximum(let x, let m), .maximum(let y, let n)):
      let first = order(x, y)
      return first == .same ? order(m, n) : first
    case (.element(let x, let i), .element(let y, let j)):
      return x == y ? order(i, j, by: order) : order(x, y)
    default: return order(a.rank, b.rank)
    }
  }

  static func order(_ a: [Self], _ b: [Self]) -> Order { order(a, b, by: order) }

  static func order(_ a: IntegerExpression, _ b: IntegerExpression) -> Order {
    let byTerms = order(a.terms, b.terms) { x, y in
      let byFactors = order(x.factors, y.factors)
      return byFactors == .same ? order(x.coefficient, y.coefficient) : byFactors
    }
    return byTerms == .same ? order(a.constant, b.constant) : byTerms
  }

  private static func order<T: Comparable>(_ a: T, _ b: T) -> Order { a < b ? .before : a == b ? .same : .after }

  /// By the first difference; a list follows its beginnings.
  private static func order<T>(_ a: [T], _ b: [T], by order: (T, T) -> Order) -> Order {
    for i in 0..<min(a.count, b.count) {
      let here = order(a[i], b[i])
      if here != .same { return here }
    }
    return self.order(a.count, b.count)
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
