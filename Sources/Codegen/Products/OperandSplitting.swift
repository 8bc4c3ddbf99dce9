import IR

/// An operand of a product, as batches of lines (rows of the left operand, columns of the right one) along the depth.
///
/// The depth may be repeated for each tap of a window.
struct ProductOperand {
  let value: ValueID
  let batch: [Extent]
  let lines: [Extent]
  let taps: [Extent]
  let depth: [Extent]
  /// Which dimensions of the value those are.
  let batchDimensions: [Int]
  let lineDimensions: [Int]
  let tapDimensions: [Int]
  let depthDimensions: [Int]

  init(_ value: ValueID, _ type: TensorType, batch: [Int], lines: [Int], taps: [Int] = [], depth: [Int]) {
    self.value = value
    batchDimensions = batch
    lineDimensions = lines
    tapDimensions = taps
    depthDimensions = depth
    self.taps = taps.map { type.dimensions[$0] }
    self.batch = batch.map { type.dimensions[$0] }
    self.lines = lines.map { type.dimensions[$0] }
    self.depth = depth.map { type.dimensions[$0] }
  }

  var batchCount: Extent { batch.reduce(.one) { $0 * $1 } }
  var lineCount: Extent { lines.reduce(.one) { $0 * $1 } }
  var tapCount: Extent { taps.reduce(.one) { $0 * $1 } }
  /// Steps of one tap.
  var depthCount: Extent { depth.reduce(.one) { $0 * $1 } }

  /// The value's index of a step of a line's depth.
  func index(
    batch: [IntegerExpression], line: [IntegerExpression], tap: [IntegerExpression] = [], depth: [IntegerExpression]
  ) -> [IntegerExpression] {
    var index = [IntegerExpression](repeating: .zero, count: batch.count + line.count + tap.count + depth.count)
    for (d, position) in zip(tapDimensions, tap) { index[d] = position }
    for (d, position) in zip(batchDimensions, batch) { index[d] = position }
    for (d, position) in zip(lineDimensions, line) { index[d] = position }
    for (d, position) in zip(depthDimensions, depth) { index[d] = position }
    return index
  }
}

/// Kernels that write an operand as parts in tiles, and the inverse of each line's scale beside it: NaN where the line
/// cannot be split, because an element is not finite or the largest magnitude lies outside of the scheme's range.
struct OperandSplitting {
  static let lanes = Tile.laneCount

  let request: SchedulingRequest
  let operand: ProductOperand
  let scheme: SplitScheme
  let layout: SplitLayout
  /// What elements of rows are multiplied by first.
  let factor: Double?

  init(_ request: SchedulingRequest, _ operand: ProductOperand, _ scheme: SplitScheme, factor: Double? = nil) {
    self.factor = factor
    self.request = request
    self.operand = operand
    self.scheme = scheme
    layout = SplitLayout(
      partCount: scheme.partCount, count: operand.lineCount, taps: operand.tapCount, depth: operand.depthCount)
  }

  var partsType: TensorType { layout.type(scheme.elementType, batches: operand.batchCount) }
  var scalesType: TensorType { layout.scaleType(batches: operand.batchCount) }

  private struct Place {
    var parts: Memory
    var scales: Memory
    var batchNumber: IntegerExpression
    var block: IntegerExpression
    var batch: [IntegerExpression]
  }

  private func begin(_ b: inout KernelBuilder, _ parts: ScheduledFusion.Argument, _ scales: ScheduledFusion.Argument)
    -> (ElementLowering, Memory, Memory, [ScheduledFusion.Argument])
  {
    b.setBound(Extent(Self.lanes), ofVariable: -1)
    var buffers = OperandBuffers(for: [operand.value], of: request, &b)
    let partMemory = buffers.add(parts, scheme.elementType, "parts", &b)
    let scaleMemory = buffers.add(scales, .f32, "scales", &b)
    let lowering = ElementLowering(graph: request.body, inputs: buffers.inputs, lanes: Self.lanes)
    return (lowering, partMemory, scaleMemory, buffers.arguments)
  }

