import IR

/// What access patterns say the results are, element by element: the other side of every comparison with `evaluate`.
struct SemanticsInterpreter {
  struct Mistake: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  let operands: [Literal]
  let results: [TensorType]
  let symbols: [Symbol: Int]

  /// The results, or nil for patterns that leave them open.
  func run(_ semantics: Semantics) throws -> [Literal]? {
    switch semantics {
    case .leaf, .lines, .scatter, .sort, .control, .opaque: return nil
    case .position(let position):
      let type = results[0].elementType
      return [
        try each(results[0]) { index in
          Scalar.integer(Int64(try value(position, at: index))).converted(from: .i64, to: type)
        }
      ]
    case .pointwise(let function):
      let types = operands.map(\.elementType)
      return [
        try each(results[0]) { index in
          try function.evaluate(operands.map { $0[index] }, types, results[0].elementType)
        }
      ]
    case .movement(let movement): return [try each(results[0]) { index in try moved(movement, to: index) }]
    case .reduction(let reduction): return try reduced(reduction)
    case .contraction(let contraction): return [try each(results[0]) { index in try contracted(contraction, index) }]
    case .window(.fold(let window, let body)): return try folded(window, body)
    case .window(.convolution(let convolution)):
      return [try each(results[0]) { index in try convolved(convolution, index) }]
    }
  }

  private func each(_ type: TensorType, _ element: ([Int]) throws -> Scalar) throws -> Literal {
    guard let shape = type.fixedDimensions else { throw Mistake("\(type) has no fixed shape") }
    return Literal(type.elementType, shape, try allIndices(shape).map { try element($0) })
  }

  // MARK: Index arithmetic

  func value(_ expression: IntegerExpression, at index: [Int]) throws -> Int {
    guard let value = expression.evaluated({ atom in self.value(of: atom, at: index) }) else {
      throw Mistake("\(expression) has no value at \(index)")
    }
    return value
  }

  private func value(of atom: IntegerExpression.Atom, at index: [Int]) -> Int? {
    switch atom {
    case .symbol(let symbol): return symbols[symbol]
    case .variable(let k): return index.indices.contains(k) ? index[k] : nil
    case .element(let operand, let place):
      guard let inside = try? place.map({ try value($0, at: index) }) else { return nil }
      let literal = operands[operand]
      guard Self.isIndex(inside, of: literal) else { return nil }
      let element = literal[inside].integerValue
      return literal.elementType == .ui64 && element < 0 ? Int.max : Int(element)
    default: return nil
    }
  }

  private static func isIndex(_ index: [Int], of literal: Literal) -> Bool {
    index.count == literal.dimensions.count && zip(index, literal.dimensions).allSatisfy { $0 >= 0 && $0 < $1 }
  }

  private func moved(_ movement: Movement, to index: [Int]) throws -> Scalar {
    for piece in movement.pieces {
      let holds = try piece.conditions.allSatisfy { condition in
        let (tested, limit) = (try value(condition.value, at: index), try value(condition.limit, at: index))
        return tested >= 0 && tested < limit
      }
      guard holds else { continue }
      let source = try piece.index.map { try value($0, at: index) }
      guard Self.isIndex(source, of: operands[piece.operand]) else {
        throw Mistake("\(piece.index) at \(index) is \(source), outside \(operands[piece.operand].type)")
      }
      return operands[piece.operand][source]
    }
    throw Mistake("no piece covers \(index)")
  }

  // MARK: Folds

  private func reduced(_ reduction: Reduction) throws -> [Literal] {
    let shape = operands[0].dimensions
    let kept = shape.indices.filter { !reduction.dimensions.contains($0) }
    return try fold(reduction.body, from: results[0]) { index in
      allIndices(reduction.dimensions.map { shape[$0] }).map { inner in
        var source = [Int](repeating: 0, count: shape.count)
        for (d, i) in zip(kept, index) { source[d] = i }
        for (d, i) in zip(reduction.dimensions, inner) { source[d] = i }
        return source
      }
    }
  }

  private func folded(_ window: [WindowDimension], _ body: Graph) throws -> [Literal] {
    let extents = try window.map { try value($0.extent, at: []) }
    return try fold(body, from: results[0]) { index in
      allIndices(extents).compactMap { tap in
        var source: [Int] = []
        for (d, w) in window.enumerated() {
          let place = index[d] * w.stride + tap[d] * w.windowDilation - w.paddingLow
          guard place >= 0, place % w.baseDilation == 0, place / w.baseDilation < operands[0].dimensions[d] else {
            return nil
          }
          source.append(place / w.baseDilation)
        }
        return source
      }
    }
  }

