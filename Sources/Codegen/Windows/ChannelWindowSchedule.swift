import IR

extension Schedule {
  /// Windows of single channels: convolutions with few features in a group, and folds of windows that keep the innermost
  /// dimension. Vectors run along the channels; a register tile is some neighbouring positions of a line, so that each
  /// element is read once for all windows it lies in. Taps on padding are left out.
  public static let channelWindow = Schedule("channel window") { request in
    guard request.anchor == .window, let windows = ChannelWindows(request) else { return nil }
    return windows.scheduled()
  }
}

struct ChannelWindows {
  /// Positions of a tile; with a vector of each they keep the units for multiplication and addition busy.
  static let tileLimit = 8
  /// The most taps along a line that are written out; more are a loop, over one position at a time.
  static let tapLimit = 16
  /// Tasks that are enough for any number of threads.
  static let enoughTasks = 32

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
  /// The dimension along which tiles lie.
  let line: Int

  init?(_ request: SchedulingRequest) {
    let body = request.body
    guard let anchor = body.only(WindowOperation.isAnchor), body.hasElements,
      let operation = WindowOperation(anchor, in: body),
      operation.hasChannelsLast(in: body), let epilogue = Epilogue(of: anchor, in: body)
    else { return nil }
    self.request = request
    self.anchor = anchor
    self.operation = operation
    self.epilogue = epilogue
    dimensions = body.type(of: anchor).dimensions
    (windows, bases) = operation.moving(in: body)
    let widths = body.nodes.flatMap(\.resultTypes).filter { $0.rank > 0 }.map(\.elementType.byteCount)
    var lanes = request.target.lanes(byteCount: max(4, widths.max() ?? 4))
    if let channels = dimensions.last?.fixed {
      while lanes > 1 && lanes / 2 >= channels { lanes /= 2 }
    }
    self.lanes = lanes
    let channel = IntegerExpression.variable(dimensions.count - 1)
    guard lanes > 1, epilogue.resultIndices.allSatisfy({ $0.last == channel }),
      let line = windows.lastIndex(where: { $0 != nil }), line < dimensions.count - 1,
      windows.allSatisfy({ $0.map { $0.extent.isFixed && $0.baseDilation == 1 } ?? true })
    else { return nil }
    self.line = line
    if let tiles = lineTiles, tiles.edgeCount > Self.tileLimit { return nil }
  }

  // MARK: Tiles

  private var window: WindowDimension {
    guard let window = windows[line] else {
      preconditionFailure("tiles lie along a dimension that a window moves along")
    }
    return window
  }

  private var loopsOverLine: Bool { window.extent.fixed.map { $0 > Self.tapLimit } ?? true }

  private var positionLimit: Int { loopsOverLine ? 1 : Self.tileLimit }

  /// How a line is cut, where that is known.
  private var lineTiles: LineTiles? {
    guard !loopsOverLine, let extent = dimensions[line].fixed, let base = bases[line].fixed else { return nil }
    return LineTiles(extent: extent, limit: positionLimit, window: window, base: base)
  }

  /// Vectors of channels in a tile: more than one only where a line has few positions.
  private var tileVectors: Int {
    guard let channels = dimensions[dimensions.count - 1].fixed else { return 1 }
    let positions = loopsOverLine ? 1 : min(Self.tileLimit, max(1, dimensions[line].fixed ?? Self.tileLimit))
    return max(1, min(Self.tileLimit / 2 / positions, channels / lanes))
  }

  /// The most taps along a line times features of a group that are written out.
  static let stepLimit = 32

  /// Features of a group whose elements are read from one vector.
  var groupWidth: Int? {
    let taps = loopsOverLine ? 1 : window.extent.fixed ?? 1
    return operation.groupWidth(lanes: lanes).flatMap { $0 * taps <= Self.stepLimit ? $0 : nil }
  }

  // MARK: The kernel

  private struct Place {
    var outputs: [Memory]
    /// The index of the task's elements; tiles replace the line's position and the channel.
    var index: [IntegerExpression]
    /// The task's channels.
    var channels: (lower: IntegerExpression, upper: IntegerExpression)
  }

