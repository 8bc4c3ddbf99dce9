import IR

extension Schedule {
  /// Windows of single channels whose positions lie side by side: convolutions with few features in a group, and folds. A
  /// register tile is some vectors of positions along some neighbouring lines, so that each element is read once for all
  /// windows above and below each other. Which taps fall on padding is known while tiles are written.
  /// Doc: docs/design/0019-windows-along-lines.md.
  public static let lineWindow = Schedule("line window") { request in
    guard request.anchor == .window, let windows = LineWindows(request) else { return nil }
    return windows.scheduled()
  }
}

private struct LineWindows {
  /// Accumulators of a tile.
  private static let accumulatorLimit = 8
  /// The most operations that are written out for a tile.
  private static let stepLimit = 400
  /// The most taps along a line.
  private static let tapLimit = 64
  /// The widest stride along a line whose elements are picked from whole vectors.
  private static let strideLimit = 4
  /// The most tiles of a dimension whose windows reach over an edge: each has code of its own.
  private static let edgeLimit = 64

  let request: SchedulingRequest
  let anchor: ValueID
  let operation: WindowOperation
  let epilogue: Epilogue
  let dimensions: [Extent]
  /// For each dimension of the result, the window that moves along it, if one does.
  let windows: [WindowDimension?]
  /// The extents of the operand along the same dimensions.
  let bases: [Extent]
  let lanes: Int
  /// The dimension along which vectors lie, and the window and extents along it.
  let line: Dimension
  /// The dimension along which the lines of a tile lie, if taps across lines are written out.
  let row: Dimension?

  /// A dimension with fixed extents along which windows move.
  struct Dimension {
    let number: Int
    let window: WindowDimension
    let taps: Int
    let extent: Int
    let base: Int
    /// Tiles, in vectors along the line or in lines.
    var tiles: LineTiles

    init?(_ number: Int, _ window: WindowDimension?, _ extent: Extent, _ base: Extent) {
      guard let window, let taps = window.extent.fixed, let extent = extent.fixed, let base = base.fixed, extent > 0
      else { return nil }
      (self.number, self.window, self.taps, self.extent, self.base) = (number, window, taps, extent, base)
      tiles = LineTiles(extent: extent, limit: extent)
    }

    /// The source's position for an output under a tap.
    func source(_ output: IntegerExpression, _ tap: Int) -> IntegerExpression {
      output * window.stride + IntegerExpression(tap * window.windowDilation - window.paddingLow)
    }
  }

  init?(_ request: SchedulingRequest) {
    let body = request.body
    guard let anchor = body.only(WindowOperation.isAnchor), body.hasElements,
      let operation = WindowOperation(anchor, in: body),
      let epilogue = Epilogue(of: anchor, in: body), let number = operation.line(in: body),
      epilogue.isContiguous(along: number, in: body)
    else { return nil }
    (self.request, self.anchor, self.operation, self.epilogue) = (request, anchor, operation, epilogue)
    dimensions = body.type(of: anchor).dimensions
    (windows, bases) = operation.moving(in: body)
    guard windows.allSatisfy({ $0.map { $0.extent.isFixed && $0.baseDilation == 1 } ?? true }),
      var line = Dimension(number, windows[number], dimensions[number], bases[number]),
      line.taps <= Self.tapLimit, line.window.stride <= Self.strideLimit
    else { return nil }
    let widths = body.nodes.flatMap(\.resultTypes).filter { $0.rank > 0 }.map(\.elementType.byteCount)
    var lanes = request.target.lanes(byteCount: max(4, widths.max() ?? 4))
    while lanes > 1 && lanes / 2 >= line.extent { lanes /= 2 }
    self.lanes = lanes
    guard lanes > 1 else { return nil }
    let count = (line.extent + lanes - 1) / lanes
    let vectors = min(count, 4)
    // With a stride, whole vectors of the source are read.
    let step = lanes * line.window.stride
    let padding = line.window.paddingLow
    let first = padding > 0 ? (padding - 1) / step + 1 : 0
    let room = line.base + line.window.paddingLow - max(0, line.taps - 1) * line.window.windowDilation
    let end = min(max(0, room) / step, line.extent / lanes)
    line.tiles = LineTiles(extent: count, limit: vectors, inside: first..<max(first, end))
    guard line.tiles.edgeCount <= Self.edgeLimit else { return nil }
    self.line = line
    row = Self.row(
      windows, dimensions, bases, line: line, vectors: vectors,
      isFold: operation.associativeFunction != nil)
  }

  /// The innermost other dimension that windows move along, cut into tiles, if all taps can be written out.
  private static func row(
    _ windows: [WindowDimension?], _ dimensions: [Extent], _ bases: [Extent], line: Dimension, vectors: Int,
    isFold: Bool
  ) -> Dimension? {
    guard let number = windows.indices.last(where: { $0 != line.number && windows[$0] != nil }),
      var row = Dimension(number, windows[number], dimensions[number], bases[number])
    else { return nil }
    // A fold of each line of the source is shared by all lines that read it.
    let taps = isFold ? row.taps + 2 * line.taps : row.taps * line.taps
    let limit = min(accumulatorLimit / vectors, stepLimit / max(1, taps * vectors))
    guard limit > 0 else { return nil }
    let isShared = row.window.stride < (row.taps - 1) * row.window.windowDilation + 1
    row.tiles = LineTiles(extent: row.extent, limit: isShared ? limit : 1, window: row.window, base: row.base)
    // Tiles at an edge are written out one by one.
    guard row.tiles.edgeCount <= edgeLimit else { return nil }
    let edges = row.tiles.edgeCount * line.tiles.partCount
    return edges * taps * vectors * limit <= 16 * stepLimit ? row : nil
  }

