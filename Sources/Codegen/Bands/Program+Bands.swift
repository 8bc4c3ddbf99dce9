public import IR

extension Program {
  /// Launches in a row, each of which reads what the one before it wrote, run a band of tasks at a time: some tasks of the
  /// last kernel, and before them the tasks of the others that these need. What the kernels hand on stays in the
  /// second-level cache.
  ///
  /// Threads take runs of the last kernel's tasks. For each `tasksPerRoom` of them there is room in each intermediate
  /// buffer, which a run of many tasks uses together for longer bands. From band to band it keeps what the next one needs
  /// too, so that only where a run begins some tasks are done twice, by two threads.
  public struct Bands: Hashable, Sendable {
    /// A buffer between a launch and the next.
    public struct Link: Hashable, Sendable {
      /// All rooms.
      public var buffer: BufferID
      /// Bytes of an element.
      public var elementByteCount: Int
      /// Elements of one room, a multiple of `Program.alignment` in bytes.
      public var elementCount: Int
      /// Of the launch before, and of the launch after.
      public var written: TaskReach
      public var read: TaskReach
    }

    public var launches: [Launch]
    /// One fewer.
    public var links: [Link]
    /// Of the last launch's tasks, those that one room is for; a thread takes no fewer.
    public var tasksPerRoom: Int
    /// The rooms that a band uses at most, so that it stays in the cache.
    public var roomsPerBand: Int
    /// The time that one of the last launch's tasks and what belongs to it are expected to take, in picoseconds.
    public var taskTime: Int

    public var lastLaunch: Launch { launches[launches.count - 1] }

    public init(launches: [Launch], links: [Link], tasksPerRoom: Int, roomsPerBand: Int, taskTime: Int) {
      self.launches = launches
      self.links = links
      self.tasksPerRoom = tasksPerRoom
      self.roomsPerBand = roomsPerBand
      self.taskTime = taskTime
    }
  }
}

extension Program.Bands.Link {
  /// Elements that a band's room begins at a multiple of.
  var unit: Int { Program.alignment / elementByteCount }

  /// The first element in a band's room where `task` is the first of the launch before whose elements are needed.
  public func origin(writtenFrom task: IntegerExpression) -> IntegerExpression {
    written.first(from: task).floorDivided(by: Extent(unit)) * unit
  }

  /// The tasks of the launch before whose elements the tasks `first ..< end` of the launch after read; they may lie below zero
  /// or behind the last.
  public func tasks(
    neededBy first: IntegerExpression, _ end: IntegerExpression
  ) -> (first: IntegerExpression, end: IntegerExpression) {
    (written.firstTask(from: read.first(from: first)), written.endTask(before: read.end(before: end)))
  }

  /// The most tasks that so many tasks side by side of the launch after need.
  func mostTasks(neededBy count: Int) -> Int {
    // After so many tasks those of both launches lie to each other as at first.
    let (steps, others) = (read.step * written.divisor, written.step * read.divisor)
    let period = others / Int.greatestCommonDivisor(steps, others)
    guard period <= Self.longestPeriod else {
      return written.taskCount(ofElements: read.elementCount(ofTasks: count))
    }
    let counts = (0..<period).map { first in
      let needed = tasks(neededBy: Extent(first), Extent(first + count))
      return (needed.end - needed.first).fixed ?? 0
    }
    return max(0, counts.max() ?? 0)
  }

  private static let longestPeriod = 64
}

extension [Program.Bands.Link] {
  /// The elements that a room of each link must have for bands of so many of the last launch's tasks.
  func elementCounts(forTasks count: Int) -> [Int] {
    var counts: [Int] = []
    var tasks = count
    for link in reversed() {
      tasks = link.mostTasks(neededBy: tasks)
      // A room begins at a multiple of its unit, up to a unit before the first element.
      counts.append((link.written.elementCount(ofTasks: tasks) + 2 * link.unit) / link.unit * link.unit)
    }
    return counts.reversed()
  }

  /// The links with rooms for so many tasks each, of which up to `roomsPerBand` together hold a band of all their tasks.
  func sized(tasksPerRoom: Int, roomsPerBand: Int) -> [Program.Bands.Link] {
    var links = self
    for rooms in 1...roomsPerBand {
      for (position, count) in elementCounts(forTasks: rooms * tasksPerRoom).enumerated() {
        let unit = links[position].unit
        let share = (count + rooms * unit - 1) / (rooms * unit) * unit
        links[position].elementCount = Swift.max(links[position].elementCount, share)
      }
    }
    return links
  }
}
