import IR

/// A fold of values and their positions that keeps the first greatest (or least) value, NaN before all numbers, and
/// where it is: `argmax`, whatever wrote it.
struct ArgumentFold {
  /// How a better value compares with a worse one.
  let direction: ComparisonDirection

  /// Nil where the body does anything else.
  ///
  /// What a body of comparisons of its parameters, logic and choices does depends only on how they compare, so that it
  /// is known once it has been tried on values that compare in each way. Positions only grow.
  init?(_ body: Graph) {
    guard body.parameters.count == 4, body.results.count == 2,
      let value = body.parameterTypes.first?.elementType, value.isFloat || value.isInteger,
      body.parameterTypes[1].elementType.isInteger, body.comparesParametersOnly,
      let direction = [ComparisonDirection.greater, .less].first(where: { Self.keeps($0, body, value) })
    else { return nil }
    self.direction = direction
  }

  private static func keeps(_ direction: ComparisonDirection, _ body: Graph, _ type: ElementType) -> Bool {
    let samples: [Double] = type.isFloat ? [-1, -0.0, 0, 1, .nan, -.nan] : type.kind == .signed ? [-1, 0, 1] : [0, 1]
    for a in samples {
      for b in samples {
        guard
          let kept = body.choice([Scalar(a, type), .integer(0), Scalar(b, type), .integer(1)])
        else { return false }
        let isFirst = a.isNaN || !(b.isNaN || (direction == .greater ? b > a : b < a))
        let (value, wanted) = (kept[0].realValue, isFirst ? a : b)
        guard kept[1].integerValue == (isFirst ? 0 : 1), value == wanted || (value.isNaN && wanted.isNaN) else {
          return false
        }
      }
    }
    return true
  }
}

extension Graph {
  /// Whether the graph has nothing but comparisons of its values with each other or of its positions with each other
  /// (parameters 0 and 2, 1 and 3), logic, and choices.
  fileprivate var comparesParametersOnly: Bool {
    let live = liveValues
    return nodes.enumerated().allSatisfy { position, node in
      guard live[position], !node.op.isParameter else { return true }
      guard case .pointwise(let pointwise) = node.op else { return false }
      switch pointwise.function {
      case .and, .or, .xor, .not: return node.resultTypes == [.scalar(.i1)]
      case .select: return true
      case .compare:
        let compared = node.operands.map { operand -> Int? in
          guard case .parameter(let parameter) = self[operand].op else { return nil }
          return parameter.index % 2
        }
        return compared[0] != nil && compared[0] == compared[1]
      default: return false
      }
    }
  }

  /// The results of a graph of pointwise functions of scalars.
  fileprivate func choice(_ arguments: [Scalar]) -> [Scalar]? {
    var values: [Scalar?] = []
    for node in nodes {
      switch node.op {
      case .parameter(let parameter): values.append(arguments[parameter.index])
      case .pointwise(let pointwise):
        let operands = node.operands.compactMap { values[$0.index] }
        let types = node.operands.map { type(of: $0).elementType }
        values.append(
          operands.count == types.count
            ? try? pointwise.function.evaluate(operands, types, node.type.elementType) : nil)
      default: values.append(nil)
      }
    }
    let kept = results.compactMap { values[$0.index] }
    return kept.count == results.count ? kept : nil
  }
}

extension Graph {
  /// Results that are positions of argument folds, or where those come from, and are kept in 32 bits: vectors need not have
  /// room for the type they are given in.
  var foldedPositions: Set<ResultSlot> {
    var found: Set<ResultSlot> = []
    for (position, node) in nodes.enumerated() {
      guard case .reduce(let reduce) = node.op else {
        let slot = ResultSlot(value: ValueID(position), result: 0)
        if node.hasSingleResult, found.contains(origin(of: slot.value)) { found.insert(slot) }
        continue
      }
      let reduction = Reduction(dimensions: reduce.dimensions, body: reduce.body)
      guard let fold = ArgumentFoldByLanes(reduction, node, in: self), fold.positionType == .i32 else { continue }
      found.insert(ResultSlot(value: ValueID(position), result: 1))
      found.insert(ResultSlot(value: node.operands[1], result: 0))
    }
    return found
  }
}

