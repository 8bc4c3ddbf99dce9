import GraphBuilding
import IR

extension Operator {
  /// Parts of tensors at positions that are data, and what is put there.
  static let indexing: [Operator] = [
    Operator(
      "Gather",
      one: { (n) throws(OpError) in
        n.ignore("validate_indices")
        let x = try n.input(0)
        return try n.take(x, try n.input(1), axis: n.axis(0, rank: x.rank), batch: 0)
      }),
    Operator(
      "GatherV2",
      one: { (n) throws(OpError) in
        let (x, indices) = (try n.input(0), try n.input(1))
        let axis = try n.axis(try n.integer(2, "axis"), rank: x.rank)
        var batch = try n.int("batch_dims", default: 0)
        if batch < 0 { batch += indices.rank }
        guard (0...min(axis, indices.rank)).contains(batch) else { throw OpError("attribute 'batch_dims' is \(batch)") }
        return try n.take(x, indices, axis: axis, batch: batch)
      }),
    Operator(
      "GatherNd",
      one: { (n) throws(OpError) in
        _ = try n.string("bad_indices_policy", default: "")
        return try n.gather(try n.input(0), at: n.points(1, in: try n.input(0)))
      }),
    Operator(
      "ScatterNd",
      one: { (n) throws(OpError) in
        _ = try n.string("bad_indices_policy", default: "")
        let updates = try n.input(1)
        let zeros = try n.filled(try n.shapeInput(2), .zero(updates.element), updates.element)
        let points = try n.points(0, in: zeros)
        return try n.scatter(n.rows(updates, at: points), into: zeros, at: points, .add)
      }),
    scatter("TensorScatterUpdate", nil), scatter("TensorScatterAdd", .add), scatter("TensorScatterMax", .maximum),
    scatter("TensorScatterMin", .minimum),
    Operator(
      "TensorScatterSub",
      one: { (n) throws(OpError) in
        _ = try n.string("bad_indices_policy", default: "")
        let points = try n.points(1, in: try n.input(0))
        return try n.scatter(n.map(.negate, n.rows(try n.input(2), at: points)), into: try n.input(0), at: points, .add)
      }),
    Operator("OneHot", one: oneHot),
    Operator("TopKV2", outputs: ["values", "indices"]) { (n) throws(OpError) in
      n.ignore("sorted")
      let element = try n.elementType("index_type", default: .i32)
      return try greatest(&n, n.extent(1, "k"), element)
    },
    Operator("ArgMax", one: { (n) throws(OpError) in try position(&n, .greater) }),
    Operator("ArgMin", one: { (n) throws(OpError) in try position(&n, .less) }),
    Operator("LowerBound", one: { (n) throws(OpError) in try bound(&n, .less) }),
    Operator("UpperBound", one: { (n) throws(OpError) in try bound(&n, .lessOrEqual) }),
    segment("UnsortedSegmentSum", .add), segment("UnsortedSegmentProd", .multiply),
    segment("UnsortedSegmentMax", .maximum), segment("UnsortedSegmentMin", .minimum),
    Operator("InTopKV2", one: { (n) throws(OpError) in try inTopK(&n, n.integer(2, "k")) }),
    sortedSegment("SegmentSum", .add), sortedSegment("SegmentMean", nil), sortedSegment("SegmentProd", .multiply),
    sortedSegment("SegmentMax", .maximum), sortedSegment("SegmentMin", .minimum),
    Operator("DenseBincount", one: countValues), Operator("Bucketize", one: bucketize),
  ]

  private static func scatter(_ name: String, _ function: ScalarFunction?) -> Operator {
    Operator(name) { (n) throws(OpError) in
      _ = try n.string("bad_indices_policy", default: "")
      let points = try n.points(1, in: try n.input(0))
      return [try n.scatter(n.rows(try n.input(2), at: points), into: try n.input(0), at: points, function)]
    }
  }

  private static func oneHot(_ n: inout Lowering) throws(OpError) -> Value {
    let (indices, on, off) = (try n.input(0), try n.input(2), try n.input(3))
    let depth = try n.extent(1, "depth")
    let axis = try n.axis(try n.int("axis", default: -1), rank: indices.rank + 1)
    var shape = indices.shape
    shape.insert(depth, at: axis)
    let wide = try n.broadcast(n.convert(indices, .i64), to: shape, at: shape.indices.filter { $0 != axis })
    let isOn = try n.compare(.equal, wide, n.iota(.i64, shape, axis: axis))
    return try n.select(isOn, on, off)
  }

