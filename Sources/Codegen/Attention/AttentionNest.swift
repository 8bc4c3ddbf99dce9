import IR

/// One attention as batches of rows of queries, keys and values.
struct AttentionNest {
  let request: SchedulingRequest
  let attention: Attention
  let epilogue: Epilogue
  let scores: Contraction
  let product: Contraction
  let queries: ValueID
  let keys: ValueID
  let values: ValueID
  let batch: [Extent]
  let rows: [Extent]
  let depth: [Extent]
  let columns: [Extent]
  let keyCount: Extent
  let depthCount: Int
  let columnCount: Int
  let sumType: ElementType
  var tiling: AttentionTiling
  /// The products in tiles, where they are.
  var tiles: AttentionTiles?
  /// What the scores are multiplied by before all else, and the value that is.
  let scale: (factor: Double, value: ValueID)?
  /// How words are multiplied where the operands may be narrower than the sums.
  let narrow: WordProduct?
  /// Where the values' elements lie, by their dimensions; nil where they are packed first.
  let valuePosition: (parameter: Int, position: IntegerExpression)?

  init?(_ request: SchedulingRequest) {
    let body = request.body
    guard let attention = body.attentions().found.first, case .dotGeneral(let first) = body[attention.scores].op,
      case .dotGeneral(let second) = body[attention.product].op,
      let epilogue = Epilogue(of: attention.product, in: body)
    else { return nil }
    self.request = request
    self.attention = attention
    self.epilogue = epilogue
    (scores, product) = (first.dimensions, second.dimensions)
    keys = body[attention.scores].operands[attention.keyOperand]
    queries = body[attention.scores].operands[1 - attention.keyOperand]
    values = body[attention.product].operands[1 - attention.weightOperand]
    let (q, v) = (body.type(of: queries), body.type(of: values))
    let (querySide, valueSide) = (
      Side(scores, rank: q.rank, isLeft: attention.keyOperand == 1),
      Side(product, rank: v.rank, isLeft: attention.weightOperand == 1)
    )
    batch = querySide.batching.map { q.dimensions[$0] }
    rows = querySide.free.map { q.dimensions[$0] }
    depth = querySide.contracting.map { q.dimensions[$0] }
    columns = valueSide.free.map { v.dimensions[$0] }
    keyCount = v.dimensions[valueSide.contracting[0]]
    guard let depthCount = depth.reduce(.one, { $0 * $1 }).fixed,
      let columnCount = columns.reduce(.one, { $0 * $1 }).fixed
    else { return nil }
    (self.depthCount, self.columnCount) = (depthCount, columnCount)
    let isDouble =
      ElementLowering.sumType(first.resultType) == .f64 || ElementLowering.sumType(second.resultType) == .f64
    sumType = isDouble ? .f64 : .f32
    tiling = AttentionTiling(
      rows: rows.reduce(.one) { $0 * $1 }.fixed, keys: keyCount.fixed, columns: columnCount, sumType, request.target)
    scale = body.scale(of: attention.scores, sumType)
    let types = [q, body.type(of: keys), v].map(\.elementType)
    let multipliesWords =
      request.precision == .bf16 && request.target.hasBFloatProducts && sumType == .f32
      && types.allSatisfy { $0 == .f32 || $0 == .bf16 } && depthCount % 2 == 0
    narrow = multipliesWords ? .bfloats : nil
    let readsValues = narrow == nil && v.elementType == sumType
    valuePosition = readsValues ? body.position(of: values, contiguousAlong: valueSide.free) : nil
  }

  /// The dimensions of one operand of a product.
  struct Side {
    let batching: [Int]
    let free: [Int]
    let contracting: [Int]

    init(_ contraction: Contraction, rank: Int, isLeft: Bool) {
      batching = isLeft ? contraction.lhsBatching : contraction.rhsBatching
      contracting = isLeft ? contraction.lhsContracting : contraction.rhsContracting
      free = isLeft ? contraction.lhsFree(rank: rank) : contraction.rhsFree(rank: rank)
    }
  }

