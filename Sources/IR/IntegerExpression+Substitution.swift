extension IntegerExpression {
  /// The expression with every atom replaced for which `replacement` gives an expression, also inside quotients.
  ///
  /// `bound` says of the new atoms what `floorDivided` may use.
  public func substituting(bound: Bound = { _ in nil }, _ replacement: (Atom) -> IntegerExpression?)
    -> IntegerExpression
  {
    if isFixed { return self }
    var parts: [Self] = [Self(constant)]
    parts.reserveCapacity(terms.count + 1)
    for term in terms {
      var product = Self(term.coefficient)
      for factor in term.factors { product *= factor.substituting(bound: bound, replacement) }
      parts.append(product)
    }
    return Self.sum(parts).recombiningQuotients
  }

  /// The value, where `value` knows every atom that is not an operation; nil too where a divisor is zero.
  public func evaluated(_ value: (Atom) -> Int?) -> Int? {
    var sum = constant
    for term in terms {
      var product = term.coefficient
      for factor in term.factors {
        guard let known = factor.evaluated(value) else { return nil }
        product = product &* known
      }
      sum = sum &+ product
    }
    return sum
  }

  /// The value for these values of symbols; nil where one of them has none, or a variable takes part.
  public func value(bySymbol value: (Symbol) -> Int?) -> Int? {
    evaluated { (atom: Atom) in
      guard case .symbol(let symbol) = atom else { return nil }
      return value(symbol)
    }
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

  /// The atoms of the largest index expression that others are made of. Reshapes that do not line up, with transposes
  /// between them, give each index several times those of the one before.
  public static let atomLimit = 64

  /// Whether there are more atoms than `limit`, those inside quotients included. O(limit).
  public func hasMoreAtoms(than limit: Int) -> Bool {
    var rest = limit
    return !spendsAtoms(&rest)
  }

  /// Takes the number of atoms from `rest`; false where there are more.
  private func spendsAtoms(_ rest: inout Int) -> Bool {
    for term in terms {
      for factor in term.factors {
        rest -= 1
        guard rest >= 0 else { return false }
        switch factor {
        case .symbol, .variable: break
        case .floorDivide(let a, let b), .modulo(let a, let b), .minimum(let a, let b), .maximum(let a, let b):
          guard a.spendsAtoms(&rest), b.spendsAtoms(&rest) else { return false }
        case .element(_, let index):
          for e in index where !e.spendsAtoms(&rest) { return false }
        }
      }
    }
    return true
  }

  public var symbols: Set<Symbol> {
    var found: Set<Symbol> = []
    visitAtoms { if case .symbol(let s) = $0 { found.insert(s) } }
    return found
  }
}

extension IntegerExpression.Atom {
  fileprivate func substituting(bound: IntegerExpression.Bound, _ replacement: (Self) -> IntegerExpression?)
    -> IntegerExpression
  {
    if let new = replacement(self) { return new }
    func new(_ part: IntegerExpression) -> IntegerExpression { part.substituting(bound: bound, replacement) }
    switch self {
    case .symbol, .variable: return IntegerExpression(self)
    case .floorDivide(let a, let b): return new(a).floorDivided(by: new(b), bound: bound)
    case .modulo(let a, let b): return new(a).modulo(new(b), bound: bound)
    case .minimum(let a, let b): return .minimum(new(a), new(b), bound: bound)
    case .maximum(let a, let b): return .maximum(new(a), new(b), bound: bound)
    case .element(let operand, let index):
      return IntegerExpression(.element(operand: operand, index: index.map(new)))
    }
  }

  fileprivate func evaluated(_ value: (Self) -> Int?) -> Int? {
    if let known = value(self) { return known }
    switch self {
    case .symbol, .variable, .element: return nil
    case .floorDivide(let a, let b), .modulo(let a, let b), .minimum(let a, let b), .maximum(let a, let b):
      guard let x = a.evaluated(value), let y = b.evaluated(value) else { return nil }
      switch self {
      case .floorDivide: return y == 0 ? nil : x.flooredQuotient(y)
      case .modulo: return y == 0 ? nil : x.flooredRemainder(y)
      case .minimum: return min(x, y)
      default: return max(x, y)
      }
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
