import IR

/// Which bytes a kernel's loops touch, and how many of them a cache of some size lets through.
struct KernelTraffic {
  /// Bytes of one memory that cross a border.
  struct Bytes: Hashable {
    var total = 0.0
    /// Of these, those that are also written.
    var written = 0.0
  }

  /// One level of a loop: all of it, or, where quotients take its variable apart, one of its digits.
  private struct Digit {
    /// How far the variable moves from one to the next.
    var step: Int
    var trips: Double
  }

  /// Accesses of one node to one memory that move alike.
  private struct Stream {
    var memory: Memory
    var base: Int
    /// Bytes from one iteration to the next; for each node on the way to the stream, outermost first, its digits.
    var strides: [[Int]]
    /// Bytes between the accesses, and how many there are, as loops inside of all others.
    var inner: [(stride: Int, trips: Double)]
    var byteCount: Int
    var isWritten: Bool
  }

  private let nest: KernelNest
  private var digits: [[Digit]] = []
  /// By node, the nodes from the outermost to it.
  private var paths: [[Int]] = []
  private var streams: [[Stream]] = []
  /// By buffer, its size where it is known: no loop touches more.
  private let bufferByteCounts: [Int?]
  private static let line = 64

  init(_ nest: KernelNest, bufferByteCounts: [Int?]) {
    self.nest = nest
    self.bufferByteCounts = bufferByteCounts
    for node in nest.nodes.indices {
      digits.append(Self.digits(of: node, in: nest))
      paths.append((nest.nodes[node].depth == 0 ? [] : paths[nest.nodes[node].parent]) + [node])
    }
    var values = nest.values
    for node in nest.nodes.indices { streams.append(Self.isIdle(node, nest) ? [] : self.streams(of: node, &values)) }
  }

  private static func isIdle(_ node: Int, _ nest: KernelNest) -> Bool { nest.nodes[node].iterations == 0 }

  /// The distinct bytes that the whole kernel touches.
  var touched: [Memory: Bytes] { touched(by: 0, from: 0, granule: 1) }

  /// The bytes that the kernel moves between a cache of `capacity` bytes, which is empty at first, and what lies beyond.
  func beyond(capacity: Int) -> [Memory: Bytes] {
    var total: [Memory: Bytes] = [:]
    add(0, times: 1, Double(capacity), to: &total)
    return total
  }

  private func add(_ node: Int, times: Double, _ capacity: Double, to total: inout [Memory: Bytes]) {
    guard !Self.isIdle(node, nest) else { return }
    var times = times
    for (position, digit) in digits[node].enumerated() {
      let once = touched(by: node, from: position + 1, granule: Self.line)
      if once.values.reduce(0, { $0 + $1.total }) <= capacity {
        Self.add(touched(by: node, from: position, granule: Self.line), times, to: &total)
        return
      }
      times *= digit.trips
    }
    for stream in streams[node] {
      let bytes = Self.footprint(stream.inner, stream.byteCount, granule: Self.line)
      Self.add([stream.memory: Bytes(total: bytes, written: stream.isWritten ? bytes : 0)], times, to: &total)
    }
    for child in nest.nodes[node].children {
      let share = nest.nodes[child].entries / max(nest.nodes[node].iterations, 1e-9)
      add(child, times: times * share, capacity, to: &total)
    }
  }

  private static func add(_ bytes: [Memory: Bytes], _ times: Double, to total: inout [Memory: Bytes]) {
    for (memory, bytes) in bytes {
      total[memory, default: Bytes()].total += bytes.total * times
      total[memory, default: Bytes()].written += bytes.written * times
    }
  }

  // MARK: Footprints

  /// Streams that touch the same bytes.
  private struct Region: Hashable {
    var memory: Memory
    var base: Int
    var moves: [[Double]]
  }

  /// The distinct bytes that the node touches, in all iterations of its digits from one on, the outer ones' first.
  private func touched(by node: Int, from digit: Int, granule: Int) -> [Memory: Bytes] {
    var regions: [Region: Bytes] = [:]
    var pending = [node]
    while let next = pending.popLast() {
      pending += nest.nodes[next].children.filter { !Self.isIdle($0, nest) }
      for stream in streams[next] {
        let levels = levels(of: stream, at: next, inside: node, from: digit)
        let bytes = Self.footprint(levels, stream.byteCount, granule: granule)
        let moves = levels.filter { $0.stride != 0 && $0.trips > 1 }.map { [Double($0.stride), $0.trips] }
        let region = Region(memory: stream.memory, base: stream.base, moves: moves.sorted { $0[0] < $1[0] })
        let known = regions[region, default: Bytes()]
        regions[region] = Bytes(
          total: max(known.total, bytes), written: max(known.written, stream.isWritten ? bytes : 0))
      }
    }
    var sums: [Memory: Bytes] = [:]
    for (region, bytes) in regions {
      sums[region.memory, default: Bytes()].total += bytes.total
      sums[region.memory, default: Bytes()].written += bytes.written
    }
    for (memory, bytes) in sums {
      guard let limit = byteCount(of: memory) else { continue }
      sums[memory] = Bytes(total: min(bytes.total, limit), written: min(bytes.written, limit))
    }
    return sums
  }

  private func byteCount(of memory: Memory) -> Double? {
    switch memory {
    case .buffer(let position):
      bufferByteCounts.indices.contains(position) ? bufferByteCounts[position].map { Double($0) } : nil
    case .scratch(let position):
      Double(nest.kernel.scratch[position].elementCount * nest.kernel.scratch[position].elementType.byteCount)
    case .shared(let position):
      Double(nest.kernel.shared[position].elementCount * nest.kernel.shared[position].elementType.byteCount)
    }
  }