  // MARK: The kernel

  func scheduled() -> ScheduledFusion {
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    var buffers = OperandBuffers(for: request.body.results, of: request, &b)
    let outputs = buffers.addResults(of: request, &b)
    var lowering = ElementLowering(graph: request.body, inputs: buffers.inputs, lanes: lanes)
    let outer = dimensions.indices.filter { $0 != line.number && $0 != row?.number }
    let tasks = LineTasks(outer.map { dimensions[$0] }, tiles: (row ?? line).tiles.count)
    b.setBound(tasks.count, ofVariable: Kernel.taskVariable)
    let numbers = b.positions(of: .task, in: tasks.extents)
    var index = [IntegerExpression](repeating: .zero, count: dimensions.count)
    for (number, d) in zip(numbers, outer) { index[d] = number }
    let place = Place(outputs: outputs, index: index)
    let block = tasks.block(numbers)
    lowering.withScope { lowering in
      guard let row else {
        return self.tiles(block, Lines(first: nil, count: 1, isInside: false), place, &lowering, &b)
      }
      row.tiles.write(block, &lowering, &b) { lowering, b, first, count, isInside in
        self.tiles(nil, Lines(first: first, count: count, isInside: isInside), place, &lowering, &b)
      }
    }
    let taps = windows.reduce(operation.depth) { $0 * ($1?.extent ?? .one) }
    let elements = line.extent * (row?.extent ?? 1) * tasks.blockTiles / max(1, (row ?? line).tiles.count)
    let kernel = b.kernel(
      name: request.name, sources: request.sources, taskCount: tasks.count,
      taskCost: taps * (2 * (elements / lanes + 1)))
    return ScheduledFusion(launches: [ScheduledFusion.Launch(kernel, buffers.arguments)])
  }

  private struct Place {
    var outputs: [Memory]
    /// The index of the task's elements; tiles replace the positions along line and rows.
    var index: [IntegerExpression]
  }

  /// Lines of a tile.
  private struct Lines {
    /// Nil where the task has one line.
    var first: IntegerExpression?
    var count: Int
    /// Whether no tap falls on padding above or below.
    var isInside: Bool
  }

  private func tiles(
    _ block: LineTiles.Block?, _ lines: Lines, _ place: Place, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    line.tiles.write(block, &lowering, &b) { lowering, b, first, vectors, isInside in
      let tile = Tile(lines: lines, first: first, vectors: vectors, isInside: isInside)
      write(tile, place, &lowering, &b)
    }
  }

  // MARK: Tiles

  /// Some vectors of positions of some lines.
  private struct Tile {
    var lines: Lines
    /// In vectors.
    var first: IntegerExpression
    var vectors: Int
    /// Whether all lanes are positions and no tap along the line falls on padding.
    var isInside: Bool
  }

  private func index(_ tile: Tile, _ place: Place, _ lineNumber: Int, _ vector: Int) -> [IntegerExpression] {
    var index = place.index
    if let row, let first = tile.lines.first { index[row.number] = first + lineNumber }
    index[line.number] = (tile.first + vector) * lanes + .lane
    return index
  }

  private func write(_ tile: Tile, _ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
    let initial = b.widen(operation.initial(&lowering, &b), to: lanes)
    let start = [Register](repeating: initial, count: tile.lines.count * tile.vectors)
    let sums = taps(windows.indices[...], [], start, tile, place, &lowering, &b)
    for (number, sum) in sums.enumerated() {
      let index = index(tile, place, number / tile.vectors, number % tile.vectors)
      let mask = tile.isInside ? nil : b.isWithin(index[line.number], Extent(line.extent), lanes: lanes)
      epilogue.store(sum, of: anchor, at: index, mask: mask, outputs: place.outputs, &lowering, &b)
    }
  }

  /// Folds the taps of the dimensions left, of which `at` has those before; those of line and rows are written out.
  private func taps(
    _ left: Range<Int>, _ at: [IntegerExpression], _ sums: [Register], _ tile: Tile, _ place: Place,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    guard let d = left.first else {
      guard operation.depth != .one else { return steps(at, .zero, sums, tile, place, &lowering, &b) }
      return b.loop(to: operation.depth, carrying: sums) { b, variable, sums in
        lowering.withScope { steps(at, variable, sums, tile, place, &$0, &b) }
      }
    }
    let rest = left.dropFirst()
    guard let window = windows[d], d != line.number, d != row?.number, window.extent != .one || window.hasEdges else {
      return taps(rest, at + [.zero], sums, tile, place, &lowering, &b)
    }
    let (lower, upper) =
      window.hasEdges ? window.tapRange(at: place.index[d], base: bases[d]) : (.zero, window.extent)
    return b.loop(from: lower, to: upper, carrying: sums) { b, variable, sums in
      if case .variable(let number)? = variable.atom { b.setBound(window.extent, ofVariable: number) }
      return lowering.withScope { taps(rest, at + [variable], sums, tile, place, &$0, &b) }
    }
  }

