import IR

/// Writes the tiles of one task of a convolution along lines.
struct LineConvolutionTiles {
  /// The most taps along a line that are written out.
  private static let tapLimit = 16

  let product: LineConvolution
  let tasks: LineTasks
  /// The copied input, if it is not read in place.
  let copy: Memory?
  let panels: Memory
  let outputs: [Memory]
  /// The task's position in the extents of `tasks`.
  let numbers: [IntegerExpression]

  private var shape: LineConvolution.Shape { product.shape }
  private var windows: [WindowDimension] { product.convolution.window }
  private var lineWindow: WindowDimension { windows[windows.count - 1] }
  private var group: IntegerExpression { numbers[0] }
  private var lanes: Int { product.lanes }
  /// Outputs of a line.
  private var line: Extent {
    product.isFlat ? product.spatial.reduce(.one) { $0 * $1 } : product.spatial[windows.count - 1]
  }

  func write(_ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
    let outer = product.isFlat ? [] : Array(numbers[2..<(1 + windows.count)])
    let rows = windows.indices.dropLast().map { d in
      product.isFlat ? Row(.zero) : row(at: outer[d], d, &b)
    }
    shape.tiles.write(tasks.block(numbers), &lowering, &b) { lowering, b, first, vectors, isWhole in
      let tile = Tile(first: first, vectors: vectors, isWhole: isWhole, outer: outer, rows: rows)
      let count = product.panelCount
      if count == 1 { return multiply(tile, panel: .zero, &lowering, &b) }
      b.loop(to: Extent(count)) { b, panel, _ in
        lowering.withScope { multiply(tile, panel: panel, &$0, &b) }
        return []
      }
    }
  }

  // MARK: Tiles

  /// Where a task lies in a dimension but the last.
  private struct Row {
    /// The source's position under the first tap.
    var start: IntegerExpression
    /// With holes, the first tap and how many there are.
    var holes: (first: IntegerExpression, count: IntegerExpression)?

    init(_ start: IntegerExpression) { self.start = start }
  }

  private struct Tile {
    /// In vectors of each phase.
    var first: IntegerExpression
    var vectors: Int
    var isWhole: Bool
    /// The position of the outputs in the spatial dimensions but the last.
    var outer: [IntegerExpression]
    var rows: [Row]
  }

  private func row(at output: IntegerExpression, _ d: Int, _ b: inout KernelBuilder) -> Row {
    let window = windows[d]
    guard window.baseDilation > 1, case .copied(let copy, _) = product.source else {
      return Row(output * window.stride)
    }
    let distance = Extent(window.baseDilation)
    func value(_ expression: IntegerExpression) -> IntegerExpression {
      b.index(of: b.materialize(expression, lanes: 1))
    }
    let start = IntegerExpression(window.paddingLow) - output
    let first = value(start - start.floorDivided(by: distance) * distance)
    let count = value((window.extent - first + (window.baseDilation - 1)).floorDivided(by: distance))
    var row = Row(value((first - start).floorDivided(by: distance)) + copy.low[d])
    row.holes = (first, count)
    return row
  }

  private func multiply(
    _ tile: Tile, panel: IntegerExpression, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    let kernel = Microkernel(rows: shape.rows, vectors: tile.vectors, lanes: lanes, type: product.sumType)
    let depth = windows.reduce(product.groupInputs) { $0 * $1.extent }
    let start = (group * product.panelCount + panel) * depth * shape.rows
    let panelStart = b.index(of: b.materialize(start, lanes: 1))
    let zero = b.constant(.zero(product.sumType), product.sumType, lanes: lanes)
    let phases = (0..<shape.phases).map { phase in
      let pixels = LinePixels(tiles: self, tile: tile, phase: phase, panelStart: panelStart, kernel: kernel)
      let sums = [Register](repeating: zero, count: kernel.rows * kernel.vectors)
      return kernel.byRow(lowering.withScope { features(pixels, sums, &$0, &b) })
    }
    store(phases, tile, panel, &lowering, &b)
  }