  func scheduled() -> ScheduledFusion {
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    var buffers = OperandBuffers(for: request.body.results, of: request, &b)
    let outputs = buffers.addResults(of: request, &b)
    var lowering = ElementLowering(graph: request.body, inputs: buffers.inputs, lanes: lanes)
    let outer = dimensions.indices.filter { $0 != line && $0 != dimensions.count - 1 }
    let channels = dimensions[dimensions.count - 1]
    // Whole groups of vectors, so that only the last task has a masked tail.
    let group = lanes * tileVectors
    let groups = (channels + (group - 1)).floorDivided(by: Extent(group))
    let lines = outer.reduce(1) { $0 * max(1, dimensions[$1].fixed ?? 1) }
    let wanted = (Self.enoughTasks + lines - 1) / lines
    let blockGroups = groups.fixed.map { max(1, ($0 + wanted - 1) / wanted) } ?? Self.tileLimit
    let blocks = (groups + (blockGroups - 1)).floorDivided(by: Extent(blockGroups))
    let extents = outer.map { dimensions[$0] } + [blocks]
    let taskCount = extents.reduce(.one) { $0 * $1 }
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    let numbers = b.positions(of: .task, in: extents)
    var index = [IntegerExpression](repeating: .zero, count: dimensions.count)
    for (number, d) in zip(numbers, outer) { index[d] = number }
    let lower = numbers[outer.count] * (blockGroups * group)
    let upper = blocks == .one ? channels : .minimum(lower + blockGroups * group, channels)
    let place = Place(outputs: outputs, index: index, channels: (lower, upper))
    lowering.withScope { tiles(place, &$0, &b) }
    let taps = windows.reduce(operation.depth) { $0 * ($1?.extent ?? .one) }
    let cost = taps * (dimensions[line].fixed ?? 64) * (2 * blockGroups * tileVectors)
    let kernel = b.kernel(name: request.name, sources: request.sources, taskCount: taskCount, taskCost: cost)
    return ScheduledFusion(launches: [ScheduledFusion.Launch(kernel, buffers.arguments)])
  }

  private func loop(
    from lower: IntegerExpression, to upper: IntegerExpression, step: Int = 1, bound: Extent,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder,
    _ body: (inout ElementLowering, inout KernelBuilder, IntegerExpression) -> Void
  ) {
    b.loop(from: lower, to: upper, step: step) { b, variable, _ in
      if case .variable(let number)? = variable.atom { b.setBound(bound, ofVariable: number) }
      lowering.withScope { body(&$0, &b, variable) }
      return []
    }
  }

  /// All tiles of a line.
  private func tiles(_ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
    guard let tiles = lineTiles else { return unknownTiles(place, &lowering, &b) }
    for part in tiles.parts {
      switch part {
      case .edge(let first, let size):
        channels(at: IntegerExpression(first), size, isInside: false, place, &lowering, &b)
      case .run(let first, let count, let size):
        let end = first + count * size
        loop(
          from: IntegerExpression(first), to: IntegerExpression(end), step: size, bound: dimensions[line], &lowering, &b
        ) {
          channels(at: $2, size, isInside: true, place, &$0, &$1)
        }
      }
    }
  }

  /// Tiles of a line whose extent is a symbol: whole ones where windows lie inside, single positions elsewhere.
  private func unknownTiles(_ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
    let extent = dimensions[line]
    guard !loopsOverLine else {
      return loop(from: .zero, to: extent, bound: extent, &lowering, &b) {
        channels(at: $2, 1, isInside: false, place, &$0, &$1)
      }
    }
    let stride = IntegerExpression(window.stride)
    let taps = (window.extent - 1) * window.windowDilation
    let first = IntegerExpression(window.paddingLow + window.stride - 1).floorDivided(by: stride)
    let last = (bases[line] + window.paddingLow - taps - 1).floorDivided(by: stride) + 1
    let lower = b.index(of: b.materialize(.minimum(.maximum(first, .zero), extent), lanes: 1), bound: extent + 1)
    let upper = b.index(
      of: b.materialize(.maximum(.minimum(last, extent), lower), lanes: 1), bound: extent + 1)
    let whole = lower + (upper - lower).floorDivided(by: Extent(positionLimit)) * positionLimit
    for (from, to, size, isInside) in [
      (.zero, lower, 1, false), (lower, whole, positionLimit, true), (whole, upper, 1, true), (upper, extent, 1, false),
    ] as [(IntegerExpression, IntegerExpression, Int, Bool)] {
      loop(from: from, to: to, step: size, bound: extent, &lowering, &b) {
        channels(at: $2, size, isInside: isInside, place, &$0, &$1)
      }
    }
  }