  // MARK: Rows

  /// Rows of the left operand; a task is 16 of them.
  func rows(into parts: ScheduledFusion.Argument, _ scales: ScheduledFusion.Argument) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    var (lowering, partMemory, scaleMemory, arguments) = begin(&b, parts, scales)
    let extents = [operand.batchCount, layout.blockCount, 2]
    let taskCount = extents.reduce(.one) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let numbers = b.positions(of: .task, in: extents)
    let place = Place(
      parts: partMemory, scales: scaleMemory, batchNumber: numbers[0], block: numbers[1],
      batch: b.unflattened(numbers[0], in: operand.batch))
    b.loop(to: Extent(Tile.rowCount)) { b, row, _ in
      lowering.withScope { split(row, half: numbers[2], place, &$0, &b) }
      return []
    }
    let cost = operand.depthCount * (2 * Tile.rowCount * (scheme.partCount + 1) / Self.lanes + 1)
    let kernel = b.kernel(
      name: "\(request.name)_split_rows", sources: request.sources, taskCount: taskCount, taskCost: cost)
    return ScheduledFusion.Launch(kernel, arguments)
  }

  private func split(
    _ row: IntegerExpression, half: IntegerExpression, _ place: Place, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let inBlock = half * Tile.rowCount + row
    let line = place.block * SplitLayout.block + inBlock
    let valid = b.isWithin(line, operand.lineCount, lanes: 1)
    let lineIndex = b.unflattened(line, in: operand.lines)
    func element(
      _ at: IntegerExpression, _ mask: Register?, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
    ) -> Register {
      let depth = b.unflattened(at, in: operand.depth)
      let index = operand.index(batch: place.batch, line: lineIndex, depth: depth)
      let element = lowering.element(of: operand.value, at: index, mask: b.and(valid, mask), in: &b)
      let value = b.widen(b.convert(element, to: .f32), to: Self.lanes)
      return factor.map { b.apply(.multiply, [value, b.constant($0, .f32)]) } ?? value
    }
    let zero = b.constant(.zero(.i32), .i32, lanes: Self.lanes)
    let scalePosition = (place.batchNumber * layout.blockCount + place.block) * SplitLayout.block + inBlock
    var scale: Register?
    if scheme.isScaled {
      let largest = vectors(operand.depthCount, step: Self.lanes, carrying: [zero], &lowering, &b) {
        (lowering, b, at, mask, largest) in
        let bits = b.magnitudeBits(element(at + .lane, mask(&b, 0), &lowering, &b))
        return [b.apply(.maximum, [largest[0], bits])]
      }
      let scales = b.splitScale(largest: b.fold(.maximum, largest[0]), scheme)
      scale = scales.scale
      b.store(scales.inverse, place.scales, at: scalePosition, lanes: 1)
    }
    let step = SplitLayout.block
    let largest = vectors(operand.depthCount, step: step, carrying: [zero], &lowering, &b) {
      lowering, b, at, mask, carried in
      var largest = carried[0]
      let depthBlock = at.floorDivided(by: Extent(step), bound: { [b] in b.bound(of: $0) })
      let elements = [0, Self.lanes].map { offset in
        let x = element(at + offset + .lane, mask(&b, offset), &lowering, &b)
        if scale == nil { largest = b.apply(.maximum, [largest, b.magnitudeBits(x)]) }
        return scale.map { b.apply(.multiply, [x, $0]) } ?? x
      }
      for (number, part) in b.parts(ofSteps: elements[0], elements[1], scheme).enumerated() {
        let start = layout.position(
          batch: place.batchNumber, block: place.block, depthBlock: depthBlock, part: number, half: half)
        b.store(part, place.parts, at: start + row * step + .lane, lanes: step)
      }
      return [largest]
    }
    if scale == nil {
      let (_, inverse) = b.splitScale(largest: b.fold(.maximum, largest[0]), scheme)
      b.store(inverse, place.scales, at: scalePosition, lanes: 1)
    }
  }

  /// A loop over `count` in steps, and once more with a mask for what is left; `body` gets the mask of the lanes from an
  /// offset on.
  private func vectors(
    _ count: Extent, step: Int, carrying initial: [Register], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder,
    _ body: (
      inout ElementLowering, inout KernelBuilder, IntegerExpression, (inout KernelBuilder, Int) -> Register?,
      [Register]
    ) -> [Register]
  ) -> [Register] {
    // The loop counts steps, so that a position is known to be a multiple of the step.
    let whole = count.floorDivided(by: Extent(step))
    var carried = b.loop(to: whole, carrying: initial) { b, number, carried in
      lowering.withScope { body(&$0, &b, number * step, { _, _ in nil }, carried) }
    }
    if whole * step == count { return carried }
    // At most one more step; a loop, because there may be none.
    let steps = (count + (step - 1)).floorDivided(by: Extent(step))
    carried = b.loop(from: whole, to: steps, carrying: carried) { b, number, carried in
      let mask: (inout KernelBuilder, Int) -> Register? = { b, offset in
        b.isWithin(number * step + offset + .lane, count, lanes: Self.lanes)
      }
      return lowering.withScope { body(&$0, &b, number * step, mask, carried) }
    }
    return carried
  }

  // MARK: Columns

  /// Columns of the right operand; a task is 32 of them. Vectors run along the columns, or along the depth where that is
  /// how the elements lie in memory.
  func columns(into parts: ScheduledFusion.Argument, _ scales: ScheduledFusion.Argument) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    var (lowering, partMemory, scaleMemory, arguments) = begin(&b, parts, scales)
    let extents = [operand.batchCount, layout.blockCount]
    let taskCount = extents.reduce(.one) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let numbers = b.positions(of: .task, in: extents)
    let place = Place(
      parts: partMemory, scales: scaleMemory, batchNumber: numbers[0], block: numbers[1],
      batch: b.unflattened(numbers[0], in: operand.batch))
    let runsAlongDepth = !isContiguous(alongDepth: false) && isContiguous(alongDepth: true)
    let columnScales = runsAlongDepth && scheme.isScaled ? b.addScratch(.f32, count: Self.lanes) : nil
    for half in 0..<2 {
      if runsAlongDepth {
        splitAlongDepth(half, place, columnScales, &lowering, &b)
      } else {
        split(half, place, &lowering, &b)
      }
    }
    let cost = operand.tapCount * operand.depthCount * (4 * (scheme.partCount + 1))
    let kernel = b.kernel(
      name: "\(request.name)_split_columns", sources: request.sources, taskCount: taskCount, taskCost: cost)
    return ScheduledFusion.Launch(kernel, arguments)
  }

  private func split(_ half: Int, _ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
    let inBlock = IntegerExpression(half * Self.lanes) + .lane
    let column = place.block * SplitLayout.block + inBlock
    let valid = b.isWithin(column, operand.lineCount, lanes: Self.lanes)
    let columnIndex = b.unflattened(column, in: operand.lines)
    func element(
      _ tap: IntegerExpression, _ at: IntegerExpression, _ mask: Register?, _ lowering: inout ElementLowering,
      _ b: inout KernelBuilder
    ) -> Register {
      let (taps, depth) = (b.unflattened(tap, in: operand.taps), b.unflattened(at, in: operand.depth))
      let index = operand.index(batch: place.batch, line: columnIndex, tap: taps, depth: depth)
      let element = lowering.element(of: operand.value, at: index, mask: b.and(valid, mask), in: &b)
      return b.widen(b.convert(element, to: .f32), to: Self.lanes)
    }
    let zero = b.constant(.zero(.i32), .i32, lanes: Self.lanes)
    let scalePosition = (place.batchNumber * layout.blockCount + place.block) * SplitLayout.block + inBlock
    var scale: Register?
    if scheme.isScaled {
      let largest = b.loop(to: operand.tapCount, carrying: [zero]) { b, tap, largest in
        b.loop(to: operand.depthCount, carrying: largest) { b, at, largest in
          lowering.withScope { lowering in
            let bits = b.magnitudeBits(element(tap, at, nil, &lowering, &b))
            return [b.apply(.maximum, [largest[0], bits])]
          }
        }
      }
      let scales = b.splitScale(largest: largest[0], scheme)
      scale = scales.scale
      b.store(scales.inverse, place.scales, at: scalePosition, lanes: Self.lanes)
    }
    let pairs = SplitLayout.block / 2
    let largest = b.loop(to: operand.tapCount, carrying: [zero]) { b, tap, largest in
      b.loop(to: layout.tapBlockCount, carrying: largest) { b, block, largest in
        b.loop(to: Extent(pairs), carrying: largest) { b, pair, carried in
          lowering.withScope { lowering in
            var largest = carried[0]
            let both = (0..<2).map { step in
              let at = block * SplitLayout.block + scheme.step(ofPair: pair) + step * scheme.pairDistance
              let mask = b.isWithin(at, operand.depthCount, lanes: 1)
              let x = element(tap, at, mask, &lowering, &b)
              if scale == nil { largest = b.apply(.maximum, [largest, b.magnitudeBits(x)]) }
              return scale.map { b.apply(.multiply, [x, $0]) } ?? x
            }
            for (part, elements) in b.parts(ofPair: both[0], both[1], scheme).enumerated() {
              let start = layout.position(
                batch: place.batchNumber, block: place.block, depthBlock: tap * layout.tapBlockCount + block,
                part: part,
                half: IntegerExpression(half))
              b.store(elements, place.parts, at: start + pair * SplitLayout.block + .lane, lanes: 2 * Self.lanes)
            }
            return [largest]
          }
        }
      }
    }
    if scale == nil {
      let (_, inverse) = b.splitScale(largest: largest[0], scheme)
      b.store(inverse, place.scales, at: scalePosition, lanes: Self.lanes)
    }
  }

  /// Whether neighbours along the lines, or along the depth, are neighbours in memory.
  private func isContiguous(alongDepth: Bool) -> Bool {
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(Self.lanes), ofVariable: -1)
    let buffers = OperandBuffers(for: [operand.value], of: request, &b)
    var lowering = ElementLowering(graph: request.body, inputs: buffers.inputs, lanes: Self.lanes)
    let line = IntegerExpression.variable(b.newVariable(bound: operand.lineCount))
    let step = IntegerExpression.variable(b.newVariable(bound: operand.depthCount))
    let index = operand.index(
      batch: operand.batch.map { _ in .zero }, line: b.unflattened(alongDepth ? line : line + .lane, in: operand.lines),
      tap: operand.taps.map { _ in .zero }, depth: b.unflattened(alongDepth ? step + .lane : step, in: operand.depth))
    _ = lowering.element(of: operand.value, at: index, in: &b)
    return b.kernel(name: "", sources: [], taskCount: .one, taskCost: .one).body.allSatisfy { statement in
      if case .define(_, .gather) = statement { return false }
      return true
    }
  }

  /// 16 columns, each read along the depth; pairs of steps change places with columns in registers.
  private func splitAlongDepth(
    _ half: Int, _ place: Place, _ columnScales: Memory?, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    func element(
      _ column: IntegerExpression, _ tap: IntegerExpression, _ at: IntegerExpression, _ mask: Register?,
      _ lowering: inout ElementLowering, _ b: inout KernelBuilder
    ) -> Register {
      let line = place.block * SplitLayout.block + half * Self.lanes + column
      let valid = b.isWithin(line, operand.lineCount, lanes: 1)
      let index = operand.index(
        batch: place.batch, line: b.unflattened(line, in: operand.lines), tap: b.unflattened(tap, in: operand.taps),
        depth: b.unflattened(at + .lane, in: operand.depth))
      let element = lowering.element(of: operand.value, at: index, mask: b.and(valid, mask), in: &b)
      return b.widen(b.convert(element, to: .f32), to: Self.lanes)
    }
    b.loop(to: Extent(Self.lanes)) { b, column, _ in
      lowering.withScope { lowering in
        let zero = b.constant(.zero(.i32), .i32, lanes: Self.lanes)
        let largest = b.loop(to: operand.tapCount, carrying: [zero]) { b, tap, largest in
          vectors(operand.depthCount, step: Self.lanes, carrying: largest, &lowering, &b) {
            (lowering, b, at, mask, largest) in
            let bits = b.magnitudeBits(element(column, tap, at, mask(&b, 0), &lowering, &b))
            return [b.apply(.maximum, [largest[0], bits])]
          }
        }
        let (scale, inverse) = b.splitScale(largest: b.fold(.maximum, largest[0]), scheme)
        if let columnScales { b.store(scale, columnScales, at: column, lanes: 1) }
        let block = (place.batchNumber * layout.blockCount + place.block) * SplitLayout.block
        let line = block + half * Self.lanes + column
        b.store(inverse, place.scales, at: line, lanes: 1)
      }
      return []
    }
    b.loop(to: operand.tapCount) { b, tap, _ in
      _ = vectors(operand.depthCount, step: SplitLayout.block, carrying: [], &lowering, &b) {
        (lowering, b, at, mask, _) in
        var parts = [[Register]](repeating: [], count: scheme.partCount)
        for column in 0..<Self.lanes {
          let scale = columnScales.map { b.load($0, at: IntegerExpression(column), lanes: 1) }
          let halves = (0..<2).map { number in
            let offset = number * Self.lanes
            let x = element(IntegerExpression(column), tap, at + offset, mask(&b, offset), &lowering, &b)
            return scale.map { b.apply(.multiply, [x, $0]) } ?? x
          }
          for (part, elements) in b.parts(ofSteps: halves[0], halves[1], scheme).enumerated() {
            parts[part].append(elements)
          }
        }
        let block = at.floorDivided(by: Extent(SplitLayout.block), bound: { [b] in b.bound(of: $0) })
        for part in 0..<scheme.partCount {
          let start = layout.position(
            batch: place.batchNumber, block: place.block, depthBlock: tap * layout.tapBlockCount + block, part: part,
            half: IntegerExpression(half))
          for (pair, row) in b.transposedPairs(parts[part]).enumerated() {
            b.store(row, place.parts, at: start + pair * SplitLayout.block + .lane, lanes: 2 * Self.lanes)
          }
        }
        return []
      }
      return []
    }
  }

  /// The steps that split the right operand of a product, none where it is constant; nil where a constant cannot be
  /// split. Of a constant that is not scaled nobody asks for scales.
  func splitColumns(_ scheduled: inout ScheduledFusion)
    -> (steps: [ScheduledFusion.Step], parts: ScheduledFusion.Argument, scales: ScheduledFusion.Argument?)?
  {
    if case .parameter(let parameter) = request.body[operand.value].op,
      let literal = request.constants[parameter.index], !literal.isSplat
    {
      guard let split = literal.splitInColumns(operand, scheme) else { return nil }
      let parts = scheduled.addConstant(split.parts)
      return ([], parts, scheme.isScaled ? scheduled.addConstant(split.scales) : nil)
    }
    let (parts, scales) = (scheduled.addTemporary(partsType), scheduled.addTemporary(scalesType))
    return ([.launch(columns(into: parts, scales))], parts, scales)
  }

  // MARK: Whether all lines could be split

  /// Stores whether no scale is NaN.
  static func check(
    _ scales: [(ScheduledFusion.Argument, TensorType)], into flag: ScheduledFusion.Argument,
    _ request: SchedulingRequest
  ) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    var isSplit = b.constant(.true, .i1)
    var arguments: [ScheduledFusion.Argument] = []
    var cost = Extent.zero
    for (number, (argument, type)) in scales.enumerated() {
      let memory = b.addBuffer("scales\(number)", .f32, isWritten: false)
      arguments.append(argument)
      cost += type.elementCount
      isSplit = b.apply(.and, [isSplit, b.hasNoNaN(memory, type.elementCount, lanes: lanes)])
    }
    let result = b.addBuffer("isSplit", .i1, isWritten: true)
    arguments.append(flag)
    b.store(isSplit, result, at: .zero, lanes: 1)
    let kernel = b.kernel(
      name: "\(request.name)_check", sources: request.sources, taskCount: .one, taskCost: cost)
    return ScheduledFusion.Launch(kernel, arguments)
  }
}

