extension IntegerExpression {
  /// What is known of an atom that is not negative: an exclusive upper bound.
  public typealias Bound = (Atom) -> IntegerExpression?

  /// The quotient rounded towards negative infinity, simplified where the terms divide or `bound` shows it.
  ///
  /// `bound` gives an exclusive upper bound of an atom that is known not to be negative: with `j < 4`,
  /// `(4*i + j) / 4` is `i`. A quotient by zero has no value.
  public func floorDivided(by divisor: Self, bound: Bound = { _ in nil }) -> Self {
    if divisor == .one { return self }
    if divisor == .zero { return Self(.floorDivide(self, divisor)) }
    if let a = fixed, let b = divisor.fixed { return Self(a.flooredQuotient(b)) }
    let (multiple, rest) = split(by: divisor)
    if rest == .zero || rest.isWithin(divisor, bound: bound) { return multiple }
    if let b = divisor.fixed, b > 0, case .floorDivide(let inner, let a)? = rest.atom, let a = a.fixed, a > 0 {
      let (product, overflow) = a.multipliedReportingOverflow(by: b)
      if !overflow { return multiple + inner.floorDivided(by: Self(product), bound: bound) }
    }
    if let b = divisor.fixed, let (factor, whole, _) = rest.factored(forDivisor: b, bound) {
      return multiple + whole.floorDivided(by: Self(b / factor), bound: bound)
    }
    return multiple + Self(.floorDivide(rest, divisor))
  }

  /// What the rounded quotient leaves, simplified like `floorDivided`.
  public func modulo(_ divisor: Self, bound: Bound = { _ in nil }) -> Self {
    if divisor == .one { return .zero }
    if divisor == .zero { return Self(.modulo(self, divisor)) }
    if let a = fixed, let b = divisor.fixed { return Self(a.flooredRemainder(b)) }
    let (_, rest) = split(by: divisor)
    if rest == .zero || rest.isWithin(divisor, bound: bound) { return rest }
    if let b = divisor.fixed, b > 0, case .modulo(let inner, let a)? = rest.atom, let a = a.fixed, a > 0, a % b == 0 {
      return inner.modulo(divisor, bound: bound)
    }
    if let b = divisor.fixed, let (factor, whole, left) = rest.factored(forDivisor: b, bound) {
      return whole.modulo(Self(b / factor), bound: bound).scaled(by: factor) + left
    }
    return Self(.modulo(rest, divisor))
  }

  /// `self == factor * whole + left`, where `factor` divides the divisor and is more than `left`, so that `left` does
  /// not count: `(3*i + j) / 6` is `i / 2` with `j < 3`.
  private func factored(forDivisor divisor: Int, _ bound: Bound) -> (factor: Int, whole: Self, left: Self)? {
    guard divisor > 0 else { return nil }
    let factors: Set<Int> = Set(terms.map { Int.greatestCommonDivisor(divisor, $0.coefficient) })
    for factor in factors.sorted(by: >) where factor > 1 {
      let (inside, outside) = (
        terms.filter { $0.coefficient % factor == 0 }, terms.filter { $0.coefficient % factor != 0 }
      )
      let left = Self(constant: constant.flooredRemainder(factor), terms: outside)
      guard left.isWithin(Self(factor), bound: bound) else { continue }
      let whole: [Term] = inside.map { Term(coefficient: $0.coefficient / factor, factors: $0.factors) }
      return (factor, Self(constant: constant.flooredQuotient(factor), terms: whole), left)
    }
    return nil
  }

  /// `self == multiple * divisor + rest`, with as many whole terms as possible in `multiple`.
  private func split(by divisor: Self) -> (multiple: Self, rest: Self) {
    if let k = divisor.fixed {
      // Coefficients are divided towards zero, so that what is left of a term keeps its sign.
      var (multiple, rest): ([Term], [Term]) = ([], [])
      for term in terms {
        let (quotient, left) = term.coefficient.quotientAndRemainder(dividingBy: k == -1 ? 1 : k)
        let signed = k == -1 ? 0 &- quotient : quotient
        if signed != 0 { multiple.append(Term(coefficient: signed, factors: term.factors)) }
        if left != 0 { rest.append(Term(coefficient: left, factors: term.factors)) }
      }
      return (
        Self(constant: constant.flooredQuotient(k), terms: multiple),
        Self(constant: constant.flooredRemainder(k), terms: rest)
      )
    }
    return dividing(by: divisor)
  }

