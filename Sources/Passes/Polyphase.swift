import IR

extension Pass {
  /// `convolution(x with holes, k) -> interleave(convolution(x, k₀), convolution(x, k₁), …)`: results as far apart as the elements of x see
  /// the same taps of k, and are computed without the holes.
  ///
  /// Transposed convolutions and the gradients of strided ones have holes (base dilation). The phases between two elements are
  /// features of one convolution, whose windows cover as many elements as there are taps for each phase; where these differ by
  /// one, there are two. Groups that have few features even so get a convolution for each phase. Exact: the products that remain are summed in the same order, as far as convolutions do.
  /// Doc: docs/design/0033-transposed-convolutions.md; P. P. Vaidyanathan, "Multirate Systems and Filter Banks" (1993), ch. 4.
  ///
  /// After fold-batch-norm, which looks for constants right behind convolutions; before layout.
  public static let polyphase = Pass(
    "polyphase", "computes convolutions over elements with holes between them without the holes"
  ) { graph, context throws(OpError) in
    guard graph.hasHoles else { return }
    var rebuilder = Rebuilder(graph, [.foldConstants, .polyphase], context)
    graph = try rebuilder.run()
    context = rebuilder.context
  }
}

extension Graph {
  fileprivate var hasHoles: Bool {
    nodes.contains { node in
      if case .convolution(let convolution) = node.op { return convolution.window.contains { $0.baseDilation > 1 } }
      return node.op.definition.regions.contains(where: \.hasHoles)
    }
  }
}

extension Rule {
  fileprivate static let polyphase = Rule("polyphase") { op, operands, b throws(OpError) in
    guard case .convolution(let convolution) = op, let polyphase = PolyphaseConvolution(convolution, operands, b) else {
      return nil
    }
    return try polyphase.value(&b)
  }
}

/// One dimension of a convolution: its results cut into phases.
///
/// With elements of the base a distance s apart, K taps and padding p before them, the result o sums the taps t that p - o is
/// congruent to, modulo s. Let o = s q + r - c, with c such that p + c is s n + s - 1. Then result r of each s has the taps
/// s m + s - 1 - r, which fall on the elements q + m - n. Where phases are apart, they are counted from result 0 on: phase r - c
/// if that is none before it, else phase r - c + s, which begins an element later.
private struct Phases {
  /// From one element to the next: s.
  let distance: Int
  let window: WindowDimension
  let base: Extent
  /// Results of the convolution as it is written.
  let outputs: Extent
  /// The taps: K.
  let taps: Int
  /// Whether each phase is a part of its own.
  var areApart = false

  /// The largest distance between elements of an open extent: there may be few of them.
  private static let mostOpenDistance = 64

  /// Nil where windows are not those of a transposed convolution, or most of what is interleaved would be cut off.
  init?(_ window: WindowDimension, base: Extent, outputs: Extent) {
    guard let taps = window.extent.fixed, taps > 0 else { return nil }
    distance = window.baseDilation
    (self.window, self.base, self.outputs, self.taps) = (window, base, outputs, taps)
    if base == .zero || outputs == .zero { return nil }
    if distance == 1 { return }
    guard window.stride == 1, window.windowDilation == 1 else { return nil }
    guard let outputs = outputs.fixed, base.isFixed else {
      if distance > Self.mostOpenDistance { return nil }
      return
    }
    if outputs < distance { return nil }
  }

  /// What the first phase begins after: c.
  private var offset: Int { distance == 1 ? 0 : (distance - 1 - window.paddingLow).flooredRemainder(distance) }

  /// Results that are computed before the first.
  var skipped: Int { areApart ? 0 : offset }

  /// Elements before the first: n.
  private var paddingLow: Int { (offset + window.paddingLow - (distance - 1)) / distance }

  /// Results for each phase, less the base's extent.
  private var excess: Int {
    (window.paddingLow + window.paddingHigh - taps + 1 + skipped).flooredQuotient(distance)
  }

  /// Results of each phase.
  var count: Extent { distance == 1 ? outputs : base + excess }

  /// Phases side by side with the same number of taps.
  struct Part {
    var phases: Range<Int>
    var taps: Int
    /// The element that the first result begins at, less that of other parts.
    var first = 0
  }

  /// How many parts there are; distances may be large.
  var partCount: Int { areApart ? distance : parts.count }

