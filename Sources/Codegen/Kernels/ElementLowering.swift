import IR

/// Writes the operations that compute single elements of a fusion's values, whatever their access patterns.
///
/// Each value at each index is computed once in a scope; loops open scopes. In a vector context index expressions
/// contain `.lane`, and what does not depend on it stays scalar.
struct ElementLowering {
  private struct Key: Hashable {
    var value: ValueID
    var index: [IntegerExpression]
    var mask: Register?
  }

  /// What is there already, in a loop's body or outside of all loops.
  private struct Scope {
    var elements: [Key: [Register]] = [:]
    /// Index expressions that are computed once, and the variables that have their values.
    var positions: [IntegerExpression: IntegerExpression] = [:]
  }

  /// A value that has been stored: read back instead of computed again.
  struct Stored {
    var memory: Memory
    /// The position of the element at an index.
    var position: @Sendable ([IntegerExpression]) -> IntegerExpression
  }

  let graph: Graph
  /// By parameter position.
  let inputs: [Memory]
  /// How many lanes a vector has here.
  private(set) var lanes: Int
  /// Folds over dimensions of at most this extent are written out, so that what they read is there for what follows them.
  var writtenOut = 0
  /// How many vectors a fold along lanes takes at once.
  var vectorsAtOnce = 1
  /// Elements that are asked for so far before they are read.
  struct FetchAhead {
    var distance: IntegerExpression
    var level: Target.Level

    /// How far ahead operands are asked for: as far as matters, and no further than a page.
    static let byteCount = 2048

    /// What a loop asks for of an operand where it waits for memory; nil where the caches hold most of what it touches.
    static func stream(_ type: TensorType, _ request: SchedulingRequest) -> FetchAhead? {
      let touched = request.body.parameterTypes + request.body.resultTypes
      let byteCount = touched.reduce(0) { $0 + Double($1.byteCount.fixed ?? 0) }
      guard byteCount > Double(request.target.l3ByteCount / 4 * 3) else { return nil }
      return FetchAhead(distance: IntegerExpression(Self.byteCount / type.elementType.byteCount), level: .l2)
    }
  }

  /// Parameters whose elements are asked for before they are read, by position.
  var fetchedAhead: [Int: FetchAhead] = [:]
  var stored: [ValueID: Stored] = [:]
  /// Values whose element, the only one that is asked for, is there already: an anchor's, in its epilogue.
  var pinned: [ValueID: Register] = [:]
  /// Values whose elements are also written to memory when they are first computed.
  var saved: [ValueID: Stored] = [:]
  private let products: [ValueID: GateProduct]
  private var scopes = [Scope()]

  init(graph: Graph, inputs: [Memory], lanes: Int) {
    self.graph = graph
    products = graph.gateProducts
    self.inputs = inputs
    self.lanes = lanes
  }

  /// The element of `value` at `index`; where `mask` is false nothing is read and the result does not matter.
  mutating func element(
    of value: ValueID, at index: [IntegerExpression], mask: Register? = nil, in b: inout KernelBuilder
  ) -> Register {
    let node = graph[value]
    if case .getTupleElement(let projection) = node.op {
      return elements(of: node.operands[0], at: index, mask: mask, in: &b)[projection.index]
    }
    return elements(of: value, at: index, mask: mask, in: &b)[0]
  }

  /// Makes `registers` the elements of `value` at `index` in the current scope.
  mutating func define(_ value: ValueID, at index: [IntegerExpression], as registers: [Register]) {
    scopes[scopes.count - 1].elements[Key(value: value, index: index, mask: nil)] = registers
  }

  mutating func withScope<Result, Failure: Error>(_ body: (inout ElementLowering) throws(Failure) -> Result)
    throws(Failure) -> Result
  {
    scopes.append(Scope())
    let result = try body(&self)
    scopes.removeLast()
    return result
  }

