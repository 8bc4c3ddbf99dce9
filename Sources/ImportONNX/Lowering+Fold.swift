import IR

/// Integer arithmetic while the graph is read: what makes shapes out of `Shape`, `Gather`, `Concat` and their like.
extension Lowering {
  /// `function` of known elements, broadcast against each other; nil where an element is not known.
  mutating func folded(
    _ x: Value, _ y: Value, _ result: ElementType, _ function: (Extent, Extent) -> Extent?
  ) -> Value? {
    guard let a = content(of: x), let b = content(of: y) else { return nil }
    guard let shape = try? broadcastShape([x, y]), let dimensions = TensorType(result, shape).fixedDimensions,
      dimensions.reduce(1, *) <= Self.contentLimit
    else { return nil }
    var content: [Extent] = []
    for index in allIndices(dimensions) {
      let left = a[position(of: index, in: x)]
      let right = b[position(of: index, in: y)]
      guard let value = function(left, right), fits(value, result) else { return nil }
      content.append(value)
    }
    return known(content, result, dimensions)
  }

  /// `function` of each known element.
  mutating func folded(_ x: Value, _ result: ElementType, _ function: (Extent) -> Extent?) -> Value? {
    guard let a = content(of: x), let dimensions = x.type.fixedDimensions else { return nil }
    var content: [Extent] = []
    for element in a {
      guard let value = function(element), fits(value, result) else { return nil }
      content.append(value)
    }
    return known(content, result, dimensions)
  }

  /// Elements chosen from a known value: `position` gives the row-major position for each index of the result.
  mutating func rearranged(_ x: Value, _ dimensions: [Int], _ position: ([Int]) -> Int) -> Value? {
    guard let a = content(of: x) else { return nil }
    var content: [Extent] = []
    for index in allIndices(dimensions) { content.append(a[position(index)]) }
    return known(content, x.element, dimensions)
  }

  private func fits(_ value: Extent, _ element: ElementType) -> Bool {
    guard let fixed = value.fixed else { return element.isInteger }
    return element.wrapped(Int64(fixed)) == Int64(fixed)
  }

  /// The row-major position in `x`, which broadcasts to a shape, of the element at `index` of that shape.
  private func position(of index: [Int], in x: Value) -> Int {
    var position = 0
    for (i, extent) in zip(index.suffix(x.rank), x.shape) {
      let fixed = extent.fixed ?? 1
      position = position * fixed + (fixed == 1 ? 0 : i)
    }
    return position
  }
}

/// Arithmetic on extents that gives nil where the result may overflow or is not known.
enum ExtentArithmetic {
  /// Expressions with larger constants than this are not followed.
  private static let limit = 1 << 31

  private static func fold(
    _ a: Extent, _ b: Extent, _ fixed: (Int, Int) -> (Int, Bool), _ symbolic: (Extent, Extent) -> Extent?
  ) -> Extent? {
    if let x = a.fixed, let y = b.fixed {
      let (value, overflow) = fixed(x, y)
      return overflow ? nil : Extent(value)
    }
    for value in [a.fixed, b.fixed] { if let value, !(-limit...limit).contains(value) { return nil } }
    return symbolic(a, b)
  }

  static func add(_ a: Extent, _ b: Extent) -> Extent? {
    fold(a, b, { $0.addingReportingOverflow($1) }, { $0 + $1 })
  }

  static func subtract(_ a: Extent, _ b: Extent) -> Extent? {
    fold(a, b, { $0.subtractingReportingOverflow($1) }, { $0 - $1 })
  }

  static func multiply(_ a: Extent, _ b: Extent) -> Extent? {
    fold(a, b, { $0.multipliedReportingOverflow(by: $1) }, { $0 * $1 })
  }

  /// The quotient rounded towards zero.
  static func divide(_ a: Extent, _ b: Extent) -> Extent? {
    if b == .zero { return nil }
    return fold(a, b, { $0.dividedReportingOverflow(by: $1) }) {
      $0.isSurelyNonNegative && $1.isSurelyNonNegative ? $0.floorDivided(by: $1) : nil
    }
  }

  /// What the quotient rounded towards negative infinity leaves.
  static func modulo(_ a: Extent, _ b: Extent) -> Extent? {
    if b == .zero || b == Extent(-1) { return b == .zero ? nil : .zero }
    return fold(a, b, { ($0 - $0.floored(by: $1) * $1, false) }) { $1.isSurelyNonNegative ? $0.modulo($1) : nil }
  }

  static func minimum(_ a: Extent, _ b: Extent) -> Extent? {
    if (b - a).isSurelyNonNegative { return a }
    if (a - b).isSurelyNonNegative { return b }
    return .minimum(a, b)
  }

  static func maximum(_ a: Extent, _ b: Extent) -> Extent? {
    if (b - a).isSurelyNonNegative { return b }
    if (a - b).isSurelyNonNegative { return a }
    return .maximum(a, b)
  }

  /// 1 or 0 where it is known whether `a` compares so with `b` for all values of the symbols.
  static func compare(_ direction: ComparisonDirection, _ a: Extent, _ b: Extent) -> Extent? {
    func isLess(_ a: Extent, _ b: Extent) -> Bool? {
      if let x = a.fixed, let y = b.fixed { return x < y }
      let difference = b - a
      if (difference - 1).isSurelyNonNegative { return true }
      return (-difference).isSurelyNonNegative ? false : nil
    }
    let holds: Bool?
    switch direction {
    case .less: holds = isLess(a, b)
    case .greater: holds = isLess(b, a)
    case .greaterOrEqual: holds = isLess(a, b).map { !$0 }
    case .lessOrEqual: holds = isLess(b, a).map { !$0 }
    case .equal, .notEqual:
      let isEqual: Bool?
      if a == b { isEqual = true } else { isEqual = isLess(a, b) == true || isLess(b, a) == true ? false : nil }
      holds = direction == .equal ? isEqual : isEqual.map { !$0 }
    }
    return holds.map { $0 ? .one : .zero }
  }
}

extension Int {
  /// The quotient rounded towards negative infinity.
  fileprivate func floored(by divisor: Int) -> Int {
    let quotient = self / divisor
    return self % divisor != 0 && (self < 0) != (divisor < 0) ? quotient - 1 : quotient
  }
}