  /// Division of polynomials by the divisor's term of the highest degree, as far as it goes.
  private func dividing(by divisor: Self) -> (multiple: Self, rest: Self) {
    if divisor.constant == 0 && divisor.terms.count == 1 { return dividing(by: divisor.terms[0]) }
    let degree = divisor.terms.map(\.factors.count).max() ?? 0
    guard let leading = divisor.terms.last(where: { $0.factors.count == degree }) else { return (.zero, self) }
    var multiple: [Term] = []
    var constant = 0
    var rest = self
    // Each step takes one term away; the terms it brings are of lower order, so few steps are enough.
    for _ in 0..<4 * terms.count + 8 {
      var quotient: Term?
      for term in rest.terms.reversed() where term.coefficient % leading.coefficient == 0 {
        guard let factors = term.factors.removing(leading.factors) else { continue }
        quotient = Term(coefficient: term.coefficient / leading.coefficient, factors: factors)
        break
      }
      guard let quotient else { break }
      if quotient.factors.isEmpty {
        constant &+= quotient.coefficient
        rest = rest - divisor.scaled(by: quotient.coefficient)
      } else {
        multiple.append(quotient)
        rest = rest - divisor * Self(constant: 0, terms: [quotient])
      }
    }
    return (Self(constant: constant, unordered: multiple), rest)
  }

  private func dividing(by divisor: Term) -> (multiple: Self, rest: Self) {
    var multiple: [Term] = []
    var constant = 0
    var rest: [Term] = []
    for term in terms {
      if term.coefficient % divisor.coefficient == 0, let factors = term.factors.removing(divisor.factors) {
        let coefficient = term.coefficient / divisor.coefficient
        if factors.isEmpty {
          constant = coefficient
        } else {
          multiple.append(.init(coefficient: coefficient, factors: factors))
        }
      } else {
        rest.append(term)
      }
    }
    return (Self(constant: constant, unordered: multiple), Self(constant: self.constant, terms: rest))
  }
}

extension Int {
  /// Of their magnitudes; of zero and a number, the number.
  public static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
    var (a, b) = (a.magnitude, b.magnitude)
    while b != 0 { (a, b) = (b, a % b) }
    return Int(clamping: a)
  }

  /// The quotient rounded towards negative infinity.
  public func flooredQuotient(_ divisor: Int) -> Int {
    let quotient = dividedReportingOverflow(by: divisor).partialValue
    return flooredRemainder(divisor) != remainderReportingOverflow(dividingBy: divisor).partialValue
      ? quotient - 1 : quotient
  }

  /// What the quotient rounded towards negative infinity leaves; it has the divisor's sign.
  public func flooredRemainder(_ divisor: Int) -> Int {
    let remainder = remainderReportingOverflow(dividingBy: divisor).partialValue
    return remainder != 0 && (remainder < 0) != (divisor < 0) ? remainder + divisor : remainder
  }
}

extension [IntegerExpression.Atom] {
  /// The factors without `others`, or nil where one of them is not here. Both are in order.
  fileprivate func removing(_ others: [IntegerExpression.Atom]) -> [IntegerExpression.Atom]? {
    var rest: [IntegerExpression.Atom] = []
    var next = 0
    for factor in self {
      if next < others.count && factor == others[next] {
        next += 1
      } else {
        rest.append(factor)
      }
    }
    return next == others.count ? rest : nil
  }
}

// MARK: - Bounds

extension IntegerExpression {
  /// Whether the value is shown to be at least zero and less than `limit`, for all values of symbols from 0 on.
  public func isWithin(_ limit: Self, bound: Bound) -> Bool {
    if let value = fixed, let limit = limit.fixed { return value >= 0 && value < limit }
    guard let range = range(bound) else { return false }
    return range.lowest.isSurelyNonNegative && (limit - range.highest - 1).isSurelyNonNegative
  }

  /// Whether the value is shown to be less than zero or at least `limit`, for all values of symbols from 0 on.
  public func isOutside(_ limit: Self, bound: Bound) -> Bool {
    guard let range = range(bound) else { return false }
    return range.highest.isSurelyNegative || (range.lowest - limit).isSurelyNonNegative
  }