  /// Those with fewer taps come first, and none has no taps, but where phases are apart.
  var parts: [Part] {
    if distance == 1 { return [Part(phases: 0..<1, taps: taps)] }
    let (whole, rest) = taps.quotientAndRemainder(dividingBy: distance)
    if areApart {
      return (0..<distance).map { number in
        let (first, phase) = (number + offset).quotientAndRemainder(dividingBy: distance)
        return Part(phases: phase..<phase + 1, taps: phase < distance - rest ? whole : whole + 1, first: first)
      }
    }
    if rest == 0 { return [Part(phases: 0..<distance, taps: whole)] }
    let parts = [
      Part(phases: 0..<distance - rest, taps: whole), Part(phases: distance - rest..<distance, taps: whole + 1),
    ]
    return parts.filter { $0.taps > 0 }
  }

  func window(of part: Part) -> WindowDimension {
    if distance == 1 { return window }
    let low = paddingLow - part.first
    return WindowDimension(extent: Extent(part.taps), paddingLow: low, paddingHigh: excess - low + part.taps - 1)
  }
}

/// A convolution over elements with holes between them.
private struct PolyphaseConvolution {
  let convolution: Convolution
  let operands: [ValueID]
  let dimensions: [Phases]
  let batch: Extent
  let inputs: Extent
  let groups: Int
  /// Output features of a group.
  let features: Extent
  /// Whether each phase is a convolution of its own.
  let areApart: Bool

  /// Phases and features that a group has at least: with fewer, windows whose vectors lie along groups or lines are faster, of
  /// one phase each.
  private static let leastColumns = 16
  /// More convolutions, for phases with more and with fewer taps of each dimension, are not worth their kernels.
  private static let mostConvolutions = 8
  /// Taps of a phase of single features that are written out.
  private static let mostTaps = 9
  /// Results with more elements do not fit; what is cut off could make their number too large for 64 bits.
  private static let mostElements = 1 << 40

  init?(_ convolution: Convolution, _ operands: [ValueID], _ b: Rebuilder) {
    guard convolution.window.contains(where: { $0.baseDilation > 1 }), convolution.batchGroupCount == 1
    else { return nil }
    let (x, kernel, d) = (b.type(of: operands[0]), b.type(of: operands[1]), convolution.dimensionNumbers)
    var dimensions: [Phases] = []
    for (window, input) in zip(convolution.window, d.inputSpatial) {
      let base = x.dimensions[input]
      guard let phases = Phases(window, base: base, outputs: window.outputExtent(base: base)) else { return nil }
      dimensions.append(phases)
    }
    let known = [x.dimensions[d.inputBatch], kernel.dimensions[d.kernelOutputFeature]] + dimensions.map(\.outputs)
    let count = known.compactMap(\.fixed).reduce(1.0) { $0 * Double($1) }
    if count > Double(Self.mostElements) { return nil }
    (self.convolution, self.operands) = (convolution, operands)
    batch = x.dimensions[d.inputBatch]
    inputs = kernel.dimensions[d.kernelInputFeature]
    groups = convolution.featureGroupCount
    features = kernel.dimensions[d.kernelOutputFeature].floorDivided(by: Extent(groups))
    let columns = dimensions.reduce(features) { $0 * $1.distance }
    areApart = groups > 1 && (columns.fixed ?? 0) < Self.leastColumns
    for d in dimensions.indices { dimensions[d].areApart = areApart }
    self.dimensions = dimensions
    let most = areApart ? Self.leastColumns : Self.mostConvolutions
    if dimensions.reduce(1, { min($0 * $1.partCount, most + 1) }) > most { return nil }
  }

  private var rank: Int { dimensions.count }

  func value(_ b: inout Rebuilder) throws(OpError) -> ValueID {
    let taps = try orderedTaps(&b)
    let results = try joined([], taps, &b)
    let d = convolution.dimensionNumbers
    // Batch, dimensions and features in the order of the result.
    var ordered = [Int](repeating: 0, count: rank + 2)
    for (place, dimension) in d.outputOrder.enumerated() { ordered[dimension] = place }
    // Convolutions have features last; a loop that interleaves phases writes them where they go.
    let order = areApart ? ordered : Array(ordered.indices)
    // Place and phase of each dimension, group and feature.
    let sources = [[0]] + (0..<rank).map { [1 + $0, 2 + rank + $0] } + [[1 + rank, 2 + 2 * rank]]
    let interleaved = try b.append(.transpose(Transpose(permutation: order.flatMap { sources[$0] })), [results])
    let outputs = features * groups
    let extents = order.map { ([batch] + dimensions.map { $0.count * $0.distance } + [outputs])[$0] }
    var value = try b.reshaped(interleaved, to: extents)
    let starts = order.map { ([.zero] + dimensions.map { Extent($0.skipped) } + [.zero])[$0] }
    let limits = order.map { ([batch] + dimensions.map { $0.outputs + $0.skipped } + [outputs])[$0] }
    if limits != extents || starts.contains(where: { $0 != .zero }) {
      let slice = Slice(starts: starts, limits: limits, strides: [Int](repeating: 1, count: rank + 2))
      value = try b.append(.slice(slice), [value])
    }
    if ordered == order { return value }
    return try b.append(.transpose(Transpose(permutation: ordered)), [value])
  }

