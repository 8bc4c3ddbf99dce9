extension IntegerExpression {
  /// What the variable is multiplied by; nil where it also occurs inside a quotient, a power or the like.
  public func coefficient(ofVariable variable: Int) -> IntegerExpression? {
    let atom = Atom.variable(variable)
    var coefficient = Self.zero
    for term in terms {
      let count = term.factors.count { $0 == atom }
      if count > 1 { return nil }
      var product = Self(term.coefficient)
      for factor in term.factors where factor != atom {
        let whole = Self(factor)
        if whole.mentions(variable: variable) { return nil }
        product *= whole
      }
      if count == 1 { coefficient += product }
    }
    return coefficient
  }

  /// Whether the variable occurs anywhere.
  public func mentions(variable: Int) -> Bool {
    var found = false
    visitAtoms { if $0 == .variable(variable) { found = true } }
    return found
  }

  /// Whether there is a variable that counts the value up one by one, or does so up to a modulus.
  public var hasUnitStep: Bool {
    terms.contains { term in
      guard term.coefficient == 1, term.factors.count == 1 else { return false }
      switch term.factors[0] {
      case .variable: return true
      case .modulo(let counted, _): return counted.hasUnitStep
      default: return false
      }
    }
  }

  /// Whether the value is surely a multiple of `n`, whatever variables and symbols are.
  public func isMultiple(of n: Int) -> Bool {
    constant.isMultiple(of: n) && terms.allSatisfy { $0.coefficient.isMultiple(of: n) }
  }

  /// The expression with every `floordiv(x, d)*d*k + mod(x, d)*k` replaced by `x*k`.
  public var recombiningQuotients: Self {
    var result = self
    var changed = true
    while changed {
      changed = false
      for term in result.terms {
        guard let position = term.factors.firstIndex(where: \.isModulo),
          case .modulo(let x, let d) = term.factors[position]
        else { continue }
        var others = Self(term.coefficient)
        for (i, factor) in term.factors.enumerated() where i != position { others *= Self(factor) }
        let quotient = x.floorDivided(by: d) * d * others
        let remainder = Self(.modulo(x, d)) * others
        let rest = result - quotient - remainder
        if rest.terms.count + 2 <= result.terms.count {
          result = rest + x * others
          changed = true
          break
        }
      }
    }
    return result
  }
}

extension IntegerExpression.Atom {
  fileprivate var isModulo: Bool {
    if case .modulo = self { return true }
    return false
  }
}
