import IR

/// An extent of a dimension: a number, or, in functions traced for every size, an expression over named ones.
public struct TensorDimension: Hashable, Sendable {
  let extent: Extent

  init(_ extent: Extent) { self.extent = extent }
  public init(_ value: Int) { extent = Extent(value) }

  /// The number, if it is one.
  public var value: Int? { extent.fixed }

  public static func + (a: TensorDimension, b: TensorDimension) -> TensorDimension {
    TensorDimension(a.extent + b.extent)
  }
  public static func - (a: TensorDimension, b: TensorDimension) -> TensorDimension {
    TensorDimension(a.extent - b.extent)
  }
  public static func * (a: TensorDimension, b: TensorDimension) -> TensorDimension {
    TensorDimension(a.extent * b.extent)
  }
  /// The quotient, rounded towards negative infinity.
  public static func / (a: TensorDimension, b: TensorDimension) -> TensorDimension {
    TensorDimension(a.extent.floorDivided(by: b.extent))
  }
}

extension TensorDimension: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int) { self.init(value) }
}

extension TensorDimension: ExpressibleByStringLiteral {
  /// A named extent, that a call decides.
  public init(stringLiteral name: String) { self.init(.symbol(name)) }
}

extension TensorDimension: CustomStringConvertible {
  public var description: String { "\(extent)" }
}
