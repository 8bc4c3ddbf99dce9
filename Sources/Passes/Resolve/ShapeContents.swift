import IR

/// Integer tensors as lists of expressions: what shape arithmetic computes, as far as it is known.
struct ShapeContents {
  let facts: SymbolFacts

  /// Tensors with more elements are not followed: they are data, not shapes.
  static let elementLimit = 64

  /// Whether a value of this type may hold a shape.
  static func isShape(_ type: TensorType) -> Bool {
    guard type.elementType.isInteger || type.elementType.isBoolean, let count = type.elementCount.fixed else {
      return false
    }
    return count <= elementLimit
  }

  /// The elements of an op's result in row-major order; nil where they are not known.
  func contents(of op: Op, _ operands: [[Extent]?], _ types: [TensorType], result: TensorType) -> [Extent]? {
    guard Self.isShape(result), let shape = result.fixedDimensions else { return nil }
    let elements: [Extent]?
    switch op {
    case .constant(let constant): elements = constant.value.scalars.map { Extent(Int($0.integerValue)) }
    case .extentValue(let value): elements = [value.extent]
    case .getDimensionSize(let measured): elements = [types[0].dimensions[measured.dimension]]
    case .iota(let iota): elements = allIndices(shape).map { Extent($0[iota.dimension]) }
    case .pointwise(let pointwise): elements = pointwiseContents(pointwise.function, operands, types, result)
    case .reduce(let reduce): elements = reduceContents(reduce, operands, types, shape)
    case .reshape, .broadcastInDim, .transpose, .concatenate, .slice, .reverse:
      elements = moved(op, operands, types, dataCount: operands.count)
    case .dynamicSlice, .gather: elements = moved(op, operands, types, dataCount: 1)
    case .dynamicUpdateSlice, .pad: elements = moved(op, operands, types, dataCount: op.isPad ? operands.count : 2)
    default: elements = nil
    }
    return elements.flatMap { stored($0, result.elementType) }
  }

  /// The elements as the type holds them; nil where wrapping cannot be excluded.
  private func stored(_ elements: [Extent], _ type: ElementType) -> [Extent]? {
    var wrapped: [Extent] = []
    for element in elements {
      if let fixed = element.fixed {
        wrapped.append(Extent(Int(type.wrapped(Int64(fixed)))))
        continue
      }
      guard type.bitWidth >= 32, type.kind == .signed || facts.isNonNegative(element) else { return nil }
      wrapped.append(element)
    }
    return wrapped
  }

  /// The contents of a movement: the op moves the numbers of the elements, and the numbers select.
  private func moved(_ op: Op, _ operands: [[Extent]?], _ types: [TensorType], dataCount: Int) -> [Extent]? {
    var all: [Extent] = []
    var literals: [Literal] = []
    for (position, elements) in operands.enumerated() {
      guard let elements, let shape = types[position].fixedDimensions else { return nil }
      if position < dataCount {
        let numbers = elements.indices.map { Scalar.integer(Int64(all.count + $0)) }
        all.append(contentsOf: elements)
        literals.append(Literal(.i64, shape, numbers))
      } else {
        let indices = elements.compactMap(\.fixed)
        guard indices.count == elements.count else { return nil }
        literals.append(Literal(types[position].elementType, shape, indices.map { Scalar.integer(Int64($0)) }))
      }
    }
    guard let results = try? op.inferTypes(literals.map(\.type)),
      let numbers = try? op.definition.evaluate(literals, results: results, in: EvaluationContext())
    else { return nil }
    return numbers[0].scalars.map { all[Int($0.integerValue)] }
  }

  /// A fold of one input, in the order of `evaluate`.
  private func reduceContents(_ op: Reduce, _ operands: [[Extent]?], _ types: [TensorType], _ shape: [Int]) -> [Extent]?
  {
    guard operands.count == 2, let input = operands[0], let initial = operands[1]?.first,
      let extents = types[0].fixedDimensions
    else { return nil }
    var sums = [Extent](repeating: initial, count: shape.reduce(1, *))
    for (position, index) in allIndices(extents).enumerated() {
      var place = 0
      for d in extents.indices where !op.dimensions.contains(d) { place = place * extents[d] + index[d] }
      guard let sum = results(of: op.body, [[sums[place]], [input[position]]])?.first?.first else { return nil }
      sums[place] = sum
    }
    return sums
  }

