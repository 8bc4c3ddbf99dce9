import GraphBuilding
import IR

/// Element by element; shapes broadcast as in NumPy, aligned at the last dimension.
extension Tensor where Scalar: TensorNumeric {
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    a.combined(with: b) { (g, a, b) throws(OpError) in try g.add(a, b) }
  }
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    a.combined(with: b) { (g, a, b) throws(OpError) in try g.subtract(a, b) }
  }
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    a.combined(with: b) { (g, a, b) throws(OpError) in try g.multiply(a, b) }
  }
  /// The quotient; of integers rounded towards zero.
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    a.combined(with: b) { (g, a, b) throws(OpError) in try g.divide(a, b) }
  }
  /// The rest of a division, with the sign of the dividend.
  public static func % (a: Tensor, b: Tensor) -> Tensor {
    a.combined(with: b) { (g, a, b) throws(OpError) in try g.map(.remainder, a, b) }
  }
  public static prefix func - (a: Tensor) -> Tensor {
    a.map { (g, a) throws(OpError) in try g.map(.negate, a) }
  }

  @_disfavoredOverload
  public static func + (a: Tensor, b: Scalar) -> Tensor { a + Tensor(b) }
  @_disfavoredOverload
  public static func - (a: Tensor, b: Scalar) -> Tensor { a - Tensor(b) }
  @_disfavoredOverload
  public static func * (a: Tensor, b: Scalar) -> Tensor { a * Tensor(b) }
  @_disfavoredOverload
  public static func / (a: Tensor, b: Scalar) -> Tensor { a / Tensor(b) }
  @_disfavoredOverload
  public static func % (a: Tensor, b: Scalar) -> Tensor { a % Tensor(b) }
  @_disfavoredOverload
  public static func + (a: Scalar, b: Tensor) -> Tensor { Tensor(a) + b }
  @_disfavoredOverload
  public static func - (a: Scalar, b: Tensor) -> Tensor { Tensor(a) - b }
  @_disfavoredOverload
  public static func * (a: Scalar, b: Tensor) -> Tensor { Tensor(a) * b }
  @_disfavoredOverload
  public static func / (a: Scalar, b: Tensor) -> Tensor { Tensor(a) / b }

  public static func %= (a: inout Tensor, b: Tensor) { a = a % b }
  public static func += (a: inout Tensor, b: Tensor) { a = a + b }
  public static func -= (a: inout Tensor, b: Tensor) { a = a - b }
  public static func *= (a: inout Tensor, b: Tensor) { a = a * b }
  public static func /= (a: inout Tensor, b: Tensor) { a = a / b }
  @_disfavoredOverload
  public static func += (a: inout Tensor, b: Scalar) { a = a + b }
  @_disfavoredOverload
  public static func -= (a: inout Tensor, b: Scalar) { a = a - b }
  @_disfavoredOverload
  public static func *= (a: inout Tensor, b: Scalar) { a = a * b }
  @_disfavoredOverload
  public static func /= (a: inout Tensor, b: Scalar) { a = a / b }
}

// MARK: Comparison

extension Tensor {
  private func compared(_ direction: ComparisonDirection, _ other: Tensor) -> Tensor<Bool> {
    combined(with: other) { (g, a, b) throws(OpError) in try g.compare(direction, a, b) }
  }

  public static func .== (a: Tensor, b: Tensor) -> Tensor<Bool> { a.compared(.equal, b) }
  public static func .!= (a: Tensor, b: Tensor) -> Tensor<Bool> { a.compared(.notEqual, b) }
  @_disfavoredOverload
  public static func .== (a: Tensor, b: Scalar) -> Tensor<Bool> { a.compared(.equal, Tensor(b)) }
  @_disfavoredOverload
  public static func .!= (a: Tensor, b: Scalar) -> Tensor<Bool> { a.compared(.notEqual, Tensor(b)) }
}

extension Tensor where Scalar: TensorNumeric {
  public static func .< (a: Tensor, b: Tensor) -> Tensor<Bool> { a.compared(.less, b) }
  public static func .<= (a: Tensor, b: Tensor) -> Tensor<Bool> { a.compared(.lessOrEqual, b) }
  public static func .> (a: Tensor, b: Tensor) -> Tensor<Bool> { a.compared(.greater, b) }
  public static func .>= (a: Tensor, b: Tensor) -> Tensor<Bool> { a.compared(.greaterOrEqual, b) }
  @_disfavoredOverload
  public static func .< (a: Tensor, b: Scalar) -> Tensor<Bool> { a.compared(.less, Tensor(b)) }
  @_disfavoredOverload
  public static func .<= (a: Tensor, b: Scalar) -> Tensor<Bool> { a.compared(.lessOrEqual, Tensor(b)) }
  @_disfavoredOverload
  public static func .> (a: Tensor, b: Scalar) -> Tensor<Bool> { a.compared(.greater, Tensor(b)) }
  @_disfavoredOverload
  public static func .>= (a: Tensor, b: Scalar) -> Tensor<Bool> { a.compared(.greaterOrEqual, Tensor(b)) }
}