  /// Each result is the fold of the inputs' elements at the indices that `sources` gives for its index.
  private func fold(_ body: Graph, from type: TensorType, _ sources: ([Int]) -> [[Int]]) throws -> [Literal] {
    let count = operands.count / 2
    let types = body.parameterTypes.map(\.elementType)
    let shape = type.fixedDimensions ?? []
    var columns = [[Scalar]](repeating: [], count: count)
    for index in allIndices(shape) {
      var accumulators = (0..<count).map { Literal.scalar(operands[count + $0][0], types[$0]) }
      for source in sources(index) {
        let elements = (0..<count).map { Literal.scalar(operands[$0][source], types[count + $0]) }
        accumulators = try body.evaluate(accumulators + elements)
      }
      for k in 0..<count { columns[k].append(accumulators[k][0]) }
    }
    return zip(columns, results).map { Literal($1.elementType, shape, $0) }
  }

  // MARK: Sums of products

  private func contracted(_ d: Contraction, _ index: [Int]) throws -> Scalar {
    let (x, y) = (operands[0], operands[1])
    let lhsFree = d.lhsFree(rank: x.dimensions.count)
    let rhsFree = d.rhsFree(rank: y.dimensions.count)
    var (i, j) = ([Int](repeating: 0, count: x.dimensions.count), [Int](repeating: 0, count: y.dimensions.count))
    for (place, (a, b)) in zip(d.lhsBatching, d.rhsBatching).enumerated() {
      (i[a], j[b]) = (index[place], index[place])
    }
    for (place, a) in lhsFree.enumerated() { i[a] = index[d.lhsBatching.count + place] }
    for (place, b) in rhsFree.enumerated() { j[b] = index[d.lhsBatching.count + lhsFree.count + place] }
    var products: [(Scalar, Scalar)] = []
    for inner in allIndices(d.lhsContracting.map { x.dimensions[$0] }) {
      for (k, (a, b)) in zip(d.lhsContracting, d.rhsContracting).enumerated() { (i[a], j[b]) = (inner[k], inner[k]) }
      products.append((x[i], y[j]))
    }
    return sum(products)
  }

  private func convolved(_ c: Convolution, _ index: [Int]) throws -> Scalar {
    let (x, kernel, d) = (operands[0], operands[1], c.dimensionNumbers)
    let (batch, feature) = (index[d.outputBatch], index[d.outputFeature])
    let features = kernel.dimensions[d.kernelOutputFeature]
    let group = feature / (features / c.featureGroupCount)
    let batches = x.dimensions[d.inputBatch] / c.batchGroupCount
    var products: [(Scalar, Scalar)] = []
    for tap in allIndices(d.kernelSpatial.map { kernel.dimensions[$0] }) {
      var (i, k) = ([Int](repeating: 0, count: x.dimensions.count), [Int](repeating: 0, count: x.dimensions.count))
      i[d.inputBatch] = feature / (features / c.batchGroupCount) * batches + batch
      k[d.kernelOutputFeature] = feature
      var isInside = true
      for (s, w) in c.window.enumerated() {
        let place = index[d.outputSpatial[s]] * w.stride + tap[s] * w.windowDilation - w.paddingLow
        isInside = isInside && place >= 0 && place % w.baseDilation == 0
        i[d.inputSpatial[s]] = place / w.baseDilation
        isInside = isInside && place / w.baseDilation < x.dimensions[d.inputSpatial[s]]
        k[d.kernelSpatial[s]] = w.isReversed ? kernel.dimensions[d.kernelSpatial[s]] - 1 - tap[s] : tap[s]
      }
      guard isInside else { continue }
      let channels = kernel.dimensions[d.kernelInputFeature]
      for channel in 0..<channels {
        i[d.inputFeature] = group * channels + channel
        k[d.kernelInputFeature] = channel
        products.append((x[i], kernel[k]))
      }
    }
    return sum(products)
  }

  private func sum(_ products: [(Scalar, Scalar)]) -> Scalar {
    let type = results[0].elementType
    if type.isFloat {
      return Scalar(products.reduce(0.0) { $0 + $1.0.realValue * $1.1.realValue }, type)
    }
    return .integer(type.wrapped(products.reduce(Int64(0)) { $0 &+ $1.0.integerValue &* $1.1.integerValue }))
  }
}