  /// A scope in which vectors have other lanes than around it, of which `used` count.
  mutating func withLanes(
    _ count: Int, used: Int? = nil, _ b: inout KernelBuilder,
    _ body: (inout ElementLowering, inout KernelBuilder) -> Void
  ) {
    let outside = lanes
    lanes = count
    b.withLanes(used ?? count) { b in withScope { body(&$0, &b) } }
    lanes = outside
  }

  private mutating func elements(
    of value: ValueID, at index: [IntegerExpression], mask: Register?, in b: inout KernelBuilder
  ) -> [Register] {
    let key = Key(value: value, index: index, mask: mask)
    let unmasked = Key(value: value, index: index, mask: nil)
    for scope in scopes.reversed() {
      if let known = scope.elements[unmasked] ?? scope.elements[key] { return known }
    }
    let registers = compute(value, at: index, mask: mask, in: &b)
    if let place = saved[value] {
      b.store(registers[0], place.memory, at: place.position(index), lanes: lanes, mask: mask)
    }
    scopes[scopes.count - 1].elements[key] = registers
    return registers
  }

  private mutating func compute(
    _ value: ValueID, at index: [IntegerExpression], mask: Register?, in b: inout KernelBuilder
  ) -> [Register] {
    if let register = pinned[value] { return [register] }
    if let place = stored[value] {
      let register = b.load(place.memory, at: place.position(index), lanes: lanes, mask: mask)
      return [b.convert(register, to: graph.type(of: value).elementType)]
    }
    let node = graph[value]
    switch node.op {
    case .parameter(let parameter):
      let position = Self.position(of: index, in: node.type)
      if mask == nil, let ahead = fetchedAhead[parameter.index] {
        fetch(inputs[parameter.index], at: position, ahead, &b)
      }
      return [b.load(inputs[parameter.index], at: position, lanes: lanes, mask: mask)]
    case .constant(let constant):
      guard let splat = constant.value.splatValue else {
        preconditionFailure("constants with different elements are operands of a fusion")
      }
      return [b.constant(splat, constant.value.elementType)]
    default: break
    }
    let operandTypes = node.operands.map { graph.type(of: $0) }
    switch node.op.definition.semantics(operands: operandTypes, results: node.resultTypes) {
    case .position(let expression):
      let position = substitute(expression, index, node, mask, &b)
      return [b.convert(b.materialize(position, lanes: lanes), to: node.type.elementType)]
    case .pointwise(let function):
      if let product = products[value] {
        return [b.product(of: element(of: product.operand, at: index, mask: mask, in: &b), and: product.gate)]
      }
      var operands: [Register] = []
      for operand in node.operands { operands.append(element(of: operand, at: index, mask: mask, in: &b)) }
      if case .exponential = function, graph.isNonpositive(node.operands[0]) {
        return [b.exponential(ofNonpositive: operands[0])]
      }
      return [b.apply(function, operands)]
    case .movement(let movement):
      return [moved(movement, node, index, mask, &b)]
    case .reduction(let reduction):
      return reduced(reduction, node, index, mask, &b)
    case .contraction(let contraction):
      return [contracted(contraction, node, index, mask, &b)]
    case .window(.fold(let window, let body)):
      return folded(window, body, node, index, mask, &b)
    case .window(.convolution(let convolution)):
      return [convolved(convolution, node, index, mask, &b)]
    case .leaf, .lines, .scatter, .sort, .control, .opaque:
      preconditionFailure("\(node.op.mnemonic) has no elements that can be computed one by one")
    }
  }

  /// Asks for the cache lines of the vector's elements behind those at `position`.
  private func fetch(
    _ memory: Memory, at position: IntegerExpression, _ ahead: FetchAhead, _ b: inout KernelBuilder
  ) {
    let start = position - .lane
    guard b.variesByLane(position), !b.variesByLane(start) else { return }
    let line = max(1, Target.cacheLineByteCount / max(1, b.elementType(of: memory).byteCount))
    for first in stride(from: 0, to: lanes, by: line) {
      b.append(.prefetch(memory, at: start + ahead.distance + first, into: ahead.level))
    }
  }