/// An `ArgumentFold` in vectors of values and of positions, which lie along the line that is folded or along the result.
struct ArgumentFoldByLanes {
  /// The best of each lane of a strip so far, and where it is.
  private struct Best {
    var values: Register
    var positions: Register
  }

  let fold: ArgumentFold
  let input: ValueID
  let dimension: Int
  let extent: Extent
  let elementType: ElementType

  /// Nil where a reduction is no such fold over the positions along the one dimension that it reduces.
  init?(_ reduction: Reduction, _ node: Node, in graph: Graph) {
    guard node.operands.count == 4, reduction.dimensions.count == 1, case .iota(let iota) = graph[node.operands[1]].op,
      graph.type(of: node.operands[0]).dimensions[reduction.dimensions[0]] != .zero,
      iota.dimension == reduction.dimensions[0], graph.type(of: node.operands[1]).elementType.byteCount >= 4,
      let fold = ArgumentFold(reduction.body)
    else { return nil }
    self.fold = fold
    input = node.operands[0]
    dimension = iota.dimension
    let type = graph.type(of: input)
    extent = type.dimensions[dimension]
    elementType = type.elementType
  }

  /// The integers that positions are kept in: those of 32 bits where they suffice.
  var positionType: ElementType { (extent.fixed ?? .max) < Int(Int32.max) ? .i32 : .i64 }

  /// The type that values are compared in.
  private var valueType: ElementType { elementType.arithmeticType }