  /// The kernel's taps in the order in which results see them, then input features, groups and features.
  private func orderedTaps(_ b: inout Rebuilder) throws(OpError) -> ValueID {
    let d = convolution.dimensionNumbers
    let order = d.kernelSpatial + [d.kernelInputFeature, d.kernelOutputFeature]
    var kernel = try b.append(.transpose(Transpose(permutation: order)), [operands[1]])
    let reversed = dimensions.indices.filter { dimensions[$0].distance > 1 && dimensions[$0].window.isReversed }
    if !reversed.isEmpty { kernel = try b.append(.reverse(Reverse(dimensions: reversed)), [kernel]) }
    return try b.reshaped(kernel, to: dimensions.map { Extent($0.taps) } + [inputs, Extent(groups), features])
  }

  /// The taps of one dimension as two: those that a part's phases have, and the phases.
  private func split(
    _ taps: ValueID, _ dimension: Int, _ part: Phases.Part, _ b: inout Rebuilder
  ) throws(OpError) -> ValueID {
    let (count, distance) = (dimensions[dimension].taps, dimensions[dimension].distance)
    let whole = count / distance
    // In the order of taps the last phase comes first.
    let phases = distance - part.phases.upperBound..<distance - part.phases.lowerBound
    var rows: [(taps: Range<Int>, length: Int)] = []
    if whole > 0 { rows.append((0..<whole * distance, distance)) }
    if part.taps > whole { rows.append((whole * distance..<count, count % distance)) }
    var pieces: [ValueID] = []
    for row in rows {
      let piece = try slice(taps, dimension, row.taps, &b)
      var extents = b.type(of: piece).dimensions
      extents.replaceSubrange(
        dimension...dimension, with: [Extent(row.taps.count / row.length), Extent(row.length)])
      pieces.append(try slice(b.reshaped(piece, to: extents), dimension + 1, phases, &b))
    }
    let value = pieces.count == 1 ? pieces[0] : try b.append(.concatenate(Concatenate(dimension: dimension)), pieces)
    return phases.count == 1 ? value : try b.append(.reverse(Reverse(dimensions: [dimension + 1])), [value])
  }

  private func slice(
    _ value: ValueID, _ dimension: Int, _ range: Range<Int>, _ b: inout Rebuilder
  ) throws(OpError) -> ValueID {
    let extents = b.type(of: value).dimensions
    if Extent(range.count) == extents[dimension] { return value }
    var (starts, limits) = ([Extent](repeating: .zero, count: extents.count), extents)
    (starts[dimension], limits[dimension]) = (Extent(range.lowerBound), Extent(range.upperBound))
    let op = Slice(starts: starts, limits: limits, strides: [Int](repeating: 1, count: extents.count))
    return try b.append(.slice(op), [value])
  }

  /// The results of all phases of the dimensions behind those of `parts`: batch, places, group, phases, feature.
  private func joined(_ parts: [Phases.Part], _ taps: ValueID, _ b: inout Rebuilder) throws(OpError) -> ValueID {
    guard parts.count < rank else { return try convolved(parts, taps, &b) }
    let dimension = dimensions[parts.count]
    var values: [ValueID] = []
    for part in dimension.parts { values.append(try joined(parts + [part], taps, &b)) }
    let place = 2 + rank + parts.count
    var value = values[0]
    if values.count > 1 { value = try b.append(.concatenate(Concatenate(dimension: place)), values) }
    let missing = areApart ? 0 : dimension.parts[0].phases.lowerBound
    if missing == 0 { return value }
    // Phases without taps.
    let type = b.type(of: value)
    let none = [Extent](repeating: .zero, count: type.rank)
    var low = none
    low[place] = Extent(missing)
    let zero = try b.constant(.scalar(.zero(type.elementType), type.elementType))
    let pad = Pad(low: low, high: none, interior: [Int](repeating: 0, count: type.rank))
    return try b.append(.pad(pad), [value, zero])
  }

