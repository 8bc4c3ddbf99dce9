import IR

/// Where a product finds its operands.
extension MatrixProduct {
  /// What the elements of rows are read from.
  enum Left {
    /// The left operand itself.
    case inPlace
    /// A copy of what the product multiplies: for each batch and row the steps of the depth, as sums' elements or words.
    case packed(ScheduledFusion.Argument)
  }

  /// What the elements of columns are read from.
  enum Right {
    /// The right operand itself.
    case inPlace
    /// For each batch and panel the steps of the depth, each of as many columns as a tile is wide.
    case packed(ScheduledFusion.Argument)
  }

  /// What the product's kernel has for operands that were packed.
  struct PackedMemory {
    var left: Memory?
    var right: Memory?
  }

  /// Whether elements that follow each other along these dimensions, the last one innermost, do so in memory.
  func isContiguous(_ value: ValueID, along dimensions: [Int]) -> Bool {
    let type = request.body.type(of: value)
    let along = IntegerExpression.variable(type.rank)
    let b = KernelBuilder(target: request.target)
    var index = (0..<type.rank).map { IntegerExpression.variable($0) }
    for (d, place) in zip(dimensions, b.unflattened(along, in: dimensions.map { type.dimensions[$0] })) {
      index[d] = place
    }
    guard let position = request.body.position(of: value, at: index) else { return false }
    return !(position - along).contains(variable: type.rank)
  }

  /// Bytes from a row's first element to that of the next row, as the product reads them, where rows are neighbours along one
  /// dimension and that is known.
  var rowPitch: Int? {
    let type = request.body.type(of: lhs)
    guard words == nil, type.elementType.byteCount >= sumType.byteCount else {
      return stepCount.fixed.map { $0 * sumType.byteCount }
    }
    guard let innermost = contraction.lhsFree(rank: type.rank).last else { return nil }
    var index = [IntegerExpression](repeating: .zero, count: type.rank)
    index[innermost] = 1
    let origin = [IntegerExpression](repeating: .zero, count: type.rank)
    guard let next = request.body.position(of: lhs, at: index), let first = request.body.position(of: lhs, at: origin)
    else { return nil }
    return (next - first).fixed.map { abs($0 * type.elementType.byteCount) }
  }

  /// The left operand's index of a step of a row's depth.
  func rowIndex(
    _ batch: [IntegerExpression], _ row: [IntegerExpression], _ depth: [IntegerExpression]
  ) -> [IntegerExpression] {
    let rank = request.body.type(of: lhs).rank
    var index = [IntegerExpression](repeating: .zero, count: rank)
    for (d, place) in zip(contraction.lhsBatching, batch) { index[d] = place }
    for (d, place) in zip(contraction.lhsFree(rank: rank), row) { index[d] = place }
    for (d, place) in zip(contraction.lhsContracting, depth) { index[d] = place }
    return index
  }

  /// The right operand's index of a step of a column's depth.
  func columnIndex(
    _ batch: [IntegerExpression], _ column: [IntegerExpression], _ depth: [IntegerExpression]
  ) -> [IntegerExpression] {
    let rank = request.body.type(of: rhs).rank
    var index = [IntegerExpression](repeating: .zero, count: rank)
    for (d, place) in zip(contraction.rhsBatching, batch) { index[d] = place }
    for (d, place) in zip(contraction.rhsFree(rank: rank), column) { index[d] = place }
    for (d, place) in zip(contraction.rhsContracting, depth) { index[d] = place }
    return index
  }

  /// The anchor's index of a batch, a row and a column.
  func resultIndex(
    _ batch: [IntegerExpression], _ row: [IntegerExpression], _ column: [IntegerExpression]
  ) -> [IntegerExpression] {
    isTurned ? batch + column + row : batch + row + column
  }

  /// The position of a step among all steps.
  func stepNumber(_ at: [IntegerExpression]) -> IntegerExpression {
    zip(at, TensorType(sumType, steps).strides).reduce(.zero) { $0 + $1.0 * $1.1 }
  }

  // MARK: Buffers