  /// The row-major position of `index` in a tensor of `type`.
  static func position(of index: [IntegerExpression], in type: TensorType) -> IntegerExpression {
    var position = IntegerExpression.zero
    for (i, stride) in zip(index, type.strides) { position += i * stride }
    return position.recombiningQuotients
  }

  // MARK: Movement

  /// `expression` with the result's index in place of its dimensions, and operands' elements read.
  private mutating func substitute(
    _ expression: IntegerExpression, _ index: [IntegerExpression], _ node: Node, _ mask: Register?,
    _ b: inout KernelBuilder
  ) -> IntegerExpression {
    var elements: [IntegerExpression.Atom: IntegerExpression] = [:]
    var reads: [(IntegerExpression.Atom, Int, [IntegerExpression])] = []
    expression.visitAtoms { atom in
      if case .element(let operand, let position) = atom { reads.append((atom, operand, position)) }
    }
    for (atom, operand, position) in reads where elements[atom] == nil {
      let at = position.map { substitute($0, index, node, mask, &b) }
      elements[atom] = b.index(of: element(of: node.operands[operand], at: at, mask: mask, in: &b))
    }
    let builder = b
    let bound: IntegerExpression.Bound = { builder.bound(of: $0) }
    let result = expression.substituting(bound: bound) { atom in
      if case .variable(let dimension) = atom, index.indices.contains(dimension) { return index[dimension] }
      return elements[atom]
    }
    return result.hasMoreAtoms(than: IntegerExpression.atomLimit) ? computed(result, in: &b) : result
  }

  /// A variable that has the expression's value.
  private mutating func computed(_ expression: IntegerExpression, in b: inout KernelBuilder) -> IntegerExpression {
    for scope in scopes.reversed() {
      if let known = scope.positions[expression] { return known }
    }
    let position = b.index(of: b.materialize(expression, lanes: lanes), bound: expression.exclusiveBound(b))
    scopes[scopes.count - 1].positions[expression] = position
    return position
  }

  /// The element of the first piece whose conditions hold.
  private mutating func moved(
    _ movement: Movement, _ node: Node, _ index: [IntegerExpression], _ mask: Register?, _ b: inout KernelBuilder
  ) -> Register {
    var mask = mask
    var chosen: [(condition: Register, value: Register)] = []
    pieces: for piece in movement.pieces {
      var condition: Register?
      for part in piece.conditions {
        let value = substitute(part.value, index, node, mask, &b)
        let limit = substitute(part.limit, index, node, mask, &b)
        let holds = b.isWithin(value, limit, lanes: lanes)
        if let holds, b.constantValue(of: holds)?.isTrue == false { continue pieces }
        condition = b.and(condition, holds)
      }
      let inside = b.and(mask, condition)
      let at = piece.index.map { substitute($0, index, node, inside, &b) }
      let value = element(of: node.operands[piece.operand], at: at, mask: inside, in: &b)
      guard let condition else {
        return chosen.reversed().reduce(value) { b.apply(.select, [$1.condition, $1.value, $0]) }
      }
      chosen.append((condition, value))
      mask = b.and(mask, b.apply(.not, [condition]))
    }
    preconditionFailure("the last piece of a movement has no conditions")
  }

  // MARK: Folds and sums

  /// The results of a body of scalars for these arguments.
  mutating func inlined(_ body: Graph, _ arguments: [Register], in b: inout KernelBuilder) -> [Register] {
    var values = [Register?](repeating: nil, count: body.nodes.count)
    let live = body.liveValues
    for (position, node) in body.nodes.enumerated() where live[position] {
      switch node.op {
      case .parameter(let parameter): values[position] = arguments[parameter.index]
      case .constant(let constant): values[position] = b.constant(constant.value[0], constant.value.elementType)
      default:
        let operands = node.operands.compactMap { values[$0.index] }
        let types = node.operands.map { body.type(of: $0) }
        switch node.op.definition.semantics(operands: types, results: node.resultTypes) {
        case .pointwise(let function): values[position] = b.apply(function, operands)
        case .movement: values[position] = operands[0]
        default: preconditionFailure("\(node.op.mnemonic) cannot stand in a body of scalars")
        }
      }
    }
    return body.results.compactMap { values[$0.index] }
  }

