public import IR

extension Program {
  /// The largest sum of the sizes of buffers in the arena that live at the same time: no arena can be smaller.
  public var leastArenaByteCount: Extent {
    var events: [(moment: Int, change: Extent)] = []
    for (size, lifetime) in arenaBlocks {
      events.append((lifetime.lowerBound, size))
      events.append((lifetime.upperBound + 1, -size))
    }
    // At one moment some buffers end before others begin.
    events.sort { $0.moment < $1.moment }
    var sums: [Extent] = []
    var sum = Extent.zero
    for (position, event) in events.enumerated() {
      sum += event.change
      let isLast = position + 1 == events.count || events[position + 1].moment > event.moment
      if isLast { sums.append(sum) }
    }
    return .maximum(of: sums)
  }

  /// Sizes and lifetimes of what lies in the arena; buffers that share their bytes count once.
  private var arenaBlocks: [(size: Extent, lifetime: ClosedRange<Int>)] {
    let lifetimes = BufferLifetimes(steps: steps, roots: Array(buffers.indices)).lifetimes
    var blocks: [(size: Extent, lifetime: ClosedRange<Int>)] = []
    var blockAt: [Extent: Int] = [:]
    let inOrder = buffers.indices.sorted { (lifetimes[$0]?.lowerBound ?? 0, $0) < (lifetimes[$1]?.lowerBound ?? 0, $1) }
    for index in inOrder {
      guard case .arena(let offset) = buffers[index].place, let lifetime = lifetimes[index] else { continue }
      let size = MemoryPlan.aligned(buffers[index].type.byteCount)
      guard size != .zero else { continue }
      // Two that live at once begin at one byte only where they are the same bytes.
      if let known = blockAt[offset], blocks[known].lifetime.upperBound >= lifetime.lowerBound {
        blocks[known].lifetime =
          blocks[known].lifetime.lowerBound...max(blocks[known].lifetime.upperBound, lifetime.upperBound)
      } else {
        blockAt[offset] = blocks.count
        blocks.append((size, lifetime))
      }
    }
    return blocks
  }
}
