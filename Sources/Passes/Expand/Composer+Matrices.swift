import IR

/// Matrices in the last two dimensions.
extension Composer {
  /// `body` for each number below `count`, which hands its value on and reads others.
  mutating func loop(
    _ count: Int, from initial: ValueID, reading captures: [ValueID],
    _ body: (inout Composer, ValueID, ValueID, [ValueID]) throws(OpError) -> ValueID
  ) throws(OpError) -> ValueID {
    try loop(count, carrying: [initial], reading: captures) { (c, i, values, read) throws(OpError) in
      [try body(&c, i, values[0], read)]
    }[0]
  }

  /// `body` for each number below `count`, which hands its values on and reads others.
  mutating func loop(
    _ count: Int, carrying initial: [ValueID], reading captures: [ValueID],
    _ body: (inout Composer, ValueID, [ValueID], [ValueID]) throws(OpError) -> [ValueID]
  ) throws(OpError) -> [ValueID] {
    let first = try append(.constant(.scalar(.zero(.i32), .i32)))
    let operands = [first] + initial + captures
    func region() -> (Composer, [ValueID]) {
      var graph = Graph()
      let parameters = operands.map { graph.addParameter(type($0)) }
      return (Composer(graph: graph, location: location), parameters)
    }
    var (condition, limits) = region()
    let limit = try condition.append(.constant(.scalar(.integer(Int64(count)), .i32)))
    condition.graph.results = [try condition.apply(.compare(.less, .signed), limits[0], limit)]
    var (round, values) = region()
    let carried = 1..<initial.count + 1
    let next = try body(&round, values[0], Array(values[carried]), Array(values[carried.upperBound...]))
    let one = try round.append(.constant(.scalar(.integer(1), .i32)))
    round.graph.results = [try round.apply(.add, values[0], one)] + next
    let loop = try append(.while(While(condition: condition.graph, body: round.graph)), operands)
    return Array(graph.results(of: loop).dropFirst())
  }

  // MARK: Pieces

  mutating func part(_ value: ValueID, _ rows: Range<Int>, _ columns: Range<Int>) throws(OpError) -> ValueID {
    let rank = type(value).rank
    let cut = try slice(value, rank - 2, rows.lowerBound, rows.upperBound)
    return try slice(cut, rank - 1, columns.lowerBound, columns.upperBound)
  }

  mutating func rows(_ value: ValueID, _ rows: Range<Int>) throws(OpError) -> ValueID {
    try slice(value, type(value).rank - 2, rows.lowerBound, rows.upperBound)
  }

  mutating func joined(_ pieces: [ValueID], _ dimension: Int) throws(OpError) -> ValueID {
    pieces.count == 1 ? pieces[0] : try append(.concatenate(Concatenate(dimension: dimension)), pieces)
  }

  mutating func starts(_ value: ValueID, _ places: [Int: ValueID]) throws(OpError) -> [ValueID] {
    let element = places.values.first.map { type($0).elementType } ?? .i32
    let zero = try append(.constant(.scalar(.zero(element), element)))
    return (0..<type(value).rank).map { places[$0] ?? zero }
  }

  /// One row or column, at a place that is known when the program runs.
  mutating func cut(_ value: ValueID, at places: [Int: ValueID]) throws(OpError) -> ValueID {
    let extents = type(value).dimensions.enumerated().map { places[$0] == nil ? $1 : .one }
    return try append(.dynamicSlice(DynamicSlice(sliceExtents: extents)), [value] + (try starts(value, places)))
  }

  mutating func replaced(_ value: ValueID, _ piece: ValueID, at places: [Int: ValueID]) throws(OpError)
    -> ValueID
  {
    try append(.dynamicUpdateSlice(DynamicUpdateSlice()), [value, piece] + (try starts(value, places)))
  }

  /// The sums over a dimension of both, matrix by matrix.
  mutating func contracted(_ a: ValueID, _ i: Int, _ b: ValueID, _ j: Int) throws(OpError) -> ValueID {
    let type = self.type(a)
    let batching = Array(0..<type.rank - 2)
    let contraction = Contraction(
      lhsBatching: batching, rhsBatching: batching, lhsContracting: [i], rhsContracting: [j])
    return try append(.dotGeneral(DotGeneral(contraction, resultType: type.elementType)), a, b)
  }

  mutating func swappingLast(_ value: ValueID) throws(OpError) -> ValueID {
    let rank = type(value).rank
    return try append(.transpose(Transpose(permutation: Array(0..<rank - 2) + [rank - 1, rank - 2])), value)
  }

  mutating func adjoint(_ value: ValueID) throws(OpError) -> ValueID {
    try swappingLast(try conjugate(value))
  }

  // MARK: Elements

  /// The number of an element's row or column.
  mutating func positions(like value: ValueID, along dimension: Int) throws(OpError) -> ValueID {
    let type = TensorType(.i32, self.type(value).dimensions)
    return try append(.iota(Iota(dimension: dimension, resultType: type)))
  }