  private mutating func reduced(
    _ reduction: Reduction, _ node: Node, _ index: [IntegerExpression], _ mask: Register?, _ b: inout KernelBuilder
  ) -> [Register] {
    let count = node.operands.count / 2
    let shape = graph.type(of: node.operands[0]).dimensions
    let kept = shape.indices.filter { !reduction.dimensions.contains($0) }
    var source = [IntegerExpression](repeating: .zero, count: shape.count)
    for (position, d) in kept.enumerated() { source[d] = index[position] }
    var initial: [Register] = []
    for (operand, type) in zip(node.operands[count...], reduction.body.resultTypes) {
      let value = element(of: operand, at: [], mask: nil, in: &b)
      initial.append(b.convert(value, to: type.elementType))
    }
    let scalarOutput = !index.contains { b.variesByLane($0) } && (mask.map { b.lanes(of: $0) } ?? 1) == 1
    if scalarOutput, lanes > 1, count == 1, let function = reduction.body.associativeFunction,
      let inner = reduction.dimensions.last(where: { shape[$0] != .one }) ?? reduction.dimensions.last
    {
      let outer = reduction.dimensions.filter { $0 != inner }
      return [foldedByLanes(function, node, outer[...], inner, source, shape, initial[0], mask, &b)]
    }
    if scalarOutput, lanes > 1, let fold = ArgumentFoldByLanes(reduction, node, in: graph) {
      return folded(fold, reduction.body, node, source, initial, mask, &b)
    }
    let inputs = Array(node.operands[..<count])
    // Values that vary by lane are vectors from the start, so that a carried value keeps its type.
    let width = widthOfElements(inputs, index, mask, b)
    if width > 1, let fold = ArgumentFoldByLanes(reduction, node, in: graph) {
      return folded(fold, reduction.body, node, source, initial.map { b.widen($0, to: width) }, width, mask, &b)
    }
    return nest(reduction.dimensions[...], shape, source, initial.map { b.widen($0, to: width) }, &b) {
      (lowering, at, accumulators, b) in
      var elements: [Register] = []
      for input in inputs {
        elements.append(b.widen(lowering.element(of: input, at: at, mask: mask, in: &b), to: width))
      }
      let next = lowering.inlined(reduction.body, accumulators + elements, in: &b)
      return zip(next, accumulators).map { b.widen($0, to: b.lanes(of: $1)) }
    }
  }

  /// How many lanes the elements of `inputs` have at an index like `index`.
  func widthOfElements(
    _ inputs: [ValueID], _ index: [IntegerExpression], _ mask: Register?, _ b: KernelBuilder
  ) -> Int {
    if let mask, b.lanes(of: mask) > 1 { return lanes }
    return index.contains { b.variesByLane($0) } ? lanes : 1
  }

  /// Loops over `dimensions` of `shape`, innermost last, carrying accumulators.
  mutating func nest(
    _ dimensions: ArraySlice<Int>, _ shape: [Extent], _ at: [IntegerExpression], _ accumulators: [Register],
    _ b: inout KernelBuilder,
    _ body: (inout ElementLowering, [IntegerExpression], [Register], inout KernelBuilder) -> [Register]
  ) -> [Register] {
    guard let dimension = dimensions.first else { return body(&self, at, accumulators, &b) }
    if let extent = shape[dimension].fixed, extent <= writtenOut {
      return (0..<extent).reduce(accumulators) { accumulators, number in
        var inner = at
        inner[dimension] = IntegerExpression(number)
        return nest(dimensions.dropFirst(), shape, inner, accumulators, &b, body)
      }
    }
    return b.loop(to: shape[dimension], carrying: accumulators) { b, variable, accumulators in
      withScope { lowering in
        var inner = at
        inner[dimension] = variable
        return lowering.nest(dimensions.dropFirst(), shape, inner, accumulators, &b, body)
      }
    }
  }