  /// Buffers for what the product and its epilogue read, and what is packed of it.
  func addInputs(_ left: Left, _ right: Right, _ b: inout KernelBuilder)
    -> (buffers: OperandBuffers, packed: PackedMemory)
  {
    var (own, packed): ([ValueID], PackedMemory) = ([], PackedMemory())
    if case .inPlace = left { own.append(lhs) }
    if case .inPlace = right { own.append(rhs) }
    let used = usedOperands(own)
    var buffers = OperandBuffers(of: request, &b) { used[request.body.parameters[$0].index] }
    if case .packed(let argument) = left {
      packed.left = buffers.read(argument, words == nil ? sumType : WordProduct.type, "rows", &b)
    }
    if case .packed(let argument) = right {
      let type = words == nil ? request.body.type(of: rhs).elementType : WordProduct.type
      packed.right = buffers.read(argument, type, "panels", &b)
    }
    return (buffers, packed)
  }

  /// What is computed from `operands`, or from the product's elements.
  private func usedOperands(_ operands: [ValueID]) -> [Bool] {
    var graph = request.body
    var used = [Bool](repeating: false, count: graph.nodes.count)
    graph.results = operands
    for (index, isLive) in graph.liveValues.enumerated() where isLive { used[index] = true }
    var pending = request.body.results
    while let value = pending.popLast() {
      guard value != anchor, !used[value.index] else { continue }
      used[value.index] = true
      pending += request.body[value].operands
    }
    return used
  }

  // MARK: The left operand

  /// How tiles read rows: packed where every panel would convert each scalar again, or where narrow numbers do not lie in words.
  func readLeft(panels: Extent, _ scheduled: inout ScheduledFusion) -> ([ScheduledFusion.Launch], Left) {
    let isWide = request.body.type(of: lhs).elementType.byteCount >= sumType.byteCount
    if words == nil ? isWide || panels == .one : liesInWords { return ([], .inPlace) }
    return packLeft(&scheduled)
  }

  private var liesInWords: Bool {
    guard let words, words.packedType == nil else { return false }
    let isWhole = depth.last?.fixed.map { $0 % words.length == 0 } ?? false
    return isWhole && isContiguous(lhs, along: contraction.lhsContracting)
  }

  func packLeft(_ scheduled: inout ScheduledFusion) -> ([ScheduledFusion.Launch], Left) {
    var graph = request.body
    graph.results = []
    let rank = graph.type(of: lhs).rank
    let order = contraction.lhsBatching + contraction.lhsFree(rank: rank) + contraction.lhsContracting
    var value = graph.moving(lhs, .transpose(Transpose(permutation: order)))
    value = graph.moving(value, .reshape(Reshape(resultDimensions: [batchCount, rowCount, depthCount])))
    if let words {
      if let type = words.packedType { value = graph.moving(value, .pointwise(.convert(type))) }
      value = graph.padded(value, high: [0, 0, stepCount * words.length - depthCount])
    } else {
      value = graph.moving(value, .pointwise(.convert(sumType)))
    }
    graph.results = [value]
    let argument = scheduled.addTemporary(graph.resultTypes[0])
    return (Schedule.packing(graph, request, into: argument, suffix: "rows"), .packed(argument))
  }

  // MARK: The right operand

  /// The right operand in panels: a constant that was packed now, or a kernel that packs it.
  func packRight(_ tiling: Tiling, _ scheduled: inout ScheduledFusion)
    -> ([ScheduledFusion.Launch], ScheduledFusion.Argument)
  {
    let body = request.body
    let type = body.type(of: rhs)
    let piece = words?.length ?? 1
    if case .parameter(let parameter) = body[rhs].op, let literal = request.constants[parameter.index],
      let packed = (words?.packedType.map(literal.converted) ?? literal).packedInPanels(
        batching: contraction.rhsBatching, depth: contraction.rhsContracting,
        columns: contraction.rhsFree(rank: type.rank), width: tiling.width, piece: piece)
    {
      return ([], scheduled.addConstant(packed))
    }
    var graph = body
    graph.results = []
    let order = contraction.rhsBatching + contraction.rhsContracting + contraction.rhsFree(rank: type.rank)
    var value = graph.moving(rhs, .transpose(Transpose(permutation: order)))
    value = graph.moving(value, .reshape(Reshape(resultDimensions: [batchCount, depthCount, columnCount])))
    if let type = words?.packedType { value = graph.moving(value, .pointwise(.convert(type))) }
    let missing = tiling.panelCount * tiling.width - columnCount
    value = graph.padded(value, high: [0, stepCount * piece - depthCount, missing])
    let split = [batchCount, stepCount, Extent(piece), tiling.panelCount, Extent(tiling.width)]
    value = graph.moving(value, .reshape(Reshape(resultDimensions: split)))
    graph.results = [graph.moving(value, .transpose(Transpose(permutation: [0, 3, 1, 4, 2])))]
    let argument = scheduled.addTemporary(graph.resultTypes[0])
    return (Schedule.packing(graph, request, into: argument, suffix: "pack"), argument)
  }
}

