/// One dimension's number of elements: fixed, or an expression over symbols.
public typealias Extent = IntegerExpression

/// Element type and dimensions of a tensor: `tensor<2x?xf32>`.
public struct TensorType: Hashable, Sendable {
  public var elementType: ElementType
  public var dimensions: [Extent]

  public init(_ elementType: ElementType, _ dimensions: [Extent]) {
    self.elementType = elementType
    self.dimensions = dimensions
  }

  public init(_ elementType: ElementType, fixed dimensions: [Int]) {
    self.init(elementType, dimensions.map { Extent($0) })
  }

  public static func scalar(_ elementType: ElementType) -> TensorType { TensorType(elementType, []) }

  public var rank: Int { dimensions.count }
  public var isScalar: Bool { dimensions.isEmpty }
  public var hasFixedShape: Bool { dimensions.allSatisfy(\.isFixed) }

  /// The dimensions, if all are fixed.
  public var fixedDimensions: [Int]? {
    let fixed = dimensions.compactMap(\.fixed)
    return fixed.count == rank ? fixed : nil
  }

  /// Throws where the number of elements is a sum of so many terms that it cannot be written: a product of many sums.
  func checkElementCount() throws(OpError) {
    var count = 1
    for extent in dimensions where !extent.isFixed {
      count *= extent.terms.count + (extent.constant == 0 ? 0 : 1)
      guard count <= 4096 else { throw .unsupported("\(self) has too many sums for extents") }
    }
  }

  public var elementCount: Extent { dimensions.reduce(.one) { $0 * $1 } }
  public var byteCount: Extent { elementCount * elementType.byteCount }

  /// The same dimensions with another element type.
  public func with(_ elementType: ElementType) -> TensorType { TensorType(elementType, dimensions) }

  /// The type with `replacement` applied to every extent.
  public func mappingExtents(_ replacement: (Extent) -> Extent) -> TensorType {
    TensorType(elementType, dimensions.map(replacement))
  }

  /// Elements between neighbours along each dimension, in row-major order.
  public var strides: [Extent] {
    var strides = [Extent](repeating: .one, count: rank)
    for d in stride(from: rank - 2, through: 0, by: -1) { strides[d] = strides[d + 1] * dimensions[d + 1] }
    return strides
  }
}

extension TensorType: CustomStringConvertible {
  public var description: String {
    "tensor<" + dimensions.map { "\($0.isFixed ? $0.description : "?")x" }.joined() + "\(elementType)>"
  }

  /// The type with its symbolic extents spelled out, for messages: `tensor<[batch]x4xf32>`.
  public var detailedDescription: String {
    "tensor<" + dimensions.map { $0.isFixed ? "\($0)x" : "[\($0)]x" }.joined() + "\(elementType)>"
  }
}