  /// A fold of an associative function, the innermost dimension in `lanes` independent parts.
  private mutating func foldedByLanes(
    _ function: ScalarFunction, _ node: Node, _ outer: ArraySlice<Int>, _ inner: Int, _ source: [IntegerExpression],
    _ shape: [Extent], _ initial: Register, _ mask: Register?, _ b: inout KernelBuilder
  ) -> Register {
    // Narrow floats are folded in a wider type and rounded once.
    let result = b.type(of: initial).element
    let type = result.arithmeticType
    let sum = foldedParts(function, node, outer, inner, source, shape, type, mask, &b)
    return b.convert(b.apply(function, [b.convert(initial, to: type), b.fold(function, sum)]), to: result)
  }

  /// The parts of such a fold: a vector whose lanes are still to be combined.
  private mutating func foldedParts(
    _ function: ScalarFunction, _ node: Node, _ outer: ArraySlice<Int>, _ inner: Int, _ source: [IntegerExpression],
    _ shape: [Extent], _ type: ElementType, _ mask: Register?, _ b: inout KernelBuilder
  ) -> Register {
    let input = node.operands[0]
    guard let neutral = function.neutral(type) else {
      preconditionFailure("an associative function has a neutral element")
    }
    let strips = VectorStrips(to: shape[inner], lanes: lanes, atOnce: vectorsAtOnce).strips
    // Parts of each strip's own, so that strips of lines that follow each other need not be combined.
    let neutrals = strips.map { b.constant(neutral, type, lanes: $0.lanes) }
    let sums = nest(outer, shape, source, neutrals, &b) { lowering, at, parts, b in
      zip(strips, parts).map { lowering.foldedStrip($0, function, input, inner, at, $1, mask, &b) }
    }
    var sum = sums.first.map { b.narrowed($0, to: lanes, function) } ?? b.constant(neutral, type, lanes: lanes)
    for parts in sums.dropFirst() { sum = b.apply(function, [sum, b.narrowed(parts, to: lanes, function)]) }
    return sum
  }

  /// The parts of a row's fold along the innermost dimensions, and with what they are combined; `row` is the index of the
  /// others.
  mutating func parts(ofRow row: [IntegerExpression], of fold: ValueID, in b: inout KernelBuilder) -> Register {
    let node = graph[fold]
    guard case .reduce(let reduce) = node.op, let function = reduce.body.associativeFunction else {
      preconditionFailure("rows are folded with an associative function")
    }
    let shape = graph.type(of: node.operands[0]).dimensions
    let dimensions = Array(row.count..<shape.count)
    let inner = dimensions.last { shape[$0] != .one } ?? shape.count - 1
    let source = row + [IntegerExpression](repeating: .zero, count: dimensions.count)
    let type = node.type.elementType.arithmeticType
    return foldedParts(function, node, dimensions.filter { $0 != inner }[...], inner, source, shape, type, nil, &b)
  }

  /// The parts of a fold with a strip's elements of `input` folded in.
  private mutating func foldedStrip(
    _ strip: VectorStrips.Strip, _ function: ScalarFunction, _ input: ValueID, _ inner: Int,
    _ at: [IntegerExpression], _ parts: Register, _ mask: Register?, _ b: inout KernelBuilder
  ) -> Register {
    let type = b.type(of: parts).element
    return b.loop(from: strip.lower, to: strip.upper, step: strip.lanes, carrying: [parts]) { b, variable, parts in
      var next = parts
      withLanes(strip.lanes, used: strip.usedLanes, &b) { lowering, b in
        var index = at
        index[inner] = variable + .lane
        let valid = strip.mask(at: variable, &b)
        let element = lowering.element(of: input, at: index, mask: b.and(mask, valid), in: &b)
        next = [b.apply(function, [parts[0], b.widen(b.convert(element, to: type), to: strip.lanes)])]
        if let valid { next = [b.apply(.select, [valid, next[0], parts[0]])] }
      }
      return next
    }[0]
  }

