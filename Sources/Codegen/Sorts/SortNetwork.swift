import IR

/// The pairs of places that are compared, one after the other, so that elements in any order get in order: of each pair
/// the lesser goes to the first.
///
/// Each writes or reads places only; what lies there, and how it is compared, is its user's.
struct SortNetwork {
  /// Places that are put in order in registers.
  static let block = 16

  /// Batcher's merge exchange of `count` places.
  static func pairs(_ count: Int) -> [(lower: Int, upper: Int)] {
    var pairs: [(lower: Int, upper: Int)] = []
    guard count > 1 else { return [] }
    let top = 1 << (Int.bitWidth - 1 - (count - 1).leadingZeroBitCount)
    var p = top
    while p > 0 {
      var (q, rest, distance) = (top, 0, p)
      while true {
        for i in 0..<max(0, count - distance) where i & p == rest { pairs.append((i, i + distance)) }
        if q == p { break }
        (distance, q, rest) = (q - p, q / 2, p)
      }
      p /= 2
    }
    return pairs
  }

  /// Merges two halves of a block, of which the first is in order and the second too, after each place was compared
  /// with that which lies opposite.
  static let cleaning: [(lower: Int, upper: Int)] = {
    sequence(first: block / 2) { $0 > 1 ? $0 / 2 : nil }.flatMap { distance in
      (0..<block).filter { $0 & distance == 0 }.map { ($0, $0 + distance) }
    }
  }()
}

extension VectorRecords {
  /// Puts the records from `start` on in order by the pairs, in registers.
  func order(
    _ start: IntegerExpression, count: Int, _ pairs: [(lower: Int, upper: Int)], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    var records = (0..<count).map { load(start + $0, &b) }
    for (lower, upper) in pairs {
      (records[lower], records[upper]) = exchange(records[lower], records[upper], &lowering, &b)
    }
    for (number, record) in records.enumerated() { store(record, start + number, &b) }
  }

  /// Puts `count` records in order, a multiple of the network's block and at most `most`.
  ///
  /// Blocks are put in order, then merged two by two: each record of the one is compared with that which lies opposite
  /// in the other, then with those at half the distance, and so on. Lesser records always go to lower places, so that
  /// those that are not there, after the last, are as if they were the greatest.
  func order(count: IntegerExpression, most: Int, _ lowering: inout ElementLowering, _ b: inout KernelBuilder) {
    let block = SortNetwork.block
    blocks(count, SortNetwork.pairs(block), &lowering, &b)
    var run = block
    while run < most {
      b.loop(to: count - run, step: 2 * run) { b, start, _ in
        let end = b.position(.minimum(start + 2 * run, count))
        merge(start, end, run, &lowering, &b)
        return []
      }
      blocks(count, SortNetwork.cleaning, &lowering, &b)
      run *= 2
    }
  }

  private func blocks(
    _ count: IntegerExpression, _ pairs: [(lower: Int, upper: Int)], _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    b.loop(to: count, step: SortNetwork.block) { b, start, _ in
      lowering.withScope { order(start, count: SortNetwork.block, pairs, &$0, &b) }
      return []
    }
  }

  /// Merges a run from `start` on with the next, which ends before `end`, down to the distances within blocks.
  private func merge(
    _ start: IntegerExpression, _ end: IntegerExpression, _ run: Int, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    let opposite = start + (2 * run - 1)
    b.loop(from: b.position(opposite - (end - 1)), to: IntegerExpression(run)) { b, number, _ in
      compare(start + number, opposite - number, &lowering, &b)
      return []
    }
    var distance = run / 2
    while distance >= SortNetwork.block {
      b.loop(from: start, to: end - distance, step: 2 * distance) { b, first, _ in
        let limit = b.position(.minimum(first + distance, end - distance))
        b.loop(from: first, to: limit) { b, place, _ in
          compare(place, place + distance, &lowering, &b)
          return []
        }
        return []
      }
      distance /= 2
    }
  }

  private func compare(
    _ lower: IntegerExpression, _ upper: IntegerExpression, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) {
    lowering.withScope { lowering in
      let (first, second) = exchange(load(lower, &b), load(upper, &b), &lowering, &b)
      store(first, lower, &b)
      store(second, upper, &b)
    }
  }
}