extension KernelBuilder {
  /// Whether none of the first `count` elements, a multiple of `lanes`, is NaN; as a scalar i1.
  mutating func hasNoNaN(_ memory: Memory, _ count: Extent, lanes: Int) -> Register {
    let none = constant(.false, .i1, lanes: lanes)
    let found = loop(to: count, step: lanes, carrying: [none]) { b, position, found in
      let value = b.load(memory, at: position + .lane, lanes: lanes)
      return [b.apply(.or, [found[0], b.apply(.compare(.notEqual, .float), [value, value])])]
    }
    return apply(.not, [fold(.or, found[0])])
  }

  /// The bits of a float without its sign: they order as magnitudes do, and those of NaN and infinities are the largest.
  mutating func magnitudeBits(_ value: Register) -> Register {
    let bits = apply(.bitcast(.i32), [value])
    return apply(.and, [bits, constant(.integer(0x7FFF_FFFF), .i32)])
  }

  /// The power of two that brings a line's largest magnitude into [2^14, 2^15), and its inverse, both 1 where the scheme
  /// does not scale; 0 and NaN where the line cannot be split.
  mutating func splitScale(largest bits: Register, _ scheme: SplitScheme) -> (scale: Register, inverse: Register) {
    let bias = 127
    let exponents = scheme.exponents
    var inverse: Register?
    let scale = formula([bits]) { x in
      let exponent = x[0].shiftedRightLogically(23)
      let usable = (exponent .> exponents.lowerBound + bias - 1) .& (exponent .< exponents.upperBound + bias + 1)
      let isZero = x[0] .< 1
      let scale = ((14 + 2 * bias - exponent) << 23).float(as: .f32)
      let back = ((exponent - 14) << 23).float(as: .f32)
      let (one, none) = (back.constant(1.0), back.constant(.nan))
      inverse = select(usable, scheme.isScaled ? back : one, select(isZero, one, none)).register
      return select(usable, scheme.isScaled ? scale : one, select(isZero, one, scale.constant(0.0)))
    }
    guard let inverse else { preconditionFailure("the formula gives both") }
    return (scale, inverse)
  }
}

