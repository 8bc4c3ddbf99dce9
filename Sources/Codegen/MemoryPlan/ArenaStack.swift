import IR

/// Who lies below whom in a packed arena, of blocks that live at the same time.
///
/// A packing for some sizes gives offsets for all: each block begins where the last of those below it ends.
struct ArenaStack {
  /// The blocks, those below others first.
  private let order: [Int]
  /// For each block, blocks below it, such that all others below it are below one of them.
  private let supports: [[Int]]

  /// O(n^2 / 64) for n blocks, and the pairs that live at the same time.
  init(_ blocks: [ArenaPacking.Block], offsets: [Int]) {
    order = blocks.indices.sorted { a, b in
      (offsets[a], blocks[a].size, a) < (offsets[b], blocks[b].size, b)
    }
    var supports = [[Int]](repeating: [], count: blocks.count)
    var below = [BlockSet](repeating: BlockSet(count: blocks.count), count: blocks.count)
    for (position, block) in order.enumerated() {
      for other in order[..<position].reversed() where blocks[other].lifetime.overlaps(blocks[block].lifetime) {
        if below[block].contains(other) { continue }
        supports[block].append(other)
        below[block].insert(other)
        below[block].formUnion(below[other])
      }
    }
    self.supports = supports
  }

  /// The bytes that blocks of these sizes take.
  func byteCount(for sizes: [Int]) -> Int {
    var ends = sizes
    for block in order { ends[block] += supports[block].map { ends[$0] }.max() ?? 0 }
    return ends.max() ?? 0
  }

  /// The offsets of blocks of these sizes.
  func offsets(of sizes: [Extent]) -> [Extent] {
    var offsets = [Extent](repeating: .zero, count: sizes.count)
    for block in order { offsets[block] = .upperBound(of: supports[block].map { offsets[$0] + sizes[$0] }) }
    return offsets
  }
}

/// A set of numbers from 0 on.
private struct BlockSet {
  private var words: [UInt64]

  init(count: Int) { words = Array(repeating: 0, count: (count + 63) / 64) }

  func contains(_ number: Int) -> Bool { words[number / 64] >> UInt64(number % 64) & 1 != 0 }
  mutating func insert(_ number: Int) { words[number / 64] |= 1 << UInt64(number % 64) }
  mutating func formUnion(_ other: BlockSet) { for word in words.indices { words[word] |= other.words[word] } }
}

extension Extent {
  /// More atoms than these in an expression are not worth their time in each call.
  private static let mostAtoms = 256

  /// The largest of extents that are never negative, for all values of symbols from 0 on.
  static func maximum(of extents: [Extent]) -> Extent {
    let rest = incomparable(extents)
    return rest.dropFirst().reduce(rest.first ?? .zero) { .maximum($0, $1) }
  }

  /// A value that none of the extents exceeds: the largest, or a little more where saying which one is takes too long.
  static func upperBound(of extents: [Extent]) -> Extent {
    let rest = incomparable(extents)
    let exact = rest.dropFirst().reduce(rest.first ?? .zero) { .maximum($0, $1) }
    if !exact.hasMoreAtoms(than: mostAtoms) { return exact }
    return rest.reduce(.zero) { $0.enlarged(toHold: $1.withoutMaxima) }
  }

  /// The extents that no other one is known to be as large as.
  private static func incomparable(_ extents: [Extent]) -> [Extent] {
    var kept: [Extent] = []
    for extent in extents where !kept.contains(where: { $0.isSurelyAtLeast(extent) }) {
      kept.removeAll { extent.isSurelyAtLeast($0) }
      kept.append(extent)
    }
    return kept
  }

  /// Whether the value is shown not to be less than the other: a maximum is at least either of its values.
  private func isSurelyAtLeast(_ other: Extent, depth: Int = 6) -> Bool {
    if (self - other).isNeverNegative { return true }
    guard depth > 0 else { return false }
    for term in terms where term.coefficient == 1 && term.factors.count == 1 {
      guard case .maximum(let a, let b) = term.factors[0] else { continue }
      let rest = self - Extent(term.factors[0])
      return (rest + a).isSurelyAtLeast(other, depth: depth - 1) || (rest + b).isSurelyAtLeast(other, depth: depth - 1)
    }
    return false
  }

  /// A value that is at least this one and the other: this one, and what the other has more of.
  private func enlarged(toHold other: Extent) -> Extent {
    let difference = other - self
    let more = difference.terms.filter { $0.coefficient > 0 }.map { term in
      term.factors.reduce(Extent(term.coefficient)) { $0 * Extent($1) }
    }
    return self + .sum(more) + max(0, difference.constant)
  }

  /// A value that is at least this one, in which no larger one of two values is taken.
  private var withoutMaxima: Extent {
    .sum(
      terms.map { term in
        term.factors.reduce(Extent(term.coefficient)) { product, factor in
          guard case .maximum(let a, let b) = factor else { return product * Extent(factor) }
          return product * a.withoutMaxima.enlarged(toHold: b.withoutMaxima)
        }
      }) + constant
  }
}
