import IR

/// A convolution of 3 × 3 windows by minimal filtering, F(2 × 2, 3 × 3): 16 products in the place of 36.
///
/// An image is cut into squares of 2 × 2 results, each of which needs a patch of 4 × 4 pixels. Patches and weights are
/// transformed, multiplied point by point as 16 products of matrices (squares by features), and the sums transformed back.
/// Doc: docs/design/0032-convolutions-with-fewer-products.md; S. Winograd, "Arithmetic Complexity of Computations" (1980);
/// A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks" (2015).
struct WinogradConvolution {
  /// Pixels along the side of a patch, of a window and of a square of results.
  static let (patch, taps, side) = (4, 3, 2)
  static let pointCount = patch * patch
  /// A patch's largest magnitude is less than so many powers of two above that of the four pixels which all of its windows
  /// share; otherwise its block is multiplied directly.
  static let exponentRange = 4
  /// The exponents that the largest magnitude of a patch may have, beside zero; those of the weights.
  static let (patchExponents, weightExponents) = (-60...60, -40...40)
  /// Of exponents in f32.
  static let bias = 127
  /// The most bytes of a task's transformed patches and sums: they lie on the stack.
  private static let mostByteCount = 640 << 10

  let product: ImplicitProduct
  /// Input features.
  let features: Int
  /// Squares of an image along both dimensions.
  let squares: (rows: Int, columns: Int)
  let vectors: Int
  /// Squares of a task, and the tasks that an image's squares make.
  let blockSquares: Int
  let blockCount: Int
  /// Panels of a task, and the tasks that all panels make.
  let taskPanels: Int
  let panelBlockCount: Int

  var lanes: Int { product.lanes }
  var width: Int { vectors * lanes }
  var panelCount: Int { (product.groupOutputs + width - 1) / width }
  private var squareCount: Int { squares.rows * squares.columns }
  private var inputVectors: Int { (features + lanes - 1) / lanes }
  /// Elements between the features of neighbouring squares; no power of two, so that they share the cache.
  private var pitch: Int { (inputVectors + 1) * lanes }
  private var plane: Int { blockSquares * pitch }
  private var sumPlane: Int { blockSquares * width }

  /// Nil where windows, types or extents do not fit, or nothing is gained.
  init?(_ product: ImplicitProduct) {
    let (request, windows, lanes) = (product.request, product.windows, product.lanes)
    let (target, body) = (request.target, request.body)
    guard request.precision != .f32Strict, target.workGroups == nil,
      product.words == nil, product.groups == 1,
      product.sumType == .f32, product.sourceType.elementType == .f32,
      body.type(of: product.kernel).elementType == .f32,
      windows.count == 2,
      windows.allSatisfy({
        $0.extent == Extent(Self.taps) && $0.stride == 1 && $0.windowDilation == 1 && $0.baseDilation == 1
          && (0..<Self.taps).contains($0.paddingLow) && (0..<Self.taps).contains($0.paddingHigh)
      }),
      let features = product.groupInputs.fixed, features > 0,
      let height = product.spatial[0].fixed, let columns = product.spatial[1].fixed, height > 1, columns > 1
    else { return nil }
    self.product = product
    self.features = features
    squares = ((height + Self.side - 1) / Self.side, (columns + Self.side - 1) / Self.side)
    let count = squares.rows * squares.columns
    vectors = Microkernel.vectors(columns: product.groupOutputs, rows: count, lanes: lanes, target)
    let panelCount = (product.groupOutputs + vectors * lanes - 1) / (vectors * lanes)
    // The pixels that all windows of a square share must not be padding alone.
    for (d, count) in [squares.rows, squares.columns].enumerated() {
      guard let extent = product.sourceType.dimensions[d + 1].fixed,
        Self.side * (count - 1) - windows[d].paddingLow + 1 < extent
      else { return nil }
    }
    let squareBytes = 4 * Self.pointCount * ((features + lanes - 1) / lanes + 1 + vectors) * lanes
    let most = min(Self.mostByteCount, target.l2ByteCount / 2) / squareBytes
    guard most > 0 else { return nil }
    let images = max(1, product.batch.fixed ?? 1)
    // Blocks of fewer squares, where weights stay in the cache for all of them.
    let weightBytes = 4 * Self.pointCount * features * panelCount * vectors * lanes
    let smallest = Microkernel.rowLimit(vectors: vectors, target)
    let wanted = weightBytes <= target.l2ByteCount / 2 ? min(count / smallest, Self.enoughTasks / images) : 1
    let fewest = max(wanted, (count + most - 1) / most)
    blockSquares = (count + fewest - 1) / fewest
    blockCount = (count + blockSquares - 1) / blockSquares
    let blocks = images * blockCount
    let parts = max(1, min((panelCount + 1) / 2, (Self.enoughTasks + blocks - 1) / blocks))
    taskPanels = (panelCount + parts - 1) / parts
    panelBlockCount = (panelCount + taskPanels - 1) / taskPanels
    guard hasUsualWeights != false, pays(outputs: height * columns, target) else { return nil }
  }