  /// Folds the taps along line and rows at one position of the other dimensions' taps, from one line of the source to the
  /// next.
  private func steps(
    _ at: [IntegerExpression], _ depth: IntegerExpression, _ sums: [Register], _ tile: Tile, _ place: Place,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    var sums = sums
    let rows = row.map { tapsByRow($0, tile.lines) } ?? [[(line: 0, tap: 0)]]
    for users in rows where !users.isEmpty {
      lowering.withScope { lowering in
        if let function = operation.associativeFunction, users.count > 1 {
          fold(function, users, at, &sums, tile, place, &lowering, &b)
          return
        }
        for lineTap in 0..<line.taps {
          for (lineNumber, rowTap) in users {
            var at = at
            at[line.number] = IntegerExpression(lineTap)
            if let row { at[row.number] = IntegerExpression(rowTap) }
            for vector in 0..<tile.vectors {
              let number = lineNumber * tile.vectors + vector
              let index = index(tile, place, lineNumber, vector)
              let (element, valid) = element(index, at, depth, tile, &lowering, &b)
              let next = operation.next(
                sums[number], with: element, result: index, taps: at, depth: depth, mask: nil, &lowering, &b)
              sums[number] = valid.map { b.apply(.select, [b.widen($0, to: lanes), next, sums[number]]) } ?? next
            }
          }
        }
      }
    }
    return sums
  }

  /// For each line of the source from the tile's first on, the lines of the tile that read it, each under one tap.
  private func tapsByRow(_ row: Dimension, _ lines: Lines) -> [[(line: Int, tap: Int)]] {
    let (stride, dilation) = (row.window.stride, row.window.windowDilation)
    var result = [[(line: Int, tap: Int)]](
      repeating: [], count: (lines.count - 1) * stride + (row.taps - 1) * dilation + 1)
    for line in 0..<lines.count {
      for tap in 0..<row.taps {
        if !lines.isInside, let first = lines.first?.fixed,
          let position = row.source(IntegerExpression(first + line), tap).fixed, !(0..<row.base).contains(position)
        {
          continue
        }
        result[line * stride + tap * dilation].append((line, tap))
      }
    }
    return result
  }

  /// Folds a line of the source along the taps, and the result into all lines of the tile that read it.
  private func fold(
    _ function: ScalarFunction, _ users: [(line: Int, tap: Int)], _ at: [IntegerExpression], _ sums: inout [Register],
    _ tile: Tile, _ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    for vector in 0..<tile.vectors {
      let index = index(tile, place, users[0].line, vector)
      var folded: Register?
      for lineTap in 0..<line.taps {
        var at = at
        at[line.number] = IntegerExpression(lineTap)
        if let row { at[row.number] = IntegerExpression(users[0].tap) }
        var (element, valid) = element(index, at, .zero, tile, &lowering, &b)
        let type = b.type(of: sums[0]).element
        element = b.convert(element, to: type)
        if let valid, let neutral = function.neutral(type) {
          let outside = b.constant(neutral, type, lanes: lanes)
          element = b.apply(.select, [b.widen(valid, to: lanes), element, outside])
        }
        folded = folded.map { b.apply(function, [$0, element]) } ?? element
      }
      guard let folded else { continue }
      for user in users {
        let number = user.line * tile.vectors + vector
        sums[number] = b.apply(function, [sums[number], folded])
      }
    }
  }

  /// The element under a tap in each lane, and in which lanes there is one, if not in all.
  private func element(
    _ index: [IntegerExpression], _ at: [IntegerExpression], _ depth: IntegerExpression, _ tile: Tile,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> (Register, Register?) {
    var source = index
    for d in windows.indices where d != line.number {
      guard let window = windows[d] else { continue }
      source[d] = index[d] * window.stride + at[d] * window.windowDilation - IntegerExpression(window.paddingLow)
    }
    let (window, base) = (line.window, Extent(line.base))
    let offset = at[line.number] * window.windowDilation - IntegerExpression(window.paddingLow)
    let start = (index[line.number] - .lane) * window.stride + offset
    let pieces = (0..<window.stride).map { piece in
      source[line.number] = start + piece * lanes + .lane
      let mask = tile.isInside ? nil : b.isWithin(source[line.number], base, lanes: lanes)
      let element = operation.element(result: index, source: source, depth: depth, mask: mask, &lowering, &b)
      return b.widen(element, to: lanes)
    }
    let element = b.picking(lanes: lanes, from: pieces) { lane in
      ((lane * window.stride) / lanes, (lane * window.stride) % lanes)
    }
    return (element, tile.isInside ? nil : b.isWithin(start + .lane * window.stride, base, lanes: lanes))
  }
}