  /// The greatest elements of lines, and where they are.
  static func greatest(_ n: inout Lowering, _ count: Extent, _ element: ElementType) throws(OpError) -> [Value] {
    let x = try n.input(0)
    guard x.rank > 0 else { throw OpError("it takes lines, not a scalar") }
    let axis = x.rank - 1
    if let k = count.fixed {
      if k < 0 || k > x.shape[axis].fixed ?? .max { throw OpError("it asks for \(k) of \(x.shape[axis]) elements") }
      n.arithmetic.require(x.shape[axis], atLeast: k)
    }
    let sorted = try n.sort([x, n.iota(.i32, x.shape, axis: axis)], axis: axis, .greater)
    return [
      try n.slice(sorted[0], axis: axis, 0, count), try n.convert(n.slice(sorted[1], axis: axis, 0, count), element),
    ]
  }

  private static func position(_ n: inout Lowering, _ direction: ComparisonDirection) throws(OpError) -> Value {
    let x = try n.input(0)
    let axis = try n.axis(try n.integer(1, "axis"), rank: x.rank)
    let element = try n.elementType("output_type", default: .i64)
    return try n.convert(n.position(of: direction, in: x, axis: axis, wantsLast: false), element)
  }

  /// How many elements of a sorted line come before each value.
  private static func bound(_ n: inout Lowering, _ direction: ComparisonDirection) throws(OpError) -> Value {
    let (lines, values) = (try n.input(0), try n.input(1))
    let element = try n.elementType("out_type", default: .i32)
    guard lines.rank == 2, values.rank == 2, lines.shape[0] == values.shape[0] else {
      throw OpError("it searches \(lines.type) for \(values.type)")
    }
    let shape = [values.shape[0], values.shape[1], lines.shape[1]]
    let isBefore = try n.compare(
      direction, n.broadcast(lines, to: shape, at: [0, 2]), n.broadcast(values, to: shape, at: [0, 1]))
    return try n.reduce(n.convert(isBefore, element), [2], .add)
  }

  /// Folds rows that have the same number.
  private static func segment(_ name: String, _ function: ScalarFunction) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let (x, numbers) = (try n.input(0), try n.input(1))
      let count = try n.extent(2, "number of segments")
      guard numbers.rank <= x.rank, Array(x.shape.prefix(numbers.rank)) == numbers.shape else {
        throw OpError("\(numbers.type) does not number the rows of \(x.type)")
      }
      let shape = [count] + x.shape.dropFirst(numbers.rank)
      let start = try n.filled(shape, n.empty(function, x.element), x.element)
      let points = try n.unsqueeze(numbers, numbers.rank)
      return [try n.scatter(x, into: start, at: points, function)]
    }
  }

  /// Folds rows that have the same number, numbers being known and in order; without a function their mean.
  private static func sortedSegment(_ name: String, _ function: ScalarFunction?) -> Operator {
    Operator(name) { (n) throws(OpError) in
      let x = try n.input(0)
      let numbers = try n.integers(of: try n.input(1), "segment numbers")
      guard x.rank > 0, x.shape[0] == Extent(numbers.count), numbers == numbers.sorted(), numbers.first ?? 0 >= 0,
        numbers.last ?? 0 < 1 << 16
      else { throw OpError("the numbers of its segments do not fit \(x.type)") }
      var rows: [Value] = []
      var start = 0
      for number in 0..<(numbers.last.map { $0 + 1 } ?? 0) {
        let end = numbers[start...].firstIndex { $0 != number } ?? numbers.count
        let part = try n.slice(x, axis: 0, Extent(start), Extent(end))
        if start == end {
          rows.append(
            try n.filled([.one] + x.shape.dropFirst(), Scalar(function == .multiply ? 1 : 0, x.element), x.element))
        } else if let function {
          rows.append(try n.reduce(part, [0], function, keep: true))
        } else {
          rows.append(try n.mean(part, [0], keep: true))
        }
        start = end
      }
      return [rows.isEmpty ? try n.slice(x, axis: 0, 0, 0) : try n.concatenate(rows, axis: 0)]
    }
  }

  /// How often, or with which weights, each value occurs in a line.
  private static func countValues(_ n: inout Lowering) throws(OpError) -> Value {
    let isBinary = try n.flag("binary_output")
    let (x, weights) = (try n.input(0), try n.input(2))
    let count = try n.extent(1, "size")
    guard (1...2).contains(x.rank) else { throw OpError("it counts lines, not \(x.type)") }
    let shape = x.shape + [count]
    let wide = try n.broadcast(x, to: shape, at: Array(0..<x.rank))
    let isValue = try n.compare(.equal, wide, n.iota(x.element, shape, axis: x.rank))
    if isBinary { return try n.convert(n.reduce(isValue, [x.rank - 1], .or), weights.element) }
    var terms = try n.convert(isValue, weights.element)
    if weights.type.elementCount != .zero {
      terms = try n.multiply(terms, n.broadcast(weights, to: shape, at: Array(0..<x.rank)))
    }
    return try n.reduce(terms, [x.rank - 1], .add)
  }

  /// How many boundaries are not greater than each element.
  private static func bucketize(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let limits = try n.floats("boundaries")
    let shape = x.shape + [Extent(limits.count)]
    let element: ElementType = x.element == .f64 ? .f64 : .f32
    let wide = try n.broadcast(n.convert(x, element), to: shape, at: Array(0..<x.rank))
    let isPassed = try n.compare(.greaterOrEqual, wide, n.broadcast(n.vector(limits, element), to: shape, at: [x.rank]))
    return try n.reduce(n.convert(isPassed, .i32), [x.rank], .add)
  }

  /// Whether the right class is among the `k` with the greatest scores.
  static func inTopK(_ n: inout Lowering, _ k: Int) throws(OpError) -> Value {
    let (scores, targets) = (try n.input(0), try n.input(1))
    guard scores.rank == 2, targets.rank == 1 else { throw OpError("it takes \(scores.type) and \(targets.type)") }
    let classes = try n.convert(targets, .i64)
    let own = try n.gather(scores, at: n.points(n.unsqueeze(classes, 1), axis: 1, in: scores))
    let isBetter = try n.convert(n.compare(.greater, scores, own), .i32)
    let isAmong = try n.compare(.less, n.reduce(isBetter, [1], .add), Double(k))
    // Nothing is said of classes that are none, and of rows with scores that are not finite.
    let isFinite = try n.reduce(n.map(.isFinite, scores), [1], .and)
    let isClass = try n.map(
      .and, n.compare(.greaterOrEqual, classes, 0), n.compare(.less, classes, n.scalar(of: scores.shape[1], .i64)))
    return try n.map(.and, isAmong, n.map(.and, isFinite, isClass))
  }
}