  /// Polynomials over symbols alone between which the value lies, both ends included; nil where none are known.
  public func range(_ bound: Bound) -> (lowest: Self, highest: Self)? {
    var lowest: [Self] = [Self(constant)]
    var highest: [Self] = [Self(constant)]
    for term in terms {
      // Each factor is at least zero, and so is the product.
      var largest = Self(term.coefficient)
      var isExact = true
      for factor in term.factors {
        if case .symbol = factor {
          largest *= Self(factor)
        } else if let upper = factor.upperBound(bound) {
          largest *= upper - 1
          isExact = false
        } else {
          return nil
        }
      }
      if isExact || term.coefficient < 0 { lowest.append(largest) }
      if isExact || term.coefficient > 0 { highest.append(largest) }
    }
    return (.sum(lowest), .sum(highest))
  }

  /// Whether every term is non-negative for all values of symbols from 0 on, so that the whole is.
  public var isSurelyNonNegative: Bool {
    constant >= 0 && terms.allSatisfy { $0.coefficient > 0 && $0.factors.allSatisfy(\.isSymbol) }
  }

  /// Whether the value is at least zero for all values of symbols from 0 on; quotients, minima and maxima are looked into.
  public var isNeverNegative: Bool {
    constant >= 0 && terms.allSatisfy { $0.coefficient > 0 && $0.factors.allSatisfy(\.isNeverNegative) }
  }

  /// Whether the value is less than zero for all values of symbols from 0 on.
  public var isSurelyNegative: Bool { (Self(-1) - self).isSurelyNonNegative }

  /// Whether the value is more than `other`'s for all values of symbols from 0 on.
  public func isSurelyGreater(than other: Self) -> Bool { (self - other - 1).isSurelyNonNegative }

  /// The smaller value; one of the two where `bound` shows which.
  public static func minimum(_ a: Self, _ b: Self, bound: Bound = { _ in nil }) -> Self {
    if let x = a.fixed, let y = b.fixed { return Self(min(x, y)) }
    if a.isAtMost(b, bound) { return a }
    if b.isAtMost(a, bound) { return b }
    return Atom.order(a, b) == .after ? Self(.minimum(b, a)) : Self(.minimum(a, b))
  }

  /// The larger value; one of the two where `bound` shows which.
  public static func maximum(_ a: Self, _ b: Self, bound: Bound = { _ in nil }) -> Self {
    if let x = a.fixed, let y = b.fixed { return Self(max(x, y)) }
    if a.isAtMost(b, bound) { return b }
    if b.isAtMost(a, bound) { return a }
    return Atom.order(a, b) == .after ? Self(.maximum(b, a)) : Self(.maximum(a, b))
  }

  private func isAtMost(_ other: Self, _ bound: Bound) -> Bool {
    let difference = other - self
    if difference.isSurelyNonNegative { return true }
    return difference.range(bound)?.lowest.isSurelyNonNegative ?? false
  }
}

extension IntegerExpression.Atom {
  fileprivate var isSymbol: Bool {
    if case .symbol = self { return true }
    return false
  }

  fileprivate var isNeverNegative: Bool {
    switch self {
    case .symbol: true
    case .variable, .element: false
    case .floorDivide(let a, let b): a.isNeverNegative && b.isNeverNegative
    case .modulo(_, let b): b.isNeverNegative
    case .minimum(let a, let b): a.isNeverNegative && b.isNeverNegative
    case .maximum(let a, let b): a.isNeverNegative || b.isNeverNegative
    }
  }

  /// An exclusive upper bound over symbols alone, if the atom is known not to be negative.
  fileprivate func upperBound(_ bound: IntegerExpression.Bound) -> IntegerExpression? {
    if let known = bound(self) { return known }
    switch self {
    case .modulo(_, let divisor):
      guard let divisor = divisor.range(bound), divisor.lowest.isSurelyNonNegative else { return nil }
      return divisor.highest
    case .floorDivide(let a, let b):
      guard let k = b.fixed, k > 0, let range = a.range(bound), range.lowest.isSurelyNonNegative,
        let highest = range.highest.fixed
      else { return nil }
      return IntegerExpression(highest.flooredQuotient(k) + 1)
    default: return nil
    }
  }
}
