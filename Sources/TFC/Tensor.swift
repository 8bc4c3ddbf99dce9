import GraphBuilding
import IR

/// Numbers in some dimensions: a value.
///
/// Outside of a graph an operation computes its result; inside of one (`@Graph`, `graph`, `gradient`) it becomes a part of
/// the graph. Operations that the tensors' types do not allow stop the program with a sentence.
public struct Tensor<Scalar: TensorScalar>: Sendable {
  var storage: Storage

  init(_ storage: Storage) {
    assert(storage.type.elementType == Scalar.elementType, "a tensor has elements of its type")
    self.storage = storage
  }

  /// The number of dimensions.
  public var rank: Int { storage.type.rank }

  /// The extents of the dimensions; symbolic ones in functions that are traced for every batch or length.
  public var dimensions: [TensorDimension] { storage.type.dimensions.map { TensorDimension($0) } }

  /// The extents of the dimensions as numbers.
  public var shape: [Int] {
    guard let fixed = storage.type.fixedDimensions else {
      refuse(OpError("the extents of \(storage.type.detailedDescription) are known when it runs; use 'dimensions'"))
    }
    return fixed
  }

  /// The number of elements.
  public var scalarCount: Int { shape.reduce(1, *) }
}

// MARK: Elements

extension Tensor {
  /// The elements in row-major order.
  public var scalars: [Scalar] {
    withUnsafeScalars { Array($0) }
  }

  /// The only element.
  public var scalar: Scalar {
    guard scalarCount == 1 else { refuse(OpError("\(storage.type) has more elements than one, or none")) }
    return withUnsafeScalars { $0[0] }
  }

  /// Calls `body` with the elements in row-major order.
  public func withUnsafeScalars<Result>(_ body: (UnsafeBufferPointer<Scalar>) throws -> Result) rethrows -> Result {
    guard case .buffer(let buffer) = storage else {
      let sentence =
        Tracer.current == nil
        ? Tracer.escape : "the elements of a tensor are not known while the graph is traced that computes it"
      refuse(OpError(sentence))
    }
    let count = buffer.elementCount
    let start = buffer.data.assumingMemoryBound(to: Scalar.self)
    return try withExtendedLifetime(buffer) { try body(UnsafeBufferPointer(start: start, count: count)) }
  }

  /// A tensor of these elements in row-major order.
  public init(shape: [Int], scalars: some Collection<Scalar>) {
    guard shape.allSatisfy({ $0 >= 0 }), shape.reduce(1, *) == scalars.count else {
      refuse(OpError("\(scalars.count) elements do not fill the shape \(shape)"))
    }
    let buffer = TensorBuffer(Scalar.elementType, shape)
    let memory = UnsafeMutableBufferPointer(
      start: buffer.data.bindMemory(to: Scalar.self, capacity: Swift.max(1, scalars.count)), count: scalars.count)
    _ = memory.initialize(fromContentsOf: scalars)
    self.init(.buffer(buffer))
  }

  /// A tensor of one dimension.
  public init(_ scalars: [Scalar]) { self.init(shape: [scalars.count], scalars: scalars) }

  /// A tensor without dimensions.
  public init(_ scalar: Scalar) {
    guard Tracer.current != nil else {
      self.init(shape: [], scalars: CollectionOfOne(scalar))
      return
    }
    self = .of([]) { (trace, _) throws(OpError) in
      let bytes = withUnsafeBytes(of: scalar) { Array($0) }
      return trace.constant(Literal(Scalar.elementType, [], bytes: bytes))
    }
  }

  /// A tensor whose elements are all the same.
  public init(repeating scalar: Scalar, shape: [TensorDimension]) {
    self = Tensor(scalar).broadcast(to: shape)
  }
}

extension Tensor where Scalar: TensorNumeric {
  public init(zeros shape: [TensorDimension]) { self.init(repeating: 0, shape: shape) }
  public init(ones shape: [TensorDimension]) { self.init(repeating: 1, shape: shape) }

  /// The numbers `0, 1, …` along one dimension, the same along all others.
  public init(indicesOf shape: [TensorDimension], along axis: Int = 0) {
    self = .of([]) { (trace, _) throws(OpError) in
      guard (-shape.count..<shape.count).contains(axis) else { throw OpError("\(shape) has no axis \(axis)") }
      return try trace.iota(Scalar.elementType, shape.map(\.extent), axis: axis < 0 ? axis + shape.count : axis)
    }
  }