extension ElementType {
  /// The least number that is finite.
  var leastNumber: Scalar {
    switch self {
    case .f16: .real(-65504)
    case .bf16: .real(-0x1.FEp127)
    case .f32: .real(-Double(Float.greatestFiniteMagnitude))
    case .f64: .real(-Double.greatestFiniteMagnitude)
    default: lowest
    }
  }
}

extension Lowering {
  /// Index vectors, none of which may count from the end.
  func points(_ index: Int, in x: Value) throws(OpError) -> Value {
    let points = try input(index)
    guard points.rank > 0, let depth = points.shape[points.rank - 1].fixed else {
      throw .unsupported("index vectors of open length")
    }
    guard depth <= x.rank, points.element.isInteger else {
      throw OpError("\(points.type) does not name places in \(x.type)")
    }
    return points
  }

  /// What TensorFlow gives for a fold of nothing: the greatest and least numbers are finite ones.
  fileprivate func empty(_ function: ScalarFunction, _ element: ElementType) -> Scalar {
    switch function {
    case .maximum: return element.leastNumber
    case .minimum where element.isFloat: return .real(-element.leastNumber.realValue)
    default: return neutral(function, element)
    }
  }

  /// `updates` with as many rows as there are index vectors.
  fileprivate mutating func rows(_ updates: Value, at points: Value) throws(OpError) -> Value {
    guard updates.rank >= points.rank - 1 else {
      throw OpError("\(updates.type) does not have a row for each of \(points.type)")
    }
    for (have, need) in zip(updates.shape, points.shape.dropLast()) where have != need {
      guard have.isFixed, need.isFixed else { throw inequality(have, need) }
      throw OpError("\(updates.type) does not have a row for each of \(points.type)")
    }
    return updates
  }

  /// The parts of `x` along `axis` at `indices`, whose first `batch` dimensions are those of `x`.
  mutating func take(_ x: Value, _ indices: Value, axis: Int, batch: Int) throws(OpError) -> Value {
    guard batch > 0 else { return try take(x, indices, axis: axis) }
    for d in 0..<batch where x.shape[d] != indices.shape[d] {
      guard x.shape[d].isFixed, indices.shape[d].isFixed else { throw inequality(x.shape[d], indices.shape[d]) }
      throw OpError("\(x.type) and \(indices.type) do not have the same first \(batch) dimensions")
    }
    let own = indices.rank - batch
    var sliceExtents = x.shape
    for d in Array(0..<batch) + [axis] { sliceExtents[d] = .one }
    let outer = Array(batch..<axis)
    let inner = Array(axis + 1..<x.rank)
    // The result has the shared dimensions, those before the axis, those of the indices, and the rest.
    let gather = Gather(
      offsetDims: outer + inner.map { $0 - 1 + own }, collapsedSliceDims: [axis],
      operandBatchingDims: Array(0..<batch), startIndicesBatchingDims: Array(0..<batch), startIndexMap: [axis],
      indexVectorDim: indices.rank, sliceExtents: sliceExtents)
    return try emit(.gather(gather), [x, unsqueeze(indices, indices.rank)])
  }
}