  private func features(
    _ pixels: LinePixels, _ sums: [Register], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    if product.groupInputs == .one { return taps([], .zero, pixels, sums, &lowering, &b) }
    return b.loop(to: product.groupInputs, carrying: sums) { b, feature, sums in
      lowering.withScope { taps([], feature, pixels, sums, &$0, &b) }
    }
  }

  /// Adds the products of all taps at one input feature, of which `fixed` has those of the first dimensions.
  private func taps(
    _ fixed: [LinePixels.Tap], _ feature: IntegerExpression, _ pixels: LinePixels, _ sums: [Register],
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    let d = fixed.count
    guard d < windows.count - 1 else { return lineTaps(fixed, feature, pixels, sums, &lowering, &b) }
    let (window, row) = (windows[d], pixels.tile.rows[d])
    func at(_ number: IntegerExpression) -> LinePixels.Tap {
      guard let holes = row.holes else {
        return LinePixels.Tap(window: number, source: row.start + number * window.windowDilation)
      }
      return LinePixels.Tap(window: holes.first + number * window.baseDilation, source: row.start + number)
    }
    if window.extent == .one && row.holes == nil {
      return taps(fixed + [at(.zero)], feature, pixels, sums, &lowering, &b)
    }
    return b.loop(to: row.holes?.count ?? window.extent, carrying: sums) { b, number, sums in
      lowering.withScope { taps(fixed + [at(number)], feature, pixels, sums, &$0, &b) }
    }
  }

  /// Adds the products of the taps along the line.
  private func lineTaps(
    _ fixed: [LinePixels.Tap], _ feature: IntegerExpression, _ pixels: LinePixels, _ sums: [Register],
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    var sums = sums
    for run in runs(phase: pixels.phase) where run.count > 0 {
      if run.count <= Self.tapLimit {
        for number in 0..<run.count {
          let tap = run.tap(IntegerExpression(number))
          sums = pixels.adding(to: sums, at: fixed + [tap], feature, &lowering, &b)
        }
      } else {
        sums = b.loop(to: Extent(run.count), carrying: sums) { b, number, sums in
          lowering.withScope { pixels.adding(to: sums, at: fixed + [run.tap(number)], feature, &$0, &b) }
        }
      }
    }
    return sums
  }

  /// Taps along the line at equal distances in window and source.
  private struct Run {
    var count: Int
    var first: Int
    var step: Int
    var source: IntegerExpression
    var sourceStep: Int

    func tap(_ number: IntegerExpression) -> LinePixels.Tap {
      LinePixels.Tap(window: number * step + first, source: source + number * sourceStep)
    }
  }

  private func runs(phase: Int) -> [Run] {
    let (window, extent) = (lineWindow, lineWindow.extent.fixed ?? 0)
    guard case .copied(let copy, let type) = product.source else {
      return [Run(count: extent, first: 0, step: 1, source: .zero, sourceStep: window.windowDilation)]
    }
    if window.baseDilation > 1 {
      let taps = PhaseTaps(window, outputPhase: phase)
      let source = IntegerExpression(taps.offset + copy.low[windows.count - 1])
      return [
        Run(count: taps.count, first: taps.first, step: window.baseDilation, source: source, sourceStep: 1)
      ]
    }
    // Taps that leave the same rest read the same phase of the copy.
    let positions = type.dimensions[type.rank - 1]
    return (0..<window.stride).map { rest in
      let place = rest * window.windowDilation
      return Run(
        count: max(0, (extent - rest + window.stride - 1) / window.stride), first: rest, step: window.stride,
        source: positions * (place % window.stride) + (place / window.stride), sourceStep: window.windowDilation)
    }
  }

  // MARK: Results

