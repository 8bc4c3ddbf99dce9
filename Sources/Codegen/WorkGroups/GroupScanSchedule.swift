import IR

extension Schedule {
  /// Running folds (`cumsum`), with what follows them.
  ///
  /// A group scans a line in blocks; lines that are too few for the device are scanned by several groups each. Short
  /// lines, many lines side by side and functions that are not associative are an item's work for each line.
  static let groupScan = Schedule("scan by groups") { request in
    guard let device = request.target.workGroups, let scan = ScannedLines(request) else { return nil }
    return GroupScan(scan, device).scheduled()
  }
}

/// Which kernels scan the lines.
private struct GroupScan {
  /// Longer lines are scanned by groups.
  static let shortLine = 32
  /// Elements that an item folds in a row. Odd numbers keep items out of each other's banks.
  static let longestChunk = 7
  static let mostItems = 256
  /// Lines for each compute unit that keep it busy when each is an item's work.
  static let linesPerUnit = 128

  let lines: ScannedLines
  let device: WorkGroups

  init(_ lines: ScannedLines, _ device: WorkGroups) {
    self.lines = lines
    self.device = device
  }

  func scheduled() -> ScheduledFusion { lines.scheduled(steps) }

  /// Elements of a line; very many where that is not known.
  private var length: Int { lines.length.fixed ?? .max }

  private func steps(_ outputs: [CentralNode.Output], _ scheduled: inout ScheduledFusion) -> [ScheduledFusion.Step] {
    let kernels = GroupScanKernels(lines: lines, outputs: outputs)
    guard length > Self.shortLine, let function = lines.associativeFunction, let shape = shape(function) else {
      return [.launch(kernels.byItems())]
    }
    func byGroups(_ scheduled: inout ScheduledFusion) -> [ScheduledFusion.Step] {
      func whole(_ scheduled: inout ScheduledFusion) -> [ScheduledFusion.Step] { [.launch(kernels.byGroups(shape))] }
      if length <= shape.length { return whole(&scheduled) }
      return byLineCount(device.computeUnitCount, &scheduled, fewer: { kernels.inParts(shape, &$0) }, whole)
    }
    // Items read lines that lie side by side all at once.
    if lines.type.strides[lines.dimension] == .one { return byGroups(&scheduled) }
    let many = Self.linesPerUnit * device.computeUnitCount
    return byLineCount(many, &scheduled, fewer: byGroups) { _ in [.launch(kernels.byItems())] }
  }

  /// The steps for at least `count` lines, or those for fewer; both where their number is not known.
  private func byLineCount(
    _ count: Int, _ scheduled: inout ScheduledFusion, fewer: (inout ScheduledFusion) -> [ScheduledFusion.Step],
    _ many: (inout ScheduledFusion) -> [ScheduledFusion.Step]
  ) -> [ScheduledFusion.Step] {
    if let known = lines.lineCount.fixed { return known >= count ? many(&scheduled) : fewer(&scheduled) }
    return [.choice(.atLeast(lines.lineCount, count), then: many(&scheduled), otherwise: fewer(&scheduled))]
  }

  /// A group for a line: as many items as have something to do; nil where local memory is too small.
  private func shape(_ function: ScalarFunction) -> GroupScanBlock? {
    let type = lines.sumType
    guard let neutral = function.neutral(type) else { return nil }
    var items = Self.mostItems
    while items > device.itemCount { items /= 2 }
    while items > device.subgroupItemCount, items * 2 >= length { items /= 2 }
    let room = device.arrayByteCount / max(1, type.byteCount)
    var chunk = Self.longestChunk
    while chunk > 1, items * (chunk - 2) >= length { chunk -= 2 }
    while items * (chunk + 2) > room {
      if chunk > 1 { chunk -= 2 } else { items /= 2 }
    }
    if items < 2 { return nil }
    return GroupScanBlock(function: function, neutral: neutral, type: type, items: items, chunk: chunk)
  }
}
