import IR

/// How long the bands of a chain are, and what they gain, in bytes that are moved or not.
struct BandSizing {
  var launches: [Program.Launch]
  let lowering: ProgramLowering

  struct Sized {
    var bands: Program.Bands
    var gain: Int
  }

  /// So many threads get equal shares.
  private static let leastRooms = 8
  /// What bands cost, in bytes that come from beyond the cache, and which chains are not cut.
  struct Rules {
    /// A call of a kernel: its first loads wait.
    var callCost = 6 << 10
    /// A byte that is moved from a band to the next one's place.
    var moveCost = 1
    /// The last launch has so many tasks; of fewer, threads take what there is.
    var leastTasks = 16
    /// All rooms of a buffer together are at most so many times as large as what they stand for.
    var mostRooms = 2
  }

  private var cache: Int { lowering.target.l2ByteCount }

  private func kernel(_ position: Int) -> Kernel { lowering.kernels[launches[position].kernel] }

  /// The numbers that symbols are taken for: the smallest, for which bands must be worth their while too.
  private static func value(_ extent: Extent) -> Int {
    max(0, extent.value(bySymbol: { _ in 1 }) ?? 0)
  }

  /// The bands that gain most; nil where the last launch has few tasks, or what even one of them needs leaves no room in the
  /// cache.
  func best(_ links: [Program.Bands.Link]) -> Sized? {
    let count = Self.value(kernel(links.count).taskCount)
    guard count >= lowering.bandRules.leastTasks else { return nil }
    var room: Band?
    var tasks = 1
    while tasks == 1 || tasks * Self.leastRooms <= count, let band = band(links, tasks) {
      if areRoomsSmall(links, tasks, count: (count + tasks - 1) / tasks), band.gain > room?.gain ?? .min { room = band }
      tasks = max(tasks + 1, tasks * 5 / 4)
    }
    guard let room else { return nil }
    let longer = (1...Self.leastRooms).compactMap { band(links, room.tasks * $0) }
    guard let longest = longer.max(by: { $0.gain < $1.gain }) else { return nil }
    let rooms = longest.tasks / room.tasks
    let time = (0...links.count).reduce(0.0) { sum, position in
      sum + Double(Self.value(kernel(position).taskCount)) * Double(Self.value(kernel(position).taskTime))
    }
    let bands = Program.Bands(
      launches: launches,
      links: links.sized(tasksPerRoom: room.tasks, roomsPerBand: rooms), tasksPerRoom: room.tasks, roomsPerBand: rooms,
      taskTime: Int(min(time / Double(count), 1e15)))
    return Sized(bands: bands, gain: longest.gain)
  }

  private func areRoomsSmall(_ links: [Program.Bands.Link], _ tasks: Int, count: Int) -> Bool {
    links.sized(tasksPerRoom: tasks, roomsPerBand: 1).allSatisfy { link in
      count * link.elementCount * link.elementByteCount
        <= lowering.bandRules.mostRooms * Self.value(lowering.buffers[link.buffer.index].type.byteCount)
    }
  }

  // MARK: One band

  private struct Band {
    var tasks: Int
    var gain: Int
  }

  /// A band of so many of the last launch's tasks; nil where it fills more than half of the cache, with the constants that are
  /// read beside it.
  private func band(_ links: [Program.Bands.Link], _ tasks: Int) -> Band? {
    let sizes = zip(links, links.elementCounts(forTasks: tasks)).map { $0.elementByteCount * $1 }
    let byteCount = sizes.reduce(0, +)
    guard byteCount + constantByteCount <= cache / 2 else { return nil }
    // What passes by takes the place of a part of it.
    let saved = links.reduce(0) { $0 + savedByteCount($1.buffer) }
    let lost = Int(Double(saved) * Double(byteCount) / Double(cache))
    return Band(tasks: tasks, gain: saved - lost - cost(links, tasks))
  }

  private var constantByteCount: Int {
    Set(launches.flatMap(\.buffers)).reduce(0) { sum, buffer in
      guard case .constant = lowering.buffers[buffer.index].place else { return sum }
      return sum + Self.value(lowering.buffers[buffer.index].type.byteCount)
    }
  }

  /// Bytes that need not come from beyond the cache: a buffer that fills half of it is still there when it is read.
  func savedByteCount(_ buffer: BufferID) -> Int {
    let byteCount = Self.value(lowering.buffers[buffer.index].type.byteCount)
    return min(byteCount, max(0, 2 * byteCount - cache))
  }

  /// What one thread's bands keep for the next ones, and what calling kernels so often costs.
  private func cost(_ links: [Program.Bands.Link], _ tasks: Int) -> Int {
    let bandCount = (Self.value(kernel(links.count).taskCount) + tasks - 1) / tasks
    let rules = lowering.bandRules
    var (cost, tasks) = (rules.callCost, tasks)
    for link in links.reversed() {
      let new = link.read.step * tasks / link.read.divisor
      let isAligned = link.read.step.isMultiple(of: link.written.step) && link.written.divisor == 1
      let kept = max(0, link.read.elementCount(ofTasks: tasks) - new) + (isAligned ? 0 : link.written.width / 2)
      cost += rules.moveCost * kept * link.elementByteCount + rules.callCost
      tasks = max(1, new * link.written.divisor / link.written.step)
    }
    return bandCount * cost
  }
}