  // MARK: Windows

  /// Where a window's tap lies in the base: the position, and whether it is inside and not in a hole.
  func place(
    _ window: WindowDimension, tap: IntegerExpression, output: IntegerExpression, extent: Extent,
    _ b: inout KernelBuilder
  ) -> (IntegerExpression, Register?) {
    let dilated = output * window.stride + tap * window.windowDilation - IntegerExpression(window.paddingLow)
    if window.baseDilation == 1 {
      let isInside = window.paddingLow <= 0 && window.paddingHigh <= 0
      return (dilated, isInside ? nil : b.isWithin(dilated, extent, lanes: lanes))
    }
    let step = IntegerExpression(window.baseDilation)
    let position = dilated.floorDivided(by: step)
    var valid = b.isWithin(position, extent, lanes: lanes)
    valid = b.and(valid, b.isWithin(dilated - position * step, .one, lanes: lanes))
    return (position, valid)
  }

  private mutating func folded(
    _ window: [WindowDimension], _ body: Graph, _ node: Node, _ index: [IntegerExpression], _ mask: Register?,
    _ b: inout KernelBuilder
  ) -> [Register] {
    let count = node.operands.count / 2
    let inputs = Array(node.operands[..<count])
    let shape = graph.type(of: inputs[0]).dimensions
    let width = widthOfElements(inputs, index, mask, b)
    var initial: [Register] = []
    for (operand, type) in zip(node.operands[count...], body.resultTypes) {
      let value = b.convert(element(of: operand, at: [], mask: nil, in: &b), to: type.elementType)
      initial.append(b.widen(value, to: width))
    }
    let moving = window.indices.filter { window[$0].extent != .one }
    let taps = [IntegerExpression](repeating: .zero, count: window.count)
    return nest(moving[...], window.map(\.extent), taps, initial, &b) { lowering, taps, accumulators, b in
      var at: [IntegerExpression] = []
      var valid: Register?
      for d in window.indices {
        let (position, inside) = lowering.place(window[d], tap: taps[d], output: index[d], extent: shape[d], &b)
        at.append(position)
        valid = b.and(valid, inside)
      }
      var elements: [Register] = []
      for input in inputs {
        let element = lowering.element(of: input, at: at, mask: b.and(mask, valid), in: &b)
        elements.append(b.widen(element, to: width))
      }
      let next = lowering.inlined(body, accumulators + elements, in: &b)
      return zip(next, accumulators).map { new, old in
        let wide = b.widen(new, to: width)
        return valid.map { b.apply(.select, [b.widen($0, to: width), wide, old]) } ?? wide
      }
    }
  }