  /// The position of the first best element of the line at `source`; the first position where there is none.
  func position(
    _ source: [IntegerExpression], _ mask: Register?, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> Register {
    let lanes = lowering.lanes
    let strips = VectorStrips(to: extent, lanes: lanes, atOnce: 4).strips
    var found: [Best] = []
    for strip in strips { found.append(best(of: strip, source, mask, &lowering, &b)) }
    return first(of: found, &b)
  }

  private func best(
    of strip: VectorStrips.Strip, _ source: [IntegerExpression], _ mask: Register?, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) -> Best {
    let worst = fold.direction == .greater ? valueType.lowest : valueType.highest
    let start = b.convert(b.materialize(strip.lower + .lane, lanes: strip.lanes), to: positionType)
    let positions = b.widen(start, to: strip.lanes)
    let width = b.constant(.integer(Int64(strip.lanes)), positionType, lanes: strip.lanes)
    let initial = [b.constant(worst, valueType, lanes: strip.lanes), positions, positions]
    let result = b.loop(from: strip.lower, to: strip.upper, step: strip.lanes, carrying: initial) {
      b, variable, carried in
      var next = carried
      lowering.withLanes(strip.lanes, used: strip.usedLanes, &b) { lowering, b in
        var index = source
        index[dimension] = variable + .lane
        let valid = strip.mask(at: variable, &b)
        let element = lowering.element(of: input, at: index, mask: b.and(mask, valid), in: &b)
        let value = b.widen(b.convert(element, to: valueType), to: strip.lanes)
        let better = isBetter(value, than: carried[0], &b)
        let wins = b.and(valid, better) ?? better
        next = [
          b.apply(.select, [wins, value, carried[0]]), b.apply(.select, [wins, carried[2], carried[1]]),
          b.apply(.add, [carried[2], width]),
        ]
      }
      return next
    }
    return Best(values: result[0], positions: result[1])
  }

  /// In each lane the best of its own line, the lines lying side by side: values in `valueType`, and positions. Lines
  /// without elements have the worst value at 0.
  func best(
    ofLinesAt source: [IntegerExpression], width: Int, _ mask: Register?, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) -> (values: Register, positions: Register) {
    let worst = fold.direction == .greater ? valueType.lowest : valueType.highest
    let initial = [
      b.constant(worst, valueType, lanes: width), b.constant(.integer(0), positionType, lanes: width),
    ]
    let result = b.loop(to: extent, carrying: initial) { b, variable, carried in
      var next = carried
      lowering.withScope { lowering in
        var index = source
        index[dimension] = variable
        let element = lowering.element(of: input, at: index, mask: mask, in: &b)
        let value = b.widen(b.convert(element, to: valueType), to: width)
        let place = b.widen(b.convert(b.materialize(variable, lanes: 1), to: positionType), to: width)
        let wins = isBetter(value, than: carried[0], &b)
        next = [b.apply(.select, [wins, value, carried[0]]), b.apply(.select, [wins, place, carried[1]])]
      }
      return next
    }
    return (result[0], result[1])
  }

  private var comparisonType: ComparisonType {
    valueType.isFloat ? .float : valueType.kind == .signed ? .signed : .unsigned
  }

  /// Whether a value wins over one before it.
  private func isBetter(_ value: Register, than other: Register, _ b: inout KernelBuilder) -> Register {
    guard valueType.isFloat else { return b.apply(.compare(fold.direction, comparisonType), [value, other]) }
    // NaN is better than every number, and none is better than NaN.
    let opposite: ComparisonDirection = fold.direction == .greater ? .lessOrEqual : .greaterOrEqual
    let isWorse = b.apply(.compare(opposite, .float), [value, other])
    let isNumber = b.apply(.compare(.equal, .float), [other, other])
    return b.apply(.and, [isNumber, b.apply(.not, [isWorse])])
  }

  /// The first position among the lanes that have the best value of all.
  private func first(of found: [Best], _ b: inout KernelBuilder) -> Register {
    let function: ScalarFunction = fold.direction == .greater ? .maximum : .minimum
    let none = b.constant(positionType.highest, positionType)
    var best: Register?
    for lanes in found {
      let value = b.fold(function, lanes.values)
      best = best.map { b.apply(function, [$0, value]) } ?? value
    }
    guard let best else { return b.constant(.integer(0), positionType) }
    var position = none
    for lanes in found {
      // The fold is NaN if any lane is.
      var isBest = b.apply(.compare(.equal, comparisonType), [lanes.values, best])
      if valueType.isFloat {
        let isNaN = b.apply(.compare(.notEqual, .float), [lanes.values, lanes.values])
        isBest = b.apply(.or, [isBest, isNaN])
      }
      let places = b.apply(.select, [isBest, lanes.positions, none])
      position = b.apply(.minimum, [position, b.fold(.minimum, places)])
    }
    return position
  }
}

extension ElementLowering {
  /// The results of an argument fold of the line at `source`.
  mutating func folded(
    _ fold: ArgumentFoldByLanes, _ body: Graph, _ node: Node, _ source: [IntegerExpression], _ initial: [Register],
    _ mask: Register?, _ b: inout KernelBuilder
  ) -> [Register] {
    let position = fold.position(source, mask, &self, &b)
    var at = source
    at[fold.dimension] = b.index(of: position, bound: fold.extent.fixed.map { Extent($0) })
    // A line of symbolic extent may have no element at all.
    let isThere = fold.extent.fixed == nil ? b.isWithin(at[fold.dimension], fold.extent, lanes: 1) : nil
    let value = element(of: node.operands[0], at: at, mask: b.and(mask, isThere), in: &b)
    let place = b.convert(position, to: graph.type(of: node.operands[1]).elementType)
    let kept = inlined(body, initial + [value, place], in: &b)
    guard let isThere else { return kept }
    return zip(kept, initial).map { b.apply(.select, [isThere, $0, $1]) }
  }

  /// The results of argument folds of `width` lines side by side at `source`.
  mutating func folded(
    _ fold: ArgumentFoldByLanes, _ body: Graph, _ node: Node, _ source: [IntegerExpression], _ initial: [Register],
    _ width: Int, _ mask: Register?, _ b: inout KernelBuilder
  ) -> [Register] {
    let best = fold.best(ofLinesAt: source, width: width, mask, &self, &b)
    let value = b.convert(best.values, to: graph.type(of: node.operands[0]).elementType)
    let place = b.convert(best.positions, to: graph.type(of: node.operands[1]).elementType)
    let kept = inlined(body, initial + [value, place], in: &b).map { b.widen($0, to: width) }
    guard fold.extent.fixed == nil, let isThere = b.isWithin(.zero, fold.extent, lanes: 1) else { return kept }
    let lanes = b.widen(isThere, to: width)
    return zip(kept, initial).map { b.apply(.select, [lanes, $0, $1]) }
  }
}