  /// One tile of positions, for all channels of the task.
  private func channels(
    at first: IntegerExpression, _ size: Int, isInside: Bool, _ place: Place, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let extent = dimensions[dimensions.count - 1]
    let (lower, upper) = place.channels
    var from = lower
    for vectors in Set([tileVectors, 1]).sorted(by: >) {
      let step = vectors * lanes
      let whole = extent.fixed.map { $0 % step == 0 } == true
      let to = whole ? upper : from + (upper - from).floorDivided(by: Extent(step)) * step
      loop(from: from, to: to, step: step, bound: extent, &lowering, &b) { lowering, b, channel in
        let tile = Tile(first: first, size: size, vectors: vectors, isInside: isInside, channel: channel, mask: nil)
        write(tile, place, &lowering, &b)
      }
      from = to
      if whole { return }
    }
    loop(from: from, to: upper, step: lanes, bound: extent, &lowering, &b) { lowering, b, channel in
      let position = b.materialize(channel + .lane, lanes: lanes)
      let mask = b.apply(.compare(.less, .signed), [position, b.materialize(upper, lanes: 1)])
      let tile = Tile(first: first, size: size, vectors: 1, isInside: isInside, channel: channel, mask: mask)
      write(tile, place, &lowering, &b)
    }
  }

  // MARK: Elements

  /// Some neighbouring positions of a line, with some vectors of channels at each.
  private struct Tile {
    var first: IntegerExpression
    var size: Int
    var vectors: Int
    /// Whether no tap along the line falls on padding.
    var isInside: Bool
    var channel: IntegerExpression
    var mask: Register?
  }

  private func index(_ tile: Tile, _ place: Place, _ number: Int) -> [IntegerExpression] {
    var index = place.index
    index[line] = tile.first + number / tile.vectors
    index[dimensions.count - 1] = tile.channel + (number % tile.vectors) * lanes + .lane
    return index
  }

  private func write(_ tile: Tile, _ place: Place, _ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
    let initial = b.widen(operation.initial(&lowering, &b), to: lanes)
    let sums = taps(
      windows.indices[...], [], [Register](repeating: initial, count: tile.size * tile.vectors), tile, place, &lowering,
      &b)
    for (number, sum) in sums.enumerated() {
      epilogue.store(
        sum, of: anchor, at: index(tile, place, number), mask: tile.mask, outputs: place.outputs, &lowering, &b)
    }
  }

  /// Folds the taps of the dimensions left, of which `at` has those before.
  private func taps(
    _ left: Range<Int>, _ at: [IntegerExpression], _ sums: [Register], _ tile: Tile, _ place: Place,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    guard let d = left.first else {
      guard operation.depth != .one else { return step(at, .zero, sums, tile, place, &lowering, &b) }
      if let groupWidth {
        return (0..<groupWidth).reduce(sums) { step(at, IntegerExpression($1), $0, tile, place, &lowering, &b) }
      }
      return b.loop(to: operation.depth, carrying: sums) { b, variable, sums in
        lowering.withScope { step(at, variable, sums, tile, place, &$0, &b) }
      }
    }
    let rest = left.dropFirst()
    // The taps of the line are written out in the innermost step.
    guard let window = windows[d], d != line || loopsOverLine, window.extent != .one || window.hasEdges else {
      return taps(rest, at + [.zero], sums, tile, place, &lowering, &b)
    }
    let position = d == line ? tile.first : place.index[d]
    let (lower, upper) = window.hasEdges ? window.tapRange(at: position, base: bases[d]) : (.zero, window.extent)
    return b.loop(from: lower, to: upper, carrying: sums) { b, variable, sums in
      if case .variable(let number)? = variable.atom { b.setBound(window.extent, ofVariable: number) }
      return lowering.withScope { taps(rest, at + [variable], sums, tile, place, &$0, &b) }
    }
  }

  /// Folds the taps along the line at one position of the other dimensions' taps.
  private func step(
    _ at: [IntegerExpression], _ depth: IntegerExpression, _ sums: [Register], _ tile: Tile, _ place: Place,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> [Register] {
    var next = sums
    var at = at
    let count = loopsOverLine ? 1 : window.extent.fixed ?? 1
    for tap in 0..<count {
      if !loopsOverLine { at[line] = IntegerExpression(tap) }
      for number in sums.indices {
        let result = index(tile, place, number)
        var source = result
        var valid: Register?
        for d in windows.indices {
          guard let window = windows[d] else { continue }
          source[d] = result[d] * window.stride + at[d] * window.windowDilation - IntegerExpression(window.paddingLow)
        }
        if !tile.isInside && !loopsOverLine {
          if let fixed = source[line].fixed, let base = bases[line].fixed {
            guard (0..<base).contains(fixed) else { continue }
          } else {
            valid = b.isWithin(source[line], bases[line], lanes: lanes)
          }
        }
        let mask = b.and(tile.mask, valid)
        let element = operation.element(
          result: result, source: source, depth: depth, groupWidth: groupWidth, mask: mask, &lowering, &b)
        let value = operation.next(
          next[number], with: element, result: result, taps: at, depth: depth, mask: mask, &lowering, &b)
        next[number] =
          valid.map { b.apply(.select, [b.widen($0, to: lanes), value, next[number]]) } ?? value
      }
    }
    return next
  }
}