  mutating func spreadScalar(_ scalar: ValueID, like value: ValueID) throws(OpError) -> ValueID {
    try append(
      .broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: type(value).dimensions)), scalar)
  }

  /// How each element's row compares with its column.
  mutating func compared(_ direction: ComparisonDirection, _ value: ValueID) throws(OpError) -> ValueID {
    let rank = type(value).rank
    return try apply(
      .compare(direction, .signed), try positions(like: value, along: rank - 2),
      try positions(like: value, along: rank - 1))
  }

  /// The elements of the diagonal, zeros elsewhere.
  mutating func onDiagonal(_ value: ValueID) throws(OpError) -> ValueID {
    try apply(.select, try compared(.equal, value), value, try zeros(like: value))
  }

  mutating func zeros(like value: ValueID) throws(OpError) -> ValueID { try splat(0, like: value) }

  /// A value of extent one along a dimension, as often as `like` is long.
  mutating func repeated(_ value: ValueID, like: ValueID, along dimension: Int) throws(OpError) -> ValueID {
    let all = Array(0..<type(value).rank)
    return try append(
      .broadcastInDim(BroadcastInDim(dimensions: all, resultDimensions: type(like).dimensions)), value)
  }

  mutating func conjugate(_ value: ValueID) throws(OpError) -> ValueID {
    guard type(value).elementType.isComplex else { return value }
    return try apply(.complex, try apply(.real, value), try apply(.negate, try apply(.imaginary, value)))
  }

  mutating func real(_ value: ValueID) throws(OpError) -> ValueID {
    type(value).elementType.isComplex ? try apply(.real, value) : value
  }

  /// Real numbers as elements of the type of `like`.
  mutating func asElement(_ value: ValueID, like: ValueID) throws(OpError) -> ValueID {
    guard type(like).elementType.isComplex else { return value }
    return try apply(.complex, value, try zeros(like: value))
  }

  /// Elements in a type whose sums are no narrower than f32.
  mutating func widened(_ value: ValueID) throws(OpError) -> ValueID {
    let element = type(value).elementType
    return element.isFloat && element.bitWidth < 32 ? try apply(.convert(.f32), value) : value
  }

  mutating func converted(_ value: ValueID, to element: ElementType) throws(OpError) -> ValueID {
    type(value).elementType == element ? value : try apply(.convert(element), value)
  }

  // MARK: Lists beside matrices

  /// Rows or columns at places that a list names for each matrix.
  mutating func picked(_ value: ValueID, _ dimension: Int, _ places: ValueID) throws(OpError) -> ValueID {
    let type = self.type(value)
    let batching = Array(0..<type.rank - 2)
    let other = 2 * type.rank - 3 - dimension
    let gather = Gather(
      offsetDims: [other], collapsedSliceDims: [dimension], operandBatchingDims: batching,
      startIndicesBatchingDims: batching, startIndexMap: [dimension], indexVectorDim: type.rank - 1,
      sliceExtents: type.dimensions.enumerated().map { $0 == other ? $1 : .one })
    return try append(.gather(gather), value, places)
  }

  /// A value repeated along dimensions of `like`: the last ones that it lacks, or one before which its others are.
  mutating func spread(_ value: ValueID, along dimensions: [Int], like: ValueID) throws(OpError) -> ValueID {
    let kept = (0..<type(like).rank).filter { !dimensions.contains($0) }
    return try append(
      .broadcastInDim(BroadcastInDim(dimensions: kept, resultDimensions: type(like).dimensions)), value)
  }

  /// The fold over a dimension, which stays with extent one.
  mutating func folded(_ function: ScalarFunction, _ value: ValueID, along dimension: Int) throws(OpError) -> ValueID {
    var dimensions = type(value).dimensions
    dimensions[dimension] = .one
    let list = try fold(function, value, over: [dimension])
    return try append(.reshape(Reshape(resultDimensions: dimensions)), list)
  }

  /// Zeros of a type.
  mutating func zeros(_ type: TensorType) throws(OpError) -> ValueID {
    let zero = try append(.constant(.scalar(.zero(type.elementType), type.elementType)))
    return try append(.broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: type.dimensions)), zero)
  }

  /// One on the diagonal, zero elsewhere.
  mutating func identity(_ type: TensorType) throws(OpError) -> ValueID {
    let zero = try zeros(type)
    return try apply(.select, try compared(.equal, zero), try splat(1, like: zero), zero)
  }

  /// The value where it is above zero, else one.
  mutating func divisor(_ value: ValueID) throws(OpError) -> ValueID {
    let isPositive = try apply(.compare(.greater, .float), value, try zeros(like: value))
    return try apply(.select, isPositive, value, try splat(1, like: value))
  }
}
