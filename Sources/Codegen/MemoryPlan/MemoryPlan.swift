import IR

/// Places buffers in the arena so that those that live at the same time do not overlap.
///
/// Buffers are packed for a few values of the symbols; the packing says who lies below whom, and that makes offsets
/// that hold for all values: a buffer begins where the last of those below it ends.
struct MemoryPlan {
  /// Buffers that share their bytes, as one.
  private struct Item {
    var size: Extent
    var lifetime: ClosedRange<Int>
  }

  private let buffers: [DraftBuffer]
  /// Symbols that data decides: buffers have room for the most.
  private let dataSymbols: [DataSymbol]
  private var items: [Item] = []
  /// For each buffer in the arena that is used, its item.
  private var itemOfBuffer: [Int?]
  private var offsets: [Extent] = []
  private(set) var byteCount: Extent = .zero

  init(steps: [Program.Step], buffers: [DraftBuffer], dataSymbols: [DataSymbol] = []) {
    self.buffers = buffers
    self.dataSymbols = dataSymbols
    itemOfBuffer = Array(repeating: nil, count: buffers.count)
    let roots = buffers.enumerated().map { index, buffer in
      guard case .arena(let sharing?) = buffer.place else { return index }
      return sharing.index
    }
    collect(BufferLifetimes(steps: steps, roots: roots).lifetimes, roots)
    place()
  }

  var placed: [Program.Buffer] {
    buffers.enumerated().map { index, buffer in
      switch buffer.place {
      case .input(let position): Program.Buffer(type: buffer.type, place: .input(position))
      case .output(let position): Program.Buffer(type: buffer.type, place: .output(position))
      case .constant(let offset): Program.Buffer(type: buffer.type, place: .constant(byteOffset: offset))
      case .arena:
        Program.Buffer(
          type: buffer.type, place: .arena(byteOffset: itemOfBuffer[index].map { offsets[$0] } ?? .zero))
      }
    }
  }

  private mutating func collect(_ lifetimes: [ClosedRange<Int>?], _ roots: [Int]) {
    var itemOfRoot: [Int: Int] = [:]
    for (index, buffer) in buffers.enumerated() {
      guard case .arena = buffer.place, let lifetime = lifetimes[roots[index]] else { continue }
      if itemOfRoot[roots[index]] == nil {
        itemOfRoot[roots[index]] = items.count
        guard let size = buffer.type.byteCount.most(dataSymbols) else {
          preconditionFailure("what has no bound is refused before")
        }
        items.append(Item(size: Self.aligned(size), lifetime: lifetime))
      }
      itemOfBuffer[index] = itemOfRoot[roots[index]]
    }
  }

  /// The next multiple of the alignment, not below zero for any values of the symbols.
  static func aligned(_ extent: Extent) -> Extent {
    let alignment = Extent(Program.alignment)
    let size = (extent + (Program.alignment - 1)).floorDivided(by: alignment) * alignment
    return size.isNeverNegative ? size : .maximum(size, .zero)
  }

  // MARK: Placement

  private mutating func place() {
    let symbols = Set(items.flatMap { $0.size.symbols }).sorted()
    let points = Self.samplePoints(symbols).map { point in
      items.map { item in max(0, item.size.value(bySymbol: { point[$0] }) ?? 0) }
    }
    let packings = points.map { sizes in
      ArenaPacking(zip(items, sizes).map { ArenaPacking.Block(size: $1, lifetime: $0.lifetime) })
    }
    guard !symbols.isEmpty else {
      let best = packings[0].best()
      (offsets, byteCount) = (best.offsets.map { Extent($0) }, Extent(best.byteCount))
      return
    }
    var best: (ratio: Double, stack: ArenaStack)?
    for packing in packings {
      let others = packing.arrangements.prefix(Self.stackPairLimit / max(1, items.count * items.count))
      for arrangement in [packing.best()] + others {
        let stack = ArenaStack(packing.blocks, offsets: arrangement.offsets)
        let ratios = zip(points, packings).map { Double(stack.byteCount(for: $0)) / Double(max(1, $1.lowerBound)) }
        if let worst = ratios.max(), worst < best?.ratio ?? .infinity { best = (worst, stack) }
      }
    }
    let sizes = items.map(\.size)
    offsets = best?.stack.offsets(of: sizes) ?? []
    byteCount = .upperBound(of: zip(offsets, sizes).map { $0 + $1 })
  }

  /// Pairs of buffers that may be looked at to see who lies below whom, beside those of the best arrangements.
  private static let stackPairLimit = 1 << 25

  /// Values of the symbols for which buffers are packed: all alike, and one small among large ones.
  private static func samplePoints(_ symbols: [Symbol]) -> [[Symbol: Int]] {
    guard !symbols.isEmpty else { return [[:]] }
    let alike = [1, 16, 256].map { value in Dictionary(uniqueKeysWithValues: symbols.map { ($0, value) }) }
    guard symbols.count > 1 else { return alike }
    return alike
      + symbols.map { small in Dictionary(uniqueKeysWithValues: symbols.map { ($0, $0 == small ? 1 : 128) }) }
  }
}