  private func levels(of stream: Stream, at place: Int, inside node: Int, from digit: Int) -> [(
    stride: Int, trips: Double
  )] {
    var levels = stream.inner
    for (position, ancestor) in paths[place].enumerated() where position >= nest.nodes[node].depth {
      for (number, level) in digits[ancestor].enumerated() where ancestor != node || number >= digit {
        levels.append((stream.strides[position][number], level.trips))
      }
    }
    return levels
  }

  /// The bytes that an access of `byteCount` bytes touches while loops move it, in pieces of `granule` bytes.
  private static func footprint(_ levels: [(stride: Int, trips: Double)], _ byteCount: Int, granule: Int) -> Double {
    var (extent, pieces) = (Double(byteCount), 1.0)
    for level in levels.sorted(by: { abs($0.stride) < abs($1.stride) }) where level.stride != 0 && level.trips > 1 {
      let stride = Double(abs(level.stride))
      if pieces == 1, stride < extent + Double(granule) {
        extent += stride * (level.trips - 1)
      } else {
        pieces *= level.trips
      }
    }
    let unit = Double(granule)
    return pieces * (extent / unit).rounded(.up) * unit
  }

  // MARK: Streams

  private static func digits(of node: Int, in nest: KernelNest) -> [Digit] {
    let trips = nest.nodes[node].trips
    guard case .loop(let variable, _, _, let step) = nest.nodes[node].kind else {
      return [Digit(step: 0, trips: trips)]
    }
    var digits: [Digit] = []
    var unit = step
    for divisor in (nest.divisors[variable] ?? []).sorted() where divisor % unit == 0 && divisor > unit {
      guard Double(divisor) < trips * Double(step) else { break }
      digits.append(Digit(step: unit, trips: Double(divisor / unit)))
      unit = divisor
    }
    digits.append(Digit(step: unit, trips: trips * Double(step) / Double(unit)))
    return digits.reversed()
  }

  private func streams(of node: Int, _ values: inout KernelValues) -> [Stream] {
    let accesses = nest.nodes[node].accesses
    guard !accesses.isEmpty else { return [] }
    set(node, &values, moving: nil, by: 0)
    let bases = accesses.map { Self.position($0, values) }
    var strides = [[[Int]]](repeating: [], count: accesses.count)
    for ancestor in paths[node] {
      for index in accesses.indices { strides[index].append([]) }
      for digit in digits[ancestor] {
        set(node, &values, moving: ancestor, by: digit.step)
        for (index, access) in accesses.enumerated() {
          strides[index][strides[index].count - 1].append(Self.position(access, values) &- bases[index])
        }
      }
    }
    set(node, &values, moving: nil, by: 0)
    values[-1] = 1
    let laneStrides = accesses.indices.map { index in
      if case .indexed = accesses[index].position { return Self.position(accesses[index], values) &- bases[index] }
      return accesses[index].byteCount
    }
    values[-1] = 0
    return joined(accesses, bases, strides, laneStrides)
  }

  /// Gives the variables of the loops around a node their first values, one of them a later one.
  private func set(_ node: Int, _ values: inout KernelValues, moving moved: Int?, by distance: Int) {
    for ancestor in paths[node] {
      guard case .loop(let variable, let lower, _, _) = nest.nodes[ancestor].kind else { continue }
      values[variable] = values.value(of: lower) &+ (ancestor == moved ? distance : 0)
    }
  }

  /// In bytes.
  private static func position(_ access: KernelNest.Access, _ values: KernelValues) -> Int {
    switch access.position {
    case .consecutive(let expression): values.value(of: expression) &* access.byteCount
    case .indexed(let register): values.position(of: register) &* access.byteCount
    }
  }

  private struct Alike: Hashable {
    var memory: Memory
    var strides: [[Int]]
    var lanes: Int
    var laneStride: Int
  }

  private func joined(
    _ accesses: [KernelNest.Access], _ bases: [Int], _ strides: [[[Int]]], _ laneStrides: [Int]
  ) -> [Stream] {
    var groups: [Alike: [Int]] = [:]
    var order: [Alike] = []
    for (index, access) in accesses.enumerated() {
      let alike = Alike(
        memory: access.memory, strides: strides[index], lanes: access.lanes, laneStride: laneStrides[index])
      if groups[alike] == nil { order.append(alike) }
      groups[alike, default: []].append(index)
    }
    return order.map { alike in
      let members = groups[alike] ?? []
      let access = accesses[members[0]]
      let positions = Set(members.map { bases[$0] }).sorted()
      return Stream(
        memory: access.memory, base: positions[0], strides: alike.strides,
        inner: [(alike.laneStride, Double(access.lanes))] + Self.loops(over: positions), byteCount: access.byteCount,
        isWritten: members.contains { accesses[$0].isStore })
    }
  }

  /// Two loops, or one, that step through the positions, which are in order and mostly evenly spaced.
  private static func loops(over positions: [Int]) -> [(stride: Int, trips: Double)] {
    guard positions.count > 1 else { return [] }
    let steps = zip(positions.dropFirst(), positions).map { $0 - $1 }
    let run = (steps.firstIndex { $0 != steps[0] } ?? steps.count) + 1
    let isGrid =
      positions.count % run == 0
      && steps.indices.allSatisfy { ($0 + 1) % run == 0 ? steps[$0] == steps[run - 1] : steps[$0] == steps[0] }
    guard run < positions.count else { return [(steps[0], Double(run))] }
    guard isGrid else {
      let mean = (positions[positions.count - 1] - positions[0]) / steps.count
      return [(max(1, mean), Double(positions.count))]
    }
    return [(steps[0], Double(run)), (positions[run] - positions[0], Double(positions.count / run))]
  }
}