extension Tensor where Scalar == Bool {
  public static func .^ (a: Tensor, b: Tensor) -> Tensor {
    a.combined(with: b) { (g, a, b) throws(OpError) in try g.map(.xor, a, b) }
  }
  public static prefix func ! (a: Tensor) -> Tensor {
    a.map { (g, a) throws(OpError) in try g.map(.not, a) }
  }

  /// Whether all elements are true; true where there are none.
  public func all() -> Tensor { folded(nil, .and, keep: false) }
  /// Whether an element is true.
  public func any() -> Tensor { folded(nil, .or, keep: false) }
  public func all(along axes: Int..., keepingDimensions keep: Bool = false) -> Tensor {
    folded(axes.isEmpty ? nil : axes, .and, keep: keep)
  }
  public func any(along axes: Int..., keepingDimensions keep: Bool = false) -> Tensor {
    folded(axes.isEmpty ? nil : axes, .or, keep: keep)
  }
}

/// Whether both are true, element by element; both sides are computed.
public func && (a: Tensor<Bool>, b: @autoclosure () throws -> Tensor<Bool>) rethrows -> Tensor<Bool> {
  a.combined(with: try b()) { (g, a, b) throws(OpError) in try g.map(.and, a, b) }
}

/// Whether one of two is true, element by element; both sides are computed.
public func || (a: Tensor<Bool>, b: @autoclosure () throws -> Tensor<Bool>) rethrows -> Tensor<Bool> {
  a.combined(with: try b()) { (g, a, b) throws(OpError) in try g.map(.or, a, b) }
}

public func && (a: Tensor<Bool>, b: @autoclosure () throws -> Bool) rethrows -> Tensor<Bool> {
  try a && Tensor(try b())
}
public func || (a: Tensor<Bool>, b: @autoclosure () throws -> Bool) rethrows -> Tensor<Bool> {
  try a || Tensor(try b())
}
public func && (a: Bool, b: @autoclosure () throws -> Tensor<Bool>) rethrows -> Tensor<Bool> {
  try Tensor(a) && b()
}
public func || (a: Bool, b: @autoclosure () throws -> Tensor<Bool>) rethrows -> Tensor<Bool> {
  try Tensor(a) || b()
}

// MARK: Choice and conversion

/// Elements of `a` where `mask` is true, of `b` elsewhere.
public func select<Scalar>(_ mask: Tensor<Bool>, _ a: Tensor<Scalar>, _ b: Tensor<Scalar>) -> Tensor<Scalar> {
  .of([mask.storage, a.storage, b.storage]) { (g, v) throws(OpError) in try g.select(v[0], v[1], v[2]) }
}

extension Tensor {
  /// The tensor with elements of `other` where `mask` is true.
  public func replacing(with other: Tensor, where mask: Tensor<Bool>) -> Tensor { select(mask, other, self) }

  /// The same numbers in another type: floats become integers by truncation, true becomes 1.
  public init<Other>(_ other: Tensor<Other>) {
    self = other.map { (g, x) throws(OpError) in try g.convert(x, Scalar.elementType) }
  }
}

/// The greater of two elements; NaN where one is.
public func max<Scalar: TensorNumeric>(_ a: Tensor<Scalar>, _ b: Tensor<Scalar>) -> Tensor<Scalar> {
  a.combined(with: b) { (g, a, b) throws(OpError) in try g.map(.maximum, a, b) }
}

@_disfavoredOverload
public func max<Scalar: TensorNumeric>(_ a: Tensor<Scalar>, _ b: Scalar) -> Tensor<Scalar> { max(a, Tensor(b)) }

/// The lesser of two elements; NaN where one is.
public func min<Scalar: TensorNumeric>(_ a: Tensor<Scalar>, _ b: Tensor<Scalar>) -> Tensor<Scalar> {
  a.combined(with: b) { (g, a, b) throws(OpError) in try g.map(.minimum, a, b) }
}

@_disfavoredOverload
public func min<Scalar: TensorNumeric>(_ a: Tensor<Scalar>, _ b: Scalar) -> Tensor<Scalar> { min(a, Tensor(b)) }

extension Tensor where Scalar: TensorNumeric {
  /// The elements limited to a range.
  public func clipped(to range: ClosedRange<Scalar>) -> Tensor where Scalar: Comparable {
    TFC.min(TFC.max(self, range.lowerBound), range.upperBound)
  }
}
