import IR

extension Rule {
  /// `f(constants) -> constant`
  ///
  /// Exact by construction: the value is what `evaluate` gives, or the same bytes moved. Repeating a constant along new
  /// dimensions is left to the kernels, which do it for nothing.
  static let foldConstants = Rule("fold-constants") { op, operands, b throws(OpError) in
    guard let fold = Folding(op, operands, b), let value = try fold.value(&b.context) else { return nil }
    return try b.constant(value)
  }
}

extension PassContext {
  /// How many elements one node may take to fold.
  static let foldingLimit = 2_000_000
  /// The bytes a folded constant may have where its operands are smaller.
  static let foldedByteLimit = 1_000_000
  /// For each byte of the function's constants, the bytes that results may have which repeat a constant beside another.
  static let repeatedBytesPerByte = 8
  /// The bytes a converted weight may have: it would be converted in every run otherwise.
  static let convertedByteLimit = 64_000_000
}

/// An op all of whose operands are known.
private struct Folding {
  let op: Op
  let operands: [Literal]
  let result: TensorType
  let dimensions: [Int]
  /// Which result, of several.
  let position: Int

  init?(_ op: Op, _ operands: [ValueID], _ b: Rebuilder) {
    var (op, operands, position) = (op, operands, 0)
    let takesOne = if case .getTupleElement = op { true } else { false }
    if case .getTupleElement(let element) = op {
      let node = b.target[operands[0]]
      if node.op.isControlFlow || node.hasSingleResult { return nil }
      (op, operands, position) = (node.op, node.operands, element.index)
    }
    switch op {
    case .parameter, .constant, .getTupleElement, .iota, .while, .if, .case, .call, .composite, .optimizationBarrier,
      .customCall, .fusion:
      return nil
    case .broadcastInDim: if operands.contains(where: { b.splat($0) == nil }) { return nil }
    default: break
    }
    guard !operands.isEmpty else { return nil }
    var literals: [Literal] = []
    let isBeside = Self.repeatsBesideConstant(op, operands, b)
    for operand in operands {
      guard let literal = b.knownLiteral(operand) ?? (isBeside ? b.repeatedLiteral(operand) : nil) else { return nil }
      literals.append(literal)
    }
    guard let types = try? op.inferTypes(literals.map(\.type)), types.indices.contains(position),
      let dimensions = types[position].fixedDimensions, types.count == 1 || takesOne
    else { return nil }
    (self.op, self.operands, self.position, self.dimensions) = (op, literals, position, dimensions)
    result = types[position]
    isMultiple = types.count > 1
    repeatedByteCount = isBeside ? literals.reduce(0) { max($0, $1.bytes.count) } : 0
  }

  private let isMultiple: Bool
  /// The bytes of a result that repeats a constant beside another one.
  private let repeatedByteCount: Int

  /// Whether constants are repeated beside one of full size. The result takes its place, unless others read it too: how many
  /// bytes such results have in all is bounded.
  private static func repeatsBesideConstant(_ op: Op, _ operands: [ValueID], _ b: Rebuilder) -> Bool {
    guard case .pointwise = op else { return false }
    return operands.contains { operand in
      guard case .constant(let constant) = b.op(operand) else { return false }
      return !constant.value.isSplat && constant.value.bytes.count <= b.context.repeatBudget ?? 0
    }
  }

  func value(_ context: inout PassContext) throws(OpError) -> Literal? {
    context.repeatBudget? -= repeatedByteCount
    if let splat = try splatResult() { return splat }
    guard staysSmall else { return nil }
    if let moved { return moved }
    if let sums = LongSums(op, operands, result) {
      guard sums.steps <= context.productBudget, sums.growth <= context.foldingBudget else { return nil }
      context.productBudget -= sums.steps
      context.foldingBudget -= sums.growth
      return sums.value.compacted
    }
    if case .pointwise(let pointwise) = op {
      if case .convert(let type) = pointwise.function { return operands[0].converted(to: type) }
      if let fast = arithmetic(pointwise.function) { return fast }
    }
    let steps = self.steps
    guard steps <= Double(min(PassContext.foldingLimit, context.foldingBudget)) else { return nil }
    context.foldingBudget -= Int(steps)
    guard let types = try? op.inferTypes(operands.map(\.type)) else { return nil }
    // What cannot be evaluated here is left to fail, or not, where it runs.
    guard let values = try? op.definition.evaluate(operands, results: types, in: EvaluationContext()) else {
      return nil
    }
    return values[position].compacted
  }

  private var staysSmall: Bool {
    let bytes = dimensions.reduce(result.elementType.byteCount, *)
    if bytes <= PassContext.foldedByteLimit || bytes <= operands.reduce(0, { $0 + $1.bytes.count }) { return true }
    if case .pointwise(let pointwise) = op, case .convert = pointwise.function {
      return bytes <= PassContext.convertedByteLimit
    }
    return false
  }