  private func store(
    _ phases: [[[Register]]], _ tile: Tile, _ panel: IntegerExpression, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let numbers = product.convolution.dimensionNumbers
    let count = shape.phases
    for row in 0..<shape.rows {
      let feature = panel * shape.rows + IntegerExpression(row)
      // Only the last panel may have fewer features.
      let mayMiss = row >= product.groupOutputs - (product.panelCount - 1) * shape.rows
      let isFeature = mayMiss ? b.isWithin(feature, Extent(product.groupOutputs), lanes: 1) : nil
      for vector in 0..<tile.vectors {
        let parts = phases.map { $0[row][vector] }
        for part in 0..<count {
          let element = b.picking(lanes: lanes, from: parts) {
            let place = part * lanes + $0
            return (place % count, place / count)
          }
          let position = ((tile.first + vector) * count + part) * lanes + .lane
          let isOutput = tile.isWhole ? nil : b.isWithin(position, line, lanes: lanes)
          var index = [IntegerExpression](repeating: .zero, count: windows.count + 2)
          index[numbers.outputBatch] = self.numbers[1]
          index[numbers.outputFeature] = group * product.groupOutputs + feature
          let pixel = product.isFlat ? b.unflattened(position, in: product.spatial) : tile.outer + [position]
          for (d, output) in numbers.outputSpatial.enumerated() { index[output] = pixel[d] }
          product.epilogue.store(
            element, of: product.anchor, at: index, mask: b.and(isOutput, isFeature), outputs: outputs, &lowering, &b)
        }
      }
    }
  }

  // MARK: Operands

  /// The vectors of pixels of one tile and phase, and the features they are multiplied with.
  private struct LinePixels {
    let tiles: LineConvolutionTiles
    let tile: Tile
    let phase: Int
    let panelStart: IntegerExpression
    let kernel: Microkernel

    /// A tap along one dimension: its position in the window, and in the source for the outputs at hand.
    struct Tap {
      var window: IntegerExpression
      var source: IntegerExpression
    }

    func adding(
      to sums: [Register], at taps: [Tap], _ feature: IntegerExpression, _ lowering: inout ElementLowering,
      _ b: inout KernelBuilder
    ) -> [Register] {
      let product = tiles.product
      var step = IntegerExpression.zero
      for (window, tap) in zip(tiles.windows, taps) {
        step = step * window.extent + (window.isReversed ? window.extent - 1 - tap.window : tap.window)
      }
      let position = panelStart + (step * product.groupInputs + feature) * kernel.rows
      var vectors: [Register] = []
      for vector in 0..<kernel.vectors { vectors.append(pixel(vector, taps, feature, &lowering, &b)) }
      return kernel.adding(
        to: sums, rows: Array(0..<kernel.rows), over: [], &lowering, &b,
        row: { _, b, row, _ in b.load(tiles.panels, at: position + IntegerExpression(row), lanes: product.lanes) },
        panel: { _, _, vector, _ in vectors[vector] })
    }

    /// A vector of pixels under a tap, at one input feature.
    private func pixel(
      _ vector: Int, _ taps: [Tap], _ feature: IntegerExpression, _ lowering: inout ElementLowering,
      _ b: inout KernelBuilder
    ) -> Register {
      let product = tiles.product
      let (image, channel) = (tiles.numbers[1], tiles.group * product.groupInputs + feature)
      let column = (tile.first + vector) * product.lanes + .lane
      var space = taps.map(\.source)
      if let copy = tiles.copy, case .copied(_, let type) = product.source {
        // The phases of a line are part of its position.
        let strides = type.strides
        let last = space.removeLast() + column
        let start = zip([image, channel] + space, strides).reduce(last) { $0 + $1.0 * $1.1 }
        return b.load(copy, at: start, lanes: product.lanes)
      }
      let mask = tile.isWhole ? nil : b.isWithin(column, tiles.line, lanes: product.lanes)
      if product.isFlat { space = b.unflattened(column, in: product.spatial) } else { space[space.count - 1] += column }
      let numbers = product.convolution.dimensionNumbers
      var index = [IntegerExpression](repeating: .zero, count: space.count + 2)
      (index[numbers.inputBatch], index[numbers.inputFeature]) = (image, channel)
      for (d, position) in zip(numbers.inputSpatial, space) { index[d] = position }
      let element = lowering.element(of: product.input, at: index, mask: mask, in: &b)
      return b.widen(element, to: product.lanes)
    }
  }
}
