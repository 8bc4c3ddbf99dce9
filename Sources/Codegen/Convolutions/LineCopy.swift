import IR

/// The input of a convolution copied with its padding as zeros, the pixels of a line side by side.
///
/// With a stride along the line, pixels are sorted by what the stride leaves over, so that those that neighbouring outputs
/// read are neighbours. A line is long enough for whole vectors of outputs.
struct LineCopy {
  /// Elements before those of the input, for each spatial dimension; negative where some are left out.
  let low: [Int]
  let high: [Extent]
  /// The stride along the line.
  let stride: Int

  /// Nil where padding is not known.
  init?(_ windows: [WindowDimension], _ bases: [Extent], _ outputs: [Extent], _ lanes: Int) {
    var low: [Int] = []
    var high: [Extent] = []
    for (d, window) in windows.enumerated() {
      let isLine = d == windows.count - 1
      guard isLine || window.baseDilation > 1 else {
        low.append(window.paddingLow)
        high.append(Extent(window.paddingHigh))
        continue
      }
      // With a stride beyond the base hardly any of what lies between is read.
      guard let base = bases[d].fixed, let extent = outputs[d].fixed, window.stride <= max(1, base) else { return nil }
      let phases = (0..<window.baseDilation).map { PhaseTaps(window, outputPhase: $0) }.filter { $0.count > 0 }
      let before = window.baseDilation == 1 ? window.paddingLow : -(phases.map(\.offset).min() ?? 0)
      // Positions of a line's outputs, of each phase and in whole vectors.
      let unit = isLine ? lanes * window.baseDilation : window.baseDilation
      let positions = (extent + unit - 1) / unit * (isLine ? lanes : 1)
      let reach: Int
      if window.baseDilation == 1 {
        reach = ((window.extent.fixed ?? 1) - 1) * window.windowDilation / window.stride
      } else {
        reach = before + (phases.map { $0.offset + $0.count - 1 }.max() ?? 0)
      }
      low.append(before)
      high.append(Extent((positions + reach) * window.stride - before - base))
    }
    self.low = low
    self.high = high
    stride = windows[windows.count - 1].stride
  }

  /// A graph over the fusion's operands whose only result is the copy: batch, features, and space; where there is a stride
  /// along the line, the line's phases before its positions.
  func graph(of input: ValueID, _ convolution: Convolution, in body: Graph) -> Graph {
    var graph = body
    graph.results = []
    let type = graph.type(of: input)
    let numbers = convolution.dimensionNumbers
    let order = [numbers.inputBatch, numbers.inputFeature] + numbers.inputSpatial
    let transposed = graph.moving(input, .transpose(Transpose(permutation: order)))
    let zero = graph.moving(nil, .constant(.scalar(.zero(type.elementType), type.elementType)))
    let interior = [Int](repeating: 0, count: order.count)
    let before = [0, 0] + low.map { Extent($0) }
    var copy = graph.moving(transposed, .pad(Pad(low: before, high: [0, 0] + high, interior: interior)), zero)
    if stride > 1 {
      let dimensions = graph.type(of: copy).dimensions
      let rank = dimensions.count
      let positions = dimensions[rank - 1].floorDivided(by: Extent(stride))
      let split = Array(dimensions.dropLast()) + [positions, Extent(stride)]
      copy = graph.moving(copy, .reshape(Reshape(resultDimensions: split)))
      copy = graph.moving(
        copy, .transpose(Transpose(permutation: Array(0..<rank - 1) + [rank, rank - 1])))
    }
    graph.results = [copy]
    return graph
  }
}

/// The taps of a window over a base with holes that fall on elements, for the outputs of one phase: those that leave the
/// same rest divided by the distance between the elements.
///
/// Output `phase + q * baseDilation` reads the element `q + offset + j` under the tap `first + j * baseDilation`.
struct PhaseTaps {
  let first: Int
  let count: Int
  let offset: Int

  init(_ window: WindowDimension, outputPhase phase: Int) {
    let distance = window.baseDilation
    let start = window.paddingLow - phase
    first = ((start % distance) + distance) % distance
    count = max(0, ((window.extent.fixed ?? 0) - first + distance - 1) / distance)
    offset = (first - start) / distance
  }
}
