/// Orders its inputs together along one dimension, by a comparator (StableHLO spec, "sort").
///
/// `evaluate` is stable whether `isStable` or not.
public struct Sort: OpDefinition {
  public var dimension: Int
  public var isStable: Bool
  /// Parameters: for each input the left, then the right element; whether left comes before right.
  public var comparator: Graph
  public init(dimension: Int, isStable: Bool = false, comparator: Graph) {
    self.dimension = dimension
    self.isStable = isStable
    self.comparator = comparator
  }
  public var mnemonic: String { "stablehlo.sort" }
  public var op: Op { .sort(self) }
  public var regions: [Graph] { [comparator] }
  public func withRegions(_ regions: [Graph]) -> Op {
    .sort(Sort(dimension: dimension, isStable: isStable, comparator: regions[0]))
  }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    guard let x = operands.first else { throw OpError("sort takes at least one input") }  // (C1)
    guard operands.allSatisfy({ $0.dimensions == x.dimensions }) else {  // (C3)
      throw OpError("sort needs inputs with the same dimensions")
    }
    guard dimension >= -x.rank, dimension < x.rank else {  // (C4)
      throw OpError("dimension \(dimension) is not one of the \(x.rank) dimensions of \(x)")
    }
    let elements: [TensorType] = operands.flatMap { [TensorType.scalar($0.elementType), .scalar($0.elementType)] }
    guard comparator.parameterTypes == elements, comparator.resultTypes == [.scalar(.i1)] else {  // (C5)
      let types = operands.map(\.elementType.description).joined(separator: ", ")
      throw OpError("the comparator has type \(comparator.signature), which does not compare two of \(types)")
    }
    return operands  // (C2)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let shape = operands[0].dimensions
    let dimension = self.dimension < 0 ? self.dimension + shape.count : self.dimension
    let elements = operands.map(\.scalars)
    let precedes = ElementFunction(comparator, in: context)
    let step = shape.dropFirst(dimension + 1).reduce(1, *)
    var sources = Array(0..<operands[0].elementCount)
    var lines = shape
    lines[dimension] = min(1, shape[dimension])
    try forEachIndex(lines) { (index: [Int]) throws(OpError) in
      let start = operands[0].position(of: index)
      let line = (0..<shape[dimension]).map { start + $0 * step }
      let sorted = try line.mergeSorted { (a, b) throws(OpError) in
        try precedes(elements.flatMap { [$0[a], $0[b]] })[0].isTrue
      }
      for (place, source) in zip(line, sorted) { sources[place] = source }
    }
    return operands.map { operand in
      var next = 0
      return operand.moved(to: shape) { _ in
        defer { next += 1 }
        return sources[next]
      }
    }
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .sort }
}

/// The `k` largest elements of each line along the last dimension, in descending order, and where they were.
///
/// `%v, %i = chlo.top_k(%x, k = 3) : tensor<4x10xf32> -> (tensor<4x3xf32>, tensor<4x3xi32>)`
///
/// Of equal elements the first comes first; floats are in total order, so that NaN is above infinity.
public struct TopK: OpDefinition {
  public var k: Int
  public init(k: Int) { self.k = k }
  public var mnemonic: String { "chlo.top_k" }
  public var op: Op { .topK(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let x = try single(operands)
    guard let last = x.dimensions.last else { throw OpError("top_k takes lines of elements, not a scalar \(x)") }
    guard x.elementType.isInteger || x.elementType.isFloat else { throw OpError("top_k orders numbers, not \(x)") }
    guard k >= 0, !Extent(k).isSurelyGreater(than: last) else {
      throw OpError("k = \(k) leaves the last dimension of \(x.detailedDescription)")
    }
    let shape: [Extent] = Array(x.dimensions.dropLast()) + [Extent(k)]
    return [TensorType(x.elementType, shape), TensorType(.i32, shape)]
  }

  public func requiredOrders(_ operands: [TensorType]) -> [ExtentOrder] {
    operands[0].dimensions.suffix(1).map { ExtentOrder(Extent(k), atMost: $0) }
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let x = operands[0]
    let extent = x.dimensions[x.dimensions.count - 1]
    guard k <= extent else { throw OpError("k = \(k) leaves the last dimension of \(x.type)") }
    let keys: [Int64] = x.scalars.map { orderKey($0, x.elementType) }
    var sources: [Int] = []
    for line in 0..<x.dimensions.dropLast().reduce(1, *) {
      let positions = Array(line * extent..<(line + 1) * extent)
      sources += positions.mergeSorted { a, b in keys[a] > keys[b] }.prefix(k)
    }
    let shape: [Int] = Array(x.dimensions.dropLast()) + [k]
    var next = 0
    let values = x.moved(to: shape) { _ in
      defer { next += 1 }
      return sources[next]
    }
    return [values, Literal(.i32, shape, sources.map { Scalar.integer(Int64($0 % extent)) })]
  }

  /// An integer that orders as the elements do.
  private func orderKey(_ value: Scalar, _ type: ElementType) -> Int64 {
    switch value {
    case .integer(let integer): type == .ui64 ? integer ^ Int64.min : integer
    case .real(let real), .complex(let real, _): ScalarFunction.orderKey(real)
    }
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .sort }
}

extension [Int] {
  /// The numbers in the order of `precedes`; those of which neither precedes the other keep their order. O(n log n).
  func mergeSorted<E: Error>(by precedes: (Int, Int) throws(E) -> Bool) throws(E) -> [Int] {
    if count < 2 { return self }
    let left = try Array(prefix(count / 2)).mergeSorted(by: precedes)
    let right = try Array(dropFirst(count / 2)).mergeSorted(by: precedes)
    var merged: [Int] = []
    merged.reserveCapacity(count)
    var (i, j) = (0, 0)
    while i < left.count && j < right.count {
      if try precedes(right[j], left[i]) {
        merged.append(right[j])
        j += 1
      } else {
        merged.append(left[i])
        i += 1
      }
    }
    return merged + left[i...] + right[j...]
  }
}

extension Sort {
  static let text = TextForm("stablehlo.sort", nil) { (reader) throws(OpError) in
    let rank = try reader.operand(0).rank
    let dimension = try reader.integer("dimension", default: -1)
    return .sort(
      Sort(
        dimension: dimension < 0 ? dimension + rank : dimension,
        isStable: try reader.boolean("is_stable", default: false), comparator: try reader.region(0)))
  } write: { op, writer in
    guard case .sort(let op) = op else { return }
    writer.set("dimension", .integer(Int64(op.dimension)))
    writer.set("is_stable", .boolean(op.isStable))
  }
}

extension TopK {
  static let text = TextForm(
    TopK(k: 0), "`(` operands `,` `k` `=` $k `)` attr-dict `:` arrow-types", attributes: [.integer("k", \.k)])
}