  private mutating func convolved(
    _ convolution: Convolution, _ node: Node, _ index: [IntegerExpression], _ mask: Register?, _ b: inout KernelBuilder
  ) -> Register {
    let (x, kernel) = (node.operands[0], node.operands[1])
    let (xType, kernelType) = (graph.type(of: x), graph.type(of: kernel))
    let d = convolution.dimensionNumbers
    let sumType = Self.sumType(node.type.elementType)
    let width = widthOfElements([x, kernel], index, mask, b)
    let zero = b.constant(.zero(sumType), sumType, lanes: width)
    let feature = index[d.outputFeature]
    let outputFeatures = kernelType.dimensions[d.kernelOutputFeature]
    let groupInputs = kernelType.dimensions[d.kernelInputFeature]
    var batch = index[d.outputBatch]
    if convolution.batchGroupCount > 1 {
      let perGroup = outputFeatures.floorDivided(by: Extent(convolution.batchGroupCount))
      batch +=
        feature.floorDivided(by: perGroup, bound: { [b] in b.bound(of: $0) })
        * xType.dimensions[d.inputBatch]
        .floorDivided(by: Extent(convolution.batchGroupCount))
    }
    var firstInput = IntegerExpression.zero
    if convolution.featureGroupCount > 1 {
      let perGroup = outputFeatures.floorDivided(by: Extent(convolution.featureGroupCount))
      firstInput = feature.floorDivided(by: perGroup, bound: { [b] in b.bound(of: $0) }) * groupInputs
    }
    // The loops: the window's dimensions, then the features of a group.
    let extents = convolution.window.map(\.extent) + [groupInputs]
    let loops = extents.indices.filter { extents[$0] != .one }
    let origin = [IntegerExpression](repeating: .zero, count: extents.count)
    let sum = nest(loops[...], extents, origin, [zero], &b) { lowering, taps, sums, b in
      var i = [IntegerExpression](repeating: .zero, count: xType.rank)
      var k = [IntegerExpression](repeating: .zero, count: kernelType.rank)
      i[d.inputBatch] = batch
      i[d.inputFeature] = firstInput + taps[extents.count - 1]
      k[d.kernelInputFeature] = taps[extents.count - 1]
      k[d.kernelOutputFeature] = feature
      var valid: Register?
      for (n, window) in convolution.window.enumerated() {
        let extent = xType.dimensions[d.inputSpatial[n]]
        let output = index[d.outputSpatial[n]]
        let (position, inside) = lowering.place(window, tap: taps[n], output: output, extent: extent, &b)
        i[d.inputSpatial[n]] = position
        k[d.kernelSpatial[n]] = window.isReversed ? window.extent - 1 - taps[n] : taps[n]
        valid = b.and(valid, inside)
      }
      let a = lowering.element(of: x, at: i, mask: b.and(mask, valid), in: &b)
      let c = lowering.element(of: kernel, at: k, mask: mask, in: &b)
      let next = Self.addProduct(a, c, to: sums[0], sumType, &b)
      return [valid.map { b.apply(.select, [b.widen($0, to: width), next, sums[0]]) } ?? next]
    }
    return b.convert(sum[0], to: node.type.elementType)
  }
}

extension Graph {
  /// Whether no element of a float value is positive, whatever the operands: differences from a row's maximum.
  func isNonpositive(_ value: ValueID) -> Bool {
    guard type(of: value).elementType.isFloat, case .pointwise(let pointwise) = self[value].op else { return false }
    let operands = self[value].operands
    guard case .subtract = pointwise.function, case .broadcastInDim(let broadcast) = self[operands[1]].op,
      case let fold = self[self[operands[1]].operands[0]], case .reduce(let reduce) = fold.op,
      case .maximum? = reduce.body.associativeFunction, fold.operands[0] == operands[0]
    else { return false }
    let kept = type(of: operands[0]).dimensions.indices.filter { !reduce.dimensions.contains($0) }
    return broadcast.dimensions == kept
  }

  /// The function, if the graph is one associative function of its two parameters.
  var associativeFunction: ScalarFunction? {
    guard parameters.count == 2, results.count == 1, case .pointwise(let pointwise) = self[results[0]].op,
      Set(self[results[0]].operands) == Set(parameters), pointwise.function.isAssociative,
      type(of: results[0]).elementType == type(of: parameters[1]).elementType
    else { return nil }
    return pointwise.function
  }
}

extension IntegerExpression {
  /// A bound above the value, where it is known to be one of an index.
  fileprivate func exclusiveBound(_ b: KernelBuilder) -> IntegerExpression? {
    guard let range = range({ b.bound(of: $0) }), range.lowest.isSurelyNonNegative else { return nil }
    return range.highest + 1
  }
}
