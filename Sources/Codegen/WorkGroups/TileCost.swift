import IR

/// What a group does in one step of a tile's depth, and how long that takes a compute unit, in nanoseconds.
struct TileStep {
  let rows: Int
  let columns: Int
  /// Units of the depth in a step.
  let depth: Int
  /// How long a group takes that is alone on its unit.
  let alone: Double
  /// How long the unit takes for each of several groups that it works on at once.
  let shared: Double
  /// Groups that a unit holds.
  let residentGroups: Int
}

extension TileStep {
  /// Of a unit of a GPU, as measured (docs/design/0026-tiles-on-a-gpu.md).
  enum Unit {
    /// From the first load to the end of the wait behind the last store into local memory.
    static let latency = 550.0
    /// Of each load of an item, and instructions that it takes to compute its address, load and store.
    static let load = 25.0
    static let instructionsOfLoad = 12.0
    static let gigahertz = 1.755
    /// Multiply-adds in a cycle, subgroups that begin an instruction in one, and items of a subgroup.
    static let lanes = 128.0
    static let schedulers = 4.0
    static let subgroup = 32
    /// Registers of 32 bits, items, and groups that it holds.
    static let registers = 65536
    static let items = 2048
    static let groups = 16
    /// Bytes in a nanosecond: what tiles are filled from is in the second-level cache for the most part.
    static let filling = 32.0
    /// Bytes of partial sums in a nanosecond, and what a kernel takes that adds them, also for each part.
    static let adding = 16.0
    static let kernel = 6000.0
    static let part = 50.0
  }

  /// `loads` is how many an item does, `bytes` what the group reads; products take the unit `products`, and a group
  /// that is alone `ownProducts`; an item has so many registers. Processors wait for no loads to speak of.
  init(
    rows: Int, columns: Int, depth: Int, itemCount: Int, loads: Double, bytes: Double, products: Double,
    ownProducts: Double, registers: Int, _ device: WorkGroups
  ) {
    (self.rows, self.columns, self.depth) = (rows, columns, depth)
    guard device.overlapsGroups else {
      (alone, shared, residentGroups) = (products, products, 1)
      return
    }
    alone = Unit.latency + Unit.load * loads + ownProducts
    let instructions = Self.share(of: itemCount) * Unit.instructionsOfLoad * loads
    shared = max(products + instructions / Unit.gigahertz, bytes / Unit.filling)
    residentGroups = max(
      1, min(Unit.groups, Unit.items / itemCount, Unit.registers / (itemCount * registers)))
  }

  /// Subgroups for each of a unit's schedulers.
  static func share(of itemCount: Int) -> Double {
    Double((itemCount + Unit.subgroup - 1) / Unit.subgroup) / Unit.schedulers
  }
}

/// What a product in tiles costs a device: its groups go over the units in waves, and a wave takes, for each step of the
/// depth, what one group takes alone or what those on one unit take of it, whichever is longer.
struct TileCost {
  let rows: Int
  let columns: Int
  let batches: Int
  /// Nil where it is not known; then it is not divided.
  let depth: Int?
  /// Whether parts of the depth may be summed by different groups.
  let allowsParts: Bool
  let device: WorkGroups

  /// Steps of a depth that is not known.
  private static let assumedSteps = 64
  private static let partCounts = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]

  init(_ extents: ProductExtents, batch: Extent, _ size: ProductSize, _ device: WorkGroups) {
    (rows, columns, batches) = size.counts(extents, batch: batch)
    depth = extents.depth.fixed
    let areKnown = [extents.rows, extents.columns, batch].allSatisfy(\.isFixed)
    if case .few = size { allowsParts = true } else { allowsParts = areKnown }
    self.device = device
  }

  /// The tile, and the number of parts of the depth, that take the least time; nil where there are no tiles.
  func best<Tile>(of tiles: [Tile], _ step: (Tile) -> TileStep) -> (tile: Tile, parts: Int)? {
    var best: (tile: Tile, parts: Int, cost: Double)?
    for tile in tiles {
      let step = step(tile)
      let steps = depth.map { max(1, ($0 + step.depth - 1) / step.depth) } ?? Self.assumedSteps
      for wanted in Self.partCounts where wanted == 1 || (wanted <= steps && depth != nil && allowsParts) {
        let stepsOfPart = (steps + wanted - 1) / wanted
        // No part is empty.
        let parts = (steps + stepsOfPart - 1) / stepsOfPart
        let cost = products(step, steps: stepsOfPart, parts: parts) + additions(parts)
        if best.map({ cost < $0.cost }) ?? true { best = (tile, parts, cost) }
      }
    }
    return best.map { ($0.tile, $0.parts) }
  }

  private func products(_ step: TileStep, steps: Int, parts: Int) -> Double {
    let tiles = ((rows + step.rows - 1) / step.rows) * ((columns + step.columns - 1) / step.columns)
    let groups = tiles * batches * parts
    let units = device.computeUnitCount
    let (waves, left) = groups.quotientAndRemainder(dividingBy: units * step.residentGroups)
    func wave(_ groupsOfUnit: Int) -> Double { max(step.alone, Double(groupsOfUnit) * step.shared) }
    let last = left == 0 ? 0 : wave((left + units - 1) / units)
    return Double(steps) * (Double(waves) * wave(step.residentGroups) + last)
  }

  /// Partial sums are written, and another kernel reads and adds them.
  private func additions(_ parts: Int) -> Double {
    if parts == 1 { return 0 }
    let bytes = 2 * 4 * Double(rows) * Double(columns) * Double(batches * parts)
    return TileStep.Unit.kernel + TileStep.Unit.part * Double(parts)
      + bytes / (TileStep.Unit.adding * Double(device.computeUnitCount))
  }
}