  /// The result where all elements of all operands are equal, and so all of the result's.
  private func splatResult() throws(OpError) -> Literal? {
    let values = operands.compactMap(\.splatValue)
    guard values.count == operands.count, !isMultiple else { return nil }
    switch op {
    case .pointwise(let pointwise):
      let type = result.elementType
      guard let value = try? pointwise.function.evaluate(values, operands.map(\.elementType), type) else { return nil }
      return Literal(type, dimensions, splat: value)
    case .broadcastInDim, .transpose, .reshape, .slice, .reverse, .dynamicSlice, .gather:
      return Literal(result.elementType, dimensions, splat: values[0])
    case .concatenate, .pad, .dynamicUpdateSlice:
      let count = if case .dynamicUpdateSlice = op { 2 } else { values.count }
      let first = operands[0].bytes.prefix(result.elementType.byteCount)
      guard operands.prefix(count).allSatisfy({ $0.bytes.prefix(result.elementType.byteCount) == first }) else {
        return nil
      }
      return Literal(result.elementType, dimensions, splat: values[0])
    default: return nil
    }
  }

  /// The result of a concatenation, or of a data movement that strides can express.
  private var moved: Literal? {
    let x = operands[0]
    if case .reshape = op { return x.reshaped(dimensions) }
    if case .concatenate(let concatenate) = op {
      return Literal.concatenated(operands, along: concatenate.dimension).compacted
    }
    guard case .movement(let movement) = op.definition.semantics(operands: operands.map(\.type), results: [result]),
      movement.pieces.count == 1, movement.isStrided, movement.pieces[0].operand == 0
    else { return nil }
    var position = IntegerExpression.zero
    for (index, extent) in zip(movement.pieces[0].index, x.dimensions) {
      position = position * extent + index
    }
    var strides = [Int](repeating: 0, count: dimensions.count)
    for term in position.terms {
      guard term.factors.count == 1, case .variable(let dimension) = term.factors[0] else { return nil }
      strides[dimension] = term.coefficient
    }
    return x.strided(dimensions, offset: position.constant, strides: strides)
  }

  /// f32 arithmetic without a detour; `evaluate` rounds f64 sums, products and quotients once, which gives the same.
  private func arithmetic(_ function: ScalarFunction) -> Literal? {
    guard operands.count == 2, operands.allSatisfy({ $0.elementType == .f32 }) else { return nil }
    switch function {
    case .add: return Literal.mapped(operands[0], operands[1], dimensions, +)
    case .subtract: return Literal.mapped(operands[0], operands[1], dimensions, -)
    case .multiply: return Literal.mapped(operands[0], operands[1], dimensions, *)
    case .divide: return Literal.mapped(operands[0], operands[1], dimensions, /)
    default: return nil
    }
  }

  /// Roughly how many scalar operations `evaluate` makes.
  private var steps: Double {
    let results = Double(dimensions.reduce(1, *))
    let inputs = operands.reduce(0.0) { $0 + Double($1.elementCount) }
    switch op {
    case .pointwise, .broadcastInDim, .transpose, .reshape, .slice, .reverse, .concatenate, .pad, .gather,
      .dynamicSlice,
      .dynamicUpdateSlice, .bitcastConvert:
      return results
    case .reduce(let reduce): return inputs * Double(4 * reduce.body.nodes.count)
    case .dotGeneral(let dot):
      return results * Double(dot.dimensions.lhsContracting.reduce(1) { $0 * operands[0].dimensions[$1] })
    case .convolution: return results * Double(operands[1].elementCount)
    default: return (inputs + results) * 64
    }
  }
}

extension Literal {
  /// The literal as a splat, if it is small and its elements have the same bytes.
  fileprivate var compacted: Literal {
    let size = elementType.byteCount
    guard !isSplat, elementCount > 1, elementCount <= 4096 else { return self }
    let first = bytes.prefix(size)
    for position in 1..<elementCount where bytes[position * size..<(position + 1) * size] != first { return self }
    return Literal(elementType, dimensions, splat: self[0])
  }
}

extension Rebuilder {
  /// The elements of a constant that is repeated, of any size.
  func repeatedLiteral(_ value: ValueID) -> Literal? {
    guard case .broadcastInDim(let broadcast) = op(value), let literal = literal(target[value].operands[0]),
      let dimensions = type(of: value).fixedDimensions
    else { return nil }
    var strides = [Int](repeating: 0, count: dimensions.count)
    var stride = 1
    for (source, place) in broadcast.dimensions.enumerated().reversed() {
      if literal.dimensions[source] > 1 { strides[place] = stride }
      stride *= literal.dimensions[source]
    }
    return literal.strided(dimensions, offset: 0, strides: strides)
  }

  /// The literal of a constant, or of a small value that is repeated or counted: what a kernel makes for nothing, but
  /// what is known all the same.
  func knownLiteral(_ value: ValueID) -> Literal? {
    let node = target[value]
    switch node.op {
    case .constant(let constant): return constant.value
    case .broadcastInDim, .iota:
      guard let count = node.resultTypes[0].elementCount.fixed, count <= 1024 else { return nil }
      let operands = node.operands.compactMap { literal($0) }
      guard operands.count == node.operands.count else { return nil }
      return try? node.op.definition.evaluate(operands, results: node.resultTypes, in: EvaluationContext())[0]
    default: return nil
    }
  }
}
