import IR

/// How the items of a group scan one line together, in blocks that fit into local memory.
struct GroupScanBlock {
  let function: ScalarFunction
  let neutral: Scalar
  let type: ElementType
  /// A power of two.
  let items: Int
  /// Elements of a block that each item folds.
  let chunk: Int

  /// Elements of a block.
  var length: Int { items * chunk }

  /// The element at a position of the line, and what becomes of the fold up to there.
  typealias Read = (inout ElementLowering, inout KernelBuilder, IntegerExpression) -> Register
  typealias Write = (inout ElementLowering, inout KernelBuilder, IntegerExpression, Register) -> Void

  /// Local memory: the elements of a block, and twice a number for each item.
  struct Local {
    fileprivate let elements: Memory
    fileprivate let totals: Memory
  }

  func addLocal(_ b: inout KernelBuilder) -> Local {
    Local(elements: b.addShared(type, count: length), totals: b.addShared(type, count: 2 * items))
  }

  /// Scans the positions from `start` to before `end`, after which `before` is the fold of what lies before them.
  func scan(
    _ local: Local, from start: IntegerExpression, to end: IntegerExpression, before: Register,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder, read: Read, write: Write
  ) {
    if let count = (end - start).fixed, count <= length {
      _ = block(local, from: start, IntegerExpression(count), before, &lowering, &b, read: read, write: write)
      return
    }
    b.loop(from: start, to: end, step: length, carrying: [before]) { b, first, before in
      let count = b.index(of: b.materialize(.minimum(end - first, IntegerExpression(length)), lanes: 1))
      return lowering.withScope {
        [block(local, from: first, count, before[0], &$0, &b, read: read, write: write)]
      }
    }
  }

  /// Scans one block of `count` elements; returns the fold of it and all before.
  ///
  /// Each item writes the elements that it reads in the next block, so that no barrier is needed between two of them.
  func block(
    _ local: Local, from first: IntegerExpression, _ count: IntegerExpression, _ before: Register,
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder, read: Read, write: Write
  ) -> Register {
    b.loop(from: .item, to: count, step: items) { b, number, _ in
      let element = lowering.withScope { read(&$0, &b, first + number) }
      b.store(b.convert(element, to: type), local.elements, at: number, lanes: 1)
      return []
    }
    b.append(.barrier)
    let from = b.index(of: b.materialize(.minimum(.item * chunk, count), lanes: 1))
    let end = b.index(of: b.materialize(.minimum(.item * chunk + chunk, count), lanes: 1))
    let total = b.loop(from: from, to: end, carrying: [b.constant(neutral, type)]) { b, number, total in
      [b.apply(function, [total[0], b.load(local.elements, at: number, lanes: 1)])]
    }[0]
    let (prefix, whole) = prefixes(of: total, local, &b)
    b.loop(from: from, to: end, carrying: [b.apply(function, [before, prefix])]) { b, number, fold in
      let next = b.apply(function, [fold[0], b.load(local.elements, at: number, lanes: 1)])
      b.store(next, local.elements, at: number, lanes: 1)
      return [next]
    }
    b.append(.barrier)
    b.loop(from: .item, to: count, step: items) { b, number, _ in
      let fold = b.load(local.elements, at: number, lanes: 1)
      lowering.withScope { write(&$0, &b, first + number, fold) }
      return []
    }
    return b.apply(function, [before, whole])
  }

  /// For each item the fold of the values that the items before it have; and the fold of all.
  ///
  /// In each step an item folds in what the item half as many steps before has, which doubles the items that count.
  private func prefixes(of value: Register, _ local: Local, _ b: inout KernelBuilder) -> (Register, Register) {
    if let width = b.exchangingItemCount, items / width <= width { return exchanged(value, width, local, &b) }
    var (fold, half, distance) = (value, 0, 1)
    let item = b.materialize(.item, lanes: 1)
    b.store(fold, local.totals, at: .item, lanes: 1)
    b.append(.barrier)
    while distance < items {
      let isAfter = b.apply(
        .compare(.greaterOrEqual, .signed), [item, b.constant(.integer(Int64(distance)), .i64)])
      let earlier = b.load(local.totals, at: .item + (half - distance), lanes: 1, mask: isAfter)
      fold = b.apply(.select, [isAfter, b.apply(function, [earlier, fold]), fold])
      half = items - half
      b.store(fold, local.totals, at: .item + half, lanes: 1)
      b.append(.barrier)
      distance *= 2
    }
    let isAfter = b.apply(.compare(.greaterOrEqual, .signed), [item, b.constant(.integer(1), .i64)])
    let before = b.load(local.totals, at: .item + (half - 1), lanes: 1, mask: isAfter)
    let whole = b.load(local.totals, at: IntegerExpression(half + items - 1), lanes: 1)
    return (b.apply(.select, [isAfter, before, b.constant(neutral, type)]), whole)
  }

  /// The same where items exchange registers: within each subgroup, then over what the subgroups found, with one barrier.
  private func exchanged(
    _ value: Register, _ width: Int, _ local: Local, _ b: inout KernelBuilder
  ) -> (Register, Register) {
    let (neutral, zero) = (b.constant(neutral, type), b.constant(.integer(0), .i64))
    let fold = b.runningFold(function, value, count: width)
    let earlier = b.exchange(fold, from: .maximum(.item - 1, .zero))
    let own = b.apply(.select, [b.isItem(0, among: width), neutral, earlier])
    let count = items / width
    if count == 1 { return (own, b.exchange(fold, from: IntegerExpression(width - 1))) }
    b.store(fold, local.totals, at: b.subgroupNumber(width), lanes: 1, mask: b.isItem(width - 1, among: width))
    b.append(.barrier)
    let totals = b.load(local.totals, at: b.itemNumber(among: count), lanes: 1)
    let sums = b.runningFold(function, totals, count: count)
    let first = b.subgroupNumber(width) * width
    let before = b.exchange(sums, from: first + .maximum(b.subgroupNumber(width) - 1, .zero))
    let isLater = b.apply(
      .compare(.greater, .signed), [b.materialize(b.subgroupNumber(width), lanes: 1), zero])
    let prefix = b.apply(.select, [isLater, b.apply(function, [before, own]), own])
    return (prefix, b.exchange(sums, from: first + (count - 1)))
  }
}
