import IR

/// The first elements of a sorted line, where many are kept: what comes before the last of those is collected, and now and
/// then sorted and merged with them. A task is a line.
///
/// What was collected is sorted by counting: each element's place is how many come before it. Its place among those kept is
/// found by bisection, in vectors.
struct PrefixByRanks {
  /// Fewer elements are kept in order by moving them whenever one comes in.
  static let leastKept = 128
  static let mostKept = 2048

  let prefix: SortedPrefix
  let lanes: Int
  /// How many elements are collected, or up to a vector more.
  let capacity: Int

  init?(_ prefix: SortedPrefix) {
    lanes = prefix.lanes
    guard lanes > 1, (Self.leastKept...Self.mostKept).contains(prefix.count),
      prefix.lines.extent.fixed ?? .max >= prefix.count * SortedPrefix.shortLine
    else { return nil }
    self.prefix = prefix
    capacity = max(64, min(256, prefix.count / 8))
  }

  private var lines: SortedLines { prefix.lines }
  private var count: Int { prefix.count }

  /// Elements of a line, an array for each moved operand.
  private struct Arrays {
    /// In order.
    var kept: [Memory]
    /// As they come, and in order.
    var collected: [Memory]
    var sorted: [Memory]
    /// For each of those in order, how many of the kept come before it; then how many are kept.
    var places: Memory
    var merged: [Memory]
  }

  private func arrays(_ b: inout KernelBuilder) -> Arrays {
    func add(_ count: Int) -> [Memory] { prefix.keptTypes.map { b.addScratch($0, count: count) } }
    // Vectors that begin in an array may end behind it.
    let some = capacity + 2 * lanes
    let kept = add(count + lanes)
    let (collected, sorted) = (add(some), add(some))
    return Arrays(
      kept: kept, collected: collected, sorted: sorted, places: b.addScratch(.i32, count: some),
      merged: add(count + some))
  }

  func launch() -> ScheduledFusion.Launch {
    var draft = prefix.draft(lanes: lanes)
    let arrays = arrays(&draft.b)
    draft.b.setBound(lines.lineCount, ofVariable: Kernel.taskVariable)
    let index = lines.index(ofLine: draft.b.positions(of: .task, in: lines.otherExtents))
    let first = draft.b.position(prefix.keptCount)
    fill(arrays, first, index, &draft.lowering, &draft.b)
    scan(arrays, from: first, index, &draft.lowering, &draft.b)
    draft.b.loop(to: first) { b, position, _ in
      prefix.write(index, at: position, mask: nil, lanes: 1, to: draft.outputs, &b) { number, b in
        b.load(arrays.kept[number], at: position, lanes: 1)
      }
      return []
    }
    return prefix.launch(draft, taskCount: lines.lineCount, taskCost: lines.extent * 4)
  }

  /// Keeps the first elements of a line.
  private func fill(
    _ arrays: Arrays, _ first: IntegerExpression, _ index: [IntegerExpression], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    b.loop(to: first, step: capacity) { b, start, _ in
      let some = b.position(.minimum(first - start, Extent(capacity)))
      lowering.withScope { lowering in
        VectorStrips(to: some, lanes: lanes, atOnce: 1).loop(&lowering, &b) { lowering, b, position, width, mask in
          let vectors = prefix.elements(prefix.all, index, at: start + position + .lane, mask, &lowering, &b)
          for (vector, memory) in zip(vectors, arrays.collected) {
            b.store(vector, memory, at: position + .lane, lanes: width)
          }
        }
        merge(some, into: start, arrays, &lowering, &b)
      }
      return []
    }
  }