  /// Ones on the diagonal of a square matrix, zeros beside it.
  public init(identity count: TensorDimension) {
    let rows = Tensor<Int32>(indicesOf: [count, count], along: 0)
    self = Tensor(rows .== Tensor<Int32>(indicesOf: [count, count], along: 1))
  }

  /// Numbers from `start` to before `end`, a step apart.
  public init(from start: Scalar, to end: Scalar, by step: Scalar) where Scalar: Strideable, Scalar.Stride == Scalar {
    self.init(Array(stride(from: start, to: end, by: step)))
  }
}

// MARK: Literals

/// A tensor written down: a number, or a list of such literals.
public struct TensorLiteral<Scalar: TensorScalar>: ExpressibleByArrayLiteral {
  let shape: [Int]
  let scalars: [Scalar]

  public init(arrayLiteral elements: TensorLiteral...) {
    let inner = elements.first?.shape ?? []
    guard elements.allSatisfy({ $0.shape == inner }) else {
      refuse(OpError("the parts of a tensor literal have the shapes \(elements.map(\.shape))"))
    }
    shape = [elements.count] + inner
    scalars = elements.flatMap(\.scalars)
  }

  fileprivate init(_ scalar: Scalar) {
    shape = []
    scalars = [scalar]
  }
}

extension TensorLiteral: ExpressibleByIntegerLiteral where Scalar: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Scalar.IntegerLiteralType) { self.init(Scalar(integerLiteral: value)) }
}

extension TensorLiteral: ExpressibleByFloatLiteral
where Scalar: ExpressibleByFloatLiteral & ExpressibleByIntegerLiteral {
  public init(floatLiteral value: Scalar.FloatLiteralType) { self.init(Scalar(floatLiteral: value)) }
}

extension TensorLiteral: ExpressibleByBooleanLiteral where Scalar: ExpressibleByBooleanLiteral {
  public init(booleanLiteral value: Scalar.BooleanLiteralType) { self.init(Scalar(booleanLiteral: value)) }
}

extension Tensor: ExpressibleByArrayLiteral {
  public init(arrayLiteral elements: TensorLiteral<Scalar>...) {
    guard let first = elements.first else {
      self.init(shape: [0], scalars: [])
      return
    }
    guard elements.allSatisfy({ $0.shape == first.shape }) else {
      refuse(OpError("the parts of a tensor literal have the shapes \(elements.map(\.shape))"))
    }
    self.init(shape: [elements.count] + first.shape, scalars: elements.flatMap(\.scalars))
  }
}

extension Tensor: ExpressibleByIntegerLiteral where Scalar: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Scalar.IntegerLiteralType) { self.init(Scalar(integerLiteral: value)) }
}

extension Tensor: ExpressibleByFloatLiteral where Scalar: ExpressibleByFloatLiteral & ExpressibleByIntegerLiteral {
  public init(floatLiteral value: Scalar.FloatLiteralType) { self.init(Scalar(floatLiteral: value)) }
}

extension Tensor: ExpressibleByBooleanLiteral where Scalar: ExpressibleByBooleanLiteral {
  public init(booleanLiteral value: Scalar.BooleanLiteralType) { self.init(Scalar(booleanLiteral: value)) }
}

// MARK: Text

extension Tensor: CustomStringConvertible {
  /// The elements in nested brackets, of long dimensions the first and last three; the type while a graph is traced.
  public var description: String {
    guard case .buffer(let buffer) = storage else { return storage.type.detailedDescription }
    return withUnsafeScalars { scalars in
      Self.text(scalars, buffer.dimensions[...], offset: 0, step: scalars.count)
    }
  }

  private static func text(
    _ scalars: UnsafeBufferPointer<Scalar>, _ dimensions: ArraySlice<Int>, offset: Int, step: Int
  ) -> String {
    guard let extent = dimensions.first else { return "\(scalars[offset])" }
    let inner = extent == 0 ? 0 : step / extent
    let isLong = extent > 8 && scalars.count > 1000
    let shown = isLong ? Array(0..<3) + Array(extent - 3..<extent) : Array(0..<extent)
    var parts = shown.map { text(scalars, dimensions.dropFirst(), offset: offset + $0 * inner, step: inner) }
    if isLong { parts.insert("…", at: 3) }
    return "[" + parts.joined(separator: dimensions.count > 1 ? ",\n " : ", ") + "]"
  }
}

extension Tensor: Equatable {
  /// Whether shapes and all elements are equal; outside of graphs.
  public static func == (a: Tensor, b: Tensor) -> Bool {
    guard a.storage.type == b.storage.type else { return false }
    return a.withUnsafeScalars { a in b.withUnsafeScalars { a.elementsEqual($0) } }
  }
}