  private static let enoughTasks = 8

  // MARK: Cost

  /// Cycles beside the products: of a vector of a patch's features, of a vector of a square's sums, and of one of weights.
  private static let (patchCycles, sumCycles, weightCycles) = (45.0, 45.0, 45.0)
  /// A cache holds weights from one run to the next if it is so many times as large, and what was written just before.
  private static let (lastingShare, freshShare) = (4.0, 1.5)
  /// The share of the time in which weights pass by that is not hidden behind products.
  private static let waiting = 0.6
  /// The share of the direct product's time at which fewer products are chosen.
  private static let worth = 0.97

  /// Whether an image takes little enough time of a core.
  private func pays(outputs: Int, _ target: Target) -> Bool {
    let limit = Microkernel.rowLimit(vectors: vectors, target)
    let outputVectors = Double((product.groupOutputs + lanes - 1) / lanes)
    /// The cycles of the products of some rows with all panels; loading a step's vectors takes as long as three rows.
    func cycles(_ rows: Int, depth: Int) -> Double {
      let tiles = Double(RowTiles(rows: rows, limit: limit).count)
      return (Double(rows) + 3 * tiles) * Double(depth) * outputVectors / Double(target.multiplyAddPorts)
    }
    /// The cycles in which weights of so many planes pass by.
    func passing(_ planes: Int, _ share: Double) -> Double {
      let bytes = Double(4 * width * panelCount * features * planes)
      let level = target.level(holding: share * bytes)
      return level <= .l2 ? 0 : bytes / target.bandwidth(of: level, threads: 1) * target.gigahertz
    }
    let given = passing(Self.taps * Self.taps, Self.lastingShare)
    let direct = cycles(outputs, depth: Self.taps * Self.taps * features) * tapShare + Self.waiting * given
    let products = Double(blockCount) * cycles(blockSquares, depth: Self.pointCount * features)
    let patches = Double(inputVectors * panelBlockCount) * Self.patchCycles
    let squares = Double(blockSquares * blockCount) * (patches + outputVectors * Self.sumCycles)
    let fresh = passing(Self.pointCount, Self.freshShare)
    let weights = Double(features) * outputVectors * Self.weightCycles + given + fresh
    let images = Double(max(1, product.batch.fixed ?? 1))
    return products + squares + weights / images + Self.waiting * fresh * Double(blockCount) < Self.worth * direct
  }

  /// The share of the taps that do not fall on padding.
  private var tapShare: Double {
    zip(product.windows, product.spatial).reduce(1) { share, dimension in
      let (window, extent) = dimension
      let missed = [window.paddingLow, window.paddingHigh].reduce(0) { $0 + $1 * ($1 + 1) / 2 }
      return share * (1 - Double(missed) / Double(Self.taps * (extent.fixed ?? 1)))
    }
  }

  // MARK: The kernel

  private var taskExtents: [Extent] { [product.batch, Extent(blockCount), Extent(panelBlockCount)] }

  private struct Memories {
    var source: Memory
    var weights: Memory
    var panels: Memory
    var outputs: [Memory]
    /// By point (or pixel of the patch), square and feature.
    var patches: Memory
    /// By point (or result of the square), square and column of the panel.
    var sums: Memory
    /// By square, whether it must be multiplied directly.
    var marks: Memory
    /// The same by panel and block of features, for weights that only a run knows.
    var weightMarks: Memory?
  }