  var body: Graph { request.body }
  var lanes: Int { tiling.lanes }
  /// The distance of rows of sums, and where the sums of exponentials lie that stand beside them.
  var sumStride: Int { tiles == nil ? totalColumn : totalColumn + lanes }
  var totalColumn: Int { tiling.columnVectors * lanes }
  /// How words are multiplied, where the products are not in tiles.
  var words: WordProduct? { tiles == nil ? narrow : nil }
  /// Steps of the depth, or keys, that one product multiplies.
  var stepLength: Int { words?.length ?? 1 }
  /// What the operands of products are.
  var factorType: ElementType { words == nil ? sumType : .bf16 }
  /// What the buffers of packed operands are made of.
  var packedType: ElementType { words == nil ? sumType : WordProduct.type }
  /// Rows of packed values: one for each step through the keys.
  var valueRowCount: Extent { (keyCount + (stepLength - 1)).floorDivided(by: Extent(stepLength)) }
  var batchCount: Extent { batch.reduce(.one) { $0 * $1 } }
  var rowCount: Extent { rows.reduce(.one) { $0 * $1 } }
  var tileCount: Extent { (rowCount + (tiling.rows - 1)).floorDivided(by: Extent(tiling.rows)) }
  var panelCount: Extent { (keyCount + (tiling.width - 1)).floorDivided(by: Extent(tiling.width)) }
  var blockCount: Extent { (keyCount + (tiling.block - 1)).floorDivided(by: Extent(tiling.block)) }
  var keySide: Side {
    Side(scores, rank: body.type(of: keys).rank, isLeft: attention.keyOperand == 0)
  }
  var querySide: Side {
    Side(scores, rank: body.type(of: queries).rank, isLeft: attention.keyOperand == 1)
  }
  var valueSide: Side {
    Side(product, rank: body.type(of: values).rank, isLeft: attention.weightOperand == 1)
  }
  var weightSide: Side {
    let weights = body[attention.product].operands[attention.weightOperand]
    return Side(product, rank: body.type(of: weights).rank, isLeft: attention.weightOperand == 0)
  }

  // MARK: Rows

  /// What the sums of values are multiplied by: one over the sum of exponentials.
  func factor(of total: Register, _ b: inout KernelBuilder) -> Register {
    let one = b.constant(1, sumType)
    let factor = b.apply(.divide, [one, total])
    guard keyCount.fixed.map({ $0 == 0 }) ?? true else { return factor }
    // Without keys the sums are empty, not 0 / 0.
    let isEmpty = b.apply(
      .compare(.equal, .signed), [b.materialize(keyCount, lanes: 1), b.constant(.integer(0), .i64)])
    return b.apply(.select, [isEmpty, one, factor])
  }

  /// Whether the row's weights are zero whatever the softmax says, as a scalar.
  func isZeroed(
    _ total: Register, _ batch: [IntegerExpression], _ row: [IntegerExpression], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) -> Register? {
    switch attention.zeroing {
    case nil: return nil
    case .undefinedRows:
      return b.apply(.not, [b.apply(.compare(.greater, .float), [total, b.constant(.zero(sumType), sumType)])])
    case .rows(let condition, let index, let whereTrue):
      let at = substituted(index, batch, row, .zero, b)
      let isTrue = lowering.element(of: condition, at: at, in: &b)
      return whereTrue ? isTrue : b.apply(.not, [isTrue])
    }
  }

  // MARK: Indices

  /// The index of a row's result in a column of values.
  func resultIndex(
    _ batch: [IntegerExpression], _ row: [IntegerExpression], _ column: IntegerExpression, _ b: KernelBuilder
  ) -> [IntegerExpression] {
    let weightIndex = substituted(attention.weightIndex, batch, row, .zero, b)
    let (batch, free) = (weightSide.batching.map { weightIndex[$0] }, weightSide.free.map { weightIndex[$0] })
    let columnIndex = b.unflattened(column, in: columns)
    return attention.weightOperand == 0 ? batch + free + columnIndex : batch + columnIndex + free
  }

  /// The values that are read outside of the products: the operands of both, and what the logits and results come from.
  var operands: [ValueID] {
    var used: Set<ValueID> = []
    var pending = body.results + [attention.logits, queries, keys, values]
    if case .rows(let condition, _, _) = attention.zeroing { pending.append(condition) }
    var parameters: [ValueID] = []
    while let value = pending.popLast() {
      guard value != attention.product, value != attention.scores, used.insert(value).inserted else { continue }
      if body[value].op.isParameter { parameters.append(value) }
      pending += body[value].operands
    }
    return parameters
  }

  /// The index of a row that may lie beyond the last, where tiles have so many rows.
  func boundedRow(_ row: IntegerExpression, tile: Int, _ b: inout KernelBuilder) -> [IntegerExpression] {
    let isWhole = rowCount.fixed.map { $0 % tile == 0 } ?? false
    let position = isWhole ? row : .minimum(row, rowCount - 1)
    return b.positions(of: b.position(position, in: rowCount), in: rows)
  }

  /// Expressions over the scores' dimensions at a batch, a row and a key.
  func substituted(
    _ expressions: [IntegerExpression], _ batch: [IntegerExpression], _ row: [IntegerExpression],
    _ key: IntegerExpression, _ b: KernelBuilder
  ) -> [IntegerExpression] {
    let index = attention.keyOperand == 1 ? batch + row + [key] : batch + [key] + row
    return expressions.map { $0.at(index) { b.bound(of: $0) } }
  }
}