extension KernelBuilder {
  /// Of as many registers as each has pairs of lanes: the first pairs of all, then the second pairs, and so on.
  fileprivate mutating func transposedPairs(_ rows: [Register]) -> [Register] {
    var rows = rows
    let count = rows.count
    // Each round exchanges, between rows `distance` apart, the pairs whose place differs in that bit.
    var distance = 1
    while distance < count {
      let (low, high) = (pairLanes(count, distance, 0), pairLanes(count, distance, 1))
      for first in 0..<count where first & distance == 0 {
        let (a, c) = (rows[first], rows[first + distance])
        let type = type(of: a)
        rows[first] = define(type, .shuffle(a, c, low))
        rows[first + distance] = define(type, .shuffle(a, c, high))
      }
      distance *= 2
    }
    return rows
  }

  /// The lanes, of two rows, of the pairs whose bit at `distance` is `bit`: those of the first row where the place's bit
  /// is clear, else those of the second.
  private func pairLanes(_ count: Int, _ distance: Int, _ bit: Int) -> [Int] {
    (0..<count).flatMap { place in
      let source = bit == 0 ? place & ~distance : place | distance
      let row = place & distance == 0 ? 0 : 2 * count
      return [row + 2 * source, row + 2 * source + 1]
    }
  }
}