  /// The contents of a graph's results for contents of its parameters.
  private func results(of graph: Graph, _ arguments: [[Extent]?]) -> [[Extent]]? {
    var values: [[Extent]?] = []
    for node in graph.nodes {
      if case .parameter(let parameter) = node.op {
        values.append(arguments[parameter.index])
        continue
      }
      guard node.hasSingleResult else { return nil }
      let types = node.operands.map { graph.type(of: $0) }
      values.append(contents(of: node.op, node.operands.map { values[$0.index] }, types, result: node.type))
    }
    var known: [[Extent]] = []
    for result in graph.results {
      guard let value = values[result.index] else { return nil }
      known.append(value)
    }
    return known
  }
}

// MARK: - Arithmetic

extension ShapeContents {
  private func pointwiseContents(
    _ function: ScalarFunction, _ operands: [[Extent]?], _ types: [TensorType], _ result: TensorType
  ) -> [Extent]? {
    let count = result.elementCount.fixed ?? 0
    var elements: [Extent] = []
    for position in 0..<count {
      let arguments = operands.map { $0?[position] }
      // Long expressions are of data, and grow with each product.
      guard let element = value(of: function, arguments, types[0].elementType),
        !element.hasMoreAtoms(than: IntegerExpression.atomLimit)
      else { return nil }
      elements.append(element)
    }
    return elements
  }

  /// The function's value for integers; an argument that is not known is nil.
  private func value(of function: ScalarFunction, _ x: [Extent?], _ type: ElementType) -> Extent? {
    if case .select = function {
      if let chosen = x[0]?.fixed { return x[chosen != 0 ? 1 : 2] }
      return x[1] != nil && x[1] == x[2] ? x[1] : nil
    }
    if function == .and || function == .multiply, x.contains(.zero) { return .zero }
    guard let a = x[0] else { return nil }
    guard x.count > 1 else { return unary(function, a, type) }
    guard let b = x[1] else { return nil }
    if let fixed = fixedValue(of: function, x, type) { return fixed }
    switch function {
    case .add: return a + b
    case .subtract: return a - b
    case .multiply: return a * b
    case .divide: return facts.isNonNegative(a) && facts.isPositive(b) ? a.floorDivided(by: b) : nil
    case .remainder: return facts.isNonNegative(a) && facts.isPositive(b) ? a.modulo(b) : nil
    case .minimum: return facts.minimum(a, b)
    case .maximum: return facts.maximum(a, b)
    case .clamp: return x[2].map { facts.minimum(facts.maximum(b, a), $0) }
    case .compare(let direction, _): return facts.decide(direction, a, b).map { $0 ? 1 : 0 }
    default: return nil
    }
  }

  private func unary(_ function: ScalarFunction, _ a: Extent, _ type: ElementType) -> Extent? {
    switch function {
    case .convert(let target): return target.isInteger || (target.isBoolean && a.isFixed) ? a : nil
    case .abs where facts.isNonNegative(a): return a
    case .sign where facts.isPositive(a): return .one
    case .negate: return -a
    default: return fixedValue(of: function, [a], type)
    }
  }

  /// What `evaluate` gives where every argument is a number.
  private func fixedValue(of function: ScalarFunction, _ x: [Extent?], _ type: ElementType) -> Extent? {
    let numbers = x.compactMap { $0?.fixed }
    guard numbers.count == x.count else { return nil }
    let types = x.map { _ in type }
    guard let result = try? function.resultType(types), result.isInteger || result.isBoolean,
      let value = try? function.evaluate(numbers.map { .integer(Int64($0)) }, types, result)
    else { return nil }
    return Extent(Int(value.integerValue))
  }
}

extension Op {
  fileprivate var isPad: Bool {
    if case .pad = self { return true }
    return false
  }
}