  /// Passes over the rest of a line, in vectors; where one has elements that come before the last that is kept, those are
  /// collected.
  private func scan(
    _ arrays: Arrays, from first: IntegerExpression, _ index: [IntegerExpression], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let number = b.addScratch(.i64, count: 1)
    let none = b.constant(.integer(0), .i64)
    b.store(none, number, at: .zero, lanes: 1)
    let strips = VectorStrips(from: first, to: lines.extent, lanes: lanes, atOnce: 1)
    strips.loop(&lowering, &b) { lowering, b, position, width, mask in
      let vector = prefix.elements(prefix.keys, index, at: position + .lane, mask, &lowering, &b)
      let last = prefix.keys.map { b.load(arrays.kept[$0], at: IntegerExpression(count - 1), lanes: 1) }
      let comes = b.and(mask, b.widen(prefix.precedes(vector, last, &lowering, &b), to: width)) ?? mask
      guard let comes else { return }
      b.branch(b.fold(.or, comes)) { b in
        let before = b.load(number, at: .zero, lanes: 1)
        let collected = b.loop(to: IntegerExpression(width), carrying: [before]) { b, lane, collected in
          lowering.withScope {
            let at = position + lane
            return [collect(at, isMasked: mask != nil, last, collected[0], arrays, index, &$0, &b)]
          }
        }[0]
        b.store(collected, number, at: .zero, lanes: 1)
        if mask != nil { return }
        let isFull = b.apply(
          .compare(.greaterOrEqual, .signed), [collected, b.constant(.integer(Int64(capacity)), .i64)])
        b.branch(isFull) { b in
          lowering.withScope { merge(b.index(of: collected), into: Extent(count), arrays, &$0, &b) }
          b.store(none, number, at: .zero, lanes: 1)
        }
      }
    }
    let rest = b.load(number, at: .zero, lanes: 1)
    b.branch(b.apply(.compare(.greater, .signed), [rest, none])) { b in
      lowering.withScope { merge(b.index(of: rest), into: Extent(count), arrays, &$0, &b) }
    }
  }