  /// The results of some phases of all dimensions: batch, places, group, phases, feature.
  private func convolved(_ parts: [Phases.Part], _ taps: ValueID, _ b: inout Rebuilder) throws(OpError) -> ValueID {
    let phases = parts.map { Extent($0.phases.count) }
    let extents = [batch] + dimensions.map(\.count) + [Extent(groups)] + phases + [features]
    if parts.contains(where: { $0.taps == 0 }) {
      let zero = try b.constant(.scalar(.zero(convolution.resultType), convolution.resultType))
      return try b.append(.broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: extents)), [zero])
    }
    var kernel = taps
    for (dimension, part) in parts.enumerated().reversed() { kernel = try split(kernel, dimension, part, &b) }
    let windows = zip(dimensions, parts).map { $0.window(of: $1) }
    let value =
      areFewTaps(windows, b)
      ? try weighted(windows, kernel, &b) : try convolution(of: windows, parts, kernel, &b)
    return try b.reshaped(value, to: extents)
  }

  private func convolution(
    of windows: [WindowDimension], _ parts: [Phases.Part], _ taps: ValueID, _ b: inout Rebuilder
  ) throws(OpError) -> ValueID {
    let order =
      parts.indices.map { 2 * $0 } + [2 * rank, 2 * rank + 1] + parts.indices.map { 2 * $0 + 1 } + [2 * rank + 2]
    var kernel = try b.append(.transpose(Transpose(permutation: order)), [taps])
    let columns = parts.reduce(features * groups) { $0 * $1.phases.count }
    kernel = try b.reshaped(kernel, to: parts.map { Extent($0.taps) } + [inputs, columns])
    let d = convolution.dimensionNumbers
    let space = Array(0..<rank)
    let numbers = Convolution.DimensionNumbers(
      inputBatch: d.inputBatch, inputFeature: d.inputFeature, inputSpatial: d.inputSpatial, kernelInputFeature: rank,
      kernelOutputFeature: rank + 1, kernelSpatial: space, outputBatch: 0, outputFeature: rank + 1,
      outputSpatial: space.map { $0 + 1 })
    let op = Convolution(
      window: windows, dimensionNumbers: numbers, featureGroupCount: groups, resultType: convolution.resultType)
    return try b.append(.convolution(op), [operands[0], kernel])
  }

  // MARK: Few taps of single features

  /// Whether the results of a phase are the sum of a few elements, each times a number of its feature: where those are written
  /// out, the loop that interleaves the phases computes them.
  private func areFewTaps(_ windows: [WindowDimension], _ b: Rebuilder) -> Bool {
    let types = operands.map { b.type(of: $0).elementType } + [convolution.resultType]
    return areApart && inputs == .one && features == .one
      && types.allSatisfy { [.f32, .f64].contains($0) && $0 == types[0] }
      && windows.allSatisfy { $0.stride == 1 && $0.windowDilation == 1 && $0.baseDilation == 1 && !$0.isReversed }
      && windows.reduce(1) { $0 * ($1.extent.fixed ?? Self.mostTaps) } <= Self.mostTaps
  }

  /// The sum over the taps of the elements that they fall on, times the taps: batch, places, group.
  private func weighted(
    _ windows: [WindowDimension], _ taps: ValueID, _ b: inout Rebuilder
  ) throws(OpError) -> ValueID {
    let (d, base) = (convolution.dimensionNumbers, operands[0])
    let extents = b.type(of: base).dimensions
    let none = [Extent](repeating: .zero, count: rank + 2)
    let zero = try b.constant(.scalar(.zero(convolution.resultType), convolution.resultType))
    let phase = zip(d.inputSpatial, dimensions).reduce(into: extents) { $0[$1.0] = $1.1.count }
    // Sums begin with 0, so that none is -0.
    var sum = try b.append(.broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: phase)), [zero])
    for index in allIndices(windows.map { $0.extent.fixed ?? 0 }) {
      var tap = taps
      for (dimension, position) in index.enumerated() {
        tap = try slice(tap, 2 * dimension, position..<position + 1, &b)
      }
      let weight = try b.append(
        .broadcastInDim(BroadcastInDim(dimensions: [d.inputFeature], resultDimensions: extents)),
        [b.reshaped(tap, to: [Extent(groups)])])
      // What lies beside the base is left out, whatever its tap is.
      let product = try b.append(.pointwise(.multiply), [base, weight])
      var (low, high) = (none, none)
      for (dimension, position) in index.enumerated() {
        let (window, place) = (windows[dimension], d.inputSpatial[dimension])
        low[place] = Extent(window.paddingLow - position)
        high[place] = Extent(window.paddingHigh - ((window.extent.fixed ?? 1) - 1 - position))
      }
      let pad = Pad(low: low, high: high, interior: [Int](repeating: 0, count: rank + 2))
      sum = try b.append(.pointwise(.add), [sum, b.append(.pad(pad), [product, zero])])
    }
    let order = [d.inputBatch] + d.inputSpatial + [d.inputFeature]
    return try b.append(.transpose(Transpose(permutation: order)), [sum])
  }
}