  /// `weights` are transformed, with marks where only a run knows them; `panels` are as they are.
  func launch(
    _ source: ScheduledFusion.Argument, weights: ScheduledFusion.Argument, marks: ScheduledFusion.Argument?,
    panels: ScheduledFusion.Argument
  ) -> ScheduledFusion.Launch {
    var b = KernelBuilder(target: product.request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    var operands = product.operands(reading: source, panels, &b)
    let transformed = operands.buffers.read(weights, .f32, "weights", &b)
    let weightMarks = marks.map { operands.buffers.read($0, .i32, "marks", &b) }
    let outputs = operands.buffers.addResults(of: product.request, &b)
    let memories = Memories(
      source: operands.source, weights: transformed, panels: operands.panels, outputs: outputs,
      patches: b.addScratch(.f32, count: Self.pointCount * plane),
      sums: b.addScratch(.f32, count: Self.pointCount * sumPlane), marks: b.addScratch(.i32, count: blockSquares),
      weightMarks: weightMarks)
    let taskCount = taskExtents.reduce(.one) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let numbers = b.positions(of: .task, in: taskExtents)
    var lowering = ElementLowering(graph: product.request.body, inputs: operands.buffers.inputs, lanes: lanes)
    let task = Task(image: numbers[0], firstSquare: numbers[1] * blockSquares, firstPanel: numbers[2] * taskPanels)
    let isInside = transformPatches(task, memories, &lowering, &b)
    let zero = b.constant(.zero(.i32), .i32)
    var marked = b.loop(to: Extent(blockSquares), carrying: [zero]) { b, square, marked in
      [b.apply(.or, [marked[0], b.load(memories.marks, at: square, lanes: 1)])]
    }[0]
    if let marks = memories.weightMarks {
      let isMarked = isMarked(marks, fromPanel: task.firstPanel, to: endPanel(task), &b)
      marked = b.apply(.or, [marked, isMarked])
    }
    let isUsual = b.apply(.compare(.equal, .signed), [marked, zero])
    b.branch(isUsual) { b in
      lowering.withScope { panelLoop(task, memories, &$0, &b, transformedPanel) }
    } else: { b in
      lowering.withScope { copyPatches(task, memories, &$0, &b) }
      lowering.withScope { panelLoop(task, memories, &$0, &b, directPanel) }
    }
    let perSquare = Self.pointCount * (2 * features * width / lanes * taskPanels + features)
    var kernel = b.kernel(
      name: "\(product.request.name)_winograd", sources: product.request.sources, taskCount: taskCount,
      taskCost: Extent(blockSquares * perSquare))
    kernel.usualConditions = Set([isUsual, isInside].compactMap(\.self))
    return ScheduledFusion.Launch(kernel, operands.buffers.arguments)
  }

  private func endPanel(_ task: Task) -> IntegerExpression {
    .minimum(task.firstPanel + taskPanels, Extent(panelCount))
  }

  private struct Task {
    var image: IntegerExpression
    var firstSquare: IntegerExpression
    var firstPanel: IntegerExpression
  }

  /// Where a square lies among the image's; beyond the last there are copies of it.
  private func place(
    of square: IntegerExpression, _ task: Task, _ b: inout KernelBuilder
  ) -> (row: IntegerExpression, column: IntegerExpression) {
    let number = b.position(.minimum(task.firstSquare + square, Extent(squareCount - 1)), in: Extent(squareCount))
    let at = b.positions(of: number, in: [Extent(squares.rows), Extent(squares.columns)])
    return (at[0], at[1])
  }

  // MARK: Patches

  /// The pixels of a square's patch: where they are in the source, and whether they are not padding.
  private struct Patch {
    var positions: [[IntegerExpression]]
    var masks: [[Register?]]
    /// Whether none is padding; nil where that is known.
    var isInside: Register?
  }

  private func patchPixels(of square: IntegerExpression, _ task: Task, _ b: inout KernelBuilder) -> Patch {
    let (type, windows) = (product.sourceType, product.windows)
    let place = place(of: square, task, &b)
    let start = zip([place.row, place.column], windows).map { $0 * Self.side - IntegerExpression($1.paddingLow) }
    let offsets = Array(0..<Self.patch)
    func masks(_ d: Int, _ b: inout KernelBuilder) -> [Register?] {
      offsets.map { b.isWithin(start[d] + $0, type.dimensions[d + 1], lanes: 1) }
    }
    let (rows, columns) = (masks(0, &b), masks(1, &b))
    var isInside: Register?
    for mask in rows + columns { isInside = b.and(isInside, mask) }
    let first = task.image * type.strides[0] + start[0] * type.strides[1] + start[1] * type.strides[2]
    let base = b.position(first)
    return Patch(
      positions: offsets.map { i in offsets.map { base + type.strides[1] * i + type.strides[2] * $0 } },
      masks: rows.map { row in columns.map { b.and(row, $0) } }, isInside: isInside)
  }

  /// Gives what says that a patch is not at an edge; nil where none is.
  private func transformPatches(
    _ task: Task, _ memories: Memories, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> Register? {
    var condition: Register?
    b.loop(to: Extent(blockSquares)) { b, square, _ in
      lowering.withScope { _ in
        let pixels = patchPixels(of: square, task, &b)
        condition = pixels.isInside
        guard let isInside = pixels.isInside else {
          return transform(pixels, isInside: true, square, memories, &b)
        }
        b.branch(isInside) { b in
          transform(pixels, isInside: true, square, memories, &b)
        } else: { b in
          transform(pixels, isInside: false, square, memories, &b)
        }
      }
      return []
    }
    return condition
  }

  private func transform(
    _ pixels: Patch, isInside: Bool, _ square: IntegerExpression, _ memories: Memories, _ b: inout KernelBuilder
  ) {
    let zero = b.constant(.zero(.i32), .i32, lanes: lanes)
    let largest = b.loop(to: Extent(features), step: lanes, carrying: [zero, zero]) { b, feature, largest in
      var (all, shared) = (largest[0], largest[1])
      // By column of the patch, transformed along it.
      let columns = (0..<Self.patch).map { j in
        let pixels = (0..<Self.patch).map { i in
          load(pixels, i, j, isInside: isInside, feature, memories, &b)
        }
        for (i, pixel) in pixels.enumerated() {
          let bits = b.magnitudeBits(pixel)
          all = b.apply(.maximum, [all, bits])
          if (1...2).contains(i) && (1...2).contains(j) { shared = b.apply(.maximum, [shared, bits]) }
        }
        return Self.patchTransform(pixels, &b)
      }
      for i in 0..<Self.patch {
        for (j, value) in Self.patchTransform(columns.map { $0[i] }, &b).enumerated() {
          b.store(value, memories.patches, at: position(i, j, square, feature) + .lane, lanes: lanes)
        }
      }
      return [all, shared]
    }
    let (all, shared) = (b.fold(.maximum, largest[0]), b.fold(.maximum, largest[1]))
    let mark = b.formula([all, shared]) { x in
      let isUsual =
        (x[0].shiftedRightLogically(23) .> Self.patchExponents.lowerBound + Self.bias - 1)
        .& (x[0].shiftedRightLogically(23) .< Self.patchExponents.upperBound + Self.bias + 1)
        .& (x[0] .< x[1] + (Self.exponentRange << 23))
      return select(isUsual, x[0].constant(0), select(x[0] .< 1, x[0].constant(0), x[0].constant(1)))
    }
    b.store(mark, memories.marks, at: square, lanes: 1)
  }

  /// A vector of a pixel's features, zero where it is padding and beyond the last feature.
  private func load(
    _ pixels: Patch, _ i: Int, _ j: Int, isInside: Bool, _ feature: IntegerExpression, _ memories: Memories,
    _ b: inout KernelBuilder
  ) -> Register {
    let mask = features % lanes == 0 ? nil : b.isWithin(feature + .lane, Extent(features), lanes: lanes)
    return b.load(
      memories.source, at: pixels.positions[i][j] + feature + .lane, lanes: lanes,
      mask: isInside ? mask : b.and(mask, pixels.masks[i][j]))
  }

  /// Bᵀ d.
  private static func patchTransform(_ d: [Register], _ b: inout KernelBuilder) -> [Register] {
    [
      b.apply(.subtract, [d[0], d[2]]), b.apply(.add, [d[1], d[2]]), b.apply(.subtract, [d[2], d[1]]),
      b.apply(.subtract, [d[1], d[3]]),
    ]
  }

  /// Aᵀ m.
  private static func sumTransform(_ m: [Register], _ b: inout KernelBuilder) -> [Register] {
    let (sum, difference) = (b.apply(.add, [m[1], m[2]]), b.apply(.subtract, [m[1], m[2]]))
    return [b.apply(.add, [m[0], sum]), b.apply(.subtract, [difference, m[3]])]
  }

  private func position(
    _ i: Int, _ j: Int, _ square: IntegerExpression, _ feature: IntegerExpression
  ) -> IntegerExpression {
    square * pitch + feature + IntegerExpression((i * Self.patch + j) * plane)
  }

  /// The patches as they are, for products without transformation.
  private func copyPatches(
    _ task: Task, _ memories: Memories, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    b.loop(to: Extent(blockSquares)) { b, square, _ in
      lowering.withScope { _ in
        let pixels = patchPixels(of: square, task, &b)
        b.loop(to: Extent(features), step: lanes) { b, feature, _ in
          for i in 0..<Self.patch {
            for j in 0..<Self.patch {
              let value = load(pixels, i, j, isInside: false, feature, memories, &b)
              b.store(value, memories.patches, at: position(i, j, square, feature) + .lane, lanes: lanes)
            }
          }
          return []
        }
      }
      return []
    }
  }

  // MARK: Products

  private typealias Panel = (
    Task, IntegerExpression, Memories, inout ElementLowering, inout KernelBuilder
  ) -> Void

  private func panelLoop(
    _ task: Task, _ memories: Memories, _ lowering: inout ElementLowering, _ b: inout KernelBuilder, _ body: Panel
  ) {
    b.loop(from: task.firstPanel, to: endPanel(task)) { b, panel, _ in
      if case .variable(let number)? = panel.atom { b.setBound(Extent(panelCount), ofVariable: number) }
      lowering.withScope { body(task, panel, memories, &$0, &b) }
      return []
    }
  }

  private func transformedPanel(
    _ task: Task, _ panel: IntegerExpression, _ memories: Memories, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    b.loop(to: Extent(Self.pointCount)) { b, point, _ in
      let start = b.position((panel * Self.pointCount + point) * (features * width))
      let patches = b.position(point * plane)
      multiply(
        over: [Extent(features)], into: memories.sums, at: point * sumPlane, &lowering, &b,
        row: { b, row, at in b.load(memories.patches, at: patches + row * pitch + at[0], lanes: 1) },
        panel: { b, column, at in
          b.load(memories.weights, at: start + at[0] * width + column + .lane, lanes: lanes)
        })
      return []
    }
    storeSquares(task, panel, memories, &lowering, &b) { position, b in
      let points = (0..<Self.pointCount).map { b.load(memories.sums, at: position + $0 * sumPlane, lanes: lanes) }
      let columns = (0..<Self.patch).map { j in
        Self.sumTransform((0..<Self.patch).map { points[$0 * Self.patch + j] }, &b)
      }
      return (0..<Self.side).map { i in Self.sumTransform(columns.map { $0[i] }, &b) }
    }
  }

  private func directPanel(
    _ task: Task, _ panel: IntegerExpression, _ memories: Memories, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let steps = product.depthStrides
    let start = b.position(panel * (Self.taps * Self.taps * features * width))
    b.loop(to: Extent(Self.side * Self.side)) { b, result, _ in
      let at = b.positions(of: result, in: [Extent(Self.side), Extent(Self.side)])
      let first = b.position((at[0] * Self.patch + at[1]) * plane)
      multiply(
        over: [Extent(Self.taps), Extent(Self.taps), Extent(features)], into: memories.sums, at: result * sumPlane,
        &lowering, &b,
        row: { b, row, at in
          let pixel = (at[0] * Self.patch + at[1]) * plane
          return b.load(memories.patches, at: first + pixel + row * pitch + at[2], lanes: 1)
        },
        panel: { b, column, at in
          let taps = zip(product.windows, at).map { window, tap in
            window.isReversed ? IntegerExpression(Self.taps - 1) - tap : tap
          }
          let step = taps[0] * steps[0] + taps[1] * steps[1] + at[2]
          return b.load(memories.panels, at: start + step * width + column + .lane, lanes: lanes)
        })
      return []
    }
    storeSquares(task, panel, memories, &lowering, &b) { position, b in
      (0..<Self.side).map { i in
        (0..<Self.side).map { j in
          b.load(memories.sums, at: position + (i * Self.side + j) * sumPlane, lanes: lanes)
        }
      }
    }
  }

  /// The products of all squares' rows with a panel.
  private func multiply(
    over depth: [Extent], into sums: Memory, at start: IntegerExpression, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder,
    row: (inout KernelBuilder, IntegerExpression, [IntegerExpression]) -> Register,
    panel: (inout KernelBuilder, Int, [IntegerExpression]) -> Register
  ) {
    let tiles = RowTiles(
      rows: blockSquares, limit: Microkernel.rowLimit(vectors: vectors, product.request.target))
    let sizes = [
      (first: 0, count: tiles.larger, rows: tiles.size + 1),
      (first: tiles.larger * (tiles.size + 1), count: tiles.count - tiles.larger, rows: tiles.size),
    ]
    for size in sizes where size.count > 0 && size.rows > 0 {
      let kernel = Microkernel(rows: size.rows, vectors: vectors, lanes: lanes, type: .f32)
      b.loop(to: Extent(size.count)) { b, tile, _ in
        let first = b.position(tile * size.rows + IntegerExpression(size.first), in: Extent(blockSquares))
        lowering.withScope { lowering in
          let products = kernel.sums(
            over: depth, &lowering, &b, row: { _, b, r, at in row(&b, first + r, at) },
            panel: { _, b, v, at in panel(&b, v * lanes, at) })
          for (r, vectors) in products.enumerated() {
            for (v, sum) in vectors.enumerated() {
              let position = start + (first + r) * width + IntegerExpression(v * lanes)
              b.store(sum, sums, at: position + .lane, lanes: lanes)
            }
          }
        }
        return []
      }
    }
  }

  // MARK: Results

  /// Hands on the results of each square, which `results` computes from the sums at a position, row by row.
  private func storeSquares(
    _ task: Task, _ panel: IntegerExpression, _ memories: Memories, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder,
    _ results: (_ position: IntegerExpression, _ b: inout KernelBuilder) -> [[Register]]
  ) {
    let last = IntegerExpression.minimum(task.firstSquare + blockSquares, Extent(squareCount)) - task.firstSquare
    let count = b.position(last, in: Extent(blockSquares + 1))
    b.loop(to: count) { b, square, _ in
      if case .variable(let number)? = square.atom { b.setBound(Extent(blockSquares), ofVariable: number) }
      lowering.withScope { lowering in
        let place = place(of: square, task, &b)
        for v in 0..<vectors {
          let values = results(square * width + IntegerExpression(v * lanes) + .lane, &b)
          for (i, line) in values.enumerated() {
            for (j, sum) in line.enumerated() {
              let pixel = [place.row * Self.side + i, place.column * Self.side + j]
              store(sum, task.image, pixel, feature: panel * width + v * lanes + .lane, memories, &lowering, &b)
            }
          }
        }
      }
      return []
    }
  }

  private func store(
    _ sum: Register, _ image: IntegerExpression, _ pixel: [IntegerExpression], feature: IntegerExpression,
    _ memories: Memories, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    var mask = b.isWithin(feature, Extent(product.groupOutputs), lanes: lanes)
    for (position, extent) in zip(pixel, product.spatial) { mask = b.and(mask, b.isWithin(position, extent, lanes: 1)) }
    let index = product.resultIndex(image: image, pixel: pixel, feature: feature)
    product.epilogue.store(sum, of: product.anchor, at: index, mask: mask, outputs: memories.outputs, &lowering, &b)
  }
}