extension AttentionNest.Side {
  /// The operand's index where its batching, free and contracting dimensions have these.
  func index(
    rank: Int, batch: [IntegerExpression], free: [IntegerExpression], contracting: [IntegerExpression]
  ) -> [IntegerExpression] {
    var index = [IntegerExpression](repeating: .zero, count: rank)
    for (dimension, value) in zip(batching, batch) { index[dimension] = value }
    for (dimension, value) in zip(self.free, free) { index[dimension] = value }
    for (dimension, value) in zip(self.contracting, contracting) { index[dimension] = value }
    return index
  }
}

extension IntegerExpression {
  /// The value at an index: `index[d]` for `.variable(d)`; `bound` says of the new atoms what quotients may use.
  func at(_ index: [IntegerExpression], _ bound: Bound) -> IntegerExpression {
    substituting(bound: bound) { atom in
      if case .variable(let d) = atom, index.indices.contains(d) { return index[d] }
      return nil
    }
  }

  fileprivate var readsElements: Bool {
    var found = false
    visitAtoms { if case .element = $0 { found = true } }
    return found
  }
}

extension KernelBuilder {
  /// The larger of two numbers in each lane; `b` where `a` is none.
  mutating func larger(_ a: Register, _ b: Register) -> Register {
    apply(.select, [apply(.compare(.greater, .float), [a, b]), a, b])
  }

  /// The largest lane, of numbers none of which is NaN.
  mutating func largest(_ register: Register) -> Register {
    var rest = register
    while lanes(of: rest) > 1 {
      let (count, kept) = (lanes(of: rest), (lanes(of: rest) + 1) / 2)
      let half = RegisterType(type(of: rest).element, lanes: kept)
      let low = define(half, .shuffle(rest, rest, Array(0..<kept)))
      let high = define(half, .shuffle(rest, rest, Array(count - kept..<count)))
      rest = larger(low, high)
    }
    return rest
  }
}

extension Graph {
  /// What `value`, an element of `type`, is multiplied by in the only node that reads it, and that node.
  fileprivate func scale(of value: ValueID, _ type: ElementType) -> (factor: Double, value: ValueID)? {
    let users = values.filter { self[$0].operands.contains(value) }
    guard users.count == 1, self.type(of: value).elementType == type, case .pointwise(let pointwise) = self[users[0]].op
    else { return nil }
    let operands = self[users[0]].operands
    let factor: Double
    switch pointwise.function {
    case .multiply where operands[0] == value: factor = splat(operands[1]) ?? 0
    case .multiply: factor = splat(operands[0]) ?? 0
    case .divide where operands[0] == value: factor = 1 / (splat(operands[1]) ?? .infinity)
    default: return nil
    }
    // Neither queries nor scores come near the ends of the range for such a factor.
    guard factor.magnitude > 0x1p-20, factor.magnitude < 0x1p20 else { return nil }
    return (factor, users[0])
  }

  private func splat(_ value: ValueID) -> Double? {
    switch self[value].op {
    case .constant(let constant): constant.value.splatValue?.realValue
    case .broadcastInDim: splat(self[value].operands[0])
    default: nil
    }
  }

  /// The parameter whose elements `value` moves, and where the element lies whose index is `.variable(0), .variable(1), …`,
  /// if elements along the one long dimension of `free` follow each other.
  fileprivate func position(of value: ValueID, contiguousAlong free: [Int])
    -> (parameter: Int, position: IntegerExpression)?
  {
    let dimensions = type(of: value).dimensions
    let long = free.filter { dimensions[$0] != .one }
    guard long.count <= 1 else { return nil }
    var index = dimensions.indices.map { IntegerExpression.variable($0) }
    var current = value
    while true {
      let node = self[current]
      if case .parameter(let parameter) = node.op {
        let position = ElementLowering.position(of: index, in: node.type)
        guard let column = long.first else { return (parameter.index, position) }
        return (position - .variable(column)).contains(variable: column) ? nil : (parameter.index, position)
      }
      let types = node.operands.map { type(of: $0) }
      guard case .movement(let movement) = node.op.definition.semantics(operands: types, results: node.resultTypes),
        movement.pieces.count == 1, !movement.pieces[0].index.contains(where: \.readsElements)
      else { return nil }
      let source = index
      let bound: IntegerExpression.Bound = { atom in
        if case .variable(let d) = atom, dimensions.indices.contains(d) { return dimensions[d] }
        return nil
      }
      index = movement.pieces[0].index.map { $0.at(source, bound) }
      current = node.operands[movement.pieces[0].operand]
    }
  }
}