  /// Writes the element at `position` behind those collected; returns how many there are, with it if it comes before `last`.
  private func collect(
    _ position: IntegerExpression, isMasked: Bool, _ last: [Register], _ collected: Register, _ arrays: Arrays,
    _ index: [IntegerExpression], _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> Register {
    let isInside = isMasked ? b.isWithin(position, lines.extent, lanes: 1) : nil
    let element = prefix.elements(prefix.all, index, at: position, isInside, &lowering, &b)
    for (value, memory) in zip(element, arrays.collected) {
      b.store(value, memory, at: b.index(of: collected), lanes: 1)
    }
    let comes = prefix.precedes(prefix.keys.map { element[$0] }, last, &lowering, &b)
    return b.apply(.add, [collected, b.convert(b.and(isInside, comes) ?? comes, to: .i64)])
  }

  // MARK: Sorting and merging

  /// Merges `some` collected elements with the `kept` ones before them; the first `count` are kept.
  private func merge(
    _ some: IntegerExpression, into kept: IntegerExpression, _ arrays: Arrays, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    sort(some, kept, arrays, &lowering, &b)
    let end = b.convert(b.materialize(kept, lanes: 1), to: .i32)
    b.store(end, arrays.places, at: some, lanes: 1)
    // Each copy but the last may write too much, in the place of what is written next.
    copy(arrays.kept, from: .zero, to: place(.zero, arrays, &b), arrays.merged, at: .zero, &b)
    b.loop(to: some) { b, number, _ in
      let (start, end) = (place(number, arrays, &b), place(number + 1, arrays, &b))
      for (array, merged) in arrays.merged.enumerated() {
        b.store(b.load(arrays.sorted[array], at: number, lanes: 1), merged, at: start + number, lanes: 1)
        let vector = b.load(arrays.kept[array], at: start + .lane, lanes: lanes)
        b.store(vector, merged, at: start + number + 1 + .lane, lanes: lanes)
      }
      copy(arrays.kept, from: start + lanes, to: end, arrays.merged, at: start + number + 1 + lanes, &b)
      return []
    }
    let all = b.position(.minimum(kept + some, Extent(count)))
    copy(arrays.merged, from: .zero, to: all, arrays.kept, at: .zero, &b)
  }

  /// How many of the kept elements come before a sorted one.
  private func place(_ number: IntegerExpression, _ arrays: Arrays, _ b: inout KernelBuilder) -> IntegerExpression {
    b.index(of: b.load(arrays.places, at: number, lanes: 1))
  }

  /// Copies elements in vectors.
  private func copy(
    _ sources: [Memory], from lower: IntegerExpression, to upper: IntegerExpression, _ targets: [Memory],
    at start: IntegerExpression, _ b: inout KernelBuilder
  ) {
    b.loop(from: lower, to: upper, step: lanes) { b, position, _ in
      for (source, target) in zip(sources, targets) {
        let vector = b.load(source, at: position + .lane, lanes: lanes)
        b.store(vector, target, at: start + (position - lower) + .lane, lanes: lanes)
      }
      return []
    }
  }

  /// Sorts `some` collected elements, and finds their places among the `kept`.
  private func sort(
    _ some: IntegerExpression, _ kept: IntegerExpression, _ arrays: Arrays, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    b.loop(to: some, step: lanes) { b, start, _ in
      lowering.withScope { lowering in
        let keys = prefix.keys.map { b.load(arrays.collected[$0], at: start + .lane, lanes: lanes) }
        let rank = b.index(of: rank(keys, start, some, arrays, &lowering, &b))
        let isThere = b.apply(
          .compare(.less, .signed), [b.materialize(start + .lane, lanes: lanes), b.materialize(some, lanes: 1)])
        for (collected, sorted) in zip(arrays.collected, arrays.sorted) {
          let vector = b.load(collected, at: start + .lane, lanes: lanes)
          b.store(vector, sorted, at: rank, lanes: lanes, mask: isThere)
        }
        let place = place(keys, kept, arrays, &lowering, &b)
        b.store(place, arrays.places, at: rank, lanes: lanes, mask: isThere)
      }
      return []
    }
  }

  /// How many of `some` collected elements come before each of those from `start` on, whose keys are given.
  private func rank(
    _ keys: [Register], _ start: IntegerExpression, _ some: IntegerExpression, _ arrays: Arrays,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) -> Register {
    func key(_ position: IntegerExpression, _ b: inout KernelBuilder) -> [Register] {
      prefix.keys.map { b.load(arrays.collected[$0], at: position, lanes: 1) }
    }
    func added(_ condition: Register, to rank: Register, _ b: inout KernelBuilder) -> Register {
      b.apply(.add, [rank, b.convert(b.widen(condition, to: lanes), to: .i32)])
    }
    let end = b.position(.minimum(start + lanes, some))
    // Earlier ones come before, unless they are preceded.
    var rank = b.loop(to: start, carrying: [b.constant(.integer(0), .i32, lanes: lanes)]) { b, position, ranks in
      lowering.withScope { lowering in
        let comes = b.apply(.not, [prefix.precedes(keys, key(position, &b), &lowering, &b)])
        return [added(comes, to: ranks[0], &b)]
      }
    }
    let lane = b.convert(b.materialize(.lane, lanes: lanes), to: .i32)
    rank = b.loop(from: start, to: end, carrying: rank) { b, position, ranks in
      lowering.withScope { lowering in
        let other = key(position, &b)
        let number = b.convert(b.materialize(position - start, lanes: 1), to: .i32)
        let isLater = b.apply(.compare(.greater, .signed), [lane, number])
        let isEarlier = b.apply(.compare(.less, .signed), [lane, number])
        let stays = b.apply(.and, [isLater, b.apply(.not, [prefix.precedes(keys, other, &lowering, &b)])])
        let passes = b.apply(.and, [isEarlier, prefix.precedes(other, keys, &lowering, &b)])
        return [added(b.apply(.or, [stays, passes]), to: ranks[0], &b)]
      }
    }
    return b.loop(from: end, to: some, carrying: rank) { b, position, ranks in
      lowering.withScope { lowering in
        [added(prefix.precedes(key(position, &b), keys, &lowering, &b), to: ranks[0], &b)]
      }
    }[0]
  }

  /// How many of the `kept` elements come before each of those whose keys are given, by bisection.
  private func place(
    _ keys: [Register], _ kept: IntegerExpression, _ arrays: Arrays, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) -> Register {
    let end = b.convert(b.materialize(kept, lanes: 1), to: .i32)
    var place = b.constant(.integer(0), .i32, lanes: lanes)
    var step = 1 << (Int.bitWidth - 1 - count.leadingZeroBitCount)
    while step > 0 {
      let next = b.apply(.add, [place, b.constant(.integer(Int64(step)), .i32)])
      let isThere = b.apply(.compare(.lessOrEqual, .signed), [next, end])
      let at = b.index(of: next) - 1
      let last = prefix.keys.map { b.load(arrays.kept[$0], at: at, lanes: lanes, mask: isThere) }
      let stays = b.apply(.not, [prefix.precedes(keys, last, &lowering, &b)])
      place = b.apply(.select, [b.apply(.and, [isThere, stays]), next, place])
      step /= 2
    }
    return place
  }
}
