import GraphBuilding
import IR

extension Operator {
  /// Shapes as data, and ops that give the same elements another shape.
  static let shapes: [Operator] = [
    Operator(
      "Shape",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        return n.known(x.shape, try shapeType(&n), [x.rank])
      }),
    Operator("ShapeN") { (n) throws(OpError) in
      n.ignore("N")
      let element = try shapeType(&n)
      return try n.allInputs().map { n.known($0.shape, element, [$0.rank]) }
    },
    Operator(
      "Size",
      one: { (n) throws(OpError) in
        n.known([try n.input(0).type.elementCount], try shapeType(&n), [])
      }),
    Operator("Rank", one: { (n) throws(OpError) in n.known([Extent(try n.input(0).rank)], .i32, []) }),
    Operator(
      "Reshape",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        let wanted = try n.extents(of: try n.input(1), "shape")
        return try n.reshape(x, n.reshapedShape(of: x, wanted, keepsZeros: true))
      }),
    Operator(
      "ExpandDims",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        return try n.unsqueeze(x, n.axis(try n.integer(1, "axis"), rank: x.rank + 1))
      }),
    Operator("Squeeze", one: squeeze),
    Operator(
      "BroadcastTo",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        let shape = try n.shapeInput(1)
        guard x.rank <= shape.count else { throw OpError("cannot broadcast \(x.type) to \(shape)") }
        for (extent, wanted) in zip(x.shape.reversed(), shape.reversed()) where extent != .one && extent != wanted {
          guard extent.isFixed, wanted.isFixed else { throw n.inequality(extent, wanted) }
          throw OpError("cannot broadcast \(x.type) to \(shape)")
        }
        return try n.broadcast(x, to: shape)
      }),
    Operator("BroadcastArgs", one: broadcastArguments),
    Operator("Fill", one: fill),
    Operator(
      "ZerosLike",
      one: { (n) throws(OpError) in
        try n.filled(try n.input(0).shape, .zero(try n.input(0).element), try n.input(0).element)
      }),
    Operator(
      "OnesLike",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        return try n.filled(x.shape, Scalar(1, x.element), x.element)
      }),
    Operator("Range", one: range),
    Operator("LinSpace", one: linearSpace),
    Operator(
      "Transpose",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        let permutation = try n.integers(of: try n.input(1), "permutation")
        guard permutation.sorted() == Array(0..<x.rank) else {
          throw OpError("\(permutation) is not a permutation of the dimensions of \(x.type)")
        }
        return try n.transpose(x, permutation)
      }),
    Operator(
      "ConjugateTranspose",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        let permutation = try n.integers(of: try n.input(1), "permutation")
        guard permutation.sorted() == Array(0..<x.rank) else {
          throw OpError("\(permutation) is not a permutation of the dimensions of \(x.type)")
        }
        return try n.conjugate(n.transpose(x, permutation))
      }),
    Operator("UnravelIndex", one: unravel),
    Operator("BroadcastGradientArgs", outputs: ["r0", "r1"], broadcastAxes),
    Operator("ConcatOffset", concatenationOffsets),
    Operator(
      "InvertPermutation",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        guard x.rank == 1, x.element.isInteger else { throw OpError("\(x.type) is no permutation") }
        if n.constantLiteral(of: x) != nil {
          let permutation = try n.integers(of: x, "permutation")
          guard permutation.sorted() == Array(permutation.indices) else {
            throw OpError("\(permutation) is no permutation")
          }
          var inverse = permutation
          for (place, value) in permutation.enumerated() { inverse[value] = place }
          return n.known(inverse.map { Extent($0) }, x.element, [inverse.count])
        }
        return try n.convert(n.sort([x, n.iota(.i64, x.shape, axis: 0)], axis: 0, .less)[1], x.element)
      }),
  ]

  private static func shapeType(_ n: inout Lowering) throws(OpError) -> ElementType {
    try n.elementType("out_type", default: .i32)
  }

  private static func squeeze(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    var axes = try n.axes(try n.ints("squeeze_dims") ?? [], rank: x.rank)
    if axes.isEmpty {
      if let extent = x.shape.first(where: { !$0.isFixed }) {
        throw .unsupported("whether \(extent) is 1 is not known")
      }
      axes = x.shape.indices.filter { x.shape[$0] == .one }
    }
    for axis in axes where x.shape[axis] != .one {
      guard x.shape[axis].isFixed else { throw n.inequality(x.shape[axis], .one) }
      throw OpError("dimension \(axis) of \(x.type) is not 1")
    }
    return try n.reshape(x, x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] })
  }

  /// The shape to which two shapes broadcast.
  private static func broadcastArguments(_ n: inout Lowering) throws(OpError) -> Value {
    let element = try n.input(0).element
    let shapes = [try n.shapeInput(0), try n.shapeInput(1)]
    var result = [Extent](repeating: .one, count: max(shapes[0].count, shapes[1].count))
    for shape in shapes {
      let offset = result.count - shape.count
      for (d, extent) in shape.enumerated() where extent != .one && result[offset + d] != extent {
        guard result[offset + d] == .one else {
          guard extent.isFixed, result[offset + d].isFixed else { throw n.inequality(extent, result[offset + d]) }
          throw OpError("\(shapes[0]) and \(shapes[1]) do not broadcast")
        }
        result[offset + d] = extent
      }
    }
    return n.known(result, element, [result.count])
  }

  /// The index vector of each row-major position.
  private static func unravel(_ n: inout Lowering) throws(OpError) -> Value {
    let indices = try n.input(0)
    let dimensions = try n.integers(of: try n.input(1), "dimensions")
    guard !dimensions.isEmpty, dimensions.allSatisfy({ $0 > 0 }) else {
      throw OpError("its dimensions are \(dimensions)")
    }
    var stride = 1
    var parts: [Value] = []
    for dimension in dimensions.reversed() {
      let quotient = try n.divide(indices, n.scalar(.integer(Int64(stride)), indices.element))
      let position = try n.map(.remainder, quotient, n.scalar(.integer(Int64(dimension)), indices.element))
      parts.append(try n.unsqueeze(position, 0))
      let (product, overflow) = stride.multipliedReportingOverflow(by: dimension)
      guard !overflow else { throw OpError("its dimensions are \(dimensions)") }
      stride = product
    }
    return try n.concatenate(parts.reversed(), axis: 0)
  }

  /// The dimensions over which gradients are summed, where two operands of these shapes were broadcast.
  private static func broadcastAxes(_ n: inout Lowering) throws(OpError) -> [Value] {
    let element = try n.input(0).element
    let shapes = [try n.shapeInput(0), try n.shapeInput(1)]
    let rank = max(shapes[0].count, shapes[1].count)
    let wide = shapes.map { [Extent](repeating: .one, count: rank - $0.count) + $0 }
    return wide.map { side in
      // Where both are 1, nothing was broadcast, and the sum changes nothing.
      let axes = (0..<rank).filter { side[$0] == .one }
      return n.known(axes.map { Extent($0) }, element, [axes.count])
    }
  }

  /// Where each of several shapes begins along the dimension in which they are joined.
  private static func concatenationOffsets(_ n: inout Lowering) throws(OpError) -> [Value] {
    n.ignore("N")
    let axis = try n.integer(0, "axis")
    var offset = Extent.zero
    var results: [Value] = []
    for index in 1..<max(1, n.inputCount) {
      let shape = try n.shapeInput(index)
      let place = try n.axis(axis, rank: shape.count)
      let element = try n.input(index).element
      results.append(n.known(shape.indices.map { $0 == place ? offset : .zero }, element, [shape.count]))
      offset += shape[place]
    }
    return results
  }

  // MARK: - Sequences

  private static func fill(_ n: inout Lowering) throws(OpError) -> Value {
    n.ignore("index_type")
    let shape = try n.shapeInput(0)
    let value = try n.input(1)
    if let literal = n.constantLiteral(of: value) { return try n.filled(shape, literal[0], value.element) }
    return try n.broadcast(n.reshape(value, []), to: shape, at: [])
  }

  /// `start, start + delta, …` to before `limit`.
  private static func range(_ n: inout Lowering) throws(OpError) -> Value {
    let element = try n.input(0).element
    guard element.isInteger else {
      var numbers: [Double] = []
      for (index, what) in ["start", "limit", "delta"].enumerated() {
        numbers += try n.numbers(of: try n.input(index), what)
      }
      guard numbers.count == 3, numbers.allSatisfy(\.isFinite), numbers[2] != 0 else {
        throw OpError("its limits are \(numbers)")
      }
      let quotient =
        element == .f64
        ? (numbers[1] - numbers[0]) / numbers[2]
        : Double((Float(numbers[1]) - Float(numbers[0])) / Float(numbers[2]))
      let count = max(0, quotient.rounded(.up))
      guard count < Double(elementCountLimit) else { throw OpError("its limits lie too far apart") }
      let steps = try n.iota(element, [Extent(Int(count))], axis: 0)
      return try n.add(n.multiply(steps, numbers[2]), numbers[0])
    }
    let first = try n.extent(0, "start")
    let last = try n.extent(1, "limit")
    guard let step = try n.extent(2, "delta").fixed, step != 0, step != .min else {
      throw .unsupported("a delta that is zero or a symbol")
    }
    guard let distance = step > 0 ? n.arithmetic.subtract(last, first) : n.arithmetic.subtract(first, last),
      distance.fixed.map({ $0 < elementCountLimit }) ?? true
    else { throw OpError("its limits \(first) and \(last) lie too far apart") }
    // A longer step than the distance takes the first element only.
    let width = distance.fixed.map { min(abs(step), max(1, $0)) } ?? abs(step)
    guard width <= elementCountLimit else { throw .unsupported("the delta \(step) over symbols") }
    let count = (distance + (width - 1)).floorDivided(by: Extent(width))
    let extent = n.arithmetic.maximum(.zero, count)
    if let fixed = extent.fixed, fixed <= Lowering.contentLimit {
      return n.known((0..<fixed).map { first + $0 * step }, element, [fixed])
    }
    var result = try n.iota(element, [extent], axis: 0)
    if step != 1 { result = try n.multiply(result, n.scalar(.integer(Int64(step)), element)) }
    if first != .zero { result = try n.add(result, n.scalar(of: first, element)) }
    return result
  }

  private static func linearSpace(_ n: inout Lowering) throws(OpError) -> Value {
    let (start, stop) = (try n.input(0), try n.input(1))
    let count = try n.integer(2, "number of elements")
    guard count > 0, count <= elementCountLimit else { throw OpError("it has \(count) elements") }
    guard count > 1 else { return try n.reshape(start, [.one]) }
    let delta = try n.divide(n.subtract(stop, start), Double(count - 1))
    let steps = try n.iota(start.element, [Extent(count)], axis: 0)
    let inner = try n.add(n.multiply(steps, delta), start)
    // The last element is the limit itself.
    let isLast = try n.compare(.equal, n.iota(.i64, [Extent(count)], axis: 0), Double(count - 1))
    return try n.select(isLast, stop, inner)
  }
}

extension Lowering {
  /// Complex numbers with the other sign of their imaginary parts; other numbers are their own.
  mutating func conjugate(_ x: Value) throws(OpError) -> Value {
    guard x.element.isComplex else { return x }
    return try map(.complex, map(.real, x), map(.negate, map(.imaginary, x)))
  }

  /// A tensor of one value; small ones of integers stay known.
  mutating func filled(_ shape: [Extent], _ value: Scalar, _ element: ElementType) throws(OpError) -> Value {
    let type = TensorType(element, shape)
    try checkSize(type)
    if element.isInteger, let fixed = type.fixedDimensions, fixed.reduce(1, *) <= Self.contentLimit {
      return known([Extent](repeating: Extent(Int(value.integerValue)), count: fixed.reduce(1, *)), element, fixed)
    }
    return try broadcast(scalar(value, element), to: shape, at: [])
  }
}