extension Graph {
  /// The value with zeros behind its elements.
  mutating func padded(_ value: ValueID, high: [Extent]) -> ValueID {
    let type = type(of: value).elementType
    let zero = moving(nil, .constant(.scalar(.zero(type), type)))
    let none = [Extent](repeating: .zero, count: high.count)
    return moving(value, .pad(Pad(low: none, high: high, interior: high.map { _ in 0 })), zero)
  }

  /// Where in the memory of a parameter the element of `value` at `index` lies; nil where more than moves lie between.
  fileprivate func position(of value: ValueID, at index: [IntegerExpression]) -> IntegerExpression? {
    let node = self[value]
    if node.op.isParameter { return ElementLowering.position(of: index, in: node.type) }
    guard node.hasSingleResult,
      case .movement(let movement) = node.op.definition.semantics(
        operands: node.operands.map { type(of: $0) }, results: node.resultTypes),
      movement.pieces.count == 1, movement.pieces[0].conditions.isEmpty
    else { return nil }
    let at = movement.pieces[0].index.map { expression in
      expression.substituting(bound: { _ in nil }) { atom in
        if case .variable(let d) = atom, index.indices.contains(d) { return index[d] }
        return nil
      }
    }
    return position(of: node.operands[movement.pieces[0].operand], at: at)
  }
}

extension Literal {
  /// The elements ordered as batches of panels, each `width` columns wide and as deep as all depth dimensions, in pieces of
  /// `piece` steps of a column; missing columns and steps are zero. Nil for splats, whose bytes are not there.
  func packedInPanels(batching: [Int], depth: [Int], columns: [Int], width: Int, piece: Int = 1) -> Literal? {
    guard !isSplat else { return nil }
    let size = elementType.byteCount
    let strides = type.strides.compactMap(\.fixed)
    func offsets(_ chosen: [Int]) -> [Int] {
      allIndices(chosen.map { dimensions[$0] }).map { index in
        zip(index, chosen).reduce(0) { $0 + $1.0 * strides[$1.1] }
      }
    }
    let (batchOffsets, depthOffsets, columnOffsets) = (offsets(batching), offsets(depth), offsets(columns))
    let panelCount = (columnOffsets.count + width - 1) / width
    let pieceCount = (depthOffsets.count + piece - 1) / piece
    let count = batchOffsets.count * panelCount * pieceCount * width * piece
    let packed = [UInt8](unsafeUninitializedCapacity: count * size) { buffer, initialized in
      guard let target = buffer.baseAddress else { return }
      bytes.withUnsafeBytes { source in
        guard let source = source.baseAddress else { return }
        var position = target
        for batch in batchOffsets {
          for panel in 0..<panelCount {
            for first in stride(from: 0, to: depthOffsets.count, by: piece) {
              for lane in 0..<width {
                let column = panel * width + lane
                for step in first..<first + piece {
                  if column < columnOffsets.count, step < depthOffsets.count {
                    let element = source + (batch + depthOffsets[step] + columnOffsets[column]) * size
                    UnsafeMutableRawPointer(position).copyMemory(from: element, byteCount: size)
                  } else {
                    position.update(repeating: 0, count: size)
                  }
                  position += size
                }
              }
            }
          }
        }
      }
      initialized = count * size
    }
    return Literal(elementType, [batchOffsets.count, panelCount, pieceCount, width * piece], bytes: packed)
  }
}
